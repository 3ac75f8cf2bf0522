"""A fitted model as values: inputs, network, loss and parameters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Any

from numpy.typing import DTypeLike, NDArray

from skgru._compat import InvalidParameterError
from skgru._data.forms import Opened
from skgru._data.inputs import Input, Reader
from skgru._data.kinds import reader_of_state
from skgru._data.parsing import Parsed
from skgru._data.random_kernels import ConvolutionReader, held_features
from skgru._data.sequences import Sequences
from skgru._data.steps import Steps, StepsOfSamples
from skgru._engine.bag_model import Bag
from skgru._engine.convolution_model import ConvolutionModel
from skgru._engine.loss import Loss
from skgru._engine.losses import loss_of_state, state_of
from skgru._engine.opinion_pool import LinearOutputs
from skgru._nn.batch import Array
from skgru._nn.convolution_stack import ConvolutionStack
from skgru._nn.network import Network
from skgru._nn.parameters import Parameters
from skgru._spec import AnyEncoderSpec, BranchSpec, FusionSpec, NetworkSpec


@dataclass(frozen=True, eq=False)
class Model:
    """A network with the inputs that it reads, the loss that it is trained for, its parameters.

    Parameters
    ----------
    inputs : dict of Reader
        By the names of the branches: inputs, and what stands beside them.
    spec : NetworkSpec
    loss : Loss
        Bound to its targets.
    theta : ndarray
        All parameters of the network.
    bag : Bag or None, default=None
        A linear model of tokens beside the network.
    convolutions : ConvolutionModel or None, default=None
        One of random convolutions, of a network that is being trained; see `convolutions_apart`.
    """

    inputs: dict[str, Reader]
    spec: NetworkSpec
    loss: Loss
    theta: Array
    bag: Bag | None = None
    convolutions: ConvolutionModel | None = None

    @cached_property
    def network(self) -> Network:
        """The network, without its numbers."""
        return Network(self.spec)

    @cached_property
    def parameters(self) -> Parameters:
        """Its parameters by their names, as views of θ."""
        return self.network.parameters(self.theta)

    @property
    def own_inputs(self) -> dict[str, Input]:
        """The inputs that have an X of their own."""
        return {name: part for name, part in self.inputs.items() if isinstance(part, Input)}

    @property
    def own_spec(self) -> NetworkSpec:
        """The network without the branches that stand beside another one."""
        own = self.own_inputs
        branches = tuple((name, branch) for name, branch in self.spec.branches if name in own)
        return replace(self.spec, branches=branches)

    @property
    def beside(self) -> dict[str, ConvolutionReader]:
        """What stands beside the inputs, by the names of its branches."""
        parts = self.inputs.items()
        return {name: part for name, part in parts if isinstance(part, ConvolutionReader)}

    def source_of(self, name: str) -> str:
        """Return the name of the input whose X a branch reads: its own, or that beside it."""
        return self.beside[name].beside if name in self.beside else name

    def readers_of(self, name: str) -> list[str]:
        """Return the branches that read the X of an input: its own first."""
        return [name, *(other for other, part in self.beside.items() if part.beside == name)]

    def count_convolutions(self, name: str) -> int:
        """Return how many features of random convolutions stand beside an input."""
        return sum(part.n_convolutions for part in self.beside.values() if part.beside == name)

    @property
    def trains_convolutions(self) -> bool:
        """Whether random convolutions are a part of the network that is trained."""
        return any(part.factor is None for part in self.beside.values())

    @property
    def per_step(self) -> bool:
        """Whether it has outputs at every step."""
        return self.network.reads_steps

    @property
    def state(self) -> dict[str, Any]:
        """All of it as plain values, which any pickle may hold."""
        return {
            "inputs": {name: part.state for name, part in self.inputs.items()},
            "encoders": {name: asdict(branch.encoder) for name, branch in self.spec.branches},
            "fusion": asdict(self.spec.fusion),
            "loss": state_of(self.loss),
            "theta": self.theta,
            "bag": self.bag and self.bag.state,
        }

    @classmethod
    def of_state(cls, state: Mapping[str, Any]) -> Model:
        """Return the model of a `state`."""
        inputs = {name: reader_of_state(part) for name, part in state["inputs"].items()}
        encoders = {
            name: inputs[name].encoder_type(**part) for name, part in state["encoders"].items()
        }
        loss = loss_of_state(state["loss"])
        spec = network_spec(inputs, encoders, loss, FusionSpec(**state.get("fusion", {})))
        bag = state.get("bag")
        return cls(inputs, spec, loss, state["theta"], bag and Bag.of_state(bag))

    def steps_of(
        self,
        sequences: Mapping[str, Sequences],
        dtype: DTypeLike,
        *,
        may_hold: bool = False,
        moves_patches: Mapping[str, bool] | None = None,
    ) -> dict[str, StepsOfSamples]:
        """Return the steps of each input's sequences as the network reads them.

        See `Reader.steps_of`; `moves_patches` is that of each input.
        """
        steps: dict[str, StepsOfSamples] = {}
        for name, part in self.inputs.items():
            moves = bool(moves_patches and moves_patches.get(name))
            with naming(name):
                steps[name] = part.steps_of(
                    sequences[self.source_of(name)],
                    dtype,
                    may_hold=may_hold,
                    moves_patches=moves,
                )
            stack, of_branch = self.network.branches[name].stack, steps[name]
            if may_hold and isinstance(stack, ConvolutionStack) and isinstance(of_branch, Steps):
                p = self.parameters.section(stack.kernels_name)
                steps[name] = held_features(stack.kernels, p, of_branch)
        return steps

    def linear_outputs(self, sequences: Mapping[str, Sequences]) -> LinearOutputs | None:
        """Return what a linear model adds to the raw outputs of the network, if there is one."""
        linear = self.bag or self.convolutions
        return linear.outputs(sequences) if linear else None

    def predictions(self, raw: Array) -> NDArray[Any]:
        """Return the predictions, in the unit of y, of raw outputs."""
        return self.loss.predict(raw, self.theta.dtype)

    def with_theta(self, theta: Array) -> Model:
        """Return the model with other parameters."""
        return replace(self, theta=theta)


# Errors whose messages can be said anew, with the branch in front.
_NAMED = (InvalidParameterError, TypeError, ValueError)


@contextmanager
def naming(branch: str) -> Iterator[None]:
    """Name the branch in the errors of a block; that of an estimator of one input has no name."""
    try:
        yield
    except Exception as error:
        if not branch:
            raise
        kinds = [kind for kind in _NAMED if isinstance(error, kind)]
        if not kinds:
            error.add_note(f"(In branch {branch!r}.)")
            raise
        raise kinds[0](f"Branch {branch!r}: {error}") from error


def parse_inputs(inputs: Mapping[str, Input], opened: Mapping[str, Opened]) -> dict[str, Parsed]:
    """Return the sequences of each input."""
    parsed = {}
    for name, given in opened.items():
        with naming(name):
            parsed[name] = inputs[name].parse(given)
    return parsed


def network_spec(
    inputs: Mapping[str, Reader],
    encoders: Mapping[str, AnyEncoderSpec],
    loss: Loss,
    fusion: FusionSpec,
) -> NetworkSpec:
    """Return the spec of the network that reads these inputs, for a loss."""
    branches = tuple((name, BranchSpec(part.spec, encoders[name])) for name, part in inputs.items())
    return NetworkSpec(branches, loss.n_outputs * loss.n_raw, fusion, loss.has_chain)
