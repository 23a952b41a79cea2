"""Digitre reads handwritten digits: a Flask JSON API with a page to draw on.

    from digitre import Classifier
    Classifier().read("seven.png").digit

`create_app` makes the web application; `Classifier` is the reader on its own.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from digitre.recognition.classifier import Classifier
    from digitre.recognition.decoding import PictureError
    from digitre.recognition.number_reading import NumberReading
    from digitre.recognition.opening import MissingFileError
    from digitre.recognition.reading import Candidate, Reading
    from digitre.web.app import create_app

__version__ = "0.1.0"
__all__ = [
    "Candidate",
    "Classifier",
    "MissingFileError",
    "NumberReading",
    "PictureError",
    "Reading",
    "create_app",
]

# Imported when they are first used: `import digitre` alone needs neither Flask nor LiteRT.
_LAZY = {
    "Candidate": "digitre.recognition.reading",
    "Classifier": "digitre.recognition.classifier",
    "MissingFileError": "digitre.recognition.opening",
    "NumberReading": "digitre.recognition.number_reading",
    "PictureError": "digitre.recognition.decoding",
    "Reading": "digitre.recognition.reading",
    "create_app": "digitre.web.app",
}


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(importlib.import_module(_LAZY[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_LAZY])
