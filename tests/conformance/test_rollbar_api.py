"""Rollbar's API as its dashboards, command line and scripts call it: items and their life, occurrences, deploys, versions,
reports, projects and tokens."""

import time

import pytest
import requests
from conftest import make_key
from test_rollbar_items import MESSAGE, TOKEN, Project, trace

ITEM = {
    "id", "public_item_id", "counter", "project_id", "environment", "title", "hash", "level", "status", "framework", "platform",
    "first_occurrence_id", "first_occurrence_timestamp", "last_occurrence_id", "last_occurrence_timestamp", "activating_occurrence_id",
    "last_activated_timestamp", "last_resolved_timestamp", "last_muted_timestamp", "last_modified_by", "assigned_user_id",
    "resolved_in_version", "total_occurrences", "unique_occurrences", "level_lock", "title_lock", "group_item_id", "group_status",
    "controlling_id", "integrations_data"}


@pytest.fixture
def project(server):
    return Project(server)


def error(name="total", **more):
    return {"environment": "production", "server": {"root": "/srv/shop"}, "body": trace(method=name)} | more


def patch(project, item, **change):
    answer = project.call("PATCH", f"/api/1/item/{item['id']}", json=change)
    assert answer.status_code == 200, answer.text
    return answer.json()["result"]


def test_an_item_has_every_member_and_is_found_every_way(project):
    sent = project.post(error(framework="flask", platform="linux", request={"user_ip": "203.0.113.9"}))
    item = project.only_item()
    assert ITEM <= item.keys() and (item["counter"], item["framework"], item["unique_occurrences"]) == (1, "flask", 1)
    assert abs(item["last_occurrence_timestamp"] - time.time()) < 60 and item["last_resolved_timestamp"] is None
    for path, parameters in [(f"/api/1/item/{item['id']}", {}), ("/api/1/item/", {"counter": 1}), ("/api/1/item", {"counter": "1"}),
                             ("/api/1/item_by_uuid", sent), ("/api/1/item", {"uuid": sent["uuid"]})]:
        assert project.get(path, **{name: value for name, value in parameters.items() if value})["id"] == item["id"], path
    away = project.call("GET", "/api/1/item_by_counter/1", params={"access_token": TOKEN}, allow_redirects=False)
    assert (away.status_code, away.json()["result"]["itemId"]) == (301, item["id"])
    assert away.headers["Location"] == f"/api/1/item/{item['id']}?access_token={TOKEN}"
    for path in ("/api/1/item/1", "/api/1/item/x", "/api/1/item_by_counter/9", "/api/1/nothing", "/api/1/instance/1", "/api/1/item?counter=7"):
        project.refused(404, "Not found", "GET", path, allow_redirects=False)


def test_lists_filter_search_and_page(project):
    for name, level in (("a", "error"), ("b", "critical"), ("c", "warning")):
        project.post(error(name, level=level, environment="staging" if name == "c" else "production"))
    titles = lambda **filters: [item["level"] for item in project.items(**filters)]
    assert sorted(titles()) == ["critical", "error", "warning"]
    assert titles(level="critical") == ["critical"] and titles(level=["critical", "warning"], sort="level") == ["critical", "warning"]
    assert titles(environment="staging") == ["warning"] and titles(status="resolved") == []
    assert len(titles(query="keyerror")) == 3 and titles(query="#2") == ["critical"] and titles(query="nothing") == []
    assert titles(assigned_user="assigned") == [] and len(titles(assigned_user="unassigned")) == 3
    pages = [project.get("/api/1/items/", page=page, limit=2) for page in (1, 2, 3)]
    assert [len(page["items"]) for page in pages] == [2, 1, 0] and {page["total_count"] for page in pages} == {3}
    ids = [item["id"] for page in pages for item in page["items"]]
    assert sorted(item["id"] for item in project.items(ids=",".join(map(str, ids[:2])))) == sorted(ids[:2])
    found = project.get("/api/1/search/", title="KeyError: 'a'", fields="id,title", level="error")
    assert found["page"] == 1 and [set(item) for item in found["items"]] == [{"id", "title"}]
    for filters, said in [({"level": "odd"}, "odd is not a valid level"), ({"status": "odd"}, "odd is not a valid status"),
                          ({"page": "x"}, "page must be a number that is not negative"), ({"query": "host:a"}, "host:a cannot be searched for yet")]:
        project.refused(422, said, "GET", "/api/1/items/", params=filters)


