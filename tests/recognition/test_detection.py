"""Finding the writing: what is left out, what must not be, and when the answer is "Huh..."."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT, png
from PIL import Image, ImageDraw, ImageFont
from strokes import DIGITS, OTHERS, drawn

from digitre import Classifier
from digitre.recognition.components import Components, group, run_lengths
from digitre.recognition.found import Detection, is_one_piece
from digitre.recognition.insets import find_insets, is_window
from digitre.recognition.lines import find_lines, remove_lines
from digitre.recognition.plain import stands
from digitre.training.data import synthetic
from digitre.training.data.datasets import NO_DIGIT
from digitre.training.data.strokes import fit, render
from digitre.training.evaluation.scenes import figures
from digitre.training.evaluation.scenes.table import SCENE_SETS

PICTURES = sorted((ROOT / "tests" / "pictures").iterdir())
SEVEN = drawn(DIGITS[7])


@pytest.mark.parametrize("file", PICTURES, ids=lambda file: file.stem)
def test_the_digit_is_found(file: Path, classifier: Classifier) -> None:
    """Each picture is read as its file name says: a digit, "several", or "none"."""
    expected = file.stem.split("_")[0]
    reading = classifier.read(file.read_bytes())
    if expected.isdigit():
        assert reading.result == expected
    else:
        assert reading.digit is None
        assert expected == "none" or reading.reason == expected


def test_a_threshold_of_zero_answers_several_digits(classifier: Classifier) -> None:
    """It gives the best single reading, which a refused answer has as its prediction."""
    picture = (ROOT / "tests" / "pictures" / "several_two_digits_thick_and_thin.png").read_bytes()
    refused, answered = classifier.read(picture), classifier.read(picture, 0)
    assert refused.reason == "several"
    assert refused.probability == "You call that a digit?"
    assert answered.result == refused.prediction
    assert answered.confidence == refused.confidence


def test_steps_show_what_was_left_out(client, classifier: Classifier) -> None:
    """?steps=1 has the ink that was not read, as a picture and by its kinds."""
    picture = (ROOT / "tests" / "pictures" / "9_circled_nine.png").read_bytes()
    answer = client.post("/_get_digit?steps=1", data=picture).get_json()
    assert answer["result"] == "9"
    assert [step["name"] for step in answer["steps"]][:3] == ["decode", "left_out", "crop"]
    assert [each["what"] for each in answer["left_out"]] == ["frame"]
    plain = client.post("/_get_digit?steps=1", data=png(SEVEN)).get_json()
    assert plain["left_out"] == []
    assert "left_out" not in [step["name"] for step in plain["steps"]]


def test_the_parts_of_a_digit_are_kept(classifier: Classifier) -> None:
    """A 1 at an edge, a 5 with its bar apart, a crossed 7 are read with all their ink."""
    one = 255 - np.pad(SEVEN[:0], ((250, 0), (0, 0)), constant_values=0)
    one[40:210, 2:18] = 0  # a bar near the left edge
    assert classifier.read(one.astype(np.uint8)).result == "1"
    for digit in (5, 7):
        found = classifier.detect(png(drawn(DIGITS[digit])))
        assert found.left_out == ()


@pytest.mark.parametrize("name", sorted(OTHERS))
def test_what_is_not_a_digit_stays_refused(name: str, classifier: Classifier) -> None:
    """No part of a letter or scribble is taken for a digit, on a canvas with a grid as well."""
    ink = drawn(OTHERS[name])
    assert classifier.read(png(ink)).digit is None
    page = np.full(ink.shape, 255.0)
    page[::31] = page[:, ::31] = 190
    page = page * (1 - ink / 255.0)
    assert classifier.read(page.astype(np.uint8)).digit is None


def test_punched_holes_are_left_out(classifier: Classifier) -> None:
    """Dots next to a digit are not read, alone they are no 1, and the dot of a slanted i is a part of it."""
    page = Image.fromarray(255 - np.pad(SEVEN, ((60, 60), (100, 20))))
    pen = ImageDraw.Draw(page)
    for y in (30, 130, 230, 330):
        pen.ellipse((20, y, 40, y + 20), fill=70)
    assert classifier.read(page).result == "7"
    assert {part.what for part in classifier.detect(page).left_out} == {"dot"}
    pen.rectangle((60, 0, 400, 400), fill=255)
    assert classifier.read(page).digit is None
    letter = Image.new("L", (250, 250), 255)
    pen = ImageDraw.Draw(letter)
    pen.line((120, 100, 90, 210), fill=0, width=14)
    pen.ellipse((128, 60, 144, 76), fill=0)
    assert classifier.read(letter).digit is None


def test_a_scroll_bar_is_left_out(classifier: Classifier) -> None:
    """The grey thumb at an edge is not a 1, with a digit or alone; a black stroke there is one."""
    page = Image.fromarray(255 - np.pad(SEVEN, ((0, 0), (20, 40))))
    ImageDraw.Draw(page).rectangle((296, 60, 306, 140), fill=150)
    assert classifier.read(page).result == "7"
    alone = Image.new("L", (310, 250), 255)
    pen = ImageDraw.Draw(alone)
    pen.rectangle((296, 60, 306, 140), fill=150)
    assert classifier.read(alone).digit is None
    pen.rectangle((296, 60, 306, 140), fill=0)
    assert classifier.read(alone).result == "1"
    # A dark thumb, rounded, on a grey track.
    pen.rectangle((295, 0, 309, 249), fill=215)
    pen.rounded_rectangle((298, 60, 306, 140), 4, fill=90)
    assert classifier.read(alone).digit is None


def test_a_stamp_is_left_out(classifier: Classifier) -> None:
    """A small filled shape, or a ring around letters, far from the digit is not read with it."""
    page = Image.fromarray(255 - np.pad(SEVEN, ((90, 10), (90, 10))))
    for shape in ("ellipse", "rectangle"):
        for fill in (90, None):
            stamped = page.copy()
            pen = ImageDraw.Draw(stamped)
            getattr(pen, shape)((12, 12, 72, 72), fill=fill, outline=90, width=4)
            for x in (26, 46):
                pen.line((x, 30, x + 6, 55, x + 12, 30), fill=230 if fill else 90, width=3)
            assert classifier.read(stamped).result == "7", (shape, fill)
            assert "mark" in {part.what for part in classifier.detect(stamped).left_out}


def test_a_logo_above_a_digit_is_left_out(classifier: Classifier) -> None:
    """A shape that no pen of the digit draws is not a part of it, also right above it; the dot of an i is."""
    page = Image.fromarray(255 - np.pad(SEVEN, ((60, 0), (0, 0))))
    for box in ((110, 10, 180, 80), (120, 20, 190, 90)):
        above = page.copy()
        ImageDraw.Draw(above).rectangle(box, fill=60)
        found = classifier.detect(above)
        assert classifier.answer(found).result == "7"
        assert "mark" in {part.what for part in found.left_out}
    letter = Image.new("L", (250, 310), 255)
    pen = ImageDraw.Draw(letter)
    pen.line((125, 120, 125, 280), fill=0, width=12)
    pen.ellipse((117, 80, 133, 96), fill=0)
    assert "mark" not in {part.what for part in classifier.detect(letter).left_out}


def test_a_line_of_type_is_left_out(classifier: Classifier) -> None:
    """The title of a field above a digit is not read with it, and costs nothing."""
    for text, place in (
        ("Number of items:", (60, 30)),
        ("Postcode", (20, 45)),
        ("a.m.", (200, 150)),
    ):
        page = Image.fromarray(255 - np.pad(SEVEN, ((60, 0), (0, 60))))
        ImageDraw.Draw(page).text(place, text, font=ImageFont.load_default(32), fill=40)
        found = classifier.detect(page)
        assert classifier.answer(found).result == "7", text
        assert {part.what for part in found.left_out} <= {"type", "speck"}, text


def test_small_digits_are_no_type(classifier: Classifier) -> None:
    """Digits that are half as large as another one are several digits, not a line of type below it."""
    small = np.asarray(Image.fromarray(SEVEN).resize((125, 125)))
    page = np.pad(SEVEN, ((0, 110), (0, 60)))
    for left in (0, 90, 180):
        page[235:360, left : left + 125] |= small
    assert classifier.read(255 - page).digit is None


def test_a_mouse_pointer_is_left_out(classifier: Classifier) -> None:
    """A small outline that is much thinner than the digit's pen costs nothing; a stroke of that pen does."""
    arrow = [(0, 0), (0, 16), (4, 12), (7, 19), (10, 18), (7, 11), (12, 11), (0, 0)]
    page = Image.fromarray(255 - drawn(DIGITS[3], pen=8, scale=0.5))
    pointer = page.copy()
    ImageDraw.Draw(pointer).line([(30 + x, 40 + y) for x, y in arrow], fill=0)
    assert classifier.read(pointer).digit == 3
    ImageDraw.Draw(page).line((20, 30, 60, 50), fill=0, width=8)
    assert classifier.read(page).digit is None


