"""What a network for numbers does: fit, predictions, score."""

from __future__ import annotations

from numbers import Real
from typing import Any, Literal, Self, overload

from numpy.typing import NDArray
from sklearn.base import RegressorMixin
from sklearn.utils import check_consistent_length

from skgru._base import BaseNetwork
from skgru._compat import Interval, StrOptions, available_if, fit_context
from skgru._engine.loss import Loss, make_loss
from skgru._engine.number_losses import NUMBER_LOSSES
from skgru._settings import Settings
from skgru._types import ArrayLike


class NetworkRegressor(RegressorMixin, BaseNetwork):
    """Base of the regressors; the class of an estimator says which X it reads."""

    _parameter_constraints: dict[str, Any] = {
        "loss": [StrOptions(NUMBER_LOSSES.keys())],
        "quantiles": [Interval(Real, 0, 1, closed="neither"), "array-like"],
        "huber_delta": [Interval(Real, 0, None, closed="neither")],
    }

    target_mean_: NDArray[Any]
    target_scale_: NDArray[Any]

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

        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Target values. With ``pooling=None`` an array of shape (n_steps_i,) or
            (n_steps_i, n_outputs) for each sequence.

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
        self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None
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

        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Target values, as for `fit`.

        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the samples.

        Returns
        -------
        self : object
            The estimator.

        Raises
        ------
        ValueError
            As `fit`.
        """
        return self._fit(X, y, sample_weight, incremental=True)

    @overload
    def predict(self, X: ArrayLike, return_std: Literal[False] = ...) -> NDArray[Any]: ...

    @overload
    def predict(
        self, X: ArrayLike, return_std: Literal[True]
    ) -> tuple[NDArray[Any], NDArray[Any]]: ...

    def predict(
        self, X: ArrayLike, return_std: bool = False
    ) -> NDArray[Any] | tuple[NDArray[Any], NDArray[Any]]:
        """Predict the target of each sample.

        Parameters
        ----------
        X : array-like
            Samples, as for `fit`.

        return_std : bool, default=False
            Whether to return the standard deviation too, with ``loss='gaussian'``.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            As many dimensions as y had in `fit`. Where several quantiles are estimated, the array
            has one more, with as many entries. With ``pooling=None`` every step has a row: an
            array of shape (n_samples,) that holds an array for each sequence; for X of shape
            (n_samples, n_steps, ...) without padding, one array that begins with (n_samples,
            n_steps).

        y_std : ndarray of the same shape
            Only with `return_std`.

        Raises
        ------
        ValueError
            If `return_std` is asked of another loss.
        """
        model = self._fitted_model()
        loss: Any = model.loss  # of numbers
        if return_std and not loss.has_std:
            raise ValueError(f"return_std=True needs loss='gaussian', got {loss.name!r}.")
        outputs = self._run(model, X)
        y = outputs.shaped(model.predictions(outputs.values))
        if not return_std:
            return y
        return y, outputs.shaped(loss.predict_std(outputs.values))

    def score(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
        """Return R² of the prediction; of quantiles, the mean of D² of their pinball losses.

        A prediction of the mean of y, or of its quantiles, has 0.

        Parameters
        ----------
        X : array-like
            Samples, as for `fit`.

        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            True targets; with ``pooling=None`` one for each step.

        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the samples.

        Returns
        -------
        score : float
            1 is the best. With ``pooling=None`` it is taken over all steps.
        """
        model = self._fitted_model()
        raw, y, weights = self._run_to_score(model, X, y, sample_weight)
        check_consistent_length(raw, y)
        loss: Any = model.loss  # of numbers
        targets, _ = loss.encode(y, weights)
        return loss.score(raw, targets, weights)

    def _make_loss(self, settings: Settings) -> Loss:
        return make_loss(NUMBER_LOSSES[settings.loss], settings)
