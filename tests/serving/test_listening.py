"""Where a server listens, with how many workers, and for which names."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from conftest import ROOT, free_port, running

from digitre.serving import listening


@pytest.mark.parametrize(
    ("address", "local"),
    [
        ("127.0.0.1:8000", True),
        ("127.9.9.9", True),
        ("localhost:1", True),
        ("[::1]:8000", True),
        ("tcp://127.0.0.1:8000", True),
        ("127.0.0.1:8000,[::1]:8000", True),
        ("127.0.0.1:8000,0.0.0.0:8000", False),
        ("0.0.0.0:8000", False),
        (":8000", False),
        ("[::]:8000", False),
        ("10.0.0.1:8000", False),
        ("example.org:80", False),
        ("unix:/run/digitre.sock", False),
        ("fd://3", False),
    ],
)
def test_loopback_addresses(address: str, local: bool) -> None:
    """An address is local if only this machine's browsers reach it. A socket is no browser's way."""
    assert listening.check(address, "it") == address
    assert listening.is_loopback(address) == local


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1:99999",
        "127.0.0.1:http",
        "127.0.0.1:",
        "127.0.0.1:-1",
        "a b:80",
        "::1:80",
        "unix:",
    ],
)
def test_addresses_that_cannot_be(address: str) -> None:
    """A wrong port or form is an error that names the variable."""
    with pytest.raises(ValueError, match="DIGITRE_BIND"):
        listening.check(address, "DIGITRE_BIND")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("WEB_CONCURRENCY", "0"),
        ("WEB_CONCURRENCY", "abc"),
        ("WEB_CONCURRENCY", "9" * 5000),
        ("PORT", "99999"),
        ("PORT", "http"),
        ("DIGITRE_BIND", "0.0.0.0:99999"),
        ("DIGITRE_DATABASE_URL", "garbage"),
        ("DIGITRE_SECRET", ""),
        ("DIGITRE_SECRET", "short"),
        ("DIGITRE_MODEL", "/nowhere/digitre.tflite"),
    ],
)
def test_a_wrong_setting_is_one_line(variable: str, value: str, tmp_path: Path) -> None:
    """The server does not start: one line names the variable or file, and the exit status is 2."""
    command = [sys.executable, "-m", "gunicorn", "--config", "deploy/gunicorn.conf.py", "wsgi:app"]
    if variable == "WEB_CONCURRENCY":  # gunicorn reads it before its configuration
        command = [str(Path(sys.executable).with_name("digitre")), "serve"]
    line = refused(command, {"DIGITRE_INSTANCE": str(tmp_path), variable: value})
    assert (value if variable == "DIGITRE_MODEL" else variable) in line


def refused(command: list[str], variables: dict[str, str]) -> str:
    """The one line of a server that does not start."""
    bin = Path(sys.executable).parent
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=os.environ | {"PATH": f"{bin}:{os.environ['PATH']}"} | variables,
        capture_output=True,
        text=True,
        timeout=60,
    )
    lines = [line for line in (done.stdout + done.stderr).splitlines() if "[INFO]" not in line]
    assert (done.returncode, len(lines)) == (2, 1), lines
    assert lines[0].startswith(("digitre: ", "Error: "))
    return lines[0]


def starts() -> dict[str, str]:
    """What starts the server: on a platform with a Procfile, in a container, and by systemd."""
    (web,) = re.findall(r"^web: (.+)", (ROOT / "Procfile").read_text(), re.MULTILINE)
    (words,) = re.findall(r"^CMD (.+)", (ROOT / "deploy" / "Dockerfile").read_text(), re.MULTILINE)
    service = (ROOT / "deploy" / "digitre.service").read_text()
    before, start = re.findall(r"^ExecStart(?:Pre)?=\S+/bin/(.+)", service, re.MULTILINE)
    return {
        "Procfile": web,
        "Dockerfile": json.loads(words)[-1].replace("/etc/digitre", "deploy"),
        "systemd": f"{before} && exec {start}".replace("/opt/digitre", "deploy"),
    }


@pytest.mark.slow
@pytest.mark.parametrize("name", ["Procfile", "Dockerfile", "systemd"])
def test_each_way_to_start_names_a_wrong_setting(name: str, tmp_path: Path) -> None:
    """Each command that starts the server reports a wrong number of workers in one line."""
    variables = {"DIGITRE_INSTANCE": str(tmp_path), "WEB_CONCURRENCY": "abc"}
    assert "WEB_CONCURRENCY" in refused(["sh", "-c", starts()[name]], variables)
    variables |= {"WEB_CONCURRENCY": "1", "DIGITRE_SECRET": "short"}  # gunicorn does start
    assert "DIGITRE_SECRET" in refused(["sh", "-c", starts()[name]], variables)


def ask(address: str, host: str) -> int:
    """The status that /healthz answers with for a Host."""
    request = urllib.request.Request(f"{address}/healthz", headers={"Host": host})
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        error.close()
        return error.code


@pytest.mark.slow
@pytest.mark.parametrize(
    ("bind", "variables", "foreign"),
    [
        ("127.0.0.1", {}, 400),
        ("0.0.0.0", {}, 200),
        ("127.0.0.1", {"DIGITRE_TRUSTED_HOSTS": "*"}, 200),
        ("127.0.0.1", {"DIGITRE_TRUSTED_HOSTS": "evil.example,127.0.0.1"}, 200),
    ],
)
def test_a_page_cannot_give_this_machine_a_name(
    bind: str, variables: dict[str, str], foreign: int, tmp_path: Path
) -> None:
    """`digitre serve` on a loopback address answers for this machine's names, unless the setting has others."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    command = [str(Path(sys.executable).with_name("digitre")), "serve", "--workers", "1"]
    environment = os.environ | {"DIGITRE_INSTANCE": str(tmp_path)} | variables
    with running([*command, "--bind", f"{bind}:{port}"], address, cwd=tmp_path, env=environment):
        assert ask(address, f"127.0.0.1:{port}") == 200
        assert ask(address, f"evil.example:{port}") == foreign
        if not variables:
            assert ask(address, f"localhost:{port}") == 200
            assert ask(address, f"[::1]:{port}") == 200


def test_make_run_is_digitre_serve() -> None:
    """`make run` and `digitre serve` are the same server, so they trust the same names."""
    lines = (ROOT / "Makefile").read_text().splitlines()
    recipe = lines[next(i for i, line in enumerate(lines) if line.startswith("run:")) + 1]
    assert recipe.endswith("exec $(BIN)/digitre serve")
