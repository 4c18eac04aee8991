"""Cruddur in Flask: the views of the sample application, traced by the OpenTelemetry SDK and its Flask and requests
instrumentation, and by the X-Ray SDK where AWS_XRAY_DAEMON_ADDRESS names a daemon; with lines in CloudWatch Logs through
watchtower where AWS_ENDPOINT_URL_CLOUDWATCH_LOGS names an endpoint; and with errors reported by Rollbar's SDK where
ROLLBAR_ENDPOINT names one. None of these is changed.
`python -m cruddur` serves it; `traffic.py` visits it."""

import logging
import os
import time
import uuid
from datetime import datetime, timedelta, timezone

import rollbar
import rollbar.contrib.flask
import watchtower
from aws_xray_sdk import global_sdk_config
from aws_xray_sdk.core import xray_recorder
from aws_xray_sdk.ext.flask.middleware import XRayMiddleware
from flask import Flask, abort, got_request_exception, jsonify, request
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.flask import FlaskInstrumentor
from opentelemetry.instrumentation.requests import RequestsInstrumentor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

HANDLES = ["andrewbrown", "worf", "garek", "bayko", "londo", "quark"]
MESSAGES = ["Cloud is fun!", "I am out of prune juice", "My dear doctor, I am just simple tailor"]
ACTIVITY_COUNT = 24
LOGGER = logging.getLogger("cruddur")
# The SDK reads endpoint, headers and the rest from the OTEL_EXPORTER_OTLP_* variables by itself.
tracer = trace.get_tracer("cruddur")


def provide_telemetry(service_name):
    """Sets up the process's one tracer provider; OTEL_SERVICE_NAME wins over `service_name`."""
    resource = Resource.create({"service.name": os.environ.get("OTEL_SERVICE_NAME", service_name)})
    provider = TracerProvider(resource=resource)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    RequestsInstrumentor().instrument()
    return provider


def record_segments(app):
    """A segment for each request, named after the host where that fits AWS_XRAY_URL. The SDK reads the daemon's address
    by itself; without one it records nothing."""
    xray_recorder.configure(
        service="cruddur-backend-flask",
        dynamic_naming=os.environ.get("AWS_XRAY_URL", "*.cruddur.example"),
        context_missing="IGNORE_ERROR",
        # A sample application is visited seldom: every request is kept.
        sampling=False,
    )
    if os.environ.get("AWS_XRAY_DAEMON_ADDRESS"):
        XRayMiddleware(app, xray_recorder)
    else:
        global_sdk_config.set_sdk_enabled(False)


class NameTheTrace(logging.Filter):
    """Gives each line the trace that it belongs to."""

    def filter(self, record):
        context = trace.get_current_span().get_span_context()
        record.trace = f" trace_id={context.trace_id:032x} span_id={context.span_id:016x}" if context.is_valid else ""
        return True


def write_lines(app):
    """A line after each request, and what the views have to say, in the log group cruddur. boto3 reads endpoint, region and
    key by itself; without an endpoint nothing is sent. Gives back the handler, whose last lines leave when it is closed."""
    if not os.environ.get("AWS_ENDPOINT_URL_CLOUDWATCH_LOGS"):
        return None
    handler = watchtower.CloudWatchLogHandler(log_group_name="cruddur", send_interval=1)
    handler.setFormatter(logging.Formatter("%(levelname)s %(message)s%(trace)s"))
    handler.addFilter(NameTheTrace())
    LOGGER.setLevel(logging.DEBUG)
    LOGGER.addHandler(handler)

    @app.after_request
    def after_request(response):
        timestamp = time.strftime("[%Y-%b-%d %H:%M]")
        line = (timestamp, request.remote_addr, request.method, request.scheme, request.full_path, response.status)
        LOGGER.error("%s %s %s %s %s %s", *line)
        return response

    return handler


def name_the_trace(payload, **_):
    """Gives each error the trace that it belongs to."""
    context = trace.get_current_span().get_span_context()
    if context.is_valid:
        custom = payload["data"].setdefault("custom", {})
        custom |= {"trace_id": f"{context.trace_id:032x}", "span_id": f"{context.span_id:016x}"}
    return payload


