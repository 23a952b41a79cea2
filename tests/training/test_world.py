"""The sets of other people, scripts and signs: who is in which part, and how an epoch uses them."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pytest

from digitre.training.data import augmentation, datasets, epochs, labels, rare, split, world
from digitre.training.data.datasets import NO_DIGIT
from digitre.training.data.split import PARTS

LOADERS = (
    world.strangers,
    world.numbers,
    world.run_digits,
    world.words,
    world.latex_symbols,
    world.scripts,
    world.doodles,
)


def test_nothing_of_a_person_is_in_two_parts(real_data) -> None:
    """Digits, numbers and words of a person are in one part: that of the person's characters."""
    sites = world._sites_of_people()
    assert sites is not None
    parts = defaultdict(set)
    for name in ("unipen-digits-more.npz", "unipen-strings.npz", "unipen-words.npz"):
        arrays = datasets.arrays_of(name)
        assert arrays is not None
        for part in PARTS:
            for person in arrays["writer"][world.written_in(part, arrays)]:
                parts[str(person)].add(part)
    assert all(len(each) == 1 for each in parts.values())
    for part in ("validation", "test"):
        tested = {person for person, site in sites.items() if site in split.UNIPEN_SITES[part]}
        assert {part} == set.union(*(parts[person] for person in tested if person in parts))
    assert all(sum(part in each for each in parts.values()) > 30 for part in PARTS)


def test_signs_that_look_alike_are_in_one_part() -> None:
    """One sign has one part in all packages and styles, and that of the ten classes where it is one."""
    assert split.family("dsfont:mathds-lbrace-A-rbrace") == "A"
    assert split.family("mathrsfs:mathscr-lbrace-A-rbrace") == "A"
    assert split.family("upgreek:Upgamma") == split.family("latex2e:Gamma") == "Gamma"
    assert split.family("tipa:textchi") == split.family("latex2e:chi") == "chi"
    assert split.family("latex2e:varepsilon") == split.family("upgreek:upepsilon")
    assert split.family("latex2e:dag") == split.family("textcomp:textdagger")
    for part, names in split.SYMBOL_CLASSES.items():
        assert {split.of_symbol(f"latex2e:{name}") for name in names} == {part}
    assert split.of_symbol("upgreek:upvarphi") == "train"  # varphi is


def test_each_part_of_each_set_has_drawings(real_data) -> None:
    """A training part is larger than the two others; no drawing is in two parts."""
    for load in LOADERS:
        parts = {part: load(part) for part in PARTS}
        sizes = [len(parts[part]) for part in PARTS]
        assert sizes[0] > max(sizes[1:]) > 0, load.__name__
        assert min(sizes) > 200, load.__name__
        known = {
            part: {
                points.tobytes()
                for points in map(np.concatenate, parts[part].strokes)
                if len(points) > 10  # many dots and lines are the same
            }
            for part in PARTS
        }
        assert not known["train"] & (known["validation"] | known["test"]), load.__name__
        digits = load in (world.strangers, world.run_digits)
        expected = set(range(10)) if digits else {NO_DIGIT}
        assert all(set(parts[part].labels.tolist()) == expected for part in PARTS)


def test_look_alikes_and_suspects_are_in_no_part(real_data) -> None:
    """What may be a digit is neither a digit nor a negative, and doubtful labels are not used."""
    symbols = datasets.arrays_of("detexify-symbols.npz")
    scripts = datasets.arrays_of("omniglot.npz")
    doodles = datasets.arrays_of("quickdraw-doodles.npz")
    digits = datasets.arrays_of("unipen-digits-more.npz")
    assert symbols is not None
    assert scripts is not None
    assert doodles is not None
    assert digits is not None
    for load, used in (
        (world.latex_symbols, symbols["looks_like"] == ""),
        (world.scripts, scripts["shown_confidence"] < split.SCRIPT_LOOK_ALIKE),
        (world.doodles, ~np.isin(doodles["label"], sorted(split.DOODLE_LOOK_ALIKES))),
        (world.strangers, ~digits["suspect"]),
    ):
        assert sum(len(load(part)) for part in PARTS) == used.sum() < len(used)


def test_the_cleaned_site_is_learned_without_its_wrong_labels(real_data) -> None:
    """Of the 1,571 digits of ibm, 119 are left out; it is in the training part only."""
    arrays = datasets.arrays_of("unipen-characters.npz")
    assert arrays is not None
    is_digit = arrays["category"] == "1a"
    train = np.isin(arrays["donor"], split.UNIPEN_SITES["train"])
    cleaned = arrays["donor"] == split.CLEANED_SITE
    assert (is_digit & cleaned).sum() == 1571
    assert max(labels.WRONG_IBM) < 1571
    assert len(datasets.unipen_digits("train")) == (is_digit & (train | cleaned)).sum() - 119
    for part in PARTS:
        assert split.CLEANED_SITE not in split.UNIPEN_SITES[part]


