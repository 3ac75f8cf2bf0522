"""Predictions by actors of Ray Data, each of which loads the model once."""

import joblib
import numpy as np
import pyarrow as pa
import pytest
from numpy.testing import assert_allclose
from threadpoolctl import threadpool_info

from tests.scaling_out.conftest import SERIES

# Ray sets options of its own that it has deprecated.
pytestmark = pytest.mark.filterwarnings(r"ignore::DeprecationWarning:ray\.")


class Predictor:
    """Predicts batches with a model from a file."""

    def __init__(self, path):
        import os

        self.model = joblib.load(path)
        self.n_batches, self.process = 0, os.getpid()

    def __call__(self, batch):
        self.n_batches += 1
        n = len(batch)
        columns = {
            "number": batch["number"],
            "up": self.model.predict_proba(batch.select(SERIES))[:, 1],
            "process": np.full(n, self.process),
            "batch": np.full(n, self.n_batches),
            "threads": np.full(n, max(p["num_threads"] for p in threadpool_info())),
        }
        return pa.table(columns)


def test_predictions_of_actors(given, ray, tmp_path):
    joblib.dump(given.model, tmp_path / "model.joblib")
    # Its reader makes one block of all small files, with work for one actor.
    blocks = ray.data.read_parquet(str(given.folder)).repartition(4)
    batches = blocks.map_batches(
        Predictor,
        fn_constructor_args=(str(tmp_path / "model.joblib"),),
        batch_format="pyarrow",
        batch_size=50,
        compute=ray.data.ActorPoolStrategy(size=2),
    )
    found = batches.to_pandas().sort_values("number")
    assert_allclose(found["up"], given.predicted, rtol=1e-6)
    # (Who takes which block is for Ray to say: where the machine is busy, one actor may take all.)
    assert found["process"].nunique() in (1, 2)
    # Each has its model for all of its batches, and one thread.
    assert found.groupby("process")["batch"].max().sum() == 12
    assert set(found["threads"]) == {1}


def test_a_model_through_the_store_of_objects(given, ray):
    model = ray.put(given.model)  # once, for all tasks
    X = given.table.select(SERIES)

    @ray.remote
    def predict(model, X):
        return model.predict_proba(X)[:, 1]

    parts = ray.get([predict.remote(model, X.slice(start, 300)) for start in (0, 300)])
    assert_allclose(np.concatenate(parts), given.predicted, rtol=1e-6)
