"""What people send on their first try: every form of a picture is read, and the rest gets a message that fits."""

from __future__ import annotations

import gzip
import json
import tracemalloc
import urllib.parse
import urllib.request
import zlib
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT, assert_error, data_url, png
from PIL import Image
from strokes import DIGITS, drawn

from digitre import create_app
from digitre.recognition.preprocessing import preprocess

SEVEN = png(drawn(DIGITS[7]))
URL = data_url(SEVEN)
PACKED = URL.split(",")[1]
PIXELS = preprocess(SEVEN)[0]  # (28, 28, 1) float32 in [0, 1]
FLOATS = PIXELS.ravel().tolist()
GREY = np.rint(PIXELS * 255).astype(int)
WORDS = [str(value) for value in GREY.ravel()]
INFER = "/v2/models/digitre/infer"
REQUESTS = sorted((Path(__file__).parent / "requests").iterdir())
MULTIPART = "multipart/form-data; boundary=x"


def part(name: str, content: bytes, file: str = "") -> bytes:
    """A part of an upload; without the name of a file if it is empty."""
    file = f'; filename="{file}"' if file else ""
    head = f'--x\r\nContent-Disposition: form-data; name="{name}"{file}\r\n\r\n'
    return head.encode() + content + b"\r\n"


def upload(*parts: bytes) -> bytes:
    return b"".join(parts) + b"--x--\r\n"


def quoted(text: str) -> str:
    return urllib.parse.quote(text, safe="")


def stringified(text: str, times: int) -> str:
    for _ in range(times):
        text = json.dumps(text)
    return text


NUMBERS = {
    "784 floats from 0 to 1": json.dumps({"image": FLOATS}),
    "floats, and nothing around them": json.dumps(FLOATS),
    "floats as (28, 28)": json.dumps({"image": PIXELS[..., 0].tolist()}),
    "floats as (28, 28, 1)": json.dumps({"img": PIXELS.tolist()}),
    "floats as (1, 28, 28)": json.dumps({"digit": PIXELS[None, ..., 0].tolist()}),
    "floats as (1, 28, 28, 1)": json.dumps(PIXELS[None].tolist()),
    "floats as (1, 784)": json.dumps({"instances": [FLOATS]}),
    "floats as (1, 1, 28, 28)": json.dumps({"inputs": PIXELS[None, None, ..., 0].tolist()}),
    "ones and zeros": json.dumps({"image": (PIXELS.ravel() > 0.5).astype(int).tolist()}),
    "floats as text": json.dumps({"image": ",".join(map(str, FLOATS))}),
    "text with blanks": json.dumps({"image": " ".join(WORDS)}),
    "text with tabs": "\t".join(WORDS),
    "a number a line": "\n".join(WORDS),
    "a number a line, from Windows": "\r\n".join(WORDS) + "\r\n",
    "28 lines of 28": "\n".join(" ".join(WORDS[i : i + 28]) for i in range(0, 784, 28)),
    "a row of a table": ",".join(WORDS) + "\n",
    "as NumPy prints it": np.array2string(GREY[..., 0], threshold=1000, max_line_width=200),
    "numbers in brackets as text": json.dumps({"image": json.dumps(GREY.tolist())}),
    "numbers in quotes": json.dumps({"image": WORDS}),
    "pixel0 to pixel783": json.dumps({f"pixel{i}": value for i, value in enumerate(FLOATS)}),
    "pixel1 to pixel784, with a label": json.dumps(
        {"label": 7} | {f"pixel{i}": value for i, value in enumerate(WORDS, 1)}
    ),
    "a typed array of JavaScript": json.dumps({str(i): value for i, value in enumerate(FLOATS)}),
    "a typed array in a field": json.dumps({"image": {str(i): v for i, v in enumerate(FLOATS)}}),
    "a form with commas": "image=" + ",".join(WORDS),
    "a form with commas and blanks": "image=" + quoted(", ".join(WORDS)).replace("%20", "+"),
    "a form with blanks": "pixels=" + "+".join(WORDS),
}

