"""Grid search: digits read row by row
===================================

scikit-learn's digits, images of 8 by 8 pixels, are read as sequences of 8 rows of 8 pixels. A grid
search chooses the width of the network and its learning rate by 3-fold cross-validation on the
training part. The part held out says how good the best of them is, and which digits it misreads.
"""

import matplotlib.pyplot as plt
import pandas as pd
from sklearn.datasets import load_digits
from sklearn.metrics import confusion_matrix
from sklearn.model_selection import GridSearchCV, StratifiedKFold, train_test_split

from skgru import GRUClassifier

# %%
# A row of ``X`` has the 64 pixels of a digit. ``features_per_step=8`` tells the network to read 8
# of them at each step.

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.2, stratify=y, random_state=0)
print(f"{len(X_train)} digits to train on, {len(X_test)} held out")

search = GridSearchCV(
    GRUClassifier(features_per_step=8, max_iter=8, random_state=0),
    {"hidden_layer_sizes": [32, 64], "learning_rate_init": [0.0025, 0.005, 0.01]},
    cv=StratifiedKFold(3, shuffle=True, random_state=0),
    verbose=2,
).fit(X_train, y_train)

# %%
# What the search found, as ``cv_results_`` has it.

results = pd.DataFrame(search.cv_results_)
columns = ["param_hidden_layer_sizes", "param_learning_rate_init", "mean_test_score"]
columns += ["std_test_score", "mean_fit_time"]
table = results[columns].rename(columns=lambda name: name.removeprefix("param_"))
print(table.round(4).to_string(index=False))
print(f"\nBest: {search.best_params_}")
print(f"Accuracy in cross-validation: {search.best_score_:.4f}")
print(f"Accuracy on the {len(y_test)} digits held out: {search.score(X_test, y_test):.4f}")

# %%
# In a few epochs, wider networks and larger steps come further. The bars are the deviation over the
# folds: what lies within them is no difference.

figure, ax = plt.subplots(figsize=(7, 4), layout="constrained")
for width, rows in results.groupby("param_hidden_layer_sizes"):
    ax.errorbar(
        rows["param_learning_rate_init"],
        rows["mean_test_score"],
        rows["std_test_score"],
        marker="o",
        capsize=4,
        label=f"{width} units",
    )
ax.set(xscale="log", xlabel="learning rate", ylabel="accuracy in cross-validation")
rates = sorted(set(results["param_learning_rate_init"]))
ax.set_xticks(rates, [f"{rate:g}" for rate in rates])
ax.minorticks_off()
ax.legend()
plt.show()

# %%
# The confusion matrix of the part held out, and the digits that the best network misread.

found = search.predict(X_test)
print("Confusion matrix (rows: the digit, columns: what was read):")
print(confusion_matrix(y_test, found))

wrong = (y_test != found).nonzero()[0]
print(f"{len(wrong)} of {len(y_test)} digits held out were misread")
shown = wrong[:6]
figure, axes = plt.subplots(1, len(shown), figsize=(7, 1.8), squeeze=False, layout="constrained")
for ax, i in zip(axes.flat, shown, strict=True):
    ax.set_axis_off()
    ax.imshow(X_test[i].reshape(8, 8), cmap="gray_r")
    ax.set_title(f"{y_test[i]}, not {found[i]}", fontsize="medium")
plt.show()
