"""PerTimestep as an estimator of scikit-learn: its checks, pipelines, searches and tags."""

import pickle
from unittest import SkipTest

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from sklearn.base import clone
from sklearn.decomposition import NMF, PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.feature_selection import SelectKBest
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MinMaxScaler,
    OneHotEncoder,
    RobustScaler,
    StandardScaler,
)
from sklearn.utils import estimator_checks, get_tags

from skgru.per_timestep import PerTimestep
from tests.datasets import pad, ragged
from tests.transformers.steps import (
    Recording,
    assert_same_sequences,
    latent_signal,
    name_of,
    reducing_pipeline,
)

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


# In pipelines


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
    pd.testing.assert_frame_equal(again.transform(X), per_step.transform(X))
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
