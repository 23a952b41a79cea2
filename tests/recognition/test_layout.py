"""How the digits of a number stand: in one line, 1s that lean alike, and no pattern."""

from __future__ import annotations

import numpy as np
import pytest
from numbers_drawn import write
from PIL import Image, ImageDraw, ImageFont

from digitre import Classifier
from digitre.recognition.layout import is_as_written, lean
from digitre.recognition.pieces import Piece

# Shapes of straight lines that the network sees 1s in.
SHAPES = {
    "V": [(60, 40), (100, 160), (140, 40)],
    "A": [(60, 160), (100, 40), (140, 160)],
    "M": [(40, 160), (60, 40), (100, 120), (140, 40), (160, 160)],
    "N": [(60, 160), (60, 40), (140, 160), (140, 40)],
    "W": [(40, 40), (70, 160), (100, 60), (130, 160), (160, 40)],
    "tick": [(60, 100), (90, 150), (170, 40)],
}


def sheet(*lines: list[tuple[int, int]], pen: int = 8) -> Image.Image:
    page = Image.new("L", (260, 200), 255)
    for line in lines:
        ImageDraw.Draw(page).line(line, fill=0, width=pen, joint="curve")
    return page


def block(left: int, top: int, width: int = 30, height: int = 60) -> Piece:
    return Piece(np.full((height, width), 255, np.uint8), top, left)


@pytest.mark.parametrize("pen", [5, 9, 14])
@pytest.mark.parametrize("shape", SHAPES)
def test_lines_that_lean_against_each_other_are_no_ones(
    classifier: Classifier, shape: str, pen: int
) -> None:
    """A V, an M or a tick is not a number."""
    reading = classifier.read_number(sheet(SHAPES[shape], pen=pen))
    assert (reading.number, reading.confidence < 0.6) == (None, True)
    assert reading.reason in ("not_a_number", "unsure")


@pytest.mark.parametrize("slant", [-30, 0, 30])
def test_ones_that_lean_alike_are_read(classifier: Classifier, slant: int) -> None:
    """11 is read, upright or slanted."""
    lines = [[(x + slant, 40), (x, 160)] for x in (100, 150)]
    assert classifier.read_number(sheet(*lines)).text == "11"
    assert classifier.read_number(sheet(*lines)).reason is None


def test_small_type_above_a_number_is_no_part_of_it(classifier: Classifier) -> None:
    """The day in the corner of a calendar's cell is in another line than the number in the cell."""
    drawing = write("47").picture
    page = Image.new("L", (drawing.shape[1] + 120, drawing.shape[0] + 40), 255)
    page.paste(Image.fromarray(drawing), (100, 40))
    font = ImageFont.load_default(36)
    ImageDraw.Draw(page).text((20, 10), "26", fill=0, font=font)
    for lines in (False, True):
        reading = classifier.read_number(page, lines=lines)
        assert reading.number in (None, 47)
        assert "26" not in reading.text or reading.reason


def test_the_binding_of_a_notebook_is_no_number(classifier: Classifier) -> None:
    """Thirteen rings with a wire, all alike, are not 6666666666666: what is written below them is read."""
    page = Image.new("L", (520, 420), 250)
    draw = ImageDraw.Draw(page)
    for x in range(20, 520, 40):
        draw.ellipse((x - 9, 10, x + 9, 28), fill=60)
        draw.line((x - 4, 0, x - 4, 16), fill=120, width=2)
    drawing = Image.fromarray(write("787").picture)
    page.paste(drawing, (60, 130), Image.eval(drawing, lambda value: 255 - value))
    reading = classifier.read_number(page)
    assert (reading.text, reading.reason) == ("787", None)


def test_how_digits_stand() -> None:
    """Digits in a row may climb, and a small 0 may stand on the line; one above the others is in no line with them."""
    climbing = [block(40 * k, 200 - 30 * k) for k in range(4)]
    assert is_as_written("2026", climbing)
    assert is_as_written("40", [block(0, 0), block(40, 38, 20, 22)])
    assert not is_as_written("40", [block(0, 40), block(40, 0, 20, 22)])
    assert not is_as_written("26", [block(0, 0), block(40, 70)])
    assert is_as_written("-.", [block(0, 0), block(40, 70)])  # signs stand where they like
    assert is_as_written("", [])


def test_copies_of_one_digit_are_a_pattern() -> None:
    """Seven digits that are all the same have not all one size, if people write them; six may be typed."""
    row = [block(40 * k, 0) for k in range(7)]
    assert not is_as_written("6666666", row)
    assert is_as_written("666666", row[:6])
    assert is_as_written("6666662", row)
    assert is_as_written("6666666", [*row[:6], block(240, 0, 30, 70)])


@pytest.mark.parametrize("degrees", [-40, -10, 0, 10, 40])
def test_how_much_ink_leans(degrees: int) -> None:
    """The angle of a stroke from upright, to half a degree."""
    across = 60 * np.tan(np.radians(degrees))
    page = sheet([(130 - across, 40), (130 + across, 160)])
    ink = 255 - np.asarray(page)
    assert abs(lean(Piece(ink, 0, 0)) - degrees) < 0.5
