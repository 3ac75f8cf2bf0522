"""The gates of each layer and direction, and what decays, against the equations."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from skgru import GRUClassifier, GRURegressor
from skgru._engine import gates as engine
from skgru._engine.gates import gates_along
from skgru._engine.model import parse_inputs
from tests import naive
from tests.inspection.samples import regressor, sequences

NAMES = {"gru": ["update", "reset"], "lstm": ["output", "input", "forget"], "rnn": []}


def found(estimator, X, layer=0, direction="forward"):
    """Return the gates of each sample."""
    model = estimator._fitted_model()
    ((name, parsed),) = parse_inputs(model.inputs, estimator._open(X)).items()
    return gates_along(model, parsed.sequences, name, layer, direction)


def naive_gates(kind, p, x, *, gaps=None, **form):
    """Return the gates by their names, (T, H), of a layer that reads x (T, D) from its start."""
    n_units = len(p["recurrent_weights"])
    start = np.zeros(n_units * naive.cell(kind).n_states_per_unit)
    _, states = naive.hidden_layer(kind, p, x, start, gaps=gaps, **form)
    h = np.vstack([start, states])[:, :n_units]
    before, n_gates = h[:-1], p["bias"].size // n_units
    if gaps is not None:
        before = before * naive.what_is_left(gaps, p["decay_weights"], p["decay_bias"])
    packed = (p[name] for name in ("input_weights", "recurrent_weights", "bias"))
    each = zip(*(naive.gates(array, n_gates) for array in packed), strict=True)
    arguments = [x @ W + before @ U + b for W, U, b in each]
    gates = dict(zip(NAMES[kind], map(naive.sigmoid, arguments), strict=False))
    if "output_bias" in p:
        a = x @ p["output_input_weights"] + h[1:] @ p["output_state_weights"] + p["output_bias"]
        gates["output"] = naive.sigmoid(a)
    return gates


def scaled(estimator, x):
    return (x - estimator.feature_mean_) / estimator.feature_scale_


def assert_same_gates(gates, expected, rtol=1e-9):
    assert list(gates) == list(expected)
    for name, gate in gates.items():
        assert_allclose(gate, expected[name], rtol=rtol, err_msg=name)


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"reset_after": True, "bidirectional": True, "pooling": "mean"},
        {"cell": "lstm", "bidirectional": True},
        {"cell": ("lstm", "gru"), "output_gate": True},
        {"cell": "rnn", "output_gate": True},
    ],
    ids=str,
)
def test_gates_are_those_of_the_equations(form):
    X = sequences(8)
    reg = regressor(X, **{"hidden_layer_sizes": (4, 3), **form})
    p, cell = reg.parameters_, form.get("cell", "gru")
    cells = (cell, cell) if isinstance(cell, str) else cell
    options = {
        "reset_after": form.get("reset_after", False),
        "output_gate": form.get("output_gate", False),
    }
    both = form.get("bidirectional", False)
    for i, kind in enumerate(cells):
        own = naive.part_of(p, f"hidden_{i}")
        below = {"cells": cells[:i], "bidirectional": both, **options}
        reads = [naive.stack(p, scaled(reg, x), **below)[0] if i else scaled(reg, x) for x in X]
        for x, result in zip(reads, found(reg, X, i), strict=True):
            assert_same_gates(result.gates, naive_gates(kind, own, x, **options))
            assert result.decays == {}
        if both:
            own = naive.part_of(own, "reverse", "_")
            for x, result in zip(reads, found(reg, X, i, "reverse"), strict=True):
                expected = naive_gates(kind, own, x[::-1], **options)
                assert_same_gates(result.gates, {k: g[::-1] for k, g in expected.items()})


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("clock", [False, True])
def test_decays_are_those_of_the_equations(bidirectional, clock):
    X = sequences(12, holes=True, clock=clock)
    reg = regressor(
        X,
        hidden_layer_sizes=(4, 3),
        bidirectional=bidirectional,
        time_feature=0 if clock else None,
        max_iter=5,
    )
    rng = np.random.RandomState(0)
    for array in reg.parameters_.values():
        array[...] = rng.normal(size=array.shape)
    for i, direction in enumerate(["forward", "reverse"][: 1 + bidirectional]):
        result, top = found(reg, X, 0, direction), found(reg, X, 1, direction)
        for x, one, above in zip(X, result, top, strict=True):
            stamps = x[:, 0] if clock else np.arange(len(x))
            seen = naive.seen_by_each(x, stamps, bidirectional=bidirectional)
            mask, _, gaps = seen[i]
            if clock:
                mask[:, 0] = 1
            gaps = gaps / reg.gap_scale_
            of_inputs = [
                naive.gates(reg.parameters_[f"inputs.decay_{k}"], 1 + bidirectional)[i]
                for k in ("weights", "bias")
            ]
            share = np.where(mask == 1, 1, naive.what_is_left(gaps, *of_inputs))
            assert_allclose(one.decays["input"], share, rtol=1e-9)
            for layer, decays in enumerate([one.decays, above.decays]):
                own = naive.part_of(reg.parameters_, f"hidden_{layer}")
                own = naive.part_of(own, "reverse", "_") if direction == "reverse" else own
                left = naive.what_is_left(gaps, own["decay_weights"], own["decay_bias"])
                assert_allclose(decays["state"], left, rtol=1e-9)
            assert list(above.decays) == ["state"]
    assert len(np.unique(np.concatenate([r.decays["input"].ravel() for r in result]))) > 3
    if not (clock or bidirectional):  # the state that a gate reads has decayed
        p = reg.parameters_
        read, gaps = naive.observed_inputs(
            p,
            [
                (m, v, d / reg.gap_scale_)
                for m, v, d in [naive.seen(scaled(reg, X[4]), np.arange(5))]
            ],
        )
        expected = naive_gates("gru", naive.part_of(p, "hidden_0"), read, gaps=gaps)
        assert_same_gates(result[4].gates, expected)


def test_the_steps_of_a_patch_have_its_gates():
    X = sequences(10, holes=True)
    reg = regressor(X, patch_size=2)
    patched = found(reg, X)
    p = naive.part_of(reg.parameters_, "hidden_0")
    for x, result in zip(X, patched, strict=True):
        # Patches are counted from the end; in front of the first one nothing was seen.
        n = len(x)
        mask, values, gaps = naive.seen(scaled(reg, x), np.arange(n))
        padding = np.zeros((n % 2, 2))
        seen = [np.vstack([padding, a]) for a in (mask, values, gaps / reg.gap_scale_)]
        read, delta = naive.observed_inputs(reg.parameters_, [tuple(seen)], patch_size=2)
        expected = naive_gates("gru", p, read, gaps=delta)
        of_steps = {name: np.repeat(gate, 2, axis=0)[n % 2 :] for name, gate in expected.items()}
        assert_same_gates(result.gates, of_steps)
        left = naive.what_is_left(delta, p["decay_weights"], p["decay_bias"])
        assert_allclose(result.decays["state"], np.repeat(left, 2, axis=0)[n % 2 :], rtol=1e-9)
        weights, bias = (reg.parameters_[f"inputs.decay_{k}"] for k in ("weights", "bias"))
        left = naive.what_is_left(delta, weights, bias).reshape(-1, 2)[n % 2 :]
        assert_allclose(result.decays["input"], np.where(mask == 1, 1, left), rtol=1e-9)


def test_pieces_and_neighbours_change_nothing(monkeypatch):
    X = sequences(12, holes=True)
    X.append(np.random.RandomState(3).normal(size=(23, 2)))
    reg = regressor(X, hidden_layer_sizes=(4, 3), cell=("gru", "lstm"))
    wholes = [found(reg, X, layer) for layer in (0, 1)]
    asked = []
    monkeypatch.setattr(engine, "steps_of_a_piece", lambda *sizes: asked.append(sizes) or 3)
    for layer, whole in enumerate(wholes):
        pieces = found(reg, X, layer)
        for i, (a, b) in enumerate(zip(whole, pieces, strict=True)):
            alone = found(reg, X[i : i + 1], layer)[0] if len(X[i]) > 3 else a
            for kind in ("gates", "decays"):
                for name, array in getattr(a, kind).items():
                    assert len(array) == len(X[i])
                    assert_allclose(getattr(b, kind)[name], array, rtol=1e-9)
                    assert_allclose(getattr(alone, kind)[name], array, rtol=1e-9)
    assert asked


def test_padding_has_no_gates():
    X = sequences(8)
    reg = regressor(X)
    padded = np.full((8, 7, 2), np.nan)
    for i, x in enumerate(X):
        padded[i, : len(x)] = x
    for a, b in zip(found(reg, X), found(reg, padded), strict=True):
        assert_allclose(b.gates["update"], a.gates["update"], rtol=1e-12)


def test_tokens_are_embedded_and_their_padding_has_no_gates():
    ids = np.array([[3, 1, 2, 0], [1, 1, 0, 0], [2, 3, 3, 1]])
    settings = {"embedding_dim": 3, "max_iter": 3, "dtype": "float64", "random_state": 0}
    clf = GRUClassifier(4, bidirectional=False, **settings).fit(ids, [0, 1, 0])
    p = clf.parameters_
    for n, row, result in zip([3, 2, 4], ids, found(clf, ids), strict=True):
        vectors = p["embedding.weights"][np.searchsorted(clf.token_ids_, row[:n])]
        assert_same_gates(result.gates, naive_gates("gru", naive.part_of(p, "hidden_0"), vectors))


def test_networks_with_targets_at_every_step_have_gates():
    X = sequences(8)
    reg = GRURegressor(4, pooling=None, max_iter=3, dtype="float64", random_state=0)
    reg.fit(X, [x[:, 0] for x in X])
    p = naive.part_of(reg.parameters_, "hidden_0")
    for x, result in zip(X, found(reg, X), strict=True):
        assert_same_gates(result.gates, naive_gates("gru", p, scaled(reg, x)))
