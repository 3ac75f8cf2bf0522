"""Covariates: in y or in X, known in the future or not, of any form."""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skgru import backtest
from tests.forecaster.cheap import HORIZON, cheap, days, long_table, numbers, wave

N, N_AHEAD = 60, 5
INDEX = days(N + N_AHEAD)
PRICE, WIND = np.random.default_rng(0).normal(size=(2, N + N_AHEAD))
X = pd.DataFrame({"price": PRICE, "wind": WIND}, INDEX)
PAST, FUTURE = X[:N], X[N:]
# Twice the price: nothing but the price of the day tells it.
SALES = pd.Series(2 * PRICE[:N] + 5, INDEX[:N], name="sales")
TRUTH = 2 * PRICE[N:] + 5
TABLE = PAST.assign(sales=SALES)
NO_SEASON = {"season": None, "calendar": None}


def with_known(**parameters):
    return cheap(**NO_SEASON, **{"known": "price"} | parameters)


@pytest.fixture(scope="module")
def beside():
    """A forecaster with covariates in X."""
    return with_known().fit(SALES, PAST)


@pytest.fixture(scope="module")
def inside():
    """The same with covariates in y."""
    return with_known(target="sales").fit(TABLE)


def test_what_is_known_is_used(beside):
    assert_allclose(beside.predict(X=FUTURE), TRUTH[:HORIZON], atol=1e-2)
    assert_allclose(beside.predict(5, X=FUTURE), TRUTH[:5], atol=1e-2)


def test_what_is_not_known_is_not_used():
    blind = cheap(**NO_SEASON).fit(SALES, X)
    assert np.abs(blind.predict() - TRUTH[:HORIZON]).max() > 0.5
    changed = X.copy()
    changed[N:] = 1e3
    assert_array_equal(cheap(**NO_SEASON).fit(SALES, changed).predict(), blind.predict())


def test_networks_read_what_is_known():
    """Other members find the price too; the networks have to find it alone."""
    options = {"max_iter": 60, "learning_rate_init": 0.02, "dropout": 0}
    losses = [
        [network.loss_ for network in with_known(**options, known=known).fit(SALES, PAST).networks_]
        for known in ("price", ())
    ]
    assert max(losses[0]) < 0.2 * min(losses[1])


FUTURES = {
    "known": FUTURE[["price"]],
    "all": FUTURE,
    "all rows": X,
    "another order": FUTURE[["wind", "price"]],
    "series": FUTURE["price"],
    "array": FUTURE[["price"]].to_numpy(),
    "column": FUTURE["price"].to_numpy(),
    "list": FUTURE["price"].tolist(),
    "array of all": FUTURE.to_numpy(),
    "polars": pl.from_pandas(FUTURE.reset_index(drop=True)),
    "arrow": pa.table({"price": PRICE[N:]}),
    "no dates": FUTURE.reset_index(drop=True),
}


@pytest.mark.parametrize("form", FUTURES)
def test_every_form_of_the_future(beside, form):
    expected = beside.predict(X=FUTURES["known"])
    assert_array_equal(beside.predict(X=FUTURES[form]), expected)


@pytest.mark.parametrize("form", ["known", "all", "all rows", "another order", "array", "column"])
def test_covariates_in_y_are_those_in_x(beside, inside, form):
    forecast = inside.predict(X=FUTURES[form])
    assert list(forecast) == ["sales"]
    assert_allclose(numbers(forecast), beside.predict(X=FUTURE))


def test_covariates_in_arrays(beside):
    expected = beside.predict(X=FUTURE).to_numpy()
    y, future = TABLE.to_numpy(), FUTURE.to_numpy()
    for known in (0, -3, [0]):
        forecaster = with_known(target=2, known=known).fit(y)
        assert_allclose(forecaster.predict(X=future)[:, 0], expected)
        assert_allclose(forecaster.predict(X=future[:, 0])[:, 0], expected)
    forecaster = with_known(known=0).fit(SALES.to_numpy(), PAST.to_numpy())
    assert_allclose(forecaster.predict(X=future), expected)
    assert_allclose(with_known(known=0).fit(SALES.to_list(), X.to_numpy()).predict(), expected)


