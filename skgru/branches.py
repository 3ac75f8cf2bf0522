"""Branches: the inputs of a multimodal network, each with the layers that read it."""

from __future__ import annotations

from abc import abstractmethod
from inspect import signature
from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn import config_context
from sklearn.base import clone

from skgru._compat import Interval, StrOptions, take
from skgru._constraints import NUMBERS, RECURRENCE, TOKENS
from skgru._data.arrays import describe
from skgru._data.forms import open_columns, open_form, open_nothing, refuse_levels
from skgru._data.inputs import Input
from skgru._data.lagged import lag_of
from skgru._data.numbers import NumberInput
from skgru._data.table import TableInput, open_output, open_table
from skgru._data.tokens import TokenInput
from skgru._estimator import Estimator, hints_at_names
from skgru._settings import Settings
from skgru._types import (
    Auto,
    Cells,
    Missing,
    Poolings,
    Scaling,
    ScalingOfRows,
    Sizes,
    Transformer,
    VectorSource,
)

NO_SAMPLE = "no sample to train on has it, expected at least one: set it to 'drop'."
_OF_TEXTS = " Give the name or index of a column of texts by itself, in no list."


class BaseBranch(Estimator):
    """Base of the branches: what they read, and their parameters."""

    _parameter_constraints: dict[str, Any] = {
        "transformer": [None, object],
        "last_epochs": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left"), None],
    }
    _input: type[Input]  # the kind of input

    @abstractmethod
    def _open_columns(self, selected: Any) -> Any:
        """Return columns of X, opened."""

    @abstractmethod
    def _open_output(self, output: Any, present: NDArray[Any]) -> Any:
        """Return the output of the transformer for the samples that are present, opened."""

    @abstractmethod
    def _open_absent(self, absent: Any) -> Any:
        """Return the input of samples none of which has it, opened."""

    def _settings(self, estimator_name: str) -> Settings:
        """Return the parameters, as they are handed on."""
        names = [name for name in self.get_params(deep=False) if name != "transformer"]
        parameters = signature(type(self).__init__).parameters
        return Settings(
            {name: getattr(self, name) for name in names},
            self._parameter_constraints,
            {name: parameters[name].default for name in names},
            estimator_name,
            self._input.kind,
        )

    def _check_transformer(self) -> None:
        """Refuse what is not a transformer."""
        transformer = self.transformer
        if transformer is None:
            return
        if isinstance(transformer, type) or not hasattr(transformer, "transform"):
            got = (
                f"the class {transformer.__name__}"
                if isinstance(transformer, type)
                else repr(transformer)
            )
            raise TypeError(
                f"Expected a transformer with fit and transform, or None, as transformer of "
                f"{type(self).__name__}, got {got}."
            )

    def _open(
        self,
        selected: Any,
        y: Any = None,
        *,
        fits: bool = False,
        metadata: dict[str, Any] | None = None,
    ) -> Any:
        """Return the selected columns of X, opened; with `fits`, fit the transformer first.

        Parameters
        ----------
        selected : Selected
        y : array-like or None
            A target for each sample, for transformers that learn from it.
        fits : bool
        metadata : dict or None
            What else the transformer is fitted with, a value for each sample.
        """
        if self.transformer is None:
            return self._open_columns(selected)
        present = ~selected.are_missing
        rows = np.flatnonzero(present)
        container, metadata = selected.container, metadata or {}
        if len(rows) < len(present):
            container = take(container, rows)
            y = y if y is None else take(y, rows)
            metadata = {name: take(values, rows) for name, values in metadata.items()}
        if fits:
            if not len(rows):
                raise ValueError(NO_SAMPLE)
            self.transformer_ = clone(self.transformer)
        elif not len(rows):
            return self._open_absent(~present)
        output = self._transformed(container, y, metadata, fits=fits)
        n = _n_rows(output)
        if n != len(rows):
            got = describe(output) if n is None else f"{n}"
            # What reads texts takes a table for its names: one text of one column.
            hint = _OF_TEXTS if n == 1 and len(container.shape) > 1 else ""
            raise ValueError(
                f"expected {len(rows)} rows from {self.transformer!r}, as many as it was given, "
                f"got {got}.{hint}"
            )
        return self._open_output(output, present)

    def _transformed(self, container: Any, y: Any, metadata: dict[str, Any], *, fits: bool) -> Any:
        """Return the output of the transformer; with `fits`, fit it first."""
        transformer = self.transformer_
        try:
            # The same model whatever the configuration, which refuses sparse matrices as frames.
            with config_context(transform_output="default"):
                if not fits:
                    return transformer.transform(container)
                if hasattr(transformer, "fit_transform"):
                    return transformer.fit_transform(container, y, **metadata)
                return transformer.fit(container, y, **metadata).transform(container)
        except ValueError as error:
            wants_table = "2D array" in str(error) or "2-dimensional" in str(error)
            if not wants_table or len(container.shape) > 1:
                raise
            raise ValueError(
                f"{error} Give the name or index of the column in a list: then the transformer is "
                "given a table."
            ) from error


