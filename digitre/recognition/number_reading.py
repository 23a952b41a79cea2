"""What a number was read as, and how it is shown."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, NamedTuple

from digitre.recognition.reading import Reading, percent

MOST_DIGITS = 40  # of a number that is answered


class Alternative(NamedTuple):
    """A text that the number may be as well, and its probability."""

    text: str
    probability: float


@dataclass(frozen=True, repr=False)
class Digit(Reading):
    """One digit of a number: what it was read as, and where it is.

    Attributes:
        box: left, top, right, bottom in pixels of the picture; right and bottom lie just outside.
        line: the index of its line.
        strokes: the indices of the strokes that drew it; empty if no strokes were given.
    """

    box: tuple[int, int, int, int] = (0, 0, 0, 0)
    line: int = 0
    strokes: tuple[int, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """The digit as the API answers it, ready for JSON."""
        return super().to_dict() | {
            "box": list(self.box),
            "line": self.line,
            "strokes": list(self.strokes),
        }


@dataclass(frozen=True)
class NumberReading:
    """What a picture was read as, if it shows a number. Probabilities lie in [0, 1].

    Attributes:
        text: the most probable text, even if it is refused, with the signs as written and a line break between
            lines; "" for a blank.
        number: its value, if it is answered and is the number of one line: "3,5" is 3.5; a comma before
            three digits may be there for thousands, so "1,234" has none; nor has "1/2". Else None.
        confidence: the probability of the whole text.
        digits: in the order of the text.
        lines: the text of each line.
        alternatives: the next most probable texts, best first.
        reason: why there is no answer: "blank", "not_a_number", "unsure" or "too_complex"; None if there is.
        model: the version of the network that read it.
    """

    text: str
    number: int | float | None
    confidence: float
    digits: tuple[Digit, ...]
    lines: tuple[str, ...]
    alternatives: tuple[Alternative, ...]
    reason: str | None
    model: str

    @property
    def result(self) -> str:
        """The text, or "Huh..."."""
        return "Huh..." if self.reason else self.text

    @property
    def probability(self) -> str:
        """The confidence in words, as for one digit."""
        if self.reason:
            return "You call that a digit?"
        return f"({percent(self.confidence)}% probability)"

    def to_dict(self) -> dict[str, Any]:
        """The reading as the API answers it, ready for JSON; probabilities to six decimals."""
        return {
            "result": self.result,
            "probability": self.probability,
            "text": self.text,
            "number": self.number,
            "confidence": round(self.confidence, 6),
            "digits": [each.to_dict() for each in self.digits],
            "lines": list(self.lines),
            "alternatives": [
                {"text": text, "probability": round(probability, 6)}
                for text, probability in self.alternatives
            ],
            "reason": self.reason,
            "model": self.model,
        }


def blank(model: str) -> NumberReading:
    """The reading of a picture without ink."""
    return NumberReading("", None, 0.0, (), (), (), "blank", model)


_NUMBER = re.compile(r"-?[0-9]+(?:[.,][0-9]+)?")


def value_of(text: str) -> int | float | None:
    """The value of a number as people write it; None if it isn't one, or if a comma may mean thousands."""
    if not _NUMBER.fullmatch(text) or re.search(",[0-9]{3}$", text):
        return None
    return float(text.replace(",", ".")) if {".", ","} & {*text} else int(text)
