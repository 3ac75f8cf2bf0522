"""`n_jobs`: the same model on any number of threads, and BLAS's threads given back."""

import threading

import numpy as np
import pytest
from joblib import parallel_config
from numpy.testing import assert_array_equal
from threadpoolctl import threadpool_info, threadpool_limits

from skgru import GRUClassifier, GRURegressor
from skgru._batching import shards
from skgru._threads import thread_map


def blas_threads():
    return [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]


def wide_data(n=150):
    rng = np.random.default_rng(0)
    X = [rng.normal(size=(1 + i % 9, 3)) for i in range(n)]
    return X, np.array([x[-1, 0] for x in X])


def wide(cls, n_jobs, **options):
    options = {"max_iter": 2, "random_state": 0} | options
    if options.get("solver") != "lbfgs":
        options = {"batch_size": 128} | options
    return cls(hidden_layer_sizes=(128, 16), n_jobs=n_jobs, **options)


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
@pytest.mark.parametrize("n_jobs", [2, 3, -1])
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_any_number_of_threads_gives_the_same_bits(solver, n_jobs, monkeypatch):
    monkeypatch.setattr("skgru._batching.MAX_CHUNK_SEQUENCES", 140)  # two chunks
    X, y = wide_data()
    one = wide(GRURegressor, 1, solver=solver).fit(X, y)
    many = wide(GRURegressor, n_jobs, solver=solver).fit(X, y)
    assert one.loss_curve_ == many.loss_curve_
    for name, array in one.parameters_.items():
        assert_array_equal(array, many.parameters_[name])
    assert_array_equal(one.predict(X), many.predict(X))


def test_the_threads_are_those_of_n_jobs(monkeypatch):
    sizes = []

    class Executor:
        def __init__(self, n_threads, **_):
            sizes.append(n_threads)

        def __enter__(self):
            return self

        def __exit__(self, *_):
            pass

        map = staticmethod(map)

    monkeypatch.setattr("skgru._threads.ThreadPoolExecutor", Executor)
    for n_jobs in (None, 1, 2, 5):
        with thread_map(n_jobs):
            pass
    with parallel_config(n_jobs=3), thread_map(None):
        pass
    assert sizes == [2, 5, 3]


def test_all_processors_are_those_that_blas_may_use(monkeypatch):
    monkeypatch.setattr("skgru._threads.effective_n_jobs", lambda n_jobs: 8)
    monkeypatch.setattr("skgru._threads._blas_threads", lambda: [4, 3])
    for n_jobs, expected in {-1: 3, None: 8, 8: 8}.items():
        with thread_map(n_jobs) as map_:
            assert map_.__self__._max_workers == expected
    monkeypatch.undo()
    with threadpool_limits(1, user_api="blas"), thread_map(-1) as map_:
        assert map_ is map


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_narrow_networks_have_no_threads(monkeypatch):
    seen = []
    monkeypatch.setattr(
        "skgru._base.thread_map", lambda n_jobs: seen.append(n_jobs) or thread_map(n_jobs)
    )
    X, y = wide_data()
    for sizes in (63, 64, (16, 128)):
        model = GRUClassifier(sizes, max_iter=1, n_jobs=2).fit(X, y > 0)
        model.predict(X)  # too few sequences to share
        model.predict(X + X)
    assert seen == [1, 1, 1, 1, 1, 2, 2, 1, 2]


def test_shards_depend_on_sizes_alone_and_cover_the_batch():
    indices = np.arange(100, 228)
    lengths = np.arange(128)[::-1] // 4
    assert [len(part) for part in shards(indices, lengths, 128)] == [64, 64]
    assert [len(part) for part in shards(indices, lengths, 256)] == [32] * 4
    for alone in (shards(indices, lengths, 64), shards(indices[:64], lengths[:64], 128)):
        assert len(alone) == 1
    parts = shards(indices, lengths, 256)
    assert_array_equal(np.sort(np.concatenate(parts)), indices)
    work = [lengths[part - 100].sum() for part in parts]
    assert max(work) - min(work) <= 32


@pytest.mark.parametrize("n_jobs", [None, 2])
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_blas_gets_its_threads_back_also_after_an_error(n_jobs, monkeypatch):
    X, y = wide_data()
    with threadpool_limits(2, user_api="blas"):
        before = blas_threads()
        model = wide(GRUClassifier, n_jobs).fit(X, y > 0)
        model.predict(X)
        assert blas_threads() == before
        seen = []

        def fail(*_, **__):
            seen.extend(blas_threads())
            raise RuntimeError("in a shard")

        monkeypatch.setattr("skgru._nn.gru.GRU.forward", fail)
        with pytest.raises(RuntimeError, match="in a shard"):
            model.fit(X, y > 0)
        assert seen
        assert set(seen) == {1}
        assert blas_threads() == before


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_threads_predict_the_same_bits():
    X, y = wide_data(700)
    model = GRURegressor(64, max_iter=1, random_state=0).fit(X, y)
    one, two = (model.set_params(n_jobs=n).predict(X) for n in (1, 2))
    assert_array_equal(one, two)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_no_thread_is_left_after_a_fit():
    X, y = wide_data()
    wide(GRUClassifier, 2).fit(X, y > 0)
    assert not [t for t in threading.enumerate() if t.name.startswith("skgru")]


def test_zero_jobs_are_refused():
    X, y = wide_data()
    with pytest.raises(ValueError, match=r"'n_jobs' parameter.*Got 0"):
        wide(GRUClassifier, 0).fit(X, y > 0)
