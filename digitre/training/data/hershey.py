"""Printed signs and digits as pen strokes: glyphs of the Hershey fonts.

The fonts (A. V. Hershey, U.S. National Bureau of Standards, 1967) come with the package
`hershey-fonts`.
"""

from __future__ import annotations

import functools

import numpy as np

# Signs of many trades that nobody takes for a digit. Those of the classes that
# `data.SYMBOL_CLASSES` keeps for validation and test are left out.
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


# Fonts whose digits a careful hand might draw.
DIGITS = ("futural", "futuram", "rowmans", "rowmand", "scripts", "cursive", "timesr", "timesi")

Strokes = list[np.ndarray]


@functools.cache
def signs() -> list[Strokes]:
    """The strokes of every listed sign, y growing downwards; none where the package is missing."""
    return [strokes for name, signs in SIGNS.items() for strokes in _glyphs(name, signs)]


@functools.cache
def digits() -> list[tuple[Strokes, int]]:
    """The strokes of each font's digits, y growing downwards, and which digit each is."""
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
    drawn = [
        [np.array(line, float) for line in font.strokes_for_text(character) if line]
        for character in characters
    ]
    return [strokes for strokes in drawn if strokes]
