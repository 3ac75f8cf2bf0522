"""A bag of tokens beside the network: what it adds, when it is there, how it goes on."""

import pickle

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.metrics import log_loss
from sklearn.pipeline import make_pipeline

from skgru import (
    GRUClassifier,
    GRURegressor,
    MultimodalGRUClassifier,
    SequenceVectorizer,
    SeriesBranch,
    TokenBranch,
    summary,
)
from skgru._data.sequences import Sequences, offsets_of
from skgru._defaults import DataShape, PlannedBranch, has_bag, most_pairs, share_to_compare
from skgru._engine.number_losses import NUMBER_LOSSES
from skgru._engine.observers import History
from skgru._engine.opinion_pool import fit_shares
from skgru._engine.trials import Trial
from skgru._settings import Settings
from skgru._spec import EncoderSpec
from skgru.inspection import attributions, permutation_importance
from tests.estimators.test_checkpoints import assert_same_fit, broken_off, needs_callbacks

OPTIONS = {"hidden_layer_sizes": 4, "max_iter": 2, "random_state": 0}
OPTIONS |= {"embedding_dim": 4, "early_stopping": False}


def texts(n=120, length=30, seed=0):
    """Return texts of many words, two of which tell the class."""
    rng = np.random.RandomState(seed)
    y = rng.randint(2, size=n)
    X = [rng.randint(4, 400, length + i % 7) for i in range(n)]
    for x, label in zip(X, y, strict=True):
        x[rng.choice(length, 3, replace=False)] = 2 + label
    return X, np.array(["a", "b"])[y]


X, Y = texts()
NEW, _ = texts(20, seed=1)


def fitted(estimator_class=GRUClassifier, X=X, y=Y, **parameters):
    return estimator_class(**OPTIONS | parameters).fit(X, y)


def noisy(n, seed):
    """Return texts in which one word tells the class of most."""
    rng = np.random.RandomState(seed)
    y = np.arange(n) % 2
    X = [rng.randint(32, 152, rng.randint(6, 21)) for _ in range(n)]
    for x, label in zip(X, y, strict=True):
        x[rng.randint(len(x))] = 2 + 5 * label + rng.randint(5)
    return X, np.where(rng.rand(n) > 0.15, y, rng.randint(2, size=n))


@pytest.mark.parametrize("max_iter", [1, 3])
def test_a_trial_of_few_epochs_does_not_make_the_fit_too_sure(max_iter):
    (X, y), (X_new, y_new) = noisy(1200, 1), noisy(500, 2)
    options = OPTIONS | {"hidden_layer_sizes": 16, "embedding_dim": 128, "max_iter": max_iter}

    def loss(bag):
        return log_loss(y_new, GRUClassifier(**options, bag=bag).fit(X, y).predict_proba(X_new))

    assert loss(True) < 1.15 * loss(False)


def test_few_long_texts_are_told_by_their_words():
    X_new, y_new = texts(200, seed=1)
    without, with_bag = fitted(bag=False), fitted()
    assert with_bag.auto_params_["bag"]
    assert with_bag.score(X_new, y_new) > 0.97 > 0.8 > without.score(X_new, y_new)


@pytest.mark.parametrize(
    "parameters",
    [
        {"X": X[:49], "y": Y[:49]},  # too few
        {"X": [x % 20 + 1 for x in X]},  # an alphabet
    ],
)
def test_auto_is_no_bag(parameters):
    assert not fitted(**parameters).auto_params_["bag"]


def test_auto_of_regression_and_of_the_first_partial_fit_is_no_bag():
    assert not fitted(GRURegressor, y=np.arange(len(X), dtype=float)).auto_params_["bag"]
    clf = GRUClassifier(**OPTIONS).partial_fit(X, Y, classes=["a", "b"])
    assert not clf.auto_params_["bag"]


