"""The steps from a picture to what the network sees."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image
from strokes import DIGITS, drawn

from digitre.recognition import preprocessing
from digitre.training.data import datasets


def middle_of_mass(pixels: np.ndarray) -> tuple[float, float]:
    y, x = np.mgrid[0 : pixels.shape[0], 0 : pixels.shape[1]]
    return float((y * pixels).sum() / pixels.sum()), float((x * pixels).sum() / pixels.sum())


def extent(pixels: np.ndarray, floor: float = 0.1) -> tuple[int, int]:
    rows, columns = np.flatnonzero((pixels > floor).any(1)), np.flatnonzero((pixels > floor).any(0))
    return int(np.ptp(rows)) + 1, int(np.ptp(columns)) + 1


@pytest.mark.parametrize("digit", DIGITS)
def test_result_has_the_form_of_mnist(digit: int) -> None:
    """Any drawing becomes (1, 28, 28, 1) float32 in [0, 1], 20 pixels long, centred by its mass."""
    pixels = preprocessing.preprocess(255 - drawn(DIGITS[digit]))
    assert pixels.shape == (1, 28, 28, 1)
    assert pixels.dtype == np.float32
    assert pixels.min() == 0
    assert pixels.max() == 1
    picture = pixels[0, :, :, 0]
    assert 19 <= max(extent(picture)) <= 22
    assert middle_of_mass(picture) == pytest.approx((14, 14), abs=0.3)


@pytest.mark.parametrize("shift", [(-60, -55), (70, 50), (0, 49), (-3, 7)])
def test_place_does_not_matter(shift: tuple[int, int]) -> None:
    """A drawing moved by whole pixels, up to a corner, gives the same numbers."""
    there = preprocessing.preprocess(drawn(DIGITS[3], scale=0.5, shift=shift))
    here = preprocessing.preprocess(drawn(DIGITS[3], scale=0.5))
    np.testing.assert_array_equal(there, here)


@pytest.mark.parametrize(
    ("canvas", "pen", "off"), [(28, 1.4, 0.06), (100, 5, 0.03), (1000, 48, 0.01), (4000, 190, 0.01)]
)
def test_size_hardly_matters(canvas: int, pen: float, off: float) -> None:
    """A canvas of 28 to 4,000 pixels gives nearly the same picture as one of 250."""
    small = preprocessing.preprocess(drawn(DIGITS[5], canvas=canvas, scale=canvas / 250, pen=pen))
    usual = preprocessing.preprocess(drawn(DIGITS[5]))
    assert np.abs(small - usual).mean() < off


def test_a_digit_cut_by_the_edge_is_fitted_like_any_other() -> None:
    """Ink that touches the edge of the canvas is cropped and centred all the same."""
    picture = preprocessing.preprocess(drawn(DIGITS[0], shift=(70, 0)))[0, :, :, 0]
    assert 19 <= max(extent(picture)) <= 22
    assert middle_of_mass(picture) == pytest.approx((14, 14), abs=0.3)


def test_ink_never_leaves_the_frame() -> None:
    """If the mass lies at one end, the ink is moved back just enough to stay in the picture."""
    ink = np.zeros((200, 200), np.uint8)
    ink[20:180, 95:100] = 255  # a stem with a heavy foot
    ink[140:180, 60:140] = 255
    square = preprocessing.centre(preprocessing.crop(ink))
    assert square.sum() == ink.sum()
    assert square[0].any(), "it is moved no further than to the edge"


@pytest.mark.parametrize("value", [0, 255, 128, 3])
def test_a_blank_picture_gives_zeros(value: int) -> None:
    """A picture of one brightness gives zeros, and no warning."""
    assert not preprocessing.preprocess(np.full((250, 250), value, np.uint8)).any()


@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (300, 1), (2, 2)])
def test_the_smallest_pictures_are_accepted(shape: tuple[int, int]) -> None:
    """Pictures of a pixel or a line give finite numbers in [0, 1]."""
    picture = np.zeros(shape, np.uint8)
    picture[0, 0] = 255
    pixels = preprocessing.preprocess(picture)
    assert np.isfinite(pixels).all()
    assert 0 <= pixels.min() <= pixels.max() <= 1


def test_a_single_pixel_in_a_corner_is_ink() -> None:
    """The smallest drawing is not blank: it fills the box as a dot does."""
    picture = np.zeros((250, 250), np.uint8)
    picture[249, 0] = 255
    assert extent(preprocessing.preprocess(picture)[0, :, :, 0]) == (20, 20)


def test_resizing_keeps_what_has_the_size() -> None:
    """Ink of 20 pixels goes to 28 x 28 without any pixel being changed."""
    ink = np.random.default_rng(0).uniform(0, 255, (20, 20)).astype(np.float32)
    small = preprocessing.centre_and_resize(ink)
    np.testing.assert_array_equal(small, preprocessing.centre(ink))


def test_scale_stretches_to_zero_and_one() -> None:
    """The lowest value becomes 0 and the highest 1; a picture of one value gives zeros."""
    scaled = preprocessing.scale(np.array([[50, 100], [150, 60]], np.float32))
    np.testing.assert_allclose(scaled, [[0, 0.5], [1, 0.1]], atol=1e-6)
    assert not preprocessing.scale(np.full((28, 28), 9, np.float32)).any()


def test_the_last_step_is_what_the_network_sees() -> None:
    """The steps come in their order, and the last equals what `preprocess` returns."""
    picture = drawn(DIGITS[8])
    steps = preprocessing.steps(picture)
    assert [step.name for step in steps] == ["decode", "crop", "centre", "resize", "scale"]
    assert steps[-1].pixels.dtype == np.float32
    np.testing.assert_array_equal(steps[-1].pixels, preprocessing.preprocess(picture)[0, :, :, 0])


def test_mnist_comes_out_as_it_went_in(real_data) -> None:
    """At least 99.9 % of MNIST's test pictures change by less than a hundredth per pixel."""
    pictures = datasets.mnist("test")[0]
    shaped = np.stack([preprocessing.preprocess(picture)[0, :, :, 0] for picture in pictures])
    off = np.abs(shaped - pictures / 255).max((1, 2))
    assert (off < 0.01).mean() > 0.999
    assert np.abs(shaped - pictures / 255).mean() < 2e-4


@pytest.mark.parametrize("side", [9, 20, 28, 64, 250, 500, 1000])
def test_one_product_equals_pillow(side: int) -> None:
    """Placing and resizing in one product gives what Pillow makes of the square, for any size."""
    for strokes in DIGITS.values():
        small = Image.fromarray(drawn(strokes)).resize((side, side), Image.Resampling.BICUBIC)
        picture = 255 - np.asarray(small)
        square = Image.fromarray(
            preprocessing.centre(preprocessing.crop(preprocessing.decode(picture)))
        )
        resized = np.asarray(square.resize((28, 28), Image.Resampling.BILINEAR))
        np.testing.assert_allclose(
            preprocessing.preprocess(picture)[0, :, :, 0], preprocessing.scale(resized), atol=2e-6
        )
