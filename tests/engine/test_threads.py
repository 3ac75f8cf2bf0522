"""`n_jobs`: the same model on any number of threads, and BLAS's threads given back."""

import os
import random
import signal
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from itertools import count

import numpy as np
import pytest
from joblib import parallel_config
from numpy.testing import assert_array_equal
from threadpoolctl import threadpool_info, threadpool_limits

from skgru import GRUClassifier, GRURegressor
from skgru._budget import shards
from skgru._engine import threads as _threads
from skgru._engine.threads import on_threads
from skgru._nn.optimizers import Adam
from tests.datasets import ESTIMATORS, flat, output, rectangle, small
from tests.processes import run_python
from tests.training import EXPLOSION, RaiseAt


def blas_threads(*_):
    return [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]


# NumPy's wheels for macOS have Accelerate, whose threads threadpoolctl neither sees nor limits.
needs_blas = pytest.mark.skipif(
    not blas_threads(), reason="threadpoolctl does not know the BLAS library here"
)


def max_workers(map_):
    return 1 if map_ is map else map_.__self__._max_workers


@contextmanager
def call_elsewhere(n_in_the_end=1):
    """A call in another thread that goes on for as long as the block does."""
    begun, to_end = threading.Event(), threading.Event()

    def work(map_):
        begun.set()
        assert to_end.wait(60)
        return blas_threads()

    with ThreadPoolExecutor(1) as executor:
        call = executor.submit(on_threads, 1, work)
        try:
            assert begun.wait(60)
            yield
        finally:
            to_end.set()
        assert set(call.result()) == {n_in_the_end}


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
    monkeypatch.setattr("skgru._budget.MAX_CHUNK_SEQUENCES", 140)  # two chunks
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

    monkeypatch.setattr("skgru._engine.threads.ThreadPoolExecutor", Executor)
    for n_jobs in (None, 1, 2, 5):
        on_threads(n_jobs, blas_threads)
    with parallel_config(n_jobs=3):
        on_threads(None, blas_threads)
    assert sizes == [2, 5, 3]


