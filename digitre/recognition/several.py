"""Whether a picture holds several digits: then no part of it is the answer to which digit it is.

The constants were chosen on the validation scenes of `digitre.training.evaluation.scenes`.
"""

from __future__ import annotations

from collections.abc import Sequence

from digitre.recognition.components import Box, Component
from digitre.recognition.explanations import ALIKE, BAR, MARK, REST, explain, is_scroll_bar
from digitre.recognition.hypotheses import Hypothesis, is_cut_off

# Two parts are two digits if the network reads each with this probability ...
A_DIGIT = 0.6
# ... the smaller one is at least as large as `ALIKE` says, compared with the other ...
APART = 0.3  # ... and their boxes overlap by at most this share of the smaller one.
ONE_DIGIT = 0.9  # read with this probability, and no wider than high, both together are one digit
SURE = 0.9  # a reading with this probability is believed
ONE_PLACE = 0.85  # of the smaller box: two boxes that have so much in common are in one place
HIDING = 1.0  # of the digit's ink: a faint area or a bar that has so much may hide digits
IN_A_ROW = 0.7  # of the higher one's height, two digits of a row have in common
# What is left out for one of these reasons is not one of several digits.
NO_DIGIT = {"faint", "bar", "rule", "frame", "mark", "type"}


def holds_several(hypotheses: list[Hypothesis], best: Hypothesis) -> bool:
    """Whether two parts of the best one's ink map are digits by themselves."""
    of_map = [each for each in hypotheses if each.map is best.map]
    digits = [
        each
        for each in of_map
        if each.probability >= A_DIGIT
        and (each.labels & best.labels or not _is_something_else(each, best))
    ]
    read = best.box[1] - best.box[0] if best in digits else 0  # the height of what is read
    for k, one in enumerate(digits):
        for other in digits[:k]:
            smaller, larger = sorted((one, other), key=lambda each: each.extent)
            if (
                not one.labels & other.labels
                and smaller.extent >= ALIKE * max(larger.extent, read)
                and overlap(one.box, other.box) <= APART
                and not _are_one_digit(one, other, of_map)
                and not any(_is_something_else(*pair) for pair in ((one, other), (other, one)))
            ):
                return True
    return False


def overlap(one: Box, other: Box) -> float:
    """The share of the smaller box that lies in the other."""
    down = min(one[1], other[1]) - max(one[0], other[0])
    across = min(one[3], other[3]) - max(one[2], other[2])
    if down <= 0 or across <= 0:
        return 0.0
    areas = [(bottom - top) * (right - left) for top, bottom, left, right in (one, other)]
    return down * across / min(areas)


def may_see_sides(hypotheses: Sequence[Hypothesis], best: Hypothesis) -> bool:
    """Whether all digits on paper but the best one are 1s: on a desk, the sides of a sheet look like 1s."""
    others = [each for each in hypotheses if each.digit != 1 or each is best]
    return (
        best.map.on_paper
        and not holds_several(others, best)
        and not is_one_of_several(hypotheses, best)
    )


def is_beside_hidden(hypotheses: list[Hypothesis], best: Hypothesis) -> bool:
    """Whether a faint area or a bar that is left out, such as a shadow, hides digits.

    Then another map shows the same digit there, and others. Those in a bar must be in a row with it, and no 1s.
    """
    hiding = {each.what for each in best.left_out if each.share >= HIDING}
    if not hiding & {"faint", "bar"}:
        return False
    others = hypotheses if "faint" in hiding else _in_a_row(hypotheses, best)
    return any(
        each.map is not best.map
        and each.digit == best.digit
        and each.probability >= SURE
        and overlap(each.box, best.box) >= ONE_PLACE
        and holds_several(others, each)
        for each in others
    )


def _in_a_row(hypotheses: Sequence[Hypothesis], best: Hypothesis) -> list[Hypothesis]:
    """The digits that are surely no 1s, and as high as the best one and level with it; and itself in other maps."""
    top, bottom, _, _ = best.box
    return [
        each
        for each in hypotheses
        if each.probability >= SURE
        and (each.digit != 1 or each.digit == best.digit)
        and min(each.box[1], bottom) - max(each.box[0], top)
        >= IN_A_ROW * max(each.box[1] - each.box[0], bottom - top)
    ]


def is_one_of_several(hypotheses: Sequence[Hypothesis], best: Hypothesis) -> bool:
    """Whether the whole picture shows the same digit, and others next to it. Then the picture within it is not a sheet,
    but the light side of a shadow. 1s do not count: the sides of a sheet look like them."""
    others = [each for each in hypotheses if each.digit != 1 and each.probability >= SURE]
    return any(
        each.map is not best.map and each.digit == best.digit and holds_several(others, each)
        for each in others
    )


def _are_one_digit(one: Hypothesis, other: Hypothesis, hypotheses: list[Hypothesis]) -> bool:
    """Whether two digits together are surely another one, such as a 9 of a 0 and a 1.

    If both are read as one of them, the network does not see the other, whose pen is thin.
    """
    return any(
        each.labels >= one.labels | other.labels
        and each.probability >= ONE_DIGIT
        and each.digit not in (one.digit, other.digit)
        and each.cost < 0.05
        and each.is_shaped_like_one()
        for each in hypotheses
    )


def _is_something_else(part: Hypothesis, digit: Hypothesis) -> bool:
    """Whether a part that reads as a digit is a stamp, a line, an erased rest, or what lies at an edge."""
    mark = part.extent <= MARK * digit.extent and any(
        len(labels) > 2 and part.labels <= labels for _, labels in part.map.marks
    )
    explained = all(
        explain(each, digit)[0] in NO_DIGIT or _is_thin_line(each, digit)
        for each in part.components
    )
    return mark or explained or _belongs_to_edge(part, digit)


def _is_thin_line(part: Component, digit: Hypothesis) -> bool:
    """Whether a component is level or upright, and straight, and much thinner than the digit's strokes."""
    thickness = min(part.width, part.height)
    flat = 0.08 if part.fill >= 0.6 else 0.04  # a worn line has gaps
    return thickness <= min(flat * part.extent, 0.5 * digit.pen)


def _belongs_to_edge(part: Hypothesis, digit: Hypothesis) -> bool:
    """Whether a part that reads as a digit is what lies at an edge: a corner, a line, a bent rest."""
    parts = part.components
    across = all(
        each.edges >= 2
        and (
            each.depth <= REST * digit.extent
            or each.span >= BAR
            or each.extent >= 1.3 * digit.extent
        )
        for each in parts
    )
    short = part.extent < 0.65 * digit.extent and all(
        each.edges and each.depth <= REST * digit.extent for each in parts
    )
    scroll_bar = all(is_scroll_bar(each, part.map.ink.shape) for each in parts)
    cut_off = len(parts) == 1 and is_cut_off(parts[0], part.map.components)
    return across or short or scroll_bar or cut_off
