"""What explains ink that a hypothesis leaves out: dust, a rule, a frame, a stamp, a line of type.

Explained ink costs nothing. What nothing explains costs the more, the more of it there is.

The constants were chosen on the validation scenes of `digitre.training.evaluation.scenes`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from digitre.recognition.components import Component, Row, are_of_one_size
from digitre.recognition.found import GREY, RECTANGLE
from digitre.recognition.lines import NEAR, Line

if TYPE_CHECKING:
    from digitre.recognition.hypotheses import Hypothesis

# Costs, as shares of the kept ink:
EXTENT = 0.5  # a left-out component counts at least so much of its extent over the digit's
DOT = 0.15  # what it costs to leave out a dot as thick as the pen, as that of "?"
# Left-out ink that is explained, in shares of the digit's longer side:
REST = 0.30  # the rest of a neighbour reaches at most so far into the picture
BAR = 0.85  # of an edge of the picture: what covers so much is a bar, a shadow, the desk
SPECK = 0.10  # dust is at most so long
RULE = 1.6  # a rule above or next to the digit is at least so long
FLAT = 0.15  # of its length: a level or upright line is at most so thick
HIGHER = 1.3  # and one from edge to edge; an upright line that is shorter may be a 1
THROUGH = 2.5  # and one through it: the bar of a plus is shorter
FAINT = 0.33  # of the digit's mean ink: the rest of an erased drawing is at most so strong
ALONG = 0.2  # of its length: so much of what lies in a corner is at an edge
SOLID = 0.6  # of its bounding box: what fills so much in a corner is a finger, a shadow, the desk
HOLE = 0.3  # a dot next to the digit, such as a punched hole, is at most so long
AWAY = 0.5  # a dot that is not level with the digit is at least so far from it
MARK = 0.75  # of the digit's longer side: a stamp or a logo next to it is at most so large ...
MARK_APART = (
    0.15  # ... and at least so far from it, unless no pen as thick as the digit's draws it:
)
BLOCK = 0.85  # of its bounding box: a button fills so much, also with a word on it
BROADER = 1.5  # of the digit's pen: a button is at least so high
THIN = 0.5  # of the digit's pen: the line of a mouse pointer is at most so thick
STROKE = 0.25  # of its height: a 1 is at most so thick
LEAN = 2.0  # times as high as wide: a 1 that is a filled rectangle is leaner
THICK = 2.5  # of the digit's pen: a filled shape that is so thick is no stroke of it
NEXT_TO = 0.03  # so far from the digit is not a part of it, if it is a stamp or a line of type
ALIKE = 0.45  # the smaller one of two digits is at least so large
TYPE = 0.25  # a line of small type is at most so high
NEAR_EDGE = 5  # pixels: a scroll bar is at most so far from the edge, or as far as it is thick


def explain(part: Component, hypothesis: Hypothesis) -> tuple[str, float]:
    """What a left-out component is, and what leaving it out costs."""
    extent = hypothesis.extent
    free = hypothesis.is_free
    if part.extent <= max(3, SPECK * extent):
        if free and part.edges:
            return "speck", 0.0  # a little of a neighbour
        of_drawing = _is_dot_of_drawing(part, hypothesis) and not _is_type(part, hypothesis)
        return ("unexplained", DOT) if of_drawing else ("speck", 0.0)
    if part.strength <= FAINT * hypothesis.strength:
        return "faint", 0.0
    if free and part.edges and part.depth <= REST * extent and not _is_heavy(part, hypothesis):
        return "rest", 0.0
    of_page = part.span >= BAR or is_of_page(part, hypothesis)
    if free and part.edges and of_page and not _may_be_a_one(part, hypothesis):
        return "bar", 0.0
    if is_scroll_bar(part, hypothesis.map.ink.shape):
        return "bar", 0.0
    if _is_hole(part, hypothesis):
        return "dot", 0.0
    if _is_mark(part, hypothesis):
        return "mark", 0.0
    if _is_rule(part, hypothesis):
        return "rule", 0.0
    if part in hypothesis.frames or part.label in hypothesis.map.dashed_frame:
        return "frame", 0.0
    if _is_type(part, hypothesis) or _is_outside_frame(part, hypothesis):
        return "type", 0.0
    if _is_thin(part, hypothesis):
        return "mark", 0.0
    return "unexplained", max(part.ink / hypothesis.ink, EXTENT * part.extent / extent)


def is_of_page(part: Component, hypothesis: Hypothesis) -> bool:
    """Whether a component at two edges is a solid area, or runs along an edge or from edge to edge: a shadow, the
    desk, a comb. Writing that the picture is cropped to touches the edges with a stroke."""
    if part.edges < 2:
        return False
    height, width = hypothesis.map.ink.shape
    across = part.width == width or part.height == height
    long = part.extent > 1.5 * hypothesis.extent
    along = part.contact >= ALONG * part.extent
    return part.fill >= SOLID or (long and (along or across))


def _may_be_a_one(part: Component | Line, hypothesis: Hypothesis) -> bool:
    """Whether a component or a line is an upright stroke next to the digit, by such a pen, and hardly higher: the picture may be
    cropped to a number."""
    top, bottom, left, right = hypothesis.box
    next_to = part.left >= right or part.right <= left
    width, height = part.right - part.left, part.bottom - part.top
    stroke = THIN * hypothesis.pen <= width <= STROKE * height
    return next_to and stroke and height <= HIGHER * (bottom - top)


def _is_heavy(part: Component, hypothesis: Hypothesis) -> bool:
    """Whether what an edge cuts off to the left or right has more ink than the digit: it is most of a digit."""
    _, width = hypothesis.map.ink.shape
    return part.ink > hypothesis.ink and (part.left == 0 or part.right == width)


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


def _are_alike(one: Component, other: Component) -> bool:
    """Whether two dots are of one size and in one row or column; a dot is like itself."""
    if not other.is_dot:
        return False
    apart = min(abs(one.left - other.left), abs(one.top - other.top))
    return are_of_one_size(one, other) and apart <= max(one.extent, other.extent)


def _is_hole(part: Component, hypothesis: Hypothesis) -> bool:
    """Whether a component is a dot next to the digit: a punched hole, a bullet, a full stop. Three dots above each other
    are punched holes, wherever they are.

    The dot of an "i" is above it and near, also if the writing slants.
    """
    extent = hypothesis.extent
    if not part.is_dot or part.extent > HOLE * extent:
        return False
    if part.label in hypothesis.map.holes:
        return True
    top, bottom, left, right = hypothesis.box

    def is_apart(dot: Component) -> bool:
        beyond = dot.right <= left or dot.left >= right
        level = dot.top >= top and dot.bottom <= bottom
        return (beyond and level) or _is_away(dot, hypothesis, hypothesis.away)

    row = [each for each in hypothesis.map.components.all if _are_alike(part, each)]
    return any(map(is_apart, row))


def _is_mark(part: Component, hypothesis: Hypothesis) -> bool:
    """Whether a component is of a stamp or a logo, or a button of a page: a filled shape, or a ring with something
    in it, that is apart from the digit."""
    extent = hypothesis.extent
    if part.edges:
        return False
    if is_block(part, hypothesis) and _gap(part, hypothesis) >= MARK_APART:
        return True
    if part.is_dot and HOLE * extent <= part.extent <= MARK * hypothesis.size:
        if _is_away(part, hypothesis, MARK_APART):
            return True
        return is_solid_for(part, hypothesis) and _gap(part, hypothesis) >= NEXT_TO
    return any(
        part.label in labels
        and not labels & hypothesis.labels
        and ring.extent <= (MARK if len(labels) > 2 else ALIKE) * hypothesis.size
        and _gap(ring, hypothesis) >= NEXT_TO
        for ring, labels in hypothesis.map.marks
    )


def is_block(part: Component, hypothesis: Hypothesis) -> bool:
    """Whether a component is a filled rectangle that no pen of a digit draws, as a button or a phone is. An upright one
    that is lean, or not much thicker than the digit's strokes, may be a 1."""
    if part.fill < BLOCK:
        return False
    level = part.width >= part.height >= BROADER * hypothesis.pen
    return level or (is_squat(part) and part.width >= THICK * hypothesis.pen)


