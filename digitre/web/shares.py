"""How much of the workers' time each address has used, in memory that all workers of a server share.

gunicorn.conf.py imports this module before the workers start, so it needs the standard library only. Addresses are
not stored: each has a place by a hash, whose key is made at the start.
"""

from __future__ import annotations

import hashlib
import mmap
import os
import secrets
import time

PLACES = 4096  # so two of a hundred addresses share a place with a probability of 1 %
SHARE = 0.5  # of the workers' time
FREE = 0.01  # seconds of each request that do not count: a drawing costs a few milliseconds
BURST = 2.0  # seconds of the share that may be used at once

workers = os.cpu_count() or 1  # gunicorn.conf.py sets how many there are
_key = secrets.token_bytes(16)
# For each place, when the time that was used is paid back: seconds of the system's monotonic clock.
_paid = memoryview(mmap.mmap(-1, 8 * PLACES)).cast("d")


def place_of(address: str) -> int:
    """Where an address is counted."""
    digest = hashlib.blake2b(address.encode(), key=_key, digest_size=4).digest()
    return int.from_bytes(digest) % PLACES


def wait(place: int) -> float:
    """How many seconds an address must wait; 0 or less if it need not."""
    return _paid[place] - time.monotonic() - BURST


def charge(place: int, seconds: float) -> None:
    """Count a worker's time. Two workers may write at once, and one of both is lost: that does no harm."""
    counted = max(seconds - FREE, 0) / (SHARE * workers)
    _paid[place] = max(_paid[place], time.monotonic()) + counted
