"""POST /_compare: the readings of Digitre's network and of the published demos' networks."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT, assert_error, data_url, gunicorn, png, workers
from strokes import DIGITS, OTHERS, drawn

from digitre import create_app
from digitre.recognition import baselines
from digitre.recognition.baselines import DEMOS, DemoClassifier

FILE = png(drawn(DIGITS[7]))
URL = data_url(FILE)
SCRIBBLE = png(drawn(OTHERS["scribble"]))
FIELDS = ("result", "probability", "digit", "confidence", "model")
FORMS: dict[str, dict[str, Any]] = {
    "a list of an object": {"json": [{"digit": URL}]},
    "an object": {"json": {"image": URL}},
    "a data URL": {"data": URL},
    "a file": {"data": FILE},
    "a form": {"data": {"img": URL}},
    "an upload": {"data": {"image": (io.BytesIO(FILE), "seven.png")}},
}


@pytest.fixture(scope="module")
def client():
    """One application for all tests: it loads the networks once."""
    return create_app({"TESTING": True}).test_client()


def readings(client, **request: Any) -> list[dict[str, Any]]:
    answer = client.post("/_compare", **request)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    assert list(answer.get_json()) == ["readings"]
    return answer.get_json()["readings"]


@pytest.mark.parametrize("form", FORMS)
def test_a_picture_may_come_in_every_form(client, form: str) -> None:
    """All forms of a picture that /_get_digit takes are compared, and the order is always the same."""
    found = readings(client, **FORMS[form])
    assert [each["network"] for each in found] == ["digitre", *DEMOS]
    assert found == readings(client, data=FILE)
    assert found[0]["digit"] == 7


def test_grey_values_are_compared(client) -> None:
    """784 grey values are a picture for every network."""
    values = [[0.9 if 4 <= y < 24 and x in (13, 14) else 0 for x in range(28)] for y in range(28)]
    found = readings(client, json={"image": values})
    assert len(found) == 6
    own = client.post("/_get_digit", json={"image": values}).get_json()
    assert found[0] == {"network": "digitre", **{name: own[name] for name in FIELDS}}


@pytest.mark.parametrize("query", ["", "?threshold=0", "?threshold=0.999"])
@pytest.mark.parametrize("picture", [FILE, SCRIBBLE, png(drawn(DIGITS[4]), "JPEG")])
def test_each_network_reads_as_it_does_alone(client, picture: bytes, query: str) -> None:
    """Digitre's reading is the one of /_get_digit, a demo's the one of its network; the threshold is for all."""
    least = float(query.partition("=")[2] or 0.6)
    own, *others = client.post(f"/_compare{query}", data=picture).get_json()["readings"]
    alone = client.post(f"/_get_digit{query}", data=picture).get_json()
    assert own == {"network": "digitre", **{name: alone[name] for name in FIELDS}}
    for other in others:
        name = other["network"]
        alone = DemoClassifier(name).read_content(picture, least).to_dict()
        assert other == {"network": name, **{field: alone[field] for field in FIELDS}}


def test_a_threshold_refuses(client) -> None:
    """Below the threshold a network's answer is "Huh...", in the words of a reading."""
    found = readings(client, query_string="threshold=1", data=SCRIBBLE)
    assert {each["result"] for each in found} == {"Huh..."}
    assert {each["probability"] for each in found} == {"You call that a digit?"}
    answered = readings(client, query_string="threshold=0", data=SCRIBBLE)
    assert None not in [each["digit"] for each in answered]


@pytest.mark.parametrize(
    ("body", "query", "status", "code"),
    [
        (b"", "", 400, "empty_body"),
        (b"hello", "", 400, "bad_base64"),
        (FILE[:200], "", 400, "not_a_picture"),
        (b"{", "", 400, "malformed_json"),
        (json.dumps([{"digit": URL}] * 2).encode(), "", 400, "no_picture"),
        (b"<svg/>", "", 415, "unsupported_format"),
        (FILE, "?threshold=2", 400, "bad_threshold"),
        (b"a" * (2**23 + 1), "", 413, "body_too_large"),
    ],
    ids=lambda value: value if isinstance(value, str) and "_" in value else "",
)
def test_bad_input_has_its_error(client, body: bytes, query: str, status: int, code: str) -> None:
    """What cannot be read gets the error that /_get_digit gives."""
    assert_error(client.post(f"/_compare{query}", data=body), status, code)
    assert_error(client.post(f"/_get_digit{query}", data=body), status, code)


