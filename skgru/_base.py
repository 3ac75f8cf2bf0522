"""The estimators' face to scikit-learn: parameters, fit and predictions, the history."""

from abc import ABC, abstractmethod
from collections import ChainMap
from functools import partial
from inspect import signature
from numbers import Integral, Real

import numpy as np
from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from skgru._budget import trains_on_threads
from skgru._compat import Interval, Options, StrOptions
from skgru._data.forms import open_form
from skgru._data.kinds import INPUTS
from skgru._data.targets import (
    as_targets,
    as_weights,
    check_weights,
    has_target,
    parse_step_targets,
    parse_step_weights,
    refuse_no_weight,
    without_missing,
)
from skgru._data.training_set import name_of_step_target, name_of_target
from skgru._engine.fit import Given, Request, fit
from skgru._engine.model import Model
from skgru._engine.observers import History
from skgru._engine.predict import predict
from skgru._engine.solvers import SOLVERS
from skgru._engine.threads import on_threads
from skgru._estimator import Estimator
from skgru._nn.pooling import POOLINGS
from skgru._nn.recurrent import CELLS
from skgru._nn.schedules import SCHEDULES
from skgru._options import check_options, hidden_sizes
from skgru._settings import Settings, plain
from skgru._warnings import warn

# The name of the branch of an estimator that has one input.
_BRANCH = "input"
# Where the fitted state lies.
_STATE = "_state"


