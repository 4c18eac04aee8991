"""What happens while events arrive at CloudWatch Logs, through boto3: Live Tail, metric filters and the embedded metric
format; and what a pattern matches, asked of TestMetricFilter."""

import json
import threading

import pytest
from cloudwatch import MODEL, client, fresh, invalid, missing, now_ms, put, until
from conftest import Server
from vendor_model import fits

NO_GROUP = "The specified log group does not exist."
ACCESS = '127.0.0.1 - frank [10/Oct/2000:13:25:15 -0700] "GET /index.html HTTP/1.0" 404 1534'
BROWSER = '127.0.0.1 - anna [10/Oct/2000:13:35:22 -0700] "GET /about us/ HTTP/1.0" 200 2326'
TRAIL = json.dumps({
    "eventType": "UpdateTrail", "sourceIPAddress": "198.51.100.7", "arrayKey": ["value", "another value"],
    "objectList": [{"name": "a", "id": 1}, {"name": "b", "id": 2}], "SomeObject": None, "ThisFlag": True, "ThatFlag": False,
    "count": 7, "ratio": 0.125, "big": 4e10, "odd key": {"x.y": "z"}, "errorCode": "AccessDenied: no"})
TERMS = ["[ERROR 400] BAD REQUEST", "[ERROR 401] UNAUTHORIZED REQUEST", "[ERROR 419] MISSING ARGUMENTS", "[WARN] ERROR 420",
         "error 500", "ERRORS only"]

