"""The mission's questions, on the telemetry of the Flask sample application."""

import collections
import importlib.util
import pathlib

import pytest
from opentelemetry import trace

APPLICATION = pathlib.Path(__file__).parents[2] / "examples" / "cruddur-flask" / "cruddur.py"
HOUR = 3600


@pytest.fixture
def cruddur(server, monkeypatch):
    """A client of the application, and a function that sends what it recorded."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", server.url("", "otlp_http"))
    specification = importlib.util.spec_from_file_location("cruddur", APPLICATION)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    provider = module.set_up_tracing()
    # The API keeps the first provider of a process; the instrumentation is told which one to use.
    module.tracer = provider.get_tracer("cruddur")
    monkeypatch.setattr(trace, "get_tracer_provider", lambda: provider)
    app = module.create_app()
    app.testing = False
    yield app.test_client(), module.ACTIVITIES, provider.force_flush
    provider.shutdown()


def test_the_questions_of_the_mission_have_answers(server, cruddur):
    client, activities, flush = cruddur
    asked = collections.Counter()
    for number in range(30):
        user = {"X-User": f"user-{number % 4}"}
        asked[client.get("/api/activities/home", headers=user).status_code] += 1
        asked[client.get("/api/activities/@worf", headers=user).status_code] += 1
        asked[client.get(f"/api/activities/{activities[0]['uuid']}", headers=user).status_code] += 1
    asked[client.get("/api/activities/nobody-has-this", headers={"X-User": "user-9"}).status_code] += 1
    assert asked == {200: 90, 500: 1}
    assert flush()

    requests = {"time_range": HOUR, "filters": [{"column": "span.kind", "op": "=", "value": "server"}]}
    (row,) = server.rows({**requests, "calculations": [{"op": "COUNT"}, {"op": "COUNT_DISTINCT", "column": "user.id"}]},
                         "cruddur-flask")
    assert row == {"COUNT": 91, "COUNT_DISTINCT(user.id)": 5}

    by_trace = server.rows({"time_range": HOUR, "breakdowns": ["trace.trace_id"], "limit": 1000,
                            "filters": [{"column": "duration_ms", "op": "exists"}],
                            "calculations": [{"op": "AVG", "column": "duration_ms"}, {"op": "COUNT"}]}, "cruddur-flask")
    assert len(by_trace) == 91 and {row["COUNT"] for row in by_trace} == {2}

    heatmap = server.query({**requests, "calculations": [{"op": "HEATMAP", "column": "duration_ms"}]}, "cruddur-flask")
    (cell,) = heatmap["results"][0]["data"].values()
    assert sum(cell["counts"]) == 91

    failed = server.rows({"time_range": HOUR, "breakdowns": ["trace.trace_id"], "calculations": [{"op": "COUNT"}],
                          "filters": [{"column": "exception.type", "op": "=", "value": "TypeError"}]}, "cruddur-flask")
    (trace_id,) = {row["trace.trace_id"] for row in failed}
    found = server.get(f"/api/v1/traces/{trace_id}").json()
    root, child = found["spans"]
    assert child["parent_id"] == root["span_id"] and child["name"] == "show-activity-mock-data"
    assert any(event["name"] == "exception" for event in child["events"])

    saved = server.post("/api/v1/saved_queries", {"name": "home by user", "dataset": "cruddur-flask", "query": requests})
    assert saved.status_code == 201
    assert [query["name"] for query in server.get("/api/v1/saved_queries").json()["saved_queries"]] == ["home by user"]
