"""Windows of series: what each holds, and that nothing later is read."""

import numpy as np
import pytest

from skgru._forecasting.window import (
    Shape,
    Source,
    between,
    cut,
    filled,
    find_window,
    last_steps,
)

SHAPE = Shape(window=4, horizon=5, season=3)


def make_source(n=20, ahead=5):
    draws = np.random.default_rng(0).normal
    return Source(
        values=draws(size=n),
        covariates=draws(size=(n + ahead, 2)),
        known=draws(size=(n + ahead, 1)),
        calendar=draws(size=(n + ahead, 3)),
        static=np.array([7.0]),
    )


def test_windows_are_those_of_plain_loops():
    source = make_source()
    windows = cut([source, source], [np.array([3, 9]), np.array([12])], SHAPE)
    np.testing.assert_array_equal(windows.owners, [0, 0, 1])
    np.testing.assert_array_equal(windows.origins, [3, 9, 12])
    for i, end in enumerate((3, 9, 12)):
        np.testing.assert_array_equal(windows.history[i], source.values[end - 3 : end + 1])
        np.testing.assert_array_equal(windows.covariates[i], source.covariates[end - 3 : end + 1])
        np.testing.assert_array_equal(windows.known[i], source.known[end + 1 : end + 6])
        np.testing.assert_array_equal(windows.ahead[i], source.values[end + 1 : end + 6])
        np.testing.assert_array_equal(windows.calendar[i], source.calendar[end + 1])
        # Steps ahead 1 to 3 are a season from the last three, and so are 4 and 5.
        ago = source.values[[end - 2, end - 1, end, end - 2, end - 1]]
        np.testing.assert_array_equal(windows.season_ago[i], ago)


def test_steps_outside_a_series_are_missing():
    source = make_source(6)
    windows = cut([source], [np.array([1, 5])], SHAPE)
    np.testing.assert_array_equal(np.isnan(windows.history), [[1, 1, 0, 0], [0] * 4])
    np.testing.assert_array_equal(np.isnan(windows.ahead), [[0] * 4 + [1], [1] * 5])
    np.testing.assert_array_equal(np.isnan(windows.season_ago), [[1, 0, 0, 1, 0], [0] * 5])
    assert not np.isnan(windows.known[1]).any()


def test_nothing_after_the_last_step_is_read_but_what_is_known():
    source = make_source()
    values, covariates = source.values.copy(), source.covariates.copy()
    values[10:], covariates[10:] = 1e9, 1e9
    planted = source._replace(values=values, covariates=covariates)
    one, other = (cut([s], [np.array([9])], SHAPE) for s in (source, planted))
    for name in set(one._fields) - {"ahead"}:
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name), err_msg=name)
    assert (other.ahead == 1e9).all()


def test_a_missing_value_is_the_one_before_it_or_the_one_after():
    nan = np.nan
    rows = np.array([[nan, 1, nan, 3], [nan, nan, nan, nan], [5, nan, nan, nan]])
    np.testing.assert_array_equal(filled(rows), [[1, 1, 1, 3], [0] * 4, [5] * 4])


def test_a_missing_target_lies_between_its_neighbours():
    nan = np.nan
    rows = np.array([[nan, 2.0, nan, 6.0, nan], [1.0, 2, 3, 4, 5]])
    expected = [[1, 2, 4, 6, 6], [1, 2, 3, 4, 5]]
    np.testing.assert_allclose(between(rows, np.array([0.0, 9.0])), expected)


def test_last_steps_leave_what_is_ahead():
    windows = cut([make_source()], [np.arange(5, 9)], SHAPE)
    short = last_steps(windows, 2)
    np.testing.assert_array_equal(short.history, windows.history[:, 2:])
    np.testing.assert_array_equal(short.covariates, windows.covariates[:, 2:])
    np.testing.assert_array_equal(short.ahead, windows.ahead)


@pytest.mark.parametrize(
    ("lengths", "season", "horizon", "expected"),
    [([115], 12, 12, 24), ([4_000], 24, 24, 48), ([9_000], 24, 24, 96), ([2_000], 1, 132, 132),
     ([2_920], 365, 365, 192), ([40], 12, 1, 10), ([2], 1, 1, 1), ([168] * 500, 12, 12, 48),
     ([168] * 3, 12, 12, 24), ([90] * 500, 12, 12, 30), ([0], 12, 1, 1)],
)  # fmt: skip
def test_a_window_spans_seasons_and_the_horizon(lengths, season, horizon, expected):
    assert find_window(lengths, season, horizon) == expected
