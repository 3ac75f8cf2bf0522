"""Scores of tagged sequences: the entities that BIO, BIOES or BILOU tags mark, counted."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from numbers import Integral, Real
from typing import Any, Literal, NamedTuple, NoReturn, TypeVar, overload

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import precision_recall_fscore_support

from skgru._compat import Interval, Options, StrOptions, validate_params
from skgru._data.arrays import as_array, describe, is_missing
from skgru._data.forms import is_sequence
from skgru._data.targets import parts_of
from skgru._hints import hint_at_value
from skgru._types import ArrayLike, Average, Scheme

__all__ = [
    "Entity",
    "count_invalid_transitions",
    "entity_f1_score",
    "entity_precision_recall_fscore_support",
    "entity_precision_score",
    "entity_recall_score",
    "entity_report",
    "find_entities",
]

# The prefixes of each scheme; without one, those of all.
_PREFIXES = {"BIO": "BI", "BIOES": "BIES", "BILOU": "BILU", None: "BIESLU"}
_AS_BIOES = str.maketrans("LU", "ES")
_TAG = re.compile(r"([A-Z])(?:-(\S(?:.*\S)?))?", re.DOTALL)
_MEANT = re.compile(r"([A-Za-z])[-_ .](.+)")
# The type of an entity whose tags have none, "B" and "I": that of seqeval.
_NO_TYPE = "_"

_Metric = TypeVar("_Metric", bound=Callable[..., Any])

_SCHEME = [StrOptions({"BIO", "BIOES", "BILOU"}), None]
_CONSTRAINTS = {
    "y_true": "no_validation",  # read in _read
    "y_pred": "no_validation",
    "beta": [Interval(Real, 0.0, None, closed="both")],
    "labels": "no_validation",  # checked in _check_labels
    "average": [StrOptions({"micro", "macro", "weighted"}), None],
    "digits": [Interval(Integral, 0, None, closed="left")],
    "output_dict": ["boolean"],
    "scheme": "no_validation",  # checked in _check_scheme, with a hint
    "zero_division": [Options(Real, {0.0, 1.0}), "nan", StrOptions({"warn"})],
}


def _validated(*names: str) -> Callable[[_Metric], _Metric]:
    """Decorate a metric: its parameters are checked as those of scikit-learn's metrics are."""
    constraints = {name: _CONSTRAINTS[name] for name in ("y_true", "y_pred", *names)}
    return validate_params(constraints, prefer_skip_nested_validation=True)


class Entity(NamedTuple):
    """An entity of a tagged sequence.

    Attributes
    ----------
    type : str
        What its tags have behind the prefix: "PER" of "B-PER"; "_" if they have nothing.
    start, stop : int
        Its first step, and the one after its last.
    """

    type: str
    start: int
    stop: int


# --- Scores ------------------------------------------------------------------------------------


@overload
def entity_precision_recall_fscore_support(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    beta: float = ...,
    labels: ArrayLike | None = ...,
    average: None = ...,
    scheme: Scheme | None = ...,
    zero_division: float | Literal["warn"] = ...,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.intp]]: ...


@overload
def entity_precision_recall_fscore_support(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    beta: float = ...,
    labels: ArrayLike | None = ...,
    average: Average,
    scheme: Scheme | None = ...,
    zero_division: float | Literal["warn"] = ...,
) -> tuple[float, float, float, None]: ...