def report_errors(app):
    """Exceptions of views, and what the views report themselves, where ROLLBAR_ENDPOINT names the folder of the API
    (…/api/1/). Without it nothing is sent."""
    endpoint = os.environ.get("ROLLBAR_ENDPOINT")
    token = os.environ.get("ROLLBAR_ACCESS_TOKEN", "0" * 32)
    with app.app_context():
        rollbar.init(
            token,
            "production",
            endpoint=endpoint,
            root=os.path.dirname(os.path.realpath(__file__)),
            allow_logging_basic_config=False,
            enabled=bool(endpoint),
        )
        if endpoint:
            rollbar.events.add_payload_handler(name_the_trace)
            got_request_exception.connect(rollbar.contrib.flask.report_exception, app)


def mock_data(found, now):
    """What a view found, kept with a subsegment of its own."""
    with xray_recorder.in_subsegment("mock-data") as subsegment:
        if subsegment:
            subsegment.put_metadata("result", {"now": now.isoformat(), "length": len(found)}, "cruddur")


def activity_id(number):
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"https://cruddur.example/activities/{number}"))


def activity(number, now):
    created_at = now - timedelta(hours=5 * number + 1)
    return {
        "uuid": activity_id(number),
        "handle": HANDLES[number % len(HANDLES)],
        "message": MESSAGES[number % len(MESSAGES)],
        "created_at": created_at.isoformat(),
        "expires_at": (created_at + timedelta(days=30)).isoformat(),
    }


class LedgerError(Exception):
    """What the broken profile raises."""


def create_app():
    app = Flask("cruddur")
    FlaskInstrumentor().instrument_app(app)
    record_segments(app)
    app.extensions["lines"] = write_lines(app)
    report_errors(app)

    @app.before_request
    def name_the_user():
        user = request.headers.get("X-Cruddur-User")
        if user:
            trace.get_current_span().set_attribute("user.id", user)

    @app.get("/api/activities/home")
    @xray_recorder.capture("activities_home")
    def home():
        user = request.headers.get("X-Cruddur-User")
        with tracer.start_as_current_span("home-activities-mock-data") as span:
            now = datetime.now(timezone.utc)
            span.set_attribute("app.now", now.isoformat())
            if user:
                span.set_attribute("user.id", user)
            LOGGER.info("HomeActivities")
            time.sleep(0.001)
            found = [activity(number, now) for number in range(12 if user else 3)]
            mock_data(found, now)
            span.set_attribute("app.result_length", len(found))
        return jsonify(found)

    @app.get("/api/activities/@<handle>")
    @xray_recorder.capture("activities_users")
    def of_user(handle):
        now = datetime.now(timezone.utc)
        with tracer.start_as_current_span("user-activities") as span:
            span.set_attribute("app.handle", handle)
            # One profile is broken on purpose: the span records the exception on its way out.
            if handle == "quark":
                LOGGER.warning("profile of @%s is broken", handle)
                raise LedgerError("ledger of @quark does not balance: 17 slips missing")
            if handle not in HANDLES:
                abort(404)
            everything = [activity(number, now) for number in range(ACTIVITY_COUNT)]
            found = [one for one in everything if one["handle"] == handle]
            mock_data(found, now)
            span.set_attribute("app.result_length", len(found))
        return jsonify(found)

    @app.get("/api/activities/<uuid:wanted>")
    @xray_recorder.capture("activities_show")
    def one(wanted):
        now = datetime.now(timezone.utc)
        with tracer.start_as_current_span("show-activity") as span:
            span.set_attribute("app.activity_id", str(wanted))
            for number in range(ACTIVITY_COUNT):
                if activity_id(number) == str(wanted):
                    found = activity(number, now)
                    mock_data([found], now)
                    return jsonify(found)
        abort(404)

    @app.get("/rollbar/test")
    def rollbar_test():
        rollbar.report_message("Hello World!", "warning")
        return "Hello World!\n"

    @app.get("/healthz")
    def healthz():
        return "ok\n"

    return app
