"""Damaged files are refused, with what is wrong of them: no model of them predicts."""

import copy
import pickle
import zipfile
import zlib

import joblib
import numpy as np
import pytest
import skops.io
from numpy.testing import assert_array_equal

import skgru
from skgru import GRUClassifier, GRURegressor
from skgru._saved import DamagedError
from tests.datasets import ragged, rectangle, small, token_sequences
from tests.multimodal import samples
from tests.saving import forms


def classifier(**parameters):
    X, y = ragged(n_features=2)
    return small(GRUClassifier, **parameters).fit(X, np.array(["no", "yes"])[y])


# The state


def with_state(model, change):
    """Return the pickle of a model whose state has been changed."""
    changed = copy.deepcopy(model)
    change(changed._state)
    return pickle.dumps(changed)


def put(*path_and_value):
    """Return a change of a state: the value at a path, or what a function makes of it."""
    *path, name, value = path_and_value

    def change(state):
        for key in path:
            state = state[key]
        state[name] = value(state[name]) if callable(value) else value

    return change


def drop(*path):
    *first, name = path

    def change(state):
        for key in first:
            state = state[key]
        del state[name]

    return change


def with_value(index, value):
    """Return a function that sets one number of an array."""

    def change(array):
        array = array.copy()
        array.reshape(-1)[index] = value
        return array

    return change


def cut(array):
    return array[:-1]


OF_NUMBERS = [
    (drop("theta"), "none of theta"),
    (drop("inputs"), "none of inputs"),
    (drop("loss"), "none of loss"),
    (drop("optimizers"), "none of optimizers"),
    (put("theta", cut), "theta to be numbers of shape"),
    (put("theta", lambda theta: theta[:, None]), "theta to be numbers of shape"),
    (put("theta", lambda theta: np.append(theta, 0)), "theta to be numbers of shape"),
    (put("theta", lambda theta: theta.astype(int)), "of single or double precision"),
    (put("theta", lambda theta: theta.tolist()), "of single or double precision"),
    (put("theta", None), "of single or double precision, got None"),
    (put("theta", with_value(3, np.nan)), "theta to hold finite numbers, got nan"),
    (put("theta", with_value(-1, np.inf)), "theta to hold finite numbers, got inf"),
    (put("inputs", {}), "do not make a model"),
    (put("inputs", "", "kind", "pictures"), "do not make a model"),
    (drop("inputs", "", "center"), "center to be numbers"),
    (put("inputs", "", "colour", 1), "do not make a model"),
    (put("inputs", "", "n_features", 3), "to be numbers of shape (3,)"),
    (put("inputs", "", "n_features", None), "n_features to be an int"),
    (put("inputs", "", "center", cut), "center to be numbers of shape (2,)"),
    (put("inputs", "", "center", with_value(0, np.nan)), "known of the same features"),
    (put("inputs", "", "scale", with_value(0, np.nan)), "known of the same features"),
    (put("inputs", "", "scale", with_value(0, 0.0)), "scale to be above 0"),
    (put("inputs", "", "scale", with_value(0, -1.0)), "scale to be above 0"),
    (put("inputs", "", "fill", with_value(1, np.nan)), "known of the same features"),
    (put("inputs", "", "fill", with_value(1, np.inf)), "fill to be finite"),
    (put("inputs", "", "gap_scale", with_value(0, 0.0)), "finite numbers above 0"),
    (put("inputs", "", "gap_scale", None), "gap_scale to be numbers"),
    (put("inputs", "", "stamps", 2), "stamps to be one of 2 features"),
    (put("inputs", "", "patch_size", 0), "patch_size to be an int from 1 on"),
    (put("encoders", "", "hidden_layer_sizes", (5,)), "theta to be numbers of shape"),
    (put("encoders", "", "cells", ("gru2",)), "do not make a model"),
    (put("encoders", "", "pooling", lambda pooling: "median"), "do not make a model"),
    (drop("encoders", ""), "do not make a model"),
    (put("loss", "name", "hinge"), "do not make a model"),
    (put("loss", "learned", "classes", lambda classes: classes[::-1]), "classes to be different"),
    (put("loss", "learned", "classes", cut), "at least 2 classes"),
    (put("loss", "learned", "classes", None), "do not make a model"),
    (put("loss", "learned", "classes", np.array(["a", "b", "c"])), "theta to be numbers of shape"),
    (put("bag", 3), "do not make a model"),
]


@pytest.mark.parametrize(("change", "reason"), OF_NUMBERS)
def test_a_state_that_no_fit_has_left(change, reason):
    damaged = with_state(classifier(), change)
    with pytest.raises(DamagedError) as caught:
        pickle.loads(damaged)
    message = str(caught.value)
    assert reason in message
    assert "The state of this GRUClassifier is not one that version" in message
    assert "load another copy of it, or fit the estimator anew" in message


