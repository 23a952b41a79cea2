"""`digitre drawings`: list, review, export, import, copy and delete saved drawings."""

from __future__ import annotations

import csv
import json
import struct
import subprocess
import sys
import time
import zlib
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result
from conftest import data_url, png
from strokes import DIGITS, OTHERS, drawn

from digitre import Classifier, create_app
from digitre.cli import main
from digitre.drawings import export
from digitre.drawings.collection import Drawings, Limits, UnavailableError
from digitre.drawings.drawing import Drawing, Filter

# Drawings with their label and writer. The network agrees with the first three labels; the third is not
# accepted unseen, because it is said not to be a digit.
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
    """Save the drawings through the API. Returns their ids by label and writer."""
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
    """Runs `digitre drawings` with this database."""
    monkeypatch.setenv("DIGITRE_DATABASE_URL", database)
    monkeypatch.setenv("DIGITRE_INSTANCE", str(tmp_path / "instance"))

    def run(*words: str, expect: int = 0, **more) -> Result:
        result = CliRunner().invoke(main, ["drawings", *words], **more)
        assert result.exit_code == expect, result.output
        return result

    return run


def list_json(digitre, *words: str) -> list[dict]:
    return [json.loads(line) for line in digitre("list", "--json", *words).output.splitlines()]


def all_drawings(database: str) -> dict[str, Drawing]:
    return {drawing.id: drawing for drawing in Drawings(database).select()}


def test_list(digitre, saved) -> None:
    """Every field but the pixels is listed. A picture that several writers agree on comes first."""
    rows = list_json(digitre)
    assert len(rows) == 6
    assert {row["id"] for row in rows[:2]} == {saved[1, "bob"], saved[1, "cyd"]}
    assert rows[0]["agreeing"] == 2
    assert (rows[0]["label"], rows[0]["said"], rows[0]["status"]) == ("1", "7", "pending")
    assert "pixels" not in rows[0]
    assert "label 1" in digitre("list", "--limit", "1").output


@pytest.mark.parametrize(
    ("words", "count"),
    [
        (("--status", "accepted"), 2),
        (("--status", "pending"), 4),
        (("--writer", "ann"), 2),
        (("--label", "none"), 1),
        (("--label", "1", "--writer", "cyd"), 1),
        (("--disagree",), 3),
        (("--limit", "2"), 2),
        (("--writer", "nemo"), 0),
    ],
)
def test_filters(digitre, saved, words, count: int) -> None:
    """Each filter chooses the drawings that its help promises."""
    assert len(list_json(digitre, *words)) == count


def test_show(digitre, saved, tmp_path: Path) -> None:
    """One drawing is shown as text with its picture, as JSON with its strokes, or written as a PNG."""
    id = saved[7, "ann"]
    text = digitre("show", id, "--png", str(tmp_path / "seven.png")).output
    assert "█" in text
    assert "accepted" in text
    assert (tmp_path / "seven.png").read_bytes().startswith(b"\x89PNG")
    assert json.loads(digitre("show", id, "--json").output)["strokes"]
    assert "no such drawing" in digitre("show", "0" * 32, expect=1).output


def test_accept_reject_relabel(digitre, saved, database: str) -> None:
    """Drawings are accepted, rejected and relabelled, by id or by filter."""
    assert digitre("accept", saved[9, ""]).output == "1 accepted\n"
    assert digitre("reject", "--label", "1").output == "2 rejected\n"
    digitre("relabel", saved[1, "cyd"], "7")
    status = {id: (each.status, each.label) for id, each in all_drawings(database).items()}
    assert status[saved[9, ""]] == ("accepted", 9)
    assert status[saved[1, "bob"]] == ("rejected", 1)
    assert status[saved[1, "cyd"]] == ("accepted", 7)
    assert "no such drawing" in digitre("accept", "0" * 32, expect=1).output
    assert "Say which" in digitre("accept", expect=2).output
    assert "use 0 to 9" in digitre("relabel", saved[1, "cyd"], "seven", expect=2).output


