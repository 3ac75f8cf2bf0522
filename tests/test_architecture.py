"""The map and the names of docs/architecture.md are those of the code."""

import importlib
import inspect
import re
import tomllib
from pathlib import Path

import pytest

import skgru
from skgru import GRUClassifier, GRURegressor

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "skgru"
PAGE = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
FILES = [path for path in PACKAGE.rglob("*.py") if path.name != "__init__.py"]
NEEDS_EXTRA = {"sktime", "torch_network"}  # tests/forecasting and tests/parity import them
MODULES = {
    path.stem: importlib.import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
    for path in FILES
    if path.stem not in NEEDS_EXTRA
}
PARAMETERS = {*inspect.signature(GRUClassifier).parameters} | {
    *inspect.signature(GRURegressor).parameters
}


def maps():
    """Return, of each folder on the map, the layer of each of its modules; a list of pairs."""
    found = {}
    for section in re.split(r"^### ", PAGE, flags=re.MULTILINE)[1:]:
        folder = re.match(r"`skgru/(.*)`\n", section)[1].rstrip("/")
        rows = re.findall(r"^\| (\d+) \| `([\w/.]+)` \| \S", section, flags=re.MULTILINE)
        found[folder] = [(re.sub(r"/|\.py", "", module), int(layer)) for layer, module in rows]
    return found


def layers():
    """Return the same of the layers that import-linter holds; the lowest is layer 1."""
    with open(ROOT / "pyproject.toml", "rb") as file:
        contracts = tomllib.load(file)["tool"]["importlinter"]["contracts"]
    return {
        contract["containers"][0].removeprefix("skgru").removeprefix("."): {
            module: number
            for number, names in enumerate(reversed(contract["layers"]), 1)
            for module in names.split(" | ")
        }
        for contract in contracts
        if contract["type"] == "layers"
    }


def test_every_module_is_on_the_map_once():
    on_map = sorted(f"{folder}/{name}" for folder, rows in maps().items() for name, _ in rows)
    below = [path for path in [*FILES, *PACKAGE.iterdir()] if (path / "__init__.py").exists()]
    expected = [(path.parent.relative_to(PACKAGE), path.stem) for path in {*FILES, *below}]
    folders = ["" if folder == Path() else folder.as_posix() for folder, _ in expected]
    names = [name for _, name in expected]
    assert on_map == sorted(f"{a}/{b}" for a, b in zip(folders, names, strict=True))


def test_the_layers_of_the_map_are_those_that_are_held():
    assert {folder: dict(rows) for folder, rows in maps().items()} == layers()


# Names in code style


def names():
    """Return all names and paths in code style, and calls without their brackets."""
    spans = {span for line in PAGE.splitlines() for span in re.findall(r"`([^`]+)`", line)}
    return sorted(span.removesuffix("()") for span in spans)


def definitions():
    """Return the modules that define each name of a module."""
    found = {}
    for module in MODULES.values():
        for name, value in vars(module).items():
            if getattr(value, "__module__", module.__name__) == module.__name__:
                found.setdefault(name, []).append(value)
    return found


def is_path(name):
    """Return whether it is a file or a folder, of the repository or on the map."""
    of_package = [name in (path.name, f"{path.name}/") for path in [*FILES, *PACKAGE.iterdir()]]
    is_there = (ROOT / name).exists() or any(of_package)
    return is_there and ("/" in name or "." in name or name.startswith("_"))


def is_defined(name):
    """Return whether there is just one such name in the package, or a module that has it."""
    first, *rest = name.split(".")
    found = definitions().get(first, [])
    value = found[0] if len(found) == 1 else None
    if rest and first in MODULES and not inspect.isclass(value):
        value = MODULES[first]
    for part in rest:
        fields = getattr(value, "__annotations__", {})
        value = getattr(value, part, fields.get(part))
    return value is not None


def is_setting(name):
    """Return whether it is a parameter of the estimators, maybe with a value of it."""
    parameter, _, value = name.partition("=")
    return parameter in PARAMETERS and (not value or name == 'solver="lbfgs"')


COMMANDS = {"lint-imports"}
METHODS = {name for name in dir(GRUClassifier) if not name.startswith("_")}


@pytest.mark.parametrize("name", names())
def test_every_name_in_code_style_exists(name):
    known = name in COMMANDS or name in METHODS or name in skgru.__all__
    assert known or is_path(name) or is_defined(name) or is_setting(name)


PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *ROOT.glob("docs/*.md")]
PAGES += [ROOT / "RELEASING.md", *ROOT.glob("benchmarks/*.md")]


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_every_file_that_a_page_names_exists(page):
    text = page.read_text(encoding="utf-8")
    named = set(re.findall(r"(?<![\w./…])[\w./-]*\w\.(?:py|md|toml|csv)\b", text))
    places = (ROOT, PACKAGE, page.parent)
    added = set(re.findall(r"^- File: `(.*)`", text, flags=re.MULTILINE))  # by a reader
    missing = [n for n in named - added if not any((place / n).exists() for place in places)]
    short = (
        {path.name for path in FILES} if page.name in ("architecture.md", "extending.md") else ()
    )
    assert [name for name in missing if name not in short] == []


def test_module_names_are_told_apart():
    assert len({path.stem for path in FILES}) == len(FILES)
    assert len(names()) > 150
