"""Whole traces by X-Ray's API: boto3, which checks answers against the vendor's model, and the spawned binary."""

import json
import time

import boto3
import pytest
import requests
from botocore.config import Config
from botocore.exceptions import ClientError


def client(server):
    return boto3.client(
        "xray", endpoint_url=server.url(""), region_name="eu-west-1", aws_access_key_id="any",
        aws_secret_access_key="any", config=Config(retries={"max_attempts": 1}),
    )


@pytest.fixture
def xray(start):
    server = start()
    client_of_server = client(server)
    client_of_server.server = server
    return client_of_server


def hex_id(number, digits=16):
    return f"{number:0{digits}x}"


def trace_id(number):
    return f"1-{int(time.time()):08x}-{number:024x}"


def segment(trace, number, **more):
    now = time.time()
    return {"trace_id": trace, "id": hex_id(number), "name": f"service-{number}",
            "start_time": now - 1, "end_time": now, **more}


def put(xray, *documents):
    answer = xray.put_trace_segments(TraceSegmentDocuments=[json.dumps(document) for document in documents])
    assert answer["UnprocessedTraceSegments"] == []


def got(xray, *ids):
    answer = xray.batch_get_traces(TraceIds=list(ids))
    return answer, {
        trace["Id"]: [json.loads(segment["Document"]) for segment in trace["Segments"]]
        for trace in answer["Traces"]
    }


def test_a_trace_is_put_together_in_any_order(xray):
    trace = trace_id(1)
    call = segment(trace, 3, type="subsegment", parent_id=hex_id(2), namespace="remote")
    callee = segment(trace, 5, parent_id=hex_id(3), fault=True)
    aws = segment(trace, 4, namespace="aws", name="DynamoDB", aws={"table_name": "orders", "operation": "GetItem"})
    put(xray, call)
    put(xray, callee)
    put(xray, segment(trace, 2, subsegments=[aws], annotations={"tier": "gold"}, Dummy=False))
    answer, traces = got(xray, trace, "1-00000000-000000000000000000000009")
    assert answer["UnprocessedTraceIds"] == ["1-00000000-000000000000000000000009"]
    assert "NextToken" not in answer
    assert answer["Traces"][0]["LimitExceeded"] is False
    assert 1 <= answer["Traces"][0]["Duration"] < 5
    by_name = {document["name"]: document for document in traces[trace]}
    assert set(by_name) == {"service-2", "service-5", "DynamoDB"}
    entry = by_name["service-2"]
    assert {inner["id"] for inner in entry["subsegments"]} == {hex_id(3), hex_id(4)}
    assert entry["annotations"] == {"tier": "gold"} and "Dummy" not in entry
    assert by_name["service-5"]["fault"] is True
    inferred = by_name["DynamoDB"]
    assert inferred["inferred"] is True and inferred["parent_id"] == hex_id(4)
    assert inferred["origin"] == "AWS::DynamoDB::Table" and inferred["aws"]["table_name"] == "orders"


def test_both_forms_of_ids_are_taken_and_pages_go_on(xray):
    ids = [trace_id(number) for number in range(1, 8)]
    put(xray, *[segment(trace, 1) for trace in ids])
    plain = ids[0].replace("1-", "", 1).replace("-", "")
    _, traces = got(xray, plain)
    assert list(traces) == [ids[0]]
    pages = list(xray.get_paginator("batch_get_traces").paginate(TraceIds=ids + ["nonsense"]))
    assert [trace["Id"] for page in pages for trace in page["Traces"]] == ids
    assert [len(page["Traces"]) for page in pages] == [5, 2]
    assert pages[1]["UnprocessedTraceIds"] == ["nonsense"]
    with pytest.raises(ClientError) as refused:
        xray.batch_get_traces(TraceIds=ids, NextToken="x")
    assert refused.value.response["Error"]["Code"] == "InvalidRequestException"