@_validated("beta", "labels", "average", "scheme", "zero_division")
def entity_precision_recall_fscore_support(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    beta: float = 1.0,
    labels: ArrayLike | None = None,
    average: Average | None = None,
    scheme: Scheme | None = None,
    zero_division: float | Literal["warn"] = "warn",
) -> tuple[Any, Any, Any, NDArray[np.intp] | None]:
    """Compute precision, recall, F-score and support of the entities of tagged sequences.

    An entity is right if its type, its first and its last step are. Precision is the share of the
    predicted entities that are right, recall that of the true ones that are found, and the F-score
    their weighted harmonic mean. Support is the number of true entities.

    Parameters
    ----------
    y_true, y_pred : list, Series, column or object array of lists or arrays, or array (n, T)
        The true and the predicted tags of each sequence, a text for each step: "O", or a prefix and
        a type, such as "B-PER". Of one length for each sequence, which may be 0.

    beta : float, default=1.0
        The weight of recall in the F-score.

    labels : array-like of str, default=None
        The types that count, and their order. None: all that occur, in alphabetical order.

    average : {'micro', 'macro', 'weighted'} or None, default=None
        None: the scores of each type. 'micro': those of all entities, whatever their type. 'macro':
        the mean over the types. 'weighted': the mean over the types, weighted by support.

    scheme : {'BIO', 'BIOES', 'BILOU'} or None, default=None
        Which tags make an entity.

        - None: leniently, those that follow one another, as in conlleval [1]_ and by default in
          seqeval [2]_. I- where it continues nothing begins an entity; an entity without an end
          counts too. L- and U- mean E- and S-.
        - A scheme: strictly, only those that are well formed in it, as with ``mode="strict"`` in
          seqeval, where 'BIO' is IOB2 and 'BIOES' IOBES. A tag of another scheme is an error.

    zero_division : {"warn", 0.0, 1.0, np.nan}, default="warn"
        The score where nothing is predicted (precision), true (recall) or either (F-score). "warn"
        is 0 with an :class:`~sklearn.exceptions.UndefinedMetricWarning`; NaN is left out of
        averages.

    Returns
    -------
    precision, recall, fbeta_score : float, or ndarray of shape (n_types,) if `average` is None

    support : None, or ndarray of int of shape (n_types,) if `average` is None

    Raises
    ------
    ValueError, TypeError
        If a tag is missing, no text or none of the scheme, a sequence has not as many tags in
        `y_pred` as in `y_true`, or a parameter is not understood.

    See Also
    --------
    entity_report : All of these scores as a text or dict.
    sklearn.metrics.precision_recall_fscore_support : The same of samples.

    References
    ----------
    .. [1] E. F. Tjong Kim Sang, S. Buchholz. "Introduction to the CoNLL-2000 shared task:
       chunking". CoNLL 2000.
    .. [2] H. Nakayama. "seqeval: a Python framework for sequence labeling evaluation". 2018.

    Examples
    --------
    >>> from skgru.metrics import entity_precision_recall_fscore_support
    >>> y_true = [["B-PER", "I-PER", "O", "B-LOC"], ["B-LOC", "O"]]
    >>> y_pred = [["B-PER", "I-PER", "O", "B-LOC"], ["B-PER", "O"]]
    >>> precision, recall, f1, support = entity_precision_recall_fscore_support(y_true, y_pred)
    >>> precision, recall, support  # of LOC and PER
    (array([1. , 0.5]), array([0.5, 1. ]), array([2, 1]))
    >>> f1.round(3)
    array([0.667, 0.667])
    """
    return _scores(y_true, y_pred, labels, average, scheme, zero_division, beta=beta)


@overload
def entity_precision_score(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    labels: ArrayLike | None = ...,
    average: Average = ...,
    scheme: Scheme | None = ...,
    zero_division: float | Literal["warn"] = ...,
) -> float: ...


@overload
def entity_precision_score(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    labels: ArrayLike | None = ...,
    average: None,
    scheme: Scheme | None = ...,
    zero_division: float | Literal["warn"] = ...,
) -> NDArray[np.float64]: ...


@_validated("labels", "average", "scheme", "zero_division")
def entity_precision_score(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    labels: ArrayLike | None = None,
    average: Average | None = "micro",
    scheme: Scheme | None = None,
    zero_division: float | Literal["warn"] = "warn",
) -> float | NDArray[np.float64]:
    """Compute the share of the predicted entities that are right: in type, start and end.

    Parameters
    ----------
    y_true, y_pred, labels, average, scheme, zero_division
        As for `entity_precision_recall_fscore_support`, but `average` is 'micro' by default: the
        share among all entities.

    Returns
    -------
    float, or ndarray of shape (n_types,) if `average` is None

    Raises
    ------
    ValueError, TypeError
        As `entity_precision_recall_fscore_support`.

    Examples
    --------
    >>> from skgru.metrics import entity_precision_score
    >>> entity_precision_score([["B-PER", "I-PER", "O", "O"]], [["B-PER", "I-PER", "O", "B-LOC"]])
    0.5
    """
    scores = _scores(
        y_true, y_pred, labels, average, scheme, zero_division, warn_for=("precision",)
    )
    return scores[0]


