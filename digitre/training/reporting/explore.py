"""The report of `digitre explore`: what the data is like, and what a network does with it."""

from __future__ import annotations

import base64
import io
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jinja2
import numpy as np
from matplotlib import pyplot as plt
from matplotlib.patches import Rectangle

from digitre.recognition.baselines import DemoClassifier
from digitre.recognition.classifier import Classifier
from digitre.recognition.preprocessing import SIDE
from digitre.training.data import datasets
from digitre.training.evaluation import sets
from digitre.training.reporting import plots

Image = dict[str, str]  # a title, what it shows in words, and the picture as a data URL
SAMPLES = 10  # of each digit
PAIRS = 8  # of digits that are taken for each other
DRAWINGS = 2000  # of each set, for the matrix and the rest


def write(classifier: Classifier, card: dict[str, Any], file: Path) -> None:
    """Write the report as one HTML file that needs nothing else.

    Args:
        classifier: the network to look at.
        card: what is known of its training, as the files beside it have it.
        file: where the report goes; it is there whole or not at all.
    """
    environment = jinja2.Environment(loader=jinja2.PackageLoader("digitre"), autoescape=True)
    page = environment.get_template("explore.html").render(
        model=classifier.model,
        sets=_sets(),
        data_pictures=_data_pictures(),
        layers=card.get("layers", []),
        total=sum(layer["parameters"] for layer in card.get("layers", [])),
        network_pictures=_network_pictures(classifier, card),
    )
    new = file.with_name(f"{file.name}.new")
    new.write_text(page, encoding="utf-8")
    new.replace(file)


def _picture(title: str, about: str, draw: Callable[[io.BytesIO], None]) -> Image:
    packed = io.BytesIO()
    draw(packed)
    coded = base64.b64encode(packed.getvalue()).decode()
    return {"title": title, "about": about, "image": f"data:image/png;base64,{coded}"}


def _save(figure: plt.Figure, file: io.BytesIO) -> None:
    figure.savefig(file, dpi=80, bbox_inches="tight")
    plt.close(figure)


def _sets() -> list[dict[str, Any]]:
    """Each set of digits: how many there are of each, and what its pixels are like."""
    found = {
        "MNIST, training": datasets.mnist("train"),
        "MNIST, test": datasets.mnist("test"),
        "drawn, training": _shaped(datasets.pen_digits("train")),
        "drawn, test": _shaped(datasets.pen_digits("test")),
    }
    rows = []
    for name, (x, y) in found.items():
        if len(y):
            values = x.astype(np.float32) / 255
            rows.append(
                {
                    "name": name,
                    "pictures": len(y),
                    "counts": np.bincount(y, minlength=10).tolist(),
                    "mean": float(values.mean()),
                    "deviation": float(values.std()),
                    "ink": 100 * float((values > 0.5).mean()),
                }
            )
    return rows


def _shaped(drawings: datasets.Traces) -> sets.Pictures:
    return sets.shaped(sets.first(drawings, DRAWINGS), sets.central)


def _data_pictures() -> list[Image]:
    x, y = datasets.mnist("train")
    found = [
        _picture("Samples", "Ten of each digit of MNIST's training set.", _samples(x, y)),
        _picture("Balance", "How many there are of each digit.", _balance(y)),
        _picture("Means", "The mean of all pictures of a digit, in MNIST.", _means(x, y)),
    ]
    drawn, labels = _shaped(datasets.pen_digits("train"))
    if len(labels):
        about = "Digits that people drew, as the network sees them."
        found.append(_picture("Drawn samples", about, _samples(drawn, labels)))
    return found


def _samples(x: np.ndarray, y: np.ndarray) -> Callable[[io.BytesIO], None]:
    def draw(file: io.BytesIO) -> None:
        rows = [np.concatenate(x[np.flatnonzero(y == digit)[:SAMPLES]], 1) for digit in range(10)]
        figure, axes = plt.subplots(figsize=(5.5, 5.5))
        width = min(row.shape[1] for row in rows)
        axes.imshow(255 - np.concatenate([row[:, :width] for row in rows]), cmap="gray")
        axes.axis("off")
        _save(figure, file)

    return draw


