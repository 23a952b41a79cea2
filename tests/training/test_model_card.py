"""The card that a training writes, and the page docs/model.md that is made from it."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from digitre import Classifier
from digitre.cli import main
from digitre.recognition.card import Card, Figure, Figures
from digitre.recognition.classifier import shipped_model
from digitre.training.evaluation import sets, targets
from digitre.training.evaluation.scenes.table import EMPTY, SEVERAL, WITH_DIGIT
from digitre.training.reporting import card as reporting
from digitre.training.reporting import scenes


@pytest.fixture
def card() -> Card:
    card = Classifier().card()
    assert card is not None
    return card


def test_every_figure_is_on_the_page(card: Card) -> None:
    """Each set has one row with its count, accuracy and refusals, or with its agreement."""
    lines = reporting.render_page(card, "").splitlines()
    for set_id in (each for each in card.figures.sets() if each not in sets.SCENES):
        (line,) = [line for line in lines if line.startswith(f"| {sets.title(set_id)} |")]
        row = card.figures.of(set_id)
        assert f"{row.get('count', 0):,}" in line or "count" not in row
        for metric in ("accuracy", "refused", "calibration_error", "agreement"):
            if metric in row:
                assert f"{row[metric]:.2f}" in line
    missed, measured = targets.missed(card.figures), targets.measured(card.figures)
    assert f"It misses {len(missed)} of {len(measured)} targets:" in lines


def test_the_tables_of_scenes(card: Card, monkeypatch: pytest.MonkeyPatch) -> None:
    """A row has a scene's figures before and now, with a digit and without; another has a number's."""
    rows = (
        Figure("scene_comb_test", "count", 200),
        Figure("scene_comb_test", "correct", 97.5),
        Figure("scene_comb_test", "refused", 2.0),
        Figure("scene_comb_test", "confident_errors", 0.5),
        Figure("empty_comb_test", "refused", 99.0),
        Figure("scene_dot_test", "correct", 100.0),
        Figure("two_free_test", "refused", 99.5),
        Figure("two_free_test", "several", 90.0),
    )
    monkeypatch.setattr(scenes, "BEFORE_WITH_DIGIT", {"scene_comb": scenes.Before(33.5, 66.0, 0)})
    monkeypatch.setattr(scenes, "BEFORE_REFUSED", {"empty_comb": 98.0, "two_free": 70.0})
    page = reporting.render_page(replace(card, figures=Figures(rows)), "").splitlines()
    assert "| in a form's comb | 33.5 | 97.5 | 66.0 | 2.0 | 0.0 | 0.5 | 98.0 | 99.0 |" in page
    assert "| with a small dot next to it |  | 100.0 |  |  |  |  |  |  |" in page
    assert "| two digits: free on the canvas | 70.0 | 99.5 | 90.0 |" in page


def test_the_scenes_before_have_rows() -> None:
    """What was measured before is of scenes that are measured now."""
    assert scenes.BEFORE_WITH_DIGIT.keys() <= {each.id for each in WITH_DIGIT}
    assert scenes.BEFORE_REFUSED.keys() <= {each.id for each in (*EMPTY, *SEVERAL)}


def test_the_page_names_what_a_network_was_trained_from(card: Card) -> None:
    """A network that was trained further names its ancestors, the newest first."""
    first = replace(card, model="digitre-11111111").as_ancestor()
    second = replace(card, model="digitre-22222222").as_ancestor()
    page = reporting.render_page(replace(card, ancestors=(first, second)), "")
    assert 0 < page.index("`digitre-22222222`") < page.index("`digitre-11111111`")


@pytest.mark.parametrize(
    "content",
    [
        "[" * 100_000,
        "{}",
        '{"model": "digitre-00000000", "schema": 2}',
        '{"model": "digitre-00000000", "schema": 2, "made": "2026", "data": {"files": 5}}',
    ],
)
def test_a_damaged_card_has_no_page(
    content: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`digitre report --page` says in one line which file is damaged, and leaves the page as it was."""
    (tmp_path / "digitre.json").write_text(content)
    (tmp_path / "model-notes.md").write_text("- A note.")
    (tmp_path / "model.md").write_text("as it was")
    monkeypatch.setattr(reporting, "MODELS", tmp_path)
    monkeypatch.setattr(reporting, "DOCS", tmp_path)
    result = CliRunner().invoke(main, ["report", "--page"])
    assert result.exit_code == 1
    assert result.output.startswith(f"Error: {tmp_path / 'digitre.json'} ")
    assert result.output.count("\n") == 1
    assert (tmp_path / "model.md").read_text() == "as it was"


