"""Boxes of ink become lines of text, and boxes one above the other become one character."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

# Boxes that share so much of the narrower one's width, and so much of the line's height, are one character.
# Chosen on numbers and on pairs of touching digits of validation people.
SHARED, WIDE = 0.6, 0.2
NEAR = 3  # of the neighbours to the right, so many are looked at
LOW = 0.4  # of the line's height: lower boxes are signs, bars and dots, and begin no line
OVERLAP = 0.4  # of the lower box: neighbours of one line share so much of their height


class Box(NamedTuple):
    """Where ink lies, in pixels; `right` and `bottom` are just outside."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def height(self) -> float:
        return self.bottom - self.top

    @property
    def width(self) -> float:
        return self.right - self.left

    @property
    def middle(self) -> float:
        """The row in the middle between top and bottom."""
        return (self.top + self.bottom) / 2

    def around(self, other: Box) -> Box:
        """The box around both."""
        return Box(
            min(self.left, other.left),
            min(self.top, other.top),
            max(self.right, other.right),
            max(self.bottom, other.bottom),
        )


def upper_quartile(values: Sequence[float]) -> float:
    """The value that a quarter of them exceed: of heights, the digits', since signs and bars are lower."""
    return sorted(values)[(3 * len(values) - 1) // 4] if values else 1.0


def find_lines(boxes: Sequence[Box]) -> list[list[int]]:
    """Which boxes lie in one line: their indices, the lines from top to bottom.

    A line goes on with the next box to the right that lies at the height of its last one: so it may climb or
    fall. Low boxes, such as signs, join the line that they are nearest to.
    """
    height = upper_quartile([each.height for each in boxes])
    tall = [k for k, each in enumerate(boxes) if each.height >= LOW * height]
    lines: list[list[int]] = []
    for k in sorted(tall, key=lambda each: boxes[each].left):
        shares = [_shared_height(boxes[line[-1]], boxes[k]) for line in lines]
        if shares and max(shares) >= OVERLAP:
            lines[shares.index(max(shares))].append(k)
        else:
            lines.append([k])
    lines.sort(key=lambda line: sum(boxes[k].middle for k in line) / len(line))
    found = [list(line) for line in lines]
    for k, box in enumerate(boxes):
        if box.height < LOW * height:
            distances = [min(_distance(box, boxes[each]) for each in line) for line in lines]
            found[distances.index(min(distances))].append(k)
    return found


def are_one_line(boxes: Sequence[Box]) -> bool:
    """Whether the boxes of digits, from left to right, lie in one line: each at the height of the one before it."""
    return all(_shared_height(one, other) >= OVERLAP for one, other in pairwise(boxes))


def _shared_height(one: Box, other: Box) -> float:
    shared = min(one.bottom, other.bottom) - max(one.top, other.top)
    return shared / max(1e-9, min(one.height, other.height))


def _distance(one: Box, other: Box) -> float:
    """How far one box is from another one, more so above or below than to the side."""
    across = max(0.0, one.left - other.right, other.left - one.right)
    down = max(0.0, one.top - other.bottom, other.top - one.bottom)
    return across + 3 * down


def group_overlapping(boxes: Sequence[Box], chosen: Sequence[int]) -> list[list[int]]:
    """Join boxes that lie above, below or on one another: strokes of one character, in any order.

    Args:
        boxes: all boxes.
        chosen: the indices of those of one line.

    Returns:
        The indices of each group, the groups from left to right.
    """
    least = WIDE * upper_quartile([boxes[k].height for k in chosen])
    groups = sorted(((boxes[k], [k]) for k in chosen), key=_place)
    first = 0
    while first < len(groups):
        box, members = groups[first]
        for other in range(first + 1, min(first + 1 + NEAR, len(groups))):
            next_box, more = groups[other]
            shared = min(box.right, next_box.right) - max(box.left, next_box.left)
            narrower = min(box.width, next_box.width)
            if shared > least and shared > SHARED * narrower:
                del groups[other]
                groups[first] = (box.around(next_box), members + more)
                groups.sort(key=_place)
                first = max(0, first - NEAR) - 1  # those before it may reach it now
                break
        first += 1
    return [members for _, members in groups]


def _place(group: tuple[Box, list[int]]) -> float:
    return group[0].left + group[0].right
