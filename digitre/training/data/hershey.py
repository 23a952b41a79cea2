"""Printed signs and digits as pen strokes, from the Hershey fonts.

The fonts are by A. V. Hershey (U.S. National Bureau of Standards, 1967), in the package
`hershey-fonts`. Without it there are no glyphs.
"""

from __future__ import annotations

import functools

import numpy as np

# Signs that do not look like a digit. Signs of the classes that `split.SYMBOL_CLASSES` holds out
# for validation and test are left out.
SIGNS = {
    "greek": "#$%&*+<=>?@ACDEFGHKLMNPRSTUWXYacefghjklmnptuvwy",
    "mathlow": "#$%&';<=>?@^bceginjklvwxyz|~",
    "symbolic": "89:ACDEFGIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefgijklmno",
    "markers": "BCDEFGHIJKLMNO",
    "meteorology": "#$%&'(@ACDEFHKMNRTUVWX_`acdefhkmnprtuvwx|",
    "astrology": "#$%&'.;<=>?@ACEFHKMNRTUVWX[]^_`acdefhkmnprtuvwx{|}~",
    "music": "&'(@>?<ACEFHKMNRTUVWXacdefhkmnprtuvwx",
    "japanese": "\"$%&')*+,-./01346789AEFJMNUVX[_`abcdfs",
    "cursive": "ACEFHKMNRTUVWXacdefhkmnprtuvwx",
}

# Fonts with digits that a careful hand could draw.
DIGITS = ("futural", "futuram", "rowmans", "rowmand", "scripts", "cursive", "timesr", "timesi")

Strokes = list[np.ndarray]


@functools.cache
def signs() -> list[Strokes]:
    """The strokes of each sign in `SIGNS`, y downwards."""
    return [strokes for name, signs in SIGNS.items() for strokes in _glyphs(name, signs)]


@functools.cache
def digits() -> list[tuple[Strokes, int]]:
    """The strokes of each digit of each font, y downwards, and the digit."""
    return [
        (strokes, digit)
        for name in DIGITS
        for digit, strokes in enumerate(_glyphs(name, "0123456789"))
    ]


def _glyphs(name: str, characters: str) -> list[Strokes]:
    try:
        from HersheyFonts import HersheyFonts
    except ImportError:
        return []
    font = HersheyFonts()
    font.load_default_font(name)
    glyphs = [
        [np.array(line, float) for line in font.strokes_for_text(character) if line]
        for character in characters
    ]
    return [strokes for strokes in glyphs if strokes]
