"""What random convolutions read: the X of an input of numbers that they stand beside."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.random import RandomState
from numpy.typing import DTypeLike, NDArray
from scipy.special import ndtri

from skgru._budget import chunks
from skgru._data.inputs import Line, Origins, Reader, known
from skgru._data.numbers import NumberInput
from skgru._data.scaling import mean_and_scale
from skgru._data.sequences import Sequences, offsets_of
from skgru._data.steps import RowSteps, Steps, StepsOfSamples, make_batch
from skgru._nn.batch import Array
from skgru._nn.convolution_stack import Features
from skgru._nn.convolutions import (
    N_KERNELS,
    N_TAPS,
    PATTERNS,
    RandomConvolutions,
    convolved,
)
from skgru._nn.part import Arrays, Run
from skgru._saved import expect, expect_size
from skgru._spec import ConvolutionSpec, InputSpec

# Within so much of a convolution's deviation around a threshold, a share goes from 1/4 to 3/4.
_SLOPE = 0.1
# The features together are as large as one number of at most that deviation.
_SIZE = 10.0
# Added to the deviation of each feature: what few steps of few series make is not scaled up.
_LEAST_SHARE = 0.02
_MOST_DILATIONS = 32
_MOST_CHANNELS = 9  # that a kernel reads together
_MOST_BYTES = 1 << 29  # of features that are held
# Of so many steps at most, kernels are learned in double precision: with more that takes seconds,
# and their training is in single precision itself.
_STEPS_IN_DOUBLE = 1 << 16
_ROUNDING = 1e-12
_SEED = 0  # of the channels that kernels read
_GOLDEN = (np.sqrt(5) - 1) / 2


@dataclass(frozen=True, eq=False)
class ConvolutionReader(Reader):
    """The X of an input of numbers, as random convolutions read it.

    Parameters
    ----------
    beside : str
        The name of that input.
    numbers : NumberInput
        That has learned; each step by itself, a missing value as the one last seen.
    encoder : ConvolutionSpec
    start : dict of ndarray, default=None
        The numbers of the kernels, by their names; not kept.
    factor : float, default=None
        What the raw outputs of the network beside them have been multiplied by, where the
        convolutions were fitted apart; None = they are trained with it.
    """

    kind = "convolutions"
    not_kept = ("start",)
    encoder_type = ConvolutionSpec

    beside: str
    numbers: NumberInput
    encoder: ConvolutionSpec
    start: Arrays | None = None
    factor: float | None = None

    @classmethod
    def beside_numbers(
        cls,
        numbers: NumberInput,
        branch: str,
        sequences: Sequences,
        weights: NDArray[Any],
        n_features: int,
    ) -> ConvolutionReader:
        """Return what stands beside an input of numbers, learned from the same training data.

        Parameters
        ----------
        numbers : NumberInput
            That has learned.
        branch : str
            Its name.
        sequences : Sequences
        weights : ndarray of shape (n,)
        n_features : int
            How many features there are to be, about.
        """
        center = known(numbers.center)
        is_seen = ~np.isnan(center)
        plain = replace(
            numbers,
            missing="decay",
            has_missing=False,
            is_bidirectional=False,
            patch_size=1,
            center=np.where(is_seen, center, 0),
            scale=np.where(is_seen, known(numbers.scale), np.inf),
            fill=np.where(is_seen, known(numbers.fill), 0),
        )
        lengths = sequences.lengths
        encoder = choose_dilations(np.average(lengths, weights=weights), n_features)
        draft = cls(branch, plain, encoder)
        return replace(draft, start=draft._learn_kernels(sequences, weights))

    @property
    def n_convolutions(self) -> int:
        """How many features there are."""
        return N_KERNELS * sum(self.encoder.n_thresholds)

    def start_values(self, drawn: Mapping[str, NDArray[Any]]) -> Arrays:
        """Return the numbers of the kernels; see `Reader.start_values`."""
        return {f"kernels.{name}": values for name, values in known(self.start).items()}

    def _learn_kernels(self, sequences: Sequences, weights: NDArray[Any]) -> Arrays:
        """Return the numbers of the kernels, by their names.

        Each kernel reads some of the channels, drawn at random. A threshold is so far from the mean
        of its convolution, in deviations, as a quantile of the normal distribution; those quantiles
        are spread evenly. What is learned is rounded to three digits: so it does not hang on the
        rounding of sums, and a weight of two is two copies.
        """
        encoder, D, n_columns = self.encoder, known(self.numbers.n_features), self.numbers.n_inputs
        rng = np.random.RandomState(_SEED)
        is_small = len(sequences.values) <= _STEPS_IN_DOUBLE
        dtype: type[np.floating] = np.float64 if is_small else np.float32
        steps = self.numbers.steps_of(sequences, dtype)
        p: Arrays = {}
        part = RandomConvolutions(n_columns, encoder.dilations, encoder.n_thresholds)
        n_drawn = 0
        for i, (dilation, n) in enumerate(
            zip(encoder.dilations, encoder.n_thresholds, strict=True)
        ):
            kernels = _kernels(D, rng, n_columns)
            mean, deviation = _moments(steps, weights, kernels.astype(dtype), dilation)
            deviation = _rounded(deviation)
            mean = deviation * np.round(mean / deviation, 3)
            unit = _SLOPE * deviation
            quantiles = (np.arange(n_drawn + 1, n_drawn + n * N_KERNELS + 1) * _GOLDEN) % 1
            n_drawn += n * N_KERNELS
            thresholds = mean + deviation * ndtri(quantiles.reshape(n, N_KERNELS))
            p[f"weights_{i}"], p[f"thresholds_{i}"] = kernels / unit, thresholds / unit
        p["center"], p["scale"] = np.zeros(part.n_outputs), np.ones(part.n_outputs)
        in_dtype: Arrays = {name: array.astype(dtype) for name, array in p.items()}
        features = features_of(part, in_dtype, steps)
        center, scale = mean_and_scale(features, weights[steps.lengths > 0], "X")
        p["center"] = np.round(center, 3)
        p["scale"] = (_rounded(scale) + _LEAST_SHARE) * np.sqrt(part.n_outputs) / _SIZE
        return p

    def check_learned(self) -> None:
        """Refuse what no fit has left so; see `Reader.check_learned`."""
        self.numbers.check_learned()
        dilations, counts = self.encoder.dilations, self.encoder.n_thresholds
        expect(len(dilations) == len(counts) > 0, "a number of kernels for each dilation", counts)
        for size in (*dilations, *counts):
            expect_size(size, "dilations and thresholds")
        if self.factor is not None:
            expect(np.isfinite(self.factor), "factor to be finite", self.factor)

    # --- The network's inputs --------------------------------------------------------------------

    @property
    def spec(self) -> InputSpec:
        """The features of a step, and their own scale if there is one, which no kernel reads."""
        return InputSpec(self.numbers.n_inputs)

    def steps_of(
        self,
        sequences: Sequences,
        dtype: DTypeLike,
        *,
        may_hold: bool = False,
        moves_patches: bool = False,
    ) -> Steps:
        """Return the steps of sequences; see `Reader.steps_of`. None is patched."""
        return self.numbers.steps_of(sequences, dtype)

    # --- The values of X behind them -------------------------------------------------------------

    def origins(self, sequences: Sequences) -> Origins:
        """Return where the numbers come from; see `Reader.origins`."""
        return self.numbers.origins(sequences)

    def from_baseline(self, sequences: Sequences, baseline: Any, dtype: DTypeLike) -> Line:
        """Return the samples from the mean of training on; see `Input`."""
        return self.numbers.from_baseline(sequences, baseline, dtype)

    def tangents(self, sequences: Sequences, line: Line, dtype: DTypeLike) -> Line:
        """Return the derivative of the scaled values; see `Reader.tangents`."""
        return self.numbers.tangents(sequences, line, dtype)

    # --- As plain values -------------------------------------------------------------------------

    @property
    def state(self) -> dict[str, Any]:
        """Its fields as plain values; see `Reader.state`."""
        return super().state | {
            "numbers": self.numbers.state,
            "encoder": asdict(self.encoder),
        }

    @classmethod
    def of_state(cls, state: Mapping[str, Any]) -> ConvolutionReader:
        """Return the input of a `state`."""
        values = dict(state)
        numbers = dict(values.pop("numbers"))
        del numbers["kind"]
        encoder = ConvolutionSpec(**values.pop("encoder"))
        return cls(**values, numbers=NumberInput(**numbers), encoder=encoder)


def features_of(part: RandomConvolutions, p: Arrays, steps: Steps) -> Array:
    """Return the features of the sequences that have a step, (n', F)."""
    present = np.flatnonzero(steps.lengths)
    place = np.cumsum(steps.lengths > 0) - 1
    features: Array | None = None
    for indices in chunks(steps.lengths[present] * part.n_inputs):
        x, batch, order, _ = make_batch(steps, present[indices])
        found, _ = part.forward(p, x, Run(batch))
        if features is None:
            features = np.empty((len(present), part.n_outputs), found.dtype)
        features[place[order]] = found
    return np.empty((0, part.n_outputs)) if features is None else features


def may_hold_features(n_sequences: int, n_features: int, itemsize: int) -> bool:
    """Return whether the features of so many sequences take little enough memory to be held."""
    return n_sequences * n_features * itemsize <= _MOST_BYTES


def held_features(part: RandomConvolutions, p: Arrays, steps: Steps) -> StepsOfSamples:
    """Return the features of sequences in place of their steps, unless they take much memory.

    Their numbers are not trained: so features are computed once for all epochs.
    """
    n_present = int(np.count_nonzero(steps.lengths))
    if not may_hold_features(n_present, part.n_outputs, p["scale"].itemsize):
        return steps
    features = features_of(part, p, steps)
    offsets = offsets_of(np.minimum(steps.lengths, 1))
    return RowSteps(offsets, lambda rows: Features(features[rows]))


def round_convolutions(n: int) -> int:
    """Return how many features there are where n are asked for: as many of each kernel."""
    return N_KERNELS * max(1, n // N_KERNELS) if n else 0


def choose_dilations(n_steps: float, n_features: int) -> ConvolutionSpec:
    """Return the dilations for sequences of so many steps on average, and their thresholds.

    They grow by powers of two, up to kernels as long as a sequence. The thresholds are shared out
    among them: about `n_features` features in all, at least one of each kernel.
    """
    n = round_convolutions(n_features) // N_KERNELS
    largest = np.log2(max(1.0, (n_steps - 1) / (N_TAPS - 1)))
    exponents = np.linspace(0, largest, min(n, _MOST_DILATIONS))
    dilations, counts = np.unique((2**exponents).astype(int), return_counts=True)
    shares = np.diff(np.round(np.cumsum([0, *counts]) * n / counts.sum()).astype(int))
    return ConvolutionSpec(tuple(dilations.tolist()), tuple(shares.tolist()))


def _kernels(n_channels: int, rng: RandomState, n_columns: int) -> Array:
    """Return weights (taps · n columns, K): each kernel has a pattern of its own on some channels.

    The channels are the first columns; the others have no weight.
    """
    taps = np.full((N_TAPS, N_KERNELS), -1.0)
    for k, pattern in enumerate(PATTERNS):
        taps[list(pattern), k] = 2
    channels = np.ones((n_channels, N_KERNELS))
    if n_channels > 1:
        channels[...] = 0
        most = np.log2(min(n_channels, _MOST_CHANNELS) + 1)
        for k in range(N_KERNELS):
            n = int(2 ** rng.uniform(0, most))
            channels[rng.choice(n_channels, n, replace=False), k] = 1
    others = np.zeros((n_columns - n_channels, N_KERNELS))
    return (taps[:, None] * np.vstack([channels, others])).reshape(-1, N_KERNELS)


def _moments(
    steps: Steps, weights: NDArray[Any], kernels: Array, dilation: int
) -> tuple[Array, Array]:
    """Return mean and deviation of the convolutions over all steps, (K,) each.

    The deviation of those that are constant is 1.
    """
    total, mean, square = 0.0, np.zeros(N_KERNELS), np.zeros(N_KERNELS)
    present = np.flatnonzero(steps.lengths)
    for indices in chunks(steps.lengths[present] * len(kernels)):
        x, batch, order, _ = make_batch(steps, present[indices])
        for sequence, c in convolved(kernels, x, batch, dilation):
            w = weights[order[sequence]].astype(c.dtype)
            total += w.sum()
            mean += w @ c
            square += w @ np.square(c)
    mean /= total or 1
    variance = square / (total or 1) - mean**2
    return mean, np.sqrt(np.where(variance > _ROUNDING * square, variance, 1))


def _rounded(positive: Array) -> Array:
    """Return numbers rounded to ten binary digits."""
    digits, exponents = np.frexp(positive)
    rounded: Array = np.ldexp(np.round(digits * 1024) / 1024, exponents)
    return rounded
