"""Importance by permutation: how much a score falls when parts of X are exchanged."""

from __future__ import annotations

from functools import partial
from itertools import pairwise
from typing import Literal

import numpy as np
from joblib import Parallel, delayed
from sklearn.metrics import check_scoring
from sklearn.utils import Bunch, check_random_state

from skgru._data.table import Table, TableInput
from skgru._data.targets import as_weights
from skgru._data.tokens import TokenInput
from skgru._engine.model import parse_inputs
from skgru._inspection.attributions import is_count
from skgru._inspection.names import feature_names, lineages_of
from skgru._multimodal import MultimodalGRU
from skgru._types import AnyEstimator, ArrayLike, Scoring, Seed
from skgru._unwrapping import network_and_transformers, transformed

_SUBJECTS = ("features", "branches", "spans")


def permutation_importance(
    estimator: AnyEstimator,
    X: ArrayLike,
    y: ArrayLike,
    *,
    of: Literal["features", "branches", "spans"] = "features",
    n_repeats: int = 5,
    n_spans: int = 10,
    scoring: Scoring = None,
    random_state: Seed = None,
    n_jobs: int | None = None,
    sample_weight: ArrayLike | None = None,
) -> Bunch:
    """Return how much a score falls when features, branches or spans of time are permuted.

    It is `sklearn.inspection.permutation_importance` for what a network reads: sequences of unequal
    length in any form, and frames of several inputs.

    Parameters
    ----------
    estimator : estimator
        A fitted network, a `Pipeline` that ends with one, or a search, as for `attributions`.
    X : array-like
        Samples, in any form that `predict` takes.
    y : array-like
        Their targets.
    of : {"features", "branches", "spans"}, default="features"
        What is given the values of other samples, drawn at random: one feature after the other, or
        column of a table; one branch of a multimodal estimator; or all that lies in one of
        `n_spans` parts of all sequences. Tokens, and a sparse matrix, are one feature.
    n_repeats : int, default=5
        How often each is permuted.
    n_spans : int, default=10
        Into how many parts of equal length each sequence is cut for "spans".
    scoring : str, callable or None, default=None
        As for `sklearn.model_selection.cross_val_score`; None = the estimator's `score`. A callable
        is given samples that only the estimator can read.
    random_state : int, RandomState instance or None, default=None
        Draws the permutations.
    n_jobs : int or None, default=None
        Threads that share the permutations.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights of the samples in the score.

    Returns
    -------
    result : Bunch
        With ``importances`` of shape (n_subjects, n_repeats), the score less that after each
        permutation, ``importances_mean`` and ``importances_std`` of shape (n_subjects,), and
        ``names``, a list: of features those of X, or those that a transformer before the network
        gives to them, or ``x0``; with several branches ``branch__feature``; of spans the shares of
        a sequence, ``0%-10%``.

    Raises
    ------
    NotFittedError
        If the estimator is not fitted.
    TypeError, ValueError
        If it is another one, or a parameter does not fit.

    Notes
    -----
    Where the other sample has more steps or fewer, its values are stretched to the length: of each
    step, those at the same share of its own sequence. A branch is taken with its own length, unless
    its steps have targets. Samples without a branch have none of its features permuted. Spans leave
    the `time_feature` as it is.

    References
    ----------
    .. [1] L. Breiman, "Random forests", Machine Learning 45, 2001.

    Examples
    --------
    >>> import numpy as np
    >>> from skgru import GRURegressor
    >>> from skgru.inspection import permutation_importance
    >>> rng = np.random.RandomState(0)
    >>> X = [rng.normal(size=(4 + i % 3, 2)) for i in range(200)]
    >>> y = [x[-1, 1] for x in X]  # the second feature, at the end
    >>> reg = GRURegressor(8, max_iter=30, learning_rate_init=0.02, random_state=0).fit(X, y)
    >>> result = permutation_importance(reg, X, y, random_state=0)
    >>> result.names
    ['x0', 'x1']
    >>> int(result.importances_mean.argmax())
    1
    >>> spans = permutation_importance(reg, X, y, of="spans", n_spans=2, random_state=0)
    >>> spans.names[spans.importances_mean.argmax()]
    '50%-100%'
    """
    network, transformers = network_and_transformers(estimator)
    if of not in _SUBJECTS:
        raise ValueError(f"Expected of to be one of {list(_SUBJECTS)}, got {of!r}.")
    for name, count in (("n_repeats", n_repeats), ("n_spans", n_spans)):
        if not is_count(count):
            raise ValueError(f"Expected {name} to be an int above 0, got {count!r}.")
    model = network._fitted_model()
    given = transformed(X, transformers)
    opened = network._open(given)
    parsed = parse_inputs(model.own_inputs, opened)
    if of == "branches":
        subjects = _branches(network, model)
    elif of == "spans":
        subjects = _spans(model, n_spans)
    else:
        subjects = _features(model, opened, lineages_of(network, transformers, X, given))
    reader = network._reader_of_parsed(opened)
    if not (scoring is None or isinstance(scoring, str) or callable(scoring)):
        raise TypeError(f"Expected scoring to be one score, a str or a callable, got {scoring!r}.")
    scorer = check_scoring(reader, scoring)
    rng = check_random_state(random_state)
    n = next(iter(parsed.values())).sequences.n_sequences
    orders = [rng.permutation(n) for _ in range(len(subjects) * n_repeats)]
    jobs = [change for _, change in subjects for _ in range(n_repeats)]
    weights = {} if sample_weight is None else {"sample_weight": as_weights(sample_weight)}

    def score_after(change, order):
        return scorer(reader, change(parsed, order), y, **weights)

    score = scorer(reader, parsed, y, **weights)
    permuted = Parallel(n_jobs=n_jobs, require="sharedmem")(
        delayed(score_after)(change, order) for change, order in zip(jobs, orders, strict=True)
    )
    importances = score - np.reshape(permuted, (len(subjects), n_repeats))
    return Bunch(
        importances=importances,
        importances_mean=importances.mean(axis=1),
        importances_std=importances.std(axis=1),
        names=[name for name, _ in subjects],
    )


