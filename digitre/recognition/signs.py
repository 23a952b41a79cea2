"""Signs in numbers: minus, point, comma, slash, told by their size and place.

The network can't tell them: brought to one size, a comma and a slash are a 1. So a sign is judged before the
network, by the digits next to it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from digitre.recognition.pieces import Piece, shared_width

SURE = 0.98  # the probability of a sign that has the size and the place of one
DIGIT = 0.5  # of the line's height: digits are at least so high
# Of the height of the digits next to it, chosen on the mixed strings of validation people:
FLAT = 0.45  # a minus is at most so high
SHORT = 0.35  # a short one
LONGEST = 1.3  # and at most so wide
LEVEL = 1.15  # and, if it is not short, at least so many times as wide as high
BAND = (0.2, 0.8)  # and its middle lies so far below the top of the digits
DOT = 0.3  # a point is at most so large
DESCENT = 0.12  # and reaches at most so far below the digits
TAIL = (0.8, 0.5)  # a comma is at most so high and so wide
LOW = 0.5  # point and comma begin so far below the top of the digits
FREE = 0.5  # of its own width: minus, point and comma share at most so much with their neighbours
TALL = 0.8  # a slash is at least so high
STRAIGHT = 0.02  # and strays from a straight line by at most so much of its height ...
THICK = 0.45  # ... and so many widths of the pen, as standard deviations
OUTSIDE = 0.1  # how likely it is to begin or to end a number, compared with a place within
UPRIGHT = 0.1  # and leans to the right by at least so much of its height
# Logistic regression on the slashes and ones of training and validation people: a slash is taller, and leans.
AT_ALL, TALLER, LEANING = -15.0, 9.9, 6.0


def find_sign(
    pieces: Sequence[Piece], place: int, height: float, pen: float, *, slashes: bool = True
) -> tuple[str, float] | None:
    """The sign that a piece may be, and its probability.

    Args:
        pieces: those of a line, from left to right.
        place: the index of the piece.
        height: of the line's digits, in pixels.
        pen: the width of the strokes, in pixels.
        slashes: whether a slash is looked for as well.

    Returns:
        None if it has the size or the place of none.
    """
    piece = pieces[place]
    neighbours = [
        next((each for each in side if each.height >= DIGIT * height), None)
        for side in (pieces[:place][::-1], pieces[place + 1 :])
    ]
    digits = [each for each in neighbours if each is not None]
    if not digits:
        return None
    top = sum(each.top for each in digits) / len(digits)
    bottom = sum(each.bottom for each in digits) / len(digits)
    size = bottom - top
    others = [*pieces[max(0, place - 1) : place], *pieces[place + 1 : place + 2]]
    free = all(shared_width(piece, each) <= FREE * piece.width for each in others)
    if free and _is_minus(piece, top, size):
        return "-", SURE
    if free and piece.top >= top + LOW * size and piece.width <= TAIL[1] * size:
        below = (piece.bottom - bottom) / size
        if piece.extent <= DOT * size and below <= DESCENT:
            return ".", SURE
        if piece.height <= TAIL[0] * size and (below > DESCENT or piece.height <= 0.5 * size):
            return ",", SURE
    if slashes and piece.height >= TALL * size:
        probability = slash_probability(piece, size, pen)
        if place in (0, len(pieces) - 1):
            probability *= OUTSIDE
        return ("/", probability) if probability > 0.01 else None
    return None


def _is_minus(piece: Piece, top: float, size: float) -> bool:
    """Whether it is a level line, or a short one in any direction, half way up."""
    middle = (piece.middle - top) / size
    if not BAND[0] <= middle <= BAND[1] or piece.width > LONGEST * size:
        return False
    is_flat = piece.height <= FLAT * size and piece.width >= LEVEL * piece.height
    return is_flat or piece.extent <= SHORT * size


def slash_probability(piece: Piece, size: float, pen: float) -> float:
    """How probably a piece is a slash and not a 1: by how straight it is, how much it leans, and how far it
    reaches beyond the digits.

    Args:
        piece: the ink.
        size: the height of the digits next to it.
        pen: the width of the strokes.
    """
    rows, columns = np.nonzero(piece.ink > piece.ink.max() // 2)
    if len(rows) < 3 or piece.height < 4:
        return 0.0
    line = np.polyfit(rows, columns, 1)
    misfit = columns - np.polyval(line, rows)
    if misfit.std() > THICK * pen + STRAIGHT * piece.height or -line[0] < UPRIGHT:
        return 0.0
    odds = AT_ALL + TALLER * piece.height / size - LEANING * line[0]
    return float(SURE / (1 + np.exp(-odds)))
