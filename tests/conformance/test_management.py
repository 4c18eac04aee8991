"""The management endpoints in required mode, in the shapes that the Terraform provider's client and honeymarker send:
which status means success to them, which fields they assert, and what a key of the wrong permission gets."""

import time

import pytest
import requests
from conftest import Server, make_key

PROBLEM = "application/problem+json"
JSON_API = "application/vnd.api+json"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    running = Server(tmp_path_factory.mktemp("management"), "--auth", "required")
    yield running
    running.stop()


class Api:
    """One key's view of `/1`, as the Go client asks: JSON always, the key in a header."""

    def __init__(self, server, key):
        self.server, self.key = server, key

    def __call__(self, method, path, body=None):
        headers = {"X-Honeycomb-Team": self.key, "Content-Type": "application/json", "Accept": "application/json",
                   "User-Agent": "terraform-provider-honeycombio"}
        return requests.request(method, self.server.url(path), json=body, headers=headers, timeout=30)

    def expect(self, status, method, path, body=None):
        answer = self(method, path, body)
        assert answer.status_code == status, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None


@pytest.fixture(scope="module")
def api(server):
    ours = Api(server, make_key(server, "production", "configuration"))
    ours.expect(200, "POST", "/1/batch/Shop", [
        {"data": {"route": "/cart", "duration_ms": 12.5, "n": number, "ok": True, "at": {"x": 1}}} for number in range(20)])
    return ours


def test_auth(server, api):
    found = api.expect(200, "GET", "/1/auth")
    assert found["type"] == "configuration" and found["environment"] == {"name": "production", "slug": "production"}
    access = found["api_key_access"]
    assert access["createDatasets"] is access["create_datasets"] is True and access["boards"] and access["markers"]
    ingest = Api(server, make_key(server, "production", "ingest"))
    found = ingest.expect(200, "GET", "/1/auth")
    assert found["type"] == "ingest" and found["api_key_access"]["events"] and not found["api_key_access"]["boards"]
    # Clients take 32 characters for the key of an older kind of team.
    assert len(api.key) != 32 and len(ingest.key) != 32
    answer = Api(server, "nobodys")("GET", "/1/auth")
    assert answer.status_code == 401 and answer.json()["error"] == "unknown API key - check your credentials"


def test_every_answer_says_how_much_is_left(api):
    answer = api("GET", "/1/datasets")
    fields = dict(part.split("=") for part in answer.headers["RateLimit"].split(", "))
    assert set(fields) == {"limit", "remaining", "reset"} and int(fields["remaining"]) < int(fields["limit"])
    assert answer.headers["RateLimit-Policy"] == f"{fields['limit']};w=60"
    assert "RateLimit" not in api("POST", "/1/batch/shop", [{"data": {"a": 1}}]).headers


def test_problems_have_the_form_the_client_reads(api):
    for method, path, body, status, kind in [
        ("GET", "/1/datasets/none", None, 404, "not-found"),
        ("GET", "/1/columns/none", None, 404, "not-found"),
        ("GET", "/1/boards/none", None, 404, "not-found"),
        ("GET", "/1/nothing-here", None, 404, "not-found"),
        ("POST", "/1/boards", {}, 422, "validation-failed"),
        ("POST", "/1/markers/shop", {"start_time": "soon"}, 422, "validation-failed"),
        ("POST", "/1/derived_columns/shop", {"alias": "a", "expression": "FOO(1)"}, 422, "validation-failed"),
        ("POST", "/1/queries/shop", {"surprise": 1}, 422, "validation-failed"),
        ("POST", "/1/markers/shop", [], 400, "unparseable"),
        ("POST", "/1/boards", {"name": "x" * 100_001}, 413, "payload-too-large"),
    ]:
        answer = api(method, path, body)
        assert answer.status_code == status, f"{method} {path}: {answer.text}"
        assert answer.headers["Content-Type"] == PROBLEM
        problem = answer.json()
        assert problem["type"].endswith(kind) and problem["status"] == status and problem["title"] and problem["error"]
        if status == 422:
            assert {"field", "code", "description"} == set(problem["type_detail"][0])


