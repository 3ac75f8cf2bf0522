"""CoNLL-2003: names of persons, places, organisations and others in news, as BIO tags of words.

    python benchmarks/accuracy/conll2003.py --data FOLDER [--sentences 4000] [--seeds 3]
    python benchmarks/accuracy/conll2003.py --data FOLDER --parts-of-speech --sentences 1500

FOLDER holds `eng.train` and `eng.testb`, in each line a word, its part of speech, and last the tag
of its entity (https://www.clips.uantwerpen.be/conll2003/ner). Tags in IOB1 or IOBES become BIO.
Printed are the F1 of entities on testb, or the share of right parts of speech, mean ± standard
deviation over the seeds; how many predicted tags cannot follow the one before them; and seconds a
fit: of a network that reads words, of one that decides the tags of a sentence together, and of
those that read the characters of the words too.

No word vectors are used.
"""

import argparse
import time
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.feature_extraction.text import HashingVectorizer

from skgru import (
    MultimodalGRUClassifier,
    PerTimestep,
    SequenceVectorizer,
    SeriesBranch,
    TokenBranch,
)
from skgru.metrics import count_invalid_transitions, entity_f1_score

OF_STEPS = {"pooling": None, "bidirectional": True, "hidden_layer_sizes": 80}


def read(path, column):
    """Return a table with a column of lists of words, and the tags in a column of the file."""
    words, tags = [[]], [[]]
    for line in path.read_text(encoding="utf-8").splitlines():
        cells = line.split()
        if cells and cells[0] != "-DOCSTART-":
            words[-1].append(cells[0])
            tags[-1].append(cells[column])
        elif words[-1]:
            words.append([])
            tags.append([])
    pairs = [(w, t) for w, t in zip(words, tags, strict=True) if w]
    return pd.DataFrame({"words": [w for w, _ in pairs]}), [t for _, t in pairs]


def as_bio(tags):
    """Return tags of IOB1, BIO or IOBES as BIO."""
    found, before = [], "O"
    for tag in tags:
        prefix, _, kind = tag.partition("-")
        begins = prefix in "BS" or before in ("O", "end") or before != kind
        found.append("O" if prefix == "O" else f"{'B' if begins else 'I'}-{kind}")
        before = "O" if prefix == "O" else "end" if prefix in "ES" else kind
    return found


def make_models(epochs):
    """Return networks by name."""
    hashing = HashingVectorizer(
        analyzer="char_wb",
        ngram_range=(1, 3),
        n_features=256,
        norm=None,
        lowercase=False,
        dtype=np.float32,
    )
    words = ("words", TokenBranch(SequenceVectorizer(min_df=2), **OF_STEPS), "words")
    characters = (
        "characters",
        SeriesBranch(PerTimestep(hashing), scaling=None, **OF_STEPS),
        "words",
    )
    return {
        f"{name}{chain}": MultimodalGRUClassifier(branches, max_iter=epochs, crf=crf)
        for name, branches in (("words", [words]), ("words, characters", [words, characters]))
        for chain, crf in (("", False), (", crf", True), (", crf strict", "strict"))
    }


def share_of_right_tags(y_true, y_pred):
    return np.mean(np.concatenate(y_true) == np.concatenate(list(y_pred)))


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--sentences", type=int, default=4000)
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--models", nargs="+", default=None)
    parser.add_argument("--parts-of-speech", action="store_true")
    options = parser.parse_args(argv)
    column = 1 if options.parts_of_speech else -1
    X, y = read(options.data / "eng.train", column)
    X, y = X[: options.sentences], y[: options.sentences]
    X_test, y_test = read(options.data / "eng.testb", column)
    score, title = entity_f1_score, "F1 of entities"
    if options.parts_of_speech:
        score, title = share_of_right_tags, "right tags"
    else:
        y, y_test = list(map(as_bio, y)), list(map(as_bio, y_test))
    print(f"{len(X)} sentences to train on, {len(X_test)} to test")
    print(f"{'':30s}{title:>16s}{'invalid':>9s}{'seconds':>9s}")
    models = make_models(options.epochs)
    for name in options.models or models:
        scores, invalid, seconds = [], [], []
        for seed in range(options.seeds):
            model = models[name].set_params(random_state=seed)
            start = time.perf_counter()
            model.fit(X, y)
            seconds.append(time.perf_counter() - start)
            found = model.predict(X_test)
            scores.append(score(y_test, found))
            invalid.append(0 if options.parts_of_speech else count_invalid_transitions(found))
        f1 = f"{np.mean(scores):.3f} ± {np.std(scores):.3f}"
        print(f"{name:30s}{f1:>16s}{np.mean(invalid):9.0f}{np.median(seconds):9.1f}", flush=True)


if __name__ == "__main__":
    main()
