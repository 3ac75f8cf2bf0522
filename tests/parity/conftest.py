"""Keras reads from the environment, once, what it computes with."""

import os

os.environ["KERAS_BACKEND"] = "torch"
