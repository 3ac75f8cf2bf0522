"""Waimai: whether a Chinese review of a delivery service is positive; 11,987 reviews, 5 folds.

    python benchmarks/accuracy/waimai.py --data FOLDER

FOLDER holds `waimai_10k.csv.gz`, with the columns label and text
(https://github.com/SophonPlus/ChineseNlpCorpus). The tokens are characters. Each seed makes other
folds.
"""

from functools import partial

import texts
from rows import Task, accuracy, cross_validation, main
from sklearn.model_selection import StratifiedKFold

TASK = Task(
    "waimai, 5-fold",
    "accuracy",
    lambda folder: texts.read(folder / "waimai_10k.csv.gz")[:2],
    cross_validation(lambda seed: StratifiedKFold(5, shuffle=True, random_state=seed)),
    accuracy,
    models={
        "defaults": partial(texts.network, analyzer="char"),
        "tuned": partial(texts.vote, n_networks=5, analyzer="char"),
    },
    baselines={
        "bag of characters, pairs": lambda seed: texts.bag_of_words("char", (1, 2)),
    },
)

if __name__ == "__main__":
    main(TASK)
