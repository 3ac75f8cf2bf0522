"""What all public estimators have beyond scikit-learn's `BaseEstimator`."""

from sklearn.base import BaseEstimator
from sklearn.utils._param_validation import validate_parameter_constraints

from skgru._parameters import plain


class Estimator(BaseEstimator):
    """Base of the public estimators and transformers."""

    def _validate_params(self):
        """Validate the parameters as scikit-learn does, NumPy's scalars as Python's."""
        validate_parameter_constraints(
            self._parameter_constraints,
            {name: plain(value) for name, value in self.get_params(deep=False).items()},
            caller_name=type(self).__name__,
        )
