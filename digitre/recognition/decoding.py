"""Bytes, base64, data URLs and arrays become a picture.

File types are detected from the first bytes, never from a name or a declared type. The size is checked in
the header, before any pixel is decoded.
"""

from __future__ import annotations

import base64
import binascii
import io
import re
import urllib.parse
from typing import TypeAlias

import numpy as np
from PIL import Image, ImageOps

Picture: TypeAlias = str | bytes | bytearray | Image.Image | np.ndarray

FORMATS = ("PNG", "JPEG", "WEBP")
LOSSY = ("JPEG", "WEBP")  # WebP may be lossless, which is not worth looking up
MAX_PIXELS = 16_000_000
MAX_SIDE = 10_000  # pixels

# A progressive JPEG has about ten scans. Each takes time for the whole picture, however few bytes it has.
MAX_SCANS = 100

# Pictures of twice this many pixels per side are averaged down to between one and two times this before
# anything else, which limits the memory that a request takes.
LARGEST = 2000

# The first bytes of formats that are known but not read.
_OTHER_FORMATS = (
    b"GIF8",
    b"BM",
    b"II*\0",
    b"MM\0*",
    b"%PDF",
    b"%!PS",
    b"\0\0\1\0",
    b"<",
    b"\xc5\xd0\xd3\xc6",
    b"8BPS",
    b"II+\0",
    b"MM\0+",
    b"icns",
    b"\0\0\0\x0cjP  ",
    b"\0\0\0\x0cJXL ",
    b"\xff\x0a",
)
_DATA_URL = re.compile(r"data:([^,;]*)((?:;[^,;]*)*),", re.IGNORECASE)
_MEDIA_TYPES = (
    "image/png",
    "image/jpeg",
    "image/jpg",
    "image/webp",
    "application/octet-stream",
    "",
)


