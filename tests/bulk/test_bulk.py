"""`digitre bulk` in one process: sources, rows, going on, errors, a full disk; and a small run on a cluster."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import os
import re
import subprocess
import sys
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path

import killers
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result
from conftest import png
from strokes import DIGITS, drawn

from digitre import Classifier, __version__
from digitre.bulk import parts, read_part, run
from digitre.bulk.alone import rows_alone
from digitre.bulk.engines import EngineError, in_this_process
from digitre.bulk.store import Store
from digitre.cli import main

PICTURES = {f"{digit}.png": png(drawn(DIGITS[digit])) for digit in (0, 3, 7)}
ALL = PICTURES | {"broken.png": b"\x89PNG\r\n\x1a\n broken", "empty.png": b""}


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """A folder with three digits and two files that cannot be read."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    for name, content in ALL.items():
        (folder / name).write_bytes(content)
    return folder


def bulk(*words: object, **options) -> Result:
    return CliRunner().invoke(main, ["bulk", *map(str, words)], **options)


def rows(out: Path) -> list[dict]:
    """The rows of all parts, by path."""
    found = [row for file in sorted((out / "parts").iterdir()) for row in _rows(file)]
    return sorted(found, key=lambda row: row["path"])


def _rows(file: Path) -> list[dict]:
    with pq.ParquetFile(file) as opened:
        return opened.read().to_pylist()


def test_rows_are_what_the_classifier_reads(classifier: Classifier, pictures: Path) -> None:
    """Each row has the values of the API's answer; a picture that cannot be read is a row with a code."""
    columns = read_part([*ALL.items(), ("gone.png", "no_such_file")], classifier)
    found = {path: {name: values[at] for name, values in columns.items()}
             for at, path in enumerate(columns["path"])}  # fmt: skip
    for name, content in PICTURES.items():
        expected = classifier.read(content).to_dict()
        row = found[name]
        assert row["error"] is None
        for column in ("digit", "result", "confidence", "probabilities", "not_a_digit", "reason"):
            assert row[column] == expected[column], column
    assert found["broken.png"]["error"] == "not_a_picture"
    assert found["gone.png"]["error"] == "no_such_file"
    assert found["gone.png"]["digit"] is None
    assert found["gone.png"]["model"] == classifier.model


def test_a_fault_of_a_reader_is_a_row(classifier: Classifier) -> None:
    """An error that no one expects costs its picture only."""

    def fails(content: bytes, *how) -> dict:
        raise ZeroDivisionError

    assert read_part([("a", b"")], classifier, reader=fails)["error"] == ["internal_error"]


def test_a_folder_becomes_parts_and_a_summary(pictures: Path, tmp_path: Path) -> None:
    """A run writes its manifest, its parts and its summary; again, it reads nothing and says the same."""
    out = tmp_path / "out"
    first = bulk("--no-cluster", "--part", 2, "--json", pictures, out)
    assert first.exit_code == 0, first.output
    summary = json.loads(first.stdout)
    assert summary == json.loads((out / "summary.json").read_text())
    assert [summary[name] for name in ("pictures", "read", "refused", "errors", "parts")] == [
        5, 3, 0, 2, 3]  # fmt: skip
    assert sorted(file.name for file in (out / "parts").iterdir()) == [
        f"part-0000{number}.parquet" for number in range(3)
    ]
    assert [row["path"] for row in rows(out)] == sorted(str(pictures / name) for name in ALL)
    before = {file: file.stat().st_mtime_ns for file in (out / "parts").iterdir()}
    again = bulk("--part", 2, "--json", pictures, out)
    assert again.exit_code == 0, again.output
    assert json.loads(again.stdout)["read"] == 3
    assert before == {file: file.stat().st_mtime_ns for file in (out / "parts").iterdir()}
    said = bulk("status", out)
    assert said.stdout == "5 of 5 pictures: 3 read, 0 refused, 2 errors\n"


def test_only_missing_parts_are_read(pictures: Path, tmp_path: Path) -> None:
    """A run that lacks parts reads these; what was being written when it ended is no part, and is removed."""
    out = tmp_path / "out"
    assert bulk("--no-cluster", "--part", 2, pictures, out).exit_code == 0
    expected = rows(out)
    (out / "summary.json").unlink()
    (out / "parts" / "part-00001.parquet").unlink()
    kept = (out / "parts" / "part-00000.parquet").stat().st_mtime_ns
    torn = out / "parts" / ".part-00001.parquet.0123.tmp"
    torn.write_bytes(b"PAR1 torn")
    said = json.loads(bulk("status", "--json", out).stdout)
    assert (said["parts_done"], said["parts"], said["finished"]) == (2, 3, False)
    assert bulk("--no-cluster", "--part", 2, pictures, out).exit_code == 0
    assert not torn.exists()
    assert rows(out) == expected
    assert (out / "parts" / "part-00000.parquet").stat().st_mtime_ns == kept


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--threshold", "0.9"], "threshold is 0.9, and was 0.6"),
        (["--number"], "number is True, and was False"),
        (["--part", "4"], "part is 4, and was"),
        (["--columns", "digit"], "columns is path,digit, and was"),
        (["--model", "models/demos/mlp-256.tflite"], "model is mlp-256-"),
    ],
)
def test_another_run_is_refused(
    words: list[str], said: str, pictures: Path, tmp_path: Path
) -> None:
    """A folder with a run of other settings is left as it is, unless you say --new."""
    out = tmp_path / "out"
    assert bulk("--no-cluster", pictures, out).exit_code == 0
    expected = rows(out)
    refused = bulk("--no-cluster", *words, pictures, out)
    assert refused.exit_code == 1
    assert said in refused.stderr
    assert "--new" in refused.stderr
    assert rows(out) == expected
    new = bulk("--no-cluster", "--new", *words, pictures, out)
    assert new.exit_code == 0, new.output


