"""The short way of a reading gives exactly what the whole way through Flask gives."""

from __future__ import annotations

import io
import json
import re

import pytest
from bad_inputs import CASES, SEVEN, URL
from conftest import assert_error
from test_views import FORMS
from werkzeug.exceptions import ClientDisconnected
from werkzeug.test import EnvironBuilder

from digitre import create_app
from digitre.recognition.classifier import Classifier
from digitre.web import shares

PLAIN = {
    "path": "/_get_digit",
    "method": "POST",
    "data": json.dumps([{"digit": URL}]),
    "content_type": "application/json",
    "headers": {"X-Request-ID": "a"},
}
# More requests that decide which way is taken.
EDGES = {
    "compact JSON": {"data": f'[{{"digit":"{URL}"}}]'},
    "a compact object": {"data": f'{{"digit":"{URL}"}}'},
    "two fields": {"data": f'{{"digit":"{URL}","img":"{URL}"}}'},
    "two objects": {"data": f'[{{"digit":"{URL}"}},{{"digit":"{URL}"}}]'},
    "base64 in base64": {"data": f'[{{"digit":"data:image/png;base64,{FORMS["base64"]}"}}]'},
    "base64 without padding": {"data": f'[{{"digit":"{URL.rstrip("=")}"}}]'},
    "a line end in base64": {"data": f'[{{"digit":"{URL}\\n"}}]'},
    "a quote after base64": {"data": f'[{{"digit":"{URL}\'"}}]'},
    "no base64": {"data": '[{"digit":"data:image/png;base64,"}]'},
    "text in base64": {"data": '[{"digit":"data:image/png;base64,aGVsbG8="}]'},
    "a broken picture": {"data": f'[{{"digit":"{URL[:400]}"}}]'},
    "/predict": {"path": "/predict"},
    "another address": {"path": "/_get_digit/"},
    "GET": {"method": "GET"},
    "PUT": {"method": "PUT"},
    "OPTIONS": {"method": "OPTIONS"},
    "a small letter": {"method": "post"},
    "a threshold": {"query_string": "threshold=0.99"},
    "a threshold of 1": {"query_string": "threshold=1"},
    "two thresholds": {"query_string": "threshold=0.5&threshold=0.6"},
    "a wrong threshold": {"query_string": "threshold=1.5"},
    "a threshold in letters": {"query_string": "threshold=nan"},
    "an unknown parameter": {"query_string": "a=1"},
    "steps": {"query_string": "steps=1"},
    "no body": {"data": b""},
    "too large": {"data": b"x" * (8 * 2**20 + 1)},
    "gzip": {"headers": {"Content-Encoding": "gzip"}},
    "no length": {"headers": {"Transfer-Encoding": "chunked"}},
    "another origin": {"headers": {"Origin": "https://a.example"}},
    "a wrong ID": {"headers": {"X-Request-ID": "a b"}},
    "an upload": {"content_type": "multipart/form-data; boundary=x"},
}
REQUESTS = (
    {name: {"data": form} for name, form in FORMS.items()}
    | {name: {"data": case.body, **case.options} for name, case in CASES.items()}
    | EDGES
)


@pytest.fixture(scope="module")
def both():
    """The same application twice: as it is, and without the short way."""
    short, whole = create_app(), create_app()
    whole.wsgi_app = whole.wsgi_app.whole_way
    return short, whole


def answer(app, options: dict) -> tuple:
    """The status, the headers and the body; the ID of the request is replaced if it is a new one."""
    options = PLAIN | options
    options["headers"] = {**PLAIN["headers"], **options.get("headers", {})}
    got = app.test_client().open(**options)
    headers = [(name, re.sub("^[0-9a-f]{32}$", "new", value)) for name, value in got.headers]
    return got.status, sorted(headers), got.get_data()


def counts(app) -> list[str]:
    """What the metrics have counted, without seconds."""
    text = app.test_client().get("/metrics").text
    return [
        line
        for line in text.splitlines()
        if not re.search("^#|_seconds_(bucket|sum)|_created|/metrics", line)
    ]


@pytest.mark.parametrize("name", REQUESTS)
def test_both_ways_give_the_same(both, name: str) -> None:
    """A request gets the same status, headers and body by the short way as by the whole way."""
    short, whole = both
    assert answer(short, REQUESTS[name]) == answer(whole, REQUESTS[name])


