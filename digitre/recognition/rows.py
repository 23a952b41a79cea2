"""Which components of an ink map are a row of digits, and whether all else in the picture is explained.

What lies around a number is a frame, a heading, a button, a scroll bar, the edge of a sheet. Much of it looks like a 1
or a 0, so a row of digits without it goes before the whole ink, if `explanations.explain` knows all that is left out.

The constants were chosen on numbers of validation people in the scenes of `digitre.training.evaluation.scenes`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from digitre.recognition.components import Component, bounding_box, group, pen_width
from digitre.recognition.explanations import (
    BAR,
    BLOCK,
    SPECK,
    STROKE,
    TYPE,
    explain,
    explains_line,
    is_of_page,
    is_scroll_bar,
    is_squat,
)
from digitre.recognition.hypotheses import WHOLE, Hypothesis, is_cut_off
from digitre.recognition.insets import is_solid
from digitre.recognition.maps import InkMap
from digitre.recognition.textlines import Box, find_lines

# Of the highest digit: a digit is at least so high, ...
HIGH = 0.45
# ... the small parts of a number, such as the bar of a 5, lie so near its row, ...
NEAR = 0.3
# ... and what lies around a digit, such as a frame, is so much higher.
AROUND = 1.15
# Of its height: the dot in a 0 is lower; several digits are at least so high.
WITHIN, LOWER = 0.2, 0.1
# A part is not a digit if so much of its length lies at an edge of the picture, or if an edge cuts it off and it is so
# much higher than all digits.
ALONG, HIGHER = 0.6, 1.6
UPRIGHT = 2.2  # of the row's height: an upright line next to it is at least so high; a 1 is lower
BROKEN = 0.5  # of the larger part's size: the parts of a broken stroke are so near each other
SMALL = 0.05  # of the picture's shorter side: a digit is higher
LEAST = 4  # pixels: smaller parts are not digits
MOST_COST = 0.05  # of the ink that is left out without a reason, as `explain` counts it
# Of the picture's height: next to digits that are so high, others may touch its edges along their sides, or be higher.
CROPPED, CROPPED_TO_LOW = 0.5, 0.35
LARGER_TYPE = 2.4  # times as high as next to one digit: type next to a number
# Of the row's height: a dot next to it, such as a punched hole, is at least so far away.
NEARER = 0.25
ABOVE = 0.1  # of the row's height: what is so far above or below it is not level with it
HEADING, WORD = 0.6, 4  # of the row's height: a heading is lower, and has so many parts
SLIVER = 0.5  # of the pen's width: what an edge cuts off is no digit if so little of it is left
THICK = 0.3  # of the row's height: a bar that is thicker may have a digit on it
AREA = 0.3  # of its bounding box: a faint area fills so much; the lines of a grid do not
LONG = 0.8  # of its width: so much of the line of a comb is in one row of pixels
# The width over the length of a pen that lies on the sheet, and how much of its own rectangle it fills.
ROD, FILLED = 0.15, 0.8
ONE_SIDED = 0.1  # of the ink on one side of it: the other side has less
BESIDE = 0.4  # of the height of a row: what covers an edge, and comes so near, may have swallowed a digit
THICKER = 1.8  # times as thick as the pen of digits: a disc, also with a letter on it
RECTANGLE = 0.98  # of its bounding box: a bar along an edge fills so much
MOST_RINGS = 8  # that are looked into, the largest
MANY = 8  # so many specks are dust
THINGS = {"bar", "frame", "mark", "rule"}


class Row(Hypothesis):
    """A row of digits. Sizes are relative to its height; only a stamp's size is relative to its longer side."""

    @property
    def extent(self) -> int:
        top, bottom, _, _ = self.box
        return bottom - top

    @property
    def size(self) -> int:
        return super().extent

    @property
    def away(self) -> float:
        return NEARER

    @property
    def type_height(self) -> float:
        return LARGER_TYPE * TYPE * self.extent


