"""Samples as JSON has them: what a fitted estimator expects, and as the X that it reads."""

from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from skgru._base import BaseNetwork
from skgru._data.tokens import TokenInput
from skgru._hints import hint_at_name
from skgru._sequence import BaseGRU
from skgru._unwrapping import best_of, steps_of
from skgru.text import SequenceVectorizer


class Instances:
    """The samples that a fitted estimator reads, as values of JSON.

    Parameters
    ----------
    estimator : object
        Fitted.

    Attributes
    ----------
    names : list of str or None
        The columns, where X had names in `fit`: a sample is an object with them.
    described : dict
        What a sample is: its kind, and the number or the names of what it holds.

    Raises
    ------
    ImportError
        If columns have names, and pandas is not installed.
    """

    def __init__(self, estimator):
        names = getattr(best_of(estimator), "feature_names_in_", None)
        self.names = None if names is None else list(names)
        self.described = _described(estimator, self.names)
        if self.names is not None:
            _import_pandas()

    def read(self, instances):
        """Return samples as X.

        Raises
        ------
        ValueError, TypeError
            If columns are expected and a sample is no object with them. All else is said by the
            estimator.
        """
        if self.names is None:
            return instances
        for i, instance in enumerate(instances):
            self._check_columns(i, instance)
        columns = {name: [instance[name] for instance in instances] for name in self.names}
        return _import_pandas().DataFrame(columns)

    def _check_columns(self, i, instance):
        if not isinstance(instance, dict):
            raise TypeError(
                f"Expected an object with the columns {self.names} as each instance, got "
                f"{_said_type(instance)} as instance {i}."
            )
        missing = [name for name in self.names if name not in instance]
        if missing:
            raise ValueError(
                f"Instance {i} lacks the columns {missing}: expected {self.names}; a value that is "
                "not known is null."
            )
        if len(instance) > len(self.names):
            other = next(name for name in instance if name not in self.names)
            raise ValueError(
                f"Instance {i} has a column {other!r:.80} that the model does not read: expected "
                f"{self.names}.{hint_at_name(other, self.names)}"
            )


def _described(estimator, names):
    """Return what a sample is."""
    if names is not None:
        return {"kind": "columns", "columns": names}
    first = _first_of(estimator)
    if isinstance(first, SequenceVectorizer):
        return {"kind": "text"}
    if isinstance(first, BaseGRU):
        ((_, reader),) = first._fitted_model().own_inputs.items()
        if isinstance(reader, TokenInput):
            return {"kind": "token ids"}
        if reader.n_columns is None:
            return {"kind": "sequence of steps", "n_features": int(reader.n_features)}
    n_features = getattr(first, "n_features_in_", None)
    return {"kind": "list", "n_features": None if n_features is None else int(n_features)}


def _first_of(estimator):
    """Return what reads X first: a transformer of a pipeline, or the estimator itself."""
    estimator = best_of(estimator)
    while isinstance(estimator, Pipeline):
        parts = [part for _, step in estimator.steps[:-1] for part in steps_of(step)]
        if parts:
            return parts[0]
        estimator = best_of(estimator.steps[-1][1])
    return estimator


def check_serves(estimator):
    """Refuse what is no fitted estimator that predicts from X.

    Raises
    ------
    TypeError, NotFittedError
    """
    if isinstance(estimator, type) or not hasattr(estimator, "predict"):
        got = f"the class {estimator.__name__}" if isinstance(estimator, type) else estimator
        raise TypeError(f"Expected a fitted estimator with predict, got {got!r:.100}.")
    check_is_fitted(estimator)
    network = _first_of(estimator)
    if hasattr(network, "networks_") and not isinstance(network, BaseNetwork):
        raise TypeError(
            f"Expected an estimator that predicts from X, got a {type(network).__name__}, whose "
            "predict takes a number of steps: an application of your own calls it."
        )


def _said_type(value):
    """Return the kind of a value in the words of JSON."""
    kinds = {bool: "a truth value", int: "a number", float: "a number", str: "a string"}
    return kinds.get(type(value), "null" if value is None else "an array")


def _import_pandas():
    try:
        import pandas
    except ImportError as error:
        raise ImportError(
            "Expected pandas for a model of named columns, got none: pip install pandas."
        ) from error
    return pandas
