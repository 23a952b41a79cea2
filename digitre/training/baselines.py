"""Train the published demos' networks, each by its demo's own recipe on MNIST."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import keras
import numpy as np

from digitre import files
from digitre.recognition.baselines import DEMOS, DemoClassifier
from digitre.recognition.card import Baseline, Card, Figures
from digitre.recognition.preprocessing import shape_ink
from digitre.training import export, networks
from digitre.training.data import augmentation, datasets
from digitre.training.data.datasets import NO_DIGIT
from digitre.training.evaluation import metrics, sets


@dataclass(frozen=True)
class Recipe:
    """How a demo trained its network."""

    network: Callable[[], keras.Sequential]
    optimizer: Callable[[], keras.optimizers.Optimizer]
    batch: int
    epochs: int
    validation: float  # the share of the training pictures that is held out
    note: str = ""


RECIPES = {
    "mlp-256": Recipe(networks.mlp_256, lambda: keras.optimizers.SGD(0.3), 200, 10, 0),
    "mlp-3x128": Recipe(networks.mlp_3x128, keras.optimizers.Adam, 32, 4, 0),
    "mlp-2x128": Recipe(networks.mlp_2x128, keras.optimizers.Adam, 32, 3, 0.1),
    "cnn-3x3": Recipe(networks.cnn_3x3, keras.optimizers.Adam, 128, 15, 0.1),
    "digitre-2017": Recipe(
        networks.digitre_2017,
        lambda: keras.optimizers.Adam(1e-3),
        100,
        20,
        0,
        "Adam's rate is 0.001: with the 0.01 of the original it does not learn in every run.",
    ),
}


def train(
    name: str, folder: Path, *, epochs: int | None = None, share: float = 1.0, seed: int = 1
) -> Card:
    """Train a demo's network and measure it.

    Args:
        name: one of `RECIPES`.
        folder: gets `<name>.tflite`, `<name>.json`, and for `mlp-256` also `<name>.npz`.
        epochs, share: fewer epochs, or a part of the training pictures, for a short trial.
        seed: the start of all random numbers.

    Returns:
        The card, as `<name>.json` has it.

    Raises:
        ValueError: if MNIST is not available.
        OSError: if a file cannot be written.
    """
    keras.utils.set_random_seed(seed)
    folder.mkdir(parents=True, exist_ok=True)
    network = RECIPES[name].network()
    outcome, history = _fit(network, name, epochs or RECIPES[name].epochs, share)
    _save(network, name, folder)
    classifier = DemoClassifier(name, folder)
    card = Card(
        model=classifier.model,
        layers=export.layers(network),
        history=history,
        figures=measure(classifier, drawn=share == 1 and epochs is None),
        baseline=Baseline(
            network=name,
            published=DEMOS[name].published,
            note=RECIPES[name].note,
            seed=seed,
            epochs=epochs or RECIPES[name].epochs,
            share=share,
            confusion=_confusion(classifier),
            **outcome,
        ),
    )
    files.write_json(folder / f"{name}.json", card.to_dict())
    return card


def _fit(
    network: keras.Model, name: str, epochs: int, share: float
) -> tuple[dict[str, Any], tuple[dict[str, float], ...]]:
    """Train a network. Returns the card's `seconds`, `before` and `after`, and its history."""
    recipe, scale = RECIPES[name], DEMOS[name].scale
    x, y = _mnist("train", share)
    test_x, test_y = _mnist("test", 1.0)
    x, test_x = scale(x), scale(test_x)
    network.compile(recipe.optimizer(), "sparse_categorical_crossentropy", metrics=["accuracy"])
    before = network.evaluate(test_x, test_y, verbose=0)
    started = time.monotonic()
    result = network.fit(
        x,
        y,
        batch_size=recipe.batch,
        epochs=epochs,
        validation_split=recipe.validation,
        verbose=2,
    )
    seconds = time.monotonic() - started
    after = network.evaluate(test_x, test_y, verbose=0)
    history = tuple(
        {key: float(values[epoch]) for key, values in result.history.items()}
        for epoch in range(len(result.epoch))
    )
    outcome = {
        "seconds": seconds,
        "before": {"loss": before[0], "accuracy": before[1]},
        "after": {"loss": after[0], "accuracy": after[1]},
    }
    return outcome, history


def _save(network: keras.Model, name: str, folder: Path) -> None:
    """Write the LiteRT file, and the weights of `mlp-256` as arrays."""
    # Three million weights make a large file for a comparison.
    precision: Literal["half", "single"] = (
        "half" if network.count_params() > 1_000_000 else "single"
    )
    with tempfile.TemporaryDirectory() as temporary:
        saved = Path(temporary) / "network.keras"
        network.save(saved)
        export.to_litert(saved, folder / f"{name}.tflite", "probabilities", precision)
    if name == "mlp-256":
        first, bias, second, last_bias = network.get_weights()
        with files.replacing(folder / f"{name}.npz") as new:
            np.savez(new, weights_1=first, biases_1=bias, weights_2=second, biases_2=last_bias)


def _confusion(classifier: DemoClassifier) -> list[list[int]]:
    """How many digits of MNIST's test set (row) were read as each digit (column)."""
    x, y = _mnist("test", 1.0)
    predictions = classifier.classify(x).argmax(1)
    counts = np.histogram2d(y, predictions, bins=(range(11), range(11)))[0]
    return counts.astype(int).tolist()


def measure(classifier: DemoClassifier, drawn: bool = True) -> Figures:
    """Measure a demo's network on test sets.

    Args:
        classifier: the network.
        drawn: also measure drawn digits and letters, by the demo's own preprocessing and by today's.
    """
    rows = metrics.measure(classifier, "mnist_test_own", *datasets.mnist("test"))
    pen = datasets.pen_digits("test")
    if drawn and len(pen):
        letters = sets.sample(datasets.unipen_others("test"), 1500)
        none = np.full(len(letters), NO_DIGIT)
        for name, strokes, labels in (
            ("drawn", pen.strokes, pen.labels),
            ("others", letters.strokes, none),
        ):
            inks = [sets.central(each, np.random.default_rng(0)) for each in strokes]
            for way, shape in (("today", shape_ink), ("own", classifier.demo.shape)):
                pictures = np.array([augmentation.as_bytes(shape(ink)) for ink in inks])
                rows += metrics.measure(classifier, f"{name}_{way}", pictures, labels)
    return Figures(tuple(rows))


def _mnist(part: datasets.Part, share: float) -> tuple[np.ndarray, np.ndarray]:
    """All 60,000 or 10,000 pictures, as the demos use them: (n, 28, 28, 1) in [0, 1], and labels."""
    x, y = datasets.mnist(part)
    if part == "train":
        more_x, more_y = datasets.mnist("validation")
        x, y = np.concatenate([x, more_x]), np.concatenate([y, more_y])
    count = int(len(y) * share)
    return x[:count, :, :, None].astype(np.float32) / 255, y[:count]
