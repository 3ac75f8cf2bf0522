"""Losses of classes and of labels."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.special import entr, expit, log_expit, log_softmax, softmax
from sklearn.metrics import accuracy_score
from sklearn.utils import check_array, column_or_1d
from sklearn.utils.class_weight import compute_class_weight, compute_sample_weight
from sklearn.utils.multiclass import check_classification_targets, type_of_target, unique_labels

from skgru._data.arrays import NameOf
from skgru._data.targets import kind_of_labels, to_labels
from skgru._engine.loss import Encoded, Loss
from skgru._nn.batch import Array, Indices, Values
from skgru._saved import expect, expect_sorted


@dataclass(frozen=True, eq=False)
class LogLoss(Loss):
    """The log-loss of classes or of labels.

    Parameters
    ----------
    label_smoothing : float or "auto", default=0.0
        ε (Szegedy et al. 2016); a loss of "auto" is replaced before it is computed.
    class_weight : dict, list of dict, "balanced" or None, default=None
    crf : bool or "strict", default=False
        Whether the classes of a sequence's steps are the tags of a chain, see `_nn.chain.Chain`;
        "strict": of one that knows only the transitions of the training data.
    classes : ndarray of shape (n_classes,), learned
    is_multilabel : bool, learned
    class_shares : ndarray of shape (K,) or None, default=None
        π, of each output's class or label, which smoothed targets are moved towards; None = equal.
    """

    label_smoothing: Any = 0.0
    class_weight: Any = None
    crf: bool | str = False
    classes: Values | None = None
    is_multilabel: bool = False
    class_shares: Array | None = None

    name = "log_loss"
    has_classes = True
    parameters = ("label_smoothing", "class_weight", "crf")
    of_fit = ("label_smoothing", "class_weight")
    learns = ("classes", "is_multilabel")

    @property
    def n_outputs(self) -> int:
        """One for two classes, but for those of a chain; else one for each class or label."""
        return 1 if self._is_binary else len(self._classes)

    @property
    def plain(self) -> Loss:
        """The log-loss without label smoothing, whose probabilities are not held back."""
        return replace(self, label_smoothing=0.0)

    def smoothed(self, label_smoothing: float, targets: Values, weights: Array) -> Loss:
        """Return the loss of targets that are moved towards their own shares.

        So predictions are right on average, also where a class is rare.
        """
        is_index = targets.ndim == 1
        totals: Values = (
            np.bincount(targets, weights, minlength=len(self._classes))
            if is_index
            else weights @ targets
        )
        shares = totals / weights.sum()
        return replace(self, label_smoothing=label_smoothing, class_shares=shares)

    @property
    def attributes(self) -> dict[str, Any]:
        """The classes, or the numbers of the labels."""
        return {"classes_": self._classes}

    @property
    def _classes(self) -> Values:
        assert self.classes is not None
        return self.classes

    @property
    def _is_binary(self) -> bool:
        return len(self._classes) == 2 and not self.is_multilabel and not self.crf

    @property
    def has_chain(self) -> bool:
        """Whether the classes are tags."""
        return bool(self.crf)

    @property
    def is_strict(self) -> bool:
        """Whether tags follow each other only as they do in training."""
        return self.crf == "strict"

    def linear_targets(self, targets: Values) -> Array:
        """Return 1 for the class or the labels of a sample, −1 for the others."""
        if targets.ndim == 1:
            targets = targets[:, None] == np.arange(len(self._classes))
        return 2.0 * targets - 1.0

    def check(self, y: Any, where: NameOf) -> Values:
        """Return class labels (n,), or 0 and 1 for each of several labels, (n, K)."""
        if not sparse.issparse(y):
            y = to_labels(y, where)
        y = check_array(y, ensure_2d=False, dtype=None, accept_sparse="csr", input_name="y")
        check_classification_targets(y)
        labels: Values
        if type_of_target(y) == "multilabel-indicator":
            labels = y.toarray() if hasattr(y, "toarray") else y
            if self.crf:
                raise ValueError(
                    "crf=True decodes one tag for each step: expected y of shape (n_steps,) for "
                    f"each sequence, got {labels.shape[1]} labels for each step. Several labels "
                    "need crf=False."
                )
            if not np.isin(labels, (0, 1)).all():
                raise ValueError(f"Labels must be 0 and 1, got the values {np.unique(y)} in y.")
            return labels
        labels = column_or_1d(y, warn=True)
        return labels

    def learn(self, y: Values, weights: Array, classes: Any = None) -> dict[str, Any]:
        """Return the classes, and whether there are several labels."""
        is_multilabel = y.ndim == 2
        given = np.arange(y.shape[1]) if is_multilabel else np.unique(y)
        classes = given if classes is None else unique_labels(classes)
        return {"classes": classes, "is_multilabel": is_multilabel}

    def bind(self, learned: Mapping[str, Any]) -> Loss:
        """Return the loss of these classes: sigmoids for labels, and for two without a chain."""
        has_sigmoids = learned["is_multilabel"] or (len(learned["classes"]) == 2 and not self.crf)
        kind = SigmoidLogLoss if has_sigmoids else SoftmaxLogLoss
        return kind(self.label_smoothing, self.class_weight, self.crf, **learned)

    def check_learned(self) -> None:
        """Refuse classes that no fit has left so; see `Loss.check_learned`."""
        classes: Any = self.classes
        expect_sorted(classes, "classes", kinds="")
        least = 1 if self.is_multilabel else 2
        expect(np.size(classes) >= least, f"at least {least} classes", classes)

    def encode(self, y: Values, weights: Array) -> Encoded:
        """Return the indices of the classes, or 0 and 1 for each output."""
        if (y.ndim == 2) != self.is_multilabel:
            raise ValueError(
                f"Expected {'several labels' if self.is_multilabel else 'one label'} per sample "
                f"as in the first fit, got y of shape {y.shape}."
            )
        classes = self._classes
        if self.is_multilabel:
            if y.shape[1] != len(classes):
                raise ValueError(f"y has {y.shape[1]} labels, expected {len(classes)}.")
            return Encoded(y.astype(np.float32), self._label_factors(y))
        if len(classes) < 2:
            raise ValueError(
                "A classifier needs samples of at least 2 classes, but y holds only one class: "
                f"{classes[0]!r}"
            )
        positions = np.zeros(len(y), np.intp)
        if kind_of_labels(y) == kind_of_labels(classes):
            positions = np.searchsorted(classes, y).clip(max=len(classes) - 1)
        if not np.array_equal(classes[positions], y):
            raise ValueError(
                f"`y` has classes not in `self.classes_`. `self.classes_` has {classes}. "
                f"'y' has {np.unique(y)}."
            )
        factors = self._class_factors(y, positions, weights)
        if self._is_binary:
            return Encoded(positions[:, None].astype(np.float32), factors)
        return Encoded(positions, factors)

    def _class_factors(self, y: Values, positions: Values, weights: Array) -> Array:
        """Return each sample's class weight; 'balanced' counts samples by their weight."""
        if self.class_weight is None or self.crf:
            return np.ones(len(y))
        classes = self._classes
        if self.class_weight == "balanced":
            totals = np.bincount(positions, weights, minlength=len(classes))
            present = totals > 0
            factors = np.zeros(len(totals))
            factors[present] = weights.sum() / (present.sum() * totals[present])
        else:
            factors = compute_class_weight(self.class_weight, classes=classes, y=y)
        of_samples: Array = factors[positions]
        return of_samples

    def _label_factors(self, y: Values) -> Array:
        """Return the product over the labels of each sample's class weights, as scikit-learn's."""
        if self.class_weight is None:
            return np.ones(len(y))
        factors: Array = compute_sample_weight(self.class_weight, y)
        return factors

    def strata(self, targets: Values) -> Values | None:
        """Return the classes; of several labels there are no strata."""
        if self.is_multilabel:
            return None
        return targets if targets.ndim == 1 else targets[:, 0]

    def probabilities(self, raw: Array, dtype: Any) -> Array:
        """Return the probability of each class or label, (B, K)."""
        return self.activate(self._of_both_classes(raw)).astype(dtype, copy=False)

    def log_probabilities(self, raw: Array, dtype: Any) -> Array:
        """Return their logarithms, finite also where a probability rounds to zero."""
        log_p = self._log_activate(self._of_both_classes(raw)).astype(dtype, copy=False)
        p = self.probabilities(raw, dtype)
        # The logarithm of the probability as it is returned, also where it rounds to one.
        np.log(p, out=log_p, where=p >= np.finfo(p.dtype).tiny)
        return log_p

    @abstractmethod
    def _log_activate(self, raw: Array) -> Array:
        """Return the logarithm of `activate`."""

    def _of_both_classes(self, raw: Array) -> Array:
        """Return raw outputs with a column for the negative of two classes: 1 − p rounds to 0."""
        return np.hstack([-raw, raw]) if self._is_binary else raw

    def predict(self, raw: Array, dtype: Any) -> Values:
        """Return the most probable classes, (B,), or 0 and 1 for each of the labels."""
        probabilities = self.probabilities(raw, dtype)
        if self.is_multilabel:
            return (probabilities > 0.5).astype(int)
        classes: Values = self._classes[probabilities.argmax(axis=1)]
        return classes

    def choose(self, raw: Array, target: Any) -> Indices:
        """Return the index of a class or label; None = that of the predicted class."""
        classes = self._classes
        if target is None and not self.is_multilabel:
            predicted: Indices = self._of_both_classes(raw).argmax(axis=1)
            return predicted
        matches = [i for i, known in enumerate(classes.tolist()) if _is_same(known, target)]
        if not matches:
            what = "the index of a label" if self.is_multilabel else "a class, or None"
            raise ValueError(
                f"Expected {what} as target, one of {classes.tolist()}, got {target!r}."
            )
        return np.full(len(raw), matches[0])

    def output(self, raw: Array, index: Indices) -> tuple[Array, Array]:
        """Return raw outputs, of the first of two classes the negative, and their derivative."""
        d_raw, rows = np.zeros_like(raw), np.arange(len(raw))
        if self._is_binary:
            d_raw[:, 0] = 2 * index - 1
        else:
            d_raw[rows, index] = 1
        return np.einsum("ik,ik->i", raw, d_raw), d_raw

    def unit(self, index: Indices) -> Array:
        """Return ones."""
        return np.ones(len(index))

    def decide(self, raw: Array) -> Values:
        """Return the raw outputs, or of many classes the index of the largest of them."""
        if self.is_multilabel or raw.shape[1] == 1:
            return raw
        largest: Values = raw.argmax(axis=1).astype(float)
        largest[~np.isfinite(raw).all(axis=1)] = np.nan
        return largest

    def score(self, decisions: Values, targets: Values, weights: Array | None) -> float:
        """Return the accuracy; of several labels, the share of samples with all of them right."""
        if targets.ndim == 1:  # indices of classes
            truth, found = targets, decisions.astype(int)
        else:
            truth, found = targets > 0.5, decisions > 0
        return float(accuracy_score(truth, found, sample_weight=weights))


