"""`digitre report`: measure the network again, and write its card and report."""

from __future__ import annotations

from pathlib import Path

import click

from digitre.cli import training


@click.command()
@training.folder_option
@click.option("--page", is_flag=True, help="Only regenerate docs/model.md from the card.")
@training.target_option
@training.json_option
def report(folder: Path | None, page: bool, target_accuracy: float | None, as_json: bool) -> None:
    """Measure the network again, write its card, and draw its curves and mistakes to report/.

    For the network in models/, docs/model.md is regenerated too.

    Example: digitre report
    """
    if page:
        from digitre.training.reporting.card import write_page

        with training.reported_errors():
            write_page()
        return
    training.start()
    from digitre.training.reporting.card import write_report

    classifier = training.network_in(folder)
    with training.reported_errors():
        figures = write_report(classifier, classifier.path.parent)
    training.show(figures, as_json, target_accuracy)
