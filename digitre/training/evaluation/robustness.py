"""Whether the answer stays the same when the same drawing is shown in another way."""

from __future__ import annotations

import io
from collections.abc import Iterator

import numpy as np
from PIL import Image

from digitre.recognition.classifier import Classifier, is_refused
from digitre.recognition.preprocessing import shape_ink
from digitre.training.data import datasets
from digitre.training.data.strokes import fit, render
from digitre.training.evaluation import sets

CANVAS = sets.CANVAS
PEN = 12.0
TURNS = (-10, -5, 5, 10)  # degrees
SIZES = (0.25, 0.4, 0.75, 0.9)  # of the canvas's side
PENS = (3, 6, 20, 30)  # pixels
PLACES = ((-1, -1), (-1, 1), (1, -1), (1, 1))  # the canvas's corners
PACKED = 300  # drawings that are packed in each format


def measured(classifier: Classifier) -> dict[str, dict[str, float]]:
    """The share of test writers' drawings whose answer is the same in every way of a kind.

    Returns:
        per kind: `pictures`, and `same` in per cent. None where the traces are missing.
    """
    drawings = datasets.pen_digits("test")
    if not len(drawings):
        return {}
    base = _answers(classifier, [_shown(strokes) for strokes in drawings.strokes])
    rows = {}
    for kind, ways in _ways().items():
        same = np.ones(len(base), bool)
        for way in ways:
            shown = [_shown(strokes, **way) for strokes in drawings.strokes]
            same &= _answers(classifier, shown) == base
        rows[f"steady: {kind}"] = {"pictures": len(base), "same": 100 * float(same.mean())}
    chosen = sets.first(drawings, PACKED).strokes
    same_packed = [len(set(_read_packed(classifier, strokes))) == 1 for strokes in chosen]
    rows["steady: colours, transparency, formats"] = {
        "pictures": len(chosen),
        "same": 100 * float(np.mean(same_packed)),
    }
    return rows


def _ways() -> dict[str, list[dict]]:
    return {
        "moved into each corner": [{"size": 0.5, "place": place} for place in PLACES],
        "25 to 90 % of the canvas": [{"size": size} for size in SIZES],
        "turned by up to 10 degrees": [{"turn": turn} for turn in TURNS],
        "pen of 3 to 30": [{"pen": pen} for pen in PENS],
    }


def _shown(
    strokes, *, size: float = 0.6, place: tuple = (0, 0), turn: float = 0, pen: float = PEN
) -> np.ndarray:
    return shape_ink(_ink(strokes, size, place, turn, pen))


def _ink(strokes, size=0.6, place=(0, 0), turn=0.0, pen=PEN) -> np.ndarray:
    angle = np.radians(turn)
    matrix = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    room = (CANVAS - size * CANVAS - pen) / 2
    middle = CANVAS / 2 + np.array(place) * room
    turned = [stroke @ matrix.T for stroke in strokes]
    return render(fit(turned, size * CANVAS, *middle, flip=True), CANVAS, CANVAS, pen)


def _answers(classifier: Classifier, shown: list[np.ndarray]) -> np.ndarray:
    """0 to 9, or 10 where the answer is "Huh..."."""
    rows = classifier.classify(np.array(shown)[..., None])
    return np.where(is_refused(rows.max(1)), datasets.NO_DIGIT, rows.argmax(1))


def _read_packed(classifier: Classifier, strokes) -> Iterator[str]:
    """What the drawing is read as in several colours, on glass, and in each format."""
    cover = Image.fromarray(_ink(strokes))
    clear = Image.new("RGBA", cover.size, (20, 20, 20, 0))
    clear.putalpha(cover)
    paints = {
        "black on white": _painted(cover, (0, 0, 0), (255, 255, 255)),
        "white on black": _painted(cover, (255, 255, 255), (0, 0, 0)),
        "blue on yellow": _painted(cover, (20, 40, 160), (250, 240, 150)),
        "orange on green": _painted(cover, (255, 170, 60), (10, 70, 30)),
    }
    for picture in paints.values():
        yield _read(classifier, picture, "PNG")
    yield _read(classifier, clear, "PNG")
    white = paints["black on white"]
    yield _read(classifier, white, "JPEG", quality=85)
    yield _read(classifier, white, "WEBP", quality=85)
    yield _read(classifier, white, "WEBP", lossless=True)
    yield _read(classifier, white.convert("L"), "PNG")
    yield _read(classifier, white.convert("P"), "PNG")


def _painted(cover: Image.Image, pen: tuple, ground: tuple) -> Image.Image:
    return Image.composite(
        Image.new("RGB", cover.size, pen), Image.new("RGB", cover.size, ground), cover
    )


def _read(classifier: Classifier, picture: Image.Image, kind: str, **options) -> str:
    packed = io.BytesIO()
    picture.save(packed, kind, **options)
    return classifier.read(packed.getvalue()).result
