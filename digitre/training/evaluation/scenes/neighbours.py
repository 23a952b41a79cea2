"""Other ink next to a digit: rests of writing, rings, dots, stamps, small type."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from scipy import ndimage

from digitre.training.data.strokes import render
from digitre.training.evaluation.scenes.drawing import (
    BLACK,
    WHITE,
    Cover,
    Random,
    Sheet,
    Writing,
    box_around,
    canvas,
    canvas_or_paper,
    free_corner,
    lay,
    light,
    pack,
    page_shape,
    to_image,
    write,
)

GAP = 0.06  # of the digit's size: how far a rest of writing stays away from the digit
LEAST = 2  # pixels: a smaller rest is left out


def neighbour(writing: Writing, random: Random) -> bytes:
    """At the left or right edge, at most a quarter of a digit of the same size."""
    sheet = canvas(writing, random)
    top, bottom, left, right = sheet.box
    at_left = random.random() < 0.6
    room = (left if at_left else sheet.width - right) - GAP * sheet.size
    depth = int(min(random.uniform(0.06, 0.25) * sheet.size, room))
    more = np.zeros_like(sheet.ink)
    if depth >= LEAST:
        size = sheet.size * random.uniform(0.8, 1.2)
        middle = (sheet.width / 2, (top + bottom) / 2)
        ink = write(writing.other(random), random, size, more.shape, middle)
        # The end of the drawing at the digit's side of it.
        _, _, first, last = box_around(ink)
        depth = min(depth, last - first)
        if at_left:
            more[:, :depth] = ink[:, last - depth : last]
        else:
            more[:, -depth:] = ink[:, first : first + depth]
    return canvas_or_paper(sheet, more, random, BLACK)


def rests(writing: Writing, random: Random) -> bytes:
    """Ends of the lines of writing above and below, cut off by the edges."""
    sheet = canvas(writing, random)
    top, bottom, _, _ = sheet.box
    more = np.zeros_like(sheet.ink)
    for at_top, room in ((True, top), (False, sheet.height - bottom)):
        depth = min(random.uniform(0.05, 0.22) * sheet.size, room - GAP * sheet.size)
        if depth < LEAST:
            continue
        for rest in _row_of_rests(writing, sheet, at_top, depth, random):
            more = np.maximum(more, rest)
    return canvas_or_paper(sheet, more, random, BLACK)


def _row_of_rests(
    writing: Writing, sheet: Sheet, at_top: bool, depth: float, random: Random
) -> Iterator[Cover]:
    """One to three drawings that reach `depth` pixels into the sheet from above or below."""
    outside = sheet.size / 2 - depth
    y = -outside if at_top else sheet.height + outside
    for _ in range(int(random.integers(1, 4))):
        x = random.uniform(0.1, 0.9) * sheet.width
        rest = write(writing.other(random), random, sheet.size, sheet.ink.shape, (x, y))
        hidden = slice(int(depth), None) if at_top else slice(0, sheet.height - int(depth))
        rest[hidden] = 0
        yield rest


def circled(writing: Writing, random: Random) -> bytes:
    """A ring by hand around the digit."""
    shape = height, width = page_shape(random, 200, 520)
    size = random.uniform(0.3, 0.5) * min(shape)
    x, y = width / 2 + random.normal(0, 3), height / 2 + random.normal(0, 3)
    ink = write(writing.digit, random, size, shape, (x, y))
    angle = np.linspace(0, 2 * np.pi + random.uniform(-0.1, 0.5), 60)
    bend = 1 + 0.03 * np.sin(2 * angle + random.uniform(0, 6))
    radius = size * random.uniform(0.78, 0.98) * bend
    flat = random.uniform(0.9, 1.05)
    ring = np.stack([x + radius * np.cos(angle), y + flat * radius * np.sin(angle)], 1)
    pen = max(1.0, size * random.uniform(0.03, 0.1))
    more = render([ring], width, height, pen) / 255
    return canvas_or_paper(Sheet(np.full(shape, WHITE), ink, size), more, random, BLACK)


def erased(writing: Writing, random: Random) -> bytes:
    """The faint rest of another digit, which was erased, under the digit."""
    sheet = canvas(writing, random)
    top, bottom, left, right = sheet.box
    x = (left + right) / 2 + random.normal(0, 0.2 * sheet.size)
    y = (top + bottom) / 2 + random.normal(0, 0.1 * sheet.size)
    rest = write(writing.other(random), random, sheet.size, sheet.ink.shape, (x, y))
    return canvas_or_paper(sheet, rest * random.uniform(0.06, 0.22), random, BLACK)


def dot(writing: Writing, random: Random) -> bytes:
    """A small dot next to the digit, as from a tap on the screen."""
    sheet = canvas(writing, random)
    top, bottom, left, right = sheet.box
    near = ndimage.grey_dilation(sheet.ink, int(0.1 * sheet.size) + 3)
    for _ in range(50):
        x = random.uniform(left - 0.5 * sheet.size, right + 0.5 * sheet.size)
        y = random.uniform(top - 0.3 * sheet.size, bottom + 0.3 * sheet.size)
        pen = max(2, sheet.size * random.uniform(0.02, 0.06))
        mark = render([np.array([[x, y]])], sheet.width, sheet.height, pen) / 255
        inside = 2 < x < sheet.width - 2 and 2 < y < sheet.height - 2
        if inside and not (mark * near).any():
            break
    return pack(lay(lay(sheet.ground, mark, BLACK), sheet.ink, BLACK))


def pointer(writing: Writing, random: Random) -> bytes:
    """A mouse pointer that does not lie over the digit."""
    sheet = canvas(writing, random)
    for _ in range(50):
        x, y = random.uniform(0, sheet.width - 14), random.uniform(0, sheet.height - 20)
        if not sheet.ink[int(y) : int(y) + 22, int(x) : int(x) + 16].any():
            break
    picture = to_image(sheet.written())
    arrow = [(0, 0), (0, 16), (4, 12), (7, 19), (9, 18), (6, 11), (11, 11)]
    corners = [(x + across, y + down) for across, down in arrow]
    ImageDraw.Draw(picture).polygon(corners, fill=255, outline=0)
    return pack(picture)


def small_type(writing: Writing, random: Random) -> bytes:
    """A line of printed text above the digit, in letters much smaller than the digit."""
    sheet = canvas(writing, random)
    letters = max(7, int(random.uniform(0.06, 0.14) * sheet.size))
    text = str(random.choice(["Draw a digit", "Number of items:", "Postcode", "Question 3 (b)"]))
    gap = int(random.uniform(0.1, 0.3) * sheet.size)
    above = max(0, 2 * letters + gap - sheet.box.top)  # more paper, if there is too little room
    ground = np.full((sheet.height + above, sheet.width), WHITE)
    picture = Image.new("L", ground.shape[::-1])
    x = random.uniform(2, max(3, 0.4 * sheet.width))
    y = random.uniform(2, max(3, above + sheet.box.top - gap - 1.6 * letters))
    ImageDraw.Draw(picture).text((x, y), text, 255, font=ImageFont.load_default(letters))
    ink = np.pad(sheet.ink, ((above, 0), (0, 0)))
    return canvas_or_paper(Sheet(ground, ink, sheet.size), np.asarray(picture, float) / 255, random)


def stamp(writing: Writing, random: Random) -> bytes:
    """A coloured stamp or a logo in the corner that is furthest from the digit."""
    sheet = canvas(writing, random)
    ground = light(sheet.ground.shape, random)
    page = lay(ground, sheet.ink, 0.25 * ground.mean())
    rgb = np.repeat(page[..., None], 3, axis=2)
    (x, y), gap = free_corner(sheet)
    # It fits into a quarter of a circle around the corner, up to the digit.
    side = int(min(random.uniform(0.25, 0.6) * sheet.size, 0.6 * gap))
    if side >= 12:
        off = int(random.uniform(0.05, 0.15) * side)
        left = int(x) + off if x == 0 else int(x) - side - off
        top = int(y) + off if y == 0 else int(y) - side - off
        mark = _mark(side, random)[..., None] * random.uniform(0.5, 1)
        colour = np.array([[40, 60, 190], [200, 40, 50], [30, 130, 70], [60, 60, 60]])[
            random.integers(4)
        ]
        part = rgb[top : top + side, left : left + side]
        part[:] = part * (1 - mark) + colour * mark
    picture = Image.fromarray(np.clip(np.rint(rgb), 0, 255).astype(np.uint8))
    return pack(picture, "JPEG", quality=int(random.integers(80, 95)))


def _mark(side: int, random: Random) -> Cover:
    """A stamp (a box or an oval with text) or a logo (a filled shape with a letter cut out)."""
    picture = Image.new("L", (4 * side, 4 * side))
    pen = ImageDraw.Draw(picture)
    inside = (4, 4, 4 * side - 5, 4 * side - 5)
    shape = random.integers(4)
    draw = pen.rectangle if shape % 2 else pen.ellipse
    if shape < 2:
        draw(inside, outline=255, width=max(4, side // 4))
        text, fill, size = random.choice(["PAID", "OK", "COPY"]), 255, int(1.1 * side)
    else:
        draw(inside, fill=255)
        text, fill, size = random.choice(["R", "K", "Ae"]), 0, int(2.4 * side)
    font = ImageFont.load_default(size)
    pen.text((2 * side, 2 * side), str(text), fill, font=font, anchor="mm")
    return np.asarray(picture.reduce(4), float) / 255
