"""Train the network that Digitre ships, and the teacher that it learns from."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras

from digitre import files
from digitre.recognition.card import Card, Figures
from digitre.recognition.classifier import Classifier
from digitre.training import calibration, export, fit
from digitre.training.data import datasets
from digitre.training.distributed import Cluster
from digitre.training.evaluation import metrics, report
from digitre.training.evaluation.scenes.figures import PICTURES as SCENE_PICTURES
from digitre.training.evaluation.sets import Pictures
from digitre.training.reporting.card import MODELS, draw_report, new_card, save_card, write_page

# What differs from the defaults of `fit.Settings` when a training continues from the shipped network,
# and for the teacher.
FINETUNE: dict[str, Any] = {"epochs": 4, "learning_rate": 6e-4}
TEACHER: dict[str, Any] = {"network": "teacher", "epochs": 10}


def train(
    settings: fit.Settings,
    work: Path,
    output: Path | None = None,
    *,
    finetune: bool = False,
    learn_from: Sequence[Path] = (),
    resume: bool = False,
    cluster: Cluster | None = None,
    eight_bits: bool = True,
) -> Figures | None:
    """Train, calibrate, export and measure the network, and write its card.

    Args:
        settings: what shapes the training. Its teachers and start are filled in here.
        work: the folder for the state of the training.
        output: the folder for the network. If None, it is models/ for a full training; a short one,
            or one with other data, goes to `work`.
        finetune: start from the shipped network, which is a second teacher then.
        learn_from: Keras files of further teachers.
        resume: continue a stopped training.
        cluster: the processes that train together.
        eight_bits: write weights in eight bits, if the answers stay the same: see `export.save`.

    Returns:
        The figures; None in all processes of a cluster but the first.

    Raises:
        ValueError: if there is nothing to start from, to resume or to learn.
        OSError: if a file cannot be written, or the cluster's first process cannot be reached.
        BusyError: if another training uses the folder.
        KeyboardInterrupt: after Ctrl-C; see `fit.train`.
    """
    start = before = None
    if finetune:
        start, before = load_shipped()
        settings = replace(settings, start=before.model)
    teachers: list[keras.Model] = []
    if not cluster:  # with several processes, each would have to ask the teachers
        settings, teachers = fit.with_teachers(settings, MODELS, start, learn_from)
    own = held_out_pictures(Path(settings.images)) if settings.images else None
    if output is None:
        output = choose_folder(settings, work, FINETUNE if finetune else {})
    output.mkdir(parents=True, exist_ok=True)
    if cluster:
        cluster.join()
        if cluster.index:  # several processes on one machine need a folder each
            work = work / str(cluster.index)
    with files.locked(work, wait=False):
        network, history = fit.train(
            settings, work, resume=resume, teachers=teachers, start=start, cluster=cluster
        )
        if cluster and cluster.index:
            return None
        calibrated = calibration.calibrate(network)
        weights = export.save(network, output, eight_bits=eight_bits)
    classifier = Classifier(output / "digitre.tflite")
    card = new_card(classifier, network, settings, history, calibrated, before, weights)
    return write_card(card, output, own)


def write_card(card: Card, folder: Path, own: Pictures | None) -> Figures:
    """Measure a new network, and write its card, its report, and the page for models/.

    Args:
        card: the card without figures.
        folder: the folder of the network.
        own: the user's own pictures to measure on as well, if there are any.
    """
    classifier = Classifier(folder / "digitre.tflite")
    figures = report.evaluate(classifier, SCENE_PICTURES if folder == MODELS else 0)
    if own:
        figures = Figures((*figures, *metrics.measure(classifier, "own_pictures", *own)))
    save_card(draw_report(classifier, replace(card, figures=figures), folder), folder)
    if folder == MODELS:
        write_page()
    return figures


def load_shipped() -> tuple[keras.Model, Card]:
    """The shipped network without its calibration, and its card. Raises ValueError."""
    classifier = Classifier(MODELS / "digitre.tflite")
    card = classifier.card()
    if card is None:
        raise ValueError(f"{MODELS} has no card for {classifier.model}")
    return calibration.load_uncalibrated(classifier), card


def held_out_pictures(folder: Path) -> Pictures:
    """The tenth of a user's own pictures that is not learned, to measure on.

    Names the files that cannot be read on standard error.

    Returns:
        (n, 28, 28) uint8 and (n,) labels.

    Raises:
        ValueError: if the folder has not enough pictures.
        OSError: if the folder cannot be read.
    """
    pictures, labels, unread = datasets.sorted_pictures(folder, "test")
    learned, _, unread_too = datasets.sorted_pictures(folder, "train")
    for file in unread + unread_too:
        print(f"not an image, or blank: {file}", file=sys.stderr)
    if not len(learned):
        raise ValueError(f"{folder} has no image to learn from")
    if not len(labels):
        raise ValueError(f"{folder} has too few images: a tenth of them is held out to measure on")
    print(f"{len(learned)} images to learn from, {len(labels)} held out", file=sys.stderr)
    return pictures, labels


def choose_folder(settings: fit.Settings, work: Path, defaults: dict[str, Any]) -> Path:
    """models/ for a full training, else `work`: a trial never replaces the shipped network."""
    short = settings.share < 1 or settings.epochs < fit.Settings(**defaults).epochs
    if not (short or settings.images or datasets.missing()):
        return MODELS
    print(f"the network will be in {work}", file=sys.stderr)
    return work


def train_teacher(
    settings: fit.Settings, work: Path, output: Path | None = None, *, resume: bool = False
) -> fit.Row:
    """Train the teacher and write `teacher.keras`.

    Args and exceptions are those of `train`.

    Returns:
        The figures of its last epoch.
    """
    if output is None:
        output = choose_folder(settings, work, TEACHER)
    output.mkdir(parents=True, exist_ok=True)
    with files.locked(work, wait=False):
        network, history = fit.train(settings, work, resume=resume)
        export.save_teacher(network, output)
    return history[-1]
