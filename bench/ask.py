"""Asks the questions of bench/README.md and prints the median of warm runs, in milliseconds, as seen by a client."""

import json
import statistics
import sys
import time
import urllib.request

RUNS = 7
DAY = 86_400


def call(address, path, body=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(address + path, data, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=120) as answer:
        return json.load(answer)


def measure(label, ask, show):
    times = []
    for _ in range(RUNS + 1):
        started = time.perf_counter()
        answer = ask()
        times.append((time.perf_counter() - started) * 1000)
    print(json.dumps({"label": label, "first_ms": round(times[0], 1), "warm_ms": round(statistics.median(times[1:]), 1),
                      "answer": show(answer)}), flush=True)


def main():
    address, manifest = sys.argv[1], json.load(open(sys.argv[2]))
    print(json.dumps({"label": "manifest", "keys": sorted(manifest)[:60]}))
    window = {"start_time": manifest["start_unix"] - 60, "end_time": manifest["start_unix"] + manifest["window_s"] + 600}

    def query(spec):
        return lambda: call(address, "/api/v1/query", {**window, **spec})

    count = query({"calculations": [{"op": "COUNT"}]})
    measure("count", count, lambda answer: answer["results"][0]["data"]["COUNT"])
    routes = {"calculations": [{"op": "COUNT"}, {"op": "P99", "column": "duration_ms"}], "breakdowns": ["http.route"], "limit": 1000}
    measure("count and p99 by http.route", query(routes), lambda answer: len(answer["results"]))
    measure("count distinct user.id", query({"calculations": [{"op": "COUNT_DISTINCT", "column": "user.id"}]}),
            lambda answer: answer["results"][0]["data"]["COUNT_DISTINCT(user.id)"])
    measure("heatmap of duration_ms by minute",
            query({"calculations": [{"op": "HEATMAP", "column": "duration_ms"}], "granularity": 60}),
            lambda answer: len(answer["series"]))
    some = call(address, f"/api/v1/traces?limit=5&seconds={DAY}")["traces"]
    traces = iter([trace["trace_id"] for trace in some] * RUNS * 2)
    measure("trace by id", lambda: call(address, f"/api/v1/traces/{next(traces)}"), lambda answer: answer["span_count"])
    measure("service, attribute and minimum duration, newest 20",
            lambda: call(address, f"/api/v1/traces?service=activities&field=http.request.method&value=GET&min_duration_ms=20&limit=20&seconds={DAY}"),
            lambda answer: len(answer["traces"]))
    user = call(address, f"/api/v1/values?field=user.id&limit=200&seconds={DAY}")["values"][-1]
    measure("spans of one user.id", query({"calculations": [{"op": "COUNT"}], "filters": [{"column": "user.id", "op": "=", "value": user["value"]}]}),
            lambda answer: (answer["results"][0]["data"]["COUNT"], user["count"]))


if __name__ == "__main__":
    main()
