"""The API: every form of a request, every answer, every error."""

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
from digitre.recognition import plain
from digitre.recognition.classifier import Classifier
from digitre.recognition.preprocessing import preprocess

SEVEN = png(drawn(DIGITS[7]))
URL = data_url(SEVEN)
PACKED = URL.split(",")[1]
PIXELS = np.rint(preprocess(SEVEN)[0, :, :, 0] * 255).astype(int)
ODD_TYPES = ["application/json", "application/x-www-form-urlencoded", "text/plain", "image/png", ""]


def with_text(file: bytes) -> bytes:
    """A PNG with a text chunk that looks like a form."""
    info = PngImagePlugin.PngInfo()
    info.add_text("Source", "https://x.example/s?q=7&img=1&digit=2")
    return png(Image.open(io.BytesIO(file)), pnginfo=info)


FORMS = {
    "bytes that look like a form": with_text(SEVEN),
    "the original page's list": json.dumps([{"digit": URL}]),
    "an object": json.dumps({"digit": URL}),
    "bare base64 in JSON": json.dumps({"digit": PACKED}),
    "JSON with white space": "\n  " + json.dumps([{"digit": URL}], indent=2) + "\n",
    "JSON with a byte order mark": "\ufeff" + json.dumps({"digit": URL}),
    "a JSON string": json.dumps(URL),
    "a data URL": URL,
    "base64": PACKED,
    "base64 in lines": "\n".join(PACKED[i : i + 76] for i in range(0, len(PACKED), 76)),
    "bytes": SEVEN,
    "JPEG bytes": png(drawn(DIGITS[7]), "JPEG", quality=90),
    "WebP bytes": png(drawn(DIGITS[7]), "WEBP"),
    "784 values": json.dumps({"image": ",".join(map(str, PIXELS.ravel()))}),
    "784 values with spaces": json.dumps({"image": ", ".join(map(str, PIXELS.ravel()))}),
    "784 decimal values": json.dumps({"image": ",".join(f"{v:.1f}" for v in PIXELS.ravel())}),
    "28 lists of 28": json.dumps({"image": PIXELS.tolist()}),
    "a list of 784": json.dumps({"image": PIXELS.ravel().tolist()}),
    "the form field img": "img=" + urllib.parse.quote(URL, safe=""),
    "the form field image": "image=" + urllib.parse.quote(URL, safe=""),
    "the form field digit": "digit=" + urllib.parse.quote_plus(URL),
    "a form field among others": "csrf=a%26b&img=" + urllib.parse.quote(URL, safe="") + "&x=",
    "a form field that is not encoded": "img=" + URL,
}


@pytest.mark.parametrize("form", FORMS)
def test_the_content_type_does_not_matter(client, form: str) -> None:
    """Every form of a request is read, with any Content-Type."""
    for kind in ODD_TYPES:
        response = client.post("/_get_digit", data=FORMS[form], content_type=kind)
        assert response.status_code == 200, response.get_data(as_text=True)
        assert response.get_json()["digit"] == 7, form


@pytest.mark.parametrize("name", ["seven.png", "no extension", "x" * 3000, "../../etc/passwd", ""])
def test_the_file_name_does_not_matter(client, name: str) -> None:
    """A multipart upload in the field `image` is read with any file name, or without one."""
    sent = {"image": (io.BytesIO(SEVEN), name)} if name else {"image": URL}
    response = client.post("/_get_digit", data=sent, content_type="multipart/form-data")
    assert response.get_json()["digit"] == 7


def test_a_large_upload_needs_no_disk(client, monkeypatch: pytest.MonkeyPatch) -> None:
    """An upload of nearly a megabyte is read when no temporary file can be created."""

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
    """The answer has every field of a reading, and no other."""
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


def test_a_scribble_is_not_a_digit(client) -> None:
    """The answer to a scribble is "Huh...", with the most likely digit as the prediction."""
    answer = client.post("/_get_digit", data=png(drawn(OTHERS["scribble"]))).get_json()
    assert answer["result"] == "Huh..."
    assert answer["probability"] == "You call that a digit?"
    assert answer["digit"] is None
    assert answer["prediction"] in "0123456789"
    assert answer["reason"] in ("not_a_digit", "unsure")


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L"])
def test_a_blank_drawing(client, mode: str) -> None:
    """An empty canvas is answered with 200 and the reason "blank"."""
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
    """A threshold in the request applies to this request only."""
    confidence = client.post("/_get_digit", data=SEVEN).get_json()["confidence"]
    blot = png(drawn(OTHERS["scribble"]))
    assert client.post("/_get_digit?threshold=0", data=blot).get_json()["digit"] is not None
    assert client.post("/_get_digit", data=blot).get_json()["digit"] is None
    assert confidence > 0.6


def test_the_threshold_of_the_application() -> None:
    """DIGITRE_THRESHOLD applies to requests without a threshold."""
    client = create_app({"THRESHOLD": 0}).test_client()
    blot = png(drawn(OTHERS["scribble"]))
    assert client.post("/_get_digit", data=blot).get_json()["digit"] is not None


