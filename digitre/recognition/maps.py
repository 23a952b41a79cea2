"""Several ways to tell ink from its ground: each gives a map of a picture's ink.

No one way is right for every picture. What differs from an even ground is right for a canvas, a fitted
light for smooth paper, and what is darker than its neighbourhood for paper under a shadow. The network
decides which map shows a digit: see `digitre.recognition.detection`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from PIL import Image
from scipy import ndimage

from digitre.recognition import photo
from digitre.recognition.components import (
    Component,
    Components,
    Row,
    are_of_one_size,
    bounding_box,
    rows_of,
)
from digitre.recognition.ink import MIN_CONTRAST, RIPPLE, differences_from_even_ground
from digitre.recognition.lines import Line, find_lines, remove_lines

# Chosen on the scenes of `digitre.training.evaluation.scenes`, drawn by validation writers.
STRONG = 0.45  # of the strongest ink: what is at least so strong is no faint rest, no grid, no soft shadow
SOFT = 0.06  # of the picture's shorter side
STRONG_INK = "strong ink, "
STRONGER = 0.02  # what readings of strong ink alone are worth less
WITHOUT_LINES = 0.02  # the same without lines: the foot of a 2 is a line too
WEAK = 0.1  # weak ink is left out on trial if there is so much of it, compared with strong ink
SOLID_BAR = 0.95  # of its bounding box, a bar along a whole edge fills at least so much
DRAWN = 0.9  # of the ground: if so much of it has one tone, a program drew the picture
WINDOW = 0.22  # of the picture's shorter side: wider than any stroke, narrower than a shadow
# On paper, ink differs from its ground by at least this, of 255. Soft shadows differ by less, thin pens by
# more.
LEAST_CONTRAST = 33
DOUBT = 0.05  # of what is brighter than around, if more is darker; and the other way round
# Of what is brighter than around it: the light rim of a sheet is that too, and a picture within may hold the digit.
BRIGHT = 0.1
# Of 255 per pixel: photographed strokes have 56 and more, out of focus half of it; soft shadows have 13 at most. What is
# brighter than around it may be a reflection, with 43 at most, or the light between the side of a sheet and a shadow
# across it, with 77 at most.
SLOPE = 16.0
STEEP = 80.0
LETTER = 0.12  # of the size of a stamp: its largest letter is at least so large
SMALLEST_HOLE = 4  # pixels: a punched hole is at least so long
EVEN = 0.7  # of the largest gap between punched holes, the smallest one
DASHES = 4  # on each side of a dashed frame, at least; ...
FRAME, SHORT = (
    0.05,
    0.15,
)  # ... of its shorter side, they are at most so thick and so long
SMALLEST = 8  # pixels a side of a picture of paper
FLOOR = 22  # of 255: what differs less from its neighbourhood is not ink
CONTRAST_TO_MEAN = 0.25  # of its contrast: ink differs by at least so much from the mean around it
FULL = 200  # the tone that differences from a neighbourhood are relative to


@dataclass
class InkMap:
    """The ink of a picture, told from its ground in one way.

    Attributes:
        name: how.
        ink: (height, width) uint8.
        on_paper: whether it comes from photographed paper, where a shadow can look like a stroke.
        lines: the lines that were removed from it.
        doubt: what its readings are worth less, since it is not the likeliest map.
        contrast: of its ink to its ground, on paper, 0 to 255.
        whole: (height, width) uint8, the ink with what is faint, if this is the strong ink alone; else the ink.
        slope: how steep the sides of strokes are at least, in values of ink per pixel: a light or a shadow is softer.
    """

    name: str
    ink: np.ndarray
    on_paper: bool = False
    lines: list[Line] = field(default_factory=list)
    doubt: float = 0.0
    contrast: float = 255.0
    whole: np.ndarray = None  # type: ignore[assignment]  # the ink, unless it is given
    slope: float = 0.0

    def __post_init__(self) -> None:
        self.components = Components(self.ink)
        if self.whole is None:
            self.whole = self.ink

    @property
    def kind(self) -> str:
        """How ink was told from its ground; the same for all ink and for the strong ink alone."""
        return self.name.removeprefix(STRONG_INK)

    @cached_property
    def marks(self) -> list[tuple[Component, frozenset[int]]]:
        """Each ring with something in it, such as the letters of a stamp, and the labels of all of these.

        A speck in the loop of an 8 makes no stamp of it.
        """
        parts = self.components.all
        return [
            (ring, frozenset({ring.label, *(each.label for each in inside)}))
            for ring in parts
            if (inside := self.components.enclosed(ring, parts))
            and max(each.extent for each in inside) >= LETTER * ring.extent
        ]

    @cached_property
    def dashed_frame(self) -> frozenset[int]:
        """The labels of the dashes of a dashed or dotted frame around all other ink, such as that of a selection.

        Dashes are short, lie on each of the four sides, and are flat there; at a corner they may be bent.
        """
        parts = self.components.all
        if len(parts) < 4 * DASHES:
            return frozenset()
        top, bottom, left, right = bounding_box(parts)
        shorter = min(bottom - top, right - left)
        near, short = max(4.0, FRAME * shorter), max(6.0, SHORT * shorter)
        sides: list[set[int]] = [set(), set(), set(), set()]
        for each in parts:
            gaps = each.top - top, bottom - each.bottom, each.left - left, right - each.right
            thicknesses = each.height, each.height, each.width, each.width
            is_corner = sum(gap <= near for gap in gaps) > 1
            for side, gap, thick in zip(sides, gaps, thicknesses, strict=True):
                if each.extent <= short and gap <= near and (thick <= near or is_corner):
                    side.add(each.label)
        found = frozenset().union(*sides)
        is_frame = all(len(side) >= DASHES for side in sides) and len(found) < len(parts)
        return found if is_frame else frozenset()

    @cached_property
    def holes(self) -> frozenset[int]:
        """The labels of punched holes: three or more dots of one size above each other, with even gaps."""
        dots = sorted(
            (each for each in self.components.all if each.is_dot and each.extent >= SMALLEST_HOLE),
            key=lambda each: each.top,
        )
        found: set[int] = set()
        for first in dots:
            column = [each for each in dots if _are_above_each_other(first, each)]
            gaps = np.diff([each.top for each in column])
            if len(gaps) > 1 and gaps.min() >= max(EVEN * gaps.max(), 2 * first.extent):
                found.update(each.label for each in column)
        return frozenset(found)

    @cached_property
    def type_rows(self) -> list[Row]:
        """Rows of small components, such as lines of type."""
        return rows_of(self.components.all)

    def without_lines(self) -> Iterator[InkMap]:
        """The map without its lines; and without only those that run from edge to edge."""
        lines = find_lines(self.ink)
        whole = [each for each in lines if each[0].whole]
        for chosen in (lines, whole if len(whole) < len(lines) else []):
            if chosen:
                pixels = np.logical_or.reduce([each[1] for each in chosen])
                yield InkMap(
                    f"{self.name}, without lines",
                    remove_lines(self.ink, pixels),
                    self.on_paper,
                    [each[0] for each in chosen],
                    self.doubt + WITHOUT_LINES,
                    self.contrast,
                    slope=self.slope,
                )


def _are_above_each_other(one: Component, other: Component) -> bool:
    """Whether two dots are of one size, and one is straight above the other; a dot is above itself."""
    larger = max(one.extent, other.extent)
    return are_of_one_size(one, other) and abs(one.left - other.left) <= 0.5 * larger


def even_maps(image: Image.Image) -> tuple[list[InkMap], bool]:
    """The ink on an even ground: all of it, and the strong ink alone.

    Args:
        image: opaque, of mode L or RGB.

    Returns:
        The maps, none if the ground is not even; and whether a program drew the picture.
    """
    maps: list[InkMap] = []
    faint: list[InkMap] = []
    drawn = False
    for difference in differences_from_even_ground(image):
        visible = difference[difference >= MIN_CONTRAST]
        if visible.size < 6:
            continue
        strongest = float(np.percentile(visible, 95))
        inked = difference >= max(MIN_CONTRAST, int(RIPPLE * strongest))
        ground = np.count_nonzero(difference <= 1)
        drawn = bool(drawn or ground >= DRAWN * np.count_nonzero(~inked))
        ink = np.where(inked, difference, 0).astype(np.uint8)
        whole = InkMap("even ground", ink)
        # What lies on a bar along an edge, such as the thumb of a scroll bar, is no writing.
        bars = [each for each in whole.components.all if each.span == 1 and each.fill >= SOLID_BAR]
        off_bars = np.where(whole.components.mask(bars), 0, ink) if bars else ink
        one = [whole, *_strong(off_bars, strongest, "even ground", WEAK)]
        (faint if strongest < LEAST_CONTRAST else maps).extend(one)
    return maps + faint if drawn else maps, drawn


def paper_maps(image: Image.Image) -> Iterator[InkMap]:
    """The ink on photographed paper: by a fitted light, and by each pixel's neighbourhood.

    Args:
        image: of mode L or RGB; one of fewer than 8 pixels a side has none.
    """
    if min(image.size) < SMALLEST:
        return
    grey = image.convert("L")
    for name, difference, least, doubt, slope in _differences(grey):
        for ink, contrast in _above_grain(difference, least):
            whole = InkMap(name, ink, True, doubt=doubt, contrast=contrast, slope=slope)
            yield whole
            for strong in _strong(ink, 255, name, WEAK):
                yield replace(whole, name=strong.name, ink=strong.ink, doubt=doubt + STRONGER)


def _strong(ink: np.ndarray, strongest: float, name: str, share: float) -> Iterator[InkMap]:
    strong = ink >= STRONG * strongest
    soft = max(2, int(SOFT * min(ink.shape)))  # what is so near strong ink is its soft edge
    weak = (ink > 0) & ~ndimage.maximum_filter(strong, 2 * soft + 1)
    if np.count_nonzero(weak) > share * np.count_nonzero(strong):
        yield InkMap(
            f"{STRONG_INK}{name}", np.where(strong, ink, 0).astype(np.uint8), doubt=STRONGER
        )


def _differences(grey: Image.Image) -> Iterator[tuple[str, np.ndarray, float, float, float]]:
    """Differences from the paper, (height, width) float32, the least that is ink, the doubt, and the least slope."""
    pixels = np.asarray(grey, np.float32)
    fitted = photo.fit_light(grey) - pixels
    yield "fitted light", fitted if _is_dark(fitted) else -fitted, MIN_CONTRAST, 0.0, SLOPE
    # Grey closing fills what is darker than all around it and narrower than the window; opening, what is
    # brighter. Both follow the edge of a shadow (black-hat and white-hat transforms).
    smooth = ndimage.gaussian_filter(pixels, 0.8)
    window = max(5, int(WINDOW * min(pixels.shape)) | 1)
    high = _filtered(smooth, window, ndimage.maximum_filter1d, ndimage.minimum_filter1d)
    low = _filtered(smooth, window, ndimage.minimum_filter1d, ndimage.maximum_filter1d)
    dark, bright = high - smooth, smooth - low
    # Between dark dots or lines lies paper that is brighter than they are, and no ink.
    mean = ndimage.uniform_filter(smooth, window, mode="nearest")
    dark = np.where(mean - smooth >= CONTRAST_TO_MEAN * dark, dark, 0)
    bright = np.where(smooth - mean >= CONTRAST_TO_MEAN * bright, bright, 0)
    darkness, brightness = float(dark[dark > 12].sum()), float(bright[bright > 12].sum())
    if darkness >= 0.2 * brightness:
        yield (
            "darker than around",
            dark * (FULL / np.maximum(high, 40)),
            FLOOR,
            DOUBT * (darkness < brightness),
            SLOPE,
        )
    if brightness >= 0.6 * darkness:
        yield (
            "brighter than around",
            bright * (FULL / np.maximum(255 - low, 40)),
            FLOOR,
            BRIGHT + DOUBT * (brightness < darkness),
            STEEP,
        )


def _is_dark(difference: np.ndarray) -> bool:
    """Whether what stands out within a stroke's width is darker than the light, and not brighter."""
    outliers = np.abs(difference) > max(photo.GRAIN * photo.grain_of(difference), MIN_CONTRAST)
    broad = ndimage.uniform_filter(difference, max(3, min(difference.shape) // 4))
    return bool((difference - broad)[outliers].sum() >= 0)


def _filtered(values: np.ndarray, window: int, *filters) -> np.ndarray:
    """Filters with a square window, as two in one dimension each: the same, in a tenth of the time."""
    for one in filters:
        for axis in (0, 1):
            values = one(values, window, axis=axis, mode="nearest")
    return values


def _above_grain(difference: np.ndarray, least: float) -> Iterator[tuple[np.ndarray, float]]:
    """The ink above the paper's grain, (height, width) uint8, and its contrast; none if that is too low."""
    smooth = ndimage.gaussian_filter(difference, photo.SMOOTHING)
    grain = photo.GRAIN * photo.grain_of(difference)
    floor = max(grain * photo.SMOOTHED, least)
    above = smooth[smooth > floor]
    if above.size < photo.SMALLEST:
        return
    strongest = float(np.percentile(above, 90))
    if strongest < LEAST_CONTRAST:
        return
    inked = smooth > max(floor, photo.FAINT * strongest)
    values = np.clip(difference, 1, strongest) * (255 / strongest)
    yield np.where(inked, np.rint(values), 0).astype(np.uint8), strongest
