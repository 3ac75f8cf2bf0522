"""Everything at once: text, series, events and a table in one network
===================================================================

The data, made here, are the pumps of a plant. Of each there are a mechanic's note, the hourly load
of two to four days with holes and spikes, the daily temperature of one to three weeks, alarms that
come when they come, and a row of static columns; a third of the pumps lacks one of these. Will the
pump fail? Every source tells a part of it, and two parts tell nothing alone: a rising load is a bad
sign for one make and a good one for the other, and an alarm counts only where the mechanic has not
dealt with it.

A table with a row per pump holds all of it. One estimator takes it as it is, one grid search
chooses among its settings, and the network that reads everything beats each of its branches alone.
"""

import time

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.model_selection import GridSearchCV, train_test_split

from skgru import (
    MultimodalGRUClassifier,
    SequenceAligner,
    SequenceVectorizer,
    SeriesBranch,
    TableBranch,
    TokenBranch,
)
from skgru.inspection import permutation_importance

# %%
# The table of the pumps. A cell of it is a text, a series, a table of events, a number or a
# category.

FILLER = "checked the pump on the round, oil level fine, filter changed, nothing else to report"
SOUNDS = {True: ["grinding", "rattle", "squeal"], False: ["quiet", "smooth", "steady"]}
ALARM_HOURS = 72
EVENTS = ["time", "channel", "value"]


def make_note(rng, is_loud, is_dealt_with):
    """Return a mechanic's note: how the pump sounds, and whether its alarms are dealt with."""
    words = list(rng.choice(FILLER.split(), rng.integers(4, 12)))
    words.insert(rng.integers(len(words)), rng.choice(SOUNDS[is_loud]))
    words += ["alarm", "reset" if is_dealt_with else "pending"]
    return " ".join(words)


def make_load(rng, slope):
    """Return hourly loads with a trend; every sixth reading is missing, and some are absurd."""
    hours = np.arange(24 * rng.integers(2, 5))
    load = 50 + 8 * np.sin(hours / 24 * 2 * np.pi) + slope * hours / len(hours)
    load += rng.normal(0, 2, len(hours))
    load[rng.random(len(hours)) < 0.01] *= 20
    load[rng.random(len(hours)) < 1 / 6] = np.nan
    return load


def make_alarms(rng, n_high):
    """Return a table of alarms, each with its hour, its kind and its value."""
    n_low = rng.integers(1, 5)
    kind = np.array(["pressure"] * n_high + ["filter"] * n_low)
    hour = np.sort(rng.uniform(0, ALARM_HOURS, len(kind)))
    value = rng.gamma(2, 1, len(kind))
    return pd.DataFrame(dict(zip(EVENTS, [hour, rng.permutation(kind), value], strict=True)))


