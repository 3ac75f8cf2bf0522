"""Every form of X that is read gives the same model, and is left alone."""

import copy
import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest
from numpy.testing import assert_array_equal
from sklearn.utils import get_tags

from skgru import GRUClassifier
from tests.containers import OUTER, assert_reads, lists, objects, pa
from tests.datasets import (
    ESTIMATORS,
    NAMED_FRAMES,
    assert_same_model,
    output,
    pad,
    ragged,
    rectangle,
    small,
    token_sequences,
)
from tests.forms_of_x import (
    RAGGED_FORMS,
    RAGGED_UNIVARIATE_FORMS,
    in_form,
    pandas_of_arrays,
    polars_of_lists,
    wide,
)


@pytest.mark.parametrize("form", RAGGED_FORMS)
@pytest.mark.parametrize("n_features", [1, 3])
@pytest.mark.parametrize("estimator_class", ESTIMATORS)
def test_ragged_forms_give_bit_equal_models(estimator_class, n_features, form):
    X, y = ragged(n_features=n_features)
    reference = small(estimator_class).fit(X, y)
    same_X = in_form(RAGGED_FORMS, form, X)
    same = small(estimator_class).fit(same_X, y)
    assert_same_model(same, reference)
    assert_array_equal(output(same, same_X), output(reference, X))


@pytest.mark.parametrize("form", RAGGED_UNIVARIATE_FORMS)
def test_ragged_forms_of_one_feature_give_bit_equal_models(form):
    X, y = ragged()
    reference = small(GRUClassifier).fit(X, y)
    same_X = in_form(RAGGED_UNIVARIATE_FORMS, form, X)
    same = small(GRUClassifier).fit(same_X, y)
    assert_same_model(same, reference)
    assert_array_equal(output(same, same_X), output(reference, X))


# Tokens

TOKEN_FORMS = {
    "list of arrays": list,
    "lists": lists,
    "tuple of tuples": lambda s: tuple(map(tuple, lists(s))),
    "list of (T, 1) arrays": lambda s: [x[:, None] for x in s],
    "list of uint8 arrays": lambda s: [x.astype("uint8") for x in s],
    "list of whole floats": lambda s: [x.astype(float) for x in s],
    "object array": objects,
    "pandas Series": lambda s: pd.Series(objects(s)),
    "polars Series": lambda s: pl.Series(lists(s)),
    "pandas frame of arrays": lambda s: pd.DataFrame({"ids": objects(s)}),
    "polars frame of lists": lambda s: pl.DataFrame({"ids": lists(s)}),
    "zeros behind": lambda s: pad(s, 9, 0),
    "zeros in front": lambda s: pad([x[::-1] for x in s], 9, 0)[:, ::-1],
    "zeros at both ends": lambda s: np.pad(pad(s, 7, 0), ((0, 0), (2, 0))),
    "lists with zeros behind": lambda s: pad(s, 9, 0).tolist(),
    "ragged with a zero at each end": lambda s: [np.array([0, *x, 0]) for x in s],
    "int8 matrix": lambda s: pad(s, 9, 0).astype("int8"),
    "float32 matrix": lambda s: pad(s, 9, 0).astype("float32"),
    "Fortran-ordered matrix": lambda s: np.asfortranarray(pad(s, 9, 0)),
    "object matrix": lambda s: pad(s, 9, 0).astype(object),
    "NaN behind": lambda s: pad(s, 9, np.nan),
    "zeros, then NaN behind": lambda s: pad([np.array([*x, 0, 0]) for x in s], 11, np.nan),
    "3-D array": lambda s: pad(s, 9, 0)[:, :, None],
    "pandas frame": lambda s: pd.DataFrame(pad(s, 9, 0)),
    "polars frame": lambda s: pl.DataFrame(pad(s, 9, 0), orient="row"),
}


