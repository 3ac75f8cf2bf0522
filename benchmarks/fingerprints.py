"""Fingerprints of many small fits: whether two commits give the same results, bit for bit.

    python benchmarks/fingerprints.py [--only SUBSTRING] > some/file

Each line names a configuration and gives digests of what was learned (parameters, scaling, classes,
tokens), of predictions (of all kinds, of one sequence alone, by the model pickled and loaded) and
of the history (losses, scores, numbers of epochs and samples, what "auto" stood for). Two commits
are compared by `diff` of what this file prints with either checkout as PYTHONPATH. The digests are
those of one machine and one set of dependencies, which the first line names.

Some configurations are chosen, with options that meet in the code; others are drawn, any option
with any others, the same ones in each run. What takes branches of its own belongs here: new options
get lines of their own, and their places in OPTIONS.
"""

import argparse
import hashlib
import pickle
import random
import sys
import warnings
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import partial
from itertools import chain
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import polars as pl
import scipy
import sklearn
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import Binarizer, StandardScaler

import skgru
from skgru import (
    GRUClassifier,
    GRURegressor,
    PerTimestep,
    SequenceAligner,
    SequenceVectorizer,
    make_windows,
)

N_DRAWN = 60

# With a trailing underscore, as the estimators have them; not all have each.
LEARNED = (
    "parameters",
    "classes",
    "feature_mean",
    "feature_scale",
    "gap_scale",
    "has_missing",
    "token_ids",
    "target_mean",
    "target_scale",
)
HISTORY = (
    "loss_curve",
    "loss",
    "best_loss",
    "validation_scores",
    "best_validation_score",
    "n_iter",
    "t",
    "auto_params",
)


def fit(model, X, y, **arguments):
    """Fit once: the usual way to train."""
    model.fit(X, y, **arguments)


class Case(NamedTuple):
    """A configuration: `train(model, X, y, **arguments)`, and then predictions of `new`, or of X.

    `weights` are for the score.
    """

    name: str
    model: Any
    X: Any
    y: Any
    arguments: dict[str, Any] = {}
    train: Callable[..., None] = fit
    new: tuple[Any, Any] | None = None
    weights: Any = None


# --- Digests --------------------------------------------------------------------------------------


def digest(value):
    """Return some digits that tell what was computed from what differs in any bit."""
    sha = hashlib.sha256()
    for part in encode(value):
        sha.update(part)
    return sha.hexdigest()[:12]


def encode(value):
    """Yield the bytes of numbers, arrays, texts and None, in sequences and dicts of them."""
    if isinstance(value, dict):
        value = tuple(value.items())
    is_array = isinstance(value, np.ndarray)
    if isinstance(value, list | tuple) or (is_array and value.dtype == object):
        yield f"{np.shape(value) if is_array else len(value)}:".encode()
        for item in value.ravel() if is_array else value:
            yield from encode(item)
    elif isinstance(value, float):  # NumPy's of double precision, too
        yield float(value).hex().encode()
    elif isinstance(value, np.ndarray | np.generic):
        yield f"{value.dtype.str}{value.shape}:".encode()
        yield np.ascontiguousarray(value).tobytes()
    elif value is None or isinstance(value, str | bool | int):
        yield repr(value).encode()
    else:
        raise TypeError(f"no digest of {type(value).__name__}")
    yield b";"


def attributes(model, names):
    return {name: getattr(model, f"{name}_") for name in names if hasattr(model, f"{name}_")}


def predictions(model, X, y, weights=None):
    """Yield what the model says of X, in all ways there are."""
    ways = [model.predict, model.transform_steps]
    if hasattr(model, "predict_proba"):
        ways += [model.predict_proba, model.predict_log_proba]
    elif model.loss == "gaussian":
        ways += [partial(model.predict, return_std=True)]
    if model.pooling is not None:
        ways += [model.transform]
    for way in ways:
        yield way(X)
        yield way(X[:1])  # one sequence alone: a way of its own
    yield model.score(X, y, weights)
    yield pickle.loads(pickle.dumps(model)).predict(X[:3])


