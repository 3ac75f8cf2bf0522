"""Forecasters come back from files as they were, and files hold nothing but plain values."""

import copy
import json
import pickle

import joblib
import numpy as np
import pandas as pd
import polars as pl
import pytest
import skops.io
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from skgru import GRUForecaster, MultimodalGRURegressor
from skgru._estimator import InconsistentVersionWarning
from skgru._saved import DamagedError
from tests.forecaster.cheap import cheap, days
from tests.processes import run_python
from tests.saving import series
from tests.saving.test_damaged import cut, drop, put, with_value

TRUSTED = ["skgru.forecasting.GRUForecaster"]


def through_pickle(model, file):
    return pickle.loads(pickle.dumps(model))


def through_joblib(model, file):
    joblib.dump(model, file)
    return joblib.load(file, mmap_mode="r")


def through_skops(model, file):
    skops.io.dump(model, file)
    assert skops.io.get_untrusted_types(file=file) == TRUSTED
    return skops.io.load(file, trusted=TRUSTED)


def through_a_copy(model, file):
    return copy.deepcopy(model)


WAYS = [through_pickle, through_joblib, through_skops, through_a_copy]


def assert_same(found, expected):
    """Compare containers: type, labels, names, types of cells, and the values bit for bit."""
    assert type(found) is type(expected)
    if isinstance(expected, list):
        assert len(found) == len(expected)
        for one, other in zip(found, expected, strict=True):
            assert_same(one, other)
    elif isinstance(expected, dict):
        assert list(found) == list(expected)
        assert_same(list(found.values()), list(expected.values()))
    elif isinstance(expected, np.ndarray):
        assert_array_equal(found, expected, strict=True)
    elif isinstance(expected, pd.Series | pd.DataFrame):
        of_kind = "series" if isinstance(expected, pd.Series) else "frame"
        compare = getattr(pd.testing, f"assert_{of_kind}_equal")
        compare(found, expected, check_exact=True, check_freq=True, check_index_type=True)
        assert_same_index(found.index, expected.index)
        if isinstance(expected, pd.DataFrame):
            assert_same_index(found.columns, expected.columns)
        else:
            assert type(found.name) is type(expected.name)
    elif isinstance(expected, pl.Series):
        assert found.equals(expected, check_dtypes=True, check_names=True)
    else:
        assert found.schema == expected.schema if hasattr(expected, "schema") else True
        assert found.equals(expected)


def assert_same_index(found, expected):
    pd.testing.assert_index_equal(found, expected, exact=True, check_names=True)
    assert list(map(type, found)) == list(map(type, expected))
    if hasattr(expected, "tz"):
        assert type(found.tz) is type(expected.tz)
        assert found.unit == expected.unit


@pytest.fixture(scope="module", params=series.FORMS)
def model_and_words(request):
    model, say = series.FORMS[request.param]()
    return model, say, say(model)


def test_a_forecaster_says_the_same(tmp_path, model_and_words):
    model, say, expected = model_and_words
    assert len(expected) > 0
    for way in WAYS:
        again = way(model, tmp_path / way.__name__)
        assert_same(say(again), expected)
        assert list(again.get_params()) == list(model.get_params())
        for name, value in model.get_params().items():
            assert_array_equal(again.get_params()[name], value)
    assert_same(say(model), expected)  # which is not changed by it


def others_than_plain(value):
    """Yield what is no plain value."""
    if isinstance(value, dict | list | tuple):
        if type(value) not in (dict, list, tuple):
            yield type(value)
        for key in value if isinstance(value, dict) else ():
            yield from others_than_plain(key)
        for part in value.values() if isinstance(value, dict) else value:
            yield from others_than_plain(part)
    elif isinstance(value, np.ndarray):
        if value.dtype.kind in "OV":
            yield value.dtype
    elif value is not None and type(value) not in (str, int, float, bool):
        yield type(value)


def test_the_state_is_plain(model_and_words):
    model, _, _ = model_and_words
    state = model.__getstate__()["_state"]
    assert list(others_than_plain(state)) == []


