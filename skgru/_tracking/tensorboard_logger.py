"""Fits as event files of TensorBoard."""

from __future__ import annotations

import os
import time
from contextlib import ExitStack
from os import PathLike
from pathlib import Path
from typing import Any

from skgru._tracking.fit_logger import FINISHED, FitLogger

# Seconds after which events are in the files at the latest.
_FLUSH_SECONDS = 5
# The numbers of an epoch: the folder, and the name. One name in two folders is one chart.
_CHARTS = {
    "loss": ("training", "loss"),
    "learning_rate": ("training", "learning_rate"),
    "validation_loss": ("validation", "loss"),
    "validation_score": ("validation", "score"),
}


class TensorBoardLogger(FitLogger):
    """Logs fits to TensorBoard: parameters, the losses and scores of each epoch, and the result.

    It is a callback of scikit-learn 1.9, set on the outermost estimator (the pipeline, the search)
    as scikit-learn's `ProgressBar` is: ``search.set_callbacks(TensorBoardLogger("runs/first"))``.
    It needs tensorboardX, a writer of event files without TensorFlow or PyTorch:
    ``pip install 'skgru[tensorboard]'``. ``pip install tensorboard`` and
    ``tensorboard --logdir runs`` show them, also while the fit runs.

    Each fit inside of a search, and each network of a `GRUForecaster`, has a folder of its own
    below that of the whole fit, named by its task. Where the folder has a fit already, the next one
    has ``fit-2`` below it, and so on; training that goes on (`partial_fit`, ``warm_start=True``)
    does so in the folder itself.

    - After each epoch, in two folders that TensorBoard draws as two lines in one chart: in
      ``training`` the scalars ``loss`` and ``learning_rate``, in ``validation``, where there is a
      validation set, ``loss`` and ``score``. The step is the number of the epoch over all calls, as
      in ``loss_curve_``.
    - In the folder itself: the parameters of the estimator and of those inside of it, cut to 500
      characters, as hyperparameters; after the fit the scalars ``fit_seconds``, ``n_iter``,
      ``best_loss`` or ``best_validation_score``, of a search ``best_score``.

    Parameters
    ----------
    folder : str or path-like
        It is made if it does not exist.

    Raises
    ------
    ImportError
        If tensorboardX is not installed, or scikit-learn is older than 1.9.

    Notes
    -----
    An epoch costs about 0.5 ms; nothing of the model is copied. Events are in the files after at
    most 5 seconds, and all of them when the fit ends, by whatever.

    Examples
    --------
    >>> import numpy as np
    >>> from skgru import GRUClassifier
    >>> from skgru.callbacks import TensorBoardLogger
    >>> X = np.random.default_rng(0).normal(size=(40, 10))
    >>> y = X.sum(axis=1) > 0
    >>> clf = GRUClassifier(8, random_state=0)
    >>> clf.set_callbacks(TensorBoardLogger("runs/first")).fit(X, y)  # doctest: +SKIP
    """

    def __init__(self, folder: str | PathLike[str]) -> None:
        super().__init__()
        _import_tensorboardx()
        # Processes that work for this one may have another working directory.
        self.folder = Path(folder).absolute()
        self._sessions: dict[str, Any] = {}

    def __getstate__(self):
        # Files stay open where they are.
        return super().__getstate__() | {"_sessions": {}}

    def _open(self, title, parameters, goes_on):
        folder, n = self.folder, 1
        while not (goes_on and folder.exists()):
            try:
                # Made, it is taken: no fit of another process has it too.
                (folder / "training").mkdir(parents=True)
                break
            except FileExistsError:
                n += 1
                folder = self.folder / f"fit-{n}"
        return self._begin(str(folder), parameters)

    def _open_below(self, place, tasks, parameters):
        return self._begin(str(Path(place, *tasks)), parameters)

    def _begin(self, place, parameters):
        self._sessions[place] = Session(place, parameters)
        return place

    def _log(self, place, step, numbers):
        self._sessions[place].log(step, numbers)

    def _close(self, place, status):
        self._sessions.pop(place).close(status)


class Session:
    """The event files of a fit.

    Parameters
    ----------
    folder : str
    parameters : dict
    """

    def __init__(self, folder, parameters):
        self._folder = folder
        self._writers, self._files = {}, ExitStack()
        # Without the first of its summaries TensorBoard makes a table of all fits by itself; of
        # those that several of them write, it would take one.
        _, start, self._end = _import_tensorboardx().summary.hparams(parameters, {})
        self._writer("").file_writer.add_summary(start)

    def log(self, step, numbers):
        """Log the numbers of an epoch, or with None as `step` results."""
        for name, value in numbers.items():
            part, name = ("", name) if step is None else _CHARTS[name]
            self._writer(part).add_scalar(name, value, 0 if step is None else step)

    def close(self, status):
        """Write all to the files and close them."""
        with self._files:
            if status == FINISHED:
                self._writer("").file_writer.add_summary(self._end)

    def _writer(self, part):
        if part not in self._writers:
            # By itself the name of a file has the second in which it is made, and of another fit in
            # that second the file is overwritten. In their order TensorBoard reads them.
            writer = _import_tensorboardx().SummaryWriter(
                str(Path(self._folder, part)),
                flush_secs=_FLUSH_SECONDS,
                filename_suffix=f".{time.time_ns()}.{os.getpid()}",
            )
            self._writers[part] = self._files.enter_context(writer)
        return self._writers[part]


def _import_tensorboardx():
    try:
        import tensorboardX
        import tensorboardX.summary
    except ImportError as error:
        raise ImportError(
            "Expected tensorboardX for TensorBoardLogger, got none: "
            "pip install 'skgru[tensorboard]' installs it."
        ) from error
    return tensorboardX
