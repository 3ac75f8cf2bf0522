"""Callbacks for scikit-learn 1.9 and later: checkpoints, MLflow and TensorBoard."""

from skgru._tracking.checkpoint import Checkpoint
from skgru._tracking.mlflow_logger import MLflowLogger
from skgru._tracking.tensorboard_logger import TensorBoardLogger

__all__ = ["Checkpoint", "MLflowLogger", "TensorBoardLogger"]
