"""An hourly and a daily channel in one sequence, without resampling either.

    python examples/mixed_frequency.py

The data, made here, are four days of a plant: its output is read every hour, its price told once a
day. Did the plant earn more on the last two days than on the first two? That takes both channels,
each day's output times the day's price. `SequenceAligner` puts them on the union of
their times, with NaN where a channel has no value, and the network reads them as they are.
"""

import argparse

import numpy as np
from sklearn.model_selection import cross_val_score

from skgru import GRUClassifier, SequenceAligner

N_DAYS = 4


def make_readings(n_plants, seed=0):
    """Return hourly outputs (n, days, 24), daily prices (n, days), and whether earnings rose."""
    rng = np.random.default_rng(seed)
    of_day = rng.lognormal(sigma=0.6, size=(n_plants, N_DAYS, 1))
    outputs = of_day * rng.lognormal(sigma=0.3, size=(n_plants, N_DAYS, 24))
    prices = rng.lognormal(sigma=0.6, size=(n_plants, N_DAYS))
    earnings = outputs.sum(axis=2) * prices
    rose = earnings[:, N_DAYS // 2 :].sum(axis=1) > earnings[:, : N_DAYS // 2].sum(axis=1)
    return outputs.reshape(n_plants, -1), prices, rose


def to_events(channel, values, hours):
    """Return a table of events for values (n, n_times) that lie so many hours apart."""
    plant, position = np.indices(values.shape)
    return {
        "sample": plant.ravel(),
        "time": position.ravel() * hours,
        "channel": np.repeat(channel, values.size),
        "value": values.ravel(),
    }


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--plants", type=int, default=800)
    parser.add_argument("--epochs", type=int, default=25)
    options = parser.parse_args(argv)

    outputs, prices, y = make_readings(options.plants)
    hourly = to_events("output", outputs, hours=1)
    daily = to_events("price", prices, hours=24)
    both = {name: np.concatenate([hourly[name], daily[name]]) for name in hourly}

    network = GRUClassifier(
        hidden_layer_sizes=32, time_feature=0, max_iter=options.epochs, random_state=0
    )
    for name, events in (("output", hourly), ("price", daily), ("output and price", both)):
        X = SequenceAligner().fit_transform(events)
        score = cross_val_score(network, X, y, cv=3).mean()
        print(f"{name:17s} {X[0].shape[0]:3d} steps   accuracy {score:.3f}")


if __name__ == "__main__":
    main()
