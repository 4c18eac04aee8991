"""honeycomb-beeline for Python, unmodified but for its endpoint: a trace of spans arrives as one tree."""

import subprocess
import sys

PROGRAM = """
import sys, beeline
beeline.init(writekey="any-key-will-do-in-open-mode", service_name="shop", api_host=sys.argv[1])
with beeline.tracer("checkout", trace_id="checkout-1"):
    beeline.add_trace_field("user_id", "user-7")
    for number in range(3):
        with beeline.tracer("charge"):
            beeline.add_context_field("attempt", number)
beeline.close()
"""


def test_a_beeline_trace_arrives(server):
    # The beeline keeps its client in a global, so it gets a process of its own.
    subprocess.run([sys.executable, "-c", PROGRAM, server.url("")], check=True, timeout=60)
    rows = server.rows({"time_range": 3600, "breakdowns": ["trace.trace_id", "name"],
                        "calculations": [{"op": "COUNT"}, {"op": "COUNT_DISTINCT", "column": "attempt"}]}, "shop")
    counts = {(row["trace.trace_id"], row["name"]): (row["COUNT"], row["COUNT_DISTINCT(attempt)"]) for row in rows}
    assert counts == {("checkout-1", "checkout"): (1, 0), ("checkout-1", "charge"): (3, 3)}
    (row,) = server.rows({"time_range": 3600, "calculations": [{"op": "COUNT"}],
                          "filters": [{"column": "trace.parent_id", "op": "does-not-exist"}]}, "shop")
    assert row["COUNT"] == 1
