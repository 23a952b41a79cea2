"""The sets that a network is measured on, in one table.

A set is (n, 28, 28) uint8 preprocessed pictures, and their labels. Test sets are only for measuring;
settings are chosen, and networks compared, on validation sets.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from digitre.recognition import photo
from digitre.recognition.preprocessing import shape_ink
from digitre.training.data import augmentation, datasets, synthetic, world
from digitre.training.data.datasets import NO_DIGIT, Part, Traces
from digitre.training.data.strokes import fit, render
from digitre.training.evaluation import number_sets
from digitre.training.evaluation.scenes.table import SCENE_SETS

CANVAS = 250  # pixels of its side, as on the page

Pictures = tuple[np.ndarray, np.ndarray]  # (n, 28, 28) uint8 and (n,) labels
View = Callable[[list[np.ndarray], np.random.Generator], np.ndarray]  # strokes to ink


def central(strokes: list[np.ndarray], random: np.random.Generator, pen: float = 12) -> np.ndarray:
    """Draw strokes in the middle of the canvas, on 60 % of its side: (250, 250) uint8 ink."""
    middle = CANVAS / 2
    return render(fit(strokes, 0.6 * CANVAS, middle, middle, flip=True), CANVAS, CANVAS, pen)


def anywhere(strokes: list[np.ndarray], random: np.random.Generator, pen: float = 12) -> np.ndarray:
    """Draw strokes anywhere on the canvas, on 25 to 80 % of its side: (250, 250) uint8 ink."""
    size = random.uniform(0.25, 0.8) * CANVAS
    room = (CANVAS - size - pen) / 2
    place = CANVAS / 2 + random.uniform(-room, room, 2)
    return render(fit(strokes, size, *place, flip=True), CANVAS, CANVAS, pen)


def on_paper(strokes: list[np.ndarray], random: np.random.Generator) -> np.ndarray:
    """Draw strokes, photograph them at a height of 28 to 112 pixels, and find the ink: uint8."""
    pen = random.uniform(5, 16)
    small = augmentation.photograph(central(strokes, random, pen), random, (28, 112))
    return photo.find_ink(small)


pen_3 = functools.partial(central, pen=3)
pen_25 = functools.partial(central, pen=25)


def draw(traces: Traces, view: View, seed: int = 0) -> Pictures:
    """Draw pen traces in one view and preprocess them; the same for the same seed."""
    random = np.random.default_rng(seed)
    pictures = [augmentation.as_bytes(shape_ink(view(s, random))) for s in traces.strokes]
    return np.array(pictures, np.uint8).reshape(-1, 28, 28), traces.labels


def sample(traces: Traces, count: int) -> Traces:
    """At most `count` of the traces, evenly spread."""
    chosen = np.linspace(0, len(traces) - 1, min(count, len(traces))).astype(int)
    return Traces([traces.strokes[i] for i in chosen], traces.labels[chosen])


def as_batch(pictures: np.ndarray) -> np.ndarray:
    """(n, 28, 28) uint8 as a network takes it: (n, 28, 28, 1) float32 in [0, 1]."""
    return pictures[..., None].astype(np.float32) / 255


def not_digits(pictures: np.ndarray) -> Pictures:
    """The pictures, each with the label "not a digit"."""
    return pictures.reshape(-1, 28, 28), np.full(len(pictures), NO_DIGIT)


def mnist_preprocessed() -> Pictures:
    """MNIST's test set through the preprocessing, like any other picture."""
    pictures, labels = datasets.mnist("test")
    return np.array([datasets.prepare(picture) for picture in pictures]), labels


def sklearn_digits() -> Pictures:
    """scikit-learn's 1,797 digits of 8 x 8 pixels; empty if it is not installed."""
    try:
        from sklearn.datasets import load_digits
    except ImportError:
        return np.zeros((0, 28, 28), np.uint8), np.zeros(0, np.int64)
    digits = load_digits()
    pictures = [np.rint(image * (255 / 16)).astype(np.uint8) for image in digits.images]
    return np.array([datasets.prepare(picture) for picture in pictures]), digits.target


def symbols(part: Part) -> Pictures:
    """The symbols of a part, preprocessed."""
    return not_digits(datasets.prepared_symbols(part))


