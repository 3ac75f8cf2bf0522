"""Series in every form give the same forecasts, each in the form of its series."""

from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from tests.forecaster.cheap import HORIZON, cheap, days, long_table, numbers, wave

N = 64
Y = wave(N)
SHORT = Y[:20]  # too few for folds: fitted in no time, without bands
TWO = np.column_stack([Y, wave(N, 1, level=3)])
EXPECTED = cheap().fit(SHORT).predict()
EXPECTED_TWO = cheap().fit(TWO).predict()
LIST = [Y, TWO[:30, 1]]

ONE_SERIES = {
    "array": SHORT,
    "column": SHORT[:, np.newaxis],
    "numbers": SHORT.tolist(),
    "tuple": tuple(SHORT),
    "decimals": [Decimal(value) for value in SHORT],
    "objects": SHORT.astype(object),
    "masked": np.ma.masked_array(SHORT),
    "strides": TWO[:20, 0],
    "pandas": pd.Series(SHORT, name="load"),
    "nullable": pd.Series(SHORT).convert_dtypes(),
    "of-arrow": pd.Series(SHORT, dtype="float64[pyarrow]"),
    "polars": pl.Series("load", SHORT),
    "arrow": pa.array(SHORT),
    "chunks": pa.chunked_array([SHORT[:10], SHORT[10:]]),
}


@pytest.mark.parametrize("form", ONE_SERIES)
def test_one_series_in_every_form(form):
    y = ONE_SERIES[form]
    forecaster = cheap().fit(y)
    forecast = forecaster.predict()
    assert_array_equal(numbers(forecast), EXPECTED)
    assert_array_equal(numbers(forecaster.predict(y=y)), EXPECTED)
    assert getattr(forecast, "name", None) == getattr(y, "name", None)
    if form not in ("numbers", "tuple", "decimals", "masked", "chunks"):
        assert type(forecast) is type(y)


TABLES = {
    "array": TWO,
    "pandas": pd.DataFrame(TWO, columns=["a", "b"]),
    "polars": pl.DataFrame(TWO, schema=["a", "b"]),
    "arrow": pa.table({"a": TWO[:, 0], "b": TWO[:, 1]}),
    "records": np.array([tuple(row) for row in TWO], dtype=[("a", float), ("b", float)]),
    "numbers": TWO.tolist(),
}


@pytest.mark.parametrize("form", ["array", "pandas", "polars", "arrow", "records"])
def test_a_table_has_a_series_in_each_column(form):
    forecaster = cheap().fit(TABLES[form])
    forecast = forecaster.predict()
    assert type(forecast) is type(TABLES[form])
    assert_array_equal(numbers(forecast), EXPECTED_TWO.ravel())
    bands = forecaster.predict_interval(1, coverage=0.5)
    assert_array_equal(numbers(bands), cheap().fit(TWO).predict_interval(1, coverage=0.5).ravel())


@pytest.mark.parametrize(
    "columns",
    [
        pd.Index(["a", "b"], name="shop"),  # of a pivot table
        pd.MultiIndex.from_product([["sold"], ["a", "b"]], names=[None, "shop"]),
        pd.Index(["a", "a"]),
        pd.PeriodIndex(["2024", "2025"], freq="Y"),
    ],
)
def test_columns_keep_their_levels_and_name(columns):
    wide = pd.DataFrame(TWO, days(len(TWO)), columns=columns)
    forecast = cheap().fit(wide).predict()
    pd.testing.assert_index_equal(forecast.columns, columns)
    panel = pd.concat({"x": wide, "y": wide})
    pd.testing.assert_index_equal(cheap().fit(panel).predict().columns, columns)
    assert len(cheap().fit(wide).predict_interval().columns) == 4


def test_a_list_of_rows_is_a_list_of_series():
    """Of lists of lists, each is a series: rows of a table would be too short."""
    with pytest.raises(ValueError, match="at least 10 steps"):
        cheap().fit(TABLES["numbers"])


def test_columns_of_bands_are_named_after_the_series():
    frame = pd.DataFrame(TWO, days(N), columns=["a", "b"])
    forecaster = cheap().fit(frame)
    assert list(forecaster.predict_interval()) == ["a_lower", "a_upper", "b_lower", "b_upper"]
    quantiles = forecaster.predict_quantiles(quantiles=[0.05, 0.5])
    assert list(quantiles) == ["a_0.05", "a_0.5", "b_0.05", "b_0.5"]
    for name in ("load", "y", 0):
        bands = cheap().fit(pd.Series(Y, name=name)).predict_interval()
        assert list(bands) == [f"{name}_lower", f"{name}_upper"]
    for unnamed in (pd.Series(Y), pl.Series(Y)):
        assert list(cheap().fit(unnamed).predict_interval().columns) == ["lower", "upper"]
    assert cheap().fit(pa.array(Y)).predict_interval().column_names == ["lower", "upper"]
    named = [pd.Series(Y, name="p"), pd.Series(LIST[1], name="q")]
    found = [list(bands) for bands in cheap().fit(named).predict_interval()]
    assert found == [["p_lower", "p_upper"], ["q_lower", "q_upper"]]


