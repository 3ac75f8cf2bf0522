"""Predictions over the partitions of a DataFrame of Spark, in its Python workers."""

import os

import pandas as pd
import pyarrow as pa
from numpy.testing import assert_allclose
from threadpoolctl import threadpool_info

from tests.scaling_out.conftest import SERIES

SCHEMA = "number long, up float, process long, threads long"


def test_predictions_by_map_in_pandas(given, spark):
    shared = spark.sparkContext.broadcast(given.model)

    def predict(parts):
        for part in parts:
            yield pd.DataFrame(
                {
                    "number": part["number"],
                    "up": shared.value.predict_proba(part[SERIES])[:, 1],
                    "process": os.getpid(),
                    "threads": max(p["num_threads"] for p in threadpool_info()),
                }
            )

    frame = spark.read.parquet(str(given.folder))
    found = frame.repartition(4).mapInPandas(predict, SCHEMA).toPandas().sort_values("number")
    assert_allclose(found["up"], given.predicted, rtol=1e-6)
    assert os.getpid() not in set(found["process"])
    assert set(found["threads"]) == {1}


def test_predictions_by_map_in_arrow(given, spark):
    shared = spark.sparkContext.broadcast(given.model)

    def predict(batches):
        for batch in batches:
            X = pa.Table.from_batches([batch]).select(SERIES)
            up = shared.value.predict_proba(X)[:, 1]
            yield pa.RecordBatch.from_arrays([batch["number"], pa.array(up)], ["number", "up"])

    frame = spark.read.parquet(str(given.folder))
    found = frame.mapInArrow(predict, "number long, up float").toPandas().sort_values("number")
    assert_allclose(found["up"], given.predicted, rtol=1e-6)
