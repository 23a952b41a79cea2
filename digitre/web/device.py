"""What a page needs to read by itself: the network, and what makes the page an app that works offline."""

from __future__ import annotations

import hashlib
from pathlib import Path

from flask import (
    Blueprint,
    Flask,
    Response,
    current_app,
    jsonify,
    make_response,
    render_template,
    url_for,
)
from werkzeug.exceptions import NotFound

from digitre import __version__
from digitre.recognition import packed
from digitre.web.state import state

blueprint = Blueprint("device", __name__)

ICON = "icon.svg"
ICONS = {"icon_small.png": "192x192", "icon_large.png": "512x512"}


def register(app: Flask) -> None:
    """Add the routes to an application."""
    app.register_blueprint(blueprint)


def network_name() -> str:
    """The name of the served network's file for pages."""
    return packed.file_name(state().classifier.model)


@blueprint.get("/network/<name>")
def network(name: str) -> Response:
    """The served network for pages that read by themselves: see `digitre.recognition.packed`."""
    classifier = state().classifier
    if name != network_name():
        raise NotFound
    try:
        content = packed.load(classifier.path, classifier.model)
    except packed.UnknownLayersError:
        raise NotFound from None
    response = Response(content, mimetype="application/octet-stream")
    response.cache_control.public = response.cache_control.immutable = True
    response.cache_control.max_age = current_app.config["SEND_FILE_MAX_AGE_DEFAULT"]
    return response


@blueprint.get("/manifest.webmanifest")
def manifest() -> Response:
    """What the page is called and looks like as an app (W3C, Web Application Manifest)."""
    icons = [{"src": _static(ICON), "sizes": "any", "type": "image/svg+xml"}]
    icons += [
        {"src": _static(name), "sizes": size, "type": "image/png"} for name, size in ICONS.items()
    ]
    home = url_for("digitre.page")
    response = jsonify(
        name="Digitre",
        short_name="Digitre",
        description="Reads handwritten digits.",
        id=home,
        start_url=home,
        scope=home,
        display="standalone",
        background_color="#ffffff",
        theme_color="#1f5fd0",
        icons=icons,
    )
    response.mimetype = "application/manifest+json"
    return response


@blueprint.get("/worker.js")
def worker() -> Response:
    """The service worker, which keeps the pages and their files for times without a connection.

    It is made for this version: its text changes with any file and with the network, so that a browser takes it.
    """
    folder = Path(current_app.static_folder or "")
    names = sorted(each.name for each in folder.iterdir())
    files = [_static(name) for name in names]
    model = url_for("device.network", name=network_name())
    version = hashlib.sha256("\n".join([__version__, *files, model]).encode()).hexdigest()[:12]
    pages = [url_for("digitre.page"), url_for("device.pad")]
    text = render_template("worker.js", version=version, pages=pages, files=files, network=model)
    response = make_response(text)
    response.mimetype = "text/javascript"
    response.cache_control.no_cache = True
    return response


@blueprint.get("/pad")
def pad() -> str:
    """`<digit-pad>`, explained with examples that work."""
    return render_template("pad.html", network=url_for("device.network", name=network_name()))


def _static(name: str) -> str:
    return url_for("static", filename=name)
