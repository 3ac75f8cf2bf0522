"""What make_sequences makes fits, predicts and passes cross-validation, whatever the library."""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.model_selection import GridSearchCV, cross_val_score, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.utils import _safe_indexing

from skgru import (
    GRUClassifier,
    GRURegressor,
    MultimodalGRUClassifier,
    PerTimestep,
    SeriesBranch,
    TableBranch,
    make_rows,
    make_sequences,
)
from tests.transformers.long_tables import LIBRARIES, array_of


def content(n=16, seed=0):
    """Return the columns of a table, its rows shuffled."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(1, 5, n)
    run = np.repeat(np.arange(n), lengths)
    n_rows = len(run)
    columns = {
        "run": run,
        "hour": np.concatenate([np.sort(rng.permutation(50)[:length]) for length in lengths]) / 4,
        "heat": rng.normal(size=n_rows),
        "colour": rng.choice(["red", "green"], n_rows),
        "tag": rng.choice(["x", "y"], n_rows),
        "age": np.repeat(rng.normal(size=n), lengths),
        "size": np.repeat(rng.normal(size=n), lengths),
        "kind": np.repeat(np.array(["a", "b"])[np.arange(n) % 2], lengths),
    }
    order = rng.permutation(n_rows)
    return {name: cells[order].tolist() for name, cells in columns.items()}


CONTENT = content()
NAMES = list(CONTENT)
FORMS = {
    **{name: LIBRARIES[name] for name in ("pandas", "polars", "Arrow", "structured array")},
    "levels of the index": lambda table: pd.DataFrame(table).set_index(["run", "hour"]),
    "dict": LIBRARIES["dict of lists"],
    "array of objects": array_of,
}


class Case:
    """A table in one of the forms, and its columns by their names whatever they are called."""

    def __init__(self, form):
        self.table = FORMS[form](CONTENT)
        self.has_names = form.startswith(("pandas", "polars", "Arrow", "levels"))
        self.is_array = form == "array of objects"
        self.keys = [None, None] if form.startswith("levels") else self.of(["run", "hour"])

    def of(self, names):
        return [NAMES.index(name) for name in names] if self.is_array else names

    def make(self, columns, target, *, static=(), **given):
        names = ["hour", *columns, *static]
        target = self.of(target) if isinstance(target, list) else self.of([target])[0]
        X, y = make_sequences(
            self.table, *self.keys, self.of(columns), target, static=self.of(list(static)), **given
        )
        self.columns = names if self.has_names else list(range(len(names)))
        return X, y

    def rows(self, values):
        return make_rows(values, self.table, *self.keys)


def takes_rows(X):
    """Whether scikit-learn takes rows of a container: of Arrow, older versions do not."""
    try:
        _safe_indexing(X, [0])
    except TypeError:
        return False
    return True


def settings(case=None, **given):
    if case is not None:
        given["time_feature"] = case.columns[0]
    return {"hidden_layer_sizes": 2, "max_iter": 2, "random_state": 0, **given}


def classified(case):
    X, y = case.make(["heat", "age"], "kind")
    model = GRUClassifier(**settings(case))
    yield "probabilities", model.fit(X, y).predict_proba(X)
    yield "rows", np.array(case.rows(model.predict(X)))
    if takes_rows(X):
        yield "scores", cross_val_score(model, X, y, cv=2)
        train, test, y_train, _ = train_test_split(X, y, random_state=0)
        yield "test", model.fit(train, y_train).predict_proba(test)
        search = GridSearchCV(model, {"alpha": [0, 0.1]}, cv=2, error_score="raise")
        yield "search", search.fit(X, y).cv_results_["mean_test_score"]


def regressed(case):
    for target in ("size", ["size", "age"]):
        X, y = case.make(["heat"], target)
        model = GRURegressor(**settings(case))
        yield f"{target}", model.fit(X, y).predict(X)
        if takes_rows(X):
            yield f"scores of {target}", cross_val_score(model, X, y, cv=2)


def tagged(case):
    X, y = case.make(["heat", "age"], "tag", per_step=True)
    model = GRUClassifier(**settings(case, pooling=None))
    yield "probabilities", np.concatenate(list(model.fit(X, y).predict_proba(X)))
    rows = case.rows(model.predict(X))
    assert len(rows) == len(CONTENT["run"])
    yield "rows", np.array(rows)
    if takes_rows(X):
        yield "scores", cross_val_score(model, X, y, cv=2)
    X, y = case.make(["heat"], ["age", "size"], per_step=True)
    model = GRURegressor(**settings(case, pooling=None))
    yield "numbers", np.concatenate(list(model.fit(X, y).predict(X)))
    if takes_rows(X):
        yield "scores of numbers", cross_val_score(model, X, y, cv=2)


def multimodal(case):
    X, y = case.make(["heat"], "kind", static=["age", "size"])
    series, table = case.columns[:2], case.columns[2:]
    branch = SeriesBranch(time_feature=series[0], hidden_layer_sizes=2)
    model = MultimodalGRUClassifier(
        [("series", branch, series), ("table", TableBranch(), table)], max_iter=2, random_state=0
    )
    yield "probabilities", model.fit(X, y).predict_proba(X)
    if takes_rows(X):
        yield "scores", cross_val_score(model, X, y, cv=2)
        train, test, y_train, _ = train_test_split(X, y, random_state=0)
        yield "test", model.fit(train, y_train).predict_proba(test)


def encoded(case):
    X, y = case.make(["heat", "colour"], "kind")
    # By names, older versions of scikit-learn choose columns of pandas alone.
    names = case.columns if hasattr(X, "iloc") else [0, 1, 2]
    encoder = ColumnTransformer(
        [
            ("text", OneHotEncoder(sparse_output=False), names[2:]),
            ("number", StandardScaler(), names[:2]),
        ]
    )
    model = make_pipeline(PerTimestep(encoder), GRUClassifier(**settings()))
    yield "probabilities", model.fit(X, y).predict_proba(X)
    if takes_rows(X):
        yield "scores", cross_val_score(model, X, y, cv=2)


EXPECTED = {}


@pytest.mark.parametrize("use", [classified, regressed, tagged, multimodal, encoded])
@pytest.mark.parametrize("form", FORMS)
def test_all_libraries_give_the_same(form, use):
    if use not in EXPECTED:
        EXPECTED[use] = dict(use(Case("pandas")))
    found = dict(use(Case(form)))
    assert "Arrow" in form or list(found) == list(EXPECTED[use])
    for name, result in found.items():
        np.testing.assert_array_equal(result, EXPECTED[use][name], err_msg=name)


@pytest.mark.parametrize("zone", [None, "Asia/Tokyo"])
@pytest.mark.parametrize("library", ["pandas", "polars", "Arrow", "dict of Series"])
def test_dates_are_time_stamps(library, zone):
    hours = np.array(CONTENT["hour"])
    frame = pd.DataFrame(CONTENT)[["run", "hour", "heat", "kind"]]
    dates = pd.Series(pd.to_datetime(hours * 3600e9).as_unit("us")).dt.tz_localize(zone)
    table = frame.assign(hour=dates)
    if library == "polars":
        table = pl.from_arrow(pa.Table.from_pandas(table))
    elif library == "Arrow":
        table = pa.Table.from_pandas(table)
    elif library == "dict of Series":
        table = {name: table[name] for name in table}
    X, y = make_sequences(frame.assign(hour=hours * 3600), "run", "hour", target="kind")
    expected = GRUClassifier(time_feature="hour", **settings()).fit(X, y).predict_proba(X)
    X, y = make_sequences(table, "run", "hour", target="kind")
    name = 0 if library == "dict of Series" else "hour"
    model = GRUClassifier(time_feature=name, **settings()).fit(X, y)
    np.testing.assert_allclose(model.predict_proba(X), expected, rtol=1e-6)
