"""Several ways to tell a number's ink from all else in a picture. The network reads each; the surest one counts.

Rules, boxes and combs are removed; a row of digits is taken out of what is around it, such as a frame, a heading,
or buttons, if all of that is explained; and pictures within the picture are looked into.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import chain

import numpy as np
from PIL import Image

from digitre.recognition.components import Component
from digitre.recognition.explanations import BAR, BLOCK, explain, explains_line
from digitre.recognition.hypotheses import Hypothesis
from digitre.recognition.ink import Ink
from digitre.recognition.insets import find_insets, is_solid
from digitre.recognition.lines import find_lines, remove_lines
from digitre.recognition.maps import InkMap, even_maps, paper_maps
from digitre.recognition.textlines import Box
from digitre.recognition.textlines import find_lines as find_text_lines

MOST_PIXELS = 400_000  # of a picture in which ink is looked for in several ways
LONG = 0.8  # of the ink's width: a level line that is so long is a rule, and no sign
# Of the highest digit: a digit is at least so high, ...
HIGH = 0.45
# ... the small parts of a number, such as the bar of a 5, lie so near its row, ...
NEAR = 0.3
# ... and what lies around a digit, such as a frame, is so much higher.
AROUND = 1.15
WITHIN = 0.2  # of its height: the dot in a 0 is lower
SMALL = 0.05  # of the picture's shorter side: a digit is higher
LEAST = 4  # pixels: smaller parts are not digits
MOST_COST = 0.05  # of the ink that is left out without a reason, as `explain` counts it

Place = tuple[float, float, float]  # as in `numbers.Found.place`
Inked = tuple[np.ndarray, Place]


def find_inks(image: Image.Image, plain: Ink | None, *, lines: bool = False) -> Iterator[Inked]:
    """The inks of a picture in which a number may lie, (height, width) uint8, and where each begins.

    Args:
        image: of mode L or RGB.
        plain: its ink, if it lies on an even ground: that has been read already.
        lines: whether the number may have several lines: then nothing but rules is left out.
    """
    factor = _factor(image.size)
    small = image.reduce(factor) if factor > 1 else image
    maps, drawn = even_maps(small)
    if plain is not None:
        yield from _inks_of_drawing(plain)
        if not lines:
            yield from _rows(maps, (0, 0, factor))
    else:
        for each in maps if drawn else chain(maps, paper_maps(small)):
            yield from _inks_of_map(each, (0, 0, factor), lines)
    if not lines:
        yield from _inks_of_insets(image, maps, small, (0, 0), deeper=True)


def _inks_of_drawing(plain: Ink) -> Iterator[Inked]:
    """The ink of a drawing on an even ground without what is around the digits: frames, rules, combs."""
    left, top, right, bottom = plain.margins or (0, 0, 0, 0)
    ink = np.pad(plain.values, ((min(top, 1), min(bottom, 1)), (min(left, 1), min(right, 1))))
    factor = _factor(ink.shape)
    if factor > 1:
        ink = np.asarray(Image.fromarray(ink).reduce(factor))
    place = (left - min(left, 1), top - min(top, 1), factor)
    for one in _without_rules(ink):
        yield one, place


def _inks_of_map(ink_map: InkMap, place: Place, lines: bool) -> Iterator[Inked]:
    """The ink of a map without what lies along the picture's edges, without rules, and the row of digits alone."""
    around = [
        part
        for part in ink_map.components.all
        if part.span >= BAR or (part.edges >= 2 and part.extent >= 0.5 * min(ink_map.ink.shape))
    ]
    ink = np.where(ink_map.components.mask(around), 0, ink_map.ink) if around else ink_map.ink
    yield ink, place
    for one in _without_rules(ink):
        yield one, place
    if not lines:
        yield from _rows([ink_map], place)


def _inks_of_insets(
    image: Image.Image,
    maps: Sequence[InkMap],
    small: Image.Image,
    begin: tuple[int, int],
    *,
    deeper: bool,
) -> Iterator[Inked]:
    """The inks of the pictures within a picture; the canvas of a drawing program lies one level deeper.

    Args:
        image: in full size, which begins at `begin` in the whole picture.
        maps: of `small`, the same, averaged down.
    """
    regions = [
        each.components.mask([part])
        for each in maps
        for part in each.components.all[:1]
        if is_solid(part, min(small.size))
    ]
    for inset in find_insets(image, regions):
        place = begin[0] + inset.left, begin[1] + inset.top
        factor = _factor(inset.image.size)
        inner = inset.image.reduce(factor) if factor > 1 else inset.image
        inner_maps, drawn = even_maps(inner)
        for each in inner_maps if drawn else chain(inner_maps, paper_maps(inner)):
            yield from _inks_of_map(each, (*place, factor), False)
        if deeper and drawn:
            yield from _inks_of_insets(inset.image, inner_maps, inner, place, deeper=False)


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


def _rows(maps: Sequence[InkMap], place: Place) -> Iterator[Inked]:
    for each in maps:
        for one in (each, *each.without_lines()):
            row = row_alone(one)
            if row is not None:
                yield row, place


class Row(Hypothesis):
    """A row of digits; all sizes are relative to its height."""

    @property
    def extent(self) -> int:
        top, bottom, _, _ = self.box
        return bottom - top


def row_alone(ink_map: InkMap) -> np.ndarray | None:
    """The ink of the only row of large components, (height, width) uint8, if all else is explained; None if not,
    or if there is nothing else."""
    parts = ink_map.components.all
    digits = [each for each in parts if each.extent >= LEAST and not _is_around(each, ink_map)]
    highest = max((each.height for each in digits), default=0)
    tall = [each for each in digits if each.height >= HIGH * highest]
    boxes = [Box(each.left, each.top, each.right, each.bottom) for each in tall]
    shorter = min(ink_map.ink.shape)
    if highest < max(LEAST, SMALL * shorter) or len(find_text_lines(boxes)) != 1:
        return None
    left_out = [each for each in parts if each not in tall]
    # A picture within the picture is looked into by itself.
    if not left_out or any(is_solid(each, shorter) for each in left_out):
        return None
    whole = boxes[0]
    for box in boxes:
        whole = whole.around(box)
    near = NEAR * highest
    labels = {each.label for each in tall}
    row = Row(
        ink_map, [*tall, *(e for e in digits if e.label not in labels and _joins(e, whole, near))]
    )
    cost = 0.0
    for part in parts:
        if part.label not in row.labels:
            what, more = explain(part, row)
            level = part.top < row.box[1] and part.bottom > row.box[0]
            # Of a number, what an edge cuts off may be a digit.
            cost += 1 if what == "rest" and level else more
    cost += sum(not explains_line(line, row) for line in ink_map.lines)
    return row.kept() if cost <= MOST_COST else None


def _is_around(part: Component, ink_map: InkMap) -> bool:
    """Whether a component is a frame, a bar along an edge, or a filled rectangle such as a button."""
    if part.span >= BAR or (part.fill >= BLOCK and part.width >= part.height):
        return True
    others = [each for each in ink_map.components.all if each.extent >= LEAST]
    return any(
        part.height >= AROUND * each.height and each.height >= WITHIN * part.height
        for each in ink_map.components.enclosed(part, others)
    )


def _joins(part: Component, row: Box, near: float) -> bool:
    """Whether a small component may be a part of a digit of the row, or a sign in it."""
    across = part.left >= row.left - near and part.right <= row.right + near
    middle = (part.top + part.bottom) / 2
    return across and row.top - near <= middle <= row.bottom + near / 3
