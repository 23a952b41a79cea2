"""A picture on an even ground becomes its ink, in any colours.

Ink is what differs from the ground, in any direction and channel: dark on light, light on dark, coloured,
or black on a transparent canvas, where only the alpha channel shows it. Photos and scans of paper have no
even ground: `digitre.recognition.photo` is for them.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageChops

MIN_CONTRAST = 8  # of 255: ink that differs from the ground by less is invisible
# JPEG and WebP leave ripples next to a stroke: values below this share of the strongest ink.
RIPPLE = 0.12
# A ground is even if at least half of its pixels differ by no more than this, of 255, from their median.
EVEN = 2
# A picture whose opaque pixels differ by no more than this, of 255, and cover less than half of it was
# drawn with one pen.
ONE_PEN = 24
# A ground of two tones in squares: each tone has at least a share `TONE` of the picture's border, both together have
# `TWO_TONES` of it, and they differ by no more than `UNLIKE`. Along each side they change `TURNS` times or more.
TONE, TWO_TONES, TURNS = 0.25, 0.7, 4
UNLIKE = 110  # of 255
LIGHT, DARK = 200, 56  # of 255: all channels above, or all below


class Ink(NamedTuple):
    """The ink of a picture, together with what surrounds the drawing: `surroundings.remove` takes it.

    Attributes:
        values: (height, width), how far each pixel differs from the ground: uint8, 0 to 255; on paper
            float32, -255 to 255, negative if the pixel differs in the other direction than ink does.
        margins: how many columns and rows without ink were cut off on the left, top, right and bottom, if
            there is plain ground on all four sides; else None.
        lossy: whether the file format was a lossy one.
        weights: on paper, (height, width) float32: the values without grain, 0 where there is no ink; on
            an even ground None, since all that differs is ink.
        strongest: on paper, the value of full ink.
    """

    values: np.ndarray
    margins: tuple[int, int, int, int] | None = None
    lossy: bool = False
    weights: np.ndarray | None = None
    strongest: float = 255.0


def on_plain_ground(picture: Image.Image | np.ndarray, lossy: bool = False) -> Ink | None:
    """The ink of a picture whose border has one opaque colour, as a canvas's has.

    It equals what `on_even_ground` finds, in a fraction of the time: only the box that differs from the
    ground is looked at.

    Args:
        picture: of mode L, LA, RGB or RGBA, or its pixels: (height, width) or (height, width, 2 to 4) uint8.
        lossy: whether it comes from a JPEG or WebP file.

    Returns:
        The ink inside its margins, or None if the border is not of one opaque colour.
    """
    pixels = np.asarray(picture)
    height, width = pixels.shape[:2]
    with_alpha = pixels.ndim == 3 and pixels.shape[2] in (2, 4)
    ground = pixels[0, 0]
    if with_alpha and ground[-1] < 255:
        return None
    box = _box(_differing(pixels))
    if box is None:
        return Ink(np.zeros((height, width), np.uint8), (0, 0, 0, 0))
    left, top, right, bottom = box
    if not (left > 0 and top > 0 and right < width and bottom < height):
        return None
    part = pixels[top:bottom, left:right]
    if pixels.ndim == 2:
        values = _distance(part, ground)
    else:
        *channels, last = (part[:, :, index] for index in range(pixels.shape[2]))
        if not with_alpha:
            channels.append(last)
        elif last.min() < 255:
            return None
        distances = (_distance(channel, ground[index]) for index, channel in enumerate(channels))
        values = functools.reduce(np.maximum, distances)
    cleaned = _clean(values, lossy, width * height - values.size)
    if cleaned is None:
        return None
    return Ink(cleaned, (left, top, width - right, height - bottom), lossy)


def on_clear_ground(pixels: np.ndarray) -> Ink | None:
    """The ink of one pen on a transparent canvas, which the drawing does not touch the edges of.

    It equals what `flatten`, `on_even_ground`, `surroundings.remove` and `trim` make of it, in a fraction of the time.

    Args:
        pixels: (height, width, 4) uint8: red, green, blue and opacity.

    Returns:
        The ink, margins left out; None if the picture is another one, or blank.
    """
    height, width = pixels.shape[:2]
    if pixels[0, 0].any():
        return None
    box = _box(_differing(pixels))
    if box is None:
        return None
    left, top, right, bottom = box
    part = pixels[top:bottom, left:right]
    if not (left > 0 and top > 0 and right < width and bottom < height) or not _is_of_one_pen(part):
        return None
    alpha = np.ascontiguousarray(part[:, :, 3])
    values = _clean(alpha, False, width * height - alpha.size)
    if values is None or not values.any():
        return None
    whole = trim(Ink(values))
    assert whole.margins
    margins = (left, top, width - right, height - bottom)
    start, above, end, below = (
        outer + inner for outer, inner in zip(margins, whole.margins, strict=True)
    )
    return whole._replace(margins=(start, above, end, below))


def _is_of_one_pen(part: np.ndarray) -> bool:
    """Whether all that is opaque, of (height, width, 4) pixels, has one colour, as `flatten` decides it."""
    if not part[:, :, :3].any():
        return True  # black, as a browser's canvas draws
    colours = part[part[:, :, 3] >= 128][:, :3]
    return not len(colours) or int(np.ptp(colours, axis=0).max()) < MIN_CONTRAST


def on_even_ground(image: Image.Image, lossy: bool = False) -> Ink | None:
    """The ink of a picture on an even ground, which may reach its edges.

    The ground is the median colour of the picture's border, or of the whole picture if the border's is not
    the ground.

    Args:
        image: opaque, of mode L or RGB: see `flatten`.
        lossy: whether it comes from a JPEG or WebP file.

    Returns:
        The ink, as large as the picture; None if the ground is uneven, as that of a photo is.
    """
    for difference in _even_differences(image, EVEN):
        values = _clean(np.asarray(difference), lossy)
        if values is not None:
            return Ink(values, lossy=lossy)
    return None


def differences_from_even_ground(image: Image.Image) -> list[np.ndarray]:
    """How far each pixel differs from the border's colour, and from most of the picture's.

    Unlike `on_even_ground`, it allows for the ripples of a lossy format, and keeps what is faint.

    Args:
        image: opaque, of mode L or RGB.

    Returns:
        (height, width) uint8 arrays: two if border and picture have different grounds, none if no ground
        is even.
    """
    differences = [np.asarray(each) for each in _even_differences(image, 2 * EVEN)]
    if len(differences) == 2 and np.array_equal(differences[0], differences[1]):
        return differences[:1]
    return differences


def _even_differences(image: Image.Image, tolerance: int) -> Iterator[Image.Image]:
    """Differences from the border's colour and from most of the picture's, if that part is even."""
    if tones := _chequered(image):
        beyond = _beyond(image, *tones)
        if sum(beyond.histogram()[: tolerance + 1]) >= 0.5 * image.width * image.height:
            yield beyond
            return
    border = np.median(_border_pixels(np.asarray(image)), axis=0)
    difference = _difference(image, border)
    distances = _border_pixels(np.asarray(difference))
    # Grainy paper is even nowhere; a canvas is, except for what is drawn on it.
    if np.count_nonzero(distances <= tolerance) >= 0.5 * distances.size:
        yield difference
    difference = _difference(image, _medians(image.histogram()))
    if sum(difference.histogram()[: tolerance + 1]) >= 0.5 * image.width * image.height:
        yield difference


def _chequered(image: Image.Image) -> tuple[np.ndarray, np.ndarray] | None:
    """The two tones of a ground of squares, as editors show transparency: the less and the greater of each channel.

    Along each side of the picture one tone follows the other, several times.
    """
    sides = edges_of(np.asarray(image, np.float32).reshape(image.height, image.width, -1))
    border = np.concatenate(sides)
    grey = border.mean(1)
    middle = (grey.min() + grey.max()) / 2
    is_light = grey > middle
    if not TONE <= is_light.mean() <= 1 - TONE:
        return None
    tones = np.median(border[~is_light], axis=0), np.median(border[is_light], axis=0)
    off = np.abs(border - np.where(is_light[:, None], tones[1], tones[0])).max(1)
    low, high = np.minimum(*tones), np.maximum(*tones)
    turns = [np.count_nonzero(np.diff(side.mean(1) > middle)) for side in sides]
    if min(turns) < TURNS or (off <= 2 * EVEN).mean() < TWO_TONES:
        return None
    return (low, high) if 4 * EVEN < (high - low).max() <= UNLIKE else None


def _beyond(image: Image.Image, low: np.ndarray, high: np.ndarray) -> Image.Image:
    """How far each pixel lies outside a range of tones, as a grey picture."""
    pixels = np.asarray(image, np.float32).reshape(image.height, image.width, -1)
    distance = np.maximum(low - pixels, pixels - high).max(2)
    return Image.fromarray(np.maximum(distance, 0).astype(np.uint8))


def _medians(histogram: list[int]) -> np.ndarray:
    """The median of each channel, as `np.median` counts: a large picture's histogram is made in no time."""
    counts = np.asarray(histogram).reshape(-1, 256).cumsum(1)
    total = counts[:, -1:]
    return ((counts <= (total - 1) // 2).sum(1) + (counts <= total // 2).sum(1)) / 2


def flatten(image: Image.Image) -> Image.Image:
    """Lay a picture on the ground that it was made for: an opaque picture stays as it is.

    Returns:
        An opaque picture of mode L or RGB. It is the alpha channel itself if one pen drew on a
        transparent ground.
    """
    if not image.has_transparency_data:
        return image
    image = image.convert("RGBA")
    alpha = image.getchannel("A")
    lowest, highest = alpha.getextrema()
    if lowest == 255:
        return image.convert("RGB")
    if highest == 0:
        return Image.new("L", image.size)
    opaque = alpha.point([0] * 128 + [255] * 128)
    covered = opaque.histogram()[255] / (image.width * image.height)
    if covered == 0:
        return alpha
    colours = image.convert("RGB")
    channels = np.asarray(colours.histogram(opaque)).reshape(3, 256)
    spread = max(int(np.ptp(np.flatnonzero(channel))) for channel in channels)
    if spread < MIN_CONTRAST or (spread <= ONE_PEN and covered < 0.5):
        return alpha
    ground = Image.new("RGBA", image.size, (*_backdrop(colours, opaque, covered), 255))
    return Image.alpha_composite(ground, image).convert("RGB")


def _backdrop(colours: Image.Image, opaque: Image.Image, covered: float) -> tuple[int, int, int]:
    """The ground for pens of several colours: (RGB, mode L with 255 where it is opaque, the share of that)."""
    red, green, blue = colours.split()
    least = ImageChops.darker(ImageChops.darker(red, green), blue).histogram(opaque)
    most = ImageChops.lighter(ImageChops.lighter(red, green), blue).histogram(opaque)
    light = sum(least[LIGHT + 1 :]) / sum(least)
    dark = sum(most[:DARK]) / sum(most)
    if light + dark > 0.8 and dark > 0.05:
        return (255,) * 3  # black ink, and white that was painted over or around it
    histogram = colours.histogram(opaque)
    if covered < 0.5:
        # Pens on a transparent canvas: the ground that differs most from them.
        mean = float(np.dot(histogram, np.arange(3 * 256) % 256)) / sum(histogram)
        return (255,) * 3 if mean < 128 else (0,) * 3
    # An opaque picture with holes or round corners: its own ground fills them.
    first, second, third = _medians(histogram)
    return int(first), int(second), int(third)


def bounding_box(ink: np.ndarray) -> tuple[slice, slice]:
    """The rows and columns from the first to the last with ink; empty slices if there is none."""
    left, top, right, bottom = _box(ink != 0) or (0, 0, 0, 0)
    return slice(top, bottom), slice(left, right)


def _box(inked: np.ndarray) -> tuple[int, int, int, int] | None:
    """Left, top, right and bottom of what is True in (height, width) bool; None if nothing is.

    Searching bytes takes a fraction of the time that NumPy's `any` takes for each row.
    """
    width, found = inked.shape[1], inked.tobytes()
    first = found.find(1)
    if first < 0:
        return None
    top, bottom = first // width, found.rfind(1) // width + 1
    row = inked[top:bottom].any(0).tobytes()
    return row.find(1), top, row.rfind(1) + 1, bottom


def _differing(pixels: np.ndarray) -> np.ndarray:
    """Which pixels differ from the first one: (height, width) bool."""
    if pixels.ndim == 2:
        return pixels != pixels[0, 0]
    if pixels.shape[2] == 3:
        channels = (pixels[:, :, index] for index in range(3))
        return functools.reduce(np.logical_or, (each != each[0, 0] for each in channels))
    whole = np.ascontiguousarray(pixels).view(f"u{pixels.shape[2]}")[:, :, 0]
    return whole != whole[0, 0]


def _distance(values: np.ndarray, level: np.uint8) -> np.ndarray:
    """How far grey values differ from one: (height, width) uint8."""
    if level == 255:
        return ~values
    if level == 0:
        return values.copy()
    return np.maximum(values, level) - np.minimum(values, level)


def trim(ink: Ink) -> Ink:
    """Ink without its margins: they are 0 on a side where it touches the edge of the picture."""
    rows, columns = bounding_box(ink.values)
    height, width = ink.values.shape
    if rows.stop == 0:
        return ink
    margins = columns.start, rows.start, width - columns.stop, height - rows.stop
    return Ink(ink.values[rows, columns], margins, ink.lossy)


def edges_of(pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """The first and the last row, the first and the last column."""
    return pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]


def _border_pixels(pixels: np.ndarray) -> np.ndarray:
    return np.concatenate(edges_of(pixels))


def _difference(image: Image.Image, ground: np.ndarray) -> Image.Image:
    """The largest difference from the ground in any channel, as a grey picture."""
    colour = tuple(int(value) for value in np.atleast_1d(ground))
    plain = Image.new(image.mode, image.size, colour if len(colour) > 1 else colour[0])
    difference = ImageChops.difference(image, plain)
    if difference.mode == "L":
        return difference
    red, green, blue = difference.split()
    return ImageChops.lighter(ImageChops.lighter(red, green), blue)


def _clean(values: np.ndarray, lossy: bool, margin: int = 0) -> np.ndarray | None:
    """Set the ripples of a lossy format, and invisible differences, to 0.

    Args:
        values: (height, width) uint8, how far each pixel differs from the ground.
        lossy: whether the file format was a lossy one.
        margin: how many pixels without ink were cut off.

    Returns:
        (height, width) uint8, or None if so much differs that this is not the ground.
    """
    strongest = int(values.max())
    if strongest < MIN_CONTRAST:
        return np.zeros_like(values)
    ground = margin + np.count_nonzero(values <= strongest // 2)
    if ground < 0.25 * (margin + values.size):
        return None
    strong = values >= max(MIN_CONTRAST, int(RIPPLE * strongest))
    if margin + values.size - np.count_nonzero(strong) < 0.5 * ground:
        return None
    if not lossy and margin + values.size - np.count_nonzero(values) >= 0.7 * ground:
        return _crop_to_visible(values)
    return values * strong


def _crop_to_visible(values: np.ndarray) -> np.ndarray:
    """Set pixels outside the box of visible ink, with a pixel around it, to 0.

    A program drew this, so every grey value inside is meant. But an invisible pixel, such as one of
    254 on white, must not widen the bounding box of the digit.
    """
    sides = values[:2], values[-2:], values[:, :2], values[:, -2:]
    if all(side.max() >= MIN_CONTRAST for side in sides):
        return values
    visible = values >= MIN_CONTRAST
    rows, columns = np.flatnonzero(visible.any(1)), np.flatnonzero(visible.any(0))
    box = tuple(
        slice(max(0, int(places[0]) - 1), int(places[-1]) + 2) for places in (rows, columns)
    )
    cropped = np.zeros_like(values)
    cropped[box] = values[box]
    return cropped
