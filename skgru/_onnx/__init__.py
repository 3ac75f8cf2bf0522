"""Fitted networks as graphs of ONNX."""
