"""What a search for the digit in a picture found. It needs no SciPy, which costs a worker memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

# A hand fills less of its bounding box than this, and draws with a pen: what fills more along an edge of the
# picture and is only grey, such as the thumb of a scroll bar, is not a 1.
RECTANGLE = 0.985
GREY = 180  # of 255: it differs from the ground by at most so much
WIDTH = 32  # bits of a row: 28 pixels, and blank ones to its side


@dataclass(frozen=True)
class LeftOut:
    """Ink that a reading leaves out.

    Attributes:
        what: "speck", "rest" (of a neighbour, at an edge), "bar" (along an edge), "faint", "rule", "frame",
            "line", "dot" (next to the digit), "mark" (a stamp or logo), "type" (a line of it), or "unexplained".
        share: its ink, as a share of the ink that is kept.
    """

    what: str
    share: float


@dataclass(frozen=True)
class Detection:
    """The reading that was chosen, before a threshold decides on it.

    Attributes:
        ink: (height, width) uint8, its ink, bright.
        pixels: (28, 28) float32 in [0, 1], the same as the network sees it; zeros for a blank.
        row: the ten digits' probabilities, lowered by what left-out ink costs.
        several: whether the picture holds several digits.
        ambiguous: whether a part of the ink is as good a digit, and another one: `row` is the mean of both.
        left_out: what the reading leaves out.
        rest: (height, width) uint8, the ink that it leaves out; None if there is none.
        margins: how many columns and rows without ink `ink` lacks on the left, top, right and bottom.
    """

    ink: np.ndarray
    pixels: np.ndarray
    row: Sequence[float]
    several: bool = False
    ambiguous: bool = False
    left_out: tuple[LeftOut, ...] = ()
    rest: np.ndarray | None = None
    margins: tuple[int, int, int, int] = (0, 0, 0, 0)

    @property
    def doubtful(self) -> bool:
        """Whether more than one digit may be meant."""
        return self.several or self.ambiguous

    def summary(self) -> dict[str, float]:
        """What is left out, by kind: the ink of all of a kind, as a share of the ink that is kept."""
        shares: dict[str, float] = {}
        for each in self.left_out:
            shares[each.what] = shares.get(each.what, 0.0) + each.share
        return shares


NOTHING = Detection(np.zeros((1, 1), np.uint8), np.zeros((28, 28), np.float32), (0.0,) * 10)


def is_one_piece(pixels: np.ndarray) -> bool:
    """Whether the ink that the network sees is one connected component, by a low and a high threshold.

    With the low one, a thin digit next to a thick one is seen; with the high one, the gap between a digit and
    a circle around it. Flood filling on the bits of one whole number takes a quarter of SciPy's time.

    Args:
        pixels: (28, 28) float in [0, 1]; the strongest is 1.
    """
    strong, all_ink = _bits(pixels > 0.4), _bits(pixels > 0.1)
    core = _fill(strong & -strong, strong)
    return core == strong and _fill(core, all_ink) == all_ink


def _bits(mask: np.ndarray) -> int:
    """A (28, 28) mask as one whole number, `WIDTH` bits for a row."""
    padded = np.zeros((len(mask), WIDTH), bool)
    padded[:, : mask.shape[1]] = mask
    return int.from_bytes(np.packbits(padded).tobytes(), "big")


def _fill(seed: int, ink: int) -> int:
    """The ink that is connected with a part of it, also by a corner."""
    filled, grown = 0, seed
    while grown != filled:
        filled = grown
        wide = filled | filled << 1 | filled >> 1
        grown = (wide | wide << WIDTH | wide >> WIDTH) & ink
    return filled