class _SequenceBranch(BaseBranch):
    """Base of the branches that read sequences."""

    def _open_columns(self, selected: Any) -> Any:
        opened = open_columns(selected.columns, selected.names, selected.selection.n_features)
        # A row of lags is a sample of its own, whatever its index says.
        if opened.is_rectangle and not all(map(lag_of, selected.names)):
            refuse_levels(selected.X)
        return opened

    def _open_output(self, output: Any, present: NDArray[Any]) -> Any:
        opened = open_form(output, type(self).__name__)
        return opened._replace(present=present)

    def _open_absent(self, absent: Any) -> Any:
        return open_nothing(~absent)


class TokenBranch(_SequenceBranch):
    """Branch of a multimodal network that reads sequences of tokens: texts, codes, events.

    Tokens → a trainable vector for each → recurrent layers → pooling.

    Parameters
    ----------
    transformer : transformer or None, default=None
        A transformer of scikit-learn that makes token ids of the columns, such as
        :class:`SequenceVectorizer`. A clone of it is fitted to the samples
        to train on, without those held out to stop early, and is kept as `transformer_`. It is
        given the rows of which not all cells are missing: of one column (a name, an index) the
        column itself, else a table. None: the columns are read as they are.

    embedding_dim : int or 'auto', default='auto'
        Dimensions of the trainable vector of each token. 'auto' is 128, or those of
        `embedding_matrix`.

    embedding_matrix : array-like of shape (n_ids, embedding_dim), str or object, default=None
        First values of the tokens' vectors: row i is that of id i, rows 0 (padding) and 1 (unknown)
        included. Or word vectors, of which `fit` takes those of the words of X, what
        :class:`SequenceVectorizer` returns: the path of a file (GloVe, word2vec, fastText's
        ``.vec``), a dict of words and arrays, gensim's ``KeyedVectors``, spaCy's ``nlp``, or
        :class:`WordVectors`; see :func:`read_word_vectors`. A word that has none by itself has that
        of the same word in lower case, with a capital or in capitals; if there is none either, it
        is drawn, with the mean and the deviation of those that were found. It implies
        `embedding_dim`.

    freeze_embedding : bool, default=False
        Whether the tokens' vectors keep their first values, those of `embedding_matrix`.

    hidden_layer_sizes : int or array-like of int, default=(64,)
        Units of each hidden layer, from the bottom up.

    cell : {'gru', 'lstm', 'rnn', 'mingru'} or tuple of them, default='gru'
        The recurrent cell: gated recurrent unit, long short-term memory, the simple tanh cell, or
        the minimal gated recurrent unit, whose gates do not read the state; see
        :class:`GRUClassifier`. A tuple has one for each hidden layer.

    reset_after : bool, default=False
        Whether the reset gate of 'gru' acts on the matrix product, as in cuDNN, Keras and PyTorch,
        rather than on the state before it.

    output_gate : bool, default=False
        Whether each hidden layer but an 'lstm' has an output gate: ``y_t = o_t * tanh(h_t)``,
        with a gate ``o_t`` that reads the step's input and its state; without it ``y_t = h_t``.
        (An 'lstm' has one of its own.)

    bidirectional : bool or 'auto', default='auto'
        Whether each hidden layer has a second one beside it that reads the sequences from their
        ends. 'auto' is True for classes, but False with ``pooling=None`` (a target at each step),
        where it would read later steps, and with `bptt_steps`; and False for numbers as targets.

    pooling : {'last', 'mean', 'max', 'attention', 'auto'} or tuple of them or None, default='auto'
        The outputs of the branch, from the top layer: the output at each sequence's last step (in
        the reverse direction, its first one), the mean or the largest of each unit over the steps,
        or a mean with learned weights. A tuple joins several, side by side. None: the outputs of
        every step, each for itself; y then holds a target for each step of each sequence. Each
        other branch of sequences either has the same number of steps in every sample, and None too,
        or a pooling other than 'auto': all steps of a sample have its outputs, and those of tables,
        in common. 'auto' is as in :class:`GRUClassifier`.

    patch_size : int or 'auto', default='auto'
        Number of consecutive steps that are joined into one before the recurrence, counted from the
        end; see :class:`GRUClassifier`. 'auto' is the mean length divided by 40, rounded, at least
        1; and 1 for tokens, with ``pooling=None`` and with `bptt_steps`.

    shift_patches : bool, default=True
        Whether the joints between patches move while 'adam' or 'sgd' trains.

    dropout : float or 'auto', default='auto'
        Share of the inputs of each hidden layer, and of the outputs of the branch, that each update
        leaves out, anew at every step, in [0, 1). 'auto' is 0.3 for tokens, 0.2 for three or more
        features per step, 0.5 for 20 or more at least half of whose values are missing, and 0 for
        fewer than three, which nothing can stand in for, and for 'lbfgs'.

    recurrent_dropout : float, default=0.0
        Share of each hidden layer's units whose state the next step does not read: the same units
        at all steps of a sequence.

    token_dropout : float, default=0.0
        Share of the tokens that each update replaces by the unknown one, whose vector is thereby
        trained.

    bag : bool or 'auto', default='auto'
        Whether tokens, and pairs of neighbours that two samples have, are also counted: a linear
        model of their tf-idf, joined with that of other such branches, stands beside the network,
        as of :class:`GRUClassifier`. 'auto' is as there where the branch is the only one, for
        classes, else False. It has no effect with ``pooling=None``, where steps have targets.

    last_epochs : int, 'auto' or None, default='auto'
        In how many of the last epochs the branch takes part; before, its outputs are zeros, and the
        training does not end. None: in all. 'auto' is None, but where `max_iter` is 'auto' too for
        tokens that are seen fewer than 25 times, on average, beside branches that are trained
        longer: a network may soon know texts by their rare words, and would listen to nothing else.
        There it is 2 or None, whichever has the lower loss in a trial: on a fifth of the samples
        (of 50 or more), after a training on the others. It has an effect with
        ``learning_rate='cosine'``, without early stopping, for 'adam' and 'sgd'.

    Attributes
    ----------
    transformer_ : transformer
        The fitted transformer; only with `transformer`.

    token_ids_ : ndarray of shape (n_tokens,)
        The ids of the rows of the embedding; the first is 1, the unknown token.

    has_vector_ : ndarray of bool of shape (n_tokens,)
        Which tokens began with a vector of their own; only if `embedding_matrix` is word vectors.
        The others were drawn.

    See Also
    --------
    MultimodalGRUClassifier : The network of several branches.
    SeriesBranch : Branch of series of numbers.
    TableBranch : Branch of static columns.

    Notes
    -----
    Without a transformer, each cell of its column holds the ids of a sample's tokens, whole numbers
    from 1 on. A cell that is missing (None, NaN) or holds no token is a sample without the branch.

    Examples
    --------
    >>> from skgru import SequenceVectorizer, TokenBranch
    >>> TokenBranch(SequenceVectorizer(min_df=2), embedding_dim=32)
    TokenBranch(embedding_dim=32, transformer=SequenceVectorizer(min_df=2))
    """

    _parameter_constraints: dict[str, Any] = {
        **BaseBranch._parameter_constraints,
        **TOKENS,
        **RECURRENCE,
        "embedding_dim": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
    }
    _input = TokenInput

    @hints_at_names
    def __init__(
        self,
        transformer: Transformer | None = None,
        *,
        embedding_dim: int | Auto = "auto",
        embedding_matrix: VectorSource = None,
        freeze_embedding: bool = False,
        hidden_layer_sizes: Sizes = (64,),
        cell: Cells = "gru",
        reset_after: bool = False,
        output_gate: bool = False,
        bidirectional: bool | Auto = "auto",
        pooling: Poolings | Auto | None = "auto",
        patch_size: int | Auto = "auto",
        shift_patches: bool = True,
        dropout: float | Auto = "auto",
        recurrent_dropout: float | Auto = 0.0,
        token_dropout: float = 0.0,
        bag: bool | Auto = "auto",
        last_epochs: int | Auto | None = "auto",
    ) -> None:
        self.transformer = transformer
        self.embedding_dim = embedding_dim
        self.embedding_matrix = embedding_matrix
        self.freeze_embedding = freeze_embedding
        self.hidden_layer_sizes = hidden_layer_sizes
        self.cell = cell
        self.reset_after = reset_after
        self.output_gate = output_gate
        self.bidirectional = bidirectional
        self.pooling = pooling
        self.patch_size = patch_size
        self.shift_patches = shift_patches
        self.dropout = dropout
        self.recurrent_dropout = recurrent_dropout
        self.token_dropout = token_dropout
        self.bag = bag
        self.last_epochs = last_epochs


