"""Run a real nginx with the shipped configuration."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import textwrap
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from conftest import ROOT, free_port, need, running

from digitre.web.app import static_version

DEPLOY = ROOT / "deploy"
INCLUDES = "/etc/nginx/digitre.d/"  # where a site looks for the files that it includes
# The nginx.conf around a site, as in a distribution; here it keeps all its files in one folder.
AROUND = """
{user}
daemon off;
pid {folder}/pid;
error_log {folder}/error.log;
events {{ worker_connections 768; }}
http {{
    include {types};
    access_log {folder}/other.log;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/digitre.conf;
}}
"""


def install_includes(
    folder: Path, unlimited: str, changes: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Install the files that a site includes, as deploy/install.sh does, but in `folder`.

    Args:
        unlimited: the content of unlimited.conf.
        changes: texts to replace in the files.

    Returns:
        The replacement to make in the site, for `edit`.
    """
    target = folder / "digitre.d"
    target.mkdir(exist_ok=True)
    (target / "unlimited.conf").write_text(unlimited)
    for file in DEPLOY.glob("nginx-*.conf"):
        text = file.read_text().replace(INCLUDES, f"{target}/")
        for old, new in (changes or {}).items():
            text = text.replace(old, new)
        (target / file.name.removeprefix("nginx-")).write_text(text)
    return {INCLUDES: f"{target}/"}


def shipped(name: str) -> str:
    """A site of deploy/, without the lines for IPv6, which not every machine has."""
    lines = (DEPLOY / name).read_text().splitlines(keepends=True)
    assert sum("listen [::]:80" in line for line in lines) == 2
    return "".join(line for line in lines if "listen [::]:" not in line)


def complete(name: str) -> str:
    """A site of deploy/, with each shipped file that it includes in place of the include."""

    def content(include: re.Match[str]) -> str:
        file = DEPLOY / f"nginx-{include[2]}"
        return textwrap.indent(complete(file.name), include[1]) if file.exists() else include[0]

    pattern = rf"^( *)include {INCLUDES}(\S+);\n"
    return re.sub(pattern, content, (DEPLOY / name).read_text(), flags=re.MULTILINE)


def edit(site: str, replacements: dict[str, str]) -> str:
    """A site with an administrator's changes. Each text to replace must be there."""
    for old, new in replacements.items():
        assert old in site, old
        site = site.replace(old, new)
    return site


def configure(
    folder: Path,
    port: int,
    tls_port: int,
    upstream: str,
    unlimited: bool,
    http: str = "",
    connections: int = 768,
    changes: Mapping[str, str] | None = None,
) -> Path:
    """Write the shipped site into `folder`, with this test's addresses and paths.

    Returns:
        The nginx.conf that includes it.
    """
    # Like deploy/install.sh: in a folder named by the files' hash.
    static = folder / "static" / static_version()
    if not static.exists():
        shutil.copytree(ROOT / "digitre" / "static", static)
    site = shipped("nginx.conf")
    replacements = install_includes(folder, "127.0.0.1 0;" if unlimited else "", changes) | {
        "server unix:/run/digitre/digitre.sock max_fails=0;": f"server {upstream} max_fails=0;",
        "listen 80 default_server;": f"listen 127.0.0.1:{port} default_server;",
        "listen 80;": f"listen 127.0.0.1:{port};",
        "server_name digits.example.org;": "server_name 127.0.0.1 localhost;",
        "/opt/digitre/static/": f"{folder}/static/",
        "listen 127.0.0.1:9180;": f"listen unix:{folder}/watched.sock;",
        "/var/log/nginx/digitre.log": f"{folder}/access.log",
    }
    if tls_port:
        site = site.replace("# TLS: ", "")
        replacements |= {
            "listen 443 ssl default_server;": f"listen 127.0.0.1:{tls_port} ssl default_server;",
            "listen 443 ssl;": f"listen 127.0.0.1:{tls_port} ssl;",
            "/etc/letsencrypt/live/digits.example.org/fullchain.pem": f"{folder}/cert.pem",
            "/etc/letsencrypt/live/digits.example.org/privkey.pem": f"{folder}/key.pem",
        }
    (folder / "digitre.conf").write_text(edit(site, replacements))
    types = Path("/etc/nginx/mime.types")
    main = folder / "nginx.conf"
    # If root starts nginx, its workers run as another user, who may not write to this folder.
    user = "user root;" if os.geteuid() == 0 else ""
    main.write_text(
        AROUND.format(user=user, folder=folder, types=types if types.exists() else "mime.types")
        .replace("worker_connections 768;", f"worker_connections {connections};")
        .replace("    client_body_temp_path", f"    {http}\n    client_body_temp_path")
    )
    return main


@dataclass(frozen=True)
class Site:
    """A running nginx: its addresses, and the file with its certificate."""

    http: str
    https: str
    certificate: Path


def make_certificate(folder: Path) -> None:
    """Write a certificate for this machine, and its key, into `folder`."""
    command = [need("openssl"), "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    command += ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    command += ["-keyout", f"{folder}/key.pem", "-out", f"{folder}/cert.pem"]
    subprocess.run(command, check=True, capture_output=True)


@contextmanager
def serve(
    folder: Path,
    upstream: str,
    *,
    tls: bool = False,
    unlimited: bool = True,
    http: str = "",
    connections: int = 768,
    changes: Mapping[str, str] | None = None,
) -> Iterator[Site]:
    """Run nginx with the shipped site in front of a server that is already running.

    Args:
        folder: the folder for its files.
        upstream: the server's address, host:port.
        tls: serve TLS as well, with a certificate made here.
        unlimited: exempt this machine's address from the limits.
        http: more lines for nginx's http block.
        connections: worker_connections; Debian's default is 768.
        changes: texts to replace in the files that the site includes.
    """
    program = need("nginx")
    folder.chmod(0o755)
    port, tls_port = free_port(), free_port() if tls else 0
    if tls:
        make_certificate(folder)
    address = upstream.removeprefix("http://")
    main = configure(folder, port, tls_port, address, unlimited, http, connections, changes)
    arguments = [program, "-p", str(folder), "-c", str(main), "-e", str(folder / "error.log")]
    subprocess.run([*arguments, "-t", "-q"], check=True)
    with running(
        arguments, f"http://127.0.0.1:{port}", ready="/.well-known/acme-challenge/"
    ) as http:
        yield Site(http, f"https://localhost:{tls_port}", folder / "cert.pem")
