"""The API: every form a drawing may come in, every answer, every error."""

from __future__ import annotations

import base64
import errno
import io
import json
import tempfile
import urllib.parse

import numpy as np
import pytest
from conftest import assert_error, data_url, png
from PIL import Image, PngImagePlugin
from strokes import DIGITS, OTHERS, drawn

from digitre import create_app
from digitre.recognition.classifier import Classifier
from digitre.recognition.preprocessing import preprocess

SEVEN = png(drawn(DIGITS[7]))
URL = data_url(SEVEN)
PACKED = URL.split(",")[1]
PIXELS = np.rint(preprocess(SEVEN)[0, :, :, 0] * 255).astype(int)
ODD_TYPES = ["application/json", "application/x-www-form-urlencoded", "text/plain", "image/png", ""]


def with_text(file: bytes) -> bytes:
    """A PNG that says where it comes from, in an address that reads like a form."""
    info = PngImagePlugin.PngInfo()
    info.add_text("Source", "https://x.example/s?q=7&img=1&digit=2")
    return png(Image.open(io.BytesIO(file)), pnginfo=info)


FORMS = {
    "bytes that spell a form": with_text(SEVEN),
    "the original page's list": json.dumps([{"digit": URL}]),
    "an object": json.dumps({"digit": URL}),
    "bare base64 in JSON": json.dumps({"digit": PACKED}),
    "JSON with white space": "\n  " + json.dumps([{"digit": URL}], indent=2) + "\n",
    "JSON with a byte order mark": "\ufeff" + json.dumps({"digit": URL}),
    "a JSON text": json.dumps(URL),
    "a data URL": URL,
    "base64": PACKED,
    "base64 in lines": "\n".join(PACKED[i : i + 76] for i in range(0, len(PACKED), 76)),
    "bytes": SEVEN,
    "JPEG bytes": png(drawn(DIGITS[7]), "JPEG", quality=90),
    "WebP bytes": png(drawn(DIGITS[7]), "WEBP"),
    "784 values": json.dumps({"image": ",".join(map(str, PIXELS.ravel()))}),
    "784 values with blanks": json.dumps({"image": ", ".join(map(str, PIXELS.ravel()))}),
    "784 decimal values": json.dumps({"image": ",".join(f"{v:.1f}" for v in PIXELS.ravel())}),
    "28 lists of 28": json.dumps({"image": PIXELS.tolist()}),
    "a list of 784": json.dumps({"image": PIXELS.ravel().tolist()}),
    "the form field img": "img=" + urllib.parse.quote(URL, safe=""),
    "the form field image": "image=" + urllib.parse.quote(URL, safe=""),
    "the form field digit": "digit=" + urllib.parse.quote_plus(URL),
    "a form field among others": "csrf=a%26b&img=" + urllib.parse.quote(URL, safe="") + "&x=",
    "a form field not encoded": "img=" + URL,
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_is_read_whatever_its_type(client, form: str) -> None:
    """A form is known by its bytes: any Content-Type gives the same answer."""
    for kind in ODD_TYPES:
        response = client.post("/_get_digit", data=FORMS[form], content_type=kind)
        assert response.status_code == 200, response.get_data(as_text=True)
        assert response.get_json()["digit"] == 7, form


@pytest.mark.parametrize("name", ["seven.png", "no extension", "x" * 3000, "../../etc/passwd", ""])
def test_an_upload_is_read_whatever_its_name(client, name: str) -> None:
    """A multipart file in the field `image`."""
    sent = {"image": (io.BytesIO(SEVEN), name)} if name else {"image": URL}
    response = client.post("/_get_digit", data=sent, content_type="multipart/form-data")
    assert response.get_json()["digit"] == 7


def test_a_large_upload_needs_no_disk(client, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file of nearly a megabyte, where no temporary file can be made."""

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "no space left")

    monkeypatch.setattr(tempfile, "TemporaryFile", full)
    picture = png(np.pad(drawn(DIGITS[7]), 325), compress_level=0)
    assert 500_000 < len(picture) < 1_000_000
    head = b'--x\r\nContent-Disposition: form-data; name="image"; filename="large.png"\r\n\r\n'
    kind = "multipart/form-data; boundary=x"
    sent = head + picture + b"\r\n--x--\r\n"
    response = client.post("/_get_digit", data=sent, content_type=kind)
    assert response.status_code == 200
    assert response.get_json()["digit"] == 7


def test_the_whole_answer(client) -> None:
    """Every field of a reading, and nothing else."""
    answer = client.post("/_get_digit", json=[{"digit": URL}]).get_json()
    reading = Classifier().read(SEVEN)
    assert list(answer) == [
        "result",
        "probability",
        "digit",
        "confidence",
        "probabilities",
        "not_a_digit",
        "candidates",
        "prediction",
        "reason",
        "model",
    ]
    assert answer["result"] == "7"
    assert answer["probability"] == f"({100 * reading.confidence:.1f}% probability)"
    assert answer["digit"] == 7
    assert answer["prediction"] == "7"
    assert answer["reason"] is None
    assert answer["model"] == reading.model
    assert answer["probabilities"] == pytest.approx(reading.probabilities, abs=1e-6)
    assert sum(answer["probabilities"]) + answer["not_a_digit"] == pytest.approx(1, abs=1e-5)
    assert answer["candidates"][0] == {"digit": 7, "probability": answer["confidence"]}
    assert len(answer["candidates"]) == 3


def test_no_digit(client) -> None:
    """A scribble: the original's words, and the digit it is most like all the same."""
    answer = client.post("/_get_digit", data=png(drawn(OTHERS["scribble"]))).get_json()
    assert answer["result"] == "Huh..."
    assert answer["probability"] == "You call that a digit?"
    assert answer["digit"] is None
    assert answer["prediction"] in "0123456789"
    assert answer["reason"] in ("not_a_digit", "unsure")


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L"])
def test_a_blank_drawing(client, mode: str) -> None:
    """An empty canvas is a 200, not a crash."""
    answer = client.post("/_get_digit", data=png(Image.new(mode, (250, 250)))).get_json()
    answer.pop("model")
    assert answer == {
        "result": "Huh...",
        "probability": "You call that a digit?",
        "digit": None,
        "confidence": 0,
        "probabilities": [0] * 10,
        "not_a_digit": 1,
        "candidates": [],
        "prediction": None,
        "reason": "blank",
    }


def test_the_threshold_of_a_request(client) -> None:
    """A request's threshold decides for this request alone."""
    confidence = client.post("/_get_digit", data=SEVEN).get_json()["confidence"]
    blot = png(drawn(OTHERS["scribble"]))
    assert client.post("/_get_digit?threshold=0", data=blot).get_json()["digit"] is not None
    assert client.post("/_get_digit", data=blot).get_json()["digit"] is None
    assert confidence > 0.6


def test_the_threshold_of_the_application() -> None:
    """The setting is what holds where a request names none."""
    client = create_app({"THRESHOLD": 0}).test_client()
    blot = png(drawn(OTHERS["scribble"]))
    assert client.post("/_get_digit", data=blot).get_json()["digit"] is not None


def test_steps_are_pictures(client) -> None:
    """With steps=1 each step comes as a PNG; the last is what the network saw."""
    answer = client.post("/_get_digit?steps=1", data=SEVEN).get_json()
    plain = client.post("/_get_digit", data=SEVEN).get_json()
    steps = answer.pop("steps")
    assert answer == plain
    assert [step["name"] for step in steps] == ["decode", "crop", "centre", "resize", "scale"]
    pictures = [
        Image.open(
            io.BytesIO(base64.b64decode(step["image"].removeprefix("data:image/png;base64,")))
        )
        for step in steps
    ]
    assert [picture.format for picture in pictures] == ["PNG"] * 5
    assert pictures[0].size == (250, 250)
    assert pictures[-1].size == (28, 28)
    np.testing.assert_array_equal(np.asarray(pictures[-1]), PIXELS)


def test_steps_of_a_blank(client) -> None:
    """A blank drawing has its steps too."""
    answer = client.post("/_get_digit?steps=1", data=png(Image.new("L", (9, 9)))).get_json()
    assert answer["reason"] == "blank"
    assert len(answer["steps"]) == 5


def test_health(client) -> None:
    """Alive, with the network's version and what else is offered."""
    answer = client.get("/healthz").get_json()
    assert answer == {
        "status": "ok",
        "model": Classifier().model,
        "features": ["steps", "explain", "save"],
    }


def test_the_page(client) -> None:
    """The page is served with a policy that forbids everything from elsewhere."""
    response = client.get("/")
    assert response.status_code == 200
    assert response.mimetype == "text/html"
    policy = response.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy
    assert "http" not in response.get_data(as_text=True)


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("get", "/nothing", 404, "not_found"),
        ("get", "/static/../wsgi.py", 404, "not_found"),
        ("get", "/static/nothing.js", 404, "not_found"),
        ("get", "/_get_digit", 405, "method_not_allowed"),
        ("delete", "/_get_digit", 405, "method_not_allowed"),
        ("post", "/healthz", 405, "method_not_allowed"),
    ],
)
def test_wrong_addresses(client, method: str, path: str, status: int, code: str) -> None:
    """404 and 405 are JSON as well, the latter with what is allowed."""
    response = getattr(client, method)(path)
    assert_error(response, status, code)
    assert ("Allow" in response.headers) is (status == 405)


