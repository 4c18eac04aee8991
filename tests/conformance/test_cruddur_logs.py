"""The lines of the sample application, in Rust through the AWS SDK and in Flask through watchtower, both unmodified, in the
group cruddur: found by group, by pattern, by Insights and by trace. What the visits say they did is the truth."""

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from cloudwatch import ask, client
from conftest import Server

EXAMPLE = Path(__file__).parents[2] / "examples" / "cruddur-flask"
CRUDDUR = Path(os.environ["TRACERY_BIN"]).with_name("cruddur")
GROUP = "cruddur"


def environment(server):
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "AWS_"))}
    return {**kept, "OTEL_EXPORTER_OTLP_ENDPOINT": server.url("", "otlp_http"), "AWS_ENDPOINT_URL_CLOUDWATCH_LOGS": server.url(""),
            "AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "any", "AWS_SECRET_ACCESS_KEY": "any",
            "AWS_EC2_METADATA_DISABLED": "true"}


@pytest.fixture(scope="module")
def visited(tmp_path_factory):
    """A server that both applications wrote to, its logs, and Flask's visits."""
    server = Server(tmp_path_factory.mktemp("cruddur-logs"))
    app = subprocess.Popen([sys.executable, "-m", "cruddur", "0"], cwd=EXAMPLE, env=environment(server),
                           stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        address = app.stdout.readline().split()[-1]
        traffic = subprocess.run([sys.executable, "traffic.py", address, "60", "7"], cwd=EXAMPLE, env=environment(server),
                                 check=True, capture_output=True, text=True, timeout=120)
    finally:
        app.terminate()
        # Its last lines leave before it does.
        assert app.wait(timeout=30) == 0
    played = subprocess.run([CRUDDUR, "--listen", "127.0.0.1:0", "--requests", "120", "--visitors", "1", "--seed", "1"], env=environment(server),
                            check=True, capture_output=True, text=True, timeout=120)
    assert played.stderr == "", played.stderr
    yield server, client(server), [json.loads(line) for line in traffic.stdout.splitlines()], int(played.stdout.split("played ")[1].split()[0])
    server.stop()


def test_by_group(visited):
    server, logs, visits, requests_played = visited
    streams = [stream["logStreamName"] for stream in logs.describe_log_streams(logGroupName=GROUP)["logStreams"]]
    (rust,) = [name for name in streams if name.startswith("cruddur/")]
    (flask,) = [name for name in streams if name != rust]
    pages = logs.get_paginator("filter_log_events")

    def lines(stream, pattern):
        found = pages.paginate(logGroupName=GROUP, logStreamNames=[stream], filterPattern=pattern)
        return [event["message"] for page in found for event in page["events"]]

    access = lines(flask, '"127.0.0.1 GET http /"')
    assert Counter(line.split("?")[0].split()[-1] for line in access) == Counter(visit["path"] for visit in visits)
    access = [json.loads(line) for line in lines(rust, "{ $.method = GET }")]
    assert len(access) == requests_played
    assert all(set(line) >= {"level", "message", "address", "scheme", "path", "status", "duration_ms", "trace_id"} for line in access)


def test_by_pattern(visited):
    _, logs, visits, _ = visited
    failures = sum(visit["status"] == 500 for visit in visits)
    pages = logs.get_paginator("filter_log_events")

    def count(pattern):
        return sum(len(page["events"]) for page in pages.paginate(logGroupName=GROUP, filterPattern=pattern))

    assert failures and count('"500 INTERNAL SERVER ERROR"') == failures
    # The tracebacks that Flask writes are one event each.
    assert count('"Traceback (most recent call last)"') == failures
    assert count('{ $.status >= 500 }') == count('{ $.status = 5* && $.level = "error" }') > 0
    assert count('"HomeActivities"') > sum(visit["path"].endswith("/home") for visit in visits)
    assert count("no such words anywhere") == 0


def test_by_insights(visited):
    _, logs, visits, requests_played = visited
    bins, _ = ask(logs, "filter @message like /GET/ | stats count(*) as n by bin(5m)", [GROUP])
    everything, _ = ask(logs, "filter @message like /GET/ | stats count(*) as n", [GROUP])
    assert sum(int(row["n"]) for row in bins) == int(everything[0]["n"]) and all(row["bin(5m)"] for row in bins)
    rust, _ = ask(logs, 'filter method = "GET" | stats count(*) as n by status | sort n desc', [GROUP])
    assert sum(int(row["n"]) for row in rust) == requests_played and {"200", "404", "422", "500"} == {row["status"] for row in rust}
    flask, _ = ask(logs, r"filter @message like /^ERROR \[/ | parse @message /\? (?<status>\d{3}) / | stats count(*) as n by status", [GROUP])
    assert {row["status"]: int(row["n"]) for row in flask} == Counter(str(visit["status"]) for visit in visits)
    slow, _ = ask(logs, 'filter ispresent(duration_ms) | stats pct(duration_ms, 95) as p95, max(duration_ms) as worst by path | sort worst desc', [GROUP])
    assert slow and all(0 < float(row["p95"]) <= float(row["worst"]) * 1.01 for row in slow)


def test_by_trace(visited):
    server, logs, visits, _ = visited
    visit = next(visit for visit in visits if visit["path"].endswith("/home"))
    found = logs.filter_log_events(logGroupName=GROUP, filterPattern=visit["trace_id"])["events"]
    assert len(found) == 2 and found[0]["message"].startswith("INFO HomeActivities trace_id=")
    # The trace shows its lines beside its spans.
    trace = server.get(f"/api/v1/traces/{visit['trace_id']}").json()
    assert len([line for span in trace["spans"] for line in span["logs"]]) == 2, trace
    count = {"time_range": 3600, "calculations": [{"op": "COUNT"}], "filters": [{"column": "trace.trace_id", "op": "=", "value": visit["trace_id"]}]}
    assert server.rows(count, GROUP)[0]["COUNT"] == 2
