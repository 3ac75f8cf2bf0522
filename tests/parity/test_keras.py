"""The same numbers as Keras: both forms of the reset gate, ragged batches as masks."""

import keras
import numpy as np
import pytest
from numpy.testing import assert_allclose

from skgru._nn.batch import Batch
from skgru._nn.cells import GRU
from tests import naive
from tests.parity.mapping import to_keras

D, H = 3, 5


@pytest.mark.parametrize("lengths", [[7, 4, 4, 2, 1, 0], [4, 4, 4], [1]], ids=str)
@pytest.mark.parametrize("reset_after", [False, True], ids=["before", "after"])
def test_gru_equals_keras(reset_after, lengths):
    rng = np.random.RandomState(0)
    sequences = [rng.normal(size=(n, D)) for n in lengths]
    initial = rng.normal(size=(len(lengths), H))
    batch = Batch(np.array(lengths))
    cell = GRU(D, H, reset_after=reset_after)
    p = {name: rng.normal(0, 0.7, shape) for name, shape in cell.shapes().items()}
    states, _ = cell.forward(p, naive.pack(sequences), batch, initial)

    layer = keras.layers.GRU(
        H, reset_after=reset_after, return_sequences=True, return_state=True, dtype="float64"
    )
    # What stands in the padding must not matter.
    x = rng.normal(size=(len(lengths), lengths[0], D))
    for x_i, sequence in zip(x, sequences, strict=True):
        x_i[: len(sequence)] = sequence
    layer.build(x.shape)
    layer.set_weights(to_keras(p))
    mask = np.arange(lengths[0]) < np.array(lengths)[:, np.newaxis]
    outputs, last = layer(x, mask=mask, initial_state=initial)

    outputs = keras.ops.convert_to_numpy(outputs)
    for ours, theirs in zip(naive.unpack(states[len(lengths) :], lengths), outputs, strict=True):
        assert_allclose(ours, theirs[: len(ours)], rtol=0, atol=1e-6)
    assert_allclose(batch.last(states), keras.ops.convert_to_numpy(last), rtol=0, atol=1e-6)