def test_datasets(api):
    made = api.expect(201, "POST", "/1/datasets", {"name": "Meters", "dataset_type": "metrics", "expand_json_depth": 1})
    assert made["dataset_type"] == "metrics" and made["settings"] == {"delete_protected": True}
    assert made["last_written_at"] is None and made["regular_columns_count"] is None
    assert api.expect(200, "POST", "/1/datasets", {"name": "meters"})["name"] == "Meters"
    assert "dataset_type" not in api.expect(200, "GET", "/1/datasets/shop")
    for spec, said in [
        ({}, "metrics datasets require at least one calculation"),
        ({"calculations": [{"op": "COUNT"}]}, "operation not allowed in metrics dataset: COUNT"),
        ({"calculations": [{"op": "RATE_SUM", "column": "m"}]}, "operation not allowed in metrics dataset: RATE_SUM"),
        ({"calculations": [{"op": "CONCURRENCY"}]}, "operation not allowed in metrics dataset: CONCURRENCY"),
    ]:
        assert said in api.expect(422, "POST", "/1/queries/meters", spec)["error"]
    api.expect(200, "POST", "/1/queries/meters", {"calculations": [{"op": "COUNT_DATAPOINTS"}]})
    api.expect(409, "DELETE", "/1/datasets/meters")
    api.expect(200, "PUT", "/1/datasets/meters", {"settings": {"delete_protected": False}})
    api.expect(202, "DELETE", "/1/datasets/meters")
    api.expect(404, "GET", "/1/datasets/meters")


def test_columns(api):
    (column,) = [one for one in api.expect(200, "GET", "/1/columns/shop") if one["key_name"] == "route"]
    assert api.expect(200, "GET", "/1/columns/shop?key_name=route") == column
    assert api.expect(200, "GET", f"/1/columns/shop/{column['id']}") == column
    made = api.expect(201, "POST", "/1/columns/shop", {"key_name": "later", "type": "integer", "hidden": True})
    assert (made["type"], made["hidden"], made["last_written"]) == ("integer", True, None)
    assert "already exists" in api.expect(409, "POST", "/1/columns/shop", {"key_name": "later"})["error"]
    changed = api.expect(200, "PUT", f"/1/columns/shop/{made['id']}", {"type": "float", "description": "d"})
    assert (changed["type"], changed["description"]) == ("float", "d")
    api.expect(204, "DELETE", f"/1/columns/shop/{made['id']}")
    api.expect(404, "GET", f"/1/columns/shop/{made['id']}")
    definitions = api.expect(200, "GET", "/1/dataset_definitions/shop")
    assert len(definitions) == 16 and definitions["duration_ms"] == {"name": "duration_ms", "column_type": "column"}
    changed = api.expect(200, "PATCH", "/1/dataset_definitions/shop", {"route": {"name": "route"}, "user": {"name": "n"}})
    assert changed["user"] == {"name": "n", "column_type": "column"}
    assert api.expect(200, "PATCH", "/1/dataset_definitions/shop", {"user": {"name": ""}})["user"] is None


@pytest.mark.parametrize("scope", ["shop", "__all__"])
def test_calculated_fields(api, scope):
    body = {"alias": f"slow_{len(scope)}", "expression": "GT($duration_ms, 10)", "description": ""}
    made = api.expect(201, "POST", f"/1/derived_columns/{scope}", body)
    assert {name: made[name] for name in body} == body and made["created_at"]
    assert "already exists" in api.expect(409, "POST", f"/1/derived_columns/{scope}", body)["error"]
    assert api.expect(200, "GET", f"/1/derived_columns/{scope}?alias={body['alias']}") == made
    assert made in api.expect(200, "GET", f"/1/derived_columns/{scope}")
    path = f"/1/derived_columns/{scope}/{made['id']}"
    assert api.expect(200, "PUT", path, {**body, "expression": "$n > 3"})["expression"] == "$n > 3"

    query = api.expect(200, "POST", "/1/queries/shop", {"breakdowns": [body["alias"]], "calculations": [{"op": "COUNT"}]})
    panel = {"type": "query", "query_panel": {"query_id": query["id"], "query_style": "graph"}}
    board = api.expect(201, "POST", "/1/boards", {"name": "uses it", "type": "flexible", "panels": [panel]})
    assert "uses it" in api.expect(409, "DELETE", path)["error"]
    api.expect(204, "DELETE", f"/1/boards/{board['id']}")
    api.expect(204, "DELETE", path)
    api.expect(404, "DELETE", path)