def test_delete(digitre, saved, database: str) -> None:
    """Drawings are deleted for good, after a question, or without one with --yes."""
    assert "Aborted" in digitre("delete", "--writer", "ann", input="n\n", expect=1).output
    assert Drawings(database).count() == 6
    digitre("delete", "--writer", "ann", input="y\n")
    digitre("delete", "--yes", saved[9, ""])
    assert Drawings(database).count() == 3
    assert "Say which" in digitre("delete", "--yes", expect=2).output


def test_stats(digitre, saved) -> None:
    """The numbers are right, as JSON and as text."""
    stats = json.loads(digitre("stats", "--json").output)
    assert (stats["drawings"], stats["writers"], stats["disagree"]) == (6, 4, 3)
    assert stats["status"] == {"pending": 4, "accepted": 2, "rejected": 0}
    assert (stats["label"]["1"], stats["label"]["none"]) == (2, 1)
    assert "pending 4" in digitre("stats").output


def test_export_and_import(digitre, saved, database: str, tmp_path: Path) -> None:
    """An export has a PNG per drawing and a table. Importing it gives the same drawings."""
    before = all_drawings(database)
    folder = tmp_path / "out"
    assert "6 written" in digitre("export", str(folder)).output
    assert (folder / "7" / f"{saved[7, 'ann']}.png").is_file()
    assert (folder / "none" / f"{saved['none', 'bob']}.png").is_file()
    with (folder / "drawings.csv").open() as file:
        assert len(list(csv.DictReader(file))) == 6
    digitre("delete", "--yes", *saved.values())
    digitre("import", str(folder))
    assert all_drawings(database) == before
    assert "0 stored, 6 were here" in digitre("import", str(folder)).output
    assert "3 written" in digitre("export", str(tmp_path / "some"), "--disagree").output


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("old", "new"),
    [("accepted", "wonderful"), (",7,", ",seven,"), ("2026", "year"), (",7,", ",8,")],
)
def test_importing_a_bad_line(digitre, saved, tmp_path: Path, old: str, new: str) -> None:
    """The message has the number of a line that is not a drawing."""
    folder = tmp_path / "out"
    digitre("export", str(folder), saved[7, "ann"])
    table = folder / "drawings.csv"
    text = table.read_text()
    if old == "2026":
        old = text.split(",")[10].split("\n")[-1] or text.splitlines()[1].split(",")[1]
    table.write_text(text.replace(old, new, 1))
    assert "line 2" in digitre("import", str(folder), expect=1).output


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_importing_damaged_files(digitre, saved, tmp_path: Path) -> None:
    """A table in another encoding, or a picture with a huge size in its header, gives one line."""
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
    """Drawings are copied from SQLite to PostgreSQL and back; an interrupted copy continues."""
    from databases import emptied

    other = emptied(postgres)
    assert Drawings(other).insert(list(Drawings(database).select())[:2]) == 2
    output = digitre("copy", "--from", database, "--to", other).output
    assert "4 copied; all 6 are there" in output
    back = f"sqlite:///{tmp_path / 'back.sqlite3'}"
    assert "6 copied; all 6" in digitre("copy", "--from", other, "--to", back).output
    Drawings(back).judge(Filter(label=9), "rejected")
    assert export.missing(Drawings(database), Drawings(back)) == [saved[9, ""]]


