"""How many threads may work: the linear algebra's, and our own."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from threading import RLock
from typing import Any, TypeVar

from joblib import effective_n_jobs
from threadpoolctl import ThreadpoolController

_T = TypeVar("_T")

_lock = RLock()  # reentrant: a handler of signals may predict, too
_limits: set[_Limit] = set()  # of the calls that go on
# How many threads a BLAS library had before them, where all threads share its limit.
_before: dict[Any, int] = {}


def on_threads(n_jobs: int | None, work: Callable[[Callable[..., Any]], _T]) -> _T:
    """Return ``work(map_)``, where `map_`, a function like `map`, runs its calls on threads.

    BLAS is limited to one thread meanwhile. The products of a recurrence are small: handing them
    to several BLAS threads makes them slower, and lets results depend on the number of cores.

    This is a function rather than a context manager because Ctrl-C may interrupt Python between
    the steps of a `with` statement, and so leave BLAS limited.

    Parameters
    ----------
    n_jobs : int or None
        The number of threads, with joblib's meaning. Negative numbers count from the processors
        that BLAS may use, where those are fewer: joblib's workers, `threadpool_limits` and
        ``OMP_NUM_THREADS`` bound them.
    work : callable
    """
    n_threads = effective_n_jobs(n_jobs)
    if n_jobs is not None and n_jobs < 0:
        n_threads = min([n_threads, *_blas_threads()])
    limit = _Limit()
    try:
        limit.begin()
        if n_threads == 1:
            return work(map)
        with ThreadPoolExecutor(
            n_threads, thread_name_prefix="skgru", initializer=limit.begin_in_thread
        ) as executor:
            return work(executor.map)
    finally:
        try:
            limit.end()
        finally:  # again, since Ctrl-C may have cut it short
            limit.end()


class _Limit:
    """One call's share in the limit of BLAS to one thread.

    Most libraries have one limit for all threads. So only the first call finds the number from
    before, and the last one gives it back.
    """

    def __init__(self) -> None:
        # As `_before`, of the libraries that limit each thread by itself.
        self._own: dict[Any, int] = {}

    def begin(self) -> None:
        with _lock:
            _limits.add(self)
            for library in _libraries():
                n = library.num_threads
                if n != 1:
                    self._own[library] = n
                _set_threads(library, 1)
                if n != 1 and _is_shared(library):
                    _before.setdefault(library, n)
                    del self._own[library]

    def begin_in_thread(self) -> None:
        """Limit a thread that works for the call, unless that has come to its end."""
        with _lock:
            if self in _limits:
                for library in _libraries():
                    _set_threads(library, 1)

    def end(self) -> None:
        """Give the threads back, if that is still to be done."""
        with _lock:
            _limits.discard(self)
            _give_back(self._own)
            if not _limits:
                _give_back(_before)


def _give_back(before: dict[Any, int]) -> None:
    for library, n in list(before.items()):
        if library.num_threads == 1:  # no one has set another limit since
            _set_threads(library, n)
        before.pop(library, None)


def _set_threads(library: Any, n: int) -> None:
    # threadpoolctl 3.8 would ignore this thread while another one holds a limit.
    getattr(library, "_real_set_num_threads", library.set_num_threads)(n)


@cache
def _libraries() -> list[Any]:
    """Return the BLAS libraries. To find them takes milliseconds, to limit them microseconds.

    All that skgru computes with, NumPy's and SciPy's, are loaded when it is imported.
    """
    libraries: list[Any] = ThreadpoolController().select(user_api="blas").lib_controllers
    return libraries


@cache
def _is_shared(library: Any) -> bool:
    """Return whether other threads, too, have the limit of one that this one has just set.

    It depends on the library, on how it was built and on threadpoolctl: so a thread is asked.
    """
    with ThreadPoolExecutor(1) as executor:
        n: int = executor.submit(library.get_num_threads).result()
    return n == 1


def _blas_threads() -> list[int]:
    """Return how many threads each of the BLAS libraries may use when no call of ours goes on."""
    with _lock:
        return [_before.get(library, library.num_threads) for library in _libraries()]


def _after_fork() -> None:
    """Lift the limits in a child process: the calls went on in the parent alone."""
    global _lock
    _lock = RLock()
    _limits.clear()
    _give_back(_before)


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_after_fork)
