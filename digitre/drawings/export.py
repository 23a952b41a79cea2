"""Drawings as a folder of PNGs with a CSV table, and copies from one database to another."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from itertools import islice
from pathlib import Path

from PIL import Image
from PIL.Image import DecompressionBombError

from digitre import files
from digitre.drawings.collection import Drawings
from digitre.drawings.drawing import STATUSES, Drawing, Filter, digest, label_name, stored_size
from digitre.recognition.classifier import NO_DIGIT

BATCH = 200  # drawings in one transaction
TABLE = "drawings.csv"
COLUMNS = (
    "id",
    "made",
    "label",
    "status",
    "writer",
    "read_as",
    "confidence",
    "not_a_digit",
    "model",
    "strokes",
    "held_out",
)
NEW_COLUMNS = {"held_out"}  # earlier exports lack them

_ID = re.compile("[0-9a-f]{32}")
_LABEL = re.compile("[0-9]|none")


class ImportFileError(ValueError):
    """A line of an export that is not a valid drawing. The message has its number."""


def write_folder(
    collection: Drawings, filter: Filter, folder: Path, *, replace: bool = False
) -> Iterator[Drawing]:
    """Write drawings as <folder>/<label>/<id>.png, and all their other fields to `drawings.csv`.

    The table appears when everything is written. If an export is interrupted, there is no table, or
    still the one of the export before.

    Args:
        replace: replace an earlier export. When the new one is complete, pictures that only the old
            table lists are removed.

    Yields:
        each drawing once it is written.

    Raises:
        FileExistsError: if there is an export already and `replace` is False.
        UnavailableError, OSError.
    """
    folder.mkdir(parents=True, exist_ok=True)
    before = _listed(folder)
    if before is not None and not replace:
        raise FileExistsError(f"{folder} holds an export: use another folder, or --replace")
    pictures = set()
    with (
        files.replacing(folder / TABLE) as new,
        new.open("w", newline="", encoding="utf-8") as file,
    ):
        table = csv.writer(file)
        table.writerow(COLUMNS)
        for drawing in collection.select(filter):
            picture = folder / label_name(drawing.label) / f"{drawing.id}.png"
            picture.parent.mkdir(exist_ok=True)
            picture.write_bytes(drawing.pixels)
            values = vars(drawing) | {
                "made": drawing.made.isoformat(),
                "label": label_name(drawing.label),
                "held_out": "" if drawing.held_out is None else int(drawing.held_out),
                "strokes": "" if drawing.strokes is None else json.dumps(drawing.strokes),
            }
            table.writerow([values[name] for name in COLUMNS])
            pictures.add(picture)
            yield drawing
    for old in (before or set()) - pictures:
        old.unlink(missing_ok=True)


def _listed(folder: Path) -> set[Path] | None:
    """The pictures that a folder's table lists, or None if it has no table."""
    try:
        with _table(folder) as table:
            return {
                folder / line["label"] / f"{line['id']}.png"
                for line in table
                if _ID.fullmatch(line["id"] or "") and _LABEL.fullmatch(line["label"] or "")
            }
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, csv.Error):
        return set()  # some other table: leave alone what it lists


@contextmanager
def _table(folder: Path) -> Iterator[csv.DictReader]:
    csv.field_size_limit(10_000_000)  # strokes can have many points
    with (folder / TABLE).open(newline="", encoding="utf-8") as file:
        yield csv.DictReader(file)


def read_folder(folder: Path) -> Iterator[Drawing]:
    """The drawings of an export.

    Raises:
        FileNotFoundError: if the folder has no `drawings.csv`.
        ImportFileError: for a line that is not a valid drawing.
    """
    with _table(folder) as table:
        try:
            if missing := set(COLUMNS) - NEW_COLUMNS - set(table.fieldnames or ()):
                raise ImportFileError(f"{TABLE} has no column {', '.join(sorted(missing))}")
            for values in table:
                yield _drawing(values, folder)
        except ImportFileError:
            raise
        except (
            ValueError,
            KeyError,
            TypeError,
            OSError,
            csv.Error,
            DecompressionBombError,
        ) as error:
            raise ImportFileError(f"{TABLE}, line {table.line_num}: {error}") from None


def _drawing(values: dict[str, str], folder: Path) -> Drawing:
    """A line of the table, and its PNG, as a drawing."""
    if not _ID.fullmatch(values["id"]):
        raise ValueError(f"{values['id']!r} is not an id")
    if not _LABEL.fullmatch(values["label"]):
        raise ValueError(f"{values['label']!r} is not a label")
    if values["status"] not in STATUSES:
        raise ValueError(f"{values['status']!r} is not a status")
    pixels = (folder / values["label"] / f"{values['id']}.png").read_bytes()
    with Image.open(io.BytesIO(pixels), formats=["PNG"]) as picture:
        picture.load()
        if picture.mode != "L":
            raise ValueError("the picture is not grey")
    strokes = json.loads(values["strokes"]) if values["strokes"] else None
    return Drawing(
        id=values["id"],
        made=datetime.fromisoformat(values["made"]),
        label=NO_DIGIT if values["label"] == "none" else int(values["label"]),
        writer=values["writer"],
        pixels=pixels,
        picture=digest(pixels),
        strokes=strokes,
        size=stored_size(pixels, strokes),
        status=values["status"],
        read_as=int(values["read_as"]),
        confidence=float(values["confidence"]),
        not_a_digit=float(values["not_a_digit"]),
        model=values["model"],
        held_out=bool(int(held_out)) if (held_out := values.get("held_out")) else None,
    )


def store(
    collection: Drawings, drawings: Iterator[Drawing], *, replace: bool = False
) -> Iterator[tuple[int, int]]:
    """Store drawings in batches. If it is interrupted, call it again with the same drawings.

    Args:
        replace: overwrite drawings that are there already, instead of keeping them.

    Yields:
        after each batch, how many of its drawings were new, and how many it had.

    Raises:
        UnavailableError.
    """
    for batch in _batches(drawings):
        yield collection.insert(batch, replace=replace), len(batch)


def _batches(drawings: Iterator[Drawing]) -> Iterator[list[Drawing]]:
    while batch := list(islice(drawings, BATCH)):
        yield batch


def copy(source: Drawings, target: Drawings, progress: Callable[[int], None]) -> int:
    """Copy all drawings from one database to another.

    Args:
        progress: called after each batch with the number of its drawings.

    Returns:
        How many of them the target did not have.

    Raises:
        UnavailableError.
    """
    total = 0
    for new, count in store(target, source.select(), replace=True):
        total += new
        progress(count)
    return total


def missing(source: Drawings, target: Drawings) -> list[str]:
    """The ids of drawings that the target lacks, or has with another content.

    An empty list proves a complete copy. Raises `UnavailableError`.
    """
    ids = []
    for batch in _batches(source.select()):
        copies = {each.id: each for each in target.select(Filter(ids=[each.id for each in batch]))}
        ids += [each.id for each in batch if copies.get(each.id) != each]
    return ids
