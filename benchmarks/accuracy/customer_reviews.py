"""CR: whether a sentence of a customer's review is positive; 3,775 sentences, 10 folds.

    python benchmarks/accuracy/customer_reviews.py --data FOLDER

FOLDER holds `cr.csv.gz`, with the columns label and text (Hu and Liu 2004). Each seed makes other
folds. Published: .783 (convolutional network, random embeddings).
"""

import texts
from rows import Task, cross_validation, main
from sklearn.model_selection import StratifiedKFold

TASK = Task(
    "CR, 10-fold",
    "accuracy",
    lambda folder: texts.read(folder / "cr.csv.gz")[:2],
    cross_validation(lambda seed: StratifiedKFold(10, shuffle=True, random_state=seed)),
    **texts.ENGLISH,
)

if __name__ == "__main__":
    main(TASK)
