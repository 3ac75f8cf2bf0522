"""The code of the page on weights runs as it stands, and prints what it says."""

import io
import re
from contextlib import redirect_stdout
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs/weights.md"


def test_the_blocks_of_the_page_run_one_after_the_other():
    text = PAGE.read_text(encoding="utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)
    (printed,) = re.findall(r"^```text\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)
    assert len(blocks) == 9
    namespace, out = {}, io.StringIO()
    with redirect_stdout(out):
        for block in blocks:
            exec(compile(block, PAGE.name, "exec"), namespace)
    assert out.getvalue().split() == printed.split()
