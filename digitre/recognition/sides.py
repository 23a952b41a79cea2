"""The sides of a picture within a picture: where a sheet ends, the desk looks like a stroke along it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from PIL import Image
from scipy import ndimage

from digitre.recognition.components import EIGHT
from digitre.recognition.maps import InkMap

BESIDE = 3  # pixels of the searched copy: the sides reach so far from the outline
NEAR = 4  # pixels of the copy: what is so near the picture's border touches it
LEAST = 0.25  # of the picture: what is smaller may be a stroke's own inner area
UNLIKE = 14  # of 255: a sheet differs by at least so much from what lies next to it; the inside of a frame does not
MOSTLY = 0.8  # of its pixels: ink of which so much lies on the sides, or lies there or outside, may be no writing
SMALL = 0.15  # of the picture's shorter side: what is smaller, thin, and lies outside of a sheet, is no writing
ALONG = 0.5  # of its longer side: what lies outside and along the sides for so long, belongs to the ground


class Sides(NamedTuple):
    """The sides of a picture within a picture, in an averaged-down copy of the whole one.

    Attributes:
        near: (height, width) bool, within `BESIDE` pixels of the outline.
        beyond: (height, width) bool, the same and all that lies outside.
    """

    near: np.ndarray
    beyond: np.ndarray


def touches(region: np.ndarray, near: int = 1) -> tuple[bool, bool, bool, bool]:
    """Which borders of the picture a region touches, or comes so near in pixels: top, bottom, left, right."""
    top, bottom, left, right = region[:near], region[-near:], region[:, :near], region[:, -near:]
    return bool(top.any()), bool(bottom.any()), bool(left.any()), bool(right.any())


def find_sides(region: np.ndarray, grey: np.ndarray) -> Sides | None:
    """The sides of a region, except at the picture's border.

    Args:
        region: (height, width) bool.
        grey: (height, width) float32, the tones of the same picture, 0 to 255.

    Returns:
        None if the region is small or most of its outline has the same tone on both sides; and if only one side lies
        within the picture, which may be the edge of a shadow, or less, as where a finger covers a corner.
    """
    if region.mean() < LEAST or sum(touches(region, NEAR)) > 2:
        return None
    outer = ndimage.binary_dilation(region, EIGHT, iterations=BESIDE)
    inner = ndimage.binary_erosion(region, EIGHT, iterations=BESIDE, border_value=1)
    outline = inner & ~ndimage.binary_erosion(inner, border_value=1)
    if outline.sum() < min(region.shape):
        return None
    across = ndimage.distance_transform_edt(outer, return_distances=False, return_indices=True)
    contrasts = np.abs(grey[outline] - grey[tuple(across[:, outline])])
    return Sides(outer & ~inner, ~inner) if np.median(contrasts) >= UNLIKE else None


def largest_sides(sides: Iterable[Sides | None]) -> Sides | None:
    """The sides of the largest region. A smaller one may be a part of the same sheet, up to a fold or a shadow."""
    found = [each for each in sides if each]
    return min(found, key=lambda each: np.count_nonzero(each.beyond), default=None)


def without_sides(ink_map: InkMap, sides: Sides | None) -> InkMap:
    """A map without what lies along the sides of a picture within the picture.

    A stroke that runs off a sheet crosses its side, and what is written next to a sheet does not touch it.
    """
    if sides is None:
        return ink_map
    components = ink_map.components
    shape = components.labels.shape
    inked = np.flatnonzero(components.labels)
    labels = components.labels.ravel()[inked]
    on_sides, off_sheets = (
        np.bincount(labels, weights=_resized(mask, shape)[inked]) for mask in sides
    )
    beside = BESIDE * shape[0] / sides.near.shape[0]
    gone = []
    for part in components.all:
        along = on_sides[part.label] >= ALONG * beside * part.extent
        sliver = part.extent < SMALL * min(shape) and min(part.height, part.width) <= beside
        off = off_sheets[part.label] >= MOSTLY * part.area
        if on_sides[part.label] >= MOSTLY * part.area or (off and (along or sliver)):
            gone.append(part)
    if not gone:
        return ink_map
    removed = components.mask(gone)
    return replace(
        ink_map, ink=np.where(removed, 0, ink_map.ink), whole=np.where(removed, 0, ink_map.whole)
    )


def _resized(mask: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """A mask in another size, (h * w,) bool."""
    return np.asarray(Image.fromarray(mask).resize((shape[1], shape[0]))).ravel()