def test_segments_and_spans_of_one_trace_are_together(xray):
    trace = trace_id(3)
    plain = trace.replace("1-", "", 1).replace("-", "")
    now_ns = time.time_ns()
    put(xray, segment(trace, 1, subsegments=[segment(trace, 2, namespace="remote", name="cart")]))
    sent = requests.post(
        xray.server.url("/v1/traces", "otlp_http"), timeout=30,
        json={"resourceSpans": [{
            "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "cart"}}]},
            "scopeSpans": [{"spans": [{
                "traceId": plain, "spanId": hex_id(7), "parentSpanId": hex_id(2), "name": "GET /cart", "kind": 2,
                "startTimeUnixNano": str(now_ns - 500_000_000), "endTimeUnixNano": str(now_ns),
                "attributes": [
                    {"key": "http.request.method", "value": {"stringValue": "GET"}},
                    {"key": "url.full", "value": {"stringValue": "http://cart/cart"}},
                    {"key": "http.response.status_code", "value": {"intValue": "503"}},
                ],
                "events": [{"timeUnixNano": str(now_ns), "name": "exception", "attributes": [
                    {"key": "exception.type", "value": {"stringValue": "Timeout"}}]}],
            }]}],
        }]},
    )
    assert sent.status_code == 200, sent.text
    _, traces = got(xray, trace)
    documents = {document["id"]: document for document in traces[trace]}
    assert set(documents) == {hex_id(1), hex_id(7)}, "the span takes the inferred segment's place"
    span = documents[hex_id(7)]
    assert span["name"] == "cart" and span["parent_id"] == hex_id(2) and span["fault"] is True
    assert span["http"] == {"request": {"method": "GET", "url": "http://cart/cart"}, "response": {"status": 503}}
    assert span["cause"]["exceptions"][0]["type"] == "Timeout"


def test_traces_are_retrieved_in_both_formats(xray):
    now = time.time()
    ids = [trace_id(number) for number in range(1, 8)]
    put(xray, *[segment(trace, 1, links=[{"trace_id": ids[-1], "id": hex_id(1)}]) for trace in ids[:-1]])
    many = [segment(ids[-1], number, type="subsegment", parent_id=hex_id(1)) for number in range(2, 140)]
    put(xray, segment(ids[-1], 1), *many)
    token = xray.start_trace_retrieval(TraceIds=ids, StartTime=now - 60, EndTime=now + 60)["RetrievalToken"]

    def all_of(**more):
        spans, token_of_page, page_count = {}, {}, 0
        while True:
            page = xray.list_retrieved_traces(RetrievalToken=token, **more, **token_of_page)
            page_count += 1
            assert page["RetrievalStatus"] == "COMPLETE"
            for trace in page["Traces"]:
                assert len(trace["Spans"]) <= 100
                spans.setdefault(trace["Id"], []).extend(json.loads(span["Document"]) for span in trace["Spans"])
            if "NextToken" not in page:
                return spans, page_count
            token_of_page = {"NextToken": page["NextToken"]}

    segments, page_count = all_of()
    assert page_count == 2 and list(segments) == ids
    assert len(segments[ids[-1]]) == 1 and len(segments[ids[-1]][0]["subsegments"]) == 138
    spans, page_count = all_of(TraceFormat="OTEL")
    assert page_count == 3 and list(spans) == ids
    assert len({span["spanId"] for span in spans[ids[-1]]}) == 139
    assert spans[ids[0]][0]["kind"] == "SERVER"
    assert spans[ids[0]][0]["traceId"] == ids[0].replace("1-", "", 1).replace("-", "")

    graph = xray.get_retrieved_traces_graph(RetrievalToken=token)
    assert graph["RetrievalStatus"] == "COMPLETE"
    assert [service["Service"]["Name"] for service in graph["Services"]] == ["service-1"]
    assert graph["Services"][0]["Service"]["SummaryStatistics"]["OkCount"] == 7
    links = graph["Services"][0]["Links"]
    assert len(links) == 6 and all(link["DestinationTraceIds"] == [ids[-1]] for link in links)

    later = xray.start_trace_retrieval(TraceIds=ids, StartTime=now + 600, EndTime=now + 660)["RetrievalToken"]
    assert xray.list_retrieved_traces(RetrievalToken=later)["Traces"] == []
    xray.cancel_trace_retrieval(RetrievalToken=token)
    cancelled = xray.list_retrieved_traces(RetrievalToken=token)
    assert (cancelled["RetrievalStatus"], cancelled["Traces"]) == ("CANCELLED", [])


@pytest.mark.parametrize("call", [
    lambda xray: xray.list_retrieved_traces(RetrievalToken="x"),
    lambda xray: xray.get_retrieved_traces_graph(RetrievalToken="6a0b3f3e-0000-4000-8000-000000000000"),
    lambda xray: xray.cancel_trace_retrieval(RetrievalToken="x"),
])
def test_a_token_that_is_not_known_is_not_found(xray, call):
    with pytest.raises(ClientError) as refused:
        call(xray)
    assert refused.value.response["Error"]["Code"] == "ResourceNotFoundException"
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 404


def test_bad_retrievals_are_refused(xray):
    for ids, start, end in [(["nonsense"], 1, 2), ([trace_id(1)], 2, 1)]:
        with pytest.raises(ClientError) as refused:
            xray.start_trace_retrieval(TraceIds=ids, StartTime=start, EndTime=end)
        assert refused.value.response["Error"]["Code"] == "InvalidRequestException"
