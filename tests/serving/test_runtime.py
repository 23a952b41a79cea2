"""The runtime folder of a gunicorn server."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from prometheus_client.mmap_dict import MmapedDict, mmap_key

from digitre import create_app
from digitre.serving import runtime
from digitre.web.errors import STATUSES

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


def test_a_full_memory_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If there is too little room in memory, the folder lies on the disk."""
    disk = tmp_path / "disk"
    disk.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(disk))
    monkeypatch.setattr(runtime, "ROOM", 2**62)
    assert Path(runtime.open_folder()).parent == disk


def test_metrics_have_their_memory(tmp_path: Path) -> None:
    """A worker's files are there before it writes; what it did not use is given back, its counts stay."""
    os.environ[runtime.METRICS] = str(tmp_path)
    runtime.allocate_metrics()
    files = {kind: tmp_path / f"{kind}_{os.getpid()}.db" for kind in runtime.FILES}
    for kind, file in files.items():
        assert file.stat().st_size == runtime.FILES[kind]
        assert file.stat().st_blocks * 512 >= runtime.FILES[kind]
    counter = MmapedDict(str(files["counter"]))
    counter.write_value("a key", 7, 0)
    counter.close()
    runtime.release_metrics(os.getpid())
    assert sum(file.stat().st_size for file in files.values()) < 100
    rows = {kind: list(MmapedDict.read_all_values_from_file(file)) for kind, file in files.items()}
    assert [row[1] for row in rows["counter"]] == [7]
    assert rows["histogram"] == rows["gauge_livemax"] == []


def test_no_metrics_file_grows() -> None:
    """All routes with all methods and statuses fit into the memory that is taken for them."""
    app = create_app()
    routes = [*{str(rule) for rule in app.url_map.iter_rules()}, "unknown"]
    methods = {method for rule in app.url_map.iter_rules() for method in rule.methods or ()}
    statuses = {"200", "201", "204", "302", "304", *map(str, STATUSES.values())}
    requests = [
        {"route": route, "method": method, "status": status}
        for route in routes
        for method in methods
        for status in statuses
    ]
    assert size("digitre_requests_total", requests) < runtime.FILES["counter"]
    seconds = [{"route": route, "le": f"{bound}.000"} for route in routes for bound in range(20)]
    assert size("digitre_request_seconds_bucket", seconds) < runtime.FILES["histogram"]


def size(name: str, rows: list[dict[str, str]]) -> int:
    """More bytes than prometheus_client takes for a metric with these labels."""
    help = "x" * 60
    keys = [mmap_key(name, name, list(row), list(row.values()), help) for row in rows]
    return sum(
        len(key) + 8 + 4 + 16 for key in keys
    )  # the key, its padding, its length, two numbers


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
