"""Errors that arrive with other telemetry: exceptions of OpenTelemetry's spans and log records, through its SDK for Python,
and causes of X-Ray's segments become items, each counted once, and the rows of the telemetry stay as they are."""

import json
import logging
import time
import uuid

import pytest
import requests
from conftest import make_key
from test_rollbar_notifications import until
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk._logs import LoggerProvider, LoggingHandler
from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter, SpanExportResult
from test_rollbar_items import Project

RESOURCE = Resource.create({"service.name": "shop", "service.version": "1.2.3", "deployment.environment.name": "staging"})
EVENTS = {"time_range": 3600, "calculations": [{"op": "COUNT"}]}


class Twice(SpanExporter):
    """Exports each batch again, as a client does that did not hear the answer."""

    def __init__(self, exporter):
        self.exporter = exporter

    def export(self, spans):
        assert self.exporter.export(spans) == SpanExportResult.SUCCESS
        return self.exporter.export(spans)

    def shutdown(self):
        self.exporter.shutdown()


@pytest.fixture
def project(server):
    return Project(server)


def tracer(server, resource=RESOURCE, twice=False, headers=None):
    exporter = OTLPSpanExporter(endpoint=server.url("/v1/traces"), headers=headers)
    provider = TracerProvider(resource=resource)
    provider.add_span_processor(SimpleSpanProcessor(Twice(exporter) if twice else exporter))
    return provider.get_tracer("conformance")


def pay(number):
    try:
        return {}["a"]
    except KeyError as error:
        raise ValueError(f"no cart {number}") from error


def fail_through(tracer, number=17, report=None):
    """The same exception through two spans, which may be reported before they end."""
    found = []
    try:
        with tracer.start_as_current_span("POST /pay") as root:
            found.append(f"{root.get_span_context().trace_id:032x}")
            with tracer.start_as_current_span("price") as child:
                found.append(f"{child.get_span_context().span_id:016x}")
                try:
                    pay(number)
                except ValueError as error:
                    if report:
                        report(found[0], error)
                    raise
    except ValueError as error:
        return *found, error
    raise AssertionError("nothing failed")


def metric(server, reason):
    text = server.get("/metrics").text
    lines = [line for line in text.splitlines() if 'door="telemetry_errors"' in line and (reason in line)]
    return sum(float(line.rsplit(" ", 1)[1]) for line in lines)


def test_an_exception_of_a_span_is_an_item_with_its_frames_and_its_trace(project):
    trace_id, span_id, _ = fail_through(tracer(project.server))
    item = project.only_item()
    assert (item["title"], item["level"], item["environment"], item["total_occurrences"]) == ("ValueError: no cart 17", "error", "staging", 1)
    (occurrence,) = project.occurrences(item)
    assert occurrence["trace_id"] == trace_id
    data = occurrence["data"]
    assert [one["exception"]["class"] for one in data["body"]["trace_chain"]] == ["ValueError", "KeyError"]
    last = data["body"]["trace_chain"][1]["frames"][-1]
    assert (last["method"], last["code"], last["in_project"]) == ("pay", 'return {}["a"]', True)
    assert last["filename"].endswith("/test_error_doors.py")
    # The innermost span recorded it first.
    assert (data["custom"]["span_id"], data["custom"]["trace_id"]) == (span_id, trace_id)
    assert (data["context"], data["code_version"], data["language"], data["notifier"]["name"]) == ("price", "1.2.3", "python", "opentelemetry")
    assert item["grouping"]["by"] == "classes and the application's frames"
    # It is the same item when it happens again, and another one elsewhere.
    fail_through(tracer(project.server), 18)
    assert project.only_item()["total_occurrences"] == 2


def test_retries_and_parents_count_once_and_rows_stay_as_they_are(start):
    counts = {}
    for flag in ["true", "false"]:
        server = start("--errors-from-telemetry", flag)
        project = Project(server)
        fail_through(tracer(server, twice=True))
        rows = server.rows({**EVENTS, "breakdowns": ["name", "meta.annotation_type", "exception.type"]})
        counts[flag] = sorted(json.dumps(row, sort_keys=True) for row in rows)
        items = project.items()
        assert [item["total_occurrences"] for item in items] == ([1] if flag == "true" else [])
        if flag == "true":
            # Two exports of two spans, of which the first is new.
            assert (metric(server, "accepted"), metric(server, 'reason="known"')) == (1, 3)
        server.stop()
        (server.directory / "data").rename(server.directory / f"data-{flag}")
    assert counts["true"] == counts["false"] and len(counts["true"]) == 3


