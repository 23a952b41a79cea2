"""Where a server keeps what it keeps: its instance folder, its drawings, its networks."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from flask import Flask

from digitre.registry import Versions

Settings = Mapping[str, Any]  # as `digitre.config.load` gives them
COPIED = "DIGITRE_COPIED"  # gunicorn's master tells its workers by this where their network is


def instance(settings: Settings) -> Path:
    """The folder for what this server keeps: DIGITRE_INSTANCE, or Flask's own choice."""
    return Path(settings["INSTANCE"] or Flask("digitre").instance_path).resolve()


def database_url(settings: Settings) -> str:
    """The address of the database of drawings, as SQLAlchemy takes it."""
    return settings["DATABASE_URL"] or f"sqlite:///{instance(settings) / 'drawings.sqlite3'}"


def models(settings: Settings) -> Path:
    """The folder of the networks that were trained or fetched here."""
    return Path(settings["MODELS"] or instance(settings) / "models").resolve()


def network(settings: Settings) -> Path:
    """The LiteRT file to serve: DIGITRE_MODEL, else the promoted one, else what else there is.

    Raises:
        ValueError, OSError: as `Versions.current` does.
    """
    return Path(settings["MODEL"] or versions(settings).current())


def served(settings: Settings) -> Path:
    """The LiteRT file that this process reads with: its master's copy (`digitre.serving.preload`), else `network`."""
    return Path(os.environ.get(COPIED) or network(settings))


def versions(settings: Settings) -> Versions:
    """The networks that were trained or fetched here."""
    return Versions(models(settings), settings["MODEL_URL"])
