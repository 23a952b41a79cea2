"""How well numbers are read among other things: the scenes of one digit, with a number in the digit's place.

The numbers are clear: alone on a canvas, they are read confidently. So this shows how a number is found. The constants
of `digitre.recognition.rows`, `number_inks` and `number_search` were chosen on the validation part.

    python -m digitre.training.evaluation.number_scenes [validation|test]
"""

from __future__ import annotations

import multiprocessing
import sys
import zlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from digitre.recognition.card import Figure
from digitre.recognition.classifier import Classifier
from digitre.training.data import datasets, strings
from digitre.training.data.datasets import Part
from digitre.training.data.strings import Written
from digitre.training.evaluation import number_sets, numbers
from digitre.training.evaluation.scenes.drawing import Writing
from digitre.training.evaluation.scenes.figures import CONFIDENT
from digitre.training.evaluation.scenes.table import SCENES, Scene

PICTURES = 20  # of each scene, with and without a number
LONGEST = 4  # digits
OTHERS = 2000  # drawings, for rests of writing


def clear_numbers(classifier: Classifier, part: Part) -> list[Written]:
    """The numbers of 2 to 4 digits of a part's people that are read confidently when they are alone."""
    found = []
    for seed, each in enumerate(strings.strings(part)):
        if len(each.text) <= LONGEST:
            picture, _ = numbers.draw(each, seed)
            reading = classifier.read_number(Image.fromarray(picture))
            if reading.text == each.text and reading.confidence >= CONFIDENT:
                found.append(each)
    return found


def pictures(
    scene: Scene, written: Sequence[Written], others: Sequence[Any], count: int
) -> Iterator[tuple[bytes, str]]:
    """Draw pictures of a scene: each file and its text. Without numbers the scene is empty, and the text is "".

    They are the same each time, for the same numbers.
    """
    for number in range(count):
        random = np.random.default_rng([zlib.crc32(scene.id.encode()), number])
        chosen = [written[int(random.integers(len(written)))]] if written else []
        digits = [[np.asarray(stroke) for stroke in each.strokes] for each in chosen]
        yield scene.draw(Writing(digits, others), random), "".join(each.text for each in chosen)


def measure(
    classifier: Classifier, part: Part, *, count: int = PICTURES, by_scene: bool = False
) -> list[Figure]:
    """Measure numbers in all scenes, and scenes without one, with a process per core.

    Args:
        classifier: a `Classifier` itself: each process makes its own from the path.
        part: whose numbers are used.
        count: pictures of each scene.
        by_scene: whether each scene gets its own figures, by its id.

    Returns:
        The figures of `numbers.measure` for `numbers_in_scenes`, and `count` and `refused` for
        `scenes_without_numbers`. Empty if the numbers are missing.
    """
    written = clear_numbers(classifier, part)
    if not written:
        return []
    others = datasets.unipen_others(part).strokes[:OTHERS]
    figures: list[Figure] = []
    # A fork would copy TensorFlow's locks, if it is loaded.
    with ProcessPoolExecutor(mp_context=multiprocessing.get_context("spawn")) as processes:
        for name, used, scenes in (
            (number_sets.IN_SCENES, written, SCENES),
            (number_sets.WITHOUT, [], [each for each in SCENES if each.empty]),
        ):
            tasks = [
                processes.submit(_read, classifier.path, each, used, others, count)
                for each in scenes
            ]
            rows = [task.result() for task in tasks]
            if by_scene:
                for each, of_scene in zip(scenes, rows, strict=True):
                    scene_id = f"{name}: {each.id}"
                    figures += numbers.figures_of(scene_id, of_scene, is_number=bool(used))
            set_id = number_sets.part_id(name, part)
            figures += numbers.figures_of(set_id, np.concatenate(rows), is_number=bool(used))
    return figures


def _read(
    network: Path, scene: Scene, written: Sequence[Written], others: Sequence[Any], count: int
) -> np.ndarray:
    """(count, 2) float: of each picture, its confidence and whether its text is right."""
    classifier = Classifier(network)
    rows = []
    for picture, text in pictures(scene, written, others, count):
        reading = classifier.read_number(picture)
        rows.append((reading.confidence, reading.text == text))
    return np.array(rows, float)


def main(arguments: Sequence[str]) -> None:
    """Print the figures of a part, `test` unless it is named, for each scene and for all."""
    part: Any = arguments[0] if arguments else "test"
    for figure in measure(Classifier(), part, by_scene=True):
        print(f"{figure.set:48} {figure.metric:18} {figure.value:8.2f}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
