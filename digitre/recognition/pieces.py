"""A piece of a number's ink: a component, strokes of the pen, or a part that a cut made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from PIL import Image

NO_STROKES: frozenset[int] = frozenset()


@dataclass(frozen=True, eq=False)
class Piece:
    """Some ink and where it lies, in pixels of the ink that it was taken from.

    Attributes:
        ink: (height, width) uint8, cropped to its bounding box; ink of other pieces in that box is 0.
        top, left: where the bounding box begins.
        strokes: the indices of the pen's strokes that drew it, if they are known.
    """

    ink: np.ndarray
    top: int
    left: int
    strokes: frozenset[int] = NO_STROKES

    @cached_property
    def height(self) -> int:
        return self.ink.shape[0]

    @cached_property
    def width(self) -> int:
        return self.ink.shape[1]

    @cached_property
    def bottom(self) -> int:
        """The row just below it."""
        return self.top + self.height

    @cached_property
    def right(self) -> int:
        """The column just right of it."""
        return self.left + self.width

    @property
    def middle(self) -> float:
        """The row in the middle between top and bottom."""
        return (self.top + self.bottom) / 2

    @property
    def extent(self) -> int:
        """The longer side of the bounding box."""
        return max(self.height, self.width)


def cut_out(
    ink: np.ndarray, top: int, left: int, strokes: frozenset[int] = NO_STROKES
) -> Piece | None:
    """A piece with this ink, cropped to its bounding box; None if there is no ink.

    Args:
        ink: (height, width) uint8.
        top, left: where `ink` begins.
        strokes: see `Piece`.
    """
    box = Image.fromarray(ink).getbbox()
    if box is None:
        return None
    return Piece(ink[box[1] : box[3], box[0] : box[2]], top + box[1], left + box[0], strokes)


def join(pieces: Sequence[Piece]) -> Piece:
    """One piece with the ink of all of them."""
    if len(pieces) == 1:
        return pieces[0]
    top, left = min(each.top for each in pieces), min(each.left for each in pieces)
    bottom, right = max(each.bottom for each in pieces), max(each.right for each in pieces)
    ink = np.zeros((bottom - top, right - left), np.uint8)
    for each in pieces:
        box = ink[each.top - top : each.bottom - top, each.left - left : each.right - left]
        np.maximum(box, each.ink, out=box)
    return Piece(ink, top, left, NO_STROKES.union(*(each.strokes for each in pieces)))


def shared_width(one: Piece, other: Piece) -> int:
    """How many columns both have; negative: how many lie between them."""
    return min(one.right, other.right) - max(one.left, other.left)
