"""What README and docs show runs as it stands, sets no more than it needs, and links right."""

import ast
import doctest
import inspect
import re
from collections import Counter
from pathlib import Path

import pytest
from joblib import parallel_config

import skgru

ROOT = Path(__file__).parents[1]
# What their lines print stands behind them.
PAGES_THAT_PRINT = ["README.md", "README.zh.md", "docs/start.md"]
PAGES = [
    "docs/questions.md",
    "docs/data_forms.md",
    "docs/missing_and_irregular.md",
    "docs/text.md",
    "docs/long_tables.md",
    "docs/modalities.md",
    "docs/forecasting.md",
    "docs/tagging.md",
    "docs/steps.md",
    "docs/training.md",
    "docs/watching.md",
    "docs/explanation.md",
    "docs/deployment.md",  # but for what needs extras: tests/serving and tests/tracking run that
    "docs/coming_from.md",
    "docs/promises.md",
    "docs/troubleshooting.md",
    "docs/gradients.md",
    "docs/extending.md",
]
# The same code as that of another page.
TRANSLATED = ["docs/questions.zh.md"]
# They need other libraries: tests/forecasting, tests/parity and tests/scaling_out run them.
PAGES_OF_EXTRAS = [
    "docs/forecasting_libraries.md",
    "docs/scaling_out.md",
    "docs/weights.md",
]


def python_blocks(page, extra=""):
    """Return the blocks of Python of a page: those without an extra, or those that need one."""
    text = (ROOT / page).read_text(encoding="utf-8")
    fence = f"```python {extra}".strip()
    return re.findall(rf"^{fence}\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("page", PAGES)
def test_the_blocks_of_a_page_run_one_after_the_other(page, monkeypatch, tmp_path):
    # What the blocks assert is reached with fewer updates than there are by default. Other
    # processes would know nothing of that.
    monkeypatch.setattr("skgru._defaults._UPDATES", 100)
    monkeypatch.chdir(tmp_path)  # for the files that they write
    blocks = python_blocks(page)
    assert blocks
    namespace = {}
    with parallel_config("threading"):
        for block in blocks:
            exec(compile(block, page, "exec"), namespace)


@pytest.mark.parametrize("page", PAGES_THAT_PRINT)
def test_a_page_prints_what_it_says(page, capsys):
    said, printed, namespace = [], [], {}
    for block in python_blocks(page):
        said += re.findall(r"^print\(.*\)  # (.*)$", block, flags=re.MULTILINE)
        exec(compile(block, page, "exec"), namespace)
        printed += capsys.readouterr().out.splitlines()
    assert len(said) > 2
    assert printed == said


def test_every_page_with_python_code_is_run():
    pages = [path.relative_to(ROOT).as_posix() for path in ROOT.glob("docs/**/*.md")]
    run = {*PAGES_THAT_PRINT, *PAGES, *TRANSLATED, *PAGES_OF_EXTRAS}
    readmes = [path.name for path in ROOT.glob("README*.md")]
    assert {page for page in [*readmes, *pages] if python_blocks(page)} == run


def code_of(path):
    """Return the code that a file shows: blocks of a page, doctests of a module, an example."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".md":
        return "".join(python_blocks(path))
    if path.parent.name == "examples":
        return text
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef)
    nodes = [node for node in ast.walk(ast.parse(text)) if isinstance(node, documented)]
    parser = doctest.DocTestParser()
    docstrings = filter(None, map(ast.get_docstring, nodes))
    return "".join(e.source for d in docstrings for e in parser.get_examples(d))


def settings_that_are_defaults(code):
    """Yield each keyword of a call of skgru whose value is the default."""
    defaults = {name: inspect.signature(getattr(skgru, name)).parameters for name in skgru.__all__}
    for call in ast.walk(ast.parse(code)):
        name = getattr(call.func, "id", None) if isinstance(call, ast.Call) else None
        for keyword in call.keywords if name in defaults else ():
            parameter = defaults[name].get(keyword.arg)
            if parameter and ast.unparse(keyword.value) == repr(parameter.default):
                yield f"{name}({ast.unparse(keyword)})"


SHOWN = ["README*.md", "docs/*.md", "examples/*.py", "skgru/**/*.py"]


def test_no_code_that_is_shown_sets_a_default():
    found = {
        path.relative_to(ROOT).as_posix(): [*settings_that_are_defaults(code_of(path))]
        for pattern in SHOWN
        for path in ROOT.glob(pattern)
    }
    assert len(found) > 30
    assert {path: settings for path, settings in found.items() if settings} == {}


LINKED = ["README.md", "CHANGELOG.md", "CONTRIBUTING.md", "RELEASING.md"]
LINKED += ["docs/*.md", "benchmarks/**/*.md"]
GENERATED = ROOT / "docs/auto_examples"


def prose_of(path):
    """Return the lines of a page that are not in a fenced block."""
    text = path.read_text(encoding="utf-8")
    return re.sub(r"^(```+)[^`]*?\n.*?^\1$", "", text, flags=re.MULTILINE | re.DOTALL)


def anchors_of(path):
    """Return the anchors of a page's headings, as GitHub makes them: equal ones are numbered."""
    anchors, seen = [], Counter()
    for heading in re.findall(r"^#{1,6} (.+)$", prose_of(path), flags=re.MULTILINE):
        shown = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading)  # of a link, its text
        plain = re.sub(r"[^\w\- ]", "", shown.strip().lower()).replace(" ", "-")
        anchors.append(f"{plain}-{seen[plain]}" if seen[plain] else plain)
        seen[plain] += 1
    return anchors


