"""What a network is meant to reach on the test sets, and whether it does."""

from __future__ import annotations

from typing import Any

from digitre.recognition import schema_1
from digitre.recognition.card import Figures
from digitre.training.evaluation import sets
from digitre.training.evaluation.limits import LIMITS, Limit

TARGETS = tuple(limit for limit in LIMITS if limit.set not in sets.VALIDATION)


def measured(figures: Figures) -> list[Limit]:
    """The targets whose figure was measured; those of a set without data are left out."""
    return [each for each in TARGETS if figures.value(each.set, each.metric) is not None]


def missed(figures: Figures) -> list[Limit]:
    """The targets that are measured and not reached."""
    return [each for each in measured(figures) if not each.is_met(figures)]


def name(target: Limit) -> str:
    """What a target is about, for people: the set and the metric."""
    return f"{sets.title(target.set)}: {target.metric.replace('_', ' ')}"


def reached(target: Limit, figures: Figures) -> str:
    """The figure, with enough decimals to show on which side of the limit it lies.

    Raises:
        KeyError: if it was not measured.
    """
    value = figures.of(target.set)[target.metric]
    if target.metric == "max_difference":
        return f"{value:.1e}"
    short = f"{value:.2f}"
    return short if target.allows(float(short)) == target.allows(value) else f"{value:.3f}"


def as_text(figures: Figures) -> str:
    """A line per target for a terminal: the figure and its limit. Scenes are listed only if missed."""
    lines = []
    met_in_scenes = 0
    for target in measured(figures):
        met = target.is_met(figures)
        if met and target.set in sets.SCENES:
            met_in_scenes += 1
            continue
        note = "" if met else "  MISSED"
        lines.append(f"{name(target):68} {reached(target, figures):>8}  {target}{note}")
    if met_in_scenes:
        lines.append(f"{met_in_scenes} targets for scenes are met")
    return "\n".join(lines)


def as_json(figures: Figures) -> dict[str, dict[str, Any]]:
    """The figures by title as `--json` prints them, each with its targets: `asked` and `met`.

    Programs read this, so the titles and names are those of the first version.
    """
    rows: dict[str, dict[str, Any]] = dict(figures.to_schema_1())
    for target in measured(figures):
        targets = rows[schema_1.title_of(target.set)].setdefault("targets", {})
        targets[schema_1.name_of(target.metric)] = {
            "asked": str(target),
            "met": target.is_met(figures),
        }
    return rows
