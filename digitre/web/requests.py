"""The picture in a request, in every form that a client may send it.

The bytes of the body decide which form it is, not the Content-Type: `curl -d` declares everything to
be a form, and a page may declare anything to be JSON. Only a multipart upload must say what it is.
"""

from __future__ import annotations

import io
import json
import re
import urllib.parse
from typing import IO, Any

import numpy as np
from flask import Request
from werkzeug.exceptions import RequestEntityTooLarge

from digitre.recognition.decoding import is_picture
from digitre.recognition.preprocessing import SIDE, Picture, PictureError

FIELDS = ("digit", "img", "image")  # the names of a picture in JSON or a form: the first one counts
_FORM = re.compile(rb"(?:^|&)(?:digit|img|image)=")

EXAMPLE = '[{"digit": "data:image/png;base64,..."}]'


class RequestError(ValueError):
    """A request without a picture, or with another fault. `code` is one of `errors.KINDS`; the
    message says what to send instead.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class UploadRequest(Request):
    """A request that keeps uploaded files in memory, as much as the limit of a body allows: reading a
    drawing never depends on a disk, which may be full.
    """

    def _get_file_stream(
        self,
        total_content_length: int | None,
        content_type: str | None,
        filename: str | None = None,
        content_length: int | None = None,
    ) -> IO[bytes]:
        return io.BytesIO()


def picture_in(request: Request) -> Picture:
    """The picture of a request, not decoded yet.

    Raises:
        RequestError: `empty_body`, `malformed_json` or `no_picture`.
        PictureError: `bad_pixels` if grey values are not 784 or out of range.
        RequestEntityTooLarge: if the body is over the limit.
    """
    if request.mimetype == "multipart/form-data":
        return _in_upload(request)
    return parse_body(body_of(request))


def body_of(request: Request) -> bytes:
    """The whole body of a request. Raises RequestEntityTooLarge if it is over the limit."""
    # Read it before anything parses it as a form: that would consume it.
    body = request.get_data(cache=False)
    if len(body) == request.max_content_length and request.content_length is None:
        raise RequestEntityTooLarge  # a chunked body that Werkzeug silently truncated at the limit
    return body


def parse_body(body: bytes) -> Picture:
    """The picture in a body that is not multipart. Raises RequestError and PictureError as
    `picture_in` does.
    """
    if is_picture(body):
        return body  # the bytes of a picture may happen to contain `&img=`
    text = body.removeprefix(b"\xef\xbb\xbf").strip()
    if not text:
        raise RequestError("empty_body", f"The body is empty: send {EXAMPLE}, or a picture.")
    if text[:1] in (b"{", b"[", b'"'):
        return _in_json(text)
    if _FORM.search(text[:100_000]):
        return _in_form(text)
    return body


def _in_upload(request: Request) -> Picture:
    upload = request.files.get("image")
    if upload is not None:
        content = upload.read()
        if not content:
            raise RequestError("empty_body", "The uploaded file is empty: send a picture.")
        return content
    for name in FIELDS:
        if request.form.get(name):
            return _from_value(request.form[name])
    raise RequestError("no_picture", "Upload the picture as a file in the field named image.")


def _in_json(text: bytes) -> Picture:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):  # text that is not UTF-8 is a ValueError too
        raise RequestError(
            "malformed_json", f"The body is not valid JSON: send {EXAMPLE}."
        ) from None
    if isinstance(value, str):
        return _from_value(value)
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if isinstance(value, dict):
        for name in FIELDS:
            if name in value:
                return _from_value(value[name])
    raise RequestError("no_picture", f"The JSON contains no picture: send {EXAMPLE}.")


def _in_form(text: bytes) -> Picture:
    try:
        fields = dict(urllib.parse.parse_qsl(text.decode("latin-1"), max_num_fields=50))
    except ValueError:
        raise RequestError("no_picture", "The form has too many fields: send only img.") from None
    for name in FIELDS:
        if fields.get(name):
            # A plus that the client forgot to encode arrives as a blank; base64 has no blanks.
            return _from_value(fields[name].replace(" ", "+"))
    raise RequestError("no_picture", "The form field is empty: send img=data:image/png;base64,...")


def _from_value(value: Any) -> Picture:
    """A picture from a field: a data URL, base64, or 784 grey values as text or (nested) lists."""
    if isinstance(value, str):
        if "," in value and value.lstrip()[:4].lower() != "data":
            return _from_numbers(value.replace("+", " ").split(","))
        if not value.strip():
            raise RequestError("no_picture", "The picture is empty: send a data URL.")
        return value
    if isinstance(value, list):
        rows = [row if isinstance(row, list) else [row] for row in value]
        return _from_numbers([number for row in rows for number in row])
    raise RequestError("no_picture", f"The picture must be a string: send {EXAMPLE}.")


def _from_numbers(numbers: list[Any]) -> np.ndarray:
    """(28, 28) uint8 from 784 grey values in rows. Raises PictureError, `bad_pixels`."""
    error = PictureError(
        "bad_pixels",
        "Send 784 grey values from 0 to 255, row by row: 0 is the background, 255 is ink.",
    )
    if len(numbers) != SIDE * SIDE:
        raise error
    try:
        if any(isinstance(number, (bool, list, dict, type(None))) for number in numbers):
            raise error
        values = np.array([float(number) for number in numbers])
    except (TypeError, ValueError, OverflowError):
        raise error from None
    if not ((values >= 0) & (values <= 255)).all():  # false for NaN too
        raise error
    return np.rint(values).astype(np.uint8).reshape(SIDE, SIDE)
