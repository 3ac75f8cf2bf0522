"""Hints at the probable meaning of a parameter that is not understood.

A hint is a sentence with a space in front of it, for the end of an error message, or empty.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from difflib import get_close_matches
from numbers import Integral, Real
from typing import Any

import numpy as np

from skgru._compat import InvalidParameterError, Options, validate_parameter_constraints

# Values of other libraries and other parameters, spelled as `_key` spells them, and their meaning
# here: a value of the same parameter, or a dict of parameters.
_MEANT: dict[str, dict[str, Any]] = {
    "cell": {
        "bigru": {"cell": "gru", "bidirectional": True},
        "bilstm": {"cell": "lstm", "bidirectional": True},
        "elman": "rnn",
        "simple": "rnn",
        "simplernn": "rnn",
        "tanh": "rnn",
        "vanilla": "rnn",
        "minimal": "mingru",
    },
    "pooling": {
        "all": None,
        "attn": "attention",
        "average": "mean",
        "avg": "mean",
        "end": "last",
        "final": "last",
        "gap": "mean",
        "globalaverage": "mean",
        "globalmax": "max",
        "maximum": "max",
        "returnsequences": None,
        "selfattention": "attention",
        "sequence": None,
        "softmax": "attention",
    },
    "solver": {
        "adagrad": "adam",
        "adamax": "adam",
        "adamw": {"solver": "adam", "weight_decay": 0.1},
        "amsgrad": "adam",
        "bfgs": "lbfgs",
        "lbfgsb": "lbfgs",
        "momentum": "sgd",
        "nadam": "adam",
        "nesterov": {"solver": "sgd", "nesterovs_momentum": True},
        "newtoncg": "lbfgs",
        "rmsprop": "adam",
    },
    "learning_rate": {
        "annealing": "cosine",
        "cosineannealing": "cosine",
        "cosineannealinglr": "cosine",
        "exponential": "invscaling",
        "fixed": "constant",
        "inverse": "invscaling",
        "none": "constant",
        "onecycle": "cosine",
        "onecyclelr": "cosine",
        "optimal": "invscaling",
        "plateau": "adaptive",
        "polynomial": "invscaling",
        "reducelronplateau": "adaptive",
        "reduceonplateau": "adaptive",
        "step": "adaptive",
        "steplr": "adaptive",
        "warmup": "cosine",
    },
    "loss": {
        "absolute": "absolute_error",
        "gaussiannll": "gaussian",
        "huberloss": "huber",
        "l1": "absolute_error",
        "l2": "squared_error",
        "lad": "absolute_error",
        "leastsquares": "squared_error",
        "ls": "squared_error",
        "mae": "absolute_error",
        "meanabsoluteerror": "absolute_error",
        "meansquarederror": "squared_error",
        "median": "absolute_error",
        "mse": "squared_error",
        "nll": "gaussian",
        "normal": "gaussian",
        "pinball": "quantile",
        "rmse": "squared_error",
        "smoothl1": "huber",
        "squared": "squared_error",
        "squaredloss": "squared_error",
    },
    "scaling": {
        "instance": "sequence",
        "iqr": "robust",
        "median": "robust",
        "normalize": "standard",
        "persample": "sequence",
        "persequence": "sequence",
        "perseries": "sequence",
        "revin": "sequence",
        "robustscaler": "robust",
        "sample": "sequence",
        "series": "sequence",
        "standardise": "standard",
        "standardize": "standard",
        "standardscaler": "standard",
        "true": "standard",
        "zscore": "standard",
    },
    "missing": {
        "allow": "decay",
        "ffill": "decay",
        "forward": "decay",
        "grud": "decay",
        "impute": "indicator",
        "locf": "decay",
        "mask": "indicator",
        "mean": "indicator",
        "none": "error",
        "raise": "error",
    },
    "dtype": {"double": "float64", "float": "float64", "half": "float32", "single": "float32"},
    "class_weight": {
        "auto": "balanced",
        "balancedsubsample": "balanced",
        "inverse": "balanced",
        "true": "balanced",
    },
    "n_jobs": {"all": -1, "auto": -1, "max": -1},
    "n_iter_no_change": {"none": np.inf},
    "patch_size": {"0": 1},
    # of the metrics of tagged sequences
    "scheme": {
        "bieos": "BIOES",
        "bio2": "BIO",
        "biolu": "BILOU",
        "bioul": "BILOU",
        "conll": None,
        "conlleval": None,
        "default": None,
        "iob": "BIO",
        "iob1": None,
        "iob2": "BIO",
        "iobes": "BIOES",
        "lenient": None,
    },
    # of SequenceVectorizer and SequenceAligner
    "analyzer": {"character": "char", "token": "word"},
    "truncating": {"end": "post", "left": "pre", "right": "post", "start": "pre"},
    "aggregate": {"average": "mean", "avg": "mean", "maximum": "max", "minimum": "min"},
    "handle_unknown": {"raise": "error", "skip": "ignore"},
}

# Where a number stands that is another parameter's; the first that takes it.
_NUMBER_OF = {
    "learning_rate": ("learning_rate_init",),
    "solver": ("learning_rate_init",),
    "early_stopping": ("n_iter_no_change", "validation_fraction"),
    "cell": ("hidden_layer_sizes",),
    "loss": ("quantiles",),
}

_CPU = "skgru computes on the processor; n_jobs says on how many threads."
_NO_MINMAX = "Put PerTimestep(MinMaxScaler()) in front, or use scaling='standard' or 'robust'."
_NOTES = {
    "scaling": {
        "minmax": _NO_MINMAX,
        "minmaxscaler": _NO_MINMAX,
        # Where it is refused.
        "sequence": "It is for sequences: the rows of a table are none, and the windows of a "
        "forecaster are scaled by themselves already.",
    },
    "n_jobs": {"cuda": _CPU, "gpu": _CPU, "mps": _CPU},
    "solver": {"cuda": _CPU, "gpu": _CPU},
    "dtype": {"float16": "Expected at least single precision.", "cuda": _CPU, "gpu": _CPU},
}

# Names of parameters in other libraries, spelled as `_key` spells them.
_NAMES = {
    "batch": "batch_size",
    "bidir": "bidirectional",
    "celltype": "cell",
    "clipnorm": "max_grad_norm",
    "criterion": "loss",
    "dropoutrate": "dropout",
    "earlystop": "early_stopping",
    "embeddim": "embedding_dim",
    "embeddingsize": "embedding_dim",
    "epochs": "max_iter",
    "gradclip": "max_grad_norm",
    "gradientclip": "max_grad_norm",
    "hiddendim": "hidden_layer_sizes",
    "hiddensize": "hidden_layer_sizes",
    "hiddensizes": "hidden_layer_sizes",
    "hiddenunits": "hidden_layer_sizes",
    "inputsize": "features_per_step",
    "l2": "alpha",
    "lr": "learning_rate_init",
    "lrschedule": "learning_rate",
    "lrscheduler": "learning_rate",
    "maxepochs": "max_iter",
    "maxlen": "max_length",
    "maxwords": "max_features",
    "nepochs": "max_iter",
    "nestimators": "max_iter",
    "nfeatures": "features_per_step",
    "nhidden": "hidden_layer_sizes",
    "niter": "max_iter",
    "nlayers": "hidden_layer_sizes",
    "normalize": "scaling",
    "numepochs": "max_iter",
    "numlayers": "hidden_layer_sizes",
    "numunits": "hidden_layer_sizes",
    "numwords": "max_features",
    "nunits": "hidden_layer_sizes",
    "optim": "solver",
    "optimizer": "solver",
    "padding": "max_length",
    "pretrained": "embedding_matrix",
    "patience": "n_iter_no_change",
    "quantile": "quantiles",
    "rnntype": "cell",
    "returnsequences": "pooling",
    "scaler": "scaling",
    "schedule": "learning_rate",
    "scheduler": "learning_rate",
    "seed": "random_state",
    "units": "hidden_layer_sizes",
    "validationsplit": "validation_fraction",
    "valfraction": "validation_fraction",
    "valsplit": "validation_fraction",
    "vectors": "embedding_matrix",
    "wordvectors": "embedding_matrix",
    "workers": "n_jobs",
}
_NOTES_ON_NAMES = {
    "activation": "The cells have the activations of their equations; cell='rnn' is a tanh.",
    "device": _CPU,
    "loss": "The classifier minimizes the log-loss.",
}


def hint_at_value(name: str, value: Any, constraints: Mapping[str, Any]) -> str:
    """Return a hint at the value that was meant, or at the parameter that it was meant for.

    Parameters
    ----------
    name : str
    value : object
        The value that is not understood; of a sequence, some of its elements.
    constraints : dict
        `_parameter_constraints` of the estimator.
    """
    note = _NOTES.get(name, {}).get(_key(value))
    if note:
        return f" {note}"
    if isinstance(value, list | tuple) or np.ndim(value) == 1:
        meant = _meant_items(name, value, constraints)
    else:
        meant = _meant(name, value, constraints)
    if not meant:
        return ""
    return f" Did you mean {', '.join(f'{key}={item!r}' for key, item in meant.items())}?"


def hint_at_name(name: str, names: Collection[str]) -> str:
    """Return a hint at the parameter that was meant; `names` are all there are."""
    key = _key(name)
    by_key = {_key(known): known for known in names}
    close = get_close_matches(key, by_key, n=1, cutoff=0.7)
    meant = by_key.get(key) or _NAMES.get(key) or (by_key[close[0]] if close else None)
    if key in _NOTES_ON_NAMES and meant not in names:
        return f" {_NOTES_ON_NAMES[key]}"
    return f" Did you mean {meant!r}?" if meant in names else ""


def _key(value: Any) -> str:
    """Return a value as a string, all spellings of which are the same."""
    return re.sub(r"[^a-z0-9]", "", str(value).casefold())


def _meant(name: str, value: Any, constraints: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the first of the candidates that is valid, as a dict of parameters, or None.

    None is also for a value that is valid itself.
    """
    if _are_valid({name: value}, constraints):
        return None
    for candidate in _candidates(name, value, constraints):
        meant = candidate if isinstance(candidate, dict) else {name: candidate}
        if _are_valid(meant, constraints):
            return meant
    return None


