"""Read a number: `POST /_get_number`."""

from __future__ import annotations

from flask import Blueprint, Flask, Response, jsonify, request

from digitre.recognition.decoding import to_image
from digitre.recognition.number_reading import MOST_DIGITS
from digitre.web import monitoring
from digitre.web.bodies import RequestError, body_of
from digitre.web.parameters import flag, threshold
from digitre.web.requests import parse_body
from digitre.web.state import state
from digitre.web.strokes import strokes_in

blueprint = Blueprint("numbers", __name__)


def register(app: Flask) -> None:
    """Add the route to an application."""
    app.register_blueprint(blueprint)


@blueprint.post("/_get_number")
def get_number() -> Response:
    """Read the number in the picture of a request as JSON. The strokes of the pen may come with it."""
    least = threshold()
    length, signs, lines = _length(), flag("signs"), flag("lines")
    body = body_of(request)
    picture = to_image(parse_body(body, request))
    strokes = strokes_in(body, request)
    from digitre.recognition import numbers  # SciPy: only a process that reads numbers needs it

    reading = numbers.read_number(
        state().classifier,
        picture,
        strokes=strokes,
        length=length,
        signs=signs,
        lines=lines,
        threshold=least,
    )
    monitoring.count_number(reading)
    return jsonify(reading.to_dict())


def _length() -> int | None:
    """How many digits the query says there are. Raises RequestError, `bad_length`."""
    values = request.args.getlist("length")
    if not values:
        return None
    if len(values) == 1 and values[0].isascii() and values[0].isdecimal():
        length = int(values[0][:9])
        if 1 <= length <= MOST_DIGITS:
            return length
    raise RequestError("bad_length", f"Send one length from 1 to {MOST_DIGITS}, such as length=4.")
