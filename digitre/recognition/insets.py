"""A picture within a picture: a canvas on a dark page, a photo with bars, a sheet on a desk."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from PIL import Image
from scipy import ndimage

from digitre.recognition.components import EIGHT, Box, Component
from digitre.recognition.hulls import convex_hull, hull_corners, share_of_rectangle
from digitre.recognition.sides import Sides, find_sides, touches

SIDE = 160  # pixels a side, at most, of the copy that is searched
CORNER = 10  # of 255: so much like the corners is still the ground around an inset
UNLIKE = 14  # of 255: so much unlike them is the inset
EDGE = 5.0  # of 255 per pixel of the copy: the edge of a sheet is at least so sharp
LEAST = 0.08  # of the picture: an inset is at least so large
FILLED = 0.7  # of its bounding box, an inset fills at least so much: it may be turned
STRAIGHT = 0.97  # one that fills so much of its box is not turned
CORNERS = 0.84  # of the smallest turned rectangle around it: an ellipse fills 0.785
# A sheet that is seen at an angle is a quadrilateral. Of its convex hull, the largest quadrilateral in it fills so much: in an
# ellipse that is 0.64. Of its bounding box, or of the smallest rectangle around it, it fills so much: a triangle 0.5.
QUADRILATERAL = 0.9
AT_AN_ANGLE = 0.6
SHARP = 0.8  # of the sides of such a sheet, and of one that something covers in part, so much lies on sharp edges
LONGEST_HELD = 0.6  # of its shorter side: what covers a sheet in part is at most so long; a bar of a window is longer
FULL = 0.5  # of its area: a sheet fills so much, with what is written on it left out
LEAST_HELD = 0.25  # of the picture: what is left of a sheet without the finger that holds it
SOLIDITY = 0.97  # of its convex hull, an inset fills at least so much ...
SOLIDITY_OF_INK = (
    0.8  # ... and one that an even ground surrounds: where it has that tone, it has gaps
)
NARROW = 0.12  # of its shorter side: what is less than twice as wide is not a part of a sheet, such as a finger on it
# Of its shorter side: a gap at the outline of an inset that is filled is at most so deep.
SHALLOW = 0.1
# Of its depth: such a gap in a drawn picture differs by so much from a triangle, at most, and is so long, at least.
UNEVEN, ELONGATED = 0.1, 2.5
BORDER = 3  # pixels of the copy: so near the picture's border, no gap is filled
PART = 0.1  # of the largest part of an inset: its other parts are at least so large
SMALLEST = 12  # pixels a side
SOLID = 0.7  # of its bounding box: a component that fills so much may be a picture in the picture
WHOLE = 0.985  # of the picture: a region that fills so much is the whole picture
MOST = 2  # insets of one picture that are looked at


class Inset(NamedTuple):
    """A picture within a picture.

    Attributes:
        image: of mode L or RGB.
        left, top: where it begins, in pixels of the whole picture.
        sides: None in a picture that a program drew, and for what `find_sides` gives none.
    """

    image: Image.Image
    left: int
    top: int
    sides: Sides | None

    @property
    def box(self) -> Box:
        """Its first row and column in the whole picture, and the first after it."""
        return self.top, self.top + self.image.height, self.left, self.left + self.image.width


def find_insets(
    image: Image.Image, solid: Sequence[np.ndarray] = (), *, drawn: bool = True
) -> list[Inset]:
    """The pictures that lie within a picture, each cut out.

    An inset is a region that fills nearly all of its convex hull, which has corners. It is searched for as
    what differs from the corners, as the brighter and the darker of two classes (Otsu 1979), and among the
    given regions; in a photo also as what sharp edges divide from the corners. What is narrow, such as a finger that
    holds the sheet, may be taken away. What lies outside a turned one takes the tone of the nearest place inside.

    Args:
        image: of mode L or RGB.
        solid: regions that may be insets, each (h, w) bool for the whole picture, at any resolution.
        drawn: whether a program drew the picture. If not, it is a photo.

    Returns:
        At most `MOST`.
    """
    factor = max(1, -(-max(image.size) // SIDE))
    grey = np.asarray(image.convert("L").reduce(factor), np.float32)
    if min(grey.shape) < SMALLEST:
        return []
    insets: list[Inset] = []
    masks = [(each, SOLIDITY) for each in (*_unlike_corners(grey), *_two_classes(grey))]
    masks += [(_resized(each, grey.shape), SOLIDITY_OF_INK) for each in solid]
    edges = ndimage.gaussian_gradient_magnitude(grey, 1.0) >= EDGE
    if not drawn:
        masks += [(each, SOLIDITY) for each in _between_edges(edges)]
    near_edges = ndimage.binary_dilation(edges, EIGHT)
    for mask, solidity in masks:
        found = _find_sheet(mask, solidity, near_edges)
        if found is None or _is_whole(found.hull):
            continue
        sheet = _without_shallow_gaps(found, drawn=drawn) if found.is_sharp else found.hull
        sides = None if drawn else find_sides(sheet, grey)
        inset = _cut_out(image, sheet, factor, sides)
        if inset is not None and not any(_are_alike(inset.image, other.image) for other in insets):
            insets.append(inset)
            if len(insets) == MOST:
                break
    return insets


def is_solid(part: Component, shorter: int = 0) -> bool:
    """Whether a component fills its bounding box, as a picture within a picture does.

    Args:
        shorter: side of the picture, in pixels.
    """
    least = max(SMALLEST, 0.15 * shorter)
    return part.fill >= SOLID and min(part.width, part.height) >= least


def is_window(region: np.ndarray) -> bool:
    """Whether a region, (height, width) bool without margins, is a rectangle, which may be turned. A 0 is not."""
    hull = convex_hull(region)
    if region.sum() < SOLIDITY_OF_INK * hull.sum():
        return False
    return bool(hull.mean() >= STRAIGHT) or _has_corners(hull)


def _are_alike(one: Image.Image, other: Image.Image) -> bool:
    """Whether two insets differ in size by a twentieth at most: then they are the same one."""
    return all(abs(a - b) <= 0.05 * max(a, b) for a, b in zip(one.size, other.size, strict=True))


def _unlike_corners(grey: np.ndarray) -> Iterator[np.ndarray]:
    ground = np.median([grey[0, 0], grey[0, -1], grey[-1, 0], grey[-1, -1]])
    border = np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])
    if (np.abs(border - ground) <= CORNER).mean() >= 0.25:
        yield np.abs(grey - ground) > UNLIKE


def _two_classes(grey: np.ndarray) -> Iterator[np.ndarray]:
    """Otsu's threshold, which makes the variance between two classes largest: the bright, the dark."""
    counts, bounds = np.histogram(grey, 64, (0, 256))
    tones = (bounds[:-1] + bounds[1:]) / 2
    below, sums = np.cumsum(counts), np.cumsum(counts * tones)
    above = below[-1] - below
    between = (sums[-1] * below / below[-1] - sums) ** 2 / np.maximum(below * above, 1)
    threshold = tones[int(np.argmax(between))] + 2
    smooth = ndimage.uniform_filter(grey, 3)
    yield smooth > threshold
    yield smooth <= threshold


