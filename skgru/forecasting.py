"""GRUForecaster: the future of series."""

from __future__ import annotations

from functools import partial
from inspect import signature
from numbers import Integral, Real
from typing import Any, Self

import numpy as np
from sklearn.metrics import r2_score
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from skgru._callbacks import begin_context, part_of
from skgru._compat import CallbackSupportMixin, Interval, StrOptions, fit_context
from skgru._constraints import NUMBERS, RECURRENCE, TRAINING
from skgru._estimator import Estimator, hints_at_names
from skgru._forecasting.ahead import quantile_ahead
from skgru._forecasting.calendar import CYCLES, cycles_to_learn, seasons_of_calendar
from skgru._forecasting.checks import (
    TooShortError,
    check_complete,
    check_dates,
    check_known,
    check_step,
)
from skgru._forecasting.ensemble import fit_model
from skgru._forecasting.fitted import FittedSeries
from skgru._forecasting.networks import WINDOW
from skgru._forecasting.roles import columns_of_y_and_x
from skgru._forecasting.season import find_season
from skgru._forecasting.static import StaticColumns
from skgru._forecasting.tracks import (
    last_steps,
    make_sources,
    make_tracks,
    open_x,
    open_y,
    seconds_of,
    units_of,
)
from skgru._forecasting.window import Shape, find_window, steps_to_fit
from skgru._nn.pooling import POOLINGS
from skgru._regression import NetworkRegressor
from skgru._saved import expect
from skgru._settings import plain
from skgru._types import (
    ArrayLike,
    Auto,
    Cells,
    Column,
    Columns,
    Missing,
    NumberLoss,
    Poolings,
    Precision,
    Quantiles,
    ScalingOfRows,
    Schedule,
    Seed,
    Sizes,
    Solver,
    Table,
)
from skgru._warnings import each_once, warn

__all__ = ["GRUForecaster"]


# The parameters of the forecaster; all others go to the network as they are.
_OWN = "window", "horizon", "target", "known", "series", "time", "season", "calendar"
# Where what was fitted lies in a file, as plain values.
_STATE = "_state"
_CONSTRAINTS = {**TRAINING, **RECURRENCE, **NUMBERS, **NetworkRegressor._parameter_constraints}