def test_both_ways_count_the_same(both) -> None:
    """After the same requests, good and bad, the metrics of both ways are the same."""
    short, whole = create_app(), create_app()
    whole.wsgi_app = whole.wsgi_app.whole_way
    for options in EDGES.values():
        answer(short, options)
        answer(whole, options)
    assert counts(short) == counts(whole)


@pytest.mark.parametrize(
    "setting",
    [
        {"TRUSTED_HOSTS": ["localhost"]},
        {"TRUSTED_HOSTS": ["digits.example"]},
        {"CORS_ORIGINS": ["https://a.example"]},
        {"MAX_BODY": 1000},
        {"THRESHOLD": 1.0},
        {"METRICS": False},
    ],
    ids=str,
)
def test_settings_count_both_ways(setting: dict) -> None:
    """Each setting that changes an answer changes it by the short way, too."""
    short, whole = create_app(setting), create_app(setting)
    whole.wsgi_app = whole.wsgi_app.whole_way
    for options in ({}, EDGES["another origin"], EDGES["a broken picture"]):
        assert answer(short, options) == answer(whole, options)


def way(app, options: dict, monkeypatch: pytest.MonkeyPatch) -> str:
    """Which way a request takes."""
    taken = []
    whole_way = app.wsgi_app.whole_way

    def spy(environ, start_response):
        taken.append("whole")
        return whole_way(environ, start_response)

    monkeypatch.setattr(app.wsgi_app, "whole_way", spy)
    assert app.test_client().open(**PLAIN | options).status_code == 200
    return taken[0] if taken else "short"


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, "short"),
        (EDGES["compact JSON"], "short"),
        (EDGES["/predict"], "short"),
        (EDGES["a threshold"], "short"),
        ({"data": SEVEN}, "short"),
        (EDGES["steps"], "whole"),
        (EDGES["an unknown parameter"], "whole"),
    ],
    ids=str,
)
def test_plain_requests_take_the_short_way(monkeypatch, options: dict, expected: str) -> None:
    """A reading without queries but a threshold does not go through Flask; any other one does."""
    assert way(create_app(), options, monkeypatch) == expected


def test_a_bad_picture_is_decoded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the short way could not read is not read again to make the error."""
    calls = []
    detect = Classifier.detect
    monkeypatch.setattr(Classifier, "detect", lambda *args: calls.append(args) or detect(*args))
    broken = create_app().test_client().open(**PLAIN | EDGES["a broken picture"])
    assert_error(broken, 400, "not_a_picture")
    assert len(calls) == 1


def test_a_client_that_goes_gets_its_error() -> None:
    """If the body cannot be read to its end, the answer is the whole way's: 400, bad_request."""

    class Gone(io.RawIOBase):
        def read(self, size: int = -1) -> bytes:
            raise ClientDisconnected

    statuses = []
    environ = EnvironBuilder(**PLAIN).get_environ() | {"wsgi.input": Gone()}
    body = b"".join(create_app().wsgi_app(environ, lambda status, headers: statuses.append(status)))
    assert statuses == ["400 BAD REQUEST"]
    assert json.loads(body)["error"]["code"] == "bad_request"


@pytest.mark.parametrize(("seconds", "status"), [(0.0, 200), (5.0, 429)])
def test_the_share_of_an_address_counts(
    both, monkeypatch: pytest.MonkeyPatch, seconds: float, status: int
) -> None:
    """An address that nginx limits pays for its time, and waits if it has used up its share, by both ways."""
    charged = []
    monkeypatch.setattr(shares, "wait", lambda place: seconds)
    monkeypatch.setattr(shares, "charge", lambda place, used: charged.append((place, used > 0)))
    limited = {"headers": {"X-Digitre-Limited": "1", "X-Forwarded-For": "192.0.2.1"}}
    short, whole = (answer(app, limited) for app in both)
    assert short == whole
    assert short[0].startswith(str(status))
    assert charged == ([(shares.place_of("192.0.2.1"), True)] * 2 if status == 200 else [])


def test_a_fault_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    """An error of the network that is not about the picture becomes a 500, as by the whole way."""

    def broken(*_: object) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr(Classifier, "detect", broken)
    assert_error(create_app().test_client().open(**PLAIN), 500, "internal_error")
