"""Measure how a classifier reads scenes: whole picture files, by `Classifier.read`."""

from __future__ import annotations

import multiprocessing
import zlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from digitre.recognition.card import Figure
from digitre.recognition.classifier import Classifier, Reading
from digitre.training.data import datasets
from digitre.training.data.datasets import NO_DIGIT, Part, Traces
from digitre.training.evaluation import sets
from digitre.training.evaluation.scenes.drawing import Writing
from digitre.training.evaluation.scenes.table import SCENE_SETS, SceneSet

PICTURES = 200  # of each set
CONFIDENT = 0.9  # a wrong digit with this confidence counts as a confident error


@dataclass(frozen=True)
class Answer:
    """How one picture of a set was read; `label` is 0 to 9, or 10 if no digit may be read."""

    label: int
    reading: Reading

    @property
    def correct(self) -> bool:
        """Whether the digit was accepted and is the label, or "Huh..." where it must be."""
        digit = NO_DIGIT if self.reading.digit is None else self.reading.digit
        return digit == self.label

    @property
    def refused(self) -> bool:
        return self.reading.digit is None

    @property
    def confident_error(self) -> bool:
        """Whether it is a wrong digit with a confidence of 90 % or more."""
        return not (self.correct or self.refused) and self.reading.confidence >= CONFIDENT


def clear_digits(classifier: Classifier, part: Part) -> Traces:
    """The digits of a part's writers that are clear: alone on a canvas, they are read confidently.

    So a scene shows how a digit is found, not how odd digits are read. They are pen
    traces and UNIPEN's digits, without labels that are wrong.
    """
    pen, unipen = datasets.pen_digits(part), datasets.unipen_digits(part)
    traces = Traces(pen.strokes + unipen.strokes, np.concatenate([pen.labels, unipen.labels]))
    if not len(traces):
        return traces
    rows = classifier.classify(sets.as_batch(sets.draw(traces, sets.central)[0]))
    clear = (rows.argmax(1) == traces.labels) & (rows.max(1) >= CONFIDENT)
    chosen = np.flatnonzero(clear)
    return Traces([traces.strokes[index] for index in chosen], traces.labels[chosen])


def pictures(scene_set: SceneSet, drawings: Traces, count: int) -> Iterator[tuple[bytes, int]]:
    """Draw the pictures of a set: each picture file, and its label.

    The digits 0 to 9 take turns. The pictures are the same each time, for the same drawings.
    """
    for number in range(count):
        random = np.random.default_rng([zlib.crc32(scene_set.id.encode()), number])
        if scene_set.digits == 1:
            label = number % 10
            chosen = random.choice(np.flatnonzero(drawings.labels == label), 1)
        else:
            label = NO_DIGIT
            chosen = random.integers(0, len(drawings), scene_set.digits)
        digits = [drawings.strokes[index] for index in chosen]
        yield scene_set.scene.draw(Writing(digits, drawings.strokes), random), label


def read(classifier: Classifier, scene_set: SceneSet, drawings: Traces, count: int) -> list[Answer]:
    """Read the pictures of a set."""
    return [
        Answer(label, classifier.read(picture))
        for picture, label in pictures(scene_set, drawings, count)
    ]


def measure(
    classifier: Classifier,
    part: Part,
    *,
    count: int = PICTURES,
    scene_sets: Sequence[SceneSet] = SCENE_SETS,
) -> list[Figure]:
    """Measure sets of scenes, with a process per core.

    Args:
        classifier: a `Classifier` itself: each process makes its own from the path.
        part: whose drawings are used.
        count: pictures of each set.

    Returns:
        For each set `count` and, in per cent, `refused`; with one digit also `correct` (accepted and
        right) and `confident_errors`; with several digits `several` (refused for that reason). Empty
        if the drawings are missing.
    """
    drawings = clear_digits(classifier, part)
    if not len(drawings):
        return []
    # A fork would copy TensorFlow's locks, if it is loaded.
    with ProcessPoolExecutor(mp_context=multiprocessing.get_context("spawn")) as processes:
        tasks = [
            processes.submit(_measure_one, classifier.path, each, each.id_of(part), drawings, count)
            for each in scene_sets
        ]
        return [figure for task in tasks for figure in task.result()]


def _measure_one(
    network: Path, scene_set: SceneSet, set_id: str, drawings: Traces, count: int
) -> list[Figure]:
    answers = read(Classifier(network), scene_set, drawings, count)
    return figures_of(answers, set_id, scene_set.digits)


def figures_of(answers: Sequence[Answer], set_id: str, digits: int) -> list[Figure]:
    """The figures of a set whose pictures have so many digits: see `measure`."""
    shares = {"refused": [each.refused for each in answers]}
    if digits == 1:
        shares = {"correct": [each.correct for each in answers], **shares}
        shares["confident_errors"] = [each.confident_error for each in answers]
    elif digits > 1:
        shares["several"] = [each.reading.reason == "several" for each in answers]
    figures = [Figure(set_id, "count", len(answers))]
    return figures + [
        Figure(set_id, metric, 100 * float(np.mean(each))) for metric, each in shares.items()
    ]
