"""Printed signs as pen strokes: thousands of shapes that are not digits, from the fonts of Matplotlib.

What a network refuses depends on how many kinds of shapes it has learned more than on how many drawings
of each. DejaVu Sans has letters of many scripts, arrows, operators and symbols. A glyph is thinned to
lines one pixel wide, and these are followed as a pen would, so that it can be drawn like a handwritten
sign. If Matplotlib is not installed, it finds none.
"""

from __future__ import annotations

import functools
import itertools
import unicodedata
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from scipy import ndimage

from digitre.training.data import split

SIZE = 48  # of the font, in pixels
FILLED = 5  # pixels from a middle line to the edge of its ink: a stem has 2
# Blocks of Unicode whose signs a hand could draw, first and last character. Phonetic letters are left
# out: many belong to classes of LaTeX symbols that are held out.
BLOCKS = (
    (0x00A1, 0x024F),  # Latin with marks
    (0x0370, 0x058F),  # Greek, Cyrillic, Armenian
    (0x05D0, 0x06FF),  # Hebrew, Arabic
    (0x07C0, 0x07FF),  # N'Ko
    (0x0E80, 0x0EFF),  # Lao
    (0x10A0, 0x10FF),  # Georgian
    (0x1401, 0x1676),  # Canadian syllabics
    (0x1E00, 0x1FFF),  # more Latin and Greek
    (0x2020, 0x2046),  # daggers, marks of quotation and reference
    (0x20A0, 0x20BF),  # currencies
    (0x2100, 0x214F),  # letters as symbols
    (0x2190, 0x23FF),  # arrows, operators, technical signs
    (0x249C, 0x24E9),  # letters in brackets and rings
    (0x25A0, 0x27FF),  # geometric shapes, symbols, more arrows and operators
    (0x2900, 0x2BFF),  # still more arrows and operators
    (0x2D30, 0x2D6F),  # Tifinagh
    (0xA4D0, 0xA4FF),  # Lisu
)


def _characters(codes: str) -> frozenset[str]:
    return frozenset(chr(int(code, 16)) for code in codes.split())


# Signs of the classes that are held out (`split.of_symbol`), and others that look like these.
HELD_OUT = frozenset(
    "∬∭≎∵▼▽▾▿↻⟳⊚◎⌾↶⌆≥≧⩾⪀≩⋛⪌⇆⋦øØǿǾ⊁⊉⪹↝⇝≿⋩⫆⊇⊨⊧∅⌀⇕ΞåÅÅȧ○◯⚪⭕△▲▴▵⊥⟂∩⋂∪©Ⓒⓒɔςδðℓ⌈⌉↖⬉±∓⊑⊒⋆★☆✩✪✫✬✭✮✯✰⭐—¿⸮”„“↕"  # noqa: RUF001
    "℘ξѯ¶⁋≰∣∤≁đÐþϷϸ≔∷℗Ⓟⓟ₦⟧‖∥⫽〛³~∽⊡⊛⎊⤎⇂⇃⩽≤⩽↭⪋≨↮⋭≾⋨⋊⋉⫅⊆⫋⊊↠↾↿⌝⌟ϰæÆǽǢ⊲◁◃◅⊻∨∧⨄⊎∘◦εέἐεϵєЄԐԑƐɛ∈∊∉∍∋↩↪ȷјκкҝқҟ♮⊘⌀∂ðδ⊂⊃¡ℎℏ"  # noqa: RUF001
    "⅋&∱∲∳√ªº™∹≕⤇⤆⟻⟼⟅⟆฿ƀɃʒʒƷʃƩƪ†‡⁒℅‰‱%☥℧℮Δ∆∇🠕"  # noqa: RUF001
)
# Signs that look like a digit when they stand alone, by their numbers in Unicode: of eight drawings of each,
# digitre-6f9c1475 was 60 % sure in the mean that they are one, and so is the eye.
LOOK_ALIKES = _characters("""
    b0 12f 131 173 185 196 1a7 1a8 1ab 1b5 1ba 1bc 1bd 1c0 1c3 21c 21d 222 224 225 234 240 385 38a
    38c 396 399 39f 3bf 3c3 3cc 3d1 3db 3df 3e5 3e7 3e8 3e9 3ec 3ed 402 405 406 417 41e 426 427 431
    437 43e 446 447 44d 452 455 47a 47b 494 495 498 499 4b6 4b7 4c0 4cb 4cc 4cf 4de 4df 4e0 4e1 4e6
    4e7 4f4 4f5 50c 533 534 536 53e 53f 541 542 545 54e 54f 551 555 559 55b 55d 563 564 566 56c 56e
    56f 571 577 57e 581 585 5d5 5d9 5da 5dc 5df 5e1 5e3 5e8 5f3 609 625 627 629 637 638 647 648 66a
    66b 69f 6a9 6aa 6af 6b1 6b2 6b4 6cb 6cc 6d5 7ca 7cb 7d4 7d7 7df 7e3 7e4 e87 e88 ea3 eae ec0 10a0
    10a1 10a2 10a3 10a4 10a8 10af 10b7 10bd 10c3 10d2 10d5 10d6 10dc 10de 10e2 10ec 10ee 10f0 10f3
    10f4 10fc 141e 141f 1424 144a 146b 1472 1473 1474 1475 147e 147f 1480 1481 1482 1483 1489 1492
    1493 14a3 14ac 14ad 14c0 14c1 14c9 14ca 14d3 14dc 1506 1510 1517 1518 1526 1530 1552 1574 158a
    158d 15a7 15ac 15af 15de 15e1 1646 1e9f 1f40 1f41 1f42 1f48 1f49 1f4a 1f4b 1f4c 1f4d 1f79 1fbf
    1fdb 1fee 1ff8 1ff9 2044 2125 2129 2138 2139 213a 2142 2193 2197 21b0 21b4 220e 2215 2216 2240
    226c 2299 22c4 230a 2320 2394 239b 239c 239d 239e 239f 23a0 23a2 23a3 23a4 23a5 23a7 23a9 23aa
    23ab 23ae 25a2 25ae 25af 25d6 25d7 25d8 2621 2659 265f 2666 266d 2688 26ac 26b0 2758 2759 275a
    275b 276a 276b 2770 2772 2773 27e8 27e9 2940 2941 29eb 2a00 2b21 2b23 2d30 2d35 2d36 2d40 2d41
    2d4f 2d51 2d54 2d59 2d5a 2d62 a4d3 a4dc a4e2 a4f2 a4f3 a4f6 a4f7
""")


