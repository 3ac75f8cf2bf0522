"""PerTimestep: tables with a sequence in each cell, of texts, categories, dates or numbers."""

from datetime import datetime, timedelta

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.compose import ColumnTransformer, make_column_selector
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, OrdinalEncoder, StandardScaler

from skgru import PerTimestep, make_sequences
from tests.containers import objects
from tests.transformers.long_tables import is_missing
from tests.transformers.steps import Recording, assert_same_sequences

SPEED = [[1.0, 2.0], [], [3.0, 6.0, 0.0]]
COLOUR = [["red", "blue"], [], ["blue", "red", "green"]]
CODES = {"blue": 0, "green": 1, "red": 2}
EXPECTED = [[CODES[colour] for colour in run] for run in COLOUR]


def nested(cells, dtype=object):
    return objects([np.array(run, dtype) for run in cells])


def frame_of_arrays(columns):
    return pd.DataFrame({name: nested(cells) for name, cells in columns.items()})


def assert_same_steps(found, runs):
    assert_same_sequences(found, [np.array(run, float)[:, None] for run in runs])


TABLES = {
    "pandas": frame_of_arrays,
    "pandas of lists": lambda columns: pd.DataFrame(
        {name: objects(cells) for name, cells in columns.items()}
    ),
    "pandas of Arrow": lambda columns: pd.DataFrame(
        {name: pd.Series(c, dtype=pd.ArrowDtype(pa.array(c).type)) for name, c in columns.items()}
    ),
    "polars": pl.DataFrame,
    "Arrow": pa.table,
    "Arrow in chunks": lambda columns: pa.concat_tables(
        [pa.table(columns)[:1], pa.table(columns)[1:]]
    ),
    "array": lambda columns: np.array([nested(c) for c in columns.values()], object).T,
}


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_texts_beside_numbers(table):
    X = table({"speed": SPEED, "colour": COLOUR})
    by_name = isinstance(X, pd.DataFrame)
    speed, colour = (["speed"], ["colour"]) if by_name else ([0], [1])
    encoder = ColumnTransformer([("c", OrdinalEncoder(), colour), ("s", StandardScaler(), speed)])
    per_step = PerTimestep(encoder)
    found = per_step.fit_transform(X)
    steps = np.concatenate(SPEED)
    scaled = [(np.array(run) - steps.mean()) / steps.std() for run in SPEED]
    expected = [np.column_stack(pair) for pair in zip(EXPECTED, scaled, strict=True)]
    assert_same_sequences(found, expected)
    assert_same_sequences(per_step.transform(X), expected)
    assert_same_sequences(per_step.transform(X[2:]), expected[2:])
    assert_same_sequences(per_step.transform(X[1:2]), expected[1:2])
    assert per_step.n_features_in_ == 2
    if isinstance(
        X, pd.DataFrame | pa.Table
    ):  # of polars, older versions of scikit-learn take none
        assert per_step.feature_names_in_.tolist() == ["speed", "colour"]
        with pytest.raises(ValueError, match="feature names should match"):
            per_step.transform(table({"speed": SPEED, "hue": COLOUR}))


def codes(steps):
    """Return the codes of colours, -1 for missing ones."""
    cells = np.asarray(steps, object)
    return np.array([[-1.0 if is_missing(c) else CODES[c] for c in row] for row in cells])


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_missing_texts(table):
    # Where all features are missing at the end, steps are padding; elsewhere they are values.
    colour = [[None, "red"], ["blue", None], ["red", None, None]]
    speed = [[1.0, None], [2.0, 3.0], [4.0, None, None]]
    encoder = FunctionTransformer(codes)
    found = PerTimestep(encoder).fit_transform(table({"colour": colour}))
    assert_same_steps(found, [[-1, 2], [0, np.nan], [2, np.nan, np.nan]])
    encoder = ColumnTransformer([("colour", encoder, [0])])
    found = PerTimestep(encoder).fit_transform(table({"colour": colour, "speed": speed}))
    assert_same_steps(found, [[-1, 2], [0, -1], [2, np.nan, np.nan]])


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_dates(table):
    start = datetime(2024, 1, 1)
    days = [[start, start + timedelta(1)], [], [start + timedelta(3)]]
    X = table({"day": days})
    per_step = PerTimestep(
        FunctionTransformer(lambda x: np.asarray(x).astype("M8[D]").astype(float))
    )
    found = per_step.fit_transform(X)
    assert_same_steps(found, [[19723, 19724], [], [19726]])


@pytest.mark.parametrize("library", [pd.DataFrame, pl.DataFrame])
def test_columns_keep_their_types(library):
    start = datetime(2024, 1, 1)
    content = {
        "run": [0, 0, 1, 1],
        "colour": ["red", "blue", "red", "red"],
        "kind": ["a", "b", "a", "a"],
        "day": [start] * 4,
        "n": [1, 2, 3, 4],
        "half": [0.5, 1.5, 2.5, 3.5],
    }
    table = library(content)
    if library is pd.DataFrame:
        kind = pd.CategoricalDtype(["b", "unused", "a"], ordered=True)
        table = table.astype({"kind": kind, "n": "Int64", "half": "f4"})
        table["day"] = table["day"].dt.tz_localize("Asia/Tokyo")
    else:
        table = table.with_columns(
            pl.col("kind").cast(pl.Enum(["b", "unused", "a"])),
            pl.col("day").dt.replace_time_zone("Asia/Tokyo"),
            pl.col("n").cast(pl.Int8),
        )
    X = make_sequences(table, "run", samples=[1, 5, 0])
    names = list(content)[1:]
    steps = PerTimestep(Recording(lambda steps: np.ones((len(steps), 1)))).fit(X).transformer_.X_
    assert type(steps) is library
    assert list(steps.columns) == names
    assert list(steps.dtypes) == list(table[names].dtypes)
    rows = [2, 3, 0, 1]
    for name in names:
        assert list(steps[name]) == [list(table[name])[row] for row in rows]


