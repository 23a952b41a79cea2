"""Numbers: several digits, their boxes and signs, and what is refused."""

from __future__ import annotations

import dataclasses
import time
import tracemalloc

import numpy as np
import pytest
from numbers_drawn import Drawing, write
from PIL import Image
from strokes import OTHERS, smooth

from digitre import Classifier
from digitre.recognition.number_reading import value_of
from digitre.recognition.segmentation import densely
from digitre.training.data.strokes import render


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    return Classifier()


@pytest.mark.parametrize("text", ["2026", "10", "100", "55", "41", "73", "98765", "0123456789"])
@pytest.mark.parametrize("with_strokes", [False, True])
def test_a_number_is_read_digit_by_digit(
    classifier: Classifier, text: str, with_strokes: bool
) -> None:
    """A number is read from a picture, with and without the strokes that drew it."""
    drawing = write(text)
    reading = classifier.read_number(
        drawing.picture, strokes=drawing.strokes if with_strokes else None
    )
    assert (reading.result, reading.text, reading.reason) == (text, text, None)
    assert reading.number == int(text)
    assert reading.lines == (text,)
    assert [each.result for each in reading.digits] == list(text)
    assert reading.probability == f"({100 * reading.confidence:.1f}% probability)"


def test_each_digit_has_its_box_and_its_strokes(classifier: Classifier) -> None:
    """The box of a digit is around its ink, in pixels of the picture, and the strokes are those that drew it."""
    drawing = write("2745")
    reading = classifier.read_number(drawing.picture, strokes=drawing.strokes)
    for place, digit in enumerate(reading.digits):
        own = [k for k, owner in enumerate(drawing.owners) if owner == place]
        assert digit.strokes == tuple(own)
        points = np.concatenate([drawing.strokes[k] for k in own])
        around = (*(points.min(0) - drawing.pen / 2), *(points.max(0) + drawing.pen / 2))
        assert digit.box == pytest.approx(around, abs=3)
        assert digit.line == 0


def test_strokes_may_come_in_any_order(classifier: Classifier) -> None:
    """The bar of a 5, and the stem of a 4, may be drawn last, after all other digits."""
    drawing = write("524")
    assert drawing.owners == [0, 0, 1, 2, 2]
    order = [4, 0, 2, 3, 1]
    reading = classifier.read_number(drawing.picture, strokes=[drawing.strokes[k] for k in order])
    assert reading.result == "524"
    assert [each.strokes for each in reading.digits] == [(1, 4), (2,), (0, 3)]


def test_strokes_tell_digits_apart_that_touch(classifier: Classifier) -> None:
    """Digits that overlap a little are read from their strokes."""
    drawing = write("2583", gap=-4)
    reading = classifier.read_number(drawing.picture, strokes=drawing.strokes)
    assert reading.result == "2583"


@pytest.mark.parametrize("gap", [0, -4, -8])
def test_two_digits_by_themselves_are_no_third_one(classifier: Classifier, gap: int) -> None:
    """A 1 that leans on a 0 leaves a shape that may be a 0; the strokes say that it is two digits."""
    drawing = write("10", gap=gap)
    assert classifier.read_number(drawing.picture, strokes=drawing.strokes).result == "10"


def test_digits_that_touch_are_cut_apart(classifier: Classifier) -> None:
    """Digits that touch are read from the picture alone."""
    reading = classifier.read_number(write("23", gap=4).picture)
    assert reading.text == "23"


def test_what_an_eraser_took_away_is_gone(classifier: Classifier) -> None:
    """A stroke that was erased in the picture counts no more, and one that was cut becomes two pieces."""
    drawing = write("27")
    picture = write("2").picture
    wide = np.full(drawing.picture.shape, 255, np.uint8)
    wide[: picture.shape[0], : picture.shape[1]] = picture
    assert classifier.read_number(wide, strokes=drawing.strokes).text == "2"
    one = np.array(
        [(60, 40), (60, 100), (60, 160), (64, 160), (140, 160), (144, 100), (144, 40)], float
    )
    ink = 255 - render([one], 220, 200, 8)
    ink[140:, 70:134] = 255
    ink[130:] = 255
    reading = classifier.read_number(ink, strokes=[one])
    assert (reading.text, [each.strokes for each in reading.digits]) == ("11", [(0,), (0,)])


def test_strokes_of_another_picture_change_nothing(classifier: Classifier) -> None:
    """Strokes that don't lie on the ink are ignored."""
    far = [each + np.array([5000, 3000]) for each in write("88").strokes]
    assert classifier.read_number(write("27").picture, strokes=far).result == "27"


