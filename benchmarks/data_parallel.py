"""What data-parallel training over two processes could gain over one process and its threads.

    python benchmarks/data_parallel.py [--rounds 5] [--units 64 128 256] [--batch 256] [--engine]

Data-parallel training cuts each batch into fixed shards: each process computes the gradient of one,
all are summed, and the new weights go back. No such training is built here; its parts are timed, on
sequences of 50 steps of 8 features:

- one process: an epoch with one thread, and with two, as skgru has them (from 128 units on the
  threads share a batch in fixed shards, with the same result, bit for bit);
- halves: two processes at the same time, each an epoch of half of the sequences in batches of half
  the size, as many updates as above: what is computed at least, if nothing were exchanged;
- exchange: what one update exchanges, θ to both processes and two gradients back, through shared
  memory with a barrier on either side, and, with --engine, by the messages of two actors of Ray.

Halves and exchange together are a bound: no engine can be faster. All of them alternate over the
rounds; medians are printed, in ms for an update, and behind them the ms of processor time in one
process, which others at work on the machine disturb less.
"""

import argparse
import multiprocessing
import statistics
import time
from functools import partial
from multiprocessing.shared_memory import SharedMemory

import numpy as np
from workers import PLAIN

from skgru import GRUClassifier

N_UPDATES, N_STEPS, N_FEATURES = 20, 50, 8


def network(n_units, batch_size, n_jobs):
    parameters = PLAIN | {"dropout": 0, "n_convolutions": 0}
    return GRUClassifier(
        n_units,
        batch_size=batch_size,
        dtype="float32",
        group_by_length=False,
        n_jobs=n_jobs,
        random_state=0,
        **parameters,
    )


def samples(n):
    X = np.random.default_rng(0).standard_normal((n, N_STEPS, N_FEATURES), dtype=np.float32)
    return X, (X[:, :, 0].sum(axis=1) > 0).astype(int)


def epoch(model, X, y):
    """Return the ms of an update, of an epoch that is not the first one, and of the processor."""
    start, of_processor = time.perf_counter(), time.process_time()
    model.partial_fit(X, y)
    ends = time.perf_counter() - start, time.process_time() - of_processor
    return tuple(1000 * seconds / N_UPDATES for seconds in ends)


def one_process(n_units, batch, n_jobs):
    X, y = samples(batch * N_UPDATES)
    model = network(n_units, batch, n_jobs).partial_fit(X, y, classes=[0, 1])
    return epoch(model, X, y)


def of_half(n_units, half, barrier, results):
    X, y = samples(half * N_UPDATES)
    model = network(n_units, half, 1).partial_fit(X, y, classes=[0, 1])
    barrier.wait()
    results.put(epoch(model, X, y))


def halves(n_units, batch):
    context = multiprocessing.get_context("spawn")
    barrier, results = context.Barrier(2), context.Queue()
    processes = [
        context.Process(target=of_half, args=(n_units, batch // 2, barrier, results))
        for _ in range(2)
    ]
    for process in processes:
        process.start()
    slowest = max(results.get() for _ in processes)
    for process in processes:
        process.join()
    return slowest


def answer(name, n, i, begin, end):
    """Copy θ and write a gradient, as often as there are updates."""
    memory = SharedMemory(name)
    theta, *gradients = np.ndarray((3, n), np.float32, memory.buf)
    for _ in range(N_UPDATES):
        begin.wait()
        gradients[i][:] = theta.copy()
        end.wait()
    del theta, gradients
    memory.close()


def exchange(n):
    """Return the ms of an exchange through shared memory."""
    context = multiprocessing.get_context("spawn")
    memory = SharedMemory(create=True, size=3 * n * 4)
    arrays = np.ndarray((3, n), np.float32, memory.buf)
    arrays[:] = 1
    begin, end = context.Barrier(3), context.Barrier(3)
    processes = [
        context.Process(target=answer, args=(memory.name, n, i, begin, end)) for i in range(2)
    ]
    for process in processes:
        process.start()
    times = []
    for _ in range(N_UPDATES):
        begin.wait()  # (of the first one the start of the processes)
        start = time.perf_counter()
        end.wait()
        arrays[0] = arrays[1] + arrays[2]
        times.append(time.perf_counter() - start)
    for process in processes:
        process.join()
    del arrays
    memory.close()
    memory.unlink()
    return (1000 * statistics.median(times),)


def exchange_by_ray(actors, n):
    """Return the ms of an exchange by messages."""
    import ray

    theta, times = np.ones(n, np.float32), []
    for _ in range(N_UPDATES):
        start = time.perf_counter()
        stored = ray.put(theta)
        first, second = ray.get([actor.gradient.remote(stored) for actor in actors])
        theta = first + second
        times.append(time.perf_counter() - start)
    return (1000 * statistics.median(times),)


def start_ray():
    import ray

    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level="error")

    @ray.remote
    class Worker:
        def gradient(self, theta):
            return theta * 1

    return [Worker.remote() for _ in range(2)]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--units", type=int, nargs="+", default=[64, 128, 256])
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--engine", action="store_true", help="time the messages of Ray too")
    options = parser.parse_args()
    actors, batch = start_ray() if options.engine else None, options.batch
    for n_units in options.units:
        X, y = samples(4)
        model = network(n_units, 4, 1).partial_fit(X, y, classes=[0, 1])
        n = sum(array.size for array in model.parameters_.values())
        jobs = {
            "one thread": partial(one_process, n_units, batch, 1),
            "two threads": partial(one_process, n_units, batch, 2),
            "halves": partial(halves, n_units, batch),
            "exchange": partial(exchange, n),
        }
        if actors:
            jobs["exchange by Ray"] = partial(exchange_by_ray, actors, n)
        times = {name: [] for name in jobs}
        for _ in range(options.rounds):
            for name, job in jobs.items():
                times[name].append(job())
        medians = {name: np.median(of_job, axis=0).round(1) for name, of_job in times.items()}
        shown = ", ".join(f"{name} {' / '.join(map(str, m))}" for name, m in medians.items())
        print(f"batches of {batch}, {n_units} units, {n} parameters: {shown}", flush=True)


if __name__ == "__main__":
    main()
