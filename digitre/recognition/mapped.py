"""Files that are mapped into memory: LiteRT maps the file of a network, and no longer reads it once it has packed the weights."""

from __future__ import annotations

import ctypes
import mmap
import os
from pathlib import Path

MAPS = Path("/proc/self/maps")  # proc_pid_maps(5)


def release(file: str | os.PathLike[str]) -> None:
    """Give back the memory that a mapped file takes up. What is needed again is read from the file.

    It does nothing where there is no /proc, or if the file is not mapped.
    """
    if not MAPS.exists():
        return
    path = os.path.realpath(file)
    madvise = ctypes.CDLL(None).madvise
    for line in MAPS.read_text(errors="surrogateescape").splitlines():
        span, access, _, _, _, *name = line.split(maxsplit=5)
        if name == [path] and access.startswith("r--"):  # nothing in it can have been changed
            start, end = (int(address, 16) for address in span.split("-"))
            madvise(ctypes.c_void_p(start), ctypes.c_size_t(end - start), mmap.MADV_DONTNEED)
