"""A fitted estimator of each form that models have, with what it says of new samples."""

import copy

import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from skgru import (
    GRUClassifier,
    GRUForecaster,
    GRURegressor,
    LagSelector,
    MultimodalGRUClassifier,
    MultimodalGRURegressor,
    PerTimestep,
    SequenceAligner,
    SequenceVectorizer,
    SeriesBranch,
    TableBranch,
    TokenBranch,
    WordVectors,
)
from tests import fitted
from tests.datasets import ragged, rectangle, small, token_sequences
from tests.fitted import LABELS, TEXTS
from tests.multimodal import samples


def of(form):
    """Return a form of `tests.fitted` as one of these."""

    def make():
        model, _, X = form()
        return model, lambda model: said(model, X)

    make.__name__ = form.__name__
    return make


def said(model, X):
    """Return all that an estimator says of X, as a list of arrays."""
    names = ["predict", "predict_proba", "transform", "transform_steps"]
    found = []
    for name in names:
        try:
            call = getattr(model, name, None)
            result = None if call is None else call(X)
        except ValueError as error:  # of what it has not
            result = np.array(str(error))
        found.extend(flat(result))
    return found


def flat(result):
    """Return the arrays that a result consists of."""
    if result is None:
        return []
    if hasattr(result, "toarray"):
        result = result.toarray()
    if isinstance(result, list) or result.dtype == object:
        return [np.asarray(part) for part in result]
    return [np.asarray(result)]


def of_network(X, y, estimator_class=GRUClassifier, **parameters):
    model = small(estimator_class, **parameters).fit(X, y)
    return model, lambda model: said(model, X)


def decay():
    return of_network(*fitted.with_holes())


def times():
    X, y = ragged(n_features=2, shortest=2)
    for x in X:
        x[:, 1] = np.arange(len(x))
    return of_network(X, y, time_feature=1)


def indicator():
    return of_network(*fitted.with_holes(), missing="indicator", scaling="robust")


def own_scale():
    X, y = ragged(n_features=2, shortest=2)
    return of_network([x * 10.0 ** (i % 5) for i, x in enumerate(X)], y, scaling="sequence")


def never_seen():
    X, y = ragged(n_features=2, shortest=2)
    for x in X:
        x[:, 1] = np.nan
    return of_network(X, y)


def convolutions():
    return of_network(*rectangle(n_steps=12), n_convolutions=84)


def convolutions_apart():
    X, y = rectangle(n=120, n_steps=12)
    return of_network(X, y, n_convolutions=84)


def stacked_cells():
    return of_network(
        *ragged(),
        GRURegressor,
        hidden_layer_sizes=(3, 2),
        cell=("lstm", "gru"),
        bidirectional=True,
        pooling=("last", "attention", "max"),
        patch_size=2,
        dtype="float64",
    )


def counts():
    X, _ = ragged()
    return of_network(X, [len(x) for x in X], GRURegressor, loss="poisson")


def defaults():
    X, y = rectangle(n=60)
    model = GRUClassifier(max_iter=2, random_state=0).fit(X, y)
    return model, lambda model: said(model, X)


def partly_fitted():
    X, y = ragged()
    model = small(GRUClassifier).partial_fit(X, y, classes=[0, 1])

    def go_on(model):
        trained = copy.deepcopy(model).partial_fit(X, y)
        return [*said(model, X), *said(trained, X)]

    return model, go_on


def bag():
    model = make_pipeline(SequenceVectorizer(), small(GRUClassifier, bag=True))
    return model.fit(TEXTS, LABELS), lambda model: said(model, [*TEXTS, "unheard of", ""])


def word_vectors():
    vectors = WordVectors(["good", "bad", "film"], np.eye(3))
    model = make_pipeline(SequenceVectorizer(), small(GRUClassifier, embedding_matrix=vectors))
    return model.fit(TEXTS, LABELS), lambda model: said(model, TEXTS)


def frozen_embedding():
    X, y = token_sequences()
    return of_network(X, y, embedding_matrix=np.eye(9), freeze_embedding=True)


def multimodal(estimator_class=MultimodalGRUClassifier, given=None, **parameters):
    X, y = samples.frame()
    X = samples.with_cell(X, 1, "pulse", None)
    X = samples.with_cell(X, 1, "pressure", None)
    X.loc[2, "age"] = np.nan
    model = samples.small(estimator_class, given, **parameters).fit(X, y)
    return model, lambda model: said(model, X)


def gated():
    return multimodal(MultimodalGRURegressor, fusion="gated")


def transformed_branches():
    given = [
        ("words", TableBranch(TfidfVectorizer()), "note"),
        ("ward", TableBranch(OneHotEncoder(handle_unknown="ignore")), ["ward"]),
        ("note", TokenBranch(SequenceVectorizer(), embedding_dim=3), "note"),
        ("pulse", SeriesBranch(PerTimestep(StandardScaler())), ["pulse"]),
    ]
    return multimodal(given=given)


def lags():
    values = np.random.default_rng(0).normal(size=(24, 4))
    X = pd.DataFrame(values, columns=[f"lag_{i}" for i in (1, 2, 3, 4)])
    branches = [("lags", SeriesBranch(), LagSelector())]
    model = MultimodalGRURegressor(branches, max_iter=2, random_state=0).fit(X, X["lag_1"])
    return model, lambda model: said(model, X)


def column_transformer():
    X = pd.DataFrame({"text": TEXTS})
    vectorize = make_column_transformer((SequenceVectorizer(), "text"))
    model = make_pipeline(vectorize, small(GRUClassifier, embedding_dim=3)).fit(X, LABELS)
    return model, lambda model: said(model, X)


def per_timestep():
    X, _ = ragged(n_features=2)
    return PerTimestep(StandardScaler()).fit(X), lambda model: said(model, X)


def per_timestep_categories():
    X = [["a", "b"], ["b"], ["c", "a"]]
    return PerTimestep(OneHotEncoder()).fit(X), lambda model: said(model, X)


def vectorizer():
    model = SequenceVectorizer(ngram_range=(1, 2), max_features=5).fit(TEXTS)
    return model, lambda model: said(model, TEXTS)


def aligner():
    events = {"sample": [0, 0, 1], "time": [0.0, 1.5, 0.0], "channel": [*"aba"], "value": [1, 2, 3]}
    events = pd.DataFrame(events)
    model = SequenceAligner().fit(events)
    return model, lambda model: said(model, events)


def forecaster():
    y = np.sin(np.arange(80.0)) + np.random.default_rng(0).normal(scale=0.1, size=80)
    model = GRUForecaster(horizon=2, window=8, max_iter=2, random_state=0).fit(y)
    return model, lambda model: flat(model.predict(3)) + flat(model.predict_interval())


FORMS = [
    *map(of, fitted.FORMS),
    *(decay, times, indicator, own_scale, never_seen, convolutions, convolutions_apart),
    *(stacked_cells, counts, defaults, partly_fitted, bag, word_vectors, frozen_embedding),
    *(multimodal, gated, transformed_branches, lags, column_transformer),
    *(per_timestep, per_timestep_categories, vectorizer, aligner, forecaster),
]
