"""`digitre read`: pictures from files, folders or a pipe."""

from __future__ import annotations

import csv
import functools
import io
import json
import math
import os
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TextIO

import click
import numpy as np

from digitre.cli import settings, terminal
from digitre.recognition import baselines
from digitre.recognition.classifier import Classifier, Reading
from digitre.recognition.preprocessing import PictureError, steps, to_png

SUFFIXES = {".png", ".jpg", ".jpeg", ".webp"}  # what a folder is searched for
MANY = 64  # files from which on it pays to start a process for each core
CHUNK = 32  # files that a process gets at a time
OURS = "digitre"
NETWORKS = (OURS, *baselines.DEMOS)
COLUMNS = ("file", "result", "digit", "confidence", "not_a_digit", "reason", "error")


@dataclass(frozen=True)
class Outcome:
    """What came of one file."""

    file: str
    reading: Reading | None
    error: str = ""

    def row(self) -> dict[str, object]:
        """As a line of JSON or CSV."""
        reading = self.reading
        if reading is None:
            return dict.fromkeys(COLUMNS) | {"file": self.file, "error": self.error}
        return {
            "file": self.file,
            "result": reading.result,
            "digit": reading.digit,
            "confidence": round(reading.confidence, 6),
            "not_a_digit": round(reading.not_a_digit, 6),
            "reason": reading.reason,
            "error": None,
        }


# Ours by its name is ours by none.
network_option = click.option(
    "--network",
    metavar="NAME",
    callback=lambda _, __, name: None if name == OURS else name,
    shell_complete=lambda _, __, begun: [each for each in NETWORKS if each.startswith(begun)],
    help="A published demo's network instead of ours: see digitre compare.",
)


@click.command()
@click.argument(
    "files", nargs=-1, required=True, metavar="FILE...", type=click.Path(allow_dash=True)
)
@click.option(
    "--threshold",
    type=click.FloatRange(0, 1),
    default=lambda: settings()["THRESHOLD"],
    show_default="DIGITRE_THRESHOLD, else 0.6",
    help='Below this confidence the answer is "Huh...".',
)
@click.option("--json", "form", flag_value="json", help="A line of JSON for each picture.")
@click.option("--csv", "form", flag_value="csv", help="A table as CSV.")
@click.option("--show", is_flag=True, help="Draw the 28 x 28 pixels that the network sees.")
@click.option(
    "--steps",
    "steps_folder",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Write each step of the preprocessing as a PNG.",
)
@click.option(
    "--plot",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Draw the picture beside its bars (needs matplotlib: pip install 'digitre[plot]').",
)
@network_option
def read(
    files: tuple[str, ...],
    threshold: float,
    form: str | None,
    show: bool,
    steps_folder: Path | None,
    plot: Path | None,
    network: str | None,
) -> None:
    """Read pictures: PNG, JPEG or WebP, or a text file with a data URL or base64.

    FILE may be - for standard input, or a folder, which is searched for pictures. The exit status
    is 1 where a picture could not be read.

    Example: digitre read seven.png
    """
    if math.isnan(threshold):
        raise click.BadParameter("it must lie from 0 to 1", param_hint="--threshold")
    found = list(_found(files))
    if not found:
        raise click.UsageError("there are no pictures in what was named")
    if (show or steps_folder or plot) and len(found) > 1:
        raise click.UsageError("--show, --steps and --plot take one picture")
    if steps_folder and network:
        raise click.UsageError("--steps shows Digitre's own preprocessing: leave --network out")
    if plot:
        _plot_is_possible()
    network_named(network)  # what is wrong with it is said before anything is read
    reader = functools.partial(_read, threshold=threshold, network=network)
    if len(found) == 1:
        content = _content(found[0])
        outcome = reader(found[0], content=content)
        _print([outcome], form or "sentence")
        if outcome.reading is not None and not isinstance(content, OSError):
            pixels = network_named(network).preprocess(content)[0, :, :, 0]
            _look(content, pixels, outcome.reading, show, steps_folder, plot)
        failed = outcome.reading is None
    else:
        failed = _print(_outcomes(found, reader), form or "table")
    if failed:
        raise SystemExit(1)


def _found(files: tuple[str, ...]) -> Iterator[str]:
    for name in files:
        if name != "-" and Path(name).is_dir():
            inside = sorted(Path(name).rglob("*"))
            wanted = (file for file in inside if file.suffix.lower() in SUFFIXES)
            yield from (str(file) for file in wanted if not file.is_dir())
        else:
            yield name


