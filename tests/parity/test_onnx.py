"""The same numbers as ONNX Runtime's GRU, LSTM and RNN operators, in float32."""

import numpy as np
import onnx
import onnxruntime
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skgru._nn.batch import Batch
from tests import naive
from tests.parity.mapping import to_onnx
from tests.passes import forward_layer, make_stack

D, H = 3, 5


def run_operator(kind, inputs, **attributes):
    """Run a graph of one operator; return Y (T, directions, B, H), Y_h and Y_c, if any."""
    names = ["X", "W", "R", "B", "sequence_lens", "initial_h", "initial_c"]
    results = ["Y", "Y_h", "Y_c"]
    if kind != "lstm":
        names, results = names[:-1], results[:-1]
    node = onnx.helper.make_node(kind.upper(), names, results, hidden_size=H, **attributes)
    graph = onnx.helper.make_graph(
        [node],
        kind,
        [
            onnx.helper.make_tensor_value_info(
                name, onnx.helper.np_dtype_to_tensor_dtype(inputs[name].dtype), inputs[name].shape
            )
            for name in names
        ],
        [
            onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None)
            for name in node.output
        ],
    )
    model = onnx.helper.make_model(
        graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=8
    )
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    return session.run(None, inputs)


@pytest.mark.parametrize("lengths", [[7, 4, 4, 2, 1], [4, 4, 4], [1]], ids=str)
@pytest.mark.parametrize("bidirectional", [False, True], ids=["onward", "both"])
@pytest.mark.parametrize("cell", ["before", "after", "lstm", "rnn"])
def test_layer_equals_onnx_runtime(cell, bidirectional, lengths):
    kind = "gru" if cell in ("before", "after") else cell
    rng = np.random.RandomState(0)
    sequences = [rng.normal(size=(n, D)).astype(np.float32) for n in lengths]
    batch = Batch(np.array(lengths))
    stack = make_stack(D, (H,), (kind,), reset_after=cell == "after", bidirectional=bidirectional)
    layer = stack.layers["hidden_0"]
    initial = rng.normal(size=(len(lengths), layer.n_states)).astype(np.float32)
    p = {
        name: rng.normal(0, 0.7, shape).astype(np.float32) for name, shape in layer.shapes().items()
    }
    (ours, _, final), _ = forward_layer(layer, p, naive.pack(sequences), batch, initial)

    # What stands in the padding must not matter.
    x = rng.normal(size=(lengths[0], len(lengths), D)).astype(np.float32)
    for i, sequence in enumerate(sequences):
        x[: lengths[i], i] = sequence
    inputs = {"X": x, "sequence_lens": np.array(lengths, np.int32), **to_onnx(kind, p)}
    attributes = {"direction": "bidirectional"} if bidirectional else {}
    if kind == "gru":
        attributes["linear_before_reset"] = int(cell == "after")
    n_directions = 2 if bidirectional else 1
    states = np.split(initial, layer.n_states // H, axis=1)  # h, or h and c, of each direction
    n_parts = len(states) // n_directions
    for i, name in enumerate(["initial_h", "initial_c"][:n_parts]):
        inputs[name] = np.stack(states[i::n_parts])
    y, *finals = run_operator(kind, inputs, **attributes)

    y = np.concatenate(np.moveaxis(y, 1, 0), axis=-1)  # directions side by side
    assert ours.dtype == y.dtype == np.float32
    for i, y_i in enumerate(naive.unpack(ours, lengths)):
        assert_allclose(y_i, y[: lengths[i], i], rtol=0, atol=1e-6)
        assert_array_equal(y[lengths[i] :, i], 0)
    theirs = np.hstack([state[i] for i in range(n_directions) for state in finals])
    assert_allclose(final, theirs, rtol=0, atol=1e-6)
