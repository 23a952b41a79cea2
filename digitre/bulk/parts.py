"""Read one part and write it: what a worker of any engine does."""

from __future__ import annotations

import atexit
import errno
import functools
import hashlib
import io
import json
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeAlias

import pyarrow as pa
import pyarrow.parquet as pq

from digitre import __version__
from digitre.bulk.alone import rows_alone
from digitre.bulk.contents import contents
from digitre.bulk.job import KEY, Job, pictures_of
from digitre.bulk.reading import NUMBER_COLUMNS, read_part
from digitre.bulk.store import Store, part_name
from digitre.recognition.classifier import Classifier

Counts: TypeAlias = dict[str, int]  # "pictures", and of these "read", "refused", "errors"

TYPES = {
    "path": pa.string(),
    "digit": pa.int8(),
    "result": pa.string(),
    "confidence": pa.float64(),
    "probabilities": pa.list_(pa.float64()),
    "not_a_digit": pa.float64(),
    "reason": pa.string(),
    "error": pa.string(),
    "model": pa.string(),
    "text": pa.string(),
    "boxes": pa.list_(pa.list_(pa.int32())),
}


class OtherVersionError(RuntimeError):
    """A worker has another version of Digitre than the run began with."""


@functools.lru_cache(maxsize=2)
def _classifier(out: str, network: str, sha256: str) -> Classifier:
    """This process's reader: the network lies in the run's folder, where each worker finds the same.

    Raises:
        ValueError: if it is not the network that the run began with.
    """
    store = Store(out)
    content = store.read(network)
    if content is None or hashlib.sha256(content).hexdigest() != sha256:
        raise ValueError(f"{store.path(network)} is not the network that this run began with")
    if store.local:
        return Classifier(store.path(network))
    # Each thread and each fork makes its interpreter from the file, so it stays as long as the process.
    folder = tempfile.mkdtemp(prefix="digitre-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    file = Path(folder) / Path(network).name
    file.write_bytes(content)
    return Classifier(file)


def write_part(job: Job, number: int, *, alone: bool = False) -> Counts:
    """Read the pictures of a part and write its file, whole or not at all.

    Args:
        alone: read each picture in a process of its own, so that one which kills it is a row with the error
            `worker_died`.

    Raises:
        OtherVersionError: if this process has another Digitre than the run began with: it may prepare pictures
            in another way.
        OSError: if a store or a disk did not answer after the retries, or the disk is full.
    """
    if job.settings.version != __version__:
        raise OtherVersionError(f"it has Digitre {__version__}, and the run {job.settings.version}")
    for attempt in range(job.retries + 1):
        try:
            return _write(job, number, alone)
        except (OSError, pa.ArrowException) as error:
            if getattr(error, "errno", None) == errno.ENOSPC or attempt == job.retries:
                raise
            time.sleep(min(30.0, job.pause * 2**attempt))
    raise AssertionError("there is a first attempt")


def _write(job: Job, number: int, alone: bool) -> Counts:
    own = job.settings
    classifier = _classifier(job.out, own.network, own.sha256)
    found = contents(pictures_of(job, number))
    if alone:
        rows = list(rows_alone(found, classifier, own.threshold, own.number, job.reader))
        columns = {name: [row.get(name) for row in rows] for name in NUMBER_COLUMNS}
    else:
        columns = read_part(
            found, classifier, threshold=own.threshold, number=own.number, reader=job.reader
        )
    counts = _count(columns)
    schema = pa.schema(
        [(name, TYPES[name]) for name in own.columns], {KEY: json.dumps(counts).encode()}
    )
    table = pa.table({name: columns[name] for name in own.columns}, schema=schema)
    file = io.BytesIO()
    pq.write_table(table, file, compression="zstd")
    Store(job.out).write(part_name(number), file.getvalue())
    return counts


def _count(columns: dict[str, list[Any]]) -> Counts:
    errors = sum(each is not None for each in columns["error"])
    refused = sum(each is not None for each in columns["reason"])
    pictures = len(columns["path"])
    return {
        "pictures": pictures,
        "read": pictures - refused - errors,
        "refused": refused,
        "errors": errors,
    }


def counts_of(out: Store, numbers: set[int]) -> Iterator[Counts]:
    """What the written parts say about themselves.

    Raises:
        OSError, ValueError: if one cannot be read.
    """
    for number in sorted(numbers):
        with out.system.open(out.path(part_name(number)), "rb") as file:
            kept = pq.read_schema(file).metadata or {}
        yield json.loads(kept[KEY])
