"""What surrounds a drawing is removed, and no part of the drawing is."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import numpy as np
import pytest
from conftest import png
from PIL import Image, ImageDraw
from strokes import DIGITS, drawn

from digitre import Classifier
from digitre.recognition import photo, surroundings
from digitre.recognition.preprocessing import decode, preprocess

WIDTH, HEIGHT = 800, 1000


def sheet(digit: int, ground: int = 255, ink: int = 0) -> np.ndarray:
    """A page with a digit on a square of 250 pixels in its middle: (1000, 800) float, 0 to 255."""
    cover = np.zeros((HEIGHT, WIDTH))
    cover[375:625, 275:525] = drawn(DIGITS[digit]) / 255
    return ground + (ink - ground) * cover


def photographed(page: np.ndarray) -> Image.Image:
    """A page as a camera sees it: with uneven light and grain."""
    light = np.linspace(0, 18, WIDTH)[None, :] + np.linspace(-8, 8, HEIGHT)[:, None]
    grain = np.random.default_rng(3).normal(0, 3, page.shape)
    return Image.fromarray(np.clip(page + light + grain, 0, 255).astype(np.uint8))


def plain(page: np.ndarray) -> Image.Image:
    return Image.fromarray(np.clip(page, 0, 255).astype(np.uint8))


def one_pixel(digit: int) -> Image.Image:
    page = sheet(digit)
    page[3, 3] = 254  # invisible
    return plain(page)


def one_pixel_on_glass(digit: int) -> Image.Image:
    picture = Image.new("RGBA", (WIDTH, HEIGHT))
    picture.putalpha(plain(255 - sheet(digit)))
    picture.putpixel((3, 3), (0, 0, 0, 1))
    return picture


def faint_specks(digit: int) -> Image.Image:
    page, random = sheet(digit), np.random.default_rng(1)
    for x, y in random.integers(10, WIDTH - 10, (20, 2)):
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
    return photographed(page)


def desk(digit: int) -> Image.Image:
    page = sheet(digit, 190, 60)
    page[:, 750:] = 70
    return photographed(page)


def slanted_desk(digit: int) -> Image.Image:
    picture = plain(sheet(digit, 190, 60))
    ImageDraw.Draw(picture).polygon([(0, 0), (90, 0), (20, HEIGHT), (0, HEIGHT)], 70)
    return photographed(np.asarray(picture, float))


def frame(digit: int) -> Image.Image:
    picture = plain(sheet(digit))
    ImageDraw.Draw(picture).rectangle((20, 20, WIDTH - 21, HEIGHT - 21), outline=90, width=2)
    return picture


def round_frame(digit: int) -> Image.Image:
    """The web page's canvas in a screenshot."""
    picture = Image.new("L", (WIDTH, HEIGHT), 244)
    draw = ImageDraw.Draw(picture)
    draw.rounded_rectangle((0, 0, WIDTH - 1, HEIGHT - 1), 24, fill=255, outline=200, width=2)
    part = plain(sheet(digit)).crop((275, 375, 525, 625))
    picture.paste(part, (275, 375))
    return picture


def two_edges(digit: int) -> Image.Image:
    picture = plain(sheet(digit))
    ImageDraw.Draw(picture).line([(0, HEIGHT), (0, 0), (WIDTH, 0)], 0, width=8)
    return picture


def white_paint(digit: int) -> Image.Image:
    """Black on a transparent canvas, and white paint over something else."""
    picture = Image.new("RGBA", (WIDTH, HEIGHT))
    picture.putalpha(plain(255 - sheet(digit)))
    ImageDraw.Draw(picture).rectangle((300, 700, 560, 860), fill=(255, 255, 255, 255))
    return picture


