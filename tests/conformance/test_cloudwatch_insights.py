"""Logs Insights through boto3: the queries of insights/*.toml and the rows that the vendor's documentation says they give,
and the operations around them. Numbers are compared as numbers, everything else as text."""

import math
import time
import tomllib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cloudwatch import ask, client, fresh, invalid, missing, now_ms, put, refused, until
from conftest import Server

FOLDER = Path(__file__).parent / "insights"
EVENTS = tomllib.loads((FOLDER / "events.toml").read_text())["groups"]
QUERIES = tomllib.loads((FOLDER / "queries.toml").read_text())["query"]
FUNCTIONS = tomllib.loads((FOLDER / "functions.toml").read_text())
# Everything of one hour, long enough ago that all of it has happened.
BASE = int(time.time()) // 3600 * 3600 - 2 * 3600
RANGE = {"start": BASE, "end": BASE + 3600 - 1}
UNKNOWN_QUERY = "11111111-1111-4111-8111-111111111111"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    running = Server(tmp_path_factory.mktemp("cloudwatch-insights"))
    yield running
    running.stop()


@pytest.fixture(scope="module")
def logs(server):
    made = client(server)
    for group, events in EVENTS.items():
        made.create_log_group(logGroupName=group)
        for stream in {event[1] for event in events}:
            made.create_log_stream(logGroupName=group, logStreamName=stream)
            put(made, group, [((BASE + after) * 1000, message) for after, name, message in events if name == stream], stream=stream)
    return made


@pytest.fixture(scope="module")
def account(logs):
    return logs.describe_log_groups()["logGroups"][0]["arn"].split(":")[4]


def spelled(seconds):
    return (datetime.fromtimestamp(0, UTC) + timedelta(seconds=seconds)).strftime("%Y-%m-%d %H:%M:%S.000")


def meant(value, account):
    """What the file says, for this run's hour and account."""
    text = str(value).replace("{account}", account)
    if text[:2] == "@+" and text[-1] == "s":
        return spelled(BASE + int(text[2:-1]))
    if text[:2] == "#+" and text[-1] == "s":
        return str((BASE + int(text[2:-1])) * 1000)
    return text


def same(found, wanted):
    try:
        return math.isclose(float(found), float(wanted), rel_tol=1e-6, abs_tol=1e-4)
    except ValueError:
        return found == wanted


def alike(row, wanted):
    return set(row) == set(wanted) and all(same(row[name], value) for name, value in wanted.items())


def agree(rows, wanted, unordered):
    if len(rows) != len(wanted):
        return False
    if not unordered:
        return all(map(alike, rows, wanted))
    left = list(wanted)
    for row in rows:
        match = next((one for one in left if alike(row, one)), None)
        if match is None:
            return False
        left.remove(match)
    return True


def without_pointer(rows):
    return [{name: value for name, value in row.items() if name != "@ptr"} for row in rows]


@pytest.mark.parametrize("one", QUERIES, ids=[one["query"].strip() for one in QUERIES])
def test_a_query_gives_the_rows_of_the_documentation(logs, account, one):
    if one.get("not_there"):
        # Refused, and never run without the part that is not understood.
        refused("MalformedQueryException", logs.start_query, queryString=one["query"], logGroupNames=one.get("groups") or ["insights/shop"],
                startTime=BASE, endTime=BASE + 3599)
        return
    if one.get("differs"):
        pytest.xfail("docs/compat/cloudwatch-logs.md says how")
    rows, answer = ask(logs, one["query"], one.get("groups", ["insights/shop"]), **RANGE)
    rows = without_pointer(rows)
    if "count" in one:
        assert len(rows) == one["count"], rows
        return
    wanted = [{name: meant(value, account) for name, value in row.items()} for row in one["rows"]]
    assert agree(rows, wanted, one.get("unordered", False)), f"\nfound  {rows}\nwanted {wanted}"
    assert answer["statistics"]["recordsScanned"] >= 0


