"""A thousand variables per step: scale and reduce each step, inside the pipeline.

    python examples/high_dimensional.py [--picture variables.png]

The data, made here, are sequences of unequal length whose 1,000 variables mirror two hidden ones,
with noise; the class says which of the two ends higher. `PerTimestep` applies any transformer of
scikit-learn to every step: here a `StandardScaler` and a `PCA`, fitted anew in each fold of the
grid search, whose grid names a parameter of the PCA. Beside it, the network on all 1,000 variables.

The picture (extra `plot`: `pip install "skgru[plot]"`) shows that the latter knows which variables
to listen to: the more of the second hidden one a variable has, and the less of the first, the more
a higher value of it speaks for the class "second".
"""

import argparse

import matplotlib.pyplot as plt
import numpy as np
from sklearn.decomposition import PCA
from sklearn.model_selection import GridSearchCV, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skgru import GRUClassifier, PerTimestep
from skgru.inspection import attributions

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


def draw(network, X, mirror):
    """Return a picture of how each variable moves the output, over what it mirrors."""
    slopes = attributions(network, X, method="gradient", target="second")
    slope = np.mean([of_one.sum(axis=0) for of_one in slopes], axis=0)
    told = mirror[1] - mirror[0]
    figure, ax = plt.subplots(figsize=(7, 5), layout="constrained")
    ax.scatter(told, slope, s=12, alpha=0.6)
    ax.axhline(0, color="0.5", linewidth=0.8)
    ax.axvline(0, color="0.5", linewidth=0.8)
    ax.set_xlabel("weight of the second hidden variable less that of the first")
    ax.set_ylabel("rise of the output for “second” per unit")
    ax.set_title(f"{N_VARIABLES} variables, correlation {np.corrcoef(told, slope)[0, 1]:.2f}")
    return figure


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sequences", type=int, default=200)
    parser.add_argument("--epochs", type=int, default=40)
    parser.add_argument("--picture", metavar="FILE", help="save the picture, not show it")
    options = parser.parse_args(argv)

    X, y, mirror = make_sequences(options.sequences)
    network = GRUClassifier(hidden_layer_sizes=16, max_iter=options.epochs, random_state=0)
    pipeline = make_pipeline(PerTimestep(make_pipeline(StandardScaler(), PCA())), network)
    grid = {"pertimestep__transformer__pca__n_components": [1, 2, 8]}

    search = GridSearchCV(pipeline, grid, cv=3).fit(X, y)
    print(f"{N_VARIABLES} variables per step, {sum(map(len, X))} steps in {len(X)} sequences")
    results = search.cv_results_
    for parameters, score, seconds in zip(
        results["params"], results["mean_test_score"], results["mean_fit_time"], strict=True
    ):
        (n_components,) = parameters.values()
        print(f"PCA to {n_components:2d} components: accuracy {score:.3f}, {seconds:.1f} s a fit")
    alone = cross_validate(network, X, y, cv=3, return_estimator=True)
    score, seconds = alone["test_score"].mean(), alone["fit_time"].mean()
    print(f"all variables       : accuracy {score:.3f}, {seconds:.1f} s a fit")

    figure = draw(alone["estimator"][0], X, mirror)
    if options.picture:
        figure.savefig(options.picture)
    else:
        plt.show()


if __name__ == "__main__":
    main()
