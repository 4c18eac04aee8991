"""X-Ray's control plane through boto3, unmodified: sampling, groups, tags, policies and settings of an account, with good
and bad input. Every answer, read raw, is held against botocore's model: no field it does not know, none of a wrong type,
none missing. At the end all operations are asked with garbage."""

import json
import time
from datetime import UTC, datetime

import boto3
import botocore.session
import pytest
import requests
from aws_xray_sdk.core.sampling.connector import ServiceConnector
from aws_xray_sdk.core.sampling.rule_cache import RuleCache
from botocore.config import Config
from botocore.exceptions import ClientError
from conftest import Server
from vendor_model import fits, long_of

MODEL = botocore.session.get_session().get_service_model("xray")
RULE = {
    "ResourceARN": "*", "Priority": 100, "FixedRate": 0.1, "ReservoirSize": 10, "ServiceName": "shop", "ServiceType": "*",
    "Host": "*", "HTTPMethod": "GET", "URLPath": "/cart/*", "Version": 1,
}
RULE_FIELDS = {"RuleName", "RuleARN", "SamplingRateBoost", "Attributes", *RULE}
CLIENT_ID = "0123456789abcdef01234567"
POLICY = {"Version": "2012-10-17", "Statement": [{
    "Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": ["xray:PutTraceSegments"], "Resource": "*"}]}
NOBODY = "11111111-1111-4111-8111-111111111111"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    running = Server(tmp_path_factory.mktemp("xray-control"))
    yield running
    running.stop()


def client(server, region="eu-west-1"):
    made = boto3.client(
        "xray", endpoint_url=server.url(""), region_name=region, aws_access_key_id="any", aws_secret_access_key="any",
        config=Config(retries={"max_attempts": 1}, parameter_validation=False),
    )

    def check(http_response, model, **_):
        if http_response.status_code == 200 and model.output_shape:
            fits(model.output_shape, json.loads(http_response.content), model.name)

    made.meta.events.register("after-call.xray.*", check)
    return made


@pytest.fixture
def xray(server):
    """A client; what a test leaves behind, also when it fails, is not the next one's."""
    made = client(server)
    yield made
    rules = [record["SamplingRule"]["RuleName"] for record in made.get_sampling_rules()["SamplingRuleRecords"]]
    groups = [group["GroupName"] for page in made.get_paginator("get_groups").paginate() for group in page["Groups"]]
    for names, remove, key in ((rules, made.delete_sampling_rule, "RuleName"), (groups, made.delete_group, "GroupName")):
        for name in names:
            if name != "Default":
                remove(**{key: name})


def refused(code, call, **params):
    with pytest.raises(ClientError) as caught:
        call(**params)
    error = caught.value.response["Error"]
    assert error["Code"] == code, caught.value
    assert error["Message"]
    return caught.value.response


def invalid(call, **params):
    assert refused("InvalidRequestException", call, **params)["ResponseMetadata"]["HTTPStatusCode"] == 400


def raw(server, path, body, **kwargs):
    return requests.post(server.url(path), data=body, timeout=30, **kwargs)


def test_there_is_always_a_default_rule(server, xray):
    [record] = xray.get_sampling_rules()["SamplingRuleRecords"]
    rule = record["SamplingRule"]
    assert set(rule) == RULE_FIELDS - {"SamplingRateBoost"}
    assert (rule["RuleName"], rule["Priority"], rule["FixedRate"], rule["ReservoirSize"]) == ("Default", 10000, 0.05, 1)
    assert rule["Attributes"] == {} and rule["ResourceARN"] == "*" and rule["Version"] == 1
    assert rule["RuleARN"].startswith("arn:aws:xray:eu-west-1:") and rule["RuleARN"].endswith(":sampling-rule/Default")
    assert record["CreatedAt"].year == record["ModifiedAt"].year == 2016
    # As SDKs ask: without a content type, with a null, with nothing at all.
    for body in ("{}", '{"NextToken": null}', "", "null"):
        answer = raw(server, "/GetSamplingRules", body)
        assert answer.status_code == 200 and len(answer.json()["SamplingRuleRecords"]) == 1, answer.text
        assert answer.headers["content-type"] == "application/json" and answer.headers["x-amzn-requestid"]


