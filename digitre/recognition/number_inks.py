"""Several ways to tell a number's ink from all else in a picture. The network reads each; see
`digitre.recognition.number_search` for the choice.

Each map of the picture's ink gives a group of readings: the rows of digits alone, if all that is around them is
explained; then the whole ink, and the same without rules, boxes and combs. Pictures within the picture are looked
into in the same way.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
from PIL import Image

from digitre.recognition import photo
from digitre.recognition.areas import dominates, find_area, map_on_area
from digitre.recognition.components import MOST, Component
from digitre.recognition.explanations import BAR
from digitre.recognition.ink import Ink
from digitre.recognition.insets import Inset, find_insets, is_solid
from digitre.recognition.lines import find_lines, remove_lines
from digitre.recognition.maps import LEAST_CONTRAST, STRONG, InkMap, even_maps, paper_maps
from digitre.recognition.number_in_ink import Place
from digitre.recognition.rows import ALONG, believable, find_rows
from digitre.recognition.segmentation import MOST_COMPONENTS
from digitre.recognition.sides import largest_sides, without_sides

MOST_PIXELS = 400_000  # of a picture in which ink is looked for in several ways
# Of the differences from the paper: ink, if at least three in a thousand pixels are ink. Half of that is ink, and no texture.
FULL, DARKEST = 99.7, 0.5
GLOW = 0.75  # of the inked pixels: if fewer are strong, the strokes glow, as neon lights do
LONG = 0.8  # of the ink's width: a level line that is so long is a rule, and no sign


@dataclass(frozen=True)
class Inked:
    """Some ink of a picture that may be a number.

    Attributes:
        ink: (height, width) uint8, 0 where there is none.
        place: where it begins in the picture, left and top, and how many of its pixels one of the ink's is.
        believed: whether it may be answered. Ink with parts that lie along an edge is only a guess.
        plain: whether it is all the ink of a drawing.
        complex: whether it has too many components for a number.
    """

    ink: np.ndarray
    place: Place
    believed: bool = True
    plain: bool = False
    complex: bool = False


@dataclass(frozen=True)
class Group:
    """The ways to read one map.

    Attributes:
        inks: the first that is answered counts.
        kind: how ink was told from its ground; maps of one kind make the same mistakes.
        doubt: what its readings are worth less, since it is not the likeliest map.
        is_photo: whether other maps of the same photo may show more.
        is_inset: whether it is of a picture within the picture.
    """

    inks: Iterator[Inked]
    kind: str
    doubt: float = 0.0
    is_photo: bool = False
    is_inset: bool = False


def find_inks(image: Image.Image, plain: Ink | None, *, lines: bool = False) -> Iterator[Group]:
    """The inks of a picture in which a number may lie.

    Args:
        image: of mode L or RGB.
        plain: its ink, if it lies on an even ground.
        lines: whether the number may have several lines: then no row is taken out of what is around it.
    """
    factor = _factor(image.size)
    small = image.reduce(factor) if factor > 1 else image
    maps, drawn = even_maps(small)
    place = (0, 0, factor)
    insets: list[Inset] | None = None
    if plain is not None:
        for each in maps if not lines else ():
            yield Group(_rows(each, place), each.kind, each.doubt)
        yield Group(_inks_of_drawing(plain, not maps or believable(maps[0])), "drawing")
    elif drawn:
        for each in maps:
            yield Group(_inks_of_map(each, place, lines), each.kind, each.doubt)
    else:
        insets = _insets(image, maps, small, drawn=False)
        sides = largest_sides(each.sides for each in insets)
        for each in chain(maps, paper_maps(small), darkest_map(small)):
            inks = _inks_of_map(without_sides(each, sides), place, lines)
            yield Group(inks, each.kind, each.doubt, is_photo=True)
    if not lines:
        if insets is None:
            insets = _insets(image, maps, small, drawn=drawn)
        yield from _groups_of_insets(insets, (0, 0))
    if not drawn:
        return
    area = next(iter(_areas(maps, small)), None) or find_area(maps)
    if area and area[1].edges:  # a shadow, or a dark corner
        for paper in paper_maps(small):
            yield Group(_inks_of_map(paper, place, lines), paper.kind, paper.doubt, True)
    elif area and dominates(area[1], area[0].components):  # such as a round button
        on_area = map_on_area(small, *area)
        yield Group(_inks_of_map(on_area, place, lines), on_area.kind)


def _inks_of_drawing(plain: Ink, believed: bool) -> Iterator[Inked]:
    """The ink of a drawing on an even ground; the same without its glow, and without rules and combs."""
    left, top, right, bottom = plain.margins or (0, 0, 0, 0)
    ink = np.pad(plain.values, ((min(top, 1), min(bottom, 1)), (min(left, 1), min(right, 1))))
    place = left - min(left, 1), top - min(top, 1)
    yield Inked(plain.values, (left, top, 1), believed, plain=True)
    factor = _factor(ink.shape)
    if factor > 1:
        ink = np.asarray(Image.fromarray(ink).reduce(factor))
    strong = ink >= STRONG * int(ink.max(initial=0))
    if GLOW * np.count_nonzero(ink) > np.count_nonzero(strong):
        yield Inked(np.where(strong, ink, 0), (*place, factor), believed)
    for one in _without_rules(ink):
        yield Inked(one, (*place, factor), believed)


def _inks_of_map(ink_map: InkMap, place: Place, lines: bool) -> Iterator[Inked]:
    """The rows of a map; its ink without what lies along the picture's edges; and the same without rules."""
    rows = False
    for row in _rows(ink_map, place) if not lines else ():
        rows = True
        yield row
    if rows and len(ink_map.components.all) == MOST:
        return  # a number with so much around it can't be read
    around = [
        part
        for part in ink_map.components.all
        if part.span >= BAR or (part.edges >= 2 and part.extent >= 0.5 * min(ink_map.ink.shape))
    ]
    ink = np.where(ink_map.components.mask(around), 0, ink_map.ink) if around else ink_map.ink
    # A part along an edge is not a digit. A part that two edges cut off may be one: without it, the number is a guess.
    along = all(part.span >= BAR or part.contact >= ALONG * part.extent for part in around)
    believed = along and believable(ink_map)
    if ink_map.components.count > MOST_COMPONENTS:
        yield Inked(ink, place, believed, complex=True)
        return
    if ink.any():
        yield Inked(ink, place, believed)
    for one in _without_rules(ink):
        yield Inked(one, place, believed)


