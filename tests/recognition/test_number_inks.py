"""A number in a screenshot, on lined paper or on a canvas within a page: what is around it is left out."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont
from strokes import DIGITS, drawn

from digitre import Classifier, NumberReading

FONT = ImageFont.load_default(14)


def ink_of(text: str, height: int = 100) -> np.ndarray:
    """Digits next to each other, (height, width) uint8, ink bright."""
    digits = [Image.fromarray(drawn(DIGITS[int(each)], pen=22)) for each in text]
    columns = slice(int(0.15 * height), int(0.85 * height))
    return np.hstack([np.asarray(each.resize((height, height)))[:, columns] for each in digits])


INK = ink_of("4207")
HEIGHT, WIDTH = INK.shape


def put(page: Image.Image, left: int, top: int, ink: np.ndarray = INK, light: bool = False) -> None:
    mask = Image.fromarray(ink)
    page.paste(255 if light else 0, (left, top, left + mask.width, top + mask.height), mask)


def demo_page() -> tuple[Image.Image, int, int]:
    """A heading, a frame, two buttons."""
    page = Image.new("L", (420, 420), 245)
    pen = ImageDraw.Draw(page)
    pen.text((90, 16), "Draw a number here", fill=30, font=FONT)
    pen.rectangle((40, 60, 380, 300), fill=255, outline=120, width=2)
    for k, word in enumerate(("Predict", "Clear")):
        pen.rounded_rectangle((60 + 120 * k, 330, 160 + 120 * k, 362), 6, fill=100)
        pen.text((80 + 120 * k, 338), word, fill=255, font=FONT)
    put(page, 70, 120)
    return page, 70, 120


def phone() -> tuple[Image.Image, int, int]:
    """Bars at the top and the bottom, with words and signs on them."""
    page = Image.new("L", (360, 640), 255)
    pen = ImageDraw.Draw(page)
    pen.rectangle((0, 0, 360, 22), fill=20)
    pen.rectangle((0, 22, 360, 66), fill=90)
    pen.text((16, 36), "Numbers", fill=255, font=FONT)
    pen.rectangle((0, 600, 360, 640), fill=0)
    pen.ellipse((170, 610, 190, 630), outline=255)
    put(page, 35, 260)
    return page, 35, 260


def dark_canvas() -> tuple[Image.Image, int, int]:
    """White on a black canvas on a white page."""
    page = Image.new("L", (460, 420), 255)
    page.paste(0, (60, 90, 400, 330))
    put(page, 80, 150, light=True)
    return page, 80, 150


def drawing_program() -> tuple[Image.Image, int, int]:
    """A canvas on the grey area of a window."""
    page = Image.new("L", (680, 460), 240)
    pen = ImageDraw.Draw(page)
    for k in range(10):
        pen.rectangle((340 + 24 * k, 30, 358 + 24 * k, 48), fill=25 * k, outline=120)
    pen.rectangle((0, 80, 680, 460), fill=205)
    pen.rectangle((6, 86, 420, 400), fill=255)
    put(page, 60, 180)
    return page, 60, 180


def lined_paper() -> tuple[Image.Image, int, int]:
    """A pad with rules and the two lines of a margin, in uneven light."""
    y, x = np.mgrid[:360, :480]
    pad = 225 - 0.06 * x - 0.04 * y
    pad[20::36] -= 40
    pad[:, 40] -= 60
    pad[:, 46] -= 60
    page = Image.fromarray(np.clip(pad, 0, 255).astype(np.uint8))
    put(page, 120, 130)
    return page, 120, 130


def with_scroll_bar() -> tuple[Image.Image, int, int]:
    """A grey thumb on a light track, at the right edge."""
    page = Image.new("L", (460, 300), 255)
    pen = ImageDraw.Draw(page)
    pen.rectangle((446, 0, 460, 300), fill=240)
    pen.rectangle((449, 90, 456, 190), fill=160)
    put(page, 60, 90)
    return page, 60, 90


def in_a_comb() -> tuple[Image.Image, int, int]:
    """A line from edge to edge with short teeth next to the number."""
    page = Image.new("L", (420, 260), 255)
    pen = ImageDraw.Draw(page)
    pen.line((0, 190, 420, 190), fill=60, width=2)
    for x in (50, 350):
        pen.line((x, 120, x, 190), fill=60, width=2)
    put(page, 60, 82)
    return page, 60, 82


def circled() -> tuple[Image.Image, int, int]:
    """A circle around a number that is much smaller."""
    page = Image.new("L", (460, 460), 255)
    ImageDraw.Draw(page).ellipse((30, 40, 430, 420), outline=0, width=8)
    put(page, 90, 180)
    return page, 90, 180


def under_a_shadow() -> tuple[Image.Image, int, int]:
    """A hard shadow, whose edge runs through the number."""
    page = Image.new("L", (460, 320), 225)
    put(page, 80, 110)
    y, x = np.mgrid[:320, :460]
    shaded = np.asarray(page, float) * np.where(x + 0.3 * y > 240, 0.5, 1.0)
    return Image.fromarray(shaded.astype(np.uint8)), 80, 110


def beside_a_pen() -> tuple[Image.Image, int, int]:
    """A pen that lies on the sheet looks like a 1."""
    page = Image.new("L", (520, 420), 225)
    ImageDraw.Draw(page).line((420, 40, 500, 380), fill=90, width=16)
    put(page, 60, 150)
    return page, 60, 150


def with_a_stamp() -> tuple[Image.Image, int, int]:
    """A round stamp below the number looks like a 0."""
    page = Image.new("RGB", (460, 380), "white")
    pen = ImageDraw.Draw(page)
    pen.ellipse((360, 270, 450, 360), fill=(40, 160, 90))
    pen.text((398, 305), "R", fill="white", font=FONT)
    put(page, 60, 90)
    return page, 60, 90


def on_dusty_paper() -> tuple[Image.Image, int, int]:
    """Dark specks on all of the sheet."""
    page = Image.new("L", (460, 320), 225)
    pen = ImageDraw.Draw(page)
    for x, y in np.random.default_rng(3).integers(8, 312, (40, 2)):
        pen.rectangle((int(x), int(y), int(x) + 2, int(y) + 2), fill=120)
    put(page, 80, 110)
    return page, 80, 110


def under_a_ruled_line() -> tuple[Image.Image, int, int]:
    """A line from edge to edge through the number, on a photo."""
    y, x = np.mgrid[:300, :460]
    page = Image.fromarray((230 - 0.05 * x - 0.04 * y).astype(np.uint8))
    ImageDraw.Draw(page).line((0, 170, 460, 170), fill=120, width=3)
    put(page, 80, 110)
    return page, 80, 110


def on_a_round_button() -> tuple[Image.Image, int, int]:
    """White on a coloured disc."""
    page = Image.new("RGB", (460, 460), "white")
    ImageDraw.Draw(page).ellipse((20, 30, 440, 450), fill=(60, 110, 150))
    mask = Image.fromarray(INK)
    page.paste((255, 255, 255), (90, 190, 90 + mask.width, 190 + mask.height), mask)
    return page, 90, 190


def on_wood() -> tuple[Image.Image, int, int]:
    """Dark ink on a grain that is nearly as long as the picture."""
    grain = np.random.default_rng(5).normal(0, 1, (320, 46)).repeat(10, 1)
    page = Image.fromarray(np.clip(175 + 14 * grain, 0, 255).astype(np.uint8))
    put(page, 80, 110)
    return page, 80, 110


def below_a_file_name() -> tuple[Image.Image, int, int]:
    """Small type with digits in it is no number; what is twice as high is."""
    page = Image.new("L", (420, 300), 255)
    ImageDraw.Draw(page).text((14, 14), "img_0041.png", fill=0, font=ImageFont.load_default(26))
    put(page, 60, 120)
    return page, 60, 120


def in_a_selection() -> tuple[Image.Image, int, int]:
    """Within the dashed frame of a selection, near the digits."""
    page = Image.new("L", (420, 300), 255)
    pen = ImageDraw.Draw(page)
    for x in range(50, 375, 8):
        for y in (95, 215):
            pen.line((x, y, x + 4, y), fill=0)
    for y in range(95, 215, 8):
        for x in (50, 374):
            pen.line((x, y, x, y + 4), fill=0)
    put(page, 70, 105)
    return page, 70, 105


def in_a_field() -> tuple[Image.Image, int, int]:
    """In a box, with a label nearly as high as its digits to the left of it."""
    page = Image.new("L", (760, 220), 255)
    pen = ImageDraw.Draw(page)
    pen.text((16, 80), "Rating (0-9)", fill=0, font=ImageFont.load_default(54))
    pen.rectangle((360, 30, 730, 190), outline=0, width=2)
    put(page, 400, 60)
    return page, 400, 60


def beside_punched_holes() -> tuple[Image.Image, int, int]:
    """Four holes along the left side; one of them is level with the digits, and near."""
    page = Image.new("L", (400, 330), 255)
    for top in (40, 110, 180, 250):
        ImageDraw.Draw(page).ellipse((58, top, 72, top + 14), fill=60)
    put(page, 62, 130)
    return page, 62, 130


def below_a_logo() -> tuple[Image.Image, int, int]:
    """A disc with a letter on it, a little higher than the digits."""
    page = Image.new("L", (460, 340), 255)
    pen = ImageDraw.Draw(page)
    pen.ellipse((330, 10, 430, 110), fill=70)
    pen.text((360, 30), "A", fill=255, font=ImageFont.load_default(50))
    put(page, 30, 200)
    return page, 30, 200


@pytest.mark.parametrize(
    "make",
    [
        in_a_selection,
        in_a_field,
        beside_punched_holes,
        below_a_logo,
        on_a_round_button,
        on_wood,
        below_a_file_name,
        demo_page,
        phone,
        dark_canvas,
        drawing_program,
        lined_paper,
        with_scroll_bar,
        in_a_comb,
        circled,
        under_a_shadow,
        beside_a_pen,
        with_a_stamp,
        on_dusty_paper,
        under_a_ruled_line,
    ],
    ids=lambda each: each.__name__,
)
def test_a_number_is_found(
    make: Callable[[], tuple[Image.Image, int, int]], classifier: Classifier
) -> None:
    """All its digits are read, each with its box in the picture's pixels."""
    page, left, top = make()
    reading = classifier.read_number(page)
    assert reading.text == "4207"
    assert reading.reason is None
    lefts = [digit.box[0] for digit in reading.digits]
    assert lefts == sorted(lefts)
    for digit in reading.digits:
        x0, y0, x1, y1 = digit.box
        assert left - 3 <= x0 < x1 <= left + WIDTH + 3
        assert top - 3 <= y0 < y1 <= top + HEIGHT + 3
        assert y1 - y0 > 0.5 * HEIGHT


