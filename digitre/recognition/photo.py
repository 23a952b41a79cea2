"""Photographed or scanned paper, unevenly lit and grainy, becomes its ink.

SciPy is imported where it is used: a worker that reads canvases only is spared its memory.
"""

from __future__ import annotations

import numpy as np
from PIL import Image

from digitre.recognition import surroundings
from digitre.recognition.ink import MIN_CONTRAST, Ink

MAX_SIDE = 1000  # pixels per side that are looked at; larger photos are averaged down
GRID = 48  # pixels per side, at most, of the picture that the paper's light is fitted to
# Ink differs from the paper by at least this many standard deviations of the paper's grain ...
GRAIN = 4.0
# ... and by at least this share of the strongest ink.
FAINT = 0.2
SMOOTHING = 0.7  # standard deviation in pixels of the Gaussian filter that evens out grain
# The share of the grain's standard deviation that this filter leaves: 0.41 if grain is single pixels, more
# if it is coarse.
SMOOTHED = 0.6
# Scales a median absolute deviation to the standard deviation of a normal distribution.
MAD_TO_DEVIATION = 1.4826
SMALLEST = 12  # pixels of ink, at least: fewer are grain


def find_ink(grey: np.ndarray) -> np.ndarray:
    """The drawing on photographed paper, without its surroundings: `training` sees paper so too.

    Args:
        grey: (height, width) uint8.

    Returns:
        (height, width) uint8, 0 to 255, 0 where there is paper; averaged down to at most 1,000 pixels per
        side.
    """
    return surroundings.remove(on_paper(Image.fromarray(grey)))


def on_paper(image: Image.Image) -> Ink:
    """The ink on photographed or scanned paper, with its surroundings.

    The paper's brightness is fitted by a quadratic surface. What is darker than it is ink, or what is
    brighter, whichever amounts to more.

    Args:
        image: grey, of mode L.
    """
    from scipy import ndimage

    if max(image.size) > MAX_SIDE:
        image = image.reduce(-(-max(image.size) // MAX_SIDE))
    difference = fit_light(image) - np.asarray(image, dtype=np.float32)
    grain = grain_of(difference)
    outliers = np.abs(difference) > max(GRAIN * grain, MIN_CONTRAST)
    if difference[outliers].sum() < 0:
        difference = -difference
    # Grain is single pixels, ink is not: a smoothed picture shows where ink is.
    weights = ndimage.gaussian_filter(difference, SMOOTHING)
    floor = max(GRAIN * grain * SMOOTHED, MIN_CONTRAST)
    above = weights[weights > floor]
    strongest = float(np.percentile(above, 90)) if above.size else 0.0
    weights[weights <= max(floor, FAINT * strongest)] = 0
    return Ink(difference, weights=weights, strongest=strongest)


def grain_of(difference: np.ndarray) -> float:
    """The standard deviation of the paper's grain, from medians, which ink hardly changes.

    If ink or its soft edges fill most of the picture, most pixels differ from the paper, but neighbours
    still differ by grain only. Coarse grain makes neighbours too alike, hence the factor of 2.
    """
    of_pixels = MAD_TO_DEVIATION * float(np.median(np.abs(difference)))
    if difference.shape[1] < 2:
        return of_pixels
    steps = np.abs(np.diff(difference, axis=1))
    of_neighbours = MAD_TO_DEVIATION * float(np.median(steps)) / 2**0.5
    return min(of_pixels, 2 * of_neighbours)


def fit_light(image: Image.Image) -> np.ndarray:
    """The brightness of the bare paper at each pixel: (height, width) float32, 0 to 255.

    A quadratic surface is fitted by least squares to a small copy, in four rounds that leave out the
    pixels that fit worst, which are ink.
    """
    factor = max(1, -(-max(image.size) // GRID))
    small = np.asarray(image.reduce(factor), dtype=np.float64)
    terms = _quadratic_terms(*small.shape).reshape(-1, 6)
    values = small.ravel()
    # Paper covers more than half: begin with the pixels nearest to the median.
    misfit = np.abs(values - np.median(values))
    for _ in range(4):
        paper = misfit <= max(np.quantile(misfit, 0.6), 1.0)
        coefficients, *_ = np.linalg.lstsq(terms[paper], values[paper], rcond=None)
        misfit = np.abs(values - terms @ coefficients)
    full = _quadratic_terms(image.height, image.width).astype(np.float32)
    return np.clip(full @ coefficients.astype(np.float32), 0, 255)


def _quadratic_terms(height: int, width: int) -> np.ndarray:
    """1, x, y, x², xy, y² at each pixel, with x and y from -1 to 1: (height, width, 6) float64."""
    y = np.linspace(-1, 1, height)[:, None]
    x = np.linspace(-1, 1, width)[None, :]
    one = np.ones((height, width))
    return np.stack([one, one * x, one * y, one * x * x, x * y, one * y * y], -1)
