"""Contributions as a picture: colours under series, bars beside words."""

import numpy as np

from skgru._inspection.markup import BLUE, RED, printable, said_left
from skgru._inspection.panels import Series, limit_of
from skgru._pictures import draw_line, in_row, short, show_whole_numbers, text_style

# More columns than these a picture does not show.
_MOST_COLUMNS = 400
# The most of a colour: a line can be seen on it.
_OPACITY = 0.85
# So many features have room for their names, and so many for their lines.
_MOST_ROWS, _MOST_LINES = 40, 20


def draw(panels, plt, ax, n_words, target=None):
    """Draw panels side by side; return the figure, and the axes of each by its name.

    Parameters
    ----------
    panels : dict of str to Series or Words
    plt : module
        matplotlib.pyplot
    ax : Axes of matplotlib or None
        Whose place is divided among the panels; None = a figure of its own.
    n_words : int
        How many words are drawn at most.
    target : str, default=None
        What they contribute to.
    """
    said = f"contribution to {_short(target)}" if target else "contribution"
    if ax is None:
        n_rows = max(_n_rows(panel, n_words) for panel in panels.values())
        size = (6.4 * len(panels), float(np.clip(1.2 + 0.4 * n_rows, 2.4, 9)))
        figure = plt.figure(figsize=size, layout="constrained")
        places = list(figure.add_gridspec(1, len(panels)))
    else:
        figure = ax.figure
        places = list(ax.get_subplotspec().subgridspec(1, len(panels)))
        ax.set_axis_off()
    axes, limit = {}, limit_of(panels, _MOST_COLUMNS)
    for (name, panel), place in zip(panels.items(), places, strict=True):
        own = axes[name] = figure.add_subplot(place)
        if isinstance(panel, Series):
            _draw_series(own, panel, limit, said)
        else:
            _draw_words(own, panel, limit, n_words, said)
        if name:
            own.set_title(_short(name), loc="left", **text_style())
    return figure, axes


def _n_rows(panel, n_words):
    if isinstance(panel, Series):
        return min(len(panel.features), _MOST_ROWS)
    return min(len(panel.words), n_words)


def _colours():
    """Return the colours from blue over nothing to red: what lies below is seen in the middle."""
    from matplotlib.colors import LinearSegmentedColormap

    red, blue = (np.array(colour) / 255 for colour in (RED, BLUE))
    ends = [(*blue, _OPACITY), (*blue, 0), (*red, 0), (*red, _OPACITY)]
    places = [0, 0.5, 0.5, 1]
    return LinearSegmentedColormap.from_list("contributions", list(zip(places, ends, strict=True)))


def _draw_series(ax, panel, limit, said):
    """Draw rows of colours, and a line in each; the scale says what the colours are."""
    given, panel = panel, panel.strongest(_MOST_ROWS)
    values, bounds = panel.binned(_MOST_COLUMNS)
    n, n_features = panel.inputs.shape
    # A step is as wide as to the next one, with its value in the middle.
    mesh = ax.pcolormesh(
        bounds - 0.5, np.arange(n_features + 1), values.T, cmap=_colours(), vmin=-limit, vmax=limit
    )
    said = (
        said
        if len(values) == n
        else said.replace("contribution", "contribution of a span of steps", 1)
    )
    ax.figure.colorbar(mesh, ax=ax, pad=0.02).set_label(said, **text_style())
    if n_features == 1:
        _draw_line(ax.twinx(), panel, 0, is_alone=True)
        ax.set_yticks([])
    else:
        _name_rows(ax, np.arange(n_features) + 0.5, panel.features)
        for j in range(n_features if n_features <= _MOST_LINES else 0):
            _draw_line(ax, panel, j)
    ax.set_ylim(n_features, 0)
    ax.set_xlabel("step" if panel.features == given.features else f"step {said_left(given, panel)}")
    show_whole_numbers(ax.xaxis)


def _draw_line(ax, panel, j, *, is_alone=False):
    """Draw the values of a feature into its row, or alone with their scale."""
    values = panel.inputs[:, j]
    if is_alone:
        ax.yaxis.tick_left()
        ax.yaxis.set_label_position("left")
        ax.set_ylabel(_short(panel.features[0]), **text_style())
    else:
        values = in_row(values, j)
    draw_line(ax, values)


def _draw_words(ax, panel, limit, n_most, said):
    """Draw bars of the strongest, in the order of reading; the axis says what they are."""
    chosen = np.sort(np.argsort(-np.abs(panel.values), kind="stable")[:n_most])
    values = panel.values[chosen]
    colours = [tuple(c / 255 for c in (RED if value > 0 else BLUE)) for value in values]
    ax.barh(np.arange(len(chosen)), values, color=colours)
    _name_rows(ax, np.arange(len(chosen)), [panel.words[i] for i in chosen])
    ax.invert_yaxis()
    ax.set_xlim(-1.05 * limit, 1.05 * limit)
    ax.axvline(0, color=ax.xaxis.label.get_color(), linewidth=0.8)
    ax.set_xlabel(said, **text_style())
    if len(chosen) < len(panel.words):
        ax.set_title(
            f"{len(chosen)} strongest of {len(panel.words)}", loc="right", fontsize="medium"
        )


def _name_rows(ax, places, names):
    """Write names beside rows."""
    ax.set_yticks(places, map(_short, names), **text_style())
    ax.tick_params(axis="y", length=0)


def _short(word):
    return short(printable(word))