NOT_THERE = FUNCTIONS["not_there"]["functions"]


@pytest.mark.parametrize("name", NOT_THERE)
def test_a_function_that_is_not_there_is_refused(logs, name):
    for arguments in ("", "s", "s, 1", "s, 1, 2"):
        refused("MalformedQueryException", logs.start_query, queryString=f"fields {name}({arguments}) as r", logGroupName="functions",
                startTime=BASE, endTime=BASE + 1)


CALLS = [(f"fields {call} as r | display r", value) for call, value in FUNCTIONS["values"].items()]
CALLS = [(query, value) for query, value in CALLS if not any(f"{name}(" in query for name in NOT_THERE)]


@pytest.mark.parametrize("query, value", CALLS, ids=[query for query, _ in CALLS])
def test_an_expression_has_its_value(logs, account, query, value):
    rows, _ = ask(logs, query, ["functions"], **RANGE)
    assert agree(without_pointer(rows), [{} if value == "" else {"r": str(value)}], False), rows


MALFORMED = [
    "bogus @message", "fields @timestamp |", "| fields @timestamp", "filter status =", "filter", "stats", "stats count(* by x",
    "stats nosuch(x)", "fields nosuch(x)", "fields abs(", "fields a as", "limit ten", "limit 100001", "parse @message",
    'parse @message "*" as a, b', "filter a like /(/", "filter a in [1", 'filter "unclosed', "sort", "dedup",
    "stats count(*) by", "fields a ++ b", "filter a = 1 and", "filter (a = 1", "filter a = 1)", "fields abs()", "fields abs(1, 2)",
    "stats count(*) | stats count(*) | stats count(*) | stats",
]


@pytest.mark.parametrize("query", MALFORMED)
def test_a_malformed_query_is_refused_with_its_place(logs, query):
    answer = refused("MalformedQueryException", logs.start_query, logGroupName="insights/shop", startTime=BASE, endTime=BASE + 1, queryString=query)
    location = answer["queryCompileError"]["location"]
    assert 0 <= location["startCharOffset"] <= location["endCharOffset"] <= len(query), location
    assert answer["queryCompileError"]["message"]


def test_bad_starts_are_refused(logs, account):
    good = dict(logGroupName="insights/shop", startTime=BASE, endTime=BASE + 60, queryString="fields @message")
    answer = missing(logs.start_query, f"Log group 'nobody' does not exist for account ID '{account}'...", **{**good, "logGroupName": "nobody"})
    assert answer["Error"]["Message"]
    for change in ({"startTime": BASE + 61}, {"startTime": -1}, {"limit": 0}, {"limit": 100_001}, {"queryLanguage": "KQL"},
                   {"queryString": "#" * 10_001}, {"logGroupNames": ["insights/shop"]}, {"logGroupName": None}):
        params = {name: value for name, value in {**good, **change}.items() if value is not None}
        with pytest.raises(logs.exceptions.ClientError) as caught:
            logs.start_query(**params)
        assert caught.value.response["Error"]["Code"] in ("InvalidParameterException", "MalformedQueryException"), caught.value


def test_groups_are_named_by_name_and_by_arn(logs):
    arn = logs.describe_log_groups(logGroupNamePrefix="insights/shop")["logGroups"][0]["logGroupArn"]
    for names in ({"logGroupNames": ["insights/shop"]}, {"logGroupIdentifiers": [arn]}, {"logGroupIdentifiers": ["insights/shop"]}):
        query = logs.start_query(queryString="stats count(*) as n", startTime=BASE, endTime=BASE + 3599, **names)["queryId"]
        answer = until(lambda: logs.get_query_results(queryId=query), lambda answer: answer["status"] == "Complete")
        assert answer["results"] == [[{"field": "n", "value": "14"}]]
        assert arn in logs.list_log_groups_for_query(queryId=query)["logGroupIdentifiers"] or [
            "insights/shop"] == logs.list_log_groups_for_query(queryId=query)["logGroupIdentifiers"]


