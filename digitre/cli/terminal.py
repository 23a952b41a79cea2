"""Pictures in a terminal."""

from __future__ import annotations

import numpy as np

SHADES = " ░▒▓█"


def blocks(pixels: np.ndarray) -> str:
    """(28, 28) floats in [0, 1] as 28 lines of shades, two characters a pixel."""
    levels = np.rint(np.clip(pixels, 0, 1) * (len(SHADES) - 1)).astype(int)
    return "\n".join("".join(SHADES[level] * 2 for level in line).rstrip() for line in levels)
