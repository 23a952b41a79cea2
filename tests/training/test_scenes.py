"""The scenes: pictures with a digit and something around it, to measure how it is found."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from PIL import Image
from strokes import DIGITS, smooth

from digitre import Classifier
from digitre.training.evaluation.scenes import figures
from digitre.training.evaluation.scenes.drawing import Writing
from digitre.training.evaluation.scenes.plain import plain
from digitre.training.evaluation.scenes.table import (
    ARRANGEMENTS,
    EMPTY,
    SCENE_SETS,
    SCENES,
    SEVERAL,
    WITH_DIGIT,
    Scene,
    SceneSet,
)

# Tests by hand draw with y downwards, scenes with y upwards.
DRAWN = {label: [smooth(s) * (1, -1) for s in strokes] for label, strokes in DIGITS.items()}
BY_ID = {scene.id: scene for scene in SCENES}
# What may lie around a digit without making it another one.
AROUND = (
    "box",
    "noise",
    "dust",
    "specks",
    "soft_shadow",
    "hard_shadow",
    "vignette",
    "rule_below",
    "cell",
    "comb",
    "margin",
    "axes",
    "padded",
    "white_bars",
    "black_bars",
    "dark_page",
    "turned",
    "desk",
)


def writing(digits: int, random: np.random.Generator) -> Writing:
    chosen = random.integers(0, 10, digits)
    return Writing([DRAWN[int(label)] for label in chosen], list(DRAWN.values()))


@pytest.mark.parametrize("scene_set", SCENE_SETS, ids=lambda each: each.id)
def test_every_scene_gives_a_picture(scene_set: SceneSet) -> None:
    """It is a picture of some hundred pixels a side that is not blank, the same for the same seed."""
    for seed in range(2):
        first, second = (
            scene_set.scene.draw(writing(scene_set.digits, random), random)
            for random in (np.random.default_rng(seed), np.random.default_rng(seed))
        )
        assert first == second
        picture = Image.open(io.BytesIO(first))
        assert 28 <= min(picture.size) <= max(picture.size) <= 1500
        low, high = (
            picture.convert("LA").getchannel("A" if picture.mode == "RGBA" else "L").getextrema()
        )
        assert low < high or scene_set.id == "empty_plain"


def test_other_seeds_give_other_pictures() -> None:
    """Two seeds give two pictures in each scene."""
    for scene in (*SCENES, *ARRANGEMENTS):
        one, two = (
            scene.draw(Writing([DRAWN[3]] * 2, [DRAWN[5]]), np.random.default_rng(seed))
            for seed in (1, 2)
        )
        assert one != two, scene.id


def test_the_table_of_scenes() -> None:
    """No two scenes have the same id or title; empty and several-digit sets have titles of their own."""
    assert len(SCENES) >= 50
    for names in ([each.id for each in SCENE_SETS], [each.title for each in SCENE_SETS]):
        assert len(names) == len(set(names))
    assert {each.digits for each in SEVERAL} == {2, 3}
    assert {each.scene.id for each in EMPTY}.isdisjoint({"circled", "erased", "show_through"})


def test_a_set_draws_the_ten_digits_in_turn(real_data) -> None:
    """Each digit is as frequent as the others, and the pictures are the same when drawn again."""
    drawings = figures.clear_digits(Classifier(), "validation")
    once, again = (list(figures.pictures(WITH_DIGIT[0], drawings, 20)) for _ in range(2))
    assert [label for _, label in once] == [*range(10)] * 2
    assert once == again
    assert {label for _, label in figures.pictures(SEVERAL[0], drawings, 5)} == {10}


def test_without_drawings_nothing_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    """If the data is missing, there are no figures of scenes, and no error."""
    monkeypatch.delenv("DIGITRE_DATA", raising=False)
    assert figures.measure(Classifier(), "test") == []


def test_the_figures_of_a_set(classifier: Classifier) -> None:
    """A refusal is neither correct nor an error; an error counts as confident from 90 %."""
    seven = classifier.read(plain(Writing([DRAWN[7]]), np.random.default_rng(0)))
    blank = classifier.read(np.zeros((28, 28), np.uint8))
    answers = [figures.Answer(7, seven), figures.Answer(1, seven), figures.Answer(7, blank)]
    rows = figures.figures_of([*answers, figures.Answer(7, seven)], "scene_plain", 1)
    assert {row.metric: row.value for row in rows} == {
        "count": 4,
        "correct": 50,
        "refused": 25,
        "confident_errors": 25,
    }
    rows = figures.figures_of([figures.Answer(10, seven), figures.Answer(10, blank)], "two_free", 2)
    assert {row.metric: row.value for row in rows} == {"count": 2, "refused": 50, "several": 0}


@pytest.mark.slow
def test_most_digits_are_found_in_scenes(real_data) -> None:
    """Of three digits in each scene at least nine in ten are read, all scenes together.

    Of a picture of each scene without a digit, and each number, as many are refused.
    """
    measured = figures.measure(Classifier(), "validation", count=3, scene_sets=WITH_DIGIT)
    assert np.mean([row.value for row in measured if row.metric == "correct"]) >= 90
    others = figures.measure(Classifier(), "validation", count=1, scene_sets=(*EMPTY, *SEVERAL))
    assert np.mean([row.value for row in others if row.metric == "refused"]) >= 90


@pytest.mark.slow
@settings(derandomize=True, deadline=None, max_examples=60)
@given(
    st.sampled_from(sorted(DRAWN)),
    st.sampled_from([BY_ID[each] for each in AROUND]),
    st.integers(0, 2**32 - 1),
)
def test_surroundings_never_make_another_digit(
    classifier: Classifier, label: int, scene: Scene, seed: int
) -> None:
    """A digit that is read when it stands alone is never another one, at over 90 %, with a frame, dust, a
    rule, a page or a shadow around it.
    """
    strokes = Writing([DRAWN[label]])
    alone = classifier.read(plain(strokes, np.random.default_rng(seed)))
    assume(alone.digit == label)
    reading = classifier.read(scene.draw(strokes, np.random.default_rng(seed)))
    assert reading.digit in (None, label) or reading.confidence <= 0.9
