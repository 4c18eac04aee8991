"""Plays requests of a Flask application that has OpenTelemetry, X-Ray, watchtower and Rollbar side by side, none of which
knows the others' ids, at several numbers of requests under way at a time; asks for the request view of a sample; and says
how often its joins are right.

    python3 request_view.py ADDRESS [--requests 400] [--sample 60] [--seed 7] [--concurrency 1,10,100]

Prints one JSON object a line: for each concurrency and kind of record (trace, log, error) precision and recall of joins from
0.5 on, the mean strength of right and of wrong ones, and the milliseconds of a question (median).

What is made up: the middlewares of X-Ray and OpenTelemetry lie around each other within 0.2 to 2 ms at either end; one line
is written at the end, to the millisecond, with method, path and status; two thirds of the requests also write a line within,
with nothing of the request in it; one in twenty fails and reports an error, whose clock has whole seconds.
"""

import argparse
import heapq
import http.client
import json
import random
import statistics
import time

PATHS = ["/api/activities/home", "/api/activities/notifications", "/api/activities/@andrew", "/api/activities/@quark", "/api/message_groups", "/rollbar/test"]
LOGS = {"Content-Type": "application/x-amz-json-1.1"}
JOINED = 0.5


def call(address, path, body=None, headers=None):
    connection = http.client.HTTPConnection(address, timeout=120)
    connection.request("GET" if body is None else "POST", path, body, headers or {"Content-Type": "application/json"})
    answer = connection.getresponse()
    text = answer.read()
    assert answer.status == 200, (path, answer.status, text[:300])
    return json.loads(text) if text else None


def play(count, concurrency, start_ns, rng):
    """Requests with their times: `concurrency` workers, each with the next request as soon as its last is answered."""
    free = [(start_ns + worker * 1_000_000, worker) for worker in range(concurrency)]
    heapq.heapify(free)
    for number in range(count):
        at_ns, worker = heapq.heappop(free)
        at_ns += int(rng.expovariate(1 / 3e6))
        duration_ns = int(rng.lognormvariate(2.6, 0.6) * 1e6)
        failed = rng.random() < 0.05
        heapq.heappush(free, (at_ns + duration_ns + 3_000_000, worker))
        yield {"number": number, "start_ns": at_ns, "duration_ns": duration_ns, "path": rng.choice(PATHS), "status": 500 if failed else rng.choice([200] * 9 + [404]), "failed": failed}


