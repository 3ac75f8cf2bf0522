"""`.ci/run` with stages of one's own choice, on a project that has a README alone."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

pytestmark = pytest.mark.skipif(
    sys.platform == "win32" or shutil.which("bash") is None,
    reason="it needs bash, and what Windows finds as `bash` may be that of another system within",
)


@pytest.fixture
def run(tmp_path):
    """Return a function that runs the stages of a project whose tests are one command."""

    def run(*stages, command="echo the tests of $PWD", **environment):
        project = tmp_path / "project"
        (project / ".ci").mkdir(parents=True)
        shutil.copy(ROOT / ".ci/run", project / ".ci")
        readme = f"# Its tests\n\n<!-- command: test -->\n```bash\n{command}\n```\n"
        (project / "README.md").write_text(readme, encoding="utf-8")
        return subprocess.run(
            ["bash", ".ci/run", *stages],
            cwd=project,
            env=os.environ | {"LC_ALL": "C", "TMPDIR": str(tmp_path)} | environment,
            capture_output=True,
            encoding="utf-8",
            timeout=60,
        )

    return run


def test_an_unknown_stage_is_an_error_that_lists_the_stages(run):
    done = run("test", "tests")
    assert done.returncode == 2
    assert done.stderr.startswith("There is no stage 'tests'. The stages: test docs lint wheel ")
    assert done.stdout == ""


def test_a_stage_alone(run, tmp_path):
    environments = tmp_path / "environments"
    # (A second, in which another stage's environment would be begun.)
    done = run("test", command="echo the tests of $PWD; sleep 1", CI_VENVS=str(environments))
    assert done.returncode == 0, done.stderr
    assert f"the tests of {tmp_path / 'project'}\n" in done.stdout
    begun = [line for line in done.stdout.splitlines() if line.startswith("===")]
    assert [line.split(":")[0] for line in begun] == ["=== test"]
    assert done.stdout.endswith("All stages passed.\n")
    assert [*environments.iterdir()] == []
    # What it wrote is removed.
    assert {path.name for path in tmp_path.iterdir()} == {"project", "environments"}


def test_a_stage_that_fails(run):
    done = run("test", command="echo before\nfalse | cat\necho after")
    assert done.returncode == 1
    assert "before\n" in done.stdout
    assert "after\n" not in done.stdout
    assert done.stdout.endswith("FAILED: test\n")


def test_a_stage_without_its_environment(run):
    done = run("lint")  # there is no project that pip could install
    assert done.returncode == 1
    assert "The environment 'lint' could not be made:\n" in done.stdout
    assert done.stdout.endswith("  lint: FAILED (no environment)\nFAILED: lint\n")


@pytest.mark.parametrize(("system", "folder"), [("linux-gnu", "bin"), ("msys", "Scripts")])
def test_the_programs_of_an_environment_by_system(run, system, folder):
    command = ".venv/bin/tool || true"
    done = run("test", command=command, OSTYPE=system)
    assert f".venv/{folder}/tool: No such file" in done.stderr
