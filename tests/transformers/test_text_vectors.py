"""Word vectors as the start of an embedding: by the vocabulary that X carries."""

import copy
import pickle
import warnings

import joblib
import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.model_selection import GridSearchCV, cross_val_score, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.utils import shuffle

from skgru import (
    GRUClassifier,
    GRURegressor,
    MultimodalGRUClassifier,
    SequenceVectorizer,
    TableBranch,
    TokenBranch,
    WordVectors,
    read_word_vectors,
)
from skgru._data.ids import Tokens, vocabularies_of
from tests.datasets import assert_same_model, small

GOOD = ["lovely", "great", "fine", "superb", "brilliant", "charming"]
BAD = ["dull", "poor", "bland", "awful", "tedious", "feeble"]
FILLERS = ["film", "plot", "music", "and", "the", "with", "scene", "of", "zzyzx"]
N_DIMENSIONS = 6


def vectors():
    """Return vectors in which good and bad words lie apart; one word has none."""
    rng = np.random.default_rng(0)
    rows = {word: rng.normal(scale=0.5, size=N_DIMENSIONS) for word in GOOD + BAD + FILLERS[:-1]}
    for word in GOOD:
        rows[word][0] += 3
    for word in BAD:
        rows[word][0] -= 3
    return {word: np.round(row, 3).astype(np.float32) for word, row in rows.items()}


VECTORS = vectors()


def reviews(n, good, bad, seed=0):
    rng = np.random.default_rng(seed)
    texts = []
    for i in range(n):
        words = rng.choice(FILLERS, 5).tolist()
        words.insert(rng.integers(6), str(rng.choice(good if i % 2 else bad)))
        texts.append(" ".join(words))
    return texts, np.array(["good" if i % 2 else "bad" for i in range(n)])


TEXTS, LABELS = reviews(40, GOOD[:3], BAD[:3])


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "vectors.txt"
    lines = [f"{word} {' '.join(f'{x:.3f}' for x in row)}\n" for word, row in VECTORS.items()]
    path.write_text("".join(lines), encoding="utf-8")
    return path


def network(source, **parameters):
    settings = {
        "hidden_layer_sizes": 4,
        "max_iter": 3,
        "random_state": 0,
        "embedding_matrix": source,
    }
    return GRUClassifier(**settings | parameters)


def frozen(source, **parameters):
    return network(source, freeze_embedding=True, **parameters)


def words_of(vectorizer, model):
    """Return the word of each row of the embedding, and its vector."""
    words = {id_: word for word, id_ in vectorizer.vocabulary_.items()}
    names = [words.get(id_, "<unk>") for id_ in model.token_ids_.tolist()]
    return dict(zip(names, model.parameters_["embedding.weights"], strict=True))


# --- The start of the embedding -------------------------------------------------------------------


@pytest.mark.parametrize("max_length", [None, 4])
@pytest.mark.parametrize("kind", ["file", "dict", "word vectors"])
def test_words_start_by_their_vectors_in_a_pipeline(kind, max_length, path):
    sources = {"file": path, "dict": VECTORS, "word vectors": read_word_vectors(path)}
    vectorizer = SequenceVectorizer(max_length=max_length)
    model = make_pipeline(vectorizer, frozen(sources[kind])).fit(TEXTS, LABELS)[-1]
    rows = words_of(vectorizer, model)
    assert rows.keys() == vectorizer.vocabulary_.keys() | {"<unk>"}
    for word in rows.keys() - {"zzyzx", "<unk>"}:
        assert_array_equal(rows[word], VECTORS[word])
    assert not rows["<unk>"].any()
    assert rows["zzyzx"].all()
    lacking = [word for word, has in zip(rows, model.has_vector_, strict=True) if not has]
    assert sorted(lacking) == ["<unk>", "zzyzx"]
    assert model.auto_params_["embedding_dim"] == N_DIMENSIONS


def test_a_file_and_what_was_read_of_it_make_the_same_model(path):
    X = SequenceVectorizer().fit_transform(TEXTS)
    reference = network(path).fit(X, LABELS)
    assert not np.array_equal(reference.parameters_["embedding.weights"][2], VECTORS["the"])
    assert_same_model(network(read_word_vectors(path)).fit(X, LABELS), reference)
    assert_same_model(network(str(path)).fit(list(X), LABELS), reference)
    assert_same_model(network(path, embedding_dim=N_DIMENSIONS).fit(X, LABELS), reference)


