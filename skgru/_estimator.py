"""What all public estimators have beyond scikit-learn's `BaseEstimator`."""

import warnings

from sklearn.base import BaseEstimator
from sklearn.exceptions import InconsistentVersionWarning as SklearnInconsistentVersionWarning
from sklearn.utils._param_validation import validate_parameter_constraints

from skgru._parameters import plain
from skgru._version import __version__

_VERSION_KEY = "_skgru_version"


class InconsistentVersionWarning(SklearnInconsistentVersionWarning):
    """Warning of an estimator that another version of skgru has saved.

    Parameters
    ----------
    estimator_name, current_skgru_version, original_skgru_version : str
        Attributes too.
    """

    def __init__(self, *, estimator_name, current_skgru_version, original_skgru_version):
        self.estimator_name = estimator_name
        self.current_skgru_version = current_skgru_version
        self.original_skgru_version = original_skgru_version

    def __str__(self):
        return (
            f"Trying to load estimator {self.estimator_name} from version "
            f"{self.original_skgru_version} of skgru when using version "
            f"{self.current_skgru_version}. This might lead to errors or invalid results: fit it "
            "anew, or use it at your own risk."
        )


class Estimator(BaseEstimator):
    """Base of the public estimators and transformers."""

    def _validate_params(self):
        """Validate the parameters as scikit-learn does, NumPy's scalars as Python's."""
        validate_parameter_constraints(
            self._parameter_constraints,
            {name: plain(value) for name, value in self.get_params(deep=False).items()},
            caller_name=type(self).__name__,
        )

    def __getstate__(self):
        return {**super().__getstate__(), _VERSION_KEY: __version__}

    def __setstate__(self, state):
        state = dict(state)
        # There is none where a subclass makes a state of its own.
        version = state.pop(_VERSION_KEY, __version__)
        if version != __version__:
            warnings.warn(
                InconsistentVersionWarning(
                    estimator_name=type(self).__name__,
                    current_skgru_version=__version__,
                    original_skgru_version=version,
                ),
                stacklevel=2,
            )
        super().__setstate__(state)