def fingerprints(case):
    """Return the digests of parameters, predictions and history."""
    case.train(case.model, case.X, case.y, **case.arguments)
    X, y = case.new or (case.X, case.y)
    said = list(predictions(case.model, X, y, case.weights))
    return [
        digest(value)
        for value in (attributes(case.model, LEARNED), said, attributes(case.model, HISTORY))
    ]


# --- Data -----------------------------------------------------------------------------------------


def walks(seed, n=40, lengths=(2, 12), n_features=3, holes=0.0, time=False, empty=False):
    """Return sequences of numbers; a share of them missing, the first feature a time stamp."""
    rng = np.random.default_rng(seed)
    X = []
    for i in range(n):
        n_steps = 0 if empty and i == 3 else rng.integers(lengths[0], lengths[1] + 1)
        x = 5 + 3 * rng.standard_normal((n_steps, n_features)).cumsum(axis=0)
        x[rng.random(x.shape) < holes] = np.nan
        x[:, -1:] = np.nan_to_num(x[:, -1:], nan=1.0)  # the last feature is always seen
        if time:
            x[:, 0] = rng.integers(0, 4, n_steps).cumsum() / 2
        X.append(x)
    return X


def texts(seed, n=40, lengths=(1, 15), n_tokens=30):
    """Return sequences of token ids."""
    rng = np.random.default_rng(seed)
    return [rng.integers(1, n_tokens, rng.integers(lengths[0], lengths[1] + 1)) for _ in range(n)]


def padded(X, width, value=0):
    """Return sequences as one array of so many steps, filled up at their ends."""
    array = np.full((len(X), width, *X[0].shape[1:]), value, X[0].dtype)
    for row, x in zip(array, X, strict=True):
        row[: min(len(x), width)] = x[:width]
    return array


def objects(X):
    """Return sequences in an object array."""
    array = np.empty(len(X), object)
    array[:] = X
    return array


def numbers_of(X):
    """Return a target for each sequence that depends on it."""
    return np.array([np.nansum(x[-3:]) / 10 + 0.1 * len(x) for x in X])


def classes_of(X, n_classes=3, names=None):
    """Return a class of each sequence, all about as frequent."""
    numbers = numbers_of(X)
    edges = np.quantile(numbers, np.linspace(0, 1, n_classes + 1)[1:-1])
    classes = np.searchsorted(edges, numbers)
    return classes if names is None else np.array(names)[classes]


def labels_of(X, n_labels=3):
    """Return several labels of each sequence."""
    return np.stack([classes_of(X, k + 2) > 0 for k in range(n_labels)], axis=1).astype(int)


def targets_of(X, n_targets=2):
    """Return several numbers for each sequence."""
    return np.stack([numbers_of([x[k:] for x in X]) for k in range(n_targets)], axis=1)


def at_steps(X, seed=0, missing=0.0, n_targets=None, classes=False):
    """Return targets of the steps of each sequence; a share of them missing."""
    rng = np.random.default_rng(seed)
    y = []
    for x in X:
        sums = np.nancumsum(x.reshape(len(x), -1).sum(axis=1))[:, None] / 10
        targets = np.sin(sums * np.arange(1, (n_targets or 1) + 1))
        targets = np.where(targets > 0, 1.0, 0.0) if classes else targets
        targets[rng.random(len(x)) < missing] = np.nan
        y.append(targets if n_targets else targets[:, 0])
    return y


def weights_of(X, seed=0):
    """Return a weight for each sequence; every fifth is zero."""
    weights = np.random.default_rng(seed).uniform(0.2, 3, len(X))
    weights[::5] = 0
    return weights


def frames_of(X, library, dates=False):
    """Return each sequence as a DataFrame; the first column holds numbers or dates."""
    frames = []
    for x in X:
        columns = {"when": x[:, 0], "left": x[:, 1], "right": x[:, 2]}
        if dates:
            hours = (x[:, 0] * 3600).astype("timedelta64[s]")
            columns["when"] = np.datetime64("2024-02-28T22:00:00", "ns") + hours
        frames.append(library.DataFrame(columns))
    return frames


# --- Configurations -------------------------------------------------------------------------------

