"""`digitre train`: train the network that Digitre serves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from digitre.cli import training


@click.command()
@training.settings_options("14; 4 with --finetune", "0.002; 0.0006 with --finetune")
@training.resume_option
@click.option("--finetune", is_flag=True, help="Start from the shipped network.")
@click.option(
    "--learn-from",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    multiple=True,
    help="A further network to learn from, a Keras file. Can be given several times.",
)
@click.option(
    "--images",
    type=training.FOLDER,
    help="Also learn the images in a folder, sorted into folders named 0 to 9.",
)
@click.option(
    "--output",
    type=training.FOLDER,
    help="Folder for the network.  [default: models/; training/ for a trial]",
)
@training.weights_option
@training.work_option
@click.option(
    "--cluster",
    type=(str, click.IntRange(1), click.IntRange(0)),
    metavar="HOST:PORT PROCESSES INDEX",
    help="Train with several processes, on JAX. The first one has index 0 and the address.",
)
@training.target_option
@training.json_option
def train(
    chosen: dict[str, Any],
    resume: bool,
    finetune: bool,
    learn_from: tuple[Path, ...],
    images: Path | None,
    output: Path | None,
    weights: str,
    work: Path,
    cluster: tuple[str, int, int] | None,
    target_accuracy: float | None,
    as_json: bool,
) -> None:
    """Train the network that Digitre serves, measure it, and write it with its card.

    DIGITRE_DATA names the folder with the data. A short training, or one with other data, never
    replaces the network in models/.

    As options of train.py, other commands work too: --evaluate, --report, --page, --teacher,
    --network NAME (digitre baseline) and --drawings (digitre retrain).

    Example: digitre train --share 0.1 --epochs 3
    """
    if finetune and cluster:
        raise click.UsageError("--finetune works in one process only, without --cluster")
    if learn_from and cluster:
        raise click.UsageError("--learn-from works in one process only, without --cluster")
    training.start()
    from digitre.training import fit, shipped
    from digitre.training.distributed import Cluster

    defaults = shipped.FINETUNE if finetune else {}
    if images:
        chosen["images"] = str(images.resolve())
    with training.reported_errors():
        figures = shipped.train(
            fit.Settings(**(defaults | chosen)),
            work,
            output,
            finetune=finetune,
            learn_from=learn_from,
            resume=resume,
            cluster=Cluster(*cluster) if cluster else None,
            eight_bits=weights == "eight-bits",
        )
    if figures is None:
        click.echo("this process has done its part")
    else:
        training.show(figures, as_json, target_accuracy)
