"""matplotlib, imported when a picture is drawn and not before; fonts, names and axes."""

from typing import Any

# Fonts with the letters of Chinese, Japanese and Korean, of which matplotlib's own has none.
_CJK = (
    *("Noto Sans CJK SC", "Noto Sans CJK TC", "Noto Sans CJK JP", "Source Han Sans SC"),
    *("PingFang SC", "Hiragino Sans GB", "Microsoft YaHei", "SimHei", "WenQuanYi Micro Hei"),
    "Arial Unicode MS",
)
# So many letters of a name are shown.
_MOST_LETTERS = 48


def import_pyplot(what: str) -> Any:
    """Return matplotlib's pyplot, for what is named in the error if there is none."""
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError(
            f"Expected matplotlib for {what}, got none: pip install 'skgru[plot]' installs it."
        ) from error
    return plt


def fonts() -> list[str]:
    """Return the fonts of the style, and after them those that are there for other scripts."""
    from matplotlib import font_manager, rcParams

    there = set(font_manager.get_font_names())
    return [*rcParams["font.family"], *(font for font in _CJK if font in there)]


def shortened_name(name: Any) -> str:
    """Return a name as it is shown in a picture."""
    text = str(name)
    return text if len(text) <= _MOST_LETTERS else f"{text[: _MOST_LETTERS - 1]}…"


def show_dates(axis: Any) -> None:
    """Let an axis say dates briefly: in full, they overlap where a month begins."""
    from matplotlib.dates import ConciseDateFormatter

    axis.set_major_formatter(ConciseDateFormatter(axis.get_major_locator()))


def show_whole_numbers(axis: Any) -> None:
    """Let an axis have ticks at whole numbers alone."""
    from matplotlib.ticker import MaxNLocator

    axis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
