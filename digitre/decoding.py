"""A picture, however a client painted and packed it, becomes its ink.

Bytes are recognised by their first bytes, never by a name or a declared type. Size is checked in
the header, before a pixel is decoded. What is ink and what is ground is decided for each picture:
dark on light, light on dark, coloured, or black on a transparent canvas, where only the alpha
channel knows.
"""

from __future__ import annotations

import base64
import binascii
import functools
import io
import re
import urllib.parse
from typing import Any

import numpy as np
from PIL import Image, ImageChops, ImageOps

FORMATS = ("PNG", "JPEG", "WEBP")
MAX_PIXELS = 16_000_000
MAX_SIDE = 10_000

# A progressive JPEG has some ten scans; each costs time for the whole picture, however small it is.
MAX_SCANS = 100

# Under this difference from the ground (of 255) nobody sees ink: the picture is blank.
MIN_CONTRAST = 8
# Larger pictures are averaged down to between one and two times this before anything else, which
# keeps the memory of a request bounded.
LARGEST = 2000
STRIP = 65_536  # pixels of a picture that are compared with its ground at once
# JPEG and WebP leave ripples beside a stroke; what is fainter than this share of the strongest ink
# is taken for a ripple.
RIPPLE = 0.12
# The ground is even where at least half of it differs by no more than this from its middle value.
EVEN = 2

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
        PictureError: `bad_base64`; `unsupported_format` for a data URL of another media type.
    """
    if isinstance(text, bytes):
        text = text.decode("latin-1")
    text = text.strip()
    if text[:5].lower() in ("data:", "data%"):
        if "%" in text:
            text = urllib.parse.unquote(text, "latin-1")
        head = _DATA_URL.match(text)
        if head is not None and head[1].strip().lower() not in _MEDIA_TYPES:
            raise unsupported()
        if head is None or ";base64" not in head[2].lower():
            raise PictureError(
                "bad_base64", "A data URL must read data:image/png;base64, and then the base64."
            )
        text = text[head.end() :]
    packed = "".join(text.split()).replace("-", "+").replace("_", "/").rstrip("=")
    try:
        return base64.b64decode(packed + "=" * (-len(packed) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise PictureError(
            "bad_base64", "The picture is not valid base64: send a data URL or plain base64."
        ) from None


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


def find_ink(image: Image.Image, *, cropped: bool = False) -> np.ndarray:
    """How far each pixel is from the picture's ground: (height, width) uint8, zero where blank.

    `cropped` allows to leave out margins without ink, which saves time.

    Ink is what differs from the ground, in whichever direction and channel; the ground is the
    colour of the picture's border, or of most of the picture where the two disagree. Pictures
    without an even ground, such as photos, go to `digitre.paper`.

    Raises:
        PictureError: `not_a_picture` where it has no pixels.
    """
    if 0 in image.size:
        raise PictureError("not_a_picture", "The picture has no pixels: send a whole one.")
    lossy = image.format in ("JPEG", "WEBP")  # a converted picture no longer knows
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        image = _stretch(image)
    elif image.mode == "1":
        image = image.convert("L")
    elif image.mode not in ("L", "LA", "RGB", "RGBA"):
        image = image.convert("RGBA" if image.has_transparency_data else "RGB")
    if max(image.size) >= 2 * LARGEST:
        image = image.reduce(max(image.size) // LARGEST)
    found = _on_plain_ground(image, lossy, cropped)
    if found is not None:
        return found
    if image.has_transparency_data:
        image = _flatten(image.convert("RGBA"))
    pixels = np.asarray(image)
    for where in (_border, _everywhere):
        ink = _difference(image, np.median(where(pixels), axis=0))
        off = where(np.asarray(ink))
        # Grainy paper is nowhere even; a canvas is, but for what is drawn on it.
        if np.count_nonzero(off <= EVEN) >= 0.5 * off.size:
            cleaned = _clean(ink, lossy)
            if cleaned is not None:
                return _without_frame(cleaned)
    from digitre import paper  # photos are rare, and SciPy's filters cost a worker memory

    return paper.find_ink(np.asarray(image.convert("L")))


def _on_plain_ground(image: Image.Image, lossy: bool, cropped: bool) -> np.ndarray | None:
    """The ink of a picture whose border is of one opaque colour, as a canvas's is; else None.

    What `find_ink` does gives the same, but here only the part that holds ink is looked at.
    """
    ground: Any = image.getpixel((0, 0))
    opaque = not image.mode.endswith("A") or ground[-1] == 255
    difference, box = _from_ground(image, ground)
    height, width = image.height, image.width
    if box is None:
        return np.zeros((height, width), np.uint8) if opaque else None
    left, top, right, bottom = box
    if not (opaque and left > 0 and top > 0 and right < width and bottom < height):
        return None
    if difference.mode != "L":
        difference, *others = difference.split()
        if image.mode.endswith("A") and others.pop().getbbox():
            return None
        for band in others:
            difference = ImageChops.lighter(difference, band)
    cleaned = _clean(difference, lossy, width * height - difference.width * difference.height)
    if cleaned is None or cropped:
        return cleaned
    ink = np.zeros((height, width), np.uint8)
    ink[top:bottom, left:right] = cleaned
    return ink


def _from_ground(
    image: Image.Image, ground: Any
) -> tuple[Image.Image, tuple[int, int, int, int] | None]:
    """How far each pixel is from a colour, and the box of those that are: left, top, right, bottom;
    None for none. Only the box of the difference is given.

    A large picture is looked at in strips that stay in the processor's cache.
    """
    rows = max(1, STRIP // image.width)
    if rows >= image.height:
        difference = ImageChops.difference(image, _plain(image.mode, image.size, ground))
        box = difference.getbbox(alpha_only=False)
        return difference.crop(box), box
    plain = _plain(image.mode, (image.width, rows), ground)
    boxes = []
    for top in range(0, image.height, rows):
        strip = image.crop((0, top, image.width, min(top + rows, image.height)))
        found = ImageChops.difference(strip, plain).getbbox(alpha_only=False)
        if found is not None:
            boxes.append((found[0], found[1] + top, found[2], found[3] + top))
    if not boxes:
        return image.crop((0, 0, 0, 0)), None
    lefts, tops, rights, bottoms = zip(*boxes, strict=True)
    box = min(lefts), min(tops), max(rights), max(bottoms)
    inked = image.crop(box)
    return ImageChops.difference(inked, Image.new(image.mode, inked.size, ground)), box


@functools.lru_cache(maxsize=4)
def _plain(mode: str, size: tuple[int, int], ground: Any) -> Image.Image:
    """A picture of one colour, kept: canvases of one size and ground come again and again."""
    return Image.new(mode, size, ground)


def _border(pixels: np.ndarray) -> np.ndarray:
    return np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])


def _everywhere(pixels: np.ndarray) -> np.ndarray:
    return pixels.reshape(-1, *pixels.shape[2:])


def _stretch(image: Image.Image) -> Image.Image:
    """A picture of more than eight bits, brought to eight."""
    values = np.asarray(image)
    if values.dtype.kind == "f":
        values = np.nan_to_num(values)
    low, high = float(values.min()), float(values.max())
    if image.mode != "F" and low >= 0:
        # 16-bit files often hold 10 or 12 bits.
        low, high = 0.0, float(next(top for top in _TOPS if high <= top))
    elif high - low < 1e-9:
        return Image.new("L", image.size)
    stretched = np.empty(values.shape, np.uint8)
    # A strip at a time: a large picture of floats would take four times its own memory.
    for top in range(0, len(values), 256):
        strip = values[top : top + 256].astype(np.float32)
        stretched[top : top + 256] = np.rint((strip - low) * (255 / (high - low)))
    return Image.fromarray(stretched)


_TOPS = (255, 1023, 4095, 16383, 65535, 2**31)


def _flatten(image: Image.Image) -> Image.Image:
    """An RGBA picture laid on the ground it was made for."""
    alpha = image.getchannel("A")
    low, high = alpha.getextrema()
    if low == 255:
        return image.convert("RGB")
    if high == 0:
        return Image.new("L", image.size)
    opaque = np.asarray(alpha) > 127
    if not opaque.any():
        return alpha
    colours = np.asarray(image)[opaque][:, :3]
    spread = int(np.ptp(colours, axis=0).max())
    covered = float(opaque.mean())
    if spread < MIN_CONTRAST or (spread <= 24 and covered < 0.5):
        return alpha  # one pen on glass: the ink is where it is opaque
    if covered < 0.5:
        # Pens of several colours on glass: a ground as far from them as can be.
        backdrop = (255,) * 3 if colours.mean() < 128 else (0,) * 3
    else:
        # An opaque picture with holes or round corners: its own ground fills them.
        red, green, blue = np.median(colours, axis=0)
        backdrop = (int(red), int(green), int(blue))
    ground = Image.new("RGBA", image.size, (*backdrop, 255))
    return Image.alpha_composite(ground, image).convert("RGB")


def _difference(image: Image.Image, ground: np.ndarray) -> Image.Image:
    """The largest difference from the ground in any channel, as a grey picture."""
    colour = tuple(int(value) for value in np.atleast_1d(ground))
    plain = Image.new(image.mode, image.size, colour if len(colour) > 1 else colour[0])
    difference = ImageChops.difference(image, plain)
    if difference.mode == "L":
        return difference
    red, green, blue = difference.split()
    return ImageChops.lighter(ImageChops.lighter(red, green), blue)


def _clean(ink: Image.Image, lossy: bool, around: int = 0) -> np.ndarray | None:
    """The ink above the ripples of its file format, or None where this is not the ground.

    `around` is the number of pixels without ink that were cut off.
    """
    extrema: Any = ink.getextrema()
    level: int = extrema[1]
    values = np.asarray(ink)
    if level < MIN_CONTRAST:
        return np.zeros_like(values)
    floor = max(MIN_CONTRAST, int(RIPPLE * level))
    ground = around + np.count_nonzero(values <= level // 2)
    if ground < 0.25 * (around + values.size):
        return None
    strong = values >= floor
    if around + values.size - np.count_nonzero(strong) < 0.5 * ground:
        return None
    if not lossy and around + values.size - np.count_nonzero(values) >= 0.7 * ground:
        return values  # drawn by a program: every grey value means what it says
    return values * strong


def _without_frame(ink: np.ndarray) -> np.ndarray:
    """The ink inside a frame, such as the border that a screenshot of a canvas has."""
    height, width = ink.shape
    for thickness in range(min(height, width) // 16 + 1):
        inner = ink[thickness : height - thickness, thickness : width - thickness]
        edges = (inner[0], inner[-1], inner[:, 0], inner[:, -1])
        if not all(np.count_nonzero(edge) > 0.9 * edge.size for edge in edges):
            return inner
    return ink  # too thick for a frame: somebody filled the canvas
