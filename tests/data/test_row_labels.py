"""Rows of X and y whose labels are the same in another order."""

import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import cross_val_score, permutation_test_score, train_test_split
from sklearn.preprocessing import StandardScaler
from sklearn.utils import shuffle

from skgru import (
    GRUClassifier,
    GRURegressor,
    MultimodalGRUClassifier,
    PerTimestep,
    SequenceVectorizer,
    TableBranch,
)
from skgru._data.row_labels import warn_of_another_order

N = 24
IDS = [f"D{i}" for i in range(N)]
ROWS = np.random.default_rng(0).normal(size=(N, 6))
LABELS = np.where(ROWS[:, -1] > 0, "up", "down")
OTHER = np.random.default_rng(1).permutation(N)


def frame(index=IDS):
    return pd.DataFrame(ROWS, index=index, columns=list("abcdef"))


def small(**options):
    return GRUClassifier(2, max_iter=1, random_state=0, **options)


def in_another_order(**beside):
    with pytest.warns(UserWarning, match="in another order") as caught:
        warn_of_another_order(frame(), **beside)
    return str(caught[0].message)


@pytest.mark.parametrize(
    "values",
    [
        pd.Series(LABELS, IDS),  # the same order
        pd.Series(LABELS, [f"E{i}" for i in range(N)]),  # other labels
        pd.Series(LABELS),  # those of no table
        pd.Series(LABELS, [*IDS[2:], "E0", "E1"]),  # of what is two rows ahead
        pd.Series(LABELS, [IDS[0]] * N),  # labels that tell no row from another
        pd.Series(LABELS[:-1], IDS[:-1]),  # too few, of which lengths tell
        LABELS[OTHER],
        list(LABELS),
        None,
    ],
)
def test_nothing_is_said_of(values):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warn_of_another_order(frame(), y=values)
        warn_of_another_order(ROWS, y=values)


@pytest.mark.parametrize("values", [pd.Series(LABELS, IDS), pd.DataFrame({"y": LABELS}, IDS)])
def test_the_first_row_is_named_with_what_to_do(values):
    swapped = values.iloc[[0, 2, 1, *range(3, N)]]
    said = in_another_order(y=swapped)
    assert "'D2' is row 2 of X and row 1 of y" in said
    assert "y.loc[X.index]" in said
    assert "y.to_numpy()" in said


def test_dates_and_numbers_are_labels_too():
    days = pd.date_range("2026-01-01", periods=N)
    with pytest.warns(UserWarning, match="Timestamp.* is row 23 of X and row 0 of y"):
        warn_of_another_order(frame(days), y=pd.Series(LABELS, days[::-1]))
    with pytest.warns(UserWarning, match="33 is row 23 of X and row 0 of y"):
        warn_of_another_order(frame(range(10, N + 10)), y=pd.Series(LABELS, range(N + 9, 9, -1)))


def test_intervals_that_overlap_are_labels_too():
    hours = pd.IntervalIndex.from_arrays(np.arange(N), np.arange(N) + 3)
    with pytest.warns(UserWarning, match="is row 23 of X and row 0 of y"):
        warn_of_another_order(frame(hours), y=pd.Series(LABELS, hours[::-1]))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warn_of_another_order(frame(hours), y=pd.Series(LABELS, hours))
        warn_of_another_order(frame(hours), y=pd.Series(LABELS, IDS))


def test_levels_are_told_as_plain_values():
    levels = pd.MultiIndex.from_product([range(N // 2), ["a", "b"]])
    with pytest.warns(UserWarning, match=r"\(11, 'b'\) is row 23 of X and row 0 of y"):
        warn_of_another_order(frame(levels), y=pd.Series(LABELS, levels[::-1]))


def test_numbers_of_rows_are_no_labels():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warn_of_another_order(frame(OTHER), y=pd.Series(LABELS))
        warn_of_another_order(frame(range(N)), y=pd.Series(LABELS, OTHER))


def test_a_part_of_the_rows_is_enough():
    said = in_another_order(y=pd.Series(LABELS, [*IDS[: N // 2][::-1], *"abcdefghijkl"]))
    assert "'D11' is row 11 of X and row 0 of y" in said
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warn_of_another_order(frame(), y=pd.Series(LABELS, [*IDS[:4][::-1], *map(str, range(20))]))


def test_what_is_said_to_be_done_ends_it():
    y = pd.Series(LABELS, IDS).iloc[OTHER]
    right = small().fit(frame(), y.loc[frame().index])
    np.testing.assert_array_equal(
        right.predict_proba(frame()), small().fit(frame(), LABELS).predict_proba(frame())
    )
    small().fit(frame(), y.to_numpy())


def entries():
    y = pd.Series(LABELS, IDS).iloc[OTHER]
    weights = pd.Series(np.ones(N), IDS).iloc[OTHER]
    texts = pd.Series(["up and down"] * N, IDS)
    fitted = small().fit(frame(), LABELS)
    columns = [("all", TableBranch(), list("abcdef"))]
    several = MultimodalGRUClassifier(columns, max_iter=1, random_state=0)
    return {
        "fit": lambda: small().fit(frame(), y),
        "partial_fit": lambda: small().partial_fit(frame(), y, classes=["down", "up"]),
        "sample_weight": lambda: small().fit(frame(), LABELS, sample_weight=weights),
        "validation": lambda: small(early_stopping=True).fit(
            frame(), LABELS, X_val=frame(), y_val=y
        ),
        "score": lambda: fitted.score(frame(), y),
        "numbers": lambda: GRURegressor(2, max_iter=1, random_state=0).fit(frame(), weights),
        "several inputs": lambda: several.fit(frame(), y),
        "texts": lambda: SequenceVectorizer().fit(texts, y),
        "texts, transformed": lambda: SequenceVectorizer().fit_transform(texts, y),
        "each step": lambda: PerTimestep(StandardScaler()).fit(frame(), y),
        "cross-validation": lambda: cross_val_score(small(), frame(), y, cv=4),
    }


@pytest.mark.parametrize("entry", [*entries()])
def test_each_entry_says_so(entry):
    with pytest.warns(UserWarning, match="in another order"):
        entries()[entry]()


def test_tables_that_are_shuffled_together_are_in_order():
    X, y = shuffle(frame(), pd.Series(LABELS, IDS), random_state=0)
    X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
    small().fit(X_train, y_train).score(X_test, y_test)


def test_a_permutation_test_shuffles_on_purpose():
    permutation_test_score(small(), frame(), pd.Series(LABELS, IDS), n_permutations=2, cv=2)
