"""The cells compared: error, size and time
========================================

Eight networks learn the adding problem (`Hochreiter and Schmidhuber 1997
<https://doi.org/10.1162/neco.1997.9.8.1735>`_). Each step has a random number and a mark; two steps
of each sequence are marked, and the sum of their numbers is asked for at the end. To answer, a
network must hold a number over many steps. Always answering 1 has a mean squared error of 1/6.

The networks with gates, GRU and LSTM, learn it equally well. The one without is quick, and it falls
behind at once. The minGRU (`Feng et al. 2024 <https://arxiv.org/abs/2410.01201>`_), whose gates see
the step but not what is kept, is as quick; in two layers, of which the second reads what the first
has kept, it is as good as any.
"""

import time

import matplotlib.pyplot as plt
import numpy as np
from sklearn.metrics import mean_squared_error

from skgru import GRURegressor, LossCurveDisplay

# %%
# The data: of 40 steps, one in the first half and one in the second half are marked.

N_STEPS = 40


def adding_problem(n_sequences, seed):
    """Return X (n, T, 2) and y (n,)."""
    rng = np.random.default_rng(seed)
    X = np.zeros((n_sequences, N_STEPS, 2), np.float32)
    X[..., 0] = rng.random((n_sequences, N_STEPS))
    half = N_STEPS // 2
    for marks in (rng.integers(0, half, n_sequences), rng.integers(half, N_STEPS, n_sequences)):
        X[np.arange(n_sequences), marks, 1] = 1
    return X, (X[..., 0] * X[..., 1]).sum(axis=1)


X, y = adding_problem(2000, seed=0)
X_test, y_test = adding_problem(1000, seed=1)
first, second = X[0, X[0, :, 1] == 1, 0]
print(f"the first sequence: {first:.3f} + {second:.3f} = {y[0]:.3f}")

# %%
# Each network has 32 units, or two layers of 24 or 32, and is trained for as many epochs. All read
# from the first step to the last and answer from their last state, so that nothing but the cell has
# to keep the first number.

MODELS = {
    "GRU": {"hidden_layer_sizes": 32},
    "GRU, reset after": {"hidden_layer_sizes": 32, "reset_after": True},
    "LSTM": {"hidden_layer_sizes": 32, "cell": "lstm"},
    "RNN": {"hidden_layer_sizes": 32, "cell": "rnn"},
    "minGRU": {"hidden_layer_sizes": 32, "cell": "mingru"},
    "minGRU, two layers": {"hidden_layer_sizes": (32, 32), "cell": "mingru"},
    "GRU on RNN": {"hidden_layer_sizes": (24, 24), "cell": ("rnn", "gru")},
    "LSTM on GRU": {"hidden_layer_sizes": (24, 24), "cell": ("gru", "lstm")},
}

models, seconds, errors = {}, {}, {}
print(f"{'':18s}  parameters  seconds  test error")
for name, settings in MODELS.items():
    model = models[name] = GRURegressor(
        max_iter=12,
        learning_rate_init=0.005,
        bidirectional=False,
        pooling="last",
        patch_size=1,
        random_state=0,
        **settings,
    )
    start = time.perf_counter()
    model.fit(X, y)
    seconds[name] = time.perf_counter() - start
    errors[name] = mean_squared_error(y_test, model.predict(X_test))
    n_parameters = sum(array.size for array in model.parameters_.values())
    print(f"{name:18s} {n_parameters:11d} {seconds[name]:8.1f} {errors[name]:11.5f}", flush=True)

# %%
# The losses in training show when each network finds out what it has to remember. The loss is half
# the squared error, in variances of ``y``: 0.5 is what always answering the mean would have.

figure, ax = plt.subplots(figsize=(7, 4), layout="constrained")
LossCurveDisplay.from_estimators(models, ax=ax)
ax.set(yscale="log", ylabel="loss in training [variance of y]")
ax.get_legend().remove()  # it would lie over the lines
figure.legend(loc="outside right upper")
plt.show()

# %%
# Epochs are not equally long. Against the seconds of training, the best networks lie at the bottom
# left: a GRU is as good as an LSTM, in less time and with three quarters of its parameters, and so
# it is where to start. Two layers of minGRU take less time still, but on other tasks, where steps
# have to be held against each other, they are behind the GRU. The simple cell is for short
# sequences, or beneath a GRU.

figure, ax = plt.subplots(figsize=(7, 4), layout="constrained")
for name, error in errors.items():
    ax.plot(seconds[name], error, "o", markersize=9, label=name)
ax.set(yscale="log", xlabel="time of training [s]", ylabel="mean squared error in the test")
ax.set_xlim(left=0)
ax.grid(alpha=0.3)
figure.legend(loc="outside right upper")
plt.show()
