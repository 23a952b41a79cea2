"""Whether a newly trained network may take the place of the one that is served.

Measured on the validation parts and on the drawings that are kept for this; a test part decides
nothing.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from scipy.stats import binomtest

from digitre.recognition.classifier import Classifier, is_refused
from digitre.training.data.datasets import NO_DIGIT
from digitre.training.evaluation import report
from digitre.training.evaluation.sets import Pictures, validation_sets

ALL_FALL = 0.05  # points that the accuracy on all digits together may fall by
DIGIT_FALL = 0.3  # points that one digit of one set may fall by,
DIGIT_PICTURES = 3  # or so many pictures,
P = 0.05  # or whatever is no significant fall
# The targets of what is no digit (per cent refused, at least) and of the calibration error (per
# cent, at most). Where the network that is served misses one, the new one may miss it by SLACK more,
# or, of what is refused, by what is no significant fall.
REFUSED = {"others": 97.0, "symbols": 97.0, "invented": 99.0}
CALIBRATION = {"mnist": 0.5, "drawn": 1.0, "anywhere": 1.0}
REFUSED_DIGITS = {"mnist": 0.7, "drawn": 1.5, "anywhere": 1.5}
SLACK = 0.3


@dataclass(frozen=True)
class Gate:
    """One condition: what was measured before and after, and whether it is met."""

    name: str
    before: float
    after: float
    passed: bool


@dataclass(frozen=True)
class _Answers:
    """What one network says of one set."""

    right: np.ndarray
    confidence: np.ndarray

    @property
    def refused(self) -> float:
        return 100 * float(self.refusals.mean())

    @property
    def refusals(self) -> np.ndarray:
        return is_refused(self.confidence)

    @property
    def calibration_error(self) -> float:
        return 100 * report.calibration_error(self.confidence, self.right)


def compare(before: Classifier, after: Classifier, kept: Pictures) -> list[Gate]:
    """All gates, for the network that is served and the one that may follow it.

    Args:
        kept: pictures and labels of the saved drawings that no training has seen.
    """
    sets = validation_sets()
    old = {name: _answers(before, pictures) for name, pictures in sets.items()}
    new = {name: _answers(after, pictures) for name, pictures in sets.items()}
    digits = [name for name, (_, labels) in sets.items() if labels[0] != NO_DIGIT]
    gates = [_all_digits([old[name] for name in digits], [new[name] for name in digits])]
    for name in digits:
        labels = sets[name][1]
        for digit in range(10):
            chosen = labels == digit
            if chosen.any():
                title = f"{name}: {digit} read right"
                gates.append(_one_digit(title, old[name].right[chosen], new[name].right[chosen]))
    for limits, what, most in (
        (REFUSED, "refused", False),
        (REFUSED_DIGITS, "refused", True),
        (CALIBRATION, "calibration_error", True),
    ):
        for name in limits.keys() & sets.keys():
            was, now = getattr(old[name], what), getattr(new[name], what)
            title = f"{name}: {what.replace('_', ' ')}"
            gate = _inside(title, was, now, limits[name], most=most)
            if limits is REFUSED and was < limits[name]:
                falls = _falls(old[name].refusals, new[name].refusals)
                gate = replace(gate, passed=gate.passed or not falls)
            gates.append(gate)
    if len(kept[1]):
        gates.append(_kept(before, after, kept))
    return gates


def _answers(network: Classifier, pictures: Pictures) -> _Answers:
    x, labels = pictures
    rows = network.classify(x[..., None].astype(np.float32) / 255)
    return _Answers(rows.argmax(1) == labels, rows.max(1))


def _all_digits(old: list[_Answers], new: list[_Answers]) -> Gate:
    was, now = (
        100 * float(np.concatenate([each.right for each in answers]).mean())
        for answers in (old, new)
    )
    return Gate("all digits read right", was, now, now >= was - ALL_FALL)


def _one_digit(title: str, was: np.ndarray, now: np.ndarray) -> Gate:
    before, after = 100 * float(was.mean()), 100 * float(now.mean())
    few = before - after <= DIGIT_FALL or (was & ~now).sum() - (~was & now).sum() <= DIGIT_PICTURES
    return Gate(title, before, after, bool(few) or not _falls(was, now))


def _falls(was: np.ndarray, now: np.ndarray) -> bool:
    """Whether fewer pictures are true than before, beyond chance: McNemar's test, exact, one-sided."""
    lost, won = int((was & ~now).sum()), int((~was & now).sum())
    if not lost:
        return False
    return bool(binomtest(lost, lost + won, 0.5, alternative="greater").pvalue < P)


def _inside(title: str, was: float, now: float, limit: float, *, most: bool) -> Gate:
    sign = 1 if most else -1
    allowed = limit if sign * was <= sign * limit else was + sign * SLACK
    return Gate(title, was, now, sign * now <= sign * allowed)


def _kept(before: Classifier, after: Classifier, kept: Pictures) -> Gate:
    """The kept drawings: digits read right, and what is no digit refused."""

    def good(network: Classifier) -> float:
        x, labels = kept
        rows = network.classify(x[..., None].astype(np.float32) / 255)
        huh = is_refused(rows.max(1))
        right = np.where(labels == NO_DIGIT, huh, (rows.argmax(1) == labels) & ~huh)
        return 100 * float(right.mean())

    was, now = good(before), good(after)
    return Gate("kept saved drawings read right", was, now, now >= was)


def as_text(gates: list[Gate]) -> str:
    """The verdict as a table: each digit's own gates only where they changed or failed."""
    shown = [gate for gate in gates if not gate.passed or gate.before != gate.after]
    width = max([len(gate.name) for gate in shown], default=4)
    lines = [f"{'gate':{width}}   before    after"]
    for gate in shown:
        verdict = "pass" if gate.passed else "FAIL"
        lines.append(f"{gate.name:{width}}  {gate.before:7.2f}  {gate.after:7.2f}  {verdict}")
    lines.append(f"{len(gates) - len(shown)} more gates are as before")
    failed = sum(not gate.passed for gate in gates)
    lines.append(f"{failed} of {len(gates)} gates failed" if failed else "every gate passed")
    return "\n".join(lines)


def as_json(gates: list[Gate]) -> dict[str, Any]:
    """The verdict for the network's card."""
    return {
        "passed": all(gate.passed for gate in gates),
        "gates": [asdict(gate) for gate in gates],
    }