def test_a_rule_lives(xray):
    boost = {"MaxRate": 0.5, "CooldownWindowMinutes": 10}
    rule = {**RULE, "RuleName": "cart", "Attributes": {"k": "v"}, "SamplingRateBoost": boost}
    made = xray.create_sampling_rule(SamplingRule=rule, Tags=[{"Key": "team", "Value": "shop"}])["SamplingRuleRecord"]
    arn = made["SamplingRule"].pop("RuleARN")
    assert made["SamplingRule"] == rule
    assert made["CreatedAt"] == made["ModifiedAt"]
    xray.create_sampling_rule(SamplingRule={**RULE, "RuleName": "basket"})
    xray.create_sampling_rule(SamplingRule={**RULE, "RuleName": "zero", "Priority": 1})
    pages = xray.get_paginator("get_sampling_rules").paginate()
    names = [record["SamplingRule"]["RuleName"] for page in pages for record in page["SamplingRuleRecords"]]
    assert names == ["zero", "basket", "cart", "Default"]
    changed = xray.update_sampling_rule(SamplingRuleUpdate={"RuleARN": arn, "FixedRate": 0.25})["SamplingRuleRecord"]
    assert changed["SamplingRule"] == {**rule, "RuleARN": arn, "FixedRate": 0.25}
    assert changed["ModifiedAt"] >= made["ModifiedAt"] and changed["CreatedAt"] == made["CreatedAt"]
    gone = xray.delete_sampling_rule(RuleName="cart")["SamplingRuleRecord"]
    assert gone["SamplingRule"]["FixedRate"] == 0.25
    for name in ("zero", "basket"):
        xray.delete_sampling_rule(RuleName=name)
    assert len(xray.get_sampling_rules()["SamplingRuleRecords"]) == 1


@pytest.mark.parametrize("change", [
    {"RuleName": ""}, {"RuleName": "n" * 33}, {"RuleName": "Default"}, {"RuleName": "a", "RuleARN": "arn:a"}, {"RuleName": None},
    {"Priority": 0}, {"Priority": 10000}, {"FixedRate": 1.01}, {"FixedRate": -0.1}, {"ReservoirSize": -1}, {"Version": 2},
    {"Version": 0}, {"ServiceName": "s" * 65}, {"Host": "h" * 65}, {"HTTPMethod": "m" * 11}, {"URLPath": "u" * 129},
    {"ResourceARN": "r" * 501}, {"ServiceType": None}, {"Attributes": {str(n): "v" for n in range(6)}},
    {"Attributes": {"k": "v" * 33}}, {"RuleName": None, "RuleARN": "arn:aws:xray:us-east-1:1:sampling-rule/a"}, {"SamplingRateBoost": {"MaxRate": 2, "CooldownWindowMinutes": 1}},
    {"SamplingRateBoost": {"MaxRate": 0.5}},
], ids=str)
def test_a_bad_rule_is_refused(xray, change):
    rule = {name: value for name, value in {**RULE, "RuleName": "bad", **change}.items() if value is not None}
    invalid(xray.create_sampling_rule, SamplingRule=rule)


def test_bad_changes_of_rules_are_refused(xray):
    xray.create_sampling_rule(SamplingRule={**RULE, "RuleName": "one"})
    invalid(xray.create_sampling_rule, SamplingRule={**RULE, "RuleName": "one", "Priority": 2})
    for update in ({}, {"RuleName": "none"}, {"RuleName": "one", "RuleARN": "arn:x"}, {"RuleName": "one", "Priority": 0},
                   {"RuleName": "one", "FixedRate": 7}, {"RuleName": "one", "ReservoirSize": -1},
                   {"RuleARN": "arn:aws:xray:eu-west-1:999999999999:sampling-rule/one"}):
        invalid(xray.update_sampling_rule, SamplingRuleUpdate=update)
    for update in ({"Priority": 5}, {"Host": "a"}, {"Attributes": {"a": "b"}}):
        invalid(xray.update_sampling_rule, SamplingRuleUpdate={"RuleName": "Default", **update})
    invalid(xray.delete_sampling_rule)
    invalid(xray.delete_sampling_rule, RuleName="none")
    invalid(xray.delete_sampling_rule, RuleName="Default")
    invalid(xray.get_sampling_rules, NextToken="made up")
    rule = xray.update_sampling_rule(SamplingRuleUpdate={"RuleName": "Default", "FixedRate": 0.5, "ReservoirSize": 3})
    assert rule["SamplingRuleRecord"]["SamplingRule"]["ReservoirSize"] == 3
    assert rule["SamplingRuleRecord"]["ModifiedAt"].year > 2016
    xray.update_sampling_rule(SamplingRuleUpdate={"RuleName": "Default", "FixedRate": 0.05, "ReservoirSize": 1})
    xray.delete_sampling_rule(RuleName="one")