@pytest.mark.parametrize("library", [pd, pl])
def test_numbers_mean_columns_of_their_container_in_every_form(library):
    """Of the columns sales, price and wind, number 1 is the price: in an array and in a frame."""
    table = TABLE[["sales", "price", "wind"]].reset_index(drop=True)
    expected = with_known(target=0, known=1).fit(table.to_numpy()).predict(X=PRICE[N:])
    frame = table if library is pd else pl.from_pandas(table)
    forecast = with_known(target=0, known=1).fit(frame).predict(X=PRICE[N:])
    assert_array_equal(numbers(forecast), expected.ravel())
    assert np.abs(expected.ravel() - TRUTH[:HORIZON]).max() < 0.01


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_a_series_is_the_column_of_its_name(library):
    price = X["price"] if library == "pandas" else pl.Series("price", PRICE)
    expected = with_known().fit(SALES, X[["price"]][:N]).predict(X=FUTURE[["price"]])
    for known in ("price", 0):
        forecaster = with_known(known=known).fit(SALES, price[:N])
        for future in (price[N:], FUTURE[["price"]], PRICE[N:]):
            assert_array_equal(forecaster.predict(X=future), expected)
    with pytest.raises(
        ValueError, match=r"Expected the columns \['price'\] in X, .* got \['wind'\]"
    ):
        forecaster.predict(X=X["wind"][N:])
    numbered = backtest(with_known(known=0), SALES.rename(5), PRICE[:N], initial=50, coverage=None)
    assert numbered.models[0] == "GRUForecaster"


def test_x_that_goes_on_beyond_y_is_the_future(beside):
    expected = beside.predict(5, X=FUTURE)
    longer = with_known().fit(SALES, X)
    assert_array_equal(longer.predict(5), expected)
    with pytest.raises(ValueError, match=r"for the 6 steps .* got none for 2024-03-06"):
        longer.predict(6)
    # What is given later is newer.
    assert_allclose(longer.predict(X=FUTURE + 1), TRUTH[:HORIZON] + 2, atol=1e-2)


def test_covariates_of_other_series(beside, inside):
    n = 40
    expected = beside.predict(y=SALES[:n], X=X[: n + 3])
    assert_allclose(expected, 2 * PRICE[n : n + 3] + 5, atol=1e-2)
    for future in (X[["price"]][n : n + 3], X[["price"]][: n + 3], X[: n + 3]):
        assert_allclose(numbers(inside.predict(y=TABLE[:n], X=future)), expected)
    # Some in y, some in X.
    both = with_known(target="sales").fit(TABLE[["sales", "price"]], PAST[["wind"]])
    assert_allclose(numbers(both.predict(X=FUTURE)), beside.predict(X=FUTURE))
    # What y has of the past counts, whatever X says.
    wrong = X.assign(price=np.where(np.arange(len(X)) < n, 1e3, X["price"]))
    for future in (X, wrong):
        forecast = both.predict(y=TABLE[["sales", "price"]][:n], X=future[: n + 3])
        assert_allclose(numbers(forecast), expected)


@pytest.mark.parametrize(
    ("future", "message"),
    [
        (None, "for the 3 steps to be forecast, got none for 2024-03-01"),
        (FUTURE[:2], "got none for 2024-03-03"),
        (FUTURE.drop(INDEX[N + 1]), "got none for 2024-03-02"),
        (FUTURE[1:], "got none for 2024-03-01"),
        (PAST, "got none for 2024-03-01"),
        (FUTURE.shift(1000, freq="D"), "got none for 2024-03-01"),
        (PRICE[:2], "got none for 2024-03-03"),
        (FUTURE.shift(1, freq="h"), "on the steps of the series"),
        (FUTURE.tz_localize("UTC"), "of no time zone in X, as in y, got dates of the ti.* UTC"),
        (FUTURE[["wind"]], r"Expected the columns \['price'\] in X"),
        (FUTURE.rename(columns={"price": "cost"}), r"got \['cost', 'wind'\]"),
        (FUTURE.assign(more=1.0), r"got \['price', 'wind', 'more'\]"),
        (np.zeros((3, 3)), "Expected 1 columns in X"),
    ],
)
def test_a_future_that_is_not_the_one_asked_for(beside, future, message):
    with pytest.raises(ValueError, match=message):
        beside.predict(X=future)


