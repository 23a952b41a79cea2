"""Where a reading's time goes: `python -m benchmarks.pieces`, some seconds.

The application itself, without a server, reads the benchmark's two drawings over and over; each piece is
timed where it runs. Microseconds, medians.
"""

from __future__ import annotations

import io
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as deploy/gunicorn.conf.py says

from werkzeug.test import create_environ

from digitre import create_app
from digitre.recognition import classifier, decoding, preprocessing
from digitre.web import monitoring, views

DRAWINGS = Path(__file__).resolve().parent / "drawings"
READINGS = 1500
REST = "Flask, headers and the rest"
PIECES: dict[str, list[tuple[Any, str]]] = {
    "unpacking JSON and base64": [(views, "picture_in"), (decoding, "unpack")],
    "decoding the PNG, by Pillow": [(decoding, "open_picture")],
    "finding the ink": [(preprocessing, "find_ink")],
    "cropping, centring, resizing, scaling": [(preprocessing, "shape_ink")],
    "the network and what it says, by LiteRT": [(classifier.Classifier, "decide")],
    "writing the answer": [(classifier.Reading, "to_dict"), (views, "jsonify")],
    "figures and the line of the log": [
        (monitoring, "count_reading"),
        (monitoring, "_begin"),
        (monitoring, "_end"),
    ],
}


def timed(function: Callable, took: list[float]) -> Callable:
    """The function, which adds its seconds to the last of `took`."""

    def run(*arguments: Any, **options: Any) -> Any:
        started = time.perf_counter()
        try:
            return function(*arguments, **options)
        finally:
            took[-1] += time.perf_counter() - started

    return run


def main() -> int:
    took: dict[str, list[float]] = {name: [0.0] for name in PIECES}
    for name, places in PIECES.items():
        for place, function in places:
            setattr(place, function, timed(getattr(place, function), took[name]))
    shown, sys.stdout = sys.stdout, io.StringIO()  # the log's lines
    rows: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {"PROMETHEUS_MULTIPROC_DIR": folder, "DIGITRE_LOG": "1"}
        app = create_app()
        for drawing in ("canvas", "page"):
            body = (DRAWINGS / f"{drawing}.json").read_bytes()
            all_of_it: list[float] = []
            for each in took.values():
                each.clear()
            for _ in range(READINGS):
                for each in took.values():
                    each.append(0.0)
                asked = create_environ(
                    "/_get_digit", method="POST", data=body, content_type="application/json"
                )
                started = time.perf_counter()
                answer = app.wsgi_app(asked, lambda *_: lambda _: None)
                assert b'"result":"3"' in b"".join(answer)
                all_of_it.append(time.perf_counter() - started)
            whole = statistics.median(all_of_it)
            pieces = {name: statistics.median(each) for name, each in took.items()}
            rest = whole - sum(pieces.values())
            rows[drawing] = {"all of the application": whole, **pieces, REST: rest}
    sys.stdout = shown
    print(f"{'µs, median':42} {'canvas':>8} {'page':>8}")
    for name, seconds in rows["canvas"].items():
        print(f"{name:42} {1e6 * seconds:8.0f} {1e6 * rows['page'][name]:8.0f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
