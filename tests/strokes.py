"""Digits drawn by hand for this project: pen strokes on a canvas of 250 x 250, y growing downwards.

Points are about 15 pixels apart; `smooth` puts a curve through them.
"""

from __future__ import annotations

import numpy as np

from digitre.training.data.strokes import render

DIGITS: dict[int, list[list[tuple[int, int]]]] = {
    0: [
        [
            (138, 58),
            (112, 64),
            (92, 88),
            (84, 122),
            (88, 158),
            (104, 184),
            (128, 192),
            (152, 182),
            (166, 154),
            (170, 120),
            (164, 88),
            (150, 66),
            (134, 58),
        ]
    ],
    1: [[(104, 84), (120, 72), (136, 56), (135, 92), (133, 130), (131, 164), (130, 196)]],
    2: [
        [
            (88, 88),
            (96, 68),
            (118, 56),
            (144, 62),
            (158, 82),
            (154, 108),
            (136, 134),
            (112, 160),
            (88, 184),
            (112, 184),
            (140, 184),
            (168, 186),
        ]
    ],
    3: [
        [
            (90, 66),
            (114, 56),
            (142, 62),
            (154, 82),
            (144, 104),
            (118, 116),
            (142, 122),
            (160, 142),
            (158, 170),
            (136, 190),
            (108, 192),
            (84, 180),
        ]
    ],
    4: [
        [(126, 56), (112, 88), (96, 120), (84, 144), (112, 144), (144, 142), (174, 140)],
        [(150, 92), (148, 128), (146, 164), (144, 198)],
    ],
    5: [
        [
            (104, 62),
            (100, 88),
            (96, 112),
            (120, 104),
            (146, 112),
            (160, 136),
            (156, 166),
            (136, 188),
            (108, 192),
            (86, 182),
        ],
        [(104, 62), (130, 60), (160, 58)],
    ],
    6: [
        [
            (146, 56),
            (120, 76),
            (100, 108),
            (90, 144),
            (98, 176),
            (122, 192),
            (148, 184),
            (160, 160),
            (150, 138),
            (126, 132),
            (104, 146),
            (92, 164),
        ]
    ],
    7: [[(84, 64), (112, 64), (140, 63), (166, 62), (152, 96), (138, 130), (126, 162), (116, 196)]],
    8: [
        [
            (152, 76),
            (136, 60),
            (112, 60),
            (98, 78),
            (106, 100),
            (128, 116),
            (152, 134),
            (162, 160),
            (148, 186),
            (120, 194),
            (96, 182),
            (90, 158),
            (104, 134),
            (128, 116),
            (148, 98),
            (152, 76),
        ]
    ],
    9: [
        [
            (154, 82),
            (138, 64),
            (112, 64),
            (96, 84),
            (98, 108),
            (118, 120),
            (142, 110),
            (154, 86),
            (154, 118),
            (148, 154),
            (138, 194),
        ]
    ],
}

# Drawings that are not digits.
OTHERS: dict[str, list[list[tuple[int, int]]]] = {
    "tick": [[(70, 140), (84, 160), (100, 186), (124, 144), (150, 104), (184, 62)]],
    "scribble": [
        [
            (60, 90),
            (120, 70),
            (180, 110),
            (90, 130),
            (70, 170),
            (150, 160),
            (190, 90),
            (130, 200),
            (80, 60),
            (110, 180),
            (170, 60),
            (200, 150),
        ]
    ],
    "cross": [[(70, 70), (125, 124), (182, 180)], [(180, 72), (126, 126), (72, 182)]],
    "heart": [
        [
            (125, 190),
            (88, 150),
            (66, 112),
            (76, 80),
            (104, 76),
            (125, 104),
            (146, 76),
            (174, 80),
            (184, 112),
            (162, 150),
            (125, 190),
        ]
    ],
}


def smooth(points: list[tuple[int, int]]) -> np.ndarray:
    """A Catmull-Rom spline through the points, with five steps from each to the next: (n, 2) float64."""
    knots = np.array(points, float)
    padded = np.concatenate([2 * knots[:1] - knots[1:2], knots, 2 * knots[-1:] - knots[-2:-1]])
    t = np.linspace(0, 1, 5, endpoint=False)[:, None]
    pieces = [
        b
        + t * (c - a) / 2
        + t**2 * (a - 2.5 * b + 2 * c - d / 2)
        + t**3 * (1.5 * (b - c) + (d - a) / 2)
        for a, b, c, d in zip(padded, padded[1:], padded[2:], padded[3:], strict=False)
    ]
    return np.concatenate([*pieces, knots[-1:]])


def drawn(
    strokes: list[list[tuple[int, int]]],
    *,
    pen: float = 12,
    canvas: int = 250,
    scale: float = 1.0,
    shift: tuple[float, float] = (0, 0),
) -> np.ndarray:
    """Draw the strokes on a square canvas, scaled about its middle, then moved by `shift` pixels.

    Returns:
        (canvas, canvas) uint8, ink bright.
    """
    middle = 125
    lines = [(smooth(stroke) - middle) * scale + canvas / 2 + shift for stroke in strokes]
    return render(lines, canvas, canvas, pen)
