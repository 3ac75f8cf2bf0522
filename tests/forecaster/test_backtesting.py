"""Backtests: what is forecast from origins of the past, by what was known then."""

import pickle
import sys
from itertools import pairwise

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from joblib import parallel_config
from sklearn.base import clone
from sklearn.metrics import mean_absolute_error, root_mean_squared_error

from skgru import GRUForecaster, backtest
from skgru._backtesting.origins import TimeAxis, n_initial
from skgru._data.series import open_panel

N = 100
DAYS = pd.date_range("2024-01-01", periods=N, freq="D", name="day")
RNG = np.random.default_rng(0)
WAVE = 10 + np.sin(np.arange(N) * 2 * np.pi / 6) + 0.1 * RNG.normal(size=N)
Y = pd.Series(WAVE, DAYS, name="load")
X = pd.DataFrame({"price": RNG.normal(size=N), "flow": RNG.normal(size=N)}, DAYS)
BASELINES = ["persistence", "seasonal_naive", "ridge"]


def make(**parameters):
    options = {"window": 12, "horizon": 3, "hidden_layer_sizes": (4,), "max_iter": 1}
    return GRUForecaster(**{**options, "random_state": 0, "season": 6, **parameters})


def forecasts_of(result, names=("forecast", "lower", "upper")):
    """Return the forecasts as an array (n_forecasts, n_names)."""
    return np.column_stack([result.forecasts[name] for name in names])


# --- The forecasts are those of fit and predict -------------------------------------------------


def by_hand(fitted, end, n, y=None):
    """Return what a fitted forecaster predicts of what is known at an end."""
    known = X.iloc[: end + n].copy()
    known.loc[known.index[end:], "flow"] = np.nan
    given = {"X": known["price"].iloc[end:].to_frame()} if y is None else {"X": known, "y": y}
    bands = fitted.predict_interval(n, coverage=0.8, **given)
    return np.column_stack([fitted.predict(n, **given), bands])


