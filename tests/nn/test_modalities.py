"""Networks of branches of all kinds: tokens, series with gaps, rows of tables, sparse rows."""

from typing import NamedTuple

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse

from skgru._data.sequences import Sequences, offsets_of
from skgru._data.steps import RowSteps, SequencePieces, Steps, make_batch
from skgru._nn.batch import Arena, Piece
from skgru._nn.dropout import DropoutRates, FusionRates
from skgru._nn.network import Network
from skgru._nn.parameters import Parameters, size_of
from skgru._nn.pieces import OnePiece, backward, forward, fusion_inputs, loss_and_gradient
from skgru._nn.rows import Rows
from skgru._spec import BranchSpec, FeedForwardSpec, FusionSpec, InputSpec, NetworkSpec
from tests import naive
from tests.passes import branch_spec, dropout_of

D, K, V = 2, 2, 6
CATEGORIES = ((3, None), (4, 2))
# Of the samples 1 to 4 each lacks one branch, the sample 5 has none, the sample 7 has only a row
LENGTHS = {
    "note": [3, 0, 5, 2, 1, 0, 4, 0],
    "vitals": [2, 4, 0, 3, 5, 0, 1, 0],
    "table": [1, 1, 1, 0, 1, 0, 1, 1],
    "words": [1, 1, 1, 1, 0, 0, 1, 0],
}
N = len(LENGTHS["note"])
SERIES = {
    "note": {
        "n_inputs": 2,
        "sizes": (2,),
        "cells": ("gru",),
        "n_tokens": V,
        "bidirectional": True,
        "pooling": ("last", "mean"),
    },
    "vitals": {
        "n_inputs": D,
        "sizes": (2,),
        "cells": ("lstm",),
        "decay": True,
        "reads_mask": True,
        "bidirectional": True,
        "pooling": "attention",
    },
}
ALL = ("note", "vitals", "table", "words")
ROWS = ("table", "words")


class Form(NamedTuple):
    """A network: its branches, what is above them, and the forms in which they may come."""

    names: tuple = ALL
    fusion: str = "concat"
    above: tuple = ()  # hidden layers above the branches
    of_table: tuple = ()  # hidden layers of the table
    of_words: tuple = ()  # without any, the branch is wide
    knows_absence: bool = True
    steps: tuple = ()  # the branches each step of which has outputs


FORMS = {
    "concat": Form(),
    "concat, hidden": Form(above=(3, 2), of_table=(3,)),
    "concat, absence unknown": Form(above=(3,), knows_absence=False),
    "gated": Form(fusion="gated", of_table=(3, 2)),
    "gated, hidden": Form(fusion="gated", above=(3,)),
    "gated, absence unknown": Form(fusion="gated", knows_absence=False, of_words=(2,)),
    "rows": Form(ROWS, above=(3,)),
    "rows, gated": Form(ROWS, "gated", (3,), of_table=(3,), of_words=(2,)),
    "wide": Form(("words",)),
    "wide, gated, hidden": Form(("words",), "gated", (3,)),
    "table": Form(("table",), above=(3,), of_table=(3,)),
    "plain table": Form(("table",), knows_absence=False, of_table=(3,)),
    "steps": Form(steps=("vitals",)),
    "steps, gated, hidden": Form(
        ("vitals", *ROWS), "gated", (3,), of_table=(3,), steps=("vitals",)
    ),
    "steps, first and absence unknown": Form(
        ("words", "note", "vitals"), "gated", knows_absence=False, steps=("vitals",)
    ),
    "steps of two": Form(above=(3,), steps=("note", "vitals")),
    "steps of two, gated, hidden": Form(
        ("vitals", "table", "note", "words"), "gated", (3,), of_table=(3,), steps=("vitals", "note")
    ),
    "steps of two alone": Form(("note", "vitals"), knows_absence=False, steps=("note", "vitals")),
}
EACH = pytest.mark.parametrize("form", FORMS.values(), ids=list(FORMS))
WITH_ABSENCE = pytest.mark.parametrize(
    "form",
    [form for form in FORMS.values() if form.knows_absence],
    ids=[name for name, form in FORMS.items() if form.knows_absence],
)
WITH_VITALS = {name: form for name, form in FORMS.items() if "vitals" in form.names}
CUT = pytest.mark.parametrize("form", WITH_VITALS.values(), ids=list(WITH_VITALS))
SOME = DropoutRates(inputs=0.3, states=0.4, tokens=0.3)
SOME_ABOVE = FusionRates(hidden=0.3, branches=0.4)


