"""Random networks of all kinds, fitted for a moment, for tests of their graphs."""

from itertools import product

import numpy as np

from skgru import (
    GRUClassifier,
    GRURegressor,
    MultimodalGRUClassifier,
    MultimodalGRURegressor,
    SeriesBranch,
    TableBranch,
    TokenBranch,
)

FIT = {"max_iter": 2, "early_stopping": False, "batch_size": 8}
CELLS = [
    {"cell": "gru"},
    {"cell": "gru", "reset_after": True},
    {"cell": "gru", "output_gate": True},
    {"cell": "lstm"},
    {"cell": "rnn"},
    {"cell": "rnn", "output_gate": True},
    {"cell": "mingru"},
]
LOSSES = ["squared_error", "absolute_error", "huber", "poisson", "gaussian", "quantile"]
POOLINGS = ["last", "mean", "max", "attention", ("last", "mean", "max"), ("attention", "last")]


def pick(rng, choices):
    """Return one of some values."""
    return choices[rng.integers(len(choices))]


def recurrence(rng, *, tokens=False):
    """Return parameters of the recurrent layers."""
    options = dict(pick(rng, CELLS))
    n_layers = rng.integers(1, 4)
    options["hidden_layer_sizes"] = tuple(rng.integers(1, 7, n_layers).tolist())
    if n_layers > 1 and rng.random() < 0.3:
        options["cell"] = tuple(rng.choice(["gru", "lstm", "rnn", "mingru"], n_layers).tolist())
        options.pop("reset_after", None)
        options.pop("output_gate", None)
    options["bidirectional"] = bool(rng.integers(2))
    options["pooling"] = pick(rng, POOLINGS)
    options["patch_size"] = int(pick(rng, [1, 1, 2, 3]))
    return options


def series(rng, n, *, stamps=False, missing=0.0, longest=14, scale=False):
    """Return series of two features, some of them empty; the first feature may be the time."""
    X = []
    for _ in range(n):
        x = 3 + 2 * rng.normal(size=(rng.integers(0, longest), 2 + stamps))
        x[rng.random(x.shape) < missing] = np.nan
        if scale:
            x *= 10.0 ** rng.uniform(-6, 2)
        if stamps:
            x[:, 0] = 1.7e9 + np.cumsum(rng.exponential(size=len(x)))
        X.append(x)
    X[0] = 3 + rng.normal(size=(longest, 2 + stamps))
    if stamps:
        X[0][:, 0] = np.arange(longest)
    return X


def token_ids(rng, n, *, has_holes=False):
    """Return sequences of ids, some of them empty; with holes, not all ids occur."""
    step = 3 if has_holes else 1
    return [1 + step * rng.integers(0, 12, rng.integers(0, 12)) for _ in range(n)]


def numbers_of(rng, n, loss):
    """Return targets of a regressor, of one or of two outputs."""
    y = rng.normal(size=(n, 2)) if rng.random() < 0.3 else rng.normal(size=n)
    return np.exp(y) if loss == "poisson" else 40 + 7 * y


def classes_of(rng, n):
    """Return targets of a classifier."""
    kind = pick(rng, ["two", "three", "texts", "truth", "numbers", "labels"])
    codes = np.arange(n) % (2 if kind in ("two", "truth") else 3)
    rng.shuffle(codes)
    if kind == "labels":
        return rng.integers(0, 2, (n, 3))
    return {
        "two": codes,
        "three": codes - 1,
        "texts": np.array(["no", "yes", "unsure"])[codes],
        "truth": codes == 1,
        "numbers": codes.astype(float),
    }[kind]


def target_and_options(rng, n):
    """Return a target, whether it has classes, and the loss."""
    if rng.random() < 0.5:
        return classes_of(rng, n), True, {}
    loss = pick(
        rng, ["squared_error", "absolute_error", "huber", "poisson", "gaussian", "quantile"]
    )
    options = {"loss": loss}
    if loss == "quantile":
        options["quantiles"] = pick(rng, [0.3, (0.1, 0.5, 0.9)])
    return numbers_of(rng, n, loss), False, options


