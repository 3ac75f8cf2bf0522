"""Programs in processes of their own, for what is one per process: memory, threads, imports."""

import json
import os
import subprocess
import sys
from pathlib import Path

import skgru

# The start of a program that measures memory. The peak of a process never falls.
PEAK = """
import json, resource, sys

def peak():
    bytes_per_unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * bytes_per_unit
"""


def run_python(program, *arguments, flags=(), environment=(), timeout=None):
    """Run a program, which imports this copy of skgru; return what it writes."""
    process = subprocess.run(
        [sys.executable, *flags, "-c", program, *arguments],
        env=os.environ | {"PYTHONPATH": str(Path(skgru.__file__).parents[1])} | dict(environment),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=timeout,
    )
    return process.stdout


def json_of(program, *arguments, **options):
    """Return what a program writes, read as JSON; see `run_python`."""
    return json.loads(run_python(program, *arguments, **options))