class BaseGRU(ClassNamePrefixFeaturesOutMixin, TransformerMixin, Estimator, ABC):
    """Base of the estimators; see `GRUClassifier` and `GRURegressor` for the parameters."""

    # A table's keys are a view of it: what stands in the table is allowed.
    _parameter_constraints: dict = {
        "hidden_layer_sizes": ["array-like", Interval(Integral, 1, None, closed="left")],
        "solver": [StrOptions(SOLVERS.keys())],
        "alpha": [Interval(Real, 0, None, closed="left")],
        "batch_size": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
        "learning_rate": [StrOptions(SCHEDULES.keys())],
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
        "cell": [StrOptions(CELLS.keys()), "array-like"],
        "reset_after": ["boolean"],
        "output_gate": ["boolean"],
        "bidirectional": [StrOptions({"auto"}), "boolean"],
        "pooling": [StrOptions(ChainMap({"auto": None}, POOLINGS).keys()), "array-like", None],
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

    # --- Given by a subclass: the meaning of y ---------------------------------------------------

    @abstractmethod
    def _make_loss(self, settings):
        """Return the loss of the parameters, which has not learned from y."""

    # --- The parameters --------------------------------------------------------------------------

    @property
    def _settings(self):
        """The parameters, as they are handed on."""
        # A subclass may have fewer than it passes on.
        names = [name for name in self._parameter_constraints if hasattr(self, name)]
        parameters = signature(type(self).__init__).parameters.values()
        return Settings(
            {name: getattr(self, name) for name in names},
            self._parameter_constraints,
            {p.name: p.default for p in parameters if p.default is not p.empty},
            type(self).__name__,
        )

    def _check_solver(self):
        if not SOLVERS[self.solver].is_stochastic:
            raise AttributeError(
                "partial_fit is only available for stochastic optimizers. "
                f"{self.solver} is not stochastic."
            )
        return True

    # --- Fitting ---------------------------------------------------------------------------------

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

        `validation` is (X_val, y_val, sample_weight_val), `classes` all that y may hold.
        """
        settings = self._settings
        with self._unchanged_on_error():
            training = (X, y, sample_weight)
            request = self._request(settings, training, validation, incremental, classes)
            is_wide = trains_on_threads(max(hidden_sizes(settings)))
            fitted = on_threads(settings.n_jobs if is_wide else 1, partial(fit, request))
            self._publish(fitted)
        self._tell(fitted.outcome, settings, incremental)  # the model stands now
        return self

    def _request(self, settings, training, validation, incremental, classes):
        """Return the request of a fit; X is opened and its names are compared."""
        if incremental and settings.early_stopping not in ("auto", False):
            raise ValueError("partial_fit does not support early_stopping=True")
        check_options(settings, is_stochastic=SOLVERS[settings.solver].is_stochastic)
        loss = self._make_loss(settings)
        goes_on = self.__sklearn_is_fitted__() and (settings.warm_start or incremental)
        before = self._fitted_model() if goes_on else None
        given = self._given(*training, reset=before is None)
        return Request(
            settings,
            loss,
            given,
            self._given_to_validate(*validation),
            before,
            self._history if goes_on else History(),
            getattr(self, _STATE)["optimizers"] if goes_on else {},
            self._generator(settings.random_state, goes_on),
            incremental,
            classes,
        )

    def _given(self, X, y, sample_weight, *, reset):
        self._require(X, y)
        return Given({_BRANCH: self._open(X, reset=reset)}, y, sample_weight)

    def _given_to_validate(self, X_val, y_val, sample_weight_val):
        """Return the validation set that was given, or None."""
        if X_val is None and y_val is None:
            if sample_weight_val is not None:
                raise ValueError("sample_weight_val is provided, but X_val and y_val were not.")
            return None
        if y_val is None:
            raise ValueError("X_val is provided, but y_val was not provided.")
        if X_val is None:
            raise ValueError("y_val is provided, but X_val was not provided.")
        return self._given(X_val, y_val, sample_weight_val, reset=False)

    def _generator(self, random_state, goes_on):
        """Return the random generator of a call.

        With an int as `random_state`, a call that goes on with the training gets another one than
        the calls before: the same would repeat their order and dropout.
        """
        if not goes_on or not isinstance(random_state, Integral):
            return check_random_state(random_state)
        return np.random.RandomState([random_state, len(self.loss_curve_)])

    def _open(self, X, *, reset):
        """Open X; with `reset`, keep the names of its features, else compare them."""
        opened = open_form(X, type(self).__name__)
        named = np.empty((0, 0)) if opened.named is None else opened.named
        validate_data(self, named, skip_check_array=True, ensure_2d=False, reset=reset)
        return opened

    def _require(self, X, y):
        """Refuse a y that is None."""
        if y is None:
            validate_data(self, X, y, skip_check_array=True, ensure_2d=False, reset=False)

    def _publish(self, fitted):
        """Set the fitted attributes."""
        model, history = fitted.model, fitted.history
        (part,) = model.inputs.values()
        for name in {name for kind in INPUTS.values() for name in kind.attribute_names}:
            vars(self).pop(name, None)  # of an earlier fit to other data
        setattr(self, _STATE, model.state | {"optimizers": fitted.optimizer_states})
        self.n_features_in_ = part.n_features_in
        vars(self).update(part.attributes | model.loss.attributes)
        self.n_outputs_ = model.loss.n_outputs
        self.n_layers_ = len(model.spec.branches[0][1].encoder.hidden_layer_sizes) + 2
        self.out_activation_ = model.loss.out_activation
        self.auto_params_ = fitted.auto_params
        self.n_iter_ = history.n_iter
        self.t_ = history.t
        self.loss_ = history.loss
        self.loss_curve_ = history.loss_curve
        validated = bool(history.validation_scores)
        self.validation_scores_ = history.validation_scores if validated else None
        self.best_validation_score_ = history.best_validation_score if validated else None
        self.best_loss_ = None if fitted.validates and validated else history.best_loss

    @property
    def _history(self):
        """The history so far; the attributes stay as they are when it grows."""
        scored = self.best_validation_score_ is not None
        return History(
            t=self.t_,
            loss=self.loss_,
            loss_curve=list(self.loss_curve_),
            validation_scores=list(self.validation_scores_ or ()),
            best_loss=np.inf if self.best_loss_ is None else self.best_loss_,
            best_validation_score=self.best_validation_score_ if scored else -np.inf,
        )

    def _tell(self, outcome, settings, incremental):
        """Raise an error or warn of how the training has ended, if it was not as it should."""
        if outcome == "diverged":
            raise ValueError(
                "The training loss is no longer finite. Likely causes: the learning rate is too "
                f"high (learning_rate_init={self.learning_rate_init}), values of X or y are very "
                f"large (scaling={self.scaling!r}), or the gradient has no bound "
                f"(max_grad_norm={self.max_grad_norm}). The weights were set back to the last "
                f"finite ones, of epoch {self.n_iter_}."
            )
        if outcome == "interrupted":
            warn("Training interrupted by user.")
        ends = SOLVERS[settings.solver].is_stochastic
        ends = ends and SCHEDULES[settings.learning_rate].ends_training
        if outcome == "max_iter" and not incremental and not ends:
            is_cut = self.n_iter_ < self.auto_params_.get("max_iter", self.max_iter)
            limit = f"evaluations ({self.max_fun})" if is_cut else f"iterations ({self.n_iter_})"
            warn(
                f"Maximum {limit} reached and the optimization hasn't "
                f"converged yet (solver={self.solver!r}).",
                ConvergenceWarning,
            )

    # --- The fitted model ------------------------------------------------------------------------

    def _fitted_model(self):
        """Return the fitted model, with a network made anew."""
        check_is_fitted(self)
        return Model.of_state(getattr(self, _STATE))

    @property
    def parameters_(self):
        """Every trainable array by its name, as views: see the class docstring for the layout."""
        if not self.__sklearn_is_fitted__():
            raise AttributeError(f"{type(self).__name__} has parameters_ once it is fitted.")
        return dict(self._fitted_model().parameters)

    def _run(self, model, X, part="raw", then=np.asarray):
        """Return `Outputs` of the model for X; see `run_network`."""
        opened = {_BRANCH: self._open(X, reset=False)}
        return predict(model, opened, plain(self.n_jobs), part=part, then=then)

    def _run_to_score(self, model, X, y, sample_weight, then=np.asarray):
        """Return raw outputs, the targets that belong to them, and the targets' weights or None.

        Those of `then`, given some raw outputs (B, K), are returned in their place.
        """
        self._require(X, y)
        outputs = self._run(model, X, then=then)
        raw, sample_weight, loss = outputs.values, as_weights(sample_weight), model.loss
        if not outputs.per_step:
            if sample_weight is not None:
                sample_weight = check_weights(sample_weight, len(raw))
                refuse_no_weight(sample_weight)
            return raw, loss.check(as_targets(y), name_of_target), sample_weight
        y = parse_step_targets(y, outputs.parsed)
        present = has_target(y)
        if len(y) == 0:
            raise ValueError("X has no step to score: all of its sequences are empty or padding.")
        if sample_weight is not None:
            sample_weight = parse_step_weights(sample_weight, outputs.parsed)[present]
            refuse_no_weight(sample_weight)
        labels = loss.check(without_missing(y, present), name_of_step_target)
        return raw[present], labels, sample_weight

    def transform(self, X):
        """Return the pooled outputs of each sequence: features for another estimator.

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
        model = self._fitted_model()
        if model.per_step:
            raise ValueError("transform needs a pooling, got pooling=None: use transform_steps.")
        return self._run(model, X, "pooled").values

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
        outputs = self._run(self._fitted_model(), X, "steps")
        return outputs.shaped(outputs.values)

    @property
    def _n_features_out(self):
        return self._fitted_model().network.head.n_inputs

    # --- scikit-learn ----------------------------------------------------------------------------

    def __setstate__(self, state):
        super().__setstate__(state)
        if "loss_curve_" in vars(self) and not self.__sklearn_is_fitted__():
            # A version that kept its model in another form has fitted it: it counts as not fitted.
            for name in [name for name in vars(self) if name not in self._parameter_constraints]:
                if not name.startswith(("_sklearn", "_metadata")):
                    delattr(self, name)

    def __sklearn_is_fitted__(self):
        return hasattr(self, _STATE)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        has_tokens = isinstance(self.embedding_dim, Integral) or self.embedding_matrix is not None
        tags.input_tags.allow_nan = self.missing != "error" and not has_tokens
        tags.transformer_tags.preserves_dtype = []  # results have the type of `dtype`
        return tags