def lengths_of(form):
    """Return the steps of each sample in each branch: where steps have outputs, as many in all."""
    return LENGTHS | {name: LENGTHS["vitals"] for name in form.steps}


class Problem(NamedTuple):
    """A network, random parameters, and of each sample what each branch is given."""

    form: Form
    series: dict  # the forms of the branches of sequences
    network: Network
    p: Parameters
    samples: list  # of dicts by branch


def build(form, series):
    """Return the network of a form."""
    specs = {
        "table": BranchSpec(
            InputSpec(2, categories=CATEGORIES), FeedForwardSpec(hidden_layer_sizes=form.of_table)
        ),
        "words": BranchSpec(
            InputSpec(4, is_sparse=True), FeedForwardSpec(hidden_layer_sizes=form.of_words)
        ),
    }
    specs |= {name: branch_spec(**of_branch) for name, of_branch in series.items()}
    branches = tuple((name, specs[name]) for name in form.names)
    return Network(
        NetworkSpec(branches, K, FusionSpec(form.fusion, form.above, form.knows_absence))
    )


def make_problem(form, seed=0, **of_vitals):
    """Return the problem of a form; `of_vitals` changes the series.

    The notes whose steps have outputs are read in one direction, by the cells of the series.
    """
    series = SERIES | {"vitals": SERIES["vitals"] | of_vitals}
    if "note" in form.steps:
        series["note"] = SERIES["note"] | of_vitals | {"bidirectional": False}
    for name in form.steps:
        series[name] = series[name] | {"pooling": None}
    rng = np.random.RandomState(seed)
    network = build(form, series)
    p = Parameters(network.shapes, rng.normal(0, 0.7, size_of(network.shapes)))
    samples = [
        {
            "note": rng.randint(V, size=note),
            "vitals": seen(rng, vitals, series["vitals"]["bidirectional"]),
            "table": (rng.normal(size=2), rng.randint(4, size=2)) if table else None,
            "words": rng.normal(size=4) * (rng.uniform(size=4) < 0.6) if words else None,
        }
        for note, vitals, table, words in zip(*lengths_of(form).values(), strict=True)
    ]
    gaps = [naive.all_gaps(sample["vitals"]) for sample in samples]
    naive.leave_the_kink(naive.part_of(p, "vitals"), np.vstack(gaps), rng)
    return Problem(form, series, network, p, samples)


def seen(rng, n_steps, bidirectional):
    """Return mask, values and gaps of each direction of a random series with holes."""
    x = rng.normal(size=(n_steps, D))
    x[rng.uniform(size=x.shape) < 0.4] = np.nan
    times = np.cumsum(rng.uniform(0.2, 2, n_steps))
    return naive.seen_by_each(x, times, bidirectional=bidirectional)


def as_steps(problem, name):
    """Return what a branch is given of all samples."""
    given = [sample[name] for sample in problem.samples]
    offsets = offsets_of(lengths_of(problem.form)[name])
    if name == "note":
        return Steps(Sequences(np.concatenate(given), offsets))
    if name == "vitals":
        return Steps(
            Sequences(np.vstack([naive.columns(of_sample) for of_sample in given]), offsets)
        )
    rows = [of_sample for of_sample in given if of_sample is not None]
    if name == "words":
        matrix = sparse.csr_matrix(np.array(rows))
        return RowSteps(offsets, lambda indices: matrix[indices])
    numbers, codes = map(np.array, zip(*rows, strict=True))
    return RowSteps(offsets, lambda indices: Rows(numbers[indices], codes[indices]))


