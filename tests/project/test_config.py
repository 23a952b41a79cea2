"""Settings: from the environment, checked, and all in the README."""

from __future__ import annotations

from pathlib import Path

import pytest

from digitre import config, create_app

README = (Path(__file__).parents[2] / "README.md").read_text()


def test_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    """With nothing set, the table's defaults hold."""
    for setting in config.SETTINGS:
        monkeypatch.delenv(setting.variable, raising=False)
    loaded = config.load()
    assert {setting.name: loaded[setting.name] for setting in config.SETTINGS} == {
        setting.name: setting.default for setting in config.SETTINGS
    }


def test_the_environment_goes_before_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable sets its setting; what `create_app` is given goes before both."""
    monkeypatch.setenv("DIGITRE_THRESHOLD", "0.75")
    assert create_app().config["THRESHOLD"] == 0.75
    assert create_app({"THRESHOLD": 0.5}).config["THRESHOLD"] == 0.5


@pytest.mark.parametrize(
    ("variable", "value"),
    [("DIGITRE_THRESHOLD", "2"), ("DIGITRE_THRESHOLD", "high"), ("DIGITRE_MAX_BODY", "0")],
)
def test_a_wrong_value_names_its_variable(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    """A setting that cannot be stops the start, and says which it is."""
    monkeypatch.setenv(variable, value)
    with pytest.raises(ValueError, match=variable):
        create_app()


def test_a_missing_network_stops_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong path is said at the start, not at the first request."""
    monkeypatch.setenv("DIGITRE_MODEL", "/nowhere/digitre.tflite")
    with pytest.raises(FileNotFoundError, match="/nowhere"):
        create_app()


def test_a_file_that_is_no_network_stops_the_start(tmp_path) -> None:
    """Any other file as the network is said at the start."""
    file = tmp_path / "digitre.tflite"
    file.write_text("not a network")
    with pytest.raises(ValueError, match="no LiteRT network"):
        create_app({"MODEL": file})


@pytest.mark.parametrize("setting", config.SETTINGS, ids=lambda setting: setting.name)
def test_the_readme_has_every_setting(setting: config.Setting) -> None:
    """Each variable stands in the README's table with its meaning."""
    assert f"`{setting.variable}`" in README
    assert setting.meaning in README
