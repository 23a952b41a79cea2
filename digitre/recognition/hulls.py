"""The convex hull of a region: the region itself, its corners, and how much of a rectangle a region fills."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw
from scipy import ndimage


def convex_hull(region: np.ndarray) -> np.ndarray:
    """The smallest convex region around a region, both (height, width) bool (Andrew's monotone chain, 1979)."""
    image = Image.new("1", region.shape[::-1])
    ImageDraw.Draw(image).polygon(hull_corners(region), fill=1, outline=1)
    return np.asarray(image)


def hull_corners(region: np.ndarray) -> list[tuple[int, int]]:
    """The corners of the convex hull, x and y, one after the other around it."""
    inked = np.flatnonzero(region.any(1))
    lefts = region.argmax(1)[inked]
    rights = region.shape[1] - 1 - region[:, ::-1].argmax(1)[inked]
    left = _chain(list(zip(lefts.tolist(), inked.tolist(), strict=True)), 1)
    right = _chain(list(zip(rights.tolist(), inked.tolist(), strict=True)), -1)
    return left + right[::-1]


def _chain(points: list[tuple[int, int]], side: int) -> list[tuple[int, int]]:
    """The corners of a hull's left side (1) or right side (-1): from top to bottom it bends one way."""
    chain: list[tuple[int, int]] = []
    for x, y in points:
        while len(chain) > 1:
            (x0, y0), (x1, y1) = chain[-2:]
            if side * ((x1 - x0) * (y - y0) - (x - x0) * (y1 - y0)) < 0:
                break
            chain.pop()
        chain.append((x, y))
    return chain


def share_of_rectangle(region: np.ndarray) -> float:
    """How much of the smallest rectangle around it a region fills, however that is turned."""
    edge = np.argwhere(region & ~ndimage.binary_erosion(region, border_value=0))
    angles = np.deg2rad(np.arange(-45, 45, 3))
    axes = np.stack([np.cos(angles), np.sin(angles)])
    across, along = edge @ axes, edge @ (axes[::-1] * [[-1], [1]])
    areas = (np.ptp(across, axis=0) + 1) * (np.ptp(along, axis=0) + 1)
    return float(region.sum() / areas.min())
