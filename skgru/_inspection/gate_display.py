"""The gates of a layer along a sequence, in a picture and in text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from numbers import Integral
from typing import Literal, Self
from unicodedata import east_asian_width

import numpy as np

from skgru._compat import names_of
from skgru._data.tokens import TokenInput
from skgru._engine.gates import gates_along
from skgru._inspection.markup import printable
from skgru._inspection.samples import Sample
from skgru._nn.recurrent import DIRECTIONS, Stack
from skgru._pictures import (
    draw_line,
    import_pyplot,
    in_row,
    short,
    show_whole_numbers,
    text_style,
)
from skgru._types import AnyEstimator, ArrayLike, Axes

# A map does not show more columns, nor are more words written above it.
_MOST_COLUMNS, _MOST_WORDS = 400, 40
# So many features have room for their names.
_MOST_NAMES = 20
# What 1 means, of the gates of the cells of skgru.
_OPEN = {
    "update": "1 replaces the state",
    "reset": "1 shows the state",
    "input": "1 takes in",
    "forget": "1 keeps the memory",
    "output": "1 gives out",
}
# The most letters of an upright word, and how wide and high a letter is, in inches.
_MOST_UPRIGHT, _LETTER, _LINE = 16, 0.08, 0.15
# What a figure of its own leaves on the right, above and below, and the width of its axes.
_RIGHT, _TOP, _BOTTOM, _ACROSS = 1.05, 0.3, 0.5, 6.2


class GateDisplay:
    """The gates of a recurrent layer along one sequence, and what decays.

    It is made by `from_estimator`. ``print(display)`` says of each gate how far it is open on
    average, and where it is most open and most shut; `plot` draws a picture.

    How to read it: a gate has a number from 0 (shut) to 1 (open) for each unit and step.

    - The update gate z of a GRU [1]_ weighs the *candidate* here: where it is 1 the state is
      replaced by what the step says, where it is 0 the state is kept as it was, as if the step had
      not been. (PyTorch and Keras call 1 − z by this name.) Units that are shut nearly everywhere
      remember; steps at which many open are those that the network takes notice of.
    - The reset gate r says how much of the state the candidate sees: where it is 0 the candidate is
      made of the step alone. It matters only as far as z is open.
    - An LSTM has an input gate (how much of the candidate goes into the memory), a forget gate (how
      much of the memory stays: 1 keeps) and an output gate (how much of the memory is seen from
      outside). With ``output_gate=True`` other cells have an output gate too.
    - Where values are missing or steps have times, states decay [2]_: ``decays["state"]`` is the
      share of each unit that was left before the step. ``decays["input"]``, of the lowest layer, is
      the share of the value last seen of each feature that is read in place of a missing one, 1
      where a value was seen.

    Gates say what the network lets through, not whether that is good for the prediction: for this
    there is `attributions`.

    Only `plot` needs matplotlib.

    Parameters
    ----------
    gates : dict of str to array-like of shape (n_steps, n_units)
        By the names of the gates; from 0 to 1.
    decays : dict of str to array-like, default=None
        ``"state"`` of shape (n_steps, n_units) and ``"input"`` of shape (n_steps, n_features), or
        one of them; from 0 to 1.
    inputs : array-like of shape (n_steps, n_features), or list of str, default=None
        The sequence: numbers, or a word for each step. None = it is not shown.
    features : list of str, default=None
        The names of the features.
    title : str, default=None
        Which layer it is.

    Attributes
    ----------
    gates : dict of str to ndarray of shape (n_steps, n_units)
        Of a GRU ``"update"`` and ``"reset"``, of an LSTM ``"output"``, ``"input"`` and
        ``"forget"``; of simple cells none. With an output gate behind the cell, ``"output"``.
    decays : dict of str to ndarray
        ``"state"`` (n_steps, n_units) and ``"input"`` (n_steps, n_features), if they decay.
    inputs : ndarray of shape (n_steps, n_features), list of str, or None
    features : list of str, or None
    title : str or None
    axes_ : dict of Axes of matplotlib
        After `plot`: ``"inputs"``, if they are shown; the maps by the names of the gates, and
        ``"state decay"`` and ``"input decay"``; the lines above them, as ``"update mean"``.
    figure_ : Figure of matplotlib

    Raises
    ------
    TypeError, ValueError
        If the arrays do not fit together.

    References
    ----------
    .. [1] K. Cho et al., "Learning phrase representations using RNN encoder-decoder for statistical
       machine translation", EMNLP 2014 (arXiv 1406.1078).
    .. [2] Z. Che et al., "Recurrent neural networks for multivariate time series with missing
       values" (GRU-D), Scientific Reports 8, 2018 (arXiv 1606.01865).

    Examples
    --------
    >>> from skgru.inspection import GateDisplay
    >>> update = [[0.0, 0.1], [0.75, 1.0], [0.0, 0.0]]
    >>> print(GateDisplay({"update": update}, inputs=["a", "fine", "day"]))
    3 steps, 2 units
    update: mean 0.308, most open at 'fine' (step 1, 0.875), most shut at 'day' (step 2, 0)
    """

    def __init__(
        self,
        gates: Mapping[str, ArrayLike],
        *,
        decays: Mapping[str, ArrayLike] | None = None,
        inputs: ArrayLike | None = None,
        features: Sequence[str] | None = None,
        title: str | None = None,
    ) -> None:
        self.gates = _arrays_of(gates, "gates")
        self.decays = _arrays_of({} if decays is None else decays, "decays")
        if not self.gates and not self.decays:
            raise ValueError("Expected one gate or decay at least, got none.")
        if not set(self.decays) <= {"state", "input"}:
            raise ValueError(f"Expected decays of 'state' and 'input', got {[*self.decays]}.")
        self.inputs, self.features = _inputs_of(inputs, features)
        self.title = title
        self._check_shapes()

    @classmethod
    def from_estimator(
        cls,
        estimator: AnyEstimator,
        X: ArrayLike,
        *,
        index: int = 0,
        branch: str | None = None,
        layer: int = 0,
        direction: Literal["forward", "reverse"] = "forward",
    ) -> Self:
        """Show the gates of a fitted network along a sample.

        Parameters
        ----------
        estimator : estimator
            A fitted `GRUClassifier`, `GRURegressor`, `MultimodalGRUClassifier` or
            `MultimodalGRURegressor`, a `Pipeline` that ends with one, or a search, whose best
            estimator is taken.
        X : array-like
            Samples, in any form that `predict` takes.
        index : int, default=0
            The position of the sample, from the last one on if negative.
        branch : str, default=None
            Of a multimodal estimator, the branch; None = the only one that reads sequences.
        layer : int, default=0
            The hidden layer, from 0, which reads the inputs; or from -1, the top one, down.
        direction : {"forward", "reverse"}, default="forward"
            Of a bidirectional network, the layer that reads from the start or the one that reads
            from the end. The steps are in the order of time in both.

        Returns
        -------
        display : GateDisplay
            Without padding. With `patch_size`, the steps of a patch have the gates of the patch in
            common, since the network reads them at once.

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        TypeError, ValueError
            If it is another one; if there is no such sample, branch, layer or direction; or if
            nothing in the layer is a gate or decays.

        Examples
        --------
        >>> import numpy as np
        >>> from skgru import GRURegressor
        >>> from skgru.inspection import GateDisplay
        >>> X = np.random.RandomState(0).normal(size=(80, 6, 2))
        >>> reg = GRURegressor(8, max_iter=20, random_state=0).fit(X, X[:, 3, 1])
        >>> display = GateDisplay.from_estimator(reg, X, index=5)
        >>> {name: gate.shape for name, gate in display.gates.items()}
        {'update': (6, 8), 'reset': (6, 8)}
        """
        sample = Sample(estimator, X, index)
        name = _branch_of(sample, branch)
        network = sample.model.network.branches[name]
        number = _layer_of(network, layer)
        directions = DIRECTIONS[: 1 + network.bidirectional]
        if direction not in directions:
            raise ValueError(
                f"Expected direction to be one of {list(directions)}, in which the network reads, "
                f"got {direction!r}."
            )
        sequences = sample.parsed[name].sequences
        if not len(sequences.values):
            raise ValueError(
                f"Expected a sample with a step at least, got none in sample {index}"
                + (f", branch {name!r}." if name else ".")
            )
        (found,) = gates_along(sample.model, sequences, name, number, direction)
        kind = network.spec.encoder.cells[number]
        where = f"{network.prefix}hidden_{number}"
        if not found.gates and not found.decays:
            raise ValueError(
                f"Expected a layer with gates, got {where}, which has none, since it is of "
                f"cell={kind!r}, and its states do not decay. GRU and LSTM layers have gates."
            )
        if network.bidirectional:
            where += f", {direction}"
        is_text = isinstance(sample.model.inputs[name], TokenInput)
        return cls(
            found.gates,
            decays=found.decays,
            inputs=sample.words_of(name) if is_text else sequences.values,
            features=None if is_text else sample.features_of(name),
            title=f"{where} ({kind})",
        )

    def _check_shapes(self):
        """Refuse arrays of other lengths, or of other widths, than the rest."""
        arrays = {f"gate {name!r}": array for name, array in self.gates.items()}
        arrays |= {f"decay of {name!r}": array for name, array in self.decays.items()}
        (first, expected), *others = arrays.items()
        for name, array in others:
            if len(array) != len(expected):
                raise ValueError(
                    f"Expected as many steps of all, {len(expected)} as of the {first}, got "
                    f"{len(array)} of the {name}."
                )
        of_units = [array for name, array in arrays.items() if name != "decay of 'input'"]
        widths = {array.shape[1] for array in of_units}
        if len(widths) > 1:
            raise ValueError(
                f"Expected as many units of each gate and of the state, got {sorted(widths)}."
            )
        if self.inputs is not None and len(self.inputs) != len(expected):
            raise ValueError(
                f"Expected inputs of {len(expected)} steps, as of the {first}, got "
                f"{len(self.inputs)}."
            )
        n = self.decays["input"].shape[1] if "input" in self.decays else None
        if self.features and n not in (None, len(self.features)):
            raise ValueError(
                f"Expected a decay of 'input' for each of {len(self.features)} features, got {n}."
            )

    @property
    def _shown(self):
        """The arrays by the names under which they are shown."""
        return self.gates | {f"{name} decay": array for name, array in self.decays.items()}

    # --- Text ------------------------------------------------------------------------------------

    def __str__(self) -> str:
        shown = self._shown
        n_steps = len(next(iter(shown.values())))
        units = [array.shape[1] for name, array in shown.items() if name != "input decay"]
        sizes = [_count(n_steps, "step"), *(_count(n, "unit") for n in units[:1])]
        lines = [", ".join([self.title, *sizes] if self.title else sizes)]
        for name, array in shown.items():
            means = array.mean(axis=1)
            line = f"{name}: mean {means.mean():.3g}"
            if n_steps > 1:
                is_decay = name.endswith(" decay")
                most, least = ("most is left", "least") if is_decay else ("most open", "most shut")
                line += f", {most} {self._said_step(means.argmax(), means)}"
                line += f", {least} {self._said_step(means.argmin(), means)}"
            lines.append(line)
        return "\n".join(lines)

    def _said_step(self, t, means):
        """Return a step and the mean there, in words."""
        if isinstance(self.inputs, list):
            return f"at {self.inputs[t]!r} (step {t}, {means[t]:.3g})"
        return f"at step {t} ({means[t]:.3g})"

    # --- A picture -------------------------------------------------------------------------------

    def plot(self, ax: Axes | None = None) -> Self:
        """Draw the sequence, and below it each gate and what decays.

        Series have a line for each feature, drawn to its own scale; words stand above the steps, if
        there are at most 40. Each gate has a map of steps and units, and above it the mean of the
        units, in a band from the 10 % to the 90 % of them. The units are in the same order in all
        maps: by the mean of the first one over the steps, the most open at the top. Of more than
        400 steps, a column of a map is the mean of several.

        Parameters
        ----------
        ax : Axes of matplotlib, default=None
            Where to draw, its place is divided; None = a figure of its own.

        Returns
        -------
        display : GateDisplay
            Itself.

        Raises
        ------
        ImportError
            If there is no matplotlib.
        ValueError
            If `ax` stands in no grid.
        """
        plt = import_pyplot("GateDisplay.plot()")
        across = _ACROSS if ax is None else 0.9 * ax.get_window_extent().width / ax.figure.dpi
        is_upright = self._shows_words and _are_tight(self.inputs, across)
        heights = {"inputs": self._height(is_upright)} if self._shows_inputs else {}
        for name in self._shown:
            heights |= {f"{name} mean": 0.6, name: 1.25}
        if ax is None:
            figure, place = _new_figure(plt, heights, self.features)
        else:
            figure, place = ax.figure, ax.get_subplotspec()
            if place is None:
                raise ValueError(
                    "Expected ax to have a place in a grid that can be divided, as those of "
                    "plt.subplots() have, got one without."
                )
            ax.set_axis_off()
        self.figure_ = figure
        self.axes_: dict[str, Axes] = {}
        places, colours = _places_of(place, figure, heights)
        for name, own in places.items():
            first = next(iter(self.axes_.values()), None)
            self.axes_[name] = figure.add_subplot(own, sharex=first)
            self.axes_[name].tick_params(labelbottom=False)
        if self._shows_inputs:
            self._draw_inputs(self.axes_["inputs"], is_upright)
        for name, array in self._shown.items():
            of_features = name == "input decay"
            _draw_mean(self.axes_[f"{name} mean"], array, _said(name))
            mesh = _draw_map(self.axes_[name], array if of_features else array[:, self._order])
            if of_features:
                _label_features(self.axes_[name], array.shape[1], self.features)
            else:
                _count_rows(self.axes_[name], array.shape[1], "unit")
        axes = list(self.axes_.values())
        label = "from shut (0) to open (1)" if self.gates else "share that is left"
        figure.colorbar(mesh, cax=figure.add_subplot(colours), label=label)
        _number_steps(axes[-1])
        if self.title:
            axes[0].set_title(self.title, loc="right", fontsize="medium", **text_style())
        return self

    @property
    def _shows_words(self):
        return isinstance(self.inputs, list) and len(self.inputs) <= _MOST_WORDS

    @property
    def _shows_inputs(self):
        return self._shows_words or isinstance(self.inputs, np.ndarray)

    def _height(self, is_upright):
        """Return how high the sequence is drawn, in inches."""
        if self._shows_words:
            longest = max(map(_width, self.inputs))
            return 1.25 * _LETTER * min(longest, _MOST_UPRIGHT) if is_upright else 0.25
        return float(np.clip(0.35 * self.inputs.shape[1], 0.9, 2.6))

    def _draw_inputs(self, ax, is_upright):
        """Draw the lines of a series, or write words above the steps."""
        if self._shows_words:
            _write_words(ax, self.inputs, is_upright)
        else:
            _draw_series(ax, self.inputs, self.features)

    @property
    def _order(self):
        """The units, from the one that is open most in the first of the arrays."""
        return np.argsort(-next(iter(self._shown.values())).mean(axis=0), kind="stable")


# --- What is given --------------------------------------------------------------------------------


def _arrays_of(given, what):
    """Return arrays by their names, checked each for itself."""
    if not isinstance(given, Mapping):
        raise TypeError(f"Expected {what} to be a dict of arrays, got {type(given).__name__}.")
    arrays = {}
    for name, values in given.items():
        array = np.asarray(values)
        array = array if array.dtype.kind == "f" else array.astype(float)
        if array.ndim != 2 or not array.size:
            raise ValueError(
                f"Expected {what}[{name!r}] of shape (n_steps, n_units), neither of them 0, got "
                f"shape {array.shape}."
            )
        if not (array.min() >= 0 and array.max() <= 1):
            raise ValueError(
                f"Expected {what}[{name!r}] from 0 to 1, got {array.min():.3g} to "
                f"{array.max():.3g}."
            )
        arrays[str(name)] = array
    return arrays


def _inputs_of(inputs, features):
    """Return words as a list, or numbers as an array (n_steps, n_features); and their names."""
    if isinstance(inputs, str):
        raise TypeError("Expected a word for each step as inputs, got a text: split it into words.")
    if features is None and hasattr(inputs, "columns"):
        features = names_of(inputs)
    is_text = inputs is not None and np.asarray(inputs).dtype.kind not in "fiub"
    if inputs is None or (is_text and all(isinstance(word, str) for word in inputs)):
        if features is not None:
            raise ValueError("Expected features with numbers as inputs only.")
        return (None if inputs is None else [str(word) for word in inputs]), None
    array = np.asarray(inputs, float)
    array = array[:, np.newaxis] if array.ndim == 1 else array
    if array.ndim != 2:
        raise ValueError(f"Expected inputs of shape (n_steps, n_features), got {array.shape}.")
    features = [f"x{j}" for j in range(array.shape[1])] if features is None else features
    if len(features) != array.shape[1]:
        raise ValueError(
            f"Expected {array.shape[1]} features, one for each column, got {len(features)}."
        )
    return array, [str(name) for name in features]


def _branch_of(sample, branch):
    """Return the name of the branch that is meant."""
    branches = sample.model.network.branches
    if not sample.is_multimodal:
        if branch is not None:
            raise ValueError(
                f"Expected branch=None, since {type(sample.network).__name__} has no branches, got "
                f"{branch!r}."
            )
        return next(iter(branches))
    recurrent = [name for name, one in branches.items() if isinstance(one.stack, Stack)]
    if branch is None and len(recurrent) == 1:
        return recurrent[0]
    if branch not in recurrent:
        is_table = branch in list(branches)
        raise ValueError(
            f"Expected branch to be one of those that read sequences, {recurrent}, got {branch!r}"
            + (", whose rows of a table go through no gates." if is_table else ".")
        )
    return branch


def _layer_of(branch, layer):
    """Return the number of a hidden layer from the bottom."""
    n = len(branch.stack.layers)
    if not isinstance(layer, Integral) or isinstance(layer, bool) or not -n <= layer < n:
        raise ValueError(f"Expected layer to be that of one of {n} hidden layers, got {layer!r}.")
    return int(layer) % n


# --- Drawing --------------------------------------------------------------------------------------


def _count(n, what):
    return f"{n} {what}" if n == 1 else f"{n} {what}s"


def _said(name):
    """Return the name of what is shown, and what 1 means."""
    if name.endswith(" decay"):
        return f"{name}: 1 keeps all"
    return f"{name} gate: {_OPEN[name]}" if name in _OPEN else name


def _short(name):
    return short(printable(name))


def _width(word):
    """Return how many letters of Latin a word is as wide as."""
    return sum(2 if east_asian_width(letter) in "WF" else 1 for letter in word)


def _new_figure(plt, heights, features):
    """Return a figure for axes of some heights, and the place in it that labels leave."""
    if features and len(features) == 1:  # its scale is shown
        left = 0.9
    else:
        labels = features if features and len(features) <= _MOST_NAMES else [""]
        left = 0.5 + _LETTER * max(_width(_short(label)) for label in labels)
    width, height = left + _ACROSS + _RIGHT, _BOTTOM + sum(_with_room(heights)) + _TOP
    figure = plt.figure(figsize=(width, height), layout="none")
    edges = {"left": left / width, "right": 1 - 0.75 / width}
    edges |= {"bottom": _BOTTOM / height, "top": 1 - _TOP / height}
    return figure, figure.add_gridspec(1, 1, **edges)[0]


def _with_room(heights):
    """Return the heights with the room above each, in which titles stand."""
    return [
        inches
        for name, height in heights.items()
        for inches in (0.35 if name.endswith(" mean") else 0.05, height)
    ]


def _places_of(place, figure, heights):
    """Return the places of axes of some heights, and of the scale of colours."""
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    ratios, form, n = [*heights.values()], {}, 1
    # That engine makes room for titles by itself, and about empty rows.
    if not isinstance(figure.get_layout_engine(), ConstrainedLayoutEngine):
        ratios, form, n = _with_room(heights), {"hspace": 0, "wspace": 0.06}, 2
    grid = place.subgridspec(len(ratios), 2, height_ratios=ratios, width_ratios=[40, 1], **form)
    return {name: grid[n * i + n - 1, 0] for i, name in enumerate(heights)}, grid[:, 1]


def _are_tight(words, across):
    """Whether words do not fit side by side in so many inches."""
    return len(words) * (1 + max(map(_width, words))) * _LETTER > across


def _write_words(ax, words, is_upright):
    """Write a word above each step."""
    from matplotlib import rcParams

    extent, dpi = ax.get_window_extent(), ax.figure.dpi
    across, height = extent.width / dpi, extent.height / dpi
    form = {"ha": "center", "va": "bottom", **text_style()}
    n_letters = None
    if is_upright:
        share = min(across / (len(words) * _LINE), 1)  # of the size of letters
        form |= {"rotation": 90, "fontsize": share * rcParams["font.size"]}
        n_letters = int(np.clip(0.8 * height / (share * _LETTER), 4, _MOST_UPRIGHT))
    for t, word in enumerate(map(printable, words)):
        if n_letters is not None and word:
            word = short(word, max(n_letters * len(word) // max(_width(word), 1), 1))
        ax.text(t, 0, word, **form)
    ax.set_ylim(0, 1)
    ax.set_axis_off()


def _number_steps(ax):
    """Write the numbers of the steps below the lowest axes."""
    show_whole_numbers(ax.xaxis)
    ax.tick_params(labelbottom=True)
    ax.set_xlabel("step")


def _draw_series(ax, inputs, features):
    """Draw a line for each feature, in a row of its own."""
    n = inputs.shape[1]
    for j in range(n):
        draw_line(ax, inputs[:, j] if n == 1 else in_row(inputs[:, j], j))
    if n == 1:
        ax.set_ylabel(_short(features[0]), **text_style())
        return
    ax.set_ylim(n, 0)
    _label_features(ax, n, features)


def _label_features(ax, n, features):
    """Write the names of rows that are features, or how many there are."""
    if features is None or n > _MOST_NAMES:
        _count_rows(ax, n, "feature")
    else:
        ax.set_yticks(np.arange(n) + 0.5, map(_short, features), **text_style())
        ax.tick_params(axis="y", length=0)


def _count_rows(ax, n, what):
    """Write how many rows there are."""
    ax.set_yticks([])
    ax.set_ylabel(_count(n, what))


def _draw_mean(ax, array, label):
    """Draw the mean of the units, and the band in which most of them are."""
    if array.shape[1] > 1:
        low, high = np.quantile(array, [0.1, 0.9], axis=1)
        ax.fill_between(np.arange(len(array)), low, high, alpha=0.3, linewidth=0)
    draw_line(ax, array.mean(axis=1))
    ax.set_ylim(-0.05, 1.05)
    ax.set_yticks([0, 1])
    ax.set_title(label, loc="left", fontsize="medium")


def _draw_map(ax, array):
    """Draw a row of colours for each column of an array."""
    n = len(array)
    starts = np.unique(np.linspace(0, n, min(n, _MOST_COLUMNS), endpoint=False).astype(int))
    bounds = np.append(starts, n)
    values = np.add.reduceat(array, starts) / np.diff(bounds)[:, np.newaxis]
    rows = np.arange(array.shape[1] + 1)
    # A step is as wide as to the next one, with its value in the middle.
    mesh = ax.pcolormesh(bounds - 0.5, rows, values.T, cmap="viridis", vmin=0, vmax=1)
    ax.set_ylim(array.shape[1], 0)
    ax.grid(visible=False)
    return mesh