@pytest.mark.parametrize("digit", range(10))
def test_one_digit_is_read_as_always(classifier: Classifier, digit: int) -> None:
    """A digit alone gives the same digit and confidence as when one digit is asked for."""
    drawing = write(str(digit))
    single = classifier.read(drawing.picture)
    for strokes in (None, drawing.strokes):
        reading = classifier.read_number(drawing.picture, strokes=strokes)
        assert reading.result == single.result
        assert reading.confidence == pytest.approx(single.confidence)
        assert reading.digits[0].confidence == pytest.approx(single.confidence)


def test_a_blank_has_no_text(classifier: Classifier) -> None:
    """A blank is refused at any threshold."""
    for threshold in (0.0, 0.6):
        reading = classifier.read_number(np.full((80, 200), 255, np.uint8), threshold=threshold)
        assert (reading.text, reading.reason, reading.result) == ("", "blank", "Huh...")
        assert (reading.number, reading.digits, reading.lines) == (None, (), ())
        assert reading.probability == "You call that a digit?"


@pytest.mark.parametrize("name", ["scribble", "heart", "cross"])
def test_what_is_no_number_is_refused(classifier: Classifier, name: str) -> None:
    """A digit with a scribble next to it is no number, but at a threshold of 0 it is answered."""
    digits = write("27")
    right = np.concatenate(digits.strokes)[:, 0].max() + 20
    other = [smooth(each) * 0.8 + np.array([right - 40, -20]) for each in OTHERS[name]]
    drawing = Drawing([*digits.strokes, *other], 8, [])
    reading = classifier.read_number(drawing.picture)
    assert (reading.result, reading.number) == ("Huh...", None)
    assert reading.reason in ("not_a_number", "unsure")
    assert reading.text.startswith("27")
    answered = classifier.read_number(drawing.picture, threshold=0)
    assert (answered.reason, answered.result) == (None, reading.text)


@pytest.mark.parametrize(
    ("text", "number"), [("-3.5", -3.5), ("3,5", 3.5), ("1/2", None), ("-27", -27)]
)
def test_signs_are_read_where_they_are_asked_for(
    classifier: Classifier, text: str, number: float | None
) -> None:
    """Minus, point, comma and slash are read with signs; without, a number that has some is refused."""
    drawing = write(text)
    reading = classifier.read_number(drawing.picture, signs=True)
    assert (reading.result, reading.number) == (text, number)
    assert len(reading.digits) == sum(map(str.isdigit, text))
    if text != "1/2":  # a slash looks like a 1
        assert classifier.read_number(drawing.picture).reason is not None


def test_lines_are_read_from_top_to_bottom(classifier: Classifier) -> None:
    """With lines, each line of a picture is a text; without, what stands above each other is no number."""
    drawing = write("27\n105")
    for strokes in (None, drawing.strokes):
        reading = classifier.read_number(drawing.picture, lines=True, strokes=strokes)
        assert (reading.lines, reading.text) == (("27", "105"), "27\n105")
        assert [each.line for each in reading.digits] == [0, 0, 1, 1, 1]
        assert reading.number is None
    assert classifier.read_number(drawing.picture).reason is not None


def test_a_length_rules_out_other_numbers(classifier: Classifier) -> None:
    """With a length, only numbers with so many digits count."""
    picture = write("275").picture
    assert classifier.read_number(picture, length=3).result == "275"
    refused = classifier.read_number(picture, length=7)
    assert refused.reason is not None
    assert refused.confidence == 0


def test_alternatives_are_less_probable_than_the_text(classifier: Classifier) -> None:
    """The next best texts come with their probabilities, best first, and never more than 1 in all."""
    reading = classifier.read_number(write("27", scale=0.2, pen=6).picture)
    values = [each.probability for each in reading.alternatives]
    assert values == sorted(values, reverse=True)
    assert reading.confidence + sum(values) <= 1 + 1e-9
    assert reading.text not in [each.text for each in reading.alternatives]


def test_a_threshold_is_compared_with_what_is_shown(classifier: Classifier) -> None:
    """A number is answered at the threshold that its confidence is shown as, and refused just above."""
    picture = write("2026").picture
    reading = classifier.read_number(picture)
    shown = round(100 * reading.confidence, 1) / 100
    assert classifier.read_number(picture, threshold=min(1.0, shown)).reason is None
    with pytest.raises(ValueError, match="threshold"):
        classifier.read_number(picture, threshold=1.5)


@pytest.mark.parametrize(
    "wrong",
    [{"length": 0}, {"length": 41}, {"strokes": [[1, 2]]}, {"strokes": [[(1.0, float("nan"))]]}],
)
def test_wrong_arguments_are_named(classifier: Classifier, wrong: dict) -> None:
    """A wrong length and wrong strokes raise ValueError."""
    with pytest.raises(ValueError, match=r"length|stroke"):
        classifier.read_number(write("27").picture, **wrong)


