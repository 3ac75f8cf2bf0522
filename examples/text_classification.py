"""Which library? A text classifier trained on docstrings of NumPy, SciPy and scikit-learn.

    python examples/text_classification.py
    python examples/text_classification.py --data FILE.csv     # your own: columns text,label

The texts are part of every installation of this package: the first 15 words of the
docstrings of all public functions, classes and methods of the three libraries. The libraries' own
names are taken out, since they would give the answer away, and so is every text that repeats eight
words in a row of an earlier one: docstrings are copied a lot, and copies in both training and test
data would flatter the result.

A fifth of the texts is held out. The network's accuracy on it is shown beside that of always
answering the most frequent library, and that of logistic regression on a bag of words.

The picture, for which the extra `plot` is needed (`pip install "skgru[plot]"`), shows for each of
three sentences which words speak for the answer, and which against it; `--picture FILE` saves it.
"""

import argparse
import csv
import importlib
import inspect
import pkgutil
import re
import sys
import time
import warnings
from collections import Counter

import matplotlib.pyplot as plt
from sklearn.dummy import DummyClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import classification_report
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline

from skgru import GRUClassifier, SequenceVectorizer
from skgru.inspection import AttributionDisplay

LIBRARIES = ["numpy", "scipy", "sklearn"]
TYPED_BY_HAND = [
    "Fit a random forest to the training data and predict the classes of new samples.",
    "Solve an ordinary differential equation with given initial values.",
    "Return a new array of given shape and type, filled with zeros.",
]


def make_model():
    """Return the network, with the defaults."""
    return make_pipeline(SequenceVectorizer(stop_words="english"), GRUClassifier(random_state=0))


def make_baselines():
    """Return the simple rivals by name."""
    return {
        "most frequent label": DummyClassifier(),
        "bag of words": make_pipeline(
            TfidfVectorizer(sublinear_tf=True), LogisticRegression(C=10, max_iter=1000)
        ),
    }


# --- Data ----------------------------------------------------------------------------------------


def public_modules(library):
    """Yield a library and its public submodules, as far as they can be imported."""
    package = importlib.import_module(library)
    yield package
    for module in pkgutil.iter_modules(package.__path__):
        if not module.name.startswith("_") and module.name not in ("tests", "conftest"):
            try:
                yield importlib.import_module(f"{library}.{module.name}")
            except Exception:  # needs something that is not installed
                continue


def attribute(owner, name):
    """Return an attribute, None if there is none or looking at it fails."""
    try:
        return getattr(owner, name, None)
    except Exception:  # experimental, or needs something that is not installed
        return None


def docstrings(library):
    """Yield the docstrings of a library's public functions, classes and methods."""
    for module in public_modules(library):
        for name in sorted(getattr(module, "__all__", dir(module))):
            found = attribute(module, name)
            members = [found]
            if inspect.isclass(found):
                members += [attribute(found, m) for m in dir(found) if not m.startswith("_")]
            for member in members:
                home = getattr(member, "__module__", None) or library
                if callable(member) and home.split(".")[0] == library:
                    yield inspect.getdoc(member) or ""


def description(docstring, max_words=15):
    """Return the first words of a docstring's prose, without markup and the libraries' names."""
    text = re.split(r"^[A-Z][A-Za-z ]+\n-{3,}", docstring, maxsplit=1, flags=re.MULTILINE)[0]
    paragraphs = [p for p in text.split("\n\n") if ">>>" not in p and not p.startswith("..")]
    if paragraphs and re.match(r"[\w.]+\(", paragraphs[0]):  # a signature
        del paragraphs[0]
    text = re.sub(r":[\w:]+:`~?([^`]*)`|[`*|]", r"\1", " ".join(paragraphs))
    text = re.sub(r"Read more in the .*?User Guide\.?", " ", text)  # stands in one library only
    text = re.sub(r"(?i)numpy|scipy|scikit-learn|sklearn|\bnp\b", " ", text)
    return " ".join(text.split()[:max_words])


def library_texts(n_repeated=8, min_words=5):
    """Return texts and labels, without texts that repeat words of an earlier one."""
    texts, labels, seen = [], [], set()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of deprecated names that are looked at
        for library in LIBRARIES:
            for docstring in docstrings(library):
                text = description(docstring)
                words = re.findall(r"[a-z]{2,}", text.lower())
                runs = {
                    tuple(words[i : i + n_repeated])
                    for i in range(max(1, len(words) - n_repeated + 1))
                }
                if len(words) >= min_words and not runs & seen:
                    texts.append(text)
                    labels.append(library)
                seen |= runs
    return texts, labels


def read_csv(path):
    """Return the columns `text` and `label` of a CSV file."""
    with open(path, encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        missing = {"text", "label"} - set(reader.fieldnames or [])
        if missing:
            sys.exit(
                f"{path}: expected the columns text,label in the first line, got "
                f"{','.join(reader.fieldnames or [])!r}"
            )
        rows = list(reader)
    return [row["text"] or "" for row in rows], [row["label"] or "" for row in rows]


# --- The evaluation ------------------------------------------------------------------------------


def draw(model, texts):
    """Return a picture of what the words of texts contribute to the answers."""
    figure, axes = plt.subplots(1, len(texts), figsize=(12, 4), layout="constrained")
    for i, ax in enumerate(axes):
        display = AttributionDisplay.from_estimator(model, texts, index=i).plot(ax)
        (answer,), (shares,) = (
            model.predict(texts[i : i + 1]),
            model.predict_proba(texts[i : i + 1]),
        )
        display.axes_[""].set_title(f"{answer} {shares.max():.2f}")
    return figure


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", metavar="FILE.csv", help="your own texts: columns text,label")
    parser.add_argument("--max-texts", type=int, help="use only so many texts, drawn at random")
    parser.add_argument("--picture", metavar="FILE", help="save the picture, not show it")
    options = parser.parse_args(argv)
    start = time.perf_counter()

    texts, labels = read_csv(options.data) if options.data else library_texts()
    if options.max_texts and options.max_texts < len(texts):
        texts, _, labels, _ = train_test_split(
            texts, labels, train_size=options.max_texts, stratify=labels, random_state=0
        )
    counts = ", ".join(f"{count} {label}" for label, count in Counter(labels).most_common())
    print(f"{len(texts)} texts: {counts}")
    if len(set(labels)) < 2 or min(Counter(labels).values()) < 2:
        sys.exit("Expected at least two labels with at least two texts each.")
    train, test, y_train, y_test = train_test_split(
        texts,
        labels,
        test_size=max(len(set(labels)), round(0.2 * len(texts))),
        stratify=labels,
        random_state=0,
    )

    model = make_model().fit(train, y_train)
    print(f"\nAccuracy on the {len(test)} texts that were held out:")
    print(f"  {'GRU':20s} {model.score(test, y_test):.3f}")
    for name, baseline in make_baselines().items():
        print(f"  {name:20s} {baseline.fit(train, y_train).score(test, y_test):.3f}")
    print(f"\n{classification_report(y_test, model.predict(test), zero_division=0)}")

    print("Predictions:" if options.data else "Predictions for sentences typed by hand:")
    shown = test[:3] if options.data else TYPED_BY_HAND
    for text, p in zip(shown, model.predict_proba(shown), strict=True):
        shares = ", ".join(f"{c} {share:.2f}" for c, share in zip(model.classes_, p, strict=True))
        print(f"  {text[:88]}\n    {shares}")
    print(f"\n{time.perf_counter() - start:.0f} seconds")

    figure = draw(model, shown)
    if options.picture:
        figure.savefig(options.picture)
    else:
        plt.show()


if __name__ == "__main__":
    main()