TEXTS = {
    "a media type and base64": json.dumps({"image": f"image/png;base64,{PACKED}"}),
    "base64, and no media type": json.dumps({"image": f"base64,{PACKED}"}),
    "; base64 alone": f";base64,{PACKED}",
    "a data URL in quotes": json.dumps({"image": json.dumps(URL)}),
    "a data URL in the quotes of a shell": f"'{URL}'",
    "JSON made twice": json.dumps(json.dumps({"digit": URL})),
    "JSON made four times": stringified(URL, 4),
    "JSON in a field": json.dumps({"data": json.dumps([{"image": URL}])}),
    "JSON in a form": "data=" + quoted(json.dumps({"image": URL})),
    "a data URL with a charset": URL.replace(";base64", ";charset=utf-8;base64"),
    "the field imgBase64": json.dumps({"imgBase64": URL}),
    "the form of a canvas": "imgBase64=" + quoted(URL),
    "a form field that is not encoded": "imgBase64=" + URL,
    "the field data": json.dumps({"data": PACKED, "width": 250, "name": "a, b"}),
    "the field drawing": json.dumps({"user": "7", "drawing": URL, "at": [1, 2]}),
    "a label and a picture": json.dumps({"digit": 7, "image": URL}),
    "an empty field and a picture": json.dumps({"digit": None, "photo": URL}),
    "an object in an object": json.dumps({"payload": {"image": {"base64": PACKED}}}),
    "a list of one text": json.dumps({"data": [URL]}),
    "UTF-16, as PowerShell writes it": json.dumps({"digit": URL}).encode("utf-16"),
    "UTF-16 of the other order": b"\xfe\xff" + json.dumps({"digit": URL}).encode("utf-16-be"),
    "UTF-16 without a byte order mark": json.dumps({"digit": URL}).encode("utf-16-le"),
    "a data URL in UTF-16": URL.encode("utf-16"),
    "a file in UTF-16 from curl -d": b"\xff\xfe" + URL.encode(),
}

UPLOADS = {
    "the field file": upload(part("file", SEVEN, "7.png")),
    "the field img": upload(part("img", SEVEN, "7.png")),
    "the field digit": upload(part("digit", SEVEN, "blob")),
    "the field photo": upload(part("photo", SEVEN, "7.png")),
    "the only file": upload(part("upload[]", SEVEN, "7.png"), part("name", b"a, b")),
    "a field without a name": upload(part("", SEVEN, "7.png")),
    "an empty file and a picture": upload(part("image", b"", ""), part("file", SEVEN, "7.png")),
    "a label and a file": upload(part("digit", b"7"), part("file", SEVEN, "7.png")),
    "no file name": upload(part("image", SEVEN)),
    "no file name, another field": upload(part("picture", SEVEN)),
    "a data URL in another field": upload(part("csrf", b"x,1"), part("imgBase64", URL.encode())),
    "grey values in a field": upload(part("image", ",".join(WORDS).encode())),
    "JSON in a field": upload(part("json", json.dumps({"image": URL}).encode())),
    "a file of grey values": upload(part("file", "\n".join(WORDS).encode(), "7.csv")),
    "a file with a data URL": upload(part("file", URL.encode(), "7.txt")),
}


@pytest.fixture(scope="module")
def client():
    return create_app({"TESTING": True}).test_client()


@pytest.mark.parametrize("form", NUMBERS | TEXTS)
def test_each_form_is_read(client, form: str) -> None:
    """Numbers in any shape, and a picture in any text, are read with any Content-Type."""
    for kind in ("application/json", "application/x-www-form-urlencoded", ""):
        response = client.post("/_get_digit", data=(NUMBERS | TEXTS)[form], content_type=kind)
        assert response.status_code == 200, response.get_data(as_text=True)
        assert response.get_json()["digit"] == 7


@pytest.mark.parametrize("form", UPLOADS)
def test_each_upload_is_read(client, form: str) -> None:
    """A file or a text in any field is read, also if the Content-Type lacks its boundary, or is wrong."""
    for kind in (MULTIPART, "multipart/form-data", "application/json", ""):
        response = client.post("/_get_digit", data=UPLOADS[form], content_type=kind)
        assert response.status_code == 200, response.get_data(as_text=True)
        assert response.get_json()["digit"] == 7


@pytest.mark.slow
@pytest.mark.parametrize("path", ["/_get_digit", "/predict"])
@pytest.mark.parametrize("file", REQUESTS, ids=lambda file: file.stem)
def test_requests_that_a_server_answered_wrongly(server: str, file: Path, path: str) -> None:
    """A real server reads each of these requests as the digit that begins its name."""
    headers = {"Content-Type": MULTIPART} if file.suffix == ".body" else {}
    request = urllib.request.Request(server + path, file.read_bytes(), headers)
    with urllib.request.urlopen(request, timeout=20) as response:
        assert json.load(response)["result"] == file.name[0]


def test_floats_are_read_like_the_same_values_of_a_byte(client) -> None:
    """Values from 0 to 1 give the answer of the same values from 0 to 255."""
    of_bytes = client.post("/_get_digit", json={"image": GREY.tolist()}).get_json()
    of_floats = client.post("/_get_digit", json={"image": (GREY / 255).tolist()}).get_json()
    assert of_floats == of_bytes


