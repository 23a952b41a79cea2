"""The datasets: digits, letters and symbols, each in the parts of `split`.

The files are in the folder that the environment variable DIGITRE_DATA names. `world` has the sets of
other scripts, doodles, words and numbers.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from digitre.recognition.classifier import NO_DIGIT
from digitre.recognition.preprocessing import Picture, PictureError, preprocess
from digitre.training.data import labels as published
from digitre.training.data.split import (
    CLEANED_SITE,
    LOOK_ALIKES,
    MNIST_VALIDATION,
    PEN_WRITERS,
    SYMBOL_CLASSES,
    UNIPEN_SITES,
    Part,
)

SOURCES = {
    "mnist.npz": "https://storage.googleapis.com/tensorflow/tf-keras-datasets/mnist.npz",
    "pendigits-orig.tra": "https://archive.ics.uci.edu/dataset/81 (pendigits-orig.tra.Z)",
    "unipen-characters.npz": "made from UNIPEN train_r01_v07, https://zenodo.org/records/1195803",
    "not-digits.npz": "ten classes of HASYv2, https://zenodo.org/records/259444",
    **{
        f"unipen-{name}": "made from UNIPEN train_r01_v07, https://zenodo.org/records/1195803"
        for name in ("people.csv", "digits-more.npz", "strings.npz", "words.npz")
    },
    "detexify-symbols.npz": "made from Detexify's data, https://github.com/kirel/detexify-data",
    "omniglot.npz": "made from https://github.com/brendenlake/omniglot",
    "quickdraw-doodles.npz": "made from https://github.com/googlecreativelab/quickdraw-dataset",
}

Strokes = list[np.ndarray]


@dataclass(frozen=True)
class Traces:
    """Pen traces.

    Attributes:
        strokes: for each drawing, a list of (n, 2) arrays of x and y in any unit, y upwards.
        labels: (n,) 0 to 10.
    """

    strokes: list[Strokes] = field(default_factory=list)
    labels: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))

    def __len__(self) -> int:
        return len(self.strokes)


def folder() -> Path | None:
    """The folder with the datasets, or None if DIGITRE_DATA does not name a folder."""
    name = os.environ.get("DIGITRE_DATA")
    return Path(name) if name and Path(name).is_dir() else None


def path(name: str) -> Path | None:
    """A file of the datasets, or None if it is missing."""
    parent = folder()
    return parent / name if parent and (parent / name).is_file() else None


def missing() -> list[str]:
    """A line per missing dataset: its name and where to get it."""
    return [f"{name}: {source}" for name, source in SOURCES.items() if path(name) is None]


def hashes() -> dict[str, str]:
    """The SHA-256 of each dataset's file, for the card; missing files are left out."""
    files = {name: path(name) for name in SOURCES}
    return {
        name: hashlib.sha256(file.read_bytes()).hexdigest() for name, file in files.items() if file
    }


def prepare(picture: Picture) -> np.ndarray:
    """Preprocess a picture: (28, 28) uint8, ink bright.

    Raises:
        PictureError: if it cannot be read as a picture.
    """
    return np.rint(preprocess(picture)[0, :, :, 0] * 255).astype(np.uint8)


def mnist(part: Part) -> tuple[np.ndarray, np.ndarray]:
    """MNIST (LeCun, Cortes, Burges), from mnist.npz or else downloaded by Keras.

    Returns:
        (n, 28, 28) uint8, ink bright, and (n,) labels.

    Raises:
        ValueError: if it cannot be downloaded.
    """
    file = path("mnist.npz")
    if file:
        with np.load(file) as archive:
            arrays = {name: archive[name] for name in archive.files}
    else:
        arrays = _download_mnist()
    if part == "test":
        return arrays["x_test"], arrays["y_test"].astype(np.int64)
    chosen = slice(-MNIST_VALIDATION) if part == "train" else slice(-MNIST_VALIDATION, None)
    return arrays["x_train"][chosen], arrays["y_train"][chosen].astype(np.int64)


def _download_mnist() -> dict[str, np.ndarray]:
    import keras

    try:
        (x_train, y_train), (x_test, y_test) = keras.datasets.mnist.load_data()
    except Exception as error:  # Keras raises Exception itself
        raise ValueError(
            f"cannot download MNIST ({error}): set DIGITRE_DATA to a folder that has mnist.npz"
        ) from None
    return {"x_train": x_train, "y_train": y_train, "x_test": x_test, "y_test": y_test}


def pen_digits(part: Part) -> Traces:
    """The digits of a part's writers, from the pen traces; empty if the file is missing."""
    file = path("pendigits-orig.tra")
    if not file:
        return Traces()
    writers = PEN_WRITERS[part]
    digits = [digit for digit in _read_traces(file) if digit[1] in writers]
    return Traces(
        [strokes for _, _, strokes in digits], np.array([label for label, _, _ in digits])
    )


