"""Kills the real server with SIGKILL at random instants under load and looks for every acknowledged span afterwards.

The seed is printed; TRACERY_TEST_SEED replays it, TRACERY_TEST_KILLS changes how often (100 unless said).
"""

import http.client
import json
import os
import pathlib
import random
import subprocess
import tempfile
import threading
import time

SEED = int(os.environ.get("TRACERY_TEST_SEED") or random.randrange(1 << 32))
KILLS = int(os.environ.get("TRACERY_TEST_KILLS") or 100)
SENDERS = 4
SPANS_PER_REQUEST = 20
READY_SECONDS_MAX = 60


def start(directory):
    """The server's process and its main address."""
    ready = directory / "ready.json"
    ready.unlink(missing_ok=True)
    process = subprocess.Popen(
        [os.environ["TRACERY_BIN"], "serve", "--data-dir", str(directory / "data"), "--http", "127.0.0.1:0",
         "--otlp-grpc", "127.0.0.1:0", "--otlp-http", "127.0.0.1:0", "--xray", "127.0.0.1:0", "--ready-file", str(ready)],
        stderr=open(directory / "tracery.log", "a"),
    )
    deadline = time.monotonic() + READY_SECONDS_MAX
    while not ready.exists():
        if process.poll() is not None or time.monotonic() > deadline:
            raise SystemExit("the server does not get ready:\n" + (directory / "tracery.log").read_text()[-4000:])
        time.sleep(0.005)
    return process, json.loads(ready.read_text())["http"]


def request(number):
    """One request: spans whose ids say which they are."""
    now = time.time_ns()
    spans = [
        {"traceId": f"{number + 1:032x}", "spanId": f"{number * SPANS_PER_REQUEST + position + 1:016x}",
         "name": "crash", "startTimeUnixNano": str(now + position), "endTimeUnixNano": str(now + position + 1000)}
        for position in range(SPANS_PER_REQUEST)
    ]
    service = {"key": "service.name", "value": {"stringValue": "crash"}}
    return json.dumps({"resourceSpans": [{"resource": {"attributes": [service]}, "scopeSpans": [{"spans": spans}]}]})


class Senders:
    """Threads that send until the server is gone, and remember what was acknowledged."""

    def __init__(self):
        self.lock = threading.Lock()
        self.next = 0
        self.acknowledged = set()

    def take(self):
        with self.lock:
            self.next += 1
            return self.next - 1

    def run(self, address):
        connection = http.client.HTTPConnection(address, timeout=30)
        try:
            while True:
                number = self.take()
                connection.request("POST", "/v1/traces", request(number), {"Content-Type": "application/json"})
                answer = connection.getresponse()
                answer.read()
                if answer.status == 200:
                    with self.lock:
                        self.acknowledged.add(number)
        except (OSError, http.client.HTTPException):
            return


def ask(address, sql):
    connection = http.client.HTTPConnection(address, timeout=120)
    connection.request("POST", "/api/v1/sql", json.dumps({"sql": sql}), {"Content-Type": "application/json"})
    answer = connection.getresponse()
    body = json.loads(answer.read())
    assert answer.status == 200, body
    return body["rows"]


def main():
    print(f"seed {SEED}, {KILLS} kills")
    chance = random.Random(SEED)
    senders = Senders()
    with tempfile.TemporaryDirectory() as folder:
        directory = pathlib.Path(folder)
        for kill in range(KILLS):
            process, address = start(directory)
            threads = [threading.Thread(target=senders.run, args=(address,)) for _ in range(SENDERS)]
            for thread in threads:
                thread.start()
            time.sleep(chance.uniform(0.02, 0.4))
            process.kill()
            process.wait()
            for thread in threads:
                thread.join()
            if (kill + 1) % 20 == 0:
                print(f"  {kill + 1} kills, {len(senders.acknowledged)} requests acknowledged", flush=True)
        verify = subprocess.run([os.environ["TRACERY_BIN"], "verify", "--data-dir", str(directory / "data")])
        process, address = start(directory)
        total = int(ask(address, "SELECT count(*) FROM spans")[0][0])
        traces = int(ask(address, 'SELECT count(DISTINCT "trace.trace_id") FROM spans')[0][0])
        spans = int(ask(address, 'SELECT count(DISTINCT "trace.span_id") FROM spans')[0][0])
        missing = lookup(address, senders.acknowledged)
        process.terminate()
        assert process.wait(timeout=10) == 0
        print(f"{len(senders.acknowledged)} requests acknowledged; {traces} found, {total} spans, {spans} different")
        assert verify.returncode == 0, "verify found problems"
        assert not missing, f"acknowledged and gone: {sorted(missing)[:10]}"
        assert total == spans == traces * SPANS_PER_REQUEST, "a span is there twice, or a request only in part"
        assert senders.acknowledged, "nothing was acknowledged: the test did not test"


def lookup(address, acknowledged):
    """The acknowledged requests that are not there whole, asked for in pages below the answer's row limit."""
    missing = set(acknowledged)
    offset = 0
    while True:
        rows = ask(address, 'SELECT "trace.trace_id", count(*) FROM spans GROUP BY "trace.trace_id" '
                            f'ORDER BY "trace.trace_id" LIMIT 5000 OFFSET {offset}')
        for trace, count in rows:
            if int(count) == SPANS_PER_REQUEST:
                missing.discard(int(trace, 16) - 1)
        if len(rows) < 5000:
            return missing
        offset += 5000


if __name__ == "__main__":
    main()
