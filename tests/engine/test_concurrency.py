"""Predictions and fits in threads at once are those of one thread, without Python's lock too."""

import pickle
import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import numpy as np
import pytest

from tests.fitted import FORMS

N_THREADS = 6


@pytest.fixture(autouse=True)
def take_turns_often():
    """Let threads of a Python with a lock meet in the midst of things, as they do without one."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


def at_once(work):
    """Return what ``work(k)`` returns in each of several threads, which begin together."""
    barrier = Barrier(N_THREADS, timeout=60)

    def begin(k):
        barrier.wait()
        return work(k)

    with ThreadPoolExecutor(N_THREADS) as executor:
        return list(executor.map(begin, range(N_THREADS)))


def predictions(model, X):
    """Return what a model says of X, in all its ways: the same bits are the same numbers."""
    names = [name for name in ("predict", "predict_proba") if hasattr(model, name)]
    found = [getattr(model, name)(X) for name in names]
    return [[np.asarray(one).tolist() for one in of_X] for of_X in found]


def turned(X, k):
    """Return the samples from the k-th one on, then those before it."""
    if hasattr(X, "iloc"):
        return X.iloc[[*range(k, len(X)), *range(k)]]
    return [*X[k:], *X[:k]] if isinstance(X, list) else np.concatenate([X[k:], X[:k]])


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.__name__)
def test_one_model_answers_many_threads_at_once(form):
    model, _, X = form()
    fresh = pickle.loads(pickle.dumps(model))  # what is made at the first call is still to be made
    # Each thread asks about other samples first: with the same ones, all would write the same.
    asked = [turned(X, 3 * k) for k in range(N_THREADS)]
    alone = [predictions(model, of_thread) for of_thread in asked]
    for _ in range(5):
        assert at_once(lambda k: predictions(fresh, asked[k])) == alone


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.__name__)
def test_many_fits_at_once_are_those_of_one_thread(form):
    model, _, X = form()
    alone = predictions(model, X)
    for found in at_once(lambda _: predictions(form()[0], X)):
        assert found == alone
