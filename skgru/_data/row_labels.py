"""The labels of rows (pandas' index) of what is given side by side."""

from __future__ import annotations

from typing import Any

import numpy as np

from skgru._warnings import is_called_by, warn

# Where scikit-learn puts rows in another order on purpose.
_SHUFFLING = "_permutation_test_score"


def warn_of_another_order(X: Any, of: str = "X", **beside: Any) -> None:
    """Warn of values beside X whose rows have its labels, but at other places.

    Rows belong together by their place, as in all of scikit-learn. Labels that mostly differ, or
    are none, tell nothing. The same ones elsewhere are those of a table that alone was sorted,
    shuffled or joined; but not if all of them are as many rows further on, as targets that lie
    ahead are.

    Parameters
    ----------
    X : array-like
    of : str, default="X"
        Its name.
    **beside : array-like or None
        By their names.
    """
    labels = _labels_of(X)
    if labels is None:
        return
    for name, values in beside.items():
        found = _labels_of(values)
        if found is None or len(found) != len(labels) or found.equals(labels):
            continue
        # (Indices of unlike types, or of intervals that overlap, refuse to be looked up by pandas.)
        at = {label: place for place, label in enumerate(labels.tolist())}
        plain = found.tolist()
        if len(at) < len(labels) or len(set(plain)) < len(plain):
            continue
        places = np.array([at.get(label, -1) for label in plain])  # in X, of the rows of the values
        rows = np.flatnonzero(places >= 0)
        moved = places[rows] - rows
        if 2 * len(rows) < len(plain) or (moved == moved[:1]).all():
            continue
        if is_called_by(("sklearn",), _SHUFFLING):
            continue
        row = rows[np.flatnonzero(moved)[0]]
        warn(
            f"{of} and {name} have labels of rows in common, but in another order: "
            f"{plain[row]!r} is row {places[row]} of {of} and row {row} of {name}. Rows belong "
            f"together by their place, not by their label: {name}.loc[{of}.index] puts {name} in "
            f"the order of {of}. If the places are meant, give {name}.to_numpy()."
        )


def _labels_of(values: Any) -> Any:
    """Return the index of a pandas object; None if it has none, or just counts the rows."""
    index = getattr(values, "index", None)
    if not hasattr(index, "tolist"):
        return None
    counts = getattr(index, "start", None) == 0 and getattr(index, "step", None) == 1
    return None if counts else index
