"""Turn text into sequences of integers, the input of a recurrent network; and word vectors."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from functools import partial
from numbers import Integral
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import DTypeLike, NDArray
from sklearn.base import TransformerMixin
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.utils import check_array, check_random_state
from sklearn.utils.validation import check_is_fitted

from skgru._callbacks import as_one_task
from skgru._compat import (
    CallbackSupportMixin,
    HasMethods,
    Interval,
    RealNotInt,
    StrOptions,
    fit_context,
)
from skgru._data.arrays import as_array, describe, is_missing
from skgru._data.ids import UNKNOWN, as_tokens, mark
from skgru._data.row_labels import warn_of_another_order
from skgru._data.scripts import clauses_taken_for_words
from skgru._data.sequences import offsets_of
from skgru._data.word_vectors import WordVectors, find_vectors, read_word_vectors
from skgru._estimator import Estimator, hints_at_names
from skgru._settings import plain
from skgru._types import ArrayLike, Seed, VectorSource
from skgru._warnings import warn

__all__ = ["SequenceVectorizer", "WordVectors", "read_word_vectors"]

_PADDING = 0
_FIRST_WORD = 2
_UNKNOWN_TOKEN = "<unk>"
_TOKEN_PATTERN = r"(?u)\b\w\w+\b"


class SequenceVectorizer(CallbackSupportMixin, TransformerMixin, Estimator):
    r"""Convert a collection of text documents to sequences of token ids.

    Where :class:`~sklearn.feature_extraction.text.CountVectorizer` counts the tokens of a
    document, this transformer keeps their order: element ``i`` of its output holds the ids of the
    tokens of document ``i`` from left to right, as many as there are. With `max_length` it is row
    ``i`` of a matrix of that width instead, in which zeros follow the ids.

    The output says that it holds token ids: `GRUClassifier` and `GRURegressor` embed them without
    being told. It still says so behind an index, ``train_test_split``, cross-validation, joblib and
    pickle; of a matrix of ids, ``np.asarray`` and DataFrames make plain numbers.

    The ids are:

    - ``0``: padding, the end of a row;
    - ``1``: the unknown token, any token that is not in the vocabulary;
    - from ``2`` on: the words of the vocabulary by falling frequency in the training documents,
      equally frequent words in alphabetical order.

    Parameters
    ----------
    analyzer : {'word', 'char'} or callable, default='word'
        Whether a token is a word or a character. A callable is given the raw document and
        returns its tokens; documents may then be anything iterable. 'char' suits text in scripts
        without spaces between words.

    tokenizer : callable, default=None
        Override the splitting of a preprocessed document into tokens.
        Only applies if ``analyzer == 'word'``.

    token_pattern : str or None, default=r"(?u)\b\w\w+\b"
        Regular expression of a token. The default selects tokens of 2
        or more alphanumeric characters. If there is a capturing group, its content, not the
        entire match, becomes the token; at most one capturing group is permitted.
        Only applies if ``analyzer == 'word'`` and `tokenizer` is None.

    preprocessor : callable, default=None
        Override the preprocessing (`lowercase` and `strip_accents`) of a document.
        Only applies if ``analyzer`` is not callable.

    lowercase : bool, default=True
        Convert all characters to lowercase before tokenizing.

    strip_accents : {'ascii', 'unicode'} or callable, default=None
        Remove accents and perform other character normalization during the preprocessing step.
        'ascii' is a fast method that only works on characters that have a direct ASCII mapping.
        'unicode' is a slightly slower method that works on any characters.
        None means no character normalization is performed.

    stop_words : {'english'}, list, default=None
        Words removed from the documents: unlike the words dropped by `min_df`, `max_df` or
        `max_features`, which become the unknown token, stop words leave no trace in the output.
        'english' is scikit-learn's built-in list. Only applies if ``analyzer == 'word'``.

    ngram_range : tuple (min_n, max_n), default=(1, 1)
        The lengths of the n-grams that are tokens: (1, 1) is single words or characters, (1, 2)
        those and pairs of neighbours. They stand in the order of their beginnings, at the same
        beginning shorter ones first: "not so good" becomes "not", "not so", "so", "so good",
        "good". Only applies if ``analyzer`` is not callable.

    encoding : str, default='utf-8'
        The encoding of documents given as bytes.

    decode_error : {'strict', 'ignore', 'replace'}, default='strict'
        The treatment of bytes in a document that are not of the given `encoding`.
        'strict' raises a UnicodeDecodeError.

    min_df : float in range [0.0, 1.0] or int, default=1
        Leave out of the vocabulary the words found in strictly fewer documents than this: they
        become the unknown token. A float is a proportion of documents, an integer an absolute
        count. Ignored if `vocabulary` is not None.

    max_df : float in range [0.0, 1.0] or int, default=1.0
        Leave out of the vocabulary the words found in strictly more documents than this: they
        become the unknown token. A float is a proportion of documents, an integer an absolute
        count. Ignored if `vocabulary` is not None.

    max_features : int, default=None
        If not None, the vocabulary consists of only this many of the most frequent words; the
        others become the unknown token. Ignored if `vocabulary` is not None.

    vocabulary : Mapping or iterable, default=None
        Either an iterable of distinct terms, which get the ids 2, 3, ... in this order (a set
        in alphabetical order), or a mapping of terms to distinct integers of 2 or more, such as
        the `vocabulary_` of another vectorizer. If None, the vocabulary is learned from the
        training documents. If not None, there is nothing to learn but a `max_length_` that depends
        on the documents: `transform` works without `fit`.

    max_length : int or float in range (0.0, 1.0], default=None
        The number of columns of the output. None: documents are neither cut nor padded. An integer
        is used as is. A float is a quantile of the numbers of tokens of the training documents:
        0.95 gives the smallest width in which at least 95 % of the training documents fit whole.

    truncating : {'pre', 'post'}, default='post'
        The part dropped from a document longer than `max_length_` tokens: 'pre' drops its
        beginning, 'post' its end. Only applies if `max_length` is not None.

    dtype : dtype, default=np.int32
        The integer type of the output.

    Attributes
    ----------
    vocabulary_ : dict
        A mapping of terms to ids, integers from 2 on.

    max_length_ : int or None
        The number of columns of the output, at least 1; None if documents are not cut.

    See Also
    --------
    sklearn.feature_extraction.text.CountVectorizer : Convert a collection of text documents to a
        matrix of token counts, without their order.

    Notes
    -----
    Documents are strings, or lists of strings: those are tokens as they are, of which only stop
    words are removed and n-grams made.

    Without `max_length` the output is an object array of shape (n_samples, 1), a column, with an
    integer array of shape (n_tokens_i,) in each cell; an index and iteration give these arrays:
    ``X[0]`` holds the ids of the first document. So it takes no more memory than there are tokens,
    and passes through pipelines, ``ColumnTransformer`` and ``set_output``.

    A document without tokens is empty, or a row of zeros, and a document of unknown words only
    holds ones.

    Missing documents (None, NaN) are refused; replace them by empty strings first if an empty
    document is meant.

    Examples
    --------
    >>> from skgru.text import SequenceVectorizer
    >>> documents = ["The cat sat.", "The cat sat on the mat.", "Cats!"]
    >>> vectorizer = SequenceVectorizer()
    >>> X = vectorizer.fit_transform(documents)
    >>> [ids.tolist() for ids in X]
    [[2, 3, 4], [2, 3, 4, 7, 2, 6], [5]]
    >>> vectorizer.vocabulary_
    {'the': 2, 'cat': 3, 'sat': 4, 'cats': 5, 'mat': 6, 'on': 7}
    >>> X = vectorizer.transform(["The dog sat.", ""])
    >>> X[0]
    Tokens([2, 1, 4], dtype=int32)
    >>> vectorizer.inverse_transform(X)
    [['the', '<unk>', 'sat'], []]

    A matrix, of the first four tokens of each document, padded with zeros:

    >>> SequenceVectorizer(max_length=4).fit_transform(documents)
    Tokens([[2, 3, 4, 0],
            [2, 3, 4, 7],
            [5, 0, 0, 0]], dtype=int32)

    Characters instead of words, and of each document the last three only:

    >>> vectorizer = SequenceVectorizer(analyzer="char", max_length=3, truncating="pre")
    >>> X = vectorizer.fit_transform(["我喜欢猫", "你好"])
    >>> vectorizer.inverse_transform(X)
    [['喜', '欢', '猫'], ['你', '好']]
    """

    _parameter_constraints: dict[str, Any] = {
        "analyzer": [StrOptions({"word", "char"}), callable],
        "tokenizer": [callable, None],
        "token_pattern": [str, None],
        "preprocessor": [callable, None],
        "lowercase": ["boolean"],
        "strip_accents": [StrOptions({"ascii", "unicode"}), None, callable],
        "stop_words": [StrOptions({"english"}), list, None],
        "ngram_range": [tuple],
        "encoding": [str],
        "decode_error": [StrOptions({"strict", "ignore", "replace"})],
        "min_df": [
            Interval(RealNotInt, 0, 1, closed="both"),
            Interval(Integral, 1, None, closed="left"),
        ],
        "max_df": [
            Interval(RealNotInt, 0, 1, closed="both"),
            Interval(Integral, 1, None, closed="left"),
        ],
        "max_features": [Interval(Integral, 1, None, closed="left"), None],
        "vocabulary": [Mapping, HasMethods("__iter__"), None],
        "max_length": [
            Interval(RealNotInt, 0, 1, closed="right"),
            Interval(Integral, 1, None, closed="left"),
            None,
        ],
        "truncating": [StrOptions({"pre", "post"})],
        "dtype": "no_validation",  # checked against the vocabulary in _output_dtype
    }

    @hints_at_names
    def __init__(
        self,
        *,
        analyzer: Literal["word", "char"] | Callable[[Any], Iterable[str]] = "word",
        tokenizer: Callable[[str], Iterable[str]] | None = None,
        token_pattern: str | None = _TOKEN_PATTERN,
        preprocessor: Callable[[Any], str] | None = None,
        lowercase: bool = True,
        strip_accents: Literal["ascii", "unicode"] | Callable[[str], str] | None = None,
        stop_words: Literal["english"] | list[str] | None = None,
        ngram_range: tuple[int, int] = (1, 1),
        encoding: str = "utf-8",
        decode_error: Literal["strict", "ignore", "replace"] = "strict",
        min_df: float = 1,
        max_df: float = 1.0,
        max_features: int | None = None,
        vocabulary: Mapping[str, int] | Iterable[str] | None = None,
        max_length: float | None = None,
        truncating: Literal["pre", "post"] = "post",
        dtype: DTypeLike = np.int32,
    ) -> None:
        self.analyzer = analyzer
        self.tokenizer = tokenizer
        self.token_pattern = token_pattern
        self.preprocessor = preprocessor
        self.lowercase = lowercase
        self.strip_accents = strip_accents
        self.stop_words = stop_words
        self.ngram_range = ngram_range
        self.encoding = encoding
        self.decode_error = decode_error
        self.min_df = min_df
        self.max_df = max_df
        self.max_features = max_features
        self.vocabulary = vocabulary
        self.max_length = max_length
        self.truncating = truncating
        self.dtype = dtype

    @fit_context(prefer_skip_nested_validation=True)
    @as_one_task
    def fit(self, X: ArrayLike, y: None = None) -> Self:
        """Learn the vocabulary and, with `max_length`, the number of columns of the output.

        Parameters
        ----------
        X : iterable of str, bytes or lists of str
            The training documents.

        y : None
            Ignored, but for a warning where its rows have the labels of X in another order.

        Returns
        -------
        self : object
            Fitted vectorizer.

        Raises
        ------
        TypeError
            If a document is neither a string nor a list of strings.
        ValueError
            If no word is left for the vocabulary, the given `vocabulary` is unusable or `dtype`
            cannot hold the ids.

        Warns
        -----
        UserWarning
            If the default `token_pattern` takes whole clauses for words, as most of X is in a
            script without spaces between words.
        """
        warn_of_another_order(X, y=y)
        self._learn(X)
        return self

    @fit_context(prefer_skip_nested_validation=True)
    @as_one_task
    def fit_transform(self, X: ArrayLike, y: None = None) -> NDArray[Any]:
        """Learn the vocabulary and return the documents as sequences of token ids.

        The same as `fit` followed by `transform`, but each document is analyzed only once.

        Parameters
        ----------
        X : iterable of str, bytes or lists of str
            The training documents.

        y : None
            Ignored, but for a warning where its rows have the labels of X in another order.

        Returns
        -------
        X_new : ndarray of shape (n_samples, 1) or (n_samples, `max_length_`)
            The ids of the tokens of each document: an array of them in each cell or, with
            `max_length`, a row of them, then zeros.

        Raises
        ------
        TypeError
            If a document is neither a string nor a list of strings.
        ValueError
            If no word is left for the vocabulary, the given `vocabulary` is unusable or `dtype`
            cannot hold the ids.
        """
        warn_of_another_order(X, y=y)
        return self._encode(self._learn(X))

    def transform(self, X: ArrayLike) -> NDArray[Any]:
        """Return documents as sequences of token ids.

        Parameters
        ----------
        X : iterable of str, bytes or lists of str
            The documents.

        Returns
        -------
        X_new : ndarray of shape (n_samples, 1) or (n_samples, `max_length_`)
            The ids of the tokens of each document: an array of them in each cell or, with
            `max_length`, a row of them, then zeros.

        Raises
        ------
        TypeError
            If a document is neither a string nor a list of strings.

        Warns
        -----
        UserWarning
            If documents are texts where `fit` had lists of words, or the other way round.
        """
        self._check_is_fitted()
        kinds: set[str] = set()
        X_new = self._encode(self._analyze(X, kinds))
        fitted_to = getattr(self, "_kind_of_documents", None)
        if fitted_to and kinds and fitted_to not in kinds:
            warnings.warn(
                f"X holds {kinds.pop()}, but {type(self).__name__} was fitted to {fitted_to}: "
                "texts are put into lower case and split, lists of words are taken as they are, so "
                "that words may not be found again.",
                stacklevel=2,
            )
        return X_new

    def inverse_transform(self, X: ArrayLike) -> list[list[str]]:
        """Return the tokens of sequences of ids.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_columns), or of n_samples arrays
            Sequences of token ids, as returned by `transform`.

        Returns
        -------
        documents : list of lists of str
            The tokens of each sequence without the padding; ``"<unk>"`` stands for the unknown
            token and any other id that is not in the vocabulary.

        Raises
        ------
        ValueError
            If `X` is not two-dimensional or does not hold integers.
        """
        self._check_is_fitted()
        terms = {id_: term for term, id_ in self.vocabulary_.items()}
        return [
            [terms.get(id_, _UNKNOWN_TOKEN) for id_ in row if id_ != _PADDING]
            for row in _rows_of_ids(X)
        ]

    def get_feature_names_out(self, input_features: ArrayLike | None = None) -> NDArray[Any]:
        """Get output feature names for transformation.

        Parameters
        ----------
        input_features : array-like of str or None, default=None
            Not used, present here for API consistency by convention.

        Returns
        -------
        feature_names_out : ndarray of str objects
            The names of the columns: ``"token_0"``, ``"token_1"``, ..., or without `max_length`
            of the one column, ``"tokens"``.
        """
        self._check_is_fitted()
        if self.max_length_ is None:
            return np.array(["tokens"], dtype=object)
        return np.array([f"token_{i}" for i in range(self.max_length_)], dtype=object)

    def build_analyzer(self) -> Callable[[Any], list[str]]:
        """Return a callable that turns a document into its tokens.

        Returns
        -------
        analyzer : callable
            A function to handle decoding, preprocessing, tokenization, stop words and n-grams.
        """
        analyze = self._counter().build_analyzer()
        if callable(self.analyzer) or tuple(self.ngram_range) == (1, 1):
            return analyze
        return partial(_analyze_ngrams, analyze, self._join_ngrams)

    def _counter(self) -> CountVectorizer:
        """Return the vectorizer of scikit-learn that analyzes documents in the same way."""
        return CountVectorizer(
            analyzer=self.analyzer,
            tokenizer=self.tokenizer,
            token_pattern=self.token_pattern,
            preprocessor=self.preprocessor,
            lowercase=self.lowercase,
            strip_accents=self.strip_accents,
            stop_words=self.stop_words,
            encoding=self.encoding,
            decode_error=self.decode_error,
        )

    def _join_ngrams(self, tokens: Sequence[str]) -> list[str]:
        """Return the n-grams of tokens in the order of their beginnings."""
        separator = "" if self.analyzer == "char" else " "
        shortest, longest = map(int, self.ngram_range)
        return [
            separator.join(tokens[start : start + n])
            for start in range(len(tokens))
            for n in range(shortest, longest + 1)
            if start + n <= len(tokens)
        ]

    def embedding_matrix(
        self, vectors: VectorSource, *, random_state: Seed = None
    ) -> NDArray[np.float32]:
        """Arrange pretrained word vectors as the initial weights of an embedding.

        Parameters
        ----------
        vectors : str, path-like, mapping of str to array-like of shape (n_dimensions,), or object
            The vector of each word: a file, a dict, gensim's ``KeyedVectors``, spaCy's ``nlp`` or
            another source, see :func:`read_word_vectors`. A word that has none has that of the same
            word in lower case, with a capital or in capitals.

        random_state : int, RandomState instance or None, default=None
            Determines the vectors of the words of the vocabulary that have none in `vectors`.
            Pass an int for reproducible results across multiple function calls.

        Returns
        -------
        matrix : ndarray of shape (largest id + 1, n_dimensions), dtype=float32
            The vector of each word in the row of its id. Words that `vectors` lacks are drawn
            from a normal distribution that has, in each dimension, the mean and the standard
            deviation of the vectors found. The rows of the padding and of the unknown token are
            zero.

        Raises
        ------
        OSError, TypeError
            If there is no such file, or if `vectors` is no source of word vectors.
        ValueError
            If `vectors` has none of the words of the vocabulary, if the vectors found are not
            one-dimensional, of one length and finite, or if a file is none of word vectors.

        See Also
        --------
        read_word_vectors : Read word vectors of a file, or of an object of another library.

        Notes
        -----
        The parameter `embedding_matrix` of a network takes the same `vectors`, and arranges them by
        the vocabulary of its X, in pipelines and searches, too.

        Examples
        --------
        >>> from skgru.text import SequenceVectorizer
        >>> vectorizer = SequenceVectorizer().fit(["good film", "good plot"])
        >>> vectorizer.vocabulary_
        {'good': 2, 'film': 3, 'plot': 4}
        >>> vectors = {"good": [1.0, 0.0], "film": [0.5, 0.5], "plot": [0.0, 0.5]}
        >>> vectorizer.embedding_matrix(vectors)
        array([[0. , 0. ],
               [0. , 0. ],
               [1. , 0. ],
               [0.5, 0.5],
               [0. , 0.5]], dtype=float32)
        """
        self._check_is_fitted()
        rng = check_random_state(random_state)
        found = find_vectors(vectors, self.vocabulary_, "vectors")
        known = np.stack(list(found.values()))
        mean = known.mean(axis=0, dtype=np.float64)
        std = known.std(axis=0, dtype=np.float64)
        known_ids = [self.vocabulary_[term] for term in found]
        other_ids = sorted(set(self.vocabulary_.values()).difference(known_ids))

        matrix = np.zeros((max(self.vocabulary_.values()) + 1, len(mean)), dtype=np.float32)
        matrix[known_ids] = known
        matrix[other_ids] = rng.normal(mean, std, size=(len(other_ids), len(mean)))
        return matrix

    def __sklearn_is_fitted__(self) -> bool:
        has_nothing_to_learn = self.vocabulary is not None and (
            self.max_length is None or isinstance(self.max_length, Integral)
        )
        return hasattr(self, "vocabulary_") or has_nothing_to_learn

    def _check_is_fitted(self) -> None:
        """Refuse to go on unless fitted, or with a vocabulary that was given."""
        check_is_fitted(self)
        if not hasattr(self, "vocabulary_"):
            self._learn([])

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.two_d_array = False
        tags.transformer_tags.preserves_dtype = []
        return tags

    def _learn(self, X: Any) -> list[list[str]]:
        """Set the fitted attributes and return the tokens of the training documents."""
        _check_ngram_range(self.ngram_range)
        self._warn_of_unused_parameters()
        kinds: set[str] = set()
        documents = list(self._analyze(X, kinds))
        if kinds == {"texts"}:
            self._warn_of_clauses(documents)
        if self.vocabulary is None:
            vocabulary = self._learn_vocabulary(documents)
        else:
            vocabulary = self._given_vocabulary()
        max_length = self._learn_max_length(documents)
        self._output_dtype(vocabulary)

        self.vocabulary_ = vocabulary
        self.max_length_ = max_length
        self._kind_of_documents = kinds.pop() if len(kinds) == 1 else None
        return documents

    def _analyze(self, X: Any, kinds: set[str]) -> Iterator[list[str]]:
        """Yield the list of tokens of each document; add which kinds of documents there are."""
        if isinstance(X, (str, bytes)):
            raise ValueError("Iterable over raw text documents expected, string object received.")
        if isinstance(X, Set | Mapping):
            raise TypeError(
                f"Iterable over raw text documents expected, got {describe(X)}, whose order has "
                "nothing to do with y's."
            )
        if len(getattr(X, "shape", ())) > 1:  # iterating a data frame yields its column names
            raise ValueError(
                "Iterable over raw text documents expected, "
                f"{type(X).__name__} of shape {X.shape} received; pass a single column."
            )
        given = X
        X = X.to_pylist() if hasattr(X, "to_pylist") else X  # Arrow's strings are no strings
        # A callable of the user's may take documents that are neither texts nor tokens.
        custom = callable(self.analyzer) or self.preprocessor is not None
        analyze = self.build_analyzer()
        stop_words = self._counter().get_stop_words() or ()
        for position, document in enumerate(X):
            document = document.as_py() if hasattr(document, "as_py") else document  # of Arrow
            if isinstance(document, str | bytes) or (custom and isinstance(document, Iterable)):
                kinds.add("texts")
                yield list(analyze(document))
                continue
            kinds.add("lists of words")
            tokens = [t for t in _check_tokens(document, position, given) if t not in stop_words]
            yield self._join_ngrams(tokens) if tuple(self.ngram_range) != (1, 1) else tokens

    def _cut(self, tokens: list[str]) -> list[str]:
        """Return those of the tokens of a document that have room in the output."""
        width = self.max_length_
        return tokens[-width:] if self.truncating == "pre" and width else tokens[:width]

    def _read_tokens(self, X: Any) -> list[list[str]]:
        """Return the tokens of each document that `transform` has ids of, also unknown ones."""
        self._check_is_fitted()
        return [self._cut(tokens) for tokens in self._analyze(X, set())]

    def _encode(self, documents: Iterable[list[str]]) -> NDArray[Any]:
        """Return the ids of tokenized documents."""
        dtype = self._output_dtype(self.vocabulary_)
        width = self.max_length_
        id_of = self.vocabulary_.get
        rows = [[id_of(token, UNKNOWN) for token in self._cut(tokens)] for tokens in documents]
        lengths = np.fromiter(map(len, rows), dtype=np.intp, count=len(rows))
        ids = np.fromiter((id_ for row in rows for id_ in row), dtype, count=lengths.sum())
        if width is None:
            return as_tokens(ids, offsets_of(lengths), self.vocabulary_)
        X = np.zeros((len(rows), width), dtype=dtype)
        X[np.arange(width) < lengths[:, np.newaxis]] = ids
        return mark(X, self.vocabulary_)

    def _learn_vocabulary(self, documents: list[list[str]]) -> dict[str, int]:
        """Return the words of tokenized documents as a dict of terms to ids."""
        counter = CountVectorizer(
            analyzer=iter, min_df=plain(self.min_df), max_df=plain(self.max_df)
        )
        counts = np.asarray(counter.fit_transform(documents).sum(axis=0)).ravel().tolist()
        columns = counter.vocabulary_
        terms = sorted(columns, key=lambda term: (-counts[columns[term]], term))
        return _number(terms[: self.max_features])

    def _given_vocabulary(self) -> dict[str, int]:
        """Return the parameter `vocabulary` as a checked dict of terms to ids."""
        given: Any = self.vocabulary
        if isinstance(given, Mapping):
            vocabulary = _check_ids(given)
        else:
            unordered = isinstance(given, (set, frozenset))
            vocabulary = _number(sorted(given) if unordered else given)
        if not vocabulary:
            raise ValueError("empty vocabulary passed to fit")

        lowercase = self.lowercase and self.preprocessor is None and not callable(self.analyzer)
        if lowercase and any(any(map(str.isupper, term)) for term in vocabulary):
            warnings.warn(
                "Upper case characters found in vocabulary while 'lowercase' is True. These "
                "entries will not be matched with any documents",
                stacklevel=2,
            )
        return vocabulary

    def _learn_max_length(self, documents: list[list[str]]) -> int | None:
        """Return the width of the output for tokenized training documents, or None."""
        if self.max_length is None:
            return None
        if isinstance(self.max_length, Integral):
            return int(self.max_length)
        if not documents:
            raise ValueError("At least one document is required to learn max_length_, got none.")
        share = float(self.max_length)
        length = np.quantile(list(map(len, documents)), share, method="inverted_cdf")
        return max(int(length), 1)

    def _output_dtype(self, vocabulary: dict[str, int]) -> np.dtype[Any]:
        """Return the type of the output, checked to hold the ids of a vocabulary."""
        dtype = np.dtype(self.dtype)
        if dtype.kind not in "iu":
            raise ValueError(f"dtype must be an integer type, got {dtype}.")
        largest = max(vocabulary.values())
        if largest > np.iinfo(dtype).max:
            raise ValueError(
                f"dtype {dtype} holds ids up to {np.iinfo(dtype).max}, but the largest id of the "
                f"vocabulary is {largest}. Choose a larger dtype or fewer words (max_features)."
            )
        return dtype

    def _warn_of_unused_parameters(self) -> None:
        """Warn of parameters that have no effect, as scikit-learn's vectorizers do."""
        if self.max_length is None and self.truncating != "post":
            warnings.warn(
                "The parameter 'truncating' will not be used since 'max_length' is None",
                stacklevel=2,
            )
        if callable(self.analyzer):
            unused = ["tokenizer", "token_pattern", "preprocessor", "strip_accents", "stop_words"]
            unused.append("ngram_range")
            reason = "'analyzer' is callable"
        elif self.analyzer != "word":
            unused = ["tokenizer", "token_pattern", "stop_words"]
            reason = "'analyzer' != 'word'"
        elif self.tokenizer is not None:
            unused = ["token_pattern"]
            reason = "'tokenizer' is not None"
        else:
            return
        for name in unused:
            if getattr(self, name) not in (None, _TOKEN_PATTERN, (1, 1)):
                message = f"The parameter {name!r} will not be used since {reason}"
                warnings.warn(message, stacklevel=2)

    def _warn_of_clauses(self, documents: list[list[str]]) -> None:
        """Warn if the default pattern of words finds none, as nothing stands between them."""
        if (self.analyzer, self.tokenizer, self.token_pattern) != ("word", None, _TOKEN_PATTERN):
            return
        clauses = clauses_taken_for_words(documents)
        if clauses:
            warn(
                "analyzer='word' looks for words between spaces and punctuation, but most of X is "
                "in a script without spaces between words: it takes whole clauses, or pieces of "
                f"such, for words, {', '.join(f'{clause!r:.50}' for clause in clauses)}. "
                "analyzer='char' reads the characters; tokenizer=… takes a function that splits a "
                "text into words, such as jieba.lcut."
            )


