"""The example of forecasts: they are better than the simple ones, and the bands hold what came."""

import numpy as np

from tests.examples.pictures import lines_of


def test_forecasting(run_notebook):
    run = run_notebook("forecasting")
    errors = run.names["result"].summary.set_index("model")
    mae = errors["MAE"]
    simple = ["persistence", "seasonal_naive"]
    assert mae["GRUForecaster"] < 0.7 * mae[simple].min()
    assert mae["GRUForecaster"] < 1.05 * mae["ridge"]
    assert 0.85 < errors["coverage"]["GRUForecaster"] < 0.99  # of the bands of 90 %
    assert repr(run.names["result"]) in run.printed
    lower, upper, load_ahead = map(float, run.printed.splitlines()[-1].split()[-3:])
    assert lower < load_ahead < upper

    (by_step,), (past,), (ahead,) = (figure.axes for figure in run.figures)
    lines = lines_of(by_step)
    assert [*lines] == ["GRUForecaster", *simple, "ridge"]
    for name, error in lines.items():
        assert len(error) == 48
        np.testing.assert_allclose(error.mean(), mae[name])
    forecast, persistence = lines["GRUForecaster"], lines["persistence"]
    assert forecast[0] < 0.6 * forecast[23:].mean()  # the last hours tell something of the next
    assert (forecast[5:] < 0.7 * persistence[5:]).all()

    assert len(past.collections) == 4  # bands

    lines = lines_of(ahead)
    assert [*lines] == ["history", "forecast", "what came"]
    corners = ahead.collections[0].get_paths()[0].vertices
    ends = [corners[corners[:, 0] == time, 1] for time in np.unique(corners[:, 0])]
    came = lines["what came"]
    np.testing.assert_array_equal(came[1:], run.names["make_series"](2648)[0][-48:])
    is_within = [end.min() <= value <= end.max() for end, value in zip(ends, came, strict=True)]
    assert np.mean(is_within) > 0.7
