"""Made-up drawings that are not digits: scribbles, shapes, several digits, altered digits.

Strokes are lists of (n, 2) arrays of x and y.
"""

from __future__ import annotations

import numpy as np

Strokes = list[np.ndarray]


def scribble(random: np.random.Generator) -> Strokes:
    """One to three smooth random lines: Catmull-Rom splines through random points."""
    return [
        smooth(random.uniform(0, 1, (random.integers(5, 14), 2)) * random.uniform(0.5, 1.0, 2))
        + random.uniform(0, 0.4, 2)
        for _ in range(random.integers(1, 4))
    ]


def zigzag(random: np.random.Generator) -> Strokes:
    """A zigzag line, as people draw to cross something out."""
    turns = random.integers(5, 16)
    y = np.linspace(0, random.uniform(0.2, 1.2), turns) + random.normal(0, 0.03, turns)
    x = np.where(np.arange(turns) % 2, 1.0, 0.0) + random.normal(0, 0.08, turns)
    return [rotate(np.stack([x, y], 1), random.uniform(0, 2 * np.pi))]


def spiral(random: np.random.Generator) -> Strokes:
    """A spiral of at least two and a half turns."""
    angle = np.linspace(0, random.uniform(5, 11) * np.pi, 160)
    radius = (0.05 + angle / angle[-1])[:, None]
    way = random.choice([-1.0, 1.0])
    return [radius * np.stack([np.cos(angle), way * np.sin(angle)], 1)]


def heart(random: np.random.Generator) -> Strokes:
    """A heart in one line, from its lower point and back to it."""
    t = np.linspace(0, 2 * np.pi, 60) + np.pi
    x = 16 * np.sin(t) ** 3
    y = -(13 * np.cos(t) - 5 * np.cos(2 * t) - 2 * np.cos(3 * t) - np.cos(4 * t))
    return [wobble(np.stack([x * random.uniform(0.8, 1.3), y], 1) / 16, random)]


def arrow(random: np.random.Generator) -> Strokes:
    """An arrow in any direction, with a head of one or two strokes."""
    head = random.uniform(0.2, 0.45)
    wing = random.uniform(0.15, 0.4)
    shaft = np.array([[0, 0], [1, random.normal(0, 0.06)]])
    upper, lower, tip = np.array([1 - head, -wing]), np.array([1 - head, wing]), shaft[1]
    heads = [np.stack([upper, tip, lower])]
    if random.random() < 0.5:
        heads = [np.stack([upper, tip]), np.stack([lower, tip])]
    angle = random.uniform(0, 2 * np.pi)
    return [wobble(rotate(stroke, angle), random) for stroke in [shaft, *heads]]


def tick(random: np.random.Generator) -> Strokes:
    """A tick: a short line down and a long one up to the right."""
    low = np.array([random.uniform(0.25, 0.42), 1.0])
    start = np.array([0.0, random.uniform(0.5, 0.75)])
    end = np.array([random.uniform(0.9, 1.3), random.uniform(-0.1, 0.15)])
    return [wobble(np.stack([start, low, end]), random)]


def cross(random: np.random.Generator) -> Strokes:
    """A cross or an X, with arms of about the same length."""
    angle = random.choice([0.0, np.pi / 4]) + random.normal(0, 0.12)
    bar = np.array([[-1.0, 0.0], [1.0, 0.0]])
    return [
        wobble(rotate(bar * random.uniform(0.8, 1.1), angle), random),
        wobble(rotate(bar * random.uniform(0.8, 1.1), angle + np.pi / 2), random),
    ]


def polygon(random: np.random.Generator) -> Strokes:
    """A closed triangle, square, pentagon or star."""
    corners = int(random.integers(3, 6))
    step = 2 if corners == 5 and random.random() < 0.6 else 1
    angle = np.arange(corners + 1) * step * 2 * np.pi / corners + random.uniform(0, 2 * np.pi)
    if corners == 4:
        angle += np.pi / 4 * (random.random() < 0.5)
    shape = np.stack([np.cos(angle) * random.uniform(0.7, 1.3), np.sin(angle)], 1)
    return [wobble(shape, random)]


