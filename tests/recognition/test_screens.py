"""Screenshots and reflections: what a program or a lamp adds to a picture is not read, and hides nothing."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont
from scipy import ndimage
from strokes import DIGITS, drawn

from digitre import Classifier
from digitre.recognition.ink import on_even_ground

SEVEN = drawn(DIGITS[7])  # (250, 250) uint8, ink bright
FONT = ImageFont.load_default(14)


def squares(side: int, light: int, dark: int) -> np.ndarray:
    y, x = np.mgrid[:250, :250] // side
    return np.where((y + x) % 2, light, dark).astype(np.uint8)


def with_seven(ground: np.ndarray) -> Image.Image:
    return Image.fromarray(np.minimum(ground, 255 - SEVEN))


@pytest.mark.parametrize("side", [5, 8, 16])
def test_the_squares_of_transparency_are_ground(side: int, classifier: Classifier) -> None:
    """A digit on the squares that an editor shows is read, in grey and colours; without it there is nothing."""
    ground = squares(side, 255, 204)
    for picture in (with_seven(ground), with_seven(ground).convert("RGB")):
        assert classifier.read(picture).result == "7"
    assert classifier.read(Image.fromarray(ground)).reason == "blank"


def test_only_like_tones_all_around_are_a_ground_of_squares() -> None:
    """Black and white squares are ink, and so are squares on only two sides of the picture."""
    assert on_even_ground(Image.fromarray(squares(10, 255, 204))) is not None
    strong = on_even_ground(Image.fromarray(squares(10, 255, 20)))
    assert strong is None or strong.values.max() > 200
    half = squares(10, 255, 204)
    half[:, 125:] = 255
    ink = on_even_ground(Image.fromarray(half))
    assert ink is None or ink.values.max() == 51


def buttons(pen: ImageDraw.ImageDraw) -> None:
    for left, word in ((20, "Predict"), (140, "Clear")):
        pen.rounded_rectangle((left, 262, left + 100, 297), 6, fill=90)
        pen.text((left + 20, 270), word, fill=255, font=FONT)


def name_line(pen: ImageDraw.ImageDraw) -> None:
    pen.text((8, 4), "Name:", fill=0, font=FONT)
    pen.line((60, 18, 190, 18), fill=0, width=2)


@pytest.mark.parametrize("add", [buttons, name_line], ids=lambda each: each.__name__)
def test_parts_of_a_page_are_left_out(
    add: Callable[[ImageDraw.ImageDraw], None], classifier: Classifier
) -> None:
    """Buttons below a digit, and a word with a line to write on above it, do not belong to it."""
    page = Image.fromarray(255 - np.pad(SEVEN, ((0, 60), (0, 0))))
    add(ImageDraw.Draw(page))
    assert classifier.read(page).result == "7"


def test_a_thick_stroke_next_to_a_digit_is_no_button(classifier: Classifier) -> None:
    """An upright bar by a thicker pen is a 1, so the picture holds two digits."""
    page = Image.fromarray(255 - np.pad(SEVEN, ((0, 0), (0, 120))))
    ImageDraw.Draw(page).rectangle((290, 50, 320, 200), fill=0)
    assert classifier.read(page).digit is None


def test_two_sides_of_a_frame_are_no_7(classifier: Classifier) -> None:
    """Straight thin lines along the top and the right are a canvas's frame; a 7 leans."""
    page = Image.new("L", (300, 300), 40)
    pen = ImageDraw.Draw(page)
    pen.rectangle((75, 60, 225, 210), fill=0)
    pen.line((75, 60, 225, 60, 225, 210), fill=140, width=2)
    assert classifier.read(page).digit is None
    lean = Image.new("L", (300, 300), 40)
    ImageDraw.Draw(lean).line((75, 60, 225, 60, 150, 230), fill=140, width=3)
    assert classifier.read(lean).result == "7"


@pytest.mark.parametrize("width", [18, 30, 45])
def test_a_reflection_is_no_0(width: int, classifier: Classifier) -> None:
    """A lamp's reflection on a board is refused, and does not hide a digit; a camera out of focus does not hide it either."""
    random = np.random.default_rng(width)
    y, x = np.mgrid[:300, :300]
    smears = ndimage.gaussian_filter(random.normal(0, 1, (300, 300)), 14)
    board = 170 + 0.1 * x + 4 * smears / smears.std() + random.normal(0, 1.5, (300, 300))
    lamp = 120 * np.exp(-((x - 235) ** 2 + (y - 240) ** 2) / (2 * width**2))
    lit = Image.fromarray(np.clip(board + lamp, 0, 255).astype(np.uint8))
    assert classifier.read(lit).digit is None
    ink = np.pad(SEVEN, ((0, 50), (0, 50))) / 255
    for blur in (0.7, 2.5):
        page = np.clip((board + lamp) * (1 - 0.7 * ink), 0, 255)
        photo = ndimage.gaussian_filter(page, blur).astype(np.uint8)
        assert classifier.read(Image.fromarray(photo)).result == "7"


def test_a_canvas_in_the_area_of_a_window_is_read(classifier: Classifier) -> None:
    """A drawing program shows a white canvas on a grey area below its tools."""
    window = Image.new("L", (640, 420), 240)
    pen = ImageDraw.Draw(window)
    pen.rectangle((0, 0, 640, 24), fill=255)
    pen.text((8, 4), "Untitled", fill=0, font=FONT)
    for k in range(6):
        pen.rectangle((10 + 40 * k, 36, 40 + 40 * k, 66), outline=150)
    for k in range(12):
        pen.rectangle((340 + 22 * k, 40, 358 + 22 * k, 58), fill=20 * k, outline=120)
    pen.rectangle((0, 90, 640, 420), fill=205)
    window.paste(Image.fromarray(255 - SEVEN), (6, 96))
    assert classifier.read(window).result == "7"


def test_what_is_left_of_a_margin_is_no_1(classifier: Classifier) -> None:
    """The two lines of a pad's margin, which its rules cross, are refused alone, and do not count next to a digit."""
    pad = np.full((360, 300), 225, np.uint8)
    pad[20::36] = pad[21::36] = 180
    pad[:, 30] = pad[:, 35] = 150
    assert classifier.read(Image.fromarray(pad)).digit is None
    ink = np.pad(SEVEN, ((60, 50), (50, 0)))
    assert classifier.read(Image.fromarray(np.minimum(pad, 255 - ink))).result == "7"
