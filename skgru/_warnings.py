"""Who calls: warnings that name the user's line, and searches that fit for the user."""

from __future__ import annotations

import os
import sys
import warnings
from pathlib import Path
from typing import Any

import sklearn.base

# What a user calls is wrapped by scikit-learn's validation of parameters, of methods and functions,
# and what a transformer returns by its choice of containers.
_BASE = Path(sklearn.base.__file__)
_UTILS = _BASE.parent / "utils"
_WRAPPERS = (str(_BASE), str(_UTILS / "_param_validation.py"), str(_UTILS / "_set_output.py"))
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


def is_called_by(packages: tuple[str, ...], function: str | None = None) -> bool:
    """Whether the running call comes from one of some packages, however far above.

    With a name, from a function of this name there.
    """
    frame = sys._getframe(1)
    while frame is not None:
        if frame.f_globals.get("__name__", "").startswith(packages) and (
            function is None or frame.f_code.co_name == function
        ):
            return True
        frame = frame.f_back  # type: ignore[assignment]
    return False


class each_once:
    """Give each warning of a block once, however many fits it has, at the line of the user.

    A class, as a generator would leave its block by a file of the standard library.

    Parameters
    ----------
    without : str, default=""
        What stands before names of parameters that are not the user's, and is left out.
    """

    def __init__(self, without: str = "") -> None:
        self._without = without
        self._recording = warnings.catch_warnings(record=True)

    def __enter__(self) -> None:
        self._caught = self._recording.__enter__()
        warnings.simplefilter("always")

    def __exit__(self, *error: Any) -> None:
        self._recording.__exit__(*error)
        if self._caught is None or error[0] is not None:
            return
        said = ((str(one.message).replace(self._without, ""), one.category) for one in self._caught)
        for message, category in dict.fromkeys(said):
            warn(message, category)


def _is_ours(filename: str) -> bool:
    return filename in _WRAPPERS or filename.startswith(_PACKAGE)