def test_queries_come_back_as_they_were_sent(api):
    spec = {"calculations": [{"op": "P99", "column": "duration_ms"}, {"op": "COUNT"}], "breakdowns": ["route"],
            "filters": [{"column": "z", "op": "exists"}, {"column": "a", "op": "in", "value": ["x", "y"]},
                        {"column": "n", "op": ">", "value": 3}],
            "orders": [{"op": "COUNT", "order": "descending"}], "havings": [{"calculate_op": "COUNT", "op": ">", "value": 1}],
            "limit": 10, "time_range": 7200, "granularity": 60}
    made = api.expect(200, "POST", "/1/queries/shop", spec)
    identifier = made.pop("id")
    assert made == spec
    verbose = {**spec, "filter_combination": "AND"}
    assert api.expect(200, "POST", "/1/queries/shop", verbose)["id"] == identifier
    assert api.expect(200, "GET", f"/1/queries/shop/{identifier}") == {**spec, "id": identifier}
    assert api.expect(200, "POST", "/1/queries/__all__", {})["calculations"] == [{"op": "COUNT"}]
    api.expect(404, "GET", "/1/queries/shop/none")


def complete(api, path):
    deadline = time.monotonic() + 60
    while True:
        answer = api("GET", path)
        if answer.json()["complete"]:
            return answer
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_query_results(api):
    spec = {"calculations": [{"op": "SUM", "column": "n"}], "breakdowns": ["route"], "time_range": 3600,
            "filters": [{"column": "route", "op": "exists"}], "compare_time_offset_seconds": 3600}
    query = api.expect(200, "POST", "/1/queries/shop", spec)
    made = api("POST", "/1/query_results/shop", {"query_id": query["id"], "disable_total_by_aggregate": False})
    assert made.status_code == 201 and made.json()["complete"] is False and "RateLimit" not in made.headers
    done = complete(api, made.headers["Location"])
    assert done.headers["Cache-Control"] and done.headers["Last-Modified"]
    found = done.json()
    assert found["query"]["id"] == query["id"] and found["links"]["query_url"] and found["links"]["graph_image_url"]
    assert found["data"]["results"] == [{"data": {"route": "/cart", "SUM(n)": 190}}]
    assert found["data"]["total_by_aggregate"] == {"SUM(n)": 190}
    assert all(point["time"].endswith("Z") for point in found["data"]["series"])
    assert sum(point["data"]["SUM(n)"] or 0 for point in found["data"]["series"]) == 190

    graph = requests.get(found["links"]["graph_image_url"], headers={"X-Honeycomb-Team": api.key}, timeout=30)
    assert graph.headers["Content-Type"] == "image/svg+xml" and "SUM(n) (0 to 190)" in graph.text
    assert requests.get(found["links"]["graph_image_url"], timeout=30).status_code == 401
    assert requests.get(found["links"]["query_url"], timeout=30).headers["Content-Type"].startswith("text/html")

    failing = {"calculated_fields": [{"name": "f", "expression": "REG_MATCH($route, `(`)"}], "breakdowns": ["f"]}
    query = api.expect(200, "POST", "/1/queries/shop", failing)
    made = api("POST", "/1/query_results/shop", {"query_id": query["id"], "disable_series": True})
    found = complete(api, made.headers["Location"]).json()
    assert "regular expression" in found["error"] and "data" not in found
    api.expect(404, "POST", "/1/query_results/shop", {"query_id": "none"})
    api.expect(422, "POST", "/1/query_results/shop", {"query_id": query["id"], "limit": 10_001, "disable_series": True})


