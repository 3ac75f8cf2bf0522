"""Networks inside of scikit-learn's estimators, converted by skl2onnx."""

import numpy as np
import onnxruntime
import pytest
import skl2onnx
from numpy.testing import assert_allclose
from skl2onnx.common.data_types import DoubleTensorType, FloatTensorType, Int64TensorType
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import (
    BaggingClassifier,
    StackingClassifier,
    StackingRegressor,
    VotingClassifier,
    VotingRegressor,
)
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from skgru import GRUClassifier, GRURegressor
from skgru.interop import register_skl2onnx
from tests.parity.exported import FIT

CLF = GRUClassifier((4,), random_state=0, **FIT)
REG = GRURegressor((4,), random_state=0, **FIT)

CLASSIFIERS = {
    "alone": CLF,
    "in double precision": GRUClassifier((4,), dtype="float64", random_state=0, **FIT),
    "pipeline": make_pipeline(StandardScaler(), CLF),
    "calibrated": CalibratedClassifierCV(CLF, cv=2),
    "calibrated pipeline": CalibratedClassifierCV(make_pipeline(MinMaxScaler(), CLF), cv=2),
    "stacked": StackingClassifier([("n", CLF), ("l", LogisticRegression())], cv=2),
    "voting": VotingClassifier(
        [("n", CLF), ("l", LogisticRegression())], voting="soft", flatten_transform=False
    ),
    "bagged": BaggingClassifier(CLF, 2, random_state=0),
    "one against the rest": OneVsRestClassifier(CLF),
    "search": GridSearchCV(CLF, {"cell": ["lstm"]}, cv=2),
}
REGRESSORS = {
    "alone": REG,
    "pipeline": make_pipeline(StandardScaler(), REG),
    "stacked": StackingRegressor([("n", REG), ("r", Ridge())], cv=2),
    "voting": VotingRegressor([("n", REG), ("r", Ridge())]),
}


@pytest.fixture(scope="module", autouse=True)
def registered():
    register_skl2onnx()


@pytest.fixture
def X():
    return np.random.default_rng(0).normal(size=(48, 20))


def run(estimator, inputs, kind=DoubleTensorType, **options):
    """Return the outputs of the graph that skl2onnx makes."""
    types = {"X": kind([None, *inputs["X"].shape[1:]]), "lengths": Int64TensorType([None])}
    initial_types = [(name, types[name]) for name in inputs]
    model = skl2onnx.to_onnx(estimator, initial_types=initial_types, **options)
    session = onnxruntime.InferenceSession(model.SerializeToString())
    return session.run(None, inputs)


def without_maps(estimator):
    """Return the options of skl2onnx for probabilities as an array."""
    return {id(estimator): {"zipmap": False}}


@pytest.mark.parametrize("estimator", CLASSIFIERS.values(), ids=CLASSIFIERS)
@pytest.mark.parametrize("labels", [["a", "b", "c"], [0, 1]], ids=["texts", "numbers"])
def test_classifiers(estimator, labels, X):
    estimator.fit(X, np.resize(labels, len(X)))
    label, p = run(estimator, {"X": X}, options=without_maps(estimator))
    assert_allclose(p, estimator.predict_proba(X), rtol=0, atol=1e-6)
    assert (label == estimator.predict(X)).all()


@pytest.mark.parametrize("estimator", REGRESSORS.values(), ids=REGRESSORS)
def test_regressors(estimator, X):
    y = 5 + np.random.default_rng(1).normal(size=len(X))
    estimator.fit(X, y)
    (found,) = run(estimator, {"X": X})
    assert_allclose(found[:, 0], estimator.predict(X), rtol=0, atol=1e-5)


@pytest.mark.parametrize("opset", [17, 18, 21])
def test_versions_of_the_operators(opset, X):
    pipeline = make_pipeline(StandardScaler(), CLF).fit(X, np.resize([0, 1], len(X)))
    options = {"options": without_maps(pipeline), "target_opset": opset}
    _, p = run(pipeline, {"X": X}, **options)
    assert_allclose(p, pipeline.predict_proba(X), rtol=0, atol=1e-6)


def test_an_old_version_is_refused(X):
    CLF.fit(X, np.resize([0, 1], len(X)))
    with pytest.raises(ValueError, match="at least 17, got 15"):
        run(CLF, {"X": X}, target_opset=15)


def test_single_precision_in_and_out(X):
    CLF.fit(X, np.resize([0, 1], len(X)))
    inputs = {"X": X.astype(np.float32)}
    _, p = run(CLF, inputs, FloatTensorType, options=without_maps(CLF))
    assert p.dtype == np.float32
    assert_allclose(p, CLF.predict_proba(inputs["X"]), rtol=0, atol=1e-6)


def test_sequences_with_their_lengths():
    rng = np.random.default_rng(0)
    X = [rng.normal(size=(n, 2)) for n in rng.integers(1, 9, 30)]
    CLF.fit(X, np.resize(["no", "yes"], 30))
    padded = np.zeros((30, 9, 2))
    for row, x in zip(padded, X, strict=True):
        row[: len(x)] = x
    inputs = {"X": padded, "lengths": np.array([len(x) for x in X])}
    _, p = run(CLF, inputs, options=without_maps(CLF))
    assert_allclose(p, CLF.predict_proba(X), rtol=0, atol=1e-6)


def test_ids_in_rows_of_a_table():
    rng = np.random.default_rng(0)
    X = rng.integers(1, 9, (30, 6))
    X[::3, 4:] = 0
    clf = GRUClassifier((4,), embedding_dim=3, bag=True, random_state=0, **FIT)
    clf.fit(X, np.resize(["no", "yes"], 30))
    _, p = run(clf, {"X": X}, Int64TensorType, options=without_maps(clf))
    assert_allclose(p, clf.predict_proba(X), rtol=0, atol=1e-6)


def test_lengths_beside_rows_of_a_table_are_refused(X):
    CLF.fit(X, np.resize([0, 1], len(X)))
    with pytest.raises(ValueError, match="whose trailing NaN are padding"):
        run(CLF, {"X": X, "lengths": np.full(len(X), 20)})
