"""An hourly and a daily channel in one sequence, without resampling either.

    python examples/mixed_frequency.py [--picture plant.png]

The data, made here, are four days of a plant: its output is read every hour, its price told once a
day. Did the plant earn more on the last two days than on the first two? That takes both channels,
each day's output times the day's price. `SequenceAligner` puts them on the union of
their times, with NaN where a channel has no value, and the network reads them as they are.

The picture (extra `plot`: `pip install "skgru[plot]"`) shows what made it so sure of one plant:
what each value contributes to the answer that it earned more.
"""

import argparse

import matplotlib.pyplot as plt
import numpy as np
from sklearn.model_selection import cross_validate

from skgru import GRUClassifier, SequenceAligner
from skgru.inspection import AttributionDisplay, attributions

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


def draw(model, x, names):
    """Return a picture of what each value of a plant contributes to “it earned more”."""
    (contributions,) = attributions(model, [x], target=True)
    display = AttributionDisplay.from_attributions(contributions[:, 1:], x[:, 1:], names=names[1:])
    figure, place = plt.subplots(figsize=(9, 4), layout="constrained")
    ax = display.plot(place).axes_[""]
    for day in range(1, N_DAYS):
        ax.axvline(24 * day - 0.5, color="0.5", linewidth=0.8, linestyle=":")
    ax.set_xticks(range(0, 24 * N_DAYS, 12))
    ax.set_xlabel("hour")
    probability = model.predict_proba([x])[0, 1]
    ax.set_title(f"probability that it earned more on the last two days: {probability:.2f}")
    return figure


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--plants", type=int, default=800)
    parser.add_argument("--epochs", type=int, default=25)
    parser.add_argument("--picture", metavar="FILE", help="save the picture, not show it")
    options = parser.parse_args(argv)

    outputs, prices, y = make_readings(options.plants)
    hourly = to_events("output", outputs, hours=1)
    daily = to_events("price", prices, hours=24)
    both = {name: np.concatenate([hourly[name], daily[name]]) for name in hourly}

    network = GRUClassifier(
        hidden_layer_sizes=32, time_feature=0, max_iter=options.epochs, random_state=0
    )
    for name, events in (("output", hourly), ("price", daily), ("output and price", both)):
        aligner = SequenceAligner()
        X = aligner.fit_transform(events)
        scores = cross_validate(network, X, y, cv=3, return_estimator=True, return_indices=True)
        score = scores["test_score"].mean()
        print(f"{name:17s} {X[0].shape[0]:3d} steps   accuracy {score:.3f}")

    model, held_out = scores["estimator"][0], scores["indices"]["test"][0]
    surest = held_out[model.predict_proba([X[i] for i in held_out])[:, 1].argmax()]
    figure = draw(model, X[surest], aligner.get_feature_names_out())
    if options.picture:
        figure.savefig(options.picture)
    else:
        plt.show()


if __name__ == "__main__":
    main()
