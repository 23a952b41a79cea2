"""A sheet in a photo: seen at an angle, under a shadow, held by a finger; what looks like one, and is none."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageDraw
from scipy import ndimage
from strokes import DIGITS, drawn

from digitre import Classifier
from digitre.recognition.areas import is_broad
from digitre.recognition.insets import find_insets
from digitre.recognition.maps import InkMap
from digitre.training.evaluation.scenes import insets
from digitre.training.evaluation.scenes.drawing import Writing

SEVEN = drawn(DIGITS[7])
ANGLES = [
    ((40, 30), (230, 10), (290, 270), (15, 240)),
    ((70, 60), (290, 20), (250, 280), (10, 230)),
    ((90, 20), (210, 20), (295, 285), (5, 285)),
]


def photo_of(corners: tuple[tuple[int, int], ...], desk: int = 70, paper: int = 220) -> Image.Image:
    """A sheet with a 7 in its middle, on a desk."""
    picture = Image.new("L", (300, 300), desk)
    ImageDraw.Draw(picture).polygon(corners, fill=paper)
    ink = Image.fromarray(SEVEN).resize((150, 150))
    pixels = np.asarray(picture, float)
    pixels[75:225, 75:225] *= 1 - 0.8 * np.asarray(ink, float) / 255
    random = np.random.default_rng(1)
    return Image.fromarray(np.clip(pixels + random.normal(0, 2, (300, 300)), 0, 255).astype("u1"))


@pytest.mark.parametrize("corners", ANGLES)
def test_a_sheet_seen_at_an_angle_is_read(corners, classifier: Classifier) -> None:
    """Also where a shadow falls across the sheet and the desk. A number is read as well."""
    photo = photo_of(corners)
    (sheet, *_) = find_insets(photo, drawn=False)
    left, top = np.min(corners, axis=0)
    assert abs(sheet.left - left) < 12
    assert abs(sheet.top - top) < 12
    assert classifier.read(photo).digit == 7
    assert classifier.read_number(photo).text == "7"
    shade = 1 - 0.4 / (1 + np.exp((np.arange(300) - 140) / 6))
    assert classifier.read(Image.fromarray((np.asarray(photo) * shade).astype("u1"))).digit == 7


def test_what_holds_a_sheet_is_left_out(classifier: Classifier) -> None:
    """A finger from the side; but a bar along a whole side belongs to a window, and is not cut off."""
    photo = photo_of(((40, 40), (260, 40), (260, 260), (40, 260)))
    ImageDraw.Draw(photo).ellipse((-60, 180, 70, 225), fill=160)
    (sheet, *_) = find_insets(photo, drawn=False)
    assert sheet.left >= 30
    assert classifier.read(photo).digit == 7
    window = Image.new("L", (300, 300), 90)
    pen = ImageDraw.Draw(window)
    pen.rectangle((0, 0, 240, 240), fill=240)
    pen.rectangle((240, 0, 299, 40), fill=240)
    assert all(each.image.width > 240 for each in find_insets(window, drawn=False))


def test_a_light_is_no_sheet() -> None:
    """What a light makes brighter has no sharp sides; a sheet seen at an angle has."""
    shape = Image.new("L", (300, 300), 90)
    ImageDraw.Draw(shape).polygon(((90, 40), (210, 40), (270, 260), (30, 260)), fill=190)
    soft = ndimage.gaussian_filter(np.asarray(shape, float), 20).astype("u1")
    assert find_insets(Image.fromarray(soft), drawn=False) == []
    assert len(find_insets(shape, drawn=False)) == 1


def test_the_paper_between_two_digits_is_no_sheet(classifier: Classifier) -> None:
    """A picture that is cropped to three digits is not read as the one in the middle."""
    digits = np.concatenate([drawn(DIGITS[each])[40:210, 60:200] for each in (9, 2, 7)], 1)
    photo = Image.fromarray((200 - 0.6 * digits).astype("u1"))
    assert classifier.read(photo).reason == "several"
    assert find_insets(photo, drawn=False) == []


def test_a_speck_in_the_loop_of_an_8_makes_no_stamp_of_it() -> None:
    """But a letter in a ring does."""
    rows, columns = np.mgrid[:200, :200] - 99.5
    ring = np.abs(np.hypot(rows, columns) - 70) < 6
    speck, letter = ring.copy(), ring.copy()
    speck[98:102, 98:102] = True
    letter[80:120, 90:110] = True
    assert InkMap("ring", speck * np.uint8(255)).marks == []
    assert len(InkMap("ring", letter * np.uint8(255)).marks) == 1


def test_a_logo_is_not_the_number_next_to_it(classifier: Classifier) -> None:
    """The letter in a disc is not read instead of the digits next to it."""
    picture = Image.new("RGB", (400, 200), "white")
    pen = ImageDraw.Draw(picture)
    pen.ellipse((10, 120, 80, 190), fill=(90, 90, 130))
    pen.line([(28, 175), (45, 135), (62, 175)], "white", 5)
    pen.line([(34, 162), (56, 162)], "white", 5)
    for place, digit in ((150, 6), (280, 3)):
        ink = Image.fromarray(255 - drawn(DIGITS[digit])).resize((120, 120)).convert("RGB")
        picture.paste(ink, (place, 20))
    reading = classifier.read_number(picture)
    assert reading.text == "63" or reading.reason is not None


def test_broad_ink_is_looked_into() -> None:
    """A sheet with something on it is broader than any stroke; a digit by a thick pen is not."""
    sheet = np.full((200, 240), 200, np.uint8)
    sheet[:60, :60] = 0
    assert is_broad(sheet)
    assert not is_broad(SEVEN)


@pytest.mark.parametrize("draw", [insets.at_an_angle, insets.shared_shadow, insets.held])
def test_the_scenes_are_read(draw, classifier: Classifier) -> None:
    """Of ten sevens at least eight are read, and none as another digit."""
    seven = Writing([[np.asarray(each, float) * (1, -1) for each in DIGITS[7]]])
    digits = [classifier.read(draw(seven, np.random.default_rng(k))).digit for k in range(10)]
    assert set(digits) <= {7, None}
    assert digits.count(7) >= 8
