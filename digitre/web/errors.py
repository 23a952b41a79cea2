"""Every error as JSON, in one shape: {"error": {"code", "message"}}."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Flask, Response, current_app, jsonify, request
from werkzeug.exceptions import HTTPException

from digitre.recognition.preprocessing import PictureError
from digitre.web.requests import RequestError


@dataclass(frozen=True)
class Kind:
    """One kind of error: its code, its status, and when it is given."""

    code: str
    status: int
    meaning: str


KINDS = (
    Kind("empty_body", 400, "The body, or the uploaded file, is empty."),
    Kind("malformed_json", 400, "The body begins like JSON and is none."),
    Kind("no_picture", 400, "There is no picture where one was looked for."),
    Kind("bad_base64", 400, "The picture is no data URL and no base64."),
    Kind("not_a_picture", 400, "The bytes are no picture, or a damaged one."),
    Kind("bad_pixels", 400, "Grey values that are not 784, or not from 0 to 255."),
    Kind("bad_threshold", 400, "A threshold that is no number from 0 to 1, or several."),
    Kind("bad_flag", 400, "steps or explain is something else than 0 or 1, or given twice."),
    Kind("bad_strokes", 400, "Strokes that are no lists of [x, y, milliseconds], or too many."),
    Kind("bad_writer", 400, "A writer that is not 1 to 64 letters, digits, hyphens, underscores."),
    Kind("bad_request", 400, "HTTP that cannot be understood, or a Host that is not served."),
    Kind("cross_site", 403, "A page of another origin saves, and no setting allows it."),
    Kind("not_found", 404, "There is nothing at this address."),
    Kind("method_not_allowed", 405, "The address takes other methods: see the Allow header."),
    Kind("body_too_large", 413, "The body is over the limit, 1 MiB where nothing else is set."),
    Kind("picture_too_large", 413, "A picture of too many pixels, by its header."),
    Kind("unsupported_format", 415, "A picture that is no PNG, JPEG or WebP."),
    Kind("bad_label", 422, "A label that is neither a digit nor none, or is missing."),
    Kind("blank_drawing", 422, "There is nothing in the drawing to be saved."),
    Kind("too_many_drawings", 429, "This writer has saved enough for today."),
    Kind(
        "too_many_requests",
        429,
        "By deploy/nginx.conf: an address reads over 20 drawings a second, 40 more in a burst, or saves "
        "over 2. Retry-After says how long to wait.",
    ),
    Kind("internal_error", 500, "A fault of the application; it is written to its log."),
    Kind("storage_unavailable", 503, "Drawings cannot be saved just now; reading goes on."),
    Kind("unavailable", 503, "By deploy/nginx.conf: the application does not answer just now."),
    Kind("storage_full", 507, "No more drawings can be stored; reading goes on."),
)
STATUSES = {kind.code: kind.status for kind in KINDS}

MESSAGES = {
    400: ("bad_request", "The request was not understood: see /docs."),
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
    return STATUSES[error.code]


def _named(error: PictureError | RequestError) -> Response:
    return answer(status_of(error), error.code, str(error))


def _http(error: HTTPException) -> Response:
    status = error.code or 500
    # What is not listed is a bad request of some kind: an answer is always one of `KINDS`.
    if status not in MESSAGES:
        status = 400 if status < 500 else 500
    code, message = MESSAGES[status]
    response = answer(status, code, too_large() if status == 413 else message)
    response.headers.extend(
        (name, value) for name, value in error.get_headers() if name.lower() == "allow"
    )
    return response


def too_large() -> str:
    """What to say of a body that is over the limit, once its rest has been read."""
    stream, left = request.environ["wsgi.input"], DRAINED
    while left > 0 and (read := stream.read(min(left, 65536))):
        left -= len(read)
    return MESSAGES[413][1].format(limit=current_app.config["MAX_CONTENT_LENGTH"])
