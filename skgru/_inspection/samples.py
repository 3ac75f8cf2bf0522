"""One sample as the network inside of an estimator reads it, in terms of those who look at it."""

from collections.abc import Mapping, Set
from numbers import Integral

from skgru._compat import take
from skgru._data.arrays import describe
from skgru._engine.model import parse_inputs
from skgru._inspection.names import feature_names, lineages_of, words_of
from skgru._multimodal import MultimodalGRU
from skgru._unwrapping import network_and_transformers, transformed


class Sample:
    """One sample of X.

    Parameters
    ----------
    estimator : estimator
        A fitted network, a pipeline that ends with one, or a search.
    X : array-like
    index : int

    Attributes
    ----------
    network : BaseNetwork
    given : array-like
        The sample alone, as the network is given it.
    is_multimodal : bool
    model : Model
    opened, parsed : dict
        What the network reads, by the names of its inputs.

    Raises
    ------
    NotFittedError, TypeError, ValueError
        If there is no network or no such sample.
    """

    def __init__(self, estimator, X, index):
        self.network, transformers = network_and_transformers(estimator)
        alone = take(X, [_position(index, X)])
        self.given = transformed(alone, transformers)
        self.is_multimodal = isinstance(self.network, MultimodalGRU)
        self.model = self.network._fitted_model()
        self.opened = self.network._open(self.given)
        self.parsed = parse_inputs(self.model.own_inputs, self.opened)
        self._lineages = lineages_of(self.network, transformers, alone, self.given)

    def said_of(self, target):
        """Return the output that is explained in words, as far as it has to be told from others.

        Parameters
        ----------
        target : object
            As of `attributions`, which takes it.
        """
        loss, step = self.model.loss, None
        if self.model.per_step and isinstance(target, tuple) and len(target) == 2:
            step, target = target
        where = "" if step is None else f"step {step}"
        if target is None and loss.has_classes and not loss.is_multilabel:
            if self.model.per_step and (step is None or loss.crf):
                return " of ".join(filter(None, ["the strongest class", where or "each step"]))
            target = self.network.predict(self.given)[0]
            target = target if step is None else target[step]
        if target is None:
            return where
        if isinstance(target, tuple):
            said = "output {}, quantile {}".format(*target)
        elif loss.has_classes:
            said = f"label {target}" if loss.is_multilabel else _said_class(target)
        else:
            said = f"{'output' if loss.n_outputs > 1 else 'quantile'} {target}"
        return ", ".join(filter(None, [said, where]))

    def features_of(self, branch):
        """Return the names of the features of a series, or of the columns of a table."""
        return feature_names(self.model.inputs[branch], self.opened[branch], self._lineages[branch])

    def words_of(self, branch):
        """Return the tokens without padding as words, unknown ones too."""
        return words_of(self.parsed[branch].sequences.values, self._lineages[branch])


def _said_class(label):
    """Return the name of a class; what is no name is said to be a class."""
    return str(label) if isinstance(label, str) and label.strip() else f"class {label!s}"


def _position(index, X):
    """Return the position of the sample that is meant."""
    has_order = not isinstance(X, str | bytes | Mapping | Set)
    if not has_order or not getattr(X, "shape", hasattr(X, "__len__")):
        raise TypeError(f"Expected samples in a container, got {describe(X)}.")
    n = X.shape[0] if hasattr(X, "shape") else len(X)
    is_int = isinstance(index, Integral) and not isinstance(index, bool)
    if not is_int or not -n <= index < n:
        raise ValueError(
            f"Expected index to be a position from 0 to {n - 1} (samples are counted, not named), "
            f"got {index!r}.{_where_it_is(index, X)}"
            if n
            else "Expected at least one sample in X, got none."
        )
    return index % n


def _where_it_is(index, X):
    """Return how to find the position of a label of pandas; nothing for what is no label there."""
    labels = X.index if hasattr(X, "iloc") else ()
    try:
        is_label = not isinstance(index, bool) and index in labels
    except TypeError:  # a list
        return ""
    return f" X.index.get_loc({index!r}) returns the position of this label." * is_label
