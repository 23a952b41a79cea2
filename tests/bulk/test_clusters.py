"""`digitre bulk` on real worker processes, which are killed; on an S3 server; and on all of MNIST."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import killers
import numpy as np
import psutil
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import ROOT, free_port, png, running
from strokes import DIGITS, drawn
from test_bulk import bulk, rows

from digitre import Classifier
from digitre.bulk import engines
from digitre.bulk.store import Store

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]

HERE = Path(__file__).parent
COUNT = 60
# `digitre bulk` with a reader of `killers`.
PROGRAM = """
import functools, sys
import killers
from digitre.bulk import run
from digitre.cli import main
if __name__ == "__main__":
    run.prepare = functools.partial(run.prepare, reader=getattr(killers, sys.argv.pop(1)))
    main()
"""


@pytest.fixture
def scans(tmp_path: Path) -> Path:
    """A folder with 60 pictures of ten digits."""
    folder = tmp_path / "scans"
    folder.mkdir()
    for number in range(COUNT):
        (folder / f"{number:03}.png").write_bytes(png(drawn(DIGITS[number % 10])))
    return folder


def start(tmp_path: Path, scans: Path, reader: str) -> subprocess.Popen:
    """Start a run by two workers in a session of its own, with parts of five pictures."""
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    words = ["bulk", "--json", "--workers", "2", "--part", "5", str(scans), str(tmp_path / "out")]
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join([str(HERE), str(ROOT), os.environ.get("PYTHONPATH", "")]),
        "DIGITRE_TEST_MARK": str(tmp_path / "mark"),
    }
    return subprocess.Popen(
        [sys.executable, str(program), reader, *words],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def mark(scans: Path, number: int, end: bytes) -> Path:
    """Give a picture the end that a reader of `killers` looks for."""
    picture = scans / f"{number:03}.png"
    picture.write_bytes(picture.read_bytes() + end)
    return picture


def holders(tmp_path: Path) -> set[int]:
    """The processes that have held a picture."""
    return {int(file.name.partition("-")[2]) for file in tmp_path.glob("mark-*")}


def let_go(tmp_path: Path) -> None:
    """Let the held pictures be read."""
    (tmp_path / "mark").touch()


def until(holds: Callable[[], object], process: subprocess.Popen | None = None) -> None:
    """Wait until something holds. Fails after two minutes, or if the process ends before."""
    end = time.monotonic() + 120
    while not holds():
        assert time.monotonic() < end
        assert process is None or process.poll() is None, process.stderr.read()
        time.sleep(0.05)


def finished(process: subprocess.Popen) -> dict:
    """The summary that a run printed."""
    output, said = process.communicate(timeout=500)
    assert process.returncode == 0, said
    return json.loads(output)


def assert_complete(out: Path, scans: Path, classifier: Classifier) -> None:
    """Each picture has one row, with what the classifier reads."""
    found = rows(out)
    assert [row["path"] for row in found] == sorted(map(str, scans.iterdir()))
    for row in found:
        reading = classifier.read(Path(row["path"])).to_dict()
        for name in ("digit", "result", "confidence", "probabilities", "not_a_digit", "reason"):
            assert row[name] == reading[name], name
    assert not [file for file in (out / "parts").iterdir() if file.suffix != ".parquet"]


def test_a_killed_worker_loses_nothing(tmp_path: Path, scans: Path, classifier: Classifier) -> None:
    """kill -9 of a worker in the middle of a part: the same rows, and no path twice."""
    mark(scans, 31, killers.HELD)
    process = start(tmp_path, scans, "held")
    until(lambda: holders(tmp_path), process)
    (worker,) = holders(tmp_path)
    os.kill(worker, signal.SIGKILL)
    until(lambda: holders(tmp_path) - {worker}, process)  # another one reads the part
    let_go(tmp_path)
    assert finished(process)["read"] == COUNT
    assert_complete(tmp_path / "out", scans, classifier)


def test_a_killed_run_goes_on(tmp_path: Path, scans: Path, classifier: Classifier) -> None:
    """kill -9 of client and scheduler: its workers end too, and the next run only writes what is missing."""
    mark(scans, 16, killers.HELD)
    mark(scans, 21, killers.HELD)
    process = start(tmp_path, scans, "held")
    store = Store(str(tmp_path / "out"))
    until(lambda: len(holders(tmp_path)) == 2 and len(store.parts()) == 3, process)
    below = psutil.Process(process.pid).children(recursive=True)
    process.kill()
    process.communicate()
    assert holders(tmp_path) <= {each.pid for each in below}
    until(lambda: not any(each.is_running() for each in below))
    parts = tmp_path / "out" / "parts"
    before = {file.name: file.stat().st_mtime_ns for file in parts.iterdir()}
    assert before.keys() == {f"part-0000{number}.parquet" for number in range(3)}
    let_go(tmp_path)
    assert finished(start(tmp_path, scans, "held"))["parts_done"] == COUNT // 5
    after = {file.name: file.stat().st_mtime_ns for file in parts.iterdir()}
    assert before.items() <= after.items()
    assert_complete(tmp_path / "out", scans, classifier)


def test_a_picture_that_kills_workers_is_a_row(tmp_path: Path, scans: Path) -> None:
    """A part that kills its worker three times is read again picture by picture; the killer is a row."""
    deadly = mark(scans, 31, killers.DEADLY)
    assert finished(start(tmp_path, scans, "die"))["errors"] == 1
    found = {row["path"]: row for row in rows(tmp_path / "out")}
    assert len(found) == COUNT
    assert found.pop(str(deadly))["error"] == "worker_died"
    assert {row["error"] for row in found.values()} == {None}


def test_a_worker_that_dies_once_is_forgiven(
    tmp_path: Path, scans: Path, classifier: Classifier
) -> None:
    """A picture that was being read when a worker died is read by another one, and is no error."""
    mark(scans, 31, killers.DEADLY)
    assert finished(start(tmp_path, scans, "die_once"))["errors"] == 0
    assert (tmp_path / "mark").exists()
    assert_complete(tmp_path / "out", scans, classifier)


def test_ctrl_c_finishes_what_is_begun(tmp_path: Path, scans: Path, classifier: Classifier) -> None:
    """Ctrl-C reaches all processes of a terminal; the run ends with whole parts, and says how to go on."""
    mark(scans, 16, killers.HELD)
    mark(scans, 21, killers.HELD)
    process = start(tmp_path, scans, "held")
    store = Store(str(tmp_path / "out"))
    until(lambda: len(holders(tmp_path)) == 2 and len(store.parts()) == 3, process)
    os.killpg(process.pid, signal.SIGINT)
    assert process.stderr is not None
    assert any("finishing the parts that are begun" in line for line in process.stderr)
    let_go(tmp_path)
    output, said = process.communicate(timeout=120)
    assert process.returncode == 130, said
    assert said == "stopped: the same command again goes on from here\n"
    assert json.loads(output)["parts_done"] == 5
    assert store.parts() == {0, 1, 2, 3, 4}
    done = bulk("--no-cluster", "--part", 5, scans, tmp_path / "out")
    assert done.exit_code == 0, done.output
    assert_complete(tmp_path / "out", scans, classifier)


def test_a_running_cluster_is_used(tmp_path: Path, scans: Path, classifier: Classifier) -> None:
    """--cluster reads on the workers of a scheduler that runs, and leaves it running."""
    port = free_port()
    address = f"tcp://127.0.0.1:{port}"
    programs = Path(sys.executable).parent
    command = [str(programs / "dask"), "scheduler", "--host", "127.0.0.1", "--port", str(port)]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    scheduler = subprocess.Popen([*command, "--no-dashboard", "--no-show"], **quiet)
    worker = subprocess.Popen(
        [str(programs / "dask"), "worker", address, "--nthreads", "1", "--no-dashboard"], **quiet
    )
    try:
        done = bulk("--cluster", address, "--part", 20, scans, tmp_path / "out")
        assert done.exit_code == 0, done.output
        assert scheduler.poll() is None
        assert worker.poll() is None
    finally:
        for process in (worker, scheduler):
            process.terminate()
            process.wait(30)
    assert_complete(tmp_path / "out", scans, classifier)


def test_a_missing_scheduler_is_one_line(
    tmp_path: Path, scans: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An address where no scheduler answers ends with a line that says so."""
    monkeypatch.setattr(engines, "PATIENCE", 1)
    done = bulk("--cluster", f"tcp://127.0.0.1:{free_port()}", scans, tmp_path / "out")
    assert done.exit_code == 1
    assert "there is no scheduler at" in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.fixture
