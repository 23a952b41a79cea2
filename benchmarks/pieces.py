"""Where the time of a reading goes: `python -m benchmarks.pieces`, some seconds.

The application, without a server, reads the benchmark's two drawings over and over. Each piece is
timed where it runs, in processor time. Prints medians in microseconds.
"""

from __future__ import annotations

import io
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as in deploy/gunicorn.conf.py

from flask import Flask
from werkzeug.test import create_environ

from digitre import create_app
from digitre.recognition import classifier, plain
from digitre.recognition.classifier import Classifier, Reading
from digitre.web import direct, monitoring

DRAWINGS = Path(__file__).resolve().parent / "drawings"
READINGS = 1500
REST = "headers and the rest"
# The functions of each piece, each with the module or class that it is looked up in when it is called.
PIECES: dict[str, list[tuple[Any, Callable]]] = {
    "unpacking JSON and base64": [(direct, direct.parse_body)],
    "decoding the PNG, by libspng": [(plain, plain.to_pixels)],
    "finding the ink": [(plain, plain.find_plain_drawing)],
    "cropping, centring, resizing, scaling": [(plain, plain.shape_ink)],
    "the network, by LiteRT": [(Classifier, Classifier.classify)],
    "whether to search, and the decision": [
        (classifier, classifier.stands),
        (Classifier, Classifier.answer),
    ],
    "writing the answer": [(Reading, Reading.to_dict), (direct, direct.to_json)],
    "metrics and the line of the log": [
        (monitoring.Metrics, monitoring.Metrics.count_reading),
        (monitoring, monitoring.begin),
        (monitoring, monitoring.end),
    ],
}


def timed(function: Callable, times: list[float]) -> Callable:
    """The same function, which also adds its seconds to the last element of `times`."""

    def run(*arguments: Any, **options: Any) -> Any:
        start = time.process_time()
        try:
            return function(*arguments, **options)
        finally:
            times[-1] += time.process_time() - start

    return run


def measure(app: Flask, drawing: str, times: dict[str, list[float]]) -> dict[str, float]:
    """The median seconds of a whole reading, of each piece, and of the rest.

    Args:
        times: the lists that the timed functions add to, by piece.
    """
    body = (DRAWINGS / f"{drawing}.json").read_bytes()
    totals: list[float] = []
    for piece in times.values():
        piece.clear()
    for _ in range(READINGS):
        for piece in times.values():
            piece.append(0.0)
        environ = create_environ(
            "/_get_digit", method="POST", data=body, content_type="application/json"
        )
        start = time.process_time()
        answer = app.wsgi_app(environ, lambda *_: lambda _: None)
        assert b'"result":"3"' in b"".join(answer)
        totals.append(time.process_time() - start)
    total = statistics.median(totals)
    pieces = {name: statistics.median(piece) for name, piece in times.items()}
    return {"all of the application": total, **pieces, REST: total - sum(pieces.values())}


def main() -> int:
    times: dict[str, list[float]] = {name: [0.0] for name in PIECES}
    for name, functions in PIECES.items():
        for owner, function in functions:
            setattr(owner, function.__name__, timed(function, times[name]))
    with tempfile.TemporaryDirectory() as folder, redirect_stdout(io.StringIO()):  # the log
        os.environ |= {"PROMETHEUS_MULTIPROC_DIR": folder, "DIGITRE_LOG": "1"}
        app = create_app()
        canvas, page = (measure(app, drawing, times) for drawing in ("canvas", "page"))
    print(f"{'µs, median':42} {'canvas':>8} {'page':>8}")
    for name, seconds in canvas.items():
        print(f"{name:42} {1e6 * seconds:8.0f} {1e6 * page[name]:8.0f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