def pieces_of(problem, indices=None, n_steps=None):
    """Return the pieces of each branch; those of "vitals", and beside it, have `n_steps`."""
    indices = np.arange(N) if indices is None else np.array(indices)
    pieces, cut = {}, {"vitals", *problem.form.steps}
    for name in problem.form.names:
        steps = as_steps(problem, name)
        if name in ROWS:
            pieces[name] = steps.pieces(indices, n_steps, Arena())
        elif name in cut and n_steps:
            pieces[name] = SequencePieces(steps, indices, n_steps, Arena())
        else:
            x, batch, _, rows = make_batch(steps, indices, Arena())
            lengths = steps.lengths[indices]
            order = np.argsort(-lengths, kind="stable")
            pieces[name] = OnePiece(x, Piece(batch, order, True, rows), lengths)
    return pieces


def n_rows(form):
    """Return how many rows the raw outputs have."""
    return sum(LENGTHS["vitals"]) if form.steps else N


def projection(form):
    return np.random.RandomState(1).normal(size=(n_rows(form), K))


def run(problem, pieces, d_raw, dropout=None):
    """Return the loss that is the raw outputs' projection on d_raw, its gradient, and these."""
    raw = np.full((len(d_raw), K), np.nan)

    def loss_of(raw_of_piece, piece):
        rows = slice(None) if piece is None else piece.rows
        raw[rows] = raw_of_piece
        return float(np.sum(d_raw[rows] * raw_of_piece)), d_raw[rows]

    network = problem.network
    g = Parameters(network.shapes, np.full(size_of(network.shapes), np.nan))
    return loss_and_gradient(network, problem.p, pieces, loss_of, g, dropout), g, raw


def present_of(problem, i):
    return [name for name in problem.form.names if lengths_of(problem.form)[name][i]]


def naive_outputs(problem, i):
    """Return the outputs of each branch of a sample; of steps, those of all of them."""
    outputs = {}
    for name in problem.form.names:
        own, given = naive.part_of(problem.p, name), problem.samples[i][name]
        if len(problem.form.names) == 1 and not problem.form.knows_absence:
            own = problem.p  # the parts of an only branch have no prefix
        if given is None:
            outputs[name] = np.zeros(problem.network.branches[name].n_outputs)
        elif name in ROWS:
            x = naive.row(own, *given, CATEGORIES) if name == "table" else given
            outputs[name] = naive.outputs_of_row(own, x)
        else:
            outputs[name] = naive_outputs_of_series(own, given, problem.series[name])
    return outputs


def naive_outputs_of_series(p, given, form):
    of_stack = {"cells": form["cells"], "bidirectional": form["bidirectional"]}
    if "n_tokens" in form:
        steps, gaps = naive.inputs(p, given).reshape(len(given), form["n_inputs"]), None
    else:
        steps, gaps = naive.observed_inputs(p, given)
    y, _ = naive.stack(p, steps, gaps=gaps, **of_stack)
    return naive.read_by_head(
        p, y, pooling=form["pooling"], bidirectional=of_stack["bidirectional"]
    )


def naive_rows(problem, function):
    """Return what a function of parameters, outputs and names gives for each sample or step."""
    rows = []
    for i in range(N):
        outputs, present = naive_outputs(problem, i), present_of(problem, i)
        of_rows = [outputs]
        if problem.form.steps:
            of_steps = zip(*(outputs[name] for name in problem.form.steps), strict=True)
            of_rows = [outputs | dict(zip(problem.form.steps, y, strict=True)) for y in of_steps]
        rows += [function(problem.p, of_row, present) for of_row in of_rows]
    return np.array(rows)


def joined(p, outputs, present):
    """Return the outputs of a sample's branches side by side, and the weights of these."""
    outputs = naive.filled(p, outputs, present)
    columns = list(outputs.values())
    if "fusion.gate.weights" in p:
        columns.append(list(naive.weights_of_branches(p, outputs, present).values()))
    return np.concatenate(columns)