@overload
def entity_recall_score(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    labels: ArrayLike | None = ...,
    average: Average = ...,
    scheme: Scheme | None = ...,
    zero_division: float | Literal["warn"] = ...,
) -> float: ...


@overload
def entity_recall_score(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    labels: ArrayLike | None = ...,
    average: None,
    scheme: Scheme | None = ...,
    zero_division: float | Literal["warn"] = ...,
) -> NDArray[np.float64]: ...


@_validated("labels", "average", "scheme", "zero_division")
def entity_recall_score(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    labels: ArrayLike | None = None,
    average: Average | None = "micro",
    scheme: Scheme | None = None,
    zero_division: float | Literal["warn"] = "warn",
) -> float | NDArray[np.float64]:
    """Compute the share of the true entities that are found: with type, start and end.

    Parameters
    ----------
    y_true, y_pred, labels, average, scheme, zero_division
        As for `entity_precision_recall_fscore_support`, but `average` is 'micro' by default: the
        share among all entities.

    Returns
    -------
    float, or ndarray of shape (n_types,) if `average` is None

    Raises
    ------
    ValueError, TypeError
        As `entity_precision_recall_fscore_support`.

    Examples
    --------
    >>> from skgru.metrics import entity_recall_score
    >>> entity_recall_score([["B-PER", "I-PER", "O", "O"]], [["B-PER", "I-PER", "O", "B-LOC"]])
    1.0
    """
    scores = _scores(y_true, y_pred, labels, average, scheme, zero_division, warn_for=("recall",))
    return scores[1]


@overload
def entity_f1_score(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    labels: ArrayLike | None = ...,
    average: Average = ...,
    scheme: Scheme | None = ...,
    zero_division: float | Literal["warn"] = ...,
) -> float: ...


@overload
def entity_f1_score(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    labels: ArrayLike | None = ...,
    average: None,
    scheme: Scheme | None = ...,
    zero_division: float | Literal["warn"] = ...,
) -> NDArray[np.float64]: ...


@_validated("labels", "average", "scheme", "zero_division")
def entity_f1_score(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    labels: ArrayLike | None = None,
    average: Average | None = "micro",
    scheme: Scheme | None = None,
    zero_division: float | Literal["warn"] = "warn",
) -> float | NDArray[np.float64]:
    """Compute the F1 of entities, the harmonic mean of their precision and recall.

    It is the usual measure of a tagger: ``make_scorer(entity_f1_score)`` is a scorer for
    cross-validation and searches.

    Parameters
    ----------
    y_true, y_pred, labels, average, scheme, zero_division
        As for `entity_precision_recall_fscore_support`, but `average` is 'micro' by default: the
        F1 of all entities.

    Returns
    -------
    float, or ndarray of shape (n_types,) if `average` is None

    Raises
    ------
    ValueError, TypeError
        As `entity_precision_recall_fscore_support`.

    Examples
    --------
    >>> from skgru.metrics import entity_f1_score
    >>> y_true = [["B-PER", "I-PER", "O", "B-LOC"]]
    >>> entity_f1_score(y_true, [["B-PER", "I-PER", "O", "O"]])
    0.666...

    An entity whose last step is not found is wrong:

    >>> entity_f1_score(y_true, [["B-PER", "O", "O", "B-LOC"]])
    0.5
    """
    scores = _scores(y_true, y_pred, labels, average, scheme, zero_division, warn_for=("f-score",))
    return scores[2]


@overload
def entity_report(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    labels: ArrayLike | None = ...,
    digits: int = ...,
    output_dict: Literal[False] = ...,
    scheme: Scheme | None = ...,
    zero_division: float | Literal["warn"] = ...,
) -> str: ...


@overload
def entity_report(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    labels: ArrayLike | None = ...,
    digits: int = ...,
    output_dict: Literal[True],
    scheme: Scheme | None = ...,
    zero_division: float | Literal["warn"] = ...,
) -> dict[str, Any]: ...


