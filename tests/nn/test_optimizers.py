"""Optimizers against their formulas, number by number and step by step, in plain Python."""

import copy
import math

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skgru._nn.optimizers import SGD, Adam, clip_norm

N, N_STEPS = 4, 12
# The rate of each step is another one: a schedule may change it.
RATES = [0.1, 0.05, 0.3, 0.01] * 3

BETAS = [(0.9, 0.999), (0.5, 0.9), (0.0, 0.999), (0.9, 0.0), (0.99, 0.5)]
ADAM = pytest.mark.parametrize("epsilon", [1e-8, 1e-3, 1.0])
SGD_SETTINGS = pytest.mark.parametrize(
    ("momentum", "nesterov"),
    [(0.0, False), (0.0, True), (0.9, False), (0.9, True), (0.5, False), (0.5, True)],
)
MAKERS = [
    lambda theta, **kw: Adam(theta, **kw),
    lambda theta, **kw: SGD(theta, momentum=0.9, nesterovs_momentum=False, **kw),
    lambda theta, **kw: SGD(theta, momentum=0.9, nesterovs_momentum=True, **kw),
]
OPTIMIZERS = pytest.mark.parametrize("make", MAKERS, ids=["adam", "momentum", "nesterov"])


def random_problem(dtype=np.float64):
    rng = np.random.RandomState(0)
    theta = rng.normal(size=N).astype(dtype)
    # Gradients of very unequal size.
    gradients = rng.normal(size=(N_STEPS, N)) * [1e-4, 1e-2, 1, 100]
    return theta, gradients.astype(dtype)


def adam_by_hand(theta, gradients, rates, beta_1, beta_2, epsilon):
    """Kingma & Ba, algorithm 1, in the order of computation that the end of section 2 gives."""
    path = []
    theta, m, v = list(theta), [0.0] * N, [0.0] * N
    for t, (g, rate) in enumerate(zip(gradients, rates, strict=True), start=1):
        rate_t = rate * math.sqrt(1 - beta_2**t) / (1 - beta_1**t)
        for i in range(N):
            m[i] = beta_1 * m[i] + (1 - beta_1) * g[i]
            v[i] = beta_2 * v[i] + (1 - beta_2) * g[i] ** 2
            theta[i] -= rate_t * m[i] / (math.sqrt(v[i]) + epsilon)
        path.append(list(theta))
    return np.array(path)


def sgd_by_hand(theta, gradients, rates, momentum, nesterov):
    """v ← μ v − η g, then θ ← θ + v, or with Nesterov's look ahead θ ← θ + μ v − η g."""
    path = []
    theta, velocity = list(theta), [0.0] * N
    for g, rate in zip(gradients, rates, strict=True):
        for i in range(N):
            velocity[i] = momentum * velocity[i] - rate * g[i]
            theta[i] += momentum * velocity[i] - rate * g[i] if nesterov else velocity[i]
        path.append(list(theta))
    return np.array(path)


def run(optimizer, theta, gradients, rates):
    path = []
    for gradient, rate in zip(gradients, rates, strict=True):
        optimizer.step(theta, gradient, rate)
        path.append(theta.copy())
    return np.array(path)


@pytest.mark.parametrize(("beta_1", "beta_2"), BETAS)
@ADAM
def test_adam_follows_its_formula(beta_1, beta_2, epsilon):
    theta, gradients = random_problem()
    expected = adam_by_hand(theta, gradients, RATES, beta_1, beta_2, epsilon)
    optimizer = Adam(theta, beta_1=beta_1, beta_2=beta_2, epsilon=epsilon)
    assert_allclose(run(optimizer, theta, gradients, RATES), expected, rtol=1e-12, atol=1e-14)
    assert optimizer.state["t"] == N_STEPS


def test_adams_first_step_has_the_size_of_the_learning_rate():
    theta = np.zeros(4)
    Adam(theta).step(theta, np.array([1e-2, -1.0, 100.0, -1e4]), 0.1)
    # ε is relative to √(1 − β₂) |g| in the first step.
    assert_allclose(theta, [-0.1, 0.1, -0.1, 0.1], rtol=1e-4)


