"""The access log, the metrics, and readiness."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from conftest import ROOT, assert_error, data_url, gunicorn, png, workers
from strokes import DIGITS, OTHERS, drawn

from digitre import create_app

SEVEN = png(drawn(DIGITS[7]))


@pytest.fixture
def app(tmp_path: Path):
    return create_app({"TESTING": True, "INSTANCE": tmp_path / "instance", "LOG": True})


def lines(text: str) -> list[dict]:
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


def test_a_line_for_each_request(client, capsys: pytest.CaptureFixture) -> None:
    """The log has time, route, status, milliseconds, request id and model; no drawing, no address."""
    client.post("/_get_digit?threshold=0.5", data=SEVEN, headers={"X-Request-ID": "abc-1"})
    client.get("/a/made-up/address")
    client.post("/_get_digit", data="hello")
    logged = lines(capsys.readouterr().out)
    assert [line["route"] for line in logged] == ["/_get_digit", "unknown", "/_get_digit"]
    assert [line["status"] for line in logged] == [200, 404, 400]
    assert set(logged[0]) == {"time", "route", "status", "ms", "request", "model"}
    assert logged[0]["request"] == "abc-1"
    assert 0 < logged[0]["ms"] < 5000
    assert re.fullmatch("[0-9a-f]{32}", logged[1]["request"])


def test_without_the_setting_there_are_no_lines(capsys: pytest.CaptureFixture) -> None:
    """The application logs nothing unless DIGITRE_LOG is 1."""
    create_app({"TESTING": True}).test_client().get("/healthz")
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("sent", ["", "a b", "x" * 65, "ü", 'a"b'])
def test_the_request_id_is_returned(client, sent: str) -> None:
    """The answer has the request id of the client or of nginx; an invalid one is replaced."""
    assert client.get("/healthz", headers={"X-Request-ID": "A.b-1"}).headers["X-Request-ID"] == (
        "A.b-1"
    )
    headers = {"X-Request-ID": sent.encode("utf-8").decode("latin-1")}
    answered = client.get("/nothing", headers=headers).headers["X-Request-ID"]
    assert re.fullmatch("[0-9a-f]{32}", answered)


def test_ready(client) -> None:
    """/readyz is 200 if the network and the database work."""
    response = client.get("/readyz")
    assert response.status_code == 200
    assert response.get_json()["status"] == "ready"


def test_not_ready(app, tmp_path: Path) -> None:
    """/readyz is 503 and says what is wrong if the network or the database does not work."""
    broken = tmp_path / "broken.sqlite3"
    broken.write_bytes(b"no database at all" * 100)
    settings = {"TESTING": True, "DATABASE_URL": f"sqlite:///{broken}"}
    client = create_app(settings).test_client()
    response = client.get("/readyz")
    assert response.status_code == 503
    assert response.get_json()["wrong"] == {"database": "it does not answer"}
    assert client.get("/healthz").status_code == 200
    assert create_app(settings | {"SAVING": False}).test_client().get("/readyz").status_code == 200

    def fails(_):
        raise RuntimeError("out of memory")

    app.extensions["digitre"].classifier.classify = fails
    response = app.test_client().get("/readyz")
    assert response.status_code == 503
    assert response.get_json()["wrong"] == {"network": "out of memory"}


def test_a_full_disk_is_not_ready(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """/readyz says that no drawing can be saved if none fits onto the disk, and is well again with room."""
    client = create_app({"TESTING": True, "INSTANCE": tmp_path}).test_client()
    body = {"digit": data_url(SEVEN), "label": 7}
    assert client.post("/_save_drawing", json=body).status_code == 201
    with monkeypatch.context() as full:
        full.setattr(tempfile, "TemporaryFile", lambda dir: open("/dev/full", "wb"))  # noqa: SIM115
        response = client.get("/readyz")
    assert response.status_code == 503
    reason = "drawings cannot be saved: No space left on device"
    assert response.get_json()["wrong"] == {"database": reason}
    assert client.get("/readyz").status_code == 200


def values(text: str) -> dict[str, float]:
    rows = [line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, value in rows}


def test_metrics(app, client) -> None:
    """/metrics has requests, seconds, readings by digit and reason, saved drawings and the model."""
    client.post("/_get_digit", data=SEVEN)
    client.post("/_get_digit", data=png(drawn(OTHERS["scribble"])))
    client.get("/made-up-1")
    body = {"digit": data_url(SEVEN), "label": 7, "writer": "w1"}
    for _ in range(2):
        client.post("/_save_drawing", json=body)
    metrics = values(client.get("/metrics").get_data(as_text=True))
    key = 'digitre_requests_total{method="POST",route="/_get_digit",status="200"}'
    assert metrics[key] == 2
    assert metrics['digitre_requests_total{method="unknown",route="unknown",status="404"}'] == 1
    assert metrics['digitre_request_seconds_count{route="/_get_digit"}'] == 2
    assert metrics['digitre_readings_total{reason="",result="7"}'] == 1
    assert metrics['digitre_readings_total{reason="not_a_digit",result="none"}'] == 1
    assert metrics["digitre_drawings_saved_total"] == 1
    model = app.extensions["digitre"].classifier.model
    assert metrics[f'digitre_model{{model="{model}"}}'] == 1


def test_no_metrics() -> None:
    """DIGITRE_METRICS=0 removes /metrics, and its library is not loaded."""
    assert_error(create_app({"METRICS": False}).test_client().get("/metrics"), 404, "not_found")
    code = (
        "import os, sys; os.environ['DIGITRE_METRICS'] = '0'\n"
        "import wsgi; wsgi.app.test_client().get('/healthz')\n"
        "sys.exit('prometheus_client' in sys.modules)\n"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0


@pytest.mark.slow
def test_metrics_of_several_workers(tmp_path: Path) -> None:
    """Each worker answers with the metrics of all, those of a killed worker included."""
    log = tmp_path / "log"
    options = {"WEB_CONCURRENCY": "3", "DIGITRE_INSTANCE": str(tmp_path / "instance")}
    with gunicorn(log, "--config", "deploy/gunicorn.conf.py", **options) as address:

        def ask(path: str, data: bytes | None = None) -> str:
            with urllib.request.urlopen(f"{address}{path}", data=data, timeout=20) as answer:
                return answer.read().decode()

        for _ in range(30):
            ask("/_get_digit", SEVEN)
        os.kill(workers(log)[0], signal.SIGKILL)
        for _ in range(30):
            try:
                ask("/_get_digit", SEVEN)
            except (urllib.error.URLError, ConnectionError):
                ask("/_get_digit", SEVEN)  # the killed worker had this request
        read = 'digitre_readings_total{reason="",result="7"}'
        assert [values(ask("/metrics"))[read] for _ in range(6)] == [60] * 6
    logged = lines(log.read_text())
    assert sum(line["route"] == "/_get_digit" for line in logged) == 60
    assert {line["status"] for line in logged} == {200}
