"""Answer every error in one shape: {"error": {"code": ..., "message": ...}}.

There are two exceptions. Below /v1 and /v2 the protocols want the message as a string, and the code stands
next to it: {"error": ..., "code": ...}. A wrong address that is opened in a browser gets a small page.

`KINDS` lists every code. The code is for programs; the message tells a person what was wrong and
what to send instead. A message never repeats the input.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

from flask import Flask, Response, jsonify, render_template, request
from werkzeug.exceptions import HTTPException, SecurityError

from digitre.recognition.preprocessing import PictureError
from digitre.web.bodies import RequestError


@dataclass(frozen=True)
class Kind:
    """A kind of error: its code, its HTTP status and when it occurs."""

    code: str
    status: int
    meaning: str


KINDS = (
    Kind("empty_body", 400, "The body or the uploaded file is empty."),
    Kind("malformed_json", 400, "The body is not valid JSON."),
    Kind("no_picture", 400, "The request contains no picture."),
    Kind("bad_base64", 400, "Neither a data URL nor base64."),
    Kind("not_a_picture", 400, "The bytes are not a picture, or the picture is damaged."),
    Kind("bad_pixels", 400, "Not 784 grey values, or not all of them from 0 to 255."),
    Kind("bad_threshold", 400, "The threshold is not a number from 0 to 1, or was sent twice."),
    Kind(
        "bad_flag",
        400,
        "The value of steps, explain, signs or lines is not 0 or 1, or was sent twice.",
    ),
    Kind("bad_length", 400, "The length is not a whole number from 1 to 40, or was sent twice."),
    Kind(
        "bad_strokes",
        400,
        "The strokes are not lists of [x, y, milliseconds], or there are too many.",
    ),
    Kind("bad_writer", 400, "The writer is not 1 to 64 letters, digits, hyphens or underscores."),
    Kind(
        "bad_inference",
        400,
        "The body of a request below /v1 or /v2 does not follow the protocol of its address.",
    ),
    Kind(
        "bad_request",
        400,
        "Malformed HTTP request, a gzip body that does not unpack, or a Host that this server does not serve.",
    ),
    Kind(
        "cross_site",
        403,
        "A page of another origin tried to save or delete a drawing, and DIGITRE_CORS_ORIGINS does "
        "not list that origin.",
    ),
    Kind("forbidden", 403, "The local review page was not opened by the address in the terminal."),
    Kind("not_found", 404, "There is nothing at this address, or no such drawing."),
    Kind("method_not_allowed", 405, "The address takes other methods: see the Allow header."),
    Kind(
        "body_too_large",
        413,
        "The body is larger than the limit (default: 8 MiB; a drawing to save: 1 MiB).",
    ),
    Kind("picture_too_large", 413, "By its header, the picture has too many pixels."),
    Kind(
        "too_many",
        413,
        "There are over 256 pictures or too many values in one request, or they take too long to read.",
    ),
    Kind(
        "unsupported_format",
        415,
        "The picture is not a PNG, JPEG, WebP, GIF, BMP, TIFF or AVIF, or it is packed in a rare way.",
    ),
    Kind(
        "unsupported_encoding",
        415,
        "The body has a Content-Encoding other than gzip or deflate, or several.",
    ),
    Kind("address_too_long", 414, "The address is longer than 4,094 bytes."),
    Kind("expectation_failed", 417, "The Expect header is not 100-continue."),
    Kind("bad_label", 422, 'The label is missing, or is neither a digit nor "none".'),
    Kind("bad_judgement", 422, "The local review page sent an incomplete judgement."),
    Kind("blank_drawing", 422, "The drawing is blank, so there is nothing to save."),
    Kind(
        "too_many_drawings",
        429,
        "This writer or this address has reached the limit for saving in a day, or its share of the "
        "drawings that wait for a review.",
    ),
    Kind(
        "too_many_requests",
        429,
        "This address reads more than 60 drawings per second (and 120 more in a burst), sends more than 4 large "
        "ones per second, saves more than 2, or needs more than half of the workers' time. Retry-After says how "
        "long to wait.",
    ),
    Kind("headers_too_large", 431, "There are more than 50 headers, or they are too long."),
    Kind("internal_error", 500, "A fault of the application. Its log has the details."),
    Kind("not_implemented", 501, "The Transfer-Encoding is not chunked."),
    Kind("storage_unavailable", 503, "Drawings cannot be saved now. Reading still works."),
    Kind(
        "unavailable",
        503,
        "From nginx, with 503 or 504 (or 500, if nginx's disk is full): the application is not responding.",
    ),
    Kind("storage_full", 507, "No more drawings can be stored. Reading still works."),
)
STATUSES = {kind.code: kind.status for kind in KINDS}

# The code and the message for an error that Flask or Werkzeug raises, by its status.
HTTP_ERRORS = {
    400: ("bad_request", "The server does not understand this request: see /docs."),
    404: ("not_found", "Not found. The page is at /; POST images to /_get_digit."),
    405: ("method_not_allowed", "This address takes other methods: see the Allow header."),
    413: ("body_too_large", "The request is too large: send at most {limit:,} bytes."),
    # Flask logs an exception that no handler expects, and turns it into this status.
    500: ("internal_error", "Something went wrong on the server. Its log has the details."),
}

PROTOCOLS = (
    "/v1/",
    "/v2/",
)  # the addresses of TensorFlow Serving's and the Open Inference protocol

UNKNOWN_HOST = "This server does not answer for this host name: see DIGITRE_TRUSTED_HOSTS."

# A server that closes a connection before it has read the whole body resets it, and the client never
# sees the answer. So read a body over the limit to its end before answering, up to this many bytes.
MAX_DRAINED = 16 * 1024 * 1024


def register(app: Flask) -> None:
    """Answer every error of an application as JSON.

    The handlers are the application's, not a blueprint's: an unknown address has no blueprint.
    """
    app.register_error_handler(PictureError, _input_error)
    app.register_error_handler(RequestError, _input_error)
    app.register_error_handler(HTTPException, _http_error)


def error_response(code: str, message: str) -> Response:
    """An error as JSON, with the status of its code. Raises KeyError if `KINDS` lacks the code."""
    if f"{request.path}/".startswith(PROTOCOLS):
        response = jsonify(error=message, code=code)
    else:
        response = jsonify(error={"code": code, "message": message})
    response.status_code = STATUSES[code]
    return response


def too_large() -> str:
    """Read the rest of a body that is over the limit, and return the message to answer with."""
    stream, left = request.environ["wsgi.input"], MAX_DRAINED
    with suppress(HTTPException):  # what is damaged further on need not be read
        while left > 0 and (chunk := stream.read(min(left, 65536))):
            left -= len(chunk)
    return HTTP_ERRORS[413][1].format(limit=request.max_content_length)


def _input_error(error: PictureError | RequestError) -> Response:
    return error_response(error.code, str(error))


def _http_error(error: HTTPException) -> Response:
    status = error.code or 500
    if status not in HTTP_ERRORS:  # such as 414: every answer has a code of `KINDS`
        status = 400 if status < 500 else 500
    if status == 404 and _is_browser():
        response = Response(render_template("not_found.html"), 404)
        response.vary.add("Accept")
        return response
    code, message = HTTP_ERRORS[status]
    if isinstance(error, SecurityError):
        message = UNKNOWN_HOST
    response = error_response(code, too_large() if status == 413 else message)
    response.headers.extend(
        (name, value) for name, value in error.get_headers() if name.lower() == "allow"
    )
    return response


def _is_browser() -> bool:
    """Whether the client wants a page to look at rather than JSON. A script that accepts all gets JSON."""
    kinds = request.accept_mimetypes
    return request.method in ("GET", "HEAD") and kinds["text/html"] > kinds["application/json"]
