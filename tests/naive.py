"""The equations once more, as plainly as they can be written, to test the fast code against.

One sequence at a time, one gate at a time, one step at a time; sums over the units are the only
products. Nothing here knows of batches, and nothing is imported from skgru. Parameters are dicts
of arrays under the documented names. Gate blocks lie in the documented order, of the GRU z, r, c::

    z_t = σ(W_z·x_t + U_z·h_{t-1} + b_z)
    r_t = σ(W_r·x_t + U_r·h_{t-1} + b_r)
    c_t = tanh(W_c·x_t + U_c·(r_t ⊙ h_{t-1}) + b_c)             reset before
    c_t = tanh(W_c·x_t + b_c + r_t ⊙ (U_c·h_{t-1} + b_u))       reset after
    h_t = (1 − z_t) ⊙ h_{t-1} + z_t ⊙ c_t

of the LSTM o, i, f, u, whose state is h and c side by side::

    o_t = σ(W_o·x_t + U_o·h_{t-1} + b_o)
    i_t = σ(W_i·x_t + U_i·h_{t-1} + b_i)
    f_t = σ(W_f·x_t + U_f·h_{t-1} + b_f)
    u_t = tanh(W_u·x_t + U_u·h_{t-1} + b_u)
    c_t = f_t ⊙ c_{t-1} + i_t ⊙ u_t
    h_t = o_t ⊙ tanh(c_t)

The simple cell has no gate::

    h_t = tanh(W·x_t + U·h_{t-1} + b)

Behind a GRU or a simple cell there may be an output gate; without one y_t = h_t::

    o_t = σ(W_o·x_t + U_o·h_t + b_o)
    y_t = o_t ⊙ tanh(h_t)

Where values are missing (Che et al. 2018, "GRU-D"), with the mask m, the value x' last seen at the
step or before, and the time δ since the last one seen before the step, x_t and the whole state of
every layer, of the LSTM h and c, decay before the step::

    x_t ← m_t ⊙ x_t + (1 − m_t) ⊙ γ_t ⊙ x'_t            γ_t = exp(−max(0, w ⊙ δ_t + b))
    h_{t-1} ← γ_t ⊙ h_{t-1}                              γ_t = exp(−max(0, W·δ_t + b))

m_t is read beside x_t. The mean, towards which x_t decays, is 0.

Of the outputs u_1, …, u_C of a sample's branches, of which an absent one has learned numbers::

    g = softmax(G·[u_1, …, u_C] + b)                     over the branches that are present
    v = [C g_1 u_1, …, C g_C u_C]                        without a gate, and of absent ones, u_j
    h = max(0, W·v + c)
    raw = V·[v, h] + d + the outputs of wide branches, which are not in v

Where the tags of a sequence make a chain, the score of a path of them, k_1, …, k_T, is::

    s = start(k_1) + Σ_t raw_t(k_t) + Σ_t transitions(k_t, k_{t+1}) + end(k_T)

and its probability e^s divided by the sum of those of all paths.
"""

from itertools import pairwise, product
from typing import NamedTuple

import numpy as np


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def gates(packed, n=3):
    """Cut the last axis into its n blocks."""
    H = packed.shape[-1] // n
    return [packed[..., i * H : (i + 1) * H] for i in range(n)]


def part_of(p, part, separator="."):
    """Return the parameters of one part, keyed by what follows the dot."""
    prefix = part + separator
    return {name[len(prefix) :]: value for name, value in p.items() if name.startswith(prefix)}


# Cells: the states after each of the steps x (T, D), from a state on, of which each step finds only
# the share `decay` (T, H)


def gru(p, x, h, *, reset_after=False, decay=None):
    """Return the states (T, H), from h (H,) on."""
    W_z, W_r, W_c = gates(p["input_weights"])
    U_z, U_r, U_c = gates(p["recurrent_weights"])
    b_z, b_r, b_c = gates(p["bias"])
    states = np.zeros((len(x), len(h)))
    for t, x_t in enumerate(x):
        if decay is not None:
            h = decay[t] * h
        z = sigmoid(x_t @ W_z + h @ U_z + b_z)
        r = sigmoid(x_t @ W_r + h @ U_r + b_r)
        if reset_after:
            c = np.tanh(x_t @ W_c + b_c + r * (h @ U_c + p["recurrent_bias"]))
        else:
            c = np.tanh(x_t @ W_c + (r * h) @ U_c + b_c)
        h = (1 - z) * h + z * c
        states[t] = h
    return states