# --- What is permuted: by name a function of the parsed samples and their order -------------------


def _branches(network, model):
    """Return the branches of an estimator of several inputs."""
    if not isinstance(network, MultimodalGRU):
        raise ValueError(f"{type(network).__name__} has no branches: expected of='features'.")
    steps = model.network.step_branches
    return [
        (name, partial(_permute_branch, name=name, stretches=name in steps))
        for name in model.own_inputs
    ]


def _spans(model, n_spans):
    """Return the parts of equal length of all sequences."""
    inputs = model.own_inputs
    names = [name for name, part in inputs.items() if not isinstance(part, TableInput)]
    if not names:
        raise ValueError("No branch reads sequences: expected of='features' or 'branches'.")
    stamps = {name: getattr(inputs[name], "stamps", None) for name in names}
    bounds = (np.arange(n_spans + 1) / n_spans).tolist()
    n_digits = max(len(str(n_spans - 1)) - 2, 0)  # the fewest by which all bounds differ
    return [
        (
            f"{start:.{n_digits}%}-{stop:.{n_digits}%}",
            partial(_permute_span, stamps=stamps, start=start, stop=stop),
        )
        for start, stop in pairwise(bounds)
    ]


def _features(model, opened, lineages):
    """Return the features of sequences and the columns of tables; tokens are one."""
    subjects = []
    for name, part in model.own_inputs.items():
        if isinstance(part, TokenInput) or (isinstance(part, TableInput) and part.is_sparse):
            whole = partial(_permute_branch, name=name, stretches=True)
            subjects.append((name or "tokens", whole))
            continue
        prefix = f"{name}__" if name else ""
        for j, feature in enumerate(feature_names(part, opened[name], lineages[name])):
            subjects.append((f"{prefix}{feature}", partial(_permute_feature, name=name, j=j)))
    return subjects


# --- Samples with values of others ----------------------------------------------------------------


def _donors(lengths, order):
    """Return another sample for each, in an order; those without a step keep to themselves."""
    donors = np.arange(len(lengths))
    present = np.flatnonzero(lengths)
    donors[present] = order[lengths[order] > 0]
    return donors


def _rows_of_donors(sequences, order):
    """Return the row of each step's donor, its sequence stretched, and where the step lies."""
    offsets, lengths = sequences.offsets, sequences.lengths
    samples = np.repeat(np.arange(len(lengths)), lengths)
    share = (np.arange(offsets[-1]) - offsets[samples] + 0.5) / lengths[samples]
    donors = _donors(lengths, order)[samples]
    return offsets[donors] + (share * lengths[donors]).astype(np.intp), share


def _with_values(parsed, name, values):
    sequences = parsed[name].sequences._replace(values=values)
    return parsed | {name: parsed[name]._replace(sequences=sequences)}


def _permute_feature(parsed, order, *, name, j):
    """Return the samples with a feature of others."""
    sequences = parsed[name].sequences
    rows, _ = _rows_of_donors(sequences, order)
    if isinstance(sequences.values, Table):
        columns = list(sequences.values.columns)
        columns[j] = columns[j][rows]
        return _with_values(parsed, name, Table(columns))
    values = sequences.values.copy()
    values[:, j] = values[rows, j]
    return _with_values(parsed, name, values)


def _permute_branch(parsed, order, *, name, stretches):
    """Return the samples with a branch of others, as long as theirs was if it is stretched."""
    sequences = parsed[name].sequences
    if stretches:
        rows, _ = _rows_of_donors(sequences, order)
        return _with_values(parsed, name, sequences.values[rows])
    return parsed | {name: parsed[name]._replace(sequences=sequences.take(order))}


def _permute_span(parsed, order, *, stamps, start, stop):
    """Return the samples with the steps of others in a span of all sequences."""
    for name, of_times in stamps.items():
        sequences = parsed[name].sequences
        rows, share = _rows_of_donors(sequences, order)
        inside = (share >= start) & (share < stop)
        values = sequences.values.copy()
        values[inside] = sequences.values[rows[inside]]
        if of_times is not None:
            values[:, of_times] = sequences.values[:, of_times]
        parsed = _with_values(parsed, name, values)
    return parsed
