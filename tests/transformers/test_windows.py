"""make_windows: which steps and targets a window holds, and parameters that are refused."""

import itertools
import math
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import Ridge
from sklearn.model_selection import TimeSeriesSplit, cross_val_score

from skgru import GRURegressor
from skgru.windows import make_windows
from tests.transformers.series import numbered


def naive_windows(series, window, horizons, targets=(0,), known=(), step=1):
    """Return X, y, series and last steps as lists, from (T, D) arrays, one number at a time."""
    found = []
    for i, values in enumerate(series):
        first = 0
        while first + window - 1 + max(horizons) < len(values):
            last = first + window - 1
            x = [
                [values[t + max(horizons) if d in known else t][d] for d in range(values.shape[1])]
                for t in range(first, last + 1)
            ]
            y = [values[last + h][d] for h in horizons for d in targets]
            if not any(math.isnan(target) for target in y):
                found.append((last, i, x, y))
            first += step
    found.sort(key=lambda found: found[:2])
    return tuple([part[k] for part in found] for k in (2, 3, 1, 0))


@given(
    lengths=st.lists(st.integers(0, 15), min_size=1, max_size=4),
    n_features=st.integers(1, 3),
    window=st.integers(1, 5),
    horizons=st.lists(st.integers(1, 4), min_size=1, max_size=3, unique=True),
    step=st.integers(1, 4),
    data=st.data(),
)
def test_against_a_transcription(lengths, n_features, window, horizons, step, data):
    shuffled = data.draw(st.permutations(range(n_features)))
    n_targets = data.draw(st.integers(1, n_features))
    targets, known = shuffled[:n_targets], shuffled[n_targets:][:1]
    rng = np.random.default_rng(len(lengths))
    series = [rng.normal(size=(length, n_features)) for length in lengths]
    for values in series:
        values[rng.random(values.shape) < 0.2] = np.nan
    expected_X, expected_y, *expected_origin = naive_windows(
        series, window, horizons, targets, known, step
    )
    settings = dict(target=targets, known=known, step=step, return_origin=True)
    if not expected_X:
        with pytest.raises(ValueError, match="No windows"):
            make_windows(series, window, horizons, **settings)
        return
    X, y, origin = make_windows(series, window, horizons, **settings)
    np.testing.assert_array_equal(X, expected_X)
    np.testing.assert_array_equal(y.reshape(len(y), -1), expected_y)
    np.testing.assert_array_equal(origin.series, expected_origin[0])
    np.testing.assert_array_equal(origin.last_step, expected_origin[1])


def test_targets_are_horizon_steps_after_the_last_step():
    X, y, origin = make_windows(numbered(10, 2), 3, [2], return_origin=True)
    assert X.shape == (6, 3, 2)
    np.testing.assert_array_equal(y, X[:, -1, 0] + 20)
    np.testing.assert_array_equal(origin.last_step, range(2, 8))
    np.testing.assert_array_equal(origin.series, 0)


def test_last_possible_window():
    X, y = make_windows([1, 2, 3], window=2)
    np.testing.assert_array_equal(X, [[[1], [2]]])
    np.testing.assert_array_equal(y, [3])


def test_targets_of_several_horizons_and_columns_are_horizon_major():
    _, y = make_windows(numbered(9, 3), 2, [3, 1], target=[2, 0])
    np.testing.assert_array_equal(y[0], [42, 40, 22, 20])
    assert y.shape == (5, 4)


@pytest.mark.parametrize("horizon", [3, np.int8(3), np.array(3), np.uint64(3)])
def test_an_int_is_the_number_of_steps_that_follow(horizon):
    X, y = make_windows(numbered(9, 2), 2, horizon)
    np.testing.assert_array_equal(y[0], [20, 30, 40])
    for part, of_range in zip((X, y), make_windows(numbered(9, 2), 2, range(1, 4)), strict=True):
        np.testing.assert_array_equal(part, of_range)
    assert make_windows(numbered(9, 2), 2, [int(horizon)])[1].ndim == 1


def test_shape_of_y():
    series = numbered(9, 2)
    assert make_windows(series, 2, [1], target=[1])[1].ndim == 1
    assert make_windows(series, 2, range(1, 4))[1].shape == (5, 3)
    assert make_windows(series, 2, target=[0, 1])[1].shape == (7, 2)


def test_known_columns_are_shifted_by_the_longest_horizon():
    X, y = make_windows(numbered(9, 3), 2, [1, 3], known=[2, -2])
    np.testing.assert_array_equal(X[0], [[0, 31, 32], [10, 41, 42]])
    np.testing.assert_array_equal(y[0], [20, 40])
    np.testing.assert_array_equal(X[-1], [[40, 71, 72], [50, 81, 82]])


