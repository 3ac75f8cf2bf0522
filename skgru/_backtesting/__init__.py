"""Forecasts from many origins of the past: the data, the origins, the fits and the result."""
