"""What `import skgru` adds to the import of scikit-learn.

    python benchmarks/import_time.py [--rounds 9]

Each round starts a new process, which imports scikit-learn with its pipelines and model selection,
and then skgru.
"""

import argparse
import statistics
import subprocess
import sys

PROGRAM = """
import time
start = time.perf_counter()
import sklearn.model_selection, sklearn.pipeline
middle = time.perf_counter()
import skgru
print(middle - start, time.perf_counter() - middle)
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=9)
    options = parser.parse_args()
    rounds = []
    for _ in range(options.rounds):
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True
        )
        rounds.append([float(word) for word in done.stdout.split()])
    theirs, ours = (statistics.median(column) for column in zip(*rounds, strict=True))
    print(f"scikit-learn {theirs:.3f} s, skgru adds {ours:.3f} s (ratio {ours / theirs:.3f})")


if __name__ == "__main__":
    main()
