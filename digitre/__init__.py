"""Digitre reads handwritten digits: a Flask JSON API with a page to draw on.

    from digitre import Classifier
    Classifier().read(Path("seven.png").read_bytes()).digit

`create_app` makes the web application; `Classifier` is the reader by itself.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flask import Flask

    from digitre.recognition.classifier import Classifier, Reading

__version__ = "0.1.0"
YEAR = 365 * 24 * 3600  # seconds
__all__ = ["Classifier", "Reading", "create_app"]


def create_app(config: Mapping[str, Any] | None = None) -> Flask:
    """Make the web application.

    Args:
        config: settings that go before the environment's, by the names in `digitre.config`.

    Raises:
        ValueError: for a setting that cannot be, such as a threshold of 2.
        FileNotFoundError: where the network's file is missing.
    """
    from flask import Flask

    from digitre import config as settings
    from digitre.web import errors, headers, monitoring, requests, saving, views

    app = Flask(__name__, static_url_path=f"/static/{_static_version()}")
    app.request_class = requests.UploadRequest
    app.config.from_mapping(settings.load(config))
    app.config["SEND_FILE_MAX_AGE_DEFAULT"] = YEAR
    app.url_map.merge_slashes = False  # `//` is answered in JSON, not by a redirect in HTML
    app.json.sort_keys = False  # type: ignore[attr-defined]  # answers read in the order they are described
    headers.register(app)
    errors.register(app)
    views.register(app)
    monitoring.register(app)
    saving.register(app)
    return app


def _static_version() -> str:
    """A hash of the page's files, part of their addresses: each may be kept for ever by a browser."""
    digest = hashlib.sha256()
    for file in sorted((Path(__file__).parent / "static").iterdir()):
        digest.update(file.name.encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()[:12]


def __getattr__(name: str) -> Any:
    # The reader brings LiteRT with it, which `import digitre` alone need not wait for.
    if name in ("Classifier", "Reading"):
        from digitre.recognition import classifier

        return getattr(classifier, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
