"""The roles of the columns of y and X: targets, covariates, and those known in the future."""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Integral
from typing import Any, NamedTuple

from skgru._compat import is_array
from skgru._data.forms import is_sequence
from skgru._data.panel import Panel
from skgru._data.plain import of_plain, to_plain


class Columns(NamedTuple):
    """What the columns of y and X are.

    Attributes
    ----------
    y_names, x_names : list or None, where they have none
    n_y, n_x : int
    targets, beside : list of int, the columns of y: targets and covariates
    known : list of int, those of all covariates that are known in the future
    """

    y_names: list[Any] | None
    x_names: list[Any] | None
    n_y: int
    n_x: int
    targets: list[int]
    beside: list[int]
    known: list[int]

    @property
    def state(self) -> dict[str, Any]:
        """They as plain values."""
        return {name: to_plain(value) for name, value in self._asdict().items()}

    @classmethod
    def of_state(cls, state: Mapping[str, Any]) -> Columns:
        """Return the columns of a `state`."""
        return cls(**{name: of_plain(value) for name, value in state.items()})

    @property
    def n_covariates(self) -> int:
        return len(self.beside) + self.n_x

    @property
    def target_names(self) -> list[Any] | None:
        """The names of the targets, None where they have none."""
        return None if self.y_names is None else [self.y_names[j] for j in self.targets]

    @property
    def covariate_names(self) -> list[Any]:
        """The names of the covariates; their numbers where they have none."""
        y_names = list(range(self.n_y)) if self.y_names is None else self.y_names
        x_names = list(range(self.n_x)) if self.x_names is None else self.x_names
        return [y_names[j] for j in self.beside] + x_names


def columns_of_y_and_x(y: Panel, x: Panel | None, target: Any, known: Any) -> Columns:
    """Return what the columns of y and X are, by the parameters `target` and `known`."""
    n_y = y.series[0].values.shape[1]
    n_x = 0 if x is None else x.series[0].values.shape[1]
    targets = list(range(n_y))
    if target is not None:
        targets = _find(target, "target", "the columns of y", y.names, targets, n_y)
    if not targets:
        raise ValueError(f"target: expected one or several columns of y, got {target!r}.")
    beside = [j for j in range(n_y) if j not in targets]
    columns = Columns(y.names, None if x is None else x.names, n_y, n_x, targets, beside, [])
    has_names = y.names is not None or columns.x_names is not None
    names = columns.covariate_names if has_names else None
    numbers, n = (list(range(n_x)), n_x) if n_x else (beside, n_y)
    is_told = not (n_x and beside)  # in two containers, columns have the same numbers
    found = _find(known, "known", "the covariates", names, numbers if is_told else None, n)
    return columns._replace(known=found)


def _find(
    given: Any,
    parameter: str,
    what: str,
    names: list[Any] | None,
    numbers: list[int] | None,
    n: int,
) -> list[int]:
    """Return the places of columns among some, given by name or number.

    Parameters
    ----------
    given : object, one column or a list of them
    parameter, what : str, in errors
    names : list or None
        If some of them are integers, columns are not given by number.
    numbers : list of int or None
        Those of the columns in their container, of n columns; None: they are of two.
    n : int
    """
    is_one = isinstance(given, tuple) and given in (names or [])
    wanted = list(given) if not is_one and (is_sequence(given) or is_array(given)) else [given]
    if names is None:
        names, numbers = numbers or [], numbers or []
    elif numbers is None or any(isinstance(name, Integral) for name in names):
        numbers = []
    places = []
    for one in wanted:
        is_number = isinstance(one, Integral) and not isinstance(one, bool)
        if names.count(one) > 1:
            raise ValueError(f"{parameter}: {one!r} is the name of {names.count(one)} columns.")
        if names.count(one) == 1 and not isinstance(one, bool):
            places.append(names.index(one))
        elif is_number and -n <= int(one) < n and int(one) % n in numbers:
            places.append(numbers.index(int(one) % n))
        else:
            raise ValueError(
                f"{parameter}: expected {what}, {names or 'of which there are none'}, got {one!r}."
            )
    if len(set(places)) < len(places):
        raise ValueError(f"{parameter}: expected each column once, got {given!r}.")
    return places


def check_columns(given: Panel, names: list[Any] | None, n: int) -> None:
    """Refuse other columns than those of `fit`."""
    n_given = given.series[0].values.shape[1]
    is_other = None not in (names, given.names) and given.names != names
    if is_other or n_given != n:
        expected = f"{n} columns" if names is None else f"the columns {names}"
        got = n_given if given.names is None or not is_other else given.names
        raise ValueError(f"Expected {expected} in {given.role}, as in fit, got {got}.")


def places_of_future(x: Panel, columns: Columns) -> list[int]:
    """Return the covariates that the columns of X are."""
    n = x.series[0].values.shape[1]
    names = columns.covariate_names
    known = [names[j] for j in columns.known]
    if not known:
        raise ValueError(
            "Expected no X, as no covariates are known in the future: known=() in fit."
        )
    if x.names is not None and (columns.x_names is not None or columns.y_names is not None):
        if not set(known) <= set(x.names) <= set(names):
            raise ValueError(
                f"Expected the columns {known} in X, the covariates known in the future, got "
                f"{x.names}."
            )
        return [names.index(name) for name in x.names]
    of_x = list(range(len(columns.beside), columns.n_covariates))
    for places in (columns.known, of_x, list(range(columns.n_covariates))):
        if len(places) == n and set(columns.known) <= set(places):
            return places
    raise ValueError(
        f"Expected {len(known)} columns in X, the covariates known in the future, got {n}."
    )
