"""`digitre serve`: the address, a port that is taken, and the browser."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner
from conftest import free_port, running

from digitre.cli import main
from digitre.cli.serve import page_of
from digitre.serving.listening import split

PROGRAM = str(Path(sys.executable).with_name("digitre"))


@pytest.mark.parametrize(
    ("address", "host", "port", "page"),
    [
        ("127.0.0.1:8000", "127.0.0.1", 8000, "http://127.0.0.1:8000"),
        ("0.0.0.0:80", "0.0.0.0", 80, "http://127.0.0.1:80"),
        (":8000", "", 8000, "http://127.0.0.1:8000"),
        ("[::]:8000", "[::]", 8000, "http://[::1]:8000"),
        ("[::1]:8000", "[::1]", 8000, "http://[::1]:8000"),
        ("[::1]", "[::1]", 8000, "http://[::1]:8000"),
        ("example.org", "example.org", 8000, "http://example.org:8000"),
        ("tcp://127.0.0.1:9,unix:x", "127.0.0.1", 9, "http://127.0.0.1:9"),
        ("unix:/run/digitre.sock", "127.0.0.1", None, ""),
        ("fd://3", "127.0.0.1", None, ""),
        ("127.0.0.1:0", "127.0.0.1", 0, ""),
    ],
)
def test_the_address_to_open(address: str, host: str, port: int | None, page: str) -> None:
    """From what gunicorn listens on follows what a browser on this machine opens."""
    assert split(address) == (host, port)
    assert page_of(address) == page


@pytest.mark.parametrize("option", ["--port", "--bind", "PORT"])
def test_a_taken_port_is_one_line(option: str, tmp_path: Path) -> None:
    """The line says which port, and what to type; gunicorn is not started."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        value = f"127.0.0.1:{port}" if option == "--bind" else str(port)
        words = [] if option == "PORT" else [option, value]
        environment = os.environ | ({"PORT": value} if option == "PORT" else {})
        done = subprocess.run(
            [PROGRAM, "serve", *words],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
        )
    assert (done.returncode, done.stdout) == (1, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"Error: Port {port} is taken. Type: ")
    typed = line.rsplit(" serve ", 1)[1].replace(":", " ").split()
    assert typed[0] == ("--bind" if option == "--bind" else "--port")
    assert port < int(typed[-1]) < port + 100


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--bind", "127.0.0.1:8000", "--port", "8001"], "leave out --port"),
        (["--port", "0"], "--port"),
        (["--bind", "192.0.2.1:8000"], "Cannot listen on 192.0.2.1"),
        (["--bind", "nowhere.invalid:8000"], "Cannot listen on nowhere.invalid"),
        (["--bind", "unix:x", "--open"], "--open"),
    ],
)
def test_other_wrong_addresses(words: list[str], message: str) -> None:
    """An address that this machine does not have, or two addresses, get one line."""
    result = CliRunner().invoke(main, ["serve", *words])
    assert result.exit_code in (1, 2)
    assert message in result.stderr


@pytest.mark.slow
def test_it_prints_the_address_and_opens_the_browser(tmp_path: Path) -> None:
    """`serve --port N --open` prints the address, and opens it as soon as the server answers."""
    opened, errors = tmp_path / "opened", tmp_path / "errors"
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" > {opened}\n')
    browser.chmod(0o755)
    port = free_port()
    command = [PROGRAM, "serve", "--port", str(port), "--open", "--workers", "1"]
    environment = os.environ | {"BROWSER": f"{browser} %s", "DIGITRE_INSTANCE": str(tmp_path)}
    address = f"http://127.0.0.1:{port}"
    with (
        errors.open("w") as file,
        running(command, address, cwd=tmp_path, env=environment, stderr=file),
    ):
        end = time.monotonic() + 20
        while not (opened.exists() and opened.read_text()) and time.monotonic() < end:
            time.sleep(0.05)
        assert opened.read_text() == f"{address}\n"
    assert errors.read_text().startswith(f"Digitre is at {address}. Press Ctrl+C to stop it.\n")
