"""The drawings to learn from and to be measured on, and the one split of the whole project.

Everything is read from the folder that the environment variable `DIGITRE_DATA` names. No shipped
network is trained on a `test` part, and no setting is chosen on one.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np

from digitre.recognition.classifier import NO_DIGIT
from digitre.recognition.preprocessing import PictureError, preprocess

Part = Literal["train", "validation", "test"]

# The split: by whole writers (pen traces), sites (UNIPEN) and classes (not-digits).
PEN_WRITERS: dict[Part, range] = {
    "train": range(1, 23),
    "validation": range(23, 27),
    "test": range(27, 31),
}
UNIPEN_SITES: dict[Part, tuple[str, ...]] = {
    # `ibm` is in no part: too many of its labels are wrong.
    "train": ("aga", "apb", "gmd", "lav", "mot", "sie", "syn"),
    "validation": ("ced",),
    "test": ("uqb", "app"),
}
SYMBOL_CLASSES: dict[Part, tuple[str, ...]] = {
    "train": ("forall", "infty", "int", "sim", "varphi"),
    "validation": ("pm", "xi"),
    "test": ("in", "partial", "subseteq"),
}
MNIST_VALIDATION = 5_000  # the last ones of its training set

# Letters and signs that, alone and brought to one size, nobody can tell from a digit. They are
# neither learned as no digit nor counted where refusals are counted.
LOOK_ALIKES = frozenset("OoDQ IlJ|/\\!'`,() Zz SsB bG gqy }".replace(" ", ""))

SOURCES = {
    "mnist.npz": "https://storage.googleapis.com/tensorflow/tf-keras-datasets/mnist.npz",
    "pendigits-orig.tra": "https://archive.ics.uci.edu/dataset/81 (pendigits-orig.tra.Z)",
    "unipen-characters.npz": "made from UNIPEN train_r01_v07, https://zenodo.org/records/1195803",
    "not-digits.npz": "ten classes of HASYv2, https://zenodo.org/records/259444",
}


@dataclass(frozen=True)
class Traces:
    """Pen traces: `strokes[i]` is a list of (n, 2) arrays of x and y, y upwards."""

    strokes: list[list[np.ndarray]] = field(default_factory=list)
    labels: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))

    def __len__(self) -> int:
        return len(self.strokes)


def folder() -> Path | None:
    """The folder with the data, or None where `DIGITRE_DATA` is not set or names none."""
    named = os.environ.get("DIGITRE_DATA")
    return Path(named) if named and Path(named).is_dir() else None


def path(name: str) -> Path | None:
    """A file of the data, or None where it is not there."""
    data = folder()
    return data / name if data and (data / name).is_file() else None


def missing() -> list[str]:
    """A line for each set that is not there: its name and where to get it."""
    return [f"{name}: {source}" for name, source in SOURCES.items() if path(name) is None]


def hashes() -> dict[str, str]:
    """The SHA-256 of each file of the data that is there, for the network's card."""
    found = {name: path(name) for name in SOURCES}
    return {
        name: hashlib.sha256(file.read_bytes()).hexdigest() for name, file in found.items() if file
    }


def mnist(part: Part) -> tuple[np.ndarray, np.ndarray]:
    """MNIST: (n, 28, 28) uint8, ink bright, and (n,) labels. From Keras where no file is there."""
    file = path("mnist.npz")
    if file:
        with np.load(file) as archive:
            sets = {name: archive[name] for name in archive.files}
    else:
        import keras

        try:
            (x_train, y_train), (x_test, y_test) = keras.datasets.mnist.load_data()
        except Exception as error:  # Keras raises a bare one
            raise ValueError(
                f"MNIST could not be fetched ({error}): set DIGITRE_DATA to a folder that has mnist.npz"
            ) from None
        sets = {"x_train": x_train, "y_train": y_train, "x_test": x_test, "y_test": y_test}
    if part == "test":
        return sets["x_test"], sets["y_test"].astype(np.int64)
    chosen = slice(-MNIST_VALIDATION) if part == "train" else slice(-MNIST_VALIDATION, None)
    return sets["x_train"][chosen], sets["y_train"][chosen].astype(np.int64)


def pen_digits(part: Part) -> Traces:
    """Digits of the pen traces' writers of this part; none where the file is not there."""
    file = path("pendigits-orig.tra")
    if not file:
        return Traces()
    writers = PEN_WRITERS[part]
    chosen = [item for item in _read_traces(file) if item[1] in writers]
    return Traces([item[2] for item in chosen], np.array([item[0] for item in chosen]))


