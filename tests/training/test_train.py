"""Real trainings of a few minutes, and what their command line refuses."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from conftest import ROOT, png
from strokes import DIGITS, smooth

from digitre import Classifier
from digitre.cli import main
from digitre.recognition.card import Card, Figure, Figures
from digitre.training.data import datasets, epochs
from digitre.training.data.strokes import render
from digitre.training.evaluation import metrics, report, sets


def run(*options: str, **variables: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "train.py", *options],
        cwd=ROOT,
        env=os.environ | variables,
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--share", "0"], "--share"),
        (["--share", "2"], "--share"),
        (["--epochs", "0"], "--epochs"),
        (["--batch", "-1"], "--batch"),
        (["--unknown"], "No such option '--unknown'"),
        (["--evaluate", "--network", "mlp-256"], "--evaluate and --network cannot be combined"),
        (["--drawings", "--images", "."], "No such option '--images'"),
        (["--drawings", "--output", "."], "No such option '--output'"),
    ],
)
def test_wrong_usage(options: list[str], message: str) -> None:
    """Wrong usage ends with exit status 2 and a line that names the option."""
    done = run(*options)
    assert done.returncode == 2
    assert message in done.stderr


def test_nothing_to_measure(tmp_path: Path) -> None:
    """--evaluate says if there is no network in the folder."""
    done = run("--evaluate", "--output", str(tmp_path))
    assert done.returncode == 1
    assert (
        done.stderr.splitlines()[-1] == f"Error: there is no network at {tmp_path}/digitre.tflite"
    )


def test_evaluate_checks_the_target_accuracy(monkeypatch: pytest.MonkeyPatch) -> None:
    """--target-accuracy: the exit status is 1 if the network misses it."""
    figures = Figures((Figure("mnist_test", "accuracy", 99.0),))
    monkeypatch.setattr(report, "evaluate", lambda *_: figures)
    missed = CliRunner().invoke(main, ["evaluate", "--target-accuracy", "100"])
    assert missed.exit_code == 1
    assert "below 100" in missed.output
    assert CliRunner().invoke(main, ["evaluate", "--target-accuracy", "99"]).exit_code == 0


def test_calibration_error() -> None:
    """90 % sure with nine in ten right is an error of 0; with all right, it is ten points."""
    sure = np.full(1500, 0.9)
    right = np.tile([True] * 9 + [False], 150)
    assert metrics.calibration_error(sure, right) == pytest.approx(0, abs=1e-12)
    assert metrics.calibration_error(sure, np.ones(1500, bool)) == pytest.approx(0.1)


def test_sets_that_were_added_do_not_change_the_means(monkeypatch: pytest.MonkeyPatch) -> None:
    """The means over the first version's sets can be compared with a history of before."""

    class Network:
        def predict(self, batch, **_):
            """Logits that are sure of a 3 if the picture is bright, and else of "not a digit"."""
            return 9 * np.eye(11)[np.where(batch.max((1, 2, 3)) > 0.5, 3, 10)]

    def pictures(*levels: int, label: int):
        filled = [np.full((28, 28), level, np.uint8) for level in levels]
        return np.array(filled), np.full(len(levels), label)

    first = {"mnist": pictures(255, 255, label=3), "others": pictures(0, 0, 0, 255, label=10)}
    added = {"strangers": pictures(255, 0, label=3), "latex": pictures(255, 255, label=10)}
    monkeypatch.setattr(sets, "validation_sets", lambda: first)
    before = metrics.validate(Network())
    assert before == {"mnist": 100, "refused": 75, "digits_refused": 0}
    monkeypatch.setattr(sets, "validation_sets", lambda: first | added)
    after = metrics.validate(Network())
    assert after == before | {"strangers": 50, "strangers_refused": 50, "latex_refused": 0}


def sorted_folder(folder: Path, count: int) -> Path:
    """Hand-drawn digits, each a little different, in folders 0 to 9, and one text file."""
    random = np.random.default_rng(2)
    for digit, strokes in DIGITS.items():
        place = folder / str(digit)
        place.mkdir(parents=True)
        for number in range(count):
            bent = [stroke + random.normal(0, 2, stroke.shape) for stroke in map(smooth, strokes)]
            (place / f"{number}.png").write_bytes(
                png(render(bent, 250, 250, random.uniform(6, 18)))
            )
    (folder / "3" / "notes.txt").write_text("hello")
    return folder


