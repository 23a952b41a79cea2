"""The accuracy of the shipped network, on drawings that it was not trained on."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT
from PIL import Image
from sklearn.datasets import load_digits

from digitre import Classifier
from digitre.recognition.card import Card, Figures
from digitre.training.evaluation import agreement, report, sets, targets

pytestmark = pytest.mark.slow

# The targets that the network misses, and the least that these figures may be. A network that misses
# another target, or these by more, is not shipped.
MISSED = {
    ("pen_25_test", "accuracy"): 98.8,
    ("others_test", "refused"): 96.1,
    ("symbols_test", "refused"): 92.6,
    ("latex_test", "refused"): 93.6,
    ("cut_digits_test", "refused"): 3.1,
    ("robustness_size", "agreement"): 98.7,
    ("robustness_rotation", "agreement"): 97.4,
    ("robustness_pen", "agreement"): 98.6,
    ("strings_strokes_test", "accuracy"): 91.5,
    ("strings_strokes_test", "answered_accuracy"): 96.2,
    ("strings_strokes_test", "refused"): 9.3,
    ("strings_strokes_test", "calibration_error"): 3.5,
    ("strings_pictures_test", "accuracy"): 91.5,
    ("strings_pictures_test", "answered_accuracy"): 95.8,
    ("strings_pictures_test", "calibration_error"): 3.4,
    ("touching_pictures_test", "accuracy"): 81.0,
    ("signed_strokes_test", "accuracy"): 50,  # of four
    ("signed_pictures_test", "accuracy"): 0,
}


def enlarge(image: np.ndarray, resampling: str) -> np.ndarray:
    """An 8 x 8 digit at 80 x 80, in squares or smooth."""
    small = Image.fromarray(np.rint(image * (255 / 16)).astype(np.uint8))
    return np.asarray(small.resize((80, 80), getattr(Image.Resampling, resampling)))


@pytest.mark.parametrize(
    ("resampling", "least"),
    [("NEAREST", 0.971), ("BICUBIC", 0.9849), ("LANCZOS", 0.985), ("BILINEAR", 0.981)],
)
def test_the_digits_of_scikit_learn_are_read(
    classifier: Classifier, resampling: str, least: float
) -> None:
    """About 98 to 99 % of 1,797 real digits of 8 x 8 pixels are read, enlarged in four ways."""
    digits = load_digits()
    batch = np.concatenate([classifier.preprocess(enlarge(i, resampling)) for i in digits.images])
    assert batch.any((1, 2, 3)).all(), "none is blank"
    assert (classifier.classify(batch).argmax(1) == digits.target).mean() >= least


@pytest.fixture(scope="module")
def card() -> Card:
    card = Classifier().card()
    assert card is not None
    return card


@pytest.fixture(scope="module")
def figures(real_data, card: Card) -> Figures:
    """What the card says, measured again. Sets that were added since have no figures on it."""
    measured = report.evaluate(Classifier())
    known = set(card.figures.sets())
    return Figures(tuple(row for row in measured if row.set in known or row.set not in sets.ADDED))


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_the_figures_are_those_of_the_card(figures: Figures, card: Card) -> None:
    """Each figure of the card is measured again, and none is worse by 0.3 points."""
    without_scenes = [each for each in card.figures.sets() if each not in sets.WITH_SCENES]
    assert figures.sets() == without_scenes
    for set_id in figures.sets():
        row, expected = figures.of(set_id), card.figures.of(set_id)
        if "accuracy" in row:
            assert row["accuracy"] > expected["accuracy"] - 0.3, set_id
            assert row["refused"] < expected["refused"] + 0.3, set_id
            assert row["calibration_error"] < expected["calibration_error"] + 0.3, set_id
        elif "refused" in row:
            assert row["refused"] > expected["refused"] - 0.3, set_id
        elif set_id.startswith("robustness"):
            assert row["agreement"] > expected["agreement"] - 0.3, set_id


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_litert_and_keras_agree_on_mnist(figures: Figures, classifier: Classifier) -> None:
    """The served file and the trained one give the same 10,000 digits, and probabilities within 1e-3; or
    the file has eight bits and keeps what it promises: 99.95 % of all test sets' answers, and more."""
    if agreement.has_eight_bits(classifier):
        limits = [each for each in targets.TARGETS if each.set == agreement.SET]
        assert len(limits) == 3
        assert all(each.is_met(figures) for each in limits)
        return
    row = figures.of("litert_and_keras")
    assert (row["count"], row["agreement"]) == (10_000, 100)
    assert row["max_difference"] < 1e-3


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_a_reading_costs_less_than_in_2017(figures: Figures) -> None:
    """The shipped network is faster than the one of 2017 in the same run, and smaller than 4 MB."""
    row = figures.of("time_against_2017")
    assert row["time_ratio"] < 1
    assert row["megabytes"] < 4


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_targets(figures: Figures) -> None:
    """Each target is met except those in the list, which are missed by no more than it allows."""
    missed = {(target.set, target.metric) for target in targets.missed(figures)}
    left_out = sets.SCENES | (sets.ADDED - set(figures.sets()))
    # One of two: a file with weights in eight bits makes another promise.
    left_out |= {"litert_and_keras", agreement.SET} - set(figures.sets())
    without_scenes = [target for target in targets.TARGETS if target.set not in left_out]
    assert len(targets.measured(figures)) == len(without_scenes)
    assert missed <= MISSED.keys()
    for target in targets.TARGETS:
        bound = MISSED.get((target.set, target.metric))
        if bound is not None:
            value = figures.of(target.set)[target.metric]
            assert value <= bound if target.at_least is None else value >= bound, target


def test_the_card_describes_the_shipped_network(classifier: Classifier, card: Card) -> None:
    """The card has the version of the shipped file; the network has two convolutional layers."""
    assert card.model == classifier.model
    kinds = [layer.layer for layer in card.layers]
    assert kinds.count("Conv2D") == 2
    assert card.layers[-1].output == (11,)
    assert (ROOT / "models" / "digitre.tflite").stat().st_size < 4_000_000


def test_litert_and_keras_agree(classifier: Classifier, tmp_path: Path) -> None:
    """The served file and the trained one give the same probabilities, in eight bits to three hundredths."""
    digits = load_digits()
    batch = np.concatenate(
        [classifier.preprocess(enlarge(i, "BICUBIC")) for i in digits.images[:200]]
    )
    code = (
        "import sys, numpy as np, keras\n"
        "batch = np.load(sys.argv[1])\n"
        "network = keras.models.load_model('models/digitre.keras', compile=False)\n"
        "logits = network.predict(batch, verbose=0)\n"
        "np.save(sys.argv[2], np.exp(logits) / np.exp(logits).sum(1, keepdims=True))\n"
    )
    inputs, outputs = tmp_path / "inputs.npy", tmp_path / "outputs.npy"
    np.save(inputs, batch)
    command = [sys.executable, "-c", code, inputs, outputs]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    near = 0.03 if agreement.has_eight_bits(classifier) else 1e-4
    np.testing.assert_allclose(classifier.classify(batch), np.load(outputs)[:, :10], atol=near)