def test_nothing_of_another_series_is_in_a_window():
    series = [numbered(n, 2, start) for n, start in [(7, 0), (2, 100), (9, 200), (4, 300)]]
    X, y, origin = make_windows(series, 3, [1, 2], known=1, return_origin=True)
    steps = np.concatenate([X[:, :, 0], X[:, :, 1], y], axis=1) // 10
    np.testing.assert_array_equal(steps // 100, np.broadcast_to(origin.series[:, None], (8, 8)))
    assert set(origin.series) == {0, 2}  # the others are too short


def test_windows_with_a_missing_target_are_dropped():
    series = numbered(8, 2)
    series[4, 0] = np.nan
    X, y, origin = make_windows(series, 2, [1, 2], return_origin=True)
    np.testing.assert_array_equal(origin.last_step, [1, 4, 5])
    assert not np.isnan(y).any()
    assert np.isnan(X).any()


def test_missing_value_of_another_feature_drops_nothing():
    series = numbered(8, 2)
    series[4, 1] = np.nan
    assert len(make_windows(series, 2)[0]) == 6


def test_step():
    _, _, origin = make_windows(numbered(12), 3, step=4, return_origin=True)
    np.testing.assert_array_equal(origin.last_step, [2, 6, 10])


def test_order_by_step_number():
    _, _, origin = make_windows([np.arange(6), np.arange(4), np.arange(5)], 2, return_origin=True)
    np.testing.assert_array_equal(origin.last_step, [1, 1, 1, 2, 2, 2, 3, 3, 4])
    np.testing.assert_array_equal(origin.series, [0, 1, 2, 0, 1, 2, 0, 2, 0])


@pytest.mark.parametrize("n_series", [1, 3])
@pytest.mark.parametrize("step", [1, 2, 3])
@pytest.mark.parametrize("horizon", [1, 2, 5, [1, 3], [2, 4]])
@pytest.mark.parametrize("with_gaps", [False, True])
def test_time_series_split_with_the_documented_gap(n_series, step, horizon, with_gaps):
    rng = np.random.default_rng(0)
    series = []
    for i in range(n_series):
        values = 100 * np.arange(60.0 - 7 * i) + i
        if with_gaps:
            values[rng.random(len(values)) < 0.1] = np.nan
        series.append(values)
    X, y, origin = make_windows(series, 4, horizon, step=step, return_origin=True)
    furthest = np.max(horizon)
    gap = n_series * math.ceil(furthest / step) - 1
    for train, test in TimeSeriesSplit(n_splits=3, gap=gap).split(X):
        assert (origin.last_step[train] + furthest).max() <= origin.last_step[test].min()
        assert not set(y[train].flat) & set(y[test].flat)


def test_a_smaller_gap_is_too_small():
    X, _, origin = make_windows(numbered(30), 4, 5, return_origin=True)
    train, test = next(TimeSeriesSplit(n_splits=3, gap=3).split(X))
    assert (origin.last_step[train] + 5).max() > origin.last_step[test].min()


def test_regressors_read_the_windows():
    series = np.sin(np.arange(300) / 5)
    X, y = make_windows(series, 12, [3])
    model = GRURegressor(8, max_iter=20, learning_rate="cosine", random_state=0)
    split = TimeSeriesSplit(n_splits=2, gap=2)
    assert cross_val_score(model, X, y, cv=split).min() > 0.8
    assert cross_val_score(Ridge(), X.reshape(len(X), -1), y, cv=split).min() > 0.8


@pytest.mark.parametrize("series", [[], [[], []], np.zeros((0, 2)), [1, 2, 3, 4], [[1, 2], [3]]])
def test_too_short(series):
    with pytest.raises(ValueError, match=r"expected a series of at least 5 steps .* got at most"):
        make_windows(series, 3, [1, 2])


def test_all_targets_missing():
    series = numbered(6, 2)
    series[:, 0] = np.nan
    with pytest.raises(ValueError, match="all 4 have a missing target"):
        make_windows(series, 2)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        (dict(window=0), "The 'window' parameter"),
        (dict(window=2.5), "The 'window' parameter"),
        (dict(step=0), "The 'step' parameter"),
        (dict(horizon=0), "Expected distinct integers of 1 or more as horizon, got 0"),
        (dict(horizon="1"), "Expected distinct integers of 1 or more as horizon, got '1'"),
        (dict(horizon={1, 2}), "Expected distinct integers of 1 or more as horizon"),
        (dict(horizon=iter([1, 2])), "Expected distinct integers of 1 or more as horizon"),
        (dict(return_origin="yes"), "The 'return_origin' parameter"),
        *itertools.product(
            [dict(horizon=h) for h in ([], [1, 0], [1, 1], [1.5], [[1, 2]])],
            ["Expected distinct integers of 1 or more as horizon"],
        ),
        (dict(target=2), r"target: expected one of the 2 columns \['a', 'b'\], got 2"),
        (dict(target=-3), "target: expected one of the 2 columns"),
        (dict(target="c"), r"target: expected one of the 2 columns \['a', 'b'\], got 'c'"),
        (dict(target=["a", 0]), "target: expected distinct columns"),
        (dict(target=True), "target: expected one of the 2 columns"),
        (dict(known=[False, True]), "known: expected one of the 2 columns"),
        (dict(known=np.array([False, True])), "known: expected one of the 2 columns"),
        (dict(target=1.0), "target: expected one of the 2 columns"),
        (dict(target=np.timedelta64(1)), "target: expected one of the 2 columns"),
        (dict(target=10**400), "target: expected one of the 2 columns"),
        (dict(horizon=10**400), "Expected distinct integers of 1 or more as horizon"),
        (dict(horizon=[2**63, 1]), "Expected distinct integers of 1 or more as horizon"),
        (dict(horizon=np.array([2**63], np.uint64)), "Expected distinct integers of 1 or more"),
        (dict(horizon=np.array([1, -1], np.int8)), "Expected distinct integers of 1 or more"),
        (dict(horizon=[[1], [2, 3]]), "Expected distinct integers of 1 or more as horizon"),
        (dict(horizon=np.ma.array([1, 2], mask=[0, 1])), "Expected distinct integers of 1 or mor"),
        (dict(horizon=[Decimal(1)]), "Expected distinct integers of 1 or more as horizon"),
        (dict(horizon=[True]), "Expected distinct integers of 1 or more as horizon"),
        (dict(horizon={1: 2}), "Expected distinct integers of 1 or more as horizon"),
        (dict(horizon=np.timedelta64(1, "h")), "Expected distinct integers of 1 or more"),
        (dict(horizon=2**61), "expected a series of at least"),
        (dict(window=10**400), "expected a series of at least"),
        (dict(window=Decimal(2)), "The 'window' parameter"),
        (dict(step=Decimal(2)), "The 'step' parameter"),
        (dict(target=None), "target: expected one of the 2 columns"),
        (dict(target=[]), "Expected at least one target"),
        (dict(known=["b", "c"]), "known: expected one of the 2 columns"),
        (dict(target="b", known=[1]), "none that is known in advance"),
    ],
)
def test_unusable_parameters(parameters, message):
    frame = pd.DataFrame(numbered(9, 2), columns=["a", "b"])
    with pytest.raises(ValueError, match=message):
        make_windows(frame, **{"window": 2, **parameters})


