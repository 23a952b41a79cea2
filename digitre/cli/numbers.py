"""`digitre read --number`: read numbers of several digits."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np
from PIL import Image

from digitre.cli import terminal
from digitre.cli.outcomes import Outcome, network_named, outcome_of, read_and_print
from digitre.recognition import preprocessing
from digitre.recognition.decoding import FULL_SIZE, to_image
from digitre.recognition.number_reading import NumberReading, blank

COLUMNS = ("file", "result", "number", "confidence", "reason", "error")
FIELDS = tuple(blank("").to_dict())
WIDTH = 39  # blocks of a picture in a terminal, each two characters wide


@dataclass(frozen=True)
class NumberOutcome(Outcome):
    """The number in one file, or the error."""

    reading: NumberReading | None  # type: ignore[assignment]
    columns = COLUMNS
    fields = FIELDS

    def line(self, form: str) -> str:
        """The answer for a terminal: green if it is a number, else yellow."""
        reading = self.reading
        assert reading is not None
        colour = "yellow" if reading.reason else "green"
        if form == "sentence":
            return click.style(sentence(reading), fg=colour)
        result = click.style(f"{reading.result.replace(chr(10), ' '):12}", fg=colour)
        return f"{result}  {100 * reading.confidence:5.1f}%  {self.file}"


def sentence(reading: NumberReading) -> str:
    """The answer for one image."""
    if reading.reason:
        return f"{reading.result} {reading.probability}"
    return f"The number is probably {reading.result} {reading.probability}"


def read_numbers(
    names: Sequence[str],
    form: str | None,
    options: dict[str, Any],
    *,
    show: bool = False,
    plot: Path | None = None,
) -> bool:
    """Read the numbers in files, and print them.

    Args:
        names: the files.
        form: "json", "csv" or None.
        options: those of `Classifier.read_number`.
        show: draw the boxes of the digits in the terminal.
        plot: draw them to this file.

    Returns:
        Whether a file could not be read.
    """
    reader = functools.partial(_read, options=options)
    failed, reading, content = read_and_print(list(names), reader, form)
    if reading is not None:
        if show:
            click.echo(draw_boxes(*_picture(content), reading))
        if plot:
            try:
                _plot(*_picture(content), reading, plot)
            except (OSError, ValueError) as error:
                raise click.ClickException(str(error)) from None
    return failed


def _read(
    name: str, *, options: dict[str, Any], content: bytes | OSError | None = None
) -> NumberOutcome:
    from digitre.recognition import numbers

    return outcome_of(
        NumberOutcome,
        name,
        content,
        lambda data: numbers.read_number(network_named(None), to_image(data), **options),
    )


def _picture(content: bytes) -> tuple[np.ndarray, tuple[int, int]]:
    """The ink of a picture, and the width and height of the picture in its file."""
    image = to_image(content)
    return preprocessing.find_ink(image), image.info.get(FULL_SIZE, image.size)


def draw_boxes(ink: np.ndarray, size: tuple[int, int], reading: NumberReading) -> str:
    """A picture as text, with a box around each digit and the digit above it.

    Args:
        ink: (height, width) uint8.
        size: the width and height of the picture that the boxes are in.
        reading: the number.
    """
    height = max(1, round(WIDTH * ink.shape[0] / ink.shape[1]))
    small = np.asarray(Image.fromarray(ink).resize((WIDTH, height), Image.Resampling.BOX))
    shades = terminal.blocks(small / max(1, small.max()))
    grid = [list(line.ljust(2 * WIDTH)) for line in shades.split("\n")]
    grid = [[" "] * 2 * WIDTH, *grid, [" "] * 2 * WIDTH]
    for digit in reading.digits:
        left, top, right, bottom = digit.box
        x = max(0, int(2 * WIDTH * left / size[0]) - 1)
        to_x = min(2 * WIDTH - 1, int(2 * WIDTH * right / size[0]) + 1)
        y, to_y = int(height * top / size[1]), min(height + 1, int(height * bottom / size[1]) + 2)
        for row, (begin, end) in ((y, "┌┐"), (to_y, "└┘")):
            edge = [begin, *"─" * (to_x - x - 1), end]
            grid[row][x : to_x + 1] = [
                new if old == " " else old
                for new, old in zip(edge, grid[row][x : to_x + 1], strict=True)
            ]
        for row in range(y + 1, to_y):
            for column in (x, to_x):
                if grid[row][column] == " ":
                    grid[row][column] = "│"
        grid[y][(x + to_x) // 2] = digit.prediction or " "
    return "\n".join("".join(line).rstrip() for line in grid)


def _plot(ink: np.ndarray, size: tuple[int, int], reading: NumberReading, file: Path) -> None:
    from matplotlib.figure import Figure
    from matplotlib.patches import Rectangle

    width, height = size
    figure = Figure(figsize=(7, min(7.0, max(2.0, 7 * height / width + 0.6))), layout="constrained")
    axes = figure.subplots()
    axes.imshow(ink, cmap="gray_r", extent=(0, width, height, 0))
    for digit in reading.digits:
        left, top, right, bottom = digit.box
        colour = "tab:orange" if digit.reason else "tab:blue"
        box = Rectangle((left, top), right - left, bottom - top, fill=False, edgecolor=colour)
        axes.add_patch(box)
        label = f"{digit.prediction} {100 * digit.confidence:.0f}%"
        axes.text(left, top, label, color=colour, verticalalignment="bottom")
    axes.set_axis_off()
    figure.suptitle(sentence(reading).replace("\n", " "))
    figure.savefig(file)
