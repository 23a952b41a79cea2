"""What the world draws: digits of further people, numbers, words, LaTeX symbols, scripts and doodles.

Everything is pen traces, in the parts of `split`. A set whose file is missing is empty; those of
people also need `unipen-people.csv`, which says whose drawings are in a part already.
"""

from __future__ import annotations

import csv
import functools
import itertools
from collections.abc import Callable

import numpy as np

from digitre.recognition.classifier import NO_DIGIT
from digitre.training.data import split
from digitre.training.data.datasets import Strokes, Traces, arrays_of, path, strokes_of
from digitre.training.data.split import Part

LONGEST = 10  # characters of a number that is used as a whole: a longer one is only a thin strip


def strangers(part: Part) -> Traces:
    """UNIPEN's digits beyond its isolated ones, by 41 further people, without the suspect labels."""
    arrays = arrays_of("unipen-digits-more.npz")
    if arrays is None:
        return Traces()
    chosen = np.flatnonzero(written_in(part, arrays) & ~arrays["suspect"])
    return Traces(_strokes(arrays, chosen), arrays["label"][chosen].astype(np.int64))


def numbers(part: Part) -> Traces:
    """Numbers of two and more digits, dates and amounts as people write them: not digits."""
    arrays = arrays_of("unipen-strings.npz")
    if arrays is None:
        return Traces()
    length = np.char.str_len(np.char.replace(arrays["label"], " ", ""))
    return _not_digits(arrays, written_in(part, arrays) & (length > 1) & (length <= LONGEST))


def runs(part: Part) -> list[tuple[list[Strokes], list[int]]]:
    """Numbers that are cut into digits: of each its digits' strokes, where they were written, and labels."""
    arrays = arrays_of("unipen-strings.npz")
    if arrays is None:
        return []
    found = []
    for i in np.flatnonzero(written_in(part, arrays) & (arrays["cuts"] != "")):
        ends = np.cumsum([int(count) for count in arrays["cuts"][i].split(",")])
        strokes = strokes_of(arrays, i)
        digits = [strokes[a:b] for a, b in zip([0, *ends], ends, strict=False)]
        found.append((digits, [int(digit) for digit in arrays["label"][i]]))
    return found


def run_digits(part: Part) -> Traces:
    """The single digits that are cut out of `runs`."""
    cut = runs(part)
    strokes = [digit for digits, _ in cut for digit in digits]
    return Traces(strokes, np.array([label for _, labels in cut for label in labels], np.int64))


def words(part: Part) -> Traces:
    """Short words, and single letters that do not look like a digit."""
    arrays = arrays_of("unipen-words.npz")
    if arrays is None:
        return Traces()
    alike = np.isin(arrays["label"], sorted(split.LOOK_ALIKES))
    return _not_digits(arrays, written_in(part, arrays) & ~alike)


def latex_symbols(part: Part) -> Traces:
    """LaTeX symbols of the families of a part, without those that may be taken for a digit."""
    arrays = arrays_of("detexify-symbols.npz")
    if arrays is None:
        return Traces()
    is_in = _in_part(arrays["label"], part, split.of_symbol)
    return _not_digits(arrays, is_in & (arrays["looks_like"] == ""))


def scripts(part: Part) -> Traces:
    """Characters of the world's scripts, without those that look like a digit."""
    arrays = arrays_of("omniglot.npz")
    if arrays is None:
        return Traces()
    points, starts = arrays["xy"], arrays["stroke"][arrays["char"]]
    parts = [
        split.by_hash(points[a:b].astype("<i2").tobytes()) for a, b in itertools.pairwise(starts)
    ]
    sure = arrays["shown_confidence"] >= split.SCRIPT_LOOK_ALIKE
    return _not_digits(arrays, (np.array(parts) == part) & ~sure)


def doodles(part: Part) -> Traces:
    """Doodles of the categories of a part, without categories that look like a digit."""
    arrays = arrays_of("quickdraw-doodles.npz")
    if arrays is None:
        return Traces()
    alike = np.isin(arrays["label"], sorted(split.DOODLE_LOOK_ALIKES))
    return _not_digits(arrays, _in_part(arrays["label"], part, split.of_doodle) & ~alike)


def _not_digits(arrays: dict[str, np.ndarray], is_chosen: np.ndarray) -> Traces:
    strokes = _strokes(arrays, np.flatnonzero(is_chosen))
    return Traces(strokes, np.full(len(strokes), NO_DIGIT))


def _strokes(arrays: dict[str, np.ndarray], chosen: np.ndarray) -> list[Strokes]:
    return [strokes_of(arrays, i) for i in chosen]


def _in_part(names: np.ndarray, part: Part, part_of: Callable[[str], Part]) -> np.ndarray:
    """(n,) bool: which names are in a part."""
    different, which = np.unique(names, return_inverse=True)
    return np.array([part_of(str(name)) == part for name in different])[which]


def written_in(part: Part, arrays: dict[str, np.ndarray]) -> np.ndarray:
    """(n,) bool: which drawings are by the people of a part; none if it is not known who they are."""
    sites = _sites_of_people()
    if sites is None:
        return np.zeros(len(arrays["writer"]), bool)
    return _in_part(
        arrays["writer"], part, lambda person: split.of_person(person, sites.get(person))
    )


def digits_of_people(part: Part) -> dict[str, list[tuple[str, Strokes]]]:
    """UNIPEN's isolated digits of a part's sites by person: each digit's label and strokes."""
    arrays = arrays_of("unipen-characters.npz")
    file = path("unipen-people.csv")
    if arrays is None or file is None:
        return {}
    with file.open(encoding="utf-8", newline="") as lines:
        people = {row["file"]: row["person"] for row in csv.DictReader(lines)}
    found: dict[str, list[tuple[str, Strokes]]] = {}
    sites = np.isin(arrays["donor"], split.UNIPEN_SITES[part])
    for i in np.flatnonzero(sites & (arrays["category"] == "1a")):
        person = people[str(arrays["writer"][i])]
        found.setdefault(person, []).append((str(arrays["label"][i]), strokes_of(arrays, i)))
    return found


@functools.cache
def _sites_of_people() -> dict[str, str] | None:
    """The site of each person of `unipen-characters.npz`, or None if the list is missing."""
    file = path("unipen-people.csv")
    if not file:
        return None
    with file.open(encoding="utf-8", newline="") as lines:
        return {row["person"]: row["site"] for row in csv.DictReader(lines)}
