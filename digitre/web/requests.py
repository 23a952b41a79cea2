"""The picture in a request, in every form that a client may send it.

The content decides which form it is, not the Content-Type: `curl -d` declares everything to be a form,
and a page may declare anything to be JSON. What is found is bytes or an array, never a text: a text could
be taken for the path of a file, and a request must not open one.
"""

from __future__ import annotations

import re
import urllib.parse
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import pybase64
from flask import Request

from digitre.recognition.containers import PNG
from digitre.recognition.decoding import (
    MAX_ESCAPES,
    PNG_URL,
    PictureError,
    is_picture,
    plain_base64,
)
from digitre.web import grey
from digitre.web.bodies import (
    RequestError,
    as_text,
    body_of,
    boundary_of,
    check_values,
    is_json,
    load_json,
    parts_of,
)

Found: TypeAlias = bytes | np.ndarray  # a file, base64 or a data URL; or 784 grey values

# The usual names of a picture in JSON, a form or an upload: the first one that has a picture counts. A
# picture in a field of another name is read if it is the only one.
FIELDS = ("digit", "img", "image")
FILES = ("image", "digit", "img", "file", "photo")
DEEPEST = 6  # objects, lists and JSON as text within each other

EXAMPLE = '[{"digit": "data:image/png;base64,..."}]'
NO_JSON = f"The body is not valid JSON: send {EXAMPLE}."
_FORM = re.compile(r"(?!data:|data%3a)[\w.%\[\]-]{1,64}=[^=]", re.IGNORECASE)
_USUAL_FORM = re.compile(r"(?:^|&)(?:digit|img|image)=")
_DATA_URL = re.compile(rb"data(?::|%3a)[^,]{0,100}?(?:,|%2c)", re.IGNORECASE)
_BASE64 = re.compile(r"(?!data)[^,]{0,100}?base64,", re.IGNORECASE)


_PLAIN_JSON = tuple(
    (begin + blank.join((b'{"digit":', b'"')) + PNG_URL, b'"}' + end)
    for begin, end in ((b"[", b"]"), (b"", b""))
    for blank in (b"", b" ")
)


def picture_in(request: Request) -> Found:
    """The picture of a request, not decoded yet.

    Raises:
        RequestError: `empty_body`, `malformed_json` or `no_picture`, and what `body_of` raises.
        PictureError: `bad_pixels` if grey values are not 784 or out of range; `bad_base64`.
        RequestEntityTooLarge: if the body is over the limit.
    """
    return parse_body(body_of(request), request)


def parse_body(body: bytes, request: Request | None = None) -> Found:
    """The picture in a body. Raises RequestError and PictureError as `picture_in` does."""
    if (plain := _in_plain_json(body)) is not None:
        return plain
    if not is_picture(body):  # the bytes of a picture may happen to contain `&img=`
        boundary = boundary_of(body, request)
        if boundary is not None:
            return _in_upload(body, boundary)
    return _in_bytes(body)


def _in_plain_json(body: bytes) -> bytes | None:
    """The PNG in a body that is exactly what the page sends, found without trying the other forms; else None."""
    for begin, end in _PLAIN_JSON:
        if body.startswith(begin) and body.endswith(end):
            file = plain_base64(body[len(begin) : -len(end)])  # so there is no other field
            return file if file and file.startswith(PNG) else None
    return None


def parse_value(value: Any) -> Found:
    """The picture in a value of JSON. Raises RequestError and PictureError as `picture_in` does."""
    return _in_value(value, 0)


def _in_bytes(body: bytes) -> Found:
    """The picture in a body, or in a part of an upload."""
    if is_picture(body):
        return body
    try:
        text = as_text(body).strip()
    except UnicodeDecodeError:
        if body.lstrip()[:1] in (b"{", b"[", b'"'):
            raise RequestError("malformed_json", NO_JSON) from None
        return body
    if not text:
        raise RequestError("empty_body", f"The body is empty: send {EXAMPLE}, or a picture.")
    if text[0] not in '{["<' and (_FORM.match(text) or _USUAL_FORM.search(text[:100_000])):
        return _in_form(text)
    return _in_text(text)


def _in_upload(body: bytes, boundary: bytes) -> Found:
    try:
        parts = list(parts_of(body, boundary))
    except ValueError:
        parts = []
    fields = {part.name: part.content for part in reversed(parts)}  # of several, the first
    files = {part.name: part.content for part in reversed(parts) if part.is_file}
    only_file = [*files] if len(files) == 1 else []
    if only_file and not any(fields.values()):
        raise RequestError("empty_body", "The uploaded file is empty: send a picture.")
    found = _choose(fields, [*only_file, *FILES], _in_bytes)
    if found is None:
        raise RequestError("no_picture", "Upload the picture as a file in the field named image.")
    return found


