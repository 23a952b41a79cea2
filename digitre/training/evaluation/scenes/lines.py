"""Printed and drawn lines around a digit: grids, rules, forms, tables, plots."""

from __future__ import annotations

import numpy as np
from PIL import ImageDraw

from digitre.training.data.strokes import render
from digitre.training.evaluation.scenes.drawing import (
    FIRM_PEN,
    WHITE,
    Random,
    Writing,
    canvas,
    canvas_or_paper,
    draw_lines,
    grid,
    lay,
    line,
    pack,
    to_image,
)


def graph_canvas(writing: Writing, random: Random) -> bytes:
    sheet = canvas(writing, random, pen=FIRM_PEN)
    lines = grid(sheet.ground.shape, random)
    return pack(lay(lay(sheet.ground, lines, random.uniform(120, 225)), sheet.ink, sheet.tone))


def ruled_canvas(writing: Writing, random: Random) -> bytes:
    sheet = canvas(writing, random, pen=FIRM_PEN)
    lines = grid(sheet.ground.shape, random, rows_only=True)
    return pack(lay(lay(sheet.ground, lines, random.uniform(90, 225)), sheet.ink, sheet.tone))


def rule_below(writing: Writing, random: Random) -> bytes:
    """A line to write on, across the page or a little longer than the digit."""
    sheet = canvas(writing, random)
    _, bottom, left, right = sheet.box
    y = min(sheet.height - 3, bottom + random.uniform(0.03, 0.25) * sheet.size)
    ends: tuple[float, float] = (0, sheet.width)
    if random.random() < 0.4:
        ends = max(0, left - 0.4 * sheet.size), min(sheet.width, right + 0.4 * sheet.size)
    slant = random.normal(0, 0.006) * sheet.width
    thick = max(1, random.uniform(0.008, 0.04) * sheet.size)
    rule = line(sheet.ground.shape, (ends[0], y - slant, ends[1], y + slant), thick)
    return canvas_or_paper(sheet, rule, random)


def rule_through(writing: Writing, random: Random) -> bytes:
    sheet = canvas(writing, random, pen=(0.07, 0.14))
    top, bottom, _, _ = sheet.box
    y = random.uniform(top + 0.1 * sheet.size, bottom)
    thick = max(1, random.uniform(0.006, 0.02) * sheet.size)
    rule = line(sheet.ground.shape, (0, y, sheet.width, y), thick)
    return canvas_or_paper(sheet, rule, random, random.uniform(60, 190))


def underlined(writing: Writing, random: Random) -> bytes:
    """The digit is underlined by hand."""
    sheet = canvas(writing, random)
    _, bottom, left, right = sheet.box
    y = min(sheet.height - 3, bottom + random.uniform(0.08, 0.2) * sheet.size)
    wide = max(right - left, 0.4 * sheet.size)
    x = (left + right) / 2
    first = [x - random.uniform(0.6, 0.9) * wide, y]
    last = [x + random.uniform(0.6, 0.9) * wide, y + random.normal(0, 0.02 * sheet.size)]
    pen = max(1.5, sheet.size * random.uniform(0.04, 0.09))
    stroke = render([np.array([first, last])], sheet.width, sheet.height, pen) / 255
    return canvas_or_paper(sheet, stroke, random, 0)


def margin(writing: Writing, random: Random) -> bytes:
    """A page with the line of its margin, to the left of the digit."""
    sheet = canvas(writing, random)
    x = max(1.0, random.uniform(0.1, 0.9) * sheet.box.left)
    ends = (x, 0, x + random.normal(0, 2), sheet.height)
    rule = line(sheet.ground.shape, ends, random.uniform(1, 2.5))
    return canvas_or_paper(sheet, rule, random, random.uniform(60, 180))


def comb(writing: Writing, random: Random) -> bytes:
    """A form's comb: a base line with short teeth between the places for the digits."""
    sheet = canvas(writing, random)
    _, bottom, left, right = sheet.box
    room = random.uniform(0.08, 0.25) * sheet.size
    cell = max(right - left, 0.5 * sheet.size) + 2 * room
    first = ((left + right) / 2 - cell / 2) % cell
    base, high = bottom + room, random.uniform(0.25, 0.9) * sheet.size
    thick = round(2 * max(1, random.uniform(0.008, 0.03) * sheet.size))

    def draw(pen: ImageDraw.ImageDraw) -> None:
        pen.line((0, 2 * base, 2 * sheet.width, 2 * base), 255, thick)
        for x in np.arange(first, sheet.width, cell):
            pen.line((2 * x, 2 * base, 2 * x, 2 * (base - high)), 255, thick)

    return canvas_or_paper(sheet, draw_lines(sheet.ground.shape, draw), random)


def cell(writing: Writing, random: Random) -> bytes:
    """The cell of a table whose lines run on past it."""
    sheet = canvas(writing, random)
    top, bottom, left, right = sheet.box
    above, below, before, after = random.uniform(0.08, 0.25, 4) * sheet.size
    thick = round(2 * max(1, random.uniform(0.006, 0.02) * sheet.size))

    def draw(pen: ImageDraw.ImageDraw) -> None:
        for y in (top - above, bottom + below):
            pen.line((0, 2 * y, 2 * sheet.width, 2 * y), 255, thick)
        for x in (left - before, right + after):
            pen.line((2 * x, 0, 2 * x, 2 * sheet.height), 255, thick)

    return canvas_or_paper(sheet, draw_lines(sheet.ground.shape, draw), random)


def axes(writing: Writing, random: Random) -> bytes:
    """A plot of a digit with axes, ticks and numbers, as a plotting library saves it."""
    inner = canvas(writing, random).written()
    if random.random() < 0.4:
        inner = WHITE - inner
    height, width = inner.shape
    left, bottom = int(random.uniform(30, 60)), int(random.uniform(24, 50))
    top, right = int(random.uniform(8, 40)), int(random.uniform(8, 30))
    picture = to_image(np.pad(inner, ((top, bottom), (left, right)), constant_values=WHITE))
    pen = ImageDraw.Draw(picture)
    pen.rectangle((left, top, left + width, top + height), outline=0)
    for step in range(0, 30, 5):
        x, y = left + step / 28 * width, top + step / 28 * height
        pen.line((x, top + height, x, top + height + 4), 0)
        pen.line((left - 4, y, left, y), 0)
        pen.text((x - 4, top + height + 6), str(step), 0)
        pen.text((left - 22, y - 5), str(step), 0)
    return pack(picture)
