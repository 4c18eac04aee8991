"""Serves Cruddur: `python -m cruddur [port]`; port 0 takes a free one. Prints the address it listens on."""

import signal
import sys

from werkzeug.serving import make_server

from cruddur import create_app, provide_telemetry

provider = provide_telemetry("cruddur-flask")
app = create_app()
server = make_server("127.0.0.1", int(sys.argv[1]) if len(sys.argv) > 1 else 4568, app, threaded=True)
# Leaving through the exception sends what the batch processor and the log handler still hold.
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
print(f"cruddur-flask listens on http://127.0.0.1:{server.server_port}", flush=True)
try:
    server.serve_forever()
except KeyboardInterrupt:
    pass
finally:
    provider.shutdown()
    if app.extensions["lines"]:
        app.extensions["lines"].close()
