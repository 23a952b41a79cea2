"""Bad and unusual input to /_get_digit, and the answer to each: one table for tests and documents.

`python tests/bad_inputs.py` writes the table into docs/errors.md.
"""

from __future__ import annotations

import base64
import json
import re
import struct
import urllib.parse
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from conftest import ROOT, data_url, png
from PIL import Image, PngImagePlugin
from strokes import DIGITS, drawn

INK = drawn(DIGITS[7])
SEVEN = png(INK)
URL = data_url(SEVEN)
PACKED = URL.split(",")[1]
PAGE = ROOT / "docs" / "errors.md"
BEGIN, END = "<!-- table -->\n", "<!-- end of table -->\n"


@dataclass(frozen=True)
class Case:
    """A request and its answer.

    `code` is the error's code; if `status` is 200, the digit or the reason why there is none.
    """

    name: str
    body: bytes | str
    status: int
    code: str
    options: dict[str, Any] = field(default_factory=dict)  # for `open` of the test client


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_header(width: int, height: int) -> bytes:
    """A PNG whose header claims this size, with hardly a pixel in it."""
    header = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    pixels = zlib.compress(b"\0" * 1000)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    )


def jpeg_header(width: int, height: int) -> bytes:
    """A JPEG whose header claims this size."""
    file = bytearray(png(INK, "JPEG"))
    start = file.index(b"\xff\xc0") + 5
    file[start : start + 4] = struct.pack(">HH", height, width)
    return bytes(file)


def webp_header(width: int, height: int) -> bytes:
    """A lossless WebP whose header claims this size."""
    bits = (width - 1) | (height - 1) << 14
    data = b"\x2f" + struct.pack("<I", bits) + b"\0" * 20
    data = b"VP8L" + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)
    return b"RIFF" + struct.pack("<I", len(data) + 4) + b"WEBP" + data


def with_texts(count: int, length: int) -> bytes:
    """A PNG with this many compressed text chunks of this many characters."""
    info = PngImagePlugin.PngInfo()
    for index in range(count):
        info.add_text(f"key {index}", "x" * length, zip=True)
    return png(INK, pnginfo=info)


def rotated() -> bytes:
    """A photo from a camera held sideways: it lies on its side, and EXIF says which way is up."""
    lying = Image.fromarray(255 - INK).rotate(90, expand=True)
    exif = Image.Exif()
    exif[0x0112] = 6
    return png(lying, "JPEG", exif=exif, quality=95)


def animated(kind: str) -> bytes:
    """A seven, followed by a red frame."""
    first = Image.fromarray(255 - INK).convert("RGB")
    return png(
        first, kind, save_all=True, append_images=[Image.new("RGB", first.size, "red")], duration=50
    )


def values(numbers: list[Any]) -> str:
    return json.dumps({"image": numbers})


def text(numbers: list[Any]) -> str:
    return json.dumps({"image": ",".join(map(str, numbers))})


def multipart(*parts: tuple[str, str | None, bytes]) -> tuple[bytes, dict[str, str]]:
    """A form, as the body and the options of a `Case`.

    Each part is the name of its field, its file name (None if it is not a file) and its content.
    """
    body = b""
    for name, file, content in parts:
        file_name = f'; filename="{file}"' if file is not None else ""
        body += f'--x\r\nContent-Disposition: form-data; name="{name}"{file_name}\r\n\r\n'.encode()
        body += content + b"\r\n"
    return body + b"--x--\r\n", {"content_type": "multipart/form-data; boundary=x"}


