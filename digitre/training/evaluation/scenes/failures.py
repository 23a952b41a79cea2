"""Measure scenes by validation writers, to work on how a digit is found.

    python -m digitre.training.evaluation.scenes.failures --only hard_shadow,comb --sheets /tmp/sheets

prints a line for each set, and draws a sheet of the pictures that were not answered correctly.
"""

from __future__ import annotations

import io
import multiprocessing
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import NamedTuple

import click
from PIL import Image, ImageDraw

from digitre.recognition.card import Figure, Figures
from digitre.recognition.classifier import Classifier
from digitre.training.data.datasets import Traces
from digitre.training.evaluation import report
from digitre.training.evaluation.limits import LIMITS
from digitre.training.evaluation.scenes import figures
from digitre.training.evaluation.scenes.table import SCENE_SETS, SceneSet

SIDE = 180  # pixels of a picture on a sheet
COLUMNS = 6


class Failure(NamedTuple):
    """A picture that was not answered correctly, and a text about the answer."""

    picture: bytes
    text: str


@click.command()
@click.option("--count", default=figures.PICTURES, help="Pictures of each set.")
@click.option("--only", default="", help="Ids of scenes or sets, with commas between them.")
@click.option("--sheets", type=click.Path(path_type=Path), help="Folder for sheets of failures.")
@click.option("--processes", type=int, help="How many at a time.  [default: one per core]")
def main(count: int, only: str, sheets: Path | None, processes: int | None) -> None:
    """Measure scenes by validation writers, and show what was not answered correctly."""
    ids = set(only.split(",")) if only else set()
    chosen = [each for each in SCENE_SETS if not ids or {each.id, each.scene.id} & ids]
    classifier = Classifier()
    drawings = figures.clear_digits(classifier, "validation")
    rows: list[Figure] = []
    with ProcessPoolExecutor(processes, multiprocessing.get_context("spawn")) as pool:
        tasks = [pool.submit(_examine, classifier.path, each, drawings, count) for each in chosen]
        for scene_set, task in zip(chosen, tasks, strict=True):
            of_set, failures = task.result()
            rows += of_set
            for failure in failures:
                click.echo(f"{scene_set.id} {failure.text}".replace("\n", "  "))
            if failures and sheets:
                sheets.mkdir(parents=True, exist_ok=True)
                _sheet(failures).save(sheets / f"{scene_set.id}.png")
    measured = Figures(tuple(rows))
    click.echo(report.as_text(measured))
    for limit in LIMITS:
        value = measured.value(limit.set, limit.metric)
        if value is not None and not limit.allows(value):
            click.echo(f"MISSED {limit.set} {limit.metric}: {value:.2f}, {limit}")


def _examine(
    network: Path, scene_set: SceneSet, drawings: Traces, count: int
) -> tuple[list[Figure], list[Failure]]:
    """Read the pictures of a set."""
    classifier = Classifier(network)
    answers, failures = [], []
    for number, (picture, label) in enumerate(figures.pictures(scene_set, drawings, count)):
        detection = classifier.detect(picture)
        reading = classifier.answer(detection)
        answers.append(figures.Answer(label, reading))
        if not answers[-1].correct:
            left_out: Counter[str] = Counter()
            for part in detection.left_out:
                left_out[part.what] += round(100 * part.share)
            parts = " ".join(f"{what} {share} %" for what, share in left_out.items())
            answer = f"{reading.result} {reading.prediction} {reading.confidence:.2f}"
            failures.append(
                Failure(picture, f"{number}: {answer} {reading.reason or ''}\n[{parts}]")
            )
    return figures.figures_of(answers, scene_set.id, scene_set.digits), failures


def _sheet(failures: Sequence[Failure]) -> Image.Image:
    rows = -(-len(failures) // COLUMNS)
    sheet = Image.new("RGB", (COLUMNS * SIDE, rows * (SIDE + 30)), (120, 160, 120))
    pen = ImageDraw.Draw(sheet)
    for index, failure in enumerate(failures):
        row, column = divmod(index, COLUMNS)
        small = Image.open(io.BytesIO(failure.picture)).convert("RGBA")
        small.thumbnail((SIDE - 4, SIDE - 4))
        sheet.paste(small, (column * SIDE, row * (SIDE + 30) + 28), small)
        pen.text((column * SIDE, row * (SIDE + 30)), failure.text, "white")
    return sheet


if __name__ == "__main__":
    main()
