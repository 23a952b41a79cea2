"""Connected components of ink: what they measure, how they lie to each other and to the picture's edges."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import ndimage

EIGHT = np.ones((3, 3), bool)  # pixels that touch by a corner belong together
MOST = 60  # components of a picture that are looked at, those with the most ink
ROUND = 0.6  # of its bounding box: a dot fills at least so much
ONE_SIZE = 0.7  # of the larger dot's size
GAP = 0.03  # of a ring's size: its ends may miss each other by twice this


@dataclass(frozen=True)
class Component:
    """One connected component of ink, in pixels of its picture.

    Attributes:
        label: its number in the label image.
        top, bottom, left, right: its bounding box; `bottom` and `right` lie just outside.
        area: how many pixels it has.
        ink: the sum of their values.
        edges: how many edges of the picture it touches, 0 to 4.
        depth: how far it reaches into the picture from an edge that it touches; 0 if it touches none.
        contact: along how many pixels of one edge it touches it.
        span: the same as a share of the edge.
    """

    label: int
    top: int
    bottom: int
    left: int
    right: int
    area: int
    ink: float
    edges: int
    depth: int
    contact: int
    span: float

    @property
    def height(self) -> int:
        return self.bottom - self.top

    @property
    def width(self) -> int:
        return self.right - self.left

    @property
    def extent(self) -> int:
        """The longer side of the bounding box."""
        return max(self.height, self.width)

    def is_outside(self, other: Component) -> bool:
        """Whether its bounding box and that of another component have nothing in common."""
        return (
            self.left >= other.right
            or self.right <= other.left
            or self.top >= other.bottom
            or self.bottom <= other.top
        )

    @property
    def fill(self) -> float:
        """The share of its bounding box that it fills."""
        return self.area / (self.width * self.height)

    @property
    def is_dot(self) -> bool:
        """Whether it is filled, and about as wide as high."""
        return self.fill >= ROUND and self.extent <= 1.5 * min(self.width, self.height)

    @property
    def strength(self) -> float:
        """The mean value of its pixels."""
        return self.ink / self.area


def are_of_one_size(one: Component, other: Component) -> bool:
    """Whether two dots are of nearly the same size."""
    smaller, larger = sorted((one.extent, other.extent))
    return smaller >= ONE_SIZE * larger


Box = tuple[int, int, int, int]  # top, bottom, left, right


def bounding_box(components: Iterable[Component]) -> Box:
    """The box around all of them."""
    tops, bottoms, lefts, rights = zip(
        *((each.top, each.bottom, each.left, each.right) for each in components), strict=True
    )
    return min(tops), max(bottoms), min(lefts), max(rights)


class Components:
    """The connected components of an ink picture.

    Args:
        ink: (height, width) uint8, 0 where there is none.
    """

    def __init__(self, ink: np.ndarray) -> None:
        self.ink = ink
        self.labels, self.count = ndimage.label(ink, EIGHT)
        self._pens: dict[int, float] = {}
        self._filled: dict[int, np.ndarray] = {}

    @cached_property
    def all(self) -> list[Component]:
        """At most `MOST` of them, those with the most ink first."""
        if not self.count:
            return []
        count = self.count + 1
        flat = self.labels.ravel()
        areas = np.bincount(flat, minlength=count)
        sums = np.bincount(flat, self.ink.ravel(), minlength=count)
        boxes = ndimage.find_objects(self.labels)
        edges = self.labels[0], self.labels[-1], self.labels[:, 0], self.labels[:, -1]
        contacts = np.array([np.bincount(edge, minlength=count) for edge in edges])
        order = np.argsort(-sums[1:], kind="stable")[:MOST] + 1
        return [
            self._measure(int(k), boxes[k - 1], int(areas[k]), float(sums[k]), contacts[:, k])
            for k in order
        ]

    def pen_of(self, component: Component) -> float:
        """The width of a component's strokes, in pixels."""
        if component.label not in self._pens:
            self._pens[component.label] = pen_width(self.crop(component))
        return self._pens[component.label]

    def _measure(
        self, label: int, box: tuple[slice, slice], area: int, ink: float, contacts: np.ndarray
    ) -> Component:
        rows, columns = box
        height, width = self.ink.shape
        depths = rows.stop, height - rows.start, columns.stop, width - columns.start
        touched = [k for k in range(4) if contacts[k]]
        spans = [contacts[k] / (width if k < 2 else height) for k in touched]
        return Component(
            label,
            rows.start,
            rows.stop,
            columns.start,
            columns.stop,
            area,
            ink,
            edges=len(touched),
            depth=min((depths[k] for k in touched), default=0),
            contact=int(max((contacts[k] for k in touched), default=0)),
            span=float(max(spans, default=0.0)),
        )

    def mask(
        self, components: Iterable[Component], box: tuple[slice, slice] | None = None
    ) -> np.ndarray:
        """(height, width) bool: where these components are, in the picture or in a box of it."""
        chosen = np.zeros(self.count + 1, bool)
        chosen[[each.label for each in components]] = True
        return chosen[self.labels[box] if box else self.labels]

    def crop(self, component: Component) -> np.ndarray:
        """(h, w) bool: one component within its bounding box."""
        box = slice(component.top, component.bottom), slice(component.left, component.right)
        return self.labels[box] == component.label

    def enclosed(self, ring: Component, components: Sequence[Component]) -> list[Component]:
        """Those components that lie in the hole of another one, such as a circle or a box.

        The hole is what flood filling from outside does not reach, after a morphological dilation that
        closes the gap of a ring whose ends do not quite meet.
        """
        within = [
            each
            for each in components
            if each.top > ring.top
            and each.bottom < ring.bottom
            and each.left > ring.left
            and each.right < ring.right
        ]
        if not within:
            return []
        if ring.label not in self._filled:
            reach = max(1, int(GAP * ring.extent))
            closed = ndimage.maximum_filter(self.crop(ring), 2 * reach + 1)
            self._filled[ring.label] = ndimage.binary_fill_holes(closed)
        filled = self._filled[ring.label]
        inside = []
        for each in within:
            rows = slice(each.top - ring.top, each.bottom - ring.top)
            columns = slice(each.left - ring.left, each.right - ring.left)
            if filled[rows, columns][self.crop(each)].mean() > 0.95:
                inside.append(each)
        return inside

    def hole(self, ring: Component, part: Component) -> np.ndarray | None:
        """The hole of a ring that a part lies in: (height, width) bool, as large as the hole.

        The part must lie in the ring's bounding box. An open ring has no hole: the result is None.
        """
        crop = self.crop(ring)
        holes, _ = ndimage.label(ndimage.binary_fill_holes(crop) & ~crop)
        rows = slice(part.top - ring.top, part.bottom - ring.top)
        columns = slice(part.left - ring.left, part.right - ring.left)
        label = holes[rows, columns][self.crop(part)].max(initial=0)
        if not label:
            return None
        hole = holes == label
        down, across = np.flatnonzero(hole.any(1)), np.flatnonzero(hole.any(0))
        return hole[down[0] : down[-1] + 1, across[0] : across[-1] + 1]


