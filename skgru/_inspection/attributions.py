"""What a network has made its outputs of: the contributions of all that it reads."""

from __future__ import annotations

import time
from collections.abc import Mapping
from itertools import pairwise
from numbers import Integral, Real
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from skgru._data.table import TableInput
from skgru._engine.attribution import attribute
from skgru._engine.model import parse_inputs
from skgru._multimodal import MultimodalGRU
from skgru._settings import plain
from skgru._types import AnyEstimator, ArrayLike, Auto
from skgru._unwrapping import network_and_inputs
from skgru._warnings import warn

_METHODS = ("integrated_gradients", "occlusion", "gradient")
_SECONDS_BETWEEN_LINES = 5
# The points of more are found in minutes.
_MOST_STEPS = 10_000


def attributions(
    estimator: AnyEstimator,
    X: ArrayLike,
    *,
    method: Literal["integrated_gradients", "occlusion", "gradient"] = "integrated_gradients",
    target: Any = None,
    baseline: Any = None,
    n_steps: int | Auto = "auto",
    tol: float = 0.01,
    batch_size: int | None = None,
    verbose: bool = False,
) -> list[NDArray[Any]] | dict[str, list[NDArray[Any]]]:
    """Return how much each value of X contributes to what a network predicts.

    Parameters
    ----------
    estimator : estimator
        A fitted `GRUClassifier`, `GRURegressor`, `MultimodalGRUClassifier` or
        `MultimodalGRURegressor`, or a `Pipeline` that ends with one: then X is transformed by the
        steps before it, and what they return is explained. Of a search, its best estimator.
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
        What tells nothing. None = the mean of each feature in training (with ``scaling="robust"``,
        the median; with ``scaling="sequence"``, the mean of the sequence, and a mean and a
        deviation of it as they are on average); of tokens padding, whose vector is zero; of columns
        of a table the mean, or the missing category; of sparse matrices zero. Else a number, an
        array with one for each feature, or an array of shape (n_steps, n_features) if all samples
        have as many steps; of tokens an id, or one for each token; of a table a number for all of
        its numbers, or a cell for each column. Of a multimodal estimator, a dict of these by the
        names of the branches.
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
    categories. With ``scaling="sequence"`` it is also one of the scale of the sequence, which the
    network reads at every step, and what it contributes counts toward the value there. "occlusion"
    puts both back at a step, and for "gradient" the scale stays that of the sample.

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
    network, X = network_and_inputs(estimator, X)
    _check_parameters(method, n_steps, tol, batch_size)
    model = network._fitted_model()
    parsed = parse_inputs(model.own_inputs, network._open(X))
    is_multimodal = isinstance(network, MultimodalGRU)
    n = next(iter(parsed.values())).sequences.n_sequences
    found = attribute(
        model,
        parsed,
        _baselines(baseline, list(model.own_inputs), is_multimodal),
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


def _check_parameters(method, n_steps, tol, batch_size):
    """Refuse values that the parameters do not have."""
    if method not in _METHODS:
        raise ValueError(f"Expected method to be one of {list(_METHODS)}, got {method!r}.")
    if n_steps != "auto" and not is_count(n_steps):
        raise ValueError(f"Expected n_steps to be 'auto' or an int above 0, got {n_steps!r}.")
    if n_steps != "auto" and n_steps > _MOST_STEPS:
        raise ValueError(f"Expected n_steps to be at most {_MOST_STEPS}, got {n_steps}.")
    if not isinstance(tol, Real) or not tol > 0:
        raise ValueError(f"Expected tol to be a number above 0, got {tol!r}.")
    if batch_size is not None and not is_count(batch_size):
        raise ValueError(f"Expected batch_size to be None or an int above 0, got {batch_size!r}.")


def is_count(value):
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
