"""A picture within a picture: bars, borders, desks, pages around it."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw
from scipy import ndimage

from digitre.training.evaluation.scenes.drawing import (
    BLACK,
    WHITE,
    Page,
    Random,
    Writing,
    canvas,
    jpeg,
    pack,
    paper,
    photograph,
    places,
    to_image,
)


def padded(writing: Writing, random: Random) -> bytes:
    """A photo that a program padded to a white square."""
    photo = paper(writing, random).written()
    side = int(max(photo.shape) * random.uniform(1.1, 1.8))
    page = np.full((side, side), WHITE)
    _place(photo, page, random)
    return jpeg(page, 88)


def white_bars(writing: Writing, random: Random) -> bytes:
    return jpeg(_with_bars(writing, random, WHITE), 88)


def black_bars(writing: Writing, random: Random) -> bytes:
    return jpeg(_with_bars(writing, random, BLACK), 88)


def _with_bars(writing: Writing, random: Random, tone: float) -> Page:
    """A photo with bars above and below it, or at its left and right."""
    photo = paper(writing, random).written()
    bar = int(random.uniform(0.08, 0.4) * max(photo.shape))
    bars = ((bar, bar), (0, 0)) if random.random() < 0.5 else ((0, 0), (bar, bar))
    return np.pad(photo, bars, constant_values=tone)


def _place(inner: Page, around: Page, random: Random) -> tuple[int, int]:
    """Copy a page into a larger one, not at its edges, and return its first row and column there."""
    top, left = (
        int(random.uniform(0.1, 0.9) * (whole - part))
        for whole, part in zip(around.shape, inner.shape, strict=True)
    )
    around[top : top + inner.shape[0], left : left + inner.shape[1]] = inner
    return top, left


def dark_page(writing: Writing, random: Random) -> bytes:
    """A screenshot of a white canvas on a dark web page, with or without a heading."""
    page = canvas(writing, random).written()
    height, width = (int(length * random.uniform(1.15, 2.2)) for length in page.shape)
    around = np.full((height, width), random.uniform(10, 90))
    top, left = _place(page, around, random)
    picture = to_image(around)
    if random.random() < 0.5 and top > 14:
        ImageDraw.Draw(picture).text((left, top - 13), "Draw a digit here", 230)
    return pack(picture)


def turned(writing: Writing, random: Random) -> bytes:
    """A photo that a program turned a little, so that its corners are black."""
    picture = to_image(paper(writing, random).written())
    angle = random.uniform(-9, 9)
    return jpeg(picture.rotate(angle, Image.Resampling.BICUBIC, fillcolor=0), 88)


def desk(writing: Writing, random: Random) -> bytes:
    """A sheet that lies a little askew on a dark desk of wood."""
    shape = random.uniform(1.1, 1.5, 2)
    page = paper(writing, random).written()
    height, width = int(shape[0] * len(page)), int(shape[1] * page.shape[1])
    grain = _wood((height, width), random)
    return photograph(_lay_askew(page, random.uniform(30, 120) + 40 * grain, random), random)


def sticky_note(writing: Writing, random: Random) -> bytes:
    """A note on a light wall, with a little shadow at its lower edge."""
    page = paper(writing, random).written() * random.uniform(0.8, 0.95)
    margin = int(random.uniform(0.1, 0.35) * min(page.shape))
    wall = np.full((len(page) + 2 * margin, page.shape[1] + 2 * margin), random.uniform(200, 245))
    return photograph(_lay_askew(page, wall, random, random.uniform(0.1, 0.4)), random)


def at_an_angle(writing: Writing, random: Random) -> bytes:
    """A sheet on a desk, photographed from the side."""
    page = paper(writing, random).written()
    return photograph(_in_perspective(page, _desk(page.shape, random), random), random)


def shared_shadow(writing: Writing, random: Random) -> bytes:
    """A sheet on a desk, and a shadow that falls across both."""
    page = paper(writing, random).written()
    picture = _in_perspective(page, _desk(page.shape, random), random)
    y, x = places(picture.shape)
    angle = random.uniform(0, 2 * np.pi)
    across = x * np.cos(angle) + y * np.sin(angle) + random.uniform(-0.4, 0.4)
    shade = 1 / (1 + np.exp(across * random.uniform(8, 20)))
    return photograph(picture * (1 - random.uniform(0.25, 0.5) * shade), random)


def held(writing: Writing, random: Random) -> bytes:
    """A sheet that a finger, a clip or strips of tape hold."""
    page = paper(writing, random).written()
    desk = _desk(page.shape, random)
    tone = float(np.clip(page.mean() + random.choice([-1, 1]) * random.uniform(25, 60), 20, 250))
    kind = int(random.integers(3))
    scale = random.uniform(0.7, 0.8)
    picture = to_image(_in_perspective(page, desk, random, scale=scale, slant=0.08))
    pen = ImageDraw.Draw(picture)
    width, height = picture.size
    begin, end = 0.5 - 0.5 * scale, 0.5 + 0.5 * scale
    if kind == 0:  # a finger from the side
        x, y = random.choice([0.0, 1.0]) * width, random.uniform(0.65, 0.85) * height
        reach = (begin + random.uniform(0.03, 0.1)) * width
        pen.ellipse((x - reach, y - 0.07 * height, x + reach, y + 0.07 * height), fill=int(tone))
    elif kind == 1:  # a clip at the upper edge
        half, top = random.uniform(0.1, 0.2) * width, (begin - 0.06) * height
        box = (width / 2 - half, top, width / 2 + half, top + random.uniform(0.09, 0.13) * height)
        pen.rounded_rectangle(box, 6, fill=int(tone))
    else:  # tape over the corners
        for x in (begin, end):
            for y in (begin, end):
                long, slant = 0.07, 0.025 * (1 if (x == begin) != (y == begin) else -1)
                corners = [(-long, -slant - long), (long, slant - long)]
                corners += [(long, slant + long / 3), (-long, -slant + long / 3)]
                points = [((x + dx) * width, (y + dy) * height) for dx, dy in corners]
                pen.polygon(points, fill=int(tone))
    return photograph(np.asarray(picture, float), random)


def _desk(shape: tuple[int, ...], random: Random) -> Page:
    """A desk that is darker than paper: of one tone, of wood, or under a cloth with squares."""
    base, kind = random.uniform(30, 110), int(random.integers(3))
    if kind == 0:
        return np.full(shape, base)
    if kind == 1:
        return base + 40 * _wood(shape, random)
    y, x = np.mgrid[: shape[0], : shape[1]] // random.uniform(8, 20)
    return base + random.uniform(10, 30) * ((x + y) % 2)


def _wood(shape: tuple[int, ...], random: Random) -> Page:
    """The grain of wood, around 0."""
    return ndimage.gaussian_filter(random.normal(0, 1, shape), (1, 25), truncate=2)


def _in_perspective(
    page: Page, around: Page, random: Random, *, scale: float = 0.75, slant: float = 0.2
) -> Page:
    """A page on a ground of its size, turned by up to 14 degrees and seen from the side.

    Args:
        scale: how much of the ground's sides the page's sides cover, about.
        slant: how far its corners move at most, as a share of their distance from the middle.
    """
    height, width = page.shape
    angle = random.uniform(-0.25, 0.25)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    middle = np.array([width / 2, height / 2])
    corners = np.array([(0, 0), (width, 0), (width, height), (0, height)], float)
    moved = (corners - middle) * scale * random.uniform(1 - slant, 1 + slant, (4, 2))
    equations, values = [], []
    for (x, y), (u, v) in zip(moved @ turn.T + middle, corners, strict=True):
        equations += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        values += [u, v]
    homography = tuple(np.linalg.solve(equations, values))

    def project(picture: Page) -> Page:
        image = to_image(picture).transform(
            (width, height), Image.Transform.PERSPECTIVE, homography, Image.Resampling.BICUBIC
        )
        return np.asarray(image, float)

    place = project(np.full(page.shape, WHITE)) / 255
    return around * (1 - place) + project(page) * place


def _lay_askew(page: Page, around: Page, random: Random, shadow: float = 0.0) -> Page:
    """A page in the middle of a larger one, turned by up to 8 degrees.

    `shadow` is how much darker it is below the page, 0 to 1.
    """
    top, left = ((a - b) // 2 for a, b in zip(around.shape, page.shape, strict=True))
    end, right = top + len(page), left + page.shape[1]
    place = np.zeros_like(around)
    place[top:end, left:right] = 255
    sheet = np.zeros_like(around)
    sheet[top:end, left:right] = page
    angle = random.uniform(-8, 8)
    turned_place, turned_sheet = (
        np.asarray(to_image(each).rotate(angle, Image.Resampling.BICUBIC), float)
        for each in (place, sheet)
    )
    depth = int(0.02 * len(page)) + 2
    shaded = ndimage.gaussian_filter(np.roll(turned_place, depth, axis=0), depth / 2)
    around = around * (1 - shadow * shaded / 255)
    return around * (1 - turned_place / 255) + turned_sheet
