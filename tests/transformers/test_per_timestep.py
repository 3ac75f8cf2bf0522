"""PerTimestep: transformers of scikit-learn, applied to the steps of sequences of every form."""

import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.exceptions import NotFittedError
from sklearn.feature_selection import SelectKBest
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    KBinsDiscretizer,
    OneHotEncoder,
    RobustScaler,
    StandardScaler,
)
from sklearn.utils import get_tags

from skgru import GRUClassifier
from skgru.per_timestep import PerTimestep
from tests.datasets import NAMED_FRAMES, pad, ragged, rectangle
from tests.transformers.steps import Recording, assert_same_sequences, name_of

TRANSFORMERS = [
    StandardScaler(),
    RobustScaler(),
    PCA(n_components=2),
    SelectKBest(k=1),
    LinearDiscriminantAnalysis(n_components=1),
    SimpleImputer(),
    FunctionTransformer(np.log1p, validate=True),
    KBinsDiscretizer(n_bins=2, strategy="uniform"),
    ColumnTransformer([("a", StandardScaler(), [0]), ("b", PCA(n_components=1), [1, 2])]),
    make_pipeline(StandardScaler(), PCA(n_components=1)),
]


def dense(output):
    return output.toarray() if sparse.issparse(output) else np.asarray(output)


def by_hand(transformer, X, y, X_new):
    """Return what the transformer, fitted on the steps of X, makes of each sequence of X_new."""
    y_of_steps = np.repeat(y, [len(x) for x in X])
    fitted = clone(transformer).fit(np.concatenate(X), y_of_steps)
    return [dense(fitted.transform(x)) for x in X_new]


# What comes out, for each form of X


@pytest.mark.parametrize("transformer", TRANSFORMERS, ids=name_of)
def test_lists_are_transformed_step_by_step(transformer):
    X, y = ragged(n_features=3)
    X_new = [np.abs(x) for x in ragged(n_features=3, seed=1)[0]]
    X = [np.abs(x) for x in X]
    expected = by_hand(transformer, X, y, X_new)
    per_step = PerTimestep(transformer)
    assert per_step.fit(X, y) is per_step
    assert_same_sequences(per_step.transform(X_new), expected)
    fitted_and_transformed = clone(per_step).fit_transform(X, y)
    assert_same_sequences(fitted_and_transformed, per_step.transform(X), atol=1e-12)


@pytest.mark.parametrize("transformer", TRANSFORMERS, ids=name_of)
def test_every_form_is_transformed_alike(transformer):
    X, y = rectangle(n_features=3)
    X = np.abs(X)
    expected = np.array(by_hand(transformer, list(X), y, list(X)))
    n, n_steps, n_features_out = expected.shape
    flat = X.reshape(n, -1)

    output = PerTimestep(transformer).fit(X, y).transform(X)
    assert output.shape == expected.shape
    assert_allclose(output, expected)

    for form in (flat, pd.DataFrame(flat), flat.tolist()):
        output = PerTimestep(transformer, features_per_step=3).fit(form, y).transform(form)
        assert type(output) is np.ndarray
        assert output.shape == (n, n_steps * n_features_out)
        assert_allclose(output, expected.reshape(n, -1))

    objects = np.empty(n, dtype=object)
    objects[:] = list(X)
    for form in (list(X), tuple(X), objects, pd.Series(list(X))):
        assert_same_sequences(PerTimestep(transformer).fit(form, y).transform(form), expected)
    for form in (list(flat), pd.Series(list(flat)), pl.Series(flat.tolist())):
        per_step = PerTimestep(transformer, features_per_step=3).fit(form, y)
        assert_same_sequences(per_step.transform(form), expected)


@pytest.mark.parametrize("library", NAMED_FRAMES.values(), ids=NAMED_FRAMES)
def test_frame_of_arrays_is_a_frame_to_the_transformer(library):
    X, _ = ragged(n_features=2)
    frame = library.DataFrame({"speed": [x[:, 0] for x in X], "load": [x[:, 1] for x in X]})
    by_name = ColumnTransformer([("only", StandardScaler(), ["load"])])
    per_step = PerTimestep(by_name)
    output = per_step.fit_transform(frame)
    loads = [x[:, 1:] for x in X]
    assert_same_sequences(output, by_hand(StandardScaler(), loads, np.zeros(len(X)), loads))
    assert_same_sequences(per_step.transform(frame), output)
    assert per_step.n_features_in_ == 2
    assert_array_equal(per_step.feature_names_in_, ["speed", "load"])
    assert_array_equal(per_step.transformer_.feature_names_in_, ["speed", "load"])
    assert_array_equal(per_step.get_feature_names_out(), ["only__load"])


def test_frame_of_arrays_of_polars():
    X, _ = ragged(n_features=2)
    frame = pl.DataFrame({"speed": [x[:, 0] for x in X], "load": [x[:, 1] for x in X]})
    per_step = PerTimestep(Recording()).fit(frame)
    assert isinstance(per_step.transformer_.X_, pl.DataFrame)
    assert per_step.transformer_.X_.columns == ["speed", "load"]
    assert_same_sequences(per_step.transform(frame), X)
    square = pl.DataFrame({"speed": [[1.0, 2.0]], "load": [[3.0, 4.0]]})
    assert_same_sequences(per_step.transform(square), [np.array([[1.0, 3.0], [2.0, 4.0]])])


