"""The published demos' networks, each trained by its own recipe on MNIST."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import keras
import numpy as np

from digitre import files
from digitre.recognition.baselines import DEMOS, DemoClassifier
from digitre.training import export, networks
from digitre.training.data import datasets
from digitre.training.data.datasets import NO_DIGIT
from digitre.training.evaluation import report, sets


@dataclass(frozen=True)
class Recipe:
    """How a demo trained its network."""

    network: Callable[[], keras.Sequential]
    optimizer: Callable[[], keras.optimizers.Optimizer]
    batch: int
    epochs: int
    validation: float  # share of the training pictures that is held back
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
) -> dict[str, Any]:
    """Train a demo's network, write its files into `folder`, and return its card.

    Args:
        name: one of `RECIPES`.
        folder: gets `<name>.tflite`, `<name>.json`, and of `mlp-256` also `<name>.npz`.
        epochs, share: fewer epochs, or a part of the pictures, for a trial.
    """
    recipe, demo = RECIPES[name], DEMOS[name]
    keras.utils.set_random_seed(seed)
    folder.mkdir(parents=True, exist_ok=True)
    x, y = _mnist("train", share)
    test_x, test_y = _mnist("test", 1.0)
    network = recipe.network()
    network.compile(recipe.optimizer(), "sparse_categorical_crossentropy", metrics=["accuracy"])
    shown, test_shown = demo.scale(x), demo.scale(test_x)
    before = network.evaluate(test_shown, test_y, verbose=0)
    started = time.monotonic()
    fitted = network.fit(
        shown,
        y,
        batch_size=recipe.batch,
        epochs=epochs or recipe.epochs,
        validation_split=recipe.validation,
        verbose=2,
    )
    seconds = time.monotonic() - started
    after = network.evaluate(test_shown, test_y, verbose=0)
    network.save(folder / "new.keras")
    # Three million weights are a large file to keep for a comparison.
    precision: Literal["half", "single"] = (
        "half" if network.count_params() > 1_000_000 else "single"
    )
    export.to_litert(folder / "new.keras", folder / f"{name}.tflite", "probabilities", precision)
    os.unlink(folder / "new.keras")
    if name == "mlp-256":
        _save_weights(network, folder / f"{name}.npz")
    classifier = DemoClassifier(name, folder)
    named = classifier.classify(test_x).argmax(1)
    card = {
        "model": classifier.model,
        "network": name,
        "published": demo.published,
        "note": recipe.note,
        "seed": seed,
        "epochs": epochs or recipe.epochs,
        "share": share,
        "parameters": network.count_params(),
        "layers": export.layers(network),
        "seconds": seconds,
        "before": {"loss": before[0], "accuracy": before[1]},
        "after": {"loss": after[0], "accuracy": after[1]},
        "history": [
            {key: float(values[epoch]) for key, values in fitted.history.items()}
            for epoch in range(len(fitted.epoch))
        ],
        "confusion": np.histogram2d(test_y, named, bins=(range(11), range(11)))[0]
        .astype(int)
        .tolist(),
        "figures": figures(classifier, drawn=share == 1 and epochs is None),
    }
    files.write_json(folder / f"{name}.json", card)
    return card


def figures(classifier: DemoClassifier, drawn: bool = True) -> dict[str, dict[str, float]]:
    """What it reads of MNIST, of drawn digits in its own way and in today's, and what it refuses."""
    found = {"MNIST test": report.measured(classifier, *datasets.mnist("test"))}
    pen = datasets.pen_digits("test")
    if not (drawn and len(pen)):
        return found
    others = sets.first(datasets.unipen_others("test"), 1500)
    random = np.random.default_rng(0)
    for name, shape in (("today's", None), ("its own", classifier.demo.shape)):
        for title, drawings in (("drawn", pen), ("letters", others)):
            ink = [sets.central(strokes, random) for strokes in drawings.strokes]
            if shape is None:
                pictures, labels = sets.shaped(drawings, sets.central)
            else:
                pictures = np.array([np.rint(255 * shape(each)) for each in ink], np.uint8)
                labels = drawings.labels
            labels = np.full(len(labels), NO_DIGIT) if title == "letters" else labels
            key = f"{title}, {name} preprocessing"
            found[key] = report.measured(classifier, pictures, labels)
    return found


def _mnist(part: datasets.Part, share: float) -> tuple[np.ndarray, np.ndarray]:
    """All 60,000 or 10,000 of them, as the demos have them: (n, 28, 28, 1) in [0, 1]."""
    x, y = datasets.mnist(part)
    if part == "train":
        more_x, more_y = datasets.mnist("validation")
        x, y = np.concatenate([x, more_x]), np.concatenate([y, more_y])
    count = int(len(y) * share)
    return x[:count, :, :, None].astype(np.float32) / 255, y[:count]


def _save_weights(network: keras.Model, file: Path) -> None:
    """Weights and biases of both layers, as arrays."""
    first, bias, second, last_bias = network.get_weights()
    new = file.with_suffix(".new.npz")
    np.savez(new, weights_1=first, biases_1=bias, weights_2=second, biases_2=last_bias)
    os.replace(new, file)
