"""All benchmarks: `make bench`, or `python -m benchmarks.run`, some five minutes.

Prints each figure as median (lowest to highest) with its target, writes benchmarks/results.json, and
says what has changed beyond noise since the results that are committed. `--short` is for the tests:
one round, and no file is written.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import io
import json
import os
import platform
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks import servers
from digitre import Classifier
from digitre.recognition.preprocessing import preprocess

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results.json"


@dataclass
class Figure:
    """One measured figure: its values over the rounds, and what it should be."""

    name: str
    values: list[float]
    at_least: float | None = None
    at_most: float | None = None

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    def met(self) -> bool | None:
        if self.at_least is not None:
            return self.median >= self.at_least
        return self.median <= self.at_most if self.at_most is not None else None

    def line(self) -> str:
        low, high = min(self.values), max(self.values)
        shown = f"{self.name:62} {self.median:9.3g}  ({low:.3g} to {high:.3g})"
        if self.at_least is not None:
            shown += f"  at least {self.at_least:g}"
        if self.at_most is not None:
            shown += f"  at most {self.at_most:g}"
        return shown + {None: "", True: "", False: "  MISSED"}[self.met()]


def throughput(folder: Path, rounds: int, seconds: float) -> Iterator[Figure]:
    """Requests a second of one worker, every application in turn, as ratios of the same round."""
    rates: dict[str, list[float]] = {}
    p50, p99 = [], []
    with ExitStack() as stack:
        running = {
            name: stack.enter_context(servers.serving(name, folder)) for name in servers.APPS
        }
        for name in running:
            servers.ask(running[name], "canvas", folder, 1)
        for _ in range(rounds):
            for name, server in running.items():
                load = servers.ask(server, "canvas", folder, seconds)
                rates.setdefault(name, []).append(load.rate)
                if name == "digitre":
                    p50.append(load.p50)
                    p99.append(load.p99)
            for name in ("nothing", "digitre"):
                load = servers.ask(running[name], "page", folder, seconds)
                rates.setdefault(f"{name}, page", []).append(load.rate)

    def ratio(one: str, other: str) -> list[float]:
        return [a / b for a, b in zip(rates[one], rates[other], strict=True)]

    for name, values in rates.items():
        yield Figure(f"requests a second: {name}", values)
    yield Figure("Digitre over decoding alone, a canvas", ratio("digitre", "decode"), 0.6)
    yield Figure(
        "Digitre over nothing, from its page", ratio("digitre, page", "nothing, page"), 0.45
    )
    yield Figure("Digitre over Keras predict", ratio("digitre", "keras_predict"), 40)
    yield Figure("Digitre over a tf.function", ratio("digitre", "tf_function"))
    yield Figure("p50, ms", p50)
    yield Figure("p99 over p50", [b / a for a, b in zip(p50, p99, strict=True)], at_most=2)


def memory(folder: Path, requests: int) -> Iterator[Figure]:
    """A worker's memory after a tenth of the requests, and after all."""
    with servers.serving("digitre", folder) as server:
        held = []
        for goal in (requests // 10, requests - requests // 10):
            sent = 0
            while sent < goal:
                for drawing in ("canvas", "page"):
                    sent += servers.ask(server, drawing, folder, 1).requests
            held.append(servers.memory(server.workers[0]))
    yield Figure(f"MB of a worker after {requests:,} requests", [held[1]], at_most=100)
    yield Figure("MB that it grew by over the last nine tenths", [held[1] - held[0]], at_most=1)


def first_answer(folder: Path, rounds: int) -> Iterator[Figure]:
    """Seconds from starting gunicorn to the first answer."""
    times: dict[str, list[float]] = {"nothing": [], "digitre": []}
    for _ in range(rounds):
        for name, found in times.items():
            with servers.serving(name, folder) as server:
                found.append(server.first_answer)
    later = [b - a for a, b in zip(*times.values(), strict=True)]
    yield Figure("s to the first answer", times["digitre"])
    yield Figure("s later than the application that does nothing", later, at_most=0.3)


def two_workers(folder: Path, rounds: int, seconds: float) -> Iterator[Figure]:
    """Two workers over one, as it is and without what wrk itself took of the two cores."""
    raw, without = [], []
    with (
        servers.serving("digitre", folder, 1) as one,
        servers.serving("digitre", folder, 2) as two,
    ):
        servers.ask(two, "canvas", folder, 1, connections=8)
        for _ in range(rounds):
            single = servers.ask(one, "canvas", folder, seconds, connections=8)
            double = servers.ask(two, "canvas", folder, seconds, connections=8)
            raw.append(double.rate / single.rate)
            # What wrk takes is missing only where there are no more cores than workers.
            cores = os.cpu_count() or 1
            there = cores * double.seconds
            taken = double.generator if cores <= 2 else 0
            without.append(raw[-1] * there / (there - taken))
    yield Figure("two workers over one, wrk on the same two cores", raw)
    yield Figure("two workers over one, without wrk's processor time", without, 1.8)


def best(run: Callable[[], object], times: int) -> float:
    """Seconds of the quickest of so many runs."""
    took = []
    for _ in range(times):
        started = time.perf_counter()
        run()
        took.append(time.perf_counter() - started)
    return min(took)


def canvases(rounds: int) -> Iterator[Figure]:
    """Decoding and preprocessing over decoding alone, by the canvas's side."""
    seven = Image.open(ROOT / "docs" / "seven.png").convert("RGBA")
    for side in (28, 250, 1000, 2000):
        packed = io.BytesIO()
        seven.resize((side, side), Image.Resampling.BICUBIC).save(packed, "PNG")
        file = packed.getvalue()
        ratios = []
        for _ in range(rounds):
            alone = best(lambda file=file: Image.open(io.BytesIO(file)).load(), 9)
            ratios.append(best(lambda file=file: preprocess(file), 9) / alone)
        most = 1.5 if side == 1000 else None
        yield Figure(f"decoding and preprocessing over decoding, {side} px", ratios, at_most=most)


TF_PREDICT = """
import sys, time
import keras, numpy as np
batch = np.load(sys.argv[1])
network = keras.models.load_model(sys.argv[2], compile=False)
network.predict(batch[:1000], batch_size=500, verbose=0)
for _ in range(int(sys.argv[3])):
    started = time.perf_counter()
    network.predict(batch, batch_size=500, verbose=0)
    print(time.perf_counter() - started)
"""


def many(folder: Path, rounds: int, count: int) -> Iterator[Figure]:
    """Many pictures at once, over one by one, and beside TensorFlow's batches."""
    classifier = Classifier()
    random = np.random.default_rng(1)
    seven = classifier.preprocess((ROOT / "docs" / "seven.png").read_bytes())
    batch = np.clip(np.repeat(seven, count, 0) + random.normal(0, 0.1, (count, 28, 28, 1)), 0, 1)
    batch = batch.astype(np.float32)
    np.save(folder / "batch.npy", batch)
    classifier.classify(batch[:100])
    singly, together = [], []
    for _ in range(rounds):
        started = time.perf_counter()
        for index in range(0, count, 10):  # a tenth of them is enough to know one's time
            classifier.classify(batch[index : index + 1])
        singly.append((time.perf_counter() - started) / len(range(0, count, 10)) * 1e6)
        together.append(best(lambda: classifier.classify(batch), 1) / count * 1e6)
    ran = subprocess.run(
        [
            sys.executable,
            "-c",
            TF_PREDICT,
            str(folder / "batch.npy"),
            str(ROOT / "models" / "digitre.keras"),
            str(rounds),
        ],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"},
    )
    predicted = [float(line) / count * 1e6 for line in ran.stdout.split()]
    yield Figure("µs a picture, one by one", singly)
    yield Figure(f"µs a picture, {count:,} at once", together)
    yield Figure("µs a picture, TensorFlow's predict", predicted)
    ratios = [a / b for a, b in zip(singly, together, strict=True)]
    yield Figure("one by one over many at once", ratios, 1.5)
    slower = [statistics.median(together) / value for value in predicted]
    yield Figure("many at once over TensorFlow's predict", slower, at_most=1.5)


def imports(rounds: int) -> Iterator[Figure]:
    """What `import digitre` takes longer than `import flask`."""
    later = []
    for _ in range(rounds):
        took = [
            best(lambda name=name: subprocess.run([sys.executable, "-c", f"import {name}"]), 3)
            for name in ("flask", "digitre")
        ]
        later.append(took[1] - took[0])
    yield Figure("s that `import digitre` takes longer than `import flask`", later, at_most=0.1)


def installed() -> Iterator[Figure]:
    """MB of each package that serving installs."""
    lock = (ROOT / "requirements.txt").read_text()
    sizes = {}
    for name in dict.fromkeys(re.findall(r"^([a-z0-9-]+)==", lock, re.MULTILINE)):
        try:
            files = importlib.metadata.files(name) or []
        except importlib.metadata.PackageNotFoundError:
            continue
        paths = (Path(str(file.locate())) for file in files)
        sizes[name] = sum(path.stat().st_size for path in paths if path.is_file()) / 1e6
    for name, size in sorted(sizes.items(), key=lambda item: -item[1]):
        if size >= 1:
            yield Figure(f"MB installed: {name}", [size])
    yield Figure("MB installed to serve, all of them", [sum(sizes.values())], at_most=400)


def compare(figures: list[Figure]) -> list[str]:
    """What lies outside the range of the committed results: a line each."""
    name = RESULTS.relative_to(ROOT).as_posix()
    kept = subprocess.run(["git", "show", f"HEAD:{name}"], cwd=ROOT, capture_output=True).stdout
    if not kept and RESULTS.exists():  # no checkout
        kept = RESULTS.read_bytes()
    before = json.loads(kept)["figures"] if kept else {}
    lines = []
    for figure in figures:
        old = before.get(figure.name)
        # A figure that was measured once has no range: a fiftieth either way stands for one.
        slack = 0.02 * max(old) if old and len(old) == 1 else 0
        if old and (min(figure.values) > max(old) + slack or max(figure.values) < min(old) - slack):
            was = statistics.median(old)
            lines.append(f"{figure.name}: {was:.3g} before, {figure.median:.3g} now")
    return lines


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--short", action="store_true", help="one round of all, nothing written")
    options = parser.parse_args()
    short = options.short
    rounds, seconds = (1, 1) if short else (5, 3)
    machine = {
        "cores": os.cpu_count(),
        "machine": platform.machine(),
        "python": platform.python_version(),
        "model": Classifier().model,
    } | {
        name: importlib.metadata.version(name)
        for name in ("flask", "gunicorn", "pillow", "numpy", "ai-edge-litert")
    }
    print(", ".join(f"{name} {value}" for name, value in machine.items()))
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        for part in (
            throughput(folder, rounds, seconds),
            memory(folder, 500 if short else 10_000),
            first_answer(folder, rounds),
            two_workers(folder, rounds, seconds),
            canvases(rounds),
            many(folder, rounds, 500 if short else 10_000),
            imports(rounds),
            installed(),
        ):
            for figure in part:
                figures.append(figure)
                print(figure.line(), flush=True)
    changes = compare(figures)
    print("\nchanged beyond noise:" if changes else "\nnothing has changed beyond noise")
    print("\n".join(changes))
    if not short:
        kept = {figure.name: [round(v, 4) for v in figure.values] for figure in figures}
        RESULTS.write_text(json.dumps({"machine": machine, "figures": kept}, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
