"""What is particular to the regressor: targets, their scale, the losses."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.exceptions import DataConversionWarning
from sklearn.metrics import mean_poisson_deviance, r2_score

from skgru import GRURegressor
from tests.datasets import assert_same_model, ragged, rectangle, small, token_sequences


def targets(X):
    return np.array([x.sum() for x in X])


# Targets and their scale


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e4, 1e9])
@pytest.mark.parametrize("shift", [0.0, 3.0, -100.0])
def test_the_unit_of_the_targets_does_not_matter(shift, scale):
    X, _ = ragged(n=40)
    y = targets(X)
    parameters = {"max_iter": 20, "learning_rate_init": 0.05, "dtype": "float64"}
    reference = small(GRURegressor, **parameters).fit(X, y)
    model = small(GRURegressor, **parameters).fit(X, (y + shift) * scale)
    assert reference.score(X, y) > 0.5
    assert_allclose(model.predict(X) / scale - shift, reference.predict(X), rtol=0, atol=1e-7)
    assert_allclose(model.loss_curve_, reference.loss_curve_, rtol=1e-7)
    assert_allclose(model.target_mean_, (y.mean() + shift) * scale, rtol=1e-9)
    assert_allclose(model.target_scale_, y.std() * scale, rtol=1e-9)


def test_float32_trains_on_targets_in_the_thousands_as_on_those_near_one():
    X, _ = ragged(n=40)
    y = targets(X)
    parameters = {"max_iter": 20, "learning_rate_init": 0.05}
    near_one = small(GRURegressor, **parameters).fit(X, y)
    thousands = small(GRURegressor, **parameters).fit(X, 1000 * y + 5000)
    assert_allclose((thousands.predict(X) - 5000) / 1000, near_one.predict(X), atol=1e-4)


def test_targets_are_scaled_one_by_one():
    X, _ = ragged(n=40)
    Y = np.column_stack([targets(X), 1e5 - 1e4 * targets(X), [len(x) for x in X]])
    model = small(GRURegressor, max_iter=60, learning_rate_init=0.05).fit(X, Y)
    assert model.n_outputs_ == 3
    assert_allclose(model.target_mean_, Y.mean(axis=0), rtol=1e-9)
    assert_allclose(model.target_scale_, Y.std(axis=0), rtol=1e-9)
    predicted = model.predict(X)
    assert predicted.shape == (40, 3)
    assert r2_score(Y, predicted, multioutput="raw_values").min() > 0.5
    assert_allclose(model.score(X, Y), r2_score(Y, predicted), rtol=1e-6)


def test_the_scale_of_the_targets_counts_samples_by_their_weight():
    X, _ = rectangle(n=4)
    model = small(GRURegressor).fit(X, [0.0, 2.0, 7.0, 9.0], sample_weight=[3.0, 1.0, 0.0, 0.0])
    assert_allclose(model.target_mean_, [0.5])
    assert_allclose(model.target_scale_, [np.sqrt(0.75)])


@pytest.mark.parametrize("value", [0.0, 1.0, -12345.678])
@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_a_constant_target(solver, value):
    X, _ = rectangle()
    options = {"learning_rate_init": 0.05} if solver == "adam" else {}
    model = small(GRURegressor, solver=solver, max_iter=40, **options)
    model.fit(X, np.full(24, value))
    assert_array_equal(model.target_scale_, [1])
    assert_allclose(model.predict(X), value, atol=0.2, rtol=1e-4)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_what_is_returned(dtype):
    X, _ = rectangle()
    y = targets(X)
    model = small(GRURegressor, dtype=dtype).fit(X, y)
    assert model.predict(X).dtype == np.float64  # as y was, whatever the network's
    assert model.predict(X).shape == (24,)
    assert all(array.dtype == dtype for array in model.parameters_.values())
    assert model.feature_mean_.dtype == model.target_mean_.dtype == np.float64
    two = small(GRURegressor, dtype=dtype).fit(X, np.column_stack([y, y]))
    assert two.predict(X[:1]).shape == (1, 2)


def test_a_column_of_targets_is_raveled_with_a_warning():
    X, _ = rectangle()
    y = targets(X)
    with pytest.warns(DataConversionWarning, match="A column-vector y was passed"):
        model = small(GRURegressor).fit(X, y[:, None])
    assert model.predict(X).shape == (24,)
    assert_same_model(model, small(GRURegressor).fit(X, y))


@pytest.mark.parametrize(
    "form",
    [
        list,
        pd.Series,
        pl.Series,
        lambda y: y.astype(object),
        lambda y: pd.Series(y, dtype="Float64"),
    ],
    ids=["list", "pandas", "polars", "object", "nullable"],
)
def test_containers_of_targets(form):
    X, _ = ragged()
    y = targets(X)
    assert_same_model(small(GRURegressor).fit(X, form(y)), small(GRURegressor).fit(X, y))


def test_integer_targets_are_numbers():
    X, y = ragged()
    a, b = small(GRURegressor).fit(X, y), small(GRURegressor).fit(X, y.astype(float))
    assert_same_model(a, b)
    assert a.predict(X).dtype == np.float64


@pytest.mark.parametrize(
    ("y", "error", "message"),
    [
        ([1.0, 2.0] * 11, ValueError, r"inconsistent numbers of samples: \[24, 22\]"),
        ([1.0, np.nan] * 12, ValueError, "y contains NaN"),
        ([1.0, np.inf] * 12, ValueError, "y contains infinity"),
        (["a", "b"] * 12, ValueError, "Expected numbers, got text .* in target 0 of y"),
        ([1j, 2j] * 12, ValueError, "Complex data not supported"),
        (np.zeros((24, 2, 2)), ValueError, "Found array with dim 3"),
        (None, ValueError, "requires y to be passed, but the target y is None"),
        ([], ValueError, "0 sample"),
        (
            np.full(24, "2020-01-01", dtype="M8[D]"),
            (ValueError, TypeError),
            "(?i)number|numeric|dtype",
        ),
    ],
)
def test_bad_targets(y, error, message):
    X, _ = rectangle()
    with pytest.raises(error, match=message):
        small(GRURegressor).fit(X, y)


@pytest.mark.parametrize("parameters", [{}, {"solver": "lbfgs"}, {"loss": "poisson"}])
def test_one_sample(parameters):
    model = small(GRURegressor, **parameters).fit([[1.0, 2.0]], [3.0])
    assert np.isfinite(model.predict([[1.0, 2.0], [5.0, 1.0]])).all()


# The Poisson loss


def counts(n=80):
    X, _ = ragged(n=n, longest=5)
    rates = np.exp([1 + x[-1, 0] for x in X])
    return X, np.random.default_rng(1).poisson(rates).astype(float)


def test_poisson_loss():
    X, y = counts()
    assert (y == 0).any()
    model = small(GRURegressor, loss="poisson", max_iter=60, learning_rate_init=0.05).fit(X, y)
    predicted = model.predict(X)
    assert (predicted > 0).all()
    assert model.out_activation_ == "exp"
    baseline = mean_poisson_deviance(y, np.full(len(y), y.mean()))
    assert mean_poisson_deviance(y, predicted) < 0.6 * baseline
    # The exponential is the canonical link: what is predicted adds up to what was seen.
    assert_allclose(predicted.mean(), y.mean(), rtol=0.1)


def test_poisson_loss_is_half_the_deviance():
    X, y = counts()
    parameters = {"learning_rate_init": 1e-12, "alpha": 0, "batch_size": 80, "max_iter": 1}
    model = small(GRURegressor, loss="poisson", dtype="float64", **parameters).fit(X, y)
    deviance = mean_poisson_deviance(y / y.mean(), model.predict(X) / y.mean())
    assert_allclose(model.loss_, deviance / 2, rtol=1e-9)


def test_the_unit_of_poisson_targets_does_not_matter():
    X, y = counts()
    parameters = {"loss": "poisson", "max_iter": 10, "dtype": "float64"}
    a = small(GRURegressor, **parameters).fit(X, y)
    b = small(GRURegressor, **parameters).fit(X, 1000 * y)
    assert_allclose(b.predict(X), 1000 * a.predict(X), rtol=1e-9)
    assert_array_equal(a.target_mean_, [0])


def test_poisson_loss_of_several_targets():
    X, y = counts()
    Y = np.column_stack([y, np.zeros(80), 1000 * y])
    model = small(GRURegressor, loss="poisson", max_iter=40, learning_rate_init=0.05).fit(X, Y)
    predicted = model.predict(X)
    assert (predicted > 0).all()
    assert predicted[:, 1].mean() < 0.5
    assert_allclose(predicted[:, 2].mean() / predicted[:, 0].mean(), 1000, rtol=0.2)


@pytest.mark.parametrize("y", [[-1.0] + [1.0] * 23, [0.0] * 24])
def test_targets_that_poisson_cannot_have(y):
    X, _ = rectangle()
    with pytest.raises(ValueError, match="loss='poisson' expects non-negative y with a positive s"):
        small(GRURegressor, loss="poisson").fit(X, y)


def test_the_loss_is_chosen_in_fit():
    X, y = counts()
    model = small(GRURegressor, loss="poisson").fit(X, y)
    before = model.predict(X)
    assert_array_equal(model.set_params(loss="squared_error").predict(X), before)
    assert model.fit(X, y).out_activation_ == "identity"
    with pytest.raises(ValueError, match="'loss' parameter of GRURegressor must be a str among"):
        small(GRURegressor, loss="absolute").fit(X, y)


# Tokens


def test_regression_on_tokens():
    X, _ = token_sequences(n=60)
    y = np.array([100.0 * (x == 2).sum() for x in X])
    model = small(GRURegressor, embedding_dim=3, max_iter=60, learning_rate_init=0.05).fit(X, y)
    assert model.score(X, y) > 0.8
    matrix = np.random.default_rng(0).normal(size=(8, 3))
    given = small(GRURegressor, embedding_matrix=matrix, learning_rate_init=1e-30).fit(X, y)
    assert_allclose(given.parameters_["embedding.weights"], matrix[1:], rtol=1e-6)