# Pattern, messages, the numbers of those that match. By the vendor's documentation of filter patterns.
MATCHES = [
    ("", TERMS, [1, 2, 3, 4, 5, 6]),
    (" ", TERMS, [1, 2, 3, 4, 5, 6]),
    ("ERROR", TERMS, [1, 2, 3, 4, 6]),
    ("error", TERMS, [5]),
    ("ERROR REQUEST", TERMS, [1, 2]),
    ("REQUEST ERROR", TERMS, [1, 2]),
    ('"BAD REQUEST"', TERMS, [1]),
    ('"REQUEST BAD"', TERMS, []),
    ("?400 ?ARGUMENTS", TERMS, [1, 3]),
    ("?ERROR ?error", TERMS, [1, 2, 3, 4, 5, 6]),
    ("ERROR -REQUEST", TERMS, [3, 4, 6]),
    ('ERROR -"BAD REQUEST"', TERMS, [2, 3, 4, 6]),
    ("-ERROR", TERMS, [5]),
    # Optional terms beside others are not looked at.
    ("ERROR ?WARN", TERMS, [1, 2, 3, 4, 6]),
    ('"[ERROR"', TERMS, [1, 2, 3]),
    ("%40[01]%", TERMS, [1, 2]),
    (r"%ERROR\s\d{3}%", TERMS, [1, 2, 3, 4]),
    ("%^error%", TERMS, [5]),
    ("%S$|only%", TERMS, [3, 6]),
    ("ERROR %4[12]%", TERMS, [3, 4]),
    ("[ip, id, user, timestamp, request, status_code, bytes]", [ACCESS, BROWSER, "one two"], [1, 2]),
    ("[ip, id, user, timestamp, request, status_code = 4*, bytes]", [ACCESS, BROWSER], [1]),
    ("[ip, id, user, timestamp, request = *index.html*, status_code, bytes]", [ACCESS, BROWSER], [1]),
    ("[ip, id, user, timestamp, request, status_code, bytes > 2000]", [ACCESS, BROWSER], [2]),
    ("[ip, id, user = frank || user = anna, ...]", [ACCESS, BROWSER], [1, 2]),
    ("[..., status_code = 200, bytes]", [ACCESS, BROWSER], [2]),
    ("[..., status_code != 200 && status_code != 30*, bytes]", [ACCESS, BROWSER], [1]),
    ("[ip, ..., bytes <= 1534]", [ACCESS, BROWSER], [1]),
    ("[ip = %127\\.0\\.0\\.[1-9]%, ...]", [ACCESS, "10.0.0.1 x"], [1]),
    ("[w1 = ERROR || w1 = %WARN%, w2]", ["ERROR x", "[WARN] x", "INFO x", "ERROR x y"], [1, 2]),
    ("[w1, w2 = \"two words\"]", ['a "two words"', "a [two words]", "a two words"], [1, 2]),
    ("[a, b, c]", ["1 2", "1 2 3", "1 2 3 4"], [2]),
    ('{ $.eventType = "UpdateTrail" }', [TRAIL, "no JSON", "{}"], [1]),
    ("{ $.eventType = UpdateTrail }", [TRAIL], [1]),
    ('{ $.eventType = "*Trail" }', [TRAIL], [1]),
    ('{ $.eventType = "update*" }', [TRAIL], []),
    ('{ $.sourceIPAddress != 123.123.* }', [TRAIL, '{"sourceIPAddress": "123.123.1.1"}'], [1]),
    ('{ $.arrayKey[0] = "value" }', [TRAIL], [1]),
    ('{ $.arrayKey[1] = "value" }', [TRAIL], []),
    ("{ $.objectList[1].id = 2 }", [TRAIL], [1]),
    ("{ $.objectList[2].id = 2 }", [TRAIL], []),
    ("{ $.objectList[2].id NOT EXISTS }", [TRAIL], [1]),
    ("{ $.SomeObject IS NULL }", [TRAIL, "{}"], [1]),
    ("{ $.SomeOtherObject NOT EXISTS }", [TRAIL], [1]),
    ("{ $.SomeObject NOT EXISTS }", [TRAIL], []),
    ("{ $.ThisFlag IS TRUE }", [TRAIL], [1]),
    ("{ $.ThatFlag IS FALSE }", [TRAIL], [1]),
    ("{ $.ThatFlag IS TRUE }", [TRAIL], []),
    ("{ $.count = 7 }", [TRAIL], [1]),
    ("{ $.count > 6 && $.count < 8 }", [TRAIL], [1]),
    ("{ $.count >= 8 }", [TRAIL], []),
    ("{ $.ratio <= 0.125 }", [TRAIL], [1]),
    ("{ $.big = 4e10 }", [TRAIL], [1]),
    ("{ $.count != 7 }", [TRAIL], []),
    ("{ $.status = 4* }", ['{"status": 404}', '{"status": 500}', '{"status": "404"}'], [1, 3]),
    ('{ ($.count = 1) || ($.ThisFlag IS TRUE && $.eventType = "Up*") }', [TRAIL], [1]),
    # And binds more tightly than or.
    ("{ $.count = 7 || $.count = 1 && $.ratio = 9 }", [TRAIL], [1]),
    ("{ ($.count = 7 || $.count = 1) && $.ratio = 9 }", [TRAIL], []),
    ("{ $.errorCode = %^Access% }", [TRAIL], [1]),
    ("{ $.errorCode = %Denied$% }", [TRAIL], []),
    ("{ $.['odd key'].['x.y'] = \"z\" }", [TRAIL], [1]),
    ('{ $.user.id = "a b" && $.user.email = "x*" }', ['{"user": {"id": "a b", "email": "x@y"}}', '{"user": {"id": "a b"}}'], [1]),
]
BAD_PATTERNS = ["{ $.a = }", "{ $.a }", "{ a = 1 }", "[a, b", "[a,, b]", "%a", "%(a)%", '"a', "{ $.a = 1", "{ $.a = 1 } x", "%a% %b% %c%"]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    running = Server(tmp_path_factory.mktemp("cloudwatch-live"))
    yield running
    running.stop()


@pytest.fixture(scope="module")
def logs(server):
    return client(server)


@pytest.mark.parametrize("pattern, texts, wanted", MATCHES, ids=[pattern or "empty" for pattern, _, _ in MATCHES])
def test_what_a_pattern_matches(logs, pattern, texts, wanted):
    found = logs.test_metric_filter(filterPattern=pattern, logEventMessages=texts)["matches"]
    assert [one["eventNumber"] for one in found] == wanted
    assert [one["eventMessage"] for one in found] == [texts[number - 1] for number in wanted]


