"""How many threads may work: the linear algebra's, and our own."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache

from joblib import effective_n_jobs
from threadpoolctl import ThreadpoolController


@cache
def _controller():
    """Inspect the loaded libraries once: that takes milliseconds, a limit microseconds."""
    return ThreadpoolController()


def single_threaded_blas():
    """Return a context manager that limits BLAS to one thread and gives the rest back.

    The products of a recurrence are small: handing them to several BLAS threads makes them slower,
    and lets results depend on the number of cores.
    """
    return _controller().limit(limits=1, user_api="blas")


@contextmanager
def thread_map(n_jobs):
    """Yield a function like `map`, whose calls run on `n_jobs` threads, with joblib's meaning.

    Negative numbers count from the processors that BLAS may use, where those are fewer: joblib's
    workers, `threadpool_limits` and ``OMP_NUM_THREADS`` bound them. BLAS is limited to one thread
    in each of ours.
    """
    n_threads = effective_n_jobs(n_jobs)
    if n_jobs is not None and n_jobs < 0:
        n_threads = min([n_threads, *_blas_threads()])
    with single_threaded_blas():
        if n_threads == 1:
            yield map
        else:
            with ThreadPoolExecutor(n_threads, thread_name_prefix="skgru") as executor:
                yield executor.map


def _blas_threads():
    """Return how many threads each of the loaded BLAS libraries may use."""
    return [pool["num_threads"] for pool in _controller().info() if pool["user_api"] == "blas"]
