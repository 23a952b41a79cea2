"""The application factory: settings, state and blueprints."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from digitre import config as settings
from digitre import registry
from digitre.recognition.classifier import Classifier
from digitre.web import (
    batches,
    budget,
    comparison,
    device,
    direct,
    errors,
    headers,
    inference,
    monitoring,
    numbers,
    saving,
    state,
    views,
)
from digitre.web.answers import JSONProvider

YEAR = 365 * 24 * 3600  # seconds


def create_app(config: Mapping[str, Any] | None = None) -> Flask:
    """Make the web application.

    Args:
        config: settings by their names in `digitre.config`. They take precedence over the
            environment.

    Raises:
        ValueError: for an invalid setting, such as a threshold of 2.
        FileNotFoundError: if the file of the network is missing.
    """
    # Flask finds templates, static files and the instance folder by this name: keep it, or an
    # existing server loses its saved drawings.
    app = Flask("digitre", static_url_path=f"/static/{static_version()}")
    app.config.from_mapping(settings.load(config))
    app.config["SEND_FILE_MAX_AGE_DEFAULT"] = YEAR
    app.url_map.merge_slashes = False  # no redirect in HTML for `//`: the API answers in JSON
    app.json = JSONProvider(app)
    classifier = Classifier(registry.served_file(app.config))
    state.attach(app, state.State(classifier, classifier.card()))
    # Flask runs what was registered last first: so nothing that fails can lose the headers.
    routes = (views, batches, device, numbers, comparison, inference, monitoring, saving)
    for module in (errors, budget, *routes, headers):
        module.register(app)
    direct.register(app)
    if app.config["FORWARDED_PREFIX"]:
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]
            app.wsgi_app, x_for=0, x_proto=0, x_host=0, x_prefix=1
        )
    return app


def static_version() -> str:
    """A hash of the static files. It is part of their addresses, so browsers can cache them for good."""
    digest = hashlib.sha256()
    for file in sorted((Path(__file__).parents[1] / "static").iterdir()):
        digest.update(file.name.encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()[:12]
