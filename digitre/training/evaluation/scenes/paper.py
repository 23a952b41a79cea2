"""Photos of paper: light, shadows, lines, dust, and what comes with a sheet."""

from __future__ import annotations

import numpy as np
from scipy import ndimage, special

from digitre.training.data.strokes import render
from digitre.training.evaluation.scenes.drawing import (
    BLACK,
    WHITE,
    Cover,
    Random,
    Sheet,
    Writing,
    canvas,
    free_corner,
    grid,
    jpeg,
    lay,
    pack,
    paper,
    photograph,
    places,
    write,
)


def graph_photo(writing: Writing, random: Random) -> bytes:
    sheet = paper(writing, random, pen=(0.06, 0.13))
    lines = grid(sheet.ground.shape, random)
    return _with_lines(sheet, lines, random.uniform(0.7, 0.88), random)


def ruled_photo(writing: Writing, random: Random) -> bytes:
    sheet = paper(writing, random, pen=(0.06, 0.13))
    lines = grid(sheet.ground.shape, random, rows_only=True)
    return _with_lines(sheet, lines, random.uniform(0.65, 0.88), random)


def marker(writing: Writing, random: Random) -> bytes:
    """A thick marker on squared paper."""
    sheet = paper(writing, random, pen=(0.14, 0.22))
    lines = grid(sheet.ground.shape, random)
    return _with_lines(sheet, lines, random.uniform(0.65, 0.88), random)


def _with_lines(sheet: Sheet, lines: Cover, lightness: float, random: Random) -> bytes:
    """A photo of lined paper; `lightness` of the lines is relative to the paper's."""
    under = lay(sheet.ground, lines, sheet.ground.mean() * lightness)
    return photograph(lay(under, sheet.ink, sheet.tone), random)


