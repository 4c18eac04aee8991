"""What libhoney for Python, unmodified, hears when its events are not taken: its response queue is what applications
log, so status and text have to say what is wrong."""

import libhoney
import pytest
import requests
from conftest import Server, make_key
from test_limits import connect


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    running = Server(tmp_path_factory.mktemp("answers"), "--auth", "required")
    yield running
    running.stop()


def heard(server, key, dataset, *events):
    client = libhoney.Client(writekey=key, dataset=dataset, api_host=server.url(""))
    for fields in events:
        event = client.new_event()
        event.add(fields)
        event.send()
    client.close()
    answers = [client.responses().get(timeout=20) for _ in events]
    return sorted((answer["status_code"], str(answer["error"] or "")) for answer in answers)


def events(server, key, dataset, body):
    return requests.post(server.url(f"/1/batch/{dataset}"), data=body, timeout=30,
                         headers={"X-Honeycomb-Team": key, "Content-Type": "application/json"})


def test_an_unknown_key(server):
    ((status, text),) = heard(server, "nobodys-key", "shop", {"a": 1})
    assert status == 401 and "Unauthorized" in text


def test_a_key_that_may_not_make_the_dataset(server):
    maker = make_key(server, "production", "configuration")
    sender = make_key(server, "production", "ingest", "--scopes", "send_events")
    assert heard(server, maker, "known", {"a": 1}) == [(202, "")]
    assert heard(server, sender, "Known", {"a": 2}) == [(202, "")]
    ((status, text),) = heard(server, sender, "new", {"a": 3})
    assert status == 403 and "Forbidden" in text
    # libhoney keeps the status only; what the server said is for whoever reads the body.
    assert "may not create datasets" in events(server, sender, "new", b'[{"data":{"a":3}}]').json()["error"]


def test_a_key_that_may_not_send(server):
    reader = make_key(server, "production", "configuration", "--scopes", "run_queries")
    assert heard(server, reader, "shop", {"a": 1})[0][0] == 403
    assert "may not send events" in events(server, reader, "shop", b'[{"data":{"a":3}}]').json()["error"]


def test_one_bad_event_among_good_ones(server):
    key = make_key(server, "production", "ingest")
    wide = {f"field {number}": number for number in range(2001)}
    large = {"a": "x" * 1_100_000}
    answers = heard(server, key, "shop", {"a": 1}, wide, large, {"a": 2})
    assert [status for status, _ in answers] == [202, 202, 400, 400]
    assert {text for status, text in answers if status == 400} == {
        "Event has too many columns.", "Request body is too large."}


@pytest.mark.parametrize("body, error", [
    (b"", "Request body should not be empty."), (b"[]", "Request body should not be empty."),
    (b"{", "Request body is malformed and cannot be read."), (b'{"a":1}', "Request body is malformed and cannot be read."),
    (b" " * (21 << 20), "Request body is too large."),
])
def test_a_body_that_cannot_be_taken(server, body, error):
    answer = events(server, make_key(server, "production", "ingest"), "shop", body)
    assert (answer.status_code, answer.json()) == (400, {"error": error})


def test_a_busy_server_says_when_to_come_back(start):
    # An eighth of the memory is for requests. One client holds most of it: its body never ends.
    busy = start("--memory", "64MiB")
    held = connect(busy)
    held.sendall(b"POST /1/batch/shop HTTP/1.1\r\nHost: localhost\r\nX-Honeycomb-Team: any\r\n"
                 b"Content-Type: application/json\r\nContent-Length: 16777216\r\n\r\n[" + b" " * (7 << 20))
    body = b'[{"data":{"a":"' + b"x" * (3 << 19) + b'"}}]'
    answer = eventually(lambda: events(busy, "any", "shop", body), lambda answer: answer.status_code == 429)
    assert answer.json()["error"] == "Request dropped due to rate limiting." and int(answer.headers["Retry-After"]) >= 1
    # libhoney comes back once, as it was told, and then says why it gave up.
    answers = heard(busy, "any", "shop", *[{"a": "x" * 900_000}] * 12)
    assert any("429" in f"{status} {text}" for status, text in answers), answers
    held.close()
    eventually(lambda: events(busy, "any", "shop", b'[{"data":{"a":1}}]'), lambda answer: answer.status_code == 200)


def eventually(ask, wanted, attempts=200):
    """The first answer that is as wanted; the server needs a moment to read what it was sent."""
    for _ in range(attempts):
        answer = ask()
        if wanted(answer):
            return answer
    raise AssertionError(answer.text)