def of_numbers(**parameters):
    X, _ = ragged(n_features=2)
    return small(GRURegressor, **parameters).fit(X, [x.sum() for x in X])


def of_tokens():
    X, y = token_sequences()
    return small(GRUClassifier, embedding_dim=3).fit(X, y)


def of_a_bag():
    model, _ = forms.bag()
    return model[-1]


def of_convolutions():
    X, y = rectangle(n_steps=12)
    return small(GRUClassifier, n_convolutions=84).fit(X, y)


def of_branches():
    return samples.classifier().fit(*samples.frame())


def own_scale():
    model, _ = forms.own_scale()
    return model


def partly_fitted():
    X, y = ragged()
    return small(GRUClassifier).partial_fit(X, y, classes=[0, 1])


@pytest.mark.parametrize(
    ("make", "change", "reason"),
    [
        (of_numbers, put("loss", "learned", "mean", with_value(0, np.nan)), "the mean of y"),
        (of_numbers, put("loss", "learned", "scale", with_value(0, 0.0)), "the scale of y"),
        (of_numbers, put("loss", "learned", "scale", cut), "the scale of y"),
        (of_numbers, put("loss", "learned", "mean", None), "the mean of y"),
        (of_numbers, put("inputs", "", "measure", np.ones((3, 2))), "no measure"),
        (own_scale, put("inputs", "", "measure", None), "measure to be numbers"),
        (own_scale, put("inputs", "", "measure", with_value(0, np.nan)), "measure to be known"),
        (of_tokens, put("inputs", "", "token_ids", lambda ids: ids[::-1]), "values in order"),
        (of_tokens, put("inputs", "", "token_ids", lambda ids: ids[1:]), "begin with the unknown"),
        (of_tokens, put("inputs", "", "token_ids", lambda ids: ids * 1.5), "to be integers"),
        (of_tokens, put("inputs", "", "token_ids", cut), "theta to be numbers of shape"),
        (of_tokens, put("inputs", "", "embedding_dim", 0), "embedding_dim to be an int"),
        (of_a_bag, put("bag", "weights", cut), "weights of the bag"),
        (of_a_bag, put("bag", "weights", with_value(0, np.nan)), "weights of the bag"),
        (of_a_bag, put("bag", "bias", with_value(0, np.inf)), "bias of the bag"),
        (of_a_bag, put("bag", "shares", (1.0,)), "shares"),
        (of_a_bag, put("bag", "firmness", with_value(0, 0.0)), "firmness of the bag"),
        (of_a_bag, put("bag", "tokens", "", "idf", cut), "idf to be numbers"),
        (of_a_bag, put("bag", "tokens", "", "pairs", lambda pairs: pairs + 10**6), "pairs of"),
        (of_a_bag, put("bag", "tokens", "", "token_ids", lambda ids: ids[::-1]), "in order"),
        (of_a_bag, put("bag", "tokens", lambda tokens: {"other": tokens[""]}), "of an input"),
        (of_convolutions, drop("inputs", ""), "do not make a model"),
        (partly_fitted, put("optimizers", "adam", "m", cut), "of the optimizer"),
        (partly_fitted, put("optimizers", "adam", "v", with_value(0, np.nan)), "finite numbers"),
        (partly_fitted, put("optimizers", "adam", {}), "arrays in the state"),
        (of_branches, put("inputs", "patient", "fill", cut), "fill to be numbers"),
        (of_branches, put("inputs", "patient", "categories", ()), "categories of 1 columns"),
        (of_branches, put("inputs", "patient", "kinds", ("number", "colour")), "kinds of 2"),
        (of_branches, put("inputs", "patient", "may_miss", None), "may_miss"),
        (of_branches, drop("inputs", "monitor"), "do not make a model"),
        (of_branches, put("fusion", "hidden_layer_sizes", (9,)), "theta to be numbers of shape"),
    ],
)
def test_a_state_of_another_input_or_loss(make, change, reason):
    damaged = with_state(make(), change)
    with pytest.raises(DamagedError) as caught:
        pickle.loads(damaged)
    assert reason in str(caught.value)


def test_a_training_that_cannot_go_on(tmp_path):
    model, state = classifier(), None
    state = model._state
    size = state["theta"].size
    adam = {"m": np.zeros(size, "f4"), "v": np.zeros(size, "f4"), "t": np.zeros((), np.int64)}
    progress = {"theta": state["theta"], "optimizers": [adam], "best": None}
    for name, value, reason in [
        ("best", np.zeros(size - 1, "f4"), "theta of the best epoch"),
        ("theta", np.full(size, np.nan, "f4"), "theta of the training"),
        ("optimizers", [adam, adam], f"an optimizer of {size} parameters"),
    ]:
        damaged = with_state(model, put("progress", progress | {name: value}))
        with pytest.raises(DamagedError, match=reason):
            pickle.loads(damaged)
    pickle.loads(with_state(model, put("progress", progress)))  # nothing else is wrong of it


