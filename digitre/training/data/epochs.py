"""One epoch's pictures: each drawing varied again, in the proportions that the network learns from.

This module does not import Keras: a separate process makes an epoch while the one before it is
learned.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from digitre.training.data import augmentation, datasets, fonts, hershey, rare, synthetic, world
from digitre.training.data.datasets import NO_DIGIT, Strokes, Traces
from digitre.training.data.saved import SavedDrawings, mixed
from digitre.training.data.saved import draw as draw_saved

# How often each dataset's drawings appear in an epoch. There are fewer drawn digits than MNIST's, and
# each time they are drawn differently. Six pictures in ten are digits: if they were fewer, odd digits
# would be refused.
MNIST = 1
PEN_DIGITS = 4
UNIPEN_DIGITS = 4
STRANGERS = 4  # digits of further people
RUN_DIGITS = 6  # digits that are cut out of numbers
SYMBOLS = 5
LATEX_SYMBOLS = 1
SCRIPTS = 1
DOODLES = 2
WORDS = 1
IMAGES = 3  # a user's own pictures
# How many drawings of other kinds an epoch has.
MNIST_MORE = 15_000  # of MNIST's digits, chosen at random, a second time
RARE = 12_000  # digits in rare forms
OTHERS = 24_000  # letters and signs, chosen at random
SIGNS = 6_000  # signs of the Hershey fonts
GLYPHS = 9_000  # signs of DejaVu Sans
PRINTED = 2_500  # digits of the Hershey fonts
INVENTED = 7_000  # scribbles and shapes
PAIRS = 2_000  # two digits side by side
NUMBERS = 6_000  # numbers as people write them, and pieces of them
TURNED = 6_000  # digits mirrored or rotated so that they are not digits
OVER = 4_000  # two letters, one drawn over the other
JOINED = 8_000  # pieces of three drawings joined
PLAIN = 0.15  # the share of MNIST's pictures that are not varied

# How much a picture's label counts in what is learned from a teacher (see `distillation.targets`). No
# teacher has seen the sets of `world` and the rare forms: half of it is the label. Of the digits among them it
# is more, since what a teacher refuses, the network learns to refuse: a 1 with a short flag is like many a symbol.
NEW = 0.5
NEW_DIGITS = 0.8


@dataclass(frozen=True)
class Sources:
    """The training parts of all datasets."""

    mnist: tuple[np.ndarray, np.ndarray]
    pen: Traces
    unipen: Traces
    others: Traces
    symbols: np.ndarray
    strangers: Traces
    run_digits: Traces
    numbers: Traces
    runs: list[list[Strokes]]
    # Other drawings that are not digits, how often an epoch has them, and with which pens.
    negatives: tuple[tuple[Traces, int, tuple[float, float]], ...]

    @property
    def digits(self) -> Traces:
        """All isolated digits that are pen traces."""
        labels = np.concatenate([self.pen.labels, self.unipen.labels])
        return Traces(self.pen.strokes + self.unipen.strokes, labels)


@functools.cache
def sources() -> Sources:
    """The training parts of all datasets, read once per process."""
    return Sources(
        datasets.mnist("train"),
        datasets.pen_digits("train"),
        datasets.unipen_digits("train"),
        datasets.unipen_others("train"),
        datasets.prepared_symbols("train"),
        world.strangers("train"),
        world.run_digits("train"),
        world.numbers("train"),
        [digits for digits, _ in world.runs("train") if len(digits) > 1],
        (
            (world.latex_symbols("train"), LATEX_SYMBOLS, augmentation.PEN),
            (world.scripts("train"), SCRIPTS, augmentation.PEN),
            (world.doodles("train"), DOODLES, augmentation.FINE),
            (world.words("train"), WORDS, augmentation.FINE),
        ),
    )


@functools.cache
def sorted_pictures(folder: str) -> tuple[np.ndarray, np.ndarray]:
    """The training part of a user's own pictures, read once per process."""
    pictures, labels, _ = datasets.sorted_pictures(Path(folder), "train")
    return pictures, labels


