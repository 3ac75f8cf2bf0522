"""Batches, shards, chunks and whole inputs in which no sequence has a step."""

import itertools

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from skgru import GRUClassifier, GRURegressor, _budget

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

N_EMPTY, N_FILLED = 5, 5

READING = [
    {"embedding_dim": 3},
    {"embedding_dim": 3, "patch_size": 3},
    {},
    {"patch_size": 3},
    {"missing": "decay"},
    {"missing": "decay", "patch_size": 3},
    {"missing": "indicator"},
    {"missing": "indicator", "patch_size": 3},
    {"time_feature": 0},
    {"time_feature": 0, "patch_size": 3},
]
# Each reading and network goes with all poolings at once, and with one of them alone in turn.
POOLINGS = ["last", "mean", "max", "attention"]
NETWORKS = [
    {"cell": "gru", "bidirectional": False},
    {"cell": "gru", "bidirectional": True, "reset_after": True},
    {"cell": "lstm", "bidirectional": True},
    {"cell": "rnn", "bidirectional": False, "bptt_steps": 2, "output_gate": True},
    {"cell": "lstm", "bidirectional": False, "bptt_steps": 2},
]
MODELS = [
    (GRUClassifier, {"n_classes": 2}),
    (GRUClassifier, {"n_classes": 3, "label_smoothing": 0.1}),
    (GRURegressor, {"loss": "squared_error"}),
    (GRURegressor, {"loss": "poisson"}),
    (GRURegressor, {"loss": "quantile", "quantiles": (0.1, 0.5)}),
    (GRURegressor, {"loss": "gaussian"}),
]
TRAININGS = [
    {"solver": "adam"},
    # Grouped by length, the sequences without a step share a batch.
    {"solver": "adam", "dropout": 0.2, "recurrent_dropout": 0.2, "group_by_length": True},
    {"solver": "lbfgs"},
]
OF_UPDATES = {"batch_size": N_EMPTY, "learning_rate": "constant", "shuffle": False}


def sequences(reading):
    """Return the sequences: those without a step come first, and with them a batch."""
    rng = np.random.default_rng(0)
    lengths = [0] * N_EMPTY + [4, 1, 6, 3, 5]
    if "embedding_dim" in reading:
        return [rng.integers(1, 5, length) for length in lengths]
    X = [rng.normal(size=(length, 2)) for length in lengths]
    for x in X:
        if "time_feature" in reading:
            x[:, 0] = np.cumsum(np.abs(x[:, 0]))
        elif "missing" in reading:
            x[:-1][rng.random(x[:-1].shape) < 0.4] = np.nan
    return X


def cases():
    parts = itertools.product(READING, NETWORKS)
    for i, (reading, network) in enumerate(parts):
        poolings = [tuple(POOLINGS), POOLINGS[i % len(POOLINGS)]]
        if "patch_size" not in reading:  # refused without a pooling
            poolings.append(None)
        for j, pooling in enumerate(poolings):
            case = f"{reading}-{pooling}-{network}"
            yield pytest.param(reading, pooling, network, i + j, id=case)


@pytest.mark.parametrize(("reading", "pooling", "network", "number"), list(cases()))
def test_a_batch_of_sequences_without_a_step(reading, pooling, network, number, monkeypatch):
    monkeypatch.setattr(_budget, "MAX_CHUNK_SEQUENCES", N_FILLED)
    X = sequences(reading)
    empty, filled = X[:N_EMPTY], X[N_EMPTY:]
    for i, (estimator, form) in enumerate(MODELS):
        training = TRAININGS[(i + number) % len(TRAININGS)]
        if training["solver"] == "adam":
            training = OF_UPDATES | {"shuffle": "group_by_length" in training} | training
        options = dict(form)
        n_classes = options.pop("n_classes", None)
        y = np.arange(len(X)) % (n_classes or 4)
        if pooling is None:
            y = [np.arange(len(x)) % (n_classes or 4) for x in X]
        model = estimator(
            3,
            pooling=pooling,
            max_iter=1,
            n_jobs=1,
            random_state=0,
            **options | reading | network | training,
        )
        model.fit(X, y)
        assert np.isfinite(model.loss_)
        assert all(np.isfinite(array).all() for array in model.parameters_.values())
        found = [model.predict(empty), *([model.predict_proba(empty)] if n_classes else [])]
        assert all(len(of_part) == N_EMPTY for of_part in found)
        if n_classes and pooling is not None:
            assert found[1].shape == (N_EMPTY, n_classes)
        assert len(model.predict(X)) == len(X)
        assert all(len(h) == 0 for h in model.transform_steps(empty))
        if pooling is None:
            assert all(len(steps) == 0 for of_part in found for steps in of_part)
            if n_classes:
                assert {p.shape for p in found[1]} == {(0, n_classes)}
        else:
            assert_array_equal(model.predict(X)[:N_EMPTY], model.predict(empty))
            assert not model.transform(empty).any()
            assert np.isfinite(model.score(empty, y[:N_EMPTY]))
        if training["solver"] == "adam":
            model.set_params(early_stopping=False)
            with pytest.raises(ValueError, match="X has no step"):
                model.partial_fit(empty, y[:N_EMPTY])
            model.partial_fit(filled, y[N_EMPTY:])
