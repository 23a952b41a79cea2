"""What is measured of a network on a set of pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from digitre.recognition.card import Figure
from digitre.recognition.classifier import Classifier, is_refused
from digitre.training.data.datasets import NO_DIGIT
from digitre.training.evaluation import sets

if TYPE_CHECKING:
    import keras

BINS = 15  # of equal mass, for the calibration error
VALIDATION_COLUMNS = ("mnist", "drawn", "unipen", "refused", "digits_refused")  # to print


def measure(
    classifier: Classifier, set_id: str, pictures: np.ndarray, labels: np.ndarray
) -> list[Figure]:
    """Measure a network on one set.

    Args:
        set_id: the id for the figures.
        pictures: (n, 28, 28) uint8, preprocessed.
        labels: (n,) 0 to 10.

    Returns:
        `count`; for digits `accuracy` (the most probable digit is the label, refused or not),
        `refused` (below the threshold of 60 %) and `calibration_error`, in per cent; for a set
        without any digit `refused` only.
    """
    return describe(set_id, classifier.classify(sets.as_batch(pictures)), labels)


def describe(set_id: str, probabilities: np.ndarray, labels: np.ndarray) -> list[Figure]:
    """The figures of one set, as `measure` returns them, from (n, 10) probabilities of its pictures."""
    confidence = probabilities.max(1)
    refused = 100 * float(is_refused(confidence).mean())
    if (labels == NO_DIGIT).all():
        figures = {"count": len(labels), "refused": refused}
    else:
        correct = probabilities.argmax(1) == labels
        figures = {
            "count": len(labels),
            "accuracy": 100 * float(correct.mean()),
            "refused": refused,
            "calibration_error": 100 * calibration_error(confidence, correct),
        }
    return [Figure(set_id, metric, value) for metric, value in figures.items()]


def calibration_error(
    confidence: np.ndarray, correct: np.ndarray, order: np.ndarray | None = None
) -> float:
    """The expected calibration error: how far the confidence is from the share of correct answers.

    With bins of equal mass (Naeini et al. 2015; Nguyen and O'Connor 2015).

    Args:
        confidence: (n,) probabilities of the answers.
        correct: (n,) bool.
        order: (n,) indices, in whose order the bins are filled; by confidence if it is None.

    Returns:
        0 to 1.
    """
    if order is None:
        order = np.argsort(confidence, kind="stable")
    return sum(
        len(part) / len(order) * abs(float(confidence[part].mean()) - float(correct[part].mean()))
        for part in np.array_split(order, BINS)
        if len(part)
    )


def digit_probabilities(logits: np.ndarray) -> np.ndarray:
    """The softmax of (n, 11) logits, without the eleventh output: (n, 10)."""
    odds = np.exp(logits - logits.max(1, keepdims=True))
    return odds[:, :NO_DIGIT] / odds.sum(1, keepdims=True)


def validate(network: keras.Model) -> dict[str, float]:
    """Measure a network in training on the validation sets, at the threshold of 60 %.

    Args:
        network: gives (n, 11) logits.

    Returns:
        In per cent: the accuracy on each set of digits by its id, `refused` (the mean over the sets
        without digits) and `digits_refused` (the mean over the sets of digits). Sets that were added
        later do not change these means; of each, `ID_refused` says how many are refused.
    """
    row: dict[str, float] = {}
    refused: list[float] = []
    digits_refused: list[float] = []
    for set_id, (pictures, labels) in sets.validation_sets().items():
        logits = network.predict(sets.as_batch(pictures), verbose=0)
        probabilities = digit_probabilities(logits)
        share = is_refused(probabilities.max(1)).mean()
        if labels[0] != NO_DIGIT:
            row[set_id] = 100 * float((probabilities.argmax(1) == labels).mean())
        if set_id in sets.ADDED:
            row[f"{set_id}_refused"] = 100 * float(share)
        else:
            (refused if labels[0] == NO_DIGIT else digits_refused).append(share)
    return row | {
        "refused": 100 * float(np.mean(refused)),
        "digits_refused": 100 * float(np.mean(digits_refused)),
    }
