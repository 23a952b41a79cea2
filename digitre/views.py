"""The page and the API."""

from __future__ import annotations

import base64
import math
from typing import Any

import numpy as np
from flask import Blueprint, Flask, Response, current_app, jsonify, render_template, request

from digitre import errors, preprocessing
from digitre.classifier import Classifier, Reading
from digitre.forms import RequestError, picture_in
from digitre.preprocessing import PictureError

blueprint = Blueprint("digitre", __name__)

FEATURES = ["steps", "explain"]  # what a page may offer beyond reading; listed by /healthz

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


def register(app: Flask) -> None:
    """Add the routes, and the reader that they share."""
    reader = Classifier(app.config["MODEL"])
    app.extensions["digitre"] = reader
    app.extensions["digitre.card"] = reader.card()
    app.register_blueprint(blueprint)
    app.after_request(_with_headers)


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
        return _page(reading=classifier().read(picture_in(request), _threshold()))
    except (PictureError, RequestError) as error:
        return _page(message=str(error)), errors.status_of(error)


def _page(reading: Reading | None = None, message: str = "") -> str:
    return render_template(
        "index.html",
        model=classifier().model,
        threshold=current_app.config["THRESHOLD"],
        card=current_app.extensions["digitre.card"],
        reading=reading,
        message=message,
    )


@blueprint.post("/_get_digit")
def get_digit() -> Response:
    """Read the drawing of the request; every accepted form is listed in `digitre.forms`."""
    threshold = _threshold()
    picture = picture_in(request)
    with_steps, with_explanation = _wanted("steps"), _wanted("explain")
    if not (with_steps or with_explanation):
        return jsonify(describe(classifier().read(picture, threshold)))
    done = preprocessing.steps(picture)
    pixels = done[-1][1].reshape(1, 28, 28, 1)
    answer = describe(classifier().decide(pixels, threshold))
    if with_steps:
        answer["steps"] = [
            {"name": name, "image": _data_url(preprocessing.to_png(result))}
            for name, result in done
        ]
    if with_explanation:
        answer["explanation"] = _explanation(pixels)
    return jsonify(answer)


@blueprint.get("/healthz")
def health() -> Response:
    """Whether the application is alive, which network it has, and what else it offers."""
    return jsonify(status="ok", model=classifier().model, features=FEATURES)


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


def _wanted(name: str) -> bool:
    return request.args.get(name) in ("1", "true")


def _explanation(pixels: np.ndarray) -> dict[str, Any] | None:
    """Which ink mattered, as a picture; None for a blank."""
    if not pixels.any():
        return None
    from digitre import explaining  # only for who looks

    answer, worth = explaining.explain(classifier(), pixels)
    return {
        "of": "not_a_digit" if answer == explaining.NO_DIGIT else str(answer),
        "method": "occlusion",
        "image": _data_url(explaining.to_png(pixels, worth)),
    }


def _data_url(file: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(file).decode("ascii")


def _with_headers(response: Response) -> Response:
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    return response