@pytest.mark.parametrize(("n_outputs", "expected"), [(2, True), (40, True), (41, False)])
def test_auto_is_no_bag_of_more_weights_than_memory_is_for(n_outputs, expected):
    def asked(bag):
        settings = Settings({"bag": bag}, {}, {"bag": "auto"}, "GRUClassifier")
        shape = DataShape(1000, 500.0, n_features=1, n_tokens=50_000, has_classes=True)
        branch = PlannedBranch(settings, shape, EncoderSpec((8,), ("gru",)))
        return has_bag(branch, n_outputs=n_outputs, is_alone=True, incremental=False)

    assert asked("auto") is expected
    assert asked(True)
    assert not asked(False)
    assert most_pairs(50_000, n_outputs) == {2: 50_000, 40: 0, 41: 0}[n_outputs]


def test_pairs_have_the_room_that_tokens_leave():
    assert most_pairs(50_000, 30) == 2_000_000 // 30 - 50_000


def test_vectors_that_are_not_trained_have_a_bag_too():
    matrix = np.random.RandomState(0).normal(size=(401, 4))
    options = {"embedding_matrix": matrix, "freeze_embedding": True, "max_iter": 2}
    clf = GRUClassifier(4, random_state=0, embedding_dim=4, **options).fit(X, Y)
    assert clf.auto_params_["bag"]


def test_regression_with_a_bag():
    y = np.where(Y == "a", -3.0, 5.0)
    y_new = np.where(texts(200, seed=1)[1] == "a", -3.0, 5.0)
    reg = fitted(GRURegressor, y=y, bag=True)
    alone = fitted(GRURegressor, y=y)
    X_new, _ = texts(200, seed=1)
    assert reg.score(X_new, y_new) > 0.7 > 0.5 > alone.score(X_new, y_new)


@pytest.mark.parametrize("loss", NUMBER_LOSSES)
def test_a_bag_with_each_loss_of_numbers(loss):
    y = np.where(Y == "a", 1.0, 6.0)
    alone, with_bag = (fitted(GRURegressor, y=y, bag=bag, loss=loss) for bag in (False, True))
    X_new, labels = texts(200, seed=1)
    y_new = np.where(labels == "a", 1.0, 6.0)
    assert with_bag.score(X_new, y_new) > alone.score(X_new, y_new) + 0.1


def test_several_labels():
    rng = np.random.RandomState(0)
    X = [rng.randint(4, 400, 30) for _ in range(240)]
    y = rng.randint(2, size=(240, 3))
    for x, labels in zip(X, y, strict=True):
        places = rng.choice(30, (3, 2), replace=False)
        for label, there in enumerate(labels):
            x[places[label]] = 400 + 2 * label + there
    alone, with_bag = (fitted(X=X[:160], y=y[:160], bag=bag) for bag in (False, "auto"))
    assert with_bag._fitted_model().bag.weights.shape[1] == 3
    assert with_bag.score(X[160:], y[160:]) > 0.9 > 0.5 > alone.score(X[160:], y[160:])


def test_class_weights_count():
    y = np.where(np.arange(len(X)) % 4 == 0, "a", Y)
    weights = [None, {"a": 9.0, "b": 1.0}]
    plain, heavy = (fitted(y=y, class_weight=w)._fitted_model().bag for w in weights)
    assert heavy.bias < plain.bias - 0.5  # of the second class


@pytest.mark.parametrize("smoothing", [0.05, 0.3])
def test_targets_are_as_they_are_for_the_bag_and_the_join(monkeypatch, smoothing):
    seen = []

    def noted(*arguments):
        seen.append(arguments[4].label_smoothing)
        return fit_shares(*arguments)

    monkeypatch.setattr("skgru._engine.trials.fit_shares", noted)
    plain, smooth = fitted(), fitted(label_smoothing=smoothing)
    bags = [clf._fitted_model().bag for clf in (plain, smooth)]
    assert_array_equal(bags[0].weights, bags[1].weights)
    assert_array_equal(bags[0].bias, bags[1].bias)
    assert seen == [0.0, 0.0]
    later = []
    for clf in (plain, smooth):
        clf.set_params(max_iter="auto").partial_fit(X[:30], Y[:30])
        later.append(clf._fitted_model().bag)
    assert_array_equal(later[0].weights, later[1].weights)


