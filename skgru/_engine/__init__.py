"""Training and prediction: values in and values out, no estimator."""
