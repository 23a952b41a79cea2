"""Learning from saved drawings: a candidate, its gates, and its promotion or none."""

from __future__ import annotations

import fcntl
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras

from digitre import files
from digitre.drawings.collection import Drawings
from digitre.recognition.classifier import Classifier
from digitre.registry import Registry
from digitre.training import export, fit
from digitre.training.data.saved import gather
from digitre.training.evaluation import gates, sets


class BusyError(Exception):
    """Another training is under way in the same folder."""


@contextmanager
def alone(work: Path) -> Iterator[None]:
    """One training at a time in a folder; the lock goes with the process, however it ends.

    Raises:
        BusyError.
    """
    work.mkdir(parents=True, exist_ok=True)
    with (work / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise BusyError(f"another training is under way in {work}") from None
        yield


def as_trained(classifier: Classifier) -> keras.Model:
    """The network behind a LiteRT file as its training left it, for another to go on from.

    Raises:
        ValueError: where its Keras file is not beside it.
    """
    file = classifier.path.with_suffix(".keras")
    if not file.exists():
        raise ValueError(f"there is no {file} to go on from")
    network = keras.models.load_model(file, compile=False)
    if calibration := (classifier.card() or {}).get("calibration"):
        fit.uncalibrate(network, calibration)
    return network


def learn(
    settings: fit.Settings,
    collection: Drawings,
    versions: Registry,
    serving: Path,
    work: Path,
    describe: Callable[..., dict[str, Any]],
    *,
    finetune: bool,
    resume: bool = False,
    teacher: keras.Model | None = None,
) -> tuple[str, dict[str, Any], str]:
    """Train with the accepted drawings, and promote the network if it passes its gates.

    Whether or not it passes, the candidate is kept among the versions, with its verdict.

    Args:
        settings: what shapes the training.
        collection: the saved drawings.
        versions: the networks that are here.
        serving: the LiteRT file that is served.
        work: where the training's state is kept.
        describe: makes the card of a network from its parts.
        finetune: go on from the network that is served, instead of beginning anew.

    Returns:
        The candidate's version, its verdict as for the card, and the same as text.

    Raises:
        UnavailableError: where the drawings cannot be read.
        ValueError: where there is nothing to learn, nothing to go on from, or another network was
            promoted meanwhile.
    """
    saved = gather(collection)
    if lacking := sets.SETS - sets.validation_sets().keys():
        raise ValueError(f"the gates need the data of {', '.join(sorted(lacking))}")
    if not len(saved):
        raise ValueError("there are no accepted drawings to learn")
    if not len(saved.kept[1]):
        print("no writer is among those kept to measure on yet", file=sys.stderr)
    served, promoted = Classifier(serving), versions.promoted()
    settings = replace(settings, saved=saved.digest())
    start = None
    if finetune:
        start = as_trained(served)
        settings = replace(settings, start=served.model)
    network, history = fit.train(
        settings, work, resume=resume, teacher=teacher, start=start, saved=saved
    )
    calibration = fit.calibrate(network)
    folder = work / "candidate"
    folder.mkdir(exist_ok=True)
    export.save(network, folder)
    candidate = Classifier(folder / "digitre.tflite")
    found = gates.compare(served, candidate, saved.kept)
    verdict = gates.as_json(found) | {"against": served.model}
    described = describe(candidate, network, settings, history, calibration)
    described["drawings"] = {
        "learned": len(saved),
        "kept": len(saved.kept[1]),
        "manifest": saved.manifest,
    }
    described["verdict"] = verdict
    files.write_json(folder / "digitre.json", described)
    name = versions.add(folder)
    if verdict["passed"]:
        if versions.promoted() != promoted:
            raise ValueError(
                f"{name} is kept, not promoted: what is served is no longer {served.model}, "
                "which it was measured against"
            )
        versions.promote(name)
    return name, verdict, gates.as_text(found)
