"""The bytes of a part's pictures, with a bounded number of them in memory."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby
from typing import Any

import pyarrow.parquet as pq

from digitre.bulk import store
from digitre.bulk.sources import Entry, open_file, picture_column

LARGEST = 64 * 1024 * 1024  # bytes of a file: a picture that the network can read is far smaller
AT_ONCE = 64  # files that are fetched at once from an object store, or members of a tar ...
AT_ONCE_BYTES = 32 * 1024 * 1024  # ... if they have no more bytes than this together
TABLE_BATCH = 256  # rows of a Parquet file in memory

Content = tuple[str, bytes | str]  # a path, and its bytes or the code of an error


def contents(pictures: list[Entry]) -> Iterator[Content]:
    """The bytes of each picture in order, or an error's code: `no_such_file`, `unreadable_file`, `picture_too_large`.

    Raises:
        OSError: if a store does not answer: that is no fault of a picture, and the part is to be tried again.
    """
    for file, group in groupby(pictures, lambda entry: entry.file):
        entries = list(group)
        if file is None:
            yield from _files(entries)
        elif file.lower().endswith(".parquet"):
            yield from _rows(file, entries)
        elif file.lower().endswith(".zip"):
            yield from _members(file, entries)
        else:
            yield from _ranges(file, entries)


def _too_large(entry: Entry) -> bool:
    return entry.size is not None and entry.size > LARGEST


def _files(entries: list[Entry]) -> Iterator[Content]:
    for place, group in groupby(entries, lambda entry: entry.path.partition("://")[0]):
        del place
        some = list(group)
        system, _ = store.open_address(some[0].path)
        if store.is_local(system):
            yield from map(_local, some)
        else:
            yield from _fetched(system, some)


def _local(entry: Entry) -> Content:
    if _too_large(entry):
        return entry.path, "picture_too_large"
    try:
        with open(entry.path.removeprefix("file://"), "rb") as file:
            content = file.read(LARGEST + 1)
    except FileNotFoundError:
        return entry.path, "no_such_file"
    except (OSError, ValueError):  # a name that no file can have is a ValueError
        return entry.path, "unreadable_file"
    return entry.path, content if len(content) <= LARGEST else "picture_too_large"


def _bunches(entries: list[Entry]) -> Iterator[list[Entry]]:
    """As many entries as are fetched at once. A file of unknown size counts as one of half a megabyte."""
    bunch: list[Entry] = []
    size = 0
    for entry in entries:
        own = 0 if _too_large(entry) else entry.size or AT_ONCE_BYTES // AT_ONCE
        if bunch and (len(bunch) == AT_ONCE or size + own > AT_ONCE_BYTES):
            yield bunch
            bunch, size = [], 0
        bunch.append(entry)
        size += own
    yield bunch


def _fetched(system: Any, entries: list[Entry]) -> Iterator[Content]:
    """Files of an object store: a bunch is fetched while the one before is read."""

    def fetch(bunch: list[Entry]) -> list[Content]:
        wanted = [entry.path for entry in bunch if not _too_large(entry)]
        paths = [system._strip_protocol(path) for path in wanted]
        found = system.cat(paths, on_error="return") if paths else {}
        if isinstance(found, bytes):
            found = {paths[0]: found}
        return [(entry.path, _content(system, entry, found)) for entry in bunch]

    yield from _ahead(fetch, entries)


def _content(system: Any, entry: Entry, found: dict[str, Any]) -> bytes | str:
    if _too_large(entry):
        return "picture_too_large"
    content = found[system._strip_protocol(entry.path)]
    if isinstance(content, (FileNotFoundError, IsADirectoryError)):
        return "no_such_file"
    if isinstance(content, BaseException):
        raise content if isinstance(content, OSError) else OSError(f"{entry.path}: {content}")
    return content


def _ahead(fetch: Any, entries: list[Entry]) -> Iterator[Content]:
    with ThreadPoolExecutor(1) as thread:
        waiting = None
        for bunch in _bunches(entries):
            coming = thread.submit(fetch, bunch)
            if waiting is not None:
                yield from waiting.result()
            waiting = coming
        if waiting is not None:
            yield from waiting.result()


def _ranges(file: str, entries: list[Entry]) -> Iterator[Content]:
    """Members of a tar: each is a range of its bytes."""
    system, path = store.open_address(file)
    if store.is_local(system):
        with open(path, "rb") as archive:
            for entry in entries:
                if _too_large(entry):
                    yield entry.path, "picture_too_large"
                else:
                    archive.seek(entry.at or 0)
                    yield entry.path, archive.read(entry.size or 0)
        return

    def fetch(bunch: list[Entry]) -> list[Content]:
        some = [entry for entry in bunch if not _too_large(entry)]
        begin = min((entry.at or 0 for entry in some), default=0)
        end = max(((entry.at or 0) + (entry.size or 0) for entry in some), default=0)
        if end - begin > 2 * AT_ONCE_BYTES and len(bunch) > 1:  # much else lies between them
            return [each for entry in bunch for each in fetch([entry])]
        block = system.cat_file(path, begin, end) if end > begin else b""  # one request
        return [
            (entry.path, "picture_too_large" if _too_large(entry) else _slice(block, begin, entry))
            for entry in bunch
        ]

    yield from _ahead(fetch, entries)


def _slice(block: bytes, begin: int, entry: Entry) -> bytes:
    first = (entry.at or 0) - begin
    return block[first : first + (entry.size or 0)]


def _members(file: str, entries: list[Entry]) -> Iterator[Content]:
    with open_file(file) as opened, zipfile.ZipFile(opened) as archive:
        members = archive.infolist()
        for entry in entries:
            if _too_large(entry):
                yield entry.path, "picture_too_large"
                continue
            try:
                yield entry.path, archive.read(members[entry.at or 0])
            except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError):
                yield (
                    entry.path,
                    "unreadable_file",
                )  # damaged, encrypted, or packed in an unknown way


def _rows(file: str, entries: list[Entry]) -> Iterator[Content]:
    """Rows of a Parquet file: only the row groups that have some are read, a few rows at a time."""
    wanted = {entry.at: entry for entry in entries}
    at = [entry.at for entry in entries if entry.at is not None]
    first, last = min(at), max(at)
    with open_file(file) as opened:
        table = pq.ParquetFile(opened, pre_buffer=False, buffer_size=1 << 16)
        column = picture_column(table.schema_arrow)
        begin = 0
        for group in range(table.num_row_groups):
            count = table.metadata.row_group(group).num_rows
            if begin <= last and first < begin + count:
                row = begin
                batches = table.iter_batches(
                    TABLE_BATCH, [group], columns=[column], use_threads=False
                )
                for batch in batches:
                    for offset, value in enumerate(batch.column(0)):
                        entry = wanted.get(row + offset)
                        if entry is not None:
                            yield entry.path, _value(value.as_py())
                    row += len(batch)
                    if row > last:
                        break
            begin += count


def _value(value: Any) -> bytes | str:
    """The bytes in a cell."""
    content = value.get("bytes") if isinstance(value, dict) else value
    if content is None:
        return "not_a_picture"
    return "picture_too_large" if len(content) > LARGEST else content
