"""A digit or a number on an area of any shape: a round button, a speech bubble, a sticker."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from numbers_drawn import write
from PIL import Image, ImageDraw
from strokes import DIGITS, drawn

from digitre import Classifier
from digitre.recognition.areas import find_area, is_area, map_on_area, without_outline
from digitre.recognition.maps import even_maps
from digitre.training.data import synthetic
from digitre.training.data.strokes import fit, render

SIDE = 320
WHITE, BLACK = (255, 255, 255), (0, 0, 0)


def bubble(pen: ImageDraw.ImageDraw) -> None:
    """A white speech bubble with a thin black line around it and its tail."""
    pen.polygon([(120, 250), (80, 310), (160, 262)], fill=WHITE, outline=BLACK)
    pen.ellipse((30, 20, 290, 270), fill=WHITE, outline=BLACK, width=3)
    pen.polygon([(124, 246), (86, 302), (156, 256)], fill=WHITE)


def button(pen: ImageDraw.ImageDraw) -> None:
    pen.ellipse((20, 20, 300, 300), fill=(20, 90, 160))


def sticker(pen: ImageDraw.ImageDraw) -> None:
    """A pale star with many rays."""
    turns = [math.pi * k / 14 for k in range(28)]
    rays = [150 if k % 2 else 120 for k in range(28)]
    star = [
        (160 + ray * math.cos(turn), 160 + ray * math.sin(turn))
        for ray, turn in zip(rays, turns, strict=True)
    ]
    pen.polygon(star, fill=(245, 240, 225))


AREAS: dict[str, tuple[Callable[[ImageDraw.ImageDraw], None], tuple[int, int, int]]] = {
    "bubble": (bubble, BLACK),
    "button": (button, WHITE),
    "sticker": (sticker, (120, 20, 20)),
}


def picture(name: str, ink: np.ndarray | None) -> Image.Image:
    """A picture of an area with ink in its middle, at most 130 pixels a side."""
    shape, colour = AREAS[name]
    page = Image.new("RGB", (SIDE, SIDE), (205, 225, 245))
    shape(ImageDraw.Draw(page))
    if ink is not None:
        mask = Image.fromarray(ink)
        mask = mask.crop(mask.getbbox())
        mask.thumbnail((130, 130))
        middle = 145 if name == "bubble" else 160
        place = (160 - mask.width // 2, middle - mask.height // 2)
        page.paste(Image.new("RGB", mask.size, colour), place, mask)
    return page


@pytest.mark.parametrize("digit", [0, 2, 4, 7])
@pytest.mark.parametrize("name", AREAS)
def test_a_digit_on_an_area_is_read(classifier: Classifier, name: str, digit: int) -> None:
    """The area, its line and its tail are left out."""
    reading = classifier.read(picture(name, drawn(DIGITS[digit])))
    assert (reading.result, reading.reason) == (str(digit), None)


@pytest.mark.parametrize("name", AREAS)
def test_a_number_on_an_area_is_read(classifier: Classifier, name: str) -> None:
    """The same for a number."""
    reading = classifier.read_number(picture(name, 255 - write("47").picture))
    assert (reading.text, reading.reason) == ("47", None)


@pytest.mark.parametrize("name", AREAS)
def test_an_empty_area_is_no_digit(classifier: Classifier, name: str) -> None:
    """Its outline is no 0."""
    assert classifier.read(picture(name, None)).digit is None
    assert classifier.read_number(picture(name, None)).number is None


def test_the_map_of_an_area_has_its_ink_alone() -> None:
    """What differs from the area's tone, without the line around it and what lies outside."""
    seven = picture("bubble", drawn(DIGITS[7]))
    maps, _ = even_maps(seven)
    found = find_area(maps)
    assert found is not None
    inked = map_on_area(seven, *found).ink > 0
    dark = np.asarray(seven.convert("L")) < 245
    inner = dark & (np.hypot(*(np.mgrid[:SIDE, :SIDE] - 150)) < 100)
    assert inner.any()
    assert (inked & ~inner).sum() < 0.1 * inner.sum()
    assert (inked & inner).sum() > 0.9 * inner.sum()
    strong = [each for each in maps if each.name.startswith("strong")]
    assert strong
    cleaned = without_outline(strong[0], found[1]).components.all
    assert all(each.extent < 150 for each in cleaned)


def test_strokes_are_no_area() -> None:
    """A faint disc with strong ink on it is an area; a ring, a stroke, a frame and a blot are none."""
    rows, columns = np.mgrid[:100, :100] - 49.5
    radius = np.hypot(rows, columns)
    line = np.abs(columns) < 4  # a 1 on each of them

    def faint(part: np.ndarray) -> np.ndarray:
        return np.where(line, 255, 60).astype(np.uint8) * part

    assert is_area(faint(radius < 49))
    assert not is_area((radius < 49) * np.uint8(255))
    assert not is_area(faint((radius < 49) & (radius > 30)))
    assert not is_area(faint(np.abs(columns) < 14)[:, 35:65])
    frame = np.ones((100, 100), bool)
    frame[12:-12, 12:-12] = False
    assert not is_area(faint(frame))


def test_a_dense_scribble_is_no_area(classifier: Classifier) -> None:
    """Digitre does not read its white gaps as a digit."""
    random = np.random.default_rng(5)
    for _ in range(60):
        strokes = fit(synthetic.any_kind(random), 90, 125, 125)
        assert classifier.read(255 - render(strokes, 250, 250, 9)).confidence < 0.9
