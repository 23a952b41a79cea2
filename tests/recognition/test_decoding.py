"""The ink of a drawing is found in any colours, file format and packing."""

from __future__ import annotations

import base64
import io
import struct
import zlib

import numpy as np
import pytest
from conftest import data_url, png
from PIL import Image, ImageOps
from strokes import DIGITS, drawn

from digitre.recognition import preprocessing
from digitre.recognition.decoding import PictureError, open_picture, unpack
from digitre.recognition.preprocessing import decode, preprocess

INK = drawn(DIGITS[2])
PLAIN = preprocess(INK)


def coloured(ground: tuple[int, int, int], ink: tuple[int, int, int]) -> Image.Image:
    cover = Image.fromarray(INK)
    return Image.composite(
        Image.new("RGB", (250, 250), ink), Image.new("RGB", (250, 250), ground), cover
    )


def on_glass(ink: tuple[int, int, int]) -> Image.Image:
    """A pen of one colour on a transparent canvas."""
    image = Image.new("RGBA", (250, 250), (*ink, 0))
    image.putalpha(Image.fromarray(INK))
    return image


def rounded() -> Image.Image:
    """A white card with round, transparent corners."""
    image = coloured((255, 255, 255), (0, 0, 0)).convert("RGBA")
    y, x = np.mgrid[0:250, 0:250]
    inside = (
        np.hypot(np.maximum(np.abs(x - 124.5) - 100, 0), np.maximum(np.abs(y - 124.5) - 100, 0))
        < 25
    )
    image.putalpha(Image.fromarray((inside * 255).astype(np.uint8)))
    return image


def two_pens_on_glass() -> Image.Image:
    image = on_glass((0, 0, 0))
    red = Image.new("RGBA", (250, 125), (200, 0, 0, 0))
    red.putalpha(image.getchannel("A").crop((0, 125, 250, 250)))
    image.paste(red, (0, 125))
    return image


PAINTED = {
    "black on white": coloured((255, 255, 255), (0, 0, 0)),
    "white on black": coloured((0, 0, 0), (255, 255, 255)),
    "blue on white": coloured((255, 255, 255), (20, 60, 200)),
    "yellow on white": coloured((255, 255, 255), (255, 230, 0)),
    "red on green as bright": coloured((0, 129, 0), (255, 0, 0)),
    "dark grey on grey": coloured((140, 140, 140), (60, 60, 60)),
    "pale on pale": coloured((250, 250, 250), (225, 225, 225)),
    "in a black frame": ImageOps.expand(coloured((255, 255, 255), (0, 0, 0)), 4, (0, 0, 0)),
    "in a thin grey frame": ImageOps.expand(coloured((0, 0, 0), (255, 255, 255)), 1, (90, 90, 90)),
    "black on glass": on_glass((0, 0, 0)),
    "white on glass": on_glass((255, 255, 255)),
    "orange on glass": on_glass((255, 140, 0)),
    "two pens on glass": two_pens_on_glass(),
    "white card with round corners": rounded(),
    "mode 1": coloured((255, 255, 255), (0, 0, 0))
    .convert("L")
    .point(lambda v: 255 * (v > 127))
    .convert("1"),
    "mode L": coloured((255, 255, 255), (0, 0, 0)).convert("L"),
    "mode LA": on_glass((0, 0, 0)).convert("LA"),
    "mode P": coloured((255, 255, 255), (0, 0, 0)).convert("P"),
    "mode P with transparency": on_glass((0, 0, 0)).quantize(16),
    "16 bits": Image.fromarray(65535 - INK.astype(np.uint16) * 257),
    "12 of 16 bits": Image.fromarray(INK.astype(np.uint16) * 16),
}


@pytest.mark.parametrize("name", PAINTED)
def test_paint_does_not_matter(name: str) -> None:
    """Colour, inversion, transparency and mode hardly change what the network sees."""
    pixels = preprocess(png(PAINTED[name]))
    assert np.abs(pixels - PLAIN).mean() < 0.02
    assert np.corrcoef(pixels.ravel(), PLAIN.ravel())[0, 1] > 0.985


