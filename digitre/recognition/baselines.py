"""The published demos that Digitre grew from: each one's network, read through its own preprocessing.

`digitre train --network NAME` trains one anew; those in models/demos/ came of that. Serving uses none
of this.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from digitre.recognition import preprocessing
from digitre.recognition.classifier import Classifier, shipped_model
from digitre.recognition.preprocessing import SIDE, Picture

FOLDER = shipped_model().parent / "demos"
MEAN, DEVIATION = 0.1307, 0.3081  # of MNIST's training pixels


def whole_canvas(ink: np.ndarray) -> np.ndarray:
    """The canvas as it is, brought to 28 x 28: (h, w) uint8 to (28, 28) float32 in [0, 1]."""
    small = Image.fromarray(ink).resize((SIDE, SIDE), Image.Resampling.BOX)
    return np.asarray(small, np.float32) / 255


def bounding_box(ink: np.ndarray) -> np.ndarray:
    """The ink's box, its longer side brought to 22 pixels, with 3 or more around it."""
    cut = preprocessing.crop(ink)
    pixels = np.zeros((SIDE, SIDE), np.float32)
    if not cut.size:
        return pixels
    factor = 22 / max(cut.shape)
    height, width = (max(1, round(factor * length)) for length in cut.shape)
    small = Image.fromarray(cut).resize((width, height), Image.Resampling.BILINEAR)
    top, left = (SIDE - height) // 2, (SIDE - width) // 2
    pixels[top : top + height, left : left + width] = np.asarray(small, np.float32) / 255
    return pixels


def crop_and_centre(ink: np.ndarray) -> np.ndarray:
    """The ink cropped, centred on its centre of mass, resized and min-max scaled."""
    return preprocessing.shape_ink(ink)


def as_it_is(pixels: np.ndarray) -> np.ndarray:
    """(n, 28, 28, 1) in [0, 1], unchanged."""
    return pixels


def standardised(pixels: np.ndarray) -> np.ndarray:
    """With the mean and the deviation of MNIST's training pixels taken out."""
    return ((pixels - MEAN) / DEVIATION).astype(np.float32)


def unit_rows(pixels: np.ndarray) -> np.ndarray:
    """Each row of each picture brought to length one, as `keras.utils.normalize` does."""
    lengths = np.sqrt((pixels**2).sum(axis=2, keepdims=True))
    return (pixels / np.where(lengths == 0, 1, lengths)).astype(np.float32)


@dataclass(frozen=True)
class Demo:
    """How a demo's pictures come to its network, and the accuracy on MNIST's test set that it says.

    Attributes:
        shape: ink, as the canvas has it, to (28, 28) float32 in [0, 1].
        scale: (n, 28, 28, 1) of those to what the network takes.
        published: per cent, in words where it is a range.
    """

    shape: Callable[[np.ndarray], np.ndarray]
    scale: Callable[[np.ndarray], np.ndarray]
    published: str


DEMOS = {
    "mlp-256": Demo(bounding_box, standardised, "98.11"),
    "mlp-3x128": Demo(whole_canvas, unit_rows, "about 97"),
    "mlp-2x128": Demo(whole_canvas, as_it_is, "97.4 to 98.1"),
    "cnn-3x3": Demo(whole_canvas, as_it_is, "99.20"),
    "digitre-2017": Demo(crop_and_centre, as_it_is, "98.92"),
}


class DemoClassifier(Classifier):
    """A demo's network behind the interface of `Classifier`; it has no "no digit".

    Args:
        name: one of `DEMOS`.
        folder: where its LiteRT file is.

    Raises:
        ValueError: for another name.
        FileNotFoundError: where the network was not trained yet.
    """

    def __init__(self, name: str, folder: Path = FOLDER) -> None:
        if name not in DEMOS:
            raise ValueError(f"there is no network {name}: choose from {', '.join(DEMOS)}")
        super().__init__(folder / f"{name}.tflite")
        self.demo = DEMOS[name]

    def preprocess(self, picture: Picture) -> np.ndarray:
        """Any accepted picture to (1, 28, 28, 1) float32, as this demo does it."""
        return self.demo.shape(preprocessing.decode(picture))[None, :, :, None]

    def _scaled(self, pixels: np.ndarray) -> np.ndarray:
        return self.demo.scale(pixels)


def card(name: str, folder: Path = FOLDER) -> dict[str, Any]:
    """What is known of a demo's network, empty where it was not trained."""
    try:
        return json.loads((folder / f"{name}.json").read_text())
    except (OSError, ValueError):
        return {}


def from_npz(file: Path) -> Callable[[np.ndarray], np.ndarray]:
    """The weights and biases of `mlp-256.npz` as a function, in NumPy alone.

    Returns:
        (n, 28, 28, 1) float32, standardised, to (n, 10) probabilities.
    """
    with np.load(file) as saved:
        weights = [(saved[f"weights_{k}"], saved[f"biases_{k}"]) for k in (1, 2)]

    def classify(pixels: np.ndarray) -> np.ndarray:
        (first, bias), (second, last_bias) = weights
        hidden = np.maximum(pixels.reshape(len(pixels), -1) @ first + bias, 0)
        logits = hidden @ second + last_bias
        odds = np.exp(logits - logits.max(1, keepdims=True))
        return odds / odds.sum(1, keepdims=True)

    return classify
