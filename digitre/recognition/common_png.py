"""The quick way to decode a common PNG: libspng takes less than half of Pillow's time, and gives an array.

Common is what a canvas or the page sends: eight bits, grey or in colours, no palette, and one part with the pixels. All
else is for Pillow, and so is what libspng refuses: then Pillow says what is wrong.
"""

from __future__ import annotations

import struct

import numpy as np

from digitre.recognition.containers import LARGEST, PNG, checksum

try:
    import pyspng
except ImportError:  # on a platform that it is not built for
    pyspng = None

_BEGIN = PNG + b"\0\0\0\rIHDR"
_PIXELS = 41  # where the bytes of the pixels begin
_END = b"\0\0\0\0IEND\xaeB`\x82"
_MODES = {0: "L", 2: "RGB", 6: "RGBA"}  # by their numbers in a header


def common_png(data: bytes) -> np.ndarray | None:
    """The pixels of a PNG.

    Args:
        data: a file of any kind.

    Returns:
        (height, width) or (height, width, 3 or 4) uint8, of less than 2 * LARGEST per side; None for any other file.
    """
    if pyspng is None or not data.startswith(_BEGIN) or len(data) < _PIXELS + len(_END):
        return None
    width, height, depth, mode, *others = struct.unpack_from(">IIBBBBB", data, 16)
    (length,) = struct.unpack_from(">I", data, 33)
    if (
        depth != 8
        or mode not in _MODES
        or any(others)  # interlaced, or invalid
        or not (0 < width < 2 * LARGEST and 0 < height < 2 * LARGEST)
        or data[29:33] != checksum(data[12:29])
        or data[37:_PIXELS] != b"IDAT"
        or data[_PIXELS + length + 4 :] != _END
        # pyspng does not look at it, nor at the checksum within the pixels.
        or data[_PIXELS + length : -len(_END)] != checksum(data[37 : _PIXELS + length])
    ):
        return None
    try:
        return pyspng.load(data, format=_MODES[mode])
    except RuntimeError:
        return None
