"""How much of the workers' time each address may use: what one picture costs differs a thousandfold.

nginx limits how many requests an address makes. Here, the time that a worker spends on each is counted. An address
that has used more than its share gets 429 until the time is paid back, before its picture is looked at. So one
address can keep half of the workers busy, not all of them; and people who draw, at a few milliseconds each, never notice.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from typing import Any

from flask import Flask, Response, current_app, g, request

from digitre.web import shares
from digitre.web.address import client_address
from digitre.web.errors import error_response

# The header X-Digitre-Limited, which nginx sets: 1, or 0 for an address in unlimited.conf. Without nginx nothing is
# limited.
LIMITED = "HTTP_X_DIGITRE_LIMITED"


def register(app: Flask) -> None:
    """Limit the requests of an application that nginx says are to be limited."""
    app.before_request(_refuse)
    app.teardown_request(_charge)


def place_in(environ: Mapping[str, Any], app: Flask) -> int | None:
    """Where the address of a request is counted; None if it is not limited."""
    if environ.get(LIMITED) != "1":
        return None
    return shares.place_of(client_address(environ, app))


def _refuse() -> Response | None:
    if request.method != "POST":
        return None
    if request.blueprint == "saving":
        return None  # it has limits of its own, and waits for the database, which is not the client's fault
    place = place_in(request.environ, current_app)
    if place is None:
        return None
    if (seconds := shares.wait(place)) > 0:
        while request.stream.read(65_536):  # a proxy that is still sending would not see the answer
            pass
        message = "The pictures from this address take too long: wait a moment, then try again."
        response = error_response("too_many_requests", message)
        response.headers["Retry-After"] = str(math.ceil(seconds))
        return response
    g.counted = place, time.monotonic()
    return None


def _charge(error: BaseException | None) -> None:
    if counted := g.pop("counted", None):
        place, started = counted
        shares.charge(place, time.monotonic() - started)