def lstm(p, x, state, *, decay=None):
    """Return the states (T, 2 H), from the state (2 H,) on."""
    W_o, W_i, W_f, W_u = gates(p["input_weights"], 4)
    U_o, U_i, U_f, U_u = gates(p["recurrent_weights"], 4)
    b_o, b_i, b_f, b_u = gates(p["bias"], 4)
    h, c = gates(state, 2)
    states = np.zeros((len(x), len(state)))
    for t, x_t in enumerate(x):
        if decay is not None:
            h, c = decay[t] * h, decay[t] * c
        o = sigmoid(x_t @ W_o + h @ U_o + b_o)
        i = sigmoid(x_t @ W_i + h @ U_i + b_i)
        f = sigmoid(x_t @ W_f + h @ U_f + b_f)
        u = np.tanh(x_t @ W_u + h @ U_u + b_u)
        c = f * c + i * u
        h = o * np.tanh(c)
        states[t] = [*h, *c]
    return states


def rnn(p, x, h, *, decay=None):
    """Return the states (T, H), from h (H,) on."""
    states = np.zeros((len(x), len(h)))
    for t, x_t in enumerate(x):
        if decay is not None:
            h = decay[t] * h
        h = np.tanh(x_t @ p["input_weights"] + h @ p["recurrent_weights"] + p["bias"])
        states[t] = h
    return states


def mingru(p, x, h, *, decay=None):
    """Return the states (T, H), from h (H,) on."""
    W_z, W_c = gates(p["input_weights"], 2)
    b_z, b_c = gates(p["bias"], 2)
    states = np.zeros((len(x), len(h)))
    for t, x_t in enumerate(x):
        if decay is not None:
            h = decay[t] * h
        z = sigmoid(x_t @ W_z + b_z)
        h = (1 - z) * h + z * np.tanh(x_t @ W_c + b_c)
        states[t] = h
    return states


class Cell(NamedTuple):
    """A cell's naive equations and what a layer has to know of it."""

    states: object  # (p, x, state, *, decay, **options) → (T, n_states)
    n_gates: int
    options: tuple = ()
    n_states_per_unit: int = 1
    may_have_output_gate: bool = True


CELLS = {
    "gru": Cell(gru, 3, options=("reset_after",)),
    "lstm": Cell(lstm, 4, n_states_per_unit=2, may_have_output_gate=False),
    "rnn": Cell(rnn, 1),
    "mingru": Cell(mingru, 2),
}


def cell(name):
    """Return the naive form of a cell."""
    if name not in CELLS:
        raise NotImplementedError(
            f"tests/naive.py has no equations of the cell {name!r}: write them down once more "
            "there, as plainly as they can be, and add them to its CELLS."
        )
    return CELLS[name]


# Layers: the outputs (T, H) of all steps, and the states (T, n_states)


