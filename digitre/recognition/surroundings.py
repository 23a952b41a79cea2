"""What a picture holds besides the drawing: frames, dark edges, specks. All of it is removed here.

`remove` is the one way in; the other functions are its operations. Each takes ink as an array of shape
(height, width), 0 where there is none, and returns it without what it names. A group of inked pixels
that touch each other, also by a corner, is an 8-connected component.
"""

from __future__ import annotations

import numpy as np

from digitre.recognition.ink import Ink, bounding_box

# The constants are tuned by hand: tests/recognition/test_surroundings.py has the pictures that they
# must get right.

# A digit fills at least this share of its bounding box, except with the thinnest pens: below it, the box
# may hold a digit and a speck of dust far away.
SPARSE = 0.08
# A component with less than this share of the heaviest component's ink is a speck of dust.
SPECK = 0.03
# On paper, the largest component of ink has at least this many pixels; smaller ones are grain.
SMALLEST = 12
# A component that covers this share of an edge of the picture may be a frame, a shadow or the desk.
ALONG = 0.2
# A component this long, as a share of the picture's shorter side, may be the drawing.
LONG = 0.1
# A frame inks more than this share of each of its four sides: one with round corners counts.
CLOSED = 0.9
# A frame around the whole picture is at most this share of its shorter side thick.
THICKEST = 1 / 16


def remove(ink: Ink) -> np.ndarray:
    """The drawing alone.

    Args:
        ink: as `ink.on_plain_ground`, `ink.on_even_ground` and `photo.on_paper` return it.

    Returns:
        (height, width) uint8, 0 to 255, 0 where there is no ink; smaller than the picture if a frame around
        all of it was cut off. Margins that were cut off before are not added again.
    """
    if ink.weights is not None:
        return _on_paper(ink, ink.weights)
    if ink.margins is None:
        return cut_border(remove_edge_components(ink.values))
    return _within_margins(ink)


def _within_margins(ink: Ink) -> np.ndarray:
    """The drawing, if ink has blank margins on all sides: nothing was cut off by the picture's edges."""
    values = ink.values
    # A lossy format leaves faint ripples around a frame, which were removed: look inside them.
    box = bounding_box(values) if ink.lossy else (slice(None), slice(None))
    if has_frame(values[box]):
        drawing = np.zeros_like(values)
        drawing[box] = remove_edge_components(values[box])
        return drawing
    inked = np.count_nonzero(values)
    if inked == 0 or inked >= SPARSE * values.size:
        return values
    return remove_specks(values)


def _on_paper(ink: Ink, weights: np.ndarray) -> np.ndarray:
    """The drawing on photographed paper, stretched so that its own strongest ink is 255."""
    from scipy import ndimage  # rarely needed, and costs a worker memory

    labels, count = _components(weights)
    if np.bincount(labels.ravel())[1:].max(initial=0) < SMALLEST:
        return np.zeros(weights.shape, np.uint8)
    totals = ndimage.sum_labels(weights, labels, np.arange(count + 1))
    strongest = ink.strongest
    at_edge = edge_components(labels, count)
    if at_edge.any():
        totals[at_edge] = 0
        strongest = float(np.percentile(weights[totals[labels] > 0], 90))
    drawn = (totals > 0) & (totals >= SPECK * totals.max())
    values = np.where(drawn[labels], np.clip(ink.values, 0, strongest), 0)
    return np.rint(values * (255 / strongest)).astype(np.uint8)


def has_frame(ink: np.ndarray) -> bool:
    """Whether the first and last row and column are inked nearly from end to end."""
    if ink.size == 0:
        return False
    sides = (ink[0], ink[-1], ink[:, 0], ink[:, -1])
    return all(np.count_nonzero(side) > CLOSED * side.size for side in sides)


def cut_border(ink: np.ndarray) -> np.ndarray:
    """Cut off a frame around the whole picture, such as the border of a screenshot of a canvas.

    Returns:
        A view of the inside, or all of `ink` if it has no frame or one that is too thick: then somebody
        filled the canvas.
    """
    height, width = ink.shape
    for thickness in range(int(min(height, width) * THICKEST) + 1):
        inside = ink[thickness : height - thickness, thickness : width - thickness]
        if not has_frame(inside):
            return inside
    return ink


def remove_specks(ink: np.ndarray) -> np.ndarray:
    """Remove components with little ink, such as dust, next to the one that has the most."""
    from scipy import ndimage

    labels, count = _components(ink)
    totals = ndimage.sum_labels(ink, labels, np.arange(count + 1))
    return np.where((totals < SPECK * totals.max())[labels], 0, ink).astype(ink.dtype)


def remove_edge_components(ink: np.ndarray) -> np.ndarray:
    """Remove what runs along an edge of the picture: see `edge_components`."""
    labels, count = _components(ink)
    at_edge = edge_components(labels, count)
    return np.where(at_edge[labels], 0, ink).astype(ink.dtype) if at_edge.any() else ink


def edge_components(labels: np.ndarray, count: int) -> np.ndarray:
    """Which components run along an edge of the picture: a shadow, the desk, a frame, a rule.

    If nothing else is left that touches no edge and is long enough for a drawing, there are none: the
    drawing itself was cut out tightly and touches the edges.

    Args:
        labels: (height, width) int, the number of each pixel's component, 0 for the ground.
        count: how many components there are.

    Returns:
        (count + 1,) bool, by number; False for 0, the ground.
    """
    from scipy import ndimage

    edges = (labels[0], labels[-1], labels[:, 0], labels[:, -1])
    shares = np.array([np.bincount(edge, minlength=count + 1) / edge.size for edge in edges])
    at_edge = shares.max(0) >= ALONG
    at_edge[0] = False
    if not at_edge.any():
        return at_edge
    height, width = labels.shape
    shortest = max(3, LONG * min(height, width))
    for rows, columns in filter(None, ndimage.find_objects(np.where(at_edge[labels], 0, labels))):
        inside = (
            rows.start > 0 and columns.start > 0 and rows.stop < height and columns.stop < width
        )
        if inside and max(rows.stop - rows.start, columns.stop - columns.start) >= shortest:
            return at_edge
    return np.zeros(count + 1, bool)


def _components(ink: np.ndarray) -> tuple[np.ndarray, int]:
    """Number the 8-connected components of ink: (height, width) int, 0 for the ground; and how many."""
    from scipy import ndimage

    return ndimage.label(ink, np.ones((3, 3)))
