"""The network of an estimator as a module of PyTorch, which it needs: `to_torch` imports it."""

import numpy as np
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from skgru._data.ids import UNKNOWN
from skgru._interop.cell_weights import to_torch_arrays
from skgru._interop.plain_network import table_by_id

_CELLS = {"gru": nn.GRU, "lstm": nn.LSTM, "rnn": nn.RNN}
_CLIP = 3.0  # as in `skgru._data.scaling`
_LEAST_DEVIATION = 1e-3  # as in `GaussianLoss`


class ResetBeforeGRU(nn.Module):
    """A layer like `torch.nn.GRU`, whose reset gate acts on the state before the product.

    It reads and returns a `PackedSequence`.

    Parameters
    ----------
    n_inputs, n_units : int
    bidirectional : bool
    dtype : torch.dtype
    """

    def __init__(self, n_inputs, n_units, bidirectional, dtype):
        super().__init__()
        self._suffixes = ("_l0", "_l0_reverse") if bidirectional else ("_l0",)
        for suffix in self._suffixes:
            shapes = {"weight_ih": (n_inputs,), "weight_hh": (n_units,), "bias": ()}
            for name, shape in shapes.items():
                empty = torch.empty(3 * n_units, *shape, dtype=dtype)
                self.register_parameter(name + suffix, nn.Parameter(empty))

    def forward(self, packed):
        """Return the outputs of all steps, and the last ones (n_directions, n, n_units)."""
        outputs, lasts = zip(*(self._run(packed, suffix) for suffix in self._suffixes), strict=True)
        packed = packed._replace(data=torch.cat(outputs, -1))
        return packed, torch.stack(lasts)[:, packed.unsorted_indices]

    def _run(self, packed, suffix):
        """Return the outputs of one direction, (total steps, n_units), and the last ones."""
        weight_ih, weight_hh, bias = (
            getattr(self, name + suffix) for name in ("weight_ih", "weight_hh", "bias")
        )
        n_units = weight_hh.shape[1]
        of_inputs = (packed.data @ weight_ih.T + bias).split(packed.batch_sizes.tolist())
        h = packed.data.new_zeros(len(packed.sorted_indices), n_units)
        outputs, order = [], range(len(of_inputs))
        is_reverse = suffix.endswith("reverse")
        for t in reversed(order) if is_reverse else order:
            a = of_inputs[t]  # of the sequences that have this step: the first ones
            now, rest = h[: len(a)], h[len(a) :]
            gates = torch.sigmoid(a[:, : 2 * n_units] + now @ weight_hh[: 2 * n_units].T)
            r, z = gates.chunk(2, -1)
            c = torch.tanh(a[:, 2 * n_units :] + (r * now) @ weight_hh[2 * n_units :].T)
            outputs.append((1 - z) * c + z * now)
            h = torch.cat([outputs[-1], rest])
        return torch.cat(outputs[::-1] if is_reverse else outputs), h