@pytest.mark.parametrize(("refit", "n"), [(False, None), (2, None), (False, 7), (False, 2)])
def test_forecasts_are_those_of_fit_and_predict(refit, n):
    forecaster = make(known="price")
    result = backtest(forecaster, Y, X, n=n, initial=70, step=8, refit=refit, coverage=0.8)
    n = 3 if n is None else n
    ends = list(range(70, N - n + 1, 8))
    expected, fitted = [], None
    for i, end in enumerate(ends):
        if i == 0 or (refit and i % refit == 0):
            fitted = clone(forecaster).fit(Y.iloc[:end], X.iloc[:end])
            expected.append(by_hand(fitted, end, n))
        else:
            expected.append(by_hand(fitted, end, n, y=Y.iloc[:end]))
    np.testing.assert_allclose(forecasts_of(result), np.concatenate(expected), rtol=1e-5)
    table = result.forecasts
    assert list(table["origin"]) == [DAYS[end - 1] for end in ends for _ in range(n)]
    assert list(table["time"]) == [DAYS[end + k] for end in ends for k in range(n)]
    np.testing.assert_array_equal(table["truth"], Y[table["time"]])
    np.testing.assert_allclose(table["persistence"], Y[table["origin"]])
    np.testing.assert_array_equal(table["step"], np.tile(np.arange(n) + 1, len(ends)))
    assert list(result.origins) == [DAYS[end - 1] for end in ends]
    assert len(result.fit_times) == (-(-len(ends) // refit) if refit else 1)
    assert not hasattr(forecaster, "window_")


def test_the_simple_forecasts_are_what_their_names_say():
    result = backtest(make(), Y, initial=70, n=8, coverage=None)
    table = result.forecasts
    assert "lower" not in table
    origins = DAYS.get_indexer(table["origin"])
    np.testing.assert_allclose(table["persistence"], WAVE[origins])
    season_ago = origins + table["step"] - 6 * -(-table["step"] // 6)
    np.testing.assert_allclose(table["seasonal_naive"], WAVE[season_ago])


def test_ridge_reads_the_window_and_what_is_known_of_the_future():
    price = RNG.normal(size=300)
    y = np.convolve(price, [1, 0.5, -0.5], mode="full")[:300] + 5
    forecaster = make(known=0, season=None)
    errors = backtest(forecaster, y, price, baselines="ridge", step=1).summary
    assert errors["MAE"][1] < 0.02
    unknown = backtest(make(season=None), y, price, baselines="ridge", step=1).summary
    assert unknown["MAE"][1] > 0.5


# --- Nothing after an origin is seen ------------------------------------------------------------


def panel(wave=WAVE, price=X["price"], flow=X["flow"]):
    """Return series a, b from day 20 on and c from day 75 on, as a long table."""
    starts = {"a": 0, "b": 20, "c": 75}
    parts = [
        pd.DataFrame(
            {"name": key, "day": DAYS, "load": (k + 1) * wave, "price": price, "flow": flow}
        ).iloc[start:]
        for k, (key, start) in enumerate(starts.items())
    ]
    return pd.concat(parts, ignore_index=True)


COLUMNS = {"series": "name", "time": "day", "target": "load", "known": "price"}
some_are_short = pytest.mark.filterwarnings("ignore:1 of . series have fewer than 15 steps")


@some_are_short
@pytest.mark.parametrize(("refit", "n"), [(False, None), (2, 7), (False, 2)])
def test_what_comes_after_an_origin_changes_none_of_its_forecasts(refit, n):
    static = pd.DataFrame({"name": ["b", "c", "a"], "kind": ["x", "y", "x"]})
    options = {"n": n, "initial": 70, "step": 5, "refit": refit, "static": static}
    before = backtest(make(**COLUMNS), panel(), **options).forecasts
    last = DAYS[89]  # from it on, the future is another
    later = np.arange(N) > 89
    wave = np.where(later, 1e4 * RNG.normal(size=N), WAVE)
    flow = np.where(later, 1e4, X["flow"])
    price = np.where(np.arange(N) > 89 + (n or 3), 1e4, X["price"])
    after = backtest(make(**COLUMNS), panel(wave, price, flow), **options).forecasts
    known = before["origin"] <= last
    assert set(before["series"][before["origin"] == last]) == {"a", "b", "c"}
    columns = ["forecast", "lower", "upper", *BASELINES]
    pd.testing.assert_frame_equal(before.loc[known, columns], after.loc[known, columns])
    assert (before.loc[~known, "forecast"] != after.loc[~known, "forecast"]).all()
    # ... but what is known of the future does.
    price = np.where(later, 1e4, X["price"])
    other = backtest(make(**COLUMNS), panel(WAVE, price), **options).forecasts
    rows = before["origin"] == last
    assert (before.loc[rows, ["forecast", "ridge"]] != other.loc[rows, ["forecast", "ridge"]]).all(
        axis=None
    )


def test_without_refits_nothing_after_the_first_origin_is_learned():
    later = np.arange(N) >= 70
    other = np.where(later, WAVE * 5 + 100, WAVE)
    before, after = (backtest(make(), y, initial=70, step=30) for y in (WAVE, other))
    for name in ("forecast", "lower", "upper", *BASELINES):
        np.testing.assert_array_equal(before.forecasts[name], after.forecasts[name])
    assert before.summary["MAE"][0] < after.summary["MAE"][0]
    mase = after.summary["MASE"] / after.summary["MAE"]
    np.testing.assert_allclose(mase, before.summary["MASE"] / before.summary["MAE"])


@some_are_short
def test_series_begin_at_their_own_times():
    result = backtest(make(**COLUMNS), panel(), initial=70, step=1, refit=10)
    first = result.forecasts.groupby("series")["origin"].min()
    assert dict(first) == {"a": DAYS[69], "b": DAYS[69], "c": DAYS[75 + 12 - 1]}
    scaled = result.errors_by("series", "origin").query("model == 'ridge'")
    there = scaled[scaled["series"] == "c"].set_index("origin")["MASE"].notna()
    # Its scale takes a fit that knows more than a season of it: that at day 89.
    assert there.to_dict() == {day: day >= DAYS[89] for day in DAYS[86:97]}
    once = backtest(make(**COLUMNS), panel(), initial=70, step=1).errors_by("series")
    assert once.loc[once["series"] == "c", "MASE"].isna().all()
    assert once["MAE"].notna().all()


def test_series_end_at_their_own_times():
    result = backtest(make(), [Y, Y.iloc[:85]], initial=70, step=7, coverage=None)
    table = result.forecasts
    ends = table.groupby("series")["origin"].unique()
    assert list(ends[0]) == [DAYS[t] for t in (69, 76, 83, 90)]
    assert list(ends[1]) == [DAYS[t] for t in (69, 76, 83)]
    assert table["truth"].isna().sum() == 2
    counted = table.loc[table["series"] == 1].dropna(subset="truth")
    expected = mean_absolute_error(counted["truth"], counted["persistence"])
    assert result.errors_by("series").loc[3, "MAE"] == pytest.approx(expected)


def test_more_steps_begin_with_those_of_the_horizon():
    y = LONG.assign(load=LONG["load"] ** np.where(LONG["name"] == "a", 1, 2))
    short, long = (backtest(make(**COLUMNS), y, n=n, step=5) for n in (3, 7))
    last = long.forecasts["origin"].max()
    names = ("forecast", "lower", "upper")
    ours = long.forecasts.query("step <= 3").reset_index(drop=True)
    theirs = short.forecasts[short.forecasts["origin"] <= last].reset_index(drop=True)
    pd.testing.assert_frame_equal(ours[[*names, "time"]], theirs[[*names, "time"]], rtol=1e-5)


@some_are_short
def test_static_rows_follow_the_series_of_a_list_that_have_begun():
    days = [DAYS, DAYS[75:], DAYS[20:]]
    y = [pd.Series(WAVE[-len(index) :], index) for index in days]
    static = np.array([[1.0], [2.0], [1.0]])  # two unlike values would be scaled to -1 and 1
    result = backtest(make(), y, static=static, initial=70, refit=True)
    fitted = make().fit([y[0][:70], y[2][:50]], static=static[[0, 2]])
    expected = np.concatenate(fitted.predict())
    first = result.forecasts.query("origin == @DAYS[69]")
    np.testing.assert_allclose(first["forecast"], expected, rtol=1e-6)
    assert set(result.forecasts["series"]) == {0, 1, 2}


# --- Forms -------------------------------------------------------------------------------------


LONG = panel().query("name != 'c'").reset_index(drop=True)
PARTS = [part for _, part in LONG.groupby("name")]
FORMS = {
    "pandas": (LONG, COLUMNS, pd.DataFrame),
    "polars": (pl.DataFrame(LONG), COLUMNS, pl.DataFrame),
    "Arrow": (pa.Table.from_pandas(LONG, preserve_index=False), COLUMNS, pa.Table),
    "dict": ({name: LONG[name].to_numpy() for name in LONG}, COLUMNS, dict),
    "MultiIndex": (
        LONG.set_index(["name", "day"]),
        {"target": "load", "known": "price"},
        pd.DataFrame,
    ),
    "list": (
        [part.set_index("day").drop(columns="name") for part in PARTS],
        {"target": "load", "known": "price"},
        pd.DataFrame,
    ),
}


@pytest.fixture(scope="module")
def of_pandas():
    return backtest(make(**COLUMNS), LONG)


@pytest.mark.parametrize("form", FORMS)
def test_every_form_has_the_same_forecasts_in_tables_of_its_library(form, of_pandas):
    y, columns, kind = FORMS[form]
    result = backtest(make(**columns), y)
    for table in (result.forecasts, result.errors, result.summary):
        assert type(table) is kind
    names = ("forecast", "lower", "upper", *BASELINES, "truth", "step")
    ours, theirs = forecasts_of(result, names), forecasts_of(of_pandas, names)
    np.testing.assert_array_equal(ours, theirs)
    days = np.array(result.forecasts["time"], "M8[D]")
    np.testing.assert_array_equal(days, np.array(of_pandas.forecasts["time"], "M8[D]"))
    np.testing.assert_array_equal(
        np.array(result.errors["MASE"]), np.array(of_pandas.errors["MASE"])
    )


@pytest.mark.parametrize(
    "y", [WAVE, WAVE.tolist(), pl.Series(WAVE), pa.array(WAVE), Y.reset_index(drop=True)]
)
def test_series_without_labels_count_their_steps(y):
    result = backtest(make(), y, initial=70, step=10, baselines=False)
    np.testing.assert_array_equal(np.asarray(result.origins), [69, 79, 89])
    np.testing.assert_array_equal(np.asarray(result.forecasts["time"])[:4], [70, 71, 72, 80])
    assert result.models == ["GRUForecaster"]


def test_labels_stay_what_they_are():
    y = Y.copy()
    for index in (DAYS.tz_localize("Asia/Tokyo"), DAYS.to_period(), DAYS - DAYS[0]):
        y.index = index
        table = backtest(make(), y, initial=90).forecasts
        assert list(table["time"]) == list(index[[90, 91, 92, 93, 94, 95, 96, 97, 98]])
        assert table["origin"].dtype == index.dtype
    y.index = np.arange(5, 2 * N + 5, 2)
    assert list(backtest(make(), y, initial=94, n=6).forecasts["time"]) == list(range(193, 205, 2))


# --- Errors ------------------------------------------------------------------------------------


def test_errors_are_those_of_the_forecasts(of_pandas):
    table, errors = of_pandas.forecasts, of_pandas.errors_by("series", "step")
    assert len(errors) == 4 * 2 * 3
    for _, row in errors.iterrows():
        of = table[(table["series"] == row["series"]) & (table["step"] == row["step"])]
        forecast = of["forecast" if row["model"] == "GRUForecaster" else row["model"]]
        start = LONG.loc[LONG["name"] == row["series"], "load"].to_numpy()
        before = start[: len(start) - 20]
        scale = np.abs(before[6:] - before[:-6]).mean()
        assert row["MAE"] == pytest.approx(mean_absolute_error(of["truth"], forecast))
        assert row["RMSE"] == pytest.approx(root_mean_squared_error(of["truth"], forecast))
        assert row["MASE"] == pytest.approx(row["MAE"] / scale)
        assert np.isnan(row["coverage"]) == (row["model"] != "GRUForecaster")
    assert of_pandas.errors["step"].tolist() == [1, 2, 3] * 4
    overall = of_pandas.summary.set_index("model")
    ours = np.abs(table["truth"] - table["forecast"])
    assert overall.loc["GRUForecaster", "MAE"] == pytest.approx(ours.mean())
    inside = table["truth"].between(table["lower"], table["upper"])
    assert overall.loc["GRUForecaster", "coverage"] == pytest.approx(inside.mean())
    assert of_pandas.errors_by("origin")["origin"].nunique() == len(of_pandas.origins)


def test_targets_have_errors_of_their_own():
    y = pd.DataFrame({"a": WAVE, "b": 1000 * WAVE[::-1]}, DAYS)
    result = backtest(make(), y, baselines="persistence")
    assert result.summary["target"].tolist() == ["a", "b"] * 2
    assert result.summary["MAE"][1] > 100 * result.summary["MAE"][0]
    over_all = result.errors_by("step")
    unlike = ["MAE", "RMSE", "pinball", "width"]
    assert over_all[unlike].isna().all(axis=None)
    assert over_all["MASE"].notna().all()
    assert repr(result).splitlines()[1].split() == ["MASE", "coverage"]


def test_missing_values_count_nowhere():
    y = Y.copy()
    y.iloc[[91, 95]] = np.nan
    result = backtest(make(), y, initial=90)
    table = result.forecasts.dropna(subset="truth")
    assert len(table) == 7
    expected = mean_absolute_error(table["truth"], table["forecast"])
    assert result.summary["MAE"][0] == pytest.approx(expected)


def test_constant_series_have_no_scaled_errors():
    result = backtest(make(season=None), np.ones(60), coverage=None)
    assert np.isnan(result.summary["MASE"]).all()
    np.testing.assert_allclose(result.summary["MAE"], 0, atol=1e-6)


def test_too_few_windows_have_no_bands():
    with pytest.warns(UserWarning, match="Expected enough windows to calibrate bands, got 14"):
        result = backtest(make(), Y.iloc[:50], initial=28, step=10)
    assert result.forecasts["lower"].isna().all()
    assert result.forecasts["forecast"].notna().all()


def test_a_backtest_says_its_errors():
    lines = repr(backtest(make(), Y, initial=90)).splitlines()
    assert lines[0] == "Backtest: 3 origins, 3 steps ahead, fitted once"
    assert [line.split()[0] for line in lines[2:]] == ["GRUForecaster", *BASELINES]
    assert lines[1].split() == ["MAE", "RMSE", "MASE", "pinball", "coverage", "width"]
    assert len(lines[2].split()) == 7
    assert len(lines[3].split()) == 4


def test_results_do_not_depend_on_the_number_of_jobs():
    alone = backtest(make(), Y, initial=80, step=5, refit=True)
    with parallel_config("threading"):
        together = backtest(make(), Y, initial=80, step=5, refit=True, n_jobs=2)
    pd.testing.assert_frame_equal(alone.forecasts, together.forecasts)
    assert len(together.fit_times) == len(together.origins) == 4


def test_series_may_be_forecast_in_portions(of_pandas, monkeypatch):
    monkeypatch.setattr("skgru._backtesting.rolling._MAX_NUMBERS", 0)
    in_portions = backtest(make(**COLUMNS), LONG)
    pd.testing.assert_frame_equal(in_portions.forecasts, of_pandas.forecasts)


def test_a_backtest_can_be_saved(of_pandas):
    again = pickle.loads(pickle.dumps(of_pandas))
    pd.testing.assert_frame_equal(again.errors, of_pandas.errors)


# --- Parameters --------------------------------------------------------------------------------


MARCH = 31 + 29 + 31


@pytest.mark.parametrize(
    ("initial", "n_steps"),
    [
        (0.8, 80),
        (np.float32(0.5), 50),
        (75, 75),
        ("2024-03", MARCH),
        ("2024-03-15", MARCH - 16),
        (np.datetime64("2024-03-15"), MARCH - 16),
        (pd.Timestamp("2024-03-15 13:00"), MARCH - 16),
        (pd.Timestamp("2024-03-15", tz="Europe/Berlin"), MARCH - 16),
        (pd.Period("2024-03-15", "D"), MARCH - 16),
        (pd.Period("2024-03", "M"), MARCH),
    ],
    ids=str,
)
def test_the_first_origin_is_told_by_steps_a_share_or_a_label(initial, n_steps):
    y = Y if getattr(initial, "tz", None) is None else Y.tz_localize("Europe/Berlin")
    assert n_initial(initial, TimeAxis.of(open_panel(y).series)) == n_steps


def test_a_period_is_a_step_of_periods():
    months = pd.Series(WAVE, pd.period_range("2024-01", periods=100, freq="M"))
    assert n_initial(pd.Period("2025-03", "M"), TimeAxis.of(open_panel(months).series)) == 15


def test_dates_are_those_of_the_zone():
    hours = pd.date_range("2024-03-30", periods=90, freq="h", tz="America/New_York")
    y = pd.Series(WAVE[:90], hours)
    result = backtest(make(), y, initial="2024-03-31", step=100, coverage=None)
    assert list(result.origins) == [pd.Timestamp("2024-03-31 23:00", tz="America/New_York")]
    axis = TimeAxis.of(open_panel(y).series)
    assert hours[n_initial(pd.Timestamp("2024-03-31 05:00"), axis) - 1].hour == 5


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"initial": 15}, r"initial to be at least 16 steps \(window of 12, horizon of 3.*got 15"),
        ({"initial": 98}, "at least 3 steps of y after the first origin.*got 2 of 100"),
        ({"initial": 0}, "initial to be at least 16 steps.*got 0"),
        ({"initial": 1.5}, "share between 0 and 1, got 1.5"),
        ({"initial": True}, "a number of steps, a share or a label, got True"),
        ({"initial": "soon"}, "a date as 2024-06-30, got 'soon'"),
        ({"initial": "2020"}, "which begins at 2024-01-01, got '2020'"),
        ({"initial": np.timedelta64(3, "D")}, "one of the dates of y"),
        ({"initial": pd.Timestamp("2024-03-15", tz="UTC")}, "without a time zone, as y has none"),
        ({"baselines": ["naive"]}, "baselines: expected some of.*got 'naive'"),
        ({"step": 0}, "'step' parameter"),
        ({"refit": 0}, "'refit' parameter"),
        ({"coverage": 90}, "'coverage' parameter"),
        ({"n": 60, "initial": 40}, "at least 72 steps.*for the baseline 'ridge', got 40"),
    ],
    ids=str,
)
def test_parameters_without_sense_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        backtest(make(), Y, **options)