CLASSES = ["calm", "rising", "wild"]


def classifier(hidden_layer_sizes=8, *, max_iter=3, random_state=0, **options):
    return GRUClassifier(
        hidden_layer_sizes, max_iter=max_iter, random_state=random_state, **options
    )


def regressor(hidden_layer_sizes=8, *, max_iter=3, random_state=0, **options):
    return GRURegressor(hidden_layer_sizes, max_iter=max_iter, random_state=random_state, **options)


def networks() -> Iterator[Case]:
    """Cells, directions, poolings; missing values and times; patches and pieces."""
    X, holes = walks(1), walks(2, holes=0.3, empty=True)
    timed, timed_holes = walks(3, time=True), walks(4, holes=0.3, time=True)
    long = walks(5, n=12, lengths=(130, 260), n_features=2)
    y = classes_of(X, names=CLASSES)
    yield Case("defaults", classifier(), X, y)
    yield Case("defaults, regression", regressor(), X, numbers_of(X))
    yield Case("defaults, all of max_iter", GRUClassifier(4, random_state=0), X[:20], y[:20])
    both = {"bidirectional": True}
    joined = ("last", "mean", "max", "attention")
    yield Case("lstm, both ways, mean", classifier(cell="lstm", pooling="mean", **both), X, y)
    yield Case(
        "rnn, one way, max", classifier(cell="rnn", pooling="max", bidirectional=False), X, y
    )
    mixed = classifier(
        (8, 6, 5),
        cell=("lstm", "gru", "rnn"),
        output_gate=True,
        pooling=joined,
        recurrent_dropout=0.2,
        **both,
    )
    yield Case("mixed cells, output gates, joined poolings", mixed, X, y)
    attention = classifier((8, 6), reset_after=True, pooling="attention", dropout=0.3)
    yield Case("reset after, attention", attention, X, y)
    gates = regressor((8, 6), reset_after=True, output_gate=True, pooling="mean", **both)
    yield Case("reset after and output gates", gates, X, numbers_of(X))
    for cell in ("gru", "lstm", "rnn"):
        decay = classifier((8, 6), cell=cell, output_gate=cell == "rnn", **both)
        yield Case(f"decay, {cell}, both ways", decay, holes, classes_of(holes))
    decay = regressor((8, 6), reset_after=True, pooling="attention", recurrent_dropout=0.1)
    yield Case("decay, reset after, one way", decay, holes, numbers_of(holes))
    indicator = classifier(missing="indicator", pooling=("max", "last"), scaling="robust")
    yield Case("indicator, robust", indicator, holes, classes_of(holes, 2))
    raw = regressor(missing="indicator", scaling=None, patch_size=3, learning_rate_init=1e-3)
    yield Case("indicator, unscaled, patches", raw, holes, numbers_of(holes))
    yield Case("decay, patches", classifier(patch_size=3), holes, classes_of(holes))
    absent = (holes, numbers_of(holes))
    constant = [np.column_stack([x, np.ones(len(x)), np.full(len(x), np.nan)]) for x in holes]
    for scaling in ("standard", "robust"):
        flat = classifier(scaling=scaling, missing="indicator")
        yield Case(f"constant and never seen, {scaling}", flat, constant, classes_of(holes))
    sizes = [10.0 ** (i % 7 - 5) * x for i, x in enumerate(X)]
    yield Case("own scales, by themselves", classifier(), sizes, classes_of(X))
    own = regressor(scaling="sequence", patch_size=3)
    yield Case("own scales, decay, patches", own, holes, numbers_of(holes))
    yield Case("missing is an error", regressor(missing="error"), X, numbers_of(X))
    yield Case("missing in predictions only", regressor(), X, numbers_of(X), new=absent)
    yield Case("time", classifier(time_feature=0, **both), timed, classes_of(timed))
    by_time = regressor((6, 6), time_feature=0, cell=("gru", "lstm"), missing="indicator")
    own = classifier(scaling="sequence", time_feature=0, missing="indicator")
    yield Case("own scales, time, indicator", own, timed_holes, classes_of(timed_holes))
    yield Case("time, indicator", by_time, timed_holes, numbers_of(timed_holes))
    patches = classifier(time_feature=0, patch_size=2, shift_patches=False)
    yield Case("time, decay, patches", patches, timed_holes, classes_of(timed_holes))
    pieces = regressor(time_feature=0, bptt_steps=4, pooling=("last", "mean"), dropout=0.2)
    yield Case("time, decay, pieces", pieces, timed_holes, numbers_of(timed_holes))
    yield Case("long, patches by themselves", classifier(), long, classes_of(long))
    still = regressor(shift_patches=False, bidirectional=True, cell="lstm")
    yield Case("long, patches that stay", still, long, numbers_of(long))
    for pooling in ("last", "max", "attention"):
        pieces = classifier((8, 6), bptt_steps=50, pooling=pooling, recurrent_dropout=0.2)
        yield Case(f"pieces, {pooling}", pieces, long, classes_of(long, 2))
    pieces = regressor(bptt_steps=9, patch_size=4, cell="lstm", pooling=("mean", "attention"))
    yield Case("pieces of patches", pieces, long, numbers_of(long))