def _insets(
    image: Image.Image, maps: Sequence[InkMap], small: Image.Image, *, drawn: bool
) -> list[Inset]:
    """The pictures within a picture.

    Args:
        image: in full size.
        maps: of `small`, the same, averaged down.
    """
    regions = [each.components.mask([part]) for each, part in _areas(maps, small)]
    return find_insets(image, regions, drawn=drawn)


def _groups_of_insets(
    insets: Sequence[Inset], begin: tuple[int, int], *, deeper: bool = True
) -> Iterator[Group]:
    """The inks of the pictures within a picture; the canvas of a drawing program lies one level deeper.

    Args:
        begin: where that picture begins in the whole one.
    """
    for inset in insets:
        place = begin[0] + inset.left, begin[1] + inset.top
        factor = _factor(inset.image.size)
        inner = inset.image.reduce(factor) if factor > 1 else inset.image
        maps, drawn = even_maps(inner)
        for each in maps if drawn else chain(maps, paper_maps(inner)):
            inks = _inks_of_map(each, (*place, factor), False)
            yield Group(inks, each.kind, each.doubt, not drawn, True)
        if deeper and drawn:
            canvases = _insets(inset.image, maps, inner, drawn=True)
            yield from _groups_of_insets(canvases, place, deeper=False)


def _areas(maps: Sequence[InkMap], image: Image.Image) -> list[tuple[InkMap, Component]]:
    """The filled areas of a picture's maps that may be pictures within it."""
    largest = ((each, part) for each in maps for part in each.components.all[:1])
    return [(each, part) for each, part in largest if is_solid(part, min(image.size))]


def darkest_map(image: Image.Image) -> Iterator[InkMap]:
    """What is much darker than the paper: ink on a ground with a texture, such as wood or crumpled paper."""
    grey = image.convert("L")
    darker = photo.fit_light(grey) - np.asarray(grey, np.float32)
    full = float(np.percentile(darker, FULL))
    if full >= LEAST_CONTRAST:
        least = DARKEST * full
        ink = np.where(darker > least, np.clip(darker * (127 / least), 0, 255), 0).astype(np.uint8)
        yield InkMap("darkest", ink, True)


def _factor(size: tuple[int, ...]) -> int:
    """How far a picture of this size is averaged down before its ink is looked for in several ways."""
    return max(1, math.ceil((size[0] * size[1] / MOST_PIXELS) ** 0.5))


def _without_rules(ink: np.ndarray) -> Iterator[np.ndarray]:
    """The ink without the level lines under or through the digits; then without all lines, as of a comb."""
    found = find_lines(ink)
    columns = np.flatnonzero(ink.any(0))
    rules = [
        each
        for each in found
        if each[0].level and np.count_nonzero(each[1].any(0)) >= LONG * (columns[-1] - columns[0])
    ]
    if not rules:
        return
    for chosen in (rules, found if len(found) > len(rules) else []):
        if chosen:
            yield remove_lines(ink, np.logical_or.reduce([pixels for _, pixels in chosen]))


def _rows(ink_map: InkMap, place: Place) -> Iterator[Inked]:
    for one in (ink_map, *ink_map.without_lines()):
        for row in find_rows(one):
            yield Inked(row.kept(), place)
