"""Every setting in one table, and the folders that follow from them."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Settings = Mapping[str, Any]  # the values by name, as `load` returns them


def _threshold(value: Any) -> float:
    number = float(value)
    if not 0 <= number <= 1:
        raise ValueError("must lie from 0 to 1")
    return number


def _bytes(value: Any) -> int:
    number = int(value)
    if number < 1:
        raise ValueError("must be at least 1")
    return number


def _count(value: Any) -> int:
    number = int(value)
    if number < 0:
        raise ValueError("must not be below 0")
    return number


def _switch(value: Any) -> bool:
    if str(value).lower() not in ("0", "1", "true", "false"):
        raise ValueError("must be 0 or 1")
    return str(value).lower() in ("1", "true")


def _path(value: Any) -> str | None:
    return str(value) if value else None


def _list(value: Any) -> list[str] | None:
    words = value.split(",") if isinstance(value, str) else value or []
    return [word.strip() for word in words if word.strip()] or None


@dataclass(frozen=True)
class Setting:
    """One setting: its name in `app.config`, its variable, how it is read, default, meaning."""

    name: str
    variable: str
    parse: Callable[[Any], Any]
    default: Any
    meaning: str


SETTINGS = (
    Setting(
        "THRESHOLD",
        "DIGITRE_THRESHOLD",
        _threshold,
        0.6,
        'Below this confidence the answer is "Huh...", where a request names no other.',
    ),
    Setting(
        "MODEL",
        "DIGITRE_MODEL",
        _path,
        None,
        "The network's LiteRT file; the promoted one, else the shipped one, where it is empty.",
    ),
    Setting(
        "MODELS",
        "DIGITRE_MODELS",
        _path,
        None,
        "The folder of the networks that were trained here; models/ in the instance folder where it is empty.",
    ),
    Setting(
        "MODEL_URL",
        "DIGITRE_MODEL_URL",
        _path,
        None,
        "The network to serve where none is promoted, fetched once: an address that ends with #sha256= and its hash.",
    ),
    Setting(
        "MAX_CONTENT_LENGTH",
        "DIGITRE_MAX_BODY",
        _bytes,
        1024 * 1024,
        "The largest request body, in bytes; raise nginx's limit with it.",
    ),
    Setting(
        "TRUSTED_HOSTS",
        "DIGITRE_TRUSTED_HOSTS",
        _list,
        None,
        "The host names that are served, separated by commas, `localhost` for health checks among them; .example.org takes its subdomains; all where it is empty.",
    ),
    Setting(
        "CORS_ORIGINS",
        "DIGITRE_CORS_ORIGINS",
        _list,
        None,
        "The origins, such as https://example.org, whose pages may ask and save, separated by commas, or * for all; none but the page's own where it is empty.",
    ),
    Setting(
        "LOG",
        "DIGITRE_LOG",
        _switch,
        False,
        "1: a line of JSON for each request on standard output; deploy/gunicorn.conf.py says 1.",
    ),
    Setting(
        "METRICS",
        "DIGITRE_METRICS",
        _switch,
        True,
        "1: figures for Prometheus at /metrics, which nginx keeps inside; 0: none.",
    ),
    Setting(
        "SAVING",
        "DIGITRE_SAVING",
        _switch,
        True,
        "1: drawings can be saved with what they are, by a click or a key on the page; 0: never.",
    ),
    Setting(
        "INSTANCE",
        "DIGITRE_INSTANCE",
        _path,
        None,
        "The folder for what the server keeps: saved drawings, its secret; instance/ where it is empty.",
    ),
    Setting(
        "DATABASE_URL",
        "DIGITRE_DATABASE_URL",
        _path,
        None,
        "The database of saved drawings, as SQLAlchemy takes it; SQLite in the instance folder where it is empty.",
    ),
    Setting(
        "SECRET",
        "DIGITRE_SECRET",
        _path,
        None,
        "What the receipts of saved drawings are signed with, the same on every host; made at first use where it is empty.",
    ),
    Setting(
        "SAVES_A_DAY",
        "DIGITRE_SAVES_A_DAY",
        _count,
        200,
        "Drawings that one writer may save within 24 hours; all who send no name are one.",
    ),
    Setting(
        "MAX_DRAWINGS",
        "DIGITRE_MAX_DRAWINGS",
        _count,
        100_000,
        "Drawings that are stored at most.",
    ),
    Setting(
        "MAX_DRAWINGS_BYTES",
        "DIGITRE_MAX_DRAWINGS_BYTES",
        _count,
        1_000_000_000,
        "Bytes of pixels and strokes that are stored at most.",
    ),
)


def load(given: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The settings: what is given, else the environment, else the default.

    Args:
        given: values by name; other names than this table's go to Flask as they are.

    Raises:
        ValueError: for a value that cannot be, naming the variable.
    """
    given = dict(given or {})
    loaded = {}
    for setting in SETTINGS:
        value = given.pop(setting.name, os.environ.get(setting.variable) or setting.default)
        try:
            loaded[setting.name] = setting.parse(value)
        except (TypeError, ValueError) as error:
            raise ValueError(f"{setting.variable} {error}") from None
    # Form fields of an upload may be as long as any other body.
    loaded["MAX_FORM_MEMORY_SIZE"] = loaded["MAX_CONTENT_LENGTH"]
    return loaded | given


def instance_folder(settings: Settings) -> Path:
    """The folder for the data of this server: DIGITRE_INSTANCE, or Flask's instance folder."""
    if settings["INSTANCE"]:
        return Path(settings["INSTANCE"]).resolve()
    from flask import Flask

    # The name decides where Flask puts the folder: another one would lose a server's drawings.
    return Path(Flask("digitre").instance_path).resolve()


def database_url(settings: Settings) -> str:
    """The address of the drawings database, as SQLAlchemy takes it."""
    return settings["DATABASE_URL"] or f"sqlite:///{instance_folder(settings) / 'drawings.sqlite3'}"


def models_folder(settings: Settings) -> Path:
    """The folder of the networks that were trained or fetched here."""
    return Path(settings["MODELS"] or instance_folder(settings) / "models").resolve()