def is_squat(part: Component) -> bool:
    """Whether a component is higher than wide, but too broad for a 1."""
    return part.width < part.height <= LEAN * part.width


def is_solid_for(part: Component, hypothesis: Hypothesis) -> bool:
    """Whether a component is much thicker than the strokes of a digit."""
    return min(part.width, part.height) >= THICK * hypothesis.pen


def _is_type(part: Component, hypothesis: Hypothesis) -> bool:
    """Whether a component is of a line of small type, such as the title of a field. Outside of a frame around the digit,
    the type may be as high as it."""
    framed = any(part.is_outside(frame) for frame in hypothesis.frames)
    highest = hypothesis.extent if framed else hypothesis.type_height
    return any(
        part.label in row.labels
        and not row.labels & hypothesis.labels
        and row.height <= highest
        and _gap(row, hypothesis) >= NEXT_TO
        for row in hypothesis.map.type_rows
    )


def _gap(part: Component | Row, hypothesis: Hypothesis) -> float:
    """How far a box is from the digit's, in shares of the digit's longer side; negative if they overlap."""
    top, bottom, left, right = hypothesis.box
    across = max(part.left - right, left - part.right)
    down = max(part.top - bottom, top - part.bottom)
    return max(across, down) / hypothesis.extent


def _is_away(part: Component, hypothesis: Hypothesis, least: float) -> bool:
    """Whether a component is at least so far from the digit, in shares of its longer side.

    What is above or below it is not: there is the dot of an "i", a "!" or a ";".
    """
    top, bottom, left, right = hypothesis.box
    across = max(part.left - right, left - part.right)
    down = max(part.top - bottom, top - part.bottom)
    over = down > 0 and across < 0.3 * hypothesis.extent
    return not over and _gap(part, hypothesis) >= least


