"""Draw the pictures of the report, in models/report/: small PNG files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, NamedTuple

import matplotlib as mpl
import numpy as np

from digitre.recognition.classifier import Classifier, is_refused
from digitre.training.data.datasets import NO_DIGIT
from digitre.training.evaluation import sets

mpl.use("Agg")
from matplotlib import pyplot as plt
from matplotlib.axes import Axes

SHOWN = 60  # drawings on a sheet, at most
COLUMNS = 12  # drawings in a row of a sheet
EDGES = (
    0,
    0.3,
    0.4,
    0.5,
    0.6,
    0.7,
    0.8,
    0.9,
    0.95,
    0.99,
    0.999,
    1.0001,
)  # of the bins of confidence

File = Path | IO[bytes]


class Answer(NamedTuple):
    """How a network reads one picture.

    Attributes:
        picture: (28, 28) uint8.
        label: 0 to 10.
        probabilities: (10,) of the digits.
    """

    picture: np.ndarray
    label: int
    probabilities: np.ndarray

    @property
    def digit(self) -> int:
        return int(self.probabilities.argmax())

    @property
    def confidence(self) -> float:
        return float(self.probabilities.max())


@dataclass(frozen=True)
class Answers:
    """How a network reads many pictures.

    Attributes:
        pictures: (n, 28, 28) uint8.
        labels: (n,) 0 to 10.
        probabilities: (n, 10).
    """

    pictures: np.ndarray
    labels: np.ndarray
    probabilities: np.ndarray

    def __iter__(self) -> Iterator[Answer]:
        for picture, label, row in zip(
            self.pictures, self.labels.tolist(), self.probabilities, strict=True
        ):
            yield Answer(picture, label, row)

    @property
    def digits(self) -> np.ndarray:
        """The most probable digits, (n,)."""
        return self.probabilities.argmax(1)

    @property
    def confidence(self) -> np.ndarray:
        """The probability of the most probable digits, (n,)."""
        return self.probabilities.max(1)

    @property
    def correct(self) -> np.ndarray:
        """Which pictures are read as their label, (n,) bool."""
        return self.digits == self.labels

    def confusion(self) -> np.ndarray:
        """How many of each digit (row) are read as each digit (column): (10, 10)."""
        counts = np.zeros((10, 10), int)
        np.add.at(counts, (self.labels, self.digits), 1)
        return counts

    def wrong(self) -> list[Answer]:
        """The digits that are read as another one."""
        return [answer for answer in self if answer.digit != answer.label]


def read_sets(classifier: Classifier, pictures: Sequence[sets.Pictures]) -> Answers:
    """Read several sets of pictures, as one."""
    images = np.concatenate([images for images, _ in pictures])
    labels = np.concatenate([labels for _, labels in pictures])
    return Answers(images, labels, classifier.classify(sets.as_batch(images)))


def draw_all(classifier: Classifier, history: Sequence[Mapping[str, float]], folder: Path) -> None:
    """Draw all pictures of a network's report.

    Args:
        classifier: the network.
        history: the figures of each epoch of its training.
        folder: gets the pictures.
    """
    folder.mkdir(parents=True, exist_ok=True)
    # MNIST as it is would count MNIST twice.
    tested = [pictures for id, pictures in sets.test_sets().items() if id != "mnist_test_pixels"]
    answers = read_sets(classifier, [each for each in tested if each[1][0] != NO_DIGIT])
    others = read_sets(classifier, [each for each in tested if each[1][0] == NO_DIGIT])
    accepted = [answer for answer in others if not is_refused(answer.probabilities.max())]
    draw_curves(history, folder / "curves.png")
    draw_confusion(answers.confusion(), folder / "confusion.png")
    draw_reliability(answers, folder / "reliability.png")
    draw_sheet(answers.wrong(), "read as another digit", folder / "wrong.png")
    draw_sheet(accepted, "not digits, but read as one", folder / "accepted.png")


def _save(file: File) -> None:
    plt.savefig(file, dpi=80, bbox_inches="tight", pil_kwargs={"optimize": True})
    plt.close()


def draw_curves(history: Sequence[Mapping[str, float]], file: File) -> None:
    """The loss, and the accuracy and refusals on the validation sets, by epoch."""
    epochs = np.arange(1, len(history) + 1)
    _, (left, right) = plt.subplots(1, 2, figsize=(10, 3.5))
    left.plot(epochs, [row["loss"] for row in history], color="black")
    left.set(xlabel="epoch", ylabel="loss", yscale="log", title="training loss")
    for name, style in {"mnist": "-", "drawn": "--", "unipen": ":", "refused": "-."}.items():
        if name in history[0]:
            right.plot(epochs, [row[name] for row in history], style, label=name, color="black")
    right.set(xlabel="epoch", ylabel="%", ylim=(90, 100.2), title="validation: accuracy, refused")
    right.legend()
    _save(file)


def draw_confusion(counts: np.ndarray, file: File) -> None:
    """How many of each digit (row) are read as each digit (column); only mistakes are coloured."""
    _, axes = plt.subplots(figsize=(5.5, 5.5))
    mistakes = counts * (1 - np.eye(10, dtype=int))
    axes.imshow(mistakes, cmap="Reds")
    for label, digit in np.argwhere(counts):
        axes.text(digit, label, f"{counts[label, digit]}", ha="center", va="center", fontsize=8)
    axes.set(xticks=range(10), yticks=range(10), xlabel="read as", ylabel="label")
    _save(file)


def draw_reliability(answers: Answers, file: File) -> None:
    """The share of correct answers by their confidence, with the count of each bin."""
    confidence, correct = answers.confidence, answers.correct
    bins = np.digitize(confidence, EDGES) - 1
    _, axes = plt.subplots(figsize=(5, 5))
    axes.plot([0, 1], [0, 1], color="grey", lw=1)
    for number in np.unique(bins):
        chosen = bins == number
        point = confidence[chosen].mean(), correct[chosen].mean()
        axes.plot(*point, "o", color="black")
        axes.annotate(f" {chosen.sum()}", point, fontsize=7)
    axes.set(
        xlabel="confidence", ylabel="share of correct answers", title="all test sets of digits"
    )
    _save(file)


def draw_sheet(answers: Sequence[Answer], title: str, file: File) -> None:
    """The answers with the highest confidence: each picture with its label, digit and confidence."""
    shown = sorted(answers, key=lambda answer: -answer.confidence)[:SHOWN]
    rows = max(1, -(-len(shown) // COLUMNS))
    figure, grid = plt.subplots(rows, COLUMNS, figsize=(COLUMNS, 1.3 * rows), squeeze=False)
    heading = f"{title}: {len(shown)} of {len(answers)}, the most confident first"
    figure.suptitle(heading, fontsize=10)
    for axes in grid.ravel():
        axes.axis("off")
    for axes, answer in zip(grid.ravel(), shown, strict=False):
        _draw_answer(axes, answer)
    _save(file)


def _draw_answer(axes: Axes, answer: Answer) -> None:
    axes.imshow(255 - answer.picture, cmap="gray", vmin=0, vmax=255)
    label = "" if answer.label == NO_DIGIT else f"{answer.label}: "
    axes.set_title(f"{label}{answer.digit} {100 * answer.confidence:.0f}%", fontsize=7, pad=2)
