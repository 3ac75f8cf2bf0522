"""The estimators say the same in the same words."""

import ast
import inspect
import re

import pytest

from skgru import (
    GRUClassifier,
    GRURegressor,
    MultimodalGRUClassifier,
    MultimodalGRURegressor,
    SeriesBranch,
    TableBranch,
    TokenBranch,
)

# The meaning of y is the only thing that differs, wherever it is a parameter or a result.
PARTICULAR = {"y"}
COMPARED = ("Parameters", "Attributes", "Returns", "Raises")


def sections(docstring):
    """Return the sections of a numpydoc docstring by title."""
    _, *parts = re.split(r"^([A-Z][\w ]+)\n-+\n", docstring, flags=re.MULTILINE)
    return dict(zip(parts[::2], parts[1::2], strict=True))


def entries(section):
    """Return the entries of a section, their first line included, by name."""
    blocks = re.split(r"\n+(?=\S)", section.strip())
    return {block.partition("\n")[0].partition(" : ")[0]: block for block in blocks}


def shared_entries(ours, theirs):
    """Yield the name and both texts of each entry that two docstrings have."""
    ours, theirs = sections(inspect.getdoc(ours)), sections(inspect.getdoc(theirs))
    for title in COMPARED:
        first, second = entries(ours.get(title, "")), entries(theirs.get(title, ""))
        for name in first:
            if name in second and name not in PARTICULAR | {""}:
                yield name, first[name], second[name]


def differences(shared):
    return "\n\n".join(
        f"{name}\n--- the classifier\n{ours}\n--- the regressor\n{theirs}"
        for name, ours, theirs in shared
        if ours != theirs
    )


def public_methods(estimator_class):
    methods = inspect.getmembers(estimator_class, inspect.isfunction)
    return {name for name, _ in methods if not name.startswith("_")}


PAIRS = [(GRUClassifier, GRURegressor), (MultimodalGRUClassifier, MultimodalGRURegressor)]
EACH_PAIR = pytest.mark.parametrize("pair", PAIRS, ids=["one sequence", "several inputs"])


@EACH_PAIR
def test_shared_parameters_and_attributes_have_the_same_words(pair):
    shared = list(shared_entries(*pair))
    of_both = [set(inspect.signature(each).parameters) for each in pair]
    assert set.intersection(*of_both) <= {name for name, *_ in shared}
    assert not differences(shared), differences(shared)


METHODS = [
    (*pair, name) for pair in PAIRS for name in sorted(set.intersection(*map(public_methods, pair)))
]


@pytest.mark.parametrize(("ours", "theirs", "name"), METHODS)
def test_shared_methods_have_the_same_words(ours, theirs, name):
    shared = list(shared_entries(getattr(ours, name), getattr(theirs, name)))
    assert shared or name in ("get_params", "get_feature_names_out")
    assert not differences(shared), differences(shared)


# Where several inputs are another matter than one sequence.
OF_SEVERAL = {
    "auto_params_",
    "bptt_steps",
    "dropout",
    "early_stopping",
    "feature_names_in_",
    "hidden_layer_sizes",
    "label_smoothing",
    "max_iter",
    "n_features_in_",
    "n_layers_",
    "parameters_",
    "warm_start",
}


@pytest.mark.parametrize("pair", list(zip(*PAIRS, strict=True)), ids=["classifier", "regressor"])
def test_several_inputs_and_one_sequence_are_told_in_the_same_words(pair):
    shared = [
        (name, re.sub(r" \[\d+\]_", "", ours), theirs)
        for name, ours, theirs in shared_entries(*pair)
        if name not in OF_SEVERAL
    ]
    assert {"solver", "learning_rate", "loss_curve_", "weight_decay"} <= {n for n, *_ in shared}
    assert not differences(shared), differences(shared)


@pytest.mark.parametrize("branch", [TokenBranch, SeriesBranch, TableBranch])
def test_the_parameters_of_branches_have_the_order_and_the_defaults_that_are_told(branch):
    told = entries(sections(inspect.getdoc(branch))["Parameters"])
    defaults = {name: p.default for name, p in inspect.signature(branch).parameters.items()}
    assert list(told) == list(defaults)
    for name, text in told.items():
        assert text.partition("\n")[0].endswith(f"default={defaults[name]!r}"), name


def test_the_notes_and_the_references_that_both_cite_are_the_same():
    ours, theirs = (sections(inspect.getdoc(each)) for each in (GRUClassifier, GRURegressor))
    assert ours["Notes"] == theirs["Notes"]
    shared = [ours["Notes"], *(text for _, text, _ in shared_entries(GRUClassifier, GRURegressor))]
    cited = sorted(map(int, set(re.findall(r"\[(\d+)\]_", "\n".join(shared)))))
    assert cited == list(range(1, len(cited) + 1))
    ours, theirs = (
        re.split(r"^\.\. ", each["References"], flags=re.MULTILINE)[1:] for each in (ours, theirs)
    )
    pairs = zip(cited, ours, theirs, strict=False)
    assert not differences(pairs), differences(pairs)


def test_shared_parameters_have_the_same_default():
    ours, theirs = (inspect.signature(each).parameters for each in (GRUClassifier, GRURegressor))
    shared = ours.keys() & theirs.keys()
    assert {n: ours[n].default for n in shared} == {n: theirs[n].default for n in shared}


@pytest.mark.parametrize("estimator_class", [GRUClassifier, GRURegressor])
def test_the_default_that_is_told_is_that_of_the_signature(estimator_class):
    parameters = entries(sections(inspect.getdoc(estimator_class))["Parameters"])
    signature = inspect.signature(estimator_class).parameters
    told = {
        name: ast.literal_eval(re.search(r"default=(.*)", text)[1])
        for name, text in parameters.items()
    }
    assert told == {name: parameter.default for name, parameter in signature.items()}