def test_rows_that_are_counted_are_those_of_their_numbers():
    x, sales = X.reset_index(drop=True), SALES.reset_index(drop=True)
    forecaster = with_known().fit(sales, x[:N])
    expected = forecaster.predict(X=x[N:])
    for future in (x[N:].reset_index(drop=True), x[N:].to_numpy()[:, :1], x[N - 9 :]):
        assert forecaster.predict(X=future).equals(expected)
    # From the table of all steps, the first rows would be taken for the future.
    for future in (x, x[:N], X.to_numpy()):
        with pytest.raises(
            ValueError, match=r"for the 3 steps to be forecast, got 6\d rows without"
        ):
            forecaster.predict(X=future)
    with pytest.raises(ValueError, match="for the 3 steps to be forecast, got none for step 1"):
        forecaster.predict(X=x[N + 1 :])
    with pytest.raises(ValueError, match="rows of X for the 60 steps of y, got 55"):
        forecaster.fit(sales, x[5:])
    many = np.zeros((2 * N, 1))
    assert len(forecaster.predict(2 * N, X=many)) == 2 * N


def test_a_future_that_is_not_known_is_not_taken():
    with pytest.raises(ValueError, match="no covariates are known in the future"):
        cheap().fit(SALES, PAST).predict(X=FUTURE)
    with pytest.raises(ValueError, match="Expected no X"):
        cheap().fit(SALES).predict(X=FUTURE)


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (PAST.to_numpy()[:-1], "for the 60 steps of y, got 59"),
        (PAST.reset_index(drop=True)[:-1], "for the 60 steps of y, got 59"),
        (PAST.shift(1000, freq="D"), "for the 60 steps of y, got none"),
        (PAST.shift(1, freq="h"), "on the steps of the series"),
        (PAST.assign(kind="a"), "got text in column 'kind' of X"),
        (PAST.assign(price=np.inf), "got inf in step 0 of X"),
    ],
)
def test_x_that_does_not_belong_to_y(x, message):
    with pytest.raises(ValueError, match=message):
        cheap().fit(SALES, x)


def test_dates_with_a_time_zone_are_matched_by_the_moment():
    x = X.tz_localize("Europe/Berlin")
    sales = SALES.tz_localize("Europe/Berlin")
    forecaster = with_known().fit(sales, x[:N])
    expected = forecaster.predict(X=x[N:])
    assert forecaster.predict(X=x[N:].tz_convert("UTC")).equals(expected)
    with pytest.raises(ValueError, match=r"zone Europe/Berlin in X, as in y, got .* no "):
        forecaster.predict(X=FUTURE)
    with pytest.raises(ValueError, match=r"zone Europe/Berlin in y, as in fit, got .* no "):
        forecaster.score(SALES.shift(N, freq="D")[:5], FUTURE)


def test_x_that_begins_later_or_ends_earlier():
    with pytest.warns(UserWarning, match="no rows for the first or last steps of y, 7") as record:
        late = cheap(**NO_SEASON).fit(SALES, PAST[4:-3])
    assert record[0].filename == __file__
    missing = PAST.copy()
    missing.iloc[:4], missing.iloc[-3:] = np.nan, np.nan
    assert_array_equal(late.predict(), cheap(**NO_SEASON).fit(SALES, missing).predict())


