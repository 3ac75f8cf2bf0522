"""Which output is explained: of classes and numbers, at steps, by each loss."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from skgru.inspection import attributions
from tests.inspection import samples
from tests.inspection.samples import raw_of, sequences

X = sequences()
SHOWN = X[2:7]
TWO = np.array(["no", "yes"])[np.arange(len(X)) % 2]
THREE = np.array(["a", "b", "c"])[np.arange(len(X)) % 3]
LABELS = (np.random.RandomState(0).uniform(size=(len(X), 3)) < 0.5).astype(int)
NUMBERS = 10 + 5 * np.random.RandomState(0).normal(size=(len(X), 2))


def classifier(X, y, **parameters):
    return samples.classifier(X, y, **{"pooling": "mean"} | parameters)


def regressor(X, y, **parameters):
    return samples.regressor(X, y, **{"pooling": "mean"} | parameters)


def sums(estimator, shown=SHOWN, **how):
    """Return the sum of all contributions of each sample."""
    parts = attributions(estimator, shown, tol=5e-4, **how)
    return np.array([part.sum() for part in parts])


def change(estimator, output, shown=SHOWN):
    """Return the change of an output of lists of samples, from their baselines on."""
    starts = [np.broadcast_to(estimator.feature_mean_, x.shape) for x in shown]
    return output(shown) - output(starts)


def check(estimator, output, shown=SHOWN, **how):
    expected = change(estimator, output, shown)
    assert np.abs(expected).max() > 0.05
    assert_allclose(sums(estimator, shown, **how), expected, rtol=1e-3, atol=1e-3)
    # Derivatives and occlusion are those of the same output.
    (derivative,) = attributions(estimator, shown[:1], method="gradient", **how)
    (without,) = attributions(estimator, shown[:1], method="occlusion", **how)
    x, step = shown[0], np.zeros_like(shown[0])
    step[0, 1] = 1e-4
    high, low = output([x + step]), output([x - step])
    assert_allclose(derivative[0, 1], (high - low) / 2e-4, rtol=1e-4, atol=1e-7)
    other = x.copy()
    other[0, 1] = estimator.feature_mean_[1]
    assert_allclose(without[0, 1], output([x]) - output([other]), atol=1e-9)


@pytest.mark.parametrize(("target", "sign"), [("yes", 1), ("no", -1)])
def test_of_two_classes_the_logit_counts_toward_the_one_or_the_other(target, sign):
    estimator = classifier(X, TWO)
    check(estimator, lambda x: sign * raw_of(estimator, x)[:, 0], target=target)


def test_without_a_target_the_predicted_class_is_explained():
    for y in (TWO, THREE):
        estimator = classifier(X, y)
        predicted = estimator.predict(SHOWN)
        assert len(set(predicted)) > 1
        for x, label in zip(SHOWN, predicted, strict=True):
            assert_allclose(
                attributions(estimator, [x])[0], attributions(estimator, [x], target=label)[0]
            )
        assert_allclose(
            sums(estimator),
            [sums(estimator, [x], target=c)[0] for x, c in zip(SHOWN, predicted, strict=True)],
            atol=1e-9,
        )


def test_of_many_classes_each_has_a_raw_output():
    estimator = classifier(X, THREE)
    for k, label in enumerate("abc"):
        check(estimator, lambda x, k=k: raw_of(estimator, x)[:, k], target=label)


def test_of_several_labels_each_has_a_raw_output():
    estimator = classifier(X, LABELS)
    check(estimator, lambda x: raw_of(estimator, x)[:, 2], target=2)
    with pytest.raises(ValueError, match=r"index of a label as target, one of \[0, 1, 2\], got No"):
        attributions(estimator, SHOWN)


def test_of_several_numbers_each_is_in_its_unit():
    estimator = regressor(X, NUMBERS * [1, 1000])
    check(estimator, lambda x: estimator.predict(x)[:, 1], target=1)
    for target in (None, 2, -1, True, "first"):
        with pytest.raises(ValueError, match=f"index as target, of the output: 0 to 1, .*{target}"):
            attributions(estimator, SHOWN, target=target)


@pytest.mark.parametrize(
    "loss", ["squared_error", "absolute_error", "huber", "poisson", "gaussian"]
)
def test_of_each_loss_predictions_are_explained(loss):
    estimator = regressor(X, NUMBERS[:, 0].clip(0), loss=loss)
    check(estimator, estimator.predict)
    estimator = regressor(X, NUMBERS.clip(0), loss=loss)
    check(estimator, lambda x: estimator.predict(x)[:, 1], target=1)


def test_of_quantiles_each_is_explained():
    quantiles = (0.1, 0.5, 0.9)
    estimator = regressor(X, NUMBERS[:, 0], loss="quantile", quantiles=quantiles)
    for i in range(3):
        check(estimator, lambda x, i=i: estimator.predict(x)[:, i], target=i)
    with pytest.raises(ValueError, match=r"quantile \{0: 0.1, 1: 0.5, 2: 0.9\}: 0 to 2, got None"):
        attributions(estimator, SHOWN)
    estimator = regressor(X, NUMBERS, loss="quantile", quantiles=quantiles)
    check(estimator, lambda x: estimator.predict(x)[:, 1, 2], target=(1, 2))
    with pytest.raises(ValueError, match=r"\(output, quantile\) as target, .* 2 outputs .* got 2"):
        attributions(estimator, SHOWN, target=2)
    estimator = regressor(X, NUMBERS, loss="quantile", quantiles=0.8)
    check(estimator, lambda x: estimator.predict(x)[:, 1], target=1)


@pytest.mark.parametrize("options", [{"bidirectional": True}, {"bptt_steps": 2}])
def test_a_step_is_explained_or_all_of_them(options):
    options = {"bidirectional": False, "pooling": None} | options
    estimator = regressor(X, [np.cumsum(x[:, 0]) for x in X], **options)
    long = [x for x in X if len(x) > 2]

    def at(step):
        return lambda x: np.array([values[step] for values in estimator.predict(x)])

    check(estimator, at(1), long, target=(1, 0))
    check(estimator, at(-1), long, target=(-1, None))
    check(estimator, lambda x: np.array([sum(values) for values in estimator.predict(x)]), long)
    later = attributions(estimator, long, target=(0, None))
    assert all((part[1:] == 0).all() for part in later) != options["bidirectional"]


@pytest.mark.parametrize("crf", [False, True])
def test_classes_of_steps_have_the_raw_outputs_before_the_chain(crf):
    y = [np.array(["a", "b", "c"])[np.clip(x[:, 0], 0, 2).astype(int)] for x in X]
    estimator = classifier(X, y, pooling=None, crf=crf)
    long = [x for x in X if len(x) > 2]

    def total(x, k=1):
        raw, lengths = raw_of(estimator, x)[:, k], [len(one) for one in x]
        return np.array([part.sum() for part in np.split(raw, np.cumsum(lengths)[:-1])])

    check(estimator, total, long, target="b")
    check(
        estimator,
        lambda x: raw_of(estimator, x)[np.cumsum([len(one) for one in x]) - 1, 0],
        long,
        target=(-1, "a"),
    )
    parts = attributions(estimator, long[:2], target=(2, None))
    predicted = raw_of(estimator, long[:2]).argmax(axis=1)
    for i, (x, row) in enumerate(zip(long[:2], (2, len(long[0]) + 2), strict=True)):
        label = "abc"[predicted[row]]
        assert_allclose(parts[i], attributions(estimator, [x], target=(2, label))[0])


def test_a_step_that_a_sample_does_not_have_is_refused():
    estimator = regressor(X, [x[:, 0] for x in X], pooling=None)
    with pytest.raises(ValueError, match="got 4, but sample 3 has 1 steps"):
        attributions(estimator, SHOWN, target=(4, 0))
    with pytest.raises(ValueError, match=r"\(step, output\) as target, the step an int, got 'x'"):
        attributions(estimator, SHOWN, target=("x", 0))


def test_an_unknown_class_is_refused_with_those_that_are_known():
    estimator = classifier(X, THREE, max_iter=2)
    for target in ("maybe", 1, (0, "a"), np.array(["a", "b"]), pd.Series(["a", "b"]), pd.NA):
        with pytest.raises(ValueError, match=r"one of \['a', 'b', 'c'\], got"):
            attributions(estimator, SHOWN, target=target)
    with pytest.raises(ValueError, match=r"one of \[0, 1\], got True"):
        attributions(classifier(X, (TWO == "yes").astype(int)), SHOWN, target=True)
