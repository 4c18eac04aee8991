"""Rollbar's front door: what its real SDK sends, captured payloads of the others, the many ways in, and what is refused."""

import gzip
import json
import logging
import subprocess
import sys
import time
import urllib.parse
import uuid
from pathlib import Path

import pytest
import requests
from conftest import Server, make_key

FIXTURES = Path(__file__).parent / "data" / "rollbar"
TOKEN = "0123456789abcdef0123456789abcdef"
MESSAGE = {"environment": "production", "level": "warning", "body": {"message": {"body": "Hello World!"}}}
RATES = ("X-Rate-Limit-Limit", "X-Rate-Limit-Remaining", "X-Rate-Limit-Remaining-Seconds", "X-Rate-Limit-Reset")


class Project:
    """Rollbar's API with a token."""

    def __init__(self, server, token=TOKEN):
        self.server, self.token = server, token

    def call(self, method, path, **more):
        headers = {"X-Rollbar-Access-Token": self.token} | more.pop("headers", {})
        answer = requests.request(method, self.server.url(path), headers=headers, timeout=30, **more)
        assert answer.headers["Access-Control-Allow-Origin"] == "*", answer.headers
        assert all(name in answer.headers for name in RATES), answer.headers
        body = answer.json()
        assert body["err"] == (0 if answer.status_code < 400 else 1), body
        return answer

    def get(self, path, **parameters):
        answer = self.call("GET", path, params=parameters)
        assert answer.status_code == 200, answer.text
        return answer.json()["result"]

    def post(self, data, path="/api/1/item/"):
        answer = self.call("POST", path, json={"data": data})
        assert answer.status_code == 200, answer.text
        return answer.json()["result"]

    def items(self, **parameters):
        return self.get("/api/1/items/", **parameters)["items"]

    def only_item(self):
        (item,) = self.items()
        return item

    def occurrences(self, item):
        return self.get(f"/api/1/item/{item['id']}/instances")["instances"]

    def refused(self, status, message, method, path, **more):
        answer = self.call(method, path, **more)
        assert (answer.status_code, answer.json()["message"]) == (status, message), answer.text


@pytest.fixture
def project(server):
    return Project(server)


def trace(place="cart.py", method="total", error="KeyError", message="'a'"):
    frame = {"filename": f"/srv/shop/{place}", "lineno": 7, "method": method}
    return {"trace": {"frames": [frame], "exception": {"class": error, "message": message}}}


