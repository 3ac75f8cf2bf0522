"""What a release is made of agrees: versions, the checklist, the links on PyPI, the workflow."""

import re
import tomllib
from pathlib import Path

import pytest

import skgru

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
SITE = "https://skgru.readthedocs.io/en/latest/"
# Pages of the site that no file of docs/ has the name of.
GENERATED = {"auto_examples/index.html"}


def read(path):
    return (ROOT / path).read_text(encoding="utf-8")


def value_of(key):
    """Return the value of a line of the citation; None if there is none."""
    found = re.search(rf"^{key}: (.*)$", read("CITATION.cff"), flags=re.MULTILINE)
    return found and found[1].strip("\"'")


def disagreements(version, cited, day, changelog):
    """Return what citation and changelog say that does not go with a version."""
    found = []
    if cited != version:
        found.append(f"CITATION.cff has version {cited}")
    if "dev" in version:
        if day is not None:
            found.append(f"CITATION.cff has a day, {day}, of what is not released")
        if "\n## [Unreleased]\n" not in changelog:
            found.append("CHANGELOG.md has nothing unreleased")
    elif day is None or f"\n## [{version}] - {day}\n" not in changelog:
        found.append(f"CHANGELOG.md has no [{version}] of {day}")
    return found


def test_version_citation_and_changelog_agree():
    cited, day = value_of("version"), value_of("date-released")
    assert disagreements(skgru.__version__, cited, day, read("CHANGELOG.md")) == []


@pytest.mark.parametrize(
    ("version", "cited", "day", "heading"),
    [
        ("0.2.0", "0.2.0.dev0", "2030-01-02", "[0.2.0] - 2030-01-02"),
        ("0.2.0", "0.2.0", None, "[0.2.0] - 2030-01-02"),
        ("0.2.0", "0.2.0", "2030-01-02", "[Unreleased]"),
        ("0.2.0", "0.2.0", "2030-01-02", "[0.2.0] - 2030-01-03"),
        ("0.3.0.dev0", "0.3.0.dev0", "2030-01-02", "[Unreleased]"),
        ("0.3.0.dev0", "0.3.0.dev0", None, "[0.2.0] - 2030-01-02"),
    ],
)
def test_what_does_not_agree_is_seen(version, cited, day, heading):
    assert len(disagreements(version, cited, day, f"# Changelog\n\n## {heading}\n")) == 1


# The checklist and the workflow


def stages():
    return re.search(r'^stages="(.*)"$', read(".ci/run"), flags=re.MULTILINE)[1].split()


def test_the_commands_of_the_checklist_exist():
    blocks = re.findall(r"^ *```bash\n(.*?)^ *```", read("RELEASING.md"), flags=re.M | re.S)
    lines = [line.strip() for block in blocks for line in block.splitlines()]
    assert len(lines) > 10

    runs = [re.search(r"\.ci/run(.*)", line)[1].split() for line in lines if ".ci/run" in line]
    assert runs
    assert {stage for run in runs for stage in run} <= {*stages()}

    variables = {name for line in lines for name in re.findall(r"\b(CI_\w+)=", line)}
    assert variables
    assert all(f"${{{name}:-" in read(".ci/run") for name in variables)

    dev = PROJECT["project"]["optional-dependencies"]["dev"]
    tools = {re.split(r"[>=]", requirement)[0] for requirement in dev}
    modules = {name for line in lines for name in re.findall(r"python -m (\w+)", line)}
    assert modules
    assert modules <= {*tools, "venv"}


def test_the_workflow_runs_stages_that_there_are():
    workflow = ROOT / ".github/workflows/checks.yml"
    if not workflow.exists():
        pytest.skip("only a clone has the workflow")
    named = re.search(r"'([a-z_ ]+)' \|\| ''", workflow.read_text(encoding="utf-8"))[1].split()
    assert named
    assert {*named} <= {*stages()}


# The page on PyPI


def page_on_pypi():
    """Return README.md with the substitutions of the build."""
    text = read("README.md")
    for rule in PROJECT["tool"]["hatch"]["metadata"]["hooks"]["fancy-pypi-readme"]["substitutions"]:
        text = re.sub(rule["pattern"], rule["replacement"], text)
    return text


def links(text):
    return re.findall(r"\]\(\s*<?([^\s)>]+)", text)


def is_on_the_site(link):
    """Say whether a link leads to a page of the site or to a file that it has as it is."""
    path = link.removeprefix(SITE).partition("#")[0]
    source = ROOT / "docs" / path
    return (
        path in GENERATED
        or source.with_suffix(".md").is_file()
        or (path.startswith("_static/") and source.is_file())
    )


def test_every_link_on_pypi_leads_to_the_site():
    found = links(page_on_pypi())
    assert len(found) == len(links(read("README.md"))) > 20
    assert [link for link in found if not link.startswith(SITE)] == []
    assert [link for link in found if not is_on_the_site(link)] == []


def test_the_addresses_of_the_project_are_those_of_the_site():
    urls = PROJECT["project"]["urls"]
    assert SITE.startswith(f"{urls['Documentation']}/")
    pages = [url for url in urls.values() if url != urls["Documentation"]]
    assert len(pages) > 2
    assert all(url.startswith(SITE) and is_on_the_site(url) for url in pages)
