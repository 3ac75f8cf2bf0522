"""scikit-learn's checks in the form of one table branch, and meta-estimators that pass frames."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import StackingClassifier, VotingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    TunedThresholdClassifierCV,
    cross_val_predict,
    cross_val_score,
    train_test_split,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils import estimator_checks

from skgru import MultimodalGRUClassifier, MultimodalGRURegressor, TableBranch
from tests.checks import MLPS, id_of, name_of, run_check
from tests.multimodal.samples import branches, classifier, frame, polars_frame

X, Y = frame(40)
FRAMES = {"pandas": lambda: X, "polars": lambda: polars_frame(X)}
EACH_FRAME = pytest.mark.parametrize("library", FRAMES)


def of_a_table(estimator_class, fusion):
    return estimator_class(
        [("table", TableBranch(), slice(None))],
        fusion=fusion,
        hidden_layer_sizes=4,
        learning_rate_init=0.05,
        max_iter=8,
        random_state=0,
    )


MODELS = [
    of_a_table(MultimodalGRUClassifier, "gated"),
    of_a_table(MultimodalGRURegressor, "concat"),
]


def checks(model):
    return [check for _, check in estimator_checks.estimator_checks_generator(model)]


def id_of_either(value):
    return type(value).__name__ if hasattr(value, "fit") else id_of(value)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize(
    ("model", "check"), [(m, check) for m in MODELS for check in checks(m)], ids=id_of_either
)
def test_check(model, check):
    run_check(model, check)


@pytest.mark.parametrize("model", MODELS, ids=id_of_either)
def test_has_the_checks_of_the_multi_layer_perceptron(model):
    ours, theirs = ({name_of(check) for check in checks(m)} for m in (model, MLPS[type(model)]()))
    # As the flat estimators: the network takes NaN, and no sparse matrices.
    assert theirs - ours <= {
        "check_sample_weight_equivalence_on_sparse_data",
        "check_estimators_nan_inf",
    }


@pytest.mark.parametrize("model", MODELS, ids=id_of_either)
@pytest.mark.parametrize(
    "check",
    [
        estimator_checks.check_dataframe_column_names_consistency,
        estimator_checks.check_inplace_ensure_writeable,
        estimator_checks.check_param_validation,
    ],
)
def test_check_of_scikit_learn_itself(model, check):
    check(type(model).__name__, model)


# Cross-validation and meta-estimators


def base(**parameters):
    given = branches(names=["monitor", "patient"])
    return classifier(given, **{"max_iter": 15, "learning_rate_init": 0.05} | parameters)


@EACH_FRAME
def test_each_frame_goes_through_cross_validation(library):
    Z = FRAMES[library]()
    expected = cross_val_predict(base(), X, Y, cv=3, method="predict_proba")
    p = cross_val_predict(base(), Z, Y, cv=3, method="predict_proba")
    assert_array_equal(p, expected)
    scores = cross_val_score(base(), Z, Y, cv=3, error_score="raise")
    assert scores.mean() > 0.7
    train, test = train_test_split(Z, random_state=0)
    assert base().fit(train, Y[:30]).predict(test).shape == (10,)


WRAPPERS = {
    "Voting": lambda e: VotingClassifier([("a", e), ("b", base(random_state=1))], voting="soft"),
    "Stacking": lambda e: StackingClassifier([("a", e)], LogisticRegression(), cv=2),
    "Calibrated": lambda e: CalibratedClassifierCV(e, cv=2),
    "TunedThreshold": lambda e: TunedThresholdClassifierCV(e, cv=2),
    "Pipeline": lambda e: make_pipeline(FunctionTransformer(), e),
    "in front": lambda e: make_pipeline(e, LogisticRegression()),
}


@EACH_FRAME
@pytest.mark.parametrize("wrapper", WRAPPERS)
def test_inside_others(wrapper, library):
    Z, labels = FRAMES[library](), np.array(["no", "yes"])[Y]
    wrapped = WRAPPERS[wrapper](base()).fit(Z, labels)
    assert wrapped.score(Z, labels) > 0.8
    assert_allclose(wrapped.predict_proba(Z).sum(axis=1), 1, rtol=1e-5)


def test_the_order_of_the_samples_does_not_matter_to_a_full_batch():
    order = np.random.default_rng(0).permutation(40)
    given, parameters = branches(), {"solver": "lbfgs", "dtype": "float64"}
    model = classifier(given, **parameters).fit(X, Y)
    other = classifier(given, **parameters).fit(X.iloc[order], Y[order])
    assert_allclose(other.predict_proba(X), model.predict_proba(X), atol=1e-6)
