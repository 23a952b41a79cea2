"""Numbers drawn by hand for this project: the digits of `strokes` side by side, and signs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from strokes import DIGITS, smooth

from digitre.training.data.strokes import render

LEFT, TOP, HEIGHT = 40, 30, 140  # pixels; a digit reaches from 56 to 196 of its canvas

# On the same canvas as the digits.
SIGNS = {
    "-": [(80, 126), (110, 126), (140, 126)],
    ".": [(100, 194), (101, 195)],
    ",": [(104, 186), (104, 200), (94, 220)],
    "/": [(170, 36), (130, 126), (86, 222)],
}


@dataclass
class Drawing:
    """A number that was drawn: its strokes in pixels, its pen, and which character each stroke belongs to."""

    strokes: list[np.ndarray]
    pen: float
    owners: list[int]

    @property
    def picture(self) -> np.ndarray:
        """(height, width) uint8, dark on white."""
        width, height = (np.concatenate(self.strokes).max(0) + 30).astype(int)
        return 255 - render(self.strokes, int(width), int(height), self.pen)

    @property
    def as_lists(self) -> list[list[list[float]]]:
        """The strokes as a client sends them."""
        return [[[x, y, 0] for x, y in stroke.tolist()] for stroke in self.strokes]


def write(text: str, gap: float = 20, scale: float = 0.8, pen: float = 8) -> Drawing:
    """Draw a number with its signs and line breaks."""
    strokes: list[np.ndarray] = []
    owners: list[int] = []
    x, y = float(LEFT), float(TOP)
    for place, character in enumerate(text):
        if character == "\n":
            x, y = float(LEFT), y + 1.5 * HEIGHT * scale
            continue
        if character.isdigit():
            lines = [smooth(each) for each in DIGITS[int(character)]]
        else:
            lines = [np.array(SIGNS[character], float)]
        left = min(each[:, 0].min() for each in lines)
        moved = [(each - (left, 56)) * scale + (x, y) for each in lines]
        strokes += moved
        owners += [place] * len(moved)
        x = max(each[:, 0].max() for each in moved) + gap
    return Drawing(strokes, pen, owners)
