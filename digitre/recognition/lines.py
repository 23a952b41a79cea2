"""Straight lines of a page: rules, grids, combs, axes, margins."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from digitre.recognition.components import EIGHT, run_lengths

LEAST = 0.33  # of the picture's shorter side: a line is at least so long
THICK = 0.05  # of the picture's shorter side: a line is at most so thick
JOINED = 0.5  # of the picture's shorter side: two parts of a line may be so far apart
SMALLEST = 48  # pixels a side: in a smaller picture, a stroke and a line look alike
FRAMED = 0.8  # of a drawing's width and height: lines so long and so far apart are a frame
NEAR = 2  # pixels: a line that ends so near an edge reaches it


@dataclass(frozen=True)
class Line:
    """A level or upright line, in pixels.

    Attributes:
        level: whether it is level; else it is upright.
        top, bottom, left, right: its bounding box.
        whole: whether it runs from edge to edge of the picture.
    """

    level: bool
    top: int
    bottom: int
    left: int
    right: int
    whole: bool

    @property
    def length(self) -> int:
        return self.right - self.left if self.level else self.bottom - self.top


def find_lines(ink: np.ndarray) -> list[tuple[Line, np.ndarray]]:
    """Find long, thin, level or upright lines.

    A morphological opening with a line element finds them: a minimum and then a maximum filter in one
    dimension. Where ink crosses a line, the line is thicker, and that ink is left alone.

    Args:
        ink: (height, width) uint8.

    Returns:
        Each line with its pixels, (height, width) bool.
    """
    mask = ink > 0
    shorter = min(mask.shape)
    if shorter < SMALLEST:
        return []
    least = max(12, int(LEAST * shorter)) | 1
    lines = []
    for axis in (1, 0):
        thickness = run_lengths(mask, 1 - axis)
        # A line that slants a little leaves its row: one pixel to each side is allowed.
        wide = ndimage.maximum_filter1d(mask, 3, axis=1 - axis)
        opened = ndimage.minimum_filter1d(wide, least, axis=axis)
        opened = ndimage.maximum_filter1d(opened, least, axis=axis) & mask
        if not opened.any():
            continue
        usual = float(np.percentile(thickness[opened], 25))  # a stroke along the line is thicker
        if usual <= max(3, THICK * shorter):
            thin = opened & (thickness <= 1.6 * usual + 2)
            lines += _lines_of(thin, axis, int(JOINED * shorter) | 1)
    return lines


def _lines_of(thin: np.ndarray, axis: int, reach: int) -> list[tuple[Line, np.ndarray]]:
    """Each line of a mask; parts of one line that ink interrupts belong together."""
    joined = ndimage.maximum_filter1d(thin, 3, axis=1 - axis)
    labels, _ = ndimage.label(ndimage.maximum_filter1d(joined, reach, axis=axis))
    height, width = thin.shape
    lines = []
    for label, box in enumerate(ndimage.find_objects(labels), 1):
        own = thin[box] & (labels[box] == label)
        rows, columns = np.flatnonzero(own.any(1)), np.flatnonzero(own.any(0))
        if not len(rows):
            continue
        top, bottom = box[0].start + rows[0], box[0].start + rows[-1] + 1
        left, right = box[1].start + columns[0], box[1].start + columns[-1] + 1
        if axis == 1:
            whole = left <= NEAR and right >= width - NEAR
        else:
            whole = top <= NEAR and bottom >= height - NEAR
        pixels = np.zeros_like(thin)
        pixels[box] = own
        lines.append((Line(axis == 1, int(top), int(bottom), int(left), int(right), whole), pixels))
    return lines


def is_framed(ink: np.ndarray) -> bool:
    """Whether lines run along all four sides of a drawing: a frame that the writing touches.

    Args:
        ink: (height, width) uint8, cut to its bounding box.
    """
    height, width = ink.shape
    down, across = round((1 - FRAMED) * height) + NEAR, round((1 - FRAMED) * width) + NEAR
    # Most drawings have a corner without ink, and to find lines takes as long as all else.
    if not all(
        ink[rows, columns].any()
        for rows in (slice(down), slice(-down, None))
        for columns in (slice(across), slice(-across, None))
    ):
        return False
    lines = [line for line, _ in find_lines(ink)]
    tops = [each.top for each in lines if each.level and each.length >= FRAMED * width]
    lefts = [each.left for each in lines if not each.level and each.length >= FRAMED * height]
    return bool(tops and lefts) and (
        max(tops) - min(tops) >= FRAMED * height and max(lefts) - min(lefts) >= FRAMED * width
    )


def remove_lines(ink: np.ndarray, pixels: np.ndarray) -> np.ndarray:
    """Ink without lines and without their soft edges; what runs across them stays whole.

    Args:
        ink: (height, width) uint8.
        pixels: (height, width) bool, the lines.
    """
    mask = ink > 0
    thickness = np.minimum(run_lengths(mask, 0), run_lengths(mask, 1))
    soft = ndimage.binary_dilation(pixels, EIGHT) & (thickness <= 3)
    return np.where(pixels | soft, 0, ink).astype(np.uint8)