def test_the_life_of_an_item(project):
    project.post(error(code_version="1.0.0"))
    item = project.only_item()
    changed = patch(project, item, status="resolved", resolved_in_version="1.2.0")
    assert (changed["status"], changed["resolved_in_version"]) == ("resolved", "1.2.0") and changed["last_resolved_timestamp"]
    project.post(error(code_version="1.1.0"))
    assert project.only_item()["status"] == "resolved"
    project.post(error(code_version="1.2.1"))
    assert (project.only_item()["status"], project.only_item()["total_occurrences"]) == ("active", 1)
    patch(project, item, status="muted")
    project.post(error())
    assert (project.only_item()["status"], project.only_item()["total_occurrences"]) == ("muted", 2)
    changed = patch(project, item, status="active", level="critical", title="Cart", assigned_user_id=7, snoozed=True)
    assert (changed["level"], changed["level_lock"], changed["title"], changed["title_lock"], changed["assigned_user_id"], changed["snoozed"]) \
        == ("critical", 1, "Cart", 1, 7, True)
    assert patch(project, item, assigned_user_id=None)["assigned_user_id"] is None
    project.call("POST", f"/api/1/item/{item['id']}/comments", json={"comment": "seen"})
    history = [change["event"] for change in project.get(f"/api/1/item/{item['id']}/history")]
    assert history[:1] == ["comment"] and history[-3:] == ["reactivated", "resolved", "new"]
    for change, said in [({"status": "odd"}, "status must be one of active, resolved, muted, archived"), ({"title": ""}, "title has between 1 and 255 characters"),
                         ({"level": "odd"}, "level must be one of critical, error, warning, info, debug"), ({"assigned_user_id": "x"}, "assigned_user_id must be a number"),
                         ({"status": "active", "resolved_in_version": "1"}, "resolved_in_version goes with the status resolved")]:
        project.refused(422, said, "PATCH", f"/api/1/item/{item['id']}", json=change)
    stats = project.get("/api/1/versions/1.2.1", environment="production")["item_stats"]
    assert stats["reactivated"]["critical"] == 1 and stats["new"] == {level: 0 for level in ("critical", "error", "warning", "info", "debug")}
    (listed,) = project.get("/api/1/versions/1.2.1/items", environment="production", event="reactivated", level="error,critical")
    assert listed["id"] == item["id"]


def test_merging_and_taking_apart(project):
    for name in ("a", "b", "b"):
        project.post(error(name))
    a, b = sorted(project.items(), key=lambda item: item["total_occurrences"])
    merged = project.call("POST", f"/api/1/item/{a['id']}/merge", json={"item_ids": [b["id"]]}).json()["result"]
    assert (merged["total_occurrences"], merged["group_status"]) == (3, 2)
    assert project.only_item()["id"] == a["id"] and len(project.occurrences(a)) == 3
    project.post(error("b"))
    assert len(project.occurrences(a)) == 4
    assert project.get(f"/api/1/item/{a['id']}")["members"] == [{"id": b["id"], "counter": b["counter"]}]
    project.call("POST", f"/api/1/item/{b['id']}/unmerge")
    assert (len(project.occurrences(a)), len(project.occurrences(b))) == (1, 3)