def test_the_labels_of_axes_are_left_out(classifier: Classifier) -> None:
    """Small type outside a frame around the digit costs nothing; a digit there is another digit."""
    page = Image.fromarray(255 - drawn(DIGITS[3], pen=6, canvas=300, scale=0.45))
    pen = ImageDraw.Draw(page)
    pen.rectangle((50, 30, 270, 250), outline=0)
    for number in range(6):
        place = 40 + 40 * number
        pen.line((45, place, 50, place), fill=0)
        pen.text((28, place - 5), str(5 * number), fill=0)
        pen.line((place + 12, 250, place + 12, 255), fill=0)
        pen.text((place + 8, 258), str(5 * number), fill=0)
    assert classifier.read(page).digit == 3
    outside = np.hstack((np.asarray(page), 255 - drawn(DIGITS[7], pen=6, canvas=300, scale=0.45)))
    assert classifier.read(outside).digit is None


def test_a_frame_that_the_digit_touches_is_left_out(classifier: Classifier) -> None:
    """A digit on the lower or left side of a frame, or across it, is read; another drawing there is still none."""
    for label, strokes in (DIGITS | OTHERS).items():
        ink = drawn(strokes, pen=8, canvas=300, scale=0.5)
        foot, left = np.flatnonzero(ink.any(1))[-1], np.flatnonzero(ink.any(0))[0]
        for over in (-6, 1, 10):  # pixels
            for corners in ((20, 15, 285, foot - over), (left + over, 15, 285, 290)):
                page = Image.fromarray(255 - ink)
                ImageDraw.Draw(page).rectangle(corners, outline=60, width=2)
                expected = label if isinstance(label, int) else None
                assert classifier.read(page).digit == expected, (label, over, corners)
    for height in (100, 170, 240):
        page = Image.new("L", (300, 300), 255)
        ImageDraw.Draw(page).rectangle((100, 20, 200, 20 + height), outline=0, width=6)
        assert classifier.read(page).digit in (0, None), height  # a zero with corners, or nothing