def tokens() -> Iterator[Case]:
    """Token ids, and texts."""
    X = texts(11)
    y, more = classes_of(X), texts(12, n=10, n_tokens=40)
    options = {"embedding_dim": 6}
    matrix = np.random.default_rng(13).standard_normal((30, 5))
    yield Case("tokens", classifier(**options), X, y, new=(more, classes_of(more)))
    rect = padded(X, 9)
    yield Case("tokens, matrix", classifier(token_dropout=0.2, **options), rect, y)
    given = classifier(embedding_matrix=matrix, dropout=0, pooling="attention")
    yield Case("tokens, vectors given", given, X, y)
    frozen = regressor(embedding_matrix=matrix, freeze_embedding=True, token_dropout=0.1)
    yield Case("tokens, vectors frozen", frozen, X, numbers_of(X))
    patches = classifier(patch_size=2, pooling="mean", cell="lstm", **options)
    yield Case("tokens, patches", patches, X, y)
    pieces = classifier(bptt_steps=5, group_by_length=True, batch_size=5, **options)
    yield Case("tokens, pieces, grouped by length", pieces, X, y)
    by_step = classifier(pooling=None, bidirectional=True, **options)
    yield Case("tokens, targets of steps", by_step, X, at_steps(X, classes=True))
    exact = classifier(4, solver="lbfgs", dtype="float64", **options)
    yield Case("tokens, lbfgs, float64", exact, X, y)
    documents = [" ".join(f"w{token}" for token in x) for x in X]
    for max_length in (None, 8):
        read = SequenceVectorizer(ngram_range=(1, 2), min_df=2, max_length=max_length)
        ids = read.fit_transform(documents)
        yield Case(f"texts, max_length {max_length}", classifier(4, max_iter=2), ids, y)
    grouped = classifier(batch_size=4, group_by_length="auto", **options)
    yield Case("tokens, grouped if length tells nothing", grouped, X, np.arange(40) % 2)


