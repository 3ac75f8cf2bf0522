"""Sensors that fail now and then: spikes of a million in one percent of the values.

    python examples/outliers.py [--picture spikes.png]

The data, made here, are two channels that wander; the class says whether they wander together. Then
one value in a hundred becomes a spike. `scaling="standard"` measures in standard deviations, which
the spikes blow up until the signal is too small to see. `scaling="robust"` measures in quartiles
and bends outliers into a narrow range.

The picture (extra `plot`: `pip install "skgru[plot]"`) shows what is left of a sequence for the
network to read.
"""

import argparse

import matplotlib.pyplot as plt
import numpy as np

from skgru import GRUClassifier

N_STEPS = 40


def make_sequences(n, seed=0):
    """Return sequences (n, N_STEPS, 2), and whether their channels go together."""
    rng = np.random.default_rng(seed)
    y = rng.integers(2, size=n)
    X = rng.normal(size=(n, N_STEPS, 2))
    X[y == 1, :, 1] = 0.6 * X[y == 1, :, 0] + 0.8 * X[y == 1, :, 1]
    return X, y


def with_spikes(X, share=0.01, size=1e6, seed=1):
    """Return a copy of X in which a share of the values is a spike."""
    rng = np.random.default_rng(seed)
    signs = rng.choice([-1, 1], size=X.shape)
    return np.where(rng.random(X.shape) < share, signs * size, X)


def draw(x, models, scores):
    """Return a picture of a sequence as the network of each scaling reads it."""
    figure, axes = plt.subplots(1, 3, figsize=(11, 3.5), layout="constrained")
    standard, robust = ((x - m.feature_mean_) / m.feature_scale_ for m in models.values())
    read = [x, standard, robust / np.sqrt(1 + (robust / 3) ** 2)]
    titles = [f'scaling="{name}", accuracy {score:.2f}' for name, score in scores.items()]
    for ax, values, title in zip(axes, read, ["as measured", *titles], strict=True):
        for channel, style in enumerate(("o-", "s--")):
            label = f"channel {channel + 1}"
            ax.plot(values[:, channel], style, markersize=3, linewidth=1, label=label)
        ax.set(title=title, xlabel="step")
    axes[0].set_ylabel("value")
    axes[1].set_ylabel("value as it is read")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return figure


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sequences", type=int, default=1500)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--picture", metavar="FILE", help="save the picture, not show it")
    options = parser.parse_args(argv)

    X, y = make_sequences(options.sequences)
    split = options.sequences * 2 // 3
    models, scores = {}, {}
    for data, name in ((X, "clean"), (with_spikes(X), "with spikes")):
        for scaling in ("standard", "robust"):
            model = GRUClassifier(
                hidden_layer_sizes=32, scaling=scaling, max_iter=options.epochs, random_state=0
            ).fit(data[:split], y[:split])
            score = model.score(data[split:], y[split:])
            models[scaling], scores[scaling] = model, score
            print(f'{name:12s} scaling="{scaling}"'.ljust(34) + f"accuracy {score:.3f}")

    together = [x for x, is_together in zip(data[split:], y[split:], strict=True) if is_together]
    spiked = next(x for x in together if 1 <= (np.abs(x) > 100).sum() <= 2)
    figure = draw(spiked, models, scores)
    if options.picture:
        figure.savefig(options.picture)
    else:
        plt.show()


if __name__ == "__main__":
    main()
