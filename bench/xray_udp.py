#!/usr/bin/env python3
"""Sends segment documents to a running server's UDP port at a steady rate, and says what became of them: what was lost
where, and what the server's processor time was. `bench/xray_udp.py READY_FILE PID [--rate N] [--seconds S]`"""

import argparse
import json
import os
import random
import re
import socket
import time
import urllib.request

HEADER = b'{"format":"json","version":1}\n'


def document(number):
    """A request of a shop with a call to a table and one to another service, as the SDK for Python writes it: 1.4 kB."""
    chance = random.Random(number)
    now = time.time()
    hexes = lambda digits: f"{chance.getrandbits(4 * digits):0{digits}x}"
    trace, segment = f"1-{int(now):08x}-{hexes(24)}", hexes(16)
    common = {"in_progress": False, "trace_id": trace, "type": "subsegment", "start_time": now - 0.02, "end_time": now}
    status = chance.choices([200, 404, 500], [96, 3, 1])[0]
    return HEADER + json.dumps({
        "id": segment, "name": f"shop-{number % 12}", "start_time": now - 0.03, "end_time": now, "in_progress": False,
        "trace_id": trace, "user": f"user-{chance.randrange(1000)}",
        "http": {"request": {"url": f"http://10.0.0.7/cart/{chance.randrange(50)}", "method": "GET", "user_agent": "bench/1.0",
                             "client_ip": "10.0.0.1"}, "response": {"status": status, "content_length": 812}},
        "annotations": {"cart_size": chance.randrange(20), "tier": chance.choice(["gold", "basic"]), "returning": True},
        "aws": {"xray": {"sdk": "X-Ray for Python", "sdk_version": "2.15.0", "sampling_rule_name": "Default"}},
        "service": {"runtime": "CPython", "runtime_version": "3.11.7"}, **({"fault": True} if status == 500 else {}),
        "subsegments": [
            {**common, "id": hexes(16), "name": "load_cart", "parent_id": segment, "namespace": "local",
             "metadata": {"default": {"items": [{"sku": "A1", "qty": 2}, {"sku": "B2", "qty": 1}]}}},
            {**common, "id": hexes(16), "name": "dynamodb", "parent_id": segment, "namespace": "aws",
             "http": {"response": {"status": 200}},
             "aws": {"operation": "GetItem", "region": "us-east-1", "request_id": hexes(32), "table_name": "orders"}},
        ],
    }).encode()


def cpu_seconds(pid):
    fields = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def figures(http):
    text = urllib.request.urlopen(f"http://{http}/metrics", timeout=30).read().decode()
    value = lambda name: sum(float(found) for found in re.findall(rf"^{re.escape(name)} ([0-9.e+]+)$", text, re.M))
    udp = 'door="xray_udp"'
    return {
        "received": value("tracery_xray_udp_datagrams_total"),
        "kernel_drops": value("tracery_xray_udp_kernel_drops_total"),
        "receive_buffer_bytes": value("tracery_xray_udp_receive_buffer_bytes"),
        "accepted": value("tracery_intake_accepted_records_total{%s}" % udp),
        "no_room": value('tracery_intake_dropped_records_total{%s,reason="no_room"}' % udp),
    }


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("ready_file")
    arguments.add_argument("pid", type=int)
    arguments.add_argument("--rate", type=int, default=20_000)
    arguments.add_argument("--seconds", type=float, default=10)
    chosen = arguments.parse_args()
    addresses = json.load(open(chosen.ready_file))
    host, port = addresses["xray_udp"].rsplit(":", 1)
    # Made before, so that the sender's processor time is small: the ids of one round are told apart by their trace.
    documents = [document(number) for number in range(5_000)]
    before, cpu_before = figures(addresses["http"]), cpu_seconds(chosen.pid)
    sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sender.connect((host.strip("[]"), int(port)))
    started, sent, total = time.monotonic(), 0, int(chosen.rate * chosen.seconds)
    while sent < total:
        due = min(total, int((time.monotonic() - started) * chosen.rate) + 1)
        for _ in range(due - sent):
            sender.send(documents[sent % len(documents)])
            sent += 1
        time.sleep(0.001)
    elapsed = time.monotonic() - started
    after, deadline = figures(addresses["http"]), time.monotonic() + 60
    while time.monotonic() < deadline:
        time.sleep(0.2)
        latest = figures(addresses["http"])
        if latest == after and latest["accepted"] + latest["no_room"] >= latest["received"]:
            break
        after = latest
    cpu = cpu_seconds(chosen.pid) - cpu_before
    accepted = after["accepted"] - before["accepted"]
    print(json.dumps({
        "sent": sent, "sent_per_s": round(sent / elapsed), "datagram_bytes": round(sum(map(len, documents)) / len(documents)),
        "accepted": int(accepted), "lost": int(sent - accepted),
        "kernel_drops": int(after["kernel_drops"] - before["kernel_drops"]), "no_room": int(after["no_room"] - before["no_room"]),
        "receive_buffer_bytes": int(after["receive_buffer_bytes"]),
        "server_cpu_s": round(cpu, 2), "server_cores": round(cpu / elapsed, 2), "cpu_us_per_datagram": round(1e6 * cpu / max(accepted, 1), 1),
    }))


if __name__ == "__main__":
    main()