@_validated("labels", "digits", "output_dict", "scheme", "zero_division")
def entity_report(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    labels: ArrayLike | None = None,
    digits: int = 2,
    output_dict: bool = False,
    scheme: Scheme | None = None,
    zero_division: float | Literal["warn"] = "warn",
) -> str | dict[str, Any]:
    """Build a report of the scores of entities: of each type, and on average.

    Parameters
    ----------
    y_true, y_pred, labels, scheme, zero_division
        As for `entity_precision_recall_fscore_support`.

    digits : int, default=2
        The number of decimal places of the text.

    output_dict : bool, default=False
        Whether to return a dict rather than a text.

    Returns
    -------
    report : str or dict
        Precision, recall, F1 and support of each type, and their averages ('micro', 'macro' and
        'weighted'); below, the numbers of invalid transitions (`count_invalid_transitions`) in
        `y_pred` and, if there are any, in `y_true`. They are those of `scheme`; if that is None, of
        BIO where all tags are of BIO, else of BIOES.

        The dict has the keys of `sklearn.metrics.classification_report`, and "invalid transitions",
        a dict of the numbers in "y_true" and "y_pred".

    Raises
    ------
    ValueError, TypeError
        As `entity_precision_recall_fscore_support`.

    See Also
    --------
    sklearn.metrics.classification_report : The same of samples.

    Examples
    --------
    >>> from skgru.metrics import entity_report
    >>> y_true = [["B-PER", "I-PER", "O", "B-LOC"], ["B-LOC", "O"]]
    >>> y_pred = [["B-PER", "I-PER", "O", "I-LOC"], ["B-PER", "O"]]
    >>> print(entity_report(y_true, y_pred))
                  precision    recall  f1-score   support
    <BLANKLINE>
             LOC       1.00      0.50      0.67         2
             PER       0.50      1.00      0.67         1
    <BLANKLINE>
       micro avg       0.67      0.67      0.67         3
       macro avg       0.75      0.75      0.67         3
    weighted avg       0.83      0.67      0.67         3
    <BLANKLINE>
    invalid transitions in y_pred: 1
    <BLANKLINE>
    """
    true, pred = _read_both(y_true, y_pred, scheme)
    types, counts = _count(true, pred, scheme, labels)
    *scores, support = _score(types, counts, None, zero_division)
    rows = {kind: row for kind, *row in zip(types, *scores, support, strict=True)}
    for average in ("micro", "macro", "weighted"):
        *scores, _ = _score(types, counts, average, zero_division)
        rows[f"{average} avg"] = [*scores, support.sum()]
    has_ends = scheme != "BIO" if scheme else any(tags.has("ES").any() for tags in (true, pred))
    invalid = {
        "y_true": _count_invalid(true, has_ends),
        "y_pred": _count_invalid(pred, has_ends),
    }
    if output_dict:
        names = ("precision", "recall", "f1-score")
        report = {
            name: {**dict(zip(names, map(float, scores), strict=True)), "support": int(n)}
            for name, (*scores, n) in rows.items()
        }
        return {**report, "invalid transitions": invalid}
    return _as_text(rows, len(types), invalid, digits)


def count_invalid_transitions(y: ArrayLike, *, scheme: Scheme = "BIO") -> int:
    """Count the tags that cannot follow the one before them in their sequence.

    In any scheme, I-, E- and L- have to follow B- or I- of the same type: elsewhere, also at the
    start of a sequence, they are counted. In BIOES and BILOU, an entity has to be ended by E- or
    L-: a tag that breaks it off is counted too, and so is a sequence that ends within it.

    Parameters
    ----------
    y : list, Series, column or object array of lists or arrays, or array of shape (n, T)
        The tags of each sequence.

    scheme : {'BIO', 'BIOES', 'BILOU'}, default='BIO'

    Returns
    -------
    int

    Raises
    ------
    ValueError, TypeError
        If a tag is missing, no text or none of the scheme.

    Examples
    --------
    >>> from skgru.metrics import count_invalid_transitions
    >>> count_invalid_transitions([["I-PER", "O", "B-LOC", "I-PER"], ["B-PER", "I-PER"]])
    2
    """
    _check_scheme(scheme, may_be_none=False)
    return _count_invalid(_read(y, "y", scheme), scheme != "BIO")


