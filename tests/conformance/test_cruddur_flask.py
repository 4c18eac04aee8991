"""The questions people ask first, on the telemetry of examples/cruddur-flask. What its traffic script says it did is
the truth the answers are held against."""

import json
import os
import statistics
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from conftest import Server

EXAMPLE = Path(__file__).parents[2] / "examples" / "cruddur-flask"
DATASET = "cruddur-flask"
HOUR = 3600
KEY = {"X-Honeycomb-Team": "any-key-will-do-in-open-mode"}
SPANS = [{"column": "duration_ms", "op": "exists"}]


@pytest.fixture(scope="module")
def visited(tmp_path_factory):
    """A server that has the telemetry, and what the visits were."""
    server = Server(tmp_path_factory.mktemp("cruddur-flask"))
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    environment["OTEL_EXPORTER_OTLP_ENDPOINT"] = server.url("", "otlp_http")
    environment["AWS_XRAY_DAEMON_ADDRESS"] = f"udp:{server.addresses['xray_udp']} tcp:{server.addresses['xray_tcp']}"
    app = subprocess.Popen([sys.executable, "-m", "cruddur", "0"], cwd=EXAMPLE, env=environment,
                           stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        address = app.stdout.readline().split()[-1]
        traffic = subprocess.run([sys.executable, "traffic.py", address, "80", "7"], cwd=EXAMPLE, env=environment,
                                 check=True, capture_output=True, text=True, timeout=120)
    finally:
        app.terminate()
        # Its last spans leave before it does.
        assert app.wait(timeout=30) == 0
    yield server, [json.loads(line) for line in traffic.stdout.splitlines()]
    server.stop()


def spans_in_dataset(visit):
    """The server span, and the span of the view where it has one."""
    return 1 if visit["path"] == "/rollbar/test" else 2


def test_the_traffic_is_worth_asking_about(visited):
    _, visits = visited
    statuses = Counter(visit["status"] for visit in visits)
    assert len(visits) == 80 and {200, 404, 500} <= set(statuses), statuses


def test_distinct_users(visited):
    server, visits = visited
    (row,) = server.rows({"time_range": HOUR, "calculations": [{"op": "COUNT_DISTINCT", "column": "user.id"}]}, DATASET)
    assert row["COUNT_DISTINCT(user.id)"] == len({visit["user"] for visit in visits})


def test_a_heatmap_holds_every_span(visited):
    server, visits = visited
    spec = {"time_range": HOUR, "calculations": [{"op": "HEATMAP", "column": "duration_ms"}], "filters": SPANS}
    (row,) = server.rows(spec, DATASET)
    cell = row["HEATMAP(duration_ms)"]
    assert sum(cell["counts"]) == sum(map(spans_in_dataset, visits))
    over_time = [point["data"]["HEATMAP(duration_ms)"] for point in server.query(spec, DATASET)["series"]]
    assert sum(sum(point["counts"]) for point in over_time) == sum(cell["counts"])


def test_average_and_count_by_trace(visited):
    server, visits = visited
    rows = server.rows({"time_range": HOUR, "limit": 1000, "breakdowns": ["trace.trace_id"], "filters": SPANS,
                        "calculations": [{"op": "AVG", "column": "duration_ms"}, {"op": "COUNT"}]}, DATASET)
    by_trace = {row["trace.trace_id"]: row for row in rows}
    assert set(by_trace) == {visit["trace_id"] for visit in visits}
    for visit in visits:
        row = by_trace[visit["trace_id"]]
        assert row["COUNT"] == spans_in_dataset(visit), visit
        spans = server.get(f"/api/v1/traces/{visit['trace_id']}").json()["spans"]
        durations = [int(span["duration_ns"]) / 1e6 for span in spans if span["service"] == DATASET]
        assert row["AVG(duration_ms)"] == pytest.approx(statistics.mean(durations))


def test_a_trace_is_one_tree_over_both_services(visited):
    server, visits = visited
    visit = next(visit for visit in visits if visit["path"] == "/api/activities/home")
    spans = server.get(f"/api/v1/traces/{visit['trace_id']}").json()["spans"]
    by_parent = {span["parent_id"]: span for span in spans}
    assert len(by_parent) == len(spans) == 4
    chain, parent = [], None
    while parent in by_parent:
        chain.append((by_parent[parent]["service"], by_parent[parent]["name"]))
        parent = by_parent[parent]["span_id"]
    assert chain == [("cruddur-flask-web", "visit"), ("cruddur-flask-web", "GET"),
                     (DATASET, "GET /api/activities/home"), (DATASET, "home-activities-mock-data")]
    mock = by_parent[by_parent[by_parent[by_parent[None]["span_id"]]["span_id"]]["span_id"]]
    assert mock["fields"]["app.result_length"] == 12 and mock["fields"]["user.id"] == visit["user"]
    assert mock["fields"]["app.now"].startswith("20")


def test_an_exception_is_found_with_its_stack(visited):
    server, visits = visited
    visit = next(visit for visit in visits if visit["path"].endswith("@quark"))
    spans = server.get(f"/api/v1/traces/{visit['trace_id']}").json()["spans"]
    (view,) = [span for span in spans if span["name"] == "user-activities"]
    (event,) = [event for event in view["events"] if event["name"] == "exception"]
    assert event["fields"]["exception.type"].endswith("LedgerError")
    assert "Traceback" in event["fields"]["exception.stacktrace"]
    # Honeycomb's translation copies the exception to its span.
    assert view["fields"]["exception.message"] == "ledger of @quark does not balance: 17 slips missing"


def test_a_saved_query_is_asked_again(visited):
    server, visits = visited
    spec = {"time_range": HOUR, "calculations": [{"op": "COUNT"}], "filters": SPANS}
    query = server.post(f"/1/queries/{DATASET}", spec, headers=KEY)
    assert query.status_code == 200, query.text
    note = server.post(f"/1/query_annotations/{DATASET}", {"name": "all spans", "query_id": query.json()["id"]}, headers=KEY)
    assert note.status_code == 201, note.text
    (saved,) = server.get(f"/1/query_annotations/{DATASET}", headers=KEY).json()
    found = server.get(f"/1/queries/{DATASET}/{saved['query_id']}", headers=KEY).json()
    found.pop("id")
    (row,) = server.rows(found, DATASET)
    assert row["COUNT"] == sum(map(spans_in_dataset, visits))


def test_our_own_saved_queries_keep_the_question(visited):
    server, _ = visited
    spec = {"time_range": HOUR, "calculations": [{"op": "COUNT"}]}
    made = server.post("/api/v1/saved_queries?environment=default", {"name": "how many", "dataset": DATASET, "query": spec})
    assert made.status_code in (200, 201), made.text
    saved = server.get("/api/v1/saved_queries?environment=default").json()["saved_queries"]
    (ours,) = [one for one in saved if one["name"] == "how many"]
    assert ours["dataset"] == DATASET and ours["query"]["calculations"] == [{"op": "COUNT"}]


def test_every_request_is_an_x_ray_segment_too(visited):
    server, visits = visited
    dataset = "cruddur-backend-flask"
    type_is = lambda kind: {"column": "aws.xray.type", "op": "=", "value": kind}
    count = {"time_range": HOUR, "calculations": [{"op": "COUNT"}], "filters": [type_is("segment")], "breakdowns": ["http.status_code"]}
    segments = {row["http.status_code"]: row["COUNT"] for row in server.rows(count, dataset)}
    assert segments == Counter(visit["status"] for visit in visits)
    count = {"time_range": HOUR, "calculations": [{"op": "COUNT"}], "filters": [type_is("subsegment")], "breakdowns": ["name"]}
    names = {row["name"]: row["COUNT"] for row in server.rows(count, dataset)}
    assert names["activities_home"] == sum(visit["path"].endswith("/home") for visit in visits)
    assert names["activities_users"] == sum("@" in visit["path"] for visit in visits)
    assert {"activities_show", "mock-data"} <= set(names)
    found = server.rows({"time_range": HOUR, "calculations": [{"op": "COUNT"}], "breakdowns": ["aws.xray.metadata.cruddur"],
                         "filters": [{"column": "name", "op": "=", "value": "mock-data"}]}, dataset)
    assert all(json.loads(row["aws.xray.metadata.cruddur"])["result"]["length"] > 0 for row in found)
    assert server.get("/api/v1/xray/rejected").json()["rejected"] == []
