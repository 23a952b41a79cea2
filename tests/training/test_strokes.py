"""Strokes are drawn as on a canvas, and varied at random."""

from __future__ import annotations

import numpy as np
import pytest
from strokes import DIGITS, drawn, smooth

from digitre.training.data import augmentation, hershey, synthetic
from digitre.training.data.strokes import fit, render


def test_a_dot_is_a_disc() -> None:
    """One point becomes a disc as wide as the pen, at the same place."""
    ink = render([np.array([[40.0, 30.0]])], 100, 80, 12) / 255
    assert ink.shape == (80, 100)
    assert ink.sum() == pytest.approx(np.pi * 36, rel=0.04)
    y, x = np.mgrid[0:80, 0:100] + 0.5
    assert (x * ink).sum() / ink.sum() == pytest.approx(40, abs=0.1)
    assert (y * ink).sum() / ink.sum() == pytest.approx(30, abs=0.1)


@pytest.mark.parametrize("pen", [1, 3, 12, 25])
@pytest.mark.parametrize("end", [(160.0, 50.0), (50.0, 160.0), (140.0, 120.0)])
def test_a_line_is_as_wide_as_its_pen(pen: float, end: tuple[float, float]) -> None:
    """A line covers its length times the pen's width, plus a half disc at each end."""
    start = np.array([50.0, 50.0])
    ink = render([np.array([start, end])], 200, 200, pen) / 255
    length = np.hypot(*(np.array(end) - start))
    assert ink.sum() == pytest.approx(
        length * pen + np.pi * pen**2 / 4, rel=0.03 if pen > 3 else 0.3
    )


def test_strokes_outside_the_canvas_are_cut_off() -> None:
    """Strokes may leave the canvas, partly or completely."""
    assert not render([np.array([[-90.0, -90.0], [-50.0, -50.0]])], 50, 50, 12).any()
    ink = render([np.array([[-20.0, 25.0], [70.0, 25.0]])], 50, 50, 10)
    assert (ink[22:28] == 255).all()


def test_fit_scales_moves_and_flips() -> None:
    """The longer side gets the size, the middle moves to its place, and y is flipped."""
    fitted = fit([np.array([[0, 0], [10, 40]])], 80, 100, 100, flip=True)[0]
    np.testing.assert_allclose(fitted, [[90, 140], [110, 60]])


def test_a_varied_drawing_is_still_the_same_digit(classifier) -> None:
    """The network still reads digits that are bent, rotated, drawn with another pen or on paper."""
    random = np.random.default_rng(3)
    correct = []
    for digit, strokes in DIGITS.items():
        for _ in range(20):
            pixels = augmentation.draw([smooth(stroke) for stroke in strokes], random, flip=False)
            assert pixels.shape == (28, 28)
            assert pixels.dtype == np.uint8
            row = classifier.classify(pixels[None, ..., None] / 255)[0]
            correct.append(row.argmax() == digit)
    assert np.mean(correct) > 0.95


def test_warped_pictures_keep_their_shape_and_type() -> None:
    """Warping returns as many pictures of the same type, each different from before."""
    before = np.stack([augmentation.as_bytes(np.eye(28)) * 1] * 5)
    after = augmentation.warp(before, np.random.default_rng(0))
    assert after.shape == before.shape
    assert after.dtype == np.uint8
    assert (after.max((1, 2)) > 200).all()
    assert not (after == before).all((1, 2)).any()


def test_a_photograph_is_small_dark_and_grainy() -> None:
    """A photo has dark ink on light paper, and is 32 to 120 pixels high."""
    random = np.random.default_rng(1)
    for _ in range(20):
        photo = augmentation.photograph(drawn(DIGITS[3]), random)
        assert 32 <= photo.shape[0] <= 120
        assert np.median(photo) > photo.min() + 20


def test_a_digit_that_is_turned_over_is_another_drawing() -> None:
    """Each digit that can be turned over changes, and keeps its distances."""
    stroke = np.array([[0.0, 0.0], [3, 1], [1, 5]], np.float32)
    for digit in synthetic.TURNABLE:
        for seed in range(20):
            (turned,) = synthetic.turn_over([stroke], digit, np.random.default_rng(seed))
            assert not np.array_equal(turned, stroke)
            np.testing.assert_allclose(np.hypot(*turned.T), np.hypot(*stroke.T), rtol=1e-6)
    for _, digits in synthetic.TURNS:
        assert not set(digits) & set("0125")  # turned over, these may still look like a digit


def test_one_drawing_over_another() -> None:
    """The second drawing lies over the first one and is not larger."""
    random = np.random.default_rng(1)
    lower, upper = [np.array([[0.0, 0], [2, 4]])], [np.array([[10.0, 10], [90, 20]])]
    for _ in range(20):
        first, second = synthetic.overlay(lower, upper, random)
        assert np.ptp(first, axis=0).max() == pytest.approx(1)
        assert 0.39 < np.ptp(second, axis=0).max() <= 1.0001
        assert np.abs(second.mean(0) - first.mean(0)).max() <= 0.351


@pytest.mark.parametrize("kind", synthetic.KINDS, ids=lambda kind: kind.__name__)
def test_each_kind_of_scribble_can_be_drawn(kind, monkeypatch: pytest.MonkeyPatch) -> None:
    """For any random numbers the strokes are finite and leave ink."""
    monkeypatch.setattr(augmentation, "ON_PAPER", 0)  # on paper, a blot may look like the paper
    random = np.random.default_rng(0)
    for _ in range(20):
        strokes = kind(random)
        assert all(np.isfinite(stroke).all() and stroke.shape[1] == 2 for stroke in strokes)
        assert augmentation.draw(strokes, random, flip=False).max() == 255


def test_a_coarse_picture_keeps_its_ink() -> None:
    """A picture of a few large pixels is 96 x 96, and as bright as the drawing."""
    random = np.random.default_rng(2)
    for _ in range(20):
        coarse = augmentation.coarsen(drawn(DIGITS[8], pen=20), random)
        assert coarse.shape == (96, 96)
        assert coarse.max() > 150
        assert coarse.mean() > 30


def test_the_glyphs_of_the_fonts_can_be_drawn() -> None:
    """The Hershey fonts have over 300 signs, and eight fonts have all ten digits."""
    signs = hershey.signs()
    assert len(signs) > 300
    assert [digit for _, digit in hershey.digits()] == list(range(10)) * 8
    random = np.random.default_rng(0)
    for strokes in signs[::10]:
        assert augmentation.draw(strokes, random, flip=False).any()
