"""What a run is to do: its settings, and the manifest with the pictures of each part."""

from __future__ import annotations

import functools
import json
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from digitre.bulk.reading import Reader, read_one
from digitre.bulk.sources import Entry, SourceError
from digitre.bulk.store import Store

MANIFEST = "manifest.parquet"
PART = 10_000  # pictures
# A source that fits into so many parts is cut into as many smaller ones, so that all workers end together.
FEWEST_PARTS, SMALLEST_PART = 32, 500
SCHEMA = pa.schema(
    [("path", pa.string()), ("file", pa.string()), ("at", pa.int64()), ("size", pa.int64())]
)
KEY = b"digitre"  # of the settings, in the manifest's own metadata


@dataclass(frozen=True)
class Settings:
    """What must be the same when a run goes on.

    Attributes:
        source: the address of the pictures; for a list on standard input, "-" and the list's hash.
        part: pictures in a part; None: 10,000, or fewer if there are few pictures.
        model: the network's version.
        network: its file in the run's folder.
        sha256: its hash.
        threshold: minimum confidence.
        number: whether numbers are read.
        columns: of the parts.
        version: Digitre's.
    """

    source: str
    part: int | None
    model: str
    network: str
    sha256: str
    threshold: float
    number: bool
    columns: tuple[str, ...]
    version: str

    def differs(self, other: Settings) -> str | None:
        """What differs from another run's settings, in words; None if nothing does."""
        for name in ("source", "part", "sha256", "threshold", "number", "columns", "version"):
            mine, theirs = getattr(self, name), getattr(other, name)
            if mine != theirs and not (name == "part" and mine is None):
                if name == "sha256":
                    name, mine, theirs = "model", self.model, other.model
                if name == "version":
                    name = "version of Digitre"  # which prepares pictures in its own way
                return f"{name} is {_shown(mine)}, and was {_shown(theirs)}"
        return None


def _shown(value: Any) -> str:
    return ",".join(value) if isinstance(value, tuple) else str(value)


@dataclass(frozen=True)
class Job:
    """A run, as each worker gets it.

    Attributes:
        out: the address of the run's folder.
        settings: what is read, and how.
        pictures: their number.
        parts: their number.
        size: pictures in a part; the last one may have fewer.
        retries: how often a part is tried again if a store or a disk does not answer.
        pause: seconds before the first of these; it doubles each time.
        reader: what reads one picture.
    """

    out: str
    settings: Settings
    pictures: int
    parts: int
    size: int
    retries: int = 3
    pause: float = 1.0
    reader: Reader = field(default=read_one, compare=False)

    def pictures_in(self, number: int) -> int:
        """How many pictures a part has."""
        return min(self.size, self.pictures - number * self.size)


def load(out: Store) -> Job | None:
    """The run in a folder; None if there is none.

    Raises:
        ValueError: if its manifest is damaged.
        OSError: if it cannot be read.
    """
    if not out.exists(MANIFEST):
        return None
    try:
        kept = _index(out.address).metadata or {}
        fields = json.loads(kept[KEY])
        own = fields.pop("settings")
        settings = Settings(**own | {"columns": tuple(own["columns"])})
        return Job(out.address, settings, **fields)
    except (pa.ArrowInvalid, LookupError, TypeError, ValueError) as error:
        raise ValueError(f"{out.path(MANIFEST)} is not a manifest of Digitre's: {error}") from None


@functools.lru_cache(maxsize=2)
def _index(out: str) -> pq.FileMetaData:
    """The index of a run's manifest, read once a process: that of a large run is long."""
    store = Store(out)
    with store.system.open(store.path(MANIFEST), "rb") as file:
        return pq.read_metadata(file)


def pictures_of(job: Job, number: int) -> list[Entry]:
    """The pictures of a part."""
    store = Store(job.out)
    with store.system.open(store.path(MANIFEST), "rb") as file:
        manifest = pq.ParquetFile(file, metadata=_index(job.out), pre_buffer=False)
        table = manifest.read_row_group(number, use_threads=False)
    columns = (column.to_pylist() for column in table.columns)
    return [Entry(*row) for row in zip(*columns, strict=True)]


def make(out: Store, settings: Settings, found: Iterable[Entry]) -> Job:
    """Write the manifest of a new run, whole or not at all.

    Raises:
        SourceError: if there are no pictures.
        OSError: if it cannot be written.
    """
    pictures = iter(found)
    size = settings.part or PART
    head = list(islice(pictures, size if settings.part else FEWEST_PARTS * PART))
    if not head:
        raise SourceError(f"there are no pictures in {settings.source}")
    if not settings.part and len(head) < FEWEST_PARTS * PART:
        size = min(PART, max(SMALLEST_PART, -(-len(head) // FEWEST_PARTS)))
    with tempfile.TemporaryDirectory(prefix="digitre-", dir=_near(out)) as folder:
        file = Path(folder) / MANIFEST
        count = parts = 0
        with pq.ParquetWriter(file, SCHEMA, compression="zstd", write_statistics=False) as writer:
            for bunch in _parts(head, pictures, size):
                columns = [list(column) for column in zip(*bunch, strict=True)]
                arrays = [
                    pa.array(column, kind)
                    for column, kind in zip(columns, SCHEMA.types, strict=True)
                ]
                writer.write_table(pa.table(arrays, schema=SCHEMA), row_group_size=size)
                count, parts = count + len(bunch), parts + 1
            fields = {"settings": asdict(settings), "pictures": count, "parts": parts, "size": size}
            writer.add_key_value_metadata({KEY.decode(): json.dumps(fields)})
        out.adopt(MANIFEST, file)
    _index.cache_clear()
    return Job(out.address, settings, count, parts, size)


def _near(out: Store) -> str | None:
    """Where to write a long file before it gets its name: on the disk of a folder, else a temporary one."""
    if not out.local:
        return None
    Path(out.root).mkdir(parents=True, exist_ok=True)
    return out.root


def _parts(head: list[Entry], more: Iterator[Entry], size: int) -> Iterator[list[Entry]]:
    for begin in range(0, len(head), size):
        bunch = head[begin : begin + size]
        yield bunch + list(islice(more, size - len(bunch)))
    while bunch := list(islice(more, size)):
        yield bunch
