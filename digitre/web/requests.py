"""The picture in a request, in each form that a client may send it.

A form is recognised by the bytes of the body: `curl -d` calls everything a form, and a page may
call anything JSON. Only a multipart upload must say that it is one.
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

FIELDS = ("digit", "img", "image")
_FORM = re.compile(rb"(?:^|&)(?:digit|img|image)=")

EXAMPLE = '[{"digit": "data:image/png;base64,..."}]'


class RequestError(ValueError):
    """A request without a picture in it, or with something else amiss. `code` names the case."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class UploadRequest(Request):
    """A request whose uploaded files stay in memory, as the limit of a body allows: nothing that is read
    waits for a disk, which may be full.
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
        PictureError: `bad_pixels` for grey values that are not 784 or out of range.
    """
    if request.mimetype == "multipart/form-data":
        return _upload(request)
    body = body_of(request)
    if is_picture(body):
        return body  # whatever else its bytes may spell
    text = body.removeprefix(b"\xef\xbb\xbf").strip()
    if not text:
        raise RequestError("empty_body", f"The body is empty: send {EXAMPLE}, or a picture.")
    if text[:1] in (b"{", b"[", b'"'):
        return _in_json(text)
    if _FORM.search(text[:100_000]):
        return _in_form(text)
    return body


def body_of(request: Request) -> bytes:
    """All of a request's body. Raises RequestEntityTooLarge past the limit."""
    # Before anything parses it as a form: then it would be gone.
    body = request.get_data(cache=False)
    if len(body) == request.max_content_length and request.content_length is None:
        raise RequestEntityTooLarge  # chunked, and cut off at the limit without a word
    return body


def _upload(request: Request) -> Picture:
    upload = request.files.get("image")
    if upload is not None:
        data = upload.read()
        if not data:
            raise RequestError("empty_body", "The uploaded file is empty: send a picture.")
        return data
    for name in FIELDS:
        if request.form.get(name):
            return _value(request.form[name])
    raise RequestError("no_picture", "Upload the picture as a file in the field named image.")


def _in_json(text: bytes) -> Picture:
    try:
        sent = json.loads(text)
    except (ValueError, RecursionError):  # a wrong encoding is a ValueError too
        raise RequestError(
            "malformed_json", f"The body is not valid JSON: send {EXAMPLE}."
        ) from None
    if isinstance(sent, str):
        return _value(sent)
    if isinstance(sent, list) and len(sent) == 1:
        sent = sent[0]
    if isinstance(sent, dict):
        for name in FIELDS:
            if name in sent:
                return _value(sent[name])
    raise RequestError("no_picture", f"No picture in the JSON: send {EXAMPLE}.")


def _in_form(text: bytes) -> Picture:
    try:
        fields = dict(urllib.parse.parse_qsl(text.decode("latin-1"), max_num_fields=50))
    except ValueError:
        raise RequestError("no_picture", "The form has too many fields: send img alone.") from None
    for name in FIELDS:
        if fields.get(name):
            # A plus that a client forgot to encode reads as a blank; base64 has no blanks.
            return _value(fields[name].replace(" ", "+"))
    raise RequestError(
        "no_picture", "The form's field is empty: send img=data:image/png;base64,..."
    )


def _value(value: Any) -> Picture:
    """A data URL, base64, or 784 grey values, as text or as (nested) lists."""
    if isinstance(value, str):
        if "," in value and value.lstrip()[:4].lower() != "data":
            return _pixels(value.replace("+", " ").split(","))
        if not value.strip():
            raise RequestError("no_picture", "The picture is empty: send a data URL.")
        return value
    if isinstance(value, list):
        rows = [row if isinstance(row, list) else [row] for row in value]
        return _pixels([number for row in rows for number in row])
    raise RequestError("no_picture", f"The picture must be a text: send {EXAMPLE}.")


def _pixels(numbers: list[Any]) -> np.ndarray:
    wanted = PictureError(
        "bad_pixels", "Send 784 grey values from 0 to 255, ink bright, 28 rows of 28."
    )
    if len(numbers) != SIDE * SIDE:
        raise wanted
    try:
        if any(isinstance(number, (bool, list, dict, type(None))) for number in numbers):
            raise wanted
        values = np.array([float(number) for number in numbers])
    except (TypeError, ValueError, OverflowError):
        raise wanted from None
    # Finite too: a comparison with NaN is false.
    if not ((values >= 0) & (values <= 255)).all():
        raise wanted
    return np.rint(values).astype(np.uint8).reshape(SIDE, SIDE)
