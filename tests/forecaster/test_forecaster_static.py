"""What is known once of each series."""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skgru._forecasting.static import StaticColumns
from tests.forecaster.cheap import cheap, long_table, numbers, wave

LONG = long_table()
ROLES = {"series": "shop", "time": "day"}
STATIC = pd.DataFrame({"size": [2.0, 1.0, 4.0], "kind": ["u", "v", "u"]}, ["b", "a", "c"])
BY_COLUMN = STATIC.rename_axis("shop").reset_index()
EXPECTED = numbers(cheap(**ROLES).fit(LONG, static=STATIC).predict())

FORMS = {
    "another order": STATIC[::-1],
    "more rows": pd.concat([STATIC, STATIC.set_axis(["x", "y", "z"])]),
    "column": BY_COLUMN,
    "no labels": STATIC.reset_index(drop=True),
    "categories": STATIC.astype({"kind": "category"}),
    "strings": STATIC.astype({"kind": "string"}),
    "polars": pl.from_pandas(BY_COLUMN),
    "arrow": pa.Table.from_pandas(BY_COLUMN),
}


@pytest.mark.parametrize("form", FORMS)
def test_tables_of_every_form(form):
    assert_array_equal(numbers(cheap(**ROLES).fit(LONG, static=FORMS[form]).predict()), EXPECTED)


def test_it_is_read():
    assert (numbers(cheap(**ROLES).fit(LONG).predict()) != EXPECTED).all()
    other = STATIC.assign(kind=["u", "v", "v"])
    assert (numbers(cheap(**ROLES).fit(LONG, static=other).predict()) != EXPECTED).all()


def test_it_tells_series_apart():
    """Every sixth step goes up or down, by what is said of the series alone."""
    kinds = ["up", "down"] * 4
    jumps = [np.tile([0.0] * 5 + [1.0 if kind == "up" else -1.0], 6) for kind in kinds]
    y = [jump[:-1] + 0.01 * wave(35, i) for i, jump in enumerate(jumps)]
    parameters = {"window": 5, "horizon": 1, "season": None}
    told = np.concatenate(cheap(**parameters).fit(y, static=[[kind] for kind in kinds]).predict())
    untold = np.concatenate(cheap(**parameters).fit(y).predict())
    assert (told[::2] - told[1::2] > 0.5).all()
    assert np.abs(untold[::2] - untold[1::2]).max() < 0.5


def test_arrays_have_the_order_of_the_series():
    y = [wave(30), wave(30, 1, level=4)]
    table = cheap().fit(y, static=pd.DataFrame({"size": [1.0, 2.0]})).predict()
    array = cheap().fit(y, static=np.array([[1.0], [2.0]])).predict()
    assert_array_equal(numbers(table), numbers(array))


def test_levels_of_an_index():
    both = pd.concat([LONG.assign(country=c) for c in ("p", "q")])
    y = both.set_index(["country", "shop", "day"])
    index = pd.MultiIndex.from_product([["q", "p"], ["c", "b", "a"]])
    static = pd.DataFrame({"size": np.arange(6.0)}, index)
    expected = cheap().fit(y, static=static).predict()
    assert_array_equal(cheap().fit(y, static=static[::-1]).predict(), expected)


def test_numbers_and_categories():
    table = pd.DataFrame(
        {
            "size": [1, np.nan, 3],
            "open": [True, False, True],
            "kind": ["u", None, "v"],
            "nullable": pd.array(["p", pd.NA, "p"], "string"),
        },
        ["b", "a", "c"],
    )
    encoder = StaticColumns(None).fit(table, ["a", "b", "c"])
    assert encoder.categories_ == {"kind": ["u", "v"], "nullable": ["p"]}
    expected = [[np.nan, 0, 0, 0, 0], [1, 1, 1, 0, 1], [3, 1, 0, 1, 1]]
    assert_array_equal(encoder.transform(table, ["a", "b", "c"]), expected)
    unknown = pd.DataFrame({"size": [5], "open": [True], "kind": ["w"], "nullable": "q"}, ["d"])
    assert_array_equal(encoder.transform(unknown, ["d"]), [[5, 1, 0, 0, 0]])
    assert np.isfinite(numbers(cheap(**ROLES).fit(LONG, static=table).predict())).all()


@pytest.mark.parametrize(
    ("static", "message"),
    [
        (STATIC[:2], "none of 'c'"),
        (STATIC.iloc[[0, 0, 1, 2]], "several rows of one series"),
        (STATIC.reset_index(drop=True)[:2], "for each of the 3 series, got 2"),
        (np.ones((2, 1)), "for each of the 3 series, got 2"),
        ([1, 2, 3], "a table with a row for each series, got a list"),
        (STATIC.assign(since=pd.Timestamp("2020-01-01")), "column 'since' of static, got dates"),
        (STATIC.assign(size=[1, 2, np.inf]), "finite or missing numbers in column 'size'"),
    ],
)
def test_tables_that_do_not_belong_to_the_series(static, message):
    with pytest.raises(ValueError, match=message):
        cheap(**ROLES).fit(LONG, static=static)


def test_numbers_of_series_are_labels_of_rows():
    long = LONG.assign(shop=LONG["shop"].map({"b": 1, "a": 0, "c": 2}))
    rows = STATIC.loc[["a", "b", "c"]].reset_index(drop=True)
    assert_array_equal(numbers(cheap(**ROLES).fit(long, static=rows).predict()), EXPECTED)


NEW = long_table(keys=("new",))


def new(**columns):
    return pd.DataFrame({"size": [2.0], "kind": ["u"]} | columns, ["new"])


def test_other_series_need_their_own():
    forecaster = cheap(**ROLES).fit(LONG, static=STATIC)
    forecast = forecaster.predict(y=NEW, static=new())
    # Values and static of "b", the first one.
    assert_allclose(numbers(forecast), EXPECTED[:3])
    assert_array_equal(numbers(forecaster.predict(y=LONG)), EXPECTED)
    for static, message in [
        (None, "Expected static for series that were not in fit"),
        (STATIC, "none of 'new'"),
        (new()[["kind", "size"]], r"Expected the columns \['size', 'kind'\] of static"),
        (new(size=["large"]), "Expected numbers in column 'size'"),
        (new(kind=[3]), "Expected categories in column 'kind'"),
    ]:
        with pytest.raises(ValueError, match=message):
            forecaster.predict(y=NEW, static=static)
    with pytest.raises(ValueError, match="static with y only"):
        forecaster.predict(static=STATIC)
    with pytest.raises(ValueError, match="fit was given none"):
        cheap(**ROLES).fit(LONG).predict(y=LONG, static=STATIC)


def test_what_is_said_of_few_series_tells_nothing_of_others():
    y = [wave(90, i) for i in range(3)]
    sizes = cheap().fit(y, static=[[1.0], [2.0], [3.0]])
    near, far = (sizes.predict(y=y[:1], static=[[size]])[0] for size in (1.0, 30.0))
    assert np.abs(far - near).max() < 1
    kinds = cheap().fit(y, static=[["a"], ["b"], ["c"]])
    near, far = (kinds.predict(y=y[:1], static=[[kind]])[0] for kind in "az")
    assert np.abs(far - near).max() < 1


def test_columns_that_are_never_known():
    y = [wave(90, i) for i in range(3)]
    unknown = cheap().fit(y, static=[[np.nan]] * 3).predict()
    assert_allclose(np.concatenate(unknown), np.concatenate(cheap().fit(y).predict()), 1e-9)