def _is_rule(part: Component, hypothesis: Hypothesis) -> bool:
    """Whether a component is a thin line that runs past the digit on both sides."""
    top, bottom, left, right = hypothesis.box
    past = 0.05 * hypothesis.extent
    level = part.height <= FLAT * part.width and part.left < left - past < right + past < part.right
    upright = part.width <= FLAT * part.height and (
        part.top < top - past < bottom + past < part.bottom
    )
    if not (level or upright):
        return False
    below = part.top >= bottom  # a bar above may belong to a letter, as in "T"
    next_to = part.left >= right or part.right <= left
    # An upright line next to the digit, as high as it, may be a 1, also if the picture is cropped to both; but where
    # there was a long line, it is a tooth of a comb.
    tooth = next_to and bool(hypothesis.map.lines)
    long = part.extent >= (HIGHER if part.edges >= 2 else RULE) * hypothesis.extent
    return below or tooth or long


def is_frame(part: Component, hypothesis: Hypothesis) -> bool:
    """Whether a component lies around the digit."""
    kept = hypothesis.components
    return len(hypothesis.map.components.enclosed(part, kept)) == len(kept)


def _is_outside_frame(part: Component, hypothesis: Hypothesis) -> bool:
    """Whether a component is small and outside a frame around the digit, as the labels of a plot's axes."""
    return part.extent < ALIKE * hypothesis.extent and any(
        part.is_outside(frame) for frame in hypothesis.frames
    )


def _is_thin(part: Component, hypothesis: Hypothesis) -> bool:
    """Whether a component is apart from the digit and of a much thinner line: small, as a mouse pointer, or level, as a
    line to write a name on."""
    level = part.height <= FLAT * part.width
    if not level and part.extent > HOLE * hypothesis.size:
        return False
    return (
        _gap(part, hypothesis) >= MARK_APART
        and hypothesis.map.components.pen_of(part) <= THIN * hypothesis.pen
    )


def explains_line(line: Line, hypothesis: Hypothesis) -> bool:
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
    if not one_of_many and _may_be_a_one(line, hypothesis):
        return False
    long = line.length >= (RULE if apart else THROUGH) * extent
    # A line next to the digit may be a 1; one above or below it is a rule.
    return line.whole or ((past or apart) and (one_of_many or long)) or (apart and line.level)
