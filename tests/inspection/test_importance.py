"""How much a score hangs on features, branches and spans of time."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skgru import (
    GRUClassifier,
    GRURegressor,
    MultimodalGRUClassifier,
    MultimodalGRURegressor,
    PerTimestep,
    SequenceVectorizer,
    SeriesBranch,
    TableBranch,
    TokenBranch,
)
from skgru._data.forms import open_form
from skgru._data.parsing import parse_numbers
from skgru._data.sequences import Sequences, offsets_of
from skgru._inspection.importance import (
    _reopened,
    _rows_of_others,
    _spans_of,
    _with_column,
    permutation_importance,
)
from tests.inspection.samples import regressor

QUICK = {"max_iter": 2, "random_state": 0, "learning_rate": "cosine"}


def ragged(n=150, n_features=3, shortest=4, longest=9, seed=0):
    rng = np.random.RandomState(seed)
    return [rng.normal(size=(m, n_features)) for m in rng.randint(shortest, longest, size=n)]


def shares(result):
    """Return the mean importances by their names."""
    return dict(zip(result.names, result.importances_mean, strict=True))


# Planted evidence


def test_the_feature_that_tells_of_y_stands_first():
    X = ragged()
    y = np.array([x[:, 1].mean() for x in X])
    reg = GRURegressor(8, pooling="mean", max_iter=30, random_state=0).fit(X, y)
    result = permutation_importance(reg, X, y, random_state=0)
    assert result.importances.shape == (3, 5)
    found = shares(result)
    assert list(found) == ["x0", "x1", "x2"]
    assert found["x1"] > 1 > 20 * max(found["x0"], found["x2"])
    np.testing.assert_allclose(result.importances.mean(axis=1), result.importances_mean)
    np.testing.assert_allclose(result.importances.std(axis=1), result.importances_std)


def test_the_span_that_tells_of_y_stands_first():
    X = ragged(n=250, n_features=1, shortest=8, longest=17)
    y = np.array([x[len(x) // 4 : len(x) // 2, 0].mean() for x in X])
    reg = GRURegressor(16, max_iter=60, random_state=0).fit(X, y)
    found = shares(permutation_importance(reg, X, y, of=4, random_state=0))
    assert list(found) == ["0-25 %", "25-50 %", "50-75 %", "75-100 %"]
    assert found["25-50 %"] > 4 * max(found["0-25 %"], found["50-75 %"], found["75-100 %"])
    assert len(permutation_importance(reg, X, y, of="spans", n_repeats=1).names) == 10


def samples_of_branches(n=120):
    rng = np.random.RandomState(0)
    X = pd.DataFrame({"hr": [rng.normal(size=rng.randint(2, 6)) for _ in range(n)]})
    X["note"] = rng.choice(["pain and fever", "no pain", "fever"], size=n)
    X["age"], X["sex"] = rng.normal(size=n), rng.choice(["f", "m"], size=n)
    return X


def test_branches_and_columns_that_tell_of_y_stand_first():
    X = samples_of_branches()
    branches = [
        ("vitals", SeriesBranch(), "hr"),
        ("note", TokenBranch(SequenceVectorizer()), "note"),
        ("patient", TableBranch(), ["age", "sex"]),
        ("words", TableBranch(TfidfVectorizer()), "note"),
    ]
    settings = {"max_iter": 40, "random_state": 0}
    y = X["sex"] == "f"
    clf = MultimodalGRUClassifier(branches, **settings).fit(X, y)
    found = shares(permutation_importance(clf, X, y, random_state=0))
    assert list(found) == [
        "vitals__hr",
        "note__tokens",
        "patient__age",
        "patient__sex",
        *(f"words__{word}" for word in ("and", "fever", "no", "pain")),
    ]
    assert found.pop("patient__sex") > 0.3 > 5 * max(found.values())
    found = shares(permutation_importance(clf, X, y, of="branches", random_state=0))
    assert list(found) == ["vitals", "note", "patient", "words"]
    assert found.pop("patient") > 0.3 > 5 * max(found.values())

    y = X["note"] == "no pain"
    settings["learning_rate_init"] = 0.05
    clf = MultimodalGRUClassifier(branches[2:], **settings).fit(X, y)
    found = shares(permutation_importance(clf, X, y, random_state=0))
    assert max(found, key=found.get) in ("words__fever", "words__no", "words__pain")
    assert max(found.values()) > 0.02


def test_lengths_and_absence_belong_to_a_branch_but_to_no_feature():
    rng = np.random.RandomState(0)
    n_steps = rng.randint(0, 5, size=150)
    X = pd.DataFrame({"hr": [rng.normal(size=n) for n in n_steps]})
    X["age"] = rng.normal(size=150)
    branches = [("vitals", SeriesBranch(), "hr"), ("patient", TableBranch(), ["age"])]
    y = 1.0 * n_steps
    reg = MultimodalGRURegressor(branches, max_iter=40, random_state=0).fit(X, y)
    assert shares(permutation_importance(reg, X, y, of="branches"))["vitals"] > 1
    assert shares(permutation_importance(reg, X, y))["vitals__hr"] < 0.3


def test_a_span_of_words_in_a_pipeline_in_a_search():
    rng = np.random.RandomState(0)
    X = [" ".join(rng.choice(["the", "film", "was", "not", "good"], size=6)) for _ in range(150)]
    y = [x.endswith("good") for x in X]
    pipeline = make_pipeline(
        SequenceVectorizer(), GRUClassifier(8, max_iter=25, learning_rate_init=0.02, random_state=0)
    )
    search = GridSearchCV(pipeline, {"gruclassifier__alpha": [0.001]}, cv=2).fit(X, y)
    found = shares(permutation_importance(search, X, y, of=3, scoring="roc_auc", random_state=0))
    assert found["66.7-100 %"] > 0.1 > 5 * max(found["0-33.3 %"], found["33.3-66.7 %"])
    assert permutation_importance(search, X, y).names == ["tokens"]


# How values are exchanged


def test_the_values_of_others_keep_their_order_and_the_lengths():
    lengths = [3, 0, 5, 1, 3, 9]
    offsets = offsets_of(lengths)
    rows = _rows_of_others(Sequences(np.zeros((21, 1)), offsets), np.random.RandomState(2))
    donors = []
    for start, stop in pairwise(offsets):
        if stop == start:
            continue
        own = rows[start:stop]
        donor = np.searchsorted(offsets, own[0], side="right") - 1
        donors.append(donor)
        first, last = offsets[donor], offsets[donor + 1] - 1
        assert own[-1] == last
        assert stop - start == 1 or own[0] == first
        assert (np.diff(own) >= 0).all()
    assert sorted(donors) == [0, 2, 3, 4, 5]
    assert donors != [0, 2, 3, 4, 5]


def test_sequences_of_one_length_exchange_all_their_values():
    sequences = Sequences(np.zeros((12, 1)), offsets_of([4, 4, 4]))
    rows = _rows_of_others(sequences, np.random.RandomState(0)).reshape(3, 4)
    np.testing.assert_array_equal(rows % 4, np.tile(np.arange(4), (3, 1)))
    assert sorted(rows[:, 0]) == [0, 4, 8]


@pytest.mark.parametrize(
    ("length", "expected"),
    [
        (1, [3]),
        (2, [0, 3]),
        (3, [0, 2, 3]),
        (4, [0, 1, 2, 3]),
        (8, [0, 0, 1, 1, 2, 2, 3, 3]),
        (9, [0, 0, 1, 1, 2, 2, 3, 3, 3]),
    ],
)
def test_spans_go_from_the_first_step_to_the_last(length, expected):
    spans = _spans_of(np.arange(length), np.full(length, length), 4)
    assert spans.tolist() == expected


def test_of_a_sparse_matrix_one_column_is_exchanged():
    dense = np.array([[1.0, 0.0, 2.0], [0.0, 3.0, 0.0], [4.0, 5.0, 6.0]])
    order = np.array([2, 0, 1])
    for j in range(3):
        expected = dense.copy()
        expected[:, j] = dense[order, j]
        exchanged = _with_column(sparse.csr_matrix(dense), j, order)
        assert exchanged.format == "csr"
        np.testing.assert_array_equal(exchanged.toarray(), expected)


def test_padding_and_missing_ends_do_not_make_sequences_shorter():
    X = np.arange(16.0).reshape(2, 4, 2)
    X[0, 3], X[1, 2, 1] = np.nan, np.nan
    opened = open_form(X)
    parsed = parse_numbers(opened, allow_missing=True)
    values = parsed.sequences.values.copy()
    values[2] = np.nan  # the last step of the first sequence
    again = parse_numbers(_reopened(opened, parsed, values), allow_missing=True)
    np.testing.assert_array_equal(again.sequences.values, parsed.sequences.values)
    np.testing.assert_array_equal(again.sequences.offsets, parsed.sequences.offsets)
    np.testing.assert_array_equal(again.given_offsets, parsed.given_offsets)


# Forms of X


def test_every_form_of_x_gives_the_same():
    X = np.random.RandomState(0).normal(size=(40, 5, 2))
    reg = regressor(X, X[:, -1, 0], max_iter=2)
    expected = permutation_importance(reg, X, X[:, -1, 0], random_state=0).importances
    assert expected[0].min() > 0
    frame = pd.DataFrame({name: list(X[:, :, j]) for j, name in enumerate("ab")})
    forms = [list(X), frame, [pd.DataFrame(x, columns=["a", "b"]) for x in X]]
    for form in forms:
        reg.fit(form, X[:, -1, 0])
        result = permutation_importance(reg, form, X[:, -1, 0], random_state=0, n_jobs=2)
        np.testing.assert_array_equal(result.importances, expected)
        assert result.names == (["x0", "x1"] if form is forms[0] else ["a", "b"])


def test_columns_of_a_table_are_steps():
    X = np.random.RandomState(0).normal(size=(60, 4))
    frame = pd.DataFrame(X, columns=list("abcd"))
    reg = GRURegressor(8, max_iter=40, random_state=0).fit(frame, X[:, 2])
    found = shares(permutation_importance(reg, frame, X[:, 2], of=4, random_state=0))
    assert max(found, key=found.get) == "50-75 %"
    assert permutation_importance(reg, frame, X[:, 2], n_repeats=1).names == ["x0"]


def test_targets_of_steps_times_and_missing_values():
    X = ragged(n=30, n_features=2)
    y = [x[:, 1] for x in X]
    for i, x in enumerate(X):
        x[:, 0] = i + np.cumsum(np.ones(len(x)))
        x[-1, 1] = np.nan
    before = [x.copy() for x in X]
    reg = GRURegressor(3, pooling=None, time_feature=0, **QUICK)
    targets = [np.nan_to_num(values) for values in y]
    reg.fit(X, targets)
    for of in ("features", "spans"):
        assert np.isfinite(permutation_importance(reg, X, targets, of=of).importances).all()
    for one, same in zip(X, before, strict=True):
        np.testing.assert_array_equal(one, same)
    padded = np.full((30, 9, 2), np.nan)
    padded_y = np.full((30, 9), np.nan)
    for i, x in enumerate(X):
        x[-1, 1] = 0
        padded[i, : len(x)], padded_y[i, : len(x)] = x, targets[i]
    reg.fit(padded, padded_y)
    found = [
        permutation_importance(reg, *of_all, random_state=0).importances
        for of_all in ((X, targets), (padded, padded_y))
    ]
    np.testing.assert_allclose(*found, rtol=1e-6, atol=1e-7)


def test_branches_of_which_steps_have_targets_keep_their_lengths():
    rng = np.random.RandomState(0)
    X = pd.DataFrame({"a": [rng.normal(size=n) for n in (3, 4, 5) * 10]})
    X["age"] = rng.normal(size=30)
    branches = [("a", SeriesBranch(pooling=None), "a"), ("t", TableBranch(), ["age"])]
    reg = MultimodalGRURegressor(branches, **QUICK).fit(X, list(X["a"]))
    result = permutation_importance(reg, X, list(X["a"]), of="branches")
    assert np.isfinite(result.importances).all()


# Parameters


def test_scores_weights_and_random_states():
    X = ragged(n=40)
    y = np.array([x[-1, 0] for x in X])
    reg = make_pipeline(PerTimestep(StandardScaler()), GRURegressor(3, **QUICK)).fit(X, y)
    weights = np.r_[np.zeros(20), np.ones(20)]
    options = {"random_state": 3, "scoring": "neg_mean_absolute_error", "n_repeats": 2}
    weighted = permutation_importance(reg, X, y, sample_weight=weights, **options)
    assert weighted.importances.shape == (3, 2)
    assert not np.array_equal(
        weighted.importances, permutation_importance(reg, X, y, **options).importances
    )

    def score(network, X, y):
        return -np.abs(network.predict(X) - y).mean()

    same = permutation_importance(reg, X, y, **options | {"scoring": score})
    expected = permutation_importance(reg, X, y, **options)
    np.testing.assert_allclose(same.importances, expected.importances)


def test_what_does_not_fit_is_refused():
    X = ragged(n=20)
    y = np.array([x[-1, 0] for x in X])
    reg = GRURegressor(3, **QUICK).fit(X, y)
    for of in ("steps", 0, True, 2.5, None):
        with pytest.raises(ValueError, match="number of spans above 0, got"):
            permutation_importance(reg, X, y, of=of)
    with pytest.raises(ValueError, match="several inputs"):
        permutation_importance(reg, X, y, of="branches")
    with pytest.raises(ValueError, match="n_repeats"):
        permutation_importance(reg, X, y, n_repeats=0)
    with pytest.raises(ValueError, match="name of one score"):
        permutation_importance(reg, X, y, scoring=["r2"])
    with pytest.raises(TypeError, match="got StandardScaler"):
        permutation_importance(StandardScaler(), X, y)
    table = pd.DataFrame({"a": y})
    tabular = MultimodalGRURegressor([("t", TableBranch(), ["a"])], **QUICK).fit(table, y)
    with pytest.raises(ValueError, match="all branches read tables"):
        permutation_importance(tabular, table, y, of=3)
