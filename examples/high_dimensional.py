"""A thousand variables per step: scaled and reduced inside the pipeline
=====================================================================

The data, made here, are sequences of unequal length whose 1,000 variables mirror two hidden ones,
with noise; the class says which of the two ends higher. ``PerTimestep`` applies any transformer of
scikit-learn to every step: here a ``StandardScaler`` and a ``PCA``, fitted anew in each fold of the
grid search, whose grid names a parameter of the PCA. Beside it, the network on all 1,000 variables.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.decomposition import PCA
from sklearn.model_selection import GridSearchCV, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skgru import GRUClassifier, PerTimestep
from skgru.inspection import attributions

# %%
# The noise of a single variable is as large as what it mirrors. Only many of them together tell
# where the hidden ones are.

N_VARIABLES, N_HIDDEN = 1000, 2


def make_sequences(n, seed=0):
    """Return n sequences of 10 to 20 steps of 1,000 variables, their classes, and the mirror."""
    rng = np.random.default_rng(seed)
    mirror = rng.normal(size=(N_HIDDEN, N_VARIABLES))
    X, y = [], []
    for _ in range(n):
        hidden = rng.normal(size=(rng.integers(10, 21), N_HIDDEN)).cumsum(axis=0)
        noise = rng.normal(scale=12, size=(len(hidden), N_VARIABLES))
        X.append((hidden @ mirror + noise).astype(np.float32))
        y.append("first" if hidden[-1, 0] > hidden[-1, 1] else "second")
    return X, y, mirror


X, y, mirror = make_sequences(200)
print(f"{N_VARIABLES} variables per step, {sum(map(len, X))} steps in {len(X)} sequences")

# %%
# The grid search chooses how many components the PCA keeps, in 3-fold cross-validation. One is too
# few for two hidden variables.

network = GRUClassifier(hidden_layer_sizes=16, max_iter=20, random_state=0)
pipeline = make_pipeline(PerTimestep(make_pipeline(StandardScaler(), PCA())), network)
grid = {"pertimestep__transformer__pca__n_components": [1, 2, 8]}
results = GridSearchCV(pipeline, grid, cv=3, verbose=2).fit(X, y).cv_results_

# %%
# The network on all variables, which has a weight for each of them and each unit.

alone = cross_validate(network, X, y, cv=3, return_estimator=True)

scores = {
    f"PCA to {n}": (mean, deviation, seconds)
    for n, mean, deviation, seconds in zip(
        grid["pertimestep__transformer__pca__n_components"],
        results["mean_test_score"],
        results["std_test_score"],
        results["mean_fit_time"],
        strict=True,
    )
}
accuracies, times = alone["test_score"], alone["fit_time"]
scores["all variables"] = (accuracies.mean(), accuracies.std(), times.mean())
print(f"{'':13s}  accuracy  seconds a fit")
for name, (mean, _, seconds) in scores.items():
    print(f"{name:13s} {mean:9.3f} {seconds:14.2f}")

# %%
# Accuracy against the seconds of a fit, with the deviation over the folds.

figure, ax = plt.subplots(figsize=(7, 4), layout="constrained")
for name, (mean, deviation, seconds) in scores.items():
    ax.errorbar(seconds, mean, deviation, marker="o", markersize=8, capsize=4, label=name)
ax.set(xlabel="time of a fit [s]", ylabel="accuracy in cross-validation")
ax.set_xlim(left=0)
ax.grid(alpha=0.3)
ax.legend(loc="lower right")
plt.show()

# %%
# The network on all variables knows which of them to listen to: the more of the second hidden
# variable one has, and the less of the first, the more a higher value of it speaks for the class
# "second".

slopes = attributions(alone["estimator"][0], X, method="gradient", target="second")
slope = np.mean([of_one.sum(axis=0) for of_one in slopes], axis=0)
told = mirror[1] - mirror[0]
print(f"correlation: {np.corrcoef(told, slope)[0, 1]:.2f}")

figure, ax = plt.subplots(figsize=(7, 4), layout="constrained")
ax.scatter(told, slope, s=12, alpha=0.6)
ax.axhline(0, color="0.5", linewidth=0.8)
ax.axvline(0, color="0.5", linewidth=0.8)
ax.set_xlabel("weight of the second hidden variable less that of the first")
ax.set_ylabel("rise of the output for “second” per unit")
plt.show()
