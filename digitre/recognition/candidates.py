"""Candidates for the characters of a number: neighbouring pieces, and parts of pieces in which digits touch.

The constants were chosen on numbers, and on pairs of touching digits, of validation people: see
`digitre.training.evaluation.numbers`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from digitre.recognition.cuts import Cut, find_cuts, part_between
from digitre.recognition.lattice import DIGITS, Arc
from digitre.recognition.pieces import Piece, join, shared_width
from digitre.recognition.preprocessing import shape_ink
from digitre.recognition.signs import find_sign
from digitre.recognition.textlines import upper_quartile

Classify = Callable[[np.ndarray], np.ndarray]  # (n, 28, 28, 1) to (n, 10), as Classifier.classify

JOINED = 4  # pieces of one character, at most
# In heights of the line's digits:
WIDEST = 1.6  # a character of several pieces
GAP = 0.3  # within a character
FREE_GAP, GAP_COST = 0.05, 10.0  # what a gap beyond this costs, as a logarithm per height
FREE_SHARE, SHARE_COST = 0.15, 15.0  # the same for columns that two characters share
HIGH = 0.8  # a piece that may be a digit by itself
APART_COST = 1.0  # what it costs, as a logarithm, to join pieces of which two surely are
SMALL = 0.4  # what is smaller is hardly a digit of this line
# Pieces are cut if they are at least so wide and read with less than this probability; or very wide.
CUT_FROM, SURE = 0.5, 0.9
WIDE, VERY_SURE = 0.9, 0.995
PART_LOWEST, PART_WIDEST = 0.4, 1.3
# As logarithms: what a cut costs, and each pen's width of ink that it crosses.
CUT_COST, CROSSING_COST = 2.0, 0.5
WHOLE = 2.0  # how many pieces one stands for that is cut
MOST_PARTS = 600  # candidates of one picture that come from cuts


@dataclass(eq=False)
class Candidate:
    """Ink that may be a character.

    Attributes:
        start, end: the nodes of the lattice before and after it, counted within its line.
        piece: its ink.
        weight, prior: as in `lattice.Arc`.
        scale: what its digits' probabilities are multiplied by, since it is small for a digit.
        sign: what sign it may be, and how probably.
        row: (10,) the digits' probabilities.
    """

    start: int
    end: int
    piece: Piece
    weight: float = 1.0
    prior: float = 0.0
    scale: float = 1.0
    sign: tuple[str, float] | None = None
    row: np.ndarray = field(default_factory=lambda: np.zeros(len(DIGITS)))

    def arc(self, first: int) -> Arc:
        """Its arc in the lattice, if its line begins at node `first`."""
        labels = dict(zip(DIGITS, self.row.tolist(), strict=True))
        if self.sign:
            sign, probability = self.sign
            labels = {label: value * (1 - probability) for label, value in labels.items()}
            labels[sign] = probability
        return Arc(first + self.start, first + self.end, labels, self.weight, self.prior)


@dataclass(frozen=True)
class Line:
    """The candidates of a line, and the number of its last node."""

    candidates: list[Candidate]
    last: int


def find_candidates(
    lines: Sequence[Sequence[Piece]],
    pen: float,
    classify: Classify,
    *,
    signs: bool = False,
    most: int = MOST_PARTS,
) -> list[Line]:
    """All candidates of each line, read by the network.

    Args:
        lines: the pieces of each line, from left to right.
        pen: the width of the strokes, in pixels.
        classify: the network.
        signs: whether the number may have signs.
        most: so many candidates come from cuts, at most.
    """
    heights = [upper_quartile([each.height for each in pieces]) for pieces in lines]
    found = [
        _propose(pieces, height, pen, signs) for pieces, height in zip(lines, heights, strict=True)
    ]
    _read([each for line in found for each in line], classify)
    results = []
    parts: list[Candidate] = []
    for pieces, height, candidates in zip(lines, heights, found, strict=True):
        _hold_apart(candidates, len(pieces), height)
        new, last = _cut(pieces, candidates, height, pen, most - len(parts))
        parts += new
        results.append(Line(candidates + new, last))
    _read(parts, classify)
    return results


def _read(candidates: Sequence[Candidate], classify: Classify) -> None:
    """Read candidates in one call of the network."""
    if not candidates:
        return
    pixels = np.stack([shape_ink(each.piece.ink) for each in candidates])
    rows = classify(pixels[..., None])
    for each, row in zip(candidates, rows, strict=True):
        each.row = row * each.scale


def _propose(pieces: Sequence[Piece], height: float, pen: float, signs: bool) -> list[Candidate]:
    """Up to four neighbouring pieces as one character."""
    likely = [find_sign(pieces, k, height, pen, slashes=signs) for k in range(len(pieces))]
    found = []
    for start, first in enumerate(pieces):
        left, right, gap = first.left, first.right, 0.0
        for end in range(start + 1, min(start + JOINED, len(pieces)) + 1):
            added = pieces[end - 1]
            if end > start + 1:
                gap = max(gap, (added.left - right) / height)
                left, right = min(left, added.left), max(right, added.right)
                if gap > GAP or right - left > WIDEST * height:
                    break
            piece = join(pieces[start:end])
            prior = -GAP_COST * max(0.0, gap - FREE_GAP) - _sharing(pieces, end, height)
            scale = min(1.0, piece.extent / (SMALL * height)) ** 2
            sign = likely[start] if signs and end == start + 1 else None
            if sign is None:  # a sign is no digit, and no part of one; but a slash may be a 1
                found_signs = [each for each in likely[start:end] if each and each[0] != "/"]
                scale *= math.prod(1 - each[1] for each in found_signs)
            found.append(Candidate(start, end, piece, end - start, prior, scale, sign))
    return found


def _sharing(pieces: Sequence[Piece], end: int, height: float) -> float:
    """What it costs that a character ends here although pieces on both sides share columns."""
    shares = [
        shared_width(one, other)
        for one in pieces[max(0, end - 2) : end]
        for other in pieces[end : end + 2]
    ]
    return SHARE_COST * max(0.0, max(shares, default=0) / height - FREE_SHARE)


def _hold_apart(candidates: Sequence[Candidate], pieces: int, height: float) -> None:
    """Lower what joins pieces that are digits by themselves: a 9 and a 1 that touches it look like a 9, too.

    Args:
        candidates: of a line with so many pieces.
        height: of its digits.
    """
    digits = [0.0] * pieces
    for each in candidates:
        if each.end == each.start + 1 and each.piece.height >= HIGH * height:
            digits[each.start] = float(each.row.max())
    for each in candidates:
        if each.end > each.start + 1:
            each.prior -= APART_COST * sorted(digits[each.start : each.end])[-2]


def _cut(
    pieces: Sequence[Piece], candidates: Sequence[Candidate], height: float, pen: float, most: int
) -> tuple[list[Candidate], int]:
    """The parts of pieces in which digits may touch; the candidates' nodes make room for the cuts.

    Args:
        pieces, candidates: of a line. The candidates' nodes and weights change.
        height: of the line's digits.
        pen: the width of the strokes.
        most: so many parts, at most.

    Returns:
        The parts, and the line's last node.
    """
    best = [0.0] * len(pieces)
    for each in candidates:
        sure = max(float(each.row.max()), each.sign[1] if each.sign else 0.0)
        for k in range(each.start, each.end):
            best[k] = max(best[k], sure)
    parts: list[Candidate] = []
    nodes = [0]
    is_cut = []
    for piece, sure in zip(pieces, best, strict=True):
        cuts = []
        if _may_hold_several(piece.width / height, sure) and len(parts) < most:
            cuts = find_cuts(piece, height, pen)
        parts += _parts_of(piece, cuts, nodes[-1], height, pen)
        is_cut.append(bool(cuts))
        nodes.append(nodes[-1] + len(cuts) + 1)
    for each in candidates:
        each.weight = sum(WHOLE if is_cut[k] else 1.0 for k in range(each.start, each.end))
        each.start, each.end = nodes[each.start], nodes[each.end]
    return parts, nodes[-1]


def _may_hold_several(width: float, sure: float) -> bool:
    """Whether a piece is wide enough, in heights of the line, and read with too little probability."""
    return (width >= CUT_FROM and sure < SURE) or (width >= WIDE and sure < VERY_SURE)


def _parts_of(
    piece: Piece, cuts: Sequence[Cut], first: int, height: float, pen: float
) -> list[Candidate]:
    """The ink between each two cuts, or between a cut and an end of the piece."""
    if not cuts:
        return []
    bounds = [None, *cuts, None]
    found = []
    for k, left in enumerate(bounds[:-1]):
        for m in range(k + 1, len(bounds)):
            right = bounds[m]
            if left is None and right is None:
                continue
            part = part_between(piece, left, right, pen)
            if part is None or part.height < PART_LOWEST * height:
                continue
            if part.width > PART_WIDEST * height:
                continue
            prior = 0.0 if right is None else -CUT_COST - CROSSING_COST * right.cost
            found.append(Candidate(first + k, first + m, part, prior=prior))
    return found
