"""All rows of the table of docs/accuracy.md, measured one after the other.

    python benchmarks/accuracy/table.py --data FOLDER [--seeds 5] [--jobs 1] [--rows ROW ...]

Each row is a script of this folder, which can be run by itself. Printed is a table in Markdown: for
the networks, with their defaults and with settings that were chosen on training data, mean ±
standard deviation over the seeds and seconds a fit; beside them the baselines of the same run.
"""

import importlib

from results import add_results
from rows import make_parser, run_row

ROWS = (
    "trec",
    "sst2",
    "customer_reviews",
    "waimai",
    "japanese_vowels",
    "basic_motions",
    "libras",
    "robot_failure",
    "turbofan",
    "jsb_chorales",
    "adding",
)


def main(argv=None):
    """Measure the rows and print the table."""
    options = make_parser(__doc__.splitlines()[0], rows=ROWS).parse_args(argv)
    print("| data | measure | defaults | seconds | tuned | seconds | baselines |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for name in options.rows:
        task = importlib.import_module(name).TASK
        results = run_row(task, options.data, n_seeds=options.seeds, n_jobs=options.jobs)
        if options.csv:
            add_results(options.csv, task, results)
        networks = " | ".join(
            f"{task.show(results[network].scores)} | {results[network].seconds:.1f}"
            for network in task.models
        )
        baselines = "; ".join(
            f"{each} {task.show(results[each].scores)}" for each in task.baselines
        )
        print(f"| {task.name} | {task.metric} | {networks} | {baselines} |", flush=True)


if __name__ == "__main__":
    main()
