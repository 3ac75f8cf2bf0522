"""A model tells which version of skgru has saved it, and loading it with another one warns."""

import copy
import io
import pickle
import warnings

import joblib
import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn.base import clone
from sklearn.exceptions import InconsistentVersionWarning
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import skgru
from skgru import GRUClassifier, GRURegressor, PerTimestep, SequenceAligner, SequenceVectorizer
from tests.datasets import output, ragged, small


class Thrifty(GRUClassifier):
    """A subclass of a user's, which keeps a state of its own."""

    def __getstate__(self):
        return {"mine": super().__getstate__()}

    def __setstate__(self, state):
        super().__setstate__(state["mine"])


class Bare(GRUClassifier):
    """Another one, which does not ask its base."""

    def __getstate__(self):
        return vars(self).copy()

    def __setstate__(self, state):
        vars(self).update(state)


def fitted():
    X, y = ragged()
    events = {"sample": [0, 0, 1], "time": [0, 1, 0], "channel": ["a"] * 3, "value": [1, 2, 3]}
    return [
        small(GRUClassifier).fit(X, y),
        small(GRURegressor).fit(X, y),
        small(Thrifty).fit(X, y),
        PerTimestep(StandardScaler()).fit(X),
        SequenceVectorizer().fit(["some words", "and others"]),
        SequenceAligner().fit(pd.DataFrame(events)),
        make_pipeline(PerTimestep(StandardScaler()), small(GRUClassifier)).fit(X, y),
    ]


def id_of(model):
    return type(model).__name__


def through_pickle(model):
    data = pickle.dumps(model)
    return lambda: pickle.loads(data)


def through_joblib(model):
    file = io.BytesIO()
    joblib.dump(model, file)

    def load():
        file.seek(0)
        return joblib.load(file)

    return load


def through_skops(model):
    data = skops.io.dumps(model)
    untrusted = skops.io.get_untrusted_types(data=data)
    return lambda: skops.io.loads(data, trusted=untrusted)


WAYS = [through_pickle, through_joblib, through_skops]


@pytest.mark.parametrize("save", WAYS)
@pytest.mark.parametrize("model", fitted(), ids=id_of)
def test_another_version_warns(model, save, monkeypatch):
    monkeypatch.setattr("skgru._estimator.__version__", "7.8.9")
    load = save(model)
    monkeypatch.undo()
    with pytest.warns(InconsistentVersionWarning) as caught:
        load()
    for warning in caught:
        assert warning.message.original_skgru_version == "7.8.9"
        assert warning.message.current_skgru_version == skgru.__version__
        assert f"version 7.8.9 of skgru when using version {skgru.__version__}" in str(
            warning.message
        )
    names = [warning.message.estimator_name for warning in caught]
    expected = [type(model)] if id_of(model) != "Pipeline" else [PerTimestep, GRUClassifier]
    assert sorted(names) == sorted(cls.__name__ for cls in expected)


@pytest.mark.parametrize("save", WAYS)
@pytest.mark.parametrize("model", fitted(), ids=id_of)
def test_the_same_version_says_nothing(model, save):
    loaded = save(model)()
    assert list(vars(loaded)) == list(vars(model))


def test_what_is_saved_names_the_version_and_skops_needs_no_new_types():
    X, y = ragged()
    model = small(GRUClassifier).fit(X, y)
    assert model.__getstate__()["_skgru_version"] == skgru.__version__
    assert "_skgru_version" not in vars(model)
    assert b"_skgru_version" in pickle.dumps(model)
    untrusted = skops.io.get_untrusted_types(data=skops.io.dumps(model))
    assert untrusted == ["skgru.classifier.GRUClassifier"]


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, clone])
@pytest.mark.parametrize("model", fitted(), ids=id_of)
def test_copies_are_of_this_version(model, copied, monkeypatch):
    monkeypatch.setattr("skgru._estimator.__version__", "7.8.9")
    assert not hasattr(copied(model), "_skgru_version")


def test_a_model_without_a_version_is_loaded(monkeypatch):
    X, y = ragged()
    model = small(Bare).fit(X, y)
    data = pickle.dumps(model)
    monkeypatch.setattr("skgru._estimator.__version__", "7.8.9")
    np.testing.assert_array_equal(output(pickle.loads(data), X), output(model, X))


def test_a_warning_that_is_an_error_stops_the_loading(monkeypatch):
    monkeypatch.setattr("skgru._estimator.__version__", "7.8.9")
    data = pickle.dumps(GRUClassifier())
    monkeypatch.undo()
    with warnings.catch_warnings():
        warnings.simplefilter("error", InconsistentVersionWarning)
        with pytest.raises(InconsistentVersionWarning, match=r"GRUClassifier from version 7.8.9"):
            pickle.loads(data)