def find_rows(ink_map: InkMap) -> Iterator[Row]:
    """The rows of digits that have something around them, all of which is explained."""
    parts = ink_map.components.all
    large = [each for each in parts if each.extent >= LEAST and not _is_around(each, ink_map)]
    large = [each for each in large if not runs_along_edge(each, large, ink_map)]
    proposals = [large, [each for each in large if not each.edges]]
    for ring in sorted(parts, key=lambda each: -each.extent)[:MOST_RINGS]:
        if inside := ink_map.components.enclosed(ring, large):
            proposals.append(inside)
    seen: set[frozenset[int]] = set()
    for proposal in proposals:
        row = _row_of(proposal, ink_map)
        if row is None or row.labels in seen:
            continue
        seen.add(row.labels)
        leaves_out = ink_map.lines or len(row.labels) < len(parts)
        if leaves_out and _is_explained(row):
            yield row


def believable(ink_map: InkMap) -> bool:
    """Whether no part of the ink that is as large as a digit runs along an edge of the picture, or is cut off there
    and much higher than all others."""
    parts = [each for each in ink_map.components.all if each.extent >= LEAST]
    highest = max((each.height for each in parts), default=0)
    large = [each for each in parts if each.extent >= HIGH * highest]
    if any(runs_along_edge(each, parts, ink_map) for each in large):
        return False
    free = max((each.height for each in large if not each.edges), default=highest)
    if free >= CROPPED_TO_LOW * len(ink_map.ink):
        return True
    return not any(each.edges and each.height >= HIGHER * free for each in parts)


def runs_along_edge(part: Component, parts: Sequence[Component], ink_map: InkMap) -> bool:
    """Whether a component runs along an edge, and the picture isn't cropped to the number that it is a part of."""
    if is_scroll_bar(part, ink_map.ink.shape):
        return True
    if not part.edges:
        return False
    if part.contact < ALONG * part.extent and not is_cut_off(part, ink_map.components):
        return False
    others = [each for each in parts if each is not part and each.contact < ALONG * each.extent]
    if not others:
        return False
    if part.edges == 4 or (part.edges == 3 and part.span >= WHOLE):
        return True  # a border, or a bar along a whole side
    top, bottom = min(each.top for each in others), max(each.bottom for each in others)
    return bottom - top < CROPPED * len(ink_map.ink)


def _row_of(proposal: Sequence[Component], ink_map: InkMap) -> Row | None:
    """The largest row of digits among some components; None if there is none.

    An upright line that is much higher than all digits is not one of them.
    """
    digits = sorted(proposal, key=lambda each: -each.height)
    while digits:
        highest = digits[0]
        lower = [
            each
            for each in digits
            if LOWER * highest.height <= each.height <= highest.height / AROUND
        ]
        if not lower or not _is_thing(highest, Row(ink_map, lower)):
            break
        del digits[0]
    height = digits[0].height if digits else 0
    shorter = min(ink_map.ink.shape)
    if height < max(LEAST, SMALL * shorter):
        return None
    tall = [each for each in digits if each.height >= HIGH * height]
    boxes = [Box(each.left, each.top, each.right, each.bottom) for each in tall]
    line = max(find_lines(boxes), key=lambda line: max(boxes[k].height for k in line))
    tall = [tall[k] for k in line]
    top, bottom, left, right = bounding_box(tall)
    whole = Box(left, top, right, bottom)
    labels = {each.label for each in tall}
    least = _speck(height) if _is_dusty(ink_map, height) else 0.0
    small = (each for each in digits if each.label not in labels and each.extent > least)
    near = NEAR * height
    return Row(ink_map, [*tall, *(each for each in small if _joins(each, whole, near))])


def _is_thing(part: Component, row: Row) -> bool:
    """Whether a component is surely not a digit, if a row next to it is one of digits."""
    if _is_rod(part, row):
        return True
    what, cost = explain(part, row)
    if cost or what not in THINGS:
        return False
    is_one = what == "rule" and not part.edges and part.height > part.width
    return not is_one or part.height >= UPRIGHT * row.extent


def _is_explained(row: Row) -> bool:
    """Whether all that a row leaves out is explained."""
    ink_map = row.map
    left_out = [each for each in ink_map.components.all if each.label not in row.labels]
    # A picture within the picture is looked into by itself.
    if any(_is_sheet(each, row) for each in left_out):
        return False
    cost = float(sum(not explains_line(line, row) for line in ink_map.lines))
    for each in left_out:
        if cost > MOST_COST:
            break
        cost += _cost(each, row)
    if cost > MOST_COST:
        return False
    return not any(
        _is_broken_digit(each, row) for each in group(_faint_parts(row, left_out), BROKEN)
    )


