"""A SeaweedFS of its own for tests: an S3 server on free ports in a temporary folder, which can be stopped and started.

`python object_server.py COMMAND…` runs a command with TRACERY_TEST_S3_URL and the AWS variables set, and stops it.
"""

import contextlib
import json
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

BUCKET = "tracery"
ACCESS_KEY = "tests-access-key"
SECRET_KEY = "tests-secret-key"
START_SECONDS_MAX = 60
DOORS = ["master.port", "master.port.grpc", "volume.port", "volume.port.grpc", "filer.port", "filer.port.grpc",
         "s3.port", "s3.port.grpc"]


def free_ports(count):
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


class ObjectServer:
    """A running `weed server -s3` with one bucket."""

    def __init__(self, directory):
        self.directory = pathlib.Path(directory)
        self.ports = dict(zip(DOORS, free_ports(len(DOORS))))
        (self.directory / "data").mkdir()
        identity = {"name": "tests", "credentials": [{"accessKey": ACCESS_KEY, "secretKey": SECRET_KEY}],
                    "actions": ["Admin", "Read", "Write", "List", "Tagging"]}
        (self.directory / "s3.json").write_text(json.dumps({"identities": [identity]}))
        self.process = None
        self.start()

    def start(self):
        weed = pathlib.Path(sys.executable).with_name("weed")
        flags = [f"-{door}={port}" for door, port in self.ports.items()]
        self.process = subprocess.Popen(
            [weed, "-logtostderr=true", "server", "-s3", f"-s3.config={self.directory / 's3.json'}",
             "-s3.port.iceberg=0", "-s3.port.lance=0", "-volume.preStopSeconds=0", "-volume.max=20", "-master.telemetry=false",
             "-master.volumeSizeLimitMB=64", f"-dir={self.directory / 'data'}", "-ip=127.0.0.1",
             "-ip.bind=127.0.0.1", *flags],
            stdout=subprocess.DEVNULL, stderr=open(self.directory / "weed.log", "a"), cwd=self.directory,
        )
        # A folder below /buckets is a bucket; that it can be made says that the filer and its volumes answer.
        self.wait_for(f"http://127.0.0.1:{self.ports['filer.port']}/buckets/{BUCKET}/", "POST")
        self.wait_for(f"http://127.0.0.1:{self.ports['s3.port']}/{BUCKET}/", "GET")
        self.wait_for(f"http://127.0.0.1:{self.ports['filer.port']}/probe/once", "PUT")

    def wait_for(self, url, method):
        deadline = time.monotonic() + START_SECONDS_MAX
        while True:
            assert self.process.poll() is None, (self.directory / "weed.log").read_text()[-4000:]
            try:
                data = b"x" if method == "PUT" else None
                urllib.request.urlopen(urllib.request.Request(url, data, method=method), timeout=5)
                return
            except urllib.error.HTTPError as error:
                # Anonymous callers are refused, by a server that answers.
                if error.code in (403, 409):
                    return
            except OSError:
                pass
            assert time.monotonic() < deadline, f"{url} does not answer"
            time.sleep(0.1)

    def stop(self):
        """Ends it without a word, as a machine that fails would; its orderly stop takes half a minute."""
        self.process.kill()
        self.process.wait()

    def environment(self):
        """The variables by which a client finds it."""
        return {
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
            "AWS_REGION": "us-east-1",
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.ports['s3.port']}",
            "AWS_ALLOW_HTTP": "true",
        }


def main():
    with tempfile.TemporaryDirectory(prefix="tracery-seaweedfs.") as directory:
        server = ObjectServer(directory)
        try:
            variables = {**os.environ, **server.environment(), "TRACERY_TEST_S3_URL": f"s3://{BUCKET}"}
            return subprocess.run(sys.argv[1:], env=variables, check=False).returncode
        finally:
            server.stop()


if __name__ == "__main__":
    sys.exit(main())
