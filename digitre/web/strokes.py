"""The pen's strokes in a request."""

from __future__ import annotations

import json
import math
import urllib.parse
from typing import Any, TypeAlias

from flask import Request

from digitre.recognition.decoding import is_picture
from digitre.web.bodies import RequestError, as_text, boundary_of, is_json, load_json, parts_of

Strokes: TypeAlias = list[list[list[float]]]  # of strokes, of points: x, y, milliseconds

FIELD = "strokes"
MAX_STROKES, MAX_POINTS = 200, 2000
MAX_STROKES_BYTES = 64 * 1024  # as JSON
LARGEST = 1e9  # for a coordinate, and for a time in milliseconds


def check_strokes(strokes: Any) -> Strokes | None:
    """The strokes in a value of JSON, rounded; None for null.

    Raises:
        RequestError: `bad_strokes`.
    """
    if strokes is None:
        return None
    if not isinstance(strokes, list) or not 0 < len(strokes) <= MAX_STROKES:
        raise _wrong()
    if not all(isinstance(stroke, list) and stroke for stroke in strokes):
        raise _wrong()
    if sum(map(len, strokes)) > MAX_POINTS:
        raise _wrong()
    points = [[_point(point) for point in stroke] for stroke in strokes]
    if len(json.dumps(points)) > MAX_STROKES_BYTES:
        raise _wrong()
    return points


def _wrong() -> RequestError:
    return RequestError(
        "bad_strokes",
        f"Send strokes as lists of [x, y, milliseconds]: at most {MAX_STROKES} strokes and "
        f"{MAX_POINTS:,} points, and {MAX_STROKES_BYTES // 1024} KB in all.",
    )


def _point(point: Any) -> list[float]:
    if not isinstance(point, list) or len(point) != 3:
        raise _wrong()
    if not all(type(value) in (int, float) and abs(value) <= LARGEST for value in point):
        raise _wrong()
    x, y, time = point
    if not all(map(math.isfinite, point)):
        raise _wrong()
    return [round(x, 2), round(y, 2), round(time)]


def strokes_in(body: bytes, request: Request) -> Strokes | None:
    """The strokes that come with a picture: in the field `strokes` of its JSON object, or as JSON in a field of a
    form or an upload. None if there are none.

    Call `requests.parse_body` first: it says what is wrong with the body.

    Raises:
        RequestError: `bad_strokes`.
    """
    if FIELD.encode() not in body.replace(b"\0", b"") or is_picture(body):
        return None
    value = _field_of(body, request)
    if isinstance(value, str):
        try:
            value = load_json(value)
        except (ValueError, RecursionError):
            raise _wrong() from None
    return check_strokes(value)


def _field_of(body: bytes, request: Request) -> Any:
    """What the field `strokes` of a body has; None if there is no such field."""
    boundary = boundary_of(body, request)
    try:
        if boundary is not None:
            parts = {part.name: part.content for part in reversed(list(parts_of(body, boundary)))}
            return as_text(parts[FIELD]) if FIELD in parts else None
        text = as_text(body).strip().strip("'")
        value = load_json(text) if is_json(text) else None
        while isinstance(value, str) or (isinstance(value, list) and len(value) == 1):
            value = load_json(value) if isinstance(value, str) else value[0]
        if isinstance(value, dict):
            return value.get(FIELD)
        return dict(urllib.parse.parse_qsl(text, max_num_fields=50)).get(FIELD)
    except (ValueError, RecursionError):
        return None  # what has no such field: a picture in base64, or text within text
