"""Readers of a picture for tests of `digitre.bulk`: for some pictures they kill their process, or wait."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from digitre.bulk.reading import Row, read_one

# The last bytes of a picture; PNG ignores what comes after its end.
DEADLY, HELD = b"deadly", b"held"


def die(content: bytes, *how) -> Row:
    """Read a picture, but a deadly one kills the process."""
    if content.endswith(DEADLY):
        os.kill(os.getpid(), signal.SIGKILL)
    return read_one(content, *how)


def die_once(content: bytes, *how) -> Row:
    """Read a picture; the first deadly one kills the process, later the same bytes are read."""
    mark = Path(os.environ["DIGITRE_TEST_MARK"])
    if content.endswith(DEADLY) and not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return read_one(content, *how)


def held(content: bytes, *how) -> Row:
    """Read a picture; a held one says which process reads it, and waits until the test lets it go on."""
    gate = Path(os.environ["DIGITRE_TEST_MARK"])
    if content.endswith(HELD):
        gate.with_name(f"{gate.name}-{os.getpid()}").touch()
        while not gate.exists():
            time.sleep(0.02)
    return read_one(content, *how)
