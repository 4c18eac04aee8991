"""Cruddur in Flask: a small social backend, instrumented with the OpenTelemetry SDK for Python as its makers ship it.

    OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318 python cruddur.py --port 4568

The endpoint and everything else is set by OpenTelemetry's own variables; the service is called cruddur-flask.
"""

import argparse
import datetime
import os
import uuid

from flask import Flask, jsonify, request
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.flask import FlaskInstrumentor
from opentelemetry.instrumentation.requests import RequestsInstrumentor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

tracer = trace.get_tracer("cruddur")

ACTIVITIES = [
    {"uuid": str(uuid.uuid5(uuid.NAMESPACE_URL, f"cruddur/{number}")), "handle": handle, "message": message}
    for number, (handle, message) in enumerate([
        ("Andrew Brown", "Cloud is fun!"),
        ("Worf", "I am out of prune juice"),
        ("Garek", "My dear doctor, I am just simple tailor"),
    ])
]


def set_up_tracing():
    os.environ.setdefault("OTEL_SERVICE_NAME", "cruddur-flask")
    provider = TracerProvider(resource=Resource.create())
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    RequestsInstrumentor().instrument()
    return provider


def name_user():
    """Says on the request's span who is asking."""
    trace.get_current_span().set_attribute("user.id", request.headers.get("X-User", "anonymous"))


def create_app():
    app = Flask("cruddur")
    FlaskInstrumentor().instrument_app(app)
    app.before_request(name_user)

    @app.get("/api/activities/home")
    def activities_home():
        with tracer.start_as_current_span("home-activities-mock-data") as span:
            now = datetime.datetime.now(datetime.timezone.utc)
            span.set_attribute("app.now", now.isoformat())
            span.set_attribute("app.result_length", len(ACTIVITIES))
            return jsonify(ACTIVITIES)

    @app.get("/api/activities/@<handle>")
    def activities_users(handle):
        with tracer.start_as_current_span("user-activities-mock-data") as span:
            found = [activity for activity in ACTIVITIES if activity["handle"].lower().startswith(handle.lower())]
            span.set_attribute("app.result_length", len(found))
            return jsonify(found)

    @app.get("/api/activities/<activity_uuid>")
    def activities_show(activity_uuid):
        with tracer.start_as_current_span("show-activity-mock-data"):
            # As in the original: an id that nobody has is a bug of the view, and shows as one.
            activity = next((one for one in ACTIVITIES if one["uuid"] == activity_uuid), None)
            return jsonify({**activity, "replies": []})

    return app


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=4568)
    arguments = parser.parse_args()
    provider = set_up_tracing()
    create_app().run(host="127.0.0.1", port=arguments.port)
    provider.shutdown()


if __name__ == "__main__":
    main()
