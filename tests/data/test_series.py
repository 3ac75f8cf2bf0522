"""The door for series: every container in, on its grid, and predictions back in its form."""

import warnings

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from skgru._data.matching import match
from skgru._data.series import open_panel

DAYS = pd.date_range("2024-03-28", periods=8, freq="D", tz="Europe/Berlin", name="date")
ROLES = {"series": "store", "time": "date"}


def long_table():
    """Rows in no order of two stores, "b" of three days and "a" of two."""
    return pd.DataFrame(
        {
            "store": ["b", "b", "a", "a", "b"],
            "date": DAYS[[1, 0, 2, 1, 2]],
            "v": [2.0, 1, 20, 10, 3],
            "w": [5.0, 4, 50, 40, 6],
        }
    )


LONG = {
    "pandas": lambda table: table,
    "polars": pl.from_pandas,
    "Arrow": lambda table: pa.Table.from_pandas(table, preserve_index=False),
    "dict": lambda table: {name: table[name] for name in table},
    "structured": lambda table: table.assign(date=table["date"].dt.tz_localize(None)).to_records(
        index=False
    ),
}


def next_two(panel, n_values=1, names=None):
    """Values 0, 1 … of the two steps behind each series, in the form that it had."""
    parts = [np.arange(2.0 * n_values).reshape(2, n_values) + 10 * i
             for i in range(len(panel.series))]  # fmt: skip
    return panel.give_back(parts, [len(one.values) for one in panel.series], names)


@pytest.mark.parametrize("library", LONG)
def test_long_tables(library):
    table = LONG[library](long_table())
    panel = open_panel(table, **ROLES)
    assert [one.key for one in panel.series] == ["b", "a"]
    assert panel.names == ["v", "w"]
    np.testing.assert_array_equal(panel.series[0].values, [[1, 4], [2, 5], [3, 6]])
    np.testing.assert_array_equal(panel.series[1].values, [[10, 40], [20, 50]])
    np.testing.assert_array_equal(panel.series[0].rows, [1, 0, 4])
    given_back = next_two(panel, names=["v"])
    if library in ("pandas", "polars", "Arrow"):
        assert type(given_back) is type(table)
    frame = pd.DataFrame(
        given_back if isinstance(given_back, dict | np.ndarray) else
        given_back.to_pandas() if library != "pandas" else given_back
    )  # fmt: skip
    assert list(frame.columns) == ["store", "date", "v"]
    assert list(frame["store"]) == ["b", "b", "a", "a"]
    np.testing.assert_array_equal(frame["v"], [0, 1, 10, 11])
    expected = DAYS[[3, 4, 3, 4]]
    if library == "structured":
        expected = expected.tz_localize(None)
    assert list(frame["date"]) == list(expected)


@pytest.mark.parametrize(
    "y",
    [
        np.arange(4.0), [1, 2, 3], pd.Series([1.0, 2], name="v"), pl.Series("v", [1.0, 2]),
        pa.array([1.0, 2]), pa.chunked_array([[1.0], [2.0]]), np.zeros((3, 2)),
        pd.DataFrame(np.zeros((3, 2)), columns=["u", "v"]), pl.DataFrame({"u": [1.0, 2]}),
        pa.table({"u": [1.0, 2]}),
    ],
)  # fmt: skip
def test_single_series_and_lists_of_them(y):
    alone, several = open_panel(y), open_panel([y, y])
    n_values = alone.series[0].values.shape[1]
    given_back = next_two(alone, n_values)
    expected = {list: np.ndarray, pa.ChunkedArray: pa.lib.DoubleArray}.get(type(y), type(y))
    assert isinstance(given_back, expected)
    assert np.ndim(given_back) == np.ndim(np.asarray(y)) or isinstance(y, pa.Table)
    assert getattr(given_back, "name", None) == getattr(y, "name", None)
    both = next_two(several, n_values)
    assert len(both) == 2
    assert all(isinstance(one, expected) for one in both)
    np.testing.assert_array_equal(np.ravel(both[1]), np.ravel(given_back) + 10)


def test_two_values_of_a_one_dimensional_series_are_two_columns():
    series = pd.Series(np.arange(4.0), DAYS[:4], name="v")
    frame = next_two(open_panel(series), 2, ["v_lower", "v_upper"])
    assert list(frame.columns) == ["v_lower", "v_upper"]
    pd.testing.assert_index_equal(frame.index, DAYS[4:6])
    assert next_two(open_panel(np.arange(4.0)), 2).shape == (2, 2)
    assert next_two(open_panel(np.zeros((4, 1)))).shape == (2, 1)


