"""A branch: input part → recurrent stack → pooling; the parts of the network for one input."""

from __future__ import annotations

from copy import copy
from typing import Any, NamedTuple

from skgru._nn.batch import Array, Batch
from skgru._nn.convolution_stack import ConvolutionStack
from skgru._nn.dropout import Dropout
from skgru._nn.feedforward import RowStack
from skgru._nn.layers import Embedding, Given, Numbers
from skgru._nn.missing import ObservedInputs
from skgru._nn.parameters import Parameters
from skgru._nn.part import Arrays, InputPart, OutputGradients, Part, Run, StackInputs
from skgru._nn.pooling import Pooling, make_pooling
from skgru._nn.recurrent import Stack, StackOutputs
from skgru._nn.rows import Categories, SparseRows
from skgru._spec import BranchSpec, ConvolutionSpec, FeedForwardSpec


class BranchCache(NamedTuple):
    """The cache of `Branch`'s forward pass, for `backward`: the parts' caches."""

    input: Any
    stack: list[Any]


class Branch:
    """Parts and their wiring, up to the inputs of the head.

    It keeps the contract of a part with the `Parameters` of the whole network: its passes go from
    the branch's inputs to the outputs of the top layer. Pooling these is up to
    `pieces`, since a pooling reads them piece by piece.

    Parameters
    ----------
    spec : BranchSpec
    prefix : str, default=""
        The start of its parts' names.
    n_raw : int, default=0
        The raw outputs of the network, which are those of a wide branch.

    Attributes
    ----------
    prefix : str
    input : InputPart
    stack : Stack, RowStack or ConvolutionStack
    pooling : Pooling or None
        None = the head reads the outputs of every step, each for itself.
    n_outputs : int
        How many numbers of it the head reads.
    n_units_of_widest : int
    bidirectional : bool
    patch_size : int
    input_parts : dict of InputPart
        The input part by its name, if it has parameters.
    pooling_parts : dict of Pooling
        The pooling by its name, if it has parameters.
    fixed_parts : dict of Part
        Those whose numbers are not trained, by their names.
    """

    def __init__(self, spec: BranchSpec, prefix: str = "", n_raw: int = 0) -> None:
        encoder = spec.encoder
        self.spec = spec
        self.prefix = prefix
        self.input = make_input(spec)
        self.stack = make_stack(spec, self.input, prefix, n_raw)
        self.pooling: Pooling | None = None
        if encoder.pooling is not None:
            self.pooling = make_pooling(encoder.pooling, self.stack.n_outputs)
        self.n_outputs = (self.pooling or self.stack).n_outputs
        self.n_units_of_widest = max(encoder.hidden_layer_sizes, default=1)
        self.bidirectional = encoder.bidirectional
        self.patch_size = encoder.patch_size
        self._input_name = prefix + self.input.name
        self._pooling_name = prefix + "pooling"
        self.input_parts: dict[str, InputPart] = {}
        if self.input.shapes():
            self.input_parts[self._input_name] = self.input
        self.pooling_parts: dict[str, Pooling] = {}
        if self.pooling and self.pooling.shapes():
            self.pooling_parts[self._pooling_name] = self.pooling
        self.fixed_parts: dict[str, Part[Run]] = {}
        if isinstance(self.stack, ConvolutionStack):
            self.fixed_parts[self.stack.kernels_name] = self.stack.kernels

    @property
    def numbers_per_step(self) -> int:
        """About how many numbers a pass with a cache holds for each step of each sequence."""
        return 2 * self.input.numbers_per_step + self.stack.numbers_per_step(need_cache=True)

    @property
    def numbers_per_step_without_cache(self) -> int:
        """About how many numbers a pass without a cache holds for each step of each sequence."""
        return self.input.numbers_per_step + self.stack.numbers_per_step(need_cache=False)

    def forward(self, p: Parameters, x: Any, run: Run) -> tuple[StackOutputs, BranchCache]:
        """Run input part and stack.

        Parameters
        ----------
        p : Parameters
        x : ndarray of shape (S, D), or of shape (S,) or (S, patch_size) with rows of the embedding
            Inputs in the layout of the batch; with `decay`, the columns of
            `missing.ObservedInputs`.
        run : Run

        Returns
        -------
        outputs : StackOutputs
        cache : BranchCache
        """
        read, input_cache = self.input.forward(self._input_section(p), x, run)
        if read.gaps is not None:
            run = run._replace(gaps=read.gaps)
        outputs, caches = self.stack.forward(p, read.x, run)
        return outputs, BranchCache(input_cache, caches)

    def backward(
        self, p: Parameters, dy: OutputGradients, cache: BranchCache, g: Parameters, run: Run
    ) -> Array | None:
        """Write the gradients of the parameters to g, given those of the top layer's outputs.

        Returns the gradient of the inputs (S, D) if asked for: with an embedding, of its vectors.
        """
        need_dx = run.need_dx or self.input.needs_dx
        of_stack = Run(run.batch, need_dx=need_dx, need_d_gaps=run.need_dx, need_g=run.need_g)
        d_read = self.stack.backward(p, dy, cache.stack, g, of_stack)
        dx: Array | None = self.input.backward(
            self._input_section(p), d_read, cache.input, self._input_section(g), run
        )
        return dx

    def read(self, p: Parameters, x: Any, batch: Batch) -> StackInputs:
        """Return the inputs of the stack, made of x by the input part alone."""
        read: StackInputs
        read, _ = self.input.forward(self._input_section(p), x, Run(batch))
        return read

    def above_input(self) -> Branch:
        """Return the branch without its input part: it is given what `read` returns."""
        above = copy(self)
        above.input = Given(self.input)
        above.input_parts = {}
        return above

    def mask_of(self, dropout: Dropout | None) -> Dropout | None:
        """Return the dropout of its outputs: raw outputs have none."""
        return None if self.spec.is_wide else dropout

    def _input_section(self, p: Parameters) -> Arrays:
        """Return the arrays of the input part, which may have none."""
        return p.section(self._input_name) if self.input_parts else {}

    def pooling_section(self, p: Parameters) -> Arrays:
        """Return the arrays of the pooling, which may have none."""
        return p.section(self._pooling_name) if self.pooling_parts else {}


def make_input(spec: BranchSpec) -> InputPart:
    """Return the input part of a branch."""
    own, encoder = spec.input, spec.encoder
    if own.n_tokens is not None:
        return Embedding(
            own.n_tokens,
            own.n_inputs,
            patch_size=encoder.patch_size,
            is_frozen=own.freeze_embedding,
        )
    if own.is_sparse:
        return SparseRows(own.n_inputs)
    if isinstance(encoder, FeedForwardSpec):
        return Categories(own.n_inputs, own.categories)
    if own.decay:
        return ObservedInputs(
            own.n_inputs,
            patch_size=encoder.patch_size,
            n_directions=2 if encoder.bidirectional else 1,
            reads_mask=own.reads_mask,
        )
    return Numbers(own.n_inputs * encoder.patch_size)


def make_stack(
    spec: BranchSpec, below: InputPart, prefix: str, n_raw: int
) -> Stack | RowStack | ConvolutionStack:
    """Return the stack of a branch above its input part."""
    encoder = spec.encoder
    if isinstance(encoder, ConvolutionSpec):
        return ConvolutionStack(below.n_outputs, encoder, prefix, n_raw)
    if isinstance(encoder, FeedForwardSpec):
        n_linear = n_raw if spec.is_wide else None
        return RowStack(below.n_outputs, encoder.hidden_layer_sizes, prefix, n_linear)
    return Stack(below.n_outputs, encoder, below.n_gaps, prefix)
