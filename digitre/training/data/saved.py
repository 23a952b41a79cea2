"""Drawings that people saved, as training data: accepted ones, split by writer, none with much say."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from digitre.drawings.collection import Drawings, Wanted
from digitre.recognition.preprocessing import preprocess, shape_ink
from digitre.training.data import augmentation
from digitre.training.data.strokes import fit, render

Row = dict[str, Any]

KEPT = 10  # one writer in so many is kept for ever to measure on
SHARE = 0.01  # of the drawings used, one writer's at most,
FEW = 20  # or so many, whichever is more
TIMES = 5  # a saved drawing comes so often in an epoch, each time another,
BATCH_SHARE = 0.19  # where all of them are no more than this part of it: a fifth of any batch
ALIKE = (
    0.85  # correlation of pixels and strokes from which on these are believed; others reach 0.79
)


@dataclass(frozen=True)
class Collected:
    """What is learned from, and what is kept to measure on.

    Attributes:
        strokes: of each drawing to learn, its strokes (y downwards), or None where only its pixels
            are used.
        pictures: (n, 28, 28) uint8, the same drawings as the network would see them.
        labels: (n,) 0 to 10.
        manifest: the ids of the drawings to learn, by writer.
        kept: pictures and labels of the writers who are kept.
    """

    strokes: list[list[np.ndarray] | None] = field(default_factory=list)
    pictures: np.ndarray = field(default_factory=lambda: np.zeros((0, 28, 28), np.uint8))
    labels: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))
    manifest: dict[str, list[str]] = field(default_factory=dict)
    kept: tuple[np.ndarray, np.ndarray] = field(
        default_factory=lambda: (np.zeros((0, 28, 28), np.uint8), np.zeros(0, np.int64))
    )

    def __len__(self) -> int:
        return len(self.labels)

    def digest(self) -> str:
        """The SHA-256 of what is learned: of the ids with their labels."""
        ids = sorted(id for ids in self.manifest.values() for id in ids)
        return hashlib.sha256(f"{ids} {self.labels.tolist()}".encode()).hexdigest()


def is_kept(writer: str) -> bool:
    """Whether a writer's drawings are never learned: so for ever, by the writer's name alone."""
    if not writer:
        return False  # whoever gave no name cannot be told apart
    return hashlib.sha256(f"kept {writer}".encode()).digest()[0] % KEPT == 0


def gather(collection: Drawings) -> Collected:
    """All accepted drawings, those to learn and those to keep.

    Of each writer, the drawings with the lowest ids are learned, up to `SHARE` of all or `FEW`; ids
    are hashes, so that this is a choice by lot which stays the same.

    Raises:
        UnavailableError.
    """
    by_writer: dict[str, list[Row]] = defaultdict(list)
    for row in collection.rows(Wanted(status="accepted")):
        by_writer[row["writer"]].append(row)
    learned = {writer: rows for writer, rows in by_writer.items() if not is_kept(writer)}
    allowed = limit([len(rows) for rows in learned.values()])
    chosen = {writer: rows[:allowed] for writer, rows in learned.items()}
    rows = [row for writer in sorted(chosen) for row in chosen[writer]]
    kept = [row for writer in by_writer if is_kept(writer) for row in by_writer[writer]]
    pictures, labels = _shown(rows)
    return Collected(
        [_believed(row, picture) for row, picture in zip(rows, pictures, strict=True)],
        pictures,
        labels,
        {writer: [row["id"] for row in chosen[writer]] for writer in sorted(chosen)},
        _shown(kept),
    )


def limit(counts: list[int]) -> int:
    """How many drawings of one writer are used, where the writers have so many."""
    allowed = max(counts, default=0)
    while True:
        used = sum(min(count, allowed) for count in counts)
        fewer = max(FEW, int(SHARE * used))
        if fewer >= allowed:
            return allowed
        allowed = fewer


def _shown(rows: list[Row]) -> tuple[np.ndarray, np.ndarray]:
    pictures = [augmentation.as_bytes(preprocess(row["pixels"])[0, :, :, 0]) for row in rows]
    labels = np.array([row["label"] for row in rows], np.int64)
    return np.array(pictures, np.uint8).reshape(-1, 28, 28), labels


def _believed(row: Row, picture: np.ndarray) -> list[np.ndarray] | None:
    """A drawing's strokes, unless they show something else than its pixels.

    The pixels are what was read, shown and judged; strokes come beside them and were seen by nobody.
    """
    if not row["strokes"]:
        return None
    strokes = [np.array(stroke, np.float64)[:, :2] for stroke in row["strokes"]]
    lines = fit(strokes, 150, 125, 125)
    best = 0.0
    for pen in (4, 8, 12, 18, 26):
        drawn = shape_ink(render(lines, 250, 250, pen))
        best = max(best, float(np.corrcoef(drawn.ravel(), picture.ravel())[0, 1]))
    return strokes if best >= ALIKE else None


def draw(collected: Collected, count: int, random: np.random.Generator) -> tuple:
    """Saved drawings as an epoch has them: each a little different every time.

    Args:
        count: the epoch's other pictures.

    Returns:
        (m, 28, 28) uint8 pictures and (m,) labels, `TIMES` of each drawing or as many as may be.
    """
    most = int(count * BATCH_SHARE / (1 - BATCH_SHARE))
    wanted = min(TIMES * len(collected), most)
    turns = -(-wanted // len(collected)) if len(collected) else 0
    order = np.concatenate(
        [np.zeros(0, int), *(random.permutation(len(collected)) for _ in range(turns))]
    )[:wanted]
    pictures = np.zeros((len(order), 28, 28), np.uint8)
    for place, index in enumerate(order):
        strokes = collected.strokes[index]
        if strokes is None:
            pictures[place] = augmentation.warp(collected.pictures[index][None], random)[0]
        else:
            pictures[place] = augmentation.draw(strokes, random, flip=False)
    return pictures, collected.labels[order]


def mixed(usual: tuple, more: tuple) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Two shuffled sets as one, the second spread evenly: no batch has more of it than another.

    Returns:
        pictures, labels, and which ones are the second's.
    """
    (pictures, labels), (saved, named) = usual, more
    total = len(labels) + len(named)
    is_saved = np.zeros(total, bool)
    if not len(named):
        return pictures, labels, is_saved
    is_saved[(np.arange(len(named)) * total) // len(named)] = True
    all_pictures = np.empty((total, 28, 28), np.uint8)
    all_labels = np.empty(total, np.int64)
    all_pictures[is_saved], all_labels[is_saved] = saved, named
    all_pictures[~is_saved], all_labels[~is_saved] = pictures, labels
    return all_pictures, all_labels, is_saved
