"""Real nginx with the shipped configuration, in front of real gunicorn."""

from __future__ import annotations

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

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def nginx(server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serve(tmp_path_factory.mktemp("nginx"), server) as site:
        yield site.http


def test_reading_through_nginx(nginx: str, seven: bytes) -> None:
    """A drawing posted to nginx is read."""
    request = urllib.request.Request(f"{nginx}/_get_digit", data=seven)
    with urllib.request.urlopen(request, timeout=20) as answer:
        assert json.load(answer)["digit"] == 7


def test_static_files_come_from_nginx_itself(nginx: str) -> None:
    """Scripts and styles do not reach gunicorn, and have their types."""
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


@pytest.mark.parametrize("length", [1024 * 1024 - 8, 1024 * 1024 + 1])
def test_the_body_limit_is_the_applications(nginx: str, length: int) -> None:
    """Up to 1 MiB reaches the application; what is larger gets the same 413 from nginx."""
    body = b"\x89PNG\r\n\x1a\n" + b"\0" * (length - 8)
    request = urllib.request.Request(f"{nginx}/_get_digit", data=body)
    started = time.monotonic()
    with pytest.raises(urllib.error.HTTPError) as raised:
        urllib.request.urlopen(request, timeout=20)
    error = json.load(raised.value)["error"]
    if length > 1024 * 1024:
        assert (raised.value.code, error["code"]) == (413, "body_too_large")
    else:
        assert (raised.value.code, error["code"]) == (400, "not_a_picture")
    assert time.monotonic() - started < 10


def test_the_files_addresses_change_with_them(nginx: str) -> None:
    """The page names its files by their hash: the application's own address for them is the same."""
    client = create_app().test_client()
    text = client.get("/").get_data(as_text=True)
    address = re.search(r'src="(/static/[0-9a-f]{12}/app.js)"', text)
    assert address is not None
    with client.get(address[1]) as answer:
        assert answer.headers["Cache-Control"].endswith("max-age=31536000")
    assert client.get("/static/app.js").status_code == 404


def test_an_unknown_host_gets_no_answer(nginx: str) -> None:
    """The connection is closed, without a word."""
    port = int(nginx.rsplit(":", 1)[1])
    for host in ("evil.example", "10.0.0.1"):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        connection.request("GET", "/", headers={"Host": host})
        with pytest.raises(http.client.RemoteDisconnected):
            connection.getresponse()
        connection.close()


@pytest.mark.parametrize("path", ["/metrics", "/readyz", "/static/x", "/static/../wsgi.py"])
def test_what_nobody_outside_may_see(nginx: str, path: str) -> None:
    """Figures and readiness stay inside: 404, as JSON in the one shape."""
    with pytest.raises(urllib.error.HTTPError) as raised:
        urllib.request.urlopen(f"{nginx}{path}", timeout=20)
    assert raised.value.code == 404
    assert json.load(raised.value)["error"]["code"] == "not_found"


def test_prometheus_asks_from_this_machine(server: str, tmp_path: Path) -> None:
    """At an address of its own, which is this machine's alone: figures, readiness, nothing else."""
    assert "listen 127.0.0.1:9180;" in (ROOT / "deploy" / "nginx.conf").read_text()
    with serve(tmp_path, server):
        for path, status in (("/metrics", b"200"), ("/readyz", b"200"), ("/", b"404")):
            with socket.socket(socket.AF_UNIX) as asked:
                asked.connect(str(tmp_path / "watched.sock"))
                asked.sendall(f"GET {path} HTTP/1.0\r\n\r\n".encode())
                assert asked.makefile("rb").readline().split()[1] == status


def test_the_request_id_is_nginxs(nginx: str) -> None:
    """What comes from outside is replaced, and what is logged comes back."""
    request = urllib.request.Request(f"{nginx}/healthz", headers={"X-Request-ID": "forged"})
    with urllib.request.urlopen(request, timeout=20) as answer:
        assert re.fullmatch("[0-9a-f]{32}", answer.headers["X-Request-ID"])


def test_the_shipped_limits(server: str, seven: bytes, tmp_path: Path) -> None:
    """20 readings a second with a burst of 40, 2 savings: past them 429, and then it goes on."""

    def post(address: str, body: bytes) -> tuple[int, dict]:
        try:
            with urllib.request.urlopen(address, data=body, timeout=20) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)

    with serve(tmp_path, server, unlimited=False) as site, ThreadPoolExecutor(8) as threads:
        started = time.monotonic()
        answers = list(threads.map(lambda _: post(f"{site.http}/_get_digit", seven), range(120)))
        seconds = time.monotonic() - started
        read = sum(status == 200 for status, _ in answers)
        refused = [body for status, body in answers if status == 429]
        assert 41 <= read <= 42 + 20 * seconds
        assert read + len(refused) == 120
        assert all(body["error"]["code"] == "too_many_requests" for body in refused)
        saved = [post(f"{site.http}/_save_drawing", b"{}")[0] for _ in range(20)]
        assert 9 <= saved.count(400) + saved.count(422) <= 14
        assert saved.count(429) >= 6
        time.sleep(1)
        assert post(f"{site.http}/_get_digit", seven)[0] == 200


def test_with_gunicorn_gone(tmp_path: Path) -> None:
    """502 with when to come again, as JSON; nginx's own."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))  # and never listens
        upstream = f"127.0.0.1:{held.getsockname()[1]}"
        with serve(tmp_path, upstream) as site:
            with pytest.raises(urllib.error.HTTPError) as raised:
                urllib.request.urlopen(f"{site.http}/", timeout=20)
            assert raised.value.code == 502
            assert raised.value.headers["Retry-After"] == "2"
            assert json.load(raised.value)["error"]["code"] == "unavailable"
