"""One epoch's pictures: every drawing anew, in the shares that the network learns from.

Nothing here imports Keras: an epoch is made in a process of its own while the one before it is
learned.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from digitre.training.data import augmentation, datasets, hershey, synthetic
from digitre.training.data.datasets import NO_DIGIT, Traces
from digitre.training.data.saved import SavedDrawings, mixed
from digitre.training.data.saved import draw as draw_saved
from digitre.training.evaluation import sets

# How often each set's drawings come in an epoch: MNIST's pictures once, drawn digits more often,
# since there are fewer of them and each time is another drawing.
PEN_DIGITS = 3
UNIPEN_DIGITS = 3
SYMBOLS = 5
IMAGES = 3  # of a folder that somebody named
OTHERS = 30_000  # letters and signs, of those that there are
SIGNS = 9_000  # of the Hershey fonts
PRINTED = 2_500  # digits of the same
INVENTED = 9_000  # scribbles and shapes
PAIRS = 3_000  # two digits side by side
TURNED = 6_000  # digits mirrored or lying on their side
OVER = 5_000  # two letters one over the other
JOINED = 8_000  # pieces of three drawings put together
PLAIN = 0.15  # share of MNIST's pictures that are left as they are


@dataclass(frozen=True)
class Sources:
    """All that an epoch is made from."""

    mnist: tuple[np.ndarray, np.ndarray]
    pen: Traces
    unipen: Traces
    others: Traces
    symbols: np.ndarray


@functools.cache
def sources() -> Sources:
    """The training parts of all data, read once a process."""
    return Sources(
        datasets.mnist("train"),
        datasets.pen_digits("train"),
        datasets.unipen_digits("train"),
        datasets.unipen_others("train"),
        sets.symbols("train")[0],
    )


@functools.cache
def sorted_pictures(folder: str) -> tuple[np.ndarray, np.ndarray]:
    """The training part of somebody's own pictures, read once a process."""
    pictures, labels, _ = datasets.sorted_pictures(Path(folder), "train")
    return pictures, labels


def make(
    seed: int,
    epoch: int,
    share: float = 1.0,
    images: str | None = None,
    saved: SavedDrawings | None = None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Make an epoch, the same one for the same seed and number.

    Args:
        seed, epoch: what the random numbers begin from.
        share: how much of it to make, for a short trial.
        images: a folder of pictures sorted into folders 0 to 9, learned beside the rest.
        saved: drawings that people saved, learned beside the rest.

    Returns:
        (n, 28, 28) uint8 pictures and (n,) labels 0 to 10, in an order to learn them in: shuffled,
        what was saved spread evenly; and (n,) bool, which ones that is.
    """
    random = np.random.default_rng([seed, epoch])
    found = sources()

    def some(count: int, among: int) -> np.ndarray:
        return random.integers(0, among, int(count * share) if among else 0)

    def every(times: int, among: int) -> np.ndarray:
        order = np.concatenate([random.permutation(among) for _ in range(times)])
        return order[: int(len(order) * share)].astype(int)

    pictures, labels = [], []

    def add(drawn: Sequence[np.ndarray] | np.ndarray, named: np.ndarray | int) -> None:
        pictures.append(np.array(drawn, np.uint8).reshape(-1, 28, 28))
        labels.append(np.broadcast_to(named, len(drawn)))

    def draw(strokes: list[np.ndarray], *, flip: bool) -> np.ndarray:
        return augmentation.draw(strokes, random, flip=flip)

    x, y = found.mnist
    chosen = every(1, len(y))
    plain = random.random(len(chosen)) < PLAIN
    add(x[chosen[plain]], y[chosen[plain]])
    add(augmentation.warp(x[chosen[~plain]], random), y[chosen[~plain]])

    for digits, times in ((found.pen, PEN_DIGITS), (found.unipen, UNIPEN_DIGITS)):
        chosen = every(times, len(digits))
        add([draw(digits.strokes[i], flip=True) for i in chosen], digits.labels[chosen])

    others = found.others.strokes
    add([draw(others[i], flip=True) for i in some(OTHERS, len(others))], NO_DIGIT)
    signs = hershey.signs()
    add([draw(signs[i], flip=False) for i in some(SIGNS, len(signs))], NO_DIGIT)
    printed = hershey.digits()
    chosen = some(PRINTED, len(printed))
    add(
        [draw(printed[i][0], flip=False) for i in chosen],
        np.array([printed[i][1] for i in chosen], int),
    )
    invented = range(int(INVENTED * share))
    add([draw(synthetic.any_kind(random), flip=False) for _ in invented], NO_DIGIT)
    strokes = found.pen.strokes + found.unipen.strokes
    pairs = some(2 * PAIRS, len(strokes))
    pairs = pairs[: len(pairs) // 2 * 2].reshape(-1, 2)
    add(
        [draw(synthetic.beside(strokes[a], strokes[b], random), flip=True) for a, b in pairs],
        NO_DIGIT,
    )
    named = np.concatenate([found.pen.labels, found.unipen.labels])
    turning = np.flatnonzero(np.isin(named, synthetic.TURNABLE))
    add(
        [
            draw(synthetic.turned(strokes[i], int(named[i]), random), flip=True)
            for i in turning[some(TURNED, len(turning))]
        ],
        NO_DIGIT,
    )
    pairs = some(2 * OVER, len(others))
    pairs = pairs[: len(pairs) // 2 * 2].reshape(-1, 2)
    add(
        [draw(synthetic.over(others[a], others[b], random), flip=True) for a, b in pairs],
        NO_DIGIT,
    )
    written = strokes + others
    threes = random.integers(0, len(written), (int(JOINED * share) if written else 0, 3))
    add(
        [
            draw(synthetic.joined([written[i] for i in three], random), flip=True)
            for three in threes
        ],
        NO_DIGIT,
    )
    chosen = every(SYMBOLS, len(found.symbols))
    add(augmentation.warp(found.symbols[chosen], random), NO_DIGIT)

    if images:
        x, y = sorted_pictures(images)
        chosen = every(IMAGES, len(y))
        add(augmentation.warp(x[chosen], random), y[chosen])

    order = random.permutation(sum(map(len, labels)))
    usual = np.concatenate(pictures)[order], np.concatenate(labels)[order]
    more = draw_saved(saved or SavedDrawings(), len(order), random)
    return mixed(usual, more)