def test_images_sorted_into_folders(tmp_path: Path) -> None:
    """Each image is labelled by its folder. A tenth is held out, always the same ones."""
    folder = sorted_folder(tmp_path / "mine", 12)
    x, y, unread = datasets.sorted_pictures(folder, "train")
    held_x, held_y, unread_too = datasets.sorted_pictures(folder, "test")
    assert len(y) + len(held_y) == 120
    assert 2 <= len(held_y) <= 30
    assert [file.name for file in unread + unread_too] == ["notes.txt"]
    assert set(y.tolist()) == set(range(10))
    assert (x.max((1, 2)) == 255).all()
    assert (held_x.max((1, 2)) == 255).all()
    plain = epochs.make(1, 0, 0.01) if datasets.folder() else None
    if plain is not None:
        more = epochs.make(1, 0, 0.01, str(folder))
        assert len(more[1]) == len(plain[1]) + int(3 * len(y) * 0.01)


@pytest.mark.parametrize("content", [None, "empty"])
def test_a_folder_without_images(tmp_path: Path, content: str | None) -> None:
    """A folder without 0 to 9, or with empty ones, is an error of one line."""
    if content == "empty":
        (tmp_path / "0").mkdir()
    done = run("--images", str(tmp_path))
    assert done.returncode == 1
    assert "folders named 0 to 9" in done.stderr or "no image to learn from" in done.stderr
    assert "Traceback" not in done.stderr


def stopped_twice(command: list[str], work: Path) -> str:
    """Kill a training after its first epoch, resume it, and stop it by Ctrl-C in the second; what it then says."""
    history = work / "history.json"
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        next(line for line in process.stdout if "minutes left" in line)
        while not history.exists():
            assert process.poll() is None
        process.kill()
    assert len(json.loads(history.read_text())["epochs"]) == 1

    with subprocess.Popen(
        [*command, "--resume"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        next(line for line in process.stdout if "Epoch 2/" in line)
        process.send_signal(signal.SIGINT)
        output = process.stderr.read()
    assert process.returncode == 1
    assert len(json.loads(history.read_text())["epochs"]) == 1
    return output


@pytest.mark.long
@pytest.mark.timeout(2400)
def test_a_small_training_from_nothing(real_data, tmp_path: Path) -> None:
    """A training on a tenth of the data and a folder of images is killed, stopped, and resumed; its network is
    calibrated, exported, measured, also on the images that it did not learn, and has a card.

    One that is killed keeps its finished epochs, one that is stopped by Ctrl-C also each batch. One that misses
    the accuracy that is asked for ends with 1, and its network is there.
    """
    folder = sorted_folder(tmp_path / "mine", 12)
    work, models = tmp_path / "work", tmp_path / "models"
    settings = ["--share", "0.1", "--work", str(work), "--images", str(folder)]
    settings += ["--output", str(models), "--target-accuracy", "100"]
    output = stopped_twice([sys.executable, "train.py", *settings, "--epochs", "3"], work)
    assert output.endswith("stopped; what was learned is saved: continue with --resume\n")
    assert "not an image, or blank" in output
    assert not (models / "digitre.tflite").exists()

    other = run(*settings, "--epochs", "5", "--resume")
    assert other.returncode == 1
    assert "other settings" in other.stderr
    done = run(*settings, "--epochs", "3", "--resume", "--json")
    assert done.returncode == 1
    assert "below 100" in done.stderr
    assert re.search(r"  [1-9]\d* of this epoch's \d+ batches are learned", done.stdout)

    figures = json.loads(done.stdout[done.stdout.index("{\n") :])
    assert figures["MNIST test, preprocessed"]["right"] > 90
    assert figures["drawn by test writers, central"]["right"] > 85
    assert figures["your pictures, a tenth held back"]["right"] > 25  # by chance: 10
    assert figures["MNIST test, preprocessed"]["targets"]["right"] == {
        "asked": "at least 99.6",
        "met": False,
    }
    for row in figures.values():
        row.pop("targets", None)
    parsed = Card.load(models / "digitre.json")
    assert parsed is not None
    assert parsed.figures.to_schema_1() == figures
    card = json.loads((models / "digitre.json").read_text())
    assert card["settings"]["share"] == 0.1
    assert len(card["history"]) == 3
    assert set(card["data"]["files"]) == set(datasets.SOURCES)
    assert card["model"] == Classifier(models / "digitre.tflite").model
    assert (models / "digitre.keras").exists()
    for name in ("curves", "confusion", "reliability", "wrong", "accepted"):
        assert (models / "report" / f"{name}.png").stat().st_size > 2000