def test_occurrences_come_newest_first_in_pages(project):
    sent = [project.post(error(custom={"number": number}))["uuid"] for number in range(25)]
    item = project.only_item()
    numbers = lambda page: [one["data"]["custom"]["number"] for one in page]
    first = project.occurrences(item)
    assert numbers(first) == list(range(24, 4, -1)) and all(one["item_id"] == item["id"] for one in first)
    second = project.get(f"/api/1/item/{item['id']}/instances", page=2)["instances"]
    behind = project.get(f"/api/1/item/{item['id']}/instances", last_id=first[-1]["id"])["instances"]
    assert numbers(second) == numbers(behind) == [4, 3, 2, 1, 0]
    assert numbers(project.get("/api/1/instances", limit=3)["instances"]) == [24, 23, 22]
    assert numbers(project.get("/api/1/instances/", lastId=first[1]["id"], limit=2)["instances"]) == [22, 21]
    one = project.get(f"/api/1/instance/{first[0]['id']}")
    assert (one["data"]["uuid"], one["version"], one["timestamp"]) == (sent[-1], 2, first[0]["timestamp"])
    assert one["id"] < 2 ** 53


@pytest.mark.parametrize("how", ["json", "form", "multipart"])
def test_deploys_are_told_in_any_form(project, how):
    fields = {"environment": "production", "revision": "abc123", "local_username": "anna", "comment": "Deploy Test", "status": "started"}
    bodies = {"json": {"json": fields}, "form": {"data": fields | {"access_token": TOKEN}}, "multipart": {"files": {name: (None, value) for name, value in fields.items()}}}
    told = project.call("POST", "/api/1/deploy/", **bodies[how])
    identity = told.json()["data"]["deploy_id"]
    assert told.status_code == 200 and told.json()["result"]["id"] == identity
    ended = project.call("PATCH", f"/api/1/deploy/{identity}", params={"access_token": TOKEN}, json={"status": "succeeded"}).json()["result"]
    assert (ended["id"], ended["status"], ended["comment"]) == (identity, "succeeded", "Deploy Test") and ended["finish_time"]
    (listed,) = project.get("/api/1/deploys")["deploys"]
    assert listed == ended == project.get(f"/api/1/deploy/{identity}")
    project.post(error(code_version="abc123"))
    assert project.get(f"/api/1/item/{project.only_item()['id']}")["suspect_deploy"]["id"] == identity
    assert [one["environment"] for one in project.get("/api/1/environments")["environments"]] == ["production"]
    project.refused(422, "Invalid format. revision is missing and it is required.", "POST", "/api/1/deploy", json={"environment": "production"})
    project.refused(404, "Not found", "PATCH", "/api/1/deploy/1", json={"status": "failed"})


def test_the_command_lines_captured_deploy(project):
    fields = {"revision": "1.0.1", "environment": "production", "status": "started", "rollbar_username": "foobar", "local_username": "foo_bar", "comment": "Deploy Test"}
    answer = requests.post(project.server.url("/api/1/deploy"), json=fields, timeout=30,
                           headers={"Host": "api.rollbar.com", "X-Rollbar-Access-Token": TOKEN, "User-Agent": "axios/0.24.0"})
    assert answer.status_code == 200 and answer.json()["data"]["deploy_id"] > 0


def test_people_and_reports(project):
    for name in ("anna", None):
        project.post(error(person={"id": 7, "username": name, "email": None}))
    project.post(error("other", level="critical"))
    (person,) = project.get("/api/1/people")["people"]
    assert (person["id"], person["username"], person["occurrences"]) == ("7", "anna", 2)
    top = project.get("/api/1/reports/top_active_items", hours=2, environments="production")
    assert [(one["item"]["level"], one["item"]["occurrences"], one["counts"][-1] + one["counts"][-2]) for one in top] == [(50, 1, 1), (40, 2, 2)]
    project.refused(422, "hours must be between 1 and 168", "GET", "/api/1/reports/top_active_items", params={"hours": 169})


