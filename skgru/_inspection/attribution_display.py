"""The contributions to one prediction, in a picture and in text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
from scipy import sparse

from skgru._data.table import TableInput
from skgru._data.tokens import TokenInput
from skgru._inspection.attributions import attributions
from skgru._inspection.drawing import draw
from skgru._inspection.markup import ansi_of, html_of, text_of
from skgru._inspection.panels import make_panel
from skgru._inspection.samples import Sample
from skgru._pictures import import_pyplot
from skgru._types import AnyEstimator, ArrayLike, Axes

# So many contributions are printed.
_N_STRONGEST = 10


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
    target : str, default=None
        What they contribute to, in words: a class, or one of several outputs. None = it is not
        said.

    Attributes
    ----------
    target : str or None
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

    def __init__(self, panels: dict[str, Any], target: str | None = None) -> None:
        self.panels = panels
        self.target = target

    @classmethod
    def from_attributions(
        cls,
        values: ArrayLike | Mapping[str, ArrayLike],
        X: ArrayLike,
        *,
        names: Sequence[str] | Mapping[str, Sequence[str]] | None = None,
        target: str | None = None,
    ) -> Self:
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
        target : str, default=None
            What they contribute to, in words; None = it is not said.

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
            return cls({"": make_panel(values, X, names)}, target)
        _check_branches("X", X, values, has_all=True)
        of_branches: Any = {} if names is None else names
        _check_branches("names", of_branches, values)
        panels = {n: make_panel(values[n], X[n], of_branches.get(n)) for n in values}
        return cls(panels, target)

    @classmethod
    def from_estimator(
        cls, estimator: AnyEstimator, X: ArrayLike, *, index: int = 0, **options: Any
    ) -> Self:
        """Explain a prediction of a fitted estimator.

        Parameters
        ----------
        estimator : estimator
            As for `attributions`, or a search, whose best estimator is taken.
        X : array-like
            Samples, in any form that `predict` takes.
        index : int, default=0
            The position of the sample to explain, from the last one on if negative.
        **options : dict
            Of `attributions`: method, target, baseline, ...

        Returns
        -------
        display : AttributionDisplay

        Raises
        ------
        NotFittedError, TypeError, ValueError
            As of `attributions`; or if there is no such sample.

        Notes
        -----
        Of a `Pipeline`, and of a branch with a transformer, what the network reads is explained:
        features have the names that ``get_feature_names_out`` gives them, and words are the tokens
        that `SequenceVectorizer` has ids of. Stop words are none of them; words that it does not
        know are.

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
        found: Any = attributions(sample.network, sample.given, **options)
        values = found if sample.is_multimodal else {"": found}
        panels = {}
        for name, part in sample.model.own_inputs.items():
            if isinstance(part, TableInput):
                panels[name] = _row(values[name], sample, name)
            elif isinstance(part, TokenInput):
                kept = sample.parsed[name].kept
                panels[name] = make_panel(values[name][0][kept], sample.words_of(name))
            else:
                panels[name] = _series(values[name][0], sample, name)
        return cls(panels, sample.said_of(options.get("target")) or None)

    # --- Text ------------------------------------------------------------------------------------

    def ansi(self) -> str:
        """Return all of it in the colours of a terminal.

        Returns
        -------
        text : str
            Words on the colours of their contributions; of series, a line for each feature.
        """
        return ansi_of(self.panels, self.target)

    def __str__(self) -> str:
        return text_of(self.panels, _N_STRONGEST, self.target)

    def _repr_html_(self) -> str:
        return html_of(self.panels, self.target)

    # --- A picture -------------------------------------------------------------------------------

    def plot(self, ax: Axes | None = None, *, n_words: int = 20) -> Self:
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
        self.figure_, self.axes_ = draw(self.panels, plt, ax, n_words, self.target)
        return self


def _check_branches(what, given, values, *, has_all=False):
    """Refuse what is no dict of the branches of `values`, or of some of them."""
    is_dict = isinstance(given, Mapping)
    if not is_dict or given.keys() - values.keys() or (has_all and values.keys() - given.keys()):
        raise ValueError(
            f"Expected {what} to be a dict by branch as values is, of {[*values]}, got "
            f"{[*given] if is_dict else type(given).__name__}."
        )


# --- What a sample consists of --------------------------------------------------------------------


def _series(values, sample, name):
    """Return the panel of a sequence of numbers; padding has none."""
    inputs = np.full(values.shape, np.nan)
    inputs[sample.parsed[name].kept] = sample.parsed[name].sequences.values
    return make_panel(values, inputs, sample.features_of(name))


def _row(values, sample, name):
    """Return the panel of the row of a table; of a sparse matrix, of what it holds."""
    opened, names = sample.opened[name], sample.features_of(name)
    if not sparse.issparse(values):
        cells = [column.cells[0] for column in opened.columns]
        return make_panel(values[0], cells, names)
    held = values.indices
    cells = opened.matrix[:1, held].toarray().ravel()
    return make_panel(values.data, cells, [names[j] for j in held])
