"""What is not understood is refused, with the branch and the column and what was expected."""

import re

import numpy as np
import pandas as pd
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from skgru import (
    GRUClassifier,
    MultimodalGRUClassifier,
    MultimodalGRURegressor,
    SequenceVectorizer,
    SeriesBranch,
    TableBranch,
    TokenBranch,
)
from skgru._compat import InvalidParameterError
from tests.multimodal.samples import (
    ESTIMATORS,
    branches,
    classifier,
    frame,
    regressor,
    series_branch,
    with_cell,
)

X, Y = frame()
TABLE = TableBranch()


@pytest.fixture(scope="module")
def model():
    return classifier().fit(X, Y)


# Cells

STEPS = len(X["pulse"][2])
CELLS = {
    "a text among series": ("pulse", "high", "'monitor'.* column 'pulse'.* got 'high' in row 2"),
    "a number among series": ("pulse", 3.0, "'monitor'.* column 'pulse'.* got 3.0 in row 2"),
    "a dict among series": ("pulse", {"a": 1}, "'monitor'.* column 'pulse'.* got {'a': 1} in row"),
    "a set among series": ("pulse", {1}, "'monitor'.* column 'pulse'.* got .1. in row 2"),
    "texts in a series": ("pulse", np.full(STEPS, "a"), "'monitor'.* got .*text.* sequence 2"),
    "dates in a series": (
        "pulse",
        np.full(STEPS, "2020-01-01", "M8[D]"),
        "'monitor'.* got dates.* sequence 2",
    ),
    "infinity in a series": ("pulse", np.full(STEPS, np.inf), "'monitor'.* infinity"),
    "unequal lengths": ("pulse", np.ones(9), r"'monitor'.* same length, but row 2 .*\(9,\), \("),
    "two dimensions": ("pulse", np.ones((STEPS, 2)), "'monitor'.* 1-D arrays .* row 2"),
    "a number among texts": ("note", 3.0, "'note'.* got 3.0 of type float at position 2"),
    "a dict among texts": ("note", {"a": 1}, "'note'.* got {'a': 1} of type dict"),
    "a text among numbers": ("age", "old", "'patient'.* text 'old' in column 'age'"),
    "infinity": ("age", np.inf, "'patient'.* infinity.* column 'age', got inf"),
    "a date among numbers": (
        "age",
        pd.Timestamp("2020-01-01"),
        "'patient'.* date .* column 'age'.* days since a date",
    ),
    "a sequence among numbers": ("age", np.ones(2), "'patient'.* an array .* column 'age'"),
    "a dict among numbers": ("age", {"a": 1}, "'patient'.* got a dict.* column 'age'"),
    "a complex number": ("age", 1j, "'patient'.* Complex .* column 'age'"),
    "a number among categories": ("ward", 3.0, "'patient'.* column 'ward'"),
    "a truth value among categories": ("ward", True, "'patient'.* column 'ward'"),
    "a sequence among categories": ("ward", np.ones(2), "'patient'.* column 'ward'"),
    "a list among categories": ("ward", ["A", "B"], "'patient'.* column 'ward'"),
}


@pytest.mark.parametrize("case", CELLS)
def test_a_cell_that_is_not_understood(case, model):
    column, value, message = CELLS[case]
    given = with_cell(X, 2, column, value)
    for call in (lambda: classifier().fit(given, Y), lambda: model.predict(given)):
        with pytest.raises((ValueError, TypeError), match=f"(?s)Branch {message}"):
            call()


def test_categories_are_all_texts(model):
    with pytest.raises(ValueError, match="Of a column of categories, all cells are texts"):
        classifier().fit(with_cell(X, 2, "ward", 3), Y)
    with pytest.raises(ValueError, match="Expected texts in column 'ward', as in fit, got 3"):
        model.predict(with_cell(X, 2, "ward", 3))


def test_truth_values_stay_truth_values():
    given = [("a", TABLE, ["b"]), ("c", TABLE, ["age"])]
    fitted = classifier(given).fit(X.assign(b=Y == 1), Y)
    assert fitted.named_branches_["a"].categories_["b"].tolist() == [False, True]
    with pytest.raises(ValueError, match=r"'a': Expected True and False in column 'b', .* got 2"):
        fitted.predict(X.assign(b=2))


