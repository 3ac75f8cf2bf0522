"""What a network for classes does: fit, predictions, score."""

from __future__ import annotations

from numbers import Real
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import ClassifierMixin
from sklearn.metrics import accuracy_score
from sklearn.utils.multiclass import unique_labels

from skgru._base import BaseNetwork
from skgru._compat import Interval, StrOptions, available_if, fit_context
from skgru._engine.class_losses import CLASS_LOSSES
from skgru._engine.loss import Loss, make_loss
from skgru._nn.chain import Chain
from skgru._settings import Settings
from skgru._types import ArrayLike


class NetworkClassifier(ClassifierMixin, BaseNetwork):
    """Base of the classifiers; the class of an estimator says which X it reads."""

    _parameter_constraints: dict[str, Any] = {
        "label_smoothing": [StrOptions({"auto"}), Interval(Real, 0, 1, closed="left")],
        "class_weight": [StrOptions({"balanced"}), dict, list, None],
        "crf": ["boolean", StrOptions({"strict"})],
    }

    classes_: NDArray[Any]

    @fit_context(prefer_skip_nested_validation=True)
    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        *,
        groups: ArrayLike | None = None,
        X_val: ArrayLike | None = None,
        y_val: ArrayLike | None = None,
        sample_weight_val: ArrayLike | None = None,
    ) -> Self:
        """Fit the network.

        Parameters
        ----------
        X : array-like
            Samples, in any of the forms of the class's notes.

        y : array-like of shape (n_samples,) or (n_samples, n_labels)
            Class labels of any type; or 0 and 1 for each of several labels. With ``pooling=None``
            an array of shape (n_steps_i,) or (n_steps_i, n_labels) for each sequence.

        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the samples, not negative. A weight of zero leaves a sample out.

        groups : array-like of shape (n_samples,), default=None
            Labels of groups, such as patients or machines. Where a part of the samples is held out
            for validation, it is `validation_fraction` of the groups (not stratified), so that no
            group is in both parts.

        X_val : array-like, default=None
            Samples to validate on after each epoch, in the same forms. The scores are kept in
            `validation_scores_`; with `early_stopping` they end the training.

        y_val : array-like, default=None
            The targets of `X_val`.

        sample_weight_val : array-like, default=None
            The weights of `X_val` in the validation score.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            If parameters or data are invalid; the estimator then stays as it was. Or if the loss is
            no longer finite; the weights are then the last finite ones.
        """
        validation = (X_val, y_val, sample_weight_val)
        return self._fit(X, y, sample_weight, validation, groups=groups)

    @available_if(lambda self: self._check_solver())
    @fit_context(prefer_skip_nested_validation=True)
    def partial_fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        classes: ArrayLike | None = None,
    ) -> Self:
        """Train one epoch on the given data.

        Scaling, tokens, optimizer and the network, where parameters say 'auto', are set up by the
        data of the first call and kept from then on. Of what :class:`SequenceVectorizer` returns
        all words of the vocabulary are known, also those that the first call lacks. Nothing is held
        out to stop early.

        Parameters
        ----------
        X : array-like
            Samples, as for `fit`.

        y : array-like of shape (n_samples,) or (n_samples, n_labels)
            Class labels, or 0 and 1 for each of several labels; as for `fit`.

        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the samples.

        classes : array-like of shape (n_classes,), default=None
            All classes that any call will see; y with others is refused. Needed in the first call.

        Returns
        -------
        self : object
            The estimator.

        Raises
        ------
        ValueError
            As `fit`.
        """
        if self.__sklearn_is_fitted__():
            if classes is not None and not np.array_equal(self.classes_, unique_labels(classes)):
                raise ValueError(
                    f"`classes={classes!r}` is not the same as on last call to partial_fit, "
                    f"was: {self.classes_!r}"
                )
        elif classes is None:
            raise ValueError("classes must be passed on the first call to partial_fit.")
        if self.class_weight == "balanced":
            raise ValueError(
                "class_weight='balanced' is not supported for partial_fit. Expected a dict: use "
                "compute_class_weight('balanced', classes=classes, y=y) on all of y."
            )
        return self._fit(X, y, sample_weight, classes=classes, incremental=True)

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """Predict the class of each sample.

        Parameters
        ----------
        X : array-like
            Samples, as for `fit`.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_labels)
            The most probable class; for multilabel y, 1 for each label with a probability above
            one half, else 0. With ``pooling=None`` every step has a row: an array of shape
            (n_samples,) that holds an array for each sequence; for X of shape (n_samples, n_steps,
            ...) without padding, one array that begins with (n_samples, n_steps).
        """
        model = self._fitted_model()
        outputs = self._run(model, X, then=model.predictions, of_chain=Chain.best_paths)
        return outputs.shaped(outputs.values)

    def predict_proba(self, X: ArrayLike) -> NDArray[Any]:
        """Predict the probability of each class.

        Parameters
        ----------
        X : array-like
            Samples, as for `fit`.

        Returns
        -------
        p : ndarray of shape (n_samples, n_classes) or (n_samples, n_labels)
            The columns are in the order of `classes_`; for multilabel y they do not add up to one.
            With ``pooling=None`` a row for each step, as in `predict`.
        """
        model = self._fitted_model()
        outputs = self._run(model, X, of_chain=Chain.log_marginals)
        loss: Any = model.loss  # of classes
        return outputs.shaped(loss.probabilities(outputs.values, model.theta.dtype))

    def predict_log_proba(self, X: ArrayLike) -> NDArray[Any]:
        """Predict the logarithm of the probability of each class.

        Parameters
        ----------
        X : array-like
            Samples, as for `fit`.

        Returns
        -------
        log_p : ndarray of shape (n_samples, n_classes) or (n_samples, n_labels)
            As `predict_proba`; finite also where the probability rounds to zero.
        """
        model = self._fitted_model()
        outputs = self._run(model, X, of_chain=Chain.log_marginals)
        loss: Any = model.loss  # of classes
        return outputs.shaped(loss.log_probabilities(outputs.values, model.theta.dtype))

    def score(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
        """Return the accuracy; of several labels, the share of samples with all of them right.

        Parameters
        ----------
        X : array-like
            Samples, as for `fit`.

        y : array-like of shape (n_samples,) or (n_samples, n_labels)
            True classes; with ``pooling=None`` one for each step.

        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the samples.

        Returns
        -------
        score : float
            1 is the best. With ``pooling=None`` it is taken over all steps.
        """
        model = self._fitted_model()
        predicted, y, weights = self._run_to_score(model, X, y, sample_weight, model.predictions)
        return float(accuracy_score(y, predicted, sample_weight=weights))

    def _make_loss(self, settings: Settings) -> Loss:
        return make_loss(CLASS_LOSSES["log_loss"], settings)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        if self._has_step_targets:
            # As a classifier, scikit-learn would take y for labels, (n,) or (n, K): lists of lists
            # would be refused before they come here, as a form of several labels long gone.
            tags.estimator_type = None
        return tags