def _check_ngram_range(ngram_range: Any) -> None:
    """Raise unless this is a pair of lengths, the smaller first."""
    lengths: list[Any] = [n for n in ngram_range if isinstance(n, Integral)]
    if len(lengths) != 2 or len(ngram_range) != 2 or not 1 <= lengths[0] <= lengths[1]:
        raise ValueError(
            "ngram_range must be a pair of integers (min_n, max_n) with 1 <= min_n <= max_n, got "
            f"{ngram_range!r}."
        )


def _analyze_ngrams(
    analyze: Callable[[Any], list[str]],
    join_ngrams: Callable[[Sequence[str]], list[str]],
    document: Any,
) -> list[str]:
    """Return the n-grams of a document in the order of their beginnings."""
    return join_ngrams(list(analyze(document)))


def _check_tokens(document: Any, position: int, X: Any) -> list[str]:
    """Return a document of X that is a list of strings; refuse anything else."""
    has_order = isinstance(document, Iterable) and not isinstance(document, Set | Mapping)
    if not has_order or getattr(document, "ndim", 1) == 0:
        raise TypeError(
            f"Expected each document to be a string or a list of strings, got {document!r:.50} of "
            f"type {type(document).__name__} at position {position}{_say_label(X, position)}."
            + (f" {_how_to_fill(X)}" if is_missing(document) else "")
        )
    tokens = as_array(document).tolist() if hasattr(document, "dtype") else list(document)
    for token in tokens:
        if not isinstance(token, str):
            raise TypeError(
                f"Expected each document to be a string or a list of strings, got {token!r:.50} of "
                f"type {type(token).__name__} as a token of the document at position {position}"
                f"{_say_label(X, position)}." + " Leave missing words out." * is_missing(token)
            )
    return tokens


