"""SequenceAligner as an estimator of scikit-learn: clones, tags, pipelines and metadata routing."""

import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn import config_context
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils import get_tags

from skgru import GRUClassifier
from skgru.alignment import SequenceAligner
from tests.transformers.events import ALIGNED, EVENTS, align, assert_same


def test_not_fitted():
    for method in ("transform", "get_feature_names_out"):
        with pytest.raises(NotFittedError):
            getattr(SequenceAligner(), method)(*[EVENTS] * (method == "transform"))


def test_clone_and_parameters():
    parameters = dict(
        sample="s", time="t", channel="c", value="v", channels=["a"], freq="1h",
        aggregate={"a": "max"}, handle_unknown="ignore", with_time=False,
    )  # fmt: skip
    aligner = SequenceAligner(**parameters)
    assert aligner.get_params() == parameters
    assert clone(aligner).get_params() == parameters


def test_pickle():
    aligner = SequenceAligner(freq=1, aggregate={"temp": "max"}).fit(EVENTS)
    loaded = pickle.loads(pickle.dumps(aligner))
    assert_same(loaded.transform(EVENTS), aligner.transform(EVENTS))


def test_set_output_does_nothing():
    aligner = SequenceAligner()
    assert aligner.set_output(transform="pandas") is aligner
    assert_same(aligner.fit_transform(EVENTS), ALIGNED)


def test_tags():
    tags = get_tags(SequenceAligner())
    assert not tags.input_tags.two_d_array
    assert tags.input_tags.string
    assert not tags.target_tags.required


def test_sequences_are_independent_of_each_other():
    bob, ann, _ = align(EVENTS)
    bob[:] = 0
    np.testing.assert_array_equal(ann, ALIGNED[1])


def test_classifier_of_aligned_sequences():
    rng = np.random.default_rng(0)
    n_samples, n_steps = 60, 8
    walks = rng.normal(size=(n_samples, n_steps, 2)).cumsum(axis=1)
    y = walks[:, -1, 0] > walks[:, -1, 1]
    sample, time, channel = np.indices(walks.shape).reshape(3, -1)
    events = pd.DataFrame(
        {"sample": sample, "time": time, "channel": channel, "value": walks.ravel()}
    ).sample(frac=1, random_state=0)
    aligner = SequenceAligner(with_time=False)
    X = aligner.fit(events).transform(events, samples=range(n_samples))
    np.testing.assert_array_equal(X, walks)
    model = GRUClassifier(
        8, max_iter=30, learning_rate="cosine", learning_rate_init=0.02, random_state=0
    )
    assert cross_val_score(model, X, y, cv=3).mean() > 0.8
    pipeline = make_pipeline(aligner, model).fit(events, y[aligner.samples_])
    assert pipeline.score(events, y[aligner.samples_]) > 0.8


# --- Metadata routing --------------------------------------------------------------------------


def shuffled_events():
    """Events of 30 samples, of which 24 are asked for in an order of their own, and their y."""
    rng = np.random.default_rng(0)
    ids = rng.permutation(np.arange(100, 130))
    events = [(int(i), t, "a", float(i % 2) + 0.01 * t) for t in range(4) for i in ids]
    asked = rng.permutation(ids[:24])
    return events, asked, asked % 2


def test_samples_in_fit_transform():
    events, asked, _ = shuffled_events()
    aligner = SequenceAligner()
    got = aligner.fit_transform(events, samples=asked)
    assert_same(got, SequenceAligner().fit(events).transform(events, samples=asked))
    assert_same(aligner.fit_transform(events, None, asked), got)
    assert len(aligner.samples_) == 30


@pytest.mark.parametrize("is_cloned", [False, True])
@pytest.mark.parametrize("first", [False, True])
def test_samples_are_routed_through_a_pipeline(is_cloned, first):
    events, asked, y = shuffled_events()
    with config_context(enable_metadata_routing=True):
        steps = [SequenceAligner(with_time=False).set_transform_request(samples=True)]
        steps = [*([] if first else [FunctionTransformer()]), *steps]
        pipe = make_pipeline(*steps, GRUClassifier(4, max_iter=40, random_state=0))
        pipe = clone(pipe) if is_cloned else pipe
        pipe.fit(events, y, samples=asked)
        np.testing.assert_array_equal(pipe.predict(events, samples=asked), y)
        np.testing.assert_array_equal(pipe.predict(events, samples=asked[:5]), y[:5])
        assert pipe.score(events, y, samples=asked) == 1
        assert len(pipe.predict_proba(events)) == 30
        named = make_pipeline(
            SequenceAligner(with_time=False).set_transform_request(samples="patients"), pipe[-1]
        )
        named.fit(events, y, patients=asked)
        np.testing.assert_array_equal(named.predict(events, patients=asked), y)
        with pytest.raises(TypeError, match="samples"):
            named.fit(events, y, samples=asked)


def test_samples_in_a_pipeline_without_routing():
    events, asked, y = shuffled_events()
    pipe = make_pipeline(
        SequenceAligner(with_time=False), GRUClassifier(4, max_iter=40, random_state=0)
    )
    pipe.fit(events, y, sequencealigner__samples=asked)
    expected = pipe[-1].predict(pipe[0].transform(events, asked))
    np.testing.assert_array_equal(expected, y)
