"""Ink on paper, as a camera or a scanner sees it: uneven light, grain, specks."""

from __future__ import annotations

import numpy as np
from PIL import Image
from scipy import ndimage

from digitre.recognition.ink import MIN_CONTRAST

GRID = 48  # the light over the page is judged on a picture of at most this many pixels a side
LARGEST = 1000  # pixels a side that are looked at in full
# Ink must stand out of the paper's grain by this many standard deviations, and reach this share
# of the strongest ink.
GRAIN = 4.0
FAINT = 0.2
SMALLEST = 12  # pixels that the largest patch of ink must have
ALONG = 0.2  # of an edge: what touches so much of it may be a frame, a shadow or the desk
HIGH = 0.1  # of the picture's shorter side: what is at least so high or wide may be the drawing
SPECK = 0.03  # a patch with less than this share of the largest patch's ink is dust


def find_ink(grey: np.ndarray) -> np.ndarray:
    """The ink of a photographed or scanned drawing.

    The paper's brightness is fitted by a quadratic surface to the pixels that are not ink
    (least squares, leaving out what is far off, four rounds). Ink is what is darker, or brighter,
    whichever side holds more.

    Args:
        grey: (height, width) uint8.

    Returns:
        uint8 ink, zero where there is paper; at most 1,000 pixels a side.
    """
    image = Image.fromarray(grey)
    if max(image.size) > LARGEST:
        image = image.reduce(-(-max(image.size) // LARGEST))
    pixels = np.asarray(image, dtype=np.float32)
    light = _light(image)
    difference = light - pixels
    grain = _grain(difference)
    tail = np.abs(difference) > max(GRAIN * grain, MIN_CONTRAST)
    if difference[tail].sum() < 0:
        difference = -difference
    # Grain is single pixels, ink is not: the place of ink is judged on a smoothed picture.
    smooth = ndimage.gaussian_filter(difference, 0.7)
    floor = max(GRAIN * grain * 0.6, MIN_CONTRAST)
    standing_out = smooth[smooth > floor]
    if standing_out.size < SMALLEST:
        return np.zeros(grey.shape, np.uint8)
    strongest = float(np.percentile(standing_out, 90))
    floor = max(floor, FAINT * strongest)
    patches, count = ndimage.label(smooth > floor, np.ones((3, 3)))
    weights = ndimage.sum_labels(smooth, patches, np.arange(count + 1))
    weights[0] = 0
    if np.bincount(patches[patches > 0]).max(initial=0) < SMALLEST:
        return np.zeros(grey.shape, np.uint8)  # nothing but single grains
    beside = along_edges(patches, count)
    if beside.any():  # a shadow, the desk
        weights[beside] = 0
        strongest = float(np.percentile(smooth[weights[patches] > 0], 90))
    keep = (weights >= SPECK * weights.max()) & (weights > 0)
    ink = np.where(keep[patches], np.clip(difference, 0, strongest), 0)
    return np.rint(ink * (255 / strongest)).astype(np.uint8)


def without_dust(ink: np.ndarray) -> np.ndarray:
    """The ink without patches that are specks beside the largest one."""
    patches, count = ndimage.label(ink, np.ones((3, 3)))
    weights = ndimage.sum_labels(ink, patches, np.arange(count + 1))
    return np.where((weights < SPECK * weights.max())[patches], 0, ink).astype(ink.dtype)


def inner(ink: np.ndarray) -> np.ndarray | None:
    """The ink without what runs along the edges, or None where nothing does, or nothing else is."""
    patches, count = ndimage.label(ink, np.ones((3, 3)))
    beside = along_edges(patches, count)
    return np.where(beside[patches], 0, ink).astype(ink.dtype) if beside.any() else None


def along_edges(patches: np.ndarray, count: int) -> np.ndarray:
    """Which patches run along an edge of the picture for a good part of it: (count + 1,) bool.

    None do where nothing else is left that is of some size and touches no edge: a drawing that was
    cut out tightly touches them itself.
    """
    edges = (patches[0], patches[-1], patches[:, 0], patches[:, -1])
    share = np.array([np.bincount(edge, minlength=count + 1) / edge.size for edge in edges])
    beside = share.max(0) >= ALONG
    beside[0] = False
    if not beside.any():
        return beside
    height, width = patches.shape
    least = max(3, HIGH * min(height, width))
    others = np.where(beside[patches], 0, patches)
    for rows, columns in filter(None, ndimage.find_objects(others)):
        inside = (
            rows.start > 0 and columns.start > 0 and rows.stop < height and columns.stop < width
        )
        if inside and max(rows.stop - rows.start, columns.stop - columns.start) >= least:
            return beside
    return np.zeros(count + 1, bool)


def _grain(difference: np.ndarray) -> float:
    """The standard deviation of the paper's grain, from medians, which ink hardly moves.

    Where ink or its soft edges fill most of the picture, all pixels differ from the paper, but
    neighbours still differ by grain alone; where grain is coarse, neighbours differ by too little,
    hence the factor.
    """
    everywhere = 1.4826 * float(np.median(np.abs(difference)))
    if difference.shape[1] < 2:
        return everywhere
    beside = 1.4826 * float(np.median(np.abs(np.diff(difference, axis=1)))) / 2**0.5
    return min(everywhere, 2 * beside)


def _light(image: Image.Image) -> np.ndarray:
    """The brightness of the paper at each pixel of `image`, float32."""
    factor = max(1, -(-max(image.size) // GRID))
    small = np.asarray(image.reduce(factor), dtype=np.float64)

    def surface(height: int, width: int) -> np.ndarray:
        y = np.linspace(-1, 1, height)[:, None]
        x = np.linspace(-1, 1, width)[None, :]
        one = np.ones((height, width))
        return np.stack([one, one * x, one * y, one * x * x, x * y, one * y * y], -1)

    terms = surface(*small.shape).reshape(-1, 6)
    values = small.ravel()
    # Paper is the larger part: begin with the half of the pixels nearest to the middle one.
    misfit = np.abs(values - np.median(values))
    for _ in range(4):
        paper = misfit <= max(np.quantile(misfit, 0.6), 1.0)
        weights, *_ = np.linalg.lstsq(terms[paper], values[paper], rcond=None)
        misfit = np.abs(values - terms @ weights)
    full = surface(image.height, image.width).astype(np.float32)
    return np.clip(full @ weights.astype(np.float32), 0, 255)