def test_a_match_shows_the_values_it_found(logs):
    (found,) = logs.test_metric_filter(filterPattern="[ip, identity, user, time, request, status, bytes]", logEventMessages=[ACCESS])["matches"]
    assert found["extractedValues"] == {
        "$ip": "127.0.0.1", "$identity": "-", "$user": "frank", "$time": "10/Oct/2000:13:25:15 -0700",
        "$request": "GET /index.html HTTP/1.0", "$status": "404", "$bytes": "1534"}
    (found,) = logs.test_metric_filter(filterPattern='{ $.count = 7 && $.eventType = "*" }', logEventMessages=[TRAIL])["matches"]
    assert found["extractedValues"] == {"$.count": "7", "$.eventType": "UpdateTrail"}
    (found,) = logs.test_metric_filter(filterPattern="ERROR", logEventMessages=["an ERROR"])["matches"]
    assert found["extractedValues"] == {}


@pytest.mark.parametrize("pattern", BAD_PATTERNS)
def test_a_bad_pattern_is_refused(logs, pattern):
    invalid(logs.test_metric_filter, filterPattern=pattern, logEventMessages=["a"])


def test_bad_tests_of_patterns_are_refused(logs):
    for params in ({"filterPattern": "a"}, {"logEventMessages": ["a"]}, {"filterPattern": "a" * 1025, "logEventMessages": ["a"]},
                   {"filterPattern": "a", "logEventMessages": []}, {"filterPattern": "a", "logEventMessages": ["a"] * 51},
                   {"filterPattern": "a", "logEventMessages": [""]}):
        invalid(logs.test_metric_filter, **params)


def transformation(**more):
    return [{"metricName": "errors", "metricNamespace": "Shop", "metricValue": "1", **more}]


def test_a_metric_filter_lives(logs):
    group = fresh(logs)
    before = now_ms()
    logs.put_metric_filter(logGroupName=group, filterName="errors", filterPattern="ERROR", metricTransformations=transformation(defaultValue=0))
    (found,) = logs.describe_metric_filters(logGroupName=group)["metricFilters"]
    assert before <= found.pop("creationTime") <= now_ms()
    assert found == {"filterName": "errors", "filterPattern": "ERROR", "logGroupName": group, "applyOnTransformedLogs": False,
                     "metricTransformations": transformation(defaultValue=0.0)}
    logs.put_metric_filter(logGroupName=group, filterName="errors", filterPattern="FATAL", metricTransformations=transformation())
    logs.put_metric_filter(logGroupName=group, filterName="also", filterPattern="", metricTransformations=transformation(metricName="all"))
    answer = logs.describe_metric_filters(logGroupName=group)["metricFilters"]
    assert [(one["filterName"], one["filterPattern"]) for one in answer] == [("also", ""), ("errors", "FATAL")]
    assert logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"][0]["metricFilterCount"] == 2
    named = logs.describe_metric_filters(metricName="all", metricNamespace="Shop")["metricFilters"]
    assert [one["filterName"] for one in named] == ["also"]
    assert len(logs.describe_metric_filters(logGroupName=group, filterNamePrefix="err")["metricFilters"]) == 1
    pages = logs.get_paginator("describe_metric_filters").paginate(logGroupName=group, PaginationConfig={"PageSize": 1})
    assert [one["filterName"] for page in pages for one in page["metricFilters"]] == ["also", "errors"]
    logs.delete_metric_filter(logGroupName=group, filterName="errors")
    missing(logs.delete_metric_filter, logGroupName=group, filterName="errors")
    missing(logs.delete_metric_filter, NO_GROUP, logGroupName="nobody", filterName="errors")


