"""
Names in sentences: BIO tags of words
=====================================

The network finds persons, places, organisations and dates in sentences: lists of words go in, and
lists of tags come out. ``B-PER`` begins a person, ``I-PER`` goes on with it, ``O`` is no name.

A word alone does not tell: Florence is a person or a place, May a person, a month or a verb; a town
gives its name to a club and a university, a person to a company; and some sentences are in lower
case throughout. So the network reads each sentence in both directions and predicts a tag for every
word (``pooling=None``).
"""

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
from skgru.inspection import AttributionDisplay
from skgru.metrics import count_invalid_transitions, entity_f1_score, entity_report, find_entities

# %%
# The sentences are made here, from templates, and most names in them from syllables. A slot of a
# template holds one of the types that it names: ``{CLUB}`` is a club that is called as its town,
# ``{ANY}`` is a person, a place or an organisation, and ``{SO}`` is a word or none that has nothing
# to do with the names.

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


# %%
# Most names of the test part have a word that no training sentence has. This is what the sentences
# look like, with their names in brackets.

N_SENTENCES = 600
X, y = make_sentences(N_SENTENCES, seed=0)
X_test, y_test = make_sentences(1000, seed=1)


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


share = share_of_new_names(X_test, y_test, {word for words in X for word in words})
print(f"{len(X)} sentences to train on, {len(X_test)} to test")
print(f"{share:.0%} of the names in the test part have a word that is new")
for words, tags in zip(X[:4], y[:4], strict=True):
    print(f"  {marked(words, tags)}")

# %%
# Four ways to tag them:
#
# - the tag that each word has most often, to begin with;
# - a network of the words. Those of a single training sentence count as unknown ones
#   (``min_df=2``), so that it learns from the neighbours what an unknown word is;
# - a network that reads the characters of each word too, which say something of words that it has
#   never seen: hashed n-grams, by scikit-learn's ``HashingVectorizer`` for every step;
# - the same, with the tags of a sentence decided together (``crf="strict"``), so that no entity
#   goes on that has not begun.


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


OF_STEPS = {"pooling": None, "bidirectional": True}
MAX_ITER = 8

characters = HashingVectorizer(
    analyzer="char_wb", ngram_range=(1, 3), n_features=256, norm=None, lowercase=False
)
branches = [
    ("words", TokenBranch(SequenceVectorizer(min_df=2), **OF_STEPS), "words"),
    ("characters", SeriesBranch(PerTimestep(characters), scaling=None, **OF_STEPS), "words"),
]
training = {"max_iter": MAX_ITER, "random_state": 0}
models = {
    "most frequent tag": MostFrequentTag(),
    "words": make_pipeline(SequenceVectorizer(min_df=2), GRUClassifier(**OF_STEPS, **training)),
    "words, characters": make_pipeline(
        FunctionTransformer(as_table), MultimodalGRUClassifier(branches, **training)
    ),
    "characters, a chain": make_pipeline(
        FunctionTransformer(as_table), MultimodalGRUClassifier(branches, crf="strict", **training)
    ),
}

# %%
# The score is F1 of whole entities: one is found if its type, its begin and its end are right.
# "invalid" is how many tags cannot follow the one before them.

TYPES = ["DATE", "LOC", "ORG", "PER"]

f1, invalid, found = {}, {}, {}
print(f"{'F1 of entities':21s}{'all':>7s}{''.join(f'{kind:>7s}' for kind in TYPES)}   invalid")
for name, model in models.items():
    found[name] = model.fit(X, y).predict(X_test)
    of_types = entity_f1_score(y_test, found[name], labels=TYPES, average=None)
    f1[name] = [entity_f1_score(y_test, found[name]), *of_types]
    invalid[name] = count_invalid_transitions(found[name])
    print(f"{name:21s}{''.join(f'{score:7.3f}' for score in f1[name])}{invalid[name]:10d}")

# %%
# The last of them in more detail, and some of the test sentences with what it has found in them.

print(entity_report(y_test, found[name], digits=3))
for words, tags, truth in [*zip(X_test, found[name], y_test, strict=True)][:6]:
    print(f"  {marked(words, tags)}")
    if list(tags) != truth:
        print(f"    in truth: {marked(words, truth)}")

# %%
# Which tags does it take for which? Dates have words of their own. Persons, places and
# organisations lend each other their names, and some of them are confused.

tags = ["O", *(f"{prefix}-{kind}" for kind in TYPES for prefix in "BI")]
figure, ax = plt.subplots(figsize=(7, 5.5), layout="constrained")
display = ConfusionMatrixDisplay.from_predictions(
    [*itertools.chain.from_iterable(y_test)],
    [*itertools.chain.from_iterable(found[name])],
    labels=tags,
    normalize="true",
    values_format=".2f",
    cmap="Blues",
    ax=ax,
)
for text in display.text_.flat:
    text.set_text(text.get_text().replace("0.00", ""))
ax.set(xlabel="tag that is predicted", ylabel="tag in truth")
plt.show()

# %%
# The same word twice, once a person and once a place. What speaks for it? The contributions of the
# words to the tag of each Florence, in the network that reads words alone: the neighbours tell.

sentence = ["Florence", "was", "born", "in", "Florence", "on", "3", "May", "."]
model = models["words"]
[tags_found] = model.predict([sentence])
print(marked(sentence, tags_found))

figure, axes = plt.subplots(1, 2, figsize=(7, 3.8), layout="constrained")
for step, ax in zip((0, 4), axes, strict=True):
    display = AttributionDisplay.from_estimator(model, [sentence], target=(step, tags_found[step]))
    panel = display.plot(ax).axes_[""]
    panel.set_title(f"{tags_found[step]} for word {step + 1}", fontsize="medium")
    panel.set_xlabel("contribution [logit]")
plt.show()
