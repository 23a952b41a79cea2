"""The parameters in the query of a request."""

from __future__ import annotations

import math

from flask import current_app, request

from digitre.web.bodies import RequestError

_FLAGS = {"0": False, "1": True}


def threshold() -> float:
    """The threshold of this request. Raises RequestError, `bad_threshold`."""
    values = request.args.getlist("threshold")
    if not values:
        return current_app.config["THRESHOLD"]
    try:
        (text,) = values
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 <= number <= 1:
        raise RequestError(
            "bad_threshold", "Send one threshold from 0 to 1, such as threshold=0.6."
        )
    return number


def flag(name: str) -> bool:
    """Whether the query switches this on. Raises RequestError, `bad_flag`."""
    values = request.args.getlist(name) or ["0"]
    if len(values) > 1 or values[0] not in _FLAGS:
        raise RequestError("bad_flag", f"Send {name}=1 or {name}=0, and send it only once.")
    return _FLAGS[values[0]]
