"""Signs of a printed font become pen strokes: no digits, and none of the classes that are held out."""

from __future__ import annotations

import unicodedata

import numpy as np
from scipy import ndimage

from digitre.training.data import datasets, fonts, split


def test_no_sign_is_a_digit_or_held_out(real_data) -> None:
    """Digits in every form, signs like them, and the classes of validation and test are left out."""
    from matplotlib._mathtext_data import tex2uni

    arrays = datasets.arrays_of("detexify-symbols.npz")
    assert arrays is not None
    signs = set(fonts.signs())
    assert len(signs) > 2_500
    for sign in signs:
        assert unicodedata.numeric(sign, None) is None
        assert not set(unicodedata.normalize("NFKD", sign)) & set("0123456789")
    assert not signs & set("ΟοОоØøЗз|ІЅ")  # noqa: RUF001
    alike = arrays["looks_like"] != ""
    held_out = {
        chr(tex2uni[name])
        for name in map(split.family, map(str, np.unique(arrays["label"][~alike])))
        if name in tex2uni and split.of_symbol(f"latex2e:{name}") != "train"
    }
    known = {
        chr(tex2uni[name]) for part in ("validation", "test") for name in split.SYMBOL_CLASSES[part]
    }
    assert known == set("±ξ∈∂⊆")
    assert not signs & known
    assert not signs & held_out


def test_thinning_keeps_what_is_joined() -> None:
    """Each part stays in one piece, one pixel wide, and a ring keeps its hole."""
    y, x = np.mgrid[:60, :60] - 30
    ring = np.abs(np.hypot(y, x) - 20) < 4
    cross = (np.abs(x) < 4) & (np.abs(y) < 25) | (np.abs(y) < 4) & (np.abs(x) < 25)
    for ink, parts, holes in ((ring, 1, 1), (cross, 1, 0), (np.hypot(y, x) < 3, 1, 0)):
        lines = fonts.thin(ink)
        assert not (lines & ~ink).any()
        assert ndimage.label(lines, np.ones((3, 3)))[1] == parts
        assert ndimage.label(~lines)[1] == 1 + holes
        squares = lines[1:, 1:] & lines[:-1, 1:] & lines[1:, :-1] & lines[:-1, :-1]
        assert squares.sum() <= 1
    assert np.ptp(np.nonzero(fonts.thin(cross))[0]) >= 40


def test_a_pen_follows_all_lines() -> None:
    """The paths cover each pixel, go only to a neighbour, and take no step twice."""
    for sign in ("A", "Ж", "Ⓧ", "⇶", "✈", "¥"):
        font = fonts._font()
        assert font is not None
        image = np.zeros((80, 80), bool)
        mask = font.getmask(sign)
        part = np.array(mask).reshape(mask.size[::-1]) > 127
        image[2 : 2 + part.shape[0], 2 : 2 + part.shape[1]] = part
        lines = fonts.thin(image)
        paths = fonts.follow(lines)
        covered = {tuple(pixel) for path in paths for pixel in path.tolist()}
        assert covered == {tuple(pixel) for pixel in np.argwhere(lines).tolist()}
        steps = [
            frozenset((tuple(a), tuple(b)))
            for path in paths
            for a, b in zip(path[:-1].tolist(), path[1:].tolist(), strict=True)
        ]
        assert len(steps) == len(set(steps))
        assert all(np.abs(np.diff(path, axis=0)).max(initial=0) <= 1 for path in paths)


def test_filled_signs_are_not_drawn() -> None:
    """What is filled has no lines that a pen would draw; what is drawn keeps its outlines."""
    assert not any(fonts.strokes(sign) for sign in "▶♠☎■")
    assert all(fonts.strokes(sign) for sign in "Ж⊕✈¥")
