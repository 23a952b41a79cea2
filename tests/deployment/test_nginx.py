"""A real nginx with the shipped configuration, in front of a real gunicorn."""

from __future__ import annotations

import contextlib
import http.client
import json
import re
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from conftest import ROOT
from sites import serve

from digitre import create_app

pytestmark = [pytest.mark.slow, pytest.mark.alone]


@pytest.fixture(scope="module")
def nginx(server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serve(tmp_path_factory.mktemp("nginx"), server) as site:
        yield site.http


def test_reading_through_nginx(nginx: str, seven: bytes) -> None:
    """A drawing that is posted to nginx is read."""
    request = urllib.request.Request(f"{nginx}/_get_digit", data=seven)
    with urllib.request.urlopen(request, timeout=20) as answer:
        assert json.load(answer)["digit"] == 7


def test_static_files_come_from_nginx_itself(nginx: str) -> None:
    """nginx answers with scripts and styles itself, with the right types."""
    with urllib.request.urlopen(nginx, timeout=20) as answer:
        addresses = re.findall(r'(?:src|href)="(/static/[^"]+)"', answer.read().decode())
    assert len(addresses) >= 3
    for name, kind in {"app.js": "application/javascript", "style.css": "text/css"}.items():
        address = next(each for each in addresses if each.endswith(f"/{name}"))
        with urllib.request.urlopen(f"{nginx}{address}", timeout=20) as answer:
            assert "immutable" in answer.headers["Cache-Control"]
            assert answer.headers["Server"].startswith("nginx")
            assert answer.headers["Content-Type"].startswith(kind)
            assert "ETag" in answer.headers
            assert answer.read() == (ROOT / "digitre" / "static" / name).read_bytes()


@pytest.mark.parametrize("path", ["/v1", "/v1/models/digitre:predict", "/v2?x", "/v10", "/x/v1/"])
def test_errors_below_the_protocols_addresses_have_one_shape(nginx: str, path: str) -> None:
    """nginx and the application agree which addresses belong to the protocols, and what an error is there."""
    shapes = []
    for length in (3, 8 * 2**20 + 1):  # the application answers the first one, and nginx the second
        request = urllib.request.Request(f"{nginx}{path}", data=b"x" * length)
        with pytest.raises(urllib.error.HTTPError) as raised:
            urllib.request.urlopen(request, timeout=20)
        shapes.append(sorted(json.load(raised.value)))
    assert raised.value.code == 413
    assert shapes[0] == shapes[1]
    assert len(shapes[0]) == (1 if path in ("/v10", "/x/v1/") else 2)


@pytest.mark.parametrize("length", [8 * 2**20 - 8, 8 * 2**20 + 1])
def test_nginx_and_the_application_have_the_same_body_limit(nginx: str, length: int) -> None:
    """A body of up to 8 MiB reaches the application; nginx answers a larger one with the same 413."""
    body = b"\x89PNG\r\n\x1a\n" + b"\0" * (length - 8)
    request = urllib.request.Request(f"{nginx}/_get_digit", data=body)
    started = time.monotonic()
    with pytest.raises(urllib.error.HTTPError) as raised:
        urllib.request.urlopen(request, timeout=20)
    error = json.load(raised.value)["error"]
    if length > 8 * 2**20:
        assert (raised.value.code, error["code"]) == (413, "body_too_large")
    else:
        assert (raised.value.code, error["code"]) == (400, "not_a_picture")
    assert time.monotonic() - started < 10


def test_a_files_address_changes_with_its_content(nginx: str) -> None:
    """The page's addresses have a hash of the files; the application serves the same addresses."""
    client = create_app().test_client()
    text = client.get("/").get_data(as_text=True)
    address = re.search(r'src="(/static/[0-9a-f]{12}/app.js)"', text)
    assert address is not None
    with client.get(address[1]) as answer:
        assert answer.headers["Cache-Control"].endswith("max-age=31536000")
    assert client.get("/static/app.js").status_code == 404


def test_an_unknown_host_gets_no_answer(nginx: str) -> None:
    """nginx closes the connection without an answer."""
    port = int(nginx.rsplit(":", 1)[1])
    for host in ("evil.example", "10.0.0.1"):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        connection.request("GET", "/", headers={"Host": host})
        with pytest.raises(http.client.RemoteDisconnected):
            connection.getresponse()
        connection.close()


@pytest.mark.parametrize("path", ["/metrics", "/readyz", "/static/x", "/static/../wsgi.py"])
def test_metrics_and_readiness_are_hidden(nginx: str, path: str) -> None:
    """From outside, metrics, readiness and unknown files are a 404 in the usual JSON."""
    with pytest.raises(urllib.error.HTTPError) as raised:
        urllib.request.urlopen(f"{nginx}{path}", timeout=20)
    assert raised.value.code == 404
    assert json.load(raised.value)["error"]["code"] == "not_found"


def test_prometheus_asks_on_this_machine(server: str, tmp_path: Path) -> None:
    """An address of this machine only has metrics and readiness, and nothing else."""
    assert "listen 127.0.0.1:9180;" in (ROOT / "deploy" / "nginx.conf").read_text()
    with serve(tmp_path, server):
        for path, status in (("/metrics", b"200"), ("/readyz", b"200"), ("/", b"404")):
            with socket.socket(socket.AF_UNIX) as connection:
                connection.connect(str(tmp_path / "watched.sock"))
                connection.sendall(f"GET {path} HTTP/1.0\r\n\r\n".encode())
                assert connection.makefile("rb").readline().split()[1] == status


def test_nginx_makes_the_request_id(nginx: str) -> None:
    """nginx replaces an ID from outside, and the answer has the new one."""
    request = urllib.request.Request(f"{nginx}/healthz", headers={"X-Request-ID": "forged"})
    with urllib.request.urlopen(request, timeout=20) as answer:
        assert re.fullmatch("[0-9a-f]{32}", answer.headers["X-Request-ID"])


def test_the_shipped_limits(server: str, seven: bytes, tmp_path: Path) -> None:
    """Above 60 readings per second (120 more in a burst), or 2 saves or lists, nginx answers 429; then it recovers."""

    def post(address: str, body: bytes, client: str = "192.0.2.1") -> tuple[int, dict]:
        request = urllib.request.Request(address, body, {"X-Test-Address": client})
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)

    # nginx takes a client's address from a header here.
    behind = "set_real_ip_from 127.0.0.1; real_ip_header X-Test-Address;"
    with (
        serve(tmp_path, server, unlimited=False, http=behind) as site,
        ThreadPoolExecutor(8) as threads,
    ):
        started = time.monotonic()
        answers = list(threads.map(lambda _: post(f"{site.http}/_get_digit", seven), range(400)))
        seconds = time.monotonic() - started
        read = sum(status == 200 for status, _ in answers)
        refused = [body for status, body in answers if status == 429]
        assert 121 <= read <= 122 + 60 * seconds
        assert read + len(refused) == 400
        assert all(body["error"]["code"] == "too_many_requests" for body in refused)
        started = time.monotonic()
        saves = list(
            threads.map(lambda _: post(f"{site.http}/_save_drawing", b"{}", "192.0.2.2"), range(40))
        )
        seconds = time.monotonic() - started
        saved = [status for status, _ in saves]
        assert 9 <= saved.count(422) <= 10 + 2 * seconds, saves
        assert saved.count(422) + saved.count(429) == 40
        started = time.monotonic()
        lists = list(threads.map(lambda _: post(f"{site.http}/_get_digits", b"[]"), range(40)))
        seconds = time.monotonic() - started
        sent = [status for status, _ in lists]
        assert 9 <= sent.count(400) <= 10 + 2 * seconds
        assert sent.count(400) + sent.count(429) == 40
        while post(f"{site.http}/_get_digit", seven)[0] != 200:  # it recovers
            time.sleep(0.1)


