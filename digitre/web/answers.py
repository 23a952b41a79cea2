"""Answers as JSON: written by orjson, in a tenth of the time that Python's own takes."""

from __future__ import annotations

import json
from typing import Any

import orjson
from flask.json.provider import DefaultJSONProvider


def to_json(value: Any) -> bytes:
    """A value as JSON in UTF-8, with a line end.

    Raises:
        TypeError: if it has no form in JSON.
    """
    try:
        return orjson.dumps(value, option=orjson.OPT_APPEND_NEWLINE)
    except TypeError:  # NumPy's floats, or a text that UTF-8 does not have
        return json.dumps(value, separators=(",", ":")).encode() + b"\n"


class JSONProvider(DefaultJSONProvider):
    """Makes the answers of an application. All else, such as JSON in templates, is Flask's."""

    sort_keys = False  # keep the documented order

    def response(self, *args: Any, **kwargs: Any) -> Any:
        if self._app.debug:
            return super().response(*args, **kwargs)  # indented, for people
        body = to_json(self._prepare_response_obj(args, kwargs))
        return self._app.response_class(body, mimetype=self.mimetype)  # type: ignore[arg-type]
