"""Digits in forms that are rare in the data, but real: made from other digits, or made up.

Strokes are lists of (n, 2) arrays of x and y, y upwards. The digits that are made from others need
these as strokes; the made-up ones (`MADE_UP`) do not.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from digitre.training.data.synthetic import rotate, smooth, wobble

Strokes = list[np.ndarray]


def closed_four(random: np.random.Generator) -> Strokes:
    """A four with a closed top, like a printed one: a triangle and a stem."""
    top = np.array([random.uniform(0.55, 0.7), 1.0])
    bar = random.uniform(0.28, 0.42)
    left, right = np.array([0.0, bar]), np.array([random.uniform(0.85, 1.05), bar])
    foot = np.array([top[0] + random.normal(0, 0.03), 0.0])
    if random.random() < 0.5:  # in one line: from the left end of the bar it goes on to the right
        return [wobble(np.stack([top, left, right]), random), _line(top, foot, random)]
    return [wobble(np.stack([foot, top, left, right]), random)]


def looped_two(random: np.random.Generator) -> Strokes:
    """A two with a loop at its lower left."""
    size = random.uniform(0.6, 1.3)
    loop = np.array([(0.1, 0.05), (-0.02, 0.13), (0.1, 0.22), (0.3, 0.1)])
    loop = (loop - loop[0]) * size + loop[0]
    points = [(0.05, 0.75), (0.3, 1.0), (0.65, 0.95), (0.75, 0.7), (0.5, 0.4)]
    tail = [(0.62, 0.0), (random.uniform(0.85, 1.1), random.uniform(0.0, 0.12))]
    line = smooth(np.concatenate([points, loop, tail]) + random.normal(0, 0.02, (11, 2)))
    return [line * (random.uniform(0.75, 1.05), 1)]


def square_zero(random: np.random.Generator) -> Strokes:
    """A zero with corners, higher than wide, in one line."""
    width, round_ = random.uniform(0.42, 0.72), random.uniform(0.04, 0.16)
    corners = [(0.0, 0.0), (width, 0.0), (width, 1.0), (0.0, 1.0)]
    line = []
    for k, corner in enumerate(corners):
        here = np.array(corner)
        for other in (corners[k - 1], corners[(k + 1) % 4]):
            way = np.array(other) - here
            line.append(here + way / np.hypot(*way) * round_)
    line = line[5:] + line[:6]  # it begins and ends at the upper right
    end = np.array(line[0]) + random.normal(0, 0.03, 2)
    return [wobble(np.stack([*line[:-1], end]), random)]


def flagged_one(random: np.random.Generator) -> Strokes:
    """A one with a flag and a base line; without the base the flag is short, or it is a seven."""
    has_base = random.random() < 0.8
    flag = random.uniform(0.15, 0.5 if has_base else 0.25)
    top, foot = np.array([0.5, 1.0]), np.array([0.5 + random.normal(0, 0.05), 0.0])
    start = top - (flag, flag * random.uniform(0.5, 1.3))
    strokes = [wobble(np.stack([start, top, foot]), random)]
    if has_base:
        left, right = random.uniform(0.18, 0.45, 2)
        strokes.append(_line(foot - np.array([left, 0]), foot + np.array([right, 0]), random))
    return strokes


def slashed_zero(zero: Strokes, random: np.random.Generator) -> Strokes:
    """A zero with a stroke through it, three in four from the lower left to the upper right."""
    low, high = _box(zero)
    angle = np.radians(random.uniform(35, 70))
    half = np.hypot(*(high - low)) / 2 * random.uniform(0.65, 1.15)
    way = half * np.array([np.cos(angle) * random.choice([1, 1, 1, -1]), np.sin(angle)])
    middle = (low + high) / 2 + random.normal(0, 0.03, 2) * (high - low)
    return [*zero, _line(middle - way, middle + way, random)]


def short_six(six: Strokes, random: np.random.Generator) -> Strokes:
    """A six whose hook is short: the line begins lower. As it is, if it does not begin at its top."""
    first = six[0]
    low, high = _box(six)
    if len(first) < 8 or first[0, 1] < high[1] - 0.15 * (high[1] - low[1]):
        return six
    along = np.append(0, np.cumsum(np.hypot(*np.diff(first, axis=0).T)))
    return [first[along >= random.uniform(0.1, 0.24) * along[-1]], *six[1:]]


def apart_five(five: Strokes, random: np.random.Generator) -> Strokes:
    """A five whose bar does not touch the rest. As it is, if its bar is not a stroke of its own."""
    low, high = _box(five)
    size = float((high - low).max())
    flattest = min(range(len(five)), key=lambda k: float(np.ptp(five[k][:, 1])))
    bar = five[flattest]
    is_bar = np.ptp(bar[:, 1]) < 0.3 * size and bar[:, 1].mean() > (low + high)[1] / 2
    if len(five) < 2 or not is_bar:
        return five
    away = size * np.array([random.uniform(0.0, 0.15), random.uniform(0.03, 0.14)])
    return [stroke + away if k == flattest else stroke for k, stroke in enumerate(five)]


def circled(digit: Strokes, random: np.random.Generator) -> Strokes:
    """A digit with a ring around it."""
    low, high = _box(digit)
    height = max(float((high - low).max()), 1e-6)
    radius = np.maximum((high - low) / 2, 0.25 * height) * np.sqrt(2)
    angle = random.uniform(0, 2 * np.pi) + np.linspace(0, random.uniform(1.95, 2.15) * np.pi, 60)
    unit = np.stack([np.cos(angle), np.sin(angle)], 1)
    ring = unit * (radius.max() if random.random() < 0.5 else radius) * random.uniform(1.0, 1.3)
    middle = (low + high) / 2 + random.normal(0, 0.03, 2) * height
    return [*digit, middle + ring + np.cumsum(random.normal(0, 0.004 * height, ring.shape), 0)]


def underlined(digit: Strokes, random: np.random.Generator) -> Strokes:
    """A digit with one or two lines below it, which do not touch it."""
    low, high = _box(digit)
    height = max(float((high - low)[1]), 1e-6)
    length = max(float((high - low)[0]), 0.4 * height) * random.uniform(0.9, 1.4)
    strokes = list(digit)
    y = low[1]
    for _ in range(random.choice([1, 1, 1, 2])):
        y -= height * random.uniform(0.08, 0.22)
        middle = np.array([(low + high)[0] / 2, y])
        way = rotate(np.array([[length / 2, 0.0]]), random.normal(0, 0.06))[0]
        strokes.append(_line(middle - way, middle + way, random))
    return strokes


def unchanged(digit: Strokes, random: np.random.Generator) -> Strokes:
    """A digit as it is."""
    return digit


# Per form the digit that it is, or None if any digit can have it, and how often it is drawn.
MADE_UP: tuple[tuple[Callable[[np.random.Generator], Strokes], int, float], ...] = (
    (closed_four, 4, 1.5),
    (looped_two, 2, 1),
    (square_zero, 0, 1),
    (flagged_one, 1, 1.5),
)
ALTERED: tuple[tuple[Callable[[Strokes, np.random.Generator], Strokes], int | None, float], ...] = (
    (slashed_zero, 0, 1),
    (short_six, 6, 1),
    (apart_five, 5, 1),
    (circled, None, 1),
    (underlined, None, 1),
    (unchanged, None, 2),  # drawn so that it sticks out of the picture
)


def _box(strokes: Strokes) -> tuple[np.ndarray, np.ndarray]:
    """The least and the largest x and y."""
    points = np.concatenate(strokes)
    return points.min(0), points.max(0)


def _line(start: np.ndarray, end: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """A line of any length that is a little off."""
    size = max(float(np.hypot(*(end - start))), 1e-6)
    return wobble(np.stack([start, end]) / size, random) * size
