"""Subscription filters of CloudWatch Logs through boto3: what matches goes to a webhook, in the vendor's form, once the
events are acknowledged, also when the receiver or the server was away; and nothing goes where it must not."""

import pytest
from cloudwatch import client, fresh, invalid, missing, now_ms, put, refused, until
from conftest import Server
from receiver import Receiver

NO_FILTER = "The specified subscription filter does not exist."
NO_DESTINATION = "The specified destination does not exist."


class Logs(Receiver):
    """A webhook for subscription filters."""

    def __init__(self):
        super().__init__("/logs", encoding="gzip")

    @property
    def arn(self):
        return f"arn:tracery:webhook:::{self.url}"

    def data(self):
        return [body for body in list(self.bodies) if body["messageType"] == "DATA_MESSAGE"]

    def messages(self):
        return [event["message"] for body in self.data() for event in body["logEvents"]]


@pytest.fixture
def receiver():
    receiver = Logs()
    yield receiver
    receiver.stop()


@pytest.fixture
def server(start):
    return start("--private-webhooks")


@pytest.fixture
def logs(server):
    return client(server)


def subscribe(logs, group, arn, name="f", pattern="", **more):
    logs.put_subscription_filter(logGroupName=group, filterName=name, filterPattern=pattern, destinationArn=arn, **more)


def shown(logs, group, **more):
    return logs.describe_subscription_filters(logGroupName=group, **more)["subscriptionFilters"]


def test_what_matches_is_delivered_in_the_vendors_form(logs, receiver):
    group = fresh(logs)
    put(logs, group, ["ERROR before there was a filter"])
    subscribe(logs, group, receiver.arn, pattern="ERROR", emitSystemFields=["@aws.region"])
    (control,) = receiver.bodies
    assert control["messageType"] == "CONTROL_MESSAGE" and control["logEvents"][0]["message"].startswith("CWL CONTROL MESSAGE")
    at = now_ms()
    put(logs, group, ["ERROR 1", "fine", "ERROR 2"], at=at)
    until(receiver.messages, lambda found: len(found) == 2)
    (body,) = receiver.data()
    account = shown(logs, group)[0]["destinationArn"] and body["owner"]
    assert len(account) == 12 and account.isdigit()
    assert (body["logGroup"], body["logStream"], body["subscriptionFilters"]) == (group, "stream", ["f"])
    first, second = body["logEvents"]
    assert (first["message"], first["timestamp"], second["message"], second["timestamp"]) == ("ERROR 1", at, "ERROR 2", at + 2)
    assert first["extractedFields"] == {"@aws.region": "eu-west-1"}
    found = logs.filter_log_events(logGroupName=group, filterPattern="ERROR", startTime=at)["events"]
    assert [event["eventId"] for event in found] == [first["id"], second["id"]]


def test_fields_of_a_pattern_are_delivered(logs, receiver):
    group = fresh(logs)
    subscribe(logs, group, receiver.arn, pattern="[ip, status = 4*, bytes]")
    put(logs, group, ["10.0.0.1 404 7", "10.0.0.1 200 7"])
    until(receiver.messages, lambda found: found == ["10.0.0.1 404 7"])
    assert receiver.data()[0]["logEvents"][0]["extractedFields"] == {"ip": "10.0.0.1", "status": "404", "bytes": "7"}


def test_filters_are_listed_changed_and_deleted(logs, receiver):
    group = fresh(logs)
    subscribe(logs, group, receiver.arn, name="a")
    subscribe(logs, group, receiver.arn, name="b", pattern="x", distribution="Random")
    first, second = shown(logs, group)
    assert (first["filterName"], first["distribution"], second["filterPattern"], second["distribution"]) == ("a", "ByLogStream", "x", "Random")
    assert [one["filterName"] for one in shown(logs, group, filterNamePrefix="b")] == ["b"]
    page = logs.describe_subscription_filters(logGroupName=group, limit=1)
    assert [one["filterName"] for one in shown(logs, group, nextToken=page["nextToken"])] == ["b"]
    refused("LimitExceededException", subscribe, "Resource limit exceeded.", logs=logs, group=group, arn=receiver.arn, name="c")
    subscribe(logs, group, receiver.arn, name="b", pattern="y")
    assert [one["filterPattern"] for one in shown(logs, group)] == ["", "y"]
    put(logs, group, ["x", "y"])
    until(receiver.messages, lambda found: sorted(found) == ["x", "y", "y"])
    logs.delete_subscription_filter(logGroupName=group, filterName="b")
    missing(logs.delete_subscription_filter, NO_FILTER, logGroupName=group, filterName="b")
    put(logs, group, ["y again"])
    until(receiver.messages, lambda found: sorted(found) == ["x", "y", "y", "y again"])
    logs.delete_log_group(logGroupName=group)
    logs.create_log_group(logGroupName=group)
    assert shown(logs, group) == []