def test_a_full_queue_is_refused_at_once(tmp_path: Path) -> None:
    """When as many requests wait as gunicorn's socket holds, the next one gets its error at once, and does not wait."""
    with socket.socket(socket.AF_UNIX) as queue, contextlib.ExitStack() as waiting:
        queue.bind(str(tmp_path / "queue.sock"))
        queue.listen(1)  # and nobody takes what waits
        while True:
            client = waiting.enter_context(socket.socket(socket.AF_UNIX))
            client.setblocking(False)
            try:
                client.connect(str(tmp_path / "queue.sock"))
            except BlockingIOError:
                break
        with serve(tmp_path, f"unix:{tmp_path}/queue.sock") as site:
            with pytest.raises(urllib.error.HTTPError) as raised:
                urllib.request.urlopen(f"{site.http}/healthz", timeout=20)
            assert raised.value.code == 503
            assert raised.value.headers["Retry-After"] == "2"
            assert json.load(raised.value)["error"]["code"] == "unavailable"


def test_without_gunicorn(tmp_path: Path) -> None:
    """nginx answers 503 as JSON, and Retry-After says when to try again."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))  # and never listens
        upstream = f"127.0.0.1:{silent.getsockname()[1]}"
        with serve(tmp_path, upstream) as site:
            with pytest.raises(urllib.error.HTTPError) as raised:
                urllib.request.urlopen(f"{site.http}/", timeout=20)
            assert raised.value.code == 503
            assert raised.value.headers["Retry-After"] == "2"
            assert json.load(raised.value)["error"]["code"] == "unavailable"
            with pytest.raises(urllib.error.HTTPError) as raised:
                urllib.request.urlopen(f"{site.http}/v2/health/live", timeout=20)
            assert json.load(raised.value)["code"] == "unavailable"
