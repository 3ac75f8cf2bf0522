"""Checks of parts that know no more of them than their contract."""

import numpy as np

from skgru._data.forms import open_form
from skgru._data.sequences import Sequences, offsets_of
from skgru._data.steps import SequencePieces, Steps
from skgru._engine.objective import Examples, Objective, Terms
from skgru._nn.batch import Arena
from skgru._nn.part import Outputs


def check_training_loss(estimator, X, y, check_along_directions):
    """Check the gradient of the training loss of a small fitted estimator, in float64."""
    model = estimator._fitted_model()
    (name,) = model.inputs
    sequences = model.inputs[name].parse(open_form(X)).sequences
    targets = model.loss.encode(y, np.ones(len(y))).targets
    steps = model.steps_of({name: sequences}, np.float64)
    rng = np.random.RandomState(0)
    objective = Objective(
        model.network,
        model.loss,
        Examples(steps, targets, rng.uniform(0.5, 2, len(targets))),
        rng.normal(0, 0.5, model.theta.shape),
        Terms(),
    )
    _, gradient = objective.at_all()
    for part, array in objective.parameters.items():
        own = model.network.parameters(gradient)[part]
        check_along_directions(lambda: objective.at_all()[0], array, own, part)


def check_pooling(make, n_steps, check_gradient):
    """Check the gradients of a pooling that reads sequences in pieces of so many steps.

    Returns the outputs (T_i, 3) of each sequence, and the results.
    """
    rng, pooling = np.random.RandomState(0), make(3)
    lengths = np.array([5, 3, 4, 0, 1])
    y = rng.normal(size=(lengths.sum(), 3))
    d = rng.normal(size=(len(lengths), pooling.n_outputs))
    p = {name: rng.normal(size=shape) for name, shape in pooling.shapes().items()}
    pieces = SequencePieces(
        Steps(Sequences(y, offsets_of(lengths))), np.arange(len(lengths)), n_steps, Arena()
    )

    def outputs():
        for i in range(len(pieces)):
            x, piece = pieces[i]
            last = np.zeros((piece.batch.n_sequences, 3))
            rows = piece.batch.last_steps()
            last[: len(rows)] = x[rows]
            yield Outputs(x, last, last), piece

    def account():
        of_all = pooling.open(lengths, y.dtype)
        for of_piece, piece in outputs():
            pooling.read(p, of_all, of_piece, piece)
        return of_all

    dy, total = np.zeros(y.shape), {name: np.zeros(array.shape) for name, array in p.items()}
    of_all = account()
    for of_piece, piece in outputs():
        g = {name: np.full(array.shape, np.nan) for name, array in p.items()}
        d_rows, d_last = pooling.backward(p, d, of_all, of_piece, piece, g)
        if d_rows is not None:
            dy[piece.rows] += d_rows
        if d_last is not None:
            rows = piece.batch.last_steps()
            dy[piece.rows[rows]] += d_last[: len(rows)]
        for name in p:
            total[name] += g[name]

    def loss():
        return np.sum(pooling.result(account()) * d)

    check_gradient(loss, y, dy, "outputs")
    for name, array in p.items():
        check_gradient(loss, array, total[name], name)
    return np.split(y, np.cumsum(lengths)[:-1]), pooling.result(account())