def _balance(y: np.ndarray) -> Callable[[io.BytesIO], None]:
    def draw(file: io.BytesIO) -> None:
        figure, axes = plt.subplots(figsize=(5.5, 2.8))
        axes.bar(range(10), np.bincount(y, minlength=10), color="grey")
        axes.set(xticks=range(10), xlabel="digit", ylabel="pictures")
        _save(figure, file)

    return draw


def _means(x: np.ndarray, y: np.ndarray) -> Callable[[io.BytesIO], None]:
    def draw(file: io.BytesIO) -> None:
        means = [x[y == digit].mean(0) for digit in range(10)]
        figure, axes = plt.subplots(figsize=(9, 1.2))
        axes.imshow(np.concatenate(means, 1), cmap="gray_r")
        axes.axis("off")
        _save(figure, file)

    return draw


def _network_pictures(classifier: Classifier, card: dict[str, Any]) -> list[Image]:
    found = []
    if layers := card.get("layers"):
        about = "From the drawing on the left to the answer: what each layer gives."
        found.append(_picture("The network", about, lambda file: _diagram(layers, file)))
    if history := card.get("history"):
        about = "Loss and accuracy by epoch."
        found.append(_picture("Learning", about, lambda file: _curves(history, file)))
    x, y = datasets.mnist("test")
    tested = {"MNIST": (x[:DRAWINGS], y[:DRAWINGS]), "drawn": _shaped(datasets.pen_digits("test"))}
    answered = [
        (shown, labels, classifier.classify(shown[..., None].astype(np.float32) / 255))
        for shown, labels in tested.values()
        if len(labels)
    ]
    shown, labels, rows = (np.concatenate(parts) for parts in zip(*answered, strict=True))
    named = rows.argmax(1)
    right = named == labels
    counts = np.zeros((10, 10), int)
    np.add.at(counts, (labels, named), 1)
    wrong = [
        (picture, int(label), row)
        for picture, label, row, fine in zip(shown, labels, rows, right, strict=True)
        if not fine
    ]
    many = f"{len(labels):,} pictures of the test parts, {right.sum():,} read right"
    found += [
        _picture("Confusion", many, lambda file: plots.confusion_matrix(counts, file)),
        _picture("Confused pairs", "The most frequent mistakes.", _pairs(counts)),
        _picture(
            "Reliability",
            "How often it is right, by how sure it is.",
            lambda file: plots.reliability({"all": (rows.max(1), right)}, file),
        ),
        _picture(
            "Read wrong",
            "The label, what was read, and how surely.",
            lambda file: plots.sheet(wrong, "read wrong", file),
        ),
    ]
    return found + _inside(classifier, shown[np.flatnonzero(labels == 3)[0]])


def _diagram(layers: list[dict[str, Any]], file: io.BytesIO) -> None:
    """A box for each layer that changes the shape, as high as its side, as wide as its channels."""
    shapes: list[tuple[str, list[int]]] = [("drawing", [28, 28, 1])]
    for layer in layers:
        if layer["output"] != shapes[-1][1] and layer["layer"] != "Flatten":
            shapes.append((layer["layer"], layer["output"]))
    figure, axes = plt.subplots(figsize=(9, 3))
    left = 0.0
    for name, shape in shapes:
        height = shape[0] if len(shape) == 3 else 3 + np.log2(shape[0])
        width = 2 + np.sqrt(shape[-1]) / 2 if len(shape) == 3 else 1.5
        axes.add_patch(Rectangle((left, -height / 2), width, height, fc="#dbe6fb", ec="black"))
        words = f"{name}\n{' x '.join(map(str, shape))}"
        axes.text(left + width / 2, -17, words, ha="center", va="top", fontsize=7)
        left += width + 5
    axes.set(xlim=(-2, left), ylim=(-24, 15))
    axes.axis("off")
    _save(figure, file)