def test_another_version_does_not_go_on(
    pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that another version of Digitre began is left as it is: it may read the same picture otherwise."""
    out = tmp_path / "out"
    with monkeypatch.context() as patched:
        for module in (run, parts):
            patched.setattr(module, "__version__", "0.0.9")
        assert bulk("--no-cluster", pictures, out).exit_code == 0
    refused = bulk("--no-cluster", pictures, out)
    assert refused.exit_code == 1
    assert re.search(
        r"version of Digitre is \S+, and was 0\.0\.9; use another folder", refused.stderr
    )
    assert bulk("status", out).exit_code == 0
    assert bulk("--no-cluster", "--new", pictures, out).exit_code == 0


def _parquet(file: Path) -> None:
    table = {"path": [*ALL], "image": [{"bytes": each, "path": None} for each in ALL.values()]}
    pq.write_table(pa.table(table), file, row_group_size=2)


def _tar(file: Path) -> None:
    with tarfile.open(file, "w") as archive:
        for name, content in ALL.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))


def _zip(file: Path) -> None:
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in ALL.items():
            archive.writestr(name, content)


def _csv(file: Path) -> None:
    with file.open("w", newline="") as opened:
        csv.writer(opened).writerows([["id", "path"], *([1, f"pictures/{name}"] for name in ALL)])


def _list(file: Path) -> None:
    pq.write_table(pa.table({"file": [f"pictures/{name}" for name in ALL]}), file)


SOURCES = {
    "table.parquet": _parquet,
    "shard.tar": _tar,
    "scans.zip": _zip,
    "list.csv": _csv,
    "list.parquet": _list,
}


@pytest.mark.parametrize("source", [*SOURCES, "pictures/*.png", "-"])
def test_every_kind_of_source_has_the_same_rows(
    source: str, pictures: Path, tmp_path: Path, classifier: Classifier
) -> None:
    """A table, a tar, a zip, a list, a glob and standard input are read like the folder."""
    options = {}
    if source in SOURCES:
        SOURCES[source](tmp_path / source)
    if source == "-":
        options["input"] = "".join(f"{pictures / name}\n" for name in ALL)
    address = source if source == "-" else tmp_path / source
    done = bulk("--no-cluster", "--part", 2, address, tmp_path / "out", **options)
    assert done.exit_code == 0, done.output
    found = {
        row["path"].replace("#", "/").rsplit("/", 1)[-1]: row for row in rows(tmp_path / "out")
    }
    assert found.keys() == ALL.keys()
    for name, content in PICTURES.items():
        assert found[name]["digit"] == classifier.read(content).digit
        assert found[name]["error"] is None
    assert found["broken.png"]["error"] == "not_a_picture"
    assert found["empty.png"]["error"] == "not_a_picture"


def test_numbers_have_their_text_and_boxes(tmp_path: Path, classifier: Classifier) -> None:
    """With --number a row has what `Classifier.read_number` reads."""
    (tmp_path / "7.png").write_bytes(PICTURES["7.png"])
    done = bulk("--no-cluster", "--number", tmp_path / "7.png", tmp_path / "out")
    assert done.exit_code == 0, done.output
    (row,) = rows(tmp_path / "out")
    expected = classifier.read_number(PICTURES["7.png"])
    assert (row["text"], row["result"]) == (expected.text, expected.result)
    assert row["boxes"] == [list(digit.box) for digit in expected.digits]


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (["missing/"], 1, "there is nothing at missing/"),
        (["*.missing"], 1, "nothing matches"),
        (["docs/api.md"], 1, "is no picture, Parquet, CSV, tar or zip"),
        (["docs/"], 1, "there is no column colour"),
        (["teleport://x"], 1, "teleport"),
    ],
)
def test_what_cannot_be_read_is_one_line(
    words: list[str], status: int, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wrong source, address or column ends with a line that says so, and no run is begun."""
    out = tmp_path / "out"
    more = ["--columns", "colour"] if words == ["docs/"] else []
    done = bulk("--no-cluster", *more, *words, out)
    assert done.exit_code == status
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not (out / "manifest.parquet").exists()


def test_a_dry_run_writes_nothing(pictures: Path, tmp_path: Path) -> None:
    """--dry-run names the first pictures and counts the rest."""
    done = bulk("--dry-run", pictures, tmp_path / "out")
    assert done.stdout.splitlines()[0] == str(pictures / "0.png")
    assert done.stdout.splitlines()[-1] == "and 2 more"
    assert not (tmp_path / "out").exists()


def test_a_picture_that_kills_its_process_is_a_row(classifier: Classifier) -> None:
    """Read alone, a picture that kills its process is a row with `worker_died`; the others are read."""
    deadly = {"deadly.png": PICTURES["0.png"] + killers.DEADLY}
    content = iter((PICTURES | deadly | {"last.png": PICTURES["3.png"]}).items())
    found = {row["path"]: row for row in rows_alone(content, classifier, 0.6, False, killers.die)}
    assert found["deadly.png"]["error"] == "worker_died"
    expected = {name: each.get("digit") for name, each in found.items()}
    assert expected == {"0.png": 0, "3.png": 3, "7.png": 7, "deadly.png": None, "last.png": 3}


def test_a_part_that_fails_is_named_and_tried_again(
    pictures: Path, tmp_path: Path, classifier: Classifier
) -> None:
    """A part whose source is gone is reported, the others are written, and the next run writes it."""
    _zip(tmp_path / "scans.zip")
    out = tmp_path / "out"
    words = ("--no-cluster", "--retries", 0, "--part", 2, tmp_path / "scans.zip", out)
    run.prepare(str(tmp_path / "scans.zip"), str(out), part=2)
    (tmp_path / "scans.zip").rename(tmp_path / "away.zip")
    done = bulk(*words)
    assert done.exit_code == 3, done.output
    assert "part 0: FileNotFoundError" in done.stderr
    assert not (out / "summary.json").exists()
    (tmp_path / "away.zip").rename(tmp_path / "scans.zip")
    assert bulk(*words).exit_code == 0
    assert len(rows(out)) == len(ALL)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A run's folder whose parts lie on a disk of 64 kB."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small disk")
    disk = tmp_path / "out" / "parts"
    disk.mkdir(parents=True)
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(disk)]
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("a small disk cannot be mounted here")
    try:
        yield disk
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_a_full_disk_ends_a_run_clearly(pictures: Path, small_disk: Path) -> None:
    """When the disk is full, one line says so, nothing half-written stays, and with room the run goes on."""
    (small_disk / "filler").write_bytes(b"x" * 61_440)  # 4 kB are left
    words = ("--no-cluster", "--part", 1, pictures, small_disk.parent)
    done = bulk(*words)
    assert done.exit_code == 1, done.output
    assert "is full; what is done is kept" in done.stderr
    (small_disk / "filler").unlink()
    assert len(rows(small_disk.parent)) == len([*small_disk.iterdir()]) < len(ALL)
    assert bulk(*words).exit_code == 0
    assert len(rows(small_disk.parent)) == len(ALL)


