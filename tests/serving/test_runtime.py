"""The runtime folder of a gunicorn server."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from digitre.serving import runtime

ENVIRONMENT = (runtime.VARIABLE, runtime.METRICS)


@pytest.fixture(autouse=True)
def clean(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test has folders of its own, and an environment that names none."""
    monkeypatch.setattr(runtime, "memory", lambda: str(tmp_path))
    for variable in ENVIRONMENT:
        monkeypatch.setenv(variable, "")  # so that pytest restores what the test sets
        monkeypatch.delenv(variable)


def test_the_folder_is_made_and_named(tmp_path: Path) -> None:
    """The folder exists, is named for this process, and the environment names it, for metrics too."""
    folder = runtime.open_folder()
    assert Path(folder).is_dir()
    assert Path(folder).parent == tmp_path
    assert Path(folder).name.startswith(f"digitre-{os.getpid()}-")
    assert [os.environ[variable] for variable in ENVIRONMENT] == [folder, folder]


def test_a_reload_finds_the_same_folder(tmp_path: Path) -> None:
    """The same process gets its folder again, and makes no second one."""
    assert runtime.open_folder() == runtime.open_folder()
    assert len(list(tmp_path.iterdir())) == 1


def test_a_new_master_has_a_folder_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that inherits another master's folder makes its own, and moves its metrics there."""
    old = tmp_path / "digitre-1-old"
    old.mkdir()
    for variable in ENVIRONMENT:
        monkeypatch.setenv(variable, str(old))
    folder = runtime.open_folder()
    assert folder != str(old)
    assert os.environ[runtime.METRICS] == folder
    assert old.is_dir()  # it has no lock file yet: its master may be about to lock it


def test_your_own_metrics_folder_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    """PROMETHEUS_MULTIPROC_DIR is left alone if the operator has set it."""
    monkeypatch.setenv(runtime.METRICS, "/somewhere/else")
    runtime.open_folder()
    assert os.environ[runtime.METRICS] == "/somewhere/else"


def test_the_folder_of_a_killed_server_is_removed(tmp_path: Path) -> None:
    """A folder is kept while its process runs, and removed at the next start after that was killed."""
    code = (
        "import sys; from digitre.serving import runtime\n"
        "runtime.memory = lambda: sys.argv[1]\n"
        "print(runtime.open_folder(), flush=True); input()\n"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None
        folder = Path(server.stdout.readline().strip())
        runtime.remove_abandoned(str(tmp_path))
        assert folder.is_dir()
        server.kill()
        server.wait(20)
        assert folder.is_dir()
        runtime.open_folder()
        assert not folder.exists()


def test_removing(tmp_path: Path) -> None:
    """A removed folder is gone, and removing it again is not an error."""
    folder = runtime.open_folder()
    runtime.remove(folder)
    runtime.remove(folder)
    assert not list(tmp_path.iterdir())


def test_it_needs_the_standard_library_only() -> None:
    """gunicorn.conf.py may import it before OPENBLAS_NUM_THREADS is read: NumPy is not loaded."""
    code = "import sys; from digitre.serving import runtime; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
