"""An instance folder of an earlier version works with this one, and nothing in it is lost.

`upgrades/` has the drawings of such a folder as SQL, one file for each revision of the tables. The
version of that time saved them; its secret and its receipts are below.
"""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from pathlib import Path

import databases
import pytest
from click.testing import CliRunner
from conftest import assert_error, data_url, png
from strokes import DIGITS, drawn

from digitre import create_app
from digitre.cli import main
from digitre.drawings import migration
from digitre.drawings.collection import Drawings, UnavailableError
from digitre.drawings.drawing import identity
from digitre.serving import preload

DUMPS = Path(__file__).parent / "upgrades"
SECRET = "7f07408d8281ab9737d8c1ef9125b15fca0e676d9a761398dd584dd0607d4968"
RECEIPTS = {
    "dc95273e2691b3c0ac5581385934fbce": "c3471bd218a0241f8e3a631c1951be2f02f6e87e77af56bbcf040a6163cbf8af",
    "4695a5c7b40e957d6eea48009b229544": "5a1aef9251c5b159e96ffe2e34bdf8e20f833eda48a69a7a94786f720bdfd0b6",
    "468e50fc3cf07852dde824fe3045b985": "9615d3bc8428e2f5b17886b64c35f1bac6126d19bd161e324eabe4dd3fa3aadd",
    "358dfca6f23bf5033585f178fe4a4df8": "e4aef7372ee8fb602a374a12b98ff9a6c3d474d476e7c516423248fff7fc74f7",
}
STATISTICS = {
    "drawings": 4,
    "writers": 3,
    "bytes": 1002,
    "disagree": 2,
    "status": {"pending": 1, "accepted": 2, "rejected": 1},
    "label": {str(digit): int(digit in (1, 7, 9)) for digit in range(10)} | {"none": 1},
}


