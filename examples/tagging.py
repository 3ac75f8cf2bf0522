"""Find names in sentences: persons, places, organisations and dates, as BIO tags of the words.

    python examples/tagging.py [--picture tags.png]

The sentences are made here, from templates, and most names in them from syllables, so that most
names of the test part have a word that no training sentence has. A word alone does not tell:
Florence is a person or a place, May a person, a month or a verb; a town gives its name to a club
and a university, a person to a company; and some sentences are in lower case throughout. So the
network reads each sentence in both directions and predicts a tag for every word (``pooling=None``).
Words of a single training sentence count as unknown ones (``min_df=2``), so that the network learns
from its neighbours what an unknown word is. A second network reads the characters of each word too,
which say something of words that it has never seen, and a third decides the tags of a sentence
together (``crf``), so that no entity goes on that has not begun. Beside them: the tag that each
word has most often.

The picture (extra `plot`: `pip install "skgru[plot]"`) has the confusion of tags by the last
network: which share of the words with a tag it gives which.
"""

import argparse
import itertools
import random
from collections import Counter

import matplotlib.pyplot as plt
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.metrics import ConfusionMatrixDisplay
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skgru import (
    GRUClassifier,
    MultimodalGRUClassifier,
    PerTimestep,
    SequenceVectorizer,
    SeriesBranch,
    TokenBranch,
)
from skgru.metrics import count_invalid_transitions, entity_f1_score, entity_report, find_entities

TYPES = ["DATE", "LOC", "ORG", "PER"]

# --- Data ----------------------------------------------------------------------------------------

# A slot holds one of the types that it names. {CLUB} is a club that is called as its town, {ANY} is
# PER, LOC or ORG; {SO} is a word or none that has nothing to do with the names.
TEMPLATES = """
{PER} was born in {LOC} {SO} on {DATE} .
{PER|ORG} left {LOC} {SO} in {DATE} for {LOC|ORG} .
{PER|ORG} said {SO} that {ANY} may need {SO} help .
in {LOC} {PER|ORG} told {PER|ORG} to wait till {DATE} .
{ORG} chairman {PER} {SO} rose to speak for {LOC|ORG} .
shares of {ORG} rose {SO} on {DATE} after {PER|ORG} wrote to {PER|ORG} .
people in {LOC} {SO} will mark {DATE} with a fair .
{CLUB} {SO} beat {CLUB} in {DATE} , and {PER} scored twice .
there is little hope {SO} that {CLUB|ORG} can win in {LOC} .
will {PER|ORG} {SO} come back to {LOC} ?
a rose for {PER} , {SO} a bath for the dog of {PER} .
from {LOC} to {LOC} {PER} {SO} slept , said Dr {PER} .
nobody has heard {SO} of {ANY} {ANY} or {ANY} since {DATE} .
a reader {SO} asked about {ANY} and {ANY} .
{ANY} {SO} may win this year .
{SO} reading of {ANY} was a surprise for {PER|ORG} .
on {DATE} {PER|ORG} {SO} may visit {ANY} , by the grace of {ANY} .
{ANY} has {SO} changed a lot since {PER|ORG} left .
"""
SO = "again ever still indeed soon perhaps once now often never"
FIRST_NAMES = "Anna Ben Clara David Emma Florence Grace Hope Jordan Mark May Rose Victor Will"
BOTH = "Austin Chelsea Florence Jordan Lincoln Paris Reading Bath Washington Carolina"
COMPANIES = "Motors Bank Press Group Mills Foods Partners"
MONTHS = "January February March April May June July August September October November December"
ENDINGS = {
    "PER": "son man sen er ini",
    "LOC": "ton burg ford ville stead",
    "ORG": "ex tec ia or",
}


class Writer:
    """Writes sentences, each as a list of words and a list of tags."""

    def __init__(self, seed):
        self.random = random.Random(seed)

    def sentence(self):
        words, tags = [], []
        for word in self.random.choice(TEMPLATES.strip().splitlines()).split():
            slot = word.strip("{}").replace("ANY", "PER|LOC|ORG")
            kind = self.random.choice(slot.split("|"))
            if kind == word:
                entity, kind = [word], None
            elif kind == "SO":
                entity, kind = self.random.choice([[], [self.choice(SO)]]), None
            else:
                entity = getattr(self, kind.lower())()
                kind = kind.replace("CLUB", "ORG")
            words += entity
            inside = [f"I-{kind}"] * (len(entity) - 1)
            tags += [f"B-{kind}", *inside] if kind else ["O"] * len(entity)
        if self.random.random() < 0.25:
            words = [word.lower() for word in words]
        else:
            words[0] = words[0][0].upper() + words[0][1:]
        return words, tags

    def choice(self, words):
        return self.random.choice(words.split())

    def new_name(self, kind):
        """Return a name of syllables; its ending mostly, not always, says of what."""
        if self.random.random() < 0.2:
            kind = self.random.choice([*ENDINGS])
        parts = "b br d f g gr h k l m n p r st t v w", "a e i o u ei", "l n r m ck nd rt s"
        syllables = ["".join(map(self.choice, parts)) for _ in range(self.random.choice([1, 1, 2]))]
        return "".join(syllables).capitalize() + self.choice(ENDINGS[kind])

    def per(self):
        last = self.choice(BOTH) if self.random.random() < 0.2 else self.new_name("PER")
        form = self.random.random()
        if form < 0.15:
            return [self.choice(FIRST_NAMES)]
        return [last] if form < 0.5 else [self.choice(FIRST_NAMES), last]

    def loc(self):
        name = self.choice(BOTH) if self.random.random() < 0.3 else self.new_name("LOC")
        return ["New", name] if self.random.random() < 0.1 else [name]

    def club(self):
        return [*self.loc(), "United"] if self.random.random() < 0.3 else self.loc()

    def org(self):
        form = self.random.random()
        if form < 0.2:
            return [self.choice("Bank University"), "of", *self.loc()]
        if form < 0.3:
            return [*self.per(), "and", self.new_name("PER")]
        if form < 0.6:
            return [self.new_name(self.random.choice(["PER", "LOC"])), self.choice(COMPANIES)]
        return [self.new_name("ORG")]

    def date(self):
        month, year = self.choice(MONTHS), str(self.random.randint(1980, 2029))
        day = str(self.random.randint(1, 28))
        return self.random.choice([[month], [month, year], [day, month], [day, month, year]])


