"""Two or three digits in one picture. No answer may be the digit of a part."""

from __future__ import annotations

import itertools

import numpy as np

from digitre.training.data.strokes import Strokes
from digitre.training.evaluation.scenes.drawing import (
    BLACK,
    WHITE,
    Cover,
    Random,
    Writing,
    box_around,
    lay,
    light,
    pack,
    photograph,
    write,
)

THIN, THICK = (0.02, 0.04), (0.12, 0.2)  # ranges of the pen's width


def free(writing: Writing, random: Random) -> bytes:
    row, size = _row(writing, random)
    return _framed(row, random.uniform(0.15, 1.0, 4) * size, random)


def at_edge(writing: Writing, random: Random) -> bytes:
    """The first or the last digit touches an edge, or is cut off a little."""
    row, size = _row(writing, random)
    margins = random.uniform(0.15, 0.8, 4) * size
    margins[random.integers(2, 4)] = -random.uniform(0, 0.08) * size
    return _framed(row, margins, random)


def cropped(writing: Writing, random: Random) -> bytes:
    """Cut out along the digits, with up to two pixels around them."""
    row, _ = _row(writing, random)
    return _framed(row, random.integers(-1, 3, 4), random)


def thick_and_thin(writing: Writing, random: Random) -> bytes:
    """Every other digit has a thick pen."""
    pens = itertools.cycle([THIN, THICK] if random.random() < 0.5 else [THICK, THIN])
    widths = [random.uniform(*pen) for _, pen in zip(writing.digits, pens, strict=False)]
    row, size = _row(writing, random, widths)
    return _framed(row, random.uniform(0.1, 0.8, 4) * size, random)


def _row(writing: Writing, random: Random, pens: list[float] | None = None) -> tuple[Cover, float]:
    """The digits in a row with gaps, cropped to their ink, and their size in pixels.

    `pens` are the widths relative to the size; by default all digits have the same pen.
    """
    size = random.uniform(70, 200)
    pens = pens or [random.uniform(0.05, 0.13)] * len(writing.digits)
    parts = [
        _cut_out(strokes, size * random.uniform(0.85, 1.15), pen, random)
        for strokes, pen in zip(writing.digits, pens, strict=True)
    ]
    gaps = [int(random.uniform(0.05, 0.5) * size) + 1 for _ in parts[1:]]
    height = int(1.15 * max(len(part) for part in parts)) + 1
    row = np.zeros((height, sum(part.shape[1] for part in parts) + sum(gaps)))
    left = 0
    for part, gap in zip(parts, [*gaps, 0], strict=True):
        top = int((height - len(part)) * random.uniform(0.3, 0.7))
        row[top : top + len(part), left : left + part.shape[1]] = part
        left += part.shape[1] + gap
    top, bottom, _, _ = box_around(row)
    return row[top:bottom], size


def _cut_out(strokes: Strokes, size: float, pen: float, random: Random) -> Cover:
    """One digit, cropped to its ink."""
    side = int(2 * size)
    ink = write(strokes, random, size, (side, side), (side / 2, side / 2), (pen, pen))
    top, bottom, left, right = box_around(ink)
    return ink[top:bottom, left:right]


def _framed(row: Cover, margins: np.ndarray, random: Random) -> bytes:
    """A picture with margins in pixels above, below, left and right; negative ones cut ink off."""
    outer = [max(int(margin), 0) for margin in margins]
    top, bottom, left, right = (max(-int(margin), 0) for margin in margins)
    ink = np.pad(row, (outer[:2], outer[2:]))
    ink = ink[top : len(ink) - bottom, left : ink.shape[1] - right]
    if random.random() < 0.7:
        return pack(lay(np.full(ink.shape, WHITE), ink, BLACK))
    ground = light(ink.shape, random)
    return photograph(lay(ground, ink, 0.3 * ground.mean()), random)