def test_forty_digits_are_read_and_more_are_too_complex(classifier: Classifier) -> None:
    """Forty digits are read; with more, the number is refused, but answered at a threshold of 0."""
    text = "27384" * 8
    assert classifier.read_number(write(text, scale=0.3, pen=4, gap=10).picture).result == text
    picture = write(text + "27384", scale=0.3, pen=4, gap=10).picture
    assert classifier.read_number(picture).reason == "too_complex"
    assert classifier.read_number(picture, threshold=0).reason is None


def test_specks_and_strokes_are_bounded(classifier: Classifier) -> None:
    """A thousand specks, or two hundred strokes, are refused soon and in little memory."""
    random = np.random.default_rng(0)
    specks = np.full((1000, 2000), 255, np.uint8)
    for y in range(0, 1000, 36):
        for x in range(0, 2000, 54):
            specks[y : y + 9, x : x + 9] = 0
    strokes = [random.uniform(0, 1, (10, 2)) * (900, 400) for _ in range(200)]
    picture = 255 - render(strokes, 920, 420, 4)
    for image, given in ((specks, None), (picture, strokes)):
        tracemalloc.start()
        begun = time.process_time()
        reading = classifier.read_number(Image.fromarray(image), strokes=given)
        spent, (_, most) = time.process_time() - begun, tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert reading.reason is not None
        assert spent < 5  # tracing makes it slower
        assert most < 100e6
    assert classifier.read_number(Image.fromarray(specks)).reason == "too_complex"


def test_a_reading_is_frozen_and_ready_for_json(classifier: Classifier) -> None:
    """The answer is a frozen object, and a dictionary of plain values."""
    reading = classifier.read_number(write("27").picture)
    with pytest.raises(dataclasses.FrozenInstanceError):
        reading.text = "28"  # type: ignore[misc]
    answer = reading.to_dict()
    assert [*answer] == [
        "result",
        "probability",
        "text",
        "number",
        "confidence",
        "digits",
        "lines",
        "alternatives",
        "reason",
        "model",
    ]
    assert {*answer["digits"][0]} == {
        *classifier.read(write("2").picture).to_dict(),
        "box",
        "line",
        "strokes",
    }


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("007", 7),
        ("-3.5", -3.5),
        ("3,5", 3.5),
        ("1,234", None),
        ("1.234", 1.234),
        ("1/2", None),
        ("-", None),
        ("1.2.3", None),
        ("12\n34", None),
        ("", None),
    ],
)
def test_a_text_has_a_value_if_it_is_clear(text: str, value: float | None) -> None:
    """A text has a value if it is a number in the usual way of writing, and a comma is surely a decimal one."""
    assert value_of(text) == value
    assert type(value_of(text)) is type(value)


def test_a_number_on_paper_is_read(classifier: Classifier) -> None:
    """A photo of a number, grainy and unevenly lit, is read."""
    random = np.random.default_rng(1)
    ink = 255 - write("275", pen=9).picture.astype(float)
    height, width = ink.shape
    light = 150 + 70 * np.linspace(0, 1, width)[None, :] * np.linspace(1, 0.6, height)[:, None]
    photo = light * (1 - 0.75 * ink / 255) + random.normal(0, 4, ink.shape)
    reading = classifier.read_number(np.clip(photo, 0, 255).astype(np.uint8))
    assert reading.result == "275"


def test_light_ink_and_transparent_canvases_are_read(classifier: Classifier) -> None:
    """White on black, and black on a transparent canvas, are read as black on white is."""
    picture = write("275").picture
    clear = Image.new("RGBA", picture.shape[::-1], (0, 0, 0, 0))
    clear.putalpha(Image.fromarray(255 - picture))
    for image in (Image.fromarray(255 - picture), clear):
        assert classifier.read_number(image).result == "275"


def test_a_rule_below_a_number_is_left_out(classifier: Classifier) -> None:
    """A number on a printed line is read."""
    picture = write("275").picture
    picture[-12:-10, 5:-5] = 90
    assert classifier.read_number(picture).result == "275"


def test_a_stroke_is_followed_pixel_by_pixel() -> None:
    """Between the points of a stroke lie others, at most a pixel apart; all of its own are kept, also a single one."""
    points = np.array([[3.0, 4.0], [10.5, 4.0], [10.5, 4.0], [8.0, 30.25]])
    path = densely(points)
    assert np.abs(np.diff(path, axis=0)).max() <= 1
    assert all((path == point).all(1).any() for point in points)
    assert densely(points[:1]).tolist() == [[3.0, 4.0]]
