"""The tables of scenes on the page about a network: before and after digits were searched for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from digitre.recognition.card import Figures
from digitre.training.evaluation.scenes.table import EMPTY, SEVERAL, WITH_DIGIT, SceneSet


class Before(NamedTuple):
    """Figures of a scene with a digit, in per cent."""

    correct: float
    refused: float
    confident_errors: float


# Measured at the version of 2026-11-21 (9adc52f), the last that cleaned a picture by fixed rules, with
# the network digitre-b73c7bdf and the same pictures.
BEFORE_WITH_DIGIT: dict[str, Before] = {
    "scene_plain": Before(99.5, 0.5, 0.0),
    "scene_corner": Before(100.0, 0.0, 0.0),
    "scene_noise": Before(100.0, 0.0, 0.0),
    "scene_colours": Before(100.0, 0.0, 0.0),
    "scene_coarse_jpeg": Before(100.0, 0.0, 0.0),
    "scene_box": Before(99.5, 0.5, 0.0),
    "scene_glass": Before(100.0, 0.0, 0.0),
    "scene_blackboard": Before(98.0, 2.0, 0.0),
    "scene_tiny": Before(100.0, 0.0, 0.0),
    "scene_toolbar": Before(100.0, 0.0, 0.0),
    "scene_scroll_bar": Before(99.0, 1.0, 0.0),
    "scene_touching": Before(100.0, 0.0, 0.0),
    "scene_sticking_out": Before(99.0, 0.5, 0.5),
    "scene_graph_photo": Before(93.0, 7.0, 0.0),
    "scene_ruled_photo": Before(92.0, 8.0, 0.0),
    "scene_marker": Before(93.0, 7.0, 0.0),
    "scene_soft_shadow": Before(46.0, 48.5, 3.5),
    "scene_hard_shadow": Before(18.0, 78.5, 1.5),
    "scene_vignette": Before(73.0, 27.0, 0.0),
    "scene_thin_uneven": Before(89.0, 9.0, 2.0),
    "scene_pencil": Before(98.0, 2.0, 0.0),
    "scene_fold": Before(87.0, 13.0, 0.0),
    "scene_finger": Before(69.0, 30.5, 0.5),
    "scene_punched": Before(73.0, 26.5, 0.0),
    "scene_show_through": Before(98.0, 2.0, 0.0),
    "scene_dust": Before(97.0, 3.0, 0.0),
    "scene_specks": Before(44.5, 53.0, 1.0),
    "scene_graph_canvas": Before(34.0, 65.0, 0.5),
    "scene_ruled_canvas": Before(44.0, 54.0, 1.0),
    "scene_rule_below": Before(64.0, 34.5, 1.0),
    "scene_rule_through": Before(49.5, 50.5, 0.0),
    "scene_underlined": Before(52.0, 40.0, 6.0),
    "scene_margin": Before(49.5, 49.0, 0.5),
    "scene_comb": Before(36.5, 63.0, 0.0),
    "scene_cell": Before(37.5, 62.5, 0.0),
    "scene_axes": Before(25.5, 73.5, 0.5),
    "scene_padded": Before(1.5, 98.5, 0.0),
    "scene_white_bars": Before(9.0, 91.0, 0.0),
    "scene_black_bars": Before(16.0, 84.0, 0.0),
    "scene_dark_page": Before(0.0, 100.0, 0.0),
    "scene_turned": Before(98.5, 1.5, 0.0),
    "scene_desk": Before(26.5, 73.5, 0.0),
    "scene_sticky_note": Before(2.0, 97.0, 1.0),
    "scene_neighbour": Before(71.5, 28.0, 0.0),
    "scene_rests": Before(39.0, 60.0, 0.0),
    "scene_circled": Before(1.0, 93.5, 4.0),
    "scene_erased": Before(97.5, 2.5, 0.0),
    "scene_dot": Before(100.0, 0.0, 0.0),
    "scene_pointer": Before(93.0, 7.0, 0.0),
    "scene_small_type": Before(89.5, 10.5, 0.0),
    "scene_stamp": Before(49.0, 49.0, 1.0),
}
# The share that was refused, of pictures without a digit and with several.
BEFORE_REFUSED: dict[str, float] = {
    "empty_plain": 100.0,
    "empty_noise": 100.0,
    "empty_blackboard": 100.0,
    "empty_toolbar": 100.0,
    "empty_scroll_bar": 53.5,
    "empty_graph_photo": 100.0,
    "empty_ruled_photo": 99.5,
    "empty_soft_shadow": 75.0,
    "empty_hard_shadow": 94.0,
    "empty_vignette": 100.0,
    "empty_thin_uneven": 98.5,
    "empty_fold": 64.5,
    "empty_finger": 100.0,
    "empty_punched": 100.0,
    "empty_dust": 100.0,
    "empty_specks": 100.0,
    "empty_graph_canvas": 100.0,
    "empty_ruled_canvas": 100.0,
    "empty_rule_below": 100.0,
    "empty_rule_through": 100.0,
    "empty_underlined": 100.0,
    "empty_comb": 100.0,
    "empty_cell": 100.0,
    "empty_axes": 100.0,
    "empty_padded": 99.0,
    "empty_white_bars": 98.5,
    "empty_black_bars": 100.0,
    "empty_dark_page": 100.0,
    "empty_turned": 100.0,
    "empty_desk": 99.5,
    "empty_sticky_note": 100.0,
    "empty_neighbour": 68.0,
    "empty_rests": 100.0,
    "empty_small_type": 100.0,
    "two_free": 98.5,
    "two_at_edge": 86.0,
    "two_cropped": 95.0,
    "two_thick_and_thin": 56.0,
    "three_free": 100.0,
    "three_at_edge": 100.0,
    "three_cropped": 100.0,
    "three_thick_and_thin": 99.5,
}


def digit_rows(figures: Figures) -> list[list[str]]:
    """A row of cells for each scene that was measured.

    The cells are the title, and before and after the digits read, refused and confidently wrong; then
    the pictures without a digit that were refused, before and after.
    """
    empty = {each.scene.id: each for each in EMPTY}
    rows = []
    for each in WITH_DIGIT:
        now = figures.of(each.id_of("test"))
        if not now:
            continue
        before = BEFORE_WITH_DIGIT.get(each.id)
        was: Mapping[str, float] = before._asdict() if before else {}
        cells = [each.title]
        for metric in Before._fields:
            cells += [_cell(was.get(metric)), _cell(now.get(metric))]
        cells += _refused(empty[each.scene.id], figures) if each.scene.id in empty else ["", ""]
        rows.append(cells)
    return rows


def several_rows(figures: Figures) -> list[list[str]]:
    """A row for each arrangement of digits: title, refused before and after, recognised as several."""
    return [
        [
            each.title,
            *_refused(each, figures),
            _cell(figures.value(each.id_of("test"), "several")),
        ]
        for each in SEVERAL
        if figures.of(each.id_of("test"))
    ]


def _refused(scene_set: SceneSet, figures: Figures) -> list[str]:
    now = figures.value(scene_set.id_of("test"), "refused")
    return [_cell(BEFORE_REFUSED.get(scene_set.id)), _cell(now)]


def _cell(value: float | None) -> str:
    return "" if value is None else f"{value:.1f}"