def _read_traces(file: Path) -> Iterator[tuple[int, int, list[np.ndarray]]]:
    """Each digit of a UNIPEN text file of pen traces: its label, its writer, its strokes."""
    label, writer = -1, -1
    strokes: list[np.ndarray] = []
    stroke: list[tuple[float, float]] | None = None
    for line in file.read_text("latin-1").splitlines():
        words = line.split()
        if not words:
            continue
        if words[0] == ".SEGMENT":
            if strokes:
                yield label, writer, strokes
            label, strokes, stroke = int(words[-1].strip('"')), [], None
        elif words[0] == ".COMMENT" and len(words) >= 3 and label >= 0:
            writer = int(words[2])
        elif words[0] == ".PEN_DOWN":
            stroke = []
        elif words[0] == ".PEN_UP" and stroke:
            strokes.append(np.array(stroke, np.float32))
            stroke = None
        elif stroke is not None and not words[0].startswith("."):
            stroke.append((float(words[0]), float(words[1])))
    if strokes:
        yield label, writer, strokes


def unipen_digits(part: Part) -> Traces:
    """UNIPEN's isolated digits of this part's sites; none where the file is not there."""
    return _unipen(part, lambda label, category: category == "1a")


def unipen_others(part: Part) -> Traces:
    """UNIPEN's letters and signs of this part's sites that are no look-alikes of digits."""
    return _unipen(
        part,
        lambda label, category: (category != "1a") & ~np.isin(label, sorted(LOOK_ALIKES)),
    )


def _unipen(part: Part, wanted: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> Traces:
    file = path("unipen-characters.npz")
    if not file:
        return Traces()
    with np.load(file) as archive:
        sets = {name: archive[name] for name in archive.files}
    plain = np.char.lstrip(sets["label"], "\\")  # the file escapes the quote and the backslash
    labels = np.where(plain == "", "\\", plain)
    chosen = np.flatnonzero(
        np.isin(sets["donor"], UNIPEN_SITES[part]) & wanted(labels, sets["category"])
    )
    first, start, points = sets["char"], sets["stroke"], sets["xy"]
    strokes = [
        [points[start[k] : start[k + 1]] for k in range(first[i], first[i + 1])] for i in chosen
    ]
    digits = np.array([int(labels[i]) if labels[i].isdigit() else NO_DIGIT for i in chosen])
    return Traces(strokes, digits)


def symbols(part: Part) -> np.ndarray:
    """Drawn symbols that are no digits: (n, 32, 32) uint8, dark ink on light, of this part."""
    file = path("not-digits.npz")
    if not file:
        return np.zeros((0, 32, 32), np.uint8)
    with np.load(file) as archive:
        return archive["x"][np.isin(archive["y"], SYMBOL_CLASSES[part])]


def sorted_pictures(source: Path, part: Part) -> tuple[np.ndarray, np.ndarray, list[Path]]:
    """Pictures that somebody sorted into folders 0 to 9, in any form that the API reads.

    A tenth of them, chosen by their bytes, is the test part; there is no validation part.

    Returns:
        (n, 28, 28) uint8 preprocessed, (n,) labels, and the files that are no pictures or blank.

    Raises:
        ValueError: where no folder is named 0 to 9.
    """
    folders = [source / str(digit) for digit in range(10) if (source / str(digit)).is_dir()]
    if not folders:
        raise ValueError(f"{source} has no folders named 0 to 9")
    pictures, labels, unread = [], [], []
    for place in folders:
        for file in sorted(place.iterdir()):
            content = file.read_bytes() if file.is_file() else b""
            held = hashlib.sha256(content).digest()[0] % 10 == 0
            if held != (part == "test"):
                continue
            try:
                pixels = preprocess(content)[0, :, :, 0]
            except PictureError:
                pixels = np.zeros((28, 28), np.float32)
            if pixels.any():
                pictures.append(np.rint(pixels * 255).astype(np.uint8))
                labels.append(int(place.name))
            else:
                unread.append(file)
    return np.array(pictures, np.uint8).reshape(-1, 28, 28), np.array(labels, np.int64), unread


def split() -> dict[str, dict[Part, str]]:
    """The split in words, for the network's card."""
    parts: tuple[Part, ...] = ("train", "validation", "test")
    return {
        "pen traces, writers": {
            part: f"{PEN_WRITERS[part].start} to {PEN_WRITERS[part].stop - 1}" for part in parts
        },
        "UNIPEN, sites": {part: ", ".join(UNIPEN_SITES[part]) for part in parts},
        "symbols, classes": {part: ", ".join(SYMBOL_CLASSES[part]) for part in parts},
    }