def test_the_first_batch_may_be_of_one_class():
    clf = GRUClassifier(**OPTIONS, bag=True, learning_rate="constant")
    is_a = Y == "a"
    for there in (is_a, ~is_a, is_a, ~is_a):
        rows = np.flatnonzero(there)
        clf.partial_fit([X[i] for i in rows], Y[rows], classes=["a", "b"])
        assert np.isfinite(clf.predict_proba(NEW)).all()
    assert clf._fitted_model().bag.firmness.min() > 0


def test_few_samples_count_half_of_each():
    clf = fitted(X=X[:19], y=Y[:19], bag=True)
    assert clf._fitted_model().bag.shares == (0.5, 0.5)
    assert fitted(X=X[:20], y=Y[:20], bag=True)._fitted_model().bag.shares != (0.5, 0.5)


@pytest.mark.parametrize(("n", "share"), [(20, 0.5), (200, 0.5), (300, 2 / 3), (4000, 0.75)])
def test_the_share_that_a_trial_is_compared_on(n, share):
    assert share_to_compare(n) == pytest.approx(share)


def test_groups_are_not_parted_by_the_trial(monkeypatch):
    groups, parts = np.arange(len(X)) // 10, []
    make = Trial.__init__

    def noted(self, *arguments):
        make(self, *arguments)
        parts.append([set(part.groups) for part in (self.to_train, self.to_compare)])

    monkeypatch.setattr(Trial, "__init__", noted)
    GRUClassifier(**OPTIONS).fit(X, Y, groups=groups)
    ((some, others),) = parts
    assert some
    assert others
    assert not some & others


@pytest.mark.parametrize("scoring", [None, "loss", "balanced_accuracy"])
def test_the_trial_stops_early_where_the_fit_does(monkeypatch, scoring):
    n_epochs = []
    run = Trial.train

    def noted(self, way, map_, validation=None):
        assert (validation is not None) == way.early_stopping
        found = run(self, way, map_, validation)
        n_epochs.append(way.max_iter)
        return found

    monkeypatch.setattr(Trial, "train", noted)
    options = OPTIONS | {"early_stopping": True, "scoring": scoring}
    clf = GRUClassifier(**options).fit(X, Y)
    assert n_epochs == [4]  # with as many updates
    assert len(clf.validation_scores_) == clf.n_iter_
    fitted()
    assert n_epochs == [4, 4]
    fitted(solver="lbfgs", max_iter=3)  # each of whose updates sees all samples
    assert n_epochs == [4, 4, 3]


@needs_callbacks
def test_a_training_goes_on_with_the_bag_that_it_had(tmp_path):
    def make():
        return GRUClassifier(**OPTIONS | {"max_iter": 4, "warm_start": True})

    loaded = broken_off(make, 2, tmp_path, X, Y)
    before, whole = loaded._state["bag"], make().fit(X, Y)
    assert_same_fit(loaded.fit(X, Y), whole)
    assert_array_equal(whole.predict_proba(NEW), loaded.predict_proba(NEW))
    for name in ("weights", "bias", "firmness", "shares"):
        assert_array_equal(loaded._state["bag"][name], before[name])


def test_what_is_kept_are_plain_values():
    def check(value):
        if isinstance(value, dict):
            assert all(type(key) is str for key in value)
            for part in value.values():
                check(part)
        elif isinstance(value, (tuple, list)):
            for part in value:
                check(part)
        else:
            assert value is None or type(value) in (np.ndarray, float, int, str, bool)
            assert not isinstance(value, np.ndarray) or value.dtype != object

    check(fitted()._state["bag"])


def test_an_interrupted_training_has_its_bag_and_an_interrupted_trial_nothing(monkeypatch):
    calls = []

    def interrupt(after):
        def on_epoch(self, state):
            calls.append(state.epoch)
            if len(calls) == after:
                raise KeyboardInterrupt
            return False

        calls.clear()
        monkeypatch.setattr(History, "on_epoch", on_epoch)

    interrupt(5)  # the trial has four epochs
    with pytest.warns(UserWarning, match="interrupted"):
        clf = fitted()
    assert clf._fitted_model().bag is not None
    assert np.isfinite(clf.predict_proba(NEW)).all()
    interrupt(1)
    clf = GRUClassifier(**OPTIONS)
    with pytest.raises(KeyboardInterrupt):
        clf.fit(X, Y)
    assert not hasattr(clf, "classes_")


