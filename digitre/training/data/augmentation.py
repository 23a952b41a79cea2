"""Vary drawings at random, as another hand, pen or camera would: each epoch learns other pictures."""

from __future__ import annotations

import numpy as np
from PIL import Image
from scipy import ndimage

from digitre.recognition import photo
from digitre.recognition.preprocessing import SIDE, shape_ink
from digitre.training.data.strokes import fit, render

TURN = 7.0  # standard deviation of the rotation, in degrees
SHEAR = 0.12
STRETCH = 0.10  # of the logarithm of width over height
BEND = 0.035  # how far parts of a drawing move against each other, relative to its size
# The pen's width relative to the digit's size. A pen of 3 px on a digit of 225 px is 0.013, a pen of
# 25 px on 150 px is 0.17.
PEN = (0.012, 0.26)
FINE = (0.012, 0.1)  # for drawings of many parts, which a thicker pen would fill
THICK = 0.4  # share of drawings with every width of the pen equally likely; others are mostly thin
SIZE = (36.0, 220.0)  # pixels of the digit's longer side
ON_PAPER = 0.08  # share of drawings that become a scan or a photo
HASTY = 0.08  # share of drawings that a slow device records: few points, on a coarse grid
GRID = (0.01, 0.05)  # of the drawing's size: the distance of the grid's lines
COARSE = 0.06  # share of drawings that become a few large pixels, enlarged
COARSE_SIDE = (8, 16)  # pixels of the side of those
CUT = (0.02, 0.08)  # how much of a digit that sticks out of the picture is not in it


def _matrix(random: np.random.Generator) -> np.ndarray:
    angle = np.radians(np.clip(random.normal(0, TURN), -2.2 * TURN, 2.2 * TURN))
    shear = np.clip(random.normal(0, SHEAR), -0.3, 0.3)
    stretch = np.exp(np.clip(random.normal(0, STRETCH), -0.25, 0.25))
    cos, sin = np.cos(angle), np.sin(angle)
    turn = np.array([[cos, -sin], [sin, cos]])
    return turn @ np.array([[1, shear], [0, 1]]) @ np.diag([stretch, 1 / stretch])


def bend(strokes: list[np.ndarray], random: np.random.Generator) -> list[np.ndarray]:
    """Rotate, slant, stretch and bend strokes at random.

    The bending is a sum of three plane waves of low frequency. It is smooth, so a line stays a line.

    Args:
        strokes: arrays (n, 2) in pixels, as `fit` returns them.
    """
    matrix = _matrix(random)
    points = np.concatenate(strokes)
    middle = (points.min(0) + points.max(0)) / 2
    size = float(np.ptp(points, axis=0).max()) or 1.0
    waves = random.normal(0, 2.2, (3, 2))
    phases = random.uniform(0, 2 * np.pi, (3, 2))
    depth = random.normal(0, BEND * size, (3, 2))
    moved = []
    for stroke in strokes:
        unit = (stroke - middle) / size
        shift = sum(
            depth[k] * np.sin(unit @ waves[k][:, None] + phases[k][None, :]) for k in range(3)
        )
        moved.append((stroke - middle) @ matrix.T + middle + shift)
    return moved


def hasten(strokes: list[np.ndarray], grid: float, step: int) -> list[np.ndarray]:
    """Strokes as a slow device records them: every `step`-th point and the last one, on a grid."""
    return [
        np.round(np.concatenate([stroke[:-1:step], stroke[-1:]]) / grid) * grid
        for stroke in strokes
    ]


def draw(
    strokes: list[np.ndarray],
    random: np.random.Generator,
    *,
    flip: bool,
    pen: tuple[float, float] = PEN,
    sticking_out: bool = False,
) -> np.ndarray:
    """Draw strokes with random variations, on a canvas of random size with a random pen.

    Args:
        strokes: arrays (n, 2) of x and y in any unit.
        flip: whether y grows upwards.
        pen: the least and the largest width of the pen, relative to the drawing's size.
        sticking_out: whether the drawing sticks out of the picture a little.

    Returns:
        (28, 28) uint8, as the network sees the drawing.
    """
    size = np.exp(random.uniform(*np.log(SIZE)))
    if random.random() < THICK:
        share = random.uniform(*pen)
    else:
        share = np.exp(random.uniform(*np.log(pen)))
    width = max(1.0, size * share)
    side = int(size * 1.5 + width * 2 + 8)
    place = side / 2 + random.uniform(-0.5, 0.5, 2)
    lines = fit(strokes, size, *place, flip=flip)
    if random.random() < HASTY:
        lines = hasten(lines, random.uniform(*GRID) * size, int(random.integers(1, 5)))
    lines = bend(lines, random)
    ink = render(lines, side, side, width)
    if sticking_out:
        ink = cut_off(ink, random)
    chance = random.random()
    if chance < ON_PAPER:
        ink = photo.find_ink(photograph(ink, random))
    elif chance < ON_PAPER + COARSE:
        ink = coarsen(ink, random)
    return as_bytes(shape_ink(ink))


