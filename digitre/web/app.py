"""The application factory: settings, state, and every blueprint in its place."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from flask import Flask

from digitre import config as settings
from digitre import registry
from digitre.recognition.classifier import Classifier
from digitre.web import errors, headers, monitoring, requests, saving, state, views

YEAR = 365 * 24 * 3600  # seconds


def create_app(config: Mapping[str, Any] | None = None) -> Flask:
    """Make the web application.

    Args:
        config: settings that take precedence over the environment, by their names in
            `digitre.config`.

    Raises:
        ValueError: for an invalid setting, such as a threshold of 2.
        FileNotFoundError: if the network's file is missing.
    """
    # By the package's name Flask finds templates and static files, and names the instance folder.
    app = Flask("digitre", static_url_path=f"/static/{static_version()}")
    app.request_class = requests.UploadRequest
    app.config.from_mapping(settings.load(config))
    app.config["SEND_FILE_MAX_AGE_DEFAULT"] = YEAR
    app.url_map.merge_slashes = False  # `//` is answered in JSON, not by a redirect in HTML
    app.json.sort_keys = False  # type: ignore[attr-defined]  # answers keep the described order
    classifier = Classifier(registry.served_file(app.config))
    state.attach(app, state.State(classifier, classifier.card()))
    for part in (headers, errors, views, monitoring, saving):
        part.register(app)
    return app


def static_version() -> str:
    """A hash of the page's files. It is part of their addresses, so browsers may keep them."""
    digest = hashlib.sha256()
    for file in sorted((Path(__file__).parents[1] / "static").iterdir()):
        digest.update(file.name.encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()[:12]
