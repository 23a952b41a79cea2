"""Signs of many trades that are no digits, as pen strokes: glyphs of the Hershey fonts.

The fonts (A. V. Hershey, U.S. National Bureau of Standards, 1967) come with the package
`hershey-fonts`. Listed here are the glyphs that nobody takes for a digit. Signs of the classes that
`data.SYMBOL_CLASSES` keeps for validation and test are left out.
"""

from __future__ import annotations

import functools

import numpy as np

GLYPHS = {
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


@functools.cache
def all_of_them() -> list[list[np.ndarray]]:
    """The strokes of every listed glyph, y growing downwards; none where the package is missing."""
    try:
        from HersheyFonts import HersheyFonts
    except ImportError:
        return []
    found = []
    for name, characters in GLYPHS.items():
        font = HersheyFonts()
        font.load_default_font(name)
        for character in characters:
            strokes = [np.array(line, float) for line in font.strokes_for_text(character) if line]
            if strokes:
                found.append(strokes)
    return found
