"""Whether the digits of a number stand next to each other as people write them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from digitre.recognition.lattice import DIGITS
from digitre.recognition.pieces import Piece
from digitre.recognition.textlines import Box, are_one_line

# Degrees: two 1s that lean so differently are a "V", an "M" or a tick. On numbers of real people it was 7 at most.
LEAN = 20.0
# So many digits that are all the same, and of one size to a twentieth or a pixel, are a pattern, such as the binding of
# a notebook.
MANY, SAME = 7, 0.05


def is_as_written(text: str, pieces: Sequence[Piece]) -> bool:
    """Whether a text's digits stand in one line, neighbouring 1s lean alike, and not all are copies of one another.

    Args:
        text: digits and signs.
        pieces: the ink of each.
    """
    digits = [piece for character, piece in zip(text, pieces, strict=True) if character in DIGITS]
    if not are_one_line([Box(each.left, each.top, each.right, each.bottom) for each in digits]):
        return False
    for (one, left), (other, right) in pairwise(zip(text, pieces, strict=True)):
        if one == other == "1" and abs(lean(left) - lean(right)) > LEAN:
            return False
    return len(digits) < MANY or len(set(text)) > 1 or not _are_copies(digits)


def lean(piece: Piece) -> float:
    """How much ink leans from upright, in degrees from -90 to 90: the angle of its principal axis."""
    rows, columns = np.nonzero(piece.ink)
    weights = piece.ink[rows, columns].astype(np.float64)
    down = rows - np.average(rows, weights=weights)
    across = columns - np.average(columns, weights=weights)
    both = 2 * np.average(across * down, weights=weights)
    return float(np.degrees(np.arctan2(both, np.average(down**2 - across**2, weights=weights)) / 2))


def _are_copies(pieces: Sequence[Piece]) -> bool:
    """Whether all pieces have one size."""
    return all(
        max(sides) - min(sides) <= max(1.0, SAME * max(sides))
        for sides in ([each.height for each in pieces], [each.width for each in pieces])
    )