def make_pumps(n, seed=0):
    """Return a table with a row for each of n pumps, and which of them fail."""
    rng = np.random.default_rng(seed)
    is_loud, is_dealt_with, is_make_a = rng.random((3, n)) < 0.5
    slope = rng.choice([-12, 12], n)
    warmth = rng.normal(size=n)
    n_high = rng.integers(0, 6, n)
    age = rng.gamma(4, 3, n)

    risk = 1.2 * (2 * is_loud - 1) + 1.2 * np.where(is_make_a, 1, -1) * np.sign(slope)
    risk += 0.9 * warmth + 0.12 * (age - age.mean())
    risk += np.where(is_dealt_with, 0, 0.8 * (n_high - 2.5))

    table = pd.DataFrame(
        {
            "note": [
                make_note(rng, *of_note) for of_note in zip(is_loud, is_dealt_with, strict=True)
            ],
            "load": [make_load(rng, of_pump) for of_pump in slope],
            "temperature": [rng.normal(20 + 3 * w, 4, rng.integers(7, 22)) for w in warmth],
            "alarms": [make_alarms(rng, of_pump) for of_pump in n_high],
            "age": age.round(1),
            "make": np.where(is_make_a, "A", "B"),
            "indoors": rng.random(n) < 0.7,
        }
    )
    # A third of the pumps lacks one of its sources.
    for source, rows in zip(
        ["note", "load", "temperature", "alarms", "age"],
        np.array_split(rng.permutation(n)[: n // 3], 5),
        strict=True,
    ):
        table[source] = table[source].astype(object)
        table.loc[rows, source] = None
    table["age"] = table["age"].astype(float)
    return table, risk > 0


X, y = make_pumps(700)
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0, stratify=y)
print(X.iloc[:3].to_string(max_colwidth=24))
print(f"{len(y)} pumps, of which {np.mean(y):.0%} fail")

# %%
# The sources of the first pump that has all of them.

pump = X[X.notna().all(axis=1)].iloc[0]
print(f"{pump['note']!r}, age {pump['age']}, make {pump['make']}, indoors: {pump['indoors']}")

figure, axes = plt.subplots(1, 3, figsize=(7, 2.8), layout="constrained")
axes[0].plot(pump["load"], linewidth=1)
axes[0].set(xlabel="time [h]", ylabel="load [kW]", yscale="log")
axes[0].set_yticks([30, 100, 300, 1000], ["30", "100", "300", "1000"])
axes[0].minorticks_off()
axes[1].plot(pump["temperature"], "o-", color="C1", markersize=4)
axes[1].set(xlabel="time [d]", ylabel="temperature [°C]")
axes[1].locator_params(axis="x", integer=True)
for i, (kind, alarms) in enumerate(pump["alarms"].groupby("channel"), 2):
    axes[2].stem(alarms["time"], alarms["value"], f"C{i}", basefmt=" ", label=kind)
axes[2].set(xlabel="time [h]", ylabel="value of the alarm", ylim=(0, None))
axes[2].legend(fontsize="small")
plt.show()

# %%
# Each branch names the columns that it reads: the text is split into words, the events are aligned
# on their times, and spikes are no trouble for a ``"robust"`` scaling.

BRANCHES = [
    ("note", TokenBranch(SequenceVectorizer(), embedding_dim=16, hidden_layer_sizes=16), "note"),
    ("load", SeriesBranch(scaling="robust", hidden_layer_sizes=16), "load"),
    ("climate", SeriesBranch(hidden_layer_sizes=16), "temperature"),
    (
        "alarms",
        SeriesBranch(SequenceAligner(), time_feature=0, hidden_layer_sizes=16, pooling="last"),
        "alarms",
    ),
    ("pump", TableBranch(), ["age", "make", "indoors"]),
]

# %%
# What does each branch know alone? All others are dropped.

scores = {}
for name, *_ in BRANCHES:
    alone = MultimodalGRUClassifier(BRANCHES, max_iter=12, random_state=0)
    alone.set_params(**{other: "drop" for other, *_ in BRANCHES if other != name})
    scores[name] = alone.fit(X_train, y_train).score(X_test, y_test)
    print(f"{name:12s} alone  accuracy {scores[name]:.3f}", flush=True)

# %%
# All together. The grid has a setting of the whole, how branches are joined, and one of a branch,
# its cell.

start = time.perf_counter()
search = GridSearchCV(
    MultimodalGRUClassifier(BRANCHES, max_iter=12, random_state=0),
    [{"fusion": ["concat", "gated"]}, {"load__cell": ["lstm"]}],
    cv=2,
    verbose=2,
).fit(X_train, y_train)
together = search.score(X_test, y_test)
print(f"all together        accuracy {together:.3f}")
print(f"the search: {time.perf_counter() - start:.0f} s, best {search.best_params_}")

# %%
# What is each source worth to this network? As much as its accuracy falls when it is given the
# source of another pump. The load tells next to nothing alone (left), yet the network needs it
# (right): together with the make of the pump, it tells what is to come.

importance = permutation_importance(search, X_test, y_test, of="branches", random_state=0)
fall = dict(zip(importance.names, importance.importances, strict=True))

figure, (left, right) = plt.subplots(1, 2, figsize=(7, 4), sharey=True, layout="constrained")
for name, accuracy in scores.items():
    left.barh(name, accuracy, color="C0")
    right.barh(name, fall[name].mean(), xerr=fall[name].std(), color="C1", ecolor="0.3", capsize=3)
    print(f"{name:12s} accuracy alone {accuracy:.3f}, fall without it {fall[name].mean():.3f}")
left.axvline(together, color="0.3", linestyle="--", label="all together")
left.axvline(0.5, color="0.3", linestyle=":", label="guessing")
left.set(xlim=(0.4, 1), xlabel="accuracy alone")
left.set_xticks([0.4, 0.6, 0.8, 1], ["0.4", "0.6", "0.8", "1"])
left.invert_yaxis()
figure.legend(loc="outside upper left", ncols=2)
right.locator_params(axis="x", nbins=5)
right.set_xlabel("fall of the accuracy of all together")
plt.show()
