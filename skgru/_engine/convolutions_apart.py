"""A model whose random convolutions are fitted apart from its network, in two parts or as one.

While the network is trained, it knows nothing of them. Then both are one network again, in which
the convolutions are a branch: what predicts, explains and exports sees no difference.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from skgru._engine.convolution_model import ConvolutionModel
from skgru._engine.model import Model, network_spec
from skgru._nn.branch import Branch
from skgru._nn.convolution_stack import ConvolutionStack
from skgru._nn.network import Network
from skgru._nn.parameters import size_of

# The parameters of the network whose outputs are raw outputs.
_HEAD = ("head.weights", "head.bias")


def parted(model: Model, name: str) -> Model:
    """Return a model in two parts: the network without a branch of convolutions, and these.

    Parameters
    ----------
    model : Model
        Of one branch beside it.
    name : str
        Of the branch of convolutions.
    """
    reader, branch = model.beside[name], model.network.branches[name]
    whole = model.parameters
    factor = reader.factor or 1.0
    own = {key: part for key, part in model.inputs.items() if key != name}
    encoders = {key: part.encoder for key, part in model.spec.branches}
    spec = network_spec(own, encoders, model.loss, model.spec.fusion)
    network = Network(spec)
    p = network.parameters(np.empty(size_of(network.shapes), model.theta.dtype))
    for key, values in p.items():
        values[...] = whole[key] / factor if key in _HEAD else whole[key]
    wide, kernels = _sections(branch)
    convolutions = ConvolutionModel(
        name,
        reader,
        {key: values.copy() for key, values in whole.section(kernels).items()},
        whole[f"{wide}.weights"].copy(),
        whole[f"{wide}.bias"].copy(),
        factor,
    )
    return Model(own, spec, model.loss, p.vector, convolutions=convolutions)


def joined(model: Model) -> Model:
    """Return a model of two parts as one network; any other as it is."""
    part = model.convolutions
    if part is None:
        return model
    readers = model.inputs | {part.name: replace(part.reader, factor=part.factor)}
    encoders = {key: branch.encoder for key, branch in model.spec.branches}
    encoders[part.name] = part.reader.encoder
    spec = network_spec(readers, encoders, model.loss, model.spec.fusion)
    network = Network(spec)
    p = network.parameters(np.empty(size_of(network.shapes), model.theta.dtype))
    for key, values in model.parameters.items():
        p[key][...] = part.factor * values if key in _HEAD else values
    wide, kernels = _sections(network.branches[part.name])
    p[f"{wide}.weights"][...], p[f"{wide}.bias"][...] = part.weights, part.bias
    for key, array in part.kernels.items():
        p.section(kernels)[key][...] = array
    return Model(readers, spec, model.loss, p.vector)


def _sections(branch: Branch) -> tuple[str, str]:
    """Return the names of the linear layer of a branch of convolutions, and of its kernels."""
    stack = branch.stack
    assert isinstance(stack, ConvolutionStack)
    (wide,) = stack.layers
    return wide, stack.kernels_name
