"""`digitre baseline`: train the network of a published demo."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from digitre import files
from digitre.cli import training
from digitre.recognition import baselines
from digitre.recognition.card import Baseline, Card


@click.command()
@click.argument("name", type=click.Choice(list(baselines.DEMOS)))
@training.epochs_option("the demo's")
@training.seed_option
@training.share_option
@click.option(
    "--output",
    type=training.FOLDER,
    help="Folder for the network.  [default: models/demos/; training/demos/ for a trial]",
)
@training.work_option
@training.target_option
@training.json_option
def baseline(
    name: str,
    epochs: int | None,
    seed: int | None,
    share: float | None,
    output: Path | None,
    work: Path,
    target_accuracy: float | None,
    as_json: bool,
) -> None:
    """Train the network of a published demo by its own recipe, on MNIST.

    Example: digitre baseline mlp-256
    """
    training.start()
    from digitre.training import baselines as demos
    from digitre.training.evaluation import report

    is_trial = epochs is not None or share is not None
    folder = output or (work / "demos" if is_trial else baselines.FOLDER)
    with training.reported_errors(), files.locked(work, wait=False):
        card = demos.train(
            name, folder, epochs=epochs, share=share or 1.0, seed=1 if seed is None else seed
        )
    outcome = card.baseline
    assert outcome is not None
    if as_json:
        click.echo(json.dumps(_to_json(card, outcome), indent=1))
    else:
        click.echo(report.as_text(card.figures))
    for when, row in (("before", outcome.before), ("after", outcome.after)):
        loss, accuracy = row["loss"], 100 * row["accuracy"]
        click.echo(f"{when} training: loss {loss:.4f}, accuracy {accuracy:.2f} %", err=True)
    click.echo(f"published: {outcome.published} %; written to {folder}", err=True)
    training.check_accuracy(card.figures.value("mnist_test_own", "accuracy"), target_accuracy)


def _to_json(card: Card, outcome: Baseline) -> dict[str, Any]:
    """The card in the form that scripts read: with its figures by title."""
    more = {
        "parameters": card.parameters,
        "layers": [asdict(layer) for layer in card.layers],
        "history": card.history,
        "figures": card.figures.to_schema_1(),
    }
    return {"model": card.model} | asdict(outcome) | more
