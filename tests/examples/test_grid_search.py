"""The example of a grid search: nearly all digits are read, and those drawn were misread."""

import re

import numpy as np


def test_grid_search(run_notebook):
    run = run_notebook("grid_search")
    search, printed = run.names["search"], run.printed
    assert search.best_score_ > 0.95
    assert f"Accuracy in cross-validation: {search.best_score_:.4f}" in printed
    accuracy = float(re.search(r"digits held out: (\d\.\d+)", printed)[1])
    assert accuracy > 0.95

    matrix = [[int(n) for n in re.findall(r"\d+", line)] for line in printed.splitlines()[-11:-1]]
    matrix = np.array(matrix)
    assert matrix.shape == (10, 10)
    assert matrix.sum() == 360
    assert matrix.trace() / 360 == np.round(accuracy * 360) / 360
    n_wrong = 360 - matrix.trace()
    assert f"{n_wrong} of 360 digits held out were misread" in printed

    (scores,), digits = (figure.axes for figure in run.figures)
    drawn = [bars.lines[0].get_ydata() for bars in scores.containers]
    found = search.cv_results_["mean_test_score"]
    np.testing.assert_array_equal(np.ravel(drawn), found)
    assert [bars.get_label() for bars in scores.containers] == ["32 units", "64 units"]
    for score in found[:1], found[-1:]:  # the tables have them in the order of the grid
        assert f"{score[0]:.4f}" in printed

    wrong = [[int(n) for n in re.findall(r"\d", ax.get_title())] for ax in digits]
    assert len(wrong) == min(6, n_wrong) > 0
    assert all(matrix[truth, read] > 0 and truth != read for truth, read in wrong)
    truth = [digit for digit, _ in wrong]
    images = [ax.images[0].get_array() for ax in digits]
    X, y = run.names["X_test"], run.names["y_test"]
    for image, digit in zip(images, truth, strict=True):
        assert digit in y[(np.ravel(image) == X).all(axis=1)]