def face(random: np.random.Generator) -> Strokes:
    """A circle with two eyes and a mouth."""
    t = np.linspace(0, 2 * np.pi, 50)
    mouth = np.linspace(0.2 * np.pi, 0.8 * np.pi, 16)
    bow = random.choice([-1.0, 1.0])
    eyes = random.uniform(0.02, 0.12)
    return [
        wobble(np.stack([np.cos(t), np.sin(t)], 1), random),
        np.array([[-0.35, -0.3 - eyes], [-0.35, -0.3 + eyes]]),
        np.array([[0.35, -0.3 - eyes], [0.35, -0.3 + eyes]]),
        np.stack([0.6 * np.cos(mouth), 0.25 + bow * 0.3 * (np.sin(mouth) - 0.6)], 1),
    ]


def grid(random: np.random.Generator) -> Strokes:
    """Parallel lines, some with others across."""
    lines = random.integers(2, 5)
    across = [np.array([[0.0, y], [1.0, y]]) for y in np.linspace(0.1, 0.9, lines)]
    down = [np.array([[x, 0.0], [x, 1.0]]) for x in np.linspace(0.1, 0.9, lines)]
    kinds = [across, down, across + down]
    return [wobble(line, random) for line in kinds[random.integers(len(kinds))]]


def dot(random: np.random.Generator) -> Strokes:
    """One to five dots."""
    count = random.choice([1, 1, 1, 2, 3, 5])
    return [random.uniform(0, 1, (1, 2)) for _ in range(count)]


def blot(random: np.random.Generator) -> Strokes:
    """An area filled with ink, such as a filled canvas."""
    lines = int(random.integers(12, 24))
    x = np.tile([0.0, 1.0, 1.0, 0.0], lines)[: 2 * lines]
    y = np.repeat(np.linspace(0, random.uniform(0.5, 1.3), lines), 2)
    edge = 1 - 0.5 * random.random() * np.abs(np.linspace(-1, 1, 2 * lines))
    return [np.stack([0.5 + (x - 0.5) * edge, y], 1)]


def dash(random: np.random.Generator) -> Strokes:
    """A horizontal line: flatter than people draw a 1."""
    angle = random.normal(0, 0.2)
    return [wobble(rotate(np.array([[-1.0, 0.0], [1.0, 0.0]]), angle), random)]


def side_by_side(left: Strokes, right: Strokes, random: np.random.Generator) -> Strokes:
    """Two drawings next to each other, of about the same height; y may grow up or down."""

    def unit(strokes: Strokes) -> Strokes:
        points = np.concatenate(strokes)
        low, high = points.min(0), points.max(0)
        return [(stroke - low) / max(float(high[1] - low[1]), 1e-6) for stroke in strokes]

    first, second = unit(left), unit(right)
    width = max(float(np.concatenate(first)[:, 0].max()), 0.05)
    gap = np.array([width + random.uniform(0.08, 0.5), random.normal(0, 0.08)])
    return first + [stroke * random.uniform(0.85, 1.15) + gap for stroke in second]


def overlay(lower: Strokes, upper: Strokes, random: np.random.Generator) -> Strokes:
    """Two drawings, one over the other, as if someone wrote over existing text."""

    def unit(strokes: Strokes) -> Strokes:
        points = np.concatenate(strokes)
        low, high = points.min(0), points.max(0)
        size = max(float((high - low).max()), 1e-6)
        return [(stroke - (low + high) / 2) / size for stroke in strokes]

    place = random.uniform(-0.35, 0.35, 2)
    size = random.uniform(0.4, 1.0)
    return unit(lower) + [stroke * size + place for stroke in unit(upper)]


def join(drawings: list[Strokes], random: np.random.Generator) -> Strokes:
    """Join a piece of each drawing's longest stroke: strokes that people draw, in unknown shapes.

    Each piece is rotated at random, and starts where the piece before it ends, or near there.
    """
    end = np.zeros(2)
    line: Strokes = []
    for strokes in drawings:
        stroke = max(strokes, key=len)
        points = _resample(stroke - stroke.mean(0), 48)
        points = points / max(float(np.abs(points).max()), 1e-6)
        length = int(random.uniform(0.35, 0.8) * len(points))
        start = random.integers(0, len(points) - length + 1)
        piece = rotate(points[start : start + length], random.uniform(0, 2 * np.pi))
        piece = piece * random.uniform(0.6, 1.4)
        if line and random.random() < 0.6:
            line[-1] = np.concatenate([line[-1], piece - piece[0] + end])
        else:
            line.append(piece + end + random.uniform(-0.5, 0.5, 2))
        end = line[-1][-1]
    return line