def make(
    seed: int,
    epoch: int,
    share: float = 1.0,
    images: str | None = None,
    saved: SavedDrawings | None = None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Make an epoch. The same seed and number make the same epoch.

    Args:
        seed, epoch: the start of all random numbers.
        share: how much of it to make, over 0 to 1, for a short trial.
        images: a folder of pictures sorted into folders 0 to 9, to learn as well.
        saved: saved drawings, to learn as well.

    Returns:
        (n, 28, 28) uint8 pictures, (n,) labels 0 to 10, and (n,) float32, how much the label counts in
        what is learned from a teacher: 1 for saved drawings, `NEW` and `NEW_DIGITS` for what no teacher
        has seen, 0 for all others. They are shuffled, with the saved drawings spread evenly.
    """
    random = np.random.default_rng([seed, epoch])
    builder = _Builder(random, share)
    # All share one sequence of random numbers, so another order would make another epoch.
    _add_digits(builder, sources())
    _add_signs(builder, sources())
    _add_altered_digits(builder, sources())
    _add_combined_letters(builder, sources())
    builder.add_warped(sources().symbols, NO_DIGIT, SYMBOLS)
    _add_world(builder, sources())
    _add_rare_digits(builder, sources().digits)
    _add_glyphs(builder)
    if images:
        pictures, labels = sorted_pictures(images)
        builder.add_warped(pictures, labels, IMAGES)
    usual = builder.shuffle()
    return mixed(usual, draw_saved(saved or SavedDrawings(), len(usual[1]), random))


def _add_world(builder: _Builder, data: Sources) -> None:
    """Add what no teacher has seen: digits, numbers and drawings of further people."""
    random = builder.random
    for digits, times in ((data.strangers, STRANGERS), (data.run_digits, RUN_DIGITS)):
        chosen = builder.repeat(times, len(digits))
        drawings = (digits.strokes[i] for i in chosen)
        builder.add_drawn(drawings, digits.labels[chosen], trust=NEW_DIGITS)
    for others, times, pen in data.negatives:
        chosen = builder.repeat(times, len(others))
        drawings = (others.strokes[i] for i in chosen)
        builder.add_drawn(drawings, NO_DIGIT, trust=NEW, pen=pen)
    whole = builder.choose(NUMBERS // 3, len(data.numbers))
    cut = builder.choose(NUMBERS - NUMBERS // 3, len(data.runs))
    for numbers in (
        (data.numbers.strokes[i] for i in whole),
        (synthetic.piece(data.runs[i], random) for i in cut),
    ):
        builder.add_drawn(numbers, NO_DIGIT, trust=NEW, pen=augmentation.FINE)


def _add_glyphs(builder: _Builder) -> None:
    """Add signs of a printed font, as a pen would draw them."""
    signs = fonts.signs()
    chosen = (fonts.strokes(signs[i]) for i in builder.choose(GLYPHS, len(signs)))
    builder.add_drawn((lines for lines in chosen if lines), NO_DIGIT, flip=False, trust=NEW)


def _add_rare_digits(builder: _Builder, digits: Traces) -> None:
    """Add digits in the forms of `rare`."""
    chances = [chance for _, _, chance in (*rare.MADE_UP, *rare.ALTERED)]
    each = RARE / sum(chances)
    for make_up, shown, chance in rare.MADE_UP:
        count = int(each * chance * builder.share)
        builder.add_drawn((make_up(builder.random) for _ in range(count)), shown, trust=NEW)
    for alter, label, chance in rare.ALTERED:
        usable = (
            np.flatnonzero(digits.labels == label) if label is not None else np.arange(len(digits))
        )
        chosen = usable[builder.choose(int(each * chance), len(usable))]
        builder.add_drawn(
            (alter(digits.strokes[i], builder.random) for i in chosen),
            digits.labels[chosen],
            trust=NEW,
            pen=augmentation.FINE if alter is rare.circled else augmentation.PEN,
            sticking_out=alter is rare.unchanged,
        )


def _add_digits(builder: _Builder, data: Sources) -> None:
    """Add MNIST's digits and the drawn ones."""
    x, y = data.mnist
    more = builder.choose(MNIST_MORE, len(y))
    chosen = np.concatenate([builder.repeat(MNIST, len(y)), more])
    plain = builder.random.random(len(chosen)) < PLAIN
    builder.add(x[chosen[plain]], y[chosen[plain]])
    builder.add(augmentation.warp(x[chosen[~plain]], builder.random), y[chosen[~plain]])
    for digits, times in ((data.pen, PEN_DIGITS), (data.unipen, UNIPEN_DIGITS)):
        chosen = builder.repeat(times, len(digits))
        builder.add_drawn((digits.strokes[i] for i in chosen), digits.labels[chosen])


def _add_signs(builder: _Builder, data: Sources) -> None:
    """Add letters, printed signs and digits, and scribbles."""
    others = data.others.strokes
    builder.add_drawn((others[i] for i in builder.choose(OTHERS, len(others))), NO_DIGIT)
    signs = hershey.signs()
    chosen = builder.choose(SIGNS, len(signs))
    builder.add_drawn((signs[i] for i in chosen), NO_DIGIT, flip=False)
    printed = hershey.digits()
    chosen = builder.choose(PRINTED, len(printed))
    labels = np.array([printed[i][1] for i in chosen], int)
    builder.add_drawn((printed[i][0] for i in chosen), labels, flip=False)
    random = builder.random
    invented = (synthetic.any_kind(random) for _ in range(int(INVENTED * builder.share)))
    builder.add_drawn(invented, NO_DIGIT, flip=False)


def _add_altered_digits(builder: _Builder, data: Sources) -> None:
    """Add digits that are not digits any more: two side by side, and mirrored or rotated ones."""
    random, digits = builder.random, data.digits
    strokes = digits.strokes
    pairs = builder.choose_pairs(PAIRS, len(strokes))
    builder.add_drawn(
        (synthetic.side_by_side(strokes[a], strokes[b], random) for a, b in pairs), NO_DIGIT
    )
    turnable = np.flatnonzero(np.isin(digits.labels, synthetic.TURNABLE))
    chosen = turnable[builder.choose(TURNED, len(turnable))]
    builder.add_drawn(
        (synthetic.turn_over(strokes[i], int(digits.labels[i]), random) for i in chosen), NO_DIGIT
    )


def _add_combined_letters(builder: _Builder, data: Sources) -> None:
    """Add letters drawn one over the other, and pieces of three drawings joined."""
    random, others = builder.random, data.others.strokes
    pairs = builder.choose_pairs(OVER, len(others))
    builder.add_drawn((synthetic.overlay(others[a], others[b], random) for a, b in pairs), NO_DIGIT)
    drawings = data.digits.strokes + others
    count = int(JOINED * builder.share) if drawings else 0
    triples = random.integers(0, len(drawings), (count, 3))
    builder.add_drawn(
        (synthetic.join([drawings[i] for i in triple], random) for triple in triples), NO_DIGIT
    )


@dataclass
class _Builder:
    """Collects the pictures of an epoch.

    Drawings come as generators: a drawing's own random numbers follow those of the one before it.
    """

    random: np.random.Generator
    share: float
    pictures: list[np.ndarray] = field(default_factory=list)
    labels: list[np.ndarray] = field(default_factory=list)
    trusts: list[np.ndarray] = field(default_factory=list)

    def choose(self, count: int, among: int) -> np.ndarray:
        """The share of `count` random indices below `among`; none if `among` is 0."""
        return self.random.integers(0, among, int(count * self.share) if among else 0)

    def choose_pairs(self, count: int, among: int) -> np.ndarray:
        """The share of `count` random pairs of indices: (n, 2)."""
        indices = self.choose(2 * count, among)
        return indices[: len(indices) // 2 * 2].reshape(-1, 2)

    def repeat(self, times: int, among: int) -> np.ndarray:
        """All indices below `among`, `times` over, in random order; then the share of them."""
        order = np.concatenate([self.random.permutation(among) for _ in range(times)])
        return order[: int(len(order) * self.share)].astype(int)

    def add(self, pictures: np.ndarray, labels: np.ndarray | int, trust: float = 0) -> None:
        """Add (n, 28, 28) uint8 pictures with their labels, or one label for all."""
        self.pictures.append(pictures)
        self.labels.append(np.broadcast_to(labels, len(pictures)))
        self.trusts.append(np.full(len(pictures), trust, np.float32))

    def add_drawn(
        self,
        drawings: Iterable[Strokes],
        labels: np.ndarray | int,
        *,
        flip: bool = True,
        trust: float = 0,
        pen: tuple[float, float] = augmentation.PEN,
        sticking_out: bool = False,
    ) -> None:
        """Add strokes, each drawn with random variations; `flip` if y grows upwards."""
        drawn = [
            augmentation.draw(strokes, self.random, flip=flip, pen=pen, sticking_out=sticking_out)
            for strokes in drawings
        ]
        self.add(np.array(drawn, np.uint8).reshape(-1, 28, 28), labels, trust)

    def add_warped(self, pictures: np.ndarray, labels: np.ndarray | int, times: int) -> None:
        """Add pictures `times` over, each warped at random."""
        chosen = self.repeat(times, len(pictures))
        warped = augmentation.warp(pictures[chosen], self.random)
        self.add(warped, labels if isinstance(labels, int) else labels[chosen])

    def shuffle(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """All pictures, labels and trusts, in random order."""
        order = self.random.permutation(sum(map(len, self.labels)))
        pictures, labels, trusts = map(np.concatenate, (self.pictures, self.labels, self.trusts))
        return pictures[order], labels[order], trusts[order]
