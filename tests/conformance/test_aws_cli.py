"""The AWS command line, unmodified, from an environment of its own because it pins botocore: `aws xray` and `aws logs`. An
endpoint, a region and any key are all it gets."""

import json
import os
import subprocess
import threading
import time

import pytest
from cloudwatch import client, fresh, put
from conftest import Server

REGION = "eu-west-1"
PATIENCE_S = 30
pytestmark = pytest.mark.skipif("TRACERY_AWSCLI_PYTHON" not in os.environ, reason="TRACERY_AWSCLI_PYTHON names no Python with awscli")


class Cli:
    """`aws` against a server; what it prints, read as JSON."""

    def __init__(self, server, home):
        home.mkdir(exist_ok=True)
        kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        self.environment = {
            **kept, "HOME": str(home), "AWS_ENDPOINT_URL": server.url(""), "AWS_REGION": REGION, "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": "any", "AWS_SECRET_ACCESS_KEY": "any", "AWS_MAX_ATTEMPTS": "1",
            "AWS_DISABLE_HOST_PREFIX_INJECTION": "true", "AWS_PAGER": "", "AWS_EC2_METADATA_DISABLED": "true",
        }

    def command(self, *words):
        program = "import sys; sys.argv[0] = 'aws'; from awscli.clidriver import main; sys.exit(main())"
        return [os.environ["TRACERY_AWSCLI_PYTHON"], "-c", program, *map(str, words)]

    def run(self, *words):
        return subprocess.run(self.command(*words), env=self.environment, capture_output=True, text=True, timeout=60)

    def __call__(self, *words):
        done = self.run(*words, "--output", "json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout) if done.stdout.strip() else None

    def refused(self, code, *words):
        done = self.run(*words)
        assert done.returncode != 0 and f"({code})" in done.stderr, done.stderr


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    running = Server(tmp_path_factory.mktemp("aws-cli"))
    yield running
    running.stop()


@pytest.fixture(scope="module")
def aws(server, tmp_path_factory):
    return Cli(server, tmp_path_factory.mktemp("aws-home"))


def test_xray_from_segments_to_the_map(aws):
    now = time.time()
    trace_id = f"1-{int(now):08x}-a10328ac9bad3041624b853e"
    shop = {"id": "1f3bebbaafbf83e2", "name": "shop", "trace_id": trace_id, "start_time": now - 1, "end_time": now,
            "annotations": {"tier": "gold"}, "http": {"request": {"method": "GET", "url": "http://shop.example/cart"},
                                                        "response": {"status": 500}}, "fault": True,
            "subsegments": [{"id": "2f3bebbaafbf83e2", "name": "stock", "namespace": "remote", "start_time": now - 0.9,
                             "end_time": now - 0.5}]}
    stock = {"id": "3f3bebbaafbf83e2", "name": "stock", "trace_id": trace_id, "parent_id": "2f3bebbaafbf83e2",
             "start_time": now - 0.8, "end_time": now - 0.6}
    answer = aws("xray", "put-trace-segments", "--trace-segment-documents", json.dumps(shop), json.dumps(stock), "{}")
    (refused,) = answer["UnprocessedTraceSegments"]
    assert refused["ErrorCode"] and refused["Message"]

    times = ("--start-time", f"{now - 60:.0f}", "--end-time", f"{now + 60:.0f}")
    found = aws("xray", "get-trace-summaries", *times, "--filter-expression", 'service("shop") { fault } AND annotation[tier] = "gold"')
    (summary,) = found["TraceSummaries"]
    assert summary["Id"] == trace_id and summary["HasFault"] and summary["Http"]["HttpStatus"] == 500
    assert aws("xray", "get-trace-summaries", *times, "--filter-expression", 'service("nobody")')["TraceSummaries"] == []

    other = f"1-{int(now):08x}-ffffffffffffffffffffffff"
    traces = aws("xray", "batch-get-traces", "--trace-ids", trace_id, other)
    assert traces["UnprocessedTraceIds"] == [other]
    (trace,) = traces["Traces"]
    documents = [json.loads(segment["Document"]) for segment in trace["Segments"]]
    assert {document["name"] for document in documents} == {"shop", "stock"}
    assert abs(trace["Duration"] - 1) < 0.01

    graph = aws("xray", "get-service-graph", *times)
    services = {service["Name"]: service for service in graph["Services"] if service.get("Type") != "client"}
    assert set(services) == {"shop", "stock"}
    (edge,) = services["shop"]["Edges"]
    assert edge["ReferenceId"] == services["stock"]["ReferenceId"]
    assert services["shop"]["SummaryStatistics"]["FaultStatistics"]["TotalCount"] == 1


def test_xray_says_what_is_wrong(aws):
    aws.refused("InvalidRequestException", "xray", "get-trace-summaries", "--start-time", "2", "--end-time", "1")
    aws.refused("InvalidRequestException", "xray", "get-group", "--group-name", "nobody")


def test_logs_are_written_found_and_asked(aws):
    at = int(time.time() * 1000)
    aws("logs", "create-log-group", "--log-group-name", "cli")
    aws("logs", "create-log-stream", "--log-group-name", "cli", "--log-stream-name", "one")
    events = [{"timestamp": at, "message": "ERROR é"}, {"timestamp": at + 1, "message": '{"status": 500}'}, {"timestamp": at + 2, "message": "fine"}]
    assert aws("logs", "put-log-events", "--log-group-name", "cli", "--log-stream-name", "one", "--log-events", json.dumps(events))["nextSequenceToken"]
    found = aws("logs", "filter-log-events", "--log-group-name", "cli", "--filter-pattern", "{ $.status = 500 }")["events"]
    assert [event["message"] for event in found] == ['{"status": 500}']
    # Page after page, as the command does by itself.
    paged = aws("logs", "filter-log-events", "--log-group-name", "cli", "--page-size", "1")["events"]
    assert [event["message"] for event in paged] == [event["message"] for event in events]
    times = ("--start-time", at // 1000 - 60, "--end-time", at // 1000 + 60)
    query = aws("logs", "start-query", "--log-group-names", "cli", *times, "--query-string", "stats count(*) as n by @logStream")["queryId"]
    deadline = time.monotonic() + PATIENCE_S
    while (answer := aws("logs", "get-query-results", "--query-id", query))["status"] != "Complete":
        assert time.monotonic() < deadline, answer
    assert answer["results"] == [[{"field": "@logStream", "value": "one"}, {"field": "n", "value": "3"}]]
    aws.refused("ResourceNotFoundException", "logs", "filter-log-events", "--log-group-name", "nobody")
    aws.refused("MalformedQueryException", "logs", "start-query", "--log-group-names", "cli", *times, "--query-string", "stats")


def test_logs_are_tailed_live(server, aws):
    logs = client(server)
    group = fresh(logs, "tailed")
    arn = logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"][0]["logGroupArn"]
    tail = subprocess.Popen(aws.command("logs", "start-live-tail", "--log-group-identifiers", arn, "--log-event-filter-pattern", "ERROR"),
                            env={**aws.environment, "PYTHONUNBUFFERED": "1"},
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        # The session says nothing when it starts: a line goes every moment until one is shown.
        stop = threading.Event()

        def write():
            while not stop.wait(0.2):
                put(logs, group, ["quiet", "ERROR loud é"])

        writer = threading.Thread(target=write)
        writer.start()
        killer = threading.Timer(PATIENCE_S, tail.kill)
        killer.start()
        try:
            line = tail.stdout.readline()
        finally:
            stop.set()
            writer.join()
            killer.cancel()
        assert "ERROR loud é" in line and "quiet" not in line, line or tail.stderr.read()
    finally:
        tail.kill()
        tail.wait()