class SeriesBranch(_SequenceBranch):
    """Branch of a multimodal network that reads series of numbers.

    Numbers, scaled → recurrent layers → pooling.

    Parameters
    ----------
    transformer : transformer or None, default=None
        A transformer of scikit-learn that makes sequences of the columns, such as
        :class:`SequenceAligner` or :class:`PerTimestep`. A clone of it is fitted to the samples
        to train on, without those held out to stop early, and is kept as `transformer_`. It is
        given the rows of which not all cells are missing: of one column (a name, an index) the
        column itself, else a table. None: the columns are read as they are.

    time_feature : int or str, default=None
        The feature that holds the time stamp of each step, in any unit: its index among the
        columns of the branch, or its column's name. The network then reads the time since the
        previous step in its place, and ``missing='decay'`` counts in time, not in steps. Stamps may
        be equal, but must not decrease in a sequence.

    missing : {'decay', 'indicator', 'error'}, default='decay'
        Treatment of NaN inside a sequence, if there is any in training: 'decay' is GRU-D,
        'indicator' puts the training mean in its place and has the network read which features are
        missing, 'error' refuses it; see :class:`GRUClassifier`. A sample without the branch is
        another matter: see :class:`MultimodalGRUClassifier`.

    scaling : {'standard', 'robust', 'sequence', 'auto'} or None, default='auto'
        Scaling of each feature over the steps of all training sequences: to mean 0 and variance 1;
        or to median 0 and interquartile range 1, after which outliers are bent into the range from
        -3 to 3. 'sequence' scales each sequence by its own mean and deviation, which the network
        reads as well; 'auto' is 'sequence' where the magnitudes of the sequences span orders, else
        'standard': see :class:`GRUClassifier`.

    features_per_step : int, default=1
        Number of features of a step where X does not say: in a 2-D X and in sequences of one
        dimension. Step 0's features come first, then step 1's.

    hidden_layer_sizes : int or array-like of int, default=(64,)
        Units of each hidden layer, from the bottom up.

    cell : {'gru', 'lstm', 'rnn', 'mingru'} or tuple of them, default='gru'
        The recurrent cell: gated recurrent unit, long short-term memory, the simple tanh cell, or
        the minimal gated recurrent unit, whose gates do not read the state; see
        :class:`GRUClassifier`. A tuple has one for each hidden layer.

    reset_after : bool, default=False
        Whether the reset gate of 'gru' acts on the matrix product, as in cuDNN, Keras and PyTorch,
        rather than on the state before it.

    output_gate : bool, default=False
        Whether each hidden layer but an 'lstm' has an output gate: ``y_t = o_t * tanh(h_t)``,
        with a gate ``o_t`` that reads the step's input and its state; without it ``y_t = h_t``.
        (An 'lstm' has one of its own.)

    bidirectional : bool or 'auto', default='auto'
        Whether each hidden layer has a second one beside it that reads the sequences from their
        ends. 'auto' is True for classes, but False with ``pooling=None`` (a target at each step),
        where it would read later steps, with `bptt_steps`, and for 20 or more features per step at
        least half of whose values are missing; and False for numbers as targets.

    pooling : {'last', 'mean', 'max', 'attention', 'auto'} or tuple of them or None, default='auto'
        The outputs of the branch, from the top layer: the output at each sequence's last step (in
        the reverse direction, its first one), the mean or the largest of each unit over the steps,
        or a mean with learned weights. A tuple joins several, side by side. None: the outputs of
        every step, each for itself; y then holds a target for each step of each sequence. Each
        other branch of sequences either has the same number of steps in every sample, and None too,
        or a pooling other than 'auto': all steps of a sample have its outputs, and those of tables,
        in common. 'auto' is as in :class:`GRUClassifier`.

    patch_size : int or 'auto', default='auto'
        Number of consecutive steps that are joined into one before the recurrence, counted from the
        end; see :class:`GRUClassifier`. 'auto' is the mean length divided by 40, rounded, at least
        1; and 1 for tokens, with ``pooling=None`` and with `bptt_steps`.

    shift_patches : bool, default=True
        Whether the joints between patches move while 'adam' or 'sgd' trains.

    dropout : float or 'auto', default='auto'
        Share of the inputs of each hidden layer, and of the outputs of the branch, that each update
        leaves out, anew at every step, in [0, 1). 'auto' is 0.3 for tokens, 0.2 for three or more
        features per step, 0.5 for 20 or more at least half of whose values are missing, and 0 for
        fewer than three, which nothing can stand in for, and for 'lbfgs'.

    recurrent_dropout : float or 'auto', default='auto'
        Share of each hidden layer's units whose state the next step does not read: the same units
        at all steps of a sequence. 'auto' is 0.5 for 20 or more features per step at least half of
        whose values are missing, else, and for 'lbfgs', 0.

    last_epochs : int, 'auto' or None, default='auto'
        In how many of the last epochs the branch takes part; before, its outputs are zeros, and the
        training does not end. None: in all. 'auto' is None. It has an effect with
        ``learning_rate='cosine'``, without early stopping, for 'adam' and 'sgd'.

    Attributes
    ----------
    transformer_ : transformer
        The fitted transformer; only with `transformer`.

    feature_mean_ : ndarray of shape (n_features,)
        What is subtracted from each feature; NaN for one without a value in training, which is
        never read.

    feature_scale_ : ndarray of shape (n_features,)
        What each feature is divided by, after the subtraction; NaN as in `feature_mean_`. With
        ``scaling='sequence'`` these are mean and deviation of all values, by which those of the
        sequences are measured.

    gap_scale_ : ndarray of shape (n_features,)
        The mean time since each feature was last seen.

    has_missing_ : bool
        Whether values were missing in training.

    See Also
    --------
    MultimodalGRUClassifier : The network of several branches.
    TokenBranch : Branch of tokens.
    TableBranch : Branch of static columns.

    Notes
    -----
    Its columns hold an array per cell: a column per feature, (n_steps_i,) in each cell, those of a
    row of the same length; or one column with all features, (n_steps_i, n_features) in each cell.
    Or they hold numbers, a column per step (of `features_per_step` numbers). Where all cells of a
    row are missing (None, NaN), empty or hold nothing but NaN, the sample is without the branch;
    where only some are missing, those features are missing at all of its steps.

    Examples
    --------
    >>> from skgru import SeriesBranch
    >>> SeriesBranch(time_feature="time", cell="lstm")
    SeriesBranch(cell='lstm', time_feature='time')
    """

    _parameter_constraints: dict[str, Any] = {
        **BaseBranch._parameter_constraints,
        **NUMBERS,
        **RECURRENCE,
    }
    _input = NumberInput

    @hints_at_names
    def __init__(
        self,
        transformer: Transformer | None = None,
        *,
        time_feature: int | str | None = None,
        missing: Missing = "decay",
        scaling: Scaling = "auto",
        features_per_step: int = 1,
        hidden_layer_sizes: Sizes = (64,),
        cell: Cells = "gru",
        reset_after: bool = False,
        output_gate: bool = False,
        bidirectional: bool | Auto = "auto",
        pooling: Poolings | Auto | None = "auto",
        patch_size: int | Auto = "auto",
        shift_patches: bool = True,
        dropout: float | Auto = "auto",
        recurrent_dropout: float | Auto = "auto",
        last_epochs: int | Auto | None = "auto",
    ) -> None:
        self.transformer = transformer
        self.time_feature = time_feature
        self.missing = missing
        self.scaling = scaling
        self.features_per_step = features_per_step
        self.hidden_layer_sizes = hidden_layer_sizes
        self.cell = cell
        self.reset_after = reset_after
        self.output_gate = output_gate
        self.bidirectional = bidirectional
        self.pooling = pooling
        self.patch_size = patch_size
        self.shift_patches = shift_patches
        self.dropout = dropout
        self.recurrent_dropout = recurrent_dropout
        self.last_epochs = last_epochs


