"""Death in hospital from the first 48 hours in intensive care: irregular times, 85 % missing.

    python benchmarks/accuracy/physionet2012.py --data FOLDER [--models MODEL ...]
        [--folds-run FOLD ...] [--seed 0] [--jobs 1] [--epochs N]

The data are set A of the PhysioNet/CinC Challenge 2012 (https://physionet.org/content/challenge-2012/),
4,000 stays of which 554 end in death. FOLDER holds them as `physionet2012_a.npz` with the arrays

    offset (n_stays + 1,)   the events of stay i are the rows offset[i]:offset[i + 1] of
    time_min, param, value  minutes since admission, index into param_names, value as recorded
    param_names (37,)       names of the variables measured
    static (n_stays, 5)     Age, Gender, Height, ICUType and Weight at admission, -1 if unknown
    outcomes (n_stays, k)   the last column says whether the patient died in hospital

Values are taken as recorded, with the typing errors among them (a pH of 735). A stay becomes an
array with a row for each moment at which anything was measured; its columns are the hours since
admission, the 37 variables and the descriptors from admission, which stand in the first row only;
NaN is what was not measured then. The score is the area under the ROC curve (and the average
precision) on each fold of a stratified 5-fold cross-validation; nothing is learned or scaled
outside of the training folds. Che et al. (2018), Table 2, report for networks on the same stays,
with folds of their own, .8424 (GRU-D), .8195 (mean), .8162 (forward) and .8155 (simple).

Networks (all have the same settings, SETTINGS):
    decay       skgru's missing="decay", which learns how a value fades with its age (GRU-D)
    indicator   skgru's missing="indicator": what is missing is told beside the value
    mean        what is missing is replaced by the mean over the training folds
    forward     what is missing is replaced by the stay's value before, if none by the mean

Other models, on a table of summaries of each variable over the stay, with their own best settings:
    logistic    logistic regression, its strength chosen by cross-validation of the training folds
    boosting    histogram gradient boosting
"""

import argparse
import time
import warnings
from pathlib import Path

import numpy as np
from joblib import Parallel, delayed
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, roc_auc_score
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skgru import GRUClassifier, SequenceAligner

SETTINGS = {
    "hidden_layer_sizes": 64,
    "batch_size": 64,
    "max_iter": 20,
    "n_iter_no_change": np.inf,
    "learning_rate": "cosine",
    "learning_rate_init": 0.003,
    "bidirectional": False,
    "pooling": ("last", "mean"),
    "patch_size": 1,
    "dropout": 0.5,
    "recurrent_dropout": 0.5,
    "weight_decay": 0.01,
}
BOOSTING = {
    "learning_rate": 0.03,
    "max_iter": 300,
    "max_leaf_nodes": 8,
    "min_samples_leaf": 20,
    "l2_regularization": 10.0,
    "max_features": 0.2,
}
STRENGTHS = np.logspace(-4, -1, 7)  # C of the logistic regression
CLIPPED = 1  # percent of each variable's training values clipped at either end

STATIC = ["Age", "Gender", "Height", "Weight", "ICU 1", "ICU 2", "ICU 3", "ICU 4"]
N_FOLDS = 5


def load(folder):
    """Return events as a dict of columns, names of their channels, and which stays end in death."""
    with np.load(Path(folder) / "physionet2012_a.npz") as file:
        data = {name: file[name] for name in file.files}
    n_stays, n_params = len(data["static"]), len(data["param_names"])

    static = np.where(data["static"] == -1, np.nan, data["static"])
    icu = (static[:, 3, None] == np.arange(1, 5)).astype(float)
    static = np.concatenate([static[:, [0, 1, 2, 4]], icu], axis=1)
    stay, column = np.nonzero(np.isfinite(static))

    events = {
        "sample": np.concatenate([np.repeat(np.arange(n_stays), np.diff(data["offset"])), stay]),
        "time": np.concatenate([data["time_min"] / 60, np.zeros(len(stay))]),
        "channel": np.concatenate([data["param"].astype(int), n_params + column]),
        "value": np.concatenate([data["value"].astype(float), static[stay, column]]),
    }
    names = [*data["param_names"].tolist(), *STATIC]
    return events, names, data["outcomes"][:, -1].astype(int)


