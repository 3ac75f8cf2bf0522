"""
Outliers: sensors with spikes of a million
==========================================

Some sensors fail now and then: for a moment they say a million. ``scaling="standard"`` measures in
standard deviations, which the spikes blow up until the signal is too small to see.
``scaling="robust"`` measures in quartiles, of which a few spikes change little, and bends what lies
far outside into the range from -3 to 3.
"""

import matplotlib.pyplot as plt
import numpy as np

from skgru import GRUClassifier

# %%
# The data, made here, are sequences of two channels. The class says whether the channels go
# together. One value in a hundred becomes a spike, in training and in test.

N_SEQUENCES, N_STEPS, N_TRAIN = 600, 40, 300


def make_sequences(n, seed=0):
    """Return sequences (n, N_STEPS, 2), and whether their channels go together."""
    rng = np.random.default_rng(seed)
    y = rng.integers(2, size=n)
    X = rng.normal(size=(n, N_STEPS, 2))
    X[y == 1, :, 1] = 0.6 * X[y == 1, :, 0] + 0.8 * X[y == 1, :, 1]
    return X, y


def with_spikes(X, size, share=0.01, seed=1):
    """Return a copy of X in which a share of the values is a spike."""
    rng = np.random.default_rng(seed)
    signs = rng.choice([-1, 1], size=X.shape)
    return np.where(rng.random(X.shape) < share, signs * size, X)


X, y = make_sequences(N_SEQUENCES)
print(f"{N_TRAIN} sequences to train on, {N_SEQUENCES - N_TRAIN} to test")

# %%
# The same network reads them with both scalings, without spikes and with spikes of growing size.

MAX_ITER = 6
SIZES = [0, 10, 100, 1e4, 1e6]  # 0: no spikes

models = {}
print(f"\n{'accuracy, spikes of':22s}{'none':>8s}{''.join(f'{size:8.0e}' for size in SIZES[1:])}")
for scaling in ("standard", "robust"):
    print(f'scaling="{scaling}"'.ljust(22), end="", flush=True)
    for size in SIZES:
        data = with_spikes(X, size) if size else X
        model = GRUClassifier(32, scaling=scaling, max_iter=MAX_ITER, random_state=0)
        model.fit(data[:N_TRAIN], y[:N_TRAIN])
        models[scaling, size] = model, model.score(data[N_TRAIN:], y[N_TRAIN:])
        print(f"{models[scaling, size][1]:8.3f}", end="", flush=True)
    print()

# %%
# To robust scaling the size of the spikes makes no difference. Standard scaling makes the signal
# the smaller, the larger they are, and with those of ten thousand the network only guesses.

figure, ax = plt.subplots(figsize=(7, 3.5), layout="constrained")
places = range(len(SIZES))
for scaling, marker in (("standard", "o"), ("robust", "s")):
    accuracies = [models[scaling, size][1] for size in SIZES]
    ax.plot(places, accuracies, marker=marker, label=f'scaling="{scaling}"')
ax.axhline(0.5, color="0.5", linewidth=0.8)
ax.annotate("by chance", (0, 0.5), va="bottom")
ax.set_xticks(places, ["none", *(f"{size:,.0f}" for size in SIZES[1:])])
ax.set(xlabel="size of the spikes [standard deviations of the signal]", ylabel="accuracy")
ax.legend()
plt.show()

# %%
# The reason can be seen in what the network gets to read. Here is a sequence with a spike, as it
# was measured and as each scaling hands it on: the standard one leaves a line at zero and the
# spike, the robust one leaves the signal, and a value at its edge.

data = with_spikes(X, SIZES[-1])[N_TRAIN:]
n_spikes = (np.abs(data) > 100).sum(axis=(1, 2))
x = data[np.flatnonzero((n_spikes == 1) & (y[N_TRAIN:] == 1))[0]]
standard, robust = (
    (x - model.feature_mean_) / model.feature_scale_
    for model in (models[scaling, SIZES[-1]][0] for scaling in ("standard", "robust"))
)
robust = robust / np.sqrt(1 + (robust / 3) ** 2)  # bent into the range from -3 to 3

figure, axes = plt.subplots(3, 1, figsize=(7, 5), layout="constrained", sharex=True)
titles = ["as measured", 'as read with scaling="standard"', 'as read with scaling="robust"']
for ax, values, title in zip(axes, (x, standard, robust), titles, strict=True):
    for channel, style in enumerate(("o-", "s--")):
        label = f"channel {channel + 1}"
        ax.plot(values[:, channel], style, markersize=3, linewidth=1, label=label)
    ax.set_title(title, loc="left", fontsize="medium")
    ax.set_ylabel("value")
figure.align_ylabels()
axes[0].ticklabel_format(axis="y", style="plain")
axes[-1].set_xlabel("step")
figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper right", ncols=2)
plt.show()