@needs_blas
def test_all_processors_are_those_that_blas_may_use(monkeypatch):
    monkeypatch.setattr("skgru._engine.threads.effective_n_jobs", lambda n_jobs: 8)
    monkeypatch.setattr("skgru._engine.threads._blas_threads", lambda: [4, 3])
    for n_jobs, expected in {-1: 3, None: 8, 8: 8}.items():
        assert on_threads(n_jobs, max_workers) == expected
    monkeypatch.undo()
    with threadpool_limits(1, user_api="blas"):
        assert on_threads(-1, max_workers) == 1


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_narrow_networks_have_no_threads(monkeypatch):
    seen = []
    for module in ("_base", "_engine.predict"):
        monkeypatch.setattr(
            f"skgru.{module}.on_threads",
            lambda n_jobs, work: seen.append(n_jobs) or on_threads(n_jobs, work),
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

    def lengths_of(indices):
        return lengths[indices - 100]

    assert [len(part) for part in shards(indices, lengths_of, 128)] == [64, 64]
    assert [len(part) for part in shards(indices, lengths_of, 256)] == [32] * 4
    for alone in (shards(indices, lengths_of, 64), shards(indices[:64], lengths_of, 128)):
        assert len(alone) == 1
    parts = shards(indices, lengths_of, 256)
    assert_array_equal(np.sort(np.concatenate(parts)), indices)
    work = [lengths[part - 100].sum() for part in parts]
    assert max(work) - min(work) <= 32


@needs_blas
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


@needs_blas
@pytest.mark.parametrize("estimator_class", ESTIMATORS)
def test_the_linear_algebra_gets_its_threads_back(monkeypatch, estimator_class):
    X, y = rectangle()
    seen = []

    def step(self, theta, gradient, rate):
        seen.append(blas_threads())

    with threadpool_limits(limits=2, user_api="blas"):
        before = blas_threads()
        assert set(before) == {2}
        model = small(estimator_class).fit(X, y)
        assert blas_threads() == before
        output(model, X)
        assert blas_threads() == before
        with pytest.raises(ValueError, match="no longer finite"):
            small(estimator_class, **EXPLOSION).fit(X, y)
        assert blas_threads() == before
        with pytest.raises(ValueError, match="infinity"):
            model.fit([[np.inf]] * 24, y)
        assert blas_threads() == before
        monkeypatch.setattr(Adam, "step", RaiseAt(Adam.step, 2, RuntimeError))
        with pytest.raises(RuntimeError):
            model.fit(X, y)
        assert blas_threads() == before
        monkeypatch.setattr(Adam, "step", step)
        model.fit(X, y)
        assert {n for counts in seen for n in counts} == {1}


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


# Several calls at the same time


@needs_blas
@pytest.mark.parametrize("first_out", [0, 1])
def test_calls_that_overlap_give_blas_its_threads_back(first_out):
    with threadpool_limits(2, user_api="blas"):
        before = blas_threads()
        calls = [ExitStack(), ExitStack()]
        for call in calls:
            call.enter_context(call_elsewhere())
            assert set(blas_threads()) == {1}
        calls.pop(first_out).close()
        assert set(blas_threads()) == {1}
        calls.pop().close()
        assert blas_threads() == before


@needs_blas
def test_a_call_inside_another_leaves_blas_limited():
    def work(map_):
        seen = [on_threads(n_jobs, blas_threads) for n_jobs in (1, 2)]
        with pytest.raises(ZeroDivisionError):
            on_threads(1, lambda map_: 1 / 0)
        return [*seen, blas_threads()]

    with threadpool_limits(2, user_api="blas"):
        before = blas_threads()
        seen = on_threads(2, work)
        assert blas_threads() == before
    assert {n for counts in seen for n in counts} == {1}


@needs_blas
def test_all_processors_are_the_same_while_another_call_goes_on(monkeypatch):
    monkeypatch.setattr("skgru._engine.threads.effective_n_jobs", lambda n_jobs: 8)
    with threadpool_limits(2, user_api="blas"), call_elsewhere():
        assert on_threads(-1, max_workers) == 2


@needs_blas
def test_a_limit_of_another_that_ends_during_a_call_is_not_set_again():
    with threadpool_limits(2, user_api="blas"):
        before = blas_threads()
        other = threadpool_limits(1, user_api="blas")
        with call_elsewhere(n_in_the_end=2):
            other.restore_original_limits()
        assert blas_threads() == before


def bits(model, X, y):
    model.fit(X, y)
    return flat(model).tobytes() + model.predict(X).tobytes()


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_fits_in_threads_are_those_of_one_thread():
    rng = np.random.default_rng(0)
    X = [rng.normal(size=(1 + i % 30, 3)) for i in range(300)]
    y = np.array([x[-1, 0] for x in X])
    settings = [
        {"random_state": seed, "solver": solver}
        for seed in range(2)
        for solver in ("adam", "lbfgs")
    ]
    # Of so large products BLAS makes other last digits on two threads than on one.
    alone = [bits(GRURegressor(128, max_iter=1, **options), X, y) for options in settings]
    for n_jobs in (1, 2):
        models = [GRURegressor(128, max_iter=1, n_jobs=n_jobs, **options) for options in settings]
        with threadpool_limits(2, user_api="blas"), ThreadPoolExecutor(4) as executor:
            before = blas_threads()
            assert list(executor.map(bits, models, [X] * 4, [y] * 4)) == alone
            assert blas_threads() == before


# Where each thread has a limit of its own


class Library:
    """A BLAS library that limits all threads at once, or each by itself."""

    def __init__(self, is_shared):
        self._limits = type("Limits", (), {})() if is_shared else threading.local()

    def get_num_threads(self):
        return getattr(self._limits, "n", 4)

    def set_num_threads(self, n):
        self._limits.n = n

    num_threads = property(get_num_threads)


@pytest.fixture
def libraries(monkeypatch):
    libraries = [Library(is_shared=True), Library(is_shared=False)]
    monkeypatch.setattr("skgru._engine.threads._libraries", lambda: libraries)
    monkeypatch.setitem(
        globals(), "blas_threads", lambda *_: [library.num_threads for library in libraries]
    )
    return libraries


def test_each_thread_is_limited_and_given_back_its_own_number(libraries):
    barrier = threading.Barrier(3)

    def look(_):
        barrier.wait(60)  # so each thread looks
        return blas_threads()

    def work(map_):
        return [*map_(look, range(3)), blas_threads()]

    libraries[1].set_num_threads(3)
    assert on_threads(3, work) == [[1, 1]] * 4
    assert blas_threads() == [4, 3]
    with call_elsewhere():
        assert blas_threads() == [1, 3]
        assert on_threads(3, work) == [[1, 1]] * 4
        assert blas_threads() == [1, 3]
    assert blas_threads() == [4, 3]


def test_the_first_call_out_is_limited_no_longer_where_the_limit_is_its_threads(libraries):
    second = ExitStack()

    def work(map_):
        second.enter_context(call_elsewhere())

    on_threads(1, work)
    assert blas_threads() == [1, 4]
    second.close()
    assert blas_threads() == [4, 4]


# Errors and interruptions


def test_an_error_of_a_library_leaves_no_limit(libraries, monkeypatch):
    def fail(n):
        raise OSError("no such symbol")

    monkeypatch.setattr(libraries[1], "set_num_threads", fail)
    with pytest.raises(OSError, match="no such symbol"):
        on_threads(1, blas_threads)
    assert blas_threads() == [4, 4]


@needs_blas
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_an_interruption_at_any_moment_leaves_no_limit(n_jobs):
    """Python runs the handlers of signals where functions begin and where those of C return."""
    files = {_threads.__file__, sys.modules["threadpoolctl"].__file__}

    def interrupt_at(moment):
        moments = count()

        def profile(frame, event, function):
            if (
                event in ("call", "c_return")
                and frame.f_code.co_filename in files
                and getattr(function, "__name__", "") != "__enter__"  # a lock held for ever
                and next(moments) == moment
            ):
                raise KeyboardInterrupt

        sys.setprofile(profile)
        try:
            on_threads(n_jobs, lambda map_: list(map_(abs, range(3))))
        finally:
            sys.setprofile(None)

    with threadpool_limits(2, user_api="blas"):
        before = blas_threads()
        on_threads(1, blas_threads)  # from here on the libraries are known
        kept = []
        for moment in count():
            _threads._is_shared.cache_clear()
            try:
                interrupt_at(moment)
            except KeyboardInterrupt as error:
                kept[:] = [error]  # as a console keeps it, with all that its frames refer to
            else:
                break
            assert blas_threads() == before
            assert not _threads._limits
        assert moment > 20


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="Windows has no timer of signals")
def test_ctrl_c_leaves_no_limit():
    def interrupt(*_):
        raise KeyboardInterrupt

    rng = random.Random(0)
    n_interrupted = 0
    with threadpool_limits(2, user_api="blas"):
        before = blas_threads()
        handler = signal.signal(signal.SIGALRM, interrupt)
        try:
            for _ in range(200):
                kept = []
                try:
                    signal.setitimer(signal.ITIMER_REAL, rng.uniform(1e-4, 1e-3))
                    for _ in range(100_000):
                        on_threads(1, bool)
                except KeyboardInterrupt as error:
                    kept.append(error)
                    n_interrupted += 1
                assert blas_threads() == before
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, handler)
    assert n_interrupted > 100


