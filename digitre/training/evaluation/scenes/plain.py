"""Plain scenes: a digit on an even ground in many forms, and a digit at an edge."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw
from scipy import ndimage

from digitre.training.evaluation.scenes.drawing import (
    BLACK,
    WHITE,
    Cover,
    Random,
    Sheet,
    Writing,
    anywhere,
    box_around,
    canvas,
    draw_lines,
    jpeg,
    lay,
    pack,
    page_shape,
    photograph,
    write,
)


def plain(writing: Writing, random: Random) -> bytes:
    sheet = canvas(writing, random)
    return pack(lay(sheet.ground, sheet.ink, random.uniform(0, 60)))


def corner(writing: Writing, random: Random) -> bytes:
    shape = height, width = page_shape(random)
    size = random.uniform(0.2, 0.4) * min(shape)
    off = 0.62 * size
    x, y = random.choice([off, width - off]), random.choice([off, height - off])
    ink = write(writing.digit, random, size, shape, (x, y))
    return pack(lay(np.full(shape, WHITE), ink, BLACK))


def noise(writing: Writing, random: Random) -> bytes:
    sheet = canvas(writing, random)
    page = lay(sheet.ground - 15, sheet.ink, 20)
    return pack(page + random.normal(0, random.uniform(2, 9), page.shape))


def colours(writing: Writing, random: Random) -> bytes:
    """A pen and a ground of any two colours that differ in lightness."""
    sheet = canvas(writing, random)
    lightness = np.array([0.3, 0.59, 0.11])
    pen = ground = np.zeros(3)
    while abs((pen - ground) @ lightness) <= 70:
        pen, ground = random.integers(0, 256, (2, 3))
    rgb = ground + (pen - ground) * sheet.ink[..., None]
    return pack(Image.fromarray(np.rint(rgb).astype(np.uint8)))


def coarse_jpeg(writing: Writing, random: Random) -> bytes:
    return jpeg(canvas(writing, random).written(), int(random.integers(8, 35)))


def box(writing: Writing, random: Random) -> bytes:
    sheet = canvas(writing, random)
    shorter = min(sheet.height, sheet.width)
    inset = 2 * random.uniform(0.0, 0.06) * shorter
    thick = 2 * max(1, int(random.uniform(0.004, 0.02) * shorter))
    corners = (inset, inset, 2 * sheet.width - inset - 1, 2 * sheet.height - inset - 1)
    frame = draw_lines(
        sheet.ground.shape, lambda pen: pen.rectangle(corners, outline=255, width=thick)
    )
    return pack(lay(lay(sheet.ground, frame, random.uniform(0, 190)), sheet.ink, BLACK))


def glass(writing: Writing, random: Random) -> bytes:
    """Black ink on a transparent ground."""
    sheet = canvas(writing, random)
    picture = Image.new("RGBA", (sheet.width, sheet.height), (0, 0, 0, 0))
    picture.putalpha(Image.fromarray(np.rint(255 * sheet.ink).astype(np.uint8)))
    return pack(picture)


def blackboard(writing: Writing, random: Random) -> bytes:
    shape = page_shape(random, 200, 500)
    size = random.uniform(0.3, 0.7) * min(shape)
    ink = write(writing.digit, random, size, shape, anywhere(size, shape, random))
    smears = ndimage.gaussian_filter(random.normal(0, 1, shape), 12)
    board = random.uniform(25, 70) + smears * (random.uniform(0, 3) / smears.std())
    chalk = ink * (1 - 0.25 * random.random(shape))
    return photograph(lay(board, chalk, random.uniform(190, 245)), random)


def tiny(writing: Writing, random: Random) -> bytes:
    """28 x 28 pixels, as MNIST has them."""
    ink = write(writing.digit, random, 20, (28, 28), (14, 14), (0.08, 0.15))
    return pack(lay(np.full((28, 28), WHITE), ink, BLACK))


def toolbar(writing: Writing, random: Random) -> bytes:
    """A canvas below a drawing program's bar with up to four buttons."""
    page = canvas(writing, random).written()
    bar = int(random.uniform(0.06, 0.16) * len(page))
    whole = np.concatenate([np.full((bar, page.shape[1]), random.uniform(40, 225)), page])
    edge = int(0.2 * bar)
    for number in range(int(random.integers(0, 5))):
        left = int(bar * (0.3 + number))
        whole[edge : bar - edge, left : left + bar - 2 * edge] = random.uniform(0, 255)
    return pack(whole)


def scroll_bar(writing: Writing, random: Random) -> bytes:
    """A screenshot of a page with a scroll bar at its right."""
    sheet = canvas(writing, random)
    bar = int(random.integers(8, 18))
    track = np.full((sheet.height, bar), random.uniform(205, 250))
    length = int(random.uniform(0.15, 0.6) * sheet.height)
    top = int(random.uniform(0, sheet.height - length))
    gap = int(random.integers(0, 4))
    track[top : top + length, gap : bar - gap] = random.uniform(90, 195)
    picture = Image.fromarray(np.rint(np.concatenate([sheet.written(), track], 1)).astype(np.uint8))
    if random.random() < 0.5:  # the buttons with arrows
        pen = ImageDraw.Draw(picture)
        for y, tip in ((bar // 2, -1), (sheet.height - bar // 2, 1)):
            x = sheet.width + bar / 2
            pen.polygon([(x - 3, y - 2 * tip), (x + 3, y - 2 * tip), (x, y + 2 * tip)], 60)
    return pack(picture)


# At an edge.


def touching(writing: Writing, random: Random) -> bytes:
    return pack(_at_edge(writing, random, 0.0).written())


def sticking_out(writing: Writing, random: Random) -> bytes:
    return pack(_at_edge(writing, random, 0.04).written())


def _at_edge(writing: Writing, random: Random, over: float) -> Sheet:
    """A canvas with a digit that one edge cuts off by `over`, as a share of its height or width."""
    shape = height, width = page_shape(random)
    size = random.uniform(0.4, 0.75) * min(shape)
    ink = write(writing.digit, random, size, (2 * height, 2 * width), (width, height), (0.05, 0.12))
    y, x = _window(ink, shape, over, random) if ink.any() else (0, 0)
    return Sheet(np.full(shape, WHITE), ink[y : y + height, x : x + width], size)


def _window(ink: Cover, shape: tuple[int, int], over: float, random: Random) -> tuple[int, int]:
    """Where a window on the ink begins, so that one of its edges cuts a part of the ink off."""
    height, width = shape
    top, bottom, left, right = box_around(ink)
    edge = int(random.integers(4))
    cut = round(over * (bottom - top if edge < 2 else right - left))
    y = random.uniform(bottom - height + 2, top - 2)
    x = random.uniform(right - width + 2, left - 2)
    if edge < 2:
        y = top + cut if edge == 0 else bottom - cut - height
    else:
        x = left + cut if edge == 2 else right - cut - width
    return int(np.clip(y, 0, height)), int(np.clip(x, 0, width))
