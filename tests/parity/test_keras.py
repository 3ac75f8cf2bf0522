"""The same numbers as Keras: all cells, one direction or both, ragged batches as masks."""

import keras
import numpy as np
import pytest
from numpy.testing import assert_allclose

from skgru._nn.batch import Batch
from tests import naive
from tests.parity.mapping import to_keras
from tests.passes import forward_layer, make_stack

D, H = 3, 5
CELLS = {
    "before": ("gru", lambda **options: keras.layers.GRU(H, reset_after=False, **options)),
    "after": ("gru", lambda **options: keras.layers.GRU(H, reset_after=True, **options)),
    "lstm": ("lstm", lambda **options: keras.layers.LSTM(H, **options)),
    "rnn": ("rnn", lambda **options: keras.layers.SimpleRNN(H, **options)),
}


@pytest.mark.parametrize("lengths", [[7, 4, 4, 2, 1, 0], [4, 4, 4], [1]], ids=str)
@pytest.mark.parametrize("bidirectional", [False, True], ids=["onward", "both"])
@pytest.mark.parametrize("cell", list(CELLS))
def test_layer_equals_keras(cell, bidirectional, lengths):
    kind, make_layer = CELLS[cell]
    rng = np.random.RandomState(0)
    sequences = [rng.normal(size=(n, D)) for n in lengths]
    batch = Batch(np.array(lengths))
    stack = make_stack(D, (H,), (kind,), reset_after=cell == "after", bidirectional=bidirectional)
    ours = stack.layers["hidden_0"]
    initial = rng.normal(size=(len(lengths), ours.n_states))
    p = {name: rng.normal(0, 0.7, shape) for name, shape in ours.shapes().items()}
    (y, _, final), _ = forward_layer(ours, p, naive.pack(sequences), batch, initial)

    theirs = make_layer(return_sequences=True, return_state=True, dtype="float64")
    if bidirectional:
        theirs = keras.layers.Bidirectional(theirs)
    # What stands in the padding must not matter.
    x = rng.normal(size=(len(lengths), lengths[0], D))
    for x_i, sequence in zip(x, sequences, strict=True):
        x_i[: len(sequence)] = sequence
    theirs.build(x.shape)
    theirs.set_weights(to_keras(kind, p))
    mask = np.arange(lengths[0]) < np.array(lengths)[:, np.newaxis]
    starts = np.split(initial, ours.n_states // H, axis=1)  # h, or h and c, of each direction
    outputs, *finals = theirs(x, mask=mask, initial_state=starts)

    outputs = keras.ops.convert_to_numpy(outputs)
    for y_i, theirs_i in zip(naive.unpack(y, lengths), outputs, strict=True):
        assert_allclose(y_i, theirs_i[: len(y_i)], rtol=0, atol=1e-6)
    finals = np.hstack([keras.ops.convert_to_numpy(state) for state in finals])
    assert_allclose(final, finals, rtol=0, atol=1e-6)