def test_a_7_above_a_line_may_be_a_2(classifier: Classifier) -> None:
    """If a part is as good a digit as the whole, the answer is "Huh...", with both as candidates; a 2 of one stroke stays a 2."""
    seven = [
        (80, 70),
        (100, 52),
        (128, 48),
        (146, 62),
        (148, 84),
        (136, 108),
        (118, 132),
        (98, 158),
    ]
    line = [(74, 188), (124, 189), (174, 188)]
    assert classifier.read(drawn([seven], pen=8)).digit == 7
    reading = classifier.read(drawn([seven, line], pen=8))
    assert (reading.digit, reading.reason) == (None, "unsure")
    assert {each.digit for each in reading.candidates[:2]} == {2, 7}
    assert classifier.read(drawn([[*seven, (76, 188), *line[1:]]], pen=8)).digit == 2


@pytest.mark.usefixtures("real_data")
def test_pictures_that_were_answered_wrongly(classifier: Classifier) -> None:
    """Some scenes by validation writers.

    - A grid joins all ink, from edge to edge: a low 0 on it, seen as a whole, looks like a 6.
    - On a desk, each side of a sheet looks like a 1: that isn't several digits. The loop of a 9 on a sheet isn't a 0,
      and the light rim of a sheet isn't a 7. The falling light next to a fingertip isn't a 6.
    - Cropped tightly, the 1 of 21 isn't a rule, and the 43 of 436 isn't the edge of a page.
    - A thin 1 next to a thick 2 isn't a rule.
    """
    digits = figures.clear_digits(classifier, "validation")
    chosen = {
        "scene_graph_canvas": (40, 50),
        "scene_desk": (27, 29, 38, 57, 62),
        "empty_finger": (186,),
        "two_cropped": (78,),
        "three_cropped": (148,),
        "two_thick_and_thin": (113,),
    }
    for name, numbers in chosen.items():
        scene = next(each for each in SCENE_SETS if each.id == name)
        pictures = list(figures.pictures(scene, digits, numbers[-1] + 1))
        for picture, label in (pictures[number] for number in numbers):
            assert classifier.read(picture).digit == (None if label == NO_DIGIT else label)


