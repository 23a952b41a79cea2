"""A picture in any accepted form becomes what the network sees, one pure function a step.

    decode -> crop -> centre -> resize -> min-max scale

The digit is fitted the way MNIST was made (LeCun, Cortes, Burges): its longest side is 20 pixels,
its shape kept, anti-aliased, and its centre of mass lies in the middle of 28 x 28. An MNIST
picture therefore comes out as it went in, but for 0.03 % of them.
"""

from __future__ import annotations

import functools
import io
from typing import TypeAlias

import numpy as np
from PIL import Image

from digitre.recognition.decoding import PictureError, from_array, open_picture, unpack
from digitre.recognition.ink import find_ink

__all__ = ["PictureError", "centre", "crop", "decode", "preprocess", "resize", "scale", "steps"]

SIDE = 28  # pixels a side of what the network sees
FIT = 20  # pixels of the digit's longest side in it
# MNIST's digits have their centre of mass at pixel 14, counted from 0: the mean over its training
# set is 14.00 both ways. That is 14.5 of 28 pixels, not 14.
MIDDLE = 14.5 / SIDE
# Larger drawings are averaged down to between one and two times this before anything is moved.
WORKING_SIDE = 200

Picture: TypeAlias = str | bytes | bytearray | Image.Image | np.ndarray


def decode(picture: Picture, *, cropped: bool = False) -> np.ndarray:
    """Decode a picture into its ink.

    Args:
        picture: a data URL or base64 (str or bytes), the bytes of a PNG, JPEG or WebP, a PIL
            image, or a 2-D array (grey values 0 to 255, or floats in [0, 1]).
        cropped: whether margins without ink may be left out, which saves time.

    Returns:
        (height, width) uint8, ink bright, zero where the picture is blank.

    Raises:
        PictureError: where it cannot be read; its message says what to send instead.
        TypeError: for an object of another type.
    """
    if isinstance(picture, np.ndarray):
        image = from_array(picture)
    elif isinstance(picture, Image.Image):
        image = picture
    elif isinstance(picture, (bytes, bytearray)):
        data = bytes(picture)
        image = open_picture(unpack(data) if _is_text(data) else data)
    elif isinstance(picture, str):
        image = open_picture(unpack(picture))
    else:
        raise TypeError(f"a picture cannot be a {type(picture).__name__}")
    return find_ink(image, cropped=cropped)


def _is_text(data: bytes) -> bool:
    """Whether bytes are base64 or a data URL, not a file: neither begins as SVG or PDF do."""
    head = data[:64].lstrip()
    return head.isascii() and b"\0" not in head and head[:1] not in (b"<", b"%")


