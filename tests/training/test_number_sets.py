"""The sets on which numbers are measured: who wrote them, how they are drawn, what is measured."""

from __future__ import annotations

import numpy as np
import pytest
from skips import NO_DATA

from digitre import Classifier
from digitre.training.data import datasets, split, strings, world
from digitre.training.evaluation import limits, number_scenes, number_sets, numbers, sets
from digitre.training.evaluation.number_sets import FORMS, SETS, set_id

needs_data = pytest.mark.skipif(datasets.path("unipen-strings.npz") is None, reason=NO_DATA)


@needs_data
def test_no_number_of_a_test_person_is_in_another_part() -> None:
    """Each string is in one part, by its person, and that is the part of the person's characters."""
    arrays = datasets.arrays_of("unipen-strings.npz")
    assert arrays is not None
    parts = {part: set(arrays["writer"][world.written_in(part, arrays)]) for part in split.PARTS}
    assert len(set.union(*parts.values())) == sum(map(len, parts.values())) == 185
    for part in split.PARTS:
        people = set(world.digits_of_people(part))
        for other in split.PARTS:
            assert part == other or not people & parts[other]
        assert people & parts[part]


@needs_data
def test_the_sets_have_what_they_say() -> None:
    """Strings have 2 to 10 digits, signed ones a sign, pairs two digits that touch, words no digits."""
    assert {len(each.text) for each in strings.strings("test")} <= {*range(2, 11)}
    assert all(each.text.isdigit() for each in strings.strings("test"))
    assert all(set(each.text) & set("-.,/") for each in strings.signed("validation"))
    assert all(each.text.isalpha() or len(each.text) > 1 for each in strings.words("test"))
    for pair in strings.touching("test", 20):
        assert len(pair.text) == 2
    assert len(strings.strings("test")) > 200


def test_a_number_is_drawn_within_its_canvas() -> None:
    """The canvas has 80 to 250 pixels in height, and the ink lies within it, the same for the same seed."""
    written = strings.Written(
        "17", [np.array([[0, 0], [0, 90.0]]), np.array([[40, 90.0], [80, 0]])]
    )
    for seed in range(5):
        picture, strokes = numbers.draw(written, seed)
        assert 80 <= picture.shape[0] <= 250
        assert picture[0].min() == picture[:, 0].min() == 255
        assert picture.min() == 0
        points = np.concatenate(strokes)
        assert (points >= 0).all()
        assert (points < picture.shape[::-1]).all()
        again, _ = numbers.draw(written, seed)
        assert np.array_equal(picture, again)


def test_numbers_are_measured_in_both_forms(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each set has its figures with strokes and without, and titles and limits know the sets."""
    one = np.array([[0, 0], [2, 50.0], [4, 100]])
    eleven = [strings.Written("11", [one, one + np.array([60.0, 0])])] * 2
    table = tuple((name, title, lambda part: eleven, signs) for name, title, _, signs in SETS)
    monkeypatch.setattr(numbers, "SETS", table)
    figures = list(numbers.measure(Classifier(), "test"))
    of_strings = {f.metric: f.value for f in figures if f.set == "strings_pictures_test"}
    assert of_strings["count"] == 2
    assert of_strings["accuracy"] == of_strings["answered_accuracy"] == 100
    assert of_strings["refused"] == 0
    of_words = {f.metric for f in figures if f.set == "letters_strokes_test"}
    assert of_words == {"count", "refused"}
    ids = {set_id(name, form, "test") for name, _, _, _ in number_sets.SETS for form in FORMS}
    assert {figure.set for figure in figures} == ids
    assert all(sets.title(id) != id for id in ids)
    assert ids == {limit.set for limit in limits.LIMITS if limit.set in ids}


def test_numbers_are_measured_in_scenes(
    classifier: Classifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only clear numbers are used; a scene is drawn alike each time; titles and limits know the sets."""
    seven = [np.array([[0, 100.0], [60, 100], [20, 0]])]
    number = strings.Written("77", [*seven, seven[0] + np.array([90.0, 0])])
    unclear = strings.Written("77", [np.array([[0, 0], [90.0, 40]])])
    monkeypatch.setattr(strings, "strings", lambda part: [number, unclear])
    assert number_scenes.clear_numbers(classifier, "test") == [number]
    scenes = [each for each in number_scenes.SCENES if each.id in ("plain", "desk")]
    monkeypatch.setattr(number_scenes, "SCENES", scenes)
    for scene in scenes:
        once, again = (list(number_scenes.pictures(scene, [number], [], 2)) for _ in range(2))
        assert once == again
        assert [text for _, text in once] == ["77", "77"]
    figures = number_scenes.measure(classifier, "test", count=2)
    values = {(each.set, each.metric): each.value for each in figures}
    for name in number_sets.SCENES:
        set_id = number_sets.part_id(name, "test")
        assert values[set_id, "count"] == 4
        assert sets.title(set_id) != set_id
        assert any(limit.set == set_id for limit in limits.LIMITS)
    assert values["numbers_in_scenes_test", "accuracy"] == 100
    assert values["scenes_without_numbers_test", "refused"] == 100


@pytest.mark.long
@pytest.mark.timeout(600)
@needs_data
@pytest.mark.usefixtures("real_data")
def test_numbers_of_people_are_read_in_scenes(classifier: Classifier) -> None:
    """Of validation people's numbers among other things nearly all are read, and nearly no scene without one is."""
    figures = number_scenes.measure(classifier, "validation", count=6)
    values = {(each.set, each.metric): each.value for each in figures}
    assert values["numbers_in_scenes", "count"] >= 300
    assert values["numbers_in_scenes", "accuracy"] >= 95
    assert values["numbers_in_scenes", "answered_accuracy"] >= 98
    assert values["scenes_without_numbers", "refused"] >= 98
