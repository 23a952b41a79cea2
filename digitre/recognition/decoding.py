"""What a client sends becomes a picture.

Bytes are recognised by their first bytes, never by a name or a declared type. Size is checked in
the header, before a pixel is decoded.
"""

from __future__ import annotations

import base64
import binascii
import io
import re
import urllib.parse

import numpy as np
from PIL import Image, ImageOps

FORMATS = ("PNG", "JPEG", "WEBP")
MAX_PIXELS = 16_000_000
MAX_SIDE = 10_000

# A progressive JPEG has some ten scans; each costs time for the whole picture, however small it is.
MAX_SCANS = 100

# Larger pictures are averaged down to between one and two times this before anything else, which
# keeps the memory of a request bounded.
LARGEST = 2000

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
    """A picture that cannot be read. `code` names the case, the message says what to send.

    Codes: `bad_base64`, `not_a_picture`, `bad_pixels`, `unsupported_format`, `picture_too_large`.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def is_picture(data: bytes) -> bool:
    """Whether the bytes begin as a PNG, JPEG or WebP does."""
    return data.startswith((b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff")) or (
        data[:4] == b"RIFF" and data[8:12] == b"WEBP"
    )


def unpack(text: str | bytes) -> bytes:
    """The bytes in a data URL or in bare base64.

    White space, the URL-safe alphabet, missing padding and a percent-encoded data URL are
    accepted.

    Raises:
        PictureError: `bad_base64`; `unsupported_format` for a data URL of another media type, and no picture.
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
                "bad_base64", "A data URL must read data:image/png;base64, and then the base64."
            )
        text = text[head.end() :]
    packed = "".join(text.split()).replace("-", "+").replace("_", "/").rstrip("=")
    try:
        data = base64.b64decode(packed + "=" * (-len(packed) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise PictureError(
            "bad_base64", "The picture is not valid base64: send a data URL or plain base64."
        ) from None
    if media_type not in _MEDIA_TYPES and not is_picture(data):  # its bytes go before its name
        raise unsupported()
    return data


def unsupported() -> PictureError:
    return PictureError("unsupported_format", "Send the picture as PNG, JPEG or WebP.")


def open_picture(data: bytes) -> Image.Image:
    """Decode picture bytes, turned upright, the first frame of an animation.

    Raises:
        PictureError: `unsupported_format`, `not_a_picture` (also a truncated file), or
            `picture_too_large`: over 16 megapixels or 10,000 pixels a side, by its header.
    """
    too_large = PictureError(
        "picture_too_large",
        f"Send a picture of at most {MAX_PIXELS // 1_000_000} megapixels and {MAX_SIDE:,} pixels a side.",
    )
    if not is_picture(data):
        head = data[:64].removeprefix(b"\xef\xbb\xbf").lstrip()
        if data.startswith(_OTHER_FORMATS) or head[:1] == b"<" or data[4:8] == b"ftyp":
            raise unsupported()
        raise PictureError("not_a_picture", "No picture was found: send a PNG, JPEG or WebP.")
    if data.startswith(b"\xff\xd8") and data.count(b"\xff\xda") > MAX_SCANS:
        raise PictureError("not_a_picture", "The JPEG has too many scans: save it anew.")
    try:
        image = Image.open(io.BytesIO(data), formats=FORMATS)
        if max(image.size) > MAX_SIDE or image.width * image.height > MAX_PIXELS:
            raise too_large
        if image.format == "JPEG" and max(image.size) >= 2 * LARGEST:
            # Its blocks can be decoded to fewer pixels at once.
            part = max(image.size) // LARGEST
            image.draft(image.mode, (image.width // part, image.height // part))
        image.load()
        if image.mode in ("P", "PA") and image.palette is None:
            raise ValueError("the palette is missing")
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise too_large from None
    except PictureError:
        raise
    except Exception:  # Pillow's decoders raise many types, struct.error and SyntaxError among them
        raise PictureError(
            "not_a_picture", "The picture is damaged: send a whole PNG, JPEG or WebP."
        ) from None
    if "exif" in image.info or "XML:com.adobe.xmp" in image.info or "xmp" in image.info:
        try:
            turned = ImageOps.exif_transpose(image)
        except Exception:  # as above: what a camera wrote beside a good picture may be damaged
            return image
        turned.format = image.format
        return turned
    return image


def from_array(array: np.ndarray) -> Image.Image:
    """A 2-D array as a grey picture.

    Booleans and floats within [0, 1] are stretched to [0, 255]; unsigned bytes are taken as they
    are; any other numbers must lie in [0, 255].

    Raises:
        PictureError: `bad_pixels` where it is not 2-D, empty, not finite or out of range.
    """
    array = np.asarray(array)
    if array.ndim != 2 or 0 in array.shape or array.dtype.kind not in "biuf":
        raise PictureError("bad_pixels", "An array must have two dimensions and hold grey values.")
    if max(array.shape) > MAX_SIDE or array.size > MAX_PIXELS:
        raise PictureError(
            "picture_too_large", "The array has over 16 megapixels or 10,000 a side."
        )
    if array.dtype != np.uint8:
        values = array.astype(np.float64)
        low, high = values.min(), values.max()
        if not (np.isfinite(low) and np.isfinite(high)) or low < 0 or high > 255:
            raise PictureError("bad_pixels", "Grey values must be finite and lie from 0 to 255.")
        if array.dtype.kind in "bf" and high <= 1:
            values *= 255
        array = np.rint(values).astype(np.uint8)
    return Image.fromarray(np.ascontiguousarray(array))
