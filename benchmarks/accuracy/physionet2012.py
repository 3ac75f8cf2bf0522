"""Death in hospital from the first 48 hours in intensive care: irregular times, 85 % missing.

    python benchmarks/accuracy/physionet2012.py --data FOLDER [--seeds 1] [--jobs 1]
        [--models MODEL ...]

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

Networks (all but the first have the same settings, SETTINGS):
    defaults    no settings but time stamps
    complete    the same as if the channels were complete: less dropout, both directions
    decay       skgru's missing="decay", which learns how a value fades with its age (GRU-D)
    indicator   skgru's missing="indicator": what is missing is told beside the value
    mean        what is missing is replaced by the mean over the training folds
    forward     what is missing is replaced by the stay's value before, if none by the mean

Networks of two branches (`MultimodalGRUClassifier`): the measurements as a series, the descriptors
from admission as a table beside it.

    branches    the settings BRANCHES
    branches, defaults  no settings but missing="decay", time stamps and robust scaling
    branches, summaries     beside both the summaries of each variable, as a second table
    tables              the two tables without the series

Other models, on a table of summaries of each variable over the stay, with their own best settings:
    logistic    logistic regression, its strength chosen by cross-validation of the training folds
    boosting    histogram gradient boosting
"""

from functools import partial

import numpy as np
import pandas as pd
from filling import Filler
from rows import Task, cross_validation, main
from series import Sample, sequences, summaries
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.compose import make_column_selector
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, roc_auc_score
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from skgru import (
    GRUClassifier,
    MultimodalGRUClassifier,
    SequenceAligner,
    SeriesBranch,
    TableBranch,
)

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
BRANCHES = {
    "series__hidden_layer_sizes": 32,
    "series__dropout": 0.5,
    "series__recurrent_dropout": 0.5,
    "hidden_layer_sizes": (),
}
WITH_SUMMARIES = BRANCHES | {"hidden_layer_sizes": 64, "summaries__dropout": 0.5}
CLIPPED = 1  # percent of each variable's training values clipped at either end

STATIC = ["Age", "Gender", "Height", "Weight", "ICU 1", "ICU 2", "ICU 3", "ICU 4"]
N_FOLDS = 5


def read(folder):
    """Return events as a dict of columns, names of their channels, and which stays end in death."""
    with np.load(folder / "physionet2012_a.npz") as file:
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


def logistic(seed):
    """Return logistic regression on the summaries."""
    inner = StratifiedKFold(N_FOLDS, shuffle=True, random_state=seed)
    return make_pipeline(
        FunctionTransformer(summaries),
        Clipper(),
        SimpleImputer(strategy="median"),
        StandardScaler(),
        GridSearchCV(
            LogisticRegression(max_iter=2000), {"C": STRENGTHS}, scoring="roc_auc", cv=inner
        ),
    )


def boosting(seed):
    """Return gradient boosting on the summaries."""
    return make_pipeline(
        FunctionTransformer(summaries),
        HistGradientBoostingClassifier(**BOOSTING, random_state=seed),
    )


# --- Networks ------------------------------------------------------------------------------------


class RobustScaler(TransformerMixin, BaseEstimator):
    """Scales sequences as ``scaling="robust"`` does, before they are filled in.

    Most of what is filled in are means, whose quartiles afterwards would say nothing.
    """

    def fit(self, X, y=None):
        steps = np.concatenate(X)
        self.centre_ = np.nanmedian(steps, axis=0)
        self.scale_ = np.ones(steps.shape[1])
        for low in (0, 1, 5, 10, 25):  # the narrowest range that is not empty stays
            width = np.subtract(*np.nanpercentile(steps, [100 - low, low], axis=0))
            self.scale_ = np.where(width > 0, width, self.scale_)
        return self

    def transform(self, X):
        scaled = ((x - self.centre_) / self.scale_ for x in X)
        return [z / np.hypot(1, z / 3) for z in scaled]


def network(seed, *before, **settings):
    """Return the network on the sequences, behind what is done to them before."""
    settings = SETTINGS | settings | {"random_state": seed}
    return make_pipeline(FunctionTransformer(sequences), *before, GRUClassifier(**settings))