def test_there_can_be_so_many_rules_and_groups(xray):
    for number in range(25):
        xray.create_sampling_rule(SamplingRule={**RULE, "RuleName": f"r{number}"})
        xray.create_group(GroupName=f"g{number}")
    refused("RuleLimitExceededException", xray.create_sampling_rule, SamplingRule={**RULE, "RuleName": "more"})
    invalid(xray.create_group, GroupName="more")
    assert len(xray.get_groups()["Groups"]) == len(xray.get_sampling_rules()["SamplingRuleRecords"]) == 26
    for number in range(25):
        xray.delete_sampling_rule(RuleName=f"r{number}")
        xray.delete_group(GroupName=f"g{number}")


def report(rule, client_id=CLIENT_ID, **more):
    return {"RuleName": rule, "ClientID": client_id, "Timestamp": time.time(), "RequestCount": 20, "SampledCount": 5,
            "BorrowCount": 1, **more}


def test_clients_share_a_reservoir(xray):
    xray.create_sampling_rule(SamplingRule={**RULE, "RuleName": "shared"})
    ids = [f"{number:024x}" for number in range(2)]
    for _ in range(2):
        quotas = []
        for one in ids:
            answer = xray.get_sampling_targets(SamplingStatisticsDocuments=[report("shared", one)])
            [target] = answer["SamplingTargetDocuments"]
            assert (target["RuleName"], target["FixedRate"], target["Interval"]) == ("shared", 0.1, 10)
            if "ReservoirQuota" in target:
                assert target["ReservoirQuotaTTL"] > datetime.now(UTC)
            quotas.append(target.get("ReservoirQuota"))
    assert quotas == [5, 5]
    modified = xray.get_sampling_rules()["SamplingRuleRecords"][0]["ModifiedAt"]
    assert answer["LastRuleModification"] == modified
    xray.delete_sampling_rule(RuleName="shared")
    answer = xray.get_sampling_targets(SamplingStatisticsDocuments=[report("shared"), report("Default", Timestamp=1)])
    assert answer["LastRuleModification"] > modified and answer["SamplingTargetDocuments"] == []
    assert [(one["RuleName"], one["ErrorCode"]) for one in answer["UnprocessedStatistics"]] == [
        ("shared", "400"), ("Default", "400")]


def test_reports_can_be_read_back(xray):
    xray.create_sampling_rule(SamplingRule={**RULE, "RuleName": "counted"})
    at = time.time()
    for _ in range(3):
        xray.get_sampling_targets(SamplingStatisticsDocuments=[report("counted", Timestamp=at)])
    pages = xray.get_paginator("get_sampling_statistic_summaries").paginate()
    found = [one for page in pages for one in page["SamplingStatisticSummaries"] if one["RuleName"] == "counted"]
    assert [(one["RequestCount"], one["SampledCount"], one["BorrowCount"]) for one in found] == [(60, 15, 3)]
    assert found[0]["Timestamp"].timestamp() == at // 60 * 60
    invalid(xray.get_sampling_statistic_summaries, NextToken="x")
    xray.delete_sampling_rule(RuleName="counted")


