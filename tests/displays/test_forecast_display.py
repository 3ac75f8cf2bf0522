"""The picture of a forecast: what is drawn is what is predicted of the series asked for."""

import sys

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit

from skgru import ForecastDisplay, GRUForecaster, GRURegressor

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")
plt = pytest.importorskip("matplotlib.pyplot")

WINDOW, HORIZON, N = 8, 5, 60
RNG = np.random.default_rng(0)
WAVE = np.sin(np.arange(N + 30) / 2) + 0.1 * RNG.normal(size=N + 30)
HOURS = pd.date_range("2024-03-29 20:00", periods=N + 30, freq="h", tz="Europe/Berlin")
NAIVE = pd.date_range("2024-03-29 20:00", periods=N + 30, freq="h")
LOAD = pd.Series(WAVE, HOURS, name="load")
# A long table of series that end at unlike hours, in disorder, with two targets.
SHOPS = {"c": 0, "a": 3, "北方": 7}
LONG = pd.concat(
    [
        pd.DataFrame(
            {
                "shop": key,
                "when": NAIVE[start:],
                "sold": k + WAVE[start:],
                "left": -3.0 * WAVE[start:],
            }
        )
        for k, (key, start) in enumerate(SHOPS.items(), 1)
    ]
).sample(frac=1, random_state=0)


def make(**parameters):
    options = {"hidden_layer_sizes": 4, "max_iter": 1, "random_state": 0, "season": 13}
    return GRUForecaster(WINDOW, HORIZON, **options | parameters)


@pytest.fixture(autouse=True)
def _closed():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def of_series():
    return make().fit(LOAD[:N])


@pytest.fixture(scope="module")
def of_array():
    return make().fit(WAVE[:N])


@pytest.fixture(scope="module")
def of_table():
    before = LONG[LONG["when"] < NAIVE[N]]
    return make(series="shop", time="when").fit(before)


def ends_of(band):
    """Return the lower and the upper end of a band, at each of its places."""
    (path,) = band.get_paths()
    corners = path.vertices[:-1]
    places = np.unique(corners[:, 0])
    of_places = [corners[corners[:, 0] == x, 1] for x in places]
    return np.array([[ends.min(), ends.max()] for ends in of_places])


def assert_draws(display, times, history, forecast, bands=None, actual=None):
    """Hold the lines and the band of a picture against what they are of."""
    before, line, *came = display.lines_
    history, n = np.asarray(history), len(history)
    np.testing.assert_array_equal(before.get_xdata(), times[:n])
    np.testing.assert_array_equal(before.get_ydata(), history)
    np.testing.assert_array_equal(line.get_xdata(), times[n - 1 :])
    np.testing.assert_allclose(line.get_ydata(), np.r_[history[-1], forecast], rtol=1e-5)
    if bands is None:
        assert display.band_ is None
    else:
        start = [[history[-1]] * 2]
        np.testing.assert_allclose(ends_of(display.band_), np.r_[start, bands], rtol=1e-5)
    assert len(came) == (actual is not None)
    if came:
        np.testing.assert_array_equal(came[0].get_xdata(), times[n - 1 :])
        np.testing.assert_array_equal(came[0].get_ydata(), np.r_[history[-1], actual])
    assert all(line.axes is display.ax_ for line in display.lines_)
    assert display.figure_ is display.ax_.figure


def walls(labels):
    """Return dates by the clock on the wall, as pictures show them."""
    return labels.tz_localize(None).to_numpy("M8[s]")


def legend_of(display):
    return [text.get_text() for text in display.ax_.get_legend().texts]


# --- What is drawn -------------------------------------------------------------------------------


def test_a_series_with_dates_over_a_change_of_the_clock(of_series):
    display = ForecastDisplay.from_estimator(of_series, 7, coverage=0.8, actual=LOAD)
    assert_draws(
        display,
        walls(HOURS[N - WINDOW : N + 7]),
        LOAD[N - WINDOW : N],
        of_series.predict(7),
        of_series.predict_interval(7, coverage=0.8),
        LOAD[N : N + 7],
    )
    assert legend_of(display) == ["history", "forecast", "80 % band", "what came"]
    assert display.ax_.get_ylabel() == "load"
    assert display.ax_.get_xlabel() == "time, Europe/Berlin"
    assert display.ax_.get_title(loc="left") == ""


def test_an_array_is_drawn_by_its_steps(of_array):
    display = ForecastDisplay.from_estimator(of_array, actual=WAVE[N : N + 2], coverage=None)
    came = np.r_[WAVE[N : N + 2], np.full(3, np.nan)]
    steps = np.arange(N - WINDOW, N + HORIZON)
    assert_draws(display, steps, WAVE[N - WINDOW : N], of_array.predict(), None, came)
    assert legend_of(display) == ["history", "forecast", "what came"]
    assert (display.ax_.get_xlabel(), display.ax_.get_ylabel()) == ("step", "")