@pytest.mark.slow
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_copy_that_was_killed(digitre, saved, database: str, tmp_path: Path) -> None:
    """After a copy of thousands is killed half-way, a second one completes it."""
    store = Drawings(database)
    seven = store.find(saved[7, "ann"])
    assert seven is not None
    for start in range(0, 6000, 500):
        store.insert([replace(seven, id=f"{k:032x}") for k in range(start, start + 500)])
    target = f"sqlite:///{tmp_path / 'target.sqlite3'}"
    words = ["drawings", "copy", "--from", database, "--to", target]
    process = subprocess.Popen([sys.executable, "-m", "digitre", *words], stdout=subprocess.DEVNULL)
    copied = 0
    while process.poll() is None and not copied:
        try:
            copied = Drawings(target).count()
        except UnavailableError:
            continue
    process.kill()
    process.wait()
    assert copied > 0
    digitre(*words[1:])
    assert Drawings(target).count() == 6006


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_an_unusable_database(digitre, database: str, tmp_path: Path) -> None:
    """Every command prints one line and exits with 1."""
    for url in (f"postgresql+psycopg://nemo@/none?host={tmp_path}", "no address"):
        for words in (["list"], ["stats"], ["export", str(tmp_path / "out")], ["review"]):
            result = digitre(*words, "--database", url, expect=1)
            assert result.output.startswith("Error: ")
            assert "Traceback" not in result.output


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_exporting_again(digitre, saved, tmp_path: Path) -> None:
    """An export replaces an earlier one only with --replace. Other files in its folder stay."""
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
        assert "holds an export" in digitre("export", str(folder), *words, expect=1).output
        assert (folder / "drawings.csv").read_bytes() == table
    digitre("export", str(folder), "--replace")
    assert not (folder / "1" / f"{saved[1, 'bob']}.png").exists()
    assert (folder / "7" / f"{saved[1, 'bob']}.png").exists()
    assert not list((folder / "3").iterdir())
    assert all(file.read_bytes() == b"mine" for file in mine)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_exporting_a_missing_database(digitre, saved, database: str, tmp_path: Path) -> None:
    """If the database is missing, the backup stays, and no database is made."""
    folder = tmp_path / "out"
    digitre("export", str(folder))
    file = Path(database.removeprefix("sqlite:///"))
    file.unlink()
    assert "no database" in digitre("export", str(folder), "--replace", expect=1).output
    assert len(list(folder.glob("*/*.png"))) == 6
    assert not file.exists()


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_copying_again_and_from_a_missing_database(
    digitre, saved, database: str, tmp_path: Path
) -> None:
    """A second copy has the reviews made since. A missing source is an error, not an empty one."""
    target = f"sqlite:///{tmp_path / 'target.sqlite3'}"
    digitre("copy", "--from", database, "--to", target)
    digitre("relabel", saved[1, "bob"], "7")
    assert "0 copied; all 6" in digitre("copy", "--from", database, "--to", target).output
    assert all_drawings(target)[saved[1, "bob"]].label == 7
    nowhere = f"sqlite:///{tmp_path / 'typo' / 'x.sqlite3'}"
    assert "no database" in digitre("copy", "--from", nowhere, "--to", target, expect=1).output
    assert not (tmp_path / "typo").exists()


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_reviewing_many_that_are_alike(classifier: Classifier, database: str) -> None:
    """Ten times as many drawings take about ten times as long to review, and saving goes on meanwhile."""
    reading = classifier.read(png(drawn(DIGITS[7])))
    seven = Drawing.new(7, "ann", png(drawn(DIGITS[7])), None, reading)
    store, other = Drawings(database), Drawings(database, patience=0.2)

    def fill(start: int, end: int) -> None:
        numbers = range(start, end)
        store.insert([replace(seven, id=f"{k:032x}", writer=f"w{k}") for k in numbers])

    def seconds() -> float:
        began = time.perf_counter()
        (_, agreeing), *_ = store.for_review(Filter(), 50)
        assert agreeing == store.count()
        return time.perf_counter() - began

    fill(0, 600)
    few = min(seconds() for _ in range(3))
    for start in range(600, 6000, 600):
        fill(start, start + 600)
    assert seconds() < 30 * few
    with store.database.begin() as connection:  # as a review that takes its time
        assert connection.scalar(sa.text("SELECT count(*) FROM drawings")) == 6000
        assert other.save(replace(seven, id="f" * 32), Limits(10, 10_000, 10**9))
