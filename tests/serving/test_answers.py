"""What an application answers: the predictions of its estimator, for every form of X."""

import json
import logging
import sys

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.exceptions import NotFittedError

import skgru
from skgru import GRUClassifier, GRUForecaster
from skgru._answers import to_json
from skgru.serving import make_app
from tests import fitted as models
from tests.datasets import ragged, small
from tests.processes import run_python
from tests.serving.asking import ask_app, predict


def assert_same(answer, expected):
    """Assert that an answer holds exactly these predictions."""
    if expected.dtype == object:  # an array for each sample
        assert len(answer) == len(expected)
        for part, whole in zip(answer, expected, strict=True):
            assert_same(part, np.asarray(whole))
    else:
        assert_array_equal(np.array(answer, expected.dtype), expected)


def assert_answer(answer, model, X):
    """Assert that an answer holds all that a model says of X."""
    expected = {"predictions": model.predict(X)}
    if hasattr(model, "predict_proba"):
        expected["probabilities"] = model.predict_proba(X)
        assert_same(answer["classes"], model.classes_)
    if "std" in answer:
        _, expected["std"] = model.predict(X, return_std=True)
    assert set(answer) - {"classes", "quantiles"} == set(expected)
    for name, values in expected.items():
        assert_same(answer[name], values)


@pytest.mark.parametrize("form", models.FORMS)
def test_the_answers_are_the_predictions(form):
    model, instances, X = form()
    app = make_app(model)
    status, answer = predict(app, instances)
    assert status == 200, answer
    assert_answer(answer, model, X)
    status, alone = predict(app, instances[1:2])
    assert status == 200, alone
    assert_answer(alone, model, X[1:2])
    assert answer.get("quantiles") == ([0.1, 0.5, 0.9] if form is models.quantiles else None)
    assert ("std" in answer) == (form is models.deviations)


def test_some_outputs_alone():
    model, instances, _ = models.numbers()
    app = make_app(model)
    _, everything = predict(app, instances)
    for name in ("predictions", "probabilities"):
        status, answer = predict(app, instances, outputs=[name])
        assert status == 200
        assert answer == {name: everything[name], "classes": ["no", "yes"]}


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        (models.numbers, {"kind": "sequence of steps", "n_features": 2}),
        (models.table, {"kind": "list", "n_features": 5}),
        (models.tokens, {"kind": "token ids"}),
        (models.texts, {"kind": "text"}),
        (models.scaled_steps, {"kind": "list", "n_features": 2}),
        (
            models.columns,
            {"kind": "columns", "columns": ["note", "pulse", "pressure", "age", "ward"]},
        ),
        (models.named_table, {"kind": "columns", "columns": [f"t{i}" for i in range(5)]}),
    ],
)
def test_the_metadata_say_what_a_sample_is(form, expected):
    model, _, _ = form()
    status, answer = ask_app(make_app(model), "GET", "/metadata")
    assert status == 200
    assert answer["instance"] == expected
    assert answer["estimator"] == type(model).__name__
    assert answer["versions"]["skgru"] == skgru.__version__
    assert set(answer["versions"]) == {"skgru", "scikit-learn", "numpy", "python"}
    has_classes = hasattr(model, "classes_")
    assert answer["outputs"] == ["predictions", "probabilities"][: 1 + has_classes]
    if has_classes:
        assert answer["classes"] == model.classes_.tolist()


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (np.array([False, True]), [False, True]),
        (np.array([0.5, 1.5]), [0.5, 1.5]),
        (np.array(["no", "yes"], object), ["no", "yes"]),
        (np.array(["2024-01-01", "2024-06-01"], "datetime64[D]"), ["2024-01-01", "2024-06-01"]),
    ],
)
def test_labels_as_json_has_them(labels, expected):
    found = to_json(labels)
    assert found == expected
    assert [*map(type, found)] == [*map(type, expected)]
    assert json.loads(json.dumps(found)) == expected


# Bad requests


def refused(app, body, status=422):
    """Return why an application refuses a body."""
    found, answer = ask_app(app, "POST", "/predict", body)
    assert found == status, answer
    assert set(answer) == {"detail"}
    return answer["detail"]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "Invalid JSON"),
        (b'{"instances": [[[1, 2]]', "Invalid JSON"),
        (b"\xff\xfe", "Invalid JSON"),
        (b'{"instances": ' + b"[" * 5000, "recursion limit"),
        (b"[[[1, 2]]]", "should be an object"),
        (b"{}", "instances: Field required"),
        (b'{"X": [[[1, 2]]]}', "X: Extra inputs are not permitted"),
        (b'{"instances": 3}', "instances: Input should be a valid"),
        (b'{"instances": []}', "at least 1 item"),
        (b'{"instances": [[[1, 2]]], "outputs": ["log"]}', "expected some of"),
        (b'{"instances": [[[1, 2]]], "outputs": []}', "got none"),
        (b'{"instances": [[[1, 2, 3]]]}', "expecting 2 features per step"),
        (b'{"instances": [[[1, 2]], [[1]]]}', "expected 2 as in sequence 0, but sequence 1 has 1"),
        (b'{"instances": [[[1, "2"]]]}', "got the text '2' in sequence 0, step 0, feature 1"),
        (b'{"instances": [[[1, 1e999]]]}', "infinity"),
        (b'{"instances": [[[1, 2], 3]]}', "Sequence 0"),
        (b'{"instances": [null, [[1, 2]]]}', "Sequence 0"),
        (b'{"instances": [{"a": 1}]}', "got a dict as element 0"),
        (b'{"instances": ["a text"]}', "SequenceVectorizer"),
        (b'{"instances": [[[[1, 2]]]]}', "expected (n_steps, n_features)"),
    ],
)
def test_what_is_no_sequence_of_numbers(body, reason):
    model, instances, _ = models.numbers()
    app = make_app(model)
    assert reason in refused(app, body)
    assert predict(app, instances)[0] == 200


