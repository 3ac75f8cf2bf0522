"""Contributions as coloured text: HTML for a notebook, escape sequences for a terminal.

Positive ones are red, negative ones blue, and what contributes nothing has no colour. In HTML the
colours are translucent, and the text has that of the page, so that both are read on a light page
and on a dark one. In a terminal, whose colours nobody knows, dark text stands on light colours.
"""

import unicodedata
from html import escape

import numpy as np

from skgru._inspection.panels import Series, limit_of

RED, BLUE = (214, 69, 65), (56, 128, 214)
# The most of a colour: text can be read on it.
_OPACITY = 0.65
# More spans than these are not told apart.
_MOST_CELLS_HTML, _MOST_CELLS_ANSI = 200, 80
# More features than these are not shown.
_MOST_ROWS = 50
# So many steps have room for their numbers.
_FEW_STEPS = 12
_JOINERS = "\u200c\u200d"
# Of the 256 colours of terminals, from light to strong.
_REDS, _BLUES = (224, 217, 210, 203), (189, 153, 117, 75)


def html_of(panels, target=None):
    """Return the panels side by side; the target is what they contribute to, in words."""
    limit = limit_of(panels, _MOST_CELLS_HTML)
    parts = [_html_of_panel(name, panel, limit) for name, panel in panels.items()]
    said = escape(f"{_said_sum(panels, target)}; the strongest colours are ±{limit:.3g}")
    legend = (
        f'<div style="opacity:0.75;font-size:85%"><span style="{_style(1)}">adds</span> '
        f'<span style="{_style(-1)}">takes away</span> {said}</div>'
    )
    shown = "".join(parts)
    return f'<div style="display:flex;flex-wrap:wrap;gap:1.5em">{shown}</div>{legend}'


def ansi_of(panels, target=None):
    """Return the panels one below the other, coloured by escape sequences."""
    lines, limit = [], limit_of(panels, _MOST_CELLS_ANSI)
    for name, panel in panels.items():
        lines += [f"{printable(name)}:"] if name else []
        if isinstance(panel, Series):
            shown = panel.strongest(_MOST_ROWS)
            values, _ = shown.binned(_MOST_CELLS_ANSI)
            labels = [printable(feature) for feature in shown.features]
            width = max(map(_width_of, labels), default=0)
            for label, row in zip(labels, values.T, strict=True):
                cells = "".join(_painted(" ", value, limit) for value in row)
                lines.append(f"{' ' * (width - _width_of(label))}{label} {cells}")
            lines += [said_left(panel, shown)] if shown.features != panel.features else []
        else:
            lines.append(" ".join(_painted(printable(w), v, limit) for w, v in panel.labelled()))
    return "\n".join([*lines, _said_sum(panels, target)])


def text_of(panels, n_most, target=None):
    """Return the strongest contributions of all panels, one in a line, without a colour."""
    labelled = [
        (printable(f"{name}: {label}" if name else label), value)
        for name, panel in panels.items()
        for label, value in panel.labelled()
    ]
    strongest = sorted(labelled, key=lambda item: -abs(item[1]))[:n_most]
    width = max((_width_of(label) for label, _ in strongest), default=0)
    lines = [
        f"  {label}{' ' * (width - _width_of(label))}  {value:+.4g}" for label, value in strongest
    ]
    left = len(labelled) - len(strongest)
    lines += [f"  ({left} more)"] if left else []
    return "\n".join([_said_sum(panels, target), *lines])


def _said_sum(panels, target):
    """Return the sum of each panel's contributions, and of all, in words, and to what."""
    sums = {name: panel.values.sum() for name, panel in panels.items()}
    said = f"{printable(target)}: " if target else ""
    said += f"sum {sum(sums.values()):+.4g}"
    if len(sums) > 1:
        said += f" ({', '.join(f'{printable(name)} {one:+.4g}' for name, one in sums.items())})"
    return said


def said_left(panel, shown):
    """Return how many features of a series are not shown, in words."""
    return f"({len(panel.features) - len(shown.features)} weaker features are not shown)"


def printable(text):
    """Return text in which what a terminal or a browser would obey is spelled out.

    What joins letters, as those of Persian and of emoji, or parts them is left.
    """
    return "".join(c if c.isprintable() or c in _JOINERS else ascii(c)[1:-1] for c in str(text))


def _width_of(text):
    """Return how many columns of a terminal a text takes."""
    return sum(
        0
        if c in _JOINERS or unicodedata.combining(c)
        else 1 + (unicodedata.east_asian_width(c) in "WF")
        for c in text
    )


# --- HTML -----------------------------------------------------------------------------------------


def _escaped(text):
    return escape(printable(text))


def _html_of_panel(name, panel, limit):
    head = f"<div><b>{_escaped(name)}</b></div>" if name else ""
    body = _html_of_series if isinstance(panel, Series) else _html_of_words
    return f'<div style="max-width:100%">{head}{body(panel, limit)}</div>'


def _html_of_words(panel, limit):
    words = [
        f'<span title="{value:+.3g}" style="{_style(value / limit)}">{_escaped(word)}</span>'
        for word, value in panel.labelled()
    ]
    style = "line-height:1.7;max-width:60em;overflow-wrap:anywhere"
    # Words of Hebrew and Arabic stand from right to left, as their text does.
    return f'<div dir="auto" style="{style}">{" ".join(words)}</div>'


def _html_of_series(panel, limit):
    """Return a table: a row for each feature, a cell for each step, or each span of steps."""
    shown = panel.strongest(_MOST_ROWS)
    values, bounds = shown.binned(_MOST_CELLS_HTML)
    shows_numbers = len(panel.values) <= _FEW_STEPS
    rows = []
    for j, feature in enumerate(shown.features):
        cells = []
        for value, start, stop in zip(values[:, j], bounds[:-1], bounds[1:], strict=True):
            number = f"{shown.inputs[start, j]:.3g}"
            when = f"step {start}, {number}" if stop == start + 1 else f"steps {start}–{stop - 1}"
            style = _style(value / limit) + ("" if shows_numbers else ";min-width:3px;padding:0")
            text = number if shows_numbers else ""
            cells.append(f'<td title="{when}: {value:+.3g}" style="{style}">{text}</td>')
        label = f'<th style="text-align:right;padding-right:6px">{_escaped(feature)}</th>'
        rows.append(f"<tr>{label}{''.join(cells)}</tr>")
    style = "border-collapse:collapse;font-size:85%"
    left = f"<div>{said_left(panel, shown)}</div>" if shown.features != panel.features else ""
    table = f'<table style="{style}">{"".join(rows)}</table>'
    return f'<div style="overflow-x:auto">{table}{left}</div>'


def _style(share):
    """Return the style of a contribution, given as a share of the strongest."""
    opacity = _OPACITY * min(abs(share), 1)
    red, green, blue = RED if share > 0 else BLUE
    colour = f"rgba({red},{green},{blue},{opacity:.2f})" if opacity >= 0.005 else "transparent"
    return f"background:{colour};color:inherit;border-radius:3px;padding:1px 3px"


# --- Terminals ------------------------------------------------------------------------------------


def _painted(text, value, limit):
    """Return text on the colour of its contribution, as it is where that is small."""
    level = int(np.ceil(len(_REDS) * min(abs(value) / limit, 1) - 0.5))
    if level < 1:
        return text
    colour = (_REDS if value > 0 else _BLUES)[level - 1]
    return f"\x1b[30;48;5;{colour}m{text}\x1b[0m"
