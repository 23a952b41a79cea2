"""784 grey values of one picture, in every form that a client may send them.

Lists nested in any way, text with numbers parted by commas, blanks or line ends, and an object with a
field for each pixel, as a row of a table or a typed array of JavaScript becomes JSON.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from digitre.recognition.preprocessing import SIDE, PictureError

PIXELS = SIDE * SIDE
DEEPEST = 6  # lists within lists: a batch of one with channels has four
_BETWEEN = re.compile(r"[\s,;\[\]()]+")
_NUMBER = re.compile(
    r"[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?|[-+]?(?:nan|inf(?:inity)?)", re.IGNORECASE
)
_PIXEL = re.compile(r"(?:pixel)?_?(\d{1,3})", re.IGNORECASE)
_MESSAGE = (
    "Send 784 grey values, all from 0 to 1 or all from 0 to 255, row by row: 0 is the background."
)


def from_numbers(numbers: list[Any]) -> np.ndarray:
    """(28, 28) from 784 numbers: uint8 if they are from 0 to 255, float64 if they are from 0 to 1.

    Raises:
        PictureError: `bad_pixels`.
    """
    error = PictureError("bad_pixels", _MESSAGE)
    if len(numbers) != PIXELS or any(
        isinstance(number, (bool, list, dict, type(None))) for number in numbers
    ):
        raise error
    try:
        values = np.array([float(number) for number in numbers]).reshape(SIDE, SIDE)
    except (TypeError, ValueError, OverflowError):
        raise error from None
    if not ((values >= 0) & (values <= 255)).all():  # false for NaN too
        raise error
    return values if values.max() <= 1 else np.rint(values).astype(np.uint8)


def are_numbers(text: str) -> bool:
    """Whether a text is several numbers, or is meant to be: with commas, some may be words."""
    words = [word for word in _BETWEEN.split(text[:200], 7) if word][:5]
    if "," not in text:
        return len(words) > 1 and bool(_NUMBER.fullmatch(words[0]))
    return 2 * sum(bool(_NUMBER.fullmatch(word)) for word in words) > len(words)


def from_text(text: str) -> np.ndarray:
    """The same from a text with the numbers. Raises PictureError, `bad_pixels`."""
    return from_numbers(_BETWEEN.split(text.strip(" \t\r\n,;[]()"), PIXELS))


def from_fields(fields: Mapping[str, Any]) -> np.ndarray | None:
    """The same from fields that are named after the pixels: pixel0 to pixel783, pixel1 to pixel784, or
    only the numbers. None if there are no such fields.

    Raises:
        PictureError: `bad_pixels`.
    """
    pixels = {int(found[1]): name for name in fields if (found := _PIXEL.fullmatch(name))}
    if len(pixels) <= SIDE:
        return None
    return from_numbers([fields[pixels[number]] for number in sorted(pixels)])


def flat(value: list[Any]) -> list[Any]:
    """What is in nested lists, row by row: at most one value more than a picture has."""
    return list(itertools.islice(_flat(value, DEEPEST), PIXELS + 1))


def _flat(value: list[Any], deepest: int) -> Iterator[Any]:
    for each in value:
        if each and isinstance(each, list) and deepest:  # an empty list counts as a value
            yield from _flat(each, deepest - 1)
        else:
            yield each
