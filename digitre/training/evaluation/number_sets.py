"""The sets on which the reading of numbers is measured, in one table: see `numbers`."""

from __future__ import annotations

from collections.abc import Callable

from digitre.training.data import strings
from digitre.training.data.split import Part
from digitre.training.data.strings import Written

PAIRS = 300

# Per set: its id, its title, how it is loaded, and whether it has signs.
SETS: tuple[tuple[str, str, Callable[[Part], list[Written]], bool], ...] = (
    ("strings", "numbers of 2 to 10 digits of new people", strings.strings, False),
    (
        "touching",
        "two touching digits of new people",
        lambda part: strings.touching(part, PAIRS),
        False,
    ),
    ("signed", "numbers with signs of new people", strings.signed, True),
    ("letters", "not numbers: words of new people", strings.words, False),
)
# Numbers among other things, and the same without a number: see `number_scenes`.
IN_SCENES, WITHOUT = "numbers_in_scenes", "scenes_without_numbers"
SCENES = {
    IN_SCENES: "numbers of 2 to 4 digits of new people, in all scenes",
    WITHOUT: "not numbers: scenes without writing",
}
FORMS = {"strokes": "with their strokes", "pictures": "from the picture alone"}


def set_id(name: str, form: str, part: Part) -> str:
    """The id of a set's figures in one form."""
    return part_id(f"{name}_{form}", part)


def part_id(name: str, part: Part) -> str:
    """The id of a set's figures in one part."""
    return name + ("_test" if part == "test" else "")
