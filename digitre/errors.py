"""Every error as JSON, in one shape: {"error": {"code", "message"}}."""

from __future__ import annotations

from flask import Flask, Response, current_app, jsonify, request
from werkzeug.exceptions import HTTPException

from digitre.forms import RequestError
from digitre.preprocessing import PictureError

# What is not listed here is a 400: the request has to be changed.
STATUSES = {"unsupported_format": 415, "picture_too_large": 413}

MESSAGES = {
    404: ("not_found", "There is nothing here: the page is at /, reading at POST /_get_digit."),
    405: ("method_not_allowed", "This address takes other methods: see the Allow header."),
    413: ("body_too_large", "The request is too large: send at most {limit:,} bytes."),
    # Flask logs what nobody foresaw, and hands it on as this.
    500: ("internal_error", "Something went wrong here; it has been written down."),
}


# A body over the limit is read to its end before the answer, up to this many bytes: a server that
# closes a connection with bytes still to come resets it, and the client never sees why.
DRAINED = 16 * 1024 * 1024


def register(app: Flask) -> None:
    """Answer every error of the application as JSON; on the app, since 404 and 405 have no view."""
    app.register_error_handler(PictureError, _named)
    app.register_error_handler(RequestError, _named)
    app.register_error_handler(HTTPException, _http)


def answer(status: int, code: str, message: str) -> Response:
    response = jsonify(error={"code": code, "message": message})
    response.status_code = status
    return response


def status_of(error: PictureError | RequestError) -> int:
    return STATUSES.get(error.code, 400)


def _named(error: PictureError | RequestError) -> Response:
    return answer(status_of(error), error.code, str(error))


def _http(error: HTTPException) -> Response:
    status = error.code or 500
    code, message = MESSAGES.get(
        status,
        (error.name.lower().replace(" ", "_"), f"{error.name}: the request was not understood."),
    )
    if status == 413:
        _drain()
    response = answer(status, code, message.format(limit=current_app.config["MAX_CONTENT_LENGTH"]))
    response.headers.extend(
        (name, value) for name, value in error.get_headers() if name.lower() == "allow"
    )
    return response


def _drain() -> None:
    stream, left = request.environ["wsgi.input"], DRAINED
    while left > 0 and (read := stream.read(min(left, 65536))):
        left -= len(read)
