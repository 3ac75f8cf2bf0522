"""A transformer's oil temperature and loads, 96 to 720 hours ahead: the split of published tables.

    python benchmarks/accuracy/etth2.py --data FOLDER [--file etth2.csv.gz] [--seeds 3]
        [--horizons 96 192 336 720]

The data are ETTh2 (https://github.com/zhouhaoyi/ETDataset, CC BY-ND 4.0): seven series by the hour;
FOLDER holds its CSV file, gzipped, with the columns date, HUFL, HULL, MUFL, MULL, LUFL, LULL, OT.
ETTh1 of the same source has the same form.

As in the tables of SegRNN (arXiv:2308.11200) and others: the series are standardized by mean and
deviation of their first 12 months, on which the forecaster is fitted; 4 months, which others use to
stop early, are left out; and from every hour of the last 4 months, with the 96 hours before it, the
next hours of all seven series are forecast, no window dropped. Printed are the mean squared and the
mean absolute error, each seed's and their mean, and the seconds of a fit; beside them repeating the
last value, the last day, and a ridge regression of the change from the last value.

The figures are compared with others' only on one thread: OMP_NUM_THREADS=1.
"""

import argparse
import csv
import gzip
import time
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.lib.stride_tricks import sliding_window_view
from sklearn.linear_model import Ridge

from skgru import GRUForecaster

WINDOW, DAY = 96, 24
MONTH = 30 * DAY
TRAIN, TEST, END = 12 * MONTH, 16 * MONTH, 20 * MONTH


def load(path):
    """Return the standardized series, a column each, by hours."""
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    hours = pd.DatetimeIndex([row[0] for row in rows])
    frame = pd.DataFrame([row[1:] for row in rows], hours, header[1:], dtype=float)
    return ((frame - frame[:TRAIN].mean()) / frame[:TRAIN].std(ddof=0))[:END]


def origins(horizon):
    """Return the hours from which forecasts are made: the first one that is not known."""
    return range(TEST, END - horizon + 1)


def errors_of(forecasts, frame, horizon):
    """Return mean squared and mean absolute error of arrays (horizon, 7), one for each origin."""
    values = frame.to_numpy()
    squared = absolute = 0.0
    for origin, forecast in zip(origins(horizon), forecasts, strict=True):
        error = np.asarray(forecast) - values[origin : origin + horizon]
        squared += np.mean(np.square(error))
        absolute += np.mean(np.abs(error))
    return squared / len(origins(horizon)), absolute / len(origins(horizon))


def baselines(frame, horizon):
    """Yield the name and the forecasts of each baseline."""
    values = frame.to_numpy()
    yield "last value", (np.tile(values[o - 1], (horizon, 1)) for o in origins(horizon))
    days = horizon // DAY
    yield "last day", (np.tile(values[o - DAY : o], (days, 1)) for o in origins(horizon))
    both = sliding_window_view(values[:TRAIN], WINDOW + horizon, axis=0)
    both = both.reshape(-1, WINDOW + horizon)
    changes = both - both[:, WINDOW - 1 : WINDOW]
    ridge = Ridge().fit(changes[:, :WINDOW], changes[:, WINDOW:])

    def ahead(origin):
        window = values[origin - WINDOW : origin].T
        return (ridge.predict(window - window[:, -1:]) + window[:, -1:]).T

    yield "ridge", map(ahead, origins(horizon))


def main(argv=None):
    """Print the errors at each horizon."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--file", default="etth2.csv.gz")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--horizons", type=int, nargs="+", default=[96, 192, 336, 720])
    options = parser.parse_args(argv)
    frame = load(options.data / options.file)
    for horizon in options.horizons:
        for name, forecasts in baselines(frame, horizon):
            squared, absolute = errors_of(forecasts, frame, horizon)
            print(f"{horizon:4d} hours  {name:12s} {squared:.3f} / {absolute:.3f}", flush=True)
        found = []
        for seed in range(options.seeds):
            start = time.perf_counter()
            forecaster = GRUForecaster(WINDOW, horizon, random_state=seed).fit(frame[:TRAIN])
            seconds = time.perf_counter() - start
            forecasts = (
                forecaster.predict(y=frame[origin - WINDOW : origin]) for origin in origins(horizon)
            )
            found.append(errors_of(forecasts, frame, horizon))
            squared, absolute = found[-1]
            print(
                f"{horizon:4d} hours  seed {seed}       {squared:.4f} / {absolute:.4f}  "
                f"{seconds:.1f} s",
                flush=True,
            )
        squared, absolute = np.mean(found, axis=0)
        print(f"{horizon:4d} hours  GRUForecaster {squared:.4f} / {absolute:.4f}", flush=True)


if __name__ == "__main__":
    main()