def _is_same(label: Any, target: Any) -> bool:
    """Whether a target is that label: True is not 1, and a text no number."""
    target = target.item() if isinstance(target, np.generic) else target
    are_bool = isinstance(label, bool), isinstance(target, bool)
    is_equal = label == target
    # (A container compares its elements, and a missing value is equal to nothing.)
    return are_bool[0] == are_bool[1] and isinstance(is_equal, bool) and is_equal


@dataclass(frozen=True, eq=False)
class SoftmaxLogLoss(LogLoss):
    """Multinomial log-loss, −log p of the true class; y is its index, (B,).

    With label smoothing ε (Szegedy et al. 2016), the true class has the share 1 − ε of a target,
    and all K classes have ε · π.
    """

    out_activation = "softmax"

    @property
    def lowest(self) -> float:
        """The mean entropy of the targets; of a chain, whose targets are as they are, 0."""
        if self.has_chain:
            return 0.0
        shares = self._shares(len(self._classes))
        others = self.label_smoothing * shares
        true = 1 - self.label_smoothing + others
        return float(entr(others).sum() + shares @ (entr(true) - entr(others)))

    def _shares(self, n_classes: int) -> Array:
        if self.class_shares is None:
            return np.full(n_classes, 1 / n_classes)
        return self.class_shares

    def activate(self, raw: Array) -> Array:
        """Return the class probabilities (B, K)."""
        p: Array = softmax(raw, axis=1)
        return p

    def _log_activate(self, raw: Array) -> Array:
        log_p: Array = log_softmax(raw, axis=1)
        return log_p

    def loss_and_gradient(self, raw: Array, y: NDArray[np.integer]) -> tuple[Array, Array]:
        """Return the loss −Σ t log p (B,) and p − t (B, K), where t is the smoothed target."""
        epsilon = self.label_smoothing
        true = np.arange(len(y)), y
        shifted = raw - raw.max(axis=1, keepdims=True)
        p = np.exp(shifted)
        total = p.sum(axis=1, keepdims=True)
        p /= total
        p[true] -= 1 - epsilon
        expected = (1 - epsilon) * shifted[true]
        if epsilon:
            shares = self._shares(raw.shape[1]).astype(raw.dtype)
            p -= epsilon * shares
            expected += epsilon * (shifted @ shares)
        return np.log(total[:, 0]) - expected, p