@pytest.mark.parametrize("form", TOKEN_FORMS)
def test_token_forms_give_bit_equal_models(form):
    X, y = token_sequences()
    reference = small(GRUClassifier, embedding_dim=3).fit(X, y)
    same_X = in_form(TOKEN_FORMS, form, X)
    same = small(GRUClassifier, embedding_dim=3).fit(same_X, y)
    assert_same_model(same, reference)
    assert_array_equal(same.token_ids_, [1, 2, 3, 4, 5, 6, 7])
    assert_array_equal(output(same, same_X), output(reference, X))


# X is left as it is


@pytest.mark.parametrize("estimator_class", ESTIMATORS)
@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda: rectangle()[0][:, :, 0], id="2-D"),
        pytest.param(lambda: rectangle()[0], id="3-D"),
        pytest.param(lambda: pad(ragged()[0], 9, np.nan), id="NaN-padded"),
        pytest.param(lambda: rectangle()[0].astype("float32"), id="float32"),
    ],
)
def test_x_is_never_modified_and_may_be_read_only(estimator_class, make):
    X, y = make(), rectangle()[1]
    X.flags.writeable = y.flags.writeable = False
    weights = np.ones(len(X))
    weights.flags.writeable = False
    before = X.copy()
    model = small(estimator_class, max_iter=1).fit(X, y, weights, X_val=X, y_val=y)
    output(model.set_params(learning_rate="constant").partial_fit(X, y, weights), X)
    model.score(X, y)
    assert_array_equal(X, before)


@pytest.mark.parametrize("parameters", [{}, {"embedding_dim": 2}], ids=["numbers", "tokens"])
def test_the_sequences_of_a_list_are_never_modified(parameters):
    X, y = token_sequences() if parameters else ragged()
    before = copy.deepcopy(X)
    output(small(GRUClassifier, **parameters).fit(X, y), X)
    for x, x_before in zip(X, before, strict=True):
        assert_array_equal(x, x_before, strict=True)


@pytest.mark.parametrize("n_dimensions", [2, 3])
def test_memory_mapped_x(tmp_path, n_dimensions):
    X, y = rectangle()
    X = X[:, :, 0] if n_dimensions == 2 else X
    np.save(tmp_path / "X.npy", X)
    mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
    model = small(GRUClassifier).fit(mapped, y)
    assert_same_model(model, small(GRUClassifier).fit(X, y))
    assert_array_equal(output(model, mapped), output(model, X))


# Features: their number and their names


@pytest.mark.parametrize("library", NAMED_FRAMES.values(), ids=NAMED_FRAMES)
@pytest.mark.parametrize("estimator_class", ESTIMATORS)
def test_feature_names_of_a_wide_frame(estimator_class, library):
    X, y = rectangle()
    frame = wide(X, library)
    model = small(estimator_class).fit(frame, y)
    assert_array_equal(model.feature_names_in_, np.array(["c0", "c1", "c2", "c3", "c4"], object))
    assert model.n_features_in_ == 5
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        output(model, frame)
    with pytest.warns(UserWarning, match="X does not have valid feature names, but"):
        output(model, X[:, :, 0])
    with pytest.raises(ValueError, match="feature names should match those that were passed"):
        output(model, frame[["c1", "c0", "c2", "c3", "c4"]])
    model.fit(X[:, :, 0], y)
    assert not hasattr(model, "feature_names_in_")
    with pytest.warns(UserWarning, match="X has feature names, but"):
        output(model, frame)


@pytest.mark.parametrize("library", NAMED_FRAMES)
def test_feature_names_of_a_frame_of_sequences(library):
    frame_of = {"pandas": pandas_of_arrays, "polars": polars_of_lists}[library]
    X, y = ragged(n_features=2)
    model = small(GRUClassifier).fit(frame_of(X), y)
    assert_array_equal(model.feature_names_in_, np.array(["f0", "f1"], object))
    assert model.n_features_in_ == 2
    with pytest.raises(ValueError, match="feature names should match those that were passed"):
        model.predict(frame_of(X)[["f1", "f0"]])


@pytest.mark.parametrize("estimator_class", ESTIMATORS)
def test_three_dimensions_are_announced(estimator_class):
    assert get_tags(estimator_class()).input_tags.three_d_array


