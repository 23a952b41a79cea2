"""A file with only what its first picture needs: what a decoder may look at, bounded before it does.

Files can hold thousands of colour profiles, comments and camera data. Pillow looks at all of them, which can
take minutes, so they are left out before Pillow sees the file. Of all camera data, only the orientation is
needed, and it is read here, from at most 64 KB.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Callable, Iterator
from typing import NamedTuple

from digitre.recognition import avif

# Bytes of EXIF or XMP that are looked at. A JPEG's segment cannot hold more.
METADATA = 65_536
PARTS = 50_000  # chunks, segments or blocks in a file, at most: no camera or program writes so many
CHECKED = 1000  # of a PNG: parts with pixels whose checksums are looked at
STRIPS = 10_000  # in a TIFF: as many as rows in the highest picture
# Of a JPEG: each scan takes time for the whole picture, however few bytes it has.
SCANS = 100
LARGEST_SCANS = 18  # as many as a progressive CMYK picture has, usually
SCANNED_PIXELS = 16_000_000 * LARGEST_SCANS  # scans times pixels
# Pillow reads run-length encoded BMPs in Python.
RUN_LENGTHS = 262_144  # bytes

PNG = b"\x89PNG\r\n\x1a\n"  # the first bytes of such a file
# Pictures of twice this many pixels per side are averaged down to between one and two times this before
# anything else, which limits the time and the memory that a request takes.
LARGEST = 750
_XMP = re.compile(rb"tiff:Orientation(?:=[\"']|>)([1-8])")


NAMES = "PNG, JPEG, WebP, GIF, BMP, TIFF or AVIF"  # the formats that are read
DAMAGED = f"The picture is damaged: send a complete {NAMES} file."


class DamagedError(ValueError):
    """A file that cannot be read. The message is for people."""

    def __init__(self, message: str = DAMAGED) -> None:
        super().__init__(message)


class UnknownKindError(ValueError):
    """A file of a known format, packed in a way that is not read. The message is for people."""

    def __init__(self) -> None:
        super().__init__("The picture is packed in a rare way: save it as PNG or JPEG.")


class Bare(NamedTuple):
    """A file without what its first picture does not need.

    Attributes:
        format: Pillow's name of its format.
        data: the file.
        size: width and height in pixels, as the header names them.
        orientation: 1 to 8, as EXIF counts; 1 is upright.
        intact: of a PNG, whether the checksums of its pixels were right.
    """

    format: str
    data: bytes
    size: tuple[int, int]
    orientation: int = 1
    intact: bool = False


def strip(data: bytes) -> Bare | None:
    """Leave out of a file what its first picture does not need.

    Returns:
        None for a file of a format that is not read.

    Raises:
        UnknownKindError: if it is packed in a way that is not read.
        DamagedError: if its first parts are missing, or there are too many.
    """
    for begins, function in _FORMATS:
        if begins(data):
            try:
                return function(data)
            except (DamagedError, UnknownKindError):
                raise
            except (struct.error, IndexError, ValueError) as error:  # it ends too early
                raise DamagedError from error
    return None


def pixels_of(data: bytes) -> int:
    """How many pixels a file has by its header; 0 for one that cannot be read: decoding says why."""
    # The usual picture: no more of it is looked at.
    if data.startswith(PNG) and data[12:16] == b"IHDR" and len(data) >= 24:
        width, height = struct.unpack_from(">II", data, 16)
        return width * height
    try:
        bare = strip(data)
    except ValueError:
        return 0
    return bare.size[0] * bare.size[1] if bare else 0


def _starts(*beginnings: bytes) -> Callable[[bytes], bool]:
    return lambda data: data.startswith(beginnings)


def _png(data: bytes) -> Bare:
    kept: dict[bytes, bytes] = {}
    pixels: list[bytes] = []
    metadata: dict[str, bytes] = {}
    others, intact, start = 0, 0, 8
    while start + 8 <= len(data) and len(pixels) + others <= PARTS:
        length, kind = struct.unpack_from(">I4s", data, start)
        end = start + 12 + length
        if kind == b"IDAT":
            pixels.append(data[start + 8 : end - 4])
            if len(pixels) <= CHECKED and data[end - 4 : end] == checksum(
                data[start + 4 : end - 4]
            ):
                intact += 1
        elif kind in (b"IHDR", b"PLTE", b"tRNS") and not pixels:
            kept.setdefault(kind, data[start:end])
        elif kind == b"IEND":
            break
        else:
            others += 1
            content = data[start + 8 : min(end - 4, start + 8 + METADATA)]
            if kind == b"eXIf":
                metadata.setdefault("exif", content)
            elif kind == b"iTXt" and content.startswith(b"XML:com.adobe.xmp\0"):
                metadata.setdefault("xmp", content)
        start = end
    if len(pixels) + others > PARTS or b"IHDR" not in kept:
        raise DamagedError  # too many chunks, or none
    size = struct.unpack_from(">II", kept[b"IHDR"], 8)
    if others or len(pixels) > 1:  # a drawing that a page sends has nothing to leave out
        body = b"IDAT" + b"".join(pixels)
        chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
        data = data[:8] + b"".join(kept.values()) + chunk + b"\0\0\0\0IEND\xaeB`\x82"
    return Bare("PNG", data, size, _orientation(**metadata), intact == len(pixels))


def checksum(part: bytes) -> bytes:
    """What a PNG has after each part: the CRC of its kind and its content."""
    return struct.pack(">I", zlib.crc32(part))


_MARKER = re.compile(rb"\xff+([^\xff\0])", re.DOTALL)  # the first one: what is before it is skipped
# The tables of a JPEG: DHT, DQT and DRI. The others are comments and data of applications.
_TABLES = (0xC4, 0xDB, 0xDD)
# Baseline, extended and progressive, with Huffman codes. Arithmetic coding and lossless JPEGs are so rare that
# no browser shows them, and cost many times as much.
_FRAMES = (0xC0, 0xC1, 0xC2)


def _jpeg(data: bytes) -> Bare:
    kept: dict[int, bytes] = {}
    tables: list[bytes] = []
    metadata: dict[str, bytes] = {}
    start, number = 2, 0
    while (found := _MARKER.search(data, start)) and found[1] != b"\xda":
        marker, start, number = found[1][0], found.end(), number + 1
        if number > PARTS // 50:  # each is 64 KB long at most
            raise DamagedError  # too many segments
        if 0xD0 <= marker <= 0xD9 or marker == 1:
            continue  # these have no length
        end = start + struct.unpack_from(">H", data, start)[0]
        if end > len(data):
            raise DamagedError  # a segment is cut off
        content = data[start + 2 : end]
        segment = b"\xff" + found[1] + data[start:end]
        if marker in _TABLES:
            tables.append(segment)
        elif 0xC0 <= marker <= 0xCF and marker not in (0xC8, 0xCC):
            if marker not in _FRAMES:
                raise UnknownKindError  # a rare kind of JPEG
            kept.setdefault(0xC0, segment)
        elif (marker, content[:5]) in ((0xE0, b"JFIF\0"), (0xEE, b"Adobe")):
            kept.setdefault(marker, segment)
        elif marker == 0xE1 and content[:4] == b"Exif":
            metadata.setdefault("exif", content)
        elif marker == 0xE1:
            metadata.setdefault("xmp", content)
        start = end
    if not found or 0xC0 not in kept:
        raise DamagedError  # no picture in it
    # What comes after the end is another picture: a preview, or a map of brightness.
    last = data.find(b"\xff\xd9", found.end())
    scans = data[found.start() : last + 2 if last >= 0 else None]
    height, width = struct.unpack_from(">HH", kept[0xC0], 5)
    number = scans.count(b"\xff\xda")
    # A picture that is too large is refused for that.
    if number > SCANS or number * min(width * height, 16_000_000) > SCANNED_PIXELS:
        raise DamagedError("The JPEG has too many scans: save it again.")
    frame = kept.pop(0xC0)
    head = b"".join(kept.values()) + b"".join(tables) + frame
    return Bare("JPEG", data[:2] + head + scans, (width, height), _orientation(**metadata))


def _webp(data: bytes) -> Bare:
    kept: list[bytes] = []
    metadata: dict[str, bytes] = {}
    size = 0, 0
    for number, (kind, start, end) in enumerate(_riff_chunks(data)):
        if number > PARTS // 50:
            raise DamagedError  # too many chunks
        content = data[start:end]
        if kind == b"VP8X":
            if kept:
                raise DamagedError  # the header comes twice
            size = (
                1 + int.from_bytes(content[4:7], "little"),
                1 + int.from_bytes(content[7:10], "little"),
            )
            # Flags: no colour profile, EXIF nor XMP follow.
            content = bytes([content[0] & 0x12]) + content[1:]
        elif kind in (b"VP8 ", b"VP8L"):
            if not kept:
                size = _size_of_vp8(content) if kind == b"VP8 " else _size_of_vp8l(content)
        elif kind in (b"EXIF", b"XMP "):
            metadata.setdefault(kind.decode().strip().lower(), content[:METADATA])
        pictures = sum(chunk[:4] in (b"VP8 ", b"VP8L", b"ANMF") for chunk in kept)
        if kind in (b"VP8X", b"ANIM", b"ALPH", b"VP8 ", b"VP8L", b"ANMF") and not pictures:
            padding = b"\0" * (len(content) % 2)
            kept.append(kind + struct.pack("<I", end - start) + content + padding)
    body = b"WEBP" + b"".join(kept)
    return Bare(
        "WEBP", b"RIFF" + struct.pack("<I", len(body)) + body, size, _orientation(**metadata)
    )


def _riff_chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    start = 12
    while start + 8 <= len(data):
        kind, length = struct.unpack_from("<4sI", data, start)
        yield kind, start + 8, start + 8 + length
        start += 8 + length + length % 2


def _size_of_vp8(content: bytes) -> tuple[int, int]:
    width, height = struct.unpack_from("<HH", content, 6)
    return width & 0x3FFF, height & 0x3FFF


def _size_of_vp8l(content: bytes) -> tuple[int, int]:
    (bits,) = struct.unpack_from("<I", content, 1)
    return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)


def _gif(data: bytes) -> Bare:
    width, height, flags = struct.unpack_from("<HHB", data, 6)
    start = 13 + (2 << (flags & 7)) * 3 * (flags >> 7)  # after the palette for all frames
    head, transparency, number = data[:start], b"", 0
    while data[start] == 0x21:  # an extension
        first, start = start, start + 2
        while data[start]:
            start, number = start + 1 + data[start], number + 1
            if number > PARTS:
                raise DamagedError  # too many blocks
        start += 1
        if data[first + 1] == 0xF9:
            transparency = data[first:start]
    if data[start] != 0x2C:
        raise DamagedError  # no picture in it
    left, top, right, bottom = struct.unpack_from("<HHHH", data, start + 1)
    size = max(width, left + right), max(height, top + bottom)
    return Bare("GIF", head + transparency + data[start:], size)


def _bmp(data: bytes) -> Bare:
    (length,) = struct.unpack_from("<I", data, 14)
    if length == 12:  # of OS/2
        return Bare("BMP", data, struct.unpack_from("<HH", data, 18))
    width, height, _, _, packing = struct.unpack_from("<iiHHI", data, 18)
    if packing not in (0, 1, 2, 3, 6) or (packing in (1, 2) and len(data) > RUN_LENGTHS):
        raise UnknownKindError  # packed as PNG or JPEG, or a long BMP of run lengths
    return Bare("BMP", data, (abs(width), abs(height)))


# The tags of a TIFF that its pixels need, by their names in the specification: SubfileType to
# PhotometricInterpretation, FillOrder, StripOffsets to StripByteCounts, PlanarConfiguration, T4 and T6 options,
# Predictor, ColorMap, the tiles' four, ExtraSamples, SampleFormat, and YCbCr's.
_TIFF_TAGS = frozenset(
    {254, 256, 257, 258, 259, 262, 266, 273, 277, 278, 279, 284, 292, 293, 317, 320}
    | {322, 323, 324, 325, 338, 339, 529, 530, 531, 532}
)
# None, three of fax machines, LZW, Deflate, PackBits, and Deflate's older number.
_TIFF_PACKINGS = (1, 2, 3, 4, 5, 8, 32773, 32946)
_TIFF_TYPES = {1: ("B", 1), 3: ("H", 2), 4: ("I", 4)}  # whole numbers: their code, and their bytes


def _tiff(data: bytes) -> Bare:
    order = "<" if data[:2] == b"II" else ">"
    (start,) = struct.unpack_from(order + "I", data, 4)
    (number,) = struct.unpack_from(order + "H", data, start)
    kept: dict[int, bytes] = {}
    for place in range(start + 2, start + 2 + 12 * min(number, METADATA // 12), 12):
        tag, _, count = struct.unpack_from(order + "HHI", data, place)
        if (tag in _TIFF_TAGS or tag == 274) and count <= 3 * 65_536:  # ColorMap has so many
            kept.setdefault(tag, data[place : place + 12])

    def numbers(tag: int, *otherwise: int) -> tuple[int, ...]:
        if tag not in kept:
            return otherwise
        _, kind, count = struct.unpack_from(order + "HHI", kept[tag])
        if kind not in _TIFF_TYPES or count > STRIPS:
            raise DamagedError  # a tag with too many values, or of a wrong type
        code, size = _TIFF_TYPES[kind]
        if count * size <= 4:
            return struct.unpack_from(f"{order}{count}{code}", kept[tag], 8)
        (place,) = struct.unpack_from(order + "I", kept[tag], 8)
        return struct.unpack_from(f"{order}{count}{code}", data, place)

    (width,), (height,), (orientation,) = numbers(256), numbers(257), numbers(274, 1)
    if numbers(259, 1) not in [(each,) for each in _TIFF_PACKINGS]:
        raise UnknownKindError  # a rare packing
    _check_tiff(len(data), (width, height), numbers)
    kept.pop(274, None)
    entries = b"".join(kept[tag] for tag in sorted(kept))
    directory = struct.pack(order + "H", len(kept)) + entries + b"\0\0\0\0"
    data += b"\0" * (len(data) % 2)
    bare = data[:4] + struct.pack(order + "I", len(data)) + data[8:] + directory
    return Bare("TIFF", bare, (width, height), orientation if 1 <= orientation <= 8 else 1)


def _check_tiff(
    length: int, size: tuple[int, int], numbers: Callable[..., tuple[int, ...]]
) -> None:
    """Raise DamagedError if strips or tiles overlap, or if tiles are much larger than the picture."""
    places, lengths = (*numbers(273), *numbers(324)), (*numbers(279), *numbers(325))
    if not places or len(places) > len(lengths) or sum(lengths) > length:
        raise DamagedError  # strips overlap
    (across,), (down,) = numbers(322, size[0]), numbers(323, size[1])
    if not across or not down:
        raise DamagedError  # empty tiles
    columns, rows = -(-size[0] // across), -(-size[1] // down)
    if columns * rows > STRIPS or (columns * across * rows * down) > 2 * size[0] * size[1] + 2**20:
        raise DamagedError  # tiles are too many, or larger than the picture
    if len(numbers(258)) > 8 or numbers(277, 1) > (8,):
        raise DamagedError  # too many channels


def _avif(data: bytes) -> Bare:
    return Bare("AVIF", data, avif.size(data))  # whole: it is unpacked in a process of its own


def _orientation(exif: bytes = b"", xmp: bytes = b"") -> int:
    """The orientation in EXIF data, else in XMP: 1 to 8, also 1 if there is none, or if they are damaged."""
    exif = exif.removeprefix(b"Exif\0\0")[:METADATA]
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(exif[:4])
    try:
        (start,) = struct.unpack_from(f"{order}I", exif, 4)
        (number,) = struct.unpack_from(f"{order}H", exif, start)
        for place in range(start + 2, start + 2 + 12 * number, 12):
            tag, kind, _, value = struct.unpack_from(f"{order}HHIH", exif, place)
            if tag == 0x0112:
                return value if kind == 3 and 1 <= value <= 8 else 1
    except struct.error:
        pass  # not EXIF, or it ends too early
    found = _XMP.search(xmp)
    return int(found[1]) if found else 1


_FORMATS: tuple[tuple[Callable[[bytes], bool], Callable[[bytes], Bare]], ...] = (
    (_starts(PNG), _png),
    (_starts(b"\xff\xd8\xff"), _jpeg),
    (lambda data: data[:4] == b"RIFF" and data[8:12] == b"WEBP", _webp),
    (_starts(b"GIF87a", b"GIF89a"), _gif),
    (lambda data: data[:2] == b"BM" and data[15:18] == b"\0\0\0", _bmp),
    (_starts(b"II*\0", b"MM\0*"), _tiff),
    (lambda data: data[4:12] in (b"ftypavif", b"ftypavis"), _avif),
)


def is_picture(data: bytes) -> bool:
    """Whether the bytes begin as a file of one of the formats that are read does."""
    return any(begins(data) for begins, _ in _FORMATS)