def solvers() -> Iterator[Case]:
    """Solvers, schedules, stopping, several calls."""
    X, X_val = walks(21), walks(22, n=15)
    y, y_val = classes_of(X, names=CLASSES), classes_of(X_val, names=CLASSES)
    numbers = numbers_of(X)
    for schedule in ("constant", "invscaling", "adaptive", "cosine"):
        options = {"learning_rate": schedule, "learning_rate_init": 0.05, "batch_size": 7}
        adam = classifier(max_iter=5, tol=1, n_iter_no_change=1, weight_decay=0.3, **options)
        yield Case(f"adam, {schedule}", adam, X, y)
        sgd = regressor(
            solver="sgd", nesterovs_momentum=schedule in ("adaptive", "cosine"), **options
        )
        yield Case(f"sgd, {schedule}", sgd, X, numbers)
    free = {"max_grad_norm": None, "shuffle": False, "alpha": 0.1}
    yield Case("neither clipped nor shuffled", classifier(beta_1=0.8, **free), X, y)
    clipped = regressor(max_grad_norm=0.05, beta_2=0.99, epsilon=1e-4, warmup_fraction=0.5)
    yield Case("clipped hard", clipped, X, numbers)
    drawn = regressor(random_state=np.random.RandomState(5), dropout=0.4, batch_size=40)
    yield Case("random state given, one batch", drawn, X, numbers)
    yield Case("one small batch, in double precision", classifier(), X[:20], y[:20])
    exact = classifier((5, 4), solver="lbfgs", pooling="attention", alpha=0.01, max_iter=4)
    yield Case("lbfgs", exact, X, y)
    holes = walks(23, holes=0.3)
    exact = regressor(5, solver="lbfgs", cell="lstm", bidirectional=True, max_iter=4)
    validation = {"X_val": holes[:9], "y_val": numbers_of(holes)[:9]}
    yield Case("lbfgs, decay, validated", exact, holes, numbers_of(holes), validation)
    stopping = {"early_stopping": True, "learning_rate": "constant", "n_iter_no_change": 1}
    stopping |= {"learning_rate_init": 0.1, "max_iter": 8}
    held_out = classifier(validation_fraction=0.25, **stopping)
    yield Case("stopped early, held out", held_out, X, y)
    held_out = regressor(validation_fraction=0.2, **stopping)
    weights = weights_of(X)
    weighted = {"sample_weight": weights}
    yield Case("stopped early, weighted", held_out, X, numbers, weighted, weights=weights)
    validation = {"X_val": X_val, "y_val": y_val, "sample_weight_val": weights_of(X_val)}
    yield Case("stopped early, validation set", classifier(**stopping), X, y, validation)
    scored = classifier(early_stopping=False)
    yield Case("validated, not stopped", scored, X, y, {"X_val": X_val, "y_val": y_val})
    by_step = regressor(pooling=None, early_stopping=True, validation_fraction=0.2)
    yield Case("stopped early, targets of steps", by_step, X, at_steps(X, missing=0.2))

    yield Case("partial_fit", classifier(dropout=0.1), X, y, {"classes": CLASSES}, in_calls)
    cosine = regressor(max_iter=4, patch_size=2)
    yield Case("partial_fit, cosine", cosine, holes, numbers_of(holes), train=in_calls)
    change = [{"solver": "sgd"}, {"solver": "adam"}, {"learning_rate": "invscaling"}]
    later = partial(in_calls, changes=change)
    steady = regressor(max_iter="auto", pooling=("max", "mean"))
    yield Case("partial_fit, changing the solver", steady, X, numbers, train=later)
    unknown = classifier(embedding_dim=4)
    ids = texts(24)
    yield Case(
        "partial_fit, tokens", unknown, ids, classes_of(ids), {"classes": [0, 1, 2]}, in_calls
    )
    yield Case("warm_start", classifier(warm_start=True), X, y, train=again)
    warm = regressor(warm_start=True, solver="lbfgs", missing="indicator")
    yield Case("warm_start, lbfgs", warm, holes, numbers_of(holes), train=again)


def in_calls(model, X, y, classes=None, changes=({}, {}, {})):
    """Train by a call for each quarter of the data, changing parameters in between."""
    first = {} if classes is None else {"classes": classes}
    quarter = len(X) // 4
    for i, change in enumerate([{}, *changes]):
        part = slice(i * quarter, (i + 1) * quarter)
        model.set_params(**change).partial_fit(X[part], y[part], **(first if i == 0 else {}))


def again(model, X, y):
    """Fit twice, the second time to other data with another rate."""
    model.fit(X[:-9], y[:-9])
    model.set_params(learning_rate_init=0.003, max_iter=2).fit(X[9:], y[9:])


