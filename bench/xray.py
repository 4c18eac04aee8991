"""Asks the X-Ray API's three timed questions and prints the median and the best of warm runs, in milliseconds, as seen
by a client: the first page of trace summaries with an annotation filter, one trace, and the service graph of an hour.

    python3 xray.py ADDRESS START_UNIX END_UNIX [FILTER] [RUNS]

FILTER is an expression, by default `annotation.tier = "gold"`. The server must accept unsigned calls (open mode).
"""

import json
import statistics
import sys
import time
import urllib.request

TARGETS_MS = {"first page": 100, "one trace": 100, "service graph": 300}


def call(address, path, body):
    request = urllib.request.Request(address + path, json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=120) as answer:
        return json.load(answer)


def measure(label, runs, ask, show):
    times, shown = [], None
    for _ in range(runs + 1):
        started = time.perf_counter()
        answer = ask()
        times.append((time.perf_counter() - started) * 1000)
        shown = show(answer)
    warm = times[1:]
    print(json.dumps({"label": label, "first_ms": round(times[0], 1), "warm_ms": round(statistics.median(warm), 1),
                      "best_ms": round(min(warm), 1), "target_ms": TARGETS_MS[label], "answer": shown}), flush=True)


def main():
    address, start, end = sys.argv[1], float(sys.argv[2]), float(sys.argv[3])
    expression = sys.argv[4] if len(sys.argv) > 4 else 'annotation.tier = "gold"'
    runs = int(sys.argv[5]) if len(sys.argv) > 5 else 7
    window = {"StartTime": start, "EndTime": end}

    def summaries():
        return call(address, "/TraceSummaries", {**window, "FilterExpression": expression})

    measure("first page", runs, summaries, lambda answer: len(answer["TraceSummaries"]))
    found = summaries()["TraceSummaries"]
    if found:
        trace_id = found[0]["Id"]
        measure("one trace", runs, lambda: call(address, "/TraceGraph", {"TraceIds": [trace_id]}),
                lambda answer: len(answer["Services"]))

    def graph():
        return call(address, "/ServiceGraph", window)

    def show(answer):
        services = answer["Services"]
        counted = sum(service.get("SummaryStatistics", {}).get("TotalCount", 0) for service in services)
        return {"nodes": len(services), "requests": counted}

    measure("service graph", runs, graph, show)


main()
