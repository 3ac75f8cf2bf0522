"""Fitted forecasters of each form that series have, with what they say."""

from datetime import timedelta, timezone
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from tests.forecaster.cheap import HORIZON, cheap, days, long_table, wave

N = 60
Y = wave(N, level=10.0)
TWO = np.column_stack([Y, wave(N, 1, level=4.0)])
HOURS = pd.date_range("2024-10-25 21:00", periods=N, freq="h", tz="Europe/Berlin")
ROLES = {"series": "shop", "time": "day"}


def said(model, **given):
    """Return all that a forecaster says."""
    calls = [model.predict]
    if model._fitted.model.calibration is not None:
        calls += [model.predict_interval, model.predict_quantiles]
    beyond = [] if given else [model.predict(HORIZON + 2)]
    return [call(**given) for call in calls] + beyond


def of(y, static=None, X=None, ahead=None, **parameters):
    model = cheap(**parameters).fit(y, X=X, static=static)
    given = {} if ahead is None else {"X": ahead}
    return model, lambda model: said(model, **given)


def indexed(index):
    return pd.Series(Y, index, name="load")


def of_offset(offset, **options):
    return pd.date_range("2020-01-03", periods=N, freq=offset, **options)


def panel_of(keys, name="shop", n=20):
    index = pd.MultiIndex.from_product([keys, days(n)], names=[name, "day"])
    return pd.Series(np.concatenate([wave(n, i, level=5 * i) for i in range(len(keys))]), index)


# Of pandas, by their index.
INDICES = {
    "days": days(N).rename("when"),
    "days without freq": pd.DatetimeIndex(days(N).to_numpy()),
    "seconds": days(N).as_unit("s"),
    "hours of a zone": HOURS,
    "days of a zone": days(N).tz_localize("America/New_York"),
    "a zone of zoneinfo": days(N).tz_localize(ZoneInfo("Asia/Kathmandu")),
    "an offset from UTC": days(N).tz_localize(timezone(timedelta(hours=2))),
    "UTC": days(N).tz_localize("UTC"),
    "business days": of_offset(pd.offsets.BDay()),
    "weeks": of_offset(pd.offsets.Week(weekday=2)),
    "months": of_offset(pd.offsets.MonthEnd()),
    "quarters": of_offset(pd.offsets.QuarterBegin(startingMonth=2)),
    "years": of_offset(pd.offsets.YearEnd(month=6)),
    "half months": of_offset(pd.offsets.SemiMonthEnd()),
    "third Fridays": of_offset(pd.offsets.WeekOfMonth(week=2, weekday=4)),
    "holidays": of_offset(pd.offsets.CustomBusinessDay(holidays=["2020-01-06", "2020-03-02"])),
    "months by number": of_offset(pd.DateOffset(months=2)),
    "periods of days": pd.period_range("2020-01-01", periods=N, freq="D"),
    "periods of weeks": pd.period_range("2020-01-01", periods=N, freq="W-WED"),
    "periods of quarters": pd.period_range("2020-01", periods=N, freq="Q-NOV", name="quarter"),
    "durations": pd.timedelta_range("1s", periods=N, freq="90s"),
    "a range": pd.RangeIndex(5, 5 + 3 * N, 3, name="step"),
    "integers": pd.Index(np.arange(N, dtype="int16") * 2),
    "nullable integers": pd.Index(np.arange(N), dtype="Int32"),
    "floats": pd.Index(np.arange(N) / 4),
    "text": pd.Index([f"row {i}" for i in range(N)]),
    "objects": pd.Index(days(N).to_pydatetime(), dtype=object),
    "dates of Arrow": pd.Index(days(N), dtype=pd.ArrowDtype(pa.timestamp("us"))),
    "dates of Arrow with a zone": pd.Index(
        days(N).tz_localize("UTC"), dtype=pd.ArrowDtype(pa.timestamp("us", "Europe/Paris"))
    ),
}