def test_columns_are_chosen_by_their_types():
    frame = pd.DataFrame(
        {"run": [0, 0, 1], "colour": ["x", "y", "x"], "n": [1.0, 2.0, 3.0], "kind": ["a", "b", "a"]}
    ).astype({"kind": "category"})
    X = make_sequences(frame, "run")
    chosen = (
        make_column_selector(dtype_include="category"),
        make_column_selector(dtype_include="number"),
    )
    encoder = ColumnTransformer(
        [("kind", OneHotEncoder(), chosen[0]), ("n", StandardScaler(), chosen[1])]
    )
    per_step = PerTimestep(encoder).fit(X)
    assert per_step.get_feature_names_out().tolist() == ["kind__kind_a", "kind__kind_b", "n__n"]
    assert_allclose(per_step.transform(X)[1][:, :2], [[1, 0]])


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_nothing_but_empty_sequences(table):
    per_step = PerTimestep(OneHotEncoder(sparse_output=False)).fit(table({"colour": COLOUR}))
    X = table({"colour": COLOUR})[1:2]
    (found,) = per_step.transform(X)
    assert found.shape == (0, 3)
    with pytest.raises(ValueError, match="X has no step to fit the transformer on"):
        per_step.fit(X)


REFUSED = {
    "unequal lengths": (
        {"speed": SPEED, "colour": [["red", "blue"], [], ["blue", "red"]]},
        "same length, but that of column .* has 2 steps in row 2, others 3",
    ),
    "one too many in an empty one": (
        {"colour": COLOUR, "speed": [[1.0, 2.0], [1.0], [1.0, 2.0, 3.0]]},
        "same length, but that of column .* has 1 steps in row 1, others 0",
    ),
    "a missing sequence": (
        {"speed": [[1.0], [1.0]], "colour": [["red"], None]},
        r"Column .*: Sequence 1 is missing \(None\): .* is an empty one",
    ),
}


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
@pytest.mark.parametrize(("columns", "message"), REFUSED.values(), ids=REFUSED)
def test_tables_that_are_refused(table, columns, message):
    if table is frame_of_arrays or table is TABLES["array"]:
        cells = {
            n: [c if c is None else np.array(c, object) for c in cs] for n, cs in columns.items()
        }
        X = pd.DataFrame({name: objects(column) for name, column in cells.items()})
        X = X if table is frame_of_arrays else X.to_numpy()
    else:
        X = table(columns)
    with pytest.raises(ValueError, match=message):
        PerTimestep(FunctionTransformer(lambda x: np.ones((len(x), 1)))).fit(X)


def test_several_texts_at_a_step():
    X = pd.DataFrame({"words": objects([np.array([["a", "b"], ["c", "d"]], object)] * 2)})
    with pytest.raises(ValueError, match="those of column 'words' have 2"):
        PerTimestep(OneHotEncoder()).fit(X)


def test_the_table_is_not_modified():
    X = frame_of_arrays({"speed": SPEED, "colour": COLOUR})
    before = [cell.copy() for cell in X.to_numpy().flat]

    def spoil(steps):
        steps["speed"] = 0.0
        return np.ones((len(steps), 1))

    PerTimestep(FunctionTransformer(spoil)).fit(X)
    for cell, other in zip(X.to_numpy().flat, before, strict=True):
        assert_array_equal(cell, other)


def test_lists_of_arrow_in_pandas_keep_their_type():
    X = TABLES["pandas of Arrow"]({"colour": COLOUR})
    recording = Recording(lambda steps: np.ones((len(steps), 1)))
    steps = PerTimestep(recording).fit(X).transformer_.X_
    assert steps["colour"].dtype == pd.ArrowDtype(pa.string())


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_steps_of_several_numbers_are_no_texts(table):
    cells = [[[1.0, 2.0], [3.0, 4.0]], [[5.0, 6.0]]]
    found = PerTimestep(FunctionTransformer()).fit_transform(table({"a": cells}))
    assert_same_sequences(found, [np.array(run) for run in cells])


@pytest.mark.parametrize("missing", [None, np.nan])
def test_texts_that_all_miss_in_a_sample(missing):
    columns = {
        "g": [[missing, missing], ["lo", "hi"], ["lo"]],
        "h": [[0.0, 1.0], [2.0, 3.0], [4.0]],
    }
    X = pd.DataFrame({"g": nested(columns["g"]), "h": nested(columns["h"], float)})
    encoder = ColumnTransformer(
        [("g", OneHotEncoder(sparse_output=False, handle_unknown="ignore"), ["g"])],
        remainder="passthrough",
    )
    first, *others = PerTimestep(encoder).fit_transform(X)
    assert first.shape == (2, 4)  # a missing text is a category of its own
    for x, expected in zip(others, [[[0, 1, 0, 2], [1, 0, 0, 3]], [[0, 1, 0, 4]]], strict=True):
        assert_array_equal(x, expected)
    # Without one in fit, it is unknown; and the only sample has no text to tell its type.
    [alone] = PerTimestep(encoder).fit(X[1:]).transform(X[:1])
    assert_array_equal(alone, [[0, 0, 0], [0, 0, 1]])
