"""Bytes, base64, data URLs and arrays become a picture.

File types are detected from the first bytes, never from a name or a declared type. The size is checked in
the header, before any pixel is decoded; and what the picture does not need is left out of the file before
Pillow sees it (`containers`).
"""

from __future__ import annotations

import binascii
import io
import re
import urllib.parse
from typing import TypeAlias

import numpy as np
import pybase64
from PIL import Image

from digitre.recognition import avif, containers
from digitre.recognition.common_png import common_png
from digitre.recognition.containers import LARGEST, NAMES, is_picture

Picture: TypeAlias = str | bytes | bytearray | Image.Image | np.ndarray

LOSSY = ("JPEG", "WEBP", "AVIF")  # the last two may be lossless, which is not worth looking up
MAX_PIXELS = 16_000_000  # of a JPEG, which phones make, and which can be decoded to fewer pixels
MAX_OTHER_PIXELS = 8_000_000  # of all other formats
MAX_SIDE = 10_000  # pixels

# Percent signs in a data URL. Base64 has a character to encode in 32, on average; each takes time and memory.
MAX_ESCAPES = 400_000

# The key in a picture's `info` of its width and height in the file, upright: what is decoded may be smaller.
FULL_SIZE = "full_size"

# How to turn a picture upright, by its orientation as EXIF counts.
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

