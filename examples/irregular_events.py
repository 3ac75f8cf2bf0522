"""From a table of events to a classifier: irregular times, channels that tick at their own rates.

    python examples/irregular_events.py [--picture patients.png]

The table, made here, is as a database of patients gives it: one row per measurement, with patient,
time, channel and value. Pulses come every few minutes, temperatures every hour or so, a blood test
hardly ever, all at times of their own. Patients at risk are those whose pulse rises fast: by the
hour, not by the measurement, and how often one measures has nothing to do with it. So the network
has to read the clock: `SequenceAligner` makes a sequence of each patient's events, with the time in
front, and `time_feature=0` tells the estimator so. Beside it, the same sequences without their
times.

The picture (extra `plot`: `pip install "skgru[plot]"`) shows the decision over time: how probable
the network thinks it that a patient is at risk, after each of the events.
"""

import argparse

import matplotlib.pyplot as plt
import numpy as np
from sklearn.model_selection import cross_val_score, cross_validate

from skgru import GRUClassifier, SequenceAligner

# Minutes between two measurements on average, level and spread of the values.
CHANNELS = {"pulse": (10, 80, 2), "temperature": (40, 37, 0.3), "lactate": (120, 1.5, 0.4)}


def make_events(n_patients, seed=0):
    """Return a table of events as a dict of columns, and whether each patient is at risk."""
    rng = np.random.default_rng(seed)
    at_risk = rng.integers(2, size=n_patients)
    rows = []
    for patient, risk in enumerate(at_risk):
        pace = rng.choice([0.3, 0.6, 1.2])  # of this patient's measurements
        minutes = rng.uniform(60, 240)
        rise = (20 if risk else 7) / 60 * rng.uniform(0.8, 1.2)  # of the pulse, by the minute
        for channel, (every, level, spread) in CHANNELS.items():
            level = level * rng.uniform(0.9, 1.1)
            times = np.cumsum(rng.exponential(every * pace, size=400))
            for time in times[times < minutes]:
                trend = rise * time if channel == "pulse" else 0
                value = level + trend + spread * rng.normal()
                rows.append((f"patient {patient}", round(time, 1), channel, value))
    rows = [rows[i] for i in rng.permutation(len(rows))]  # in no particular order
    columns = zip(*rows, strict=True)
    return dict(zip(("sample", "time", "channel", "value"), columns, strict=True)), at_risk


def draw(model, patients, at_risk, pulse, n_each=6):
    """Return a picture of the pulses of some patients, and of the decisions about them."""
    figure, (above, below) = plt.subplots(
        2, 1, figsize=(8, 6), sharex=True, height_ratios=(2, 3), layout="constrained"
    )
    for risk, said in ((0, "not at risk"), (1, "at risk")):
        style = {"color": f"C{risk}", "linestyle": "-" if risk else "--", "linewidth": 1}
        for i, patient in enumerate(
            [x for x, y in zip(patients, at_risk, strict=True) if y == risk]
        ):
            if i == n_each:
                break
            minutes, known = patient[:, 0], ~np.isnan(patient[:, pulse])
            above.plot(minutes[known], patient[known, pulse], **style)
            until_now = [patient[: step + 1] for step in range(len(patient))]
            probability = model.predict_proba(until_now)[:, 1]
            below.plot(minutes, probability, label=None if i else said, **style)
    above.set_ylabel("pulse [1/min]")
    below.set(xlabel="time [min]", ylabel="probability of a risk", ylim=(-0.02, 1.02))
    figure.legend(loc="outside upper right", ncols=2, title="in truth")
    return figure


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--patients", type=int, default=600)
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--picture", metavar="FILE", help="save the picture, not show it")
    options = parser.parse_args(argv)

    events, y = make_events(options.patients)
    aligner = SequenceAligner()
    patients = [f"patient {i}" for i in range(options.patients)]
    X = aligner.fit(events).transform(events, samples=patients)
    print(f"{len(events['time'])} events of {len(X)} patients; columns of a sequence:")
    print("   ", ", ".join(aligner.get_feature_names_out()))
    print("the first steps of the first one:")
    print(np.array2string(X[0][:4], precision=1, prefix="    "))

    network = GRUClassifier(hidden_layer_sizes=32, max_iter=options.epochs, random_state=0)
    with_time = network.set_params(time_feature=0)
    timed = cross_validate(with_time, X, y, cv=3, return_estimator=True, return_indices=True)
    print(f"\naccuracy with the times     {timed['test_score'].mean():.3f}")
    without = network.set_params(time_feature=None)
    X_without = [x[:, 1:] for x in X]
    print(f"accuracy without the times  {cross_val_score(without, X_without, y, cv=3).mean():.3f}")

    held_out = timed["indices"]["test"][0]
    pulse = aligner.get_feature_names_out().tolist().index("pulse")
    figure = draw(timed["estimator"][0], [X[i] for i in held_out], y[held_out], pulse)
    if options.picture:
        figure.savefig(options.picture)
    else:
        plt.show()


if __name__ == "__main__":
    main()