def test_steps_are_pictures(client) -> None:
    """steps=1 adds a PNG of each step, and the last is what the network saw."""
    answer = client.post("/_get_digit?steps=1", data=SEVEN).get_json()
    plain = client.post("/_get_digit", data=SEVEN).get_json()
    steps = answer.pop("steps")
    assert answer.pop("left_out") == []
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


def test_steps_decode_once(client, monkeypatch: pytest.MonkeyPatch) -> None:
    """A request with steps=1 and explain=1 decodes its picture only once."""
    decoded = []
    decode = plain.to_pixels

    def counted(picture):
        decoded.append(picture)
        return decode(picture)

    monkeypatch.setattr(plain, "to_pixels", counted)
    answer = client.post("/_get_digit?steps=1&explain=1", data=SEVEN).get_json()
    assert answer["digit"] == 7
    assert len(answer["steps"]) == 5
    assert answer["explanation"]["of"] == "7"
    assert len(decoded) == 1


def test_steps_of_a_blank_drawing(client) -> None:
    """A blank drawing has its steps too."""
    answer = client.post("/_get_digit?steps=1", data=png(Image.new("L", (9, 9)))).get_json()
    assert answer["reason"] == "blank"
    assert len(answer["steps"]) == 5


def test_health(client) -> None:
    """/healthz has the version of the network and the features of the server."""
    answer = client.get("/healthz").get_json()
    assert answer == {
        "status": "ok",
        "model": Classifier().model,
        "features": ["steps", "explain", "save"],
    }


def test_the_page(client) -> None:
    """The page has a policy that forbids everything from other sites."""
    response = client.get("/")
    assert response.status_code == 200
    assert response.mimetype == "text/html"
    policy = response.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy
    text = response.get_data(as_text=True).replace("http://localhost/static/", "")  # its preview
    assert "http" not in text


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
    """404 and 405 are JSON too, and 405 lists the allowed methods."""
    response = getattr(client, method)(path)
    assert_error(response, status, code)
    assert ("Allow" in response.headers) is (status == 405)


BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"


def test_a_wrong_address_in_a_browser(client) -> None:
    """A browser gets a page with links to what is there, and nothing of the address in it."""
    response = client.get("/<b>", headers={"Accept": BROWSER})
    assert (response.status_code, response.mimetype) == (404, "text/html")
    text = response.get_data(as_text=True)
    assert 'href="/"' in text
    assert 'href="/docs"' in text
    assert "<b>" not in text
    assert "Accept" in response.vary
    assert "Content-Security-Policy" in response.headers


@pytest.mark.parametrize("accepted", ["", "*/*", "application/json", "application/json, text/html"])
def test_a_wrong_address_in_a_script(client, accepted: str) -> None:
    """Every other client gets JSON, and so does a browser's script or form."""
    assert_error(client.get("/nothing", headers={"Accept": accepted}), 404, "not_found")
    assert_error(client.post("/nothing", headers={"Accept": BROWSER}), 404, "not_found")


def test_two_slashes_do_not_redirect(client) -> None:
    """`//_get_digit` is answered in JSON, not by a redirect in HTML that repeats the request."""
    environ = {"PATH_INFO": "//_get_digit", "QUERY_STRING": "x=<b>"}
    response = client.post("/", data=SEVEN, environ_overrides=environ)
    assert response.get_json()["digit"] == 7
    assert_error(client.get("/x//y"), 404, "not_found")


def test_an_unexpected_error_is_json_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault of the code is a 500 in the one shape, without a traceback."""
    app = create_app()

    def fail(*_):
        raise RuntimeError("secret")

    monkeypatch.setattr(Classifier, "detect", fail)
    response = app.test_client().post("/_get_digit", data=SEVEN)
    assert_error(response, 500, "internal_error")
    assert "secret" not in response.get_data(as_text=True)


@pytest.mark.parametrize(
    ("file", "status", "text"),
    [
        (SEVEN, 200, "% probability"),
        (b"", 400, "empty"),
        (b"<svg/>", 415, "PNG"),
    ],
)
def test_the_form_of_the_page(client, file: bytes, status: int, text: str) -> None:
    """A file posted to the page gives the page with the reading, or with the error."""
    sent = {"image": (io.BytesIO(file), "digit.png")}
    response = client.post("/", data=sent, content_type="multipart/form-data")
    assert response.status_code == status
    assert response.mimetype == "text/html"
    assert text in response.get_data(as_text=True)


def test_a_network_without_a_card_is_served(tmp_path) -> None:
    """A network whose card is missing, broken or for another network is served without figures."""
    network = tmp_path / "other.tflite"
    network.write_bytes(Classifier().path.read_bytes())
    for card in (None, "{", "[]", '{"model": "another"}'):
        if card is not None:
            network.with_suffix(".json").write_text(card)
        page = create_app({"MODEL": network}).test_client().get("/").get_data(as_text=True)
        assert "other-" in page
        assert "read right" not in page