@pytest.mark.parametrize(
    ("format", "options"),
    [
        ("JPEG", {"quality": 90}),
        ("JPEG", {"quality": 40}),
        ("WEBP", {"quality": 60}),
        ("WEBP", {"lossless": True}),
    ],
)
@pytest.mark.parametrize("name", ["black on white", "white on black", "blue on white"])
def test_file_format_does_not_matter(name: str, format: str, options: dict) -> None:
    """JPEG and WebP give nearly the same as PNG, although they have ripples."""
    pixels = preprocess(png(PAINTED[name], format, **options))
    assert np.abs(pixels - PLAIN).mean() < 0.03


@pytest.mark.parametrize("mode", ["L", "CMYK"])
def test_jpeg_modes(mode: str) -> None:
    """Grey and CMYK JPEGs are read."""
    pixels = preprocess(png(PAINTED["black on white"].convert(mode), "JPEG", quality=92))
    assert np.abs(pixels - PLAIN).mean() < 0.03


@pytest.mark.parametrize("seed", range(4))
def test_a_photo_gives_nearly_the_same(seed: int) -> None:
    """Ink on grey, uneven, grainy paper gives nearly what a clean canvas does."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[-1:1:250j, -1:1:250j]
    paper = 175 + 35 * x * random.choice([-1, 1]) + 20 * y + random.normal(0, 5, (250, 250))
    photo = np.clip(paper - INK * 0.45, 0, 255).astype(np.uint8)
    pixels = preprocess(png(Image.fromarray(photo), "JPEG", quality=85))
    assert np.corrcoef(pixels.ravel(), PLAIN.ravel())[0, 1] > 0.97


@pytest.mark.parametrize(
    ("canvas", "scale", "pen"), [(800, 0.45, 6), (800, 0.75, 4), (250, 0.25, 4)]
)
def test_a_small_digit_on_a_large_photo(canvas: int, scale: float, pen: float) -> None:
    """Ink that covers less than a hundredth of a grainy photo is found, and nothing else is."""
    random = np.random.default_rng(1)
    small = drawn(DIGITS[2], canvas=canvas, scale=scale, pen=pen)
    x = np.linspace(-1, 1, canvas)
    photo = 200 + 15 * x - small * 0.47 + random.normal(0, 4, small.shape)
    pixels = preprocess(np.clip(photo, 0, 255).astype(np.uint8))
    clean = preprocess(small)
    assert np.corrcoef(pixels.ravel(), clean.ravel())[0, 1] > 0.9


def test_grainy_paper_without_ink_is_blank() -> None:
    """Paper with only grain and uneven light gives no ink at all."""
    random = np.random.default_rng(5)
    y, x = np.mgrid[-1:1:200j, -1:1:200j]
    paper = 180 + 40 * x - 20 * y * y + random.normal(0, 5, (200, 200))
    assert not decode(paper.astype(np.uint8)).any()


def test_each_packing_is_the_same_picture(seven: bytes) -> None:
    """The same drawing as a data URL, base64, bytes, a PIL image or an array gives the same pixels."""
    url = data_url(seven)
    packed = url.split(",")[1]
    spread = "\n".join(packed[i : i + 76] for i in range(0, len(packed), 76))
    forms = [
        url,
        url.encode(),
        packed,
        packed.encode(),
        spread,
        packed.rstrip("="),
        base64.urlsafe_b64encode(seven).decode(),
        url.replace(";base64", ";charset=utf-8;base64"),
        url.replace(":", "%3A").replace(";", "%3B").replace(",", "%2C").replace("+", "%2B"),
        bytearray(seven),
        Image.open(io.BytesIO(seven)),
        np.asarray(Image.open(io.BytesIO(seven))),
        np.asarray(Image.open(io.BytesIO(seven))) / 255,
    ]
    for form in forms:
        np.testing.assert_array_equal(preprocess(form), preprocess(seven))


def test_a_photo_held_sideways_is_turned_upright() -> None:
    """The orientation in a photo's EXIF data is applied."""
    turned = PAINTED["black on white"].transpose(Image.Transpose.ROTATE_90)
    exif = Image.Exif()
    exif[0x0112] = 6  # shown turned by 90 degrees clockwise
    pixels = preprocess(png(turned, "JPEG", quality=95, exif=exif))
    assert np.abs(pixels - PLAIN).mean() < 0.03


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")  # by Pillow
@pytest.mark.parametrize("format", ["PNG", "WEBP", "JPEG"])
def test_a_damaged_orientation_is_ignored(format: str) -> None:
    """A good picture with damaged EXIF data is read as it is."""
    broken = b"Exif\0\0II*\0\x08\0\0\0\xff\xff\x12\x01\x03\0"
    file = png(PAINTED["black on white"], format, exif=broken)
    assert np.abs(preprocess(file) - PLAIN).mean() < 0.03