def test_each_step_has_the_target_of_its_sequence():
    X = [np.ones((2, 1)), np.ones((0, 1)), np.array([[1.0], [np.nan]]), np.ones((3, 1))]
    y = ["a", "b", "c", "d"]
    for form in (y, np.array(y), pd.Series(y, index=[7, 7, 1, 0])):
        assert_array_equal(PerTimestep(Recording()).fit(X, form).transformer_.y_, list("aacddd"))
    two = PerTimestep(Recording()).fit(X, np.arange(8).reshape(4, 2)).transformer_.y_
    assert_array_equal(two, [[0, 1], [0, 1], [4, 5], [6, 7], [6, 7], [6, 7]])
    assert PerTimestep(Recording()).fit(X).transformer_.y_ is None


def test_selection_needs_the_targets():
    rng = np.random.default_rng(0)
    y = np.arange(40) % 2
    X = [rng.normal(size=(1 + i % 4, 5)) for i in range(40)]
    for x, label in zip(X, y, strict=True):
        x[:, 3] += 3 * label
    per_step = PerTimestep(SelectKBest(k=1)).fit(X, y)
    assert_same_sequences(per_step.transform(X), [x[:, [3]] for x in X])
    with pytest.raises(ValueError, match=r"PerTimestep .* requires y to be passed, but the target"):
        PerTimestep(LinearDiscriminantAnalysis()).fit(X)


def test_the_transformers_own_fit_transform_is_used():
    class Marking(Recording):
        def fit_transform(self, X, y=None):
            return np.column_stack([self.fit(X).transform(X), y])

    X, y = ragged()
    output = PerTimestep(Marking()).fit_transform(X, y)
    marked = [np.column_stack([x, np.full(len(x), c)]) for x, c in zip(X, y, strict=True)]
    assert_same_sequences(output, marked)


def test_transformer_without_fit_transform():
    class Doubling(BaseEstimator):
        """Has nothing but the two methods; and `fit` returns nothing."""

        def fit(self, X, y=None):
            self.fitted_ = True

        def transform(self, X):
            return 2 * X

    X, _ = ragged(n_features=2)
    per_step = PerTimestep(Doubling())
    assert_same_sequences(per_step.fit_transform(X), [2 * x for x in X])
    assert get_tags(per_step).transformer_tags is not None


def test_the_given_transformer_stays_as_it_is():
    X, _ = ragged()
    scaler = StandardScaler().fit(100 * X[0])
    before = pickle.dumps(scaler)
    PerTimestep(scaler).fit_transform(X)
    assert pickle.dumps(scaler) == before
    with pytest.raises(NotFittedError):
        PerTimestep(scaler).transform(X)


# Padding and missing values


@pytest.mark.parametrize("transformer", TRANSFORMERS, ids=name_of)
def test_padding_is_neither_seen_nor_touched(transformer):
    X, y = ragged(n_features=3)
    X = [np.abs(x) for x in X]
    expected = pad(PerTimestep(transformer).fit_transform(X, y), 9, np.nan)
    padded = pad(X, 9, np.nan)
    n = len(X)

    per_step = PerTimestep(transformer).fit(padded, y)
    assert_allclose(per_step.transform(padded), expected, atol=1e-12)
    assert_allclose(clone(per_step).fit_transform(padded, y), expected, atol=1e-12)
    assert_same_sequences(per_step.transform(list(padded)), expected, atol=1e-12)
    flat = padded.reshape(n, -1)
    per_step = PerTimestep(transformer, features_per_step=3).fit(flat, y)
    assert_allclose(per_step.transform(flat), expected.reshape(n, -1), atol=1e-12)


def test_padding_does_not_reach_the_transformer():
    X = np.array([[[1.0, 2.0], [np.nan, np.nan], [3.0, np.nan], [np.nan, np.nan]]])
    per_step = PerTimestep(Recording()).fit(X)
    assert_array_equal(per_step.transformer_.X_, X[0, :3])
    assert_array_equal(per_step.transform(X), X)


def test_masked_steps_are_padding():
    X, _ = rectangle(n_features=2)
    mask = np.zeros(X.shape, dtype=bool)
    mask[:5, 3:] = True
    output = PerTimestep(StandardScaler()).fit_transform(np.ma.MaskedArray(X, mask))
    assert_allclose(output, PerTimestep(StandardScaler()).fit_transform(np.where(mask, np.nan, X)))


