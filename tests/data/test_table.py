"""Rows of tables: numbers and categories of any container, learned from and read again."""

import datetime
import pickle
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from skgru._data.selection import select, take_columns
from skgru._data.table import TableInput, open_output, open_table
from skgru._nn.batch import Arena
from skgru._settings import Settings
from skgru._spec import FeedForwardSpec

NAN = np.nan


def settings(**changed):
    values = {"scaling": "standard", "embedding_dim": "auto"} | changed
    return Settings(values, {}, {}, "TableBranch")


def opened(table):
    """Return a table with all of its columns, or columns by their names, opened."""
    table = pd.DataFrame(table) if isinstance(table, dict) else table
    return open_table(take_columns(table, select(table, slice(None))))


def fitted_to(table, weights=None, **changed):
    """Return the input that has learned from an opened table."""
    made = TableInput.of(table, settings(**changed))
    parsed = made.parse(table)
    weights = np.ones(parsed.sequences.n_sequences) if weights is None else np.array(weights)
    return made.meet(parsed).learn(parsed.sequences, weights, FeedForwardSpec())


def fitted(table, weights=None, **changed):
    return fitted_to(opened(table), weights, **changed)


def rows_of(learned, table, indices=None, dtype=np.float64):
    """Return the network's inputs of an opened table, and which samples have a row."""
    steps = learned.steps_of(learned.parse(table).sequences, dtype)
    indices = np.arange(steps.n_sequences) if indices is None else np.array(indices)
    x, piece = steps.pieces(indices, None, Arena())[0]
    assert_array_equal(piece.batch.lengths, np.sort(steps.lengths_of(indices))[::-1])
    return x, steps.lengths


def numbers_of(learned, table, **further):
    return rows_of(learned, opened(table), **further)[0].numbers


def codes_of(learned, table):
    return rows_of(learned, opened(table))[0].codes


# Numbers

TABLE = np.random.RandomState(0).normal(5, [1, 20], (9, 2)) * [1, 10]
WITH_HOLES = np.where(np.random.RandomState(1).uniform(size=(9, 2)) < 0.3, NAN, TABLE)
WITH_HOLES[4] = TABLE[4]


@pytest.mark.parametrize("table", [TABLE, WITH_HOLES], ids=["full", "holes"])
def test_standard_scaling_is_that_of_scikit_learn(table):
    scaler = StandardScaler().fit(table)
    learned = fitted(table)
    expected = scaler.transform(table)
    present = ~np.isnan(table).all(axis=1)
    missing = np.isnan(table[present])
    read = numbers_of(learned, table)
    assert_allclose(read[:, :2], np.nan_to_num(expected[present]), rtol=1e-12, atol=1e-14)
    assert_array_equal(read[:, 2:], missing[:, missing.any(axis=0)])
    assert_allclose(learned.attributes["feature_mean_"], scaler.mean_)
    assert_allclose(learned.attributes["feature_scale_"], scaler.scale_)


def test_robust_scaling_is_by_quartiles_and_bends_outliers():
    table = np.vstack([TABLE, [[1e6, -1e6]] * 2])
    low, middle, high = np.quantile(table, [0.25, 0.5, 0.75], axis=0, method="inverted_cdf")
    learned = fitted(table, scaling="robust")
    assert_array_equal(learned.attributes["feature_mean_"], middle)
    assert_array_equal(learned.attributes["feature_scale_"], high - low)
    z = (table - middle) / (high - low)
    read = numbers_of(learned, table)
    assert_allclose(read, z / np.sqrt(1 + (z / 3) ** 2), rtol=1e-12)
    assert np.abs(read).max() < 3


def test_without_scaling_numbers_are_read_as_they_are():
    learned = fitted(TABLE, scaling=None)
    assert_array_equal(numbers_of(learned, TABLE), TABLE)
    assert learned.spec.n_inputs == 2


