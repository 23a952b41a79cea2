"""A picture within a picture: a canvas on a dark page, a photo with bars, a sheet on a desk."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw
from scipy import ndimage

from digitre.recognition.components import EIGHT, Component

SIDE = 160  # pixels a side, at most, of the copy that is searched
CORNER = 10  # of 255: so much like the corners is still the ground around an inset
UNLIKE = 14  # of 255: so much unlike them is the inset
LEAST = 0.08  # of the picture: an inset is at least so large
FILLED = 0.7  # of its bounding box, an inset fills at least so much: it may be turned
STRAIGHT = 0.97  # one that fills so much of its box is not turned
CORNERS = 0.84  # of the smallest turned rectangle around it: an ellipse fills 0.785
SOLIDITY = 0.97  # of its convex hull, an inset fills at least so much ...
SOLIDITY_OF_INK = (
    0.8  # ... and one that an even ground surrounds: where it has that tone, it has gaps
)
PART = 0.1  # of the largest part of an inset: its other parts are at least so large
SMALLEST = 12  # pixels a side
SOLID = 0.7  # of its bounding box: a component that fills so much may be a picture in the picture
MOST = 2  # insets of one picture that are looked at


class Inset(NamedTuple):
    """A picture within a picture, of mode L or RGB, and where it begins in pixels."""

    image: Image.Image
    left: int
    top: int


def find_insets(image: Image.Image, solid: Sequence[np.ndarray] = ()) -> list[Inset]:
    """The pictures that lie within a picture, each cut out.

    An inset is a region that fills nearly all of its convex hull, which has corners. It is searched for as
    what differs from the corners, as the brighter and the darker of two classes (Otsu 1979), and among the
    given regions. What lies outside a turned one takes the tone of the nearest place inside.

    Args:
        image: of mode L or RGB.
        solid: regions that may be insets, each (h, w) bool for the whole picture, at any resolution.

    Returns:
        At most `MOST`.
    """
    factor = max(1, -(-max(image.size) // SIDE))
    grey = np.asarray(image.convert("L").reduce(factor), np.float32)
    if min(grey.shape) < SMALLEST:
        return []
    insets: list[Inset] = []
    masks = [(each, SOLIDITY) for each in (*_unlike_corners(grey), *_two_classes(grey))]
    masks += [(_resized(each, grey.shape), SOLIDITY_OF_INK) for each in solid]
    for mask, solidity in masks:
        inset = _cut_out(image, mask, factor, solidity)
        if inset is not None and not any(_are_alike(inset.image, other.image) for other in insets):
            insets.append(inset)
    return insets[:MOST]


def is_solid(part: Component, shorter: int = 0) -> bool:
    """Whether a component fills its bounding box, as a picture within a picture does.

    Args:
        shorter: side of the picture, in pixels.
    """
    least = max(SMALLEST, 0.15 * shorter)
    return part.fill >= SOLID and min(part.width, part.height) >= least


def is_window(region: np.ndarray) -> bool:
    """Whether a region, (height, width) bool without margins, is a rectangle, which may be turned. A 0 is not."""
    hull = convex_hull(region)
    if region.sum() < SOLIDITY_OF_INK * hull.sum():
        return False
    return bool(hull.mean() >= STRAIGHT) or _has_corners(hull)


def _are_alike(one: Image.Image, other: Image.Image) -> bool:
    """Whether two insets differ in size by a twentieth at most: then they are the same one."""
    return all(abs(a - b) <= 0.05 * max(a, b) for a, b in zip(one.size, other.size, strict=True))


def _unlike_corners(grey: np.ndarray) -> Iterator[np.ndarray]:
    ground = np.median([grey[0, 0], grey[0, -1], grey[-1, 0], grey[-1, -1]])
    border = np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])
    if (np.abs(border - ground) <= CORNER).mean() >= 0.25:
        yield np.abs(grey - ground) > UNLIKE


def _two_classes(grey: np.ndarray) -> Iterator[np.ndarray]:
    """Otsu's threshold, which makes the variance between two classes largest: the bright, the dark."""
    counts, bounds = np.histogram(grey, 64, (0, 256))
    tones = (bounds[:-1] + bounds[1:]) / 2
    below, sums = np.cumsum(counts), np.cumsum(counts * tones)
    above = below[-1] - below
    between = (sums[-1] * below / below[-1] - sums) ** 2 / np.maximum(below * above, 1)
    threshold = tones[int(np.argmax(between))] + 2
    smooth = ndimage.uniform_filter(grey, 3)
    yield smooth > threshold
    yield smooth <= threshold


