"""Any scikit-learn transformer, applied to every step of sequences."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from itertools import pairwise
from numbers import Integral
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn import config_context, get_config
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.utils import get_tags
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping, process_routing
from sklearn.utils.validation import check_consistent_length, check_is_fitted, validate_data

from skgru._callbacks import as_one_task
from skgru._compat import (
    CallbackSupportMixin,
    HasMethods,
    Interval,
    available_if,
    columns_of,
    fit_context,
)
from skgru._data.arrays import TimesError, as_array, describe, is_missing
from skgru._data.forms import (
    check_container,
    is_container,
    is_frame,
    is_sequence,
    names_of,
    open_form,
)
from skgru._data.libraries import library_named, library_of, library_of_column
from skgru._data.parsing import Parsed, check_features, parse_numbers
from skgru._data.row_labels import warn_of_another_order
from skgru._data.selection import missing_cells
from skgru._data.sequences import locate, offsets_of
from skgru._data.targets import (
    are_step_targets,
    as_targets,
    as_weights,
    has_target,
    parse_step_targets,
    parse_step_weights,
    without_missing,
)
from skgru._estimator import Estimator, hints_at_names
from skgru._types import ArrayLike, Output, Transformer

__all__ = ["PerTimestep"]

# More features of a step are hardly meant to be read by a dense layer: all texts of a hash table.
_MAX_SPARSE_WIDTH = 10_000


class PerTimestep(CallbackSupportMixin, TransformerMixin, Estimator, auto_wrap_output_keys=None):
    """Apply a transformer to every step of sequences.

    The transformer is fitted on the steps of all sequences, stacked into one table of shape (total
    number of steps, n_features), and transforms them: any transformer of scikit-learn works on
    sequences in this way, without changing their number of steps or mixing one step with another.
    The output is sequences again, in the form in which they were given.

    Parameters
    ----------
    transformer : estimator
        The transformer of single steps. It is cloned, not fitted itself.

    features_per_step : int, default=1
        Number of features of a step where `X` does not say: in two-dimensional `X` and in sequences
        of shape (n_steps,).

    Attributes
    ----------
    transformer_ : estimator
        The fitted transformer.

    n_features_in_ : int
        Number of features seen during `fit`: the columns of two-dimensional `X`, and the features
        of a step otherwise.

    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of features seen during `fit`. Defined only when `X` is a DataFrame, or a list of
        DataFrames, with names that are all strings.

    See Also
    --------
    sklearn.compose.ColumnTransformer : Apply transformers to columns of a table.
    skgru.GRUClassifier : Classifier of sequences.
    skgru.GRURegressor : Regressor of sequences.

    Notes
    -----
    X is read in any of these forms, and the output, with n_features_out features per step, has the
    form of X:

    - array or DataFrame of shape (n_samples, n_steps * features_per_step), step after step: array
      of shape (n_samples, n_steps * n_features_out), of which the network has to be told
      ``features_per_step=n_features_out``;
    - array of shape (n_samples, n_steps, n_features): array of shape (n_samples, n_steps,
      n_features_out);
    - list, tuple, object array or Series of arrays of shape (n_steps_i, n_features) or
      (n_steps_i,), of unequal length: list of arrays of shape (n_steps_i, n_features_out);
    - DataFrame of arrays of shape (n_steps_i,), one column per feature, such as `make_sequences`
      returns: the same;
    - list, tuple, object array or Series of DataFrames, one per sequence: the same;
    - list, tuple, object array or Series of lists of texts, such as the words of a sentence, or of
      dicts, for :class:`~sklearn.feature_extraction.DictVectorizer`: the same.

    After ``set_output(transform="pandas")`` or "polars" the output is a DataFrame in which features
    have their names, see `set_output`.

    From DataFrames the transformer is given a DataFrame, so that it can choose columns by name or
    by type, as :class:`~sklearn.compose.ColumnTransformer` does. Their columns may be of any type:
    texts, categories, dates. (Of a table of Arrow it is given an array.) One column of texts is
    given as an array of shape (total number of steps,) to what reads raw texts, such as
    :class:`~sklearn.feature_extraction.text.HashingVectorizer`, and as a table of one column to all
    others, such as :class:`~sklearn.preprocessing.OneHotEncoder`.

    A sparse output becomes dense, as networks read it; it may have up to 10,000 columns.

    Trailing steps that are wholly NaN are padding: the transformer never sees them, and in the
    output they are NaN again. Other missing values are handed to the transformer, which may impute
    them. A sequence may be empty.

    Every step counts the same in `fit`: long sequences count more than short ones.

    `fit`, `fit_transform` and `partial_fit` hand on what the transformer's `fit` takes beside X and
    y, such as `sample_weight`: one value for each sequence, which all of its steps are given (or
    weights for each step, ragged like X). With metadata routing of scikit-learn that is what the
    transformer has requested, such as ``StandardScaler().set_fit_request(sample_weight=True)``.

    Examples
    --------
    Two hundred correlated variables per step, of which a network is given three components:

    >>> import numpy as np
    >>> from sklearn.decomposition import PCA
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from skgru import GRUClassifier, PerTimestep
    >>> rng = np.random.default_rng(0)
    >>> latent = [rng.normal(size=(n_steps, 3)) for n_steps in rng.integers(3, 9, size=60)]
    >>> y = ["up" if z[:, 0].sum() > 0 else "down" for z in latent]
    >>> mixing = rng.normal(size=(3, 200))
    >>> X = [z @ mixing for z in latent]
    >>> PerTimestep(PCA(n_components=3)).fit_transform(X)[0].shape
    (8, 3)
    >>> model = make_pipeline(
    ...     PerTimestep(make_pipeline(StandardScaler(), PCA(n_components=3))),
    ...     GRUClassifier(hidden_layer_sizes=8, learning_rate_init=0.02, random_state=0),
    ... )
    >>> model.fit(X, y).score(X, y) > 0.9
    True

    The characters of words, one to three at a time:

    >>> from sklearn.feature_extraction.text import HashingVectorizer
    >>> characters = HashingVectorizer(analyzer="char_wb", ngram_range=(1, 3), n_features=256)
    >>> words = [["The", "film", "is", "unwatchable"], ["Watch", "it"]]
    >>> [x.shape for x in PerTimestep(characters).fit_transform(words)]
    [(4, 256), (2, 256)]
    """

    _parameter_constraints: dict[str, Any] = {
        "transformer": [HasMethods(["fit", "transform"])],
        "features_per_step": [Interval(Integral, 1, None, closed="left")],
    }

    @hints_at_names
    def __init__(self, transformer: Transformer, *, features_per_step: int = 1) -> None:
        self.transformer = transformer
        self.features_per_step = features_per_step

    @fit_context(prefer_skip_nested_validation=False)
    @as_one_task
    def fit(self, X: ArrayLike, y: ArrayLike | None = None, **params: Any) -> Self:
        """Fit the transformer on the steps of all sequences.

        Parameters
        ----------
        X : array-like
            Sequences, in any of the forms of the class's notes.

        y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
            The target of each sequence, given to the transformer as that of each of its steps. Or
            a target for each step, as networks with ``pooling=None`` take them: an array of shape
            (n_steps_i,) or (n_steps_i, n_outputs) for each sequence; steps without one (None, NaN)
            are not fitted on. A y of shape (n_samples, n_steps) is of the second kind where all
            sequences have `n_steps` steps.

        **params : dict
            What the transformer's `fit` takes beside X and y, such as `sample_weight`: arrays of
            shape (n_samples,), a value for each sequence; of `sample_weight`, also weights for each
            step, ragged like X. With metadata routing the transformer has to request them.

        Returns
        -------
        self : object
            Fitted transformer.

        Raises
        ------
        ValueError, TypeError
            If `X` has none of the forms or no step.
        """
        with self._unchanged_on_error():
            self._fit(X, y, self._routed("fit", params))
        return self

    @available_if(lambda self: hasattr(self.transformer, "partial_fit"))
    @fit_context(prefer_skip_nested_validation=False)
    @as_one_task
    def partial_fit(self, X: ArrayLike, y: ArrayLike | None = None, **params: Any) -> Self:
        """Fit the transformer on the steps of some more sequences.

        Statistics of data larger than memory, batch by batch; where the transformer has a
        `partial_fit`, such as :class:`~sklearn.preprocessing.StandardScaler`.

        Parameters
        ----------
        X : array-like
            Sequences, in any of the forms of the class's notes.

        y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
            The target of each sequence, or one for each step, as for `fit`.

        **params : dict
            What the transformer's `partial_fit` takes beside X and y, as for `fit`.

        Returns
        -------
        self : object
            Fitted transformer.

        Raises
        ------
        ValueError, TypeError
            If `X` has none of the forms, no step, or other features than in the first call.
        """
        with self._unchanged_on_error():
            self._fit(X, y, self._routed("partial_fit", params), goes_on=True)
        return self

    @fit_context(prefer_skip_nested_validation=False)
    @as_one_task
    def fit_transform(self, X: ArrayLike, y: ArrayLike | None = None, **params: Any) -> Any:
        """Fit the transformer on the steps of all sequences, and transform them.

        The same as `fit` followed by `transform`, unless the transformer's own `fit_transform`
        differs, as that of :class:`~sklearn.preprocessing.TargetEncoder`.

        Parameters
        ----------
        X : array-like
            Sequences, in any of the forms of the class's notes.

        y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
            The target of each sequence, given to the transformer as that of each of its steps. Or
            a target for each step, as networks with ``pooling=None`` take them: an array of shape
            (n_steps_i,) or (n_steps_i, n_outputs) for each sequence; steps without one (None, NaN)
            are not fitted on. A y of shape (n_samples, n_steps) is of the second kind where all
            sequences have `n_steps` steps.

        **params : dict
            What the transformer's `fit` takes beside X and y, such as `sample_weight`: arrays of
            shape (n_samples,), a value for each sequence; of `sample_weight`, also weights for each
            step, ragged like X. With metadata routing the transformer has to request them.

        Returns
        -------
        X_new : ndarray, DataFrame or list of ndarray
            The transformed sequences, in the form of `X`, or in the container of `set_output`.

        Raises
        ------
        ValueError, TypeError
            If `X` has none of the forms or no step.
        """
        with self._unchanged_on_error():
            routed = self._routed("fit_transform", params)
            given, steps = self._fit(X, y, routed, transforms=True)
        return self._wrap(given, steps, X)

    def transform(self, X: ArrayLike) -> Any:
        """Transform every step of the sequences.

        Parameters
        ----------
        X : array-like
            Sequences, in any of the forms of the class's notes.

        Returns
        -------
        X_new : ndarray, DataFrame or list of ndarray
            The transformed sequences, in the form of `X`, or in the container of `set_output`.

        Raises
        ------
        ValueError, TypeError
            If `X` has none of the forms or other features than in `fit`.
        """
        check_is_fitted(self)
        given = self._read(X, reset=False)
        steps = self._no_steps
        if len(given.steps):
            with self._with_inner_output(given.steps):
                steps = self._apply(self.transformer_.transform, given.steps)
        return self._wrap(given, steps, X)

    @available_if(lambda self: hasattr(self.transformer, "inverse_transform"))
    def inverse_transform(self, X: ArrayLike) -> NDArray[Any] | list[NDArray[Any]]:
        """Transform every step back.

        Parameters
        ----------
        X : array-like
            Sequences as `transform` returns them.

        Returns
        -------
        X_original : ndarray or list of ndarray
            The sequences in the original space, in the form of `X`.

        Raises
        ------
        ValueError, TypeError
            If `X` has none of the forms or other features per step than `transform` returns.
        """
        check_is_fitted(self)
        n_expected = self._no_steps.shape[1]
        given = _find_steps(X, n_expected, self)
        n_steps, n_features = given.steps.shape
        if n_steps and n_features != n_expected:
            raise ValueError(
                f"X has {n_features} features per step, but the output of {type(self).__name__} "
                f"has {n_expected} features per step."
            )
        # The width of the original space shows in a step of zeros, if there is no other.
        steps = given.steps if n_steps else np.zeros((1, n_expected))
        return given.in_form(self._apply(self.transformer_.inverse_transform, steps)[:n_steps])

    def get_feature_names_out(self, input_features: ArrayLike | None = None) -> NDArray[Any]:
        """Get output feature names for transformation.

        Parameters
        ----------
        input_features : array-like of str or None, default=None
            Names of the input features. They have to be `feature_names_in_` if that is defined.
            Not used if `fit` was given two-dimensional `X`.

        Returns
        -------
        feature_names_out : ndarray of str objects
            The names that the transformer gives to the features of a step, such as ``"pca0"``. If
            `fit` was given two-dimensional `X`, the names of all columns of the output:
            ``"step0_pca0"``, ``"step0_pca1"``, ..., ``"step1_pca0"``, ...
        """
        check_is_fitted(self)
        if input_features is not None:
            input_features = np.asarray(input_features, dtype=object)
            expected = getattr(self, "feature_names_in_", input_features)
            if not np.array_equal(input_features, expected):
                raise ValueError("input_features is not equal to feature_names_in_")
            if len(input_features) != self.n_features_in_:
                raise ValueError(
                    "input_features should have length equal to number of features "
                    f"({self.n_features_in_}), got {len(input_features)}"
                )
        if self._n_columns is None:
            return self._step_names(input_features)
        return self._column_names(self._n_columns // int(self.features_per_step))

    def set_output(self, *, transform: Output = None) -> Self:
        """Set the container of the output.

        In the default one, sequences are arrays, which have no names. A DataFrame has a row for
        each sequence, as those that `make_sequences` makes: of each feature a column of arrays of
        shape (n_steps_i,), or with polars of lists, under the name that `get_feature_names_out`
        gives it. Its columns keep types of their own: dates beside numbers remain dates, so that
        ``time_feature="time"`` of the network behind finds them. Rows keep the index of pandas.

        Two-dimensional `X` becomes a DataFrame of numbers, a column for each feature of a step.

        Parameters
        ----------
        transform : {"default", "pandas", "polars"}, default=None
            Container of the output of `transform` and `fit_transform`; None changes nothing.

        Returns
        -------
        self : object
            The transformer itself.

        Notes
        -----
        Where the transformer is given DataFrames, its own parts hand each other DataFrames too,
        unless their own `set_output` says otherwise. Those that would return sparse matrices are
        fitted with ``sparse_output=False``.

        Examples
        --------
        A category as numbers, beside the dates of the steps:

        >>> import pandas as pd
        >>> from sklearn.compose import make_column_transformer
        >>> from sklearn.preprocessing import OneHotEncoder
        >>> from skgru import PerTimestep, make_sequences
        >>> table = pd.DataFrame(
        ...     {
        ...         "trip": ["A", "A", "B"],
        ...         "when": pd.to_datetime(["2024-01-01", "2024-01-02", "2024-01-08"]),
        ...         "kind": ["walk", "ride", "walk"],
        ...     }
        ... )
        >>> X = make_sequences(table, "trip", "when")
        >>> one_hot = make_column_transformer(
        ...     (OneHotEncoder(), ["kind"]),
        ...     remainder="passthrough",
        ...     verbose_feature_names_out=False,
        ... )
        >>> named = PerTimestep(one_hot).set_output(transform="pandas").fit_transform(X)
        >>> list(named.columns)
        ['kind_ride', 'kind_walk', 'when']
        >>> named.loc["A", "kind_ride"]
        array([0., 1.])
        >>> named.loc["A", "when"].dtype.kind
        'M'
        """
        if transform is not None:
            # Under this name `clone` copies it.
            self._sklearn_output_config = {"transform": transform}
        return self

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        inner = get_tags(self.transformer)
        tags.input_tags.three_d_array = True
        tags.input_tags.allow_nan = inner.input_tags.allow_nan or inner.no_validation
        tags.input_tags.positive_only = inner.input_tags.positive_only
        tags.target_tags.required = inner.target_tags.required
        tags.transformer_tags = inner.transformer_tags or tags.transformer_tags
        tags.non_deterministic = inner.non_deterministic
        return tags

    def get_metadata_routing(self) -> Any:
        """Return what metadata the transformer is handed.

        Returns
        -------
        routing : MetadataRouter
            Of scikit-learn: see its user guide on metadata routing.
        """
        mapping = MethodMapping().add(caller="fit", callee="fit")
        mapping.add(caller="fit_transform", callee="fit")
        if hasattr(self.transformer, "partial_fit"):
            mapping.add(caller="partial_fit", callee="partial_fit")
        return MetadataRouter(owner=self).add(transformer=self.transformer, method_mapping=mapping)

    def _routed(self, method, params):
        """Return what the transformer is handed of the metadata of a method."""
        if not get_config()["enable_metadata_routing"]:
            return params
        routed = process_routing(self, method, **params).transformer
        return routed["partial_fit" if method == "partial_fit" else "fit"]

    def _fit(self, X, y, params, *, transforms=False, goes_on=False):
        """Fit; return X as it was read and, if it `transforms`, the transformed steps.

        If it `goes_on`, what has been fitted before is fitted further.
        """
        warn_of_another_order(X, y=y)
        goes_on, is_partial = goes_on and hasattr(self, "transformer_"), goes_on
        given = self._read(X, y, reset=not goes_on)
        steps = given.steps
        if len(steps) == 0:
            raise ValueError(
                "X has no step to fit the transformer on: expected at least 1, but all sequences "
                "are empty or padding."
            )
        y, present = _of_steps(y, given.read)
        known = steps if present is None else _rows(steps, present)
        params = {
            name: _metadata_of_steps(name, value, given.read, present)
            for name, value in params.items()
        }
        # (A copy, as what was fitted has to stay if this fails.)
        transformer = deepcopy(self.transformer_) if goes_on else clone(self.transformer)
        # The transformer's own fit_transform may differ, but only on the steps of the fit.
        with self._with_inner_output(steps):
            if get_config()["transform_output"] != "default" and not goes_on:
                _make_dense(transformer)
            if transforms and present is None and hasattr(transformer, "fit_transform"):
                output = self._apply(
                    lambda steps: transformer.fit_transform(steps, y, **params), steps
                )
            else:
                fit = transformer.partial_fit if is_partial else transformer.fit
                fit(known, y, **params)
                output = self._apply(transformer.transform, steps if transforms else steps[:1])
        self.transformer_ = transformer
        # The output of no steps, which it would refuse.
        self._no_steps = np.asarray(output[:0]).copy()
        self._names_returned = list(map(str, output.columns)) if is_frame(output) else None
        return given, output

    def _read(self, X, y="no_validation", *, reset):
        """Read X; with `reset`, learn its features, else compare with them."""
        keeps_types = not reset and self._keeps_types
        reads = _cells_read_by(self.transformer)
        given = _find_steps(
            X, int(self.features_per_step), type(self).__name__, keeps_types, reads or (str,)
        )
        if reads:
            given = _as_cells(given, reads)
        elif given.form == "texts":
            given = given._replace(steps=given.steps[:, None])
        named = names_of(X)
        named = X if named is None else named
        validate_data(self, named, y, skip_check_array=True, ensure_2d=False, reset=reset)
        n_features, n_columns = (*given.steps.shape, 1)[1], given.read.n_columns
        if reset:
            self.n_features_in_ = n_features if n_columns is None else n_columns
            self._n_features, self._n_columns = n_features, n_columns
            self._keeps_types = given.keeps_types
            return given
        found = n_columns, n_features if len(given.steps) else None
        check_features(
            found,
            (self._n_columns, self._n_features),
            is_list=isinstance(X, list | tuple),
            estimator_name=type(self).__name__,
        )
        return given

    def _apply(self, method, steps):
        """Return the output of a method of the transformer for steps, of shape (n_steps, D').

        It is an array, or a DataFrame if the transformer returns one.
        """
        output = method(steps)
        if sparse.issparse(output):
            if output.shape[1] > _MAX_SPARSE_WIDTH:
                raise ValueError(
                    f"{type(self.transformer).__name__} returned a sparse matrix of "
                    f"{output.shape[1]:,} columns, which becomes dense, as networks read it: "
                    f"expected at most {_MAX_SPARSE_WIDTH:,}. Lower its n_features or "
                    "max_features, raise its min_df or min_frequency, or put a TruncatedSVD behind "
                    "it."
                )
            output = output.toarray()
        if not _is_of_pandas_or_polars(output):
            output = np.asarray(output)
        if len(output.shape) != 2 or len(output) != len(steps):
            raise ValueError(
                f"{type(self.transformer).__name__} must return a row for each step: expected "
                f"shape ({len(steps)}, n_features), got {output.shape}."
            )
        return output

    @property
    def _container(self):
        """The container of the output that the user has set, here or for all of scikit-learn."""
        config = getattr(self, "_sklearn_output_config", {})
        return config.get("transform", get_config()["transform_output"])

    @contextmanager
    def _with_inner_output(self, steps: Any) -> Iterator[None]:
        """Have the transformer return DataFrames, if it is given some and the user wants some.

        So the columns that it joins keep their types. What its own `set_output` says goes before.

        Raises
        ------
        TimesError
            If it could not join dates or durations with numbers.
        """
        inner = get_config()["transform_output"]
        if self._container != "default" and _is_of_pandas_or_polars(steps):
            inner = "pandas" if hasattr(steps, "iloc") else "polars"
        try:
            with config_context(transform_output=inner):
                yield
        except np.exceptions.DTypePromotionError as error:
            _refuse_times(steps, error)
            raise

    def _wrap(self, given, steps, X):
        """Return the output in the container that the user has set."""
        container = self._container
        if given.form != "columns":
            if container == "default":
                return given.in_form(steps)
            index = X.index if hasattr(X, "iloc") else None
            return given.in_frame(steps, self._step_names(), library_named(container), index)
        X_new = given.in_form(steps)
        n_steps = X_new.shape[1] // max(self._no_steps.shape[1], 1)
        columns = _Columns(X_new, lambda: self._column_names(n_steps))
        return columns.set_output(transform=container).transform(X)

    def _column_names(self, n_steps):
        names = self._step_names()
        return np.array([f"step{t}_{name}" for t in range(n_steps) for name in names], dtype=object)

    def _step_names(self, input_features=None):
        try:
            return self.transformer_.get_feature_names_out(input_features)
        except AttributeError:
            is_of_a_part = hasattr(self.transformer_, "get_feature_names_out")
            if is_of_a_part and self._names_returned is None:
                raise
        names = self._names_returned
        if names is None:
            prefix = type(self.transformer_).__name__.lower()
            names = [f"{prefix}{j}" for j in range(self._no_steps.shape[1])]
        return np.array(names, dtype=object)


def _of_steps(y, read):
    """Return the target of each step that has one, and which have: None = all."""
    lengths = read.sequences.lengths
    if y is None:
        return None, None
    if not are_step_targets(y, read):
        y = as_targets(y)
        check_consistent_length(lengths, y)
        return np.repeat(y, lengths, axis=0), None
    y = parse_step_targets(y, read)
    present = has_target(y)
    y = without_missing(y, present)
    return y, None if present.all() else np.flatnonzero(present)


def _make_dense(transformer):
    """Have a transformer return no sparse matrices, which scikit-learn refuses as DataFrames."""
    params = transformer.get_params() if hasattr(transformer, "get_params") else {}
    sparse_ones = [name for name in params if name.rpartition("__")[2] == "sparse_output"]
    if sparse_ones:
        transformer.set_params(**dict.fromkeys(sparse_ones, False))


def _refuse_times(steps, error):
    """Refuse dates and durations that the transformer could not join with numbers."""
    for j, column in enumerate(columns_of(steps) if len(steps.shape) == 2 else ()):
        kind = as_array(column[:1]).dtype.kind
        if kind in "mM":
            name = f"column {steps.columns[j]!r}" if is_frame(steps) else f"feature {j}"
            raise TimesError(
                f"Expected numbers, got {'dates' if kind == 'M' else 'durations'} in {name} of X: "
                "one array cannot hold both. set_output(transform='pandas') of PerTimestep, or of "
                "its pipeline, keeps the columns apart, each with its name; or make numbers of "
                "them first."
            ) from error


def _metadata_of_steps(name, values, read, present):
    """Return metadata of sequences, or weights of steps, as those of the steps that are present."""
    if not is_container(values):
        return values  # one for all
    if name == "sample_weight":
        of_steps = parse_step_weights(as_weights(values), read)
    else:
        values = as_array(values)
        check_consistent_length(read.sequences.lengths, values)
        of_steps = np.repeat(values, read.sequences.lengths, axis=0)
    return of_steps if present is None else of_steps[present]


def _rows(steps, rows):
    if isinstance(rows, np.ndarray) and rows.dtype == bool:
        rows = np.flatnonzero(rows)  # a mask would choose columns of polars
    return (steps.iloc if hasattr(steps, "iloc") else steps)[rows]


class _Columns(TransformerMixin, BaseEstimator):
    """Hands over a given output, which scikit-learn wraps as it is set to.

    `PerTimestep` cannot have itself wrapped: no container holds three-dimensional output.
    """

    def __init__(self, output, make_names):
        self.output = output
        self.make_names = make_names

    def transform(self, X):
        return self.output

    def get_feature_names_out(self, input_features=None):
        return self.make_names()


# --- Forms of X --------------------------------------------------------------------------------


class _Given(NamedTuple):
    """The steps of X, and how to give back others in their place.

    Attributes
    ----------
    steps : ndarray or DataFrame of shape (total steps, D), or ndarray of texts (total steps,)
        All steps without the padding.
    read : Parsed
        X as sequences.
    form : {"columns", "array", "list", "frames", "texts"}
    keeps_types : bool, default=False
        Whether they are columns of any type, which X has in its cells.
    """

    steps: Any
    read: Parsed
    form: str
    keeps_types: bool = False

    def in_form(self, steps):
        """Return an array (total steps, D') in the form of X, with the padding of X."""
        steps = np.asarray(steps)
        offsets = self.read.given_offsets
        if len(steps) < offsets[-1]:
            padded = np.full((offsets[-1], steps.shape[1]), np.nan, _with_nan(steps.dtype))
            padded[self.read.kept] = steps
            steps = padded
        n, width = len(offsets) - 1, steps.shape[1]
        if self.form == "columns":
            return steps.reshape(n, offsets[1] * width)
        if self.form == "array":
            return steps.reshape(n, offsets[1], width)
        return [steps[start:stop] for start, stop in pairwise(offsets)]

    def in_frame(self, steps, names, library, index):
        """Return a table (total steps, D') as a DataFrame of sequences, with the padding of X."""
        names = list(names)
        if len(set(names)) < len(names):
            raise ValueError(
                f"Expected a name of its own for each column of a DataFrame, got {names}: rename "
                "them, or take set_output(transform='default')."
            )
        offsets = self.read.given_offsets
        rows = None
        if len(steps) < offsets[-1]:
            rows = np.full(offsets[-1], -1)
            rows[self.read.kept] = np.arange(len(steps))
        cells = {}
        for name, column in zip(names, columns_of(steps), strict=True):
            if rows is not None:
                column = library_of_column(column).take(column, rows)
            cells[name] = library.cut(library.adopt(column), offsets)
        return library.frame(cells, index)


def _with_nan(dtype):
    """Return the type for values of `dtype` and NaN."""
    if dtype.kind in "biu":
        return np.result_type(dtype, np.float32)
    return dtype if dtype.kind in "fc" else object


def _find_steps(X, features_per_step, estimator_name, keeps_types=False, kinds=(str,)):
    check_container(X)
    frames = _frames_in(X)
    if frames:
        return _parse_frames(frames)
    texts = _texts_in(X, kinds)
    if texts:
        return _parse_texts(texts, kinds)
    if _holds_other_than_numbers(X, keeps_types):
        return _parse_columns(X)._replace(keeps_types=True)
    opened = open_form(X, estimator_name)
    read = parse_numbers(opened, features_per_step=features_per_step, allow_missing=True)
    steps = read.sequences.values
    if read.n_columns is not None:
        return _Given(steps, read, "columns")
    if len(getattr(X, "shape", ())) == 3:
        return _Given(steps, read, "array")
    # A column of arrays (T, D) names none of their features.
    if _is_of_pandas_or_polars(X) and len(X.columns) == steps.shape[1]:
        is_pandas = hasattr(X, "iloc")
        names = {"columns": X.columns} if is_pandas else {"schema": X.columns, "orient": "row"}
        steps = type(X)(steps, **names)
    return _Given(steps, read, "list")


def _frames_in(X):
    """Return a list, array or Series of DataFrames as a list; of any other X, an empty one."""
    elements = _elements_of(X)
    return elements if any(map(_is_of_pandas_or_polars, elements)) else []


def _texts_in(X, kinds):
    """Return sequences of texts, or of dicts, as a list; of any other X, an empty one."""
    if is_frame(X):
        return []  # whose columns have names
    elements = _elements_of(as_array(X) if hasattr(X, "to_numpy") else X)
    steps = (step for x in elements if is_sequence(x) for step in _elements_of(x))
    first = next((step for step in steps if not is_missing(step)), None)
    return elements if isinstance(first, kinds) else []


def _elements_of(X):
    """Return the elements of a list, array or Series; of any other X, an empty list."""
    one_dimensional = len(getattr(X, "shape", (0,))) == 1
    is_sized = hasattr(X, "__iter__") and hasattr(X, "__len__")
    return list(X) if one_dimensional and is_sized else []


def _cells_read_by(transformer):
    """Return the types of the cells of the array that a transformer reads, () if it reads tables.

    Those are texts, and of a :class:`~sklearn.feature_extraction.DictVectorizer` dicts.
    """
    while getattr(transformer, "steps", None):
        transformer = transformer.steps[0][1]  # a pipeline has no say of its own
    tags = get_tags(transformer).input_tags
    if tags.two_d_array:
        return ()
    return (str,) * tags.string + (Mapping,) * tags.dict


def _is_of_pandas_or_polars(x):
    """Whether x is a DataFrame that a transformer may take; tables of Arrow become arrays."""
    return is_frame(x) and hasattr(x, "dtypes")


def _parse_frames(frames):
    first = frames[0]
    for i, frame in enumerate(frames):
        if type(frame) is not type(first):
            raise TypeError(
                "Expected all sequences to be of one type, a DataFrame: sequence 0 is a "
                f"{_type_name(first)}, but sequence {i} is a {_type_name(frame)}."
            )
        if list(frame.columns) != list(first.columns):
            raise ValueError(
                "All sequences must have the same columns in the same order: expected "
                f"{list(first.columns)} as in sequence 0, but sequence {i} has "
                f"{list(frame.columns)}."
            )
    # Without the empty ones, whose columns may have lost their types.
    steps = _concatenate([frame for frame in frames if len(frame)] or frames[:1])
    lengths = [len(frame) for frame in frames]
    return _of_rows(steps, _is_missing(steps).all(axis=1), lengths, "frames")


def _of_rows(steps, missing, lengths, form):
    """Return the steps of sequences of any type; the one door decides on padding."""
    marks = np.where(missing, np.nan, 0.0)
    opened = open_form([marks[start:stop] for start, stop in pairwise(offsets_of(lengths))])
    read = parse_numbers(opened, allow_missing=True)
    return _Given(_rows(steps, read.kept), read, form)


def _holds_other_than_numbers(X, keeps_types):
    """Whether X is a table of sequences of which some are of texts, categories or dates.

    With `keeps_types`, others have been: all of those may be missing here.
    """
    is_table = is_frame(X) or (isinstance(X, np.ndarray) and X.dtype == object and X.ndim == 2)
    if not is_table:
        return False
    library = library_of(X)
    columns = [library.column(X, name) for name in library.names_of(X)]
    if not all(map(library.holds_sequences, columns)):
        return False
    return keeps_types or not all(map(library.holds_numbers, columns))


def _parse_columns(X):
    """Parse a table with a sequence in each cell, whose columns keep their types."""
    library = library_of(X)
    columns, first = {}, None
    for name in library.names_of(X):
        try:
            column, lengths = library.join(library.column(X, name))
        except ValueError as error:
            raise ValueError(f"Column {name!r}: {error}") from error
        if getattr(column, "ndim", 1) > 1:
            raise ValueError(
                "Expected sequences of one value at each step in a table of other than numbers, "
                f"but those of column {name!r} have {column.shape[1]}."
            )
        first = lengths if first is None else first
        if not np.array_equal(lengths, first):
            i = np.argmax(lengths != first)
            raise ValueError(
                "Expected the sequences of a row to have the same length, but that of column "
                f"{name!r} has {lengths[i]} steps in row {i}, others {first[i]}."
            )
        columns[name] = column
    if _is_of_pandas_or_polars(X):
        steps = library.frame(columns, None)
    else:
        steps = np.column_stack([as_array(column).astype(object) for column in columns.values()])
    return _of_rows(steps, _is_missing(steps).all(axis=1), first, "list")


def _parse_texts(sequences, kinds):
    parts = []
    for i, x in enumerate(sequences):
        if not is_sequence(x):
            raise ValueError(f"Sequence {i} is {describe(x)}, {x!r:.50}, expected a list of texts.")
        parts.append(as_array(x).astype(object))
    steps = np.concatenate(parts)
    missing = np.fromiter(map(is_missing, steps), bool, len(steps))
    given = _of_rows(steps, missing, list(map(len, parts)), "texts")
    _check_cells(given.steps, given.read, kinds)
    return given


def _check_cells(steps, read, kinds):
    """Refuse a step that is none of the kinds of cells, texts or dicts."""
    for row, step in enumerate(steps):
        if not isinstance(step, kinds):
            i, t = locate(row, read.sequences.offsets)
            raise TypeError(
                f"Expected a {'text' if str in kinds else 'dict'} at each step, got {step!r} in "
                f"sequence {i}, step {t}."
            )


def _as_cells(given, kinds):
    """Return a table of one column of cells as an array of them; any other steps as they are."""
    steps = given.steps
    if len(steps.shape) == 1 or steps.shape[1] != 1:
        return given
    (column,) = columns_of(steps)
    cells = as_array(column).astype(object)
    _check_cells(cells, given.read, kinds)
    return given._replace(steps=cells)


def _type_name(x):
    return f"{type(x).__module__.partition('.')[0]}.{type(x).__name__}"


def _concatenate(frames):
    """Stack DataFrames; columns of categories stay such, with the categories of all frames."""
    if hasattr(frames[0], "iloc"):
        import pandas as pd

        stacked = pd.concat(frames, ignore_index=True)
        for j in range(stacked.shape[1]):
            dtypes = [frame.dtypes.iloc[j] for frame in frames]
            if all(isinstance(dtype, pd.CategoricalDtype) for dtype in dtypes):
                is_ordered = all(dtype.ordered for dtype in dtypes)
                categories = _all_categories(dtypes, is_ordered, stacked.columns[j])
                dtype = pd.CategoricalDtype(categories, ordered=is_ordered)
                stacked.isetitem(j, stacked.iloc[:, j].astype(dtype))
        return stacked
    import polars as pl

    for name in frames[0].columns:
        dtypes = [frame.schema[name] for frame in frames]
        if len(set(dtypes)) > 1 and all(isinstance(dtype, pl.Enum) for dtype in dtypes):
            dtype = pl.Enum(_all_categories(dtypes, True, name))
            frames = [frame.with_columns(pl.col(name).cast(dtype)) for frame in frames]
    return pl.concat(frames, how="vertical_relaxed")


def _all_categories(dtypes, is_ordered, name):
    """Return the categories that any of the types of a column has, in the order that all share."""
    dtypes = sorted(dtypes, key=lambda dtype: -len(dtype.categories))
    categories = list(dict.fromkeys(c for dtype in dtypes for c in dtype.categories))
    for dtype in dtypes if is_ordered else ():
        own = list(dtype.categories)
        if own != [category for category in categories if category in own]:
            raise ValueError(
                f"Expected the categories of column {name!r} in one order in all sequences, got "
                f"{own} beside {categories}. Give all sequences the same categories."
            )
    return categories


def _is_missing(frame):
    """Return an array of the shape of a table of steps."""
    if isinstance(frame, np.ndarray):
        return np.column_stack([missing_cells(column) for column in frame.T])
    if hasattr(frame, "isna"):
        return frame.isna().to_numpy()
    return np.column_stack([column.is_null() for column in frame.fill_nan(None)])
