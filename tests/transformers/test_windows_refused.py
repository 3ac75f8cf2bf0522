"""make_windows: series, columns and parameters that are refused, and those just accepted."""

import itertools
from datetime import time
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from scipy import sparse

from skgru.windows import make_windows
from tests.transformers.series import DAYS, numbered


@pytest.mark.parametrize(
    ("series", "message"),
    [
        ([1, 2, np.inf, 4], "got inf in step 2 of series 0, feature 0"),
        ([[1, 2, 3], [4, -np.inf, 5]], "got -inf in step 1 of series 1, feature 0"),
        (np.arange(5) * 1j, "Complex data not supported"),
        (np.array(list("12345")), "Expected numbers, got text in series 0"),
        (list("12345"), "Expected numbers, got text in series 0"),
        (np.array([1, "2", 3], dtype=object), "Expected numbers, got text in series 0"),
        (["12345", [1, 2]], "Expected an array or a list, got a string as series 0"),
        ([[1, 2, 3, 10**400]], "A number in step 3 of series 0 is too large"),
        ([1, 2, -(10**400)], "A number in step 2 of series 0 is too large"),
        ([[1.0, 2, 3], [1.0, 1j, 3]], "Complex data not supported: .*series 1"),
        (pd.DataFrame({"a": [1.0, 2], "b": [1j, 2]}), "Complex .*column 'b' of series 0"),
        (np.ma.array([1j, 2, 3], mask=[0, 1, 0]), "Complex data not supported"),
        (pl.Series([time(1), time(2)]), r"got a time, .* in step 0 of series 0: [^.]*\.$"),
        ([1, 2, [3], 4], "Expected an array or a list, got an int as series 0"),
        (
            pd.Series([[1, 2], [3]]).to_numpy(),
            "got a list.* in step 0 of series 0.*as a list of them",
        ),
        (pd.Series([np.arange(4), np.arange(5)]), "step 0 of series 0.*as a list of them"),
        (pl.Series([[1, 2], [3, 4]]), "step 0 of series 0.*as a list of them"),
        (pd.DataFrame({"a": [[1, 2], [3, 4]]}), "step 0 of column 'a' of series 0"),
        (
            {"a": np.arange(9), "b": np.arange(9)},
            r"got a dict: .*list\(series.values\(\)\).*DataFrame",
        ),
        ([{"a": 1}, {"a": 2}], "as series 0, got a dict"),
        ({1, 2, 3}, "Expected an array or a list, got a set as series 0"),
        ("text", "Expected an array or a list, got a string as series 0"),
        (None, "Expected an array or a list, got a NoneType as series 0"),
        ((i for i in range(9)), "Expected an array or a list, got a generator as series 0"),
        (
            pd.DataFrame({"id": [1, 1, 2], "a": [1, 2, 3]}).groupby("id"),
            r"got a DataFrameGroupBy: give a list of its groups, \[group for _, group in groups\]",
        ),
        ([pl.DataFrame({"id": [1]}).group_by("id")], "got a GroupBy: give a list of its groups"),
        (list(pd.DataFrame({"id": [1], "a": [1]}).groupby("id")), "series 0.*as a list of them"),
        (pl.DataFrame({"a": [1, 2]}).lazy(), r"got a LazyFrame: call its collect\(\)"),
        (np.zeros((2, 5, 1)), r"got \(2, 5, 1\) for series 0; several series are given as a list"),
        (3.0, "Expected an array or a list, got a float as series 0"),
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


@pytest.mark.parametrize("several", [False, True])
def test_sparse_series_are_refused(several):
    series = sparse.csr_array(np.eye(5))
    message = rf"Expected dense numbers, got a csr_array as series {int(several)}: .* toarray\(\)"
    with pytest.raises(ValueError, match=message):
        make_windows([np.eye(5), series] if several else series, 2)


DATED = {
    "datetime64": DAYS,
    "with a zone": DAYS.tz_localize("Asia/Tokyo"),
    "objects": DAYS.astype(object),
    "dates": DAYS.date,
    "periods": DAYS.to_period("D"),
    "durations": DAYS - DAYS[0],
    "text": DAYS.astype(str),
    "categories of text": pd.Categorical(DAYS.astype(str)),
    "categories of numbers": pd.Categorical(np.arange(20) % 3),
    "numbers and a text": [*range(19), "x"],
    "numbers and a date": [*range(19), DAYS[0]],
    "bytes": [b"1"] * 20,
}


LIBRARIES = {
    "pandas": pd.DataFrame,
    "polars": lambda table: pl.DataFrame(
        {name: pl.from_pandas(pd.Series(column)) for name, column in table.items()}
    ),
    "Arrow": lambda table: pa.table(
        {name: pa.array(pd.Series(column)) for name, column in table.items()}
    ),
    "pandas Arrow": lambda table: pd.DataFrame(table).astype(
        {"when": pd.ArrowDtype(pa.array(pd.Series(table["when"])).type)}
    ),
}


def frame_with(kind, library):
    """Return a table with such a column, None where the library knows none."""
    if library == "polars" and kind in ("periods", "categories of numbers"):
        return None  # it makes numbers of them
    try:
        return LIBRARIES[library]({"a": np.arange(20.0), "when": DATED[kind]})
    except (TypeError, ValueError, pa.ArrowException, pl.exceptions.PolarsError):
        return None


DATED_COLUMNS = [
    (kind, library)
    for kind in DATED
    for library in LIBRARIES
    if frame_with(kind, library) is not None
]


def test_most_libraries_know_columns_of_no_numbers():
    of = {library: {kind for kind, its in DATED_COLUMNS if its == library} for library in LIBRARIES}
    assert of["pandas"] == set(DATED)
    assert all(len(kinds) >= 3 for kinds in of.values())


@pytest.mark.parametrize(("kind", "library"), DATED_COLUMNS)
def test_columns_of_no_numbers_are_refused_by_name(kind, library):
    frame = frame_with(kind, library)
    good = LIBRARIES["Arrow"]({"a": np.arange(20.0), "when": np.arange(20)})
    for i, series in enumerate([frame, [good, frame]]):
        with pytest.raises(ValueError, match=rf"Expected numbers, got .*'when' of series {i}"):
            make_windows(series, 2)
    whole = pd.Series(DATED[kind]) if library == "pandas" else frame["when"]
    with pytest.raises(ValueError, match=r"Expected numbers, got .* series 1"):
        make_windows([np.arange(20), whole], 2)


def test_what_to_do_with_columns_of_no_numbers():
    frame = pd.DataFrame({"a": np.arange(20.0), "when": DAYS})
    with pytest.raises(ValueError, match=r"got dates .*: sort .*drop it.*; set_index\('when'\)"):
        make_windows(frame, 2)
    with pytest.raises(ValueError, match=r"sort by this column and drop it, .* as the hour\.$"):
        make_windows(pl.from_pandas(frame), 2)
    long = frame.assign(when=list("ab" * 10))
    with pytest.raises(ValueError, match=r"several series .* list of them; set_index\(\['when', "):
        make_windows(long, 2)
    with pytest.raises(ValueError, match=r"several series apart, give a list of them\.$"):
        make_windows(pl.from_pandas(long), 2)


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
    np.testing.assert_array_equal(one[1], series[199:, 0])


def test_larger_steps_than_the_series_make_one_window():
    for step in (400, 2**70, 10**400, np.uint64(2**64 - 1)):
        X, y = make_windows(numbered(300), 3, step=step)
        assert len(X) == len(y) == 1


def test_names_that_are_tuples():
    frame = pd.DataFrame(numbered(9, 2), columns=pd.MultiIndex.from_tuples([("a", 1), ("a", 2)]))
    expected = make_windows(numbered(9, 2), 2, target=1, known=0)
    got = make_windows(frame, 2, target=("a", 2), known=[("a", 1)])
    np.testing.assert_array_equal(got[0], expected[0])
    np.testing.assert_array_equal(got[1], expected[1])


def test_name_without_names():
    with pytest.raises(ValueError, match="target: expected one of the 2 columns , got 'a'"):
        make_windows(numbered(9, 2), 2, target="a")
