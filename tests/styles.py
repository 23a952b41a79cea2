"""Many variants of a drawing, as several people would draw it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from conftest import data_url, png
from strokes import DIGITS, smooth

from digitre.training.data import augmentation
from digitre.training.data.strokes import fit, render


def barred_nine() -> list[np.ndarray]:
    """A nine with two bars through its stem. No network has seen one, and no sign looks like it."""
    nine = digit(9)
    points = np.concatenate(nine)
    low, size = points.min(0), np.ptp(points, axis=0)
    bars = [np.array([[-0.1, height], [1.1, height]]) for height in (0.65, 0.85)]
    return [*nine, *(low + size * bar for bar in bars)]


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
