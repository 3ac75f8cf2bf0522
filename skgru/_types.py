"""The types of the public signatures that have a name of their own.

scikit-learn and many libraries of data ship no types, and X and y come in more forms than a type
can say: names tell what is expected, where a checker takes anything. What optional libraries
define is `Any` when the program runs, so that `typing.get_type_hints` needs none of them. Those
that few import are named where they are used: a checker would read them for every user.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes as Axes
else:
    Axes = Any

# --- Data -----------------------------------------------------------------------------------------

# Arrays, lists, columns and tables, whatever is read as X, y or as values beside them.
ArrayLike: TypeAlias = Any
# A table of pandas, polars or Arrow, or a dict of arrays; what comes back is of the same library.
Table: TypeAlias = Any
# One column of a table, or several, by name or position.
Column: TypeAlias = Hashable
Columns: TypeAlias = Hashable | Sequence[Hashable]
# A file, a mapping, or an object of gensim or spaCy.
VectorSource: TypeAlias = Any

# --- Objects of scikit-learn ----------------------------------------------------------------------

AnyEstimator: TypeAlias = Any
Transformer: TypeAlias = Any
Seed: TypeAlias = int | np.random.RandomState | None
Scoring: TypeAlias = str | Callable[..., Any] | None

# --- Parameters -----------------------------------------------------------------------------------

# tests/test_types.py holds these strings against those that the estimators validate.

Auto: TypeAlias = Literal["auto"]
Sizes: TypeAlias = int | Sequence[int] | NDArray[np.integer[Any]]
Solver: TypeAlias = Literal["adam", "sgd", "lbfgs"]
Schedule: TypeAlias = Literal["constant", "invscaling", "adaptive", "cosine"]
Cell: TypeAlias = Literal["gru", "lstm", "rnn", "mingru"]
Cells: TypeAlias = Cell | Sequence[Cell]
Pooling: TypeAlias = Literal["last", "mean", "max", "attention"]
Poolings: TypeAlias = Pooling | Sequence[Pooling]
Missing: TypeAlias = Literal["decay", "indicator", "error"]
Scaling: TypeAlias = Literal["standard", "robust", "sequence", "auto"] | None
ScalingOfRows: TypeAlias = Literal["standard", "robust"] | None
Precision: TypeAlias = Literal["float32", "float64"]
NumberLoss: TypeAlias = Literal[
    "squared_error", "absolute_error", "huber", "quantile", "poisson", "gaussian"
]
Quantiles: TypeAlias = float | Sequence[float] | NDArray[np.floating[Any]]
ClassWeight: TypeAlias = dict[Any, Any] | list[dict[Any, Any]] | Literal["balanced"] | None
Aggregate: TypeAlias = Literal["mean", "sum", "min", "max", "first", "last", "count"]
Scheme: TypeAlias = Literal["BIO", "BIOES", "BILOU"]
Average: TypeAlias = Literal["micro", "macro", "weighted"]
PredictionMethod: TypeAlias = Literal["predict", "predict_proba", "predict_log_proba"]
Output: TypeAlias = Literal["default", "pandas", "polars"] | None
Lags: TypeAlias = int | Iterable[int] | Mapping[str, int | Iterable[int]] | None
