"""How many requests a second the HTTP service answers, and how soon.

    python benchmarks/serving.py

A server of uvicorn, a process of its own on this machine, is asked by clients that keep their
connections and send one request after the other. It needs the extra `serve`.
"""

import argparse
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from pathlib import Path

import joblib
import numpy as np
from sklearn.pipeline import make_pipeline

from skgru import GRUClassifier, SequenceVectorizer

APP = """
import joblib
from skgru.serving import make_app

app = make_app(joblib.load("model.joblib"))
"""


def series(n_units):
    """Return a classifier of series of 50 to 100 steps with 4 features, and some of them."""
    rng = np.random.default_rng(0)
    X = [rng.normal(size=(rng.integers(50, 101), 4)) for _ in range(100)]
    y = [x[:, 0].mean() > 0 for x in X]
    clf = GRUClassifier(n_units, max_iter=3, n_jobs=1, random_state=0)
    return clf.fit(X, y), [x.round(4).tolist() for x in X]


def texts():
    """Return a classifier of texts of 10 to 40 words, and some of them."""
    rng = np.random.default_rng(0)
    words = [f"word{i}" for i in range(2_000)]
    X = [" ".join(rng.choice(words, rng.integers(10, 41))) for _ in range(400)]
    clf = make_pipeline(SequenceVectorizer(), GRUClassifier(max_iter=3, n_jobs=1, random_state=0))
    return clf.fit(X, ["word7" in x for x in X]), X


def ask(port, bodies):
    """Send requests, one after the other; return how long each took."""
    connection, times = HTTPConnection("127.0.0.1", port), []
    for body in bodies:
        start = time.perf_counter()
        connection.request("POST", "/predict", body)
        answer = connection.getresponse()
        answer.read()
        times.append(time.perf_counter() - start)
        assert answer.status == 200
    connection.close()
    return times


def wait_for(port):
    while True:
        try:
            connection = HTTPConnection("127.0.0.1", port)
            connection.request("GET", "/health")
            connection.getresponse().read()
            return
        except OSError:
            time.sleep(0.05)


def measure(model, instances, n_workers, n_clients, n_instances, n_requests):
    """Return requests a second, the median and the 95th percentile of the latency in ms."""
    with tempfile.TemporaryDirectory() as folder:
        joblib.dump(model, Path(folder, "model.joblib"))
        Path(folder, "app.py").write_text(APP)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        command = [sys.executable, "-m", "uvicorn", "app:app", "--port", str(port)]
        command += ["--workers", str(n_workers), "--log-level", "warning"]
        root = str(Path(__file__).parents[1])
        env = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": root}
        server = subprocess.Popen(command, cwd=folder, env=env)
        try:
            wait_for(port)
            rng = np.random.default_rng(0)
            bodies = []
            for _ in range(n_requests):
                rows = rng.choice(len(instances), n_instances)
                bodies.append(json.dumps({"instances": [instances[j] for j in rows]}).encode())
            shares = [bodies[i::n_clients] for i in range(n_clients)]
            with ThreadPoolExecutor(n_clients) as clients:
                [*clients.map(lambda share: ask(port, share[:10]), shares)]  # to warm up
                start = time.perf_counter()
                times = [*clients.map(lambda share: ask(port, share), shares)]
                seconds = time.perf_counter() - start
        finally:
            server.terminate()
            server.wait()
    milliseconds = 1_000 * np.concatenate(times)
    return n_requests / seconds, *np.percentile(milliseconds, [50, 95])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--requests", type=int, default=1_000, help="of each measurement")
    arguments = parser.parse_args()
    workloads = {
        "series, 32 units": series(32),
        "series, 128 units": series(128),
        "texts": texts(),
    }
    print("| model | samples | workers | clients | requests/s | median, ms | 95 %, ms |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for name, (model, instances) in workloads.items():
        for n_instances, n_workers, n_clients in [(1, 1, 1), (1, 1, 8), (1, 2, 8), (32, 1, 8)]:
            n_requests = arguments.requests // (4 if n_instances > 1 else 1)
            rate, median, late = measure(
                model, instances, n_workers, n_clients, n_instances, n_requests
            )
            print(
                f"| {name} | {n_instances} | {n_workers} | {n_clients} | {rate:.0f} | {median:.1f} "
                f"| {late:.1f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
