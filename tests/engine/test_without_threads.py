"""Where no thread can be started and there are no processes, as in a browser (Pyodide)."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

WITHOUT = """
import _thread, warnings

def refuse(*args, **kwargs):
    raise RuntimeError("can't start new thread")

_thread.start_new_thread = refuse
if hasattr(_thread, "start_joinable_thread"):  # from Python 3.13 on
    _thread.start_joinable_thread = refuse
import _multiprocessing
del _multiprocessing.SemLock  # as where Python was built without it

import threading
try:
    threading.Thread(target=print).start()
except RuntimeError:
    print("no threads")

import numpy as np
from skgru import GRUClassifier, GRUForecaster, GRURegressor, SequenceVectorizer, backtest
from skgru.inspection import permutation_importance

rng = np.random.default_rng(0)
X = rng.normal(size=(64, 12, 3)).astype(np.float32)
y = X[:, -1, 0] > 0
"""

ENTRIES = {
    "a wide network": "GRUClassifier(128, max_iter=2, n_jobs={n}, random_state=0).fit(X, y)"
    ".predict(X)",
    "numbers": "GRURegressor(8, max_iter=2, n_jobs={n}, random_state=0).fit(X, X[:, 0, 0])"
    ".predict(X)",
    "texts": "GRUClassifier(8, max_iter=2, n_jobs={n}, random_state=0)"
    ".fit(SequenceVectorizer().fit_transform(['one two', 'two one'] * 32), y)"
    ".predict_proba([[1, 2]])",
    "a forecast": "GRUForecaster(4, hidden_layer_sizes=4, max_iter=2, n_jobs={n}, random_state=0)"
    ".fit(rng.normal(size=200)).predict()",
    "a backtest": "backtest(GRUForecaster(4, hidden_layer_sizes=4, max_iter=2, random_state=0),"
    " rng.normal(size=200), n=2, n_jobs={n})",
    "importance": "permutation_importance("
    "GRUClassifier(4, max_iter=2, random_state=0).fit(X, y), X, y, n_repeats=2, n_jobs={n})",
}


@pytest.mark.parametrize("n_jobs", [-1, 4])
def test_all_runs_in_the_one_thread_that_there_is(n_jobs):
    lines = [f"{call.format(n=n_jobs)}\nprint({name!r})" for name, call in ENTRIES.items()]
    script = "\n".join([WITHOUT, "warnings.simplefilter('ignore')", *lines])
    # A BLAS of a browser has one thread, too.
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    environment["PYTHONPATH"] = str(ROOT)
    run = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout.splitlines() == ["no threads", *ENTRIES]
