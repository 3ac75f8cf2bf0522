"""Networks and their passes in few words, for the tests."""

import dataclasses

from skgru._nn import pieces
from skgru._nn.batch import Piece
from skgru._nn.dropout import FusionRates, NetworkDropout
from skgru._nn.network import Network
from skgru._nn.part import LayerRun, OutputGradients
from skgru._nn.recurrent import Stack
from skgru._spec import BranchSpec, EncoderSpec, InputSpec, NetworkSpec

NOTHING_ABOVE = FusionRates()
_OF_INPUT = {field.name for field in dataclasses.fields(InputSpec)}


def encoder(sizes, cells=None, **form):
    return EncoderSpec(sizes, cells or ("gru",) * len(sizes), **form)


def branch_spec(n_inputs, sizes, cells=None, **form):
    """Return the spec of a branch; `form` has fields of its input and of its encoder."""
    of_input = {name: form.pop(name) for name in _OF_INPUT & form.keys()}
    return BranchSpec(InputSpec(n_inputs, **of_input), encoder(sizes, cells, **form))


def make_network(n_inputs, sizes, n_outputs, cells=None, **form):
    """Return a network of one branch."""
    spec = branch_spec(n_inputs, sizes, cells, **form)
    return Network(NetworkSpec((("input", spec),), n_outputs))


def make_stack(n_inputs, sizes, cells=None, n_gaps=None, **form):
    return Stack(n_inputs, encoder(sizes, cells, **form), n_gaps)


def only(network, value):
    """Return what a network of one branch is given for it."""
    (name,) = network.branches
    return {name: value}


def forward(network, p, x, batch, *, dropout=None, need_cache=True):
    """Return the raw outputs of whole sequences, and the pass."""
    own = pieces.OnePiece(x, Piece.whole(batch))
    passed = pieces.forward(network, p, only(network, own), dropout, need_cache=need_cache)
    return passed.raw, passed


def backward(network, p, d_raw, passed, g, *, need_dx=False):
    """Write the gradient to g; return that of the inputs."""
    (dx,) = pieces.backward(network, p, d_raw, passed, g, need_dx=need_dx).values()
    return dx


def raw_without_cache(network, p, own):
    """Yield pieces, None if there is a row for each sample, and their raw outputs."""
    for piece, inputs in pieces.fusion_inputs(network, p, own):
        yield piece, network.fusion.forward(p, inputs)[0]


def dropout_of(network, rates, seed, n_samples, fusion=NOTHING_ABOVE):
    """Return the dropout of a network, with the same rates in all branches."""
    return NetworkDropout((rates,) * len(network.branches), fusion, seed, n_samples)


def forward_cell(cell, p, x, batch, initial=None, **further):
    """Return the states, the final ones, and the cache."""
    (states, final), cache = cell.forward(p, x, LayerRun(batch, initial, **further))
    return states, final, cache


def backward_cell(cell, p, d_states, d_last, batch, cache, g, **further):
    """Return the gradients of the inputs, of the initial states and of the decay."""
    return cell.backward(p, OutputGradients(d_states, d_last), cache, g, LayerRun(batch, **further))


def forward_layer(layer, p, x, batch, initial=None, **further):
    """Return the outputs and the cache."""
    return layer.forward(p, x, LayerRun(batch, initial, **further))


backward_layer = backward_cell
