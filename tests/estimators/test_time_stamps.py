"""Time stamps in all the forms in which they come, and what are none."""

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pandas as pd
import polars as pl
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skgru import GRUClassifier
from tests.datasets import assert_same_model, objects, pad, small
from tests.stamps import MODES, NAN, STAMP, fitted, nested, stamped, with_holes, with_stamps

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def wide(X, library, dates=lambda stamps: stamps):
    """Return a frame with a column per number of X (n, T, 3), the first stamps in "time0"."""
    columns = {}
    for t in range(X.shape[1]):
        columns[f"a{t}"] = X[:, t, 0]
        columns[f"time{t}"] = dates(X[:, t, STAMP])
        columns[f"b{t}"] = X[:, t, 2]
    return library.DataFrame(columns)


def datetime64(stamps, unit="ns"):
    """Return stamps as np.datetime64, NaT for NaN."""
    seconds = np.nan_to_num(stamps).astype("M8[s]").astype(f"M8[{unit}]")
    return np.where(np.isnan(stamps), np.datetime64("NaT", unit), seconds)


def as_dates(x, zone=None):
    """Return a sequence as an object array with pandas' Timestamps."""
    cells = x.astype(object)
    cells[:, STAMP] = [
        pd.Timestamp(s, unit="s", tz="UTC").tz_convert(zone) if zone else pd.Timestamp(s, unit="s")
        for s in x[:, STAMP]
    ]
    return cells


def python_dates(stamps, zone=None):
    return [
        None if np.isnan(s) else datetime.fromtimestamp(s, UTC).replace(tzinfo=zone) for s in stamps
    ]


def of_frames(X, library):
    return [
        library.DataFrame({"a": x[:, 0], "time": datetime64(x[:, STAMP], "us"), "b": x[:, 2]})
        for x in X
    ]


RAGGED_FORMS = {
    "object arrays of Timestamps": lambda X: [as_dates(x) for x in X],
    "object arrays of Timestamps with a zone": lambda X: [as_dates(x, "Asia/Tokyo") for x in X],
    "Series of object arrays of Timestamps": lambda X: pd.Series([as_dates(x) for x in X]),
    "nested lists of Timestamps": lambda X: [as_dates(x).tolist() for x in X],
    "list of pandas frames": lambda X: of_frames(X, pd),
    "list of polars frames": lambda X: of_frames(X, pl),
    "list of pandas frames with a zone": lambda X: [
        frame.assign(time=frame.time.dt.tz_localize("UTC").dt.tz_convert("Europe/Berlin"))
        for frame in of_frames(X, pd)
    ],
    "pandas frame of seconds": lambda X: nested(X, pd),
    "polars frame of seconds": lambda X: nested(X, pl),
    "pandas frame of datetime64[ns]": lambda X: nested(X, pd, datetime64),
    "pandas frame of datetime64[s]": lambda X: nested(X, pd, lambda s: datetime64(s, "s")),
    "pandas frame of indices": lambda X: nested(
        X, pd, lambda s: pd.DatetimeIndex(datetime64(s)).tz_localize("UTC").tz_convert("Asia/Tokyo")
    ),
    "pandas frame of lists of datetimes": lambda X: nested(X, pd, python_dates),
    "polars frame of datetimes": lambda X: nested(X, pl, python_dates),
    "polars frame of datetimes with a zone": lambda X: nested(
        X, pl, lambda s: python_dates(s, UTC)
    ),
    "pandas frame of durations": lambda X: nested(
        X, pd, lambda s: datetime64(s) - np.datetime64("2021-03-04")
    ),
    "polars frame of durations": lambda X: nested(
        X, pl, lambda s: [timedelta(seconds=v - 1.5e9) for v in s]
    ),
}


@pytest.mark.parametrize("missing", ["decay", "indicator"])
@pytest.mark.parametrize("form", RAGGED_FORMS)
def test_dates_are_the_same_as_seconds(form, missing):
    X, y = stamped()
    X = with_holes(X)
    reference = small(GRUClassifier, time_feature=STAMP, missing=missing).fit(X, y)
    dated = RAGGED_FORMS[form](X)
    names = ["time", STAMP, -2] if "frame of" in form else [STAMP, -2]
    for time_feature in names:
        same = small(GRUClassifier, time_feature=time_feature, missing=missing).fit(dated, y)
        assert_same_model(same, reference)
        assert_array_equal(same.gap_scale_, reference.gap_scale_)
        assert_array_equal(same.predict_proba(dated), reference.predict_proba(X))


@pytest.mark.parametrize("form", RAGGED_FORMS)
def test_sequences_of_equal_length_are_read_alike(form):
    X, y = stamped(longest=4, shortest=4)
    reference = small(GRUClassifier, time_feature=STAMP).fit(X, y)
    same = small(GRUClassifier, time_feature=STAMP).fit(RAGGED_FORMS[form](X), y)
    assert_same_model(same, reference)
    assert_array_equal(same.gap_scale_, reference.gap_scale_)


