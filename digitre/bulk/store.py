"""Where a run's files lie: a folder, or any address that fsspec knows. Files are written whole or not at all."""

from __future__ import annotations

import contextlib
import os
import re
import uuid
from pathlib import Path
from typing import Any

import fsspec
import fsspec.core
from fsspec.implementations.local import LocalFileSystem

PART = re.compile(r"part-(\d{5,})\.parquet")
TORN = ".part-*.tmp"


def open_address(address: str) -> tuple[Any, str]:
    """The file system of an address, and the path in it.

    Raises:
        ValueError: for an unknown kind of address.
        ImportError: if the package for it is not installed; the message names it.
    """
    return fsspec.core.url_to_fs(address)


def full(address: str) -> str:
    """The address with its kind, or the absolute path: what means the same in any folder and process."""
    if "://" in address or "::" in address:
        return address
    return os.path.abspath(os.path.expanduser(address))


def is_local(system: Any) -> bool:
    """Whether files are on this machine's disks."""
    return isinstance(system, LocalFileSystem)


class Store:
    """The folder of a run.

    Args:
        address: a folder or an address for fsspec.

    Raises what `open_address` raises.
    """

    def __init__(self, address: str) -> None:
        self.address = full(address)
        self.system, root = open_address(self.address)
        self.root = root.rstrip("/")
        self.local = is_local(self.system)

    def path(self, name: str) -> str:
        """The full path of a file, such as `parts/part-00000.parquet`."""
        return f"{self.root}/{name}"

    def read(self, name: str) -> bytes | None:
        """A file's bytes; None if there is none. Raises OSError if it cannot be read."""
        try:
            return self.system.cat_file(self.path(name))
        except FileNotFoundError:
            return None

    def exists(self, name: str) -> bool:
        """Whether there is such a file, asked afresh."""
        self.system.invalidate_cache()
        return self.system.exists(self.path(name))

    def write(self, name: str, content: bytes) -> None:
        """Write a file whole. On a disk: to a temporary name, then renamed; an object store puts it whole.

        Raises:
            OSError: if it cannot be written. Nothing of it stays.
        """
        if not self.local:
            self.system.pipe_file(self.path(name), content)
            return
        file = Path(self.path(name))
        file.parent.mkdir(parents=True, exist_ok=True)
        new = file.with_name(f".{file.name}.{uuid.uuid4().hex}.tmp")
        try:
            with new.open("wb") as out:
                out.write(content)
                out.flush()
                os.fsync(out.fileno())  # a rename may reach the disk before the content does
            os.replace(new, file)
        finally:
            with contextlib.suppress(OSError):
                new.unlink(missing_ok=True)

    def adopt(self, name: str, file: Path) -> None:
        """Give a complete local file its name here. Raises OSError, as `write` does."""
        if self.local:
            with file.open("rb+") as written:
                os.fsync(written.fileno())
            os.replace(file, self.path(name))
        else:
            self.system.put_file(str(file), self.path(name))

    def parts(self) -> set[int]:
        """The numbers of the parts that are written. A temporary file is none."""
        self.system.invalidate_cache()
        try:
            names = self.system.ls(self.path("parts"), detail=False)
        except FileNotFoundError:
            return set()
        found = (PART.fullmatch(name.rsplit("/", 1)[-1]) for name in names)
        return {int(match[1]) for match in found if match}

    def remove_torn(self) -> None:
        """Remove what a killed process was writing. An object store has no such files."""
        if self.local:
            for torn in Path(self.path("parts")).glob(TORN):
                torn.unlink(missing_ok=True)

    def remove(self) -> None:
        """Remove what a run wrote here, and nothing else."""
        self.remove_torn()
        names = ["summary.json", "manifest.parquet"]  # first what says that the parts are complete
        names += [part_name(number) for number in self.parts()]
        for name in names:
            with contextlib.suppress(FileNotFoundError):
                self.system.rm_file(self.path(name))


def part_name(number: int) -> str:
    """The file of a part."""
    return f"parts/part-{number:05}.parquet"
