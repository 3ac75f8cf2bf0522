"""Every form of a model comes back from a file as it was: the same predictions, bit for bit."""

import pickle

import joblib
import pytest
import skops.io
from numpy.testing import assert_array_equal

from tests.saving import forms


def through_pickle(model, file):
    file.write_bytes(pickle.dumps(model))
    return pickle.loads(file.read_bytes())


def through_joblib(model, file):
    joblib.dump(model, file)
    return joblib.load(file)


def through_compressed_joblib(model, file):
    joblib.dump(model, file, compress=3)
    return joblib.load(file)


def through_memory_map(model, file):
    joblib.dump(model, file)
    return joblib.load(file, mmap_mode="r")


# Of a ColumnTransformer of scikit-learn 1.6, which skops does not know.
OF_OLD_SCIKIT_LEARN = {"sklearn.compose._column_transformer._RemainderColsList"}


def through_skops(model, file):
    skops.io.dump(model, file)
    untrusted = skops.io.get_untrusted_types(file=file)
    others = {name for name in untrusted if not name.startswith("skgru.")}
    assert others <= OF_OLD_SCIKIT_LEARN
    # Of a class that is not public: the vectors that are a parameter.
    private = {name for name in untrusted if name.startswith("skgru._")}
    assert private <= {"skgru._data.word_vectors.WordVectors"}
    return skops.io.load(file, trusted=untrusted)


WAYS = [
    *(through_pickle, through_joblib, through_compressed_joblib, through_memory_map),
    through_skops,
]


@pytest.fixture(scope="module", params=forms.FORMS, ids=lambda form: form.__name__)
def model_and_words(request):
    return request.param()


@pytest.mark.parametrize("way", WAYS)
def test_a_model_says_the_same(tmp_path, model_and_words, way):
    model, say = model_and_words
    if way is through_skops:
        # The splitters and scorers of scikit-learn that a search holds are not trusted by skops.
        model = getattr(model, "best_estimator_", model)
    again = way(model, tmp_path / "model")
    assert type(again) is type(model)
    assert list(again.get_params()) == list(model.get_params())
    expected, found = say(model), say(again)
    assert len(found) == len(expected) > 0
    for one, other in zip(found, expected, strict=True):
        assert_array_equal(one, other, strict=True)
