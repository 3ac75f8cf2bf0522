"""Explanations of what a fitted network predicts."""

import time
from collections.abc import Mapping
from copy import copy
from functools import partial
from itertools import pairwise
from numbers import Integral, Real

import numpy as np
from joblib import Parallel, delayed
from scipy import sparse
from sklearn.metrics import check_scoring
from sklearn.pipeline import Pipeline
from sklearn.utils import Bunch, check_random_state
from sklearn.utils.validation import check_is_fitted

from skgru._base import BaseNetwork
from skgru._data.table import Table, TableInput
from skgru._data.tokens import TokenInput
from skgru._engine.attribution import attribute
from skgru._engine.model import parse_inputs
from skgru._engine.predict import predict_parsed
from skgru._multimodal import MultimodalGRU
from skgru._settings import plain
from skgru._warnings import warn

__all__ = ["attributions", "permutation_importance"]

_METHODS = ("integrated_gradients", "occlusion", "gradient")
_SUBJECTS = ("features", "branches", "spans")
_SECONDS_BETWEEN_LINES = 5


def attributions(
    estimator,
    X,
    *,
    method="integrated_gradients",
    target=None,
    baseline=None,
    n_steps="auto",
    tol=0.01,
    batch_size=None,
    verbose=False,
):
    """Return how much each value of X contributes to what a network predicts.

    Parameters
    ----------
    estimator : estimator
        A fitted `GRUClassifier`, `GRURegressor`, `MultimodalGRUClassifier` or
        `MultimodalGRURegressor`, or a `Pipeline` that ends with one: then X is transformed by the
        steps before it, and what they return is explained.
    X : array-like
        Samples, in any form that `predict` takes.
    method : {"integrated_gradients", "occlusion", "gradient"}, default="integrated_gradients"
        "integrated_gradients" [1]_ is the mean gradient on a straight line from the baseline to the
        sample, times their difference: the contributions sum to the change of the output from the
        baseline to the sample. "occlusion" is the change of the output when a value, or a token, is
        put back to the baseline: one run of the network for each value. "gradient" is the plain
        derivative of the output by each value, in units of the output per unit of the feature; of
        tokens and categories, which have no unit, it is the derivative in the direction from the
        baseline to them. The baseline matters to nothing else of "gradient".
    target : object, default=None
        The output to explain.

        - Regressors: the prediction, in the unit of y. With several outputs, the index of one; with
          several quantiles, the index of one, or of both ``(output, quantile)``. With
          ``loss="gaussian"`` it is the mean.
        - Classifiers: the raw output before the softmax or sigmoid (the logit) of a class, by its
          label; None = of the class that is predicted for each sample. Of two classes, the logit of
          the first is the negative of that of the second. With several labels, the index of one.
        - With ``pooling=None``, where each step has an output: ``(step, target)``, a step from the
          end if negative, or a target as above, which is summed over all steps of a sample. With
          ``crf=True`` it is the raw output before the chain.
    baseline : number, array-like, dict or None, default=None
        What tells nothing. None = the mean of each feature in training (with
        ``scaling="robust"``, the median); of tokens padding, whose vector is zero; of columns of a
        table the mean, or the missing category; of sparse matrices zero. Else a number, an array
        with one for each feature, or an array of shape (n_steps, n_features) if all samples have as
        many steps; of tokens an id, or one for each token; of a table a number for all of its
        numbers, or a cell for each column. Of a multimodal estimator, a dict of these by the names
        of the branches.
    n_steps : "auto" or int, default="auto"
        Points on the line of "integrated_gradients", which are those of Gauss and Legendre. "auto"
        begins with 8, and halves the line where the contributions do not sum to the change of the
        output, with 8 points for each half, until they do.
    tol : float, default=0.01
        How far off the sum may be, as a share of that change, or of a tenth of a unit where the
        change is smaller: a logit, or the standard deviation of y in training.
    batch_size : int or None, default=None
        How many samples are run at a time; None = as many as fit into a bounded memory.
    verbose : bool, default=False
        Whether to print how many samples are done, at least every ten seconds.

    Returns
    -------
    contributions : list of ndarray, or dict
        For each sample an array of shape (n_steps, n_features), as its sequence in X, or of shape
        (n_tokens,) for token ids; 0 for padding. Of a multimodal estimator a dict by the names of
        the branches: such lists, and of tables an array of shape (n_samples, n_columns), with the
        columns in their order, or a sparse matrix if the branch has a transformer that returns
        one. Branches that a sample is without contribute 0.

    Raises
    ------
    NotFittedError
        If the estimator is not fitted.
    TypeError, ValueError
        If it is another one, or a parameter does not fit.

    Warns
    -----
    UserWarning
        If the contributions of some samples do not sum to the change of the output.

    Notes
    -----
    Where values are missing, they are missing in the baseline too, and the times of steps are the
    same. What the network reads in place of a missing value comes from the value last seen, and
    counts toward that. So a missing value and a time contribute 0. In a table a missing number
    contributes as what it is: a number that is not known, in place of the mean.

    The line is one of the network's inputs: of scaled numbers, and of the vectors of tokens and
    categories.

    References
    ----------
    .. [1] M. Sundararajan, A. Taly and Q. Yan, "Axiomatic attribution for deep networks", ICML 2017
       (arXiv 1703.01365).

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.pipeline import make_pipeline
    >>> from skgru import GRUClassifier, SequenceVectorizer
    >>> from skgru.inspection import attributions
    >>> words = ["the", "plot", "cast", "music", "scenes", "ending"]
    >>> rng = np.random.RandomState(0)
    >>> X = [" ".join(rng.choice(words, 5)) for _ in range(200)]
    >>> y = ["music" in x for x in X]
    >>> network = GRUClassifier(
    ...     8, embedding_dim=8, max_iter=15, learning_rate_init=0.02, random_state=0
    ... )
    >>> clf = make_pipeline(SequenceVectorizer(), network).fit(X, y)
    >>> (contributions,) = attributions(clf, ["the cast the music the ending"], target=True)
    >>> contributions.shape  # a number for each word
    (6,)
    >>> int(contributions.argmax())  # music
    3
    """
    network, X = _network_and_inputs(estimator, X)
    _check_parameters(method, n_steps, tol, batch_size)
    model = network._fitted_model()
    parsed = parse_inputs(model.inputs, network._open(X))
    is_multimodal = isinstance(network, MultimodalGRU)
    n = next(iter(parsed.values())).sequences.n_sequences
    found = attribute(
        model,
        parsed,
        _baselines(baseline, list(model.inputs), is_multimodal),
        target,
        method=method,
        n_steps=None if n_steps == "auto" else int(n_steps),
        tol=tol,
        batch_size=batch_size,
        n_jobs=plain(network.n_jobs),
        tick=_Progress(n, verbose),
    )
    if found.n_incomplete:
        wrong = found.error.argmax()
        warn(
            f"The contributions of {found.n_incomplete} of {n} samples do not sum to the change of "
            f"the output as exactly as tol={tol} asks for: those of sample {wrong} are off by "
            f"{found.error[wrong]:.2g}, where the output changes by {found.change[wrong]:.2g}, "
            f"with {found.n_points} points on the line. More points (n_steps) or a larger tol may "
            "help."
        )
    shaped = {
        name: _shaped(model.inputs[name], parsed[name], values)
        for name, values in found.values.items()
    }
    return shaped if is_multimodal else next(iter(shaped.values()))


