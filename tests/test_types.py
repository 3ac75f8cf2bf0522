"""The public signatures have types, which are those that parameters are validated by."""

import importlib
import inspect
import os
import re
import subprocess
import sys
import types
from numbers import Integral, Real
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import pytest
from sklearn.metrics import get_scorer_names
from sklearn.utils._param_validation import Interval, Options

import skgru

PACKAGE = Path(skgru.__file__).parent
NEEDS_EXTRA = {"sktime"}  # tests/forecasting
MODULES = ["skgru"] + [
    f"skgru.{path.stem}"
    for path in sorted(PACKAGE.glob("*.py"))
    if not path.stem.startswith("_") and path.stem not in NEEDS_EXTRA
]


def public_objects():
    """Return the public classes and functions of all public modules by their full names."""
    found = {}
    for module in map(importlib.import_module, MODULES):
        own = [
            name
            for name, value in vars(module).items()
            if getattr(value, "__module__", None) == module.__name__ and not name.startswith("_")
        ]
        for name in getattr(module, "__all__", own):
            value = getattr(module, name)
            if inspect.isclass(value) or inspect.isfunction(value):
                found.setdefault(value, f"{module.__name__}.{name}")
    return {name: value for value, name in found.items()}


def functions_of(attribute):
    """Return the functions behind an attribute of a class."""
    if isinstance(attribute, property):
        return [each for each in (attribute.fget, attribute.fset) if each is not None]
    if isinstance(attribute, classmethod | staticmethod):
        return [attribute.__func__]
    if hasattr(attribute, "fn"):  # of available_if
        return [attribute.fn]
    return [attribute] if inspect.isfunction(attribute) else []


def public_functions():
    """Return the public functions and methods that skgru defines, by their full names."""
    found = {}
    for name, value in public_objects().items():
        if inspect.isfunction(value):
            found[name] = value
            continue
        for kind in inspect.getmro(value):
            if not kind.__module__.startswith("skgru."):
                continue
            for key, attribute in vars(kind).items():
                if not key.startswith("_") or key in ("__init__", "__call__"):
                    for i, function in enumerate(functions_of(attribute)):
                        found[f"{kind.__module__}.{kind.__name__}.{key}{'=' * i}"] = function
    return found


FUNCTIONS = public_functions()
EACH_FUNCTION = pytest.mark.parametrize("name", FUNCTIONS)


def test_the_package_says_that_it_has_types():
    assert (PACKAGE / "py.typed").is_file()


def test_the_public_functions_are_found():
    expected = {
        "skgru._classification.NetworkClassifier.partial_fit",  # of available_if
        "skgru._inspection.gate_display.GateDisplay.from_estimator",  # a classmethod
        "skgru._tracking.checkpoint.Checkpoint.__init__",
        "skgru.classifier.GRUClassifier.__init__",
        "skgru.interop.to_onnx",
        "skgru.lags.LagSelector.__call__",
        "skgru.make_windows",
        "skgru.streaming.Stream.state=",  # a setter
    }
    assert expected <= FUNCTIONS.keys()


@EACH_FUNCTION
def test_every_parameter_and_every_result_has_a_type(name):
    signature = inspect.signature(inspect.unwrap(FUNCTIONS[name]))
    without = [
        parameter.name
        for parameter in signature.parameters.values()
        if parameter.annotation is parameter.empty and parameter.name not in ("self", "cls")
    ]
    assert without == []
    assert signature.return_annotation is not signature.empty


@EACH_FUNCTION
def test_the_types_can_be_looked_up_without_optional_libraries(name):
    function = inspect.unwrap(FUNCTIONS[name])
    told = get_type_hints(function)
    assert told.keys() == function.__annotations__.keys()


# --- Against what is validated --------------------------------------------------------------------


def alternatives(hint):
    """Return the types that a type is the union of."""
    is_union = get_origin(hint) in (Union, types.UnionType)
    return [each for part in get_args(hint) for each in alternatives(part)] if is_union else [hint]


def taken_by_type(hint):
    """Return what a type takes: strings, `str` for any, None, bool, int, float. None for all."""
    found = set()
    for each in alternatives(hint):
        if each in (Any, object) or getattr(each, "__name__", "") == "Hashable":
            return None
        if get_origin(each) is Literal:
            found |= set(get_args(each))
        elif each is type(None):
            found.add(None)
        elif each in (str, bool, int, float):
            found.add(each)
    return simplified(found)


def taken_by_constraints(constraints):
    """Return the same of the constraints that scikit-learn validates a parameter by."""
    if constraints == "no_validation":
        return None
    found = set()
    for each in constraints:
        if each is object or getattr(each, "__name__", "") == "Hashable":
            return None
        if isinstance(each, Options) and issubclass(each.type, str):
            # The names of scorers are those of the installed scikit-learn: any text is of the type.
            found |= {str} if each.options >= set(get_scorer_names()) else each.options
        elif isinstance(each, Interval | Options):
            found.add(int if each.type is Integral else float)
        elif each in (Integral, Real):
            found.add(int if each is Integral else float)
        elif each in (str, None):
            found.add(each)
        elif isinstance(each, str):
            of_word = {"boolean": {bool}, "random_state": {int, None}, "verbose": {bool, int}}
            found |= of_word.get(each, {float} if each == "nan" else set())
    return simplified(found)


def simplified(found):
    """Return what is taken without what is taken with it: a float may be an int."""
    found = {each for each in found if not isinstance(each, str)} if str in found else found
    return found - {int} if float in found else found


