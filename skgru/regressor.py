"""GRURegressor: a network for numbers."""

from __future__ import annotations

from typing import Any

from skgru._estimator import hints_at_names
from skgru._regression import NetworkRegressor
from skgru._sequence import BaseGRU
from skgru._types import (
    Auto,
    Cells,
    Missing,
    NumberLoss,
    Poolings,
    Precision,
    Quantiles,
    Scaling,
    Schedule,
    Scoring,
    Seed,
    Sizes,
    Solver,
    VectorSource,
)


class GRURegressor(NetworkRegressor, BaseGRU):
    """Regressor of sequences: a network of gated recurrent units (GRU).

    Sequences of numbers or of tokens, of equal or unequal length, with one or several targets,
    which are scaled inside: their unit does not matter.

    Parameters
    ----------
    hidden_layer_sizes : int or array-like of int, default=(64,)
        Units of each hidden layer, from the bottom up.

    loss : {'squared_error', 'absolute_error', 'huber', 'quantile', 'poisson', 'gaussian'}, \
            default='squared_error'
        The loss, of the scaled targets and averaged over them: half the squared error; the absolute
        error; Huber's, which is squared up to `huber_delta` and linear beyond; the pinball loss of
        `quantiles` [17]_; half the Poisson deviance, with a logarithmic link, for targets that are
        counts or other non-negative numbers; or the negative log-likelihood of a normal
        distribution whose standard deviation is learned too [18]_.

    quantiles : float or array-like of float, default=0.5
        The quantiles of ``loss='quantile'``, in (0, 1) and increasing. They never cross.

    huber_delta : float, default=1.35
        The error from which on ``loss='huber'`` is linear, in standard deviations of the target.

    solver : {'adam', 'sgd', 'lbfgs'}, default='adam'
        The optimizer: Adam [3]_, stochastic gradient descent with momentum, or L-BFGS on all
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
          `max_iter` epochs and falls along half a cosine to zero over the rest [4]_.
          (`partial_fit` stays at the first rate if `max_iter` is 'auto'.)

    learning_rate_init : float, default=0.01
        The (initial or highest) learning rate, for 'adam' and 'sgd'.

    power_t : float, default=0.5
        Exponent of 'invscaling'.

    max_iter : int or 'auto', default='auto'
        Largest number of epochs; of iterations for 'lbfgs'. 'auto' is as many epochs as make 1,000
        updates, at least 2; for tokens each of which is seen fewer than 100 times, on average,
        200 updates, unless `freeze_embedding`; for those that are seen 500 times and more, as
        letters are, 10 epochs while they make up to 3,000 updates; for 'lbfgs' 200 iterations.

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
        Whether `fit` goes on from the weights of the previous `fit`, with the scaling and the
        tokens learned then, and the network that was chosen then where parameters say 'auto'. It
        is a new training, with a schedule and an optimizer of its own; but one that was left in its
        midst, see :class:`~skgru.callbacks.Checkpoint`, is finished.

    momentum : float, default=0.9
        Momentum of 'sgd', between 0 and 1.

    nesterovs_momentum : bool, default=True
        Whether 'sgd' uses Nesterov's momentum.

    early_stopping : bool or 'auto', default='auto'
        Whether to stop when the validation score no longer improves, rather than the training loss,
        and go back to the weights that scored best. The validation set is `X_val`, `y_val` if given
        to `fit`, else a part held out of the training data, stratified by class where each sequence
        has one. For 'adam' and 'sgd'. 'auto' stops early if there are `X_val` and `y_val`, or at
        least 10,000 sequences (for which a `max_iter` of 'auto' is 2 to 4 epochs, with batches of
        32: there it only takes the best of them); not in `partial_fit`.

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

    cell : {'gru', 'lstm', 'rnn', 'mingru'} or tuple of them, default='gru'
        The recurrent cell: gated recurrent unit [1]_, long short-term memory [7]_, the simple tanh
        cell, or the minimal gated recurrent unit [16]_, whose gates do not read the state: it
        takes about a third of the time. A tuple has one for each hidden layer.

    reset_after : bool, default=False
        Whether the reset gate of 'gru' acts on the matrix product, as in cuDNN, Keras and PyTorch,
        rather than on the state before it [1]_.

    output_gate : bool, default=False
        Whether each hidden layer but an 'lstm' has an output gate: ``y_t = o_t * tanh(h_t)``,
        with a gate ``o_t`` that reads the step's input and its state; without it ``y_t = h_t``.
        (An 'lstm' has one of its own.)

    bidirectional : bool or 'auto', default='auto'
        Whether each hidden layer has a second one beside it that reads the sequences from their
        ends [8]_. Their outputs lie side by side, so each layer has twice its `hidden_layer_sizes`
        outputs. 'auto' is True for classes, but False with ``pooling=None`` (a target at each
        step), where it would read later steps, with `bptt_steps`, and for 20 or more features per
        step at least half of whose values are missing; and False for numbers as targets. There it
        takes twice the time for nothing.

    pooling : {'last', 'mean', 'max', 'attention', 'auto'} or tuple of them or None, default='auto'
        The inputs of the head, from the top layer: the output at each sequence's last step (in the
        reverse direction, its first one), the mean or the largest of each unit over the steps, or a
        mean with learned weights [9]_. A tuple joins several, side by side. None: the outputs of
        every step, each for itself; y then holds a target for each step of each sequence. 'auto' is
        'max' for tokens; ('last', 'mean', 'max') for classes, and for series of 60 steps or more,
        on average, without `bptt_steps`; else 'last'.

    embedding_dim : int, 'auto' or None, default='auto'
        An int: X holds token ids, each of which gets a trainable vector of this many dimensions.
        None: X is numeric. 'auto': the output of :class:`SequenceVectorizer` holds token ids, for
        vectors of 128 dimensions, and all else is numeric; a warning is given where integers look
        like token ids that have lost their mark, as by ``np.asarray``.

    embedding_matrix : array-like of shape (n_ids, embedding_dim), str or object, default=None
        First values of the tokens' vectors: row i is that of id i, rows 0 (padding) and 1 (unknown)
        included. Or word vectors, of which `fit` takes those of the words of X, what
        :class:`SequenceVectorizer` returns: the path of a file (GloVe, word2vec, fastText's
        ``.vec``), a dict of words and arrays, gensim's ``KeyedVectors``, spaCy's ``nlp``, or
        :class:`WordVectors`; see :func:`read_word_vectors`. A word that has none by itself has that
        of the same word in lower case, with a capital or in capitals; if there is none either, it
        is drawn, with the mean and the deviation of those that were found. It implies
        `embedding_dim`.

    freeze_embedding : bool, default=False
        Whether the tokens' vectors keep their first values, those of `embedding_matrix`.

    features_per_step : int, default=1
        Number of features of a step where X does not say: in a 2-D X and in sequences of one
        dimension. Step 0's features come first, then step 1's.

    patch_size : int or 'auto', default='auto'
        Number of consecutive steps that are joined into one before the recurrence, counted from the
        end: faster, and often better, for long series. Steps that the first patch lacks count
        as the features' mean (tokens: as nothing). 'auto' is the mean length divided by 40,
        rounded, at least 1; and 1 for tokens, with ``pooling=None`` and with `bptt_steps`.

    shift_patches : bool, default=True
        Whether the joints between patches move while 'adam' or 'sgd' trains: in each epoch, a
        sequence gets 0 to ``patch_size - 1`` more steps at its end, which count as the features'
        mean (as missing, if values were missing in training; tokens: as nothing). So an event
        within a patch is recognized wherever the joints fall.

    n_convolutions : int or 'auto', default='auto'
        About how many features of random convolutions stand beside the recurrence, for numbers:
        they tell how often each of many shapes is found in a series, after MiniRocket [14]_, and a
        linear layer makes outputs of them, which are added to those of the head. So shapes count
        that few series cannot teach the recurrence. They are computed once, before the first epoch.
        Of 100 to 2,000 series that layer is a ridge regression, fitted apart, and what it and the
        network count is what has the lowest loss in a trial: both are trained on two thirds of the
        series and compared on the others. `loss_` is that of the network alone then, and later
        trainings are its own. With fewer or more, and where `partial_fit` begins the training,
        both are trained together.
        0: none; so it has to be with tokens, a `time_feature`, `bptt_steps` or ``pooling=None``.
        'auto': with ``pooling='auto'`` 1,932 for classes, of at most 4,000 series of 18 steps or
        more on average and 250,000 together; else 0.

    scaling : {'standard', 'robust', 'sequence', 'auto'} or None, default='auto'
        Scaling of numeric input inside the model; None: it is read as it is.

        - 'standard': each feature, over the steps of all training sequences, to mean 0 and
          variance 1.
        - 'robust': likewise to median 0 and interquartile range 1, after which outliers are bent
          into the range from -3 to 3 [12]_.
        - 'sequence': each sequence by its own mean and deviation, over the values that it has. At
          every step the network also reads these two, the deviation as its logarithm: three numbers
          for each feature. For sequences whose magnitudes span orders, and tell less than their
          form. With ``pooling=None`` a step is so told of later ones.
        - 'auto': 'sequence' where a tenth of the training sequences is smaller, by the root of the
          mean of its squares, than a ten-thousandth of the deviation of all values; else, and with
          ``pooling=None``, 'standard'.

    missing : {'decay', 'indicator', 'error'}, default='decay'
        Treatment of NaN inside a sequence of numbers, if there is any in training (of several calls
        of `partial_fit`, in the first).

        - 'decay': GRU-D [13]_. A missing value decays from the one last seen towards the training
          mean, and the states of each layer decay too, with learned rates, by the time since each
          feature was last seen; the network also reads which features are missing.
        - 'indicator': a missing value is the training mean, and the network also reads which
          features are missing and the time since each was last seen.
        - 'error': NaN is refused.

        Where training saw none, the network reads no more than the values, and NaN in a prediction
        is the value last seen ('decay') or the training mean. With ``scaling='robust'`` the median
        takes the place of the mean; with ``scaling='sequence'`` it is that of the sequence.

    time_feature : int or str, default=None
        The feature that holds the time stamp of each step, in any unit: its index, or its column's
        name in a DataFrame, where it may hold dates. The network then reads the time since the
        previous step in its place, and ``missing='decay'`` counts in time, not in steps, also if
        nothing is missing. Stamps may be equal, but must not decrease in a sequence.

    warmup_fraction : float, default=0.1
        Share of the updates over which the learning rate grows, for ``learning_rate='cosine'``.

    dropout : float or 'auto', default='auto'
        Share of the inputs of each hidden layer and of the head that each update leaves out, anew
        at every step, in [0, 1). 'auto' is 0.3 for tokens, 0.2 for three or more features per
        step, 0.5 for 20 or more at least half of whose values are missing, and 0 for fewer than
        three, which nothing can stand in for, and for 'lbfgs'.

    recurrent_dropout : float or 'auto', default='auto'
        Share of each hidden layer's units whose state the next step does not read: the same units
        at all steps of a sequence [10]_. 'auto' is 0.5 for 20 or more features per step at least
        half of whose values are missing, else, and for 'lbfgs', 0.

    token_dropout : float, default=0.0
        Share of the tokens that each update replaces by the unknown one, whose vector is thereby
        trained.

    bag : bool or 'auto', default='auto'
        Whether tokens, and pairs of neighbours that two samples have, are also counted: a linear
        model of their tf-idf, with the penalty of a logistic regression with ``C=10``, stands
        beside the network. Both are fitted apart, and the prediction is that of the sum of their
        raw outputs, each times a factor [15]_. These are the factors with the lowest loss in a
        trial, where both are trained on a quarter of the samples, of few on 100 or half of them,
        and compared on others (with a `max_iter` that is given, after as many updates as the fit
        has: it may take twice as long); with fewer than 20, and where `partial_fit` begins the
        training, both are 0.5. That of the network is at most 1. Weights of samples count as they
        are, as in logistic regression: small ones make the bag say less. 'auto' is True for
        classes, of 50 samples or more whose tokens are seen fewer than 100 times each, on average,
        as words are, while two million weights are enough for them; else, and where `partial_fit`
        begins the training, False. It has no effect with
        ``pooling=None``, where steps have targets. Its weights are not among `parameters_`, and
        `loss_` is that of the network alone.

    weight_decay : float, default=0.1
        Decoupled weight decay of 'adam' [11]_: each update first shrinks the weight matrices by
        this share, times the learning rate.

    max_grad_norm : float or None, default=1.0
        The gradient of each update is scaled down to this norm if it is larger [5]_; None: not.

    group_by_length : bool or 'auto', default='auto'
        Whether, within some shuffled batches, sequences of similar length share a batch: faster
        where lengths differ. If length tells of the target, such batches would hold similar targets
        and training would suffer: 'auto' groups only if length explains less than 5 % of the
        variance of the (one-hot or scaled) targets.

    bptt_steps : int or None, default=None
        Truncated back-propagation through time, for sequences of many thousand steps: the gradient
        reaches back over so many steps and the memory of an update is bounded by them; the state
        is carried over all steps [6]_. Sequences are cut into pieces of `bptt_steps` steps,
        counted from their ends. None: the full gradient.

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

    n_features_in_ : int
        Number of columns of a 2-D X, otherwise of features per step.

    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the columns, if X is a DataFrame whose column names are all strings.

    feature_mean_ : ndarray of shape (n_features,)
        What is subtracted from numeric input; NaN for a feature without a value in training, which
        is never read.

    feature_scale_ : ndarray of shape (n_features,)
        What numeric input is divided by, after the subtraction; NaN as in `feature_mean_`. With
        ``scaling='sequence'`` these are mean and deviation of all values, by which those of the
        sequences are measured.

    gap_scale_ : ndarray of shape (n_features,)
        The mean time since each feature was last seen, by which the network's times are divided:
        in units of `time_feature`, else in steps; 1 for all if nothing was missing and there is
        no `time_feature`.

    has_missing_ : bool
        Whether values were missing in training, hence whether the network reads which are.

    token_ids_ : ndarray of shape (n_tokens,)
        The ids of the rows of the embedding; the first is 1, the unknown token.

    has_vector_ : ndarray of bool of shape (n_tokens,)
        Which tokens began with a vector of their own; only if `embedding_matrix` is word vectors.
        The others were drawn.

    auto_params_ : dict
        The value chosen in the latest fit for each parameter that is 'auto'; in `partial_fit`,
        where an epoch is all there is, without `max_iter`.

    parameters_ : dict of str to ndarray
        All trainable arrays, as views: writing to them changes the model. With D inputs, H units
        and G gates, layer i has ``"hidden_i.input_weights"`` (D, G H),
        ``"hidden_i.recurrent_weights"`` (H, G H) and ``"hidden_i.bias"`` (G H,), the columns gate
        by gate: of 'gru' update gate, reset gate, candidate; of 'lstm' output, input and forget
        gate, candidate; of 'mingru', which has no recurrent weights, update gate, candidate;
        'rnn' has one block. With `reset_after` there is also
        ``"hidden_i.recurrent_bias"`` (H,); with `output_gate`
        ``"hidden_i.output_input_weights"`` (D, H), ``"hidden_i.output_state_weights"`` (H, H) and
        ``"hidden_i.output_bias"`` (H,); with `bidirectional` the same once more, named
        ``"hidden_i.reverse_..."``. Where features decay, there are ``"hidden_i.decay_weights"``
        (n_features, H) and ``"hidden_i.decay_bias"`` (H,), and if values were missing
        ``"inputs.decay_weights"`` and ``"inputs.decay_bias"`` (n_features,), for two directions one
        after the other. With N pooled outputs, the pooling 'attention' has
        ``"pooling.attention_weights"`` (H, H), ``"pooling.attention_bias"`` and
        ``"pooling.attention_score"`` (H,), the head ``"head.weights"`` (N, n_outputs_) and
        ``"head.bias"``, the embedding ``"embedding.weights"`` (n_tokens, embedding_dim).

    n_iter_ : int
        Epochs (iterations) of the latest fit.

    t_ : int
        Training samples gone through.

    n_layers_ : int
        Number of layers, input and output included.

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
    GRUClassifier : The same network for classes.
    SequenceVectorizer : Turns texts into sequences of token ids.

    Notes
    -----
    X is read in any of these forms, a sequence per sample:

    - array or DataFrame of shape (n_samples, n_steps * features_per_step);
    - array of shape (n_samples, n_steps, n_features);
    - list, tuple, object array or Series of arrays of shape (n_steps_i, n_features) or
      (n_steps_i,), of unequal length;
    - DataFrame of arrays, one column per feature;
    - with `embedding_dim`, the same with token ids: 0 at either end is padding, 1 the unknown
      token, and ids that `fit` has not seen count as unknown.

    Trailing steps that are wholly NaN are padding, whose length changes nothing. NaN elsewhere is a
    missing value, see `missing`. A sequence may be empty: it is predicted from the initial state.

    The recurrence is that of [1]_, trained by back-propagation through time [2]_: with σ the
    logistic function and ⊙ the product by element,

    .. code-block:: text

        z_t = σ(W_z·x_t + U_z·h_{t-1} + b_z)              update gate
        r_t = σ(W_r·x_t + U_r·h_{t-1} + b_r)              reset gate
        c_t = tanh(W_c·x_t + U_c·(r_t ⊙ h_{t-1}) + b_c)   candidate state
        h_t = (1 − z_t) ⊙ h_{t-1} + z_t ⊙ c_t

    With missing values and ``missing='decay'`` [13]_, with m_t the mask, 1 where a feature was
    seen, δ_t the time since it was last seen before the step (in units of `gap_scale_`), x_last its
    value then, and x̄ the training mean,

    .. code-block:: text

        γ_t = exp(−max(0, w ⊙ δ_t + b))
        x̂_t = m_t ⊙ x_t + (1 − m_t) ⊙ (γ_t ⊙ x_last + (1 − γ_t) ⊙ x̄)
        Γ_t = exp(−max(0, W·δ_t + b_γ))

    take the place of the inputs: x̂_t and m_t side by side for x_t, and Γ_t ⊙ h_{t-1} for h_{t-1}.

    References
    ----------
    .. [1] K. Cho et al., "Learning phrase representations using RNN encoder-decoder for
       statistical machine translation", EMNLP 2014.
    .. [2] P. J. Werbos, "Backpropagation through time: what it does and how to do it",
       Proceedings of the IEEE 78(10), 1990.
    .. [3] D. P. Kingma and J. Ba, "Adam: a method for stochastic optimization", ICLR 2015.
    .. [4] I. Loshchilov and F. Hutter, "SGDR: stochastic gradient descent with warm restarts",
       ICLR 2017.
    .. [5] R. Pascanu, T. Mikolov and Y. Bengio, "On the difficulty of training recurrent neural
       networks", ICML 2013.
    .. [6] R. J. Williams and J. Peng, "An efficient gradient-based algorithm for on-line training
       of recurrent network trajectories", Neural Computation 2(4), 1990.
    .. [7] S. Hochreiter and J. Schmidhuber, "Long short-term memory", Neural Computation 9(8),
       1997.
    .. [8] M. Schuster and K. K. Paliwal, "Bidirectional recurrent neural networks", IEEE
       Transactions on Signal Processing 45(11), 1997.
    .. [9] Z. Yang et al., "Hierarchical attention networks for document classification", NAACL
       2016.
    .. [10] Y. Gal and Z. Ghahramani, "A theoretically grounded application of dropout in recurrent
       neural networks", NeurIPS 2016.
    .. [11] I. Loshchilov and F. Hutter, "Decoupled weight decay regularization", ICLR 2019.
    .. [12] D. Holzmüller, L. Grinsztajn and I. Steinwart, "Better by default: strong pre-tuned MLPs
       and boosted trees on tabular data", NeurIPS 2024.
    .. [13] Z. Che et al., "Recurrent neural networks for multivariate time series with missing
       values", Scientific Reports 8, 2018.
    .. [14] A. Dempster, D. F. Schmidt and G. I. Webb, "MiniRocket: a very fast (almost)
       deterministic transform for time series classification", KDD 2021 (arXiv 2012.08791).
    .. [15] C. Genest and J. V. Zidek, "Combining probability distributions: a critique and an
       annotated bibliography", Statistical Science 1(1), 1986.
    .. [16] L. Feng et al., "Were RNNs all we needed?", 2024 (arXiv 2410.01201).
    .. [17] R. Koenker and G. Bassett, "Regression quantiles", Econometrica 46(1), 1978.
    .. [18] D. A. Nix and A. S. Weigend, "Estimating the mean and variance of the target probability
       distribution", ICNN 1994.

    Examples
    --------
    The mean of the last three values of sequences of unequal length:

    >>> import numpy as np
    >>> from skgru import GRURegressor
    >>> rng = np.random.default_rng(0)
    >>> X = [rng.normal(size=4 + i % 5) for i in range(200)]
    >>> y = [1000 + 100 * x[-3:].mean() for x in X]
    >>> reg = GRURegressor(hidden_layer_sizes=16, max_iter=60, random_state=0).fit(X, y)
    >>> bool(reg.score(X, y) > 0.95)
    True
    """

    _parameter_constraints: dict[str, Any] = {
        **BaseGRU._parameter_constraints,
        **NetworkRegressor._parameter_constraints,
    }

    @hints_at_names
    def __init__(
        self,
        hidden_layer_sizes: Sizes = (64,),
        *,
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
        cell: Cells = "gru",
        reset_after: bool = False,
        output_gate: bool = False,
        bidirectional: bool | Auto = "auto",
        pooling: Poolings | Auto | None = "auto",
        embedding_dim: int | Auto | None = "auto",
        embedding_matrix: VectorSource = None,
        freeze_embedding: bool = False,
        features_per_step: int = 1,
        patch_size: int | Auto = "auto",
        shift_patches: bool = True,
        n_convolutions: int | Auto = "auto",
        scaling: Scaling = "auto",
        missing: Missing = "decay",
        time_feature: int | str | None = None,
        warmup_fraction: float = 0.1,
        dropout: float | Auto = "auto",
        recurrent_dropout: float | Auto = "auto",
        token_dropout: float = 0.0,
        bag: bool | Auto = "auto",
        weight_decay: float = 0.1,
        max_grad_norm: float | None = 1.0,
        group_by_length: bool | Auto = "auto",
        bptt_steps: int | None = None,
        n_jobs: int | None = -1,
        dtype: Precision = "float32",
    ) -> None:
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
        self.cell = cell
        self.reset_after = reset_after
        self.output_gate = output_gate
        self.bidirectional = bidirectional
        self.pooling = pooling
        self.embedding_dim = embedding_dim
        self.embedding_matrix = embedding_matrix
        self.freeze_embedding = freeze_embedding
        self.features_per_step = features_per_step
        self.patch_size = patch_size
        self.shift_patches = shift_patches
        self.n_convolutions = n_convolutions
        self.scaling = scaling
        self.missing = missing
        self.time_feature = time_feature
        self.warmup_fraction = warmup_fraction
        self.dropout = dropout
        self.recurrent_dropout = recurrent_dropout
        self.token_dropout = token_dropout
        self.bag = bag
        self.weight_decay = weight_decay
        self.max_grad_norm = max_grad_norm
        self.group_by_length = group_by_length
        self.bptt_steps = bptt_steps
        self.n_jobs = n_jobs
        self.dtype = dtype
