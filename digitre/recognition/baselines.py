"""The published demos that Digitre grew from: their networks, each with its demo's own preprocessing.

`digitre baseline NAME` trains one; the trained ones are in models/demos/. A server uses them for
`POST /_compare` only.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from digitre.recognition import preprocessing
from digitre.recognition.classifier import SHAPE, Classifier, shipped_model
from digitre.recognition.found import Detection
from digitre.recognition.preprocessing import SIDE, Picture

FOLDER = shipped_model().parent / "demos"
MEAN, DEVIATION = 0.1307, 0.3081  # of the pixels of MNIST's training set


def whole_canvas(ink: np.ndarray) -> np.ndarray:
    """Resize the whole canvas: (h, w) uint8 ink to (28, 28) float32 in [0, 1]."""
    small = Image.fromarray(ink).resize((SIDE, SIDE), Image.Resampling.BOX)
    return np.asarray(small, np.float32) / 255


def bounding_box(ink: np.ndarray) -> np.ndarray:
    """Crop to the ink, resize its longer side to 22 pixels, and centre it with a margin of 3 or more.

    (h, w) uint8 ink to (28, 28) float32 in [0, 1].
    """
    cropped = preprocessing.crop(ink)
    pixels = np.zeros((SIDE, SIDE), np.float32)
    if not cropped.size:
        return pixels
    factor = 22 / max(cropped.shape)
    height, width = (max(1, round(factor * length)) for length in cropped.shape)
    small = Image.fromarray(cropped).resize((width, height), Image.Resampling.BILINEAR)
    top, left = (SIDE - height) // 2, (SIDE - width) // 2
    pixels[top : top + height, left : left + width] = np.asarray(small, np.float32) / 255
    return pixels


def crop_and_centre(ink: np.ndarray) -> np.ndarray:
    """Crop, centre by the centre of mass, resize and stretch: today's preprocessing.

    (h, w) uint8 ink to (28, 28) float32 in [0, 1].
    """
    return preprocessing.shape_ink(ink)


def unchanged(pixels: np.ndarray) -> np.ndarray:
    """(n, 28, 28, 1) in [0, 1], unchanged."""
    return pixels


def standardised(pixels: np.ndarray) -> np.ndarray:
    """Subtract the mean of MNIST's training pixels, and divide by their standard deviation."""
    return ((pixels - MEAN) / DEVIATION).astype(np.float32)


def unit_rows(pixels: np.ndarray) -> np.ndarray:
    """Divide each row of each picture by its Euclidean length, as `keras.utils.normalize` does."""
    lengths = np.sqrt((pixels**2).sum(axis=2, keepdims=True))
    return (pixels / np.where(lengths == 0, 1, lengths)).astype(np.float32)


@dataclass(frozen=True)
class Demo:
    """A demo's preprocessing, and the accuracy on MNIST's test set that it published.

    Attributes:
        shape: from the canvas's ink, (h, w) uint8, to (28, 28) float32 in [0, 1].
        scale: from (n, 28, 28, 1) of those to the network's input.
        published: per cent, as text, since some are a range.
    """

    shape: Callable[[np.ndarray], np.ndarray]
    scale: Callable[[np.ndarray], np.ndarray]
    published: str


DEMOS = {
    "mlp-256": Demo(bounding_box, standardised, "98.11"),
    "mlp-3x128": Demo(whole_canvas, unit_rows, "about 97"),
    "mlp-2x128": Demo(whole_canvas, unchanged, "97.4 to 98.1"),
    "cnn-3x3": Demo(whole_canvas, unchanged, "99.20"),
    "digitre-2017": Demo(crop_and_centre, unchanged, "98.92"),
}


class DemoClassifier(Classifier):
    """A demo's network with the interface of `Classifier`. It has no output for "not a digit".

    Args:
        name: one of `DEMOS`.
        folder: the folder with its LiteRT file.

    Raises:
        ValueError: if the name is not one of `DEMOS`.
        FileNotFoundError: if the network was not trained yet.
    """

    def __init__(self, name: str, folder: Path = FOLDER) -> None:
        if name not in DEMOS:
            raise ValueError(f"there is no network named {name}: choose from {', '.join(DEMOS)}")
        super().__init__(folder / f"{name}.tflite")
        self.demo = DEMOS[name]

    def detect(self, picture: Picture) -> Detection:
        """The one reading that this demo's preprocessing gives."""
        return self.detect_ink(preprocessing.decode(picture))

    def detect_ink(self, ink: np.ndarray) -> Detection:
        """`detect` for the ink of a whole canvas: (h, w) uint8, ink bright, as `preprocessing.decode` returns it."""
        pixels = self.demo.shape(ink)
        return Detection(ink, pixels, self.classify(pixels[None, :, :, None])[0].tolist())

    def detect_all(self, pictures: Sequence[Any]) -> list[Detection]:
        """`detect` for many pictures."""
        return [self.detect(picture) for picture in pictures]

    def _scaled(self, pixels: np.ndarray) -> np.ndarray:
        return self.demo.scale(pixels)


def load_all(folder: Path) -> dict[str, DemoClassifier]:
    """The demos' networks whose files are in a folder, by name, in the order of `DEMOS`.

    They are ready to read in this thread. One that does not work is left out, and the log says why.
    """
    networks = {}
    for name in DEMOS:
        if not (folder / f"{name}.tflite").is_file():
            continue
        try:
            network = DemoClassifier(name, folder)
            rows = network.classify(np.ones((1, *SHAPE), np.float32))  # packs the weights
            if rows.shape != (1, 10) or not np.isfinite(rows).all():
                raise ValueError(f"{network.path} does not answer with ten probabilities")
        except (OSError, ValueError, RuntimeError) as error:
            logging.getLogger(__name__).warning(
                "the demo's network %s is left out: %s", name, error
            )
        else:
            networks[name] = network
    return networks


def from_npz(file: Path) -> Callable[[np.ndarray], np.ndarray]:
    """The network of `mlp-256.npz` as a function, with NumPy only.

    Returns:
        A function from (n, 28, 28, 1) float32, standardised, to (n, 10) probabilities.
    """
    with np.load(file) as arrays:
        weights = [(arrays[f"weights_{k}"], arrays[f"biases_{k}"]) for k in (1, 2)]

    def classify(pixels: np.ndarray) -> np.ndarray:
        (first, bias), (second, last_bias) = weights
        hidden = np.maximum(pixels.reshape(len(pixels), -1) @ first + bias, 0)
        logits = hidden @ second + last_bias
        odds = np.exp(logits - logits.max(1, keepdims=True))
        return odds / odds.sum(1, keepdims=True)

    return classify
