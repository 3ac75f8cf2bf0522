"""Other methods that rows compare the networks with, beside the baselines of their own."""

from importlib.util import find_spec

from series import flatten, flattener
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.svm import LinearSVC


def _channels_first(X, n_steps):
    return flatten(n_steps, X).reshape(len(X), n_steps, -1).swapaxes(1, 2)


def mini_rocket(seed, n_steps):
    """Return MiniRocket of the package aeon; shorter series are filled up with zeros.

    Dempster, Schmidt and Webb (2021), "MiniRocket: a very fast (almost) deterministic transform for
    time series classification".
    """
    from aeon.classification.convolution_based import MiniRocketClassifier

    return make_pipeline(
        FunctionTransformer(_channels_first, kw_args={"n_steps": n_steps}),
        MiniRocketClassifier(random_state=seed),
    )


def boosting(seed, n_steps):
    """Return gradient boosting on all steps side by side."""
    return make_pipeline(flattener(n_steps), HistGradientBoostingClassifier(random_state=seed))


def linear_svm(seed, analyzer="word", ngram_range=(1, 2)):
    """Return a linear support vector machine on tf-idf."""
    return make_pipeline(
        TfidfVectorizer(analyzer=analyzer, ngram_range=ngram_range, sublinear_tf=True),
        LinearSVC(random_state=seed),
    )


def of_series(n_steps):
    """Return the rivals on series, of those whose packages are there."""
    found = {"gradient boosting": lambda seed: boosting(seed, n_steps)}
    if find_spec("aeon"):
        found["MiniRocket"] = lambda seed: mini_rocket(seed, n_steps)
    return found