def test_a_receiver_that_is_away_gets_everything_later(tmp_path, receiver):
    server = Server(tmp_path, "--private-webhooks")
    logs = client(server)
    group = fresh(logs)
    logs.create_log_stream(logGroupName=group, logStreamName="other")
    subscribe(logs, group, receiver.arn)
    put(logs, group, ["delivered"])
    until(receiver.messages, lambda found: found == ["delivered"])
    receiver.status = 503
    put(logs, group, ["kept 1", "kept 2"])
    put(logs, group, ["kept 3"], stream="other")
    server.stop()
    server = Server(tmp_path, "--private-webhooks")
    receiver.status = 200
    until(receiver.messages, lambda found: found == ["delivered", "kept 1", "kept 2", "kept 3"])
    put(client(server), group, ["and on"])
    until(receiver.messages, lambda found: found[4:] == ["and on"])
    server.stop()


def test_much_at_once_arrives_once_and_in_order(logs, receiver):
    group = fresh(logs)
    subscribe(logs, group, receiver.arn)
    sent = [f"{batch} {number}" for batch in range(20) for number in range(500)]
    for batch in range(20):
        put(logs, group, sent[batch * 500:(batch + 1) * 500])
    until(lambda: len(receiver.messages()), lambda found: found >= len(sent))
    assert receiver.messages() == sent


def test_destinations_stand_for_webhooks(logs, receiver):
    group = fresh(logs)
    made = logs.put_destination(destinationName="d", targetArn=receiver.arn, roleArn="arn:aws:iam::1:role/r")["destination"]
    assert made["arn"].endswith(":destination:d") and made["targetArn"] == receiver.arn
    subscribe(logs, group, made["arn"])
    put(logs, group, ["one"])
    until(receiver.messages, lambda found: found == ["one"])
    logs.put_destination_policy(destinationName="d", accessPolicy="{}")
    (listed,) = logs.describe_destinations(DestinationNamePrefix="d")["destinations"]
    assert listed["accessPolicy"] == "{}" and listed["creationTime"] == made["creationTime"]
    invalid(logs.put_destination_policy, "accessPolicy is not a policy document in JSON.", destinationName="d", accessPolicy="no")
    invalid(logs.put_destination, "Subscriptions deliver...", destinationName="e", targetArn="arn:aws:kinesis:eu-west-1:1:stream/s", roleArn="r")
    logs.delete_destination(destinationName="d")
    missing(logs.delete_destination, NO_DESTINATION, destinationName="d")
    assert logs.describe_destinations()["destinations"] == []
    invalid(subscribe, NO_DESTINATION, logs=logs, group=group, arn=made["arn"], name="g")


def test_what_cannot_be_delivered_to_is_refused(logs, receiver):
    group = fresh(logs)
    missing(subscribe, "The specified log group does not exist.", logs=logs, group="nobody", arn=receiver.arn)
    for arn in ("arn:aws:lambda:eu-west-1:1:function:f", "arn:aws:logs:eu-west-1:1:destination:d", "https://example.com",
                "arn:tracery:webhook:::file:///etc/passwd", "arn:tracery:webhook:::http://a:b@127.0.0.1/", "arn:tracery:webhook:::http://127.0.0.1:1/"):
        invalid(subscribe, logs=logs, group=group, arn=arn)
    invalid(subscribe, logs=logs, group=group, arn=receiver.arn, pattern="{ $.a = ")
    invalid(subscribe, logs=logs, group=group, arn=receiver.arn, fieldSelectionCriteria="x")
    invalid(subscribe, logs=logs, group=group, arn=receiver.arn, emitSystemFields=["@x"])
    receiver.status = 500
    invalid(subscribe, "Could not deliver test message to specified destination...", logs=logs, group=group, arn=receiver.arn)
    assert shown(logs, group) == []
    logs.create_log_group(logGroupName=group + "/ia", logGroupClass="INFREQUENT_ACCESS")
    invalid(subscribe, logs=logs, group=group + "/ia", arn=receiver.arn)


def test_private_addresses_need_leave(start, receiver):
    logs = client(start())
    group = fresh(logs)
    port = receiver.server.server_port
    for host in ("127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "169.254.169.254", "2130706433"):
        invalid(subscribe, "...not public...".lstrip("."), logs=logs, group=group, arn=f"arn:tracery:webhook:::http://{host}:{port}/")
    assert receiver.bodies == [] and shown(logs, group) == []
