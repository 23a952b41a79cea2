"""`digitre explore`: a report about the data and a network, with pictures."""

from __future__ import annotations

from pathlib import Path

import click

from digitre.cli import terminal
from digitre.cli.read import network_named, network_option
from digitre.recognition.card import Card


@click.command()
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    default="digitre-report.html",
    show_default=True,
    help="Write the report to this HTML file.",
)
@network_option
def explore(output: Path, network: str | None) -> None:
    """Write an HTML report with pictures.

    It shows samples and the balance of the data; and of a network its layers, learning curves,
    mistakes, reliability, filters and feature maps. It needs digitre[train] and the datasets.

    Example: digitre explore --output report.html
    """
    try:
        import matplotlib  # noqa: F401

        from digitre.training.reporting import explore as report
    except ImportError as error:
        raise click.ClickException(f"{error}: {terminal.how_to_install('train')}") from None
    classifier = network_named(network)
    try:
        report.write(classifier, classifier.card() or Card(classifier.model), output)
    except (OSError, ValueError) as error:
        raise click.ClickException(str(error)) from None
    click.echo(f"the report is in {output}: open it in a browser")
