"""Token ids: the mark that says that integers are some, and the rows of an embedding they name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

UNKNOWN = 1
# Ids below this one are found by a flag for each.
_MOST_FLAGS = 1 << 24
# Of others, so many are looked through at a time.
_MOST_AT_ONCE = 1 << 20


class Tokens(np.ndarray):
    """Token ids that say that they are token ids, not numbers of a series.

    It is an array of NumPy like any other: of integers, a text's ids (n_tokens,) or the ids of
    several texts, padded with zeros (n_texts, width); or of objects, (n_texts, 1), with the ids of
    one text in each cell. The latter is a column, as scikit-learn's `ColumnTransformer` wants it;
    an index and iteration give its texts' ids. Arithmetic makes plain arrays.

    Attributes
    ----------
    vocabulary : mapping of str to int or None
        The words that the ids stand for, where that is known: views, copies and pickles have it.
    """

    __slots__ = ("vocabulary",)
    __array_priority__ = 1.0  # beside plain arrays: concatenated, they are ids still

    vocabulary: Mapping[str, int] | None

    def __array_finalize__(self, array: NDArray[Any] | None) -> None:
        self.vocabulary = getattr(array, "vocabulary", None)

    def __reduce__(self) -> tuple[Any, ...]:
        make, arguments, state = cast(tuple[Any, ...], super().__reduce__())
        return make, arguments, (state, self.vocabulary)

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        # Pickles of earlier versions hold the array's state alone.
        own, self.vocabulary = state if len(state) == 2 else (state, None)
        super().__setstate__(own)

    def __getitem__(self, index: Any) -> Any:
        """Return the item: of a column of texts at an integer, the ids of that text."""
        item = super().__getitem__(index)
        is_one_cell = isinstance(item, Tokens) and item.dtype == object and item.shape == (1,)
        return item.item() if is_one_cell and self.ndim == 2 else item

    def __array_wrap__(
        self, array: NDArray[Any], context: Any = None, return_scalar: bool = False
    ) -> Any:
        """Return the result of a computation, which holds no ids, as a plain array."""
        array = np.asarray(array)
        return array[()] if return_scalar else array


def mark(ids: NDArray[Any], vocabulary: Mapping[str, int] | None = None) -> Tokens:
    """Return a view of ids that says that they are some, and which words they stand for."""
    marked = ids.view(Tokens)
    marked.vocabulary = vocabulary
    return marked


def as_tokens(
    ids: NDArray[np.integer],
    offsets: NDArray[np.integer],
    vocabulary: Mapping[str, int] | None = None,
) -> Tokens:
    """Return ids (total tokens,) of several texts as a column of `Tokens`, (n, 1)."""
    column = np.empty((len(offsets) - 1, 1), object)
    marked = mark(ids, vocabulary)
    for i in range(len(column)):
        column[i, 0] = marked[offsets[i] : offsets[i + 1]]
    return mark(column, vocabulary)


def holds_tokens(X: Any) -> bool:
    """Whether X, or one of its sequences, is marked as token ids."""
    return isinstance(X, Tokens) or any(isinstance(cell, Tokens) for cell in _cells_of(X))


def vocabularies_of(X: Any) -> tuple[Mapping[str, int], ...]:
    """Return the vocabularies whose ids X says that it holds: one, if one transformer made it."""
    if isinstance(X, Tokens) and X.vocabulary is not None:
        return (X.vocabulary,)
    found = {
        id(cell.vocabulary): cell.vocabulary
        for cell in _cells_of(X)
        if isinstance(cell, Tokens) and cell.vocabulary is not None
    }
    return tuple(found.values())


def _cells_of(X: Any) -> Iterator[Any]:
    """Return the sequences of X, if it may hold some in cells."""
    if hasattr(X, "columns") and len(X.columns) == 1 and hasattr(X, "dtypes"):
        X = X.iloc[:, 0] if hasattr(X, "iloc") else X.get_columns()[0]
    if isinstance(X, np.ndarray):
        return iter(X.flat if X.dtype == object else ())
    is_column = getattr(X, "ndim", 1) == 1 and str(getattr(X, "dtype", "")).lower() == "object"
    cells: Iterable[Any] = X if is_column or isinstance(X, list | tuple) else ()
    return iter(cells)


def look_like_ids(table: NDArray[np.integer]) -> bool:
    """Whether the rows of a table look like token ids padded with zeros on one side.

    Parameters
    ----------
    table : ndarray of integers of shape (n, T)
    """
    n_steps = table.shape[1]
    is_padding = table == 0
    n_padded = is_padding.sum(axis=1)
    if n_steps < 2 or not n_padded.any() or table.min() < 0 or table.max() <= UNKNOWN:
        return False
    steps = np.arange(n_steps)
    at_end = (is_padding == (steps >= n_steps - n_padded[:, None])).all()
    at_start = (is_padding == (steps < n_padded[:, None])).all()
    return bool(at_end or at_start)


def known_tokens(tokens: NDArray[np.integer]) -> NDArray[np.integer]:
    """Return the sorted ids (V,) that occur among tokens (n,), the unknown one's, 1, always first.

    However many tokens there are, nothing as large as they is held beside them.
    """
    largest = int(tokens.max(initial=UNKNOWN))
    if largest < _MOST_FLAGS and tokens.min(initial=UNKNOWN) >= 0:
        occurs = np.zeros(largest + 1, bool)
        occurs[UNKNOWN] = True
        occurs[tokens] = True
        return np.flatnonzero(occurs).astype(tokens.dtype)
    known: NDArray[np.integer] = np.array([UNKNOWN], tokens.dtype)
    start = 0
    while start < len(tokens):
        stop = start + max(_MOST_AT_ONCE, 2 * len(known))  # those known are sorted again with them
        known = np.union1d(known, tokens[start:stop])
        start = stop
    return known


def embedding_rows(tokens: NDArray[np.integer], known: NDArray[np.integer]) -> NDArray[np.intp]:
    """Return each token's position among the sorted `known` ids.

    It is 0, the unknown's, for a token that is absent, and -1 for 0, the padding.
    """
    rows = np.searchsorted(known, tokens)
    rows[rows == len(known)] = 0
    rows[known[rows] != tokens] = 0
    rows[tokens == 0] = -1
    return rows