def test_a_1_next_to_a_digit_is_not_a_rule(classifier: Classifier) -> None:
    """An upright line as high as the digit may be a 1, also in a picture that is cropped to both; a margin is higher."""
    rows, columns = np.flatnonzero(SEVEN.any(1)), np.flatnonzero(SEVEN.any(0))
    seven = SEVEN[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    height, width = seven.shape
    for above, line in ((40, (25, 55 + height)), (4, (0, 8 + height))):
        page = Image.fromarray(255 - np.pad(seven, ((above, above), (30, 80))))
        pen = ImageDraw.Draw(page)
        pen.rectangle((60 + width, line[0], 66 + width, line[1]), fill=0)
        assert classifier.read(page).digit is None
    page = Image.fromarray(255 - np.pad(seven, ((height, height // 2), (60, 40))))
    ImageDraw.Draw(page).rectangle((20, 0, 26, page.height), fill=0)
    assert classifier.read(page).digit == 7


def test_a_hole_in_a_sheet_is_writing_if_it_is_no_rectangle() -> None:
    """The hole around what lies inside: a window is a rectangle, a stroke with a loop and a 0 are not."""
    sheet = np.zeros((60, 60), np.uint8)
    sheet[5:55, 5:55] = 9
    window = sheet.copy()
    window[15:45, 15:45] = 0
    window[25:35, 25:35] = 9
    nine = sheet.copy()
    nine[10:30, 20:40] = 0
    nine[15:25, 25:35] = 9
    nine[30:52, 36:40] = 0
    y, x = np.mgrid[:60, :60] - 30
    zero = np.where((x / 10) ** 2 + (y / 18) ** 2 < 1, 0, sheet)
    zero[(x / 3) ** 2 + (y / 11) ** 2 < 1] = 9
    for ink, is_canvas in ((window, True), (nine, False), (zero, False)):
        components = Components(ink)
        ring, inside = components.all
        hole = components.hole(ring, inside)
        assert hole is not None
        assert is_window(hole) is is_canvas


def test_the_counter_of_a_0_on_a_dark_canvas_is_no_1(classifier: Classifier) -> None:
    """A number in white on a black canvas on a white page is several digits, also if its 0 is thin."""
    page = np.full((450, 420), 255, np.uint8)
    page[100:340, 130:370] = 0
    canvas = page[100:340, 130:370]
    y, x = np.mgrid[:240, :240]
    ring = ((x - 120) / 20) ** 2 + ((y - 130) / 45) ** 2
    canvas[(ring < 1) & (((x - 120) / 5) ** 2 + ((y - 130) / 25) ** 2 > 1)] = 255
    canvas[85:175, 40:56] = 255
    assert classifier.read(page).digit is None
    assert classifier.read_number(page).text == "10"


def test_a_wide_drawing_is_searched() -> None:
    """Digits that touch in the small picture that the network sees may stand apart in the drawing."""
    pixels = np.zeros((28, 28), np.float32)
    pixels[8:20, 4:24] = 1
    for width, alone in ((120, True), (140, False)):
        ink = np.full((100, width), 200, np.uint8)
        drawing = Detection(ink, pixels, [0.99] + [0.0] * 9, margins=(9, 9, 9, 9))
        assert stands(drawing) is alone


def test_a_thin_digit_next_to_a_thick_one_is_seen(classifier: Classifier) -> None:
    """The network hardly sees a stroke of a pixel next to a thick 2; the answer is "several"."""
    page = Image.fromarray(255 - np.pad(drawn(DIGITS[2]), ((0, 0), (0, 50))))
    ImageDraw.Draw(page).line((255, 60, 250, 190), fill=0, width=3)
    assert classifier.read(page).reason == "several"


def test_a_zero_is_not_a_picture_within_the_picture(classifier: Classifier) -> None:
    """A large 0 next to another digit is not cut out and read alone."""
    page = Image.new("L", (430, 200), 255)
    ImageDraw.Draw(page).ellipse((6, 4, 196, 196), outline=0, width=9)
    page.paste(Image.fromarray(255 - SEVEN[25:225]), (190, 0))
    assert classifier.read(page).digit is None


def test_the_rest_of_a_stroke_at_an_edge_is_not_a_1(classifier: Classifier) -> None:
    """A flat arc that an edge cuts off is refused, and so is a stub along it; a straight 1 that touches it is read."""
    for rest in (
        lambda pen: pen.ellipse((-75, 70, 25, 180), outline=0, width=8),
        lambda pen: pen.ellipse((-60, 70, 12, 180), fill=0),
        lambda pen: pen.line((1, 100, 4, 150), fill=0, width=16),
    ):
        page = Image.new("L", (250, 250), 255)
        rest(ImageDraw.Draw(page))
        for turned in (page, page.rotate(180)):
            assert classifier.read(turned).digit is None
    page = Image.new("L", (250, 250), 255)
    ImageDraw.Draw(page).line((0, 60, 6, 190), fill=0, width=10)
    assert classifier.read(page).result == "1"


@pytest.mark.parametrize("tone", [20, 90, 255])
def test_an_empty_picture_within_a_picture_holds_no_digit(
    tone: int, classifier: Classifier
) -> None:
    """Neither the border nor the strip next to an empty canvas or photo is a 1 or a 7."""
    page = np.full((420, 400), tone, np.uint8)
    slope = np.linspace(150, 220, 260)[:, None] + np.linspace(0, 20, 330)
    page[100:360, 50:380] = slope if tone == 255 else 255
    assert classifier.read(page).digit is None


def test_a_comb_is_not_two_ones(classifier: Classifier) -> None:
    """The thin upright lines of a form are not digits; a stroke of the digit's own pen is."""
    form = Image.fromarray(255 - SEVEN)
    for line in ((20, 120, 20, 235), (230, 120, 230, 235), (0, 235, 249, 235)):
        ImageDraw.Draw(form).line(line, fill=0, width=3)
    assert classifier.read(form).result == "7"
    number = Image.fromarray(255 - np.pad(SEVEN, ((0, 0), (0, 60))))
    ImageDraw.Draw(number).line((260, 60, 260, 190), fill=0, width=14)
    assert classifier.read(number).reason == "several"


def test_a_rule_through_a_low_digit_is_left_out(classifier: Classifier) -> None:
    """A thin line from edge to edge goes, also if the digit is small next to the page, or lies along it."""
    page = Image.fromarray(255 - np.pad(SEVEN[::4, ::4], ((60, 100), (60, 100))))
    for y in (80, 95, 105):
        lined = page.copy()
        ImageDraw.Draw(lined).line((0, y, page.width, y), fill=120, width=1)
        assert classifier.read(lined).result == "7", y


def test_a_filled_drawing_is_not_taken_for_a_photo(classifier: Classifier) -> None:
    """A spiral is a drawing: its outline isn't read as a 0, even if its turns nearly touch."""
    random = np.random.default_rng(1)
    for _ in range(20):
        spiral = fit(synthetic.spiral(random), 140, 125, 125)
        assert classifier.read(255 - render(spiral, 250, 250, 12)).digit is None


def test_two_dashes_are_not_a_digit(classifier: Classifier) -> None:
    """An equals sign is neither a rule with a dash nor two ones."""
    page = np.full((250, 250), 255, np.uint8)
    page[95:109, 50:200] = page[140:154, 50:200] = 0
    assert classifier.read(page).digit is None


def test_components_know_the_edges_that_they_touch() -> None:
    """Their box, area, depth, contact and span are measured in pixels of the picture."""
    ink = np.zeros((20, 30), np.uint8)
    ink[5:15, 0:3] = 100
    ink[8:10, 20:24] = 200
    edge, free = Components(ink).all
    assert (edge.edges, edge.depth, edge.contact, edge.span) == (1, 3, 10, 0.5)
    assert (edge.width, edge.height, edge.area, edge.strength) == (3, 10, 30, 100)
    assert (free.edges, free.depth, free.left, free.right) == (0, 0, 20, 24)


def test_near_components_are_one_group() -> None:
    """A gap of a tenth of the larger one's size joins at 0.15, and not at 0.05."""
    ink = np.zeros((40, 60), np.uint8)
    ink[10:30, 10:12] = ink[10:30, 14:16] = 255
    parts = Components(ink).all
    assert [len(each) for each in group(parts, 0.15)] == [2]
    assert [len(each) for each in group(parts, 0.05)] == [1, 1]


def test_a_ring_encloses_what_lies_in_it() -> None:
    """A digit inside a circle with a small gap is enclosed; one next to it is not."""
    picture = Image.new("L", (200, 200))
    draw = ImageDraw.Draw(picture)
    draw.arc((20, 20, 150, 150), 2, 358, 255, 4)
    draw.line((85, 60, 85, 110), 255, 6)
    draw.line((180, 60, 180, 110), 255, 6)
    components = Components(np.asarray(picture))
    ring, *lines = sorted(components.all, key=lambda each: -each.extent)
    inside = components.enclosed(ring, lines)
    assert [each.left for each in inside] == [min(each.left for each in lines)]


def test_run_lengths_count_along_an_axis() -> None:
    """Each pixel has the length of its own run."""
    mask = np.array([[1, 1, 0, 1], [0, 1, 0, 0]], bool)
    assert run_lengths(mask, 1).tolist() == [[2, 2, 0, 1], [0, 1, 0, 0]]
    assert run_lengths(mask, 0).tolist() == [[1, 2, 0, 1], [0, 2, 0, 0]]


def test_a_rule_goes_and_what_crosses_it_stays() -> None:
    """A line from edge to edge is removed; an upright stroke through it keeps its pixels."""
    ink = np.zeros((120, 160), np.uint8)
    ink[60:62] = 180
    ink[20:100, 70:80] = 255
    ((line, pixels),) = find_lines(ink)
    assert line.level
    assert line.whole
    left = remove_lines(ink, pixels)
    assert (left[20:100, 70:80] == 255).all()
    assert not left[60:62, :60].any()


def test_the_strokes_of_a_small_or_thick_digit_are_not_lines() -> None:
    """Neither a 7 of 28 pixels nor a thick bar counts as a line of the page."""
    small = np.asarray(Image.fromarray(SEVEN).resize((28, 28)))
    assert find_lines(small) == []
    thick = np.zeros((200, 200), np.uint8)
    thick[90:115, 20:180] = 255
    assert find_lines(thick) == []


@pytest.mark.parametrize("angle", [0, 7])
def test_a_note_is_found_whose_tones_meet_the_wall_s(angle: int, classifier: Classifier) -> None:
    """A sheet that is darker than the wall on one side and brighter on the other is one picture in it."""
    note = np.linspace(140, 250, 300)[None, :] + np.linspace(0, 5, 280)[:, None]
    note[15:265, 25:275] -= 0.5 * SEVEN
    sheet = Image.fromarray(np.clip(note, 0, 255).astype(np.uint8))
    turned = sheet.rotate(angle, Image.Resampling.BILINEAR, expand=True)
    shape = Image.new("L", sheet.size, 255).rotate(angle, expand=True)
    wall = Image.new("L", (460, 440), 205)
    wall.paste(turned, (60, 50), shape)
    assert classifier.read(wall).result == "7"


def test_an_inset_is_cut_out() -> None:
    """A white canvas on a dark page is found as a picture of its own; a digit is not."""
    page = np.full((300, 400), 40, np.uint8)
    page[60:210, 90:290] = 255
    (inset,) = find_insets(Image.fromarray(page))
    assert np.asarray(inset.image).min() > 200
    assert abs(inset.image.width - 200) <= 12
    assert abs(inset.image.height - 150) <= 12
    assert find_insets(Image.fromarray(255 - SEVEN)) == []


@pytest.mark.parametrize("gap", [0, 1, 2])
def test_pieces_that_the_network_sees(gap: int) -> None:
    """One stroke is one piece; a ring with something inside, and a faint second stroke, are two."""
    pixels = np.zeros((28, 28), np.float32)
    pixels[5:23, 6:9] = 1
    assert is_one_piece(pixels)
    pixels[5:23, 9 + gap : 12 + gap] = 0.3 if gap == 2 else 1
    assert is_one_piece(pixels) == (gap == 0)
