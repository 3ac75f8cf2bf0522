"""Searches and predictions on the workers of a cluster of Dask, which here are processes."""

import os

import dask.dataframe as dd
import joblib
import numpy as np
import pandas as pd
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.model_selection import GridSearchCV
from threadpoolctl import threadpool_info

from skgru import GRUClassifier
from tests.scaling_out.conftest import SERIES, SETTINGS


class Placed(GRUClassifier):
    """Keeps the process that has fitted it."""

    def fit(self, X, y):
        self.process_ = os.getpid()
        return super().fit(X, y)


def score(model, X, y):
    return {"accuracy": model.score(X, y), "process": model.process_}


def test_a_grid_search_on_the_workers(given, dask_client):
    X, y = given.table.select(SERIES).to_pandas(), given.y
    grid = {"hidden_layer_sizes": [4, 8], "cell": ["gru", "lstm"]}

    def search():
        tried = GridSearchCV(
            Placed(**SETTINGS), grid, scoring=score, refit="accuracy", cv=2, error_score="raise"
        )
        return tried.fit(X, y)

    with joblib.parallel_config("dask"):
        remote = search()
    local = search()
    for i in range(2):
        name = f"split{i}_test_accuracy"
        assert_array_equal(remote.cv_results_[name], local.cv_results_[name])
        workers = set(dask_client.run(os.getpid).values())
        assert set(remote.cv_results_[f"split{i}_test_process"].astype(int)) <= workers
        assert set(local.cv_results_[f"split{i}_test_process"].astype(int)) == {os.getpid()}
    assert remote.best_params_ == local.best_params_
    assert_allclose(remote.predict_proba(X), local.predict_proba(X), rtol=1e-6)


def test_predictions_over_partitions(given, dask_client):
    model = given.model
    frame = dd.read_parquet(given.folder)
    assert frame.npartitions == 4

    def predict(part):
        return pd.DataFrame(
            {
                "number": part["number"],
                "up": model.predict_proba(part[SERIES])[:, 1],
                "process": os.getpid(),
                "threads": max(p["num_threads"] for p in threadpool_info()),
            }
        )

    meta = {"number": "int64", "up": "float32", "process": "int64", "threads": "int64"}
    found = frame.map_partitions(predict, meta=meta).compute().sort_values("number")
    assert_allclose(found["up"], given.predicted, rtol=1e-6)
    assert set(found["process"]) == set(dask_client.run(os.getpid).values())
    # Dask gives a worker one thread of BLAS, and skgru takes no more than that.
    assert set(found["threads"]) == {1}


def test_a_partition_without_rows(given, dask_client):
    frame = dd.read_parquet(given.folder)
    few = frame[frame["number"] < 200]  # two of the four have none of them
    model = given.model

    def predict(part):
        if not len(part):
            return pd.Series([], dtype="float32")
        return pd.Series(model.predict_proba(part[SERIES])[:, 1], index=part.index)

    found = few.map_partitions(predict, meta=("up", "float32")).compute()
    assert_allclose(np.sort(found), np.sort(given.predicted[:200]), rtol=1e-6)
