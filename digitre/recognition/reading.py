"""What a drawing was read as, how it is shown, and which answers a threshold refuses."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

THRESHOLD = 0.6


class Candidate(NamedTuple):
    """A digit that the drawing may be, and its probability."""

    digit: int
    probability: float


@dataclass(frozen=True)
class Reading:
    """What a drawing was read as. All probabilities lie in [0, 1].

    Attributes:
        digit: 0 to 9, or None if the answer is "Huh...".
        confidence: the probability of the most probable digit, even if it is refused; 0 for a blank.
        probabilities: of the ten digits; with `not_a_digit` they sum to 1.
        not_a_digit: the probability that the drawing is not a digit.
        candidates: the three most probable digits, best first; none for a blank.
        reason: why there is no digit: "blank", "not_a_digit", "unsure" or "several"; else None.
        model: the version of the network that read it.
    """

    digit: int | None
    confidence: float
    probabilities: tuple[float, ...]
    not_a_digit: float
    candidates: tuple[Candidate, ...]
    reason: str | None
    model: str

    @property
    def result(self) -> str:
        """The digit as text, or "Huh..."."""
        return "Huh..." if self.digit is None else str(self.digit)

    @property
    def probability(self) -> str:
        """The confidence in words, as the first version of Digitre said it: "(99.8% probability)", or "You
        call that a digit?" The number is `confidence`."""
        if self.digit is None:
            return "You call that a digit?"
        return f"({percent(self.confidence)}% probability)"

    @property
    def prediction(self) -> str | None:
        """The most probable digit as text, even if it is refused; None for a blank."""
        return str(self.candidates[0].digit) if self.candidates else None

    def to_dict(self) -> dict[str, Any]:
        """The reading as the API answers it, ready for JSON; probabilities to six decimals."""
        return {
            "result": self.result,
            "probability": self.probability,
            "digit": self.digit,
            "confidence": round(self.confidence, 6),
            "probabilities": [round(value, 6) for value in self.probabilities],
            "not_a_digit": round(self.not_a_digit, 6),
            "candidates": [
                {"digit": digit, "probability": round(probability, 6)}
                for digit, probability in self.candidates
            ],
            "prediction": self.prediction,
            "reason": self.reason,
            "model": self.model,
        }

    def __repr__(self) -> str:
        """One line: the answer, how sure it is, and why if there is no digit."""
        parts = [self.result, f"confidence={self.confidence:.3f}"]
        if self.digit is None:
            parts += [f"prediction={self.prediction}", f"reason={self.reason}"]
        return f"<Reading {' '.join(parts)} model={self.model}>"

    def _repr_html_(self) -> str:
        """What a notebook shows: the answer, and a bar for each of the eleven probabilities."""
        import html  # only notebooks need it

        names = [*map(str, range(10)), "not a digit"]
        rows = "".join(
            f'<tr><td style="text-align:right">{name}</td><td style="width:12em">'
            f'<div style="background:#1f77b4;height:.8em;width:{percent(value)}%"></div></td>'
            f'<td style="text-align:right">{percent(value)}%</td></tr>'
            for name, value in zip(names, [*self.probabilities, self.not_a_digit], strict=True)
        )
        words = f"<b>{self.result}</b> {html.escape(self.probability)}"
        return f"<div>{words}<table>{rows}</table><small>{html.escape(self.model)}</small></div>"


def percent(probability: float) -> str:
    """A probability as it is shown: in per cent, with one decimal."""
    return f"{100 * probability:.1f}"


@functools.lru_cache(maxsize=64)
def lowest_accepted(threshold: float) -> float:
    """The lowest confidence that a threshold accepts; below it, the answer is "Huh...".

    What is shown decides, so that "60.0%" is never refused at 0.6: the lowest confidence is the smallest
    number that `percent` shows as the threshold or more. At 0.6 it is 0.5995. A higher number is never shown
    as less, so bisection finds it, to the last bit of a float.

    Raises:
        ValueError: if the threshold does not lie from 0 to 1.
    """
    if not 0 <= threshold <= 1:
        raise ValueError("a threshold must lie from 0 to 1")
    required = round(100 * threshold, 9)  # 100 * 0.55 is 55.00000000000001
    if required == 0:
        return 0.0
    refused, accepted = 0.0, 1.0
    while refused < (middle := (refused + accepted) / 2) < accepted:
        if float(percent(middle)) < required:
            refused = middle
        else:
            accepted = middle
    return accepted


def is_refused(confidence: np.ndarray, threshold: float = THRESHOLD) -> np.ndarray:
    """Which of many drawings are answered "Huh...": (n,) confidences in [0, 1] to (n,) bool."""
    return confidence < lowest_accepted(threshold)


def decide(
    row: Sequence[float],
    model: str,
    threshold: float,
    *,
    blank: bool = False,
    several: bool = False,
) -> Reading:
    """Decide on the ten probabilities of a drawing.

    Args:
        row: (10,) the digits' probabilities.
        model: the version of the network.
        threshold: below this confidence it is refused.
        blank: whether there is no ink.
        several: whether the picture holds several digits.

    Raises:
        ValueError: if the threshold does not lie from 0 to 1.
    """
    lowest = lowest_accepted(threshold)
    if blank:
        return Reading(None, 0.0, (0.0,) * 10, 1.0, (), "blank", model)
    order = sorted(range(10), key=row.__getitem__, reverse=True)[:3]
    candidates = tuple(Candidate(digit, row[digit]) for digit in order)
    best = candidates[0]
    not_a_digit = 1 - math.fsum(row)
    digit: int | None = best.digit
    reason = None
    if several and threshold > 0:
        digit, reason = None, "several"
    elif best.probability < lowest:
        digit, reason = None, "not_a_digit" if not_a_digit >= best.probability else "unsure"
    return Reading(digit, best.probability, tuple(row), not_a_digit, candidates, reason, model)