def test_without_scaling_a_column_with_holes_is_centered_as_zero_stands_for_them():
    learned = fitted({"a": [10.0, NAN, 20.0], "b": [1.0, 2.0, 3.0]}, scaling=None)
    expected = [[-5, 1, 0], [0, 2, 1], [5, 3, 0]]
    read = numbers_of(learned, {"a": [10.0, NAN, 20.0], "b": [1.0, 2.0, 3.0]})
    assert_array_equal(read, expected)


@pytest.mark.parametrize(("scaling", "middle"), [("standard", 4), ("robust", 3), (None, 4)])
def test_a_missing_number_is_read_as_the_middle_if_none_was_missing_in_training(scaling, middle):
    learned = fitted({"a": [1.0, 3.0, 8.0], "b": [0.0, 0.0, 1.0]}, scaling=scaling)
    missing, filled = (numbers_of(learned, {"a": [a, 3.0], "b": [0.0, 1.0]}) for a in (NAN, middle))
    assert missing.shape == (2, 2)
    assert_allclose(missing, filled, atol=1e-15)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("scaling", ["standard", "robust", None])
def test_a_column_without_a_value_in_training_is_never_read(scaling, dtype):
    learned = fitted({"a": [1.0, 2.0], "b": [NAN, NAN]}, scaling=scaling)
    absent, given = (numbers_of(learned, {"a": [1.0], "b": [b]}, dtype=dtype) for b in (NAN, 7.0))
    assert_array_equal(given, absent)
    assert_array_equal(given[:, 1:], [[0, 1]])


@given(st.lists(st.integers(0, 3), min_size=9, max_size=9).filter(any), st.booleans())
def test_a_weight_is_a_repetition(counts, has_holes):
    table = WITH_HOLES if has_holes else TABLE
    counts = np.array(counts)
    used = np.flatnonzero(counts)
    repeated = table[np.repeat(np.arange(9), counts)]
    for scaling in ("standard", "robust", None):
        by_weight = fitted(table[used], counts[used].astype(float), scaling=scaling)
        by_copies = fitted(repeated, scaling=scaling)
        for name in ("center", "scale", "fill", "may_miss"):
            found, expected = (getattr(made, name) for made in (by_weight, by_copies))
            assert_allclose(found, expected, rtol=1e-9, atol=1e-9, err_msg=name)


def test_absent_rows_count_for_nothing():
    table = np.vstack([TABLE, [[NAN, NAN]] * 3])
    learned = fitted(table, np.arange(1, 13.0))
    alone = fitted(TABLE, np.arange(1, 10.0))
    assert_array_equal(learned.center, alone.center)
    assert_array_equal(learned.scale, alone.scale)
    assert not learned.may_miss.any()


def test_a_number_too_large_for_the_type_is_refused():
    learned = fitted({"a": [1.0, 2.0]})
    with pytest.raises(ValueError, match="too large for float32"):
        numbers_of(learned, {"a": [1e300]}, dtype=np.float32)
    assert np.isfinite(numbers_of(learned, {"a": [1e300]})).all()


@pytest.mark.parametrize(
    "cells",
    [
        [1, 2, 4],
        np.array([1, 2, 4], np.int8),
        pd.array([1, 2, 4], dtype="Int64"),
        [Decimal(1), Decimal(2), Decimal(4)],
        np.array([1.0, 2, 4], object),
    ],
    ids=lambda cells: type(cells).__name__,
)
def test_numbers_come_in_any_type(cells):
    expected = numbers_of(fitted({"a": [1.0, 2.0, 4.0]}), {"a": [1.0, 2.0, 4.0]})
    assert_array_equal(numbers_of(fitted({"a": cells}), {"a": cells}), expected)


@pytest.mark.parametrize("nothing", [NAN, None, pd.NA, np.ma.masked, Decimal("NaN")], ids=repr)
def test_numbers_miss_in_any_form(nothing):
    cells = np.array([1.0, 0.0, 4.0], object)
    cells[1] = nothing
    table = {"a": cells, "b": [1.0, 2.0, 3.0]}
    learned = fitted(table)
    assert_array_equal(learned.center, [2.5, 2])
    assert_array_equal(numbers_of(learned, table)[:, [0, 2]], [[-1, 0], [0, 1], [1, 0]])


# Categories

