"""Grid search over scikit-learn's digits, read as sequences of 8 rows of 8 pixels.

    python examples/grid_search.py

A network that reads a digit row by row; the search chooses its width and learning rate by 5-fold
cross-validation on the training part, and the confusion matrix is that of the part held out.
"""

import argparse

from sklearn.datasets import load_digits
from sklearn.metrics import confusion_matrix
from sklearn.model_selection import GridSearchCV, StratifiedKFold, train_test_split

from skgru import GRUClassifier


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--quick", action="store_true", help="a smaller grid, fewer folds and epochs"
    )
    quick = parser.parse_args(argv).quick

    X, y = load_digits(return_X_y=True)
    X_train, X_test, y_train, y_test = train_test_split(
        X, y, test_size=0.2, stratify=y, random_state=0
    )
    grid = {"hidden_layer_sizes": [32, 64], "learning_rate_init": [0.005, 0.01]}
    if quick:
        grid = {"hidden_layer_sizes": [64], "learning_rate_init": [0.005, 0.01]}
    search = GridSearchCV(
        GRUClassifier(features_per_step=8, max_iter=15 if quick else 30, random_state=0),
        grid,
        cv=StratifiedKFold(2 if quick else 5, shuffle=True, random_state=0),
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
    print(confusion_matrix(y_test, search.predict(X_test)))


if __name__ == "__main__":
    main()