def test_bad_metric_filters_are_refused(logs):
    group = fresh(logs)
    good = dict(logGroupName=group, filterName="f", filterPattern="ERROR", metricTransformations=transformation())
    missing(logs.put_metric_filter, NO_GROUP, **{**good, "logGroupName": "nobody"})
    invalid(logs.put_metric_filter, "...Member must have length less than or equal to 1...".lstrip("."), **{**good, "metricTransformations": transformation() * 2})
    for change in ({"filterName": ""}, {"filterName": "a:b"}, {"filterPattern": "{ $.a = "}, {"metricTransformations": []},
                   {"metricTransformations": transformation(metricName="")}, {"metricTransformations": transformation(metricNamespace="a:b")},
                   {"metricTransformations": transformation(unit="Parsecs")}, {"metricTransformations": transformation(metricValue="")},
                   {"metricTransformations": transformation(defaultValue=0, dimensions={"a": "$.a"})},
                   {"metricTransformations": transformation(dimensions={str(number): "$.a" for number in range(4)})}):
        invalid(logs.put_metric_filter, **{**good, **change})
    for call in (logs.describe_metric_filters,):
        invalid(call, logGroupName=group, nextToken="made up")
        invalid(call, logGroupName=group, limit=51)


def sums(server, dataset, column, *by):
    rows = server.rows({"time_range": 3600, "calculations": [{"op": "SUM", "column": column}, {"op": "COUNT"}], "breakdowns": list(by)}, dataset)
    return {tuple(row.get(name) for name in by): (row[f"SUM({column})"], row["COUNT"]) for row in rows}


def test_a_metric_filter_makes_metrics_of_what_comes_after_it(server, logs):
    group = fresh(logs)
    put(logs, group, ["ERROR before"])
    logs.put_metric_filter(logGroupName=group, filterName="errors", filterPattern="ERROR",
                           metricTransformations=transformation(metricNamespace="Counted"))
    logs.put_metric_filter(logGroupName=group, filterName="latency", filterPattern="{ $.latency = * }",
                           metricTransformations=transformation(metricNamespace="Timed", metricName="latency", metricValue="$.latency",
                                                                dimensions={"route": "$.route"}, unit="Milliseconds"))
    put(logs, group, ["ERROR one", "fine", "ERROR two", '{"latency": 20, "route": "/a"}', '{"latency": 30.5, "route": "/b"}',
                      '{"latency": 1.5, "route": "/a"}', '{"route": "/c"}', '{"latency": "no number", "route": "/d"}'])
    until(lambda: sums(server, "Counted", "errors"), lambda found: found == {(): (2, 2)})
    until(lambda: sums(server, "Timed", "latency", "route"), lambda found: found == {("/a",): (21.5, 2), ("/b",): (30.5, 1)})


def test_the_embedded_metric_format_makes_metrics(server, logs):
    group = fresh(logs)

    def emf(**values):
        return json.dumps({"_aws": {"Timestamp": now_ms(), "CloudWatchMetrics": [{
            "Namespace": "Embedded", "Dimensions": [["function"]], "Metrics": [{"Name": "time", "Unit": "Milliseconds"}, {"Name": "hits"}]}]},
            "function": "checkout", **values})

    put(logs, group, [emf(time=100, hits=[1, 2, 3]), emf(time=20.5), "no metric"])
    rows = server.rows({"time_range": 3600, "calculations": [{"op": "SUM", "column": "time"}], "breakdowns": ["function"]}, group)
    assert [(row["function"], row["SUM(time)"]) for row in rows if row.get("function")] == [("checkout", 120.5)]


class Session:
    """A Live Tail session, read by a thread until it is closed."""

    def __init__(self, logs, **params):
        self.answer = logs.start_live_tail(**params)
        self.stream = self.answer["responseStream"]
        self.starts, self.updates, self.failure = [], [], None
        self.thread = threading.Thread(target=self.read, daemon=True)
        self.thread.start()

    def read(self):
        try:
            for event in self.stream:
                (kind,) = event
                fits(MODEL.shape_for({"sessionStart": "LiveTailSessionStart", "sessionUpdate": "LiveTailSessionUpdate"}[kind]), event[kind], kind)
                (self.starts if kind == "sessionStart" else self.updates).append(event[kind])
        # The stream is closed under the thread by the test that ends.
        except Exception as failure:
            self.failure = failure

    def messages(self):
        return [one["message"] for update in list(self.updates) for one in update["sessionResults"]]

    def started(self):
        until(lambda: self.starts, bool)
        return self.starts[0]

    def close(self):
        self.stream.close()