def _meant_items(
    name: str, items: Iterable[Any], constraints: Mapping[str, Any]
) -> dict[str, Any] | None:
    """Return the same for a sequence of values, or None if there is nothing to say of any."""
    meant = [_meant(name, item, constraints) for item in items]
    if not any(meant) or any(item and item.keys() != {name} for item in meant):
        return None
    pairs = zip(items, meant, strict=True)
    return {name: tuple(item if found is None else found[name] for item, found in pairs)}


def _are_valid(parameters: dict[str, Any], constraints: Mapping[str, Any]) -> bool:
    if not parameters.keys() <= constraints.keys():
        return False
    try:
        validate_parameter_constraints(constraints, parameters, caller_name="")
    except InvalidParameterError:
        return False
    return True


def _candidates(name: str, value: Any, constraints: Mapping[str, Any]) -> Iterator[Any]:
    """Yield the values that may have been meant, the likeliest first."""
    if isinstance(value, type | np.dtype):
        yield from _candidates(name, getattr(value, "__name__", str(value)), constraints)
        return
    if not (value is None or isinstance(value, str | Real)):
        return
    key = _key(value)
    if key in _MEANT.get(name, {}):
        yield _MEANT[name][key]
    if isinstance(value, str):
        yield from _candidates_for_text(name, key, value, constraints)
    elif value is None:
        yield "auto"
    elif isinstance(value, bool):
        yield from () if value else (None,)
    else:
        yield from _candidates_for_number(name, value, constraints)