def bucket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of a bucket on a real S3 server, which runs on this machine."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    for name, value in {
        "AWS_ENDPOINT_URL": address,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)
    command = [
        str(Path(sys.executable).with_name("moto_server")),
        "-H",
        "127.0.0.1",
        "-p",
        str(port),
    ]
    with (tmp_path / "log").open("w") as log, running(command, address, ready="/moto-api/",
                                                       stdout=log, stderr=log):  # fmt: skip
        yield "s3://digits"


def test_a_bucket_is_read_and_written(
    tmp_path: Path, scans: Path, bucket: str, classifier: Classifier
) -> None:
    """Pictures in a bucket are read to Parquet in a bucket, with the rows of the folder; it goes on as well."""
    fill = (
        "import s3fs, sys\n"
        "store = s3fs.S3FileSystem(); store.mkdir('digits')\n"
        "store.put(sys.argv[1] + '/', 'digits/scans/', recursive=True)\n"
    )
    subprocess.run([sys.executable, "-c", fill, str(scans)], check=True)
    run = [sys.executable, "-m", "digitre", "bulk"]
    words = ["--workers", "2", "--part", "20", "--json", f"{bucket}/scans", f"{bucket}/out"]
    first = subprocess.run([*run, *words], check=True, capture_output=True, text=True)
    assert json.loads(first.stdout)["read"] == COUNT
    again = subprocess.run([*run, *words], check=True, capture_output=True, text=True)
    assert json.loads(again.stdout)["parts_done"] == 3
    fetch = (
        "import s3fs, sys; s3fs.S3FileSystem().get('digits/out/parts', sys.argv[1], recursive=True)"
    )
    target = tmp_path / "fetched" / "parts"
    target.parent.mkdir()
    subprocess.run([sys.executable, "-c", fetch, str(target)], check=True)
    found = rows(target.parent)
    assert [row["path"] for row in found] == [f"{bucket}/scans/{n:03}.png" for n in range(COUNT)]
    for row in found[:10]:
        assert row["digit"] == classifier.read(scans / Path(row["path"]).name).digit


def test_all_of_mnist_has_the_accuracy_of_the_card(
    tmp_path: Path, real_data: Path, classifier: Classifier
) -> None:
    """10,000 test pictures of MNIST in one Parquet file have the accuracy that the network's card says."""
    from digitre.training.data import datasets

    pictures, labels = datasets.mnist("test")
    table = pa.table(
        {"image": [png(each) for each in pictures], "path": [*map(str, range(len(labels)))]}
    )
    pq.write_table(table, tmp_path / "mnist.parquet", row_group_size=1000)
    done = bulk("--json", tmp_path / "mnist.parquet", tmp_path / "out")
    assert done.exit_code == 0, done.output
    found = {int(row["path"]): row["probabilities"] for row in rows(tmp_path / "out")}
    best = np.array([np.argmax(found[at]) for at in range(len(labels))])
    card = classifier.card()
    assert card is not None
    accuracy = 100 * (best == labels).mean()
    assert accuracy == pytest.approx(card.figures.value("mnist_test", "accuracy"), abs=0.05)
