"""The same numbers as ONNX Runtime's GRU operator, in float32."""

import numpy as np
import onnx
import onnxruntime
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skgru._nn.batch import Batch
from skgru._nn.cells import GRU
from tests import naive
from tests.parity.mapping import to_onnx

D, H = 3, 5


def run_gru(inputs, *, linear_before_reset):
    """Run a graph of one GRU operator; return Y (T, B, H) and Y_h (B, H)."""
    names = ["X", "W", "R", "B", "sequence_lens", "initial_h"]
    node = onnx.helper.make_node(
        "GRU", names, ["Y", "Y_h"], hidden_size=H, linear_before_reset=linear_before_reset
    )
    graph = onnx.helper.make_graph(
        [node],
        "gru",
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
    y, last = session.run(None, inputs)
    return y[:, 0], last[0]


@pytest.mark.parametrize("lengths", [[7, 4, 4, 2, 1], [4, 4, 4], [1]], ids=str)
@pytest.mark.parametrize("reset_after", [False, True], ids=["before", "after"])
def test_gru_equals_onnx_runtime(reset_after, lengths):
    rng = np.random.RandomState(0)
    sequences = [rng.normal(size=(n, D)).astype(np.float32) for n in lengths]
    initial = rng.normal(size=(len(lengths), H)).astype(np.float32)
    batch = Batch(np.array(lengths))
    cell = GRU(D, H, reset_after=reset_after)
    p = {
        name: rng.normal(0, 0.7, shape).astype(np.float32) for name, shape in cell.shapes().items()
    }
    states, _ = cell.forward(p, naive.pack(sequences), batch, initial)

    # What stands in the padding must not matter.
    x = rng.normal(size=(lengths[0], len(lengths), D)).astype(np.float32)
    for i, sequence in enumerate(sequences):
        x[: lengths[i], i] = sequence
    y, last = run_gru(
        {
            "X": x,
            "sequence_lens": np.array(lengths, np.int32),
            "initial_h": initial[np.newaxis],
            **to_onnx(p),
        },
        linear_before_reset=int(reset_after),
    )
    assert states.dtype == y.dtype == np.float32
    for i, ours in enumerate(naive.unpack(states[len(lengths) :], lengths)):
        assert_allclose(ours, y[: lengths[i], i], rtol=0, atol=1e-6)
        assert_array_equal(y[lengths[i] :, i], 0)
    assert_allclose(batch.last(states), last, rtol=0, atol=1e-6)