def test_missed_anomalies_boost_a_rule_once(xray):
    boost = {"MaxRate": 0.4, "CooldownWindowMinutes": 10}
    xray.create_sampling_rule(SamplingRule={**RULE, "RuleName": "boosted", "SamplingRateBoost": boost})
    anomalies = {"RuleName": "boosted", "ServiceName": "shop", "Timestamp": time.time(), "AnomalyCount": 5,
                 "TotalCount": 100, "SampledAnomalyCount": 0}
    answer = xray.get_sampling_targets(
        SamplingStatisticsDocuments=[report("boosted"), report("Default")],
        SamplingBoostStatisticsDocuments=[anomalies, {**anomalies, "RuleName": "Default"}, {**anomalies, "RuleName": "no"}])
    boosted, default = answer["SamplingTargetDocuments"]
    assert boosted["SamplingBoost"]["BoostRate"] == 0.4
    assert 0 < (boosted["SamplingBoost"]["BoostRateTTL"] - datetime.now(UTC)).total_seconds() <= 60
    assert "SamplingBoost" not in default
    assert [one["RuleName"] for one in answer["UnprocessedBoostStatistics"]] == ["Default", "no"]
    again = xray.get_sampling_targets(
        SamplingStatisticsDocuments=[report("boosted")], SamplingBoostStatisticsDocuments=[anomalies])
    assert again["SamplingTargetDocuments"][0]["SamplingBoost"] == boosted["SamplingBoost"]
    xray.delete_sampling_rule(RuleName="boosted")


def test_reports_of_all_sdks_are_understood(server, xray):
    document = report("Default")
    document["SampleCount"] = document.pop("SampledCount")
    del document["BorrowCount"]
    for boosts in (None, []):
        body = {"SamplingStatisticsDocuments": [document], "SamplingBoostStatisticsDocuments": boosts, "Other": 1}
        answer = raw(server, "/SamplingTargets", json.dumps(body))
        assert answer.status_code == 200, answer.text
        assert answer.json()["SamplingTargetDocuments"][0]["RuleName"] == "Default"
        assert isinstance(answer.json()["LastRuleModification"], (int, float))
    empty = xray.get_sampling_targets(SamplingStatisticsDocuments=[])
    assert empty["SamplingTargetDocuments"] == [] and empty["LastRuleModification"].year >= 2016
    invalid(xray.get_sampling_targets)
    invalid(xray.get_sampling_targets, SamplingStatisticsDocuments=[report("Default")] * 26)
    for bad in ({"ClientID": "short"}, {"RequestCount": -1}, {"RuleName": ""}):
        invalid(xray.get_sampling_targets, SamplingStatisticsDocuments=[report("Default", **bad)])


def test_the_sdk_for_python_samples_by_our_rules(server, xray):
    xray.create_sampling_rule(SamplingRule={**RULE, "RuleName": "sdk", "ReservoirSize": 4, "FixedRate": 0})
    host, port = server.addresses["xray_tcp"].rsplit(":", 1)
    connector = ServiceConnector()
    connector.setup_xray_client(host, port, None)
    cache = RuleCache()
    cache.load_rules(connector.fetch_sampling_rules())
    cache.last_updated = int(time.time())
    assert [rule.name for rule in cache.rules] == ["sdk", "Default"]
    request = {"service": "shop", "method": "GET", "path": "/cart/1", "host": "any", "service_type": "any"}
    rule = cache.get_matched_rule(request, int(time.time()))
    assert rule.name == "sdk"
    rule.increment_request_count()
    targets, modified = connector.fetch_sampling_target([rule])
    assert targets["sdk"]["quota"] == 4 and targets["sdk"]["interval"] == 10 and abs(modified - time.time()) < 60
    cache.load_targets(targets)
    now = int(time.time())
    taken = [str(rule.reservoir.borrow_or_take(now, rule.can_borrow)) for _ in range(6)]
    assert len(set(taken[:4])) == 1 and taken[4] == taken[5] != taken[0]
    xray.delete_sampling_rule(RuleName="sdk")