TEXTS = ["u", "v", None, "u"]
FULL = [1.0, 2.0, 3.0, 4.0]  # a column that leaves no row absent
CATEGORIES = {
    "object": (pd.Series(TEXTS, dtype=object), ["u", "v"], "text"),
    "NaN": (pd.Series(["u", "v", NAN, "u"], dtype=object), ["u", "v"], "text"),
    "NA": (pd.Series(["u", "v", pd.NA, "u"], dtype=object), ["u", "v"], "text"),
    "string": (pd.Series(TEXTS, dtype="string"), ["u", "v"], "text"),
    "bytes": (pd.Series([b"u", b"v", None, b"u"], dtype=object), [b"u", b"v"], "text"),
    "category": (pd.Series(TEXTS, dtype="category"), ["u", "v"], "text"),
    "boolean": (pd.Series([False, True, None, False], dtype="boolean"), [False, True], "bool"),
    "bool": (pd.Series([False, True, None, False], dtype=object), [False, True], "bool"),
    "NumPy's bool": (
        pd.Series([np.False_, np.True_, None, np.False_], dtype=object),
        [False, True],
        "bool",
    ),
    "numbers": (pd.Series([3, 7, None, 3], dtype="category"), [3, 7], "category"),
    "truth values": (
        pd.Series([False, True, None, False], dtype="category"),
        [False, True],
        "bool",
    ),
    "polars": (pl.Series(TEXTS), ["u", "v"], "text"),
    "polars' bool": (pl.Series([False, True, None, False]), [False, True], "bool"),
    "polars' categories": (pl.Series(TEXTS, dtype=pl.Categorical), ["u", "v"], "text"),
    "polars' enum": (pl.Series(TEXTS, dtype=pl.Enum(["v", "u"])), ["u", "v"], "text"),
}
EACH = pytest.mark.parametrize(
    ("cells", "categories", "kind"), CATEGORIES.values(), ids=list(CATEGORIES)
)


def with_numbers(cells):
    make = pl.DataFrame if isinstance(cells, pl.Series) else pd.DataFrame
    return make({"c": cells, "n": FULL[: len(cells)]})


@EACH
def test_categories_are_numbered_from_one_on_and_a_missing_one_is_the_last(cells, categories, kind):
    table = with_numbers(cells)
    learned = fitted(table)
    assert learned.kinds == (kind, "number")
    assert list(learned.attributes["categories_"]) == ["c"]
    assert_array_equal(learned.attributes["categories_"]["c"], categories)
    assert_array_equal(codes_of(learned, table), [[1], [2], [3], [1]])
    assert learned.spec.categories == ((3, None),)


@EACH
def test_categories_that_training_did_not_have_are_unknown(cells, categories, kind):
    table = with_numbers(cells)
    learned = fitted(table[[0, 3]] if isinstance(cells, pl.Series) else table.iloc[[0, 3]])
    assert_array_equal(learned.attributes["categories_"]["c"], categories[:1])
    assert_array_equal(codes_of(learned, table), [[1], [0], [0], [1]])
    assert learned.spec.categories == ((1, None),)


def test_arrow_s_categories_are_categories():
    columns = {
        "text": pa.array(TEXTS),
        "dictionary": pa.array(TEXTS).dictionary_encode(),
        "numbers": pa.array([3, 7, None, 3]).dictionary_encode(),
        "bool": pa.array([False, True, None, False]),
        "n": pa.array([1, 2, 3, 4]),
    }
    table = pa.table(columns)
    learned = fitted(table)
    assert learned.kinds == ("text", "text", "category", "bool", "number")
    assert_array_equal(codes_of(learned, table), np.array([[1, 2, 3, 1]] * 4).T)


def test_categories_are_those_of_one_hot_encoder():
    rng = np.random.RandomState(0)
    train, test = (rng.choice(list("abcdefgh"), (n, 2)).astype(object) for n in (12, 30))
    encoder = OneHotEncoder(handle_unknown="ignore", sparse_output=False).fit(train)
    learned = fitted(train)
    codes = codes_of(learned, test)
    one_hot = [np.eye(n + 1)[codes[:, j], 1:] for j, (n, _) in enumerate(learned.spec.categories)]
    assert_array_equal(np.hstack(one_hot), encoder.transform(test))
    assert (codes == 0).any()