def piece(digits: list[Strokes], random: np.random.Generator) -> Strokes:
    """Two to four neighbouring digits of a number; in three of ten, one at an end is cut in half.

    Args:
        digits: the strokes of each digit, where it was written; at least two.
    """
    count = min(int(random.integers(2, 5)), len(digits))
    first = int(random.integers(0, len(digits) - count + 1))
    chosen = digits[first : first + count]
    strokes = [stroke for digit in chosen for stroke in digit]
    if random.random() >= 0.3:
        return strokes
    end = np.concatenate(chosen[-1])[:, 0]
    edge = end.min() + random.uniform(0.3, 0.6) * np.ptp(end)
    inside = [stroke[stroke[:, 0] <= edge] for stroke in strokes]
    return [stroke for stroke in inside if len(stroke)]


# Ways to turn a digit over, as matrices for x and y (upwards), and the digits that then are not
# digits any more. Digits that could still pass for one are left out: a 2 upside down looks like a 5,
# a 5 on its side like a 2, a 6 upside down is a 9.
TURNS: tuple[tuple[tuple[tuple[int, int], tuple[int, int]], str], ...] = (
    (((-1, 0), (0, 1)), "367"),  # mirrored from left to right
    (((1, 0), (0, -1)), "79"),  # mirrored from top to bottom
    (((-1, 0), (0, -1)), "37"),  # upside down
    (((0, -1), (1, 0)), "3"),  # on its side
    (((0, 1), (-1, 0)), "3"),
    (((0, 1), (1, 0)), "38"),  # mirrored and on its side
    (((0, -1), (-1, 0)), "38"),
)
TURNABLE = tuple(sorted({int(digit) for _, digits in TURNS for digit in digits}))


def turn_over(strokes: Strokes, digit: int, random: np.random.Generator) -> Strokes:
    """Mirror or rotate one of the `TURNABLE` digits so that it is not a digit any more."""
    ways = [matrix for matrix, digits in TURNS if str(digit) in digits]
    matrix = np.array(ways[random.integers(len(ways))], np.float32)
    return [stroke @ matrix.T for stroke in strokes]


KINDS = (scribble, zigzag, spiral, heart, arrow, tick, cross, polygon, face, grid, dot, blot, dash)


def any_kind(random: np.random.Generator) -> Strokes:
    """A random one of `KINDS`; scribbles are more frequent than the others."""
    chances = np.array([4, 2, 1, 1, 1.5, 1.5, 1, 1.5, 1, 1.5, 1, 1, 1])
    return KINDS[random.choice(len(KINDS), p=chances / chances.sum())](random)


def _resample(points: np.ndarray, count: int) -> np.ndarray:
    """`count` points at equal distances along a line."""
    along = np.append(0, np.cumsum(np.hypot(*np.diff(points, axis=0).T)))
    places = np.linspace(0, along[-1], count)
    return np.stack([np.interp(places, along, points[:, axis]) for axis in (0, 1)], 1)


def rotate(points: np.ndarray, angle: float) -> np.ndarray:
    cos, sin = np.cos(angle), np.sin(angle)
    return points @ np.array([[cos, sin], [-sin, cos]])


def wobble(points: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """A line through the points that is a little off, as a hand draws it."""
    steps = np.linspace(0, len(points) - 1, max(12, 6 * len(points)))
    line = np.stack([np.interp(steps, np.arange(len(points)), points[:, k]) for k in (0, 1)], 1)
    sway = np.cumsum(random.normal(0, 0.008, line.shape), 0)
    return line + sway


def smooth(points: np.ndarray) -> np.ndarray:
    """A Catmull-Rom spline through the points, in eight steps from one to the next."""
    padded = np.concatenate([points[:1], points, points[-1:]])
    t = np.linspace(0, 1, 8, endpoint=False)[:, None]
    pieces = []
    for a, b, c, d in zip(padded, padded[1:], padded[2:], padded[3:], strict=False):
        pieces.append(
            0.5
            * (
                2 * b
                + (c - a) * t
                + (2 * a - 5 * b + 4 * c - d) * t**2
                + (3 * b - a - 3 * c + d) * t**3
            )
        )
    return np.concatenate([*pieces, points[-1:]])
