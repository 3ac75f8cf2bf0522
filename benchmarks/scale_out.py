"""A search and predictions with one and with two workers of Dask, Ray and Spark.

    python benchmarks/scale_out.py [--engines dask ray spark] [--rounds 3] [--rows 16000]

Each engine is started with one worker and with two, by turns, on this machine; its start and a
first, small job, which imports skgru in the workers, are not timed, but printed. Then come, on
Parquet files of two series of 50 steps in each row: predictions of a network of 64 units over all
rows (Dask partitions, actors of Ray Data, mapInPandas of Spark), and with Dask a grid search of
8 settings on two folds of 400 rows. Beside them the same in this process, with one thread. It
prints the medians of the rounds; all predictions are compared with those of this process.
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from sklearn.model_selection import GridSearchCV

from skgru import GRUClassifier

SERIES, N_STEPS, N_FILES = ["pulse", "pressure"], 50, 8
NETWORK = {"n_convolutions": 0, "n_jobs": 1, "random_state": 0}
GRID = {"hidden_layer_sizes": [24, 32, 48, 64], "learning_rate_init": [0.002, 0.01]}


def write(folder, n_rows):
    rng = np.random.default_rng(0)
    for i in range(N_FILES):
        n = n_rows // N_FILES
        columns = {"number": np.arange(i * n, (i + 1) * n)}
        for name in SERIES:
            columns[name] = list(rng.standard_normal((n, N_STEPS)).astype(np.float32))
        pq.write_table(pa.table(columns), folder / f"{i}.parquet")


def search_for(X, y):
    network = GRUClassifier(max_iter=8, **NETWORK)
    return GridSearchCV(network, GRID, cv=2, refit=False, error_score="raise").fit(X, y)


class Engine:
    """The same jobs on an engine with some workers; predictions are a column by number."""

    def __init__(self, folder, model, train, n_workers):
        self.folder, self.model, self.train, self.n_workers = folder, model, train, n_workers


class Here(Engine):
    @contextmanager
    def started(self):
        yield

    def predict(self):
        parts = [pq.read_table(path) for path in sorted(self.folder.glob("*.parquet"))]
        found = [(p["number"], self.model.predict_proba(p.select(SERIES))[:, 1]) for p in parts]
        return pd.concat([pd.DataFrame({"number": n.to_numpy(), "up": up}) for n, up in found])

    def search(self):
        search_for(*self.train)


class Dask(Engine):
    @contextmanager
    def started(self):
        from dask.distributed import Client, LocalCluster

        with (
            LocalCluster(
                n_workers=self.n_workers, threads_per_worker=1, dashboard_address=None
            ) as cluster,
            Client(cluster),
        ):
            yield

    def predict(self):
        import dask.dataframe as dd

        model = self.model

        def of_part(part):
            up = model.predict_proba(part[SERIES])[:, 1]
            return pd.DataFrame({"number": part["number"], "up": up})

        meta = {"number": "int64", "up": "float32"}
        return dd.read_parquet(self.folder).map_partitions(of_part, meta=meta).compute()

    def search(self):
        import joblib

        with joblib.parallel_config("dask"):
            search_for(*self.train)


class Predictor:
    """An actor of Ray Data."""

    def __init__(self, model):
        self.model = model

    def __call__(self, batch):
        up = self.model.predict_proba(batch.select(SERIES))[:, 1]
        return pa.table({"number": batch["number"], "up": up})


class Ray(Engine):
    @contextmanager
    def started(self):
        import ray

        ray.init(
            num_cpus=self.n_workers + 1,
            include_dashboard=False,
            log_to_driver=False,
            logging_level="error",
        )
        ray.data.DataContext.get_current().enable_progress_bars = False
        try:
            yield
        finally:
            ray.shutdown()

    def predict(self):
        import ray

        # (Its reader makes one block of all small files.)
        rows = ray.data.read_parquet(str(self.folder)).repartition(N_FILES)
        return rows.map_batches(
            Predictor,
            fn_constructor_args=(self.model,),
            batch_format="pyarrow",
            batch_size=None,
            compute=ray.data.ActorPoolStrategy(size=self.n_workers),
        ).to_pandas()


class Spark(Engine):
    @contextmanager
    def started(self):
        from pyspark.sql import SparkSession

        os.environ["PYSPARK_PYTHON"] = sys.executable
        builder = SparkSession.builder.master(f"local[{self.n_workers}]")
        for name, value in {
            "spark.ui.enabled": "false",
            "spark.ui.showConsoleProgress": "false",
            "spark.driver.host": "127.0.0.1",
            "spark.driver.bindAddress": "127.0.0.1",
        }.items():
            builder = builder.config(name, value)
        self.session = builder.getOrCreate()
        self.session.sparkContext.setLogLevel("ERROR")
        try:
            yield
        finally:
            self.session.stop()

    def predict(self):
        shared = self.session.sparkContext.broadcast(self.model)

        def of_parts(parts):
            for part in parts:
                up = shared.value.predict_proba(part[SERIES])[:, 1]
                yield pd.DataFrame({"number": part["number"], "up": up})

        frame = self.session.read.parquet(str(self.folder)).repartition(N_FILES)
        return frame.mapInPandas(of_parts, "number long, up float").toPandas()


ENGINES = {"dask": Dask, "ray": Ray, "spark": Spark}


def seconds(work):
    start = time.perf_counter()
    result = work()
    return time.perf_counter() - start, result


def measure(engine, expected):
    """Return the seconds of each job by its name."""
    found = {}
    start = time.perf_counter()
    with engine.started():
        started = time.perf_counter()
        engine.predict()
        found["start"] = started - start
        found["first job"] = time.perf_counter() - started
        found["predict"], predicted = seconds(engine.predict)
        predicted = predicted.sort_values("number")["up"].to_numpy()
        if expected is not None:
            np.testing.assert_allclose(predicted, expected, rtol=1e-5)
        if hasattr(engine, "search"):
            found["search"] = seconds(engine.search)[0]
    return found, predicted


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--engines", nargs="+", choices=ENGINES, default=list(ENGINES))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--rows", type=int, default=16_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write(folder, options.rows)
        table = pq.read_table(folder / "0.parquet").slice(0, 400)
        y = np.array([x.as_py()[0] > 0 for x in table["pulse"]])
        train = table.select(SERIES).to_pandas(), y
        model = GRUClassifier(64, patch_size=1, max_iter=3, learning_rate="cosine", **NETWORK)
        model.fit(*train)
        found = {}
        for _ in range(options.rounds):
            times, expected = measure(Here(folder, model, train, 1), None)
            found.setdefault(("here", 1), []).append(times)
            for engine in options.engines:
                for n_workers in (1, 2):
                    job = ENGINES[engine](folder, model, train, n_workers)
                    times, _ = measure(job, expected)
                    found.setdefault((engine, n_workers), []).append(times)
    print(f"{options.rows} rows, medians of {options.rounds} rounds, in seconds")
    for (engine, n_workers), rounds in found.items():
        medians = {key: statistics.median(r[key] for r in rounds) for key in rounds[0]}
        shown = ", ".join(f"{key} {value:.1f}" for key, value in medians.items())
        print(f"{engine:5s} {n_workers} worker{'s' * (n_workers > 1)}: {shown}")


if __name__ == "__main__":
    main()