SURROUNDED: list[Callable[[int], Image.Image]] = [
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


@pytest.mark.parametrize("surrounded", SURROUNDED, ids=lambda each: each.__name__)
def test_surroundings_do_not_change_the_reading(surrounded, classifier: Classifier) -> None:
    """All ten digits are read in a picture with frames, dust, shadows or a desk."""
    results = [classifier.read(surrounded(digit)).result for digit in range(10)]
    assert results == list("0123456789")


@pytest.mark.parametrize("surrounded", [shadow, frame, two_edges], ids=lambda each: each.__name__)
def test_surroundings_are_removed_from_jpegs_too(surrounded, classifier: Classifier) -> None:
    """A JPEG is read as well, although it has ripples around everything."""
    for digit in (1, 4, 7):
        file = png(surrounded(digit), "JPEG", quality=85)
        assert classifier.read(file).digit == digit


def test_a_digit_that_touches_the_edges_stays_whole() -> None:
    """In a tightly cropped picture the top of a 5 runs along the edge: it is neither frame nor shadow."""
    for digit in DIGITS:
        ink = drawn(DIGITS[digit])
        rows, columns = np.nonzero(ink > 128)
        tight = ink[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
        difference = preprocess(png(tight)) - preprocess(png(ink))
        assert np.abs(difference).mean() < 0.03, digit


def test_a_frame_without_a_drawing_is_not_a_digit(classifier: Classifier) -> None:
    """A frame with nothing in it is refused."""
    picture = Image.new("L", (WIDTH, HEIGHT), 255)
    ImageDraw.Draw(picture).rectangle((20, 20, WIDTH - 21, HEIGHT - 21), outline=90, width=2)
    assert classifier.read(picture).digit is None


# Each operation alone: what it removes, and what it must not remove.


def test_specks_are_removed() -> None:
    """A speck of dust far from the drawing goes, and nothing of the drawing does."""
    ink = drawn(DIGITS[3])
    dusty = ink.copy()
    dusty[5:8, 240:243] = 255
    np.testing.assert_array_equal(surroundings.remove_specks(dusty), ink)


def dotted_one() -> np.ndarray:
    """A 1 written like an i, with a dot above its stem."""
    return drawn([[(125, 90), (125, 200)], [(125, 60)]])


def five_of_two_strokes() -> np.ndarray:
    """A 5 whose bar does not touch the rest."""
    return drawn(
        [
            [(104, 80), (96, 112), (120, 104), (156, 130), (150, 170), (100, 190)],
            [(112, 56), (160, 54)],
        ]
    )


def crossed_seven() -> np.ndarray:
    """A 7 with a bar across its stem."""
    return drawn([*DIGITS[7], [(110, 122), (165, 116)]])


@pytest.mark.parametrize(
    "drawing", [dotted_one, five_of_two_strokes, crossed_seven], ids=lambda each: each.__name__
)
def test_small_parts_of_a_drawing_are_not_specks(drawing) -> None:
    """The dot of an i, the bar of a 5 and the cross of a 7 stay, also in a picture that is mostly empty."""
    ink = np.pad(drawing(), 300)
    np.testing.assert_array_equal(surroundings.remove_specks(ink), ink)
    np.testing.assert_array_equal(decode(png(ink)), ink)


@pytest.mark.parametrize("edge", range(4))
def test_what_runs_along_an_edge_is_removed(edge: int) -> None:
    """A dark strip along any edge of the picture goes; a drawing away from it stays."""
    ink = drawn(DIGITS[2])
    stripped = np.rot90(ink, edge).copy()
    stripped[:, :6] = 255
    np.testing.assert_array_equal(
        surroundings.remove_edge_components(stripped), np.rot90(ink, edge)
    )


def test_a_drawing_alone_at_the_edge_stays() -> None:
    """A 1 along the left edge and a 5 with its bar on the top edge stay if nothing else is drawn."""
    one = drawn(DIGITS[1], shift=(-100, 0))
    assert one[:, 0].any()
    five = drawn(DIGITS[5], shift=(0, -58))
    assert np.count_nonzero(five[0]) >= surroundings.ALONG * 250
    for ink in (one, five):
        np.testing.assert_array_equal(surroundings.remove_edge_components(ink), ink)


def test_a_border_around_the_picture_is_cut_off() -> None:
    """The border of a screenshot goes with its rows and columns; what is inside stays as it is."""
    ink = drawn(DIGITS[4])
    np.testing.assert_array_equal(surroundings.cut_border(np.pad(ink, 5, constant_values=200)), ink)
    np.testing.assert_array_equal(surroundings.cut_border(ink), ink)


def test_a_thick_border_is_a_drawing() -> None:
    """A frame thicker than a sixteenth of the picture, such as a canvas that somebody filled, stays."""
    for ink in (
        np.pad(drawn(DIGITS[4]), 40, constant_values=200),
        np.full((99, 99), 255, np.uint8),
    ):
        np.testing.assert_array_equal(surroundings.cut_border(ink), ink)


def test_a_frame_has_four_sides() -> None:
    """Ink on three edges, or with a wide gap on one, is not a frame; round corners are."""
    framed = np.pad(np.zeros((96, 96), np.uint8), 2, constant_values=255)
    assert surroundings.has_frame(framed)
    rounded = framed.copy()
    rounded[:4, :4] = rounded[-4:, -4:] = 0
    assert surroundings.has_frame(rounded)
    open_above, gap = framed.copy(), framed.copy()
    open_above[:2, 2:-2] = 0
    gap[40:60, 0] = 0
    assert not surroundings.has_frame(open_above)
    assert not surroundings.has_frame(gap)
    assert not surroundings.has_frame(np.zeros((0, 0), np.uint8))


def test_faint_ink_next_to_a_dark_desk_is_stretched() -> None:
    """On paper the drawing's own strongest ink becomes 255, however dark its surroundings are."""
    page = sheet(8, 190, 140)
    page[:, 750:] = 20
    ink = photo.find_ink(np.asarray(photographed(page)))
    assert not ink[:, 700:].any()
    assert np.median(ink[ink > 0]) > 150


def test_single_grains_are_not_a_drawing() -> None:
    """Paper with a few dark pixels on it is blank."""
    page = np.full((HEIGHT, WIDTH), 190.0)
    page[100::300, 100::200] = 30
    assert not decode(photographed(page)).any()


def test_a_canvas_is_read_without_scipy(seven: bytes) -> None:
    """A process that reads canvases, drawn on or blank, never loads SciPy: it costs a worker memory."""
    code = (
        "import sys, numpy\n"
        "from digitre import Classifier\n"
        "assert Classifier().read(sys.stdin.buffer.read()).digit == 7\n"
        "assert Classifier().read(numpy.zeros((250, 250))).reason == 'blank'\n"
        "sys.exit('scipy' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], input=seven, capture_output=True)
    assert done.returncode == 0, done.stderr.decode()
