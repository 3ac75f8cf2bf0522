"""What the page on deployment shows of ONNX Runtime runs as it stands."""

from tests.test_docs import python_blocks

PAGE = "docs/deployment.md"


def test_the_blocks_of_the_page_run_one_after_the_other(tmp_path, monkeypatch):
    blocks = [python_blocks(PAGE)[0], *python_blocks(PAGE, "onnx")]
    assert len(blocks) == 3
    monkeypatch.chdir(tmp_path)
    namespace = {}
    for block in blocks:
        exec(compile(block, PAGE, "exec"), namespace)
    assert len(namespace["label"]) == 2
    assert (tmp_path / "model.onnx").exists()
