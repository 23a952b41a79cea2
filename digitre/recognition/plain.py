"""A plain drawing: one on an even ground, with nothing around it. Whether its reading stands without a search."""

from __future__ import annotations

import numpy as np

from digitre.recognition.found import GREY, RECTANGLE, Detection, is_one_piece
from digitre.recognition.ink import Ink

SURE = 0.9  # what is read with this probability is not searched
WIDE = 1.3  # width over height: what is wider may be two digits that touch as the network sees them


def as_read(ink: Ink, pixels: np.ndarray, row: list[float]) -> Detection:
    """The reading of all of a plain drawing's ink.

    Args:
        ink: the drawing.
        pixels: (28, 28) float32 in [0, 1], the same as the network sees it.
        row: the ten digits' probabilities.
    """
    return Detection(ink.values, pixels, row, margins=ink.margins or (0, 0, 0, 0))


def stands(plain: Detection) -> bool:
    """Whether the reading of a plain drawing needs no search: it is blank; or it is sure, of one piece, hardly wider
    than high, and does not touch an edge of the picture."""
    height, width = plain.ink.shape
    return not plain.pixels.any() or (
        max(plain.row) >= SURE
        and width <= WIDE * height
        and is_one_piece(plain.pixels)
        and min(plain.margins) > 0
        and not is_bar(plain)
    )


def is_bar(plain: Detection) -> bool:
    """Whether the drawing is a grey rectangle along an edge, such as a scroll bar. A black one may be a 1."""
    thickness = min(plain.ink.shape)
    return (
        min(plain.margins) <= thickness
        and bool(np.count_nonzero(plain.ink) >= RECTANGLE * plain.ink.size)
        and plain.ink.mean() <= GREY
    )