def _say_label(X: Any, position: int) -> str:
    """Return the label of a row of pandas, where rows have other labels than their positions."""
    index = X.index if hasattr(X, "iloc") else None
    counts = (getattr(index, "start", None), getattr(index, "step", None)) == (0, 1)
    return "" if index is None or counts else f", which is the row {index[position]!r}"


def _how_to_fill(X: Any) -> str:
    """Return the remedy for missing documents."""
    fill, drop = "X.fillna('')", "X.dropna()"
    if not hasattr(X, "iloc"):
        if not hasattr(X, "fill_null"):  # neither polars nor Arrow
            return "'' in its place is an empty document; or leave it out, and its element of y."
        fill = "X.fill_null('')"
        drop = "X.drop_nulls()" if hasattr(X, "drop_nulls") else "X.drop_null()"
    return (
        f"{fill} makes empty documents of missing ones, {drop} leaves them out: then leave out "
        "their elements of y, too."
    )


def _rows_of_ids(X: Any) -> list[list[int]]:
    """Return sequences of ids, those of a column or the rows of a matrix, as lists of ints."""
    if hasattr(X, "iloc") or hasattr(X, "get_columns"):
        is_column = len(X.columns) == 1 and len(X) and np.ndim(X[X.columns[0]][0]) == 1
        X = list(X[X.columns[0]]) if is_column else X
    is_column = isinstance(X, np.ndarray) and X.dtype == object and X.ndim == 2
    rows = [cell for (cell,) in np.asarray(X)] if is_column and X.shape[1] == 1 else X
    if isinstance(rows, list | tuple) and any(np.ndim(row) == 1 for row in rows):
        arrays = [as_array(row) for row in rows]
    else:
        arrays = check_array(rows, ensure_min_samples=0)
    for array in arrays:
        if array.size and array.dtype.kind not in "iu":
            raise ValueError(f"Expected integer token ids, got an array of dtype {array.dtype}.")
    return [array.tolist() for array in arrays]


def _number(terms: Iterable[str]) -> dict[str, int]:
    """Map terms to the ids 2, 3, ... in their order."""
    vocabulary: dict[str, int] = {}
    for id_, term in enumerate(terms, start=_FIRST_WORD):
        if vocabulary.setdefault(term, id_) != id_:
            raise ValueError(f"Duplicate term in vocabulary: {term!r}")
    return vocabulary


def _check_ids(vocabulary: Mapping[str, Any]) -> dict[str, int]:
    """Copy a mapping of terms to ids into a dict with plain, valid ids."""
    terms: dict[Any, str] = {}
    for term, id_ in vocabulary.items():
        if not isinstance(id_, Integral) or id_ < _FIRST_WORD:
            raise ValueError(
                "vocabulary must map terms to distinct integers of 2 or more (0 is the padding, "
                f"1 the unknown token), got {id_!r} for {term!r}. An iterable of the terms alone "
                "has them numbered."
            )
        if terms.setdefault(id_, term) != term:
            raise ValueError(
                "vocabulary must map terms to distinct integers of 2 or more, got "
                f"{id_!r} for both {terms[id_]!r} and {term!r}."
            )
    return {term: int(id_) for id_, term in terms.items()}