def _faint_parts(row: Row, left_out: Sequence[Component]) -> list[Component]:
    """What is left out as too faint, at the height of a row, and is lower than a digit."""
    return [
        each
        for each in left_out
        if _gap_beyond(each, row) < 0
        and each.height < HIGH * row.extent
        and explain(each, row)[0] in {"faint", "speck"}
    ]


def _is_broken_digit(parts: Sequence[Component], row: Row) -> bool:
    """Whether small faint parts next to each other are as high as a digit of a row: in falling light, strokes break."""
    top, bottom, left, right = bounding_box(parts)
    high = HIGH * row.extent <= bottom - top <= HIGHER * row.extent
    return len(parts) > 1 and high and right - left <= bottom - top


def _fill_picture(row: Row, part: Component) -> bool:
    """Whether the picture is cropped to a row of digits and a component: that is a digit as well."""
    top, bottom, left, right = row.box
    height, width = row.map.ink.shape
    return (
        row.extent >= CROPPED * height
        and min(top, part.top) == 0
        and min(left, part.left) == 0
        and max(bottom, part.bottom) == height
        and max(right, part.right) == width
    )


def _is_sheet(part: Component, row: Row) -> bool:
    """Whether a component is a picture within the picture, that the row lies on or that may hold a number itself."""
    top, bottom, left, right = row.box
    below = part.top <= top and part.bottom >= bottom and part.left <= left and part.right >= right
    if below:
        return part.fill >= AREA
    return not part.edges and part.extent > row.size and is_solid(part, min(row.map.ink.shape))


def _cost(part: Component, row: Row) -> float:
    """What it costs to leave out a component.

    What lies at the height of a row may be a digit: what an edge cuts off, and what a faint area or a thick bar hides.
    Small type is none only if no edge cuts off the row itself.
    """
    what, cost = explain(part, row)
    if what in {"bar", "rest", "rule"} and part.height > part.width and _fill_picture(row, part):
        return 1.0
    gap = _gap_beyond(part, row)
    if gap >= ABOVE * row.extent:
        # Next to a row, what an edge cuts off may be another row; less so further away.
        rest = part.edges and part.height <= HIGH * (row.extent + gap)
        return 0.0 if rest else _known(part, row, cost)
    higher = part.height >= HIGHER * row.extent
    may_be_digit = {
        "type": not row.is_free,
        "rest": part.depth > SLIVER * row.pen
        and not is_of_page(part, row)
        and not (higher and part.contact >= ALONG * part.extent),
        "faint": min(part.height, part.width) >= HIGH * row.extent and part.fill >= AREA,
        "bar": (part.width > part.height > THICK * row.extent and not _is_comb(part, row))
        or (min(part.depth, part.contact) > THICK * row.extent and _touches(part, row)),
    }
    return 1.0 if may_be_digit.get(what) else _known(part, row, cost)


def _gap_beyond(part: Component, row: Row) -> int:
    """How far a component is above or below a row, in pixels; negative if it is level with it."""
    top, bottom, _, _ = row.box
    return max(part.top - bottom, top - part.bottom)


def _touches(part: Component, row: Row) -> bool:
    """Whether what covers an edge, and is no rectangle, comes so near the row that it may have swallowed a digit."""
    _, _, left, right = row.box
    gap = max(part.left - right, left - part.right)
    return gap < BESIDE * row.extent and part.fill < RECTANGLE


def _is_heading(part: Component, row: Row) -> bool:
    """Whether a component is in a line of smaller writing above or below the row."""

    def is_small(each: Component) -> bool:
        beyond = _gap_beyond(each, row) >= NEAR * row.extent
        return beyond and each.height <= HEADING * row.extent

    line = [
        each
        for each in row.map.components.all
        if is_small(each) and each.bottom > part.top and each.top < part.bottom
    ]
    return is_small(part) and len(line) >= WORD


