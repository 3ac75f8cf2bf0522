"""The base of all public estimators, above scikit-learn's `BaseEstimator`."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from inspect import signature
from typing import TYPE_CHECKING, Any, Self, TypeVar, cast

from sklearn.base import BaseEstimator
from sklearn.exceptions import InconsistentVersionWarning as SklearnInconsistentVersionWarning

from skgru._compat import InvalidParameterError, validate_parameter_constraints
from skgru._hints import hint_at_name, hint_at_value
from skgru._saved import DamagedError, expect
from skgru._settings import plain
from skgru._version import __version__

_VERSION_KEY = "_skgru_version"

# Where the documentation of a class stands; `pyproject.toml` names the same site.
_DOCUMENTATION = "https://skgru.readthedocs.io/en/{edition}/generated/{name}.html"


class InconsistentVersionWarning(SklearnInconsistentVersionWarning):
    """Warning of an estimator that another version of skgru has saved.

    Parameters
    ----------
    estimator_name, current_skgru_version, original_skgru_version : str
        Attributes too.
    """

    def __init__(
        self, *, estimator_name: str, current_skgru_version: str, original_skgru_version: str
    ) -> None:
        self.estimator_name = estimator_name
        self.current_skgru_version = current_skgru_version
        self.original_skgru_version = original_skgru_version

    def __str__(self) -> str:
        return (
            f"Trying to load estimator {self.estimator_name} from version "
            f"{self.original_skgru_version} of skgru when using version "
            f"{self.current_skgru_version}. This might lead to errors or invalid results: fit it "
            "anew, or use it at your own risk."
        )


# (A constructor keeps its types.)
_Init = TypeVar("_Init", bound=Callable[..., None])


def hints_at_names(init: _Init) -> _Init:
    """Decorate a constructor: the error of a parameter that it has not hints at the one meant."""
    names = [*signature(init).parameters][1:]

    @wraps(init)
    def init_or_hint(self: Any, *args: Any, **kwargs: Any) -> None:
        for name in kwargs:
            if name not in names:
                raise TypeError(
                    f"{type(self).__name__}.__init__() got an unexpected keyword argument "
                    f"{name!r}.{hint_at_name(name, names)}"
                )
        init(self, *args, **kwargs)

    return cast(_Init, init_or_hint)


class Estimator(BaseEstimator):
    """Base of the public estimators and transformers."""

    if TYPE_CHECKING:
        # Options of scikit-learn's `TransformerMixin`.
        def __init_subclass__(cls, **options: Any) -> None: ...

    # By these scikit-learn links the HTML of an estimator to the documentation of its parameters.
    _doc_link_module = "skgru"
    _doc_link_template = _DOCUMENTATION

    def _doc_link_url_param_generator(self) -> dict[str, str]:
        """Return the version of the documentation and the public name of the class."""
        edition = "latest" if ".dev" in __version__ else "stable"
        return {"edition": edition, "name": f"skgru.{type(self).__name__}"}

    @contextmanager
    def _unchanged_on_error(self) -> Iterator[None]:
        """Give itself back the attributes that it had, if the block raises."""
        before = vars(self).copy()
        try:
            yield
        except BaseException:
            self.__dict__.clear()
            self.__dict__.update(before)
            raise

    def _validate_params(self) -> None:
        """Validate the parameters as scikit-learn does, NumPy's scalars as Python's.

        Raises
        ------
        InvalidParameterError
            Of scikit-learn, with a hint at the value that was meant.
        """
        constraints, caller_name = self._parameter_constraints, type(self).__name__
        for name, value in self.get_params(deep=False).items():
            value = plain(value)
            try:
                validate_parameter_constraints(constraints, {name: value}, caller_name)
            except InvalidParameterError as error:
                hint = hint_at_value(name, value, constraints)
                raise InvalidParameterError(f"{error}{hint}") from None

    def set_params(self, **params: Any) -> Self:
        """Set the parameters of this estimator, as scikit-learn's `BaseEstimator` does.

        Parameters
        ----------
        **params : dict
            Parameters; those of an estimator inside as ``<component>__<parameter>``.

        Returns
        -------
        self : object
            The estimator.

        Raises
        ------
        ValueError
            If there is no such parameter, with a hint at the one that was meant.
        """
        names = self._get_param_names()
        for key in params:
            name = key.partition("__")[0]
            if name not in names:
                try:
                    return super().set_params(**params)
                except ValueError as error:
                    hint = hint_at_name(name, list(self.get_params()))
                    raise ValueError(f"{error}{hint}") from None
        return super().set_params(**params)

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), _VERSION_KEY: __version__}

    def __setstate__(self, state: dict[str, Any]) -> None:
        name = type(self).__name__
        state = dict(state)
        # There is none where a subclass makes a state of its own.
        version = state.pop(_VERSION_KEY, __version__)
        if version != __version__:
            warnings.warn(
                InconsistentVersionWarning(
                    estimator_name=name,
                    current_skgru_version=__version__,
                    original_skgru_version=version,
                ),
                stacklevel=2,
            )
        super().__setstate__(state)
        try:
            self._check_saved(is_of_now=version == __version__)
        except DamagedError as error:
            raise DamagedError(
                f"The state of this {name} is not one that version {__version__} of skgru has "
                f"saved: {error}. The file is damaged or was changed: load another copy of it, or "
                "fit the estimator anew."
            ) from error

    def _check_saved(self, *, is_of_now: bool) -> None:
        """Refuse attributes that were loaded, if no fit has left them so.

        Parameters
        ----------
        is_of_now : bool
            Whether this version of skgru has saved them.

        Raises
        ------
        DamagedError
        """
        parameters = signature(type(self).__init__).parameters
        missing = [name for name in self._get_param_names() if name not in vars(self)]
        if not is_of_now:
            # Parameters that there were not yet; what was fitted does not depend on them.
            for name in missing:
                setattr(self, name, parameters[name].default)
        else:
            expect(not missing, "all parameters", f"no {', '.join(missing)}")
