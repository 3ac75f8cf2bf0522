"""The contributions to one prediction, in a picture and in text."""

from collections.abc import Mapping

import numpy as np
from scipy import sparse

from skgru._data.table import TableInput
from skgru._data.tokens import TokenInput
from skgru._inspection.attributions import attributions
from skgru._inspection.markup import BLUE, RED, ansi_of, html_of, text_of
from skgru._inspection.panels import Series, limit_of, make_panel
from skgru._inspection.samples import Sample
from skgru._pictures import (
    draw_line,
    fonts,
    import_pyplot,
    in_row,
    short,
    show_whole_numbers,
)

# More columns than these a picture does not show.
_MOST_COLUMNS = 400
_N_STRONGEST = 10
# The most of a colour: a line can be seen on it.
_OPACITY = 0.85
# So many features have room for their lines.
_MOST_LINES = 20


class AttributionDisplay:
    """What contributes to one prediction: a heat map of steps and features, or coloured words.

    It is made by `from_attributions` or `from_estimator`. In a notebook it shows itself as HTML;
    ``print(display)`` has the strongest contributions as plain text, ``print(display.ansi())`` has
    all of them in the colours of a terminal, and `plot` draws a picture. Red is what adds to the
    output, blue what takes away from it; the scale is the same in all branches, and symmetric.

    Only `plot` needs matplotlib: so, unlike the displays of scikit-learn, this one is drawn when
    it is asked to.

    Parameters
    ----------
    panels : dict
        What is shown of each branch, by its name; an estimator of one sequence has one, ``""``.

    Attributes
    ----------
    axes_ : dict of Axes of matplotlib
        By the names of the branches, after `plot`.
    figure_ : Figure of matplotlib

    Examples
    --------
    >>> from skgru.inspection import AttributionDisplay
    >>> print(AttributionDisplay.from_attributions([0.1, 2.0, -0.5], ["a", "fine", "mess"]))
    sum +1.6
      fine  +2
      mess  -0.5
      a     +0.1
    """

    def __init__(self, panels):
        self.panels = panels

    @classmethod
    def from_attributions(cls, values, X, *, names=None):
        """Show contributions that have been computed before.

        Parameters
        ----------
        values : array-like of shape (n_steps, n_features) or (n_tokens,), or dict
            The contributions to the prediction of one sample, an element of what `attributions`
            returns; of several branches a dict of such by their names, of tables rows of shape
            (n_columns,).
        X : array-like, or dict
            The sample: a sequence of the shape of `values`, which may be a DataFrame; the words of
            tokens; the cells of a row. A dict, if `values` is one.
        names : list of str, or dict, default=None
            Of the features, or of the columns of a row. A dict by branch, if `values` is one.

        Returns
        -------
        display : AttributionDisplay

        Raises
        ------
        TypeError, ValueError
            If they do not fit together.

        Examples
        --------
        >>> import numpy as np
        >>> from skgru.inspection import AttributionDisplay
        >>> values = {"vitals": np.array([[0.0], [0.4]]), "patient": np.array([0.3, -0.1])}
        >>> X = {"vitals": np.array([[81.0], [132.0]]), "patient": [63, "smoker"]}
        >>> names = {"vitals": ["heart rate"], "patient": ["age", "habit"]}
        >>> print(AttributionDisplay.from_attributions(values, X, names=names))
        sum +0.6 (vitals +0.4, patient +0.2)
          vitals: heart rate[1]    +0.4
          patient: age = 63        +0.3
          patient: habit = smoker  -0.1
          vitals: heart rate[0]    +0
        """
        if not isinstance(values, Mapping):
            return cls({"": make_panel(values, X, names)})
        names = names or {}
        for what, given in (("X", X), ("names", names)):
            if not isinstance(given, Mapping) or (what == "X" and given.keys() != values.keys()):
                raise ValueError(
                    f"Expected {what} to be a dict by branch as values is, of {[*values]}, got "
                    f"{[*given] if isinstance(given, Mapping) else type(given).__name__}."
                )
        return cls({name: make_panel(values[name], X[name], names.get(name)) for name in values})

    @classmethod
    def from_estimator(cls, estimator, X, *, index=0, **options):
        """Explain a prediction of a fitted estimator.

        Parameters
        ----------
        estimator : estimator
            As for `attributions`, or a search, whose best estimator is taken.
        X : array-like
            Samples, in any form that `predict` takes.
        index : int, default=0
            The sample to explain.
        **options : dict
            Of `attributions`: method, target, baseline, ...

        Returns
        -------
        display : AttributionDisplay

        Raises
        ------
        NotFittedError, TypeError, ValueError
            As of `attributions`; or if there is no such sample.

        Examples
        --------
        >>> import numpy as np
        >>> from skgru import GRURegressor
        >>> from skgru.inspection import AttributionDisplay
        >>> X = np.random.RandomState(0).normal(size=(80, 6, 2))
        >>> reg = GRURegressor(8, max_iter=20, random_state=0).fit(X, X[:, 3, 1])
        >>> display = AttributionDisplay.from_estimator(reg, X, index=5, method="occlusion")
        >>> display.panels[""].values.shape
        (6, 2)
        """
        sample = Sample(estimator, X, index)
        values = attributions(estimator, sample.X, **options)
        values = values if sample.is_multimodal else {"": values}
        panels = {}
        for name, part in sample.model.inputs.items():
            if isinstance(part, TableInput):
                panels[name] = _row(values[name], sample, name)
            elif isinstance(part, TokenInput):
                kept = values[name][0][sample.parsed[name].kept]
                panels[name] = make_panel(kept, sample.words_of(name))
            else:
                panels[name] = _series(values[name][0], sample, name)
        return cls(panels)

    # --- Text ------------------------------------------------------------------------------------

    def ansi(self):
        """Return all of it in the colours of a terminal.

        Returns
        -------
        text : str
            Words on the colours of their contributions; of series, a line for each feature.
        """
        return ansi_of(self.panels)

    def __str__(self):
        return text_of(self.panels, _N_STRONGEST)

    def _repr_html_(self):
        return html_of(self.panels)

    # --- A picture -------------------------------------------------------------------------------

    def plot(self, ax=None, *, n_words=20):
        """Draw the branches side by side.

        A series has a row for each feature: its values as a line, drawn to its own scale, on the
        colours of what they contribute. With one feature, the scale is shown. Of words, and of
        the cells of a row, the strongest are bars, in the order in which they are read.

        Parameters
        ----------
        ax : Axes of matplotlib, default=None
            Where to draw, its place is divided among several branches; None = a figure of its own.
        n_words : int, default=20
            How many words are drawn at most.

        Returns
        -------
        display : AttributionDisplay
            Itself.

        Raises
        ------
        ImportError
            If there is no matplotlib.
        """
        plt = import_pyplot("AttributionDisplay.plot()")
        if ax is None:
            rows = [
                len(p.features) if isinstance(p, Series) else min(len(p.words), n_words)
                for p in self.panels.values()
            ]
            size = (6.4 * len(self.panels), float(np.clip(1.2 + 0.4 * max(rows), 2.4, 9)))
            figure = plt.figure(figsize=size, layout="constrained")
            places = list(figure.add_gridspec(1, len(self.panels)))
        else:
            figure = ax.figure
            places = list(ax.get_subplotspec().subgridspec(1, len(self.panels)))
            ax.set_axis_off()
        self.figure_, self.axes_ = figure, {}
        limit = limit_of(self.panels, _MOST_COLUMNS)
        for (name, panel), place in zip(self.panels.items(), places, strict=True):
            own = self.axes_[name] = figure.add_subplot(place)
            if isinstance(panel, Series):
                _draw_series(own, panel, limit)
            else:
                _draw_words(own, panel, limit, n_words)
            if name:
                own.set_title(name, loc="left")
        return self