@pytest.mark.parametrize(
    ("branch", "column", "message"),
    [
        (TableBranch(), ["pulse"], "column 'pulse', got sequences: a SeriesBranch reads them"),
        (TokenBranch(), "note", "text 'a good film' in column 'note'.* SequenceVectorizer"),
        (SeriesBranch(), ["note"], "text 'a good film' in column 'note'"),
        (SeriesBranch(), ["pulse", "age"], "sequence in each cell of column 'age'"),
        (SeriesBranch(time_feature="tiem"), ["pulse", "pressure"], "time_feature='tiem'"),
        (TableBranch(), ["date"], "dates .* column 'date'.* days since a date"),
    ],
)
def test_a_column_of_another_kind(branch, column, message):
    given = [("other", branch, column), *branches(names=["patient"])]
    Z = X.assign(date=pd.date_range("2020-01-01", periods=24))
    with pytest.raises(ValueError, match=f"(?s)Branch 'other': .*{message}"):
        classifier(given).fit(Z, Y)


def test_time_stamps_that_miss_or_decrease():
    Z = X.assign(time=[np.arange(len(x)) * 1.0 for x in X["pulse"]])
    branch = series_branch(time_feature="time")
    given = [("monitor", branch, ["time", "pulse"]), *branches(names=["patient"])]
    fitted = classifier(given).fit(Z, Y)
    for stamps, message in [
        ([0, np.nan, 2, 3], "Expected a time stamp at each step .* sequence 2, step 1"),
        ([0, 3, 1, 4], "do not decrease .* 1.0 comes after 3.0 in sequence 2"),
    ]:
        with pytest.raises(ValueError, match=f"Branch 'monitor': .*{message}"):
            fitted.predict(with_cell(Z, 2, "time", np.array(stamps)[:STEPS]))


def test_a_frame_in_a_cell_would_lose_its_names():
    frames = [pd.DataFrame({"a": x, "b": x}) for x in X["pulse"]]
    given = [("monitor", series_branch(), "frames"), *branches(names=["patient"])]
    with pytest.raises(TypeError, match=r"'monitor': .* column 'frames', got a DataFrame in row 0"):
        classifier(given).fit(X.assign(frames=pd.Series(frames, dtype=object)), Y)


@pytest.mark.parametrize(
    "codes",
    [["a", 1] * 12, pd.cut(np.arange(24), 4), list(pd.date_range("2020-01-01", periods=4)) * 6],
    ids=["texts and numbers", "intervals", "dates"],
)
def test_a_categorical_column_of_other_categories(codes):
    given = [("code", TABLE, ["code"]), *branches(names=["patient"])]
    Z = X.assign(code=pd.Categorical(codes))
    message = r"'code': .* column 'code'.* (make texts|Make numbers) of"
    with pytest.raises((ValueError, TypeError), match=message):
        classifier(given).fit(Z, Y)
    texts = Z.assign(code=Z["code"].astype(str))
    assert classifier(given).fit(texts, Y).predict(texts).shape == (24,)


# Branches

