"""Screenshots of programs: a canvas within a window, what editors show as transparent, a form to fill in."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from digitre.training.evaluation.scenes.drawing import (
    BLACK,
    WHITE,
    Cover,
    Page,
    Random,
    Writing,
    anywhere,
    canvas,
    jpeg,
    lay,
    pack,
    page_shape,
    to_image,
    write,
)

PROMPTS = ("Draw a digit (0-9)", "Draw here", "Handwritten Digit Recognizer")
FIELDS = ("Name: ________", "Date: ____", "Question 3: ______", "Answer:  _____")
# Range of the pen's width on a canvas within a window, relative to the digit's size.
PEN = (0.03, 0.12)


def chequered(writing: Writing, random: Random) -> bytes:
    """On the squares that an editor shows where a picture is transparent."""
    sheet = canvas(writing, random)
    side = int(random.integers(6, 17))
    y, x = np.mgrid[: sheet.height, : sheet.width]
    light = random.uniform(235, 255)
    ground = np.where((y // side + x // side) % 2, light, light - random.uniform(20, 60))
    page = lay(ground, sheet.ink, random.uniform(0, 60))
    return pack(page) if random.random() < 0.7 else jpeg(page, int(random.integers(80, 96)))


def demo_page(writing: Writing, random: Random) -> bytes:
    """A page to draw a digit on: a heading, a canvas with a frame, two buttons, a word for the answer."""
    width, height = int(random.integers(360, 700)), int(random.integers(480, 640))
    is_dark = random.random() < 0.3
    window = Image.new("L", (width, height), int(random.uniform(20, 50) if is_dark else 248))
    pen = ImageDraw.Draw(window)
    text = 230 if is_dark else 30
    side = int(0.5 * min(width, height))
    left, top = (width - side) // 2, 90
    pen.text((0.2 * width, 20), str(random.choice(PROMPTS)), text, ImageFont.load_default(24))
    canvas_tone = BLACK if random.random() < 0.4 else WHITE
    frame = (left - 2, top - 2, left + side + 1, top + side + 1)
    pen.rectangle(frame, int(canvas_tone), 120, 2)
    for k, word in enumerate(("Predict", "Clear")):
        x, y = left + 110 * k, top + side + 20
        pen.rounded_rectangle((x, y, x + 100, y + 35), 6, int(random.uniform(70, 140)))
        pen.text((x + 15, y + 7), word, 255, ImageFont.load_default(16))
    if random.random() < 0.5:
        pen.text((left, top + side + 75), "Prediction:", text, ImageFont.load_default(18))
    return _on_canvas(window, (left, top, side, side), writing, random, WHITE - canvas_tone)


def drawing_program(writing: Writing, random: Random) -> bytes:
    """The window of a drawing program: title, menus, tools, colours, and a white canvas on a grey area."""
    width, height = int(random.integers(600, 1000)), int(random.integers(420, 700))
    window = Image.new("L", (width, height), 240)
    pen = ImageDraw.Draw(window)
    pen.rectangle((0, 0, width, 28), 255)
    pen.text((8, 6), "Untitled", 0, ImageFont.load_default(13))
    for k, word in enumerate(("File", "Home", "View")):
        pen.text((8 + 50 * k, 36), word, 40, ImageFont.load_default(12))
    for k in range(int(random.integers(4, 8))):
        pen.rectangle((10 + 40 * k, 58, 40 + 40 * k, 88), outline=150)
    for k in range(int(random.integers(8, 15))):
        x = width - 320 + 22 * k
        pen.rectangle((x, 60, x + 18, 78), int(random.uniform(0, 255)), 120)
    top = 110
    pen.rectangle((0, top, width, height), int(random.uniform(190, 225)))
    across = int(width * random.uniform(0.4, 0.9))
    down = int((height - top - 30) * random.uniform(0.6, 0.95))
    pen.rectangle((6, top + 6, 6 + across, top + 6 + down), 255)
    pen.rectangle((0, height - 22, width, height), 240)
    pen.text((8, height - 19), f"{across} x {down} px", 60, ImageFont.load_default(11))
    return _on_canvas(window, (6, top + 6, across, down), writing, random, BLACK)


def field(writing: Writing, random: Random) -> bytes:
    """Below a word and the line to write something on."""
    shape = height, width = page_shape(random, 260, 520)
    size = random.uniform(0.35, 0.55) * min(shape)
    middle = width / 2 + random.normal(0, 0.05) * width, 0.6 * height
    ink = write(writing.digit, random, size, shape, middle)
    page = to_image(lay(np.full(shape, WHITE), ink, BLACK))
    text = str(random.choice(FIELDS))
    ImageDraw.Draw(page).text(
        (10, 8), text, 0, ImageFont.load_default(int(random.uniform(0.04, 0.07) * height))
    )
    return pack(page)


def _on_canvas(
    window: Image.Image,
    area: tuple[int, int, int, int],
    writing: Writing,
    random: Random,
    tone: float,
) -> bytes:
    """Draw the digit on a part of a window: its left, top, width and height."""
    left, top, width, height = area
    size = random.uniform(0.4, 0.8) * min(width, height)
    middle = anywhere(size, (height, width), random)
    page: Page = np.array(window, float)
    ink: Cover = np.zeros_like(page)
    part = write(writing.digit, random, size, (height, width), middle, PEN)
    ink[top : top + height, left : left + width] = part
    return pack(lay(page, ink, tone))
