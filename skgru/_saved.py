"""What a model that was saved has to hold: checked when it is loaded."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
from numpy.typing import NDArray


class DamagedError(ValueError):
    """Values of a saved model that no fit has left so."""


def expect(is_so: Any, expected: str, got: Any) -> None:
    """Raise a `DamagedError`, unless it is as expected."""
    if not is_so:
        raise DamagedError(f"expected {expected}, got {said(got)}")


def said(value: Any) -> str:
    """Return what a value is, in a few words."""
    if isinstance(value, np.ndarray):
        return f"an array of shape {value.shape} and type {value.dtype}"
    return value if isinstance(value, str) else f"{value!r:.80}"


def expect_array(values: Any, name: str, shape: tuple[int, ...], kinds: str = "f") -> None:
    """Refuse what is no array of a shape, and of a kind of NumPy's."""
    is_so = isinstance(values, np.ndarray) and values.shape == shape and values.dtype.kind in kinds
    what = {"f": "numbers", "iu": "integers", "b": "truth values"}[kinds]
    expect(is_so, f"{name} to be {what} of shape {shape}", values)


def expect_numbers(
    values: Any, name: str, shape: tuple[int, ...], *, least: float = -np.inf
) -> None:
    """Refuse what is no array of finite numbers of a shape, each above the least."""
    expect_array(values, name, shape)
    is_so = np.isfinite(values) & (values > least)
    above = "" if least == -np.inf else f" above {least:g}"
    if not is_so.all():
        expect(False, f"{name} to hold finite numbers{above}", values[~is_so][0].item())


def expect_scales(center: Any, scale: Any, fill: Any, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Refuse scales of columns that are not numbers, but for those of columns never seen.

    Of such a column `fill` and `scale` are both missing, and nothing else is. Returns which columns
    were seen, (C,).
    """
    for values, name in ((center, "center"), (scale, "scale"), (fill, "fill")):
        expect_array(values, name, shape)
    seen = ~np.isnan(fill)
    expect(
        np.array_equal(seen, ~np.isnan(scale)) and not np.isnan(center[seen]).any(),
        "center, scale and fill to be known of the same features",
        "NaN for some of them",
    )
    expect(np.isfinite(center[seen]).all(), "center to be finite", "infinity")
    expect(np.isfinite(fill[seen]).all(), "fill to be finite", "infinity")
    expect((scale[seen] > 0).all(), "scale to be above 0", "0 or less")
    return cast("NDArray[np.bool_]", seen)


def expect_sorted(values: Any, name: str, kinds: str = "iu") -> None:
    """Refuse what is no array (n,) of different values in order."""
    if kinds:
        expect_array(values, name, (np.size(values),), kinds)
    is_array = isinstance(values, np.ndarray) and values.ndim == 1
    expect(is_array, f"{name} to be an array of one dimension", values)
    try:
        is_sorted = bool(np.all(values[1:] > values[:-1]))
    except TypeError:
        is_sorted = False
    expect(is_sorted, f"{name} to be different values in order", values)


def expect_size(value: Any, name: str, least: int = 1) -> None:
    """Refuse what is no int of at least that."""
    is_int = isinstance(value, int | np.integer) and not isinstance(value, bool)
    expect(is_int and value >= least, f"{name} to be an int from {least} on", value)
