"""What a server does to clients that take too long, are too many, or guess; and what a second signal does."""

import signal
import socket
import time

import pytest
import requests

TRICKLE = (b"POST /1/batch/shop HTTP/1.1\r\nHost: localhost\r\nX-Honeycomb-Team: any\r\nContent-Length: 100\r\n"
           b"Expect: 100-continue\r\n\r\n")
# The server says this when it waits for the body.
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


def connect(server):
    host, port = server.addresses["http"].rsplit(":", 1)
    return socket.create_connection((host, int(port)), timeout=30)


def test_a_body_that_trickles_is_cut(start):
    impatient = start("--body-seconds", "1")
    with connect(impatient) as connection:
        connection.sendall(TRICKLE)
        assert connection.recv(len(CONTINUE)) == CONTINUE
        connection.settimeout(0.2)
        received, deadline = b"", time.monotonic() + 30
        # Each byte comes well before the patience ends; all of them together do not.
        while not received:
            assert time.monotonic() < deadline, "the server waits for ever"
            connection.sendall(b"[")
            try:
                received = connection.recv(65536)
            except TimeoutError:
                continue
        assert received.startswith(b"HTTP/1.1 408 "), received
        assert b"did not arrive within 1 s" in received


def test_connections_are_bounded(start):
    server = start("--connections", "3")
    idle = [connect(server) for _ in range(3)]
    for connection in idle:
        # An answer shows that the server has taken the connection.
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")
    with pytest.raises(requests.Timeout):
        requests.get(server.url("/healthz"), timeout=1)
    idle.pop().close()
    assert requests.get(server.url("/healthz"), timeout=30, headers={"Connection": "close"}).status_code == 200
    for connection in idle:
        connection.close()


def test_a_second_signal_stops_at_once(start):
    server = start()
    with connect(server) as connection:
        connection.sendall(TRICKLE)
        assert connection.recv(len(CONTINUE)) == CONTINUE
        server.process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + 10
        while True:
            try:
                connect(server).close()
            except OSError:
                break
            assert time.monotonic() < deadline, "the first signal is not heard"
        assert server.process.poll() is None, "the first signal waits for requests"
        asked = time.monotonic()
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(timeout=10) == 130
        assert time.monotonic() - asked < 3


def test_guesses_are_bounded(start):
    server = start("--auth", "required")
    guess = {"name": "ada", "password": "wrong password"}
    answers = []
    # A window of time may end in the middle of them.
    while len(answers) < 21 and (not answers or answers[-1].status_code == 401):
        answers.append(server.post("/api/v1/session", guess))
    assert len(answers) >= 11 and answers[-1].status_code == 429
    assert 0 < int(answers[-1].headers["Retry-After"]) <= 300
    assert answers[-1].json()["error"]["code"] == "too_many_attempts"
    assert server.post("/api/v1/session", {**guess, "name": "bob"}).status_code == 401
