"""CloudWatch Logs through boto3, unmodified. Every answer, read raw, is held against botocore's model: no field it does not
know, none of a wrong type, none missing; every refusal is one of the vendor's, in the vendor's form."""

import json
import time
import uuid

import boto3
import botocore.session
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from vendor_model import fits

MODEL = botocore.session.get_session().get_service_model("logs")
REGION = "eu-west-1"
CONTENT_TYPE = "application/x-amz-json-1.1"
MESSAGE_BYTES_MAX = 1_048_576
EVENT_OVERHEAD_BYTES = 26
# Errors that every operation may answer, whatever its model says.
COMMON = {"SerializationException", "UnknownOperationException", "ValidationException", "ThrottlingException",
          "AccessDeniedException", "ServiceUnavailableException", "InvalidParameterException", "RequestEntityTooLargeException"}
PATIENCE_S = 30


def now_ms():
    return int(time.time() * 1000)


def until(question, wanted):
    """Asks until the answer is as wanted."""
    deadline = time.monotonic() + PATIENCE_S
    while not wanted(answer := question()):
        assert time.monotonic() < deadline, answer
        time.sleep(0.02)
    return answer


def check(http_response, model, **_):
    headers = {name.lower(): value for name, value in http_response.headers.items()}
    assert headers.get("x-amzn-requestid"), headers
    if http_response.status_code != 200:
        said = json.loads(http_response.content)
        errors = {error.name for error in model.error_shapes}
        assert headers["content-type"] == CONTENT_TYPE and said["__type"] in errors | COMMON, said
        assert http_response.status_code in (400, 413, 500, 503), http_response.status_code
        return
    if model.has_event_stream_output:
        return
    assert headers["content-type"] == CONTENT_TYPE
    if model.output_shape:
        fits(model.output_shape, json.loads(http_response.content), model.name)
    else:
        assert http_response.content in (b"", b"{}"), http_response.content


def client(server, region=REGION, key_id="any", secret="any", **config):
    made = boto3.client(
        "logs", endpoint_url=server.url(""), region_name=region, aws_access_key_id=key_id, aws_secret_access_key=secret,
        config=Config(retries={"max_attempts": 1}, parameter_validation=False, inject_host_prefix=False, **config),
    )
    made.meta.events.register("after-call.logs.*", check)
    return made


def refused(code, call, message=None, **params):
    """The call is refused with this code; the message is that, or has it within if it ends in dots."""
    with pytest.raises(ClientError) as caught:
        call(**params)
    error = caught.value.response["Error"]
    assert error["Code"] == code, caught.value
    assert error["Message"]
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    if message and message.endswith("..."):
        assert message[:-3] in error["Message"], error["Message"]
    elif message:
        assert error["Message"] == message
    return caught.value.response


def invalid(call, message=None, **params):
    return refused("InvalidParameterException", call, message, **params)


def missing(call, message=None, **params):
    return refused("ResourceNotFoundException", call, message, **params)


def fresh(logs, prefix="group", stream="stream"):
    """A group of its own with one stream, by name."""
    name = f"{prefix}/{uuid.uuid4().hex[:12]}"
    logs.create_log_group(logGroupName=name)
    if stream:
        logs.create_log_stream(logGroupName=name, logStreamName=stream)
    return name


def put(logs, group, messages, stream="stream", at=None, **more):
    """Writes messages, a millisecond apart, or pairs of time and message as they are."""
    at = now_ms() if at is None else at
    events = [{"timestamp": one[0], "message": one[1]} if isinstance(one, tuple) else {"timestamp": at + number, "message": one}
              for number, one in enumerate(messages)]
    return logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=events, **more)


def messages(answer):
    return [event["message"] for event in answer["events"]]


def ask(logs, query, groups, start=None, end=None, **more):
    """Runs an Insights query to its end; the rows as dicts, and the whole last answer."""
    at = int(time.time())
    names = {"logGroupNames": groups} if isinstance(groups, list) else {"logGroupName": groups} if groups else {}
    query_id = logs.start_query(queryString=query, startTime=at - 3600 if start is None else start,
                                endTime=at + 3600 if end is None else end, **names, **more)["queryId"]
    answer = until(lambda: logs.get_query_results(queryId=query_id), lambda answer: answer["status"] not in ("Scheduled", "Running"))
    assert answer["status"] == "Complete", answer
    return [{one["field"]: one["value"] for one in row} for row in answer["results"]], answer
