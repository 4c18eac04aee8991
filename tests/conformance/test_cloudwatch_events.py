"""What is written to CloudWatch Logs and read back through boto3: byte for byte, in order, a page at a time, within the
vendor's limits and in the vendor's words."""

import gzip
import json
import random
import zlib

import pytest
import requests
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from cloudwatch import (CONTENT_TYPE, EVENT_OVERHEAD_BYTES, MESSAGE_BYTES_MAX, REGION, check, client, fresh, invalid, messages, missing,
                        now_ms, put, refused)
from conftest import Server, make_key
from test_xray_ingest import make_aws_key

HOUR = 3600 * 1000
NO_GROUP = "The specified log group does not exist."
NO_STREAM = "The specified log stream does not exist."
BAD_TOKEN = "The specified nextToken is invalid."


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    running = Server(tmp_path_factory.mktemp("cloudwatch-events"))
    yield running
    running.stop()


@pytest.fixture(scope="module")
def logs(server):
    return client(server)


def everything(logs, group, **more):
    """All that FilterLogEvents finds, page after page; pages may be empty."""
    pages = logs.get_paginator("filter_log_events").paginate(logGroupName=group, **more)
    return [event for page in pages for event in page["events"]]


def test_a_message_comes_back_byte_for_byte(logs):
    group = fresh(logs)
    wanted = ["plain", " spaces \t", '{"a": 1,  "b":[1,2]}', "zwei\nZeilen\r\n", "日本語 \U0001f600 é", '"quoted" \\ back', "\u0000\u0001", "{", "x" * 300_000]
    before = now_ms()
    answer = put(logs, group, wanted)
    assert answer["nextSequenceToken"] and "rejectedLogEventsInfo" not in answer
    events = logs.get_log_events(logGroupName=group, logStreamName="stream", startFromHead=True)["events"]
    assert [event["message"] for event in events] == wanted
    assert len({event["ingestionTime"] for event in events}) == 1 and before <= events[0]["ingestionTime"] <= now_ms()
    assert all(set(event) == {"timestamp", "message", "ingestionTime"} for event in events)
    found = everything(logs, group)
    assert [event["message"] for event in found] == wanted
    assert all(set(event) == {"logStreamName", "timestamp", "message", "ingestionTime", "eventId"} for event in found)
    assert len({event["eventId"] for event in found}) == len(wanted) and all(len(event["eventId"]) == 56 for event in found)


def test_events_are_read_in_order_both_ways(logs):
    group = fresh(logs)
    at = now_ms() - 1000
    put(logs, group, [(at + 10, "c"), (at + 20, "d")])
    put(logs, group, [(at, "a"), (at + 10, "late c"), (at + 30, "e")])
    wanted = ["a", "c", "late c", "d", "e"]
    ask = dict(logGroupName=group, logStreamName="stream")
    assert messages(logs.get_log_events(**ask, startFromHead=True)) == wanted
    # The newest page first, and within a page the oldest first.
    newest = logs.get_log_events(**ask, limit=2)
    assert messages(newest) == ["d", "e"]
    older = logs.get_log_events(**ask, limit=2, nextToken=newest["nextBackwardToken"])
    assert messages(older) == ["c", "late c"]
    oldest = logs.get_log_events(**ask, limit=2, nextToken=older["nextBackwardToken"])
    assert messages(oldest) == ["a"]
    end = logs.get_log_events(**ask, limit=2, nextToken=oldest["nextBackwardToken"])
    assert messages(end) == [] and end["nextBackwardToken"] == oldest["nextBackwardToken"]
    forward = logs.get_log_events(**ask, limit=2, nextToken=older["nextForwardToken"])
    assert messages(forward) == ["d", "e"]
    # The end of the stream: the token that was sent comes back, and what arrives later is behind it.
    end = logs.get_log_events(**ask, nextToken=forward["nextForwardToken"])
    assert messages(end) == [] and end["nextForwardToken"] == forward["nextForwardToken"]
    put(logs, group, [(at + 40, "f")])
    assert messages(logs.get_log_events(**ask, nextToken=end["nextForwardToken"])) == ["f"]
    for token in (newest["nextForwardToken"], newest["nextBackwardToken"]):
        direction, place = token.split("/")
        assert direction in "fb" and place.isdigit() and len(place) == 56


