"""Speed and memory, next to what Digitre replaces: `python -m benchmarks.run`, some five minutes.

Prints each figure as median (lowest to highest) with its target, and what changed beyond noise since
the committed results; then writes benchmarks/results.json. `--short` is for the tests: one round, and
no file is written.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import importlib.util
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
MANY = 64  # drawings in a list


@dataclass
class Figure:
    """A measured figure: its values over the rounds, and its target if it has one."""

    name: str
    values: list[float]
    at_least: float | None = None
    at_most: float | None = None

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    def met(self) -> bool | None:
        """Whether the median meets the target; None without a target."""
        if self.at_least is not None:
            return self.median >= self.at_least
        return self.median <= self.at_most if self.at_most is not None else None

    def line(self) -> str:
        """The line to print."""
        low, high = min(self.values), max(self.values)
        shown = f"{self.name:62} {self.median:9.3g}  ({low:.3g} to {high:.3g})"
        if self.at_least is not None:
            shown += f"  at least {self.at_least:g}"
        if self.at_most is not None:
            shown += f"  at most {self.at_most:g}"
        return shown + {None: "", True: "", False: "  MISSED"}[self.met()]


def throughput(folder: Path, rounds: int, seconds: float) -> Iterator[Figure]:
    """One worker: requests per second, and processor time per request. Ratios compare within the same round."""
    rates: dict[str, list[float]] = {}
    costs: dict[str, list[float]] = {}
    p50, p99 = [], []
    peers = [servers.PEER] if has_peer() else []
    body = folder / "many.json"
    page = json.loads((servers.DRAWINGS / "page.json").read_text())[0]["digit"]
    body.write_text(json.dumps([page] * MANY))
    instances = folder / "instances.json"
    instances.write_text(json.dumps({"instances": [{"b64": page.partition(",")[2]}]}))
    with ExitStack() as stack:
        running = {
            name: stack.enter_context(servers.serving(name, folder))
            for name in [*servers.APPS, *peers]
        }
        for server in running.values():
            servers.load(server, "canvas", 1)

        def measure(name: str, drawing: str | Path, label: str, **where: str) -> servers.Load:
            load = servers.load(running[name], drawing, seconds, **where)
            rates.setdefault(label, []).append(load.rate)
            costs.setdefault(label, []).append(load.cost)
            return load

        for _ in range(rounds):
            for name in running:
                load = measure(name, "canvas", name)
                if name == "digitre":
                    p50.append(load.p50)
                    p99.append(load.p99)
            for name in ("nothing", "digitre", *peers):
                measure(name, "page", f"{name}, page")
            for name in ("decode", "digitre"):
                measure(name, "clear", f"{name}, transparent canvas")
            measure("digitre", body, "digitre, lists", route="/_get_digits")
            measure(
                "digitre",
                instances,
                "digitre, as TensorFlow Serving, page",
                route="/v1/models/digitre:predict",
                expected="predictions",
            )
    costs["digitre, lists"] = [cost / MANY for cost in costs["digitre, lists"]]
    yield from _throughput_figures(rates, costs)
    yield Figure("p50, ms", p50)
    yield Figure("p99 over p50", [b / a for a, b in zip(p50, p99, strict=True)], at_most=2)


def has_peer() -> bool:
    """Whether FastAPI, uvicorn and ONNX Runtime are installed: nothing else here needs them."""
    needed = ("fastapi", "uvicorn", "onnxruntime", "onnx")
    return all(importlib.util.find_spec(name) for name in needed)


def _throughput_figures(
    rates: dict[str, list[float]], costs: dict[str, list[float]]
) -> Iterator[Figure]:
    """The rates and the costs, and the ratios that have targets, each by processor time and by rate."""
    for name, values in rates.items():
        yield Figure(f"requests per second: {name}", values)
    for name, values in costs.items():
        unit = "a drawing" if name == "digitre, lists" else "a request"
        yield Figure(f"µs of processor time for {unit}: {name}", values)
    for name, one, other, target in (
        ("Digitre over decoding alone, a canvas", "digitre", "decode", 0.65),
        (
            "Digitre over decoding alone, a transparent canvas",
            "digitre, transparent canvas",
            "decode, transparent canvas",
            0.6,
        ),
        ("Digitre over nothing, from its page", "digitre, page", "nothing, page", 0.45),
        ("Digitre over Keras predict", "digitre", "keras_predict", 38),
        ("Digitre over a tf.function", "digitre", "tf_function", None),
        ("Digitre over FastAPI and ONNX Runtime, a canvas", "digitre", servers.PEER, 1),
        (
            "Digitre over FastAPI and ONNX Runtime, from its page",
            "digitre, page",
            f"{servers.PEER}, page",
            1,
        ),
    ):
        if other in costs:
            by_time = [b / a for a, b in zip(costs[one], costs[other], strict=True)]
            by_rate = [a / b for a, b in zip(rates[one], rates[other], strict=True)]
            yield Figure(name, by_time, target)
            yield Figure(f"{name}, by rate", by_rate)
    lists, page = costs["digitre, lists"], costs["digitre, page"]
    yield Figure(
        f"a drawing in a list of {MANY} over one by one",
        [b / a for a, b in zip(lists, page, strict=True)],
        1.8,
    )
    yield Figure(
        "drawings in lists per second of processor time", [1e6 / each for each in lists], 2500
    )


def memory(folder: Path, requests: int) -> Iterator[Figure]:
    """A worker's memory after a tenth of the requests, and after all of them."""
    with servers.serving("digitre", folder) as server:
        sizes = []
        for goal in (requests // 10, requests - requests // 10):
            sent = 0
            while sent < goal:
                for drawing in ("canvas", "page"):
                    sent += servers.load(server, drawing, 1).requests
            sizes.append(servers.memory(server.workers[0]))
    yield Figure(f"MB of a worker after {requests:,} requests", [sizes[1]], at_most=100)
    yield Figure("MB of growth over the last nine tenths", [sizes[1] - sizes[0]], at_most=1)


def first_answer(folder: Path, rounds: int) -> Iterator[Figure]:
    """Seconds from starting gunicorn to its first answer."""
    times: dict[str, list[float]] = {"nothing": [], "digitre": []}
    for _ in range(rounds):
        for name, seconds in times.items():
            with servers.serving(name, folder) as server:
                seconds.append(server.first_answer)
    later = [b - a for a, b in zip(*times.values(), strict=True)]
    yield Figure("s to the first answer", times["digitre"])
    yield Figure("s later than the application that does nothing", later, at_most=0.3)


def two_workers(folder: Path, rounds: int, seconds: float) -> Iterator[Figure]:
    """Two workers over one: as measured, and without the processor time that wrk itself took."""
    raw, without = [], []
    with (
        servers.serving("digitre", folder, 1) as one,
        servers.serving("digitre", folder, 2) as two,
    ):
        servers.load(two, "canvas", 1, connections=8)
        for _ in range(rounds):
            single = servers.load(one, "canvas", seconds, connections=8)
            double = servers.load(two, "canvas", seconds, connections=8)
            raw.append(double.rate / single.rate)
            # With more cores than workers, wrk takes nothing from them.
            cores = os.cpu_count() or 1
            available = cores * double.seconds
            taken = double.generator if cores <= 2 else 0
            without.append(raw[-1] * available / (available - taken))
    yield Figure("two workers over one, wrk on the same two cores", raw)
    yield Figure("two workers over one, without wrk's processor time", without, 1.8)


def best(run: Callable[[], object], times: int) -> float:
    """Seconds of the fastest of so many runs."""
    seconds = []
    for _ in range(times):
        start = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def canvases(rounds: int) -> Iterator[Figure]:
    """Decoding and preprocessing over decoding alone, for canvases of several sizes."""
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


def many(folder: Path, rounds: int, count: int) -> Iterator[Figure]:
    """Many pictures in one call, next to one by one, and next to Keras's batches."""
    classifier = Classifier()
    random = np.random.default_rng(1)
    seven = classifier.preprocess((ROOT / "docs" / "seven.png").read_bytes())
    batch = np.clip(np.repeat(seven, count, 0) + random.normal(0, 0.1, (count, 28, 28, 1)), 0, 1)
    batch = batch.astype(np.float32)
    classifier.classify(batch[:100])
    singly, together = [], []
    for _ in range(rounds):
        start = time.perf_counter()
        for index in range(0, count, 10):  # every tenth picture is enough for a mean
            classifier.classify(batch[index : index + 1])
        singly.append((time.perf_counter() - start) / len(range(0, count, 10)) * 1e6)
        together.append(best(lambda: classifier.classify(batch), 1) / count * 1e6)
    keras = [seconds / count * 1e6 for seconds in keras_predict(folder, batch, rounds)]
    yield Figure("µs per picture, one by one", singly)
    yield Figure(f"µs per picture, {count:,} at once", together)
    yield Figure("µs per picture, TensorFlow's predict", keras)
    ratios = [a / b for a, b in zip(singly, together, strict=True)]
    yield Figure("one by one over many at once", ratios, 1.5)
    slower = [statistics.median(together) / value for value in keras]
    yield Figure("many at once over TensorFlow's predict", slower, at_most=1.5)


def keras_predict(folder: Path, batch: np.ndarray, rounds: int) -> list[float]:
    """Seconds that Keras needs for the batch, in each round."""
    np.save(folder / "batch.npy", batch)
    command = [sys.executable, "-m", "benchmarks.keras_predict", str(folder / "batch.npy")]
    done = subprocess.run(
        [*command, str(ROOT / "models" / "digitre.keras"), str(rounds)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"},
    )
    return [float(line) for line in done.stdout.split()]


def imports(rounds: int) -> Iterator[Figure]:
    """Seconds of `import digitre` beyond those of `import flask`."""
    longer = []
    for _ in range(rounds):
        flask, digitre = (
            best(lambda name=name: subprocess.run([sys.executable, "-c", f"import {name}"]), 3)
            for name in ("flask", "digitre")
        )
        longer.append(digitre - flask)
    yield Figure("s that `import digitre` takes longer than `import flask`", longer, at_most=0.1)


def installed() -> Iterator[Figure]:
    """MB of each package that serving needs."""
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


def committed() -> dict[str, list[float]]:
    """The figures of the committed results, by name; of the file if there is no git."""
    name = RESULTS.relative_to(ROOT).as_posix()
    content = subprocess.run(["git", "show", f"HEAD:{name}"], cwd=ROOT, capture_output=True).stdout
    if not content and RESULTS.exists():
        content = RESULTS.read_bytes()
    return json.loads(content)["figures"] if content else {}


def compare(figures: list[Figure]) -> list[str]:
    """A line for each figure that lies outside the range of the committed results."""
    before = committed()
    lines = []
    for figure in figures:
        old = before.get(figure.name)
        # A figure that was measured once has no range: allow 2 % either way.
        slack = 0.02 * max(old) if old and len(old) == 1 else 0
        if old and (min(figure.values) > max(old) + slack or max(figure.values) < min(old) - slack):
            was = statistics.median(old)
            lines.append(f"{figure.name}: {was:.3g} before, {figure.median:.3g} now")
    return lines


def processor() -> str:
    """The processor's name, family and model."""
    file = Path("/proc/cpuinfo")
    lines = dict(re.findall(r"^(.+?)\s*: (.*)$", file.read_text(), re.M)) if file.exists() else {}
    names = ("model name", "cpu family", "model")
    return ", ".join(f"{name} {lines[name]}" for name in names if name in lines)


def machine() -> dict[str, object]:
    """The machine, the network, and the versions that the figures depend on."""
    packages = ("flask", "gunicorn", "pillow", "numpy", "ai-edge-litert")
    return {
        "cores": os.cpu_count(),
        "machine": platform.machine(),
        "processor": processor(),
        "python": platform.python_version(),
        "model": Classifier().model,
    } | {name: importlib.metadata.version(name) for name in packages}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--short", action="store_true", help="one round of each; write no file")
    short = parser.parse_args().short
    rounds, seconds, many_pictures = (1, 1, 500) if short else (5, 3, 10_000)
    requests = 500 if short else 100_000
    print(", ".join(f"{name} {value}" for name, value in machine().items()))
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        for part in (
            throughput(folder, rounds, seconds),
            memory(folder, requests),
            first_answer(folder, rounds),
            two_workers(folder, rounds, seconds),
            canvases(rounds),
            many(folder, rounds, many_pictures),
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
        values = {figure.name: [round(v, 4) for v in figure.values] for figure in figures}
        RESULTS.write_text(json.dumps({"machine": machine(), "figures": values}, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
