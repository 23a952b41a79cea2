"""What one address may do through nginx, and what it cannot do to others.

nginx takes a test's address from a header here, so that one machine can be many clients.
"""

from __future__ import annotations

import http.client
import json
import re
import socket
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest
from conftest import gunicorn
from costly import COSTLY
from sites import serve

pytestmark = [pytest.mark.slow, pytest.mark.alone]

BEHIND = "set_real_ip_from 127.0.0.1; real_ip_header X-Test-Address;"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the shipped nginx with all its limits, in front of two workers."""
    log = tmp_path_factory.mktemp("log") / "log"
    with (
        gunicorn(log, "--config", "deploy/gunicorn.conf.py", WEB_CONCURRENCY="2") as behind,
        serve(tmp_path_factory.mktemp("nginx"), behind, unlimited=False, http=BEHIND) as here,
    ):
        yield here.http


def send(site: str, path: str, body: bytes | None, address: str) -> tuple[int, dict]:
    """The status and the JSON of the answer to one client."""
    request = urllib.request.Request(f"{site}{path}", body, {"X-Test-Address": address})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def test_one_address_cannot_keep_others_from_reading(site: str, seven: bytes) -> None:
    """While one address sends costly pictures as fast as it can, another one's readings are all answered soon."""
    # The costliest of all; and one of under 64 KB, so that the limit for large bodies does not help.
    costly = [COSTLY[name]() for name in ("JPEG of 18 scans", "WebP, lossless, transparent")]
    assert len(costly[1]) < 65_536
    read = "/_get_digit?steps=1&explain=1"
    alone = 0.0
    for each in costly:
        started = time.monotonic()
        assert send(site, read, each, "192.0.2.1")[0] == 200
        alone = max(alone, time.monotonic() - started)
    done, end = threading.Event(), time.monotonic() + 40
    answers: list[int] = []

    def attack(picture: bytes) -> None:
        while not done.is_set() and time.monotonic() < end:
            with suppress(OSError):  # nginx may refuse a large body before it has come whole
                answers.append(send(site, read, picture, "192.0.2.2")[0])

    with ThreadPoolExecutor(24) as threads:
        for number in range(24):
            threads.submit(attack, costly[number % 2])
        try:
            while answers.count(429) < 20 and time.monotonic() < end:
                time.sleep(0.1)
            assert answers.count(429) >= 20
            times = []
            for _ in range(25):
                started = time.monotonic()
                assert send(site, "/_get_digit", seven, "198.51.100.7")[0] == 200
                times.append(time.monotonic() - started)
                time.sleep(0.1)
        finally:
            done.set()
    assert set(answers) <= {200, 429}
    # Without the limit of an address's processor time, 24 pictures wait before each reading.
    assert sorted(times)[23] < max(1, 3 * alone), (times, alone)


def test_thirty_people_behind_one_address_are_never_refused(site: str, seven: bytes) -> None:
    """A class that draws live sends 50 drawings a second from one address for ten seconds, and each is read."""

    def draw(person: int) -> list[int]:
        time.sleep(person / 30 * 0.6)
        statuses = []
        for _ in range(17):
            statuses.append(send(site, "/_get_digit", seven, "192.0.2.30")[0])
            time.sleep(0.55)
        return statuses

    with ThreadPoolExecutor(30) as people:
        assert {status for each in people.map(draw, range(30)) for status in each} == {200}


@pytest.mark.parametrize(
    ("form", "refused"), [("2001:db8::{:x}", True), ("2001:db8:0:{:x}::1", False)]
)
def test_a_client_has_a_whole_ipv6_network(site: str, form: str, refused: bool) -> None:
    """All addresses of one /64 share a limit; other networks have their own."""
    addresses = [form.format(number) for number in range(0x10, 0x30)]
    with ThreadPoolExecutor(8) as threads:
        answers = threads.map(lambda each: send(site, "/_save_drawing", b"{}", each)[0], addresses)
        assert (429 in set(answers)) == refused


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/_get_digit", bytes(65_537)),
        ("/_compare", bytes(65_537)),
        ("/v1/models/digitre:predict", b"[" * 70_000),
        ("/v2/models/digitre/infer", b"[" * 70_000),
    ],
)
def test_large_bodies_have_a_limit_of_their_own(site: str, path: str, body: bytes) -> None:
    """More than 4 bodies of over 64 KB per second (20 more in a burst) are refused, and small ones go on."""
    address = f"203.0.113.{len(path)}"
    with ThreadPoolExecutor(8) as threads:
        sent = threads.map(lambda _: send(site, path, body, address), range(60))
        answers = dict(sent)
        assert 400 in answers
        refused = answers[429]
        in_protocol = path.startswith(("/v1/", "/v2/"))
        assert (refused if in_protocol else refused["error"])["code"] == "too_many_requests"
        assert send(site, path, b"{}", address)[0] == 400


