"""The runtime folder: what one gunicorn server needs only while it runs.

It holds each worker's metrics, and a copy of the network that is served. It lies in memory if the
machine has /dev/shm with enough room, so that a full disk does not stop the server. Any process can fill
/dev/shm, and writing to memory that is not there ends a process (SIGBUS). So what is written later is
allocated before. Its name starts
with the process number of gunicorn's master: a reload reads gunicorn.conf.py again in the same
master and finds the same folder; SIGUSR2 starts a new master, which makes its own.

gunicorn.conf.py imports this module before anything else of Digitre, so it needs the standard
library only.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

VARIABLE = "DIGITRE_RUNTIME"  # the folder's path, for a reload and for a new master
METRICS = "PROMETHEUS_MULTIPROC_DIR"  # where prometheus_client puts the metrics of each worker
ROOM = 32 * 1024 * 1024  # bytes that must be free: for the network, its successor, and many workers
# The files of prometheus_client for a worker, and their bytes: more than all routes, methods and statuses
# take, so that no file grows. tests/serving/test_runtime.py counts them.
FILES = {"counter": 640 * 1024, "histogram": 256 * 1024, "gauge_livemax": 64 * 1024}


def memory() -> str | None:
    """A folder whose files lie in memory, or None if the machine has none."""
    return "/dev/shm" if os.path.isdir("/dev/shm") else None


def open_folder() -> str:
    """The path of this server's runtime folder, which is made at the first call.

    The environment then names it, for workers and for a reload, and metrics go there unless
    PROMETHEUS_MULTIPROC_DIR names a folder of your own. Folders of killed servers are removed.

    Raises:
        OSError: if the folder cannot be made.
    """
    inherited = os.environ.get(VARIABLE, "")
    prefix = f"digitre-{os.getpid()}-"
    if os.path.basename(inherited).startswith(prefix):
        return inherited
    folder = tempfile.mkdtemp(prefix=prefix, dir=_with_room(memory()))
    os.environ[VARIABLE] = folder
    # The value of an older master is not a choice of yours.
    if os.environ.get(METRICS, inherited) == inherited:
        os.environ[METRICS] = folder
    _lock(folder)
    remove_abandoned(os.path.dirname(folder))
    return folder


def _with_room(folder: str | None) -> str | None:
    """The same folder, or None if it is too full."""
    if folder is None:
        return None
    disk = os.statvfs(folder)
    return folder if disk.f_bavail * disk.f_frsize >= ROOM else None


def allocate_metrics() -> None:
    """Take the memory for this worker's metrics.

    Raises:
        OSError: if there is not enough. The worker must then have no metrics.
    """
    made = []
    try:
        for kind, size in FILES.items() if hasattr(os, "posix_fallocate") else ():
            made.append(Path(os.environ[METRICS], f"{kind}_{os.getpid()}.db"))
            with made[-1].open("ab") as file:
                os.posix_fallocate(file.fileno(), 0, size)
    except OSError:
        for each in made:
            each.unlink(missing_ok=True)
        raise


def release_metrics(worker: int) -> None:
    """Give back what a worker that has ended did not use of its memory. Its counts stay."""
    for path in Path(os.environ[METRICS]).glob(f"*_{worker}.db"):
        with suppress(OSError), path.open("rb+") as file:
            used = int.from_bytes(file.read(4), sys.byteorder)  # as prometheus_client writes it
            file.truncate(max(used, 8))


def _lock(folder: str) -> None:
    """Lock a folder until this process and its workers have ended: the file stays open until then."""
    fcntl.flock(os.open(f"{folder}/lock", os.O_CREAT | os.O_RDWR), fcntl.LOCK_EX)


def remove_abandoned(parent: str) -> None:
    """Remove the runtime folders in `parent` that no process has locked: their servers were killed."""
    for lock in Path(parent).glob("digitre-*/lock"):
        try:
            with lock.open("rb+") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                remove(str(lock.parent))
        except OSError:
            continue  # in use, or another user's


def remove(folder: str) -> None:
    """Remove a runtime folder."""
    shutil.rmtree(folder, ignore_errors=True)
