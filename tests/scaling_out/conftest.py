"""Series in files, and a model, that all engines share; each engine is started once."""

import os
import sys
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from skgru import GRUClassifier

# Wide enough for threads in predictions, of which workers have to make no use.
SETTINGS = {"max_iter": 3, "learning_rate_init": 0.02, "n_convolutions": 0, "random_state": 0}
SERIES = ["pulse", "pressure"]


def make_table(n, seed=0):
    """Return a table of Arrow with two series of unequal length for each row, and its number."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(5, 12, size=n)
    columns = {name: [rng.standard_normal(length) for length in lengths] for name in SERIES}
    return pa.table({"number": np.arange(n), **columns})


@pytest.fixture(scope="session")
def given(tmp_path_factory):
    """Return a folder of four Parquet files, their table, a model, and what it predicts here."""
    table = make_table(600)
    y = np.array(["up" if x.as_py()[0] > 0 else "down" for x in table["pulse"]])
    model = GRUClassifier(64, **SETTINGS).fit(table.select(SERIES), y)
    folder = tmp_path_factory.mktemp("series")
    for i in range(4):
        pq.write_table(table.slice(150 * i, 150), folder / f"{i}.parquet")
    predicted = model.predict_proba(table.select(SERIES))[:, 1]
    assert len(np.unique(predicted)) == 600
    return SimpleNamespace(folder=folder, table=table, y=y, model=model, predicted=predicted)


@pytest.fixture(scope="session")
def dask_client():
    from dask.distributed import Client, LocalCluster

    with (
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
        Client(cluster) as client,
    ):
        yield client


@pytest.fixture(scope="session")
def ray():
    import ray

    # One processor more than the two that the actors of a test have: else no task could read files.
    ray.init(num_cpus=3, include_dashboard=False, log_to_driver=False, logging_level="error")
    yield ray
    ray.shutdown()


@pytest.fixture(scope="session")
def spark():
    from pyspark.sql import SparkSession

    os.environ["PYSPARK_PYTHON"] = sys.executable
    builder = SparkSession.builder.master("local[2]").appName("skgru")
    builder = builder.config("spark.ui.enabled", "false")
    builder = builder.config("spark.driver.host", "127.0.0.1")
    builder = builder.config("spark.driver.bindAddress", "127.0.0.1")
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    yield session
    session.stop()
