"""Mixed frequencies: an hourly and a daily channel in one sequence
================================================================

The data, made here, are four days of a plant: its output is read every hour, its price told once a
day. Did the plant earn more on the last two days than on the first two? That takes both channels,
each day's output times the day's price.

``SequenceAligner`` puts them on the union of their times, with NaN where a channel has no value,
and the network reads them as they are: nothing is resampled or filled in.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.model_selection import cross_validate

from skgru import GRUClassifier, SequenceAligner
from skgru.inspection import AttributionDisplay, attributions

# %%
# The readings, and whether earnings rose. Each channel is a table of events: plant, hour, channel
# and value.

N_PLANTS, N_DAYS = 600, 4


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


outputs, prices, y = make_readings(N_PLANTS)
hourly = to_events("output", outputs, hours=1)
daily = to_events("price", prices, hours=24)
both = {name: np.concatenate([hourly[name], daily[name]]) for name in hourly}
for name, events in (("output", hourly), ("price", daily)):
    print(f"{name}: {len(events['value'])} events of {N_PLANTS} plants")

# %%
# Two plants that earned less in the half with the larger output, since the price was low then:
# neither channel alone tells the answer.

halves = outputs.reshape(N_PLANTS, 2, -1).sum(axis=2)
output_rose = halves[:, 1] > halves[:, 0]
shown = [np.flatnonzero((y == rose) & (output_rose != rose))[0] for rose in (False, True)]

figure, axes = plt.subplots(2, 2, figsize=(7, 4), sharex=True, sharey="row", layout="constrained")
days = np.arange(N_DAYS)
for (above, below), plant in zip(axes.T, shown, strict=True):
    above.plot(np.arange(24 * N_DAYS), outputs[plant])
    below.stairs(prices[plant], 24 * np.arange(N_DAYS + 1), baseline=None, color="C1", linewidth=2)
    below.plot(24 * days, prices[plant], "o", color="C1")
    above.set_title("earned more in the end" if y[plant] else "earned less in the end")
    below.set(xlabel="time [h]", xticks=range(0, 24 * N_DAYS + 1, 24))
axes[0, 0].set_ylabel("output [MWh]")
axes[1, 0].set_ylabel("price [€/MWh]")
plt.show()

# %%
# The network with each channel alone and with both, in 3-fold cross-validation. The sequences of
# both have no more steps than those of the output, as the prices are told at full hours.

accuracy = {}
print(f"{'':17s} steps  accuracy")
for name, events in (("output", hourly), ("price", daily), ("output and price", both)):
    aligner = SequenceAligner()
    X = aligner.fit_transform(events)
    network = GRUClassifier(hidden_layer_sizes=32, time_feature=0, max_iter=20, random_state=0)
    scores = cross_validate(network, X, y, cv=3, return_estimator=True, return_indices=True)
    accuracy[name] = scores["test_score"]
    print(f"{name:17s} {len(X[0]):5d} {accuracy[name].mean():9.3f}", flush=True)

figure, ax = plt.subplots(figsize=(7, 2.5), layout="constrained")
for name, of_folds in accuracy.items():
    ax.barh(name, of_folds.mean(), xerr=of_folds.std(), ecolor="0.3", capsize=4)
ax.axvline(max(y.mean(), 1 - y.mean()), color="0.3", linestyle="--", label="most frequent answer")
ax.invert_yaxis()
ax.set(xlabel="accuracy (mean and deviation of 3 folds)", xlim=(0.4, 1))
figure.legend(loc="outside upper right")
plt.show()

# %%
# What made the network so sure? Of all plants of the first fold, this is the one that it is surest
# to have earned more, and what each value contributes to this answer. Red speaks for it, blue
# against it. A price counts where it is told, once a day, and as much as many of the hours.

model, held_out = scores["estimator"][0], scores["indices"]["test"][0]
probabilities = model.predict_proba([X[i] for i in held_out])[:, 1]
x = X[held_out[probabilities.argmax()]]
print(f"probability that it earned more: {probabilities.max():.2f}")

(contributions,) = attributions(model, [x], target=True)
of_days = contributions[:, 1:].reshape(N_DAYS, 24, 2).sum(axis=1)
print("contributions    output  price")
for day, (output, price) in enumerate(of_days, 1):
    print(f"day {day} {output:17.2f} {price:6.2f}")

names = aligner.get_feature_names_out()
display = AttributionDisplay.from_attributions(contributions[:, 1:], x[:, 1:], names=names[1:])
figure, place = plt.subplots(figsize=(7, 4), layout="constrained")
(ax,) = display.plot(place).axes_.values()
for day in range(1, N_DAYS):
    ax.axvline(24 * day - 0.5, color="0.5", linewidth=0.8, linestyle=":")
ax.set_xticks(range(0, 24 * N_DAYS + 1, 12))
ax.set_xlabel("time [h]")
plt.show()
