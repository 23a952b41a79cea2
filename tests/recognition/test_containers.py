"""What a decoder may look at is left out of a file, or bounded, before it sees the file."""

from __future__ import annotations

import io
import struct

import numpy as np
import pytest
from bad_inputs import chunk
from conftest import png
from costly import exif, tiff, with_chunks, with_segments
from PIL import Image, ImageCms, ImageOps
from strokes import DIGITS, drawn

from digitre.recognition import containers
from digitre.recognition.containers import DamagedError, UnknownKindError, strip
from digitre.recognition.decoding import PictureError, open_picture
from digitre.recognition.preprocessing import preprocess

PAPER = Image.fromarray(255 - drawn(DIGITS[2]))
COLOURS = Image.merge("RGB", [PAPER, PAPER.rotate(90), PAPER.rotate(180)])
GLASS = COLOURS.convert("RGBA")
GLASS.putalpha(PAPER.point(lambda value: 255 - value))
PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf tiff:Orientation="6"/></x:xmpmeta>'


def turned(orientation: int) -> Image.Exif:
    data = Image.Exif()
    data[0x0112] = orientation
    return data


FILES = {
    "PNG": png(COLOURS),
    "PNG with a profile and camera data": png(COLOURS, icc_profile=PROFILE, exif=turned(3)),
    "PNG, palette": png(GLASS.quantize(32)),
    "PNG, 16 bits": png(Image.fromarray(np.asarray(PAPER).astype(np.uint16) * 257)),
    "PNG, animated": png(GLASS, save_all=True, append_images=[GLASS.rotate(90)]),
    "JPEG": png(COLOURS, "JPEG"),
    "JPEG with a profile and camera data": png(
        COLOURS, "JPEG", icc_profile=PROFILE, exif=turned(8), xmp=XMP, comment=b"x"
    ),
    "JPEG, grey": png(PAPER, "JPEG"),
    "JPEG, CMYK, progressive": png(COLOURS.convert("CMYK"), "JPEG", progressive=True),
    "JPEG without JFIF": png(COLOURS, "JPEG", keep_rgb=True),
    "JPEG with restarts": png(COLOURS, "JPEG", restart_marker_blocks=4),
    "MPO": png(COLOURS, "MPO", save_all=True, append_images=[PAPER.convert("RGB")]),
    "WebP": png(COLOURS, "WEBP"),
    "WebP, transparent": png(GLASS, "WEBP", quality=60),
    "WebP with a profile and camera data": png(
        COLOURS, "WEBP", icc_profile=PROFILE, exif=turned(5), xmp=XMP
    ),
    "WebP, lossless, animated": png(
        GLASS, "WEBP", lossless=True, save_all=True, append_images=[GLASS.rotate(90)]
    ),
    "GIF": png(COLOURS, "GIF"),
    "GIF, transparent, with a comment": png(GLASS, "GIF", comment=b"x" * 1000),
    "GIF, animated": png(COLOURS, "GIF", save_all=True, append_images=[COLOURS.rotate(90)]),
    "BMP": png(COLOURS, "BMP"),
    "BMP, palette": png(COLOURS.quantize(16), "BMP"),
    "BMP, 1 bit": png(PAPER.convert("1"), "BMP"),
    "TIFF, 1 bit, of a fax": png(PAPER.convert("1"), "TIFF", compression="group4"),
    "TIFF, 16 bits": png(Image.fromarray(np.asarray(PAPER).astype(np.uint16) * 257), "TIFF"),
    "TIFF, floats": png(PAPER.convert("F"), "TIFF"),
    "TIFF with a profile and camera data": png(
        COLOURS, "TIFF", compression="tiff_lzw", icc_profile=PROFILE, exif=turned(6)
    ),
    "TIFF, palette, packed": png(COLOURS.quantize(16), "TIFF", compression="packbits"),
    "TIFF, CMYK": png(COLOURS.convert("CMYK"), "TIFF", compression="tiff_deflate"),
    "TIFF, transparent, of two pages": png(
        GLASS, "TIFF", save_all=True, append_images=[GLASS.rotate(90)]
    ),
}