def test_two_slashes_are_no_redirect(client) -> None:
    """`//_get_digit` is answered in JSON, not by a redirect in HTML that repeats the request."""
    elsewhere = {"PATH_INFO": "//_get_digit", "QUERY_STRING": "x=<b>"}
    response = client.post("/", data=SEVEN, environ_overrides=elsewhere)
    assert response.get_json()["digit"] == 7
    assert_error(client.get("/x//y"), 404, "not_found")


def test_what_nobody_foresaw_is_json_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault of the code itself is a 500 in the one shape, without its traceback."""
    app = create_app()

    def fail(*_):
        raise RuntimeError("secret")

    monkeypatch.setattr(Classifier, "decide", fail)
    response = app.test_client().post("/_get_digit", data=SEVEN)
    assert_error(response, 500, "internal_error")
    assert "secret" not in response.get_data(as_text=True)


@pytest.mark.parametrize(
    ("file", "status", "said"),
    [
        (SEVEN, 200, "% probability"),
        (b"", 400, "empty"),
        (png(Image.new("L", (9, 9)), "GIF"), 415, "PNG"),
    ],
)
def test_the_form_of_the_page(client, file: bytes, status: int, said: str) -> None:
    """A file posted to the page itself: the page again, with the answer or with what was wrong."""
    sent = {"image": (io.BytesIO(file), "digit.png")}
    response = client.post("/", data=sent, content_type="multipart/form-data")
    assert response.status_code == status
    assert response.mimetype == "text/html"
    assert said in response.get_data(as_text=True)


def test_a_network_without_its_card_is_served_all_the_same(tmp_path) -> None:
    """Another network, or one whose card is of another or broken: no figures, no failure."""
    network = tmp_path / "other.tflite"
    network.write_bytes(Classifier().path.read_bytes())
    for card in (None, "{", "[]", '{"model": "another"}'):
        if card is not None:
            network.with_suffix(".json").write_text(card)
        page = create_app({"MODEL": network}).test_client().get("/").get_data(as_text=True)
        assert "other-" in page
        assert "read right" not in page
