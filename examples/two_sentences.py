"""The smallest case: two sentences, two classes.

    python examples/two_sentences.py

Two sentences decide nothing: the third is like both of them, its word "great" is unknown, and the
answer of the network is a guess from the words that it shares with either. But everything that a
real text classifier needs is here.
"""

from sklearn.pipeline import make_pipeline

from skgru import GRUClassifier, SequenceVectorizer

TEXTS = ["I love this movie", "This is a terrible movie"]
LABELS = ["positive", "negative"]


def main():
    model = make_pipeline(
        SequenceVectorizer(),
        GRUClassifier(hidden_layer_sizes=10, embedding_dim=10, random_state=0),
    ).fit(TEXTS, LABELS)
    classifier = model[-1]
    print(f"Trained for {classifier.n_iter_} epochs, loss {classifier.loss_:.3f}")

    for text in [*TEXTS, "This is a great movie"]:
        probabilities = dict(zip(classifier.classes_, model.predict_proba([text])[0], strict=True))
        shares = ", ".join(f"{label} {share:.2f}" for label, share in probabilities.items())
        print(f"{text!r}: {model.predict([text])[0]} ({shares})")


if __name__ == "__main__":
    main()