@pytest.mark.parametrize("name", FILES)
def test_what_is_left_is_the_same_picture(name: str) -> None:
    """The first picture of a file is the same, turned the same way, without all that was left out."""
    whole = Image.open(io.BytesIO(FILES[name]))
    bare = strip(FILES[name])
    assert bare is not None
    assert bare.size == whole.size
    assert bare.orientation == whole.getexif().get(0x0112, 1)
    whole = ImageOps.exif_transpose(whole)
    left = Image.open(io.BytesIO(bare.data), formats=[bare.format])
    for unneeded in ("icc_profile", "exif", "xmp", "comment", "photoshop"):
        assert unneeded not in left.info
    assert getattr(left, "n_frames", 1) == 1 or name == "GIF, animated"
    turn = Image.Exif()
    turn[0x0112] = bare.orientation
    left.info["exif"] = turn.tobytes()
    np.testing.assert_array_equal(np.asarray(ImageOps.exif_transpose(left)), np.asarray(whole))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP", "TIFF", "AVIF"])
def test_each_orientation_is_turned_upright(format: str, orientation: int) -> None:
    """A photo is turned as Pillow turns it, in each format that has camera data."""
    file = png(COLOURS, format, exif=turned(orientation))
    expected = ImageOps.exif_transpose(Image.open(io.BytesIO(file))).convert("RGB")
    assert np.array_equal(np.asarray(open_picture(file)), np.asarray(expected))


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP"])
def test_an_orientation_in_xmp_counts_without_exif(format: str) -> None:
    """Where EXIF does not say how a photo is held, XMP may."""
    if format == "PNG":
        text = b"XML:com.adobe.xmp\0\0\0\0\0" + XMP
        file = with_chunks(chunk(b"iTXt", text), png(COLOURS))
    else:
        file = png(COLOURS, format, xmp=XMP)
    bare = strip(file)
    assert bare is not None
    assert bare.orientation == 6


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "AVIF"])
def test_each_format_is_read(format: str) -> None:
    """The same drawing is nearly the same in every format."""
    expected = preprocess(png(PAPER))
    assert np.abs(preprocess(png(PAPER.convert("RGB"), format)) - expected).mean() < 0.03


def jpeg_of(frame: int) -> bytes:
    return png(PAPER, "JPEG").replace(b"\xff\xc0", bytes([0xFF, frame]), 1)


GIF = b"GIF89a" + struct.pack("<HHBBB", 9, 9, 0, 0, 0)  # the header of one without a palette
AVIF = png(PAPER, "AVIF")
LONG_BMP = png(PAPER.convert("P"), "BMP") + bytes(300_000)


def tiff_with(tag: int, kind: int, count: int, value: int) -> bytes:
    """A TIFF of one strip with another value in one of its tags."""
    file = bytearray(tiff((16, 16), 8, 1, 16, [bytes(256)], packing=1))
    (start,) = struct.unpack_from("<I", file, 4)
    (number,) = struct.unpack_from("<H", file, start)
    for place in range(start + 2, start + 2 + 12 * number, 12):
        if struct.unpack_from("<H", file, place) == (tag,):
            file[place + 2 : place + 12] = struct.pack("<HII", kind, count, value)
            return bytes(file)
    raise AssertionError(tag)


def jpeg_of_scans(number: int, side: int) -> bytes:
    """A progressive JPEG with its last scan repeated, and another size in its header."""
    file = png(PAPER, "JPEG", progressive=True)
    last = file.rfind(b"\xff\xda")
    more = number - file.count(b"\xff\xda")
    frame = file.index(b"\xff\xc2")
    file = file[: frame + 5] + struct.pack(">HH", side, side) + file[frame + 9 :]
    return file[:-2] + file[last:-2] * more + file[-2:]


def test_a_jpeg_may_have_as_many_scans_as_programs_write() -> None:
    """A hundred scans of a small picture, and eighteen of the largest, are taken."""
    assert strip(jpeg_of_scans(100, 100)) is not None
    assert strip(jpeg_of_scans(18, 4000)) is not None


