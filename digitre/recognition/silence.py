"""Keep LiteRT's C++ code quiet: it announces itself on standard error, and no setting stops it."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

# Two threads that redirect at once would restore each other's redirection.
_lock = threading.Lock()


def _renew_lock() -> None:
    """In the child of a fork: a thread that held the lock is not there to release it."""
    global _lock
    _lock = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_lock)


@contextmanager
def silenced() -> Iterator[None]:
    """Drop what this process writes to standard error. Errors of Python are raised as ever."""
    with _lock:
        try:
            original = os.dup(2)
        except OSError:  # standard error is closed, as a daemon's may be
            original = None
        else:
            nothing = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nothing, 2)
            os.close(nothing)
        try:
            yield
        finally:
            if original is not None:
                os.dup2(original, 2)
                os.close(original)