def test_words_without_a_vector_are_drawn_like_the_others_by_the_random_state():
    words = [f"word{i}" for i in range(3000)]
    some = {word: [2.0 + i % 2, 10.0, (i % 2) / 10] for i, word in enumerate(words[:1000])}
    X = SequenceVectorizer(vocabulary=words).fit_transform([" ".join(words)] * 4)
    models = []
    for seed in (0, 0, 1):
        with pytest.warns(UserWarning, match="has vectors of 1000 of the 3000 words"):
            models.append(frozen(some, random_state=seed).fit(X, LABELS[:4]))
    drawn = models[0].parameters_["embedding.weights"][1001:]
    assert_allclose(drawn.mean(axis=0), [2.5, 10.0, 0.05], atol=0.03)
    assert_allclose(drawn.std(axis=0), [0.5, 0.0, 0.05], atol=0.03)
    assert len(np.unique(drawn[:, 0])) > 1900
    assert_same_model(models[0], models[1])
    other = models[2].parameters_["embedding.weights"]
    assert (other[1001:, 0] != drawn[:, 0]).all()
    assert_array_equal(other[1:1001], models[0].parameters_["embedding.weights"][1:1001])


def test_words_that_training_lacks_are_known_by_their_vectors():
    vectorizer = SequenceVectorizer(vocabulary=WordVectors(VECTORS, list(VECTORS.values())))
    texts, labels = reviews(40, GOOD[3:], BAD[3:], seed=1)  # other words
    X, X_test = vectorizer.transform(TEXTS), vectorizer.transform(texts)
    settings = {"max_iter": 60, "learning_rate_init": 0.02}
    assert frozen(VECTORS, **settings).fit(X, LABELS).score(X_test, labels) == 1.0
    without = GRUClassifier(4, random_state=0, **settings).fit(X, LABELS)
    assert without.score(X_test, labels) < 0.7


def test_words_of_the_vocabulary_that_have_neither_vector_nor_training_are_unknown():
    vectorizer = SequenceVectorizer(vocabulary=[*VECTORS, "yonder", "zzyzx"])
    model = frozen(VECTORS).fit(vectorizer.fit_transform(TEXTS), LABELS)
    assert words_of(vectorizer, model).keys() == {*VECTORS, "<unk>", "zzyzx"}


def test_given_ids_need_not_be_in_order():
    vocabulary = {word: 1000 - 7 * i for i, word in enumerate([*VECTORS, "zzyzx"])}
    vectorizer = SequenceVectorizer(vocabulary=vocabulary)
    rows = words_of(vectorizer, frozen(VECTORS).fit(vectorizer.transform(TEXTS), LABELS))
    for word, vector in VECTORS.items():
        assert_array_equal(rows[word], vector)


def test_the_matrix_of_a_vectorizer_is_of_any_source(path):
    vectorizer = SequenceVectorizer().fit(TEXTS)
    expected = vectorizer.embedding_matrix(VECTORS, random_state=0)
    for source in (path, read_word_vectors(path)):
        matrix = vectorizer.embedding_matrix(source, random_state=0)
        assert_array_equal(matrix, expected)
    model = frozen(expected).fit(vectorizer.transform(TEXTS), LABELS)
    assert not hasattr(model, "has_vector_")


# --- Searches, copies, and trainings that go on ---------------------------------------------------


def test_cross_validation_and_searches(path):
    model = make_pipeline(SequenceVectorizer(), network(None, max_iter=12))
    grid = {"gruclassifier__embedding_matrix": [None, str(path), read_word_vectors(path)]}
    search = GridSearchCV(model, grid, cv=2, n_jobs=2).fit(TEXTS, LABELS)
    scores = search.cv_results_["mean_test_score"]
    assert scores[1] == scores[2]
    tried = search.cv_results_["param_gruclassifier__embedding_matrix"].tolist()
    assert [tried] == [*grid.values()]
    assert cross_val_score(search.estimator, TEXTS, LABELS, cv=2).shape == (2,)
    # Of ids made beforehand, too.
    X = SequenceVectorizer().fit_transform(TEXTS)
    assert cross_val_score(network(path), X, LABELS, cv=2, n_jobs=2).shape == (2,)