def test_get_excludes_the_end_and_filter_includes_it(logs):
    group = fresh(logs)
    at = now_ms() - 1000
    put(logs, group, ["a", "b", "c"], at=at)
    got = logs.get_log_events(logGroupName=group, logStreamName="stream", startTime=at + 1, endTime=at + 2)
    assert messages(got) == ["b"]
    assert messages(logs.filter_log_events(logGroupName=group, startTime=at + 1, endTime=at + 2)) == ["b", "c"]
    assert messages(logs.filter_log_events(logGroupName=group, startTime=at + 2)) == ["c"]
    assert messages(logs.filter_log_events(logGroupName=group, endTime=at)) == ["a"]


def test_filter_reads_some_streams_or_all_in_one_order(logs):
    group = fresh(logs, stream=None)
    at = now_ms() - 1000
    for stream in ("web/1", "web/2", "job"):
        logs.create_log_stream(logGroupName=group, logStreamName=stream)
    for number, stream in enumerate(["web/1", "job", "web/2", "web/1", "web/2", "job"]):
        put(logs, group, [(at + number, f"{number} {stream}")], stream=stream)
    wanted = ["0 web/1", "1 job", "2 web/2", "3 web/1", "4 web/2", "5 job"]
    answer = logs.filter_log_events(logGroupName=group, interleaved=True)
    assert messages(answer) == wanted and answer["searchedLogStreams"] == [] and "nextToken" not in answer
    assert messages(logs.filter_log_events(logGroupName=group, logStreamNames=["job", "web/2"])) == [wanted[1], wanted[2], wanted[4], wanted[5]]
    assert messages(logs.filter_log_events(logGroupName=group, logStreamNamePrefix="web/")) == [wanted[0], wanted[2], wanted[3], wanted[4]]
    assert messages(logs.filter_log_events(logGroupName=group, startFromHead=False, startTime=at)) == wanted[::-1]
    paged = everything(logs, group, PaginationConfig={"PageSize": 2})
    assert [event["message"] for event in paged] == wanted
    # The ids are the same whenever and however the events are read.
    ids = {event["message"]: event["eventId"] for event in paged}
    assert all(event["eventId"] == ids[event["message"]] for event in answer["events"])
    invalid(logs.filter_log_events, logGroupName=group, logStreamNames=["job"], logStreamNamePrefix="web")
    missing(logs.filter_log_events, logGroupName=group, logStreamNames=["nothing"])
    invalid(logs.filter_log_events, BAD_TOKEN, logGroupName=group, nextToken="made up")
    missing(logs.filter_log_events, NO_GROUP, logGroupName="nobody")
    refused("ValidationException", logs.filter_log_events, logGroupName=group, logGroupIdentifier=group)


def test_a_pattern_chooses_events_and_a_bad_one_is_refused(logs):
    group = fresh(logs)
    put(logs, group, ["ERROR timeout", "INFO fine", "error lower", '{"status": 500, "user": {"id": "u1"}}', '{"status": 200}',
                      '127.0.0.1 - frank [10/Oct/2000:13:25:15 -0700] "GET /index.html HTTP/1.0" 404 1534'])
    for pattern, wanted in [
        ("", 6), (" ", 6), ("ERROR", 1), ("?ERROR ?INFO", 2), ("-ERROR", 5), ('"RROR time"', 1), ("%[Ee]rror|ERROR%", 2),
        ("{ $.status = 500 }", 1), ("{ $.status >= 200 }", 2), ('{ $.user.id = "u*" }', 1), ("{ $.user.id NOT EXISTS }", 1),
        ("[ip, id, user, time, request, status = 4*, bytes]", 1), ("[ip, ..., bytes > 2000]", 0),
    ]:
        found = everything(logs, group, filterPattern=pattern)
        assert len(found) == wanted, (pattern, [event["message"] for event in found])
    for pattern in ("{ $.a = ", "[a, b", "%unclosed", '"unclosed', "x" * 1025):
        invalid(logs.filter_log_events, logGroupName=group, filterPattern=pattern)