def targets() -> Iterator[Case]:
    """Losses, classes, labels, weights; targets of steps."""
    X, holes = walks(31), walks(32, holes=0.2)
    numbers, both = numbers_of(X), targets_of(X)
    counts = np.abs(numbers).astype(int)
    pinball = {"loss": "quantile", "quantiles": [0.1, 0.5, 0.8]}
    yield Case("squared error, two targets", regressor(cell="lstm"), X, 1e6 + both)
    yield Case("absolute error", regressor(loss="absolute_error", pooling="max"), X, numbers)
    yield Case("huber", regressor(loss="huber", huber_delta=0.5, solver="sgd"), X, both)
    yield Case("quantile", regressor(loss="quantile", quantiles=0.3), X, numbers)
    yield Case("quantiles, two targets", regressor(**pinball), X, both)
    yield Case("quantiles, lbfgs", regressor(solver="lbfgs", **pinball), holes, numbers_of(holes))
    yield Case("poisson", regressor(loss="poisson", scaling="robust"), X, counts)
    yield Case("gaussian", regressor(loss="gaussian", dtype="float64"), X, numbers)
    weights = weights_of(X)
    weighted = {"arguments": {"sample_weight": weights}, "weights": weights}
    yield Case("gaussian, two targets, weights", regressor(loss="gaussian"), X, both, **weighted)
    balanced = {"class_weight": "balanced", "label_smoothing": 0.1}
    yield Case("two classes, weights", classifier(**balanced), X, classes_of(X, 2), **weighted)
    named = classifier(class_weight={"calm": 0.5, "wild": 3}, label_smoothing=0.2)
    yield Case("classes, weights", named, X, classes_of(X, names=CLASSES), **weighted)
    several = classifier(class_weight=[{0: 1, 1: 2}] * 3, label_smoothing=0.05)
    yield Case("labels", several, X, labels_of(X))
    yield Case(
        "labels, lbfgs, float64", classifier(solver="lbfgs", dtype="float64"), X, labels_of(X)
    )

    steps = {"pooling": None}
    y = [np.where(np.isnan(t), None, t > 0.5) for t in at_steps(X, missing=0.3, classes=True)]
    yield Case("steps, classes, some missing", classifier(bidirectional=True, **steps), X, y)
    y = at_steps(holes, missing=0.3, n_targets=2)
    yield Case("steps, decay, two targets", regressor((6, 5), **steps), holes, y)
    rng = np.random.default_rng(33)
    of_steps = [rng.integers(0, 3, len(x)).astype(float) for x in X]
    weighted = {"arguments": {"sample_weight": of_steps}, "weights": of_steps}
    pinball |= {"cell": "lstm", "dropout": 0.2}
    yield Case(
        "steps, weights, quantiles", regressor(**steps, **pinball), X, at_steps(X), **weighted
    )
    pieces = classifier(bptt_steps=3, class_weight={0: 1, 1: 2}, **steps)
    y = at_steps(X, n_targets=2, classes=True)
    yield Case("steps, labels, pieces", classifier(bptt_steps=3, **steps), X, y)
    yield Case("steps, class weights", pieces, X, at_steps(X, classes=True), **weighted)
    deviations = regressor(loss="gaussian", group_by_length=True, batch_size=4, **steps)
    yield Case("steps, gaussian, grouped", deviations, X, at_steps(X, missing=0.1))