def test_labels_need_dates():
    with pytest.raises(ValueError, match="as y has no dates, got '2024-03'"):
        backtest(make(), WAVE, initial="2024-03")
    with pytest.raises(ValueError, match="labels of one kind"):
        backtest(make(), [Y, Y.reset_index(drop=True)])


@some_are_short
def test_some_series_goes_on():
    parts = [Y.iloc[:60], Y.iloc[65:]]
    with pytest.raises(ValueError, match=r"the window has, and some after it, got none of 2\."):
        backtest(make(), parts, initial=70, step=100, coverage=None)
    assert len(backtest(make(), parts, initial=70, coverage=None).forecasts) == 3 * 7


def test_the_window_of_auto_is_that_of_what_comes_before_the_first_origin():
    with pytest.raises(ValueError, match=r"at least 27 steps \(window of 6, horizon of 20"):
        backtest(make(window="auto", horizon=20), Y, initial=26)
    with pytest.raises(ValueError, match=r"at least 67 steps \(window of 16, horizon of 50"):
        backtest(make(window="auto", horizon=50), Y, initial=49)


def test_only_forecasters_and_groups_that_there_are(of_pandas):
    with pytest.raises(ValueError, match="'forecaster' parameter"):
        backtest("GRUForecaster", Y)
    with pytest.raises(ValueError, match="to group by, got 'day'"):
        of_pandas.errors_by("day")


