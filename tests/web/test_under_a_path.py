"""Digitre under a path of another site, behind a real nginx."""

from __future__ import annotations

import json
import os
import re
import subprocess
import urllib.request
from collections.abc import Iterator

import pytest
from conftest import ROOT, free_port, gunicorn, need, running
from sites import AROUND

from digitre import create_app

CONFIGURATION = ("--config", "deploy/gunicorn.conf.py")


@pytest.mark.parametrize("is_trusted", [False, True])
def test_a_prefix_counts_only_if_a_setting_says_so(is_trusted: bool) -> None:
    """X-Forwarded-Prefix changes the page's addresses only with DIGITRE_FORWARDED_PREFIX=1."""
    client = create_app({"FORWARDED_PREFIX": is_trusted}).test_client()
    headers = {"X-Forwarded-Prefix": "/digits"}
    page = client.get("/", headers=headers).get_data(as_text=True)
    assert ("/digits/static/" in page) is is_trusted
    api = client.get("/openapi.json", headers=headers).get_json()
    assert api.get("servers") == ([{"url": "/digits"}] if is_trusted else None)
    assert "servers" not in client.get("/openapi.json").get_json()


def documented() -> list[str]:
    """The two locations of docs/deployment.md."""
    text = (ROOT / "docs" / "deployment.md").read_text()
    return re.findall(r"^```nginx\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


@pytest.fixture(scope="module")
def site(server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an nginx with both locations, the second one under /others/."""
    program = need("nginx")
    folder = tmp_path_factory.mktemp("path")
    folder.chmod(0o755)
    first, second = documented()
    options = {"DIGITRE_FORWARDED_PREFIX": "1", "DIGITRE_INSTANCE": str(folder / "instance")}
    with gunicorn(folder / "log", *CONFIGURATION, WEB_CONCURRENCY="1", **options) as other:
        port = free_port()
        locations = first.replace("http://digitre", server)
        locations += second.replace("http://digitre", other).replace("/digits", "/others")
        site = f"server {{ listen 127.0.0.1:{port}; {locations} }}\n"
        (folder / "digitre.conf").write_text(site)
        user = "user root;" if os.geteuid() == 0 else ""
        main = folder / "nginx.conf"
        types = "/etc/nginx/mime.types"
        main.write_text(AROUND.format(user=user, folder=folder, types=types))
        command = [program, "-p", str(folder), "-c", str(main), "-e", str(folder / "error.log")]
        with running(command, f"http://127.0.0.1:{port}", ready="/digits/healthz") as address:
            yield address


def fetch(url: str, data: bytes | None = None) -> str:
    with urllib.request.urlopen(url, data, timeout=20) as answer:
        return answer.read().decode()


@pytest.mark.slow
@pytest.mark.parametrize("prefix", ["/digits", "/others"])
def test_everything_works_under_a_path(site: str, prefix: str, seven: bytes) -> None:
    """The page, its files, the descriptions and the API lie under the path of nginx's location."""
    page = fetch(f"{site}{prefix}/")
    links = re.findall(
        r'(?:href|src|data-url|data-network|data-number|data-worker)="(/[^"]*)"', page
    )
    assert len(links) > 5
    assert all(link.startswith(f"{prefix}/") for link in links), links
    for link in links:
        if not link.endswith(("/_get_digit", "/_get_number", "/_compare", "/_save_drawing")):
            with urllib.request.urlopen(site + link, timeout=20) as answer:
                assert answer.read()
    assert json.loads(fetch(f"{site}{prefix}/_get_digit", seven))["digit"] == 7
    api = json.loads(fetch(f"{site}{prefix}/openapi.json"))
    assert api["servers"] == [{"url": prefix}]


@pytest.mark.slow
def test_a_prefix_that_does_not_fit_is_a_bad_request(server: str) -> None:
    """A SCRIPT_NAME sent straight to gunicorn that the address does not begin with is a 400 in JSON."""
    url, arguments = f"{server}/healthz", ["-s", "-i", "--max-time", "20"]
    command = [need("curl"), *arguments, "-H", "SCRIPT_NAME: /x", url]
    answer = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    head, body = answer.split("\n\n", 1)
    assert head.startswith("HTTP/1.1 400 ")
    assert "Content-Type: application/json" in head
    assert json.loads(body)["error"]["code"] == "bad_request"