def as_bytes(pixels: np.ndarray) -> np.ndarray:
    """[0, 1] to 0 to 255, uint8."""
    return np.rint(pixels * 255).astype(np.uint8)


def cut_off(ink: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Cut a strip off a random side of ink, as if the drawing stuck out of the picture a little."""
    quarters = int(random.integers(4))
    turned = np.rot90(ink, quarters).copy()
    rows = np.flatnonzero(turned.any(1))
    if len(rows):
        turned[: int(rows[0] + random.uniform(*CUT) * (rows[-1] - rows[0])) + 1] = 0
    return np.rot90(turned, -quarters)


def coarsen(ink: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Reduce ink to 8 to 16 pixels a side and enlarge it to (96, 96) uint8, with or without blur."""
    side = int(random.integers(COARSE_SIDE[0], COARSE_SIDE[1] + 1))
    ways = (Image.Resampling.NEAREST, Image.Resampling.BILINEAR, Image.Resampling.BICUBIC)
    crop = Image.fromarray(ink).crop(Image.fromarray(ink).getbbox())
    square = Image.new("L", (max(crop.size),) * 2)
    square.paste(crop, ((square.width - crop.width) // 2, (square.height - crop.height) // 2))
    small = square.resize((side, side), Image.Resampling.BOX)
    return np.asarray(small.resize((96, 96), ways[random.integers(len(ways))]))


def photograph(
    ink: np.ndarray, random: np.random.Generator, heights: tuple[int, int] = (32, 120)
) -> np.ndarray:
    """Make a small scan or photo of ink: dark on unevenly lit, grainy paper.

    Args:
        ink: (h, w) uint8, ink bright.
        heights: the least and the most pixels of the photo's height.

    Returns:
        (h, w) uint8, ink dark.
    """
    height = int(random.uniform(*heights))
    box = Image.fromarray(ink).getbbox() or (0, 0, *ink.shape[::-1])
    margin = 0.12 * max(box[2] - box[0], box[3] - box[1])
    frame = (box[0] - margin, box[1] - margin, box[2] + margin, box[3] + margin)
    small = (
        Image.fromarray(ink)
        .transform(
            (max(8, int(height * (frame[2] - frame[0]) / (frame[3] - frame[1]))), height),
            Image.Transform.EXTENT,
            frame,
            Image.Resampling.BICUBIC,
        )
        .reduce(1)
    )
    cover = ndimage.gaussian_filter(np.asarray(small, np.float32) / 255, random.uniform(0, 0.9))
    y, x = np.mgrid[-1 : 1 : small.height * 1j, -1 : 1 : small.width * 1j]
    light = random.uniform(150, 245) + random.normal(0, 14) * x + random.normal(0, 14) * y
    dark = random.uniform(0.15, 0.65)
    grain = random.normal(0, random.uniform(0, 7), cover.shape)
    return np.clip(light * (1 - (1 - dark) * cover) + grain, 0, 255).astype(np.uint8)


def warp(pictures: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Rotate, slant, stretch, move and bend pictures at random, and thicken or thin their lines.

    The bending is the elastic distortion of Simard, Steinkraus and Platt (2003).

    Args:
        pictures: (n, 28, 28) uint8.

    Returns:
        (n, 28, 28) uint8.
    """
    y, x = np.mgrid[0:SIDE, 0:SIDE].astype(np.float32)
    middle = 14.0
    warped = np.empty_like(pictures)
    for index, picture in enumerate(pictures):
        matrix = _matrix(random) * np.exp(random.normal(0, 0.05))
        shift = np.clip(random.normal(0, 0.5, 2), -1.2, 1.2)
        field = ndimage.gaussian_filter(
            random.uniform(-1, 1, (2, SIDE, SIDE)).astype(np.float32), (0, 4.5, 4.5), truncate=2.5
        ) * random.uniform(0, 22)
        at_x = matrix[0, 0] * (x - middle) + matrix[0, 1] * (y - middle) + middle + shift[0]
        at_y = matrix[1, 0] * (x - middle) + matrix[1, 1] * (y - middle) + middle + shift[1]
        moved = ndimage.map_coordinates(
            picture.astype(np.float32), [at_y + field[1], at_x + field[0]], order=3, mode="constant"
        )
        chance = random.random()
        if chance < 0.24:
            widen = ndimage.grey_dilation if chance < 0.12 else ndimage.grey_erosion
            share = random.uniform(0.2, 0.8)
            moved = (1 - share) * moved + share * widen(moved, footprint=_PLUS)
        high = float(moved.max())
        warped[index] = np.clip(moved * (255 / max(high, 1.0)), 0, 255)
    return warped


_PLUS = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]], bool)