def _between_edges(edges: np.ndarray) -> Iterator[np.ndarray]:
    """What sharp edges divide from the corners; and the largest such part without an edge in it, as on a ground with a
    pattern. A shadow over all has soft edges."""
    labels, count = ndimage.label(~edges)
    corners = np.unique(labels[[0, 0, -1, -1], [0, -1, 0, -1]])
    parts = [~np.isin(labels, corners[corners > 0])]
    areas = np.bincount(labels.ravel(), minlength=count + 1)
    areas[[0, *corners]] = 0
    if areas.any():
        parts.append(ndimage.binary_dilation(labels == areas.argmax(), EIGHT))
    for part in parts:
        top, bottom, left, right = touches(part)
        # What touches opposite sides may be what lies between two digits.
        if not ((top and bottom) or (left and right)):
            yield part


class _Sheet(NamedTuple):
    """What looks like a sheet or a canvas: a region, its convex hull, and whether the hull's sides lie on sharp edges."""

    region: np.ndarray
    hull: np.ndarray
    is_sharp: bool


def _find_sheet(mask: np.ndarray, solidity: float, near_edges: np.ndarray) -> _Sheet | None:
    """The largest region of a mask, if that looks like a sheet or a canvas.

    Args:
        mask: (height, width) bool.
        solidity: of its hull, the region fills at least so much.
        near_edges: (height, width) bool, where the picture has sharp edges, and next to them.

    Returns:
        The region and its hull are (height, width) bool.
    """
    labels, count = ndimage.label(mask)
    if not count:
        return None
    # A band in which a note has the tone of the wall may divide it.
    areas = np.bincount(labels.ravel())
    areas[0] = 0
    large = (areas >= PART * areas.max())[labels]
    region = ndimage.binary_fill_holes(large)
    hull = _hull_in_place(region)
    if _is_filled(region, hull, solidity):
        inner = hull[_box_of(hull)]
        is_rectangle = _is_rectangle(inner)
        if is_rectangle or _is_seen_at_an_angle(inner):
            is_sharp = _has_sharp_sides(hull, near_edges)
            if is_rectangle or is_sharp:
                return _Sheet(region, hull, is_sharp)
    if large.sum() < FULL * region.sum():
        return None  # the lines of a frame
    region = _without_narrow_parts(region)
    if region.sum() < LEAST_HELD * region.size or sum(touches(region)) > 1:
        return None
    hull = _hull_in_place(region)
    is_sheet = _is_filled(region, hull, solidity) and _is_rectangle(hull[_box_of(hull)])
    return _Sheet(region, hull, True) if is_sheet and _has_sharp_sides(hull, near_edges) else None