def test_adams_defaults_are_those_of_the_paper():
    theta, gradients = random_problem()
    expected = adam_by_hand(theta, gradients, RATES, 0.9, 0.999, 1e-8)
    assert_allclose(run(Adam(theta), theta, gradients, RATES), expected, rtol=1e-12)


@SGD_SETTINGS
def test_sgd_follows_its_formula(momentum, nesterov):
    theta, gradients = random_problem()
    expected = sgd_by_hand(theta, gradients, RATES, momentum, nesterov)
    optimizer = SGD(theta, momentum=momentum, nesterovs_momentum=nesterov)
    assert_allclose(run(optimizer, theta, gradients, RATES), expected, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("nesterov", [False, True])
def test_sgd_without_momentum_is_plain_gradient_descent(nesterov):
    theta, gradients = random_problem()
    steps = np.array(RATES)[:, None] * gradients
    expected = theta - np.cumsum(steps, axis=0)
    optimizer = SGD(theta, momentum=0.0, nesterovs_momentum=nesterov)
    assert_allclose(run(optimizer, theta, gradients, RATES), expected, rtol=1e-12, atol=1e-13)


def test_sgds_defaults_are_nesterovs_momentum_of_nine_tenths():
    theta, gradients = random_problem()
    expected = sgd_by_hand(theta, gradients, RATES, 0.9, True)
    assert_allclose(run(SGD(theta), theta, gradients, RATES), expected, rtol=1e-12, atol=1e-13)


def test_momentum_goes_on_when_the_gradient_is_gone():
    for nesterov, expected in ((False, [-1.0, -1.5, -1.75]), (True, [-1.5, -1.75, -1.875])):
        theta = np.zeros(1)
        optimizer = SGD(theta, momentum=0.5, nesterovs_momentum=nesterov)
        path = run(optimizer, theta, np.array([[1.0], [0.0], [0.0]]), [1.0] * 3)
        assert_allclose(path[:, 0], expected, rtol=1e-15)


@OPTIMIZERS
def test_a_new_optimizer_goes_on_from_the_state_of_another(make):
    theta, gradients = random_problem()
    expected = run(make(theta.copy()), theta.copy(), gradients, RATES)

    first = make(theta)
    half = N_STEPS // 2
    run(first, theta, gradients[:half], RATES[:half])
    second = make(theta, state=copy.deepcopy(first.state))
    path = run(second, theta, gradients[half:], RATES[half:])
    assert_array_equal(path, expected[half:])


@OPTIMIZERS
def test_state_is_plain_arrays(make):
    theta, gradients = random_problem(np.float32)
    optimizer = make(theta)
    for _ in range(2):
        for name, value in optimizer.state.items():
            assert type(value) is np.ndarray, name
            assert value.shape in ((), theta.shape), name
            assert value.dtype == np.float32 or name == "t", name
        run(optimizer, theta, gradients, RATES)


@OPTIMIZERS
def test_two_optimizers_share_nothing(make):
    theta, gradients = random_problem()
    alone = run(make(theta.copy()), theta.copy(), gradients, RATES)
    a, b = theta.copy(), theta.copy()
    optimizer_a, optimizer_b = make(a), make(b)
    for gradient, rate in zip(gradients, RATES, strict=True):
        optimizer_a.step(a, gradient, rate)
        optimizer_b.step(b, -gradient, rate)
    assert_array_equal(a, alone[-1])


@OPTIMIZERS
def test_step_updates_theta_in_place_and_leaves_the_gradient(make):
    theta, gradients = random_problem()
    before = theta.copy()
    gradients.flags.writeable = False
    make(theta).step(theta, gradients[0], 0.1)
    assert (theta != before).all()


@OPTIMIZERS
def test_a_learning_rate_of_zero_moves_nothing(make):
    theta, gradients = random_problem()
    before = theta.copy()
    run(make(theta), theta, gradients, [0.0] * N_STEPS)
    assert_array_equal(theta, before)


@OPTIMIZERS
def test_float32_stays_float32_and_close_to_float64(make):
    single, gradients = random_problem(np.float32)
    double = single.astype(np.float64)
    expected = run(make(double), double, gradients.astype(np.float64), RATES)
    path = run(make(single), single, gradients, RATES)
    assert path.dtype == np.float32
    assert_allclose(path, expected, rtol=1e-4, atol=1e-5)


# Clipping


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("max_norm", [0.5, 1.0, 4.999])
def test_a_longer_gradient_is_scaled_to_the_largest_norm(max_norm, dtype):
    gradient = np.array([3.0, 0, -4.0], dtype)
    assert clip_norm(gradient, max_norm) is None
    assert gradient.dtype == dtype
    assert_allclose(gradient, np.array([3, 0, -4]) * max_norm / 5, rtol=1e-6)


@pytest.mark.parametrize("max_norm", [5.0, 5.001, 100.0, np.inf])
def test_a_gradient_within_the_largest_norm_is_left_as_it_is(max_norm):
    gradient = np.array([3.0, 0, -4.0])
    clip_norm(gradient, max_norm)
    assert_array_equal(gradient, [3, 0, -4])


def test_a_gradient_of_zeros_stays_zero():
    gradient = np.zeros(3)
    clip_norm(gradient, 1.0)
    assert_array_equal(gradient, 0)


def test_clipping_survives_squares_that_overflow():
    gradient = np.full(4, 1e25, np.float32)
    clip_norm(gradient, 1.0)
    assert_allclose(gradient, np.full(4, 0.5), rtol=1e-6)


@OPTIMIZERS
def test_what_does_not_move_has_no_momentum_either(make):
    theta, gradients = random_problem()
    expected, start = theta.copy(), theta.copy()
    whole, moving = make(theta), make(theta, n_moving=N - 2)
    for optimizer, numbers in ((whole, expected), (moving, theta)):
        for gradient, rate in zip(gradients, RATES, strict=True):
            optimizer.step(numbers, gradient, rate)
    assert_array_equal(theta[: N - 2], expected[: N - 2])
    assert_array_equal(theta[N - 2 :], start[N - 2 :])
    # What moved before, and has the momentum of it, stands still from then on.
    state = copy.deepcopy(whole.state)
    later = make(theta, n_moving=N - 2, state=whole.state)
    later.step(theta, np.zeros(N), 0.1)
    assert_array_equal(theta[N - 2 :], start[N - 2 :])
    for name in state:
        if name != "t":
            assert_array_equal(later.state[name][N - 2 :], state[name][N - 2 :])


@pytest.mark.parametrize("n_moving", [None, 0, 3, 5, 11])
@pytest.mark.parametrize("n_decayed", [0, 2, 5, 12])
def test_adam_in_blocks_moves_every_number_as_at_once(n_decayed, n_moving, monkeypatch):
    theta = np.linspace(-1, 1, 13)
    gradients = np.random.default_rng(0).standard_normal((3, 13))
    ends = []
    for block_size in (13, 5, 1):
        monkeypatch.setattr("skgru._nn.optimizers._BLOCK_SIZE", block_size)
        moved = theta.copy()
        adam = Adam(moved, weight_decay=0.1, n_decayed=n_decayed, n_moving=n_moving)
        run(adam, moved, gradients, [0.1, 0.2, 0.3])
        ends.append([moved, adam.state["m"], adam.state["v"]])
    for end in ends[1:]:
        for one, other in zip(end, ends[0], strict=True):
            assert_array_equal(one, other)
    first_still = max(n_decayed, 13 if n_moving is None else n_moving)
    assert_array_equal(ends[0][0][first_still:], theta[first_still:])
    assert (ends[0][0][:first_still] != theta[:first_still]).sum() >= first_still - 1  # but for 0
