"""What a user waits for: seconds of a fit to its accuracy, beside PyTorch to the same accuracy.

    python benchmarks/time_to_accuracy.py --data FOLDER [--tasks TASK ...] [--seeds 3]
        [--threads 1] [--max-ratio 10]

FOLDER holds the files that the scripts of `accuracy` name; "40,000 sequences" are made here. They
have 30 steps of 4 features, noise with a bump in three of the features, and the class, one of 5, is
the order of the bumps.

skgru fits by its defaults, once, texts in a pipeline with `SequenceVectorizer`, whose seconds count
too. PyTorch trains in a plain loop, which is what skorch comes to at best, the recurrent network of
these defaults: the same units, directions, poolings, dimensions of tokens, dropout and batch size,
but no random convolutions, no bag of tokens, no smoothed targets and no schedule. Its data are
scaled, texts cut into the same tokens, batches padded to their longest sequence, and Adam trains at
a constant rate, of which three are tried. After each epoch it is scored on the test part, and its
seconds are those of training up to the first epoch that is as good as skgru, of the best rate.

This favours the peer: the search for its rate is free, and it may stop at its best moment on the
test part, which skgru does not know. What takes longer than --max-ratio times skgru's seconds, or
than a rate before, is given up. Each fit has a process of its own. With one thread the seconds are
those of the processor, else of the clock.
"""

import argparse
import json
import statistics
import sys
import time
import warnings
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
from sklearn.metrics import accuracy_score, root_mean_squared_error
from sklearn.pipeline import make_pipeline
from workers import run_worker

sys.path.append(str(Path(__file__).parent / "accuracy"))  # where the same files are read
sys.path.append(str(Path(__file__).parent / "defaults"))  # and series made

import japanese_vowels
import libras
import texts
import turbofan
from rows import Split
from tasks import make_orders

from skgru import GRUClassifier, GRURegressor, SequenceVectorizer

RATES = (3e-3, 1e-2, 1e-3)
PREDICTED_AT_ONCE = 256  # sequences


class Task(NamedTuple):
    """A task.

    Attributes
    ----------
    load : callable
        ``load(folder)`` returns a `Split`.
    kind : {"series", "texts", "numbers"}
        Series with classes, texts with classes, or series with numbers as targets.
    """

    load: object
    kind: str = "series"


def load_windows(folder):
    """Return all windows of the training engines, and the last one of each test engine."""
    engines, left, test_engines, test_left = turbofan.load(folder)
    last = [x[-turbofan.WINDOW :] for x in test_engines]  # no engine is shorter
    return Split(*turbofan.to_windows(engines, left), np.array(last), test_left)


TASKS = {
    "TREC": Task(lambda folder: texts.read_split(folder / "trec.csv.gz"), "texts"),
    "JapaneseVowels": Task(lambda folder: Split(*japanese_vowels.load(folder))),
    "Libras": Task(lambda folder: Split(*libras.load(folder))),
    "C-MAPSS": Task(load_windows, "numbers"),
    "40,000 sequences": Task(lambda folder: Split(*make_orders(40_000, 0), *make_orders(5_000, 1))),
}


def score(kind, y, predicted):
    """Return the accuracy, or the root mean squared error of predictions that are capped."""
    if kind == "numbers":
        return float(root_mean_squared_error(y, np.clip(predicted, 0, turbofan.CAP)))
    return float(accuracy_score(y, predicted))


def run_skgru(task, split, clock, seed):
    """Return score, seconds of the fit, and the settings of the recurrent network."""
    warnings.simplefilter("ignore")  # ConvergenceWarning: the epochs are the defaults'
    estimator = GRURegressor if task.kind == "numbers" else GRUClassifier
    network = model = estimator(random_state=seed)
    if task.kind == "texts":
        model = make_pipeline(SequenceVectorizer(), network)
    start = clock()
    model.fit(split.X_train, split.y_train)
    seconds = clock() - start
    names = "bidirectional", "pooling", "embedding_dim", "dropout", "batch_size"
    settings = {name: network.auto_params_[name] for name in names}
    settings["n_units"] = network.hidden_layer_sizes[0]
    return score(task.kind, split.y_test, model.predict(split.X_test)), seconds, settings


