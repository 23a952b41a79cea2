"""Robustness: whether the answer stays the same if the same drawing is shown in another way."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import numpy as np
from PIL import Image

from digitre.recognition.card import Figure
from digitre.recognition.classifier import Classifier, is_refused
from digitre.recognition.preprocessing import shape_ink
from digitre.training.data import datasets
from digitre.training.data.strokes import Strokes, fit, render
from digitre.training.evaluation.sets import CANVAS, sample

PEN = 12.0  # pixels, as on the page
FORMATS = 300  # drawings that are read in every colour and file format
CORNERS = ((-1, -1), (-1, 1), (1, -1), (1, 1))

# Per figure, the ways to draw that must give the same answer as a drawing in the middle: arguments
# of `draw_ink`.
VARIANTS: dict[str, list[dict[str, Any]]] = {
    "robustness_position": [{"size": 0.5, "place": corner} for corner in CORNERS],
    "robustness_size": [{"size": size} for size in (0.25, 0.4, 0.75, 0.9)],
    "robustness_rotation": [{"degrees": degrees} for degrees in (-10, -5, 5, 10)],
    "robustness_pen": [{"pen": pen} for pen in (3, 6, 20, 30)],
}


def measure(classifier: Classifier) -> list[Figure]:
    """Measure on the test writers' drawings how many have the same answer in all variants.

    Returns:
        For each kind of variants `count` and `agreement` (per cent); empty if the pen traces are
        missing. "Huh..." is an answer as well.
    """
    traces = datasets.pen_digits("test")
    if not len(traces):
        return []
    figures = []
    expected = _answers(classifier, [draw_ink(strokes) for strokes in traces.strokes])
    for set_id, variants in VARIANTS.items():
        same = np.ones(len(expected), bool)
        for variant in variants:
            inks = [draw_ink(strokes, **variant) for strokes in traces.strokes]
            same &= _answers(classifier, inks) == expected
        figures += _agreement(set_id, same)
    chosen = sample(traces, FORMATS).strokes
    same = np.array([len(set(_read_formats(classifier, strokes))) == 1 for strokes in chosen])
    return figures + _agreement("robustness_format", same)


def _agreement(set_id: str, same: np.ndarray) -> list[Figure]:
    share = 100 * float(same.mean())
    return [Figure(set_id, "count", len(same)), Figure(set_id, "agreement", share)]


def draw_ink(
    strokes: Strokes,
    *,
    size: float = 0.6,
    place: tuple[float, float] = (0, 0),
    degrees: float = 0,
    pen: float = PEN,
) -> np.ndarray:
    """Draw strokes on the canvas: (250, 250) uint8 ink.

    Args:
        strokes: arrays (n, 2) of x and y, y upwards.
        size: of the drawing, as a share of the canvas's side.
        place: -1 to 1 from left to right and from top to bottom, 0 for the middle.
        degrees: how far it is turned.
        pen: the pen's width in pixels.
    """
    angle = np.radians(degrees)
    matrix = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    room = (CANVAS - size * CANVAS - pen) / 2
    middle = CANVAS / 2 + np.array(place) * room
    turned = [stroke @ matrix.T for stroke in strokes]
    return render(fit(turned, size * CANVAS, *middle, flip=True), CANVAS, CANVAS, pen)


def _answers(classifier: Classifier, inks: list[np.ndarray]) -> np.ndarray:
    """The answers, 0 to 9, or 10 for "Huh..."."""
    rows = classifier.classify(np.array([shape_ink(ink) for ink in inks])[..., None])
    return np.where(is_refused(rows.max(1)), datasets.NO_DIGIT, rows.argmax(1))


def _read_formats(classifier: Classifier, strokes: Strokes) -> Iterator[str]:
    """The answers to a drawing in several colours, with transparency, and in each file format."""
    ink = Image.fromarray(draw_ink(strokes))
    black_on_white = _paint(ink, (0, 0, 0), (255, 255, 255))
    for picture in (
        black_on_white,
        _paint(ink, (255, 255, 255), (0, 0, 0)),
        _paint(ink, (20, 40, 160), (250, 240, 150)),  # blue on yellow
        _paint(ink, (255, 170, 60), (10, 70, 30)),  # orange on green
    ):
        yield _read(classifier, picture, "PNG")
    transparent = Image.new("RGBA", ink.size, (20, 20, 20, 0))
    transparent.putalpha(ink)
    yield _read(classifier, transparent, "PNG")
    yield _read(classifier, black_on_white, "JPEG", quality=85)
    yield _read(classifier, black_on_white, "WEBP", quality=85)
    yield _read(classifier, black_on_white, "WEBP", lossless=True)
    yield _read(classifier, black_on_white.convert("L"), "PNG")
    yield _read(classifier, black_on_white.convert("P"), "PNG")


Colour = tuple[int, int, int]


def _paint(ink: Image.Image, pen: Colour, ground: Colour) -> Image.Image:
    return Image.composite(Image.new("RGB", ink.size, pen), Image.new("RGB", ink.size, ground), ink)


def _read(classifier: Classifier, picture: Image.Image, file_format: str, **options: Any) -> str:
    packed = io.BytesIO()
    picture.save(packed, file_format, **options)
    return classifier.read(packed.getvalue()).result