# --- The picture -------------------------------------------------------------------------------


def test_a_picture_needs_matplotlib(of_pandas, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(ImportError, match=r"pip install 'skgru\[plot\]'"):
        of_pandas.plot()


def test_a_picture_shows_history_forecasts_and_bands(of_pandas):
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    ax = of_pandas.plot(series="b", origins=[0, -1], n_history=10)
    table = of_pandas.forecasts.query("series == 'b'")
    truth, *lines = [line for line in ax.lines if len(line.get_xdata()) > 2]
    assert len(truth.get_xdata()) == 10 + 94 - 79 + 3
    y = LONG.loc[LONG["name"] == "b"].set_index("day")["load"]
    dates = truth.get_xdata().astype("M8[ns]")
    np.testing.assert_array_equal(truth.get_ydata(), y[dates])
    assert len(lines) == 2
    for line, origin in zip(lines, (table["origin"].min(), table["origin"].max()), strict=True):
        expected = np.r_[y[origin], table.loc[table["origin"] == origin, "forecast"]]
        np.testing.assert_array_equal(line.get_ydata(), expected)
    assert [text.get_text() for text in ax.get_legend().texts] == [
        "what came",
        "forecast",
        "90 % band",
    ]
    assert ax.get_ylabel() == "load"
    ax.clear()
    assert of_pandas.plot(ax) is ax
    drawn = [line.get_ydata()[1] for line in ax.lines if len(line.get_xdata()) == 4]
    first = of_pandas.forecasts.query("series == 'a' and step == 1")["forecast"]
    np.testing.assert_array_equal(drawn, first[-4:])  # which do not overlap
    for options, message in [
        ({"series": "z"}, r"series: expected one of \['a', 'b'\], got 'z'"),
        ({"origins": 40}, "origins from -6 to 5"),
        ({"origins": "last"}, "integers as origins"),
        ({"target": "flow"}, "target: expected one of"),
        ({"n_history": -5}, "n_history as an integer of 0 or more, got -5"),
        ({"n_history": "all"}, "n_history as an integer of 0 or more, got 'all'"),
    ]:
        with pytest.raises(ValueError, match=message):
            of_pandas.plot(**options)
    ax = of_pandas.plot(series="b", origins=-1, n_history=9)  # from March to April
    ax.figure.draw_without_rendering()
    boxes = [label.get_window_extent() for label in ax.get_xticklabels() if label.get_text()]
    assert all(a.x1 < b.x0 for a, b in pairwise(boxes))
    of_array = backtest(make(), np.column_stack([WAVE, -WAVE]), coverage=None)
    drawn = of_array.plot(target=1).lines[0]
    np.testing.assert_array_equal(drawn.get_ydata(), -WAVE[drawn.get_xdata()])
    matplotlib.pyplot.close("all")


def test_values_that_the_loss_does_not_take_are_refused_before_any_fit():
    counts = np.tile([3.0, 1.0, 2.0], 20)
    counts[-1] = -1  # which no fit and no origin sees
    with pytest.raises(ValueError, match="expected no values below 0 in y, got -1"):
        backtest(GRUForecaster(window=6, horizon=3, loss="poisson"), counts)
