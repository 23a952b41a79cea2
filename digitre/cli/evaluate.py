"""`digitre evaluate`: measure the network."""

from __future__ import annotations

from pathlib import Path

import click

from digitre.cli import training


@click.command()
@training.folder_option
@training.target_option
@training.json_option
def evaluate(folder: Path | None, target_accuracy: float | None, as_json: bool) -> None:
    """Measure the network, and compare it with its targets.

    Example: digitre evaluate --target-accuracy 99.3
    """
    training.start()
    from digitre.training.evaluation import report

    classifier = training.network_in(folder)
    training.show(report.evaluate(classifier), as_json, target_accuracy)