def zoned(stamps):
    return pd.Series(datetime64(stamps)).dt.tz_localize("UTC").dt.tz_convert("Europe/Berlin")


WIDE_FORMS = {
    "pandas, seconds": lambda X: wide(X, pd),
    "polars, seconds": lambda X: wide(X, pl),
    "pandas, datetime64[ns]": lambda X: wide(X, pd, datetime64),
    "pandas, datetime64[s]": lambda X: wide(X, pd, lambda s: datetime64(s, "s")),
    "pandas, with a zone": lambda X: wide(X, pd, zoned),
    "pandas, object": lambda X: wide(X, pd, lambda s: objects(python_dates(s))),
    "polars, datetime[us]": lambda X: wide(
        X, pl, lambda s: pl.Series(python_dates(s), dtype=pl.Datetime("us"))
    ),
    "polars, with a zone": lambda X: wide(
        X, pl, lambda s: pl.Series(python_dates(s, UTC), dtype=pl.Datetime("ms", "UTC"))
    ),
}


@pytest.mark.parametrize("form", WIDE_FORMS)
@pytest.mark.parametrize("empty", ["none", "some", "the first"])
def test_wide_frames_of_dates_are_the_same_as_seconds(form, empty):
    X, y = stamped(longest=5, shortest=5 if empty == "none" else 2)
    X = with_holes(X)
    if empty == "the first":
        X[0] = X[0][:0]
    reference = small(GRUClassifier, time_feature=STAMP).fit(X, y)
    frame = WIDE_FORMS[form](pad(X, 5, NAN))
    for time_feature in ("time0", STAMP, -2):
        model = small(GRUClassifier, time_feature=time_feature, features_per_step=3)
        same = model.fit(frame, y)
        assert_same_model(same, reference)
        assert_array_equal(same.gap_scale_, reference.gap_scale_)
        assert_array_equal(same.predict_proba(frame), reference.predict_proba(X))
        rows = frame.iloc[:1] if hasattr(frame, "iloc") else frame[:1]
        assert_allclose(same.predict_proba(rows), reference.predict_proba(X[:1]), atol=1e-6)


@pytest.mark.parametrize(
    "form",
    [
        lambda s: pd.DataFrame({"time": datetime64(s)}),
        lambda s: pl.DataFrame({"time": datetime64(s, "us")}),
        lambda s: objects([pd.Timestamp(v, unit="s") for v in s])[:, None],
        lambda s: pd.DatetimeIndex(datetime64(s)),
        lambda s: datetime64(s)[:, None],
    ],
    ids=["pandas frames", "polars frames", "Timestamps", "indices", "datetime64"],
)
def test_sequences_of_dates_alone_are_read(form):
    X, y = stamped()
    alone = [x[:, [STAMP]] for x in X]
    reference = small(GRUClassifier, time_feature=0).fit(alone, y)
    same = small(GRUClassifier, time_feature=0).fit([form(x[:, 0]) for x in alone], y)
    assert_same_model(same, reference)


def test_days_are_read():
    X, y = stamped()
    days = [[date(2020, 1, 1) + timedelta(days=t * (1 + i % 3)) for t in range(len(x))]
            for i, x in enumerate(X)]  # fmt: skip
    seconds = with_stamps(X, lambda s: s)
    for i, x in enumerate(seconds):
        x[:, STAMP] = 86400.0 * np.arange(len(x)) * (1 + i % 3)
    reference = small(GRUClassifier, time_feature=STAMP).fit(seconds, y)
    for library in (pd, pl):
        frame = nested(X, library)
        cells = objects(days) if library is pd else pl.Series("time", days)
        frame = frame.assign(time=cells) if library is pd else frame.with_columns(cells)
        assert_same_model(small(GRUClassifier, time_feature="time").fit(frame, y), reference)


def test_whole_numbers_are_stamps():
    X, y = stamped()
    X = [np.round(10 * x).astype(np.int64) for x in X]
    reference = small(GRUClassifier, time_feature=STAMP).fit([x.astype(float) for x in X], y)
    assert_same_model(small(GRUClassifier, time_feature=STAMP).fit(X, y), reference)


def test_dates_between_the_values_of_flat_sequences():
    X, y = stamped()
    flat = [
        np.array([v for a, t, b in x for v in (a, pd.Timestamp(t, unit="s"), b)], dtype=object)
        for x in X
    ]
    same = small(GRUClassifier, time_feature=STAMP, features_per_step=3).fit(flat, y)
    assert_same_model(same, small(GRUClassifier, time_feature=STAMP).fit(X, y))


def test_stamps_of_any_size_are_read():
    X, y = stamped()
    X = [np.where(np.arange(x.shape[1]) == STAMP, x * 2.0**600, x) for x in X]
    model = small(GRUClassifier, time_feature=STAMP).fit(X, y)
    assert np.isfinite(model.predict_proba(X)).all()