def test_fitted_attributes(model_and_words):
    model, _, _ = model_and_words
    again = pickle.loads(pickle.dumps(model))
    assert vars(again).keys() == vars(model).keys()
    for name in ("window_", "season_", "calendar_", "n_windows_", "weights_"):
        assert getattr(again, name) == getattr(model, name)
    for one, other in zip(again.networks_, model.networks_, strict=True):
        assert isinstance(one, MultimodalGRURegressor)
        assert repr(one) == repr(other)
        assert vars(one).keys() == vars(other).keys()
        X = np.random.default_rng(0).normal(size=(5, other.n_features_in_))
        assert_array_equal(one.predict(X), other.predict(X), strict=True)
    of_networks = [network.regressor_ for network in again._fitted.model.networks]
    assert [one for one in of_networks if one is not None] == again.networks_


def test_copies_and_clones():
    model, say = series.of(series.indexed(series.HOURS))
    same = copy.copy(model)
    assert_same(say(same), say(model))
    with pytest.raises(NotFittedError):
        clone(same).predict()
    refitted = clone(pickle.loads(pickle.dumps(model))).fit(series.indexed(series.HOURS))
    assert_same(say(refitted), say(model))
    unfitted = pickle.loads(pickle.dumps(clone(model)))
    with pytest.raises(NotFittedError):
        unfitted.predict()


def test_many_series_share_their_styles():
    y = series.panel_of([f"shop {i}" for i in range(50)], n=12)
    clocks = cheap(window=3, horizon=1).fit(y).__getstate__()["_state"]["panel"]["clocks"]
    assert len(clocks["styles"]) == len(clocks["steps"]) == 1
    assert len(clocks["firsts"]) == 50


# --- Without the libraries -----------------------------------------------------------------------

LOAD = """
import json, sys
missing, *files = sys.argv[1:]
class Missing:
    def find_spec(self, name, *_):
        if name.partition(".")[0] in missing.split():
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Missing())
import skops.io
said = []
for file in files:
    try:
        model = skops.io.load(file, trusted=["skgru.forecasting.GRUForecaster"])
    except ImportError as error:
        said.append(str(error))
    else:
        said.append(model.predict().tolist())
print(json.dumps(said))
"""


def load_without(libraries, models, folder):
    """Return what each model predicts, or which error it meets, where libraries are lacking."""
    files = [str(folder / str(i)) for i in range(len(models))]
    for model, file in zip(models, files, strict=True):
        skops.io.dump(model, file)
    return json.loads(run_python(LOAD, " ".join(libraries), *files))


@pytest.mark.parametrize(
    ("library", "forms"),
    [
        (
            "pandas",
            (
                "index of days",
                "index of a range",
                "index of text",
                "list of pandas",
                "series without index",
                "long table",
                "entities",
            ),
        ),
        ("polars", ("polars", "long table of polars")),
        ("pyarrow", ("column of Arrow", "long table of Arrow")),
    ],
)
def test_a_library_that_is_lacking_is_named(tmp_path, library, forms):
    said = load_without([library], [series.FORMS[form]()[0] for form in forms], tmp_path)
    assert len(said) == len(forms)
    for written in said:
        assert written.startswith(f"Expected {library}, which the series or the labels were of")
        assert f"pip install {library} installs it" in written


def test_arrays_need_no_other_library(tmp_path):
    model = cheap().fit(series.Y)
    said = load_without(["pandas", "polars", "pyarrow"], [model], tmp_path)
    assert said == [model.predict().tolist()]


# --- What is not plain ---------------------------------------------------------------------------


class Shop(str):
    """A class of the user's own."""


def test_what_cannot_be_said_is_kept_by_a_pickle_and_named_by_skops(tmp_path):
    y = pd.Series(series.Y, days(series.N), name=Shop("corner"))
    model = cheap().fit(y)
    again = through_joblib(model, tmp_path / "model")
    assert_same(again.predict(), model.predict())
    assert type(again.predict().name) is Shop


# --- Damaged states ------------------------------------------------------------------------------


def of_days():
    return cheap().fit(series.indexed(days(series.N)))


@pytest.fixture(scope="module")
def model():
    return of_days()


def ridge(name, change):
    def changed(state):
        members = state["model"]["members"]
        of_ridge = next(member["fitted"] for member in members if "ridge" in member["name"])
        of_ridge[name] = change(of_ridge[name])

    return changed


