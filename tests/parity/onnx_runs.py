"""ONNX Runtime, and how its outputs compare with predictions."""

import numpy as np
import onnxruntime
from numpy.testing import assert_allclose

from skgru.interop import onnx_inputs, to_onnx

# Of single precision, relative to the largest value; what double precision leaves is rounding.
TOLERANCES = {"float32": 1e-5, "float64": 1e-12}


def run(model, inputs):
    """Return the outputs of a graph by their names."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), options)
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(None, inputs), strict=True))


def predictions(estimator, X):
    """Return what the graph of an estimator is to predict, by the names of its outputs."""
    if hasattr(estimator, "predict_proba"):
        return {"label": estimator.predict(X), "probabilities": estimator.predict_proba(X)}
    if estimator.loss != "gaussian":
        return {"variable": estimator.predict(X)}
    return dict(zip(["variable", "std"], estimator.predict(X, return_std=True), strict=True))


def assert_same(estimator, X, inputs=None):
    """Assert that the graph of an estimator predicts what it predicts for X."""
    found = run(to_onnx(estimator), onnx_inputs(estimator, X) if inputs is None else inputs)
    assert_outputs(estimator, found, predictions(estimator, X))


def assert_outputs(estimator, found, expected):
    """Assert that outputs are those expected."""
    assert found.keys() == expected.keys()
    tolerance = TOLERANCES[estimator.dtype]
    sure = None
    for name in sorted(expected, reverse=True):  # probabilities first
        there, own = _in_one(found[name], expected[name])
        assert there.shape == own.shape, name
        if name != "label":
            size = 1 if name == "probabilities" else np.abs(own).max(initial=1e-6)
            assert_allclose(there, own, rtol=0, atol=tolerance * size, err_msg=name)
        elif getattr(estimator, "crf", False):
            assert (there == own).all()
        else:
            assert (there == own)[sure].all()
            assert there.dtype.kind == own.dtype.kind or own.dtype.kind in "UO"
        if name == "probabilities":
            sure = _is_sure(own, found["label"], tolerance)


def _in_one(found, expected):
    """Return both as one array each, of steps without padding."""
    is_ragged = expected.dtype == object and isinstance(next(iter(expected), None), np.ndarray)
    if not is_ragged:
        return found, expected
    found = np.concatenate([row[: len(own)] for row, own in zip(found, expected, strict=True)])
    return found, np.concatenate(list(expected))


def _is_sure(p, labels, tolerance):
    """Return for which labels the probabilities differ by more than rounding."""
    if labels.shape == p.shape:  # several labels
        return np.abs(p - 0.5) > tolerance
    largest = np.sort(p, axis=-1)
    return largest[..., -1] - largest[..., -2] > tolerance
