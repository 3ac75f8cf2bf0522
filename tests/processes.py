"""Programs in processes of their own, which import this skgru, and what they hold."""

import json
import os
import subprocess
import sys
from pathlib import Path

from threadpoolctl import threadpool_info

import skgru

# To stand in a program: peak() returns the most memory that its process has held, in bytes.
PEAK = """
import resource, sys

def peak():
    bytes_per_unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * bytes_per_unit
"""


def run_python(program, *arguments, **environment):
    """Return what a program writes, which must come to its end within minutes."""
    process = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program, *arguments],
        env=os.environ | {"PYTHONPATH": str(Path(skgru.__file__).parents[1])} | environment,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=600,
    )
    return process.stdout


def read_from_python(program, *arguments, **environment):
    """Return what a program writes, read as JSON; the arguments go to it as JSON too."""
    return json.loads(run_python(program, *map(json.dumps, arguments), **environment))


def blas_threads(*_):
    """Return how many threads each library of linear algebra in this process has."""
    return [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]
