"""What the branches know together is learned, and what one of them knows alone."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from skgru import TableBranch
from tests.multimodal.samples import classifier, regressor, series_branch, text_branch, without

FUSIONS = pytest.mark.parametrize("fusion", ["concat", "gated"])
NAMES = ["note", "monitor", "patient"]
COLUMNS = {"note": ["note"], "monitor": ["pulse"], "patient": ["age"]}
PARAMETERS = {"hidden_layer_sizes": 16, "max_iter": 25, "learning_rate_init": 0.03}


def signs(n=200, seed=0):
    """Return X, and for each sample whether a token and the sign of the series' end differ."""
    rng = np.random.default_rng(seed)
    is_good, is_up = rng.integers(0, 2, (2, n))
    X = pd.DataFrame(
        {
            "note": [f"a {'good' if good else 'bad'} film" for good in is_good],
            "pulse": [
                np.append(rng.normal(size=2 + i % 3), 1.5 if up else -1.5)
                for i, up in enumerate(is_up)
            ],
            "age": rng.normal(size=n),
        }
    )
    return X, is_good ^ is_up, is_good


def all_branches():
    return [
        ("note", text_branch(embedding_dim=4), "note"),
        ("monitor", series_branch(hidden_layer_sizes=4), ["pulse"]),
        ("patient", TableBranch(), ["age"]),
    ]


X, Y, GOOD = signs()
TRAIN, TEST = slice(0, 120), slice(120, 200)


@FUSIONS
def test_what_only_two_modalities_tell(fusion):
    model = classifier(all_branches(), fusion=fusion, **PARAMETERS).fit(X[TRAIN], Y[TRAIN])
    assert model.score(X[TEST], Y[TEST]) > 0.95
    for dropped in ("note", "monitor"):
        model.set_params(branches=all_branches()).set_params(**{dropped: "drop"})
        assert model.fit(X[TRAIN], Y[TRAIN]).score(X[TEST], Y[TEST]) < 0.65


@FUSIONS
def test_a_modality_that_misses_in_half_of_the_samples(fusion):
    # The text alone tells the label there; elsewhere, the series says whether to turn it round.
    label = np.where(np.arange(200) % 2, Y, GOOD)
    given = without(X, ["pulse"], rows=range(0, 200, 2))
    parameters = PARAMETERS | {"max_iter": 40}
    model = classifier(all_branches(), fusion=fusion, **parameters).fit(given[TRAIN], label[TRAIN])
    assert model.score(given[TEST], label[TEST]) > 0.95


def test_branch_dropout_prepares_for_a_missing_branch():
    # Both tell the label; the series is always there in training.
    label = GOOD
    pulse = [
        np.append(x[:-1], 1.5 if good else -1.5) for x, good in zip(X["pulse"], GOOD, strict=True)
    ]
    given = X.assign(pulse=pulse)
    scores = []
    for rate in (0.0, 0.5):
        model = classifier(all_branches(), branch_dropout=rate, **PARAMETERS)
        model.fit(given[TRAIN], label[TRAIN])
        assert model.score(given[TEST], label[TEST]) > 0.95
        absent = without(given[TEST], ["pulse"])
        p = model.predict_proba(absent)
        scores.append(np.log(p[np.arange(80), label[TEST]]).mean())
    assert scores[1] > scores[0]
    assert scores[1] > -0.1


def test_numbers_of_two_modalities():
    y = X["age"] + 2 * GOOD
    model = regressor(all_branches(), **PARAMETERS).fit(X[TRAIN], y[TRAIN])
    assert model.score(X[TEST], y[TEST]) > 0.9


def test_the_weights_of_the_gate():
    model = classifier(all_branches(), fusion="gated", **PARAMETERS | {"max_iter": 3}).fit(X, Y)
    given = without(X, ["note"], rows=[0, 1])
    given = without(given, ["pulse"], rows=[1, 2])
    given = without(given, ["age"], rows=[3])
    features = model.transform(given)
    gate = features[:, model.output_indices_["gate"]]
    present = np.ones((200, 3), bool)
    for row, branch in [(0, 0), (1, 0), (1, 1), (2, 1), (3, 2)]:
        present[row, branch] = False
    assert_allclose(gate.sum(axis=1), 1, rtol=1e-5)
    assert ((gate > 0) == present).all()
    assert gate[1].tolist() == [0, 0, 1]
    assert gate[4:].std(axis=0).min() > 0  # they are those of the sample
    names = model.get_feature_names_out()
    assert names[model.output_indices_["gate"]].tolist() == [f"gate_{name}" for name in NAMES]
    widths = {name: where.stop - where.start for name, where in model.output_indices_.items()}
    assert features.shape[1] == len(names) == sum(widths.values())
    assert widths == {"note": 6, "monitor": 24, "patient": 1, "gate": 3}


def test_the_outputs_of_a_branch_depend_on_its_columns_alone():
    model = classifier(all_branches(), **PARAMETERS | {"max_iter": 3}).fit(X, Y)
    features = model.transform(X)
    for name in NAMES:
        changed = model.transform(without(X, COLUMNS[name])) != features
        for other, where in model.output_indices_.items():
            assert changed[:, where].any() == (other == name)