# Other processes


@needs_blas
def test_no_blas_library_comes_later():
    run_python(
        """
import numpy as np
import skgru
from skgru import GRURegressor
from skgru._engine.threads import _libraries
from threadpoolctl import ThreadpoolController

known = {library.filepath for library in _libraries()}
assert known
GRURegressor(max_iter=1, solver="lbfgs").fit(np.ones((9, 2, 1)), np.arange(9.0))
GRURegressor(max_iter=1, pooling="attention").fit(np.ones((9, 2, 1)), np.arange(9.0))
loaded = ThreadpoolController().select(user_api="blas").lib_controllers
assert {library.filepath for library in loaded} == known
""",
        timeout=120,
    )


@needs_blas
@pytest.mark.skipif(not hasattr(os, "fork"), reason="Windows has no fork")
def test_a_forked_process_has_its_threads_back():
    run_python(
        """
import os, signal, sys, threading, warnings
import numpy as np
from skgru import GRURegressor
from skgru._engine import threads as _threads
from threadpoolctl import threadpool_info, threadpool_limits

def blas_threads():
    return {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}

threadpool_limits(2, user_api="blas")
begun, to_end = threading.Event(), threading.Event()

def work(map_):
    with _threads._lock:
        begun.set()
        assert to_end.wait(60)

call = threading.Thread(target=_threads.on_threads, args=(1, work))
call.start()
assert begun.wait(60)
assert blas_threads() == {1}
warnings.simplefilter("ignore")  # Python 3.12 warns of forks with threads
child = os.fork()
if not child:
    signal.alarm(60)  # no deadlock stays
    before = blas_threads()
    GRURegressor(max_iter=1).fit(np.ones((9, 2, 1)), np.arange(9.0))
    os._exit(0 if before == blas_threads() == {2} else 1)
_, status = os.waitpid(child, 0)
to_end.set()
call.join()
assert blas_threads() == {2}
sys.exit(status != 0)
""",
        timeout=120,
    )
