"""What whoever runs the server sees of it: a line for each request, figures, and whether it is ready.

None of it has a drawing in it, or anybody's address.
"""

from __future__ import annotations

import json
import os
import re
import sys
import time
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import numpy as np
from flask import Blueprint, Flask, Response, current_app, jsonify, request

from digitre.recognition.classifier import SHAPE, Reading
from digitre.web.state import state, state_of

blueprint = Blueprint("monitoring", __name__)

_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_STARTED, _REQUEST = "digitre.started", "digitre.request"  # in a request's environment
UNKNOWN = "unknown"  # the route of what has none: an address that somebody made up is no label


def register(app: Flask) -> None:
    """Watch every request, and add the routes."""
    app.register_blueprint(blueprint)
    state_of(app).metrics = Metrics() if app.config["METRICS"] else None
    app.before_request_funcs.setdefault(None, []).insert(0, _begin)
    app.after_request(_end)


class Metrics:
    """The figures for Prometheus, right over several workers by its library's own files, which
    PROMETHEUS_MULTIPROC_DIR names (deploy/gunicorn.conf.py does).
    """

    def __init__(self) -> None:
        from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

        self.several = "PROMETHEUS_MULTIPROC_DIR" in os.environ
        # Of the application alone, and nothing of the process; several workers' are in their files.
        self.registry = registry = CollectorRegistry()
        self.requests = Counter(
            "digitre_requests",
            "Requests answered.",
            ["route", "method", "status"],
            registry=registry,
        )
        self.seconds = Histogram(
            "digitre_request_seconds",
            "From a request's head to its answer.",
            ["route"],
            registry=registry,
            buckets=(0.001, 0.002, 0.003, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5),
        )
        self.readings = Counter(
            "digitre_readings", "Drawings read.", ["result", "reason"], registry=registry
        )
        self.saved = Counter("digitre_drawings_saved", "New drawings stored.", registry=registry)
        self.model = Gauge(
            "digitre_model",
            "1 for the network that is served.",
            ["model"],
            registry=registry,
            multiprocess_mode="livemax",
        )
        self._children: dict[tuple, Any] = {}
        self._shown: tuple[int, str] | None = None  # the process, and the network it has shown

    def child(self, metric: Any, *labels: str) -> Any:
        """A metric with its labels; the library looks them up anew each time."""
        key = (metric, labels)
        if key not in self._children:
            self._children[key] = metric.labels(*labels)
        return self._children[key]

    def count(self, route: str, method: str, status: int, seconds: float, model: str) -> None:
        """One more request was answered, by this network."""
        self.child(self.requests, route, method, str(status)).inc()
        self.child(self.seconds, route).observe(seconds)
        shown = os.getpid(), model
        if shown != self._shown:  # once a worker: it stays
            self.child(self.model, model).set(1)
            self._shown = shown

    def text(self) -> tuple[bytes, str]:
        """All figures, as Prometheus reads them, and the content type."""
        from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
        from prometheus_client.multiprocess import MultiProcessCollector

        registry = self.registry
        if self.several:
            registry = CollectorRegistry()
            MultiProcessCollector(registry)
        return generate_latest(registry), CONTENT_TYPE_LATEST


def _begin() -> None:
    asked = request.environ
    asked[_STARTED] = time.perf_counter()
    given = asked.get("HTTP_X_REQUEST_ID", "")
    asked[_REQUEST] = given if _ID.fullmatch(given) else os.urandom(16).hex()


def _end(response: Response) -> Response:
    # Flask's names look themselves up at each use: here once.
    asked, known = request.environ, state()
    if _STARTED not in asked:  # a request that was turned away before anything else
        _begin()
    seconds = time.perf_counter() - asked[_STARTED]
    response.headers["X-Request-ID"] = asked[_REQUEST]
    rule = request.url_rule
    route, method = (rule.rule, asked["REQUEST_METHOD"].upper()) if rule else (UNKNOWN, UNKNOWN)
    model, status = known.classifier.model, response.status_code
    if known.metrics:
        known.metrics.count(route, method, status, seconds, model)
    if current_app.config["LOG"]:
        line = {
            "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "route": route,
            "status": status,
            "ms": round(1000 * seconds, 2),
            "request": asked[_REQUEST],
            "model": model,
        }
        # A log that cannot be written, on a disk that is full, is no reason not to answer.
        with suppress(OSError):
            sys.stdout.write(json.dumps(line) + "\n")
            sys.stdout.flush()
    return response


def count_reading(reading: Reading) -> None:
    """One more drawing was read."""
    metrics = state().metrics
    if metrics:
        result = "none" if reading.digit is None else str(reading.digit)
        metrics.child(metrics.readings, result, reading.reason or "").inc()


def count_saved() -> None:
    """One more drawing was stored."""
    metrics = state().metrics
    if metrics:
        metrics.saved.inc()


@blueprint.get("/readyz")
def ready() -> Response:
    """Whether everything works that this server is for: 200, or 503 and what does not."""
    wrong: dict[str, str] = {}
    try:
        rows = state().classifier.classify(np.ones((1, *SHAPE), np.float32))
        if not np.isfinite(rows).all():
            raise ValueError("its answer is no number")
    except (OSError, ValueError, RuntimeError) as error:
        wrong["network"] = str(error)
    for name, works in state().checks.items():
        if not works():
            wrong[name] = "it does not answer"
    response = jsonify(
        status="unavailable" if wrong else "ready",
        wrong=wrong,
        model=state().classifier.model,
    )
    response.status_code = 503 if wrong else 200
    return response


@blueprint.get("/metrics")
def metrics() -> Response | tuple[Response, int]:
    """The figures for Prometheus; nginx shows them to nobody outside."""
    found = state().metrics
    if not found:
        from digitre.web import errors

        return errors.answer(404, "not_found", "There are no figures: DIGITRE_METRICS is 0.")
    text, kind = found.text()
    return Response(text, content_type=kind)