REFUSED = {
    "a JPEG of 101 scans": (jpeg_of_scans(101, 100), DamagedError),
    "a large JPEG of 19 scans": (jpeg_of_scans(19, 4000), DamagedError),
    "a JPEG with arithmetic codes": (jpeg_of(0xC9), UnknownKindError),
    "a lossless JPEG": (jpeg_of(0xC3), UnknownKindError),
    "a JPEG of a million segments": (with_segments(b"\xff\xfe\0\2", 10**6), DamagedError),
    "a JPEG without a picture": (b"\xff\xd8\xff\xd9" * 9, DamagedError),
    "a JPEG that ends in a segment": (png(PAPER, "JPEG")[:30], DamagedError),
    "a PNG of 600,000 chunks": (with_chunks(chunk(b"teXt", b"") * 600_000), DamagedError),
    "a PNG of nothing": (b"\x89PNG\r\n\x1a\n", DamagedError),
    "a WebP of 10,000 chunks": (b"RIFF\0\0\0\0WEBP" + b"xxxx\0\0\0\0" * 10_000, DamagedError),
    "a WebP with two headers": (
        b"RIFF\0\0\0\0WEBP" + (b"VP8X" + struct.pack("<I", 10) + bytes(10)) * 2,
        DamagedError,
    ),
    "a GIF of a million blocks": (
        GIF + b"!\xfe" + b"\1x" * 10**6 + b"\0,",
        DamagedError,
    ),
    "a GIF without a picture": (GIF + b";", DamagedError),
    "a long BMP of run lengths": (
        LONG_BMP[:30] + struct.pack("<I", 1) + LONG_BMP[34:],
        UnknownKindError,
    ),
    "a TIFF that holds a JPEG": (png(COLOURS, "TIFF", compression="jpeg"), UnknownKindError),
    "a TIFF of LZMA": (png(COLOURS, "TIFF", compression="lzma"), UnknownKindError),
    "a TIFF whose strip is longer than it": (tiff_with(279, 4, 1, 10**6), DamagedError),
    "a TIFF of a million strips": (tiff_with(273, 4, 10**6, 8), DamagedError),
    "a TIFF of a thousand channels": (tiff_with(277, 3, 1, 1000), DamagedError),
    "a TIFF of two widths": (tiff_with(256, 3, 2, 16), DamagedError),
    "a TIFF without lengths": (tiff_with(279, 12, 1, 0), DamagedError),
    "an AVIF of a million boxes": (AVIF[:32] + b"\0\0\0\x08free" * 10**6, DamagedError),
    "an AVIF whose box is longer than it": (AVIF[:32] + b"\0\1\0\0meta", DamagedError),
    "an AVIF without a size": (AVIF.replace(b"ispe", b"free"), DamagedError),
    "an empty TIFF": (b"II*\0\x08\0\0\0\0\0", DamagedError),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_would_cost_too_much_is_refused(name: str) -> None:
    """A file that no program makes, or that is packed in a rare way, is refused with a message."""
    file, error = REFUSED[name]
    with pytest.raises(error, match=r"[.]$"):
        strip(file)


@pytest.mark.parametrize(
    ("across", "down", "size"), [(1, 1, (1000, 1000)), (16, 2**20, (10_000, 1)), (0, 16, (16, 16))]
)
def test_a_tiff_of_tiny_or_huge_tiles_is_refused(
    across: int, down: int, size: tuple[int, int]
) -> None:
    """Tiles that are very many, or together much larger than the picture, are refused."""
    values = {322: (across,), 323: (down,), 324: (8,), 325: (9,)}
    with pytest.raises(DamagedError):
        containers._check_tiff(1000, size, lambda tag, *otherwise: values.get(tag, otherwise))


def test_pillow_never_sees_camera_data(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a file holds, Pillow is not asked for its EXIF data."""

    def load(self, data):
        raise AssertionError("EXIF was parsed")

    files = [with_chunks(chunk(b"eXIf", exif(64_000)))]
    files += [png(PAPER, kind, exif=exif(2_000)) for kind in ("JPEG", "WEBP")]
    monkeypatch.setattr(Image.Exif, "load", load)
    for file in files:
        assert open_picture(file).width > 0


def test_a_picture_larger_than_its_header_says_is_refused() -> None:
    """The size that was checked is the size that is decoded."""
    frame = png(Image.new("L", (3000, 3000)), "GIF")
    lying = frame[:6] + struct.pack("<HH", 10, 10) + frame[10:]
    with pytest.raises(PictureError) as raised:
        open_picture(lying)
    assert raised.value.code == "picture_too_large"


@pytest.mark.parametrize(
    ("file", "words"),
    [
        (b"\0\0\0\x18ftypheic" + bytes(50), "as JPEG"),
        (b"\0\0\0\x18ftypmif1" + bytes(50), "as JPEG"),
        (b"data:image/heic;base64,AAAA", "as JPEG"),
        (b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>', "export it as PNG"),
        (b"data:image/svg+xml;base64,PHN2Zy8+", "export it as PNG"),
    ],
)
def test_the_answer_says_what_to_do_with_a_known_format(file: bytes, words: str) -> None:
    """A photo as HEIC and a drawing as SVG get a message that helps."""
    with pytest.raises(PictureError, match=words) as raised:
        preprocess(file)
    assert raised.value.code == "unsupported_format"
