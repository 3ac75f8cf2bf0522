"""Irregular events: measurements that come when they come
=======================================================

The table, made here, is as a database of patients gives it: one row per measurement, with patient,
time, channel and value. Pulses come every few minutes, temperatures every hour or so, a blood test
hardly ever, all at times of their own. Patients at risk are those whose pulse rises fast: by the
hour, not by the measurement, and how often one measures has nothing to do with it. So the network
has to read the clock.

``SequenceAligner`` makes a sequence of each patient's events, with the time in front,
and ``time_feature=0`` tells the estimator so. Beside it, the same sequences without their times.
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.model_selection import train_test_split

from skgru import GRUClassifier, SequenceAligner

# %%
# The rows of the table are in no particular order.

N_PATIENTS = 600
# Minutes between two measurements on average, level and spread of the values.
CHANNELS = {"pulse": (10, 80, 2), "temperature": (40, 37, 0.3), "lactate": (120, 1.5, 0.4)}


def make_events(n_patients, seed=0):
    """Return a table of events, and whether each patient is at risk."""
    rng = np.random.default_rng(seed)
    at_risk = rng.integers(2, size=n_patients)
    rows = []
    for patient, risk in enumerate(at_risk):
        pace = rng.choice([0.5, 1, 2])  # of this patient's measurements
        minutes = rng.uniform(60, 240)
        rise = (20 if risk else 10) / 60 * rng.uniform(0.8, 1.2)  # of the pulse, by the minute
        for channel, (every, level, spread) in CHANNELS.items():
            level = level * rng.uniform(0.9, 1.1)
            times = np.cumsum(rng.exponential(every * pace, size=400))
            for time in times[times < minutes]:
                trend = rise * time if channel == "pulse" else 0
                value = level + trend + spread * rng.normal()
                rows.append((f"patient {patient}", round(time, 1), channel, value))
    rows = [rows[i] for i in rng.permutation(len(rows))]
    return pd.DataFrame(rows, columns=["sample", "time", "channel", "value"]), at_risk


events, y = make_events(N_PATIENTS)
print(events.head().round(1).to_string(index=False))

# %%
# These are the pulses of twelve patients. Counted by measurements (left), the lines of both kinds
# overlap, since some patients are measured four times as often as others. By the clock (right) the
# two kinds part.

pulses = events[events["channel"] == "pulse"].sort_values("time")

figure, (left, right) = plt.subplots(1, 2, figsize=(7, 4), sharey=True, layout="constrained")
for risk, said in enumerate(["not at risk", "at risk"]):
    for patient in np.flatnonzero(y == risk)[:6]:
        rows = pulses[pulses["sample"] == f"patient {patient}"]
        style = {"color": f"C{risk}", "linewidth": 1, "label": said}
        left.plot(np.arange(1, len(rows) + 1), rows["value"], **style)
        right.plot(rows["time"], rows["value"], **style)
left.set(xlabel="number of the measurement", ylabel="pulse [1/min]")
right.set_xlabel("time [min]")
handles = [right.lines[0], right.lines[-1]]
figure.legend(handles=handles, loc="outside upper center", ncols=2)
plt.show()

# %%
# The aligner turns the table into a sequence for each patient, in the order of ``y``. Its steps are
# the times at which anything was measured; what was not measured then is NaN, which the network
# takes as it is.

aligner = SequenceAligner().fit(events)
X = aligner.transform(events, samples=[f"patient {i}" for i in range(N_PATIENTS)])
columns = aligner.get_feature_names_out().tolist()
print(f"{len(events)} events of {len(X)} patients; the first steps of the first one:")
print(pd.DataFrame(X[0][:4], columns=columns).round(1).to_string(index=False))

# %%
# The network with the clock, and the same without it, trained on two thirds of the patients.

train, test = train_test_split(np.arange(N_PATIENTS), test_size=1 / 3, stratify=y, random_state=0)


def without_times(sequences):
    """Return the sequences without their first column."""
    return [x[:, 1:] for x in sequences]


X_train, X_test = [X[i] for i in train], [X[i] for i in test]
y_train, y_test = y[train], y[test]
timed = GRUClassifier(hidden_layer_sizes=32, time_feature=0, max_iter=30, random_state=0)
timed.fit(X_train, y_train)
print(f"accuracy with the times     {timed.score(X_test, y_test):.3f}", flush=True)
untimed = GRUClassifier(hidden_layer_sizes=32, max_iter=30, random_state=0)
untimed.fit(without_times(X_train), y_train)
print(f"accuracy without the times  {untimed.score(without_times(X_test), y_test):.3f}")

# %%
# The decision over time: how probable a risk is to the networks when they have seen the first
# minutes of each test patient; those who were measured for a shorter time keep their last value.
# The lines are the medians, the bands hold half of the patients. At first nobody can know. With the
# times, the two kinds part after an hour; without, later, and never as clearly.

minutes = np.arange(10, 241, 10)
probabilities = {"with the times": [], "without the times": []}
for known in minutes:
    begun = [x[x[:, 0] <= max(known, x[0, 0])] for x in X_test]
    probabilities["with the times"].append(timed.predict_proba(begun)[:, 1])
    begun = without_times(begun)
    probabilities["without the times"].append(untimed.predict_proba(begun)[:, 1])

figure, axes = plt.subplots(1, 2, figsize=(7, 4), sharey=True, layout="constrained")
for ax, (way, of_way) in zip(axes, probabilities.items(), strict=True):
    for risk, said in enumerate(["not at risk", "at risk"]):
        low, median, high = np.quantile(np.array(of_way)[:, y_test == risk], [0.25, 0.5, 0.75], 1)
        ax.plot(minutes, median, color=f"C{risk}", label=said)
        ax.fill_between(minutes, low, high, color=f"C{risk}", alpha=0.3, linewidth=0)
    ax.set_title(way)
    ax.set(xlabel="time known of each patient [min]", xticks=range(0, 241, 60))
axes[0].set(ylabel="probability of a risk", ylim=(-0.02, 1.02))
figure.legend(handles=axes[0].lines, loc="outside upper center", ncols=2)
plt.show()

# %%
# The share of these decisions that are right: what the clock is worth, and how soon.

figure, ax = plt.subplots(figsize=(7, 4), layout="constrained")
for way, of_way in probabilities.items():
    ax.plot(minutes, [np.mean((of_time > 0.5) == y_test) for of_time in of_way], label=way)
ax.set(xlabel="time known of each patient [min]", ylabel="accuracy", xticks=range(0, 241, 30))
ax.legend()
plt.show()