def test_every_calculation_and_filter_operator_runs(api):
    needs_column = ["COUNT_DISTINCT", "SUM", "AVG", "MIN", "MAX", "HEATMAP", "P001", "P01", "P05", "P10", "P20", "P25", "P50",
                    "P75", "P80", "P90", "P95", "P99", "P999", "RATE_SUM", "RATE_AVG", "RATE_MAX"]
    scalars = ["=", "!=", ">", ">=", "<", "<=", "starts-with", "does-not-start-with", "ends-with", "does-not-end-with",
               "contains", "does-not-contain"]
    filters = [{"column": "route", "op": op, "value": "/cart"} for op in scalars]
    filters += [{"column": "route", "op": op} for op in ("exists", "does-not-exist")]
    filters += [{"column": "route", "op": op, "value": ["/cart"]} for op in ("in", "not-in")]
    positive = {"=", ">=", "<=", "starts-with", "ends-with", "contains", "exists", "in"}
    calculations = [{"op": "COUNT"}, {"op": "CONCURRENCY"}, {"op": "COUNT", "column": "n"}]
    calculations += [{"op": op, "column": "n"} for op in needs_column]
    calculations += [{"op": "COUNT", "name": one["op"], "filters": [one]} for one in filters]
    only_shop = [{"column": "route", "op": "exists"}]
    query = api.expect(200, "POST", "/1/queries/shop", {"calculations": calculations, "filters": only_shop})
    made = api("POST", "/1/query_results/shop", {"query_id": query["id"]})
    (row,) = complete(api, made.headers["Location"]).json()["data"]["results"]
    row = row["data"]
    assert {f"{op}(n)" for op in needs_column} <= set(row)
    assert (row["SUM(n)"], row["MIN(n)"], row["MAX(n)"], row["COUNT_DISTINCT(n)"]) == (190, 0, 19, 20)
    assert sum(row["HEATMAP(n)"]["counts"]) == 20 and row["P50(n)"] == pytest.approx(9.5, abs=0.6)
    assert {one["op"]: row[one["op"]] for one in filters} == {
        one["op"]: 20 if one["op"] in positive else 0 for one in filters}


