"""Real nginx with the shipped configuration, for the tests that need one."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from conftest import ROOT, free_port, need, running

from digitre.web.app import static_version

# What a distribution's nginx.conf has round a site; here as whoever runs the tests, in one folder.
AROUND = """
{user}
daemon off;
pid {folder}/pid;
error_log {folder}/error.log;
events {{ worker_connections 768; }}
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


def included(folder: Path, unlimited: str) -> dict[str, str]:
    """Makes the files that a site includes; where the shipped site looks for them, and where they are."""
    place = folder / "digitre.d"
    place.mkdir(exist_ok=True)
    (place / "unlimited.conf").write_text(unlimited)
    shutil.copy(ROOT / "deploy" / "nginx-headers.conf", place / "headers.conf")
    return {"/etc/nginx/digitre.d/": f"{place}/"}


def shipped(name: str) -> str:
    """A site of deploy/, without IPv6, which not every machine has."""
    lines = (ROOT / "deploy" / name).read_text().splitlines(keepends=True)
    assert sum("listen [::]:80" in line for line in lines) == 2
    return "".join(line for line in lines if "listen [::]:" not in line)


def edited(site: str, places: dict[str, str]) -> str:
    """A site with what a user puts in its places; each of them is there."""
    for there, here in places.items():
        assert there in site, there
        site = site.replace(there, here)
    return site


def configured(folder: Path, port: int, tls_port: int, upstream: str, unlimited: bool) -> Path:
    """The shipped file with this test's addresses and paths in the places that a user edits."""
    # As deploy/install.sh has them: in a folder named by their hash.
    static = folder / "static" / static_version()
    if not static.exists():
        shutil.copytree(ROOT / "digitre" / "static", static)
    site = shipped("nginx.conf")
    places = included(folder, "127.0.0.1 0;" if unlimited else "") | {
        "server unix:/run/digitre/digitre.sock max_fails=0;": f"server {upstream} max_fails=0;",
        "listen 80 default_server;": f"listen 127.0.0.1:{port} default_server;",
        "listen 80;": f"listen 127.0.0.1:{port};",
        "server_name digits.example.org;": "server_name 127.0.0.1 localhost;",
        "/opt/digitre/static/": f"{folder}/static/",
        "listen 127.0.0.1:9180;": f"listen unix:{folder}/watched.sock;",
    }
    if tls_port:
        site = site.replace("# TLS: ", "")
        places |= {
            "listen 443 ssl default_server;": f"listen 127.0.0.1:{tls_port} ssl default_server;",
            "listen 443 ssl;": f"listen 127.0.0.1:{tls_port} ssl;",
            "/etc/letsencrypt/live/digits.example.org/fullchain.pem": f"{folder}/cert.pem",
            "/etc/letsencrypt/live/digits.example.org/privkey.pem": f"{folder}/key.pem",
        }
    (folder / "digitre.conf").write_text(edited(site, places))
    types = Path("/etc/nginx/mime.types")
    main = folder / "nginx.conf"
    # Started by root, its workers would be somebody who may not write in this folder.
    user = "user root;" if os.geteuid() == 0 else ""
    main.write_text(
        AROUND.format(user=user, folder=folder, types=types if types.exists() else "mime.types")
    )
    return main


@dataclass(frozen=True)
class Site:
    """The addresses of a running nginx, and the certificate that it shows."""

    http: str
    https: str
    certificate: Path


@contextmanager
def serve(
    folder: Path, upstream: str, *, tls: bool = False, unlimited: bool = True
) -> Iterator[Site]:
    """nginx by the shipped file before a server that runs already; TLS by a certificate of its own.

    `unlimited` adds the include that frees this machine's address from the limits.
    """
    program = need("nginx")
    folder.chmod(0o755)
    port, tls_port = free_port(), free_port() if tls else 0
    if tls:
        subprocess.run(
            [
                need("openssl"),
                "req",
                "-x509",
                "-newkey",
                "rsa:2048",
                "-nodes",
                "-days",
                "2",
                "-subj",
                "/CN=localhost",
                "-addext",
                "subjectAltName=DNS:localhost,IP:127.0.0.1",
                "-keyout",
                f"{folder}/key.pem",
                "-out",
                f"{folder}/cert.pem",
            ],
            check=True,
            capture_output=True,
        )
    main = configured(folder, port, tls_port, upstream.removeprefix("http://"), unlimited)
    arguments = [program, "-p", str(folder), "-c", str(main), "-e", str(folder / "error.log")]
    subprocess.run([*arguments, "-t", "-q"], check=True)
    with running(
        arguments, f"http://127.0.0.1:{port}", ready="/.well-known/acme-challenge/"
    ) as http:
        yield Site(http, f"https://localhost:{tls_port}", folder / "cert.pem")
