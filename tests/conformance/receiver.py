"""A webhook on this machine, for what the server delivers: subscription filters' gzipped parcels, notifications' JSON."""

import gzip
import http.server
import json
import threading


class Receiver:
    """Keeps the bodies it took; `status` is what it answers, and only what it answers with 200 it has taken."""

    def __init__(self, path, encoding=None):
        self.status, self.bodies, self.path = 200, [], path

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(handler):
                body = handler.rfile.read(int(handler.headers["content-length"]))
                assert handler.headers["content-type"] == "application/json" and handler.headers["content-encoding"] == encoding
                if self.status == 200:
                    self.bodies.append(json.loads(gzip.decompress(body) if encoding else body))
                handler.send_response(self.status)
                handler.end_headers()

            def log_message(handler, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server.server_port}{self.path}"

    def stop(self):
        self.server.shutdown()
