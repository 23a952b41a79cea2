"""Settings: read from the environment, validated, and documented."""

from __future__ import annotations

import re

import pytest
from click.testing import CliRunner
from conftest import ROOT

from digitre import config, create_app
from digitre.cli import main

CONFIGURATION = (ROOT / "docs" / "configuration.md").read_text()


def test_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    """With nothing set, the defaults of the table apply."""
    for setting in config.SETTINGS:
        monkeypatch.delenv(setting.variable, raising=False)
    loaded = config.load()
    assert {setting.name: loaded[setting.name] for setting in config.SETTINGS} == {
        setting.name: setting.default for setting in config.SETTINGS
    }


def test_precedence(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment overrides the default, and the argument of `create_app` overrides both."""
    monkeypatch.setenv("DIGITRE_THRESHOLD", "0.75")
    assert create_app().config["THRESHOLD"] == 0.75
    assert create_app({"THRESHOLD": 0.5}).config["THRESHOLD"] == 0.5


@pytest.mark.parametrize(
    ("value", "read", "saved"),
    [("", 8_388_608, 1_048_576), ("2000000", 2_000_000, 2_000_000), ("9", 9, 9)],
)
def test_an_own_body_limit_is_for_both(
    monkeypatch: pytest.MonkeyPatch, value: str, read: int, saved: int
) -> None:
    """A photo to read may have 8 MiB and a drawing to save 1 MiB; DIGITRE_MAX_BODY is for both."""
    monkeypatch.setenv("DIGITRE_MAX_BODY", value)
    client = create_app().test_client()
    for path, limit in (("/_get_digit", read), ("/_save_drawing", saved)):
        assert client.post(path, data=b" " * limit).status_code == 400
        answer = client.post(path, data=b" " * (limit + 1))
        assert answer.status_code == 413
        assert f"at most {limit:,} bytes" in answer.get_json()["error"]["message"]


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("DIGITRE_THRESHOLD", "2"),
        ("DIGITRE_THRESHOLD", "high"),
        ("DIGITRE_THRESHOLD", "nan"),
        ("DIGITRE_MAX_BODY", "0"),
        ("DIGITRE_MAX_BODY", "1 MB"),
        ("DIGITRE_MAX_DRAWINGS", "-1"),
        ("DIGITRE_SAVING", "yes"),
        ("DIGITRE_TRUSTED_PROXIES", "10.0.0.256"),
        ("DIGITRE_DATABASE_URL", "garbage"),
        ("DIGITRE_DATABASE_URL", "postgresql://host:port/name"),
        ("DIGITRE_SECRET", ""),
        ("DIGITRE_SECRET", " " * 20),
        ("DIGITRE_SECRET", "fifteen letters"),
    ],
)
def test_an_invalid_value_names_its_variable(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    """An invalid setting stops the start with a message that names it."""
    monkeypatch.setenv(variable, value)
    with pytest.raises(ValueError, match=variable) as raised:
        create_app()
    assert "\n" not in str(raised.value)
    result = CliRunner().invoke(main, ["models", "list"])
    assert (result.exit_code, result.output.count("\n")) == (2, 1)
    assert result.output.startswith(f"Error: {variable} ")


@pytest.mark.parametrize(
    "url",
    [
        "sqlite:///drawings.sqlite3",
        "sqlite://",
        "postgresql+psycopg://digitre:p@ss/w:ord@[::1]:5432/name",
        "postgresql://digitre@/name?host=/run/a:b",
        "postgresql+psycopg://one/name?host=one:5432&host=two",
    ],
)
def test_database_urls(url: str) -> None:
    """SQLite and PostgreSQL are taken, with what their URLs may have."""
    assert config.load({"DATABASE_URL": url})["DATABASE_URL"] == url


def test_trusted_hosts() -> None:
    """A list, of IPv6 addresses too, is what is answered for; * is everything, as is no list."""
    app = create_app({"TRUSTED_HOSTS": "digits.example.org, [::1]"})
    for host, status in [
        ("digits.example.org", 200),
        ("digits.example.org:8000", 200),
        ("[::1]:8000", 200),
        ("[::1]", 200),
        ("[::2]", 400),
        ("evil.example.org", 400),
    ]:
        answer = app.test_client().get("/healthz", headers={"Host": host})
        assert answer.status_code == status, host
    assert config.load({"TRUSTED_HOSTS": "*"})["TRUSTED_HOSTS"] is None


def test_a_missing_network_stops_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong path is reported at the start, not at the first request."""
    monkeypatch.setenv("DIGITRE_MODEL", "/nowhere/digitre.tflite")
    with pytest.raises(FileNotFoundError, match="/nowhere"):
        create_app()


def test_a_file_that_is_not_a_network_stops_the_start(tmp_path) -> None:
    """A file that is not a LiteRT network is reported at the start."""
    file = tmp_path / "digitre.tflite"
    file.write_text("not a network")
    with pytest.raises(ValueError, match="not a LiteRT network"):
        create_app({"MODEL": file})


@pytest.mark.parametrize("setting", config.SETTINGS, ids=lambda setting: setting.name)
def test_every_setting_is_documented(setting: config.Setting) -> None:
    """docs/configuration.md has each setting's variable, key and meaning in one row."""
    (row,) = [
        line
        for line in CONFIGURATION.splitlines()
        if line.startswith(f"| `{setting.variable}` | `{setting.name}` |")
    ]
    assert row.endswith(f"| {setting.meaning} |")


def test_every_variable_is_documented() -> None:
    """docs/configuration.md names each DIGITRE_ variable that the package and deploy/ use."""
    files = [ROOT / "Makefile", *(ROOT / "digitre").rglob("*.py"), *(ROOT / "deploy").iterdir()]
    text = "\n".join(file.read_text() for file in files if file.is_file())
    for name in set(re.findall(r"\bDIGITRE_[A-Z_]*[A-Z]\b", text)):
        assert f"`{name}`" in CONFIGURATION, name
