"""Compare the networks: `POST /_compare` reads one picture with Digitre's own and with the published demos'."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Blueprint, Flask, Response, jsonify, request

from digitre.recognition import preprocessing
from digitre.recognition.classifier import Reading
from digitre.recognition.decoding import to_image
from digitre.web import monitoring
from digitre.web.parameters import threshold
from digitre.web.requests import picture_in
from digitre.web.state import state

if TYPE_CHECKING:
    from digitre.recognition.baselines import DemoClassifier

OWN = "digitre"  # the name of the served network
FIELDS = ("result", "probability", "digit", "confidence", "model")  # of a reading

blueprint = Blueprint("comparison", __name__)


def register(app: Flask) -> None:
    """Add the route to an application."""
    app.register_blueprint(blueprint)


@blueprint.post("/_compare")
def compare() -> Response:
    """What each network reads in the picture of a request, as JSON: the served network first."""
    least = threshold()
    image = to_image(picture_in(request))
    own = state().classifier.read_content(image, least)
    monitoring.count_reading(own)
    ink = preprocessing.find_ink(image)  # all demos start from the same ink
    readings = [_row(OWN, own)]
    for name, demo in _demos().items():
        readings.append(_row(name, demo.answer(demo.detect_ink(ink), least)))
    return jsonify(readings=readings)


def _demos() -> dict[str, DemoClassifier]:
    """The demos' networks that are installed, by name. The first comparison of a worker loads them."""
    application = state()
    if application.demos is None:
        from digitre.recognition import baselines  # only a worker that compares needs it

        application.demos = baselines.load_all(baselines.FOLDER)
    return application.demos


def _row(network: str, reading: Reading) -> dict[str, Any]:
    fields = reading.to_dict()
    return {"network": network} | {name: fields[name] for name in FIELDS}
