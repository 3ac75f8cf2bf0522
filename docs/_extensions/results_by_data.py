"""The directive ``results-by-data``: a section and a table for each data set of a file of results.

The file is one that `benchmarks/accuracy/results.py` describes. The measure that decides comes
first, by which the methods are sorted, best first.
"""

import csv
from itertools import groupby
from operator import itemgetter
from pathlib import Path

from sphinx.util.docutils import SphinxDirective

# The first that a data set has decides.
MEASURES = (
    "accuracy",
    "AUROC",
    "average precision",
    "log-loss",
    "calibration error",
    "log of the best temperature",
)
MEASURED = "measured"  # the source of what is not published elsewhere


class ResultsByData(SphinxDirective):
    """Takes the path of the file, from the page on."""

    required_arguments = 1

    def run(self):
        path = Path(self.env.doc2path(self.env.docname)).parent / self.arguments[0]
        self.env.note_dependency(str(path.resolve()))
        with path.open(encoding="utf-8", newline="") as file:
            lines = sorted(csv.DictReader(file), key=lambda line: line["data"].casefold())
        text = []
        for data, of_data in groupby(lines, itemgetter("data")):
            text += [f"## {data}", "", *table(list(of_data)), ""]
        return self.parse_text_to_nodes("\n".join(text), allow_section_headings=True)


def table(lines):
    """Yield lines of Markdown: a table with a row for each method, and what was published where."""
    found = {line["measure"] for line in lines}
    measures = [name for name in MEASURES if name in found]
    unknown = found.difference(measures)
    if unknown:
        raise ValueError(f"measures without a column: {sorted(unknown)}; add them to MEASURES")
    rows = {}
    for line in lines:
        rows.setdefault((line["method"], line["source"]), {})[line["measure"]] = line
    best_first = sorted(rows.items(), key=lambda row: -float(row[1][measures[0]]["mean"]))
    yield "| " + " | ".join(["", *measures, "seconds", "seeds"]) + " |"
    yield "| --- " * (len(measures) + 3) + "|"
    for (method, _), by_measure in best_first:
        any_ = by_measure[measures[0]]
        cells = [written(by_measure.get(name)) for name in measures]
        yield f"| {method} | {' | '.join(cells)} | {any_['seconds']} | {any_['seeds']} |"
    yield ""
    published = {}  # the methods of each publication
    for method, source in rows:
        if source != MEASURED:
            published.setdefault(source, []).append(method)
    for source, methods in published.items():
        yield f"As published, {' and '.join(methods)}: {source}."
        yield ""


def written(line):
    """Return a mean with its deviation, if there is one."""
    if line is None:
        return "–"
    return f"{line['mean']} ± {line['deviation']}" if line["deviation"] else line["mean"]


def setup(app):
    app.add_directive("results-by-data", ResultsByData)
    return {"parallel_read_safe": True}
