"""What classifier and regressor share: parameters, the fit, the forward pass."""

import warnings
from abc import ABC, abstractmethod
from functools import partial
from numbers import Integral, Real

import numpy as np
from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin, is_classifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, Options, StrOptions
from sklearn.utils.validation import check_is_fitted, validate_data

from skgru._batching import (
    MAX_CHUNK_SEQUENCES,
    MIN_PREDICTING_UNITS,
    MIN_SHARDED_UNITS,
    Steps,
    run_network,
)
from skgru._defaults import AUTO_PARAMETERS, DataShape, choose_plan, choose_structure, fill_auto
from skgru._estimator import Estimator
from skgru._forms import check_container, is_frame, names_of
from skgru._inputs import NumericInputs, learn_inputs
from skgru._nn.dropout import DropoutRates
from skgru._nn.pooling import POOLINGS
from skgru._nn.recurrent import CELLS
from skgru._parameters import PlainParameters
from skgru._reading import (
    check_features,
    check_times,
    read_numbers,
    read_tokens,
    time_feature_of,
)
from skgru._rollback import unchanged_on_error
from skgru._samples import Samples
from skgru._sequences import Sequences
from skgru._solver import groups_by_length, solve
from skgru._structure import (
    check_options,
    check_pieces,
    check_tokens,
    hidden_sizes,
    make_network,
    read_embedding_matrix,
    wanted_structure,
)
from skgru._targets import (
    as_targets,
    as_weights,
    check_weights,
    has_target,
    read_step_targets,
    read_step_weights,
    refuse_no_weight,
    weights_of_sequences,
    without_missing,
)
from skgru._threads import on_threads
from skgru._tokens import embedding_rows, holds_tokens, known_tokens, look_like_ids
from skgru._training import History, Objective
from skgru._unused import Fit, warn_of_unused

_LEARNED_OF_X = ("feature_mean_", "feature_scale_", "gap_scale_", "has_missing_", "token_ids_")


