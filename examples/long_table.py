"""
Long tables: from rows to sequences and back
============================================

Logs are often long tables, one row per step, the rows of all runs mixed. ``make_sequences`` makes a
row per run of one, for cross-validation and networks; ``make_rows`` brings what is predicted of
each step back to the rows that it belongs to.

The table, made here, is the log of pumps. Does a run end in a failure? A worn bearing says so,
which the vibration shows; but gear and make change how much vibration is normal. And when did the
wear begin?
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.model_selection import cross_val_score, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from skgru import (
    GRUClassifier,
    MultimodalGRUClassifier,
    PerTimestep,
    SeriesBranch,
    TableBranch,
    make_rows,
    make_sequences,
)

# %%
# A pump writes a row every few minutes of a run, with readings and the gear. Two columns are the
# same in all rows of a run: the make and the age of the pump. The rows come in disorder.

N_RUNS = 300
READINGS = ["vibration", "heat"]
STATIC = ["make", "age"]


def make_run(rng, number):
    """Return the rows of a run."""
    n = rng.integers(20, 60)
    minutes = np.cumsum(rng.integers(1, 9, n))
    gear = np.array(["low", "high"], object)[rng.integers(0, 2, -(-n // 5)).repeat(5)[:n]]
    make = rng.choice(["Hermes", "Boreas"])
    age = round(rng.gamma(4, 3), 1)
    is_worn = rng.random() < 0.3 + 0.02 * age
    begin = rng.integers(n // 4, n - n // 4) if is_worn else n
    wear = np.clip((np.arange(n) - begin) / 10, 0, 1)
    normal = np.where(gear == "high", 6.0, 3.0) + (2.0 if make == "Hermes" else 0.0)
    return pd.DataFrame(
        {
            "run_id": f"run-{number:03d}",
            "time": pd.Timestamp("2026-03-01", tz="Europe/Berlin")
            + pd.to_timedelta(rng.integers(0, 10**5) + minutes, unit="min"),
            "gear": pd.Categorical(gear, categories=["low", "high"]),
            "vibration": normal + 2.0 * wear + rng.normal(0, 1.2, n),
            "heat": 40 + 4 * wear + rng.normal(0, 4, n),
            "make": make,
            "age": age,
            "state": np.where(np.arange(n) >= begin, "worn", "sound"),
            "failed": is_worn,
        }
    )


def make_log(n_runs, seed=0):
    """Return the rows of all runs, in disorder."""
    rng = np.random.default_rng(seed)
    table = pd.concat([make_run(rng, i) for i in range(n_runs)], ignore_index=True)
    return table.sample(frac=1, random_state=seed)


table = make_log(N_RUNS)
print(f"{len(table)} rows of {N_RUNS} runs")
print(table.head(4).to_string())

# %%
# One call makes a row per run of it: a sequence in each cell, in the order of time, and the static
# columns behind them.

X, y = make_sequences(
    table, "run_id", "time", columns=["gear", *READINGS], static=STATIC, target="failed"
)
print(f"{len(X)} runs, of which {y.mean():.0%} failed")
print(X.head(4).to_string(max_colwidth=20))

# %%
# Three models of it, in cross-validation: gradient boosting on the means, deviations and last
# values of the readings, with all that is known of the pump; a network of the readings alone; and
# a network with a branch for the readings and a branch for the pump.

MAX_ITER = 20


def summaries(table):
    """Return the mean, the deviation and the last value of readings, beside what is static."""
    groups = table.sort_values("time").groupby("run_id", sort=False)
    parts = [groups[READINGS].agg(["mean", "std", "last"]), groups[STATIC].first()]
    parts[0].columns = ["_".join(name) for name in parts[0].columns]
    high = groups["gear"].apply(lambda gear: (gear == "high").mean())
    return pd.concat([*parts, high], axis=1).assign(make=lambda x: x["make"] == "Hermes")


by_gear = make_column_transformer(
    (OneHotEncoder(drop="if_binary", sparse_output=False), ["gear"]), remainder="passthrough"
)
alone = make_pipeline(PerTimestep(by_gear), GRUClassifier(32, max_iter=MAX_ITER, random_state=0))
series = SeriesBranch(PerTimestep(by_gear), hidden_layer_sizes=32)
both = MultimodalGRUClassifier(
    [("readings", series, ["gear", *READINGS]), ("pump", TableBranch(), STATIC)],
    max_iter=MAX_ITER,
    random_state=0,
)
boosting = HistGradientBoostingClassifier(random_state=0)

accuracies = {}
for name, model, of_runs in [
    ("boosted summaries", boosting, summaries(table).loc[X.index]),
    ("readings", alone, X[["gear", *READINGS]]),
    ("readings and pump", both, X),
]:
    accuracies[name] = cross_val_score(model, of_runs, y, cv=3)
    print(f"{name:18s} accuracy {accuracies[name].mean():.3f}")

# %%
# Points are the folds, bars their means. Summaries have lost in which gear the vibration was high,
# and that it rose. The networks read it step by step; the readings alone are enough for them, as
# the begin of a run shows what is normal for its pump.

figure, ax = plt.subplots(figsize=(7, 2.5), layout="constrained")
for i, (name, of_folds) in enumerate(accuracies.items()):
    ax.barh(name, of_folds.mean(), color=f"C{i}", alpha=0.4)
    ax.plot(of_folds, [i] * len(of_folds), "o", color=f"C{i}")
ax.axvline(max(y.mean(), 1 - y.mean()), color="0.5", linestyle=":")
ax.annotate(" always the same answer", (max(y.mean(), 1 - y.mean()), -0.45), va="bottom")
ax.set(xlabel="accuracy", xlim=(0.4, 1), ylim=(2.5, -0.95))
plt.show()

# %%
# When did the wear begin? With ``per_step=True``, y has a target for each step, and a network whose
# branch of the readings has no pooling predicts one for each step.

X, y = make_sequences(
    table,
    "run_id",
    "time",
    columns=["gear", *READINGS],
    static=STATIC,
    target="state",
    per_step=True,
)
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
tagger = both.set_params(readings__pooling=None, readings__bidirectional=True)
tagger.fit(X_train, y_train)
print(f"state of each step  accuracy {tagger.score(X_test, y_test):.3f}")

# %%
# ``make_rows`` brings the predictions back to the rows of the table. Rows of runs that were trained
# on have none. Here are some rows of a run that wears out.

found = make_rows(tagger.predict(X_test), table, "run_id", "time", samples=X_test.index)
table = table.assign(predicted=found)
is_worn = pd.Series({run: "worn" in states.tolist() for run, states in y_test.items()})
run = table[table["run_id"] == is_worn.idxmax()].sort_values("time")
print(run[["run_id", "time", "vibration", "state", "predicted"]].iloc[::6].to_string())
right = (table["state"] == table["predicted"])[table["predicted"].notna()]
print(f"{len(right)} rows have a prediction, of which {right.mean():.3f} are right")

# %%
# Three runs that the network has not seen, two of which wear out: the vibration, and how probable
# it is at each step that the bearing is worn. Grey is when it is worn in truth.

runs = [*is_worn.index[is_worn][:2], *is_worn.index[~is_worn][:1]]
probabilities = tagger.predict_proba(X_test.loc[runs])

figure, axes = plt.subplots(
    2, len(runs), figsize=(7, 4), sharex="col", sharey="row", layout="constrained"
)
for (above, below), name, probability in zip(axes.T, runs, probabilities, strict=True):
    rows = table[table["run_id"] == name].sort_values("time")
    minutes = ((rows["time"] - rows["time"].iloc[0]) / pd.Timedelta("1min")).to_numpy()
    for gear, marker in (("low", "o"), ("high", "^")):
        of_gear = (rows["gear"] == gear).to_numpy()
        vibration = rows["vibration"].to_numpy()[of_gear]
        above.scatter(minutes[of_gear], vibration, s=10, marker=marker, label=f"{gear} gear")
    worn = minutes[(rows["state"] == "worn").to_numpy()]
    for ax in (above, below) if len(worn) else ():
        ax.axvspan(worn[0], minutes[-1], color="0.5", alpha=0.3, label="worn in truth")
    below.plot(minutes, probability[:, list(tagger.classes_).index("worn")], color="C2")
    above.set_title(f"{name}, {rows['make'].iloc[0]}", fontsize="medium")
    below.set_xlabel("time in the run [min]")
axes[0, 0].set_ylabel("vibration [mm/s]")
axes[1, 0].set(ylabel="probability of “worn”", ylim=(-0.02, 1.02))
figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper left", ncols=3)
plt.show()