def _cut_out(image: Image.Image, mask: np.ndarray, factor: int, solidity: float) -> Inset | None:
    """The largest region of a mask as a picture, or None if it does not look like one."""
    labels, count = ndimage.label(mask)
    if not count:
        return None
    # A band in which a note has the tone of the wall may divide it.
    areas = np.bincount(labels.ravel())
    areas[0] = 0
    large = (areas >= PART * areas.max())[labels]
    rows, columns = ndimage.find_objects(large.astype(np.uint8))[0]
    region = ndimage.binary_fill_holes(large[rows, columns])
    hull = convex_hull(region)
    filled = hull.mean()
    if hull.size < LEAST * mask.size or filled < FILLED or region.sum() < solidity * hull.sum():
        return None
    if filled < STRAIGHT and not _has_corners(hull):
        return None
    if hull.shape == mask.shape and filled > 0.985:
        return None  # the whole picture
    inset = factor  # its outermost pixels are mixed with what lies around
    left, top = columns.start * factor + inset, rows.start * factor + inset
    right = min(columns.stop * factor, image.width) - inset
    bottom = min(rows.stop * factor, image.height) - inset
    if min(right - left, bottom - top) < SMALLEST:
        return None
    part = image.crop((left, top, right, bottom))
    if filled >= STRAIGHT:
        return Inset(part, left, top)
    inside = _fill_outside(part.convert("L"), hull)
    return None if inside is None else Inset(inside, left, top)


def _resized(mask: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    size = shape[1], shape[0]
    return np.asarray(Image.fromarray(mask).convert("L").resize(size, Image.Resampling.BOX)) > 127


def convex_hull(region: np.ndarray) -> np.ndarray:
    """The smallest convex region around a region, both (height, width) bool (Andrew's monotone chain, 1979)."""
    inked = np.flatnonzero(region.any(1))
    lefts = region.argmax(1)[inked]
    rights = region.shape[1] - 1 - region[:, ::-1].argmax(1)[inked]
    left = _chain(list(zip(lefts.tolist(), inked.tolist(), strict=True)), 1)
    right = _chain(list(zip(rights.tolist(), inked.tolist(), strict=True)), -1)
    image = Image.new("1", region.shape[::-1])
    ImageDraw.Draw(image).polygon(left + right[::-1], fill=1, outline=1)
    return np.asarray(image)


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


def _has_corners(region: np.ndarray) -> bool:
    """Whether a region fills the smallest rectangle around it, however that is turned: a 0 does not."""
    edge = np.argwhere(region & ~ndimage.binary_erosion(region, border_value=0))
    angles = np.deg2rad(np.arange(-45, 45, 3))
    axes = np.stack([np.cos(angles), np.sin(angles)])
    across, along = edge @ axes, edge @ (axes[::-1] * [[-1], [1]])
    areas = (np.ptp(across, axis=0) + 1) * (np.ptp(along, axis=0) + 1)
    return bool(region.sum() >= CORNERS * areas.min())


def _fill_outside(part: Image.Image, region: np.ndarray) -> Image.Image | None:
    core = ndimage.binary_erosion(region, EIGHT, iterations=2)
    if not core.any():
        return None
    nearest = ndimage.distance_transform_edt(~core, return_distances=False, return_indices=True)
    small = np.asarray(part.resize(core.shape[::-1], Image.Resampling.BOX))
    tones = Image.fromarray(small[tuple(nearest)]).resize(part.size, Image.Resampling.BILINEAR)
    inside = Image.fromarray(core).resize(part.size)
    return Image.composite(part, tones, inside)