SMALL = [np.int8, np.uint8, np.int16, np.uint16, np.int32, np.uint32, np.int64, np.uint64]


@pytest.mark.parametrize("dtype", SMALL)
def test_parameters_are_integers_of_any_type(dtype):
    series = numbered(400, 3)
    expected = make_windows(series, 100, [99, 3], target=2, known=[0, 1], step=120)
    parameters = [
        dict(window=dtype(100), horizon=np.array([99, 3], dtype), target=dtype(2),
             known=np.array([0, 1], dtype), step=dtype(120)),
        dict(window=dtype(100), horizon=[dtype(99), 3], target=[dtype(2)],
             known=[dtype(0), dtype(1)], step=120),
        dict(window=100, horizon=np.array([99, 3], dtype).astype(object), target=np.array(2, dtype),
             known=pd.Series([0, 1], dtype=dtype), step=120),
        dict(window=100, horizon=pl.Series([99, 3]), target=range(2, 3), known=pd.Index([0, 1]),
             step=120),
    ]  # fmt: skip
    for settings in parameters:
        for part, expected_part in zip(make_windows(series, **settings), expected, strict=True):
            np.testing.assert_array_equal(part, expected_part)
    one = make_windows(series, dtype(100), dtype(100))
    np.testing.assert_array_equal(one[1][:, -1], series[199:, 0])


def test_larger_steps_than_the_series_make_one_window():
    for step in (400, 2**70, 10**400, np.uint64(2**64 - 1)):
        X, y = make_windows(numbered(300), 3, step=step)
        assert len(X) == len(y) == 1