@pytest.mark.parametrize(
    ("wanted", "few", "many"), [("auto", None, 6), (None, None, None), (5, 5, 5)], ids=str
)
def test_many_categories_have_vectors(wanted, few, many):
    table = {"few": [f"{i % 10}" for i in range(22)], "many": [f"{i % 11}" for i in range(22)]}
    learned = fitted(table, embedding_dim=wanted)
    assert learned.spec.categories == ((10, few), (11, many))
    assert learned.spec.n_inputs == 0


def test_vectors_of_auto_have_32_dimensions_at_most():
    learned = fitted({"a": [str(i) for i in range(1000)] * 2})
    assert learned.spec.categories == ((1000, 32),)


def test_columns_of_one_name_have_each_their_kind():
    table = pd.DataFrame([["u", 1.0], ["v", 2.0]], columns=["a", "a"])
    assert fitted(table).kinds == ("text", "number")


# What is refused


@pytest.mark.parametrize(
    ("train", "test", "message"),
    [
        ([1.0, 2.0], ["u", "v"], "Expected numbers, got the text 'u' in column 'update'"),
        (["u", "v"], [1.0, 2.0], "Expected texts in column 'update', as in fit, got 1.0, a float"),
        ([True, False], [1, 0], "Expected True and False in column 'update', as in fit, got 1"),
        ([True, False], ["u", "v"], "Expected True and False in column 'update', .* got 'u'"),
        (pd.Categorical([1, 2]), ["1", "2"], "got the text '1' in column 'update'"),
        ([1.0, 2.0], [[1, 2], [3]], r"got a list, \[1, 2\], in column 'update'"),
        (["u", "v"], [["u"], ["v", "u"]], r"Expected texts in column 'update', .* a list"),
    ],
)
def test_other_types_than_in_fit_are_refused_by_the_name_of_the_column(train, test, message):
    learned = fitted({"update": train})
    with pytest.raises((ValueError, TypeError), match=message) as caught:
        learned.parse(opened({"update": test}))
    assert "weekday" not in str(caught.value)  # it is no date


@pytest.mark.parametrize(
    "cells",
    [
        pd.date_range("2020-01-01", periods=2),
        pd.to_timedelta([1, 2], "D"),
        pd.Categorical(pd.date_range("2020-01-01", periods=2)),
        np.array([datetime.date(2020, 1, 1), datetime.date(2020, 1, 2)], object),
    ],
    ids=["dates", "durations", "categories", "objects"],
)
def test_dates_are_refused_with_what_to_make_of_them(cells):
    with pytest.raises(ValueError, match=r"(date|duration).*column 'when'.*such as the weekday"):
        fitted({"when": cells})


@pytest.mark.parametrize("value", [np.inf, -np.inf])
def test_infinite_numbers_are_refused_by_the_name_of_the_column(value):
    with pytest.raises(ValueError, match=rf"finite numbers in column 'b', got {value}"):
        fitted({"a": [1.0, 2.0], "b": [1.0, value]})


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ([[1.0, 2.0], [3.0]], "column 'a', got sequences: a SeriesBranch reads them"),
        ([np.arange(2), None], "column 'a', got sequences"),
        (["u", 1.0], "Expected numbers, got the text 'u' in column 'a'"),
        (["u", b"u"], "Expected numbers, got the text 'u' in column 'a'"),
        ([1j, 2.0], "Complex data not supported: column 'a'"),
        ([{"b": 1}, {"b": 2}], "column 'a'"),
    ],
    ids=["lists", "arrays", "mixed", "text and bytes", "complex", "dicts"],
)
def test_cells_that_are_neither_numbers_nor_categories_are_refused(cells, message):
    column = np.empty(2, object)
    column[:] = cells
    with pytest.raises((ValueError, TypeError), match=message):
        fitted({"a": column})