def _is_whole(hull: np.ndarray) -> bool:
    """Whether a hull is the whole picture."""
    inner = hull[_box_of(hull)]
    return bool(inner.shape == hull.shape and inner.mean() > WHOLE)


def _without_shallow_gaps(sheet: _Sheet, *, drawn: bool) -> np.ndarray:
    """A sheet's hull without the shallow gaps between its outline and the region.

    Next to a clip, some of the desk lies within the hull. A stroke that runs off the sheet is a deeper gap. In a picture
    that a program drew, only triangles are taken away: other gaps may be the rest of a digit that something covers.
    """
    gaps, count = ndimage.label(sheet.hull & ~sheet.region, EIGHT)
    if not count:
        return sheet.hull
    depths = ndimage.distance_transform_edt(np.pad(sheet.hull, 1, mode="edge"))[1:-1, 1:-1]
    border = np.ones(gaps.shape, bool)
    border[BORDER:-BORDER, BORDER:-BORDER] = False
    # What the picture's border cuts off may be a part of something larger.
    at_border = set(gaps[border].tolist())
    shallow = SHALLOW * min(sheet.hull[_box_of(sheet.hull)].shape)
    labels = range(1, count + 1)
    filled = [
        label
        for label, depth in zip(labels, ndimage.maximum(depths, gaps, labels), strict=True)
        if label not in at_border
        and depth <= shallow
        and (not drawn or _is_triangle(gaps == label, depths))
    ]
    return sheet.hull & ~np.isin(gaps, filled)


def _is_triangle(gap: np.ndarray, depths: np.ndarray) -> bool:
    """Whether a gap at the outline of a hull is long, and as deep as a triangle is from one end to the other.

    Args:
        gap: (height, width) bool.
        depths: (height, width) float64, the distances to the outline, in pixels.
    """
    places = np.argwhere(gap) - np.argwhere(gap).mean(0)
    _, axes = np.linalg.eigh(places.T @ places)
    along = np.rint(places @ axes[:, 1]).astype(int)
    steps = np.unique(along)
    profile = ndimage.maximum(depths[gap], along, steps)
    peak = int(profile.argmax())
    sides = np.interp(steps, steps[[0, peak, -1]], profile[[0, peak, -1]])
    long = steps[-1] - steps[0] + 1 >= ELONGATED * profile[peak]
    return bool(long and np.abs(profile - sides).mean() <= UNEVEN * profile[peak])


def _box_of(region: np.ndarray) -> tuple[slice, slice]:
    rows, columns = ndimage.find_objects(region.astype(np.uint8))[0]
    return rows, columns


def _hull_in_place(region: np.ndarray) -> np.ndarray:
    """The convex hull of a region that may have margins, in its place."""
    hull = np.zeros_like(region)
    box = _box_of(region)
    hull[box] = convex_hull(region[box])
    return hull


