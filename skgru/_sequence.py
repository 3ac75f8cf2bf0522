"""The estimators of one sequence per sample: the parameters of its input and of its branch."""

from __future__ import annotations

from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import ClassNamePrefixFeaturesOutMixin
from sklearn.utils.validation import validate_data

from skgru._base import BaseNetwork, Raw
from skgru._constraints import CONVOLUTIONS, NUMBERS, RECURRENCE, TOKENS
from skgru._data.forms import open_form
from skgru._data.kinds import INPUTS
from skgru._engine.model import Model
from skgru._engine.request import Given, Request
from skgru._settings import Settings
from skgru._types import ArrayLike, PredictionMethod
from skgru.streaming import Stream

# The name of the only branch: it is not said in errors.
_BRANCH = ""


class BaseGRU(ClassNamePrefixFeaturesOutMixin, BaseNetwork):
    """Base of `GRUClassifier` and `GRURegressor`, which see for the parameters."""

    _parameter_constraints: dict[str, Any] = {
        **BaseNetwork._parameter_constraints,
        **RECURRENCE,
        **NUMBERS,
        **CONVOLUTIONS,
        **TOKENS,
    }

    # Of these, those that there are for X.
    feature_names_in_: NDArray[Any]
    feature_mean_: NDArray[Any]
    feature_scale_: NDArray[Any]
    gap_scale_: NDArray[Any]
    has_missing_: bool
    token_ids_: NDArray[Any]
    has_vector_: NDArray[np.bool_]

    # --- Fitting ---------------------------------------------------------------------------------

    def _branch_settings(self, settings: Settings) -> dict[str, Settings]:
        return {_BRANCH: settings}

    @property
    def _has_step_targets(self) -> bool:
        return self.pooling is None

    def _give(
        self, training: Raw, validation: Raw, *, reset: bool, request: Request
    ) -> tuple[Given, Given | None, bool]:
        def given(samples: Raw, *, reset: bool) -> Given:
            opened = self._open_sequences(samples.X, reset=reset)
            return Given({_BRANCH: opened}, samples.y, samples.sample_weight, groups=samples.groups)

        to_train = given(training, reset=reset)
        to_validate = None if validation.X is None else given(validation, reset=False)
        return to_train, to_validate, False

    def _open(self, X: ArrayLike) -> dict[str, Any]:
        return {_BRANCH: self._open_sequences(X, reset=False)}

    def _open_sequences(self, X: ArrayLike, *, reset: bool) -> Any:
        """Open X; with `reset`, keep the names of its features, else compare them."""
        opened = open_form(X, type(self).__name__)
        named = np.empty((0, 0)) if opened.named is None else opened.named
        validate_data(self, named, skip_check_array=True, ensure_2d=False, reset=reset)
        return opened

    def _publish_inputs(self, model: Model) -> None:
        (part,) = model.own_inputs.values()
        for name in {name for kind in INPUTS.values() for name in kind.attribute_names}:
            self.__dict__.pop(name, None)  # of an earlier fit to other data
        self.n_features_in_ = part.n_features_in
        self.__dict__.update(part.attributes)

    @property
    def _said_scaling(self) -> str:
        return f"scaling={self.scaling!r}"

    # --- Step by step ----------------------------------------------------------------------------

    def stream(
        self, n_sequences: int | None = None, *, method: PredictionMethod = "predict"
    ) -> Stream:
        """Return a stream, which predicts after each step of sequences that are going on.

        Parameters
        ----------
        n_sequences : int, default=None
            How many sequences go on at once; None: one, whose steps have no axis for sequences.

        method : {'predict', 'predict_proba', 'predict_log_proba'}, default='predict'
            Which prediction its `step` returns. Of a regressor it is 'predict'.

        Returns
        -------
        stream : Stream
            See :class:`skgru.streaming.Stream`.

        Raises
        ------
        ValueError
            If the network has to know the end of a sequence: it reads in both directions, has
            random convolutions, a bag of tokens, a chain of tags or each sequence scaled by
            itself.
        """
        return Stream(self._fitted_model(), n_sequences, method)

    # --- Features for other estimators -----------------------------------------------------------

    def transform(self, X: ArrayLike) -> NDArray[Any]:
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
        pooled: np.ndarray = self._run(model, X, "pooled").values
        return pooled[:, model.network.fusion.columns[_BRANCH]]

    def transform_steps(self, X: ArrayLike) -> NDArray[Any]:
        """Return the outputs of the top layer at every step; with `patch_size`, at every patch.

        Parameters
        ----------
        X : array-like
            Sequences, as for `fit`.

        Returns
        -------
        outputs : ndarray of shape (n_samples,), or (n_samples, n_steps, n_outputs)
            An array of shape (n_steps_i, n_outputs) for each sequence; the second for X of shape
            (n_samples, n_steps, ...) without padding.
        """
        outputs = self._run(self._fitted_model(), X, "steps")
        return outputs.shaped(outputs.values)

    @property
    def _n_features_out(self) -> int:
        return self._fitted_model().network.branches[_BRANCH].n_outputs

    # --- scikit-learn ----------------------------------------------------------------------------

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        has_tokens = isinstance(self.embedding_dim, Integral) or self.embedding_matrix is not None
        tags.input_tags.allow_nan = self.missing != "error" and not has_tokens
        return tags