@pytest.mark.parametrize("library", ["pandas", "polars", "arrow", "dict"])
def test_of_a_long_table_the_series_and_the_target_that_are_named(of_table, library):
    convert = {
        "pandas": lambda table: table,
        "polars": pl.DataFrame,
        "arrow": lambda table: pl.DataFrame(table).to_arrow(),
        "dict": lambda table: {name: table[name].to_numpy() for name in table},
    }[library]
    options = {"actual": convert(LONG), "series": "北方", "target": "left"}
    if library != "pandas":  # what fit has read is of pandas
        options["y"] = convert(LONG[LONG["when"] < NAIVE[N]])
    display = ForecastDisplay.from_estimator(of_table, **options)
    own = LONG[LONG["shop"] == "北方"].sort_values("when").set_index("when")["left"]
    n = N - SHOPS["北方"]
    of_shop = of_table.predict().query("shop == '北方'")["left"]
    bands = of_table.predict_interval().query("shop == '北方'")[["left_lower", "left_upper"]]
    assert_draws(
        display,
        own.index[n - WINDOW : n + HORIZON].to_numpy("M8[s]"),
        own.iloc[n - WINDOW : n],
        of_shop,
        bands,
        own.iloc[n : n + HORIZON],
    )
    assert display.ax_.get_title(loc="left") == "北方"
    assert display.ax_.get_ylabel() == "left"


def test_the_first_series_and_the_first_target_by_default(of_table):
    display = ForecastDisplay.from_estimator(of_table)
    forecast = of_table.predict()
    first = forecast["shop"].iloc[0]
    assert (display.series_name, display.target_name) == (first, "sold")
    expected = forecast.loc[forecast["shop"] == first, "sold"]
    np.testing.assert_allclose(display.forecast, expected, rtol=1e-5)


def test_of_a_list_the_number_and_of_an_array_the_column():
    y = [np.column_stack([k * WAVE, -WAVE])[: N + k] for k in range(3)]
    forecaster = make().fit(y)
    actual = [of[-HORIZON:] for of in y]
    display = ForecastDisplay.from_estimator(forecaster, series=2, target=1, actual=actual)
    steps = np.arange(N + 2 - WINDOW, N + 2 + HORIZON)
    expected, bands = (
        predicted[2] for predicted in (forecaster.predict(), forecaster.predict_interval())
    )
    history = y[2][-WINDOW:]
    assert_draws(display, steps, history[:, 1], expected[:, 1], bands[:, 2:], actual[2][:, 1])
    assert display.ax_.get_title(loc="left") == "2"
    alone = ForecastDisplay.from_estimator(forecaster, series=2, actual=actual[2])
    assert_draws(alone, steps, history[:, 0], expected[:, 0], bands[:, :2], actual[2][:, 0])
    with pytest.raises(
        ValueError, match="the 2 columns of y, or the 2 of the targets alone, got 1"
    ):
        ForecastDisplay.from_estimator(forecaster, series=2, actual=actual[2][:, :1])


def test_covariates_and_later_values_are_handed_on():
    price = pd.DataFrame({"price": RNG.normal(size=N + 30)}, HOURS)
    forecaster = make(known="price").fit(LOAD[:N], price[:N])
    later = {"y": LOAD[: N + 9], "X": price[: N + 9 + HORIZON]}
    display = ForecastDisplay.from_estimator(forecaster, **later, n_history=40)
    times = walls(HOURS[N + 9 - 40 : N + 9 + HORIZON])
    bands = forecaster.predict_interval(**later)
    assert_draws(display, times, LOAD[N - 31 : N + 9], forecaster.predict(**later), bands)


def test_a_search_is_opened():
    search = GridSearchCV(make(), {"alpha": [0.1]}, cv=TimeSeriesSplit(2)).fit(LOAD[:N])
    display = ForecastDisplay.from_estimator(search)
    np.testing.assert_array_equal(display.forecast, search.best_estimator_.predict())


def test_one_step(of_array):
    display = ForecastDisplay.from_estimator(of_array, 1)
    steps = np.arange(N - WINDOW, N + 1)
    expected = of_array.predict(1), of_array.predict_interval(1)
    assert_draws(display, steps, WAVE[N - WINDOW : N], *expected)


def test_a_thousand_steps():
    ahead = np.sin(np.arange(1000) / 9)
    bands = np.column_stack([ahead - 1, ahead + 1])
    display = ForecastDisplay.from_predictions(WAVE, ahead, bands, actual=-ahead)
    assert_draws(display, np.arange(len(WAVE) + 1000), WAVE, ahead, bands, -ahead)
    display.figure_.draw_without_rendering()


