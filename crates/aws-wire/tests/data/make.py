"""Writes sigv4.json and event_stream.json: signatures by botocore's signers, and frames that botocore's parser reads.

Run with botocore from PyPI: `python make.py`. The cases up to `post-x-www-form-urlencoded` are those of the vendor's
published signature suite, with its key, date and service; their signatures are checked against the published ones below.
"""
import binascii
import datetime
import json
import pathlib
import struct
from unittest import mock

import botocore.auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.eventstream import EventStreamBuffer

HERE = pathlib.Path(__file__).parent
KEY, SECRET = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
NOW = datetime.datetime(2015, 8, 30, 12, 36, 0)
HOST = "https://example.amazonaws.com"
UNRESERVED = "-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

PUBLISHED = {
    "get-vanilla-query-order-key-case": "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
    "get-header-value-trim": "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736",
    "get-unreserved": "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f",
    "post-vanilla": "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
    "post-x-www-form-urlencoded": "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
}

CASES = [
    ("get-vanilla", "GET", "/", [], ""),
    ("get-vanilla-query-order-key-case", "GET", "/?Param2=value2&Param1=value1", [], ""),
    ("get-vanilla-query-order-key", "GET", "/?Param1=value2&Param1=Value1", [], ""),
    ("get-vanilla-query-order-value", "GET", "/?Param1=value2&Param1=value1", [], ""),
    ("get-vanilla-query-unreserved", "GET", f"/?{UNRESERVED}={UNRESERVED}", [], ""),
    ("get-header-value-trim", "GET", "/", [("My-Header1", "value1"), ("My-Header2", '"a   b   c"')], ""),
    ("get-header-key-duplicate", "GET", "/", [("My-Header1", "value2"), ("My-Header1", "value2"), ("My-Header1", "value1")], ""),
    ("get-unreserved", "GET", "/" + UNRESERVED, [], ""),
    ("normalize-path-slashes", "GET", "//example//", [], ""),
    ("normalize-path-dots", "GET", "/example1/example2/../..", [], ""),
    ("normalize-path-dot-slash", "GET", "/./example", [], ""),
    ("post-vanilla", "POST", "/", [], ""),
    ("post-header-key-sort", "POST", "/", [("My-Header1", "value1")], ""),
    ("post-vanilla-query", "POST", "/?Param1=value1", [], ""),
    ("post-x-www-form-urlencoded", "POST", "/", [("Content-Type", "application/x-www-form-urlencoded")], "Param1=value1"),
    ("escaped-path", "GET", "/a%20b/%E1%88%B4", [], ""),
    ("escaped-query", "GET", "/?a%20b=%E1%88%B4&c=%2F%2B", [], ""),
    ("security-token", "POST", "/", [], "{}"),
    ("unsigned-payload", "POST", "/", [("X-Amz-Content-SHA256", "UNSIGNED-PAYLOAD")], "anything"),
    ("payload-hash", "POST", "/", [("X-Amz-Content-SHA256", "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a")], "{}"),
    ("presigned", "GET", "/path?z=1&a=2", [], ""),
    ("presigned-security-token", "GET", "/path?z=1&a=2", [], ""),
]


def signed(name, method, path, headers, body):
    request = AWSRequest(method=method, url=HOST + path, data=body.encode())
    for key, value in headers:
        request.headers[key] = value
    token = "session/token+=" if "security-token" in name else None
    credentials = Credentials(KEY, SECRET, token)
    signer = botocore.auth.SigV4QueryAuth if name.startswith("presigned") else botocore.auth.SigV4Auth
    with mock.patch("botocore.auth.get_current_datetime", lambda remove_tzinfo=True: NOW):
        signer(credentials, "service", "us-east-1").add_auth(request)
    authorization = request.headers.get("Authorization", "")
    if name in PUBLISHED:
        assert authorization.endswith("Signature=" + PUBLISHED[name]), (name, authorization)
    sent = [["Host", "example.amazonaws.com"]] + [[key, value] for key, value in request.headers.items()]
    return {"name": name, "method": method, "uri": request.url.removeprefix(HOST), "headers": sent, "body": body}


def frame(headers, payload):
    block = b"".join(
        bytes([len(name)]) + name.encode() + b"\x07" + struct.pack(">H", len(value)) + value.encode()
        for name, value in headers
    )
    message = struct.pack(">II", 16 + len(block) + len(payload), len(block))
    message += struct.pack(">I", binascii.crc32(message))
    message += block + payload
    message += struct.pack(">I", binascii.crc32(message))
    buffer = EventStreamBuffer()
    buffer.add_data(message)
    (read,) = list(buffer)
    assert read.headers == dict(headers) and read.payload == payload
    return {"headers": headers, "payload": payload.decode(), "hex": message.hex()}


FRAMES = [
    frame([(":event-type", "initial-response"), (":content-type", "application/x-amz-json-1.1"), (":message-type", "event")], b"{}"),
    frame(
        [(":event-type", "sessionUpdate"), (":content-type", "application/json"), (":message-type", "event")],
        '{"sessionMetadata":{"sampled":false},"sessionResults":[{"message":"é 日本"}]}'.encode(),
    ),
    frame(
        [(":exception-type", "SessionTimeoutException"), (":content-type", "application/json"), (":message-type", "exception")],
        b'{"message":"over"}',
    ),
    frame([], b""),
]

write = lambda name, value: (HERE / name).write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n")
write("sigv4.json", [signed(*case) for case in CASES])
write("event_stream.json", FRAMES)
