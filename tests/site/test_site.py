"""The site as it was built: links lead somewhere, nothing is fetched, nothing is missing."""

import csv
import hashlib
import importlib
import posixpath
from html.parser import HTMLParser
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

import pytest
from sphinx.util.inventory import InventoryFile

ROOT = Path(__file__).parents[2]
SITE = ROOT / "docs/_build"
MODULES = "skgru", "callbacks", "inspection", "interop", "metrics", "serving"


class Page(HTMLParser):
    """The links, the ids and the sources of a page."""

    def __init__(self, path):
        super().__init__()
        self.links, self.ids, self.sources = [], set(), []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        self.ids |= {found[name] for name in ("id", "name") if name in found}
        if tag == "a" and "href" in found:
            self.links.append(found["href"])
        if tag == "link" and found.get("rel") in ("stylesheet", "preload", "icon"):
            self.sources.append(found["href"])
        if tag in ("script", "img", "iframe") and "src" in found:
            self.sources.append(found["src"])


class Target(NamedTuple):
    """Where a link leads: a file of the site, and a place in it."""

    path: str
    anchor: str


@pytest.fixture(scope="module")
def pages():
    found = {
        path.relative_to(SITE).as_posix(): Page(path)
        for path in SITE.rglob("*.html")
        if "_static" not in path.parts
    }
    assert len(found) > 50, "build the site first: python -m sphinx -W docs docs/_build"
    return found


def is_elsewhere(link):
    return bool(urlsplit(link).scheme or urlsplit(link).netloc)


def target_of(page, link):
    parts = urlsplit(link)
    path = posixpath.normpath(posixpath.join(posixpath.dirname(page), unquote(parts.path)))
    return Target(path if parts.path else page, unquote(parts.fragment))


def leads_nowhere(page, link, pages):
    path, anchor = target_of(page, link)
    if not (SITE / path).is_file():
        return True
    return bool(anchor) and path in pages and anchor not in pages[path].ids


def test_every_link_leads_to_a_page_and_a_place_in_it(pages):
    links = [(name, link) for name, page in pages.items() for link in page.links]
    inside = [(name, link) for name, link in links if not is_elsewhere(link)]
    assert len(inside) > 2000
    assert [pair for pair in inside if leads_nowhere(*pair, pages)] == []


def test_a_link_that_leads_nowhere_is_seen(pages):
    assert not leads_nowhere("index.html", "start.html#texts", pages)
    assert leads_nowhere("index.html", "start.html#no-such-place", pages)
    assert leads_nowhere("start.html", "no_such_page.html", pages)


def test_nothing_is_fetched_from_elsewhere(pages):
    sources = {(name, source) for name, page in pages.items() for source in page.sources}
    assert len(sources) > 500
    outside = [(name, s) for name, s in sources if is_elsewhere(s) and not s.startswith("data:")]
    assert outside == []
    missing = [
        (name, s)
        for name, s in sources
        if not is_elsewhere(s) and not (SITE / target_of(name, s).path).is_file()
    ]
    assert missing == []


@pytest.mark.parametrize("module", MODULES)
def test_every_public_name_has_a_place_in_the_reference(module):
    with open(SITE / "objects.inv", "rb") as file:
        inventory = InventoryFile.load(file, "", posixpath.join)
    known = {name for kind in inventory for name in inventory[kind] if kind.startswith("py:")}
    path = "skgru" if module == "skgru" else f"skgru.{module}"
    public = importlib.import_module(path).__all__
    assert [name for name in public if f"{path}.{name}" not in known] == []


def test_every_example_has_a_page_with_a_picture_of_its_own():
    names = sorted(path.stem for path in (ROOT / "examples").glob("*.py"))
    assert len(names) >= 15
    thumbnails = {}
    for name in names:
        page = (SITE / f"auto_examples/{name}.html").read_text(encoding="utf-8")
        assert f"sphx_glr_{name}_001.png" in page, name
        assert "sphx-glr-script-out" in page, f"{name} prints nothing"
        assert list(SITE.glob(f"_downloads/*/{name}.ipynb")), name
        (thumbnail,) = SITE.glob(f"_images/sphx_glr_{name}_thumb.png")
        thumbnails[hashlib.sha256(thumbnail.read_bytes()).hexdigest()] = name
    assert len(thumbnails) == len(names)


def test_the_search_knows_every_page(pages):
    index = (SITE / "searchindex.js").read_text(encoding="utf-8")
    assert [
        name for name in ("start", "questions.zh", "gradients") if f'"{name}"' not in index
    ] == []


def test_the_page_of_results_has_every_line_of_the_file():
    page = (SITE / "accuracy_by_data.html").read_text(encoding="utf-8")
    with open(ROOT / "benchmarks/accuracy/results.csv", encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    assert len(lines) > 200
    cells = [
        f"{line['mean']} ± {line['deviation']}" if line["deviation"] else line["mean"]
        for line in lines
    ]
    missing = [cell for cell in cells if f"<p>{cell}</p>" not in page]
    assert missing == []
    assert page.count(" ± ") >= sum(bool(line["deviation"]) for line in lines)


def test_the_types_of_parameters_lead_to_their_pages(pages):
    links = {urlsplit(link).netloc for link in pages["reference/skgru.GRUForecaster.html"].links}
    assert {"docs.python.org", "numpy.org", "pandas.pydata.org", "scikit-learn.org"} <= links