# --- What a sample consists of --------------------------------------------------------------------


def _series(values, sample, name):
    """Return the panel of a sequence of numbers; padding has none."""
    inputs = np.full(values.shape, np.nan)
    inputs[sample.parsed[name].kept] = sample.parsed[name].sequences.values
    return make_panel(values, inputs, sample.features_of(name))


def _row(values, sample, name):
    """Return the panel of the row of a table; of a sparse matrix, of what it holds."""
    opened, transformer = sample.opened[name], sample.transformer_of(name)
    if not sparse.issparse(values):
        cells = [column.cells[0] for column in opened.columns]
        return make_panel(values[0], cells, sample.model.inputs[name].names)
    matrix = opened.matrix
    if hasattr(transformer, "get_feature_names_out"):
        names = transformer.get_feature_names_out()
    else:
        names = [f"x{j}" for j in range(matrix.shape[1])]
    held = values.indices
    cells = matrix[:1, held].toarray().ravel()
    return make_panel(values.data, cells, [names[j] for j in held])


# --- Drawing --------------------------------------------------------------------------------------


def _colours():
    """Return the colours from blue over nothing to red: what lies below is seen in the middle."""
    from matplotlib.colors import LinearSegmentedColormap

    red, blue = (np.array(colour) / 255 for colour in (RED, BLUE))
    ends = [(*blue, _OPACITY), (*blue, 0), (*red, 0), (*red, _OPACITY)]
    places = [0, 0.5, 0.5, 1]
    return LinearSegmentedColormap.from_list("contributions", list(zip(places, ends, strict=True)))


