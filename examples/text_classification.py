"""
Text classification: docstrings of three libraries
==================================================

Is this sentence from NumPy, SciPy or scikit-learn? A network is trained on the docstrings of all
three, which are part of every installation of this package, and tested on a fifth of them that is
held out, beside logistic regression on a bag of words. In the end a picture shows which words
speak for an answer.
"""

import importlib
import inspect
import pkgutil
import re
import warnings
from collections import Counter

import matplotlib.pyplot as plt
from sklearn.dummy import DummyClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import ConfusionMatrixDisplay, classification_report
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline

from skgru import GRUClassifier, SequenceVectorizer
from skgru.inspection import AttributionDisplay

# %%
# The texts are the first 15 words of the docstrings of all public functions, classes and methods.

LIBRARIES = ["numpy", "scipy", "sklearn"]


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


# %%
# The libraries' own names are taken out, since they would give the answer away, and so is every
# text that repeats eight words in a row of an earlier one: docstrings are copied a lot, and copies
# in both training and test data would flatter the result.


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


texts, labels = library_texts()
counts = ", ".join(f"{count} {label}" for label, count in Counter(labels).most_common())
print(f"{len(texts)} texts: {counts}")
for library in LIBRARIES:
    print(f"  {library:8s} {texts[labels.index(library) + 9][:80]}")

# %%
# A vectorizer and a network make a pipeline, with the defaults. English stop words are left out.

train, test, y_train, y_test = train_test_split(
    texts, labels, test_size=0.2, stratify=labels, random_state=0
)
model = make_pipeline(
    SequenceVectorizer(stop_words="english"), GRUClassifier(verbose=True, random_state=0)
)
model.fit(train, y_train)

# %%
# Its accuracy, beside that of always answering the most frequent library, and that of logistic
# regression on a bag of words.

models = {
    "GRU": model,
    "most frequent label": DummyClassifier().fit(train, y_train),
    "bag of words": make_pipeline(
        TfidfVectorizer(sublinear_tf=True), LogisticRegression(C=10, max_iter=1000)
    ).fit(train, y_train),
}
print(f"Accuracy on the {len(test)} texts that were held out:")
for name, fitted in models.items():
    print(f"  {name:20s} {fitted.score(test, y_test):.3f}")
print(f"\n{classification_report(y_test, model.predict(test))}")

# %%
# Which library is taken for which? Of the texts of each, the shares that get each answer.

figure, axes = plt.subplots(1, 2, figsize=(7, 3.4), layout="constrained", sharey=True)
for ax, name in zip(axes, ("GRU", "bag of words"), strict=True):
    ConfusionMatrixDisplay.from_predictions(
        y_test,
        models[name].predict(test),
        normalize="true",
        values_format=".2f",
        cmap="Blues",
        colorbar=False,
        im_kw={"vmin": 0, "vmax": 1},
        ax=ax,
    )
    ax.set_title(name, fontsize="medium")
    ax.set(xlabel="library that is predicted", ylabel="library in truth" if ax is axes[0] else "")
plt.show()

# %%
# Three sentences typed by hand, and which of their words speak for the answer, and which against
# it. The contributions of the words sum to the change of the answer's logit from a text of padding,
# which says nothing.

TYPED_BY_HAND = [
    "Fit a random forest to the training data and predict the classes of new samples.",
    "Solve an ordinary differential equation with given initial values.",
    "Return a new array of given shape and type, filled with zeros.",
]

probabilities = model.predict_proba(TYPED_BY_HAND)
for text, shares in zip(TYPED_BY_HAND, probabilities, strict=True):
    said = ", ".join(f"{c} {share:.2f}" for c, share in zip(model.classes_, shares, strict=True))
    print(f"  {text}\n    {said}")

figure, axes = plt.subplots(1, 3, figsize=(7, 3.6), layout="constrained")
displays = [
    AttributionDisplay.from_estimator(model, TYPED_BY_HAND, index=i).plot(ax)
    for i, ax in enumerate(axes)
]
limit = max(display.axes_[""].get_xlim()[1] for display in displays)
for i, display in enumerate(displays):
    panel = display.axes_[""]
    answer = model.classes_[probabilities[i].argmax()]
    panel.set_title(f"{answer} {probabilities[i].max():.2f}", fontsize="medium")
    panel.set(xlim=(-limit, limit), xlabel="contribution [logit]")
    panel.tick_params(axis="y", labelsize="small")
plt.show()

# %%
# Texts of your own take the place of these in the same way. This is how pandas reads them from a
# CSV file with the columns ``text`` and ``label``:

# import pandas as pd
#
# table = pd.read_csv("texts.csv").dropna(subset=["text", "label"])
# texts, labels = table["text"], table["label"]
