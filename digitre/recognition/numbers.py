"""Read a number: several digits, each with its box, or "Huh..." if the reading isn't sure.

The ink becomes pieces; neighbouring pieces, and parts of pieces in which digits may touch, become candidates. The
network reads them, and a lattice finds the best path through them: see `digitre.recognition.number_in_ink`. Photos of
paper, and drawings with something around them, are read in several ways: see `digitre.recognition.number_search`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from digitre.recognition.decoding import FULL_SIZE, LOSSY, to_eight_bits
from digitre.recognition.lattice import DIGITS, NEW_LINE
from digitre.recognition.number_in_ink import Found
from digitre.recognition.number_reading import (
    MOST_DIGITS,
    Alternative,
    Digit,
    NumberReading,
    blank,
    value_of,
)
from digitre.recognition.number_search import search
from digitre.recognition.reading import THRESHOLD, lowest_accepted
from digitre.recognition.reading import decide as decide_digit

if TYPE_CHECKING:
    from digitre.recognition.classifier import Classifier


def read_number(
    classifier: Classifier,
    image: Image.Image,
    *,
    strokes: Sequence[Any] | None = None,
    length: int | None = None,
    signs: bool = False,
    lines: bool = False,
    threshold: float = THRESHOLD,
) -> NumberReading:
    """Read the number in a decoded picture.

    Args:
        classifier: the network.
        image: of any mode.
        strokes: the pen's, lists of [x, y] or [x, y, milliseconds] in pixels of the picture, y down.
        length: how many digits the number has, if that is known: 1 to 40.
        signs: whether it may have signs: minus, point, comma, slash.
        lines: whether it may have several lines.
        threshold: the least confidence of the whole number that is answered.

    Raises:
        ValueError: if the threshold, the length or the strokes are not as above.
    """
    lowest_accepted(threshold)  # raises before any work is done
    if length is not None and not 1 <= length <= MOST_DIGITS:
        raise ValueError(f"a length must lie from 1 to {MOST_DIGITS}")
    options = {"length": length, "signs": signs, "lines": lines}
    full: tuple[int, int] = image.info.get(FULL_SIZE, image.size)
    small = to_eight_bits(image)
    scale = full[0] / small.width
    paths = [each / scale for each in as_paths(strokes)]
    found = search(classifier.classify, small, image.format in LOSSY, paths, options)
    if found is None:
        return blank(classifier.model)
    if found.is_one_digit:
        alone = classifier.detect(image)
        if alone.several:
            found = replace(found, believed=False)
        else:
            found = replace(found.as_one_digit(alone.row), believed=True, rivalled=False)
    return decide(found, classifier.model, threshold, scale)


def as_paths(strokes: Sequence[Any] | None) -> list[np.ndarray]:
    """Strokes as arrays (n, 2) float64 of x and y.

    Args:
        strokes: lists or arrays of points [x, y] or [x, y, milliseconds].

    Raises:
        ValueError: if they are something else.
    """
    paths = []
    for stroke in strokes or ():
        path = np.asarray(stroke, dtype=np.float64)
        if path.ndim != 2 or path.shape[1] not in (2, 3) or not len(path):
            raise ValueError("a stroke must be a list of [x, y] or [x, y, milliseconds]")
        if not np.isfinite(path).all():
            raise ValueError("a stroke must hold finite numbers")
        paths.append(path[:, :2])
    return paths


def decide(found: Found, model: str, threshold: float, scale: float = 1.0) -> NumberReading:
    """Decide on a number that was found.

    Args:
        found: the number.
        model: the version of the network.
        threshold: below this confidence it is refused.
        scale: how many pixels of the picture that was sent one of the picture that was read is.

    Raises:
        ValueError: if the threshold does not lie from 0 to 1.
    """
    answer = found.answer
    confidence = found.confidence
    reason = None
    if confidence < lowest_accepted(threshold):
        likely = answer.probability if found.fits and found.believed else 0.0
        reason = "not_a_number" if 1 - answer.certainty >= likely else "unsure"
        if not found.complete:
            reason = "too_complex"
    return NumberReading(
        answer.text,
        None if reason else value_of(answer.text),
        confidence,
        tuple(_digits(found, model, threshold, scale)),
        tuple(answer.text.split(NEW_LINE)),
        tuple(Alternative(*each) for each in answer.alternatives),
        reason,
        model,
    )


def _digits(found: Found, model: str, threshold: float, scale: float) -> Iterator[Digit]:
    """The digits of the best path. The probability of each allows for other paths."""
    left, top, size = found.place
    line = 0
    path = zip(found.answer.text, found.candidates, found.answer.posteriors, strict=True)
    for character, candidate, posterior in path:
        if candidate is None:
            line += 1
        elif character in DIGITS:
            piece = candidate.piece
            reading = decide_digit((candidate.row * posterior).tolist(), model, threshold)
            box = (
                round((left + piece.left * size) * scale),
                round((top + piece.top * size) * scale),
                round((left + piece.right * size) * scale),
                round((top + piece.bottom * size) * scale),
            )
            yield Digit(**vars(reading), box=box, line=line, strokes=tuple(sorted(piece.strokes)))
