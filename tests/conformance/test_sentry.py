"""Sentry's SDK for Python, unmodified, and captured envelopes: events become items, with their frames, people and traces."""

import gzip
import json
import subprocess
import sys
from pathlib import Path

import pytest
import requests
from conftest import make_key
from test_rollbar_items import Project

CAPTURED = json.loads((Path(__file__).parent / "data" / "sentry" / "sentry_sdk_envelopes.json").read_text())
KEY = "0123456789abcdef0123456789abcdef"
SCRIPT = """
import sentry_sdk
sentry_sdk.init(dsn=%r, environment="staging", release="1.0.3", send_default_pii=True, traces_sample_rate=1.0, auto_session_tracking=True)
sentry_sdk.set_user({"id": "7", "username": "anna"})
sentry_sdk.set_tag("shop", "north")
with sentry_sdk.start_transaction(name="checkout") as transaction:
    print(transaction.trace_id)
    try:
        try:
            {}["a"]
        except KeyError as error:
            raise ValueError("no cart 17") from error
    except ValueError:
        sentry_sdk.capture_exception()
sentry_sdk.capture_message("Hello World!", level="warning")
sentry_sdk.flush()
"""


@pytest.fixture
def project(server):
    return Project(server)


def send(server, body, path="/api/1/envelope/", **headers):
    return requests.post(server.url(path), data=body, headers=headers, timeout=30)


def test_the_sdk_reports_exceptions_and_messages(project):
    host = project.server.addresses["http"]
    done = subprocess.run([sys.executable, "-c", SCRIPT % f"http://{KEY}@{host}/100001"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    items = {item["title"]: item for item in project.items()}
    assert items.keys() == {"ValueError: no cart 17", "Hello World!"}
    assert (items["Hello World!"]["level"], items["Hello World!"]["environment"]) == ("warning", "staging")
    (occurrence,) = project.occurrences(items["ValueError: no cart 17"])
    data = occurrence["data"]
    assert [one["exception"]["class"] for one in data["body"]["trace_chain"]] == ["ValueError", "KeyError"]
    assert (data["person"]["id"], data["custom"]["tags"]["shop"], data["code_version"]) == ("7", "north", "1.0.3")
    assert occurrence["trace_id"] == done.stdout.split()[0]
    metrics = project.server.get("/metrics").text
    assert 'door="sentry",reason="transaction"' in metrics


def test_captured_envelopes_are_answered(project):
    for captured in CAPTURED:
        headers = {name: value for name, value in captured["headers"] if name in ("Content-Type", "X-Sentry-Auth", "User-Agent")}
        answer = send(project.server, gzip.compress(captured["envelope_text"].encode()), captured["target"], **headers, **{"Content-Encoding": "gzip"})
        assert answer.status_code == 200 and answer.headers["Access-Control-Allow-Origin"] == "*", answer.text
    assert project.items()


def test_the_key_stands_in_header_address_or_dsn(start):
    server = start("--auth", "required")
    token = make_key(server, "shop", "rollbar")
    project = Project(server, token)
    # The first project of the first environment that asks.
    project.items()
    own = 100001
    event = json.dumps({"message": "hello"})
    envelope = "{}\n" + '{"type":"event"}\n' + event + "\n"
    dsn = json.dumps({"dsn": f"http://{token}@host/1"}) + envelope[2:]
    path = f"/api/{own}/envelope/"
    for body, where, headers in [
        (envelope, path, {"X-Sentry-Auth": f"Sentry sentry_version=7, sentry_key={token}"}), (envelope, f"{path}?sentry_key={token}", {}),
        (dsn, path, {}), (event, f"/api/{own}/store/", {"X-Sentry-Auth": f"Sentry sentry_key={token}"}),
    ]:
        answer = send(server, body, where, **headers)
        assert answer.status_code == 200 and answer.json()["id"], answer.text
    assert project.only_item()["total_occurrences"] == 4
    for where, status, detail in [
        (path, 403, "missing authorization information"), (f"{path}?sentry_key={'f' * 32}", 403, "bad sentry DSN public key"),
        (f"/api/9/envelope/?sentry_key={token}", 403, "event submission rejected with_reason: ProjectId"),
    ]:
        answer = send(server, envelope, where)
        assert (answer.status_code, answer.json()["detail"]) == (status, detail), answer.text


def test_damaged_envelopes_are_refused_and_the_rest_is_kept(project):
    event = '{"type":"event"}\n{"message":"kept"}\n'
    for body, status in [("", 400), ("odd", 400), ("{}\nodd", 400), ("{}\n" + event + "odd", 200), ("{}\n" + '{"type":"event"}\n{\n' + event, 200),
                         ("{}\n" + '{"type":"event","length":9}\n{}', 400)]:
        assert send(project.server, body).status_code == status, body
    assert send(project.server, b"x", **{"Content-Encoding": "gzip"}).status_code == 400
    large = "{}\n" + '{"type":"event"}\n' + json.dumps({"message": "x" * (2 << 20)}) + "\n" + event
    assert send(project.server, large).status_code == 200
    item = project.only_item()
    assert (item["title"], item["total_occurrences"]) == ("kept", 3)
    reasons = {one["reason"] for one in project.get(f"/api/1/project/{item['project_id']}/rejected")}
    assert {"event exceeded size limits", "the envelope could not be read to its end"} <= reasons


def test_fingerprints_of_events(project):
    for fingerprint, message in [(["{{ default }}"], "a"), (["{{ default }}", "x"], "a"), (["own"], "b"), (["own"], "c"), (None, "a")]:
        send(project.server, json.dumps({"message": message, "fingerprint": fingerprint}), "/api/1/store/")
    assert sorted(item["total_occurrences"] for item in project.items()) == [1, 2, 2]
