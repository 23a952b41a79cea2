"""The files for servers: what each linter says of them, and what they promise each other."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT, need
from sites import edited, included, shipped

DEPLOY = ROOT / "deploy"


def tool(name: str) -> str:
    """A linter that came with the tests' packages."""
    found = shutil.which(name, path=str(Path(sys.executable).parent))
    if found is None:
        pytest.skip(f"{name} is not made for this platform")
    return found


def test_the_scripts() -> None:
    """shellcheck finds nothing."""
    scripts = [DEPLOY / "install.sh", ROOT / "tests" / "install_tools.sh"]
    done = subprocess.run([tool("shellcheck"), *scripts], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_the_dockerfile() -> None:
    """hadolint finds nothing; and what it copies is there."""
    done = subprocess.run([tool("hadolint"), DEPLOY / "Dockerfile"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    for words in re.findall(
        r"^COPY (?!--from)(.+) \S+$", (DEPLOY / "Dockerfile").read_text(), re.M
    ):
        for name in words.split():
            assert (ROOT / name).exists(), name


def test_the_units(tmp_path: Path) -> None:
    """systemd accepts them, and gives the service an exposure of at most 2.0."""
    analyze = need("systemd-analyze")
    for name in ("digitre.service", "digitre.socket"):
        text = (DEPLOY / name).read_text()
        # gunicorn is at its place only where it is installed.
        (tmp_path / name).write_text(text.replace("/opt/digitre/venv/bin/gunicorn", "/bin/true"))
    units = [str(tmp_path / name) for name in ("digitre.service", "digitre.socket")]
    done = subprocess.run([analyze, "verify", *units], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "digitre" not in done.stderr
    done = subprocess.run(
        [analyze, "security", "--offline=true", units[0]], capture_output=True, text=True
    )
    score = re.search(r"exposure level for digitre.service: ([\d.]+)", done.stdout)
    assert score is not None, done.stdout + done.stderr
    assert float(score[1]) <= 2.0


def test_they_agree() -> None:
    """The socket, the folders and the limit are the same wherever they stand."""
    nginx = (DEPLOY / "nginx.conf").read_text()
    service = (DEPLOY / "digitre.service").read_text()
    installer = (DEPLOY / "install.sh").read_text()
    socket = re.search(r"ListenStream=(\S+)", (DEPLOY / "digitre.socket").read_text())
    assert socket is not None
    assert nginx.count(f"server unix:{socket[1]} max_fails=0;") == 2
    for path in ("/opt/digitre", "/var/lib/digitre", "/etc/digitre.env"):
        assert path in service
        assert path in installer or path == "/opt/digitre"
    assert "home=/opt/digitre" in installer
    assert "alias /opt/digitre/static/$1;" in nginx
    assert "client_max_body_size 1m;" in nginx
    assert "1,048,576 bytes" in nginx


def test_the_balancer(tmp_path: Path) -> None:
    """Limits and errors are those of the one server, and nginx takes it with the paths of a user's."""
    one, many = ((DEPLOY / name).read_text() for name in ("nginx.conf", "nginx-balancer.conf"))
    for begin, end in (
        ("# Each address may", "# Whoever asks"),
        ("    # nginx's own err", "\n}\n"),
    ):
        part = one[one.index(begin) :].partition(end)[0]
        assert len(part) > 800
        assert part in many
    zones = re.findall(r"limit_req zone=.*;", one)
    assert len(zones) == 3
    assert all(zone in many for zone in zones)
    site = edited(shipped("nginx-balancer.conf"), included(tmp_path, ""))
    (tmp_path / "site.conf").write_text(site)
    main = tmp_path / "nginx.conf"
    main.write_text(f"events {{}} http {{ include {tmp_path}/site.conf; }}\n")
    done = subprocess.run(
        [
            need("nginx"),
            "-t",
            "-q",
            "-c",
            main,
            "-e",
            tmp_path / "log",
            "-g",
            f"pid {tmp_path}/pid;",
        ],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