def invented(seed: int, count: int = 1000) -> Pictures:
    """Scribbles and shapes of each kind in turn, with a pen of 12 pixels."""
    random = np.random.default_rng(seed)
    pictures = []
    for index in range(count):
        strokes = synthetic.KINDS[index % len(synthetic.KINDS)](random)
        size = random.uniform(0.3, 0.8) * CANVAS
        lines = fit(strokes, size, CANVAS / 2, CANVAS / 2)
        pictures.append(augmentation.as_bytes(shape_ink(render(lines, CANVAS, CANVAS, 12))))
    return not_digits(np.array(pictures))


def pairs(part: Part, count: int = 500) -> Pictures:
    """Two digits of the part's writers side by side."""
    random = np.random.default_rng(3)
    strokes = datasets.pen_digits(part).strokes
    chosen = random.integers(0, len(strokes), (count if strokes else 0, 2))
    both = [synthetic.side_by_side(strokes[a], strokes[b], random) for a, b in chosen]
    return draw(Traces(both, np.full(len(both), NO_DIGIT)), central)


@dataclass(frozen=True)
class EvaluationSet:
    """One row of the table.

    Attributes:
        id: the key of its figures; it never changes. A test set's ends with `_test`.
        title: for people.
        part: the part of the split that it is made from; None if it is from outside the split.
        load: makes the pictures, none of them if the data is missing. None if the figures come from
            `scenes`, `robustness`, `latency` or the caller.
        added: whether it was added after the first version. Its data may be missing then, as on a
            server with the data of before, and the card of a network that was measured before has no
            figures of it: it gets them with its next report.
    """

    id: str
    title: str
    part: Part | None
    load: Callable[[], Pictures] | None = None
    added: bool = False


def _pen(part: Part, view: View) -> Callable[[], Pictures]:
    return lambda: draw(datasets.pen_digits(part), view)


def _unipen(part: Part) -> Callable[[], Pictures]:
    return lambda: draw(datasets.unipen_digits(part), central)


# Per set of `world`: its id, its title for people, and how its drawings are loaded. At most `MOST` of
# them are measured.
WORLD: tuple[tuple[str, str, Callable[[Part], Traces]], ...] = (
    ("strangers", "digits of further people", world.strangers),
    ("cut_digits", "digits cut out of numbers of new people", world.run_digits),
    ("latex", "not digits: LaTeX symbols of new classes", world.latex_symbols),
    ("scripts", "not digits: characters of other scripts", world.scripts),
    ("doodles", "not digits: doodles of new kinds", world.doodles),
    ("words", "not digits: words and letters of new people", world.words),
    ("numbers", "not digits: numbers of new people", world.numbers),
)
MOST: dict[Part, int] = {"validation": 1_000, "test": 2_000}


def _world(load: Callable[[Part], Traces], part: Part) -> Callable[[], Pictures]:
    return lambda: draw(sample(load(part), MOST[part]), central)


