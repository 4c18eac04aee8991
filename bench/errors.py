"""Posts items to Rollbar's door at a rate, from several processes with connections that stay open, and asks for the first
pages of what came of it. Every post must be answered with 200, and the items must count what was posted.

    python3 errors.py ADDRESS [--rate 2000] [--seconds 10] [--bytes 2048] [--places 1000] [--senders 32] [--pid PID]

Prints one JSON object a line: the posts (rate, latency, CPU of the process PID), the time until all are grouped, and the
questions (median and best of warm runs, in milliseconds). Each place is an item of its own.
"""

import argparse
import http.client
import json
import multiprocessing
import os
import random
import statistics
import time
import uuid

TOKEN = "0123456789abcdef0123456789abcdef"
HEADERS = {"X-Rollbar-Access-Token": TOKEN, "Content-Type": "application/json"}


def item(place, size, filler):
    frames = [{"filename": f"/srv/shop/module{place % 97}.py", "lineno": place, "method": f"step_{chr(97 + depth)}"} for depth in range(5)]
    frames.append({"filename": "/srv/shop/views.py", "lineno": place, "method": "view_" + "".join(chr(97 + int(digit)) for digit in str(place))})
    data = {"environment": "production", "level": "error", "uuid": str(uuid.uuid4()), "framework": "flask", "language": "python 3.11.7",
            "person": {"id": str(random.randrange(10_000))}, "server": {"host": "web1", "root": "/srv/shop"},
            "body": {"trace": {"frames": frames, "exception": {"class": "KeyError", "message": f"'{random.randrange(1_000_000)}'"}}}}
    body = json.dumps({"data": data})
    if len(body) < size:
        data["custom"] = {"note": filler[:size - len(body) - 24]}
        body = json.dumps({"data": data})
    return body.encode()


def send(number, options, start_s, answers):
    """One sender's share of the posts, each at its time."""
    random.seed(number)
    filler = "".join(random.choice("abcdefghij klmnopqrst") for _ in range(options.bytes))
    connection = http.client.HTTPConnection(options.address, timeout=30)
    count = options.rate * options.seconds // options.senders
    step_s = options.senders / options.rate
    latencies, failed = [], 0
    for post in range(count):
        body = item(random.randrange(options.places), options.bytes, filler)
        due_s = start_s + post * step_s
        while (wait_s := due_s - time.time()) > 0:
            time.sleep(wait_s)
        began = time.perf_counter()
        connection.request("POST", "/api/1/item/", body, HEADERS)
        answer = connection.getresponse()
        answer.read()
        latencies.append((time.perf_counter() - began) * 1000)
        failed += answer.status != 200
    answers.put((latencies, failed, time.time()))


def ask(address, path):
    connection = http.client.HTTPConnection(address, timeout=60)
    connection.request("GET", path, headers=HEADERS)
    return json.loads(connection.getresponse().read())["result"]


def cpu_s(pid):
    fields = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("address")
    for name, default in (("rate", 2000), ("seconds", 10), ("bytes", 2048), ("places", 1000), ("senders", 32), ("pid", 0)):
        parser.add_argument(f"--{name}", type=int, default=default)
    options = parser.parse_args()
    before = ask(options.address, "/api/1/items/?limit=1")["total_count"]
    answers = multiprocessing.Queue()
    used_s = cpu_s(options.pid) if options.pid else 0
    start_s = time.time() + 1
    senders = [multiprocessing.Process(target=send, args=(number, options, start_s, answers)) for number in range(options.senders)]
    for sender in senders:
        sender.start()
    told = [answers.get() for _ in senders]
    latencies = sorted(latency for own, _, _ in told for latency in own)
    failed, ended_s = sum(failed for _, failed, _ in told), max(ended for _, _, ended in told)
    took_s = ended_s - start_s
    # A question settles what waits, so the first answer after the last post says how long grouping takes.
    items = ask(options.address, "/api/1/items/?limit=1")
    print(json.dumps({
        "posts": len(latencies), "failed": failed, "per_s": round(len(latencies) / took_s), "bytes": options.bytes,
        "median_ms": round(statistics.median(latencies), 2), "p99_ms": round(latencies[int(len(latencies) * 0.99)], 2),
        "server_cpu_s": round(cpu_s(options.pid) - used_s, 2) if options.pid else None, "grouped_after_s": round(time.time() - ended_s, 2),
        "items": items["total_count"]}), flush=True)
    counted = sum(item["total_occurrences"] for page in range(1, 2 + items["total_count"] // 5000)
                  for item in ask(options.address, f"/api/1/items/?limit=5000&page={page}")["items"])
    if before == 0 and counted != len(latencies) - failed:
        print(json.dumps({"wrong": f"{counted} occurrences are counted"}))
    for label, path in (("first page of items", "/api/1/items/"), ("search of a word", "/api/1/items/?query=keyerror"),
                        ("occurrences, newest 20", "/api/1/instances"), ("top items", "/api/1/reports/top_active_items")):
        times = []
        for _ in range(8):
            began = time.perf_counter()
            ask(options.address, path)
            times.append((time.perf_counter() - began) * 1000)
        print(json.dumps({"label": label, "warm_ms": round(statistics.median(times[1:]), 1), "best_ms": round(min(times), 1)}), flush=True)


if __name__ == "__main__":
    main()
