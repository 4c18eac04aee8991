"""CloudWatch Logs' groups and streams through boto3: their life, names, lists, tags, retention and protection, with good and
bad input, in the vendor's words."""

import pytest
from cloudwatch import client, fresh, invalid, messages, missing, now_ms, put, refused
from conftest import Server

RETENTIONS = [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653]
NO_GROUP = "The specified log group does not exist."
NO_STREAM = "The specified log stream does not exist."
BAD_NAMES = ["", "with space", "a:b", "a*", "g" * 513, "é", "a\nb"]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    running = Server(tmp_path_factory.mktemp("cloudwatch-groups"))
    yield running
    running.stop()


@pytest.fixture(scope="module")
def logs(server):
    return client(server)


def described(logs, name):
    (group,) = [one for one in logs.describe_log_groups(logGroupNamePrefix=name)["logGroups"] if one["logGroupName"] == name]
    return group


def names_of(answer):
    return [group["logGroupName"] for group in answer["logGroups"]]


def test_a_group_lives(logs):
    before = now_ms()
    logs.create_log_group(logGroupName="/aws/lambda/life", tags={"team": "shop"})
    group = described(logs, "/aws/lambda/life")
    assert set(group) == {"arn", "creationTime", "deletionProtectionEnabled", "logGroupArn", "logGroupClass", "logGroupName",
                          "metricFilterCount", "storedBytes"}
    assert before <= group["creationTime"] <= now_ms()
    assert (group["logGroupClass"], group["metricFilterCount"], group["storedBytes"]) == ("STANDARD", 0, 0)
    assert group["deletionProtectionEnabled"] is False
    assert group["arn"] == group["logGroupArn"] + ":*"
    assert group["logGroupArn"].startswith("arn:aws:logs:eu-west-1:") and group["logGroupArn"].endswith(":log-group:/aws/lambda/life")
    refused("ResourceAlreadyExistsException", logs.create_log_group, "The specified log group already exists", logGroupName="/aws/lambda/life")
    logs.delete_log_group(logGroupName="/aws/lambda/life")
    assert logs.describe_log_groups(logGroupNamePrefix="/aws/lambda/life")["logGroups"] == []
    missing(logs.delete_log_group, NO_GROUP, logGroupName="/aws/lambda/life")


def test_a_class_is_chosen_once(logs):
    for kind in ("STANDARD", "INFREQUENT_ACCESS"):
        logs.create_log_group(logGroupName=f"class-{kind}", logGroupClass=kind)
        assert described(logs, f"class-{kind}")["logGroupClass"] == kind
    assert names_of(logs.describe_log_groups(logGroupNamePrefix="class-", logGroupClass="INFREQUENT_ACCESS")) == ["class-INFREQUENT_ACCESS"]
    invalid(logs.create_log_group, logGroupName="class-bad", logGroupClass="GOLD")


@pytest.mark.parametrize("name", BAD_NAMES, ids=lambda name: repr(name)[:12])
def test_a_bad_group_name_is_refused(logs, name):
    invalid(logs.create_log_group, logGroupName=name)


def test_a_name_has_a_length(logs):
    # The message as recorded from the vendor's service.
    too_long = "Invalid LogGroup or LogStream, both must have length less than or equal to 512."
    invalid(logs.create_log_group, too_long, logGroupName="g" * 513)
    name = "l" * 512
    logs.create_log_group(logGroupName=name)
    assert described(logs, name)["logGroupName"] == name
    logs.delete_log_group(logGroupName=name)