def test_a_fitted_model_needs_its_file_no_longer_and_keeps_its_own_rows(path):
    more = {f"word{i}": row for i, row in enumerate(np.ones((20_000, N_DIMENSIONS)))}
    with open(path, "a", encoding="utf-8") as file:
        file.writelines(f"{word} {' '.join(map(str, row))}\n" for word, row in more.items())
    model = make_pipeline(SequenceVectorizer(), frozen(path)).fit(TEXTS, LABELS)
    path.unlink()
    content = pickle.dumps(model)
    assert len(content) < 40_000
    assert content.count(VECTORS["the"].tobytes()) == 1
    again = pickle.loads(content)
    assert_array_equal(again.predict_proba(TEXTS), model.predict_proba(TEXTS))
    assert_array_equal(again[-1].has_vector_, model[-1].has_vector_)
    again[-1].set_params(max_iter=9).partial_fit(again[0].transform(TEXTS), LABELS)
    with pytest.raises(FileNotFoundError, match=r"vectors\.txt"):
        clone(model).fit(TEXTS, LABELS)


def test_a_training_goes_on_with_the_vectors_that_it_has(path):
    X = SequenceVectorizer().fit_transform(TEXTS)
    steps = small(GRUClassifier, embedding_matrix=path, freeze_embedding=True)
    steps.partial_fit(X, LABELS, classes=["bad", "good"])
    weights = steps.parameters_["embedding.weights"].copy()
    path.unlink()
    steps.partial_fit(X[:10], LABELS[:10])
    assert_array_equal(steps.parameters_["embedding.weights"], weights)
    steps.set_params(embedding_dim=N_DIMENSIONS + 1)
    with pytest.raises(ValueError, match=r"expected embedding_dim=6, but .* embedding_dim=7"):
        steps.partial_fit(X, LABELS)


def test_an_earlier_fit_leaves_nothing_behind():
    X = SequenceVectorizer().fit_transform(TEXTS)
    model = network(VECTORS).fit(X, LABELS)
    assert hasattr(model, "has_vector_")
    assert not hasattr(model.set_params(embedding_matrix=None).fit(X, LABELS), "has_vector_")


def test_regression():
    X = SequenceVectorizer().fit_transform(TEXTS)
    model = small(GRURegressor, embedding_matrix=VECTORS).fit(X, np.arange(40.0))
    assert model.parameters_["embedding.weights"].shape == (len(model.token_ids_), N_DIMENSIONS)


@pytest.mark.parametrize("transforms", [True, False], ids=["texts", "ids"])
def test_a_branch_of_several_inputs(transforms, path):
    vectorizer = SequenceVectorizer()
    texts = TEXTS if transforms else list(vectorizer.fit_transform(TEXTS))
    table = pd.DataFrame({"text": texts, "length": [float(len(text)) for text in TEXTS]})
    table.loc[3, "text"] = None
    branch = TokenBranch(
        vectorizer if transforms else None, embedding_matrix=path, freeze_embedding=True
    )
    model = MultimodalGRUClassifier(
        [("text", branch, "text"), ("table", TableBranch(), ["length"])], max_iter=2, random_state=0
    ).fit(table, LABELS)
    fitted = model.named_branches_["text"]
    names = fitted.transformer_.vocabulary_ if transforms else vectorizer.vocabulary_
    row = fitted.token_ids_.tolist().index(names["the"])
    assert_array_equal(model.parameters_["text.embedding.weights"][row], VECTORS["the"])
    assert fitted.has_vector_[row]
    branch = clone(branch).set_params(embedding_matrix={"dog": [1.0]})
    with pytest.raises(ValueError, match="Branch 'text': embedding_matrix has none of the words"):
        clone(model).set_params(text=branch).fit(table, LABELS)


# --- The words that X carries ---------------------------------------------------------------------

VECTORIZERS = pytest.mark.parametrize("max_length", [None, 6], ids=["ragged", "matrix"])


@VECTORIZERS
def test_ids_say_which_words_they_stand_for_wherever_they_are_carried(max_length, tmp_path):
    vectorizer = SequenceVectorizer(max_length=max_length)
    X = vectorizer.fit_transform(TEXTS)
    joblib.dump(X, tmp_path / "X.joblib")
    carried = {
        "itself": X,
        "of transform": vectorizer.transform(TEXTS),
        "slice": X[3:9],
        "mask": X[LABELS == "good"],
        "list": list(X),
        "objects": np.array(list(X), object) if max_length else np.asarray(X).copy(),
        "split": train_test_split(X, random_state=0)[0],
        "shuffled": shuffle(X, random_state=0),
        "copy": copy.deepcopy(X),
        "pickle": pickle.loads(pickle.dumps(X)),
        "protocol 2": pickle.loads(pickle.dumps(X, protocol=2)),
        "joblib": joblib.load(tmp_path / "X.joblib"),
    }
    if max_length is None:
        carried["joined"] = np.concatenate([X[:3], X[3:]])
        carried["frame"] = vectorizer.set_output(transform="pandas").transform(TEXTS)
        columns = make_column_transformer((SequenceVectorizer(), "text"))
        carried["columns"] = columns.fit_transform(pd.DataFrame({"text": TEXTS}))
    else:
        del carried["objects"]  # rows of numbers
    for name, each in carried.items():
        found = vocabularies_of(each)
        assert len(found) == 1, name
        assert found[0] == vectorizer.vocabulary_, name
    assert vocabularies_of(pickle.loads(pickle.dumps(X[0])))[0] == vectorizer.vocabulary_
    assert vocabularies_of(np.array([[2, 3]]).view(Tokens)) == ()


