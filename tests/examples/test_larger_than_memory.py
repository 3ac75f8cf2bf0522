"""Training on a file, part by part, holds little of it, also where there is no more memory."""

import re
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.examples.pictures import lines_of
from tests.processes import run_python

EXAMPLES = Path(__file__).parents[2] / "examples"

# It allows itself 100 MiB beside what the libraries take, and reads a file of 122 MiB of series.
# Tracing memory is left out, which takes memory itself.
LIMITED = """
import resource, sys
import matplotlib.pyplot, numpy, pyarrow, pyarrow.parquet, sklearn.frozen, skgru
from pathlib import Path
from scipy.linalg import blas

# BLAS gets its memory at its first product, and how much depends on the processor.
square = numpy.ones((500, 500), numpy.float32)
square @ square, blas.sgemm(1.0, square, square)
square.astype(float) @ square, blas.dgemm(1.0, square, square)

code = Path(sys.argv[1]).read_text(encoding="utf-8")
for text, other in (("N_MACHINES, N_STEPS, ROWS_OF_A_GROUP = 12_000", "N_MACHINES, N_STEPS, "
    "ROWS_OF_A_GROUP = 40_000"), ("N_EPOCHS = 2", "N_EPOCHS = 1"), ("tracemalloc.start()", "")):
    assert code.count(text) == 1
    code = code.replace(text, other)
pyarrow.set_cpu_count(1)  # each thread would have memory of its own
pyarrow.set_io_thread_count(1)
own = int(Path("/proc/self/status").read_text().split("VmData:")[1].split()[0]) * 1024
resource.setrlimit(resource.RLIMIT_DATA, (own + 100 * 2**20, resource.RLIM_INFINITY))
exec(compile(code, sys.argv[1], "exec"), globals())
try:
    numpy.empty(n_bytes, numpy.uint8)
except MemoryError:
    print("there is no memory for all of them at once")
"""


def check(printed, n_rows):
    assert f"{n_rows} rows to train on, 12 words, 4 sites" in printed
    assert float(re.search(r"accuracy on the last 250 rows (\d\.\d+)", printed)[1]) > 0.92


def test_larger_than_memory(run_notebook):
    run = run_notebook("larger_than_memory")
    check(run.printed, 11750)
    held, whole = re.search(r"(\d+) MiB held at most, of (\d+) MiB", run.printed).groups()
    assert int(held) < 15 < int(whole) == 37
    above, below = run.figures[0].axes
    used = lines_of(above)["held at most"]
    assert len(used) == 3 * 47
    assert used[0] > 250 * 2 * 400 * 4 / 2**20  # the series of a group, at least
    assert used.max() == pytest.approx(int(held), abs=0.5)
    assert lines_of(above)["all series at once"][0] == pytest.approx(int(whole), abs=0.5)
    of_training = used[47:]
    assert of_training[-20:].max() < 1.1 * of_training[:20].max()  # however much has been read
    groups, losses = below.lines[0].get_data()
    np.testing.assert_array_equal(groups, np.arange(48, 142))
    assert np.mean(losses[-10:]) < 0.5 * np.mean(losses[:5])
    assert not Path(run.names["folder"].name).exists()


@pytest.mark.skipif(sys.platform != "linux", reason="Linux limits what a process may hold")
def test_larger_than_memory_where_there_is_no_memory_for_all_of_it():
    # Arrow's other allocators reserve 1 GiB that they may need later.
    environment = {"ARROW_DEFAULT_MEMORY_POOL": "system", "MPLBACKEND": "agg"}
    path = str(EXAMPLES / "larger_than_memory.py")
    printed = run_python(LIMITED, path, flags=["-W", "error"], environment=environment)
    check(printed, 39750)
    assert "there is no memory for all of them at once" in printed