def test_connections_of_one_address_are_limited(site: str) -> None:
    """With 100 requests under way, an address gets 429 for the next one, and another address an answer."""
    port = int(site.rsplit(":", 1)[1])
    head = "POST /healthz HTTP/1.1\r\nHost: localhost\r\nX-Test-Address: {}\r\nContent-Length: 9\r\n\r\n"
    with ExitStack() as stack:
        for _ in range(100):
            connection = stack.enter_context(socket.create_connection(("127.0.0.1", port)))
            connection.sendall(head.format("192.0.2.100").encode())
        end = time.monotonic() + 8
        while (status := send(site, "/healthz", None, "192.0.2.100")[0]) != 429:
            assert time.monotonic() < end, status
            time.sleep(0.05)
        assert send(site, "/healthz", None, "192.0.2.101")[0] == 200


def test_slow_headers_do_not_shut_others_out(server: str, tmp_path: Path) -> None:
    """Connections whose headers do not come are closed, so an address cannot keep them all."""
    faster = {"client_header_timeout 10s;": "client_header_timeout 1s;"}
    with serve(tmp_path, server, connections=128, changes=faster) as here, ExitStack() as stack:
        port = int(here.http.rsplit(":", 1)[1])
        slow = []
        for _ in range(100):
            connection = socket.create_connection(("127.0.0.1", port), timeout=30)
            slow.append(stack.enter_context(connection))
            connection.sendall(b"GET / HTTP/1.1\r\nHost: localh")
        for connection in slow:
            with suppress(ConnectionResetError):
                while connection.recv(1000):  # until it is closed; it may say 408 first
                    pass
        assert send(here.http, "/healthz", None, "127.0.0.1")[0] == 200


@pytest.mark.parametrize(
    ("request_head", "status", "code"),
    [
        (b"GARBAGE\r\n\r\n", 400, "bad_request"),
        (b"GET / HTTP/1.1\r\n\r\n", 400, "bad_request"),
        (
            b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 40_000 + b"\r\n\r\n",
            400,
            "bad_request",
        ),
        (b"TRACE / HTTP/1.1\r\nHost: localhost\r\n\r\n", 405, "method_not_allowed"),
        (
            b"GET /" + b"x" * 40_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
            414,
            "address_too_long",
        ),
        (
            b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: pigeon\r\n\r\n",
            501,
            "not_implemented",
        ),
        (b"GET / HTTP/7.0\r\nHost: localhost\r\n\r\n", 505, "not_implemented"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_what_nginx_refuses_itself_is_json(
    site: str, request_head: bytes, status: int, code: str
) -> None:
    """nginx's own errors have the application's shape and headers, whichever part of a request is wrong."""
    head, body = exchange(site, request_head)
    assert head.split()[1] == str(status).encode()
    assert set(body) == {"error"}
    assert set(body["error"]) == {"code", "message"}
    assert body["error"]["code"] == code
    assert b"Content-Type: application/json" in head
    assert b"X-Content-Type-Options: nosniff" in head
    for path in (b" /v1/", b" /v2/models/", b" http://localhost/v2/"):
        below = request_head.replace(b" /", path, 1)
        if below != request_head:  # it has an address
            head, body = exchange(site, below)
            assert head.split()[1] == str(status).encode()
            assert set(body) == {"code", "error"}
            assert body["code"] == code
            assert body["error"].endswith(".")


def exchange(site: str, request_head: bytes) -> tuple[bytes, dict]:
    """The head of the answer to these bytes, and its JSON."""
    port = int(site.rsplit(":", 1)[1])
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(request_head)
        answer = b""
        while part := connection.recv(65_536):
            answer += part
            if b"\r\n\r\n" in answer and answer.endswith(b"}\n"):
                break
    head, _, body = answer.partition(b"\r\n\r\n")
    return head, json.loads(body)


def test_the_log_has_no_addresses(server: str, tmp_path: Path) -> None:
    """nginx's log is one line of JSON for each request, without the client's address and without the query."""
    with serve(tmp_path, server, unlimited=False, http=BEHIND) as here:
        send(here.http, "/healthz?secret=1", None, "192.0.2.77")
        stranger = urllib.request.Request(f"{here.http}/", headers={"Host": "elsewhere.example"})
        with pytest.raises(http.client.RemoteDisconnected):
            urllib.request.urlopen(stranger, timeout=20)
        end = time.monotonic() + 8
        while not (text := (tmp_path / "access.log").read_text()) and time.monotonic() < end:
            time.sleep(0.05)
    line = json.loads(text.splitlines()[-1])
    assert (line["path"], line["status"], line["method"]) == ("/healthz", 200, "GET")
    assert not re.search(r"192\.0\.2|127\.0|secret", text)
    assert (tmp_path / "other.log").read_text() == ""  # a distribution's log, for all other sites
