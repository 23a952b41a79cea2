"""Search a picture for a number: read its ink in several ways, and choose.

Ink on an even ground with nothing around it is read as it is. What else there may be is listed by
`digitre.recognition.number_inks`: the network reads all of it, and the surest text counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
from PIL import Image

from digitre.recognition.candidates import Classify
from digitre.recognition.ink import flatten, on_even_ground, on_plain_ground, trim
from digitre.recognition.number_in_ink import MOST_PIECES, Found, find_number
from digitre.recognition.number_inks import Group, Inked, find_inks
from digitre.recognition.reading import THRESHOLD
from digitre.recognition.segmentation import Strokes

FEWER_PIECES = 30  # of ink that is searched for
MOST_INKS = 12
MOST_COMPLEX = 4  # inks with too many pieces
ENOUGH = 0.9  # a reading with this probability ends the search
# Sums of probabilities, one for each kind of map that reads a text: a text with more digits has nearly as much, ...
SURE, NEARLY = 0.8, 0.2
RIVAL = 0.5  # ... and one that is as good an answer, and another one, at most so much less
STRAIGHT = 0.8  # of its bounding box: a ruled line fills so much, and a 1 by hand less
LONG = 0.6  # of the picture's height: so long is the side of a sheet, and no 1 of several
APART = 0.9  # of their height: 1s of one number are nearer to each other
MOST_ONES = 4  # more lines next to each other are a grid
CROPPED = 0.95  # of the picture's width: it is cropped to a number that is so wide


def search(
    classify: Classify,
    image: Image.Image,
    lossy: bool,
    strokes: Strokes,
    options: dict[str, Any],
) -> Found | None:
    """The number in a picture, in the ink that gives the surest one.

    Args:
        classify: the network.
        image: of 8 bits a channel.
        lossy: whether it comes from a JPEG or WebP file.
        strokes: the pen's strokes, in pixels of the picture.
        options: `length`, `signs` and `lines` of `find_number`.

    Returns:
        The number; None for a blank.
    """
    reader = _Reader(classify, strokes, options)
    plain = on_plain_ground(image, lossy)
    if plain is None:
        image = flatten(image)
        plain = on_even_ground(image, lossy)
    own = None
    if plain is not None:
        plain = plain if plain.margins else trim(plain)
        left, top, *others = plain.margins or (0, 0, 0, 0)
        own = reader.read(Inked(plain.values, (left, top, 1), plain=True))
        if own is None:
            return None
        has_sign = not own.answer.text.isdigit()  # a point is much lower than a digit
        alone = min(left, top, *others) > 0 and (has_sign or not own.surrounded)
        if alone and own.confidence >= THRESHOLD:
            return own
        own = _doubted(own, image.size)
    readings: list[tuple[Group, Found]] = []
    for group in find_inks(flatten(image), plain, lines=options["lines"]):
        if group.is_inset and _is_settled(readings):
            break
        found = reader.first_answered(group)
        if found is not None:
            found = _doubted(found, image.size)
            readings.append((group, found))
            is_sure = found.confidence - group.doubt >= ENOUGH
            if is_sure and (not group.is_photo or _is_agreed(readings)):
                break
        if reader.is_tired:
            break
    chosen = _choose(readings)
    # What is refused keeps the text of a drawing's own ink: a device, which does not search, shows the same.
    if own and (chosen is None or chosen.confidence < THRESHOLD):
        return own if own.confidence < THRESHOLD else replace(own, believed=False)
    return chosen or (reader.read(reader.complex_ink) if reader.complex_ink else None)


class _Reader:
    """Reads ink, but not without end.

    Args:
        classify, strokes, options: see `search`.
    """

    def __init__(self, classify: Classify, strokes: Strokes, options: dict[str, Any]) -> None:
        self._classify = classify
        self._strokes = strokes
        self._options = options
        self._inks = self._complex_inks = 0
        self._own: Found | None = None  # of a drawing's own ink, which is read once
        self.complex_ink: Inked | None = None

    @property
    def is_tired(self) -> bool:
        """Whether it has read enough, or met too much that is too complex."""
        return self._inks >= MOST_INKS or self._complex_inks >= MOST_COMPLEX

    def first_answered(self, group: Group) -> Found | None:
        """The first reading of a group that is answered; else the surest one."""
        best = None
        for inked in group.inks:
            if inked.complex:
                self._complex_inks += 1
                self.complex_ink = self.complex_ink or inked
                continue
            found = self.read(inked)
            if found is None:
                continue
            self._inks += 1
            self._complex_inks += not found.complete
            if best is None or found.confidence > best.confidence:
                best = found
            if best.confidence >= THRESHOLD or self.is_tired:
                break
        return best

    def read(self, inked: Inked) -> Found | None:
        """`find_number`, with the strokes and the answer in pixels of the picture."""
        if inked.plain and self._own:
            return replace(self._own, believed=self._own.believed and inked.believed)
        left, top, size = inked.place
        moved = [(each - (left, top)) / size for each in self._strokes]
        most = MOST_PIECES if inked.plain else FEWER_PIECES
        found = find_number(inked.ink, self._classify, moved, most=most, **self._options)
        if found is None:
            return None
        place = (left, top, size * found.place[2])
        found = replace(found, place=place, believed=found.believed and inked.believed)
        if inked.plain:
            self._own = found
        return found


def _votes(readings: Sequence[tuple[Group, Found]]) -> dict[str, dict[str, float]]:
    """Of each text that is answered, how sure each kind of map is of it."""
    votes: dict[str, dict[str, float]] = {}
    for group, found in readings:
        worth = found.confidence - group.doubt
        if worth >= THRESHOLD:
            kinds = votes.setdefault(found.answer.text, {})
            kinds[group.kind] = max(worth, kinds.get(group.kind, 0.0))
    return votes


def _is_agreed(readings: Sequence[tuple[Group, Found]]) -> bool:
    """Whether two kinds of maps are sure of the last text."""
    kinds = _votes(readings)[readings[-1][1].answer.text]
    return sum(each >= ENOUGH for each in kinds.values()) > 1


def _is_settled(readings: Sequence[tuple[Group, Found]]) -> bool:
    """Whether the search may skip the pictures within the picture: the number is sure, and does not begin or end with
    a 1, which may be the side of a sheet."""
    found = _choose(readings)
    if found is None or found.confidence < ENOUGH:
        return False
    text = found.answer.text
    return len(text) == 1 or not (text.startswith("1") or text.endswith("1"))


def _choose(readings: Sequence[tuple[Group, Found]]) -> Found | None:
    """The best reading of a picture: the text of which most kinds of maps are surest.

    A text with more digits, which has all those of the other one, goes before it: that one left some out. But the
    sides of a sheet look like 1s, so what lies on the sheet goes before both if only 1s differ. If another text is as
    sure, or the sheet has other digits, the number is refused.
    """
    if not readings:
        return None
    outer = [each for each in readings if not each[0].is_inset]
    votes = _votes(outer)
    if max((sum(kinds.values()) for kinds in votes.values()), default=0.0) < SURE:
        votes = _votes(readings)
    if not votes:
        return max((found for _, found in readings), key=lambda each: each.confidence)
    sums = {text: sum(kinds.values()) for text, kinds in votes.items()}
    best = max(sums, key=lambda each: (sums[each], len(each)))
    nearly = max(SURE, sums[best] - NEARLY)
    for text, votes_of in sums.items():
        if votes_of >= nearly and _more(text, best):
            best = text
    rivalled = any(
        votes_of >= max(ENOUGH, sums[best] - RIVAL)
        for text, votes_of in sums.items()
        if not (text == best or _holds_more(best, text) or _more(text, best))
    )
    for group, inner in readings:
        if not group.is_inset or inner.confidence < ENOUGH:
            continue
        text = inner.answer.text
        if best.replace("1", "") == text.replace("1", ""):
            best = text
        elif not _more(best, text):
            rivalled = True
    found = max(
        (found for _, found in readings if found.answer.text == best),
        key=lambda each: each.confidence,
    )
    return replace(found, rivalled=rivalled)


def _holds_more(text: str, part: str) -> bool:
    """Whether a text has more digits than a part of it. On paper, folds and shadows before and after it look like 1s."""
    return bool(_more(text, part)) and text.strip("1") != part.strip("1")


def _more(text: str, part: str) -> str | None:
    """The characters that are left of a text if those of a part are taken out, in order; None if it lacks one of them."""
    more = []
    rest = list(part)
    for each in text:
        if rest and each == rest[0]:
            del rest[0]
        else:
            more.append(each)
    return None if rest else "".join(more)


def _doubted(found: Found, size: tuple[int, int]) -> Found:
    """A number. If it has only 1s, and they are straight, long, far apart or many, it is not believed: they may be ruled
    lines, or the sides of a sheet.

    Args:
        found: the number.
        size: width and height of the picture, in pixels. It may be cropped to the number.
    """
    if len(found.answer.text) < 2 or set(found.answer.text) != {"1"}:
        return found
    ones = [each.piece for each in found.candidates if each]
    scale = found.place[2]
    is_cropped = (ones[-1].right - ones[0].left) * scale >= CROPPED * size[0]
    straight = any(np.count_nonzero(each.ink) >= STRAIGHT * each.ink.size for each in ones)
    long = not is_cropped and any(each.height * scale >= LONG * size[1] for each in ones)
    apart = any(
        right.left - left.right > APART * max(left.height, right.height)
        for left, right in pairwise(ones)
    )
    many = len(ones) > MOST_ONES
    return replace(found, believed=found.believed and not (straight or long or apart or many))
