"""Drawings as files, and from one database to another."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any

from PIL import Image
from PIL.Image import DecompressionBombError

from digitre.drawings.collection import STATUSES, Drawings, Wanted, named
from digitre.recognition.classifier import NO_DIGIT

BATCH = 200
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
)

_ID = re.compile("[0-9a-f]{32}")
_LABEL = re.compile("[0-9]|none")
Row = dict[str, Any]


class ImportFileError(ValueError):
    """A row of an export that cannot be a drawing, with its line."""


def write_folder(
    collection: Drawings, wanted: Wanted, folder: Path, *, replace: bool = False
) -> Iterator[Row]:
    """Write drawings as <folder>/<label>/<id>.png, and `drawings.csv` with all else.

    The table is written beside and renamed when all is written: an export that was broken off has
    none, or still the one before.

    Args:
        replace: whether an export that is there already gives way: once this one is whole, the
            pictures that its table names and this one does not are removed.

    Yields:
        each drawing once it is written.

    Raises:
        FileExistsError: where an export is there that may not be replaced.
        UnavailableError, OSError.
    """
    folder.mkdir(parents=True, exist_ok=True)
    before = _listed(folder)
    if before is not None and not replace:
        raise FileExistsError(f"{folder} holds an export: name another folder, or --replace it")
    written = set()
    new = folder / f"{TABLE}.new"
    with new.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(COLUMNS)
        for row in collection.rows(wanted):
            picture = folder / named(row["label"]) / f"{row['id']}.png"
            picture.parent.mkdir(exist_ok=True)
            picture.write_bytes(row["pixels"])
            strokes = "" if row["strokes"] is None else json.dumps(row["strokes"])
            values = row | {
                "made": row["made"].isoformat(),
                "label": named(row["label"]),
                "strokes": strokes,
            }
            table.writerow([values[name] for name in COLUMNS])
            written.add(picture)
            yield row
    os.replace(new, folder / TABLE)
    for old in (before or set()) - written:
        old.unlink(missing_ok=True)


def _listed(folder: Path) -> set[Path] | None:
    """The pictures that a folder's export names, whatever else is there; None where there is none."""
    try:
        with _opened(folder) as table:
            return {
                folder / row["label"] / f"{row['id']}.png"
                for row in table
                if _ID.fullmatch(row["id"] or "") and _LABEL.fullmatch(row["label"] or "")
            }
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, csv.Error):
        return set()  # a table, but none of ours: nothing that it names is touched


@contextmanager
def _opened(folder: Path) -> Iterator[csv.DictReader]:
    csv.field_size_limit(10_000_000)  # strokes of many points
    with (folder / TABLE).open(newline="", encoding="utf-8") as file:
        yield csv.DictReader(file)


def read_folder(folder: Path) -> Iterator[Row]:
    """The drawings of an export, each as a row of the database's table.

    Raises:
        FileNotFoundError: where the folder has no `drawings.csv`.
        ImportFileError: for a line that is no drawing.
    """
    with _opened(folder) as table:
        try:
            if missing := set(COLUMNS) - set(table.fieldnames or ()):
                raise ImportFileError(f"{TABLE} has no column {', '.join(sorted(missing))}")
            for values in table:
                yield _row(values, folder)
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


def _row(values: dict[str, str], folder: Path) -> Row:
    if not _ID.fullmatch(values["id"]):
        raise ValueError(f"{values['id']!r} is no id")
    if not _LABEL.fullmatch(values["label"]):
        raise ValueError(f"{values['label']!r} is no label")
    if values["status"] not in STATUSES:
        raise ValueError(f"{values['status']!r} is no status")
    pixels = (folder / values["label"] / f"{values['id']}.png").read_bytes()
    with Image.open(io.BytesIO(pixels), formats=["PNG"]) as picture:
        picture.load()
        if picture.mode != "L":
            raise ValueError("the picture is not grey")
    strokes = json.loads(values["strokes"]) if values["strokes"] else None
    return {
        "id": values["id"],
        "made": datetime.fromisoformat(values["made"]),
        "label": NO_DIGIT if values["label"] == "none" else int(values["label"]),
        "writer": values["writer"],
        "pixels": pixels,
        "picture": hashlib.sha256(pixels).hexdigest(),
        "strokes": strokes,
        "size": len(pixels) + len(json.dumps(strokes)),
        "status": values["status"],
        "read_as": int(values["read_as"]),
        "confidence": float(values["confidence"]),
        "not_a_digit": float(values["not_a_digit"]),
        "model": values["model"],
    }


def store(
    collection: Drawings, rows: Iterator[Row], *, replace: bool = False
) -> Iterator[tuple[int, int]]:
    """Store drawings, a batch at a time: after each how many were new, and how many it had.

    Doing it again goes on where it was stopped. Those that are there already stay as they are, or
    become as these where `replace` is set. Raises `UnavailableError`.
    """
    for batch in _batches(rows):
        yield collection.insert(batch, replace=replace), len(batch)


def _batches(rows: Iterator[Row]) -> Iterator[list[Row]]:
    while batch := list(islice(rows, BATCH)):
        yield batch


def copy(source: Drawings, target: Drawings, progress: Callable[[int], None]) -> int:
    """Copy all drawings from one database to another; how many were new to it.

    Args:
        progress: called with the number of drawings that a batch had.

    Raises:
        UnavailableError.
    """
    new = 0
    for stored, seen in store(target, source.rows(), replace=True):
        new += stored
        progress(seen)
    return new


def missing(source: Drawings, target: Drawings) -> list[str]:
    """The ids of drawings that the target has not, or has otherwise: empty when all was copied."""
    wrong = []
    for batch in _batches(source.rows()):
        ids = [row["id"] for row in batch]
        there = {row["id"]: digest(row) for row in target.rows(Wanted(ids=ids))}
        wrong += [row["id"] for row in batch if there.get(row["id"]) != digest(row)]
    return wrong


def digest(row: Row) -> str:
    """The SHA-256 of all that is stored of a drawing."""
    values = [[name, row[name]] for name in sorted(row) if name != "pixels"]
    content = json.dumps(values, default=str).encode() + bytes(row["pixels"])
    return hashlib.sha256(content).hexdigest()
