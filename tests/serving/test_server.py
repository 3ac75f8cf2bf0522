"""A server of uvicorn, a process of its own, that many clients ask at once."""

import json
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from skgru import GRUClassifier
from tests import fitted as models
from tests.datasets import ragged, small
from tests.serving.asking import serving

N_CLIENTS, N_REQUESTS = 8, 25


def wide():
    """Return a classifier whose layer is one that predicts on threads of its own."""
    X, y = ragged(n=40, n_features=2, longest=20)
    return small(GRUClassifier, hidden_layer_sizes=64).fit(X, y), models.lists(X), X


@pytest.mark.parametrize("form", [models.texts, models.columns, wide])
def test_many_clients_at_once(tmp_path, form):
    model, instances, X = form()
    take = X.iloc.__getitem__ if hasattr(X, "iloc") else lambda rows: [X[j] for j in rows]
    rng = np.random.default_rng(0)
    asked = [
        [rng.choice(len(instances), 1 + i % 5) for i in range(N_REQUESTS)] for _ in range(N_CLIENTS)
    ]

    with serving(tmp_path, model) as server:

        def ask(requests):
            return [server.predict([instances[j] for j in rows]) for rows in requests]

        with ThreadPoolExecutor(N_CLIENTS) as clients:
            answers = [*clients.map(ask, asked)]
        for requests, of_client in zip(asked, answers, strict=True):
            for rows, (status, answer) in zip(requests, of_client, strict=True):
                assert status == 200, answer
                p = model.predict_proba(take(rows))
                assert_array_equal(np.array(answer["probabilities"], p.dtype), p)
        server.stop()
        assert "Finished server process" in server.log
        assert "Traceback" not in server.log


def test_bad_requests_leave_it_as_it_was(tmp_path):
    model, instances, X = models.numbers()
    bad = [
        (b"", 422, "Invalid JSON"),
        (b"{}", 422, "Field required"),
        (b'{"instances": [[[1]]]}', 422, "expecting 2 features per step"),
        (b'{"instances": [[[1, "a"]]]}', 422, "got the text 'a'"),
        (b'{"instances": [[[1, 1e999]]]}', 422, "infinity"),
        (b'{"instances": [[[1, 2]]], "outputs": ["all"]}', 422, "expected some of"),
        (b" " * 100_001, 413, "expected at most 100000 bytes"),
    ]
    with serving(tmp_path, model) as server:

        def ask(i):
            body, status, reason = bad[i % len(bad)]
            found, answer = server.ask("POST", "/predict", body)
            return found == status and reason in answer["detail"]

        with ThreadPoolExecutor(N_CLIENTS) as clients:
            refused = clients.map(ask, range(8 * len(bad)))
            answered = clients.map(lambda i: server.predict(instances), range(20))
            assert all(refused)
            for status, answer in answered:
                assert status == 200
                assert answer["predictions"] == model.predict(X).tolist()
        assert server.ask("GET", "/health") == (200, {"status": "ok"})
        assert server.ask("GET", "/predict")[0] == 405
        assert server.ask("GET", "/models")[0] == 404
        server.stop()
        assert "Traceback" not in server.log


def test_clients_that_leave_or_never_end(tmp_path):
    model, instances, X = models.numbers()
    with serving(tmp_path, model) as server:
        for body in (b'{"instances": ', b""):
            connection = HTTPConnection("127.0.0.1", server.port, timeout=60)
            connection.putrequest("POST", "/predict")
            connection.putheader("Content-Length", "50000")
            connection.endheaders(body)
            connection.close()
        # A body without an end, in parts: refused as soon as it is too long.
        connection = HTTPConnection("127.0.0.1", server.port, timeout=60)
        connection.putrequest("POST", "/predict")
        connection.putheader("Transfer-Encoding", "chunked")
        connection.endheaders()
        for _ in range(11):
            connection.send(b"2710\r\n" + b" " * 10_000 + b"\r\n")
        answer = connection.getresponse()
        assert answer.status == 413
        assert "too long" in json.loads(answer.read())["detail"]
        connection.close()
        status, answer = server.predict(instances)
        assert status == 200
        assert answer["predictions"] == model.predict(X).tolist()
        server.stop()
        assert "Traceback" not in server.log
        assert "Fault" not in server.log
