"""Replace a file whole; lock a folder.

A process can be killed at any moment. What it was writing is then either the old file or the new
one, never a part of it; and what it had locked is free.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


class BusyError(Exception):
    """Another process holds the lock."""


@contextmanager
def replacing(file: Path) -> Iterator[Path]:
    """A new file to write, which replaces `file` when the block ends without an error.

    The new file lies in the same folder, so that a rename is enough, and has the same suffix, which
    Keras and NumPy go by. One process at a time may replace a file: see `locked`.

    Raises:
        OSError: if the file cannot be written, for example because the disk is full.
    """
    new = file.with_name(f"{file.stem}.new{file.suffix}")
    try:
        yield new
        with new.open("rb+") as written:
            os.fsync(written.fileno())  # a rename may reach the disk before the content does
        os.replace(new, file)
    finally:
        new.unlink(missing_ok=True)


def write(file: Path, content: bytes | str) -> None:
    """Replace a file by this content (text as UTF-8). Raises OSError, as `replacing` does."""
    with replacing(file) as new:
        new.write_bytes(content if isinstance(content, bytes) else content.encode())


def write_json(file: Path, content: Any) -> None:
    """Replace a file by this content as JSON. Raises OSError, as `replacing` does."""
    write(file, json.dumps(content, indent=1) + "\n")


@contextmanager
def locked(folder: Path, *, wait: bool = True) -> Iterator[None]:
    """Hold the lock of a folder, which is made if it is missing. The lock ends with the process.

    Args:
        folder: its file `lock` is what is locked; the file stays.
        wait: wait for another process to finish. If False, raise instead.

    Raises:
        BusyError: if another process holds the lock and `wait` is False.
        OSError: if the folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            raise BusyError(f"another process is at work in {folder}") from None
        yield