def test_pandas_gets_name_index_and_zone_back():
    series = pd.Series(np.arange(4.0), DAYS[:4], name="v")
    pd.testing.assert_series_equal(
        next_two(open_panel(series)), pd.Series([0.0, 1.0], DAYS[4:6], name="v")
    )
    panel = pd.concat({"b": series, "a": series[:3]}, names=["store"])
    given_back = next_two(open_panel(panel))
    assert given_back.name == "v"
    assert given_back.index.names == ["store", "date"]
    assert list(given_back.index) == [
        ("b", DAYS[4]), ("b", DAYS[5]), ("a", DAYS[3]), ("a", DAYS[4]),
    ]  # fmt: skip
    frame = next_two(open_panel(panel.to_frame("v").assign(w=1.0)), 2)
    assert list(frame.columns) == ["v", "w"]
    two_levels = pd.concat({"x": panel, "y": panel}, names=["kind"])
    assert next_two(open_panel(two_levels)).index.names == ["kind", "store", "date"]


def test_roles_may_be_levels_of_the_index():
    table = long_table()
    expected = open_panel(table, **ROLES)
    for indexed, settings in [
        (table.set_index(["store", "date"]), ROLES),
        (table.set_index(["date", "store"]), ROLES),
        (table.set_index("date"), {"series": "store"}),
        (table.set_index("store"), ROLES),
        (table.set_index("date"), ROLES),
    ]:
        panel = open_panel(indexed, **settings)
        for one, other in zip(panel.series, expected.series, strict=True):
            np.testing.assert_array_equal(one.values, other.values)
        given_back = next_two(panel, 2)
        assert list(given_back.reset_index()["store"]) == ["b", "b", "a", "a"]
        assert given_back.index.names == [
            name for name in ("store", "date") if name in indexed.index.names
        ]


def test_one_series_with_a_column_of_times():
    for library in ("pandas", "polars", "Arrow"):
        table = long_table().query("store == 'b'").drop(columns="store")
        panel = open_panel(LONG[library](table), time="date")
        np.testing.assert_array_equal(panel.series[0].values[:, 0], [1, 2, 3])
        given_back = next_two(panel, 2)
        assert given_back.shape == (2, 3)
        assert str(given_back["date"][0])[:10] == "2024-03-31"


def test_rows_without_times_stay_in_their_order():
    panel = open_panel(pl.DataFrame({"s": list("abab"), "v": [1, 2, 3, 4]}), series="s")
    np.testing.assert_array_equal(panel.series[0].values[:, 0], [1, 3])
    assert panel.series[0].clock.kind is None
    default = pd.DataFrame({"s": list("abab"), "v": [1, 2, 3, 4]}).iloc[::-1]
    np.testing.assert_array_equal(open_panel(default, series="s").series[1].values[:, 0], [3, 1])


def test_gaps_are_filled_and_told_once():
    table = long_table().drop([0])
    table = pd.concat([table, table.iloc[[2]].assign(date=DAYS[6])])
    with pytest.warns(
        UserWarning, match="leave out 4 steps, in 2 series, the first 2024-03-31 of ser"
    ) as w:
        panel = open_panel([table.query("store == 'a'"), long_table().drop([0])], **ROLES)
    assert len(w) == 1
    assert w[0].filename == __file__
    np.testing.assert_array_equal(np.isnan(panel.series[1].values[:, 0]), [False, True, False])
    np.testing.assert_array_equal(panel.series[0].places, [0, 1, 5])


def test_nothing_is_told_of_full_grids():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for index in (
            DAYS,
            DAYS.tz_convert(None).to_period("D"),
            pd.RangeIndex(8),
            list("abcdefgh"),
        ):
            open_panel(pd.Series(np.arange(8.0), index))


def test_what_was_given_is_not_modified():
    values = np.arange(8.0)
    series = pd.Series(values, DAYS)
    table = long_table()
    before = series.copy(), table.copy()
    open_panel(series)
    next_two(open_panel(table, **ROLES), 2)
    pd.testing.assert_series_equal(series, before[0])
    pd.testing.assert_frame_equal(table, before[1])


UNSORTED = pd.Series(np.arange(3.0), DAYS[[0, 2, 1]])
TWICE = pd.Series(
    np.arange(4.0),
    pd.to_datetime(
        ["2024-10-27 01:00", "2024-10-27 02:00", "2024-10-27 02:00", "2024-10-27 03:00"]
    ),
)
ODD = pd.Series(
    np.arange(4.0),
    pd.to_datetime(
        ["2024-01-01", "2024-01-02", "2024-01-03", "2024-01-05 07:00"], format="ISO8601"
    ),
)