def test_a_group_lives(xray):
    [default] = xray.get_groups()["Groups"]
    assert default["GroupName"] == "Default" and default["GroupARN"].endswith(":group/Default")
    expression = 'service("shop")  { fault } AND duration > 1'
    made = xray.create_group(GroupName="slow", FilterExpression=expression, Tags=[{"Key": "a", "Value": ""}])["Group"]
    assert made["FilterExpression"] == expression
    assert made["InsightsConfiguration"] == {"InsightsEnabled": False, "NotificationsEnabled": False}
    assert xray.get_group(GroupName="slow")["Group"] == xray.get_group(GroupARN=made["GroupARN"])["Group"] == made
    changed = xray.update_group(GroupARN=made["GroupARN"], InsightsConfiguration={"InsightsEnabled": True})["Group"]
    assert changed == {**made, "InsightsConfiguration": {"InsightsEnabled": True, "NotificationsEnabled": False}}
    assert xray.update_group(GroupName="slow", FilterExpression="fault")["Group"]["FilterExpression"] == "fault"
    pages = xray.get_paginator("get_groups").paginate()
    assert [group["GroupName"] for page in pages for group in page["Groups"]] == ["Default", "slow"]
    xray.delete_group(GroupName="slow")
    again = xray.create_group(GroupName="slow")["Group"]
    assert again["GroupARN"] != made["GroupARN"]
    invalid(xray.get_group, GroupARN=made["GroupARN"])
    xray.delete_group(GroupARN=again["GroupARN"])
    assert len(xray.get_groups()["Groups"]) == 1


def test_bad_groups_are_refused(xray):
    xray.create_group(GroupName="here")
    for params in ({}, {"GroupName": ""}, {"GroupName": "g" * 33}, {"GroupName": "Default"}, {"GroupName": "here"},
                   {"GroupName": "x", "FilterExpression": "service("},
                   {"GroupName": "x", "InsightsConfiguration": {"NotificationsEnabled": True}},
                   {"GroupName": "x", "Tags": [{"Key": "aws:x", "Value": ""}]},
                   {"GroupName": "x", "Tags": [{"Key": str(n), "Value": ""} for n in range(51)]}):
        invalid(xray.create_group, **params)
    for call in (xray.get_group, xray.update_group, xray.delete_group):
        invalid(call)
        invalid(call, GroupName="nobody")
        invalid(call, GroupName="here", GroupARN="arn:x")
    invalid(xray.delete_group, GroupName="Default")
    invalid(xray.update_group, GroupName="Default", FilterExpression="fault")
    invalid(xray.update_group, GroupName="here", FilterExpression="((")
    invalid(xray.get_groups, NextToken="x")
    xray.delete_group(GroupName="here")


def test_tags(xray):
    group = xray.create_group(GroupName="tagged", Tags=[{"Key": "a", "Value": "1"}])["Group"]["GroupARN"]
    rule = xray.create_sampling_rule(SamplingRule={**RULE, "RuleName": "tagged"})["SamplingRuleRecord"]["SamplingRule"]["RuleARN"]
    default = xray.get_sampling_rules()["SamplingRuleRecords"][-1]["SamplingRule"]["RuleARN"]
    for arn in (group, rule, default, group.replace("tagged", "Default").rsplit("/", 1)[0]):
        xray.tag_resource(ResourceARN=arn, Tags=[{"Key": "b", "Value": "2"}, {"Key": "c", "Value": ""}])
        xray.untag_resource(ResourceARN=arn, TagKeys=["a", "c", "nothing"])
        assert xray.list_tags_for_resource(ResourceARN=arn)["Tags"] == [{"Key": "b", "Value": "2"}]
    for call, more in ((xray.tag_resource, {"Tags": []}), (xray.untag_resource, {"TagKeys": []}), (xray.list_tags_for_resource, {})):
        missing = refused("ResourceNotFoundException", call, ResourceARN=rule + "x", **more)
        assert missing["ResponseMetadata"]["HTTPStatusCode"] == 404 and missing["ResourceName"] == rule + "x"
        invalid(call, ResourceARN="no arn", **more)
        invalid(call, **more)
    many = [{"Key": f"k{n}", "Value": ""} for n in range(50)]
    assert refused("TooManyTagsException", xray.tag_resource, ResourceARN=rule, Tags=many)["ResourceName"] == rule
    for tag in ({"Key": "", "Value": ""}, {"Key": "k" * 129, "Value": ""}, {"Key": "k", "Value": "v" * 257}, {"Key": "k"},
                {"Key": "AWS:k", "Value": ""}):
        invalid(xray.tag_resource, ResourceARN=rule, Tags=[tag])
    invalid(xray.list_tags_for_resource, ResourceARN=rule, NextToken="x")
    xray.delete_group(GroupARN=group)
    xray.delete_sampling_rule(RuleName="tagged")


