"""Sends one trace of 1,500 spans over four services, some with errors and events, to the OTLP address given."""

import json
import sys
import time
import urllib.request

TRACE_ID = "5eed" * 8
SERVICES = ["checkout", "inventory", "payments", "shipping"]
start_ns = time.time_ns() - 60_000_000_000


def attribute(key, value):
    return {"key": key, "value": {"intValue": str(value)} if isinstance(value, int) else {"stringValue": value}}


def span(number):
    begin = start_ns + number * 700_000
    kind = "order" if number == 0 else ["load item", "SELECT stock", "charge card", "POST /labels"][number % 4]
    return {
        "traceId": TRACE_ID, "spanId": f"{number + 1:016x}",
        "parentSpanId": "" if number == 0 else f"{(number - 1) // 6 + 1:016x}",
        "name": kind, "kind": 2 if number % 6 == 0 else 1,
        "startTimeUnixNano": str(begin),
        "endTimeUnixNano": str(start_ns + 1_500 * 700_000 if number == 0 else begin + 400_000 + number * 9_000),
        "attributes": [attribute("item.id", number), attribute("user.id", f"user-{number % 17}")],
        "status": {"code": 2, "message": "card declined"} if number % 97 == 3 else {},
        "events": [{"name": "retry", "timeUnixNano": str(begin + 100_000), "attributes": [attribute("attempt", 2)]}]
        if number % 50 == 7 else [],
    }


body = {"resourceSpans": [
    {"resource": {"attributes": [attribute("service.name", service)]},
     "scopeSpans": [{"spans": [span(number) for number in range(1_500) if number % 4 == idx]}]}
    for idx, service in enumerate(SERVICES)]}
request = urllib.request.Request(f"{sys.argv[1]}/v1/traces", json.dumps(body).encode(), {"content-type": "application/json"})
with urllib.request.urlopen(request) as answer:
    assert answer.status == 200
