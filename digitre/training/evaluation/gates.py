"""The gates: whether a newly trained network may replace the one that is served.

They are measured on the validation sets and on the held-out saved drawings, never on a test set.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import binomtest

from digitre.recognition.card import Gate
from digitre.recognition.classifier import Classifier, is_refused
from digitre.training.data.datasets import NO_DIGIT
from digitre.training.evaluation import metrics, sets
from digitre.training.evaluation.limits import LIMITS, Limit
from digitre.training.evaluation.sets import Pictures

ALL_FALL = 0.05  # points that the accuracy on all digits together may fall by
# One digit of one set may fall by this many points, or this many pictures, or by chance.
DIGIT_FALL = 0.3
DIGIT_PICTURES = 3
SIGNIFICANCE = 0.05  # a fall with a smaller p-value is not chance
# If the served network misses a limit, the new one may miss it by this many points more. So may it if the served one
# refuses so little more other drawings than the limit asks for.
SLACK = 0.3


@dataclass(frozen=True)
class Answers:
    """How a network reads a set: (n,) whether each answer is the label, and (n,) its confidence."""

    correct: np.ndarray
    confidence: np.ndarray

    @property
    def refusals(self) -> np.ndarray:
        """Which pictures are answered "Huh...", (n,) bool."""
        return is_refused(self.confidence)

    def measure(self, metric: str) -> float:
        """`refused` or `calibration_error`, in per cent."""
        if metric == "refused":
            return 100 * float(self.refusals.mean())
        return 100 * metrics.calibration_error(self.confidence, self.correct)


def compare(before: Classifier, after: Classifier, held_out: Pictures) -> list[Gate]:
    """Compare a new network with the one that is served, gate by gate.

    Args:
        before: the network that is served.
        after: the network that may replace it.
        held_out: saved drawings that were not used for training: (n, 28, 28) uint8 and labels.
    """
    validation = sets.validation_sets()
    old = {set_id: _read(before, pictures) for set_id, pictures in validation.items()}
    new = {set_id: _read(after, pictures) for set_id, pictures in validation.items()}
    digits = [set_id for set_id, (_, labels) in validation.items() if labels[0] != NO_DIGIT]
    gates = [_all_digits([old[each] for each in digits], [new[each] for each in digits])]
    for set_id in digits:
        gates += _each_digit(set_id, validation[set_id][1], old[set_id], new[set_id])
    gates += [
        _limit(limit, old[limit.set], new[limit.set]) for limit in LIMITS if limit.set in validation
    ]
    if len(held_out[1]):
        gates.append(_held_out(before, after, held_out))
    return gates


def _read(network: Classifier, pictures: Pictures) -> Answers:
    x, labels = pictures
    rows = network.classify(sets.as_batch(x))
    return Answers(rows.argmax(1) == labels, rows.max(1))


def _all_digits(old: list[Answers], new: list[Answers]) -> Gate:
    """The accuracy on the digits of all sets together."""
    before, after = (
        100 * float(np.concatenate([each.correct for each in answers]).mean())
        for answers in (old, new)
    )
    return Gate("all digits: accuracy", before, after, after >= before - ALL_FALL)


def _each_digit(set_id: str, labels: np.ndarray, old: Answers, new: Answers) -> Iterator[Gate]:
    """The accuracy on each digit of a set."""
    for digit in range(10):
        chosen = labels == digit
        if chosen.any():
            name = f"{set_id}: accuracy on {digit}"
            yield _one_digit(name, old.correct[chosen], new.correct[chosen])


def _one_digit(name: str, before: np.ndarray, after: np.ndarray) -> Gate:
    """The accuracy on one digit, from (n,) whether each of its pictures is read correctly."""
    was, now = 100 * float(before.mean()), 100 * float(after.mean())
    lost = int((before & ~after).sum()) - int((~before & after).sum())
    few = was - now <= DIGIT_FALL or lost <= DIGIT_PICTURES
    return Gate(name, was, now, few or not _falls(before, after))


def _falls(before: np.ndarray, after: np.ndarray) -> bool:
    """Whether significantly fewer pictures are true than before: McNemar's exact test, one-sided."""
    lost, gained = int((before & ~after).sum()), int((~before & after).sum())
    if not lost:
        return False
    test = binomtest(lost, lost + gained, 0.5, alternative="greater")
    return bool(test.pvalue < SIGNIFICANCE)


def _limit(limit: Limit, old: Answers, new: Answers) -> Gate:
    """A limit of the table, on a validation set."""
    before, after = old.measure(limit.metric), new.measure(limit.metric)
    passed = _stays_inside(limit, before, after)
    if limit.at_least is not None and not limit.allows(before):
        passed = passed or not _falls(old.refusals, new.refusals)
    name = f"{limit.set}: {limit.metric.replace('_', ' ')}"
    return Gate(name, before, after, passed)


def _stays_inside(limit: Limit, before: float, after: float) -> bool:
    """Whether a figure is within its limit, or hardly worse than one that was not, or that lay on it."""
    if limit.at_least is not None:
        return limit.allows(after) or after >= before - SLACK
    return limit.allows(after) or (not limit.allows(before) and after <= before + SLACK)


def _held_out(before: Classifier, after: Classifier, held_out: Pictures) -> Gate:
    """The held-out saved drawings: digits read correctly, and others refused."""

    def share(network: Classifier) -> float:
        pictures, labels = held_out
        rows = network.classify(sets.as_batch(pictures))
        refused = is_refused(rows.max(1))
        correct = (rows.argmax(1) == labels) & ~refused
        return 100 * float(np.where(labels == NO_DIGIT, refused, correct).mean())

    was, now = share(before), share(after)
    return Gate("held-out saved drawings: accuracy", was, now, now >= was)


def as_text(gates: Sequence[Gate]) -> str:
    """The gates as a table for a terminal: those that failed or have another figure than before."""
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
