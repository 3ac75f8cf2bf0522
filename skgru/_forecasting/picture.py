"""Pictures of series and of what is forecast of them: what all of them share."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skgru._data.clock import Clock
from skgru._data.groups import shortened
from skgru._forecasting.window import Array
from skgru._pictures import (
    draw_line,
    fonts,
    import_pyplot,
    line_style,
    short,
    show_dates,
    show_whole_numbers,
    text_style,
)

# So many letters of a name are shown.
_MOST_LETTERS = 48
# Points: a band of one step that nothing comes before, and what stands between title and axes.
_WIDTH_OF_ONE, _ROOM_FOR_LEGEND = 6, 24


def place_of(name: Any, names: Sequence[Any], what: str) -> int:
    """Return the place of what is to be drawn among others, which have names.

    Raises
    ------
    ValueError
        If there is none of that name.
    """
    if name not in names:
        raise ValueError(f"{what}: expected one of {shortened(names)}, got {name!r}.")
    return list(names).index(name)


def check_n_history(n_history: Any) -> int:
    """Return the number of steps to draw before a forecast."""
    if isinstance(n_history, bool) or not isinstance(n_history, Integral) or n_history < 0:
        raise ValueError(f"Expected n_history as an integer of 0 or more, got {n_history!r}.")
    return int(n_history)


def check_coverage(coverage: Any) -> None:
    """Refuse what is neither a probability nor None."""
    if coverage is not None and not (isinstance(coverage, Real) and 0 < float(coverage) < 1):
        raise ValueError(f"Expected a coverage between 0 and 1, or None, got {coverage!r}.")


def times_to_draw(clock: Clock, start: int, stop: int) -> NDArray[Any]:
    """Return where steps lie on the axis: dates by the clock on the wall, numbers, or steps."""
    times: NDArray[Any] | None = clock.local_times(start, stop)
    if times is not None:
        return times
    return clock.stamps(start, stop) if clock.kind == "numbers" else np.arange(start, stop)


def time_name_of(clock: Clock) -> str:
    """Return what the axis of time shows, where its numbers and dates do not tell."""
    if clock.has_dates:
        return "" if clock.style.zone is None else f"time, {clock.style.zone}"
    return str(getattr(clock.style, "name", None) or "") if clock.kind == "numbers" else "step"


def ax_or_new(ax: Any, what: str) -> Any:
    """Return the axes to draw in, new ones for None; `what` needs them."""
    plt = import_pyplot(what)
    return plt.subplots(figsize=(10, 4), layout="constrained")[1] if ax is None else ax


def draw_ahead(
    ax: Any,
    times: NDArray[Any],
    known: Array,
    center: Array,
    band: tuple[Array, Array] | None,
    **style: Any,
) -> tuple[Any, Any]:
    """Draw a forecast with its band, and where it begins; return the line and the band.

    Parameters
    ----------
    ax : Axes
    times : ndarray of shape (n_known + n_steps,)
    known : ndarray of shape (n_known,), the values before it
    center : ndarray of shape (n_steps,)
    band : two ndarrays of shape (n_steps,), or None
    **style : of the line; its colour is that of the band, too
    """
    # From the last known value on, so that a single step is a line, too.
    start = np.flatnonzero(np.isfinite(known))[-1:]
    ahead = times[np.r_[start, len(known) : len(times)]]
    # None: the next colour, and the width, of the style.
    style = {"color": None, "linewidth": None} | line_style(style)
    line = draw_line(ax, np.r_[known[start], center], ahead, **style)
    shade = None
    if band is not None:
        lower, upper = (np.r_[known[start], end] for end in band)
        width = _WIDTH_OF_ONE if len(ahead) == 1 else 0
        color = line.get_color()
        shade = ax.fill_between(ahead, lower, upper, color=color, alpha=0.3, linewidth=width)
    if len(known):
        ax.axvline(times[len(known) - 1], color="0.5", linewidth=0.8, linestyle=":")
    return line, shade


def name_of_band(coverage: float | None) -> str:
    """Return what the legend says of a band."""
    return "band" if coverage is None else f"{100 * coverage:g} % band"


def finish(
    ax: Any,
    times: NDArray[Any],
    labels: dict[str, Any],
    *,
    time_name: str,
    target_name: Any = None,
    series_name: Any = None,
) -> None:
    """Write the legend, above the axes where it covers nothing, and names beside them.

    Parameters
    ----------
    ax : Axes
    times : ndarray, what the axis of time shows
    labels : dict, the line or band of each label
    time_name, target_name, series_name : None or "" for none
    """
    if times.dtype.kind == "M":
        show_dates(ax.xaxis)
    elif time_name == "step":
        show_whole_numbers(ax.xaxis)
    ax.set_xlabel(short(str(time_name or ""), _MOST_LETTERS), **text_style())
    if target_name is not None:
        ax.set_ylabel(short(str(target_name), _MOST_LETTERS), **text_style())
    if series_name is not None:
        title = short(str(series_name), _MOST_LETTERS)
        ax.set_title(title, loc="left", pad=_ROOM_FOR_LEGEND, **text_style())
    place = {"loc": "lower left", "bbox_to_anchor": (0, 1)}
    form = {"ncols": len(labels), "frameon": False, "prop": {"family": fonts()}}
    ax.legend([*labels.values()], [*labels], **place, **form)
