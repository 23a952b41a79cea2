"""`digitre compare`: the published demos' networks beside ours."""

from __future__ import annotations

import json
import time
from typing import Any

import click
import numpy as np

from digitre.recognition.baselines import DEMOS, FOLDER, DemoClassifier, card
from digitre.recognition.classifier import Classifier

ROUNDS, READINGS = 5, 100
TODAY, OWN = "today's preprocessing", "its own preprocessing"
TITLES = {
    "network": "network",
    "parameters": "parameters",
    "kilobytes": "KB",
    "training_seconds": "trained in s",
    "published": "MNIST published",
    "mnist": "MNIST",
    "drawn_own": "drawn, own way",
    "drawn_today": "drawn, today's way",
    "digits_refused": "digits refused",
    "letters_refused": "letters refused",
    "microseconds": "µs a picture",
}


@click.command()
@click.option("--json", "as_json", is_flag=True, help="The table as JSON.")
def compare(as_json: bool) -> None:
    """The published demos' networks and ours in one table, from what was kept of their trainings.

    Drawn digits are those of writers whom no training has seen, each network reading them through
    its own demo's preprocessing, and through today's. Refused is an answer under 60 %. Only the
    time is measured now.

    Example: digitre compare
    """
    rows = [_demo(name) for name in DEMOS if (FOLDER / f"{name}.tflite").exists()]
    for name in DEMOS.keys() - {row["network"] for row in rows}:
        click.echo(f"{name} is not trained yet: digitre train --network {name}", err=True)
    rows.append(_ours())
    if as_json:
        click.echo(json.dumps(rows, indent=1))
        return
    table = [list(TITLES.values())] + [[_cell(row[key]) for key in TITLES] for row in rows]
    widths = [max(len(line[k]) for line in table) for k in range(len(TITLES))]
    for line in table:
        first = f"{line[0]:{widths[0]}}"
        rest = (f"{cell:>{width}}" for cell, width in zip(line[1:], widths[1:], strict=True))
        click.echo("  ".join([first, *rest]))


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.2f}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def _demo(name: str) -> dict[str, Any]:
    described, network = card(name), DemoClassifier(name)
    figures = described.get("figures", {})

    def figure(title: str, what: str) -> float | None:
        return figures.get(title, {}).get(what)

    return {
        "network": name,
        "parameters": described.get("parameters"),
        "kilobytes": round(network.path.stat().st_size / 1000),
        "training_seconds": round(described.get("seconds", 0)),
        "published": described.get("published"),
        "mnist": figure("MNIST test", "right"),
        "drawn_own": figure(f"drawn, {OWN}", "right"),
        "drawn_today": figure(f"drawn, {TODAY}", "right"),
        "digits_refused": figure(f"drawn, {OWN}", "refused"),
        "letters_refused": figure(f"letters, {OWN}", "refused"),
        "microseconds": _time(network),
    }


def _ours() -> dict[str, Any]:
    network = Classifier()
    described = network.card() or {}
    figures = described.get("figures", {})
    drawn = figures.get("drawn by test writers, central", {})
    return {
        "network": network.model,
        "parameters": sum(layer["parameters"] for layer in described.get("layers", [])) or None,
        "kilobytes": round(network.path.stat().st_size / 1000),
        "training_seconds": round(sum(row["seconds"] for row in described.get("history", []))),
        "published": None,
        "mnist": figures.get("MNIST test, preprocessed", {}).get("right"),
        "drawn_own": drawn.get("right"),
        "drawn_today": drawn.get("right"),
        "digits_refused": drawn.get("refused"),
        "letters_refused": figures.get("no digit: letters and signs of test sites", {}).get(
            "refused"
        ),
        "microseconds": _time(network),
    }


def _time(network: Classifier) -> int:
    """Microseconds of one picture in LiteRT, the least of some rounds."""
    run = network.runner()
    picture = np.random.default_rng(0).random((1, 28, 28, 1), np.float32)
    best = float("inf")
    for _ in range(ROUNDS):
        started = time.perf_counter()
        for _ in range(READINGS):
            run(picture)
        best = min(best, (time.perf_counter() - started) / READINGS)
    return round(1e6 * best)