def _read_traces(file: Path) -> Iterator[tuple[int, int, list[np.ndarray]]]:
    """Read a UNIPEN text file of pen traces: each digit's label, writer and strokes."""
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
    """UNIPEN's isolated digits from a part's sites; empty if the file is missing.

    The training part has those of `CLEANED_SITE` as well, without the ones whose label is wrong.
    """
    digits = _unipen(UNIPEN_SITES[part], lambda label, category: category == "1a")
    if part != "train":
        return digits
    cleaned = _unipen((CLEANED_SITE,), lambda label, category: category == "1a")
    good = [i for i in range(len(cleaned)) if i not in published.WRONG_IBM]
    return Traces(
        digits.strokes + [cleaned.strokes[i] for i in good],
        np.concatenate([digits.labels, cleaned.labels[good]]),
    )


def unipen_others(part: Part) -> Traces:
    """UNIPEN's letters and signs from a part's sites, without the `LOOK_ALIKES` of digits."""
    return _unipen(
        UNIPEN_SITES[part],
        lambda label, category: (category != "1a") & ~np.isin(label, sorted(LOOK_ALIKES)),
    )


def _unipen(
    sites: tuple[str, ...], select: Callable[[np.ndarray, np.ndarray], np.ndarray]
) -> Traces:
    """The characters of some sites that `select` chooses by their labels and categories."""
    arrays = arrays_of("unipen-characters.npz")
    if arrays is None:
        return Traces()
    plain = np.char.lstrip(arrays["label"], "\\")  # the file escapes the quote and the backslash
    labels = np.where(plain == "", "\\", plain)
    chosen = np.flatnonzero(np.isin(arrays["donor"], sites) & select(labels, arrays["category"]))
    digits = np.array([int(labels[i]) if labels[i].isdigit() else NO_DIGIT for i in chosen], int)
    return Traces([strokes_of(arrays, i) for i in chosen], digits)


def arrays_of(name: str) -> dict[str, np.ndarray] | None:
    """All arrays of a file, or None if it is missing."""
    file = path(name)
    if not file:
        return None
    with np.load(file) as archive:
        return {each: archive[each] for each in archive.files}


def strokes_of(arrays: dict[str, np.ndarray], index: int | np.integer) -> Strokes:
    """The strokes of one drawing of a file of strokes: (n, 2) arrays of x and y, y upwards."""
    first, start, points = arrays["char"], arrays["stroke"], arrays["xy"]
    return [points[start[k] : start[k + 1]] for k in range(first[index], first[index + 1])]


def symbols(part: Part) -> np.ndarray:
    """The drawn symbols of a part, which are not digits: (n, 32, 32) uint8, dark ink on light."""
    file = path("not-digits.npz")
    if not file:
        return np.zeros((0, 32, 32), np.uint8)
    with np.load(file) as archive:
        return archive["x"][np.isin(archive["y"], SYMBOL_CLASSES[part])]


def prepared_symbols(part: Part) -> np.ndarray:
    """The symbols of a part, preprocessed: (n, 28, 28) uint8, ink bright."""
    pictures = [prepare(picture) for picture in symbols(part)]
    return np.array(pictures, np.uint8).reshape(-1, 28, 28)


def sorted_pictures(source: Path, part: Part) -> tuple[np.ndarray, np.ndarray, list[Path]]:
    """Load a user's own pictures, sorted into folders named 0 to 9, in any form that the API reads.

    About a tenth of them is the test part, chosen by a hash of the file; the rest is the training
    part. There is no validation part.

    Returns:
        (n, 28, 28) uint8 preprocessed pictures, (n,) labels, and the files that are not pictures or
        are blank.

    Raises:
        ValueError: if there is no folder named 0 to 9.
        OSError: if a file cannot be read.
    """
    folders = [source / str(digit) for digit in range(10) if (source / str(digit)).is_dir()]
    if not folders:
        raise ValueError(f"{source} has no folders named 0 to 9")
    pictures, labels, unread = [], [], []
    for file in (file for digit in folders for file in sorted(digit.iterdir())):
        content = file.read_bytes() if file.is_file() else b""
        is_test = hashlib.sha256(content).digest()[0] % 10 == 0
        if is_test != (part == "test"):
            continue
        try:
            pixels = prepare(content)
        except PictureError:
            pixels = np.zeros((28, 28), np.uint8)
        if pixels.any():
            pictures.append(pixels)
            labels.append(int(file.parent.name))
        else:
            unread.append(file)
    return np.array(pictures, np.uint8).reshape(-1, 28, 28), np.array(labels, np.int64), unread