def test_groups_are_listed_by_name_a_page_at_a_time(logs):
    wanted = sorted([f"page/{number}" for number in range(12)] + ["page/Upper", "page/_under", "page/-dash"])
    for name in reversed(wanted):
        logs.create_log_group(logGroupName=name)
    pages = logs.get_paginator("describe_log_groups").paginate(logGroupNamePrefix="page/", PaginationConfig={"PageSize": 4})
    pages = [names_of(page) for page in pages]
    assert sum(pages, []) == wanted and all(len(page) <= 4 for page in pages) and len(pages) >= 4
    assert names_of(logs.describe_log_groups(logGroupNamePattern="under")) == ["page/_under"]
    assert names_of(logs.describe_log_groups(logGroupNamePattern="UPPER")) == []
    assert names_of(logs.describe_log_groups(logGroupNamePrefix="page/upper")) == []
    assert "nextToken" not in logs.describe_log_groups(logGroupNamePrefix="page/", limit=50)
    listed = logs.list_log_groups(logGroupNamePattern="^page/1|_under")["logGroups"]
    assert [group["logGroupName"] for group in listed] == ["page/1", "page/10", "page/11", "page/_under"]
    assert set(listed[0]) == {"logGroupName", "logGroupArn", "logGroupClass"}


def test_bad_lists_are_refused(logs):
    exclusive = "LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters."
    invalid(logs.describe_log_groups, exclusive, logGroupNamePrefix="a", logGroupNamePattern="b")
    for limit in (0, 51, -1):
        invalid(logs.describe_log_groups, "1 validation error detected: ...", limit=limit)
    invalid(logs.describe_log_groups, "The specified nextToken is invalid.", nextToken="made up")
    invalid(logs.describe_log_groups, logGroupClass="GOLD")
    invalid(logs.list_log_groups, limit=1001)


def test_constraints_are_named_as_the_vendor_names_them(logs):
    group = fresh(logs)
    invalid(logs.filter_log_events,
            "1 validation error detected: Value '10001' at 'limit' failed to satisfy constraint: "
            "Member must have value less than or equal to 10000", logGroupName=group, limit=10001)


def test_regions_are_kept_apart(server, logs):
    there = client(server, region="us-west-2")
    logs.create_log_group(logGroupName="region/both")
    there.create_log_group(logGroupName="region/both")
    there.create_log_group(logGroupName="region/there")
    assert names_of(logs.describe_log_groups(logGroupNamePrefix="region/")) == ["region/both"]
    assert ":us-west-2:" in described(there, "region/both")["arn"]
    for one, text in ((logs, "here"), (there, "there")):
        one.create_log_stream(logGroupName="region/both", logStreamName="stream")
        put(one, "region/both", [text])
    assert messages(logs.filter_log_events(logGroupName="region/both")) == ["here"]
    there.delete_log_group(logGroupName="region/both")
    assert messages(logs.filter_log_events(logGroupName="region/both")) == ["here"]


def test_retention(logs):
    group = fresh(logs)
    for days in RETENTIONS:
        logs.put_retention_policy(logGroupName=group, retentionInDays=days)
        assert described(logs, group)["retentionInDays"] == days
    for days in (0, 2, 10, 9999, -1):
        invalid(logs.put_retention_policy, logGroupName=group, retentionInDays=days)
    logs.delete_retention_policy(logGroupName=group)
    assert "retentionInDays" not in described(logs, group)
    for call, more in ((logs.put_retention_policy, {"retentionInDays": 1}), (logs.delete_retention_policy, {})):
        missing(call, NO_GROUP, logGroupName="nobody", **more)


def test_what_is_older_than_the_retention_is_hidden_at_once(logs):
    group = fresh(logs)
    hour = 3600 * 1000
    put(logs, group, [(now_ms() - 48 * hour, "old")])
    put(logs, group, [(now_ms(), "new")])
    assert messages(logs.filter_log_events(logGroupName=group)) == ["old", "new"]
    logs.put_retention_policy(logGroupName=group, retentionInDays=1)
    assert messages(logs.filter_log_events(logGroupName=group)) == ["new"]
    assert messages(logs.get_log_events(logGroupName=group, logStreamName="stream", startFromHead=True)) == ["new"]
    answer = put(logs, group, [(now_ms() - 25 * hour, "expired"), (now_ms() - 2 * hour, "kept")])
    assert answer["rejectedLogEventsInfo"] == {"expiredLogEventEndIndex": 1}
    assert messages(logs.filter_log_events(logGroupName=group)) == ["kept", "new"]


