"""The installer on a machine with systemd: install, read, save, crash, upgrade, remove."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import ROOT, data_url, need
from machines import PATH, Machine, machine
from skips import NO_MACHINE

HOST = "digits.example.org"
SOCKET = "/run/digitre/digitre.sock"
INSTALL = ("sh", "/mnt/checkout/deploy/install.sh")

pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[Machine]:
    """A machine with nginx, Python, this checkout, and the packages that the installer needs."""
    for program in ("systemd-analyze", "nginx", "curl", "ip"):
        need(program)
    shared = tmp_path_factory.mktemp("shared")
    download_packages(shared / "packages")
    with machine(ROOT, shared, tmp_path_factory.mktemp("machine")) as there:
        yield there


def download_packages(folder: Path) -> None:
    """Download the pinned packages for the Python of this machine's system."""
    ask = "import ensurepip, sys, venv; print('%d.%d' % sys.version_info[:2])"
    done = subprocess.run(
        ["python3", "-c", ask], env={"PATH": PATH}, capture_output=True, text=True
    )
    version = done.stdout.strip()
    if done.returncode or tuple(map(int, version.split("."))) < (3, 11):
        pytest.skip(f"{NO_MACHINE}: its Python is too old, or has no venv")
    files = ROOT / "requirements.txt", ROOT / "deploy" / "build-requirements.txt"
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--require-hashes"]
    command += [word for file in files for word in ("-r", str(file))]
    command += ["--only-binary=:all:", "--python-version", version, "--dest", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def install(server: Machine, *words: str, path: str = PATH) -> str:
    """Run the installer, which finds all packages in a folder."""
    settings = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": "/mnt/shared/packages"}
    settings |= {"PIP_CONFIG_FILE": "/dev/null", "PATH": path}
    return server.output(*INSTALL, *words, settings=settings)


def ask(server: Machine, path: str, body: object = None, *options: str) -> tuple[int, dict]:
    """Send JSON through nginx, or get a page: the status, and the JSON of the answer."""
    words = ["curl", "--silent", "--show-error", "--write-out", "\n%{http_code}"]
    words += ["--header", f"Host: {HOST}", *options]
    if body is not None:
        words += ["--header", "Content-Type: application/json", "--data", json.dumps(body)]
    answer, _, status = server.output(*words, f"http://127.0.0.1{path}").rpartition("\n")
    return int(status), json.loads(answer) if answer.startswith("{") else {}


def read(server: Machine, seven: bytes) -> int | None:
    """The digit that the server reads in the drawing of a seven."""
    status, reading = ask(server, "/_get_digit", {"digit": data_url(seven)})
    assert status == 200, reading
    return reading["digit"]


def count_drawings(server: Machine) -> int:
    """How many drawings the server's own command counts."""
    return json.loads(server.output("digitre", "drawings", "stats", "--json"))["drawings"]


def test_the_installer(server: Machine, seven: bytes) -> None:
    """From a clean machine to a page that reads and saves; then a crash, an upgrade, the end.

    The unit's sandbox is in force; the drawing is there after each of them; and while the
    installer brings a new version, every request is answered.
    """
    with pytest.raises(pytest.fail.Exception, match="name the host"):
        install(server)
    # A Python in root's home, as some tools install it, is of no use to the server's user.
    server.output("sh", "-c", "mkdir /root/own && cp /usr/bin/python3 /root/own/python3")
    with pytest.raises(
        pytest.fail.Exception, match="the user digitre cannot run /root/own/python3"
    ):
        install(server, HOST, path=f"/root/own:{PATH}")
    assert f"http://{HOST}/ answers" in install(server, HOST)
    assert read(server, seven) == 7
    assert ask(server, "/")[0] == 200

    # What the unit promises holds for the process that serves.
    main = server.output("systemctl", "show", "--value", "--property=MainPID", "digitre").strip()
    status = server.output("cat", f"/proc/{main}/status")
    values = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    assert (values["CapEff"], values["NoNewPrivs"], values["Seccomp"]) == ("0" * 16, "1", "2")
    inside = ("nsenter", f"--target={main}", "--mount", "touch")
    assert server.run(*inside, "/var/lib/digitre/x").returncode == 0
    assert "Read-only" in server.run(*inside, "/opt/digitre/x").stderr

    drawing = {"digit": data_url(seven), "label": 7}
    assert ask(server, "/_save_drawing", drawing)[0] == 201
    assert count_drawings(server) == 1
    files = server.output("stat", "--format=%a %U", "/var/lib/digitre/drawings.sqlite3")
    assert files.split() == ["600", "digitre"]

    # After a crash the socket stays open and systemd starts the server again: a request only waits.
    server.output("kill", "-KILL", main)
    assert read(server, seven) == 7

    server.output("systemctl", "reload", "digitre")
    assert read(server, seven) == 7

    loop = (
        "while [ ! -e /tmp/done ]; do"
        f" curl -s -o /dev/null -w '%{{http_code}}\\n' -H 'Host: {HOST}'"
        " -F image=@/mnt/shared/seven.png http://127.0.0.1/_get_digit; done >/tmp/codes"
    )
    (server.shared / "seven.png").write_bytes(seven)
    server.output("systemd-run", "--unit=visitor", "sh", "-c", loop)
    install(server, HOST)
    server.output("touch", "/tmp/done")
    codes = server.output("cat", "/tmp/codes").split()
    assert len(codes) > 100
    assert set(codes) == {"200"}
    assert count_drawings(server) == 1

    text = install(server, "--remove")
    assert "the drawings are still in /var/lib/digitre" in text
    assert ask(server, "/", None, "--max-time", "5")[0] != 200
    server.output("test", "-e", "/var/lib/digitre/drawings.sqlite3")
    install(server, "--remove", "--purge")
    server.output("test", "!", "-e", "/var/lib/digitre", "-a", "!", "-e", "/etc/digitre.env")
    assert server.run("id", "digitre").returncode != 0
