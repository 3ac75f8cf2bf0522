"""Streams: predictions step by step are those for every prefix."""

import pickle
from functools import partial

import joblib
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skgru import GRUClassifier, GRURegressor, SequenceVectorizer
from skgru._engine.number_losses import NUMBER_LOSSES

OPTIONS = {
    "hidden_layer_sizes": 5,
    "max_iter": 3,
    "bidirectional": False,
    "n_convolutions": 0,
    "dtype": "float64",
    "random_state": 0,
}
RNG = np.random.RandomState(0)
N_STEPS = 11
X = RNG.normal(size=(30, N_STEPS, 3))
Y = np.arange(30) % 3
HOLES = np.where(RNG.rand(*X.shape) < 0.4, np.nan, X)
HOLES[:, 0] = X[:, 0]
HOLES[4, 3:6] = np.nan  # steps without any value
TIMES = HOLES.copy()
TIMES[:, :, 1] = np.cumsum(RNG.exponential(size=(30, N_STEPS)), axis=1)

CONFIGURATIONS = {
    "plain": (X, {}),
    "float32": (X, {"dtype": "float32"}),
    "lstm": (X, {"cell": "lstm"}),
    "output gate": (X, {"output_gate": True}),
    "mixed": (X, {"cell": ["gru", "rnn", "lstm"], "hidden_layer_sizes": (5, 4, 3)}),
    "reset after": (X, {"reset_after": True}),
    "robust": (X * [1, 1e4, 0.1], {"scaling": "robust"}),
    "not scaled": (X, {"scaling": None}),
    **{pooling: (X, {"pooling": pooling}) for pooling in ("last", "mean", "max", "attention")},
    "several": (X, {"pooling": ("last", "mean", "max", "attention"), "patch_size": 4}),
    "steps": (X, {"pooling": None}),
    "patches": (X, {"patch_size": 3}),
    "patches, not scaled": (X + 1, {"patch_size": 3, "scaling": None}),
    "longer patches than the sequence": (X, {"patch_size": 20}),
    "decay": (HOLES, {"missing": "decay"}),
    "decay in patches": (HOLES, {"missing": "decay", "patch_size": 3}),
    "decay at each step": (HOLES, {"missing": "decay", "pooling": None}),
    "indicator": (HOLES, {"missing": "indicator"}),
    "indicator in patches": (HOLES, {"missing": "indicator", "patch_size": 2}),
    "times": (TIMES, {"time_feature": 1}),
    "times, indicator": (TIMES, {"time_feature": 1, "missing": "indicator", "patch_size": 2}),
    "times of complete values": (
        np.where(np.isnan(TIMES), 0, TIMES),
        {"time_feature": 1, "missing": "error"},
    ),
}


def fitted(X=X, y=Y, estimator_class=GRUClassifier, **options):
    if options.get("pooling", "") is None:
        y = [np.full(len(x), label) for x, label in zip(X, y, strict=True)]
    return estimator_class(**OPTIONS | options).fit(X, y)


def on_prefixes(model, X, method):
    """Return the predictions for all prefixes of sequences, (n_steps, n, ...)."""
    predict = getattr(model, method)
    found = []
    for t in range(1, X.shape[1] + 1):
        prefix = X[:, :t]
        if model.pooling is None:  # a step without any value behind it: it is no padding
            prefix = np.concatenate([prefix, np.ones_like(X[:, :1])], axis=1)
            found.append(np.array([steps[t - 1] for steps in predict(prefix)]))
        else:
            found.append(predict(prefix))
    return np.array(found)


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_each_prediction_is_that_for_the_steps_so_far(name):
    X, options = CONFIGURATIONS[name]
    model = fitted(X, **options)
    tolerance = 1e-5 if options.get("dtype") == "float32" else 1e-10
    expected = on_prefixes(model, X[:6], "predict_proba")
    # One sequence, several, and several of which not all have a step each time.
    single, several = (model.stream(n, method="predict_proba") for n in (None, 6))
    one = [single.step(x) for x in X[4]]
    assert_allclose(one, expected[:, 4], rtol=0, atol=tolerance)
    all_ = [several.step(X[:6, t]) for t in range(X.shape[1])]
    assert_allclose(all_, expected, rtol=0, atol=tolerance)
    apart, n_steps = model.stream(6, method="predict_proba"), np.zeros(6, int)
    rng = np.random.RandomState(1)
    while len(going := np.flatnonzero(n_steps < X.shape[1])):
        some = rng.permutation(going)[: rng.randint(1, len(going) + 1)]
        p = apart.step(X[some, n_steps[some]], sequences=some)
        assert_allclose(p, expected[n_steps[some], some], rtol=0, atol=tolerance)
        n_steps[some] += 1
        assert_array_equal(apart.n_steps, n_steps)