def test_one_quantile_is_a_table_as_several_are():
    forecaster = cheap().fit(Y)
    assert forecaster.predict_quantiles(quantiles=0.5).shape == (HORIZON, 1)
    assert_array_equal(forecaster.predict_quantiles(quantiles=0.5)[:, 0], forecaster.predict())
    of_series = cheap().fit(pd.Series(Y, name="load")).predict_quantiles(quantiles=[0.5])
    assert list(of_series) == ["load_0.5"]


def test_bands_lie_around_the_forecast_and_grow_with_their_coverage():
    forecaster = cheap().fit(Y)
    narrow = forecaster.predict_interval(7, coverage=0.5)
    wide = forecaster.predict_interval(7, coverage=0.95)
    center = forecaster.predict(7)
    assert (wide[:, 0] <= narrow[:, 0]).all()
    assert (narrow[:, 0] <= center).all()
    assert (center <= narrow[:, 1]).all()
    assert (narrow[:, 1] <= wide[:, 1]).all()
    quantiles = forecaster.predict_quantiles(7, quantiles=[0.025, 0.25, 0.75, 0.975])
    assert_allclose(quantiles[:, [0, 3]], wide)
    assert_allclose(quantiles[:, [1, 2]], narrow)


@pytest.mark.parametrize("coverage", [0, 1, 90, -0.1, None, "0.9", [0.9]])
def test_a_coverage_is_a_probability(coverage):
    with pytest.raises(ValueError, match="coverage between 0 and 1"):
        cheap().fit(SHORT).predict_interval(coverage=coverage)


@pytest.mark.parametrize("quantiles", [[0.1, 1.0], [], [[0.1]], 0, "low", {"a": 1}])
def test_quantiles_are_probabilities(quantiles):
    with pytest.raises(ValueError, match="quantiles between 0 and 1"):
        cheap().fit(SHORT).predict_quantiles(quantiles=quantiles)
    with pytest.raises(ValueError, match="each quantile once"):
        cheap().fit(SHORT).predict_quantiles(quantiles=[0.5, 0.5])


@pytest.mark.parametrize("n", [0, -1, 1.5, True, "3"])
def test_the_number_of_steps_is_a_positive_integer(n):
    with pytest.raises(ValueError, match="n as an integer of 1 or more"):
        cheap().fit(SHORT).predict(n)


# Panels

LONG = long_table()
ENOUGH = long_table(30)  # for bands
BY_NAME = {"series": "shop", "time": "day"}


PANELS = {
    "pandas": (LONG, BY_NAME),
    "shuffled": (LONG.iloc[np.r_[0:60:2, 1:60:2]], BY_NAME),
    "index": (LONG.set_index("day"), {"series": "shop"}),
    "polars": (pl.from_pandas(LONG), BY_NAME),
    "arrow": (pa.Table.from_pandas(LONG), BY_NAME),
    "dict": ({name: LONG[name].to_numpy() for name in LONG}, BY_NAME),
    "levels": (LONG.set_index(["shop", "day"]), {}),
    "series": (LONG.set_index(["shop", "day"])["sales"], {}),
    "list": ([part.set_index("day").sales for _, part in LONG.groupby("shop", sort=False)], {}),
}
EXPECTED_PANEL = numbers(cheap(**BY_NAME).fit(LONG).predict())


@pytest.mark.parametrize("form", PANELS)
def test_a_panel_in_every_form(form):
    y, roles = PANELS[form]
    forecaster = cheap(**roles).fit(y)
    forecast = forecaster.predict()
    assert type(forecast) is type(y)
    assert_array_equal(numbers(forecast), EXPECTED_PANEL)
    assert_array_equal(numbers(forecaster.predict(y=y)), EXPECTED_PANEL)


