"""
A label for every step: source code in colours
==============================================

With ``pooling=None`` a network predicts a label for every step of a sequence. Here the steps are
the characters of a line of Python, and the labels are what an editor colours: names, keywords,
strings, numbers, comments.

A character alone does not tell: a letter may stand in a name, a keyword, a string or a comment, and
a quotation mark opens a string only outside of one; whether ``for`` is a keyword or the begin of
``format`` is said by what follows. So the network reads each line in both directions. Beside it:
the label that each character has most often.
"""

import importlib
import inspect
import io
import keyword
import tokenize
from collections import Counter

import matplotlib.pyplot as plt
import numpy as np

from skgru import GRUClassifier

# %%
# The lines are those of some modules of the standard library, and the labels come from its
# tokenizer. Lines that a string or a bracket spanning several lines touches are left out where the
# label of a character would depend on another line.

MODULES = "argparse ast calendar cmd configparser csv datetime difflib"
HELD_OUT = "inspect json.decoder locale"
KINDS = {tokenize.COMMENT: "comment", tokenize.STRING: "string", tokenize.NUMBER: "number"}
LABELS = ["comment", "string", "number", "keyword", "name", "other"]


def labelled_lines(module_name):
    """Yield the lines of a module and an array of labels, one for each character."""
    source = inspect.getsource(importlib.import_module(module_name))
    labels = [np.full(len(line), "other", object) for line in source.splitlines()]
    inside = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        (first, start), (last, stop) = token.start, token.end
        kind = KINDS.get(token.type)
        if token.type == tokenize.NAME:
            kind = "keyword" if keyword.iskeyword(token.string) else "name"
        if first != last:
            inside |= set(range(first, last + 1))
        elif kind:
            labels[first - 1][start:stop] = kind
    for i, (line, of_line) in enumerate(zip(source.splitlines(), labels, strict=True), 1):
        if line.strip() and i not in inside:
            yield line, of_line.astype(str)


def read(module_names):
    """Return lines, and their labels."""
    pairs = [pair for name in module_names.split() for pair in labelled_lines(name)]
    lines, labels = zip(*pairs, strict=True)
    return list(lines), list(labels)


def as_ids(lines):
    """Return the characters of lines as token ids."""
    return [np.array([ord(character) for character in line]) for line in lines]


lines, y = read(MODULES)
lines_test, y_test = read(HELD_OUT)
X, X_test = as_ids(lines), as_ids(lines_test)
print(f"{len(X)} lines to train on, {len(X_test)} of other modules to test")

# %%
# The network learns a vector for each character. ``y`` has an array of labels for each line, and so
# have the predictions.

model = GRUClassifier(
    32, bidirectional=True, pooling=None, embedding_dim=16, max_iter=5, verbose=True, random_state=0
)
model.fit(X, y)
found = model.predict(X_test)

# %%
# Which share of the characters has the right label? Comments, strings and keywords are learned from
# the neighbours of a character. Numbers are the exception: a digit is mostly one, whatever stands
# around it, and they are rare.

counts = {}
for character, label in zip(np.concatenate(X), np.concatenate(y), strict=True):
    counts.setdefault(character, Counter())[label] += 1
best = {character: counter.most_common(1)[0][0] for character, counter in counts.items()}

truth = np.concatenate(y_test)
predictions = {
    "network": np.concatenate(list(found)),
    "character alone": np.array([best.get(c, "other") for c in np.concatenate(X_test)]),
}
shares = {
    name: [
        np.mean(predicted == truth),
        *(np.mean(predicted[truth == label] == label) for label in LABELS),
    ]
    for name, predicted in predictions.items()
}
print(f"{'right, of characters':20s}{''.join(f'{label:>9s}' for label in ('all', *LABELS))}")
for name, of_labels in shares.items():
    print(f"{name:20s}{''.join(f'{share:9.3f}' for share in of_labels)}")

figure, ax = plt.subplots(figsize=(7, 3.2), layout="constrained")
places = np.arange(len(LABELS) + 1)
for offset, (name, of_labels) in zip((-0.2, 0.2), shares.items(), strict=True):
    ax.bar(places + offset, 100 * np.array(of_labels), width=0.38, label=name)
ax.set_xticks(places, ["all", *LABELS])
ax.set(ylabel="characters with the right label [%]")
figure.legend(loc="outside upper right", ncols=2)
plt.show()

# %%
# These are lines of the modules that were held out, in the colours of what the network says of
# them, as an editor shows source. What it gets wrong is underlined. Lines are cut at 72 characters.


def draw_source(lines, labels, truth, n_columns=72):
    """Draw lines in the colours of their labels; wrong ones are underlined."""
    figure, ax = plt.subplots(figsize=(7, 0.27 * len(lines) + 0.5), layout="constrained")
    colours = {label: f"C{i}" for i, label in enumerate(LABELS)}
    colours["other"] = plt.rcParams["text.color"]
    for row, (line, said, true) in enumerate(zip(lines, labels, truth, strict=True)):
        for column, character in enumerate(line[:n_columns]):
            colour = colours[said[column]]
            style = {"family": "monospace", "va": "center", "color": colour}
            if said[column] == "keyword":
                style["weight"] = "bold"
            ax.text(column, row, character, **style)
            if said[column] != true[column]:
                ax.plot([column, column + 0.8], [row + 0.45] * 2, color=colour, linewidth=2)
    ax.set(xlim=(0, n_columns), ylim=(len(lines) - 0.5, -0.5))
    ax.set_axis_off()
    handles = [plt.Line2D([], [], color=colours[k], linewidth=4, label=k) for k in LABELS]
    figure.legend(handles=handles, loc="outside upper left", ncols=len(LABELS), frameon=False)


# Those with the most kinds of labels, some of them with comments, and those with most mistakes.
order = sorted(range(len(X_test)), key=lambda i: len(set(y_test[i])), reverse=True)
commented = [i for i in order if "comment" in y_test[i]]
n_wrong = [np.sum(said != true) for said, true in zip(found, y_test, strict=True)]
worst = np.argsort(n_wrong)[::-1].tolist()
shown = sorted({*order[:8], *commented[:3], *worst[:3]})
draw_source([lines_test[i] for i in shown], [found[i] for i in shown], [y_test[i] for i in shown])
plt.show()

# %%
# How sure is it, character by character? A line with a comment that has a string in quotation marks
# in it, and a string that has a comment's sign in it: the same characters, the one time in a
# comment, the other time in a string.

line = "say = 'no # here'  # but 'yes' 2 U"
probabilities = model.predict_proba(as_ids([line]))[0]

figure, ax = plt.subplots(figsize=(7, 3), layout="constrained")
steps = np.arange(len(line))
bottom = np.zeros(len(line))
for i, label in enumerate(LABELS):
    share = probabilities[:, list(model.classes_).index(label)]
    colour = f"C{i}" if label != "other" else "0.8"
    ax.bar(steps, share, 1, bottom=bottom, color=colour, label=label)
    bottom += share
ax.set_xticks(steps, line, family="monospace")
ax.tick_params(axis="x", length=0)
ax.set(xlim=(-0.5, len(line) - 0.5), ylim=(0, 1), xlabel="character", ylabel="probability")
figure.legend(loc="outside upper left", ncols=len(LABELS), frameon=False)
plt.show()
