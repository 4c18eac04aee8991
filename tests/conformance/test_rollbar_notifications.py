"""Rollbar's notifications: rules decide what is told, webhooks get the vendor's form and Slack's receivers theirs, once each,
also when the receiver or the server was away; a test button says at once whether a receiver is there."""

import time

import pytest
from conftest import Server
from receiver import Receiver
from test_rollbar_api import error, patch
from test_rollbar_items import Project


@pytest.fixture
def receiver():
    receiver = Receiver("/hook")
    yield receiver
    receiver.stop()


@pytest.fixture
def project(start):
    return Project(start("--private-webhooks", "--public-url", "https://tracery.example"))


def events(receiver):
    return [body["event_name"] for body in list(receiver.bodies)]


def until(is_so, seconds=30):
    deadline = time.time() + seconds
    while not (found := is_so()):
        assert time.time() < deadline, "it did not come to be so"
        time.sleep(0.05)
    return found


def call(project, method, path, body=None, expect=200):
    answer = project.call(method, f"/api/1/notifications/{path}", **({} if body is None else {"json": body}))
    assert answer.status_code == expect, answer.text
    return answer.json()["result"] if expect == 200 else answer.json()["message"]


def test_rules_are_kept_changed_and_checked(project, receiver):
    assert call(project, "GET", "webhook") == {"enabled": False}
    set_to = call(project, "PUT", "webhook", {"enabled": True, "url": receiver.url})
    assert call(project, "GET", "webhook") == set_to == {"enabled": True, "url": receiver.url}
    made = call(project, "POST", "webhook/rules", [
        {"trigger": "new_item", "filters": [{"type": "level", "operation": "gte", "value": "error"}]},
        {"trigger": "deploy", "status": "disabled", "config": {"url": receiver.url}}])
    assert [rule["status"] for rule in made] == ["enabled", "disabled"] and made[0]["action"] == "send_webhook"
    assert call(project, "GET", "webhook/rules") == made and call(project, "GET", "slack/rules") == []
    path = f"webhook/rule/{made[1]['id']}"
    assert call(project, "PUT", path, {"status": "enabled"})["status"] == "enabled"
    assert call(project, "GET", path)["trigger"] == "deploy"
    call(project, "DELETE", path)
    call(project, "GET", path, expect=404)
    replaced = call(project, "PUT", "webhook/rules", [{"trigger": "occurrence"}])
    assert [rule["trigger"] for rule in call(project, "GET", "webhook/rules")] == ["occurrence"] and replaced[0]["id"] != made[0]["id"]
    for rules, reason in [([{"trigger": "daily_summary"}], "daily_summary"), ([{"trigger": "new_item", "filters": [{"type": "moon"}]}], "moon"),
                          ([{"trigger": "new_item", "config": {"url": "file:///etc/passwd"}}], "http://"), ({"trigger": "new_item"}, "array"),
                          ([{"trigger": "occurrence"}] * 101, "at most 100")]:
        assert reason in call(project, "POST", "webhook/rules", rules, expect=422)
    assert call(project, "GET", "email", expect=404) == "Not found"


def test_what_rules_want_is_told_in_the_vendors_form(project, receiver):
    call(project, "PUT", "webhook", {"enabled": True, "url": receiver.url})
    only = [{"type": "environment", "operation": "eq", "value": "production"}]
    call(project, "POST", "webhook/rules", [{"trigger": event, "filters": only} for event in (
        "new_item", "resolved_item", "reopened_item", "reactivated_item", "exp_repeat_item", "deploy")])
    project.post(error("quiet", environment="staging"))
    for _ in range(10):
        project.post(error("total"))
    until(lambda: {"new_item", "exp_repeat_item"} <= set(events(receiver)))
    item = next(item for item in project.items() if item["environment"] == "production")
    patch(project, item, status="resolved")
    patch(project, item, status="active")
    patch(project, item, status="resolved")
    project.post(error("total"))
    deploy = project.call("POST", "/api/1/deploy/", json={"environment": "production", "revision": "abc", "local_username": "ada"})
    assert deploy.status_code == 200, deploy.text
    wanted = ["new_item", "exp_repeat_item", "resolved_item", "resolved_item", "reopened_item", "reactivated_item", "deploy"]
    until(lambda: sorted(events(receiver)) == sorted(wanted))
    told = {body["event_name"]: body["data"] for body in receiver.bodies}
    new = told["new_item"]["item"]
    assert (new["id"], new["counter"], new["level"], new["environment"]) == (item["id"], item["counter"], 40, "production")
    assert new["last_occurrence"]["body"]["trace"]["exception"]["class"] == "KeyError"
    assert told["exp_repeat_item"]["occurrences"] == 10 and told["deploy"]["deploy"]["revision"] == "abc"


def test_slack_gets_a_message_by_template(project, receiver):
    call(project, "PUT", "slack", {"enabled": True, "url": receiver.url})
    call(project, "POST", "slack/rules", [{"trigger": "new_item", "config": {"channel": "#ops", "message_template": "{{level}} in {{environment}}: {{body.body.trace.exception.class}} {{link}}"}}])
    project.post(error("total"))
    message = until(lambda: receiver.bodies)[0]
    item = project.only_item()
    assert message["text"] == f"error in production: KeyError https://tracery.example/errors/item/{item['id']}"
    assert message["channel"] == "#ops" and message["attachments"][0]["color"] == "danger"


def test_a_receiver_that_was_away_is_told_later_also_over_a_restart(tmp_path, receiver):
    receiver.status = 503
    server = Server(tmp_path, "--private-webhooks")
    project = Project(server)
    call(project, "PUT", "webhook", {"enabled": True, "url": receiver.url})
    rule = call(project, "POST", "webhook/rules", [{"trigger": "new_item"}])[0]
    project.post(error("total"))
    history = lambda: call(project, "GET", f"webhook/rule/{rule['id']}/history")
    until(lambda: [line["outcome"] for line in history()][-1:] == ["failed"])
    assert "503" in history()[-1]["detail"]
    server.stop()
    receiver.status = 200
    server = Server(tmp_path, "--private-webhooks")
    project = Project(server)
    until(lambda: events(receiver) == ["new_item"])
    assert until(history)[0]["outcome"] == "delivered"
    server.stop()


def test_the_test_button_and_what_may_not_be_reached(project, receiver, tmp_path_factory):
    call(project, "PUT", "webhook", {"enabled": True, "url": receiver.url})
    assert call(project, "POST", "webhook/test", {}) == "A test was delivered." and events(receiver) == ["test"]
    receiver.status = 500
    assert "500" in call(project, "POST", "webhook/test", {}, expect=422)
    server = Server(tmp_path_factory.mktemp("closed"))
    closed = Project(server)
    for url in (receiver.url, "http://169.254.169.254/latest/meta-data"):
        assert "not public" in call(closed, "PUT", "webhook", {"enabled": True, "url": url}, expect=422)
    server.stop()
