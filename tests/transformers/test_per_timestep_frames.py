"""PerTimestep: frames of mixed types, categories, names of columns and containers of the output."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn import config_context
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.compose import ColumnTransformer, make_column_selector
from sklearn.decomposition import PCA
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    OneHotEncoder,
    StandardScaler,
)

from skgru import GRUClassifier
from skgru.per_timestep import PerTimestep
from tests.datasets import NAMED_FRAMES, pad, ragged, rectangle
from tests.transformers.steps import (
    Recording,
    assert_same_sequences,
    latent_signal,
    reducing_pipeline,
)

# DataFrames, one per sequence


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
        GRUClassifier(6, learning_rate_init=0.05, label_smoothing=0, random_state=0),
    )
    assert cross_val_score(model, frames, y, cv=2).mean() > 0.9


# Names and containers


def test_names_of_columns():
    X = pd.DataFrame(np.arange(12.0).reshape(2, 6) ** 2).add_prefix("c")
    per_step = PerTimestep(PCA(n_components=2), features_per_step=3).fit(X)
    names = ["step0_pca0", "step0_pca1", "step1_pca0", "step1_pca1"]
    for given in (None, X.columns, list(X.columns)):
        output = per_step.get_feature_names_out(given)
        assert output.dtype == object
        assert_array_equal(output, names)
    with pytest.raises(ValueError, match="input_features is not equal to feature_names_in_"):
        per_step.get_feature_names_out(["a"] * 6)
    with pytest.raises(ValueError, match=r"equal to number of features \(6\), got 2"):
        per_step.fit(X.to_numpy()).get_feature_names_out(["a", "b"])


def test_names_of_steps():
    X, _ = ragged(n_features=3)
    per_step = PerTimestep(StandardScaler()).fit(X)
    assert_array_equal(per_step.get_feature_names_out(), ["x0", "x1", "x2"])
    per_step.fit(pad(X, 8, np.nan))
    assert_array_equal(per_step.get_feature_names_out(["a", "b", "c"]), ["a", "b", "c"])
    with pytest.raises(ValueError, match=r"equal to number of features \(3\), got 2"):
        per_step.get_feature_names_out(["a", "b"])
    names = PerTimestep(Recording()).fit(X).get_feature_names_out()
    assert_array_equal(names, ["recording0", "recording1", "recording2"])


@pytest.mark.parametrize("library", [pd, pl])
@pytest.mark.parametrize("everywhere", [False, True])
def test_container_of_the_output(library, everywhere):
    X, _ = rectangle(n=6, n_steps=2, n_features=3)
    flat = X.reshape(6, 6)
    name = library.__name__
    per_step = PerTimestep(PCA(n_components=1), features_per_step=3)
    expected = clone(per_step).fit_transform(flat)
    if not everywhere:
        assert per_step.set_output(transform=name) is per_step
        assert per_step.set_output() is per_step
    with config_context(transform_output=name if everywhere else "default"):
        for output in (per_step.fit_transform(flat), per_step.fit(flat).transform(flat)):
            assert isinstance(output, library.DataFrame)
            assert list(output.columns) == ["step0_pca0", "step1_pca0"]
            assert_allclose(output.to_numpy(), expected)
        other = per_step.fit(X).transform(np.hstack([flat, flat]))
        assert list(other.columns) == [f"step{t}_pca0" for t in range(4)]
        for form in (X, list(X), pd.Series(list(X))):
            output = per_step.fit_transform(form)
            assert isinstance(output, library.DataFrame)
            assert list(output.columns) == ["pca0"]
            assert_allclose(np.stack([np.asarray(cell) for cell in output["pca0"]]), expected)
    assert type(clone(per_step).set_output(transform="default").fit_transform(flat)) is np.ndarray


def test_pandas_output_keeps_the_index():
    X = pd.DataFrame(rectangle(n_steps=3)[0][:, :, 0]).add_prefix("t")
    X.index += 100
    output = PerTimestep(StandardScaler()).set_output(transform="pandas").fit_transform(X)
    assert_array_equal(output.index, X.index)


def test_output_container_of_a_pipeline():
    X, y = latent_signal(n=20, n_variables=5)
    model = reducing_pipeline().set_output(transform="pandas")
    assert_array_equal(model.fit(X, y).predict(X), reducing_pipeline().fit(X, y).predict(X))
    with config_context(transform_output="pandas"):
        assert model.fit(X, y).predict(X).shape == (20,)


# Categories that differ between the sequences


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
