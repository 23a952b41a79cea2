"""Calibration: make a network's probabilities mean what they say, measured on the validation parts."""

from __future__ import annotations

import keras
import numpy as np

from digitre.recognition.classifier import Classifier, is_refused
from digitre.training.data.datasets import NO_DIGIT
from digitre.training.evaluation import metrics, sets
from digitre.training.evaluation.limits import CALIBRATION

# The sets that choose the temperature. A wrong label looks like too much confidence, and UNIPEN has some.
WELL_LABELLED = ("mnist", "drawn", "anywhere")
# Not below 0.5: the validation parts are tidier than what strangers draw, and below it the error
# hardly changes.
TEMPERATURES = np.arange(10, 41) / 20  # 0.5 to 2
OFFSETS = np.arange(30, -31, -1) / 10  # 3 to -3, the largest first

Logits = dict[str, tuple[np.ndarray, np.ndarray]]  # per set: (n, 11) logits and (n,) labels


def calibrate(network: keras.Model) -> dict[str, float]:
    """Calibrate a trained network by a temperature and an offset, which go into its last layer.

    The temperature divides the logits (Guo et al. 2017). It is the lowest one whose calibration error on
    the well-labelled digits is at most a standard error above the least (the rule of one standard error;
    Breiman et al. 1984): the sharper the probabilities, the fewer digits are refused only because two of
    them are likely, which leaves more to the offset. The offset is added to the logit of "not a digit".
    It is the largest one that leaves at most `limits.CALIBRATION` of each set refused. Since both become
    part of the weights, serving has nothing to do.

    Args:
        network: gives (n, 11) logits by a dense layer named `logits`; its weights change.

    Returns:
        `temperature` and `no_digit_offset`.
    """
    logits: Logits = {
        name: (network.predict(sets.as_batch(pictures), verbose=0), labels)
        for name, (pictures, labels) in sets.validation_sets().items()
        if name in CALIBRATION
    }
    for offset in OFFSETS:
        temperature = _temperature(logits, offset)
        if not _refuses_too_many(logits, temperature, offset):
            break
    layer = network.get_layer("logits")
    kernel, bias = layer.get_weights()
    bias = bias / temperature
    bias[NO_DIGIT] += offset
    layer.set_weights([kernel / temperature, bias])
    return {"temperature": float(temperature), "no_digit_offset": float(offset)}


def uncalibrate(network: keras.Model, calibration: dict[str, float]) -> None:
    """Undo `calibrate`, so that training continues from the logits that training produced.

    Args:
        network: a calibrated network; its weights change.
        calibration: what `calibrate` returned.
    """
    layer = network.get_layer("logits")
    kernel, bias = layer.get_weights()
    bias[NO_DIGIT] -= calibration["no_digit_offset"]
    layer.set_weights([part * calibration["temperature"] for part in (kernel, bias)])


def load_uncalibrated(classifier: Classifier) -> keras.Model:
    """The Keras network next to a LiteRT file, without its calibration: to train it further.

    Raises:
        ValueError: if there is no Keras file.
    """
    file = classifier.path.with_suffix(".keras")
    if not file.exists():
        raise ValueError(f"there is no {file} to start from")
    network = keras.models.load_model(file, compile=False)
    card = classifier.card()
    if card and card.calibration:
        uncalibrate(network, card.calibration)
    return network


def _probabilities(logits: np.ndarray, temperature: float, offset: float) -> np.ndarray:
    """The ten digits' probabilities after calibration, (n, 10)."""
    scaled = logits / temperature
    scaled[:, NO_DIGIT] += offset
    return metrics.digit_probabilities(scaled)


def _temperature(logits: Logits, offset: float) -> float:
    """The lowest temperature whose error is at most a standard error above the least."""
    errors, chances = np.transpose([_error(logits, each, offset) for each in TEMPERATURES])
    best = errors.argmin()
    return float(TEMPERATURES[np.argmax(errors <= errors[best] + chances[best])])


def _error(logits: Logits, temperature: float, offset: float) -> tuple[float, float]:
    """The calibration error, the mean over the well-labelled sets, and its standard error."""
    errors, variances = [], []
    for rows, labels in [each for name, each in logits.items() if name in WELL_LABELLED]:
        digits = _probabilities(rows, temperature, offset)
        correct = digits.argmax(1) == labels
        errors.append(metrics.calibration_error(digits.max(1), correct))
        variances.append(correct.var() / len(correct))
    return float(np.mean(errors)), float(np.sum(variances)) ** 0.5 / len(errors)


def _refuses_too_many(logits: Logits, temperature: float, offset: float) -> bool:
    return any(
        is_refused(_probabilities(rows, temperature, offset).max(1)).mean() > CALIBRATION[name]
        for name, (rows, _) in logits.items()
    )
