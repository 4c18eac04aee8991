"""RQL through Rollbar's jobs: queries with checked rows, over occurrences in fresh and merged parts, items and deploys."""

import time

import pytest
from conftest import Server
from test_rollbar_items import Project, trace


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    server = Server(tmp_path_factory.mktemp("rql"))
    project = Project(server)
    for number in range(12):
        project.post({
            "environment": "production" if number % 3 else "staging", "level": "warning" if number % 4 == 0 else "error",
            "body": trace(method=f"m{'ab'[number % 2]}", message=f"'{number}'"), "timestamp": 1_700_000_000 + number, "server": {"host": f"web{number % 2}"},
            "custom": {"number": number, "text": str(number), "mixed": number if number % 2 else f"t{number}", "odd key": [number, {"deep": True}]},
            "person": {"id": number % 3, "username": f"User{number % 3}"}, "client": {"javascript": {"browser": None}}})
    project.call("POST", "/api/1/deploy", json={"environment": "production", "revision": "abc", "local_username": "anna"})
    yield project
    server.stop()


def ask(project, query):
    job = project.call("POST", "/api/1/rql/jobs", json={"query_string": query}).json()["result"]
    deadline = time.monotonic() + 30
    while (job := project.get(f"/api/1/rql/job/{job['id']}", expand="result"))["status"] == "running":
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert job["status"] == "success", job
    result = job["result"]
    assert result["rowcount"] == len(result["rows"]) and all(list(row) == result["columns"] for row in result["rows"])
    return [list(row.values()) for row in result["rows"]]


QUERIES = [
    ("SELECT count(*) FROM item_occurrence", [[12]]),
    ("select environment, count(*) from item_occurrence group by environment order by 2 desc", [["production", 8], ["staging", 4]]),
    ("SELECT server.host, count(*) AS n, max(custom.number), min(custom.number) FROM item_occurrence GROUP BY 1 ORDER BY server.host", [["web0", 6, "10", "0"], ["web1", 6, "11", "1"]]),
    ("SELECT sum(custom.number), avg(custom.number), count(custom.number), count(custom.nothing) FROM item_occurrence", [[66, 5.5, 12, 0]]),
    ("SELECT count_distinct(person.id), count_distinct(server.host) FROM item_occurrence", [[3, 2]]),
    ("SELECT custom.number FROM item_occurrence WHERE custom.number BETWEEN 3 AND 5 ORDER BY custom.number DESC", [[5], [4], [3]]),
    ("SELECT custom.number FROM item_occurrence WHERE custom.text > 9 ORDER BY 1", [[10], [11]]),
    ("SELECT custom.number FROM item_occurrence WHERE custom.text > '9'", []),
    ("SELECT custom.number FROM item_occurrence WHERE custom.number IN (1, '2', 99) ORDER BY 1", [[1], [2]]),
    ("SELECT custom.number FROM item_occurrence WHERE custom.number NOT IN (1, 2) AND custom.number < 5 ORDER BY 1", [[0], [3], [4]]),
    ("SELECT custom.mixed FROM item_occurrence WHERE custom.mixed LIKE 't_' ORDER BY 1 LIMIT 2", [["t0"], ["t2"]]),
    ("SELECT custom.mixed FROM item_occurrence WHERE custom.number < 3 ORDER BY custom.number", [["t0"], [1], ["t2"]]),
    ("SELECT `custom.odd key.1.deep`, `custom.odd key` FROM item_occurrence WHERE custom.number = 7", [[True, [7, {"deep": True}]]]),
    ("SELECT custom.number FROM item_occurrence WHERE client.javascript.browser IS NULL AND custom.number IS NOT NULL AND custom.number < 1", [[0]]),
    ("SELECT body.trace.exception.class, count(*) FROM item_occurrence GROUP BY body.trace.exception.class", [["KeyError", 12]]),
    ("SELECT body.trace.frames.0.method, count(*) FROM item_occurrence GROUP BY 1 ORDER BY 1", [["ma", 6], ["mb", 6]]),
    ("SELECT lower(person.username), upper('a'), left(person.username, 2), right(person.username, 1) FROM item_occurrence WHERE custom.number = 1", [["user1", "A", "Us", "1"]]),
    ("SELECT substring('abcdef', 2, 3), substring('abc', 2), locate('c', 'abcabc'), locate('c', 'abcabc', 4), locate('x', 'a') FROM item_occurrence LIMIT 1", [["bcd", "bc", 3, 6, 0]]),
    ("SELECT concat('a', 1, 'b'), concat_ws('-', 'a', custom.nothing, 'b'), char_length('é'), length('é') FROM item_occurrence LIMIT 1", [["a1b", "a-b", 1, 2]]),
    ("SELECT 7 / 2, 7 DIV 2, 7 MOD 4, 7 % 4, 1 / 0, -3 + 1.5 FROM item_occurrence LIMIT 1", [[3.5, 3, 3, 3, None, -1.5]]),
    ("SELECT count(*) FROM item_occurrence WHERE timestamp > unix_timestamp() - 600 AND NOT level = 'warning'", [[9]]),
    ("SELECT count(*) FROM item_occurrence WHERE metadata.customer_timestamp = 1700000003", [[1]]),
    ("SELECT level, count(*) FROM item_occurrence WHERE environment = 'staging' OR custom.number > 10 GROUP BY level ORDER BY count(*) DESC, level", [["error", 4], ["warning", 1]]),
    ("SELECT item.counter, item.level, count(*) FROM item_occurrence WHERE item.environment = 'production' GROUP BY item.counter, item.level ORDER BY item.counter", None),
    ("SELECT count(*), sum(item.total_occurrences) FROM item_occurrence WHERE item.status = 1", [[12, 40]]),
    ("SELECT custom.number FROM item_occurrence ORDER BY custom.number LIMIT 10, 5", [[10], [11]]),
    ("SELECT revision, environment, local_username, user_id FROM deploy", [["abc", "production", "anna", None]]),
    ("SELECT count(*) FROM deploy WHERE timestamp < 5", [[0]]),
    ("SELECT * FROM deploy LIMIT 0", []),
]


