"""What X-Ray's clients send, from the unmodified clients: the X-Ray SDK for Python over UDP, the AWS distribution of
OpenTelemetry over UDP, and boto3 with signed requests. An address is all they get."""

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import boto3
import pytest
import requests
from botocore.config import Config
from botocore.exceptions import ClientError
from conftest import Server, make_key

PATIENCE_S = 30


def until(question, wanted):
    """UDP has no answer: asks until the answer is as wanted."""
    deadline = time.monotonic() + PATIENCE_S
    while not wanted(answer := question()):
        assert time.monotonic() < deadline, answer
        time.sleep(0.02)
    return answer


def trace_of(server, trace_id):
    return server.get(f"/api/v1/traces/{trace_id.removeprefix('1-').replace('-', '')}").json()


def daemon_address(server):
    return f"udp:{server.addresses['xray_udp']} tcp:{server.addresses['xray_tcp']}"


def client(server, key_id="any", secret="any", region="eu-west-1", door="http"):
    return boto3.client(
        "xray", endpoint_url=server.url("", door), region_name=region, aws_access_key_id=key_id,
        aws_secret_access_key=secret, config=Config(retries={"max_attempts": 1}),
    )


SDK = """
import sys
from aws_xray_sdk.core import xray_recorder
xray_recorder.configure(service="sdk-shop", sampling=False)
for number in range(int(sys.argv[1])):
    with xray_recorder.in_segment("sdk-shop") as segment:
        segment.set_user(f"user-{number % 3}")
        segment.put_annotation("number", number)
        print(segment.trace_id)
        with xray_recorder.in_subsegment("price") as subsegment:
            subsegment.put_metadata("items", [{"sku": "A1"}], "cart")
        if number % 5 == 0:
            try:
                with xray_recorder.in_subsegment("risky"):
                    raise ValueError(f"bad sku {number}")
            except ValueError:
                pass
"""


def test_the_python_sdk_over_udp(server):
    environment = {**os.environ, "AWS_XRAY_DAEMON_ADDRESS": daemon_address(server)}
    sent = subprocess.run([sys.executable, "-c", SDK, "50"], env=environment, check=True, capture_output=True,
                          text=True, timeout=60)
    ids = sent.stdout.split()
    assert len(set(ids)) == 50
    count = {"time_range": 3600, "calculations": [{"op": "COUNT"}], "filters": [{"column": "aws.xray.type", "op": "=", "value": "segment"}]}
    until(lambda: server.rows(count, "sdk-shop"), lambda rows: rows and rows[0]["COUNT"] == 50)
    failed = trace_of(server, ids[5])
    assert [span["name"] for span in failed["spans"]] == ["sdk-shop", "price", "risky"]
    segment, price, risky = failed["spans"]
    assert segment["fields"]["enduser.id"] == "user-2" and segment["fields"]["number"] == 5
    assert json.loads(price["fields"]["aws.xray.metadata.cart"]) == {"items": [{"sku": "A1"}]}
    assert risky["fields"]["aws.xray.fault"] and risky["fields"]["exception.message"] == "bad sku 5"
    (event,) = risky["events"]
    assert event["name"] == "exception" and event["fields"]["exception.type"] == "ValueError"
    assert risky["parent_id"] == segment["span_id"] and segment["parent_id"] is None


def test_streamed_subsegments_join_their_service(server):
    program = """
from aws_xray_sdk.core import xray_recorder
xray_recorder.configure(service="streamer", sampling=False, streaming_threshold=5)
with xray_recorder.in_segment("streamer") as segment:
    print(segment.trace_id)
    for number in range(40):
        with xray_recorder.in_subsegment(f"step-{number}"):
            pass
"""
    environment = {**os.environ, "AWS_XRAY_DAEMON_ADDRESS": daemon_address(server)}
    sent = subprocess.run([sys.executable, "-c", program], env=environment, check=True, capture_output=True, text=True, timeout=60)
    trace = until(lambda: trace_of(server, sent.stdout.strip()), lambda trace: trace.get("span_count") == 41)
    segment = next(span for span in trace["spans"] if span["name"] == "streamer")
    assert {span["parent_id"] for span in trace["spans"]} == {None, segment["span_id"]}


@pytest.mark.skipif("TRACERY_ADOT_PYTHON" not in os.environ, reason="TRACERY_ADOT_PYTHON names no Python with the distribution")
def test_the_opentelemetry_distribution_over_udp(server):
    sent = subprocess.run(
        [os.environ["TRACERY_ADOT_PYTHON"], str(Path(__file__).parent / "adot" / "send.py"), server.addresses["xray_udp"], "20"],
        check=True, capture_output=True, text=True, timeout=120,
    )
    ids = sent.stdout.split()
    assert len(ids) == 20
    count = {"time_range": 3600, "calculations": [{"op": "COUNT"}], "filters": [{"column": "duration_ms", "op": "exists"}]}
    until(lambda: server.rows(count, "adot-shop"), lambda rows: rows and rows[0]["COUNT"] == 40)
    trace = trace_of(server, ids[7])
    assert trace["span_count"] == 2 and trace["spans"][0]["fields"]["number"] == 7
    visits = {"time_range": 3600, "calculations": [{"op": "MAX", "column": "visits"}]}
    until(lambda: server.rows(visits, "adot-shop"), lambda rows: rows and rows[0]["MAX(visits)"] == 20)