class BaseGRU(ClassNamePrefixFeaturesOutMixin, TransformerMixin, Estimator, ABC):
    """Base of the estimators; see `GRUClassifier` and `GRURegressor` for the parameters."""

    _parameter_constraints: dict = {
        "hidden_layer_sizes": ["array-like", Interval(Integral, 1, None, closed="left")],
        "solver": [StrOptions({"lbfgs", "sgd", "adam"})],
        "alpha": [Interval(Real, 0, None, closed="left")],
        "batch_size": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
        "learning_rate": [StrOptions({"constant", "invscaling", "adaptive", "cosine"})],
        "learning_rate_init": [Interval(Real, 0, None, closed="neither")],
        "power_t": [Interval(Real, 0, None, closed="left")],
        "max_iter": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
        "shuffle": ["boolean"],
        "random_state": ["random_state"],
        "tol": [Interval(Real, 0, None, closed="left")],
        "verbose": ["verbose"],
        "warm_start": ["boolean"],
        "momentum": [Interval(Real, 0, 1, closed="both")],
        "nesterovs_momentum": ["boolean"],
        "early_stopping": [StrOptions({"auto"}), "boolean"],
        "validation_fraction": [Interval(Real, 0, 1, closed="left")],
        "beta_1": [Interval(Real, 0, 1, closed="left")],
        "beta_2": [Interval(Real, 0, 1, closed="left")],
        "epsilon": [Interval(Real, 0, None, closed="neither")],
        "n_iter_no_change": [
            Interval(Integral, 1, None, closed="left"),
            Options(Real, {np.inf}),
        ],
        "max_fun": [Interval(Integral, 1, None, closed="left")],
        "cell": [StrOptions(set(CELLS)), "array-like"],
        "reset_after": ["boolean"],
        "output_gate": ["boolean"],
        "bidirectional": [StrOptions({"auto"}), "boolean"],
        "pooling": [StrOptions({"auto", *POOLINGS}), "array-like", None],
        "embedding_dim": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left"), None],
        "embedding_matrix": ["array-like", None],
        "freeze_embedding": ["boolean"],
        "features_per_step": [Interval(Integral, 1, None, closed="left")],
        "patch_size": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
        "shift_patches": ["boolean"],
        "scaling": [StrOptions({"standard", "robust"}), None],
        "missing": [StrOptions({"decay", "indicator", "error"})],
        "time_feature": [Integral, str, None],
        "warmup_fraction": [Interval(Real, 0, 1, closed="left")],
        "dropout": [StrOptions({"auto"}), Interval(Real, 0, 1, closed="left")],
        "recurrent_dropout": [Interval(Real, 0, 1, closed="left")],
        "token_dropout": [Interval(Real, 0, 1, closed="left")],
        "weight_decay": [Interval(Real, 0, None, closed="left")],
        "max_grad_norm": [Interval(Real, 0, None, closed="neither"), None],
        "group_by_length": ["boolean", StrOptions({"auto"})],
        "bptt_steps": [Interval(Integral, 1, None, closed="left"), None],
        "n_jobs": [
            Interval(Integral, None, -1, closed="right"),
            Interval(Integral, 1, None, closed="left"),
            None,
        ],
        "dtype": [StrOptions({"float32", "float64"})],
    }

    # --- What a subclass gives: the meaning of y -------------------------------------------------

    @abstractmethod
    def _check_y(self, y):
        """Return y as an array of one or two dimensions."""

    def _where_in_y(self, index):
        """Return what the errors call the target at an index of the y that is checked."""
        # Of the targets of steps, only those that are present are checked.
        return "y" if self._structure["pooling"] is None else f"target {index[0]} of y"

    @abstractmethod
    def _encode_y(self, y, weights, *, reset, classes=None):
        """Return y as targets of the loss, and what the loss is multiplied by, (n,).

        With `reset`, the number of outputs and the classes (those given, or else those of y) or the
        scale of y are learned; `weights` are the samples' (n,).
        """

    @abstractmethod
    def _make_loss(self):
        """Return the loss with its activation, as fitted."""

    @abstractmethod
    def _strata(self, targets):
        """Return by what a validation split is stratified, (n,), or None."""

    def _to_score(self, raw):
        """Return what the validation score reads of raw outputs (B, K): a row for each.

        It is finite where the raw outputs are.
        """
        return raw

    @abstractmethod
    def _score(self, read, targets, weights):
        """Return the validation score, given what it reads of all raw outputs."""

    # --- Fitting ---------------------------------------------------------------------------------

    @property
    def _plain(self):
        """The parameters, all numbers of which are Python's."""
        return PlainParameters(self)

    def _generator(self, first):
        """Return the random generator of a call.

        With an int as `random_state`, a call that goes on with the training gets another one than
        the calls before: the same would repeat their order and dropout.
        """
        random_state = self._plain.random_state
        if first or not isinstance(random_state, Integral):
            return check_random_state(random_state)
        return np.random.RandomState([random_state, len(self.loss_curve_)])

    def _is_auto(self, name):
        """Return whether a parameter, which may be an array, is "auto"."""
        value = getattr(self, name)
        return isinstance(value, str) and value == "auto"

    def _has_cosine(self):
        """Return whether the learning rate comes down to zero by itself."""
        return self.solver != "lbfgs" and self.learning_rate == "cosine"

    def _check_solver(self):
        if self.solver == "lbfgs":
            raise AttributeError(
                "partial_fit is only available for stochastic optimizers. "
                f"{self.solver} is not stochastic."
            )
        return True

    def _fit(
        self,
        X,
        y,
        sample_weight,
        validation=(None, None, None),
        *,
        classes=None,
        incremental=False,
    ):
        """Fit, or with `incremental` train one more epoch; return self.

        `validation` is (X_val, y_val, sample_weight_val), `classes` what y may hold.
        """
        with unchanged_on_error(self):
            is_wide = max(hidden_sizes(self._plain)) >= MIN_SHARDED_UNITS
            outcome = on_threads(
                self._plain.n_jobs if is_wide else 1,
                partial(self._train, X, y, sample_weight, validation, classes, incremental),
            )
        # The model stands now, whatever is said about it.
        if outcome == "diverged":
            raise ValueError(
                "The training loss is no longer finite. Likely causes: the learning rate is too "
                f"high (learning_rate_init={self.learning_rate_init}), values of X or y are very "
                f"large (scaling={self.scaling!r}), or the gradient has no bound "
                f"(max_grad_norm={self.max_grad_norm}). The weights were set back to the last "
                f"finite ones, of epoch {self.n_iter_}."
            )
        if outcome == "interrupted":
            warnings.warn("Training interrupted by user.", stacklevel=4)
        elif outcome == "max_iter" and not incremental and not self._has_cosine():
            is_cut = self.n_iter_ < self.auto_params_.get("max_iter", self.max_iter)
            limit = f"evaluations ({self.max_fun})" if is_cut else f"iterations ({self.n_iter_})"
            warnings.warn(
                f"Maximum {limit} reached and the optimization hasn't "
                f"converged yet (solver={self.solver!r}).",
                ConvergenceWarning,
                stacklevel=4,
            )
        return self

    def _train(self, X, y, sample_weight, validation, classes, incremental, map_):
        """Fit all attributes; return the outcome of the training."""
        given = self._plain
        if incremental and given.early_stopping not in ("auto", False):
            raise ValueError("partial_fit does not support early_stopping=True")
        check_options(given)
        first = not self.__sklearn_is_fitted__() or not (given.warm_start or incremental)
        rng = self._generator(first)
        wanted = self._wanted_structure()
        if first:
            self._structure = wanted
        else:
            wanted = fill_auto(wanted, self._structure)
            if wanted != self._structure:
                raise ValueError(
                    "Training can go on only with the network that was fitted: expected "
                    f"{self._structure}, but the parameters now ask for {wanted}."
                )
        training = self._read_samples(X, y, sample_weight, reset=first, classes=classes)
        if first:
            self._initialize(training, rng)
        check_pieces(self._structure, given.bptt_steps)
        validation = self._read_validation(*validation)
        validates = validation is not None
        plan = choose_plan(given, self._shape_of(training), validates, incremental)
        holds_out = plan.early_stopping and not validates and given.solver != "lbfgs"
        if holds_out:
            training, validation = self._split(training, rng)
            plan = choose_plan(given, self._shape_of(training), True, incremental)

        if first or not incremental:
            says_features = not self._reads_tokens and (
                self._n_columns is None and self._n_features != given.features_per_step
            )
            fit = Fit(
                given,
                self._structure,
                plan,
                self._reads_tokens,
                says_features,
                holds_out,
                incremental,
            )
            warn_of_unused(self, fit, stacklevel=6)
        network = self._network()
        objective = Objective(
            network,
            self._make_loss(),
            self._steps_of(training.sequences, plan.dtype, read_often=True),
            training.targets,
            training.target_weights * training.loss_factors,
            alpha=given.alpha,
            samples_per_sequence=float(training.weights.mean()),
            theta=self._theta.astype(plan.dtype),
            bptt_steps=given.bptt_steps,
            dropout_rates=DropoutRates(plan.dropout, given.recurrent_dropout, given.token_dropout),
            moves_joints=given.shift_patches and network.only_branch.patch_size > 1,
            map_=map_,
        )

        if validation:
            to_validate = self._steps_of(validation.sequences, plan.dtype, read_often=True)

        def validate():
            read = run_network(
                network, objective.parameters, to_validate, map_, then=self._to_score
            )
            if not np.isfinite(read).all():
                return np.nan
            return float(self._score(read, validation.targets, validation.target_weights))

        history = self._history()
        by_length = given.solver != "lbfgs" and groups_by_length(given, objective)
        with np.errstate(over="ignore", invalid="ignore"):
            outcome = solve(
                self,
                plan,
                objective,
                history,
                validate if validation else None,
                rng,
                incremental,
                by_length,
            )
        self._theta = objective.theta.astype(given.dtype)
        chosen = self._structure | plan._asdict() | {"group_by_length": by_length}
        if incremental:
            del chosen["max_iter"]  # one epoch is one epoch
        self.auto_params_ = {
            name: chosen[name] for name in AUTO_PARAMETERS if name in chosen and self._is_auto(name)
        }
        self._show(history, plan.early_stopping)
        return outcome

    # --- Data ------------------------------------------------------------------------------------

    def _read_X(self, X, *, reset):
        """Read X; with `reset`, learn its features, else compare with them; return a `ReadX`."""
        check_container(X)
        named = names_of(X)
        validate_data(
            self,
            np.empty((0, 0)) if named is None else named,
            skip_check_array=True,
            ensure_2d=False,
            reset=reset,
        )
        if reset:
            wanted = self._structure["embedding_dim"]
            self._reads_tokens = holds_tokens(X) if wanted == "auto" else wanted is not None
            check_tokens(self, self._reads_tokens)
            self._time_feature = time_feature_of(X, self._structure["time_feature"])
        elif not self._reads_tokens and self._is_auto("embedding_dim") and holds_tokens(X):
            raise ValueError(
                f"X holds token ids, but {type(self).__name__} was fitted to numbers: fit it to "
                "what SequenceVectorizer returns too, or set embedding_dim."
            )
        if self._reads_tokens:
            read = read_tokens(X, estimator=self)
            n_features = 1
        else:
            read = read_numbers(
                X,
                features_per_step=self._plain.features_per_step,
                allow_missing=self._structure["missing"] != "error",
                time_feature=self._time_feature,
                estimator=self,
            )
            n_features = read.sequences.values.shape[1]
        n_columns = read.n_columns
        if reset:
            self.n_features_in_ = n_features if n_columns is None else n_columns
            self._n_columns, self._n_features = n_columns, n_features
            if self._time_feature is not None:
                check_times(read.sequences, self._time_feature)
                self._time_feature %= n_features
            self._warn_of_lost_tokens(read)
            return read
        sequences = read.sequences
        has_steps = len(sequences.values) > 0
        found = n_columns, n_features if has_steps else None
        check_features(X, found, (self._n_columns, self._n_features), self)
        if not (has_steps or self._reads_tokens):
            nothing = Sequences(np.empty((0, self._n_features)), sequences.offsets)
            return read._replace(sequences=nothing)
        if self._time_feature is not None:
            check_times(sequences, self._time_feature)
        return read

    def _warn_of_lost_tokens(self, read):
        """Warn of a table that is read as numbers and looks like token ids."""
        values = read.sequences.values
        is_table = read.n_columns is not None and read.n_columns * (len(read.given_offsets) - 1)
        if self._reads_tokens or not self._is_auto("embedding_dim") or is_table != len(values):
            return
        if values.dtype.kind in "iu" and look_like_ids(values.reshape(-1, read.n_columns)):
            warnings.warn(
                "X is read as numbers, but it holds integers padded with zeros, as token ids are. "
                "embedding_dim='auto' embeds what SequenceVectorizer returns as it is; np.asarray "
                "and DataFrames take away what tells ids from numbers. Set embedding_dim=128 to "
                "have X read as token ids, or embedding_dim=None if it holds numbers.",
                stacklevel=9,
            )

    def _read_samples(self, X, y, sample_weight, *, reset, classes=None):
        """Check X, y and the weights together; return them as samples, not yet scaled."""
        self._require(X, y)
        read = self._read_X(X, reset=reset)
        sequences = read.sequences
        per_step = self._structure["pooling"] is None
        sample_weight = as_weights(sample_weight)
        if per_step:
            targets = read_step_targets(y, read)
            present = has_target(targets)
            target_weights = np.where(present, read_step_weights(sample_weight, read), 0.0)
            weights = weights_of_sequences(sample_weight, target_weights, sequences)
        else:
            targets = self._check_y(as_targets(y))
            _check_lengths(X, sequences.n_sequences, len(targets))
            target_weights = weights = check_weights(sample_weight, sequences.n_sequences)
        refuse_no_weight(target_weights)
        if not weights.all():  # a weight of zero is the same as no sample
            kept = np.flatnonzero(weights)
            rows = sequences.rows_of(kept) if per_step else kept
            sequences, weights = sequences.take(kept), weights[kept]
            targets, target_weights = targets[rows], target_weights[rows]
        if len(sequences.values) == 0:
            raise ValueError(
                "X has no step: all sequences to train on are empty or padding, expected at least "
                "one with a step."
            )
        present = np.flatnonzero(target_weights) if per_step else slice(None)
        labels = self._check_y(without_missing(targets, present)) if per_step else targets
        encoded, factors = self._encode_y(
            labels, target_weights[present], reset=reset, classes=classes
        )
        if not factors.any():
            raise ValueError(
                "class_weight leaves no sample to train on: expected a weight above 0 for at least "
                "one class of y."
            )
        if per_step and len(present) < len(target_weights):
            encoded, factors = (
                _spread(a, present, len(target_weights)) for a in (encoded, factors)
            )
        return Samples(sequences, weights, encoded, target_weights, factors, per_step)

    def _require(self, X, y):
        """Refuse a y that is None."""
        if y is None:
            validate_data(self, X, y, skip_check_array=True, ensure_2d=False, reset=False)

    def _read_validation(self, X_val, y_val, sample_weight_val):
        """Return the validation set that was given as samples, or None."""
        if X_val is None and y_val is None:
            if sample_weight_val is not None:
                raise ValueError("sample_weight_val is provided, but X_val and y_val were not.")
            return None
        if y_val is None:
            raise ValueError("X_val is provided, but y_val was not provided.")
        if X_val is None:
            raise ValueError("y_val is provided, but X_val was not provided.")
        validation = self._read_samples(X_val, y_val, sample_weight_val, reset=False)
        if len(validation.weights) < 2:
            raise ValueError(
                "The validation set is too small: expected at least 2 sequences with a weight, "
                f"got {len(validation.weights)}."
            )
        return validation

    def _steps_of(self, sequences, dtype, *, read_often=False):
        """Return the steps that the network reads, as `Steps`; see `NumericInputs.steps_of`."""
        if self._reads_tokens:
            prepare = partial(embedding_rows, known=self.token_ids_)
            return Steps(sequences, prepare, n_joined=self._structure["patch_size"])
        return self._numeric_inputs().steps_of(sequences, dtype, read_often=read_often)

    def _numeric_inputs(self):
        """Return how numeric sequences are read, as fitted."""
        return NumericInputs(
            self.feature_mean_,
            self.feature_scale_,
            self._fill,
            self.gap_scale_,
            self.has_missing_,
            clip=self._clips,
            missing=self._structure["missing"],
            time_feature=self._time_feature,
            bidirectional=self._structure["bidirectional"],
            patch_size=self._structure["patch_size"],
        )

    def _shape_of(self, samples):
        """Return the shape of the samples, by which settings are chosen."""
        sequences = samples.sequences
        return DataShape(
            sequences.n_sequences,
            np.average(sequences.lengths, weights=samples.weights),
            n_features=self._n_features,
            n_tokens=len(known_tokens(sequences.values)) if self._reads_tokens else None,
            has_classes=is_classifier(self),
        )

    def _split(self, samples, rng):
        """Hold out a part for validation; return training and validation samples."""
        n = samples.sequences.n_sequences
        share = self._plain.validation_fraction
        strata = None if samples.per_step else self._strata(samples.targets)
        if strata is not None and self._is_auto("early_stopping"):
            _, sizes = np.unique(strata, return_counts=True)
            if sizes.min() < 2 or len(sizes) > share * n:
                strata = None  # some classes cannot be in both parts
        kept, held_out = train_test_split(
            np.arange(n), test_size=share, random_state=rng, stratify=strata
        )
        if len(held_out) < 2:
            raise ValueError(
                "The validation set is too small. Increase 'validation_fraction' or the size of "
                "your dataset."
            )
        return samples.take(kept), samples.take(held_out)

    # --- The network -----------------------------------------------------------------------------

    def _initialize(self, samples, rng):
        """Learn the scale or the tokens of X, and draw the network's first parameters."""
        for name in _LEARNED_OF_X:
            vars(self).pop(name, None)  # of an earlier fit to other data
        sequences = samples.sequences
        n_inputs, n_tokens, matrix = self._n_features, None, None
        if self._reads_tokens:
            tokens = sequences.values
            matrix = read_embedding_matrix(self._plain)
            if matrix is not None and len(tokens) and tokens.max() >= len(matrix):
                raise ValueError(
                    f"embedding_matrix has {len(matrix)} rows, expected one for each token id, "
                    f"but X holds the id {tokens.max()}."
                )
            self.token_ids_ = known_tokens(tokens) if matrix is None else np.arange(1, len(matrix))
            n_tokens = len(self.token_ids_)
        self._structure = choose_structure(
            self._structure, self._shape_of(samples), bptt_steps=self._plain.bptt_steps
        )
        if self._reads_tokens:
            n_inputs = self._structure["embedding_dim"]
        if not self._reads_tokens:
            self._clips = self.scaling == "robust"
            learned = learn_inputs(
                sequences,
                samples.weights,
                scaling=self.scaling,
                time_feature=self._time_feature,
            )
            self.feature_mean_, self.feature_scale_, self._fill, *of_gaps = learned
            self.gap_scale_, self.has_missing_ = of_gaps
            n_inputs = self._numeric_inputs().n_inputs
        self.n_layers_ = len(self._structure["hidden_layer_sizes"]) + 2
        self.out_activation_ = self._make_loss().out_activation
        self._n_inputs, self._n_tokens = n_inputs, n_tokens
        self._theta = self._network().initialize(rng, np.dtype(self.dtype).type)
        if matrix is not None:
            self.parameters_["embedding.weights"][...] = matrix[1:]
        self._optimizer_state = {}
        self._show(History(), early_stopping=False)

    def _network(self):
        """Return the network as fitted."""
        observed = {}
        if not self._reads_tokens:
            inputs = self._numeric_inputs()
            observed = {"decay": inputs.decay, "reads_mask": inputs.has_missing}
        return make_network(
            self._structure,
            self._n_inputs,
            self.n_outputs_ * self._make_loss().n_raw,
            n_tokens=self._n_tokens,
            freeze_embedding=self.freeze_embedding,
            **observed,
        )

    def _wanted_structure(self):
        """Return what the parameters say about the network, whatever the data."""
        return wanted_structure(self._plain)

    @property
    def parameters_(self):
        """Every trainable array by its name, as views: see the class docstring for the layout."""
        if not self.__sklearn_is_fitted__():
            raise AttributeError(f"{type(self).__name__} has parameters_ once it is fitted.")
        return dict(self._network().parameters(self._theta))

    # --- Using the network -----------------------------------------------------------------------

    def _run(self, X, part="raw", then=np.asarray):
        """Return what the network makes of X, as `run_network` does, and what was read in X."""
        check_is_fitted(self)
        read = self._read_X(X, reset=False)
        steps = self._steps_of(read.sequences, self._theta.dtype)
        read = read._replace(sequences=steps)  # those that predictions are for
        network = self._network()
        is_wide = network.only_branch.n_units_of_widest >= MIN_PREDICTING_UNITS
        has_parts = steps.n_sequences > MAX_CHUNK_SEQUENCES
        parameters = network.parameters(self._theta)
        result = on_threads(
            self._plain.n_jobs if is_wide and has_parts else 1,
            partial(run_network, network, parameters, steps, part=part, then=then),
        )
        return result, read

    def _run_to_score(self, X, y, sample_weight, then=np.asarray):
        """Return raw outputs, the targets that belong to them, and the targets' weights or None.

        What `then` makes of some raw outputs (B, K) is returned in their place.
        """
        self._require(X, y)
        raw, read = self._run(X, then=then)
        sample_weight = as_weights(sample_weight)
        if self._structure["pooling"] is not None:
            if sample_weight is not None:
                sample_weight = check_weights(sample_weight, len(raw))
                refuse_no_weight(sample_weight)
            return raw, as_targets(y), sample_weight
        y = read_step_targets(y, read)
        present = has_target(y)
        if len(y) == 0:
            raise ValueError("X has no step to score: all of its sequences are empty or padding.")
        if sample_weight is not None:
            sample_weight = read_step_weights(sample_weight, read)[present]
            refuse_no_weight(sample_weight)
        return raw[present], without_missing(y, present), sample_weight

    def _for_each_sequence(self, values, read):
        """Return values of all steps, (total steps, ...), in the shape of the sequences.

        That is (n, T, ...) where they have the same number of steps, else an object array of n
        arrays.
        """
        sequences = read.sequences
        lengths = sequences.lengths
        if len(lengths) and (lengths == lengths[0]).all():
            return values.reshape(len(lengths), lengths[0], *values.shape[1:])
        ragged = np.empty(len(lengths), object)
        ragged[:] = np.split(values, sequences.offsets[1:-1])
        return ragged

    def _shaped(self, values, read):
        """Return predictions for each sequence, or without a pooling for each of its steps."""
        if self._structure["pooling"] is None:
            return self._for_each_sequence(values, read)
        return values

    def transform(self, X):
        """Return what the head reads of each sequence: features for another estimator.

        Parameters
        ----------
        X : array-like
            Sequences, as for `fit`.

        Returns
        -------
        features : ndarray of shape (n_samples, n_features_out)
            The pooled outputs of the top layer.

        Raises
        ------
        ValueError
            If there is no pooling; see `transform_steps`.
        """
        check_is_fitted(self)
        if self._structure["pooling"] is None:
            raise ValueError("transform needs a pooling, got pooling=None: use transform_steps.")
        return self._run(X, "pooled")[0]

    def transform_steps(self, X):
        """Return the outputs of the top layer at every step; with `patch_size`, at every patch.

        Parameters
        ----------
        X : array-like
            Sequences, as for `fit`.

        Returns
        -------
        outputs : ndarray of shape (n_samples, n_steps, n_outputs), or of shape (n_samples,)
            The second, of arrays (n_steps_i, n_outputs), where the numbers of steps differ.
        """
        return self._for_each_sequence(*self._run(X, "steps"))

    @property
    def _n_features_out(self):
        return self._network().head.n_inputs

    # --- The history, as fitted attributes -------------------------------------------------------

    def _history(self):
        """Return the history so far; the attributes stay as they are when it grows."""
        return History(
            t=self.t_,
            loss=self.loss_,
            loss_curve=list(self.loss_curve_),
            validation_scores=list(self.validation_scores_ or ()),
            best_loss=np.inf if self.best_loss_ is None else self.best_loss_,
            best_validation_score=(
                -np.inf if self.best_validation_score_ is None else self.best_validation_score_
            ),
        )

    def _show(self, history, early_stopping):
        """Set the fitted attributes that tell of the training."""
        self.n_iter_ = history.n_iter
        self.t_ = history.t
        self.loss_ = history.loss
        self.loss_curve_ = history.loss_curve
        validated = bool(history.validation_scores)
        self.validation_scores_ = history.validation_scores if validated else None
        self.best_validation_score_ = history.best_validation_score if validated else None
        self.best_loss_ = None if early_stopping and validated else history.best_loss

    # --- scikit-learn ----------------------------------------------------------------------------

    def __sklearn_is_fitted__(self):
        return hasattr(self, "_theta")

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        has_tokens = isinstance(self.embedding_dim, Integral) or self.embedding_matrix is not None
        tags.input_tags.allow_nan = self.missing != "error" and not has_tokens
        tags.transformer_tags.preserves_dtype = []  # what is computed has the type of `dtype`
        return tags


def _check_lengths(X, n_sequences, n_targets):
    """Refuse another number of targets than of sequences."""
    if n_sequences == n_targets:
        return
    hint = ""
    if n_targets < n_sequences and is_frame(X):
        hint = (
            " Each row of a DataFrame is one sequence; a table with one row per step is made into "
            "one sequence per sample first, such as [group[columns].to_numpy() for _, group in "
            "table.groupby('id')]."
        )
    raise ValueError(
        "Found input variables with inconsistent numbers of samples: "
        f"[{n_sequences}, {n_targets}] (sequences of X, targets of y).{hint}"
    )


def _spread(values, rows, n):
    """Return values in their rows of n, and zeros elsewhere."""
    spread = np.zeros((n, *values.shape[1:]), values.dtype)
    spread[rows] = values
    return spread