def _curves(history: list[dict[str, Any]], file: io.BytesIO) -> None:
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3))
    epochs = np.arange(1, len(history) + 1)
    for name in ("loss", "val_loss"):
        if name in history[0]:
            left.plot(epochs, [row[name] for row in history], "o-", ms=3, label=name)
    for name in ("accuracy", "val_accuracy"):
        if name in history[0]:
            right.plot(epochs, [100 * row[name] for row in history], "o-", ms=3, label=name)
    left.set(xlabel="epoch", yscale="log")
    right.set(xlabel="epoch", ylabel="%")
    left.legend()
    right.legend()
    _save(figure, file)


def _pairs(counts: np.ndarray) -> Callable[[io.BytesIO], None]:
    def draw(file: io.BytesIO) -> None:
        off = counts * (1 - np.eye(10, dtype=int))
        order = np.argsort(-off, axis=None)[:PAIRS]
        pairs = [divmod(int(place), 10) for place in order if off.flat[place]]
        figure, axes = plt.subplots(figsize=(5.5, 2.8))
        names = [f"{label} read as {answer}" for label, answer in pairs][::-1]
        axes.barh(names, [off[pair] for pair in pairs][::-1], color="grey")
        axes.set(xlabel="pictures")
        _save(figure, file)

    return draw


def _inside(classifier: Classifier, picture: np.ndarray) -> list[Image]:
    """The filters of the first convolution, and what each convolution gives for one drawing."""
    from ai_edge_litert.interpreter import Interpreter

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # that it takes memory: it is one picture
        interpreter = Interpreter(str(classifier.path), experimental_preserve_all_tensors=True)
    interpreter.allocate_tensors()
    pixels = picture[None, :, :, None].astype(np.float32) / 255
    if isinstance(classifier, DemoClassifier):
        pixels = classifier.demo.scale(pixels)
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], pixels)
    interpreter.invoke()
    details = {each["index"]: each for each in interpreter.get_tensor_details()}
    found: list[Image] = []
    for operation in interpreter._get_ops_details():
        if operation["op_name"] == "FULLY_CONNECTED" and not found:
            weights = interpreter.get_tensor(operation["inputs"][1]).reshape(-1, SIDE, SIDE)
            about = f"What its {len(weights)} units look for; dark is where ink counts for them."
            return [_picture("First layer", about, _tiles(weights, "RdGy_r"))]
        if operation["op_name"] != "CONV_2D":
            continue
        if not found:
            filters = interpreter.get_tensor(operation["inputs"][1])[..., 0]
            about = f"Its {len(filters)} filters; dark is where ink counts for it."
            found.append(_picture("First convolution", about, _tiles(filters, "RdGy_r")))
        index = operation["outputs"][0]
        maps = np.moveaxis(interpreter.get_tensor(index)[0], -1, 0)
        size = " x ".join(map(str, details[index]["shape"][1:3]))
        about = f"What it gives for a three: {len(maps)} maps of {size}."
        title = f"Feature maps of convolution {len(found)}"
        found.append(_picture(title, about, _tiles(maps, "gray_r")))
    return found


def _tiles(arrays: np.ndarray, colours: str) -> Callable[[io.BytesIO], None]:
    def draw(file: io.BytesIO) -> None:
        columns = 16
        rows = -(-len(arrays) // columns)
        figure, places = plt.subplots(rows, columns, figsize=(9, 0.6 * rows), squeeze=False)
        for axes in places.ravel():
            axes.axis("off")
        for axes, array in zip(places.ravel(), arrays, strict=False):
            if colours == "RdGy_r":
                most = float(np.abs(array).max()) or 1.0
                axes.imshow(array, cmap="RdGy", vmin=-most, vmax=most)
            else:
                axes.imshow(array, cmap=colours)
        _save(figure, file)

    return draw
