"""A fitted estimator as an HTTP service. It needs FastAPI: the extra ``serve``."""

# (No `annotations` of `__future__`: FastAPI reads the types of the routes as they are.)
import logging
import platform
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import uuid4

import joblib
import numpy as np
import sklearn

from skgru._answers import Answers
from skgru._instances import Instances, check_serves
from skgru._types import AnyEstimator
from skgru._version import __version__

if TYPE_CHECKING:
    from fastapi import FastAPI
else:  # it need not be installed
    FastAPI = Any

__all__ = ["make_app"]

_log = logging.getLogger("skgru.serving")

# What an error of the estimator says of the request; all others are faults of the service.
_REASONS = ValueError, TypeError


class Refusal(Exception):
    """A request that is not answered, with its status and the reason."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status, self.reason = status, reason


class Service(NamedTuple):
    """A fitted estimator with its forms in JSON."""

    estimator: Any
    instances: Instances
    answers: Answers

    @property
    def metadata(self) -> dict[str, Any]:
        """What it expects and answers."""
        return {
            "estimator": type(self.estimator).__name__,
            "instance": self.instances.described,
            "outputs": self.answers.names,
            **self.answers.described,
            "versions": {
                "skgru": __version__,
                "scikit-learn": sklearn.__version__,
                "numpy": np.__version__,
                "python": platform.python_version(),
            },
        }

    def answer(self, request_type: Any, body: bytes) -> dict[str, Any]:
        """Return the answer to a request.

        Raises
        ------
        Refusal
            If the request is not understood, or the estimator refuses it.
        """
        from pydantic import ValidationError

        try:
            request = request_type.model_validate_json(body)
        except ValidationError as error:
            raise Refusal(422, _said(error)) from error
        known = self.answers.names
        outputs = known if request.outputs is None else request.outputs
        unknown = [name for name in outputs if name not in known]
        if unknown or not outputs:
            raise Refusal(422, f"outputs: expected some of {known}, got {unknown or 'none'}.")
        try:
            found = self.answers.of(self.instances.read(request.instances), outputs)
        except _REASONS as error:
            raise Refusal(422, str(error)) from error
        return found | self.answers.described


def make_app(
    estimator: AnyEstimator, *, max_bytes: int = 10_000_000, n_threads: int | None = None
) -> FastAPI:
    """Make an application of FastAPI that answers with the predictions of a fitted estimator.

    It needs the extra ``serve``: ``pip install 'skgru[serve]'``. A server such as uvicorn runs it.

    - ``POST /predict`` takes ``{"instances": [...]}``, a sample each, in the form of the X that the
      estimator was fitted to. A sequence is a list of steps, a step a list of numbers; of a single
      feature also a number. null is a missing value; a sequence of token ids is a list of ints. Of
      a pipeline that begins with a :class:`~skgru.SequenceVectorizer` a sample is a text. Where X
      had named columns, it is an object with these, and a cell that holds a sequence is a list. The
      answer has ``"predictions"``, and where the estimator has them ``"probabilities"`` with
      ``"classes"``, ``"std"`` or ``"quantiles"``: the names of the columns behind the samples.
      Where steps have targets, there is a list for each sample. ``"outputs": ["predictions"]``
      asks for some of these alone.
    - ``GET /metadata`` tells what a sample is, the outputs, classes and versions.
    - ``GET /health`` answers once the estimator is there.

    A request that is not understood, or that the estimator refuses, is answered with the status 422
    and the reason in ``"detail"``: the error that the estimator raises. One of more than
    `max_bytes` has the status 413, a fault of the service 500, and a number by which the log has
    its error.

    Parameters
    ----------
    estimator : object
        A fitted estimator that predicts from X: `GRUClassifier`, `GRURegressor`, the multimodal
        ones, a pipeline or a search of scikit-learn that has one.

    max_bytes : int, default=10_000_000
        The longest body of a request.

    n_threads : int, default=None
        How many requests are answered at once, the others wait; None = as many as there are
        processors. Answers do not depend on it.

    Returns
    -------
    app : fastapi.FastAPI

    Raises
    ------
    ImportError
        If FastAPI is not installed; or pandas, and the columns of X have names.

    TypeError, ValueError
        If the estimator does not predict from X, or a limit is no int from 1 on.

    NotFittedError
        If it is not fitted.

    Examples
    --------
    >>> import joblib  # doctest: +SKIP
    >>> from skgru.serving import make_app
    >>> app = make_app(joblib.load("model.joblib"))  # doctest: +SKIP

    In a file ``app.py``, ``uvicorn app:app`` serves it.
    """
    fastapi = _import_fastapi()
    check_serves(estimator)
    limits = {"max_bytes": max_bytes, "n_threads": n_threads or joblib.cpu_count()}
    for name, value in limits.items():
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise ValueError(f"{name}: expected an int from 1 on, got {value!r}.")
    service = Service(estimator, Instances(estimator), Answers(estimator))
    return _app_of(fastapi, service, **limits)


def _app_of(fastapi: Any, service: Service, max_bytes: int, n_threads: int) -> FastAPI:
    """Return the application, with its routes."""
    from anyio import CapacityLimiter, to_thread
    from fastapi.responses import JSONResponse, Response
    from pydantic import BaseModel, ConfigDict, Field
    from starlette.requests import ClientDisconnect
    from starlette.requests import Request as HTTPRequest

    class Request(BaseModel):
        """Samples to predict for."""

        model_config = ConfigDict(extra="forbid", strict=True)
        instances: list[Any] = Field(min_length=1, description="The samples.")
        outputs: list[str] | None = Field(None, description="The outputs; null = all.")

    app = fastapi.FastAPI(title=type(service.estimator).__name__, version=__version__)
    threads = CapacityLimiter(n_threads)

    def answer(body: bytes) -> Any:
        # In the thread, too, what is large is written: the server goes on with other requests.
        return JSONResponse(service.answer(Request, body))

    @app.get("/health")
    async def health() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/metadata")
    async def metadata() -> dict[str, Any]:
        return service.metadata

    content = {"application/json": {"schema": Request.model_json_schema()}}

    @app.post("/predict", openapi_extra={"requestBody": {"content": content, "required": True}})
    async def predict(request: HTTPRequest) -> dict[str, Any]:
        body = await _body_of(request, max_bytes)
        return await to_thread.run_sync(partial(answer, body), limiter=threads)

    @app.exception_handler(Refusal)
    async def refuse(request: Any, refusal: Any) -> Any:
        # A body that is not read to its end would be taken for the next request.
        headers = {"connection": "close"} if refusal.status == 413 else None
        return JSONResponse({"detail": refusal.reason}, refusal.status, headers)

    @app.exception_handler(ClientDisconnect)
    async def leave(request: Any, error: Any) -> Any:
        return Response(status_code=400)  # nobody reads it

    @app.exception_handler(Exception)
    async def fail(request: Any, error: Any) -> Any:
        number = uuid4().hex
        _log.error("Fault %s", number, exc_info=error)
        return JSONResponse({"detail": f"Internal error, in the log as {number}."}, 500)

    return app


async def _body_of(request: Any, max_bytes: int) -> bytes:
    """Return the body of a request; refuse one that is too long, before it is all there."""
    parts, size = [], 0
    said = request.headers.get("content-length", "")
    if said.isdecimal():
        size = int(said)
    reason = f"The request is too long: expected at most {max_bytes} bytes. Send fewer instances."
    if size > max_bytes:
        raise Refusal(413, reason)
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > max_bytes:
            raise Refusal(413, reason)
        parts.append(part)
    return b"".join(parts)


def _said(error: Any) -> str:
    """Return what pydantic finds wrong with a request, in a line."""
    faults = error.errors(include_url=False, include_input=False)
    return "; ".join(
        f"{'.'.join(map(str, fault['loc'])) or 'the request'}: {fault['msg']}" for fault in faults
    )


def _import_fastapi() -> Any:
    try:
        import fastapi
    except ImportError as error:
        raise ImportError(
            "Expected FastAPI for make_app, got none: pip install 'skgru[serve]' installs it."
        ) from error
    return fastapi