class PictureError(ValueError):
    """A picture that cannot be read.

    Attributes:
        code: `bad_base64`, `not_a_picture`, `bad_pixels`, `unsupported_format` or `picture_too_large`. The
            message says what to send instead.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code

    def __reduce__(self) -> tuple[type[PictureError], tuple[str, str]]:
        """So that another process can raise it."""
        return type(self), (self.code, str(self))


def to_image(picture: Picture) -> Image.Image:
    """Decode a picture in any accepted form; a PIL image is returned as it is.

    Args:
        picture: a data URL or base64 (str or bytes), the bytes of a PNG, JPEG or WebP file, a PIL image, or
            an array as `from_array` takes it.

    Raises:
        PictureError: if it cannot be read.
        TypeError: for an object of another type.
    """
    if isinstance(picture, np.ndarray):
        return from_array(picture)
    if isinstance(picture, Image.Image):
        return picture
    if isinstance(picture, (bytes, bytearray)):
        data = bytes(picture)
        return open_picture(unpack(data) if _is_text(data) else data)
    if isinstance(picture, str):
        return open_picture(unpack(picture))
    raise TypeError(f"a picture cannot be a {type(picture).__name__}")


def _is_text(data: bytes) -> bool:
    """Whether bytes are base64 or a data URL rather than a file. Neither begins as SVG or PDF do."""
    head = data[:64].lstrip()
    return head.isascii() and b"\0" not in head and head[:1] not in (b"<", b"%")


def is_picture(data: bytes) -> bool:
    """Whether the bytes begin as a PNG, JPEG or WebP file does."""
    return data.startswith((b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff")) or (
        data[:4] == b"RIFF" and data[8:12] == b"WEBP"
    )


def unpack(text: str | bytes) -> bytes:
    """The bytes in a data URL or in plain base64.

    White space, the URL-safe alphabet, missing padding and percent-encoded data URLs are accepted.

    Raises:
        PictureError: `bad_base64`; or `unsupported_format` if a data URL names another media type and its
            bytes are not a PNG, JPEG or WebP file either.
    """
    if isinstance(text, bytes):
        text = text.decode("latin-1")
    text = text.strip()
    media_type = ""
    if text[:5].lower() in ("data:", "data%"):
        if "%" in text:
            text = urllib.parse.unquote(text, "latin-1")
        head = _DATA_URL.match(text)
        media_type = head[1].strip().lower() if head else ""
        if head is None or ";base64" not in head[2].lower():
            if media_type not in _MEDIA_TYPES:
                raise unsupported()
            raise PictureError(
                "bad_base64",
                "A data URL must begin with data:image/png;base64, followed by base64.",
            )
        text = text[head.end() :]
    packed = "".join(text.split()).replace("-", "+").replace("_", "/").rstrip("=")
    try:
        data = base64.b64decode(packed + "=" * (-len(packed) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise PictureError(
            "bad_base64", "The picture is not valid base64: send a data URL or plain base64."
        ) from None
    if media_type not in _MEDIA_TYPES and not is_picture(data):
        raise unsupported()
    return data


def unsupported() -> PictureError:
    """The error for a file of another format."""
    return PictureError("unsupported_format", "Send the picture as PNG, JPEG or WebP.")


def open_picture(data: bytes) -> Image.Image:
    """Decode a PNG, JPEG or WebP file: the first frame of an animation, turned upright as its EXIF data say.

    Returns:
        A picture of any Pillow mode. A JPEG larger than 2 * LARGEST pixels per side is decoded to fewer.

    Raises:
        PictureError: `unsupported_format`; `not_a_picture`, also for a truncated file; or
            `picture_too_large` if its header names over 16 megapixels or 10,000 pixels per side.
    """
    _check_format(data)
    try:
        image = Image.open(io.BytesIO(data), formats=FORMATS)
        if max(image.size) > MAX_SIDE or image.width * image.height > MAX_PIXELS:
            raise _too_large()
        if image.format == "JPEG" and max(image.size) >= 2 * LARGEST:
            # A JPEG's blocks can be decoded to fewer pixels at once.
            factor = max(image.size) // LARGEST
            image.draft(image.mode, (image.width // factor, image.height // factor))
        image.load()
        if image.mode in ("P", "PA") and image.palette is None:
            raise ValueError("the palette is missing")
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise _too_large() from None
    except PictureError:
        raise
    except Exception:  # Pillow's decoders raise many types, struct.error and SyntaxError among them
        raise PictureError(
            "not_a_picture", "The picture is damaged: send a complete PNG, JPEG or WebP file."
        ) from None
    if "exif" in image.info or "XML:com.adobe.xmp" in image.info or "xmp" in image.info:
        return _turn_upright(image)
    return image


def _check_format(data: bytes) -> None:
    """Raise a PictureError unless the bytes begin as a file that can be decoded."""
    if not is_picture(data):
        head = data[:64].removeprefix(b"\xef\xbb\xbf").lstrip()
        if data.startswith(_OTHER_FORMATS) or head[:1] == b"<" or data[4:8] == b"ftyp":
            raise unsupported()
        raise PictureError("not_a_picture", "This is not a picture: send a PNG, JPEG or WebP file.")
    if data.startswith(b"\xff\xd8") and data.count(b"\xff\xda") > MAX_SCANS:
        raise PictureError("not_a_picture", "The JPEG has too many scans: save it again.")


def _too_large() -> PictureError:
    return PictureError(
        "picture_too_large",
        f"Send a picture of at most {MAX_PIXELS // 1_000_000} megapixels and {MAX_SIDE:,} pixels per side.",
    )


def _turn_upright(image: Image.Image) -> Image.Image:
    """Turn a photo as the orientation in its EXIF data says."""
    try:
        upright = ImageOps.exif_transpose(image)
    except Exception:  # many types again; the metadata may be damaged although the picture is good
        return image
    upright.format = image.format
    return upright


def from_array(array: np.ndarray) -> Image.Image:
    """Turn an array into a picture of mode L, RGB or RGBA.

    Args:
        array: (height, width) or (height, width, 1) grey values, or (height, width, 3 or 4) colours; the
            fourth is opacity. If no value is above 1, they lie in [0, 1] and are scaled to [0, 255]; else
            they must lie in [0, 255] and are rounded.

    Raises:
        PictureError: `bad_pixels` if it has another shape, is empty, or holds values that are not finite
            or out of range; `picture_too_large` over 16 megapixels or 10,000 pixels per side.
    """
    array = np.asarray(array)
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[:, :, 0]
    coloured = array.ndim == 3 and array.shape[2] in (3, 4)
    if not (array.ndim == 2 or coloured) or 0 in array.shape or array.dtype.kind not in "biuf":
        raise PictureError(
            "bad_pixels",
            "An array must have the shape (height, width), or (height, width, 1, 3 or 4), not be empty, "
            "and hold numbers.",
        )
    height, width = array.shape[:2]
    if max(height, width) > MAX_SIDE or height * width > MAX_PIXELS:
        raise _too_large()
    lowest, highest = array.min(), array.max()
    if not (np.isfinite(lowest) and np.isfinite(highest)) or lowest < 0 or highest > 255:
        raise PictureError("bad_pixels", "The values must be finite and lie from 0 to 255.")
    if array.dtype != np.uint8 or highest <= 1:
        values = array.astype(np.float64)
        if highest <= 1:
            values *= 255
        array = np.rint(values).astype(np.uint8)
    return Image.fromarray(np.ascontiguousarray(array))


def to_eight_bits(image: Image.Image) -> Image.Image:
    """Bring a picture to mode L, LA, RGB or RGBA, and to less than 2 * LARGEST pixels per side.

    Raises:
        PictureError: `not_a_picture` if it has no pixels.
    """
    if 0 in image.size:
        raise PictureError("not_a_picture", "The picture has no pixels: send a complete one.")
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        image = _scale_to_eight_bits(image)
    elif image.mode == "1":
        image = image.convert("L")
    elif image.mode not in ("L", "LA", "RGB", "RGBA"):
        image = image.convert("RGBA" if image.has_transparency_data else "RGB")
    if max(image.size) >= 2 * LARGEST:
        image = image.reduce(max(image.size) // LARGEST)
    return image


# The largest values of 8, 10, 12, 14, 16 and 31 bits.
_LARGEST_VALUES = (255, 1023, 4095, 16383, 65535, 2**31)


def _scale_to_eight_bits(image: Image.Image) -> Image.Image:
    """Scale grey values of more than eight bits, or floats, to [0, 255].

    Integers are scaled by the fewest bits that hold them, since 16-bit files often hold 10 or 12. Floats and
    negative integers are stretched from the lowest to the highest value.
    """
    values = np.asarray(image)
    if values.dtype.kind == "f":
        values = np.nan_to_num(values)
    lowest, highest = float(values.min()), float(values.max())
    if image.mode != "F" and lowest >= 0:
        lowest, highest = 0.0, float(next(top for top in _LARGEST_VALUES if highest <= top))
    elif highest - lowest < 1e-9:
        return Image.new("L", image.size)
    scaled = np.empty(values.shape, np.uint8)
    # A strip at a time: a large picture of floats would take four times its own memory.
    for top in range(0, len(values), 256):
        strip = values[top : top + 256].astype(np.float32)
        scaled[top : top + 256] = np.rint((strip - lowest) * (255 / (highest - lowest)))
    return Image.fromarray(scaled)
