"""The parameters of an estimator as plain values, handed on in place of the estimator."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from skgru._hints import hint_at_value


class Settings:
    """The parameters of an estimator as attributes, all numbers of which are Python's.

    A parameter search hands over numbers of NumPy. Calculating with them, small integers overflow,
    and numbers in single precision round all that they meet.

    Parameters
    ----------
    values : mapping of str to object
        The parameters as they were given.
    constraints : mapping
        `_parameter_constraints` of the estimator.
    defaults : mapping of str to object
        Of the parameters that its user can set.
    estimator_name : str
        Of the estimator in error messages.
    input_kind : str or None, default=None
        The kind of input, by its name in `_data.kinds.INPUTS`; None = X and the parameters say it.

    Attributes
    ----------
    defaults : dict
    estimator_name, input_kind : str
    """

    def __init__(
        self,
        values: Mapping[str, Any],
        constraints: Mapping[str, Any],
        defaults: Mapping[str, Any],
        estimator_name: str,
        input_kind: str | None = None,
    ) -> None:
        self._values = {name: plain(value) for name, value in values.items()}
        self._constraints = constraints
        self.defaults = dict(defaults)
        self.estimator_name = estimator_name
        self.input_kind = input_kind

    def __getattr__(self, name: str) -> Any:
        try:
            return self.__dict__["_values"][name]
        except KeyError:
            raise AttributeError(name) from None

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def is_auto(self, name: str) -> bool:
        """Return whether a parameter, which may be an array, is "auto"."""
        value = self._values.get(name)
        return isinstance(value, str) and value == "auto"

    def get(self, name: str, default: Any = None) -> Any:
        """Return a parameter that not every estimator has."""
        return self._values.get(name, default)

    def but(self, **values: Any) -> Settings:
        """Return the same parameters but some."""
        return Settings(
            self._values | values,
            self._constraints,
            self.defaults,
            self.estimator_name,
            self.input_kind,
        )

    def chosen(self, names: tuple[str, ...]) -> dict[str, Any]:
        """Return some of the parameters by their names."""
        return {name: self._values[name] for name in names}

    def said(self) -> dict[str, str]:
        """Return all parameters in words, to be compared with those of another time."""
        return {name: said(value) for name, value in self._values.items()}

    def hint_at(self, name: str) -> str:
        """Return a hint at the value that was meant, for an error."""
        return hint_at_value(name, self._values[name], self._constraints)


def said(value: Any) -> str:
    """Return a parameter in words, which are the same for equal ones, also after loading.

    A function without a name of its own, such as a lambda, is equal to itself alone.
    """
    name = getattr(value, "__qualname__", None)
    if name is None:
        return re.sub(r" at 0x\w+", "", repr(value))
    return repr(value) if "<" in name else f"{value.__module__}.{name}"


def plain(value: Any) -> Any:
    """Return a number, a truth or a string of NumPy as Python's, all else as it is."""
    if isinstance(value, np.floating):
        return float(value)
    # A timedelta64 is an integer for NumPy, too.
    is_plain = not isinstance(value, np.generic) or value.dtype.kind not in "biuU"
    return value if is_plain else value.item()