def find_entities(y: ArrayLike, *, scheme: Scheme | None = None) -> list[list[Entity]]:
    """Find the entities of tagged sequences.

    Parameters
    ----------
    y : list, Series, column or object array of lists or arrays, or array of shape (n, T)
        The tags of each sequence.

    scheme : {'BIO', 'BIOES', 'BILOU'} or None, default=None
        Which tags make an entity, as for `entity_precision_recall_fscore_support`.

    Returns
    -------
    list of n lists of Entity
        ``(type, start, stop)`` of the entities of each sequence in their order; the steps of one
        are ``start`` to ``stop - 1``.

    Raises
    ------
    ValueError, TypeError
        If a tag is missing, no text or none of the scheme.

    Examples
    --------
    >>> from skgru.metrics import find_entities
    >>> [entities] = find_entities([["B-PER", "I-PER", "O", "I-LOC"]])
    >>> entities
    [Entity(type='PER', start=0, stop=2), Entity(type='LOC', start=3, stop=4)]
    >>> find_entities([["B-PER", "I-PER", "O", "I-LOC"]], scheme="BIO")
    [[Entity(type='PER', start=0, stop=2)]]
    """
    _check_scheme(scheme)
    tags = _read(y, "y", scheme)
    first, last = _spans(tags, scheme)
    owners = np.searchsorted(tags.starts, first, side="right") - 1
    offsets = tags.starts[owners]
    spans = zip(tags.types_of(first), first - offsets, last + 1 - offsets, strict=True)
    entities: list[list[Entity]] = [[] for _ in tags.starts]
    for owner, (kind, start, stop) in zip(owners, spans, strict=True):
        entities[owner].append(Entity(kind, int(start), int(stop)))
    return entities


# --- Tags --------------------------------------------------------------------------------------


class _Tags(NamedTuple):
    """The tags of all sequences, one after the other, with an O before each and behind the last.

    So the O's say what the start and the end of a sequence say, and no step is a special case.

    Attributes
    ----------
    prefixes : ndarray of str of shape (total steps + n + 1,)
        O, B, I, E and S; L and U have become E and S.
    kinds : ndarray of int of the same shape
        The type of each, an index of `types`.
    types : list of str
    starts : ndarray of shape (n,)
        The place of the first step of each sequence.
    lengths : ndarray of shape (n,)
    """

    prefixes: np.ndarray
    kinds: np.ndarray
    types: list[str]
    starts: np.ndarray
    lengths: np.ndarray

    def has(self, prefixes: str) -> NDArray[Any]:
        """Return which tags have one of some prefixes."""
        return np.isin(self.prefixes, list(prefixes))

    def types_of(self, places: NDArray[Any]) -> list[str]:
        """Return the types of the tags at some places as a list."""
        return [self.types[kind] for kind in self.kinds[places]]

    def continues(self) -> NDArray[Any]:
        """Return which tags, from the second on, continue the entity of the tag before."""
        is_same = self.kinds[1:] == self.kinds[:-1]
        return self.has("BI")[:-1] & self.has("IE")[1:] & is_same


