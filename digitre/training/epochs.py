"""One epoch's pictures: every drawing anew, in the shares that the network learns from.

Nothing here imports Keras: an epoch is made in a process of its own while the one before it is
learned.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np

from digitre.preprocessing import preprocess
from digitre.training import augmentation, data, glyphs, scribbles
from digitre.training.data import NO_DIGIT, Drawings

# How often each set's drawings come in an epoch: MNIST's pictures once, drawn digits more often,
# since there are fewer of them and each time is another drawing.
PEN_DIGITS = 3
UNIPEN_DIGITS = 3
SYMBOLS = 3
OTHERS = 30_000  # letters and signs, of those that there are
SIGNS = 7_000  # of the Hershey fonts
PRINTED = 2_500  # digits of the same
INVENTED = 9_000  # scribbles and shapes
PAIRS = 3_000  # two digits side by side
PLAIN = 0.15  # share of MNIST's pictures that are left as they are


@dataclass(frozen=True)
class Sources:
    """All that an epoch is made from."""

    mnist: tuple[np.ndarray, np.ndarray]
    pen: Drawings
    unipen: Drawings
    others: Drawings
    symbols: np.ndarray


@functools.cache
def sources() -> Sources:
    """The training parts of all data, read once a process."""
    symbols = [
        augmentation.as_bytes(preprocess(picture)[0, :, :, 0]) for picture in data.symbols("train")
    ]
    return Sources(
        data.mnist("train"),
        data.pen_digits("train"),
        data.unipen_digits("train"),
        data.unipen_others("train"),
        np.array(symbols, np.uint8).reshape(-1, 28, 28),
    )


def make(seed: int, epoch: int, share: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Make an epoch, the same one for the same seed and number.

    Args:
        seed, epoch: what the random numbers begin from.
        share: how much of it to make, for a short trial.

    Returns:
        (n, 28, 28) uint8 pictures and (n,) labels 0 to 10, shuffled.
    """
    random = np.random.default_rng([seed, epoch])
    found = sources()

    def some(count: int, among: int) -> np.ndarray:
        return random.integers(0, among, int(count * share) if among else 0)

    def every(times: int, among: int) -> np.ndarray:
        order = np.concatenate([random.permutation(among) for _ in range(times)])
        return order[: int(len(order) * share)].astype(int)

    x, y = found.mnist
    chosen = every(1, len(y))
    plain = random.random(len(chosen)) < PLAIN
    pictures = [x[chosen[plain]], augmentation.warp(x[chosen[~plain]], random)]
    labels = [y[chosen[plain]], y[chosen[~plain]]]

    def add(drawn: list[np.ndarray], named: np.ndarray) -> None:
        pictures.append(np.array(drawn, np.uint8).reshape(-1, 28, 28))
        labels.append(named)

    for digits, times in ((found.pen, PEN_DIGITS), (found.unipen, UNIPEN_DIGITS)):
        chosen = every(times, len(digits))
        drawn = [augmentation.draw(digits.strokes[i], random, flip=True) for i in chosen]
        add(drawn, digits.labels[chosen])

    chosen = some(OTHERS, len(found.others))
    add(
        [augmentation.draw(found.others.strokes[i], random, flip=True) for i in chosen],
        np.full(len(chosen), NO_DIGIT),
    )
    signs = glyphs.signs()
    chosen = some(SIGNS, len(signs))
    add(
        [augmentation.draw(signs[i], random, flip=False) for i in chosen],
        np.full(len(chosen), NO_DIGIT),
    )
    printed = glyphs.digits()
    chosen = some(PRINTED, len(printed))
    add(
        [augmentation.draw(printed[i][0], random, flip=False) for i in chosen],
        np.array([printed[i][1] for i in chosen], int),
    )
    invented = range(int(INVENTED * share))
    add(
        [augmentation.draw(scribbles.any_kind(random), random, flip=False) for _ in invented],
        np.full(len(invented), NO_DIGIT),
    )
    strokes = found.pen.strokes + found.unipen.strokes
    pairs = some(2 * PAIRS, len(strokes)).reshape(-1, 2) if strokes else np.zeros((0, 2), int)
    add(
        [
            augmentation.draw(scribbles.beside(strokes[a], strokes[b], random), random, flip=True)
            for a, b in pairs
        ],
        np.full(len(pairs), NO_DIGIT),
    )
    chosen = every(SYMBOLS, len(found.symbols))
    pictures.append(augmentation.warp(found.symbols[chosen], random))
    labels.append(np.full(len(chosen), NO_DIGIT))

    order = random.permutation(sum(map(len, labels)))
    return np.concatenate(pictures)[order], np.concatenate(labels)[order]
