"""Try a network before it is served, and keep a copy of it for the workers; migrate the drawings.

gunicorn's master does this at the start and at each reload (deploy/gunicorn.conf.py). All workers
read the copy. A worker that starts later therefore finds the same network, even if the file that
it came from was changed or removed. The workers share what this module imports, because they are forks
of the master.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
from contextlib import suppress
from pathlib import Path

import numpy as np

from digitre import config, registry
from digitre.recognition import packed
from digitre.recognition.classifier import SHAPE, Classifier

COPY = "digitre.tflite"
PATIENCE = 20  # seconds that a network may take for its first reading


def preload(folder: str) -> None:
    """Try the network that the settings choose; if it works, workers get a copy of it.

    Args:
        folder: the folder for the copy. The environment names the copy from then on.

    Raises:
        ValueError: if there is no such network, or if it is damaged or does not work.
        OSError: if it cannot be fetched or copied.
            After an error the copy of the last call, if any, stays in use.
    """
    migrate()
    copy = Path(folder) / COPY
    new = copy.with_name(f"new-{COPY}")
    network = registry.network_file(config.load())
    if not network.is_file():
        raise ValueError(f"there is no network at {network}")
    try:
        shutil.copyfile(network, new)
        trial = _try(new)
        # With SciPy: once, and not in each worker; meanwhile the trial runs.
        from digitre.recognition import detection  # noqa: F401

        if os.waitpid(trial, 0)[1] != 0:
            raise ValueError(f"{network} is not a network that works")
        os.replace(new, copy)
    finally:
        new.unlink(missing_ok=True)
    os.environ[registry.COPIED] = str(copy)
    with suppress(OSError):  # without its card, a network reads just as well
        copy.with_suffix(".json").unlink(missing_ok=True)
        shutil.copyfile(network.with_suffix(".json"), copy.with_suffix(".json"))
    _pack(copy)


def migrate() -> None:
    """Bring an existing database of drawings to this version, before there are workers.

    A large one takes longer than a request may. If it fails, a line on standard error says why, and
    the server reads digits without saving. SQLAlchemy is loaded in a process of its own.
    """
    settings = config.load()
    file = config.instance_folder(settings) / "drawings.sqlite3"
    if not settings["SAVING"] or not (settings["DATABASE_URL"] or file.exists()):
        return
    child = os.fork()
    if child:
        os.waitpid(child, 0)
        return
    try:
        from digitre.drawings.database import Database

        database = Database(config.database_url(settings), patience=2)
        if database.exists():
            database.migrate()
    except Exception as error:
        print(f"digitre: the drawings are not migrated: {error}", file=sys.stderr, flush=True)
    finally:
        os._exit(0)


def _pack(network: Path) -> None:
    """Make the file that pages read with, next to a network: so that no worker needs LiteRT's schema for it.

    In a process of its own, which takes the schema's memory with it. The start does not wait for it: a worker that is asked before the
    file is there makes it itself. gunicorn's master reaps the process.
    """
    for old in network.parent.glob("*.bin"):
        old.unlink(missing_ok=True)
    if os.fork():
        return
    with suppress(Exception):  # a network that can't be packed, or a full disk
        model = Classifier(network).model
        packed.write(network, model, network.with_name(packed.file_name(model)))
    os._exit(0)


def _try(network: Path) -> int:
    """Begin to try whether LiteRT reads with a network: the ID of a process that ends with 0 if so.

    It is a process of its own, since no interpreter survives a fork.
    """
    child = os.fork()
    if child:
        return child
    try:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(PATIENCE)
        # LiteRT's own messages would only hide the one that `preload` raises.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        rows = Classifier(network).classify(np.ones((1, *SHAPE), np.float32))
        os._exit(0 if np.isfinite(rows).all() and rows.shape == (1, 10) else 1)
    except BaseException:
        os._exit(1)
