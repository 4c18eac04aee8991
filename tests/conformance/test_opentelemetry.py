"""The OpenTelemetry SDK for Python, unmodified, over both exporters; and the questions people ask of a service."""

import random
import statistics
import time

import pytest
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as HttpExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Link, SpanKind, Status, StatusCode

HOUR = 3600


def exporter(server, kind):
    if kind == "grpc":
        return GrpcExporter(endpoint=server.url("", "otlp_grpc"), insecure=True)
    if kind == "grpc on the main port":
        return GrpcExporter(endpoint=server.url("", "http"), insecure=True)
    return HttpExporter(endpoint=server.url("/v1/traces", "otlp_http" if kind == "http" else "http"))


def send(server, kind, service="cruddur", requests=60):
    """Requests of a small service, each a server span with a child; returns what was sent."""
    provider = TracerProvider(resource=Resource.create({"service.name": service, "deployment.environment": "test"}))
    provider.add_span_processor(BatchSpanProcessor(exporter(server, kind)))
    tracer = provider.get_tracer("conformance", "1.0")
    chance = random.Random(7)
    sent = []
    for number in range(requests):
        start = 1_000_000_000 * (int(time.time()) - 600) + number * 1_000_000
        duration = int(chance.lognormvariate(17, 1))
        user = f"user-{chance.randrange(20)}"
        root = tracer.start_span(
            "GET /api/activities/home", kind=SpanKind.SERVER, start_time=start,
            attributes={"http.route": "/api/activities/home", "user.id": user, "http.status_code": 200,
                        "ratio": 0.5, "cached": number % 2 == 0, "tags": ["a", "b"]},
        )
        with trace.use_span(root, end_on_exit=False):
            child = tracer.start_span("home-activities-mock-data", start_time=start + 1000,
                                      links=[Link(root.get_span_context(), {"why": "test"})])
            child.set_attribute("app.result_length", number)
            child.add_event("looked up", {"rows": number}, timestamp=start + 2000)
            if number % 10 == 0:
                child.set_status(Status(StatusCode.ERROR, "broken"))
            child.end(end_time=start + 1000 + duration // 2)
        root.end(end_time=start + duration)
        sent.append({"trace_id": f"{root.get_span_context().trace_id:032x}",
                     "span_id": f"{root.get_span_context().span_id:016x}",
                     "user": user, "duration_ms": duration / 1e6, "child_ms": (duration // 2) / 1e6})
    provider.shutdown()
    return sent


@pytest.mark.parametrize("kind", ["http", "grpc", "http on the main port", "grpc on the main port"])
def test_every_span_arrives_and_the_questions_are_answered(server, kind):
    sent = send(server, kind)
    roots = {"time_range": HOUR, "filters": [{"column": "span.kind", "op": "=", "value": "server"}]}

    (row,) = server.rows({**roots, "calculations": [{"op": "COUNT"}, {"op": "COUNT_DISTINCT", "column": "user.id"}]})
    assert row == {"COUNT": len(sent), "COUNT_DISTINCT(user.id)": len({request["user"] for request in sent})}

    rows = server.rows({
        "time_range": HOUR, "limit": 1000, "breakdowns": ["trace.trace_id"],
        "filters": [{"column": "duration_ms", "op": "exists"}],
        "calculations": [{"op": "COUNT"}, {"op": "AVG", "column": "duration_ms"}],
    })
    by_trace = {row["trace.trace_id"]: row for row in rows}
    assert len(by_trace) == len(sent)
    for request in sent:
        row = by_trace[request["trace_id"]]
        assert row["COUNT"] == 2
        expected = statistics.mean([request["duration_ms"], request["child_ms"]])
        assert row["AVG(duration_ms)"] == pytest.approx(expected)

    (row,) = server.rows({**roots, "calculations": [{"op": "P50", "column": "duration_ms"},
                                                    {"op": "MAX", "column": "duration_ms"}]})
    durations = sorted(request["duration_ms"] for request in sent)
    assert row["MAX(duration_ms)"] == pytest.approx(durations[-1])
    assert durations[len(durations) // 2 - 2] * 0.99 <= row["P50(duration_ms)"] <= durations[len(durations) // 2 + 1] * 1.01

    heatmap = server.query({**roots, "calculations": [{"op": "HEATMAP", "column": "duration_ms"}]})
    assert heatmap["series"], "a heatmap has cells over time"


def test_a_trace_is_a_tree_with_its_events_and_links(server):
    request = send(server, "http", requests=11)[10]
    found = server.get(f"/api/v1/traces/{request['trace_id']}").json()
    assert found["span_count"] == 2
    root, child = found["spans"]
    assert root["parent_id"] is None and child["parent_id"] == root["span_id"] == request["span_id"]
    assert (root["service"], root["kind"]) == ("cruddur", "server")
    assert root["fields"]["http.status_code"] == 200 and root["fields"]["cached"] is True
    assert child["status_code"] == 2 and child["fields"]["status_message"] == "broken"
    assert [event["name"] for event in child["events"]] == ["looked up"]
    assert child["links"][0]["fields"]["trace.link.span_id"] == request["span_id"]


def test_a_trace_reads_back_as_otlp(server):
    request = send(server, "http", requests=1)[0]
    otlp = server.get(f"/api/v1/traces/{request['trace_id']}?format=otlp").json()
    (resource,) = otlp["resourceSpans"]
    attributes = {entry["key"]: entry["value"] for entry in resource["resource"]["attributes"]}
    assert attributes["service.name"] == {"stringValue": "cruddur"}
    (scope,) = resource["scopeSpans"]
    assert scope["scope"]["name"] == "conformance"
    spans = {span["name"]: span for span in scope["spans"]}
    root = spans["GET /api/activities/home"]
    assert root["traceId"] == request["trace_id"] and root["kind"] == 2
    own = {entry["key"]: entry["value"] for entry in root["attributes"]}
    assert own["tags"] == {"arrayValue": {"values": [{"stringValue": "a"}, {"stringValue": "b"}]}}
    assert own["ratio"] == {"doubleValue": 0.5} and own["http.status_code"] == {"intValue": "200"}
    assert len(spans["home-activities-mock-data"]["events"]) == 1


def test_what_was_accepted_outlives_a_restart(tmp_path):
    from conftest import Server

    first = Server(tmp_path)
    sent = send(first, "http")
    first.stop()
    second = Server(tmp_path)
    (row,) = second.rows({"time_range": HOUR, "calculations": [{"op": "COUNT_DISTINCT", "column": "trace.trace_id"}]})
    assert row["COUNT_DISTINCT(trace.trace_id)"] == len(sent)
    second.stop()


def test_functions_over_time_of_counters(server):
    """Two series that differ in an integer attribute only, sent a minute ago by a hand-made exporter: real ones cannot
    be told when to begin anew."""
    import requests as http

    start = int(time.time()) // 60 * 60 - 300
    counts = {200: [10, 30, 60, 5, 25], 500: [1, 1, 2, 2, 9]}

    def point(at, status, value):
        attributes = [{"key": "http.response.status_code", "value": {"intValue": str(status)}}]
        return {"timeUnixNano": str(at * 10**9), "asInt": str(value), "attributes": attributes}

    for minute in range(5):
        points = [point(start + 60 * minute + 30, status, values[minute]) for status, values in counts.items()]
        metric = {"name": "requests", "sum": {"aggregationTemporality": 2, "isMonotonic": True, "dataPoints": points}}
        resource = {"attributes": [{"key": "service.name", "value": {"stringValue": "meter"}}]}
        body = {"resourceMetrics": [{"resource": resource, "scopeMetrics": [{"metrics": [metric]}]}]}
        assert http.post(server.url("/v1/metrics", "otlp_http"), json=body, timeout=30).status_code == 200
    for expression, op, expected in [
        # The range begins after the first points, which count as what was before.
        ("INCREASE($requests)", "SUM", [20, 31, 5, 27]),
        ("RATE($requests)", "MAX", [20 / 60, 30 / 60, 5 / 60, 20 / 60]),
        ("LAST($requests)", "SUM", [31, 62, 7, 34]),
    ]:
        answer = server.query({
            "start_time": start + 60, "end_time": start + 300, "granularity": 60,
            "calculated_fields": [{"name": "f", "expression": expression}],
            "calculations": [{"op": op, "column": "f", "name": "x"}]}, "meter")
        assert [one["data"]["x"] for one in answer["series"]] == pytest.approx(expected), expression
