"""The report of `digitre explore`: the data, and what a network does with it, in one HTML file."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import jinja2
import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from digitre import files
from digitre.recognition.baselines import DemoClassifier
from digitre.recognition.card import Card, Layer
from digitre.recognition.classifier import Classifier
from digitre.recognition.preprocessing import SIDE
from digitre.training.data import datasets
from digitre.training.evaluation import sets
from digitre.training.reporting import plots

SAMPLES = 10  # per digit
PAIRS = 8  # of digits that the network confuses most often
DRAWINGS = 2000  # of each test set, for the figures about the network
TILES = 16  # filters or feature maps in a row
EXAMPLE = 3  # the digit whose feature maps are shown


class Picture(NamedTuple):
    """A picture of the report: its title, a sentence about it, and a data URL."""

    title: str
    about: str
    image: str


def write(classifier: Classifier, card: Card, file: Path) -> None:
    """Write the report as one HTML file that needs no other.

    Args:
        classifier: the network.
        card: its card; one without layers or history makes a shorter report.
        file: the HTML file, which is replaced whole.

    Raises:
        ValueError: if MNIST is not available.
        OSError: if the file cannot be written.
    """
    environment = jinja2.Environment(loader=jinja2.PackageLoader("digitre"), autoescape=True)
    page = environment.get_template("explore.html").render(
        model=classifier.model,
        sets=describe_sets(),
        data_pictures=draw_data(),
        layers=card.layers,
        total=card.parameters,
        network_pictures=draw_network(classifier, card),
    )
    files.write(file, page)


def describe_sets() -> list[dict[str, Any]]:
    """For each set of digits with data: how many of each digit, and statistics of its pixels."""
    rows = []
    for name, (pictures, labels) in {
        "MNIST, training": datasets.mnist("train"),
        "MNIST, test": datasets.mnist("test"),
        "drawn, training": _draw_sample("train"),
        "drawn, test": _draw_sample("test"),
    }.items():
        if len(labels):
            values = pictures.astype(np.float32) / 255
            rows.append(
                {
                    "name": name,
                    "pictures": len(labels),
                    "counts": np.bincount(labels, minlength=10).tolist(),
                    "mean": float(values.mean()),
                    "deviation": float(values.std()),
                    "ink": 100 * float((values > 0.5).mean()),
                }
            )
    return rows


def _draw_sample(part: datasets.Part) -> sets.Pictures:
    """Some of the digits that people drew, as the network sees them."""
    return sets.draw(sets.sample(datasets.pen_digits(part), DRAWINGS), sets.central)


def _encode(title: str, about: str, draw: Callable[[io.BytesIO], None]) -> Picture:
    """A picture from a function that writes a PNG."""
    packed = io.BytesIO()
    draw(packed)
    return Picture(
        title, about, f"data:image/png;base64,{base64.b64encode(packed.getvalue()).decode()}"
    )


def _plot(
    title: str, about: str, size: tuple[float, float], draw: Callable[[Axes], object]
) -> Picture:
    """A picture from a function that draws on Matplotlib's axes; `size` in inches."""
    figure, axes = plt.subplots(figsize=size)
    draw(axes)
    return _encode(title, about, lambda file: _save(figure, file))


def _save(figure: plt.Figure, file: io.BytesIO) -> None:
    figure.savefig(file, dpi=80, bbox_inches="tight")
    plt.close(figure)


def draw_data() -> list[Picture]:
    """Pictures about the training data."""
    x, y = datasets.mnist("train")
    pictures = [
        _draw_samples("Samples", "Ten of each digit in MNIST's training set.", x, y),
        _draw_balance(y),
        _draw_means(x, y),
    ]
    drawn, labels = _draw_sample("train")
    if len(labels):
        about = "Digits that people drew, as the network sees them."
        pictures.append(_draw_samples("Drawn samples", about, drawn, labels))
    return pictures