class GRUForecaster(CallbackSupportMixin, Estimator):
    """Forecaster of series: a network of gated recurrent units (GRU) on windows.

    It reads the last `window` steps of a series, and what is known beside them, and forecasts the
    next `horizon` steps, all at once. One network is trained for all series and targets. It reads
    and predicts values relative to each window, so that it forecasts where levels drift; with few
    windows to learn from, simpler forecasts are weighed in by their errors on later ones.

    Parameters
    ----------
    window : int or 'auto', default='auto'
        The number of steps of each window. 'auto' is two seasons or the horizon, whichever is
        longer, at least 24 and at most 192 steps, but no more than a quarter of the longest series;
        where there are 5,000 windows or more, four seasons and a third of it.

    horizon : int, default=1
        The number of steps that are forecast at once. `predict` goes beyond it by feeding forecasts
        back.

    target : str, int or list of such, default=None
        The columns of y to be forecast, by name or position; its other columns are covariates.
        None: all of them.

    known : str, int or list of such, default=()
        The covariates, among the other columns of y and those of X, whose future is known when the
        forecast is made: prices, holidays, a weather forecast. By position where all of them are
        columns of y, or all of X.

    series : str or other hashable, default=None
        The column of a long table, or the level of its index, that says which series a row is of.

    time : str or other hashable, default=None
        The column of the times, where they are not in the index.

    season : int, 'auto' or None, default='auto'
        The number of steps after which series resemble themselves. 'auto' finds it by their
        autocorrelation, and where they have dates among the cycles of the calendar. None: there is
        none.

    calendar : 'auto' or None, default='auto'
        'auto': where steps have dates, their place in the hour, the day, the week and the year is
        read, each if the longest series has two of it or more: one that is no longer than the
        window, where there are 5,000 windows or more; a longer one, if a ridge regression that
        reads it forecasts later windows better, by 5 % of the squared error. None: none is read.

    hidden_layer_sizes : int or array-like of int, default=(64,)
        Units of each hidden layer, from the bottom up.

    loss : {'squared_error', 'absolute_error', 'huber', 'quantile', 'poisson', 'gaussian'}, \
            default='huber'
        The loss of the network, as of :class:`GRURegressor`. With 'quantile' the forecast is the
        median of `quantiles`, and the outer ones shape the bands; with 'gaussian' the learned
        deviation does. 'poisson' is for counts: values are not taken relative to windows then.

    quantiles : float or array-like of float, default=0.5
        The quantiles of ``loss='quantile'``, in (0, 1) and increasing. They never cross.

    huber_delta : float, default=1.35
        The error from which on ``loss='huber'`` is linear, in standard deviations of the target.

    solver : {'adam', 'sgd', 'lbfgs'}, default='adam'
        The optimizer.

    alpha : float, default=0.0001
        Strength of the L2 penalty on the weight matrices.

    batch_size : int or 'auto', default='auto'
        Windows per update. 'auto' is 32, and 128 from 5,000 windows on.

    learning_rate : {'constant', 'invscaling', 'adaptive', 'cosine'}, default='cosine'
        Schedule of the learning rate.

    learning_rate_init : float, default=0.003
        The (initial or highest) learning rate.

    power_t : float, default=0.5
        Exponent of 'invscaling'.

    max_iter : int or 'auto', default='auto'
        Largest number of epochs; of iterations for 'lbfgs'. 'auto' is as many epochs as make 300
        updates, at least 4; for 'lbfgs' 200 iterations.

    shuffle : bool, default=True
        Whether the windows are shuffled before each epoch.

    random_state : int, RandomState instance or None, default=None
        Determines the networks. The same int gives the same model, bit for bit.

    tol : float, default=1e-4
        Least improvement of the loss (with `early_stopping`, of the validation score) that counts
        as one.

    verbose : bool or int, default=False
        Whether to say how far the training of each network is: by a bar on a terminal where rich
        is installed, else by lines.

    momentum : float, default=0.9
        Momentum of 'sgd', between 0 and 1.

    nesterovs_momentum : bool, default=True
        Whether 'sgd' uses Nesterov's momentum.

    early_stopping : bool, default=False
        Whether to stop when forecasts of the last windows, which are held out then, no longer
        improve, and go back to the weights that were best.

    validation_fraction : float, default=0.1
        The share of the windows to hold out for `early_stopping`: the last ones.

    beta_1 : float, default=0.9
        Decay of Adam's first moment, in [0, 1).

    beta_2 : float, default=0.999
        Decay of Adam's second moment, in [0, 1).

    epsilon : float, default=1e-8
        Constant that keeps Adam's division away from zero.

    n_iter_no_change : int or inf, default=10
        The training ends when more than this many epochs in a row have not improved by `tol`.

    max_fun : int, default=15000
        Largest number of evaluations of the loss, for 'lbfgs'.

    cell : {'gru', 'lstm', 'rnn', 'mingru'} or tuple of them, default='gru'
        The recurrent cell, see :class:`GRURegressor`; a tuple has one for each hidden layer.

    reset_after : bool, default=False
        Whether the reset gate of 'gru' acts on the matrix product rather than on the state before
        it.

    output_gate : bool, default=False
        Whether each hidden layer but an 'lstm' has an output gate.

    bidirectional : bool, default=False
        Whether each hidden layer has a second one beside it that reads the windows from their ends.

    pooling : {'last', 'mean', 'max', 'attention'} or tuple of them, default='last'
        The inputs of the head, from the top layer.

    patch_size : int or 'auto', default='auto'
        Number of consecutive steps that are joined into one before the recurrence, a segment of the
        window. 'auto' is an eighth of the window, rounded, at least 1; and a season, where that has
        24 steps or more and the window four of it.

    shift_patches : bool, default=False
        Whether the joints between patches move while training.

    scaling : {'standard', 'robust'} or None, default='standard'
        Scaling of what the network reads, of each feature over all windows.

    missing : {'decay', 'indicator', 'error'}, default='decay'
        Treatment of missing covariates. Missing values of a series count as the value before.

    warmup_fraction : float, default=0.1
        Share of the updates over which the learning rate grows, for ``learning_rate='cosine'``.

    dropout : float or 'auto', default='auto'
        Share of the inputs of each hidden layer and of the head that each update leaves out, in
        [0, 1). 'auto' is 0.2, and 0 for 'lbfgs'.

    recurrent_dropout : float, default=0.0
        Share of each hidden layer's units whose state the next step does not read.

    weight_decay : float, default=0.1
        Decoupled weight decay of 'adam'.

    max_grad_norm : float or None, default=1.0
        The gradient of each update is scaled down to this norm if it is larger; None: not.

    n_jobs : int or None, default=-1
        Number of threads where they gain, as of :class:`GRURegressor`.

    dtype : {'float32', 'float64'}, default='float32'
        Type of the weights and of the computation. Forecasts are float64.

    Attributes
    ----------
    window_ : int
        The number of steps of each window.

    season_ : int
        The season, 1 if there is none.

    calendar_ : list of str
        The cycles of the calendar that are read.

    n_windows_ : int
        The number of windows to learn from.

    weights_ : dict of str to float
        The weights of the forecasts whose weighted mean the forecast is: the networks', and with
        fewer than 5,000 windows 'persistence', 'seasonal_naive' and those of ridge regressions.

    networks_ : list of MultimodalGRURegressor
        The networks.

    See Also
    --------
    backtest : Forecasts from many moments of the past, and their errors.
    make_windows : Windows and the values that follow them, for any regressor.
    GRURegressor : Regression on sequences.

    Notes
    -----
    **The series.** `y` is one series: an array, a list of numbers, a Series of pandas or polars; or
    a table of which each column is one, or many series: a DataFrame of pandas with a MultiIndex
    whose last level is the time, a long table of pandas, polars or Arrow with the columns `series`
    and `time`, or a list of series. Forecasts come back in the same form, with the labels of the
    steps that follow. Steps that an index leaves out are missing values; a warning tells of them.

    **The networks** read each window relative to its last value, to the mean of its last season, or
    to that of its last `horizon` steps (one each, and the forecast is their mean), all but the
    first in units of the window's deviation [2]_. Segments of the window are steps of the
    recurrence, and all steps ahead are outputs of one head, as in SegRNN [1]_, which also forecasts
    each target by itself with weights that all share. Ridge regressions, fitted to earlier windows
    and judged by later ones in six stretches of time, tell whether logarithms are taken first, the
    deviation is left out, and the level is read beside the window: each has to lower the squared
    error by 10 %; a level that returns, whose means over six stretches of time have less than a
    tenth of its variance, has only to lower it.

    **Few windows.** A network needs many examples. With fewer than 5,000 windows, persistence, the
    season before and ridge regressions are fitted to earlier windows too and forecast later ones;
    the weight of each member is its squared error there, relative to the others, to the power of
    -4, as in [3]_, and that of n windows' networks is multiplied by n / (n + 500).

    **Effects** of covariates known in the future, as far as they are linear and the same for all
    steps ahead, are found by a regression of changes on changes, taken off the series and put back
    on the forecasts.

    **Callbacks** of scikit-learn 1.9 hear of each network as a task of the fit. There are no fitted
    copies of the forecaster, so `ScoringMonitor` logs nothing; `MLflowLogger` and
    `TensorBoardLogger` of `skgru.callbacks` log the losses of each network.

    **The bands** are calibrated by split conformal prediction [4]_: by the errors, at each step
    ahead, of forecasts for the last windows, a fifth of them or two, by a model fitted to those
    before.

    References
    ----------
    .. [1] Lin, S., et al. (2023). SegRNN: Segment recurrent neural network for long-term time
       series forecasting. arXiv:2308.11200.
    .. [2] Kim, T., et al. (2022). Reversible instance normalization for accurate time-series
       forecasting against distribution shift. ICLR.
    .. [3] Bates, J. M. and Granger, C. W. J. (1969). The combination of forecasts. Operational
       Research Quarterly 20.
    .. [4] Lei, J., et al. (2018). Distribution-free predictive inference for regression. Journal of
       the American Statistical Association 113.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from skgru import GRUForecaster
    >>> hours = pd.date_range("2024-01-01", periods=240, freq="h")
    >>> y = pd.Series(20 + 5 * np.sin(2 * np.pi * hours.hour / 24), hours, name="load")
    >>> forecaster = GRUForecaster(window=48, horizon=24, random_state=0).fit(y)
    >>> forecaster.predict(3).round(1)
    2024-01-11 00:00:00    20.0
    2024-01-11 01:00:00    21.3
    2024-01-11 02:00:00    22.5
    Freq: h, Name: load, dtype: float64
    """

    @hints_at_names
    def __init__(
        self,
        window: int | Auto = "auto",
        horizon: int = 1,
        *,
        target: Columns | None = None,
        known: Columns = (),
        series: Column | None = None,
        time: Column | None = None,
        season: int | Auto | None = "auto",
        calendar: Auto | None = "auto",
        hidden_layer_sizes: Sizes = (64,),
        loss: NumberLoss = "huber",
        quantiles: Quantiles = 0.5,
        huber_delta: float = 1.35,
        solver: Solver = "adam",
        alpha: float = 0.0001,
        batch_size: int | Auto = "auto",
        learning_rate: Schedule = "cosine",
        learning_rate_init: float = 0.003,
        power_t: float = 0.5,
        max_iter: int | Auto = "auto",
        shuffle: bool = True,
        random_state: Seed = None,
        tol: float = 0.0001,
        verbose: bool | int = False,
        momentum: float = 0.9,
        nesterovs_momentum: bool = True,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-08,
        n_iter_no_change: float = 10,
        max_fun: int = 15000,
        cell: Cells = "gru",
        reset_after: bool = False,
        output_gate: bool = False,
        bidirectional: bool = False,
        pooling: Poolings = "last",
        patch_size: int | Auto = "auto",
        shift_patches: bool = False,
        scaling: ScalingOfRows = "standard",
        missing: Missing = "decay",
        warmup_fraction: float = 0.1,
        dropout: float | Auto = "auto",
        recurrent_dropout: float | Auto = 0.0,
        weight_decay: float = 0.1,
        max_grad_norm: float | None = 1.0,
        n_jobs: int | None = -1,
        dtype: Precision = "float32",
    ) -> None:
        self.window = window
        self.horizon = horizon
        self.target = target
        self.known = known
        self.series = series
        self.time = time
        self.season = season
        self.calendar = calendar
        self.hidden_layer_sizes = hidden_layer_sizes
        self.loss = loss
        self.quantiles = quantiles
        self.huber_delta = huber_delta
        self.solver = solver
        self.alpha = alpha
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.learning_rate_init = learning_rate_init
        self.power_t = power_t
        self.max_iter = max_iter
        self.shuffle = shuffle
        self.random_state = random_state
        self.tol = tol
        self.verbose = verbose
        self.momentum = momentum
        self.nesterovs_momentum = nesterovs_momentum
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.n_iter_no_change = n_iter_no_change
        self.max_fun = max_fun
        self.cell = cell
        self.reset_after = reset_after
        self.output_gate = output_gate
        self.bidirectional = bidirectional
        self.pooling = pooling
        self.patch_size = patch_size
        self.shift_patches = shift_patches
        self.scaling = scaling
        self.missing = missing
        self.warmup_fraction = warmup_fraction
        self.dropout = dropout
        self.recurrent_dropout = recurrent_dropout
        self.weight_decay = weight_decay
        self.max_grad_norm = max_grad_norm
        self.n_jobs = n_jobs
        self.dtype = dtype

    _parameter_constraints: dict[str, Any] = {
        **{
            name: _CONSTRAINTS[name]
            for name in signature(__init__).parameters.keys() - {"self", *_OWN}
        },
        "early_stopping": ["boolean"],
        "scaling": [StrOptions({"standard", "robust"}), None],  # windows are scaled by themselves
        "bidirectional": ["boolean"],
        "pooling": [StrOptions(POOLINGS.keys()), "array-like"],
        "window": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
        "horizon": [Interval(Integral, 1, None, closed="left")],
        "target": "no_validation",  # looked up in columns_of_y_and_x
        "known": "no_validation",
        "series": "no_validation",
        "time": "no_validation",
        "season": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left"), None],
        "calendar": [StrOptions({"auto"}), None],
    }

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, y: ArrayLike, X: ArrayLike | None = None, static: Table | None = None) -> Self:
        """Fit to series.

        Parameters
        ----------
        y : array-like, table, or list of such
            One or many series, as in the class's notes. Missing values are NaN, None or masked.

        X : array-like, table, or list of such, default=None
            Covariates, with the rows of y: of the same labels, or in the same order. It may have
            more rows, for the steps that follow. A table with dates and without series belongs to
            all series.

        static : table with a row for each series, default=None
            What is known once of each series: numbers and categories. Rows are matched by the
            index, or by the column `series`; an array has them in the order of the series.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError, TypeError
            If series are too short for two windows and what follows them, their values are no
            finite numbers, or their labels are missing, repeated or not equally spaced; if columns
            are not found, or X or static do not belong to y. The estimator then stays as it was.
        """
        context = begin_context(self, "fit")
        with self._unchanged_on_error():
            if context:
                context.call_on_fit_task_begin(estimator=self, X=X, y=y)
            self._fit(y, X, static, partial(part_of, context, self, "fit-network"))
            if context:
                context.call_on_fit_task_end(estimator=self, X=X, y=y)
        return self

    def _fit(self, y: ArrayLike, X: Any, static: Table | None, within: Any) -> None:
        rng = check_random_state(self.random_state)
        panel, of_x, columns = self._open(y, X)
        tracks = make_tracks(panel, of_x, columns)
        self._check_values(tracks, columns)
        shape = self._shape(tracks)
        _check_lengths(tracks, shape, self.window == "auto")
        seconds = seconds_of(tracks)
        check_step(tracks, seconds)
        longest = max(len(track.values) for track in tracks)
        cycles = cycles_to_learn(seconds, longest) if self.calendar == "auto" else []
        check_dates(tracks, cycles)
        encoder: StaticColumns | None = None
        about = np.zeros((len(tracks), 0))
        if static is not None:
            keys = [track.key for track in tracks]
            encoder = StaticColumns(self.series).fit(static, keys)
            about = encoder.transform(static, keys)
        units = units_of(tracks)
        sources = make_sources(tracks, units, about, columns, cycles, shape.horizon)
        with each_once(f"{WINDOW}__"):
            lengths = [CYCLES[cycle] / seconds for cycle in cycles] if seconds is not None else []
            model = fit_model(sources, shape, self._options(), rng, lengths, within)

        cycles = [cycles[i] for i in model.cycles]
        tails = [track.tail(max(shape.window, shape.season)) for track in tracks]
        self._fitted = FittedSeries(
            panel.labels_alone, tails, columns, cycles, seconds, encoder, units, about, model
        )
        self.window_, self.season_, self.calendar_ = shape.window, shape.season, cycles
        self.n_windows_ = model.n_windows
        self.weights_ = {member.name: float(member.weight) for member in model.members}
        self.networks_ = _regressors_of(model)

    def _open(self, y: ArrayLike, X: Any) -> Any:
        """Return y and X, opened, and what their columns are."""
        panel, of_x = open_y(y, self.series, self.time), self._open_x(X)
        return panel, of_x, columns_of_y_and_x(panel, of_x, self.target, self.known)

    def _open_x(self, X: Any) -> Any:
        return None if X is None else open_x(X, self.series, self.time)

    def _check_values(self, tracks: list[Any], columns: Any) -> None:
        """Refuse values that the loss or the treatment of missing ones does not take."""
        if self.loss == "poisson":
            least = min(np.nanmin(track.values, initial=0.0) for track in tracks)
            if least < 0:
                raise ValueError(f"loss='poisson': expected no values below 0 in y, got {least}.")
        if self.missing == "error":
            check_complete(tracks, columns)

    def _options(self) -> dict[str, Any]:
        """Return the parameters of the network, and the defaults of those that are changed."""
        defaults = {name: p.default for name, p in signature(GRUForecaster).parameters.items()}
        names = [name for name in defaults if name not in (*_OWN, "random_state")]
        options = {name: plain(getattr(self, name)) for name in names}
        changed = [k for k, value in options.items() if np.ndim(value) or value != defaults[k]]
        return options | {"user_defaults": {name: defaults[name] for name in changed}}

    def _shape(self, tracks: list[Any]) -> Shape:
        """Return what windows are made of, where parameters say 'auto' by the series."""
        season = 1 if self.season is None else self.season
        if season == "auto":
            of_calendar = seasons_of_calendar(seconds_of(tracks))
            season = find_season([column for t in tracks for column in t.values.T], of_calendar)
        window = self.window
        if window == "auto":
            lengths = [len(track.values) for track in tracks for _ in track.values.T]
            window = find_window(lengths, season, int(self.horizon))
        return Shape(int(window), int(self.horizon), int(season))

    def predict(
        self,
        n: int | None = None,
        *,
        X: ArrayLike | None = None,
        y: ArrayLike | None = None,
        static: Table | None = None,
    ) -> Any:
        """Forecast the steps that follow.

        Parameters
        ----------
        n : int, default=None
            The number of steps; None = `horizon`. Beyond it, forecasts are fed back.

        X : array-like or table, default=None
            The covariates known in the future, for these steps; rows of labels, a default index of
            pandas that goes on from that of y too, belong to the steps of these. With `y` all
            covariates of X in `fit`, for the rows of `y` and for these steps.

        y : array-like, table, or list of such, default=None
            Other series than those of `fit`, or more of the same, of at least `window` steps: what
            follows them is forecast. None: what follows the series of `fit`. Without identifiers, a
            single series and as many series as in `fit` are taken to be the same.

        static : table with a row for each series, default=None
            As in `fit`, of the series of `y`. A category that `fit` has not seen is like none.

        Returns
        -------
        forecast : array, Series, DataFrame, table or list
            In the form of y in `fit`, or of `y`, with the labels of the steps. Missing where no
            value of the window is known.

        Raises
        ------
        ValueError, TypeError
            As in `fit`; or if covariates known in the future are not given.
        """
        query, _, forecast = self._forecast(*self._query(n, X, y, static))
        return query.give_back(query.by_track(forecast.center), self._fitted.columns)

    def predict_interval(
        self,
        n: int | None = None,
        *,
        coverage: float = 0.9,
        X: ArrayLike | None = None,
        y: ArrayLike | None = None,
        static: Table | None = None,
    ) -> Any:
        """Forecast bands that hold what follows with some probability, at each step.

        Parameters
        ----------
        n : int, default=None
            As of `predict`. Beyond `horizon`, the width of bands grows with the square root of the
            steps ahead, which is no longer calibrated.

        coverage : float, default=0.9
            The probability, in (0, 1).

        X, y, static : default=None
            As of `predict`.

        Returns
        -------
        bands : array, DataFrame, table or list
            For each target the lower and the upper end: the columns ``<target>_lower`` and
            ``<target>_upper``, or ``lower`` and ``upper`` of a series without a name.

        Raises
        ------
        ValueError, TypeError
            As of `predict`; or if there were too few windows in `fit` to calibrate.
        """
        if not isinstance(coverage, Real) or not 0 < coverage < 1:
            raise ValueError(f"Expected a coverage between 0 and 1, got {coverage!r}.")
        ends = {"lower": (1 - coverage) / 2, "upper": (1 + coverage) / 2}
        return self._quantiles(ends, n, X, y, static)

    def predict_quantiles(
        self,
        n: int | None = None,
        *,
        quantiles: Quantiles = (0.1, 0.5, 0.9),
        X: ArrayLike | None = None,
        y: ArrayLike | None = None,
        static: Table | None = None,
    ) -> Any:
        """Forecast quantiles of what follows, at each step.

        Parameters
        ----------
        n : int, default=None
            As of `predict_interval`.

        quantiles : float or array-like of float, default=(0.1, 0.5, 0.9)
            The probabilities, in (0, 1).

        X, y, static : default=None
            As of `predict`.

        Returns
        -------
        quantiles : array, DataFrame, table or list
            For each target its quantiles: the columns ``<target>_0.1`` and so on, or ``0.1`` of a
            series without a name.

        Raises
        ------
        ValueError, TypeError
            As of `predict_interval`.
        """
        try:
            levels = np.atleast_1d(np.asarray(quantiles, dtype=float))
        except (TypeError, ValueError):
            levels = np.empty(0)
        if levels.ndim != 1 or not len(levels) or not ((levels > 0) & (levels < 1)).all():
            raise ValueError(f"Expected quantiles between 0 and 1, got {quantiles!r}.")
        named = {f"{level:.12g}": level for level in levels}
        if len(named) < len(levels):
            raise ValueError(f"Expected each quantile once, got {quantiles!r}.")
        return self._quantiles(named, n, X, y, static)

    def _quantiles(
        self, levels: dict[str, float], n: int | None, X: Any, y: ArrayLike, static: Any
    ) -> Any:
        """Return quantiles in the form of y, given the ends of their columns' names."""
        query, windows, forecast = self._forecast(*self._query(n, X, y, static))
        found = self._quantiles_by_track(levels.values(), query, windows, forecast)
        parts = [
            np.stack(quantiles, axis=2).reshape(len(quantiles[0]), -1)
            for quantiles in zip(*found, strict=True)
        ]
        return query.give_back(parts, self._fitted.columns, list(levels))

    def _quantiles_by_track(self, levels: Any, query: Any, windows: Any, forecast: Any) -> Any:
        """Return for each level what `Query.by_track` makes of its quantiles."""
        model = self._fitted.model
        if model.calibration is None:
            raise ValueError(
                f"Expected enough windows to calibrate bands in fit, got {self.n_windows_}: give "
                "longer series, or a smaller window or horizon."
            )
        owners = query.owners[windows.owners]
        return [query.by_track(quantile_ahead(model, forecast, owners, level)) for level in levels]

    def score(self, y: ArrayLike, X: ArrayLike | None = None) -> float:
        """Return R² of the forecasts of what follows the series of `fit`, at every step of it.

        The forecasts are those from each step of y, and from the last one before it, for the
        `horizon` steps that follow, as far as y has them. So a search over parameters with
        :class:`~sklearn.model_selection.TimeSeriesSplit` compares rolling forecasts.

        Parameters
        ----------
        y : array-like, table, or list of such
            What follows the series of `fit`, in the same form.

        X : array-like or table, default=None
            Covariates, with the rows of y.

        Returns
        -------
        score : float
            The mean of R² over the targets of all series.

        Raises
        ------
        ValueError, TypeError
            As `fit`; or if y begins before the series of `fit` end.
        """
        check_is_fitted(self)
        panel, of_x = open_y(y, self.series, self.time), self._open_x(X)
        query, n_new = self._fitted.continued(panel, of_x)
        self._check_values(query.tracks, self._fitted.columns)
        origins = [
            np.arange(len(track.values) - n - 1, len(track.values) - 1)
            for track, n in zip(query.tracks, n_new, strict=True)
        ]
        windows, forecast = self._fitted.forecast(query, origins, self._fitted.model.shape.horizon)
        scores = []
        for owner in np.unique(windows.owners):
            of = windows.owners == owner
            truth, found = windows.ahead[of], forecast.center[of]
            there = ~np.isnan(truth) & ~np.isnan(found)
            if there.sum() > 1:
                scores.append(r2_score(truth[there], found[there]))
        if not scores:
            raise ValueError("Expected at least two known values in y to score, got fewer.")
        return float(np.mean(scores))

    # --- Files -----------------------------------------------------------------------------------

    def __getstate__(self) -> dict[str, Any]:
        state = super().__getstate__()
        fitted = state.pop("_fitted", None)
        if fitted is not None:
            del state["networks_"]  # a part of what was fitted
            state[_STATE] = fitted.state
        return state

    def _check_saved(self, *, is_of_now: bool) -> None:
        super()._check_saved(is_of_now=is_of_now)
        state = self.__dict__.pop(_STATE, None)
        if state is not None:
            self._fitted = FittedSeries.of_state(state)
            self.networks_ = _regressors_of(self._fitted.model)
        elif "window_" in vars(self):
            expect(not is_of_now, "the series of a fitted forecaster", "none")
            # A version that kept them in another form has fitted it: it counts as not fitted.
            for name in [name for name in vars(self) if name not in self._parameter_constraints]:
                if not name.startswith(("_skl", "_metadata")):
                    delattr(self, name)

    def _query(self, n: int | None, X: Any, y: ArrayLike, static: Any) -> Any:
        """Return the series whose future is asked for, and of how many steps."""
        check_is_fitted(self)
        fitted = self._fitted
        n_steps = fitted.model.shape.horizon if n is None else n
        if isinstance(n_steps, bool) or not isinstance(n_steps, Integral) or n_steps < 1:
            raise ValueError(f"Expected n as an integer of 1 or more, got {n!r}.")
        n_steps, of_x = int(n_steps), self._open_x(X)
        if y is None:
            if static is not None:
                raise ValueError(
                    "Expected static with y only, as that of the series of fit is known, got it "
                    "without y."
                )
            query = fitted.own(of_x, n_steps)
        else:
            query = fitted.given(open_y(y, self.series, self.time), of_x, static)
            self._check_given(query.tracks)
        check_known(query.tracks, fitted.columns, n_steps)
        return query, n_steps

    def _forecast(self, query: Any, n_steps: int) -> Any:
        """Return the series, their last windows and the forecasts."""
        windows, forecast = self._fitted.forecast(query, last_steps(query.tracks), n_steps)
        return query, windows, forecast

    def _check_given(self, tracks: list[Any]) -> None:
        """Refuse series that are too short, or lack what forecasts read of those of fit."""
        self._check_values(tracks, self._fitted.columns)
        check_step(tracks, self._fitted.seconds)
        check_dates(tracks, self._fitted.cycles)
        for track in tracks:
            if len(track.values) < self.window_:
                raise TooShortError(self.window_, track)


