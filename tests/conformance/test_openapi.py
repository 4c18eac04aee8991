"""Our own API against its own description: whatever is asked, no answer is a server's failure, and every answer has
the status, the content type and the shape that openapi/api.json promises. Requests are made up by schemathesis."""

import json
import pathlib

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance, status_code_conformance

DOCUMENT = json.loads((pathlib.Path(__file__).parents[2] / "openapi" / "api.json").read_text())
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
TRACE_ID = "c0" * 16

schema = schemathesis.openapi.from_dict(DOCUMENT)


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    """A server with a little of everything, so that answers are not only empty lists."""
    from conftest import Server

    running = Server(tmp_path_factory.mktemp("openapi"))
    now_ns = __import__("time").time_ns()
    span = {"traceId": TRACE_ID, "spanId": "b7ad6b7169203331", "name": "GET /cart", "kind": 2,
            "startTimeUnixNano": str(now_ns), "endTimeUnixNano": str(now_ns + 5_000_000),
            "events": [{"name": "retry", "timeUnixNano": str(now_ns)}],
            "links": [{"traceId": "d0" * 16, "spanId": "b7ad6b7169203332"}]}
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": "shop"}}]}
    sent = running.post("/v1/traces", {"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": [span]}]}]})
    assert sent.status_code == 200, sent.text
    record = {"timeUnixNano": str(now_ns), "traceId": TRACE_ID, "body": {"stringValue": "cart shown"}}
    sent = running.post("/v1/logs", {"resourceLogs": [{"resource": resource, "scopeLogs": [{"logRecords": [record]}]}]})
    assert sent.status_code == 200, sent.text
    group = requests.post(running.url("/"), json={"logGroupName": "cruddur"}, headers={
        "x-amz-target": "Logs_20140328.CreateLogGroup", "content-type": "application/x-amz-json-1.1"})
    assert group.status_code == 200, group.text
    assert running.post("/api/v1/saved_queries", {"name": "all", "query": {}}).status_code == 201
    assert running.post("/TraceSegments", {"TraceSegmentDocuments": ["{"]}).status_code == 200
    counts = {"Timestamp": now_ns / 1e9, "SegmentsSpilloverCount": 2}
    assert running.post("/TelemetryRecords", {"TelemetryRecords": [counts], "Hostname": "h"}).status_code == 200
    yield running
    running.stop()


@schema.parametrize()
@settings(max_examples=25, deadline=None, derandomize=True, phases=[Phase.explicit, Phase.generate],
          suppress_health_check=list(HealthCheck))
def test_answers_fit_the_description(case, filled):
    case.call_and_validate(base_url=filled.url(""), checks=CHECKS)


# What made-up requests rarely hit: each endpoint once as a client asks it, with an answer that has something in it.
ASKED = [
    ("GET", "/api/v1/session", {}, None),
    ("GET", "/api/v1/environments", {}, None),
    ("POST", "/api/v1/keys", {}, {"kind": "ingest", "name": "test"}),
    ("GET", "/api/v1/keys", {}, None),
    ("GET", "/api/v1/services", {}, None),
    ("GET", "/api/v1/fields", {}, None),
    ("GET", "/api/v1/values", {"field": "name"}, None),
    ("POST", "/api/v1/query", {}, {"breakdowns": ["name"], "calculations": [{"op": "HEATMAP", "column": "duration_ms"}]}),
    ("POST", "/api/v1/bubble_up", {}, {"query": {"breakdowns": ["name"]}, "selection": {"group": ["GET /cart"]}}),
    ("POST", "/api/v1/sql", {}, {"sql": "SELECT time, name, duration_ms, 9007199254740993 AS big FROM spans"}),
    ("GET", "/api/v1/queries", {}, None),
    ("GET", "/api/v1/traces", {"service": "shop"}, None),
    ("GET", "/api/v1/traces/{id}", {"id": TRACE_ID}, None),
    ("GET", "/api/v1/requests/{trace_id}", {"trace_id": TRACE_ID}, None),
    ("GET", "/api/v1/log_regions", {}, None),
    ("POST", "/api/v1/environments", {}, {"name": "Staging"}),
    ("GET", "/api/v1/saved_queries", {}, None),
    ("GET", "/api/v1/xray/rejected", {}, None),
    ("GET", "/api/v1/xray/telemetry", {}, None),
]


@pytest.mark.parametrize("method,path,parameters,body", ASKED, ids=lambda value: str(value)[:40])
def test_a_real_answer_fits_the_description(filled, method, path, parameters, body):
    operation = schema[path][method]
    in_path = {name: value for name, value in parameters.items() if f"{{{name}}}" in path}
    in_query = {name: value for name, value in parameters.items() if name not in in_path}
    case = operation.Case(path_parameters=in_path, query=in_query, body=body, media_type="application/json") \
        if body is not None else operation.Case(path_parameters=in_path, query=in_query)
    answer = case.call(base_url=filled.url(""))
    assert answer.status_code in (200, 201), answer.text
    case.validate_response(answer, checks=CHECKS)
    lists = [value for value in answer.json().values() if isinstance(value, list)]
    assert path in ("/api/v1/queries", "/api/v1/keys", "/api/v1/bubble_up") or all(lists), answer.text


def test_every_endpoint_that_reads_is_asked_for_real():
    reads = {(method.upper(), path) for path, methods in DOCUMENT["paths"].items() for method in methods if method == "get"}
    assert reads <= {(method, path) for method, path, *_ in ASKED} | {("GET", "/api/v1/traces/{id}")}
