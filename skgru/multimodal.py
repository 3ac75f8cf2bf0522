"""MultimodalGRUClassifier and MultimodalGRURegressor: networks that read several inputs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from skgru._classification import NetworkClassifier
from skgru._estimator import hints_at_names
from skgru._multimodal import MultimodalGRU
from skgru._regression import NetworkRegressor
from skgru._types import (
    Auto,
    ClassWeight,
    NumberLoss,
    Precision,
    Quantiles,
    Schedule,
    Scoring,
    Seed,
    Sizes,
    Solver,
)
from skgru.branches import BaseBranch, TableBranch


class MultimodalGRUClassifier(NetworkClassifier, MultimodalGRU):
    """Classifier of samples of several modalities: text, series, events, static columns.

    The class of a sample may hang on a text, on series at rates of their own, and on static
    columns. Each is read by a branch of one network, and all are trained together.

    Parameters
    ----------
    branches : list of (str, branch or 'drop', columns)
        The inputs of the network, as the transformers of
        :class:`~sklearn.compose.ColumnTransformer` are given: a name, under which the parameters of
        the branch are found (``note__embedding_dim``); a :class:`TokenBranch`, a
        :class:`SeriesBranch` or a :class:`TableBranch`, or 'drop'; and its columns of X: a name or
        an index, a list or a slice of them, truth values, or a callable that returns one of these
        for X, such as :class:`~sklearn.compose.make_column_selector` or :class:`LagSelector`. An
        array of indices of shape (n_steps, n_features) says which column of numbers is which
        feature of which step, for a :class:`SeriesBranch`.

    fusion : {'concat', 'gated'}, default='concat'
        How the outputs of the branches are joined: side by side; or side by side, each times a
        weight that the network learns for each sample from all of them, after [1]_. The weights of
        the branches that a sample has sum to 1; `transform` returns them.

    hidden_layer_sizes : int or array-like of int, default=(64,)
        Units of each hidden layer, of rectified linear units, between the joined outputs and the
        head, which reads the joined outputs too. ``()``: the head reads the joined outputs alone,
        and what one branch says counts the same whatever the others say.

    dropout : float or 'auto', default='auto'
        Share of the outputs of the hidden layers above the branches that each update leaves out, in
        [0, 1). 'auto' is the largest `dropout` of the branches.

    branch_dropout : float, default=0.0
        Share of the branches of the samples that each update leaves out, each as a whole, as if the
        sample was without it; one of those that it has stays. So the network learns to do without
        a branch that will be missing more often in predictions than in training.

    remainder : {'drop'} or TableBranch, default='drop'
        What reads the columns that no branch names, those of a dropped branch not among them:
        nothing, or a further branch of the name 'remainder', which is left out where no column is
        left.

    solver : {'adam', 'sgd', 'lbfgs'}, default='adam'
        The optimizer: Adam, stochastic gradient descent with momentum, or L-BFGS on all
        samples at once (SciPy's; exact and free of chance, for small data; it computes in float64
        whatever `dtype` says).

    alpha : float, default=0.0001
        Strength of the L2 penalty on the weight matrices (not on biases or embeddings). As in
        :class:`~sklearn.neural_network.MLPClassifier` and
        :class:`~sklearn.neural_network.MLPRegressor`, it is divided by the number of samples (the
        sum of their weights) that the loss is averaged over.

    batch_size : int or 'auto', default='auto'
        Sequences per update, for 'adam' and 'sgd'. 'auto' is ``min(32, n_samples)``.

    learning_rate : {'constant', 'invscaling', 'adaptive', 'cosine'}, default='cosine'
        Schedule of the learning rate, for 'adam' and 'sgd'.

        - 'constant': it stays at `learning_rate_init`.
        - 'invscaling': ``learning_rate_init / (t + 1) ** power_t``, with t the samples seen.
        - 'adaptive': it is divided by five whenever the training has not improved by `tol` for
          more than `n_iter_no_change` epochs of a fit, and the training ends when it is at most
          1e-6. (`partial_fit`, an epoch at a time, stays at the first rate.)
        - 'cosine': it grows linearly over the first `warmup_fraction` of the updates of
          `max_iter` epochs and falls along half a cosine to zero over the rest.
          (`partial_fit` stays at the first rate if `max_iter` is 'auto'.)

    learning_rate_init : float, default=0.01
        The (initial or highest) learning rate, for 'adam' and 'sgd'.

    power_t : float, default=0.5
        Exponent of 'invscaling'.

    max_iter : int or 'auto', default='auto'
        Largest number of epochs; of iterations for 'lbfgs'. 'auto' is the largest number that any
        of the branches would have by itself: as many epochs as make 1,000 updates, at least 2; for
        tokens each of which is seen fewer than 100 times, on average, 200 updates, unless their
        embedding is frozen; for 'lbfgs' 200 iterations.

    shuffle : bool, default=True
        Whether the sequences are shuffled before each epoch.

    random_state : int, RandomState instance or None, default=None
        Determines the first weights, the validation split and, in each epoch, the order, the
        dropout and the joints of patches. The same int gives the same model, bit for bit.

    tol : float, default=1e-4
        Least improvement of the loss (with `early_stopping`, of the validation score) that counts
        as one. For 'lbfgs', the size of the gradient at convergence.

    verbose : bool or int, default=False
        Whether to say how far the training is: epoch, batch, loss, validation score, time left. On
        a terminal, or in a notebook with ipywidgets, where rich is installed, a bar does; else a
        line is printed after each epoch, and every ten seconds inside a long one.

    warm_start : bool, default=False
        Whether `fit` goes on from the weights of the previous `fit`, with the transformers, the
        scaling and the tokens learned then, and the network that was chosen then where parameters
        say 'auto'. It is a new training, with a schedule and an optimizer of its own; but one that
        was left in its midst, see :class:`~skgru.callbacks.Checkpoint`, is finished.

    momentum : float, default=0.9
        Momentum of 'sgd', between 0 and 1.

    nesterovs_momentum : bool, default=True
        Whether 'sgd' uses Nesterov's momentum.

    early_stopping : bool or 'auto', default='auto'
        Whether to stop when the validation score no longer improves, rather than the training loss,
        and go back to the weights that scored best. The validation set is `X_val`, `y_val` if given
        to `fit`, else a part held out of the training data, which neither the transformers of the
        branches nor their scaling see; stratified by class where each sample has one. For 'adam'
        and 'sgd'. 'auto' stops early if there are `X_val` and `y_val`, or at least 10,000 samples;
        not in `partial_fit`.

    validation_fraction : float, default=0.1
        The share of the training data to hold out for `early_stopping`.

    scoring : str, callable or None, default=None
        The score of the validation set, of which more is better. None: the estimator's `score`.
        'loss': the validation loss, less than zero. A name of scikit-learn's scorers or a scorer:
        it is given a fitted copy and the samples, in an additional pass after each epoch, and the
        weights of the samples if there are any.

    beta_1 : float, default=0.9
        Decay of Adam's first moment, in [0, 1).

    beta_2 : float, default=0.999
        Decay of Adam's second moment, in [0, 1).

    epsilon : float, default=1e-8
        Constant that keeps Adam's division away from zero.

    n_iter_no_change : int or inf, default=10
        The training ends when more than this many epochs in a row have not improved by `tol`. With
        ``learning_rate='cosine'``, whose last epochs gain most, early stopping waits at least a
        fifth of `max_iter`; and without it the training ends at `max_iter` epochs, or when more
        than this many epochs in a row had a loss below `tol`, penalties aside.

    max_fun : int, default=15000
        Largest number of evaluations of the loss, for 'lbfgs'.

    warmup_fraction : float, default=0.1
        Share of the updates over which the learning rate grows, for ``learning_rate='cosine'``.

    weight_decay : float, default=0.1
        Decoupled weight decay of 'adam': each update first shrinks the weight matrices by
        this share, times the learning rate.

    max_grad_norm : float or None, default=1.0
        The gradient of each update is scaled down to this norm if it is larger; None: not.

    group_by_length : bool or 'auto', default='auto'
        Whether, within some shuffled batches, sequences of similar length share a batch: faster
        where lengths differ. If length tells of the target, such batches would hold similar targets
        and training would suffer: 'auto' groups only if length explains less than 5 % of the
        variance of the (one-hot or scaled) targets.

    bptt_steps : int or None, default=None
        Truncated back-propagation through time, for sequences of many thousand steps: see
        :class:`GRUClassifier`. None: the full gradient.

    n_jobs : int or None, default=-1
        Number of threads where they gain: in training with layers of at least 128 units and batches
        of at least 128 sequences of 128 units, in prediction with layers of at least 64 units and
        more than 256 sequences. -1: as many as the processors that BLAS may use, hence one inside
        joblib's workers; None: 1, unless in a :obj:`joblib.parallel_config` context. The results
        are the same, bit for bit.

    dtype : {'float32', 'float64'}, default='float32'
        Type of the weights, of the computation and of the results, but for predicted numbers, which
        are float64. Where every update sees all of a small training set (one batch of `fit`, of at
        most 64,000 units times steps in all, such as 1,000 steps read by 64 units), 'float32' is
        the type of the weights and of the results, but the training computes in float64: there a
        sample weight of two and two copies of the sample differ by float64's rounding alone.

    label_smoothing : float or 'auto', default='auto'
        Share by which the targets 0 and 1 are moved towards the shares of the classes or labels in
        the training data, in [0, 1): less overconfidence, more tolerance of wrong labels. 'auto' is
        0.05. The targets of a bag are not moved.

    class_weight : dict, 'balanced' or list of dict, default=None
        Weights of the classes in the loss: ``{class: weight}``, or 'balanced' for weights that make
        all classes count the same in all (not in `partial_fit`: it needs all of y at once); a list
        with a dict per label for multilabel y.

    crf : bool or 'strict', default=False
        Whether the tags of a sequence are decided together, with ``pooling=None``: a linear-chain
        conditional random field above the network learns which tags follow each other, and
        which come first and last. `predict` then returns the likeliest path of tags (Viterbi's),
        `predict_proba` the probabilities of each step's tags over all paths. Steps without a target
        may have any; all steps of a sequence have one weight. 'strict': what occurs nowhere in the
        training data is forbidden, for tags with a grammar such as BIO; of tags without one it
        may forbid what is only rare. The scores are ``"chain.transitions"``
        (n_classes, n_classes), from row to column, ``"chain.start"`` and ``"chain.end"``
        (n_classes,) in `parameters_`, under no penalty.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The class labels; for multilabel y the columns' numbers.

    branches_ : list of (str, branch or 'drop', tuple of int)
        The fitted branches, each with its `transformer_` and what it has learned of its input, and
        the indices of their columns.

    named_branches_ : :class:`~sklearn.utils.Bunch`
        The same by name, without those that are dropped.

    output_indices_ : dict of str to slice
        Of each branch, which columns of `transform` are its outputs; with ``fusion='gated'`` also
        "gate", those that are the weights of the branches.

    n_features_in_ : int
        Number of columns of X.

    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the columns, if X is a DataFrame whose column names are all strings.

    parameters_ : dict of str to ndarray
        All trainable arrays, as views: writing to them changes the model. Those of a branch are
        named as in :class:`GRUClassifier`, with the name of the branch in front:
        ``"note.hidden_0.input_weights"``. A branch of a table has ``"hidden_i.weights"`` and
        ``"hidden_i.bias"`` of its layers, ``"embedding.weights_j"`` of its j-th categorical column
        (the first row is that of unknown categories), and for a sparse matrix ``"wide.weights"``
        and ``"wide.bias"``. ``"name.absence.outputs"`` takes the place of the outputs of a branch
        that a sample is without. ``"fusion.hidden_i.weights"`` and ``"fusion.hidden_i.bias"`` are
        the layers above the branches, ``"fusion.gate.weights"`` and ``"fusion.gate.bias"`` the
        gate, ``"head.weights"`` and ``"head.bias"`` the head, which reads the joined outputs and,
        behind them, the top hidden layer.

    auto_params_ : dict
        The value chosen in the latest fit for each parameter that is 'auto', those of the branches
        as ``name__parameter``; `embedding_dim` of a table by the names of its categorical columns;
        in `partial_fit`, where an epoch is all there is, without `max_iter`.

    n_iter_ : int
        Epochs (iterations) of the latest fit.

    t_ : int
        Training samples gone through.

    n_layers_ : int
        Number of layers of the longest way, input and output included.

    n_outputs_ : int
        Number of outputs of the network.

    out_activation_ : str
        Name of the output activation.

    loss_ : float
        Training loss of the last epoch.

    best_loss_ : float or None
        Lowest training loss; None with `early_stopping`.

    loss_curve_ : list of float
        Training loss of each epoch.

    validation_scores_ : list of float or None
        The score of the validation set after each epoch, see `scoring`; None without one.

    validation_loss_curve_ : list of float or None
        Its loss after each epoch, in the unit of `loss_curve_`, without dropout and penalty; None
        without one.

    best_validation_score_ : float or None
        The highest of them.

    See Also
    --------
    TokenBranch : Branch of texts and other tokens.
    SeriesBranch : Branch of series of numbers.
    TableBranch : Branch of static columns.
    MultimodalGRURegressor : The same network for numbers as targets.
    GRUClassifier : One sequence per sample.

    Notes
    -----
    X has a row per sample: a DataFrame of pandas or polars, a table of Arrow, or an array of two
    dimensions, of objects where cells are texts or sequences. How a branch reads its columns is
    told by its class.

    A sample may be without a branch: all of its cells are missing (None, NaN), or the sequence is
    empty. Then learned numbers take the place of the branch's outputs, which the head, the hidden
    layers and the gate read.

    With ``pooling=None`` in one or several branches each step of a sample has a target of its own,
    and the outputs of all branches are joined anew at each step: those of the step, and those that
    all steps of the sample have in common. Branches with ``pooling=None`` have the same number of
    steps in every sample; a sample may be without all of them, and then has no target, but not
    without some.

    With several branches u_1, …, u_C (their outputs), the raw outputs are

    .. code-block:: text

        g = softmax(G·[u_1, …, u_C] + b)      over the branches that the sample has; 'gated'
        v = [u_1, …, u_C], or [C g_1 u_1, …, C g_C u_C] with a gate
        h = max(0, W·v + c)                   the hidden layers
        raw = V·[v, h] + d

    where C counts the branches that the sample has; the outputs of a branch of a sparse matrix are
    not in v but added to raw.

    References
    ----------
    .. [1] J. Arevalo et al., "Gated multimodal units for information fusion", ICLR workshop 2017.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from skgru import MultimodalGRUClassifier, SeriesBranch, TableBranch
    >>> rng = np.random.default_rng(0)
    >>> pulse = [rng.normal(70, 5, size=5 + i % 7) for i in range(80)]
    >>> ages = rng.integers(20, 90, 80)
    >>> X = pd.DataFrame({"pulse": pulse, "age": ages, "ward": rng.choice(["A", "B"], 80)})
    >>> y = ["high" if p[-1] > 50 + a / 3 else "low" for p, a in zip(pulse, ages)]
    >>> clf = MultimodalGRUClassifier(
    ...     branches=[
    ...         ("monitor", SeriesBranch(hidden_layer_sizes=8), ["pulse"]),
    ...         ("patient", TableBranch(), ["age", "ward"]),
    ...     ],
    ...     random_state=0,
    ... ).fit(X, y)
    >>> bool(clf.score(X, y) > 0.9)
    True
    >>> clf.transform(X).shape, clf.output_indices_
    ((80, 51), {'monitor': slice(0, 48, None), 'patient': slice(48, 51, None)})
    """

    _parameter_constraints: dict[str, Any] = {
        **MultimodalGRU._parameter_constraints,
        **NetworkClassifier._parameter_constraints,
    }

    @hints_at_names
    def __init__(
        self,
        branches: Sequence[tuple[str, BaseBranch | Literal["drop"], Any]],
        *,
        fusion: Literal["concat", "gated"] = "concat",
        hidden_layer_sizes: Sizes = (64,),
        dropout: float | Auto = "auto",
        branch_dropout: float = 0.0,
        remainder: TableBranch | Literal["drop"] = "drop",
        solver: Solver = "adam",
        alpha: float = 0.0001,
        batch_size: int | Auto = "auto",
        learning_rate: Schedule = "cosine",
        learning_rate_init: float = 0.01,
        power_t: float = 0.5,
        max_iter: int | Auto = "auto",
        shuffle: bool = True,
        random_state: Seed = None,
        tol: float = 1e-4,
        verbose: bool | int = False,
        warm_start: bool = False,
        momentum: float = 0.9,
        nesterovs_momentum: bool = True,
        early_stopping: bool | Auto = "auto",
        validation_fraction: float = 0.1,
        scoring: Scoring = None,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        n_iter_no_change: float = 10,
        max_fun: int = 15000,
        warmup_fraction: float = 0.1,
        weight_decay: float = 0.1,
        max_grad_norm: float | None = 1.0,
        group_by_length: bool | Auto = "auto",
        bptt_steps: int | None = None,
        n_jobs: int | None = -1,
        dtype: Precision = "float32",
        label_smoothing: float | Auto = "auto",
        class_weight: ClassWeight = None,
        crf: bool | Literal["strict"] = False,
    ) -> None:
        self.branches = branches
        self.fusion = fusion
        self.hidden_layer_sizes = hidden_layer_sizes
        self.dropout = dropout
        self.branch_dropout = branch_dropout
        self.remainder = remainder
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
        self.warm_start = warm_start
        self.momentum = momentum
        self.nesterovs_momentum = nesterovs_momentum
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.scoring = scoring
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.n_iter_no_change = n_iter_no_change
        self.max_fun = max_fun
        self.warmup_fraction = warmup_fraction
        self.weight_decay = weight_decay
        self.max_grad_norm = max_grad_norm
        self.group_by_length = group_by_length
        self.bptt_steps = bptt_steps
        self.n_jobs = n_jobs
        self.dtype = dtype
        self.label_smoothing = label_smoothing
        self.class_weight = class_weight
        self.crf = crf


class MultimodalGRURegressor(NetworkRegressor, MultimodalGRU):
    """Regressor of samples of several modalities: text, series, events, static columns.

    The target of a sample may hang on a text, on series at rates of their own, and on static
    columns. Each is read by a branch of one network, and all are trained together.

    Parameters
    ----------
    branches : list of (str, branch or 'drop', columns)
        The inputs of the network, as the transformers of
        :class:`~sklearn.compose.ColumnTransformer` are given: a name, under which the parameters of
        the branch are found (``note__embedding_dim``); a :class:`TokenBranch`, a
        :class:`SeriesBranch` or a :class:`TableBranch`, or 'drop'; and its columns of X: a name or
        an index, a list or a slice of them, truth values, or a callable that returns one of these
        for X, such as :class:`~sklearn.compose.make_column_selector` or :class:`LagSelector`. An
        array of indices of shape (n_steps, n_features) says which column of numbers is which
        feature of which step, for a :class:`SeriesBranch`.

    fusion : {'concat', 'gated'}, default='concat'
        How the outputs of the branches are joined: side by side; or side by side, each times a
        weight that the network learns for each sample from all of them, after [1]_. The weights of
        the branches that a sample has sum to 1; `transform` returns them.

    hidden_layer_sizes : int or array-like of int, default=(64,)
        Units of each hidden layer, of rectified linear units, between the joined outputs and the
        head, which reads the joined outputs too. ``()``: the head reads the joined outputs alone,
        and what one branch says counts the same whatever the others say.

    dropout : float or 'auto', default='auto'
        Share of the outputs of the hidden layers above the branches that each update leaves out, in
        [0, 1). 'auto' is the largest `dropout` of the branches.

    branch_dropout : float, default=0.0
        Share of the branches of the samples that each update leaves out, each as a whole, as if the
        sample was without it; one of those that it has stays. So the network learns to do without
        a branch that will be missing more often in predictions than in training.

    remainder : {'drop'} or TableBranch, default='drop'
        What reads the columns that no branch names, those of a dropped branch not among them:
        nothing, or a further branch of the name 'remainder', which is left out where no column is
        left.

    loss : {'squared_error', 'absolute_error', 'huber', 'quantile', 'poisson', 'gaussian'}, \
            default='squared_error'
        The loss, of the scaled targets and averaged over them: half the squared error; the absolute
        error; Huber's, which is squared up to `huber_delta` and linear beyond; the pinball loss of
        `quantiles`; half the Poisson deviance, with a logarithmic link, for targets that are
        counts or other non-negative numbers; or the negative log-likelihood of a normal
        distribution whose standard deviation is learned too.

    quantiles : float or array-like of float, default=0.5
        The quantiles of ``loss='quantile'``, in (0, 1) and increasing. They never cross.

    huber_delta : float, default=1.35
        The error from which on ``loss='huber'`` is linear, in standard deviations of the target.

    solver : {'adam', 'sgd', 'lbfgs'}, default='adam'
        The optimizer: Adam, stochastic gradient descent with momentum, or L-BFGS on all
        samples at once (SciPy's; exact and free of chance, for small data; it computes in float64
        whatever `dtype` says).

    alpha : float, default=0.0001
        Strength of the L2 penalty on the weight matrices (not on biases or embeddings). As in
        :class:`~sklearn.neural_network.MLPClassifier` and
        :class:`~sklearn.neural_network.MLPRegressor`, it is divided by the number of samples (the
        sum of their weights) that the loss is averaged over.

    batch_size : int or 'auto', default='auto'
        Sequences per update, for 'adam' and 'sgd'. 'auto' is ``min(32, n_samples)``.

    learning_rate : {'constant', 'invscaling', 'adaptive', 'cosine'}, default='cosine'
        Schedule of the learning rate, for 'adam' and 'sgd'.

        - 'constant': it stays at `learning_rate_init`.
        - 'invscaling': ``learning_rate_init / (t + 1) ** power_t``, with t the samples seen.
        - 'adaptive': it is divided by five whenever the training has not improved by `tol` for
          more than `n_iter_no_change` epochs of a fit, and the training ends when it is at most
          1e-6. (`partial_fit`, an epoch at a time, stays at the first rate.)
        - 'cosine': it grows linearly over the first `warmup_fraction` of the updates of
          `max_iter` epochs and falls along half a cosine to zero over the rest.
          (`partial_fit` stays at the first rate if `max_iter` is 'auto'.)

    learning_rate_init : float, default=0.01
        The (initial or highest) learning rate, for 'adam' and 'sgd'.

    power_t : float, default=0.5
        Exponent of 'invscaling'.

    max_iter : int or 'auto', default='auto'
        Largest number of epochs; of iterations for 'lbfgs'. 'auto' is the largest number that any
        of the branches would have by itself: as many epochs as make 1,000 updates, at least 2; for
        tokens each of which is seen fewer than 100 times, on average, 200 updates, unless their
        embedding is frozen; for 'lbfgs' 200 iterations.

    shuffle : bool, default=True
        Whether the sequences are shuffled before each epoch.

    random_state : int, RandomState instance or None, default=None
        Determines the first weights, the validation split and, in each epoch, the order, the
        dropout and the joints of patches. The same int gives the same model, bit for bit.

    tol : float, default=1e-4
        Least improvement of the loss (with `early_stopping`, of the validation score) that counts
        as one. For 'lbfgs', the size of the gradient at convergence.

    verbose : bool or int, default=False
        Whether to say how far the training is: epoch, batch, loss, validation score, time left. On
        a terminal, or in a notebook with ipywidgets, where rich is installed, a bar does; else a
        line is printed after each epoch, and every ten seconds inside a long one.

    warm_start : bool, default=False
        Whether `fit` goes on from the weights of the previous `fit`, with the transformers, the
        scaling and the tokens learned then, and the network that was chosen then where parameters
        say 'auto'. It is a new training, with a schedule and an optimizer of its own; but one that
        was left in its midst, see :class:`~skgru.callbacks.Checkpoint`, is finished.

    momentum : float, default=0.9
        Momentum of 'sgd', between 0 and 1.

    nesterovs_momentum : bool, default=True
        Whether 'sgd' uses Nesterov's momentum.

    early_stopping : bool or 'auto', default='auto'
        Whether to stop when the validation score no longer improves, rather than the training loss,
        and go back to the weights that scored best. The validation set is `X_val`, `y_val` if given
        to `fit`, else a part held out of the training data, which neither the transformers of the
        branches nor their scaling see; stratified by class where each sample has one. For 'adam'
        and 'sgd'. 'auto' stops early if there are `X_val` and `y_val`, or at least 10,000 samples;
        not in `partial_fit`.

    validation_fraction : float, default=0.1
        The share of the training data to hold out for `early_stopping`.

    scoring : str, callable or None, default=None
        The score of the validation set, of which more is better. None: the estimator's `score`.
        'loss': the validation loss, less than zero. A name of scikit-learn's scorers or a scorer:
        it is given a fitted copy and the samples, in an additional pass after each epoch, and the
        weights of the samples if there are any.

    beta_1 : float, default=0.9
        Decay of Adam's first moment, in [0, 1).

    beta_2 : float, default=0.999
        Decay of Adam's second moment, in [0, 1).

    epsilon : float, default=1e-8
        Constant that keeps Adam's division away from zero.

    n_iter_no_change : int or inf, default=10
        The training ends when more than this many epochs in a row have not improved by `tol`. With
        ``learning_rate='cosine'``, whose last epochs gain most, early stopping waits at least a
        fifth of `max_iter`; and without it the training ends at `max_iter` epochs, or when more
        than this many epochs in a row had a loss below `tol`, penalties aside.

    max_fun : int, default=15000
        Largest number of evaluations of the loss, for 'lbfgs'.

    warmup_fraction : float, default=0.1
        Share of the updates over which the learning rate grows, for ``learning_rate='cosine'``.

    weight_decay : float, default=0.1
        Decoupled weight decay of 'adam': each update first shrinks the weight matrices by
        this share, times the learning rate.

    max_grad_norm : float or None, default=1.0
        The gradient of each update is scaled down to this norm if it is larger; None: not.

    group_by_length : bool or 'auto', default='auto'
        Whether, within some shuffled batches, sequences of similar length share a batch: faster
        where lengths differ. If length tells of the target, such batches would hold similar targets
        and training would suffer: 'auto' groups only if length explains less than 5 % of the
        variance of the (one-hot or scaled) targets.

    bptt_steps : int or None, default=None
        Truncated back-propagation through time, for sequences of many thousand steps: see
        :class:`GRUClassifier`. None: the full gradient.

    n_jobs : int or None, default=-1
        Number of threads where they gain: in training with layers of at least 128 units and batches
        of at least 128 sequences of 128 units, in prediction with layers of at least 64 units and
        more than 256 sequences. -1: as many as the processors that BLAS may use, hence one inside
        joblib's workers; None: 1, unless in a :obj:`joblib.parallel_config` context. The results
        are the same, bit for bit.

    dtype : {'float32', 'float64'}, default='float32'
        Type of the weights, of the computation and of the results, but for predicted numbers, which
        are float64. Where every update sees all of a small training set (one batch of `fit`, of at
        most 64,000 units times steps in all, such as 1,000 steps read by 64 units), 'float32' is
        the type of the weights and of the results, but the training computes in float64: there a
        sample weight of two and two copies of the sample differ by float64's rounding alone.

    Attributes
    ----------
    target_mean_ : ndarray of shape (`n_outputs_`,)
        What is subtracted from the targets in training.

    target_scale_ : ndarray of shape (`n_outputs_`,)
        What the targets are divided by in training, after the subtraction. `loss_` and its like are
        in units of the scaled targets.

    branches_ : list of (str, branch or 'drop', tuple of int)
        The fitted branches, each with its `transformer_` and what it has learned of its input, and
        the indices of their columns.

    named_branches_ : :class:`~sklearn.utils.Bunch`
        The same by name, without those that are dropped.

    output_indices_ : dict of str to slice
        Of each branch, which columns of `transform` are its outputs; with ``fusion='gated'`` also
        "gate", those that are the weights of the branches.

    n_features_in_ : int
        Number of columns of X.

    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the columns, if X is a DataFrame whose column names are all strings.

    parameters_ : dict of str to ndarray
        All trainable arrays, as views: writing to them changes the model. Those of a branch are
        named as in :class:`GRUClassifier`, with the name of the branch in front:
        ``"note.hidden_0.input_weights"``. A branch of a table has ``"hidden_i.weights"`` and
        ``"hidden_i.bias"`` of its layers, ``"embedding.weights_j"`` of its j-th categorical column
        (the first row is that of unknown categories), and for a sparse matrix ``"wide.weights"``
        and ``"wide.bias"``. ``"name.absence.outputs"`` takes the place of the outputs of a branch
        that a sample is without. ``"fusion.hidden_i.weights"`` and ``"fusion.hidden_i.bias"`` are
        the layers above the branches, ``"fusion.gate.weights"`` and ``"fusion.gate.bias"`` the
        gate, ``"head.weights"`` and ``"head.bias"`` the head, which reads the joined outputs and,
        behind them, the top hidden layer.

    auto_params_ : dict
        The value chosen in the latest fit for each parameter that is 'auto', those of the branches
        as ``name__parameter``; `embedding_dim` of a table by the names of its categorical columns;
        in `partial_fit`, where an epoch is all there is, without `max_iter`.

    n_iter_ : int
        Epochs (iterations) of the latest fit.

    t_ : int
        Training samples gone through.

    n_layers_ : int
        Number of layers of the longest way, input and output included.

    n_outputs_ : int
        Number of outputs of the network.

    out_activation_ : str
        Name of the output activation.

    loss_ : float
        Training loss of the last epoch.

    best_loss_ : float or None
        Lowest training loss; None with `early_stopping`.

    loss_curve_ : list of float
        Training loss of each epoch.

    validation_scores_ : list of float or None
        The score of the validation set after each epoch, see `scoring`; None without one.

    validation_loss_curve_ : list of float or None
        Its loss after each epoch, in the unit of `loss_curve_`, without dropout and penalty; None
        without one.

    best_validation_score_ : float or None
        The highest of them.

    See Also
    --------
    TokenBranch : Branch of texts and other tokens.
    SeriesBranch : Branch of series of numbers.
    TableBranch : Branch of static columns.
    MultimodalGRUClassifier : The same network for classes.
    GRURegressor : One sequence per sample.

    Notes
    -----
    X has a row per sample: a DataFrame of pandas or polars, a table of Arrow, or an array of two
    dimensions, of objects where cells are texts or sequences. How a branch reads its columns is
    told by its class.

    A sample may be without a branch: all of its cells are missing (None, NaN), or the sequence is
    empty. Then learned numbers take the place of the branch's outputs, which the head, the hidden
    layers and the gate read.

    With ``pooling=None`` in one or several branches each step of a sample has a target of its own,
    and the outputs of all branches are joined anew at each step: those of the step, and those that
    all steps of the sample have in common. Branches with ``pooling=None`` have the same number of
    steps in every sample; a sample may be without all of them, and then has no target, but not
    without some.

    With several branches u_1, …, u_C (their outputs), the raw outputs are

    .. code-block:: text

        g = softmax(G·[u_1, …, u_C] + b)      over the branches that the sample has; 'gated'
        v = [u_1, …, u_C], or [C g_1 u_1, …, C g_C u_C] with a gate
        h = max(0, W·v + c)                   the hidden layers
        raw = V·[v, h] + d

    where C counts the branches that the sample has; the outputs of a branch of a sparse matrix are
    not in v but added to raw.

    References
    ----------
    .. [1] J. Arevalo et al., "Gated multimodal units for information fusion", ICLR workshop 2017.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from skgru import MultimodalGRURegressor, SeriesBranch, TableBranch
    >>> rng = np.random.default_rng(0)
    >>> loads = [rng.normal(size=5 + i % 7) for i in range(80)]
    >>> X = pd.DataFrame({"load": loads, "machine": rng.choice(["A", "B"], 80)})
    >>> y = [x[-1] + 2 * (m == "B") for x, m in zip(loads, X["machine"])]
    >>> reg = MultimodalGRURegressor(
    ...     branches=[
    ...         ("history", SeriesBranch(hidden_layer_sizes=8), ["load"]),
    ...         ("machine", TableBranch(), ["machine"]),
    ...     ],
    ...     random_state=0,
    ... ).fit(X, y)
    >>> bool(reg.score(X, y) > 0.9)
    True
    """

    _parameter_constraints: dict[str, Any] = {
        **MultimodalGRU._parameter_constraints,
        **NetworkRegressor._parameter_constraints,
    }

    @hints_at_names
    def __init__(
        self,
        branches: Sequence[tuple[str, BaseBranch | Literal["drop"], Any]],
        *,
        fusion: Literal["concat", "gated"] = "concat",
        hidden_layer_sizes: Sizes = (64,),
        dropout: float | Auto = "auto",
        branch_dropout: float = 0.0,
        remainder: TableBranch | Literal["drop"] = "drop",
        loss: NumberLoss = "squared_error",
        quantiles: Quantiles = 0.5,
        huber_delta: float = 1.35,
        solver: Solver = "adam",
        alpha: float = 0.0001,
        batch_size: int | Auto = "auto",
        learning_rate: Schedule = "cosine",
        learning_rate_init: float = 0.01,
        power_t: float = 0.5,
        max_iter: int | Auto = "auto",
        shuffle: bool = True,
        random_state: Seed = None,
        tol: float = 1e-4,
        verbose: bool | int = False,
        warm_start: bool = False,
        momentum: float = 0.9,
        nesterovs_momentum: bool = True,
        early_stopping: bool | Auto = "auto",
        validation_fraction: float = 0.1,
        scoring: Scoring = None,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        n_iter_no_change: float = 10,
        max_fun: int = 15000,
        warmup_fraction: float = 0.1,
        weight_decay: float = 0.1,
        max_grad_norm: float | None = 1.0,
        group_by_length: bool | Auto = "auto",
        bptt_steps: int | None = None,
        n_jobs: int | None = -1,
        dtype: Precision = "float32",
    ) -> None:
        self.branches = branches
        self.fusion = fusion
        self.hidden_layer_sizes = hidden_layer_sizes
        self.dropout = dropout
        self.branch_dropout = branch_dropout
        self.remainder = remainder
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
        self.warm_start = warm_start
        self.momentum = momentum
        self.nesterovs_momentum = nesterovs_momentum
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.scoring = scoring
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.n_iter_no_change = n_iter_no_change
        self.max_fun = max_fun
        self.warmup_fraction = warmup_fraction
        self.weight_decay = weight_decay
        self.max_grad_norm = max_grad_norm
        self.group_by_length = group_by_length
        self.bptt_steps = bptt_steps
        self.n_jobs = n_jobs
        self.dtype = dtype
