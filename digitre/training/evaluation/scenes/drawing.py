"""What the scenes are made of: sheets with a digit, lines, light, and picture files.

A page is (height, width) float grey values, 0 for black to 255 for white. A cover is (height, width)
float in [0, 1]: how much of each pixel some ink covers.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from PIL import Image, ImageDraw
from scipy import ndimage

from digitre.training.data.strokes import Strokes, fit, render

Random = np.random.Generator
Page = np.ndarray
Cover = np.ndarray

PEN = (0.05, 0.14)  # range of the pen's width, relative to the digit's size
NUMBER = 1.5  # times its height: what is longer is more than one digit
FIRM_PEN = (0.06, 0.14)  # the same for a digit that lines cross
BLACK, WHITE = 0.0, 255.0


@dataclass(frozen=True)
class Writing:
    """What is written in a picture, as pen strokes.

    Attributes:
        digits: the digits that the picture shows: none, one or several.
        others: other drawings, for rests of writing around the digit. Only a scene without any such
            rests may do without.
    """

    digits: Sequence[Strokes] = ()
    others: Sequence[Strokes] = ()

    @property
    def digit(self) -> Strokes | None:
        """The first digit; None if there is none."""
        return self.digits[0] if self.digits else None

    def other(self, random: Random) -> Strokes:
        """One of the other drawings."""
        return self.others[int(random.integers(len(self.others)))]


class Box(NamedTuple):
    """A part of a page in pixels; `bottom` and `right` are the first row and column outside it."""

    top: int
    bottom: int
    left: int
    right: int


@dataclass(frozen=True)
class Sheet:
    """An empty sheet and a digit for it.

    Attributes:
        ground: the page without the digit.
        ink: the digit's cover; zeros if there is no digit.
        size: of the digit, in pixels: its longer side without the pen's width.
        tone: the grey value of the ink.
    """

    ground: Page
    ink: Cover
    size: float
    tone: float = BLACK

    @property
    def height(self) -> int:
        return len(self.ground)

    @property
    def width(self) -> int:
        return self.ground.shape[1]

    @property
    def box(self) -> Box:
        """The box around the digit; a box in the middle if there is no digit."""
        if self.ink.any():
            return box_around(self.ink)
        height, width = self.ground.shape
        return Box(int(0.3 * height), int(0.7 * height), int(0.35 * width), int(0.65 * width))

    def written(self) -> Page:
        """The page with the digit on it."""
        return lay(self.ground, self.ink, self.tone)


def box_around(ink: Cover) -> Box:
    """The smallest box with all the ink; there must be some."""
    rows, columns = np.flatnonzero(ink.any(1)), np.flatnonzero(ink.any(0))
    return Box(int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1)


def lay(ground: Page, ink: Cover, tone: float) -> Page:
    """A page with ink of a grey tone on it."""
    return ground * (1 - ink) + tone * ink


# Writing.


def random_pen(pen: tuple[float, float], random: Random) -> float:
    """A pen's width from a range, all ratios equally likely."""
    return float(np.exp(random.uniform(*np.log(pen))))


def write(
    strokes: Strokes | None,
    random: Random,
    size: float,
    shape: tuple[int, int],
    middle: tuple[float, float],
    pen: tuple[float, float] = PEN,
) -> Cover:
    """Write a drawing on an empty page.

    Args:
        strokes: y upwards; None for no ink.
        size: the longer side of the drawing in pixels.
        shape: (height, width) of the page.
        middle: x and y of the drawing's middle.
        pen: the range of the pen's width, relative to the size.
    """
    height, width = shape
    if strokes is None:
        return np.zeros(shape)
    lines = fit(strokes, size, *middle, flip=True)
    thick = size * random_pen(pen, random)
    across, down = np.ptp(np.concatenate(lines), axis=0)
    if across > NUMBER * down:
        thick *= down / across  # a number's digits are as high as it is, and not as long
    return render(lines, width, height, max(1.0, thick)) / 255.0


def anywhere(size: float, shape: tuple[int, int], random: Random) -> tuple[float, float]:
    """x and y of a middle that keeps a drawing of this size off the edges."""
    height, width = shape
    room_x, room_y = max(0.0, width / 2 - 0.65 * size), max(0.0, height / 2 - 0.65 * size)
    return (
        width / 2 + random.uniform(-room_x, room_x),
        height / 2 + random.uniform(-room_y, room_y),
    )


def page_shape(random: Random, low: int = 160, high: int = 520) -> tuple[int, int]:
    """The height and width of a page, in pixels."""
    width = int(np.exp(random.uniform(np.log(low), np.log(high))))
    return int(width * random.uniform(0.8, 1.25)), width


def canvas(writing: Writing, random: Random, *, pen: tuple[float, float] = PEN) -> Sheet:
    """A white canvas, and a digit anywhere on it."""
    shape = page_shape(random)
    size = random.uniform(0.3, 0.75) * min(shape)
    ink = write(writing.digit, random, size, shape, anywhere(size, shape, random), pen)
    return Sheet(np.full(shape, WHITE), ink, size)