SCENE_PARTS: tuple[Part, ...] = ("validation", "test")
SETS = (
    EvaluationSet("mnist", "MNIST", "validation", lambda: datasets.mnist("validation")),
    EvaluationSet("drawn", "drawn", "validation", _pen("validation", central)),
    EvaluationSet("anywhere", "drawn anywhere", "validation", _pen("validation", anywhere)),
    EvaluationSet("unipen", "UNIPEN digits", "validation", _unipen("validation")),
    EvaluationSet(
        "others",
        "letters and signs",
        "validation",
        lambda: draw(sample(datasets.unipen_others("validation"), 2000), central),
    ),
    EvaluationSet("symbols", "symbols", "validation", lambda: symbols("validation")),
    EvaluationSet("invented", "scribbles and shapes", "validation", lambda: invented(seed=7)),
    *(
        EvaluationSet(id, title, "validation", _world(load, "validation"), added=True)
        for id, title, load in WORLD
    ),
    EvaluationSet(
        "mnist_test_pixels",
        "MNIST test set, pixels unchanged",
        "test",
        lambda: datasets.mnist("test"),
    ),
    EvaluationSet("mnist_test", "MNIST test set, preprocessed", "test", mnist_preprocessed),
    EvaluationSet("drawn_test", "drawn by new people, centred", "test", _pen("test", central)),
    EvaluationSet(
        "anywhere_test",
        "drawn by new people, anywhere on the canvas",
        "test",
        _pen("test", anywhere),
    ),
    EvaluationSet(
        "pen_3_test", "drawn by new people, pen of 3 pixels", "test", _pen("test", pen_3)
    ),
    EvaluationSet(
        "pen_25_test", "drawn by new people, pen of 25 pixels", "test", _pen("test", pen_25)
    ),
    EvaluationSet(
        "paper_test", "drawn by new people, as a photo on paper", "test", _pen("test", on_paper)
    ),
    EvaluationSet("unipen_test", "UNIPEN digits from new sites", "test", _unipen("test")),
    EvaluationSet("sklearn_digits", "scikit-learn's digits of 8 x 8 pixels", None, sklearn_digits),
    EvaluationSet(
        "others_test",
        "not digits: letters and signs from new sites",
        "test",
        lambda: draw(datasets.unipen_others("test"), central),
    ),
    EvaluationSet(
        "symbols_test", "not digits: symbols of new classes", "test", lambda: symbols("test")
    ),
    EvaluationSet(
        "invented_test", "not digits: scribbles and shapes", None, lambda: invented(seed=11)
    ),
    EvaluationSet(
        "pairs_test",
        "not digits: two digits side by side",
        "test",
        lambda: pairs("test"),
    ),
    *(
        EvaluationSet(f"{id}_test", title, "test", _world(load, "test"), added=True)
        for id, title, load in WORLD
    ),
    *(
        EvaluationSet(each.id_of(part), each.title, part)
        for part in SCENE_PARTS
        for each in SCENE_SETS
    ),
    *(
        EvaluationSet(
            number_sets.set_id(name, form, part),
            f"{title}, {how}",
            part,
            added=True,
        )
        for part in SCENE_PARTS
        for name, title, _, _ in number_sets.SETS
        for form, how in number_sets.FORMS.items()
    ),
    *(
        EvaluationSet(number_sets.part_id(name, part), title, part, added=True)
        for part in SCENE_PARTS
        for name, title in number_sets.SCENES.items()
    ),
    EvaluationSet("robustness_position", "robustness: moved into each corner", "test"),
    EvaluationSet("robustness_size", "robustness: 25 to 90 % of the canvas", "test"),
    EvaluationSet("robustness_rotation", "robustness: rotated by up to 10 degrees", "test"),
    EvaluationSet("robustness_pen", "robustness: pen of 3 to 30 pixels", "test"),
    EvaluationSet("robustness_format", "robustness: colours, transparency, formats", "test"),
    EvaluationSet("litert_and_keras", "LiteRT and Keras, on the MNIST test set", "test"),
    EvaluationSet("eight_bits", "eight bits and Keras, on all test sets", "test"),
    EvaluationSet("time_against_2017", "time per picture, against the 2017 network", "test"),
    EvaluationSet("own_pictures", "your own pictures, a tenth held out", "test"),
    EvaluationSet("mnist_test_own", "MNIST test set, pixels unchanged", "test"),
    EvaluationSet("drawn_today", "drawn by new people, today's preprocessing", "test"),
    EvaluationSet("others_today", "not digits: letters, today's preprocessing", "test"),
    EvaluationSet("drawn_own", "drawn by new people, the demo's preprocessing", "test"),
    EvaluationSet("others_own", "not digits: letters, the demo's preprocessing", "test"),
)
ADDED = frozenset(each.id for each in SETS if each.added)
VALIDATION = frozenset(each.id for each in SETS if each.part == "validation")
SCENES = frozenset(each.id_of(part) for each in SCENE_SETS for part in SCENE_PARTS)
# What is measured with scenes only, numbers in scenes included.
WITH_SCENES = SCENES | {
    number_sets.part_id(name, part) for name in number_sets.SCENES for part in SCENE_PARTS
}
_TITLES = {each.id: each.title for each in SETS}


def title(set_id: str) -> str:
    """A set's title for people; its id if the set is not in the table."""
    return _TITLES.get(set_id, set_id)


@functools.cache
def validation_sets() -> dict[str, Pictures]:
    """The validation sets by id, those with data. They are kept in memory."""
    return _load(lambda each: each.id in VALIDATION)


@functools.cache
def test_sets() -> dict[str, Pictures]:
    """The test sets by id, those with data. They are kept in memory: 40 MB."""
    return _load(lambda each: each.id not in VALIDATION)


def _load(chosen: Callable[[EvaluationSet], bool]) -> dict[str, Pictures]:
    loaded = {each.id: each.load() for each in SETS if each.load and chosen(each)}
    return {set_id: pictures for set_id, pictures in loaded.items() if len(pictures[1])}
