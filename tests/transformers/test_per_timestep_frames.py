"""PerTimestep: types of the output, DataFrames, categories, and targets at every step."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.compose import ColumnTransformer, make_column_selector
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    OneHotEncoder,
    StandardScaler,
)

from skgru import GRUClassifier
from skgru.per_timestep import PerTimestep
from tests.datasets import NAMED_FRAMES, ragged, rectangle
from tests.transformers.steps import Recording, assert_same_sequences


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_floats_keep_their_type(dtype):
    X, _ = rectangle(n_features=2)
    X = X.astype(dtype)
    assert PerTimestep(StandardScaler()).fit_transform(X).dtype == dtype
    X[0, -1] = np.nan
    assert PerTimestep(StandardScaler()).fit_transform(X).dtype == dtype


@pytest.mark.parametrize(
    ("dtype", "padded_dtype"),
    [(np.int64, np.float64), (np.int8, np.float32), (bool, np.float32), (object, object)],
)
def test_integers_become_floats_only_for_padding(dtype, padded_dtype):
    per_step = PerTimestep(FunctionTransformer(lambda X: (X > 0).astype(dtype)))
    assert per_step.fit_transform([[[1.0], [0.0]], [[2.0]]])[0].dtype == dtype
    output = per_step.transform([[[1.0], [np.nan]]])[0]
    assert output.dtype == padded_dtype
    assert_array_equal(output.astype(float), [[1.0], [np.nan]])


def test_text_keeps_its_type_only_without_padding():
    per_step = PerTimestep(FunctionTransformer(lambda X: X.astype(str)))
    assert per_step.fit_transform([np.ones((1, 1))])[0].tolist() == [["1.0"]]
    output = per_step.transform([np.array([[1.0], [np.nan]])])[0]
    assert output.dtype == object
    assert output[0, 0] == "1.0"
    assert np.isnan(output[1, 0])


def test_sparse_output_becomes_dense():
    X = [np.array([[1.0], [2.0]]), np.array([[2.0], [np.nan]])]
    output = PerTimestep(OneHotEncoder()).fit_transform(X)
    assert_same_sequences(output, [np.eye(2), np.array([[0, 1], [np.nan, np.nan]])])


def test_values_of_frames_that_the_transformer_returns():
    X, _ = ragged(n_features=2)
    expected = PerTimestep(StandardScaler()).fit_transform(X)
    scaler = StandardScaler().set_output(transform="pandas")
    assert_same_sequences(PerTimestep(scaler).fit_transform(X), expected)
    scaler = StandardScaler().set_output(transform="polars")
    assert_same_sequences(PerTimestep(scaler).fit_transform(X), expected)


@pytest.mark.parametrize(
    ("function", "shape"),
    [(lambda X: X[1:], r"\(95, 2\)"), (lambda X: X[:, 0], r"\(96,\)"), (np.sum, r"\(\)")],
    ids=["fewer rows", "one-dimensional", "number"],
)
def test_transformer_must_return_a_row_per_step(function, shape):
    X, _ = ragged(n_features=2)
    X = [*X, np.ones((96 - sum(map(len, X)), 2))]
    message = rf"Recording must return a row .* expected shape \(96, n_features\), got {shape}"
    with pytest.raises(ValueError, match=message):
        PerTimestep(Recording(function)).fit_transform(X)
    with pytest.raises(ValueError, match="must return a row for each step"):
        PerTimestep(Recording(function)).fit(X)


def mixed_frames(library=pd, n=12):
    """Return frames with a column of numbers and one of text, and the joint columns."""
    rng = np.random.default_rng(0)
    frames = []
    for i in range(n):
        n_steps = 1 + i % 4
        colour = rng.choice(["red", "green", "blue"], size=n_steps).astype(object)
        frames.append(library.DataFrame({"speed": rng.normal(size=n_steps), "colour": colour}))
    speed = np.concatenate([frame["speed"].to_numpy() for frame in frames])
    colour = np.concatenate([frame["colour"].to_numpy() for frame in frames])
    return frames, speed, colour


def by_type():
    return ColumnTransformer(
        [("number", StandardScaler(), ["speed"]), ("word", OneHotEncoder(), ["colour"])]
    )


@pytest.mark.parametrize("library", NAMED_FRAMES.values(), ids=NAMED_FRAMES)
@pytest.mark.parametrize("container", [list, tuple, "objects", pd.Series])
def test_frames_of_mixed_types(library, container):
    frames, speed, colour = mixed_frames(library)
    expected = np.column_stack(
        [(speed - speed.mean()) / speed.std()]
        + [colour == name for name in ("blue", "green", "red")]
    )
    if container == "objects":
        X = np.empty(len(frames), dtype=object)
        X[:] = frames
    else:
        X = container(frames)
    per_step = PerTimestep(by_type())
    output = per_step.fit_transform(X)
    assert [len(x) for x in output] == [len(frame) for frame in frames]
    assert_allclose(np.concatenate(output), expected)
    assert_same_sequences(per_step.transform(X), output)
    assert per_step.n_features_in_ == 2
    assert_array_equal(per_step.feature_names_in_, ["speed", "colour"])
    assert_array_equal(
        per_step.get_feature_names_out(),
        ["number__speed", "word__colour_blue", "word__colour_green", "word__colour_red"],
    )


@pytest.mark.parametrize("library", [pd, pl])
def test_transformer_is_given_the_joint_frame(library):
    frames, speed, colour = mixed_frames(library)
    steps = PerTimestep(Recording()).fit(frames).transformer_.X_
    assert isinstance(steps, library.DataFrame)
    assert_array_equal(steps["speed"].to_numpy(), speed)
    assert_array_equal(steps["colour"].to_numpy(), colour)


def test_columns_chosen_by_type():
    frames, _, _ = mixed_frames()
    numbers = ColumnTransformer(
        [("number", StandardScaler(), make_column_selector(dtype_include="number"))]
    )
    assert PerTimestep(numbers).fit_transform(frames)[0].shape == (1, 1)


@pytest.mark.parametrize("library", [pd, pl])
def test_padding_of_frames(library):
    frame = library.DataFrame({"a": [1.0, None, 3.0, None], "b": ["x", None, None, None]})
    per_step = PerTimestep(Recording()).fit([frame[:0], frame, frame[:1]])
    steps = per_step.transformer_.X_
    assert_array_equal(steps["a"].to_numpy(), [1.0, np.nan, 3.0, 1.0])
    assert steps["b"].to_numpy().tolist()[::3] == ["x", "x"]
    numbers = PerTimestep(FunctionTransformer(lambda X: X[["a"]])).fit([frame])
    output = numbers.transform([frame[:0], frame])
    assert_same_sequences(output, [np.empty((0, 1)), np.array([[1.0], [np.nan], [3.0], [np.nan]])])


def test_nan_pads_frames_of_polars_as_null_does():
    frame = pl.DataFrame({"a": [1.0, np.nan, np.nan], "b": [1.0, 2.0, None]})
    assert len(PerTimestep(Recording()).fit([frame]).transformer_.X_) == 2


def test_joint_frame_has_an_index_of_its_own():
    frames, _, _ = mixed_frames()
    assert PerTimestep(Recording()).fit(frames).transformer_.X_.index.is_unique


@pytest.mark.parametrize("library", [pd, pl])
def test_number_columns_of_unequal_types(library):
    frames = [library.DataFrame({"a": [1, 2]}), library.DataFrame({"a": [0.5]})]
    output = PerTimestep(Recording()).fit_transform(frames)
    assert_same_sequences(output, [np.array([[1.0], [2.0]]), np.array([[0.5]])])


@pytest.mark.parametrize("library", [pd, pl])
def test_frames_without_steps(library):
    frames, _, _ = mixed_frames(library)
    empty = library.DataFrame({"speed": [], "colour": []})
    per_step = PerTimestep(Recording()).fit([empty, *frames])
    steps = per_step.transformer_.X_
    assert list(steps.dtypes) == list(frames[0].dtypes)
    assert [x.shape for x in per_step.transform([empty, empty])] == [(0, 2), (0, 2)]
    assert per_step.transform([frames[0], empty])[1].shape == (0, 2)
    with pytest.raises(ValueError, match="X has no step to fit the transformer on"):
        PerTimestep(Recording()).fit([empty, empty])


def test_frames_that_do_not_belong_together():
    frames, _, _ = mixed_frames()
    with pytest.raises(TypeError, match=r"0 is a pandas\.DataFrame, but .* 2 is a numpy\.ndarray"):
        PerTimestep(by_type()).fit([*frames[:2], np.ones((3, 2))])
    with pytest.raises(TypeError, match=r"0 is a pandas\.DataFrame, but .* 1 is a polars\.DataFr"):
        PerTimestep(by_type()).fit([frames[0], pl.DataFrame({"speed": [1.0], "colour": ["red"]})])
    with pytest.raises(
        ValueError, match=r"expected \['speed', 'colour'\] as in sequence 0, but sequence 1 has"
    ):
        PerTimestep(by_type()).fit([frames[0], frames[1][["colour", "speed"]]])
    per_step = PerTimestep(by_type()).fit(frames)
    with pytest.raises(ValueError, match="feature names should match"):
        per_step.transform([frame.rename(columns={"speed": "v"}) for frame in frames])


def test_frames_in_front_of_a_network():
    frames, _, _ = mixed_frames(n=40)
    y = ["red" in set(frame["colour"]) for frame in frames]
    model = make_pipeline(
        PerTimestep(by_type()),
        GRUClassifier(hidden_layer_sizes=6, learning_rate_init=0.05, random_state=0),
    )
    assert cross_val_score(model, frames, y, cv=2).mean() > 0.9


def categorical(values, categories=None, ordered=False):
    dtype = pd.CategoricalDtype(categories, ordered=ordered)
    return pd.DataFrame({"c": pd.Series(values, dtype=dtype), "x": np.arange(len(values)) * 1.0})


def selector():
    return ColumnTransformer(
        [
            (
                "c",
                OneHotEncoder(sparse_output=False, handle_unknown="ignore"),
                make_column_selector(dtype_include="category"),
            ),
            ("x", "passthrough", ["x"]),
        ]
    )


def test_categories_of_all_sequences_are_one_type():
    X = [categorical(["a", "b"]), categorical(["c"]), categorical(["b", "d", "b"])]
    per_timestep = PerTimestep(selector()).fit(X)
    assert per_timestep.transformer_.named_transformers_["c"].categories_[0].tolist() == list(
        "abcd"
    )
    assert_array_equal(per_timestep.transform(X)[1], [[0, 0, 1, 0, 0]])
    # What transform is given may have other categories again.
    assert_array_equal(
        per_timestep.transform([categorical(["d", "z"])])[0][:, :4], [[0, 0, 0, 1], [0] * 4]
    )


def test_ordered_categories_keep_their_order():
    X = [
        categorical(["low"], ["low", "high"], ordered=True),
        categorical(["mid"], ["low", "mid", "high"], ordered=True),
    ]
    seen = []

    class Spy(TransformerMixin, BaseEstimator):
        def fit(self, X, y=None):
            seen.append(X["c"].dtype)
            return self

        def transform(self, X):
            return X[["x"]].to_numpy()

    PerTimestep(Spy()).fit(X)
    assert seen == [pd.CategoricalDtype(["low", "mid", "high"], ordered=True)]
    X[0] = categorical(["low"], ["high", "low"], ordered=True)
    with pytest.raises(ValueError, match="categories of column 'c' in one order"):
        PerTimestep(Spy()).fit(X)


@pytest.mark.parametrize("dtype", [pl.Enum, lambda categories: pl.Categorical])
def test_categories_of_polars(dtype):
    X = [
        pl.DataFrame({"c": pl.Series(["a"], dtype=dtype(["a"])), "x": [1.0]}),
        pl.DataFrame({"c": pl.Series(["b"], dtype=dtype(["b"])), "x": [2.0]}),
    ]
    encoded = PerTimestep(OneHotEncoder(sparse_output=False)).fit_transform(X)
    assert_array_equal(encoded[1], [[0, 1, 0, 1]])


class Centroids(TransformerMixin, BaseEstimator):
    """Keeps what it is fitted on, and puts the mean target beside each step."""

    def fit(self, X, y):
        self.n_, self.y_ = len(X), np.asarray(y)
        return self

    def transform(self, X):
        return np.column_stack([X, np.full(len(X), float(len(np.unique(self.y_))))])


STEPS = [np.arange(6.0).reshape(3, 2), np.ones((1, 2)), np.zeros((2, 2))]


STEP_LABELS = [["a", "b", "a"], ["c"], ["b", "a"]]


@pytest.mark.parametrize(
    "form",
    [
        list,
        tuple,
        lambda y: [np.array(part) for part in y],
        lambda y: pd.Series(y),
        lambda y: pl.Series(y),
        lambda y: np.array([np.array(part, object) for part in y], dtype=object),
    ],
)
@pytest.mark.parametrize("method", ["fit", "fit_transform"])
def test_a_target_for_each_step(form, method):
    per_timestep = PerTimestep(Centroids())
    getattr(per_timestep, method)(STEPS, form(STEP_LABELS))
    assert per_timestep.transformer_.y_.tolist() == ["a", "b", "a", "c", "b", "a"]


def test_steps_without_a_target_are_transformed_but_not_fitted_on():
    labels = [["a", None, "a"], ["c"], [np.nan, "a"]]
    per_timestep = PerTimestep(Centroids())
    transformed = per_timestep.fit_transform(STEPS, labels)
    assert per_timestep.transformer_.y_.tolist() == ["a", "a", "c", "a"]
    assert [len(x) for x in transformed] == [3, 1, 2]


def test_targets_of_rectangles():
    X = np.arange(12.0).reshape(2, 3, 2)
    per_step = PerTimestep(Centroids()).fit(X, np.arange(6).reshape(2, 3))
    assert per_step.transformer_.y_.tolist() == [0, 1, 2, 3, 4, 5]
    several = PerTimestep(Centroids()).fit(X, np.arange(4).reshape(2, 2))
    assert several.transformer_.y_.tolist() == [[0, 1]] * 3 + [[2, 3]] * 3
    one = PerTimestep(Centroids()).fit(X, ["x", "y"])
    assert one.transformer_.y_.tolist() == ["x"] * 3 + ["y"] * 3


def test_a_supervised_transformer_before_a_network_that_labels_steps():
    X, _ = ragged(n_features=3)
    y = [np.where(x[:, 1] > 0, "up", "down") for x in X]
    model = make_pipeline(
        PerTimestep(LinearDiscriminantAnalysis()),
        GRUClassifier(8, pooling=None, max_iter=300, random_state=0),
    )
    assert model.fit(X, y).score(X, y) > 0.9
