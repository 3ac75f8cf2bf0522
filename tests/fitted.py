"""Small fitted estimators of each form of X, with samples as JSON has them and as X."""

import numpy as np
import pandas as pd
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skgru import GRUClassifier, GRURegressor, PerTimestep, SequenceVectorizer
from tests.datasets import ragged, rectangle, small, token_sequences
from tests.multimodal import samples

TEXTS = ["a good film", "bad", "good", "a very bad film", "good good film", "so bad it is bad"] * 4
LABELS = ["praise" if "good" in text else "blame" for text in TEXTS]


def lists(X):
    """Return sequences as lists of numbers, in which what is missing is None."""
    return [np.where(np.isnan(x), None, x).tolist() for x in X]


def with_holes():
    X, y = ragged(n_features=2)
    for x in X[1::2]:
        x[0, 1] = np.nan
    return X, y


def numbers():
    X, y = with_holes()
    return small(GRUClassifier).fit(X, np.array(["no", "yes"])[y]), lists(X), X


def one_feature():
    X, y = ragged()
    X = [x[:, 0] for x in X]
    return small(GRUClassifier).fit(X, y), lists(X), X


def same_lengths():
    X, y = rectangle(n_features=2)
    return small(GRUClassifier).fit([*X], y), lists(X), X


def table():
    X, y = rectangle()
    return small(GRURegressor).fit(X[:, :, 0], y), lists(X[:, :, 0]), X[:, :, 0]


def named_table():
    X, y = rectangle()
    X = pd.DataFrame(X[:, :, 0]).add_prefix("t")
    model = make_pipeline(StandardScaler(), small(GRURegressor)).fit(X, y)
    return model, X.to_dict("records"), X


def named_sequences():
    X, y = with_holes()
    X = pd.DataFrame({name: [x[:, j] for x in X] for j, name in enumerate(["pulse", "pressure"])})
    return small(GRUClassifier).fit(X, y), [*map(record, X.to_dict("records"))], X


def record(row):
    return {name: plain(cell) for name, cell in row.items()}


def plain(cell):
    if isinstance(cell, np.ndarray):
        return lists([cell])[0]
    return None if isinstance(cell, float) and np.isnan(cell) else cell


def tokens():
    X, y = token_sequences()
    return small(GRUClassifier, embedding_dim=3).fit(X, y), [x.tolist() for x in X], X


def texts():
    model = make_pipeline(SequenceVectorizer(), small(GRUClassifier, embedding_dim=3))
    return model.fit(TEXTS, LABELS), TEXTS, TEXTS


def words():
    X = [text.split() for text in TEXTS]
    y = [[len(word) for word in text] for text in X]
    tagger = small(GRUClassifier, embedding_dim=3, pooling=None, crf=True)
    return make_pipeline(SequenceVectorizer(), tagger).fit(X, y), X, X


def steps():
    X, _ = ragged(n_features=2)
    y = [x.sum(axis=1) for x in X]
    return small(GRURegressor, pooling=None).fit(X, y), lists(X), X


def scaled_steps():
    X, y = ragged(n_features=2)
    return make_pipeline(PerTimestep(StandardScaler()), small(GRUClassifier)).fit(X, y), lists(X), X


def search():
    X, y = ragged(n_features=2)
    model = GridSearchCV(small(GRUClassifier), {"alpha": [0.0, 0.1]}, cv=2).fit(X, y)
    return model, lists(X), X


def columns():
    X, y = samples.frame()
    X = samples.with_cell(X, 1, "note", None)
    X.loc[2, "age"] = np.nan
    return samples.classifier().fit(X, y), [*map(record, X.to_dict("records"))], X


def cells():
    X, y = samples.frame()
    model = samples.classifier(samples.branches(samples.BY_INDEX)).fit(samples.object_array(X), y)
    return model, [[*map(plain, row)] for row in samples.object_array(X)], samples.object_array(X)


def several_labels():
    X, _ = ragged(n_features=2)
    y = np.array([[x[0, 0] > 0, x[-1, 1] > 0, len(x) > 3] for x in X]).astype(int)
    return small(GRUClassifier).fit(X, y), lists(X), X


def several_targets():
    X, _ = ragged(n_features=2)
    return small(GRURegressor).fit(X, [x[0] for x in X]), lists(X), X


def quantiles():
    X, _ = ragged(n_features=2)
    model = small(GRURegressor, loss="quantile", quantiles=[0.1, 0.5, 0.9])
    return model.fit(X, [x[0] for x in X]), lists(X), X


def deviations():
    X, _ = ragged(n_features=2)
    return small(GRURegressor, loss="gaussian").fit(X, [x.sum() for x in X]), lists(X), X


FORMS = [
    *(numbers, one_feature, same_lengths, table, named_table, named_sequences, tokens, texts),
    *(words, steps, scaled_steps, search, columns, cells, several_labels, several_targets),
    *(quantiles, deviations),
]