def forms() -> Iterator[Case]:
    """The containers that data come in."""
    X = walks(41, time=True)
    y, numbers = classes_of(X, 2, names=["no", "yes"]), numbers_of(X)
    cube = padded(X, 14, np.nan)
    yield Case("3-D array, padded", classifier(), cube, y)
    yield Case("table", classifier(features_per_step=3), cube.reshape(40, -1), list(y))
    table = pd.DataFrame(cube[:, :4, 1]).rename(columns=str)
    yield Case("DataFrame, a column per step", regressor(), table, pd.Series(numbers))
    yield Case("object array", regressor(), objects(X), numbers)
    one = [x[:, 1] for x in X]
    yield Case("lists of numbers", classifier(), [x.tolist() for x in one], y)
    yield Case("Series of arrays", regressor(), pd.Series(one), numbers)
    masked = np.ma.masked_where(cube > 15, cube)
    yield Case("masked array", classifier(), masked, y)
    whole = [np.rint(x).astype(int) for x in X]
    yield Case("integers", regressor(), whole, numbers)
    cells = [[[None if v > 15 else v for v in row] for row in x.tolist()] for x in X]
    yield Case("lists of rows, some None", classifier(), cells, y)
    start = datetime(2024, 2, 28, 22)
    cells = [[[start + timedelta(hours=t), *row] for t, *row in x.tolist()] for x in X]
    yield Case("lists of rows with dates", classifier(time_feature=0), cells, y)
    for library in (pd, pl):
        name = library.__name__
        dated = frames_of(X, library, dates=True)
        by_date = classifier(time_feature="when", missing="decay")
        yield Case(f"frames of {name} with dates", by_date, dated, y)
        yield Case(
            f"frames of {name}", regressor(time_feature="when"), frames_of(X, library), numbers
        )
        columns = {name: [x[:, i].tolist() for x in X] for i, name in enumerate("abc")}
        cells = library.DataFrame(columns)
        yield Case(f"DataFrame of {name}, cells of numbers", classifier(dtype="float64"), cells, y)
    steps = make_pipeline(PerTimestep(StandardScaler()), PerTimestep(Binarizer()))
    yield Case("each step transformed", classifier(), steps.fit(X).transform(X), y)
    events = [(i, x[0], "ab"[j % 2], x[1]) for i, s in enumerate(X) for j, x in enumerate(s)]
    aligned = SequenceAligner().fit(events).transform(events, samples=range(40))
    yield Case("events aligned", classifier(time_feature=0), aligned, y)
    series = np.sin(np.arange(120) / 3) + np.random.default_rng(42).standard_normal(120) / 9
    windows, ahead = make_windows(series, window=10, horizon=[1, 3])
    yield Case("windows", regressor(batch_size=64), windows, ahead)


def sizes() -> Iterator[Case]:
    """What is cut into parts: batches on threads, many sequences, long ones."""
    X = walks(51, n=150, lengths=(2, 7), n_features=4)
    y, numbers = classes_of(X), numbers_of(X)
    for n_jobs in (1, 2):
        options = {"batch_size": 128, "max_iter": 2, "n_jobs": n_jobs}
        yield Case(f"wide, n_jobs={n_jobs}", classifier(128, dropout=0.1, **options), X, y)
        lstm = regressor((128, 16), cell="lstm", bidirectional=True, **options)
        yield Case(f"wide, lstm, n_jobs={n_jobs}", lstm, X, numbers)
        four = regressor(128, pooling=None, **options | {"batch_size": 256})
        many = walks(52, n=300, lengths=(2, 5), holes=0.2)
        yield Case(f"wide, decay, steps, n_jobs={n_jobs}", four, many, at_steps(many))
    pieces = classifier(128, bptt_steps=3, batch_size=128, max_iter=2)
    yield Case("wide, pieces", pieces, X, y)
    ids = texts(53, n=150, lengths=(1, 6))
    wide = classifier(128, embedding_dim=8, batch_size=128, max_iter=2, token_dropout=0.1)
    yield Case("wide, tokens", wide, ids, classes_of(ids))
    many = walks(54, n=600, lengths=(1, 6), n_features=4)
    for bidirectional in (False, True):
        model = classifier(64, bidirectional=bidirectional, n_jobs=2)
        new = many, classes_of(many)
        yield Case(f"600 sequences, both ways {bidirectional}", model, X[:40], y[:40], new=new)
    # One direction is read in pieces that memory bounds, with 64 units of a few hundred steps here.
    short, long = walks(55, holes=0.1), walks(56, n=9, lengths=(900, 1500), holes=0.1)
    for cell, pooling in (("gru", ("last", "mean", "max", "attention")), ("lstm", None)):
        model = regressor(64, cell=cell, pooling=pooling, patch_size=1, max_iter=2)
        y, y_long = (
            (numbers_of(short), numbers_of(long)) if pooling else map(at_steps, (short, long))
        )
        yield Case(f"long in prediction, {cell}", model, short, y, new=(long, y_long))


