"""`digitre retrain`: learn from saved drawings."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from digitre import config, files, registry
from digitre.cli import settings, terminal, training
from digitre.recognition.card import Card
from digitre.recognition.classifier import Classifier


@click.command()
@training.settings_options("14; 2 with --finetune", "0.002; 0.0001 with --finetune")
@training.resume_option
@click.option("--finetune", is_flag=True, help="Start from the network that is served.")
@click.option("--brief", is_flag=True, help="Do not measure the test sets.")
@training.weights_option
@training.work_option
@training.json_option
def retrain(
    chosen: dict[str, Any],
    resume: bool,
    finetune: bool,
    brief: bool,
    weights: str,
    work: Path,
    as_json: bool,
) -> None:
    """Train with the accepted drawings, and promote the network if it passes its gates.

    The gates compare it with the network that is served. If one fails, the network is kept but not
    promoted, and the exit status is 1. Running servers use a promoted network after the next reload.

    Example: digitre retrain --finetune --brief
    """
    training.check_installed()
    from digitre.drawings.collection import Drawings, UnavailableError
    from digitre.training.data import saved

    server = settings()
    # The second lock: two trainings with different work folders must not promote at the same time.
    with (
        training.reported_errors(),
        files.locked(work, wait=False),
        files.locked(config.instance_folder(server), wait=False),
    ):
        try:
            drawings = saved.load(Drawings(config.database_url(server)))
        except UnavailableError as error:
            raise click.ClickException(f"Cannot open the drawings database: {error}") from None
        # TensorFlow loads for seconds: what is missing is said before.
        if not len(drawings):
            raise ValueError("there are no accepted drawings to learn")
        training.start()
        from digitre.training import fit
        from digitre.training import retrain as retraining

        defaults = retraining.FINETUNE if finetune else {}
        card = retraining.retrain(
            fit.Settings(**(defaults | chosen)),
            drawings,
            registry.from_settings(server),
            Classifier(registry.network_file(server)),
            work,
            finetune=finetune,
            brief=brief,
            resume=resume,
            eight_bits=weights == "eight-bits",
        )
    _report(card, as_json)


def _report(card: Card, as_json: bool) -> None:
    """Print the gates and the outcome; exit with 1 if the network is not promoted."""
    from digitre.training.evaluation import gates

    verdict = card.verdict
    assert verdict is not None
    if as_json:
        click.echo(json.dumps({"model": card.model} | asdict(verdict), indent=1))
    else:
        click.echo(gates.as_text(verdict.gates))
    outcome = (
        "promoted: it is served after the next reload" if verdict.passed else "kept, not promoted"
    )
    terminal.note(f"{card.model} is {outcome}")
    if not verdict.passed:
        raise SystemExit(1)
