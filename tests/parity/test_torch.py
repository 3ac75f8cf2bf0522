"""The same numbers as PyTorch, in float64: outputs, last states, all gradients, optimizers."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose

from skgru._engine.class_losses import SigmoidLogLoss, SoftmaxLogLoss
from skgru._engine.number_losses import PoissonDeviance, SquaredError
from skgru._nn.batch import Batch
from skgru._nn.optimizers import SGD, Adam
from tests import naive
from tests.parity.mapping import gradient_to_torch, to_torch
from tests.passes import backward_layer, forward_layer, make_stack

D, H = 3, 5
LENGTHS = [7, 4, 4, 2, 1]


def close(ours, theirs):
    if isinstance(theirs, torch.Tensor):
        theirs = theirs.detach().numpy()
    assert_allclose(ours, theirs, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("lengths", [LENGTHS, [4, 4, 4], [1]], ids=str)
@pytest.mark.parametrize("bidirectional", [False, True], ids=["onward", "both"])
@pytest.mark.parametrize("depth", [1, 2])
@pytest.mark.parametrize("kind", ["gru", "lstm", "rnn"])
def test_layers_equal_torch_forward_and_backward(kind, depth, bidirectional, lengths):
    rng = np.random.RandomState(0)
    B, batch = len(lengths), Batch(np.array(lengths))
    stack = make_stack(
        D, (H,) * depth, (kind,) * depth, reset_after=True, bidirectional=bidirectional
    )
    layers = list(stack.layers.values())
    n_directions = 2 if bidirectional else 1
    sequences = [rng.normal(size=(n, D)) for n in lengths]
    # As PyTorch holds states, (depth · directions, B, H); those of an LSTM are h and c.
    shape = depth * n_directions, B, H
    initials = [rng.normal(size=shape) for _ in range(2 if kind == "lstm" else 1)]
    on_outputs = rng.normal(size=(batch.n_rows, layers[-1].n_outputs))
    on_last = rng.normal(size=shape)  # the loss: a projection of the outputs and of each last h
    parameters = [{n: rng.normal(0, 0.7, s) for n, s in layer.shapes().items()} for layer in layers]

    def of_layer(arrays, i):
        """Return what PyTorch holds for layer i as we do: (B, n), direction after direction."""
        rows = range(i * n_directions, (i + 1) * n_directions)
        return np.hstack([array[row] for row in rows for array in arrays])

    theirs = {"gru": torch.nn.GRU, "lstm": torch.nn.LSTM, "rnn": torch.nn.RNN}[kind]
    reference = theirs(D, H, depth, bidirectional=bidirectional).double()
    weights = {}
    for i, p in enumerate(parameters):
        weights |= to_torch(kind, p, i)
    reference.load_state_dict(weights)
    x_torch = torch.tensor(
        np.stack([np.pad(x, ((0, lengths[0] - len(x)), (0, 0))) for x in sequences], axis=1),
        requires_grad=True,
    )
    initials_torch = [torch.tensor(initial, requires_grad=True) for initial in initials]
    outputs, finals = reference(
        torch.nn.utils.rnn.pack_padded_sequence(x_torch, torch.tensor(lengths)),
        tuple(initials_torch) if kind == "lstm" else initials_torch[0],
    )
    finals = finals if kind == "lstm" else (finals,)
    loss = (outputs.data * torch.tensor(on_outputs)).sum()
    loss = loss + (finals[0] * torch.tensor(on_last)).sum()
    loss.backward()

    y, caches = naive.pack(sequences), []
    for i, (layer, p) in enumerate(zip(layers, parameters, strict=True)):
        ours, cache = forward_layer(layer, p, y, batch, of_layer(initials, i))
        caches.append(cache)
        y = ours.y
        close(ours.last, of_layer([finals[0].detach().numpy()], i))
        close(ours.final, of_layer([final.detach().numpy() for final in finals], i))
    close(y, outputs.data)

    dy = on_outputs
    for i in reversed(range(depth)):
        g = {name: np.zeros(shape) for name, shape in layers[i].shapes().items()}
        d_last = of_layer([on_last], i)
        dy, d_initial, _ = backward_layer(layers[i], parameters[i], dy, d_last, batch, caches[i], g)
        close(d_initial, of_layer([initial.grad.numpy() for initial in initials_torch], i))
        for name, gradient in gradient_to_torch(kind, g, i).items():
            close(gradient, getattr(reference, name).grad)
    for i, dx in enumerate(naive.unpack(dy, lengths)):
        close(dx, x_torch.grad[: lengths[i], i])
        close(0, x_torch.grad[lengths[i] :, i])


@pytest.mark.parametrize(
    ("ours", "theirs", "y"),
    [
        (
            SoftmaxLogLoss(),
            lambda raw, y: torch.nn.functional.cross_entropy(raw, y, reduction="none"),
            [0, 1, 0],
        ),
        (
            SigmoidLogLoss(),
            lambda raw, y: torch.nn.functional.binary_cross_entropy_with_logits(
                raw, y, reduction="none"
            ).sum(dim=1),
            [[1, 0], [1, 1], [0, 0]],
        ),
        (
            SquaredError(),
            lambda raw, y: torch.nn.functional.mse_loss(raw, y, reduction="none").mean(dim=1) / 2,
            [[1.5, 0], [-1, 1], [0, 2]],
        ),
        (
            # PyTorch leaves out y log y − y, in which the outputs do not occur.
            PoissonDeviance(),
            lambda raw, y: (
                torch.nn.functional.poisson_nll_loss(raw, y, reduction="none")
                + torch.special.xlogy(y, y)
                - y
            ).mean(dim=1),
            [[0, 2], [1, 0], [5, 3]],
        ),
    ],
    ids=["softmax", "sigmoid", "squared", "poisson"],
)
def test_losses_equal_torch(ours, theirs, y):
    raw, y = np.random.RandomState(0).normal(0, 2, (3, 2)), np.array(y)
    if y.ndim == 2:  # numbers, not classes
        y = y.astype(float)
    raw_torch = torch.tensor(raw, requires_grad=True)
    loss = theirs(raw_torch, torch.tensor(y))
    loss.sum().backward()
    values, gradient = ours.loss_and_gradient(raw, y)
    close(values, loss)
    close(gradient, raw_torch.grad)


# Optimizers

GRADIENTS = np.random.RandomState(1).normal(size=(20, 4)) * [1e-3, 0.1, 1, 50]
THETA = np.random.RandomState(2).normal(size=4)


def compare_optimizers(ours, theirs, theta, theta_torch, learning_rate):
    for gradient in GRADIENTS:
        ours.step(theta, gradient, learning_rate)
        theta_torch.grad = torch.tensor(gradient)
        theirs.step()
        assert_allclose(theta, theta_torch.detach().numpy(), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("betas", [(0.9, 0.999), (0.5, 0.9), (0.0, 0.99)])
def test_adam_equals_torch_where_epsilon_does_not_matter(betas):
    """PyTorch adds ε after the bias correction; the paper's faster form, ours, before."""
    theta, theta_torch = THETA.copy(), torch.tensor(THETA, requires_grad=True)
    ours = Adam(theta, beta_1=betas[0], beta_2=betas[1], epsilon=1e-30)
    theirs = torch.optim.Adam([theta_torch], lr=0.05, betas=betas, eps=1e-30)
    compare_optimizers(ours, theirs, theta, theta_torch, 0.05)


@pytest.mark.parametrize(
    ("momentum", "nesterov"), [(0, False), (0.5, False), (0.9, False), (0.5, True), (0.9, True)]
)
def test_sgd_equals_torch_at_a_constant_rate(momentum, nesterov):
    """PyTorch's velocity is ours without the learning rate: the same while that is constant."""
    theta, theta_torch = THETA.copy(), torch.tensor(THETA, requires_grad=True)
    ours = SGD(theta, momentum=momentum, nesterovs_momentum=nesterov)
    theirs = torch.optim.SGD([theta_torch], lr=0.01, momentum=momentum, nesterov=nesterov)
    compare_optimizers(ours, theirs, theta, theta_torch, 0.01)
