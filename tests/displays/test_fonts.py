"""Whatever the user names may be in another script: pictures write it in fonts that have it."""

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest

from skgru import ForecastDisplay, GRURegressor, LossCurveDisplay
from skgru.inspection import AttributionDisplay, GateDisplay

mpl.use("Agg")
NAME = "送餐太慢"


def draw_losses():
    model = GRURegressor(2, max_iter=2, random_state=0).fit(np.eye(4), np.arange(4.0))
    return LossCurveDisplay.from_estimators({NAME: model}).ax_.get_legend().texts


def draw_words():
    axes = AttributionDisplay.from_attributions([0.5, -1.0], [NAME, "fine"]).plot().axes_
    return axes[""].get_yticklabels()


def draw_features():
    display = AttributionDisplay.from_attributions(np.eye(2), np.eye(2), names=[NAME, "b"])
    return display.plot().axes_[""].get_yticklabels()


def draw_gates():
    display = GateDisplay({"update": [[0.5], [0.1]]}, inputs=[NAME, "fine"])
    return display.plot().axes_["inputs"].texts


def draw_forecast():
    history = pd.Series(np.arange(5.0), name=NAME)
    ax = ForecastDisplay.from_predictions(history, [5.0, 6.0]).ax_
    return [ax.yaxis.label, *ax.get_legend().texts]


DRAWN = [draw_losses, draw_words, draw_features, draw_gates, draw_forecast]


@pytest.mark.parametrize("draw", DRAWN)
def test_names_have_the_fonts_of_other_scripts(draw, monkeypatch):
    # One that comes with matplotlib stands for those of the system.
    monkeypatch.setattr("skgru._pictures._CJK", ("No Such Font", "DejaVu Serif"))
    texts = draw()
    (written,) = (text for text in texts if NAME in text.get_text())
    assert written.get_fontfamily() == [*mpl.rcParams["font.family"], "DejaVu Serif"]