def _content(name: str) -> bytes | str | OSError:
    """A picture's bytes, or the text of a data URL or base64."""
    try:
        content = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    except OSError as error:
        return error
    return content.decode() if content.isascii() else content  # no picture is all ASCII


@functools.cache
def network_named(network: str | None) -> Classifier:
    """The reader of this process.

    Raises:
        click.ClickException: where there is no such network.
    """
    from digitre import registry

    if network is not None and network not in baselines.DEMOS:
        raise click.UsageError(f"there is no {network}: choose from {', '.join(NETWORKS)}")
    try:
        if network is not None:
            found: Classifier = baselines.DemoClassifier(network)
        else:
            found = Classifier(registry.network_file(settings()))
        with terminal.silenced():
            found.runner()
    except FileNotFoundError as error:
        train = f"; digitre train --network {network} makes it" if network else ""
        raise click.ClickException(f"{error}{train}") from None
    except (ValueError, OSError) as error:
        raise click.ClickException(str(error)) from None
    return found


def _read(
    name: str,
    *,
    threshold: float,
    network: str | None,
    content: bytes | str | OSError | None = None,
) -> Outcome:
    content = _content(name) if content is None else content
    if isinstance(content, OSError):
        return Outcome(name, None, content.strerror or str(content))
    try:
        return Outcome(name, network_named(network).read(content, threshold))
    except PictureError as error:
        return Outcome(name, None, str(error))


def _outcomes(found: list[str], reader: functools.partial) -> Iterator[Outcome]:
    """What comes of each file, in their order; of many at once on all cores, few in memory."""
    if len(found) < MANY:
        yield from map(reader, found)
        return
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    names = iter(found)
    with (
        ProcessPoolExecutor(cores) as processes,
        click.progressbar(length=len(found), label="reading", file=_beside_rows()) as bar,
    ):
        # A window of files at a time: what was read is printed before the next are asked for.
        while window := list(islice(names, CHUNK * 8 * (cores or 1))):
            # Standard input is this process's alone.
            files = [name for name in window if name != "-"]
            outcomes = processes.map(reader, files, chunksize=CHUNK)
            for name in window:
                yield reader(name) if name == "-" else next(outcomes)
            bar.update(len(window))


def _beside_rows() -> TextIO:
    """Where a progress bar goes: nowhere where the rows come to the same terminal."""
    return io.StringIO() if sys.stdout.isatty() else sys.stderr


def _print(outcomes, form: str) -> bool:
    """Print what came of the files; whether any could not be read."""
    failed = False
    table = csv.DictWriter(sys.stdout, COLUMNS) if form == "csv" else None
    if table:
        table.writeheader()
    for outcome in outcomes:
        if outcome.reading is None:
            failed = True
            click.echo(f"{outcome.file}: {outcome.error}", err=True)
        if table:
            table.writerow(outcome.row())
        elif form == "json":
            click.echo(json.dumps(outcome.row()))
        elif outcome.reading is not None:
            said = outcome.reading
            if form == "sentence":
                click.echo(sentence(said))
            else:
                click.echo(f"{said.result:6}  {100 * said.confidence:5.1f}%  {outcome.file}")
    return failed


def sentence(reading: Reading) -> str:
    """The answer for one picture."""
    if reading.digit is None:
        return f"{reading.result} {reading.probability}"
    return f"The number is probably a {reading.result} {reading.probability}"


def _look(
    content: bytes | str,
    pixels: np.ndarray,
    reading: Reading,
    show: bool,
    folder: Path | None,
    plot: Path | None,
) -> None:
    """What may be asked for beside the answer, of one picture."""
    if show:
        click.echo(terminal.blocks(pixels))
    try:
        if folder:
            folder.mkdir(parents=True, exist_ok=True)
            for number, (name, picture) in enumerate(steps(content), 1):
                (folder / f"{number}-{name}.png").write_bytes(to_png(picture))
        if plot:
            _plot(pixels, reading, plot)
    except (OSError, ValueError) as error:
        raise click.ClickException(str(error)) from None


def _plot_is_possible() -> None:
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        raise click.ClickException("--plot needs matplotlib: pip install 'digitre[plot]'") from None


def _plot(pixels, reading: Reading, file: Path) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 3), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=[1, 1.6])
    left.imshow(pixels, cmap="gray_r", vmin=0, vmax=1)
    left.set_axis_off()
    names = [*map(str, range(10)), "none"]
    best = reading.digit
    colours = ["tab:blue" if name == str(best) else "silver" for name in names]
    right.bar(names, [*reading.probabilities, reading.not_a_digit], color=colours)
    right.set_ylim(0, 1)
    right.set_ylabel("probability")
    figure.suptitle(sentence(reading))
    figure.savefig(file)
