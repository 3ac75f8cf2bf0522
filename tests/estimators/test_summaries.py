"""The summary of a network: layers, shapes, parameters, what "auto" chose, memory."""

import tracemalloc

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from skgru import (
    GRUClassifier,
    GRURegressor,
    MultimodalGRUClassifier,
    SequenceVectorizer,
    SeriesBranch,
    TableBranch,
    TokenBranch,
    summary,
)

QUICK = {"max_iter": 2, "random_state": 0, "learning_rate": "cosine", "early_stopping": False}


def sizes(estimator):
    return sum(array.size for array in estimator.parameters_.values())


def lines(found):
    return [(layer.name, layer.kind, layer.shape) for layer in found.layers]


def test_layers_of_numbers():
    X = np.random.RandomState(0).normal(size=(40, 8, 3))
    X[3, 2, 1] = np.nan
    clf = GRUClassifier(
        (8, 4),
        cell=["gru", "lstm"],
        bidirectional=True,
        pooling=("last", "attention"),
        patch_size=2,
        **QUICK,
    ).fit(X, np.arange(40) % 3)
    found = summary(clf)
    assert lines(found) == [
        ("inputs", "numbers, decaying", "(n_steps / 2, 6)"),
        ("hidden_0", "GRU, both directions", "(n_steps / 2, 16)"),
        ("hidden_1", "LSTM, both directions", "(n_steps / 2, 8)"),
        ("pooling", "last, attention", "(16,)"),
        ("head", "dense", "(3,)"),
    ]
    assert sum(layer.n_parameters for layer in found.layers) == found.n_parameters == sizes(clf)
    for layer in found.layers:
        own = [a.size for k, a in clf.parameters_.items() if k.startswith(f"{layer.name}.")]
        assert layer.n_parameters == sum(own)
    assert found.auto_params == clf.auto_params_
    assert "batch_size=32" in str(found)


def test_layers_of_tokens_and_steps():
    X = [np.random.RandomState(i).randint(1, 9, size=5) for i in range(30)]
    clf = GRUClassifier(8, embedding_dim=4, pooling=None, crf=True, **QUICK)
    found = summary(clf.fit(X, [x % 3 for x in X]))
    assert lines(found) == [
        ("embedding", "embedding of 8 tokens", "(n_steps, 4)"),
        ("hidden_0", "GRU", "(n_steps, 8)"),
        ("head", "dense", "(3,)"),
        ("chain", "tags of a sequence", "(n_steps, 3)"),
    ]
    assert sum(layer.n_parameters for layer in found.layers) == sizes(clf)


def test_layers_of_branches():
    X = pd.DataFrame({"hr": list(np.random.RandomState(0).normal(size=(30, 4)))})
    X["note"], X["age"], X["sex"] = ["a b", "c d e"] * 15, range(30), list("fm") * 15
    analyzed = {"token_pattern": r"\w"}
    branches = [
        ("v", SeriesBranch(), "hr"),
        ("n", TokenBranch(SequenceVectorizer(**analyzed)), "note"),
        ("t", TableBranch(hidden_layer_sizes=(7, 3)), ["age", "sex"]),
        ("<w>", TableBranch(TfidfVectorizer(**analyzed)), "note"),
    ]
    clf = MultimodalGRUClassifier(branches, fusion="gated", hidden_layer_sizes=5, **QUICK)
    clf.set_params(v__bidirectional=False, v__pooling="mean", n__embedding_dim=6)
    clf.set_params(n__bidirectional=False, n__pooling="max")
    found = summary(clf.fit(X, [0, 1] * 15), X)
    assert lines(found) == [
        ("v.inputs", "numbers", "(n_steps, 1)"),
        ("v.hidden_0", "GRU", "(n_steps, 64)"),
        ("v.pooling", "mean", "(64,)"),
        ("n.embedding", "embedding of 6 tokens", "(n_steps, 6)"),
        ("n.hidden_0", "GRU", "(n_steps, 64)"),
        ("n.pooling", "max", "(64,)"),
        ("t.embedding", "numbers: 1, categories: 1", "(3,)"),
        ("t.hidden_0", "dense", "(7,)"),
        ("t.hidden_1", "dense", "(3,)"),
        ("<w>.inputs", "sparse numbers", "(5,)"),
        ("<w>.wide", "dense", "(1,)"),
        *(
            (f"{name}.absence", "in place of an absent branch", f"({n},)")
            for name, n in (("v", 64), ("n", 64), ("t", 3), ("<w>", 1))
        ),
        ("fusion.gate", "weights of the branches", "(4,)"),
        ("fusion.hidden_0", "dense", "(5,)"),
        ("head", "dense", "(1,)"),
    ]
    assert sum(layer.n_parameters for layer in found.layers) == sizes(clf)
    assert list(found.bytes_per_step) == ["v", "n", "t", "<w>"]
    assert "<w>" not in found._repr_html_()
    assert "&lt;w&gt;.inputs" in found._repr_html_()