def crop(ink: np.ndarray) -> np.ndarray:
    """Cut out the box that holds the ink, at a size that is good to work with.

    Args:
        ink: (height, width) uint8.

    Returns:
        (h, w) float32 in [0, 255], the longer side 20 to 400 pixels: larger drawings are averaged
        down by a whole factor, smaller ones enlarged, since a centre of mass can only be placed
        to the whole pixel. (0, 0) where there is no ink.
    """
    box = Image.fromarray(ink).getbbox()
    if box is None:
        return np.zeros((0, 0), np.float32)
    left, top, right, bottom = box
    values = ink[top:bottom, left:right].astype(np.float32)
    longest = max(values.shape)
    if FIT <= longest < 2 * WORKING_SIDE:
        return values
    part = Image.fromarray(values)
    if longest >= 2 * WORKING_SIDE:
        part = part.reduce(longest // WORKING_SIDE)
    else:
        part = part.resize(
            (
                max(1, round(part.width * FIT / longest)),
                max(1, round(part.height * FIT / longest)),
            ),
            Image.Resampling.BICUBIC,
        )
    return np.clip(np.asarray(part), 0, 255)


def centre(ink: np.ndarray) -> np.ndarray:
    """Place the ink on a square with its centre of mass in the middle.

    The square is 28/20 times as long as the ink's longer side. Where ink would leave the square,
    it is shifted back just enough.

    Args:
        ink: (h, w) float32, as `crop` returns it.

    Returns:
        (side, side) float32 in [0, 255]; (28, 28) zeros where there is no ink.
    """
    if ink.size == 0:
        return np.zeros((SIDE, SIDE), np.float32)
    side, top, left = _place(ink)
    square = np.zeros((side, side), np.float32)
    square[top : top + ink.shape[0], left : left + ink.shape[1]] = ink
    return square


def _place(ink: np.ndarray) -> tuple[int, int, int]:
    """The side of the square, and where on it the ink's top left corner comes."""
    height, width = ink.shape
    side = round(max(height, width) * SIDE / FIT)
    # Products with ones are sums, in a fraction of the time of `sum` for so few numbers.
    down = np.ones(height, np.float32)
    by_row, by_column = ink @ np.ones(width, np.float32), down @ ink
    total = float(down @ by_row)

    def start(profile: np.ndarray) -> int:
        mass = float(profile @ np.arange(len(profile), dtype=np.float32)) / total
        return min(max(round(side * MIDDLE - 0.5 - mass), 0), side - len(profile))

    return side, start(by_row), start(by_column)


def resize(square: np.ndarray) -> np.ndarray:
    """Resize a square picture to (28, 28) float32, anti-aliased (Pillow's triangle filter)."""
    if square.shape == (SIDE, SIDE):
        return square
    small = Image.fromarray(square).resize((SIDE, SIDE), Image.Resampling.BILINEAR)
    return np.asarray(small)


def scale(pixels: np.ndarray) -> np.ndarray:
    """Min-max scale to float32 in [0, 1]; an even picture gives zeros."""
    low, high = pixels.min(), pixels.max()
    if high <= low:
        return np.zeros(pixels.shape, np.float32)
    return ((pixels - low) / np.float32(high - low)).astype(np.float32, copy=False)


@functools.lru_cache(maxsize=64)  # a megabyte or two, whatever sizes come
def _weights(side: int) -> np.ndarray:
    """(28, side) float32: how much of each pixel of a square goes to each of 28, by Pillow."""
    # The result for a picture with one bright column is that column's weights.
    columns = np.zeros((side, side), np.float32)
    np.fill_diagonal(columns, 1)
    small = Image.fromarray(columns).resize((SIDE, side), Image.Resampling.BILINEAR)
    return np.ascontiguousarray(np.asarray(small).T)


def shape_ink(ink: np.ndarray) -> np.ndarray:
    """All steps after `decode`: (height, width) uint8 ink to (28, 28) float32 in [0, 1].

    Placing and resizing are one product of matrices, a quarter of the time: the blank margin of the
    square is never looked at. It gives what `centre` and `resize` give, to single precision.
    """
    part = crop(ink)
    if part.size == 0:
        return np.zeros((SIDE, SIDE), np.float32)
    side, top, left = _place(part)
    weights = _weights(side)
    height, width = part.shape
    return scale(weights[:, top : top + height] @ part @ weights[:, left : left + width].T)


def preprocess(picture: Picture) -> np.ndarray:
    """All steps: any accepted picture to (1, 28, 28, 1) float32 in [0, 1], ink bright.

    A blank picture gives zeros. Raises what `decode` raises.
    """
    return shape_ink(decode(picture, cropped=True)).reshape(1, SIDE, SIDE, 1)


def steps(picture: Picture) -> list[tuple[str, np.ndarray]]:
    """Each step's name and its result, in order, to be looked at; the last is (28, 28) in [0, 1]."""
    ink = decode(picture)
    cropped = crop(ink)
    square = centre(cropped)
    small = resize(square)
    return [
        ("decode", ink),
        ("crop", cropped),
        ("centre", square),
        ("resize", small),
        ("scale", scale(small)),
    ]


def to_png(pixels: np.ndarray) -> bytes:
    """A step's result as an 8-bit grey PNG; values in [0, 1] if float and at most 1."""
    if pixels.size == 0:
        pixels = np.zeros((1, 1), np.uint8)
    stretched = pixels * 255 if pixels.dtype.kind == "f" and pixels.max() <= 1 else pixels
    packed = io.BytesIO()
    Image.fromarray(np.rint(stretched).astype(np.uint8)).save(packed, "PNG")
    return packed.getvalue()