def rows_without_cache(problem, pieces, of_inputs):
    """Return what a function of `FusionInputs` gives in a pass without cache, row by row."""
    results = {}
    for piece, inputs in fusion_inputs(problem.network, problem.p, pieces):
        found = of_inputs(inputs)
        rows = range(N) if piece is None else piece.rows
        results |= dict(zip(rows, found, strict=True))
    return np.array([results[i] for i in range(n_rows(problem.form))])


# Outputs


@EACH
def test_outputs_are_those_of_the_naive_equations(form):
    problem = make_problem(form)
    expected = naive_rows(problem, naive.fusion)
    pieces = pieces_of(problem)
    _, _, raw = run(problem, pieces, projection(form))
    assert_allclose(raw, expected, rtol=0, atol=1e-10)
    without = rows_without_cache(
        problem, pieces, lambda x: problem.network.fusion.forward(problem.p, x)[0]
    )
    assert_allclose(without, expected, rtol=0, atol=1e-10)
    passed = forward(problem.network, problem.p, pieces, need_cache=False)
    rows = slice(None) if passed.piece is None else passed.piece.rows
    assert_allclose(passed.raw, expected[rows], rtol=0, atol=1e-10)


@CUT
def test_outputs_of_pieces_are_those_of_the_naive_equations(form):
    problem = make_problem(form, bidirectional=False)
    expected = naive_rows(problem, naive.fusion)
    for n_steps in (1, 2, 7):
        pieces = pieces_of(problem, n_steps=n_steps)
        _, _, raw = run(problem, pieces, projection(form))
        assert_allclose(raw, expected, rtol=0, atol=1e-10)
        without = rows_without_cache(
            problem, pieces, lambda x: problem.network.fusion.forward(problem.p, x)[0]
        )
        assert_allclose(without, expected, rtol=0, atol=1e-10)


@EACH
def test_joined_are_the_outputs_that_the_head_reads_before_they_are_weighed(form):
    problem = make_problem(form)
    network, p, pieces = problem.network, problem.p, pieces_of(problem)
    found = rows_without_cache(problem, pieces, lambda x: network.fusion.join(p, x))
    assert found.shape == (n_rows(form), network.fusion.n_joined)
    assert_allclose(found, naive_rows(problem, joined), rtol=0, atol=1e-10)
    passed = forward(network, p, pieces)
    read = np.hstack(passed.fusion.outputs)
    if form.fusion == "gated":
        read = np.hstack([read, passed.fusion.gate.weights])
    rows = slice(None) if passed.piece is None else passed.piece.rows
    assert_allclose(found[rows], read, rtol=0, atol=1e-14)


@pytest.mark.parametrize("n_steps", [None, 2])
@EACH
def test_samples_give_the_same_alone_in_a_batch_and_in_another_order(form, n_steps):
    problem = make_problem(form, bidirectional=n_steps is None)
    d_raw = projection(form)
    _, g, raw = run(problem, pieces_of(problem, n_steps=n_steps), d_raw)

    def of(indices):
        pieces = pieces_of(problem, indices, n_steps)
        if form.steps:
            own = np.concatenate([np.arange(N)[:0], *(steps_of_sample(i) for i in indices)])
            d = np.zeros_like(d_raw)
            d[own] = d_raw[own]
            _, g, found = run(problem, pieces, d)
            return found[own], raw[own], g.vector
        _, g, found = run(problem, pieces, d_raw[indices])
        return found, raw[indices], g.vector

    total = np.zeros_like(g.vector)
    for i in range(N):
        found, expected, g_alone = of([i])
        assert_allclose(found, expected, rtol=0, atol=1e-12)
        total += g_alone
    assert_allclose(total, g.vector, rtol=1e-11, atol=1e-11)
    found, expected, g_other = of([5, 0, 6, 3, 7, 2, 4, 1])
    assert_allclose(found, expected, rtol=0, atol=1e-12)
    assert_allclose(g_other, g.vector, rtol=1e-11, atol=1e-11)


def steps_of_sample(i):
    """Return where the steps of a sample's "vitals" lie among all of them."""
    start = sum(LENGTHS["vitals"][:i])
    return np.arange(start, start + LENGTHS["vitals"][i])


