"""TREC: what a question asks for, 6 classes; 5,452 questions to train on, 500 to test.

    python benchmarks/accuracy/trec.py --data FOLDER

FOLDER holds `trec.csv.gz`, with the columns split, label and text
(https://cogcomp.seas.upenn.edu/Data/QA/QC). Published: .882 (convolutional network, random
embeddings; Kim 2014).
"""

import texts
from rows import Task, given_split, main

TASK = Task(
    "TREC",
    "accuracy",
    lambda folder: texts.read_split(folder / "trec.csv.gz"),
    given_split,
    **texts.ENGLISH,
)

if __name__ == "__main__":
    main(TASK)
