"""Runs examples as the notebooks that the gallery makes of them, cell by cell."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import matplotlib
import matplotlib.pyplot as plt
import pytest
from joblib import parallel_config
from matplotlib.figure import Figure

EXAMPLES = Path(__file__).parents[2] / "examples"


class Run(NamedTuple):
    """What the cells of a notebook left."""

    names: dict[str, object]  # their variables
    printed: str
    figures: list[Figure]  # in the order in which they were shown


@pytest.fixture
def run_notebook(tmp_path, monkeypatch, capsys):
    """Return a function that runs the notebook of an example, by its name."""
    monkeypatch.chdir(tmp_path)  # for files that it writes
    backend = matplotlib.get_backend()
    matplotlib.use("Agg")
    shown = []
    monkeypatch.setattr(plt, "show", lambda: shown.extend(map(plt.figure, plt.get_fignums())))

    def run(name):
        names = {"__name__": "__main__"}
        with parallel_config("threading"):  # further processes would need time to start
            for i, code in enumerate(code_cells(name, tmp_path)):
                exec(compile(code, f"{name}, cell {i}", "exec"), names)
        return Run(names, capsys.readouterr().out, list(dict.fromkeys(shown)))

    yield run
    plt.close("all")
    matplotlib.use(backend)


def code_cells(name, folder):
    """Return the code of each cell of the notebook that the gallery makes of an example."""
    script = shutil.copy(EXAMPLES / f"{name}.py", folder)
    convert = "from sphinx_gallery.notebook import python_to_jupyter_cli as main; main()"
    done = subprocess.run([sys.executable, "-c", convert, script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    cells = json.loads((folder / f"{name}.ipynb").read_text(encoding="utf-8"))["cells"]
    assert cells[0]["cell_type"] == "markdown"
    return ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