def test_every_function_of_calculated_fields_runs(api):
    api.expect(200, "POST", "/1/batch/functions", [{"time": "2024-02-03T04:05:06.5Z", "data": {
        "n": 7, "f": 2.5, "yes": True, "text": "Grüße", "path": "/users/42/orders/43", "word": "12"}}])
    at = 1_706_933_106.5
    expected = {
        "IF($n > 5, `big`, `small`)": "big", "SWITCH($n, 1, `one`, 7, `seven`, `many`)": "seven",
        "COALESCE($absent, $text)": "Grüße", "LT($n, 8)": True, "LTE($n, 6)": False, "GT($f, 2)": True, "GTE($n, 7)": True,
        "EQUALS($n, 7)": True, "IN($n, 1, 7)": True, "AND($yes, $n > 1)": True, "OR(false, $yes)": True, "NOT($yes)": False,
        "EXISTS($absent)": False, "SUM($n, 1, 2)": 10, "SUB($n, 2)": 5, "MUL($n, $f)": 17.5, "DIV($n, 2)": 3.5,
        "MOD($n, 4)": 3, "MIN($n, $f)": 2.5, "MAX($n, $f)": 7, "LOG10(1000)": 3, "BUCKET($n, 5)": "5 - 10",
        "INT($word)": 12, "FLOAT($word)": 12, "BOOL($n)": True, "STRING($n)": "7", "CONCAT($text, `-`, $n)": "Grüße-7",
        "TO_LOWER($text)": "grüße", "STARTS_WITH($path, `/users`)": True, "ENDS_WITH($path, `43`)": True,
        "CONTAINS($path, `orders`)": True, "LENGTH($text)": 5, 'LENGTH($text, "bytes")': 7, "REG_MATCH($path, `^/users/`)": True,
        "REG_VALUE($path, `orders/(\\d+)`)": "43", "REG_COUNT($path, `\\d+`)": 2,
        "UNIX_TIMESTAMP(`2024-02-03T04:05:06Z`)": 1_706_933_106, "EVENT_TIMESTAMP()": at,
        "INGEST_TIMESTAMP() > EVENT_TIMESTAMP()": True, "FORMAT_TIME(`%Y-%m-%d`, EVENT_TIMESTAMP())": "2024-02-03",
        "LAST($n)": 7, "SUMMARIZE($n)": 7, "INCREASE($n)": None, "RATE($n, 60)": None, "RAW_METRIC($f)": 2.5,
        "!$yes OR $n * 2 - 4 >= 10 AND $text = `Grüße`": True,
    }
    found = {}
    for start in range(0, len(expected), 20):
        some = list(expected)[start:start + 20]
        fields = [{"name": f"f{number}", "expression": expression} for number, expression in enumerate(some)]
        spec = {"calculated_fields": fields, "breakdowns": [one["name"] for one in fields], "calculations": [{"op": "COUNT"}],
                "start_time": int(at) - 60, "end_time": int(at) + 60}
        query = api.expect(200, "POST", "/1/queries/functions", spec)
        made = api("POST", "/1/query_results/functions", {"query_id": query["id"], "disable_series": True})
        answer = complete(api, made.headers["Location"]).json()
        assert "error" not in answer, answer["error"]
        (row,) = answer["data"]["results"]
        found |= {one["expression"]: row["data"][one["name"]] for one in fields}
    assert found == expected


def test_query_annotations(api):
    query = api.expect(200, "POST", "/1/queries/shop", {"calculations": [{"op": "COUNT"}], "time_range": 600})
    body = {"name": "n" * 320, "description": "d", "query_id": query["id"]}
    made = api.expect(201, "POST", "/1/query_annotations/shop", body)
    assert made["source"] == "query" and made["name"] == body["name"]
    of_board = api.expect(201, "POST", "/1/query_annotations/shop", {**body, "name": "b", "source": "board"})
    identifiers = [one["id"] for one in api.expect(200, "GET", "/1/query_annotations/shop")]
    assert made["id"] in identifiers and of_board["id"] not in identifiers
    with_boards = api.expect(200, "GET", "/1/query_annotations/shop?include_board_annotations=true")
    assert of_board["id"] in [one["id"] for one in with_boards]
    path = f"/1/query_annotations/shop/{made['id']}"
    assert api.expect(200, "PUT", path, {**body, "name": "other"})["name"] == "other"
    for wrong in [{**body, "name": "n" * 321}, {**body, "query_id": "none"}, {"name": "x"}]:
        api.expect(422, "POST", "/1/query_annotations/shop", wrong)
    api.expect(204, "DELETE", path)
    api.expect(404, "GET", path)