def validated():
    """Yield each parameter that is validated: name, type and constraints."""
    for name, value in public_objects().items():
        is_class = inspect.isclass(value)
        key = "_parameter_constraints" if is_class else "_skl_parameter_constraints"
        constraints = getattr(value, key, {})
        # (A base of classes has no constructor.)
        has_own = not is_class or (constraints and "__init__" in vars(value))
        function = inspect.unwrap(value.__init__ if is_class else value)
        for parameter, hint in get_type_hints(function).items() if has_own else ():
            if parameter in constraints:
                yield pytest.param(hint, constraints[parameter], id=f"{name}-{parameter}")


VALIDATED = list(validated())


@pytest.mark.parametrize(("hint", "constraints"), VALIDATED)
def test_a_type_takes_what_is_valid(hint, constraints):
    by_type, by_constraints = taken_by_type(hint), taken_by_constraints(constraints)
    if by_type is not None and by_constraints is not None:
        assert by_type == by_constraints


def test_the_parameters_that_are_validated_are_found():
    ids = {parameters.id for parameters in VALIDATED}
    told = {
        f"skgru.{name}-{parameter}"
        for name in ("GRUClassifier", "GRUForecaster", "SequenceVectorizer", "TableBranch")
        for parameter in inspect.signature(getattr(skgru, name)).parameters
    }
    assert told <= ids
    assert {"skgru.make_windows-window", "skgru.metrics.entity_f1_score-average"} <= ids


# --- In the eyes of a type checker ----------------------------------------------------------------

# Lines that end with "# wrong" are errors, the others none.
SCRIPT = """
from typing import Any, assert_type

import numpy as np
from numpy.typing import NDArray

from skgru import (
    GRUClassifier, GRUForecaster, GRURegressor, MultimodalGRUClassifier, SequenceVectorizer,
    SeriesBranch, TableBranch, TokenBranch, backtest, make_windows, summary,
)
from skgru.inspection import GateDisplay, permutation_importance
from skgru.metrics import entity_f1_score, entity_report

X = [np.zeros((3, 2)), np.ones((5, 2))]
y = ["a", "b"]
clf = GRUClassifier(
    (32, 16), cell=("gru", "lstm"), pooling=["last", "mean"], early_stopping="auto",
    n_iter_no_change=np.inf, class_weight={"a": 2.0, "b": 1.0}, random_state=0, crf="strict",
)
assert_type(clf.fit(X, y).partial_fit(X, y), GRUClassifier)
assert_type(clf.predict(X), NDArray[Any])
assert_type(clf.score(X, y), float)
assert_type(clf.parameters_, dict[str, NDArray[Any]])
clf.stream(2, method="predict_proba").step([[0.0, 1.0], [1.0, 0.0]])
reg = GRURegressor(hidden_layer_sizes=np.array([8]), quantiles=[0.1, 0.9], loss="quantile")
assert_type(reg.fit(X, [1, 2]).predict(X), NDArray[Any])
mean, std = reg.predict(X, return_std=True)
assert_type(std, NDArray[Any])
both = MultimodalGRUClassifier(
    [("series", SeriesBranch(), [0]), ("text", TokenBranch(), 1), ("rest", "drop", [2])],
    remainder=TableBranch(scaling=None),
)
assert_type(both.set_params(alpha=0.0), MultimodalGRUClassifier)
result = backtest(GRUForecaster(24, target="sales", season=None), [1.0, 2.0], refit=3)
result.errors_by("series", "step")
inputs, targets = make_windows([1.0, 2.0, 3.0], 2)
assert_type(inputs, NDArray[Any])
assert_type(entity_f1_score([["B"]], [["B"]]), float)
assert_type(entity_report([["B"]], [["B"]], output_dict=True), dict[str, Any])
assert_type(GateDisplay.from_estimator(clf, X).plot(), GateDisplay)
SequenceVectorizer(analyzer=str.split, vocabulary=["a"], dtype=np.int64)
assert_type(summary(clf).n_parameters, int)

GRUClassifier(cell="gruu")  # wrong
GRUClassifier(cell=("gru", "gruu"))  # wrong
GRUClassifier(pooling="average")  # wrong
GRUClassifier(lr=0.1)  # wrong
GRUClassifier(alpha="0.1")  # wrong
GRURegressor(loss="mse")  # wrong
GRUForecaster(bidirectional="auto")  # wrong
TableBranch(scaling="sequence")  # wrong
SequenceVectorizer(truncating="left")  # wrong
clf.fit(X)  # wrong
clf.stream(method="score")  # wrong
clf.score(X, y).upper()  # wrong
entity_f1_score([["B"]], [["B"]], scheme="IOB")  # wrong
permutation_importance(clf, X, y, of="feature")  # wrong
result.errors_by("model")  # wrong
"""


def test_a_type_checker_tells_right_from_wrong(tmp_path):
    pytest.importorskip("mypy")
    (tmp_path / "script.py").write_text(SCRIPT, encoding="utf-8")
    (tmp_path / "mypy.ini").write_text("[mypy]\nstrict = True\nfollow_imports = silent\n")
    found = subprocess.run(
        [sys.executable, "-m", "mypy", "script.py"],
        cwd=tmp_path,
        env=os.environ | {"MYPYPATH": str(PACKAGE.parent)},
        capture_output=True,
        text=True,
    )
    errors = re.findall(r"^script\.py:(\d+): error:", found.stdout, flags=re.MULTILINE)
    lines = enumerate(SCRIPT.splitlines(), 1)
    wrong = [number for number, line in lines if line.endswith("# wrong")]
    assert sorted(set(map(int, errors))) == wrong, found.stdout + found.stderr
