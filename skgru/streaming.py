"""Predictions after each step of sequences that are still going on."""

from __future__ import annotations

from copy import deepcopy
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from skgru._data.arrays import to_numbers
from skgru._data.inputs import as_values
from skgru._data.numbers import NumberInput
from skgru._engine.model import Model
from skgru._engine.stream import Stepper
from skgru._types import ArrayLike, PredictionMethod

METHODS = ("predict", "predict_proba", "predict_log_proba")


class Stream:
    """A fitted estimator along sequences whose steps come one at a time.

    Made by `GRUClassifier.stream` and `GRURegressor.stream`. Each step takes the same time, however
    long the sequence is: the state is carried. The prediction is that of `predict` for the steps so
    far.

    Parameters
    ----------
    model : Model
        Of the estimator; later fits of it do not change the stream.
    n_sequences : int or None
        How many sequences go on at once; None: one, whose steps have no axis for sequences.
    method : {"predict", "predict_proba", "predict_log_proba"}
        Which prediction `step` returns.

    Attributes
    ----------
    n_sequences : int
    n_steps : ndarray of int of shape (n_sequences,)
        How many steps each has.

    Examples
    --------
    >>> import numpy as np
    >>> from skgru import GRUClassifier
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(60, 12, 2))
    >>> y = np.where(X[:, :, 0].mean(axis=1) > 0, "up", "down")
    >>> clf = GRUClassifier(bidirectional=False, n_convolutions=0, random_state=0).fit(X, y)
    >>> stream = clf.stream()
    >>> for x in X[0]:
    ...     label = stream.step(x)
    >>> bool(label == clf.predict(X[:1])[0])
    True
    """

    def __init__(
        self, model: Model, n_sequences: int | None = None, method: PredictionMethod = "predict"
    ) -> None:
        _check(model, n_sequences, method)
        self._is_single = n_sequences is None
        self.n_sequences = 1 if n_sequences is None else int(n_sequences)
        self._model, self._method = model, method
        self._reader: Any
        (self._reader,) = model.own_inputs.values()
        self._stepper = Stepper(model, self.n_sequences)
        self._every = np.arange(self.n_sequences)
        # Steps without any value at the end, which are padding if none follows.
        self._pending = np.zeros(self.n_sequences, np.intp)
        self._stamps = np.full(self.n_sequences, -np.inf)

    @property
    def n_steps(self) -> NDArray[np.intp]:
        """How many steps each sequence has, those without any value at its end included."""
        return self._stepper.state["n_steps"] + self._pending

    def step(self, x: ArrayLike, sequences: ArrayLike | None = None) -> Any:
        """Read the next step of each sequence, and predict.

        Parameters
        ----------
        x : array-like of shape (n_features,), or (n_sequences, n_features)
            The values of the step, in the order of the features in `fit`; NaN where one is
            missing. The second form for several sequences. For tokens an id, or one for each
            sequence, (n_sequences,). With a `time_feature` one of the values is the step's time
            stamp, a number.

        sequences : array-like of int, default=None
            Which sequences have a step now, each once, in the order of x; None = all. The others
            stay as they are.

        Returns
        -------
        y : scalar, or ndarray of shape (n_sequences, ...)
            The prediction of `method` for the steps so far, without the axis of samples for a
            single sequence. With ``pooling=None`` it is that at the step.

        Raises
        ------
        ValueError, TypeError
            If x is not the step of these sequences. None of them has gone on then.
        """
        which = self._every if sequences is None else self._indices(sequences)
        values = self._values(x, len(which))
        if isinstance(self._reader, NumberInput):
            raw = self._read_numbers(values, which)
        else:
            raw = self._stepper.step(values, which)
        predicted = self._predictions(raw)
        return predicted[0] if self._is_single else predicted

    def reset(self, sequences: ArrayLike | None = None) -> Self:
        """Let sequences begin anew.

        Parameters
        ----------
        sequences : array-like of int, default=None
            Which; None = all.

        Returns
        -------
        self : Stream
        """
        which = self._every if sequences is None else self._indices(sequences)
        self._stepper.reset(which)
        self._pending[which], self._stamps[which] = 0, -np.inf
        return self

    @property
    def state(self) -> dict[str, Any]:
        """All that is carried: a dict of plain arrays, to be saved and set again.

        A stream of the same model that is given it goes on from there. Streams can be pickled, too.
        """
        return deepcopy(
            {
                "network": self._stepper.state,
                "pending": self._pending,
                "stamps": self._stamps,
            }
        )

    @state.setter
    def state(self, state: dict[str, Any]) -> None:
        expected = _shapes_of(self.state)
        if not isinstance(state, dict) or _shapes_of(state) != expected:
            raise ValueError(
                "The state is not one of this stream: expected that of a stream of the same "
                f"estimator with n_sequences={self.n_sequences}."
            )
        state = deepcopy(state)
        self._stepper.state = state["network"]
        self._pending, self._stamps = state["pending"], state["stamps"]

    # --- A step ----------------------------------------------------------------------------------

    def _indices(self, sequences: ArrayLike) -> NDArray[np.intp]:
        """Return which sequences are meant; refuse others than there are, and one that is twice."""
        which = np.asarray(sequences)
        if which.ndim != 1 or (which.size and which.dtype.kind not in "iu"):
            raise TypeError(f"Expected indices of sequences, (n,), got {sequences!r:.100}.")
        which = which.astype(np.intp)
        outside = (which < 0) | (which >= self.n_sequences)
        if outside.any() or len(np.unique(which)) < len(which):
            raise ValueError(
                f"Expected indices of {self.n_sequences} sequences, from 0 on, each once, got "
                f"{sequences!r:.100}."
            )
        return which

    def _values(self, x: ArrayLike, n: int) -> NDArray[Any]:
        """Return the values of a step, (n, D), or ids (n,); refuse what is none."""
        values = to_numbers(as_values(x), "the step")
        is_numbers = isinstance(self._reader, NumberInput)
        n_features = self._reader.n_features
        of_one = (n_features,) if is_numbers else ()
        expected = of_one if self._is_single else (n, *of_one)
        if n_features == 1 and is_numbers and values.shape == expected[:-1]:
            values = values[..., None]
        if values.shape != expected:
            raise ValueError(
                f"Expected the step as an array of shape {expected}, got shape {values.shape}."
            )
        values = values.reshape(n, *of_one)
        if not is_numbers:
            return _ids(values)
        values = values.astype(np.float64)
        if np.isinf(values).any():
            raise ValueError("The step holds infinity: expected finite values, or NaN.")
        if self._reader.missing == "error" and np.isnan(values).any():
            raise ValueError("The step holds NaN, which missing='error' refuses.")
        return values

    def _read_numbers(self, values: NDArray[Any], which: NDArray[np.intp]) -> NDArray[Any]:
        """Return the raw outputs after a step, which may be missing in whole."""
        stepper, j = self._stepper, self._reader.stamps
        if j is not None:
            stamps = values[:, j]
            late = ~(stamps >= self._stamps[which])  # also NaN
            if late.any():
                i = np.flatnonzero(late)[0]
                raise ValueError(
                    "Time stamps must not decrease within a sequence: expected one of at least "
                    f"{self._stamps[which[i]]}, got {stamps[i]} in sequence {which[i]}."
                )
            self._stamps[which] = stamps
        if self._model.per_step:
            return stepper.step(values, which)
        is_missing = np.isnan(values).all(axis=1)
        self._pending[which[is_missing]] += 1
        present = which[~is_missing]
        nothing = np.full(values.shape[1], np.nan)
        while (behind := present[self._pending[present] > 0]).size:
            stepper.step(np.tile(nothing, (len(behind), 1)), behind)
            self._pending[behind] -= 1
        if len(present):
            raw = stepper.step(values[~is_missing], present)
            if len(present) == len(which):
                return raw
        return stepper.raw(which)

    def _predictions(self, raw: NDArray[Any]) -> NDArray[Any]:
        model = self._model
        loss: Any = model.loss
        if self._method == "predict":
            return model.predictions(raw)
        if self._method == "predict_proba":
            return loss.probabilities(raw, model.theta.dtype)
        return loss.log_probabilities(raw, model.theta.dtype)


