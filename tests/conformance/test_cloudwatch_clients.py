"""Clients of CloudWatch Logs as people use them, unmodified: watchtower below logging and Flask, and awslogs. Environment
variables are all they get."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from cloudwatch import client, fresh, now_ms, put
from conftest import Server

AWSLOGS = Path(sys.executable).with_name("awslogs")


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    running = Server(tmp_path_factory.mktemp("cloudwatch-clients"))
    yield running
    running.stop()


@pytest.fixture(scope="module")
def logs(server):
    return client(server)


def environment(server, name="AWS_ENDPOINT_URL_CLOUDWATCH_LOGS"):
    kept = {key: value for key, value in os.environ.items() if not key.startswith("AWS_")}
    return {**kept, name: server.url(""), "AWS_DEFAULT_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "any",
            "AWS_SECRET_ACCESS_KEY": "any", "AWS_EC2_METADATA_DISABLED": "true"}


def run(server, program, **more):
    done = subprocess.run([sys.executable, "-W", "error::watchtower.WatchtowerWarning", "-c", program],
                          env=environment(server, **more), capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    # A handler that cannot send says so on the error stream.
    assert "Traceback" not in done.stderr and "WatchtowerWarning" not in done.stderr, done.stderr
    return done.stdout


def everything(logs, group):
    pages = logs.get_paginator("filter_log_events").paginate(logGroupName=group)
    return [event["message"] for page in pages for event in page["events"]]


@pytest.mark.parametrize("queues", [True, False])
def test_watchtower_below_flask(server, logs, queues):
    group = f"flask-{queues}"
    run(server, f"""
import logging, time
import watchtower
from flask import Flask, request
logger = logging.getLogger("backend")
logger.setLevel(logging.DEBUG)
logger.addHandler(watchtower.CloudWatchLogHandler(log_group="{group}", use_queues={queues}))
app = Flask("app")

@app.after_request
def after_request(response):
    timestamp = time.strftime("[%Y-%b-%d %H:%M]")
    logger.error("%s %s %s %s %s %s", timestamp, request.remote_addr, request.method, request.scheme, request.full_path, response.status)
    return response

@app.get("/api/activities/home")
def home():
    logger.info("HomeActivities")
    logger.info({{"route": "/api/activities/home", "user": {{"handle": "andrew"}}, "ms": 12.5}})
    try:
        1 / 0
    except ZeroDivisionError:
        logger.exception("boom é 日本")
    return "[]"

visitor = app.test_client()
assert visitor.get("/api/activities/home").status_code == 200
assert visitor.get("/nowhere").status_code == 404
logging.shutdown()
""")
    found = everything(logs, group)
    assert len(found) == 5
    assert "HomeActivities" in found
    assert {"route": "/api/activities/home", "user": {"handle": "andrew"}, "ms": 12.5} in [json.loads(one) for one in found if one[0] == "{"]
    (boom,) = [one for one in found if one.startswith("boom é 日本\nTraceback")]
    assert boom.endswith("ZeroDivisionError: division by zero")
    lines = sorted(one for one in found if one[0] == "[")
    assert re.fullmatch(r"\[\d{4}-\w{3}-\d\d \d\d:\d\d\] 127\.0\.0\.1 GET http /api/activities/home\? 200 OK", lines[0])
    assert lines[1].endswith("GET http /nowhere? 404 NOT FOUND")
    (stream,) = logs.describe_log_streams(logGroupName=group)["logStreams"]
    assert "/backend/" in stream["logStreamName"]


def test_watchtower_tags_its_group_and_keeps_it_so_long(server, logs):
    # With one endpoint for all services it asks STS for the account, and writes the group's ARN with that.
    run(server, """
import logging, watchtower
handler = watchtower.CloudWatchLogHandler("tagged", log_group_tags={"team": "shop"}, log_group_retention_days=14, log_stream_name="{machine_name}")
logging.getLogger("a").addHandler(handler)
logging.getLogger("a").error("kept")
handler.close()
# A second process finds all of it.
again = watchtower.CloudWatchLogHandler("tagged", log_group_tags={"team": "shop"}, log_group_retention_days=14, log_stream_name="{machine_name}")
again.close()
""", name="AWS_ENDPOINT_URL")
    (group,) = logs.describe_log_groups(logGroupNamePrefix="tagged")["logGroups"]
    assert group["retentionInDays"] == 14
    assert logs.list_tags_for_resource(resourceArn=group["logGroupArn"])["tags"] == {"team": "shop"}
    assert everything(logs, "tagged") == ["kept"]


def test_watchtower_from_many_threads_loses_nothing(server, logs):
    run(server, """
import logging, threading, watchtower
logger = logging.getLogger("many")
logger.setLevel(logging.INFO)
handler = watchtower.CloudWatchLogHandler("many", log_stream_name="all", send_interval=1, max_batch_count=100)
logger.addHandler(handler)
# While it makes its stream, the handler drops what other threads write.
logger.info("first")
handler.flush()
def write(name):
    for number in range(500):
        logger.info("%s %s", name, number)
threads = [threading.Thread(target=write, args=(name,)) for name in range(4)]
for thread in threads: thread.start()
for thread in threads: thread.join()
logging.shutdown()
""")
    assert sorted(everything(logs, "many")) == sorted(["first", *(f"{name} {number}" for name in range(4) for number in range(500))])


def awslogs(server, *words):
    done = subprocess.run([AWSLOGS, *words, "--aws-endpoint-url", server.url("")], env=environment(server), capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr + done.stdout
    # Columns are filled with blanks.
    return [" ".join(line.split()) for line in done.stdout.splitlines()]


def test_awslogs(server, logs):
    group = fresh(logs, "awslogs", stream="web-1")
    logs.create_log_stream(logGroupName=group, logStreamName="job")
    at = now_ms() - 60_000
    put(logs, group, [(at, "ERROR one"), (at + 2, "fine")], stream="web-1")
    put(logs, group, [(at + 1, "ERROR two é")], stream="job")
    assert group in awslogs(server, "groups")
    assert sorted(awslogs(server, "streams", group)) == ["job", "web-1"]
    assert awslogs(server, "get", group, "--color", "never", "-s", "1h") == [
        f"{group} web-1 ERROR one", f"{group} job ERROR two é", f"{group} web-1 fine"]
    assert awslogs(server, "get", group, "web.*", "-G", "-S", "--color", "never", "-s", "1h") == ["ERROR one", "fine"]
    assert awslogs(server, "get", group, "ALL", "-G", "-S", "--color", "never", "-s", "1h", "-f", "ERROR") == ["ERROR one", "ERROR two é"]