def test_x_in_another_order_is_matched_by_its_dates(beside):
    assert_array_equal(
        with_known(time="day")
        .fit(
            SALES.rename_axis("day").reset_index(),
            PAST.rename_axis("day").reset_index().sample(frac=1, random_state=0),
        )
        .predict(X=FUTURE)["sales"],
        beside.predict(X=FUTURE),
    )


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"target": "sale"}, r"target: expected the columns of y, \['price', .*got 'sale'"),
        ({"target": 3}, "target: .*got 3"),
        ({"target": []}, "target: expected one or several"),
        ({"target": ["sales", "sales"]}, "target: expected each column once"),
        ({"target": "sales", "known": "sales"}, r"known: .*\['price', 'wind'\], got 'sales'"),
        ({"target": "sales", "known": 2}, "known: .*got 2"),
        ({"target": "sales", "known": True}, "known: .*got True"),
        ({"target": "sales", "known": ["wind", 1]}, "known: expected each column once"),
        ({"known": "price"}, "known: .*of which there are none, got 'price'"),
    ],
)
def test_columns_that_are_not_there(parameters, message):
    with pytest.raises(ValueError, match=message):
        cheap(**parameters).fit(TABLE)


def test_a_name_or_number_of_two_columns_is_refused():
    with pytest.raises(ValueError, match="'wind' is the name of 2 columns"):
        with_known(target="sales", known="wind").fit(TABLE, PAST[["wind"]])
    y = TABLE.to_numpy()
    with pytest.raises(ValueError, match=r"known: .*got 0"):
        with_known(target=2, known=0).fit(y, y[:, :1])


def test_other_x_than_in_fit_is_refused(beside):
    n = 40
    for other, message in [
        (None, "Expected X with 2 covariates"),
        (X[["wind", "price"]], r"Expected the columns \['price', 'wind'\] in X"),
        (X[["price"]], r"Expected the columns \['price', 'wind'\] in X"),
        (X.to_numpy()[:, :1], "Expected the columns"),
    ]:
        with pytest.raises(ValueError, match=message):
            beside.predict(y=SALES[:n], X=other)


@pytest.mark.parametrize("missing", ["decay", "indicator"])
def test_covariates_may_be_missing(missing):
    x = PAST.copy()
    x.iloc[3:9, 1] = np.nan
    x.iloc[:, 0] = np.where(np.arange(N) < 20, np.nan, x.iloc[:, 0])
    forecast = with_known(missing=missing).fit(SALES, x).predict(X=FUTURE)
    assert np.isfinite(forecast).all()


def test_known_covariates_may_be_missing_altogether():
    x = PAST.assign(price=np.nan)
    forecaster = cheap(known="price", season=7).fit(SALES, x)
    assert np.isfinite(forecaster.predict(X=FUTURE)).all()


def test_covariates_that_may_not_be_missing():
    x = PAST.copy()
    x.iloc[3, 1] = np.nan
    with pytest.raises(ValueError, match=r"missing='error'.*'wind' in step 3"):
        cheap(missing="error").fit(SALES, x)
    forecaster = cheap(missing="error").fit(SALES, PAST)
    with pytest.raises(ValueError, match=r"missing='error'.*'wind' in step 3"):
        forecaster.predict(y=SALES[:20], X=x[:20])


def test_a_covariate_that_is_always_missing():
    forecast = cheap(**NO_SEASON).fit(SALES, PAST.assign(none=np.nan)).predict()
    assert np.isfinite(forecast).all()


# Panels

LONG = long_table()
ROLES = {"series": "shop", "time": "day", "known": "holiday"}
N_LONG = 20
CALENDAR = pd.DataFrame({"holiday": wave(N_LONG + 3, 9)}, days(N_LONG + 3))
OF_EACH = pd.concat(
    [CALENDAR.assign(shop=key).rename_axis("day").reset_index() for key in ("a", "b", "c")]
)
EXPECTED = numbers(cheap(**ROLES).fit(LONG, CALENDAR).predict())


def future_of(table):
    return table[table["day"] > LONG["day"].max()]


def to_dict(table):
    return {name: table[name].to_numpy() for name in table}