def test_the_page_of_a_short_card(card: Card) -> None:
    """Without figures, pictures and missed targets the page leaves these parts out."""
    page = reporting.render_page(replace(card, figures=Figures(), pictures=()), "- A note.")
    assert "It misses" not in page
    assert "Pictures:" not in page
    assert "## Known limitations\n\n- A note.\n" in page


def test_finetuning_starts_from_the_shipped_network(
    card: Card, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The training gets the shipped network to start from, and as the second teacher; further ones follow."""
    from digitre.training import fit, shipped

    given = {}

    def train(settings: fit.Settings, work: Path, **options):
        given.update(options, settings=settings)
        raise KeyboardInterrupt

    monkeypatch.setattr(fit, "train", train)
    more = reporting.MODELS / "teacher.keras"
    with pytest.raises(KeyboardInterrupt):
        shipped.train(fit.Settings(share=0.1), tmp_path, tmp_path, finetune=True, learn_from=[more])
    settings = given["settings"]
    assert settings.start == settings.second_teacher == card.model
    assert settings.more_teachers == [settings.teacher]  # the same file, given again
    before = given["start"].get_weights()
    _, second, third = given["teachers"]
    assert all(map(np.array_equal, before, second.get_weights()))
    assert all(map(np.array_equal, given["teachers"][0].get_weights(), third.get_weights()))
    shipped_network = shipped.load_shipped()[0].get_weights()
    assert all(map(np.array_equal, before, shipped_network))


def test_further_teachers_need_the_first(tmp_path: Path) -> None:
    """A folder without a teacher is fine for a training from labels, but not with further teachers."""
    from digitre.training import fit

    assert fit.with_teachers(fit.Settings(), tmp_path, None)[1] == []
    with pytest.raises(ValueError, match=r"teacher\.keras"):
        fit.with_teachers(fit.Settings(), tmp_path, None, [reporting.MODELS / "teacher.keras"])


def test_the_card_of_a_training(
    card: Card, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The card of a training that continues has the history and the ancestors of both networks."""
    import keras

    from digitre.training import fit

    words = ["--finetune", "--resume", "--share", "0.1", "--learn-from", "/somewhere/deep.keras"]
    monkeypatch.setattr(sys, "argv", ["train.py", *words])
    network = keras.Sequential([keras.Input((28, 28, 1)), keras.layers.Flatten()])
    history = [{"loss": 0.5, "mnist": 99.0}]
    made = reporting.new_card(
        Classifier(), network, fit.Settings(share=0.1), history, {"temperature": 1.0}, card
    )
    assert made.command == "python train.py --finetune --share 0.1 --learn-from deep.keras"
    assert made.history == (*card.history, history[0])
    assert made.ancestors[:-1] == card.ancestors
    assert made.ancestors[-1].model == card.model
    assert [layer.output for layer in made.layers] == [(784,)]
    assert made.settings["share"] == 0.1
    assert not made.figures
    reporting.save_card(made, tmp_path)
    assert Card.load(tmp_path / "digitre.json") == made


def test_a_report_needs_a_card(tmp_path: Path) -> None:
    """A network without a card cannot get a report: a message names the network."""
    file = tmp_path / "digitre.tflite"
    file.write_bytes(shipped_model().read_bytes())
    with pytest.raises(ValueError, match="has no card for digitre-"):
        reporting.write_report(Classifier(file), tmp_path)


def test_the_figures_survive_saving(card: Card, tmp_path: Path) -> None:
    """A figure is read back to the last digit."""
    exact = replace(card, figures=Figures((Figure("mnist_test", "accuracy", 100 * 988 / 998),)))
    reporting.save_card(exact, tmp_path)
    assert Card.load(tmp_path / "digitre.json") == exact
