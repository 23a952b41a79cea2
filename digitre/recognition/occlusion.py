"""Occlusion sensitivity: remove some ink, and watch how the answer changes."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from digitre.recognition.classifier import NO_DIGIT, Classifier
from digitre.recognition.preprocessing import SIDE

PATCH = 5  # pixels per side of the square that is removed at a time, about as wide as a stroke
STEP = 2  # pixels from one patch to the next
TINY = 1e-9  # the least probability that is reckoned with, so that odds are finite


def explain(classifier: Classifier, pixels: np.ndarray) -> tuple[int, np.ndarray]:
    """Measure how much each pixel's ink supported the answer (Zeiler and Fergus 2014).

    A square of ink is removed at each place that has some. That ink is worth as much as the logarithm of the
    answer's odds falls without it; a pixel is worth the mean of the squares that it is in. Feature maps
    would show the network; this shows the drawing.

    Args:
        classifier: the network.
        pixels: (1, 28, 28, 1) float32, as `Classifier.preprocess` returns it, not blank.

    Returns:
        The answer that is explained, the most probable of the eleven: 0 to 9, or 10 for not a digit.
        And (28, 28) float32 in [-1, 1], the strongest being 1 or -1: above 0 where ink supported the
        answer, below 0 where it spoke against it, 0 where there is no ink.

    Raises:
        ValueError: as `Classifier.classify` does.
    """
    picture = pixels.reshape(SIDE, SIDE)
    corners = [
        (top, left)
        for top in range(1 - PATCH, SIDE, STEP)
        for left in range(1 - PATCH, SIDE, STEP)
        if picture[_patch(top, left)].sum() > 0
    ]
    occluded = np.repeat(pixels, len(corners), axis=0)
    for copy, (top, left) in zip(occluded, corners, strict=True):
        copy[_patch(top, left)] = 0
    rows = classifier.classify(np.concatenate([pixels, occluded]))
    digits = rows.sum(1)
    answer = NO_DIGIT if 1 - digits[0] > rows[0].max() else int(rows[0].argmax())
    if answer == NO_DIGIT:
        odds = np.log(np.maximum(1 - digits, TINY) / np.maximum(digits, TINY))
    else:
        odds = np.log(np.maximum(rows[:, answer], TINY) / np.maximum(1 - rows[:, answer], TINY))
    worth, squares = np.zeros((2, SIDE, SIDE))
    for fall, (top, left) in zip(odds[0] - odds[1:], corners, strict=True):
        worth[_patch(top, left)] += fall
        squares[_patch(top, left)] += 1
    worth = worth / np.maximum(squares, 1) * (picture > 0)
    return answer, (worth / max(float(np.abs(worth).max()), TINY)).astype(np.float32)


def _patch(top: int, left: int) -> tuple[slice, slice]:
    return slice(max(top, 0), top + PATCH), slice(max(left, 0), left + PATCH)


# Ink that supported the answer is bright yellow, ink that mattered little is grey, and ink that spoke against
# the answer is dark blue: they differ in lightness too, for people who see colours differently.
FOR, AGAINST, NEITHER = np.array([(255, 214, 92), (64, 110, 255), (96, 96, 104)], float)


def to_png(pixels: np.ndarray, worth: np.ndarray) -> bytes:
    """The explanation as a 28 x 28 colour PNG: the ink of `pixels`, coloured by its `worth`."""
    ink = pixels.reshape(SIDE, SIDE, 1)
    strength = np.abs(worth)[..., None]
    colour = NEITHER + (np.where(worth[..., None] > 0, FOR, AGAINST) - NEITHER) * strength
    packed = io.BytesIO()
    Image.fromarray(np.rint(ink * colour).astype(np.uint8)).save(packed, "PNG")
    return packed.getvalue()
