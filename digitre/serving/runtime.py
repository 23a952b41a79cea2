"""The runtime folder: what one gunicorn server needs only while it runs.

It holds each worker's heartbeat and metrics, and a copy of the network that is served. It lies in
memory if the machine has /dev/shm, so that a full disk does not stop the server. Its name starts
with the process number of gunicorn's master: a reload reads gunicorn.conf.py again in the same
master and finds the same folder; SIGUSR2 starts a new master, which makes its own.

gunicorn.conf.py imports this module before anything else of Digitre, so it needs the standard
library only.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from pathlib import Path

VARIABLE = "DIGITRE_RUNTIME"  # the folder's path, for a reload and for a new master
METRICS = "PROMETHEUS_MULTIPROC_DIR"  # where prometheus_client puts the metrics of each worker


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
    folder = tempfile.mkdtemp(prefix=prefix, dir=memory())
    os.environ[VARIABLE] = folder
    # The value of an older master is not a choice of yours.
    if os.environ.get(METRICS, inherited) == inherited:
        os.environ[METRICS] = folder
    _lock(folder)
    remove_abandoned(os.path.dirname(folder))
    return folder


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
