"""
Missing values: half of them, without imputation
================================================

Sequences may have NaN anywhere. With ``missing="decay"`` the network (GRU-D) lets a value that was
seen fade to the mean at a rate that it learns; with ``missing="indicator"`` it reads beside each
value whether it is there. Both are compared with what one would do by hand, the mean or the last
value in place of missing ones, and with the same network on complete data.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skgru import GRUClassifier, PerTimestep

# %%
# The data, made here, are three channels that swing at the same rate; the class says which of them
# runs ahead of the others. Half of all values are removed at random, in training and in test.

N_SEQUENCES, N_TRAIN, N_CHANNELS, LEAD, SHARE = 600, 400, 3, 0.7, 0.5


def make_sequences(n, seed=0):
    """Return sequences of 20 to 40 steps and which channel runs ahead."""
    rng = np.random.default_rng(seed)
    y = rng.integers(N_CHANNELS, size=n)
    X = []
    for leader in y:
        steps = np.arange(rng.integers(20, 41))[:, None]
        phase = rng.uniform(0, 2 * np.pi) + LEAD * (np.arange(N_CHANNELS) == leader)
        x = np.sin(2 * np.pi * steps / rng.uniform(8, 16) + phase)
        X.append(10 + 3 * x + rng.normal(scale=1.2, size=x.shape))
    return X, y


def remove(X, share, seed=1):
    """Return the sequences with a share of their values replaced by NaN."""
    rng = np.random.default_rng(seed)
    return [np.where(rng.random(x.shape) < share, np.nan, x) for x in X]


X, y = make_sequences(N_SEQUENCES)
X_missing = remove(X, SHARE)

# %%
# This is a sequence of which the first channel runs ahead: the values that are left are points, and
# what was there before is a line.

shown = next(i for i in range(N_TRAIN) if y[i] == 0 and len(X[i]) >= 35)
figure, axes = plt.subplots(
    N_CHANNELS, 1, figsize=(7, 4), layout="constrained", sharex=True, sharey=True
)
for channel, ax in enumerate(axes):
    ax.plot(X[shown][:, channel], color="0.7", linewidth=1, label="complete")
    ax.plot(X_missing[shown][:, channel], "o", color=f"C{channel}", markersize=4)
    ax.set_ylabel(f"channel {channel + 1}")
axes[-1].set_xlabel("step")
plt.show()

# %%
# The same network is trained in five ways. The last value before is put in by a function of one's
# own, the mean by scikit-learn's ``SimpleImputer``, which ``PerTimestep`` applies to every step.

MAX_ITER = 12


def carry_forward(X):
    """Return the sequences with each missing value replaced by the last one, if there is any."""
    filled = []
    for x in X:
        last = np.maximum.accumulate(np.where(np.isnan(x), 0, np.arange(len(x))[:, None]))
        filled.append(np.take_along_axis(x, last, axis=0))
    return filled


def network(**parameters):
    return GRUClassifier(32, max_iter=MAX_ITER, random_state=0, **parameters)


mean = PerTimestep(SimpleImputer())
models = {
    "complete data": (network(), X),
    'missing="decay"': (network(missing="decay"), X_missing),
    'missing="indicator"': (network(missing="indicator"), X_missing),
    "last value before": (
        make_pipeline(FunctionTransformer(carry_forward), mean, network()),
        X_missing,
    ),
    "mean before": (make_pipeline(mean, network()), X_missing),
}
print(f"{N_TRAIN} sequences to train on, {len(X) - N_TRAIN} to test; {SHARE:.0%} missing")
scores = {}
for name, (model, data) in models.items():
    model.fit(data[:N_TRAIN], y[:N_TRAIN])
    scores[name] = model.score(data[N_TRAIN:], y[N_TRAIN:])
    print(f"{name:20s} accuracy {scores[name]:.3f}")

# %%
# How do they take it when less or more is missing in test than it was in training? The network that
# was trained on complete data falls soonest; those that have seen missing values in training bear
# more of them. The last value put in place of missing ones moves the channels against each other in
# time, which is what the class is about. The mean does not: here, where values are missing at
# random, it is as good as what the network does without any preparation.

shares = np.linspace(0, 0.9, 7)
tests = [remove(X[N_TRAIN:], share, seed=2) for share in shares]
accuracies = {
    name: [model.score(test, y[N_TRAIN:]) for test in tests] for name, (model, _) in models.items()
}

figure, ax = plt.subplots(figsize=(7, 4), layout="constrained")
for (name, values), marker in zip(accuracies.items(), "osd^v", strict=True):
    ax.plot(100 * shares, values, marker=marker, label=name)
ax.axvline(100 * SHARE, color="0.5", linestyle=":")
ax.annotate(" in training", (100 * SHARE, 0.98), va="top", xycoords=("data", "axes fraction"))
ax.axhline(1 / N_CHANNELS, color="0.5", linewidth=0.8)
ax.annotate("by chance", (0, 1 / N_CHANNELS), va="bottom")
ax.set(xlabel="missing values in test [%]", ylabel="accuracy")
ax.legend(title="trained on")
plt.show()