def test_another_number_of_columns_is_refused():
    learned = fitted(TABLE)
    with pytest.raises(ValueError, match="X has 1 features, but TableBranch is expecting 2"):
        learned.parse(opened(TABLE[:, :1]))


# Absent rows

PARTLY = {"n": [1.0, NAN, NAN, 3.0, NAN], "c": ["u", None, "v", None, NAN]}


def test_a_row_of_which_all_cells_are_missing_is_absent():
    learned = fitted(PARTLY)
    x, lengths = rows_of(learned, opened(PARTLY))
    assert_array_equal(lengths, [1, 0, 1, 1, 0])
    assert_array_equal(x.numbers, [[-1, 0], [0, 1], [1, 0]])
    assert_array_equal(x.codes, [[1], [2], [3]])


def test_rows_are_found_in_any_order_of_the_samples():
    learned = fitted(PARTLY)
    x, _ = rows_of(learned, opened(PARTLY), indices=[4, 3, 1, 0])
    assert_array_equal(x.codes, [[3], [1]])
    pieces = learned.steps_of(learned.parse(opened(PARTLY)).sequences, np.float64).pieces(
        np.array([4, 3, 1, 0]), 1, Arena()
    )
    _, piece = pieces[0]
    assert len(pieces) == 1
    assert_array_equal(pieces.lengths, [0, 1, 0, 1])
    assert_array_equal(piece.positions, [1, 3, 0, 2])
    assert_array_equal(piece.rows, [2, 0])


def test_each_row_is_read_the_same_alone():
    learned = fitted(PARTLY)
    x, _ = rows_of(learned, opened(PARTLY))
    for row, i in enumerate([0, 2, 3]):
        alone, _ = rows_of(learned, opened({name: [c[i]] for name, c in PARTLY.items()}))
        assert_array_equal(alone.numbers[0], x.numbers[row])
        assert_array_equal(alone.codes[0], x.codes[row])


def test_without_a_single_row_there_is_nothing_to_read():
    learned = fitted(PARTLY)
    nothing = {"n": [NAN, NAN], "c": [None, None]}
    x, lengths = rows_of(learned, opened(nothing))
    assert_array_equal(lengths, [0, 0])
    assert x.numbers.shape == (0, 2)
    assert x.codes.shape == (0, 1)
    assert x.numbers.dtype == np.float64


def test_training_without_a_single_row_learns_nothing_but_its_columns():
    learned = fitted({"a": [NAN, NAN], "b": [None, None]})
    assert learned.kinds == ("number", "number")
    assert learned.n_features_in == 2
    assert_array_equal(numbers_of(learned, {"a": [1.0], "b": [2.0]}), [[1, 2]])


# Outputs of transformers


def test_rows_of_a_transformer_are_those_of_the_samples_that_are_present():
    output = np.array([[1.0, 2.0], [3.0, 6.0]])
    table = open_output(output, np.array([False, True, False, True]))
    learned = fitted_to(table)
    x, lengths = rows_of(learned, table)
    assert_array_equal(lengths, [0, 1, 0, 1])
    assert_array_equal(x.numbers, [[-1, -1], [1, 1]])


@pytest.mark.parametrize(
    "output",
    [np.array([1.0, 3.0]), [[1.0], [3.0]], pd.DataFrame({"a": [1.0, 3.0]}), pd.Series([1.0, 3.0])],
    ids=["vector", "list", "frame", "Series"],
)
def test_a_transformer_may_return_any_table(output):
    table = open_output(output, np.array([True, False, True]))
    assert_array_equal(rows_of(fitted_to(table), table)[0].numbers, [[-1], [1]])


def test_a_present_row_of_a_transformer_may_have_missing_numbers_alone():
    table = open_output(np.array([[1.0], [NAN], [3.0]]), np.ones(3, bool))
    x, lengths = rows_of(fitted_to(table), table)
    assert_array_equal(lengths, 1)
    assert_array_equal(x.numbers, [[-1, 0], [0, 1], [1, 0]])


def test_a_transformer_must_return_a_table():
    output = np.ones((2, 2, 2))
    with pytest.raises(ValueError, match="expected a table from the transformer"):
        open_output(output, np.array([True, False, True]))


