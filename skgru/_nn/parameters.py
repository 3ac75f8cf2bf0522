"""All trainable numbers of a network as one flat vector with named views."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating]
Shapes = Mapping[str, tuple[int, ...]]


def size_of(shapes: Shapes) -> int:
    """Return how many numbers arrays of these shapes hold together."""
    return sum(math.prod(shape) for shape in shapes.values())


class Parameters(Mapping[str, Array]):
    """Named, writable views into one flat vector.

    Names read ``"part.name"``, where a part's name may have dots of its own; `section` gives the
    arrays of one part.

    Parameters
    ----------
    shapes : mapping of str to tuple of int
        Shape of each array, in the order in which they lie in the vector.
    vector : ndarray of shape (size_of(shapes),)
        The numbers. Not copied: writing to a view writes to the vector.
    """

    def __init__(self, shapes: Shapes, vector: Array) -> None:
        if vector.shape != (size_of(shapes),):
            raise ValueError(f"expected a vector of shape ({size_of(shapes)},), got {vector.shape}")
        self.shapes = dict(shapes)
        self.vector = vector
        self._views: dict[str, Array] = {}
        self._sections: dict[str, dict[str, Array]] = {}
        start = 0
        for name, shape in shapes.items():
            stop = start + math.prod(shape)
            view = vector[start:stop].reshape(shape)
            part, _, short_name = name.rpartition(".")
            self._views[name] = view
            self._sections.setdefault(part, {})[short_name] = view
            start = stop

    def __getitem__(self, name: str) -> Array:
        return self._views[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._views)

    def __len__(self) -> int:
        return len(self._views)

    def __reduce__(self) -> tuple[type[Parameters], tuple[Shapes, Array]]:
        return Parameters, (self.shapes, self.vector)  # copies and pickles have views of their own

    def section(self, part: str) -> dict[str, Array]:
        """Return the arrays of one part, by their names after the last dot."""
        return self._sections[part]
