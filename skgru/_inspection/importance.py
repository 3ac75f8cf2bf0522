"""How much a score hangs on parts of X: features, branches, spans of time."""

from copy import copy
from itertools import pairwise
from numbers import Integral
from typing import NamedTuple

import numpy as np
from scipy import sparse
from sklearn.metrics import check_scoring
from sklearn.utils import Bunch, check_random_state
from sklearn.utils.parallel import Parallel, delayed

from skgru._data.numbers import NumberInput
from skgru._data.sequences import Sequences
from skgru._data.stacking import Ragged, Rectangle
from skgru._data.table import TableInput
from skgru._data.tokens import TokenInput
from skgru._engine.model import parse_inputs
from skgru._multimodal import MultimodalGRU
from skgru._unwrapping import network_and_inputs

_N_SPANS = 10


def permutation_importance(
    estimator,
    X,
    y,
    *,
    of="features",
    n_repeats=5,
    scoring=None,
    sample_weight=None,
    random_state=None,
    n_jobs=None,
):
    """Return how much the score falls when a part of X is exchanged between samples [1]_.

    As `sklearn.inspection.permutation_importance`, for all that a network reads: sequences of
    unequal length, tokens, frames, several branches.

    Parameters
    ----------
    estimator : estimator
        A fitted `GRUClassifier`, `GRURegressor`, `MultimodalGRUClassifier` or
        `MultimodalGRURegressor`, or a `Pipeline` that ends with one, or a search, whose best
        estimator is taken. X is transformed by the steps before the network once, and what they
        return is exchanged.
    X : array-like
        Samples, in any form that `predict` takes, best those that were not trained on.
    y : array-like
        Their targets, as for `score`.
    of : {"features", "branches", "spans"} or int, default="features"
        The parts.

        - "features": each feature of the sequences, each column of tables; the tokens of a
          sequence are one feature.
        - "branches": of a multimodal estimator, all that a branch reads of a sample.
        - "spans": tenths of the sequences, from the first steps to the last; an int is another
          number of spans. A sequence of fewer steps has none in some of them, but always its last
          step in the last one.
    n_repeats : int, default=5
        How many times each part is exchanged.
    scoring : str, callable or None, default=None
        As scikit-learn takes it; None = the network's `score`. A callable is given the network and
        X opened, which its methods take, and nothing else does.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights of the samples in the score.
    random_state : int, RandomState instance or None, default=None
        Says which samples exchange. An int gives the same result in each call, whatever `n_jobs`.
    n_jobs : int or None, default=None
        Threads, of which each scores another part.

    Returns
    -------
    result : Bunch
        importances_mean, importances_std : ndarray of shape (n_parts,)
            Over the repeats.
        importances : ndarray of shape (n_parts, n_repeats)
            The score for X less that for X with the part exchanged.
        names : list of str
            Of the parts: features without a name are "x0", "x1", ...; those of branches begin with
            its name, "vitals__pulse"; spans are "0-10 %", ...

    Raises
    ------
    NotFittedError
        If the estimator is not fitted.
    TypeError, ValueError
        If it is another one, or a parameter does not fit.

    Notes
    -----
    Where two sequences differ in length, each step takes the value from the same share of the way
    through the other one: the middle from the middle, the last from the last. So a longer sequence
    is thinned out, and a shorter one has steps repeated. Each sequence keeps its length, its other
    features and its place in time; all values are those of a sequence, in their order, and each
    sequence is taken once. If it was cut instead, the ends of long sequences would never be seen,
    and if it was repeated from the start, there would be jumps that no sequence has. What the
    length alone tells of y is counted for no feature and no span.

    Whole branches are exchanged with their lengths, and with the samples that have none, unless
    their steps have targets. Else a missing value is exchanged as any other, and empty sequences
    take part in nothing. Time stamps are a feature, but stay where spans are exchanged.

    As with all permutations, what two features tell both is counted for neither.

    References
    ----------
    .. [1] L. Breiman, "Random forests", Machine Learning 45, 2001.

    Examples
    --------
    >>> import numpy as np
    >>> from skgru import GRURegressor
    >>> from skgru._inspection.importance import permutation_importance
    >>> rng = np.random.RandomState(0)
    >>> X = [rng.normal(size=(n, 2)) for n in rng.randint(4, 9, size=200)]
    >>> y = [x[-1, 1] for x in X]  # the last value of the second feature
    >>> reg = GRURegressor(8, max_iter=20, random_state=0).fit(X, y)
    >>> result = permutation_importance(reg, X, y, random_state=0)
    >>> result.names[result.importances_mean.argmax()]
    'x1'
    >>> result = permutation_importance(reg, X, y, of=4, random_state=0)
    >>> result.names[result.importances_mean.argmax()]
    '75-100 %'
    """
    network, X = network_and_inputs(estimator, X)
    if not isinstance(n_repeats, Integral) or isinstance(n_repeats, bool) or n_repeats < 1:
        raise ValueError(f"Expected n_repeats to be an int above 0, got {n_repeats!r}.")
    if scoring is not None and not isinstance(scoring, str) and not callable(scoring):
        raise ValueError(f"Expected scoring to be the name of one score, got {scoring!r}.")
    scorer = check_scoring(network, scoring)
    model, opened = network._fitted_model(), network._open(X)
    parsed = parse_inputs(model.inputs, opened)
    parts = _parts(of, network, model, opened, parsed)
    reader = _reader(network)
    options = {} if sample_weight is None else {"sample_weight": sample_weight}

    def score(of_branches):
        return scorer(reader, of_branches, y, **options)

    def fall(part, seed):
        rng = np.random.RandomState(seed)
        name = part.branch
        given = (model.inputs[name], opened[name], parsed[name])
        return [
            whole - score(opened | {name: part.exchange(*given, rng)}) for _ in range(n_repeats)
        ]

    whole = score(opened)
    seeds = check_random_state(random_state).randint(np.iinfo(np.int32).max, size=len(parts))
    # Threads, since X is not to be copied.
    parallel = Parallel(n_jobs=n_jobs, require="sharedmem")
    importances = np.array(parallel(map(delayed(fall), parts, seeds)))
    return Bunch(
        importances_mean=importances.mean(axis=1),
        importances_std=importances.std(axis=1),
        importances=importances,
        names=[part.name for part in parts],
    )