@pytest.mark.parametrize("mode", ["LA", "RGB", "RGBA", "P", "I;16"])
def test_any_mode_is_searched(mode: str, classifier: Classifier) -> None:
    """A page in colours, with an alpha channel, or of other modes is looked into as a grey one is."""
    page, _, _ = demo_page()
    changed = Image.fromarray(np.asarray(page).astype(np.uint16) * 257) if mode == "I;16" else None
    assert classifier.read_number(changed or page.convert(mode)).text == "4207"


def is_refused(reading: NumberReading) -> bool:
    return reading.reason is not None


def test_what_nothing_explains_is_not_left_out(classifier: Classifier) -> None:
    """Two numbers one above the other, and one that an edge cuts off, are not read as a part of them."""
    page, _, _ = demo_page()
    put(page, 100, 230, ink_of("38", 64))
    assert is_refused(classifier.read_number(page))
    page, _, _ = phone()
    put(page, 60, 420, ink_of("15", 80))
    assert is_refused(classifier.read_number(page))
    page, _, _ = phone()
    put(page, 325, 260, ink_of("8"))  # half of it is outside
    assert is_refused(classifier.read_number(page))


def test_an_empty_page_is_refused(classifier: Classifier) -> None:
    """A page with only headings, frames and bars is refused."""
    for make in (demo_page, phone, dark_canvas, drawing_program, in_a_comb, under_a_shadow):
        page, left, top = make()
        tone = page.getpixel((left - 8, top - 8))
        page.paste(tone, (left, top, left + WIDTH, top + HEIGHT))
        assert is_refused(classifier.read_number(page))