def test_both_ends_of_the_range_are_in_it(logs):
    for start, end, wanted in ((BASE, BASE, 1), (BASE, BASE + 10, 2), (BASE + 1, BASE + 9, 0), (BASE + 900, BASE + 900, 1)):
        rows, _ = ask(logs, "stats count(*) as n", ["insights/shop"], start=start, end=end)
        assert rows == [{"n": str(wanted)}]


def test_the_limit_of_a_request_holds_where_the_query_has_none(logs):
    assert len(ask(logs, "fields @message", ["insights/shop"], limit=3, **RANGE)[0]) == 3


def test_statistics_count_what_was_read(logs):
    _, answer = ask(logs, "filter status = 404 | fields path", ["insights/shop"], **RANGE)
    statistics = answer["statistics"]
    assert statistics["recordsMatched"] == 2 and statistics["recordsScanned"] >= 2 and statistics["bytesScanned"] > 0


def test_a_row_points_to_its_record(logs, account):
    rows, answer = ask(logs, "fields path | filter status = 503", ["insights/shop"], **RANGE)
    assert [one["field"] for one in answer["results"][0]] == ["path", "@ptr"]
    record = logs.get_log_record(logRecordPointer=rows[0]["@ptr"])["logRecord"]
    wanted = {"path": "/pay", "status": "503", "user.id": "u3", "error": "gateway timeout", "@logStream": "web/2",
              "@log": f"{account}:insights/shop", "@timestamp": str((BASE + 330) * 1000)}
    assert wanted.items() <= record.items(), record
    assert record["@message"] == next(message for after, _, message in EVENTS["insights/shop"] if after == 330)
    for pointer in ("made up", "", rows[0]["@ptr"][:-4]):
        with pytest.raises(logs.exceptions.ClientError) as caught:
            logs.get_log_record(logRecordPointer=pointer)
        assert caught.value.response["Error"]["Code"] in ("InvalidParameterException", "ResourceNotFoundException")


def test_fields_of_a_group(logs):
    fields = logs.get_log_group_fields(logGroupName="insights/shop", time=BASE + 300)["logGroupFields"]
    found = {field["name"]: field["percent"] for field in fields}
    assert {"@timestamp", "@message", "@logStream", "status", "user.id"} <= set(found)
    assert found["@message"] == 100 and 50 <= found["status"] <= 60, found
    missing(logs.get_log_group_fields, logGroupName="nobody")


