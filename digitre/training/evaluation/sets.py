"""The drawings that a network is measured on, and what is measured."""

from __future__ import annotations

import functools
from collections.abc import Callable

import numpy as np

from digitre.recognition import photo
from digitre.recognition.classifier import is_refused
from digitre.recognition.preprocessing import preprocess, shape_ink
from digitre.training.data import augmentation, datasets, synthetic
from digitre.training.data.datasets import NO_DIGIT, Part, Traces
from digitre.training.data.strokes import fit, render

QUICK = ("mnist", "drawn", "unipen", "refused", "digits_refused")
CANVAS = 250

Pictures = tuple[np.ndarray, np.ndarray]  # (n, 28, 28) uint8 and (n,) labels


def central(strokes, random: np.random.Generator, pen: float = 12) -> np.ndarray:
    """A drawing in the middle of the canvas, 60 % of its side."""
    middle = CANVAS / 2
    return render(fit(strokes, 0.6 * CANVAS, middle, middle, flip=True), CANVAS, CANVAS, pen)


def anywhere(strokes, random: np.random.Generator, pen: float = 12) -> np.ndarray:
    """A drawing of 25 to 80 % of the canvas, anywhere on it."""
    size = random.uniform(0.25, 0.8) * CANVAS
    room = (CANVAS - size - pen) / 2
    place = CANVAS / 2 + random.uniform(-room, room, 2)
    return render(fit(strokes, size, *place, flip=True), CANVAS, CANVAS, pen)


def on_paper(strokes, random: np.random.Generator) -> np.ndarray:
    """A drawing as a scan or photo of 28 to 112 pixels, found on its paper again."""
    pen = random.uniform(5, 16)
    small = augmentation.photograph(central(strokes, random, pen), random, (28, 112))
    return photo.find_ink(small)


VIEWS: dict[str, Callable[..., np.ndarray]] = {
    "central": central,
    "anywhere": anywhere,
    "pen 3": functools.partial(central, pen=3),
    "pen 25": functools.partial(central, pen=25),
    "paper": on_paper,
}


def shaped(drawings: Traces, view: Callable[..., np.ndarray], seed: int = 0) -> Pictures:
    """Drawings through one view and the preprocessing, the same for the same seed."""
    random = np.random.default_rng(seed)
    pictures = [augmentation.as_bytes(shape_ink(view(s, random))) for s in drawings.strokes]
    return np.array(pictures, np.uint8).reshape(-1, 28, 28), drawings.labels


def as_shown(picture: np.ndarray) -> np.ndarray:
    return augmentation.as_bytes(preprocess(picture)[0, :, :, 0])


def symbols(part: Part) -> Pictures:
    pictures = [as_shown(picture) for picture in datasets.symbols(part)]
    labels = np.full(len(pictures), NO_DIGIT)
    return np.array(pictures, np.uint8).reshape(-1, 28, 28), labels


def invented(seed: int, count: int = 1000) -> Pictures:
    """Scribbles and shapes of each kind in turn, on a canvas of 250 with a pen of 12."""
    random = np.random.default_rng(seed)
    pictures = []
    for index in range(count):
        strokes = synthetic.KINDS[index % len(synthetic.KINDS)](random)
        size = random.uniform(0.3, 0.8) * CANVAS
        lines = fit(strokes, size, CANVAS / 2, CANVAS / 2)
        pictures.append(augmentation.as_bytes(shape_ink(render(lines, CANVAS, CANVAS, 12))))
    return np.array(pictures), np.full(count, NO_DIGIT)


def pairs(part: Part, count: int = 500) -> Pictures:
    """Two digits of the part's writers side by side."""
    random = np.random.default_rng(3)
    strokes = datasets.pen_digits(part).strokes
    chosen = random.integers(0, len(strokes), (count if strokes else 0, 2))
    both = [synthetic.beside(strokes[a], strokes[b], random) for a, b in chosen]
    return shaped(Traces(both, np.full(len(both), NO_DIGIT)), central)


def first(drawings: Traces, count: int) -> Traces:
    """At most `count` of the drawings, spread evenly."""
    chosen = np.linspace(0, len(drawings) - 1, min(count, len(drawings))).astype(int)
    return Traces([drawings.strokes[i] for i in chosen], drawings.labels[chosen])


SETS = {"mnist", "drawn", "anywhere", "unipen", "others", "symbols", "invented"}


@functools.cache
def validation_sets() -> dict[str, Pictures]:
    """What settings are chosen on: digits of several kinds, and what is no digit."""
    pen, unipen = datasets.pen_digits("validation"), datasets.unipen_digits("validation")
    others = first(datasets.unipen_others("validation"), 2000)
    sets = {
        "mnist": datasets.mnist("validation"),
        "drawn": shaped(pen, central),
        "anywhere": shaped(pen, anywhere),
        "unipen": shaped(unipen, central),
        "others": shaped(others, central),
        "symbols": symbols("validation"),
        "invented": invented(seed=7),
    }
    return {name: pictures for name, pictures in sets.items() if len(pictures[1])}


def digit_probabilities(logits: np.ndarray) -> np.ndarray:
    """The ten digits' part of the softmax of (n, 11) logits: (n, 10)."""
    odds = np.exp(logits - logits.max(1, keepdims=True))
    return odds[:, :NO_DIGIT] / odds.sum(1, keepdims=True)


def quick(network) -> dict[str, float]:
    """Per cent read right of the validation sets, and per cent refused at the threshold of 0.6."""
    row, refused, digits_refused = {}, [], []
    for name, (pictures, labels) in validation_sets().items():
        logits = network.predict(pictures[..., None].astype(np.float32) / 255, verbose=0)
        digits = digit_probabilities(logits)
        below = is_refused(digits.max(1))
        if labels[0] == NO_DIGIT:
            refused.append(below.mean())
        else:
            row[name] = 100 * float((digits.argmax(1) == labels).mean())
            digits_refused.append(below.mean())
    return row | {
        "refused": 100 * float(np.mean(refused)),
        "digits_refused": 100 * float(np.mean(digits_refused)),
    }
