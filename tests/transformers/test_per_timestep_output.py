"""PerTimestep: sequences of named features, as `set_output` says."""

import pickle

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn import config_context
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

from skgru import (
    GRUClassifier,
    MultimodalGRUClassifier,
    PerTimestep,
    SeriesBranch,
    make_sequences,
)
from tests.transformers.long_tables import is_missing
from tests.transformers.steps import Recording, assert_same_sequences

LIBRARIES = {"pandas": pd.DataFrame, "polars": pl.DataFrame}
KINDS = ["walk", "ride", "rest"]


def finds_columns_of_polars():
    """Whether scikit-learn's ColumnTransformer does; older ones do not, with this polars."""
    transformer = ColumnTransformer([("all", "passthrough", ["x"])])
    try:
        transformer.fit(pl.DataFrame({"x": [1.0]}))
    except (AttributeError, TypeError, ValueError):
        return False
    return True


# Tables whose columns a ColumnTransformer is to find by their names.
TABLES_OF_COLUMNS = [
    "pandas",
    pytest.param(
        "polars",
        marks=pytest.mark.skipif(
            not finds_columns_of_polars(), reason="this scikit-learn finds no columns of polars"
        ),
    ),
]


def long_table(n=400, n_days=30):
    """Return a table of steps: rides in the morning make a day of class 1, those later do not."""
    rng = np.random.default_rng(0)
    day = rng.integers(0, n_days, n)
    seconds = rng.integers(0, 86400, n)
    return pd.DataFrame(
        {
            "day_id": day + 100,
            "when": pd.Timestamp("2024-01-01") + pd.to_timedelta(day * 86400 + seconds, unit="s"),
            "kind": rng.choice(KINDS, n).astype(object),
            "amount": rng.normal(size=n) + 2 * (day % 2),
        }
    )


def days(library="pandas", columns=("kind", "amount")):
    table = long_table()
    table = table if library == "pandas" else pl.from_pandas(table)
    return make_sequences(table, "day_id", "when", columns=list(columns))


def classes(X):
    return np.array(["even", "odd"])[
        np.array([np.mean(np.asarray(c)) > 1 for c in X["amount"]], int)
    ]


def encoder(*, short=True, sparse=False, columns=("kind",)):
    one_hot = OneHotEncoder(sparse_output=sparse, handle_unknown="ignore")
    return ColumnTransformer(
        [("hot", one_hot, list(columns))],
        remainder="passthrough",
        verbose_feature_names_out=not short,
    )


def network(**settings):
    settings = {"time_feature": "when", "max_iter": 2} | settings
    return GRUClassifier(4, random_state=0, **settings)


def types_in(column):
    """Return the type of the cells of a column, which they all share."""
    if isinstance(column, pl.Series):
        return column.dtype.inner
    (dtype,) = {cell.dtype for cell in column}
    return dtype


def in_cells(output):
    """Return a frame of sequences as a list of arrays (n_steps_i, n_features) of numbers."""
    columns = [[np.asarray(cell, float) for cell in output[name]] for name in output.columns]
    return [np.column_stack(cells) for cells in zip(*columns, strict=True)]


# Containers of X, with an empty sequence and padding where they have it.