@pytest.mark.parametrize("text", ["4207", "1041", "10", "2171", "11"])
def test_a_picture_that_is_cropped_to_a_number_is_read(text: str, classifier: Classifier) -> None:
    """A digit that touches the edges is no bar of the page, if the picture is cropped to the number."""
    page = Image.new("L", (600, 140), 255)
    put(page, 20, 20, ink_of(text))
    box = Image.eval(page, lambda value: 255 - value).getbbox()
    reading = classifier.read_number(page.crop(box))
    assert (reading.text, reading.reason) == (text, None)


def test_a_number_in_part_is_no_number(classifier: Classifier) -> None:
    """Where a dark corner covers a digit, or an edge cuts one off, what is left is not the answer."""
    page = Image.new("L", (460, 320), 255)
    put(page, 110, 110)
    ImageDraw.Draw(page).polygon([(0, 0), (160, 0), (140, 320), (0, 320)], fill=0)
    assert is_refused(classifier.read_number(page))
    page = Image.new("L", (460, 320), 255)
    put(page, 395, 110, ink_of("8"))
    put(page, 30, 110)
    assert is_refused(classifier.read_number(page.crop((0, 0, 430, 320))))
    page = Image.new("L", (460, 320), 255)
    put(page, 60, 30)
    put(page, 60, 180, ink_of("38"))
    box = Image.eval(page, lambda value: 255 - value).getbbox()
    assert is_refused(classifier.read_number(page.crop((0, 0, 460, box[3]))))


