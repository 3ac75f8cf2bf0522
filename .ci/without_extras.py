"""What works without the extras, and what says which one it needs: for an environment without them.

It is run where the package is installed with its own dependencies alone.
"""

import importlib
import io
import pkgutil
import tempfile
from contextlib import redirect_stdout
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import sklearn
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.utils.fixes import parse_version

import skgru
from skgru import callbacks, inspection, interop, serving

EXTRAS = [
    *("fastapi", "keras", "matplotlib", "mlflow", "onnx", "pandas", "polars", "pyarrow", "rich"),
    *("skl2onnx", "sktime", "tensorboardX", "torch"),
]
found = [name for name in EXTRAS if find_spec(name) is not None]
assert not found, f"expected an environment without extras, got {found}"

# Every module can be imported, but for those that define classes of another library.
theirs = ["skgru.sktime", "skgru._interop.torch_network"]
for module in pkgutil.walk_packages(skgru.__path__, "skgru."):
    if module.name not in theirs:
        importlib.import_module(module.name)

rng = np.random.default_rng(0)
X = [rng.normal(size=(3 + i % 4, 2)) for i in range(60)]
y = np.array([x[-1, 0] > 0 for x in X])
words = rng.choice(["good", "bad", "the", "plot"], size=(60, 4))
texts, is_good = [" ".join(row) for row in words], (words == "good").any(axis=1)


def said(act):
    """Return what is printed."""
    with redirect_stdout(io.StringIO()) as printed:
        act()
    return printed.getvalue()


# Fits and predictions.
clf = skgru.GRUClassifier(4, max_iter=3, verbose=1, random_state=0)
lines = said(lambda: clf.fit(X, y)).splitlines()
assert len(lines) == 3, lines
assert all(line.startswith("GRUClassifier: epoch ") for line in lines), lines
assert clf.predict_proba(X).shape == (60, 2)
reg = skgru.GRURegressor(4, max_iter=3, random_state=0).fit(X, [x.sum() for x in X])
assert np.isfinite(reg.predict(X)).all()
reader = make_pipeline(skgru.SequenceVectorizer(), clone(clf).set_params(verbose=0))
reader.fit(texts, is_good)
branches = [("steps", skgru.SeriesBranch(), [0]), ("age", skgru.TableBranch(), [1])]
several = skgru.MultimodalGRUClassifier(branches, max_iter=3, random_state=0)
table = np.empty((60, 2), dtype=object)
table[:, 0], table[:, 1] = X, rng.normal(size=60)
assert len(several.fit(table, y).predict(table)) == 60
wave = np.sin(np.arange(60.0))
forecaster = skgru.GRUForecaster(horizon=2, window=8, max_iter=2, random_state=0).fit(wave)
assert len(forecaster.predict()) == 2

# Explanations.
for model, data in ((reg, X), (reader, texts), (several, table)):
    assert len(inspection.attributions(model, data)) in (60, 2)
display = inspection.AttributionDisplay.from_estimator(reader, texts, index=1)
assert all(text for text in (str(display), display.ansi(), display._repr_html_()))
gates = inspection.GateDisplay.from_estimator(reg, X)
assert "update: mean" in str(gates)
importances = inspection.permutation_importance(reg, X, [x.sum() for x in X], random_state=0)
assert len(importances.names) == 2
assert all(text for text in (str(skgru.summary(clf)), skgru.summary(clf)._repr_html_()))
assert clf._repr_html_()

# The form that graphs of ONNX want.
assert interop.onnx_inputs(reg, X)["lengths"].tolist() == [len(x) for x in X]

# What needs an extra says so.
plain = skgru.GRURegressor(4, reset_after=True, pooling="last", max_iter=3, random_state=0)
plain.fit(X, [x.sum() for x in X])
needs = [
    ("torch", lambda: interop.to_torch(plain)),
    ("keras", lambda: interop.to_keras(plain)),
    ("plot", lambda: skgru.LossCurveDisplay.from_estimator(clf)),
    ("serve", lambda: serving.make_app(clf)),
    ("plot", display.plot),
    ("plot", gates.plot),
    ("plot", lambda: skgru.ForecastDisplay.from_estimator(forecaster)),
    ("plot", lambda: skgru.backtest(forecaster, wave, coverage=None).plot()),
    ("onnx", lambda: interop.to_onnx(clf)),
    ("skl2onnx", interop.register_skl2onnx),
]
if parse_version(sklearn.__version__) >= parse_version("1.9"):
    with tempfile.TemporaryDirectory() as folder:
        clf.set_callbacks(callbacks.Checkpoint(folder)).set_params(verbose=0).fit(X, y)
        assert Path(folder, "best.joblib").exists()
    needs += [
        ("mlflow", callbacks.MLflowLogger),
        ("tensorboard", lambda: callbacks.TensorBoardLogger("runs")),
    ]
for extra, act in needs:
    try:
        act()
    except ImportError as error:
        message = str(error)
    else:
        message = "no error"
    assert f"skgru[{extra}]" in message, f"expected the extra {extra!r} to be named, got {message}"

print(f"Without {', '.join(EXTRAS)}: all works but {len(needs)} things, which say what they need.")