def _in_form(text: str) -> Found:
    if text.count("%") > MAX_ESCAPES:
        raise RequestError("no_picture", "Too much of the form is percent-encoded.")
    try:
        fields = dict(urllib.parse.parse_qsl(text, max_num_fields=50))
    except ValueError:
        raise RequestError("no_picture", "The form has too many fields: send only img.") from None
    for name, value in fields.items():
        # A plus that the client forgot to encode arrives as a blank; base64 has no blanks.
        if not is_json(value) and not grey.are_numbers(value):
            fields[name] = value.replace(" ", "+")
    found = _choose(fields, FIELDS, _in_text)
    if found is None:
        message = "The form contains no picture: send img=data:image/png;base64,..."
        raise RequestError("no_picture", message)
    return found


def _choose(
    fields: Mapping[str, Any], names: Sequence[str], parse: Callable[[Any], Found]
) -> Found | None:
    """The picture in the first of these fields that has one, or in the only other field that has one.

    None if there is no picture, and none of these fields. If there is one, `parse` says what is wrong
    with it: it raises, or returns what cannot be decoded.
    """
    for name in names:
        if name in fields and (found := _attempt(parse, fields[name])) is not None:
            return found
    others = [_attempt(parse, value) for name, value in fields.items() if name not in names]
    pictures = [found for found in others if found is not None]
    if len(pictures) > 1:
        raise RequestError("no_picture", f"Send one picture, in the field {names[0]}.")
    if pictures:
        return pictures[0]
    present = [name for name in names if name in fields]
    return parse(fields[present[0]]) if present else None


def _attempt(parse: Callable[[Any], Found], value: Any) -> Found | None:
    """The picture in a value, if it looks like one."""
    try:
        found = parse(value)
    except (PictureError, RequestError):
        return None
    return None if isinstance(found, bytes) and not _looks_like_a_picture(found) else found


def _looks_like_a_picture(data: bytes) -> bool:
    """Whether this is a file, or begins as a data URL or as a file in base64 does."""
    if _DATA_URL.match(data) or is_picture(data):
        return True
    packed = b"".join(data[:100].split())[:32].replace(b"-", b"+").replace(b"_", b"/")
    try:
        return is_picture(pybase64.b64decode(packed, validate=True))
    except ValueError:
        return False


def _in_text(text: str, depth: int = 0) -> Found:
    """The picture in a text: JSON, also JSON in a string of JSON; grey values; a data URL or base64."""
    text = text.strip().strip("'")  # the shell of Windows leaves the quotes of an example
    if not text:
        raise RequestError("no_picture", "The picture is empty: send a data URL.")
    if is_json(text):
        return _in_json(text, depth)
    if lacks_data := _BASE64.match(text):
        text = text[lacks_data.end() :]
    elif not text.startswith("data") and grey.are_numbers(text):
        return grey.from_text(text)
    if not text.isascii():
        raise PictureError(
            "bad_base64", "The picture is not valid base64: send a data URL or plain base64."
        )
    return text.encode()


def _in_json(text: str, depth: int) -> Found:
    check_values(text)
    try:
        value = load_json(text)
    except (ValueError, RecursionError):
        if text[0] == "[" and grey.are_numbers(text):
            return grey.from_text(text)  # as NumPy prints an array
        raise RequestError("malformed_json", NO_JSON) from None
    return _in_value(value, depth)


def _in_value(value: Any, depth: int) -> Found:
    """The picture in a value of JSON."""
    if depth > DEEPEST:
        raise RequestError("no_picture", f"The JSON is nested too deep: send {EXAMPLE}.")
    if isinstance(value, str):
        return _in_text(value, depth + 1)
    if isinstance(value, list):
        return _in_list(value, depth + 1)
    if not isinstance(value, dict):
        raise RequestError("no_picture", f"The picture must be a string: send {EXAMPLE}.")
    found: Found | None = grey.from_fields(value)
    if found is None:
        found = _choose(value, FIELDS, lambda each: _in_value(each, depth + 1))
    if found is None:
        raise RequestError("no_picture", f"The JSON contains no picture: send {EXAMPLE}.")
    return found


def _in_list(value: list[Any], depth: int) -> Found:
    """The picture in a list: its only element, or grey values in any nesting."""
    if len(value) == 1:
        return _in_value(value[0], depth)
    first = [_attempt(lambda each: _in_value(each, depth), each) for each in value[:2]]
    if len(first) == 2 and all(found is not None for found in first):
        many = f"Send one picture, not {len(value):,} in a list: POST /_get_digits reads many."
        raise RequestError("no_picture", many)
    numbers = grey.flat(value)
    if len(numbers) == grey.PIXELS or any(isinstance(each, (int, float)) for each in numbers):
        return grey.from_numbers(numbers)
    raise RequestError("no_picture", f"The JSON contains no picture: send {EXAMPLE}.")