@pytest.mark.parametrize(
    ("form", "instances", "reason"),
    [
        (models.tokens, [[2.5]], "Expected a whole number as token id"),
        (models.tokens, [["good"]], "got the text 'good'"),
        (models.texts, [3], "Expected"),
        (models.texts, [None], "Expected"),
        (models.columns, [[1, 2]], "Expected an object with the columns"),
        (models.columns, [None], "got null as instance 0"),
        (models.columns, [{"note": "good"}], "lacks the columns ['pulse', 'pressure', 'age'"),
        (models.named_table, [{f"t{i}": "a" for i in range(5)}], "could not convert string"),
        (
            models.named_table,
            [{f"t{i}": 1.0 for i in range(5)} | {"t_0": 1.0}],
            "a column 't_0' that the model does not read",
        ),
    ],
)
def test_what_is_not_of_the_form(form, instances, reason):
    model, _, _ = form()
    status, answer = predict(make_app(model), instances)
    assert status == 422, answer
    assert reason in answer["detail"]


def test_cells_of_another_kind():
    model, instances, _ = models.columns()
    app = make_app(model)
    for cell, reason in [
        ({"age": "old"}, "Branch 'patient': Expected numbers, got the text 'old'"),
        ({"ward": 3}, "Expected texts in column 'ward'"),
        ({"note": 3}, "Expected each document to be a string"),
        ({"pulse": "abc"}, "Expected a sequence in each cell of column 'pulse'"),
        ({"pulse": [1.0]}, "The cells of a row must be 1-D arrays of the same length"),
    ]:
        status, answer = predict(app, [instances[3] | cell])
        assert status == 422, answer
        assert reason in answer["detail"]


def test_requests_that_are_too_long():
    model, instances, _ = models.numbers()
    body = json.dumps({"instances": instances[:2]}).encode()
    app = make_app(model, max_bytes=len(body))
    assert ask_app(app, "POST", "/predict", body)[0] == 200
    reason = f"expected at most {len(body)} bytes"
    assert reason in refused(app, body + b" ", 413)
    # It is refused before it has come, if it says how long it is.
    said = [(b"content-length", b"999999")]
    status, answer = ask_app(app, "POST", "/predict", b"{}", said)
    assert status == 413
    assert reason in answer["detail"]


class Broken(GRUClassifier):
    """A classifier whose predictions fail for no reason of the request."""

    def predict(self, X):
        raise RuntimeError("a secret of the service")


def test_a_fault_is_in_the_log_and_not_in_the_answer(caplog):
    X, y = ragged()
    app = make_app(small(Broken).fit(X, y))
    body = json.dumps({"instances": [x.tolist() for x in X]}).encode()
    answers = []
    # The error goes on to the server, once it is answered.
    with caplog.at_level(logging.ERROR, "skgru.serving"), pytest.raises(RuntimeError):
        ask_app(app, "POST", "/predict", body, answers=answers)
    ((status, answer),) = answers
    assert status == 500
    (record,) = (r for r in caplog.records if r.name == "skgru.serving")
    assert "a secret of the service" in str(record.exc_info[1])
    assert answer == {"detail": f"Internal error, in the log as {record.args[0]}."}


# What is served


def test_what_cannot_be_served():
    with pytest.raises(TypeError, match="the class GRUClassifier"):
        make_app(GRUClassifier)
    with pytest.raises(TypeError, match="Expected a fitted estimator with predict, got 'model"):
        make_app("model.joblib")
    with pytest.raises(NotFittedError):
        make_app(GRUClassifier())
    forecaster = GRUForecaster(horizon=2, window=8, max_iter=2, random_state=0)
    with pytest.raises(TypeError, match="got a GRUForecaster, whose predict takes a number"):
        make_app(forecaster.fit(np.sin(np.arange(60.0))))


@pytest.mark.parametrize("name", ["max_bytes", "n_threads"])
@pytest.mark.parametrize("value", [-1, 1.5, True, "1"])
def test_limits_are_ints(name, value):
    model, _, _ = models.table()
    with pytest.raises(ValueError, match=f"{name}: expected an int from 1 on"):
        make_app(model, **{name: value})


def test_pandas_is_named_where_columns_have_names(monkeypatch):
    model, _, _ = models.named_table()
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ImportError, match="pip install pandas"):
        make_app(model)


def test_the_extra_is_named_and_imported_late(monkeypatch):
    program = "import skgru.serving, sys; print(*{'fastapi', 'pydantic'} & {*sys.modules})"
    assert run_python(program).split() == []
    model, _, _ = models.table()
    monkeypatch.setitem(sys.modules, "fastapi", None)
    with pytest.raises(ImportError, match=r"pip install 'skgru\[serve\]'"):
        make_app(model)


def test_the_schema_says_what_a_request_is():
    model, _, _ = models.numbers()
    status, schema = ask_app(make_app(model), "GET", "/openapi.json")
    assert status == 200
    body = schema["paths"]["/predict"]["post"]["requestBody"]
    assert body["content"]["application/json"]["schema"]["required"] == ["instances"]
