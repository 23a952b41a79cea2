"""Real nginx with the shipped configuration, in front of real gunicorn."""

from __future__ import annotations

import json
import os
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import ROOT, free_port, need, running

pytestmark = pytest.mark.slow

# What a distribution's nginx.conf has round a site; here as whoever runs the tests, in one folder.
AROUND = """
{user}
daemon off;
pid {folder}/pid;
error_log {folder}/error.log;
events {{}}
http {{
    include {types};
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/digitre.conf;
}}
"""


def configured(folder: Path, port: int, upstream: str) -> Path:
    """The shipped file with this test's addresses and paths in the places that a user edits."""
    site = (ROOT / "deploy" / "nginx.conf").read_text()
    for shipped, here in {
        "server 127.0.0.1:8000;": f"server {upstream};",
        "listen 80;": f"listen 127.0.0.1:{port};",
        "/opt/digitre/digitre/static/": f"{ROOT}/digitre/static/",
    }.items():
        assert site.count(shipped) == 1, shipped
        site = site.replace(shipped, here)
    (folder / "digitre.conf").write_text(site)
    types = Path("/etc/nginx/mime.types")
    main = folder / "nginx.conf"
    # Started by root, its workers would be somebody who may not write in this folder.
    user = "user root;" if os.geteuid() == 0 else ""
    main.write_text(
        AROUND.format(user=user, folder=folder, types=types if types.exists() else "mime.types")
    )
    return main


@pytest.fixture(scope="module")
def nginx(server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    program = need("nginx")
    folder = tmp_path_factory.mktemp("nginx")
    folder.chmod(0o755)
    port = free_port()
    main = configured(folder, port, server.removeprefix("http://"))
    arguments = [program, "-p", str(folder), "-c", str(main), "-e", str(folder / "error.log")]
    subprocess.run([*arguments, "-t", "-q"], check=True)
    with running(arguments, f"http://127.0.0.1:{port}") as address:
        yield address


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