def paper(
    writing: Writing, random: Random, *, slope: float = 14.0, pen: tuple[float, float] = PEN
) -> Sheet:
    """Paper in uneven light, and a digit anywhere on it.

    Args:
        slope: the standard deviation of how much the light changes across the page, in grey values.
        pen: the range of the pen's width.
    """
    shape = page_shape(random, 220, 620)
    size = random.uniform(0.3, 0.7) * min(shape)
    ink = write(writing.digit, random, size, shape, anywhere(size, shape, random), pen)
    ground = light(shape, random, slope)
    return Sheet(ground, ink, size, ground.mean() * random.uniform(0.15, 0.5))


def free_corner(sheet: Sheet) -> tuple[tuple[float, float], float]:
    """x and y of the corner that is furthest from the digit, and its distance from the digit."""
    top, bottom, left, right = sheet.box
    x = 0.0 if left + right > sheet.width else float(sheet.width)
    y = 0.0 if top + bottom > sheet.height else float(sheet.height)
    gap = np.hypot(max(left - x, x - right, 0), max(top - y, y - bottom, 0))
    return (x, y), float(gap)


# Light and lines.


def places(shape: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """y and x of each pixel, from -1 to 1."""
    height, width = shape
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    return y, x


def light(shape: tuple[int, int], random: Random, slope: float = 14.0) -> Page:
    """Empty paper in uneven light: a plane that is darker towards the edges."""
    y, x = places(shape)
    page = random.uniform(150, 235) + random.normal(0, slope) * x + random.normal(0, slope) * y
    return page - abs(random.normal(0, 0.6 * slope)) * (x * x + y * y)


def draw_lines(shape: tuple[int, int], draw: Callable[[ImageDraw.ImageDraw], object]) -> Cover:
    """Anti-aliased shapes: `draw` draws with the value 255 at twice the size."""
    height, width = shape
    picture = Image.new("L", (2 * width, 2 * height))
    draw(ImageDraw.Draw(picture))
    return np.asarray(picture.reduce(2), float) / 255


def line(shape: tuple[int, int], ends: tuple[float, float, float, float], thick: float) -> Cover:
    """One straight line from x0, y0 to x1, y1, all in pixels."""
    doubled = tuple(2 * value for value in ends)
    return draw_lines(shape, lambda pen: pen.line(doubled, 255, max(1, round(2 * thick))))


def grid(shape: tuple[int, int], random: Random, *, rows_only: bool = False) -> Cover:
    """The lines of squared paper, or of ruled paper."""
    height, width = shape
    step = random.uniform(0.05, 0.14) * min(shape)
    thick = max(1, round(2 * random.uniform(0.5, 1.5)))
    first_y, first_x = random.uniform(0, step, 2)

    def draw(pen: ImageDraw.ImageDraw) -> None:
        for y in np.arange(first_y, height, step):
            pen.line((0, 2 * y, 2 * width, 2 * y), 255, thick)
        for x in np.arange(first_x, width, step) if not rows_only else ():
            pen.line((2 * x, 0, 2 * x, 2 * height), 255, thick)

    return draw_lines(shape, draw)


# Picture files.


def to_image(page: Page) -> Image.Image:
    """A page as an 8-bit greyscale picture."""
    return Image.fromarray(np.clip(np.rint(page), 0, 255).astype(np.uint8))


def pack(page: Page | Image.Image, file_format: str = "PNG", **options: Any) -> bytes:
    """A page or a picture as a file."""
    picture = to_image(page) if isinstance(page, np.ndarray) else page
    file = io.BytesIO()
    picture.save(file, file_format, **options)
    return file.getvalue()


def jpeg(page: Page | Image.Image, quality: int) -> bytes:
    """A page or a picture as a JPEG file."""
    return pack(page, "JPEG", quality=quality)


def photograph(page: Page, random: Random) -> bytes:
    """A page as a camera gives it: a little blur, grain, JPEG."""
    page = ndimage.gaussian_filter(page, random.uniform(0.3, 1.1))
    grain = ndimage.gaussian_filter(random.normal(0, 1, page.shape), random.uniform(0.0, 0.7))
    page = page + grain * (random.uniform(0.5, 3.5) / max(grain.std(), 1e-6))
    return jpeg(page, int(random.integers(72, 95)))


def canvas_or_paper(sheet: Sheet, more: Cover, random: Random, tone: float | None = None) -> bytes:
    """A canvas with more on it than the digit: as it is, or as a photo of the same on paper.

    Args:
        more: what lies under the digit.
        tone: its grey value on the canvas; None for a random dark one. On paper it is dark.
    """
    tone = random.uniform(0, 110) if tone is None else tone
    if random.random() < 0.5:
        return pack(lay(lay(sheet.ground, more, tone), sheet.ink, sheet.tone))
    ground = light(sheet.ground.shape, random)
    under = lay(ground, more, 0.3 * ground.mean())
    return photograph(lay(under, sheet.ink, 0.25 * ground.mean()), random)