# Sparse matrices

MATRIX = sparse.random(4, 6, density=0.4, random_state=0)
ALL = np.ones(4, bool)
FORMS = pytest.mark.parametrize(
    "make", [sparse.csr_matrix, sparse.csc_matrix, sparse.coo_matrix, sparse.csr_array]
)


@FORMS
def test_a_sparse_matrix_stays_one_and_is_not_scaled(make):
    table = open_output(make(MATRIX), ALL)
    learned = fitted_to(table)
    x, _ = rows_of(learned, table, dtype=np.float32)
    assert sparse.issparse(x)
    assert x.dtype == np.float32
    assert_array_equal(x.toarray(), MATRIX.toarray().astype(np.float32))
    assert learned.spec.is_sparse
    assert learned.spec.n_inputs == learned.n_features_in == 6
    assert learned.attributes == {}


def test_rows_of_a_sparse_matrix_are_those_of_the_samples_that_are_present():
    learned = fitted_to(open_output(MATRIX, ALL))
    present = np.array([False, True, True, False, True, True])
    x, lengths = rows_of(learned, open_output(MATRIX, present), indices=[5, 0, 2, 1])
    assert_array_equal(lengths, present)
    assert_array_equal(x.toarray(), MATRIX.toarray()[[3, 1, 0]])


def test_without_a_single_row_a_sparse_matrix_is_empty():
    learned = fitted_to(open_output(MATRIX, ALL))
    x, lengths = rows_of(learned, open_output(np.empty((0, 1)), ~ALL))
    assert x.shape == (0, 6)
    assert_array_equal(lengths, 0)


@pytest.mark.parametrize(
    ("matrix", "message"),
    [
        (sparse.csr_matrix([[1.0, NAN]]), "finite numbers, got NaN or infinity"),
        (sparse.csr_matrix([[1.0, np.inf]]), "finite numbers, got NaN or infinity"),
        (sparse.csr_matrix([[1j, 0]]), "sparse matrix of numbers, got one of complex"),
        (sparse.csr_matrix([[1.0, 0]]), "X has 2 features, but TableBranch is expecting 6"),
        (np.ones((1, 6)), "expected a sparse matrix as in fit, got a table"),
    ],
    ids=["NaN", "infinite", "complex", "width", "dense"],
)
def test_another_matrix_than_in_fit_is_refused(matrix, message):
    learned = fitted_to(open_output(MATRIX, ALL))
    with pytest.raises(ValueError, match=message):
        learned.parse(open_output(matrix, ALL[:1]))


def test_a_sparse_matrix_in_place_of_a_table_is_refused():
    learned = fitted(TABLE)
    with pytest.raises(ValueError, match="expected a table as in fit, got a sparse matrix"):
        learned.parse(open_output(MATRIX, ALL))


def test_numbers_of_a_sparse_matrix_that_are_too_large_for_the_type_are_refused():
    learned = fitted_to(open_output(MATRIX, ALL))
    large = open_output(MATRIX * 1e300, ALL)
    assert np.isfinite(rows_of(learned, large)[0].data).all()
    with pytest.raises(ValueError, match="too large for float32"):
        rows_of(learned, large, dtype=np.float32)


# As plain values


@pytest.mark.parametrize(
    "make", [lambda: fitted(PARTLY), lambda: fitted_to(open_output(MATRIX, ALL))]
)
def test_the_input_is_had_again_from_its_state(make):
    learned = make()
    state = pickle.loads(pickle.dumps(learned.state))
    assert state.pop("kind") == "table"
    again = TableInput(**state)
    assert again.spec == learned.spec
    for value in state.values():
        assert not isinstance(value, TableInput | Settings)


def test_dimensions_of_vectors_cannot_change_while_training_goes_on():
    learned = fitted(PARTLY, embedding_dim=4)
    assert learned.differs(settings(embedding_dim=4)) is None
    assert learned.differs(settings(embedding_dim=5)) == ("embedding_dim", 4, 5)


def test_tables_are_read_only_where_they_are_asked_for():
    assert not TableInput.takes(opened(PARTLY), settings())