def _candidates_for_text(
    name: str, key: str, value: str, constraints: Mapping[str, Any]
) -> Iterator[Any]:
    of_keys = {_key(option): option for option in _options(constraints[name])}
    if key in of_keys:
        yield of_keys[key]
    words = {"none": None, "null": None, "true": True, "yes": True, "false": False, "no": False}
    if key in words:
        yield words[key]
    try:
        number = float(value)
    except ValueError:
        for other in constraints:
            if other != name and key in map(_key, _options(constraints[other]) - {"auto"}):
                yield {other: next(o for o in _options(constraints[other]) if _key(o) == key)}
        for close in get_close_matches(key, of_keys, n=1, cutoff=0.7):
            yield of_keys[close]
    else:
        yield int(number) if number.is_integer() else number


def _candidates_for_number(name: str, value: Any, constraints: Mapping[str, Any]) -> Iterator[Any]:
    if not isinstance(value, Integral):
        if float(value).is_integer():
            yield int(value)
    elif value in (0, 1) and "boolean" in constraints[name]:
        yield bool(value)
    if 2 <= value <= 100 and float(value).is_integer():
        yield int(value) / 100  # a percentage
    for other in _NUMBER_OF.get(name, ()):
        yield {other: value}
    if value in (0, np.inf):
        yield None


def _options(constraints: Any) -> set[str]:
    """Return the strings that a parameter may be."""
    if isinstance(constraints, str):  # "no_validation"
        return set()
    sets = [constraint.options for constraint in constraints if isinstance(constraint, Options)]
    return {option for options in sets for option in options if isinstance(option, str)}
