"""Lags of series: known by the names of columns, and tables of them by their rows."""

import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest

from skgru import GRURegressor, MultimodalGRURegressor, SeriesBranch
from skgru._data.lagged import Lag, lag_of, longest_run
from tests.datasets import ESTIMATORS, small

SERIES = np.random.default_rng(0).normal(size=64).cumsum()
WINDOWS = np.lib.stride_tricks.sliding_window_view(SERIES, 4)[:-1]  # the oldest lag first
NEWEST_FIRST = WINDOWS[:, ::-1]
AHEAD = SERIES[4:]
Y = np.arange(len(WINDOWS)) % 2
LAGS = ["lag_1", "lag_2", "lag_3", "lag_4"]
RNG = np.random.default_rng(1)


@pytest.mark.parametrize(
    ("name", "lag"),
    [
        ("lag_1", Lag("", 1)),
        ("lag12", Lag("", 12)),
        ("Lag 2", Lag("", 2)),
        ("y_lag_3", Lag("y", 3)),
        ("wind_speed_lag3", Lag("wind_speed", 3)),
        ("y_target_lag-3", Lag("y_target", 3)),
        ("lag_0__y", Lag("y", 0)),
        ("lag_1__lag_2__y", Lag("y", 3)),
        ("rolling_mean_lag1_window_size3", None),
        ("flag_1", None),
        ("lag", None),
        ("lags_1", None),
        ("lag_1.5", None),
        (1, None),
        (("lag", 1), None),
    ],
)
def test_names_of_lags(name, lag):
    assert lag_of(name) == lag


@pytest.mark.parametrize(
    ("lags", "run"),
    [
        ([3, 1, 2], [1, 2, 3]),
        ([1, 2, 3, 24], [1, 2, 3]),
        ([1, 7, 14, 21], [7, 14, 21]),
        ([1, 2, 3, 24, 48, 72], [1, 2, 3]),
        ([1, 2, 3, 24, 48, 72, 96], [24, 48, 72, 96]),
        ([1, 24, 25], [24, 25]),
        ([1, 2, 9, 10], [1, 2]),
        ([7], [7]),
    ],
)
def test_the_longest_evenly_spaced_run(lags, run):
    assert longest_run(lags) == run


def frame(cells, names):
    return pd.DataFrame(np.ascontiguousarray(cells), columns=names)


def beside(cells, *others):
    return np.column_stack([cells, *[SERIES[: len(cells)] * 0 + other for other in others]])


NOISE = RNG.normal(size=(2, len(WINDOWS)))
WRONG = {
    "newest first": (frame(NEWEST_FIRST, LAGS), "'lag_1', 'lag_2', 'lag_3', 'lag_4' are read in"),
    "in polars": (
        pl.DataFrame(dict(zip(LAGS, NEWEST_FIRST.T, strict=True))),
        "'lag_1', 'lag_2', 'lag_3', 'lag_4' are read in this order",
    ),
    "beside others": (
        frame(beside(WINDOWS, *NOISE), [*LAGS[::-1], "hour", "week"]),
        "the columns 'hour', 'week' beside the lags are read as further steps",
    ),
    "of two series": (
        frame(RNG.normal(size=(len(Y), 4)), ["a_lag2", "a_lag1", "b_lag2", "b_lag1"]),
        "lags of several series, 'a_lag2', 'a_lag1', 'b_lag2', 'b_lag1', are read as if",
    ),
    "many": (
        frame(RNG.normal(size=(len(Y), 7)), [f"lag{i}" for i in range(1, 8)]),
        "'lag1', 'lag2', 'lag3', ..., 'lag7' are read",
    ),
}


@pytest.mark.parametrize(("X", "fault"), WRONG.values(), ids=WRONG)
def test_names_of_lags_that_are_read_wrongly_are_told_once_in_fit(X, fault):
    for estimator_class in ESTIMATORS:
        check_that_it_is_told(small(estimator_class), X, Y, fault)


