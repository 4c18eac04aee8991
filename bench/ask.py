"""Asks the questions of the speed table about a generated workload, checks each answer against the workload's manifest,
and prints the median and the best of warm runs, in milliseconds, as seen by a client.

    python3 ask.py ADDRESS MANIFEST [RUNS]

Counts must be exact, percentiles within 1 %, distinct counts within 2 %; the exit code is 1 when any is not.
"""

import itertools
import json
import statistics
import sys
import time
import urllib.parse
import urllib.request

failures = []


def call(address, path, body=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(address + path, data, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=120) as answer:
        return json.load(answer)


def check(label, what, found, expected, tolerance=0.0):
    if found is None or abs(found - expected) > abs(expected) * tolerance:
        failures.append(f"{label}: {what} is {found} and should be {expected}")


def measure(label, runs, ask, show):
    """`show` checks an answer and says what is in it; it is not timed."""
    times, shown = [], None
    for _ in range(runs + 1):
        started = time.perf_counter()
        answer = ask()
        times.append((time.perf_counter() - started) * 1000)
        shown = show(answer)
    warm = times[1:]
    print(json.dumps({"label": label, "first_ms": round(times[0], 1), "warm_ms": round(statistics.median(warm), 1),
                      "best_ms": round(min(warm), 1), "answer": shown}), flush=True)


def main():
    address, manifest = sys.argv[1], json.load(open(sys.argv[2]))
    runs = int(sys.argv[3]) if len(sys.argv) > 3 else 7
    window = {"start_time": manifest["start_unix"] - 60, "end_time": manifest["start_unix"] + manifest["window_s"] + 600}
    seconds = int(time.time()) - window["start_time"] + 60

    def query(series=False, **spec):
        path = f"/api/v1/query?series={str(series).lower()}"
        return lambda: call(address, path, {**window, **spec})

    def first(answer, key):
        return answer["results"][0]["data"][key]

    # Exceptions are events of spans, which are rows as well.
    rows = manifest["spans"] + manifest["exception_events"]

    def show_count(answer):
        check("count", "COUNT", first(answer, "COUNT"), rows)
        return first(answer, "COUNT")

    def show_routes(answer):
        found = {row["data"].get("http.route"): row["data"] for row in answer["results"]}
        for route in manifest["routes"]:
            row = found.get(route["route"], {})
            check(route["route"], "COUNT", row.get("COUNT"), route["count"])
            check(route["route"], "P99", row.get("P99(duration_ms)"), route["p99_ns"] / 1e6, 0.01)
        return len(found)

    def show_distinct(answer):
        distinct = first(answer, "COUNT_DISTINCT(user.id)")
        check("distinct", "COUNT_DISTINCT", distinct, manifest["distinct_users"], 0.02)
        return distinct

    def show_heatmap(answer):
        weight = sum(sum(point["data"]["HEATMAP(duration_ms)"]["counts"]) for point in answer["series"])
        check("heatmap", "weight", weight, manifest["spans"])
        return weight

    count, p99 = {"op": "COUNT"}, {"op": "P99", "column": "duration_ms"}
    measure("count", runs, query(calculations=[count]), show_count)
    measure("count and p99 by http.route", runs,
            query(calculations=[count, p99], breakdowns=["http.route"], limit=1000), show_routes)
    distinct = {"op": "COUNT_DISTINCT", "column": "user.id"}
    measure("count distinct user.id", runs, query(calculations=[distinct]), show_distinct)
    heatmap = {"op": "HEATMAP", "column": "duration_ms"}
    measure("heatmap of duration_ms by minute", runs, query(series=True, calculations=[heatmap], granularity=60), show_heatmap)

    asked = []
    traces = itertools.cycle(manifest["trace_ids"])

    def ask_trace():
        asked.append(next(traces))
        return call(address, f"/api/v1/traces/{asked[-1]['trace_id']}")

    def show_trace(answer):
        check(asked[-1]["trace_id"], "span_count", answer["span_count"], asked[-1]["spans"])
        return answer["span_count"]

    measure("trace by id", max(runs, len(manifest["trace_ids"])), ask_trace, show_trace)

    for name in ("probe_b", "probe_b_rare"):
        probe = manifest[name]
        parameters = urllib.parse.urlencode({
            "service": probe["service"], "field": probe["key"], "value": probe["value"],
            "min_duration_ms": probe["min_ms"], "limit": 20, "seconds": seconds,
        })

        def show_search(answer, name=name, probe=probe):
            check(name, "traces", len(answer["traces"]), min(20, probe["traces"]))
            starts = [trace["start_ms"] for trace in answer["traces"]]
            if max(starts, default=0) < manifest["start_unix"] * 1000:
                failures.append(f"{name}: no trace is from the workload")
            return len(answer["traces"])

        measure(f"{name}: service, attribute and minimum duration, newest 20", runs,
                lambda parameters=parameters: call(address, f"/api/v1/traces?{parameters}"), show_search)

    for user in manifest["users"]:
        def show_user(answer, user=user):
            check(user["user_id"], "COUNT", first(answer, "COUNT"), user["spans"])
            return first(answer, "COUNT")

        is_user = {"column": "user.id", "op": "=", "value": user["user_id"]}
        measure(f"spans of one user.id ({user['spans']})", runs, query(calculations=[count], filters=[is_user]), show_user)

    for failure in failures[:20]:
        print(json.dumps({"wrong": failure}))
    print(json.dumps({"wrong_answers": len(failures)}))
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