def network(*path_and_value):
    def changed(state):
        put(*path_and_value)(state["model"]["members"][-1]["fitted"][0])

    return changed


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (drop("model"), "do not make a forecaster (KeyError: 'model')"),
        (drop("panel", "clocks"), "do not make a forecaster"),
        (put("values", "values", cut), "expected 8 rows of the series"),
        (put("values", "lengths", lambda lengths: lengths - 1), "rows of the series"),
        (put("values", "values", lambda values: values[:, :0]), "the values of a series"),
        (put("covariates", "values", lambda values: np.zeros((len(values), 1))), "covariates"),
        (put("units", with_value(0, 0.0)), "units to hold finite numbers above 0"),
        (put("units", with_value(0, np.nan)), "units to hold finite numbers above 0"),
        (put("static", None), "do not make a forecaster"),
        (put("model", "shape", "window", 0), "window to be an int from 1 on"),
        (put("model", "shape", "horizon", 4), "coefficients of a ridge"),
        (put("model", "members", lambda members: members[:-1]), "networks as the last member"),
        (put("model", "members", 0, "weight", np.nan), "weights of the members"),
        (put("model", "members", 0, "weight", -1.0), "weights of the members"),
        (put("model", "members", 0, "name", "seer"), "do not make a forecaster"),
        (put("model", "members", -1, "fitted", []), "at least one network"),
        (put("model", "shift", cut), "shift to be numbers of shape (3,)"),
        (put("model", "effects", np.zeros(2)), "effects to be numbers of shape (0,)"),
        (put("model", "bounds", "known", None), "bounds of known"),
        (put("model", "calibration", "errors", lambda errors: errors[:, 1:]), "errors to be"),
        (ridge("coef_", cut), "means of a ridge's features"),
        (ridge("coef_", with_value(0, np.nan)), "coefficients of a ridge to hold finite"),
        (ridge("scale_", with_value(0, 0.0)), "scales of a ridge's features above 0"),
        (ridge("target_mean_", cut), "means of a ridge's targets"),
        (ridge("feature_limits_", lambda limits: [limit[1:] for limit in limits]), "limits of a"),
        (network("regressor", "_state", "theta", cut), "theta to be numbers of shape"),
        (network("regressor", "_state", "theta", with_value(0, np.nan)), "theta to hold finite"),
        (network("rule", {}), "do not make a forecaster"),
        (put("panel", "form", "kind", "Two"), "do not make a forecaster"),
        (put("panel", "clocks", "steps", 0, "kind", "Leap"), "do not make a forecaster"),
        (put("panel", "clocks", "firsts", []), "do not make a forecaster"),
        (put("columns", {"kind": "eval", "of": "1"}), "do not make a forecaster"),
    ],
)
def test_a_state_that_no_fit_has_left(model, change, reason):
    damaged = copy.deepcopy(model.__getstate__())
    change(damaged["_state"])
    with pytest.raises(DamagedError) as caught:
        GRUForecaster.__new__(GRUForecaster).__setstate__(damaged)
    message = str(caught.value)
    assert reason in message
    assert "The state of this GRUForecaster is not one that version" in message


def test_no_class_but_offsets_is_made_of_an_offset(model):
    state = copy.deepcopy(model.__getstate__())
    offset = {"kind": "pandas.offset", "of": ["BaseOffset.__class__", 1, False, []]}
    state["_state"]["panel"]["clocks"]["steps"] = [{"kind": "Offset", "given": offset}]
    with pytest.raises(DamagedError, match="do not make a forecaster"):
        GRUForecaster.__new__(GRUForecaster).__setstate__(state)


def test_a_fitted_forecaster_without_its_series(model):
    state = model.__getstate__()
    del state["_state"]
    with pytest.raises(DamagedError, match="expected the series of a fitted forecaster, got none"):
        GRUForecaster.__new__(GRUForecaster).__setstate__(state)
    # One form that there has been held the fitted objects themselves.
    with pytest.raises(DamagedError, match="expected the series of a fitted forecaster, got none"):
        GRUForecaster.__new__(GRUForecaster).__setstate__(state | {"_fitted": model._fitted})


def test_a_state_of_another_form_counts_as_not_fitted(model):
    state = model.__getstate__() | {"_skgru_version": "0.1.0", "_fitted": model._fitted}
    del state["_state"]
    loaded = GRUForecaster.__new__(GRUForecaster)
    with pytest.warns(InconsistentVersionWarning, match="from version 0.1.0"):
        loaded.__setstate__(state)
    assert loaded.get_params() == model.get_params()
    with pytest.raises(NotFittedError):
        loaded.predict()
    assert [name for name in vars(loaded) if name.endswith("_")] == []
    assert not hasattr(loaded, "_fitted")
    assert_same(loaded.fit(series.indexed(days(series.N))).predict(), model.predict())