class TorchNetwork(nn.Module):
    """The network of an estimator; see `skgru.interop.to_torch`.

    Parameters
    ----------
    network : PlainNetwork
    model : Model
        The fitted one that it is of.

    Attributes
    ----------
    settings : dict
        What `from_torch` needs to be told beside the `state_dict()`.
    embedding : torch.nn.Embedding
        If there is one.
    rnn : torch.nn.GRU, torch.nn.LSTM, torch.nn.RNN, ResetBeforeGRU, or torch.nn.ModuleList of them
        The latter where layers differ in cell or size, or are several of `ResetBeforeGRU`.
    attention : torch.nn.ModuleDict
        If the pooling has one: linear layers "hidden" and "score".
    head : torch.nn.Linear
    """

    def __init__(self, network, model):
        super().__init__()
        loss = model.loss
        self.settings = _settings_of(network, model)
        self._loss, self._n_raw = loss.name, loss.n_raw
        self._is_softmax = loss.out_activation == "softmax"
        dtype = getattr(torch, network.dtype.name)
        self._add_input(network, model, dtype)
        self._n_directions = len(network.layers[0].directions)
        self.rnn = _recurrence(network, dtype)
        if network.attention:
            n = network.layers[-1].n_outputs
            parts = {"hidden": nn.Linear(n, n), "score": nn.Linear(n, 1, bias=False)}
            self.attention = nn.ModuleDict(parts).to(dtype)
            _set(self.attention["hidden"].weight, network.attention["attention_weights"].T)
            _set(self.attention["hidden"].bias, network.attention["attention_bias"])
            _set(self.attention["score"].weight, network.attention["attention_score"][None])
        self.head = nn.Linear(*network.head_weights.shape).to(dtype)
        _set(self.head.weight, network.head_weights.T)
        _set(self.head.bias, network.head_bias)
        if network.target_mean is not None:
            self.register_buffer("target_mean", torch.tensor(network.target_mean))
            self.register_buffer("target_scale", torch.tensor(network.target_scale))

    def _add_input(self, network, model, dtype):
        self._has_tokens = network.embedding is not None
        self._n_features = network.layers[0].n_inputs
        if self._has_tokens:
            table = table_by_id(network.embedding, network.token_ids)
            self.embedding = nn.Embedding(*table.shape, padding_idx=0, dtype=dtype)
            _set(self.embedding.weight, table)
            ((_, branch),) = model.own_spec.branches
            self.embedding.weight.requires_grad_(not branch.input.freeze_embedding)
        elif network.feature_mean is not None:
            self.register_buffer("feature_mean", torch.tensor(network.feature_mean))
            self.register_buffer("feature_scale", torch.tensor(network.feature_scale))

    def forward(self, x, lengths=None):
        """Return logits, or numbers in the unit of the targets; see `skgru.interop.to_torch`."""
        raw = self.head(self._pooled(x, lengths))
        return raw if "classes" in self.settings else self._numbers(raw)

    def predict_proba(self, x, lengths=None):
        """Return the probability of each class or label, as `GRUClassifier.predict_proba`."""
        if "classes" not in self.settings:
            raise AttributeError("predict_proba is of classes: call the module itself for numbers.")
        logits = self(x, lengths)
        if self._is_softmax:
            return torch.softmax(logits, -1)
        if not self.settings["multilabel"]:
            logits = torch.cat([-logits, logits], -1)
        return torch.sigmoid(logits)

    def _pooled(self, x, lengths):
        """Return what the head reads, (n, n_pooled), or (n, n_steps, n_outputs) of every step."""
        x, lengths = self._open(x, lengths)
        steps = torch.arange(x.shape[1], device=x.device)
        is_step = (steps < lengths[:, None])[..., None]  # (n, n_steps, 1)
        y, last = self._run(self._read(x, is_step), lengths)
        if self.settings["pooling"] is None:
            return y
        pooling = self.settings["pooling"]
        poolings = (pooling,) if isinstance(pooling, str) else pooling
        some = (lengths > 0)[:, None]
        pooled = torch.cat([self._pool(name, y, last, is_step) for name in poolings], -1)
        return torch.where(some, pooled, 0.0)  # of a sequence without a step

    def _open(self, x, lengths):
        """Return x without padding in front, of three dimensions if it holds numbers; lengths."""
        if not self._has_tokens and x.dim() == 2 and self._n_features == 1:
            x = x[..., None]
        expected = "(n, n_steps)" if self._has_tokens else f"(n, n_steps, {self._n_features})"
        is_shaped = x.dim() == 2 if self._has_tokens else x.shape[2:] == (self._n_features,)
        if not is_shaped or 0 in x.shape:
            raise ValueError(f"Expected x of shape {expected}, got {tuple(x.shape)}.")
        if lengths is not None:
            return x, torch.as_tensor(lengths, device=x.device)
        is_filled = (x != 0) if self._has_tokens else ~torch.isnan(x).all(-1)
        numbers = torch.arange(1, x.shape[1] + 1, device=x.device)
        lengths = (is_filled * numbers).amax(1)
        if self._has_tokens:
            first = torch.where(is_filled.any(1), is_filled.int().argmax(1), 0)
            at = (numbers - 1 + first[:, None]).clamp(max=x.shape[1] - 1)
            x, lengths = x.gather(1, at), lengths - first
        return x, lengths

    def _read(self, x, is_step):
        """Return what the bottom layer reads: vectors, or scaled numbers, and zeros in padding."""
        if self._has_tokens:
            known = x < self.embedding.num_embeddings
            return self.embedding(torch.where(known, x, UNKNOWN).long())
        dtype = self.head.weight.dtype
        if hasattr(self, "feature_mean"):
            x = (x.to(self.feature_mean.dtype) - self.feature_mean) / self.feature_scale
            if self.settings["scaling"] == "robust":
                x = x / torch.sqrt(1 + (x / _CLIP) ** 2)
        return torch.where(is_step, x, 0.0).to(dtype)

    def _run(self, x, lengths):
        """Return the outputs of the top layer, (n, n_steps, n_outputs), and the last ones."""
        n_steps = x.shape[1]
        at_least_one = lengths.clamp(min=1).cpu()
        packed = pack_padded_sequence(x, at_least_one, batch_first=True, enforce_sorted=False)
        for layers in self.rnn if isinstance(self.rnn, nn.ModuleList) else [self.rnn]:
            packed, state = layers(packed)
        h = state[0] if isinstance(state, tuple) else state
        last = torch.cat(list(h[-self._n_directions :]), -1)
        y, _ = pad_packed_sequence(packed, batch_first=True, total_length=n_steps)
        return y, last

    def _pool(self, name, y, last, is_step):
        """Return the outputs of one pooling."""
        if name == "last":
            return last
        if name == "mean":
            n_steps = is_step.sum(1).clamp(min=1)
            return torch.where(is_step, y, 0.0).sum(1) / n_steps
        if name == "max":
            return torch.where(is_step, y, -torch.inf).amax(1)
        scores = self.attention["score"](torch.tanh(self.attention["hidden"](y)))
        # Of a sequence without a step, all weights are equal, for there to be numbers.
        some = is_step.any(1, keepdim=True)
        scores = torch.where(is_step, scores, torch.where(some, -torch.inf, 0.0).to(scores.dtype))
        return (torch.softmax(scores, 1) * y).sum(1)

    def _numbers(self, raw):
        """Return the estimates of the targets in their unit."""
        mean, scale = self.target_mean, self.target_scale
        each = raw.to(mean.dtype).unflatten(-1, (-1, self._n_raw))  # (..., n_targets, n_raw)
        if self._loss == "gaussian":
            deviation = nn.functional.softplus(each[..., 1]) + _LEAST_DEVIATION
            return (each[..., 0] * scale + mean).to(raw.dtype), (deviation * scale).to(raw.dtype)
        if self._loss == "quantile":
            steps = nn.functional.softplus(each[..., 1:])
            each = torch.cumsum(torch.cat([each[..., :1], steps], -1), -1)
        if self._loss == "poisson":
            each = torch.exp(each)
        y = (each * scale[:, None] + mean[:, None]).to(raw.dtype)
        return y[..., 0] if self._n_raw == 1 else y


