"""A hypothesis: which ink of a map is the digit, and what it costs to leave the rest out.

A hypothesis is worth the probability of its digit, less what its left-out ink costs. Ink may be left out for
free only if something explains it, such as a frame, a rule, dust or the rest of a neighbour.

The constants were chosen on the validation scenes of `digitre.training.evaluation.scenes`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from digitre.recognition.components import Box, Component, Components, bounding_box, run_lengths
from digitre.recognition.found import GREY, RECTANGLE, LeftOut
from digitre.recognition.lines import NEAR, Line
from digitre.recognition.maps import InkMap
from digitre.recognition.preprocessing import shape_ink

# The digit's probability is multiplied by 1 - PENALTY x (unexplained ink over kept ink).
PENALTY = 3.5
EXTENT = 0.5  # a left-out component counts at least so much of its extent over the digit's
DOT = 0.15  # what it costs to leave out a dot as thick as the pen, as that of "?"
PREFERENCE = 0.005  # for hypotheses that leave out less, if they are worth the same
DOUBT = 0.05  # what an unlikely hypothesis is worth less
# Left-out ink that is explained, in shares of the digit's longer side:
SPECK = 0.10  # dust is at most so long
REST = 0.30  # the rest of a neighbour reaches at most so far into the picture
RULE = 1.6  # a rule above or next to the digit is at least so long
THROUGH = 2.5  # and one through it: the bar of a plus is shorter
FAINT = 0.33  # of the digit's mean ink: the rest of an erased drawing is at most so strong
SOLID = 0.6  # of its bounding box: what fills so much in a corner is a finger, a shadow, the desk
HOLE = 0.3  # a dot next to the digit, such as a punched hole, is at most so long
ROUND = 0.6  # of its bounding box: a dot fills at least so much
AWAY = 0.5  # a dot that is not level with the digit is at least so far from it
WHOLE = 0.97  # of an edge of the picture: no digit on paper covers so much
LIGHT = (
    2  # of a 1's ink, on paper: what lies along an edge and has more is a shadow with a soft edge
)
MARK = 0.75  # of the digit's longer side: a stamp or a logo next to it is at most so large ...
MARK_APART = 0.15  # ... and at least so far from it
NEAR_EDGE = 5  # pixels: a scroll bar is at most so far from the edge, or as far as it is thick
BAR = 0.85  # of an edge of the picture: what covers so much is a bar, a shadow, the desk
CONTRAST_OF_ONE = 50  # of 255: on paper, what is fainter is not believed to be a 1
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
        left_out: what it leaves out.
        cost: unexplained ink over kept ink.
    """

    map: InkMap
    components: list[Component]
    framed: bool = False
    pixels: np.ndarray = field(init=False)
    row: np.ndarray = field(init=False)
    left_out: list[LeftOut] = field(default_factory=list)
    cost: float = 0.0

    def __post_init__(self) -> None:
        self.box: Box = bounding_box(self.components)
        self.labels = frozenset(each.label for each in self.components)
        self.ink = sum(each.ink for each in self.components)
        top, bottom, left, right = self.box
        box = slice(top, bottom), slice(left, right)
        self.pixels = shape_ink(
            np.where(self.map.components.mask(self.components, box), self.map.ink[box], 0)
        )

    def kept(self) -> np.ndarray:
        """(height, width) uint8: the ink that is kept, in its place."""
        return np.where(self.map.components.mask(self.components), self.map.ink, 0)

    @cached_property
    def pen(self) -> float:
        """The width of its strokes, in pixels: the median of the shorter run through each pixel."""
        top, bottom, left, right = self.box
        mask = self.map.components.mask(self.components, (slice(top, bottom), slice(left, right)))
        return float(np.median(np.minimum(run_lengths(mask, 0), run_lengths(mask, 1))[mask]))

    @property
    def extent(self) -> int:
        top, bottom, left, right = self.box
        return max(bottom - top, right - left)

    @property
    def digit(self) -> int:
        return int(self.row.argmax())

    @property
    def probability(self) -> float:
        return float(self.row.max())

    @property
    def factor(self) -> float:
        """What the unexplained ink leaves of the probabilities, 0 to 1."""
        return max(0.0, 1 - PENALTY * self.cost)

    @property
    def worth(self) -> float:
        left_out = 0.0 if self.framed else sum(each.share for each in self.left_out)
        doubt = self.map.doubt + PREFERENCE * left_out / (1 + left_out)
        # Few digits lie along an edge, and much on paper looks like a 1.
        doubt += DOUBT * any(each.span >= BAR for each in self.components)
        doubt += DOUBT * (self.map.on_paper and self.digit == 1)
        return self.probability * self.factor - doubt

    def is_shaped_like_one(self) -> bool:
        """Whether it is no wider than a digit."""
        top, bottom, left, right = self.box
        return right - left <= WIDEST * (bottom - top)