def _ids(values: NDArray[Any]) -> NDArray[Any]:
    """Return token ids; refuse what is none."""
    if values.dtype.kind not in "iu" and not (values == np.floor(values)).all():
        raise ValueError("Expected token ids, got numbers with a fraction.")
    if (values <= 0).any():
        raise ValueError("Expected token ids from 1 on, got 0, which is padding, or less.")
    return values.astype(np.int64)


def _check(model: Model, n_sequences: Any, method: Any) -> None:
    """Refuse what cannot go step by step, and parameters of no meaning."""
    if n_sequences is not None and not (
        isinstance(n_sequences, (int, np.integer))
        and not isinstance(n_sequences, bool)
        and n_sequences >= 1
    ):
        raise ValueError(f"n_sequences: expected an int from 1 on or None, got {n_sequences!r}.")
    methods = METHODS if model.loss.has_classes else METHODS[:1]
    if method not in methods:
        raise ValueError(f"method: expected one of {', '.join(methods)}, got {method!r}.")
    ((_, branch),) = model.own_spec.branches
    (reader,) = model.own_inputs.values()
    faults = {
        "bidirectional=False": branch.encoder.bidirectional,
        "n_convolutions=0": bool(model.beside),
        "scaling='standard'": getattr(reader, "scaling", None) == "sequence",
        "bag=False": model.bag is not None,
        "crf=False": model.loss.has_chain,
    }
    expected = [fault for fault, is_there in faults.items() if is_there]
    if expected:
        raise ValueError(
            "A stream has no end, which this network has to know: expected a model fitted with "
            f"{', '.join(expected)}."
        )


def _shapes_of(state: Any) -> Any:
    """Return the shapes and types of the arrays of a state, which may hold others."""
    if isinstance(state, dict):
        return {name: _shapes_of(part) for name, part in state.items()}
    if isinstance(state, (tuple, list)):
        return [_shapes_of(part) for part in state]
    return getattr(state, "shape", None), str(getattr(state, "dtype", None))