def test_values_that_are_missing_for_the_first_time_in_a_stream():
    model = fitted()  # training had none
    expected = on_prefixes(model, HOLES[:6], "predict_proba")
    stream = model.stream(6, method="predict_proba")
    found = [stream.step(HOLES[:6, t]) for t in range(N_STEPS)]
    assert_allclose(found, expected, rtol=0, atol=1e-10)
    in_patches = fitted(patch_size=3)
    stream = in_patches.stream(6, method="predict_proba")
    found = [stream.step(HOLES[:6, t]) for t in range(N_STEPS)]
    assert_allclose(found, on_prefixes(in_patches, HOLES[:6], "predict_proba"), atol=1e-10)


@pytest.mark.parametrize("options", [{}, {"patch_size": 3}, {"pooling": "mean"}], ids=str)
def test_tokens(options):
    texts = ["abcade", "cba", "eed", "dabbc"] * 5
    vectorizer = SequenceVectorizer(analyzer="char").fit(texts)
    model = fitted(vectorizer.transform(texts), np.arange(20) % 2, bag=False, **options)
    tokens = vectorizer.transform(["abczd"])[0]
    stream = model.stream(method="predict_proba")
    for t, token in enumerate(tokens):
        expected = model.predict_proba([tokens[: t + 1]])
        assert_allclose(stream.step(token), expected[0], rtol=0, atol=1e-10)
    for bad in (0, -1, 1.5):
        with pytest.raises(ValueError, match="token ids"):
            stream.step(bad)


@pytest.mark.parametrize("loss", NUMBER_LOSSES)
@pytest.mark.parametrize("n_targets", [1, 2])
def test_numbers_by_every_loss(loss, n_targets):
    y = np.abs(X[:, -1, :n_targets])
    y = y[:, 0] if n_targets == 1 else y
    model = fitted(y=y, estimator_class=GRURegressor, loss=loss)
    stream = model.stream(3)
    found = [stream.step(X[:3, t]) for t in range(N_STEPS)]
    assert_allclose(found, on_prefixes(model, X[:3], "predict"), rtol=0, atol=1e-10)
    assert np.shape(model.stream().step(X[0, 0])) == np.shape(found[0][0])


def test_labels_logarithms_and_several_labels():
    model = fitted(y=np.array(["a", "b", "c"])[Y])
    stream = model.stream()
    assert [stream.step(x) for x in X[0]] == on_prefixes(model, X[:1], "predict")[:, 0].tolist()
    stream = model.stream(2, method="predict_log_proba")
    found = [stream.step(X[:2, t]) for t in range(N_STEPS)]
    assert_allclose(found, on_prefixes(model, X[:2], "predict_log_proba"), atol=1e-10)
    labels = fitted(y=np.column_stack([Y > 0, Y > 1]).astype(int))
    stream = labels.stream(2)
    found = [stream.step(X[:2, t]) for t in range(N_STEPS)]
    assert_array_equal(found, on_prefixes(labels, X[:2], "predict"))


def test_one_feature_needs_no_axis():
    model = fitted(X[:, :, :1])
    one, two = model.stream(method="predict_proba"), model.stream(2, method="predict_proba")
    for t in range(4):
        p = two.step(X[:2, t, 0])
        assert_allclose(one.step(X[0, t, 0]), p[0], atol=1e-12)


@pytest.mark.parametrize("name", ["several", "decay in patches", "times"])
def test_a_reset_begins_anew_and_a_state_goes_on_elsewhere(name, tmp_path):
    X, options = CONFIGURATIONS[name]
    model = fitted(X, **options)
    stream = model.stream(4, method="predict_proba")
    first = [stream.step(X[:4, t]) for t in range(6)]
    state = stream.state
    joblib.dump(state, tmp_path / "state.joblib")
    rest = [stream.step(X[:4, t]) for t in range(6, N_STEPS)]
    again = model.stream(4, method="predict_proba")
    again.state = joblib.load(tmp_path / "state.joblib")
    assert_array_equal([again.step(X[:4, t]) for t in range(6, N_STEPS)], rest)
    again.state = state
    pickled = pickle.loads(pickle.dumps(again))
    assert_array_equal([pickled.step(X[:4, t]) for t in range(6, N_STEPS)], rest)
    # Some begin anew, the others go on.
    again.state = state
    again.reset([1, 3])
    assert_array_equal(again.n_steps, [6, 0, 6, 0])
    both = again.step(np.stack([X[0, 6], X[1, 0], X[2, 6], X[3, 0]]))
    assert_allclose(both, np.where([[1], [0], [1], [0]], rest[0], first[0]), rtol=0, atol=1e-12)
    assert again.reset() is again
    assert_array_equal([again.step(X[:4, t]) for t in range(6)], first)