def test_a_protected_group_stays(logs):
    group = fresh(logs)
    logs.put_log_group_deletion_protection(logGroupIdentifier=group, deletionProtectionEnabled=True)
    assert described(logs, group)["deletionProtectionEnabled"] is True
    refused("ValidationException", logs.delete_log_group, logGroupName=group)
    logs.put_log_group_deletion_protection(logGroupIdentifier=described(logs, group)["logGroupArn"], deletionProtectionEnabled=False)
    logs.delete_log_group(logGroupName=group)
    missing(logs.put_log_group_deletion_protection, logGroupIdentifier=group, deletionProtectionEnabled=True)
    logs.create_log_group(logGroupName=group, deletionProtectionEnabled=True)
    refused("ValidationException", logs.delete_log_group, logGroupName=group)


def test_tags_by_arn_and_by_name(logs):
    group = fresh(logs)
    arn = described(logs, group)["logGroupArn"]
    logs.tag_resource(resourceArn=arn, tags={"a": "1", "b": ""})
    logs.tag_log_group(logGroupName=group, tags={"b": "2", "c": "3"})
    assert logs.list_tags_for_resource(resourceArn=arn)["tags"] == {"a": "1", "b": "2", "c": "3"}
    logs.untag_resource(resourceArn=arn, tagKeys=["a", "nothing"])
    logs.untag_log_group(logGroupName=group, tags=["c"])
    assert logs.list_tags_log_group(logGroupName=group)["tags"] == {"b": "2"}
    for call, more in ((logs.tag_resource, {"tags": {"k": "v"}}), (logs.untag_resource, {"tagKeys": ["k"]}), (logs.list_tags_for_resource, {})):
        missing(call, resourceArn=arn + "x", **more)
        invalid(call, resourceArn="no arn", **more)
    for call, more in ((logs.tag_log_group, {"tags": {"k": "v"}}), (logs.untag_log_group, {"tags": ["k"]}), (logs.list_tags_log_group, {})):
        missing(call, NO_GROUP, logGroupName="nobody", **more)
    too_many = refused("TooManyTagsException", logs.tag_resource, resourceArn=arn, tags={f"k{number}": "" for number in range(50)})
    assert too_many["resourceName"] == arn
    for tags in ({"": "v"}, {"k" * 129: "v"}, {"k": "v" * 257}, {"aws:k": "v"}):
        invalid(logs.tag_resource, resourceArn=arn, tags=tags)


def test_a_stream_lives(logs):
    group = fresh(logs, stream=None)
    before = now_ms()
    name = "host/program/[$LATEST]é"
    logs.create_log_stream(logGroupName=group, logStreamName=name)
    (stream,) = logs.describe_log_streams(logGroupName=group)["logStreams"]
    assert set(stream) == {"arn", "creationTime", "logStreamName", "storedBytes"}
    assert stream["logStreamName"] == name and stream["storedBytes"] == 0 and before <= stream["creationTime"] <= now_ms()
    assert stream["arn"] == f"{described(logs, group)['logGroupArn']}:log-stream:{name}"
    refused("ResourceAlreadyExistsException", logs.create_log_stream, "The specified log stream already exists",
            logGroupName=group, logStreamName=name)
    at = now_ms()
    put(logs, group, ["one", "two"], stream=name, at=at)
    (stream,) = logs.describe_log_streams(logGroupIdentifier=described(logs, group)["logGroupArn"])["logStreams"]
    assert (stream["firstEventTimestamp"], stream["lastEventTimestamp"]) == (at, at + 1)
    assert at - 1000 <= stream["lastIngestionTime"] <= now_ms() and stream["uploadSequenceToken"]
    logs.delete_log_stream(logGroupName=group, logStreamName=name)
    assert logs.describe_log_streams(logGroupName=group)["logStreams"] == []
    missing(logs.delete_log_stream, NO_STREAM, logGroupName=group, logStreamName=name)
    missing(logs.delete_log_stream, NO_GROUP, logGroupName="nobody", logStreamName=name)
    missing(logs.create_log_stream, NO_GROUP, logGroupName="nobody", logStreamName=name)
    for bad in ("", "a:b", "a*", "s" * 513):
        invalid(logs.create_log_stream, logGroupName=group, logStreamName=bad)


