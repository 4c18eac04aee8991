"""The errors of the sample application, in Rust in the form of Rollbar's SDKs and in Flask through its SDK, unmodified: two
items each, the exception of the broken profile and the message, each occurrence with its trace."""

import json
import os
import subprocess
import sys

from conftest import Server
from test_cruddur_logs import CRUDDUR, EXAMPLE
from test_rollbar_items import Project


def environment(server, endpoint):
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "AWS_", "ROLLBAR_"))}
    return kept | {"OTEL_EXPORTER_OTLP_ENDPOINT": server.url("", "otlp_http"), "ROLLBAR_ENDPOINT": server.url(endpoint)}


def check(project, error_title, exceptions, messages):
    items = {item["title"]: item for item in project.items()}
    assert items.keys() == {error_title, "Hello World!"}
    error, message = items[error_title], items["Hello World!"]
    assert (error["level"], error["total_occurrences"]) == ("error", exceptions)
    assert (message["level"], message["total_occurrences"]) == ("warning", messages)
    for item in (error, message):
        for occurrence in project.occurrences(item):
            trace = project.server.get(f"/api/v1/traces/{occurrence['trace_id']}").json()
            assert trace["span_count"] >= 1, trace


def test_flask(tmp_path):
    server = Server(tmp_path)
    app = subprocess.Popen([sys.executable, "-m", "cruddur", "0"], cwd=EXAMPLE, env=environment(server, "/api/1/"),
                           stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        address = app.stdout.readline().split()[-1]
        traffic = subprocess.run([sys.executable, "traffic.py", address, "60", "7"], cwd=EXAMPLE, check=True, capture_output=True, text=True, timeout=120)
    finally:
        app.terminate()
        assert app.wait(timeout=30) == 0
    visits = [json.loads(line) for line in traffic.stdout.splitlines()]
    exceptions = sum(visit["status"] == 500 for visit in visits)
    messages = sum(visit["path"] == "/rollbar/test" for visit in visits)
    assert exceptions and messages
    project = Project(server)
    check(project, "LedgerError: ledger of @quark does not balance: 17 slips missing", exceptions, messages)
    (error,) = [item for item in project.items() if item["level"] == "error"]
    data = project.occurrences(error)[0]["data"]
    assert data["framework"] == "flask" and data["body"]["trace"]["frames"][-1]["method"] == "of_user"
    assert data["request"]["url"].endswith("/api/activities/@quark") and error["grouping"]["parts"][-1] == "__init__.py of_user"
    server.stop()


def test_rust(tmp_path):
    server = Server(tmp_path)
    played = subprocess.run([CRUDDUR, "--listen", "127.0.0.1:0", "--requests", "400", "--visitors", "1", "--seed", "1"],
                            env=environment(server, "/api/1/item/"), check=True, capture_output=True, text=True, timeout=120)
    assert played.stderr == "", played.stderr
    project = Project(server)
    counts = {item["title"]: item["total_occurrences"] for item in project.items()}
    assert len(counts) == 2 and all(counts.values()), counts
    title = "cruddur::LedgerError: ledger of @quark does not balance: 17 slips missing"
    check(project, title, counts[title], counts["Hello World!"])
    server.stop()
