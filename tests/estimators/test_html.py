"""What estimators show in a notebook: their parameters, linked to the documentation of each."""

import re
import tomllib
from pathlib import Path

import pytest
import sklearn
from sklearn.base import BaseEstimator
from sklearn.preprocessing import StandardScaler
from sklearn.utils.fixes import parse_version

import skgru
from skgru import GRUClassifier, SeriesBranch

# scikit-learn links to single parameters from 1.8 on, and to a class as a whole in all versions.
LINKS_PARAMETERS = parse_version(sklearn.__version__) >= parse_version("1.8")
LINKS_ATTRIBUTES = parse_version(sklearn.__version__) >= parse_version("1.9")
ARGUMENTS = {
    "MultimodalGRUClassifier": [[("series", SeriesBranch(), [0])]],
    "MultimodalGRURegressor": [[("series", SeriesBranch(), [0])]],
    "PerTimestep": [StandardScaler()],
}
ESTIMATORS = [
    name
    for name in skgru.__all__
    if isinstance(getattr(skgru, name), type) and issubclass(getattr(skgru, name), BaseEstimator)
]


def make(name):
    return getattr(skgru, name)(*ARGUMENTS.get(name, []))


@pytest.mark.parametrize("name", ESTIMATORS)
def test_links_to_the_documentation_of_each_parameter(name):
    estimator = make(name)
    html = estimator._repr_html_()
    page = f"https://skgru.readthedocs.io/en/latest/generated/skgru.{name}.html"
    assert f'href="{page}"' in html
    if LINKS_PARAMETERS:
        linked = re.findall(rf'href="{re.escape(page)}#:~:text=(\w+),-[^"]+"', html)
        assert sorted(linked) == sorted(estimator.get_params(deep=False))
        assert html.count('class="param-doc-description"') >= len(linked)


@pytest.mark.parametrize("name", ESTIMATORS)
def test_documents_each_attribute_on_a_line_of_its_own(name):
    """scikit-learn finds it by that line only."""
    _, _, attributes = getattr(skgru, name).__doc__.partition("    Attributes\n")
    joined = re.findall(r"^    \w+_, .* : .*", attributes, flags=re.MULTILINE)
    assert not joined


def test_links_to_what_is_fitted():
    model = GRUClassifier(2, max_iter=1, random_state=0).fit([[1.0], [2.0]], [0, 1])
    html = model._repr_html_()
    for name in ("classes_", "feature_scale_"):
        assert (f"#:~:text={name},-" in html) == LINKS_ATTRIBUTES


def test_the_site_is_that_of_the_project():
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text("utf-8"))
    site = project["project"]["urls"]["Documentation"]
    assert GRUClassifier()._get_doc_link().startswith(f"{site}/")


def test_a_release_links_to_the_stable_documentation(monkeypatch):
    monkeypatch.setattr("skgru._estimator.__version__", "0.2.0")
    assert "/en/stable/" in GRUClassifier()._get_doc_link()


def test_an_estimator_of_another_project_has_no_link_to_this_one():
    class Own(GRUClassifier):
        pass

    assert not Own()._get_doc_link()
    assert "readthedocs" not in Own()._repr_html_()
