"""Gated recurrent networks for scikit-learn users, on NumPy, SciPy and scikit-learn alone."""

from skgru._version import __version__ as __version__
from skgru.alignment import SequenceAligner
from skgru.backtesting import Backtest, backtest
from skgru.branches import SeriesBranch, TableBranch, TokenBranch
from skgru.classifier import GRUClassifier
from skgru.forecast_display import ForecastDisplay
from skgru.forecasting import GRUForecaster
from skgru.lags import LagSelector
from skgru.long_tables import make_rows, make_sequences
from skgru.loss_curves import LossCurveDisplay
from skgru.multimodal import MultimodalGRUClassifier, MultimodalGRURegressor
from skgru.per_timestep import PerTimestep
from skgru.regressor import GRURegressor
from skgru.summaries import Summary, summary
from skgru.text import SequenceVectorizer, WordVectors, read_word_vectors
from skgru.windows import make_windows

__all__ = [
    "Backtest",
    "ForecastDisplay",
    "GRUClassifier",
    "GRUForecaster",
    "GRURegressor",
    "LagSelector",
    "LossCurveDisplay",
    "MultimodalGRUClassifier",
    "MultimodalGRURegressor",
    "PerTimestep",
    "SequenceAligner",
    "SequenceVectorizer",
    "SeriesBranch",
    "Summary",
    "TableBranch",
    "TokenBranch",
    "WordVectors",
    "backtest",
    "make_rows",
    "make_sequences",
    "make_windows",
    "read_word_vectors",
    "summary",
]