def _draw_series(ax, panel, limit):
    """Draw rows of colours, and a line in each."""
    values, bounds = panel.binned(_MOST_COLUMNS)
    n, n_features = panel.inputs.shape
    # A step is as wide as to the next one, with its value in the middle.
    mesh = ax.pcolormesh(
        bounds - 0.5, np.arange(n_features + 1), values.T, cmap=_colours(), vmin=-limit, vmax=limit
    )
    said = "contribution" if len(values) == n else "contribution of a span of steps"
    ax.figure.colorbar(mesh, ax=ax, label=said, pad=0.02)
    if n_features == 1:
        _draw_line(ax.twinx(), panel, 0, is_alone=True)
        ax.set_yticks([])
    else:
        ax.set_yticks(np.arange(n_features) + 0.5, map(short, panel.features), fontfamily=fonts())
        ax.tick_params(axis="y", length=0)
        for j in range(n_features if n_features <= _MOST_LINES else 0):
            _draw_line(ax, panel, j)
    ax.set_ylim(n_features, 0)
    ax.set_xlabel("step")
    show_whole_numbers(ax.xaxis)


def _draw_line(ax, panel, j, *, is_alone=False):
    """Draw the values of a feature into its row, or alone with their scale."""
    values = panel.inputs[:, j]
    if is_alone:
        ax.yaxis.tick_left()
        ax.yaxis.set_label_position("left")
        ax.set_ylabel(short(panel.features[0]), fontfamily=fonts())
    else:
        values = in_row(values, j)
    draw_line(ax, values)


def _draw_words(ax, panel, limit, n_most):
    """Draw bars of the strongest, in the order of reading."""
    chosen = np.sort(np.argsort(-np.abs(panel.values), kind="stable")[:n_most])
    values = panel.values[chosen]
    colours = [tuple(c / 255 for c in (RED if value > 0 else BLUE)) for value in values]
    ax.barh(np.arange(len(chosen)), values, color=colours)
    labels = [short(panel.words[i]) for i in chosen]
    ax.set_yticks(np.arange(len(chosen)), labels, fontfamily=fonts())
    ax.tick_params(axis="y", length=0)
    ax.invert_yaxis()
    ax.set_xlim(-1.05 * limit, 1.05 * limit)
    ax.axvline(0, color=ax.xaxis.label.get_color(), linewidth=0.8)
    ax.set_xlabel("contribution")
    if len(chosen) < len(panel.words):
        ax.set_title(
            f"{len(chosen)} strongest of {len(panel.words)}", loc="right", fontsize="medium"
        )
