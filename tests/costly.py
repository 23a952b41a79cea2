"""The costliest pictures that are accepted: in each format, as large and as badly made as the limits allow.

`COSTLY` is searched for the worst by tests/web/test_costs.py, and by `make soak` for docs/errors.md.
"""

from __future__ import annotations

import functools
import io
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable

import numpy as np
from bad_inputs import INK, chunk
from PIL import Image, TiffImagePlugin

from digitre.recognition import avif
from digitre.recognition.containers import LARGEST

SIDE = 2828  # of a square of 8 megapixels
LARGE = 4000  # of a square of 16, which a JPEG may have
BODY = 8 * 2**20  # bytes of a request's body, at most
COSTLY: dict[str, Callable[[], bytes]] = {}


def costly(name: str) -> Callable[[Callable[[], bytes]], Callable[[], bytes]]:
    def add(make: Callable[[], bytes]) -> Callable[[], bytes]:
        COSTLY[name] = make
        return make

    return add


def saved(image: Image.Image, format: str, **options) -> bytes:
    file = io.BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


# --- what is in the picture ---


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, shape, np.uint8)


@functools.lru_cache(maxsize=1)
def clouds(side: int) -> Image.Image:
    """Soft spots in all colours: everything in it may be ink, so all of it is searched."""
    small = Image.fromarray(noise(side // 8, side // 8, 3))
    return small.resize((side, side), Image.Resampling.BICUBIC)


@functools.lru_cache(maxsize=1)
def drawing(side: int) -> Image.Image:
    """A seven on white."""
    paper = Image.new("L", (side, side), 255)
    paper.paste(Image.fromarray(255 - INK).resize((side // 3, side // 3)), (side // 3, side // 3))
    return paper


@functools.lru_cache(maxsize=1)
def paper(side: int) -> Image.Image:
    """Four sevens on grainy paper under a soft shadow."""
    ink = np.asarray(Image.fromarray(INK).resize((side // 2, side // 2)), np.float32)
    light = np.linspace(150, 220, side, dtype=np.float32) - np.tile(ink, (2, 2))[:side, :side] / 2
    grain = np.random.default_rng(0).normal(0, 6, (side // 2, side // 2)).astype(np.float32)
    return Image.fromarray(np.clip(light + np.tile(grain, (2, 2)), 0, 255).astype(np.uint8))


def on_glass(image: Image.Image, transparency: Image.Image) -> Image.Image:
    image = image.convert("RGBA")
    image.putalpha(transparency)
    return image


# --- PNG ---


def png_of_rows(
    size: tuple[int, int], depth: int, colour: int, rows: bytes, adam7: int = 0
) -> bytes:
    head = struct.pack(">IIBBBBB", *size, depth, colour, 0, 0, adam7)
    pixels = chunk(b"IDAT", zlib.compress(rows, 1))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + pixels + chunk(b"IEND", b"")


def paeth(width: int, height: int, bytes_per_pixel: int) -> bytes:
    """Rows of noise that repeat, by the filter that takes longest to undo."""
    return (b"\4" + np.resize(noise(4099), width * bytes_per_pixel).tobytes()) * height


def interlaced(bytes_per_pixel: int) -> bytes:
    passes = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4)]
    passes += [(0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
    sizes = [(-(-(SIDE - x) // dx), -(-(SIDE - y) // dy)) for x, y, dx, dy in passes]
    return b"".join(paeth(*size, bytes_per_pixel) for size in sizes)


def with_chunks(chunks: bytes, file: bytes = b"") -> bytes:
    """A PNG with more chunks after its header."""
    file = file or saved(Image.fromarray(INK), "PNG")
    return file[:33] + chunks[: BODY - len(file)] + file[33:]


@costly("PNG, 16 bits, transparent")
def _() -> bytes:
    return png_of_rows((SIDE, SIDE), 16, 6, paeth(SIDE, SIDE, 8))


@costly("PNG, 16 bits, transparent, interlaced")
def _() -> bytes:
    return png_of_rows((SIDE, SIDE), 16, 6, interlaced(8), 1)


@costly("PNG, transparent, interlaced")
def _() -> bytes:
    return png_of_rows((SIDE, SIDE), 8, 6, interlaced(4), 1)


@costly("PNG, 10,000 by 800, 16 bits, transparent")
def _() -> bytes:
    return png_of_rows((10_000, 800), 16, 6, paeth(10_000, 800, 8))


@costly("PNG, 16 bits, grey")
def _() -> bytes:
    return png_of_rows((SIDE, SIDE), 16, 0, paeth(SIDE, SIDE, 2))


@costly("PNG of soft spots, transparent")
def _() -> bytes:
    return saved(on_glass(clouds(1496), drawing(1496)), "PNG", compress_level=6)[:BODY]


@costly("PNG of grainy paper")
def _() -> bytes:
    return saved(paper(SIDE), "PNG", compress_level=1)


@costly("PNG of 480 by 480, noise")
def _() -> bytes:
    return saved(Image.fromarray(noise(480, 480)), "PNG")


@costly("PNG, palette, transparent")
def _() -> bytes:
    return saved(on_glass(drawing(SIDE), drawing(SIDE)).quantize(256), "PNG")


@costly("PNG with 990 colour profiles of 1 MB")
def _() -> bytes:
    profile = chunk(b"iCCP", b"x\0\0" + zlib.compress(b"\0" * 2**20))
    return with_chunks(profile * 990, COSTLY["PNG, 16 bits, transparent"]())


@costly("PNG with 650,000 empty chunks")
def _() -> bytes:
    return with_chunks(chunk(b"teXt", b"") * 650_000)


@costly("PNG, its pixels in 49,000 chunks")
def _() -> bytes:
    file = COSTLY["PNG, 16 bits, transparent"]()
    pixels = file[41:-16]
    step = -(-len(pixels) // 49_000)
    pieces = [chunk(b"IDAT", pixels[at : at + step]) for at in range(0, len(pixels), step)]
    return file[:33] + b"".join(pieces) + file[-12:]


# --- camera data ---


def exif(tags: int) -> bytes:
    """Camera data of so many tags, each of which asks for as many bytes as there are."""
    entry = struct.pack("<HHII", 0x9286, 7, 8, 8)
    return b"II*\0\x08\0\0\0" + struct.pack("<H", min(tags, 65_535)) + entry * tags


@costly("PNG with EXIF of 64,000 tags")
def _() -> bytes:
    return with_chunks(chunk(b"eXIf", exif(64_000)) * 10)


@costly("WebP with EXIF of 64,000 tags")
def _() -> bytes:
    return saved(drawing(SIDE), "WEBP", exif=exif(64_000))


@costly("JPEG with 120 segments of EXIF")
def _() -> bytes:
    data = b"Exif\0\0" + exif(5_400)
    return with_segments(b"\xff\xe1" + struct.pack(">H", len(data) + 2) + data, 120)


@costly("TIFF with EXIF of 64,000 tags")
def _() -> bytes:
    image, tags = drawing(1000), TiffImagePlugin.ImageFileDirectory_v2()
    tags[34665] = 8  # where the camera data are; here the picture's own, again
    tags[700] = exif(64_000)
    return saved(image, "TIFF", tiffinfo=tags)


# --- JPEG ---


def with_segments(segment: bytes, number: int) -> bytes:
    """A JPEG with more segments at its beginning."""
    file = saved(Image.fromarray(INK), "JPEG")
    return (file[:2] + segment * number)[: BODY - len(file)] + file[2:]


@costly("JPEG of soft spots, progressive")
def _() -> bytes:
    return saved(clouds(LARGE), "JPEG", quality=85, subsampling=0, progressive=True)


@costly("JPEG of soft spots")
def _() -> bytes:
    return saved(clouds(LARGE), "JPEG", quality=90, subsampling=0)


@costly("JPEG of noise, progressive")
def _() -> bytes:
    image = Image.fromarray(noise(LARGE, LARGE, 3))
    return saved(image, "JPEG", quality=30, subsampling=0, progressive=True)


@costly("JPEG, CMYK, progressive")
def _() -> bytes:
    return saved(clouds(LARGE).convert("CMYK"), "JPEG", quality=60, progressive=True)


@costly("JPEG of grainy paper")
def _() -> bytes:
    return saved(paper(LARGE), "JPEG", quality=70)


def scanned(side: int, scans: int) -> bytes:
    """A progressive JPEG that repeats its last scan."""
    file = saved(clouds(side), "JPEG", quality=50, progressive=True, subsampling=0)
    last = file[file.rindex(b"\xff\xda") : -2]
    more = min(scans - file.count(b"\xff\xda"), (BODY - len(file)) // len(last))
    return file[:-2] + last * more + file[-2:]


@costly("JPEG of 18 scans")
def _() -> bytes:
    return scanned(LARGE, 18)


@costly("JPEG of 1,400 by 1,400, 100 scans")
def _() -> bytes:
    return scanned(1400, 100)


@costly("JPEG with 2,000,000 empty segments")
def _() -> bytes:
    return with_segments(b"\xff\xfe\0\2", 2_000_000)


@costly("JPEG with 8 MB of filling")
def _() -> bytes:
    return with_segments(b"\xff" * 1000, 8_300)


# --- WebP ---


@costly("WebP, lossless, transparent")
def _() -> bytes:
    glass = on_glass(drawing(SIDE), drawing(SIDE).point(lambda value: 255 - value))
    return saved(glass, "WEBP", lossless=True, method=0)


@costly("WebP of soft spots, transparent")
def _() -> bytes:
    return saved(on_glass(clouds(SIDE), drawing(SIDE)), "WEBP", quality=60, method=0)


@costly("WebP of noise")
def _() -> bytes:
    return saved(Image.fromarray(noise(SIDE, SIDE, 3)), "WEBP", quality=50, method=0)


@costly("WebP of 1,500 by 1,500, lossless, noise")
def _() -> bytes:
    return saved(Image.fromarray(noise(1500, 1500, 3)), "WEBP", lossless=True, method=0)


# --- GIF, BMP, TIFF ---


@costly("GIF of soft spots")
def _() -> bytes:
    return saved(clouds(SIDE).quantize(256, dither=Image.Dither.NONE), "GIF")


@costly("GIF with 30,000 comments")
def _() -> bytes:
    file = saved(drawing(SIDE), "GIF")
    head = 13 + 3 * 256
    return file[:head] + (b"!\xfe\xff" + b"x" * 255 + b"\0") * 30_000 + file[head:]


@costly("BMP of soft spots, 1,600 by 1,600")
def _() -> bytes:
    return saved(clouds(1600), "BMP")


@costly("BMP of run lengths")
def _() -> bytes:
    file = bytearray(saved(Image.new("P", (360, 360)), "BMP"))
    start = struct.unpack_from("<I", file, 10)[0]
    file[30:34] = struct.pack("<I", 1)
    return bytes(file[:start]) + b"\1\7" * (360 * 360)


@costly("TIFF, 16 bits, transparent")
def _() -> bytes:
    pixels = zlib.compress(np.resize(noise(4099), SIDE * SIDE * 8).tobytes(), 1)
    return tiff((SIDE, SIDE), 16, 4, SIDE, [pixels])


@costly("TIFF in 10,000 strips")
def _() -> bytes:
    row = np.resize(noise(4099), 800).tobytes()
    return tiff((800, 10_000), 8, 1, 1, [row] * 10_000, packing=1)


@costly("TIFF in 10,000 packed strips")
def _() -> bytes:
    row = zlib.compress(np.resize(noise(99), 800).tobytes())
    return tiff((800, 10_000), 8, 1, 1, [row] * 10_000)


# --- AVIF ---


@costly("AVIF of noise")
def _() -> bytes:
    return saved(Image.fromarray(noise(SIDE, SIDE, 3)), "AVIF", quality=60, speed=10)


@costly("AVIF of soft spots, transparent")
def _() -> bytes:
    return saved(on_glass(clouds(SIDE), paper(SIDE)), "AVIF", subsampling="4:4:4", speed=10)


@costly("AVIF of 36 megapixels that says it has 256 pixels")
def larger_than_it_says() -> bytes:
    file = saved(Image.new("L", (6000, 6000), 255), "AVIF", speed=10)
    size = struct.pack(">II", 6000, 6000)
    assert size in file
    return file.replace(size, struct.pack(">II", 16, 16))


def tiff(
    size: tuple[int, int],
    depth: int,
    channels: int,
    rows: int,
    strips: list[bytes],
    packing: int = 8,
) -> bytes:
    """A TIFF with these strips, each of so many rows."""
    places = 8 + np.cumsum([0, *map(len, strips)])
    end = int(places[-1])
    arrays = np.asarray([places[:-1], [len(strip) for strip in strips]], "<u4").tobytes()
    single = len(strips) == 1
    arrays += struct.pack(f"<{channels}H", *[depth] * channels)
    bits = (
        struct.pack("<HH", depth, 0) if channels == 1 else struct.pack("<I", end + 8 * len(strips))
    )
    first = struct.pack("<I", 8 if single else end)
    second = struct.pack("<I", len(strips[0]) if single else end + 4 * len(strips))
    tags = [
        (256, 4, 1, struct.pack("<I", size[0])),
        (257, 4, 1, struct.pack("<I", size[1])),
        (258, 3, channels, bits),
        (259, 3, 1, struct.pack("<HH", packing, 0)),
        (262, 3, 1, struct.pack("<HH", 2 if channels > 2 else 1, 0)),
        (273, 4, len(strips), first),
        (277, 3, 1, struct.pack("<HH", channels, 0)),
        (278, 4, 1, struct.pack("<I", rows)),
        (279, 4, len(strips), second),
        *([(338, 3, 1, struct.pack("<HH", 2, 0))] if channels == 4 else []),
    ]
    directory = struct.pack("<H", len(tags))
    directory += b"".join(struct.pack("<HHI", *tag[:3]) + tag[3] for tag in tags) + b"\0" * 4
    start = struct.pack("<I", end + len(arrays))
    return b"II*\0" + start + b"".join(strips) + arrays + directory


# A small process in between: a process begins with the peak of the one that started it.
MEASURE = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


def unpacking_memory(file: bytes) -> float:
    """The memory at the peak of the process that unpacks an AVIF, in MB; 0 for another file."""
    if file[4:8] != b"ftyp":
        return 0
    unpack = [sys.executable, "-I", avif.__file__, str(LARGEST)]
    command = [sys.executable, "-I", "-c", MEASURE, *unpack]
    done = subprocess.run(command, input=file, stdout=subprocess.PIPE, check=True)
    return int(done.stdout) / 1024