def test_a_sample_without_any_branch_has_finite_outputs_and_only_learned_numbers():
    problem = make_problem(FORMS["gated, hidden"])
    pieces = pieces_of(problem, [5])
    d_raw = np.array([[1.0, -2.0]])
    _, g, raw = run(problem, pieces, d_raw)
    assert np.isfinite(raw).all()
    assert np.isfinite(g.vector).all()
    used = {name.rpartition(".")[0] for name, array in g.items() if array.any()}
    assert used == {"head", "fusion.hidden_0", *(f"{name}.absence" for name in ALL)}


# Gradients


def check_all(problem, pieces, check_along_directions, dropout=None):
    """Check the derivatives in directions to which all numbers contribute; return the gradient."""
    p, d_raw = problem.p, projection(problem.form)
    _, g, _ = run(problem, pieces, d_raw, dropout)
    check_along_directions(
        lambda: run(problem, pieces, d_raw, dropout)[0], p.vector, g.vector, "parameters"
    )
    return g


def without_say(g):
    return {name for name, array in g.items() if array.size and not array.any()}


def expected_without_say(form):
    """Return the parameters that can make no difference without dropout."""
    names = set()
    if len(form.names) == 1 and form.fusion == "gated":
        names |= {"fusion.gate.weights", "fusion.gate.bias"}  # the weight is 1, whatever they are
    if form.knows_absence:  # where there is no step, there is no output either
        names |= {f"{name}.absence.outputs" for name in form.steps}
    return names


@EACH
def test_gradients_equal_central_differences(check_along_directions, form):
    problem = make_problem(form)
    g = check_all(problem, pieces_of(problem), check_along_directions)
    assert without_say(g) == expected_without_say(form)


@pytest.mark.parametrize("name", ["concat, hidden", "steps, gated, hidden"])
def test_gradients_of_biases_absence_vectors_and_rows_equal_central_differences(
    check_gradient, name
):
    problem = make_problem(FORMS[name])
    network, p, pieces = problem.network, problem.p, pieces_of(problem)
    passed = forward(network, p, pieces)
    d_raw = projection(problem.form)
    g = Parameters(network.shapes, np.full(size_of(network.shapes), np.nan))
    dx = backward(network, p, d_raw, passed, g, need_dx=True)

    def loss():
        return np.sum(d_raw * forward(network, p, pieces).raw)

    for array in p:
        if array.endswith(("bias", "absence.outputs")) or "embedding" in array:
            check_gradient(loss, p[array], g[array], array)
    (numbers, _), _ = pieces["table"][0]
    check_gradient(loss, numbers, dx["table"][:, :2], "numbers of the table")


def forget(problem):
    """Have no state of the branches that are cut tell of steps before."""
    for name in {"vitals", *problem.form.steps} & {*problem.form.names}:
        problem.p[f"{name}.hidden_0.recurrent_weights"][...] = 0


@CUT
def test_gradients_of_pieces_equal_central_differences(check_along_directions, form):
    """No state of what is cut tells of steps before, so that a cut leaves nothing out."""
    problem = make_problem(form, cells=("rnn",), bidirectional=False)
    forget(problem)
    g = check_all(problem, pieces_of(problem, n_steps=2), check_along_directions)
    # There is no state that could decay.
    of_decay = {"vitals.hidden_0.decay_weights", "vitals.hidden_0.decay_bias"}
    assert without_say(g) == of_decay | expected_without_say(form)


@pytest.mark.parametrize("n_steps", [None, 2])
@WITH_ABSENCE
def test_gradients_with_dropout_equal_central_differences(check_along_directions, form, n_steps):
    own = {} if n_steps is None else {"cells": ("rnn",), "bidirectional": False}
    problem = make_problem(form, **own)
    if n_steps:
        forget(problem)
    pieces = pieces_of(problem, n_steps=n_steps)
    dropout = dropout_of(problem.network, SOME, (3,), N, SOME_ABOVE)
    check_all(problem, pieces, check_along_directions, dropout)


