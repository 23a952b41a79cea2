"""`digitre explore`: a report with pictures."""

from __future__ import annotations

from pathlib import Path

import click

from digitre.cli.read import network_named, network_option
from digitre.recognition import baselines


@click.command()
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    default="digitre-report.html",
    show_default=True,
    help="The HTML file.",
)
@network_option
def explore(output: Path, network: str | None) -> None:
    """Write a report: samples and balance of the data, and of a network its layers, learning
    curves, mistakes, reliability, filters and feature maps. Needs the extra train, and the data.

    Example: digitre explore --output report.html
    """
    try:
        import matplotlib  # noqa: F401

        from digitre.training.reporting import explore as report
    except ImportError as error:
        raise click.ClickException(f"{error}: pip install 'digitre[train]'") from None
    classifier = network_named(network)
    card = baselines.card(network) if network else classifier.card()
    try:
        report.write(classifier, card or {}, output)
    except (OSError, ValueError) as error:
        raise click.ClickException(str(error)) from None
    click.echo(f"{output} is written: open it in a browser")
