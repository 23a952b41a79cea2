"""The page and the API."""

from __future__ import annotations

import base64
import math
from typing import Any

import numpy as np
from flask import Blueprint, Flask, Response, current_app, jsonify, render_template, request
from werkzeug.exceptions import RequestEntityTooLarge

from digitre import places
from digitre.recognition import preprocessing
from digitre.recognition.classifier import Classifier, Reading
from digitre.recognition.preprocessing import PictureError
from digitre.web import errors, monitoring
from digitre.web.requests import RequestError, picture_in

blueprint = Blueprint("digitre", __name__)

FEATURES = ["steps", "explain"]  # what a page may offer beyond reading; listed by /healthz


def register(app: Flask) -> None:
    """Add the routes, and the reader that they share."""
    reader = Classifier(places.served(app.config))
    app.extensions["digitre"] = reader
    app.extensions["digitre.card"] = reader.card()
    app.register_blueprint(blueprint)


def classifier() -> Classifier:
    return current_app.extensions["digitre"]


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
        return _page(message=str(error)), errors.status_of(error)
    except RequestEntityTooLarge:
        return _page(message=errors.too_large()), 413


def _page(reading: Reading | None = None, message: str = "") -> str:
    return render_template(
        "index.html",
        model=classifier().model,
        threshold=current_app.config["THRESHOLD"],
        card=current_app.extensions["digitre.card"],
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
    answer = describe(reading)
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
    if "digitre.api" not in current_app.extensions:
        from digitre.web import openapi as description

        app = current_app._get_current_object()  # type: ignore[attr-defined]
        current_app.extensions["digitre.api"] = description.describe_api(app)
    return current_app.extensions["digitre.api"]


def features(app: Flask) -> list[str]:
    """What the application offers beyond reading; a page shows what it finds here."""
    return [*FEATURES, "save"] if app.config["SAVING"] else FEATURES


def describe(reading: Reading) -> dict[str, Any]:
    """A reading as the API answers it; probabilities to six decimals."""
    return {
        "result": reading.result,
        "probability": reading.probability,
        "digit": reading.digit,
        "confidence": round(reading.confidence, 6),
        "probabilities": [round(value, 6) for value in reading.probabilities],
        "not_a_digit": round(reading.not_a_digit, 6),
        "candidates": [
            {"digit": digit, "probability": round(probability, 6)}
            for digit, probability in reading.candidates
        ],
        "prediction": reading.prediction,
        "reason": reading.reason,
        "model": reading.model,
    }


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