def hidden_layer(kind, p, x, state, *, gaps=None, output_gate=False, **options):
    """Return outputs and states of the cell of that name and the gate behind it.

    `gaps` (T, n), of each step, make the state decay.
    """
    decay = None if gaps is None else what_is_left(gaps, p["decay_weights"], p["decay_bias"])
    own = {name: value for name, value in options.items() if name in cell(kind).options}
    states = cell(kind).states(p, x, state, decay=decay, **own)
    h = states[:, : states.shape[1] // cell(kind).n_states_per_unit]
    if not (output_gate and cell(kind).may_have_output_gate):
        return h, states
    y = np.zeros_like(h)
    for t, (x_t, h_t) in enumerate(zip(x, h, strict=True)):
        o = sigmoid(
            x_t @ p["output_input_weights"] + h_t @ p["output_state_weights"] + p["output_bias"]
        )
        y[t] = o * np.tanh(h_t)
    return y, states


def both_directions(kind, p, x, state, *, gaps=None, **form):
    """Return outputs and states of two layers side by side, of which one reads from the end.

    Outputs stand where their step is; states come in the order in which the layer has read. Either
    both read the same x, or it is a pair; gaps always are one.
    """
    onward, reverse = gates(state, 2)
    x, x_reverse = x if isinstance(x, tuple) else (x, x)
    gaps, gaps_reverse = (None, None) if gaps is None else (gaps[0], gaps[1][::-1])
    y, states = hidden_layer(kind, p, x, onward, gaps=gaps, **form)
    y_reverse, states_reverse = hidden_layer(
        kind, part_of(p, "reverse", "_"), x_reverse[::-1], reverse, gaps=gaps_reverse, **form
    )
    return np.hstack([y, y_reverse[::-1]]), np.hstack([states, states_reverse])


def stack(p, x, initial=None, *, cells, gaps=None, bidirectional=False, **form):
    """Return the top layer's outputs (T, H), and of each layer the initial state and its states."""
    y, all_states = x, []
    for i, kind in enumerate(cells):
        layer = part_of(p, f"hidden_{i}")
        n_states = len(layer["bias"]) // cell(kind).n_gates
        n_states *= cell(kind).n_states_per_unit * (2 if bidirectional else 1)
        state = np.zeros(n_states) if initial is None else initial[i]
        read = both_directions if bidirectional else hidden_layer
        y, states = read(kind, layer, y, state, gaps=gaps, **form)
        all_states.append(np.vstack([state, states]))
    return y, all_states


# Missing values


def what_is_left(gaps, weights, bias):
    """Return γ for the times δ (T, n): (T, H) for a matrix of weights, (T, n) for a vector."""
    a = gaps @ weights if weights.ndim == 2 else gaps * weights
    return np.exp(-np.maximum(0, a + bias))


def seen(x, times):
    """Return m, x' and δ, each (T, D), of the values x (T, D), NaN where nothing was seen.

    The step t is at `times[t]`. Until it is seen a feature is 0, and δ counts from the first step.
    """
    mask, values, gaps = np.zeros(x.shape), np.zeros(x.shape), np.zeros(x.shape)
    for t in range(len(x)):
        for d in range(x.shape[1]):
            mask[t, d] = 0 if np.isnan(x[t, d]) else 1
            if t > 0:
                values[t, d] = values[t - 1, d]
                gaps[t, d] = times[t] - times[t - 1]
                if not mask[t - 1, d]:
                    gaps[t, d] += gaps[t - 1, d]
            if mask[t, d]:
                values[t, d] = x[t, d]
    return mask, values, gaps


def seen_from_the_end(x, times):
    """Return the same for one who comes from the end: time runs backwards for them."""
    return tuple(array[::-1] for array in seen(x[::-1], -times[::-1]))


def seen_by_each(x, times, *, bidirectional):
    """Return m, x' and δ for each direction."""
    onward = seen(x, times)
    return (onward, seen_from_the_end(x, times)) if bidirectional else (onward,)


def patches(x, patch_size):
    """Return what several steps (T, D) hold side by side: (T / patch_size, patch_size · D)."""
    return x.reshape(len(x) // patch_size, patch_size * x.shape[1])


def columns(directions, patch_size=1):
    """Return m, then x' of each direction, then δ of each, step by step in a patch."""
    (mask, _, _), *_ = directions
    values, gaps = [d[1] for d in directions], [d[2] for d in directions]
    return patches(np.hstack([mask, *values, *gaps]), patch_size)


def observed_inputs(p, directions, *, patch_size=1, reads_mask=True):
    """Return what each direction reads at each step, and its δ: pairs if there are two of them."""
    reads = []
    n = directions[0][0].shape[1] * patch_size
    for i, arrays in enumerate(directions):
        mask, values, gaps = (patches(array, patch_size) for array in arrays)
        if reads_mask:
            own = slice(i * n, (i + 1) * n)
            left = what_is_left(gaps, p["inputs.decay_weights"][own], p["inputs.decay_bias"][own])
            values = np.hstack([np.where(mask == 1, values, left * values), mask])
        reads.append((values, gaps))
    return reads[0] if len(reads) == 1 else tuple(zip(*reads, strict=True))


# What the head reads, and the network


def pool(p, y, pooling, n_onward):
    """Return what the head reads of the outputs y (T, H): zeros if there is no step.

    Columns from `n_onward` on are of a layer that reads from the end, whose last output is at
    the first step.
    """
    if isinstance(pooling, tuple):
        return np.concatenate([pool(p, y, name, n_onward) for name in pooling])
    if len(y) == 0:
        return np.zeros(y.shape[1])
    if pooling == "last":
        return np.concatenate([y[-1, :n_onward], y[0, n_onward:]])
    if pooling == "mean":
        return sum(y) / len(y)
    if pooling == "max":
        return np.array([max(unit) for unit in y.T])
    if pooling == "attention":
        W, b, v = p["attention_weights"], p["attention_bias"], p["attention_score"]
        weights = [np.exp(np.tanh(y_t @ W + b) @ v) for y_t in y]
        return sum(weight * y_t for weight, y_t in zip(weights, y, strict=True)) / sum(weights)
    raise ValueError(pooling)


def read_by_head(p, y, *, pooling, bidirectional=False):
    """Return what the head reads of the top layer's outputs y (T, H): (n,); without pooling, y."""
    n_onward = y.shape[1] // 2 if bidirectional else y.shape[1]
    return y if pooling is None else pool(part_of(p, "pooling"), y, pooling, n_onward)


def head(p, y, *, pooling, bidirectional=False):
    """Return the raw outputs (K,) for the top layer's outputs y (T, H); without pooling, (T, K)."""
    read = read_by_head(p, y, pooling=pooling, bidirectional=bidirectional)
    return read @ p["head.weights"] + p["head.bias"]


def inputs(p, x):
    """Return the steps (T, D) of one sequence: (T, D) numbers, or (T,) rows to embed."""
    if "embedding.weights" in p:
        return np.array([p["embedding.weights"][token] for token in x])
    return x


def network(p, x, *, pooling, bidirectional=False, **form):
    """Return the raw outputs (K,) for one sequence; without pooling, (T, K)."""
    y, _ = stack(p, inputs(p, x), bidirectional=bidirectional, **form)
    return head(p, y, pooling=pooling, bidirectional=bidirectional)


def network_of_branches(p, outputs, forms):
    """Return the raw outputs (K,) for each branch's outputs y (T, H) of its top layer, by name.

    Of its form only the pooling and whether it is bidirectional matter here.
    """
    pooled = [
        read_by_head(
            part_of(p, name),
            y,
            pooling=forms[name]["pooling"],
            bidirectional=forms[name].get("bidirectional", False),
        )
        for name, y in outputs.items()
    ]
    return np.concatenate(pooled) @ p["head.weights"] + p["head.bias"]


# Rows of tables, and branches of all kinds


def row(p, numbers, codes=(), categories=()):
    """Return what a table's row reads: numbers, then each category one-hot or as its vector.

    `categories` has of each how many there are, and the length of its vectors, None = one-hot.
    """
    read = list(numbers)
    for j, (code, (n, n_dimensions)) in enumerate(zip(codes, categories, strict=True)):
        if n_dimensions is not None:
            read += list(p[f"embedding.weights_{j}"][code])
        else:
            read += [1.0 if code == k else 0.0 for k in range(1, n + 1)]
    return np.array(read)


def rectified_layers(p, x):
    """Return the outputs (H,) of hidden layers over x (D,)."""
    i = 0
    while f"hidden_{i}.weights" in p:
        x = np.maximum(0, x @ p[f"hidden_{i}.weights"] + p[f"hidden_{i}.bias"])
        i += 1
    return x


def outputs_of_row(p, x):
    """Return the outputs of a table's branch; those of a wide one are raw outputs (K,)."""
    y = rectified_layers(p, x)
    return y @ p["wide.weights"] + p["wide.bias"] if "wide.weights" in p else y


def filled(p, outputs, present):
    """Return the outputs of each branch by name, learned ones if the sample does not have it."""
    return {
        name: y if name in present else p.get(f"{name}.absence.outputs", y)
        for name, y in outputs.items()
    }


def weights_of_branches(p, outputs, present):
    """Return the weight of each branch by name, 0 if the sample does not have it."""
    scores = np.concatenate(list(outputs.values())) @ p["fusion.gate.weights"]
    scores += p["fusion.gate.bias"]
    shares = {name: np.exp(s) for name, s in zip(outputs, scores, strict=True) if name in present}
    return {name: shares[name] / sum(shares.values()) if name in shares else 0 for name in outputs}


def fusion(p, outputs, present):
    """Return the raw outputs (K,), given those of each branch and the names of those present."""
    outputs = filled(p, outputs, present)
    if "fusion.gate.weights" in p:
        weights = weights_of_branches(p, outputs, present)
        outputs = {
            name: len(present) * weights[name] * y if name in present else y
            for name, y in outputs.items()
        }
    wide = [name for name in outputs if f"{name}.wide.weights" in p]
    read = np.concatenate([np.zeros(0), *(y for name, y in outputs.items() if name not in wide)])
    if "fusion.hidden_0.weights" in p:
        read = np.concatenate([read, rectified_layers(part_of(p, "fusion"), read)])
    return read @ p["head.weights"] + p["head.bias"] + sum(outputs[name] for name in wide)


def network_with_decay(
    p, x, times, *, pooling, bidirectional=False, patch_size=1, reads_mask=True, **form
):
    """Return the same for values x (T, D) at given times, NaN where nothing was seen."""
    directions = seen_by_each(x, times, bidirectional=bidirectional)
    steps, gaps = observed_inputs(p, directions, patch_size=patch_size, reads_mask=reads_mask)
    y, _ = stack(p, steps, gaps=gaps, bidirectional=bidirectional, **form)
    return head(p, y, pooling=pooling, bidirectional=bidirectional)


def all_gaps(directions, patch_size=1):
    """Return δ of all directions side by side, by step of the network."""
    return np.hstack([patches(gaps, patch_size) for _, _, gaps in directions])


def leave_the_kink(p, gaps, rng, margin=0.02):
    """Draw the decay's biases until no argument of max(0, ·) is close to 0, its kink.

    There it has no derivative. More arguments are above than below, but some are. `gaps` are the
    rows that all directions' layers will read, side by side.
    """
    for name, weights in p.items():
        if not name.endswith("decay_weights"):
            continue
        bias = p[name.removesuffix("weights") + "bias"]
        if weights.ndim == 1:
            a = gaps * weights
        else:
            n = len(weights)
            a = (gaps[:, n:] if "reverse" in name else gaps[:, :n]) @ weights
        for unit in range(len(bias)):
            bias[unit] = rng.normal(1)
            while np.any(np.abs(a[:, unit] + bias[unit]) < margin):
                bias[unit] = rng.normal(1)


# The layout of a batch: step 0 of all sequences, step 1 of those that have one, and so on.


def rows_of(lengths):
    """Return the (step, sequence) that each row of a batch holds."""
    return [(t, i) for t in range(max(lengths, default=0)) for i, n in enumerate(lengths) if t < n]


def pack(sequences):
    """Return the rows (S, ...) of a batch; the sequences must come longest first."""
    rows = rows_of([len(sequence) for sequence in sequences])
    packed = np.zeros((len(rows), *sequences[0].shape[1:]), sequences[0].dtype)
    for row, (t, i) in enumerate(rows):
        packed[row] = sequences[i][t]
    return packed


def unpack(rows, lengths):
    """Return one (T_i, ...) array for each sequence, from the rows of a batch."""
    sequences = [np.zeros((n, *rows.shape[1:])) for n in lengths]
    for row, (t, i) in zip(rows, rows_of(lengths), strict=True):
        sequences[i][t] = row
    return sequences


def steps_of(p, sequence):
    """Return the steps of a sequence as the naive equations read them, and their δ, if any."""
    if not any(name.endswith("decay_weights") for name in p):
        return inputs(p, sequence), None
    seen = np.split(sequence, 3, axis=1)
    return observed_inputs(p, [seen], reads_mask="inputs.decay_weights" in p)


def outputs_truncated(p, sequence, n_steps, held, **form):
    """Return the top layer's outputs, where each piece starts from the states `held` there."""
    steps, gaps = steps_of(p, sequence)
    T = len(steps)
    first = T % n_steps or min(n_steps, T)
    starts = [0, *range(first, T, n_steps)]
    outputs = [
        stack(
            p,
            steps[start:stop],
            [states[start] for states in held],
            gaps=None if gaps is None else gaps[start:stop],
            **form,
        )[0]
        for start, stop in zip(starts, [*starts[1:], T], strict=True)
    ]
    return np.concatenate(outputs)


def score_of_path(p, raw, path):
    """Return the score of a path of tags, given the raw outputs of a sequence, (T, K)."""
    score = sum(row[tag] for row, tag in zip(raw, path, strict=True))
    score += sum(p["transitions"][tag, following] for tag, following in pairwise(path))
    return score + (p["start"][path[0]] + p["end"][path[-1]] if path else 0)


def chain(p, raw, tags):
    """Return −log p of tags, of which some may be None, the best path, and each tag's probability.

    All paths are gone through, one after the other.
    """
    T, K = raw.shape
    paths = list(product(range(K), repeat=T))
    scores = np.array([score_of_path(p, raw, path) for path in paths], float)
    total = np.logaddexp.reduce(scores)
    holds = [all(t is None or t == k for t, k in zip(tags, path, strict=True)) for path in paths]
    marginals = np.zeros((T, K))
    for path, score in zip(paths, scores, strict=True):
        for t, tag in enumerate(path):
            marginals[t, tag] += np.exp(score - total)
    return total - np.logaddexp.reduce(scores[holds]), paths[scores.argmax()], marginals