def _is_filled(region: np.ndarray, hull: np.ndarray, solidity: float) -> bool:
    """Whether a region is large, and fills so much of its convex hull."""
    large = hull[_box_of(hull)].size >= LEAST * hull.size
    return bool(large and region.sum() >= solidity * hull.sum())


def _is_rectangle(hull: np.ndarray) -> bool:
    """Whether a convex hull without margins is a rectangle, which may be turned."""
    filled = hull.mean()
    return bool(filled >= STRAIGHT or (filled >= FILLED and _has_corners(hull)))


def _is_seen_at_an_angle(hull: np.ndarray) -> bool:
    """Whether a convex hull without margins has four corners and is not a triangle: a sheet in perspective."""
    if hull.mean() < AT_AN_ANGLE or share_of_rectangle(hull) < AT_AN_ANGLE:
        return False
    x, y = np.array(hull_corners(hull), float).T
    # Twice the signed area of the triangle of each two corners and a third.
    triangles = (x[None] - x[:, None])[:, :, None] * (y[None] - y[:, None])[:, None]
    triangles = triangles - triangles.transpose(0, 2, 1)
    largest = (triangles.max(2) - triangles.min(2)).max()
    whole = abs(x @ np.roll(y, -1) - y @ np.roll(x, -1))
    return bool(largest >= QUADRILATERAL * whole)


def _has_sharp_sides(hull: np.ndarray, near_edges: np.ndarray) -> bool:
    """Whether the sides of a hull lie on sharp edges, except those at the picture's border. The sides of a light do not."""
    sides = hull & ~ndimage.binary_erosion(hull, border_value=1)
    return bool(sides.any() and near_edges[sides].mean() >= SHARP)


def _without_narrow_parts(region: np.ndarray) -> np.ndarray:
    """A region without what is narrower than a share of it (morphological opening with a disc)."""
    shorter = min(region[_box_of(region)].shape)
    radius = NARROW * shorter
    core = ndimage.distance_transform_edt(np.pad(region, 1))[1:-1, 1:-1] > radius
    if not core.any():
        return core
    broad = ndimage.distance_transform_edt(~core) <= radius
    narrow, _ = ndimage.label(region & ~broad)
    sides = [max(part.stop - part.start for part in box) for box in ndimage.find_objects(narrow)]
    is_held = max(sides, default=0) <= LONGEST_HELD * shorter
    return broad if is_held else np.zeros_like(region)


def _cut_out(
    image: Image.Image, region: np.ndarray, factor: int, sides: Sides | None
) -> Inset | None:
    """What lies within a region; None if that is too small."""
    rows, columns = box = _box_of(region)
    inner = region[box]
    inset = factor  # its outermost pixels are mixed with what lies around
    left, top = columns.start * factor + inset, rows.start * factor + inset
    right = min(columns.stop * factor, image.width) - inset
    bottom = min(rows.stop * factor, image.height) - inset
    if min(right - left, bottom - top) < SMALLEST:
        return None
    part = image.crop((left, top, right, bottom))
    if inner.mean() >= STRAIGHT:
        return Inset(part, left, top, sides)
    inside = _fill_outside(part.convert("L"), inner)
    return None if inside is None else Inset(inside, left, top, sides)


def _resized(mask: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    size = shape[1], shape[0]
    return np.asarray(Image.fromarray(mask).convert("L").resize(size, Image.Resampling.BOX)) > 127


def _has_corners(region: np.ndarray) -> bool:
    """Whether a region fills the smallest rectangle around it, however that is turned: a 0 does not."""
    return share_of_rectangle(region) >= CORNERS


def _fill_outside(part: Image.Image, region: np.ndarray) -> Image.Image | None:
    core = ndimage.binary_erosion(region, EIGHT, iterations=2)
    if not core.any():
        return None
    nearest = ndimage.distance_transform_edt(~core, return_distances=False, return_indices=True)
    small = np.asarray(part.resize(core.shape[::-1], Image.Resampling.BOX))
    tones = Image.fromarray(small[tuple(nearest)]).resize(part.size, Image.Resampling.BILINEAR)
    inside = Image.fromarray(core).resize(part.size)
    return Image.composite(part, tones, inside)