def test_numbers_are_cut_into_their_digits(real_data) -> None:
    """A run's strokes are those of its digits, in their order."""
    arrays = datasets.arrays_of("unipen-strings.npz")
    assert arrays is not None
    runs = [run for part in PARTS for run in world.runs(part)]
    assert len(runs) == (arrays["cuts"] != "").sum()
    for digits, numbers in runs:
        assert len(digits) == len(numbers)
        assert all(digits)
    written = sorted("".join(map(str, numbers)) for _, numbers in runs)
    assert written == sorted(arrays["label"][arrays["cuts"] != ""].tolist())


def test_without_the_list_of_people_nothing_of_them_is_used(
    real_data, tmp_path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would not be known who is tested already."""
    (tmp_path / "unipen-digits-more.npz").symlink_to(real_data / "unipen-digits-more.npz")
    monkeypatch.setenv("DIGITRE_DATA", str(tmp_path))
    world._sites_of_people.cache_clear()
    try:
        assert len(world.strangers("train")) == 0
    finally:
        world._sites_of_people.cache_clear()


@pytest.mark.parametrize("form", [form for form, _, _ in rare.MADE_UP], ids=lambda f: f.__name__)
def test_a_made_up_digit_is_read_as_the_digit(form, classifier) -> None:
    """The network that never saw these forms reads most of them: they are the digits they should be."""
    label = next(label for each, label, _ in rare.MADE_UP if each is form)
    random = np.random.default_rng(1)
    drawn = [augmentation.draw(form(random), random, flip=True) for _ in range(40)]
    answers = classifier.classify(np.array(drawn)[..., None].astype(np.float32) / 255).argmax(1)
    assert (answers == label).mean() > 0.6


def test_altered_digits_change_where_they_should() -> None:
    """A slash, a ring and a line are added; a hook gets shorter, a bar moves, and the rest stays."""
    random = np.random.default_rng(2)
    t = np.linspace(0, 1, 40)[:, None]
    hook = np.concatenate([np.array([[1.0, 10.0]]) * (1 - t), np.array([[4.0, 1.0]]) * t])
    bar, belly = np.array([[1.0, 9.0], [5, 9.3]]), np.array([[1.0, 9.0], [1, 5], [5, 4], [2, 0]])
    for alter in (rare.slashed_zero, rare.circled, rare.underlined):
        first, *more = alter([hook], random)
        assert first is hook
        assert more
    assert np.concatenate(rare.underlined([hook], random)[1:])[:, 1].max() < hook[:, 1].min()
    (short,) = rare.short_six([hook], random)
    assert len(short) < len(hook)
    np.testing.assert_array_equal(short, hook[-len(short) :])
    moved, same = rare.apart_five([bar, belly], random)
    assert same is belly
    assert (moved - bar)[:, 1].min() > 0.2
    assert rare.apart_five([belly], random) == [belly]  # one line: there is no bar to move


def test_a_drawing_that_sticks_out_loses_a_strip(monkeypatch: pytest.MonkeyPatch) -> None:
    """At one side, up to a twelfth of it is not in the picture."""
    ink = np.zeros((60, 60), np.uint8)
    ink[10:50, 20:40] = 255
    sides = set()
    for seed in range(20):
        cut = augmentation.cut_off(ink, np.random.default_rng(seed))
        lost = ink[10:50, 20:40] > cut[10:50, 20:40]
        assert 0 < lost.sum() <= 40 * 20 / 8
        sides.add(tuple(np.argwhere(lost).min(0)) + tuple(np.argwhere(lost).max(0)))
        assert cut.shape == ink.shape
    assert len(sides) >= 4


def test_an_epoch_has_more_digits_than_others(real_data) -> None:
    """Six pictures in ten are digits; the label counts half or more for what no teacher has seen."""
    pictures, numbers, trusts = epochs.make(3, 0, 0.004)
    assert len(pictures) == len(numbers) == len(trusts) > 900
    assert 0.55 < (numbers != NO_DIGIT).mean() < 0.65
    assert set(trusts.tolist()) == {0, epochs.NEW, float(np.float32(epochs.NEW_DIGITS))}
    assert 0.2 < (trusts > 0).mean() < 0.35
    again = epochs.make(3, 0, 0.004)
    assert all((a == b).all() for a, b in zip((pictures, numbers, trusts), again, strict=True))
