"""A real server for the tests: the spawned binary, on free ports, in a folder of its own."""

import json
import os
import signal
import subprocess
import time

import pytest
import requests


class Server:
    """A running `tracery serve`."""

    def __init__(self, directory, *flags, environment=None):
        self.directory = directory
        ready = directory / "ready.json"
        self.process = subprocess.Popen(
            [
                os.environ["TRACERY_BIN"], "serve", "--data-dir", str(directory / "data"),
                "--http", "127.0.0.1:0", "--otlp-grpc", "127.0.0.1:0", "--otlp-http", "127.0.0.1:0",
                "--xray", "127.0.0.1:0",
                "--ready-file", str(ready), *flags,
            ],
            stderr=open(directory / "tracery.log", "a"), env={**os.environ, **(environment or {})},
        )
        deadline = time.monotonic() + 60
        while not ready.exists():
            assert self.process.poll() is None, (directory / "tracery.log").read_text()
            assert time.monotonic() < deadline, "the server does not get ready"
            time.sleep(0.02)
        self.addresses = json.loads(ready.read_text())
        ready.unlink()

    def url(self, path, door="http"):
        return f"http://{self.addresses[door]}{path}"

    def get(self, path, **kwargs):
        return requests.get(self.url(path), timeout=30, **kwargs)

    def post(self, path, body, **kwargs):
        return requests.post(self.url(path), json=body, timeout=30, **kwargs)

    def query(self, spec, dataset="", **kwargs):
        answer = self.post(f"/api/v1/query?dataset={dataset}", spec, **kwargs)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def rows(self, spec, dataset=""):
        return [row["data"] for row in self.query(spec, dataset)["results"]]

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            assert self.process.wait(timeout=15) == 0
        finally:
            self.process.kill()


def make_key(server, environment, kind, *flags):
    made = subprocess.run(
        [os.environ["TRACERY_BIN"], "keys", "create", "--data-dir", str(server.directory / "data"),
         "--environment", environment, "--kind", kind, *flags],
        check=True, capture_output=True, text=True,
    )
    said = json.loads(made.stdout)
    return said["token"] if kind == "rollbar" else said["key"]


@pytest.fixture
def start(tmp_path):
    """Starts a server with more flags; whatever becomes of the test, it ends with it."""
    started = []

    def start(*flags):
        started.append(Server(tmp_path, *flags))
        return started[-1]

    yield start
    for one in started:
        one.process.kill()
        one.process.wait()


@pytest.fixture
def server(tmp_path):
    running = Server(tmp_path)
    yield running
    running.stop()
