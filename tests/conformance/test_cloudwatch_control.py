"""CloudWatch Logs as a whole, through boto3: every operation of the vendor's model is asked with garbage, with wrong types
and with values that are too long, and what is not built says so in the vendor's words. Answers are held against the model."""

import json
from pathlib import Path

import pytest
import requests
from cloudwatch import COMMON, CONTENT_TYPE, MODEL, REGION, client, now_ms
from conftest import Server
from vendor_model import fits, long_of

NONSENSE = [b"{", b"\xff\xfe", b"nonsense", b"[1]", b"1", b'"text"', b"[" * 100_000, b'{"a":' * 100_000]
REQUESTS = Path(__file__).parents[2] / "crates" / "aws-wire" / "tests" / "data" / "requests"
COMPAT = Path(__file__).parents[2] / "docs" / "compat" / "cloudwatch-logs.md"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    running = Server(tmp_path_factory.mktemp("cloudwatch-control"))
    logs = client(running)
    logs.create_log_group(logGroupName="garbage")
    yield running
    running.stop()


def asked(server, name, body, **more):
    return requests.post(server.url("/"), data=body, timeout=30, stream=True, headers={
        "content-type": CONTENT_TYPE, "x-amz-target": f"Logs_20140328.{name}", "x-amz-date": "20261123T000000Z",
        "authorization": f"AWS4-HMAC-SHA256 Credential=any/20261123/{REGION}/logs/aws4_request, SignedHeaders=host, Signature=0", **more})


def states():
    """What the page says of each operation."""
    rows = [line.split("|") for line in COMPAT.read_text().splitlines() if line.startswith("| `")]
    return {name.strip().strip("`"): row[2].strip() for row in rows for name in row[1].split(",") if name.strip().strip("`") in MODEL.operation_names}


def test_the_page_names_every_operation():
    assert sorted(states()) == sorted(MODEL.operation_names)


@pytest.mark.parametrize("name", MODEL.operation_names)
def test_garbage_is_refused_in_the_vendors_words(server, name):
    operation = MODEL.operation_model(name)
    members = operation.input_shape.members if operation.input_shape else {}
    required = operation.input_shape.required_members if operation.input_shape else []
    bodies = list(NONSENSE)
    bodies += [json.dumps({member: wrong}).encode() for member in members for wrong in (7, "w", [], [7], {}, {"a": {"b": 1}}, True)]
    bodies += [json.dumps({member: long_of(one)}).encode() for member, one in members.items()]
    bodies.append(b"{}")
    built = not states()[name].startswith("Not there")
    for body in bodies:
        with asked(server, name, body) as answer:
            assert answer.headers["x-amzn-requestid"]
            if answer.status_code == 200:
                assert built and body not in NONSENSE, (body[:100], answer.text[:300])
                if not operation.has_event_stream_output and operation.output_shape:
                    fits(operation.output_shape, answer.json(), name)
                assert all(f'"{member}"'.encode() in body for member in required), (body[:100], answer.text[:300])
                continue
            assert answer.status_code in (400, 413), (body[:100], answer.text[:300])
            said = answer.json()
            assert answer.headers["x-amzn-errortype"] == said["__type"] and answer.headers["content-type"] == CONTENT_TYPE
            errors = {error.name for error in operation.error_shapes} | COMMON
            assert said["__type"] in errors and len(answer.content) < 100_000, said
            # The page says what is built.
            assert built == (said["__type"] != "UnknownOperationException"), said
            if said["__type"] not in ("UnknownOperationException", "RequestEntityTooLargeException"):
                assert isinstance(said["message"], str) and said["message"], said


def test_what_no_operation_is_says_so(server):
    for name in ("Nothing", "", "putlogevents", "Other.PutLogEvents"):
        with asked(server, name, b"{}") as answer:
            assert answer.status_code in (400, 404) and answer.json()["__type"] == "UnknownOperationException", (name, answer.text)


def test_live_tails_hosts_lead_here_too(server):
    """SDKs put a prefix before the name that they were given."""
    port = server.addresses["http"].rsplit(":", 1)[1]
    for host, status in ((f"stream-127.0.0.1:{port}", 200), (f"streaming-localhost:{port}", 200), ("stream-evil.example", 403)):
        with asked(server, "DescribeLogGroups", b"{}", host=host) as answer:
            assert answer.status_code == status, (host, answer.text)


def test_requests_as_clients_sent_them(tmp_path):
    """Captured from unmodified clients, in their order; only the times are moved to now. That the signatures hold is a test
    of the crate that verifies them."""
    server = Server(tmp_path)
    try:
        logs = client(server, region="us-east-1")
        logs.create_log_group(logGroupName="cruddur")
        logs.create_log_group(logGroupName="js")
        logs.create_log_stream(logGroupName="js", logStreamName="s")
        for number, code in ((1, None), (2, "ResourceNotFoundException"), (3, None), (2, None), (4, None), (5, None), (6, None),
                             (7, None), (8, "ResourceNotFoundException")):
            (path,) = REQUESTS.glob(f"0{number}-*.json")
            said = json.loads(path.read_text())["request"]
            request = json.loads(said["body"])
            for event in request.get("logEvents", []):
                event["timestamp"] = now_ms()
            headers = {name: value for name, value in said["headers"].items() if name.lower() not in ("host", "content-length", "connection")}
            body = json.dumps(request, ensure_ascii=False).encode()
            with requests.post(server.url("/"), data=body, headers=headers, timeout=30, stream=True) as answer:
                assert answer.headers["x-amzn-requestid"] and answer.headers["content-type"] == CONTENT_TYPE
                if code:
                    assert (answer.status_code, answer.json()["__type"]) == (400, code), (path.name, answer.text)
                else:
                    assert answer.status_code == 200, (path.name, answer.text)
        found = logs.filter_log_events(logGroupName="cruddur", filterPattern='{ $.user.handle = "andrew" }')["events"]
        assert len(found) == 1 and len(logs.filter_log_events(logGroupName="cruddur")["events"]) == 5
    finally:
        server.stop()
