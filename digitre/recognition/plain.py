"""A plain drawing: one on an even ground, with nothing around it. Whether its reading stands without a search."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image

from digitre.recognition.decoding import Picture, to_pixels
from digitre.recognition.found import GREY, RECTANGLE, Detection, is_one_piece
from digitre.recognition.ink import Ink
from digitre.recognition.preprocessing import find_plain_drawing, shape_ink

SURE = 0.9  # what is read with this probability is not searched
BLANK = np.zeros((28, 28), np.float32)
WIDE = 1.3  # width over height: what is wider may be two digits that touch as the network sees them


@dataclass(frozen=True)
class Prepared:
    """A picture before the network reads it.

    Attributes:
        picture: decoded, as `decoding.to_pixels` returns it.
        drawing: its ink if it is a plain drawing, else None.
        pixels: (28, 28) float32 in [0, 1], the drawing as the network sees it; zeros if there is none.
    """

    picture: Image.Image | np.ndarray
    drawing: Ink | None
    pixels: np.ndarray

    def count_pixels(self) -> int:
        """How many pixels the picture has."""
        if isinstance(self.picture, Image.Image):
            return self.picture.width * self.picture.height
        return self.picture.shape[0] * self.picture.shape[1]

    def as_read(self, row: list[float]) -> Detection | None:
        """The reading of all of the drawing's ink, if it is plain; `row` has the ten digits' probabilities."""
        if self.drawing is None:
            return None
        margins = self.drawing.margins or (0, 0, 0, 0)
        return Detection(self.drawing.values, self.pixels, row, margins=margins)


def prepare(picture: Picture) -> Prepared:
    """Decode a picture, and bring a plain drawing to what the network sees. Raises what `decoding.to_image` raises."""
    decoded = to_pixels(picture)
    drawing = find_plain_drawing(decoded)
    return Prepared(decoded, drawing, BLANK if drawing is None else shape_ink(drawing.values))


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
