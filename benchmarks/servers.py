"""Run gunicorn with one of the applications, and load it with wrk; both on this machine only."""

from __future__ import annotations

import os
import resource
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DRAWINGS = ROOT / "benchmarks" / "drawings"
APPS = {
    "nothing": "benchmarks.apps:nothing",
    "decode": "benchmarks.apps:decode",
    "digitre": "wsgi:app",
    "keras_predict": "benchmarks.apps:keras_predict",
    "tf_function": "benchmarks.apps:tf_function",
}
# By the usual way to serve a network: `pip install '.[bench]'` has what it needs.
FASTAPI = "benchmarks.fastapi_onnx:app"
PEER = "fastapi_onnx"


@dataclass(frozen=True)
class Load:
    """The result of one run of wrk.

    Attributes:
        requests: the number of answers.
        seconds: how long it ran.
        p50, p99: latency, in milliseconds.
        generator: processor seconds that wrk itself took.
        processor: processor seconds that the server's workers took.
    """

    requests: int
    seconds: float
    p50: float
    p99: float
    generator: float
    processor: float

    @property
    def cost(self) -> float:
        """Microseconds of processor time that a request takes a worker: less noisy than the rate."""
        return self.processor / self.requests * 1e6

    @property
    def rate(self) -> float:
        """Requests per second."""
        return self.requests / self.seconds


@dataclass(frozen=True)
class Server:
    """A running gunicorn: its address, its workers' processes, seconds until its first answer."""

    address: str
    workers: tuple[int, ...]
    first_answer: float


def free_port() -> int:
    """A free port of this machine."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for_answer(
    request: urllib.request.Request, processes: list[subprocess.Popen], log: Path
) -> float:
    """Send the request until there is an answer; return the seconds that took.

    Raises:
        RuntimeError: with the log, if a process ends or two minutes pass.
    """
    start = time.perf_counter()
    while True:
        try:
            urllib.request.urlopen(request, timeout=60).close()
            return time.perf_counter() - start
        except OSError:
            ended = any(process.poll() is not None for process in processes)
            if ended or time.perf_counter() - start > 120:
                raise RuntimeError(log.read_text()) from None
            time.sleep(0.005)


@contextmanager
def serving(name: str, folder: Path, workers: int = 1) -> Iterator[Server]:
    """Run gunicorn with one application; Digitre with its shipped configuration."""
    port = free_port()
    log = folder / f"{name}-{workers}.log"
    environment = os.environ | {
        "PORT": str(port),
        "WEB_CONCURRENCY": str(workers),
        "TF_CPP_MIN_LOG_LEVEL": "3",
    }
    address = f"http://127.0.0.1:{port}"
    body = (DRAWINGS / "canvas.json").read_bytes()
    request = urllib.request.Request(f"{address}/_get_digit", data=body)
    request.add_header("Content-Type", "application/json")
    settings = "deploy/gunicorn.conf.py" if name == "digitre" else "benchmarks/plain.conf.py"
    command = [sys.executable, "-m", "gunicorn", "-c", settings, "--timeout", "120"]
    if name == PEER:
        command = [sys.executable, "-m", "uvicorn", "--port", str(port), "--no-access-log", FASTAPI]
    else:
        command.append(APPS[name])
    with log.open("wb") as out:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=out, stderr=out)
    try:
        first = wait_for_answer(request, [process], log)
        yield Server(address, worker_processes(log) or (process.pid,), first)
    finally:
        process.terminate()
        process.wait(30)


def worker_processes(log: Path) -> tuple[int, ...]:
    """The process numbers of gunicorn's workers, from its log."""
    lines = log.read_text().splitlines()
    starts = [line for line in lines if "Booting worker with pid:" in line]
    return tuple(int(line.rsplit(" ", 1)[1]) for line in starts)


def processor_seconds(processes: tuple[int, ...]) -> float:
    """The processor time that processes have taken, with all their threads."""
    # The clock of another process, as clock_getcpuclockid(3) of the GNU C library makes it.
    return sum(time.clock_gettime(~process << 3 | 2) for process in processes)


def load(
    server: Server,
    drawing: str | Path,
    seconds: float,
    connections: int = 2,
    host: str = "localhost",
    route: str = "/_get_digit",
    expected: str = '"result":"3"',
) -> Load:
    """Let wrk post one drawing over and over.

    Args:
        drawing: "canvas" (a PNG of 250 x 250), "clear" (the same, black on transparent), "page" (what the page
            sends), or a file with another body.
        seconds: how long.
        host: the host name to ask for.
        route: where to.
        expected: a text that each answer has.

    Raises:
        RuntimeError: if wrk is missing, or any answer is wrong or missing.
    """
    program = shutil.which("wrk")
    if program is None:
        raise RuntimeError("wrk is not installed: apt install wrk")
    command = [program, "-t1", f"-c{connections}", f"-d{seconds:g}s", "--timeout", "30s"]
    command += ["-H", f"Host: {host}", "-s", str(ROOT / "benchmarks" / "post.lua"), server.address]
    body = drawing if isinstance(drawing, Path) else DRAWINGS / f"{drawing}.json"
    workers = processor_seconds(server.workers)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [*command, "--", str(body), route, expected],
        capture_output=True,
        text=True,
        check=True,
        timeout=seconds + 90,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    taken = processor_seconds(server.workers) - workers
    own = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    requests, microseconds, wrong, p50, p99 = done.stdout.rsplit("\n", 1)[1].split()
    if int(wrong):
        raise RuntimeError(f"{wrong} of {requests} answers were wrong or missing")
    return Load(int(requests), int(microseconds) / 1e6, float(p50), float(p99), own, taken)


def memory(process: int) -> float:
    """The memory of a process (resident), in MB."""
    status = Path(f"/proc/{process}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024
