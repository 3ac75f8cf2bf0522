"""The names of what a network reads: of features, and the words of token ids."""

from typing import Any, NamedTuple

from sklearn import config_context
from sklearn.compose import ColumnTransformer

from skgru._data.selection import select, take_columns
from skgru._data.table import TableInput
from skgru._multimodal import MultimodalGRU
from skgru._unwrapping import steps_of, transformed
from skgru.text import SequenceVectorizer


class Lineage(NamedTuple):
    """Where what a network reads comes from.

    Attributes
    ----------
    names : sequence of str
        Of the columns in training, which are the features if there are as many.
    transformers : list of transformer
        In their order.
    X : array-like
        What the first of them is given.
    """

    names: Any
    transformers: list[Any]
    X: Any


def lineages_of(network, transformers, X, given):
    """Return the lineage of each input by its name.

    Parameters
    ----------
    network : BaseNetwork
    transformers : list of transformer
        Those before the network.
    X : array-like
        What the first of them is given.
    given : array-like
        What the network is given.
    """
    if not isinstance(network, MultimodalGRU):
        return {"": Lineage(getattr(network, "feature_names_in_", ()), transformers, X)}
    given = network._check(given, reset=False)
    return {
        name: Lineage(
            network._names_of_columns(name),
            steps_of(getattr(branch, "transformer_", None)),
            take_columns(given, selection).container,
        )
        for name, branch, selection in network._read_branches()
    }


def feature_names(part, opened, lineage):
    """Return the names of the features of an input; x0, x1, ... if they have none.

    Parameters
    ----------
    part : NumberInput or TableInput
    opened : Opened or OpenedTable
        Samples.
    lineage : Lineage
    """
    made = _names_out(lineage.transformers)
    if isinstance(part, TableInput):
        # The columns of an array are named by their numbers.
        candidates = made, None if part.is_sparse else part.names
    else:
        candidates = opened.form.names, lineage.names, made
    for names in candidates:
        if names is not None and len(names) == part.n_features:
            return [str(name) for name in names]
    return [f"x{j}" for j in range(part.n_features)]


def _names_out(transformers):
    """Return the names that transformers give to what they return, or None."""
    names = None
    for transformer in transformers:
        names = _names_out_of(transformer, names)
    return names


def _names_out_of(transformer, names):
    """Return the names a transformer gives to its columns, made of `names` if it can; or None."""
    for names_in in (names, None):
        try:
            return transformer.get_feature_names_out(names_in)
        except (AttributeError, TypeError, ValueError):  # it has none, or not of these
            continue
    return None


def words_of(ids, lineage):
    """Return the words that the ids of one sample stand for; ids, if nothing says which.

    Parameters
    ----------
    ids : ndarray of shape (n_tokens,)
        Without padding.
    lineage : Lineage
    """
    words = []
    if lineage.transformers and len(ids):
        *before, last = lineage.transformers
        with config_context(transform_output="default"):
            last, X = _of_one_column(last, transformed(lineage.X, before))
        if isinstance(last, SequenceVectorizer):
            (words,) = last._read_tokens(X)  # unknown ones, too
        elif hasattr(last, "inverse_transform"):
            (words,) = last.inverse_transform([ids])
    return list(words) if len(words) == len(ids) else [f"{id_}" for id_ in ids]


def _of_one_column(transformer, X):
    """Return the transformer that a ColumnTransformer has alone, and what it is given of X."""
    while isinstance(transformer, ColumnTransformer):
        parts = [
            (part, columns)
            for _, part, columns in transformer.transformers_
            if not isinstance(part, str)
        ]
        if len(parts) != 1:
            break
        ((transformer, columns),) = parts
        *before, transformer = steps_of(transformer)
        X = transformed(take_columns(X, select(X, columns)).container, before)
    return transformer, X