def send(address, tag, requests, rng):
    """Everything that the requests leave behind; ids and texts name a request only so that the answer can be checked."""
    spans, documents, lines = [], [], []
    ids = random.Random(tag)
    for request in requests:
        number, start_ns, duration_ns = request["number"], request["start_ns"], request["duration_ns"]
        request["otel"] = f"{ids.getrandbits(128):032x}"
        request["xray"] = f"{start_ns // 10**9:08x}{ids.getrandbits(96):024x}"
        around = [int(rng.uniform(0.2e6, 2e6)) for _ in range(2)]
        text = lambda value: {"stringValue": value}
        spans.append({"traceId": request["otel"], "spanId": f"{ids.getrandbits(64):016x}", "name": "GET", "kind": 2, "startTimeUnixNano": str(start_ns), "endTimeUnixNano": str(start_ns + duration_ns),
                      "status": {"code": 2 if request["failed"] else 0},
                      "attributes": [{"key": "http.method", "value": text("GET")}, {"key": "http.target", "value": text(request["path"])}, {"key": "http.status_code", "value": {"intValue": str(request["status"])}}]})
        documents.append(json.dumps({"trace_id": f"1-{request['xray'][:8]}-{request['xray'][8:]}", "id": f"{ids.getrandbits(64):016x}", "name": f"backend-{tag}", "fault": request["failed"],
                                     "start_time": (start_ns - around[0]) / 1e9, "end_time": (start_ns + duration_ns + around[1]) / 1e9,
                                     "http": {"request": {"method": "GET", "url": f"http://127.0.0.1:4567{request['path']}"}, "response": {"status": request["status"]}}}))
        lines.append(((start_ns + duration_ns) // 10**6, f"[{tag}-{number}] 127.0.0.1 GET http {request['path']}? {request['status']}"))
        if number % 3:
            lines.append(((start_ns + duration_ns // 2) // 10**6, f"[{tag}-{number}] reading activities"))
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": f"backend-{tag}"}}]}
    for first in range(0, len(spans), 200):
        call(address, "/v1/traces", json.dumps({"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": spans[first:first + 200]}]}]}))
    for first in range(0, len(documents), 50):
        call(address, "/TraceSegments", json.dumps({"TraceSegmentDocuments": documents[first:first + 50]}))
    group = f"backend-{tag}"
    call(address, "/", json.dumps({"logGroupName": group}), LOGS | {"X-Amz-Target": "Logs_20140328.CreateLogGroup"})
    call(address, "/", json.dumps({"logGroupName": group, "logStreamName": "one"}), LOGS | {"X-Amz-Target": "Logs_20140328.CreateLogStream"})
    lines.sort()
    for first in range(0, len(lines), 500):
        events = [{"timestamp": at, "message": message} for at, message in lines[first:first + 500]]
        call(address, "/", json.dumps({"logGroupName": group, "logStreamName": "one", "logEvents": events}), LOGS | {"X-Amz-Target": "Logs_20140328.PutLogEvents"})
    for request in (request for request in requests if request["failed"]):
        end_ns = request["start_ns"] + request["duration_ns"]
        call(address, "/api/1/item/", json.dumps({"data": {"environment": "bench", "level": "error", "timestamp": end_ns // 10**9,
             "request": {"url": f"http://127.0.0.1:4567{request['path']}", "method": "GET"},
             "body": {"trace": {"frames": [], "exception": {"class": "TypeError", "message": f"[{tag}-{request['number']}]"}}}}}))


def truth(member, request, tag):
    if member["kind"] == "trace":
        return member["trace_id"] in (request["xray"], request["otel"])
    return f"[{tag}-{request['number']}]" in member["text"]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("address")
    parser.add_argument("--requests", type=int, default=400)
    parser.add_argument("--sample", type=int, default=60)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--concurrency", default="1,10,100")
    options = parser.parse_args()
    for concurrency in map(int, options.concurrency.split(",")):
        rng = random.Random(options.seed * 1_000 + concurrency)
        tag = f"{concurrency}-{time.time_ns() % 10**9}"
        # Errors are told with the time they came at: the play ends now.
        start_ns = time.time_ns() - int(options.requests / concurrency * 20e6)
        requests = list(play(options.requests, concurrency, start_ns, rng))
        send(options.address, tag, requests, rng)
        chosen = rng.sample(requests, min(options.sample, len(requests)))
        chosen += [request for request in requests if request["failed"] and request not in chosen]
        found = {kind: {"right": [], "wrong": [], "wanted": 0} for kind in ("trace", "log", "error")}
        took = []
        for request in chosen:
            began = time.perf_counter()
            view = call(options.address, f"/api/v1/requests/{request['otel']}")
            took.append((time.perf_counter() - began) * 1000)
            wanted = {"trace": 1, "log": 2 if request["number"] % 3 else 1, "error": int(request["failed"])}
            for kind, count in wanted.items():
                found[kind]["wanted"] += count
            for member in view["members"]:
                if member["strength"] >= JOINED:
                    found[member["kind"]]["right" if truth(member, request, tag) else "wrong"].append(member["strength"])
        for kind, of in found.items():
            joined = len(of["right"]) + len(of["wrong"])
            print(json.dumps({"concurrency": concurrency, "kind": kind, "precision": round(len(of["right"]) / joined, 3) if joined else None,
                              "recall": round(len(of["right"]) / of["wanted"], 3) if of["wanted"] else None, "joined": joined,
                              "strength_right": round(statistics.mean(of["right"]), 2) if of["right"] else None, "strength_wrong": round(statistics.mean(of["wrong"]), 2) if of["wrong"] else None,
                              "question_ms": round(statistics.median(took), 1)}))


if __name__ == "__main__":
    main()
