"""`digitre drawings`: what was saved is listed, judged, exported, imported, copied and deleted."""

from __future__ import annotations

import csv
import json
import sqlite3
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from conftest import data_url, png
from strokes import DIGITS, OTHERS, drawn

from digitre import create_app
from digitre.cli import main
from digitre.drawings import export
from digitre.drawings.collection import Drawings, UnavailableError, Wanted

# Who says what of which drawing; the network agrees with the first three.
SAVED = [
    (DIGITS[7], 7, "ann"),
    (DIGITS[3], 3, "ann"),
    (OTHERS["scribble"], "none", "bob"),
    (DIGITS[7], 1, "bob"),
    (DIGITS[7], 1, "cyd"),
    (DIGITS[4], 9, ""),
]


@pytest.fixture
def saved(database: str, tmp_path: Path) -> dict[tuple, str]:
    """The drawings' ids by their label and writer, saved through the API."""
    app = create_app({"TESTING": True, "DATABASE_URL": database, "INSTANCE": tmp_path / "instance"})
    client = app.test_client()
    ids = {}
    for drawing, label, writer in SAVED:
        body = {"digit": data_url(png(drawn(drawing))), "label": label}
        strokes = [[[int(x), int(y), 0] for x, y in stroke] for stroke in drawing]
        more = {"writer": writer, "strokes": strokes} if writer else {}
        response = client.post("/_save_drawing", json=body | more)
        assert response.status_code == 201
        ids[label, writer] = response.get_json()["id"]
    return ids


