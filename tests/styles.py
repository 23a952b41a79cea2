"""Many variants of a drawing, as several people would draw it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from conftest import data_url, png
from strokes import DIGITS, smooth

from digitre.training.data import augmentation
from digitre.training.data.strokes import fit, render


def crossed_zero() -> list[np.ndarray]:
    """A zero with a horizontal bar. A network that has never seen one refuses it."""
    zero = [smooth(stroke) for stroke in DIGITS[0]]
    points = np.concatenate(zero)
    low, size = points.min(0), np.ptp(points, axis=0)
    return [*zero, np.array([low + size * [0.0, 0.5], low + size * [1.0, 0.5]])]


def digit(number: int) -> list[np.ndarray]:
    """A digit as most people draw it."""
    return [smooth(stroke) for stroke in DIGITS[number]]


def variants(strokes: list[np.ndarray], count: int, seed: int) -> Iterator[dict]:
    """The same drawing `count` times by one writer: bodies for /_save_drawing, without a label."""
    random = np.random.default_rng(seed)
    for _ in range(count):
        lines = augmentation.bend(fit(strokes, 150, 125, 125), random)
        picture = render(lines, 250, 250, random.uniform(6, 18))
        points = [[[float(x), float(y), 0] for x, y in line] for line in lines]
        yield {"digit": data_url(png(picture)), "strokes": points}
