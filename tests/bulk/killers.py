"""Readers of a picture for tests of `digitre.bulk`: they kill or stop their process for some pictures."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from digitre.bulk.reading import Row, read_one

DEADLY = b"deadly"  # a picture's bytes end with it; PNG ignores what comes after its end


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


def slow(content: bytes, *how) -> Row:
    """Read a picture in no less than 20 ms, so that a test can end a run in the middle."""
    time.sleep(0.02)
    return read_one(content, *how)
