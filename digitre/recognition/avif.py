"""An AVIF is unpacked in a process of its own, which may take only so much time and memory.

The pictures inside an AVIF may be far larger than its header says, and Pillow cannot be told how large they may
be. So what unpacks it cannot be trusted to stop: the system ends it. This file is also that process, run by
its path: it imports nothing but Pillow.
"""

from __future__ import annotations

import math
import struct
import sys
import threading
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL import Image

SECONDS = 0.6  # of processor time. A picture of 8 megapixels takes 0.25, and starting 0.1.
LONGEST = 10.0  # seconds by the clock
# Bytes of addresses, Python and Pillow included. A picture of 8 megapixels takes fewer than 200 million.
MEMORY = 250_000_000
METADATA = 65_536  # bytes of EXIF that are looked at, as in `containers`
BOXES = 10_000  # in each other box
_HEAD = struct.Struct("<4sIIBd")  # mode, width and height in pixels, orientation, seconds
_NOT_HERE = 3  # the exit status where AVIF cannot be unpacked
_spent = threading.local()


class RefusedError(Exception):
    """An AVIF that is not unpacked.

    Attributes:
        code: the API's: `picture_too_large`; or `unsupported_format` where Pillow has no decoder, or where
            the system cannot limit a process. The message is for people.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{message}: save the picture as PNG or JPEG.")
        self.code = code


def size(data: bytes) -> tuple[int, int]:
    """Width and height in pixels: the largest that a file names for the pictures in it.

    Raises:
        ValueError: if it names none; struct.error if it ends too early.
    """
    (start,) = struct.unpack_from(">I", data)  # after the first box, ftyp
    meta, end = _box(data, start, len(data), b"meta")
    properties = _box(data, *_box(data, meta + 4, end, b"iprp"), b"ipco")
    sizes = [
        struct.unpack_from(">II", data, begin + 4)
        for kind, begin, _ in _boxes(data, *properties)
        if kind == b"ispe"
    ]
    return max(sizes, key=math.prod)


def _box(data: bytes, start: int, end: int, wanted: bytes) -> tuple[int, int]:
    """Where the content of the first box of a kind begins and ends. Raises ValueError if there is none."""
    for kind, begin, stop in _boxes(data, start, end):
        if kind == wanted:
            return begin, stop
    raise ValueError(f"it has no {wanted.decode()}")


def _boxes(data: bytes, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """The boxes of an ISO media file (ISO/IEC 14496-12): the kind, and where its content begins and ends."""
    number = 0
    while start + 8 <= end:
        length, kind = struct.unpack_from(">I4s", data, start)
        length = length or end - start  # 0: up to the end
        number += 1
        # Boxes of over 4 GB have their length elsewhere: none fits into a request.
        if length < 8 or start + length > end or number > BOXES:
            raise ValueError("a box is longer than what it is in, or there are too many")
        yield kind, start + 8, start + length
        start += length


def decode(data: bytes, largest: int) -> tuple[Image.Image, int]:
    """Unpack the first picture of an AVIF.

    Args:
        data: the file.
        largest: pixels per side; a picture of twice as many or more is averaged down to less than that.

    Returns:
        The picture, of mode L, LA, RGB or RGBA, and its orientation, 1 to 8 as EXIF counts.

    Raises:
        ValueError: if it is damaged.
        RefusedError: if it takes too long, or if no AVIF can be read on this machine.
    """
    import subprocess  # rarely needed

    from PIL import Image

    command = [sys.executable, "-I", __file__, str(largest)]
    try:
        done = subprocess.run(command, input=data, capture_output=True, timeout=LONGEST)
    except subprocess.TimeoutExpired:
        _add(SECONDS)  # at most
        raise _costly() from None
    except OSError:  # no process can be started
        raise _not_here() from None
    if done.returncode == _NOT_HERE:
        raise _not_here()
    if done.returncode < 0:  # ended by the system
        _add(SECONDS)
        raise _costly()
    if done.returncode:
        _add(SECONDS)  # at most
        raise ValueError("the AVIF is damaged")
    mode, width, height, orientation, seconds = _HEAD.unpack_from(done.stdout)
    _add(seconds)
    pixels = done.stdout[_HEAD.size :]
    return Image.frombytes(mode.rstrip().decode(), (width, height), pixels), orientation


def _costly() -> RefusedError:
    return RefusedError("picture_too_large", "Unpacking the AVIF takes too long")


def _not_here() -> RefusedError:
    return RefusedError("unsupported_format", "AVIF cannot be read here")


def thread_time() -> float:
    """Seconds of processor time that this thread has taken, and the processes that unpacked AVIFs for it."""
    return time.thread_time() + getattr(_spent, "seconds", 0.0)


def _add(seconds: float) -> None:
    _spent.seconds = getattr(_spent, "seconds", 0.0) + seconds


def _limit() -> None:
    """Let this process take only so much. Raises ImportError, AttributeError or OSError where that cannot be."""
    import resource
    import signal

    signal.setitimer(signal.ITIMER_PROF, SECONDS)  # what it sends ends the process
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _main() -> int:
    """Unpack what comes in, and write out the picture. Returns the exit status."""
    try:
        _limit()
        from PIL import AvifImagePlugin, ExifTags
    except (ImportError, AttributeError, OSError, ValueError):
        return _NOT_HERE
    if not AvifImagePlugin.SUPPORTED:
        return _NOT_HERE
    AvifImagePlugin.DEFAULT_MAX_THREADS = 1  # each thread takes memory
    try:
        image: Image.Image = AvifImagePlugin.AvifImageFile(sys.stdin.buffer)
        camera_data = image.info.get("exif", b"")
        orientation = 1
        if len(camera_data) <= METADATA:
            orientation = image.getexif().get(ExifTags.Base.Orientation, 1)
        image.load()
        factor = max(image.size) // int(sys.argv[1])
        if factor > 1:
            image = image.reduce(factor)
    except Exception:  # what is damaged raises many types
        return 1
    upright = orientation if orientation in range(1, 9) else 1
    pixels = image.tobytes()
    head = _HEAD.pack(image.mode.encode().ljust(4), *image.size, upright, time.process_time())
    sys.stdout.buffer.write(head + pixels)
    return 0


if __name__ == "__main__":
    sys.exit(_main())
