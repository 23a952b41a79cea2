"""The pieces of a number: components of its ink, or the strokes of the pen that drew it.

Strokes say which ink belongs together where digits touch. The ink itself always comes from the picture: what
an eraser took away is gone, and ink that no stroke drew is a piece, too. The order of the strokes doesn't matter.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from PIL import Image
from scipy import ndimage

from digitre.recognition.components import EIGHT
from digitre.recognition.cuts import pen_width
from digitre.recognition.pieces import NO_STROKES, Piece, cut_out, join
from digitre.recognition.textlines import Box, find_lines, group_overlapping, upper_quartile

STRONG = 0.2  # of the strongest ink: what is fainter joins no components
SPECK = 0.7  # widths of the pen: what is smaller was not drawn with it
DUST = 0.03  # of the line's height: what is smaller is no sign
HEIGHT = 64  # pixels: larger digits are averaged down to between one and two times this
MOST_PIXELS = 400_000  # of the ink, once averaged down
MOST_COMPONENTS = 400  # that are looked at, the largest
MOST_AROUND = 20  # components, the highest, that may lie around others
WITHIN = 0.06  # of its height: what lies in a frame or a circle is so high
HIGHER = 1.8  # times as high as all others: a pen that lies on the sheet
THICK = 2.5  # widths of the pen: a filled shape is so thick, such as a button or a stamp
SOLID = 0.6  # of its bounding box: a filled shape fills so much

Strokes = Sequence[np.ndarray]


@dataclass(frozen=True)
class Segmentation:
    """The pieces of a picture.

    Attributes:
        lines: the pieces of each line, from left to right; lines from top to bottom. No line is empty.
        factor: so many pixels of the ink are one of a piece.
        pen: the width of the strokes, in pixels of a piece.
        complete: whether all components were looked at.
        surrounded: whether a component lies around another one, is too thick for a stroke, or much higher than all others.
    """

    lines: list[list[Piece]]
    factor: int
    pen: float
    complete: bool = True
    surrounded: bool = False


@dataclass(frozen=True)
class _Atom:
    """What pieces are made of: a component, or a stroke that lies on one."""

    label: int
    box: Box
    stroke: int | None = None
    points: np.ndarray = field(default_factory=lambda: np.zeros((0, 2)))


def segment(ink: np.ndarray, strokes: Strokes = (), *, several_lines: bool = False) -> Segmentation:
    """Find the pieces of a picture's ink.

    Args:
        ink: (height, width) uint8, 0 where there is none, without margins.
        strokes: the pen's strokes, arrays (n, 2) of x and y in pixels of `ink`; points off the ink are ignored.
        several_lines: whether the pieces may lie in several lines.
    """
    small, labels, factor = _label(ink, strokes)
    places = ndimage.find_objects(labels)
    chosen, complete = _largest(labels, len(places))
    if not chosen:
        return Segmentation([], factor, 1.0)
    pen = pen_width(labels > 0)
    boxes = {label: _box_of(places[label - 1]) for label in chosen}
    height = upper_quartile([box.height for box in boxes.values()])
    least = max(SPECK * pen, DUST * height)
    boxes = {label: box for label, box in boxes.items() if max(box.width, box.height) >= least}
    atoms = list(_strokes_on(labels, strokes, factor, boxes, pen))
    drawn = {each.label for each in atoms}
    atoms += [_Atom(label, box) for label, box in boxes.items() if label not in drawn]
    everything = [each.box for each in atoms]
    lines = find_lines(everything) if several_lines else [list(range(len(atoms)))]
    groups = [
        [[atoms[k] for k in group] for group in group_overlapping(everything, line)]
        for line in lines
    ]
    owners = Counter(
        label for line in groups for group in line for label in {each.label for each in group}
    )
    cutter = _Cutter(small, labels, places, pen, owners)
    found = [[piece for group in line if (piece := cutter.piece(group))] for line in groups]
    ordered = [sorted(line, key=lambda each: each.left + each.right) for line in found if line]
    largest = sorted(boxes, key=lambda label: -boxes[label].height)[:MOST_AROUND]
    surrounded = len(largest) > 1 and (
        boxes[largest[0]].height >= HIGHER * boxes[largest[1]].height
        or any(
            _is_around(boxes[label], boxes.values())
            or _is_solid(labels[places[label - 1]] == label, pen, boxes[label])
            for label in largest
        )
    )
    return Segmentation(ordered, factor, pen, complete, surrounded)


def _is_around(box: Box, others: Iterable[Box]) -> bool:
    """Whether a box lies around another one that may be a digit."""
    return any(
        box.left < each.left
        and box.right > each.right
        and box.top < each.top
        and box.bottom > each.bottom
        and each.height >= WITHIN * box.height
        for each in others
    )


def _is_solid(part: np.ndarray, pen: float, box: Box) -> bool:
    """Whether a component fills its box, and is much thicker than the pen that drew the others."""
    thinner = min(box.width, box.height)
    thick = thinner >= THICK * pen
    return bool(thick and np.count_nonzero(part) >= SOLID * box.width * box.height)


def _label(ink: np.ndarray, strokes: Strokes) -> tuple[np.ndarray, np.ndarray, int]:
    """The ink averaged down to a size that is good to work with, the labels of its components, the factor."""
    least = math.ceil((ink.size / MOST_PIXELS) ** 0.5)
    if strokes:
        height = upper_quartile([float(np.ptp(each[:, 1])) for each in strokes])
        factor = max(least, int(height // HEIGHT), 1)
        return *_reduce(ink, factor), factor
    factor = max(least, ink.shape[0] // (2 * HEIGHT), 1)  # right if there is one level line
    small, labels = _reduce(ink, factor)
    heights = [rows.stop - rows.start for rows, _ in ndimage.find_objects(labels)]
    height = upper_quartile(heights)
    better = max(least, int(factor * height // HEIGHT), 1)
    if better != factor and not HEIGHT / 2 <= height < 2 * HEIGHT:
        factor = better
        small, labels = _reduce(ink, factor)
    return small, labels, factor


def _reduce(ink: np.ndarray, factor: int) -> tuple[np.ndarray, np.ndarray]:
    small = np.asarray(Image.fromarray(ink).reduce(factor)) if factor > 1 else ink
    labels, _ = ndimage.label(small > STRONG * (int(small.max()) if small.size else 0), EIGHT)
    return small, labels


def _largest(labels: np.ndarray, count: int) -> tuple[list[int], bool]:
    """The labels of the largest components, and whether these are all."""
    if count <= MOST_COMPONENTS:
        return list(range(1, count + 1)), True
    areas = np.bincount(labels.ravel())
    areas[0] = 0
    return np.argsort(-areas, kind="stable")[:MOST_COMPONENTS].tolist(), False


def _box_of(place: tuple[slice, slice]) -> Box:
    rows, columns = place
    return Box(columns.start, rows.start, columns.stop, rows.stop)


def _strokes_on(
    labels: np.ndarray, strokes: Strokes, factor: int, boxes: Mapping[int, Box], pen: float
) -> Iterator[_Atom]:
    """The strokes in pixels of the pieces. A stroke that an eraser cut becomes two."""
    height, width = labels.shape
    for index, stroke in enumerate(strokes):
        points = stroke / factor
        rows = np.clip(points[:, 1].astype(int), 0, height - 1)
        columns = np.clip(points[:, 0].astype(int), 0, width - 1)
        under = labels[rows, columns]
        for label in np.unique(under).tolist():
            if label in boxes:
                part = points[under == label]
                left, top = part.min(0) - pen / 2
                right, bottom = part.max(0) + pen / 2
                yield _Atom(label, Box(left, top, right, bottom), index, part)


@dataclass(frozen=True)
class _Cutter:
    """Takes the ink of pieces out of the picture."""

    ink: np.ndarray
    labels: np.ndarray
    places: list[tuple[slice, slice]]
    pen: float
    owners: Mapping[int, int]  # of each component, how many pieces share it

    def piece(self, group: Sequence[_Atom]) -> Piece | None:
        """The piece of some strokes and components."""
        parts: dict[int, list[_Atom]] = {}
        for atom in group:
            parts.setdefault(atom.label, []).append(atom)
        found = [part for label, atoms in parts.items() if (part := self._part(label, atoms))]
        return join(found) if found else None

    def _part(self, label: int, atoms: Sequence[_Atom]) -> Piece | None:
        """The ink of a component, or its ink along some strokes if it is shared."""
        rows, columns = (
            slice(max(0, each.start - 1), each.stop + 1) for each in self.places[label - 1]
        )
        ink, near = self.ink[rows, columns], self.labels[rows, columns]
        mask = near == label
        if np.count_nonzero(near) != np.count_nonzero(mask):
            # The soft edge belongs to the component as well, and other components don't.
            mask = ndimage.maximum_filter(mask, 3) & ((near == 0) | mask)
            ink = np.where(mask, ink, 0)
        strokes = NO_STROKES.union(each.stroke for each in atoms if each.stroke is not None)
        if self.owners[label] > 1:
            ink = np.where(self._along(atoms, ink.shape, columns.start, rows.start), ink, 0)
        return cut_out(ink.astype(np.uint8, copy=False), rows.start, columns.start, strokes)

    def _along(
        self, atoms: Sequence[_Atom], shape: tuple[int, ...], left: int, top: int
    ) -> np.ndarray:
        """(height, width) bool: what lies along some strokes.

        That is the pixels whose distance to a pixel of a stroke is at most half the pen's width and one: on the
        page the same, to the pixel.
        """
        off = np.ones(shape, bool)
        for atom in atoms:
            columns, rows = np.floor(densely(atom.points - (left, top))).astype(int).T
            inside = (rows >= 0) & (rows < shape[0]) & (columns >= 0) & (columns < shape[1])
            off[rows[inside], columns[inside]] = False
        mask = ~off
        if mask.any():
            # Only around the strokes: a picture may hold two hundred of them.
            reach = max(1, round(self.pen + 2)) / 2
            around = math.ceil(reach)
            box = tuple(
                slice(max(0, places.min() - around), places.max() + around + 1)
                for places in mask.nonzero()
            )
            mask[box] = ndimage.distance_transform_edt(off[box]) <= reach
        return mask


def densely(points: np.ndarray) -> np.ndarray:
    """A line's points, and more between them: (n, 2) to (m, 2), at most a pixel apart in x and in y."""
    ways = np.diff(points, axis=0)
    steps = np.maximum(1, np.ceil(np.abs(ways).max(1, initial=0))).astype(int)
    owner = np.repeat(np.arange(len(steps)), steps)
    step = np.arange(len(owner)) - np.repeat(np.cumsum(steps) - steps, steps) + 1
    between = points[owner] + ways[owner] * step[:, None] / steps[owner, None]
    return np.concatenate([points[:1], between])
