"""How far a training is: lines, or a bar on a terminal and in a notebook."""

from __future__ import annotations

import sys
import time
from importlib.util import find_spec
from typing import Any

from skgru._engine.observers import Now, Observer, State

# Seconds after which a running epoch is told of, by a line and by a bar.
_OF_LINES, _OF_BAR = 10.0, 0.1
_BAR_WIDTH = 16


class Report(Observer):
    """Prints a line after each epoch, and every ten seconds inside a long one.

    Where output goes to a terminal, or to a notebook with ipywidgets, and rich is installed, a bar
    says the same.

    Parameters
    ----------
    title : str
        Of the fit.
    """

    def __init__(self, title: str) -> None:
        self._title = title
        self._bar: Any = None
        self._n_before: int | None = None

    def on_begin(self, n_epochs: int, n_batches: int, now: Now) -> None:
        """Start the clock, and the bar if there can be one."""
        self._start = self._last = time.perf_counter()
        self._bar = _start_bar(self._title)

    def on_epoch_begin(self, state: State) -> None:
        """Begin the mean loss of the epoch."""
        if self._n_before is None:
            self._n_before = state.epoch - 1
        self._total = 0.0

    def on_batch(self, state: State) -> None:
        """Tell of the epoch so far, if nothing was told of for long."""
        self._total += state.loss
        now = time.perf_counter()
        if now - self._last >= (_OF_BAR if self._bar else _OF_LINES):
            of = f" batch {state.batch}/{state.n_batches}" if state.n_batches > 1 else ""
            done = state.epoch - 1 + state.batch / state.n_batches
            self._tell(state, of, self._total / state.batch, done, now)

    def on_epoch(self, state: State) -> bool:
        """Tell of the epoch."""
        self._tell(state, "", state.loss, state.epoch, time.perf_counter())
        return False

    def close(self) -> None:
        """Leave the bar as it is, if there is one."""
        if self._bar:
            self._bar.refresh()  # in a notebook, stop() alone leaves what was drawn last
            self._bar.stop()

    def _tell(self, state: State, of: str, loss: float, n_done: float, now: float) -> None:
        self._last = now
        score = ""
        if state.score is not None:
            score = f"  validation loss {state.validation_loss:.6f} score {state.score:.4f}"
        assert self._n_before is not None
        pace = (now - self._start) / (n_done - self._n_before)
        left = _clock(pace * (state.n_epochs - n_done))
        text = f"epoch {state.epoch}/{state.n_epochs}{of}  loss {loss:.6f}{score}  time left {left}"
        if self._bar:
            (task,) = self._bar.task_ids
            self._bar.update(task, completed=n_done / state.n_epochs, text=text)
        else:
            print(f"{self._title}: {text}", flush=True)


def _clock(seconds: float) -> str:
    """Return a duration as hours, minutes and seconds."""
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"


def _is_terminal(stream: Any) -> bool:
    """Whether output is seen at once; what stands in place of a stream may not know."""
    try:
        return bool(stream.isatty())
    except (AttributeError, ValueError):  # none, another object, or it is closed
        return False


def _start_bar(title: str) -> Any:
    """Return a progress bar of rich that has been started, or None if there can be none."""
    is_notebook = "ipykernel" in sys.modules and find_spec("ipywidgets") is not None
    if not (is_notebook or _is_terminal(sys.stdout)):
        return None
    try:
        from rich.errors import LiveError
        from rich.progress import BarColumn, Progress, TextColumn
    except ImportError:
        return None
    columns = (
        TextColumn("{task.description}"),
        BarColumn(_BAR_WIDTH),
        TextColumn("{task.fields[text]}"),
    )
    bar = Progress(*columns)
    bar.add_task(title, total=1.0, text="")
    try:
        bar.start()
    except LiveError:  # another one is being drawn
        return None
    return bar
