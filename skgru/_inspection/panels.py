"""What is explained of a sample, branch by branch: series, or words."""

from collections.abc import Iterable, Mapping, Set
from typing import NamedTuple

import numpy as np

from skgru._compat import names_of
from skgru._data.arrays import describe


class Series(NamedTuple):
    """A sequence of numbers and what they contribute.

    Attributes
    ----------
    values : ndarray of shape (n_steps, n_features)
        Contributions.
    inputs : ndarray of shape (n_steps, n_features)
    features : list of str
    """

    values: np.ndarray
    inputs: np.ndarray
    features: list[str]

    def binned(self, n_most):
        """Return contributions of at most so many spans of steps, and where each span starts.

        Those of the steps of a span are summed up.
        """
        n = len(self.values)
        starts = np.unique(np.linspace(0, n, min(n, n_most), endpoint=False).astype(int))
        values = np.add.reduceat(self.values, starts) if n else self.values
        return values, np.append(starts, n)

    def strongest(self, n_most):
        """Return at most so many features, those that contribute most, in their order."""
        by_strength = np.argsort(-np.abs(self.values).sum(axis=0), kind="stable")
        chosen = np.sort(by_strength[:n_most])
        features = [self.features[j] for j in chosen]
        return Series(self.values[:, chosen], self.inputs[:, chosen], features)

    def labelled(self):
        """Return the label and the contribution of each value."""
        return [
            (f"{feature}[{t}]", self.values[t, j])
            for t in range(len(self.values))
            for j, feature in enumerate(self.features)
        ]


class Words(NamedTuple):
    """Words, or the cells of a row, and what they contribute.

    Attributes
    ----------
    values : ndarray of shape (n_words,)
        Contributions.
    words : list of str
    """

    values: np.ndarray
    words: list[str]

    def labelled(self):
        """Return the label and the contribution of each word."""
        return list(zip(self.words, self.values, strict=True))


def limit_of(panels, n_most):
    """Return the largest contribution that is shown, of any branch: it has the strongest colour.

    That of a span counts, where there are more steps than spans that can be told apart.
    """
    shown = [p.binned(n_most)[0] if isinstance(p, Series) else p.values for p in panels.values()]
    return max((np.abs(values).max(initial=0) for values in shown), default=0) or 1.0


def make_panel(values, X, names=None):
    """Return what contributes in a sequence or a row; see `AttributionDisplay`."""
    values = _as_numbers(values, "the contributions of one sample")
    if not np.isfinite(values).all():
        at = np.argwhere(~np.isfinite(values))[0].tolist()
        raise ValueError(
            f"Expected finite contributions, got {values[tuple(at)]} at {at}: it has no colour."
        )
    if isinstance(names, str):
        raise TypeError(f"Expected names to be a list, got the text {names!r}.")
    if values.ndim == 1:
        return _make_words(values, X, names)
    if values.ndim != 2:
        raise ValueError(
            "Expected the contributions of one sample, of shape (n_steps, n_features) or "
            f"(n_tokens,), got shape {values.shape}."
        )
    columns = names_of(X) if names is None and hasattr(X, "columns") else names
    inputs = _as_numbers(X, "X, which is a sequence as its contributions are")
    if inputs.shape == (values.size,) and values.shape[1] == 1:
        inputs = inputs[:, np.newaxis]
    if inputs.shape != values.shape:
        raise ValueError(
            f"Expected X of the shape of its contributions, {values.shape}, got {inputs.shape}."
        )
    if columns is None:
        columns = [f"x{j}" for j in range(values.shape[1])]
    _check_length(columns, values.shape[1], "names")
    return Series(values, inputs, list(map(str, columns)))


def _as_numbers(given, what):
    """Return an array of floats; refuse what has no numbers, or is ragged."""
    try:
        return np.asarray(given, float)
    except (TypeError, ValueError) as error:
        raise ValueError(f"Expected numbers in {what}, got {describe(given)}: {error}") from error


def _make_words(values, X, names):
    """Return words, or with names the cells of a row."""
    if isinstance(X, str):
        raise TypeError(
            f"Expected the words that the {len(values)} contributions are of, got a text: split it "
            "as the estimator does, with build_analyzer() of SequenceVectorizer."
        )
    if not isinstance(X, Iterable) or isinstance(X, Set | Mapping):
        raise TypeError(
            f"Expected X to have the {len(values)} words or cells that contribute, in their order, "
            f"got {describe(X)}."
        )
    words = [_said(x) for x in X]
    _check_length(words, len(values), "X")
    if names is not None:
        _check_length(names, len(values), "names")
        words = [f"{name} = {word}" for name, word in zip(names, words, strict=True)]
    return Words(values, words)


def _said(x):
    """Return a cell as text, a number in four digits."""
    return f"{x:.4g}" if isinstance(x, float | np.floating) else str(x)


def _check_length(given, n, what):
    if len(given) != n:
        raise ValueError(f"Expected {n} elements of {what}, one for each value, got {len(given)}.")