def test_boards_and_views(api):
    text = {"type": "text", "position": {"x_coordinate": 0, "y_coordinate": 0, "width": 3, "height": 2},
            "text_panel": {"content": "hello"}}
    body = {"name": "Board", "description": "", "type": "flexible", "panels": [text], "layout_generation": "manual",
            "tags": [{"key": "team", "value": "blue"}], "preset_filters": [{"column": "route", "alias": "Route"}]}
    made = api.expect(201, "POST", "/1/boards", body)
    assert {name: made[name] for name in body} == body and made["id"] in made["links"]["board_url"]
    assert api.expect(200, "GET", f"/1/boards/{made['id']}") == made
    for wrong in [
        {**body, "type": "visual"}, {**body, "tags": [{"key": "team"}]}, {**body, "tags": body["tags"] * 11},
        {**body, "preset_filters": body["preset_filters"] * 6}, {**body, "layout_generation": "random"},
        {**body, "panels": [{**text, "text_panel": {"content": "x" * 10_001}}]},
        {**body, "panels": [{"type": "query", "query_panel": {"query_id": "none"}}]},
        {**body, "panels": [{"type": "slo", "slo_panel": {"slo_id": "none"}}]},
    ]:
        api.expect(422, "POST", "/1/boards", wrong)
    views = f"/1/boards/{made['id']}/views"
    view = {"name": "V", "filters": [{"column": "route", "operation": "in", "value": ["/a", "/b"]}]}
    first = api.expect(201, "POST", views, view)
    assert {name: first[name] for name in view} == view
    api.expect(422, "POST", views, {**view, "filters": [{"column": "route", "operation": "like", "value": 1}]})
    for _ in range(49):
        api.expect(201, "POST", views, view)
    api.expect(409, "POST", views, view)
    assert len(api.expect(200, "GET", views)) == 50
    assert api.expect(200, "PUT", f"{views}/{first['id']}", {**view, "name": "W"})["name"] == "W"
    api.expect(204, "DELETE", f"{views}/{first['id']}")
    api.expect(404, "GET", f"{views}/{first['id']}")
    api.expect(204, "DELETE", f"/1/boards/{made['id']}")
    api.expect(404, "GET", views)


def test_markers_as_honeymarker_sends_them(api):
    # honeymarker takes 201 for made, 200 for the rest, and reads the marker of each answer.
    setting = api.expect(201, "POST", "/1/marker_settings/__all__", {"type": "deploy", "color": "#7b1fa2"})
    made = api.expect(201, "POST", "/1/markers/shop", {"start_time": 1_700_000_000, "message": "v1", "type": "deploy",
                                                       "url": "http://build.example/1"})
    assert made["color"] == "#7b1fa2" and made["start_time"] == 1_700_000_000 and made["created_at"]
    assert abs(api.expect(201, "POST", "/1/markers/shop", {"message": "now"})["start_time"] - time.time()) < 60
    changed = api.expect(200, "PUT", f"/1/markers/shop/{made['id']}", {"end_time": 1_700_000_100})
    assert (changed["end_time"], changed["message"]) == (1_700_000_100, "v1")
    api.expect(422, "PUT", f"/1/markers/shop/{made['id']}", {"end_time": 5})
    assert api.expect(200, "DELETE", f"/1/markers/shop/{made['id']}")["id"] == made["id"]
    api.expect(404, "DELETE", f"/1/markers/shop/{made['id']}")
    # Terraform keeps markers of the whole environment.
    api.expect(201, "POST", "/1/markers/__all__", {"message": "everywhere", "type": "deploy"})
    path = f"/1/marker_settings/__all__/{setting['id']}"
    assert api.expect(200, "PUT", path, {"type": "deploy", "color": "#000000"})["color"] == "#000000"
    api.expect(422, "PUT", path, {"type": "other", "color": "#000000"})
    api.expect(422, "POST", "/1/marker_settings/shop", {"type": "x", "color": "purple"})
    api.expect(409, "POST", "/1/marker_settings/__all__", {"type": "deploy", "color": "#000000"})
    api.expect(204, "DELETE", path)


def test_a_key_does_what_its_scopes_say_and_nothing_else(server, api):
    query = api.expect(200, "POST", "/1/queries/shop", {})["id"]
    marker = {"message": "m"}
    calls = {
        "send_events": [("POST", "/1/events/shop", {"a": 1}, 200)],
        "create_datasets": [("POST", "/1/datasets", {"name": "made"}, 201)],
        "manage_markers": [("POST", "/1/markers/shop", marker, 201), ("GET", "/1/marker_settings/shop", None, 200)],
        "manage_boards": [("POST", "/1/boards", {"name": "b", "type": "flexible"}, 201), ("GET", "/1/boards", None, 200)],
        "run_queries": [("POST", "/1/query_results/shop", {"query_id": query}, 201)],
        "manage_columns": [("GET", "/1/columns/shop", None, 200), ("GET", "/1/query_annotations/shop", None, 200),
                           ("GET", "/1/derived_columns/shop", None, 200), ("GET", "/1/dataset_definitions/shop", None, 200)],
    }
    for granted in calls:
        key = Api(server, make_key(server, "production", "configuration", "--scopes", granted))
        elsewhere = Api(server, make_key(server, "staging", "configuration"))
        for scope, asked in calls.items():
            for method, path, body, status in asked:
                answer = key(method, path, body)
                if scope == granted:
                    assert answer.status_code == status, f"{granted}: {method} {path}: {answer.text}"
                else:
                    assert answer.status_code == 403, f"{granted}: {method} {path}: {answer.text}"
                    assert answer.json()["error"]
    for path in ["/1/columns/shop", f"/1/queries/shop/{query}", "/1/markers/shop"]:
        elsewhere.expect(404, "GET", path)
    assert elsewhere.expect(200, "GET", "/1/boards") == []