def test_ids_of_earlier_versions_are_read():
    def reduced(ids):  # as NumPy does it
        return np.ndarray.__reduce__(ids)

    make, arguments, state = reduced(np.array([2, 3]).view(Tokens))
    ids = make(*arguments)
    ids.__setstate__(state)
    assert type(ids) is Tokens
    assert ids.vocabulary is None
    assert_array_equal(ids, [2, 3])


def test_arithmetic_carries_no_words():
    X = SequenceVectorizer(max_length=3).fit_transform(TEXTS)
    assert not hasattr(X + 1, "vocabulary")


@pytest.mark.parametrize(
    "carry",
    [
        lambda X: [np.asarray(ids) for ids in X],
        lambda X: [ids.tolist() for ids in X],
        lambda X: np.concatenate([X[:3], X[3:]]) if X.shape[1] > 1 else [np.array([2])] * len(X),
    ],
)
def test_ids_without_words_are_refused(carry):
    X = carry(SequenceVectorizer(max_length=5).fit_transform(TEXTS))
    with pytest.raises(ValueError, match="has vectors of words, but X does not say which words"):
        network(VECTORS).fit(X, LABELS)


def test_ids_of_two_vocabularies_are_refused():
    halves = [SequenceVectorizer().fit_transform(half) for half in (TEXTS[:20], ["a mad cow"] * 20)]
    X = np.concatenate(halves)
    with pytest.raises(ValueError, match="X holds token ids of several vocabularies"):
        network(VECTORS).fit(X, LABELS)
    same = SequenceVectorizer(vocabulary=[*VECTORS])
    halves = [clone(same).fit_transform(half) for half in (TEXTS[:20], TEXTS[20:])]
    network(VECTORS).fit(np.concatenate(halves), LABELS)


# --- What is refused, and what is warned of -------------------------------------------------------


@pytest.mark.parametrize(
    ("parameters", "error", "message"),
    [
        ({"embedding_dim": 5}, ValueError, "vectors of 6 dimensions, expected embedding_dim=5"),
        ({"embedding_dim": None}, ValueError, "embedding_dim=None has X read as numbers"),
        ({"embedding_matrix": {"dog": [1.0]}}, ValueError, "has none of the words of the vocab"),
        ({"embedding_matrix": {}}, ValueError, "has none of the words of the vocab"),
        (
            {"embedding_matrix": 3},
            TypeError,
            r"must be an array-like, None or word vectors: .*Got 3 ",
        ),
        ({"embedding_matrix": "no.txt"}, FileNotFoundError, r"no\.txt"),
        (
            {"embedding_matrix": {"the": [1.0], "film": [1.0, 2.0]}},
            ValueError,
            "Word vectors must be of one length",
        ),
    ],
    ids=str,
)
def test_what_is_refused(parameters, error, message):
    X = SequenceVectorizer().fit_transform(TEXTS)
    with pytest.raises(error, match=message):
        network(VECTORS).set_params(**parameters).fit(X, LABELS)


def test_numbers_have_no_word_vectors():
    with pytest.raises(ValueError, match="X does not say which words its token ids stand for"):
        network(VECTORS).fit(np.ones((40, 3)), LABELS)


def test_few_words_with_a_vector_are_warned_of():
    some = {"the": VECTORS["the"], "plot": VECTORS["plot"]}
    X = SequenceVectorizer().fit_transform(TEXTS)
    expected = r"has vectors of 2 of the 15 words .* which are 16% of the words of X; none of"
    with pytest.warns(UserWarning, match=expected):
        network(some).fit(X, LABELS)
    most = {word: VECTORS[word] for word in [*FILLERS[:-1], *GOOD]}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        network(most).fit(X, LABELS)
        # Pairs of words are not looked for.
        pairs = SequenceVectorizer(ngram_range=(1, 2)).fit_transform(TEXTS)
        network(most).fit(pairs, LABELS)