# Refusals


@pytest.mark.parametrize("library", [pd, pl])
@pytest.mark.parametrize("form", ["nested", "wide", "list"])
def test_dates_without_a_time_feature_are_refused(form, library):
    X, y = stamped(longest=4, shortest=4)
    if form == "nested":
        X = nested(X, library, python_dates)
    elif form == "wide":
        X = wide(np.array(X), library, datetime64)
    else:
        X = of_frames(X, library)
    with pytest.raises((ValueError, TypeError)):
        small(GRUClassifier, features_per_step=3).fit(X, y)


def test_dates_of_another_feature_are_refused():
    X, y = stamped(longest=4, shortest=4)
    frame = wide(np.array(X), pd, datetime64)
    for other in (frame.assign(b2=frame.time2), frame.assign(a0=frame.time0)):
        with pytest.raises(ValueError, match="numbers"):
            small(GRUClassifier, time_feature="time0", features_per_step=3).fit(other, y)


@pytest.mark.parametrize("missing", MODES)
@pytest.mark.parametrize("form", [list, lambda X: pad(X, 9, NAN), lambda X: nested(X, pd)])
def test_decreasing_stamps_are_refused(missing, form):
    X, y = stamped()
    model = fitted(X, y, missing=missing)
    X[5][3, STAMP] = X[5][2, STAMP] - 0.5
    message = "do not decrease.* in sequence 5, step 3"
    with pytest.raises(ValueError, match=message):
        fitted(form(X), y, missing=missing)
    with pytest.raises(ValueError, match=message):
        model.predict(X)
    assert fitted(X, y, time_feature=None).gap_scale_[0] == 1


def test_a_sequence_may_begin_before_the_one_before_it_ended():
    X, y = stamped()
    backwards = [x - np.array([0, 1e8 * i, 0]) for i, x in enumerate(X)]
    backwards[3] = np.empty((0, 3))
    assert np.isfinite(fitted([np.empty((0, 3)), *backwards], [0, *y]).loss_)


@pytest.mark.parametrize("missing", MODES)
@pytest.mark.parametrize("step", [0, 2, -1])
def test_missing_stamps_are_refused(missing, step):
    X, y = stamped()
    step %= len(X[5])
    X[5][step, STAMP] = NAN
    for form in (list, lambda X: pad(X, 9, NAN), lambda X: nested(X, pl)):
        with pytest.raises(ValueError, match=f"sequence 5, step {step}"):
            fitted(form(X), y, missing=missing)
    if missing != "error":
        with pytest.raises(ValueError, match="Expected a time stamp at each step"):
            fitted(X, y, missing=missing)


@pytest.mark.parametrize("missing_stamp", [pd.NaT, np.datetime64("NaT"), None, NAN], ids=repr)
@pytest.mark.parametrize("zone", [None, "Europe/Berlin"])
def test_missing_dates_are_refused(missing_stamp, zone):
    X, y = stamped()
    cells = [as_dates(x, zone) for x in X]
    cells[5][2, STAMP] = missing_stamp
    with pytest.raises(ValueError, match=r"missing .*sequence 5, step 2"):
        fitted(cells, y)


DAYS = pd.date_range("2024", periods=5)
FRAME = pd.DataFrame({"v": np.arange(5.0), "when": DAYS})


@pytest.mark.parametrize(
    ("x", "said"),
    [
        (FRAME, "when"),
        (pl.from_pandas(FRAME), "when"),
        (DAYS.to_numpy(), 0),
        (np.array([[1.0, day] for day in DAYS], object), 1),
        ([[1.0, day] for day in DAYS.to_pydatetime()], 1),
        (np.array([[1.0, DAYS[0] - DAYS[1]], [2.0, DAYS[1] - DAYS[0]]], object), 1),
    ],
    ids=["pandas", "polars", "array", "objects", "lists", "durations"],
)
def test_times_are_refused_with_the_time_feature_that_they_are(x, said):
    with pytest.raises(ValueError, match=rf"say so, time_feature={said!r}\.$"):
        GRUClassifier(2, max_iter=1).fit([x] * 4, [0, 1, 0, 1])
    GRUClassifier(2, max_iter=1, time_feature=said).fit([x] * 4, [0, 1, 0, 1])


def test_times_are_refused_with_the_column_of_sequences_that_they_are():
    X = pd.DataFrame({"v": [FRAME["v"].to_numpy()] * 4, "when": [DAYS.to_numpy()] * 4})
    with pytest.raises(ValueError, match=r"column 'when' of X\. Only .*, time_feature='when'\.$"):
        GRUClassifier(2, max_iter=1).fit(X, [0, 1, 0, 1])
    with pytest.raises(ValueError, match=r"column 'b' of X\. Only .* \(time_feature=1\)\.$"):
        GRUClassifier(2, max_iter=1, time_feature="when").fit(X.assign(b=X["when"]), [0, 1, 0, 1])
