"""The estimators' face to scikit-learn: parameters, fit and predictions, the history."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import closing
from copy import copy
from functools import partial
from inspect import signature
from numbers import Integral, Real
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import TransformerMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import check_scoring
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from skgru._budget import trains_on_threads
from skgru._callbacks import begin_context, tasks_of, title_of
from skgru._compat import CallbackSupportMixin, take
from skgru._constraints import TRAINING
from skgru._data.arrays import describe
from skgru._data.row_labels import warn_of_another_order
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
from skgru._engine.fit import fit
from skgru._engine.loading import check_state
from skgru._engine.loss import Loss
from skgru._engine.model import Model, naming
from skgru._engine.observers import History
from skgru._engine.predict import Outputs, predict, predict_parsed
from skgru._engine.report import Report
from skgru._engine.request import Fitted, Given, Request
from skgru._engine.solvers import SOLVERS
from skgru._engine.threads import on_threads
from skgru._estimator import Estimator
from skgru._nn.chain import Chain
from skgru._nn.dropout import FusionRates
from skgru._nn.schedules import SCHEDULES
from skgru._options import check_options, hidden_sizes
from skgru._saved import expect
from skgru._settings import Settings, plain, said
from skgru._spec import FusionSpec
from skgru._types import ArrayLike
from skgru._warnings import is_called_by, warn

# The parts of scikit-learn that fit several models, and compare or join them.
_FIT_SEVERAL = tuple(
    f"sklearn.{name}"
    for name in (
        "calibration",
        "ensemble",
        "feature_selection",
        "inspection",
        "model_selection",
        "multiclass",
        "multioutput",
    )
)
# Where the fitted state lies.
_STATE = "_state"


class Raw(NamedTuple):
    """Samples as they came."""

    X: Any
    y: Any
    sample_weight: Any
    groups: Any = None


def _check_validation(X_val: Any, y_val: Any, sample_weight_val: Any) -> None:
    """Refuse a validation set of which a part is lacking."""
    if X_val is None and y_val is None:
        if sample_weight_val is not None:
            raise ValueError("sample_weight_val is provided, but X_val and y_val were not.")
    elif y_val is None:
        raise ValueError("X_val is provided, but y_val was not provided.")
    elif X_val is None:
        raise ValueError("y_val is provided, but X_val was not provided.")


class BaseNetwork(CallbackSupportMixin, TransformerMixin, Estimator, ABC):
    """Base of the estimators: a network that reads one or several inputs of a sample."""

    _parameter_constraints: dict[str, Any] = {**TRAINING}

    # --- Given by a subclass: the meaning of y, and of X ------------------------------------------

    @abstractmethod
    def _make_loss(self, settings: Settings) -> Loss:
        """Return the loss of the parameters, which has not learned from y."""

    @abstractmethod
    def _branch_settings(self, settings: Settings) -> dict[str, Settings]:
        """Return the settings of each branch by its name."""

    @abstractmethod
    def _give(
        self, training: Raw, validation: Raw, *, reset: bool, request: Request
    ) -> tuple[Given, Given | None, bool]:
        """Return the samples to train on and to validate on, as `Given`; may be held out.

        The second is None if there are none to validate on; a third value says whether they were
        held out of the first.

        Parameters
        ----------
        training, validation : Raw
            As they came; of the second, X is None if there is none.
        reset : bool
            Whether to keep the names of the features; else they are compared.
        request : Request
            All of the request but the samples.
        """

    @abstractmethod
    def _open(self, X: ArrayLike) -> dict[str, Any]:
        """Return the opened inputs of X by the names of their branches; compare its features."""

    @abstractmethod
    def _publish_inputs(self, model: Model) -> None:
        """Set the fitted attributes that tell of the inputs."""

    @property
    @abstractmethod
    def _has_step_targets(self) -> bool:
        """Whether y has a target for each step, by the parameters."""

    def _fusion(self, settings: Settings) -> tuple[FusionSpec, FusionRates]:
        """Return what lies above the branches: spec, and rates of dropout."""
        return FusionSpec(), FusionRates()

    # --- The parameters --------------------------------------------------------------------------

    @property
    def _settings(self) -> Settings:
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

    def _check_solver(self) -> bool:
        if not SOLVERS[self.solver].is_stochastic:
            raise AttributeError(
                "partial_fit is only available for stochastic optimizers. "
                f"{self.solver} is not stochastic."
            )
        return True

    @property
    def _name_of_fit(self) -> str:
        """What a fit is called in a report."""
        return type(self).__name__

    # --- Fitting ---------------------------------------------------------------------------------

    def _fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        sample_weight: ArrayLike | None,
        validation: tuple[Any, Any, Any] = (None, None, None),
        *,
        classes: ArrayLike | None = None,
        incremental: bool = False,
        groups: ArrayLike | None = None,
    ) -> Self:
        """Fit, or with `incremental` train one more epoch; return self.

        `validation` is (X_val, y_val, sample_weight_val), `classes` all that y may hold, `groups`
        what a split for validation does not part.
        """
        X_val, y_val, sample_weight_val = validation
        warn_of_another_order(X, y=y, sample_weight=sample_weight, groups=groups)
        warn_of_another_order(X_val, "X_val", y_val=y_val, sample_weight_val=sample_weight_val)
        settings = self._settings
        context = begin_context(self, "partial_fit" if incremental else "fit")
        report = Report(title_of(self._name_of_fit, context))
        with self._unchanged_on_error(), closing(report):
            training = (X, y, sample_weight, groups)
            request = self._request(settings, training, validation, incremental, classes)
            metadata = None if sample_weight is None else {"sample_weight": sample_weight}
            data = {"X": X, "y": y, "metadata": metadata}
            tasks = tasks_of(self, context, data, self._attributes_of)
            watching = (report if settings.verbose else None, tasks)
            request = request._replace(
                observers=tuple(filter(None, watching)),
                scorer=self._make_scorer(Raw(*training), Raw(*validation)),
            )
            widest = max(max(hidden_sizes(part), default=1) for part in request.branches.values())
            fitted = on_threads(
                settings.n_jobs if trains_on_threads(widest) else 1, partial(fit, request)
            )
            self._publish(fitted)
            if tasks and fitted.outcome != "diverged":
                tasks.end()
        self._tell(fitted.outcome, settings, incremental)  # the model stands now
        return self

    def _request(
        self,
        settings: Settings,
        training: tuple[Any, ...],
        validation: tuple[Any, ...],
        incremental: bool,
        classes: ArrayLike | None,
    ) -> Request:
        """Return the request of a fit; X is opened and its names are compared."""
        if incremental and settings.early_stopping not in ("auto", False):
            raise ValueError("partial_fit does not support early_stopping=True")
        is_stochastic = SOLVERS[settings.solver].is_stochastic
        branches = self._branch_settings(settings)
        check_options(settings, is_stochastic=is_stochastic)
        for name, of_branch in branches.items():
            with naming(name):
                check_options(of_branch, is_stochastic=is_stochastic)
        spec, rates = self._fusion(settings)
        goes_on = self.__sklearn_is_fitted__() and (settings.warm_start or incremental)
        before = self._fitted_model() if goes_on else None
        # A training that was left in its midst goes on as if it had not been.
        progress = getattr(self, _STATE).get("progress") if goes_on and not incremental else None
        rng = self._generator(settings.random_state, goes_on, progress)
        samples: Any = None  # not yet given
        request = Request(
            settings,
            branches,
            spec,
            rates,
            self._make_loss(settings),
            samples,
            None,
            before,
            self._history if goes_on else History(),
            getattr(self, _STATE)["optimizers"] if goes_on else {},
            rng,
            incremental,
            classes,
            progress=progress,
            at_split=None if incremental else rng.get_state(legacy=False),
        )
        self._require(training[1])
        _check_validation(*validation)
        given, to_validate, has_held_out = self._give(
            Raw(*training), Raw(*validation), reset=before is None, request=request
        )
        return request._replace(
            branches={name: branches[name] for name in given.inputs},  # those that X has columns of
            training=given,
            validation=to_validate,
            has_held_out=has_held_out,
        )

    def _generator(
        self, random_state: Any, goes_on: bool, progress: dict[str, Any] | None
    ) -> np.random.RandomState:
        """Return the random generator of a call.

        In the midst of a training it is that of its start, for the same samples to be held out.
        Else with an int as `random_state`, a call that goes on with the training gets another one
        than the calls before: the same would repeat their order and dropout.
        """
        if progress:
            state = progress["at_split"]
            rng = np.random.RandomState(getattr(np.random, state["bit_generator"])())
            rng.set_state(state)
            return rng
        if not goes_on or not isinstance(random_state, Integral):
            return check_random_state(random_state)
        return np.random.RandomState([int(random_state), len(self.loss_curve_)])

    def _require(self, y: Any) -> None:
        """Refuse a y that is None, in the words of scikit-learn."""
        if y is None:
            raise ValueError(
                f"This {type(self).__name__} estimator requires y to be passed, but the target y "
                "is None."
            )

    def _fitted_copy(self, fitted: Fitted) -> Self:
        """Return a copy that has been fitted with this result."""
        twin = copy(self)
        twin._publish(fitted)
        return twin

    def _without_progress(self) -> Self:
        """Return a copy whose training has ended."""
        twin = copy(self)
        setattr(twin, _STATE, getattr(twin, _STATE) | {"progress": None})
        return twin

    def _attributes_of(self, fitted: Fitted) -> dict[str, Any]:
        """Return the attributes that it would have after a fit with this result."""
        return self._fitted_copy(fitted).__dict__

    def _make_scorer(
        self, training: Raw, validation: Raw
    ) -> Callable[[Fitted, NDArray[Any] | None], float] | None:
        """Return the scorer of the validation set as `Request` has it, or None for the loss's."""
        scoring = getattr(self, "scoring", None)
        if scoring is None or (isinstance(scoring, str) and scoring == "loss"):
            return None
        scorer = check_scoring(self, scoring)
        taken: list[Any] = []  # of the samples, once

        def score(fitted: Fitted, rows: NDArray[Any] | None) -> float:
            if not taken:
                samples = validation if rows is None else training
                is_container = not (
                    samples.sample_weight is None or isinstance(samples.sample_weight, Real)
                )
                parts = samples[:3] if is_container else samples[:2]
                taken.extend(parts if rows is None else [take(part, rows) for part in parts])
            X, y, *weights = taken
            options = {"sample_weight": weights[0]} if weights else {}
            found = scorer(self._fitted_copy(fitted), X, y, **options)
            try:
                return float(found)
            except (TypeError, ValueError) as error:
                raise ValueError(
                    "scoring: expected a number for the validation set, got "
                    f"{describe(found)}: {found!r:.80}."
                ) from error

        return score

    def _publish(self, fitted: Fitted) -> None:
        """Set the fitted attributes."""
        model, history = fitted.model, fitted.history
        self._publish_inputs(model)
        training = {
            "optimizers": fitted.optimizer_states,
            "progress": fitted.progress,
            "scoring": self._said_scoring,
        }
        setattr(self, _STATE, model.state | training)
        self.__dict__.update(model.loss.attributes)
        self.n_outputs_ = model.loss.n_outputs
        of_branches = [branch.encoder.hidden_layer_sizes for _, branch in model.own_spec.branches]
        n_hidden = max(map(len, of_branches)) + len(model.spec.fusion.hidden_layer_sizes)
        self.n_layers_ = n_hidden + 2
        self.out_activation_ = model.loss.out_activation
        self.auto_params_ = fitted.auto_params
        self.n_iter_ = history.n_iter
        self.t_ = history.t
        self.loss_ = history.loss
        self.loss_curve_ = history.loss_curve
        validated = bool(history.validation_scores)
        self.validation_loss_curve_ = history.validation_losses if validated else None
        self.validation_scores_ = history.validation_scores if validated else None
        self.best_validation_score_ = history.best_validation_score if validated else None
        self.best_loss_ = None if fitted.validates and validated else history.best_loss

    @property
    def _said_scoring(self) -> str | None:
        """The parameter `scoring` as a plain value."""
        scoring = getattr(self, "scoring", None)
        return scoring if scoring is None or isinstance(scoring, str) else said(scoring)

    @property
    def _history(self) -> History:
        """The history so far; the attributes stay as they are when it grows."""
        # Scores of another kind do not compare.
        best = self.best_validation_score_
        scored = getattr(self, _STATE).get("scoring") == self._said_scoring
        return History(
            t=self.t_,
            loss=self.loss_,
            loss_curve=list(self.loss_curve_),
            validation_scores=list(self.validation_scores_ or ()),
            # (Those of an earlier version have none.)
            validation_losses=list(getattr(self, "validation_loss_curve_", None) or ()),
            best_loss=np.inf if self.best_loss_ is None else self.best_loss_,
            best_validation_score=best if best is not None and scored else -np.inf,
        )

    def _tell(self, outcome: str, settings: Settings, incremental: bool) -> None:
        """Raise an error or warn of how the training has ended, if it was not as it should."""
        if outcome == "diverged":
            raise ValueError(
                "The training loss is no longer finite. Likely causes: the learning rate is too "
                f"high (learning_rate_init={self.learning_rate_init}), values of X or y are very "
                f"large ({self._said_scaling}), or the gradient has no bound "
                f"(max_grad_norm={self.max_grad_norm}). The weights were set back to the last "
                f"finite ones, of epoch {self.n_iter_}."
            )
        if outcome == "interrupted":
            if is_called_by(_FIT_SEVERAL):  # whose other fits are not wanted either
                raise KeyboardInterrupt
            warn("Training interrupted by user.")
        if self.validation_scores_ and np.isnan(self.validation_scores_).all():
            warn(
                "The score of the validation set was not a number in any epoch "
                f"(scoring={self._said_scoring!r}): there are no best weights, these are the last "
                "ones. Of one class only, or of one sample, many scores are not defined."
            )
        ends = SOLVERS[settings.solver].is_stochastic
        ends = ends and SCHEDULES[settings.learning_rate].ends_training
        if outcome == "max_iter" and not incremental and not ends:
            longest: Any = self.auto_params_.get("max_iter", self.max_iter)
            is_cut = self.n_iter_ < longest
            limit = f"evaluations ({self.max_fun})" if is_cut else f"iterations ({self.n_iter_})"
            warn(
                f"Maximum {limit} reached and the optimization hasn't "
                f"converged yet (solver={self.solver!r}).",
                ConvergenceWarning,
            )

    # --- The fitted model ------------------------------------------------------------------------

    def _fitted_model(self) -> Model:
        """Return the fitted model, with a network made anew."""
        check_is_fitted(self)
        return Model.of_state(getattr(self, _STATE))

    @property
    def parameters_(self) -> dict[str, NDArray[Any]]:
        """Every trainable array by its name, as views: see the class docstring for the layout."""
        if not self.__sklearn_is_fitted__():
            raise AttributeError(f"{type(self).__name__} has parameters_ once it is fitted.")
        return dict(self._fitted_model().parameters)

    def _run(self, model: Model, X: ArrayLike, part: str = "raw", **options: Any) -> Outputs:
        """Return `Outputs` of the model for X; see `run_network`."""
        return predict(model, self._open(X), plain(self.n_jobs), part=part, **options)

    def _reader_of_parsed(self, opened: dict[str, Any]) -> Self:
        """Return a copy that is given parsed samples as X, to score some that have been changed.

        `opened` are those that they come from: what is predicted has their form.
        """
        reader: Any = copy(self)
        reader._run = lambda model, X, part="raw", **options: predict_parsed(
            model, opened, X, plain(self.n_jobs), part=part, **options
        )
        return reader

    def _run_to_score(
        self,
        model: Model,
        X: ArrayLike,
        y: ArrayLike,
        sample_weight: ArrayLike | None,
        then: Callable[..., Any] = np.asarray,
    ) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any] | None]:
        """Return raw outputs, the targets that belong to them, and the targets' weights or None.

        Those of `then`, given some raw outputs (B, K), are returned in their place.
        """
        self._require(y)
        warn_of_another_order(X, y=y, sample_weight=sample_weight)
        outputs = self._run(model, X, then=then, of_chain=Chain.best_paths)
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

    # --- scikit-learn ----------------------------------------------------------------------------

    def _check_saved(self, *, is_of_now: bool) -> None:
        super()._check_saved(is_of_now=is_of_now)
        if self.__sklearn_is_fitted__():
            check_state(getattr(self, _STATE))
        elif "loss_curve_" in vars(self):
            expect(not is_of_now, "the model of a fitted estimator", "none")
            # A version that kept its model in another form has fitted it: it counts as not fitted.
            for name in [name for name in vars(self) if name not in self._parameter_constraints]:
                if not name.startswith(("_skl", "_metadata")):
                    delattr(self, name)

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, _STATE)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = []  # results have the type of `dtype`
        return tags