def padded(X, dtype):
    """Return sequences as one array, filled up with zeros at the end, and their lengths."""
    import torch

    lengths = np.array([len(x) for x in X])
    values = np.zeros((len(X), lengths.max(), *np.shape(X[0])[1:]), dtype)
    for row, x in zip(values, X, strict=True):
        row[: len(x)] = x
    return torch.from_numpy(values), torch.from_numpy(lengths)


def torch_network(settings, n_features, n_tokens, n_outputs):
    """Return the network, which reads a padded batch and the lengths of its sequences."""
    import torch
    from torch import nn

    pooling = settings["pooling"]
    poolings = [pooling] if isinstance(pooling, str) else pooling

    class Network(nn.Module):
        def __init__(self):
            super().__init__()
            n_inputs = settings["embedding_dim"] if n_tokens else n_features
            self.embed = nn.Embedding(n_tokens, n_inputs, padding_idx=0) if n_tokens else None
            self.gru = nn.GRU(
                n_inputs,
                settings["n_units"],
                batch_first=True,
                bidirectional=settings["bidirectional"],
            )
            self.dropout = nn.Dropout(settings["dropout"])
            n_states = (1 + settings["bidirectional"]) * settings["n_units"]
            self.head = nn.Linear(len(poolings) * n_states, n_outputs)

        def forward(self, x, lengths):
            x = x[:, : int(lengths.max())]
            x = self.dropout(self.embed(x) if self.embed else x)
            states, _ = self.gru(x)
            return self.head(self.dropout(torch.cat(self.pool(states, lengths), axis=1)))

        def pool(self, states, lengths):
            is_padding = torch.arange(states.shape[1]) >= lengths[:, None]
            n_units, pooled = settings["n_units"], []
            for name in poolings:
                if name == "last":  # the second direction ends at the first step
                    last = states[torch.arange(len(states)), lengths - 1, :n_units]
                    pooled += [last, states[:, 0, n_units:]]
                elif name == "mean":
                    total = states.masked_fill(is_padding[:, :, None], 0).sum(axis=1)
                    pooled.append(total / lengths[:, None])
                else:
                    pooled.append(states.masked_fill(is_padding[:, :, None], -2).amax(axis=1))
            return pooled

    return Network()


def warm_up_torch():
    """Let first uses load modules, which takes seconds."""
    import torch

    network = torch.nn.Linear(1, 1)
    optimizer = torch.optim.Adam(network.parameters())
    network(torch.zeros(1, 1)).sum().backward()
    optimizer.step()


def run_torch(task, split, clock, seed, settings, rate, target, limit):
    """Return the seconds to the target, None if they are more than the limit, and the best score.

    A rate that is much too large may lead to no numbers at all: it is as bad as can be.
    """
    import torch
    from torch import nn

    warm_up_torch()
    torch.manual_seed(seed)
    is_regression, sign = task.kind == "numbers", -1 if task.kind == "numbers" else 1
    start = clock()
    X_train, X_test, n_features, n_tokens = split.X_train, split.X_test, 0, 0
    if task.kind == "texts":
        vectorizer = SequenceVectorizer()
        X_train, X_test = vectorizer.fit_transform(X_train), vectorizer.transform(X_test)
        n_tokens = 1 + max(int(max(x, default=0)) for x in X_train)
    else:
        steps = np.concatenate(list(X_train))
        mean, deviation = steps.mean(axis=0), steps.std(axis=0)
        X_train, X_test = ([(x - mean) / deviation for x in X] for X in (X_train, X_test))
        n_features = len(mean)
    to_tensors = partial(padded, dtype=np.int64 if n_tokens else np.float32)
    (x, lengths), (x_test, lengths_test) = to_tensors(X_train), to_tensors(X_test)
    if is_regression:
        centre, scale = split.y_train.mean(), split.y_train.std()
        y = torch.from_numpy((split.y_train - centre)[:, None] / scale).float()
    else:
        classes, columns = np.unique(split.y_train, return_inverse=True)
        y = torch.from_numpy(columns)
    network = torch_network(settings, n_features, n_tokens, 1 if is_regression else len(classes))
    optimizer = torch.optim.Adam(network.parameters(), lr=rate)
    loss_of = nn.MSELoss() if is_regression else nn.CrossEntropyLoss()

    @torch.inference_mode()
    def score_of_test():
        network.eval()
        parts = zip(
            x_test.split(PREDICTED_AT_ONCE), lengths_test.split(PREDICTED_AT_ONCE), strict=True
        )
        raw = torch.cat([network(*part) for part in parts]).numpy()
        network.train()
        if not np.isfinite(raw).all():
            return -sign * np.inf
        predicted = centre + scale * raw[:, 0] if is_regression else classes[raw.argmax(axis=1)]
        return score(task.kind, split.y_test, predicted)

    seconds, best = clock() - start, -sign * np.inf
    while seconds < limit:
        start = clock()
        for batch in torch.randperm(len(x)).split(settings["batch_size"]):
            optimizer.zero_grad()
            loss_of(network(x[batch], lengths[batch]), y[batch]).backward()
            optimizer.step()
            if seconds + clock() - start > limit:
                return None, best
        seconds += clock() - start
        found = score_of_test()
        best = sign * max(sign * best, sign * found)
        if sign * found >= sign * target:
            return seconds, best
    return None, best


