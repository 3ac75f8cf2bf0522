"""matplotlib, imported when a picture is drawn and not before; what pictures have in common."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

# Fonts with the letters of Chinese, Japanese and Korean, of which matplotlib's own has none: those
# that systems have, and those that are often installed.
_CJK = (
    *("Noto Sans CJK SC", "Noto Sans CJK TC", "Noto Sans CJK JP", "Noto Sans CJK KR"),
    *("Source Han Sans SC", "Source Han Sans TC", "Source Han Sans", "Droid Sans Fallback"),
    *("PingFang SC", "PingFang TC", "Heiti TC", "STHeiti", "Hiragino Sans GB", "Hiragino Sans"),
    *("Apple SD Gothic Neo", "AppleGothic", "Microsoft YaHei", "Microsoft JhengHei", "SimHei"),
    *("SimSun", "Yu Gothic", "MS Gothic", "Malgun Gothic", "WenQuanYi Micro Hei"),
    *("WenQuanYi Zen Hei", "IPAexGothic", "IPAGothic", "TakaoPGothic", "NanumGothic"),
    *("AR PL UMing CN", "Unifont", "Arial Unicode MS"),
)


def import_pyplot(what: str) -> Any:
    """Return matplotlib's pyplot, for what is named in the error if there is none."""
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError(
            f"Expected matplotlib for {what}, got none: pip install 'skgru[plot]' installs it."
        ) from error
    return plt


def short(word: str, n: int = 24) -> str:
    """Return a word without the letters that there is no room for."""
    return word if len(word) <= n else f"{word[: n - 1]}…"


def fonts() -> list[str]:
    """Return the fonts of the style, and after them those that are there for other scripts."""
    from matplotlib import font_manager, rcParams

    there = set(font_manager.get_font_names())
    return [*rcParams["font.family"], *(font for font in _CJK if font in there)]


def text_style() -> dict[str, Any]:
    """Return how words of the user are written: in all scripts, and a dollar as a dollar."""
    return {"fontfamily": fonts(), "parse_math": False}


def in_row(values: NDArray[Any], j: int) -> NDArray[Any]:
    """Return where a line lies in the j-th row, to its own scale; rows go down."""
    known = values[np.isfinite(values)]
    low, high = (known.min(), known.max()) if len(known) else (0.0, 0.0)
    share = (values - low) / (high - low) if high > low else np.where(values == low, 0.5, values)
    return j + 0.9 - 0.8 * share


def line_style(given: dict[str, Any]) -> dict[str, Any]:
    """Return options of a line by their full names: of `lw` and `linewidth` there can be one."""
    from matplotlib.cbook import normalize_kwargs
    from matplotlib.lines import Line2D

    style: dict[str, Any] = normalize_kwargs(given, Line2D)
    return style


def draw_line(ax: Any, values: NDArray[Any], x: NDArray[Any] | None = None, **style: Any) -> Any:
    """Draw values, of which some may be missing, in the colour of text, and return the line.

    Parameters
    ----------
    ax : Axes
    values : ndarray of shape (n,)
    x : ndarray of shape (n,), default=None
        Their places; None = steps from 0 on.
    **style : of the line, by the full names of matplotlib
    """
    from matplotlib import rcParams

    finite = np.isfinite(values)
    neighbours = np.r_[False, finite[:-1]] | np.r_[finite[1:], False]
    # A value without neighbours is a point, no line.
    lonely = np.flatnonzero(finite & ~neighbours).tolist()
    points = {"marker": "o", "markersize": 3, "markevery": lonely} if lonely else {}
    style = {"color": rcParams["text.color"], "linewidth": 1} | points | style
    return ax.plot(np.arange(len(values)) if x is None else x, values, **style)[0]


def show_dates(axis: Any) -> None:
    """Let an axis say dates briefly: in full, they overlap where a month begins."""
    from matplotlib.dates import ConciseDateFormatter

    axis.set_major_formatter(ConciseDateFormatter(axis.get_major_locator()))


def show_whole_numbers(axis: Any) -> None:
    """Let an axis have ticks at whole numbers alone."""
    from matplotlib.ticker import MaxNLocator

    axis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
