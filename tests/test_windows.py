import itertools
import math

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse
from sklearn.linear_model import Ridge
from sklearn.model_selection import TimeSeriesSplit, cross_val_score

from skgru import GRURegressor
from skgru.windows import make_windows


def numbered(n_steps, n_features=1, start=0):
    """A series whose values tell their place: step · 10 + feature."""
    return np.add.outer(np.arange(start, start + n_steps) * 10.0, np.arange(n_features))


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
    X, y, origin = make_windows(numbered(10, 2), 3, 2, return_origin=True)
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


DAYS = pd.date_range("2024-01-01", periods=20, freq="D")


@pytest.mark.parametrize("index", [DAYS, DAYS - DAYS[0], pd.Index(np.arange(20) * 0.5)])
def test_order_by_index(index):
    late = pd.Series(np.arange(5.0), index[10:15])
    early = pd.Series(np.arange(5.0), index[:5])
    overlapping = pd.Series(np.arange(5.0), index[3:8])
    _, _, origin = make_windows([late, early, overlapping], 2, return_origin=True)
    np.testing.assert_array_equal(origin.series, [1, 1, 1, 2, 2, 2, 0, 0, 0])
    assert (origin.last_step == index[[1, 2, 3, 4, 5, 6, 11, 12, 13]]).all()


def test_order_by_index_with_time_zones():
    noon_in_tokyo = pd.date_range("2024-01-02 12:00", periods=3, freq="D", tz="Asia/Tokyo")
    noon_in_utc = pd.date_range("2024-01-02 12:00", periods=3, freq="D", tz="UTC")
    frames = [pd.DataFrame({"a": np.arange(3.0)}, index) for index in [noon_in_utc, noon_in_tokyo]]
    _, _, origin = make_windows(frames, 1, return_origin=True)
    np.testing.assert_array_equal(origin.series, [1, 0, 1, 0])
    assert origin.last_step[0] == np.datetime64("2024-01-02T03:00")


@pytest.mark.parametrize(
    "other",
    [
        pd.Series(np.arange(4.0)),
        np.arange(4.0),
        pl.Series(np.arange(4.0)),
        pd.Series(np.arange(4.0), list("dcba")),
    ],
)
def test_order_by_step_number_if_not_all_have_an_index(other):
    dated = pd.Series(np.arange(4.0), DAYS[:4])
    _, _, origin = make_windows([dated, other], 2, return_origin=True)
    np.testing.assert_array_equal(origin.last_step, [1, 1, 2, 2])
    np.testing.assert_array_equal(origin.series, [0, 1, 0, 1])


def test_range_index_that_does_not_start_at_zero_is_an_index():
    whole = pd.Series(np.arange(20.0))
    _, _, origin = make_windows([whole[10:14], whole[5:9]], 2, return_origin=True)
    np.testing.assert_array_equal(origin.last_step, [6, 7, 11, 12])


def test_repeated_index_labels_are_allowed():
    series = pd.Series(np.arange(4.0), pd.Index([1, 1, 2, 2]))
    _, y, origin = make_windows(series, 1, return_origin=True)
    np.testing.assert_array_equal(origin.last_step, [1, 1, 2])
    np.testing.assert_array_equal(y, [1, 2, 3])


@pytest.mark.parametrize("index", [DAYS[:4][::-1], pd.Index([0, 2, 1, 3]), pd.RangeIndex(4, 0, -1)])
def test_unsorted_index_is_refused(index):
    good = pd.Series(np.arange(4.0))
    with pytest.raises(ValueError, match=r"Expected an ascending index, got .* in series 1"):
        make_windows([good, pd.Series(np.arange(4.0), index)], 2)


def test_indices_of_different_kinds_are_refused():
    series = [pd.Series(np.arange(4.0), index) for index in [DAYS[:4], pd.Index([1, 2, 3, 4])]]
    with pytest.raises(ValueError, match="Expected indices of one kind"):
        make_windows(series, 2)