def _reader(network):
    """Return a copy of a network whose methods take the opened inputs of X in place of X."""
    kind = type(network)
    reader = copy(network)
    reader.__class__ = type(kind.__name__, (kind,), {"_open": lambda self, opened: opened})
    return reader


# --- The parts ------------------------------------------------------------------------------------


class Feature(NamedTuple):
    """A feature of sequences, or a column of a table."""

    name: str
    branch: str
    index: int

    def exchange(self, part, opened, parsed, rng):
        """Return a branch, opened, in which samples have exchanged the feature."""
        j = self.index
        if isinstance(part, TableInput):
            order = _order(~opened.absent, rng)
            if opened.matrix is not None:
                return opened._replace(matrix=_with_column(opened.matrix, j, order))
            columns = list(opened.columns)
            columns[j] = columns[j]._replace(cells=columns[j].cells[order])
            return opened._replace(columns=columns)
        sequences = parsed.sequences
        rows = _rows_of_others(sequences, rng)
        values = sequences.values.copy()
        columns = values if values.ndim == 1 else values[:, j]
        columns[:] = columns[rows]
        return _reopened(opened, parsed, values)


class Span(NamedTuple):
    """The steps of sequences from one share of the way to another, of `n_spans` equal ones."""

    name: str
    branch: str
    index: int
    n_spans: int

    def exchange(self, part, opened, parsed, rng):
        """Return a branch, opened, in which samples have exchanged the span."""
        sequences = parsed.sequences
        rows = _rows_of_others(sequences, rng)
        steps, lengths = _places(sequences)
        inside = _spans_of(steps, lengths, self.n_spans) == self.index
        values = sequences.values.copy()
        values[inside] = values[rows[inside]]
        stamps = part.stamps if isinstance(part, NumberInput) else None
        if stamps is not None:
            values[:, stamps] = sequences.values[:, stamps]
        return _reopened(opened, parsed, values)


class WholeBranch(NamedTuple):
    """All that a branch reads of a sample; `keeps_lengths`, if its steps have targets."""

    name: str
    branch: str
    keeps_lengths: bool

    def exchange(self, part, opened, parsed, rng):
        """Return a branch, opened, that samples have exchanged."""
        if isinstance(part, TableInput):
            order = rng.permutation(len(opened.absent))
            columns = [column._replace(cells=column.cells[order]) for column in opened.columns]
            matrix = None if opened.matrix is None else opened.matrix[order]
            return opened._replace(columns=columns, matrix=matrix, absent=opened.absent[order])
        sequences = parsed.sequences
        if self.keeps_lengths:
            return _reopened(opened, parsed, sequences.values[_rows_of_others(sequences, rng)])
        others = sequences.take(rng.permutation(sequences.n_sequences))
        return opened._replace(form=_ragged(others), present=None)


