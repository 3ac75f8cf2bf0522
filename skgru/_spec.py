"""The network in words: its inputs, its layers, its width; immutable, and without a number.

`_nn.network.Network` is made of a `NetworkSpec` alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True)
class InputSpec:
    """The inputs of a branch: tokens, numbers, or the rows of a table.

    Attributes
    ----------
    n_inputs : int
        Features of a step, or dimensions of the embedding; of a table, its numbers.
    n_tokens : int or None, default=None
        Rows of the embedding; None = numbers.
    freeze_embedding : bool, default=False
        Whether the vectors of the tokens stay as they are.
    decay : bool, default=False
        Whether inputs and states decay while a feature has not been seen.
    reads_mask : bool, default=False
        Whether, with `decay`, the network also reads which values were seen.
    categories : tuple of (int, int or None), default=()
        Of each categorical column of a table, how many categories there are, and the dimensions of
        their embedding; None = they are read one-hot.
    is_sparse : bool, default=False
        Whether the numbers come as a sparse matrix.
    """

    n_inputs: int
    n_tokens: int | None = None
    freeze_embedding: bool = False
    decay: bool = False
    reads_mask: bool = False
    categories: tuple[tuple[int, int | None], ...] = ()
    is_sparse: bool = False


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
class FeedForwardSpec:
    """The layers of a branch that reads a row of a table: a sequence of one step, or of none.

    Attributes
    ----------
    hidden_layer_sizes : tuple of int, default=()
        Units of each hidden layer, from the bottom up.
    """

    hidden_layer_sizes: tuple[int, ...] = ()

    # As an `EncoderSpec` has them; of a row there is nothing to choose.
    bidirectional: ClassVar[bool] = False
    pooling: ClassVar[str] = "last"
    patch_size: ClassVar[int] = 1


@dataclass(frozen=True)
class ConvolutionSpec:
    """The random convolutions of a branch that reads whole sequences; see `_nn.convolutions`.

    Attributes
    ----------
    dilations : tuple of int
    n_thresholds : tuple of int
        How many each kernel of that dilation has.
    """

    dilations: tuple[int, ...]
    n_thresholds: tuple[int, ...]

    # As an `EncoderSpec` has them.
    hidden_layer_sizes: ClassVar[tuple[int, ...]] = ()
    bidirectional: ClassVar[bool] = True  # no sequence can be cut
    pooling: ClassVar[str] = "last"
    patch_size: ClassVar[int] = 1


AnyEncoderSpec = EncoderSpec | FeedForwardSpec | ConvolutionSpec


@dataclass(frozen=True)
class BranchSpec:
    """An input of the samples and the layers that read it."""

    input: InputSpec
    encoder: AnyEncoderSpec

    @property
    def is_wide(self) -> bool:
        """Whether its outputs are raw outputs themselves.

        They are linear in a sparse matrix, or in the features of random convolutions.
        """
        is_sparse = self.input.is_sparse and not self.encoder.hidden_layer_sizes
        return is_sparse or isinstance(self.encoder, ConvolutionSpec)


@dataclass(frozen=True)
class FusionSpec:
    """The way from the outputs of the branches to the raw outputs of the network.

    Attributes
    ----------
    fusion : {"concat", "gated"}, default="concat"
        Whether the outputs of the branches lie side by side as they are, or each get a learned
        weight for each sample.
    hidden_layer_sizes : tuple of int, default=()
        Units of the hidden layers between the branches and the head, which also reads what they
        read.
    knows_absence : bool, default=False
        Whether learned numbers take the place of the outputs of a branch whose sequence has no
        step.
    """

    fusion: str = "concat"
    hidden_layer_sizes: tuple[int, ...] = ()
    knows_absence: bool = False


@dataclass(frozen=True)
class NetworkSpec:
    """The whole network.

    Attributes
    ----------
    branches : tuple of (str, BranchSpec)
        The branches and their names, in the order in which the head reads them.
    n_outputs : int
        K, the width of the head.
    fusion : FusionSpec
    chain : bool, default=False
        Whether the tags of a sequence's steps are decided together.
    """

    branches: tuple[tuple[str, BranchSpec], ...]
    n_outputs: int
    fusion: FusionSpec = FusionSpec()
    chain: bool = False

    @property
    def by_name(self) -> dict[str, BranchSpec]:
        """The branches by their names."""
        return dict(self.branches)