def make_sentences(n, seed):
    """Return n sentences, lists of words, and their tags."""
    writer = Writer(seed)
    return map(list, zip(*(writer.sentence() for _ in range(n)), strict=True))


# --- Models --------------------------------------------------------------------------------------


class MostFrequentTag(BaseEstimator):
    """Gives each word the tag that it has most often; O, if it is unknown."""

    def fit(self, X, y):
        counts = {}
        for words, tags in zip(X, y, strict=True):
            for word, tag in zip(words, tags, strict=True):
                counts.setdefault(word, Counter())[tag] += 1
        self.tags_ = {word: counter.most_common(1)[0][0] for word, counter in counts.items()}
        return self

    def predict(self, X):
        return [[self.tags_.get(word, "O") for word in words] for words in X]


def as_table(X):
    return pd.DataFrame({"words": X})


def make_models(epochs):
    """Return models by name; each is fitted to lists of words and lists of tags."""
    of_steps = {"pooling": None, "bidirectional": True}
    characters = HashingVectorizer(
        analyzer="char_wb", ngram_range=(1, 3), n_features=256, norm=None, lowercase=False
    )
    branches = [
        ("words", TokenBranch(SequenceVectorizer(min_df=2), **of_steps), "words"),
        ("characters", SeriesBranch(PerTimestep(characters), scaling=None, **of_steps), "words"),
    ]
    return [
        ("most frequent tag", MostFrequentTag()),
        (
            "words",
            make_pipeline(
                SequenceVectorizer(min_df=2),
                GRUClassifier(**of_steps, max_iter=epochs, random_state=0),
            ),
        ),
        *(
            (
                name,
                make_pipeline(
                    FunctionTransformer(as_table),
                    MultimodalGRUClassifier(branches, crf=crf, max_iter=epochs, random_state=0),
                ),
            )
            for name, crf in (("words, characters", False), ("characters, a chain", "strict"))
        ),
    ]


# --- The evaluation ------------------------------------------------------------------------------


def share_of_new_names(X, y, known):
    """Return the share of the names, dates apart, that have a word that is not among the known."""
    names = [
        words[entity.start : entity.stop]
        for words, entities in zip(X, find_entities(y), strict=True)
        for entity in entities
        if entity.type != "DATE"
    ]
    return sum(not known.issuperset(name) for name in names) / len(names)


def marked(words, tags):
    """Return a sentence with its entities in brackets."""
    words = list(words)
    [entities] = find_entities([tags])
    for kind, start, stop in entities:
        words[start] = f"[{kind} {words[start]}"
        words[stop - 1] += "]"
    return " ".join(words)


def draw(name, truth, found):
    """Return a picture of the confusion of tags."""
    truth, found = (list(itertools.chain.from_iterable(tags)) for tags in (truth, found))
    figure, ax = plt.subplots(figsize=(7, 6), layout="constrained")
    tags = ["O", *(f"{prefix}-{kind}" for kind in TYPES for prefix in "BI")]
    display = ConfusionMatrixDisplay.from_predictions(
        truth, found, labels=tags, normalize="true", values_format=".2f", cmap="Blues", ax=ax
    )
    for text in display.text_.flat:
        text.set_text(text.get_text().replace("0.00", ""))
    ax.set(xlabel="tag that is predicted", ylabel="tag in truth", title=name)
    return figure


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sentences", type=int, default=1000)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--picture", metavar="FILE", help="save the picture, not show it")
    options = parser.parse_args(argv)

    X, y = make_sentences(options.sentences, seed=0)
    X_test, y_test = make_sentences(1000, seed=1)
    share = share_of_new_names(X_test, y_test, {word for words in X for word in words})
    print(f"{len(X)} sentences to train on, {len(X_test)} to test")
    print(f"{share:.0%} of the names in the test part have a word that is new")

    print(
        f"\n{'F1 of entities':21s}{'all':>7s}{''.join(f'{kind:>7s}' for kind in TYPES)}   invalid"
    )
    for name, model in make_models(options.epochs):
        found = model.fit(X, y).predict(X_test)
        of_types = entity_f1_score(y_test, found, labels=TYPES, average=None)
        scores = "".join(f"{f1:7.3f}" for f1 in (entity_f1_score(y_test, found), *of_types))
        print(f"{name:21s}{scores}{count_invalid_transitions(found):10d}")

    print(f"\n{name}:\n\n{entity_report(y_test, found, digits=3)}")
    for words, tags, truth in [*zip(X_test, found, y_test, strict=True)][:6]:
        print(f"  {marked(words, tags)}")
        if list(tags) != truth:
            print(f"    in truth: {marked(words, truth)}")

    figure = draw(name, y_test, found)
    if options.picture:
        figure.savefig(options.picture)
    else:
        plt.show()


if __name__ == "__main__":
    main()
