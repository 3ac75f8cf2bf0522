"""`time_feature`: the time stamps of the steps, in all the forms in which they come."""

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pandas as pd
import polars as pl
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skgru import GRUClassifier, GRURegressor
from tests.datasets import assert_same_model, output, pad, small, token_sequences
from tests.kinds import NAMES

MODES = ["decay", "indicator", "error"]
NAN = np.nan
STAMP = 1  # the feature that holds the time stamps, in the middle of the others

CONFIGURATIONS = [
    {},
    {"missing": "indicator"},
    {"missing": "error", "cell": "lstm", "scaling": "robust"},
    {"cell": "rnn", "hidden_layer_sizes": (4, 3), "scaling": None, "pooling": "mean"},
    {"bidirectional": True, "pooling": ("last", "attention")},
    {"patch_size": 2, "cell": "lstm"},
    {"solver": "lbfgs", "dtype": "float64", "max_iter": 5, "tol": 1e-9},
    {"bptt_steps": 2, "output_gate": True},
]
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def stamped(n=24, longest=7, shortest=2, seed=0):
    """Return ragged sequences of a value, a time stamp in seconds and a value, and their classes.

    The stamps are whole seconds of this century.
    """
    rng = np.random.default_rng(seed)
    X = []
    for i in range(n):
        n_steps = shortest + i % (longest - shortest + 1)
        x = rng.normal(size=(n_steps, 3))
        x[:, STAMP] = rng.integers(1.6e9, 1.7e9) + rng.integers(0, 5000, n_steps).cumsum()
        X.append(x)
    return X, np.array([int(x[:, 0].sum() > 0) for x in X])


def with_holes(X, seed=1):
    """Return copies with values missing, but no time stamp."""
    rng = np.random.default_rng(seed)
    X = [x.copy() for x in X]
    for x in X:
        for d in (0, 2):
            x[rng.random(len(x)) < 0.3, d] = NAN
    return X


def with_stamps(X, change):
    """Return copies with other time stamps."""
    X = [x.copy() for x in X]
    for x in X:
        x[:, STAMP] = change(x[:, STAMP])
    return X


def fitted(X, y, estimator_class=GRUClassifier, **parameters):
    defaults = {"hidden_layer_sizes": 6, "max_iter": 8}
    if parameters.get("solver") != "lbfgs":
        defaults["learning_rate_init"] = 0.05
    return small(estimator_class, **defaults | {"time_feature": STAMP} | parameters).fit(X, y)


def objects(cells):
    array = np.empty(len(cells), object)
    for i, cell in enumerate(cells):
        array[i] = cell
    return array


def for_mode(X, parameters):
    return X if parameters.get("missing") == "error" else with_holes(X)


# What must not matter


@pytest.mark.parametrize("parameters", CONFIGURATIONS, ids=str)
def test_only_the_differences_of_the_stamps_matter(parameters):
    X, y = stamped()
    X = for_mode(X, parameters)
    model = fitted(X, y, **parameters)
    p = model.predict_proba(X)
    for shift in (-1.5e9, 4096.0):
        shifted = with_stamps(X, lambda s, shift=shift: s + shift)
        assert_array_equal(model.predict_proba(shifted), p)
        assert_same_model(fitted(shifted, y, **parameters), model)
    each = [x + np.array([0, 1000.0 * i, 0]) for i, x in enumerate(X)]  # of each, another one
    assert_array_equal(model.predict_proba(each), p)
    assert_same_model(fitted(each, y, **parameters), model)
    assert np.abs(model.predict_proba(with_stamps(X, lambda s: 3 * s)) - p).max() > 1e-4


@pytest.mark.parametrize("parameters", CONFIGURATIONS, ids=str)
def test_the_unit_of_the_stamps_does_not_matter(parameters):
    X, y = stamped()
    X = for_mode(X, parameters)
    model = fitted(X, y, **parameters)
    p = model.predict_proba(X)
    for unit in (2.0**-10, 2.0**20):
        other = with_stamps(X, lambda s, unit=unit: s * unit)
        same = fitted(other, y, **parameters)
        assert_same_model(same, model)
        assert_array_equal(same.predict_proba(other), p)
        assert_array_equal(same.gap_scale_, model.gap_scale_ * unit)
    hours = with_stamps(X, lambda s: s / 3600)
    assert_allclose(fitted(hours, y, **parameters).predict_proba(hours), p, rtol=0, atol=1e-5)


