"""Requests: to an application itself, and to a server that is a process of its own."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path

import joblib

import skgru

APP = """
import joblib
from skgru.serving import make_app

app = make_app(joblib.load("model.joblib"), max_bytes=100_000)
"""


def ask_app(app, method, path, body=b"", headers=(), answers=None):
    """Return the status and the body of an application's answer, as a server would ask for it.

    It is also appended to `answers`, which an application that raises an error leaves behind.
    """
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [(b"content-type", b"application/json"), *headers],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
    }
    sent = []

    async def receive():
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message):
        sent.append(message)

    try:
        asyncio.run(app(scope, receive, send))
    finally:
        start, *rest = sent
        found = start["status"], json.loads(b"".join(part.get("body", b"") for part in rest))
        if answers is not None:
            answers.append(found)
    return found


def predict(app, instances, **others):
    body = json.dumps({"instances": instances, **others}).encode()
    return ask_app(app, "POST", "/predict", body)


class Server:
    """A server of uvicorn, in a folder that has its model and its application.

    Attributes
    ----------
    process : subprocess.Popen
    port : int
    """

    def __init__(self, folder, model, app):
        joblib.dump(model, folder / "model.joblib")
        (folder / "app.py").write_text(app, encoding="utf-8")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self._log = folder / "log"
        command = [sys.executable, "-m", "uvicorn", "app:app", "--port", str(self.port)]
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                command,
                cwd=folder,
                env=os.environ | {"PYTHONPATH": str(Path(skgru.__file__).parents[1])},
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    @property
    def log(self):
        """What the server has written."""
        return self._log.read_text(encoding="utf-8", errors="replace")

    def wait(self):
        """Return once it answers."""
        end = time.monotonic() + 60
        while time.monotonic() < end and self.process.poll() is None:
            try:
                if self.ask("GET", "/health")[0] == 200:
                    return
            except OSError:
                time.sleep(0.05)
        raise AssertionError(f"The server does not answer:\n{self.log}")

    def ask(self, method, path, body=None):
        """Return the status and the answer to one request."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, path, body)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()

    def predict(self, instances, **others):
        return self.ask("POST", "/predict", json.dumps({"instances": instances, **others}))

    def stop(self):
        """End it as service managers do; return its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=30)


@contextmanager
def serving(folder, model, app=APP):
    """Serve a model while a block runs."""
    server = Server(folder, model, app)
    try:
        server.wait()
        yield server
    finally:
        if server.process.poll() is None:
            server.process.kill()
            server.process.wait()
