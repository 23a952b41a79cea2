"""Make a worker's first answer as quick as its hundredth."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import numpy as np
from flask import Flask

from digitre.recognition.preprocessing import to_png
from digitre.web.answers import to_json
from digitre.web.state import state_of

READINGS = 5  # the first one loads LiteRT, the next ones fill the caches


def warm(app: Any) -> None:
    """Read a drawing with an application, before its worker takes requests. Nothing is counted or logged.

    Args:
        app: what gunicorn serves; only a Digitre is warmed.
    """
    if not isinstance(app, Flask):
        return
    pixels = np.full((120, 76), 255, np.uint8)
    pixels[10:16, 10:66] = pixels[16:110, 58:64] = 0  # a seven
    # A network that fails here fails every request, and each says so.
    with suppress(Exception):
        app.url_map.update()
        for _ in range(READINGS):
            to_json(state_of(app).classifier.read_content(to_png(pixels)).to_dict())
