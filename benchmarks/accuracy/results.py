"""The results of all rows in one file, beside those that others published.

`results.csv` has a line for each data set, method and measure: mean and standard deviation over so
many seeds, seconds of a fit, and the source: "measured", or the publication.
"""

import csv
from pathlib import Path

import numpy as np

PATH = Path(__file__).with_name("results.csv")
MEASURED = "measured"
COLUMNS = ("data", "method", "measure", "mean", "deviation", "seeds", "seconds", "source")


def read_results(path=PATH):
    """Return the lines as dicts of text."""
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def add_results(path, task, results):
    """Write what the models of a task reached, in place of what they had reached before."""
    new = [line for name, result in results.items() for line in _lines(task, name, result)]
    replaced = {(line["data"], line["method"]) for line in new}
    kept = [
        line
        for line in read_results(path)
        if line["source"] != MEASURED or (line["data"], line["method"]) not in replaced
    ]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(sorted(kept + new, key=lambda line: line["data"]))


def _lines(task, name, result):
    measures = dict(zip(task.metric.split(", "), result.scores.mean(axis=1).T, strict=False))
    if result.honesty is not None:
        measures["log-loss"], measures["calibration error"], temperatures = result.honesty.T
        measures["log of the best temperature"] = np.log(temperatures)
    for measure, values in measures.items():
        yield {
            "data": task.name,
            "method": name,
            "measure": measure,
            "mean": f"{values.mean():.4g}",
            "deviation": f"{values.std():.2g}" if len(values) > 1 else "",
            "seeds": len(values),
            "seconds": f"{result.seconds:.3g}",
            "source": MEASURED,
        }
