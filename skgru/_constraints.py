"""The values that parameters may have, in groups that the estimators and the branches share."""

from collections import ChainMap
from numbers import Integral, Real
from typing import Any

import numpy as np
from sklearn.metrics import get_scorer_names

from skgru._compat import Interval, Options, StrOptions
from skgru._engine.solvers import SOLVERS
from skgru._nn.pooling import POOLINGS
from skgru._nn.recurrent import CELLS
from skgru._nn.schedules import SCHEDULES

# A table's keys are a view of it: what stands in the table is allowed.

# The training: of all estimators.
TRAINING = {
    "solver": [StrOptions(SOLVERS.keys())],
    "alpha": [Interval(Real, 0, None, closed="left")],
    "batch_size": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
    "learning_rate": [StrOptions(SCHEDULES.keys())],
    "learning_rate_init": [Interval(Real, 0, None, closed="neither")],
    "power_t": [Interval(Real, 0, None, closed="left")],
    "max_iter": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
    "shuffle": ["boolean"],
    "random_state": ["random_state"],
    "tol": [Interval(Real, 0, None, closed="left")],
    "verbose": ["verbose"],
    "warm_start": ["boolean"],
    "momentum": [Interval(Real, 0, 1, closed="both")],
    "nesterovs_momentum": ["boolean"],
    "early_stopping": [StrOptions({"auto"}), "boolean"],
    "validation_fraction": [Interval(Real, 0, 1, closed="left")],
    "scoring": [StrOptions({"loss", *get_scorer_names()}), callable, None],
    "beta_1": [Interval(Real, 0, 1, closed="left")],
    "beta_2": [Interval(Real, 0, 1, closed="left")],
    "epsilon": [Interval(Real, 0, None, closed="neither")],
    "n_iter_no_change": [
        Interval(Integral, 1, None, closed="left"),
        Options(Real, {np.inf}),
    ],
    "max_fun": [Interval(Integral, 1, None, closed="left")],
    "warmup_fraction": [Interval(Real, 0, 1, closed="left")],
    "weight_decay": [Interval(Real, 0, None, closed="left")],
    "max_grad_norm": [Interval(Real, 0, None, closed="neither"), None],
    "group_by_length": ["boolean", StrOptions({"auto"})],
    "bptt_steps": [Interval(Integral, 1, None, closed="left"), None],
    "n_jobs": [
        Interval(Integral, None, -1, closed="right"),
        Interval(Integral, 1, None, closed="left"),
        None,
    ],
    "dtype": [StrOptions({"float32", "float64"})],
}

_POOLINGS = ChainMap[str, Any]({"auto": None}, POOLINGS)

# The recurrent layers and the pooling above them.
RECURRENCE = {
    "hidden_layer_sizes": ["array-like", Interval(Integral, 1, None, closed="left")],
    "cell": [StrOptions(CELLS.keys()), "array-like"],
    "reset_after": ["boolean"],
    "output_gate": ["boolean"],
    "bidirectional": [StrOptions({"auto"}), "boolean"],
    "pooling": [
        StrOptions(_POOLINGS.keys()),
        "array-like",
        None,
    ],
    "patch_size": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
    "shift_patches": ["boolean"],
    "dropout": [StrOptions({"auto"}), Interval(Real, 0, 1, closed="left")],
    "recurrent_dropout": [StrOptions({"auto"}), Interval(Real, 0, 1, closed="left")],
}

# Inputs of numbers.
NUMBERS = {
    "features_per_step": [Interval(Integral, 1, None, closed="left")],
    "scaling": [StrOptions({"standard", "robust", "sequence", "auto"}), None],
    "missing": [StrOptions({"decay", "indicator", "error"})],
    "time_feature": [Integral, str, None],
}

# Inputs of numbers of which a sample has one sequence.
CONVOLUTIONS = {
    "n_convolutions": [StrOptions({"auto"}), Interval(Integral, 0, None, closed="left")],
}

# Inputs of token ids.
TOKENS = {
    "embedding_dim": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left"), None],
    "embedding_matrix": "no_validation",  # a matrix, or any source of word vectors
    "freeze_embedding": ["boolean"],
    "token_dropout": [Interval(Real, 0, 1, closed="left")],
    "bag": [StrOptions({"auto"}), "boolean"],
}