FORMS = {
    "pandas": lambda values: pd.DataFrame(values, columns=["a", "b"]),
    "pandas nullable": lambda values: pd.DataFrame(values, columns=["a", "b"]).convert_dtypes(),
    "polars": lambda values: pl.DataFrame(values, schema=["a", "b"]),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("several", [False, True])
def test_names_of_columns(form, several):
    values = numbered(9, 2)
    values[2, 1] = np.nan
    given_series, series = FORMS[form](values), values
    if several:
        given_series, series = [given_series, given_series[:6]], [values, values[:6]]
    expected = make_windows(series, 2, [1, 2], target=1, known=0)
    got = make_windows(given_series, 2, [1, 2], target="b", known=["a"])
    for array, expected_array in zip(got, expected, strict=True):
        np.testing.assert_array_equal(array, expected_array)
        assert array.dtype == np.float64


@pytest.mark.parametrize("form", [np.asarray, list, pd.Series, pl.Series])
@pytest.mark.parametrize("several", [False, True])
def test_forms_of_one_dimensional_series(form, several):
    numbers = [1, 2, 3, 4, 5]
    given_series = [form(numbers), form(numbers[:3])] if several else form(numbers)
    X, y = make_windows(given_series, 2)
    if several:
        np.testing.assert_array_equal(y, [3, 3, 4, 5])
    else:
        np.testing.assert_array_equal(X[:, :, 0], [[1, 2], [2, 3], [3, 4]])


def test_integer_names_are_positions():
    frame = pd.DataFrame(numbered(5, 2), columns=[1, 0])
    _, y = make_windows(frame, 2, target=1)
    np.testing.assert_array_equal(y, [21, 31, 41])


def test_polars_nulls_are_missing():
    X, _ = make_windows(pl.DataFrame({"a": [1, None, 3, 4]}), 2)
    np.testing.assert_array_equal(X[:, :, 0], [[1, np.nan], [np.nan, 3]])


def test_none_is_missing():
    X, y = make_windows([1.0, None, 3.0, 4.0], 2)
    np.testing.assert_array_equal(X[:, :, 0], [[1, np.nan], [np.nan, 3]])
    np.testing.assert_array_equal(y, [3, 4])


def test_dtype():
    single, double = numbered(5).astype(np.float32), numbered(5)
    assert [part.dtype for part in make_windows(single, 2)] == [np.float32, np.float32]
    assert make_windows([single, single], 2)[0].dtype == np.float32
    assert make_windows([single, double], 2)[0].dtype == np.float64
    assert make_windows(numbered(5).astype(np.int8), 2)[0].dtype == np.float64
    assert make_windows(numbered(5) > 20, 2)[1].dtype == np.float64


def test_series_are_not_modified_and_windows_are_copies():
    series = numbered(9, 2)
    before = series.copy()
    X, y = make_windows(series, 3, known=1)
    X[:], y[:] = -1, -1
    np.testing.assert_array_equal(series, before)
    X, _ = make_windows(series, 3)
    X[0] = -1
    assert (X[1:] >= 0).all()
    assert X.flags.c_contiguous


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
    X, y = make_windows(series, 12, 3)
    model = GRURegressor(8, max_iter=20, learning_rate="cosine", random_state=0)
    split = TimeSeriesSplit(n_splits=2, gap=2)
    assert cross_val_score(model, X, y, cv=split).min() > 0.8
    assert cross_val_score(Ridge(), X.reshape(len(X), -1), y, cv=split).min() > 0.8


@pytest.mark.parametrize(
    ("series", "message"),
    [
        ([1, 2, np.inf, 4], "got inf in step 2 of series 0, feature 0"),
        ([[1, 2, 3], [4, -np.inf, 5]], "got -inf in step 1 of series 1, feature 0"),
        (np.arange(5) * 1j, "Complex data not supported"),
        (np.array(list("12345")), "Expected series of numbers, got dtype <U1 in series 0"),
        (list("12345"), "Expected series of numbers, got dtype <U1 in series 0"),
        (np.array([1, "2", 3], dtype=object), "Expected series of numbers, got text in series 0"),
        (pd.DataFrame({"a": [1.0, 2], "b": ["1", "2"]}), "numbers, got text in series 0"),
        (pl.DataFrame({"a": [1.0, 2], "b": ["1", "2"]}), "numbers, got text in series 0"),
        (pd.Series(DAYS), "numbers, got dtype datetime64"),
        (pd.DataFrame({"a": DAYS, "b": 1.0}), "Expected series of numbers, in series 0"),
        (np.zeros((2, 5, 1)), r"got \(2, 5, 1\) for series 0; several series are given as a list"),
        (3.0, r"got \(\) for series 0"),
        (np.zeros((5, 0)), "0 feature"),
        ([numbered(5, 2), numbered(5, 3)], "Expected 2 features as in series 0, got 3 in series 1"),
        (
            [pd.DataFrame(numbered(5, 2), columns=list(names)) for names in ["ab", "ba"]],
            r"Expected the columns \['a', 'b'\] as in series 0, got \['b', 'a'\] in series 1",
        ),
    ],
)
def test_unusable_series(series, message):
    with pytest.raises(ValueError, match=message):
        make_windows(series, 2)


def test_sparse_series_are_refused():
    with pytest.raises(ValueError, match="Expected series of"):
        make_windows(sparse.csr_array(np.eye(5)), 2)


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
        (dict(horizon=0), "The 'horizon' parameter"),
        (dict(horizon="1"), "The 'horizon' parameter"),
        (dict(return_origin="yes"), "The 'return_origin' parameter"),
        *itertools.product(
            [dict(horizon=h) for h in ([], [1, 0], [1, 1], [1.5], [[1, 2]])],
            ["Expected distinct integers of 1 or more as horizon"],
        ),
        (dict(target=2), r"target: expected one of the 2 columns \['a', 'b'\], got 2"),
        (dict(target=-3), "target: expected one of the 2 columns"),
        (dict(target="c"), r"target: expected one of the 2 columns \['a', 'b'\], got 'c'"),
        (dict(target=["a", 0]), "target: expected distinct columns"),
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


def test_name_without_names():
    with pytest.raises(ValueError, match="target: expected one of the 2 columns , got 'a'"):
        make_windows(numbered(9, 2), 2, target="a")
