"""The quick way to decode a PNG gives Pillow's pixels, or leaves the file to Pillow."""

from __future__ import annotations

import base64
import json
import struct
import zlib

import numpy as np
import pytest
from bad_inputs import CASES, chunk
from conftest import ROOT, png
from PIL import Image
from strokes import DIGITS, drawn

from digitre.recognition import common_png as quick
from digitre.recognition.common_png import common_png
from digitre.recognition.decoding import PictureError, as_image, open_picture, to_pixels

SEVEN = drawn(DIGITS[7])
RANDOM = np.random.default_rng(5)


def coloured(mode: str) -> Image.Image:
    """A picture with all values in each channel."""
    shape = (61, 40) if mode == "L" else (61, 40, len(mode))
    return Image.fromarray(RANDOM.integers(0, 256, shape, dtype=np.uint8))


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA"])
def test_the_pixels_are_those_of_pillow(mode: str) -> None:
    """Every value of a grey, coloured or transparent picture is the same, at every level of packing."""
    for level in range(10):
        file = png(coloured(mode), compress_level=level)
        pixels = common_png(file)
        assert pixels is not None
        assert np.array_equal(pixels, np.asarray(open_picture(file)))
        assert as_image(pixels).mode == mode


@pytest.mark.parametrize("name", ["page", "canvas"])
def test_what_pages_send_is_common(name: str) -> None:
    """The drawing of the page, and a canvas whose pixels come in several parts, take the quick way."""
    sent = json.loads((ROOT / "benchmarks" / "drawings" / f"{name}.json").read_text())[0]["digit"]
    pixels = to_pixels(sent)
    assert isinstance(pixels, np.ndarray)
    file = base64.b64decode(sent.partition(",")[2])
    assert np.array_equal(pixels, np.asarray(open_picture(file)))


@pytest.mark.parametrize(
    "file",
    [
        png(Image.fromarray(SEVEN).convert("P")),
        png(Image.fromarray(SEVEN).convert("1")),
        png(Image.fromarray(SEVEN).convert("LA")),
        png(SEVEN, transparency=0),
        png(Image.fromarray(SEVEN.astype(np.uint16) * 257)),
        png(Image.new("L", (1500, 2))),
        png(SEVEN, "JPEG"),
        b"",
    ],
    ids=[
        "palette",
        "bits",
        "grey and opacity",
        "a transparent grey",
        "16 bits",
        "wide",
        "JPEG",
        "empty",
    ],
)
def test_other_files_are_left_to_pillow(file: bytes) -> None:
    """A PNG with anything else in it, and every other format, is not common."""
    assert common_png(file) is None


def test_without_its_library_pillow_decodes(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a platform without pyspng every picture is decoded by Pillow, to the same pixels."""
    file = png(SEVEN)
    expected = to_pixels(file)
    monkeypatch.setattr(quick, "pyspng", None)
    assert isinstance(image := to_pixels(file), Image.Image)
    assert np.array_equal(np.asarray(image), expected)


def outcome(decode, file: bytes) -> object:
    try:
        return np.asarray(decode(file)).tobytes()
    except PictureError as error:
        return error.code


def damaged(file: bytes) -> bytes:
    """A file with some bytes changed, left out or put in."""
    data = bytearray(file)
    for _ in range(RANDOM.integers(1, 4)):
        at = int(RANDOM.integers(8, len(data)))
        match RANDOM.integers(3):
            case 0:
                data[at] = RANDOM.integers(256)
            case 1:
                del data[at : at + int(RANDOM.integers(1, 9))]
            case _:
                data[at:at] = RANDOM.bytes(3)
    return bytes(data)


def test_damaged_files_have_the_same_outcome() -> None:
    """A damaged PNG gives the error, or the pixels, that Pillow alone gives, and never a crash."""
    files = [png(coloured(mode)) for mode in ("L", "RGB", "RGBA")] + [png(SEVEN)]
    for index in range(1200):
        file = damaged(files[index % 4])
        assert outcome(to_pixels, file) == outcome(open_picture, file), index


def test_pixels_that_are_damaged_within_are_refused() -> None:
    """Packed pixels that are too few, too many, or wrong get the outcome of Pillow alone."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 20, 20, 8, 0, 0, 0, 0))
    rows = b"".join(b"\0" + RANDOM.bytes(20) for _ in range(20))
    packed = zlib.compress(rows)
    for pixels in (
        packed[:-1],
        packed[:-6],
        packed[:30],
        packed + b"more",
        zlib.compress(rows[:-1]),
        zlib.compress(rows + b"\0" * 100),
        zlib.compress(b"\x07" + rows[1:]),
        b"",
    ):
        file = b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
        assert outcome(to_pixels, file) == outcome(open_picture, file), pixels[-8:]


def test_bad_inputs_have_the_same_outcome() -> None:
    """Every file of tests/bad_inputs.py has the same outcome both ways."""
    for case in CASES.values():
        if isinstance(case.body, bytes) and case.body.startswith(b"\x89PNG"):
            assert outcome(to_pixels, case.body) == outcome(open_picture, case.body), case.name
