"""SST-2: whether a sentence of a film review is positive; 6,920 to train on, 1,821 to test.

    python benchmarks/accuracy/sst2.py --data FOLDER

FOLDER holds `sst2.csv.gz`, with the columns split, label and text
(https://nlp.stanford.edu/sentiment): sentences only, without their labelled phrases. Published:
.79 to .80 (convolutional network, sentences alone, random embeddings).
"""

import texts
from rows import Task, given_split, main

TASK = Task(
    "SST-2",
    "accuracy",
    lambda folder: texts.read_split(folder / "sst2.csv.gz"),
    given_split,
    **texts.ENGLISH,
)

if __name__ == "__main__":
    main(TASK)