def permutation_importance(
    estimator,
    X,
    y,
    *,
    of="features",
    n_repeats=5,
    n_spans=10,
    scoring=None,
    random_state=None,
    n_jobs=None,
):
    """Return how much a score falls when features, branches or spans of time are permuted.

    It is `sklearn.inspection.permutation_importance` for what a network reads: sequences of unequal
    length in any form, and frames of several inputs.

    Parameters
    ----------
    estimator : estimator
        A fitted network, or a `Pipeline` that ends with one, as for `attributions`.
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

    Returns
    -------
    result : Bunch
        With ``importances`` of shape (n_subjects, n_repeats), the score less that after each
        permutation, ``importances_mean`` and ``importances_std`` of shape (n_subjects,), and
        ``names``, a list: of features ``x0`` where they have no name, with several branches
        ``branch__feature``; of spans the shares of a sequence, ``0%-10%``.

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
    network, X = _network_and_inputs(estimator, X)
    if of not in _SUBJECTS:
        raise ValueError(f"Expected of to be one of {list(_SUBJECTS)}, got {of!r}.")
    for name, count in (("n_repeats", n_repeats), ("n_spans", n_spans)):
        if not _is_count(count):
            raise ValueError(f"Expected {name} to be an int above 0, got {count!r}.")
    model = network._fitted_model()
    parsed = parse_inputs(model.inputs, network._open(X))
    subjects = _subjects(network, model, of, n_spans)
    reader = _reader_of(network)
    scorer = check_scoring(reader, scoring)
    rng = check_random_state(random_state)
    n = next(iter(parsed.values())).sequences.n_sequences
    orders = [rng.permutation(n) for _ in range(len(subjects) * n_repeats)]
    jobs = [subject for subject in subjects.values() for _ in range(n_repeats)]
    score = scorer(reader, parsed, y)
    permuted = Parallel(n_jobs=n_jobs, require="sharedmem")(
        delayed(lambda change, order: scorer(reader, change(parsed, order), y))(change, order)
        for change, order in zip(jobs, orders, strict=True)
    )
    importances = score - np.reshape(permuted, (len(subjects), n_repeats))
    return Bunch(
        importances=importances,
        importances_mean=importances.mean(axis=1),
        importances_std=importances.std(axis=1),
        names=list(subjects),
    )


def _reader_of(network):
    """Return a copy of a network that reads parsed samples."""
    reader = copy(network)
    n_jobs = plain(network.n_jobs)
    reader._run = lambda model, parsed, part="raw", **how: predict_parsed(
        model, parsed, n_jobs, part=part, **how
    )
    return reader


def _subjects(network, model, of, n_spans):
    """Return what is permuted: by name a function of the parsed samples and their order."""
    inputs, steps = model.inputs, model.network.step_branches
    if of == "branches":
        if not isinstance(network, MultimodalGRU):
            raise ValueError(f"{type(network).__name__} has no branches: expected of='features'.")
        return {
            name: partial(_permute_branch, name=name, stretches=name in steps) for name in inputs
        }
    if of == "spans":
        names = [name for name, part in inputs.items() if not isinstance(part, TableInput)]
        if not names:
            raise ValueError("No branch reads sequences: expected of='features' or 'branches'.")
        stamps = {name: getattr(inputs[name], "stamps", None) for name in names}
        bounds = np.arange(n_spans + 1) / n_spans
        return {
            f"{start:.0%}-{stop:.0%}": partial(_permute_span, stamps=stamps, start=start, stop=stop)
            for start, stop in pairwise(bounds.tolist())
        }
    subjects = {}
    for name, part in inputs.items():
        prefix = f"{name}__" if isinstance(network, MultimodalGRU) else ""
        if isinstance(part, TokenInput) or (isinstance(part, TableInput) and part.is_sparse):
            whole = partial(_permute_branch, name=name, stretches=True)
            subjects[name or "tokens"] = whole
            continue
        for j, feature in enumerate(_feature_names(network, name, part)):
            subjects[f"{prefix}{feature}"] = partial(_permute_feature, name=name, j=j)
    return subjects


def _feature_names(network, name, part):
    """Return the names of the features of a branch, or of a sequence."""
    if isinstance(part, TableInput):
        return list(part.names)
    names = getattr(network, "feature_names_in_", ())
    if isinstance(network, MultimodalGRU):
        names = network._names_of_columns(name)
    if len(names) != part.n_features:
        return [f"x{j}" for j in range(part.n_features)]
    return [str(feature) for feature in names]


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


def _network_and_inputs(estimator, X):
    """Return the network of an estimator, fitted, and X as it reads it."""
    steps = estimator.steps if isinstance(estimator, Pipeline) else [("", estimator)]
    network = steps[-1][1]
    if not isinstance(network, BaseNetwork):
        raise TypeError(
            "Expected a GRUClassifier, GRURegressor, MultimodalGRUClassifier or "
            "MultimodalGRURegressor, or a Pipeline that ends with one, got "
            f"{type(network).__name__}."
        )
    check_is_fitted(network)
    if len(steps) > 1:
        X = estimator[:-1].transform(X)
    return network, X


def _check_parameters(method, n_steps, tol, batch_size):
    """Refuse values that the parameters do not have."""
    if method not in _METHODS:
        raise ValueError(f"Expected method to be one of {list(_METHODS)}, got {method!r}.")
    if n_steps != "auto" and not _is_count(n_steps):
        raise ValueError(f"Expected n_steps to be 'auto' or an int above 0, got {n_steps!r}.")
    if not isinstance(tol, Real) or not tol > 0:
        raise ValueError(f"Expected tol to be a number above 0, got {tol!r}.")
    if batch_size is not None and not _is_count(batch_size):
        raise ValueError(f"Expected batch_size to be None or an int above 0, got {batch_size!r}.")


def _is_count(value):
    return isinstance(value, Integral) and not isinstance(value, bool) and value > 0


def _baselines(baseline, names, is_multimodal):
    """Return the baseline of each branch by its name, as far as there are any."""
    if not is_multimodal:
        return {names[0]: baseline}
    if baseline is None:
        return {}
    if not isinstance(baseline, Mapping) or not set(baseline) <= set(names):
        raise ValueError(
            f"Expected baseline to be a dict by the names of branches, of {names}, got "
            f"{baseline!r:.80}."
        )
    return dict(baseline)


def _shaped(part, parsed, values):
    """Return the contributions of a branch in the shape of its samples."""
    if isinstance(part, TableInput):
        return _as_table(part, parsed.sequences, values)
    shape = parsed.sequences.values.shape
    given = np.zeros((parsed.given_offsets[-1], *shape[1:]))
    given[parsed.kept] = values.reshape(shape)
    return [given[start:stop] for start, stop in pairwise(parsed.given_offsets.tolist())]


def _as_table(part, sequences, values):
    """Return a row for each sample, also for those without one."""
    present = np.flatnonzero(sequences.lengths)
    shape = sequences.n_sequences, part.n_features
    if not part.is_sparse:
        rows = np.zeros(shape)
        rows[present] = values.reshape(-1, part.n_features)
        return rows
    held = sequences.values.matrix
    of_rows = np.zeros(shape[0], held.indptr.dtype)
    of_rows[present] = np.diff(held.indptr)
    indptr = np.concatenate([held.indptr[:1], np.cumsum(of_rows)])
    return sparse.csr_matrix((values, held.indices.copy(), indptr), shape)


class _Progress:
    """Prints how many of n samples are done."""

    def __init__(self, n, is_on):
        self._n = n
        self._is_on = is_on
        self._start = self._last = time.monotonic()

    def __call__(self, n_done):
        now = time.monotonic()
        if self._is_on and (n_done == self._n or now - self._last >= _SECONDS_BETWEEN_LINES):
            self._last = now
            print(f"attributions: {n_done}/{self._n} samples  {now - self._start:.1f} s")
