"""The card of a network: both schemas are read, and a damaged card never stops a server."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from conftest import ROOT

from digitre import Classifier, create_app
from digitre.cli import main
from digitre.recognition.card import Card, Figure, Figures
from digitre.recognition.classifier import shipped_model
from digitre.registry import Registry

CARDS = [ROOT / "models" / "digitre.json", *sorted((ROOT / "models" / "demos").glob("*.json"))]

# The card that a retraining of the version before wrote, with a row of each kind.
SCHEMA_1 = {
    "model": "digitre-00000000",
    "made": "2026-05-01T10:00:00+00:00",
    "command": "python train.py --drawings --finetune",
    "settings": {"network": "digitre", "seed": 1, "share": 0.15, "saved": "ab"},
    "layers": [{"layer": "Conv2D", "output": [24, 24, 32], "parameters": 800}],
    "calibration": {"temperature": 0.6, "no_digit_offset": -1.3},
    "data": {"files": {}, "split": {}},
    "versions": {"python": "3.11.7"},
    "history": [{"loss": 1.5, "mnist": 99.3}],
    "before": [{"model": "digitre-1", "made": "2026", "command": "x", "settings": {}}],
    "figures": {
        "MNIST test, preprocessed": {"pictures": 10000, "right": 99.5, "refused": 0.5},
        "steady: pen of 3 to 30": {"pictures": 998, "same": 98.4},
        "LiteRT and Keras on MNIST test": {"pictures": 10000, "same": 100.0, "difference": 1e-6},
        "time of a picture over the 2017 network's": {"ratio": 0.3, "megabytes": 2.7},
    },
    "drawings": {"learned": 84, "kept": 14, "manifest": {"w1": ["a", "b"]}},
    "verdict": {
        "passed": True,
        "gates": [{"name": "all digits", "before": 99.6, "after": 99.7, "passed": True}],
        "against": "digitre-1",
    },
}


def kept_network(folder: Path, card: dict) -> str:
    """A network of another version in a server's folder, with this card; its name."""
    (folder / "new").mkdir(parents=True)
    file = folder / "new" / "digitre.tflite"
    file.write_bytes(shipped_model().read_bytes() + b"\0")
    name = Classifier(file).model
    (folder / "new").rename(folder / name)
    (folder / name / "digitre.json").write_text(json.dumps(card | {"model": name}))
    return name


def test_a_card_of_schema_1_is_read() -> None:
    """Titles become ids of sets and metrics; every other part is there under its name of today."""
    card = Card.from_dict(SCHEMA_1)
    assert card.model == "digitre-00000000"
    assert card.figures.value("mnist_test", "accuracy") == 99.5
    assert card.figures.value("mnist_test", "count") == 10000
    assert card.figures.value("robustness_pen", "agreement") == 98.4
    assert card.figures.value("litert_and_keras", "max_difference") == 1e-6
    assert card.figures.value("time_against_2017", "time_ratio") == 0.3
    assert card.figures.value("mnist_test", "calibration_error") is None
    assert card.figures.value("no such set", "accuracy") is None
    assert card.figures.sets()[0] == "mnist_test"
    assert card.ancestors[0].model == "digitre-1"
    assert card.drawings is not None
    assert (card.drawings.learned, card.drawings.held_out) == (84, 14)
    assert card.verdict is not None
    assert card.verdict.gates[0].after == 99.7
    assert card.parameters == 800
    assert card.figures.to_schema_1() == SCHEMA_1["figures"]


@pytest.mark.parametrize("file", CARDS, ids=lambda file: file.stem)
def test_a_shipped_card_is_schema_2_and_complete(file: Path) -> None:
    """What is written is what was read, and the numbers survive the way through schema 1's titles."""
    content = json.loads(file.read_text())
    card = Card.load(file)
    assert content["schema"] == 2
    assert card is not None
    assert json.loads(json.dumps(card.to_dict())) == content
    assert card.parameters > 10_000
    again = Card.from_dict({"model": card.model, "figures": card.figures.to_schema_1()})
    assert again.figures == card.figures


