"""What the commands of training share: options, errors, and the table of figures.

TensorFlow is imported when a command runs, so that `--help` works without it.
"""

from __future__ import annotations

import importlib.util
import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING

import click

from digitre.cli import terminal

if TYPE_CHECKING:
    from digitre.recognition.card import Figures
    from digitre.recognition.classifier import Classifier

FOLDER = click.Path(path_type=Path, file_okay=False)

seed_option = click.option("--seed", type=int, help="Start of all random numbers.  [default: 1]")
share_option = click.option(
    "--share",
    type=click.FloatRange(0, 1, min_open=True),
    help="Use only this part of each epoch's data, for a short trial.",
)
resume_option = click.option("--resume", is_flag=True, help="Continue a stopped training.")
work_option = click.option(
    "--work",
    type=FOLDER,
    default=lambda: Path("training").resolve(),
    help="Folder for the state of the training.  [default: training/]",
)
weights_option = click.option(
    "--weights",
    type=click.Choice(["eight-bits", "float32"]),
    default="eight-bits",
    help="Of the served file. Eight bits, in the full connections, if the answers stay the same.  "
    "[default: eight-bits]",
)
folder_option = click.option(
    "--folder", "--output", type=FOLDER, help="Folder with the network.  [default: models/]"
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
target_option = click.option(
    "--target-accuracy",
    type=float,
    metavar="PERCENT",
    help="Exit with 1 if the accuracy on MNIST's test set is lower.",
)


def epochs_option(default: str) -> Callable:
    """The option for the number of epochs, with its default in words."""
    return click.option(
        "--epochs", type=click.IntRange(1), help=f"Passes over the data.  [default: {default}]"
    )


def settings_options(epochs: str, learning_rate: str) -> Callable:
    """The options for `fit.Settings`. The command gets the ones that the user gave as `chosen`.

    Args:
        epochs, learning_rate: their defaults in words.
    """
    options = (
        epochs_option(epochs),
        click.option("--batch", type=click.IntRange(1), help="Pictures per step.  [default: 128]"),
        click.option(
            "--learning-rate",
            type=click.FloatRange(0, min_open=True),
            help=f"Peak learning rate.  [default: {learning_rate}]",
        ),
        seed_option,
        share_option,
    )

    def add(command: Callable) -> Callable:
        @wraps(command)
        def with_settings(epochs, batch, learning_rate, seed, share, **more):
            values = {
                "epochs": epochs,
                "batch": batch,
                "learning_rate": learning_rate,
                "seed": seed,
                "share": share,
            }
            chosen = {name: value for name, value in values.items() if value is not None}
            return command(chosen=chosen, **more)

        result: Callable = with_settings
        for option in reversed(options):
            result = option(result)
        return result

    return add


def check_installed() -> None:
    """Raise click.ClickException if TensorFlow is not installed. It does not load it."""
    if importlib.util.find_spec("keras") is None:
        hint = terminal.how_to_install("train")
        raise click.ClickException(f"this command needs TensorFlow: {hint}")


def start() -> None:
    """Begin a command that needs TensorFlow: check that it is installed, and name missing data.

    Raises:
        click.ClickException: if it is not installed.
    """
    check_installed()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    from digitre.training.data import datasets

    for line in datasets.missing():
        terminal.note(f"missing: {line}")


@contextmanager
def reported_errors() -> Iterator[None]:
    """What ends a training becomes one line, and exit status 1."""
    from digitre import files

    try:
        yield
    except KeyboardInterrupt as error:
        click.echo(f"\nstopped; {error}" if str(error) else "\nstopped", err=True)
        sys.exit(1)
    except (ValueError, OSError, files.BusyError) as error:
        raise click.ClickException(str(error)) from None


def show(figures: Figures, as_json: bool, target_accuracy: float | None) -> None:
    """Print the figures with their targets. Exits with 1 if the target accuracy is missed."""
    from digitre.training.evaluation import report, targets

    if as_json:
        click.echo(json.dumps(targets.as_json(figures), indent=1))
    else:
        click.echo(f"{report.as_text(figures)}\n\n{targets.as_text(figures)}")
    check_accuracy(figures.value("mnist_test", "accuracy"), target_accuracy)


def check_accuracy(accuracy: float | None, target: float | None) -> None:
    """Exit with 1 if the accuracy on MNIST's test set, in per cent, is below the target."""
    if target is not None and (accuracy is None or accuracy < target):
        measured = "not measured" if accuracy is None else f"{accuracy:.2f} %"
        raise click.ClickException(f"MNIST test: {measured}, below {target} %")


def network_in(folder: Path | None) -> Classifier:
    """The network in a folder, or in models/. Raises click.ClickException if there is none."""
    from digitre.recognition.classifier import Classifier

    try:
        return Classifier(folder / "digitre.tflite" if folder else None)
    except (OSError, ValueError) as error:
        raise click.ClickException(str(error)) from None
