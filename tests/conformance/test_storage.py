"""The promise of an acknowledgement, kept by the real server when what is below it fails: an S3 server that goes away,
a disk that is full, parts whose bytes change, a machine that dies, and more data than its memory holds.
"""

import concurrent.futures
import json
import os
import pathlib
import subprocess
import time

import pytest
import requests
from conftest import Server
from object_server import BUCKET, ObjectServer

WAIT_SECONDS_MAX = 60


def request(first, count, text=""):
    """An OTLP request of spans that carry their number, and a text of their own if there is one."""
    now = time.time_ns()
    spans = [
        {"traceId": f"{number + 1:032x}", "spanId": f"{number + 1:016x}", "name": "storage",
         "startTimeUnixNano": str(now + number), "endTimeUnixNano": str(now + number + 1000),
         "attributes": [{"key": "number", "value": {"intValue": str(number)}},
                        *([{"key": "text", "value": {"stringValue": f"{number}{text}"}}] if text else [])]}
        for number in range(first, first + count)
    ]
    service = {"key": "service.name", "value": {"stringValue": "storage"}}
    return {"resourceSpans": [{"resource": {"attributes": [service]}, "scopeSpans": [{"spans": spans}]}]}


def send(server, first, count=10):
    return server.post("/v1/traces", request(first, count))


def accepted(server, first, count=10):
    answer = send(server, first, count)
    assert answer.status_code == 200, answer.text


def refused(server, first):
    """Refused, with a time to come again."""
    answer = send(server, first)
    assert answer.status_code in (429, 503), answer.text
    assert int(answer.headers["Retry-After"]) > 0


def numbers(server):
    """The numbers of all spans, in order."""
    answer = server.post("/api/v1/sql", {"sql": "SELECT number FROM spans ORDER BY number LIMIT 10000"})
    assert answer.status_code == 200, answer.text
    return [int(row[0]) for row in answer.json()["rows"]]


def metric(server, name):
    for line in server.get("/metrics").text.splitlines():
        if line.startswith(f"{name} "):
            return float(line.split()[1])
    raise AssertionError(f"{name} is not there")


def until(what, state):
    """Waits until `state()` holds."""
    deadline = time.monotonic() + WAIT_SECONDS_MAX
    while not state():
        assert time.monotonic() < deadline, f"{what} does not happen"
        time.sleep(0.1)


def command(directory, *words, environment=None):
    """A `tracery` command on the same data."""
    return subprocess.run(
        [os.environ["TRACERY_BIN"], *words, "--data-dir", str(directory / "data")],
        env={**os.environ, **(environment or {})}, capture_output=True, text=True, check=False,
    )


def parts(directory):
    lines = command(directory, "parts", "--json").stdout.splitlines()
    return [part for part in map(json.loads, lines) if "set_aside" not in part]


@pytest.fixture
def object_server(tmp_path):
    folder = tmp_path / "seaweedfs"
    folder.mkdir()
    running = ObjectServer(folder)
    yield running
    running.stop()


def test_s3_may_go_away_and_come_back(tmp_path, object_server):
    flags = ["--store", f"s3://{BUCKET}/some/prefix"]
    environment = object_server.environment()
    server = Server(tmp_path, *flags, environment=environment)
    accepted(server, 0)
    server.stop()

    server = Server(tmp_path, *flags, environment=environment)
    assert numbers(server) == list(range(10))
    assert server.get("/readyz").status_code == 200
    object_server.stop()
    refused(server, 10)
    assert server.get("/readyz").status_code == 503
    assert server.get("/healthz").status_code == 200
    assert numbers(server) == list(range(10)), "what was accepted is there meanwhile"

    object_server.start()
    until("ready again", lambda: server.get("/readyz").status_code == 200)
    until("accepting again", lambda: send(server, 20).status_code == 200)
    assert set(numbers(server)) >= {*range(10), *range(20, 30)}
    server.stop()
    verified = command(tmp_path, "verify", *flags, environment=environment)
    assert verified.returncode == 0, verified.stdout + verified.stderr


def test_two_servers_share_a_catalog_and_a_bucket(tmp_path, object_server):
    catalog = os.environ.get("TRACERY_TEST_POSTGRES_URL")
    if not catalog:
        pytest.skip("TRACERY_TEST_POSTGRES_URL is not set")
    flags = ["--store", f"s3://{BUCKET}/shared", "--catalog", catalog]
    folders = [tmp_path / name for name in ("one", "two")]
    for folder in folders:
        folder.mkdir()
    one, two = [Server(folder, *flags, environment=object_server.environment()) for folder in folders]
    accepted(one, 0)
    accepted(two, 10)
    assert numbers(one) == numbers(two) == list(range(20))
    one.process.kill()
    one.process.wait()
    assert numbers(two) == list(range(20)), "either answers for what the other took in"
    accepted(two, 20)
    two.stop()


