"""gunicorn with one of the applications, and wrk that asks it: on this machine alone."""

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
APPS = {
    "nothing": "benchmarks.apps:nothing",
    "decode": "benchmarks.apps:decode",
    "digitre": "wsgi:app",
    "keras_predict": "benchmarks.apps:keras_predict",
    "tf_function": "benchmarks.apps:tf_function",
}

# Every answer is checked: a wrong one is counted.
SCRIPT = """
local threads = {}
function setup(thread) table.insert(threads, thread) end
function init() wrong = 0 end
wrk.method = "POST"
wrk.path = "/_get_digit"
wrk.headers["Content-Type"] = "application/json"
wrk.body = io.open(BODY):read("*a")
function response(status, headers, body)
  if status ~= 200 or not body:find('"result":%s*"3"') then wrong = wrong + 1 end
end
function done(summary, latency)
  local sum = 0
  for _, thread in ipairs(threads) do sum = sum + thread:get("wrong") end
  local lost = summary.errors
  io.write(string.format("\\n%d %d %d %f %f", summary.requests, summary.duration,
    sum + lost.connect + lost.read + lost.write + lost.timeout,
    latency:percentile(50) / 1000, latency:percentile(99) / 1000))
end
"""


@dataclass(frozen=True)
class Load:
    """What wrk saw in one run; times in milliseconds, `generator` its own processor seconds."""

    requests: int
    seconds: float
    p50: float
    p99: float
    generator: float

    @property
    def rate(self) -> float:
        return self.requests / self.seconds


@dataclass(frozen=True)
class Server:
    """A running gunicorn: its address, its workers' processes, seconds to its first answer."""

    address: str
    workers: tuple[int, ...]
    first_answer: float


def free_port() -> int:
    """A port of this machine that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def answered(asked: urllib.request.Request, processes: list[subprocess.Popen], log: Path) -> float:
    """Ask until there is an answer; the seconds that took.

    Raises:
        RuntimeError: with the log, where a process has ended or two minutes have passed.
    """
    started = time.perf_counter()
    while True:
        try:
            urllib.request.urlopen(asked, timeout=60).close()
            return time.perf_counter() - started
        except OSError:
            ended = any(process.poll() is not None for process in processes)
            if ended or time.perf_counter() - started > 120:
                raise RuntimeError(log.read_text()) from None
            time.sleep(0.005)


@contextmanager
def serving(name: str, folder: Path, workers: int = 1) -> Iterator[Server]:
    """gunicorn with one application, Digitre by its shipped configuration; ended at the end."""
    port = free_port()
    log = folder / f"{name}-{workers}.log"
    environment = os.environ | {
        "PORT": str(port),
        "WEB_CONCURRENCY": str(workers),
        "TF_CPP_MIN_LOG_LEVEL": "3",
    }
    address = f"http://127.0.0.1:{port}"
    body = (ROOT / "benchmarks" / "drawings" / "canvas.json").read_bytes()
    asked = urllib.request.Request(f"{address}/_get_digit", data=body)
    asked.add_header("Content-Type", "application/json")
    with log.open("wb") as out:
        process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "gunicorn",
                "-c",
                "deploy/gunicorn.conf.py" if name == "digitre" else "benchmarks/plain.conf.py",
                "--timeout",
                "120",
                APPS[name],
            ],
            cwd=ROOT,
            env=environment,
            stdout=out,
            stderr=out,
        )
    try:
        first = answered(asked, [process], log)
        found = [
            int(line.rsplit(" ", 1)[1])
            for line in log.read_text().splitlines()
            if "Booting worker with pid:" in line
        ]
        yield Server(address, tuple(found), first)
    finally:
        process.terminate()
        process.wait(30)


def ask(
    server: Server,
    drawing: str,
    folder: Path,
    seconds: float,
    connections: int = 2,
    host: str = "localhost",
) -> Load:
    """Let wrk send one drawing over and over, for this long; `host` is whom it asks for.

    Raises:
        RuntimeError: where an answer was wrong or missing.
    """
    program = shutil.which("wrk")
    if program is None:
        raise RuntimeError("wrk is not installed: apt install wrk")
    script = folder / f"{drawing}.lua"
    body = ROOT / "benchmarks" / "drawings" / f"{drawing}.json"
    script.write_text(f'BODY = "{body}"\n{SCRIPT}')
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    ran = subprocess.run(
        [
            program,
            "-t1",
            f"-c{connections}",
            f"-d{seconds:g}s",
            "--timeout",
            "30s",
            "-H",
            f"Host: {host}",
            "-s",
            str(script),
            server.address,
        ],
        capture_output=True,
        text=True,
        check=True,
        timeout=seconds + 90,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    own = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    requests, took, wrong, p50, p99 = ran.stdout.rsplit("\n", 1)[1].split()
    if int(wrong):
        raise RuntimeError(f"{wrong} of {requests} answers were wrong or missing")
    return Load(int(requests), int(took) / 1e6, float(p50), float(p99), own)


def memory(process: int) -> float:
    """What a process holds in memory, in MB."""
    status = Path(f"/proc/{process}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024