def measure(options, name, seed):
    """Return what a task gives with a seed.

    Returns
    -------
    ours : float
        The score of skgru.
    seconds : float
        Those of its fit.
    theirs : float
        The seconds of the peer, or infinity.
    rate : float or None
        That of the peer's best, if it got there.
    best : float
        The best score of the peer, with any rate.
    """
    common = "--data", options.data, "--tasks", name, "--seed", seed, "--threads", options.threads
    run = partial(run_worker, __file__, n_threads=options.threads)
    ours, seconds, settings = run("skgru", *common)
    theirs, best_rate, scores = np.inf, None, []
    for rate in RATES:
        wanted = {
            "settings": settings,
            "rate": rate,
            "target": ours,
            "limit": min(theirs, options.max_ratio * seconds),
        }
        needed, best = run("torch", *common, "--wanted", json.dumps(wanted))
        scores.append(best)
        if needed is not None:
            theirs, best_rate = needed, rate
    best = min(scores) if TASKS[name].kind == "numbers" else max(scores)
    return ours, seconds, theirs, best_rate, best


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, metavar="FOLDER", type=Path)
    parser.add_argument("--tasks", nargs="+", choices=TASKS, default=list(TASKS), metavar="TASK")
    parser.add_argument("--seeds", type=int, default=3, help="how many (%(default)s)")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--max-ratio", type=float, default=10, help="when the peer is given up")
    parser.add_argument("--seed", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--wanted", type=json.loads, default={}, help=argparse.SUPPRESS)
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        task = TASKS[options.tasks[0]]
        clock = time.process_time if options.threads == 1 else time.perf_counter
        run = {"skgru": run_skgru, "torch": run_torch}[options.worker]
        print(json.dumps(run(task, task.load(options.data), clock, options.seed, **options.wanted)))
        return

    clock = "of the processor" if options.threads == 1 else "of the clock"
    print(f"seconds {clock}, {options.threads} thread(s); ratio: PyTorch / skgru")
    for name in options.tasks:
        metric = "RMSE" if TASKS[name].kind == "numbers" else "accuracy"
        ratios = []
        print(f"{name}, {metric}")
        for seed in range(options.seeds):
            ours, seconds, theirs, rate, best = measure(options, name, seed)
            ratios.append(theirs / seconds)
            if rate:
                reached = f"{theirs:.1f} s at {rate:g}, ratio {ratios[-1]:.2f}"
            else:
                reached = f"never within {options.max_ratio:g} times, at best {best:.4g}"
            print(f"  skgru {ours:.4g} in {seconds:.1f} s; PyTorch {reached}", flush=True)
        ratio = statistics.median(ratios)
        shown = f"{ratio:.2f}" if np.isfinite(ratio) else f"above {options.max_ratio:g}"
        print(f"  ratio, median of {options.seeds}: {shown}", flush=True)


if __name__ == "__main__":
    main()