def test_logged_exceptions_are_items_with_the_level_of_the_line(project):
    provider = LoggerProvider(resource=RESOURCE)
    provider.add_log_record_processor(SimpleLogRecordProcessor(OTLPLogExporter(endpoint=project.server.url("/v1/logs"))))
    logger = logging.getLogger("shop.cart")
    logger.propagate, logger.handlers = False, [LoggingHandler(logger_provider=provider)]
    logger.warning("nothing failed yet")
    for number, level in [(1, logging.ERROR), (2, logging.WARNING)]:
        try:
            {}["a"] if number == 1 else int("x")
        except (KeyError, ValueError):
            logger.log(level, "cannot pay", exc_info=True)
    items = {item["title"]: item for item in project.items()}
    assert {title: item["level"] for title, item in items.items()} == {
        "KeyError: a": "error", "ValueError: invalid literal for int() with base 10: 'x'": "warning"}
    (occurrence,) = project.occurrences(items["KeyError: a"])
    assert occurrence["data"]["custom"]["log.message"] == "cannot pay"
    # One that is logged and recorded by its span is one, though the SDK writes the message of a KeyError in two ways.
    with pytest.raises(KeyError), tracer(project.server).start_as_current_span("POST /find"):
        try:
            {}["b"]
        except KeyError:
            logger.exception("cannot find")
            raise
    try:
        with tracer(project.server).start_as_current_span("POST /pay"):
            try:
                pay(3)
            except ValueError:
                logger.exception("cannot pay")
                raise
    except ValueError:
        pass
    items = {item["title"]: item["total_occurrences"] for item in project.items()}
    assert items == {"KeyError: a": 2, "ValueError: no cart 3": 1, "ValueError: invalid literal for int() with base 10: 'x'": 1}


def segment(trace_id, exceptions, name="shop", segment_id="53995c3f42cd8ad8", **more):
    now = time.time()
    cause = {"working_directory": "/srv/shop", "exceptions": exceptions}
    return {"name": name, "id": segment_id, "trace_id": trace_id, "start_time": now - 1, "end_time": now, "fault": True, "cause": cause, **more}


def test_causes_of_segments_are_items(project):
    trace_id = f"1-{int(time.time()):08x}-{uuid.uuid4().hex[:24]}"
    exceptions = [
        {"id": "3d9c4e8f1a2b5c60", "type": "CartError", "message": "cannot pay", "cause": "3d9c4e8f1a2b5c61",
         "stack": [{"path": "/srv/shop/cart.py", "line": 12, "label": "pay"}, {"path": "/srv/shop/app.py", "line": 5, "label": "<module>"}]},
        {"id": "3d9c4e8f1a2b5c61", "type": "KeyError", "message": "'a'", "stack": [{"path": "/srv/shop/db.py", "line": 3, "label": "find"}]},
    ]
    # The subsegment failed with it, and so did the segment around it.
    inner = {"name": "price", "id": "53995c3f42cd8ad9", "start_time": time.time() - 1, "end_time": time.time(), "fault": True,
             "cause": {"exceptions": exceptions}}
    document = json.dumps(segment(trace_id, exceptions, subsegments=[inner]))
    for _ in range(2):
        answer = project.server.post("/TraceSegments", {"TraceSegmentDocuments": [document]})
        assert answer.status_code == 200 and answer.json()["UnprocessedTraceSegments"] == [], answer.text
    # Causes wait a while for a report of the same by another door.
    item = until(project.items, 30)[0]
    assert (item["title"], item["total_occurrences"]) == ("CartError: cannot pay", 1)
    (occurrence,) = project.occurrences(item)
    assert occurrence["trace_id"] == trace_id.removeprefix("1-").replace("-", "")
    first, second = occurrence["data"]["body"]["trace_chain"]
    assert [(frame["filename"], frame["method"]) for frame in first["frames"]] == [("/srv/shop/app.py", "<module>"), ("/srv/shop/cart.py", "pay")]
    assert (second["exception"]["class"], occurrence["data"]["language"], occurrence["data"]["notifier"]["name"]) == ("KeyError", "python", "x-ray")


