"""PerTimestep: transformers of scikit-learn, applied to the steps of sequences of every form."""

import pickle
from unittest import SkipTest

import numpy as np
import pandas as pd
import polars as pl
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn import config_context
from sklearn.base import BaseEstimator, clone
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import NMF, PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.exceptions import NotFittedError
from sklearn.feature_selection import SelectKBest
from sklearn.impute import SimpleImputer
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    KBinsDiscretizer,
    MinMaxScaler,
    OneHotEncoder,
    RobustScaler,
    StandardScaler,
)
from sklearn.utils import estimator_checks, get_tags

from skgru import GRUClassifier
from skgru.per_timestep import PerTimestep
from tests.datasets import NAMED_FRAMES, pad, ragged, rectangle
from tests.transformers.steps import Recording, assert_same_sequences

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


def name_of(transformer):
    return type(transformer).__name__


def dense(output):
    return output.toarray() if sparse.issparse(output) else np.asarray(output)


def by_hand(transformer, X, y, X_new):
    """Return what the transformer, fitted on the steps of X, makes of each sequence of X_new."""
    y_of_steps = np.repeat(y, [len(x) for x in X])
    fitted = clone(transformer).fit(np.concatenate(X), y_of_steps)
    return [dense(fitted.transform(x)) for x in X_new]


CHECKED = [
    PerTimestep(transformer)
    for transformer in (
        StandardScaler(),
        RobustScaler(),
        PCA(),
        SelectKBest(k=1),
        FunctionTransformer(),
        make_pipeline(StandardScaler(), PCA()),
    )
]


@pytest.mark.parametrize(
    ("estimator", "check"),
    [pair for each in CHECKED for pair in estimator_checks.estimator_checks_generator(each)],
    ids=lambda value: getattr(getattr(value, "func", None), "__name__", None) or repr(value),
)
def test_check(estimator, check):
    reason = "SCIPY_ARRAY_API is not set"  # which SciPy reads when it is imported
    try:
        check(estimator)
    except SkipTest as skip:
        reason = str(skip)
    assert "SCIPY_ARRAY_API is not set" in reason


# Checks that scikit-learn runs on its own transformers, and not through check_estimator.
@pytest.mark.filterwarnings("ignore:X (has|does not have valid) feature names")
@pytest.mark.parametrize("transformer", [StandardScaler(), PCA()], ids=name_of)
@pytest.mark.parametrize(
    "check",
    [
        estimator_checks.check_dataframe_column_names_consistency,
        estimator_checks.check_param_validation,
        estimator_checks.check_set_output_transform,
        estimator_checks.check_set_output_transform_pandas,
        estimator_checks.check_set_output_transform_polars,
        estimator_checks.check_global_output_transform_pandas,
        estimator_checks.check_global_set_output_transform_polars,
        estimator_checks.check_transformer_get_feature_names_out,
        estimator_checks.check_transformer_get_feature_names_out_pandas,
    ],
)
def test_check_of_scikit_learn_itself(transformer, check):
    check("PerTimestep", PerTimestep(transformer))


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


def latent_signal(n=80, n_variables=1000):
    """Return sequences of many variables that few latent ones move, and the classes."""
    rng = np.random.default_rng(0)
    mixing = rng.normal(size=(3, n_variables))
    latent = [rng.normal(size=(n_steps, 3)) for n_steps in rng.integers(4, 9, size=n)]
    y = np.array([z[:, 0].sum() > 0 for z in latent])
    noise = (0.5 * rng.normal(size=(len(z), n_variables)) for z in latent)
    return [z @ mixing + e for z, e in zip(latent, noise, strict=True)], y


def reducing_pipeline():
    return make_pipeline(
        PerTimestep(make_pipeline(StandardScaler(), PCA(n_components=3, random_state=0))),
        GRUClassifier(
            hidden_layer_sizes=8,
            learning_rate_init=0.03,
            max_iter=40,
            dropout=0,
            random_state=0,
        ),
    )


def test_a_thousand_variables_per_step():
    X, y = latent_signal()
    scores = cross_val_score(reducing_pipeline(), X, y, cv=3)
    assert scores.min() > 0.8
    assert_allclose(
        cross_val_score(reducing_pipeline(), pad(X, 9, np.nan), y, cv=3), scores, atol=0.05
    )


def test_grid_search_over_nested_parameters():
    X, y = latent_signal(n=40, n_variables=20)
    name = "pertimestep__transformer__pca__n_components"
    search = GridSearchCV(reducing_pipeline(), {name: [1, 3]}, cv=2).fit(X, y)
    assert search.best_params_ == {name: 3}
    assert search.best_estimator_[0].transformer_[-1].n_components_ == 3
    with pytest.raises(ValueError, match="Invalid parameter 'nothing' for estimator PCA"):
        PerTimestep(PCA()).set_params(transformer__nothing=1)


def test_clone_and_pickle():
    X, _ = ragged(n_features=3)
    per_step = PerTimestep(PCA(n_components=2), features_per_step=3).set_output(transform="pandas")
    per_step.fit(X)
    again = pickle.loads(pickle.dumps(per_step))
    assert_same_sequences(again.transform(X), per_step.transform(X), rtol=0)
    copied = clone(per_step)
    assert not hasattr(copied, "transformer_")
    assert repr(copied) == repr(per_step)
    assert isinstance(copied.fit_transform(np.ones((2, 6)) * [[1], [2]]), pd.DataFrame)


def test_inverse_transform():
    X, _ = ragged(n_features=3)
    padded = pad(X, 9, np.nan)
    flat = padded.reshape(len(X), -1)
    per_step = PerTimestep(make_pipeline(MinMaxScaler(), PCA(n_components=3)), features_per_step=3)
    for form in (padded, flat):
        output = per_step.fit_transform(form)
        assert_allclose(per_step.inverse_transform(output), form)
    assert_same_sequences(per_step.inverse_transform(per_step.fit_transform(X)), X)
    per_step = PerTimestep(PCA(n_components=1), features_per_step=3).fit(flat)
    assert per_step.inverse_transform(per_step.transform(flat)).shape == flat.shape
    with pytest.raises(ValueError, match="X has 3 features per step, but the output of PerTimest"):
        per_step.inverse_transform(padded)
    assert not hasattr(PerTimestep(Recording()), "inverse_transform")


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
            assert type(output) is (np.ndarray if form is X else list)
            assert_allclose(np.reshape(output, (6, 2)), expected)
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


def test_tags_follow_the_transformer():
    assert get_tags(PerTimestep(StandardScaler())).input_tags.three_d_array
    assert get_tags(PerTimestep(StandardScaler())).input_tags.allow_nan
    assert not get_tags(PerTimestep(StandardScaler())).input_tags.positive_only
    assert get_tags(PerTimestep(NMF())).input_tags.positive_only
    for transformer in (NMF(), OneHotEncoder()):
        tags = get_tags(PerTimestep(transformer))
        assert tags.transformer_tags == get_tags(transformer).transformer_tags
    assert not get_tags(PerTimestep(PCA())).input_tags.allow_nan
    assert not get_tags(PerTimestep(PCA())).target_tags.required
    assert get_tags(PerTimestep(LinearDiscriminantAnalysis())).target_tags.required


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