def test_a_missing_network_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An installation without some of the demos' files compares those that are there."""
    shutil.copy(baselines.FOLDER / "mlp-2x128.tflite", tmp_path)
    monkeypatch.setattr(baselines, "FOLDER", tmp_path)
    client = create_app({"TESTING": True}).test_client()
    assert [each["network"] for each in readings(client, data=FILE)] == ["digitre", "mlp-2x128"]
    shutil.copy(baselines.FOLDER / "mlp-2x128.tflite", tmp_path / "mlp-256.tflite")
    assert len(readings(client, data=FILE)) == 2  # they are loaded once


def test_a_damaged_network_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A demo's file that does not work, or is another network, takes no part; the log names it."""
    good = (baselines.FOLDER / "mlp-2x128.tflite").read_bytes()
    (tmp_path / "mlp-256.tflite").write_bytes(b"not a network")
    (tmp_path / "mlp-3x128.tflite").write_bytes(good[: len(good) // 2])
    (tmp_path / "mlp-2x128.tflite").write_bytes(good)
    (tmp_path / "cnn-3x3.tflite").write_bytes(b"")
    (tmp_path / "digitre-2017.tflite").write_bytes(good[:8] + b"\xff" * (len(good) - 8))
    monkeypatch.setattr(baselines, "FOLDER", tmp_path)
    client = create_app({"TESTING": True}).test_client()
    assert [each["network"] for each in readings(client, data=FILE)] == ["digitre", "mlp-2x128"]
    for name in set(DEMOS) - {"mlp-2x128"}:
        assert name in caplog.text


def test_digitres_own_reading_is_counted(client) -> None:
    """The metrics count one reading for each comparison: the one of the served network."""

    def counted() -> float:
        text = client.get("/metrics").get_data(as_text=True)
        rows = [line for line in text.splitlines() if line.startswith("digitre_readings_total{")]
        return sum(float(line.rsplit(" ", 1)[1]) for line in rows)

    before = counted()
    readings(client, data=FILE)
    assert counted() == before + 1


def test_only_a_comparison_loads_the_networks() -> None:
    """A fresh process that reads a drawing has loaded nothing of the demos; one that compares has."""
    code = (
        "import sys, wsgi\n"
        "client, file = wsgi.app.test_client(), sys.stdin.buffer.read()\n"
        "def loaded(path):\n"
        "    assert client.post(path, data=file).status_code == 200\n"
        "    return 'digitre.recognition.baselines' in sys.modules, bool(wsgi.app.extensions['digitre'].demos)\n"
        "print(loaded('/_get_digit'), loaded('/_compare'))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], input=FILE, cwd=ROOT, capture_output=True, check=True
    )
    assert done.stdout.splitlines()[-1] == b"(False, False) (True, True)"


@pytest.mark.slow
def test_a_worker_that_compares_does_not_grow(tmp_path: Path) -> None:
    """A worker of a real server has less than 120 MB after comparisons, and does not grow with their number."""

    def megabytes() -> float:
        status = Path(f"/proc/{workers(tmp_path / 'log')[-1]}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0]) / 1024

    options = {"WEB_CONCURRENCY": "1", "DIGITRE_INSTANCE": str(tmp_path / "instance")}
    with gunicorn(tmp_path / "log", "--config", "deploy/gunicorn.conf.py", **options) as address:
        sizes = []
        for _ in range(2):
            for body in (FILE, SCRIBBLE) * 5:
                with urllib.request.urlopen(f"{address}/_compare", body, timeout=20) as answer:
                    assert len(json.load(answer)["readings"]) == 6
            sizes.append(megabytes())
    assert sizes[1] < 120, sizes
    assert sizes[1] - sizes[0] < 1, sizes