def test_faint_ink_with_a_transparent_corner() -> None:
    """A picture with one transparent pixel is not taken for a transparent canvas."""
    image = coloured((245, 245, 245), (225, 225, 225)).convert("RGBA")
    image.putpixel((0, 0), (0, 0, 0, 0))
    assert np.abs(preprocess(image) - PLAIN).mean() < 0.03


def test_one_step_of_sixteen_bits_is_blank() -> None:
    """An invisible difference is not ink, however many bits a pixel has."""
    values = np.full((250, 250), 65535, np.uint16) - (INK > 127)
    assert not decode(png(Image.fromarray(values.astype(np.uint16)))).any()


def test_a_flood_of_scans_is_refused() -> None:
    """A progressive JPEG that repeats its last scan a thousand times is refused before decoding."""
    file = png(PAINTED["mode L"], "JPEG", progressive=True)
    last = file[file.rindex(b"\xff\xda") : -2]
    with pytest.raises(PictureError, match="scans"):
        decode(file[:-2] + last * 1000 + file[-2:])


def test_the_first_frame_of_an_animation_is_read() -> None:
    """Animated PNG and WebP are read by their first frame."""
    first, second = PAINTED["black on white"], PAINTED["black on white"].rotate(90)
    for format in ("PNG", "WEBP"):
        file = png(first, format, save_all=True, append_images=[second], lossless=True)
        assert np.abs(preprocess(file) - PLAIN).mean() < 0.01


