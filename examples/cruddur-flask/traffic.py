"""Visits a running Cruddur: `python traffic.py ADDRESS [requests] [seed]`. Each visit is a trace that starts here,
in the service cruddur-flask-web, and continues in Cruddur. Prints one line of JSON for each visit: what was asked by
whom, what came back, and the trace's id."""

import json
import random
import sys

import requests
from opentelemetry import trace

from cruddur import ACTIVITY_COUNT, HANDLES, activity_id, provide_telemetry


def choose(chance):
    return chance.choices(
        ["/api/activities/home", f"/api/activities/@{chance.choice(HANDLES)}",
         f"/api/activities/{activity_id(chance.randrange(ACTIVITY_COUNT))}", "/api/activities/@nobody", "/rollbar/test"],
        weights=[50, 25, 17, 5, 3],
    )[0]


def main(address, count=200, seed=1):
    provider = provide_telemetry("cruddur-flask-web")
    tracer = trace.get_tracer("traffic")
    chance = random.Random(seed)
    for _ in range(count):
        path = choose(chance)
        # Squaring makes a few people visit a lot and many people a little.
        user = f"user-{int(40 * chance.random() ** 2)}"
        with tracer.start_as_current_span("visit", attributes={"user.id": user}) as span:
            answer = requests.get(address + path, headers={"X-Cruddur-User": user}, timeout=30)
            trace_id = f"{span.get_span_context().trace_id:032x}"
        print(json.dumps({"path": path, "user": user, "status": answer.status_code, "trace_id": trace_id}))
    provider.shutdown()


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:4]))
