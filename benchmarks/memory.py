"""The memory of a fit and of a prediction beside their input, over the forms of X.

    python benchmarks/memory.py [FORM ...] [--samples 1000 30000 1000000] [--units 16]

Each case is a process of its own. It makes X, fits once to some of it, so that what the libraries
hold for themselves is there, and then fits to all of X (one epoch, batches of 200) and predicts all
of it. Printed are the megabytes (10⁶ bytes) that X takes, numbers and objects, how far the peaks of
both lie above what the process holds before, and the seconds.

The limit is 100 MB above what X takes: many arrays are read as one, and that is a copy. What lies
above it is marked. Linux only.
"""

import argparse
import gc
import json
import sys
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
from workers import run_worker

T, D = 20, 4  # steps and features
TOKENS = 5000
LIMIT = 100.0


def memory(name):
    """Return a quantity of the process's memory, in bytes: VmRSS, RssAnon, VmHWM."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(name + ":"):
            return 1024 * int(line.split()[1])
    raise KeyError(name)


def reset_peak():
    Path("/proc/self/clear_refs").write_text("5")


# --- The forms of X ------------------------------------------------------------------------------


def numbers(n, dtype=np.float32, T=T):
    """Return an array (n, T, D), made in parts: no other one of its size is left behind."""
    rng = np.random.default_rng(0)
    X = np.empty((n, T, D), dtype)
    for start in range(0, n, 1000):
        X[start : start + 1000] = rng.standard_normal(X[start : start + 1000].shape)
    return X


def ragged(n, dtype=np.float32):
    rng = np.random.default_rng(0)
    lengths = rng.integers(T // 2, T + T // 2, n)
    return [rng.standard_normal((length, D), dtype) for length in lengths.tolist()]


def frame(n):
    import pandas as pd

    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {name: [rng.standard_normal(T, np.float32) for _ in range(n)] for name in "abcd"}
    )


def flat_frame(n):
    import pandas as pd

    names = [f"f{i}_{t}" for t in range(T) for i in range(D)]
    return pd.DataFrame(numbers(n).reshape(n, T * D), columns=names)


def with_holes(n):
    X = numbers(n)
    for start in range(0, n, 1000):
        part = X[start : start + 1000]
        part[np.random.default_rng(start).random(part.shape) < 0.3] = np.nan
    return X


def with_times(n):
    X = numbers(n)
    for start in range(0, n, 1000):
        part = X[start : start + 1000, :, 0]
        part[...] = np.random.default_rng(start).exponential(1, part.shape).cumsum(axis=1)
    return X


def mapped(n):
    path = Path(tempfile.mkdtemp()) / "X.npy"
    X = np.lib.format.open_memmap(path, "w+", np.float32, (n, T, D))
    for start in range(0, n, 1000):
        part = X[start : start + 1000]
        part[...] = np.random.default_rng(start).standard_normal(part.shape)
    X.flush()
    del X
    return np.load(path, mmap_mode="r")


def token_lists(n):
    rng = np.random.default_rng(0)
    lengths = rng.integers(T // 2, T + T // 2, n)
    return [rng.integers(1, TOKENS, length).astype(np.int32) for length in lengths.tolist()]


def token_table(n):
    X = np.random.default_rng(0).integers(1, TOKENS, (n, T), np.int32)
    X[::2, T // 2 :] = 0
    return X


FORMS = {
    "array": numbers,
    "float64 array": lambda n: numbers(n, np.float64),
    "list of arrays": ragged,
    "list of float64 arrays": lambda n: ragged(n, np.float64),
    "frame of arrays": frame,
    "frame of numbers": flat_frame,
    "missing values": with_holes,
    "missing values, as zeros": with_holes,
    "time stamps": with_times,
    "mapped from a file": mapped,
    "lists of tokens": token_lists,
    "table of tokens": token_table,
}
TOKEN_FORMS = "lists of tokens", "table of tokens"
SETTINGS = {
    **{form: {"embedding_dim": 8, "bag": False} for form in TOKEN_FORMS},
    "time stamps": {"time_feature": 0},
    "missing values, as zeros": {"missing": "indicator"},
}


def size_of(X):
    """Return the bytes of X: of its numbers, and of the objects they lie in."""
    if isinstance(X, np.memmap):
        return 0
    if isinstance(X, np.ndarray):
        return X.nbytes
    if isinstance(X, list):
        return sys.getsizeof(X) + sum(sys.getsizeof(x) for x in X)
    cells = sum(
        sys.getsizeof(x) for name in X if X[name].dtype == object for x in X[name].to_numpy()
    )
    return int(X.memory_usage(index=False).sum()) + cells


def work(form, n, n_units):
    """Print the memory and the seconds of fit and predict, of this process."""
    from skgru import GRUClassifier

    warnings.simplefilter("ignore")  # the epochs are given
    X = FORMS[form](n)
    y = np.arange(n) % 2
    model = GRUClassifier(
        n_units,
        n_convolutions=0,
        batch_size=200,
        max_iter=1,
        early_stopping=False,
        random_state=0,
        **SETTINGS.get(form, {}),
    )
    some = X.iloc[:500] if hasattr(X, "iloc") else X[:500]
    model.fit(some, y[:500]).predict(some)
    gc.collect()
    found = [size_of(X) / 1e6]
    # What is read of a mapped file is the system's, to be dropped when memory is short.
    resident = "RssAnon" if form == "mapped from a file" else "VmRSS"
    for do in (lambda: model.fit(X, y), lambda: model.predict(X)):
        gc.collect()
        reset_peak()
        file_before = memory("VmRSS") - memory("RssAnon")
        before = memory(resident)
        start = time.perf_counter()
        do()
        seconds = time.perf_counter() - start
        peak = memory("VmHWM")
        if resident == "RssAnon":
            peak -= max(file_before, memory("VmRSS") - memory("RssAnon"))
        found += [(peak - before) / 1e6, seconds]
    print(json.dumps(found))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("forms", nargs="*", metavar="FORM", default=list(FORMS))
    parser.add_argument("--samples", type=int, nargs="+", default=[1000, 30_000, 1_000_000])
    parser.add_argument("--units", type=int, default=16)
    parser.add_argument("--worker", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        form, n, n_units = options.worker
        return work(form, int(n), int(n_units))
    unknown = set(options.forms) - set(FORMS)
    if unknown:
        parser.error(f"expected forms among {list(FORMS)}, got {sorted(unknown)}")
    print(f"{'X':26}{'samples':>9}{'X, MB':>8}{'fit, MB':>9}{'s':>7}{'predict, MB':>13}{'s':>7}")
    for form in options.forms:
        for n in options.samples:
            size, *rest = run_worker(__file__, form, n, options.units)
            fit, fit_s, predict, predict_s = rest
            mark = "  above the limit" if max(fit, predict) > size + LIMIT else ""
            print(
                f"{form:26}{n:9}{size:8.0f}{fit:9.0f}{fit_s:7.1f}{predict:13.0f}{predict_s:7.1f}"
                f"{mark}",
                flush=True,
            )


if __name__ == "__main__":
    main()
