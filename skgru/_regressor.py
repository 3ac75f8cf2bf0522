"""The place that models of version 0.1.0 name: `regressor` has the class."""

from skgru.regressor import GRURegressor as GRURegressor