def test_the_labels_of_a_panel():
    forecast = cheap(**BY_NAME).fit(LONG).predict(2)
    assert list(forecast) == ["shop", "day", "sales"]
    assert forecast["shop"].tolist() == ["b", "b", "a", "a", "c", "c"]
    assert forecast["day"].tolist() == list(days(2, "2024-01-21")) * 3
    assert (forecast.dtypes == LONG.dtypes).all()
    levels = cheap().fit(PANELS["series"][0]).predict(2)
    assert levels.name == "sales"
    assert levels.index.names == ["shop", "day"]
    assert levels.index.tolist() == list(zip(forecast["shop"], forecast["day"], strict=True))
    bands = cheap(**BY_NAME).fit(ENOUGH).predict_interval(1)
    assert list(bands) == ["shop", "day", "sales_lower", "sales_upper"]
    levels = cheap().fit(ENOUGH.set_index(["shop", "day"])["sales"]).predict_interval(1)
    assert list(levels) == ["sales_lower", "sales_upper"]
    assert_array_equal(numbers(levels), numbers(bands))
    polars = cheap(**BY_NAME).fit(pl.from_pandas(LONG)).predict(2)
    assert polars.schema == pl.from_pandas(LONG).schema
    assert polars["day"].to_list() == forecast["day"].tolist()


def test_series_of_unlike_ends_are_each_forecast_from_their_own():
    table = LONG.drop(LONG.index[15:20])  # of "b", which ends earlier
    forecast = cheap(**BY_NAME).fit(table).predict(1)
    assert forecast["day"].dt.day.tolist() == [16, 21, 21]


@pytest.mark.parametrize("form", ["pandas", "polars", "levels"])
def test_some_of_the_series_in_another_order(form):
    y, roles = PANELS[form]
    forecaster = cheap(**roles).fit(y)
    some = [LONG[LONG["shop"] == key] for key in ("c", "b")]
    table = pd.concat(some)
    if form == "polars":
        table = pl.from_pandas(table)
    elif form == "levels":
        table = table.set_index(["shop", "day"])
    expected = EXPECTED_PANEL.reshape(3, HORIZON)
    assert_array_equal(numbers(forecaster.predict(y=table)), expected[[2, 0]].ravel())


def test_bands_of_a_series_are_its_own_whatever_stands_beside_it():
    forecaster = cheap(**BY_NAME).fit(ENOUGH)
    every = forecaster.predict_interval(2)
    for key in "abc":
        alone = forecaster.predict_interval(2, y=ENOUGH[ENOUGH["shop"] == key])
        assert_allclose(numbers(alone), numbers(every[every["shop"] == key]))


def test_series_that_were_not_in_fit():
    forecaster = cheap(**BY_NAME).fit(ENOUGH)
    new = long_table(30, keys=("new",))
    forecast = forecaster.predict(2, y=new)
    assert forecast["shop"].tolist() == ["new", "new"]
    # It has the values of a series of fit, and so its unit.
    assert_allclose(numbers(forecast), numbers(forecaster.predict(2))[:2])
    assert len(forecaster.predict_interval(2, y=new)) == 2


def test_lists_have_series_of_any_length():
    forecaster = cheap().fit(LIST)
    first, second = forecaster.predict(2)
    assert first.shape == second.shape == (2,)
    assert_array_equal(forecaster.predict(2, y=LIST)[1], second)
    assert_array_equal(forecaster.predict(2, y=LIST[1:])[0], second)
    tables = cheap().fit([TWO, TWO[:30]]).predict(2)
    assert [part.shape for part in tables] == [(2, 2), (2, 2)]


def test_other_columns_than_in_fit_are_refused():
    frame = pd.DataFrame(TWO, days(N), columns=["a", "b"])
    forecaster = cheap().fit(frame)
    for other in (frame[["b", "a"]], frame.rename(columns={"a": "c"})):
        with pytest.raises(ValueError, match=r"Expected the columns \['a', 'b'\] in y"):
            forecaster.predict(y=other)
    with pytest.raises(ValueError, match="Expected 1 columns in y, as in fit, got 2"):
        cheap().fit(Y).predict(y=TWO)


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (None, "got a NoneType as y"),
        (3.0, "got a float as y"),
        (list("abcdefghijkl"), r"got the text 'a' in step 0 of y\.$"),
        (np.zeros((20, 2, 2)), "several series are given as a list"),
        ({"a": Y, "b": Y}, "give several series as a list"),
        (np.array([*Y, np.inf]), "got inf in step 64 of y"),
        ([], "got at most 0"),
    ],
)
def test_what_is_no_series_is_refused(y, message):
    with pytest.raises(ValueError, match=message):
        cheap().fit(y)


def test_columns_of_series_and_times_are_looked_for():
    for roles in ({"series": "store"}, {"series": "shop", "time": "date"}):
        with pytest.raises(ValueError, match=r"store|date"):
            cheap(**roles).fit(LONG)
    with pytest.raises(ValueError, match=r"got text in column 'shop' .*series='shop'"):
        cheap().fit(LONG.set_index("day"))
