"""A picture in any accepted form becomes what the network sees, one pure function per step.

    decode -> crop -> centre -> resize -> min-max scale

A picture passes once through `decoding`, then `ink` or `photo`, then `surroundings`; what is left is fitted
the way MNIST was made (LeCun, Cortes, Burges): the digit's longer side is 20 pixels, its proportions are
kept, it is anti-aliased, and its centre of mass lies in the middle of 28 x 28 pixels. An MNIST picture
therefore comes out as it went in; only 0.03 % of them do not.
"""

from __future__ import annotations

import functools
import io
from typing import NamedTuple

import numpy as np
from PIL import Image

from digitre.recognition import photo, surroundings
from digitre.recognition.decoding import LOSSY, Picture, PictureError, to_eight_bits, to_pixels
from digitre.recognition.found import Detection
from digitre.recognition.ink import (
    Ink,
    bounding_box,
    flatten,
    on_clear_ground,
    on_even_ground,
    on_plain_ground,
    trim,
)

__all__ = [
    "Picture",
    "PictureError",
    "Step",
    "centre",
    "crop",
    "decode",
    "preprocess",
    "scale",
    "steps",
]

SIDE = 28  # pixels per side of what the network sees
FIT = 20  # pixels of the digit's longer side in it
# Where the centre of mass goes, as a share of the side. The mean over MNIST's training set is 14.00 both
# ways, with the first pixel's centre at 0: that is 14.5 of 28 pixels from the edge, not 14.
MIDDLE = 14.5 / SIDE
# Larger drawings are averaged down to between one and two times this many pixels before they are placed.
WORKING_SIDE = 200


class Step(NamedTuple):
    """The name of a step, and its result: (height, width), float32 or uint8."""

    name: str
    pixels: np.ndarray


def decode(picture: Picture, *, cropped: bool = False) -> np.ndarray:
    """Decode a picture into the ink of its drawing.

    Args:
        picture: a data URL or base64 (str or bytes), the bytes of a file, a PIL image, or a
            two-dimensional array (grey values from 0 to 255, or floats in [0, 1]).
        cropped: whether margins without ink may be left out, which saves time.

    Returns:
        (height, width) uint8, 0 to 255, ink bright; all 0 if the picture is blank.

    Raises:
        PictureError: if it cannot be read; its message says what to send instead.
        TypeError: for an object of another type.
    """
    return find_ink(to_pixels(picture), cropped=cropped)


def find_ink(picture: Image.Image | np.ndarray, *, cropped: bool = False) -> np.ndarray:
    """Separate the drawing from its ground and its surroundings: see `decode`.

    Args:
        picture: in any mode, or the pixels of one, as `decoding.to_pixels` returns them.
    """
    pixels, image, lossy = _pixels_of(picture)
    ink = on_plain_ground(pixels, lossy)
    if ink is None:
        opaque = flatten(image or Image.fromarray(pixels))
        ink = on_even_ground(opaque, lossy) or photo.on_paper(opaque.convert("L"))
    drawing = surroundings.remove(ink)
    if cropped or ink.margins is None:
        return drawing
    left, top, right, bottom = ink.margins
    return np.pad(drawing, ((top, bottom), (left, right)))


def find_plain_drawing(picture: Image.Image | np.ndarray) -> Ink | None:
    """The ink of a picture that shows one drawing on an even ground and nothing else.

    Args:
        picture: in any mode, or the pixels of one, as `decoding.to_pixels` returns them.

    Returns:
        Its ink, margins left out; None if there is anything around the drawing: then `detection` looks
        closer.
    """
    pixels, image, lossy = _pixels_of(picture)
    ink = on_plain_ground(pixels, lossy)
    if ink is None:
        if pixels.shape[2:] == (4,) and not lossy and (ink := on_clear_ground(pixels)):
            return ink
        ink = on_even_ground(flatten(image or Image.fromarray(pixels)), lossy)
        if ink is None:
            return None
    drawing = surroundings.remove(ink)
    if drawing is not ink.values and (
        drawing.shape != ink.values.shape
        or np.count_nonzero(drawing) != np.count_nonzero(ink.values)
    ):
        return None
    return ink if ink.margins else trim(ink)


def _pixels_of(
    picture: Image.Image | np.ndarray,
) -> tuple[np.ndarray, Image.Image | None, bool]:
    """A picture's pixels, uint8; the picture of them, if there is one; and whether its format is a lossy one."""
    if isinstance(picture, np.ndarray):
        return picture, None, False
    image = to_eight_bits(picture)
    lossy = picture.format in LOSSY  # converting a picture loses its format
    return np.asarray(image), image, lossy


