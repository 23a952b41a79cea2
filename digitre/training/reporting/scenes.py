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
BEFORE_WITH_DIGIT: dict[str, Before] = {}
# The share that was refused, of pictures without a digit and with several.
BEFORE_REFUSED: dict[str, float] = {}


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
