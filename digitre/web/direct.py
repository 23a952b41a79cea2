"""The short way of a reading: `POST /_get_digit` without Flask's machinery around it.

Flask's routing, its contexts, and its objects for the request and the answer take a quarter of the time of a
reading. Here a plain request is answered by the same functions without them. Everything else goes the whole way
through Flask: other addresses, queries other than one threshold, uploads, packed or large bodies, and every error. So
errors, headers and limits stay in one place; a test sends every request of tests/bad_inputs.py both ways.
"""

from __future__ import annotations

import functools
import io
import re
import time
from collections.abc import Callable, Iterable
from typing import Any

from flask import Flask
from werkzeug.exceptions import HTTPException, SecurityError
from werkzeug.wsgi import get_host

from digitre.recognition.decoding import PictureError
from digitre.web import budget, headers, monitoring, shares
from digitre.web.answers import to_json
from digitre.web.bodies import RequestError
from digitre.web.requests import Found, parse_body
from digitre.web.state import state_of

ROUTES = ("/_get_digit", "/predict")
LARGEST = 1024 * 1024  # bytes of a body; of what a larger one costs, Flask's part is nothing
_FAILED = "digitre.failed"  # the key in the environment of an error that the view raises
_THRESHOLD = re.compile(r"threshold=(0(?:\.[0-9]{1,9})?|1)")

Environment = dict[str, Any]


def register(app: Flask) -> None:
    """Put the short way in front of an application."""
    app.wsgi_app = _Direct(app)  # type: ignore[method-assign]


def raise_failure(environ: Environment) -> None:
    """Raise the error of the short way, if it ended with one: so a bad picture is decoded once only."""
    if error := environ.get(_FAILED):
        raise error


class _Direct:
    """The WSGI application that takes the short way where it can."""

    def __init__(self, app: Flask) -> None:
        self.app, self.whole_way = app, app.wsgi_app
        self.headers = [("Content-Type", "application/json"), *headers.HEADERS.items()]

    def __call__(self, environ: Environment, start_response: Callable) -> Iterable[bytes]:
        if environ.get("PATH_INFO") in ROUTES and self._is_plain(environ):
            place = budget.place_in(environ, self.app)
            if place is None or shares.wait(place) <= 0:
                started = time.monotonic()
                answer = self._answer(environ)
                if place is not None:
                    shares.charge(place, time.monotonic() - started)
                if answer is not None:
                    start_response("200 OK", answer[0])
                    return [answer[1]]
        return self.whole_way(environ, start_response)

    def _is_plain(self, environ: Environment) -> bool:
        """Whether nothing but the picture decides what the answer is."""
        config, length = self.app.config, environ.get("CONTENT_LENGTH") or ""
        most = min(LARGEST, config["MAX_CONTENT_LENGTH"] or LARGEST)
        return (
            environ["REQUEST_METHOD"] == "POST"
            and length.isascii()
            and length.isdigit()
            and 0 < int(length[:10]) <= most
            and "HTTP_TRANSFER_ENCODING" not in environ
            and "HTTP_CONTENT_ENCODING" not in environ
            and "multipart" not in (environ.get("CONTENT_TYPE") or "").lower()
            and not config["CORS_ORIGINS"]
            and not self.app.debug  # its answers are indented
            and self._is_trusted(environ)
        )

    def _is_trusted(self, environ: Environment) -> bool:
        hosts = self.app.config["TRUSTED_HOSTS"]
        return not hosts or _is_trusted(environ.get("HTTP_HOST", ""), tuple(hosts))

    def _answer(self, environ: Environment) -> tuple[list[tuple[str, str]], bytes] | None:
        """The headers and the body of the answer; None if Flask has to answer, which finds all as if nothing had been
        tried.
        """
        query = environ.get("QUERY_STRING")
        least = _THRESHOLD.fullmatch(query) if query else None
        if query and least is None:
            return None
        monitoring.begin(environ)
        try:
            body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
            environ["wsgi.input"] = io.BytesIO(body)
            threshold = float(least[1]) if least else self.app.config["THRESHOLD"]
            body = self._read(parse_body(body), threshold)
            id = monitoring.end(self.app, environ, (environ["PATH_INFO"], "POST"), 200)
        except (PictureError, RequestError, HTTPException) as error:
            environ[_FAILED] = error
            return None
        except Exception:  # Flask meets it again, and logs it
            return None
        return [*self.headers, ("Content-Length", str(len(body))), ("X-Request-ID", id)], body

    def _read(self, picture: Found, threshold: float) -> bytes:
        application = state_of(self.app)
        found = application.classifier.detect(picture)
        reading = application.classifier.answer(found, threshold)
        if application.metrics:
            application.metrics.count_reading(reading)
        return to_json(reading.to_dict())


@functools.lru_cache(maxsize=32)
def _is_trusted(host: str, trusted: tuple[str, ...]) -> bool:
    """Whether Flask would serve this host."""
    try:
        get_host({"wsgi.url_scheme": "http", "HTTP_HOST": host}, trusted)
    except SecurityError:
        return False
    return bool(host)
