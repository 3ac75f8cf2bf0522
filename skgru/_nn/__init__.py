"""The network: NumPy and SciPy only, arrays in and arrays out, no estimator.

From the bottom up: `parameters` and `batch` hold the data; `part` is the contract of all parts;
`cells` and `layers` have the equations, `recurrent` the stack of hidden layers, `pooling` the way
from its outputs to the head, `branch` all that reads one input, `network` the whole of it; `pieces`
runs it. `optimizers` and `schedules` train it. Every part has a ``forward`` that returns its result
and a cache, and beside it a ``backward`` that takes the gradient of the result and that cache.
"""