@pytest.fixture(params=["0001", "0002"])
def instance(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """The instance folder of an earlier version."""
    (tmp_path / "secret").write_text(SECRET)
    with closing(sqlite3.connect(tmp_path / "drawings.sqlite3")) as connection:
        connection.executescript((DUMPS / f"{request.param}.sql").read_text())
    yield tmp_path
    databases.close_all()


def rows(instance: Path) -> dict[str, dict]:
    """The table of drawings, by id, without any code of Digitre."""
    with closing(sqlite3.connect(instance / "drawings.sqlite3")) as connection:
        connection.row_factory = sqlite3.Row
        return {row["id"]: dict(row) for row in connection.execute("SELECT * FROM drawings")}


def test_the_drawings_are_there(instance: Path) -> None:
    """Every column has its old value, and pictures get their hash if the old table has none."""
    before = rows(instance)
    url = f"sqlite:///{instance / 'drawings.sqlite3'}"
    drawings = {drawing.id: drawing for drawing in Drawings(url).select()}
    assert drawings.keys() == before.keys() == RECEIPTS.keys()
    after = rows(instance)
    for id, drawing in drawings.items():
        picture = hashlib.sha256(before[id]["pixels"]).hexdigest()
        assert after[id] == before[id] | {"picture": picture, "held_out": None}
        strokes = json.loads(before[id]["strokes"] or "null")
        made = before[id]["made"].replace(" ", "T")
        as_stored = vars(drawing) | {"made": drawing.made.isoformat()}
        assert as_stored == after[id] | {"strokes": strokes, "made": made}
        assert identity(drawing.writer, drawing.label, drawing.pixels) == id


LARGE = 60_000


@pytest.fixture(params=[LARGE])
def large(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """The instance folder of the first version, with many drawings."""
    (tmp_path / "secret").write_text(SECRET)
    with closing(sqlite3.connect(tmp_path / "drawings.sqlite3")) as connection:
        connection.executescript((DUMPS / "0001.sql").read_text())
        connection.execute("DELETE FROM drawings")
        row = ("2026-11-26 00:00:00", 7, "ann", "[[[1,2,3]]]", 9, "pending", 7, 0.5, 0.1, "m")
        values = ((f"{k:032x}", b"pixels %d" % k, *row) for k in range(request.param))
        connection.executemany(
            "INSERT INTO drawings (id, pixels, made, label, writer, strokes, size, status, read_as, "
            "confidence, not_a_digit, model) VALUES (?,?,?,?,?,?,?,?,?,?,?,?)",
            values,
        )
        connection.commit()
    yield tmp_path
    databases.close_all()


def test_a_large_database_is_not_migrated_in_a_request(
    large: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A save gets its 503 and changes nothing, until `digitre drawings migrate`. That one can be
    interrupted, and others save before it is at its end.
    """
    client = create_app({"TESTING": True, "INSTANCE": large}).test_client()
    body = {"digit": data_url(png(drawn(DIGITS[7]))), "label": 7, "writer": "bob"}
    assert_error(client.post("/_save_drawing", json=body), 503, "storage_unavailable")
    assert "picture" not in rows(large)[f"{0:032x}"]
    monkeypatch.setenv("DIGITRE_INSTANCE", str(large))
    batches = []

    def interrupted(*_: object) -> bool:
        batches.append(1)
        if len(batches) > 5:
            raise KeyboardInterrupt
        return False

    with monkeypatch.context() as patched:
        patched.setattr(migration, "is_filled", interrupted)
        assert CliRunner().invoke(main, ["drawings", "migrate"]).exit_code == 1
    some = sum(row["picture"] != "" for row in rows(large).values())
    assert some == 5 * migration.BATCH
    assert client.post("/_save_drawing", json=body).status_code == 201
    result = CliRunner().invoke(main, ["drawings", "migrate"])
    assert (result.exit_code, result.output) == (0, "The database is up to date\n")
    after = rows(large)
    assert len(after) == LARGE + 1
    hashes = {row["picture"] == hashlib.sha256(row["pixels"]).hexdigest() for row in after.values()}
    assert hashes == {True}


@pytest.mark.parametrize("large", [3000], indirect=True)
def test_the_master_migrates_before_there_are_workers(
    large: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It migrates an existing database, makes none, and starts without saving if it cannot."""
    monkeypatch.setenv("DIGITRE_INSTANCE", str(large))
    # A fresh process: `migrate` forks, which one with TensorFlow in it must not.
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as process:
        process.submit(preload.migrate).result()
        assert all(row["picture"] for row in rows(large).values())
        file = large / "drawings.sqlite3"
        file.write_bytes(b"not a database" * 100)
        process.submit(preload.migrate).result()
        file.unlink()
        process.submit(preload.migrate).result()
        assert not file.exists()


def test_the_statistics_are_the_same(instance: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`digitre drawings stats` finds the database in the folder and counts as before."""
    monkeypatch.setenv("DIGITRE_INSTANCE", str(instance))
    result = CliRunner().invoke(main, ["drawings", "stats", "--json"])
    assert json.loads(result.output) == STATISTICS


def test_the_receipts_are_valid(instance: Path) -> None:
    """Each old receipt deletes its drawing and no other. New drawings can be saved."""
    client = create_app({"TESTING": True, "INSTANCE": instance}).test_client()
    ids = list(RECEIPTS)
    for id, other in zip(ids, ids[1:] + ids[:1], strict=True):
        path = f"/_save_drawing/{id}"
        response = client.delete(path, json={"receipt": RECEIPTS[other]})
        assert_error(response, 404, "not_found")
        assert client.delete(path, json={"receipt": RECEIPTS[id]}).status_code == 204
    assert not rows(instance)
    body = {"digit": data_url(png(drawn(DIGITS[7]))), "label": 7, "writer": "ann"}
    assert client.post("/_save_drawing", json=body).status_code == 201
    assert len(rows(instance)) == 1
    assert (instance / "secret").read_text() == SECRET


def test_a_database_of_a_newer_version(instance: Path) -> None:
    """A database with a revision that this version does not know is an error and stays as it is."""
    file = instance / "drawings.sqlite3"
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    before = rows(instance)
    with pytest.raises(UnavailableError, match="9999"):
        Drawings(f"sqlite:///{file}").count()
    assert rows(instance) == before