OPTIONS = {
    "hidden_layer_sizes": [7, (6, 5)],
    "cell": ["gru", "gru", "lstm", "rnn", ("gru", "lstm"), ("rnn", "gru")],
    "reset_after": [False, True],
    "output_gate": [False, False, True],
    "bidirectional": ["auto", False, True],
    "pooling": ["auto", "last", "mean", "max", "attention", ("attention", "max", "last"), None],
    "missing": ["decay", "indicator"],
    "patch_size": ["auto", 1, 3],
    "shift_patches": [True, False],
    "bptt_steps": [None, None, 5],
    "dropout": ["auto", 0, 0.3],
    "recurrent_dropout": [0, 0, 0.2],
    "token_dropout": [0, 0.2],
    "solver": ["adam", "adam", "sgd", "lbfgs"],
    "nesterovs_momentum": [True, False],
    "learning_rate": ["constant", "invscaling", "adaptive", "cosine"],
    "early_stopping": ["auto", False, True],
    "batch_size": ["auto", 9],
    "group_by_length": ["auto", True, False],
    "scaling": ["auto", "standard", "robust", "sequence", None],
    "dtype": ["float32", "float32", "float64"],
    "max_grad_norm": [1.0, 0.1, None],
    "alpha": [1e-4, 0.01],
}
LOSSES = ["squared_error", "absolute_error", "huber", "quantile", "poisson", "gaussian"]


def drawn() -> Iterator[Case]:
    """Draw any option with any others, of those that go together."""
    for i in range(N_DRAWN):
        rng = random.Random(i)
        options = {name: rng.choice(values) for name, values in OPTIONS.items()}
        if isinstance(options["cell"], tuple):
            options["hidden_layer_sizes"] = (6, 5)
        if options["pooling"] is None:
            options["patch_size"] = 1
        if options["bidirectional"] is True:
            options["bptt_steps"] = None
        if options["solver"] == "lbfgs":
            options |= {"dropout": 0, "recurrent_dropout": 0, "token_dropout": 0}
        data = rng.choice(["numbers", "holes", "times", "times and holes", "tokens"])
        if data == "tokens":
            X, options["embedding_dim"] = texts(100 + i, lengths=(1, 12)), 5
        else:
            X = walks(100 + i, holes=0.25 * ("holes" in data), time="times" in data)
            options["time_feature"] = 0 if "times" in data else None
        loss = rng.choice([None, None, None, *LOSSES])
        weights = rng.choice([None, weights_of(X)])
        several = rng.choice([None, 2])  # labels, or targets
        if loss is None:
            model = classifier(label_smoothing=rng.choice([0, 0.1]), **options)
            y = labels_of(X, several) if several else classes_of(X)
        else:
            model = regressor(loss=loss, quantiles=rng.choice([0.4, [0.2, 0.7]]), **options)
            y = np.abs(targets_of(X, several) if several else numbers_of(X))
        if options["pooling"] is None:
            y = at_steps(X, i, rng.choice([0, 0.3]), several, classes=loss is None)
            y = [np.abs(t) for t in y]
        cell = options["cell"] if isinstance(options["cell"], str) else "+".join(options["cell"])
        name = f"drawn {i:02d}: {cell}, {data}, {options['solver']}, {loss or 'classes'}"
        yield Case(name, model, X, y, {"sample_weight": weights}, weights=weights)


GROUPS = (networks, tokens, solvers, targets, forms, sizes, drawn)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", metavar="SUBSTRING", help="in the names to fit")
    options = parser.parse_args()
    warnings.simplefilter("ignore")  # ConvergenceWarning, and parameters drawn without an effect
    print(f"skgru of {skgru.__file__}", file=sys.stderr)
    modules = (np, scipy, sklearn, skgru)
    print("#", *(f"{module.__name__} {module.__version__}" for module in modules))
    print(f"# {'configuration':58s} parameters   predictions  history")
    has_failed = False
    for case in chain.from_iterable(group() for group in GROUPS):
        if options.only not in case.name:
            continue
        try:
            print(f"{case.name:60s}", *fingerprints(case), flush=True)
        except Exception as error:  # the others still tell something
            has_failed = True
            print(f"{case.name:60s} {type(error).__name__}: {error}", flush=True)
    if has_failed:
        sys.exit("some configurations have failed")


if __name__ == "__main__":
    main()