def test_pages_hold_a_megabyte_at_most(logs):
    group = fresh(logs)
    chance = random.Random(1)
    wanted = []
    for _ in range(3):
        batch = [f"{chance.random()} " + "x" * 99_000 for _ in range(10)]
        put(logs, group, batch, at=now_ms() + len(wanted))
        wanted += batch
    page = logs.filter_log_events(logGroupName=group)
    assert page["nextToken"] and sum(len(message) for message in messages(page)) <= MESSAGE_BYTES_MAX
    assert [event["message"] for event in everything(logs, group)] == wanted
    read, token = [], {}
    while True:
        answer = logs.get_log_events(logGroupName=group, logStreamName="stream", startFromHead=True, **token)
        assert sum(len(message) for message in messages(answer)) <= MESSAGE_BYTES_MAX
        if not answer["events"]:
            break
        read += messages(answer)
        token = {"nextToken": answer["nextForwardToken"]}
    assert read == wanted


def test_the_limits_of_a_batch(logs):
    group = fresh(logs)
    call = dict(logGroupName=group, logStreamName="stream")
    at = now_ms()

    def event(message="m", after=0):
        return {"timestamp": at + after, "message": message}

    logs.put_log_events(**call, logEvents=[event("x" * (MESSAGE_BYTES_MAX - EVENT_OVERHEAD_BYTES))])
    logs.put_log_events(**call, logEvents=[event()] * 10_000)
    for batch in ([], [event()] * 10_001, [event("x" * (MESSAGE_BYTES_MAX - EVENT_OVERHEAD_BYTES + 1))],
                  [event("é" * 300_000)] * 2, [event("")], [{"message": "m"}], [{"timestamp": at}],
                  [{"timestamp": -1, "message": "m"}], [{"timestamp": "now", "message": "m"}], [event(), event(after=24 * HOUR + 1)]):
        with pytest.raises(logs.exceptions.ClientError) as caught:
            logs.put_log_events(**call, logEvents=batch)
        assert caught.value.response["Error"]["Code"] in ("InvalidParameterException", "SerializationException"), caught.value
    invalid(logs.put_log_events, "Log events in a single PutLogEvents request must be in chronological order.", **call,
            logEvents=[event(after=1), event()])
    missing(logs.put_log_events, NO_GROUP, logGroupName="nobody", logStreamName="stream", logEvents=[event()])
    missing(logs.put_log_events, NO_STREAM, logGroupName=group, logStreamName="nothing", logEvents=[event()])
    assert len(everything(logs, group)) == 10_001


def test_events_outside_the_window_are_left_out_one_by_one(logs):
    group = fresh(logs)
    at = now_ms()
    old = 14 * 24 * HOUR
    answer = put(logs, group, [(at - old - 2 * HOUR, "old"), (at - old - HOUR, "old too"), (at - old + HOUR, "kept")])
    assert answer["rejectedLogEventsInfo"] == {"tooOldLogEventEndIndex": 2} and answer["nextSequenceToken"]
    answer = put(logs, group, [(at, "now"), (at + 2 * HOUR + 60_000, "ahead")])
    assert answer["rejectedLogEventsInfo"] == {"tooNewLogEventStartIndex": 1}
    answer = put(logs, group, [(at + HOUR, "soon")])
    assert "rejectedLogEventsInfo" not in answer
    assert [event["message"] for event in everything(logs, group)] == ["kept", "now", "soon"]


def test_sequence_tokens_are_taken_and_not_looked_at(logs):
    group = fresh(logs)
    first = put(logs, group, ["one"])["nextSequenceToken"]
    for token in (first, first, "made up"):
        assert put(logs, group, ["again"], sequenceToken=token)["nextSequenceToken"]
    assert len(everything(logs, group)) == 4


def test_bodies_may_be_compressed_and_utf_8(server, logs):
    group = fresh(logs)
    for encoding, pack in (("gzip", gzip.compress), ("deflate", zlib.compress)):
        body = json.dumps({"logGroupName": group, "logStreamName": "stream", "logEvents": [{"timestamp": now_ms(), "message": f"ü {encoding}"}]},
                          ensure_ascii=False).encode()
        answer = requests.post(server.url("/"), data=pack(body), timeout=30, headers={
            "content-type": CONTENT_TYPE, "X-Amz-Target": "Logs_20140328.PutLogEvents", "content-encoding": encoding,
            "x-amzn-logs-format": "json/emf", "x-amz-date": "20261123T000000Z",
            "authorization": f"AWS4-HMAC-SHA256 Credential=any/20261123/{REGION}/logs/aws4_request, SignedHeaders=host, Signature=0"})
        assert answer.status_code == 200 and answer.json()["nextSequenceToken"], answer.text
        assert answer.headers["x-amzn-requestid"] and answer.headers["content-type"] == CONTENT_TYPE
    assert [event["message"] for event in everything(logs, group)] == ["ü gzip", "ü deflate"]


