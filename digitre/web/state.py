"""The state of one application: its network, its metrics, and what it opens at first use."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from flask import Flask, current_app

from digitre.recognition.card import Card
from digitre.recognition.classifier import Classifier

if TYPE_CHECKING:
    from digitre.drawings.collection import Drawings
    from digitre.recognition.baselines import DemoClassifier
    from digitre.web.monitoring import Metrics

EXTENSION = "digitre"  # the key in `app.extensions`
FEATURES = ["steps", "explain"]  # what every application can do besides reading


@dataclass
class State:
    """The state of one application.

    Attributes:
        classifier: reads the drawings.
        card: the model card of the network, or None if there is none.
        metrics: the counters for Prometheus, or None if DIGITRE_METRICS is 0.
        checks: the checks of /readyz besides the network, by name; each returns what is wrong, or "".
        demos: the published demos' networks by name, loaded when networks are first compared.
        drawings: the saved drawings, opened when the first one is saved.
        secret: the key that signs receipts, read when the first drawing is saved.
        openapi: the description of the API, made when it is first requested.
    """

    classifier: Classifier
    card: Card | None = None
    metrics: Metrics | None = None
    checks: dict[str, Callable[[], str]] = field(default_factory=dict)
    demos: dict[str, DemoClassifier] | None = None
    drawings: Drawings | None = None
    secret: bytes | None = None
    openapi: dict[str, Any] | None = None


def attach(app: Flask, state: State) -> None:
    """Give an application its state."""
    app.extensions[EXTENSION] = state


def state_of(app: Flask) -> State:
    """The state of this application. Raises KeyError if `attach` has not been called."""
    return app.extensions[EXTENSION]


def state() -> State:
    """The state of the application that answers the current request."""
    return current_app.extensions[EXTENSION]


def features(app: Flask) -> list[str]:
    """What an application can do besides reading. /healthz lists it for the page."""
    return [*FEATURES, "save"] if app.config["SAVING"] else FEATURES
