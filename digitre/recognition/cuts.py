"""Cut a piece of ink in which digits touch: where it may be cut, and the parts between the cuts.

A cut is a path from the top of the piece to its bottom, a column for each row. It follows the background as far
as it can and crosses as little ink as possible: the shortest-path segmentation of Wang and Jean, "Segmentation of
merged characters by neural networks and shortest path" (1994), which a drop fall approximates. Each starts in
another narrow window of the piece's width, so that the cheapest cuts don't all lie in one place. Straight
cuts at the minima of the projection profile complete them. The network decides which parts are digits.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from digitre.recognition.pieces import NO_STROKES, Piece, cut_out

# In heights of the line's digits. Chosen on pairs of touching digits of validation people.
WINDOW = 0.2  # the width in which one cut runs
STEP = 0.08  # from one window to the next
SIDE = 0.1  # no cut is nearer to a side of the piece
# In widths of the pen:
DEAREST = 4.0  # a cut crosses at most so much ink
KEPT = 0.5  # both parts keep so much ink on the other side of a cut: it may be the stroke that they share
APART = 2.0  # pixels, on average, between two cuts
MOST = 9  # cuts of one piece, the cheapest
PART = 0.08  # of the piece's ink: each side of a cut has at least so much
SLACK = 0.002  # what a pixel without ink costs: of two equal cuts the shorter one is found
ASIDE = 0.02  # what a step to the side costs


@dataclass(frozen=True, eq=False)
class Cut:
    """A cut through a piece.

    Attributes:
        columns: (height,) int, where it runs: what is left of it belongs to the left part.
        cost: the ink that it crosses, in widths of the pen.
    """

    columns: np.ndarray
    cost: float


def find_cuts(piece: Piece, height: float, pen: float) -> list[Cut]:
    """Where a piece may be cut, from left to right.

    Args:
        piece: the ink.
        height: of the line's digits, in pixels.
        pen: the width of its strokes, in pixels.
    """
    ink = piece.ink * np.float32(1 / max(1, int(piece.ink.max())))
    sums = np.concatenate([np.zeros((len(ink), 1), np.float32), ink.cumsum(1)], 1)
    rows = np.arange(len(ink))
    whole = float(sums[:, -1].sum())
    found = []
    for columns, crossed in (*_shortest_paths(ink, height), *_profile_minima(ink, height)):
        left = float(sums[rows, columns].sum())
        if PART * whole < left < (1 - PART) * whole and crossed <= DEAREST * pen:
            found.append(Cut(columns, crossed / pen))
    chosen: list[Cut] = []
    for cut in sorted(found, key=lambda each: each.cost):
        if all(np.abs(cut.columns - other.columns).mean() >= APART for other in chosen):
            chosen.append(cut)
            if len(chosen) == MOST:
                break
    return sorted(chosen, key=lambda each: float(each.columns.mean()))


def _shortest_paths(ink: np.ndarray, height: float) -> list[tuple[np.ndarray, float]]:
    """The cheapest path in each window, by dynamic programming over all windows at once."""
    rows, width = ink.shape
    window = max(3, round(WINDOW * height))
    centres = np.arange(SIDE * height, width - SIDE * height, STEP * height)
    if not len(centres) or width < window:
        return []
    lefts = np.clip(np.rint(centres - window / 2).astype(int), 0, width - window)
    places = lefts[:, None] + np.arange(window)
    costs = ink[:, places] + SLACK  # (rows, windows, columns)
    total = costs[0].copy()
    steps = np.zeros(costs.shape, np.int8)
    wall = np.full((len(lefts), 1), np.inf, np.float32)
    for row in range(1, rows):
        ways = np.stack(
            [
                np.concatenate([wall, total[:, :-1]], 1) + ASIDE,
                total,
                np.concatenate([total[:, 1:], wall], 1) + ASIDE,
            ]
        )
        steps[row] = ways.argmin(0) - 1
        total = ways.min(0) + costs[row]
    each = np.arange(len(lefts))
    at = total.argmin(1)
    crossed = total[each, at]
    columns = np.empty((rows, len(lefts)), int)
    for row in range(rows - 1, -1, -1):
        columns[row] = lefts + at
        at = at + steps[row, each, at]
    return [(columns[:, k], float(crossed[k])) for k in each]


def _profile_minima(ink: np.ndarray, height: float) -> list[tuple[np.ndarray, float]]:
    """Straight cuts where a column has less ink than all around it."""
    profile = ndimage.gaussian_filter1d(ink.sum(0), 1.0)
    lowest = profile <= ndimage.minimum_filter1d(profile, 7)
    side = max(2, int(SIDE * height))
    places = np.flatnonzero(lowest[side : ink.shape[1] - side]) + side
    return [(np.full(len(ink), x), float(profile[x])) for x in places]


def part_between(piece: Piece, left: Cut | None, right: Cut | None, pen: float) -> Piece | None:
    """The ink between two cuts, or between a cut and an end of the piece.

    Returns:
        None if there is none, or if the cuts cross.
    """
    columns = np.arange(piece.width)
    keep = np.ones(piece.ink.shape, bool)
    margin = KEPT * pen
    if left is not None and right is not None:
        between = right.columns - left.columns
        if between.min() < -1 or between.mean() < APART:
            return None
    if left is not None:
        keep &= columns >= left.columns[:, None] - margin
    if right is not None:
        keep &= columns < right.columns[:, None] + margin
    return cut_out(np.where(keep, piece.ink, 0).astype(np.uint8), piece.top, piece.left, NO_STROKES)


def pen_width(ink: np.ndarray) -> float:
    """The width of a pen's strokes in pixels: twice the area over the length of the outline.

    A line's outline in pixels is 4 / π times as long as the line, on average over all directions.

    Args:
        ink: (height, width) bool, not all False.
    """
    padded = np.pad(ink, 1)
    outline = np.count_nonzero(padded[1:] != padded[:-1])
    outline += np.count_nonzero(padded[:, 1:] != padded[:, :-1])
    return max(1.0, 2 * 4 / np.pi * np.count_nonzero(ink) / outline)
