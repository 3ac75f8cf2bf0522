"""Warnings name the line that has called the package, however deep below it they arise."""

import sys
from pathlib import Path

import numpy as np
import pytest
import sklearn.pipeline
from sklearn.exceptions import ConvergenceWarning
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

import skgru
from skgru import GRUClassifier, GRURegressor
from skgru._warnings import warn
from tests.datasets import rectangle, small

PACKAGE = Path(skgru.__file__).parent
X, Y = rectangle()
IDS = np.array([[2, 3, 0, 0], [3, 2, 3, 0], [2, 2, 2, 3]] * 4)


@pytest.mark.parametrize(
    ("message", "call"),
    [
        ("without effect", lambda: small(GRUClassifier, momentum=0.5).fit(X, Y)),
        ("clipped", lambda: small(GRURegressor, batch_size=50).fit(X, Y)),
        ("clipped", lambda: small(GRURegressor, batch_size=50).partial_fit(X, Y)),
        ("converged yet", lambda: small(GRUClassifier, learning_rate="constant").fit(X, Y)),
        ("read as numbers", lambda: small(GRURegressor).fit(IDS, np.arange(12.0))),
    ],
)
def test_the_line_of_the_call(message, call):
    with pytest.warns(UserWarning, match=message) as record:
        call()
    assert [(w.lineno, w.filename) for w in record] == [(call.__code__.co_firstlineno, __file__)]


def test_a_call_of_a_subclass():
    class Own(GRURegressor):
        def fit(self, X, y):
            return super().fit(X, y)

    with pytest.warns(UserWarning, match="clipped") as record:
        small(Own, batch_size=50).fit(X, Y)
    assert [w.filename for w in record] == [__file__]


def test_in_a_pipeline_it_is_the_pipeline_that_calls():
    pipeline = make_pipeline(FunctionTransformer(), small(GRURegressor, batch_size=50))
    with pytest.warns(UserWarning, match="clipped") as record:
        pipeline.fit(X, Y)
    assert [w.filename for w in record] == [sklearn.pipeline.__file__]


def calls_at_depth(depth, filename):
    """Return a function that calls `warn` from so many frames of a file."""
    functions = {"warn": warn, "message": "said below"}
    lines = ["def f0(*args):", "    warn(message, *args)"]
    for i in range(1, depth):
        lines += [f"def f{i}(*args):", f"    f{i - 1}(*args)"]
    exec(compile("\n".join(lines), str(filename), "exec"), functions)
    return functions[f"f{depth - 1}"]


@pytest.mark.parametrize("depth", [1, 2, 5, 50])
@pytest.mark.parametrize("filename", ["a.py", "_nn/b.py", "_a/_b/c.py"])
def test_any_depth(filename, depth):
    call = calls_at_depth(depth, PACKAGE / filename)
    with pytest.warns(UserWarning, match="said below") as record:
        call()
    line = sys._getframe().f_lineno - 1
    assert [(w.lineno, w.filename) for w in record] == [(line, __file__)]


@pytest.mark.parametrize("filename", ["skgru_addons/a.py", "skgru2.py", "other/skgru/a.py"])
def test_a_file_beside_the_package_is_none_of_it(filename):
    # The caller is the innermost frame that is not the package's.
    call = calls_at_depth(3, PACKAGE.parent / filename)
    with pytest.warns(UserWarning, match="said below") as record:
        call()
    assert [w.filename for w in record] == [str(PACKAGE.parent / filename)]


def test_the_category_is_the_one_that_is_asked_for():
    call = calls_at_depth(2, PACKAGE / "a.py")
    with pytest.warns(ConvergenceWarning, match="said below"):
        call(ConvergenceWarning)
    with pytest.warns(UserWarning, match="said below") as record:
        call()
    assert [w.category for w in record] == [UserWarning]


def test_a_warning_that_is_an_error_is_raised_and_leaves_the_model_as_it_was():
    model = small(GRURegressor, batch_size=50)
    with pytest.raises(UserWarning, match="clipped"):  # pytest turns warnings into errors
        model.fit(X, Y)
    assert not hasattr(model, "n_iter_")
    assert np.isfinite(model.set_params(batch_size=8).fit(X, Y).loss_)