def judge(hypothesis: Hypothesis) -> None:
    """Say what a hypothesis leaves out, and what that costs."""
    for each in hypothesis.map.components.all:
        if each.label not in hypothesis.labels:
            what, cost = explain(each, hypothesis)
            hypothesis.left_out.append(LeftOut(what, each.ink / hypothesis.ink))
            hypothesis.cost += cost
    for line in hypothesis.map.lines:
        explained = _explains_line(line, hypothesis)
        share = line.length / hypothesis.extent * EXTENT
        hypothesis.left_out.append(LeftOut("line" if explained else "unexplained", 0.0))
        hypothesis.cost += 0.0 if explained else share
    if _may_be_a_rest(hypothesis):
        hypothesis.cost += 1.0


def explain(part: Component, hypothesis: Hypothesis) -> tuple[str, float]:
    """What a left-out component is, and what leaving it out costs."""
    extent = hypothesis.extent
    if part.extent <= max(3, SPECK * extent):
        return ("unexplained", DOT) if _is_dot_of_drawing(part, hypothesis) else ("speck", 0.0)
    strength = hypothesis.ink / sum(each.area for each in hypothesis.components)
    if part.strength <= FAINT * strength:
        return "faint", 0.0
    free = not any(each.edges for each in hypothesis.components)
    if free and part.edges and part.depth <= REST * extent:
        return "rest", 0.0
    corner = part.edges >= 2 and (part.extent > 1.5 * extent or part.fill >= SOLID)
    if free and part.edges and (part.span >= BAR or corner):
        return "bar", 0.0
    if is_scroll_bar(part, hypothesis.map.ink.shape):
        return "bar", 0.0
    if _is_hole(part, hypothesis):
        return "dot", 0.0
    if _is_mark(part, hypothesis):
        return "mark", 0.0
    if _is_rule(part, hypothesis):
        return "rule", 0.0
    if _is_frame(part, hypothesis):
        return "frame", 0.0
    return "unexplained", max(part.ink / hypothesis.ink, EXTENT * part.extent / extent)


def _is_dot_of_drawing(part: Component, hypothesis: Hypothesis) -> bool:
    """Whether a speck belongs to the drawing: as thick as the pen, and above or below it, as in "?"."""
    top, bottom, left, right = hypothesis.box
    gap = max(part.top - bottom, top - part.bottom)
    if part.extent < 3 or part.left >= right or part.right <= left:
        return False
    if not 0 <= gap <= 0.4 * hypothesis.extent:
        return False
    return min(part.width, part.height) >= 0.75 * hypothesis.pen


def is_scroll_bar(part: Component, shape: tuple[int, ...]) -> bool:
    """Whether a component is a grey rectangle along an edge of the picture. A black one may be a 1."""
    if part.fill < RECTANGLE or part.strength > GREY:
        return False
    height, width = shape
    near = max(min(part.width, part.height), NEAR_EDGE)
    if part.height > part.width:
        return min(part.left, width - part.right) <= near
    return min(part.top, height - part.bottom) <= near


def _is_dot(part: Component) -> bool:
    return part.fill >= ROUND and part.extent <= 1.5 * min(part.width, part.height)


def _are_alike(one: Component, other: Component) -> bool:
    """Whether two dots are of one size and in one row or column; a dot is like itself."""
    if not _is_dot(other):
        return False
    smaller, larger = sorted((one.extent, other.extent))
    in_line = min(abs(one.left - other.left), abs(one.top - other.top)) <= larger
    return in_line and smaller >= 0.7 * larger


def _is_hole(part: Component, hypothesis: Hypothesis) -> bool:
    """Whether a component is a dot next to the digit: a punched hole, a bullet, a full stop.

    The dot of an "i" is above it and near, also if the writing slants.
    """
    extent = hypothesis.extent
    if not _is_dot(part) or part.extent > HOLE * extent:
        return False
    top, bottom, left, right = hypothesis.box

    def is_apart(dot: Component) -> bool:
        beyond = dot.right <= left or dot.left >= right
        level = dot.top >= top and dot.bottom <= bottom
        return (beyond and level) or _is_away(dot, hypothesis, AWAY)

    row = [each for each in hypothesis.map.components.all if _are_alike(part, each)]
    return any(map(is_apart, row))