def test_without_history_a_single_step_is_a_point_in_a_band(of_array):
    display = ForecastDisplay.from_estimator(of_array, 1, n_history=0)
    assert display.lines_[1].get_marker() == "o"
    assert display.band_.get_linewidth()[0] > 0
    assert legend_of(display) == ["forecast", "90 % band"]


def test_missing_values_are_gaps_and_lonely_ones_points(of_array):
    y = WAVE[:N].copy()
    y[[-4, -2, -1]] = np.nan
    display = ForecastDisplay.from_estimator(of_array, y=y)
    before, line = display.lines_
    np.testing.assert_array_equal(before.get_ydata(), y[-WINDOW:])
    assert (before.get_marker(), before.get_markevery()) == ("o", [5])
    # From the last known value on.
    assert (line.get_xdata()[0], line.get_ydata()[0]) == (N - 3, y[-3])


def test_ink_is_that_of_the_style_and_options_are_of_the_forecast(of_series):
    with plt.style.context("dark_background"):
        _, ax = plt.subplots()
        display = ForecastDisplay.from_estimator(
            of_series, ax=ax, color="red", label="a model", actual=LOAD
        )
    assert display.ax_ is ax
    before, line, came = display.lines_
    assert (before.get_color(), line.get_color(), came.get_color()) == ("white", "red", "white")
    assert tuple(display.band_.get_facecolor()[0][:3]) == (1, 0, 0)
    assert legend_of(display) == ["history", "a model", "90 % band", "what came"]


def test_options_have_their_short_names_too(of_series):
    display = ForecastDisplay.from_estimator(of_series, c="red", lw=3, ls=":")
    line = display.lines_[1]
    assert (line.get_color(), line.get_linewidth(), line.get_linestyle()) == ("red", 3, ":")


def test_a_dollar_in_a_name_is_a_dollar():
    name = "$x^$"  # as a formula it is none
    names = dict.fromkeys(["target_name", "series_name", "time_name"], name)
    ax = ForecastDisplay([1.0], [2.0], **names).plot().ax_
    written = [ax.get_xlabel(), ax.get_ylabel(), ax.get_title(loc="left")]
    assert [text.replace(r"\$", "$") for text in written] == [name] * 3
    ax.figure.draw_without_rendering()


def test_names_that_are_long_are_cut(of_series):
    values = of_series.predict().to_numpy()
    display = ForecastDisplay([1.0], values, target_name="f" * 99, series_name="g" * 99).plot()
    assert display.ax_.get_ylabel() == "f" * 47 + "…"
    assert display.ax_.get_title(loc="left") == "g" * 47 + "…"
    display.figure_.draw_without_rendering()
    np.testing.assert_array_equal(display.lines_[1].get_xdata(), np.arange(-1, HORIZON))


# --- From predictions ----------------------------------------------------------------------------


def test_predictions_in_containers_with_dates(of_series):
    forecast, bands = of_series.predict(), of_series.predict_interval()
    display = ForecastDisplay.from_predictions(
        LOAD[:N], forecast, bands, actual=LOAD, coverage=0.9, n_history=12
    )
    times = walls(HOURS[N - 12 : N + HORIZON])
    assert_draws(display, times, LOAD[N - 12 : N], forecast, bands, LOAD[N : N + HORIZON])
    assert display.ax_.get_ylabel() == "load"
    assert legend_of(display)[2] == "90 % band"


def test_predictions_without_labels_and_with_a_column_of_times():
    bands = np.array([[1.0, 3.0], [0.0, 4.0]])
    for convert in (np.asarray, pl.Series, list):
        given = convert([1.0, 2.0, 3.0]), convert([2.0, 2.5])
        ends = bands.tolist() if convert is list else bands
        display = ForecastDisplay.from_predictions(*given, ends)
        assert_draws(display, np.arange(5), [1, 2, 3], [2, 2.5], bands)
        assert legend_of(display)[2] == "band"
    days = pd.date_range("2024-01-30", periods=5)
    table = pl.DataFrame({"day": days, "sold": [1.0, 2, 3, 2, 2.5]})
    display = ForecastDisplay.from_predictions(table[:3], table[3:], actual=table, time="day")
    assert_draws(display, days.to_numpy("M8[s]"), [1, 2, 3], [2, 2.5], None, [2, 2.5])
    assert display.ax_.get_ylabel() == "sold"