FORM = "Expected branches to be a list of (name, branch, columns)"
BRANCHES = {
    "none": (None, "must be an instance of 'list'"),
    "a name": ("note", "must be an instance of 'list'"),
    "a dict": ({"a": TABLE}, "must be an instance of 'list'"),
    "an empty list": ([], f"{FORM}, the branch a TokenBranch, a SeriesBranch, a TableBranch"),
    "a bare branch": ([TABLE], "or 'drop', got TableBranch()"),
    "a pair": ([("a", TABLE)], "or 'drop', got ('a', TableBranch())"),
    "four": ([("a", TABLE, ["age"], 1)], FORM),
    "a number as a name": ([(1, TABLE, ["age"])], "got the name 1"),
    "an empty name": ([("", TABLE, ["age"])], "must not be empty"),
    "two underscores": ([("a__b", TABLE, ["age"])], "nor contain '__' or '.', got 'a__b'"),
    "a dot": ([("a.b", TABLE, ["age"])], "nor contain '__' or '.', got 'a.b'"),
    "a parameter": ([("alpha", TABLE, ["age"])], "'alpha' of a branch is that of a parameter"),
    "the gate": ([("gate", TABLE, ["age"])], "'gate' of a branch is that of the weights of the br"),
    "twice a name": ([("a", TABLE, ["age"]), ("a", TABLE, ["ward"])], "must be unique, got ['a',"),
    "a transformer": (
        [("a", StandardScaler(), ["age"])],
        "as branch 'a'. A transformer goes into a branch, such as TokenBranch(transformer).",
    ),
    "an estimator": ([("a", GRUClassifier(), ["age"])], "got GRUClassifier() as branch 'a'"),
    "a class": ([("a", TableBranch, ["age"])], "Make an object of the class: TableBranch()."),
    "passthrough": ([("a", "passthrough", ["age"])], "got 'passthrough' as branch 'a'"),
    "no branch": ([("a", None, ["age"])], "got None as branch 'a'"),
    "another order": ([("a", ["age"], TABLE)], "got ['age'] as branch 'a'"),
    "all dropped": ([("a", "drop", ["age"])], "All branches are dropped"),
    "an unknown column": ([("a", TABLE, ["agee"])], "Branch 'a': X has no column 'agee'; its col"),
    "an unknown end": ([("a", TABLE, slice("age", "z"))], "Branch 'a': X has no column 'z'"),
    "no column": ([("a", TABLE, [])], "Branch 'a': expected at least one column, got []"),
    "no column of these": ([("a", TABLE, lambda X: [])], "expected at least one column"),
    "no columns": ([("a", TABLE, None)], "Branch 'a': expected columns as a name, an index, a sl"),
    "an index too large": ([("a", TABLE, [7])], "Branch 'a': X has 5 columns, expected an index"),
    "a float": ([("a", TABLE, [1.0])], "got [1.0]"),
    "a set": ([("a", TABLE, {"age"})], "Branch 'a': expected columns as a name"),
    "a short mask": ([("a", TABLE, [True])], "Branch 'a': expected 5 truth values"),
    "mixed": ([("a", TABLE, [True, "age"])], "Branch 'a': expected columns as a name"),
    "twice a column": ([("a", TABLE, ["age", 3])], "Branch 'a': expected each column once"),
    "a transformer's class": (
        [("a", TableBranch(OneHotEncoder), ["ward"])],
        "Branch 'a': Expected a transformer with fit and transform, or None, as transformer of "
        "TableBranch, got the class OneHotEncoder",
    ),
    "no transformer": ([("a", TableBranch("onehot"), ["ward"])], "Branch 'a': Expected a transf"),
    "a misspelled value": (
        [("a", TableBranch(scaling="standart"), ["age"])],
        "Got 'standart' instead. Did you mean scaling='standard'?",
    ),
}


@pytest.mark.parametrize("case", BRANCHES)
@pytest.mark.parametrize("estimator_class", ESTIMATORS)
def test_branches_that_are_not_understood(estimator_class, case):
    given, message = BRANCHES[case]
    refused = estimator_class(given, max_iter=1)
    with pytest.raises((ValueError, TypeError), match=re.escape(message)):
        refused.fit(X, Y)
    assert not hasattr(refused, "branches_")
    repr(refused)


def test_the_parameters_of_a_branch_are_validated_as_those_of_an_estimator():
    with pytest.raises(InvalidParameterError, match="Branch 'monitor': The 'cell' parameter of "):
        classifier().set_params(monitor__cell="gur").fit(X, Y)
    with pytest.raises(InvalidParameterError, match="Did you mean fusion='gated'"):
        classifier(fusion="gate").fit(X, Y)
    with pytest.raises(InvalidParameterError, match="'remainder' parameter"):
        classifier(remainder="passthrough").fit(X, Y)


def test_names_need_a_frame():
    with pytest.raises(ValueError, match=r"'patient': expected indices .* got 'age': give a Data"):
        classifier(branches(names=["patient"])).fit(X.to_numpy(), Y)


# Transformers


def test_a_transformer_of_texts_is_told_to_take_one_column():
    given = [("note", TableBranch(TfidfVectorizer()), ["note"]), *branches(names=["patient"])]
    message = "'note': expected 24 rows from TfidfVectorizer.* got 1. Give the name .* in no list"
    with pytest.raises(ValueError, match=message):
        classifier(given).fit(X, Y)
    given[0] = ("note", TokenBranch(SequenceVectorizer()), ["note"])
    with pytest.raises(ValueError, match=r"'note': .*pass a single column"):
        classifier(given).fit(X, Y)


def test_a_transformer_of_tables_is_told_to_take_a_list():
    given = [("ward", TableBranch(OneHotEncoder()), "ward")]
    with pytest.raises(ValueError, match=r"'ward': .* Give the name .* of the column in a list"):
        classifier(given).fit(X, Y)