@pytest.mark.parametrize("parameters", CONFIGURATIONS, ids=str)
def test_padding_company_and_order_do_not_matter(parameters):
    X, y = stamped(40, shortest=1)
    X = [*for_mode(X, parameters), np.empty((0, 3))]
    y = [*y, 1]
    model = fitted(X, y, **parameters)
    together = model.predict_proba(X)
    assert np.isfinite(model.loss_curve_).all()
    assert np.ptp(together[:, 0]) > 0.05
    order = np.random.default_rng(0).permutation(len(X))
    others = {
        "alone": np.concatenate([model.predict_proba([x]) for x in X]),
        "padded": model.predict_proba(pad(X, 60, NAN)),
        "shuffled": model.predict_proba([X[i] for i in order])[np.argsort(order)],
        "with a slow one": model.predict_proba([*X, np.array([[9, 0, 9], [9, 1e12, 9.0]])])[:-1],
    }
    for name, p in others.items():
        assert_allclose(p, together, rtol=0, atol=1e-6, err_msg=name)
    assert_same_model(fitted(pad(X, 20, NAN), y, **parameters), model)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_stamps_of_this_century_are_as_precise_as_those_from_zero(dtype):
    X, y = stamped(30)
    X = with_stamps(X, lambda s: (s - s[0]) / 4096)  # well below a second
    late = with_stamps(X, lambda s: s + 2.0**31)
    a, b = (fitted(Z, y, dtype=dtype) for Z in (X, late))
    assert_same_model(a, b)


def test_the_stamps_are_left_as_they_are():
    X, y = stamped()
    X = pad(with_holes(X), 8, NAN)
    X.flags.writeable = False
    before = X.tobytes()
    for missing in ("decay", "indicator"):
        fitted(X, y, missing=missing, bidirectional=True).predict(X)
    assert X.tobytes() == before
    cells = [x.astype(object) for x in stamped()[0]]
    for x in cells:
        x[:, STAMP] = [pd.Timestamp(s, unit="s") for s in x[:, STAMP]]
    copies = [x.copy() for x in cells]
    fitted(cells, y).predict(cells)
    for x, copied in zip(cells, copies, strict=True):
        assert_array_equal(x, copied)


# What the network reads


@pytest.mark.parametrize("missing", MODES)
def test_the_time_between_steps_is_read_in_the_place_of_the_stamps(missing):
    # Nothing is missing: by hand the network reads the logarithm of the time since the step before.
    X, y = stamped()
    model = fitted(X, y, missing=missing, dtype="float64")
    gaps = [np.diff(x[:, STAMP], prepend=x[0, STAMP]) for x in X]
    mean = np.concatenate(gaps).mean()
    assert_allclose(model.gap_scale_, mean, rtol=1e-12)
    assert not model.has_missing_
    if missing == "decay":  # states decay too
        assert "hidden_0.decay_weights" in model.parameters_
        assert "inputs.decay_weights" not in model.parameters_
        return
    values = np.concatenate(X)
    center, scale = values.mean(axis=0), values.std(axis=0)
    by_hand = []
    for x, gap in zip(X, gaps, strict=True):
        z = (x - center) / scale
        z[:, STAMP] = np.log1p(gap / mean)
        by_hand.append(z)
    reference = fitted(by_hand, y, time_feature=None, scaling=None, dtype="float64")
    assert_allclose(model.predict_proba(X), reference.predict_proba(by_hand), rtol=0, atol=1e-9)


def test_the_mean_times_since_each_feature_was_last_seen():
    X = [np.array([[1, 10, NAN], [NAN, 13, 5], [2, 14, NAN]]), np.array([[NAN, 0, 1], [7, 8, 2.0]])]
    model = small(GRUClassifier, time_feature=1).fit(X, [0, 1])
    # Since the first step where nothing was seen before, and before the step that is asked about.
    expected = [(0 + 3 + 4 + 0 + 8) / 5, (0 + 3 + 1 + 0 + 8) / 5, (0 + 3 + 1 + 0 + 8) / 5]
    assert_allclose(model.gap_scale_, expected, rtol=1e-12)
    steps = small(GRUClassifier).fit(X, [0, 1])
    assert_allclose(steps.gap_scale_, [(0 + 1 + 2 + 0 + 1) / 5, 3 / 5, 3 / 5], rtol=1e-12)


