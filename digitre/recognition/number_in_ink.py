"""Find the number in some ink: the best path through a lattice of its pieces.

The ink is cut into more pieces than it has digits (over-segmentation). The network rejects what is not a character, and
the best path counts (LeCun, Bottou, Bengio and Haffner 1998).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np

from digitre.recognition import lattice
from digitre.recognition.candidates import MOST_PARTS, Candidate, Classify, find_candidates
from digitre.recognition.lattice import DIGITS, NEW_LINE, Answer, Arc
from digitre.recognition.layout import is_as_written
from digitre.recognition.number_reading import MOST_DIGITS
from digitre.recognition.pieces import Piece
from digitre.recognition.segmentation import Segmentation, Strokes, segment

MOST_PIECES = 120
MOST_STROKES = 200

Place = tuple[float, float, float]  # as in `Found.place`


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
        surrounded: whether the ink has parts that may be no digits: see `Segmentation`.
        believed: whether it may be answered: not if its digits do not stand as people write them, or if anything else
            in the picture speaks against it.
        rivalled: whether the picture is read as another number, too.
    """

    answer: Answer
    candidates: tuple[Candidate | None, ...]
    place: Place
    complete: bool
    fits: bool
    surrounded: bool = False
    believed: bool = True
    rivalled: bool = False

    @property
    def confidence(self) -> float:
        """The probability of the whole text; 0 if it can't be right."""
        can_be = self.complete and self.fits and self.believed
        probability = self.answer.probability / (1 + self.rivalled)
        return probability if can_be else 0.0

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
    most: int = MOST_PIECES,
) -> Found | None:
    """Find the number in ink.

    Args:
        ink: (height, width) uint8, 0 where there is none, without margins.
        classify: the network.
        strokes: the pen's strokes, arrays (n, 2) of x and y in pixels of `ink`.
        length: how many digits it has, if that is known.
        signs: whether it may have signs.
        lines: whether it may have several lines.
        most: if there are more pieces, only the largest are read.

    Returns:
        The number; None for a blank.
    """
    segmentation = segment(ink, strokes[:MOST_STROKES], several_lines=lines)
    kept, complete = _largest(segmentation, most)
    if not kept:
        return None
    # What is too complex is refused: its text needs no care.
    parts = MOST_PARTS * most // MOST_PIECES if complete else 0
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
    place = (0, 0, segmentation.factor)
    pieces = iter([each.piece for each in chosen if each])
    believed = all(
        is_as_written(line, list(islice(pieces, len(line)))) for line in answer.text.split(NEW_LINE)
    )
    return Found(answer, chosen, place, complete, fits, segmentation.surrounded, believed)


def _largest(segmentation: Segmentation, most: int) -> tuple[list[list[Piece]], bool]:
    """The lines with all their pieces, and True; or with the largest pieces only, and False, if there are too
    many."""
    extents = sorted((each.extent for line in segmentation.lines for each in line), reverse=True)
    if len(extents) <= most and segmentation.complete:
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
