"""Label every step of a sequence: the kind of token of each character of a line of Python source.

    python examples/sequence_labelling.py [--picture source.png]

The lines are those of some modules of the standard library, the labels come from its tokenizer. A
character alone does not tell: a letter may stand in a name, a keyword, a string or a comment, and a
quotation mark opens a string only outside of one. So the network reads each line in both directions
and predicts a label for every character (``pooling=None``). Beside it: the label that each
character has most often.

The picture (extra `plot`: `pip install "skgru[plot]"`) has some lines in the colours of what the
network says of them, as an editor shows source; what it gets wrong is underlined.
"""

import argparse
import importlib
import inspect
import io
import keyword
import tokenize
from collections import Counter

import matplotlib.pyplot as plt
import numpy as np

from skgru import GRUClassifier

MODULES = "argparse ast calendar cmd configparser csv datetime difflib dis fractions glob heapq"
HELD_OUT = "inspect json.decoder locale"
KINDS = {tokenize.COMMENT: "comment", tokenize.STRING: "string", tokenize.NUMBER: "number"}
SHOWN = {"comment": "#", "string": "s", "number": "0", "keyword": "k", "name": "n", "other": "."}


def labelled_lines(module_name):
    """Yield the lines of a module and an array of labels, one for each character.

    Lines that a string or a bracket spanning several lines touches are left out where the label of
    a character would depend on another line.
    """
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
    """Return lines, their characters as token ids, and their labels."""
    pairs = [pair for name in module_names.split() for pair in labelled_lines(name)]
    lines, labels = zip(*pairs, strict=True)
    return lines, [np.array([ord(c) for c in line]) for line in lines], list(labels)


def most_frequent_labels(X, y):
    """Return a function that gives each character the label that it has most often."""
    counts = {}
    for character, label in zip(np.concatenate(X), np.concatenate(y), strict=True):
        counts.setdefault(character, Counter())[label] += 1
    best = {character: counter.most_common(1)[0][0] for character, counter in counts.items()}
    return lambda x: np.array([best.get(character, "other") for character in x])


def draw(lines, labels, truth, n_columns=72):
    """Return a picture of lines in the colours of their labels; wrong ones are underlined."""
    figure, ax = plt.subplots(figsize=(7, 0.3 * len(lines) + 0.6), layout="constrained")
    colours = {label: f"C{i}" for i, label in enumerate(SHOWN)}
    colours["other"] = plt.rcParams["text.color"]
    for row, (line, found, true) in enumerate(zip(lines, labels, truth, strict=True)):
        for column, character in enumerate(line[:n_columns]):
            colour = colours[found[column]]
            weight = "bold" if found[column] == "keyword" else "normal"
            ax.text(
                column, row, character, color=colour, family="monospace", weight=weight, va="center"
            )
            if found[column] != true[column]:
                ax.plot([column, column + 0.8], [row + 0.45] * 2, color=colour, linewidth=2)
    ax.set(xlim=(0, n_columns), ylim=(len(lines) - 0.5, -0.5))
    ax.set_axis_off()
    handles = [
        plt.Line2D([], [], color=colours[label], linewidth=4, label=label) for label in SHOWN
    ]
    figure.legend(handles=handles, loc="outside upper left", ncols=len(SHOWN), frameon=False)
    return figure


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--max-lines", type=int, default=None)
    parser.add_argument("--picture", metavar="FILE", help="save the picture, not show it")
    options = parser.parse_args(argv)

    _, X, y = read(MODULES)
    X, y = X[: options.max_lines], y[: options.max_lines]
    lines, X_test, y_test = read(HELD_OUT)
    print(f"{len(X)} lines to train on, {len(X_test)} of other modules to test")

    model = GRUClassifier(
        hidden_layer_sizes=32,
        bidirectional=True,
        pooling=None,
        embedding_dim=16,
        max_iter=options.epochs,
        random_state=0,
    ).fit(X, y)

    simple = most_frequent_labels(X, y)
    truth = np.concatenate(y_test)
    predictions = {
        "network": np.concatenate(list(model.predict(X_test))),
        "character alone": np.concatenate([simple(x) for x in X_test]),
    }
    columns = "".join(f"{label:>9s}" for label in ("all", *SHOWN))
    print(f"\n{'right, of characters':20s}{columns}")
    for name, predicted in predictions.items():
        of_label = [np.mean(predicted[truth == label] == label) for label in SHOWN]
        everything = np.mean(predicted == truth)
        shares = "".join(f"{share:9.3f}" for share in (everything, *of_label))
        print(f"{name:20s}{shares}")

    print()
    choices = [i for i, labels in enumerate(y_test) if {"string", "comment"} <= set(labels)][:3]
    for i, labels in zip(choices, model.predict([X_test[i] for i in choices]), strict=True):
        print(f"  {lines[i]}\n  {''.join(SHOWN[label] for label in labels)}")

    # Those with the most kinds of labels, some of them with comments.
    order = sorted(range(len(lines)), key=lambda i: len(set(y_test[i])), reverse=True)
    commented = [i for i in order if "comment" in y_test[i]]
    choices = sorted({*order[:10], *commented[:4]})
    found = model.predict([X_test[i] for i in choices])
    figure = draw([lines[i] for i in choices], found, [y_test[i] for i in choices])
    if options.picture:
        figure.savefig(options.picture)
    else:
        plt.show()


if __name__ == "__main__":
    main()