def _parts(of, network, model, opened, parsed):
    """Return the parts that are meant."""
    is_multimodal = isinstance(network, MultimodalGRU)
    branches = network.named_branches_ if is_multimodal else {}
    prefixes = {name: f"{name}__" if is_multimodal else "" for name in model.inputs}
    of_steps = [k for k, part in model.inputs.items() if not isinstance(part, TableInput)]
    if isinstance(of, str) and of == "features":
        return [
            Feature(f"{prefixes[name]}{feature}", name, j)
            for name in model.inputs
            for j, feature in enumerate(
                _features(model.inputs[name], opened[name], parsed[name], branches.get(name))
            )
        ]
    if isinstance(of, str) and of == "branches":
        if not is_multimodal:
            raise ValueError("of='branches' is for estimators of several inputs, got one of one.")
        return [WholeBranch(k, k, k in model.network.step_branches) for k in model.inputs]
    if isinstance(of, str) and of == "spans":
        of = _N_SPANS
    if not isinstance(of, Integral) or isinstance(of, bool) or of < 1:
        raise ValueError(
            "Expected of to be 'features', 'branches', 'spans' or a number of spans above 0, got "
            f"{of!r}."
        )
    if not of_steps:
        raise ValueError(f"of={of!r} is for sequences, but all branches read tables.")
    return [
        Span(f"{prefixes[name]}{100 * k / of:.3g}-{100 * (k + 1) / of:.3g} %", name, k, of)
        for name in of_steps
        for k in range(of)
    ]


def _features(part, opened, parsed, branch):
    """Return the names of a branch's features."""
    if isinstance(part, TokenInput):
        return ["tokens"]
    names, n = None, part.n_features
    if isinstance(part, TableInput):
        names = part.names
        transformer = getattr(branch, "transformer_", None)
        if part.is_sparse and hasattr(transformer, "get_feature_names_out"):
            names = transformer.get_feature_names_out()
    elif isinstance(opened.form, Ragged):
        names = opened.form.names
    return names if names is not None and len(names) == n else [f"x{j}" for j in range(n)]


# --- Exchange -------------------------------------------------------------------------------------


def _order(takes_part, rng):
    """Return for each sample whose place it takes; some take no part."""
    order = np.arange(len(takes_part))
    order[takes_part] = rng.permutation(np.flatnonzero(takes_part))
    return order


def _places(sequences):
    """Return the number of each step in its sequence, and the length of that."""
    lengths = np.repeat(sequences.lengths, sequences.lengths)
    starts = np.repeat(sequences.offsets[:-1], sequences.lengths)
    return np.arange(len(lengths)) - starts, lengths


def _spans_of(steps, lengths, n_spans):
    """Return the span of each step: of any sequence, the last step is in the last one."""
    ways = np.maximum(lengths - 1, 1)
    steps = np.where(lengths == 1, 1, steps)
    return np.minimum(steps * n_spans // ways, n_spans - 1)


def _rows_of_others(sequences, rng):
    """Return for each step the row of another sequence at the same share of the way."""
    order = _order(sequences.lengths > 0, rng)
    steps, lengths = _places(sequences)
    of_others = np.repeat(sequences.lengths[order], sequences.lengths)
    starts = np.repeat(sequences.offsets[:-1][order], sequences.lengths)
    # From the first step to the last, rounded; a single step is the last one.
    ways = np.maximum(lengths - 1, 1)
    steps = np.where(lengths == 1, 1, steps)
    return starts + (2 * steps * (of_others - 1) + ways) // (2 * ways)


def _with_column(matrix, j, order):
    """Return a sparse matrix whose column j is in another order."""
    columns = matrix.tocsc()
    exchanged = [columns[:, :j], columns[order, j].reshape(-1, 1), columns[:, j + 1 :]]
    return sparse.csr_matrix(sparse.hstack(exchanged, format="csr"))


def _ragged(sequences):
    bounds = pairwise(sequences.offsets.tolist())
    return Ragged([sequences.values[start:stop] for start, stop in bounds], None)


def _reopened(opened, parsed, values):
    """Return sequences with other values, opened, as long as they are and padded as they came."""
    is_numeric = values.ndim == 2
    offsets = parsed.sequences.offsets
    if is_numeric:
        # What ends in missing values alone would be taken for shorter than it is.
        last = offsets[1:][parsed.sequences.lengths > 0] - 1
        lost = last[np.isnan(values[last]).all(axis=1)]
        values[lost] = parsed.sequences.values[lost]
    bounds = parsed.given_offsets
    padding = np.nan if is_numeric and bounds[-1] > len(values) else 0
    padded = np.full((bounds[-1], *values.shape[1:]), padding, values.dtype)
    padded[parsed.kept] = values
    form, lengths = _ragged(Sequences(padded, bounds)), np.diff(bounds)
    if opened.is_rectangle and (lengths == lengths[0]).all():
        n_features = values.shape[1] if is_numeric else 1
        form = Rectangle(padded.reshape(len(lengths), lengths[0], n_features), None, None)
    return opened._replace(form=form, present=None)
