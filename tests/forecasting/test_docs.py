"""The code of the page on forecasting libraries runs as it stands."""

import re
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs/forecasting_libraries.md"


# sktime and darts announce changes of their own.
@pytest.mark.filterwarnings("default")
def test_the_blocks_of_the_page_run_one_after_the_other():
    text = PAGE.read_text(encoding="utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)
    assert len(blocks) == 8
    namespace = {}
    for block in blocks:
        exec(compile(block, PAGE.name, "exec"), namespace)