def test_no_other_key_sees_or_changes_anything(server):
    owner = Api(server, make_key(server, "owner", "configuration"))
    owner.expect(200, "POST", "/1/batch/vault", [{"data": {"sesame": "sesame"}}])
    sesame = {"name": "sesame", "description": "sesame"}
    query = owner.expect(200, "POST", "/1/queries/vault", {"breakdowns": ["sesame"], "time_range": 3600})["id"]
    made = {
        "/1/columns/vault": owner.expect(200, "GET", "/1/columns/vault?key_name=sesame")["id"],
        "/1/derived_columns/vault": owner.expect(201, "POST", "/1/derived_columns/vault", {
            "alias": "sesame2", "expression": "$sesame"})["id"],
        "/1/queries/vault": query,
        "/1/query_annotations/vault": owner.expect(201, "POST", "/1/query_annotations/vault", {
            **sesame, "query_id": query})["id"],
        "/1/query_results/vault": owner.expect(201, "POST", "/1/query_results/vault", {"query_id": query})["id"],
        "/1/boards": owner.expect(201, "POST", "/1/boards", {**sesame, "type": "flexible"})["id"],
        "/1/markers/vault": owner.expect(201, "POST", "/1/markers/vault", {"message": "sesame"})["id"],
        "/1/marker_settings/vault": owner.expect(201, "POST", "/1/marker_settings/vault", {
            "type": "sesame", "color": "#123456"})["id"],
    }
    paths = ["/1/datasets", "/1/datasets/vault", "/1/dataset_definitions/vault", "/1/columns/vault?key_name=sesame",
             "/1/derived_columns/vault?alias=sesame2", *made, *(f"{path}/{identifier}" for path, identifier in made.items()),
             f"/1/query_results/vault/{made['/1/query_results/vault']}/snapshot", f"/1/boards/{made['/1/boards']}/views"]
    complete(owner, f"/1/query_results/vault/{made['/1/query_results/vault']}")
    found = {path: owner("GET", path).text for path in paths}
    assert "sesame" in found["/1/boards"] and "sesame" in found["/1/datasets/vault"] + found["/1/columns/vault"]
    keys = {"another environment's": make_key(server, "stranger", "configuration"), "an ingest key": make_key(
        server, "owner", "ingest"), "a management key": make_key(server, "owner", "management"), "none": "", "unknown": "x"}
    for whose, key in keys.items():
        stranger = Api(server, key)
        for path in paths:
            for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
                answer = stranger(method, path, {"name": "mine", "type": "flexible", "color": "#000000"})
                assert "sesame" not in answer.text.replace(path, ""), f"{whose}: {method} {path}: {answer.text}"
                # What a stranger may do is in an environment of its own.
                assert answer.status_code >= 400 or whose == "another environment's" and path in ("/1/datasets", "/1/boards")
    assert {path: owner("GET", path).text for path in paths} == found


class Team:
    """A management key's view of `/2`."""

    def __init__(self, server, key):
        self.server, self.key = server, key

    def __call__(self, method, path, body=None, **attributes):
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": JSON_API, "Accept": JSON_API}
        return requests.request(method, self.server.url(path), json=body, headers=headers, timeout=30)