@pytest.mark.parametrize("cell", ["gru", "lstm"])
def test_the_memory_of_an_update_is_about_what_a_training_takes(cell):
    X = np.random.RandomState(0).normal(size=(32, 400, 4)).astype(np.float32)
    reg = GRURegressor(64, cell=cell, patch_size=1, batch_size=32, n_jobs=1, **QUICK)
    reg.set_params(max_iter=1)
    tracemalloc.start()
    reg.fit(X, X[:, 0, 0])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    found = summary(reg, X).update_bytes
    assert 0.7 * peak < found < 1.3 * peak
    some = summary(reg, [*X[:2, :100], *X[2:, :10]]).update_bytes
    assert 400 / 15.625 / 2 < found / some < 400 / 15.625


def test_memory_is_said_for_each_step_or_for_x():
    X = np.random.RandomState(0).normal(size=(40, 8, 1))
    reg = GRURegressor(8, **QUICK).fit(X, X[:, 0, 0])
    assert summary(reg).update_bytes is None
    assert "for each step of a sequence" in str(summary(reg))
    assert "with the longest of X" in str(summary(reg, X))
    lbfgs = GRURegressor(8, solver="lbfgs", max_iter=2).fit(X, X[:, 0, 0])
    assert summary(lbfgs, X).update_bytes is None


def test_parameters_may_have_been_set_since_training():
    X = np.random.RandomState(0).normal(size=(40, 8, 1))
    reg = GRURegressor(8, batch_size=8, **QUICK).fit(X, X[:, 0, 0])
    assert summary(reg, X).update_bytes is not None
    assert summary(reg.set_params(batch_size="auto"), X).update_bytes is None
    with pytest.raises(ValueError, match="'solver' parameter of GRURegressor"):
        summary(reg.set_params(solver="adm"), X)
    del reg.auto_params_  # of an earlier version
    assert summary(reg).auto_params == {}


def test_text_and_html_have_all_layers():
    X = np.random.RandomState(0).normal(size=(40, 8, 1))
    found = summary(GRURegressor(32, pooling=("last", "mean"), **QUICK).fit(X, X[:, 0, 0]))
    text, html = str(found), found._repr_html_()
    assert repr(found) == text
    for layer in found.layers:
        assert f"{layer.n_parameters:,}</td>" in html
        assert any(line.startswith(layer.name) for line in text.splitlines())
    assert "3,264" in text
    assert html.count("<tr>") == 2 + len(found.layers)


def test_pipelines_and_searches_are_opened_and_others_refused():
    X = ["the good film", "the bad film", "the film"] * 8
    y = ["good" in x for x in X]
    pipeline = make_pipeline(SequenceVectorizer(), GRUClassifier(4, **QUICK))
    with pytest.raises(NotFittedError):
        summary(pipeline)
    search = GridSearchCV(pipeline, {"gruclassifier__alpha": [0.1]}, cv=2).fit(X, y)
    expected = summary(search.best_estimator_[-1])
    found = summary(search, X)
    assert found.layers == expected.layers
    assert found.update_bytes > expected.bytes_per_step[""]
    with pytest.raises(TypeError, match="got SequenceVectorizer"):
        summary(SequenceVectorizer())