def test_numbers_and_durations_as_an_index():
    years = pd.Index(range(1999, 2004), name="year")
    for index, times, name in [
        (years, years, "year"),
        (pd.to_timedelta(range(5), unit="h"), range(5), "step"),
        (pd.period_range("2001-11", periods=5, freq="M"), None, ""),
    ]:
        if times is None:
            times = index.to_timestamp().to_numpy("M8[s]")
        y = pd.Series([1.0, 2, 3, 2, 2.5], index)
        display = ForecastDisplay.from_predictions(y[:3], y[3:], actual=y)
        assert_draws(display, list(times), [1, 2, 3], [2, 2.5], None, [2, 2.5])
        assert display.ax_.get_xlabel() == name


def test_predictions_that_do_not_go_together():
    history = LOAD[:20]
    with pytest.raises(ValueError, match="coverage between 0 and 1, or None, got 90"):
        ForecastDisplay.from_predictions(history, LOAD[20:25], np.ones((5, 2)), coverage=90)
    for given, message in [
        ((history, LOAD[21:25]), "follow the 20 of history, got one that begins at step 21"),
        ((history, LOAD[20:25], np.ones((4, 2))), "bands with the 5 rows of the forecast, got 4"),
        ((history, LOAD[20:25], np.ones(5)), "bands of one series, 2 columns, got 1 series of 1"),
        ((LONG[["sold", "left"]].to_numpy(), [1]), "history of one series, one column, got 1 "),
    ]:
        with pytest.raises(ValueError, match=message):
            ForecastDisplay.from_predictions(*given)
    with pytest.raises(ValueError, match="actual to have some of the 5 steps"):
        ForecastDisplay.from_predictions(history, LOAD[20:25], actual=history)


# --- Errors --------------------------------------------------------------------------------------


def test_what_there_is_not_is_refused(of_series, of_table, of_array):
    utc = LOAD.tz_localize(None)
    with pytest.raises(NotFittedError):
        ForecastDisplay.from_estimator(make())
    with pytest.raises(TypeError, match=r"Expected a GRUForecaster.* got GRURegressor"):
        ForecastDisplay.from_estimator(GRURegressor())
    for forecaster, options, message in [
        (of_table, {"series": "b"}, "series: expected one of .*'北方'.* got 'b'"),
        (of_table, {"target": "price"}, r"target: expected one of \['sold', 'left'\]"),
        (of_series, {"coverage": 1.5}, "coverage between 0 and 1, or None, got 1.5"),
        (of_series, {"n_history": -1}, "n_history as an integer of 0 or more, got -1"),
        (of_series, {"n_history": 14}, "n_history of at most 13, .* give y for more"),
        (of_series, {"n": 0}, "Expected n as an integer"),
        (of_series, {"actual": LOAD[:N]}, "some of the 5 steps that are forecast, got 60 rows"),
        (of_series, {"actual": utc}, "time zone Europe/Berlin in actual"),
        (of_array, {"actual": WAVE[:N]}, "actual for the 5 steps .* got 60 rows without labels"),
        (of_table, {"actual": LONG.drop(columns="sold")}, r"columns of y, .* got \['left'\]"),
        (
            of_table,
            {"actual": LONG.query("shop == 'c'"), "series": "a"},
            "in actual, got none of 'a'",
        ),
    ]:
        with pytest.raises(ValueError, match=message):
            ForecastDisplay.from_estimator(forecaster, **options)
    assert not plt.get_fignums()


def test_all_history_that_is_kept_may_be_asked_for(of_series):
    display = ForecastDisplay.from_estimator(of_series, n_history=13)
    np.testing.assert_array_equal(display.history, LOAD[N - 13 : N])
    short = ForecastDisplay.from_estimator(of_series, y=LOAD[:20], n_history=99)
    np.testing.assert_array_equal(short.history, LOAD[:20])


def test_a_y_cut_to_draw_less_of_it_is_told_of_n_history():
    forecaster = GRUForecaster(14, 7, max_iter=1, random_state=0).fit(np.arange(90.0))
    said = r"at least 14 steps \(window\), got 9\. Give more of y: n_history=9 draws the last steps"
    with pytest.raises(ValueError, match=said):
        ForecastDisplay.from_estimator(forecaster, y=np.arange(90.0)[-9:])
    with pytest.raises(ValueError, match=r"at least 14 steps \(window\), got 9\.$"):
        forecaster.predict(y=np.arange(90.0)[-9:])


def test_too_few_windows_for_a_band():
    forecaster = make().fit(WAVE[: WINDOW + HORIZON + 1])
    with pytest.raises(ValueError, match="enough windows to calibrate"):
        ForecastDisplay.from_estimator(forecaster)
    assert ForecastDisplay.from_estimator(forecaster, coverage=None).band_ is None


def test_matplotlib_is_named_where_it_is_missing(of_series, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(ImportError, match=r"ForecastDisplay.*pip install 'skgru\[plot\]'"):
        ForecastDisplay.from_estimator(of_series)
