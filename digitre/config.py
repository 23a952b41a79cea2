"""Every setting in one table, and the folders that follow from them."""

from __future__ import annotations

import ipaddress
import math
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Settings = Mapping[str, Any]  # the values by name, as `load` returns them


SHORTEST_SECRET = 16  # characters: a shorter key can be guessed

_DATABASE = re.compile(r"(sqlite|postgresql)(\+\w+)?://(?P<rest>.*)", re.DOTALL)


def _threshold(value: Any) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not 0 <= number <= 1:
        raise ValueError("must be a number from 0 to 1")
    return number


def _link(value: Any) -> str:
    if value and not re.match("https?://[^ ]", str(value)):
        raise ValueError("must begin with https:// or http://")
    return str(value or "")


def _bytes(value: Any) -> int:
    return _whole(value, 1)


def _count(value: Any) -> int:
    return _whole(value, 0)


def _whole(value: Any, low: int) -> int:
    try:
        number = int(value)
    except (OverflowError, TypeError, ValueError):
        number = low - 1
    if number < low:
        raise ValueError(f"must be a whole number of at least {low}")
    return number


def _switch(value: Any) -> bool:
    if str(value).lower() not in ("0", "1", "true", "false"):
        raise ValueError("must be 0 or 1")
    return str(value).lower() in ("1", "true")


def _path(value: Any) -> str | None:
    return str(value) if value else None


def _database(value: Any) -> str | None:
    """A URL that SQLAlchemy can parse, as far as that can be told without loading it."""
    if not value:
        return None
    parts = _DATABASE.fullmatch(str(value))
    if not parts:
        raise ValueError("must begin with sqlite:/// or postgresql+psycopg://")
    place = re.split("[/?]", parts["rest"].rpartition("@")[2], maxsplit=1)[0]
    if not re.fullmatch(r"(\[[^\]]*\]|[^:]*)(:[0-9]{0,5})?", place):
        raise ValueError("must have a number as its port")
    return str(value)


def _secret(value: Any) -> str | None:
    if value is not None and len(str(value).strip()) < SHORTEST_SECRET:
        raise ValueError(
            f"must have at least {SHORTEST_SECRET} characters, or not be set: then one is generated"
        )
    return value and str(value)


class _InBrackets(str):
    """An IPv6 address as a Host header has it. Werkzeug cuts a trusted name off at its first colon."""

    def partition(self, separator: str, /) -> tuple[str, str, str]:
        return str(self), "", ""


def _hosts(value: Any) -> list[str] | None:
    names = _list(value) or []
    if "*" in names:
        return None
    return [_InBrackets(name) if name.startswith("[") else name for name in names] or None


def _list(value: Any) -> list[str] | None:
    words = value.split(",") if isinstance(value, str) else value or []
    return [word.strip() for word in words if word.strip()] or None


def _networks(value: Any) -> list[str] | None:
    return [str(ipaddress.ip_network(each)) for each in _list(value) or []] or None


