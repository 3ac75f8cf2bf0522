"""For all tests: the gradient check with its account of the run, and Hypothesis' profile."""

import hypothesis
import numpy as np
import pytest

# The same examples in each run and on each machine, however slow.
hypothesis.settings.register_profile("skgru", derandomize=True, deadline=None, max_examples=50)
hypothesis.settings.load_profile("skgru")

GRADIENT_CHECKS = pytest.StashKey[dict]()
LARGEST_ERROR = 1e-6
STEP = 1e-3
SMALL_STEP = 1e-4
FLOOR = 1e-4


def central_differences(loss, array, step=STEP):
    """Return the derivative of loss() for each number of the array, changing one after another.

    The five-point rule, exact for polynomials of degree 4: the step can be large enough for the
    rounding errors of the loss not to matter.
    """
    slope = np.zeros_like(array)
    for index in np.ndindex(array.shape):
        value = array[index]
        losses = []
        for steps in (-2, -1, 1, 2):
            array[index] = value + steps * step
            losses.append(loss())
        array[index] = value
        slope[index] = (losses[0] - 8 * losses[1] + 8 * losses[2] - losses[3]) / (12 * step)
    return slope


def relative_error(a, b):
    """Return the largest relative error of any element, where below FLOOR it counts as FLOOR."""
    return np.max(np.abs(a - b) / np.maximum(np.maximum(np.abs(a), np.abs(b)), FLOOR))


@pytest.fixture
def check_gradient(request):
    """Return the function that checks one array's gradient and keeps the account of the run.

    ``check_gradient(loss, array, gradient, name)``: `loss` takes no argument and reads `array`,
    which must be float64 and is the same after the check as before it.
    """
    account = request.config.stash[GRADIENT_CHECKS]

    def check(loss, array, gradient, name):
        assert array.dtype == np.float64
        assert gradient.shape == array.shape
        for step in (STEP, SMALL_STEP):
            expected = central_differences(loss, array, step)
            assert expected.any(), f"the loss does not depend on {name}: nothing was checked"
            error = float(np.nan_to_num(relative_error(gradient, expected), nan=np.inf))
            # Within the larger step may lie a kink, such as two outputs that are nearly equal.
            if error < LARGEST_ERROR:
                break
        add_to_account(account, 1, error, f"{name} in {request.node.nodeid}")
        assert error < LARGEST_ERROR, f"{name}: relative error {error:.1e}"

    return check


@pytest.fixture
def check_along_directions(check_gradient):
    """Return a function like `check_gradient` that needs little time, however large the array.

    It checks the derivatives in a few random directions, to which each number of the gradient
    contributes.
    """

    def check(loss, array, gradient, name, n_directions=2):
        start, rng = array.copy(), np.random.RandomState(0)
        for _ in range(n_directions):
            direction = rng.normal(size=array.shape)
            direction /= np.linalg.norm(direction)
            distance = np.zeros(1)

            def loss_at_distance(direction=direction, distance=distance):
                array[...] = start + distance * direction
                return loss()

            slope = np.array([np.sum(gradient * direction)])
            check_gradient(loss_at_distance, distance, slope, name)
        array[...] = start

    return check


def add_to_account(account, n_checked, error, where):
    account["n_checked"] += n_checked
    if error > account["worst"]:
        account["worst"], account["where"] = error, where


def pytest_configure(config):
    config.stash[GRADIENT_CHECKS] = {"n_checked": 0, "worst": 0.0, "where": ""}


def pytest_sessionfinish(session):
    if hasattr(session.config, "workeroutput"):  # a worker of pytest-xdist
        session.config.workeroutput["gradient_checks"] = session.config.stash[GRADIENT_CHECKS]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node):
    # A worker that crashed has sent nothing.
    sent = getattr(node, "workeroutput", {}).get("gradient_checks")
    if sent:
        account = node.config.stash[GRADIENT_CHECKS]
        add_to_account(account, sent["n_checked"], sent["worst"], sent["where"])


def pytest_terminal_summary(terminalreporter, config):
    account = config.stash[GRADIENT_CHECKS]
    if account["n_checked"]:
        terminalreporter.write_line(
            f"gradient checks: {account['n_checked']} checked, "
            f"worst relative error {account['worst']:.1e} ({account['where']})"
        )
