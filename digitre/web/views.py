"""The page and the API."""

from __future__ import annotations

import base64
import math
from typing import Any

import numpy as np
from flask import Blueprint, Flask, Response, current_app, jsonify, render_template, request
from werkzeug.exceptions import RequestEntityTooLarge

from digitre.recognition import preprocessing
from digitre.recognition.classifier import Classifier, Reading
from digitre.recognition.preprocessing import PictureError
from digitre.web import errors, monitoring
from digitre.web.requests import RequestError, picture_in
from digitre.web.state import features, state

blueprint = Blueprint("digitre", __name__)


def register(app: Flask) -> None:
    """Add the routes."""
    app.register_blueprint(blueprint)


def classifier() -> Classifier:
    return state().classifier


@blueprint.get("/")
def page() -> str:
    """The page to draw on."""
    return _page()


@blueprint.post("/")
def read_upload() -> str | tuple[str, int]:
    """The page with its answer, for a browser without JavaScript: a form with a file."""
    try:
        reading = classifier().read(picture_in(request), _threshold())
        monitoring.count_reading(reading)
        return _page(reading=reading)
    except (PictureError, RequestError) as error:
        return _page(message=str(error)), errors.STATUSES[error.code]
    except RequestEntityTooLarge:
        return _page(message=errors.too_large()), 413


def _page(reading: Reading | None = None, message: str = "") -> str:
    return render_template(
        "index.html",
        model=classifier().model,
        threshold=current_app.config["THRESHOLD"],
        card=state().card,
        reading=reading,
        message=message,
    )


@blueprint.post("/predict")
@blueprint.post("/_get_digit")
def get_digit() -> Response:
    """Read the drawing of the request; every accepted form is listed in `digitre.web.requests`."""
    threshold = _threshold()
    with_steps, with_explanation = _flag("steps"), _flag("explain")
    picture = picture_in(request)
    pixels = classifier().preprocess(picture)
    reading = classifier().decide(pixels, threshold)
    monitoring.count_reading(reading)
    answer = reading.to_dict()
    if with_steps:
        answer["steps"] = [
            {"name": name, "image": _data_url(preprocessing.to_png(result))}
            for name, result in preprocessing.steps(picture)
        ]
    if with_explanation:
        answer["explanation"] = _explanation(pixels)
    return jsonify(answer)


@blueprint.get("/healthz")
def health() -> Response:
    """Whether the application is alive, which network it has, and what else it offers."""
    return jsonify(status="ok", model=classifier().model, features=features(current_app))


@blueprint.get("/openapi.json")
def openapi() -> Response:
    """The API for machines: OpenAPI 3.1."""
    return jsonify(_api())


@blueprint.get("/docs")
def docs() -> str:
    """The API to be read."""
    return render_template("docs.html", api=_api(), kinds=errors.KINDS)


def _api() -> dict[str, Any]:
    """The description, made when it is first asked for: it is not needed to read a digit."""
    known = state()
    if known.openapi is None:
        from digitre.web import openapi as description

        app = current_app._get_current_object()  # type: ignore[attr-defined]
        known.openapi = description.describe_api(app)
    return known.openapi


def _threshold() -> float:
    given = request.args.getlist("threshold")
    if not given:
        return current_app.config["THRESHOLD"]
    try:
        (text,) = given
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 <= number <= 1:
        raise RequestError(
            "bad_threshold", "Send one threshold from 0 to 1, such as threshold=0.6."
        )
    return number


FLAGS = {"0": False, "1": True}


def _flag(name: str) -> bool:
    given = request.args.getlist(name) or ["0"]
    if len(given) > 1 or given[0] not in FLAGS:
        raise RequestError("bad_flag", f"Send {name}=1 or {name}=0, once.")
    return FLAGS[given[0]]


def _explanation(pixels: np.ndarray) -> dict[str, Any] | None:
    """Which ink mattered, as a picture; None for a blank."""
    if not pixels.any():
        return None
    from digitre.recognition import occlusion  # only for who looks

    answer, worth = occlusion.explain(classifier(), pixels)
    return {
        "of": "not_a_digit" if answer == occlusion.NO_DIGIT else str(answer),
        "method": "occlusion",
        "image": _data_url(occlusion.to_png(pixels, worth)),
    }


def _data_url(file: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(file).decode("ascii")
