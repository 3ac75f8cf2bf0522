"""Sensors that fail now and then: spikes of a million in one percent of the values.

    python examples/outliers.py

The data, made here, are two channels that wander; the class says whether they wander together. Then
one value in a hundred becomes a spike. `scaling="standard"` measures in standard deviations, which
the spikes blow up until the signal is too small to see. `scaling="robust"` measures in quartiles
and bends outliers into a narrow range.
"""

import argparse

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


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sequences", type=int, default=1500)
    parser.add_argument("--epochs", type=int, default=20)
    options = parser.parse_args(argv)

    X, y = make_sequences(options.sequences)
    split = options.sequences * 2 // 3
    for data, name in ((X, "clean"), (with_spikes(X), "with spikes")):
        for scaling in ("standard", "robust"):
            model = GRUClassifier(
                hidden_layer_sizes=32, scaling=scaling, max_iter=options.epochs, random_state=0
            ).fit(data[:split], y[:split])
            score = model.score(data[split:], y[split:])
            print(f'{name:12s} scaling="{scaling}"'.ljust(34) + f"accuracy {score:.3f}")


if __name__ == "__main__":
    main()