def test_a_full_disk_means_come_again(tmp_path):
    if os.geteuid() != 0:
        pytest.skip("only root may mount a small disk")
    disk = tmp_path / "data"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", disk], check=False)
    if mounted.returncode != 0:
        pytest.skip("mounting is not allowed here")
    try:
        server = Server(tmp_path)
        accepted(server, 0)
        ballast = disk / "ballast"
        with open(ballast, "wb", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(4096))
            except OSError:
                pass
        refused(server, 10)
        refused(server, 10)
        assert server.get("/healthz").status_code == 200
        assert numbers(server) == list(range(10))
        ballast.unlink()
        accepted(server, 20)
        expected = [*range(10), *range(20, 30)]
        assert numbers(server) == expected
        server.stop()
        server = Server(tmp_path)
        assert numbers(server) == expected
        server.stop()
        verified = command(tmp_path, "verify")
        assert verified.returncode == 0, verified.stdout + verified.stderr
    finally:
        subprocess.run(["umount", "--lazy", disk], check=True)


def flip(path):
    with open(path, "r+b") as file:
        file.seek(os.path.getsize(path) // 2)
        byte = file.read(1)
        file.seek(-1, os.SEEK_CUR)
        file.write(bytes([byte[0] ^ 0x40]))


def test_damaged_parts_are_set_aside_and_the_rest_answers(tmp_path):
    objects = tmp_path / "data" / "objects"
    server = Server(tmp_path)
    accepted(server, 0)
    damaged_fresh = parts(tmp_path)[0]
    accepted(server, 10)
    server.stop()
    flip(objects / damaged_fresh["path"])

    server = Server(tmp_path)
    assert numbers(server) == list(range(10, 20))
    assert metric(server, "tracery_store_parts_set_aside_total") == 1
    # Fresh parts are merged when they are half a minute old.
    until("a merge", lambda: [part["level"] for part in parts(tmp_path)] == [1])
    damaged_merged = parts(tmp_path)[0]
    accepted(server, 20)
    os.truncate(objects / damaged_merged["path"], 100)
    # The first question may fail; it makes the server look at what it read.
    until("the rest answers", lambda: server.post(
        "/api/v1/sql", {"sql": "SELECT number FROM spans ORDER BY number"}).json().get("rows") is not None
        and numbers(server) == list(range(20, 30)))
    assert metric(server, "tracery_store_parts_set_aside_total") == 2
    accepted(server, 30)
    server.stop()

    said = command(tmp_path, "parts").stdout
    verified = command(tmp_path, "verify")
    assert verified.returncode not in (0, 1, 2), "an exit code of its own"
    for part in (damaged_fresh, damaged_merged):
        assert part["path"] in said.split("set aside:")[1]
        assert part["path"] in verified.stdout
        assert (objects / part["path"]).exists(), "kept for a person to look at"


def held_bytes(server):
    """What the process allocated; the pages of its code, which a debug build has many of, are not counted."""
    for line in pathlib.Path(f"/proc/{server.process.pid}/status").read_text().splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) * 1024
    raise AssertionError("the system does not say")


MIB = 1 << 20
MEMORY_BYTES = 256 * MIB


def test_memory_stays_within_its_budget_whatever_arrives(tmp_path):
    """A backlog that is many times the budget when it is decoded, of values that compress to almost nothing."""
    server = Server(tmp_path, "--memory", f"{MEMORY_BYTES // MIB}MiB")
    text = "x" * 16_000
    refusals = []
    peaks = []

    def sender(sender_number):
        session = requests.Session()
        for turn in range(30):
            first = (sender_number * 30 + turn) * 100
            body = json.dumps(request(first, 100, text))
            while True:
                answer = session.post(server.url("/v1/traces"), body, timeout=60,
                                      headers={"Content-Type": "application/json"})
                peaks.append(held_bytes(server))
                if answer.status_code == 200:
                    break
                assert answer.status_code in (429, 503), answer.text
                assert int(answer.headers["Retry-After"]) > 0
                refusals.append(turn)
                time.sleep(0.2)

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        list(pool.map(sender, range(4)))
    count = server.post("/api/v1/sql", {"sql": "SELECT count(*) FROM spans"}).json()["rows"][0][0]
    assert int(count) == 4 * 30 * 100

    def merged():
        peaks.append(held_bytes(server))
        return metric(server, "tracery_store_merges_total")

    until("merging", lambda: merged() >= 5)
    peak, merges = max(peaks), merged()
    print(f"peak {peak / MIB:.0f} MiB of {MEMORY_BYTES // MIB}, {merges:.0f} merges, {len(refusals)} refusals")
    assert peak < MEMORY_BYTES
    server.stop()