def links_of(path):
    """Return the relative links of a page."""
    prose = re.sub(r"`(?:[^`\n]|\n(?!\n))*`", "code", prose_of(path))
    links = re.findall(r"\]\(\s*<?([^\s)>]+)", prose)
    return [link for link in links if not re.match(r"[a-z]+:", link)]


def leads_somewhere(page, link):
    """Say whether a link of a page leads to a file and, with an anchor, to a heading of it."""
    file, _, anchor = link.partition("#")
    target = (page.parent / file).resolve() if file else page
    if target.is_relative_to(GENERATED):
        return True
    return target.exists() and (not anchor or anchor in anchors_of(target))


def test_every_link_leads_to_a_file_and_a_heading():
    links = [
        (page, link)
        for pattern in LINKED
        for page in sorted(ROOT.glob(pattern))
        for link in links_of(page)
    ]
    assert len(links) > 100
    broken = [
        f"{page.relative_to(ROOT).as_posix()}: {link}"
        for page, link in links
        if not leads_somewhere(page, link)
    ]
    assert broken == []


def in_step(page):
    """Return what a page has in common with itself in another language."""
    text = (ROOT / page).read_text(encoding="utf-8")
    blocks = re.compile(r"^```(\w*)\n(.*?)^```", flags=re.MULTILINE | re.DOTALL)
    prose = blocks.sub("", text)
    rows = [line for line in prose.splitlines() if line.startswith("|")]
    bash = [code for language, code in blocks.findall(text) if language == "bash"]
    n_python = sum(language == "python" for language, _ in blocks.findall(text))
    links = re.findall(r"\]\(([^)]+)\)", prose)
    marks = re.findall(r"<!--.*-->", text)
    return {
        "commands": bash + re.findall(r"`(p(?:ip|ython) [^`]+)`", prose),
        "figures of each row": [sorted(re.findall(r"\d[\d,.]*\d|\d", row)) for row in rows],
        "figures": sorted(re.findall(r"(?<![\w.])\d*\.\d+|\d+(?= %)", prose)),
        "links": sorted({link.replace(".zh.md", ".md") for link in links}),
        "headings": len(re.findall(r"^#+ ", prose, flags=re.MULTILINE)),
        "items": len(re.findall(r"^- ", prose, flags=re.MULTILINE)),
        "blocks and marks": (n_python, marks),
    }


def test_the_readme_in_chinese_is_in_step():
    english, chinese = in_step("README.md"), in_step("README.zh.md")
    assert len(english["figures"]) > 10
    assert chinese == english


def test_questions_in_chinese_are_in_step():
    pages = "docs/questions.md", *TRANSLATED
    english, chinese = map(python_blocks, pages)
    assert [ast.dump(ast.parse(code)) for code in chinese] == [
        ast.dump(ast.parse(code)) for code in english
    ]
