"""The memory of a worker does not grow with what it has read."""

from __future__ import annotations

import platform
import time
from pathlib import Path

import pytest
from conftest import gunicorn, workers
from costly import COSTLY
from soak import ask, memory

MEGABYTES = 25  # that a worker may keep: for code that is loaded at the first picture of a format


@pytest.mark.slow
@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc's malloc keeps so much")
def test_costly_pictures_leave_no_memory_behind(tmp_path: Path, seven: bytes) -> None:
    """After pictures that take 150 MB each, a worker has little more memory than after a drawing."""
    log = tmp_path / "log"
    pictures = [
        COSTLY[name]() for name in ("PNG of 480 by 480, noise", "WebP, lossless, transparent")
    ]
    with gunicorn(log, "--config", "deploy/gunicorn.conf.py", WEB_CONCURRENCY="1") as address:
        (worker,) = workers(log)
        ask(address, seven)
        before = memory(worker)
        for picture in pictures:
            ask(address, picture)
        # A worker answers first, and gives memory back afterwards.
        end = time.monotonic() + 10
        while (after := memory(worker)) > before + MEGABYTES and time.monotonic() < end:
            time.sleep(0.05)
    assert after <= before + MEGABYTES