def _spans(tags: _Tags, scheme: Scheme | None) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the places of the first and of the last tag of each entity.

    Entities are the runs of tags that continue one another; in a scheme, those of them only that
    begin and end as they should.
    """
    continues, inside = tags.continues(), ~tags.has("O")
    first = np.flatnonzero(inside[1:] & ~continues) + 1
    last = np.flatnonzero(inside[:-1] & ~continues)
    if scheme is None:
        return first, last
    is_well_formed = tags.has("BS")[first]
    if scheme != "BIO":
        is_well_formed &= tags.has("ES")[last]
    return first[is_well_formed], last[is_well_formed]


def _count_invalid(tags: _Tags, has_ends: bool) -> int:
    """Return the number of tags that cannot follow the one before."""
    has_to_match = tags.has("IE")[1:]
    if has_ends:
        has_to_match |= tags.has("BI")[:-1]
    return int(np.count_nonzero(has_to_match & ~tags.continues()))


def _check_scheme(scheme: Any, may_be_none: bool = True) -> None:
    schemes = [name for name in _PREFIXES if may_be_none or name is not None]
    if scheme not in schemes:
        hint = hint_at_value("scheme", scheme, {"scheme": _SCHEME[: 1 + may_be_none]})
        raise ValueError(f"Expected scheme to be one of {schemes}, got {scheme!r}.{hint}")


def _read_both(y_true: ArrayLike, y_pred: ArrayLike, scheme: Scheme | None) -> tuple[_Tags, _Tags]:
    """Return the tags of both, which belong to the same steps."""
    _check_scheme(scheme)
    true, pred = _read(y_true, "y_true", scheme), _read(y_pred, "y_pred", scheme)
    if len(true.lengths) != len(pred.lengths):
        raise ValueError(
            f"Expected tags of {len(true.lengths)} sequences in y_pred, as in y_true, got "
            f"{len(pred.lengths)}."
        )
    differ = np.flatnonzero(true.lengths != pred.lengths)
    if len(differ):
        i = differ[0]
        raise ValueError(
            f"Expected {true.lengths[i]} tags for sequence {i} in y_pred, as in y_true, got "
            f"{pred.lengths[i]}."
        )
    return true, pred


def _read(y: ArrayLike, name: str, scheme: Scheme | None) -> _Tags:
    """Return the tags of all sequences."""
    parts = [_read_part(part, i, name) for i, part in enumerate(parts_of(y, name))]
    lengths = np.array([len(part) for part in parts], int)
    starts = np.cumsum(lengths + 1) - lengths
    tags = ["O"]
    for part in parts:
        tags += part
        tags.append("O")
    is_text = all(issubclass(kind, str) for kind in set(map(type, tags)))
    distinct = dict.fromkeys(tags) if is_text else {}
    parsed = {tag: found for tag in distinct if (found := _parse(tag, scheme)) is not None}
    if not is_text or len(parsed) < len(distinct):
        _refuse_tag(parts, name, scheme)
    types = {kind: k for k, kind in enumerate(dict.fromkeys(kind for _, kind in parsed.values()))}
    code_of = {tag: code for code, tag in enumerate(parsed)}
    codes = np.fromiter(map(code_of.__getitem__, tags), int, len(tags))
    prefixes = np.array([prefix for prefix, _ in parsed.values()])
    kinds = np.array([types[kind] for _, kind in parsed.values()])
    return _Tags(prefixes[codes], kinds[codes], list(types), starts, lengths)


def _read_part(part: Any, i: int, name: str) -> list[Any]:
    """Return the tags of sequence i as a list."""
    if isinstance(part, list | tuple):
        return list(part)
    if not is_sequence(part):
        hint = ": a single sequence is given as [y]" if isinstance(part, str) else ""
        raise TypeError(
            f"Expected a list or an array of tags for each sequence in {name}, got "
            f"{describe(part)} as sequence {i}{hint}."
        )
    tags = as_array(part)
    if tags.ndim != 1:
        raise ValueError(
            f"Expected one tag for each step, got {describe(tags)} as sequence {i} of {name}."
        )
    return tags.tolist()


def _parse(tag: Any, scheme: Scheme | None) -> tuple[str, Any] | None:
    """Return the prefix and the type of a tag, None if it is none of the scheme."""
    if tag == "O":
        return "O", None
    match = _TAG.fullmatch(tag)
    if match is None or match[1] not in _PREFIXES[scheme]:
        return None
    return match[1].translate(_AS_BIOES), match[2] or _NO_TYPE


def _refuse_tag(parts: list[list[Any]], name: str, scheme: Scheme | None) -> NoReturn:
    """Raise the error of the first tag that is none of the scheme."""
    places = ((i, t, tag) for i, part in enumerate(parts) for t, tag in enumerate(part))
    i, t, tag = next(
        (i, t, tag)
        for i, t, tag in places
        if not isinstance(tag, str) or _parse(tag, scheme) is None
    )
    prefixes = ", ".join(f"{prefix}-" for prefix in _PREFIXES[scheme])
    of_scheme = f" of {scheme}" if scheme else ""
    hint = ""
    if is_missing(tag):
        hint = " Entities are those of whole sequences: leave out sequences of which tags miss."
    elif isinstance(tag, str) and not _parse(tag, None):
        parts_of_tag = _MEANT.fullmatch(tag.strip())
        meant = parts_of_tag and f"{parts_of_tag[1].upper()}-{parts_of_tag[2]}"
        hint = f" Did you mean {meant!r}?" if meant and _parse(meant, scheme) else ""
    elif isinstance(tag, str):
        hint = f" Did you mean scheme={'BILOU' if tag[0] in 'LU' else 'BIOES'!r}?"
    error = ValueError if isinstance(tag, str) else TypeError
    raise error(
        f"Expected tags{of_scheme}, 'O' or one of {prefixes} with a type ('B-PER'), got "
        f"{tag!r:.50} at step {t} of sequence {i} of {name}.{hint}"
    )


# --- Counts ------------------------------------------------------------------------------------


def _count(
    true: _Tags, pred: _Tags, scheme: Scheme | None, labels: ArrayLike | None
) -> tuple[list[str], NDArray[Any]]:
    """Return the types that count, and of each the numbers of right, predicted and true entities.

    Returns
    -------
    types : list of str
    counts : ndarray of shape (3, n_types)
    """
    first, last = _spans(true, scheme)
    first_of_pred, last_of_pred = _spans(pred, scheme)
    last_of = np.zeros(len(true.kinds), int)  # of the true entity that begins there; 0 of none
    last_of[first] = last
    shared = first_of_pred[last_of[first_of_pred] == last_of_pred]
    pairs = zip(true.types_of(shared), pred.types_of(shared), strict=True)
    found = [
        Counter(kind for kind, other in pairs if kind == other),
        Counter(pred.types_of(first_of_pred)),
        Counter(true.types_of(first)),
    ]
    occurring = sorted({*found[1], *found[2]})
    types = occurring if labels is None else _check_labels(labels, occurring)
    return types, np.array([[of_type[kind] for kind in types] for of_type in found])


def _check_labels(labels: Any, occurring: Any) -> list[str]:
    """Return the types that the user names as a list."""
    types = [] if isinstance(labels, str) else as_array(labels).ravel().tolist()
    if not types or not all(isinstance(kind, str) for kind in types):
        raise ValueError(f"Expected types of entities as labels, such as ['PER'], got {labels!r}.")
    if len(set(types)) < len(types):
        raise ValueError(f"Expected each type once in labels, got {labels!r}.")
    for kind in types:
        _, found = _parse(kind, None) or (None, None)
        if kind not in occurring and found in occurring:
            raise ValueError(
                f"Expected types of entities as labels, got the tag {kind!r}. Did you mean "
                f"{found!r}?"
            )
    return types


def _scores(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    labels: ArrayLike | None,
    average: Average | None,
    scheme: Scheme | None,
    zero_division: Any,
    **options: Any,
) -> Any:
    """Return precision, recall, F-score and support of the entities of y."""
    types, counts = _count(*_read_both(y_true, y_pred, scheme), scheme, labels)
    return _score(types, counts, average, zero_division, **options)


def _score(
    types: list[str], counts: Any, average: Average | None, zero_division: Any, **options: Any
) -> Any:
    """Return scikit-learn's precision, recall, F-score and support of counts.

    Its samples are weighted here: of each type one that is right, one that is missed and one that
    is too much; and one that is neither true nor predicted, as there may be no others.
    """
    if not types:
        if average is None:
            return np.empty(0), np.empty(0), np.empty(0), np.empty(0, int)
        counts = np.zeros((3, 1), int)
    right, predicted, true = counts
    k = np.arange(len(right))
    none = np.full_like(k, -1)
    *scores, support = precision_recall_fscore_support(
        np.concatenate([k, k, none, [-1]]),
        np.concatenate([k, none, k, [-1]]),
        sample_weight=np.concatenate([right, true - right, predicted - right, [1]]),
        labels=k,
        average=average,
        zero_division=zero_division,
        **options,
    )
    return *scores, None if support is None else support.astype(int)


def _as_text(rows: dict[str, Any], n_types: int, invalid: Any, digits: int) -> str:
    """Return the report in the layout of scikit-learn's."""
    width = max(*map(len, rows), digits)
    heads = "".join(f" {head:>9}" for head in ("precision", "recall", "f1-score", "support"))
    lines = [f"{'':{width}} {heads}", ""]
    for i, (name, (*scores, support)) in enumerate(rows.items()):
        if i == n_types and n_types:
            lines.append("")
        shown = "".join(f" {score:>9.{digits}f}" for score in scores)
        lines.append(f"{name:>{width}} {shown} {support:>9}")
    lines.append("")
    for name in ("y_true", "y_pred"):
        if name == "y_pred" or invalid[name]:
            lines.append(f"invalid transitions in {name}: {invalid[name]}")
    return "\n".join(lines) + "\n"