def test_policies(xray):
    document = json.dumps(POLICY)
    first = xray.put_resource_policy(PolicyName="p0", PolicyDocument=document)["ResourcePolicy"]
    assert first["PolicyDocument"] == document and first["PolicyRevisionId"] == "1"
    second = xray.put_resource_policy(PolicyName="p0", PolicyDocument=document, PolicyRevisionId="1")["ResourcePolicy"]
    assert second["PolicyRevisionId"] == "2"
    for revision in ("1", "0"):
        refused("InvalidPolicyRevisionIdException", xray.put_resource_policy, PolicyName="p0", PolicyDocument=document,
                PolicyRevisionId=revision)
    refused("MalformedPolicyDocumentException", xray.put_resource_policy, PolicyName="p", PolicyDocument="{}")
    refused("PolicySizeLimitExceededException", xray.put_resource_policy, PolicyName="p", PolicyDocument=" " * 6000 + document)
    deny = json.dumps({"Statement": {"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*"}})
    refused("LockoutPreventionException", xray.put_resource_policy, PolicyName="p1", PolicyDocument=deny)
    xray.put_resource_policy(PolicyName="p1", PolicyDocument=deny, BypassPolicyLockoutCheck=True)
    for number in range(2, 5):
        xray.put_resource_policy(PolicyName=f"p{number}", PolicyDocument=document, PolicyRevisionId="0")
    refused("PolicyCountLimitExceededException", xray.put_resource_policy, PolicyName="p5", PolicyDocument=document)
    pages = xray.get_paginator("list_resource_policies").paginate()
    names = [policy["PolicyName"] for page in pages for policy in page["ResourcePolicies"]]
    assert names == [f"p{number}" for number in range(5)]
    refused("InvalidPolicyRevisionIdException", xray.delete_resource_policy, PolicyName="p0", PolicyRevisionId="1")
    for name in names:
        xray.delete_resource_policy(PolicyName=name)
    invalid(xray.delete_resource_policy, PolicyName="p0")
    invalid(xray.list_resource_policies, NextToken="x")
    assert xray.list_resource_policies()["ResourcePolicies"] == []


def test_encryption(xray):
    assert xray.get_encryption_config()["EncryptionConfig"] == {"Status": "ACTIVE", "Type": "NONE"}
    key = {"Type": "KMS", "KeyId": "alias/tracing"}
    assert xray.put_encryption_config(**key)["EncryptionConfig"] == {"Status": "UPDATING", **key}
    assert xray.get_encryption_config()["EncryptionConfig"] == {"Status": "ACTIVE", **key}
    for params in ({}, {"Type": "KMS"}, {"Type": "AES"}, {"Type": "NONE", "KeyId": "alias/a"}, {"Type": "KMS", "KeyId": "no key"}):
        invalid(xray.put_encryption_config, **params)
    xray.put_encryption_config(Type="NONE")


def test_destination_and_indexing(xray):
    def destination(answer):
        return answer["Destination"], answer["Status"]

    assert destination(xray.get_trace_segment_destination()) == ("XRay", "ACTIVE")
    assert destination(xray.update_trace_segment_destination(Destination="CloudWatchLogs")) == ("CloudWatchLogs", "PENDING")
    assert destination(xray.get_trace_segment_destination()) == ("CloudWatchLogs", "ACTIVE")
    config = {"CloudWatchLogsConfiguration": {"SpansLogGroupKmsKeyId": "alias/a"}}
    for params in ({"Destination": "S3"}, {"Destination": "XRay", **config}):
        invalid(xray.update_trace_segment_destination, **params)
    xray.update_trace_segment_destination(Destination="CloudWatchLogs", **config)
    xray.update_trace_segment_destination(Destination="XRay")

    [rule] = xray.get_indexing_rules()["IndexingRules"]
    assert rule["Name"] == "Default" and rule["Rule"]["Probabilistic"]["ActualSamplingPercentage"] == 100
    wanted = {"Probabilistic": {"DesiredSamplingPercentage": 12.5}}
    changed = xray.update_indexing_rule(Name="Default", Rule=wanted)["IndexingRule"]
    assert changed["Rule"]["Probabilistic"]["DesiredSamplingPercentage"] == 12.5
    assert xray.get_indexing_rules()["IndexingRules"] == [changed]
    refused("ResourceNotFoundException", xray.update_indexing_rule, Name="Other", Rule=wanted)
    for rule in ({}, {"Probabilistic": {}}, {"Probabilistic": {"DesiredSamplingPercentage": 101}}):
        invalid(xray.update_indexing_rule, Name="Default", Rule=rule)
    invalid(xray.get_indexing_rules, NextToken="x")


