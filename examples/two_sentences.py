"""
Two sentences, two classes
==========================

This is the smallest text classifier. Two sentences decide nothing: the third one below is like both
of them, its word "great" is unknown to the network, and the answer is a guess from the words that
it shares with either. But everything that a real text classifier needs is here.
"""

import matplotlib.pyplot as plt
from sklearn.pipeline import make_pipeline

from skgru import GRUClassifier, SequenceVectorizer
from skgru.inspection import AttributionDisplay

# %%
# ``SequenceVectorizer`` splits texts into words and gives each word a number. ``GRUClassifier``
# learns a vector for each number and reads the vectors one after the other.

TEXTS = ["I love this movie", "This is a terrible movie"]
LABELS = ["positive", "negative"]

model = make_pipeline(
    SequenceVectorizer(),
    GRUClassifier(hidden_layer_sizes=10, embedding_dim=10, random_state=0),
).fit(TEXTS, LABELS)
classifier = model[-1]
print(f"Trained for {classifier.n_iter_} epochs, loss {classifier.loss_:.3f}")

# %%
# The model takes texts as they are. The third sentence is new to it.

sentences = [*TEXTS, "This is a great movie"]
probabilities = model.predict_proba(sentences)
for text, shares in zip(sentences, probabilities, strict=True):
    answer = classifier.classes_[shares.argmax()]
    said = ", ".join(f"{c} {p:.2f}" for c, p in zip(classifier.classes_, shares, strict=True))
    print(f"{text!r}: {answer} ({said})")

# %%
# What does each word contribute to "positive"? In the third sentence "is" speaks against it, since
# it stands in the negative sentence alone, and "great" says nothing, since no training sentence
# has it. Words of a single letter are left out, as in scikit-learn's vectorizers.

figure, axes = plt.subplots(1, 3, figsize=(7, 2.6), layout="constrained")
displays = [
    AttributionDisplay.from_estimator(model, sentences, index=i, target="positive").plot(ax)
    for i, ax in enumerate(axes)
]
panels = [display.axes_[""] for display in displays]
limit = max(ax.get_xlim()[1] for ax in panels)
for ax, shares in zip(panels, probabilities, strict=True):
    ax.set(xlim=(-limit, limit), xlabel="contribution [logit]")
    ax.set_title(f"positive {shares[1]:.2f}", fontsize="medium")
plt.show()
