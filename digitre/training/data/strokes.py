"""Draw pen strokes as a canvas does."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

Strokes = Sequence[np.ndarray]

# Lines are drawn this many times larger and then averaged, like the anti-aliasing of a browser.
OVERSAMPLING = 4


def fit(
    strokes: Strokes, size: float, left: float, top: float, *, flip: bool = False
) -> list[np.ndarray]:
    """Scale and move strokes.

    Args:
        strokes: arrays (n, 2) of x and y in any unit.
        size: the longer side of their bounding box becomes this many pixels, without the pen's width.
        left, top: the middle of the bounding box moves here, in pixels.
        flip: whether y grows upwards, as on a tablet.

    Returns:
        arrays (n, 2) float64 in pixels, y growing downwards.
    """
    points = np.concatenate(strokes).astype(np.float64)
    low, high = points.min(0), points.max(0)
    factor = size / max(*(high - low), 1e-9)
    middle = (low + high) / 2
    scale = np.array([factor, -factor if flip else factor])
    return [(np.asarray(stroke) - middle) * scale + (left, top) for stroke in strokes]


def render(strokes: Strokes, width: int, height: int, pen: float) -> np.ndarray:
    """Draw strokes with round caps and joins, anti-aliased.

    Args:
        strokes: arrays (n, 2) of x and y in pixels, y growing downwards; one point is a dot.
        width, height: of the canvas in pixels; strokes outside it are cut off.
        pen: the width of the line in pixels.

    Returns:
        (height, width) uint8, ink bright.
    """
    canvas = np.zeros((height, width), np.uint8)
    points = np.concatenate(strokes)
    reach = pen / 2 + 1
    # Only the part with ink is drawn large, which is faster.
    left, top = np.maximum(np.floor(points.min(0) - reach).astype(int), 0)
    right, bottom = np.minimum(np.ceil(points.max(0) + reach).astype(int) + 1, (width, height))
    if right <= left or bottom <= top:
        return canvas
    scale = OVERSAMPLING
    large = Image.new("L", (int(right - left) * scale, int(bottom - top) * scale))
    draw = ImageDraw.Draw(large)
    scaled_pen = max(1, round(pen * scale))
    for stroke in strokes:
        path = (np.asarray(stroke, dtype=np.float64) - (left, top)) * scale
        # Pillow draws between whole pixels and includes the last one.
        corners = [tuple(point) for point in np.rint(path - 0.5).astype(int).tolist()]
        if len(corners) > 1:
            draw.line(corners, fill=255, width=scaled_pen)
        discs = np.rint(path - scaled_pen / 2).astype(int)
        for x, y in discs.tolist():
            draw.ellipse((x, y, x + scaled_pen - 1, y + scaled_pen - 1), fill=255)
    canvas[top:bottom, left:right] = np.asarray(large.reduce(scale))
    return canvas
