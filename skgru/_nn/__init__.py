"""The network: NumPy and SciPy only, arrays in and arrays out, no estimator.

From the bottom up: `parameters` and `batch` hold the data, `cells` and `layers` the equations,
`recurrent` the stack of hidden layers, `branch` what is read of one input, `network` the whole, and
`pieces` its passes; `optimizers` and `schedules` train it. Every part has a
``forward`` that returns its result and a cache, and beside it a ``backward`` that takes the
gradient of the result and that cache.
"""
