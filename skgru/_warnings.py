"""Warnings that name the user's line, however deep below it they arise."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sklearn.base

# What a user calls is wrapped by scikit-learn's validation of parameters, of methods and functions.
_BASE = Path(sklearn.base.__file__)
_WRAPPERS = (str(_BASE), str(_BASE.parent / "utils" / "_param_validation.py"))
_PACKAGE = f"{Path(__file__).parent}{os.sep}"


def warn(message: str | Warning, category: type[Warning] = UserWarning) -> None:
    """Warn of something at the line that has called the package.

    Parameters
    ----------
    message : str or Warning
    category : type, default=UserWarning
    """
    level, frame = 2, sys._getframe(1)
    while frame.f_back is not None and _is_ours(frame.f_code.co_filename):
        level, frame = level + 1, frame.f_back
    warnings.warn(message, category, stacklevel=level)


@contextmanager
def each_once(without: str = "") -> Iterator[None]:
    """Give each warning of a block once, however many fits it has, at the line of the user.

    Parameters
    ----------
    without : str, default=""
        What stands before names of parameters that are not the user's, and is left out.
    """
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield
    said = ((str(one.message).replace(without, ""), one.category) for one in caught)
    for message, category in dict.fromkeys(said):
        warn(message, category)


def _is_ours(filename: str) -> bool:
    return filename in _WRAPPERS or filename.startswith(_PACKAGE)