def test_missing_values_are_for_the_transformer():
    X, _ = ragged(n_features=2, shortest=2)
    gaps = [x.copy() for x in X]
    for x in gaps:
        x[0, 1] = np.nan
    mean = np.concatenate([x[1:, 1] for x in X]).mean()
    expected = [x.copy() for x in X]
    for x in expected:
        x[0, 1] = mean
    padded = pad(gaps, 8, np.nan)
    assert_same_sequences(PerTimestep(SimpleImputer()).fit_transform(gaps), expected)
    output = PerTimestep(SimpleImputer()).fit_transform(padded)
    assert_allclose(output, pad(expected, 8, np.nan))
    assert np.isnan(PerTimestep(StandardScaler()).fit_transform(gaps)[0][0, 1])
    with pytest.raises(ValueError, match="contains NaN"):
        PerTimestep(PCA()).fit(gaps)


def test_a_wholly_missing_step_inside_is_imputed():
    X = [np.array([[1.0], [np.nan], [5.0], [np.nan]])]
    output = PerTimestep(SimpleImputer()).fit_transform(X)
    assert_array_equal(output[0], [[1.0], [3.0], [5.0], [np.nan]])


def test_sequences_without_steps():
    X, _ = ragged(n_features=3)
    per_step = PerTimestep(PCA(n_components=2)).fit(X)
    for empty in (np.empty((0, 3)), np.empty(0), []):
        output = per_step.transform([empty, *X])
        assert output[0].shape == (0, 2)
        assert_same_sequences(output[1:], per_step.transform(X))
        assert [x.shape for x in per_step.transform([empty, empty])] == [(0, 2), (0, 2)]
    output = per_step.transform(np.full((4, 5, 3), np.nan))
    assert_array_equal(output, np.full((4, 5, 2), np.nan))
    assert [x.shape for x in per_step.inverse_transform([empty, empty])] == [(0, 3), (0, 3)]


# Types of the output


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


# Errors


def test_nothing_to_fit_on():
    for X in ([np.empty((0, 2))] * 3, np.full((2, 3, 1), np.nan), [[], []]):
        with pytest.raises(ValueError, match="X has no step to fit the transformer on"):
            PerTimestep(StandardScaler()).fit(X)
        with pytest.raises(ValueError, match="X has no step to fit the transformer on"):
            PerTimestep(StandardScaler()).fit_transform(X)


def test_other_numbers_of_features():
    X, _ = rectangle(n_features=2)
    per_step = PerTimestep(StandardScaler(), features_per_step=2).fit(X)
    assert per_step.n_features_in_ == 2
    message = "X has 3 features per step, but PerTimestep is expecting 2 features per step as input"
    for other in (np.ones((4, 5, 3)), [np.ones((4, 3))]):
        with pytest.raises(ValueError, match=message):
            per_step.transform(other)
    with pytest.raises(ValueError, match=r"X has 5 columns, expected a multiple of .*step=2"):
        per_step.transform(np.ones((4, 5)))

    per_step.fit(X.reshape(len(X), -1))
    assert per_step.n_features_in_ == 10
    with pytest.raises(ValueError, match="X has 4 features, but PerTimestep is expecting 10 feat"):
        per_step.transform(np.ones((3, 4)))
    assert per_step.transform(X[:, :3]).shape == (len(X), 3, 2)
    assert per_step.transform([[1, 2, 3, 4], [5, 6, 7, 8]]).shape == (2, 4)


@pytest.mark.parametrize("container", ["default", "pandas"])
def test_output_without_features(container):
    per_step = PerTimestep(FunctionTransformer(lambda X: X[:, :0])).set_output(transform=container)
    assert per_step.fit_transform(np.ones((4, 3))).shape == (4, 0)


def test_targets_of_another_number_of_sequences():
    X, y = ragged()
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        PerTimestep(SelectKBest()).fit(X, y[1:])


def test_parameters_are_checked():
    X, _ = ragged()
    with pytest.raises(ValueError, match="The 'transformer' parameter of PerTimestep must be"):
        PerTimestep("passthrough").fit(X)
    with pytest.raises(ValueError, match="The 'features_per_step' parameter of PerTimestep must"):
        PerTimestep(StandardScaler(), features_per_step=0).fit(X)


# A target at every step


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


# A fit that fails


@pytest.mark.parametrize("method", ["fit", "fit_transform"])
@pytest.mark.parametrize(
    "bad",
    [
        [np.zeros((3, 4))],  # two steps of the components asked for are too few
        [np.full((2, 2), np.inf)],
        np.zeros((3, 5)),
        [np.zeros((2, 2)), np.zeros((2, 3))],
        ["text"],
    ],
)
def test_a_failed_fit_leaves_the_transformer_as_it_was(method, bad):
    X, _ = ragged(n_features=3)
    per_timestep = PerTimestep(PCA(n_components=2)).fit(X)
    before, expected = dict(vars(per_timestep)), per_timestep.transform(X)
    per_timestep.set_params(transformer__n_components=4)
    with pytest.raises((ValueError, TypeError)):
        getattr(per_timestep, method)(bad)
    per_timestep.set_params(transformer__n_components=2)
    assert vars(per_timestep).keys() == before.keys()
    assert per_timestep.n_features_in_ == 3
    for x, y in zip(per_timestep.transform(X), expected, strict=True):
        assert_array_equal(x, y)
