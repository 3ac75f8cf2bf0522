"""The code of the page on scaling out runs as it stands."""

import re
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs/scaling_out.md"


# The engines announce changes of their own, and Spark asks for an older pandas.
@pytest.mark.filterwarnings("default")
def test_the_blocks_of_the_page_run_one_after_the_other(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)  # for the files that they write
    text = PAGE.read_text(encoding="utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)
    assert len(blocks) == 6
    namespace = {}
    for block in blocks:
        exec(compile(block, PAGE.name, "exec"), namespace)