def _regressors_of(model: Any) -> list[Any]:
    """Return the regressors of the networks of a model."""
    return [n.regressor_ for n in model.networks if n.regressor_ is not None]


def _check_lengths(tracks: list[Any], shape: Shape, finds_window: bool) -> None:
    """Refuse series that are all too short, or without values; warn of single ones."""
    needed = shape.window + shape.horizon
    longest = max(len(track.values) for track in tracks)
    if longest <= needed:
        least = steps_to_fit(shape, finds_window)
        raise ValueError(
            f"Expected a series of at least {least} steps (window of {least - shape.horizon - 1}, "
            f"horizon of {shape.horizon}, and one more), got at most {longest}."
        )
    if all(np.isnan(track.values).all() for track in tracks):
        raise ValueError("Expected known values in y, got missing ones alone.")
    is_short = [len(track.values) < needed for track in tracks]
    lacks = [np.isnan(track.values).all(axis=0).any() for track in tracks]
    for what, are_so in {
        f"have fewer than {needed} steps (window and horizon)": np.array(is_short),
        "lack all values of a target": np.array(lacks) & ~np.array(is_short),
    }.items():
        places = np.flatnonzero(are_so)
        if len(places):
            key = tracks[places[0]].key
            first = f"number {places[0]}" if key is None else repr(key)
            warn(
                f"{len(places)} of {len(tracks)} series {what}, the first {first}: nothing is "
                "learned from them."
            )
