"""`digitre read --number`."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from conftest import png
from numbers_drawn import write
from PIL import Image

from digitre.cli import main


@pytest.fixture
def files(tmp_path: Path) -> dict[str, str]:
    """Pictures of numbers, by what they show."""
    paths = {}
    for text in ("2026", "-3.5", "27\n105"):
        path = tmp_path / f"{len(paths)}.png"
        path.write_bytes(png(Image.fromarray(write(text).picture)))
        paths[text] = str(path)
    return paths


def run(*words: str) -> str:
    result = CliRunner().invoke(main, ["read", "--number", *words])
    assert result.exit_code == 0, result.output
    return result.stdout


def test_a_number_is_printed_as_a_sentence(files: dict[str, str]) -> None:
    """One file gives a sentence, as for a digit."""
    assert run(files["2026"]) == "The number is probably 2026 (100.0% probability)\n"
    assert run(files["-3.5"]) == "Huh... You call that a digit?\n"
    assert run("--signs", files["-3.5"]).startswith("The number is probably -3.5 (")
    assert run("--length", "3", files["2026"]).startswith("Huh...")


def test_many_numbers_are_a_table(files: dict[str, str]) -> None:
    """Several files give a line each, as JSON or CSV if asked for."""
    names = list(files.values())
    lines = run("--signs", "--lines", *names).splitlines()
    assert [line.split("  ")[0].strip() for line in lines] == ["2026", "-3.5", "27 105"]
    answers = [json.loads(line) for line in run("--json", "--lines", *names).splitlines()]
    assert [each["lines"] for each in answers][::2] == [["2026"], ["27", "105"]]
    assert len(answers[0]["digits"]) == 4
    rows = list(csv.DictReader(io.StringIO(run("--csv", "--signs", *names))))
    assert [row["number"] for row in rows][:2] == ["2026", "-3.5"]
    assert rows[2]["reason"]


def test_the_boxes_are_shown(files: dict[str, str], tmp_path: Path) -> None:
    """--show draws a box around each digit in the terminal, and --plot in a picture."""
    text = run("--show", files["2026"])
    top = next(line for line in text.splitlines() if "┌" in line)
    assert [each for each in top if each.isdigit()] == list("2026")
    plot = tmp_path / "boxes.png"
    pytest.importorskip("matplotlib")
    run("--plot", str(plot), files["2026"])
    with Image.open(plot) as picture:
        assert picture.width > 300


@pytest.mark.parametrize(
    "words",
    [
        ["--length", "3"],
        ["--signs"],
        ["--lines"],
        ["--number", "--network", "mlp-256"],
        ["--number", "--length", "41"],
    ],
)
def test_options_that_do_not_fit_are_named(files: dict[str, str], words: list[str]) -> None:
    """An option for numbers needs --number, and a length lies from 1 to 40."""
    result = CliRunner().invoke(main, ["read", *words, files["2026"]])
    assert result.exit_code == 2
    assert words[-2 if words[-1].isdigit() or words[-1] == "mlp-256" else -1] in result.output
