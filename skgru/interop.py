"""Networks from and to other libraries."""

from skgru._interop.torch_weights import from_torch, to_torch

__all__ = ["from_torch", "to_torch"]