def test_other_questions_are_asked_of_the_same_rows(server, logs):
    """A group is a dataset; the leaves of JSON messages are its columns."""
    group = fresh(logs, "rows")
    put(logs, group, [json.dumps({"status": status, "user": {"id": f"u{status}"}, "ok": status < 400}) for status in (200, 200, 500)])
    rows = server.rows({"time_range": 3600, "calculations": [{"op": "COUNT"}], "breakdowns": ["status"], "orders": [{"column": "status"}]}, group)
    assert [(row["status"], row["COUNT"]) for row in rows] == [(200, 2), (500, 1)]
    rows = server.rows({"time_range": 3600, "calculations": [{"op": "COUNT"}], "filters": [{"column": "user.id", "op": "=", "value": "u500"}]}, group)
    assert rows[0]["COUNT"] == 1


@pytest.mark.parametrize("message", [
    '{{"message": "paid", "trace_id": "{hex}"}}', "END RequestId: 1 XRAY TraceId: 1-{head}-{tail} Sampled: true",
    "handled Root=1-{head}-{tail};Sampled=1", "INFO paid trace_id={hex} span_id=00f067aa0ba902b7", "traceparent 00-{hex}-00f067aa0ba902b7-01",
])
def test_a_message_that_names_a_trace_is_found_by_it(server, logs, message):
    group = fresh(logs, "traced")
    trace = f"{now_ms() // 1000:08x}{random.getrandbits(96):024x}"
    put(logs, group, [message.format(hex=trace, head=trace[:8], tail=trace[8:]), "another"])
    spec = {"time_range": 3600, "calculations": [{"op": "COUNT"}], "filters": [{"column": "trace.trace_id", "op": "=", "value": trace}]}
    assert server.rows(spec, group)[0]["COUNT"] == 1


def test_keys_open_their_environment_and_signatures_are_verified(tmp_path):
    server = Server(tmp_path, "--auth", "required")
    try:
        ours, other = make_aws_key(server, "prod"), make_aws_key(server, "other")
        reader = make_key(server, "prod", "configuration")
        logs = client(server, key_id=ours["access_key_id"], secret=ours["secret_access_key"])
        logs.create_log_group(logGroupName="cruddur")
        logs.create_log_stream(logGroupName="cruddur", logStreamName="stream")
        put(logs, "cruddur", ["a secret é"])
        assert messages(logs.filter_log_events(logGroupName="cruddur")) == ["a secret é"]
        count = server.query({"time_range": 3600, "calculations": [{"op": "COUNT"}]}, "cruddur", headers={"Authorization": f"Bearer {reader}"})
        assert count["results"][0]["data"]["COUNT"] == 1
        strangers = client(server, key_id=other["access_key_id"], secret=other["secret_access_key"])
        assert strangers.describe_log_groups()["logGroups"] == []
        missing(strangers.filter_log_events, NO_GROUP, logGroupName="cruddur")
        for key_id, secret, code in [
            (ours["access_key_id"], other["secret_access_key"], "InvalidSignatureException"),
            ("AKIAABCDEFGHIJKLMNOP", other["secret_access_key"], "UnrecognizedClientException"),
        ]:
            stranger = client(server, key_id=key_id, secret=secret)
            stranger.meta.events.unregister("after-call.logs.*", check)
            with pytest.raises(stranger.exceptions.ClientError) as caught:
                stranger.describe_log_groups()
            assert caught.value.response["Error"]["Code"] == code
    finally:
        server.stop()


def test_a_body_that_was_changed_after_signing_is_refused(tmp_path):
    server = Server(tmp_path, "--auth", "required")
    try:
        made = make_aws_key(server, "prod")
        request = AWSRequest("POST", server.url("/"), data=b'{"limit": 1}', headers={
            "content-type": CONTENT_TYPE, "x-amz-target": "Logs_20140328.DescribeLogGroups"})
        SigV4Auth(Credentials(made["access_key_id"], made["secret_access_key"]), "logs", REGION).add_auth(request)
        for body, status in ((b'{"limit": 1}', 200), (b'{"limit": 2}', 400)):
            answer = requests.post(server.url("/"), data=body, headers=dict(request.headers), timeout=30)
            assert answer.status_code in ((status,) if status == 200 else (400, 403)), answer.text
    finally:
        server.stop()
