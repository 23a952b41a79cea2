"""Read many drawings in one request: `POST /_get_digits`.

HTTP, Flask and the line of the log are paid once, and drawings are prepared together before they are read, so each
costs less than half of what it costs alone.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
from flask import Blueprint, Flask, Request, Response, jsonify, request

from digitre.recognition.classifier import Reading
from digitre.recognition.decoding import PictureError, to_file
from digitre.web import monitoring
from digitre.web.bodies import (
    RequestError,
    body_of,
    boundary_of,
    check_values,
    load_json,
    parts_of,
)
from digitre.web.many import MOST, Wrong, check_number, pixels_of, read_all
from digitre.web.parameters import threshold
from digitre.web.requests import parse_body, parse_value
from digitre.web.state import state

blueprint = Blueprint("batches", __name__)

MOST_PIXELS = 16_000_000  # of all drawings together, as their headers name them
VALUES = 784  # of a picture in grey values

# A drawing that is not decoded yet: a file, grey values, or what is wrong with it.
Drawing: TypeAlias = bytes | np.ndarray | Wrong

EXAMPLE = '["data:image/png;base64,...", ...]'


def register(app: Flask) -> None:
    """Add the route to an application."""
    app.register_blueprint(blueprint)


@blueprint.post("/_get_digits")
def get_digits() -> Response:
    """Read up to 256 drawings. One that cannot be read has its error in its place, and spoils no other."""
    least = threshold()
    drawings = drawings_in(body_of(request), request)
    return jsonify(readings=list(map(_answer, read_all(state().classifier, drawings, least))))


def drawings_in(body: bytes, request: Request) -> list[Drawing]:
    """The drawings in a body: the files of an upload, or a list in JSON.

    Raises:
        RequestError: `empty_body`, `malformed_json` or `no_picture` if there is no list of drawings; `too_many`
            over 256 drawings or 16 megapixels in all.
    """
    boundary = boundary_of(body, request)
    parse: Callable[[Any], Any]
    if boundary is None:
        values, parse = _in_json(body), parse_value
    else:
        values, parse = _in_upload(body, boundary), parse_body
    if not values:
        raise RequestError("no_picture", f"There are no drawings: send {EXAMPLE} or files.")
    check_number(len(values), "drawings")
    drawings = [_to_file(parse, value) for value in values]
    if sum(map(pixels_of, drawings)) > MOST_PIXELS:
        message = f"All drawings together may have {MOST_PIXELS:,} pixels: send fewer in a request."
        raise RequestError("too_many", message)
    return drawings


def _in_json(body: bytes) -> list[Any]:
    """The list in a body, or in its field `drawings`."""
    if not body.strip():
        raise RequestError("empty_body", f"The body is empty: send {EXAMPLE} or files.")
    check_values(body, 2 * MOST * VALUES)
    try:
        value = load_json(body)
    except (ValueError, RecursionError):  # text that is not UTF-8 is a ValueError too
        raise RequestError(
            "malformed_json", f"The body is not valid JSON: send {EXAMPLE}, or files in a form."
        ) from None
    if isinstance(value, dict):
        value = value.get("drawings")
    if not isinstance(value, list):
        raise RequestError("no_picture", f"Send a list of drawings: {EXAMPLE}.")
    return value


def _in_upload(body: bytes, boundary: bytes) -> list[bytes]:
    """The files of an upload; if none has a file name, its fields."""
    try:
        parts = list(parts_of(body, boundary))
    except ValueError:
        parts = []
    files = [part.content for part in parts if part.is_file]
    return files or [part.content for part in parts]


def _to_file(parse: Callable[[Any], bytes | np.ndarray], value: Any) -> Drawing:
    try:
        found = parse(value)
        return to_file(found) if isinstance(found, bytes) else found
    except (PictureError, RequestError) as error:
        return error


def _answer(reading: Reading | Wrong) -> dict[str, Any]:
    """The reading of a drawing as JSON, or its error."""
    if isinstance(reading, Exception):
        return {"error": {"code": reading.code, "message": str(reading)}}
    monitoring.count_reading(reading)
    return reading.to_dict()
