"""A target is met or missed by what was measured, not by the rounded number that is printed."""

from __future__ import annotations

from digitre.recognition.card import Figure, Figures
from digitre.training.evaluation import limits, report, sets, targets
from digitre.training.evaluation.scenes.table import EMPTY, SEVERAL, WITH_DIGIT

SET = "anywhere_test"
TITLE = "drawn by test writers, anywhere"  # in `--json`, where titles never change


def test_a_narrow_miss_is_a_miss_and_is_shown() -> None:
    """988 of 998 are less than 99 %, although two decimals say 99.00; 0.70 of at most 0.7 is met."""
    figures = Figures(
        (
            Figure(SET, "accuracy", 100 * 988 / 998),
            Figure(SET, "refused", 1.5),
            Figure("others_test", "refused", 97.5),
            Figure("mnist_test", "refused", 0.7),
        )
    )
    assert [(each.set, each.metric) for each in targets.missed(figures)] == [(SET, "accuracy")]
    lines = targets.as_text(figures).splitlines()
    assert len(lines) == 4
    assert [line for line in lines if "MISSED" in line] == [
        f"{sets.title(SET) + ': accuracy':68}   98.998  at least 99  MISSED"
    ]
    rows = targets.as_json(figures)
    assert rows[TITLE]["targets"]["right"] == {"asked": "at least 99", "met": False}
    assert rows[TITLE]["targets"]["refused"]["met"]
    assert rows[TITLE]["right"] == 100 * 988 / 998


def test_every_limit_is_about_a_set_of_the_table() -> None:
    """Each limit names a set with a title, has one bound, and is the only one for its figure."""
    ids = [each.id for each in sets.SETS]
    assert len(ids) == len(set(ids))
    assert {limit.set for limit in limits.LIMITS} <= set(ids)
    assert limits.CALIBRATION.keys() <= sets.VALIDATION
    figures = [(limit.set, limit.metric) for limit in limits.LIMITS]
    assert len(figures) == len(set(figures))
    for limit in limits.LIMITS:
        assert (limit.at_least is None) != (limit.at_most is None)
    in_scenes = [each for each in targets.TARGETS if each.set in sets.SCENES]
    added = [each for each in targets.TARGETS if each.set in sets.ADDED]
    assert {each.set for each in added} == {each for each in sets.ADDED if each.endswith("_test")}
    assert len(targets.TARGETS) - len(in_scenes) - len(added) == 39
    # Each scene has two with a digit, and one for each set that must be refused.
    assert len(in_scenes) == 2 * len(WITH_DIGIT) + len(EMPTY) + len(SEVERAL)


def test_scenes_are_listed_only_if_they_miss_a_target() -> None:
    """Of the many targets for scenes, those that are met are counted in one line."""
    figures = Figures(
        (
            Figure("scene_comb_test", "correct", 94.5),
            Figure("scene_comb_test", "confident_errors", 0.0),
            Figure("empty_comb_test", "refused", 99.5),
            Figure("mnist_test", "accuracy", 99.7),
        )
    )
    lines = targets.as_text(figures).splitlines()
    assert len(lines) == 3
    assert lines[0].endswith("at least 99.6")
    assert lines[1].startswith("in a form's comb: correct")
    assert lines[1].endswith("94.50  at least 95  MISSED")
    assert lines[2] == "2 targets for scenes are met"


def test_the_figures_are_printed_by_title() -> None:
    """The table for a terminal has a line for each set, with the numbers in their columns."""
    figures = Figures(
        (
            Figure("mnist_test", "count", 10000),
            Figure("mnist_test", "accuracy", 99.66),
            Figure("time_against_2017", "time_ratio", 0.3262),
        )
    )
    head, first, second = report.as_text(figures).splitlines()
    assert "accuracy  refused  calibration error" in head
    assert first.split()[-2:] == ["10000", "99.66"]
    assert first.index("99.66") + 5 == head.index("accuracy") + 8
    assert first.startswith(sets.title("mnist_test"))
    assert second.endswith("time ratio 0.326")
