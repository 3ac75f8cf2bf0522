"""Word vectors of any source: files, other libraries, mappings; and those of a vocabulary."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from skgru._data.arrays import describe
from skgru._data.vector_files import read_vector_file

SOURCES = (
    "the path of a file (GloVe, word2vec, fastText's .vec), a mapping of words to arrays, gensim's "
    "KeyedVectors, a model, vocab or vectors of spaCy, a DataFrame whose index holds the words, or "
    "WordVectors"
)
# How many words are named in errors.
_N_NAMED = 3


class WordVectors:
    """Word vectors as plain arrays, to be had once for many fits.

    It is what :func:`read_word_vectors` returns, and can be made of any words and their vectors.
    ``word in vectors``, ``vectors[word]`` and ``for word in vectors`` do what they do with a dict.

    It cannot be changed. Clones of an estimator, as cross-validation and searches make them, have
    it in common.

    Parameters
    ----------
    words : iterable of str
        The words, each of them once.

    matrix : array-like of shape (n_words, n_dimensions)
        The vector of each word.

    Attributes
    ----------
    words : tuple of str
        The words, in their order.

    matrix : ndarray of shape (n_words, n_dimensions), dtype=float32
        The vectors; they cannot be written to.

    Raises
    ------
    TypeError
        If a word is no string.
    ValueError
        If a word stands there twice, or if there is not one vector for each of them, of finite
        numbers.

    See Also
    --------
    read_word_vectors : Read word vectors of a file, or of an object of another library.

    Examples
    --------
    >>> from skgru import WordVectors
    >>> vectors = WordVectors(["good", "bad"], [[1.0, 0.0], [-1.0, 0.5]])
    >>> vectors
    WordVectors(2 words, 2 dimensions)
    >>> vectors["bad"]
    array([-1. ,  0.5], dtype=float32)
    >>> "ugly" in vectors
    False
    """

    def __init__(self, words: Iterable[str], matrix: Any) -> None:
        self._set(tuple(words), np.array(matrix, np.float32))
        for word in self.words:
            if not isinstance(word, str):
                raise TypeError(f"Expected strings as words, got {word!r:.50}, {describe(word)}.")
        if self.matrix.ndim != 2 or len(self.matrix) != len(self.words) or not self.matrix.size:
            raise ValueError(
                "Expected words, and a matrix with a row for each of them, got "
                f"{len(self.words)} words and shape {self.matrix.shape}."
            )
        if len(self._rows) < len(self.words):
            twice = next(word for row, word in enumerate(self.words) if self._rows[word] != row)
            raise ValueError(f"Expected each word once, got {twice!r} more than once.")
        is_finite = np.isfinite(self.matrix).all(axis=1)
        if not is_finite.all():
            _refuse_infinite(self.words[int(np.argmin(is_finite))])

    def _set(self, words: tuple[str, ...], matrix: NDArray[np.float32]) -> None:
        self.words, self.matrix = words, matrix
        self.matrix.flags.writeable = False
        self._rows = {word: row for row, word in enumerate(words)}

    @classmethod
    def _of(cls, words: Iterable[str], matrix: NDArray[np.float32]) -> WordVectors:
        """Return the vectors of words that are known to fit, without a copy."""
        vectors = cls.__new__(cls)
        vectors._set(tuple(words), matrix)
        return vectors

    def __contains__(self, word: object) -> bool:
        return word in self._rows

    def __getitem__(self, word: str) -> NDArray[np.float32]:
        vector: NDArray[np.float32] = self.matrix[self._rows[word]]
        return vector

    # Without a length: NumPy, and scikit-learn's searches by it, would take it for a list of words.
    def __iter__(self) -> Iterator[str]:
        return iter(self.words)

    def __repr__(self) -> str:
        n_words, n_dimensions = self.matrix.shape
        return f"WordVectors({n_words:,} words, {n_dimensions} dimensions)"

    def __deepcopy__(self, memo: Any) -> WordVectors:
        return self  # also by scikit-learn's `clone` of an estimator

    def __reduce__(self) -> tuple[Any, ...]:
        return WordVectors._of, (self.words, self.matrix)


def read_word_vectors(
    source: Any, words: Iterable[str] | None = None, *, limit: int | None = None
) -> WordVectors:
    r"""Read word vectors, to be had once for many fits, or to be looked at.

    A network reads those of the words that it needs by itself, at each fit: give its
    `embedding_matrix` the `source`. What is read once is faster where there are many fits, in
    cross-validation and searches.

    Parameters
    ----------
    source : str, path-like or object
        A file: that of GloVe, of word2vec (as text or binary) or fastText's ``.vec``, as it is or
        compressed (gzip, bzip2, xz), or in a zip archive. Where that has several, a path goes on
        behind the archive: ``"glove.6B.zip/glove.6B.100d.txt"``. Or an object: a mapping of words
        to arrays, gensim's ``KeyedVectors`` or model, spaCy's ``nlp``, ``nlp.vocab`` or
        ``nlp.vocab.vectors``, a DataFrame whose index holds the words, anything else with
        ``word in source`` and ``source[word]``.

    words : iterable of str, default=None
        The words whose vectors are kept, such as the `vocabulary_` of a
        :class:`SequenceVectorizer`. Of each one, those in other cases are kept too, as a network
        looks for them: "paris", "Paris", "PARIS". A file is read row by row, and takes memory for
        these words alone. None: all.

    limit : int, default=None
        Keep no more than the first `limit` rows of a file, or words of another source: most have
        frequent words first. None: all.

    Returns
    -------
    vectors : WordVectors
        The words found and their vectors, in the order of the file, or of `words`.

    Raises
    ------
    OSError
        If there is no such file.
    TypeError
        If `source` is nothing that has word vectors, or does not say which words it has and `words`
        is None.
    ValueError
        If a file is none of word vectors, is not complete, or has a row with another number of
        values; if there are none of the words; if vectors are not of one length and finite.

    See Also
    --------
    SequenceVectorizer.embedding_matrix : The matrix of word vectors for a vocabulary.

    Examples
    --------
    >>> import os, tempfile
    >>> from skgru import read_word_vectors
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "vectors.txt")
    ...     with open(path, "w") as file:
    ...         n = file.write("good 1.0 0.0\nbad -1.0 0.5\nParis 0.0 2.0\n")
    ...     vectors = read_word_vectors(path, ["bad", "paris"])
    >>> vectors.words
    ('bad', 'Paris')
    >>> vectors["bad"]
    array([-1. ,  0.5], dtype=float32)
    """
    if limit is not None and limit < 1:
        raise ValueError(f"limit: expected a number of words, at least 1, or None, got {limit!r}.")
    wanted = None if words is None else _with_forms(words)
    if wanted is not None and not wanted:
        raise ValueError("words: expected at least one word, or None for all, got none.")
    if is_path(source):
        read = read_vector_file(source, wanted, limit=limit)
        if not read.words:
            raise ValueError(_none_of_the_words(f"{source}", wanted or (), read.first_words))
        return WordVectors._of(read.words, read.matrix)
    table = _table_of(source)
    names = _words_of(table) if wanted is None else wanted
    found = {word: table[word] for word in islice((n for n in names if n in table), limit)}
    if not found:
        raise ValueError(_none_of_the_words("source", names, ()))
    return WordVectors(list(found), _stack(found))


def find_vectors(source: Any, words: Iterable[str], name: str) -> dict[str, NDArray[np.float32]]:
    """Return the vectors of those words that have one.

    A word that has none by itself has that of the same word in lower case, with a capital or in
    capitals, whichever is first found in this order.

    Parameters
    ----------
    source : object
        See `read_word_vectors`.
    words : iterable of str
    name : str
        Of the source in errors.

    Raises
    ------
    ValueError
        If there are none, or if the vectors are not one-dimensional, of one length and finite.
    """
    words = list(words)
    first_words: Iterable[str] = ()
    if is_path(source):
        read = read_vector_file(source, _with_forms(words))
        first_words, name = read.first_words, f"{name}, {os.fspath(source)},"
        table: Any = dict(zip(read.words, read.matrix, strict=True))
    else:
        table = _table_of(source)
    found = {}
    for word in words:
        form = next((form for form in _forms_of(word) if form in table), None)
        if form is not None:
            found[word] = table[form]
    if not found:
        raise ValueError(_none_of_the_words(name, words, first_words))
    return dict(zip(found, _stack(found), strict=True))


# --- Sources --------------------------------------------------------------------------------------


def is_path(source: Any) -> bool:
    """Whether a source is the path of a file."""
    return isinstance(source, str | os.PathLike)


def has_words(source: Any) -> bool:
    """Whether something is word vectors by words, not a matrix whose rows are known by ids."""
    if is_path(source) or isinstance(source, WordVectors | Mapping):
        return True
    if hasattr(source, "iloc"):
        return all(isinstance(word, str) for word in source.index[:1])
    return not (hasattr(source, "__array__") or isinstance(source, list | tuple))


def is_source(source: Any) -> bool:
    """Whether `find_vectors` takes something, as far as its kind says it."""
    if is_path(source) or hasattr(source, "iloc"):
        return True
    try:
        _table_of(source)
    except TypeError:
        return False
    return True


class _SpacyVocab:
    """The vocab of a model of spaCy, as a table by words."""

    def __init__(self, vocab: Any) -> None:
        self._vocab = vocab

    def __contains__(self, word: str) -> bool:
        return bool(self._vocab.has_vector(word))

    def __getitem__(self, word: str) -> Any:
        return self._vocab.get_vector(word)


class _SpacyVectors:
    """A table of vectors of spaCy, in which words are known by their hashes."""

    def __init__(self, vectors: Any) -> None:
        self._vectors = vectors

    def __contains__(self, word: str) -> bool:
        return self._vectors.strings[word] in self._vectors

    def __getitem__(self, word: str) -> Any:
        return self._vectors[self._vectors.strings[word]]


def _table_of(source: Any) -> Any:
    """Return an object with ``word in table`` and ``table[word]``.

    Raises
    ------
    TypeError
        If the source is nothing of which one can be made.
    """
    if isinstance(source, WordVectors | Mapping):
        return source
    if hasattr(source, "iloc"):
        is_frame = len(source.shape) == 2
        return WordVectors(source.index, source.to_numpy()) if is_frame else source
    for each in (source, getattr(source, "vocab", None)):
        if hasattr(each, "has_vector") and hasattr(each, "get_vector"):
            return _SpacyVocab(each)
    if hasattr(source, "key2row") and hasattr(source, "strings"):
        return _SpacyVectors(source)
    source = getattr(source, "wv", source)  # a model of gensim
    if hasattr(source, "__contains__") and hasattr(source, "__getitem__"):
        return source
    raise TypeError(f"Expected {SOURCES}, got {describe(source)}.")


def _words_of(table: Any) -> Iterable[str]:
    """Return all words of a table."""
    if isinstance(table, WordVectors | Mapping):
        return table
    words: Iterable[str] | None = getattr(table, "index_to_key", None)  # of gensim
    if words is None:
        raise TypeError(
            f"{describe(table)} does not say which words it has: expected words, such as the "
            "vocabulary_ of a SequenceVectorizer."
        )
    return words


# --- Words ----------------------------------------------------------------------------------------


def _forms_of(word: str) -> dict[str, None]:
    """Return a word as it is, in lower case, with a capital, and in capitals."""
    return dict.fromkeys((word, word.lower(), word.capitalize(), word.upper()))


def _with_forms(words: Iterable[str]) -> dict[str, None]:
    """Return words and their other forms."""
    if isinstance(words, str):
        raise TypeError(f"Expected an iterable of words, got the string {words!r:.50}.")
    words = list(words)
    for word in words:
        if not isinstance(word, str):
            raise TypeError(f"Expected strings as words, got {word!r:.50}, {describe(word)}.")
    return {form: None for word in words for form in _forms_of(word)}


def _stack(found: Mapping[str, Any]) -> NDArray[np.float32]:
    """Return vectors as a matrix, if they are one-dimensional, of one length and finite."""
    vectors = {}
    for word, vector in found.items():
        try:
            vectors[word] = np.asarray(vector, np.float32)
        except (TypeError, ValueError):
            raise ValueError(
                f"Word vectors must be arrays of numbers, got {vector!r:.50} for {word!r}."
            ) from None
    first, shape = next((word, vector.shape) for word, vector in vectors.items())
    for word, vector in vectors.items():
        if vector.ndim != 1:
            raise ValueError(
                f"Word vectors must be one-dimensional, got shape {vector.shape} for {word!r}."
            )
        if not vector.size:
            raise ValueError(f"Word vectors must hold numbers, got an empty one for {word!r}.")
        if vector.shape != shape:
            raise ValueError(
                f"Word vectors must be of one length, got {shape[0]} for {first!r} and "
                f"{len(vector)} for {word!r}."
            )
        if not np.isfinite(vector).all():
            _refuse_infinite(word)
    return np.stack(list(vectors.values()))


def _refuse_infinite(word: str) -> NoReturn:
    raise ValueError(f"Word vectors must be finite, got NaN or infinity for {word!r}.")


def _none_of_the_words(name: str, words: Iterable[str], first_words: Iterable[str]) -> str:
    """Return what is said where no word has a vector."""
    begins = f"; it begins with {_named(first_words)}" if first_words else ""
    return f"{name} has none of the words of the vocabulary, such as {_named(words)}{begins}."


def _named(words: Iterable[str]) -> str:
    return ", ".join(f"{word!r:.50}" for word in islice(words, _N_NAMED))
