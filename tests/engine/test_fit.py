"""Fits: validation sets, going on, and failures, which leave the model as it was."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.metrics import r2_score

from skgru import GRUClassifier, GRURegressor
from skgru._nn.optimizers import Adam
from tests.datasets import (
    ESTIMATORS,
    assert_same_model,
    copies,
    flat,
    output,
    ragged,
    rectangle,
    small,
    token_sequences,
)
from tests.training import DESCENT, RaiseAt, assert_unchanged, state_of, validation_data

# Validation sets


def test_the_held_out_part_is_stratified():
    # Equal sequences all get the same prediction, whose accuracy is the share of that class.
    X, y = np.zeros((60, 3)), np.repeat([0, 1, 2], [48, 6, 6])
    for seed in range(5):
        model = small(
            GRUClassifier, early_stopping=True, validation_fraction=0.5, random_state=seed
        )
        assert set(model.fit(X, y).validation_scores_) <= {0.8, 0.1}


def test_too_small_a_validation_set():
    X, y = ragged(n=15)
    with pytest.raises(ValueError, match=r"validation set is too small. Increase 'validation_fra"):
        small(GRURegressor, early_stopping=True, validation_fraction=0.05).fit(X, y)


@pytest.mark.parametrize("estimator_class", ESTIMATORS)
def test_a_validation_set_of_one_sequence_is_too_small(estimator_class):
    X, y = ragged()
    with pytest.raises(ValueError, match=r"set is too small: expected at least 2 .* 1"):
        small(estimator_class).fit(X, y, X_val=X[:1], y_val=y[:1])


def test_weights_of_a_validation_set_that_is_not_there():
    X, y = ragged()
    with pytest.raises(ValueError, match="sample_weight_val is provided, but X_val and y_val"):
        small(GRURegressor).fit(X, y, sample_weight_val=[1.0])


def test_validation_data_may_come_in_another_form():
    X, y, X_val, y_val = validation_data()
    a = small(GRUClassifier).fit(X, y, X_val=X_val, y_val=y_val)
    as_lists = [x.tolist() for x in X_val]
    b = small(GRUClassifier).fit(X, y, X_val=as_lists, y_val=y_val.tolist())
    assert a.validation_scores_ == b.validation_scores_


def test_the_scores_of_several_targets_and_labels_are_those_of_score():
    X, _, X_val, _ = validation_data()
    Y, Y_val = (np.array([[x.sum(), x[0, 0]] for x in A]) for A in (X, X_val))
    model = small(GRURegressor, max_iter=10).fit(
        X, Y * [1, 1000], X_val=X_val, y_val=Y_val * [1, 1000]
    )
    assert_allclose(model.validation_scores_[-1], model.score(X_val, Y_val * [1, 1000]), rtol=1e-5)
    assert_allclose(
        model.validation_scores_[-1], r2_score(Y_val, model.predict(X_val) / [1, 1000]), rtol=1e-5
    )
    model = small(GRUClassifier, max_iter=10).fit(X, Y > 0, X_val=X_val, y_val=Y_val > 0)
    assert_allclose(model.validation_scores_[-1], model.score(X_val, Y_val > 0))
    assert 0 < model.validation_scores_[-1] < 1


@pytest.mark.parametrize(
    ("validation", "message"),
    [
        ({"X_val": "X"}, "X_val is provided, but y_val was not provided"),
        ({"y_val": "y"}, "y_val is provided, but X_val was not provided"),
        ({"X_val": "X", "y_val": [0, 1]}, "inconsistent numbers of samples"),
        ({"X_val": [np.zeros((2, 3))] * 2, "y_val": [0, 1]}, "X has 3 features per step"),
        ({"X_val": [[[np.inf]]] * 2, "y_val": [0, 1]}, "infinity"),
        ({"X_val": "X", "y_val": [7] * 24}, r"classes not in `self.classes_`"),
        ({"X_val": "X", "y_val": [np.nan] * 24}, "NaN"),
        ({"X_val": "X", "y_val": "y", "sample_weight_val": [1, 2]}, "(?i)sample_weight.shape"),
        ({"X_val": "X", "y_val": "y", "sample_weight_val": [-1.0] * 24}, "(?i)negative values"),
    ],
)
def test_bad_validation_data(validation, message):
    X, y = ragged()
    given = {"X": X, "y": y}
    validation = {k: given[v] if isinstance(v, str) else v for k, v in validation.items()}
    model = small(GRUClassifier)
    with pytest.raises(ValueError, match=message):
        model.fit(X, y, **validation)
    with pytest.raises(NotFittedError):
        model.predict(X)


# One more epoch, by `partial_fit`


@pytest.mark.parametrize("parameters", [{}, {"solver": "sgd"}, {"learning_rate": "invscaling"}])
@pytest.mark.filterwarnings("ignore:Maximum iterations:sklearn.exceptions.ConvergenceWarning")
def test_partial_fit_is_an_epoch_of_fit(parameters):
    X, y = ragged(n=40)
    parameters = {"learning_rate": "constant", "batch_size": 16, **parameters}
    once = small(GRURegressor, max_iter=1, **parameters).fit(X, y)
    assert_same_model(small(GRURegressor, **parameters).partial_fit(X, y), once)
    # In several calls, the optimizer goes on from its state.
    thrice = small(GRURegressor, max_iter=3, shuffle=False, **parameters).fit(X, y)
    calls = small(GRURegressor, shuffle=False, **parameters)
    for i in range(3):
        assert calls.partial_fit(X, y) is calls
        assert (calls.n_iter_, calls.t_, len(calls.loss_curve_)) == (1, 40 * (i + 1), i + 1)
    assert_same_model(calls, thrice)
    assert calls.loss_curve_ == thrice.loss_curve_
    assert calls.best_loss_ == thrice.best_loss_


def test_partial_fit_goes_on_from_fit():
    X, y = ragged(n=40)
    model = small(GRUClassifier, **DESCENT)
    with pytest.warns(ConvergenceWarning):
        model.fit(X, y).partial_fit(X, y)
    with pytest.warns(ConvergenceWarning):
        longer = small(GRUClassifier, **DESCENT | {"max_iter": 4}).fit(X, y)
    assert_same_model(model, longer)


def test_partial_fit_keeps_what_the_first_call_learned():
    X, y = ragged()
    model = small(GRURegressor).partial_fit(X, y)
    mean, scale = model.feature_mean_.copy(), model.target_scale_.copy()
    model.partial_fit([1000 * x for x in X], 1000 * y)
    assert_array_equal(model.feature_mean_, mean)
    assert_array_equal(model.target_scale_, scale)
    tokens, y = token_sequences()
    model = small(GRUClassifier, embedding_dim=2).partial_fit(tokens, y, classes=[0, 1])
    model.partial_fit([x + 100 for x in tokens], y)
    assert model.token_ids_.max() == 7


def test_classes_of_partial_fit():
    X, y = ragged()
    model = small(GRUClassifier)
    with pytest.raises(ValueError, match="classes must be passed on the first call to partial_fit"):
        model.partial_fit(X, y)
    model.partial_fit(X[:1], y[:1], classes=[0, 1, 5])
    assert_array_equal(model.classes_, [0, 1, 5])
    assert model.predict_proba(X).shape == (24, 3)
    model.partial_fit(X, y).partial_fit(X, y, classes=[5, 1, 0])
    before = copies(model)
    with pytest.raises(ValueError, match=r"classes=\[0, 1\]. is not the same as on last call"):
        model.partial_fit(X, y, classes=[0, 1])
    with pytest.raises(ValueError, match=r"classes not in `self.classes_`.*'y' has \[0 1 7\]"):
        model.partial_fit(X, np.where(np.arange(24) == 3, 7, y))
    for name, array in before.items():
        assert_array_equal(model.parameters_[name], array)


def test_partial_fit_of_one_class_after_fit_of_two():
    X, y = ragged()
    model = small(GRUClassifier).fit(X, y).set_params(learning_rate="constant")
    assert_array_equal(model.partial_fit(X[:3], [1, 1, 1]).classes_, [0, 1])


def test_partial_fit_multilabel():
    X, y = ragged()
    Y = np.column_stack([y, 1 - y, y])
    model = small(GRUClassifier).partial_fit(X, Y, classes=[0, 1, 2]).partial_fit(X, Y)
    assert model.predict(X).shape == (24, 3)
    with pytest.raises(ValueError, match="2 labels, expected 3"):
        model.partial_fit(X, Y[:, :2])
    with pytest.raises(ValueError, match="several labels"):
        model.partial_fit(X, y)


def test_partial_fit_of_another_number_of_targets():
    X, y = ragged()
    model = small(GRURegressor).partial_fit(X, y)
    with pytest.raises(ValueError, match="y has 2 outputs, expected 1"):
        model.partial_fit(X, np.column_stack([y, y]))


def test_what_partial_fit_cannot_do():
    X, y = ragged()
    with pytest.raises(ValueError, match="partial_fit does not support early_stopping=True"):
        small(GRURegressor, early_stopping=True).partial_fit(X, y)
    with pytest.raises(
        ValueError, match="class_weight='balanced' is not supported for partial_fit"
    ):
        small(GRUClassifier, class_weight="balanced").partial_fit(X, y, classes=[0, 1])


def test_the_solver_may_change_between_calls_of_partial_fit():
    X, y = ragged()
    model = small(GRURegressor, solver="adam").partial_fit(X, y)
    for solver in ("sgd", "adam"):
        before = flat(model)
        model.set_params(solver=solver).partial_fit(X, y)
        assert np.abs(flat(model) - before).max() > 0


# More epochs, by `warm_start`


@pytest.mark.parametrize("estimator_class", ESTIMATORS)
@pytest.mark.filterwarnings("ignore:Maximum iterations:sklearn.exceptions.ConvergenceWarning")
def test_warm_start_goes_on(estimator_class):
    X, y = ragged(n=40)
    once = small(estimator_class, **DESCENT | {"max_iter": 5}).fit(X, y)
    twice = small(estimator_class, **DESCENT | {"max_iter": 2}, warm_start=True).fit(X, y)
    assert twice.set_params(max_iter=3).fit(X, y) is twice
    assert_same_model(once, twice)
    assert twice.loss_curve_ == once.loss_curve_
    assert (once.n_iter_, twice.n_iter_) == (5, 3)
    assert once.t_ == twice.t_ == 5 * 40


def test_without_warm_start_nothing_is_left_of_the_previous_fit():
    X, y = ragged()
    tokens, token_y = token_sequences()
    once = small(GRUClassifier).fit(X, y)
    again = small(GRUClassifier, embedding_dim=3, early_stopping=True, hidden_layer_sizes=(3, 2))
    again.fit(tokens, token_y + 5)
    again.set_params(embedding_dim=None, early_stopping=False, hidden_layer_sizes=4).fit(X, y)
    assert_same_model(again, once)
    assert {name for name in vars(again) if name.endswith("_")} == {
        name for name in vars(once) if name.endswith("_")
    }
    assert again.loss_curve_ == once.loss_curve_


def test_warm_start_keeps_the_scaling():
    X, y = ragged()
    model = small(GRURegressor, warm_start=True).fit(X, y)
    mean = model.feature_mean_.copy()
    assert_array_equal(model.fit([x + 5 for x in X], y + 5).feature_mean_, mean)


@pytest.mark.parametrize(
    "change",
    [
        {"hidden_layer_sizes": 5},
        {"hidden_layer_sizes": (4, 4)},
        {"reset_after": True},
        {"output_gate": True},
        {"pooling": "mean"},
        {"embedding_dim": 7},
    ],
    ids=str,
)
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_training_goes_on_only_with_the_network_that_was_fitted(method, change):
    X, y = token_sequences()
    model = small(GRUClassifier, warm_start=True, embedding_dim=3).fit(X, y)
    before, p = copies(model), model.predict_proba(X)
    with pytest.raises(ValueError, match="only with the network that was fitted: expected"):
        getattr(model.set_params(**change), method)(X, y)
    for name, array in before.items():
        assert_array_equal(model.parameters_[name], array)
    assert_array_equal(model.predict_proba(X), p)


def test_warm_start_from_numbers_to_tokens():
    X, y = token_sequences()
    model = small(GRUClassifier, warm_start=True).fit(X, y)
    with pytest.raises(ValueError, match=r"embedding_dim|network that was fitted"):
        model.set_params(embedding_dim=3).fit(X, y)


def test_warm_start_with_another_loss():
    X, y = ragged()
    model = small(GRURegressor, warm_start=True).fit(X, y)
    with pytest.raises(ValueError, match=r"loss|network that was fitted"):
        model.set_params(loss="poisson").fit(X, y)


def test_warm_start_with_other_classes():
    X, y = ragged()
    model = small(GRUClassifier, warm_start=True).fit(X, y)
    with pytest.raises(ValueError, match=r"classes not in `self.classes_`"):
        model.fit(X, y + 1)


# Failures


class InterruptsReading(list):
    def __iter__(self):
        raise KeyboardInterrupt


def test_an_interrupt_while_reading_changes_nothing():
    X, y = ragged()
    model = small(GRUClassifier)
    with pytest.raises(KeyboardInterrupt):
        model.fit(InterruptsReading(X), y)
    assert not hasattr(model, "n_features_in_")
    state = state_of(model.fit(X, y))
    with pytest.raises(KeyboardInterrupt):
        model.fit(InterruptsReading(X), y)
    assert_unchanged(model, state)


BAD_FITS = [
    {"X": [[np.inf]] * 24},
    {"X": [[1.0, np.inf, 1.0]] * 24},
    {"X": [["a"]] * 24},
    {"X": []},
    {"X": np.zeros((24, 5, 2, 2))},
    {"y": None},
    {"y": [0, 1]},
    {"y": [np.nan] * 24},
    {"y": np.zeros((24, 2, 2))},
    {"sample_weight": [1.0, 2.0]},
    {"sample_weight": [-1.0] * 24},
    {"sample_weight": [0.0] * 24},
    {"sample_weight": [np.nan] * 24},
]


@pytest.mark.parametrize("bad", [*BAD_FITS, {"X_val": [[1.0]]}], ids=str)
@pytest.mark.parametrize("estimator_class", ESTIMATORS)
def test_a_failed_fit_leaves_the_model_as_it_was(estimator_class, bad):
    X, y = rectangle()
    model = small(estimator_class).fit(X, y)
    state, before = state_of(model), output(model, X)
    with pytest.raises((ValueError, TypeError)):
        model.fit(**{"X": X, "y": y} | bad)
    assert_unchanged(model, state)
    assert_array_equal(output(model, X), before)
    unfitted = small(estimator_class)
    with pytest.raises((ValueError, TypeError)):
        unfitted.fit(**{"X": X, "y": y} | bad)
    assert_unchanged(unfitted, vars(small(estimator_class)))


@pytest.mark.parametrize("bad", BAD_FITS, ids=str)
@pytest.mark.parametrize("estimator_class", ESTIMATORS)
def test_a_failed_partial_fit_leaves_the_model_as_it_was(estimator_class, bad):
    X, y = rectangle()
    classes = {"classes": [0, 1]} if estimator_class is GRUClassifier else {}
    model = small(estimator_class).partial_fit(X, y, **classes)
    state = state_of(model)
    with pytest.raises((ValueError, TypeError)):
        model.partial_fit(**{"X": X, "y": y} | bad)
    assert_unchanged(model, state)
    unfitted = small(estimator_class)
    with pytest.raises((ValueError, TypeError)):
        unfitted.partial_fit(**{"X": X, "y": y} | bad, **classes)
    assert_unchanged(unfitted, vars(small(estimator_class)))


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_an_error_in_the_middle_of_the_training_leaves_the_model_as_it_was(monkeypatch, method):
    X, y = rectangle(n=30)
    model = small(GRURegressor, warm_start=True, batch_size=10).partial_fit(X, y)
    state = state_of(model)
    at_update = {"fit": 5, "partial_fit": 2}[method]
    monkeypatch.setattr(Adam, "step", RaiseAt(Adam.step, at_update, MemoryError))
    with pytest.raises(MemoryError):
        getattr(model, method)(X, y)
    assert_unchanged(model, state)


@pytest.mark.parametrize(
    "parameters",
    [
        {"hidden_layer_sizes": ()},
        {"hidden_layer_sizes": (4, 0)},
        {"hidden_layer_sizes": [2.5]},
        {"features_per_step": 3},
        {"early_stopping": True, "validation_fraction": 0.01},
    ],
    ids=str,
)
def test_parameters_that_fit_refuses_leave_the_model_as_it_was(parameters):
    X, y = rectangle()
    model = small(GRURegressor).fit(X[:, :, 0], y)
    model.set_params(**parameters)
    state = state_of(model)
    with pytest.raises(ValueError, match=r"hidden_layer_sizes|features_per_step|too small"):
        model.fit(X[:, :, 0], y)
    assert_unchanged(model, state)


def test_class_weights_that_leave_no_sample():
    X, y = ragged()
    with pytest.raises(ValueError, match="class_weight leaves no sample"):
        small(GRUClassifier, class_weight={0: 0, 1: 0}).fit(X, y)