def test_a_card_that_is_saved_is_read_back(tmp_path: Path) -> None:
    """A card of schema 1 becomes the same card of schema 2."""
    card = Card.from_dict(SCHEMA_1)
    (tmp_path / "card.json").write_text(json.dumps(card.to_dict()))
    assert Card.load(tmp_path / "card.json") == card
    small = Card("digitre-1", figures=Figures((Figure("mnist_test", "accuracy", 99),)))
    assert Card.from_dict(small.to_dict()) == small


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        "7",
        "null",
        "{}",
        "[" * 100_000,
        '{"model": 5}',
        '{"model": "a", "schema": 3}',
        '{"model": "a", "schema": "2"}',
        '{"model": "a", "figures": []}',
        '{"model": "a", "figures": {"MNIST test": 99}}',
        '{"model": "a", "figures": {"MNIST test": {"right": "99"}}}',
        '{"model": "a", "figures": {"MNIST test": {"right": true}}}',
        '{"model": "a", "layers": [{"layer": "Dense"}]}',
        '{"model": "a", "layers": [{"layer": "Dense", "output": 5, "parameters": 5}]}',
        '{"model": "a", "made": 2026}',
        '{"model": "a", "history": [5]}',
        '{"model": "a", "history": [{"loss": "low"}]}',
        '{"model": "a", "before": [{"model": "b"}]}',
        '{"model": "a", "drawings": {"writers": 5}}',
        '{"model": "a", "verdict": {"gates": []}}',
        '{"model": "a", "published": "99"}',
        '{"model": "a", "schema": 2, "figures": {}, "baseline": []}',
        '{"model": "a", "schema": 2, "figures": [["mnist_test", "accuracy", 99]]}',
        '{"model": "a", "schema": 2, "pictures": [5]}',
        '{"model": "a", "schema": 2, "ancestors": [{"model": [], "made": "", "command": "", "settings": {}}]}',
        '{"model": "a", "schema": 2, "drawings": {"learned": "84"}}',
        '{"model": "a", "schema": 2, "drawings": {"learned": 1, "manifest": {"w": 5}}}',
        '{"model": "a", "schema": 2, "verdict": {"passed": true, "gates": [{"name": "a"}]}}',
        '{"model": "a", "schema": 2, "layers": [{"layer": "\\ud800", "output": [], "parameters": 5}]}',
        '{"model": "a", "schema": 2, "figures": [{"set": "s", "metric": "m", "value": NaN}]}',
        '{"model": "a", "schema": 2, "figures": [{"set": "s", "metric": "m", "value": %s}]}'
        % 10**400,
        '{"model": "a", "settings": 5}',
        '{"model": "a", "settings": ' + '{"a": ' * 100_000,
        '{"model": "a"}' + " " * (8 * 1024 * 1024),
        b"\xff\xfe\x00",
    ],
)
def test_a_damaged_card_is_no_card(content: str | bytes, tmp_path: Path) -> None:
    """Other JSON, or none, is read as None, and raises nothing."""
    file = tmp_path / "card.json"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    assert Card.load(file) is None


def test_a_missing_card_is_no_card(tmp_path: Path) -> None:
    """A missing file and a folder are None as well."""
    assert Card.load(tmp_path / "card.json") is None
    assert Card.load(tmp_path) is None


def test_another_networks_card_is_not_taken(tmp_path: Path) -> None:
    """A card must have the version of the network that it lies next to."""
    file = tmp_path / "digitre.tflite"
    file.write_bytes(shipped_model().read_bytes())
    card = file.with_suffix(".json")
    card.write_text(json.dumps(SCHEMA_1))
    assert Classifier(file).card() is None
    card.write_text(json.dumps(SCHEMA_1 | {"model": Classifier(file).model}))
    assert Classifier(file).card() is not None


def test_a_server_reads_the_cards_that_it_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A network that the version before trained: the command line and the page show its figures."""
    name = kept_network(tmp_path / "models", SCHEMA_1)
    monkeypatch.setenv("DIGITRE_INSTANCE", str(tmp_path))
    listed = CliRunner().invoke(main, ["models", "list", "--json"])
    assert listed.exit_code == 0, listed.output
    rows = {row["model"]: row for row in map(json.loads, listed.stdout.splitlines())}
    assert rows[name]["made"] == SCHEMA_1["made"]
    assert rows[name]["mnist_test"] == 99.5
    assert rows[name]["drawings"] == 84
    assert rows[name]["verdict"] is True
    promoted = CliRunner().invoke(main, ["models", "promote", name])
    assert promoted.exit_code == 0, promoted.output
    page = create_app().test_client().get("/").get_data(as_text=True)
    assert name in page
    assert "99.50%" in page
    assert "Conv2D" in page


@pytest.mark.parametrize(
    "figures",
    [
        [],
        [{"set": "mnist_test", "metric": "refused", "value": 0}],
        [{"set": "mnist_test", "metric": "accuracy", "value": 99}],
        [{"set": "drawn_test", "metric": "refused", "value": 10**300}],
    ],
)
def test_a_card_of_few_figures_has_its_page(tmp_path: Path, figures: list) -> None:
    """The page opens and names the network, whichever figures its card lacks."""
    name = kept_network(tmp_path / "models", {"schema": 2, "figures": figures})
    Registry(tmp_path / "models").promote(name)
    answer = create_app({"INSTANCE": tmp_path}).test_client().get("/")
    assert answer.status_code == 200
    assert name in answer.get_data(as_text=True)