@pytest.mark.parametrize(
    ("y", "settings", "message"),
    [
        (UNSORTED, {}, "unsorted one in y: call its sort_index"),
        (TWICE, {}, r"got 2024-10-27 02:00 twice .* in y: .*tz_localize\(<zone>, ambiguous="),
        (ODD, {}, r"in y, where most are 1 day apart, got 2024-01-05 07:00 after 2024-01-03: re"),
        ([TWICE[:1], ODD], {}, "series 1 of y, where"),
        (long_table(), {}, r"got text in column 'store' of y\. .*series='store'"),
        (long_table(), {"series": "store"}, r"got dates in column 'date' of y\. .*time='date'"),
        (long_table(), {"time": "date"}, r"got text in column 'store' of y\. .*series='store'"),
        (pd.concat([long_table()] * 2), ROLES, "2024-03-28 twice or more in series 0 of y, whic"),
        (long_table(), {"series": "stor"}, "Expected series to name .* Did you mean 'store'"),
        (long_table(), {"series": "unique_id"}, r"columns of y, which are \['store', .*_id'\.$"),
        (long_table().set_index(["store", "date"]), {"time": "ds"}, r"are \['store', 'date'\]\.$"),
        (long_table()[["store", "date"]], ROLES, "Expected a column of values in y"),
        ([1, np.inf], {}, "got inf in step 1 of y, feature 0"),
        ({"a": [1.0]}, {}, "a long table, series=… and time=…"),
        (long_table().assign(date=None), ROLES, "column 'date' of y"),
        (long_table().assign(date=[DAYS[0], None, *DAYS[:3]]), ROLES, "without missing labels"),
        (long_table().assign(date=list("abcde")), ROLES, "dates, durations or num.*to_datetime"),
        (pd.Series([1.0, 2, 3], pd.DatetimeIndex([0, 1, 10**18])), {}, "about equally spaced"),
    ],
)  # fmt: skip
def test_refused(y, settings, message):
    with pytest.raises(ValueError, match=message):
        open_panel(y, **settings)


DATED = pd.DataFrame({"Date": ["1981-01-01", "1981-01-02", None, "1981-01-04"], "t": [1.0] * 4})
OF_TEXT = pd.DataFrame({"t": ["20.7", None, "17.9"]})


@pytest.mark.parametrize(
    ("y", "settings", "message"),
    [
        (
            DATED,
            {},
            r"text such as '1981-01-01' in column 'Date' of y\. If these are the times of the "
            r"steps, pandas.to_datetime makes dates of text; then say so, time='Date', or set_i",
        ),
        (pl.from_pandas(DATED), {}, r"steps, str.to_datetime\(\) of polars makes .*time='Date'\."),
        (pa.Table.from_pandas(DATED), {}, r"steps, cast\('timestamp\[s\]'\) of Arrow makes"),
        (DATED, {"time": "Date"}, r"numbers, got the text '1981-01-01' in row 0\. pandas.to_dat"),
        (DATED.dropna(), {"time": "Date"}, "in row 0. pandas.to_datetime makes dates of text.$"),
        (pl.from_pandas(DATED.dropna()), {"time": "Date"}, r"str.to_datetime\(\) of polars makes"),
        (OF_TEXT, {}, r"got the text '20.7' in step 0 of column 't' of y\. pandas.to_numeric"),
        (OF_TEXT["t"], {}, r"'20.7' in step 0 of y\. pandas.to_numeric makes numbers of text\.$"),
        (OF_TEXT["t"].tolist(), {}, r"the text '20.7' in step 0 of y\. pandas.to_numeric makes"),
        (OF_TEXT.to_numpy(), {}, r"the text '20.7' in step 0 of y, feature 0\. pandas.to_numer"),
        ([OF_TEXT["t"]], {}, r"the text '20.7' in step 0 of series 0 of y\. pandas.to_numeric"),
        (pl.Series(["1", "2"]), {}, r"y\. cast\(pl.Float64\) of polars makes numbers"),
        (pl.Series(["1", "?"]), {}, r"text '\?' in step 1 .*cast\(pl.Float64, strict=False\)"),
        (pa.array(["1", "2"]), {}, r"step 0 of y\. cast\('float64'\) of Arrow makes numbers"),
        ([1.0, "?", "3"], {}, r"text '\?' in step 1 of y\. pandas.to_numeric\(…, errors='coerce'"),
    ],
)  # fmt: skip
def test_text_is_refused_with_what_makes_dates_or_numbers_of_it(y, settings, message):
    with pytest.raises(ValueError, match=message) as caught:
        open_panel(y, **settings)
    assert str(caught.value).count("Expected") == 1
    assert "reset_index" not in str(caught.value)


def test_the_remedies_of_text_are_true():
    dates = DATED["Date"].dropna()
    assert pl.from_pandas(dates).str.to_datetime().dtype == pl.Datetime
    assert pa.chunked_array([pa.array(dates)]).cast("timestamp[s]")[0].as_py().year == 1981
    assert pl.Series(["1", "?"]).cast(pl.Float64, strict=False).to_list() == [1, None]
    assert pa.array(["1", "2"]).cast("float64").to_pylist() == [1, 2]


