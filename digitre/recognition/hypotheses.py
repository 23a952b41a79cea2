"""A hypothesis: which ink of a map is the digit, and what it costs to leave the rest out.

A hypothesis is worth the probability of its digit, less what its left-out ink costs. Ink may be left out for
free only if something explains it, such as a frame, a rule, dust or the rest of a neighbour.

The constants were chosen on the validation scenes of `digitre.training.evaluation.scenes`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from scipy import ndimage

from digitre.recognition.components import Box, Component, Components, bounding_box, pen_width
from digitre.recognition.explanations import (
    AWAY,
    BAR,
    EXTENT,
    REST,
    TYPE,
    explain,
    explains_line,
    is_block,
    is_frame,
    is_scroll_bar,
    is_solid_for,
)
from digitre.recognition.found import LeftOut
from digitre.recognition.lines import NEAR
from digitre.recognition.maps import InkMap
from digitre.recognition.preprocessing import shape_ink

# The digit's probability is multiplied by 1 - PENALTY x (unexplained ink over kept ink).
PENALTY = 3.5
PREFERENCE = 0.005  # for hypotheses that leave out less, if they are worth the same
DOUBT = 0.05  # what an unlikely hypothesis is worth less
WHOLE = 0.97  # of an edge of the picture: no digit on paper covers so much
LIGHT = (
    2  # of a 1's ink, on paper: what lies along an edge and has more is a shadow with a soft edge
)
CONTRAST_OF_ONE = 50  # of 255: on paper, what is fainter is not believed to be a 1
# Of 255: what differs less from the ground is not believed to be a 1, nor another digit if it runs along a whole edge,
# or if what is left out outweighs it, as a fingertip does the falling light on a sheet.
FAINTEST = 16
# What touches an edge of the picture along so much of its length, and looks like a 1, is the rest of something: 1s that
# stick out of the picture by 4 % touch it along at most 0.38. With other ink in the picture less is suspect.
ALONG = 0.5
SUSPECT = 0.25
BLOB = 0.33  # of its size: on paper, what has such thick strokes is a light or a shadow; the thickest pens have 0.21
LIKELY = 0.5  # a less probable reading is refused in any case
RIM = 4  # pixels: the sides of a stroke
PART = 0.3  # of its size: a part that is so large is looked at by itself
SIDE = 0.02  # of its size: the line of a frame is at most so thick
SQUARE = 0.3  # of its longer side: a 1 is not so high and wide at once
MOST_AT_EDGES = 4  # parts of a digit that touch an edge of the picture are fewer
WIDEST = 1.1  # width over height of one digit of several parts


@dataclass(eq=False)
class Hypothesis:
    """One guess which ink is the digit.

    Attributes:
        map: the ink map it comes from.
        components: the components that are kept.
        framed: whether it lies inside a frame.
        pixels: (28, 28) float32 in [0, 1], what the network sees.
        row: (10,) probabilities of the digits.
        holds_another: whether a part of it, which is read as a 1, is another digit.
    """

    map: InkMap
    components: list[Component]
    framed: bool = False
    pixels: np.ndarray = field(init=False)
    row: np.ndarray = field(init=False)
    holds_another: bool = False

    def __post_init__(self) -> None:
        self.box: Box = bounding_box(self.components)
        self.labels = frozenset(each.label for each in self.components)
        self.ink = sum(each.ink for each in self.components)
        top, bottom, left, right = self.box
        self.pixels = shape_ink(np.where(self.mask(), self.map.ink[top:bottom, left:right], 0))

    def mask(self) -> np.ndarray:
        """(height, width) bool: where its ink is in its bounding box."""
        top, bottom, left, right = self.box
        return self.map.components.mask(self.components, (slice(top, bottom), slice(left, right)))

    def kept(self) -> np.ndarray:
        """(height, width) uint8: the ink that is kept, in its place."""
        return np.where(self.map.components.mask(self.components), self.map.ink, 0)

    @cached_property
    def pen(self) -> float:
        """The width of its strokes, in pixels."""
        return pen_width(self.mask())

    @cached_property
    def is_free(self) -> bool:
        """Whether it touches no edge of the picture."""
        return not any(each.edges for each in self.components)

    @cached_property
    def frames(self) -> list[Component]:
        """The components around it."""
        extent = self.extent
        larger = (each for each in self.map.components.all if each.extent > extent)
        return [each for each in larger if each.label not in self.labels and is_frame(each, self)]

    @property
    def strength(self) -> float:
        """The mean value of its inked pixels."""
        return self.ink / sum(each.area for each in self.components)

    @property
    def extent(self) -> int:
        """The longer side of its bounding box."""
        top, bottom, left, right = self.box
        return max(bottom - top, right - left)

    @property
    def size(self) -> int:
        """What the size of a stamp next to it is compared with."""
        return self.extent

    @property
    def away(self) -> float:
        """How far a dot that is not level with it is away at least, in shares of its longer side."""
        return AWAY

    @property
    def type_height(self) -> float:
        """A line of small type next to it is at most so high."""
        return TYPE * self.extent

    @property
    def digit(self) -> int:
        return int(self.row.argmax())

    @property
    def probability(self) -> float:
        return float(self.row.max())

    @property
    def left_out(self) -> list[LeftOut]:
        """What it leaves out."""
        return self._judgement[0]

    @property
    def cost(self) -> float:
        """Unexplained ink over kept ink; 1 more if it may be no writing."""
        return self._judgement[1]

    @cached_property
    def _judgement(self) -> tuple[list[LeftOut], float]:
        return _judge(self)

    @property
    def bound(self) -> float:
        """What it is worth at most, known without looking at what it leaves out."""
        return self.probability - self.map.doubt

    def is_worth(self, least: float) -> bool:
        """Whether it is worth so much. What it leaves out is only looked at if it may be."""
        return self.bound >= least and self.worth >= least

    @property
    def factor(self) -> float:
        """What the unexplained ink leaves of the probabilities, 0 to 1."""
        return max(0.0, 1 - PENALTY * self.cost)

    @cached_property
    def worth(self) -> float:
        left_out = 0.0 if self.framed else sum(each.share for each in self.left_out)
        doubt = self.map.doubt + PREFERENCE * left_out / (1 + left_out)
        # Few digits lie along an edge, and much on paper looks like a 1.
        doubt += DOUBT * any(each.span >= BAR for each in self.components)
        doubt += DOUBT * (self.map.on_paper and self.digit == 1)
        doubt += DOUBT * self._keeps_a_mark()
        return self.probability * self.factor - doubt

    def _keeps_a_mark(self) -> bool:
        """Whether a part of it is a filled shape that no pen of its other strokes draws."""
        return len(self.components) > 1 and any(
            is_block(each, self) or (each.is_dot and is_solid_for(each, self))
            for each in self.components
        )

    def is_shaped_like_one(self) -> bool:
        """Whether it is no wider than a digit."""
        top, bottom, left, right = self.box
        return right - left <= WIDEST * (bottom - top)


def _judge(hypothesis: Hypothesis) -> tuple[list[LeftOut], float]:
    """What a hypothesis leaves out, and what that costs."""
    left_out, costs = [], 0.0
    for each in hypothesis.map.components.all:
        if each.label not in hypothesis.labels:
            what, cost = explain(each, hypothesis)
            left_out.append(LeftOut(what, each.ink / hypothesis.ink))
            costs += cost
    for line in hypothesis.map.lines:
        explained = explains_line(line, hypothesis)
        share = line.length / hypothesis.extent * EXTENT
        left_out.append(LeftOut("line" if explained else "unexplained", 0.0))
        costs += 0.0 if explained else share
    return left_out, costs + _may_be_a_rest(hypothesis, left_out)


def _may_be_a_rest(hypothesis: Hypothesis, left_out: list[LeftOut]) -> bool:
    """Whether it lies at the picture's edges, and may be the rest of something else.

    Nearly every such rest that the network takes for a digit is read as a 1. A real 1 at an edge touches it
    with an end of its stroke.
    """
    height, width = hypothesis.map.ink.shape
    if hypothesis.holds_another:
        return True
    if hypothesis.digit == 1 and hypothesis.map.contrast < CONTRAST_OF_ONE:
        return True  # the soft edge of a shadow
    outweighed = any(each.share > 1 for each in left_out)
    across = any(each.span >= WHOLE for each in hypothesis.components)
    if hypothesis.strength < FAINTEST and (hypothesis.digit == 1 or outweighed or across):
        return True
    if hypothesis.map.lines and hypothesis.digit == 1:
        top, bottom, left, right = hypothesis.box
        if min(top, left, height - bottom, width - right) <= NEAR:
            return True
    if hypothesis.probability >= LIKELY and (
        (hypothesis.map.on_paper and hypothesis.pen > BLOB * hypothesis.extent)
        or _is_side_of_frame(hypothesis)
        or _is_soft(hypothesis)
    ):
        return True
    parts = hypothesis.components
    if all(is_scroll_bar(each, hypothesis.map.ink.shape) for each in parts):
        return True
    if hypothesis.digit == 1 and _is_no_one(hypothesis, left_out):
        return True
    if hypothesis.map.on_paper and across:
        return True  # the border of a photo
    if hypothesis.map.on_paper and sum(each.edges > 0 for each in parts) >= MOST_AT_EDGES:
        return True  # the pattern of a table
    if len(parts) == 1 and is_cut_off(parts[0], hypothesis.map.components):
        return True
    if not all(each.edges for each in parts):
        return False
    small = hypothesis.extent < 0.9 * min(height, width)
    if all(each.edges >= 2 for each in parts) and (small or len(parts) > 1):
        return True  # corners of the picture
    return hypothesis.digit == 1 and (hypothesis.map.on_paper or lies_along_edge(parts, SUSPECT))


def _is_soft(hypothesis: Hypothesis) -> bool:
    """Whether its sides, or those of a large part of it, rise as gently as a light or a shadow does."""
    if not hypothesis.map.slope:
        return False
    top, bottom, left, right = hypothesis.box
    box = slice(max(top - RIM, 0), bottom + RIM), slice(max(left - RIM, 0), right + RIM)
    slopes = ndimage.gaussian_gradient_magnitude(hypothesis.map.whole[box].astype(np.float32), 1.0)
    parts = hypothesis.components
    large = [[each] for each in parts if each.extent >= PART * hypothesis.extent]
    for some in [parts, *(large if len(parts) > 1 else [])]:
        mask = hypothesis.map.components.mask(some, box)
        rim = mask & ~ndimage.binary_erosion(mask, iterations=RIM)
        if float(np.percentile(slopes[rim], 75)) < hypothesis.map.slope:
            return True
    return False


def _is_side_of_frame(hypothesis: Hypothesis) -> bool:
    """Whether all ink lies on the sides of its own bounding box: two sides of a canvas look like a 7."""
    top, bottom, left, right = hypothesis.box
    if min(bottom - top, right - left) < SQUARE * hypothesis.extent:
        return False
    mask = hypothesis.mask()
    thick = max(2, int(SIDE * hypothesis.extent))
    inner = np.count_nonzero(mask[thick:-thick, thick:-thick])
    return bool(inner <= 0.01 * np.count_nonzero(mask))


def _is_no_one(hypothesis: Hypothesis, left_out: list[LeftOut]) -> bool:
    """Whether what the network takes for a 1 is a row of dots, a side of the picture, or the edge of a shadow."""
    parts = hypothesis.components
    if all(each.is_dot for each in parts) or any(each.edges == 3 for each in parts):
        return True
    if len(parts) > 2 and hypothesis.map.lines:
        return True  # what is left of a line where others crossed it
    if not hypothesis.map.on_paper:
        return False
    bars = sum(each.share for each in left_out if each.what == "bar")
    return bars > LIGHT or len(parts) > 2


def lies_along_edge(components: list[Component], share: float) -> bool:
    """Whether ink touches an edge along a share of its length, and not only with the end of a stroke."""
    top, bottom, left, right = bounding_box(components)
    return max(each.contact for each in components) >= share * max(bottom - top, right - left)


def is_cut_off(component: Component, components: Components) -> bool:
    """Whether a flat component at one edge is bent, or cut in several places: not a whole 1 that touches it."""
    if component.edges != 1 or component.depth > 1.2 * REST * component.extent:
        return False
    mask = components.crop(component)
    _, width = components.ink.shape
    if component.left == 0 or component.right == width:
        lines = mask if component.left == 0 else mask[:, ::-1]
    else:
        lines = (mask if component.top == 0 else mask[::-1]).T
    # Each line begins at the edge. The far side of a straight stroke is a straight line.
    cuts = np.count_nonzero(np.diff(lines[:, 0].astype(np.int8), prepend=0) == 1)
    if cuts >= 2:
        return True
    far = lines.shape[1] - 1 - lines[:, ::-1].argmax(1)
    middle = slice(int(0.08 * len(far)), max(int(0.92 * len(far)), 2))
    places = np.arange(len(far))[middle]
    misfit = far[middle] - np.polyval(np.polyfit(places, far[middle], 1), places)
    return float(np.sqrt((misfit**2).mean())) > 0.035 * component.extent
