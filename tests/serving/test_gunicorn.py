"""A real gunicorn, and real curl as its client."""

from __future__ import annotations

import json
import socket
import subprocess
import urllib.request
from pathlib import Path

import pytest
from conftest import data_url, gunicorn, need, png
from strokes import DIGITS, drawn

from digitre.recognition.preprocessing import preprocess

pytestmark = pytest.mark.slow


def curl(*options: str) -> tuple[int, dict]:
    """Run curl; return the status and the JSON of the answer."""
    done = subprocess.run(
        [need("curl"), "--silent", "--max-time", "20", "--write-out", "\n%{http_code}", *options],
        capture_output=True,
        text=True,
        check=True,
    )
    body, status = done.stdout.rsplit("\n", 1)
    return int(status), json.loads(body)


def test_every_form_of_request_with_curl(server: str, seven: bytes, tmp_path: Path) -> None:
    """curl may send JSON, a data URL, base64, a file's bytes, an upload, grey values or a form field."""
    url = data_url(seven)
    pixels = (preprocess(seven)[0, :, :, 0] * 255).round().astype(int)
    files = {
        "seven.png": seven,
        "seven.json": json.dumps([{"digit": url}]).encode(),
        "seven.txt": url.encode(),
        "seven.b64": url.split(",")[1].encode(),
        "pixels.json": json.dumps({"image": ",".join(map(str, pixels.ravel()))}).encode(),
    }
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    address = f"{server}/_get_digit"
    forms = [
        ["--header", "Content-Type: application/json", "--data", f"@{tmp_path}/seven.json"],
        ["--data", f"@{tmp_path}/seven.json"],
        ["--data", f"@{tmp_path}/seven.txt"],
        ["--data", f"@{tmp_path}/seven.b64"],
        ["--data-binary", f"@{tmp_path}/seven.png"],
        ["--form", f"image=@{tmp_path}/seven.png"],
        ["--data", f"@{tmp_path}/pixels.json"],
        ["--data-urlencode", f"img@{tmp_path}/seven.txt"],
        ["--header", "Transfer-Encoding: chunked", "--data-binary", f"@{tmp_path}/seven.png"],
    ]
    for form in forms:
        status, answer = curl(*form, address)
        assert (status, answer.get("result")) == (200, "7"), (form, answer)


@pytest.mark.parametrize(
    "header", [[], ["--header", "Transfer-Encoding: chunked"], ["--header", "Expect:"]]
)
def test_a_body_over_the_limit(server: str, tmp_path: Path, header: list[str]) -> None:
    """The client can read the 413: with Content-Length, chunked, or without Expect."""
    large = tmp_path / "large"
    large.write_bytes(b"\x89PNG\r\n\x1a\n" + b"\0" * 9_000_000)
    status, answer = curl(*header, "--data-binary", f"@{large}", f"{server}/_get_digit")
    assert status == 413
    assert answer["error"]["code"] == "body_too_large"


def test_a_chunked_upload_over_the_limit(server: str, tmp_path: Path) -> None:
    """An upload without Content-Length also gets a 413, and so does a drawing to save."""
    large = tmp_path / "large.png"
    large.write_bytes(b"\x89PNG\r\n\x1a\n" + b"\0" * 9_000_000)
    status, answer = curl(
        "--header",
        "Transfer-Encoding: chunked",
        "--form",
        f"image=@{large}",
        f"{server}/_get_digit",
    )
    assert (status, answer["error"]["code"]) == (413, "body_too_large")
    body = ["--header", "Transfer-Encoding: chunked", "--data-binary", f"@{large}"]
    status, answer = curl(*body, f"{server}/_save_drawing")
    assert (status, answer["error"]["code"]) == (413, "body_too_large")


def test_gunicorn_without_a_configuration(seven: bytes, tmp_path: Path) -> None:
    """`gunicorn wsgi:app` works without the shipped configuration."""
    with gunicorn(tmp_path / "log") as address:
        request = urllib.request.Request(f"{address}/_get_digit", data=seven)
        with urllib.request.urlopen(request, timeout=20) as answer:
            assert json.load(answer)["digit"] == 7


def test_every_digit_over_http(server: str, tmp_path: Path) -> None:
    """The server reads each of the ten digits."""
    for digit, strokes in DIGITS.items():
        request = urllib.request.Request(f"{server}/_get_digit", data=png(drawn(strokes)))
        with urllib.request.urlopen(request, timeout=20) as answer:
            assert json.load(answer)["digit"] == digit


def raw(server: str, request: bytes) -> tuple[int, bytes]:
    """Send these bytes; return the status and the body of the answer."""
    host, port = server.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        connection.sendall(request)
        answer = b""
        while part := connection.recv(65536):
            answer += part
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), body


GET = b"GET / HTTP/1.1\r\nHost: x\r\n"
POST = b"POST %s HTTP/1.1\r\nHost: x\r\n"
READ = POST % b"/_get_digit"
CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    ("request_bytes", "status", "code"),
    [
        (GET + b"X-A: b\r\n" * 200 + b"\r\n", 431, "headers_too_large"),
        (GET + b"X-A: " + b"b" * 100_000 + b"\r\n\r\n", 431, "headers_too_large"),
        (b"GET /?" + b"a" * 10_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 414, "address_too_long"),
        (b"nonsense\r\n\r\n", 400, "bad_request"),
        (b"GET / HTTP/9\r\nHost: x\r\n\r\n", 400, "bad_request"),
        (GET + b"SCRIPT_NAME: /x\r\n\r\n", 400, "bad_request"),
        (GET + b"X-A\r\n\r\n", 400, "bad_request"),
        (READ + b"Content-Length: -1\r\n\r\n", 400, "bad_request"),
        (READ + b"Content-Length: many\r\n\r\n", 400, "bad_request"),
        (READ + b"Transfer-Encoding: odd\r\n\r\n", 501, "not_implemented"),
        (READ + b"Expect: a-miracle\r\nContent-Length: 1\r\n\r\na", 417, "expectation_failed"),
        (READ + CHUNKED + b"zz\r\nabc\r\n0\r\n\r\n", 400, "bad_request"),
        (READ + CHUNKED + b"3\r\nabcdef\r\n0\r\n\r\n", 400, "bad_request"),
        (POST % b"/" + CHUNKED + b"zz\r\nabc\r\n0\r\n\r\n", 400, "bad_request"),
        (POST % b"/_save_drawing" + CHUNKED + b"-3\r\nabc\r\n0\r\n\r\n", 400, "bad_request"),
        (POST % b"/v1/models/digitre:predict" + CHUNKED + b"zz\r\n", 400, "bad_request"),
        (POST % b"/nowhere" + CHUNKED + b"zz\r\n", 404, "not_found"),
    ],
)
def test_malformed_http(server: str, request_bytes: bytes, status: int, code: str) -> None:
    """What gunicorn cannot parse gets its status and an error as JSON; the next request is answered."""
    got, body = raw(server, request_bytes)
    error = json.loads(body)
    error = error if "code" in error else error["error"]  # below /v1 and /v2 the code stands apart
    assert (got, error["code"]) == (status, code)
    with urllib.request.urlopen(f"{server}/healthz", timeout=20) as answer:
        assert answer.status == 200
