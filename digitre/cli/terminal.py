"""What a terminal shows: pictures, and none of what libraries say to nobody."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

SHADES = " ░▒▓█"


def blocks(pixels: np.ndarray) -> str:
    """(28, 28) floats in [0, 1] as 28 lines of shades, two characters a pixel."""
    levels = np.rint(np.clip(pixels, 0, 1) * (len(SHADES) - 1)).astype(int)
    return "\n".join("".join(SHADES[level] * 2 for level in line).rstrip() for line in levels)


@contextmanager
def silenced() -> Iterator[None]:
    """Nothing reaches standard error meanwhile: LiteRT's C++ says there that it has begun."""
    sys.stderr.flush()
    kept, nothing = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nothing)
