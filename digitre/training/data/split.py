"""Which drawing is in which part: the split into training, validation and test, fixed here once.

A test part is only for measuring: no shipped network is trained on one, and no setting is chosen with
one. What is in a part today stays in it, so that networks can be compared for years.
"""

from __future__ import annotations

import hashlib
from typing import Literal

Part = Literal["train", "validation", "test"]
PARTS: tuple[Part, ...] = ("train", "validation", "test")

MNIST_VALIDATION = 5_000  # the last pictures of its training set
PEN_WRITERS: dict[Part, range] = {
    "train": range(1, 23),
    "validation": range(23, 27),
    "test": range(27, 31),
}
UNIPEN_SITES: dict[Part, tuple[str, ...]] = {
    "train": ("aga", "apb", "gmd", "lav", "mot", "sie", "syn"),
    "validation": ("ced",),
    "test": ("uqb", "app"),
}
# Only its digits are used, for training, without those of `labels.WRONG_IBM`. Nine in a hundred of its
# other labels are wrong as well, and letters are not scarce.
CLEANED_SITE = "ibm"
SYMBOL_CLASSES: dict[Part, tuple[str, ...]] = {
    "train": ("forall", "infty", "int", "sim", "varphi"),
    "validation": ("pm", "xi"),
    "test": ("in", "partial", "subseteq"),
}

# Letters and signs that look like a digit if they stand alone and have the size of one. They are
# neither learned as "not a digit" nor part of a test of refusals.
LOOK_ALIKES = frozenset("OoDQ IlJ|/\\!'`,() Zz SsB bG gqy }".replace(" ", ""))
# The same for doodles: most drawings of these kinds are a stick, a closed curve, a 6 or a 9.
DOODLE_LOOK_ALIKES = frozenset(
    ("bracelet", "circle", "golf club", "line", "lollipop", "matches", "moon", "pear", "square")
)
# And for characters of other scripts: an earlier network was as sure as this that they are a digit,
# in per cent. Two thirds of them really look like one.
SCRIPT_LOOK_ALIKE = 95

# Names of one sign in the several packages of LaTeX.
_SYNONYMS = {
    "cdots": "dots",
    "dag": "dagger",
    "daggerdbl": "ddagger",
    "ddag": "ddagger",
    "dotsb": "dots",
    "dotsc": "dots",
    "dotsm": "dots",
    "dotso": "dots",
    "ellipsis": "dots",
    "ldots": "dots",
    "mathellipsis": "dots",
    "mathsection": "section",
    "mathunderscore": "underscore",
    "registered": "circledR",
    "thicksim": "sim",
}


def by_hash(key: str | bytes) -> Part:
    """The part of something that belongs to no older split: 70 % train, 15 % validation, 15 % test."""
    content = key.encode() if isinstance(key, str) else key
    place = hashlib.sha256(content).digest()[0] / 256
    return "train" if place < 0.7 else "validation" if place < 0.85 else "test"


def of_person(person: str, site: str | None) -> Part:
    """The part of everything that a person of UNIPEN wrote.

    Args:
        person: the anonymous name.
        site: the site whose isolated characters the person wrote as well, if there is one. What is
            known of a person goes with these, because the site is in one part as a whole.
    """
    if site is None:
        return by_hash(f"person {person}")
    return next((part for part in PARTS if site in UNIPEN_SITES[part]), "train")


def family(label: str) -> str:
    """What a LaTeX symbol shows, without its package and style: `dsfont:mathds{A}` shows an A.

    All classes of a family are in one part, because they look alike.

    Args:
        label: the package, a colon, and the command, in which `-lbrace-` stands for a brace.
    """
    package, _, command = label.partition(":")
    if command.startswith(("mathbb-", "mathcal-", "mathds-", "mathfrak-", "mathscr-")):
        return command.split("-")[2]
    command = command.removeprefix("text")
    if package == "upgreek":
        command = command[2:].capitalize() if command[0] == "U" else command.removeprefix("up")
    command = command.removeprefix("var")
    return _SYNONYMS.get(command, command)


_FAMILIES: dict[str, Part] = {
    family(f"latex2e:{name}"): part for part in PARTS for name in SYMBOL_CLASSES[part]
}


def of_symbol(label: str) -> Part:
    """The part of a LaTeX symbol: by its `family`, as in `SYMBOL_CLASSES` if it is there."""
    shown = family(label)
    return _FAMILIES.get(shown) or by_hash(f"symbol {shown}")


def of_doodle(label: str) -> Part:
    """The part of a category of doodles."""
    return by_hash(f"doodle {label}")


def in_words() -> dict[str, dict[Part, str]]:
    """The split in words, for the card."""
    shares: dict[Part, str] = dict(zip(PARTS, ("70 %", "15 %", "15 %"), strict=True))
    sites = {part: ", ".join(UNIPEN_SITES[part]) for part in PARTS}
    sites["train"] += f", {CLEANED_SITE} (digits only, cleaned)"
    return {
        "pen traces, writers": {
            part: f"{PEN_WRITERS[part].start} to {PEN_WRITERS[part].stop - 1}" for part in PARTS
        },
        "UNIPEN, sites": sites,
        "UNIPEN's digits, numbers and words of further people": {
            part: f"{shares[part]} of the people"
            + (f", and those of {sites[part]}" if part != "train" else ", and those of its sites")
            for part in PARTS
        },
        "symbols, classes": {part: ", ".join(SYMBOL_CLASSES[part]) for part in PARTS},
        "LaTeX symbols, families of classes": {
            part: f"{shares[part]}, by a hash of the name" for part in PARTS
        },
        "characters of other scripts": {
            part: f"{shares[part]}, by a hash of the drawing" for part in PARTS
        },
        "doodles, categories": {part: f"{shares[part]}, by a hash of the name" for part in PARTS},
    }
