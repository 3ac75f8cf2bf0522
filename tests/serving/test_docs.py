"""The service of the page on deployment is one, and answers what the page asks."""

import json
import re
from pathlib import Path

from tests.serving.asking import serving
from tests.test_docs import ROOT, python_blocks

PAGE = "docs/deployment.md"


def test_the_application_of_the_page(tmp_path):
    namespace = {}
    exec(compile(python_blocks(PAGE)[0], PAGE, "exec"), namespace)
    (app,) = python_blocks(PAGE, "serve")
    text = Path(ROOT, PAGE).read_text(encoding="utf-8")
    (body,) = re.findall(r"curl localhost:8000/predict -d '(.*)'", text)
    (shown,) = re.findall(r'^```text\n(\{"predictions".*)\n```', text, flags=re.MULTILINE)
    with serving(tmp_path, namespace["clf"], app) as server:
        status, answer = server.ask("POST", "/predict", body)
        assert status == 200, answer
        assert answer.keys() == json.loads(shown).keys()
        assert answer["classes"] == ["down", "up"]
        assert len(answer["predictions"]) == 2
