"""Grid search over scikit-learn's digits, read as sequences of 8 rows of 8 pixels.

    python examples/grid_search.py [--picture grid.png]

A network that reads a digit row by row; the search chooses its width and learning rate by 3-fold
cross-validation on the training part, and the confusion matrix is that of the part held out.

The picture (extra `plot`: `pip install "skgru[plot]"`) has the scores of the search, and the digits
of the part held out that the best network misread.
"""

import argparse

import matplotlib.pyplot as plt
from sklearn.datasets import load_digits
from sklearn.metrics import confusion_matrix
from sklearn.model_selection import GridSearchCV, StratifiedKFold, train_test_split

from skgru import GRUClassifier


def draw(results, images, truth, found):
    """Return a picture of the scores, and of the digits that were misread."""
    figure = plt.figure(figsize=(10, 4), layout="constrained")
    left, right = figure.subfigures(1, 2, width_ratios=(3, 2))
    ax = left.subplots()
    widths = results["param_hidden_layer_sizes"]
    for width in sorted(set(widths)):
        of_width = widths == width
        rates = results["param_learning_rate_init"][of_width].astype(float)
        mean = results["mean_test_score"][of_width]
        deviation = results["std_test_score"][of_width]
        ax.errorbar(rates, mean, deviation, marker="o", capsize=4, label=f"{width} units")
    ax.set(xscale="log", xlabel="learning rate", ylabel="accuracy in cross-validation")
    ax.set_xticks(rates, [f"{rate:g}" for rate in rates], minor=False)
    ax.minorticks_off()
    ax.legend()
    wrong = (truth != found).nonzero()[0]
    right.suptitle(f"{len(wrong)} of {len(truth)} digits held out were misread")
    for panel in right.subplots(2, 3).flat:
        panel.set_axis_off()
    for panel, i in zip(right.axes, wrong, strict=False):
        panel.imshow(images[i].reshape(8, 8), cmap="gray_r")
        panel.set_title(f"{truth[i]}, not {found[i]}", fontsize="medium")
    return figure


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--quick", action="store_true", help="a smaller grid, fewer folds and epochs"
    )
    parser.add_argument("--picture", metavar="FILE", help="save the picture, not show it")
    options = parser.parse_args(argv)
    quick = options.quick

    X, y = load_digits(return_X_y=True)
    X_train, X_test, y_train, y_test = train_test_split(
        X, y, test_size=0.2, stratify=y, random_state=0
    )
    grid = {"hidden_layer_sizes": [32, 64], "learning_rate_init": [0.0025, 0.005, 0.01]}
    if quick:
        grid = {"hidden_layer_sizes": [64], "learning_rate_init": [0.01, 0.02]}
    search = GridSearchCV(
        GRUClassifier(features_per_step=8, max_iter=8 if quick else 30, random_state=0),
        grid,
        cv=StratifiedKFold(2 if quick else 3, shuffle=True, random_state=0),
        n_jobs=2,
    ).fit(X_train, y_train)

    for parameters, score in zip(
        search.cv_results_["params"], search.cv_results_["mean_test_score"], strict=True
    ):
        print(f"{score:.4f}  {parameters}")
    print(f"\nBest: {search.best_params_}")
    print(f"Accuracy in cross-validation: {search.best_score_:.4f}")
    print(f"Accuracy on the {len(y_test)} digits held out: {search.score(X_test, y_test):.4f}")
    print("\nConfusion matrix (rows: the digit, columns: what was read):")
    found = search.predict(X_test)
    print(confusion_matrix(y_test, found))

    figure = draw(search.cv_results_, X_test, y_test, found)
    if options.picture:
        figure.savefig(options.picture)
    else:
        plt.show()


if __name__ == "__main__":
    main()