def test_a_stopped_run_finishes_what_it_began(pictures: Path, tmp_path: Path) -> None:
    """After the first Ctrl-C no further part is begun, and the one in progress is written."""
    job = run.prepare(str(pictures), str(tmp_path / "out"), part=1)
    stop = threading.Event()
    numbers = []
    for done in in_this_process(job, range(job.parts), stop):
        numbers.append(done.number)
        stop.set()
    assert numbers == [0]
    assert Store(str(tmp_path / "out")).parts() == {0}


def test_a_worker_of_another_version_ends_the_run(pictures: Path, tmp_path: Path) -> None:
    """It may prepare pictures in another way: nothing of it is kept, and the message has both versions."""
    job = run.prepare(str(pictures), str(tmp_path / "out"), part=1)
    other = dataclasses.replace(job, settings=dataclasses.replace(job.settings, version="0.0.1"))
    with pytest.raises(
        EngineError, match=rf"it has Digitre {re.escape(__version__)}, and the run 0\.0\.1"
    ):
        list(in_this_process(other, range(job.parts), threading.Event()))
    assert Store(str(tmp_path / "out")).parts() == set()


@pytest.mark.slow
def test_a_cluster_writes_what_one_process_writes(pictures: Path, tmp_path: Path) -> None:
    """Two worker processes write the same rows as one process without Dask."""
    one, two = tmp_path / "one", tmp_path / "two"
    assert bulk("--no-cluster", "--part", 1, pictures, one).exit_code == 0
    subprocess.run(
        [
            sys.executable,
            "-m",
            "digitre",
            "bulk",
            "--workers",
            "2",
            "--part",
            "1",
            str(pictures),
            str(two),
        ],
        check=True,
    )
    assert rows(two) == rows(one)