def _is_rod(part: Component, row: Row) -> bool:
    """Whether a component is straight, and much longer than the digits are high: a pen that lies on the sheet.

    A rectangle has twelve times the product of its standard deviations along both axes as its area.
    """
    if part.extent < UPRIGHT * row.extent:
        return False
    places = np.argwhere(row.map.components.crop(part)).T
    thin, long = np.sqrt(np.maximum(np.linalg.eigvalsh(np.cov(places)), 0))
    return bool(thin <= ROD * long and part.area >= FILLED * 12 * thin * long)


def _is_comb(part: Component, row: Row) -> bool:
    """Whether a component is a level line with nothing but thin teeth on one side of it."""
    mask = row.map.components.crop(part)
    line = np.flatnonzero(mask.sum(1) >= LONG * part.width)
    if not len(line):
        return False
    sides = mask[: line[0]], mask[line[-1] + 1 :]
    above, below = (np.count_nonzero(each) for each in sides)
    teeth = sides[0] if above > below else sides[1]
    thick = line[-1] + 1 - line[0]
    one_sided = min(above, below) <= ONE_SIDED * max(above, below)
    return bool(one_sided and (not teeth.any() or pen_width(teeth) <= 1.5 * thick + 1))


def _known(part: Component, row: Row, cost: float) -> float:
    """The cost of a component; none of a pen on the sheet, of a heading, of one of many specks, and of a scroll bar's arrow."""
    if not cost or _is_rod(part, row) or _is_heading(part, row):
        return 0.0
    if part.extent > HIGH * row.extent:
        return cost
    if part.extent <= _speck(row.extent) and _is_dusty(row.map, row.extent):
        return 0.0
    bars = (each for each in row.map.components.all if is_scroll_bar(each, row.map.ink.shape))
    in_line = any(
        each.left - 2 <= part.left <= part.right <= each.right + 2
        or each.top - 2 <= part.top <= part.bottom <= each.bottom + 2
        for each in bars
    )
    return 0.0 if in_line else cost


def _speck(height: float) -> float:
    """How long a speck is at most, next to digits of a height."""
    return max(3.0, SPECK * height)


def _is_dusty(ink_map: InkMap, height: float) -> bool:
    """Whether there are so many specks that none of them is a point."""
    return sum(each.extent <= _speck(height) for each in ink_map.components.all) >= MANY


def _is_around(part: Component, ink_map: InkMap) -> bool:
    """Whether a component is a frame, a bar along an edge, a filled rectangle such as a button or a phone, or a disc such as a logo."""
    if part.label in ink_map.dashed_frame or part.label in ink_map.holes:
        return True
    others = [each for each in ink_map.components.all if each.extent >= LEAST and each is not part]
    if part.span >= BAR:
        highest = max((each.height for each in others if each.span < BAR), default=part.height)
        is_one = part.width <= STROKE * part.height and part.height <= AROUND * highest
        return not is_one
    if part.fill >= BLOCK and part.width >= part.height:
        return True
    is_filled = part.is_dot or (part.fill >= BLOCK and is_squat(part))
    if is_filled and not part.edges and _is_thicker(part, others, ink_map):
        return True
    inside = [
        each
        for each in ink_map.components.enclosed(part, others)
        if part.height >= AROUND * each.height and each.height >= LOWER * part.height
    ]
    return len(inside) > 1 or any(each.height >= WITHIN * part.height for each in inside)


def _is_thicker(part: Component, others: Sequence[Component], ink_map: InkMap) -> bool:
    """Whether a component is higher, and much thicker, than what lies outside of it and may be digits."""
    digits = [
        each for each in others if each.height >= HIGH * part.height and each.is_outside(part)
    ]
    if not digits or part.height < max(each.height for each in digits):
        return False
    pen = float(np.median([ink_map.components.pen_of(each) for each in digits]))
    return ink_map.components.pen_of(part) >= THICKER * pen


def _joins(part: Component, row: Box, near: float) -> bool:
    """Whether a small component may be a part of a digit of the row, or a sign in it."""
    across = part.left >= row.left - near and part.right <= row.right + near
    middle = (part.top + part.bottom) / 2
    return across and row.top - near <= middle <= row.bottom + near / 3
