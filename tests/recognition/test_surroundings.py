"""What lies around a digit in a legitimate picture: it is read as if it were not there."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from conftest import png
from PIL import Image, ImageDraw
from strokes import DIGITS, drawn

from digitre import Classifier
from digitre.recognition.preprocessing import preprocess

SIDE, DOWN = 800, 1000


def sheet(digit: int, ground: int = 255, ink: int = 0) -> np.ndarray:
    """(1000, 800) float: a digit of 250 pixels in the middle of a page."""
    cover = np.zeros((DOWN, SIDE))
    cover[375:625, 275:525] = drawn(DIGITS[digit]) / 255
    return ground + (ink - ground) * cover


def photo(page: np.ndarray) -> Image.Image:
    """As a camera sees it: uneven light, grain."""
    light = np.linspace(0, 18, SIDE)[None, :] + np.linspace(-8, 8, DOWN)[:, None]
    grain = np.random.default_rng(3).normal(0, 3, page.shape)
    return Image.fromarray(np.clip(page + light + grain, 0, 255).astype(np.uint8))


def plain(page: np.ndarray) -> Image.Image:
    return Image.fromarray(np.clip(page, 0, 255).astype(np.uint8))


def one_pixel(digit: int) -> Image.Image:
    page = sheet(digit)
    page[3, 3] = 254  # nobody sees it
    return plain(page)


def one_pixel_on_glass(digit: int) -> Image.Image:
    picture = Image.new("RGBA", (SIDE, DOWN))
    picture.putalpha(plain(255 - sheet(digit)))
    picture.putpixel((3, 3), (0, 0, 0, 1))
    return picture


def faint_specks(digit: int) -> Image.Image:
    page, random = sheet(digit), np.random.default_rng(1)
    for x, y in random.integers(10, SIDE - 10, (20, 2)):
        page[y : y + 2, x : x + 2] = random.integers(250, 255)
    return plain(page)


def dust(digit: int) -> Image.Image:
    page = sheet(digit)
    for x, y in ((60, 90), (720, 300), (400, 950)):
        page[y : y + 2, x : x + 2] = 40
    return plain(page)


def shadow(digit: int) -> Image.Image:
    page = sheet(digit, 190, 60)
    page[:, 600:] -= 40
    return photo(page)


def desk(digit: int) -> Image.Image:
    page = sheet(digit, 190, 60)
    page[:, 750:] = 70
    return photo(page)


def slanted_desk(digit: int) -> Image.Image:
    picture = plain(sheet(digit, 190, 60))
    ImageDraw.Draw(picture).polygon([(0, 0), (90, 0), (20, DOWN), (0, DOWN)], 70)
    return photo(np.asarray(picture, float))


def frame(digit: int) -> Image.Image:
    picture = plain(sheet(digit))
    ImageDraw.Draw(picture).rectangle((20, 20, SIDE - 21, DOWN - 21), outline=90, width=2)
    return picture


def round_frame(digit: int) -> Image.Image:
    """As the page's own canvas looks in a picture of the screen."""
    picture = Image.new("L", (SIDE, DOWN), 244)
    draw = ImageDraw.Draw(picture)
    draw.rounded_rectangle((0, 0, SIDE - 1, DOWN - 1), 24, fill=255, outline=200, width=2)
    part = plain(sheet(digit)).crop((275, 375, 525, 625))
    picture.paste(part, (275, 375))
    return picture


def two_edges(digit: int) -> Image.Image:
    picture = plain(sheet(digit))
    ImageDraw.Draw(picture).line([(0, DOWN), (0, 0), (SIDE, 0)], 0, width=8)
    return picture


def white_paint(digit: int) -> Image.Image:
    """Black on glass, and white where somebody took something away."""
    picture = Image.new("RGBA", (SIDE, DOWN))
    picture.putalpha(plain(255 - sheet(digit)))
    ImageDraw.Draw(picture).rectangle((300, 700, 560, 860), fill=(255, 255, 255, 255))
    return picture


AROUND: list[Callable[[int], Image.Image]] = [
    one_pixel,
    one_pixel_on_glass,
    faint_specks,
    dust,
    shadow,
    desk,
    slanted_desk,
    frame,
    round_frame,
    two_edges,
    white_paint,
]


@pytest.mark.parametrize("around", AROUND, ids=lambda each: each.__name__)
def test_what_lies_around_does_not_matter(around, classifier: Classifier) -> None:
    """All ten digits are read; of dust, shadows and desks nothing is left."""
    said = [classifier.read(around(digit)).result for digit in range(10)]
    assert said == list("0123456789")


@pytest.mark.parametrize("around", [shadow, frame, two_edges], ids=lambda each: each.__name__)
def test_files_as_well(around, classifier: Classifier) -> None:
    """As JPEG, whose ripples lie around everything."""
    for digit in (1, 4, 7):
        sent = png(around(digit), "JPEG", quality=85)
        assert classifier.read(sent).digit == digit


def test_a_digit_that_touches_the_edges_is_whole() -> None:
    """Cut out tightly, the top of a 5 runs along the edge: it is no frame and no shadow."""
    for digit in DIGITS:
        ink = drawn(DIGITS[digit])
        rows, columns = np.nonzero(ink > 128)
        tight = ink[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
        difference = preprocess(png(tight)) - preprocess(png(ink))
        assert np.abs(difference).mean() < 0.03, digit


def test_nothing_but_what_lies_around(classifier: Classifier) -> None:
    """A frame without a drawing is no digit."""
    picture = Image.new("L", (SIDE, DOWN), 255)
    ImageDraw.Draw(picture).rectangle((20, 20, SIDE - 21, DOWN - 21), outline=90, width=2)
    assert classifier.read(picture).digit is None