@pytest.mark.parametrize("library", [pd, pl, dict])
def test_one_table_of_dates_belongs_to_all_series(library):
    y, x, future = LONG, OF_EACH, future_of(OF_EACH)
    convert = {pd: lambda table: table, pl: pl.from_pandas, dict: to_dict}[library]
    y, x, future = map(convert, (y, x, future))
    assert_array_equal(numbers(cheap(**ROLES).fit(y, x).predict()), EXPECTED)
    assert_array_equal(numbers(cheap(**ROLES).fit(y, x).predict(X=future)), EXPECTED)
    calendar = CALENDAR.rename_axis("day").reset_index()
    assert_array_equal(numbers(cheap(**ROLES).fit(y, convert(calendar)).predict()), EXPECTED)


def test_rows_belong_to_series_by_their_names():
    of_each = OF_EACH.assign(
        holiday=OF_EACH["holiday"] * OF_EACH["shop"].map({"a": 1, "b": 2, "c": 3})
    )
    forecaster = cheap(**ROLES).fit(LONG, of_each)
    expected = numbers(forecaster.predict())
    assert (expected != EXPECTED).all()
    levels = of_each.set_index(["shop", "day"])
    by_levels = cheap(known="holiday").fit(LONG.set_index(["shop", "day"]), levels)
    assert_array_equal(numbers(by_levels.predict()), expected)
    with pytest.raises(ValueError, match="none of 'c'"):
        forecaster.predict(X=future_of(of_each[of_each["shop"] != "c"]))
    past = of_each[of_each["day"] <= LONG["day"].max()]
    forecaster = cheap(**ROLES).fit(LONG, past)
    some = future_of(of_each)
    some = some[(some["shop"] != "c") | (some["day"] != some["day"].min())]
    with pytest.raises(ValueError, match="of the series 'c', got none for 2024-01-21"):
        forecaster.predict(X=some)


def test_lists_of_covariates():
    y = [wave(40), wave(30, 1)]
    x = [wave(43, 2)[:, np.newaxis], wave(33, 3)[:, np.newaxis]]
    forecaster = cheap(known=0).fit(y, x)
    expected = forecaster.predict()
    later = cheap(known=0).fit(y, [one[:-3] for one in x]).predict(X=[one[-3:] for one in x])
    for one, other in zip(expected, later, strict=True):
        assert_array_equal(one, other)
    with pytest.raises(ValueError, match="Expected X for 2 series"):
        forecaster.predict(X=x[:1])


def test_the_level_of_a_covariate_does_not_matter():
    X, many = np.random.default_rng(0).normal(size=(N, 1)), 110  # so many that networks stand alone
    near, far = (
        cheap().fit([wave(N)] * many, [X + level] * many).predict()[0] for level in (0, 1e9)
    )
    assert_allclose(far, near, rtol=1e-4)


def test_a_series_without_a_stamp_has_no_future():
    with (
        pytest.warns(UserWarning, match="1 of 2 series have fewer"),
        pytest.raises(ValueError, match="of a series of 0: it has no stamp"),
    ):
        cheap(known="price").fit([SALES, SALES[:0]], [X, X])


def test_rounding_is_no_change_of_a_covariate():
    # Prices of 0.3 and of 0.1 + 0.2, which are not the same number: no effect is learned from them.
    price = pd.DataFrame({"price": np.where(WIND > 0, 0.3, 0.1 + 0.2)}, INDEX)
    forecaster = with_known().fit(SALES, price[:N])
    assert_allclose(forecaster.predict(X=price[N:] + 9), forecaster.predict(X=price[N:]), atol=0.5)


@pytest.mark.parametrize("known", [(), "price"])
@pytest.mark.parametrize("jitter", [1e-12, 1e-8, 1e-3])
def test_covariates_far_from_all_that_was_seen_have_bounds(known, jitter):
    rng = np.random.default_rng(1)
    price = pd.DataFrame({"price": 5 * (1 + jitter * rng.normal(size=len(INDEX)))}, INDEX)
    forecaster = cheap(known=known).fit(SALES, price[:N])
    far = 1.1 * price
    given = {"X": price[N:]} if known else {"X": price[:N], "y": SALES}
    other = {"X": far[N:]} if known else {"X": far[:N], "y": SALES}
    assert np.abs(forecaster.predict(**other) - forecaster.predict(**given)).max() < 3 * SALES.std()