def test_a_cause_that_another_door_reports_is_not_counted_again(project):
    """X-Ray's SDK gives the request another trace id than OpenTelemetry's, and Rollbar's gives none."""
    exceptions = [{"id": "3d9c4e8f1a2b5c62", "type": "CartError", "message": "cannot pay", "stack": []}]
    document = json.dumps(segment(f"1-{int(time.time()):08x}-{uuid.uuid4().hex[:24]}", exceptions))
    assert project.server.post("/TraceSegments", {"TraceSegmentDocuments": [document]}).status_code == 200
    project.post({"environment": "staging", "body": {"trace": {"frames": [], "exception": {"class": "shop.CartError", "message": "cannot pay"}}}})
    known = lambda: 'door="telemetry_errors",reason="known"' in project.server.get("/metrics").text
    until(known, 30)
    assert project.only_item()["environment"] == "staging"


@pytest.mark.parametrize("rollbar_first", [True, False])
def test_the_same_by_rollbar_is_one_item_counted_once(project, rollbar_first):
    def by_rollbar(trace_id, error):
        frame = {"filename": "/elsewhere/cart.py", "lineno": 7, "method": "pay"}
        project.post({"environment": "staging", "custom": {"trace_id": trace_id}, "body": {
            "trace": {"frames": [frame], "exception": {"class": "ValueError", "message": str(error)}}}})

    trace_id, _, error = fail_through(tracer(project.server), 1, by_rollbar if rollbar_first else None)
    if not rollbar_first:
        by_rollbar(trace_id, error)
    item = project.only_item()
    assert item["total_occurrences"] == 1
    assert len(project.occurrences(item)) == (1 if rollbar_first else 2)
    # From now on both ways lead to it, whichever comes.
    fail_through(tracer(project.server), 2)
    by_rollbar(uuid.uuid4().hex, "no cart 5")
    assert project.only_item()["total_occurrences"] == 3


def test_environments_have_projects_of_their_own(start):
    server = start("--auth", "required")
    key = make_key(server, "shop", "ingest")
    fail_through(tracer(server, headers={"x-honeycomb-team": key}))
    refused = requests.post(server.url("/v1/traces"), data=b"", timeout=30)
    assert refused.status_code == 401
    own, other = Project(server, make_key(server, "shop", "rollbar")), Project(server, make_key(server, "other", "rollbar"))
    assert [len(project.items()) for project in (own, other)] == [1, 0]


def test_more_exceptions_than_a_request_may_have_are_counted_as_dropped(project):
    def event(number):
        attributes = [{"key": "exception.type", "value": {"stringValue": "E"}}, {"key": "exception.message", "value": {"stringValue": f"m {number}"}}]
        return {"timeUnixNano": str(time.time_ns()), "name": "exception", "attributes": attributes}

    span = {"traceId": uuid.uuid4().hex, "spanId": "53995c3f42cd8ad8", "name": "many", "startTimeUnixNano": str(time.time_ns()),
            "endTimeUnixNano": str(time.time_ns()), "events": [event(number) for number in range(230)]}
    answer = project.server.post("/v1/traces", {"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]})
    assert answer.status_code == 200, answer.text
    # Without frames they differ by their numbers only, which grouping leaves out.
    item = project.only_item()
    assert (item["total_occurrences"], item["environment"]) == (200, "unknown")
    assert metric(project.server, 'reason="too_many_in_request"') == 30
    (row,) = project.server.rows({**EVENTS, "filters": [{"column": "meta.annotation_type", "op": "=", "value": "span_event"}]})
    assert row["COUNT"] == 230


def test_an_unknown_language_is_grouped_by_type_and_message(project):
    with tracer(project.server).start_as_current_span("run") as span:
        span.add_event("exception", {"exception.type": "E", "exception.message": "odd 7", "exception.stacktrace": "in the cellar"})
        span.add_event("exception", {"exception.stacktrace": "neither type nor message"})
    item = project.only_item()
    assert (item["title"], item["grouping"]["by"]) == ("E: odd 7", "classes and messages")
    (occurrence,) = project.occurrences(item)
    assert occurrence["data"]["custom"]["exception.stacktrace"] == "in the cellar"
