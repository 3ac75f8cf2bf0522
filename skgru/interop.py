"""Networks in other libraries: as graphs of ONNX."""

from skgru._onnx.converter import register_skl2onnx
from skgru._onnx.export import onnx_inputs, to_onnx

__all__ = ["onnx_inputs", "register_skl2onnx", "to_onnx"]