def legal_pad(writing: Writing, random: Random) -> bytes:
    """Ruled paper with the two lines of a margin on the left."""
    sheet = paper(writing, random, pen=(0.06, 0.13))
    lines = 0.8 * grid(sheet.ground.shape, random, rows_only=True)
    x = random.uniform(0.08, 0.16) * sheet.width
    for left in (int(x), int(x + random.uniform(3, 7))):
        lines[:, left : left + max(1, sheet.width // 250)] = 1
    return _with_lines(sheet, lines, random.uniform(0.5, 0.75), random)


# Light.


def soft_shadow(writing: Writing, random: Random) -> bytes:
    sheet = paper(writing, random)
    blur = random.uniform(0.05, 0.15) * min(sheet.height, sheet.width)
    return photograph(sheet.written() * _shadow(sheet.ground.shape, random, blur), random)


def hard_shadow(writing: Writing, random: Random) -> bytes:
    sheet = paper(writing, random)
    blur = random.uniform(0.3, 1.5)
    return photograph(sheet.written() * _shadow(sheet.ground.shape, random, blur), random)


def _shadow(shape: tuple[int, int], random: Random, blur: float) -> np.ndarray:
    """By which factor each pixel is darker: about half of the picture lies in a shadow.

    `blur` is the standard deviation of the shadow's edge, in pixels.
    """
    height, width = shape
    y, x = places(shape)
    angle = random.uniform(0, 2 * np.pi)
    cos, sin = np.cos(angle), np.sin(angle)
    inside = cos * x + sin * y - random.uniform(-0.35, 0.35)
    pixels = inside / np.hypot(2 * cos / width, 2 * sin / height)
    return 1 - special.ndtr(pixels / blur) * random.uniform(0.18, 0.5)


def thin_uneven(writing: Writing, random: Random) -> bytes:
    """A thin pen in very uneven light."""
    sheet = paper(writing, random, slope=40, pen=(0.012, 0.03))
    tone = sheet.ground.mean() * random.uniform(0.3, 0.6)
    return photograph(lay(sheet.ground, sheet.ink, tone), random)


def pencil(writing: Writing, random: Random) -> bytes:
    """A soft pencil: grey, with gaps from the paper's grain."""
    sheet = paper(writing, random, pen=(0.03, 0.08))
    grain = ndimage.gaussian_filter(random.normal(0, 1, sheet.ground.shape), 0.8)
    ink = sheet.ink * np.clip(0.85 + 0.15 * grain / grain.std(), 0.3, 1)
    return photograph(
        lay(sheet.ground, ink, sheet.ground.mean() * random.uniform(0.5, 0.7)), random
    )


def fold(writing: Writing, random: Random) -> bytes:
    """A sheet that was folded once: the two halves are lit differently, with a crease between them."""
    sheet = paper(writing, random)
    y, x = places(sheet.ground.shape)
    angle = random.choice([0.0, np.pi / 2]) + random.normal(0, 0.1)
    distance = np.cos(angle) * x + np.sin(angle) * y - random.uniform(-0.4, 0.4)
    halves = 1 - random.uniform(0.03, 0.12) * (distance > 0)
    crease = 1 - random.uniform(0.05, 0.2) * np.exp(
        -((distance / random.uniform(0.006, 0.02)) ** 2)
    )
    return photograph(sheet.written() * halves * crease, random)


def vignette(writing: Writing, random: Random) -> bytes:
    """The dark corners of a cheap lens."""
    sheet = paper(writing, random)
    y, x = places(sheet.ground.shape)
    falloff = np.clip((x * x + y * y) / 2, 0, 1) ** random.uniform(1, 3)
    return photograph(sheet.written() * (1 - random.uniform(0.3, 0.7) * falloff), random)


def finger(writing: Writing, random: Random) -> bytes:
    """A dark fingertip over the corner that is furthest from the digit."""
    sheet = paper(writing, random)
    (x, y), gap = free_corner(sheet)
    reach = min(random.uniform(0.15, 0.4) * min(sheet.height, sheet.width), 0.8 * gap)
    rows, columns = np.mgrid[: sheet.height, : sheet.width]
    angle = np.arctan2(sheet.height / 2 - y, sheet.width / 2 - x) + random.normal(0, 0.3)
    along = (columns - x) * np.cos(angle) + (rows - y) * np.sin(angle)
    across = (rows - y) * np.cos(angle) - (columns - x) * np.sin(angle)
    # It is as long as `reach`, about half as wide, and comes from outside the picture.
    half = random.uniform(0.35, 0.6) * reach
    tip = reach - half
    distance = np.hypot(np.maximum(along - tip, 0), across)
    blur = random.uniform(0.5, 4)
    cover = ndimage.gaussian_filter((distance < half).astype(float), blur)
    skin = sheet.ground.mean() * random.uniform(0.25, 0.65) * (1 - 0.2 * across / max(half, 1))
    return photograph(sheet.written() * (1 - cover) + skin * cover, random)


# Dust, holes, and ink from elsewhere.


def dust(writing: Writing, random: Random) -> bytes:
    """Specks of up to some pixels on smooth paper."""
    sheet = paper(writing, random)
    largest = max(2, int(0.012 * sheet.size)) + 1
    specks = np.zeros(sheet.ground.shape)
    share = random.uniform(0.0005, 0.004)
    for _ in range(max(3, int(share * specks.size / (1 + largest)))):
        y, x = random.integers(0, sheet.height), random.integers(0, sheet.width)
        side = int(random.integers(1, largest + 1))
        specks[y : y + side, x : x + side] = random.uniform(0.4, 1)
    page = lay(sheet.ground, specks, sheet.ground.mean() * 0.4)
    page = lay(page, sheet.ink, sheet.tone)
    return jpeg(page, 92) if random.random() < 0.5 else photograph(page, random)


def specks(writing: Writing, random: Random) -> bytes:
    """Single black or white pixels on a canvas: salt and pepper."""
    page = canvas(writing, random).written()
    hit = random.random(page.shape) < random.uniform(0.003, 0.015)
    page[hit] = random.choice([BLACK, WHITE], int(hit.sum()))
    return pack(page)


def punched(writing: Writing, random: Random) -> bytes:
    """Two to four punched holes at the left, through which the dark desk shows."""
    sheet = paper(writing, random)
    radius = random.uniform(0.015, 0.035) * sheet.height
    radius = min(radius, 0.3 * sheet.box.left)
    x = random.uniform(1.4 * radius, max(sheet.box.left - 2 * radius, 1.4 * radius))
    count = int(random.integers(2, 5))
    step = random.uniform(0.7, 1) * sheet.height / count
    first = (sheet.height - (count - 1) * step) / 2
    centres = [np.array([[x, first + k * step]]) for k in range(count)]
    holes = render(centres, sheet.width, sheet.height, 2 * radius) / 255
    desk = sheet.ground.mean() * random.uniform(0.15, 0.6)
    return photograph(lay(lay(sheet.ground, holes, desk), sheet.ink, sheet.tone), random)


def show_through(writing: Writing, random: Random) -> bytes:
    """Writing on the back of the sheet shines through: faint, mirrored, blurred."""
    sheet = paper(writing, random)
    back = np.zeros((sheet.height, sheet.width))
    for _ in range(int(random.integers(2, 6))):
        middle = random.uniform(0, 1, 2) * (sheet.width, sheet.height)
        size = sheet.size * random.uniform(0.6, 1)
        ink = write(
            writing.other(random), random, size, (sheet.height, sheet.width), (middle[0], middle[1])
        )
        back = np.maximum(back, ink[:, ::-1])
    back = ndimage.gaussian_filter(back, random.uniform(0.5, 2)) * random.uniform(0.04, 0.12)
    return photograph(lay(lay(sheet.ground, back, BLACK), sheet.ink, sheet.tone), random)


def glare(writing: Writing, random: Random) -> bytes:
    """A whiteboard, not wiped clean, with the reflection of a lamp away from the digit."""
    sheet = paper(writing, random)
    shape = sheet.ground.shape
    y, x = places(shape)
    (corner_x, corner_y), _ = free_corner(sheet)
    across = (2 * corner_x / sheet.width - 1) * random.uniform(0.4, 0.9)
    down = (2 * corner_y / sheet.height - 1) * random.uniform(0.4, 0.9)
    lamp = np.exp(-((x - across) ** 2 + (y - down) ** 2) / random.uniform(0.02, 0.12))
    smears = ndimage.gaussian_filter(random.normal(0, 1, shape), 14)
    ground = sheet.ground + random.uniform(60, 130) * lamp + 4 * smears / smears.std()
    return photograph(np.minimum(lay(ground, 0.85 * sheet.ink, sheet.tone), WHITE), random)
