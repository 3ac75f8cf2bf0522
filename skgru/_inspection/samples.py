"""One sample as the network inside of an estimator reads it, in terms of those who look at it."""

from numbers import Integral

from skgru._compat import take
from skgru._engine.model import parse_inputs
from skgru._multimodal import MultimodalGRU
from skgru._unwrapping import best_of, network_and_inputs


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
    X : array-like
        It alone, in the form of X.
    network : BaseNetwork
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
        estimator = best_of(estimator)
        if isinstance(X, str) or not hasattr(X, "__len__") or not getattr(X, "shape", True):
            raise TypeError(f"Expected X as an array-like of samples, got {type(X).__name__}.")
        n = X.shape[0] if hasattr(X, "shape") else len(X)
        if not isinstance(index, Integral) or isinstance(index, bool) or not -n <= index < n:
            raise ValueError(f"Expected index to be that of one of {n} samples, got {index!r}.")
        self.X = take(X, [index % n])
        self.network, given = network_and_inputs(estimator, self.X)
        self.is_multimodal = isinstance(self.network, MultimodalGRU)
        self.model = self.network._fitted_model()
        self.opened = self.network._open(given)
        self.parsed = parse_inputs(self.model.inputs, self.opened)
        if self.is_multimodal:
            branches = self.network.named_branches_
            self._transformers = {
                name: getattr(branches[name], "transformer_", None) for name in self.parsed
            }
        else:
            steps = [step for _, step in getattr(estimator, "steps", [])[:-1]]
            behind = [step for step in steps if step not in (None, "passthrough")]
            self._transformers = {"": behind[-1] if behind else None}

    def transformer_of(self, branch):
        """Return what the inputs of a branch come from, None if they are given as they are."""
        return self._transformers[branch]

    def features_of(self, branch):
        """Return the names of a series' features, None if it has none."""
        names = self.opened[branch].form.names
        n_features = self.model.inputs[branch].n_features
        return names if len(names or ()) == n_features else None

    def words_of(self, branch):
        """Return the tokens without padding as words; unknown ones are said if they can be."""
        ids = self.parsed[branch].sequences.values
        words = [f"{id_}" for id_ in ids]
        transformer = self._transformers[branch]
        if hasattr(transformer, "inverse_transform") and len(ids):
            (words,) = transformer.inverse_transform([ids])
            document = self.X[0] if isinstance(self.X, list) else None
            if isinstance(document, str) and hasattr(transformer, "build_analyzer"):
                tokens = list(transformer.build_analyzer()(document))
                words = tokens if len(tokens) == len(words) else words
        return words