def _draw_samples(title: str, about: str, x: np.ndarray, y: np.ndarray) -> Picture:
    rows = [np.concatenate(x[np.flatnonzero(y == digit)[:SAMPLES]], 1) for digit in range(10)]
    width = min(row.shape[1] for row in rows)
    image = 255 - np.concatenate([row[:, :width] for row in rows])

    def draw(axes: Axes) -> None:
        axes.imshow(image, cmap="gray")
        axes.axis("off")

    return _plot(title, about, (5.5, 5.5), draw)


def _draw_balance(y: np.ndarray) -> Picture:
    def draw(axes: Axes) -> None:
        axes.bar(range(10), np.bincount(y, minlength=10), color="grey")
        axes.set(xticks=range(10), xlabel="digit", ylabel="pictures")

    return _plot("Balance", "How many pictures of each digit there are.", (5.5, 2.8), draw)


def _draw_means(x: np.ndarray, y: np.ndarray) -> Picture:
    means = np.concatenate([x[y == digit].mean(0) for digit in range(10)], 1)

    def draw(axes: Axes) -> None:
        axes.imshow(means, cmap="gray_r")
        axes.axis("off")

    return _plot("Means", "The mean of all pictures of each digit, in MNIST.", (9, 1.2), draw)


def draw_network(classifier: Classifier, card: Card) -> list[Picture]:
    """Pictures about a network: its layers, its training, its mistakes, its filters."""
    pictures = []
    if card.layers:
        pictures.append(_draw_layers(card.layers))
    if card.history:
        pictures.append(_draw_history(card.history))
    x, y = datasets.mnist("test")
    answers = plots.read_sets(classifier, [(x[:DRAWINGS], y[:DRAWINGS]), _draw_sample("test")])
    counts = answers.confusion()
    about = f"{len(answers.labels):,} pictures of the test sets, {answers.correct.sum():,} correct"
    pictures += [
        _encode("Confusion", about, lambda file: plots.draw_confusion(counts, file)),
        _draw_pairs(counts),
        _encode(
            "Reliability",
            "How often an answer is correct, by its confidence.",
            lambda file: plots.draw_reliability(answers, file),
        ),
        _encode(
            "Read wrong",
            "The label, the digit that was read, and the confidence.",
            lambda file: plots.draw_sheet(answers.wrong(), "read as another digit", file),
        ),
    ]
    example = answers.pictures[np.flatnonzero(answers.labels == EXAMPLE)[0]]
    return pictures + draw_activations(classifier, example)


def _draw_layers(layers: Sequence[Layer]) -> Picture:
    """A box per layer that changes the shape; its height is the side, its width the channels."""
    shapes: list[tuple[str, tuple[int, ...]]] = [("drawing", (28, 28, 1))]
    for layer in layers:
        if layer.output != shapes[-1][1] and layer.layer != "Flatten":
            shapes.append((layer.layer, layer.output))

    def draw(axes: Axes) -> None:
        left = 0.0
        for name, shape in shapes:
            height = shape[0] if len(shape) == 3 else 3 + np.log2(shape[0])
            width = 2 + np.sqrt(shape[-1]) / 2 if len(shape) == 3 else 1.5
            axes.add_patch(Rectangle((left, -height / 2), width, height, fc="#dbe6fb", ec="black"))
            text = f"{name}\n{' x '.join(map(str, shape))}"
            axes.text(left + width / 2, -17, text, ha="center", va="top", fontsize=7)
            left += width + 5
        axes.set(xlim=(-2, left), ylim=(-24, 15))
        axes.axis("off")

    about = "From the drawing on the left to the answer on the right: the output of each layer."
    return _plot("The network", about, (9, 3), draw)


def _draw_history(history: Sequence[Mapping[str, float]]) -> Picture:
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3))
    epochs = np.arange(1, len(history) + 1)
    for axes, name, factor in ((left, "loss", 1), (right, "accuracy", 100)):
        for key in (name, f"val_{name}"):
            if key in history[0]:
                values = [factor * row[key] for row in history]
                axes.plot(epochs, values, "o-", ms=3, label=key)
        axes.legend()
    left.set(xlabel="epoch", yscale="log")
    right.set(xlabel="epoch", ylabel="%")
    return _encode("Learning", "Loss and accuracy by epoch.", lambda file: _save(figure, file))


