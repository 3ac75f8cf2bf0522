"""The network in words: its inputs, its layers, its width; immutable, and without a number.

`_nn.network.Network` is made of a `NetworkSpec` alone.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class InputSpec:
    """The inputs of a branch: tokens, or numbers.

    Attributes
    ----------
    n_inputs : int
        Features of a step, or dimensions of the embedding.
    n_tokens : int or None, default=None
        Rows of the embedding; None = numbers.
    freeze_embedding : bool, default=False
        Whether the vectors of the tokens stay as they are.
    decay : bool, default=False
        Whether inputs and states decay while a feature has not been seen.
    reads_mask : bool, default=False
        Whether, with `decay`, the network also reads which values were seen.
    """

    n_inputs: int
    n_tokens: int | None = None
    freeze_embedding: bool = False
    decay: bool = False
    reads_mask: bool = False


@dataclass(frozen=True)
class EncoderSpec:
    """The recurrent stack of a branch and the pooling above it.

    Attributes
    ----------
    hidden_layer_sizes : tuple of int
        Units of each hidden layer, from the bottom up; of each direction.
    cells : tuple of str
        Of each hidden layer, by their names in `_nn.recurrent.CELLS`.
    reset_after, output_gate : bool, default=False
        Form of the cells that have one; see `_nn.gru.GRU` and `_nn.layers.OutputGate`.
    bidirectional : bool, default=False
        Whether each hidden layer reads the sequences in both directions.
    pooling : {"last", "mean", "max", "attention"}, tuple of them, or None, default="last"
        The inputs of the head; None = the outputs of every step, each for itself.
    patch_size : int, default=1
        How many steps of the sequences make a patch, a step of the network.
    """

    hidden_layer_sizes: tuple[int, ...]
    cells: tuple[str, ...]
    reset_after: bool = False
    output_gate: bool = False
    bidirectional: bool = False
    pooling: str | tuple[str, ...] | None = "last"
    patch_size: int = 1


@dataclass(frozen=True)
class BranchSpec:
    """An input of the samples and the layers that read it."""

    input: InputSpec
    encoder: EncoderSpec


@dataclass(frozen=True)
class NetworkSpec:
    """The whole network.

    Attributes
    ----------
    branches : tuple of (str, BranchSpec)
        The branches and their names, in the order in which the head reads them.
    n_outputs : int
        K, the width of the head.
    """

    branches: tuple[tuple[str, BranchSpec], ...]
    n_outputs: int

    @property
    def by_name(self) -> dict[str, BranchSpec]:
        """The branches by their names."""
        return dict(self.branches)
