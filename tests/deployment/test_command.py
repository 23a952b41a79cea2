"""The command `digitre` on a server has the server's own settings (deploy/digitre.sh)."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from conftest import ROOT
from sites import edit

PROGRAM = """#!/bin/sh
printf '%s\\n' "$@"
env | grep '^DIGITRE_' | sort
"""
# Stands for systemd: it sets a variable that only systemd could have read, and runs the command.
SYSTEMD_RUN = """#!/bin/sh
while [ "${1#--}" != "$1" ]; do echo "$1" >>"$0.options"; shift; done
DIGITRE_SECRET="it's \\"quoted\\" \\$HOME" exec "$@"
"""


def script(path: Path, text: str) -> Path:
    path.write_text(text)
    path.chmod(0o755)
    return path


@pytest.fixture
def command(tmp_path: Path) -> Path:
    """The command with its paths in a folder of this test; no systemd runs there."""
    program = script(tmp_path / "program", PROGRAM)
    (tmp_path / "instance").mkdir()
    replacements = {
        "/opt/digitre/venv/bin/digitre": str(program),
        "/etc/digitre.env": f"{tmp_path}/digitre.env",
        "/var/lib/digitre": f"{tmp_path}/instance",
        "/run/systemd/system": f"{tmp_path}/systemd",
    }
    text = (ROOT / "deploy" / "digitre.sh").read_text()
    return script(tmp_path / "digitre", edit(text, replacements))


def run(command: Path, *arguments: str) -> list[str]:
    """The arguments and the settings that the program gets."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("DIGITRE_")}
    environment["PATH"] = f"{command.parent}:{environment['PATH']}"
    done = subprocess.run(
        [command, *arguments], env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout.splitlines()


def test_it_reads_the_settings(command: Path, tmp_path: Path) -> None:
    """Values are taken as they are, without the quotes around them; comments are skipped."""
    (tmp_path / "digitre.env").write_text(
        "# A comment.\n"
        'DIGITRE_THRESHOLD="0.7"\n'
        "DIGITRE_SECRET='two words'\n"
        "DIGITRE_DATABASE_URL=postgresql://a:b$c@host/d?e=1&f=2\n"
    )
    assert run(command, "read", "a $HOME b.png") == [
        "read",
        "a $HOME b.png",
        "DIGITRE_DATABASE_URL=postgresql://a:b$c@host/d?e=1&f=2",
        f"DIGITRE_INSTANCE={tmp_path}/instance",
        "DIGITRE_SECRET=two words",
        "DIGITRE_THRESHOLD=0.7",
    ]


def test_systemd_reads_the_settings(command: Path, tmp_path: Path) -> None:
    """For root, systemd reads the file, and every value arrives unchanged."""
    if os.geteuid() != 0:
        pytest.skip("only root can ask systemd")
    (tmp_path / "digitre.env").write_text("DIGITRE_THRESHOLD=0.7\n")
    (tmp_path / "systemd").mkdir()
    script(tmp_path / "systemd-run", SYSTEMD_RUN)
    assert run(command, "read", "a.png") == [
        "read",
        "a.png",
        f"DIGITRE_INSTANCE={tmp_path}/instance",
        'DIGITRE_SECRET=it\'s "quoted" $HOME',
    ]
    options = (tmp_path / "systemd-run.options").read_text().splitlines()
    assert f"--property=EnvironmentFile={tmp_path}/digitre.env" in options


def test_without_settings(command: Path) -> None:
    """Someone who cannot read the settings reads with the network that was installed."""
    assert run(command, "read", "a.png") == ["read", "a.png"]