def swap(frame):
    return frame[["b", "a"]] if not hasattr(frame, "select") else frame.select(["b", "a"])


def rename(frame):
    if hasattr(frame, "rename_columns"):
        return frame.rename_columns(["a", "c"])
    renaming = {"b": "c"}
    return frame.rename(columns=renaming) if hasattr(frame, "iloc") else frame.rename(renaming)


LIBRARIES = dict(NAMED_FRAMES)
LIBRARIES["pyarrow"] = pa


def of_frames(X, library):
    make = library.table if library is pa else library.DataFrame
    return [make({"a": x[:, 0], "b": x[:, 1]}) for x in X]


def nested(X, library):
    make = library.table if library is pa else library.DataFrame
    return make({name: [x[:, j].tolist() for x in X] for j, name in enumerate("ab")})


@pytest.mark.parametrize("spoil", [swap, rename])
@pytest.mark.parametrize("outer", [*OUTER, "nested"])
@pytest.mark.parametrize("library", LIBRARIES)
def test_frames_are_read_by_name(library, outer, spoil):
    X, y = ragged(6, n_features=2, shortest=2)
    library = LIBRARIES[library]
    if outer == "nested":
        good = nested(X, library)
        bad = spoil(good)
    else:
        good = OUTER[outer](of_frames(X, library))
        bad = OUTER[outer]([spoil(frame) for frame in of_frames(X, library)])
    make = {"max_iter": 1}
    model = small(GRUClassifier, **make).fit(good, y)
    assert_array_equal(model.feature_names_in_, np.array(["a", "b"], object))
    plain = small(GRUClassifier, **make).fit(X, y)
    assert_same_model(model, plain)
    assert_array_equal(model.predict_proba(good), plain.predict_proba(X))
    timed = small(GRUClassifier, time_feature="b", **make)
    assert_reads(good, X, time_feature=1)
    for enter in (
        lambda: model.predict(bad),
        lambda: model.predict_proba(bad),
        lambda: model.score(bad, y),
        lambda: model.transform(bad),
        lambda: model.transform_steps(bad),
        lambda: copy.deepcopy(model).set_params(learning_rate="constant").partial_fit(bad, y),
        lambda: small(GRUClassifier, **make).fit(good, y, X_val=bad, y_val=y),
    ):
        with pytest.raises(ValueError, match="feature names should match those that were passed"):
            enter()
    if spoil is rename:
        with pytest.raises(ValueError, match="Expected a column time_feature='b'"):
            timed.fit(bad, y)
    if outer == "nested":
        return
    mixed = OUTER[outer]([*list(good)[:3], *list(bad)[3:]])
    with pytest.raises(ValueError, match=r"same columns in the same order: .*sequence 3 has"):
        small(GRUClassifier).fit(mixed, y)
    with pytest.raises(ValueError, match=r"same columns in the same order: .*sequence 3 has"):
        model.predict(mixed)
    nameless = OUTER[outer]([*list(good)[:3], *X[3:]])
    with pytest.raises(TypeError, match="sequence 3: its features have no names"):
        small(GRUClassifier).fit(nameless, y)


@pytest.mark.parametrize("outer", OUTER)
@pytest.mark.parametrize("library", LIBRARIES)
def test_the_time_feature_is_found_by_its_name(library, outer):
    X, y = ragged(6, n_features=2, shortest=2)
    for x in X:
        x[:, 1] = np.arange(len(x)) ** 2
    frames = OUTER[outer](of_frames(X, LIBRARIES[library]))
    model = small(GRUClassifier, time_feature="b").fit(frames, y)
    assert_same_model(model, small(GRUClassifier, time_feature=1).fit(X, y))
    front = OUTER[outer]([swap(frame) for frame in of_frames(X, LIBRARIES[library])])
    other = small(GRUClassifier, time_feature="b").fit(front, y)
    assert_same_model(other, small(GRUClassifier, time_feature=0).fit([x[:, ::-1] for x in X], y))