def test_long_answers_come_in_pages(logs):
    group = fresh(logs, "paged")
    at = now_ms() - 60_000
    put(logs, group, [(at + number // 10, f"line {number}") for number in range(10_000)])
    put(logs, group, [(at + 2_000, f"line {number}") for number in range(10_000, 12_000)])
    query = logs.start_query(logGroupName=group, queryString="fields @message | limit 100000", startTime=at // 1000 - 1, endTime=at // 1000 + 60)["queryId"]
    answer = until(lambda: logs.get_query_results(queryId=query), lambda answer: answer["status"] == "Complete")
    rows, pages = answer["results"], 1
    while "nextToken" in answer:
        answer = logs.get_query_results(queryId=query, nextToken=answer["nextToken"])
        rows, pages = rows + answer["results"], pages + 1
    assert len({row[0]["value"] for row in rows}) == len(rows) == 12_000 and pages == 2
    assert len(logs.get_query_results(queryId=query, maxItems=7)["results"]) == 7
    invalid(logs.get_query_results, queryId=query, nextToken="made up")


def test_a_query_is_listed_and_stopped(logs):
    group = fresh(logs, "listed")
    put(logs, group, ["one"])
    at = int(time.time())
    query = logs.start_query(logGroupName=group, queryString="fields @message", startTime=at - 60, endTime=at)["queryId"]
    until(lambda: logs.get_query_results(queryId=query), lambda answer: answer["status"] == "Complete")
    (listed,) = logs.describe_queries(logGroupName=group)["queries"]
    assert listed["queryId"] == query and listed["status"] == "Complete" and listed["queryLanguage"] == "CWLI"
    assert listed["logGroupName"] == group
    assert listed["queryString"] == f'SOURCE "{group}" START={at - 60}000 END={at}999 | fields @message'
    assert logs.describe_queries(logGroupName=group, status="Running")["queries"] == []
    # What is over cannot be stopped.
    invalid(logs.stop_query, queryId=query)
    for call in (logs.stop_query, logs.get_query_results):
        missing(call, queryId=UNKNOWN_QUERY)
    invalid(logs.describe_queries, status="Lost")


def test_a_definition_lives(logs):
    one = logs.put_query_definition(name="shop/errors", queryString="filter status >= 500", logGroupNames=["insights/shop"])["queryDefinitionId"]
    two = logs.put_query_definition(name="other", queryString="fields @message")["queryDefinitionId"]
    assert one != two
    found = logs.describe_query_definitions()["queryDefinitions"]
    assert [definition["name"] for definition in found] == ["other", "shop/errors"]
    (shop,) = logs.describe_query_definitions(queryDefinitionNamePrefix="shop/")["queryDefinitions"]
    assert (shop["queryDefinitionId"], shop["queryString"], shop["logGroupNames"]) == (one, "filter status >= 500", ["insights/shop"])
    assert abs(shop["lastModified"] - now_ms()) < 60_000
    assert logs.put_query_definition(queryDefinitionId=one, name="shop/faults", queryString="limit 1")["queryDefinitionId"] == one
    assert [definition["name"] for definition in logs.describe_query_definitions()["queryDefinitions"]] == ["other", "shop/faults"]
    pages = [logs.describe_query_definitions(maxResults=1)]
    pages.append(logs.describe_query_definitions(maxResults=1, nextToken=pages[0]["nextToken"]))
    assert [definition["name"] for page in pages for definition in page["queryDefinitions"]] == ["other", "shop/faults"]
    for definition in (one, two):
        assert logs.delete_query_definition(queryDefinitionId=definition)["success"] is True
    missing(logs.delete_query_definition, queryDefinitionId=one)
    missing(logs.put_query_definition, queryDefinitionId=UNKNOWN_QUERY, name="n", queryString="limit 1")
    for params in ({"name": "", "queryString": "limit 1"}, {"name": "n", "queryString": ""}, {"name": "n" * 256, "queryString": "limit 1"},
                   {"name": "n"}, {"queryString": "limit 1"}):
        invalid(logs.put_query_definition, **params)


def test_a_scheduled_query_lives(logs):
    made = logs.create_scheduled_query(
        name="errors", queryLanguage="CWLI", queryString="stats count(*) as n", logGroupIdentifiers=["insights/shop"],
        scheduleExpression="cron(0 * * * ? *)", executionRoleArn="arn:aws:iam::123456789012:role/any")
    arn = made["scheduledQueryArn"]
    assert made["state"] == "ENABLED"
    assert logs.get_scheduled_query(identifier=arn)["queryString"] == "stats count(*) as n"
    assert [one["name"] for one in logs.list_scheduled_queries()["scheduledQueries"]] == ["errors"]
    changed = logs.update_scheduled_query(
        identifier="errors", queryLanguage="CWLI", queryString="limit 1", logGroupIdentifiers=["insights/shop"], scheduleExpression="cron(0 * * * ? *)",
        executionRoleArn="arn:aws:iam::123456789012:role/any", state="DISABLED")
    assert changed["state"] == "DISABLED" and changed["queryString"] == "limit 1"
    assert logs.get_scheduled_query_history(identifier=arn, startTime=BASE, endTime=BASE + 60)["triggerHistory"] == []
    logs.delete_scheduled_query(identifier=arn)
    missing(logs.get_scheduled_query, identifier=arn)