def _settings_of(network, model):
    """Return what `from_torch` needs to be told beside the arrays."""
    loss, part = model.loss, model.inputs[""]
    settings = {"pooling": network.pooling}
    if loss.has_classes:
        settings |= {"multilabel": loss.is_multilabel}
        settings |= {"classes": None if loss.is_multilabel else loss.classes}
    else:
        settings |= {"loss": loss.name}
        settings |= {name: getattr(loss, name) for name in loss.parameters}
    if network.embedding is None:
        return settings | {"scaling": part.scaling}
    return settings | ({"freeze_embedding": True} if part.freeze_embedding else {})


def _recurrence(network, dtype):
    """Return the recurrent layers: one module, if they are of one cell and size."""
    both = network.bidirectional
    kinds = {(layer.cell, layer.n_units) for layer in network.layers}
    is_one = len(kinds) == 1 and not network.resets_before
    stacks = [network.layers] if is_one else [[layer] for layer in network.layers]
    modules = []
    for layers in stacks:
        cell, n_units = layers[0].cell, layers[0].n_units
        names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        if cell == "gru" and network.resets_before:
            module = ResetBeforeGRU(layers[0].n_inputs, n_units, both, dtype)
            names = ("weight_ih", "weight_hh", "bias")
        else:
            options = {"num_layers": len(layers), "bidirectional": both, "batch_first": True}
            module = _CELLS[cell](layers[0].n_inputs, n_units, **options).to(dtype)
        for i, layer in enumerate(layers):
            for suffix, p in zip(("", "_reverse"), layer.directions, strict=False):
                # (The second bias of the other form, which has one, is 0.)
                for name, array in zip(names, to_torch_arrays(layer.cell, p), strict=False):
                    _set(getattr(module, f"{name}_l{i}{suffix}"), array)
        modules.append(module)
    return modules[0] if len(modules) == 1 else nn.ModuleList(modules)


def _set(parameter, array):
    """Let a parameter have the numbers of an array."""
    with torch.no_grad():
        parameter.copy_(torch.tensor(np.ascontiguousarray(array)))
