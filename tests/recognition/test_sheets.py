"""A sheet in a photo: seen at an angle, under a shadow, held by a finger; its sides; what looks like one, and is none."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageDraw
from scipy import ndimage
from strokes import DIGITS, drawn

from digitre import Classifier
from digitre.recognition.areas import is_broad
from digitre.recognition.detection import find_rival
from digitre.recognition.hypotheses import Hypothesis
from digitre.recognition.insets import find_insets
from digitre.recognition.maps import InkMap
from digitre.recognition.sides import find_sides, without_sides
from digitre.training.evaluation.scenes import insets
from digitre.training.evaluation.scenes.drawing import Writing

SEVEN = drawn(DIGITS[7])
ANGLES = [
    ((40, 30), (230, 10), (290, 270), (15, 240)),
    ((70, 60), (290, 20), (250, 280), (10, 230)),
    ((90, 20), (210, 20), (295, 285), (5, 285)),
]


Corners = tuple[tuple[int, int], ...]


def photo_of(corners: Corners, desk: int = 70, paper: int = 220) -> Image.Image:
    """A sheet with a 7 in its middle, on a desk."""
    picture = Image.new("L", (300, 300), desk)
    ImageDraw.Draw(picture).polygon(corners, fill=paper)
    return with_seven(np.asarray(picture, float), 75, 75)


def with_seven(pixels: np.ndarray, left: int, top: int) -> Image.Image:
    """A photo with a 7 at a place, and grain."""
    ink = np.asarray(Image.fromarray(SEVEN).resize((150, 150)), float)
    pixels[top : top + 150, left : left + 150] *= 1 - 0.8 * ink / 255
    return photographed(pixels)


def photographed(pixels: np.ndarray) -> Image.Image:
    """With grain, and light from one side."""
    pixels = pixels * np.linspace(0.92, 1.08, pixels.shape[1])
    grain = np.random.default_rng(1).normal(0, 2, pixels.shape)
    return Image.fromarray(np.clip(pixels + grain, 0, 255).astype("u1"))


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


def test_next_to_a_clip_no_desk_is_left(classifier: Classifier) -> None:
    """The convex hull of a turned sheet and of the tape on its upper side holds desk on both sides of the tape."""
    photo = photo_of(((60, 50), (270, 70), (250, 280), (35, 255)))
    ImageDraw.Draw(photo).rectangle((120, 30, 200, 70), fill=235)
    (sheet, *_) = find_insets(photo, drawn=False)
    assert np.asarray(sheet.image)[:20].min() > 150
    assert classifier.read(photo).digit == 7
    assert classifier.read_number(photo).text == "7"


@pytest.mark.parametrize("side", [6, 14])
@pytest.mark.parametrize("corners", ANGLES)
def test_a_sheet_on_a_cloth_is_read(side: int, corners: Corners, classifier: Classifier) -> None:
    """A cloth with a pattern has sharp edges everywhere; the sheet has the largest area without one. A shadow lies
    across both."""
    rows, columns = np.mgrid[:300, :300]
    cloth = np.where((rows // side + columns // side) % 2, 60.0, 95.0)
    sheet = Image.new("L", (300, 300))
    ImageDraw.Draw(sheet).polygon(corners, fill=255)
    pixels = np.where(np.asarray(sheet) > 0, 210.0, cloth)
    pixels *= 1 - 0.3 / (1 + np.exp((columns - rows) / 6))
    assert classifier.read(photographed(pixels)).digit is None
    assert classifier.read_number(photographed(pixels)).reason is not None
    assert classifier.read(with_seven(pixels, 75, 75)).digit == 7


@pytest.mark.parametrize(("draw", "most"), [(insets.at_an_angle, 0), (insets.shared_shadow, 2)])
def test_empty_sheets_are_no_digits(draw, most: int, classifier: Classifier) -> None:
    """The desk around a sheet looks like a 0, and along its sides like a 1. Of twenty, so many are read at most."""
    nothing = Writing([])
    digits = [classifier.read(draw(nothing, np.random.default_rng(k))).digit for k in range(20)]
    assert digits.count(None) >= 20 - most


def test_what_is_next_to_a_sheet_is_read(classifier: Classifier) -> None:
    """Next to a dark phone; and across the edge of a hard shadow, which bounds half of the picture."""
    picture = Image.new("L", (420, 300), 215)
    ImageDraw.Draw(picture).rectangle((20, 20, 180, 280), fill=40)
    assert classifier.read(with_seven(np.asarray(picture, float), 230, 75)).digit == 7
    for left in (10, 50, 90):
        shadow = Image.new("L", (300, 300), 215)
        ImageDraw.Draw(shadow).polygon(((0, 0), (130, 0), (190, 300), (0, 300)), fill=160)
        assert classifier.read(with_seven(np.asarray(shadow, float), left, 75)).digit == 7


@pytest.mark.parametrize(
    ("left", "size"), [(100, 60), (120, 80), (140, 80), (120, 100), (160, 100)]
)
def test_of_a_number_across_a_shadow_no_part_is_read(
    left: int, size: int, classifier: Classifier
) -> None:
    """The light half looks like a sheet, and the dark one like a bar, which hides digits."""
    shadow = Image.new("L", (300, 300), 215)
    corners = ((left + 40, 0), (300, 0), (300, 300), (left, 300))
    ImageDraw.Draw(shadow).polygon(corners, fill=110)
    pixels = np.asarray(shadow, float)
    text = (6, 2, 3) if size <= 80 else (6, 2)
    for place, digit in enumerate(text):
        ink = np.asarray(Image.fromarray(drawn(DIGITS[digit])).resize((size, size)), float)
        begin = 60 + place * int(0.75 * size)
        pixels[130 : 130 + size, begin : begin + size] *= 1 - 0.6 * ink / 255
    photo = photographed(pixels)
    assert classifier.read(photo).digit is None
    number = classifier.read_number(photo)
    assert number.text == "".join(map(str, text)) or number.reason is not None


def test_only_sides_that_divide_two_tones_are_removed() -> None:
    """Not those of a frame; not a corner that a finger covers; not a shadow over half the picture."""
    rows, columns = np.mgrid[:100, :120]
    sheet = (rows > 15) & (rows < 85) & (columns > 15) & (columns < 100)
    found = find_sides(sheet, np.where(sheet, 200, 90).astype(np.float32))
    assert found is not None
    assert found.near[15, 50]
    assert not found.near[50, 50]
    assert found.beyond[5, 5]
    outline = sheet & ~ndimage.binary_erosion(sheet, iterations=2)
    assert find_sides(sheet, np.where(outline, 50, 200).astype(np.float32)) is None
    covered = np.hypot(rows - 100, columns - 120) > 30
    assert find_sides(covered, np.where(covered, 200, 90).astype(np.float32)) is None
    lit = columns > 50
    assert find_sides(lit, np.where(lit, 200, 90).astype(np.float32)) is None


def test_of_ink_only_what_lies_along_a_side_is_removed() -> None:
    """Not a stroke that crosses the side, and not what is written next to it."""
    rows, columns = np.mgrid[:200, :240]
    sheet = (rows > 30) & (rows < 170) & (columns > 30) & (columns < 150)
    sides = find_sides(sheet, np.where(sheet, 200, 90).astype(np.float32))
    assert sides is not None
    along, crossing, beside = np.zeros((3, 200, 240), np.uint8)
    along[40:160, 150:160] = 255
    crossing[95:101, 100:210] = 255
    beside[60:140, 200:206] = 255
    for ink, is_kept in ((along, False), (crossing, True), (beside, True)):
        assert without_sides(InkMap("ink", ink), sides).ink.any() == is_kept


def test_two_maps_that_show_two_digits_are_both_named() -> None:
    """Another digit in the same place of another map is a rival; one that has more ink around it is none."""
    ink = np.pad(SEVEN, 40)
    best, other, larger = (
        Hypothesis(each, each.components.all)
        for each in (
            InkMap("fitted light", ink),
            InkMap("darker than around", ink),
            InkMap("darker than around", np.maximum(ink, np.pad(SEVEN.T, 40)[::-1])),
        )
    )
    for each, digit in ((best, 7), (other, 2), (larger, 4)):
        each.row = np.eye(10)[digit]
    assert find_rival([best, other], best) is other
    larger.box = (0, 330, 0, 330)
    assert find_rival([best, larger], best) is None


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
