"""What the benchmarks of speed share: processes of their own to measure in, a plain network."""

import json
import os
import subprocess
import sys

# Turns off what the peers' network does not have, and what would hide how a fit scales.
PLAIN = {"bidirectional": False, "pooling": "last", "patch_size": 1}

THREADS = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "TF_NUM_INTRAOP_THREADS",
    "TF_NUM_INTEROP_THREADS",
)
NO_GPU = {"CUDA_VISIBLE_DEVICES": "", "KERAS_TORCH_DEVICE": "cpu", "JAX_PLATFORMS": "cpu"}


def run_worker(script, *arguments, python=sys.executable, n_threads=None, path=None):
    """Return what a script prints last, in JSON, when it is run with `--worker` and arguments.

    `path` is where skgru is imported from, if not from where it is installed.
    On Linux a process starts with the peak of memory of the one that started it: where memory is
    measured, that one has to stay small.
    """
    command = [python, script, "--worker", *map(str, arguments)]
    environment = os.environ | NO_GPU
    if n_threads:
        environment |= dict.fromkeys(THREADS, str(n_threads))
    if path:
        environment["PYTHONPATH"] = path
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{done.stderr}\nfailed: {' '.join(command)}")
    return json.loads(done.stdout.splitlines()[-1])