def arn_of(logs, group):
    return logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"][0]["logGroupArn"]


def test_live_tail_shows_what_arrives(logs):
    group = fresh(logs)
    put(logs, group, ["before"])
    arn = arn_of(logs, group)
    session = Session(logs, logGroupIdentifiers=[arn])
    start = session.started()
    assert start["logGroupIdentifiers"] == [arn] and start["sessionId"] and start["requestId"]
    at = now_ms()
    put(logs, group, ["one", '{"two": 2}', "drei é"], at=at)
    until(session.messages, lambda found: len(found) == 3)
    assert session.messages() == ["one", '{"two": 2}', "drei é"]
    shown = [one for update in session.updates for one in update["sessionResults"]]
    assert [one["timestamp"] for one in shown] == [at, at + 1, at + 2]
    assert {(one["logGroupIdentifier"], one["logStreamName"]) for one in shown} == {(arn.split(":")[4] + ":" + group, "stream")}
    assert all(at - 1000 <= one["ingestionTime"] <= now_ms() for one in shown)
    # An update each second, also when there is nothing.
    empty = len(session.updates)
    until(lambda: len(session.updates), lambda count: count > empty)
    assert session.updates[-1]["sessionResults"] == [] and session.updates[-1]["sessionMetadata"] == {"sampled": False}
    session.close()


def test_live_tail_chooses_groups_streams_and_patterns(logs):
    first, second = fresh(logs, stream="web/1"), fresh(logs, stream="web/1")
    logs.create_log_stream(logGroupName=first, logStreamName="job")
    arns = [arn_of(logs, first), arn_of(logs, second)]
    sessions = {
        "both": Session(logs, logGroupIdentifiers=arns),
        "named": Session(logs, logGroupIdentifiers=arns[:1], logStreamNames=["job"]),
        "prefix": Session(logs, logGroupIdentifiers=arns[:1], logStreamNamePrefixes=["web/"]),
        "pattern": Session(logs, logGroupIdentifiers=arns, logEventFilterPattern="{ $.status = 500 }"),
    }
    for session in sessions.values():
        session.started()
    put(logs, first, ["a", '{"status": 500, "n": 1}'], stream="web/1")
    put(logs, first, ["b"], stream="job")
    put(logs, second, ["c", '{"status": 500, "n": 2}', '{"status": 200}'], stream="web/1")
    until(sessions["both"].messages, lambda found: len(found) == 6)
    until(sessions["pattern"].messages, lambda found: len(found) == 2)
    assert sorted(sessions["pattern"].messages()) == ['{"status": 500, "n": 1}', '{"status": 500, "n": 2}']
    until(sessions["named"].messages, lambda found: found == ["b"])
    until(sessions["prefix"].messages, lambda found: found == ["a", '{"status": 500, "n": 1}'])
    for session in sessions.values():
        session.close()


def test_live_tail_samples_what_is_too_much(logs):
    group = fresh(logs)
    session = Session(logs, logGroupIdentifiers=[arn_of(logs, group)])
    session.started()
    put(logs, group, [(now_ms(), f"line {number}") for number in range(5_000)])
    until(session.messages, bool)
    until(lambda: any(update["sessionMetadata"]["sampled"] for update in list(session.updates)), bool)
    assert all(len(update["sessionResults"]) <= 500 for update in session.updates)
    session.close()


def test_bad_live_tails_are_refused(logs):
    group = fresh(logs)
    arn = arn_of(logs, group)
    for params in ({"logGroupIdentifiers": []}, {"logGroupIdentifiers": [arn] * 11}, {"logGroupIdentifiers": [arn + ":*"]},
                   {"logGroupIdentifiers": [arn], "logStreamNames": ["a"], "logStreamNamePrefixes": ["a"]},
                   {"logGroupIdentifiers": [arn, arn_of(logs, fresh(logs))], "logStreamNames": ["a"]},
                   {"logGroupIdentifiers": [arn], "logEventFilterPattern": "{ $.a = "}, {}):
        invalid(logs.start_live_tail, **params)
    missing(logs.start_live_tail, logGroupIdentifiers=[arn + "x"])
