"""A worker is warm before it takes requests."""

from __future__ import annotations

import pytest
from conftest import ROOT

from digitre import create_app
from digitre.recognition.classifier import Classifier
from digitre.serving.warm import warm
from digitre.web.state import state_of


def test_a_worker_is_warm() -> None:
    """gunicorn's settings warm each worker: its network is loaded before its first request, and nothing is counted."""
    settings = (ROOT / "deploy" / "gunicorn.conf.py").read_text()
    hook = settings.partition("def post_worker_init(worker):")[2].partition("\ndef ")[0]
    assert "warm(worker.wsgi)" in hook
    app = create_app()
    own = state_of(app).classifier._own
    assert not hasattr(own, "parts")
    warm(app)
    assert hasattr(own, "parts")
    assert "readings_total{" not in app.test_client().get("/metrics").text


def test_what_cannot_be_warmed_is_served_cold(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another application, and a network that fails, do not keep a worker from starting."""

    def broken(*_: object) -> None:
        raise RuntimeError

    warm(lambda environ, start_response: [])
    monkeypatch.setattr(Classifier, "detect", broken)
    warm(create_app())
