"""Find what is drawn on a pale area, such as a speech bubble or a sticker. A number may also be on a round button."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from PIL import Image
from scipy import ndimage

from digitre.recognition.components import EIGHT, Component, Components
from digitre.recognition.ink import MIN_CONTRAST
from digitre.recognition.maps import InkMap

# Of its longer side: in an area lies a circle with such a radius. Digits by a pen of a fifth of their size have 0.205 at most.
RADIUS = 0.21
FAINT, MOSTLY = 0.5, 0.5  # of its strongest ink; of its pixels, so many are fainter
SMALLEST = 24  # pixels a side
LEAST = 0.3  # of the picture's shorter side: an area is at least so long
SMALL = 0.45  # of its longer side: what lies outside an area with a digit on it is at most so long
RIM = 3  # pixels: the soft edge of an area
OUTLINE = 0.05  # of its longer side: the line around an area is at most so thick ...
HOLLOW = 0.5  # ... and of its pixels, has at most so many


def find_area(maps: Sequence[InkMap]) -> tuple[InkMap, Component] | None:
    """The largest part of the first map, if that is an area off the picture's edges, and dominates it; and its map."""
    if not maps or not maps[0].components.all:
        return None
    components = maps[0].components
    part = components.all[0]
    if part.edges or part.extent < LEAST * min(components.ink.shape):
        return None
    box = slice(part.top, part.bottom), slice(part.left, part.right)
    ink = np.where(components.crop(part), components.ink[box], 0)
    return (maps[0], part) if dominates(part, components) and is_area(ink) else None


def dominates(area: Component, components: Components) -> bool:
    """Whether everything outside an area is much smaller than it. A disc with a letter, next to a number, is a logo."""
    outside = (each for each in components.all if each.is_outside(area))
    return all(each.extent <= SMALL * area.extent for each in outside)


def is_area(ink: np.ndarray) -> bool:
    """Whether ink is an area with something on it, and no strokes: most of it is fainter than the rest.

    The gaps in a dense scribble have the tone of the ground, and all of its ink is strong.

    Args:
        ink: (height, width) uint8, one component, without margins.
    """
    part = ink > 0
    faint = np.count_nonzero(ink[part] < FAINT * int(ink.max(initial=0)))
    if min(ink.shape) < SMALLEST or faint < MOSTLY * np.count_nonzero(part):
        return False
    return is_broad(ink)


def is_broad(ink: np.ndarray) -> bool:
    """Whether ink, (height, width) uint8 without margins, is broader somewhere than any stroke of a digit."""
    # At the soft edges of what is written on it, single pixels have the tone of the ground.
    closed = ndimage.binary_closing(np.pad(ink > 0, 2), EIGHT)
    return bool(ndimage.distance_transform_edt(closed).max() >= RADIUS * max(ink.shape))


def without_outline(ink_map: InkMap, area: Component) -> InkMap:
    """A map without the line around an area, which looks like a 0."""
    slack = OUTLINE * area.extent
    around = [
        each
        for each in ink_map.components.all
        if each.area <= HOLLOW * area.area
        and max(abs(each.top - area.top), abs(each.bottom - area.bottom)) <= slack
        and max(abs(each.left - area.left), abs(each.right - area.right)) <= slack
    ]
    if not around:
        return ink_map
    ink = np.where(ink_map.components.mask(around), 0, ink_map.ink)
    return replace(ink_map, ink=ink, whole=ink)


def map_on_area(image: Image.Image, ink_map: InkMap, part: Component) -> InkMap:
    """What differs from the tone of an area, without the line around it.

    Args:
        image: of mode L or RGB, as large as the map.
        part: the area.
    """
    area = ndimage.binary_fill_holes(ink_map.components.mask([part]))
    depth = ndimage.distance_transform_edt(area)
    inner = depth > RIM
    pixels = np.asarray(image, np.int16)
    pixels = pixels.reshape(*pixels.shape[:2], -1)
    tone = np.median(pixels[inner], axis=0) if inner.any() else pixels[0, 0]
    differences = np.abs(pixels - tone).max(2)
    labels, count = ndimage.label(inner & (differences >= MIN_CONTRAST), EIGHT)
    numbers = np.arange(1, count + 1)
    nearest, furthest = (
        np.append(0, each(depth, labels, numbers)) for each in (ndimage.minimum, ndimage.maximum)
    )
    outline = (nearest <= RIM + 1) & (furthest <= RIM + OUTLINE * part.extent)
    inked = (labels > 0) & ~outline[labels]
    return InkMap("on an area", np.where(inked, differences, 0).astype(np.uint8))