def crop(ink: np.ndarray) -> np.ndarray:
    """Cut out the bounding box of the ink, and bring it to a size that is good to work with.

    Args:
        ink: (height, width) uint8.

    Returns:
        (h, w) float32 in [0, 255], the longer side 20 to 400 pixels; (0, 0) if there is no ink. Larger
        drawings are averaged down by a whole factor. Smaller ones are enlarged, since a centre of mass can
        only be placed to the whole pixel.
    """
    rows, columns = bounding_box(ink)
    if rows.stop == 0:
        return np.zeros((0, 0), np.float32)
    values = ink[rows, columns].astype(np.float32)
    longest = max(values.shape)
    if FIT <= longest < 2 * WORKING_SIDE:
        return values
    part = Image.fromarray(values)
    if longest >= 2 * WORKING_SIDE:
        part = part.reduce(longest // WORKING_SIDE)
    else:
        width, height = (max(1, round(side * FIT / longest)) for side in part.size)
        part = part.resize((width, height), Image.Resampling.BICUBIC)
    return np.clip(np.asarray(part), 0, 255)


def centre(ink: np.ndarray) -> np.ndarray:
    """Place the ink on a square so that its centre of mass is in the middle.

    The square is 28/20 times as long as the ink's longer side. If ink would leave the square, it is moved
    back just enough.

    Args:
        ink: (h, w) float32, as `crop` returns it.

    Returns:
        (side, side) float32 in [0, 255]; (28, 28) zeros if there is no ink.
    """
    if ink.size == 0:
        return np.zeros((SIDE, SIDE), np.float32)
    side, top, left = _place(ink)
    square = np.zeros((side, side), np.float32)
    square[top : top + ink.shape[0], left : left + ink.shape[1]] = ink
    return square


def _place(ink: np.ndarray) -> tuple[int, int, int]:
    """The side of the square, and the row and column on it of the ink's top left corner."""
    height, width = ink.shape
    side = round(max(height, width) * SIDE / FIT)
    # The projection profiles. Products with ones are sums, several times faster than `sum` for so few
    # numbers.
    down = np.ones(height, np.float32)
    by_row, by_column = ink @ np.ones(width, np.float32), down @ ink
    total = float(down @ by_row)

    def start(profile: np.ndarray) -> int:
        mass = float(profile @ np.arange(len(profile), dtype=np.float32)) / total
        return min(max(round(side * MIDDLE - 0.5 - mass), 0), side - len(profile))

    return side, start(by_row), start(by_column)


@functools.lru_cache(maxsize=64)  # at most two megabytes
def _resizing_weights(side: int) -> np.ndarray:
    """(28, side) float32: the share of each pixel of a square's side in each of 28, as Pillow resizes."""
    # A picture with one bright column is resized to the weights of that column.
    columns = np.zeros((side, side), np.float32)
    np.fill_diagonal(columns, 1)
    small = Image.fromarray(columns).resize((SIDE, side), Image.Resampling.BILINEAR)
    return np.ascontiguousarray(np.asarray(small).T)


def centre_and_resize(ink: np.ndarray) -> np.ndarray:
    """Place the ink as `centre` does, and resize the square to 28 x 28, anti-aliased.

    It gives what Pillow's triangle filter (BILINEAR) makes of the square, to single precision, in a quarter
    of the time: one product of matrices, which skips the square's blank margins.

    Args:
        ink: (h, w) float32, as `crop` returns it.

    Returns:
        (28, 28) float32 in [0, 255]; zeros if there is no ink.
    """
    if ink.size == 0:
        return np.zeros((SIDE, SIDE), np.float32)
    side, top, left = _place(ink)
    weights = _resizing_weights(side)
    height, width = ink.shape
    return weights[:, top : top + height] @ ink @ weights[:, left : left + width].T


def scale(pixels: np.ndarray) -> np.ndarray:
    """Min-max scale to float32 in [0, 1]; zeros if all values are equal."""
    lowest, highest = pixels.min(), pixels.max()
    if highest <= lowest:
        return np.zeros(pixels.shape, np.float32)
    return ((pixels - lowest) / np.float32(highest - lowest)).astype(np.float32, copy=False)


def shape_ink(ink: np.ndarray) -> np.ndarray:
    """All steps after `decode`: (height, width) uint8 ink to (28, 28) float32 in [0, 1]."""
    return scale(centre_and_resize(crop(ink)))


def preprocess(picture: Picture) -> np.ndarray:
    """All steps: any accepted picture to (1, 28, 28, 1) float32 in [0, 1], ink bright.

    A blank picture gives zeros. Raises what `decode` raises.
    """
    return shape_ink(decode(picture, cropped=True)).reshape(1, SIDE, SIDE, 1)


def steps(picture: Picture) -> list[Step]:
    """Each step's result, in order, to look at; the last is what `preprocess` returns, as (28, 28)."""
    return ink_steps(decode(picture))


def found_steps(found: Detection) -> list[Step]:
    """The same for a detection; after "decode" comes "left_out", if it leaves out any ink."""
    left, top, right, bottom = found.margins
    first, *others = ink_steps(np.pad(found.ink, ((top, bottom), (left, right))))
    left_out = [] if found.rest is None or not found.rest.any() else [Step("left_out", found.rest)]
    return [first, *left_out, *others]


def ink_steps(ink: np.ndarray) -> list[Step]:
    """Each step's result for ink that was found: (height, width) uint8."""
    part = crop(ink)
    small = centre_and_resize(part)
    return [
        Step("decode", ink),
        Step("crop", part),
        Step("centre", centre(part)),
        Step("resize", small),
        Step("scale", scale(small)),
    ]


def to_png(pixels: np.ndarray) -> bytes:
    """A step's result as an 8-bit grey PNG.

    Args:
        pixels: (height, width), in [0, 1] if they are floats of at most 1, else in [0, 255]. An empty array
            gives one black pixel.
    """
    if pixels.size == 0:
        pixels = np.zeros((1, 1), np.uint8)
    grey = pixels * 255 if pixels.dtype.kind == "f" and pixels.max() <= 1 else pixels
    packed = io.BytesIO()
    Image.fromarray(np.rint(grey).astype(np.uint8)).save(packed, "PNG")
    return packed.getvalue()
