"""Numbers as people write them, to measure how whole numbers are read; nothing here is learned.

Everything is pen traces of the people of a part: see `split`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from digitre.training.data import world
from digitre.training.data.datasets import Strokes, arrays_of, strokes_of
from digitre.training.data.split import Part

_SIGNED = re.compile(r"[0-9 ]*[-.,/][-.,/0-9 ]*")


@dataclass(frozen=True)
class Written:
    """Something that a person wrote: its text without blanks, and its strokes, y growing upwards."""

    text: str
    strokes: Strokes


def strings(part: Part) -> list[Written]:
    """Numbers, and runs of digits in texts, of 2 to 10 digits."""
    return _strings(part, ("number", "run"), re.compile("[0-9]{2,10}"))


def signed(part: Part) -> list[Written]:
    """Dates, phone numbers and amounts that have no other signs than minus, point, comma and slash."""
    return _strings(part, ("mixed",), _SIGNED)


def _strings(part: Part, categories: tuple[str, ...], form: re.Pattern[str]) -> list[Written]:
    arrays = arrays_of("unipen-strings.npz")
    if arrays is None:
        return []
    chosen = np.isin(arrays["category"], categories) & world.written_in(part, arrays)
    return [
        Written(str(arrays["label"][i]).replace(" ", ""), strokes_of(arrays, i))
        for i in np.flatnonzero(chosen)
        if form.fullmatch(str(arrays["label"][i]))
    ]


def words(part: Part) -> list[Written]:
    """Words of two and more letters."""
    arrays = arrays_of("unipen-words.npz")
    if arrays is None:
        return []
    chosen = world.written_in(part, arrays) & (np.char.str_len(arrays["label"]) > 1)
    return [Written(str(arrays["label"][i]), strokes_of(arrays, i)) for i in np.flatnonzero(chosen)]


def touching(part: Part, count: int, seed: int = 0) -> list[Written]:
    """Two digits of one person, set together on one line so that they touch or overlap by up to a tenth of
    their mean width."""
    people = world.digits_of_people(part)
    names = sorted(name for name, digits in people.items() if len(digits) >= 5)
    random = np.random.default_rng(seed)
    pairs: list[Written] = []
    while names and len(pairs) < count:
        digits = people[names[random.integers(len(names))]]
        (first, one), (second, other) = (digits[k] for k in random.integers(0, len(digits), 2))
        left, right = np.concatenate(one), np.concatenate(other)
        heights = np.ptp(left[:, 1]), np.ptp(right[:, 1])
        if min(heights) <= 0 or min(heights) / max(heights) < 0.5:
            continue  # not written at one size
        width = (np.ptp(left[:, 0]) + np.ptp(right[:, 0])) / 2
        across = left[:, 0].max() - random.uniform(0, 0.1) * width - right[:, 0].min()
        down = left[:, 1].min() - right[:, 1].min()
        moved = [stroke + np.array([across, down]) for stroke in other]
        pairs.append(Written(first + second, [*one, *moved]))
    return pairs
