"""`digitre read`: read images from files, folders or a pipe."""

from __future__ import annotations

import functools
import math
import time
from collections.abc import Iterator
from pathlib import Path

import click
import numpy as np

from digitre.cli import settings, terminal
from digitre.cli.outcomes import (
    NETWORKS,
    OWN,
    Outcome,
    network_named,
    outcome_of,
    read_and_print,
    sentence,
)
from digitre.recognition import baselines
from digitre.recognition.classifier import Reading
from digitre.recognition.found import Detection
from digitre.recognition.number_reading import MOST_DIGITS
from digitre.recognition.preprocessing import found_steps, to_png

# Of the images in a folder.
SUFFIXES = {".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".avif"}


threshold_option = click.option(
    "--threshold",
    type=click.FloatRange(0, 1),
    default=lambda: settings()["THRESHOLD"],
    show_default="DIGITRE_THRESHOLD, else 0.6",
    help='Minimum confidence: below it the answer is "Huh...".',
)
# Naming Digitre's own network is the same as naming none.
network_option = click.option(
    "--network",
    metavar="NAME",
    callback=lambda _, __, name: None if name == OWN else name,
    shell_complete=lambda _, __, begun: [each for each in NETWORKS if each.startswith(begun)],
    help=f"Use a published demo's network: {', '.join(baselines.DEMOS)}.",
)


@click.command()
@click.argument(
    "files", nargs=-1, required=True, metavar="FILE...", type=click.Path(allow_dash=True)
)
@threshold_option
@click.option("--json", "as_json", is_flag=True, help="Print one line of JSON per image.")
@click.option("--csv", "as_csv", is_flag=True, help="Print a table as CSV.")
@click.option("--show", is_flag=True, help="Draw what the network sees; with --number, the boxes.")
@click.option(
    "--steps",
    "steps_folder",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Write each preprocessing step to DIR as a PNG.",
)
@click.option(
    "--plot",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Plot the image and its probabilities (needs the extra plot).",
)
@click.option("--number", is_flag=True, help="Read a number of several digits.")
@click.option(
    "--length",
    type=click.IntRange(1, MOST_DIGITS),
    metavar="N",
    help="With --number: how many digits it has, if you know it.",
)
@click.option("--signs", is_flag=True, help="With --number: it may have - . , and /.")
@click.option("--lines", is_flag=True, help="With --number: it may have several lines.")
@network_option
def read(
    files: tuple[str, ...],
    threshold: float,
    as_json: bool,
    as_csv: bool,
    show: bool,
    steps_folder: Path | None,
    plot: Path | None,
    number: bool,
    length: int | None,
    signs: bool,
    lines: bool,
    network: str | None,
) -> None:
    """Read images: PNG, JPEG, WebP, GIF, BMP, TIFF or AVIF, or a text file with a data URL or base64.

    FILE may be - for standard input, or a folder, which is searched for images. The exit status is 1
    if an image could not be read.

    Example: digitre read seven.png
    """
    if math.isnan(threshold):
        raise click.BadParameter("it must be between 0 and 1", param_hint="--threshold")
    if as_json and as_csv:
        raise click.UsageError("--json and --csv cannot be combined")
    if number and (steps_folder or network):
        raise click.UsageError("--number cannot be combined with --steps or --network")
    if not number and (length or signs or lines):
        raise click.UsageError("--length, --signs and --lines need --number")
    if steps_folder and network:
        raise click.UsageError("--steps shows Digitre's own preprocessing: leave out --network")
    names = list(_expand(files))
    if not names:
        raise click.UsageError("there are no images in these folders")
    if (show or steps_folder or plot) and len(names) > 1:
        raise click.UsageError("--show, --steps and --plot take one image")
    if plot:
        _require_matplotlib()
    classifier = network_named(network)  # report a missing network before anything is read
    terminal.detail(f"network {classifier.model} in {classifier.path}; threshold {threshold}")
    began = time.monotonic()
    form = "json" if as_json else "csv" if as_csv else None
    if number:
        from digitre.cli.numbers import read_numbers  # it needs SciPy, which is slow to import

        options = {"length": length, "signs": signs, "lines": lines, "threshold": threshold}
        failed = read_numbers(names, form, options, show=show, plot=plot)
    else:
        reader = functools.partial(_read, threshold=threshold, network=network)
        failed = _read_digits(names, reader, form, show, steps_folder, plot)
    seconds = time.monotonic() - began
    terminal.detail(f"{len(names)} read in {seconds:.2f} s")
    if failed:
        raise SystemExit(1)


def _read_digits(
    names: list[str],
    reader: functools.partial,
    form: str | None,
    show: bool,
    steps_folder: Path | None,
    plot: Path | None,
) -> bool:
    """Read digits and print them. Returns whether a file could not be read."""
    failed, reading, content = read_and_print(names, reader, form)
    if reading is not None:
        classifier = network_named(reader.keywords["network"])
        found = classifier.detect(content) if show or plot or steps_folder else None
        if found is not None:
            _show(found.pixels, reading, show, plot)
        if found is not None and steps_folder:
            _write_steps(found, steps_folder)
    return failed


def _expand(files: tuple[str, ...]) -> Iterator[str]:
    """The files, with each folder replaced by the images in it."""
    for name in files:
        if name != "-" and Path(name).is_dir():
            for file in sorted(Path(name).rglob("*")):
                if file.suffix.lower() in SUFFIXES and not file.is_dir():
                    yield str(file)
        else:
            yield name


def _read(
    name: str, *, threshold: float, network: str | None, content: bytes | OSError | None = None
) -> Outcome:
    return outcome_of(
        Outcome, name, content, lambda data: network_named(network).read_content(data, threshold)
    )


def _show(pixels: np.ndarray, reading: Reading, show: bool, plot: Path | None) -> None:
    """Draw what the network sees in the terminal, and plot it with its reading to a file."""
    if show:
        click.echo(terminal.blocks(pixels))
    if plot:
        try:
            _plot(pixels, reading, plot)
        except (OSError, ValueError) as error:
            raise click.ClickException(str(error)) from None


def _write_steps(found: Detection, folder: Path) -> None:
    """Write each preprocessing step of an image to a folder."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for number, (name, pixels) in enumerate(found_steps(found), 1):
            (folder / f"{number}-{name}.png").write_bytes(to_png(pixels))
    except OSError as error:
        raise click.ClickException(str(error)) from None


def _require_matplotlib() -> None:
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        hint = terminal.how_to_install("plot")
        raise click.ClickException(f"--plot needs matplotlib: {hint}") from None


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
