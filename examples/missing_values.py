"""Classify sequences of which half of the values are missing, without a line of imputation.

    python examples/missing_values.py [--picture missing.png]

The data, made here, are three channels that swing at the same rate; the class says which of them
runs ahead of the others. A share of all values is removed at random, in training and in test. The
same network reads them in three ways: as they are (`missing="decay"`, GRU-D, and "indicator"), and
with the mean or the last value put in place of missing ones before the fit. Beside it, the
network on the complete data.

The picture (extra `plot`: `pip install "skgru[plot]"`) shows how each of them takes it when less or
more is missing in test than it was in training.
"""

import argparse

import matplotlib.pyplot as plt
import numpy as np
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skgru import GRUClassifier, PerTimestep

N_CHANNELS, LEAD = 3, 0.7


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


def carry_forward(X):
    """Return the sequences with each missing value replaced by the last one, if there is any."""
    filled = []
    for x in X:
        last = np.maximum.accumulate(np.where(np.isnan(x), 0, np.arange(len(x))[:, None]))
        filled.append(np.take_along_axis(x, last, axis=0))
    return filled


def draw(models, X, y, share):
    """Return a picture of the accuracy of the fitted models where other shares are missing."""
    figure, ax = plt.subplots(figsize=(8, 5), layout="constrained")
    shares = np.linspace(0, 0.9, 7)
    tests = [remove(X, of_test, seed=2) for of_test in shares]
    for (name, model), marker in zip(models.items(), "osd^v", strict=True):
        ax.plot(100 * shares, [model.score(test, y) for test in tests], marker=marker, label=name)
    ax.axvline(100 * share, color="0.5", linestyle=":")
    ax.annotate(" in training", (100 * share, 0.98), va="top", xycoords=("data", "axes fraction"))
    ax.axhline(1 / N_CHANNELS, color="0.5", linewidth=0.8)
    ax.annotate("by chance", (0, 1 / N_CHANNELS), va="bottom")
    ax.set(xlabel="missing values in test [%]", ylabel="accuracy")
    ax.legend(title="trained on")
    return figure


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sequences", type=int, default=1500)
    parser.add_argument("--share", type=float, default=0.5, help="of the values, to remove")
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--picture", metavar="FILE", help="save the picture, not show it")
    options = parser.parse_args(argv)

    X, y = make_sequences(options.sequences)
    X_missing = remove(X, options.share)
    split = options.sequences * 2 // 3

    def network(**parameters):
        return GRUClassifier(
            hidden_layer_sizes=32, max_iter=options.epochs, random_state=0, **parameters
        )

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
    print(f"{split} sequences to train on, {len(X) - split} to test; {options.share:.0%} missing")
    for name, (model, data) in models.items():
        score = model.fit(data[:split], y[:split]).score(data[split:], y[split:])
        print(f"{name:20s} accuracy {score:.3f}")

    fitted = {name: model for name, (model, _) in models.items()}
    figure = draw(fitted, X[split:], y[split:], options.share)
    if options.picture:
        figure.savefig(options.picture)
    else:
        plt.show()


if __name__ == "__main__":
    main()