@pytest.mark.parametrize("query, rows", QUERIES, ids=[query for query, _ in QUERIES])
def test_rows(project, query, rows):
    found = ask(project, query)
    if rows is None:
        assert [row[2] for row in found] == [4, 4] and all(row[1] in (30, 40) for row in found)
    else:
        assert found == rows


def test_everything(project):
    (row,) = ask(project, "SELECT * FROM item_occurrence WHERE custom.number = 5")
    assert row[2:4] == ["production", "error"] and row[6].startswith("KeyError: '")


def test_jobs(project):
    query = "SELECT count(*) AS n FROM item_occurrence WHERE 1 = 1"
    create = lambda **more: project.call("POST", "/api/1/rql/jobs", data={"query_string": query, **more}).json()["result"]
    ask(project, query)
    first = create()
    assert create()["id"] == first["id"] and create(force_refresh="1")["id"] != first["id"]
    job = project.get(f"/api/1/rql/job/{first['id']}")
    assert {"id", "project_id", "query_string", "status", "job_hash", "date_created", "date_modified"} == job.keys()
    answer = project.get(f"/api/1/rql/job/{first['id']}/result", expand="job")
    assert (answer["job_id"], answer["result"]["rows"], answer["job"]["id"]) == (first["id"], [{"n": 12}], first["id"])
    assert first["id"] in [one["id"] for one in project.get("/api/1/rql/jobs")["jobs"]]
    assert project.call("POST", f"/api/1/rql/job/{first['id']}/cancel").json()["result"]["status"] == "success"
    for path in ("/api/1/rql/job/1", "/api/1/rql/job/x/result"):
        project.refused(404, "Not found", "GET", path)
    for query, said in [("SELECT", "Invalid query: a column, a function or a value is expected at position 6"), ("SELECT a FROM deploy", "Invalid query: deploy has no column a at position 0"),
                        ("SELECT odd(1) FROM item_occurrence", "Invalid query: there is no function odd at position 0")]:
        project.refused(422, said, "POST", "/api/1/rql/jobs", json={"query_string": query})
    project.refused(422, "query_string is missing and it is required.", "POST", "/api/1/rql/jobs", json={})