@pytest.mark.parametrize("n_steps", [None, 2])
@pytest.mark.parametrize("name", ["steps, gated, hidden", "steps of two, gated, hidden"])
def test_a_pass_with_dropout_can_be_had_again(name, n_steps):
    problem = make_problem(FORMS[name], bidirectional=False)
    pieces, d_raw = pieces_of(problem, n_steps=n_steps), projection(problem.form)
    results = [
        run(problem, pieces, d_raw, dropout_of(problem.network, SOME, (seed,), N, SOME_ABOVE))
        for seed in (3, 3, 4)
    ]
    assert results[0][0] == results[1][0] != results[2][0]
    assert_array_equal(results[0][1].vector, results[1][1].vector)


def test_dropout_leaves_out_inputs_of_a_wide_branch_but_none_of_its_raw_outputs():
    problem = make_problem(FORMS["wide"])
    p, pieces = problem.p, pieces_of(problem)
    dropout = dropout_of(problem.network, SOME, (3,), N)
    has_words = np.array(LENGTHS["words"]) > 0
    raw = forward(problem.network, p, pieces, dropout).raw
    assert (raw != forward(problem.network, p, pieces).raw)[has_words].any()
    p["words.wide.weights"][...] = 0
    expected = np.tile(p["head.bias"] + p["words.wide.bias"], (has_words.sum(), 1))
    raw = forward(problem.network, p, pieces, dropout).raw
    assert_array_equal(raw[has_words], expected)


def test_a_branch_that_dropout_leaves_out_is_one_that_the_sample_does_not_have():
    problem = make_problem(FORMS["gated, hidden"])
    dropout = dropout_of(problem.network, DropoutRates(), (3,), N, FusionRates(branches=0.5))
    present = np.array([LENGTHS[name] for name in ALL]).T > 0
    stay = dropout.of_fusion().of_branches(present)
    raw = forward(problem.network, problem.p, pieces_of(problem), dropout).raw
    for i in range(N):
        outputs = naive_outputs(problem, i)
        names = [name for name, stays in zip(ALL, stay[i], strict=True) if stays]
        assert_allclose(raw[i], naive.fusion(problem.p, outputs, names), rtol=0, atol=1e-10)
    assert (stay != present).any()


# The network's parts


def test_numbers_above_the_branches_have_their_place_in_theta():
    network = build(FORMS["gated, hidden"], SERIES)
    names = list(network.shapes)
    width = sum(branch.n_outputs for branch in network.branches.values())
    assert network.shapes["fusion.gate.weights"] == (width, 4)
    assert network.shapes["fusion.hidden_0.weights"] == (width - K, 3)  # without the wide branch
    assert network.shapes["head.weights"] == (width - K + 3, K)
    assert network.shapes["words.wide.weights"] == (4, K)
    assert names[-2:] == ["note.embedding.weights", "table.embedding.weights_1"]
    weights = [name for name in names if len(network.shapes[name]) == 2][:-2]
    assert names[: len(weights)] == weights
    assert network.n_penalized == sum(np.prod(network.shapes[name]) for name in weights)


@EACH
def test_start_values_are_drawn_for_each_part_whatever_the_type(form):
    network = build(form, make_problem(form).series)
    single, double = (
        network.initialize(np.random.RandomState(0), dtype) for dtype in (np.float32, np.float64)
    )
    assert np.isfinite(double).all()
    assert_array_equal(single, double.astype(np.float32))


@EACH
def test_a_pass_in_single_precision_stays_in_it(form):
    problem = make_problem(form)
    pieces = {}
    for name, own in pieces_of(problem).items():
        x, piece = own[0]
        if name == "table":
            x = Rows(x.numbers.astype(np.float32), x.codes)
        elif name != "note":
            x = x.astype(np.float32)
        pieces[name] = OnePiece(x, piece, own.lengths)
    p = Parameters(problem.network.shapes, problem.p.vector.astype(np.float32))
    for dropout in (None, dropout_of(problem.network, SOME, (3,), N, SOME_ABOVE)):
        passed = forward(problem.network, p, pieces, dropout)
        assert passed.raw.dtype == np.float32
        g = Parameters(p.shapes, np.zeros_like(p.vector))
        d_outputs = problem.network.fusion.backward(p, passed.raw, passed.fusion, g)
        assert {d.dtype for d in d_outputs} == {np.dtype(np.float32)}