def test_series_of_occurrences_and_activations(project):
    for level in ("error", "error", "critical", "warning"):
        project.post(error(level, level=level))
    project.post(error("elsewhere", environment="staging"))
    path = "/api/1/reports/occurrence_counts"
    for size, buckets in ((60, 3), (3600, 2), (86400, 60)):
        series = project.get(path, bucket_size=size, buckets=buckets, environments="production")
        assert len(series) == buckets and sum(count for _, count in series) == 3
        assert all(start % size == 0 for start, _ in series) and series[1][0] - series[0][0] == size
    total = lambda path, **filters: sum(count for _, count in project.get(path, **filters))
    assert total(path) == 4 and total(path, min_level="debug") == 5 and total(path, max_level="error") == 3
    (item,) = project.items(level="critical")
    assert total(path, item_id=item["id"]) == 1
    assert total("/api/1/reports/activated_counts", min_level="debug") == 4 and total("/api/1/reports/activated_counts", environments="staging") == 1
    for filters, said in [({"bucket_size": 5}, "bucket_size must be one of 60, 3600, 86400"), ({"buckets": 1}, "buckets must be between 2 and 366"),
                          ({"bucket_size": 60, "buckets": 241}, "buckets must be between 2 and 240"), ({"min_level": "odd"}, "odd is not a valid level")]:
        project.refused(422, said, "GET", path, params=filters)


def test_projects_and_tokens_of_an_account(start):
    server = start("--auth", "required")
    account = Project(server, make_key(server, "shop", "rollbar", "--scopes", "account:read,account:write"))
    own = Project(server, make_key(server, "shop", "rollbar"))
    own.refused(403, "insufficient privileges", "GET", "/api/1/projects")
    account.refused(403, "insufficient privileges: an account token posts no items.", "POST", "/api/1/item/", json={"data": MESSAGE})
    (first,) = account.get("/api/1/projects")
    assert (first["name"], first["status"]) == ("shop", "enabled")
    second = account.call("POST", "/api/1/projects", json={"name": "Billing"}).json()["result"]
    account.refused(422, "Project with this name already exists", "POST", "/api/1/projects", json={"name": "Billing"})
    assert account.call("POST", "/api/1/projects", json={"name": "9"}).status_code == 422
    tokens = f"/api/1/project/{second['id']}/access_tokens"
    made = account.call("POST", tokens, json={"name": "post", "scopes": ["post_server_item", "read"], "rate_limit_window_count": 3, "rate_limit_window_size": 60}).json()["result"]
    billing = Project(server, made["access_token"])
    billing.post(MESSAGE)
    assert billing.only_item()["project_id"] == second["id"] and own.items() == []
    limited = billing.call("GET", "/api/1/items/")
    assert (limited.status_code, limited.headers["X-Rate-Limit-Limit"], limited.headers["X-Rate-Limit-Remaining"]) == (200, "3", "0")
    billing.refused(429, "the access token's rate limit is reached", "GET", "/api/1/items/")
    (listed,) = account.get(tokens)
    assert listed["access_token"] != made["access_token"] and listed["scopes"] == ["post_server_item", "read"] and listed["rate_limit_window_count"] == 3
    path = f"/api/1/project/{second['id']}/access_token/{made['access_token']}"
    assert account.call("PATCH", path, json={"rate_limit_window_count": 0}).json()["result"]["rate_limit_window_count"] is None
    assert billing.items(project_ids=first["id"])[0]["project_id"] == second["id"], "a token's list is its project's"
    assert [item["project_id"] for item in account.items(project_ids=[first["id"], second["id"]])] == [second["id"]]
    assert account.call("DELETE", path).json()["result"] == "Access token has been deleted."
    assert billing.call("GET", "/api/1/items/").status_code == 403
    account.refused(404, "Project not found in this account.", "GET", "/api/1/project/1")
    account.refused(422, "project_id is missing and an account token requires it.", "GET", "/api/1/deploys")
    other = Project(server, make_key(server, "other", "rollbar", "--scopes", "account:read"))
    other.refused(404, "Project not found in this account.", "GET", f"/api/1/project/{second['id']}")


def test_what_is_not_built_answers_in_the_vendors_form(project):
    for method, path in [("GET", "/api/1/teams"), ("GET", "/api/1/users"), ("POST", "/api/1/sourcemap"), ("PUT", "/api/1/team/1/user/2"),
                         ("GET", "/api/1/notifications/pagerduty"), ("DELETE", "/api/1/instance/1"), ("POST", "/api/1/session/")]:
        project.refused(404, "Not found", method, path)