def test_a_state_of_another_stream_is_refused():
    model, other = fitted(), fitted(hidden_layer_sizes=6)
    stream = model.stream(2)
    for state in (model.stream(3).state, other.stream(2).state, {}, None):
        with pytest.raises(ValueError, match="not one of this stream"):
            stream.state = state
    before = stream.state
    before["network"]["states"][0][...] = 7
    assert not (stream.state["network"]["states"][0] == 7).any()


@pytest.mark.filterwarnings("ignore:.*iterations")
def test_a_later_fit_of_the_estimator_does_not_change_a_stream():
    model = fitted(warm_start=True, learning_rate="constant", n_iter_no_change=100)
    stream, same = model.stream(method="predict_proba"), model.stream(method="predict_proba")
    before = [same.step(x) for x in X[0]]
    model.partial_fit(X, Y)
    assert_array_equal([stream.step(x) for x in X[0]], before)
    assert np.abs(model.predict_proba(X[:1])[0] - before[-1]).max() > 1e-6


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        ({"bidirectional": True}, "bidirectional=False"),
        ({"n_convolutions": 84}, "n_convolutions=0"),
        ({"scaling": "sequence"}, "scaling='standard'"),
        ({"bidirectional": True, "n_convolutions": 84}, "bidirectional=False, n_convolutions=0"),
        ({"pooling": None, "crf": True}, "crf=False"),
    ],
)
def test_networks_that_know_the_end_are_refused_by_name(options, fault):
    with pytest.raises(ValueError, match=f"a model fitted with {fault}"):
        fitted(**options).stream()


def test_a_bag_is_refused_by_name():
    X = SequenceVectorizer(analyzer="char").fit_transform(["abc", "cbab"] * 10)
    model = fitted(X, [0, 1] * 10, bag=True)
    with pytest.raises(ValueError, match="a model fitted with bag=False"):
        model.stream()


def test_what_is_no_step_is_refused_and_changes_nothing():
    model, timed = fitted(missing="error"), fitted(TIMES, time_feature=1)
    stream, single = model.stream(3, method="predict_proba"), timed.stream()
    stream.step(X[:3, 0])
    single.step(TIMES[0, 3])
    before, stamps = stream.state, single.state
    refused = [
        (lambda: stream.step(X[:2, 0]), r"shape \(3, 3\), got shape \(2, 3\)"),
        (lambda: stream.step(X[0, 0]), r"shape \(3, 3\), got shape \(3,\)"),
        (lambda: stream.step([["a"] * 3] * 3), "text"),
        (lambda: stream.step(X[:3, 0] * 1j), "[Cc]omplex"),
        (lambda: stream.step(np.where(X[:3, 0] > 9, 0, np.inf)), "infinity"),
        (lambda: stream.step(np.full((3, 3), np.nan)), "missing='error'"),
        (lambda: stream.step(X[:1, 0], sequences=[3]), "from 0 on, each once"),
        (lambda: stream.step(X[:1, 0], sequences=[-1]), "from 0 on, each once"),
        (lambda: stream.step(X[:2, 0], sequences=[1, 1]), "from 0 on, each once"),
        (lambda: stream.step(X[:1, 0], sequences=["a"]), "indices of sequences"),
        (lambda: stream.step(X[:1, 0], sequences=[0.0]), "indices of sequences"),
        (lambda: single.step(TIMES[0, 2]), "must not decrease"),
        (lambda: single.step([0.0, np.nan, 0.0]), "must not decrease"),
        (lambda: model.stream(0), "n_sequences"),
        (lambda: model.stream(True), "n_sequences"),
        (lambda: model.stream(1.0), "n_sequences"),
        (lambda: model.stream(method="transform"), "predict_log_proba, got 'transform'"),
        (lambda: fitted(estimator_class=GRURegressor).stream(method="predict_proba"), "predict"),
    ]
    for call, message in refused:
        with pytest.raises((ValueError, TypeError), match=message):
            call()
    for now, then in ((stream.state, before), (single.state, stamps)):
        assert pickle.dumps(now) == pickle.dumps(then)


def test_steps_of_no_sequence():
    stream = fitted().stream(3, method="predict_proba")
    assert stream.step(np.empty((0, 3)), sequences=[]).shape == (0, 3)
    assert_array_equal(stream.n_steps, 0)


def test_a_stream_needs_a_fitted_model():
    with pytest.raises(ValueError, match="not fitted"):
        partial(GRUClassifier, **OPTIONS)().stream()