def test_the_team(server, api):
    team = Team(server, make_key(server, "production", "management"))
    answer = team("GET", "/2/auth")
    assert answer.headers["Content-Type"] == JSON_API and answer.json()["data"]["attributes"]["key_type"] == "management"
    slug = answer.json()["included"][0]["attributes"]["slug"]
    base = f"/2/teams/{slug}"

    wrong = Team(server, "hcxmk_nobody:secret")("GET", "/2/auth")
    (error,) = wrong.json()["errors"]
    assert (wrong.status_code, wrong.headers["Content-Type"]) == (401, JSON_API)
    assert (error["code"], error["title"], error["source"]) == (
        "unauthenticated/invalid-key", "invalid API key", {"header": "Authorization"})
    # Neither kind of key opens the other's door.
    assert Team(server, api.key)("GET", "/2/auth").status_code == 401
    assert Api(server, team.key)("GET", "/1/datasets").status_code == 401

    def environment(name, **attributes):
        return {"data": {"type": "environments", "attributes": {"name": name, **attributes}}}

    made = team("POST", f"{base}/environments", environment("Blue", color="blue", description="d"))
    assert made.status_code == 201, made.text
    resource = made.json()["data"]
    assert resource["attributes"] == {"name": "Blue", "slug": "blue", "description": "d", "color": "blue",
                                      "settings": {"delete_protected": True}}
    assert team("GET", resource["links"]["self"]).json()["data"] == resource
    assert team("POST", f"{base}/environments", environment("Blue")).status_code == 409
    assert team("POST", f"{base}/environments", environment("Red", color="mauve")).status_code == 422
    own = f"{base}/environments/{resource['id']}"
    assert team("DELETE", own).status_code == 409

    def key(kind, permissions):
        return {"data": {"type": "api-keys", "attributes": {"name": kind, "key_type": kind, "permissions": permissions},
                         "relationships": {"environment": {"data": {"type": "environments", "id": resource["id"]}}}}}

    ingest = team("POST", f"{base}/api-keys", key("ingest", {"create_datasets": True})).json()["data"]
    # Id and secret are sent in one.
    assert len(ingest["id"] + ingest["attributes"]["secret"]) == 64
    whole = Api(server, ingest["id"] + ingest["attributes"]["secret"])
    whole.expect(200, "POST", "/1/events/anything", {"a": 1})
    found = team("GET", f"{base}/api-keys/{ingest['id']}").json()["data"]
    assert "secret" not in found["attributes"] and found["attributes"]["permissions"]["create_datasets"] is True
    disabled = {"data": {"id": ingest["id"], "type": "api-keys", "attributes": {"disabled": True}}}
    assert team("PATCH", f"{base}/api-keys/{ingest['id']}", disabled).json()["data"]["attributes"]["disabled"] is True
    whole.expect(401, "POST", "/1/events/anything", {"a": 1})

    for _ in range(4):
        assert team("POST", f"{base}/api-keys", key("configuration", {"run_queries": True})).status_code == 201
    seen, path = [], f"{base}/api-keys?filter[type]=configuration&page[size]=2"
    while path:
        page = team("GET", path).json()
        assert len(page["data"]) <= 2
        seen += [one["id"] for one in page["data"]]
        path = page["links"]["next"]
    assert len(seen) == len(set(seen)) and len(seen) >= 5

    reader = Team(server, make_key(server, "production", "management", "--scopes", "environments:read"))
    assert reader("GET", f"{base}/environments").status_code == 200
    assert reader("POST", f"{base}/environments", environment("Nope")).status_code == 403
    assert reader("GET", f"{base}/api-keys").status_code == 403
    unprotected = {"data": {"id": resource["id"], "type": "environments",
                            "attributes": {"settings": {"delete_protected": False}}}}
    assert team("PATCH", own, unprotected).status_code == 200
    assert team("DELETE", own).status_code == 204
    assert team("GET", own).status_code == 404
    assert team("GET", "/2/teams/other/environments").status_code == 404
