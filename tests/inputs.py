"""Inputs that have learned from sequences, as an estimator would make and train them."""

import numpy as np

from skgru import GRUClassifier
from skgru._data.forms import open_form
from skgru._data.kinds import make_input
from tests.passes import encoder

NUMBERS = [np.array([[0.0, 3.0], [1.5, np.nan], [4.0, 5.0]]), np.array([[0.0, 7.0]])]
IDS = [np.array([4, 2, 9]), np.array([2])]
# What the parameters say, and the X that goes with it.
KINDS = {
    "numbers": ({}, [np.nan_to_num(x) for x in NUMBERS]),
    "missing": ({}, NUMBERS),
    "indicators": ({"missing": "indicator", "scaling": "robust"}, NUMBERS),
    "stamps": ({"time_feature": 0, "scaling": None}, NUMBERS),
    "tokens": ({"embedding_dim": 3}, IDS),
    "frozen tokens": (
        {"embedding_dim": "auto", "embedding_matrix": np.eye(10), "freeze_embedding": True},
        IDS,
    ),
}


def settings(**parameters):
    return GRUClassifier(**parameters)._settings


def met(kind):
    """Return an input that has met its X, the parsed X, and the settings."""
    parameters, X = KINDS[kind]
    of = settings(**parameters)
    opened = open_form(X)
    return *make_input(opened, of), of


def learned(kind, **form):
    """Return an input that has learned, for an encoder of that form, and the sequences."""
    part, parsed, _ = met(kind)
    sequences = parsed.sequences
    weights = np.ones(sequences.n_sequences)
    return part.learn(sequences, weights, encoder((4,), **form)), sequences
