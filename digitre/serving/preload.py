"""Before workers are started or replaced: does the network work that is to be served?

gunicorn's master asks this, by deploy/gunicorn.conf.py, and gives its workers a copy of the network that
did. So a worker that begins anew, at whatever time, finds the same network whole, whatever has become of
the file meanwhile. What is imported here comes to the workers by the fork, once for all of them.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np

from digitre import config, registry
from digitre.recognition.classifier import SHAPE, Classifier

COPY = "digitre.tflite"


def take(folder: str) -> str:
    """Try the network that the settings name, and let workers take a copy of it.

    Args:
        folder: where the copy goes; the environment names it afterwards.

    Returns:
        What is wrong, in one line; then nothing is changed. Empty where all is well.
    """
    new = Path(folder) / f"new-{COPY}"
    kept = Path(folder) / COPY
    try:
        chosen = registry.network_file(config.load())
        if not chosen.is_file():
            raise ValueError(f"there is no network at {chosen}")
        shutil.copyfile(chosen, new)
        if not _works(new):
            raise ValueError(f"{chosen} is no network that works")
        os.replace(new, kept)
        card = chosen.with_suffix(".json")
        if card.is_file():
            shutil.copyfile(card, kept.with_suffix(".json"))
        error = ""
    except (OSError, ValueError) as found:
        error = str(found)
    if kept.exists():
        os.environ[registry.COPIED] = str(kept)
    return error


def _works(file: Path) -> bool:
    """Whether LiteRT reads with it, tried in a process of its own: no interpreter outlives a fork."""
    child = os.fork()
    if child:
        _, status = os.waitpid(child, 0)
        return status == 0
    try:
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, 2)  # LiteRT's own words; the line of `take` is the one to read
        rows = Classifier(file).classify(np.ones((1, *SHAPE), np.float32))
        os._exit(0 if np.isfinite(rows).all() and rows.shape == (1, 10) else 1)
    except BaseException:
        os._exit(1)
