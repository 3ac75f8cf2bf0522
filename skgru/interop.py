"""Networks from and to other libraries."""

from skgru._interop.keras_weights import from_keras, to_keras
from skgru._interop.torch_weights import from_torch, to_torch

__all__ = ["from_keras", "from_torch", "to_keras", "to_torch"]
