"""scikit-learn's own checks of estimators, none of them expected to fail."""

import numpy as np
import pytest
from sklearn.datasets import make_blobs
from sklearn.utils import estimator_checks

from skgru import GRUClassifier
from tests.checks import MLPS, id_of, name_of, run_check
from tests.datasets import ESTIMATORS
from tests.processes import json_of


def default_checks(estimator_class):
    return list(estimator_checks.estimator_checks_generator(estimator_class()))


# The checks in which a thousand updates are more than time: what is learned, and whether rounding
# grows.
OF_ALL_UPDATES = {
    "check_classifiers_train()",
    "check_regressors_train()",
    "check_regressors_train(readonly_memmap=True)",
    "check_regressors_train(readonly_memmap=True,X_dtype=float32)",
    "check_sample_weight_equivalence_on_dense_data()",
}


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize(
    ("estimator", "check"), [pair for e in ESTIMATORS for pair in default_checks(e)], ids=id_of
)
def test_check(estimator, check, monkeypatch):
    if id_of(check) not in OF_ALL_UPDATES:
        monkeypatch.setattr("skgru._defaults._UPDATES", 100)
    run_check(estimator, check)


@pytest.mark.parametrize("estimator_class", ESTIMATORS)
def test_checks_run_with_default_parameters(estimator_class):
    estimators = [estimator for estimator, _ in default_checks(estimator_class)]
    assert len(estimators) > 50
    assert all(repr(estimator) == f"{estimator_class.__name__}()" for estimator in estimators)


@pytest.mark.parametrize("estimator_class", ESTIMATORS)
def test_has_the_checks_of_the_multi_layer_perceptron(estimator_class):
    ours = {name_of(check) for _, check in default_checks(estimator_class)}
    theirs = {name_of(check) for _, check in default_checks(MLPS[estimator_class])}
    # The network takes no sparse matrices; NaN it takes, and infinity is refused in other tests.
    assert theirs - ours <= {
        "check_sample_weight_equivalence_on_sparse_data",
        "check_estimators_nan_inf",
    }


@pytest.mark.parametrize("estimator_class", ESTIMATORS)
def test_nan_is_checked_where_it_is_refused(estimator_class):
    checks = estimator_checks.estimator_checks_generator(estimator_class(missing="error"))
    (pair,) = [pair for pair in checks if name_of(pair[1]) == "check_estimators_nan_inf"]
    run_check(*pair)


RUN_ARRAY_API_CHECKS = """
import json
from sklearn.utils.estimator_checks import estimator_checks_generator
from skgru import GRUClassifier, GRURegressor, _defaults

_defaults._UPDATES = 100  # nothing is learned in these checks
outcomes = []
for estimator_class in [GRUClassifier, GRURegressor]:
    for estimator, check in estimator_checks_generator(estimator_class()):
        if "array_api" in check.func.__name__:
            outcome = "passed"
            try:
                check(estimator)
            except BaseException as error:  # SkipTest too
                outcome = repr(error)
            outcomes.append([check.func.__name__, outcome])
print(json.dumps(outcomes))
"""


def test_array_api_checks_where_scipy_dispatches():
    # SciPy reads the variable when it is imported: only a new process can set it.
    outcomes = json_of(
        RUN_ARRAY_API_CHECKS, flags=["-W", "ignore"], environment={"SCIPY_ARRAY_API": "1"}
    )
    # scikit-learn 1.6 has no such check for estimators that work on NumPy arrays alone.
    names = [
        name_of(check)
        for estimator_class in ESTIMATORS
        for _, check in default_checks(MLPS[estimator_class])
    ]
    expected = [[name, "passed"] for name in names if "array_api" in name]
    assert outcomes == expected


# Checks that scikit-learn runs on its own estimators, and not through check_estimator.


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("parameters", [{"solver": "lbfgs"}, {"dtype": "float64"}], ids=str)
@pytest.mark.parametrize("estimator_class", ESTIMATORS)
def test_check_of_sample_weights_with_other_parameters(estimator_class, parameters):
    check = estimator_checks.check_sample_weight_equivalence_on_dense_data
    check(estimator_class.__name__, estimator_class(**parameters))


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("estimator_class", ESTIMATORS)
@pytest.mark.parametrize(
    "check",
    [
        estimator_checks.check_dataframe_column_names_consistency,
        estimator_checks.check_inplace_ensure_writeable,
        estimator_checks.check_param_validation,
    ],
)
def test_check_of_scikit_learn_itself(estimator_class, check):
    parameters = {"hidden_layer_sizes": 4, "max_iter": 5}
    check(estimator_class.__name__, estimator_class(**parameters))


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("n_classes", [2, 3])
def test_check_of_predicted_labels(n_classes):
    X, y = make_blobs(n_samples=40, centers=n_classes, random_state=0)
    labels = np.array(["cat", "dog", "elk"], dtype=object)[y]
    classifier = GRUClassifier(hidden_layer_sizes=4, max_iter=5)
    estimator_checks.check_classifiers_predictions(X, labels, "GRUClassifier", classifier)