@pytest.mark.parametrize(
    ("body", "code", "words"),
    [
        (json.dumps([{"digit": URL}] * 2), "no_picture", "one picture"),
        (json.dumps([URL, URL]), "no_picture", "one picture"),
        (json.dumps([FLOATS, FLOATS]), "no_picture", "one picture"),
        (json.dumps({"image": [PIXELS.tolist()] * 3}), "no_picture", "one picture"),
        (json.dumps({"a": URL, "b": URL}), "no_picture", "one picture"),
        ("a=" + quoted(URL) + "&b=" + quoted(URL), "no_picture", "one picture"),
        (json.dumps({"image": "iVBORw0KGgo,AAA"}), "bad_base64", "base64"),
        (json.dumps({"image": "seven, please"}), "bad_base64", "base64"),
        (json.dumps({"image": "image/png;base64,@@"}), "bad_base64", "base64"),
        (json.dumps({"image": "a,0,0"}), "bad_pixels", "784"),
        ("0 0 0", "bad_pixels", "784"),
        ("[0 0 0]", "bad_pixels", "784"),
        (json.dumps([1, 2]), "bad_pixels", "784"),
        (json.dumps({f"pixel{i}": 0 for i in range(783)}), "bad_pixels", "784"),
        (json.dumps({f"pixel{i}": 0 for i in range(785)}), "bad_pixels", "784"),
        (json.dumps({"image": [0.5] * 783 + [-0.5]}), "bad_pixels", "0 to 1"),
        (json.dumps({"image": [0.5] * 783 + [None]}), "bad_pixels", "0 to 1"),
        (json.dumps({"image": "é"}), "bad_base64", "base64"),
        (json.dumps("{"), "malformed_json", "JSON"),
        (stringified(URL, 8), "no_picture", "deep"),
        ("a=1&b=2", "no_picture", "form"),
        (json.dumps({"a": 1, "b": "text"}), "no_picture", "JSON"),
        ('{"a":' * 40 + json.dumps(URL) + "}" * 40, "no_picture", "picture"),
        (json.dumps({"digit": URL}).encode("utf-16")[:100], "malformed_json", "JSON"),
    ],
)  # fmt: skip
def test_the_message_fits(client, body: str | bytes, code: str, words: str) -> None:
    """What cannot be read gets the code and the words of its own kind."""
    response = client.post("/_get_digit", data=body)
    assert_error(response, 400, code)
    assert words in response.get_json()["error"]["message"]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (upload(part("a", SEVEN, "a.png"), part("b", SEVEN, "b.png")), 400, "no_picture"),
        (upload(part("a", b"text"), part("b", b"text")), 400, "no_picture"),
        (upload(part("upload", b"", "7.png")), 400, "empty_body"),
        (upload(part("upload", b"text", "7.png")), 400, "not_a_picture"),
        (upload(part("upload", b"<svg/>", "7.svg")), 415, "unsupported_format"),
        (upload(part("upload", b"<svg/>")), 400, "no_picture"),
        (upload(part("image", SEVEN, "7.png"))[:-60], 400, "no_picture"),
        (upload(part("image", SEVEN, 300_000 * "a")), 400, "no_picture"),
        (upload(*[part("image", SEVEN, 3000 * "a")] * 100), 400, "no_picture"),
        (upload(b"--x\r\nContent-Type: image/png\r\n\r\n" + SEVEN), 400, "no_picture"),
    ],
)  # fmt: skip
def test_bad_uploads(client, body: bytes, status: int, code: str) -> None:
    """An upload that has no picture, several, or an end that is missing gets its error."""
    assert_error(client.post("/_get_digit", data=body, content_type=MULTIPART), status, code)


@pytest.mark.parametrize("path", ["/_get_digit", "/v1/models/digitre:predict", INFER])
def test_json_of_very_many_values_is_not_parsed(client, path: str) -> None:
    """Two megabytes of empty lists are a 413 and take little memory: no picture has so many values."""
    body = b'{"digit": [' + b"[]," * 700_000 + b"[]]}"
    tracemalloc.start()
    try:
        assert client.post(path, data=body).status_code == 413
        assert tracemalloc.get_traced_memory()[1] < 4 * len(body)
    finally:
        tracemalloc.stop()


# --- packed bodies ---


def raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


PACKINGS = {
    "gzip": gzip.compress,
    "x-gzip": gzip.compress,
    "GZIP": gzip.compress,
    "deflate": zlib.compress,
    "Deflate": raw_deflate,
    "identity": bytes,
    "utf-8": bytes,
}