def test_pyrollbar_reports_messages_and_exceptions(project, tmp_path):
    script = f"""
import rollbar
rollbar.init({TOKEN!r}, "staging", endpoint={project.server.url("/api/1/")!r}, handler="blocking", root="/srv/shop", code_version="1.2.0")
rollbar.report_message("Hello World!", "warning", extra_data={{"cart": 3}})
try:
    try:
        {{}}["a"]
    except KeyError as error:
        raise ValueError("no cart 17") from error
except ValueError:
    rollbar.report_exc_info()
rollbar.wait()
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    error, message = sorted(project.items(), key=lambda item: item["level"])
    assert (message["title"], message["level"], message["environment"], message["status"]) == ("Hello World!", "warning", "staging", "active")
    assert (error["title"], error["level"], error["total_occurrences"]) == ("ValueError: no cart 17", "error", 1)
    (occurrence,) = project.occurrences(error)
    chain = occurrence["data"]["body"]["trace_chain"]
    assert [one["exception"]["class"] for one in chain] == ["ValueError", "KeyError"]
    assert occurrence["data"]["notifier"]["name"] == "pyrollbar" and occurrence["data"]["code_version"] == "1.2.0"
    assert project.get("/api/1/versions/1.2.0", environment="staging")["item_stats"]["new"]["error"] == 1
    assert project.occurrences(message)[0]["data"]["custom"] == {"cart": 3}


@pytest.mark.parametrize("path", sorted(FIXTURES.glob("*.json")), ids=lambda path: path.stem)
def test_captured_items_come_back_as_they_were(project, path):
    captured = json.loads(path.read_text())
    sent = [one for one in (captured if isinstance(captured, list) else [captured])
            if one["method"] == "POST" and one["target"].rstrip("/").endswith("/item") and one.get("body_json")]
    assert sent
    for one in sent:
        headers = {name: value for name, value in one["headers"] if name.lower() in ("content-type", "x-rollbar-access-token", "user-agent")}
        body = one["body_json"]
        answer = requests.post(project.server.url("/api/1/item/"), data=json.dumps(body), headers=headers, timeout=30)
        assert answer.status_code == 200, answer.text
        wanted = body["data"]
        identity = answer.json()["result"]["uuid"]
        assert identity == wanted.get("uuid", identity)
        got = project.get(f"/api/1/instance/{identity}")["data"]
        for name in wanted.keys() - {"timestamp", "metadata"}:
            assert got[name] == wanted[name], name
        assert got["metadata"]["customer_timestamp"] == wanted.get("timestamp")


def test_every_way_in(project):
    server = project.server
    body = lambda: json.dumps({"data": MESSAGE | {"uuid": str(uuid.uuid4())}})
    token = {"X-Rollbar-Access-Token": TOKEN}
    with_token = lambda: json.dumps({"access_token": TOKEN, "data": MESSAGE})
    form = lambda: urllib.parse.urlencode({"payload": with_token()})
    ways = [
        ("/api/1/item/", body(), token), ("/api/1/item", body(), token), ("/api/item/", body(), token), ("/api/item", body(), token),
        ("/api/1/item/", with_token(), {}), (f"/api/1/item/?access_token={TOKEN}", body(), {}),
        ("/api/1/item/", body(), token | {"Content-Type": "application/x-www-form-urlencoded"}),
        ("/api/1/item/", form(), {"Content-Type": "text/plain"}),
        ("/api/1/item/", gzip.compress(body().encode()), token | {"Content-Encoding": "gzip"}),
        ("/api/1/item/", json.dumps({"data": json.dumps(MESSAGE)}), token),
    ]
    for path, data, headers in ways:
        answer = requests.post(server.url(path), data=data, headers=headers, timeout=30)
        assert answer.status_code == 200 and answer.json()["result"]["id"] is None and answer.json()["result"]["uuid"], (path, answer.text)
    assert project.only_item()["total_occurrences"] == len(ways)
    # A target in absolute form, as clients behind a proxy setting send it.
    import socket
    address = server.addresses["http"]
    with socket.create_connection(address.rsplit(":", 1)) as connection:
        text = body()
        connection.sendall(f"POST https://api.rollbar.com/api/1/item/ HTTP/1.1\r\nHost: api.rollbar.com\r\nX-Rollbar-Access-Token: {TOKEN}\r\n"
                           f"Content-Length: {len(text)}\r\nConnection: close\r\n\r\n{text}".encode())
        said = b"".join(iter(lambda: connection.recv(65536), b""))
    assert said.startswith(b"HTTP/1.1 200"), said
    assert project.get("/api/1/status/ping") == "pong"


def test_browsers_may_post_from_anywhere_and_read_nothing(project):
    server, origin = project.server, {"Origin": "http://shop.example"}
    asked = requests.options(server.url("/api/1/item/"), headers=origin | {
        "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "X-Rollbar-Access-Token,Content-Type"}, timeout=30)
    allowed = {name.strip().lower() for name in asked.headers["Access-Control-Allow-Headers"].split(",")}
    assert asked.status_code == 200 and {"x-rollbar-access-token", "content-type"} <= allowed
    posted = requests.post(server.url("/api/1/item/"), json={"data": MESSAGE}, headers=origin, timeout=30)
    assert posted.status_code == 200 and posted.headers["Access-Control-Allow-Origin"] == "*"
    assert requests.get(server.url("/api/1/items/"), headers=origin, timeout=30).status_code == 403


def test_the_same_uuid_counts_once(project):
    data = MESSAGE | {"uuid": str(uuid.uuid4())}
    for _ in range(3):
        assert project.post(data)["uuid"] == data["uuid"]
    assert project.only_item()["total_occurrences"] == 1


def test_what_is_refused_is_told_and_kept(project):
    body = "data.body must have either a 'trace', 'trace_chain', 'message' or 'crash_report' property, (but not more than one)."
    for data, message in [
        ({"body": {}}, f"Invalid format. {body}"),
        ({"body": {"trace": {"frames": []}}}, "Invalid format. data.body.trace.exception.class is missing and it is required."),
    ]:
        project.refused(422, message, "POST", "/api/1/item/", json={"data": data})
    project.refused(422, "Invalid format. data is missing and it is required.", "POST", "/api/1/item/", json={})
    for raw in (b"", b"{", b"[1]", b"x=y", b"\xff\xfe", b"{" * 500):
        answer = project.call("POST", "/api/1/item/", data=raw)
        assert answer.status_code == 400, answer.text
    answer = project.call("POST", "/api/1/item/", data=b'{"data": "' + b"x" * (9 << 20) + b'"}')
    assert (answer.status_code, answer.json()["message"]) == (413, "request entity too large")
    project.post(MESSAGE)
    own = project.only_item()["project_id"]
    rejected = project.get(f"/api/1/project/{own}/rejected")
    assert rejected[-1]["reason"].endswith(body) and json.loads(rejected[-1]["payload"]) == {"data": {"body": {}}}
    project.refused(422, f"Invalid format. {body}", "POST", "/api/1/item/", json={"access_token": TOKEN, "data": {"body": {}}}, headers={"X-Rollbar-Access-Token": ""})
    newest = project.get(f"/api/1/project/{own}/rejected")[0]
    assert json.loads(newest["payload"])["access_token"] == "***" and TOKEN not in json.dumps(newest)
    metrics = project.server.get("/metrics").text
    assert 'door="rollbar",reason="invalid"' in metrics and 'door="rollbar",reason="too_large"' in metrics


def test_a_large_item_is_cut_and_its_error_kept(project):
    frames = [{"filename": f"/srv/shop/{number}.py", "lineno": number, "method": "f", "locals": {"blob": "x" * 20_000}} for number in range(200)]
    project.post({"environment": "production", "custom": {"note": "y" * 100_000},
                  "body": {"trace": {"frames": frames, "exception": {"class": "MemoryError", "message": "too much"}}}})
    item = project.only_item()
    (occurrence,) = project.occurrences(item)
    data = occurrence["data"]
    assert item["title"] == "MemoryError: too much" and data["metadata"]["truncated"] is True
    assert [frame["lineno"] for frame in data["body"]["trace"]["frames"]] == list(range(200))


def test_errors_are_grouped_by_place_and_survive_a_restart(tmp_path):
    server = Server(tmp_path)
    project = Project(server)
    base = {"environment": "production", "server": {"root": "/srv/shop"}}
    for message in ("'a'", "'b'"):
        project.post(base | {"body": trace(message=message)})
    project.post(base | {"body": trace(method="items")})
    project.post(base | {"environment": "staging", "body": trace()})
    project.post(base | {"body": trace(), "fingerprint": "own", "title": "Own title"})
    counts = lambda: {(item["hash"], item["environment"]): item["total_occurrences"] for item in project.items()}
    found = counts()
    server.process.kill()
    server.process.wait()
    project.server = Server(tmp_path)
    assert counts() == found
    assert sorted(found.values()) == [1, 1, 1, 2] and found["own", "production"] == 1 and "Own title" in [item["title"] for item in project.items()]
    (item,) = [item for item in project.items() if item["total_occurrences"] == 2]
    assert item["grouping"] == {"version": 1, "by": "classes and the application's frames", "parts": ["class KeyError", "cart.py total"]}
    project.server.stop()


def test_rules_of_a_project_group_first(project):
    project.post(MESSAGE)
    own = project.only_item()["project_id"]
    rules = [{"condition": {"path": "body.message.body", "contains": "timeout"}, "fingerprint": "timeouts", "title": "Timeout of {{custom.peer}}"}]
    assert project.call("PUT", f"/api/1/project/{own}/grouping_rules", json=rules).json()["result"]["rules"] == rules
    for text, peer in (("timeout after 5 s", "a"), ("a timeout", "b")):
        project.post({"environment": "production", "body": {"message": {"body": text}}, "custom": {"peer": peer}})
    (item,) = project.items(query="fingerprint:timeouts")
    assert (item["title"], item["total_occurrences"], item["grouping"]["by"]) == ("Timeout of a", 2, "rule 1")
    project.refused(422, "rule 1: fingerprint is missing", "PUT", f"/api/1/project/{own}/grouping_rules", json=[{"condition": {"all": []}}])


def test_in_required_mode_tokens_decide(start):
    server = start("--auth", "required")
    token = make_key(server, "shop", "rollbar")
    assert len(token) == 32 and token.isalnum()
    item, client = make_key(server, "shop", "rollbar", "--scopes", "post_server_item"), make_key(server, "shop", "rollbar", "--scopes", "post_client_item")
    Project(server, token).post(MESSAGE)
    assert Project(server, token).only_item()["title"] == "Hello World!"
    Project(server, "").refused(401, "invalid access token", "POST", "/api/1/item/", json={"data": MESSAGE})
    unknown = "f" * 32
    Project(server, unknown).refused(403, f"access token not found: {unknown}", "POST", "/api/1/item/", json={"data": MESSAGE})
    lacks = "insufficient privileges: {} scope is required but the access token only has {}."
    Project(server, item).refused(403, lacks.format("read", "post_server_item"), "GET", "/api/1/items/")
    Project(server, client).refused(403, lacks.format("post_server_item", "post_client_item"), "POST", "/api/1/item/", json={"data": MESSAGE})
    Project(server, client).post(MESSAGE | {"platform": "browser"})
    other = make_key(server, "other", "rollbar")
    assert Project(server, other).items() == []
    own = Project(server, token).items()[0]
    Project(server, other).refused(404, "Not found", "GET", f"/api/1/item/{own['id']}")
    Project(server, other).refused(404, "Not found", "GET", f"/api/1/instance/{own['last_occurrence_id']}")


def test_errors_of_a_trace_are_found_with_it(project):
    trace_id = "4bf92f3577b34da6a3ce929d0e0e4736"
    project.post({"environment": "production", "body": trace(), "custom": {"trace_id": trace_id}})
    (occurrence,) = project.occurrences(project.only_item())
    assert occurrence["trace_id"] == trace_id
    rows = project.server.rows({"calculations": [{"op": "COUNT"}], "breakdowns": ["exception.type"],
                                "filters": [{"column": "trace.trace_id", "op": "=", "value": trace_id}], "time_range": 3600})
    assert rows == [{"COUNT": 1, "exception.type": "KeyError"}]
