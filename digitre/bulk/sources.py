"""Which pictures a source has: a folder, a glob, a list, a table with pictures, tar and zip archives."""

from __future__ import annotations

import csv
import io
import posixpath
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from typing import IO, Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from digitre.bulk import store

# Of the pictures in a folder and in an archive.
SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".avif")
LISTED = (
    "path",
    "file",
    "filename",
    "file_name",
    "image",
    "url",
)  # columns with paths, the first that is there
PICTURE = ("image", "picture", "bytes", "png", "content")  # columns with pictures, likewise


class Entry(NamedTuple):
    """One picture, and where its bytes are.

    Attributes:
        path: its name in the results.
        file: the archive or table that it is in; None if it is a file of its own at `path`.
        at: its offset in a tar, or its row in a Parquet file.
        size: in bytes; None if not known.
    """

    path: str
    file: str | None = None
    at: int | None = None
    size: int | None = None


class SourceError(ValueError):
    """A source that cannot be used. The message says why, and what can."""


def entries(source: str, stdin: IO[str] | None = None) -> Iterator[Entry]:
    """The pictures of a source, in an order that only depends on their names.

    Args:
        source: an address; "-" for a list of paths on standard input, one a line.
        stdin: what to read for "-".

    Raises:
        SourceError: if there is nothing at the address, or it is of no known kind.
        OSError: if it cannot be read.
    """
    if source == "-":
        lines = (line.strip() for line in stdin or sys.stdin)
        yield from (Entry(store.full(line)) for line in lines if line)
        return
    address = store.full(source)
    system, path = store.open_address(address)
    if any(mark in path for mark in "*?["):
        names = sorted(system.glob(path))
        if not names:
            raise SourceError(f"nothing matches {source}")
        for name in names:
            yield from _file(system, system.unstrip_protocol(name), None)
    elif system.isdir(path):
        yield from _folder(system, path)
    elif system.exists(path):
        yield from _file(system, address, None, listed=True)
    else:
        raise SourceError(f"there is nothing at {source}")


def _shown(system: Any, name: str) -> str:
    """The path of a file as results show it: an address, or for a local file its path."""
    return name if store.is_local(system) else system.unstrip_protocol(name)


def _folder(system: Any, root: str) -> Iterator[Entry]:
    """The pictures below a folder, a folder at a time, so that not all names are in memory."""
    for folder, below, files in system.walk(root, detail=True):
        for name in sorted(files):
            if name.lower().endswith(SUFFIXES):
                path = _shown(system, posixpath.join(folder, name))
                yield Entry(path, size=files[name].get("size"))
        # The order in which the walk goes on.
        ordered = sorted(below.items())
        below.clear()
        below.update(ordered)


def _file(system: Any, address: str, size: int | None, *, listed: bool = False) -> Iterator[Entry]:
    """The pictures in one file: itself, or what an archive, a table or a list has."""
    name = address.lower()
    address = address.removeprefix("file://")
    if name.endswith(".parquet"):
        yield from _parquet(address)
    elif name.endswith(".csv") and listed:
        yield from _csv(address)
    elif name.endswith(".tar"):
        yield from _tar(address)
    elif name.endswith(".zip"):
        yield from _zip(address)
    elif name.endswith((".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".tar.zst")):
        raise SourceError(
            f"{address} is compressed as a whole: unpack it to a .tar, or make a .zip"
        )
    elif name.endswith(SUFFIXES):
        yield Entry(address, size=size)
    elif listed:
        raise SourceError(
            f"{address} is no picture, Parquet, CSV, tar or zip: give a folder, or - for a list of paths"
        )


def open_file(address: str) -> Any:
    """A file at an address, opened for reading bytes."""
    system, path = store.open_address(address)
    return system.open(path, "rb")


def _relative(table: str, path: str) -> str:
    """A path in a list is relative to the list."""
    if "://" in path or path.startswith("/"):
        return path
    return posixpath.join(posixpath.dirname(table), path)


def picture_column(schema: pa.Schema) -> str | None:
    """The column of a table that has pictures: bytes, or a struct with `bytes`, as data sets have it."""

    def holds(kind: pa.DataType) -> bool:
        if pa.types.is_struct(kind):
            return any(field.name == "bytes" and holds(field.type) for field in kind)
        return pa.types.is_binary(kind) or pa.types.is_large_binary(kind)

    found = [field.name for field in schema if holds(field.type)]
    return next((name for name in PICTURE if name in found), found[0] if found else None)


def _parquet(address: str) -> Iterator[Entry]:
    with open_file(address) as file:
        table = pq.ParquetFile(file, pre_buffer=False)
        names = [
            field.name
            for field in table.schema_arrow
            if pa.types.is_string(field.type) or pa.types.is_large_string(field.type)
        ]
        named = next((name for name in LISTED if name in names), None)
        picture = picture_column(table.schema_arrow)
        if picture is None and named is None:
            raise SourceError(
                f"{address} has neither a column of bytes nor one of paths ({', '.join(LISTED)})"
            )
        row = 0
        if named is None:
            for row in range(table.metadata.num_rows):
                yield Entry(f"{address}#{row}", address, row)
            return
        for batch in table.iter_batches(10_000, columns=[named]):
            for value in batch.column(0).to_pylist():
                if picture is None:
                    yield Entry(_relative(address, value or ""))
                else:
                    yield Entry(value or f"{address}#{row}", address, row)
                row += 1


def _csv(address: str) -> Iterator[Entry]:
    with open_file(address) as file, io.TextIOWrapper(file, "utf-8-sig", newline="") as text:
        rows = csv.reader(text)
        head = next(rows, [])
        names = [name.strip().lower() for name in head]
        column = next((names.index(name) for name in LISTED if name in names), None)
        if column is None:
            raise SourceError(f"{address} needs a first line with a column {', '.join(LISTED)}")
        for row in rows:
            if len(row) > column and row[column]:
                yield Entry(_relative(address, row[column]))


def _tar(address: str) -> Iterator[Entry]:
    try:
        with open_file(address) as file, tarfile.open(fileobj=file, mode="r:") as archive:
            for member in archive:
                if member.isfile() and member.name.lower().endswith(SUFFIXES):
                    name = f"{address}#{member.name}"
                    yield Entry(name, address, member.offset_data, member.size)
                archive.members = []  # type: ignore[attr-defined]  # else all of them stay in memory
    except tarfile.TarError as error:
        raise SourceError(f"{address} is damaged: {error}") from None


def _zip(address: str) -> Iterator[Entry]:
    try:
        with open_file(address) as file, zipfile.ZipFile(file) as archive:
            for number, member in enumerate(archive.infolist()):
                if member.filename.lower().endswith(SUFFIXES) and not member.is_dir():
                    yield Entry(f"{address}#{member.filename}", address, number, member.file_size)
    except zipfile.BadZipFile as error:
        raise SourceError(f"{address} is damaged: {error}") from None