def is_usable(character: str) -> bool:
    """Whether a character is a sign that is surely no digit, and of no class that is held out."""
    plain = unicodedata.normalize("NFKD", character)
    return (
        unicodedata.category(character)[0] in "LSP"
        and not any(unicodedata.category(part)[0] == "N" for part in plain)
        and not (split.LOOK_ALIKES | HELD_OUT | LOOK_ALIKES).intersection((character, plain[0]))
    )


@functools.cache
def signs() -> tuple[str, ...]:
    """The characters that can be drawn, in the order of Unicode; none if Matplotlib is not installed."""
    font = _font()
    if font is None:
        return ()
    missing = bytes(font.getmask("\uffff"))
    every = (chr(code) for first, last in BLOCKS for code in range(first, last + 1))
    return tuple(
        each
        for each in every
        if is_usable(each) and bytes(font.getmask(each)) not in (b"", missing)
    )


@functools.cache
def strokes(character: str) -> list[np.ndarray]:
    """The lines of a character, arrays (n, 2) of x and y in pixels, y downwards.

    Empty if it has filled parts, which no pen draws as a line.
    """
    font = _font()
    assert font is not None
    left, top, right, bottom = (int(side) for side in font.getbbox(character))
    image = Image.new("L", (right - left + 4, bottom - top + 4))
    ImageDraw.Draw(image).text((2 - left, 2 - top), character, fill=255, font=font)
    ink = np.asarray(image) > 127
    lines = thin(ink)
    if not lines.any():
        return []
    if ndimage.distance_transform_edt(ink)[lines].max() > FILLED:
        return []
    return [np.flip(path, 1).astype(float) for path in follow(lines)]


def thin(ink: np.ndarray) -> np.ndarray:
    """The middle lines of ink, one pixel wide (Zhang and Suen 1984).

    Args:
        ink: (height, width) bool, without ink at its border.
    """
    ink = ink.copy()
    changes = True
    while changes:
        changes = False
        for first in (True, False):
            around = np.stack([np.roll(ink, step, (0, 1)) for step in _AROUND]).astype(np.int8)
            count = around.sum(0)
            turns = ((around == 0) & (np.roll(around, -1, 0) == 1)).sum(0)
            up, right, down, left = (around[k] == 1 for k in (0, 2, 4, 6))
            if first:
                free = ~(up & right & down) & ~(right & down & left)
            else:
                free = ~(up & right & left) & ~(up & down & left)
            removed = ink & (count >= 2) & (count <= 6) & (turns == 1) & free
            ink &= ~removed
            changes |= bool(removed.any())
    return ink


# The neighbours of a pixel, clockwise from the one above: how far to roll a picture to bring them there.
_AROUND = ((1, 0), (1, -1), (0, -1), (-1, -1), (-1, 0), (-1, 1), (0, 1), (1, 1))


def follow(lines: np.ndarray) -> list[np.ndarray]:
    """Follow lines one pixel wide from end to end, from crossing to crossing, and round.

    Args:
        lines: (height, width) bool, as `thin` returns them.

    Returns:
        arrays (n, 2) of row and column.
    """
    left = _links(lines)
    paths: list[list[tuple[int, int]]] = []
    ends = dict.fromkeys(pixel for pixel, others in left.items() if len(others) != 2)
    for start in itertools.chain(ends, list(left)):  # what no end leads to is a loop
        if not left[start] and lines[start]:
            if not any(start in path for path in paths):
                paths.append([start])  # a dot
            continue
        while left[start]:
            path = [start]
            while left[path[-1]]:
                here = path[-1]
                if here in ends and len(path) > 1:
                    break
                there = left[here].pop()
                left[there].discard(here)
                path.append(there)
            paths.append(path)
    return [np.array(path) for path in paths]


def _links(lines: np.ndarray) -> dict[tuple[int, int], set[tuple[int, int]]]:
    """Per pixel of a line those next to it; across a corner only if no pixel lies between."""
    pixels = set(zip(*(axis.tolist() for axis in np.nonzero(lines)), strict=True))
    links: dict[tuple[int, int], set[tuple[int, int]]] = {}
    for y, x in pixels:
        links[y, x] = {
            (y + dy, x + dx)
            for dy, dx in _AROUND
            if (y + dy, x + dx) in pixels
            and (not (dy and dx) or not {(y + dy, x), (y, x + dx)} & pixels)
        }
    return links


@functools.cache
def _font() -> ImageFont.FreeTypeFont | None:
    found = find_spec("matplotlib")
    if found is None or found.origin is None:
        return None
    folder = Path(found.origin).parent / "mpl-data" / "fonts" / "ttf"
    return ImageFont.truetype(folder / "DejaVuSans.ttf", SIZE)
