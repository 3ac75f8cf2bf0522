"""A branch: its parts as its spec says, under names with its prefix, and its gradients."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from skgru._nn.batch import Batch
from skgru._nn.branch import Branch, make_input
from skgru._nn.layers import Embedding, Numbers
from skgru._nn.missing import ObservedInputs
from skgru._nn.part import OutputGradients, Run
from tests import naive
from tests.network_problems import D, V, random_vector, unwritten_vector
from tests.passes import branch_spec

LENGTHS = [3, 2, 0]
INPUTS = {
    "numbers": {},
    "patches": {"patch_size": 2},
    "tokens": {"n_tokens": V},
    "observed": {"decay": True, "reads_mask": True},
}
FORMS = pytest.mark.parametrize("form", INPUTS.values(), ids=list(INPUTS))


def shapes_of(branch):
    parts = branch.input_parts | branch.stack.layers | branch.pooling_parts
    return {f"{n}.{name}": s for n, part in parts.items() for name, s in part.shapes().items()}


def problem(prefix="", **form):
    """Return a branch, random parameters, rows of its inputs and their layout."""
    rng = np.random.RandomState(0)
    branch = Branch(branch_spec(D, (4, 3), **form), prefix)
    p = random_vector(shapes_of(branch), rng)
    n = sum(LENGTHS)
    if "n_tokens" in form:
        return branch, p, rng.randint(V, size=n), Batch(np.array(LENGTHS))
    if "decay" in form:
        sequences = [rng.normal(size=(length, D)) for length in LENGTHS]
        for x in sequences:
            x[rng.uniform(size=x.shape) < 0.5] = np.nan
        seen = [naive.seen_by_each(x, np.arange(len(x)), bidirectional=False) for x in sequences]
        gaps = naive.pack([naive.all_gaps(directions) for directions in seen])
        naive.leave_the_kink(p, gaps, rng)
        x = naive.pack([naive.columns(directions) for directions in seen])
        return branch, p, x, Batch(np.array(LENGTHS))
    x = rng.normal(size=(n, D * form.get("patch_size", 1)))
    return branch, p, x, Batch(np.array(LENGTHS))


@pytest.mark.parametrize("patch_size", [1, 2])
@pytest.mark.parametrize("bidirectional", [False, True])
def test_the_spec_chooses_the_input_part(bidirectional, patch_size):
    form = {"bidirectional": bidirectional, "patch_size": patch_size}
    numbers = make_input(branch_spec(D, (4,), **form))
    assert type(numbers) is Numbers
    assert (numbers.n_outputs, numbers.n_gaps) == (D * patch_size, None)
    tokens = make_input(branch_spec(D, (4,), n_tokens=V, freeze_embedding=True, **form))
    assert type(tokens) is Embedding
    assert tokens.shapes() == {"weights": (V, D)}
    assert tokens.n_outputs == D * patch_size
    assert not tokens.needs_dx
    for reads_mask in (False, True):
        observed = make_input(branch_spec(D, (4,), decay=True, reads_mask=reads_mask, **form))
        assert type(observed) is ObservedInputs
        assert observed.n_directions == (2 if bidirectional else 1)
        assert observed.n_outputs == D * patch_size * (2 if reads_mask else 1)
        assert observed.n_gaps == D * patch_size


@pytest.mark.parametrize("prefix", ["", "left."])
def test_parts_with_parameters_have_names_with_the_prefix(prefix):
    plain = Branch(branch_spec(D, (4, 3)), prefix)
    assert plain.input_parts == plain.pooling_parts == {}
    assert list(plain.stack.layers) == [f"{prefix}hidden_0", f"{prefix}hidden_1"]
    tokens = Branch(branch_spec(D, (4,), n_tokens=V, pooling="attention"), prefix)
    assert tokens.input_parts == {f"{prefix}embedding": tokens.input}
    assert tokens.pooling_parts == {f"{prefix}pooling": tokens.pooling}
    assert set(tokens.pooling_section(random_vector(shapes_of(tokens), np.random))) == {
        "attention_weights",
        "attention_bias",
        "attention_score",
    }
    observed = Branch(branch_spec(D, (4,), decay=True, reads_mask=True), prefix)
    assert observed.input_parts == {f"{prefix}inputs": observed.input}


def test_the_head_reads_what_the_pooling_makes_or_each_step():
    for pooling, n_outputs in [("last", 6), (("last", "mean"), 12), (None, 6)]:
        branch = Branch(branch_spec(D, (4, 3), pooling=pooling, bidirectional=True))
        assert branch.n_outputs == n_outputs
        assert (branch.pooling is None) == (pooling is None)
        assert branch.n_units_of_widest == 4


@FORMS
def test_a_pass_without_a_cache_holds_less(form):
    branch, p, x, batch = problem(**form)
    assert 0 < branch.numbers_per_step_without_cache < branch.numbers_per_step
    with_cache, _ = branch.forward(p, x, Run(batch))
    without, _ = branch.forward(p, x, Run(batch, need_cache=False))
    assert_array_equal(with_cache.outputs.y, without.outputs.y)


@FORMS
def test_gradients_under_a_prefix_equal_central_differences(check_gradient, form):
    branch, p, x, batch = problem("left.", **form)
    rng = np.random.RandomState(1)
    on_y = rng.normal(size=(batch.n_rows, branch.stack.n_outputs))
    on_last = rng.normal(size=(batch.n_sequences, branch.stack.n_outputs))

    def loss():
        outputs, _ = branch.forward(p, x, Run(batch))
        return np.sum(on_y * outputs.outputs.y) + np.sum(on_last * outputs.outputs.last)

    _, cache = branch.forward(p, x, Run(batch))
    g = unwritten_vector(p.shapes)
    dx = branch.backward(p, OutputGradients(on_y, on_last), cache, g, Run(batch))
    for name in p:
        check_gradient(loss, p[name], g[name], name)
    if "n_tokens" not in form:
        check_gradient(loss, x, dx, "x")