def align(events, n_stays, n_channels):
    """Return a sequence (n_moments, 1 + n_channels) of each stay: the hour, then the channels."""
    aligner = SequenceAligner(channels=range(n_channels)).fit(events)
    return aligner.transform(events, samples=range(n_stays))


# --- Summaries, for the models that need a table -------------------------------------------------


def summarize(events, n_stays, n_params):
    """Return a table with a row for each stay: summaries of each variable, and the descriptors.

    A variable's summaries are its first, last, least, largest and mean value, standard deviation,
    slope by the hour, mean over the last 12 hours, the hour last measured, and how often it was
    measured. What was never measured is NaN, and its number of measurements 0.
    """
    is_static = events["channel"] >= n_params
    static = np.full((n_stays, events["channel"].max() + 1 - n_params), np.nan)
    of_static = {name: column[is_static] for name, column in events.items()}
    static[of_static["sample"], of_static["channel"] - n_params] = of_static["value"]

    group = (events["sample"] * n_params + events["channel"])[~is_static]
    hour, value = events["time"][~is_static], events["value"][~is_static]
    order = np.lexsort([hour, group])
    group, hour, value = group[order], hour[order], value[order]
    start = np.flatnonzero(np.diff(group, prepend=-1))
    count = np.diff(start, append=len(group))

    def mean(x):
        return np.add.reduceat(x, start) / count

    centred = value - np.repeat(mean(value), count)
    since = hour - np.repeat(mean(hour), count)
    spread = mean(since**2)
    is_late = hour >= 36
    n_late = np.add.reduceat(is_late.astype(float), start)
    with np.errstate(invalid="ignore", divide="ignore"):
        summaries = [
            value[start],
            value[start + count - 1],
            np.minimum.reduceat(value, start),
            np.maximum.reduceat(value, start),
            mean(value),
            np.sqrt(mean(centred**2)),
            np.where(spread > 0, mean(centred * since) / spread, np.nan),
            np.add.reduceat(value * is_late, start) / n_late,  # NaN if there is none
            hour[start + count - 1],
            count,
        ]
    table = np.full((n_stays * n_params, len(summaries)), np.nan)
    table[:, -1] = 0
    table[group[start]] = np.stack(summaries, axis=1)
    return np.concatenate([table.reshape(n_stays, -1), static], axis=1)