# Silent branches


@pytest.mark.parametrize("n_steps", [None, 2])
@pytest.mark.parametrize("silent", ["note", "vitals", "table", "words"])
@pytest.mark.parametrize("name", ["concat, hidden", "gated, hidden"])
def test_a_silent_branch_is_read_as_zeros_and_has_no_gradient(
    check_gradient, name, silent, n_steps
):
    problem = make_problem(FORMS[name])
    network, p = problem.network, problem.p
    pieces = pieces_of(problem, n_steps=n_steps)
    passed = forward(network, p, pieces, silent={silent})
    if silent != "words":
        columns = network.fusion.columns[silent]
        is_present = np.array(LENGTHS[silent]) > 0
        ((_, inputs),) = fusion_inputs(network, p, pieces, silent={silent})
        joined = network.fusion.join(p, inputs)[:, columns]
        assert_array_equal(joined[is_present], 0)
        assert np.any(joined[~is_present])  # the sample is without it, as ever
    ((_, inputs),) = fusion_inputs(network, p, pieces, silent={silent})
    assert_allclose(network.fusion.forward(p, inputs)[0], passed.raw, rtol=0, atol=1e-12)
    assert np.abs(passed.raw - forward(network, p, pieces).raw).max() > 1e-3

    d_raw = projection(problem.form)
    g = Parameters(network.shapes, np.full(size_of(network.shapes), np.nan))
    backward(network, p, d_raw, passed, g)
    assert_array_equal(g.vector[network.indices_of(silent)], 0)

    def loss():
        return np.sum(d_raw * forward(network, p, pieces, silent={silent}).raw)

    for array in ("head.weights", f"{silent}.absence.outputs", "fusion.hidden_0.bias"):
        check_gradient(loss, p[array], g[array], array)


@pytest.mark.parametrize("silent", ["note", "vitals", "table"])
@pytest.mark.parametrize("name", ["concat", "concat, hidden", "gated, hidden"])
def test_a_branch_that_is_silenced_is_read_no_more(name, silent):
    problem = make_problem(FORMS[name])
    network, p, pieces = problem.network, problem.p, pieces_of(problem)
    p[f"{silent}.absence.outputs"][...] = 0  # else a silent branch is still read where it is absent
    expected = forward(network, p, pieces, silent={silent}).raw
    assert np.abs(forward(network, p, pieces).raw - expected).max() > 1e-3
    network.fusion.silence(p, silent)
    assert_allclose(forward(network, p, pieces).raw, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("cut", [False, True])
def test_tables_may_be_silent_beside_steps(check_gradient, cut):
    problem = make_problem(FORMS["steps, gated, hidden"])
    network, p = problem.network, problem.p
    pieces = pieces_of(problem, n_steps=2 if cut else None)
    d_raw = projection(problem.form)

    def loss_of(raw, piece):
        d = d_raw[piece.rows]
        return float(np.sum(d * raw)), d

    def loss():
        return loss_and_gradient(network, p, pieces, loss_of, g, silent={"table"})

    g = Parameters(network.shapes, np.full(size_of(network.shapes), np.nan))
    loss()
    expected = g.vector.copy()
    assert_array_equal(expected[network.indices_of("table")], 0)
    found = network.parameters(expected)
    check_gradient(loss, p["head.weights"], found["head.weights"], "head.weights")


def test_the_indices_of_branches_are_their_parameters_and_no_others():
    network = make_problem(FORMS["concat, hidden"]).network
    places = network.parameters(np.arange(size_of(network.shapes), dtype=float))
    found = {name: network.indices_of(name) for name in network.branches}
    together = np.concatenate(list(found.values()))
    assert len(set(together)) == len(together)
    for name, indices in found.items():
        own = [a for n, a in places.items() if n.startswith(f"{name}.") and "absence" not in n]
        assert_array_equal(indices, np.sort(np.concatenate([a.ravel() for a in own])))