@pytest.mark.parametrize(
    ("make", "call"),
    [
        (lambda days: pd.Series(1.0, days), r": asfreq\('D'\) of pandas adds them\."),
        (lambda days: pd.Series(1.0, days.to_period("D")), r": reindex\(…\) of pandas adds them\."),
        (lambda days: pd.Series(1.0, days.day), r": reindex\(…\) of pandas adds them\."),
        (lambda days: pl.DataFrame({"d": days, "v": 1.0}), r": upsample\(…\) of polars adds"),
        (
            lambda days: pd.DataFrame({"d": days, "v": 1.0}),
            r": asfreq\(…\) of pandas adds them, series by series\.",
        ),
        (lambda days: {"d": days.to_numpy(), "v": np.ones(len(days))}, r"end this warning\.$"),
    ],
)  # fmt: skip
def test_left_out_steps_are_told_with_what_adds_them(make, call):
    y = make(pd.date_range("2024-03-01", periods=9).delete([3, 4]))
    time = "d" if not isinstance(y, pd.Series) else None
    with pytest.warns(
        UserWarning,
        match=f"leave out 2 steps, .*say so, too, and .*{call}",
    ):
        open_panel(y, time=time)


def test_irregular_rows_can_count_as_steps():
    with pytest.warns(UserWarning, match=r"got 2024-01-05 07:00 .* Each row counts as a step"):
        panel = open_panel(ODD, irregular="count")
    assert len(panel.series[0].values) == 4
    np.testing.assert_array_equal(panel.series[0].clock.stamps(0, 4), ODD.index.to_numpy())


# --- match ---------------------------------------------------------------------------------------


def matched(y, x, y_settings=None, x_settings=None):
    panel = open_panel(y, **(y_settings or {}))
    other = open_panel(x, role="X", on_grid=False, **(x_settings or {}))
    return [(one.offset, one.values[:, 0].tolist()) for one in match(panel, other)]


Y = pd.Series(np.arange(4.0), DAYS[:4])


def test_match_by_stamps():
    assert matched(Y, pd.Series(np.arange(8.0), DAYS)) == [(0, list(range(8)))]
    assert matched(Y, pd.Series([7.0, 8], DAYS[4:6])) == [(4, [7, 8])]
    assert matched(Y[2:], pd.Series([7.0, 8], DAYS[:2])) == [(-2, [7, 8])]
    _, values = matched(Y, pd.Series([7.0, 8], DAYS[[0, 2]]))[0]
    np.testing.assert_array_equal(values, [7, np.nan, 8])
    with pytest.raises(ValueError, match=r"the times of X on .* got 2024-03-28 01:00 in row"):
        matched(Y, pd.Series([1.0], DAYS[:1] + pd.Timedelta("1h")))
    with pytest.raises(ValueError, match="Expected dates as the index of X, as y has, got numbers"):
        matched(Y, pd.Series([1.0, 2], [5, 6]))


def test_match_by_order():
    assert matched(np.arange(4.0), np.arange(6.0)) == [(0, list(range(6)))]
    assert matched(Y, np.arange(6.0)) == [(0, list(range(6)))]
    with pytest.warns(UserWarning, match="leave out 1 step, the first 2024-03-29 of y"):
        _, values = matched(Y.drop(DAYS[1]), np.arange(4.0))[0]
    np.testing.assert_array_equal(values, [0, np.nan, 1, 2, 3])
    both = matched([np.arange(3.0), np.arange(4.0)], [np.arange(5.0), np.arange(6.0)])
    assert [len(values) for _, values in both] == [5, 6]


def test_match_of_panels():
    table = long_table()
    y, x = table[["store", "date", "v"]], table[["store", "date"]].assign(x=range(5))
    by_row = [(0, [1, 0, 4]), (0, [3, 2])]
    assert matched(y, x, ROLES, ROLES) == by_row
    assert matched(y, pl.from_pandas(x), ROLES, ROLES) == by_row
    assert matched(y, x[::-1].set_index(["store", "date"]).sort_index(), ROLES) == by_row
    assert matched(y, x[["x"]], ROLES) == by_row  # the same rows
    assert matched(y, x["x"].to_numpy(), ROLES) == by_row
    shared = pd.Series(np.arange(8.0), DAYS)
    assert matched(y, shared, ROLES) == [(0, list(range(8))), (-1, list(range(8)))]
    with pytest.raises(ValueError, match="of each series of y in X, got none of 'b'"):
        matched(y, x[x["store"] == "a"], ROLES, ROLES)
    with pytest.raises(ValueError, match="Expected X for 2 series"):
        matched(y, np.arange(9.0), ROLES)