def group(components: Sequence[Component], gap: float) -> list[list[Component]]:
    """Join components whose boxes are near each other (single-linkage clustering).

    Args:
        components: the components.
        gap: the largest gap between two boxes, as a share of the larger one's longer side.

    Returns:
        The groups, the one with the most ink first.
    """
    parents = list(range(len(components)))

    def root(k: int) -> int:
        while parents[k] != k:
            k = parents[k]
        return k

    for k, one in enumerate(components):
        for m in range(k):
            other = components[m]
            across = max(one.left, other.left) - min(one.right, other.right)
            down = max(one.top, other.top) - min(one.bottom, other.bottom)
            if max(across, down) <= gap * max(one.extent, other.extent):
                parents[root(k)] = root(m)
    groups: dict[int, list[Component]] = {}
    for k, one in enumerate(components):
        groups.setdefault(root(k), []).append(one)
    return sorted(groups.values(), key=lambda each: -sum(one.ink for one in each))


@dataclass(frozen=True)
class Row:
    """Small components side by side, as the letters of a word: their bounding box and labels."""

    top: int
    bottom: int
    left: int
    right: int
    labels: frozenset[int]

    @property
    def height(self) -> int:
        return self.bottom - self.top


LONG = 4  # a row is at least so many times as long as it is high
SPACE = 1.5  # of its height: the largest gap in a row
SIZES = 3  # how many times as high as the lowest component of a row its highest one is


def rows_of(components: Sequence[Component]) -> list[Row]:
    """Find rows of components, such as lines of type: of one size, level, close to each other."""
    found: list[list[Component]] = []
    for each in sorted(components, key=lambda each: each.left):
        for row in found:
            last = max(row, key=lambda other: other.right)
            high, low = max(last.height, each.height), min(last.height, each.height)
            shared = min(last.bottom, each.bottom) - max(last.top, each.top)
            if (
                high <= SIZES * low
                and shared >= 0.5 * low
                and each.left - last.right <= SPACE * high
            ):
                row.append(each)
                break
        else:
            found.append([each])
    rows = []
    for row in found:
        top, bottom, left, right = bounding_box(row)
        if len(row) > 1 and right - left >= LONG * (bottom - top):
            rows.append(Row(top, bottom, left, right, frozenset(each.label for each in row)))
    return rows


def pen_width(mask: np.ndarray) -> float:
    """The width of strokes, in pixels: the median of the shorter run through each pixel of (height, width) bool."""
    return float(np.median(np.minimum(run_lengths(mask, 0), run_lengths(mask, 1))[mask]))


def run_lengths(mask: np.ndarray, axis: int) -> np.ndarray:
    """The length of the run of True that each pixel is in: (height, width) int32, 0 outside.

    Args:
        mask: (height, width) bool.
        axis: 1 for runs along rows, 0 along columns.
    """
    rows = np.ascontiguousarray(mask if axis == 1 else mask.T)
    changes = np.diff(np.pad(rows, ((0, 0), (1, 1))).astype(np.int8), axis=1)
    starts, stops = np.nonzero(changes == 1), np.nonzero(changes == -1)
    lengths = stops[1] - starts[1]
    result = np.zeros(rows.shape, np.int32)
    result[rows] = np.repeat(lengths, lengths)  # runs come in the order of the pixels
    return result if axis == 1 else result.T
