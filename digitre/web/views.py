"""The page and the API: which address does what."""

from __future__ import annotations

import base64
import functools
import re
from pathlib import Path
from typing import Any

import numpy as np
from flask import Blueprint, Flask, Response, current_app, jsonify, render_template, request
from werkzeug.exceptions import RequestEntityTooLarge

from digitre.recognition import preprocessing
from digitre.recognition.classifier import Classifier, Reading
from digitre.recognition.preprocessing import PictureError
from digitre.web import direct, errors, monitoring
from digitre.web.bodies import RequestError
from digitre.web.device import network_name
from digitre.web.parameters import flag, threshold
from digitre.web.requests import picture_in
from digitre.web.state import features, state

STATIC = Path(__file__).parents[1] / "static"

blueprint = Blueprint("digitre", __name__)


def register(app: Flask) -> None:
    """Add the routes to an application."""
    app.register_blueprint(blueprint)


@blueprint.get("/")
def page() -> str:
    """The page to draw on."""
    return _page()


@blueprint.post("/")
def read_upload() -> str | tuple[str, int]:
    """The page with the reading of an uploaded file, for a browser without JavaScript."""
    try:
        reading = state().classifier.read_content(picture_in(request), threshold())
        monitoring.count_reading(reading)
        return _page(reading=reading)
    except (PictureError, RequestError) as error:
        return _page(message=str(error)), errors.STATUSES[error.code]
    except RequestEntityTooLarge:
        return _page(message=errors.too_large()), 413


def _page(reading: Reading | None = None, message: str = "") -> str:
    application = state()
    return render_template(
        "index.html",
        model=application.classifier.model,
        network=network_name(),
        modules=modules(),
        saving="save" in features(current_app),
        source=current_app.config["SOURCE_URL"],
        threshold=current_app.config["THRESHOLD"],
        card=application.card,
        reading=reading,
        message=message,
    )


@functools.cache
def modules() -> list[str]:
    """app.js and what it imports, straight or through another module: the browser fetches all of it at once."""
    found = ["app.js"]
    for name in found:
        imported = re.findall(r'from "\./(\w+\.js)"', (STATIC / name).read_text())
        found += [each for each in imported if each not in found]
    return found


@blueprint.post("/predict")
@blueprint.post("/_get_digit")
def get_digit() -> Response:
    """Read the picture of a request as JSON. `digitre.web.requests` has the forms it may come in."""
    least = threshold()
    with_steps, with_explanation = flag("steps"), flag("explain")
    direct.raise_failure(request.environ)
    classifier = state().classifier
    found = classifier.detect(picture_in(request))
    reading = classifier.answer(found, least)
    monitoring.count_reading(reading)
    answer = reading.to_dict()
    if with_steps:
        answer["steps"] = [
            {"name": name, "image": _data_url(preprocessing.to_png(result))}
            for name, result in preprocessing.found_steps(found)
        ]
        answer["left_out"] = [
            {"what": what, "share": round(share, 6)} for what, share in found.summary().items()
        ]
    if with_explanation:
        answer["explanation"] = _explanation(classifier, found.pixels[None, :, :, None])
    return jsonify(answer)


@blueprint.get("/healthz")
def health() -> Response:
    """That the application is alive, the network it serves, and the features it offers."""
    return jsonify(status="ok", model=state().classifier.model, features=features(current_app))


@blueprint.get("/openapi.json")
def openapi() -> Response:
    """The API for machines: OpenAPI 3.1."""
    servers = {"servers": [{"url": request.root_path}]} if request.root_path else {}
    return jsonify(_api() | servers)


@blueprint.get("/docs")
def docs() -> str:
    """The API for people."""
    from digitre.web.tables import fields, type_of

    return render_template(
        "docs.html", api=_api(), kinds=errors.KINDS, fields=fields, type_of=type_of
    )


def _api() -> dict[str, Any]:
    """The OpenAPI description, made when it is first requested: reading a digit does not need it."""
    application = state()
    if application.openapi is None:
        from digitre.web.openapi import describe_api

        app = current_app._get_current_object()  # type: ignore[attr-defined]
        application.openapi = describe_api(app)
    return application.openapi


def _explanation(classifier: Classifier, pixels: np.ndarray) -> dict[str, Any] | None:
    """Which ink mattered, as a picture; None for a blank drawing."""
    if not pixels.any():
        return None
    from digitre.recognition import occlusion  # imported only by servers that explain

    answer, worth = occlusion.explain(classifier, pixels)
    return {
        "of": "not_a_digit" if answer == occlusion.NO_DIGIT else str(answer),
        "method": "occlusion",
        "image": _data_url(occlusion.to_png(pixels, worth)),
    }


def _data_url(png: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(png).decode("ascii")
