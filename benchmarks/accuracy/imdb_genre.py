"""Whether a film is a drama, told by its title, a description and numbers with gaps.

    python benchmarks/accuracy/imdb_genre.py --data FOLDER

FOLDER holds `imdb_genre.csv.gz`: 1,000 films, of which the column `split` names 200 to test. Read
are the title and the description, six numbers (year, minutes, rating, votes, revenue, metascore;
one in eight revenues and one in twenty metascores is missing), and for one model director and
actors.
`Genre` holds the label and is not read. The score is the area under the ROC curve of the test
films. Published: .874 (AutoGluon), .872 (FEDOT).

The networks have the defaults of their branches:

    everything      tokens of the text, its bag of words (tf-idf, a sparse matrix), and the numbers
    bag and numbers the same without the tokens
    text and numbers    the tokens and the numbers
    with people     everything, and who made the film, as one more sparse matrix
    tokens, bag, numbers    each branch alone

The others have the text and the numbers, with the tokens in the last two epochs or in all (by
default a trial decides), and what might keep them from being learned by heart: half of the inputs
left out, half of the branches, or two epochs for all.

Beside them, late fusion of models that are fitted apart: a `StackingClassifier` of logistic
regression on tf-idf, the flat network on the tokens, and gradient boosting on the numbers, whose
out-of-fold probabilities a logistic regression joins; and its parts.
"""

import csv

import pandas as pd
from rows import Split, Task, given_split, main
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier, StackingClassifier
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skgru import (
    GRUClassifier,
    MultimodalGRUClassifier,
    SequenceVectorizer,
    TableBranch,
    TokenBranch,
)

NUMBERS = ["Year", "Runtime (Minutes)", "Rating", "Votes", "Revenue (Millions)", "Metascore"]


def load(folder):
    """Return the films to train on and to test on, as DataFrames."""
    films = pd.read_csv(folder / "imdb_genre.csv.gz", quoting=csv.QUOTE_MINIMAL)
    films["text"] = films["Title"] + ". " + films["Description"]
    films["people"] = films["Director"] + ", " + films["Actors"]
    X, y = films[["text", "people", *NUMBERS]], films["Genre_is_Drama"].to_numpy()
    is_train = (films["split"] == "train").to_numpy()
    return Split(X[is_train], y[is_train], X[~is_train], y[~is_train])


def score(model, split):
    """Return the area under the ROC curve."""
    return roc_auc_score(split.y_test, model.predict_proba(split.X_test)[:, 1])


def tf_idf():
    return TfidfVectorizer(sublinear_tf=True, min_df=2)


def names(people):
    """Return the people of a film."""
    return people.split(", ")


BRANCHES = {
    "tokens": ("tokens", TokenBranch(SequenceVectorizer(min_df=2)), "text"),
    "bag": ("bag", TableBranch(tf_idf()), "text"),
    "numbers": ("numbers", TableBranch(), NUMBERS),
    "people": (
        "people",
        TableBranch(CountVectorizer(analyzer=names, min_df=2, dtype=float)),
        "people",
    ),
}


def network(*branches, **settings):
    """Return a function of the seed that returns the network of some branches."""
    return lambda seed: clone(
        MultimodalGRUClassifier([BRANCHES[name] for name in branches], random_state=seed)
    ).set_params(**settings)


def on(columns, *steps):
    """Return a pipeline on some columns."""
    return make_pipeline(make_column_transformer(("passthrough", columns)), *steps)


def boosting(seed):
    return on(NUMBERS, HistGradientBoostingClassifier(random_state=seed))


def logistic_numbers(seed):
    return on(
        NUMBERS,
        SimpleImputer(add_indicator=True),
        StandardScaler(),
        LogisticRegression(max_iter=1000),
    )


def bag_of_words(seed):
    bag = make_column_transformer((tf_idf(), "text"))
    return make_pipeline(bag, LogisticRegression(C=3, max_iter=1000))


def flat_network(seed):
    tokens = make_column_transformer((SequenceVectorizer(min_df=2), "text"))
    return make_pipeline(tokens, GRUClassifier(random_state=seed))


def late_fusion(seed):
    parts = [bag_of_words, flat_network, boosting, logistic_numbers]
    return StackingClassifier([(part.__name__, part(seed)) for part in parts], cv=5)


TASK = Task(
    "IMDB, is it a drama",
    "AUROC of 200 films",
    load,
    given_split,
    score,
    models={
        "everything": network("tokens", "bag", "numbers"),
        "bag and numbers": network("bag", "numbers"),
        "text and numbers": network("tokens", "numbers"),
        "with people": network("tokens", "bag", "numbers", "people"),
        "tokens": network("tokens"),
        "bag": network("bag"),
        "numbers": network("numbers"),
        "last two epochs": network("tokens", "numbers", tokens__last_epochs=2),
        "all epochs": network("tokens", "numbers", tokens__last_epochs=None),
        "all epochs, dropout .5": network(
            "tokens", "numbers", tokens__last_epochs=None, tokens__dropout=0.5
        ),
        "all epochs, branch dropout .5": network(
            "tokens", "numbers", tokens__last_epochs=None, branch_dropout=0.5
        ),
        "two epochs": network("tokens", "numbers", tokens__last_epochs=None, max_iter=2),
    },
    baselines={
        "late fusion": late_fusion,
        "boosting, numbers": boosting,
        "logistic, numbers": logistic_numbers,
        "logistic, tf-idf": bag_of_words,
        "flat network, tokens": flat_network,
    },
)

if __name__ == "__main__":
    main(TASK)
