"""`digitre teacher`: train the network that the shipped one learns from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from digitre.cli import training


@click.command()
@training.settings_options("10", "0.002")
@training.resume_option
@click.option(
    "--output",
    type=training.FOLDER,
    help="Folder for teacher.keras.  [default: models/; training/ for a trial]",
)
@training.work_option
@training.json_option
def teacher(
    chosen: dict[str, Any], resume: bool, output: Path | None, work: Path, as_json: bool
) -> None:
    """Train the teacher: a larger network, too slow to serve, that the shipped one learns from.

    Example: digitre teacher --share 0.1 --epochs 2
    """
    training.start()
    from digitre.training import fit, shipped

    with training.reported_errors():
        settings = fit.Settings(**(shipped.TEACHER | chosen))
        row = shipped.train_teacher(settings, work, output, resume=resume)
    click.echo(json.dumps(row, indent=1) if as_json else fit.describe(row))