def _draw_pairs(counts: np.ndarray) -> Picture:
    mistakes = counts * (1 - np.eye(10, dtype=int))
    order = np.argsort(-mistakes, axis=None)[:PAIRS]
    pairs = [divmod(int(index), 10) for index in order if mistakes.flat[index]][::-1]

    def draw(axes: Axes) -> None:
        names = [f"{label} read as {digit}" for label, digit in pairs]
        axes.barh(names, [mistakes[pair] for pair in pairs], color="grey")
        axes.set(xlabel="pictures")

    return _plot("Confused pairs", "The most frequent mistakes.", (5.5, 2.8), draw)


def draw_activations(classifier: Classifier, picture: np.ndarray) -> list[Picture]:
    """The first layer's weights, and each convolution's output for a (28, 28) uint8 picture."""
    weights, maps = look_inside(classifier, picture)
    if not maps:
        about = f"The weights of its {len(weights)} units: ink counts for a unit where it is dark."
        return [_draw_tiles("First layer", about, weights, signed=True)]
    about = f"Its {len(weights)} filters: ink counts for a filter where it is dark."
    pictures = [_draw_tiles("First convolution", about, weights, signed=True)]
    for index, output in enumerate(maps, 1):
        size = " x ".join(map(str, output.shape[1:]))
        about = f"Its output for a {EXAMPLE}: {len(output)} maps of {size}."
        pictures.append(_draw_tiles(f"Feature maps of convolution {index}", about, output))
    return pictures


def look_inside(classifier: Classifier, picture: np.ndarray) -> tuple[np.ndarray, list[np.ndarray]]:
    """The weights of the first layer, and what each convolution makes of a picture.

    Args:
        classifier: the network.
        picture: (28, 28), uint8.

    Returns:
        The weights as (units, h, w), float32; for each convolution its output as (channels, h, w),
        float32. A network without convolutions has no output here.
    """
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    # Without a delegate: it unpacks weights into its own memory. It never writes the tensors that are
    # read here, so they would hold whatever was in memory before.
    interpreter = Interpreter(
        str(classifier.path),
        experimental_preserve_all_tensors=True,
        experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
    )
    interpreter.allocate_tensors()
    pixels = sets.as_batch(picture[None])
    if isinstance(classifier, DemoClassifier):
        pixels = classifier.demo.scale(pixels)
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], pixels)
    interpreter.invoke()
    layers = [
        operation
        for operation in interpreter._get_ops_details()
        if operation["op_name"] in ("CONV_2D", "FULLY_CONNECTED")
    ]
    weights = interpreter.get_tensor(layers[0]["inputs"][1])
    maps = [
        np.moveaxis(interpreter.get_tensor(layer["outputs"][0])[0], -1, 0)
        for layer in layers
        if layer["op_name"] == "CONV_2D"
    ]
    return (weights[..., 0] if maps else weights.reshape(-1, SIDE, SIDE)), maps


def _draw_tiles(title: str, about: str, arrays: np.ndarray, *, signed: bool = False) -> Picture:
    """Small pictures in rows, from (n, h, w); `signed` if 0 is to be grey."""
    rows = -(-len(arrays) // TILES)
    figure, grid = plt.subplots(rows, TILES, figsize=(9, 0.6 * rows), squeeze=False)
    for axes in grid.ravel():
        axes.axis("off")
    for axes, array in zip(grid.ravel(), arrays, strict=False):
        if signed:
            limit = float(np.abs(array).max()) or 1.0
            axes.imshow(array, cmap="RdGy", vmin=-limit, vmax=limit)
        else:
            axes.imshow(array, cmap="gray_r")
    return _encode(title, about, lambda file: _save(figure, file))