def header_only(width: int, height: int) -> bytes:
    """A PNG whose header names this size, and that holds almost no data."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(b"\0"))
        + chunk(b"IEND", b"")
    )


BAD = {
    "no base64": ("@@@@", "bad_base64"),
    "a data URL without a comma": ("data:image/png;base64", "bad_base64"),
    "a data URL that is not base64": ("data:image/png,abc", "bad_base64"),
    "a GIF that ends early": ("data:image/gif;base64,R0lGODlhAQABAAAAACw=", "not_a_picture"),
    "base64 of nothing known": (base64.b64encode(b"hello there").decode(), "not_a_picture"),
    "an empty text": ("", "not_a_picture"),
    "an ICO": (png(Image.new("L", (16, 16)), "ICO"), "unsupported_format"),
    "an SVG": (b'<svg xmlns="http://www.w3.org/2000/svg"/>', "unsupported_format"),
    "a PDF": (b"%PDF-1.7\n1 0 obj", "unsupported_format"),
    "a truncated PNG": (png(INK)[:300], "not_a_picture"),
    "a PNG of no pixels": (header_only(0, 0), "not_a_picture"),
    "a PNG with too many pixels": (header_only(5000, 5000), "picture_too_large"),
    "a PNG that is too wide": (header_only(10_001, 1), "picture_too_large"),
    "a bomb": (header_only(60_000, 60_000), "picture_too_large"),
    "a moderate bomb": (header_only(9_900, 9_900), "picture_too_large"),
    "a PIL image of no pixels": (Image.new("L", (0, 5)), "not_a_picture"),
    "a cube": (np.zeros((2, 2, 2)), "bad_pixels"),
    "an empty array": (np.zeros((0, 4)), "bad_pixels"),
    "an array with NaN": (np.array([[0, np.nan]]), "bad_pixels"),
    "an array out of range": (np.array([[0, 256]]), "bad_pixels"),
    "an array of text": (np.array([["a", "b"]]), "bad_pixels"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_picture_raises_a_picture_error(name: str) -> None:
    """What cannot be read raises a PictureError with a code; its message says what to send instead."""
    picture, code = BAD[name]
    with pytest.raises(PictureError) as raised:
        decode(picture)
    assert raised.value.code == code
    assert str(raised.value).endswith((".", "..."))


def test_another_type_is_a_type_error() -> None:
    """An object whose type cannot hold a picture is a TypeError."""
    with pytest.raises(TypeError, match="cannot be a dict"):
        decode({})  # type: ignore[arg-type]


def test_size_is_checked_before_decoding(monkeypatch: pytest.MonkeyPatch) -> None:
    """A picture over the limits is refused by its header, before any pixel is decoded."""

    def load(self):
        raise AssertionError("decoded")

    monkeypatch.setattr(Image.Image, "load", load)
    with pytest.raises(PictureError, match="8 megapixels"):
        open_picture(header_only(4001, 2000))


def test_unpack_returns_the_bytes() -> None:
    """Base64 is decoded to the bytes that it holds, padded or not."""
    assert unpack("aGVsbG8") == b"hello"
    assert unpack(b"data:;base64,aGVsbG8=") == b"hello"


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA"])
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_the_fast_way_finds_the_same_ink(
    monkeypatch: pytest.MonkeyPatch, mode: str, kind: str
) -> None:
    """A plain ground is handled faster than others are, with the same result."""
    pictures = [Image.fromarray(255 - drawn(strokes)).convert(mode) for strokes in DIGITS.values()]
    pictures += [Image.fromarray(drawn(DIGITS[2])).convert(mode), Image.new(mode, (30, 40))]
    framed = pictures[0].copy()
    framed.paste(Image.new(mode, (250, 2)))
    if kind == "JPEG":
        pictures = [picture.convert("L" if "L" in mode else "RGB") for picture in pictures]
        framed = framed.convert("RGB")
    files = [png(picture, kind) for picture in [*pictures, framed]]
    expected = [preprocessing.find_ink(open_picture(file)) for file in files]
    monkeypatch.setattr(preprocessing, "on_plain_ground", lambda *_: None)
    for file, drawing in zip(files, expected, strict=True):
        np.testing.assert_array_equal(preprocessing.find_ink(open_picture(file)), drawing)


@pytest.mark.parametrize("pen", [(0, 0, 0), (200, 30, 90)], ids=["black", "coloured"])
@pytest.mark.parametrize("strength", [255, 90, 6], ids=["full", "faint", "invisible"])
def test_the_fast_way_finds_the_same_on_transparent_canvases(
    monkeypatch: pytest.MonkeyPatch, pen: tuple[int, int, int], strength: int
) -> None:
    """A drawing on a transparent canvas is found in its box as it is found in the whole picture."""
    pictures = []
    for margin, strokes in enumerate(DIGITS.values()):
        alpha = np.pad(drawn(strokes)[20:-20, 20:-20] * (strength / 255), margin).astype(np.uint8)
        alpha[0, 3 * margin] = margin > 7  # a pixel at an edge
        alpha[40, 40] = 3  # and one that is not seen
        colours = np.where((alpha > 0)[:, :, None], np.uint8(pen), np.uint8(0))
        pictures.append(np.dstack([colours, alpha]))
    fast = [preprocessing.find_plain_drawing(picture) for picture in pictures]
    monkeypatch.setattr(preprocessing, "on_clear_ground", lambda _: None)
    for picture, found in zip(pictures, fast, strict=True):
        expected = preprocessing.find_plain_drawing(picture)
        assert found is not None
        assert expected is not None
        np.testing.assert_array_equal(found.values, expected.values)
        assert found.margins == expected.margins