def check_that_it_is_told(model, X, y, fault):
    message = f"X is read as a step per column, but .*{fault}.* LagSelector"
    with pytest.warns(UserWarning, match=message) as caught:
        model.fit(X, y)
    assert len(caught) == 1
    assert caught[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.predict(X)


FAULT = "hold lags, the newest first, as the rows show"
WRONG_ROWS = {
    "an array": (NEWEST_FIRST, AHEAD, f"columns 0 to 3 {FAULT}"),
    "lists": (NEWEST_FIRST.tolist(), AHEAD.tolist(), f"columns 0 to 3 {FAULT}"),
    "of more": (beside(NEWEST_FIRST, *NOISE), AHEAD, f"columns 0 to 3 {FAULT}"),
    "three steps ahead": (NEWEST_FIRST[:-2], AHEAD[2:], f"columns 0 to 3 {FAULT}"),
    "three times": (
        NEWEST_FIRST[:-2],
        np.column_stack([AHEAD[i : i - 2 or None] for i in range(3)]),
        f"columns 0 to 3 {FAULT}",
    ),
    "of other names": (frame(NEWEST_FIRST, list("abcd")), AHEAD, f"columns a to d {FAULT}"),
    "with holes": (
        np.where(SERIES[1] == NEWEST_FIRST, np.nan, NEWEST_FIRST),
        AHEAD,
        f"columns 0 to 3 {FAULT}",
    ),
    "two windows": (
        np.column_stack([WINDOWS, WINDOWS**2]),
        AHEAD,
        "columns 0 to 3 hold the lags of a series, as the rows show .*, and the others are read",
    ),
}


@pytest.mark.parametrize(("X", "y", "fault"), WRONG_ROWS.values(), ids=WRONG_ROWS)
def test_rows_of_lags_that_are_read_wrongly_are_told_once_in_fit(X, y, fault):
    check_that_it_is_told(small(GRURegressor), X, y, fault)


def test_a_branch_tells_of_them_too():
    network = MultimodalGRURegressor([("series", SeriesBranch(), slice(0, 4))], max_iter=1)
    for X in (frame(NEWEST_FIRST, LAGS), NEWEST_FIRST):
        with pytest.warns(UserWarning, match="newest first|in this order"):
            network.fit(X, AHEAD)


RIGHT = {
    "oldest first": (frame(WINDOWS, LAGS[::-1]), 1),
    "with holes": (frame(WINDOWS, ["lag_24", "lag_3", "lag_2", "lag_1"]), 1),
    "two features": (
        frame(RNG.normal(size=(len(Y), 4)), ["a_lag2", "b_lag2", "a_lag1", "b_lag1"]),
        2,
    ),
    "steps": (frame(WINDOWS, [f"step_{i}" for i in range(4)]), 1),
    "one lag": (frame(RNG.normal(size=(len(Y), 2)), ["lag_1", "hour"]), 1),
    "windows": (WINDOWS, 1),
    "noise": (RNG.normal(size=(len(Y), 4)), 1),
    "few rows": (NEWEST_FIRST[:15], 1),
    "constant": (np.ones((len(Y), 4)), 1),
    "steps of two features": (NEWEST_FIRST, 2),
    "the last window first": (WINDOWS[::-1], 1),
    "two lags": (NEWEST_FIRST[:, :2], 1),
}


@pytest.mark.parametrize(("X", "features_per_step"), RIGHT.values(), ids=RIGHT)
def test_no_word_of_others(X, features_per_step):
    y = AHEAD[::-1] if X is RIGHT["the last window first"][0] else AHEAD
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for estimator_class, targets in zip(ESTIMATORS, (Y, y), strict=True):
            model = small(estimator_class, features_per_step=features_per_step)
            model.fit(X, targets[: len(X)])
        small(GRURegressor).fit(NEWEST_FIRST, RNG.normal(size=len(Y)))


def test_a_table_of_frames_of_sequences_named_as_lags_is_none():
    frames = [frame(WINDOWS[i : i + 3], LAGS) for i in range(0, 30, 3)]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        small(ESTIMATORS[0]).fit(frames, Y[:10])
