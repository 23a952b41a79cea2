"""Real nginx with the shipped configuration, in front of real gunicorn."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest
from conftest import ROOT
from sites import serve

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
    for name, kind in {"app.js": "application/javascript", "style.css": "text/css"}.items():
        with urllib.request.urlopen(f"{nginx}/static/{name}", timeout=20) as answer:
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