def test_the_words_that_tell_are_what_the_score_hangs_on():
    clf, (X_new, y_new) = fitted(), texts(100, seed=1)
    found = permutation_importance(
        clf, X_new, y_new, of="spans", n_spans=2, n_repeats=2, random_state=0
    )
    assert (found.importances_mean > 0.02).all()


def test_a_copy_with_the_same_parameters():
    clf = fitted(bag=True)
    other = clone(clf)
    assert other.get_params()["bag"] is True
    assert_array_equal(other.fit(X, Y).predict_proba(NEW), clf.predict_proba(NEW))
    pipeline = make_pipeline(SequenceVectorizer(), GRUClassifier())
    pipeline.set_params(gruclassifier__bag=False)
    assert pipeline[-1].bag is False


def test_lbfgs_with_a_bag():
    clf = fitted(solver="lbfgs", max_iter=20, bag=True)
    assert clf.score(*texts(200, seed=1)) > 0.9


def test_equal_to_itself_and_from_a_pickle():
    clf = fitted()
    expected = clf.predict_proba(NEW)
    assert_array_equal(fitted().predict_proba(NEW), expected)
    assert_array_equal(fitted(n_jobs=2).predict_proba(NEW), expected)
    assert_array_equal(pickle.loads(pickle.dumps(clf)).predict_proba(NEW), expected)


def test_padding_and_company_change_nothing():
    clf = fitted()
    together = clf.predict_proba(NEW)
    padded = np.zeros((len(NEW), 60), int)
    for i, x in enumerate(NEW):
        padded[i, : len(x)] = x
    assert_allclose(clf.predict_proba(padded), together, atol=1e-6)
    assert_allclose(np.vstack([clf.predict_proba([x]) for x in NEW]), together, atol=1e-6)


def test_a_text_without_known_words_has_a_prediction():
    assert np.isfinite(fitted().predict_proba([[999], []])).all()


def test_partial_fit_goes_on_with_the_bag():
    clf = fitted().set_params(max_iter="auto")
    before = clf._fitted_model().bag
    clf.partial_fit(X[:30], Y[:30])
    after = clf._fitted_model().bag
    assert after.shares == before.shares
    assert (after.firmness >= before.firmness).all()
    assert not np.array_equal(after.weights, before.weights)


def test_partial_fit_may_begin_with_a_bag():
    clf = GRUClassifier(**OPTIONS, bag=True, learning_rate="constant")
    for _ in range(3):
        clf.partial_fit(X, Y, classes=["a", "b"])
    assert clf._fitted_model().bag.shares == (0.5, 0.5)
    assert clf.score(*texts(200, seed=1)) > 0.95


def test_warm_start_needs_the_same_choice():
    clf = fitted(warm_start=True)
    clf.fit(X, Y)
    with pytest.raises(ValueError, match=r"expected bag=True, .* ask for bag=False"):
        clf.set_params(bag=False).fit(X, Y)


def test_validation_is_that_of_both():
    X_val, y_val = texts(60, seed=2)
    clf = GRUClassifier(**OPTIONS, dtype="float64", label_smoothing=0).fit(
        X, Y, X_val=X_val, y_val=y_val
    )
    assert clf.validation_scores_[-1] == clf.score(X_val, y_val)
    p = clf.predict_proba(X_val)[np.arange(60), (y_val == "b").astype(int)]
    assert clf.validation_loss_curve_[-1] == pytest.approx(-np.log(p).mean(), rel=1e-5)


def test_no_effect_without_tokens_or_with_targets_of_steps():
    with pytest.warns(UserWarning, match="bag=True .X does not hold tokens"):
        GRUClassifier(max_iter=1, bag=True).fit(np.arange(12.0).reshape(4, 3, 1), [0, 1, 0, 1])
    tags = [np.arange(len(x)) % 2 for x in X]
    with pytest.warns(UserWarning, match="bag=True .each step has a target"):
        fitted(y=tags, bag=True, pooling=None, bidirectional=False)


