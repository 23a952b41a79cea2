"""A picture, however it was painted, becomes its ink.

What is ink and what is ground is decided for each picture: dark on light, light on dark, coloured, or
black on a transparent canvas, where only the alpha channel knows. What lies around the drawing, such as
a frame or specks of dust, is no ink.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
from PIL import Image, ImageChops

from digitre.recognition.decoding import LARGEST, PictureError

# Under this difference from the ground (of 255) nobody sees ink: the picture is blank.
MIN_CONTRAST = 8
STRIP = 65_536  # pixels of a picture that are compared with its ground at once
# JPEG and WebP leave ripples beside a stroke; what is fainter than this share of the strongest ink
# is taken for a ripple.
RIPPLE = 0.12
# Of the box that holds the ink, a digit fills more than this, but for the thinnest pens: else it may be a
# digit and a speck of dust far away.
SPARSE = 0.08
# The ground is even where at least half of it differs by no more than this from its middle value.
EVEN = 2


def find_ink(image: Image.Image, *, cropped: bool = False) -> np.ndarray:
    """How far each pixel is from the picture's ground: (height, width) uint8, zero where blank.

    `cropped` allows to leave out margins without ink, which saves time.

    Ink is what differs from the ground, in whichever direction and channel; the ground is the
    colour of the picture's border, or of most of the picture where the two disagree. Pictures
    without an even ground, such as photos, go to `digitre.recognition.photo`.

    Raises:
        PictureError: `not_a_picture` where it has no pixels.
    """
    if 0 in image.size:
        raise PictureError("not_a_picture", "The picture has no pixels: send a whole one.")
    lossy = image.format in ("JPEG", "WEBP")  # a converted picture no longer knows
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        image = _stretch(image)
    elif image.mode == "1":
        image = image.convert("L")
    elif image.mode not in ("L", "LA", "RGB", "RGBA"):
        image = image.convert("RGBA" if image.has_transparency_data else "RGB")
    if max(image.size) >= 2 * LARGEST:
        image = image.reduce(max(image.size) // LARGEST)
    found = _on_plain_ground(image, lossy, cropped)
    if found is not None:
        return found
    if image.has_transparency_data:
        image = _flatten(image.convert("RGBA"))
    pixels = np.asarray(image)
    for where in (_border, _everywhere):
        ink = _difference(image, np.median(where(pixels), axis=0))
        off = where(np.asarray(ink))
        # Grainy paper is nowhere even; a canvas is, but for what is drawn on it.
        if np.count_nonzero(off <= EVEN) >= 0.5 * off.size:
            cleaned = _clean(ink, lossy)
            if cleaned is not None:
                return _without_border(cleaned)
    from digitre.recognition import (
        photo,  # photos are rare, and SciPy's filters cost a worker memory
    )

    return photo.find_ink(np.asarray(image.convert("L")))


def _on_plain_ground(image: Image.Image, lossy: bool, cropped: bool) -> np.ndarray | None:
    """The ink of a picture whose border is of one opaque colour, as a canvas's is; else None.

    What `find_ink` does gives the same, but here only the part that holds ink is looked at.
    """
    ground: Any = image.getpixel((0, 0))
    opaque = not image.mode.endswith("A") or ground[-1] == 255
    difference, box = _from_ground(image, ground)
    height, width = image.height, image.width
    if box is None:
        return np.zeros((height, width), np.uint8) if opaque else None
    left, top, right, bottom = box
    if not (opaque and left > 0 and top > 0 and right < width and bottom < height):
        return None
    if difference.mode != "L":
        difference, *others = difference.split()
        if image.mode.endswith("A") and others.pop().getbbox():
            return None
        for band in others:
            difference = ImageChops.lighter(difference, band)
    cleaned = _clean(difference, lossy, width * height - difference.width * difference.height)
    if cleaned is None:
        return None
    alone = _by_itself(cleaned, lossy)
    if cropped:
        return alone
    ink = np.zeros((height, width), np.uint8)
    ink[top:bottom, left:right] = alone
    return ink


def _by_itself(ink: np.ndarray, lossy: bool) -> np.ndarray:
    """The ink of a plain ground without a frame around it, or specks of dust far from it."""
    # What a lossy format leaves around a frame was cleaned away.
    part = _inked(ink) if lossy else (slice(None), slice(None))
    framed = _has_frame(ink[part])
    if not framed and np.count_nonzero(ink) >= SPARSE * ink.size:
        return ink
    from digitre.recognition import photo  # rare, and SciPy's labels cost a worker memory

    if not framed:
        return photo.without_dust(ink)
    inside = photo.inner(ink[part])
    if inside is None:
        return ink
    alone = np.zeros_like(ink)
    alone[part] = inside
    return alone


def _from_ground(
    image: Image.Image, ground: Any
) -> tuple[Image.Image, tuple[int, int, int, int] | None]:
    """How far each pixel is from a colour, and the box of those that are: left, top, right, bottom;
    None for none. Only the box of the difference is given.

    A large picture is looked at in strips that stay in the processor's cache.
    """
    rows = max(1, STRIP // image.width)
    if rows >= image.height:
        difference = ImageChops.difference(image, _plain(image.mode, image.size, ground))
        box = difference.getbbox(alpha_only=False)
        return difference.crop(box), box
    plain = _plain(image.mode, (image.width, rows), ground)
    boxes = []
    for top in range(0, image.height, rows):
        strip = image.crop((0, top, image.width, min(top + rows, image.height)))
        found = ImageChops.difference(strip, plain).getbbox(alpha_only=False)
        if found is not None:
            boxes.append((found[0], found[1] + top, found[2], found[3] + top))
    if not boxes:
        return image.crop((0, 0, 0, 0)), None
    lefts, tops, rights, bottoms = zip(*boxes, strict=True)
    box = min(lefts), min(tops), max(rights), max(bottoms)
    inked = image.crop(box)
    return ImageChops.difference(inked, Image.new(image.mode, inked.size, ground)), box


@functools.lru_cache(maxsize=4)
def _plain(mode: str, size: tuple[int, int], ground: Any) -> Image.Image:
    """A picture of one colour, kept: canvases of one size and ground come again and again."""
    return Image.new(mode, size, ground)


def _border(pixels: np.ndarray) -> np.ndarray:
    return np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])


def _everywhere(pixels: np.ndarray) -> np.ndarray:
    return pixels.reshape(-1, *pixels.shape[2:])


def _stretch(image: Image.Image) -> Image.Image:
    """A picture of more than eight bits, brought to eight."""
    values = np.asarray(image)
    if values.dtype.kind == "f":
        values = np.nan_to_num(values)
    low, high = float(values.min()), float(values.max())
    if image.mode != "F" and low >= 0:
        # 16-bit files often hold 10 or 12 bits.
        low, high = 0.0, float(next(top for top in _TOPS if high <= top))
    elif high - low < 1e-9:
        return Image.new("L", image.size)
    stretched = np.empty(values.shape, np.uint8)
    # A strip at a time: a large picture of floats would take four times its own memory.
    for top in range(0, len(values), 256):
        strip = values[top : top + 256].astype(np.float32)
        stretched[top : top + 256] = np.rint((strip - low) * (255 / (high - low)))
    return Image.fromarray(stretched)


_TOPS = (255, 1023, 4095, 16383, 65535, 2**31)


def _flatten(image: Image.Image) -> Image.Image:
    """An RGBA picture laid on the ground it was made for."""
    alpha = image.getchannel("A")
    low, high = alpha.getextrema()
    if low == 255:
        return image.convert("RGB")
    if high == 0:
        return Image.new("L", image.size)
    opaque = np.asarray(alpha) > 127
    if not opaque.any():
        return alpha
    colours = np.asarray(image)[opaque][:, :3]
    spread = int(np.ptp(colours, axis=0).max())
    covered = float(opaque.mean())
    if spread < MIN_CONTRAST or (spread <= 24 and covered < 0.5):
        return alpha  # one pen on glass: the ink is where it is opaque
    light = float((colours.min(axis=1) > 200).mean())
    dark = float((colours.max(axis=1) < 56).mean())
    if light + dark > 0.8 and dark > 0.05:
        backdrop = (255,) * 3  # black ink, and white that was laid over it or around it
    elif covered < 0.5:
        # Pens of several colours on glass: a ground as far from them as can be.
        backdrop = (255,) * 3 if colours.mean() < 128 else (0,) * 3
    else:
        # An opaque picture with holes or round corners: its own ground fills them.
        red, green, blue = np.median(colours, axis=0)
        backdrop = (int(red), int(green), int(blue))
    ground = Image.new("RGBA", image.size, (*backdrop, 255))
    return Image.alpha_composite(ground, image).convert("RGB")


def _difference(image: Image.Image, ground: np.ndarray) -> Image.Image:
    """The largest difference from the ground in any channel, as a grey picture."""
    colour = tuple(int(value) for value in np.atleast_1d(ground))
    plain = Image.new(image.mode, image.size, colour if len(colour) > 1 else colour[0])
    difference = ImageChops.difference(image, plain)
    if difference.mode == "L":
        return difference
    red, green, blue = difference.split()
    return ImageChops.lighter(ImageChops.lighter(red, green), blue)


def _clean(ink: Image.Image, lossy: bool, around: int = 0) -> np.ndarray | None:
    """The ink above the ripples of its file format, or None where this is not the ground.

    `around` is the number of pixels without ink that were cut off.
    """
    extrema: Any = ink.getextrema()
    level: int = extrema[1]
    values = np.asarray(ink)
    if level < MIN_CONTRAST:
        return np.zeros_like(values)
    floor = max(MIN_CONTRAST, int(RIPPLE * level))
    ground = around + np.count_nonzero(values <= level // 2)
    if ground < 0.25 * (around + values.size):
        return None
    strong = values >= floor
    if around + values.size - np.count_nonzero(strong) < 0.5 * ground:
        return None
    if not lossy and around + values.size - np.count_nonzero(values) >= 0.7 * ground:
        # Drawn by a program: every grey value means what it says, but one that nobody sees, such as a
        # single pixel of 254 on white, must not widen the box that the digit is cut out by.
        outer = values[:2], values[-2:], values[:, :2], values[:, -2:]
        if all(edge.max() >= MIN_CONTRAST for edge in outer):
            return values
        visible = values >= MIN_CONTRAST
        rows, columns = np.flatnonzero(visible.any(1)), np.flatnonzero(visible.any(0))
        inside = _around(rows, len(visible)), _around(columns, visible.shape[1])
        seen = np.zeros_like(values)
        seen[inside] = values[inside]
        return seen
    return values * strong


def _inked(ink: np.ndarray) -> tuple[slice, slice]:
    left, top, right, bottom = Image.fromarray(ink).getbbox() or (0, 0, 0, 0)
    return slice(top, bottom), slice(left, right)


def _around(found: np.ndarray, length: int) -> slice:
    """From the first to the last of some places, and one more to each side."""
    return slice(max(0, int(found[0]) - 1), min(length, int(found[-1]) + 2))


def _has_frame(ink: np.ndarray) -> bool:
    """Whether all four edges are inked nearly from end to end: what has round corners counts."""
    if ink.size == 0:
        return False
    edges = (ink[0], ink[-1], ink[:, 0], ink[:, -1])
    return all(np.count_nonzero(edge) > 0.9 * edge.size for edge in edges)


def _without_border(ink: np.ndarray) -> np.ndarray:
    """The ink inside a frame, such as the border that a screenshot of a canvas has, and beside what
    runs along an edge of the picture.
    """
    from digitre.recognition import photo  # rare, and SciPy's labels cost a worker memory

    rest = photo.inner(ink)
    if rest is not None:
        return rest
    height, width = ink.shape
    for thickness in range(min(height, width) // 16 + 1):
        inside = ink[thickness : height - thickness, thickness : width - thickness]
        if not _has_frame(inside):
            return inside
    return ink  # too thick for a frame: somebody filled the canvas