@pytest.mark.parametrize("missing", ["decay", "indicator"])
def test_a_step_that_has_a_time_stamp_only_is_a_step(missing):
    X, y = stamped()
    X = with_holes(X)
    for x in X:
        x[-1, [0, 2]] = NAN
    model = fitted(X, y, missing=missing)
    shorter = [x[:-1] for x in X]
    p = model.predict_proba(X)
    assert np.isfinite(p).all()
    assert np.abs(p - model.predict_proba(shorter)).max() > 1e-4
    assert [len(h) for h in model.transform_steps(X)] == [len(x) for x in X]


@pytest.mark.parametrize("parameters", CONFIGURATIONS, ids=str)
def test_stamps_alone_are_enough(parameters):
    X, y = stamped()
    alone = [x[:, [STAMP]] for x in X]
    model = fitted(alone, y, **parameters | {"time_feature": 0})
    assert np.isfinite(model.loss_curve_).all()
    assert_array_equal(model.feature_mean_, 0)
    flat = [x[:, 0] for x in alone]
    assert_same_model(fitted(flat, y, **parameters | {"time_feature": -1}), model)


@pytest.mark.parametrize("missing", MODES)
def test_equal_stamps_and_single_steps_train(missing):
    X, y = stamped()
    same_times = with_stamps(X, lambda s: np.full_like(s, s[0]))
    model = fitted(same_times, y, missing=missing)
    assert np.isfinite(model.loss_curve_).all()
    assert_array_equal(model.gap_scale_, 1)
    assert np.isfinite(model.predict_proba(X)).all()  # of which times go on
    single = [x[:1] for x in X]
    model = fitted(single, y, missing=missing)
    assert np.isfinite(model.predict_proba(X)).all()
    partly = with_stamps(X, lambda s: np.maximum.accumulate(s - s % 4096))
    assert np.isfinite(fitted(partly, y, missing=missing).loss_curve_).all()


@pytest.mark.parametrize("missing", MODES)
def test_where_training_saw_none_missing_values_are_filled(missing):
    X, y = stamped()
    model = fitted(X, y, missing=missing, dtype="float64")
    holes = with_holes(X)
    if missing == "error":
        with pytest.raises(ValueError, match="NaN"):
            model.predict(holes)
        return
    p = model.predict_proba(holes)
    assert np.isfinite(p).all()
    assert_allclose(np.concatenate([model.predict_proba([x]) for x in holes]), p, atol=1e-10)
    if missing == "indicator":
        filled = [np.where(np.isnan(x), model.feature_mean_, x) for x in holes]
        assert_allclose(model.predict_proba(filled), p, rtol=0, atol=1e-10)


# Which feature


@pytest.mark.parametrize("missing", MODES)
def test_an_index_counts_from_either_end(missing):
    X, y = stamped()
    model = fitted(X, y, missing=missing)
    same = fitted(X, y, missing=missing, time_feature=STAMP - 3)
    assert_same_model(same, model)
    assert_array_equal(same.predict_proba(X), model.predict_proba(X))
    assert same.time_feature == STAMP - 3
    assert_same_model(same.fit(X, y), model)


@pytest.mark.parametrize("time_feature", [3, -4, 100])
def test_an_index_of_no_feature_is_refused(time_feature):
    X, y = stamped()
    for form in (X, pad(X, 8, NAN)):
        with pytest.raises(ValueError, match=f"time_feature .*-3 and below 3, got {time_feature}"):
            small(GRUClassifier, time_feature=time_feature).fit(form, y)
    with pytest.raises(ValueError, match="time_feature"):
        small(GRUClassifier, time_feature=1).fit(np.ones((4, 6)), [0, 1, 0, 1])


@pytest.mark.parametrize("time_feature", ["when", ""])
def test_a_name_of_no_column_is_refused(time_feature):
    X, y = stamped()
    for form in (X, nested(X, pd), nested(X, pl)):
        with pytest.raises(ValueError, match=f"a column time_feature='{time_feature}'"):
            small(GRUClassifier, time_feature=time_feature).fit(form, y)
    with pytest.raises(ValueError, match=r"columns of X are \['a', 'time', 'b'\]"):
        small(GRUClassifier, time_feature=time_feature).fit(nested(X, pd), y)