def defaults(seed, **settings):
    """Return the network with no settings but which column has the times."""
    return make_pipeline(
        FunctionTransformer(sequences), GRUClassifier(time_feature=0, random_state=seed, **settings)
    )


def decay_or_indicator(seed, missing):
    """Return the network that reads the holes."""
    return network(seed, scaling="robust", missing=missing, time_feature=0)


def filled(seed, method):
    """Return the network behind what fills its input in."""
    return network(seed, RobustScaler(), Filler(method), scaling=None)


def table_of_stays(X):
    """Return a table with a row for each stay: its measurements, and its descriptors."""
    stays = sequences(X)
    n_static = len(STATIC)
    rows = pd.DataFrame([x[0, -n_static:] for x in stays], columns=STATIC)
    icu = rows.pop("ICU 1")
    for unit in (2, 3, 4):
        icu = icu + unit * rows.pop(f"ICU {unit}")
    rows["unit"] = icu.map(lambda unit: f"unit {unit:.0f}", na_action="ignore")
    rows["Gender"] = rows["Gender"].map({0: "female", 1: "male"})
    rows["series"] = pd.Series([x[:, :-n_static] for x in stays], dtype=object)
    of_stays = pd.DataFrame(summaries(X)[:, :-n_static]).add_prefix("summary ")
    return pd.concat([rows, of_stays], axis=1)


def branches(seed, **settings):
    """Return the network of two branches on the table."""
    model = MultimodalGRUClassifier(
        [
            ("series", SeriesBranch(scaling="robust", time_feature=0), "series"),
            ("patient", TableBranch(), ["Age", "Gender", "Height", "Weight", "unit"]),
            ("summaries", TableBranch(), make_column_selector("summary")),
        ],
        random_state=seed,
    )
    if "summaries__dropout" not in settings:
        model.set_params(summaries="drop")
    return make_pipeline(FunctionTransformer(table_of_stays), model.set_params(**settings))


# --- The row -------------------------------------------------------------------------------------


def load(folder):
    """Return the stays, as sequences and summaries, and which of them end in death."""
    events, names, y = read(folder)
    stays = zip(
        align(events, len(y), len(names)),
        summarize(events, len(y), len(names) - len(STATIC)),
        strict=True,
    )
    return [Sample(*stay) for stay in stays], y


def score(model, split):
    """Return area under the ROC curve and average precision."""
    predicted = model.predict_proba(split.X_test)[:, 1]
    return roc_auc_score(split.y_test, predicted), average_precision_score(split.y_test, predicted)


def show(scores):
    """Return the area of each fold, mean ± standard deviation, and the mean average precision."""
    areas, precisions = scores.mean(axis=0).T
    return (
        f"{' '.join(f'{area:.4f}' for area in areas)}   {areas.mean():.4f} ± "
        f"{areas.std(ddof=1):.4f}   {precisions.mean():.4f}"
    )


TASK = Task(
    "PhysioNet 2012, 5-fold",
    "AUROC, average precision",
    load,
    # The folds are always the same; a seed is that of the models.
    cross_validation(lambda seed: StratifiedKFold(N_FOLDS, shuffle=True, random_state=0)),
    score,
    models={
        "defaults": defaults,
        "complete": partial(defaults, dropout=0.2, recurrent_dropout=0, bidirectional=True),
        "decay": partial(decay_or_indicator, missing="decay"),
        "indicator": partial(decay_or_indicator, missing="indicator"),
        "mean": partial(filled, method="mean"),
        "forward": partial(filled, method="forward"),
        "branches": partial(branches, **BRANCHES),
        "branches, defaults": branches,
        "branches, summaries": partial(branches, **WITH_SUMMARIES),
        "tables": partial(branches, hidden_layer_sizes=64, summaries__dropout=0.5, series="drop"),
    },
    baselines={"logistic": logistic, "boosting": boosting},
    n_seeds=1,
    show=show,
)

if __name__ == "__main__":
    main(TASK)
