"""`digitre evaluate`: measure the network."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path

import click

from digitre.cli import training


@click.command()
@training.folder_option
@training.target_option
@click.option(
    "--scenes",
    type=click.IntRange(0),
    help="Pictures of each scene.  [default: 200 for the network in models/, else 0]",
)
@training.json_option
def evaluate(
    folder: Path | None, target_accuracy: float | None, scenes: int | None, as_json: bool
) -> None:
    """Measure the network, and compare it with its targets.

    With scenes it takes about 20 minutes on two cores, without them 3.

    Example: digitre evaluate --scenes 0 --target-accuracy 99.3
    """
    training.start()
    from digitre.training.evaluation import report
    from digitre.training.evaluation.scenes.figures import PICTURES

    classifier = training.network_in(folder)
    if scenes is None:
        scenes = 0 if folder else PICTURES
    # Keras prints the progress of a download to standard output, which is for results.
    with training.reported_errors(), contextlib.redirect_stdout(sys.stderr):
        figures = report.evaluate(classifier, scenes)
    training.show(figures, as_json, target_accuracy)