def test_specks_and_borders_change_no_digit(classifier: Classifier) -> None:
    """A digit that touches an edge is read next to a speck; a border around a digit is no 1."""
    page = Image.new("L", (200, 200), 255)
    put(page, 60, 50, ink_of("7", 90))
    box = Image.eval(page, lambda value: 255 - value).getbbox()
    page = page.crop((box[0], 0, 200, 200))
    ImageDraw.Draw(page).ellipse((60, 20, 65, 25), fill=0)
    assert classifier.read_number(page).text == str(classifier.read(page).digit) == "7"
    page = Image.new("L", (140, 140), 255)
    put(page, 30, 20, ink_of("7", 100))
    ImageDraw.Draw(page).rectangle((0, 0, 139, 139), outline=0, width=3)
    reading = classifier.read_number(page)
    assert reading.text == "7" or is_refused(reading)


def test_a_sign_is_no_thing_around_a_number(classifier: Classifier) -> None:
    """A point that is much lower than the digits is left where it is, and read if signs are asked for."""
    page = Image.new("L", (400, 200), 255)
    put(page, 60, 50, ink_of("42"))
    ImageDraw.Draw(page).ellipse((230, 120, 252, 142), fill=0)
    assert classifier.read_number(page, signs=True).text in ("42.", "42,")


def test_rings_in_rings_cost_little(classifier: Classifier) -> None:
    """Each open ring lies around all smaller ones: the cost grows with their number, not with its square."""

    def seconds(count: int) -> float:
        page = Image.new("L", (632, 632), 255)
        for k in range(count):
            reach = 310 - 5 * k
            corners = (316 - reach, 316 - reach, 316 + reach, 316 + reach)
            ImageDraw.Draw(page).arc(corners, 40, 320, fill=0, width=2)
        begin = time.process_time()
        classifier.read_number(page)
        return time.process_time() - begin

    seconds(2)
    assert seconds(50) < 12 * seconds(10)
