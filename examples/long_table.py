"""A long table, one row per step, to sequences, to predictions in its rows.

    python examples/long_table.py [--picture runs.png]

The table, made here, is the log of pumps: a row every few minutes of a run, with readings and the
gear, the rows of all runs in disorder, and two columns that are the same in all rows of a run, the
make and the age of the pump. Does the run end in a failure? A worn bearing says so, which the
vibration shows, and gear and make change how much vibration is normal. When did the wear begin?

One call makes a row per run of it, for cross-validation; a second brings what is predicted of each
step back to the rows that it belongs to. Beside the networks: gradient boosting on means, standard
deviations and last values of the readings, with all that is known of the run.

The picture (extra `plot`: `pip install "skgru[plot]"`) has runs that the last network has not seen:
the vibration, how probable it is at each step that the bearing is worn, and when the wear began.
"""

import argparse

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


def summaries(table):
    """Return the mean, the deviation and the last value of readings, beside what is static."""
    groups = table.sort_values("time").groupby("run_id", sort=False)
    parts = [groups[READINGS].agg(["mean", "std", "last"]), groups[STATIC].first()]
    parts[0].columns = ["_".join(name) for name in parts[0].columns]
    high = groups["gear"].apply(lambda gear: (gear == "high").mean())
    return pd.concat([*parts, high], axis=1).assign(make=lambda x: x["make"] == "Hermes")


def draw(tagger, X, table, runs):
    """Return a picture of some runs: readings, what is said of each step, and the truth."""
    figure, axes = plt.subplots(
        2, len(runs), figsize=(11, 5), sharex="col", sharey="row", layout="constrained"
    )
    probabilities = tagger.predict_proba(X.loc[runs])
    for (above, below), run, probability in zip(axes.T, runs, probabilities, strict=True):
        rows = table[table["run_id"] == run].sort_values("time")
        minutes = ((rows["time"] - rows["time"].iloc[0]) / pd.Timedelta("1min")).to_numpy()
        is_high = (rows["gear"] == "high").to_numpy()
        for gear, of_gear, marker in (("low", ~is_high, "o"), ("high", is_high, "^")):
            vibration = rows["vibration"].to_numpy()[of_gear]
            above.scatter(minutes[of_gear], vibration, s=14, marker=marker, label=f"{gear} gear")
        worn = np.flatnonzero(rows["state"] == "worn")
        for ax in (above, below):
            if len(worn):
                ax.axvspan(
                    minutes[worn[0]], minutes[-1], color="0.5", alpha=0.3, label="worn in truth"
                )
        below.plot(minutes, probability[:, list(tagger.classes_).index("worn")], color="C2")
        above.set_title(f"{run}, {rows['make'].iloc[0]}")
        below.set_xlabel("time in the run [min]")
    axes[0, 0].set_ylabel("vibration [mm/s]")
    axes[1, 0].set(ylabel="probability of “worn”", ylim=(-0.02, 1.02))
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper left", ncols=3)
    return figure


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=500)
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--picture", metavar="FILE", help="save the picture, not show it")
    options = parser.parse_args(argv)

    table = make_log(options.runs)
    print(f"{table.head(3).to_string()}\n… {len(table)} rows of {options.runs} runs\n")

    # A row per run: a sequence in each cell, and the static columns behind them.
    X, y = make_sequences(
        table, "run_id", "time", columns=["gear", *READINGS], static=STATIC, target="failed"
    )
    print(f"{X.head(3).to_string(max_colwidth=20)}\n… {len(X)} runs, {y.mean():.0%} failed\n")

    by_gear = make_column_transformer(
        (OneHotEncoder(drop="if_binary", sparse_output=False), ["gear"]), remainder="passthrough"
    )
    alone = make_pipeline(
        PerTimestep(by_gear), GRUClassifier(32, max_iter=options.epochs, random_state=0)
    )
    series = SeriesBranch(PerTimestep(by_gear), hidden_layer_sizes=32)
    both = MultimodalGRUClassifier(
        [("readings", series, ["gear", *READINGS]), ("pump", TableBranch(), STATIC)],
        max_iter=options.epochs,
        random_state=0,
    )
    boosting = HistGradientBoostingClassifier(random_state=0)
    for name, model, of_run in [
        ("boosted summaries", boosting, summaries(table).loc[X.index]),
        ("readings", alone, X[["gear", *READINGS]]),
        ("readings and pump", both, X),
    ]:
        scores = cross_val_score(model, of_run, y, cv=3)
        print(f"{name:18s} accuracy {scores.mean():.3f}")

    # The state at each step: y has a target per step, and so have the predictions.
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
    print(f"\nstate of each step  accuracy {tagger.score(X_test, y_test):.3f}")

    # Back to the rows of the table: those of runs that were trained on have no prediction.
    found = make_rows(tagger.predict(X_test), table, "run_id", "time", samples=X_test.index)
    table = table.assign(predicted=found)
    worn = next(run for run, states in y_test.items() if "worn" in states.tolist())
    run = table[table["run_id"] == worn].sort_values("time")
    print(run[["run_id", "time", "vibration", "state", "predicted"]].iloc[::6].to_string())
    right = (table["state"] == table["predicted"])[table["predicted"].notna()]
    print(f"{len(right)} rows have a prediction, of which {right.mean():.3f} are right")

    is_worn = pd.Series({run: "worn" in states.tolist() for run, states in y_test.items()})
    runs = [*is_worn.index[is_worn][:3], *is_worn.index[~is_worn][:1]]
    figure = draw(tagger, X_test, table, runs)
    if options.picture:
        figure.savefig(options.picture)
    else:
        plt.show()


if __name__ == "__main__":
    main()