class Clipper(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """Clips each column at percentiles of what `fit` sees."""

    def __init__(self, percent=CLIPPED):
        self.percent = percent

    def fit(self, X, y=None):
        self.n_features_in_ = X.shape[1]
        self.low_, self.high_ = np.nanpercentile(X, [self.percent, 100 - self.percent], axis=0)
        return self

    def transform(self, X):
        return np.clip(X, self.low_, self.high_)


def fit_logistic(X, y, seed):
    inner = StratifiedKFold(N_FOLDS, shuffle=True, random_state=seed)
    return make_pipeline(
        Clipper(),
        SimpleImputer(strategy="median"),
        StandardScaler(),
        GridSearchCV(
            LogisticRegression(max_iter=2000), {"C": STRENGTHS}, scoring="roc_auc", cv=inner
        ),
    ).fit(X, y)


def fit_boosting(X, y, seed):
    return HistGradientBoostingClassifier(**BOOSTING, random_state=seed).fit(X, y)


# --- Networks ------------------------------------------------------------------------------------


class Imputer:
    """Fills sequences in with means or, if `forward`, with the value before where there is one.

    First, values are scaled as with ``scaling="robust"``: most of what it returns are means, whose
    quartiles afterwards would say nothing.
    """

    def __init__(self, forward):
        self.forward = forward

    def fit(self, X):
        steps = np.concatenate(X)
        self.centre_ = np.nanmedian(steps, axis=0)
        self.scale_ = np.ones(steps.shape[1])
        for low in (0, 1, 5, 10, 25):  # the narrowest range that is not empty stays
            width = np.subtract(*np.nanpercentile(steps, [100 - low, low], axis=0))
            self.scale_ = np.where(width > 0, width, self.scale_)
        self.mean_ = np.nanmean(self._scale(steps), axis=0)
        return self

    def transform(self, X):
        return [self._fill(self._scale(x)) for x in X]

    def _scale(self, x):
        z = (x - self.centre_) / self.scale_
        return z / np.hypot(1, z / 3)

    def _fill(self, x):
        if self.forward:
            latest = np.where(np.isnan(x), 0, np.arange(len(x))[:, None])
            x = np.take_along_axis(x, np.maximum.accumulate(latest), axis=0)
        return np.where(np.isnan(x), self.mean_, x)


def make_network(seed, epochs, **settings):
    settings = SETTINGS | settings | {"random_state": seed}
    if epochs is not None:
        settings["max_iter"] = epochs
    return GRUClassifier(**settings)


def predict_network(name, X_train, y_train, X_test, seed, epochs):
    """Return the probabilities of death that a network gives the stays of X_test."""
    if name in ("mean", "forward"):
        imputer = Imputer(forward=name == "forward").fit(X_train)
        X_train, X_test = imputer.transform(X_train), imputer.transform(X_test)
        network = make_network(seed, epochs, scaling=None)
    else:
        network = make_network(seed, epochs, scaling="robust", missing=name, time_feature=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # the epochs are given
        network.fit(X_train, y_train)
    return network.predict_proba(X_test)[:, 1]


# --- Cross-validation ----------------------------------------------------------------------------

NETWORKS = ("decay", "indicator", "mean", "forward")
TABULAR = {"logistic": fit_logistic, "boosting": fit_boosting}


def run_fold(name, sequences, table, y, train, test, seed, epochs):
    """Return area under the ROC curve, average precision, and seconds of fit and prediction."""
    start = time.perf_counter()
    if name in TABULAR:
        predicted = TABULAR[name](table[train], y[train], seed).predict_proba(table[test])[:, 1]
    else:
        X_train, X_test = ([sequences[i] for i in part] for part in (train, test))
        predicted = predict_network(name, X_train, y[train], X_test, seed, epochs)
    seconds = time.perf_counter() - start
    scores = roc_auc_score(y[test], predicted), average_precision_score(y[test], predicted)
    return *scores, seconds


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, metavar="FOLDER")
    choices = [*NETWORKS, *TABULAR]
    parser.add_argument("--models", nargs="+", choices=choices, default=choices, metavar="MODEL")
    parser.add_argument(
        "--folds-run", nargs="+", type=int, choices=range(N_FOLDS), default=range(N_FOLDS)
    )
    parser.add_argument("--seed", type=int, default=0, help="of the models, not of the folds")
    parser.add_argument("--jobs", type=int, default=1, help="folds at the same time")
    parser.add_argument("--epochs", type=int, default=None, help="of the networks")
    options = parser.parse_args(argv)

    events, names, y = load(options.data)
    sequences = align(events, len(y), len(names))
    table = summarize(events, len(y), len(names) - len(STATIC))
    steps = np.concatenate(sequences)
    print(
        f"{len(y)} stays, {y.sum()} deaths; {len(steps) / len(y):.0f} moments and "
        f"{np.isfinite(steps[:, 1:]).sum() / len(y):.0f} values a stay; {table.shape[1]} summaries"
    )

    folds = StratifiedKFold(N_FOLDS, shuffle=True, random_state=0).split(table, y)
    folds = [fold for i, fold in enumerate(folds) if i in options.folds_run]
    print("\narea under the ROC curve of each fold; mean ± sd; average precision; seconds a fold")
    for name in options.models:
        results = Parallel(n_jobs=options.jobs)(
            delayed(run_fold)(name, sequences, table, y, *fold, options.seed, options.epochs)
            for fold in folds
        )
        auc, precision, seconds = np.array(results).T
        sd = f" ± {auc.std(ddof=1):.4f}" if len(auc) > 1 else ""
        print(
            f"{name:10s} {' '.join(f'{a:.4f}' for a in auc)}   {auc.mean():.4f}{sd}   "
            f"{precision.mean():.4f} {seconds.mean():6.0f} s",
            flush=True,
        )


if __name__ == "__main__":
    main()