NUMBERS = [np.arange(6.0).reshape(3, 2), np.empty((0, 2)), np.array([[7.0, -1.0], [2.0, 0.5]])]
PADDED = np.array([np.vstack([x, np.full((3 - len(x), 2), np.nan)]) for x in NUMBERS])
NAMED = ["a", "b"]
FORMS = {
    "frame": lambda: pd.DataFrame(
        {name: [x[:, j] for x in NUMBERS] for j, name in enumerate(NAMED)}, index=[7, 5, 6]
    ),
    "polars": lambda: pl.DataFrame(
        {name: [x[:, j].tolist() for x in NUMBERS] for j, name in enumerate(NAMED)},
        schema=dict.fromkeys(NAMED, pl.List(pl.Float64)),
    ),
    "Arrow": lambda: pa.table(
        {name: [x[:, j].tolist() for x in NUMBERS] for j, name in enumerate(NAMED)}
    ),
    "frames": lambda: [pd.DataFrame(x, columns=NAMED) for x in NUMBERS],
    "frames of polars": lambda: [pl.DataFrame(x, schema=NAMED) for x in NUMBERS],
    "list": lambda: list(NUMBERS),
    "Series": lambda: pd.Series(list(NUMBERS), index=[7, 5, 6]),
    "array": lambda: PADDED,
    "padded list": lambda: list(PADDED),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", ["default", "pandas", "polars"])
@pytest.mark.parametrize("how", ["own", "everywhere"])
def test_names_types_index_and_values(form, name, how):
    X = FORMS[form]()
    per_step = PerTimestep(make_pipeline(StandardScaler(), PCA(2)))
    # (The last bits of a PCA's own fit_transform are others.)
    plain, plain_again = per_step.fit_transform(X), per_step.transform(X)
    if how == "own":
        per_step = clone(per_step).set_output(transform=name)
    with config_context(transform_output=name if how == "everywhere" else "default"):
        found = per_step.fit_transform(X)
        again = per_step.fit(X).transform(X)
    if name == "default":
        for output, expected in ((found, plain), (again, plain_again)):
            assert type(output) is type(plain)
            assert_same_sequences(list(output), list(expected), rtol=0)
        return
    for output, values in ((found, plain), (again, plain_again)):
        assert isinstance(output, LIBRARIES[name])
        assert list(output.columns) == list(per_step.get_feature_names_out()) == ["pca0", "pca1"]
        expected = np.dtype(float) if name == "pandas" else pl.Float64
        assert [types_in(output[column]) for column in output.columns] == [expected] * 2
        assert_same_sequences(in_cells(output), list(values), rtol=0)
        if name == "pandas":
            index = X.index if hasattr(X, "iloc") else pd.RangeIndex(3)
            assert_array_equal(output.index, index)


@pytest.mark.parametrize("library", TABLES_OF_COLUMNS)
@pytest.mark.parametrize("name", LIBRARIES)
@pytest.mark.parametrize("sparse", [False, True])
def test_dates_stay_dates_beside_numbers(library, name, sparse):
    X = days(library)
    per_step = PerTimestep(encoder(sparse=sparse)).set_output(transform=name)
    output = per_step.fit_transform(X)
    names = [*(f"kind_{kind}" for kind in sorted(KINDS)), "when", "amount"]
    assert list(output.columns) == names
    kinds = [types_in(output[column]) for column in names]
    if name == "pandas":
        assert [dtype.kind for dtype in kinds] == list("fffMf")
    else:
        assert kinds[3] == pl.Datetime("us")
        assert kinds[:3] + kinds[4:] == [pl.Float64] * 4
    for column in ("when", "amount"):
        for cell, given in zip(output[column], X[column], strict=True):
            assert_array_equal(np.asarray(cell), np.asarray(given))
    for cell, given in zip(output["kind_ride"], X["kind"], strict=True):
        assert_array_equal(np.asarray(cell), np.asarray(given) == "ride")
    # What the user gave is as it was.
    assert per_step.transformer.transformers[0][1].sparse_output is sparse


def test_index_of_the_samples_is_kept():
    X = days()
    assert X.index.name == "day_id"
    output = PerTimestep(encoder()).set_output(transform="pandas").fit_transform(X)
    pd.testing.assert_index_equal(output.index, X.index)


def test_types_of_steps_that_are_padding():
    # A step of which all is missing at the end.
    day = np.array(["2024-01-01", "NaT"], "M8[s]")
    X = pd.DataFrame(
        {"n": [np.array([1.0, np.nan])], "day": [day], "k": [np.array(["a", None], object)]}
    )
    per_step = PerTimestep(encoder(columns=["k"])).set_output(transform="pandas")
    (output,) = per_step.fit_transform(X).to_dict("records")
    assert output["day"].dtype.kind == "M"
    assert_array_equal(output["day"], day)
    assert_array_equal(output["k_a"], [1, np.nan])
    assert_array_equal(output["n"], [1, np.nan])
    truths = PerTimestep(FunctionTransformer(lambda x: x > 2)).set_output(transform="pandas")
    (found,) = truths.fit_transform(np.array([[[1.0], [3.0], [np.nan]]])).iloc[:, 0]
    assert_array_equal(np.asarray(found, float), [0, 1, np.nan])


@pytest.mark.parametrize("name", LIBRARIES)
def test_one_sequence_nothing_but_empty_ones_and_unknown_categories(name):
    X = days().iloc[:5]
    per_step = PerTimestep(encoder()).set_output(transform=name).fit(X)
    names = list(per_step.get_feature_names_out())
    assert list(per_step.transform(X.iloc[:1]).columns) == names
    empty = pd.DataFrame({c: [X[c].iloc[0][:0]] * 2 for c in X.columns}, index=[3, 1])
    output = per_step.transform(empty)
    assert list(output.columns) == names
    assert [len(cell) for column in names for cell in output[column]] == [0] * 2 * len(names)
    mixed = pd.concat([empty.iloc[:1], X])
    output = per_step.transform(mixed)
    assert [len(cell) for cell in output["when"]] == [0, *map(len, X["when"])]
    unknown = X.iloc[:1].assign(kind=[np.full(len(X["kind"].iloc[0]), "swim", object)])
    output = per_step.transform(unknown)
    assert not any(
        np.any(np.asarray(output[c][0 if name == "polars" else X.index[0]])) for c in names[:3]
    )


def test_frames_of_sequences_and_texts_by_themselves():
    frames = [
        pd.DataFrame({"kind": ["a", "b"], "day": pd.to_datetime(["2024-01-01", "2024-01-02"])}),
        pd.DataFrame({"kind": ["a"], "day": pd.to_datetime(["2024-01-05"])}),
    ]
    output = PerTimestep(encoder()).set_output(transform="pandas").fit_transform(frames)
    assert list(output.columns) == ["kind_a", "kind_b", "day"]
    assert_array_equal(output["day"][0], frames[0]["day"])
    words = [["red bus", "bus"], ["red"]]
    output = PerTimestep(TfidfVectorizer()).set_output(transform="pandas").fit_transform(words)
    assert list(output.columns) == ["bus", "red"]
    assert [len(cell) for cell in output["red"]] == [2, 1]


def test_objects_become_what_they_all_are():
    # A transformer that reads a table of Arrow returns an array of objects.
    X = pa.table(days("polars").to_dict(as_series=False))
    for name in LIBRARIES:
        output = PerTimestep(encoder(columns=[1])).set_output(transform=name).fit_transform(X)
        kinds = [str(types_in(output[column])) for column in output.columns]
        assert [kind.lower()[:5] for kind in kinds] == ["float"] * 3 + ["datet", "float"]


def test_objects_of_several_types():
    when = pd.Timestamp("2024-01-01 08:00")
    cells = np.array([[1, when, "a"], [2.5, pd.NaT, None]], object)
    for name, kinds in (("pandas", "fMO"), ("polars", ["Float64", "Datetime", "String"])):
        per_step = PerTimestep(Recording(lambda x: cells)).set_output(transform=name)
        output = per_step.fit_transform([np.ones((1, 1)), np.ones((1, 1))])
        found = [types_in(output[column]) for column in output.columns]
        for dtype, kind in zip(found, kinds, strict=True):
            assert getattr(dtype, "kind", str(dtype)).startswith(kind)
        assert output["recording0"][1][0] == 2.5
        assert is_missing(output["recording1"][1][0])
        assert np.datetime64(output["recording1"][0][0]) == when.to_datetime64()


def test_dates_with_a_time_zone():
    table = long_table()
    table["when"] = table["when"].dt.tz_localize("Asia/Tokyo")
    X = make_sequences(table, "day_id", "when", columns=["kind", "amount"])
    output = PerTimestep(encoder()).set_output(transform="pandas").fit_transform(X)
    assert str(types_in(output["when"])) == str(table["when"].dtype)
    model = make_pipeline(PerTimestep(encoder()), network()).set_output(transform="pandas")
    found = model.fit(X, classes(X)).predict_proba(X)
    assert_array_equal(found, clone(model).fit(days(), classes(X)).predict_proba(days()))


def test_names_of_frames_that_a_transformer_makes():
    frames = [pd.DataFrame({"a": [1.0, 2.0]}), pd.DataFrame({"a": [3.0]})]
    per_step = PerTimestep(Recording(lambda x: x.assign(twice=2 * x["a"])))
    assert [type(x) for x in per_step.fit_transform(frames)] == [np.ndarray] * 2
    assert per_step.get_feature_names_out().tolist() == ["a", "twice"]
    output = per_step.set_output(transform="pandas").transform(frames)
    assert list(output.columns) == ["a", "twice"]
    assert_array_equal(output["twice"][1], [6])
    same = PerTimestep(Recording(lambda x: x.iloc[:, [0, 0]])).set_output(transform="pandas")
    with pytest.raises(ValueError, match=r"a name of its own for each column.*\['a', 'a'\]"):
        same.fit_transform(frames)


def test_the_parts_of_the_transformer_return_frames_too():
    # The second of them chooses a column by its name.
    frames = [pd.DataFrame({"a": [1.0, np.nan], "b": [5.0, 6.0]})] * 2
    by_name = make_pipeline(SimpleImputer(), ColumnTransformer([("b", StandardScaler(), ["b"])]))
    with pytest.raises(ValueError, match="columns using strings is only supported"):
        PerTimestep(by_name).fit(frames)
    output = PerTimestep(by_name).set_output(transform="pandas").fit_transform(frames)
    assert list(output.columns) == ["b__b"]
    assert_array_equal(output["b__b"][0], [-1, 1])


@pytest.mark.parametrize("name", LIBRARIES)
def test_what_can_be_undone_from_frames(name):
    X = FORMS["frame"]()
    per_step = PerTimestep(make_pipeline(StandardScaler(), PCA(2))).set_output(transform=name)
    found = per_step.inverse_transform(per_step.fit_transform(X))
    for sequence, expected in zip(found, NUMBERS, strict=True):
        assert_allclose(sequence, expected, atol=1e-12)


def test_unknown_container():
    per_step = PerTimestep(StandardScaler()).set_output(transform="numpy")
    with pytest.raises(ValueError, match="'pandas' or 'polars' as transform of set_output, got 'n"):
        per_step.fit_transform(list(NUMBERS))


# Messages


@pytest.mark.parametrize("library", TABLES_OF_COLUMNS)
def test_dates_that_arrays_cannot_hold(library):
    X = days(library, ["kind"])
    with pytest.raises(
        ValueError, match=r"got dates in column 'when' of X: .*set_output.*'pandas'"
    ):
        PerTimestep(encoder()).fit(X)
    per_step = PerTimestep(encoder()).set_output(transform="pandas").fit(X)
    with pytest.raises(ValueError, match="Expected numbers, got dates in column 'when' of X"):
        per_step.set_output(transform="default").transform(X)


def test_messages_of_a_network_behind():
    X = days()
    y = classes(X)
    with pytest.raises(ValueError, match=r"a step before returns.*set_output\(transform='pandas'"):
        make_pipeline(PerTimestep(encoder()), network()).fit(X, y)
    named = PerTimestep(encoder(short=False)).set_output(transform="pandas")
    with pytest.raises(ValueError, match=r"Did you mean 'remainder__when'\?"):
        make_pipeline(named, network()).fit(X, y)
    make_pipeline(named, network(time_feature="remainder__when")).fit(X, y)


# In front of a network


@pytest.mark.parametrize("library", TABLES_OF_COLUMNS)
@pytest.mark.parametrize("name", LIBRARIES)
@pytest.mark.parametrize("how", ["own", "pipeline", "everywhere"])
def test_a_network_reads_time_stamps_by_their_name(library, name, how):
    X = days(library)
    y = classes(X)
    # (Of polars scikit-learn would join dates and numbers to floats.)
    by_index = make_pipeline(PerTimestep(encoder()), network(time_feature=3))
    expected = by_index.fit(days(), y).predict_proba(days())
    model = make_pipeline(PerTimestep(encoder()), network())
    if how == "own":
        model[0].set_output(transform=name)
    if how == "pipeline":
        model.set_output(transform=name)
    with config_context(transform_output=name if how == "everywhere" else "default"):
        assert_array_equal(model.fit(X, y).predict_proba(X), expected)
        if name == "pandas":  # of polars, older versions of scikit-learn take none
            assert model[-1].feature_names_in_[3] == "when"
        for copy in (clone(model).fit(X, y), pickle.loads(pickle.dumps(model))):
            assert_array_equal(copy.predict_proba(X), expected)


def test_a_long_table_from_end_to_end():
    X = days()
    y = classes(X)
    model = make_pipeline(
        PerTimestep(encoder(sparse=True)),
        network(max_iter=40, learning_rate_init=0.03),
    ).set_output(transform="pandas")
    assert cross_val_score(model, X, y, cv=3).min() > 0.8
    search = GridSearchCV(model, {"pertimestep__transformer__remainder": ["passthrough"]}, cv=2)
    found = search.fit(X, y).predict(X)
    order = np.random.default_rng(1).permutation(len(X))
    assert_array_equal(search.predict(X.iloc[order]), found[order])
    unknown = X.iloc[order].assign(
        kind=[np.full(len(cell), "swim", object) for cell in X["kind"].iloc[order]]
    )
    assert search.predict(unknown).shape == (len(X),)


@pytest.mark.parametrize("name", LIBRARIES)
def test_in_a_branch(name):
    X = days()
    y = classes(X)
    per_step = PerTimestep(encoder()).set_output(transform=name)
    columns = ["when", "kind", "amount"]
    branch = SeriesBranch(per_step, time_feature="when", hidden_layer_sizes=4)
    model = MultimodalGRUClassifier([("log", branch, columns)], max_iter=2, random_state=0)
    by_index = SeriesBranch(PerTimestep(encoder()), time_feature=3, hidden_layer_sizes=4)
    other = clone(model).set_params(branches=[("log", by_index, columns)])
    expected = other.fit(X, y).predict_proba(X)
    assert_array_equal(model.fit(X, y).predict_proba(X), expected)


def test_targets_of_steps_beside_frames():
    X = days()
    y = [np.asarray(cell) > 1 for cell in X["amount"]]
    model = make_pipeline(PerTimestep(encoder()), network(pooling=None))
    model.set_output(transform="pandas")
    assert [len(x) for x in model.fit(X, y).predict(X)] == [len(cell) for cell in X["when"]]