def _is_mark(part: Component, hypothesis: Hypothesis) -> bool:
    """Whether a component is of a stamp or a logo: a filled shape, or a ring with something in it, that is
    smaller than the digit and apart from it."""
    extent = hypothesis.extent
    if part.edges:
        return False
    if _is_dot(part):
        large = HOLE * extent <= part.extent <= MARK * extent
        return large and _is_away(part, hypothesis, MARK_APART)
    for ring, labels in hypothesis.map.marks:
        if part.label in labels and not labels & hypothesis.labels:
            return ring.extent <= MARK * extent and _is_away(ring, hypothesis, MARK_APART)
    return False


def _is_away(part: Component, hypothesis: Hypothesis, least: float) -> bool:
    """Whether a component is at least so far from the digit, in shares of its longer side.

    What is above or below it is not: there is the dot of an "i", a "!" or a ";".
    """
    top, bottom, left, right = hypothesis.box
    across = max(part.left - right, left - part.right)
    down = max(part.top - bottom, top - part.bottom)
    extent = hypothesis.extent
    over = down > 0 and across < 0.3 * extent
    return not over and max(across, down) >= least * extent


def _is_rule(part: Component, hypothesis: Hypothesis) -> bool:
    """Whether a component is a thin line that runs past the digit on both sides."""
    top, bottom, left, right = hypothesis.box
    past = 0.05 * hypothesis.extent
    level = part.height <= 0.15 * part.width and part.left < left - past < right + past < part.right
    upright = part.width <= 0.15 * part.height and (
        part.top < top - past < bottom + past < part.bottom
    )
    if not (level or upright):
        return False
    below = part.top >= bottom  # a bar above may belong to a letter, as in "T"
    next_to = part.left >= right or part.right <= left
    return below or next_to or part.extent >= RULE * hypothesis.extent or part.edges >= 2


def _is_frame(part: Component, hypothesis: Hypothesis) -> bool:
    """Whether a component lies around the digit."""
    kept = hypothesis.components
    return len(hypothesis.map.components.enclosed(part, kept)) == len(kept)


def _explains_line(line: Line, hypothesis: Hypothesis) -> bool:
    """Whether a line that was removed is one of the page, and not a stroke of the digit."""
    top, bottom, left, right = hypothesis.box
    extent = hypothesis.extent
    if line.level:
        apart = line.top >= bottom or line.bottom <= top
        past = line.left < left - 0.1 * extent and line.right > right + 0.1 * extent
    else:
        apart = line.left >= right or line.right <= left
        past = line.top < top - 0.1 * extent and line.bottom > bottom + 0.1 * extent
    height, width = hypothesis.map.ink.shape
    if min(top, left, height - bottom, width - right) <= NEAR:
        return False  # the drawing fills the picture, and so may the strokes of one that is not a digit
    one_of_many = len(hypothesis.map.lines) >= 3
    long = line.length >= (RULE if apart else THROUGH) * extent
    # A line next to the digit may be a 1; one above or below it is a rule.
    return line.whole or ((past or apart) and (one_of_many or long)) or (apart and line.level)


def _may_be_a_rest(hypothesis: Hypothesis) -> bool:
    """Whether it lies at the picture's edges, and may be the rest of something else.

    Nearly every such rest that the network takes for a digit is read as a 1. A real 1 at an edge touches it
    with an end of its stroke.
    """
    height, width = hypothesis.map.ink.shape
    if hypothesis.digit == 1 and hypothesis.map.contrast < CONTRAST_OF_ONE:
        return True  # the soft edge of a shadow
    if hypothesis.map.lines and hypothesis.digit == 1:
        top, bottom, left, right = hypothesis.box
        if min(top, left, height - bottom, width - right) <= NEAR:
            return True
    parts = hypothesis.components
    if all(is_scroll_bar(each, hypothesis.map.ink.shape) for each in parts):
        return True
    if hypothesis.digit == 1 and _is_no_one(hypothesis):
        return True
    if hypothesis.map.on_paper and any(each.span >= WHOLE for each in parts):
        return True  # the border of a photo
    if len(parts) == 1 and is_cut_off(parts[0], hypothesis.map.components):
        return True
    if not all(each.edges for each in parts):
        return False
    if all(each.edges >= 2 for each in parts) and hypothesis.extent < 0.9 * min(height, width):
        return True
    longest = max(each.contact for each in parts)
    return hypothesis.digit == 1 and (
        hypothesis.map.on_paper or longest >= 0.25 * hypothesis.extent
    )


def _is_no_one(hypothesis: Hypothesis) -> bool:
    """Whether what the network takes for a 1 is a row of dots, a side of the picture, or the edge of a shadow."""
    parts = hypothesis.components
    if all(map(_is_dot, parts)) or any(each.edges == 3 for each in parts):
        return True
    if not hypothesis.map.on_paper:
        return False
    bars = sum(each.share for each in hypothesis.left_out if each.what == "bar")
    return bars > LIGHT or len(parts) > 2


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