def test_parameters_that_are_missing():
    model = classifier()
    del model.alpha, model.cell
    with pytest.raises(DamagedError, match="expected all parameters, got no alpha, cell"):
        pickle.loads(pickle.dumps(model))
    per_step, _ = forms.per_timestep()
    del per_step.transformer
    with pytest.raises(DamagedError, match="got no transformer"):
        pickle.loads(pickle.dumps(per_step))


def test_parameters_that_another_version_had_not(monkeypatch):
    model = classifier(alpha=0.5)
    X, _ = ragged(n_features=2)
    del model.cell
    monkeypatch.setattr("skgru._estimator.__version__", "0.0.1")
    data = pickle.dumps(model)
    monkeypatch.undo()
    with pytest.warns(skgru._estimator.InconsistentVersionWarning):
        loaded = pickle.loads(data)
    assert (loaded.alpha, loaded.cell) == (0.5, "gru")
    assert_array_equal(loaded.predict_proba(X), model.predict_proba(X))


def test_a_fitted_estimator_without_its_model():
    model = classifier()
    del model._state
    with pytest.raises(DamagedError, match="expected the model of a fitted estimator, got none"):
        pickle.loads(pickle.dumps(model))


# Files


def dump_pickle(model, file):
    file.write_bytes(pickle.dumps(model))


def dump_compressed(model, file):
    joblib.dump(model, file, compress=3)


def load_pickle(file):
    return pickle.loads(file.read_bytes())


def load_skops(file):
    return skops.io.load(file, trusted=["skgru.classifier.GRUClassifier"])


FILES = {
    "pickle": (dump_pickle, load_pickle),
    "joblib": (joblib.dump, joblib.load),
    "compressed joblib": (dump_compressed, joblib.load),
    "skops": (skops.io.dump, load_skops),
}


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.99])
@pytest.mark.parametrize("kind", FILES)
def test_a_file_that_ends_early(tmp_path, kind, share):
    dump, load = FILES[kind]
    file = tmp_path / "model"
    dump(classifier(), file)
    content = file.read_bytes()
    load(file)
    file.write_bytes(content[: int(share * len(content))])
    # (The last is what joblib raises of a file that ends within the last bytes of its pickle.)
    errors = EOFError, OSError, ValueError, pickle.UnpicklingError, zipfile.BadZipFile, IndexError
    with pytest.raises(errors):
        load(file)


def flipped(content, place, bit):
    changed = bytearray(content)
    changed[place] ^= 1 << bit
    return bytes(changed)


def members_of(file):
    """Return where the bytes of each member of an archive lie."""
    with zipfile.ZipFile(file) as archive:
        for info in archive.infolist():
            start = info.header_offset + 30 + len(info.filename.encode()) + len(info.extra)
            yield start, info.compress_size


def test_no_flipped_bit_of_a_skops_file_is_read(tmp_path):
    file, model = tmp_path / "model.skops", classifier()
    skops.io.dump(model, file)
    content, rng = file.read_bytes(), np.random.default_rng(0)
    inside = np.concatenate([np.arange(start, start + size) for start, size in members_of(file)])
    for place in rng.choice(inside, 60):
        file.write_bytes(flipped(content, place, rng.integers(8)))
        with pytest.raises((zipfile.BadZipFile, zlib.error)):
            load_skops(file)
    # What is between the members, such as dates, is no part of the model, or names its parts.
    n_refused = 0
    for place in rng.choice(np.setdiff1d(np.arange(len(content)), inside), 60):
        file.write_bytes(flipped(content, place, rng.integers(8)))
        try:
            loaded = load_skops(file)
        except Exception:
            n_refused += 1
        else:
            assert pickle.dumps(loaded.__getstate__()) == pickle.dumps(model.__getstate__())
    assert n_refused > 10


@pytest.mark.parametrize("kind", ["pickle", "joblib"])
def test_a_flipped_bit_of_a_number_is_not_seen_by_pickle(tmp_path, kind):
    dump, load = FILES[kind]
    file, model = tmp_path / "model", classifier()
    dump(model, file)
    content, theta = file.read_bytes(), model._state["theta"]
    start = content.index(theta.tobytes())
    file.write_bytes(flipped(content, start, 0))  # the least bit of the first number
    changed = load(file)._state["theta"]
    assert (changed != theta).sum() == 1  # as docs/deployment.md says: compare a checksum
    # One that makes NaN or infinity of it is.
    exponent = bytearray(content)
    exponent[start + 2 : start + 4] = b"\x80\x7f"
    file.write_bytes(bytes(exponent))
    with pytest.raises(DamagedError, match="theta to hold finite numbers"):
        load(file)
