"""Average the weights of two networks: `python -m digitre.training.averaging FIRST SECOND SHARE OUTPUT [float32]`.

The average of a network and of one that was trained on from it can be better than both (Izmailov et al. 2018,
"Averaging Weights Leads to Wider Optima and Better Generalization"; Wortsman et al. 2022, "Model soups"). The
folders FIRST and SECOND have `digitre.keras`, `digitre.tflite` and the card `digitre.json`. SHARE is the second
one's, from 0 to 1: choose it on the validation parts, which are printed. OUTPUT gets the network with its card,
without figures: `digitre report --folder OUTPUT` measures it.
"""

from __future__ import annotations

import sys
from pathlib import Path

import keras

from digitre.recognition.classifier import Classifier
from digitre.training import calibration, export, fit
from digitre.training.evaluation import metrics
from digitre.training.reporting.card import new_card, save_card


def average(first: keras.Model, second: keras.Model, share: float) -> keras.Model:
    """A network whose weights lie between those of two, at `share` of the way from the first to the second.

    Raises:
        ValueError: if their layers differ.
    """
    if export.layers(first) != export.layers(second):
        raise ValueError("the networks have different layers")
    network = keras.Sequential.from_config(first.get_config())
    pairs = zip(first.get_weights(), second.get_weights(), strict=True)
    network.set_weights([(1 - share) * one + share * other for one, other in pairs])
    return network


def main(first: Path, second: Path, share: float, output: Path, weights: str = "") -> None:
    """Write the average. Raises ValueError or OSError if a network or its card is missing."""
    networks, cards = [], []
    for folder in (first, second):
        classifier = Classifier(folder / "digitre.tflite")
        networks.append(calibration.load_uncalibrated(classifier))
        card = classifier.card()
        if card is None:
            raise ValueError(f"{folder} has no card for {classifier.model}")
        cards.append(card)
    network = average(networks[0], networks[1], share)
    calibrated = calibration.calibrate(network)
    print(fit.describe(metrics.validate(network)))
    output.mkdir(parents=True, exist_ok=True)
    written = export.save(network, output, eight_bits=weights != export.FLOAT32)
    classifier = Classifier(output / "digitre.tflite")
    before, learned = cards
    settings = fit.Settings(**learned.settings)
    history = learned.history[len(before.history) :]
    card = new_card(classifier, network, settings, history, calibrated, before, written)
    save_card(card, output)
    print(f"{classifier.model}: {written}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3]), Path(sys.argv[4]), *sys.argv[5:])
