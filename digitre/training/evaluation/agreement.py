"""Whether a network in eight bits answers as the trained one does.

`python -m digitre.training.evaluation.agreement FOLDER` compares the two files in a folder, set by set.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from digitre.recognition.card import Figure, Figures
from digitre.recognition.classifier import NO_DIGIT, Classifier, is_refused
from digitre.training.evaluation import sets
from digitre.training.evaluation.limits import LIMITS
from digitre.training.evaluation.metrics import calibration_error, digit_probabilities

if TYPE_CHECKING:
    import keras

SET = "eight_bits"  # the id of the figures, whose limits are in `limits`
# Of one set, as many answers may differ, or this share of it if that is more.
ANSWERS = 2
SHARE = 0.001


@dataclass(frozen=True)
class Row:
    """How two networks read one set.

    Attributes:
        set: its id.
        count: its pictures.
        different: how many get another answer; "Huh..." is an answer as well.
        calibration: by how many points the calibration error grows, 0 for what isn't digits. Both are
            measured in the bins of the trained network, and with its guesses: where all are nearly sure,
            the least change of a probability moves one wrong digit to another bin of its own, which is 0.6
            points of 350 digits; and another guess at one digit, which `different` counts if it is an
            answer, is 0.1 points of 1,000.
        calibration_alone: the same, each measured in its own bins and with its own guesses.
        distance: the largest difference of any probability.
    """

    set: str
    count: int
    different: int
    calibration: float
    calibration_alone: float
    distance: float

    @property
    def is_apart(self) -> bool:
        """Whether more answers differ than in one set may."""
        return self.different > max(ANSWERS, SHARE * self.count)

    def __str__(self) -> str:
        note = "  APART" if self.is_apart else ""
        return (
            f"{self.set:24} {self.count:7,} {self.different:4} different, "
            f"calibration {self.calibration:+.3f} (own bins {self.calibration_alone:+.3f}), "
            f"largest difference {self.distance:.3f}{note}"
        )


def compare(set_id: str, trained: np.ndarray, served: np.ndarray, labels: np.ndarray) -> Row:
    """Compare two networks on one set.

    Args:
        trained, served: (n, 10) probabilities of the digits.
        labels: (n,) 0 to 10.
    """
    grown = alone = 0.0
    if not (labels == NO_DIGIT).all():
        right = trained.argmax(1) == labels
        order = np.argsort(trained.max(1), kind="stable")
        before = calibration_error(trained.max(1), right, order)
        grown = 100 * (calibration_error(served.max(1), right, order) - before)
        own = calibration_error(served.max(1), served.argmax(1) == labels)
        alone = 100 * (own - before)
    different = int((answers(trained) != answers(served)).sum())
    distance = float(np.abs(trained - served).max())
    return Row(set_id, len(labels), different, grown, alone, distance)


def answers(probabilities: np.ndarray) -> np.ndarray:
    """The answers to (n, 10) probabilities: (n,) 0 to 9, and 10 for "Huh..."."""
    return np.where(is_refused(probabilities.max(1)), NO_DIGIT, probabilities.argmax(1))


def figures(rows: Sequence[Row]) -> list[Figure]:
    """What all sets together say.

    Returns:
        `count`; `agreement` (per cent with the same answer); `sets_apart`, how many sets differ by more
        than one may; `calibration_change` (points, the most of any set) and `max_difference` of two
        probabilities.
    """
    count = sum(row.count for row in rows)
    same = count - sum(row.different for row in rows)
    values = {
        "count": count,
        "agreement": 100 * same / max(count, 1),
        "sets_apart": sum(row.is_apart for row in rows),
        "calibration_change": max((abs(row.calibration) for row in rows), default=0.0),
        "max_difference": max((row.distance for row in rows), default=0.0),
    }
    return [Figure(SET, metric, value) for metric, value in values.items()]


def broken(rows: Sequence[Row]) -> str:
    """What is not as `limits` promises, in words; "" if all is."""
    measured = Figures(tuple(figures(rows)))
    return ", ".join(
        f"{limit.metric.replace('_', ' ')} {measured.of(SET)[limit.metric]:.6g} ({limit})"
        for limit in LIMITS
        if limit.set == SET and not limit.is_met(measured)
    )


def on_sets(
    network: keras.Model, classifier: Classifier, named: Iterable[tuple[str, sets.Pictures]]
) -> Iterator[Row]:
    """Compare a trained network, which gives (n, 11) logits, with a served one, set by set."""
    for set_id, (pictures, labels) in named:
        batch = sets.as_batch(pictures)
        yield compare(set_id, predict(network, batch), classifier.classify(batch), labels)


def predict(network: keras.Model, batch: np.ndarray) -> np.ndarray:
    """A trained network's (n, 10) probabilities of (n, 28, 28, 1) pictures; zeros for a blank one."""
    digits = digit_probabilities(network.predict(batch, batch_size=500, verbose=0))
    return np.where(batch.reshape(len(batch), -1).any(1, keepdims=True), digits, 0)


def has_eight_bits(classifier: Classifier) -> bool:
    """Whether the file has weights in eight bits."""
    from ai_edge_litert.interpreter import Interpreter

    tensors = Interpreter(str(classifier.path)).get_tensor_details()
    return any(each["dtype"] == np.int8 for each in tensors)


def main(folder: str) -> None:
    """Print each set's row, then what all say. Ends with 1 if the promise is broken."""
    import keras

    classifier = Classifier(Path(folder) / "digitre.tflite")
    network = keras.models.load_model(Path(folder) / "digitre.keras", compile=False)
    failures = []
    for part in (sets.validation_sets(), sets.test_sets()):
        rows = []
        for row in on_sets(network, classifier, part.items()):
            print(row, flush=True)
            rows.append(row)
        print(", ".join(f"{each.metric} {each.value:.6g}" for each in figures(rows)), flush=True)
        failures.append(broken(rows))
    sys.exit("; ".join(filter(None, failures)) or None)


if __name__ == "__main__":
    main(*sys.argv[1:])
