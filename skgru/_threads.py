"""How many threads the linear algebra may use."""

from functools import cache

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
