"""matplotlib, imported when a picture is drawn and not before; what pictures have in common."""

import numpy as np

# Fonts with the letters of Chinese, Japanese and Korean, of which matplotlib's own has none.
_CJK = (
    *(
        "Noto Sans CJK SC",
        "Noto Sans CJK TC",
        "Noto Sans CJK JP",
        "Source Han Sans SC",
        "PingFang SC",
    ),
    *("Hiragino Sans GB", "Microsoft YaHei", "SimHei", "WenQuanYi Micro Hei", "Arial Unicode MS"),
)


def import_pyplot(what):
    """Return matplotlib's pyplot, for what is named in the error if there is none."""
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError(
            f"Expected matplotlib for {what}, got none: pip install 'skgru[plot]' installs it."
        ) from error
    return plt


def short(word, n=24):
    """Return a word without the letters that there is no room for."""
    return word if len(word) <= n else f"{word[: n - 1]}…"


def fonts():
    """Return the fonts of the style, and after them what is there for other scripts."""
    from matplotlib import font_manager, rcParams

    there = set(font_manager.get_font_names())
    return [*rcParams["font.family"], *(font for font in _CJK if font in there)]


def in_row(values, j):
    """Return where a line lies in the j-th row, to its own scale; rows go down."""
    known = values[np.isfinite(values)]
    low, high = (known.min(), known.max()) if len(known) else (0.0, 0.0)
    share = (values - low) / (high - low) if high > low else np.where(values == low, 0.5, values)
    return j + 0.9 - 0.8 * share


def draw_line(ax, values):
    """Draw values, of which some may be missing, in the colour of text."""
    from matplotlib import rcParams

    finite = np.isfinite(values)
    neighbours = np.r_[False, finite[:-1]] | np.r_[finite[1:], False]
    ax.plot(values, color=rcParams["text.color"], linewidth=1)
    # A value without neighbours is a point, no line.
    lonely = np.flatnonzero(finite & ~neighbours)
    ax.plot(lonely, values[lonely], "o", color=rcParams["text.color"], markersize=3)