def single(rng):
    """Return an estimator of one sequence, X and y to fit it to, and other samples."""
    n, n_new = 30, 9
    y, is_classifier, options = target_and_options(rng, n)
    options |= FIT | recurrence(rng)
    options["dtype"] = pick(rng, ["float32", "float32", "float64"])
    if rng.random() < 0.35:
        has_holes = bool(rng.integers(2))
        X, new = (token_ids(rng, m, has_holes=has_holes) for m in (n, n_new))
        options |= {"embedding_dim": 4, "bag": bool(rng.integers(2))}
        if rng.random() < 0.3:
            width = max(map(len, X))
            padded = np.zeros((n, width), int)
            for i, ids in enumerate(X):
                start = rng.integers(width - len(ids) + 1)
                padded[i, start : start + len(ids)] = ids
            X, new = padded, padded[:n_new][::-1]
    else:
        stamps = rng.random() < 0.3
        share = pick(rng, [0.0, 0.0, 0.3])
        of_new = share or pick(rng, [0.0, 0.2])
        options["scaling"] = pick(rng, ["standard", "robust", None, "sequence"])
        options["missing"] = pick(rng, ["decay", "indicator"])
        if stamps:
            options["time_feature"] = 0
        else:
            options["n_convolutions"] = int(pick(rng, [0, 0, 84, 200]))
        has_scale = options["scaling"] == "sequence"
        X = series(rng, n, stamps=stamps, missing=share, scale=has_scale)
        new = series(rng, n_new, stamps=stamps, missing=of_new, longest=20, scale=has_scale)
        if not stamps and rng.random() < 0.25:
            table = rng.normal(size=(n, 12))
            table[rng.random(table.shape) < share] = np.nan
            X, new = table, table[:n_new][::-1].copy()
            new[0, 7:] = np.nan
            options["features_per_step"] = int(pick(rng, [1, 2, 3]))
    kind = GRUClassifier if is_classifier else GRURegressor
    return kind(random_state=0, **options), X, y, new


def of_steps(rng):
    """Return the same with a target at each step."""
    n, n_new = 20, 7
    options = FIT | recurrence(rng) | {"pooling": None, "patch_size": 1}
    share = pick(rng, [0.0, 0.3])
    X, new = series(rng, n, missing=share), series(rng, n_new, missing=share, longest=20)
    options["dtype"] = pick(rng, ["float32", "float64"])
    if rng.random() < 0.5:
        labels = np.array(["a", "b", "c"])[: rng.integers(2, 4)]
        y = [rng.choice(labels, len(x)) for x in X]
        y[0] = np.resize(labels, len(X[0]))
        crf = pick(rng, [False, True, "strict"])
        return GRUClassifier(random_state=0, crf=crf, **options), X, y, new
    shape = pick(rng, [(), (2,)])
    y = [rng.normal(size=(len(x), *shape)) for x in X]
    return GRURegressor(random_state=0, **options), X, y, new


def several(rng):
    """Return an estimator of several inputs, X and y to fit it to, and other samples."""
    n, n_new = 40, 12

    def table_of(m):
        X = np.empty((m, 6), object)
        X[:, 0], X[:, 1] = lists(series(rng, m)), lists(token_ids(rng, m))
        X[:, 2], X[:, 3] = rng.normal(size=m), rng.normal(size=m)
        X[:, 4] = rng.choice(["red", "green", "blue"], m)
        X[:, 5] = rng.choice([True, False], m)
        for j in range(6):
            if rng.random() < 0.5:
                X[rng.random(m) < 0.3, j] = None
        X[1, 2:] = None
        return X

    X, new = table_of(n), table_of(n_new)
    new[2, 4] = "violet"
    y, is_classifier, options = target_and_options(rng, n)
    parts = {
        "steps": (SeriesBranch(**recurrence(rng), scaling=pick(rng, ["standard", "robust"])), 0),
        "words": (TokenBranch(**recurrence(rng), embedding_dim=3, bag=bool(rng.integers(2))), 1),
        "row": (
            TableBranch(
                scaling=pick(rng, ["standard", "robust", None]),
                hidden_layer_sizes=pick(rng, [(), (3,), (4, 2)]),
                embedding_dim=pick(rng, ["auto", 2]),
            ),
            [2, 3, 4, 5],
        ),
    }
    names = [name for name in parts if rng.random() < 0.75] or ["row"]
    options |= FIT
    options["fusion"] = pick(rng, ["concat", "gated"])
    options["hidden_layer_sizes"] = pick(rng, [(), (4,), (4, 3)])
    kind = MultimodalGRUClassifier if is_classifier else MultimodalGRURegressor
    branches = [(name, *parts[name]) for name in names]
    return kind(branches, random_state=0, **options), X, y, new


def lists(cells):
    """Return an array of objects, one for each cell."""
    array = np.empty(len(cells), object)
    for i, cell in enumerate(cells):
        array[i] = cell
    return array


MAKERS = {"single": single, "of_steps": of_steps, "several": several}
CASES = [
    *product(["single"], range(130)),
    *product(["of_steps"], range(30)),
    *product(["several"], range(60)),
]
