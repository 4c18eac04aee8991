"""Honeycomb's API as its clients use it: libhoney's events, a saved query, its result, and what keys may not do."""

import time

import libhoney
import pytest
import requests
from conftest import Server, make_key

KEY = "any-key-will-do-in-open-mode"


def call(server, method, path, body=None, key=KEY):
    return requests.request(method, server.url(path), json=body, headers={"X-Honeycomb-Team": key}, timeout=30)


def result(server, dataset, spec, key=KEY):
    query = call(server, "POST", f"/1/queries/{dataset}", spec, key)
    assert query.status_code == 200, query.text
    made = call(server, "POST", f"/1/query_results/{dataset}", {"query_id": query.json()["id"]}, key)
    assert made.status_code == 201, made.text
    deadline = time.monotonic() + 30
    while True:
        found = call(server, "GET", f"/1/query_results/{dataset}/{made.json()['id']}", key=key).json()
        if found["complete"]:
            return found
        assert time.monotonic() < deadline
        time.sleep(0.05)


def send(server, dataset, count, key=KEY):
    client = libhoney.Client(writekey=key, dataset=dataset, api_host=server.url(""))
    for number in range(count):
        event = client.new_event()
        event.add({"user.id": f"user-{number % 7}", "duration_ms": number * 1.5, "name": "request", "ok": number % 2 == 0})
        event.send()
    client.close()
    answers = [client.responses().get(timeout=10) for _ in range(count)]
    assert {answer["status_code"] for answer in answers} == {202}


def test_events_of_libhoney_are_asked_through_a_saved_query(server):
    send(server, "My Shop", 40)
    spec = {"calculations": [{"op": "COUNT"}, {"op": "COUNT_DISTINCT", "column": "user.id"},
                             {"op": "MAX", "column": "duration_ms"}], "time_range": 3600}
    found = result(server, "my-shop", spec)
    assert found["data"]["results"] == [{"data": {"COUNT": 40, "COUNT_DISTINCT(user.id)": 7, "MAX(duration_ms)": 58.5}}]
    assert found["links"]["query_url"] and found["data"]["series"]

    query = call(server, "POST", "/1/queries/my-shop", spec).json()
    note = call(server, "POST", "/1/query_annotations/my-shop", {"name": "slowest", "query_id": query["id"]})
    assert note.status_code == 201
    assert [entry["name"] for entry in call(server, "GET", "/1/query_annotations/my-shop").json()] == ["slowest"]

    columns = {column["key_name"]: column["type"] for column in call(server, "GET", "/1/columns/my-shop").json()}
    assert columns["user.id"] == "string" and columns["duration_ms"] == "float" and columns["ok"] == "boolean"


def test_a_wrong_specification_is_refused_with_the_field(server):
    send(server, "shop", 1)
    answer = call(server, "POST", "/1/queries/shop", {"calculations": [{"op": "MEDIAN", "column": "x"}]})
    assert answer.status_code in (400, 422) and "op" in answer.text
    assert answer.headers["Content-Type"].startswith("application/problem+json")


def test_an_empty_batch_is_a_client_error(server):
    assert call(server, "POST", "/1/batch/shop", []).status_code == 400


@pytest.fixture
def locked(tmp_path):
    running = Server(tmp_path, "--auth", "required")
    yield running
    running.stop()


def test_keys_open_their_own_environment_only(locked):
    ingest = make_key(locked, "production", "ingest")
    ours = make_key(locked, "production", "configuration")
    theirs = make_key(locked, "staging", "configuration")
    send(locked, "shop", 10, ingest)
    send(locked, "shop", 3, theirs)
    count = {"calculations": [{"op": "COUNT"}], "time_range": 3600}
    assert result(locked, "shop", count, ours)["data"]["results"][0]["data"]["COUNT"] == 10
    assert result(locked, "shop", count, theirs)["data"]["results"][0]["data"]["COUNT"] == 3
    assert call(locked, "POST", "/1/queries/shop", count, "wrong").status_code == 401
    assert call(locked, "POST", "/1/queries/shop", count, ingest).status_code in (401, 403)
    assert requests.get(locked.url("/api/v1/services"), timeout=10).status_code == 401
    assert requests.post(locked.url("/v1/traces", "otlp_http"), data=b"", timeout=10,
                         headers={"Content-Type": "application/x-protobuf"}).status_code == 401
