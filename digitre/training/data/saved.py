"""Saved drawings as training data: the accepted ones, split by writer, no writer with much weight."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from dataclasses import dataclass, field

import numpy as np

from digitre.drawings.collection import Drawings
from digitre.drawings.drawing import Drawing, Filter
from digitre.recognition.preprocessing import preprocess, shape_ink
from digitre.training.data import augmentation
from digitre.training.data.strokes import fit, render

SHARE = 0.01  # a writer contributes at most this part of the drawings that are used,
FEW = 20  # or this many, if that is more
TIMES = 5  # an epoch shows each saved drawing this often, varied each time,
BATCH_SHARE = 0.19  # but all of them are at most this part of it: a fifth of any batch
# Strokes are used only if, drawn with a pen, they correlate with the picture at least this much.
# Strokes of other drawings reach 0.79.
ALIKE = 0.85


def _no_pictures() -> np.ndarray:
    return np.zeros((0, 28, 28), np.uint8)


def _no_labels() -> np.ndarray:
    return np.zeros(0, np.int64)


@dataclass(frozen=True)
class SavedDrawings:
    """The saved drawings to learn from, and those held out for evaluation.

    Attributes:
        strokes: the strokes of each drawing to learn (y downwards), or None if only its picture is
            used.
        pictures: (n, 28, 28) uint8, the same drawings as the network sees them.
        labels: (n,) 0 to 10.
        manifest: the ids of the drawings to learn, by writer.
        held_out: (m, 28, 28) uint8 pictures and (m,) labels of the writers who are held out.
    """

    strokes: list[list[np.ndarray] | None] = field(default_factory=list)
    pictures: np.ndarray = field(default_factory=_no_pictures)
    labels: np.ndarray = field(default_factory=_no_labels)
    manifest: dict[str, list[str]] = field(default_factory=dict)
    held_out: tuple[np.ndarray, np.ndarray] = field(
        default_factory=lambda: (_no_pictures(), _no_labels())
    )

    def __len__(self) -> int:
        return len(self.labels)

    def digest(self) -> str:
        """The SHA-256 of the ids to learn and their labels: it tells two collections apart."""
        ids = sorted(id for ids in self.manifest.values() for id in ids)
        return hashlib.sha256(f"{ids} {self.labels.tolist()}".encode()).hexdigest()


def load(collection: Drawings) -> SavedDrawings:
    """Load all accepted drawings.

    If a writer has more drawings than are used (see `limit`), those with the lowest ids are. Ids are
    hashes, so this is a random choice that stays the same. The limit also holds among the drawings
    that are held out: no writer decides alone what is measured.

    Raises:
        UnavailableError: if the database cannot be used.
    """
    learned: dict[str, list[Drawing]] = defaultdict(list)
    held_out: dict[str, list[Drawing]] = defaultdict(list)
    for drawing in collection.select(Filter(status="accepted")):
        (held_out if drawing.is_held_out else learned)[drawing.writer].append(drawing)
    shares = _shares(learned)
    drawings = [each for share in shares.values() for each in share]
    pictures, labels = _pictures(drawings)
    return SavedDrawings(
        [_strokes(each, picture) for each, picture in zip(drawings, pictures, strict=True)],
        pictures,
        labels,
        {writer: [each.id for each in share] for writer, share in shares.items()},
        _pictures([each for share in _shares(held_out).values() for each in share]),
    )


def _shares(by_writer: dict[str, list[Drawing]]) -> dict[str, list[Drawing]]:
    """The drawings of each writer that are used, the writers in the order of their names."""
    allowed = limit([len(drawings) for drawings in by_writer.values()])
    return {writer: by_writer[writer][:allowed] for writer in sorted(by_writer)}


def limit(counts: list[int]) -> int:
    """How many drawings of one writer are used: at most `SHARE` of all that are used, or `FEW`.

    Args:
        counts: how many drawings each writer has.
    """
    allowed = max(counts, default=0)
    while True:
        used = sum(min(count, allowed) for count in counts)
        fewer = max(FEW, int(SHARE * used))
        if fewer >= allowed:
            return allowed
        allowed = fewer


def _pictures(drawings: list[Drawing]) -> tuple[np.ndarray, np.ndarray]:
    """(n, 28, 28) uint8 as the network sees them, and (n,) labels."""
    pictures = [augmentation.as_bytes(preprocess(each.pixels)[0, :, :, 0]) for each in drawings]
    labels = np.array([each.label for each in drawings], np.int64)
    return np.array(pictures, np.uint8).reshape(-1, 28, 28), labels


def _strokes(drawing: Drawing, picture: np.ndarray) -> list[np.ndarray] | None:
    """A drawing's strokes, or None if they show something else than its picture.

    The picture is what the network read and a person reviewed. The client sends the strokes along
    with it, and no one has looked at them.
    """
    if not drawing.strokes:
        return None
    strokes = [np.array(stroke, np.float64)[:, :2] for stroke in drawing.strokes]
    lines = fit(strokes, 150, 125, 125)
    best = 0.0
    for pen in (4, 8, 12, 18, 26):
        drawn = shape_ink(render(lines, 250, 250, pen))
        best = max(best, float(np.corrcoef(drawn.ravel(), picture.ravel())[0, 1]))
    return strokes if best >= ALIKE else None


def draw(saved: SavedDrawings, count: int, random: np.random.Generator) -> tuple:
    """The saved drawings of one epoch, each varied a little every time.

    Args:
        count: how many other pictures the epoch has.

    Returns:
        (m, 28, 28) uint8 pictures and (m,) labels: `TIMES` of each drawing, or fewer so that they
        stay within `BATCH_SHARE`.
    """
    most = int(count * BATCH_SHARE / (1 - BATCH_SHARE))
    total = min(TIMES * len(saved), most)
    turns = -(-total // len(saved)) if len(saved) else 0
    order = np.concatenate(
        [np.zeros(0, int), *(random.permutation(len(saved)) for _ in range(turns))]
    )[:total]
    pictures = np.zeros((len(order), 28, 28), np.uint8)
    for place, index in enumerate(order):
        strokes = saved.strokes[index]
        if strokes is None:
            pictures[place] = augmentation.warp(saved.pictures[index][None], random)[0]
        else:
            pictures[place] = augmentation.draw(strokes, random, flip=False)
    return pictures, saved.labels[order]


def mixed(usual: tuple, more: tuple) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Merge two shuffled sets so that every batch has the same share of the second.

    Args:
        usual: (n, 28, 28) uint8 pictures, (n,) labels, and (n,) how much each label counts in what is
            learned from a teacher, 0 to 1.
        more: (m, 28, 28) uint8 pictures and (m,) labels, which count in full.

    Returns:
        pictures, labels, and (n + m,) float32, how much each label counts.
    """
    (pictures, labels, trusts), (more_pictures, more_labels) = usual, more
    total = len(labels) + len(more_labels)
    if not len(more_labels):
        return pictures, labels, trusts
    is_more = np.zeros(total, bool)
    is_more[(np.arange(len(more_labels)) * total) // len(more_labels)] = True
    all_pictures = np.empty((total, 28, 28), np.uint8)
    all_labels = np.empty(total, np.int64)
    all_trusts = np.ones(total, np.float32)
    all_pictures[is_more], all_labels[is_more] = more_pictures, more_labels
    all_pictures[~is_more], all_labels[~is_more] = pictures, labels
    all_trusts[~is_more] = trusts
    return all_pictures, all_labels, all_trusts
