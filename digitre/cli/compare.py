"""`digitre compare`: Digitre's network and the published demos' networks in one table."""

from __future__ import annotations

import json
import time
from typing import Any

import click
import numpy as np

from digitre.cli import terminal
from digitre.recognition.baselines import DEMOS, FOLDER, DemoClassifier
from digitre.recognition.card import Card
from digitre.recognition.classifier import Classifier

ROUNDS, READINGS = 5, 100
COLUMNS = {
    "network": "network",
    "parameters": "parameters",
    "kilobytes": "KB",
    "training_seconds": "training, s",
    "published": "MNIST, published",
    "mnist": "MNIST",
    "drawn_own": "drawn, own way",
    "drawn_today": "drawn, today's way",
    "digits_refused": "digits refused",
    "letters_refused": "letters refused",
    "microseconds": "µs per image",
}

Row = dict[str, Any]


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print the table as JSON.")
def compare(as_json: bool) -> None:
    """Compare the networks of the published demos with Digitre's own, in one table.

    The accuracies (in per cent) come from the networks' cards. "Drawn" are digits by people whose
    drawings no network was trained on. Each demo's network reads them in its own way (the demo's own
    preprocessing) and in today's way. An answer below 60 % is "refused". Only the time is measured
    when you run this.

    Example: digitre compare
    """
    trained = [name for name in DEMOS if (FOLDER / f"{name}.tflite").exists()]
    for name in DEMOS:
        if name not in trained:
            terminal.note(f"{name} is not trained yet: run {terminal.program()} baseline {name}")
    rows = [*(_describe_demo(DemoClassifier(name), name) for name in trained), _describe_own()]
    if as_json:
        click.echo(json.dumps(rows, indent=1))
    else:
        _echo_table(
            [list(COLUMNS.values()), *([_cell(row[key]) for key in COLUMNS] for row in rows)]
        )


def _echo_table(lines: list[list[str]]) -> None:
    """Print a table: the first column aligned to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for first, *others in lines:
        cells = (f"{cell:>{width}}" for cell, width in zip(others, widths[1:], strict=True))
        click.echo("  ".join([f"{first:{widths[0]}}", *cells]))


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.2f}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def _describe_demo(network: DemoClassifier, name: str) -> Row:
    card = network.card() or Card(network.model)
    return {
        "network": name,
        "parameters": card.parameters or None,
        "kilobytes": _kilobytes(network),
        "training_seconds": round(card.baseline.seconds) if card.baseline else 0,
        "published": card.baseline.published if card.baseline else None,
        "mnist": card.figures.value("mnist_test_own", "accuracy"),
        "drawn_own": card.figures.value("drawn_own", "accuracy"),
        "drawn_today": card.figures.value("drawn_today", "accuracy"),
        "digits_refused": card.figures.value("drawn_own", "refused"),
        "letters_refused": card.figures.value("others_own", "refused"),
        "microseconds": _measure_time(network),
    }


def _describe_own() -> Row:
    network = Classifier()
    card = network.card() or Card(network.model)
    drawn = card.figures.value("drawn_test", "accuracy")  # today's preprocessing is its own
    return {
        "network": network.model,
        "parameters": card.parameters or None,
        "kilobytes": _kilobytes(network),
        "training_seconds": round(sum(row.get("seconds", 0) for row in card.history)),
        "published": None,
        "mnist": card.figures.value("mnist_test", "accuracy"),
        "drawn_own": drawn,
        "drawn_today": drawn,
        "digits_refused": card.figures.value("drawn_test", "refused"),
        "letters_refused": card.figures.value("others_test", "refused"),
        "microseconds": _measure_time(network),
    }


def _kilobytes(network: Classifier) -> int:
    return round(network.path.stat().st_size / 1000)


def _measure_time(network: Classifier) -> int:
    """Microseconds per picture in LiteRT: the mean of a round, the best of several rounds."""
    run = network.runner()
    picture = np.random.default_rng(0).random((1, 28, 28, 1), np.float32)
    best = float("inf")
    for _ in range(ROUNDS):
        started = time.perf_counter()
        for _ in range(READINGS):
            run(picture)
        best = min(best, (time.perf_counter() - started) / READINGS)
    return round(1e6 * best)