def test_there_are_no_insights(xray):
    times = {"StartTime": 1_700_000_000, "EndTime": 1_700_003_600}
    assert xray.get_insight_summaries(GroupName="Default", States=["ACTIVE"], **times)["InsightSummaries"] == []
    for params in (times, {"GroupName": "Default"}, {"GroupName": "none", **times}, {"GroupName": "Default", "MaxResults": 101, **times},
                   {"GroupName": "Default", "StartTime": 2, "EndTime": 1}, {"GroupName": "Default", "NextToken": "x", **times}):
        invalid(xray.get_insight_summaries, **params)
    for insight in (NOBODY, "not-an-id"):
        invalid(xray.get_insight, InsightId=insight)
        invalid(xray.get_insight_events, InsightId=insight)
        invalid(xray.get_insight_impact_graph, InsightId=insight, **times)


def test_what_an_account_keeps_survives_a_restart(tmp_path):
    first = Server(tmp_path)
    ours = client(first)
    group = ours.create_group(GroupName="kept", FilterExpression="fault")["Group"]
    rule = ours.create_sampling_rule(SamplingRule={**RULE, "RuleName": "kept"})["SamplingRuleRecord"]
    first.stop()
    second = Server(tmp_path)
    ours = client(second)
    assert ours.get_group(GroupName="kept")["Group"] == group
    assert ours.get_sampling_rules()["SamplingRuleRecords"][0] == rule
    [target] = ours.get_sampling_targets(SamplingStatisticsDocuments=[report("kept")])["SamplingTargetDocuments"]
    assert target["ReservoirQuota"] == 10
    second.stop()


@pytest.mark.parametrize("name", MODEL.operation_names)
def test_garbage_is_refused_in_the_vendors_words(server, name):
    operation = MODEL.operation_model(name)
    path, shape = operation.http["requestUri"], operation.input_shape
    members = shape.members if shape else {}
    required = shape.required_members if shape else []
    bodies = [b"{", b"\xff\xfe", b"nonsense", b"[1]", b"1", b'"text"', b"[" * 100_000, b'{"a":' * 100_000]
    bodies += [json.dumps({member: wrong}).encode() for member in members for wrong in (7, "w", [], [7], {}, {"a": {"b": 1}}, True)]
    bodies += [json.dumps({member: long_of(one)}).encode() for member, one in members.items()]
    if members:
        bodies.append(json.dumps(long_of(shape)).encode())
    for body in bodies:
        answer = raw(server, path, body)
        # What is no request at all is refused; some wrong values are of a right type.
        garbage = body in bodies[:8]
        assert answer.status_code < 500 and (answer.status_code >= 400 or not garbage), (body[:100], answer.text[:300])
        if answer.status_code == 200:
            assert not required or all(f'"{member}"'.encode() in body for member in required), (body[:100], answer.text[:300])
            continue
        said = answer.json()
        assert answer.headers["x-amzn-errortype"] == said["__type"] and answer.headers["x-amzn-requestid"]
        assert answer.headers["content-type"] == "application/json" and len(answer.content) < 100_000
        # Two errors have no message: an operation that is not built, and a body that is too large.
        if said["__type"] not in ("UnknownOperationException", "RequestEntityTooLargeException"):
            assert isinstance(said["Message"], str) and said["Message"], said
