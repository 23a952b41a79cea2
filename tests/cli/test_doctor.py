"""`digitre doctor`: it names what is missing and what is wrong, and changes nothing."""

from __future__ import annotations

import importlib.metadata
import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from conftest import ROOT, free_port

from digitre import __version__
from digitre.cli import main

WITHOUT_THE_EXTRAS = (
    "import sys\n"
    "for name in ('keras', 'tensorflow', 'sklearn', 'HersheyFonts', 'matplotlib', 'psycopg', 'jax'):\n"
    "    sys.modules[name] = None\n"
    "from digitre.cli import main\n"
    "main(sys.argv[1:])\n"
)


@pytest.fixture
def instance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder for a server's data, which is not there yet; nothing else is set, and the port is free."""
    for name in list(os.environ):
        if name.startswith("DIGITRE_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("DIGITRE_INSTANCE", str(tmp_path / "instance"))
    monkeypatch.setenv("PORT", str(free_port()))
    return tmp_path / "instance"


def doctor(expect: int = 0) -> dict[str, dict]:
    """The checks by their names."""
    result = CliRunner().invoke(main, ["doctor", "--json"])
    assert result.exit_code == expect, result.output
    return {each["name"]: each for each in json.loads(result.output)}


def test_all_is_well(instance: Path) -> None:
    """It shows versions, the network, the database and the port, and makes no file."""
    checks = doctor()
    assert {each["state"] for each in checks.values()} <= {"ok", "missing"}
    assert __version__ in checks["digitre"]["found"]
    assert "numpy 2." in checks["packages"]["found"]
    assert "models/digitre.tflite reads a 1" in checks["network"]["found"]
    assert "none yet" in checks["database"]["found"]
    assert "is free" in checks["port"]["found"]
    assert checks["data"]["state"] == "missing"
    assert any("mnist.npz: http" in line for line in checks["data"]["help"])
    assert not instance.exists()


def test_it_works_without_the_extras(instance: Path) -> None:
    """Without what training needs it works, and prints how to get each extra; standard error is empty."""
    command = [sys.executable, "-c", WITHOUT_THE_EXTRAS, "doctor"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    for extra in ("train", "plot", "postgres", "jax"):
        (at,) = (n for n, line in enumerate(lines) if line.split()[1] == extra)
        assert lines[at].startswith("missing")
        assert f"pip install 'digitre[{extra}]'" in lines[at + 1]


WRONG = {
    "a setting": ({"DIGITRE_THRESHOLD": "2"}, "settings", "DIGITRE_THRESHOLD"),
    "a missing network": ({"DIGITRE_MODEL": "missing.tflite"}, "network", "missing.tflite"),
    "no network": ({"DIGITRE_MODEL": "setup.py"}, "network", "not a LiteRT network"),
    "a port": ({"PORT": "many"}, "port", "PORT must be"),
    "no database": ({"DIGITRE_DATABASE_URL": "sqlite:///setup.py"}, "database", "not a database"),
    "a database's password": (
        {"DIGITRE_DATABASE_URL": "postgresql+psycopg://me:secret@127.0.0.1:9/x"},
        "database",
        "me:***@127.0.0.1",
    ),
}


@pytest.mark.parametrize("case", WRONG)
@pytest.mark.usefixtures("instance")
def test_what_is_wrong(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is wrong is named in one line, without a password, and the exit status is 1."""
    variables, name, found = WRONG[case]
    for variable, value in variables.items():
        monkeypatch.setenv(variable, value)
    monkeypatch.chdir(ROOT)
    check = doctor(expect=1)[name]
    assert check["state"] == "wrong"
    assert found in check["found"]
    assert "secret" not in check["found"]
    assert "\n" not in check["found"]


@pytest.mark.usefixtures("instance")
def test_a_taken_port(monkeypatch: pytest.MonkeyPatch) -> None:
    """If another program has the port, it says what to type."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        monkeypatch.setenv("PORT", str(other.getsockname()[1]))
        monkeypatch.setattr("digitre.cli.doctor.PATIENCE", 0.1)
        check = doctor(expect=1)["port"]
    assert "another program" in check["found"]
    assert "serve --port " in check["help"][0]


@pytest.mark.usefixtures("instance")
def test_packages_that_are_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """A package that serving needs is wrong if it is missing; a clone that is not installed says how to."""
    monkeypatch.setattr(
        importlib.metadata, "requires", lambda _: ["flask>=3", "no-such-thing>=1,<2"]
    )
    check = doctor(expect=1)["packages"]
    assert check["found"] == "not installed: no-such-thing"
    assert check["help"][0].endswith("-m pip install no-such-thing")

    def not_there(_: str) -> list[str]:
        raise importlib.metadata.PackageNotFoundError

    monkeypatch.setattr(importlib.metadata, "requires", not_there)
    check = doctor()["packages"]
    assert (check["state"], check["help"][0].split()[-1]) == ("missing", str(ROOT))
