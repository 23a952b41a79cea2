"""Terminal helpers: draw a picture as text; silence native libraries on standard error."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

SHADES = " ░▒▓█"


def blocks(pixels: np.ndarray) -> str:
    """(28, 28) floats in [0, 1] as 28 lines of shades, two characters per pixel."""
    levels = np.rint(np.clip(pixels, 0, 1) * (len(SHADES) - 1)).astype(int)
    return "\n".join("".join(SHADES[level] * 2 for level in line).rstrip() for line in levels)


@contextmanager
def silenced() -> Iterator[None]:
    """Drop what is written to standard error: LiteRT's C++ code announces itself there."""
    sys.stderr.flush()
    original, nothing = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 2)
    try:
        yield
    finally:
        os.dup2(original, 2)
        os.close(original)
        os.close(nothing)