# Names of parameters


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("fusoin", "fusion"),
        ("branchdropout", "branch_dropout"),
        ("nota", "note"),
        ("nota__embedding_dim", "note"),
        ("embedding_matrix", "note__embedding_matrix"),
        ("time_feature", "monitor__time_feature"),
        ("monitor__celll", "cell"),
    ],
)
def test_a_misspelled_parameter_is_told_which_was_meant(name, meant):
    with pytest.raises(ValueError, match=f"(?s)Invalid parameter .* Did you mean '{meant}'"):
        classifier().set_params(**{name: 1})


@pytest.mark.parametrize(
    "make",
    [
        lambda **p: MultimodalGRUClassifier([], **p),
        lambda **p: MultimodalGRURegressor([], **p),
        TokenBranch,
        SeriesBranch,
        TableBranch,
    ],
)
def test_a_misspelled_parameter_of_a_constructor(make):
    with pytest.raises(TypeError, match="Did you mean 'hidden_layer_sizes'"):
        make(hiden_layer_sizes=3)


def test_parameters_of_a_dropped_branch():
    with pytest.raises(ValueError, match="Branch 'note' is 'drop', which has no parameters: canno"):
        classifier().set_params(note="drop").set_params(note__embedding_dim=2)


# y and weights


@pytest.mark.parametrize("parameters", [{}, {"early_stopping": True}], ids=str)
@pytest.mark.parametrize(
    ("y", "sample_weight", "message"),
    [
        (None, None, "requires y to be passed, but the target y is None"),
        (Y[:5], None, r"inconsistent numbers of samples: \[24, 5\] \(samples of X, targets of y\)"),
        (Y[:5], np.arange(24) % 2, r"inconsistent numbers of samples: \[24, 5\]"),
        (Y, np.ones(5), r"\[24, 5\] \(samples of X, weights"),
        (Y, np.zeros(24), "at least one non-zero"),
        (Y, -np.ones(24), "Negative values"),
        (Y, [np.ones(2)] * 24, "Sample weights must be 1D"),
        (set(Y), None, "as y, got a set"),
        (Y, {1}, "as sample_weight, got a set"),
        ([np.ones(2), *Y[1:]], None, "y is ragged"),
    ],
)
def test_targets_and_weights_that_do_not_fit(y, sample_weight, message, parameters):
    for refused in (classifier(**parameters), regressor(**parameters)):
        with pytest.raises((ValueError, TypeError), match=message):
            refused.fit(X, y, sample_weight)
        assert not hasattr(refused, "branches_")


@pytest.mark.parametrize("left_out", ["weights", "held out"])
@pytest.mark.parametrize("name", ["monitor", "patient"])
def test_rows_are_counted_among_all_that_are_given(left_out, name):
    Z, weights, row = X.copy(), np.ones(len(X)), 20
    weights[:15] = 0
    if name == "monitor":
        Z.at[row, "pulse"] = np.full(len(X["pulse"][row]), np.inf)
        message = f"Branch 'monitor': .* sequence {row},"
    else:
        Z["age"] = Z["age"].astype(object)
        Z.at[row, "age"] = "old"
        message = "Branch 'patient': .*'old'"
    parameters = {} if left_out == "weights" else {"early_stopping": True}
    sample_weight = weights if left_out == "weights" else None
    with pytest.raises(ValueError, match=message):
        classifier(branches(names=[name]), **parameters).fit(Z, Y, sample_weight)


@pytest.mark.parametrize("n", [19, 20])
def test_another_text_in_each_row_is_no_category(n):
    Z = pd.DataFrame({"note": [f"note {i}" for i in range(n)], "age": np.arange(n) // 2})
    model = classifier([("row", TABLE, ["note", "age"])])
    if n < 20:
        assert len(model.fit(Z, Z["age"] % 2).named_branches_.row.categories_["note"]) == n
        return
    message = r"Column 'note' has 20 categories in 20 rows.* TableBranch\(TfidfVectorizer\(\)\)"
    with pytest.warns(UserWarning, match=message):
        model.fit(Z, Z["age"] % 2)
    classifier([("row", TABLE, ["note", "age"])]).fit(Z.assign(note="ab"), Z["age"] % 2)


def test_parameters_that_are_refused_leave_the_branches():
    model = classifier(branches())
    with pytest.raises(ValueError, match="Invalid parameter 'bogus'"):
        model.set_params(note="drop", bogus=1)
    assert model.get_params()["note"] != "drop"
    model.branches = [*model.branches, "malformed"]
    model.set_params(note="drop")
    assert model.branches[0][1] == "drop"
    assert model.branches[-1] == "malformed"