def cases() -> Iterator[Case]:
    """All cases, in the order of docs/errors.md."""
    yield Case("an empty body", "", 400, "empty_body")
    yield Case("only white space", " \n ", 400, "empty_body")
    yield Case("broken JSON", '[{"digit": ', 400, "malformed_json")
    yield Case("JSON that is not UTF-8", b'{"digit": "\xff"}', 400, "malformed_json")
    yield Case("10,000 nested brackets", "[" * 10_000, 400, "malformed_json")
    yield Case("10,000 nested brackets, closed", "[" * 10_000 + "]" * 10_000, 400, "malformed_json")
    yield Case("an empty list", "[]", 400, "no_picture")
    yield Case("a list of null", "[null]", 400, "no_picture")
    yield Case("a list of lists", "[[]]", 400, "no_picture")
    yield Case("a list of two numbers", "[1, 2]", 400, "bad_pixels")
    yield Case("null", "null", 400, "not_a_picture")
    yield Case("a number", "7", 400, "bad_base64")
    yield Case("a list of two drawings", json.dumps([{"digit": URL}] * 2), 400, "no_picture")
    yield Case("an object without a picture", '{"other": 1}', 400, "no_picture")
    for name, value in {"null": None, "a number": 7, "an object": {}, "empty": ""}.items():
        yield Case(f"digit is {name}", json.dumps({"digit": value}), 400, "no_picture")

    yield Case("wrong base64", '{"digit": "data:image/png;base64,@@@"}', 400, "bad_base64")
    yield Case("base64 of text", '{"digit": "aGVsbG8="}', 400, "not_a_picture")
    yield Case("plain text", "hello, world", 400, "bad_base64")
    yield Case("a data URL without a comma", URL.replace(",", ""), 400, "bad_base64")
    yield Case("a data URL that is not base64", "data:image/png,abc", 400, "bad_base64")
    yield Case(
        "base64 with white space",
        " \n".join(PACKED[i : i + 60] for i in range(0, len(PACKED), 60)),
        200,
        "7",
    )
    yield Case("base64 in the URL-safe alphabet", base64.urlsafe_b64encode(SEVEN), 200, "7")
    yield Case("base64 without its padding", PACKED.rstrip("="), 200, "7")
    yield Case("a data URL, percent-encoded", urllib.parse.quote(URL, safe=""), 200, "7")

    svg = "<svg/>"
    yield Case("an ICO", png(Image.new("L", (16, 16)), "ICO"), 415, "unsupported_format")
    yield Case("an EPS", png(Image.new("L", (9, 9)), "EPS"), 415, "unsupported_format")
    yield Case("a PDF", png(Image.new("L", (9, 9)), "PDF"), 415, "unsupported_format")
    yield Case("an SVG", svg, 415, "unsupported_format")
    yield Case("an SVG after white space", b"\xef\xbb\xbf\n <svg/>", 415, "unsupported_format")
    yield Case("HTML", "<!doctype html><p>7", 415, "unsupported_format")
    yield Case("a data URL of an SVG", "data:image/svg+xml,%3Csvg/%3E", 415, "unsupported_format")
    yield Case("a data URL of a HEIC", "data:image/heic;base64,R0lG", 415, "unsupported_format")
    yield Case("a data URL of text", "data:text/plain;base64,aGk=", 415, "unsupported_format")
    yield Case("a HEIC", b"\0\0\0\x18ftypheic" + b"\0" * 50, 415, "unsupported_format")
    yield Case("a JPEG 2000", b"\0\0\0\x0cjP  \r\n\x87\n" + b"\0" * 50, 415, "unsupported_format")
    yield Case("100 zero bytes", b"\0" * 100, 400, "not_a_picture")

    yield Case("a truncated PNG", SEVEN[:200], 400, "not_a_picture")
    yield Case("a truncated JPEG", png(INK, "JPEG")[:300], 400, "not_a_picture")
    yield Case("a truncated WebP", png(INK, "WEBP")[:100], 400, "not_a_picture")
    palette = Image.fromarray(255 - INK).convert("P")
    bare = re.sub(rb".{4}PLTE.{772}", b"", png(palette), count=1, flags=re.DOTALL)
    yield Case("a palette PNG without its palette", bare, 400, "not_a_picture")
    yield Case("a PNG of 0 x 0", png_header(0, 0), 400, "not_a_picture")
    yield Case("a picture of 1 x 1", png(Image.new("L", (1, 1))), 200, "blank")
    yield Case(
        "a picture of 1 x 30,000", png(Image.new("L", (1, 30_000))), 413, "picture_too_large"
    )
    yield Case(
        "a PNG of 16 bits per pixel",
        png(Image.fromarray(65535 - INK.astype(np.uint16) * 257)),
        200,
        "7",
    )
    glass = Image.fromarray(255 - INK).convert("P")
    yield Case("a PNG with a transparent palette", png(glass, transparency=255), 200, "7")
    paper = Image.fromarray(255 - INK)
    yield Case("a CMYK JPEG", png(paper.convert("CMYK"), "JPEG"), 200, "7")
    yield Case("a grey JPEG", png(paper, "JPEG"), 200, "7")
    yield Case("an animated PNG: the first frame is read", animated("PNG"), 200, "7")
    yield Case("an animated WebP: the first frame is read", animated("WEBP"), 200, "7")
    yield Case("an animated GIF: the first frame is read", animated("GIF"), 200, "7")
    yield Case("a TIFF of two pages: the first is read", animated("TIFF"), 200, "7")
    yield Case("a BMP", png(paper, "BMP"), 200, "7")
    yield Case("an AVIF", png(paper, "AVIF"), 200, "7")
    yield Case("an animated AVIF: the first frame is read", animated("AVIF"), 200, "7")
    yield Case("a truncated AVIF", png(paper, "AVIF")[:-40], 400, "not_a_picture")
    yield Case("a truncated GIF", png(paper, "GIF")[:400], 400, "not_a_picture")
    yield Case("a truncated TIFF", png(paper, "TIFF")[:400], 400, "not_a_picture")
    yield Case("a truncated BMP", png(paper, "BMP")[:2000], 400, "not_a_picture")
    yield Case("a photo rotated by EXIF", rotated(), 200, "7")
    yield Case("a PNG with 3,000 text chunks", with_texts(3000, 10), 200, "7")
    yield Case("a PNG with 80 MB of compressed text", with_texts(80, 2**20), 200, "7")
    yield Case("a PNG bomb of 9,000 x 9,000", png_header(9000, 9000), 413, "picture_too_large")
    yield Case(
        "a PNG bomb of 2 billion pixels per side",
        png_header(2**31 - 1, 2**31 - 1),
        413,
        "picture_too_large",
    )
    yield Case(
        "a JPEG bomb of 60,000 x 60,000", jpeg_header(60_000, 60_000), 413, "picture_too_large"
    )
    yield Case(
        "a WebP bomb of 16,384 x 16,384", webp_header(16_384, 16_384), 413, "picture_too_large"
    )
    yield Case(
        "a JPEG of 16,004,000 pixels",
        png(Image.new("L", (4001, 4000)), "JPEG"),
        413,
        "picture_too_large",
    )

    yield Case(
        "a PNG of 8,002,000 pixels",
        png(Image.new("1", (4001, 2000))),
        413,
        "picture_too_large",
    )

    blank = [0] * 783
    yield Case("783 grey values", text(blank), 400, "bad_pixels")
    yield Case("785 grey values", text([0, 0, *blank]), 400, "bad_pixels")
    yield Case("a grey value over 255", values([256, *blank]), 400, "bad_pixels")
    yield Case("a grey value below zero", values([-1, *blank]), 400, "bad_pixels")
    yield Case("NaN as text", text(["nan", *blank]), 400, "bad_pixels")
    yield Case("NaN as a number", values([float("nan"), *blank]), 400, "bad_pixels")
    yield Case("infinity", values([1e999, *blank]), 400, "bad_pixels")
    yield Case("a number of 400 digits", values([10**400, *blank]), 400, "bad_pixels")
    yield Case("a word among grey values", text(["a", *blank]), 400, "bad_pixels")
    yield Case("booleans instead of grey values", values([True] * 784), 400, "bad_pixels")
    yield Case("null among grey values", values([None, *blank]), 400, "bad_pixels")
    yield Case("784 zeros in three levels of lists", values([[[0] * 28] * 28]), 200, "blank")
    yield Case("784 zeros", values([0, *blank]), 200, "blank")

    yield Case("an empty form field", "img=", 400, "no_picture")
    yield Case("a form of 60 fields", "&".join(["img=1"] * 60), 400, "no_picture")
    body, options = multipart(("image", "a.png", SEVEN), ("image", "b.png", b""))
    yield Case("an upload of two files: the first is read", body, 200, "7", options)
    body, options = multipart(("other", "a.png", SEVEN))
    yield Case("an upload in a field of another name", body, 200, "7", options)
    body, options = multipart()
    yield Case("an upload without a field", body, 400, "no_picture", options)
    body, options = multipart(("image", "a.png", b""))
    yield Case("an upload of an empty file", body, 400, "empty_body", options)
    body, options = multipart(("image", "../" * 20_000 + "a.png", SEVEN))
    yield Case("a file name of 60,000 characters", body, 200, "7", options)
    body, options = multipart(*[("image", "a.png", SEVEN)] * 1001)
    yield Case("an upload of 1,001 files", body, 413, "body_too_large", options)
    yield Case(
        "multipart without a boundary",
        b"--x",
        400,
        "no_picture",
        {"content_type": "multipart/form-data"},
    )
    yield Case("a body over 8 MiB", b"a" * (2**23 + 1), 413, "body_too_large")

    for query in ("-1", "2", "nan", "x", "", "0.5&threshold=0.6"):
        yield Case(
            f"threshold={query}",
            SEVEN,
            400,
            "bad_threshold",
            {"query_string": f"threshold={query}"},
        )
    for query in ("steps=2", "steps=1&steps=1", "explain=true"):
        yield Case(query, SEVEN, 400, "bad_flag", {"query_string": query})
    number = {"path": "/_get_number"}
    for query in ("0", "41", "x", "4&length=4"):
        options = number | {"query_string": f"length={query}"}
        yield Case(f"/_get_number?length={query}", SEVEN, 400, "bad_length", options)
    options = number | {"query_string": "signs=yes"}
    yield Case("/_get_number?signs=yes", SEVEN, 400, "bad_flag", options)
    for name, strokes in {"empty strokes": [], "strokes without times": [[[1, 2]]]}.items():
        body = json.dumps({"digit": URL, "strokes": strokes})
        yield Case(f"/_get_number with {name}", body, 400, "bad_strokes", number)
    options = {"path": "/_compare"}
    yield Case("/_compare without a picture", '{"other": 7}', 400, "no_picture", options)
    options = options | {"query_string": "threshold=2"}
    yield Case("/_compare?threshold=2", SEVEN, 400, "bad_threshold", options)

    yield Case("GET", "", 405, "method_not_allowed", {"method": "GET"})
    yield Case("DELETE", "", 405, "method_not_allowed", {"method": "DELETE"})
    yield Case("an unknown address", "", 404, "not_found", {"path": "/nothing"})
    yield Case(
        "/static/../wsgi.py", "", 404, "not_found", {"path": "/static/../wsgi.py", "method": "GET"}
    )
    yield Case(
        "/static/%2e%2e/views.py",
        "",
        404,
        "not_found",
        {"path": "/static/%2e%2e/views.py", "method": "GET"},
    )
    yield Case(
        "/static//etc/passwd",
        "",
        404,
        "not_found",
        {"path": "/static//etc/passwd", "method": "GET"},
    )


CASES = {case.name: case for case in cases()}


def as_markdown() -> str:
    """The table for docs/errors.md."""
    rows = ["| Request | Status | Answer |", "| --- | ---: | --- |"]
    answers = {"7": "a seven", "blank": '"Huh...", reason `blank`'}
    for case in CASES.values():
        answer = answers[case.code] if case.status == 200 else f"`{case.code}`"
        rows.append(f"| {case.name} | {case.status} | {answer} |")
    return "\n".join(rows) + "\n"


def updated_page() -> str:
    """docs/errors.md with the current table."""
    page = PAGE.read_text()
    head, _, rest = page.partition(BEGIN)
    return head + BEGIN + as_markdown() + END + rest.partition(END)[2]


if __name__ == "__main__":
    PAGE.write_text(updated_page())
