"""The wheel works on its own, without the checkout."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import urllib.request
import zipfile
from pathlib import Path

import pytest
from conftest import ROOT, data_url, free_port, running

pytestmark = [pytest.mark.slow, pytest.mark.alone]


PACKAGE = ROOT / "digitre"


def tracked() -> list[Path]:
    """The files that are in git, or would be after `git add`."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    files = [ROOT / name for name in listed.stdout.split("\0") if name]
    return [file for file in files if file.is_file()]


def copy_tracked(target: Path) -> None:
    """Copy the files that a clone would have."""
    for file in tracked():
        copy = target / file.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(file.read_bytes())


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a copy of the tracked files, and unpacked like pip does it."""
    folder = tmp_path_factory.mktemp("wheel")
    source, target = folder / "source", folder / "installed"
    copy_tracked(source)
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", str(folder), str(source)],
        check=True,
    )
    with zipfile.ZipFile(next(folder.glob("*.whl"))) as wheel:
        wheel.extractall(target)
    return target


def test_the_wheel_has_every_file(installed: Path) -> None:
    """The whole package, the networks and the servers' settings are in it; tests are not."""
    names = {str(path.relative_to(installed)) for path in installed.rglob("*") if path.is_file()}
    package = {str(path.relative_to(ROOT)) for path in tracked() if path.is_relative_to(PACKAGE)}
    assert package - names == set()
    assert {
        "digitre/templates/index.html",
        "digitre/static/app.js",
        "digitre/drawings/migrations/versions/0001_drawings.py",
        "digitre/static/icon.svg",
        "digitre/models/digitre.tflite",
        "digitre/models/digitre.json",
        "digitre/models/digitre.keras",
        "digitre/models/demos/mlp-256.tflite",
        "digitre/models/demos/mlp-256.json",
        "digitre/models/demos/mlp-256.npz",
        "digitre/deploy/gunicorn.conf.py",
        "digitre/deploy/nginx.conf",
        "digitre/deploy/nginx-server.conf",
        "wsgi.py",
    } <= names
    assert not any(name.startswith("tests") for name in names)


def test_the_wheel_serves_from_anywhere(installed: Path, tmp_path: Path, seven: bytes) -> None:
    """gunicorn serves it from another folder, with the configuration inside the package."""
    port = free_port()
    command = [sys.executable, "-m", "gunicorn", "--config"]
    command += [str(installed / "digitre/deploy/gunicorn.conf.py"), "--chdir", str(tmp_path)]
    with running(
        [*command, "wsgi:app"],
        f"http://127.0.0.1:{port}",
        cwd=tmp_path,
        env={"PYTHONPATH": str(installed), "PORT": str(port), "WEB_CONCURRENCY": "1"},
        stderr=subprocess.DEVNULL,
    ) as address:
        request = urllib.request.Request(f"{address}/_get_digit", data=seven)
        with urllib.request.urlopen(request, timeout=20) as answer:
            assert json.load(answer)["digit"] == 7


def test_the_lock_fits_the_ranges() -> None:
    """requirements.txt pins everything that setup.py requires, within its ranges, with hashes."""
    from packaging.requirements import Requirement

    lines = (ROOT / "requirements.txt").read_text()
    pinned = dict(re.findall(r"^([a-z0-9-]+)==([^ ;]+)", lines, re.MULTILINE))
    listed = subprocess.run(
        [
            sys.executable,
            "-c",
            "import importlib.metadata as m; print(*m.requires('digitre'), sep='\\n')",
        ],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    needed = [Requirement(line) for line in listed if "extra ==" not in line]
    assert len(needed) >= 6
    for requirement in needed:
        assert requirement.specifier.contains(pinned[requirement.name]), requirement
    for block in re.split(r"^(?=[a-z0-9-]+==)", lines, flags=re.MULTILINE)[1:]:
        assert "--hash=sha256:" in block
    assert "index-url" not in lines
    assert "tensorflow" not in lines


def test_nothing_is_installed_unchecked() -> None:
    """What the installer and the container fetch has a hash: the tool that builds the package, too."""
    lines = (ROOT / "deploy" / "build-requirements.txt").read_text()
    assert re.findall(r"^(\S+)==", lines, flags=re.MULTILINE) == ["setuptools"]
    assert "--hash=sha256:" in lines
    assert "index-url" not in lines
    for name in ("install.sh", "Dockerfile"):
        text = (ROOT / "deploy" / name).read_text().replace("\\\n", " ")
        commands = re.findall(r"pip install [^&\n]*", text)
        assert len(commands) == 2
        assert "--require-hashes" in commands[0]
        assert {"--no-index", "--no-build-isolation", "--no-deps"} <= set(commands[1].split())


@pytest.mark.long
@pytest.mark.timeout(600)
def test_the_lock_installs_and_serves(tmp_path: Path, seven: bytes) -> None:
    """In an empty environment, the pinned requirements and the package are enough to read and save."""
    place = tmp_path / "environment"
    subprocess.run([sys.executable, "-m", "venv", place], check=True)
    install = [place / "bin" / "pip", "--disable-pip-version-check", "install", "--quiet"]
    locked = ["-r", ROOT / "requirements.txt", "-r", ROOT / "deploy" / "build-requirements.txt"]
    subprocess.run([*install, "--require-hashes", *locked], check=True)
    source = tmp_path / "source"
    copy_tracked(source)
    alone = ["--no-index", "--no-build-isolation", "--no-deps"]
    subprocess.run([*install, *alone, source], check=True)
    port = free_port()
    command = [place / "bin" / "gunicorn", "--bind", f"127.0.0.1:{port}", "wsgi:app"]
    environment = os.environ | {"DIGITRE_INSTANCE": str(tmp_path / "instance")}
    with running(command, f"http://127.0.0.1:{port}", cwd=tmp_path, env=environment) as address:
        asked = urllib.request.Request(f"{address}/_get_digit", data=seven)
        with urllib.request.urlopen(asked, timeout=20) as answer:
            assert json.load(answer)["digit"] == 7
        body = json.dumps({"digit": data_url(seven), "label": 7}).encode()
        asked = urllib.request.Request(f"{address}/_save_drawing", data=body)
        with urllib.request.urlopen(asked, timeout=20) as answer:
            assert answer.status == 201