@pytest.mark.parametrize("time_feature", [1.0, [0], (1,)])
def test_other_values_are_refused(time_feature):
    X, y = stamped()
    with pytest.raises(ValueError, match="'time_feature' parameter"):
        GRUClassifier(time_feature=time_feature).fit(X, y)


@pytest.mark.parametrize(
    "parameters", [{"embedding_dim": 2}, {"embedding_matrix": np.ones((9, 2))}]
)
@pytest.mark.parametrize("time_feature", [0, "time"])
def test_tokens_have_no_time_stamps(parameters, time_feature):
    X, y = token_sequences()
    with pytest.raises(ValueError, match="Token sequences have no time stamps"):
        small(GRUClassifier, time_feature=time_feature, **parameters).fit(X, y)


def test_too_few_features_in_a_prediction_are_named_as_such():
    X, y = stamped()
    model = fitted(X, y)
    with pytest.raises(ValueError, match=r"1 features per step.* expecting 3 features"):
        model.predict([x[:, :1] for x in X])


# Stamps that are none


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


# Forms


def nested(X, library, dates=lambda stamps: stamps):
    """Return a frame of arrays, the time stamps in the column "time"."""
    columns = {name: [x[:, d] for x in X] for d, name in enumerate(["a", "time", "b"])}
    columns["time"] = [dates(stamps) for stamps in columns["time"]]
    if library is pd:
        columns = {name: objects(cells) for name, cells in columns.items()}
    return library.DataFrame(columns)


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


# What is learned of time


def clocks(n=300, n_features=1, seed=0):
    """Return sequences of like values, and whether their clock is the fast one."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 2, n)
    X = rng.normal(size=(n, 8, n_features + 1))
    X[:, :, 0] = rng.exponential(np.where(y, 60.0, 600.0)[:, None], (n, 8)).cumsum(axis=1)
    return X, y


def learner(**parameters):
    defaults = {"hidden_layer_sizes": 8, "max_iter": 20, "learning_rate_init": 0.02}
    return small(GRUClassifier, **defaults | parameters)


@pytest.mark.parametrize(
    "parameters", [*({"cell": cell} for cell in NAMES), {"bidirectional": True}], ids=str
)
@pytest.mark.parametrize("missing", MODES)
def test_what_only_the_clock_tells_is_learned(missing, parameters):
    X, y = clocks()
    if missing != "error":
        X[:, :, 1][np.random.default_rng(1).random((300, 8)) < 0.3] = NAN
    model = learner(time_feature=0, missing=missing, **parameters).fit(X[:200], y[:200])
    assert model.score(X[200:], y[200:]) > 0.9


def test_without_the_clock_there_is_nothing_to_learn():
    X, y = clocks()
    blind = learner().fit(X[:200, :, 1:], y[:200])
    assert blind.score(X[200:, :, 1:], y[200:]) < 0.65
    alone = learner(time_feature=0).fit(X[:200, :, :1], y[:200])
    assert alone.score(X[200:, :, :1], y[200:]) > 0.9


def test_times_of_sequences_that_start_anywhere_are_learned():
    X, y = clocks()
    X[:, :, 0] += np.random.default_rng(1).uniform(0, 1e9, (300, 1))
    model = learner(time_feature=0).fit(X[:200], y[:200])
    assert model.score(X[200:], y[200:]) > 0.9
    raw = learner().fit(X[:200], y[:200])
    assert raw.score(X[200:], y[200:]) < 0.65


def test_regression_on_time():
    rng = np.random.default_rng(0)
    pace = rng.uniform(0.5, 2.0, 400)
    X = rng.normal(size=(400, 8, 2))
    X[:, :, 1] = rng.exponential(pace[:, None], (400, 8)).cumsum(axis=1)
    y = X[:, -1, 1] - X[:, 0, 1]
    model = small(
        GRURegressor, hidden_layer_sizes=16, max_iter=40, learning_rate_init=0.02, time_feature=1
    ).fit(X[:300], y[:300])
    assert model.score(X[300:], y[300:]) > 0.85
    assert output(model, X).shape == (400,)


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
