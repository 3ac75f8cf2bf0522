"""The picture of how the loss went down in training."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Self

import numpy as np

from skgru._pictures import fonts, import_pyplot, line_style, show_whole_numbers
from skgru._types import AnyEstimator, ArrayLike, Axes
from skgru._unwrapping import unwrap
from skgru._warnings import warn


class LossCurveDisplay:
    """The loss after each epoch, in training and on the validation set.

    It is made by `from_estimator` or `from_estimators`; its parameters become attributes.

    Parameters
    ----------
    training : dict of str to array-like of shape (n_epochs,)
        The training losses of each estimator, by its name.
    validation : dict of str to array-like of shape (n_epochs,), default=None
        The validation losses of those that have some.

    Attributes
    ----------
    ax_ : Axes of matplotlib
    figure_ : Figure of matplotlib
    lines_ : list of Line2D of matplotlib
        For each estimator the line of the training losses, then that of the validation losses, if
        it has some.

    Notes
    -----
    The training loss of an epoch is the mean over its updates, with the penalty of `alpha` and
    with dropout; the validation loss is measured when the epoch has ended, without either. So a
    validation loss below that of training is no mistake.

    Examples
    --------
    >>> import numpy as np
    >>> from skgru import GRURegressor, LossCurveDisplay
    >>> X = np.random.RandomState(0).normal(size=(100, 8, 1))
    >>> reg = GRURegressor(8, max_iter=20, early_stopping=True, random_state=0)
    >>> display = LossCurveDisplay.from_estimator(reg.fit(X, X.sum(axis=(1, 2))))
    >>> [line.get_label() for line in display.lines_]
    ['training', 'validation']
    """

    def __init__(
        self, training: Mapping[str, ArrayLike], validation: Mapping[str, ArrayLike] | None = None
    ) -> None:
        self.training = training
        self.validation = validation

    @classmethod
    def from_estimator(
        cls,
        estimator: AnyEstimator,
        *,
        name: str | None = None,
        ax: Axes | None = None,
        **kwargs: Any,
    ) -> Self:
        """Draw the losses of a fitted estimator.

        Parameters
        ----------
        estimator : estimator
            One with `loss_curve_`, a `Pipeline` that ends with one, or a search, whose best
            estimator is taken.
        name : str, default=None
            The name in the legend; None = none.
        ax : Axes of matplotlib, default=None
            Where to draw; None = a figure of its own.
        **kwargs : dict
            Of all lines, as `Axes.plot` of matplotlib has them.

        Returns
        -------
        display : LossCurveDisplay

        Raises
        ------
        AttributeError
            If there are no losses.
        ImportError
            If there is no matplotlib.
        """
        return cls.from_estimators({name or "": estimator}, ax=ax, **kwargs)

    @classmethod
    def from_estimators(
        cls,
        estimators: Mapping[str, AnyEstimator] | Sequence[AnyEstimator],
        *,
        ax: Axes | None = None,
        **kwargs: Any,
    ) -> Self:
        """Draw the losses of several fitted estimators in one picture.

        Parameters
        ----------
        estimators : dict of str to estimator, or list of estimator
            Each as for `from_estimator`. A list, as `cross_validate` of scikit-learn returns one
            with ``return_estimator=True``, is numbered in the legend.
        ax : Axes of matplotlib, default=None
            Where to draw; None = a figure of its own.
        **kwargs : dict
            Of all lines, as `Axes.plot` of matplotlib has them.

        Returns
        -------
        display : LossCurveDisplay

        Raises
        ------
        AttributeError
            If one has no losses.
        ImportError
            If there is no matplotlib.

        Examples
        --------
        >>> import numpy as np
        >>> from sklearn.model_selection import cross_validate
        >>> from skgru import GRURegressor, LossCurveDisplay
        >>> X = np.random.RandomState(0).normal(size=(60, 8, 1))
        >>> reg = GRURegressor(8, max_iter=9, random_state=0)
        >>> cv = cross_validate(reg, X, X.sum(axis=(1, 2)), cv=3, return_estimator=True)
        >>> display = LossCurveDisplay.from_estimators(cv["estimator"])
        >>> [line.get_label() for line in display.lines_]
        ['GRURegressor 1', 'GRURegressor 2', 'GRURegressor 3']
        """
        if not isinstance(estimators, Iterable):
            raise TypeError(
                "Expected a dict or a list of estimators, got "
                f"{type(estimators).__name__}: from_estimator draws one."
            )
        if not isinstance(estimators, Mapping):
            estimators = {
                f"{type(unwrap(estimator)).__name__} {number}": estimator
                for number, estimator in enumerate(estimators, 1)
            }
        if not estimators:
            raise ValueError("Expected at least one estimator, got none.")
        training, validation = {}, {}
        for name, estimator in estimators.items():
            training[name], held_out = _losses_of(estimator)
            if held_out is not None:
                validation[name] = held_out
        return cls(training, validation).plot(ax, **kwargs)

    def plot(self, ax: Axes | None = None, **kwargs: Any) -> Self:
        """Draw the losses.

        Parameters
        ----------
        ax : Axes of matplotlib, default=None
            Where to draw; None = a figure of its own.
        **kwargs : dict
            Of all lines, as `Axes.plot` of matplotlib has them.

        Returns
        -------
        display : LossCurveDisplay
            Itself.

        Raises
        ------
        ImportError
            If there is no matplotlib.
        """
        plt = import_pyplot("LossCurveDisplay")

        if ax is None:
            _, ax = plt.subplots(layout="constrained")
        self.ax_, self.figure_ = ax, ax.figure
        self.lines_: list[Any] = []
        kwargs, validation = line_style(kwargs), self.validation or {}
        for name, losses in self.training.items():
            label = name or "training"
            if name and validation:
                label += ", training"
            line = self._draw(losses, **{"label": label} | kwargs)
            if name in validation:
                # Alone it has room for a colour of its own; among others the colour says whose.
                style = {"color": line.get_color(), "linestyle": "--"} if name else {}
                label = f"{name}, validation" if name else "validation"
                self._draw(validation[name], **{"label": label} | style | kwargs)
        ax.set_xlabel("epoch")
        ax.set_ylabel("loss")
        show_whole_numbers(ax.xaxis)
        ax.legend(prop={"family": fonts()})
        return self

    def _draw(self, losses: ArrayLike, **kwargs: Any) -> Any:
        """Draw a line and return it; a single epoch is a point."""
        marker = {"marker": "o"} if len(losses) == 1 else {}
        (line,) = self.ax_.plot(np.arange(1, len(losses) + 1), losses, **marker | kwargs)
        self.lines_.append(line)
        return line


def _losses_of(estimator: AnyEstimator) -> tuple[ArrayLike, ArrayLike | None]:
    """Return the losses of an estimator in training, and of its validation set or None."""
    network = unwrap(estimator)
    if getattr(network, "loss_curve_", None) is None:
        hint = "call fit first (a search needs refit=True)"
        if hasattr(network, "networks_"):
            hint = "its networks have some, give its networks_ to from_estimators"
        raise AttributeError(
            f"Expected a fitted estimator with loss_curve_, got a {type(network).__name__} that "
            f"has none: {hint}."
        )
    training = network.loss_curve_
    validation = getattr(network, "validation_loss_curve_", None)
    if validation is not None and len(validation) != len(training):
        warn(
            f"The validation losses of {type(network).__name__} are not drawn: there are "
            f"{len(validation)} of {len(training)} epochs, since not all calls of fit had a "
            "validation set, and nothing says of which."
        )
        validation = None
    return training, validation
