"""Fits as runs of MLflow."""

from __future__ import annotations

import os
import re
import time
from typing import NamedTuple

from skgru._tracking.fit_logger import FitLogger

# Tags of runs: of MLflow itself, and of skgru.
_PARENT, _OUTERMOST, _IS_LOGGED = "mlflow.parentRunId", "skgru.outermost", "skgru.is_logged"
# Where MLflow tells other processes of the experiment that it is set to.
_EXPERIMENT = "MLFLOW_EXPERIMENT_ID"

# The status of runs that have ended, by their ids, until MLflow has them no longer as active: later
# ones may stand above them, such as that of a second logger.
_ended: dict[str, str] = {}


class MLflowRun(NamedTuple):
    """A run of MLflow.

    Attributes
    ----------
    id : str
    experiment : str
        The id of its experiment.
    outermost : str
        The id of the run of the outermost fit.
    uri : str
        Of the tracking server.
    is_ours : bool
        Whether it is to be ended.
    """

    id: str
    experiment: str
    outermost: str
    uri: str
    is_ours: bool


class MLflowLogger(FitLogger):
    """Logs fits to MLflow: parameters, the losses and scores of each epoch, and the result.

    It is a callback of scikit-learn 1.9, set on the outermost estimator (the pipeline, the search)
    as scikit-learn's `ProgressBar` is: ``search.set_callbacks(MLflowLogger())``. It needs MLflow:
    ``pip install 'skgru[mlflow]'``.

    A fit is logged to the run that is active; without one, to a run of its own, in the experiment
    and on the server that MLflow is set to, which ends with the fit: as FINISHED, as FAILED if the
    fit raises an error, as KILLED if it is interrupted. Each fit inside of a search, and each
    network of a `GRUForecaster`, has a nested run, which is named by its task; so has a fit that
    starts in an active run to which another one was logged. Training that goes on (`partial_fit`,
    ``warm_start=True``) goes on in the active run.

    - Parameters: all of the estimator and of those inside of it, cut to 500 characters; those that
      the active run has keep their values.
    - Metrics after each epoch: ``loss``, ``learning_rate``, and where there is a validation set
      ``validation_loss`` and ``validation_score``. The step is the number of the epoch over all
      calls, as in ``loss_curve_``.
    - Metrics after the fit: ``fit_seconds``, ``n_iter``, ``best_loss`` or
      ``best_validation_score``; of a search ``best_score``.

    Raises
    ------
    ImportError
        If MLflow is not installed, or scikit-learn is older than 1.9.

    Notes
    -----
    An epoch costs one request to the tracking server: about 1 ms with files, 7 ms with SQLite,
    over a network what that takes. Nothing of the model is copied. An error of MLflow ends the fit.

    The model itself is logged by MLflow: ``mlflow.sklearn.log_model(clf, name="model",
    skops_trusted_types=["skgru.classifier.GRUClassifier"])``. It is saved by skops then, which has
    no other type to trust.

    Examples
    --------
    >>> import mlflow  # doctest: +SKIP
    >>> import numpy as np
    >>> from skgru import GRUClassifier
    >>> from skgru.callbacks import MLflowLogger
    >>> X = np.random.default_rng(0).normal(size=(40, 10))
    >>> y = X.sum(axis=1) > 0
    >>> clf = GRUClassifier(8, random_state=0)
    >>> with mlflow.start_run(run_name="a first trial"):  # doctest: +SKIP
    ...     clf.set_callbacks(MLflowLogger()).fit(X, y)
    """

    def __init__(self) -> None:
        super().__init__()
        _import_mlflow()

    def __getstate__(self):
        uri, experiment = _import_mlflow().get_tracking_uri(), os.environ.get(_EXPERIMENT)
        return super().__getstate__() | {"_origin": (os.getpid(), uri, experiment)}

    def __setstate__(self, state):
        pid, uri, experiment = state.pop("_origin")
        vars(self).update(state)
        # Processes that work for this one may have started before MLflow was set as it is.
        if pid == os.getppid():
            mlflow = _import_mlflow()
            mlflow.set_tracking_uri(uri)
            if experiment is not None:
                mlflow.set_experiment(experiment_id=experiment)

    def _open(self, title, parameters, goes_on):
        mlflow = _import_mlflow()
        client, active = mlflow.MlflowClient(), mlflow.active_run()
        run, is_ours = None, True
        if active is not None:
            run = client.get_run(active.info.run_id)  # the active one does not know its tags
            is_ours = _IS_LOGGED in run.data.tags and not goes_on
        if is_ours:
            run = mlflow.start_run(run_name=title, nested=active is not None)
        try:
            info, uri = run.info, mlflow.get_tracking_uri()
            place = MLflowRun(info.run_id, info.experiment_id, info.run_id, uri, is_ours)
            client.set_tag(place.id, _IS_LOGGED, "true")
            _log_parameters(client, place, parameters, run.data.params)
        except BaseException:
            if is_ours:
                mlflow.end_run("FAILED")
            raise
        return place

    def _open_below(self, place, tasks, parameters):
        client = _client(place)
        tags = {_PARENT: place.id, _OUTERMOST: place.outermost, _IS_LOGGED: "true"}
        run = client.create_run(place.experiment, run_name=" ".join(tasks), tags=tags)
        place = place._replace(id=run.info.run_id, is_ours=True)
        _log_parameters(client, place, parameters)
        return place

    def _log(self, place, step, numbers):
        from mlflow.entities import Metric

        now = time.time_ns() // 1_000_000
        metrics = [Metric(name, value, now, step or 0) for name, value in numbers.items()]
        if metrics:
            _client(place).log_batch(place.id, metrics=metrics)

    def _close(self, place, status):
        mlflow = _import_mlflow()
        if not place.is_ours:
            return
        active = mlflow.active_run()
        if active is None or active.info.run_id != place.id:
            _client(place).set_terminated(place.id, status)
        if place.id == place.outermost:
            _ended[place.id] = status
        while (active := mlflow.active_run()) and active.info.run_id in _ended:
            mlflow.end_run(_ended.pop(active.info.run_id))

    def _close_below(self, place, status):
        client = _client(place)
        running = f"tags.`{_OUTERMOST}` = '{place.id}' and attributes.status = 'RUNNING'"
        for run in client.search_runs([place.experiment], running, max_results=50_000):
            client.set_terminated(run.info.run_id, status)


def _import_mlflow():
    try:
        import mlflow
    except ImportError as error:
        raise ImportError(
            "Expected MLflow for MLflowLogger, got none: pip install 'skgru[mlflow]' installs it."
        ) from error
    return mlflow


def _client(place):
    return _import_mlflow().MlflowClient(place.uri)


def _log_parameters(client, place, parameters, known=()):
    """Log parameters to a run, but for those that are known."""
    from mlflow.entities import Param

    # Of the characters that MLflow takes in names.
    named = {re.sub(r"[^/\w.\- :]", "_", name): str(value) for name, value in parameters.items()}
    params = [Param(name, value) for name, value in named.items() if name not in known]
    client.log_batch(place.id, params=params)
