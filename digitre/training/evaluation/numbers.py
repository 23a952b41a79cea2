"""How well numbers are read: whole strings of digits, touching pairs, signs; and words, which are none.

Each is drawn on a canvas and read as it is served, from the picture alone and with its strokes. The constants of
`digitre.recognition.candidates`, `cuts`, `signs` and `lattice` were chosen on the validation parts; test parts
are only for measuring.

    python -m digitre.training.evaluation.numbers [validation|test]
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from PIL import Image

from digitre.recognition.card import Figure
from digitre.recognition.classifier import Classifier, is_refused
from digitre.training.data.split import Part
from digitre.training.data.strings import Written
from digitre.training.data.strokes import render
from digitre.training.evaluation.metrics import calibration_error
from digitre.training.evaluation.number_sets import FORMS, SETS, set_id

WORDS = 300  # that are measured
LONGEST = (
    12  # a line is at most so many times as long as its digits are high, else it is drawn smaller
)


def measure(classifier: Classifier, part: Part) -> Iterator[Figure]:
    """Measure how numbers are read.

    Returns:
        For each set and form: `count`; `accuracy`, the share of texts that are right, refused or not; `refused`, at
        60 %; `answered_accuracy`, the share of answers that are right; and `calibration_error` of the whole text's
        confidence; in per cent. For words only `count` and `refused`. None for a set without data.
    """
    for name, _, load, signs in SETS:
        written = load(part)
        if name == "letters":
            chosen = np.random.default_rng(0).permutation(len(written))[:WORDS]
            written = [written[k] for k in chosen]
        for form in FORMS:
            if written:
                readings = _read(classifier, written, form == "strokes", signs)
                yield from figures_of(
                    set_id(name, form, part), readings, is_number=name != "letters"
                )


def draw(written: Written, seed: int) -> tuple[np.ndarray, list[np.ndarray]]:
    """Draw something on a canvas of 80 to 250 pixels in height, with a pen of 2 to 6 % of that.

    Returns:
        (height, width) uint8, dark on white; and its strokes in pixels.
    """
    random = np.random.default_rng(seed)
    height = int(random.integers(80, 251))
    points = np.concatenate(written.strokes).astype(np.float64)
    low, high = points.min(0), points.max(0)
    size = max(high[1] - low[1], (high[0] - low[0]) / LONGEST, 1e-9)
    scale = height * random.uniform(0.5, 0.8) / size
    pen = height * random.uniform(0.02, 0.06)
    width = int((high[0] - low[0]) * scale + 0.4 * height)
    top = (height - (high[1] - low[1]) * scale) / 2
    strokes = [
        np.stack(
            [(each[:, 0] - low[0]) * scale + 0.2 * height, (high[1] - each[:, 1]) * scale + top], 1
        )
        for each in written.strokes
    ]
    return 255 - render(strokes, width, height, pen), strokes


def _read(
    classifier: Classifier, written: Sequence[Written], with_strokes: bool, signs: bool
) -> np.ndarray:
    """(n, 2) float: of each, its confidence and whether its text is right."""
    rows = []
    for seed, each in enumerate(written):
        picture, strokes = draw(each, seed)
        reading = classifier.read_number(
            Image.fromarray(picture), strokes=strokes if with_strokes else None, signs=signs
        )
        rows.append((reading.confidence, reading.text == each.text))
    return np.array(rows, float)


def figures_of(id: str, readings: np.ndarray, *, is_number: bool) -> Iterator[Figure]:
    """The figures of a set: see `measure`.

    Args:
        id: of the set.
        readings: (n, 2) float: of each picture, its confidence and whether its text is right.
        is_number: whether the pictures show numbers; else they must be refused.
    """
    confidence, right = readings[:, 0], readings[:, 1].astype(bool)
    refused = is_refused(confidence)
    yield Figure(id, "count", len(readings))
    if is_number:
        yield Figure(id, "accuracy", 100 * float(right.mean()))
    yield Figure(id, "refused", 100 * float(refused.mean()))
    if is_number:
        answered = right[~refused]
        yield Figure(
            id, "answered_accuracy", 100 * float(answered.mean()) if len(answered) else 0.0
        )
        yield Figure(id, "calibration_error", 100 * calibration_error(confidence, right))


def main(arguments: Sequence[str]) -> None:
    """Print the figures of a part, `test` unless it is named."""
    part: Any = arguments[0] if arguments else "test"
    for figure in measure(Classifier(), part):
        print(f"{figure.set:24} {figure.metric:18} {figure.value:8.2f}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