def test_summary_has_it():
    clf = fitted()
    found = summary(clf)
    bag = clf._fitted_model().bag
    (layer,) = [layer for layer in found.layers if layer.name == "bag"]
    assert layer.n_parameters == bag.weights.size + bag.bias.size
    assert found.n_parameters == sum(layer.n_parameters for layer in found.layers)


def frame(X, seed=0):
    rng = np.random.RandomState(seed)
    series = [rng.normal(size=(5, 1)) for _ in X]
    return pd.DataFrame({"text": list(X), "title": [x[:4] for x in X], "series": series})


def multimodal(names=("text", "title", "series"), **parameters):
    branches = [
        ("text", TokenBranch(embedding_dim=4, hidden_layer_sizes=4, **parameters), "text"),
        ("title", TokenBranch(embedding_dim=4, hidden_layer_sizes=4, **parameters), "title"),
        ("series", SeriesBranch(hidden_layer_sizes=4), "series"),
    ]
    branches = [branch for branch in branches if branch[0] in names]
    return MultimodalGRUClassifier(branches, max_iter=2, random_state=0).fit(frame(X), Y)


def test_several_branches():
    X_new, y_new = texts(200, seed=1)
    clf = multimodal(bag=True)
    assert list(clf._fitted_model().bag.tokens) == ["text", "title"]
    assert clf.score(frame(X_new), y_new) > 0.95
    assert multimodal()._fitted_model().bag is None
    assert_array_equal(pickle.loads(pickle.dumps(clf)).predict(frame(NEW)), clf.predict(frame(NEW)))


@pytest.mark.parametrize("method", ["integrated_gradients", "occlusion"])
def test_contributions_count_the_bag(method):
    clf, start = fitted(dtype="float64"), 7

    def logit(X):
        p = clf.predict_log_proba(X)
        return p[:, 1] - p[:, 0]

    found = attributions(clf, NEW[:3], target="b", method=method, baseline=start)
    for x, contributions in zip(NEW[:3], found, strict=True):
        if method == "occlusion":
            others = []
            for t in range(len(x)):
                others.append(x.copy())
                others[-1][t] = start
            assert_allclose(contributions, logit([x]) - logit(others), atol=1e-8)
        else:
            change = logit([x]) - logit([np.full(len(x), start)])
            assert_allclose(contributions.sum(), change[0], atol=0.01 * max(abs(change[0]), 0.1))


def test_the_gradient_of_a_bag_is_what_its_tokens_add():
    clf, start = fitted(dtype="float64"), 7
    alone = clone(clf).fit(X, Y)
    alone._state = {**clf._state, "bag": None}
    both, of_network = (
        attributions(model, NEW[:3], target="b", method="gradient", baseline=start)
        for model in (clf, alone)
    )
    bag = clf._fitted_model().bag
    for x, found, other in zip(NEW[:3], both, of_network, strict=True):
        sequences = (Sequences(ids, offsets_of([len(x)])) for ids in (x, np.full_like(x, start)))
        here, at_start = (bag.by_token({"": s})[""][:, 0] for s in sequences)
        assert np.abs(here).max() > 0.1
        assert_allclose(found, bag.shares[0] * other + here - at_start, atol=1e-8)


def test_contributions_of_several_branches_sum_to_the_change():
    clf = multimodal(bag=True, names=("text", "title"))
    X_new = frame(NEW[:4])
    found = attributions(clf, X_new, target="b", tol=1e-3, baseline={"text": 7, "title": 7})
    start = X_new.copy()
    for name in found:
        start[name] = [np.full(len(x), 7) for x in X_new[name]]
    after, before = (np.diff(clf.predict_log_proba(part))[:, 0] for part in (X_new, start))
    total = [sum(np.sum(of_branch[i]) for of_branch in found.values()) for i in range(4)]
    assert_allclose(total, after - before, rtol=2e-3, atol=2e-4)
