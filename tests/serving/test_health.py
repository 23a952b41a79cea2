"""`python -m digitre.serving.health` says whether a server works."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from conftest import ROOT, free_port, gunicorn
from sites import serve


def check(*arguments: str) -> tuple[int, str]:
    """The exit status, and the reason that it gives."""
    done = subprocess.run(
        [sys.executable, "-m", "digitre.serving.health", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    return done.returncode, done.stderr


@contextmanager
def answering(status: int, location: str = "") -> Iterator[str]:
    """A server that gives every request the same answer."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            if location:
                self.send_header("Location", location)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/healthz"
        server.shutdown()


@pytest.mark.parametrize("status", [200, 302])
def test_a_server_that_works(status: int) -> None:
    """An answer without an error is enough."""
    with answering(status) as url:
        assert check(url) == (0, "")


def test_a_server_with_an_error() -> None:
    """The reason has the address, the host name and the status."""
    with answering(502) as url:
        assert check(url, "--host", "a.example") == (1, f"{url} for a.example: 502 Bad Gateway\n")


def test_no_server() -> None:
    """Without an answer the reason is the system's."""
    code, reason = check(f"http://127.0.0.1:{free_port()}/healthz")
    assert code == 1
    assert "Connection refused" in reason


def test_a_redirect_to_tls_on_another_machine() -> None:
    """If nothing listens for TLS here, TLS ends elsewhere, and this server works."""
    with answering(301, f"https://a.example:{free_port()}/healthz") as url:
        assert check(url) == (0, "")


@pytest.mark.slow
def test_a_redirect_to_tls(tmp_path: Path) -> None:
    """A redirect is followed: an error behind it is an error."""
    with serve(tmp_path, f"127.0.0.1:{free_port()}", tls=True) as site:
        port = site.https.rsplit(":", 1)[1]
        with answering(301, f"https://localhost:{port}/healthz") as url:
            code, reason = check(url)
            assert code == 1
            assert "503 The server is not available" in reason


@pytest.mark.slow
def test_a_host_that_is_not_trusted(tmp_path: Path) -> None:
    """The application answers for its own host names only, and says so."""
    options = {"WEB_CONCURRENCY": "1", "DIGITRE_TRUSTED_HOSTS": "a.example,localhost"}
    with gunicorn(tmp_path / "log", at="/healthz", **options) as url:
        assert check(url) == (0, "")
        assert check(url, "--host", "a.example") == (0, "")
        code, reason = check(url, "--host", "b.example")
        assert code == 1
        assert "for b.example: 400" in reason
