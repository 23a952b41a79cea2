"""The pictures of the report, in models/report/: small, made anew with each network."""

from __future__ import annotations

from pathlib import Path
from typing import IO, Any

import matplotlib as mpl
import numpy as np

from digitre.recognition.classifier import Classifier, is_refused
from digitre.training.data.datasets import NO_DIGIT
from digitre.training.evaluation import report

mpl.use("Agg")
from matplotlib import pyplot as plt
from matplotlib.axes import Axes

SHOWN = 60  # drawings of a sheet, at most
File = Path | IO[bytes]
Found = tuple[np.ndarray, int, np.ndarray]  # a picture, its label, the ten probabilities


def write(classifier: Classifier, history: list[dict[str, Any]], folder: Path) -> None:
    """Write all pictures for a network and its training's figures into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    curves(history, folder / "curves.png")
    confusion = np.zeros((10, 10), int)
    confidences: dict[str, tuple[np.ndarray, np.ndarray]] = {}
    wrong: list[Found] = []
    accepted: list[Found] = []
    for name, (pictures, labels) in report.test_sets():
        if not len(labels) or name.endswith("pixels as they are"):
            continue
        rows = classifier.classify(pictures[..., None].astype(np.float32) / 255)
        found = list(zip(pictures, labels.tolist(), rows, strict=True))
        if labels[0] == NO_DIGIT:
            accepted += [item for item in found if not is_refused(item[2].max())]
            continue
        right = rows.argmax(1) == labels
        np.add.at(confusion, (labels, rows.argmax(1)), 1)
        confidences[name] = rows.max(1), right
        wrong += [item for item, fine in zip(found, right, strict=True) if not fine]
    confusion_matrix(confusion, folder / "confusion.png")
    reliability(confidences, folder / "reliability.png")
    sheet(wrong, "read wrong", folder / "wrong.png")
    sheet(accepted, "no digit, and taken for one", folder / "accepted.png")


def _save(file: File) -> None:
    plt.savefig(file, dpi=80, bbox_inches="tight", pil_kwargs={"optimize": True})
    plt.close()


def curves(history: list[dict[str, Any]], file: File) -> None:
    """Loss, and per cent read right of the validation parts, by epoch."""
    epochs = np.arange(1, len(history) + 1)
    _, (left, right) = plt.subplots(1, 2, figsize=(10, 3.5))
    left.plot(epochs, [row["loss"] for row in history], color="black")
    left.set(xlabel="epoch", ylabel="loss", yscale="log", title="training loss")
    for name, style in {"mnist": "-", "drawn": "--", "unipen": ":", "refused": "-."}.items():
        if name in history[0]:
            right.plot(epochs, [row[name] for row in history], style, label=name, color="black")
    right.set(xlabel="epoch", ylabel="%", ylim=(90, 100.2), title="validation: right, and refused")
    right.legend()
    _save(file)


def confusion_matrix(counts: np.ndarray, file: File) -> None:
    """How many of each digit (row) were read as each (column); only the wrong ones are shaded."""
    _, axes = plt.subplots(figsize=(5.5, 5.5))
    off = counts * (1 - np.eye(10, dtype=int))
    axes.imshow(off, cmap="Reds")
    for label, answer in np.argwhere(counts):
        axes.text(answer, label, f"{counts[label, answer]}", ha="center", va="center", fontsize=8)
    axes.set(xticks=range(10), yticks=range(10), xlabel="read as", ylabel="label")
    _save(file)


def reliability(found: dict[str, tuple[np.ndarray, np.ndarray]], file: File) -> None:
    """How often the answer is right, by how probable it was said to be."""
    sure = np.concatenate([confidence for confidence, _ in found.values()])
    right = np.concatenate([fine for _, fine in found.values()])
    edges = np.array([0, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 0.999, 1.0001])
    bins = np.digitize(sure, edges) - 1
    _, axes = plt.subplots(figsize=(5, 5))
    axes.plot([0, 1], [0, 1], color="grey", lw=1)
    for number in np.unique(bins):
        chosen = bins == number
        axes.plot(sure[chosen].mean(), right[chosen].mean(), "o", color="black")
        axes.annotate(f" {chosen.sum()}", (sure[chosen].mean(), right[chosen].mean()), fontsize=7)
    axes.set(
        xlabel="probability as it is said",
        ylabel="share that is right",
        title="all test sets of digits",
    )
    _save(file)


def sheet(found: list[Found], title: str, file: File) -> None:
    """The most confident ones: the picture, its label and what it was read as."""
    found = sorted(found, key=lambda item: -item[2].max())
    shown = found[:SHOWN]
    columns = 12
    rows = max(1, -(-len(shown) // columns))
    figure, places = plt.subplots(rows, columns, figsize=(columns, 1.3 * rows), squeeze=False)
    figure.suptitle(f"{title}: {len(shown)} of {len(found)}, the most confident first", fontsize=10)
    for axes in places.ravel():
        axes.axis("off")
    for axes, (picture, label, row) in zip(places.ravel(), shown, strict=False):
        _one(axes, picture, label, row)
    _save(file)


def _one(axes: Axes, picture: np.ndarray, label: int, row: np.ndarray) -> None:
    axes.imshow(255 - picture, cmap="gray", vmin=0, vmax=255)
    named = "" if label == NO_DIGIT else f"{label}: "
    axes.set_title(f"{named}{row.argmax()} {100 * row.max():.0f}%", fontsize=7, pad=2)
