"""What is said of a running training."""

import io
import re
import sys
from contextlib import redirect_stdout

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV

from skgru import GRUClassifier, GRURegressor
from skgru._engine.report import Report, _clock
from skgru._engine.solvers import SOLVERS
from skgru._nn.optimizers import Adam
from tests.datasets import ragged, rectangle, small
from tests.training import RaiseAt

LINE = r"GRUClassifier: epoch {}/3  loss \d\.\d{{6}}{}  time left \d+:\d\d"


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("validated", [False, True])
def test_a_line_for_each_epoch(capsys, validated, solver):
    X, y = ragged()
    validation = {"X_val": X, "y_val": y} if validated else {}
    parameters = {"solver": solver, "verbose": True, "max_iter": 3}
    if not SOLVERS[solver].is_stochastic:
        with pytest.warns(ConvergenceWarning):
            model = GRUClassifier(4, random_state=0, **parameters).fit(X, y, **validation)
    else:
        model = small(GRUClassifier, **parameters).fit(X, y, **validation)
    lines = capsys.readouterr().out.splitlines()
    score = r"  validation loss \d\.\d{6} score \d\.\d{4}" if validated else ""
    assert len(lines) == 3
    for i, line in enumerate(lines):
        assert re.fullmatch(LINE.format(i + 1, score), line)
        assert f"loss {model.loss_curve_[i]:.6f}" in line
        if validated:
            assert f"score {model.validation_scores_[i]:.4f}" in line
            assert f"validation loss {model.validation_loss_curve_[i]:.6f}" in line
    assert lines[-1].endswith("time left 0:00")


def ticks(monkeypatch, seconds):
    """Have each look at the clock be so many seconds after the one before."""
    clock = iter(np.arange(10_000) * seconds)
    monkeypatch.setattr("skgru._engine.report.time.perf_counter", lambda: next(clock))


@pytest.mark.parametrize(("seconds", "n_lines"), [(1, 6), (6, 30), (10, 60)])
def test_a_long_epoch_is_told_of_every_ten_seconds(capsys, monkeypatch, seconds, n_lines):
    X, y = rectangle(n=29)
    ticks(monkeypatch, seconds)
    small(GRURegressor, verbose=True, batch_size=1, max_iter=2).fit(X, y)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == n_lines
    inside = [line for line in lines if "batch" in line]
    assert len(inside) == n_lines - 2
    assert re.match(r"GRURegressor: epoch 1/2 batch \d+/29  loss \d\.\d{6}  time left", inside[0])


def test_the_loss_inside_an_epoch_is_the_mean_so_far(capsys, monkeypatch):
    X, y = rectangle(n=30)
    ticks(monkeypatch, 10)
    model = small(GRURegressor, verbose=True, batch_size=10, max_iter=1).fit(X, y)
    of_epoch = re.findall(r"loss (\S+)", capsys.readouterr().out)
    assert of_epoch[-1] == of_epoch[-2] == f"{model.loss_:.6f}"
    assert of_epoch[0] != of_epoch[1]


def test_the_time_left_is_that_of_what_is_left(capsys, monkeypatch):
    ticks(monkeypatch, 50)
    small(GRURegressor, verbose=True, max_iter=2, batch_size=15).fit(*rectangle(n=30))
    left = re.findall(r"time left (\S+)", capsys.readouterr().out)
    # After 1 to 6 looks at the clock, 1/4, 1/2, 1/2, 3/4, 1 and 1 of it are done.
    assert left == ["2:30", "1:40", "2:30", "1:07", "0:00", "0:00"]


def test_hours_are_said():
    assert [_clock(s) for s in (59.6, 3599, 3600, 36_061)] == [
        "1:00",
        "59:59",
        "1:00:00",
        "10:01:01",
    ]


def test_silent_by_default(capsys):
    X, y = ragged()
    model = small(GRUClassifier).fit(X, y)
    model.set_params(learning_rate="constant").partial_fit(X, y).predict(X)
    captured = capsys.readouterr()
    assert captured.out == captured.err == ""


def test_a_fit_inside_a_search_says_which_one_it_is(capsys):
    model = small(GRUClassifier, verbose=True, max_iter=1)
    GridSearchCV(model, {"alpha": [0]}, cv=2).fit(*rectangle(n=30))
    titles = [line.split(": epoch")[0] for line in capsys.readouterr().out.splitlines()]
    if hasattr(model, "set_callbacks"):  # scikit-learn 1.9
        assert titles == [
            "GRUClassifier (GridSearchCV candidate-split-evaluation 0)",
            "GRUClassifier (GridSearchCV candidate-split-evaluation 1)",
            "GRUClassifier (GridSearchCV refit-with-best-params 1)",
        ]
    else:
        assert titles == ["GRUClassifier"] * 3


# The bar


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture(autouse=True)
def wide(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "200")


def test_a_bar_on_a_terminal():
    with redirect_stdout(Terminal()) as terminal:
        model = small(GRUClassifier, verbose=True).fit(*ragged())
    said = terminal.getvalue()
    assert "GRUClassifier" in said
    assert "━" in said
    assert f"epoch 3/3  loss {model.loss_:.6f}  time left 0:00" in said
    assert "GRUClassifier: epoch" not in said


def test_a_bar_is_whole_before_it_stops(monkeypatch):
    """In a notebook, nothing is drawn any more by its end."""
    from rich.progress import Progress

    drawn, refresh, stop = [], Progress.refresh, Progress.stop
    monkeypatch.setattr(
        Progress, "refresh", lambda self: drawn.append(self.tasks[0].completed) or refresh(self)
    )
    monkeypatch.setattr(Progress, "stop", lambda self: drawn.append("stop") or stop(self))
    with redirect_stdout(Terminal()):
        small(GRUClassifier, verbose=True).fit(*ragged())
    assert drawn[-2:] == [1.0, "stop"]


class Unknown:
    """A stream that does not know whether it is a terminal."""

    def __init__(self):
        self.said = ""

    def write(self, text):
        self.said += text

    def flush(self):
        pass


def test_lines_where_nobody_knows_of_a_terminal():
    with redirect_stdout(Unknown()) as stream:
        small(GRUClassifier, verbose=True).fit(*ragged())
    assert stream.said.count("GRUClassifier: epoch") == 3
    with redirect_stdout(None):  # as pythonw has it
        small(GRUClassifier, verbose=True).fit(*ragged())


def test_lines_on_a_terminal_without_rich(monkeypatch):
    for name in [name for name in sys.modules if name.partition(".")[0] == "rich"]:
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.setitem(sys.modules, "rich.errors", None)
    with redirect_stdout(Terminal()) as terminal:
        small(GRUClassifier, verbose=True).fit(*ragged())
    assert terminal.getvalue().count("GRUClassifier: epoch") == 3


@pytest.mark.parametrize("error", [MemoryError, KeyboardInterrupt])
def test_a_bar_ends_with_a_fit_that_fails(monkeypatch, error):
    ended, close = [], Report.close
    monkeypatch.setattr(Report, "close", lambda self: ended.append(self._bar) or close(self))
    monkeypatch.setattr(Adam, "step", RaiseAt(Adam.step, 2, error))
    model = small(GRUClassifier, verbose=True)
    with redirect_stdout(Terminal()):
        if error is MemoryError:
            with pytest.raises(MemoryError):
                model.fit(*ragged())
        else:
            with pytest.warns(UserWarning, match="interrupted"):
                model.fit(*ragged())
    assert [bar.live.is_started for bar in ended] == [False]