class TableBranch(BaseBranch):
    """Branch of a multimodal network that reads static columns: a row of a table per sample.

    Numbers, scaled, and categories → hidden layers, if there are any.

    Parameters
    ----------
    transformer : transformer or None, default=None
        A transformer of scikit-learn that makes a table or a sparse matrix of the columns, such as
        ``OneHotEncoder()`` or ``TfidfVectorizer()``. A clone of it is fitted to the samples
        to train on, without those held out to stop early, and is kept as `transformer_`. It is
        given the rows of which not all cells are missing: of one column (a name, an index) the
        column itself, else a table. None: the columns are read as they are.

    hidden_layer_sizes : int or array-like of int, default=()
        Units of each hidden layer, of rectified linear units, from the bottom up.

    scaling : {'standard', 'robust'} or None, default='robust'
        Scaling of each number over the training samples: to median 0 and interquartile range 1,
        after which outliers are bent into the range from -3 to 3; or to mean 0 and variance 1. A
        sparse matrix is not scaled.

    embedding_dim : int, 'auto' or None, default='auto'
        Dimensions of the trainable vector of each category of a categorical column. None:
        categories are read one-hot. 'auto' is None for a column of up to 10 categories, else
        ``min(32, round(1.6 * n_categories ** 0.56))``.

    dropout : float or 'auto', default='auto'
        Share of the inputs of each hidden layer, and of the outputs of the branch, that each update
        leaves out, in [0, 1). 'auto' is 0.

    last_epochs : int, 'auto' or None, default='auto'
        In how many of the last epochs the branch takes part; before, its outputs are zeros, and the
        training does not end. None: in all. 'auto' is None. It has an effect with
        ``learning_rate='cosine'``, without early stopping, for 'adam' and 'sgd'.

    Attributes
    ----------
    transformer_ : transformer
        The fitted transformer; only with `transformer`.

    feature_mean_ : ndarray of shape (n_numbers,)
        What is subtracted from the columns that hold numbers.

    feature_scale_ : ndarray of shape (n_numbers,)
        What these columns are divided by, after the subtraction.

    categories_ : dict of str to ndarray
        The categories of the other columns, by the names of these.

    See Also
    --------
    MultimodalGRUClassifier : The network of several branches.
    TokenBranch : Branch of tokens.
    SeriesBranch : Branch of series of numbers.

    Notes
    -----
    Columns of texts, truth values or a categorical type hold categories, all others numbers; both
    may be missing. A missing number is read as the mean (median), and beside it the network reads
    that it is missing, if one was in training. A missing category is a category of its own, if one
    was in training; one that was not seen is read as zeros. Where all cells of a row are missing,
    the sample is without the branch.

    A sparse matrix, which a transformer such as ``TfidfVectorizer()`` returns, enters through a
    linear layer of its own, the outputs of which are added to those of the network: the wide part
    beside a deep one [1]_. With `hidden_layer_sizes` it is an input of these layers instead.

    References
    ----------
    .. [1] H.-T. Cheng et al., "Wide & deep learning for recommender systems", DLRS 2016.

    Examples
    --------
    >>> from sklearn.feature_extraction.text import TfidfVectorizer
    >>> from skgru import TableBranch
    >>> TableBranch(TfidfVectorizer())
    TableBranch(transformer=TfidfVectorizer())
    """

    _parameter_constraints: dict[str, Any] = {
        **BaseBranch._parameter_constraints,
        "hidden_layer_sizes": ["array-like", Interval(Integral, 1, None, closed="left")],
        "scaling": [StrOptions({"standard", "robust"}), None],
        "embedding_dim": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left"), None],
        "dropout": [StrOptions({"auto"}), Interval(Real, 0, 1, closed="left")],
    }
    _input = TableInput

    @hints_at_names
    def __init__(
        self,
        transformer: Transformer | None = None,
        *,
        hidden_layer_sizes: Sizes = (),
        scaling: ScalingOfRows = "robust",
        embedding_dim: int | Auto | None = "auto",
        dropout: float | Auto = "auto",
        last_epochs: int | Auto | None = "auto",
    ) -> None:
        self.transformer = transformer
        self.hidden_layer_sizes = hidden_layer_sizes
        self.scaling = scaling
        self.embedding_dim = embedding_dim
        self.dropout = dropout
        self.last_epochs = last_epochs

    def _open_columns(self, selected: Any) -> Any:
        return open_table(selected)

    def _open_output(self, output: Any, present: NDArray[Any]) -> Any:
        return open_output(output, present)

    def _open_absent(self, absent: Any) -> Any:
        return open_output(np.empty((0, 1)), ~absent)


def _n_rows(output: Any) -> int | None:
    """Return how many rows the output of a transformer has, None if it has none."""
    shape = getattr(output, "shape", None)
    if shape is None:
        return len(output) if hasattr(output, "__len__") else None
    return shape[0] if len(shape) else None