def document(**members):
    start = time.time()
    return {"id": "1f3bebbaafbf83e2", "name": "boto", "trace_id": f"1-{int(start):08x}-a10328ac9bad3041624b853e",
            "start_time": start, "end_time": start + 0.5, **members}


def test_boto3_puts_segments_and_hears_what_is_wrong(server):
    good = document()
    answer = client(server).put_trace_segments(
        TraceSegmentDocuments=[json.dumps(good), json.dumps(document(id="bbbbbbbbbbbbbbbb", name="")), "{", json.dumps([good])],
    )
    assert answer["UnprocessedTraceSegments"] == [
        {"Id": "bbbbbbbbbbbbbbbb", "ErrorCode": "InvalidName", "Message": "Invalid segment. ErrorCode: InvalidName"},
        {"ErrorCode": "InvalidSegment", "Message": "Invalid segment. ErrorCode: InvalidSegment"},
    ]
    # Acknowledged is queryable: no waiting here.
    assert trace_of(server, good["trace_id"])["span_count"] >= 1
    reasons = {shown["reason"] for shown in server.get("/api/v1/xray/rejected").json()["rejected"]}
    assert reasons == {"name_invalid", "json_malformed"}
    answer = client(server).put_telemetry_records(TelemetryRecords=[{"Timestamp": time.time(), "SegmentsSentCount": 3}], Hostname="h")
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 200
    counts = server.get("/api/v1/xray/telemetry").json()["records"]
    assert [(record["hostname"], record["sent_count"]) for record in counts] == [("h", 3)]


def test_a_known_key_opens_its_environment_and_nothing_else_does(tmp_path):
    server = Server(tmp_path, "--auth", "required")
    try:
        made = make_aws_key(server, "prod")
        reader = make_key(server, "prod", "configuration")
        signed = client(server, made["access_key_id"], made["secret_access_key"])
        good = document()
        assert signed.put_trace_segments(TraceSegmentDocuments=[json.dumps(good)])["UnprocessedTraceSegments"] == []
        found = server.get(f"/api/v1/traces/{good['trace_id'][2:].replace('-', '')}", headers={"Authorization": f"Bearer {reader}"})
        assert found.json()["span_count"] == 1
        other = make_aws_key(server, "other")
        for key_id, secret, code in [
            (made["access_key_id"], other["secret_access_key"], "InvalidSignatureException"),
            ("AKIAABCDEFGHIJKLMNOP", other["secret_access_key"], "UnrecognizedClientException"),
        ]:
            with pytest.raises(ClientError) as refused:
                client(server, key_id, secret).put_trace_segments(TraceSegmentDocuments=["{}"])
            assert refused.value.response["Error"]["Code"] == code
        # The daemon's port takes made-up keys, as one SDK sends them.
        answer = client(server, "none", "none", door="xray_tcp").put_trace_segments(TraceSegmentDocuments=[json.dumps(good)])
        assert answer["UnprocessedTraceSegments"] == []
    finally:
        server.stop()


def make_aws_key(server, environment):
    made = subprocess.run(
        [os.environ["TRACERY_BIN"], "keys", "create", "--data-dir", str(server.directory / "data"),
         "--environment", environment, "--kind", "aws"],
        check=True, capture_output=True, text=True,
    )
    return json.loads(made.stdout)


def test_what_comes_over_udp_is_written_before_the_server_ends(tmp_path):
    server = Server(tmp_path)
    host, port = server.addresses["xray_udp"].split(":")
    good = document()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.sendto(b'{"format": "JSON", "version": 1}\n' + json.dumps(good).encode(), (host, int(port)))
    server.stop()
    again = Server(tmp_path)
    try:
        assert trace_of(again, good["trace_id"])["span_count"] == 1
    finally:
        again.stop()


def test_the_unsigned_port_answers_only_to_its_own_names(start):
    """A page whose name was rebound to this machine has its own Host."""
    server = start("--auth", "required")
    statuses = {
        host: requests.post(server.url("/GetSamplingRules", "xray_tcp"), "{}", headers={"Host": host}, timeout=10).status_code
        for host in ("localhost:2000", "127.0.0.1", "evil.example:2000")
    }
    assert statuses == {"localhost:2000": 200, "127.0.0.1": 200, "evil.example:2000": 403}
