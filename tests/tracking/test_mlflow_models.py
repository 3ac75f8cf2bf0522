"""Fitted estimators as models of MLflow: logged, loaded, served; also of unequal lengths."""

import json
import os
import socket
import subprocess
import sys
import time
from http.client import HTTPConnection
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pytest
from mlflow.exceptions import MlflowException
from mlflow.models import infer_signature
from numpy.testing import assert_array_equal

import skgru
from tests import fitted
from tests.processes import json_of
from tests.test_docs import python_blocks

TRUSTED = ["skgru.classifier.GRUClassifier"]

pytestmark = [
    # MLflow's own.
    pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy"),
    pytest.mark.filterwarnings("ignore:.*Any type hint is inferred as AnyType"),
    pytest.mark.filterwarnings("ignore:Operation with range is deprecated"),
]


@pytest.fixture(autouse=True)
def store(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    before = mlflow.get_tracking_uri()
    uri = f"sqlite:///{tmp_path}/mlflow.db"
    mlflow.set_tracking_uri(uri)
    mlflow.set_experiment("models")  # that of another test is in another store
    yield uri
    mlflow.set_tracking_uri(before)


def log(model, **options):
    """Log a model, without a search for the packages that it needs."""
    options = {"skops_trusted_types": TRUSTED} | options
    return mlflow.sklearn.log_model(model, name="model", pip_requirements=["skgru"], **options)


def frame():
    """Return a classifier of named sequences in cells, and a frame that MLflow has a schema for."""
    model, instances, _ = fitted.named_sequences()
    return model, pd.DataFrame(instances).map(
        lambda cell: [np.nan if v is None else v for v in cell]
    )


def test_only_the_class_of_the_estimator_has_to_be_trusted():
    model, _, X = fitted.numbers()
    with pytest.raises(MlflowException, match=r"skgru\.classifier\.GRUClassifier"):
        log(model, skops_trusted_types=None)
    loaded = mlflow.sklearn.load_model(log(model).model_uri)
    assert_array_equal(loaded.predict_proba(X), model.predict_proba(X))


@pytest.mark.parametrize("serialization_format", ["skops", "cloudpickle"])
@pytest.mark.parametrize("form", [fitted.numbers, fitted.texts, fitted.tokens])
def test_a_model_without_a_schema_reads_what_the_estimator_reads(form, serialization_format):
    model, instances, X = form()
    trusted = [*TRUSTED, "skgru.text.SequenceVectorizer"] if form is fitted.texts else TRUSTED
    info = log(model, serialization_format=serialization_format, skops_trusted_types=trusted)
    loaded = mlflow.pyfunc.load_model(info.model_uri)
    for given in (X, instances):
        assert_array_equal(loaded.predict(given), model.predict(X))


def test_probabilities():
    model, X = frame()
    p = model.predict_proba(X)
    info = log(model, pyfunc_predict_fn="predict_proba", signature=infer_signature(X, p))
    assert_array_equal(mlflow.pyfunc.load_model(info.model_uri).predict(X), p)


def test_a_frame_of_sequences_has_a_schema():
    model, X = frame()
    info = log(model, input_example=X[:2])
    assert info.signature.inputs.input_names() == ["pulse", "pressure"]
    assert {str(column.type) for column in info.signature.inputs.inputs} == {"Array(double)"}
    loaded = mlflow.pyfunc.load_model(info.model_uri)
    assert_array_equal(loaded.predict(X), model.predict(X))
    with pytest.raises(MlflowException, match="pressure"):
        loaded.predict(X[["pulse"]])


def test_in_a_fresh_process(store):
    model, X = frame()
    info = log(model, input_example=X[:2])
    program = """
import json, sys
import mlflow, numpy as np, pandas as pd

mlflow.set_tracking_uri(sys.argv[1])
model = mlflow.pyfunc.load_model(sys.argv[2])
X = pd.DataFrame(json.loads(sys.argv[3])).map(lambda cell: np.array(cell, float))
print(json.dumps(model.predict(X).tolist()))
"""
    columns = {name: [np.where(np.isnan(x), None, x).tolist() for x in X[name]] for name in X}
    said = json_of(program, store, info.model_uri, json.dumps(columns))
    assert said == model.predict(X).tolist()


def test_the_blocks_of_the_page_on_deployment():
    page, namespace = "docs/deployment.md", {}
    blocks = [python_blocks(page)[0], *python_blocks(page, "mlflow")]
    assert len(blocks) == 3
    for block in blocks:
        exec(compile(block, page, "exec"), namespace)
    clf, frame, info = (namespace[name] for name in ("clf", "frame", "info"))
    assert_array_equal(mlflow.pyfunc.load_model(info.model_uri).predict(frame), clf.predict(frame))


def ask(port, path, body=None):
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        method = "GET" if body is None else "POST"
        connection.request(method, path, body, {"content-type": "application/json"})
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


@pytest.fixture
def serve(store, tmp_path):
    """Return a function that serves a model by MLflow's own server, and returns its port."""
    started = []

    def start(uri):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        paths = {"PATH": path, "PYTHONPATH": str(Path(skgru.__file__).parents[1])}
        command = [sys.executable, "-m", "mlflow", "models", "serve", "-m", uri]
        command += ["--env-manager", "local", "-p", str(port)]
        with Path(tmp_path, "log").open("wb") as log:
            process = subprocess.Popen(
                command,
                env=os.environ | {"MLFLOW_TRACKING_URI": store} | paths,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # the server is a process below it
            )
        started.append(process)
        for _ in range(1200):
            assert process.poll() is None, Path(tmp_path, "log").read_text()
            try:
                if ask(port, "/ping")[0] == 200:
                    return port
            except OSError:
                time.sleep(0.1)
        raise AssertionError(Path(tmp_path, "log").read_text())

    yield start
    for process in started:
        os.killpg(process.pid, 15)
        process.wait()


def test_mlflow_serves_frames_of_sequences(serve):
    model, X = frame()
    port = serve(log(model, input_example=X[:2]).model_uri)
    records = [{name: cell for name, cell in row.items()} for row in X.to_dict("records")]
    body = json.dumps({"dataframe_records": records}).replace("NaN", "null")
    status, answer = ask(port, "/invocations", body)
    assert status == 200, answer
    assert json.loads(answer)["predictions"] == model.predict(X).tolist()


def test_mlflow_serves_no_lists_of_unequal_length(serve):
    model, instances, _ = fitted.numbers()
    port = serve(log(model).model_uri)
    status, answer = ask(port, "/invocations", json.dumps({"inputs": instances}))
    assert status == 400
    assert b"inhomogeneous" in answer  # as docs/deployment.md says: a frame is needed