def test_streams_are_listed_by_name_or_by_their_last_event(logs):
    group = fresh(logs, stream=None)
    at = now_ms()
    wanted = ["a", "a/b", "b", "c", "d"]
    for order, name in enumerate(reversed(wanted)):
        logs.create_log_stream(logGroupName=group, logStreamName=name)
        put(logs, group, [name], stream=name, at=at + order)

    def listed(**more):
        pages = logs.get_paginator("describe_log_streams").paginate(logGroupName=group, PaginationConfig={"PageSize": 2}, **more)
        return [stream["logStreamName"] for page in pages for stream in page["logStreams"]]

    assert listed() == listed(orderBy="LogStreamName") == wanted
    assert listed(descending=True) == wanted[::-1]
    assert listed(logStreamNamePrefix="a") == ["a", "a/b"]
    assert listed(orderBy="LastEventTime", descending=True) == wanted
    assert listed(orderBy="LastEventTime") == wanted[::-1]
    invalid(logs.describe_log_streams, logGroupName=group, logStreamNamePrefix="a", orderBy="LastEventTime")
    for bad in ({"orderBy": "Size"}, {"limit": 51}, {"limit": 0}, {"nextToken": "made up"}):
        invalid(logs.describe_log_streams, logGroupName=group, **bad)
    missing(logs.describe_log_streams, NO_GROUP, logGroupName="nobody")
    refused("ValidationException", logs.describe_log_streams, "LogGroup name and LogGroup ARN are mutually exclusive parameters.",
            logGroupName=group, logGroupIdentifier=group)


def test_what_was_deleted_does_not_come_back_with_its_name(logs):
    group = fresh(logs)
    put(logs, group, ["before"])
    logs.delete_log_stream(logGroupName=group, logStreamName="stream")
    assert messages(logs.filter_log_events(logGroupName=group)) == []
    logs.create_log_stream(logGroupName=group, logStreamName="stream")
    assert messages(logs.get_log_events(logGroupName=group, logStreamName="stream", startFromHead=True)) == []
    put(logs, group, ["between"])
    logs.delete_log_group(logGroupName=group)
    missing(logs.filter_log_events, NO_GROUP, logGroupName=group)
    logs.create_log_group(logGroupName=group)
    assert logs.describe_log_streams(logGroupName=group)["logStreams"] == []
    logs.create_log_stream(logGroupName=group, logStreamName="stream")
    put(logs, group, ["after"])
    assert messages(logs.filter_log_events(logGroupName=group)) == ["after"]


def test_groups_and_events_survive_a_restart(tmp_path):
    first = Server(tmp_path)
    logs = client(first)
    logs.create_log_group(logGroupName="kept", tags={"k": "v"})
    logs.put_retention_policy(logGroupName="kept", retentionInDays=7)
    logs.create_log_stream(logGroupName="kept", logStreamName="stream")
    put(logs, "kept", ["still here"])
    group, found = described(logs, "kept"), logs.filter_log_events(logGroupName="kept")["events"]
    stream = logs.describe_log_streams(logGroupName="kept")["logStreams"]
    first.stop()
    second = Server(tmp_path)
    try:
        logs = client(second)
        assert {**described(logs, "kept"), "storedBytes": 0} == {**group, "storedBytes": 0}
        assert logs.list_tags_log_group(logGroupName="kept")["tags"] == {"k": "v"}
        assert logs.filter_log_events(logGroupName="kept")["events"] == found
        again = logs.describe_log_streams(logGroupName="kept")["logStreams"]
        for figure in ("firstEventTimestamp", "lastEventTimestamp", "lastIngestionTime"):
            assert again[0][figure] == stream[0][figure]
    finally:
        second.stop()
