"""Read a number: several digits, each with its box, or "Huh..." if the reading isn't sure.

The ink becomes pieces; neighbouring pieces, and parts of pieces in which digits may touch, become candidates. The
network reads them, and a lattice finds the best path through them: over-segmentation, a recogniser that
rejects what is no character, and the best path (LeCun, Bottou, Bengio and Haffner 1998).

Ink on an even ground is read as it is. Photos of paper, and drawings with something around them, are read in
several ways, and the surest one counts: see `digitre.recognition.number_inks`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from digitre.recognition import lattice
from digitre.recognition.candidates import MOST_PARTS, Candidate, Classify, find_candidates
from digitre.recognition.decoding import FULL_SIZE, LOSSY, to_eight_bits
from digitre.recognition.ink import flatten, on_even_ground, on_plain_ground, trim
from digitre.recognition.lattice import DIGITS, NEW_LINE, Answer, Arc
from digitre.recognition.number_inks import Place, find_inks
from digitre.recognition.number_reading import (
    MOST_DIGITS,
    Alternative,
    Digit,
    NumberReading,
    blank,
    value_of,
)
from digitre.recognition.pieces import Piece
from digitre.recognition.reading import THRESHOLD, lowest_accepted
from digitre.recognition.reading import decide as decide_digit
from digitre.recognition.segmentation import Segmentation, Strokes, segment

if TYPE_CHECKING:
    from digitre.recognition.classifier import Classifier

MOST_PIECES = 120
MOST_STROKES = 200
MOST_INKS = 12
MOST_COMPLEX = 4  # inks with too many pieces
ENOUGH = 0.9  # a reading with this probability ends the search


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
    found = _search(classifier.classify, small, image.format in LOSSY, paths, options)
    if found is None:
        return blank(classifier.model)
    if found.is_one_digit:
        alone = classifier.detect(image)
        if not alone.several:
            found = found.as_one_digit(alone.row)
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


def _search(
    classify: Classify,
    image: Image.Image,
    lossy: bool,
    strokes: Strokes,
    options: dict[str, Any],
) -> Found | None:
    """The number in a picture, in the ink that gives the surest one."""
    plain = on_plain_ground(image, lossy)
    if plain is None:
        image = flatten(image)
        plain = on_even_ground(image, lossy)
    best = None
    if plain is not None:
        ink = plain if plain.margins else trim(plain)
        left, top, _, _ = ink.margins or (0, 0, 0, 0)
        best = _find(ink.values, classify, strokes, (left, top, 1), options)
        if best is None or best.confidence >= THRESHOLD or not best.complete:
            return best
    complex_ones = 0
    inks = find_inks(flatten(image), plain, lines=options["lines"])
    for number, (values, place) in enumerate(inks, 1):
        found = _find(values, classify, strokes, place, options)
        # A drawing's own text stays, unless it is read without what is around it: a device shows the same text.
        least = THRESHOLD if plain is not None else 0.0
        if found and (best is None or found.confidence > max(best.confidence, least)):
            best = found
        complex_ones += found is not None and not found.complete
        if (
            number == MOST_INKS
            or complex_ones == MOST_COMPLEX
            or (best and best.confidence >= ENOUGH)
        ):
            break
    return best


def _find(
    ink: np.ndarray,
    classify: Classify,
    strokes: Strokes,
    place: Place,
    options: dict[str, Any],
) -> Found | None:
    """`find_number`, with the strokes and the answer in pixels of the picture.

    Args:
        place: where the ink begins in the picture, left and top, and how many of its pixels one of the ink's is.
    """
    left, top, size = place
    moved = [(each - (left, top)) / size for each in strokes]
    found = find_number(ink, classify, moved, **options)
    return found and replace(found, place=(left, top, size * found.place[2]))


@dataclass(frozen=True)
class Found:
    """A number that was found in ink.

    Attributes:
        answer: of the lattice.
        candidates: for each arc of its best path; None for a line break.
        place: where the ink begins in the picture, left and top, and how many pixels of the picture are one of a
            candidate's.
        complete: whether all ink was looked at.
        fits: whether it has as many digits as it was said to have.
    """

    answer: Answer
    candidates: tuple[Candidate | None, ...]
    place: Place
    complete: bool
    fits: bool

    @property
    def confidence(self) -> float:
        """The probability of the whole text; 0 if it can't be right."""
        return self.answer.probability if self.complete and self.fits else 0.0

    @property
    def is_one_digit(self) -> bool:
        """Whether all ink is one digit."""
        return len(self.answer.text) == 1 and self.answer.text in DIGITS

    def as_one_digit(self, row: Sequence[float]) -> Found:
        """The same with the probabilities of the ten digits that the reading of one digit gives."""
        (candidate,) = self.candidates
        assert candidate is not None
        candidate.row, candidate.sign = np.asarray(row), None
        arc = candidate.arc(0)
        order = sorted(range(10), key=row.__getitem__, reverse=True)[:4]
        alternatives = tuple((str(each), float(row[each])) for each in order[1:])
        answer = Answer(
            str(order[0]), (arc,), float(row[order[0]]), arc.is_character, (1.0,), alternatives
        )
        return replace(self, answer=answer)


def find_number(
    ink: np.ndarray,
    classify: Classify,
    strokes: Strokes = (),
    *,
    length: int | None = None,
    signs: bool = False,
    lines: bool = False,
) -> Found | None:
    """Find the number in ink.

    Args:
        ink: (height, width) uint8, 0 where there is none, without margins.
        classify: the network.
        strokes: the pen's strokes, arrays (n, 2) of x and y in pixels of `ink`.
        length: how many digits it has, if that is known.
        signs: whether it may have signs.
        lines: whether it may have several lines.

    Returns:
        None if there is no ink.
    """
    segmentation = segment(ink, strokes[:MOST_STROKES], several_lines=lines)
    kept, complete = _largest(segmentation)
    if not kept:
        return None
    # What is too complex is refused: its text needs no care.
    parts = MOST_PARTS if complete else 0
    found = find_candidates(kept, segmentation.pen, classify, signs=signs, most=parts)
    arcs: dict[Arc, Candidate] = {}
    breaks: list[Arc] = []
    first = 0
    for line in found:
        if first:
            breaks.append(Arc(first - 1, first, {NEW_LINE: 1.0}))
        arcs |= {each.arc(first): each for each in line.candidates}
        first += line.last + 1
    every = [*arcs, *breaks]
    answer = lattice.solve(every, first - 1, length)
    fits = answer is not None
    answer = answer or lattice.solve(every, first - 1)
    assert answer is not None  # each piece by itself is a candidate
    digits = sum(each in DIGITS for each in answer.text)
    complete = complete and len(strokes) <= MOST_STROKES and digits <= MOST_DIGITS
    chosen = tuple(arcs.get(arc) for arc in answer.arcs)
    return Found(answer, chosen, (0, 0, segmentation.factor), complete, fits)


def _largest(segmentation: Segmentation) -> tuple[list[list[Piece]], bool]:
    """The lines with all their pieces, and True; or with the largest pieces only, and False, if there are too
    many."""
    extents = sorted((each.extent for line in segmentation.lines for each in line), reverse=True)
    if len(extents) <= MOST_PIECES and segmentation.complete:
        return segmentation.lines, True
    least = extents[min(MOST_DIGITS, len(extents)) - 1]
    left = MOST_DIGITS
    kept = []
    for line in segmentation.lines:
        large = [each for each in line if each.extent >= least][:left]
        left -= len(large)
        if large:
            kept.append(large)
    return kept, False


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
        reason = "not_a_number" if 1 - answer.certainty >= confidence else "unsure"
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