@dataclass(frozen=True)
class Setting:
    """One setting.

    Attributes:
        name: its key in `app.config`, and in what `create_app` is given.
        variable: the environment variable that sets it.
        parse: turns the variable's text, or a Python value, into the setting's value. Raises
            ValueError or TypeError for an invalid one.
        default: the value if neither is set. An empty variable counts as unset, but for DIGITRE_SECRET:
            that one would be a mistake which no one sees.
        meaning: what it does, for docs/configuration.md.
    """

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
        'Minimum confidence, from 0 to 1. Below it the answer is "Huh...", unless the request sets `threshold`.',
    ),
    Setting(
        "MODEL",
        "DIGITRE_MODEL",
        _path,
        None,
        "LiteRT file of the network to serve. Default: the promoted network, or the bundled one.",
    ),
    Setting(
        "MODELS",
        "DIGITRE_MODELS",
        _path,
        None,
        "Folder for the networks that were trained or fetched here. Default: models/ in the instance folder.",
    ),
    Setting(
        "MODEL_URL",
        "DIGITRE_MODEL_URL",
        _path,
        None,
        "Network to download once and serve if none is promoted: an http(s) address that ends with #sha256= and the file's hash (&card= and a hash after it: with the card next to it, too).",
    ),
    Setting(
        "MAX_CONTENT_LENGTH",
        "DIGITRE_MAX_BODY",
        _bytes,
        8 * 1024 * 1024,
        "Largest request body, in bytes. Change nginx's client_max_body_size with it. Unless you set it, a drawing to save has at most 1048576.",
    ),
    Setting(
        "TRUSTED_HOSTS",
        "DIGITRE_TRUSTED_HOSTS",
        _hosts,
        None,
        "Host names to answer for, separated by commas; * for all. Include `localhost` for health checks; .example.org includes its subdomains. Default: all, but `make run` and `digitre serve` on a loopback address answer for localhost, 127.0.0.1 and [::1] only.",
    ),
    Setting(
        "CORS_ORIGINS",
        "DIGITRE_CORS_ORIGINS",
        _list,
        None,
        "Origins whose pages may read digits and save drawings, such as https://example.org, separated by commas; * for all. Default: only the server's own page.",
    ),
    Setting(
        "SOURCE_URL",
        "DIGITRE_SOURCE_URL",
        _link,
        "",
        "Where your source code is, such as https://git.example.org/digitre: the page's About links to it. Default: no link.",
    ),
    Setting(
        "FORWARDED_PREFIX",
        "DIGITRE_FORWARDED_PREFIX",
        _switch,
        False,
        "1: the header X-Forwarded-Prefix names the path that Digitre lies under. The proxy must set it in every request.",
    ),
    Setting(
        "LOG",
        "DIGITRE_LOG",
        _switch,
        False,
        "1: write a line of JSON to standard output for each request. deploy/gunicorn.conf.py sets 1 unless you set it.",
    ),
    Setting(
        "METRICS",
        "DIGITRE_METRICS",
        _switch,
        True,
        "1: serve Prometheus metrics at /metrics, which nginx hides from outside. 0: no metrics.",
    ),
    Setting(
        "SAVING",
        "DIGITRE_SAVING",
        _switch,
        True,
        "1: people can save labelled drawings, by a click or a key on the page or through the API. 0: saving is off.",
    ),
    Setting(
        "INSTANCE",
        "DIGITRE_INSTANCE",
        _path,
        None,
        "Folder for the server's data: saved drawings, trained networks, the secret. Default: Flask's instance folder.",
    ),
    Setting(
        "DATABASE_URL",
        "DIGITRE_DATABASE_URL",
        _database,
        None,
        "Database URL for saved drawings (SQLAlchemy). Default: SQLite in the instance folder.",
    ),
    Setting(
        "SECRET",
        "DIGITRE_SECRET",
        _secret,
        None,
        "Key that signs the receipts of saved drawings, of at least 16 characters; the same on every host. Default: generated at first use and kept in the instance folder.",
    ),
    Setting(
        "SAVES_A_DAY",
        "DIGITRE_SAVES_A_DAY",
        _count,
        200,
        "Maximum drawings that one writer may save in 24 hours. For clients that send no `writer`, only the next limit holds.",
    ),
    Setting(
        "SAVES_A_DAY_PER_ADDRESS",
        "DIGITRE_SAVES_A_DAY_PER_ADDRESS",
        _count,
        1000,
        "Maximum drawings that one IP address (IPv6: its /64) may save in a day. Addresses are not stored, only counted under a hash whose key changes daily. 0: no limit, and nothing is counted.",
    ),
    Setting(
        "TRUSTED_PROXIES",
        "DIGITRE_TRUSTED_PROXIES",
        _networks,
        None,
        "Addresses or networks of proxies on other machines, such as 10.0.0.2 or 172.16.0.0/12, separated by commas: the last address in their X-Forwarded-For is the client's. A proxy on this machine is always trusted.",
    ),
    Setting(
        "MAX_DRAWINGS",
        "DIGITRE_MAX_DRAWINGS",
        _count,
        100_000,
        "Maximum number of drawings to store.",
    ),
    Setting(
        "MAX_DRAWINGS_BYTES",
        "DIGITRE_MAX_DRAWINGS_BYTES",
        _count,
        1_000_000_000,
        "Maximum bytes of pixels and strokes to store.",
    ),
)


def load(overrides: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Load the settings: each from `overrides`, or the environment, or its default.

    Args:
        overrides: values by name. Names that are not in `SETTINGS` are kept as they are, for Flask.

    Raises:
        ValueError: for an invalid value; the message names the variable.
    """
    overrides = dict(overrides or {})
    loaded = {}
    # A drawing to save comes from a canvas; a picture to read may be a photo. Your own limit is for both.
    limited = "MAX_CONTENT_LENGTH" in overrides or os.environ.get("DIGITRE_MAX_BODY")
    for setting in SETTINGS:
        value = overrides.pop(setting.name, _in_environment(setting))
        try:
            loaded[setting.name] = setting.parse(value)
        except (TypeError, ValueError) as error:
            raise ValueError(f"{setting.variable} {error}") from None
    loaded["MAX_SAVED_LENGTH"] = loaded["MAX_CONTENT_LENGTH"] if limited else 1024 * 1024
    return loaded | overrides


def _in_environment(setting: Setting) -> Any:
    value = os.environ.get(setting.variable, setting.default)
    return setting.default if value == "" and setting.name != "SECRET" else value


def instance_folder(settings: Settings) -> Path:
    """The folder for this server's data: DIGITRE_INSTANCE, or Flask's instance folder."""
    if settings["INSTANCE"]:
        return Path(settings["INSTANCE"]).resolve()
    from flask import Flask

    # The name decides where Flask puts the folder: another one would lose a server's drawings.
    return Path(Flask("digitre").instance_path).resolve()


def database_url(settings: Settings) -> str:
    """The URL of the drawings database, for SQLAlchemy."""
    return settings["DATABASE_URL"] or f"sqlite:///{instance_folder(settings) / 'drawings.sqlite3'}"


def models_folder(settings: Settings) -> Path:
    """The folder of the networks that were trained or fetched here."""
    return Path(settings["MODELS"] or instance_folder(settings) / "models").resolve()
