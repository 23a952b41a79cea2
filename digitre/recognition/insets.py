"""A picture within a picture: a canvas on a dark page, a photo with bars, a sheet on a desk."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from PIL import Image
from scipy import ndimage

from digitre.recognition.components import EIGHT

SIDE = 160  # pixels a side, at most, of the copy that is searched
CORNER = 10  # of 255: so much like the corners is still the ground around an inset
UNLIKE = 14  # of 255: so much unlike them is the inset
LEAST = 0.08  # of the picture: an inset is at least so large
FILLED = 0.7  # of its bounding box, an inset fills at least so much: it may be turned
STRAIGHT = 0.97  # one that fills so much of its box is not turned
CORNERS = 0.84  # of the smallest turned rectangle around it: an ellipse fills 0.785
SMALLEST = 12  # pixels a side
MOST = 2  # insets of one picture that are looked at


def find_insets(image: Image.Image) -> list[Image.Image]:
    """The pictures that lie within a picture, each cut out.

    An inset is a region that is convex along rows and columns. It is searched for as what differs from
    the corners, and as the brighter and the darker of two classes (Otsu 1979). What lies outside a turned
    one takes the tone of the nearest place inside.

    Args:
        image: of mode L or RGB.

    Returns:
        At most `MOST` pictures, of mode L or RGB.
    """
    factor = max(1, -(-max(image.size) // SIDE))
    grey = np.asarray(image.convert("L").reduce(factor), np.float32)
    if min(grey.shape) < SMALLEST:
        return []
    insets: list[Image.Image] = []
    for mask in (*_unlike_corners(grey), *_two_classes(grey)):
        inset = _cut_out(image, mask, factor)
        if inset is not None and not any(_are_alike(inset, other) for other in insets):
            insets.append(inset)
    return insets[:MOST]


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


def _cut_out(image: Image.Image, mask: np.ndarray, factor: int) -> Image.Image | None:
    """The largest region of a mask as a picture, or None if it does not look like one."""
    labels, count = ndimage.label(mask)
    if not count:
        return None
    largest = int(np.bincount(labels.ravel())[1:].argmax()) + 1
    rows, columns = ndimage.find_objects(labels)[largest - 1]
    region = ndimage.binary_fill_holes(labels[rows, columns] == largest)
    filled = region.mean()
    if region.size < LEAST * mask.size or filled < FILLED or not _is_convex(region):
        return None
    if filled < STRAIGHT and not _has_corners(region):
        return None
    if region.shape == mask.shape and filled > 0.985:
        return None  # the whole picture
    inset = factor  # its outermost pixels are mixed with what lies around
    left, top = columns.start * factor + inset, rows.start * factor + inset
    right = min(columns.stop * factor, image.width) - inset
    bottom = min(rows.stop * factor, image.height) - inset
    if min(right - left, bottom - top) < SMALLEST:
        return None
    part = image.crop((left, top, right, bottom))
    return part if filled >= STRAIGHT else _fill_outside(part.convert("L"), region)


def _is_convex(region: np.ndarray) -> bool:
    """Whether nearly every row and every column is one run."""
    for axis in (0, 1):
        runs = (np.diff(region.astype(np.int8), axis=axis, prepend=0) == 1).sum(axis)
        if (runs > 1).mean() > 0.03:
            return False
    return True


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