@dataclass(frozen=True, eq=False)
class SigmoidLogLoss(LogLoss):
    """Binary log-loss, summed over K independent labels; y is 0 or 1, (B, K).

    With label smoothing ε, y becomes (1 − ε) y + ε · π.
    """

    out_activation = "logistic"

    @property
    def lowest(self) -> float:
        """The mean entropy of the targets."""
        shares = self._shares(self.n_outputs)
        no, yes = (self._smooth(np.full(len(shares), y), shares) for y in (0.0, 1.0))
        of_no, of_yes = (entr(p) + entr(1 - p) for p in (no, yes))
        return float(((1 - shares) * of_no + shares * of_yes).sum())

    def _shares(self, n_outputs: int) -> Array:
        return np.full(n_outputs, 0.5) if self.class_shares is None else self.class_shares

    def _smooth(self, y: Array, shares: Array) -> Array:
        smoothed: Array = np.multiply(y, 1 - self.label_smoothing, dtype=shares.dtype)
        smoothed += self.label_smoothing * shares
        return smoothed

    def activate(self, raw: Array) -> Array:
        """Return the probability of each label (B, K)."""
        p: Array = expit(raw)
        return p

    def _log_activate(self, raw: Array) -> Array:
        log_p: Array = log_expit(raw)
        return log_p

    def loss_and_gradient(self, raw: Array, y: Array) -> tuple[Array, Array]:
        """Return Σ log(1 + exp(raw)) − y·raw (B,) and p − y (B, K)."""
        if self.label_smoothing:
            y = self._smooth(y, self._shares(raw.shape[1]).astype(raw.dtype))
        return (np.logaddexp(0, raw) - y * raw).sum(axis=1), expit(raw) - y


# Before it has learned how many classes there are, the loss is that of many.
CLASS_LOSSES: dict[str, type[LogLoss]] = {SoftmaxLogLoss.name: SoftmaxLogLoss}
