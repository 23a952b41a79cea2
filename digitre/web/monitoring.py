"""Observability: an access log, metrics for Prometheus, and readiness.

Logs and metrics never contain a drawing or a client's address.
"""

from __future__ import annotations

import functools
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
from digitre.recognition.number_reading import NumberReading
from digitre.web import errors
from digitre.web.state import state, state_of

blueprint = Blueprint("monitoring", __name__)

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_STARTED, _ID = "digitre.started", "digitre.request"  # keys in the environment of a request
# The route and method of a request without a route. A client could invent any number of addresses,
# and each would become a label of its own.
UNKNOWN = "unknown"


def register(app: Flask) -> None:
    """Time, count and log every request of an application, and add its routes."""
    app.register_blueprint(blueprint)
    state_of(app).metrics = Metrics() if app.config["METRICS"] else None
    app.before_request_funcs.setdefault(None, []).insert(0, _begin)
    app.after_request(_end)


class Metrics:
    """The metrics for Prometheus.

    With several workers, `prometheus_client` adds up the files that all of them write in the folder
    PROMETHEUS_MULTIPROC_DIR (deploy/gunicorn.conf.py sets it).
    """

    def __init__(self) -> None:
        from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

        # A registry of its own: only the application's metrics, not those of the process.
        self.registry = registry = CollectorRegistry()
        self.requests = Counter(
            "digitre_requests",
            "Requests answered.",
            ["route", "method", "status"],
            registry=registry,
        )
        self.seconds = Histogram(
            "digitre_request_seconds",
            "Seconds from the head of a request to its answer.",
            ["route"],
            registry=registry,
            buckets=(0.001, 0.002, 0.003, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5),
        )
        self.readings = Counter(
            "digitre_readings", "Drawings read.", ["result", "reason"], registry=registry
        )
        self.saved = Counter("digitre_drawings_saved", "New drawings saved.", registry=registry)
        self.model = Gauge(
            "digitre_model",
            "1 for the network that is served.",
            ["model"],
            registry=registry,
            multiprocess_mode="livemax",
        )
        self._reported: tuple[int, str] | None = None  # the process, and the network it reported
        # Finding the counters by their labels takes as long as counting.
        self._of_request = functools.cache(
            lambda route, method, status: (
                self.requests.labels(route, method, str(status)),
                self.seconds.labels(route),
            )
        )
        self._of_reading = functools.cache(self.readings.labels)

    def count_request(
        self, route: str, method: str, status: int, seconds: float, model: str
    ) -> None:
        """Count a request that this network's application has answered."""
        requests, durations = self._of_request(route, method, status)
        requests.inc()
        durations.observe(seconds)
        process_and_model = os.getpid(), model
        if process_and_model != self._reported:  # once per worker: the gauge keeps its value
            self.model.labels(model).set(1)
            self._reported = process_and_model

    def count_reading(self, reading: Reading) -> None:
        """Count a drawing that was read."""
        result = "none" if reading.digit is None else str(reading.digit)
        self._of_reading(result, reading.reason or "").inc()

    def text(self) -> tuple[bytes, str]:
        """All metrics in the text format of Prometheus, and its content type."""
        from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
        from prometheus_client.multiprocess import MultiProcessCollector

        registry = self.registry
        if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
            registry = CollectorRegistry()
            MultiProcessCollector(registry)
        return generate_latest(registry), CONTENT_TYPE_LATEST


def _begin() -> None:
    begin(request.environ)


def begin(environ: dict[str, Any]) -> None:
    """Take the time of a request, and its ID: the client's, or a new one."""
    if _STARTED not in environ:
        environ[_STARTED] = time.perf_counter()
        sent = environ.get("HTTP_X_REQUEST_ID", "")
        environ[_ID] = sent if _REQUEST_ID.fullmatch(sent) else os.urandom(16).hex()


def _end(response: Response) -> Response:
    environ, rule = request.environ, request.url_rule
    begin(environ)  # the request may have been refused before `_begin`
    route = (rule.rule, environ["REQUEST_METHOD"].upper()) if rule else (UNKNOWN, UNKNOWN)
    response.headers["X-Request-ID"] = end(current_app, environ, route, response.status_code)
    return response


def end(app: Flask, environ: dict[str, Any], route: tuple[str, str], status: int) -> str:
    """Count and log a request, and return its ID.

    Args:
        app: the application that answers it.
        environ: what `begin` was called with.
        route: the route and the method.
        status: of the answer.
    """
    application, id = state_of(app), environ[_ID]
    seconds = time.perf_counter() - environ[_STARTED]
    model = application.classifier.model
    if application.metrics:
        application.metrics.count_request(*route, status, seconds, model)
    if app.config["LOG"]:
        line = {
            "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "route": route[0],
            "status": status,
            "ms": round(1000 * seconds, 2),
            "request": id,
            "model": model,
        }
        with suppress(OSError):  # the answer goes out even if a full disk stops the log
            sys.stdout.write(json.dumps(line) + "\n")
            sys.stdout.flush()
    return id


def count_reading(reading: Reading) -> None:
    """Count a drawing that was read."""
    metrics = state().metrics
    if metrics:
        metrics.count_reading(reading)


def count_number(reading: NumberReading) -> None:
    """Count a picture in which a number was looked for."""
    metrics = state().metrics
    if metrics:
        result = "none" if reading.reason else "number"
        metrics.readings.labels(result, reading.reason or "").inc()


def count_saved() -> None:
    """Count a new drawing that was saved."""
    metrics = state().metrics
    if metrics:
        metrics.saved.inc()


@blueprint.get("/readyz")
def ready() -> Response:
    """Whether the server can do its work: 200, or 503 with what does not work and why."""
    wrong: dict[str, str] = {}
    try:
        rows = state().classifier.classify(np.ones((1, *SHAPE), np.float32))
        if not np.isfinite(rows).all():
            raise ValueError("its answer is not a number")
    except (OSError, ValueError, RuntimeError) as error:
        wrong["network"] = str(error)
    for name, check in state().checks.items():
        if reason := check():
            wrong[name] = reason
    response = jsonify(
        status="unavailable" if wrong else "ready",
        wrong=wrong,
        model=state().classifier.model,
    )
    response.status_code = 503 if wrong else 200
    return response


@blueprint.get("/metrics")
def metrics() -> Response:
    """The metrics in the text format of Prometheus. nginx hides this address from outside."""
    metrics = state().metrics
    if metrics is None:
        return errors.error_response(
            "not_found",
            "Metrics are off: DIGITRE_METRICS is 0, or this worker had no memory for them.",
        )
    text, content_type = metrics.text()
    return Response(text, content_type=content_type)
