"""Networks that those of other libraries cannot say are refused by the parameters to set."""

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression

from skgru import GRUClassifier, GRURegressor, MultimodalGRURegressor, SeriesBranch
from skgru.interop import to_keras, to_torch

N = 40
RNG = np.random.default_rng(0)
X = RNG.normal(size=(N, 20, 2))
Y = X[:, :, 0].mean(axis=1)
HOLES = X.copy()
HOLES[::3, 4, 0] = np.nan
TIMES = X.copy()
TIMES[:, :, 1] = np.arange(20)
IDS = RNG.integers(1, 9, size=(N, 6))
TAGS = [list(row % 2) for row in IDS]
FEW = {"max_iter": 1, "random_state": 0, "hidden_layer_sizes": 3}
# Of both libraries: what is fitted, and what is to be said of it.
BEYOND = {
    "convolutions": (
        GRUClassifier(n_convolutions=84, pooling="last", **FEW),
        X,
        Y > 0,
        "n_convolutions=0.",
    ),
    "bag": (
        GRUClassifier(embedding_dim=4, bag=True, pooling="last", **FEW),
        IDS,
        Y > 0,
        "bag=False.",
    ),
    "crf": (GRUClassifier(embedding_dim=4, pooling=None, crf=True, **FEW), IDS, TAGS, "crf=False."),
    "minimal unit": (GRURegressor(cell="mingru", **FEW), X, Y, "cell='gru'."),
    "output gate": (GRURegressor(output_gate=True, **FEW), X, Y, "output_gate=False."),
    "patches": (GRURegressor(patch_size=4, **FEW), X, Y, "patch_size=1."),
    "own scale": (GRURegressor(scaling="sequence", **FEW), X, Y, "scaling='standard'."),
    "missing values": (GRURegressor(**FEW), HOLES, Y, "X without missing values."),
    "indicators": (
        GRURegressor(missing="indicator", **FEW),
        HOLES,
        Y,
        "X without missing values.",
    ),
    "time": (GRURegressor(time_feature=1, **FEW), TIMES, Y, "time_feature=None."),
    "all at once": (
        GRURegressor(output_gate=True, patch_size=2, scaling="sequence", **FEW),
        X,
        Y,
        "output_gate=False, patch_size=1, scaling='standard'.",
    ),
}
OF_KERAS = {
    "robust": (GRURegressor(scaling="robust", **FEW), X, Y, "scaling='standard'."),
    "two numbers of a target": (GRURegressor(loss="gaussian", **FEW), X, Y, "a loss of one number"),
    "tiny deviations": (GRURegressor(**FEW), 1e-8 * X, Y, "deviation is above 1e-07"),
}
CASES = [
    *((to_torch, case, *BEYOND[case]) for case in BEYOND),
    *((to_keras, case, *BEYOND[case]) for case in BEYOND),
    *((to_keras, case, *OF_KERAS[case]) for case in OF_KERAS),
]


@pytest.mark.parametrize(
    ("export", "case", "estimator", "X", "y", "message"),
    CASES,
    ids=lambda value: getattr(value, "__name__", value if isinstance(value, str) else ""),
)
def test_it_says_with_which_parameters_to_fit(export, case, estimator, X, y, message):
    estimator.fit(X, y)
    with pytest.raises(ValueError, match=f"cannot say all .* is fitted with .*{message}"):
        export(estimator)


@pytest.mark.parametrize("export", [to_torch, to_keras])
def test_what_is_no_fitted_network(export):
    with pytest.raises(NotFittedError):
        export(GRURegressor())
    with pytest.raises(TypeError, match="Expected a GRUClassifier"):
        export(LogisticRegression())
    several = MultimodalGRURegressor([("a", SeriesBranch(), [0])], max_iter=1, random_state=0)
    table = np.empty((N, 1), object)
    table[:, 0] = list(X)
    with pytest.raises(TypeError, match="one sequence, got MultimodalGRURegressor"):
        export(several.fit(table, Y))


def test_a_value_of_padding_that_is_none():
    reg = GRURegressor(**FEW).fit(X, Y)
    with pytest.raises(ValueError, match="mask_value: expected a finite number, got nan"):
        to_keras(reg, mask_value=np.nan)
    reader = GRURegressor(embedding_dim=4, pooling="last", **FEW).fit(IDS, Y)
    with pytest.raises(ValueError, match="mask_value: expected None for tokens"):
        to_keras(reader, mask_value=-1.0)