@pytest.mark.parametrize("coding", PACKINGS)
@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (json.dumps({"digit": URL}).encode(), "application/json"),
        (SEVEN, "image/png"),
        (UPLOADS["the field file"], MULTIPART),
        (b"img=" + quoted(URL).encode(), "application/x-www-form-urlencoded"),
    ],
    ids=["JSON", "bytes", "an upload", "a form"],
)
def test_packed_bodies_are_unpacked(client, coding: str, body: bytes, kind: str) -> None:
    """gzip and deflate are unpacked; what is declared to be packed and is not is read as it is."""
    for sent in (PACKINGS[coding](body), body):
        headers = {"Content-Encoding": coding}
        response = client.post("/_get_digit", data=sent, content_type=kind, headers=headers)
        assert response.status_code == 200, response.get_data(as_text=True)
        assert response.get_json()["digit"] == 7


@pytest.mark.parametrize("coding", ["br", "zstd", "compress", "gzip, gzip"])
def test_other_codings_are_refused(client, coding: str) -> None:
    """A body that cannot be unpacked here is a 415 that says what to send."""
    response = client.post("/_get_digit", data=SEVEN, headers={"Content-Encoding": coding})
    assert_error(response, 415, "unsupported_encoding")
    assert "gzip" in response.get_json()["error"]["message"]


@pytest.mark.parametrize("damage", [lambda data: data[:-20], lambda data: data[:99] + data[120:]])
def test_a_damaged_gzip(client, damage) -> None:
    """A gzip that is cut off or damaged is a 400 that says so."""
    sent = damage(gzip.compress(SEVEN))
    response = client.post("/_get_digit", data=sent, headers={"Content-Encoding": "gzip"})
    assert_error(response, 400, "bad_request")
    assert "gzip" in response.get_json()["error"]["message"]


@pytest.mark.parametrize("path", ["/_get_digit", "/v1/models/digitre:predict", "/_save_drawing"])
def test_a_zip_bomb_is_unpacked_to_the_limit_only(path: str) -> None:
    """A gzip of 20 MB is a 413, and takes hardly more memory than the limit."""
    client = create_app({"MAX_CONTENT_LENGTH": 2**20}).test_client()
    bomb = gzip.compress(bytes(20_000_000))
    assert len(bomb) < 100_000
    tracemalloc.start()
    try:
        response = client.post(path, data=bomb, headers={"Content-Encoding": "gzip"})
        assert response.status_code == 413
        assert tracemalloc.get_traced_memory()[1] < 4_000_000
    finally:
        tracemalloc.stop()


# --- paths ---


@pytest.mark.parametrize("name", ["docs/seven.png", str(ROOT / "docs/seven.png"), "7, a.png"])
def test_a_path_is_never_opened(
    client, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The path of a picture that exists is 400 bad_base64, in each form and at each address."""
    monkeypatch.chdir(tmp_path)
    for path in (tmp_path / "docs" / "seven.png", tmp_path / "7, a.png"):
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(SEVEN)
    assert Path(name).exists()
    bodies = [
        name,
        json.dumps(name),
        json.dumps([{"digit": name}]),
        json.dumps({"image": name}),
        "img=" + quoted(name),
        upload(part("image", name.encode())),
        upload(part("file", name.encode(), "7.png")),
    ]
    for body in bodies:
        for address in ("/_get_digit", "/predict"):
            assert_error(client.post(address, data=body), 400, "bad_base64")
    saved = client.post("/_save_drawing", json={"digit": name, "label": 7})
    assert_error(saved, 400, "bad_base64")
    for value in (name, {"b64": name}):
        sent = {"instances": [value]}
        assert client.post("/v1/models/digitre:predict", json=sent).status_code == 400


# --- a phone's photo ---


@pytest.mark.slow
def test_a_photo_as_a_phone_takes_it(server: str) -> None:
    """A JPEG of 12 megapixels and over 1 MiB is read as it is: as bytes, and as an upload."""
    digit = Image.fromarray(drawn(DIGITS[7])).resize((3000, 3000))
    paper = np.full((3000, 4000), 235, np.int16)
    paper[:, 500:3500] -= np.asarray(digit, np.int16) * 3 // 4
    grain = np.random.default_rng(7).integers(-12, 13, (1000, 1000), np.int16)
    photo = np.clip(paper + np.tile(grain, (3, 4)), 0, 255).astype(np.uint8)
    file = png(Image.fromarray(photo), "JPEG", quality=75)
    assert 2**20 < len(file) < 8 * 2**20
    for body in (file, upload(part("image", file, "IMG_0007.jpg"))):
        with urllib.request.urlopen(f"{server}/_get_digit", body, timeout=20) as response:
            assert json.load(response)["result"] == "7"