@pytest.fixture
def digitre(database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The command line, with this database."""
    monkeypatch.setenv("DIGITRE_DATABASE_URL", database)
    monkeypatch.setenv("DIGITRE_INSTANCE", str(tmp_path / "instance"))

    def run(*words: str, expect: int = 0, **more) -> Result:
        result = CliRunner().invoke(main, ["drawings", *words], **more)
        assert result.exit_code == expect, result.output
        return result

    return run


def listed(digitre, *words: str) -> list[dict]:
    return [json.loads(line) for line in digitre("list", "--json", *words).output.splitlines()]


def test_list(digitre, saved) -> None:
    """All that is known but the pixels; what several writers say of one picture comes first."""
    rows = listed(digitre)
    assert len(rows) == 6
    assert {row["id"] for row in rows[:2]} == {saved[1, "bob"], saved[1, "cyd"]}
    assert rows[0]["agreeing"] == 2
    assert (rows[0]["label"], rows[0]["said"], rows[0]["status"]) == ("1", "7", "pending")
    assert "pixels" not in rows[0]
    assert "is 1" in digitre("list", "--limit", "1").output


@pytest.mark.parametrize(
    ("words", "count"),
    [
        (("--status", "accepted"), 3),
        (("--status", "pending"), 3),
        (("--writer", "ann"), 2),
        (("--label", "none"), 1),
        (("--label", "1", "--writer", "cyd"), 1),
        (("--disagree",), 3),
        (("--limit", "2"), 2),
        (("--writer", "nobody"), 0),
    ],
)
def test_filters(digitre, saved, words, count: int) -> None:
    """Each filter leaves those that it says."""
    assert len(listed(digitre, *words)) == count


def test_show(digitre, saved, tmp_path: Path) -> None:
    """One drawing, as text with its picture, as JSON with its strokes, as a PNG."""
    id = saved[7, "ann"]
    text = digitre("show", id, "--png", str(tmp_path / "seven.png")).output
    assert "█" in text
    assert "accepted" in text
    assert (tmp_path / "seven.png").read_bytes().startswith(b"\x89PNG")
    assert json.loads(digitre("show", id, "--json").output)["strokes"]
    assert "no drawing" in digitre("show", "0" * 32, expect=1).output


def test_judging(digitre, saved, database: str) -> None:
    """Accepting, rejecting and giving another label, by id or by filter."""
    store = Drawings(database)
    assert digitre("accept", saved[9, ""]).output == "1 accepted\n"
    assert digitre("reject", "--label", "1").output == "2 rejected\n"
    digitre("relabel", saved[1, "cyd"], "7")
    status = {id: (row["status"], row["label"]) for id in saved.values() if (row := store.find(id))}
    assert status[saved[9, ""]] == ("accepted", 9)
    assert status[saved[1, "bob"]] == ("rejected", 1)
    assert status[saved[1, "cyd"]] == ("accepted", 7)
    assert "not there" in digitre("accept", "0" * 32, expect=1).output
    assert "say which" in digitre("accept", expect=2).output
    assert "none of 0 to 9" in digitre("relabel", saved[1, "cyd"], "seven", expect=2).output


def test_delete(digitre, saved, database: str) -> None:
    """For good, after a question, or without one where --yes says so."""
    assert "Aborted" in digitre("delete", "--writer", "ann", input="n\n", expect=1).output
    assert Drawings(database).count() == 6
    digitre("delete", "--writer", "ann", input="y\n")
    digitre("delete", "--yes", saved[9, ""])
    assert Drawings(database).count() == 3
    assert "say which" in digitre("delete", "--yes", expect=2).output


def test_stats(digitre, saved) -> None:
    """How many of what."""
    found = json.loads(digitre("stats", "--json").output)
    assert (found["drawings"], found["writers"], found["disagree"]) == (6, 4, 3)
    assert found["status"] == {"pending": 3, "accepted": 3, "rejected": 0}
    assert (found["label"]["1"], found["label"]["none"]) == (2, 1)
    assert "pending 3" in digitre("stats").output


def test_export_and_import(digitre, saved, database: str, tmp_path: Path) -> None:
    """A folder of PNGs by label and a table; reading it back gives the same drawings."""
    before = {row["id"]: export.digest(row) for row in Drawings(database).rows()}
    folder = tmp_path / "out"
    assert "6 written" in digitre("export", str(folder)).output
    assert (folder / "7" / f"{saved[7, 'ann']}.png").is_file()
    assert (folder / "none" / f"{saved['none', 'bob']}.png").is_file()
    with (folder / "drawings.csv").open() as file:
        assert len(list(csv.DictReader(file))) == 6
    digitre("delete", "--yes", *saved.values())
    digitre("import", str(folder))
    after = {row["id"]: export.digest(row) for row in Drawings(database).rows()}
    assert after == before
    assert "0 stored, 6 were here" in digitre("import", str(folder)).output
    assert "3 written" in digitre("export", str(tmp_path / "some"), "--disagree").output


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("old", "new"),
    [("accepted", "wonderful"), (",7,", ",seven,"), ("2026", "year"), (",7,", ",8,")],
)
def test_an_import_that_cannot_be(digitre, saved, tmp_path: Path, old: str, new: str) -> None:
    """A line that is no drawing is named, and what came before it is there."""
    folder = tmp_path / "out"
    digitre("export", str(folder), saved[7, "ann"])
    table = folder / "drawings.csv"
    text = table.read_text()
    if old == "2026":
        old = text.split(",")[10].split("\n")[-1] or text.splitlines()[1].split(",")[1]
    table.write_text(text.replace(old, new, 1))
    assert "line 2" in digitre("import", str(folder), expect=1).output


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_an_import_of_damaged_files(digitre, saved, tmp_path: Path) -> None:
    """A table in another encoding, a picture that claims to be immense: a line says so."""
    folder = tmp_path / "out"
    digitre("export", str(folder), saved[7, "ann"])
    table = folder / "drawings.csv"
    text = table.read_text()
    table.write_bytes(text.replace(",ann,", ",ánn,").encode("latin-1"))
    assert "utf-8" in digitre("import", str(folder), expect=1).output
    table.write_text(text)
    header = struct.pack(">4sIIBBBBB", b"IHDR", 60_000, 60_000, 8, 0, 0, 0, 0)
    picture = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + header
    picture += struct.pack(">I", zlib.crc32(header))
    (folder / "7" / f"{saved[7, 'ann']}.png").write_bytes(picture)
    assert "line 2" in digitre("import", str(folder), expect=1).output


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_copy(digitre, saved, database: str, postgres: str, tmp_path: Path) -> None:
    """From one kind of database to the other and back: all of it, goes on where it stopped, proved."""
    from databases import emptied

    other = emptied(postgres)
    assert Drawings(other).insert(list(Drawings(database).rows())[:2]) == 2
    said = digitre("copy", "--from", database, "--to", other).output
    assert "4 copied; all 6 are there" in said
    back = f"sqlite:///{tmp_path / 'back.sqlite3'}"
    assert "6 copied; all 6" in digitre("copy", "--from", other, "--to", back).output
    Drawings(back).judge(Wanted(label=9), "rejected")
    assert export.missing(Drawings(database), Drawings(back)) == [saved[9, ""]]


@pytest.mark.slow
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_copy_that_was_killed_goes_on(digitre, saved, database: str, tmp_path: Path) -> None:
    """Killed half-way through thousands, a second call ends with every one of them there."""
    store = Drawings(database)
    row = store.find(saved[7, "ann"])
    assert row is not None
    for start in range(0, 6000, 500):
        store.insert([row | {"id": f"{k:032x}"} for k in range(start, start + 500)])
    target = f"sqlite:///{tmp_path / 'target.sqlite3'}"
    words = ["drawings", "copy", "--from", database, "--to", target]
    process = subprocess.Popen([sys.executable, "-m", "digitre", *words], stdout=subprocess.DEVNULL)
    there = 0
    while process.poll() is None and not there:
        try:
            there = Drawings(target).count()
        except UnavailableError:
            continue
    process.kill()
    process.wait()
    assert there > 0
    digitre(*words[1:])
    assert Drawings(target).count() == 6006


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_drawings_of_an_older_digitre_stay(saved, database: str) -> None:
    """A database without the newest column gets it, its drawings unharmed."""
    store = Drawings(database)
    before = {row["id"]: export.digest(row) for row in store.rows()}
    file = database.removeprefix("sqlite:///")
    with sqlite3.connect(file) as connection:
        connection.execute("DROP INDEX drawings_by_picture")
        connection.execute("ALTER TABLE drawings DROP COLUMN picture")
        connection.execute("UPDATE alembic_version SET version_num = '0001'")
    connection.close()
    assert {row["id"]: export.digest(row) for row in Drawings(database).rows()} == before


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_drawings_of_a_newer_digitre(saved, database: str) -> None:
    """A database that this version does not know is left alone, and said to be so."""
    file = database.removeprefix("sqlite:///")
    with sqlite3.connect(file) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    with pytest.raises(UnavailableError, match="9999"):
        Drawings(database).count()


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_database_that_cannot_be_used(digitre, database: str, tmp_path: Path) -> None:
    """One line and exit status 1, whatever is asked."""
    for url in (f"postgresql+psycopg://nobody@/none?host={tmp_path}", "no address"):
        for words in (["list"], ["stats"], ["export", str(tmp_path / "out")], ["review"]):
            result = digitre(*words, "--database", url, expect=1)
            assert result.output.startswith("Error: ")
            assert "Traceback" not in result.output


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_an_export_again(digitre, saved, tmp_path: Path) -> None:
    """Over an earlier one only by --replace: then the folder is what the database is, and every file
    that no export wrote stays.
    """
    folder = tmp_path / "out"
    digitre("export", str(folder))
    table = (folder / "drawings.csv").read_bytes()
    mine = [folder / "7" / "mine.png", folder / "album" / f"{'d' * 32}.png"]
    for file in mine:
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(b"mine")
    digitre("relabel", saved[1, "bob"], "7")
    digitre("delete", "--yes", saved[3, "ann"])
    for words in ([], ["--status", "accepted"]):
        refused = digitre("export", str(folder), *words, expect=1).output
        assert "holds an export" in refused
        assert (folder / "drawings.csv").read_bytes() == table
    digitre("export", str(folder), "--replace")
    assert not (folder / "1" / f"{saved[1, 'bob']}.png").exists()
    assert (folder / "7" / f"{saved[1, 'bob']}.png").exists()
    assert not list((folder / "3").iterdir())
    assert all(file.read_bytes() == b"mine" for file in mine)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_an_export_of_a_lost_database(digitre, saved, database: str, tmp_path: Path) -> None:
    """A database that is not there is no empty one: the backup stays, and nothing is made."""
    folder = tmp_path / "out"
    digitre("export", str(folder))
    file = Path(database.removeprefix("sqlite:///"))
    file.unlink()
    assert "no database" in digitre("export", str(folder), "--replace", expect=1).output
    assert len(list(folder.glob("*/*.png"))) == 6
    assert not file.exists()


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_copying_again_and_from_nowhere(digitre, saved, database: str, tmp_path: Path) -> None:
    """What was judged since is copied anew; a source that is not there is no empty one."""
    target = f"sqlite:///{tmp_path / 'target.sqlite3'}"
    digitre("copy", "--from", database, "--to", target)
    digitre("relabel", saved[1, "bob"], "7")
    assert "0 copied; all 6" in digitre("copy", "--from", database, "--to", target).output
    row = Drawings(target).find(saved[1, "bob"])
    assert row is not None
    assert row["label"] == 7
    nowhere = f"sqlite:///{tmp_path / 'typo' / 'x.sqlite3'}"
    assert "no database" in digitre("copy", "--from", nowhere, "--to", target, expect=1).output
    assert not (tmp_path / "typo").exists()
