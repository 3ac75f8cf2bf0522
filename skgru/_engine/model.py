"""A fitted model as values: inputs, network, loss and parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Any

from numpy.typing import DTypeLike, NDArray

from skgru._data.inputs import Input
from skgru._data.kinds import input_of_state
from skgru._data.sequences import Sequences
from skgru._data.steps import Steps
from skgru._engine.loss import Loss
from skgru._engine.losses import loss_of_state, state_of
from skgru._nn.batch import Array
from skgru._nn.network import Network
from skgru._nn.parameters import Parameters
from skgru._spec import BranchSpec, EncoderSpec, NetworkSpec


@dataclass(frozen=True, eq=False)
class Model:
    """A network with the inputs that it reads, the loss that it is trained for, its parameters.

    Parameters
    ----------
    inputs : dict of Input
        By the names of the branches.
    spec : NetworkSpec
    loss : Loss
        Bound to its targets.
    theta : ndarray
        All parameters.
    """

    inputs: dict[str, Input]
    spec: NetworkSpec
    loss: Loss
    theta: Array

    @cached_property
    def network(self) -> Network:
        """The network, without its numbers."""
        return Network(self.spec)

    @cached_property
    def parameters(self) -> Parameters:
        """Its parameters by their names, as views of θ."""
        return self.network.parameters(self.theta)

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
            "loss": state_of(self.loss),
            "theta": self.theta,
        }

    @classmethod
    def of_state(cls, state: Mapping[str, Any]) -> Model:
        """Return the model of a `state`."""
        inputs = {name: input_of_state(part) for name, part in state["inputs"].items()}
        encoders = {name: EncoderSpec(**part) for name, part in state["encoders"].items()}
        loss = loss_of_state(state["loss"])
        return cls(inputs, network_spec(inputs, encoders, loss), loss, state["theta"])

    def steps_of(
        self, sequences: Mapping[str, Sequences], dtype: DTypeLike, **how: bool
    ) -> dict[str, Steps]:
        """Return the steps of each input's sequences as the network reads them.

        See `Input.steps_of`.
        """
        return {
            name: part.steps_of(sequences[name], dtype, **how) for name, part in self.inputs.items()
        }

    def predictions(self, raw: Array) -> NDArray[Any]:
        """Return the predictions, in the unit of y, of raw outputs."""
        return self.loss.predict(raw, self.theta.dtype)

    def with_theta(self, theta: Array) -> Model:
        """Return the model with other parameters."""
        return replace(self, theta=theta)


def network_spec(
    inputs: Mapping[str, Input], encoders: Mapping[str, EncoderSpec], loss: Loss
) -> NetworkSpec:
    """Return the spec of the network that reads these inputs, for a loss."""
    branches = tuple((name, BranchSpec(part.spec, encoders[name])) for name, part in inputs.items())
    return NetworkSpec(branches, loss.n_outputs * loss.n_raw)
