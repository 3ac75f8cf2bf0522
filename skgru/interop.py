"""Networks in other libraries: weights from and to PyTorch and Keras, graphs of ONNX."""

from skgru._interop.keras_weights import from_keras, to_keras
from skgru._interop.torch_weights import from_torch, to_torch
from skgru._onnx.converter import register_skl2onnx
from skgru._onnx.export import onnx_inputs, to_onnx

__all__ = [
    "from_keras",
    "from_torch",
    "onnx_inputs",
    "register_skl2onnx",
    "to_keras",
    "to_onnx",
    "to_torch",
]
