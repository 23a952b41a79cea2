"""Find the writing: make hypotheses of which ink is the digit, and let the network judge them.

The quick path, `Classifier.detect`, is for what drawing pages send: one drawing on an even ground, with
nothing around it. Any other picture is searched here. It is read in several ways, each a hypothesis: a set of
components of one ink map, with what it leaves out. The network reads them all, and a written rule decides
which one is worth most. If a picture holds several digits, no part of it is the answer.

The constants were chosen on the validation scenes of `digitre.training.evaluation.scenes`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np
from PIL import Image

from digitre.recognition.areas import find_area, is_broad, map_on_area, without_outline
from digitre.recognition.components import Box, Component, Components, group
from digitre.recognition.explanations import ALIKE, BAR, explain
from digitre.recognition.found import Detection
from digitre.recognition.hypotheses import ALONG, Hypothesis, is_cut_off, lies_along_edge
from digitre.recognition.insets import SOLID, Inset, find_insets, is_solid, is_window
from digitre.recognition.lines import find_lines, is_framed
from digitre.recognition.maps import InkMap, even_maps, paper_maps
from digitre.recognition.several import (
    A_DIGIT,
    ONE_PLACE,
    holds_several,
    is_beside_hidden,
    is_one_of_several,
    may_see_sides,
    overlap,
)
from digitre.recognition.sides import largest_sides, without_sides

Classify = Callable[[np.ndarray], np.ndarray]  # (n, 28, 28, 1) to (n, 10), as Classifier.classify

SIDE = 480  # pixels a side, at most, of a picture that is searched
MOST = 24  # hypotheses of one ink map
ENOUGH = 0.9  # a hypothesis that is worth so much ends the search
# Of the picture's shorter side: a component that may be a part of the digit is larger.
SMALL = 0.05
HELD = 0.2  # of the size of a 1 of several parts: a digit in its place in another map, which it may hold
LIGHT = 0.05  # of the ink of another part
INNER = 0.85  # what is inside a frame and worth so much goes before the frame
MORE = 1.5  # the ink of a hypothesis that goes before a smaller one, compared with that one's
# A part of the ink that is worth so much, and another digit, is as good an answer. Any value from 0.3 to 0.98
# is the same on the validation scenes: no right answer of 7,958 has such a part, and 4 wrong ones do.
RIVAL = 0.85
SAME_PLACE, ALIKE_SIZE = 0.8, 1.2  # of the smaller box; of the longer side
THINGS = {"bar", "mark", "type"}  # what is left out so is no part of a larger digit


def search(image: Image.Image, classify: Classify, *, plain: bool = False) -> Detection | None:
    """Read a picture in several ways, and choose.

    Args:
        image: opaque, of mode L or RGB: see `digitre.recognition.ink.flatten`.
        classify: the network.
        plain: whether the ink is known to lie on an even ground, off the edges: then it is not on paper.

    Returns:
        The best reading, or None if there is no ink.
    """
    hypotheses: list[Hypothesis] = []
    insets: list[tuple[Box, list[Hypothesis]]] = []  # if sides of a sheet may be 1s
    best, several = None, False
    for maps, inset in _rounds(image, plain):
        if several and inset is None:
            continue
        new = _judged(maps, classify)
        if not new:
            continue
        if several and inset:
            insets.append((inset, new))
            continue
        hypotheses += new
        best = choose(hypotheses)
        if best.worth >= ENOUGH:
            several = (
                holds_several(hypotheses, best)
                or is_beside_hidden(hypotheses, best)
                or (inset is not None and is_one_of_several(hypotheses, best))
            )
            if not several or not may_see_sides(hypotheses, best):
                break
    else:
        several = several or (best is not None and holds_several(hypotheses, best))
    if best is None:
        return None
    if insets and (inner := _within_a_sheet(best.digit, insets)):
        best, several = inner, False
    kept = best.kept()
    rival = find_rival(hypotheses, best)
    row = best.row * best.factor
    return Detection(
        kept,
        best.pixels,
        (row if rival is None else (row + rival.row * rival.factor) / 2).tolist(),
        several,
        rival is not None,
        tuple(best.left_out),
        np.where(kept > 0, 0, best.map.ink),
    )


def _judged(maps: Iterable[InkMap], classify: Classify) -> list[Hypothesis]:
    """The hypotheses of some maps, read by the network in one call."""
    new = [
        each
        for ink_map in maps
        for one in (ink_map, *ink_map.without_lines())
        for each in propose(one)
    ]
    if new:
        rows = classify(np.stack([each.pixels for each in new])[..., None])
        for each, row in zip(new, rows, strict=True):
            each.row = row
        for each in new:
            each.holds_another = _holds_another(each, new)
    return new


def _holds_another(hypothesis: Hypothesis, others: Sequence[Hypothesis]) -> bool:
    """Whether what is read as a 1 of several parts holds another digit: a 9 and the side of a sheet. What is above the
    foot of a 1 may be a 7."""
    return (
        hypothesis.map.on_paper
        and hypothesis.digit == 1
        and len(hypothesis.labels) > 1
        and any(
            each.digit not in (1, 7)
            and each.probability >= A_DIGIT
            and (
                (each.map is hypothesis.map and each.labels < hypothesis.labels)
                or (
                    each.extent >= HELD * hypothesis.extent
                    and _is_in_the_same_place(each, hypothesis)
                )
            )
            for each in others
        )
    )


def _rounds(image: Image.Image, plain: bool) -> Iterator[tuple[Iterable[InkMap], Box | None]]:
    """The ink maps of the picture, then of each picture within it, and where that is: top, bottom, left, right.

    If a program drew the picture, what lies on a filled area of it is looked at, too. Then the maps for paper
    come last, and not at all if another picture lies within it: to them, its edges look like strokes. From the maps
    of a photo, the sides of sheets are removed.
    """
    small = _reduced(image)
    maps, drawn = even_maps(small)
    drawn = drawn or plain
    area = find_area(maps) if drawn else None
    if area:
        maps = [without_outline(each, area[1]) for each in maps]
    solid = _solid_parts(maps, small)
    strokes = drawn and not all(solid)
    if drawn:  # what is enough ends the search before it looks for insets
        yield maps, None
    insets = _insets(image, maps, solid, drawn)
    if not drawn:
        sides = largest_sides(each.sides for each in insets)
        yield [without_sides(each, sides) for each in (*maps, *paper_maps(small))], None
    for inset in insets:
        inner_small = _reduced(inset.image)
        inner, inner_drawn = even_maps(inner_small)
        yield (inner if inner_drawn else [*inner, *paper_maps(inner_small)]), inset.box
        # The canvas of a drawing program lies on an area of its window.
        if inner_drawn and any(canvases := _solid_parts(inner, inner_small)):
            for canvas in _insets(inset.image, inner, canvases, True):
                on_canvas, canvas_drawn = even_maps(_reduced(canvas.image))
                if canvas_drawn:
                    yield on_canvas, inset.box
    if area and not insets:
        _, part = area
        yield [map_on_area(small, *area)], (part.top, part.bottom, part.left, part.right)
    if drawn and not strokes and not plain and not insets:
        yield paper_maps(small), None


def _solid_parts(maps: Sequence[InkMap], image: Image.Image) -> list[list[Component]]:
    """Of each map what may be a picture within the picture."""
    shorter = min(image.size)
    return [[part for part in each.components.all if is_solid(part, shorter)] for each in maps]


def _insets(
    image: Image.Image, maps: Sequence[InkMap], solid: Sequence[list[Component]], drawn: bool
) -> list[Inset]:
    """The pictures within a picture, in full size."""
    regions = [
        each.components.mask(parts[:1]) for each, parts in zip(maps, solid, strict=True) if parts
    ]
    return find_insets(image, regions, drawn=drawn)


def _reduced(image: Image.Image) -> Image.Image:
    longest = max(image.size)
    return image.reduce(-(-longest // SIDE)) if longest > SIDE else image


def is_one_component(ink: np.ndarray) -> bool:
    """Whether all ink is connected."""
    return len(Components(ink).all) == 1


def is_one_drawing(ink: np.ndarray, margins: tuple[int, int, int, int]) -> bool:
    """Whether connected ink is not a filled area, and has no line from edge to edge and no frame around it: then
    there is nothing to leave out.

    Args:
        ink: (height, width) uint8.
        margins: what the picture has without ink on its left, top, right and bottom.
    """
    if is_solid(Components(ink).all[0]):
        return False
    small = np.asarray(_reduced(Image.fromarray(ink)))
    if is_broad(small):
        return False
    if min(margins) == 0:
        return not any(line.whole for line, _ in find_lines(_padded(ink, margins)))
    return not is_framed(small)


def is_rest(ink: np.ndarray, margins: tuple[int, int, int, int], digit: int) -> bool:
    """Whether ink that is read as a digit is one component at an edge: what is left of something that the edge
    cuts off."""
    if min(margins) > 0:
        return False
    components = Components(_padded(ink, margins))
    parts = components.all
    return len(parts) == 1 and (
        is_cut_off(parts[0], components) or (digit == 1 and lies_along_edge(parts, ALONG))
    )


def _padded(ink: np.ndarray, margins: tuple[int, int, int, int]) -> np.ndarray:
    return np.pad(ink, (margins[1::2], margins[::2]))


def propose(ink_map: InkMap) -> list[Hypothesis]:
    """The hypotheses of one ink map, those that leave out least first."""
    shorter = min(ink_map.ink.shape)
    parts = [each for each in ink_map.components.all if each.extent >= max(4, SMALL * shorter)]
    if not parts:
        return []
    hypotheses: dict[frozenset[int], Hypothesis] = {}

    def add(components: list[Component], framed: bool = False) -> None:
        labels = frozenset(each.label for each in components)
        if components and labels not in hypotheses and len(hypotheses) < MOST:
            hypotheses[labels] = Hypothesis(ink_map, components, framed)

    add(parts)
    free = [each for each in parts if not each.edges]
    add(free)
    add([each for each in parts if each.span < BAR])
    for ring in parts:
        if ring.extent >= 0.25 * shorter or len(parts) <= 3:
            inside = ink_map.components.enclosed(ring, parts)
            if inside and not _is_counter(ink_map.components, ring, inside):
                add(inside, framed=True)
                for one in group(inside, 0.1):
                    add(one, framed=True)
    solid = {each.label for each in parts if is_solid(each, shorter)}

    def is_light(some: list[Component]) -> bool:
        """Whether these have little ink, compared with any other. A large object next to a digit does not count."""
        near = (
            each.ink
            for each in parts
            if each.label not in solid or not all(one.is_outside(each) for one in some)
        )
        return sum(each.ink for each in some) <= LIGHT * max(near)

    for pool in (free, parts):
        for gap in (0.05, 0.15, 0.3):
            groups = group(pool, gap)
            if len(groups) > 1:
                for one in groups[:4]:
                    if not is_light(one):
                        add(one)
    largest = max(each.extent for each in parts)
    for each in parts[:5]:
        # A thin digit has little ink, and so has a line, which fills its box.
        if not is_light([each]) or (each.extent >= ALIKE * largest and each.fill < 0.7):
            add([each])
    return list(hypotheses.values())


def _is_counter(components: Components, ring: Component, inside: Sequence[Component]) -> bool:
    """Whether a component is a sheet with writing on it, and what lies inside is the counter of a digit, such as the
    loop of a 9: the hole in the sheet, which is the digit, is not a canvas or a window."""
    if ring.fill < SOLID:
        return False
    hole = components.hole(ring, inside[0])
    return hole is not None and not is_window(hole)


def choose(hypotheses: list[Hypothesis]) -> Hypothesis:
    """The hypothesis that is worth most.

    What is inside a frame goes before the frame: a circled 7 is not a 0. And a hypothesis that has more ink
    of the same map, and is surely another digit, goes before one that leaves some out.
    """
    best = _worth_most(hypotheses)
    if best.framed:
        return best
    inside = [
        each for each in hypotheses if each.framed and each.map is best.map and each.is_worth(INNER)
    ]
    if inside:
        inner = max(inside, key=lambda each: each.worth)
        if inner.extent >= 0.3 * best.extent:
            return inner
    larger = [
        each
        for each in hypotheses
        if each.map is best.map
        and each.labels > best.labels
        and each.ink >= MORE * best.ink
        and all(part.span < BAR and part.extent <= 2 * best.extent for part in each.components)
        and each.probability >= 0.95
        and each.digit != best.digit
        and each.cost < 0.05
        and each.is_shaped_like_one()
        and not any(
            part.label not in best.labels and explain(part, best)[0] in THINGS
            for part in each.components
        )
    ]
    return max(larger, key=lambda each: len(each.labels), default=best)


def _worth_most(hypotheses: list[Hypothesis]) -> Hypothesis:
    """The hypothesis that is worth most. What cannot be is not looked at any further: that saves most of the time."""
    first, *others = sorted(hypotheses, key=lambda each: -each.bound)
    for each in others:
        if each.bound <= first.worth:
            break
        if each.worth > first.worth:
            first = each
    return first


def find_rival(hypotheses: list[Hypothesis], best: Hypothesis) -> Hypothesis | None:
    """A part of the best one's ink that is another digit, with all other ink explained: the best such, or None.

    A 7 above a line may be a 2, so the answer is "A 2 or a 7?". Another map may show another digit in the same place.
    """
    rivals = [
        each
        for each in hypotheses
        if each.digit != best.digit
        and (
            (each.map is best.map and each.labels < best.labels and each.is_worth(RIVAL))
            or (each.is_worth(ENOUGH) and _is_in_the_same_place(each, best))
        )
    ]
    return max(rivals, key=lambda each: each.worth, default=None)


def _is_in_the_same_place(one: Hypothesis, other: Hypothesis) -> bool:
    """Whether two hypotheses of one picture lie in the same place, in maps of two kinds. The first must not be larger."""
    return (
        one.map.kind != other.map.kind
        and bool(one.map.lines) <= bool(other.map.lines)
        and one.map.ink.shape == other.map.ink.shape
        and one.extent <= ALIKE_SIZE * other.extent
        and overlap(one.box, other.box) >= SAME_PLACE
    )


def _within_a_sheet(
    digit: int, insets: Sequence[tuple[Box, list[Hypothesis]]]
) -> Hypothesis | None:
    """The digit in a picture within the picture; None if it is another one, or if there are several.

    A sheet may be found twice, with and without its frame.
    """
    held = [(box, each) for box, each in insets if choose(each).probability >= A_DIGIT]
    if not all(overlap(held[0][0], box) >= ONE_PLACE for box, _ in held):
        return None
    if any(choose(each).digit != digit for _, each in held):
        return None
    for _, each in held:
        inner = choose(each)
        if inner.worth >= ENOUGH and not holds_several(each, inner):
            return inner
    return None
