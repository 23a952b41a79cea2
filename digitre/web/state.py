"""What one application holds: its network, its metrics, and what it opens at first use."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from flask import Flask, current_app

from digitre.recognition.classifier import Classifier

if TYPE_CHECKING:
    from digitre.drawings.collection import Drawings
    from digitre.web.monitoring import Metrics

EXTENSION = "digitre"  # the key in `app.extensions`
FEATURES = ["steps", "explain"]  # what every application offers besides reading


@dataclass
class State:
    """The state of one application.

    Attributes:
        classifier: reads the drawings.
        card: what is known of the network, or None.
        metrics: the counters for Prometheus, or None if DIGITRE_METRICS is 0.
        checks: what /readyz asks besides the network, by name: each returns whether it works.
        drawings: the saved drawings, opened when the first one is saved.
        secret: signs receipts; read when the first drawing is saved.
        openapi: the API's description, made when it is first asked for.
    """

    classifier: Classifier
    card: dict[str, Any] | None = None
    metrics: Metrics | None = None
    checks: dict[str, Callable[[], bool]] = field(default_factory=dict)
    drawings: Drawings | None = None
    secret: bytes | None = None
    openapi: dict[str, Any] | None = None


def attach(app: Flask, state: State) -> None:
    """Give an application its state."""
    app.extensions[EXTENSION] = state


def state_of(app: Flask) -> State:
    """The state of this application."""
    return app.extensions[EXTENSION]


def state() -> State:
    """The state of the application that answers the current request."""
    return current_app.extensions[EXTENSION]


def features(app: Flask) -> list[str]:
    """What an application offers besides reading. /healthz lists it; the page shows what it finds."""
    return [*FEATURES, "save"] if app.config["SAVING"] else FEATURES
