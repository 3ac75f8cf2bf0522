"""The site, as Sphinx builds it: `python -m sphinx -W docs docs/_build` (extra `docs`)."""

import os
import re
import sys
import tempfile
import zlib
from importlib.metadata import version as version_of
from pathlib import Path

import skgru

sys.path.append(str(Path(__file__).parent / "_extensions"))

project = "skgru"
author = "the skgru developers"
copyright = author
version = release = version_of("skgru")

extensions = [
    "myst_parser",
    "numpydoc",
    "results_by_data",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.intersphinx",
    "sphinx.ext.mathjax",
    "sphinx-mathjax-offline",  # formulas without another server
    "sphinx_copybutton",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
]
templates_path = ["_templates"]
exclude_patterns = ["_build", "_inventories", "**.ipynb"]
root_doc = "index"
nitpicky = False

# --- Markdown ------------------------------------------------------------------------------------

myst_enable_extensions = ["colon_fence", "deflist", "dollarmath", "substitution"]
myst_heading_anchors = 4

# --- The reference -------------------------------------------------------------------------------

autosummary_generate = True
autodoc_mock_imports = ["sktime"]  # whose base class SktimeForecaster has
autodoc_typehints = "none"  # the docstrings have the types
autodoc_default_options = {"members": True, "inherited-members": True}
numpydoc_show_class_members = False
numpydoc_class_members_toctree = False
numpydoc_xref_param_type = True  # types of parameters lead to their own pages
numpydoc_xref_ignore = "all"  # but for what numpydoc knows, and these:
numpydoc_xref_aliases = {
    "DataFrame": "pandas.DataFrame",
    "Series": "pandas.Series",
    "Axes": "matplotlib.axes.Axes",
    "Figure": "matplotlib.figure.Figure",
    **{name: f"skgru.{name}" for name in skgru.__all__},
}

# --- Other projects ------------------------------------------------------------------------------

# Of their inventories there is here what this site names, as text: a build needs no network.
_PROJECTS = {
    "python": "https://docs.python.org/3/",
    "numpy": "https://numpy.org/doc/stable/",
    "pandas": "https://pandas.pydata.org/docs/",
    "matplotlib": "https://matplotlib.org/stable/",
    "sklearn": "https://scikit-learn.org/stable/",
}


def _inventory(name):
    """Write the inventory of a project as Sphinx reads it; return its path."""
    header = f"# Sphinx inventory version 2\n# Project: {name}\n# Version: \n"
    header += "# The remainder of this file is compressed using zlib.\n"
    entries = (Path(__file__).parent / "_inventories" / f"{name}.txt").read_bytes()
    path = Path(tempfile.mkdtemp()) / "objects.inv"
    path.write_bytes(header.encode() + zlib.compress(entries))
    return str(path)


intersphinx_mapping = {name: (url, _inventory(name)) for name, url in _PROJECTS.items()}

# --- The gallery ---------------------------------------------------------------------------------

sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "auto_examples",
    "filename_pattern": r"\.py$",
    "backreferences_dir": "reference/backreferences",
    "doc_module": ("skgru",),
    "reference_url": {"skgru": None},
    "min_reported_time": 1,
    "show_memory": False,
    "write_computation_times": False,
    "parallel": 2,
    "remove_config_comments": True,
}

# --- Pages ---------------------------------------------------------------------------------------

html_theme = "pydata_sphinx_theme"
html_title = "skgru"
html_static_path = ["_static"]
html_css_files = ["skgru.css"]
html_show_sourcelink = False
html_theme_options = {
    "show_prev_next": False,
    "secondary_sidebar_items": ["page-toc"],
    "navbar_align": "left",
    "footer_start": ["copyright"],
    "footer_end": [],
    "header_links_before_dropdown": 6,
}
html_sidebars = {"changes": [], "start": []}

# Files beside docs/ that the site has as pages of its own.
_PAGES = {
    "../README.md": "index.md",
    "../CHANGELOG.md": "changes.md",
    "../CONTRIBUTING.md": "contributing.md",
    "../RELEASING.md": "releasing.md",
    "../benchmarks/README.md": "benchmarks.md",
    "../benchmarks/RESULTS.md": "results.md",
    "../benchmarks/accuracy/README.md": "accuracy_rows.md",
}


def on_this_site(app, docname, source):
    """Let links to files that the site has as pages lead to these."""
    for file, page in _PAGES.items():
        source[0] = source[0].replace(f"]({file}", f"]({page}")


def included_as_on_this_site(app, relative_path, parent_docname, content):
    """The same in files that are included from beside docs/, whose links start elsewhere."""
    folder = (Path(app.srcdir) / relative_path).resolve().parent

    def mend(match):
        path, _, anchor = match[1].partition("#")
        target = (folder / path).resolve()
        from_docs = _relative(target, Path(app.srcdir))
        page = _PAGES.get(from_docs, from_docs)
        return f"]({page}{'#' if anchor else ''}{anchor})"

    content[0] = re.sub(r"\]\((?!https?:|#|mailto:)([^)]+)\)", mend, content[0])


def _relative(path, start):
    """Return the path from a folder, with .. where it lies beside it."""
    return Path(os.path.relpath(path, start)).as_posix()


def setup(app):
    app.connect("source-read", on_this_site)
    app.connect("include-read", included_as_on_this_site)