# The first bytes of formats that are known but not read.
_OTHER_FORMATS = (
    b"%PDF",
    b"%!PS",
    b"\0\0\1\0",
    b"\xc5\xd0\xd3\xc6",
    b"8BPS",
    b"GIF8",
    b"BM",
    b"II+\0",
    b"MM\0+",
    b"icns",
    b"\0\0\0\x0cjP  ",
    b"\0\0\0\x0cJXL ",
    b"\xff\x0a",
)
_HEIC = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
PNG_URL = b"data:image/png;base64,"  # the beginning of what a canvas makes
_DATA_URL = re.compile(r"data:([^,;]*)((?:;[^,;]*)*),", re.IGNORECASE)
_MEDIA_TYPES = (
    "image/png",
    "image/jpeg",
    "image/jpg",
    "image/webp",
    "image/gif",
    "image/bmp",
    "image/x-ms-bmp",
    "image/tiff",
    "image/avif",
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
        picture: a data URL or base64 (str or bytes), the bytes of a file, a PIL image, or an array as `from_array` takes it.

    Raises:
        PictureError: if it cannot be read.
        TypeError: for an object of another type.
    """
    if isinstance(picture, np.ndarray):
        return from_array(picture)
    if isinstance(picture, Image.Image):
        return picture
    if isinstance(picture, (bytes, bytearray)):
        return open_picture(to_file(bytes(picture)))
    if isinstance(picture, str):
        return open_picture(unpack(picture))
    raise TypeError(f"a picture cannot be a {type(picture).__name__}")


def to_pixels(picture: Picture) -> np.ndarray | Image.Image:
    """What `to_image` returns; a common PNG, such as a page sends, as its pixels, in less than half of the time.

    Returns:
        A picture, or (height, width) or (height, width, 3 or 4) uint8: of mode L, RGB or RGBA, of less than
        2 * LARGEST pixels per side. `as_image` makes a picture of it.

    Raises what `to_image` raises.
    """
    if not isinstance(picture, (str, bytes, bytearray)):
        return to_image(picture)
    data = unpack(picture) if isinstance(picture, str) else to_file(bytes(picture))
    pixels = common_png(data)
    if pixels is not None:
        return pixels
    bare = _strip(data)
    if (
        bare.data is not data and bare.intact and bare.orientation == 1
    ):  # a canvas's pixels come in several parts
        pixels = common_png(bare.data)
    return _open(bare) if pixels is None else pixels


def as_image(picture: np.ndarray | Image.Image) -> Image.Image:
    """The picture of what `to_pixels` returned."""
    if isinstance(picture, Image.Image):
        return picture
    image = Image.fromarray(picture)
    image.format = "PNG"
    return image


def to_file(content: bytes) -> bytes:
    """The bytes of a file, which may come as a data URL or base64. Raises what `unpack` raises."""
    return unpack(content) if _is_text(content) else content


def _is_text(data: bytes) -> bool:
    """Whether bytes are base64 or a data URL rather than a file. Neither begins as SVG or PDF do."""
    head = data[:64].lstrip()
    return head.isascii() and b"\0" not in head and head[:1] not in (b"<", b"%")


def unpack(text: str | bytes) -> bytes:
    """The bytes in a data URL or in plain base64.

    White space, the URL-safe alphabet, missing padding and percent-encoded data URLs are accepted.

    Raises:
        PictureError: `bad_base64`; or `unsupported_format` if a data URL names another media type and its
            bytes are not a file of a format that is read either.
    """
    if isinstance(text, bytes):
        if text.startswith(PNG_URL) and (data := plain_base64(text[len(PNG_URL) :])):
            return data
        text = text.decode("latin-1")
    text = text.strip()
    media_type = ""
    if text[:5].lower() in ("data:", "data%"):
        if "%" in text:
            if text.count("%") > MAX_ESCAPES:
                raise PictureError("bad_base64", "Too much of the data URL is percent-encoded.")
            text = urllib.parse.unquote(text, "latin-1")
        head = _DATA_URL.match(text)
        media_type = head[1].strip().lower() if head else ""
        if head is None or ";base64" not in head[2].lower():
            if media_type not in _MEDIA_TYPES:
                raise unsupported(media_type)
            raise PictureError(
                "bad_base64",
                "A data URL must begin with data:image/png;base64, followed by base64.",
            )
        text = text[head.end() :]
    packed = "".join(text.split()).replace("-", "+").replace("_", "/").rstrip("=")
    try:
        data = pybase64.b64decode(packed + "=" * (-len(packed) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise PictureError(
            "bad_base64", "The picture is not valid base64: send a data URL or plain base64."
        ) from None
    if media_type not in _MEDIA_TYPES and not is_picture(data):
        raise unsupported(media_type)
    return data


def plain_base64(packed: bytes) -> bytes | None:
    """The bytes in base64 of the usual alphabet with its padding and nothing else; None if it is none."""
    try:
        return pybase64.b64decode(packed, validate=True)
    except ValueError:
        return None


def unsupported(media_type: str = "") -> PictureError:
    """The error for a file of another format. Its message says what to do with a known one."""
    message = f"Send the picture as {NAMES}."
    if "svg" in media_type:
        message = "An SVG has no pixels: export it as PNG and send that."
    elif "hei" in media_type:
        message = (
            "HEIC cannot be read: save the photo as JPEG. On an iPhone: Settings, Camera, Formats, "
            "Most Compatible."
        )
    return PictureError("unsupported_format", message)


def open_picture(data: bytes) -> Image.Image:
    """Decode a file: the first frame or page, turned upright as its EXIF data say.

    Returns:
        A picture of mode L, LA, RGB or RGBA, of less than 2 * LARGEST pixels per side.

    Raises:
        PictureError: `unsupported_format`; `not_a_picture`, also for a truncated file; or
            `picture_too_large` if its header names over 16 megapixels in a JPEG, 8 in another file, or
            10,000 pixels per side.
    """
    return _open(_strip(data))


def _strip(data: bytes) -> containers.Bare:
    """A file with only what its first picture needs, if its header is that of a picture that is read."""
    try:
        bare = containers.strip(data)
    except containers.UnknownKindError as error:
        raise PictureError("unsupported_format", str(error)) from None
    except containers.DamagedError as error:
        raise PictureError("not_a_picture", str(error)) from None
    if bare is None:
        raise _unknown(data)
    check_size(bare)
    return bare


def _open(bare: containers.Bare) -> Image.Image:
    try:
        if bare.format == "AVIF":
            image, orientation = avif.decode(bare.data, LARGEST)
            bare = bare._replace(orientation=orientation)
        else:
            image = _decode(bare)
    except avif.RefusedError as error:
        raise PictureError(error.code, str(error)) from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise _too_large(bare.format) from None
    except PictureError:
        raise
    except Exception:  # Pillow's decoders raise many types, struct.error and SyntaxError among them
        raise PictureError("not_a_picture", containers.DAMAGED) from None
    upright = image.transpose(_UPRIGHT[bare.orientation]) if bare.orientation > 1 else image
    upright.format = bare.format
    width, height = bare.size
    upright.info[FULL_SIZE] = (height, width) if bare.orientation > 4 else (width, height)
    return upright


def check_size(bare: containers.Bare) -> None:
    """Raise PictureError, `picture_too_large`, if a file's header names too many pixels."""
    most = MAX_PIXELS if bare.format == "JPEG" else MAX_OTHER_PIXELS
    if max(bare.size) > MAX_SIDE or bare.size[0] * bare.size[1] > most:
        raise _too_large(bare.format)


def _decode(bare: containers.Bare) -> Image.Image:
    """The picture in a file, of a mode with eight bits, and reduced."""
    image = Image.open(io.BytesIO(bare.data), formats=[bare.format])
    if image.width * image.height > bare.size[0] * bare.size[1]:
        raise ValueError("the picture is larger than its header says")
    if bare.format == "JPEG" and max(image.size) >= 2 * LARGEST:
        # A JPEG's blocks can be decoded to fewer pixels at once.
        factor = max(image.size) // LARGEST
        image.draft(image.mode, (image.width // factor, image.height // factor))
    image.load()
    if image.mode in ("P", "PA") and image.palette is None:
        raise ValueError("the palette is missing")
    return to_eight_bits(image)


def _unknown(data: bytes) -> PictureError:
    """The error for bytes that do not begin as a picture that is read."""
    head = data[:64].removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if data[4:8] == b"ftyp":
        return unsupported("image/heic" if data[8:12] in _HEIC else "")
    if head[:1] == b"<":
        return unsupported("image/svg+xml" if b"<svg" in data[:1000].lower() else "")
    if data.startswith(_OTHER_FORMATS):
        return unsupported()
    return PictureError("not_a_picture", f"This is not a picture: send {NAMES}.")


def _too_large(kind: str = "JPEG") -> PictureError:
    most = MAX_PIXELS if kind == "JPEG" else MAX_OTHER_PIXELS
    message = f"Send a picture of at most {most // 1_000_000} megapixels"
    if kind != "JPEG":
        message += f" (a JPEG: {MAX_PIXELS // 1_000_000})"
    return PictureError("picture_too_large", f"{message} and {MAX_SIDE:,} pixels per side.")


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