LONG = long_table()
ZONED = LONG.assign(day=LONG["day"].dt.tz_localize("Europe/Paris"))
FEATURES = ["shop", "day", "sales"]

# Any container, and the parameters of the forecaster that belong to it.
CONTAINERS = {
    "array": (Y, {}),
    "array of two": (TWO, {}),
    "structured array": (
        np.array(list(map(tuple, TWO)), [("a", float), ("b", float)]),
        {"target": "b"},
    ),
    "list of numbers": (Y.tolist(), {}),
    "list of arrays": ([Y, Y[5:] + 3], {}),
    "list of pandas": ([indexed(days(N)), indexed(days(N, "2023-05-01"))], {}),
    "series without index": (pd.Series(Y), {}),
    "series named by a number": (pd.Series(Y, name=np.int64(3)), {}),
    "series named by a date": (pd.Series(Y, name=pd.Timestamp("2024-01-01", tz="UTC")), {}),
    "frame": (pd.DataFrame(TWO, days(N), pd.Index(["a", "b"], name="place")), {}),
    "frame of numbered columns": (pd.DataFrame(TWO, days(N)), {}),
    "frame of dated columns": (pd.DataFrame(TWO, days(N), days(2)), {}),
    "frame of levels of columns": (
        pd.DataFrame(TWO, days(N), pd.MultiIndex.from_tuples([("x", 1), ("x", 2)])),
        {"target": [("x", 2)], "known": ()},
    ),
    "entities": (panel_of(["b", "a"]), {}),
    "entities of a frame": (panel_of(["b", "a"]).to_frame("sales"), {}),
    "numbered entities": (panel_of([7, 3], None), {}),
    "dated entities": (panel_of(pd.period_range("2020", periods=2, freq="Y")), {}),
    "entities of categories": (panel_of(pd.CategoricalIndex(["b", "a"], ["c", "a", "b"])), {}),
    "entities of levels": (
        pd.concat({"north": panel_of(["b", "a"]), "south": panel_of(["b"])}, names=["side"]),
        {},
    ),
    "long table": (LONG, ROLES),
    "long table of categories": (LONG.astype({"shop": "category"}), ROLES),
    "long table of strings": (LONG.astype({"shop": "string"}), ROLES),
    "long table of nullable integers": (
        LONG.assign(shop=LONG["shop"].map({"a": 1, "b": 2, "c": 3}).astype("Int64")),
        ROLES,
    ),
    "long table of an index": (LONG.set_index(["shop", "day"]), ROLES),
    "long table of one series": (LONG[:20][["day", "sales"]], {"time": "day"}),
    "long table of a zone": (ZONED, ROLES),
    "polars": (pl.Series("load", Y), {}),
    "frame of polars": (pl.DataFrame({"a": TWO[:, 0], "b": TWO[:, 1]}), {"target": "a"}),
    "long table of polars": (pl.from_pandas(LONG), ROLES),
    "long table of polars with a zone": (pl.from_pandas(ZONED), ROLES),
    "long table of polars, categories": (
        pl.from_pandas(LONG).with_columns(pl.col("shop").cast(pl.Categorical)),
        ROLES,
    ),
    "long table of polars, dates": (
        pl.from_pandas(LONG).with_columns(pl.col("day").cast(pl.Date)),
        ROLES,
    ),
    "column of Arrow": (pa.chunked_array([Y]), {}),
    "table of Arrow": (pa.table({"a": TWO[:, 0], "b": TWO[:, 1]}), {"target": "a"}),
    "long table of Arrow": (pa.Table.from_pandas(LONG, preserve_index=False), ROLES),
    "long table of Arrow with a zone": (pa.Table.from_pandas(ZONED, preserve_index=False), ROLES),
    "dict of arrays": ({name: LONG[name].to_numpy() for name in FEATURES}, ROLES),
    "dict of lists": ({name: LONG[name].tolist() for name in FEATURES}, ROLES),
    "long array": (
        np.column_stack([np.repeat([2.0, 1.0], N // 2), np.tile(np.arange(N // 2), 2), Y]),
        {"series": 0, "time": 1},
    ),
}


def with_covariates():
    y = pd.DataFrame({"load": Y, "price": wave(N, 2)}, days(N))
    X = pd.DataFrame({"warmth": wave(N + HORIZON, 3)}, days(N + HORIZON))
    ahead = X[N:].assign(price=1.0)
    return of(y, X=X, ahead=ahead, target="load", known=["warmth", "price"])


def with_static():
    """Numbers and categories of several types, one of them seen in `fit` only."""
    static = pd.DataFrame(
        {
            "size": [2.0, 1.0, 4.0],
            "kind": ["u", "v", "u"],
            "opened": pd.Categorical(["2020", None, "2021"]),
            "rank": [("x", 1), ("x", 2), None],
        },
        ["b", "a", "c"],
    )
    model = cheap(**ROLES).fit(LONG, static=static)
    other = LONG.replace({"shop": {"a": "d"}})
    of_others = static.rename({"a": "d"}).assign(kind=["v", "new", "u"])
    return model, lambda model: [*said(model), model.predict(y=other, static=of_others)]


def with_calendar():
    hours = pd.date_range("2024-01-01", periods=5_100, freq="h", tz="Europe/Berlin")
    y = pd.Series(10 + np.cos(2 * np.pi * hours.hour / 24) + 0.1 * wave(5_100), hours)
    model, say = of(y, window=24, season=24)
    assert model.calendar_
    return model, say


def of_more_series():
    """More of the same series, others, and a score of what follows."""
    y = panel_of(["b", "a"], n=30)
    rows = y.groupby(level=0).cumcount()
    model = cheap().fit(y[rows < 24])
    later, other = y[rows >= 24], y.rename({"a": "z"}, level=0)
    return model, lambda model: [
        *(model.predict(y=given) for given in (y, other, Y)),
        np.array(model.score(later)),
    ]


def with_one_step():
    """One step has no frequency, and none follows it; but other series can be forecast."""
    alone = pd.Series([1.0], pd.DatetimeIndex(["2024-01-01"]))
    with pytest.warns(UserWarning, match="fewer than 9 steps"):
        model, _ = of([alone, indexed(days(N))], calendar=None)
    return model, lambda model: said(model, y=indexed(days(N)))


def of_counts():
    return of(pd.Series(np.arange(N) % 5), loss="poisson")


def of_no_counts():
    """Without a count there is no network to train."""
    model, say = of(np.zeros(N), loss="poisson")
    assert model.networks_ == []
    return model, say


OTHERS = {
    "covariates": with_covariates,
    "static": with_static,
    "calendar": with_calendar,
    "more series": of_more_series,
    "a series of one step": with_one_step,
    "counts": of_counts,
    "no counts": of_no_counts,
    "season": lambda: of(indexed(days(N)), season=8),
    "season beyond the window": lambda: of(indexed(HOURS), season=12),
    "no season": lambda: of(Y, season=None, calendar=None),
    "two quantiles": lambda: of(Y, loss="quantile", quantiles=np.array([0.1, 0.9])),
    "a quantile": lambda: of(Y, loss="quantile", quantiles=0.9),
    "deviation": lambda: of(Y, loss="gaussian"),
    "L-BFGS": lambda: of(Y, solver="lbfgs", max_iter=2),
    "early stopping": lambda: of(Y, early_stopping=True, validation_fraction=0.3),
    "stacked cells": lambda: of(
        Y, hidden_layer_sizes=[3, 2], cell=("lstm", "gru"), pooling=("last", "attention")
    ),
    "missing values": lambda: of(np.where(np.arange(N) % 9 == 4, np.nan, Y)),
    "few windows": lambda: of(Y[:11], window=3, horizon=1),
}


def in_container(y, parameters):
    return lambda: of(y, **parameters)


FORMS = {
    **{f"index of {name}": in_container(indexed(index), {}) for name, index in INDICES.items()},
    **{name: in_container(*form) for name, form in CONTAINERS.items()},
    **OTHERS,
}
