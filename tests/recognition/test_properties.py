"""What is true of every picture: Hypothesis searches for one of which it is not."""

from __future__ import annotations

import numpy as np
import pytest
from conftest import png
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image
from strokes import DIGITS, OTHERS, drawn

from digitre import Classifier
from digitre.recognition.preprocessing import preprocess

# The same examples each time, so that a test always passes or always fails. `make fuzz` tries others.
settings.register_profile(
    "fixed",
    derandomize=True,
    deadline=None,
    max_examples=150,
    suppress_health_check=list(HealthCheck),
)
settings.load_profile("fixed")

sides = st.tuples(st.integers(1, 80), st.integers(1, 80))
grey = arrays.arrays(np.uint8, sides)
colour = arrays.arrays(np.uint8, sides.map(lambda side: (*side, 3)))
glass = arrays.arrays(np.uint8, sides.map(lambda side: (*side, 4)))
noise = st.builds(
    lambda side, seed, low, high: np.random.default_rng(seed).integers(
        min(low, high), max(low, high) + 1, (*side, 3), np.uint8
    ),
    sides,
    st.integers(0, 2**32 - 1),
    st.integers(0, 255),
    st.integers(0, 255),
)
pictures = st.one_of(grey, colour, glass, noise).map(Image.fromarray)
kinds = st.sampled_from(["PNG", "WEBP", "JPEG"])


def as_file(picture: Image.Image, kind: str) -> bytes:
    return png(picture.convert("RGB") if kind == "JPEG" else picture, kind)


@given(pictures, kinds)
def test_any_picture_gives_28_by_28_in_0_to_1(picture: Image.Image, kind: str) -> None:
    """The pixels are finite float32 of one shape; they span 0 to 1, or are all 0 if it is blank."""
    pixels = preprocess(as_file(picture, kind))
    assert pixels.shape == (1, 28, 28, 1)
    assert pixels.dtype == np.float32
    assert np.isfinite(pixels).all()
    assert (pixels.min(), pixels.max()) in [(0, 1), (0, 0)]


@given(pictures, kinds, st.floats(0, 1))
def test_the_probabilities_of_any_reading_sum_to_one(
    classifier: Classifier, picture: Image.Image, kind: str, threshold: float
) -> None:
    """Ten probabilities and `not_a_digit` are finite, not below 0, and sum to 1 within 1e-5."""
    reading = classifier.read(as_file(picture, kind), threshold)
    every = [*reading.probabilities, reading.not_a_digit]
    assert np.isfinite(every).all()
    assert min(every) >= 0
    assert sum(every) == pytest.approx(1, abs=1e-5)
    assert reading.confidence == max(reading.probabilities)
    assert (reading.digit is None) == (reading.reason is not None)


@given(
    st.sampled_from([*DIGITS.values(), *OTHERS.values()]),
    st.tuples(st.integers(-40, 40), st.integers(-40, 40)),
    st.integers(0, 120),
    st.tuples(*[st.integers(0, 255)] * 3),
)
def test_moving_a_drawing_by_whole_pixels_changes_nothing(strokes, move, room: int, ground) -> None:
    """A drawing in another place, or on a larger canvas, gives exactly the same pixels."""
    ink = drawn(strokes)
    there = np.zeros((330 + room, 330 + room), np.uint8)
    there[40 + move[1] : 290 + move[1], 40 + move[0] : 290 + move[0]] = ink
    np.testing.assert_array_equal(preprocess(255 - there), preprocess(255 - ink))
    # On any ground, with a pen that differs from it.
    pen = np.array([0 if value > 127 else 255 for value in ground])
    cover = there[..., None] / 255
    painted = np.rint(np.array(ground) * (1 - cover) + pen * cover).astype(np.uint8)
    moved = preprocess(Image.fromarray(painted))
    assert np.abs(moved - preprocess(255 - ink)).mean() < 0.01
